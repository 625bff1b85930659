/* The one home of libxlsxwriter. */
#include "registry/sheet.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "registry/csv.h"

#include <xlsxwriter.h>

struct an_sheet {
    struct an_output out;
    struct an_buf text; /* of one row */
    lxw_workbook *book; /* NULL = CSV */
    lxw_worksheet *page;
    lxw_format *as_text;
    size_t rows;
};

static bool
is_workbook(const char *path)
{
    size_t len = strlen(path);

    return len > 5 && strcasecmp(path + len - 5, ".xlsx") == 0;
}

/* The library writes into the temporary file by its name; syncing and renaming it stay ours. */
static an_code
open_workbook(struct an_sheet *sheet, const char *name, struct an_err *reterr)
{
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};

    sheet->book = workbook_new_opt(sheet->out.temporary, &options);
    sheet->page = sheet->book ? workbook_add_worksheet(sheet->book, name) : NULL;
    if (sheet->page == NULL)
        AN_FAIL(reterr, AN_E_FILE_WRITE, "%s", sheet->out.path);
    sheet->as_text = workbook_add_format(sheet->book);
    format_set_num_format(sheet->as_text, "@"); /* edited by hand, it stays text */
    worksheet_freeze_panes(sheet->page, 1, 0);
    return AN_OK;
}

an_code
an_sheet_new(const char *path, const char *name, struct an_sheet **ret, struct an_err *reterr)
{
    struct an_sheet *sheet = AN_NEW(struct an_sheet);
    an_code code;

    sheet->text = an_buf_new(AN_LIMIT_CSV_ROW * 2);
    sheet->out = AN_OUTPUT_NONE;
    code = an_output_open(path, &sheet->out, reterr);
    if (code == AN_OK && is_workbook(path))
        code = open_workbook(sheet, name, reterr);
    else if (code == AN_OK)
        code = an_output_write(&sheet->out, AN_LIT("\xEF\xBB\xBF"), reterr);
    if (code != AN_OK)
        an_sheet_free(&sheet);
    *ret = sheet;
    return code;
}

static an_code
write_cells(struct an_sheet *sheet, const char *const *cells, size_t count, struct an_err *reterr)
{
    if (sheet->rows >= LXW_ROW_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "%d", LXW_ROW_MAX);
    for (size_t i = 0; i < count; i++)
        if (cells[i][0] != '\0' && worksheet_write_string(sheet->page, (lxw_row_t)sheet->rows, (lxw_col_t)i, cells[i],
                                                          sheet->as_text) != LXW_NO_ERROR)
            AN_FAIL(reterr, AN_E_LIMIT, "%zu:%zu", sheet->rows + 1, i + 1);
    return AN_OK;
}

an_code
an_sheet_row(struct an_sheet *sheet, const char *const *cells, size_t count, struct an_err *reterr)
{
    if (sheet->book != NULL)
        AN_TRY(write_cells(sheet, cells, count, reterr));
    sheet->rows++;
    if (sheet->book != NULL)
        return AN_OK;
    an_buf_reset(&sheet->text);
    for (size_t i = 0; i < count; i++)
        an_csv_write(&sheet->text, cells[i], i + 1 == count);
    if (!an_buf_ok(&sheet->text))
        AN_FAIL(reterr, AN_E_LIMIT, "%zu byte", sheet->text.max);
    return an_output_write(&sheet->out, an_buf_view(&sheet->text), reterr);
}

an_code
an_sheet_commit(struct an_sheet *sheet, struct an_err *reterr)
{
    lxw_workbook *book = sheet->book;
    lxw_error failed;

    sheet->book = NULL;
    failed = book ? workbook_close(book) : LXW_NO_ERROR;
    if (failed != LXW_NO_ERROR)
        AN_FAIL(reterr, AN_E_FILE_WRITE, "%s: %s", sheet->out.path, lxw_strerror(failed));
    return an_output_commit(&sheet->out, reterr);
}

void
an_sheet_free(struct an_sheet **place)
{
    struct an_sheet *sheet = *place;

    if (sheet == NULL)
        return;
    if (sheet->book != NULL)
        (void)workbook_close(sheet->book); /* gives its memory back; the file is discarded below */
    an_output_discard(&sheet->out);
    an_buf_free(&sheet->text);
    free(sheet);
    *place = NULL;
}
