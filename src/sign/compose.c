/* What a signature shows: the image and the lines of the look, measured. Wording comes from the look, never from
 * here. */
#include "base/utf8.h"
#include "sign/internal.h"

#include <stdio.h>

#define LINE_HEIGHT 1.2 /* of the font size: single spacing */

static const struct { const char *id, *text; } copy_kind_table[] = {
    {"sao-y", "Sao y"}, {"sao-luc", "Sao lục"}, {"trich-sao", "Trích sao"}, /* "chữ in thường": Đồng Tháp Điều 13.2 */
};

static const char *
copy_kind_text(const char *id)
{
    for (size_t i = 0; id != NULL && i < AN_COUNT(copy_kind_table); i++)
        if (strcmp(copy_kind_table[i].id, id) == 0)
            return copy_kind_table[i].text;
    return id ? id : "";
}

/* "{dd}.{MM}.{yyyy} {HH}:{mm}:{ss} {zone}" or "iso8601". */
static void
write_time(struct an_buf *out, const char *format, an_time when)
{
    struct an_date d = an_date_of(when, 7 * 60);
    char iso[AN_TIME_TEXT_MAX];
    const struct { const char *name; int width, value; } fields[] = {
        {"{dd}", 2, d.day}, {"{MM}", 2, d.month}, {"{yyyy}", 4, d.year}, {"{HH}", 2, d.hour}, {"{mm}", 2, d.minute}, {"{ss}", 2, d.second},
    };

    if (format == NULL || *format == '\0' || strcmp(format, "iso8601") == 0) {
        an_buf_str(out, an_time_format_vn(when, iso));
        return;
    }
    for (const char *at = format; *at != '\0';) {
        size_t hit = 0;
        while (hit < AN_COUNT(fields) && strncmp(at, fields[hit].name, strlen(fields[hit].name)) != 0)
            hit++;
        if (hit < AN_COUNT(fields)) {
            an_buf_printf(out, "%0*d", fields[hit].width, fields[hit].value);
            at += strlen(fields[hit].name);
        } else if (strncmp(at, "{zone}", 6) == 0) {
            an_buf_str(out, "+07:00");
            at += 6;
        } else {
            an_buf_byte(out, (uint8_t)*at++);
        }
    }
}

static bool
write_value(struct an_sign_session *session, an_bytes name, an_time when, struct an_buf *out)
{
    const struct an_sign_setup *setup = &session->setup;
    const struct { const char *name, *value; } values[] = {
        {"number", setup->number}, {"agency", setup->agency}, {"copy_kind", copy_kind_text(setup->copy_kind)},
        {"name", session->signer_name}, {"email", session->signer_email}, {"organisation", session->signer_organisation},
    };

    if (an_bytes_eq_str(name, "time")) {
        write_time(out, setup->look->time_format, when);
        return true;
    }
    for (size_t i = 0; i < AN_COUNT(values); i++)
        if (an_bytes_eq_str(name, values[i].name)) {
            an_buf_str(out, values[i].value ? values[i].value : "");
            return true;
        }
    return false;
}

/* Fills one template line; an unknown {word} stays as it is, so that a mistake in the data is seen. */
static char *
fill_template(struct an_sign_session *session, const char *template, an_time when)
{
    struct an_buf filled = an_buf_new(AN_LIMIT_LOOK_TEXT), nfc = an_buf_new(AN_LIMIT_LOOK_TEXT);
    char *text = NULL;

    for (const char *at = template; *at != '\0';) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (end != NULL && write_value(session, AN_BYTES(at + 1, (size_t)(end - at - 1)), when, &filled))
            at = end + 1;
        else
            an_buf_byte(&filled, (uint8_t)*at++);
    }
    if (an_buf_ok(&filled) && an_utf8_nfc(&nfc, an_buf_view(&filled)))
        text = an_buf_take_str(&nfc);
    an_buf_free(&filled);
    an_buf_free(&nfc);
    return text;
}

static an_code
compose_lines(struct an_sign_session *session, an_time when, struct sign_drawing *out, struct an_err *reterr)
{
    const struct an_look *look = session->setup.look;
    size_t count = look->line_count < AN_COUNT(out->lines) ? look->line_count : AN_COUNT(out->lines);
    double widest = 0;

    for (size_t i = 0; i < count; i++) {
        out->texts[i] = fill_template(session, look->lines[i], when);
        if (out->texts[i] == NULL)
            AN_FAIL(reterr, AN_E_SIGN_TEXT, "%s", look->lines[i]);
        double width = an_pdf_font_width(session->font, an_bytes_of_str(out->texts[i]), look->size_pt);
        widest = width > widest ? width : widest;
        out->lines[i] = (struct an_pdf_text_line){.text = out->texts[i], .size_pt = look->size_pt, .red = look->red,
                                                  .green = look->green, .blue = look->blue};
    }
    out->appearance.font = session->font;
    out->appearance.lines = out->lines;
    out->appearance.line_count = count;
    out->box = (struct sign_box){widest + 4, (double)count * look->size_pt * LINE_HEIGHT + 4};
    return AN_OK;
}

/* Text lines stand from the top of the box down, left aligned after the image. */
static void
lay_lines(struct sign_drawing *drawing, double left)
{
    struct an_pdf_appearance *a = &drawing->appearance;
    double y = a->height - 2;

    for (size_t i = 0; i < a->line_count; i++) {
        drawing->lines[i].x = left + 2;
        y -= drawing->lines[i].size_pt * LINE_HEIGHT;
        drawing->lines[i].baseline = y + drawing->lines[i].size_pt * (LINE_HEIGHT - 0.95);
    }
}

static struct sign_box
image_box(const struct an_sign_session *session)
{
    const struct an_look *look = session->setup.look;
    const struct an_pdf_image_info *info = an_pdf_image_info(session->image);
    double aspect = (double)info->width / (double)info->height;
    double height = look->height_mm > 0 ? look->height_mm * POINTS_PER_MM : 0;
    double width = look->width_mm > 0 ? look->width_mm * POINTS_PER_MM : 0;

    if (look->true_size) { /* the longer side of the picture is the diameter of the seal */
        double diameter = session->setup.seal_diameter_mm * POINTS_PER_MM;
        return aspect >= 1 ? (struct sign_box){diameter, diameter / aspect} : (struct sign_box){diameter * aspect,
                diameter};
    }
    if (width <= 0 || height <= 0)
        return (struct sign_box){40 * POINTS_PER_MM, 40 * POINTS_PER_MM / aspect};
    if (width / height > aspect)
        return (struct sign_box){height * aspect, height};
    return (struct sign_box){width, width / aspect};
}

an_code
sign_compose(struct an_sign_session *session, an_time when, struct sign_drawing *ret, struct an_err *reterr)
{
    struct an_pdf_appearance *a = &ret->appearance;

    *ret = (struct sign_drawing){0};
    if (session->setup.look->line_count > 0) {
        an_code code = compose_lines(session, when, ret, reterr);
        if (code != AN_OK) {
            sign_drawing_done(ret);
            return code;
        }
    }
    if (session->image != NULL) {
        struct sign_box picture = image_box(session);
        double text_width = a->line_count ? ret->box.width : 0;
        ret->box.height = ret->box.height > picture.height ? ret->box.height : picture.height;
        ret->box.width = picture.width + text_width;
        a->image = session->image;
        a->image_rect = (struct an_pdf_rect){0, (ret->box.height - picture.height) / 2, picture.width,
                                             (ret->box.height + picture.height) / 2};
    }
    a->width = ret->box.width;
    a->height = ret->box.height;
    lay_lines(ret, a->image != NULL ? a->image_rect.x1 : 0);
    return AN_OK;
}

void
sign_drawing_fit(struct sign_drawing *drawing, double width, double height)
{
    struct an_pdf_appearance *a = &drawing->appearance;
    double scale_x = width / a->width, scale_y = height / a->height;
    double scale = scale_x < scale_y ? scale_x : scale_y;
    double dx = (width - a->width * scale) / 2, dy = (height - a->height * scale) / 2;

    if (a->image != NULL)
        a->image_rect = (struct an_pdf_rect){a->image_rect.x0 * scale + dx, a->image_rect.y0 * scale + dy,
                                             a->image_rect.x1 * scale + dx, a->image_rect.y1 * scale + dy};
    for (size_t i = 0; i < a->line_count; i++) {
        drawing->lines[i].x = drawing->lines[i].x * scale + dx;
        drawing->lines[i].baseline = drawing->lines[i].baseline * scale + dy;
        drawing->lines[i].size_pt *= scale;
    }
    a->width = width;
    a->height = height;
}

an_code
sign_compose_footer(struct an_sign_session *session, an_time when, struct sign_drawing *drawing, struct an_err *reterr)
{
    const struct an_look *look = session->setup.look;

    if (look == NULL || look->footer == NULL)
        return AN_OK;
    drawing->footer_text = fill_template(session, look->footer, when);
    if (drawing->footer_text == NULL)
        AN_FAIL(reterr, AN_E_SIGN_TEXT, "%s", look->footer);
    drawing->footer_line = (struct an_pdf_text_line){.text = drawing->footer_text, .size_pt = look->size_pt,
                                                     .baseline = look->margin_top_mm * POINTS_PER_MM, .red = look->red,
                                                     .green = look->green, .blue = look->blue};
    drawing->footer = (struct an_pdf_footer){.font = session->font, .lines = &drawing->footer_line, .line_count = 1,
                                             .side = look->margin_side_mm * POINTS_PER_MM};
    return AN_OK;
}

void
sign_drawing_done(struct sign_drawing *drawing)
{
    free(drawing->footer_text);
    drawing->footer_text = NULL;
    for (size_t i = 0; i < AN_COUNT(drawing->texts); i++) {
        free(drawing->texts[i]);
        drawing->texts[i] = NULL;
    }
}
