/*
 * Path building and OCSP on material made here: responders of every kind, moments around revocation, issuers fetched on
 * demand, loops and webs of cross certificates that must end soon.
 */
#include "x509/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW 1700000000
#define DAY 86400
#define SCHEME ((struct an_scheme){.kind = AN_SIG_ECDSA, .digest = AN_SHA256})

struct party {
    char name[24];
    struct an_privkey *key;
    struct an_buf spki;
};

enum { IS_CA = 1, IS_RESPONDER = 2, HAS_NO_CHECK = 4, IS_EXPIRED = 8 };

static void
party_new(struct party *party, const char *name)
{
    snprintf(party->name, sizeof(party->name), "%s", name);
    party->spki = an_buf_new(1024);
    assert_int_equal(an_privkey_generate(AN_KEY_EC, 256, &party->key, NULL), AN_OK);
    assert_int_equal(an_privkey_spki(party->key, &party->spki, NULL), AN_OK);
}

static void
party_done(struct party *party)
{
    an_privkey_free(&party->key);
    an_buf_free(&party->spki);
}

/* SEQUENCE { tbs, algorithm, signature }, where tbs is whole; then whatever extra holds. */
static void
put_signed(struct an_der_out *out, an_bytes tbs, const struct party *signer, an_bytes extra)
{
    struct an_buf signature AN_CLEANUP(an_buf_free) = an_buf_new(1024);
    uint8_t digest[AN_DIGEST_MAX];
    struct an_scheme scheme = SCHEME;

    an_hash_once(AN_SHA256, tbs, digest);
    assert_int_equal(an_privkey_sign(signer->key, &scheme, AN_BYTES(digest, 32), &signature, NULL), AN_OK);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_raw(out, tbs);
    an_scheme_write(out, &scheme);
    an_der_put_bits(out, an_buf_view(&signature), 0);
    an_der_put_raw(out, extra);
    an_der_close(out);
}

static void
put_extension(struct an_der_out *out, const char *oid, bool critical, an_bytes value)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_oid(out, oid);
    if (critical)
        an_der_put_bool(out, true);
    an_der_put(out, AN_DER_OCTET_STRING, value);
    an_der_close(out);
}

static void
put_extensions(struct an_der_out *out, unsigned flags)
{
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(3));
    an_der_open(out, AN_DER_SEQUENCE);
    if (flags & IS_CA) {
        put_extension(out, "2.5.29.19", true, AN_LIT("\x30\x03\x01\x01\xFF"));
        put_extension(out, "2.5.29.15", true, AN_LIT("\x03\x02\x01\x06")); /* keyCertSign, cRLSign */
    } else {
        put_extension(out, "2.5.29.15", true, AN_LIT("\x03\x02\x07\x80")); /* digitalSignature */
    }
    if (flags & IS_RESPONDER)
        put_extension(out, "2.5.29.37", false, AN_LIT("\x30\x0A\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x09"));
    if (flags & HAS_NO_CHECK)
        put_extension(out, "1.3.6.1.5.5.7.48.1.5", false, AN_LIT("\x05\x00"));
    an_der_close(out);
    an_der_close(out);
}

static struct an_cert *
make_cert(const struct party *subject, const struct party *issuer, int64_t serial, unsigned flags)
{
    struct an_buf tbs AN_CLEANUP(an_buf_free) = an_buf_new(8192);
    struct an_buf der AN_CLEANUP(an_buf_free) = an_buf_new(8192);
    struct an_der_out out = AN_DER_OUT(&tbs), whole = AN_DER_OUT(&der);
    const struct an_name_part issuer_name = {"2.5.4.3", issuer->name}, subject_name = {"2.5.4.3", subject->name};
    struct an_scheme scheme = SCHEME;
    struct an_cert *cert = NULL;

    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_put_int(&out, 2);
    an_der_close(&out);
    an_der_put_int(&out, serial);
    an_scheme_write(&out, &scheme);
    an_name_build(&out, &issuer_name, 1);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_time(&out, NOW - 1000 * DAY);
    an_der_put_time(&out, flags & IS_EXPIRED ? NOW - DAY : NOW + 1000 * DAY);
    an_der_close(&out);
    an_name_build(&out, &subject_name, 1);
    an_der_put_raw(&out, an_buf_view(&subject->spki));
    put_extensions(&out, flags);
    an_der_close(&out);
    put_signed(&whole, an_buf_view(&tbs), issuer, AN_NONE);
    assert_int_equal(an_cert_parse(an_buf_view(&der), &cert, NULL), AN_OK);
    return cert;
}

/* ---- OCSP answers ---- */
struct answer {
    int status; /* context tag: 0 good, 1 revoked, 2 unknown */
    an_time revoked_at, this_update, next_update;
    bool is_spoilt;
};

static void
put_single(struct an_der_out *out, const struct an_cert *cert, const struct an_cert *issuer,
           const struct answer *answer)
{
    uint8_t name[AN_DIGEST_MAX], key[AN_DIGEST_MAX];

    an_hash_once(AN_SHA1, issuer->subject, name);
    an_hash_once(AN_SHA1, issuer->key_bits, key);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_SEQUENCE);
    an_digest_write(out, AN_SHA1);
    an_der_put(out, AN_DER_OCTET_STRING, AN_BYTES(name, 20));
    an_der_put(out, AN_DER_OCTET_STRING, AN_BYTES(key, 20));
    an_der_put(out, AN_DER_INTEGER, cert->serial);
    an_der_close(out);
    if (answer->status == 1) {
        an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(1));
        an_der_put_generalized(out, answer->revoked_at);
        an_der_close(out);
    } else {
        an_der_put(out, AN_DER_CONTEXT(answer->status), AN_NONE);
    }
    an_der_put_generalized(out, answer->this_update);
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_put_generalized(out, answer->next_update);
    an_der_close(out);
    an_der_close(out);
}

static void
put_basic(struct an_der_out *out, an_bytes tbs, const struct party *signer, const struct an_cert *responder)
{
    struct an_buf extra AN_CLEANUP(an_buf_free) = an_buf_new(8192);
    struct an_der_out certs = AN_DER_OUT(&extra);

    if (responder) {
        an_der_open(&certs, AN_DER_CONTEXT_CONSTRUCTED(0));
        an_der_open(&certs, AN_DER_SEQUENCE);
        an_der_put_raw(&certs, responder->der);
        an_der_close(&certs);
        an_der_close(&certs);
    }
    put_signed(out, tbs, signer, an_buf_view(&extra));
}

static struct an_ocsp *
make_ocsp(const struct party *signer, const struct an_cert *responder, const struct an_cert *cert,
          const struct an_cert *issuer, const struct answer *answer)
{
    struct an_buf tbs AN_CLEANUP(an_buf_free) = an_buf_new(8192);
    struct an_buf basic AN_CLEANUP(an_buf_free) = an_buf_new(16384);
    struct an_buf der AN_CLEANUP(an_buf_free) = an_buf_new(32768);
    struct an_der_out out = AN_DER_OUT(&tbs), body = AN_DER_OUT(&basic), whole = AN_DER_OUT(&der);
    struct an_ocsp *ocsp = NULL;

    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(1));
    an_der_put_raw(&out, responder ? responder->subject : issuer->subject);
    an_der_close(&out);
    an_der_put_generalized(&out, answer->this_update);
    an_der_open(&out, AN_DER_SEQUENCE);
    put_single(&out, cert, issuer, answer);
    an_der_close(&out);
    an_der_close(&out);
    put_basic(&body, an_buf_view(&tbs), signer, responder);
    an_der_open(&whole, AN_DER_SEQUENCE);
    an_der_put(&whole, AN_DER_ENUMERATED, AN_LIT("\x00"));
    an_der_open(&whole, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_open(&whole, AN_DER_SEQUENCE);
    an_der_put_oid(&whole, "1.3.6.1.5.5.7.48.1.1");
    an_der_put(&whole, AN_DER_OCTET_STRING, an_buf_view(&basic));
    an_der_close(&whole);
    an_der_close(&whole);
    an_der_close(&whole);
    assert_int_equal(an_ocsp_parse(an_buf_view(&der), &ocsp, NULL), AN_OK);
    if (answer->is_spoilt) {
        struct an_buf spoilt AN_CLEANUP(an_buf_free) = an_buf_new(32768);

        an_buf_append(&spoilt, an_buf_view(&der));
        spoilt.ptr[an_bytes_find(an_buf_view(&der), ocsp->signature, 0) + ocsp->signature.len - 1] ^= 1;
        an_ocsp_unref(&ocsp);
        assert_int_equal(an_ocsp_parse(an_buf_view(&spoilt), &ocsp, NULL), AN_OK);
    }
    return ocsp;
}

struct scene {
    struct party root, other, leaf, responder;
    struct an_cert *root_cert, *leaf_cert;
    struct an_certs anchors;
};

static int
scene_open(void **state)
{
    struct scene *scene = AN_NEW(struct scene);

    party_new(&scene->root, "Root");
    party_new(&scene->other, "Other");
    party_new(&scene->leaf, "Leaf");
    party_new(&scene->responder, "Responder");
    scene->root_cert = make_cert(&scene->root, &scene->root, 1, IS_CA);
    scene->leaf_cert = make_cert(&scene->leaf, &scene->root, 2, 0);
    an_certs_add(&scene->anchors, scene->root_cert);
    *state = scene;
    return 0;
}

static int
scene_close(void **state)
{
    struct scene *scene = *state;

    an_certs_done(&scene->anchors);
    an_cert_unref(&scene->root_cert);
    an_cert_unref(&scene->leaf_cert);
    party_done(&scene->root);
    party_done(&scene->other);
    party_done(&scene->leaf);
    party_done(&scene->responder);
    free(scene);
    return 0;
}

enum by { BY_ISSUER, BY_DELEGATE, BY_STRANGER };

static const struct {
    const char *name;
    enum by by;
    unsigned responder_flags;
    struct answer answer;
    an_code why; /* AN_OK = the path is valid */
} ocsp_cases[] = {
    {"direct", BY_ISSUER, 0, {0, 0, NOW - DAY, NOW + DAY, false}, AN_OK},
    {"revoked", BY_ISSUER, 0, {1, NOW - 2 * DAY, NOW - DAY, NOW + DAY, false}, AN_V_PATH_REVOKED},
    {"revoked after the moment", BY_ISSUER, 0, {1, NOW + 60, NOW + 60, NOW + DAY, false}, AN_OK},
    {"unknown", BY_ISSUER, 0, {2, 0, NOW - DAY, NOW + DAY, false}, AN_V_STATUS_UNKNOWN},
    {"stale", BY_ISSUER, 0, {0, 0, NOW - 3 * DAY, NOW - DAY, false}, AN_V_STATUS_STALE},
    {"future", BY_ISSUER, 0, {0, 0, NOW + DAY, NOW + 2 * DAY, false}, AN_V_STATUS_FUTURE},
    {"spoilt", BY_ISSUER, 0, {0, 0, NOW - DAY, NOW + DAY, true}, AN_V_STATUS_SIGNATURE},
    {"delegate", BY_DELEGATE, IS_RESPONDER | HAS_NO_CHECK, {0, 0, NOW - DAY, NOW + DAY, false}, AN_OK},
    {"delegate, status unknown", BY_DELEGATE, IS_RESPONDER, {0, 0, NOW - DAY, NOW + DAY, false}, AN_OK},
    {"delegate without the purpose", BY_DELEGATE, 0, {0, 0, NOW - DAY, NOW + DAY, false}, AN_V_STATUS_ISSUER},
    {"delegate expired",
     BY_DELEGATE,
     IS_RESPONDER | IS_EXPIRED,
     {0, 0, NOW - DAY, NOW + DAY, false},
     AN_V_STATUS_ISSUER},
    {"delegate, spoilt", BY_DELEGATE, IS_RESPONDER, {0, 0, NOW - DAY, NOW + DAY, true}, AN_V_STATUS_SIGNATURE},
    {"stranger's delegate",
     BY_STRANGER,
     IS_RESPONDER | HAS_NO_CHECK,
     {0, 0, NOW - DAY, NOW + DAY, false},
     AN_V_STATUS_ISSUER},
};

static void
test_ocsp_cases(void **state)
{
    struct scene *scene = *state;

    for (size_t i = 0; i < AN_COUNT(ocsp_cases); i++) {
        enum by by = ocsp_cases[i].by;
        /* the stranger calls itself "Root" too: only the key tells it apart */
        struct party *above = by == BY_STRANGER ? &scene->other : &scene->root;
        struct an_cert *responder = NULL;
        struct an_ocsps ocsps = {0};
        struct an_path_params params = {.anchors = &scene->anchors,
                                        .ocsps = &ocsps,
                                        .at = NOW,
                                        .status_at = AN_TIME_NONE,
                                        .now = AN_TIME_NONE,
                                        .freshness_max = -1,
                                        .revocation = AN_REVOCATION_REQUIRE};
        struct an_path_result result;

        memcpy(scene->other.name, "Root", 5);
        if (by != BY_ISSUER)
            responder = make_cert(&scene->responder, above, 7, ocsp_cases[i].responder_flags);
        *an_ocsps_push(&ocsps) = make_ocsp(by == BY_ISSUER ? &scene->root : &scene->responder, responder,
                                           scene->leaf_cert, scene->root_cert, &ocsp_cases[i].answer);
        an_path_validate(scene->leaf_cert, &params, &result);
        if (result.why != ocsp_cases[i].why || result.valid != (result.why == AN_OK))
            fail_msg("%s: %s", ocsp_cases[i].name, an_message_find(result.why)->symbol);
        an_path_result_done(&result);
        an_ocsps_unref(&ocsps);
        an_cert_unref(&responder);
    }
}

/* ---- an issuer that has to be fetched, and one that leads in a circle ---- */
struct shelf { struct an_cert *cert; size_t asked; };

static bool
fetch_from_shelf(void *context, struct an_cert *cert, struct an_certs *ret)
{
    struct shelf *shelf = context;

    (void)cert;
    shelf->asked++;
    an_certs_add(ret, shelf->cert);
    return true;
}

static void
test_fetched_issuer(void **state)
{
    struct scene *scene = *state;
    struct an_cert *sub = make_cert(&scene->other, &scene->root, 3, IS_CA);
    struct an_cert *leaf = make_cert(&scene->leaf, &scene->other, 4, 0);
    struct shelf shelf = {.cert = sub};
    struct an_path_params params = {.anchors = &scene->anchors,
                                    .at = NOW,
                                    .status_at = AN_TIME_NONE,
                                    .now = AN_TIME_NONE,
                                    .fetch = {.issuers = fetch_from_shelf, .context = &shelf}};
    struct an_path_result result;

    an_path_validate(leaf, &params, &result);
    assert_true(result.valid);
    assert_int_equal(result.chain_count, 3);
    assert_int_equal(shelf.asked, 1);
    an_path_result_done(&result);
    params.fetch.issuers = NULL;
    an_path_validate(leaf, &params, &result);
    assert_int_equal(result.why, AN_V_PATH_NO_ISSUER);
    an_path_result_done(&result);
    an_cert_unref(&sub);
    an_cert_unref(&leaf);
}

static void
test_pinned_leaf(void **state)
{
    struct scene *scene = *state;
    struct an_certs anchors = {0};
    struct an_cert *below = make_cert(&scene->responder, &scene->leaf, 9, 0);
    struct an_path_params params = {.anchors = &anchors, .at = NOW, .status_at = AN_TIME_NONE, .now = AN_TIME_NONE};
    struct an_path_result result;

    an_certs_add(&anchors, scene->leaf_cert);
    an_path_validate(scene->leaf_cert, &params, &result);
    assert_true(result.valid);
    assert_int_equal(result.chain_count, 1);
    an_path_result_done(&result);
    an_path_validate(below, &params, &result); /* a pinned signer is no authority */
    assert_int_equal(result.why, AN_V_PATH_KEY_USAGE);
    an_path_result_done(&result);
    params.at = NOW + 2000 * DAY;
    an_path_validate(scene->leaf_cert, &params, &result);
    assert_int_equal(result.why, AN_V_PATH_EXPIRED);
    an_path_result_done(&result);
    an_certs_done(&anchors);
    an_cert_unref(&below);
}

#define WEB 14

/* Everyone certifies everyone, nobody is trusted: must end by its bounds, not by luck. */
static void
test_web_of_cross_certificates(void **state)
{
    struct scene *scene = *state;
    struct party parties[WEB];
    struct an_certs untrusted = {0};
    struct an_path_params params = {.anchors = &scene->anchors,
                                    .untrusted = &untrusted,
                                    .at = NOW,
                                    .status_at = AN_TIME_NONE,
                                    .now = AN_TIME_NONE};
    struct an_path_result result;
    struct an_cert *leaf;
    uint64_t start;

    for (size_t i = 0; i < WEB; i++) {
        char name[24];

        snprintf(name, sizeof(name), "CA %zu", i);
        party_new(&parties[i], name);
    }
    for (size_t i = 0; i < WEB; i++)
        for (size_t j = 0; j < WEB; j++) {
            struct an_cert *cert = make_cert(&parties[i], &parties[j], (int64_t)(100 + i * WEB + j), IS_CA);

            an_certs_add(&untrusted, cert);
            an_cert_unref(&cert);
        }
    leaf = make_cert(&scene->leaf, &parties[0], 5, 0);
    start = an_time_monotonic_ms();
    an_path_validate(leaf, &params, &result);
    assert_false(result.valid);
    assert_int_equal(result.why, AN_V_PATH_LIMIT);
    assert_true(an_time_monotonic_ms() - start < 2000);
    print_message("web of %d authorities: %d ms\n", WEB, (int)(an_time_monotonic_ms() - start));
    an_path_result_done(&result);
    an_cert_unref(&leaf);
    an_certs_done(&untrusted);
    for (size_t i = 0; i < WEB; i++)
        party_done(&parties[i]);
}

/* ---- the options of the command ---- */
static void
test_request(void **state)
{
    static const struct { const char *revocation, *purpose, *name, *policy; an_code code; an_code why; } cases[] = {
        {NULL, NULL, NULL, NULL, AN_OK, AN_OK},
        {"none", "clientAuth", NULL, NULL, AN_OK, AN_OK},
        {"require", NULL, NULL, NULL, AN_OK, AN_V_STATUS_NONE},
        {"none", NULL, "DN:CN=Leaf", NULL, AN_OK, AN_OK},
        {"none", NULL, "dns:leaf.vn", NULL, AN_OK, AN_V_PATH_NAME},
        {"sometimes", NULL, NULL, NULL, AN_E_PATH_OPTION, AN_OK},
        {NULL, "everything", NULL, NULL, AN_E_PATH_OPTION, AN_OK},
        {NULL, NULL, "leaf.vn", NULL, AN_E_PATH_OPTION, AN_OK},
        {NULL, NULL, NULL, "any", AN_E_PATH_OPTION, AN_OK},
    };
    struct scene *scene = *state;

    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        struct an_path_request request = {.leaf = scene->leaf_cert,
                                          .anchors = &scene->anchors,
                                          .at = NOW,
                                          .lenient = true,
                                          .revocation = cases[i].revocation,
                                          .purpose = cases[i].purpose,
                                          .names = &cases[i].name,
                                          .name_count = cases[i].name != NULL,
                                          .policy_oids = &cases[i].policy,
                                          .policy_count = cases[i].policy != NULL};
        struct an_path_result result = {0};

        assert_int_equal(an_path_request_run(&request, &result, NULL), cases[i].code);
        if (cases[i].code == AN_OK && result.why != cases[i].why)
            fail_msg("case %zu: %s", i, an_message_find(result.why)->symbol);
        an_path_result_done(&result);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ocsp_cases, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(test_fetched_issuer, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(test_pinned_leaf, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(test_web_of_cross_certificates, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(test_request, scene_open, scene_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
