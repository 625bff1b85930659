/*
 * Files made by openssl and damaged here: what each is called; signed mail in its odd forms; who signed, a person or an
 * agency. The files stand in tests/vectors/fuzz/verify_bytes (throw-away keys, self-signed).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/file.h"
#include "verify/internal.h"
#include "verify/mime.h"

#include <cmocka.h>

static struct an_verifier *verifier;

/* ---- damage ---- */
struct damage {
    const char *file, *find, *put; /* put over the first place where find stands; NULL = left alone */
    size_t cut;                    /* bytes kept; 0 = all */
    an_code code;
    enum an_indication indication;
    const char *sub;
    enum an_clerk_word word;
    const char *content; /* detached */
};
static const struct damage damages[] = {
    {"s.pdf", NULL, NULL, 0, AN_OK, AN_INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND", AN_WORD_NOT_ENOUGH, NULL},
    {"s.pdf", "MediaBox[0 0 200", "MediaBox[0 0 300", 0, AN_OK, AN_TOTAL_FAILED, "HASH_FAILURE", AN_WORD_BROKEN, NULL},
    {"s.pdf", "/ByteRange", "/ByteRangX", 0, AN_OK, AN_TOTAL_FAILED, "FORMAT_FAILURE", AN_WORD_BROKEN, NULL},
    {"s.pdf", "/Contents<30", "/Contents<31", 0, AN_OK, AN_TOTAL_FAILED, "FORMAT_FAILURE", AN_WORD_BROKEN, NULL},
    {"s.pdf", NULL, NULL, 2000, AN_OK, AN_TOTAL_FAILED, "FORMAT_FAILURE", AN_WORD_BROKEN, NULL},
    {"s.pdf", NULL, NULL, 2600, AN_OK, AN_TOTAL_FAILED, "FORMAT_FAILURE", AN_WORD_BROKEN, NULL},
    {"s.pdf", "/V 5 0 R", "        ", 0, AN_OK, AN_TOTAL_FAILED, "FORMAT_FAILURE", AN_WORD_BROKEN, NULL},
    {"att.p7m", NULL, NULL, 0, AN_OK, AN_INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND", AN_WORD_NOT_ENOUGH, NULL},
    {"att.p7m", "Xin chao", "Xin chae", 0, AN_OK, AN_TOTAL_FAILED, "HASH_FAILURE", AN_WORD_BROKEN, NULL},
    {"att.p7m", NULL, NULL, 700, AN_E_DER_TRUNCATED, 0, NULL, 0, NULL},
    {"att.pem", NULL, NULL, 0, AN_OK, AN_INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND", AN_WORD_NOT_ENOUGH, NULL},
    {"det.p7s", NULL, NULL, 0, AN_OK, AN_INDETERMINATE, "SIGNED_DATA_NOT_FOUND", AN_WORD_NOT_ENOUGH, NULL},
    {"det.p7s", NULL, NULL, 0, AN_OK, AN_INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND", AN_WORD_NOT_ENOUGH,
     "Xin chao\r\n"},
    {"det.p7s", NULL, NULL, 0, AN_OK, AN_TOTAL_FAILED, "HASH_FAILURE", AN_WORD_BROKEN, "Xin chao\n"},
    {"r.tsr", NULL, NULL, 0, AN_OK, AN_INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND", AN_WORD_NOT_ENOUGH,
     "Xin chao\r\n"},
    {"r.tsr", NULL, NULL, 0, AN_OK, AN_TOTAL_FAILED, "HASH_FAILURE", AN_WORD_BROKEN, "Xin chao"},
    {"mail.eml", NULL, NULL, 0, AN_OK, AN_INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND", AN_WORD_NOT_ENOUGH, NULL},
    {"mail.eml", "Xin chao", "Xin chap", 0, AN_OK, AN_TOTAL_FAILED, "HASH_FAILURE", AN_WORD_BROKEN, NULL},
    {"mail.eml", "multipart/signed", "multipart/sigmed", 0, AN_E_VERIFY_UNSIGNED, 0, NULL, 0, NULL},
    {"env.eml", NULL, NULL, 0, AN_OK, AN_INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND", AN_WORD_NOT_ENOUGH, NULL},
    {"env.eml", "base64", "quoted", 0, AN_E_VERIFY_MIME, 0, NULL, 0, NULL},
};

static void
read_file(const char *name, struct an_buf *ret)
{
    char *path = an_asprintf("%s/tests/vectors/fuzz/verify_bytes/%s", AN_SOURCE_DIR, name);

    *ret = an_buf_new((size_t)1024 * 1024);
    assert_int_equal(an_file_read(path, (size_t)1024 * 1024, ret, NULL), AN_OK);
    free(path);
}

static void
do_damage(const struct damage *damage, struct an_buf *file)
{
    size_t at;

    read_file(damage->file, file);
    if (damage->find) {
        at = an_bytes_find(an_buf_view(file), an_bytes_of_str(damage->find), 0);
        assert_true(at != SIZE_MAX);
        memcpy(file->ptr + at, damage->put, strlen(damage->put));
    }
    if (damage->cut)
        file->len = damage->cut;
}

static void
check_damage(const struct damage *damage)
{
    struct an_verify_options options = {.at = 1830000000, .content_fd = -1, .policy = "noi-bo"};
    struct an_file file = {.fd = -1};
    struct an_report report = {0};
    struct an_err err = {0};
    struct an_buf bytes;
    an_code code;

    do_damage(damage, &bytes);
    file.bytes = an_buf_view(&bytes);
    options.content = damage->content ? an_bytes_of_str(damage->content) : AN_NONE;
    code = an_verify_file(verifier, &file, &options, &report, &err);
    if (code != damage->code)
        fail_msg("%s: %s %s", damage->file, an_message_find(code)->symbol, err.detail);
    if (code == AN_OK) {
        const struct an_signature_report *row = &report.signatures[0];

        if (row->indication != damage->indication || strcmp(row->sub_indication, damage->sub) != 0 ||
            row->word != damage->word)
            fail_msg("%s, %s: %d %s word %d", damage->file, damage->put ? damage->put : "", (int)row->indication,
                     row->sub_indication, (int)row->word);
        assert_int_equal(report.indication, damage->indication);
        an_report_done(&report);
    }
    an_buf_free(&bytes);
}

static void
test_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(damages); i++)
        check_damage(&damages[i]);
}

/* ---- not signed documents: an error, never a verdict ---- */
static void
test_foreign(void **state)
{
    static const struct { const char *bytes; an_code code; } files[] = {
        {"hello", AN_E_VERIFY_FORMAT},
        {"Subject: x\r\n\r\nbody", AN_E_VERIFY_FORMAT},
        {"Content-Type: text/plain\r\n\r\nbody", AN_E_VERIFY_UNSIGNED},
        {"-----BEGIN CMS-----\n!!\n-----END CMS-----\n", AN_E_VERIFY_FORMAT},
        {"0", AN_E_VERIFY_FORMAT},
        {"0\x80", AN_E_DER_TRUNCATED},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(files); i++) {
        struct an_verify_options options = {.at = 1830000000, .content_fd = -1};
        struct an_file file = {.bytes = an_bytes_of_str(files[i].bytes), .fd = -1};
        struct an_report report = {0};
        an_code code = an_verify_file(verifier, &file, &options, &report, NULL);

        if (code != files[i].code)
            fail_msg("%s: %s", files[i].bytes, an_message_find(code)->symbol);
    }
}

/* ---- mail ---- */
static void
test_mail(void **state)
{
    static const struct { const char *mail; an_code code; const char *content, *cms; } mails[] = {
        {"Content-Type: multipart/signed; boundary=\"b;1\"; x=y\n\n--b;1\nA: b\n\ntext\n--b;1\n"
         "Content-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\nAQID\n--b;1--\n",
         AN_OK, "A: b\r\n\r\ntext", "\x01\x02\x03"},
        {"CONTENT-TYPE:\n multipart/signed;\n\tboundary=q\r\n\r\npreamble --q no\r\n--q\r\n\r\n\r\n\r\n--q\r\n"
         "content-type: application/x-pkcs7-signature\r\ncontent-transfer-encoding: BASE64\r\n\r\nAQI=\r\n--q--",
         AN_OK, "\r\n\r\n", "\x01\x02"},
        {"Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: text/plain\n\nhi\n--o\n"
         "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\nAQ==\n--o--\n", AN_OK, "", "\x01"},
        {"Content-Type: multipart/signed; boundary=q\n\n--q\n\ntext\n", AN_E_VERIFY_MIME, NULL, NULL},
        {"Content-Type: multipart/signed\n\n--q\n\ntext\n--q\n\n--q--", AN_E_VERIFY_MIME, NULL, NULL},
        {"Content-Type: multipart/signed; boundary=q\n\n--q\na\n--q\nContent-Type: text/html\n\nx\n--q--",
         AN_E_VERIFY_MIME, NULL, NULL},
        {"Content-Type: text/html\n\nx", AN_E_VERIFY_UNSIGNED, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(mails); i++) {
        struct an_buf content = an_buf_new(4096), cms = an_buf_new(4096);
        an_code code = an_mime_read(an_bytes_of_str(mails[i].mail), &content, &cms, NULL);

        if (code != mails[i].code)
            fail_msg("mail %zu: %s", i, an_message_find(code)->symbol);
        if (code == AN_OK && (!an_bytes_eq_str(an_buf_view(&content), mails[i].content) ||
                              !an_bytes_eq_str(an_buf_view(&cms), mails[i].cms)))
            fail_msg("mail %zu: content %.*s", i, AN_FMT(an_buf_view(&content)));
        an_buf_free(&content);
        an_buf_free(&cms);
    }
}

/* ---- person or agency ---- */
#define CN "2.5.4.3"
#define O "2.5.4.10"
#define OU "2.5.4.11"
#define EMAIL "1.2.840.113549.1.9.1"

static void
test_who(void **state)
{
    static const struct { struct an_name_part parts[5]; bool is_agency; } subjects[] = {
        {{{O, "ỦY BAN NHÂN DÂN TỈNH ĐỒNG THÁP"}, {OU, "Sở Nội vụ"}, {CN, "Nguyễn Văn An"}, {EMAIL, "nvan@dongthap.gov.vn"}}, false},
        {{{O, "UBND tỉnh Mẫu"}, {CN, "Trương Thị Bình"}}, false},
        {{{O, "UBND tỉnh Mẫu"}, {OU, "Văn phòng"}, {CN, "Vũ Bộ Sơn"}}, false},
        {{{O, "UBND tỉnh Mẫu"}, {CN, "Sở Khoa học và Công nghệ"}}, true},
        {{{O, "UBND tỉnh Mẫu"}, {CN, "SỞ KHOA HỌC VÀ CÔNG NGHỆ"}, {EMAIL, "vanthu@mau.gov.vn"}}, true},
        {{{O, "Chính phủ"}, {CN, "Ủy ban nhân dân tỉnh Tây Ninh"}}, true},
        {{{O, "UBND huyện"}, {CN, "Trường THPT Lê Quý Đôn"}}, true},
        {{{O, "Tỉnh ủy"}, {OU, "MST:0301234567"}, {CN, "Văn thư"}}, true},
        {{{O, "Công ty Mẫu"}, {CN, "Công ty Mẫu"}}, true},
        {{{CN, "Alice"}}, false},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(subjects); i++) {
        struct an_buf name = an_buf_new(4096);
        struct an_der_out out = AN_DER_OUT(&name);
        struct an_cert cert = {0};
        struct an_signature_report report = {.cert = &cert};
        size_t count = 0;

        while (count < 5 && subjects[i].parts[count].oid)
            count++;
        an_name_build(&out, subjects[i].parts, count);
        cert.subject = an_buf_view(&name);
        an_effect_classify(&report);
        if (report.is_agency != subjects[i].is_agency || report.is_person == subjects[i].is_agency)
            fail_msg("%s: agency %d person %d", subjects[i].parts[count - 1].text, report.is_agency, report.is_person);
        an_buf_free(&name);
    }
}

static int
open_verifier(void **state)
{
    (void)state;
    return an_verifier_new(NULL, &verifier, NULL) == AN_OK ? 0 : -1;
}

static int
close_verifier(void **state)
{
    (void)state;
    an_verifier_free(&verifier);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_damage), cmocka_unit_test(test_foreign),
                                       cmocka_unit_test(test_mail), cmocka_unit_test(test_who)};

    return cmocka_run_group_tests(tests, open_verifier, close_verifier);
}
