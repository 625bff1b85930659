/* antin-layout: what it draws is read back by other programs (pdftotext, pdffonts, qpdf) and by antin-render. */
#include "base/file.h"
#include "base/limits.h"
#include "proc/layout.h"
#include "proc/render.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static struct an_child *child;
static struct an_renderer *renderer;
static char folder[] = "/tmp/antin-layout-test-XXXXXX";

static const char decision[] =
    "{\"kind\": \"van-ban\", \"parent_agency\": \"Ủy ban nhân dân tỉnh Đồng Tháp\", \"agency\": \"Sở Khoa học và Công "
    "nghệ\","
    "\"number\": \"12/QĐ-SKHCN\", \"place_date\": \"Đồng Tháp, ngày 02 tháng 12 năm 2025\", \"type\": \"Quyết định\","
    "\"subject\": \"Ban hành Quy chế quản lý, sử dụng chữ ký số chuyên dùng công vụ\","
    "\"authority\": \"Giám đốc Sở Khoa học và Công nghệ\","
    "\"bases\": [\"Căn cứ Luật Giao dịch điện tử ngày 22 tháng 6 năm 2023;\", \"Theo đề nghị của Chánh Văn phòng "
    "Sở.\"],"
    "\"decides\": \"Quyết định:\","
    "\"body\": [{\"article\": \"Điều 1.\", \"text\": \"Ban hành kèm theo Quyết định này Quy chế quản lý, sử dụng chữ "
    "ký số "
    "chuyên dùng công vụ trong hoạt động của Sở.\"}, {\"article\": \"Điều 2.\", \"title\": \"Hiệu lực thi hành\", "
    "\"text\": "
    "\"Quyết định này có hiệu lực kể từ ngày ký.\"}, \"Chánh Văn phòng chịu trách nhiệm thi hành Quyết định này./.\"],"
    "\"signature\": {\"lines\": [\"KT. Giám đốc\", \"Phó Giám đốc\"], \"name\": \"Nguyễn Thị Ưởng\"},"
    "\"recipients\": [\"Như Điều 3;\", \"Lưu: VT.\"],"
    "\"appendices\": [{\"label\": \"Phụ lục I\", \"title\": \"Danh mục mẫu\", \"note\": \"(Kèm theo Quyết định số "
    "12/QĐ-SKHCN)\","
    "\"body\": [\"Nội dung phụ lục.\", {\"columns\": [\"Số thứ tự\", \"Tên mẫu\"], \"widths\": [1, 4], \"rows\": "
    "[[\"01\", "
    "\"Đề nghị cấp chứng thư\"]]}]}]}";

static int
layout_to_file(const char *json, const char *name, char path[static 200])
{
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    struct an_err err = {0};

    if (an_layout_document(child, an_bytes_of_str(json), &pdf, &err) != AN_OK)
        fail_msg("%d %s", err.code, err.detail);
    snprintf(path, 200, "%s/%s.pdf", folder, name);
    assert_int_equal(an_file_write(path, an_buf_view(&pdf), 0644, NULL), AN_OK);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* What a program prints, white space made single. */
static char *
output_of(const char *fmt, const char *path)
{
    AN_CLEANUP(an_free_ptr) char *command = NULL;
    struct an_buf out = an_buf_new(1000000);
    FILE *pipe;
    int c;

    assert_true(asprintf(&command, "%s %s", fmt, path) > 0);
    if (strstr(fmt, "pdftotext") != NULL) {
        free(command);
        assert_true(asprintf(&command, "%s %s -", fmt, path) > 0);
    }
    pipe = popen(command, "r");
    while (pipe != NULL && (c = fgetc(pipe)) != EOF) {
        bool is_space = c <= ' ';
        if (!is_space || (out.len > 0 && out.ptr[out.len - 1] != ' '))
            an_buf_byte(&out, is_space ? ' ' : (uint8_t)c);
    }
    assert_non_null(pipe);
    assert_int_equal(pclose(pipe), 0);
    return an_buf_take_str(&out);
}

static void
text_is_selectable(void **state)
{
    static const char *const table[] = {
        "ỦY BAN NHÂN DÂN", "TỈNH ĐỒNG THÁP",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "SỞ KHOA HỌC VÀ CÔNG NGHỆ",
        "Số: 12/QĐ-SKHCN",
        "Đồng Tháp, ngày 02 tháng 12 năm 2025",
        "QUYẾT ĐỊNH",
        "Căn cứ Luật Giao dịch điện tử ngày 22 tháng 6 năm 2023;",
        "GIÁM ĐỐC SỞ KHOA HỌC VÀ CÔNG NGHỆ",
        "Điều 2. Hiệu lực thi hành",
        "KT. GIÁM ĐỐC PHÓ GIÁM ĐỐC",
        "Nguyễn Thị Ưởng",
        "Nơi nhận:",
        "- Như Điều 3;",
        "Phụ lục I",
        "DANH MỤC MẪU",
        "Đề nghị cấp chứng thư",
    };
    char path[200];
    int fd = layout_to_file(decision, "text", path);
    AN_CLEANUP(an_free_ptr) char *text = output_of("pdftotext", path);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++)
        if (strstr(text, table[i]) == NULL)
            fail_msg("not found: %s\n%s", table[i], text);
    AN_CLEANUP(an_free_ptr) char *check = output_of("qpdf --check", path);
    assert_non_null(strstr(check, "No syntax or stream encoding errors found"));
    AN_CLEANUP(an_free_ptr) char *fonts = output_of("pdffonts", path);
    assert_non_null(strstr(fonts, "LiberationSerif"));
    assert_null(strstr(fonts, " no ")); /* every font: embedded, subset, with a table to Unicode */
    AN_CLEANUP(an_free_ptr) char *info = output_of("pdfinfo", path);
    assert_non_null(strstr(info, "A4"));
    assert_non_null(strstr(info, "Pages: 2 "));
    close(fd);
}

static struct an_box
place_of(int fd, const char *text, uint32_t page)
{
    AN_CLEANUP(an_text_hits_free) struct an_text_hits hits = {0};

    assert_int_equal(an_renderer_find_text(renderer, fd, text, NULL, &hits, NULL), AN_OK);
    for (size_t i = 0; i < hits.count; i++)
        if (hits.items[i].page == page)
            return hits.items[i].box;
    fail_msg("not found: %s", text);
    return (struct an_box){0};
}

/* NĐ 30/2020, Phụ lục I: margins, places, sizes, and the room for the signature. */
static void
page_keeps_the_rules(void **state)
{
    const double mm = 72 / 25.4;
    char path[200];
    int fd = layout_to_file(decision, "place", path);
    AN_CLEANUP(an_text_lines_free) struct an_text_lines lines = {0};
    struct an_box title = place_of(fd, "PHÓ GIÁM ĐỐC", 0), name = place_of(fd, "Nguyễn Thị Ưởng", 0);
    struct an_box room = {name.x0 - 10, name.y1 + 2, name.x1 + 10, title.y0 - 2};
    struct an_box body = place_of(fd, "chuyên dùng công vụ trong", 0), recipients = place_of(fd, "Nơi nhận:", 0);
    double ink = 1;

    (void)state;
    assert_true(fabs((title.x0 + title.x1) / 2 - (name.x0 + name.x1) / 2) < 3); /* one below the other */
    assert_true(room.y1 - room.y0 > 25 * mm && room.y1 - room.y0 < 36 * mm);
    assert_int_equal(an_renderer_ink(renderer, fd, 0, &room, NULL, &ink, NULL), AN_OK);
    assert_true(ink < 1e-9);
    assert_true(title.x0 > 105 * mm && recipients.x1 < 105 * mm);
    assert_true(fabs(recipients.x0 - 30 * mm) < 2);
    assert_true(body.x0 >= 30 * mm - 2 && body.x1 <= 190 * mm + 2);
    assert_int_equal(an_renderer_lines(renderer, fd, 0, NULL, &lines, NULL), AN_OK);
    assert_true(lines.items[0].box.y1 <= lines.height - 19 * mm); /* nothing, also no page number, in the top margin */
    for (size_t i = 0; i < lines.count; i++) {
        struct an_box *box = &lines.items[i].box;
        if (box->x0 < 30 * mm - 1 || box->x1 > 190 * mm + 1 || box->y0 < 19 * mm)
            fail_msg("outside the margins: %s", lines.items[i].text);
        if (strstr(lines.items[i].text, "CỘNG HÒA") != NULL) /* one line, and not together with the left column */
            assert_string_equal(lines.items[i].text, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM");
    }
    close(fd);
}

static void
long_texts_take_pages(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf json = an_buf_new(10000000);
    char path[200];
    int fd;

    (void)state;
    an_buf_str(&json, "{\"kind\": \"van-ban\", \"agency\": \"Sở A\", \"place_date\": \"X\", \"subject\": \"mời họp\", "
                      "\"to\": [\"Sở B\"], \"body\": [\"mở đầu\"");
    for (int i = 0; i < 150; i++)
        an_buf_printf(
            &json,
            ", \"Đoạn %d: nội dung của đoạn này đủ dài để chiếm quá một dòng trên trang giấy khổ A4 theo quy định.\"",
            i);
    an_buf_str(&json, "], \"signature\": {\"lines\": [\"Giám đốc\"], \"name\": \"Trần Văn Bình\"}}");
    an_buf_byte(&json, 0);
    fd = layout_to_file((char *)json.ptr, "long", path);
    AN_CLEANUP(an_text_lines_free) struct an_text_lines second = {0};
    AN_CLEANUP(an_text_lines_free) struct an_text_lines last = {0};
    assert_int_equal(an_renderer_lines(renderer, fd, 1, NULL, &second, NULL), AN_OK);
    assert_true(second.pages > 5);
    assert_string_equal(second.items[0].text, "2"); /* the page number, centred in the top margin */
    assert_true(fabs((second.items[0].box.x0 + second.items[0].box.x1) / 2 - 110 * 72 / 25.4) < 2);
    assert_int_equal(an_renderer_lines(renderer, fd, -1, NULL, &last, NULL), AN_OK);
    assert_non_null(strstr(last.items[last.count - 1].text, "Trần Văn Bình"));
    assert_non_null(strstr(last.items[1].text, "Đoạn")); /* the signature is not alone on its page */
    AN_CLEANUP(an_free_ptr) char *text = output_of("pdftotext", path);
    for (int i = 0; i < 150; i++) { /* nothing is lost between the pages */
        char mark[40];
        snprintf(mark, sizeof(mark), "Đoạn %d: ", i);
        assert_non_null(strstr(text, mark));
    }
    assert_non_null(strstr(text, "V/v mời họp"));
    assert_non_null(strstr(text, "Kính gửi: Sở B"));
    close(fd);
}

static void
reports_are_laid_out(void **state)
{
    static const uint8_t png[] = {/* one red pixel */
                                  0x89, 'P',  'N',  'G',  13,   10,  26,  10,  0,   0,    0,    13,   'I',  'H',
                                  'D',  'R',  0,    0,    0,    1,   0,   0,   0,   1,    8,    2,    0,    0,
                                  0,    0x90, 0x77, 0x53, 0xDE, 0,   0,   0,   12,  'I',  'D',  'A',  'T',  8,
                                  0xD7, 0x63, 0xF8, 0xCF, 0xC0, 0,   0,   3,   1,   1,    0,    0x18, 0xDD, 0x8D,
                                  0xB0, 0,    0,    0,    0,    'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};
    AN_CLEANUP(an_buf_free) struct an_buf json = an_buf_new(100000);
    AN_CLEANUP(an_buf_free) struct an_buf picture = an_buf_new(10000);
    char path[200];
    int fd;

    (void)state;
    an_base64_encode(&picture, AN_BYTES(png, sizeof(png)));
    an_buf_byte(&picture, 0);
    an_buf_printf(
        &json,
        "{\"kind\": \"bao-cao\", \"title\": \"Báo cáo kiểm tra chữ ký\", \"blocks\": [{\"heading\": \"1. Kết quả\"},"
        "{\"text\": \"Chữ ký hợp lệ.\"}, {\"table\": [[\"Người ký\", \"Nguyễn Văn A\"], [\"Thời gian\", "
        "\"2025-12-02T09:30:05+07:00\"]]},"
        "{\"picture\": \"%s\", \"width_mm\": 20, \"caption\": \"Trang 1\"}]}",
        (char *)picture.ptr);
    an_buf_byte(&json, 0);
    fd = layout_to_file((char *)json.ptr, "report", path);
    AN_CLEANUP(an_free_ptr) char *text = output_of("pdftotext -layout", path);
    assert_non_null(strstr(text, "BÁO CÁO KIỂM TRA CHỮ KÝ"));
    assert_non_null(strstr(text, "Người ký Nguyễn Văn A"));
    struct an_box caption = place_of(fd, "Trang 1", 0);
    double middle = (caption.x0 + caption.x1) / 2, ink = 0;
    struct an_box inside = {middle - 10, caption.y1 + 15, middle + 10, caption.y1 + 35};
    assert_int_equal(an_renderer_ink(renderer, fd, 0, &inside, NULL, &ink, NULL), AN_OK);
    assert_true(ink > 0.99);
    close(fd);
}

static void
wrong_documents_are_named(void **state)
{
    static const struct { const char *json, *detail;
    } table[] = {
        {"{", "JSON"},
        {"[]", "kind"},
        {"{\"kind\": \"thơ\"}", "thơ"},
        {"{\"kind\": \"van-ban\", \"subject\": \"x\"}", "agency"},
        {"{\"kind\": \"van-ban\", \"subject\": \"x\", \"agency\": 5}", "agency"},
        {"{\"kind\": \"van-ban\", \"subject\": \"x\", \"agency\": \"a\", \"place_date\": \"d\", \"signature\": {}}",
         "signature.lines"},
        {"{\"kind\": \"bao-cao\", \"title\": \"x\", \"blocks\": [{}]}", "blocks"},
        {"{\"kind\": \"bao-cao\", \"title\": \"x\", \"blocks\": [{\"picture\": \"AAAA\"}]}", "picture"},
        {"{\"kind\": \"bao-cao\", \"title\": \"x\", \"blocks\": [{\"table\": [[\"a\", \"b\"], [\"c\"]]}]}", "table"},
        {"{\"kind\": \"bao-cao\", \"title\": \"x\", \"title\": \"y\"}", "duplicate"},
    };
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(100000);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_err err = {0};
        an_code code = an_layout_document(child, an_bytes_of_str(table[i].json), &pdf, &err);
        if (code != AN_E_LAYOUT_INPUT || strstr(err.detail, table[i].detail) == NULL)
            fail_msg("%s: %d %s", table[i].json, code, err.detail);
    }
}

static void
same_input_gives_same_bytes(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf one = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf other = an_buf_new(AN_LIMIT_MESSAGE_BYTES);

    (void)state;
    assert_int_equal(an_layout_document(child, an_bytes_of_str(decision), &one, NULL), AN_OK);
    assert_int_equal(an_layout_document(child, an_bytes_of_str(decision), &other, NULL), AN_OK);
    assert_true(an_bytes_eq(an_buf_view(&one), an_buf_view(&other)));
}

/* Width and height of a PNG, and that it has an alpha channel. */
static void
check_png(an_bytes png, unsigned width, unsigned height)
{
    assert_true(png.len > 33);
    assert_memory_equal(png.ptr, "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal((unsigned)png.ptr[18] << 8 | png.ptr[19], width);
    assert_int_equal((unsigned)png.ptr[22] << 8 | png.ptr[23], height);
    assert_int_equal(png.ptr[25], 6); /* RGBA */
}

static void
sample_pictures_are_drawn(void **state)
{
    const struct an_layout_seal seal = {.agency = "Sở Khoa học và Công nghệ tỉnh Đồng Tháp", .place = "Tỉnh Đồng Tháp"};
    const struct an_layout_seal wrong = {.agency = "A", .diameter_mm = 500};
    AN_CLEANUP(an_buf_free) struct an_buf one = an_buf_new(1000000);
    AN_CLEANUP(an_buf_free) struct an_buf other = an_buf_new(1000000);
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/seal.png", folder);

    (void)state;
    assert_int_equal(an_layout_seal(child, &seal, &one, NULL), AN_OK);
    check_png(an_buf_view(&one), 426, 426); /* 36 mm at 300 dpi */
    assert_int_equal(an_file_write(path, an_buf_view(&one), 0644, NULL), AN_OK);
    assert_int_equal(an_layout_seal(child, &wrong, &one, NULL), AN_E_LAYOUT_INPUT);
    assert_int_equal(an_layout_signature(child, "Nguyễn Thị Ưởng", &one, NULL), AN_OK);
    check_png(an_buf_view(&one), 591, 266); /* 50 x 22.5 mm */
    free(path);
    path = an_asprintf("%s/signature.png", folder);
    assert_int_equal(an_file_write(path, an_buf_view(&one), 0644, NULL), AN_OK);
    assert_int_equal(an_layout_signature(child, "Trần Văn Bình", &other, NULL), AN_OK);
    assert_false(an_bytes_eq(an_buf_view(&one), an_buf_view(&other)));
}

static int
set_up(void **state)
{
    struct an_err err = {0};

    (void)state;
    setenv("SOURCE_DATE_EPOCH", "1764642605", 1);
    an_child_look_in(getenv("ANTIN_HELPERS"));
    if (mkdtemp(folder) != NULL && an_child_start("antin-layout", &child, &err) == AN_OK &&
        an_renderer_start(10000, &renderer, &err) == AN_OK)
        return 0;
    print_message("%s\n", err.detail);
    return -1;
}

static int
tear_down(void **state)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("rm -rf %s", folder);

    (void)state;
    an_child_stop(&child);
    an_renderer_stop(&renderer);
    return getenv("ANTIN_KEEP") != NULL ? (print_message("%s\n", folder), 0) : system(command);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_selectable),
        cmocka_unit_test(page_keeps_the_rules),
        cmocka_unit_test(long_texts_take_pages),
        cmocka_unit_test(reports_are_laid_out),
        cmocka_unit_test(wrong_documents_are_named),
        cmocka_unit_test(same_input_gives_same_bytes),
        cmocka_unit_test(sample_pictures_are_drawn),
    };

    return cmocka_run_group_tests_name("layout", tests, set_up, tear_down);
}
