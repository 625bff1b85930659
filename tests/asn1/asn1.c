/* DER reading and writing, BER, PEM, identifiers, times, strings. Expected octets are written by hand from X.690. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "asn1/oid.h"

static struct an_buf
unhex(const char *hex)
{
    struct an_buf out = an_buf_new(1 << 20);

    assert_true(an_hex_decode(&out, an_bytes_of_str(hex)));
    return out;
}

static void
assert_hex(const struct an_buf *got, const char *hex)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(1 << 20);

    an_buf_hex(&text, an_buf_view(got));
    an_buf_byte(&text, 0);
    assert_string_equal((const char *)text.ptr, hex);
}

/* ---- headers ---- */

static void
test_headers(void **state)
{
    static const struct { const char *hex; an_code code; int tag; size_t len; } cases[] = {
        {"0500", AN_OK, AN_DER_NULL, 0},
        {"020105", AN_OK, AN_DER_INTEGER, 1},
        {"1f2100", AN_OK, 0x1F | 0x21 << 8, 0},
        {"bf8148020500", AN_OK, 0xBF | 200 << 8, 2},
        {"", AN_E_DER_TRUNCATED, 0, 0},
        {"30", AN_E_DER_TRUNCATED, 0, 0},
        {"300201", AN_E_DER_TRUNCATED, 0, 0},
        {"3080", AN_E_DER_LENGTH, 0, 0},
        {"30810105", AN_E_DER_LENGTH, 0, 0},     /* long form where the short one does */
        {"3082008000", AN_E_DER_LENGTH, 0, 0},   /* leading zero */
        {"3089010000000000000000", AN_E_DER_LENGTH, 0, 0},
        {"3088ffffffffffffffff", AN_E_DER_TRUNCATED, 0, 0},
        {"1f1e00", AN_E_DER_TRUNCATED, 0, 0},    /* long tag for a number below 31 */
        {"1f8021", AN_E_DER_TRUNCATED, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = unhex(cases[i].hex);
        an_bytes in = an_buf_view(&der), whole, value;
        int tag = 0;
        assert_int_equal(an_der_any(&in, &tag, &whole, &value, NULL), cases[i].code);
        if (cases[i].code != AN_OK)
            continue;
        assert_int_equal(tag, cases[i].tag);
        assert_int_equal(value.len, cases[i].len);
        assert_int_equal(in.len, 0);
    }
}

static void
test_integers(void **state)
{
    static const struct { const char *hex; bool ok; int64_t value;
    } cases[] = {
        {"020100", true, 0},
        {"02017f", true, 127},
        {"02020080", true, 128},
        {"020180", true, -128},
        {"0202ff7f", true, -129},
        {"02087fffffffffffffff", true, INT64_MAX},
        {"02088000000000000000", true, INT64_MIN},
        {"0a0103", true, 3},
        {"0200", false, 0},
        {"02020001", false, 0},
        {"0202ff80", false, 0},
        {"0209008000000000000000", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = unhex(cases[i].hex);
        AN_CLEANUP(an_buf_free) struct an_buf again = an_buf_new(64);
        struct an_der_out out = AN_DER_OUT(&again);
        an_bytes in = an_buf_view(&der);
        int64_t value = 0;
        assert_int_equal(an_der_int64(&in, &value, NULL) == AN_OK, cases[i].ok);
        if (!cases[i].ok || cases[i].hex[1] != '2')
            continue;
        assert_true(value == cases[i].value);
        an_der_put_int(&out, value);
        assert_hex(&again, cases[i].hex);
    }
}

static void
test_bools_and_bits(void **state)
{
    static const struct { const char *hex; bool ok;
    } cases[] = {
        {"010100", true},    {"0101ff", true},  {"010101", false},  {"0100", false},
        {"01020000", false}, {"030100", true},  {"03020780", true}, {"03020781", false},
        {"03020880", false}, {"030101", false}, {"0300", false},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = unhex(cases[i].hex);
        an_bytes in = an_buf_view(&der), bits;
        unsigned unused;
        bool value, ok;
        if (der.ptr[0] == AN_DER_BOOLEAN)
            ok = an_der_bool(&in, &value, NULL) == AN_OK;
        else
            ok = an_der_bits(&in, &bits, &unused, NULL) == AN_OK;
        assert_int_equal(ok, cases[i].ok);
        assert_int_equal(in.len, ok ? 0 : der.len);
    }
}

static void
test_times(void **state)
{
    static const struct { int tag; const char *text; an_time when; } cases[] = {
        {AN_DER_UTC_TIME, "700101000000Z", 0},
        {AN_DER_UTC_TIME, "491231235959Z", 2524607999},
        {AN_DER_UTC_TIME, "500101000000Z", -631152000},
        {AN_DER_GENERALIZED_TIME, "20500101000000Z", 2524608000},
        {AN_DER_GENERALIZED_TIME, "20240229120000.123Z", 1709208000},
        {AN_DER_GENERALIZED_TIME, "99991231235959Z", 253402300799},
        {AN_DER_GENERALIZED_TIME, "20230229120000Z", AN_TIME_NONE},
        {AN_DER_GENERALIZED_TIME, "20240229120000", AN_TIME_NONE},
        {AN_DER_GENERALIZED_TIME, "20240229120000.Z", AN_TIME_NONE},
        {AN_DER_GENERALIZED_TIME, "20240229120000+0700", AN_TIME_NONE},
        {AN_DER_UTC_TIME, "2402291200Z", AN_TIME_NONE},
        {AN_DER_UTC_TIME, "240229126000Z", AN_TIME_NONE},
        {AN_DER_UTC_TIME, "24022912000aZ", AN_TIME_NONE},
        {AN_DER_UTC_TIME, "", AN_TIME_NONE},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(64);
        struct an_der_out out = AN_DER_OUT(&der);
        an_time when = AN_TIME_NONE;
        an_der_put(&out, cases[i].tag, an_bytes_of_str(cases[i].text));
        an_bytes in = an_buf_view(&der);
        assert_int_equal(an_der_time(&in, &when, NULL) == AN_OK, cases[i].when != AN_TIME_NONE);
        assert_true(when == cases[i].when);
        if (when == AN_TIME_NONE || strchr(cases[i].text, '.') != NULL)
            continue;
        AN_CLEANUP(an_buf_free) struct an_buf again = an_buf_new(64);
        struct an_der_out out_again = AN_DER_OUT(&again);
        an_der_put_time(&out_again, when);
        assert_true(an_bytes_eq(an_buf_view(&again), an_buf_view(&der)));
    }
}

static void
test_text(void **state)
{
    static const struct { const char *hex, *utf8; } cases[] = {
        {"0c0541cc8042c3", NULL},              /* UTF-8 cut short */
        {"0c034be1bb", NULL},
        {"0c06c6a0204be1ba", NULL},
        {"0c044be1bbb3", "K\xE1\xBB\xB3"},
        {"13024142", "AB"},
        {"1302c3a9", NULL},
        {"1402e9e8", "\xC3\xA9\xC3\xA8"},      /* T61String as Latin-1 */
        {"1e044b1ef3", NULL},
        {"1e04004b1ef3", "K\xE1\xBB\xB3"},
        {"1e0200d8", "\xC3\x98"},
        {"1e02d800", NULL},                    /* lone surrogate */
        {"1c0800000041000001b0", "A\xC6\xB0"},
        {"1c0400110000", NULL},
        {"020101", NULL},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = unhex(cases[i].hex);
        AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(64);
        an_bytes in = an_buf_view(&der);
        an_code got = an_der_text(&in, &text, NULL);
        assert_int_equal(got == AN_OK, cases[i].utf8 != NULL);
        if (cases[i].utf8 != NULL)
            assert_true(an_bytes_eq_str(an_buf_view(&text), cases[i].utf8));
        else
            assert_int_equal(text.len, 0);
    }
}

static void
test_oids(void **state)
{
    static const struct { const char *dotted, *hex;
    } cases[] = {
        {"1.2.840.113549.1.7.2", "2a864886f70d010702"},
        {"2.16.704.1.1.1.1.1", "608540010101 0101"},
        {"2.5.29.15", "551d0f"},
        {"2.999.3", "883703"},
        {"0.4.0.127.0.7", "04007f0007"},
        {"1.3.6.1.5.5.7.48.1", "2b06010505073001"},
        {"3.1", NULL},
        {"1.40", NULL},
        {"1", NULL},
        {"", NULL},
        {"1.2.", NULL},
        {"1..2", NULL},
        {"1.2.x", NULL},
        {"1.2.1234567890123456789", NULL},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf got = an_buf_new(256);
        AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(256);
        assert_int_equal(an_oid_bytes(cases[i].dotted, &got), cases[i].hex != NULL);
        if (cases[i].hex == NULL)
            continue;
        AN_CLEANUP(an_buf_free) struct an_buf want = unhex(cases[i].hex);
        assert_true(an_bytes_eq(an_buf_view(&got), an_buf_view(&want)));
        assert_true(an_oid_eq(an_buf_view(&want), cases[i].dotted));
        an_oid_text(an_buf_view(&got), &text);
        assert_true(an_bytes_eq_str(an_buf_view(&text), cases[i].dotted));
    }
    assert_true(an_oid_eq(AN_OID_SIGNING_CERT_V2, "1.2.840.113549.1.9.16.2.47"));
    assert_true(an_oid_eq(AN_OID_ADBE_REVOCATION, "1.2.840.113583.1.1.8"));
    assert_true(an_oid_eq(AN_OID_NETSCAPE_PREFIX, "2.16.840.1.113730.1"));
    assert_true(an_oid_eq(AN_OID_AIA, "1.3.6.1.5.5.7.1.1"));
}

static void
test_ber(void **state)
{
    static const struct { const char *ber, *der; an_code code; } cases[] = {
        {"3003020105", "3003020105", AN_OK},
        {"30800201050000", "3003020105", AN_OK},
        {"3080308002010500000101ff0000", "3008300302010501 01ff", AN_OK},
        {"308103020105", "3003020105", AN_OK},
        {"2480040201020402030400 00", "040401020304", AN_OK},
        {"240a04020102240404020304", "040401020304", AN_OK},
        {"a0802480040161040162 00000000", "a00404026162", AN_OK},
        {"3080", NULL, AN_E_DER_TRUNCATED},
        {"0480000000", NULL, AN_E_DER_LENGTH},
        {"24800201050000", NULL, AN_E_DER_TAG},
        {"2480300302010500 00", NULL, AN_E_DER_TAG},
        {"300302010500", NULL, AN_E_DER_TRAILING},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf ber = unhex(cases[i].ber);
        AN_CLEANUP(an_buf_free) struct an_buf got = an_buf_new(1024);
        assert_int_equal(an_ber_to_der(an_buf_view(&ber), &got, NULL), cases[i].code);
        if (cases[i].der == NULL)
            continue;
        AN_CLEANUP(an_buf_free) struct an_buf want = unhex(cases[i].der);
        assert_true(an_bytes_eq(an_buf_view(&got), an_buf_view(&want)));
    }
}

static void
test_ber_depth(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf ber = an_buf_new(AN_BUF_UNLIMITED);
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(AN_BUF_UNLIMITED);

    (void)state;
    for (int i = 0; i < 100000; i++)
        an_buf_append(&ber, AN_LIT("\x30\x80"));
    assert_int_equal(an_ber_to_der(an_buf_view(&ber), &out, NULL), AN_E_LIMIT);
}

static void
test_writing(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf got = an_buf_new(1 << 20);
    struct an_der_out out = AN_DER_OUT(&got);
    static const uint8_t zeros[300];

    (void)state;
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_open(&out, AN_DER_SET);
    an_der_put(&out, AN_DER_OCTET_STRING, AN_BYTES(zeros, sizeof(zeros)));
    an_der_close(&out);
    an_der_put_unsigned(&out, AN_LIT("\0\0\xFF"));
    an_der_put_unsigned(&out, AN_NONE);
    an_der_put_bits(&out, AN_LIT("\x80"), 7);
    an_der_put_bool(&out, true);
    an_der_put_null(&out);
    an_der_close(&out);
    assert_int_equal(got.ptr[0], 0x30);
    assert_memory_equal(got.ptr, "\x30\x82\x01\x44\x31\x82\x01\x30\x04\x82\x01\x2C", 12);
    assert_memory_equal(got.ptr + 12 + 300, "\x02\x02\x00\xFF\x02\x01\x00\x03\x02\x07\x80\x01\x01\xFF\x05\x00", 16);
    assert_int_equal(got.len, an_der_size(0x144));
}

static void
test_pem(void **state)
{
    static const char text[] = "preamble\n-----BEGIN A B-----\nMAA=\n-----END A B-----\njunk\n"
                               "-----BEGIN C-----\r\nProc-Type: 4\r\n\r\nMAMCAQU=\r\n-----END C-----\n";
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(100);
    char label[64];
    size_t at = 0;

    (void)state;
    assert_true(an_pem_next(an_bytes_of_str(text), &at, &der, label));
    assert_string_equal(label, "A B");
    assert_hex(&der, "3000");
    an_buf_reset(&der);
    assert_true(an_pem_next(an_bytes_of_str(text), &at, &der, label));
    assert_string_equal(label, "C");
    assert_hex(&der, "3003020105");
    assert_false(an_pem_next(an_bytes_of_str(text), &at, &der, label));
    assert_int_equal(at, sizeof(text) - 1);
    at = 0;
    assert_false(an_pem_next(AN_LIT("x-----BEGIN C-----\nM!!=\n-----END C-----"), &at, &der, label));
    assert_int_equal(at, 1);
    at = 0;
    an_buf_reset(&der);
    assert_true(an_pem_next(AN_LIT("\x30\x03\x02\x01\x05\x30\x00"), &at, &der, label));
    assert_string_equal(label, "");
    assert_int_equal(at, 5);
}

/* Lines of 64 letters, as RFC 7468 section 2 wants them; lengths around the end of a line; what is written reads back. */
static void
test_pem_write(void **state)
{
    static const size_t lengths[] = {1, 47, 48, 49, 96, 97, 600};
    uint8_t bytes[600];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < AN_COUNT(lengths); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(2000), back = an_buf_new(2000);
        char label[64];
        size_t at = 0, line = 0;

        an_pem_write(&text, "A B", AN_BYTES(bytes, lengths[i]));
        assert_true(an_bytes_starts_with(an_buf_view(&text), AN_LIT("-----BEGIN A B-----\n")));
        for (size_t k = 0; k < text.len; k++) {
            line = text.ptr[k] == '\n' ? 0 : line + 1;
            assert_true(line <= 64);
        }
        assert_int_equal(an_bytes_find(an_buf_view(&text), AN_LIT("\n\n"), 0), SIZE_MAX);
        assert_true(an_pem_next(an_buf_view(&text), &at, &back, label));
        assert_string_equal(label, "A B");
        assert_true(an_bytes_eq(an_buf_view(&back), AN_BYTES(bytes, lengths[i])));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers), cmocka_unit_test(test_integers),  cmocka_unit_test(test_bools_and_bits),
        cmocka_unit_test(test_times),   cmocka_unit_test(test_text),      cmocka_unit_test(test_oids),
        cmocka_unit_test(test_ber),     cmocka_unit_test(test_ber_depth), cmocka_unit_test(test_writing),
        cmocka_unit_test(test_pem), cmocka_unit_test(test_pem_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
