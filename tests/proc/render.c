/* antin-render: where texts stand, what is empty, and what wild files do. Places are computed by hand from the page. */
#include "base/file.h"
#include "base/limits.h"
#include "proc/render.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static struct an_renderer *renderer;

static int
file_of(an_bytes content)
{
    int fd = memfd_create("test.pdf", MFD_CLOEXEC);

    assert_int_equal(write(fd, content.ptr, content.len), content.len);
    return fd;
}

/* A page of 200 x 300 showing 160 x 250 of it, with the text "Hello" in 12 points at (50, 100) of the media box. */
static int
make_page(int rotate, const char *content)
{
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(100000);
    size_t offsets[6];

    an_buf_str(&pdf, "%PDF-1.4\n");
    offsets[1] = pdf.len;
    an_buf_str(&pdf, "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n");
    offsets[2] = pdf.len;
    an_buf_str(&pdf, "2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n");
    offsets[3] = pdf.len;
    an_buf_printf(&pdf, "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]/CropBox[20 30 180 280]/Rotate %d"
                  "/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>\nendobj\n", rotate);
    offsets[4] = pdf.len;
    an_buf_printf(&pdf, "4 0 obj\n<</Length %zu>>\nstream\n%s\nendstream\nendobj\n", strlen(content) + 1, content);
    offsets[5] = pdf.len;
    an_buf_str(&pdf, "5 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>\nendobj\n");
    offsets[0] = pdf.len;
    an_buf_str(&pdf, "xref\n0 6\n0000000000 65535 f \n");
    for (size_t i = 1; i < 6; i++)
        an_buf_printf(&pdf, "%010zu 00000 n \n", offsets[i]);
    an_buf_printf(&pdf, "trailer\n<</Root 1 0 R/Size 6>>\nstartxref\n%zu\n%%%%EOF\n", offsets[0]);
    return file_of(an_buf_view(&pdf));
}

/* The baseline begins at (30, 70) of the crop box; Helvetica's "Hello" is 27.3 points long at 12. */
static void
places_follow_rotation_and_crop(void **state)
{
    static const struct { int rotate; struct an_box want; } table[] = {
        {0, {30, 70, 57.3, 79}},
        {90, {70, 160 - 57.3, 79, 160 - 30}},
        {180, {160 - 57.3, 250 - 79, 160 - 30, 250 - 70}},
        {270, {250 - 79, 30, 250 - 70, 57.3}},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_text_hits_free) struct an_text_hits hits = {0};
        int fd = make_page(table[i].rotate, "BT /F 12 Tf 50 100 Td (Hello) Tj ET");
        const struct an_box *want = &table[i].want;
        double share = -1;
        assert_int_equal(an_renderer_find_text(renderer, fd, "hélLÒ", NULL, &hits, NULL), AN_OK);
        assert_int_equal(hits.count, 1);
        struct an_box got = hits.items[0].box;
        if (fabs(got.x0 - want->x0) > 4 || fabs(got.y0 - want->y0) > 4 || fabs(got.x1 - want->x1) > 4 ||
            fabs(got.y1 - want->y1) > 4)
            fail_msg("rotate %d: %.1f %.1f %.1f %.1f", table[i].rotate, got.x0, got.y0, got.x1, got.y1);
        /* The picture agrees: ink where the text is, none beside it. */
        assert_int_equal(an_renderer_ink(renderer, fd, 0, &got, NULL, &share, NULL), AN_OK);
        assert_true(share > 0.05 && share < 0.9);
        struct an_box beside = {got.x0, got.y1 + 2, got.x1, got.y1 + 12};
        assert_int_equal(an_renderer_ink(renderer, fd, -1, &beside, NULL, &share, NULL), AN_OK);
        assert_true(share < 1e-9);
        close(fd);
    }
}

static void
ink_outside_the_page_counts(void **state)
{
    int fd = make_page(0, "1 0 0 rg 20 30 80 250 re f"); /* the left half is red */
    static const struct { struct an_box box; double want; } table[] = {
        {{0, 0, 160, 250}, 0.5}, {{10, 10, 70, 20}, 1}, {{90, 10, 150, 20}, 0}, {{120, 100, 200, 200}, 0.5},
        {{500, 500, 600, 600}, 1},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        double share = -1;
        assert_int_equal(an_renderer_ink(renderer, fd, 0, &table[i].box, NULL, &share, NULL), AN_OK);
        if (fabs(share - table[i].want) > 0.02)
            fail_msg("row %zu: %f", i, share);
    }
    struct an_box empty = {10, 10, 10, 20};
    double share;
    assert_int_equal(an_renderer_ink(renderer, fd, 0, &empty, NULL, &share, NULL), AN_E_PROC_REQUEST);
    close(fd);
}

static void
columns_stay_apart(void **state)
{
    AN_CLEANUP(an_text_lines_free) struct an_text_lines lines = {0};
    int fd = make_page(0, "BT /F 10 Tf 1 0 0 1 25 200 Tm (Noi nhan:) Tj 1 0 0 1 110 200 Tm (CHU TICH) Tj "
                          "1 0 0 1 25 188 Tm (- Nhu tren;) Tj 1 0 0 1 110 140 Tm (Nguyen Van A) Tj ET");
    static const char *const want[] = {"Noi nhan:", "CHU TICH", "- Nhu tren;", "Nguyen Van A"};

    (void)state;
    assert_int_equal(an_renderer_lines(renderer, fd, -1, NULL, &lines, NULL), AN_OK);
    assert_int_equal(lines.pages, 1);
    assert_true(fabs(lines.width - 160) < 0.01 && fabs(lines.height - 250) < 0.01);
    assert_int_equal(lines.count, AN_COUNT(want));
    for (size_t i = 0; i < AN_COUNT(want); i++)
        assert_string_equal(lines.items[i].text, want[i]);
    assert_true(fabs(lines.items[3].box.x0 - 90) < 2 && fabs(lines.items[3].box.y0 - 110) < 4);
    close(fd);
}

static void
pages_become_pictures(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf png = an_buf_new(1000000);
    int fd = make_page(90, "0 0 1 rg 20 30 40 40 re f");
    struct an_err err = {0};

    (void)state;
    assert_int_equal(an_renderer_page_png(renderer, fd, 0, 144, NULL, &png, NULL), AN_OK);
    assert_memory_equal(png.ptr, "\x89PNG\r\n\x1a\n", 8);
    assert_memory_equal(png.ptr + 16, "\0\0\x01\xf4\0\0\x01\x40", 8); /* 500 x 320 */
    assert_int_equal(an_renderer_page_png(renderer, fd, 0, 6000, NULL, &png, &err), AN_E_PROC_REQUEST);
    assert_int_equal(an_renderer_page_png(renderer, fd, 1, 72, NULL, &png, &err), AN_E_RENDER_PAGE_NUMBER);
    assert_string_equal(err.detail, "page 2 of 1");
    close(fd);
}

static void
wild_files_are_errors(void **state)
{
    static const char *const table[] = {
        "%PDF-1.7\n",
        "x",
        "%PDF-1.4\ntrailer<</Root 1 0 R>>\n%%EOF",
        /* a page tree that is its own child */
        ("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]/Count 9>>endobj\n"
         "trailer<</Root 1 0 R>>\n%%EOF"),
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_text_lines_free) struct an_text_lines lines = {0};
        int fd = file_of(an_bytes_of_str(table[i]));
        assert_int_equal(an_renderer_lines(renderer, fd, 0, NULL, &lines, NULL), AN_E_RENDER_PDF);
        close(fd);
    }
}

static void
changed_files_are_read_again(void **state)
{
    int fd = make_page(0, "BT /F 12 Tf 50 100 Td (Hello) Tj ET"),
        other = make_page(0, "BT /F 12 Tf 50 100 Td (Other) Tj ET");
    AN_CLEANUP(an_text_hits_free) struct an_text_hits hits = {0};
    uint8_t bytes[2000];
    ssize_t len;

    (void)state;
    assert_int_equal(an_renderer_find_text(renderer, fd, "hello", NULL, &hits, NULL), AN_OK);
    assert_int_equal(hits.count, 1);
    an_text_hits_free(&hits);
    len = pread(other, bytes, sizeof(bytes), 0);
    usleep(20000); /* two clock ticks, so that the file's time differs */
    assert_int_equal(pwrite(fd, bytes, (size_t)len, 0), len);
    assert_int_equal(an_renderer_find_text(renderer, fd, "hello", NULL, &hits, NULL), AN_OK);
    assert_int_equal(hits.count, 0);
    close(fd);
    close(other);
}

static void *
ask_often(void *context)
{
    int fd = make_page(0, "BT /F 12 Tf 50 100 Td (Hello) Tj ET");

    for (int i = 0; i < 20; i++) {
        AN_CLEANUP(an_text_hits_free) struct an_text_hits hits = {0};
        if (an_renderer_find_text(renderer, fd, "Hello", NULL, &hits, NULL) != AN_OK || hits.count != 1)
            *(int *)context += 1;
    }
    close(fd);
    return NULL;
}

static void
threads_share_one_renderer(void **state)
{
    pthread_t threads[4];
    int failures[4] = {0};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &failures[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failures[i], 0);
    }
}

/* Given files: what poppler makes of them is not ours to judge, but each must be answered, and the helper must live. */
static void
given_files_are_answered(void **state)
{
    static const char *const names[] = {"qpdf", "pdfjs", "pdfbox"};
    const char *vectors = getenv("ANTIN_VECTORS");
    AN_CLEANUP(an_free_ptr) char *command = NULL;
    char path[4096];
    unsigned asked = 0, crashed = 0;
    FILE *list;

    (void)state;
    if (vectors == NULL || access(vectors, R_OK) != 0) {
        print_message("without the given vectors\n");
        skip();
    }
    command = an_asprintf("find '%s/%s' '%s/%s' '%s/%s' -name '*.pdf' -size -400k | sort | awk 'NR %% 9 == 0'", vectors,
                          names[0], vectors, names[1], vectors, names[2]);
    list = popen(command, "r");
    while (list != NULL && asked < 60 && fgets(path, sizeof(path), list) != NULL) {
        AN_CLEANUP(an_text_lines_free) struct an_text_lines lines = {0};
        struct an_err err = {0};
        path[strcspn(path, "\n")] = '\0';
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        an_code code = an_renderer_lines(renderer, fd, -1, NULL, &lines, &err);
        asked++;
        if (code == AN_E_PROC_CRASHED || code == AN_E_PROC_TIMEOUT) {
            print_message("%s: %s\n", path, err.detail);
            crashed++;
        }
        close(fd);
    }
    if (list != NULL)
        pclose(list);
    print_message("%u files asked about\n", asked);
    assert_int_equal(crashed, 0);
}

static int
start_renderer(void **state)
{
    struct an_err err = {0};

    (void)state;
    an_child_look_in(getenv("ANTIN_HELPERS"));
    if (an_renderer_start(10000, &renderer, &err) == AN_OK)
        return 0;
    print_message("antin-render: %s\n", err.detail);
    return -1;
}

static int
stop_renderer(void **state)
{
    (void)state;
    an_renderer_stop(&renderer);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_follow_rotation_and_crop),
        cmocka_unit_test(ink_outside_the_page_counts),
        cmocka_unit_test(columns_stay_apart),
        cmocka_unit_test(pages_become_pictures),
        cmocka_unit_test(wild_files_are_errors),
        cmocka_unit_test(changed_files_are_read_again),
        cmocka_unit_test(threads_share_one_renderer),
        cmocka_unit_test(given_files_are_answered),
    };

    return cmocka_run_group_tests_name("render", tests, start_renderer, stop_renderer);
}
