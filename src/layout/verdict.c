/* Parts of a report on verification: the verdict in one word, the facts beside a picture, a signer, the checks. */
#include "layout/internal.h"

#include <math.h>

#define MARK_RADIUS 5.5
#define GAP 4.0

struct tone {
    const char *id;
    double r, g, b;                      /* of words and marks */
    double ground_r, ground_g, ground_b; /* behind a banner */
};
static const struct tone tones[] = {
    {"good", 0.08, 0.42, 0.20, 0.91, 0.96, 0.92},
    {"bad", 0.68, 0.11, 0.10, 0.99, 0.92, 0.91},
    {"open", 0.58, 0.38, 0.00, 1.00, 0.96, 0.86},
    {"note", 0.42, 0.45, 0.50, 0.95, 0.95, 0.96},
};

static an_code
read_tone(struct an_arena *arena, const json_t *block, const struct tone **ret, struct an_err *reterr)
{
    const char *id;

    AN_TRY(input_text(arena, block, "tone", true, &id, reterr));
    for (size_t i = 0; i < AN_COUNT(tones); i++)
        if (strcmp(id, tones[i].id) == 0) {
            *ret = &tones[i];
            return AN_OK;
        }
    AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "tone: good, bad, open, note");
}

static void
use_tone(struct press *press, const struct tone *tone)
{
    cairo_set_source_rgb(press->cr, tone->r, tone->g, tone->b);
}

static void
use_grey(struct press *press, double level)
{
    cairo_set_source_rgb(press->cr, level, level, level);
}

/* A disc with a tick, a cross, a question mark or a bar: told apart without colour too. */
static void
draw_mark(struct press *press, const struct tone *tone, double x, double y, double radius)
{
    cairo_t *cr = press->cr;
    double u = radius / 10;

    cairo_save(cr);
    use_tone(press, tone);
    cairo_new_path(cr);
    cairo_arc(cr, x, y, radius, 0, 2 * G_PI);
    cairo_fill(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_set_line_width(cr, 2.2 * u);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    switch (tone->id[0]) {
    case 'g':
        cairo_move_to(cr, x - 4.5 * u, y + 0.3 * u), cairo_line_to(cr, x - 1.2 * u, y + 3.8 * u),
            cairo_line_to(cr, x + 4.8 * u, y - 3.6 * u);
        break;
    case 'b':
        cairo_move_to(cr, x - 3.6 * u, y - 3.6 * u), cairo_line_to(cr, x + 3.6 * u, y + 3.6 * u);
        cairo_move_to(cr, x + 3.6 * u, y - 3.6 * u), cairo_line_to(cr, x - 3.6 * u, y + 3.6 * u);
        break;
    case 'o':
        cairo_new_sub_path(cr);
        cairo_arc(cr, x, y - 2.2 * u, 2.6 * u, -G_PI, G_PI / 2);
        cairo_line_to(cr, x, y + 2.0 * u);
        cairo_move_to(cr, x, y + 5.2 * u), cairo_line_to(cr, x, y + 5.3 * u);
        break;
    default:
        cairo_move_to(cr, x - 4 * u, y), cairo_line_to(cr, x + 4 * u, y);
    }
    cairo_stroke(cr);
    cairo_restore(cr);
}

static an_code
make_room(struct press *press, double height, struct an_err *reterr)
{
    if (height > PAGE_HEIGHT - press->top - press->bottom)
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "a part higher than a page");
    return height > press_rest(press) ? press_break_page(press, reterr) : AN_OK;
}

/* ---- {"banner": "HỢP LỆ", "tone", "note"?} ---- */
an_code
flow_banner(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr)
{
    static const struct style word_style = {.size = 20, .is_bold = true, .is_upper = true};
    static const struct style note_style = {.size = 12};
    const struct tone *tone;
    const char *word, *note;
    double width = press_width(press) - 66, height;
    an_code code;

    AN_TRY(read_tone(arena, block, &tone, reterr));
    AN_TRY(input_text(arena, block, "banner", true, &word, reterr));
    AN_TRY(input_text(arena, block, "note", false, &note, reterr));
    AN_CLEANUP(free_text) PangoLayout *above = build_text(press, word, &word_style, width, 0);
    AN_CLEANUP(free_text) PangoLayout *below = build_text(press, note, &note_style, width, 0);
    height = text_height(above, &word_style) + (note[0] ? text_height(below, &note_style) : 0) + 16;
    press->y += 8;
    code = make_room(press, height, reterr);
    if (code != AN_OK)
        return code;
    cairo_set_source_rgb(press->cr, tone->ground_r, tone->ground_g, tone->ground_b);
    cairo_rectangle(press->cr, press->left, press->y, press_width(press), height);
    cairo_fill(press->cr);
    use_tone(press, tone);
    cairo_rectangle(press->cr, press->left, press->y, 5, height);
    cairo_fill(press->cr);
    draw_mark(press, tone, press->left + 32, press->y + height / 2, 15);
    use_tone(press, tone);
    height -= 16;
    draw_text(press, above, &word_style, press->left + 60, press->y + 8);
    use_grey(press, 0.15);
    if (note[0])
        draw_text(press, below, &note_style, press->left + 60, press->y + 8 + text_height(above, &word_style));
    use_grey(press, 0);
    press->y += height + 16 + 6;
    return AN_OK;
}

/* ---- {"facts": [["key", "value"], …], "picture"?: PNG in base64, "caption"?} ---- */
static const struct style fact_key_style = {.size = 11, .pitch = 1.15};
static const struct style fact_style = {.size = 11.5, .pitch = 1.15};

static an_code
draw_fact(struct press *press, struct an_arena *arena, const json_t *row, double width, struct an_err *reterr)
{
    double key_width = fmin(96, width / 3);
    const char *key = "", *value = "";

    AN_TRY(input_item(arena, row, 0, "facts", &key, reterr));
    AN_TRY(input_item(arena, row, 1, "facts", &value, reterr));
    AN_CLEANUP(free_text) PangoLayout *left = build_text(press, key, &fact_key_style, key_width - GAP, 0);
    AN_CLEANUP(free_text) PangoLayout *right = build_text(press, value, &fact_style, width - key_width, 0);
    double height = fmax(text_height(left, &fact_key_style), text_height(right, &fact_style)) + 2 * GAP - 2;

    AN_TRY(make_room(press, height, reterr));
    use_grey(press, 0.40);
    draw_text(press, left, &fact_key_style, press->left, press->y + GAP);
    use_grey(press, 0);
    draw_text(press, right, &fact_style, press->left + key_width, press->y + GAP - 0.5);
    press->y += height;
    use_grey(press, 0.85);
    draw_rule(press, press->left, press->y, width, 0.5);
    use_grey(press, 0);
    return AN_OK;
}

an_code
flow_facts(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr)
{
    const struct style caption_style = {.size = 10, .is_italic = true, .align = PANGO_ALIGN_CENTER};
    bool has_picture = json_object_get(block, "picture") != NULL;
    double side = has_picture ? 40 * MM : 0, width = press_width(press) - (has_picture ? side + 14 : 0), foot;
    unsigned page;
    const char *caption;
    json_t *rows = NULL;

    AN_TRY(input_list(block, "facts", &rows, reterr));
    AN_TRY(input_text(arena, block, "caption", false, &caption, reterr));
    press->y += 4;
    AN_TRY(make_room(press, has_picture ? side * 1.5 + 16 : 40, reterr));
    page = press->pages;
    foot = press->y;
    if (has_picture) {
        double x = press->left + press_width(press) - side;
        AN_TRY(draw_picture_beside(press, block, x, side, side * 1.5, &foot, reterr));
        use_grey(press, 0.35);
        foot += 2 + draw_words(press, caption, &caption_style, x, foot + 2, side);
        use_grey(press, 0);
    }
    for (size_t i = 0; i < json_array_size(rows); i++)
        AN_TRY(draw_fact(press, arena, json_array_get(rows, i), width, reterr));
    if (press->pages == page)
        press->y = fmax(press->y, foot);
    press->y += 4;
    return AN_OK;
}

/* ---- {"signer": "Nguyễn Văn A", "tone", "verdict", "about"?} ---- */
an_code
flow_signer(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr)
{
    static const struct style name_style = {.size = 13, .is_bold = true};
    static const struct style verdict_style = {
        .size = 12, .is_bold = true, .is_upper = true, .align = PANGO_ALIGN_RIGHT};
    static const struct style about_style = {.size = 10.5, .pitch = 1.12};
    const struct tone *tone;
    const char *name, *verdict, *about;
    double whole = press_width(press), height;

    AN_TRY(read_tone(arena, block, &tone, reterr));
    AN_TRY(input_text(arena, block, "signer", true, &name, reterr));
    AN_TRY(input_text(arena, block, "verdict", true, &verdict, reterr));
    AN_TRY(input_text(arena, block, "about", false, &about, reterr));
    AN_CLEANUP(free_text) PangoLayout *left = build_text(press, name, &name_style, whole * 0.64, 0);
    AN_CLEANUP(free_text) PangoLayout *right = build_text(press, verdict, &verdict_style, whole * 0.35, 0);
    AN_CLEANUP(free_text) PangoLayout *below = build_text(press, about, &about_style, whole, 0);
    height = fmax(text_height(left, &name_style), text_height(right, &verdict_style));
    press->y += press->y > press->top ? 7 : 0;
    AN_TRY(make_room(press, height + text_height(below, &about_style) + 60, reterr)); /* never alone at the foot */
    use_tone(press, tone);
    draw_rule(press, press->left, press->y, whole, 1.5);
    draw_text(press, right, &verdict_style, press->left + whole * 0.65, press->y + 4);
    use_grey(press, 0);
    draw_text(press, left, &name_style, press->left, press->y + 3.5);
    press->y += height + 4;
    use_grey(press, 0.25);
    if (about[0])
        press->y += draw_text(press, below, &about_style, press->left, press->y);
    use_grey(press, 0);
    press->y += 4;
    return AN_OK;
}

/* ---- {"checks": [{"tone", "name", "text", "cite"?}, …]} ---- */
static an_code
draw_check(struct press *press, struct an_arena *arena, const json_t *row, struct an_err *reterr)
{
    static const struct style name_style = {.size = 10.5, .is_bold = true, .pitch = 1.12};
    static const struct style text_style = {.size = 10.5, .pitch = 1.12};
    static const struct style cite_style = {.size = 9.5, .is_italic = true, .pitch = 1.12};
    double whole = press_width(press) - 20, widths[3] = {whole * 0.19, whole * 0.48, whole * 0.33}, height;
    const struct tone *tone;
    const char *name, *text, *cite;

    AN_TRY(read_tone(arena, row, &tone, reterr));
    AN_TRY(input_text(arena, row, "name", true, &name, reterr));
    AN_TRY(input_text(arena, row, "text", true, &text, reterr));
    AN_TRY(input_text(arena, row, "cite", false, &cite, reterr));
    AN_CLEANUP(free_text) PangoLayout *first = build_text(press, name, &name_style, widths[0] - 2 * GAP, 0);
    AN_CLEANUP(free_text) PangoLayout *second = build_text(press, text, &text_style, widths[1] - 2 * GAP, 0);
    AN_CLEANUP(free_text) PangoLayout *third = build_text(press, cite, &cite_style, widths[2] - GAP, 0);
    height = fmax(text_height(first, &name_style),
                  fmax(text_height(second, &text_style), cite[0] ? text_height(third, &cite_style) : 0));
    height += 4;
    AN_TRY(make_room(press, height, reterr));
    draw_mark(press, tone, press->left + MARK_RADIUS + 2, press->y + 9, MARK_RADIUS);
    use_grey(press, 0);
    draw_text(press, first, &name_style, press->left + 20, press->y + 2.5);
    draw_text(press, second, &text_style, press->left + 20 + widths[0], press->y + 2.5);
    use_grey(press, 0.35);
    draw_text(press, third, &cite_style, press->left + 20 + widths[0] + widths[1], press->y + 3);
    press->y += height;
    use_grey(press, 0.85);
    draw_rule(press, press->left, press->y, press_width(press), 0.5);
    use_grey(press, 0);
    return AN_OK;
}

an_code
flow_checks(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr)
{
    json_t *rows = NULL;

    AN_TRY(input_list(block, "checks", &rows, reterr));
    for (size_t i = 0; i < json_array_size(rows); i++)
        AN_TRY(draw_check(press, arena, json_array_get(rows, i), reterr));
    press->y += 2;
    return AN_OK;
}

/* ---- {"small": "…"} ---- */
an_code
flow_small(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr)
{
    static const struct style small_style = {.size = 9.5, .space_before = 1.5, .pitch = 1.12};
    const char *text;
    an_code code;

    AN_TRY(input_text(arena, block, "small", true, &text, reterr));
    use_grey(press, 0.25);
    code = flow_text(press, text, &small_style, 0, reterr);
    use_grey(press, 0);
    return code;
}

/* ---- {"break": true} ---- */
an_code
flow_break(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr)
{
    (void)arena, (void)block;
    return press->y > press->top ? press_break_page(press, reterr) : AN_OK;
}
