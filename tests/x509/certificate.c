/* Certificates and names: built here field by field and broken one at a time; vectors compared with openssl(1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "asn1/oid.h"
#include "base/file.h"
#include "x509/cert.h"

/* ---- a certificate out of parts; every part can be replaced ---- */

struct recipe {
    const char *version, *serial, *inner, *validity, *key, *ids, *extensions, *outer,
        *after; /* hex; NULL = the usual */
};

static const char usual_algorithm[] = "300d06092a864886f70d01010b0500";
static const char usual_validity[] = "301e170d3234303130313030303030305a170d3334303130313030303030305a";

static void
put_hex(struct an_buf *out, const char *hex, const char *usual)
{
    assert_true(an_hex_decode(out, an_bytes_of_str(hex != NULL ? hex : usual)));
}

static void
put_name(struct an_der_out *out)
{
    static const struct an_name_part parts[] = {
        {"2.5.4.6", "VN"}, {"2.5.4.10", "Ban Cơ yếu Chính phủ"}, {"2.5.4.3", "Nguyễn Văn A"},
    };

    an_name_build(out, parts, AN_COUNT(parts));
}

static void
build_cert(const struct recipe *recipe, struct an_buf *ret)
{
    struct an_der_out out = AN_DER_OUT(ret);

    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_open(&out, AN_DER_SEQUENCE);
    put_hex(ret, recipe->version, "a003020102");
    put_hex(ret, recipe->serial, "020900ff303ae4e90ac1ed");
    put_hex(ret, recipe->inner, usual_algorithm);
    put_name(&out);
    put_hex(ret, recipe->validity, usual_validity);
    put_name(&out);
    put_hex(ret, recipe->key, "3019301306072a8648ce3d020106082a8648ce3d030107030200 04");
    put_hex(ret, recipe->ids, "");
    if (recipe->extensions != NULL) {
        an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(3));
        an_der_open(&out, AN_DER_SEQUENCE);
        put_hex(ret, recipe->extensions, "");
        an_der_close(&out);
        an_der_close(&out);
    }
    an_der_close(&out);
    put_hex(ret, recipe->outer, usual_algorithm);
    put_hex(ret, NULL, "030300dead");
    an_der_close(&out);
    put_hex(ret, recipe->after, "");
}

#define KU_CA "300e0603551d0f0101ff040403020106"
#define BC_CA "300f0603551d130101ff040530030101ff"
#define EMPTY_IAN "30090603551d1204023000"

static void
test_fields(void **state)
{
    static const struct { struct recipe recipe; an_code code; const char *detail;
    } cases[] = {
        {{.version = NULL}, AN_OK, NULL},
        {{.version = ""}, AN_OK, NULL},
        {{.version = "a003020103"}, AN_E_CERT_VERSION, "version 3"},
        {{.version = "a0030201ff"}, AN_E_CERT_VERSION, "version"},
        {{.version = "", .extensions = KU_CA}, AN_E_CERT_VERSION, "version 1 with extensions"},
        {{.version = "a003020101", .extensions = KU_CA}, AN_E_CERT_VERSION, "version 2 with extensions"},
        {{.version = "", .ids = "81020001"}, AN_E_CERT_VERSION, "version 1 with unique"},
        {{.ids = "8102000182020001"}, AN_OK, NULL},
        {{.serial = "0200"}, AN_E_CERT_SERIAL, "serialNumber"},
        {{.serial = "02020001"}, AN_E_CERT_SERIAL, "serialNumber"},
        {{.serial = "020100"}, AN_OK, NULL},
        {{.serial = "0208ff303ae4e90ac1ed"}, AN_OK, NULL},
        {{.outer = "300d06092a864886f70d01010c0500"}, AN_E_CERT_ALGORITHM, "differ"},
        {{.validity = "301e170d3234303130313030303030305a170d3334303133323030303030305a"},
         AN_E_CERT_VALIDITY,
         "notAfter"},
        {{.validity = "301c170b323430313031303030305a170d3334303130313030303030305a"}, AN_E_CERT_VALIDITY, "notBefore"},
        {{.validity = "3020180f32303234303130313030303030305a170d3334303130313030303030305a"}, AN_OK, NULL},
        {{.validity = "30221811323032343031303130303030302e305a5a170d3334303130313030303030305a"},
         AN_E_CERT_VALIDITY,
         "notBefore"},
        {{.key = "3000"}, AN_E_CERT_KEY, "algorithm"},
        {{.key = "3019301306072a8648ce3d020106082a8648ce3d03010703020104"}, AN_E_CERT_KEY, "subjectPublicKey"},
        {{.extensions = KU_CA BC_CA}, AN_OK, NULL},
        {{.extensions = KU_CA KU_CA}, AN_E_CERT_EXTENSION_TWICE, "2.5.29.15"},
        {{.extensions = ""}, AN_E_CERT_EXTENSION, "extension"},
        {{.extensions = "300e0603551d0f010101040403020106"}, AN_E_CERT_EXTENSION, "extension"},
        {{.extensions = "300f0603551d130101ff0405300301ff01"}, AN_E_CERT_EXTENSION, "basicConstraints"},
        {{.extensions = "30120603551d130101ff040830060101ff0201ff"}, AN_E_CERT_EXTENSION, "basicConstraints"},
        {{.extensions = EMPTY_IAN}, AN_OK, NULL},
        {{.after = "00"}, AN_E_DER_TRAILING, "1 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
        AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
        struct an_err err = {0};
        build_cert(&cases[i].recipe, &der);
        an_code got = an_cert_parse(an_buf_view(&der), &cert, &err);
        if (got != cases[i].code)
            print_error("case %zu: %s\n", i, err.detail);
        assert_int_equal(got, cases[i].code);
        if (got != AN_OK)
            assert_non_null(strstr(err.detail, cases[i].detail));
    }
}

static void
test_struct(void **state)
{
    static const struct recipe recipe = {.extensions =
                                             KU_CA "30120603551d130101ff040830060101ff020102"
                                                   "301d0603551d0e04160414d9171b51a317b79efc2ddb61fa7900ff58749d5c"
                                                   "30160603551d25040f300d06082b0601050507030806 0155"
                                                   "30160603551d11040f300d810b6140636f2e676f762e766e"};
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(1000);
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;

    (void)state;
    build_cert(&recipe, &der);
    assert_int_equal(an_cert_parse(an_buf_view(&der), &cert, NULL), AN_OK);
    assert_int_equal(cert->version, 3);
    assert_true(cert->has_key_usage && cert->key_usage == (AN_KU_KEY_CERT_SIGN | AN_KU_CRL_SIGN));
    assert_true(cert->has_basic_constraints && cert->is_ca && cert->path_len == 2);
    assert_true(cert->has_eku && an_cert_has_eku(cert, "1.3.6.1.5.5.7.3.8") &&
                !an_cert_has_eku(cert, "1.3.6.1.5.5.7.3.9"));
    assert_int_equal(cert->ski.len, 20);
    assert_true(cert->self_issued && cert->not_before == 1704067200 && cert->not_after == 2019686400);
    assert_int_equal(cert->scheme.kind, AN_SIG_RSA_PKCS1);
    assert_int_equal(cert->scheme.digest, AN_SHA256);
    assert_true(an_cert_email(cert, &text) && an_bytes_eq_str(an_buf_view(&text), "a@co.gov.vn"));
    an_buf_reset(&text);
    an_name_text(cert->subject, &text);
    assert_true(an_bytes_eq_str(an_buf_view(&text), "CN=Nguyễn Văn A, O=Ban Cơ yếu Chính phủ, C=VN"));
}

static bool
has_quirk(const struct recipe *recipe, an_code wanted)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    an_code quirks[32];
    size_t count;

    build_cert(recipe, &der);
    assert_int_equal(an_cert_parse(an_buf_view(&der), &cert, NULL), AN_OK);
    count = an_cert_quirks(cert, quirks, AN_COUNT(quirks));
    for (size_t i = 0; i < count; i++)
        if (quirks[i] == wanted)
            return true;
    return false;
}

static void
test_quirks(void **state)
{
    static const struct { struct recipe recipe; an_code code; } cases[] = {
        {{.serial = "0208ff303ae4e90ac1ed"}, AN_N_CERT_SERIAL_NEGATIVE},
        {{.serial = "020100"}, AN_N_CERT_SERIAL_ZERO},
        {{.serial = "02150102030405060708090a0b0c0d0e0f101112131415"}, AN_N_CERT_SERIAL_LONG},
        {{.extensions = EMPTY_IAN}, AN_N_CERT_ALT_NAME_EMPTY},
        {{.extensions = "300b0603551d0f040403020106"}, AN_N_CERT_KEY_USAGE_NOT_CRITICAL},
        {{.extensions = "300c0603551d13040530030101ff"}, AN_N_CERT_CONSTRAINTS_NOT_CRITICAL},
        {{.version = ""}, AN_N_CERT_VERSION_1},
        {{.inner = "300d06092a864886f70d0101050500", .outer = "300d06092a864886f70d0101050500"}, AN_N_CERT_SHA1},
        {{.extensions = "3011 0609 6086480186f842010d 0404 16024142"}, AN_N_CERT_NETSCAPE},
        {{.validity = "3020180f32303234303130313030303030305a170d3334303130313030303030305a"}, AN_N_CERT_TIME_TYPE},
    };
    static const struct recipe usual = {.extensions = KU_CA BC_CA};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        assert_true(has_quirk(&cases[i].recipe, cases[i].code));
        assert_false(has_quirk(&usual, cases[i].code));
    }
}

/* ---- names ---- */

struct typed { int tag; const char *hex; };

static void
put_typed_name(struct an_buf *ret, const struct typed *values, size_t count)
{
    struct an_der_out out = AN_DER_OUT(ret);

    an_der_open(&out, AN_DER_SEQUENCE);
    for (size_t i = 0; i < count; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf value = an_buf_new(1000);
        put_hex(&value, values[i].hex, "");
        an_der_open(&out, AN_DER_SET);
        an_der_open(&out, AN_DER_SEQUENCE);
        an_der_put_oid(&out, i == 0 ? "2.5.4.10" : "2.5.4.3");
        an_der_put(&out, values[i].tag, an_buf_view(&value));
        an_der_close(&out);
        an_der_close(&out);
    }
    an_der_close(&out);
}

static void
test_name_equality(void **state)
{
    static const struct { struct typed a[2], b[2]; size_t count_a, count_b; bool equal, within;
    } cases[] = {
        /* "Ab c" against " aB   C ", other type */
        {{{AN_DER_UTF8_STRING, "41622063"}}, {{AN_DER_PRINTABLE_STRING, "2061422020204320"}}, 1, 1, true, true},
        {{{AN_DER_UTF8_STRING, "41622063"}}, {{AN_DER_PRINTABLE_STRING, "416263"}}, 1, 1, false, false},
        /* "Cơ yếu": composed and decomposed UTF-8, upper case, BMPString */
        {{{AN_DER_UTF8_STRING, "43c6a1207965cc82cc8175"}},
         {{AN_DER_BMP_STRING, "004301a0002000591ebe0055"}},
         1,
         1,
         true,
         true},
        /* diacritics count */
        {{{AN_DER_UTF8_STRING, "43c6a1"}}, {{AN_DER_UTF8_STRING, "436f"}}, 1, 1, false, false},
        /* subtree */
        {{{AN_DER_UTF8_STRING, "41"}}, {{AN_DER_UTF8_STRING, "61"}, {AN_DER_UTF8_STRING, "62"}}, 1, 2, false, true},
        {{{AN_DER_UTF8_STRING, "41"}, {AN_DER_UTF8_STRING, "42"}}, {{AN_DER_UTF8_STRING, "61"}}, 2, 1, false, false},
        {{{0, NULL}}, {{AN_DER_UTF8_STRING, "61"}}, 0, 1, false, true},
        /* not a string: octets decide */
        {{{AN_DER_OCTET_STRING, "41"}}, {{AN_DER_OCTET_STRING, "61"}}, 1, 1, false, false},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf a = an_buf_new(1000);
        AN_CLEANUP(an_buf_free) struct an_buf b = an_buf_new(1000);
        put_typed_name(&a, cases[i].a, cases[i].count_a);
        put_typed_name(&b, cases[i].b, cases[i].count_b);
        assert_int_equal(an_name_eq(an_buf_view(&a), an_buf_view(&b)), cases[i].equal);
        assert_int_equal(an_name_eq(an_buf_view(&b), an_buf_view(&a)), cases[i].equal);
        assert_int_equal(an_name_within(an_buf_view(&a), an_buf_view(&b)), cases[i].within);
        assert_true(an_name_eq(an_buf_view(&a), an_buf_view(&a)));
    }
}

static void
test_name_text(void **state)
{
    static const struct { const char *hex, *text; } cases[] = {
        {"3000", ""},
        {"300e310c300a06035504030c03612c62", "CN=a\\,b"},
        {"300f310d300b06035504030c0420610a20", "CN=\\ a\\0A\\ "},
        {"3016311430080603550403 0c0161 30080603550405 0c0162", "CN=a+serialNumber=b"},
        {"300c310a3008060388370313 0161", "2.999.3=a"},
        {"300d310b300906035504030202 0080", "CN=#02020080"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf name = an_buf_new(1000);
        AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(1000);
        put_hex(&name, cases[i].hex, "");
        an_name_text(an_buf_view(&name), &text);
        assert_true(an_bytes_eq_str(an_buf_view(&text), cases[i].text));
    }
}

/* ---- algorithm identifiers: written here, read by us and named by openssl(1) ---- */

static void
test_schemes(void **state)
{
    static const struct an_scheme schemes[] = {
        {AN_SIG_RSA_PKCS1, AN_SHA1, 0, 0},      {AN_SIG_RSA_PKCS1, AN_SHA384, 0, 0},
        {AN_SIG_RSA_PKCS1, AN_SHA3_256, 0, 0},  {AN_SIG_RSA_PSS, AN_SHA256, AN_SHA256, 32},
        {AN_SIG_RSA_PSS, AN_SHA1, AN_SHA1, 20}, {AN_SIG_RSA_PSS, AN_SHA512, AN_SHA256, 0},
        {AN_SIG_ECDSA, AN_SHA256, 0, 0},        {AN_SIG_ECDSA, AN_SHA512, 0, 0},
        {AN_SIG_DSA, AN_SHA256, 0, 0},          {AN_SIG_EDDSA, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(schemes); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(200);
        struct an_der_out out = AN_DER_OUT(&der);
        struct an_scheme again = {0};
        an_scheme_write(&out, &schemes[i]);
        assert_int_equal(an_scheme_parse(an_buf_view(&der), AN_DIGEST_NONE, &again, NULL), AN_OK);
        assert_memory_equal(&again, &schemes[i], sizeof(again));
    }
    struct an_scheme scheme = {0};
    AN_CLEANUP(an_buf_free) struct an_buf rsa = an_buf_new(100);
    put_hex(&rsa, "300d06092a864886f70d0101010500", "");
    assert_int_equal(an_scheme_parse(an_buf_view(&rsa), AN_DIGEST_NONE, &scheme, NULL), AN_E_SCHEME_UNKNOWN);
    assert_int_equal(an_scheme_parse(an_buf_view(&rsa), AN_SHA384, &scheme, NULL), AN_OK);
    assert_int_equal(scheme.digest, AN_SHA384);
    assert_false(an_scheme_can_write(&(struct an_scheme){AN_SIG_ECDSA, AN_MD5, 0, 0}));
}

/* ---- vectors ---- */

static size_t seen, refused, compared;

/* openssl(1) answers for one certificate in eighteen: the whole set would take a minute. */
static void
compare_with_openssl(const char *path, const struct an_cert *cert)
{
    AN_CLEANUP(an_buf_free) struct an_buf serial = an_buf_new(1000);
    char command[1200], line[1024], want[1100];
    bool negative = cert->serial.ptr[0] >= 0x80;
    an_bytes digits = cert->serial;
    FILE *pipe;

    if (negative || seen % 18 != 1)
        return;
    while (digits.len > 1 && digits.ptr[0] == 0)
        digits = AN_BYTES(digits.ptr + 1, digits.len - 1);
    an_buf_hex(&serial, digits);
    snprintf(want, sizeof(want), "serial=%.*s\n", AN_FMT(an_buf_view(&serial)));
    snprintf(command, sizeof(command),
             "openssl x509 -noout -serial -in '%s' 2>/dev/null || openssl x509 -inform DER -noout -serial -in '%s'",
             path, path);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    if (fgets(line, sizeof(line), pipe) != NULL) {
        assert_int_equal(strcasecmp(line, want), 0);
        compared++;
    }
    pclose(pipe);
}

static int
visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    AN_CLEANUP(an_certs_done) struct an_certs certs = {0};
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    const char *dot = strrchr(path, '.'), *name = path + ftw->base;

    if (type != FTW_F || dot == NULL || st->st_size > 200000 || (strcmp(dot, ".crt") != 0 && strcmp(dot, ".pem") != 0))
        return 0;
    if (strncmp(name, "crl", 3) == 0 || an_file_open(path, 0, &file, NULL) != AN_OK)
        return 0;
    seen++;
    if (an_certs_read(&certs, file.bytes, NULL) != AN_OK) {
        print_message("refused: %s\n", path);
        refused++;
        return 0;
    }
    assert_true(certs.count >= 1);
    if (certs.count == 1)
        compare_with_openssl(path, certs.items[0]);
    return 0;
}

static void
test_vectors(void **state)
{
    const char *root = getenv("ANTIN_VECTORS");
    static const char *const folders[] = {"pkits/certs", "limbo/cases", "pyhanko/openssl-ocsp"};
    char path[1000];

    (void)state;
    if (root == NULL || access(root, R_OK) != 0) {
        print_message("without the shared vectors\n");
        skip();
    }
    for (size_t i = 0; i < AN_COUNT(folders); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
        nftw(path, visit, 16, FTW_PHYS);
    }
    print_message("%zu files, %zu refused, %zu compared\n", seen, refused, compared);
    assert_true(seen > 500 && compared > 20);
    assert_int_equal(refused, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields), cmocka_unit_test(test_struct), cmocka_unit_test(test_quirks),
        cmocka_unit_test(test_name_equality), cmocka_unit_test(test_name_text), cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
