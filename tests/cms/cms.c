/* What we sign is checked by openssl(1), what openssl(1) signs is checked by us; time-stamps the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "asn1/oid.h"
#include "base/file.h"
#include "cms/cms.h"

static char folder[] = "/tmp/antin-cms-XXXXXX";
#define CONTENT "Quyết định số 01/QĐ-UBND\n"

static int AN_PRINTF(1, 2)
run(const char *fmt, ...)
{
    char command[2000];
    va_list args;
    int len;

    len = snprintf(command, sizeof(command), "cd %s && exec 2>>log && ", folder);
    va_start(args, fmt);
    vsnprintf(command + len, sizeof(command) - (size_t)len, fmt, args);
    va_end(args);
    return system(command);
}

static const char *
in_folder(const char *name)
{
    static char path[200];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void
read_file(const char *name, struct an_buf *ret)
{
    *ret = an_buf_new(1 << 20);
    assert_int_equal(an_file_read(in_folder(name), 1 << 20, ret, NULL), AN_OK);
}

static void
write_file(const char *name, an_bytes bytes)
{
    assert_int_equal(an_file_write(in_folder(name), bytes, 0600, NULL), AN_OK);
}

static const char tsa_config[] = "[tsa]\ndefault_tsa = t\n[t]\nserial = serial\nsigner_digest = sha256\ndefault_policy "
                                 "= 1.2.3.4\ndigests = sha256, sha512\n"
                                 "accuracy = secs:1, millisecs:500\nordering = yes\ntsa_name = yes\ness_cert_id_chain "
                                 "= no\ness_cert_id_alg = sha256\n";

static int
make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    write_file("content", AN_LIT(CONTENT));
    write_file("tsa.cnf", an_bytes_of_str(tsa_config));
    return run(
        "R='openssl req -x509 -nodes -days 3000 -subj /C=VN/O=A/CN=' ; "
        "${R}rsa -newkey rsa:2048 -keyout rsa.key -out rsa.pem && "
        "${R}p256 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout p256.key -out p256.pem && "
        "${R}p384 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -keyout p384.key -out p384.pem && "
        "${R}tsa -newkey rsa:2048 -keyout tsa.key -out tsa.pem -addext extendedKeyUsage=critical,timeStamping && "
        "${R}ca -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout ca.key -out ca.pem");
}

static int
remove_folder(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static struct an_cert *
load_cert(const char *name)
{
    AN_CLEANUP(an_buf_free) struct an_buf pem;
    AN_CLEANUP(an_certs_done) struct an_certs certs = {0};

    read_file(name, &pem);
    assert_int_equal(an_certs_read(&certs, an_buf_view(&pem), NULL), AN_OK);
    return an_cert_ref(certs.items[0]);
}

static struct an_privkey *
load_key(const char *name)
{
    AN_CLEANUP(an_buf_free) struct an_buf pem;
    struct an_privkey *key = NULL;

    read_file(name, &pem);
    assert_int_equal(an_privkey_parse(an_buf_view(&pem), NULL, &key, NULL), AN_OK);
    return key;
}

static void
sign_attributes(struct an_privkey *key, const struct an_scheme *scheme, an_bytes attributes, struct an_buf *ret)
{
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(scheme->digest, attributes, digest);
    assert_int_equal(an_privkey_sign(key, scheme, AN_BYTES(digest, an_digest_size(scheme->digest)), ret, NULL), AN_OK);
}

static void
digest_of(enum an_digest digest, an_bytes bytes, uint8_t out[static AN_DIGEST_MAX], an_bytes *ret)
{
    an_hash_once(digest, bytes, out);
    *ret = AN_BYTES(out, an_digest_size(digest));
}

/* ---- ours, checked by openssl ---- */

static const struct signing {
    const char *key, *cert;
    struct an_scheme scheme;
    bool attached, chain;
    an_time time;
} signings[] = {
    {"rsa.key", "rsa.pem", {AN_SIG_RSA_PKCS1, AN_SHA256, 0, 0}, false, false, AN_TIME_NONE},
    {"rsa.key", "rsa.pem", {AN_SIG_RSA_PKCS1, AN_SHA512, 0, 0}, true, true, 1750000000},
    {"rsa.key", "rsa.pem", {AN_SIG_RSA_PSS, AN_SHA256, AN_SHA256, 32}, false, true, AN_TIME_NONE},
    {"p256.key", "p256.pem", {AN_SIG_ECDSA, AN_SHA256, 0, 0}, false, false, 1750000000},
    {"p384.key", "p384.pem", {AN_SIG_ECDSA, AN_SHA384, 0, 0}, true, false, AN_TIME_NONE},
};

static void
make_signature(const struct signing *how, struct an_buf *ret)
{
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = load_cert(how->cert);
    AN_CLEANUP(an_privkey_free) struct an_privkey *key = load_key(how->key);
    AN_CLEANUP(an_certs_done) struct an_certs chain = {0};
    AN_CLEANUP(an_buf_free) struct an_buf attributes = an_buf_new(4096);
    AN_CLEANUP(an_buf_free) struct an_buf again = an_buf_new(4096);
    AN_CLEANUP(an_buf_free) struct an_buf signature = an_buf_new(4096);
    uint8_t digest[AN_DIGEST_MAX];
    struct an_cms_plan plan = {
        .signer = cert, .scheme = how->scheme, .signing_time = how->time, .signing_certificate_v2 = true};
    struct an_cert *ca = load_cert("ca.pem");

    an_certs_add(&chain, cert);
    an_certs_add(&chain, ca);
    an_cert_unref(&ca);
    plan.chain = how->chain ? &chain : NULL;
    plan.content = how->attached ? AN_LIT(CONTENT) : AN_NONE;
    digest_of(how->scheme.digest, AN_LIT(CONTENT), digest, &plan.content_digest);
    assert_int_equal(an_cms_prepare(&plan, &attributes, NULL), AN_OK);
    assert_int_equal(an_cms_prepare(&plan, &again, NULL), AN_OK);
    assert_true(an_bytes_eq(an_buf_view(&attributes), an_buf_view(&again)));
    sign_attributes(key, &how->scheme, an_buf_view(&attributes), &signature);
    *ret = an_buf_new(1 << 20);
    assert_int_equal(an_cms_finish(&plan, an_buf_view(&attributes), an_buf_view(&signature), AN_NONE, ret, NULL),
                     AN_OK);
    assert_int_equal(ret->len, an_cms_size(&plan, attributes.len, signature.len, 0));
}

static void
test_sign(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(signings); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = {0};
        AN_CLEANUP(an_cms_free) struct an_cms *cms = NULL;
        make_signature(&signings[i], &der);
        write_file("ours.der", an_buf_view(&der));
        assert_int_equal(run("openssl cms -verify -binary -inform DER -in ours.der -CAfile %s %s -out verified -cades "
                             "&& cmp verified content",
                             signings[i].cert, signings[i].attached ? "" : "-content content"),
                         0);
        if (!signings[i].attached)
            assert_int_not_equal(
                run("openssl cms -verify -binary -inform DER -in ours.der -CAfile %s -content tsa.cnf -out verified",
                    signings[i].cert),
                0);
        assert_int_equal(an_cms_parse(an_buf_view(&der), &cms, NULL), AN_OK);
        assert_int_equal(cms->certs.count, signings[i].chain ? 2 : 1);
        assert_false(cms->signers[0].attrs_not_der_sorted || cms->signers[0].duplicate_attributes);
        assert_true(cms->signers[0].signing_time == signings[i].time);
    }
}

/* ---- theirs, checked by us, whole and broken ---- */

static an_code
check(an_bytes der, an_bytes what, const char *cert_file)
{
    AN_CLEANUP(an_cms_free) struct an_cms *cms = NULL;
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = cert_file != NULL ? load_cert(cert_file) : NULL;
    uint8_t digest[AN_DIGEST_MAX];
    an_bytes digest_view;
    struct an_cert *named;

    if (an_cms_parse(der, &cms, NULL) != AN_OK)
        return AN_E_CMS_STRUCTURE;
    assert_int_equal(cms->signer_count, 1);
    named = an_cms_signer_cert(cms, &cms->signers[0], NULL);
    assert_non_null(named);
    digest_of(cms->signers[0].digest, cms->content.ptr != NULL ? cms->content : what, digest, &digest_view);
    return an_cms_check_signer(&cms->signers[0], cert != NULL ? cert : named, AN_OID_DATA, digest_view, NULL);
}

static void
test_check(void **state)
{
    static const struct {
        const char *options, *key;
    } cases[] = {
        {"-cades", "rsa"},
        {"-cades -md sha512", "rsa"},
        {"-nodetach -stream", "p256"},
        {"-noattr", "rsa"},
        {"-noattr -md sha384", "p384"},
        {"-keyid", "p256"},
        {"-keyopt rsa_padding_mode:pss", "rsa"},
        {"-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:0", "rsa"},
        {"-nodetach -econtent_type 1.2.3.4", "p256"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = {0};
        bool other_type = strstr(cases[i].options, "econtent") != NULL,
             attached = strstr(cases[i].options, "nodetach") != NULL;
        assert_int_equal(
            run("openssl cms -sign -binary -in content -signer %s.pem -inkey %s.key -outform DER -out theirs.der %s",
                cases[i].key, cases[i].key, cases[i].options),
            0);
        read_file("theirs.der", &der);
        assert_int_equal(check(an_buf_view(&der), AN_LIT(CONTENT), NULL), other_type ? AN_V_CMS_CONTENT_TYPE : AN_OK);
        if (other_type)
            continue;
        an_code wrong = check(an_buf_view(&der), AN_LIT("other"), NULL);
        bool bare = strstr(cases[i].options, "noattr") != NULL;
        assert_int_equal(wrong, attached ? AN_OK : bare ? AN_V_CMS_SIGNATURE : AN_V_CMS_DIGEST);
        /* inside the signature, also where end-of-contents octets follow it */
        der.ptr[der.len - 30 - (attached ? 6u : 0u)] ^= 1;
        assert_int_equal(check(an_buf_view(&der), AN_LIT(CONTENT), NULL), AN_V_CMS_SIGNATURE);
    }
}

static void
test_wrong_certificate(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = {0};

    (void)state;
    /* a new certificate for the same key: the signature fits, the ESS attribute does not */
    assert_int_equal(run("openssl req -x509 -key rsa.key -subj /CN=again -out again.pem -days 10"), 0);
    make_signature(&signings[0], &der);
    assert_int_equal(check(an_buf_view(&der), AN_LIT(CONTENT), "rsa.pem"), AN_OK);
    assert_int_equal(check(an_buf_view(&der), AN_LIT(CONTENT), "again.pem"), AN_V_CMS_ESS);
    assert_int_equal(check(an_buf_view(&der), AN_LIT(CONTENT), "p256.pem"), AN_V_CMS_SIGNATURE);
}

static void
test_padding(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = {0};
    AN_CLEANUP(an_cms_free) struct an_cms *cms = NULL;
    static const uint8_t zeros[100];
    size_t len;

    (void)state;
    make_signature(&signings[3], &der);
    len = der.len;
    an_buf_append(&der, AN_BYTES(zeros, sizeof(zeros)));
    assert_int_equal(an_cms_parse(an_buf_view(&der), &cms, NULL), AN_OK);
    assert_int_equal(cms->trailing, sizeof(zeros));
    an_cms_free(&cms);
    der.ptr[der.len - 1] = 1;
    assert_int_equal(an_cms_parse(an_buf_view(&der), &cms, NULL), AN_E_CMS_TRAILING);
    for (size_t i = 0; i < len; i++)
        assert_int_not_equal(an_cms_parse(an_bytes_slice(an_buf_view(&der), 0, i), &cms, NULL), AN_OK);
}

static void
test_plan(void **state)
{
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = load_cert("rsa.pem");
    static const uint8_t digest[32];
    const struct an_cms_plan good = {.signer = cert,
                                     .scheme = signings[0].scheme,
                                     .content_digest = AN_BYTES(digest, 32),
                                     .signing_time = AN_TIME_NONE};
    struct an_cms_plan bad[5];

    (void)state;
    for (size_t i = 0; i < AN_COUNT(bad); i++)
        bad[i] = good;
    bad[0].signer = NULL;
    bad[1].scheme.kind = AN_SIG_UNKNOWN;
    bad[2].content_digest.len = 20;
    bad[3].content_type = "1.x";
    bad[4].scheme.digest = AN_DIGEST_NONE;
    for (size_t i = 0; i < AN_COUNT(bad); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(4096);
        assert_int_equal(an_cms_prepare(&bad[i], &out, NULL), AN_E_CMS_PLAN);
    }
}

/* ---- time-stamps: openssl(1) as the authority ---- */

static void
ask_openssl(an_bytes imprint, an_bytes nonce, struct an_buf *ret_response)
{
    AN_CLEANUP(an_buf_free) struct an_buf request = an_buf_new(1000);
    struct an_tsp_query query;

    an_tsp_request(AN_SHA256, imprint, nonce, true, &request);
    assert_int_equal(an_tsp_request_parse(an_buf_view(&request), &query, NULL), AN_OK);
    assert_true(query.want_certs && query.digest == AN_SHA256 && an_bytes_eq(query.imprint, imprint) &&
                !query.has_extensions);
    write_file("request.tsq", an_buf_view(&request));
    assert_int_equal(run("test -f serial || echo 01 > serial; "
                         "openssl ts -reply -config tsa.cnf -section t -queryfile request.tsq -signer tsa.pem -inkey "
                         "tsa.key -out response.tsr"),
                     0);
    read_file("response.tsr", ret_response);
}

static void
test_timestamp(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf response = {0};
    AN_CLEANUP(an_buf_free) struct an_buf token = an_buf_new(1 << 16);
    AN_CLEANUP(an_tst_free) struct an_tst *tst = NULL;
    AN_CLEANUP(an_cert_unref) struct an_cert *other = load_cert("rsa.pem");
    uint8_t octets[AN_DIGEST_MAX];
    an_bytes imprint;
    struct an_cert *cert;

    (void)state;
    digest_of(AN_SHA256, AN_LIT(CONTENT), octets, &imprint);
    ask_openssl(imprint, AN_LIT("\x00\xFE\x01"), &response);
    assert_int_equal(an_tsp_response(an_buf_view(&response), AN_SHA256, imprint, AN_LIT("\xFE\x01"), &token, NULL),
                     AN_OK);
    assert_int_equal(an_tst_parse(an_buf_view(&token), &tst, NULL), AN_OK);
    assert_true(an_oid_eq(tst->policy, "1.2.3.4") && tst->accuracy_ms == 1500 && tst->ordering && tst->tsa.len > 0);
    assert_true(llabs(tst->gen_time - time(NULL)) < 60);
    cert = an_cms_signer_cert(tst->cms, &tst->cms->signers[0], NULL);
    assert_true(cert != NULL && an_cert_has_eku(cert, "1.3.6.1.5.5.7.3.8"));
    assert_int_equal(an_tst_check(tst, cert, imprint, NULL), AN_OK);
    assert_int_equal(an_tst_check(tst, other, imprint, NULL), AN_V_TST_SIGNATURE);
    assert_int_equal(an_tst_check(tst, cert, AN_LIT("other"), NULL), AN_V_TST_IMPRINT);
    assert_int_equal(an_tsp_response(an_buf_view(&response), AN_SHA256, imprint, AN_LIT("\x01"), &token, NULL),
                     AN_E_TSP_MISMATCH);
    assert_int_equal(an_tsp_response(an_buf_view(&response), AN_SHA256, AN_LIT("x"), AN_NONE, &token, NULL),
                     AN_E_TSP_MISMATCH);
    assert_int_equal(an_tsp_response(AN_LIT("<html>"), AN_SHA256, imprint, AN_NONE, &token, NULL), AN_E_TSP_PARSE);
}

static void
test_refusal(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf response = {0};
    AN_CLEANUP(an_buf_free) struct an_buf token = an_buf_new(1 << 16);
    struct an_err err = {0};

    (void)state;
    write_file("request.tsq", AN_LIT("\x30\x20\x02\x01\x01\x30\x1B\x30\x07\x06\x05\x2B\x0E\x03\x02\x1A\x04\x10"
                                     "0123456789abcdef"));
    (void)run("echo 01 > serial; openssl ts -reply -config tsa.cnf -section t -queryfile request.tsq -signer tsa.pem "
              "-inkey tsa.key -out response.tsr");
    read_file("response.tsr", &response);
    assert_int_equal(an_tsp_response(an_buf_view(&response), AN_SHA256, AN_LIT("x"), AN_NONE, &token, &err),
                     AN_E_TSP_REFUSED);
    assert_non_null(strstr(err.detail, "status 2"));
    assert_int_equal(token.len, 0);
}

/* A signature with a time-stamp in it: openssl(1) must still accept the whole, and the token must be where it is looked
 * for. */
static void
test_signature_timestamp(void **state)
{
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = load_cert("p256.pem");
    AN_CLEANUP(an_privkey_free) struct an_privkey *key = load_key("p256.key");
    AN_CLEANUP(an_buf_free) struct an_buf attributes = an_buf_new(4096), signature = an_buf_new(4096);
    AN_CLEANUP(an_buf_free) struct an_buf response = {0}, token = an_buf_new(1 << 16), der = an_buf_new(1 << 16);
    AN_CLEANUP(an_cms_free) struct an_cms *cms = NULL;
    struct an_cms_plan plan = {
        .signer = cert, .scheme = signings[3].scheme, .signing_time = AN_TIME_NONE, .signing_certificate_v2 = true};
    uint8_t octets[AN_DIGEST_MAX], stamped[AN_DIGEST_MAX];
    const struct an_cms_attribute *found;
    an_bytes imprint;

    (void)state;
    digest_of(AN_SHA256, AN_LIT(CONTENT), octets, &plan.content_digest);
    assert_int_equal(an_cms_prepare(&plan, &attributes, NULL), AN_OK);
    sign_attributes(key, &plan.scheme, an_buf_view(&attributes), &signature);
    digest_of(AN_SHA256, an_buf_view(&signature), stamped, &imprint);
    ask_openssl(imprint, AN_LIT("\x07"), &response);
    assert_int_equal(an_tsp_response(an_buf_view(&response), AN_SHA256, imprint, AN_LIT("\x07"), &token, NULL), AN_OK);
    assert_int_equal(
        an_cms_finish(&plan, an_buf_view(&attributes), an_buf_view(&signature), an_buf_view(&token), &der, NULL),
        AN_OK);
    assert_int_equal(der.len, an_cms_size(&plan, attributes.len, signature.len, token.len));
    write_file("ours.der", an_buf_view(&der));
    assert_int_equal(run("openssl cms -verify -binary -inform DER -in ours.der -CAfile p256.pem -content content -out "
                         "verified -cades"),
                     0);
    assert_int_equal(an_cms_parse(an_buf_view(&der), &cms, NULL), AN_OK);
    found = an_cms_attribute_find(cms->signers[0].unsigned_attributes, cms->signers[0].unsigned_count,
                                  "1.2.840.113549.1.9.16.2.14");
    assert_true(found != NULL && an_bytes_eq(found->values, an_buf_view(&token)));
}

/* ---- vectors ---- */

static void
test_rfc4134(void **state)
{
    static const struct { const char *file; an_code parse, check;
    } cases[] = {
        {"4.2.bin", AN_OK, AN_OK},     {"4.7.bin", AN_OK, AN_OK}, {"3.1.bin", AN_E_CMS_TYPE, 0},
        {"5.2.bin", AN_E_CMS_TYPE, 0}, {"4.3.bin", AN_OK, AN_OK},
    };
    const char *root = getenv("ANTIN_VECTORS");

    (void)state;
    if (root == NULL || access(root, R_OK) != 0) {
        print_message("without the shared vectors\n");
        skip();
    }
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        AN_CLEANUP(an_cms_free) struct an_cms *cms = NULL;
        AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
        char path[1000];
        snprintf(path, sizeof(path), "%s/bc/rfc4134/%s", root, cases[i].file);
        assert_int_equal(an_file_open(path, 0, &file, NULL), AN_OK);
        assert_int_equal(an_cms_parse(file.bytes, &cms, NULL), cases[i].parse);
        if (cms != NULL)
            assert_int_equal(check(file.bytes, AN_LIT("This is some sample content."), NULL), cases[i].check);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_wrong_certificate),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_timestamp),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_signature_timestamp),
        cmocka_unit_test(test_rfc4134),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
