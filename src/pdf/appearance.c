/* What a signature shows: one form object with the picture and the text lines (ISO 32000-2, 8.10, 12.5.5). */
#include "pdf/append.h"

#include "base/limits.h"

/* What the file allows and already has. */
struct palette_rules {
    bool calibrated;   /* device colours have no meaning here: PDF/A without an RGB output intent */
    bool no_soft_mask; /* PDF/A-1, or transparency without an output intent to blend in */
    bool cid_set;
};

/* Components of the output intent's profile, 0 = none. */
static int64_t
intent_components(struct an_pdf *pdf)
{
    const struct an_pdf_obj *intents = an_pdf_at(pdf, AN_PDF_NOW, an_pdf_catalog(pdf, AN_PDF_NOW), "OutputIntents");
    int64_t n = 0;

    for (size_t i = 0; intents->kind == AN_PDF_ARRAY && i < intents->u.array.count && i < 16 && n == 0; i++) {
        const struct an_pdf_obj *intent = an_pdf_resolve(pdf, AN_PDF_NOW, &intents->u.array.items[i]);

        an_pdf_int(an_pdf_at(pdf, AN_PDF_NOW, an_pdf_at(pdf, AN_PDF_NOW, intent, "DestOutputProfile"), "N"), &n);
    }
    return n;
}

static struct palette_rules
rules_of(struct an_pdf *pdf)
{
    int part = an_pdf_pdfa_part(pdf);
    int64_t components;

    if (part == 0)
        return (struct palette_rules){0};
    components = intent_components(pdf);
    return (struct palette_rules){
        .calibrated = components != 3, .no_soft_mask = part == 1 || components == 0, .cid_set = part == 1};
}

/* ---- pictures and fonts that an earlier signature brought ---- */
static uint32_t
search_resources(struct an_pdf_append *append, const struct an_pdf_obj *category, const struct an_pdf_bundle *bundle)
{
    if (category->kind != AN_PDF_DICT)
        return 0;
    for (size_t i = 0; i < category->u.dict.count && i < 16; i++) {
        const struct an_pdf_obj *value = &category->u.dict.entries[i].value;

        if (value->kind != AN_PDF_REF)
            continue;
        if (an_pdf_is_name(
                an_pdf_at(append->pdf, AN_PDF_NOW, an_pdf_resolve(append->pdf, AN_PDF_NOW, value), "AnTinDigest"),
                bundle->marker) &&
            an_pdf_bundle_is_at(append, bundle, value->u.ref.num))
            return value->u.ref.num;
    }
    return 0;
}

static uint32_t
use_bundle(struct an_pdf_append *append, const struct an_pdf_survey *survey, const struct an_pdf_bundle *bundle,
           const char *category)
{
    for (size_t i = 0; i < survey->widgets.count; i++) {
        const struct an_pdf_obj *look =
            an_pdf_at(append->pdf, AN_PDF_NOW, an_pdf_at(append->pdf, AN_PDF_NOW, survey->widgets.items[i], "AP"), "N");
        const struct an_pdf_obj *resources = an_pdf_at(append->pdf, AN_PDF_NOW, look, "Resources");
        uint32_t num = search_resources(append, an_pdf_at(append->pdf, AN_PDF_NOW, resources, category), bundle);

        if (num != 0)
            return num;
    }
    return an_pdf_bundle_write(append, bundle);
}

/* ---- the content stream ---- */
static void
put(struct an_buf *out, double value, int decimals)
{
    an_pdf_emit_number(out, value, decimals);
    an_buf_byte(out, ' ');
}

static void
draw_picture(struct an_buf *out, struct an_pdf_rect rect)
{
    an_buf_str(out, "q ");
    put(out, rect.x1 - rect.x0, 3);
    an_buf_str(out, "0 0 ");
    put(out, rect.y1 - rect.y0, 3);
    put(out, rect.x0, 3);
    put(out, rect.y0, 3);
    an_buf_str(out, "cm/I Do Q\n");
}

static void
set_colour(struct an_buf *out, const struct an_pdf_text_line *line, bool calibrated)
{
    bool grey = line->red == line->green && line->green == line->blue;

    if (grey && !calibrated) {
        put(out, line->red, 3);
        an_buf_str(out, "g\n");
        return;
    }
    if (calibrated)
        an_buf_str(out, "/C cs ");
    put(out, line->red, 3);
    put(out, line->green, 3);
    put(out, line->blue, 3);
    an_buf_str(out, calibrated ? "sc\n" : "rg\n");
}

static void
draw_lines(struct an_buf *out, const struct an_pdf_appearance *look, const struct an_pdf_shaped *shaped,
           bool calibrated)
{
    an_buf_str(out, "BT\n");
    for (size_t i = 0; i < look->line_count; i++) {
        const struct an_pdf_text_line *line = &look->lines[i];

        set_colour(out, line, calibrated);
        an_buf_str(out, "/F ");
        put(out, line->size_pt, 3);
        an_buf_str(out, "Tf 1 0 0 1 ");
        put(out, line->x, 3);
        put(out, line->baseline, 3);
        an_buf_str(out, "Tm\n");
        an_pdf_shaped_show(shaped, i, out);
    }
    an_buf_str(out, "ET\n");
}

/* ---- the form object ---- */
static void
emit_matrix(struct an_buf *out, int rotate)
{
    static const char *const matrices[] = {"", "/Matrix[0 1 -1 0 0 0]", "/Matrix[-1 0 0 -1 0 0]",
                                           "/Matrix[0 -1 1 0 0 0]"};

    an_buf_str(out, matrices[rotate / 90 & 3]);
}

static void
emit_box(struct an_buf *out, struct an_pdf_rect box)
{
    an_buf_str(out, "/Type/XObject/Subtype/Form/BBox[");
    put(out, box.x0, 3);
    put(out, box.y0, 3);
    put(out, box.x1, 3);
    an_pdf_emit_number(out, box.y1, 3);
    an_buf_byte(out, ']');
}

static void
emit_resources(struct an_buf *out, uint32_t image, uint32_t font, bool calibrated)
{
    an_buf_str(out, "/Resources<<");
    if (image)
        an_buf_printf(out, "/XObject<</I %u 0 R>>", image);
    if (font)
        an_buf_printf(out, "/Font<</F %u 0 R>>", font);
    if (font && calibrated)
        an_buf_str(out, "/ColorSpace<</C[/CalRGB<</WhitePoint[0.9505 1 1.089]/Gamma[2.2 2.2 2.2]"
                        "/Matrix[0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505]>>]>>");
    an_buf_str(out, ">>");
}

static void
write_form(struct an_pdf_append *append, uint32_t num, struct an_buf *dict, an_bytes content)
{
    AN_CLEANUP(an_buf_free) struct an_buf packed = an_buf_new(AN_BUF_UNLIMITED);

    if (content.len > 120 && an_pdf_deflate(&packed, content, 9) && packed.len + 20 < content.len) {
        an_buf_str(dict, "/Filter/FlateDecode");
        content = an_buf_view(&packed);
    }
    an_pdf_append_stream(append, num, an_buf_view(dict), content);
}

static an_code
check_look(const struct an_pdf_appearance *look, struct an_err *reterr)
{
    if (!(look->width > 0) || !(look->height > 0) || look->width > 14400 || look->height > 14400)
        AN_FAIL(reterr, AN_E_PDF_RECT, "appearance %.2f x %.2f", look->width, look->height);
    if (look->line_count > 0 && !look->font)
        AN_FAIL(reterr, AN_E_PDF_FONT, "text without a font");
    return AN_OK;
}

an_code
an_pdf_appearance_write(struct an_pdf_append *append, const struct an_pdf_survey *survey,
                        const struct an_pdf_appearance *look, int rotate, struct an_pdf_rect rect, uint32_t *ret_num,
                        struct an_err *reterr)
{
    struct palette_rules rules = rules_of(append->pdf);
    AN_CLEANUP(an_buf_free) struct an_buf dict = an_buf_new(AN_BUF_UNLIMITED), content = an_buf_new(AN_BUF_UNLIMITED);
    AN_CLEANUP(an_pdf_shaped_free) struct an_pdf_shaped *shaped = NULL;
    const struct an_pdf_bundle *bundle = NULL;
    uint32_t image = 0, font = 0;

    AN_TRY(check_look(look, reterr));
    if (look->image) {
        struct an_pdf_image_style style = {.hard_mask = rules.no_soft_mask, .calibrated = rules.calibrated};

        AN_TRY(an_pdf_image_bundle(look->image, style, &bundle, reterr));
        image = use_bundle(append, survey, bundle, "XObject");
        draw_picture(&content, look->image_rect);
    }
    if (look->line_count > 0) {
        AN_TRY(an_pdf_font_shape(look->font, look->lines, look->line_count, rules.cid_set, &shaped, reterr));
        font = use_bundle(append, survey, an_pdf_shaped_bundle(shaped), "Font");
        draw_lines(&content, look, shaped, rules.calibrated);
    }
    emit_box(&dict, an_pdf_place_box(rotate, rect, look->width, look->height));
    emit_matrix(&dict, rotate);
    emit_resources(&dict, image, font, rules.calibrated);
    *ret_num = an_pdf_append_new(append);
    write_form(append, *ret_num, &dict, an_buf_view(&content));
    return AN_OK;
}

uint32_t
an_pdf_appearance_empty(struct an_pdf_append *append)
{
    uint32_t num = an_pdf_append_new(append);

    an_pdf_append_stream(append, num, AN_LIT("/Type/XObject/Subtype/Form/BBox[0 0 0 0]/Resources<<>>"), AN_NONE);
    return num;
}
