/* Head and foot of an administrative document: two columns each (NĐ 30/2020/NĐ-CP, Phụ lục I, ô số 1 đến 9b). */
#include "layout/internal.h"

#include <math.h>

#define LEFT_SHARE 0.42 /* of the text's width */
#define SIGNATURE_SPACE (30 * MM)
#define FOOT_GAP 12.0

static const struct style parent_style = {.size = 12, .is_upper = true, .align = PANGO_ALIGN_CENTER, .pitch = 1.15};
static const struct style agency_style = {
    .size = 12, .is_bold = true, .is_upper = true, .align = PANGO_ALIGN_CENTER, .pitch = 1.15};
static const struct style nation_style = {.size = 12, .is_bold = true, .align = PANGO_ALIGN_CENTER, .pitch = 1.15};
static const struct style motto_style = {.size = 13, .is_bold = true, .align = PANGO_ALIGN_CENTER, .pitch = 1.15};
static const struct style number_style = {.size = 13, .align = PANGO_ALIGN_CENTER};
static const struct style date_style = {.size = 13, .is_italic = true, .align = PANGO_ALIGN_CENTER};
static const struct style letter_subject_style = {.size = 12, .align = PANGO_ALIGN_CENTER, .pitch = 1.15};
static const struct style urgency_style = {.size = 13, .is_bold = true, .is_upper = true, .align = PANGO_ALIGN_CENTER};
static const struct style post_style = {.size = 14, .is_bold = true, .is_upper = true, .align = PANGO_ALIGN_CENTER};
static const struct style name_style = {.size = 14, .is_bold = true, .align = PANGO_ALIGN_CENTER};
static const struct style recipients_style = {.size = 12, .is_bold = true, .is_italic = true};
static const struct style recipient_style = {.size = 11, .pitch = 1.15};

struct column { double x, width, y; };

static double
put(struct press *press, struct column *column, const char *words, const struct style *style)
{
    AN_CLEANUP(free_text) PangoLayout *text = build_text(press, words, style, column->width, 0);
    double width = text_width(text);

    column->y += draw_text(press, text, style, column->x, column->y);
    return width;
}

static void
put_rule(struct press *press, struct column *column, double width)
{
    draw_rule(press, column->x + (column->width - width) / 2, column->y + 2, width, 0.75);
    column->y += 6;
}

/* Độ khẩn: HỎA TỐC 30 x 8 mm, THƯỢNG KHẨN 40 x 8, KHẨN 20 x 8, in red, under the number. */
static void
put_urgency(struct press *press, struct column *column, const char *words)
{
    AN_CLEANUP(free_text) PangoLayout *text = build_text(press, words, &urgency_style, column->width, 0);
    glong letters = g_utf8_strlen(words, -1);
    double width = (letters > 7 ? 40 : letters > 4 ? 30 : 20) * MM, x = column->x + (column->width - width) / 2;

    column->y += 8;
    cairo_save(press->cr);
    cairo_set_source_rgb(press->cr, 0.8, 0, 0);
    cairo_set_line_width(press->cr, 1);
    cairo_rectangle(press->cr, x, column->y, width, 8 * MM);
    cairo_stroke(press->cr);
    draw_text(press, text, &urgency_style, column->x, column->y + (8 * MM - text_height(text, &urgency_style)) / 2);
    cairo_restore(press->cr);
    column->y += 8 * MM + 4;
}

static an_code
draw_left_head(struct press *press, struct an_arena *arena, const json_t *root, struct column *column,
               struct an_err *reterr)
{
    const char *parent, *agency;
    double width;

    AN_TRY(input_text(arena, root, "parent_agency", false, &parent, reterr));
    AN_TRY(input_text(arena, root, "agency", true, &agency, reterr));
    if (parent[0] != '\0')
        put(press, column, parent, &parent_style);
    width = put(press, column, agency, &agency_style);
    put_rule(press, column, fmin(width, column->width) * 0.4);
    return AN_OK;
}

static an_code
draw_number(struct press *press, struct an_arena *arena, const json_t *root, struct column *left, struct column *right,
            struct an_err *reterr)
{
    const char *number, *place_date, *type, *subject, *urgency;

    AN_TRY(input_text(arena, root, "number", false, &number, reterr));
    AN_TRY(input_text(arena, root, "place_date", true, &place_date, reterr));
    AN_TRY(input_text(arena, root, "type", false, &type, reterr));
    AN_TRY(input_text(arena, root, "subject", true, &subject, reterr));
    AN_TRY(input_text(arena, root, "urgency", false, &urgency, reterr));
    left->y = right->y = fmax(left->y, right->y) + 4;
    AN_CLEANUP(an_free_ptr) char *numbered = an_asprintf("Số: %s", number);
    put(press, left, numbered, &number_style);
    put(press, right, place_date, &date_style);
    if (type[0] == '\0') {
        AN_CLEANUP(an_free_ptr) char *about = an_asprintf("V/v %s", subject);
        put(press, left, about, &letter_subject_style);
    }
    if (urgency[0] != '\0')
        put_urgency(press, left, urgency);
    return AN_OK;
}

an_code
draw_head(struct press *press, struct an_arena *arena, const json_t *root, struct an_err *reterr)
{
    double width = press_width(press), split = width * LEFT_SHARE;
    struct column left = {.x = press->left, .width = split, .y = press->y};
    struct column right = {.x = press->left + split, .width = width - split, .y = press->y};
    double motto;

    AN_TRY(draw_left_head(press, arena, root, &left, reterr));
    put(press, &right, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", &nation_style);
    motto = put(press, &right, "Độc lập - Tự do - Hạnh phúc", &motto_style);
    put_rule(press, &right, motto);
    AN_TRY(draw_number(press, arena, root, &left, &right, reterr));
    press->y = fmax(left.y, right.y) + 4;
    return AN_OK;
}

static an_code
read_signer(struct an_arena *arena, const json_t *signature, struct foot *ret, struct an_err *reterr)
{
    json_t *lines = NULL;

    AN_TRY(input_list(signature, "lines", &lines, reterr));
    if (json_array_size(lines) < 1 || json_array_size(lines) > AN_COUNT(ret->lines))
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "signature.lines: 1 to %zu lines", AN_COUNT(ret->lines));
    for (size_t i = 0; i < json_array_size(lines); i++)
        AN_TRY(input_item(arena, lines, i, "signature.lines", &ret->lines[i], reterr));
    ret->line_count = json_array_size(lines);
    return input_text(arena, signature, "name", true, &ret->name, reterr);
}

static struct column
right_foot(const struct press *press)
{
    double width = press_width(press);

    return (struct column){.x = press->left + width * 0.48, .width = width * 0.52, .y = press->y + FOOT_GAP};
}

static struct column
left_foot(const struct press *press)
{
    return (struct column){.x = press->left, .width = press_width(press) * 0.46, .y = press->y + FOOT_GAP};
}

static double
height_of(struct press *press, const char *words, const struct style *style, double width)
{
    AN_CLEANUP(free_text) PangoLayout *text = build_text(press, words, style, width, 0);

    return text_height(text, style);
}

static double
foot_height(struct press *press, struct an_arena *arena, const struct foot *foot)
{
    struct column right = right_foot(press), left = left_foot(press);
    double signature = SIGNATURE_SPACE, recipients = recipients_style.size * 1.2;
    const char *text;

    for (size_t i = 0; i < foot->line_count; i++)
        signature += height_of(press, foot->lines[i], &post_style, right.width);
    signature += height_of(press, foot->name, &name_style, right.width);
    for (size_t i = 0; i < json_array_size(foot->recipients); i++)
        if (input_item(arena, foot->recipients, i, "recipients", &text, NULL) == AN_OK)
            recipients += height_of(press, text, &recipient_style, left.width);
    return FOOT_GAP + fmax(signature, recipients);
}

static an_code
draw_recipients(struct press *press, struct an_arena *arena, const struct foot *foot, struct column *left,
                struct an_err *reterr)
{
    const char *text;

    if (json_array_size(foot->recipients) == 0)
        return AN_OK;
    put(press, left, "Nơi nhận:", &recipients_style);
    for (size_t i = 0; i < json_array_size(foot->recipients); i++) {
        AN_TRY(input_item(arena, foot->recipients, i, "recipients", &text, reterr));
        AN_CLEANUP(an_free_ptr) char *line = an_asprintf("%s%s", text[0] == '-' ? "" : "- ", text);
        put(press, left, line, &recipient_style);
    }
    return AN_OK;
}

static an_code
draw_foot(struct press *press, struct an_arena *arena, const struct foot *foot, struct an_err *reterr)
{
    struct column left, right;

    if (foot_height(press, arena, foot) > press_rest(press))
        AN_TRY(press_break_page(press, reterr));
    left = left_foot(press);
    right = right_foot(press);
    AN_TRY(draw_recipients(press, arena, foot, &left, reterr));
    for (size_t i = 0; i < foot->line_count; i++)
        put(press, &right, foot->lines[i], &post_style);
    right.y += SIGNATURE_SPACE;
    put(press, &right, foot->name, &name_style);
    press->y = fmax(left.y, right.y);
    return AN_OK;
}

/* ---- several signatures: a record ---- */
an_code
read_signatures(struct an_arena *arena, const json_t *root, struct signatures *ret, struct an_err *reterr)
{
    const json_t *one = json_object_get(root, "signature");
    json_t *list = NULL, *recipients = NULL;

    AN_TRY(input_list(root, "recipients", &recipients, reterr));
    AN_TRY(input_list(root, "signatures", &list, reterr));
    ret->recipients = recipients;
    ret->count = one ? 1 : json_array_size(list);
    if (ret->count < 1 || ret->count > AN_COUNT(ret->blocks))
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "signatures: 1 to %zu", AN_COUNT(ret->blocks));
    for (size_t i = 0; i < ret->count; i++)
        AN_TRY(read_signer(arena, one ? one : json_array_get(list, i), &ret->blocks[i], reterr));
    ret->blocks[0].recipients = ret->count == 1 ? recipients : NULL; /* beside it, as a letter has them */
    return AN_OK;
}

static double
block_height(struct press *press, const struct foot *block, double width)
{
    double height = SIGNATURE_SPACE + height_of(press, block->name, &name_style, width);

    for (size_t i = 0; i < block->line_count; i++)
        height += height_of(press, block->lines[i], &post_style, width);
    return height;
}

static double
block_width(const struct press *press, const struct signatures *signatures)
{
    return press_width(press) / (double)signatures->count - FOOT_GAP;
}

static double
blocks_height(struct press *press, const struct signatures *signatures)
{
    double height = 0;

    for (size_t i = 0; i < signatures->count; i++)
        height = fmax(height, block_height(press, &signatures->blocks[i], block_width(press, signatures)));
    return FOOT_GAP + height;
}

double
signatures_height(struct press *press, struct an_arena *arena, const struct signatures *signatures)
{
    return signatures->count == 1 ? foot_height(press, arena, &signatures->blocks[0]) : blocks_height(press,
            signatures);
}

/* Names stand on one line, whatever the number of lines above them. */
static void
draw_block(struct press *press, const struct foot *block, struct column column, double height)
{
    double name = column.y + height - height_of(press, block->name, &name_style, column.width);

    for (size_t i = 0; i < block->line_count; i++)
        put(press, &column, block->lines[i], &post_style);
    column.y = name;
    put(press, &column, block->name, &name_style);
}

an_code
draw_signatures(struct press *press, struct an_arena *arena, const struct signatures *signatures, struct an_err *reterr)
{
    double height = blocks_height(press, signatures), width = block_width(press, signatures);
    struct foot tail = {.recipients = signatures->recipients};
    struct column left;

    if (signatures->count == 1)
        return draw_foot(press, arena, &signatures->blocks[0], reterr);
    if (height > press_rest(press))
        AN_TRY(press_break_page(press, reterr));
    for (size_t i = 0; i < signatures->count; i++)
        draw_block(press, &signatures->blocks[i],
                   (struct column){.x = press->left + (double)i * (width + FOOT_GAP) + FOOT_GAP / 2, .width = width,
                                   .y = press->y + FOOT_GAP},
                   height - FOOT_GAP);
    press->y += height;
    left = left_foot(press);
    AN_TRY(draw_recipients(press, arena, &tail, &left, reterr));
    press->y = left.y;
    return AN_OK;
}
