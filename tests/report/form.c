/* report/form.h: forms are files; what they lack is named; what they give is laid out and read back by pdftotext. */
#include "base/file.h"
#include "proc/layout.h"
#include "proc/proc.h"
#include "report/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/antin-form-XXXXXX";
static struct an_child *child;

static const struct an_form_value head[] = {
    {"parent_agency", "UBND tỉnh Đồng Tháp (MẪU)"}, {"agency", "Sở Khoa học và Công nghệ"}, {"number", "01/BB-SKHCN"},
    {"place_date", "Đồng Tháp, ngày 02 tháng 12 năm 2026"}, {"date_text", "ngày 02 tháng 12 năm 2026"}, {"place", "trụ sở Sở"},
    {"giver_name", "Trần Văn Bình"}, {"giver_post", "Trưởng phòng"}, {"giver_agency", "Sở Khoa học và Công nghệ"},
    {"taker_name", "Nguyễn Thị Ưởng"}, {"taker_post", "Văn thư"}, {"taker_agency", "Sở Tài chính"},
};
static const struct an_form_value row[] = {
    {"cert_name", "Nguyễn Thị Ưởng"}, {"cert_serial", "7AF2DF52182653D3"}, {"device_kind", "PKI Token"}, {"device_number", "0001-MAU"},
    {"condition", "Đang dùng"},
};
static const struct an_form_signature signatures[] = {
    {.key = "giver", .lines = {"TRƯỞNG PHÒNG"}, .line_count = 1, .name = "Trần Văn Bình"},
    {.key = "taker", .lines = {"VĂN THƯ"}, .line_count = 1, .name = "Nguyễn Thị Ưởng"},
};

static char *
text_of(an_bytes pdf, const char *name)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s.pdf", folder, name);
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("pdftotext -layout '%s' -", path);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(1024 * 1024);
    FILE *pipe;
    int letter;

    assert_int_equal(an_file_write(path, pdf, 0600, NULL), AN_OK);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    while ((letter = fgetc(pipe)) != EOF)
        an_buf_byte(&text, (uint8_t)letter);
    pclose(pipe);
    return an_buf_take_str(&text);
}

static void
record_has_both_sides(void **state)
{
    const struct an_form_values rows[] = {{row, AN_COUNT(row)}, {row, AN_COUNT(row)}};
    const struct an_form_data data = {.values = {head, AN_COUNT(head)}, .rows = rows, .row_count = 2, .signatures = signatures, .signature_count = 2};
    static const char *const wanted[] = {"BIÊN BẢN", "Bàn giao thiết bị lưu khóa bí mật", "Số: 01/BB-SKHCN", "BÊN GIAO", "BÊN NHẬN",
                                         "Họ và tên: Trần Văn Bình", "7AF2DF52182653D3", "Hôm nay, ngày 02 tháng 12 năm 2026, tại trụ sở Sở"};
    AN_CLEANUP(an_buf_free) struct an_buf json = an_buf_new(1024 * 1024);
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(8 * 1024 * 1024);
    AN_CLEANUP(an_form_free) struct an_form *form = NULL;
    AN_CLEANUP(an_free_ptr) char *text = NULL;
    struct an_err err = {0};

    (void)state;
    assert_int_equal(an_form_load(NULL, "nd-68-2024/mau-07", &form, &err), AN_OK);
    assert_string_equal(form->id, "nd-68-2024/mau-07");
    assert_int_equal(an_form_write(form, &data, &json, &err), AN_OK);
    if (an_layout_document(child, an_buf_view(&json), &pdf, &err) != AN_OK)
        fail_msg("%s", err.detail);
    text = text_of(an_buf_view(&pdf), "record");
    for (size_t i = 0; i < AN_COUNT(wanted); i++)
        if (strstr(text, wanted[i]) == NULL)
            fail_msg("%s: not in\n%s", wanted[i], text);
    /* side by side: both labels on one line */
    char *line = strstr(text, "BÊN GIAO");
    assert_true(strcspn(line, "\n") > (size_t)(strstr(line, "BÊN NHẬN") - line));
}

struct missing { size_t count, row; char last[128]; };

static void
note_missing(void *context, const char *label, size_t at)
{
    struct missing *missing = context;

    missing->count++;
    missing->row = at;
    snprintf(missing->last, sizeof(missing->last), "%s", label);
}

static void
what_is_missing_is_named(void **state)
{
    static const struct an_form_value part[] = {{"cert_name", "A"}, {"device_kind", "PKI Token"}, {"condition", "Đang dùng"}};
    const struct an_form_values rows[] = {{row, AN_COUNT(row)}, {part, AN_COUNT(part)}};
    const struct { struct an_form_data data; size_t count; const char *last; size_t row; } table[] = {
        {{.values = {head, AN_COUNT(head)}, .rows = rows, .row_count = 1, .signatures = signatures, .signature_count = 2}, 0, "", 0},
        {{.values = {head, AN_COUNT(head) - 1}, .rows = rows, .row_count = 1, .signatures = signatures, .signature_count = 2}, 1, "Cơ quan, tổ chức", 0},
        {{.values = {head, AN_COUNT(head)}, .rows = rows, .row_count = 2, .signatures = signatures, .signature_count = 2}, 1, "Số hiệu thiết bị", 2},
        {{.values = {head, AN_COUNT(head)}, .rows = rows, .row_count = 1, .signatures = signatures, .signature_count = 1}, 1, "BÊN NHẬN", 0},
    };
    AN_CLEANUP(an_form_free) struct an_form *form = NULL;

    (void)state;
    assert_int_equal(an_form_load(NULL, "nd-68-2024/mau-07", &form, NULL), AN_OK);
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf json = an_buf_new(1024 * 1024);
        struct missing missing = {0};
        struct an_err err = {0};
        assert_int_equal(an_form_check(form, &table[i].data, note_missing, &missing), table[i].count);
        assert_int_equal(missing.count, table[i].count);
        assert_string_equal(missing.last, table[i].last);
        assert_int_equal(missing.row, table[i].row);
        assert_int_equal(an_form_write(form, &table[i].data, &json, &err), table[i].count ? AN_E_FORM_MISSING : AN_OK);
        assert_true(table[i].count == 0 || strstr(err.detail, table[i].last) != NULL);
    }
}

/* Three signers, a long table whose head stands on each page, pages on their side. */
static void
long_table_lies_down(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf json = an_buf_new(4 * 1024 * 1024);
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(8 * 1024 * 1024);
    AN_CLEANUP(an_free_ptr) char *text = NULL;
    struct an_err err = {0};
    size_t heads = 0;

    (void)state;
    an_buf_str(&json, "{\"kind\":\"van-ban\",\"agency\":\"A\",\"place_date\":\"B\",\"subject\":\"C\",\"landscape\":true,\"body\":[{\"lead\":\"Danh sách\",\"bold\":true},"
                      "{\"size\":9,\"columns\":[\"STT\",\"Họ và tên\"],\"rows\":[");
    for (int i = 0; i < 120; i++)
        an_buf_printf(&json, "%s[\"%d\",\"Người %d\"]", i ? "," : "", i, i);
    an_buf_str(&json, "]}],\"signatures\":[{\"lines\":[\"MỘT\"],\"name\":\"a\"},{\"lines\":[\"HAI\"],\"name\":\"b\"},{\"lines\":[\"BA\"],\"name\":\"c\"}],"
                      "\"recipients\":[\"Như trên\"]}");
    if (an_layout_document(child, an_buf_view(&json), &pdf, &err) != AN_OK)
        fail_msg("%s", err.detail);
    text = text_of(an_buf_view(&pdf), "long");
    for (const char *at = text; (at = strstr(at, "Họ và tên")) != NULL; at++)
        heads++;
    assert_true(heads >= 3);
    char *line = strstr(text, "MỘT");
    assert_non_null(line);
    assert_true(strcspn(line, "\n") > (size_t)(strstr(line, "BA") - line));
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("pdfinfo '%s/long.pdf' | grep -q 'Page size:.*841.89 x 595.276'", folder);
    assert_int_equal(system(command), 0);
}

static void
ids_are_no_paths(void **state)
{
    static const char *const ids[] = {"", "../policies/cong-vu", "mau-07", "nd-68-2024/mau-00", "nd-68-2024/MAU-07", "nd-68-2024/../nd-68-2024/mau-07", "/nd-68-2024/mau-07"};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ids); i++) {
        struct an_form *form = NULL;
        assert_int_equal(an_form_load(NULL, ids[i], &form, NULL), AN_E_FORM_UNKNOWN);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_has_both_sides), cmocka_unit_test(what_is_missing_is_named), cmocka_unit_test(long_table_lies_down),
        cmocka_unit_test(ids_are_no_paths),
    };
    AN_CLEANUP(an_free_ptr) char *command = NULL;
    struct an_err err = {0};
    int failed;

    an_child_look_in(getenv("ANTIN_HELPERS"));
    if (mkdtemp(folder) == NULL || an_child_start("antin-layout", &child, &err) != AN_OK) {
        print_error("%s\n", err.detail);
        return 1;
    }
    command = an_asprintf("rm -rf '%s'", folder);
    failed = cmocka_run_group_tests_name("form", tests, NULL, NULL);
    an_child_stop(&child);
    return system(command) == 0 ? failed : 1;
}
