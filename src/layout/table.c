/* Tables with rules: {"table": [["key", "value"], …]} or {"columns": ["…"], "widths": [1, 2]?, "size"?, "rows": [["…"],
 * …]}; the head stands again on each page. */
#include "layout/internal.h"

#include <math.h>

#define COLUMNS_MAX 12u
#define PADDING 4.0
#define WORD_WIDTH_MAX 80.0 /* for a word a column grows to this, or to 1.4 times its share, whichever is more */
#define WORD_SHARE_MAX 1.4

struct table {
    size_t columns;
    double widths[COLUMNS_MAX];
    const json_t *head, *rows; /* head may be NULL */
    bool first_bold;
    struct style cell, head_cell, key_cell;
};

static an_code
read_widths(const json_t *block, struct table *table, double whole, struct an_err *reterr)
{
    const json_t *widths = json_object_get(block, "widths");
    double sum = 0;

    for (size_t i = 0; i < table->columns; i++) {
        double share = widths ? json_number_value(json_array_get(widths, i)) : table->first_bold ? (i == 0 ? 1 : 2) : 1;
        if (!(share > 0 && share < 1000))
            AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "widths: column %zu", i + 1);
        table->widths[i] = share;
        sum += share;
    }
    for (size_t i = 0; i < table->columns; i++)
        table->widths[i] *= whole / sum;
    return AN_OK;
}

static an_code
read_size(const json_t *block, struct table *table, struct an_err *reterr)
{
    const json_t *value = json_object_get(block, "size");
    double size = value ? json_number_value(value) : 12;

    if (!(size >= 7 && size <= 16))
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "size: 7 to 16");
    table->cell = (struct style){.size = size, .pitch = 1.15};
    table->key_cell = (struct style){.size = size, .is_bold = true, .pitch = 1.15};
    table->head_cell = (struct style){.size = size, .is_bold = true, .align = PANGO_ALIGN_CENTER, .pitch = 1.15};
    return AN_OK;
}

static an_code
read_table(const struct press *press, const json_t *block, struct table *table, struct an_err *reterr)
{
    json_t *rows = NULL, *head = NULL;

    AN_TRY(input_list(block, "table", &rows, reterr));
    table->first_bold = rows != NULL;
    if (rows == NULL) {
        AN_TRY(input_list(block, "rows", &rows, reterr));
        AN_TRY(input_list(block, "columns", &head, reterr));
    }
    table->rows = rows;
    table->head = head;
    table->columns = json_array_size(head ? head : json_array_get(rows, 0));
    if (table->columns < 1 || table->columns > COLUMNS_MAX)
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "table: 1 to %u columns", COLUMNS_MAX);
    AN_TRY(read_size(block, table, reterr));
    return read_widths(block, table, press_width(press), reterr);
}

static const struct style *
style_of(const struct table *table, bool is_head, size_t column)
{
    return is_head ? &table->head_cell : table->first_bold && column == 0 ? &table->key_cell : &table->cell;
}

/* What a column needs so that no word in it breaks: up to a bound, since the number of a certificate may take two lines
 * sooner than the names beside it six. */
static an_code
measure_columns(struct press *press, struct an_arena *arena, const struct table *table,
                double needed[static COLUMNS_MAX], struct an_err *reterr)
{
    for (size_t row = 0; row <= json_array_size(table->rows); row++) {
        const json_t *cells = row == 0 ? table->head : json_array_get(table->rows, row - 1);
        for (size_t i = 0; i < table->columns && i < json_array_size(cells); i++) {
            const char *text = "";
            AN_TRY(input_item(arena, cells, i, "table", &text, reterr));
            double word = longest_word(press, text, style_of(table, row == 0, i)) + 2 * PADDING + 0.5;
            needed[i] = fmax(needed[i], fmin(word, fmax(WORD_WIDTH_MAX, WORD_SHARE_MAX * table->widths[i])));
        }
    }
    return AN_OK;
}

static double
sum_up_to(const double *needed, size_t count, double most)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += fmin(needed[i], most);
    return sum;
}

/* Columns too narrow for their longest word take from those that have room. When all words together are wider than the
 * page, the longest ones break. */
static void
fit_widths(struct table *table, const double needed[static COLUMNS_MAX], double whole)
{
    double low = 0, high = whole, spare = 0, wanting = 0;

    for (int i = 0; i < 40; i++) {
        double middle = (low + high) / 2;
        if (sum_up_to(needed, table->columns, middle) <= whole)
            low = middle;
        else
            high = middle;
    }
    for (size_t i = 0; i < table->columns; i++) {
        double least = fmin(needed[i], low);
        spare += fmax(0, table->widths[i] - least);
        wanting += fmax(0, least - table->widths[i]);
    }
    for (size_t i = 0; i < table->columns; i++) {
        double least = fmin(needed[i], low), room = table->widths[i] - least;
        table->widths[i] = room <= 0 ? least : table->widths[i] - (spare > 0 ? room * fmin(1, wanting / spare) : 0);
    }
}

static void
draw_row_rules(struct press *press, const struct table *table, double height)
{
    double x = press->left;

    cairo_set_line_width(press->cr, 0.5);
    for (size_t i = 0; i < table->columns; i++) {
        cairo_rectangle(press->cr, x, press->y, table->widths[i], height);
        x += table->widths[i];
    }
    cairo_stroke(press->cr);
}

/* A row that does not fit goes to the next page, below the head of the table once more. */
static an_code
make_room(struct press *press, struct an_arena *arena, const struct table *table, double height, bool is_head,
          struct an_err *reterr);

static an_code
flow_row(struct press *press, struct an_arena *arena, const struct table *table, const json_t *row, bool is_head,
         struct an_err *reterr)
{
    PangoLayout *cells[COLUMNS_MAX] = {NULL};
    double height = 0, x = press->left;
    an_code code = AN_OK;

    if (json_array_size(row) != table->columns)
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "table: a row of %zu cells, not %zu", json_array_size(row), table->columns);
    for (size_t i = 0; i < table->columns && code == AN_OK; i++) {
        const char *text = "";
        code = input_item(arena, row, i, "table", &text, reterr);
        cells[i] = build_text(press, text, style_of(table, is_head, i), table->widths[i] - 2 * PADDING, 0);
        height = fmax(height, text_height(cells[i], style_of(table, is_head, i)) + 2 * PADDING);
    }
    if (code == AN_OK)
        code = make_room(press, arena, table, height, is_head, reterr);
    if (code == AN_OK)
        draw_row_rules(press, table, height);
    for (size_t i = 0; i < table->columns; i++) {
        if (code == AN_OK)
            draw_text(press, cells[i], style_of(table, is_head, i), x + PADDING, press->y + PADDING);
        x += table->widths[i];
        free_text(&cells[i]);
    }
    press->y += code == AN_OK ? height : 0;
    return code;
}

static an_code
make_room(struct press *press, struct an_arena *arena, const struct table *table, double height, bool is_head,
          struct an_err *reterr)
{
    if (height <= press_rest(press))
        return AN_OK;
    if (press->y > press->top)
        AN_TRY(press_break_page(press, reterr));
    if (!is_head && table->head != NULL && height <= press_rest(press))
        AN_TRY(flow_row(press, arena, table, table->head, true, reterr));
    if (height > press_rest(press))
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "table: a row higher than a page");
    return AN_OK;
}

an_code
flow_table(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr)
{
    struct table table = {0};
    double needed[COLUMNS_MAX] = {0};

    AN_TRY(read_table(press, block, &table, reterr));
    AN_TRY(measure_columns(press, arena, &table, needed, reterr));
    fit_widths(&table, needed, press_width(press));
    press->y += 6;
    if (table.head != NULL)
        AN_TRY(flow_row(press, arena, &table, table.head, true, reterr));
    for (size_t i = 0; i < json_array_size(table.rows); i++)
        AN_TRY(flow_row(press, arena, &table, json_array_get(table.rows, i), false, reterr));
    press->y += 6;
    return AN_OK;
}
