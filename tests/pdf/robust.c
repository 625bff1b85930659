/*
 * Opens odd files and compares with what other readers say of them: a manifest of one JSON object a line, where only
 * "file", "verdict" and "pages" are of interest. Reads ANTIN_VECTORS/robust.jsonl; skips when it is not there.
 */
#include "base/file.h"
#include "base/time.h"
#include "pdf/pdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rows.h"

struct tally {
    size_t total, right, wrong, free_choice;
};

static bool
pages_match(const struct row *row, size_t pages)
{
    for (size_t i = 0; i < row->page_count; i++)
        if (row->pages[i] == (long)pages)
            return true;
    return row->page_count == 0;
}

static void
check_row(const char *folder, const struct row *row, struct tally *tally)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
    struct an_err err = {0};
    const struct an_pdf_open options = {.allow_rebuild = true};
    char path[1024];
    size_t pages = 0;
    an_code code;

    snprintf(path, sizeof path, "%s/%s", folder, row->file);
    tally->total++;
    code = an_file_open(path, 0, &file, &err);
    if (code == AN_OK)
        code = an_pdf_open(file.bytes, &options, &pdf, &err);
    if (code == AN_OK)
        code = an_pdf_page_count(pdf, AN_PDF_NOW, &pages, &err);
    if (code == AN_OK && pages) {
        struct an_pdf_page page;

        code = an_pdf_page(pdf, AN_PDF_NOW, pages - 1, &page, &err);
    }
    if (strcmp(row->verdict, "openable") != 0) {
        tally->free_choice++;
        if (getenv("AN_SHOW"))
            printf("%s %s: code %d %s pages %zu\n", row->verdict, row->file, (int)code, err.detail, pages);
        return;
    }
    if (code == AN_OK && pages_match(row, pages)) {
        tally->right++;
        return;
    }
    tally->wrong++;
    printf("%s: expected %ld page(s), found %zu, code %d %s\n", row->file, row->page_count ? row->pages[0] : -1L, pages,
           (int)code, err.detail);
}

static void
test_robust(void **state)
{
    AN_CLEANUP(rows_done) struct rows rows = {0};
    struct tally tally = {0};
    const char *folder = getenv("ANTIN_VECTORS");

    (void)state;
    if (!rows_load(&rows, folder, "robust.jsonl")) {
        printf("the given files are not here: skipped\n");
        skip();
    }
    for (size_t i = 0; i < rows.count; i++)
        check_row(folder, &rows.items[i], &tally);
    printf("openable: %zu right, %zu wrong of %zu (%zu more where readers differ)\n", tally.right, tally.wrong,
           tally.right + tally.wrong, tally.free_choice);
    assert_true(tally.right * 100 >= (tally.right + tally.wrong) * 99);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_robust)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
