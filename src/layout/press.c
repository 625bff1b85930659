#include "layout/internal.h"

#include "base/time.h"

#include <cairo-pdf.h>
#include <math.h>

#define PAGE_NUMBER_SIZE 13
#define PAGE_NUMBER_Y (10 * MM)
#define LONG_WORD_BYTES 40
#define BASELINE 0.92 /* of the size: from the top of a line to the feet of its letters */

static cairo_status_t
append_part(void *out, const unsigned char *part, unsigned len)
{
    an_buf_append(out, AN_BYTES(part, len));
    return an_buf_ok(out) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static void
set_facts(struct press *press, const struct document_facts *facts)
{
    char now[AN_TIME_TEXT_MAX];

    an_time made = facts->made != NULL && facts->made[0] != '\0' ? an_time_parse(an_bytes_of_str(facts->made))
        : an_time_now();

    an_time_format_vn(made, now);
    cairo_pdf_surface_set_metadata(press->surface, CAIRO_PDF_METADATA_TITLE, facts->title);
    cairo_pdf_surface_set_metadata(press->surface, CAIRO_PDF_METADATA_AUTHOR, facts->author);
    cairo_pdf_surface_set_metadata(press->surface, CAIRO_PDF_METADATA_SUBJECT, facts->subject);
    if (facts->keywords != NULL && facts->keywords[0] != '\0')
        cairo_pdf_surface_set_metadata(press->surface, CAIRO_PDF_METADATA_KEYWORDS, facts->keywords);
    cairo_pdf_surface_set_metadata(press->surface, CAIRO_PDF_METADATA_CREATOR, "antin-layout " AN_VERSION);
    cairo_pdf_surface_set_metadata(press->surface, CAIRO_PDF_METADATA_CREATE_DATE, now);
    cairo_pdf_surface_set_metadata(press->surface, CAIRO_PDF_METADATA_MOD_DATE, now);
}

/* Another font would be found silently; Vietnamese letters and the sizes of NĐ 30 need this one. */
static an_code
check_font(PangoContext *context, struct an_err *reterr)
{
    PangoFontDescription *wanted = pango_font_description_from_string(LAYOUT_FONT " 13"), *found = NULL;
    PangoFont *font = pango_context_load_font(context, wanted);
    bool is_it;

    if (font != NULL)
        found = pango_font_describe(font);
    is_it = found != NULL && strcmp(pango_font_description_get_family(found), LAYOUT_FONT) == 0;
    pango_font_description_free(wanted);
    pango_font_description_free(found);
    g_clear_object(&font);
    if (!is_it)
        AN_FAIL(reterr, AN_E_LAYOUT_FONT, LAYOUT_FONT);
    return AN_OK;
}

an_code
press_open(struct press *press, struct an_buf *out, const struct document_facts *facts, struct an_err *reterr)
{
    *press = (struct press){.out = out,
                            .top = 20 * MM,
                            .bottom = 20 * MM,
                            .left = 30 * MM,
                            .right = 20 * MM,
                            .page_width = PAGE_WIDTH,
                            .page_height = PAGE_HEIGHT,
                            .pages = 1,
                            .page_of_part = 1};
    press->y = press->top;
    press->surface = cairo_pdf_surface_create_for_stream(append_part, out, PAGE_WIDTH, PAGE_HEIGHT);
    set_facts(press, facts);
    press->cr = cairo_create(press->surface);
    press->context = pango_cairo_create_context(press->cr);
    pango_cairo_context_set_resolution(press->context, 72);
    pango_context_set_round_glyph_positions(press->context, FALSE);
    pango_context_set_language(press->context, pango_language_from_string("vi"));
    return check_font(press->context, reterr);
}

void
press_free(struct press *press)
{
    if (press->context != NULL)
        g_object_unref(press->context);
    if (press->cr != NULL)
        cairo_destroy(press->cr);
    if (press->surface != NULL)
        cairo_surface_destroy(press->surface);
    *press = (struct press){0};
}

an_code
press_close(struct press *press, struct an_err *reterr)
{
    cairo_status_t status = cairo_status(press->cr);

    cairo_show_page(press->cr);
    cairo_surface_finish(press->surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(press->surface);
    if (status != CAIRO_STATUS_SUCCESS)
        AN_FAIL(reterr, AN_E_LAYOUT_DRAW, "%s", cairo_status_to_string(status));
    return AN_OK;
}

void
press_turn(struct press *press)
{
    press->page_width = PAGE_HEIGHT;
    press->page_height = PAGE_WIDTH;
    cairo_pdf_surface_set_size(press->surface, press->page_width, press->page_height);
}

double
press_width(const struct press *press)
{
    return press->page_width - press->left - press->right;
}

double
press_rest(const struct press *press)
{
    return press->page_height - press->bottom - press->y;
}

/* Centred in the top margin, not on the first page of a part. */
static void
draw_page_number(struct press *press)
{
    const struct style style = {.size = PAGE_NUMBER_SIZE, .align = PANGO_ALIGN_CENTER};
    AN_CLEANUP(an_free_ptr) char *text = an_asprintf("%u", press->page_of_part);

    draw_words(press, text, &style, press->left, PAGE_NUMBER_Y, press_width(press));
}

static an_code
turn_page(struct press *press, bool new_part, struct an_err *reterr)
{
    if (press->pages >= LAYOUT_PAGES_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "> %u pages", LAYOUT_PAGES_MAX);
    cairo_show_page(press->cr);
    press->pages++;
    press->page_of_part = new_part ? 1 : press->page_of_part + 1;
    press->y = press->top;
    if (!new_part)
        draw_page_number(press);
    return AN_OK;
}

an_code
press_break_page(struct press *press, struct an_err *reterr)
{
    return turn_page(press, false, reterr);
}

an_code
press_begin_part(struct press *press, struct an_err *reterr)
{
    return turn_page(press, true, reterr);
}

static double
line_height(const struct style *style)
{
    return style->size * (style->pitch > 0 ? style->pitch : 1.2);
}

/* A word too long for its line goes on in the next without a hyphen: in an address or a serial number it would be read
 * as part of it. */
static void
set_attributes(PangoLayout *text, size_t bold_bytes)
{
    PangoAttrList *list = pango_attr_list_new();
    PangoAttribute *bold = pango_attr_weight_new(PANGO_WEIGHT_BOLD);

    bold->start_index = 0;
    bold->end_index = (guint)bold_bytes;
    pango_attr_list_insert(list, bold);
    pango_attr_list_insert(list, pango_attr_insert_hyphens_new(FALSE));
    pango_layout_set_attributes(text, list);
    pango_attr_list_unref(list);
}

/* Writes the line breaks as they are now into the text. */
static void
fix_breaks(PangoLayout *text)
{
    AN_CLEANUP(an_free_ptr) char *words = an_strdup(pango_layout_get_text(text));

    for (int i = 1; i < pango_layout_get_line_count(text); i++) {
        int start = pango_layout_get_line_readonly(text, i)->start_index;
        if (start > 0 && words[start - 1] == ' ')
            words[start - 1] = '\n';
    }
    pango_layout_set_text(text, words, -1);
}

/* Centred lines of about the same length: the narrowest width that needs no more of them decides where they break. */
static void
balance_lines(PangoLayout *text, double width, bool is_partly_bold)
{
    int count = pango_layout_get_line_count(text);
    double narrow = width / 2, wide = width;

    if (count < 2 || is_partly_bold)
        return;
    for (int i = 0; i < 8; i++) {
        double middle = (narrow + wide) / 2;
        pango_layout_set_width(text, (int)lround(middle * PANGO_SCALE));
        if (pango_layout_get_line_count(text) > count)
            narrow = middle;
        else
            wide = middle;
    }
    pango_layout_set_width(text, (int)lround(wide * PANGO_SCALE));
    fix_breaks(text);
    pango_layout_set_width(text, (int)lround(width * PANGO_SCALE));
}

/* A hash or an address that takes a line of its own would tear apart the words on the line before. */
static bool
has_long_word(const char *words)
{
    size_t longest = 0;

    for (size_t len; *words != '\0'; words += len + (words[len] == ' ')) {
        len = strcspn(words, " ");
        longest = len > longest ? len : longest;
    }
    return longest > LONG_WORD_BYTES;
}

PangoLayout *
build_text(struct press *press, const char *words, const struct style *style, double width, size_t bold_bytes)
{
    PangoLayout *text = pango_layout_new(press->context);
    PangoFontDescription *font = pango_font_description_from_string(LAYOUT_FONT);
    g_autofree char *upper = style->is_upper ? g_utf8_strup(words, -1) : NULL;

    pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
    pango_font_description_set_weight(font, style->is_bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_font_description_set_style(font, style->is_italic ? PANGO_STYLE_ITALIC : PANGO_STYLE_NORMAL);
    pango_layout_set_font_description(text, font);
    pango_font_description_free(font);
    pango_layout_set_text(text, upper ? upper : words, -1);
    pango_layout_set_width(text, (int)lround(width * PANGO_SCALE));
    pango_layout_set_wrap(text, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(text, style->align);
    pango_layout_set_justify(text, style->is_justified && !has_long_word(words));
    pango_layout_set_indent(text, (int)lround(style->indent * PANGO_SCALE));
    set_attributes(text, bold_bytes);
    if (style->align == PANGO_ALIGN_CENTER)
        balance_lines(text, width, bold_bytes > 0);
    return text;
}

void
free_text(PangoLayout **text)
{
    if (*text != NULL)
        g_object_unref(*text);
    *text = NULL;
}

double
text_height(PangoLayout *text, const struct style *style)
{
    return pango_layout_get_line_count(text) * line_height(style);
}

double
text_width(PangoLayout *text)
{
    PangoRectangle logical;

    pango_layout_get_extents(text, NULL, &logical);
    return (double)logical.width / PANGO_SCALE;
}

double
longest_word(struct press *press, const char *words, const struct style *style)
{
    AN_CLEANUP(free_text) PangoLayout *text = build_text(press, "", style, 0, 0);

    pango_layout_set_wrap(text, PANGO_WRAP_WORD);
    pango_layout_set_text(text, words, -1);
    return text_width(text);
}

/* Lines stand at a fixed pitch, whatever marks their letters carry. */
static void
draw_line(struct press *press, PangoLayoutIter *at, const struct style *style, double x, double y)
{
    PangoRectangle logical;

    pango_layout_iter_get_line_extents(at, NULL, &logical);
    cairo_move_to(press->cr, x + (double)logical.x / PANGO_SCALE,
                  y + (line_height(style) - 1.15 * style->size) / 2 + BASELINE * style->size);
    pango_cairo_show_layout_line(press->cr, pango_layout_iter_get_line_readonly(at));
}

double
draw_text(struct press *press, PangoLayout *text, const struct style *style, double x, double y)
{
    PangoLayoutIter *at = pango_layout_get_iter(text);
    double start = y;

    do {
        draw_line(press, at, style, x, y);
        y += line_height(style);
    } while (pango_layout_iter_next_line(at));
    pango_layout_iter_free(at);
    return y - start;
}

double
draw_words(struct press *press, const char *words, const struct style *style, double x, double y, double width)
{
    AN_CLEANUP(free_text) PangoLayout *text = build_text(press, words, style, width, 0);

    return draw_text(press, text, style, x, y);
}

/* No line of a paragraph of several stands alone at the foot or the head of a page. */
static bool
must_break(const struct press *press, const struct style *style, int line, int count)
{
    double height = line_height(style);
    bool keep_two = count > 1 && (line == 0 || line == count - 2);

    return press_rest(press) < height * (keep_two ? 2 : 1) - 0.01;
}

an_code
flow_text(struct press *press, const char *words, const struct style *style, size_t bold_bytes, struct an_err *reterr)
{
    AN_CLEANUP(free_text) PangoLayout *text = build_text(press, words, style, press_width(press), bold_bytes);
    PangoLayoutIter *at = pango_layout_get_iter(text);
    int count = pango_layout_get_line_count(text);
    an_code code = AN_OK;

    if (press->y > press->top)
        press->y += style->space_before;
    for (int line = 0; line < count && code == AN_OK; line++) {
        if (must_break(press, style, line, count))
            code = press_break_page(press, reterr);
        draw_line(press, at, style, press->left, press->y);
        press->y += line_height(style);
        pango_layout_iter_next_line(at);
    }
    pango_layout_iter_free(at);
    return code;
}

void
draw_rule(struct press *press, double x, double y, double width, double thickness)
{
    cairo_set_line_width(press->cr, thickness);
    cairo_move_to(press->cr, x, y);
    cairo_line_to(press->cr, x + width, y);
    cairo_stroke(press->cr);
}
