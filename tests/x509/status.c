/* Revocation lists and OCSP: lists are built here from known numbers; requests are read back by openssl(1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "asn1/oid.h"
#include "base/file.h"
#include "x509/status.h"

static void
put_name(struct an_der_out *out, const char *cn)
{
    const struct an_name_part part = {"2.5.4.3", cn};

    an_name_build(out, &part, 1);
}

static void
build_name(struct an_buf *ret, const char *cn)
{
    struct an_der_out out = AN_DER_OUT(ret);

    put_name(&out, cn);
}

/* ---- lists ---- */

enum { ENTRY_REASON = 1, ENTRY_ISSUER = 2, ENTRY_CRITICAL = 4, ENTRY_BAD_TIME = 8, LIST_INDIRECT = 16 };

static void
open_extension(struct an_der_out *out, an_bytes oid, bool critical)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put(out, AN_DER_OID, oid);
    if (critical)
        an_der_put_bool(out, true);
    an_der_open(out, AN_DER_OCTET_STRING);
}

static void
close_all(struct an_der_out *out, int count)
{
    while (count-- > 0)
        an_der_close(out);
}

static void
put_entry(struct an_der_out *out, int64_t serial, unsigned flags)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_int(out, serial);
    if ((flags & ENTRY_BAD_TIME) != 0)
        an_der_put(out, AN_DER_OCTET_STRING, AN_LIT("x"));
    else
        an_der_put_time(out, 1700000000 + serial);
    if ((flags & 7u) != 0) {
        an_der_open(out, AN_DER_SEQUENCE);
        if ((flags & ENTRY_REASON) != 0) {
            open_extension(out, AN_OID_REASON_CODE, false);
            an_der_put(out, AN_DER_ENUMERATED, AN_LIT("\x01"));
            close_all(out, 2);
        }
        if ((flags & ENTRY_ISSUER) != 0) {
            open_extension(out, AN_OID_CERTIFICATE_ISSUER, true);
            an_der_open(out, AN_DER_SEQUENCE);
            an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(4));
            put_name(out, "other");
            close_all(out, 4);
        }
        if ((flags & ENTRY_CRITICAL) != 0) {
            open_extension(out, AN_LIT("\x2A\x03\x04"), true);
            close_all(out, 2);
        }
        an_der_close(out);
    }
    an_der_close(out);
}

/* Serial numbers 3, 6, 9, …; flag_at: the entry (counted from 0) that gets the flags. */
static void
build_list(struct an_buf *ret, int64_t count, int64_t flag_at, unsigned flags)
{
    static const char algorithm[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05";
    struct an_der_out out = AN_DER_OUT(ret);

    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_int(&out, 1);
    an_der_put_raw(&out, AN_BYTES(algorithm, 15));
    put_name(&out, "issuer");
    an_der_put_time(&out, 1700000000);
    an_der_put_time(&out, 1800000000);
    an_der_open(&out, AN_DER_SEQUENCE);
    for (int64_t i = 0; i < count; i++)
        put_entry(&out, 3 * (i + 1), i == flag_at ? flags : 0);
    an_der_close(&out);
    an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_open(&out, AN_DER_SEQUENCE);
    if (flags & LIST_INDIRECT) {
        open_extension(&out, AN_OID_ISSUING_POINT, true);
        an_der_put_raw(&out, AN_LIT("\x30\x03\x84\x01\xFF"));
        close_all(&out, 2);
    }
    open_extension(&out, AN_OID_CRL_NUMBER, false);
    an_der_put_int(&out, 77);
    close_all(&out, 5);
    an_der_put_raw(&out, AN_BYTES(algorithm, 15));
    an_der_put_bits(&out, AN_LIT("\xAD"), 0);
    an_der_close(&out);
}

static an_bytes
serial_of(int64_t value, uint8_t octets[static 9])
{
    size_t len = 0;

    do {
        memmove(octets + 1, octets, len++);
        octets[0] = (uint8_t)value;
        value >>= 8;
    } while (value != 0);
    if (octets[0] >= 0x80) {
        memmove(octets + 1, octets, len++);
        octets[0] = 0;
    }
    return AN_BYTES(octets, len);
}

static bool
is_listed(struct an_crl *crl, const char *issuer, int64_t serial, struct an_crl_entry *ret)
{
    AN_CLEANUP(an_buf_free) struct an_buf name = an_buf_new(100);
    uint8_t octets[9];

    build_name(&name, issuer);
    return an_crl_find(crl, an_buf_view(&name), serial_of(serial, octets), ret);
}

/* Every number up to the last is asked for, so that reading through and the index both answer. */
static void
test_find(void **state)
{
    static const int64_t counts[] = {0, 1, 32, 33, 1000};

    (void)state;
    for (size_t c = 0; c < AN_COUNT(counts); c++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(1 << 20);
        AN_CLEANUP(an_crl_unref) struct an_crl *crl = NULL;
        struct an_crl_entry entry;
        build_list(&der, counts[c], counts[c] / 2, ENTRY_REASON);
        assert_int_equal(an_crl_parse_borrowed(an_buf_view(&der), &crl, NULL), AN_OK);
        assert_int_equal(crl->revoked_count, counts[c]);
        assert_true(an_bytes_eq(crl->number, AN_LIT("\x4D")) && crl->next_update == 1800000000 && crl->version == 2);
        for (int64_t serial = 1; serial <= 3 * counts[c] + 3; serial++) {
            bool want = serial % 3 == 0 && serial <= 3 * counts[c];
            assert_int_equal(is_listed(crl, "ISSUER", serial, &entry), want);
            assert_false(is_listed(crl, "other", serial, &entry));
            if (!want)
                continue;
            assert_true(is_listed(crl, "issuer", serial, &entry));
            assert_true(entry.revoked_at == 1700000000 + serial);
            assert_int_equal(entry.reason,
                             serial == 3 * (counts[c] / 2 + 1) ? AN_REASON_KEY_COMPROMISE : AN_REASON_UNSPECIFIED);
            assert_true(entry.invalidity_date == AN_TIME_NONE);
        }
    }
}

/* From the entry that names another issuer on, all entries are that issuer's (RFC 5280 5.3.3), on an indirect list; on
 * another one the word hides nothing. */
static void
test_indirect(void **state)
{
    static const int64_t counts[] = {20, 200};

    (void)state;
    for (size_t c = 0; c < AN_COUNT(counts); c++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(1 << 20);
        AN_CLEANUP(an_crl_unref) struct an_crl *crl = NULL;
        struct an_crl_entry entry;
        build_list(&der, counts[c], 10, ENTRY_ISSUER);
        assert_int_equal(an_crl_parse(an_buf_view(&der), &crl, NULL), AN_OK);
        assert_true(is_listed(crl, "issuer", 3 * counts[c], &entry) && !is_listed(crl, "other", 3 * counts[c], &entry));
        an_crl_unref(&crl);
        an_buf_reset(&der);
        build_list(&der, counts[c], 10, ENTRY_ISSUER | LIST_INDIRECT);
        assert_int_equal(an_crl_parse(an_buf_view(&der), &crl, NULL), AN_OK);
        assert_true(crl->has_entry_issuers && !crl->entries_have_unknown_critical);
        for (int round = 0; round < 3; round++)
            for (int64_t i = 0; i < counts[c]; i++) {
                assert_int_equal(is_listed(crl, "issuer", 3 * (i + 1), &entry), i < 10);
                assert_int_equal(is_listed(crl, "other", 3 * (i + 1), &entry), i >= 10);
            }
    }
}

static void
test_bad_lists(void **state)
{
    static const struct { unsigned flags; an_code code; bool critical; } cases[] = {
        {0, AN_OK, false}, {ENTRY_CRITICAL, AN_OK, true}, {ENTRY_BAD_TIME, AN_E_CRL_STRUCTURE, false},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(1 << 20);
        AN_CLEANUP(an_crl_unref) struct an_crl *crl = NULL;
        build_list(&der, 5, 4, cases[i].flags);
        assert_int_equal(an_crl_parse(an_buf_view(&der), &crl, NULL), cases[i].code);
        if (crl != NULL)
            assert_int_equal(crl->entries_have_unknown_critical, cases[i].critical);
        an_crl_unref(&crl);
        for (size_t len = 0; len < der.len; len++)
            assert_int_not_equal(an_crl_parse(an_bytes_slice(an_buf_view(&der), 0, len), &crl, NULL), AN_OK);
    }
}

static void *
ask_all(void *context)
{
    struct an_crl_entry entry;

    for (int64_t serial = 1; serial <= 3000; serial++)
        if (is_listed(context, "issuer", serial, &entry) != (serial % 3 == 0))
            return context;
    return NULL;
}

static void
test_threads(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(1 << 20);
    AN_CLEANUP(an_crl_unref) struct an_crl *crl = NULL;
    pthread_t threads[4];
    void *wrong;

    (void)state;
    build_list(&der, 1000, 0, 0);
    assert_int_equal(an_crl_parse(an_buf_view(&der), &crl, NULL), AN_OK);
    for (size_t i = 0; i < AN_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_all, crl), 0);
    for (size_t i = 0; i < AN_COUNT(threads); i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

/* ---- vectors ---- */

static const char *
vectors(void)
{
    const char *root = getenv("ANTIN_VECTORS");

    if (root != NULL && access(root, R_OK) == 0)
        return root;
    print_message("without the shared vectors\n");
    skip();
    return NULL;
}

static struct an_file
open_vector(const char *name)
{
    struct an_file file = AN_FILE_NONE;
    char path[1000];

    snprintf(path, sizeof(path), "%s/%s", vectors(), name);
    assert_int_equal(an_file_open(path, 0, &file, NULL), AN_OK);
    return file;
}

static void
read_certs(const char *name, struct an_certs *ret)
{
    AN_CLEANUP(an_file_close) struct an_file file = open_vector(name);

    assert_int_equal(an_certs_read(ret, file.bytes, NULL), AN_OK);
}

/* Of the OpenSSL test set: ISOP has a wrong signature, WINH a patched (so unsigned) hash of the issuer name. */
static void
test_ocsp_answers(void **state)
{
    static const struct { const char *file; bool found, signed_by_issuer;
    } cases[] = {
        {"ND3.ors", true, true},
        {"ISOP_ND3.ors", true, false},
        {"WINH_ND3.ors", false, false},
        {"D3.ors", false, false},
    };
    AN_CLEANUP(an_certs_done) struct an_certs certs = {0};
    char name[100];

    (void)state;
    read_certs("pyhanko/openssl-ocsp/ND3_Cert_EE.pem", &certs);
    read_certs("pyhanko/openssl-ocsp/ND3_Issuer_Root.pem", &certs);
    assert_int_equal(certs.count, 2);
    assert_true(an_cert_signed_by(certs.items[0], certs.items[1]));
    assert_false(an_cert_signed_by(certs.items[1], certs.items[0]));
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_ocsp_unref) struct an_ocsp *ocsp = NULL;
        snprintf(name, sizeof(name), "pyhanko/openssl-ocsp/%s", cases[i].file);
        AN_CLEANUP(an_file_close) struct an_file file = open_vector(name);
        assert_int_equal(an_ocsp_parse(file.bytes, &ocsp, NULL), AN_OK);
        const struct an_ocsp_single *single = an_ocsp_find(ocsp, certs.items[0], certs.items[1]);
        assert_int_equal(single != NULL, cases[i].found);
        assert_int_equal(an_ocsp_signed_by(ocsp, certs.items[1]), cases[i].signed_by_issuer);
        if (single != NULL)
            assert_int_equal(single->status, AN_OCSP_GOOD);
    }
}

static void
test_ocsp_parsing(void **state)
{
    static const struct {
        const char *file;
        int status;
        size_t singles;
        int answer;
        an_time revoked_at;
        int reason;
    } cases[] = {
        {"resp-revoked.der", 0, 1, AN_OCSP_REVOKED, 1472851728, 0},
        {"resp-revoked-no-next-update.der", 0, 1, AN_OCSP_REVOKED, 1514334534, 0},
        {"resp-unauthorized.der", 6, 0, 0, 0, 0},
        {"resp-successful-no-response-bytes.der", 0, 0, 0, 0, 0},
        {"resp-unknown-extension.der", 0, 1, AN_OCSP_REVOKED, 1530102601, AN_REASON_SUPERSEDED},
    };
    char name[100];

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_ocsp_unref) struct an_ocsp *ocsp = NULL;
        snprintf(name, sizeof(name), "pyca-vectors/x509/ocsp/%s", cases[i].file);
        AN_CLEANUP(an_file_close) struct an_file file = open_vector(name);
        assert_int_equal(an_ocsp_parse(file.bytes, &ocsp, NULL), AN_OK);
        assert_int_equal(ocsp->response_status, cases[i].status);
        assert_int_equal(ocsp->single_count, cases[i].singles);
        if (cases[i].singles == 0)
            continue;
        assert_int_equal(ocsp->singles[0].status, cases[i].answer);
        assert_true(ocsp->singles[0].revoked_at == cases[i].revoked_at);
        assert_int_equal(ocsp->singles[0].reason, cases[i].reason);
    }
}

/* Our request through openssl(1): it prints the serial number and the nonce that were asked for. */
static void
test_ocsp_request(void **state)
{
    AN_CLEANUP(an_certs_done) struct an_certs certs = {0};
    AN_CLEANUP(an_buf_free) struct an_buf request = an_buf_new(4096);
    char path[] = "/tmp/antin-ocsp-XXXXXX", command[200], text[8192];
    struct an_ocsp_query query;
    an_bytes nonce;
    size_t count, len;
    FILE *pipe;
    int fd;

    (void)state;
    read_certs("pyhanko/openssl-ocsp/ND3_Cert_EE.pem", &certs);
    read_certs("pyhanko/openssl-ocsp/ND3_Issuer_Root.pem", &certs);
    an_ocsp_request(certs.items[0], certs.items[1], AN_LIT("0123456789abcdef"), &request);
    assert_int_equal(an_ocsp_request_parse(an_buf_view(&request), &query, 1, &count, &nonce, NULL), AN_OK);
    assert_true(count == 1 && an_bytes_eq(nonce, AN_LIT("0123456789abcdef")) &&
                an_bytes_eq(query.serial, certs.items[0]->serial));
    fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, request.ptr, request.len) == (ssize_t)request.len);
    close(fd);
    snprintf(command, sizeof(command), "openssl ocsp -reqin %s -req_text 2>/dev/null", path);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    len = fread(text, 1, sizeof(text) - 1, pipe);
    text[len] = '\0';
    assert_int_equal(pclose(pipe), 0);
    unlink(path);
    assert_non_null(strstr(text, "Hash Algorithm: sha1"));
    assert_non_null(strstr(text, "041030313233343536373839616263646566"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find), cmocka_unit_test(test_indirect), cmocka_unit_test(test_bad_lists),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_ocsp_answers), cmocka_unit_test(test_ocsp_parsing),
        cmocka_unit_test(test_ocsp_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
