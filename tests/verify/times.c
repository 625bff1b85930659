/*
 * Time: the same signature under changing certificates, lists, time-stamps and days of judgement. What is expected was
 * worked out by hand from EN 319 102-1 and NĐ 68/2024 Điều 31.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/ca.h"
#include "verify/verify.h"

#include <cmocka.h>

#define DAY(year, month, day) ((year) * 10000 + (month) * 100 + (day))
#define NEVER 0

struct party {
    struct an_privkey *key;
    struct an_signer *signer;
    struct an_buf spki;
    struct an_cert *cert;
};
static struct party root, leaf, tsa, foreign, other;
static struct an_verifier *verifier;
static struct an_profiles *profiles;
static const char content[] = "Nội dung";

static an_time
when(int day)
{
    struct an_date date = {day / 10000, day / 100 % 100, day % 100, 0, 0, 0};

    return day == NEVER ? AN_TIME_NONE : an_time_of_date(&date, 0);
}

static an_code
ask_pin(void *context, const char *what, enum an_pin_state state, struct an_secret **ret_pin, struct an_err *reterr)
{
    (void)context;
    (void)what;
    (void)state;
    (void)reterr;
    *ret_pin = an_secret_from(AN_LIT("123456"));
    return AN_OK;
}

static void
make_party(struct party *party)
{
    struct an_secret *pin = an_secret_from(AN_LIT("123456"));
    struct an_buf pem = an_buf_new(65536);
    char folder[] = "/tmp/antin-verify-XXXXXX";
    char *path;
    struct an_err err = {0};

    assert_non_null(mkdtemp(folder));
    path = an_asprintf("%s/key.pem", folder);
    party->spki = an_buf_new(4096);
    assert_int_equal(an_privkey_generate(AN_KEY_EC, 256, &party->key, &err), AN_OK);
    assert_int_equal(an_privkey_spki(party->key, &party->spki, &err), AN_OK);
    assert_int_equal(an_privkey_encode(party->key, pin, &pem, &err), AN_OK);
    assert_int_equal(an_file_write(path, an_buf_view(&pem), 0600, &err), AN_OK);
    assert_int_equal(an_signer_open(path, (struct an_pin_source){ask_pin, NULL}, &party->signer, &err), AN_OK);
    unlink(path);
    rmdir(folder);
    free(path);
    an_buf_free(&pem);
    an_secret_free(&pin);
}

static void
issue(struct party *party, const char *profile, const char *name, struct party *issuer, int from, int to)
{
    struct an_name_part subject[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", "UBND tỉnh Mẫu"}, {"2.5.4.3", name}};
    struct an_issue what = {.subject = subject, .subject_count = 3, .email = strcmp(profile, "ca-nhan") == 0 ? "mau@mau.gov.vn" : NULL,
                            .spki = an_buf_view(&party->spki), .not_before = when(from), .not_after = when(to)};
    struct an_err err = {0};

    an_cert_unref(&party->cert);
    if (an_ca_issue_once(profiles, profile, issuer ? issuer->cert : NULL, issuer ? issuer->signer : party->signer, &(struct an_places){0}, &what, &party->cert, &err) != AN_OK)
        fail_msg("%s: %s", an_message_find(err.code)->symbol, err.detail);
}

struct scenario {
    const char *name;
    int leaf_until, revoked_at;
    int stamped_at, tsa_until; /* NEVER = no time-stamp */
    int list_from, list_until; /* the CRL; NEVER = none */
    int now;
    enum an_indication indication;
    const char *sub;
    bool tsa_is_foreign, stamp_is_foreign, status_optional;
};

#define LEAF_FROM DAY(2021, 1, 1)
static const struct scenario scenarios[] = {
    {"everything current", DAY(2025, 1, 1), NEVER, NEVER, NEVER, DAY(2022, 6, 1), DAY(2022, 7, 1), DAY(2022, 6, 15),
     AN_TOTAL_PASSED, "", false, false},
    {"no status at all", DAY(2025, 1, 1), NEVER, NEVER, NEVER, NEVER, NEVER, DAY(2022, 6, 15), AN_INDETERMINATE,
     "TRY_LATER", false, false},
    {"stale status, nothing proven", DAY(2025, 1, 1), NEVER, NEVER, NEVER, DAY(2022, 6, 1), DAY(2022, 7, 1),
     DAY(2023, 1, 1), AN_INDETERMINATE, "TRY_LATER", false, false},
    {"stale status, proven while it was good", DAY(2025, 1, 1), NEVER, DAY(2022, 6, 10), DAY(2026, 1, 1),
     DAY(2022, 6, 1), DAY(2022, 7, 1), DAY(2022, 6, 20), AN_TOTAL_PASSED, "", false, false},
    {"expired, nothing proven", DAY(2023, 1, 1), NEVER, NEVER, NEVER, DAY(2024, 6, 1), DAY(2024, 7, 1),
     DAY(2024, 6, 15), AN_INDETERMINATE, "OUT_OF_BOUNDS_NO_POE", false, false},
    {"expired, stamped before", DAY(2023, 1, 1), NEVER, DAY(2022, 6, 10), DAY(2026, 1, 1), DAY(2022, 6, 1),
     DAY(2026, 7, 1), DAY(2024, 6, 15), AN_TOTAL_PASSED, "", false, false},
    {"expired, stamped after", DAY(2023, 1, 1), NEVER, DAY(2023, 6, 10), DAY(2026, 1, 1), DAY(2022, 6, 1),
     DAY(2026, 7, 1), DAY(2024, 6, 15), AN_TOTAL_FAILED, "EXPIRED", false, false},
    {"stamped before it was issued", DAY(2025, 1, 1), NEVER, DAY(2020, 6, 10), DAY(2025, 1, 1), DAY(2022, 6, 1),
     DAY(2026, 7, 1), DAY(2024, 6, 15), AN_TOTAL_FAILED, "NOT_YET_VALID", false, false},
    {"revoked, nothing proven", DAY(2025, 1, 1), DAY(2022, 3, 1), NEVER, NEVER, DAY(2022, 6, 1), DAY(2022, 7, 1),
     DAY(2022, 6, 15), AN_INDETERMINATE, "REVOKED_NO_POE", false, false},
    {"revoked after the stamp", DAY(2025, 1, 1), DAY(2022, 3, 1), DAY(2022, 2, 1), DAY(2026, 1, 1), DAY(2022, 6, 1),
     DAY(2022, 7, 1), DAY(2022, 6, 15), AN_TOTAL_PASSED, "", false, false},
    {"revoked before the stamp", DAY(2025, 1, 1), DAY(2022, 3, 1), DAY(2022, 4, 1), DAY(2026, 1, 1), DAY(2022, 6, 1),
     DAY(2022, 7, 1), DAY(2022, 6, 15), AN_TOTAL_FAILED, "REVOKED", false, false},
    {"revoked before a stamp of somebody unknown", DAY(2025, 1, 1), DAY(2022, 3, 1), DAY(2022, 2, 1), DAY(2026, 1, 1),
     DAY(2022, 6, 1), DAY(2022, 7, 1), DAY(2022, 6, 15), AN_INDETERMINATE, "REVOKED_NO_POE", true, false},
    {"a stamp over something else", DAY(2025, 1, 1), NEVER, DAY(2022, 2, 1), DAY(2026, 1, 1), DAY(2022, 6, 1),
     DAY(2022, 7, 1), DAY(2022, 6, 15), AN_INDETERMINATE, "SIG_CONSTRAINTS_FAILURE", false, true},
    {"expired, and the stamp's authority too", DAY(2023, 1, 1), NEVER, DAY(2022, 6, 10), DAY(2023, 6, 1),
     DAY(2022, 6, 1), DAY(2026, 7, 1), DAY(2024, 6, 15), AN_INDETERMINATE, "OUT_OF_BOUNDS_NO_POE", false, false},
    {"no status, and none asked for", DAY(2025, 1, 1), NEVER, NEVER, NEVER, NEVER, NEVER, DAY(2022, 6, 15),
     AN_TOTAL_PASSED, "", false, false, true},
    {"revoked in a list that is out of date, status optional", DAY(2025, 1, 1), DAY(2022, 3, 1), NEVER, NEVER,
     DAY(2022, 6, 1), DAY(2022, 7, 1), DAY(2023, 6, 15), AN_INDETERMINATE, "REVOKED_NO_POE", false, false, true},
    {"the same, stamped before", DAY(2025, 1, 1), DAY(2022, 3, 1), DAY(2022, 2, 1), DAY(2026, 1, 1), DAY(2022, 6, 1),
     DAY(2022, 7, 1), DAY(2023, 6, 15), AN_TOTAL_PASSED, "", false, false, true},
};

/* ---- making one signature ---- */
static void
make_stamp(const struct scenario *scenario, an_bytes signature, struct an_buf *ret)
{
    struct an_tsa answers = {.key = scenario->tsa_is_foreign ? other.signer : tsa.signer,
                             .cert = scenario->tsa_is_foreign ? other.cert : tsa.cert, .policy_oid = "1.2.3",
                             .accuracy_ms = 1000};
    struct an_buf request = an_buf_new(65536), response = an_buf_new(65536);
    uint8_t digest[AN_DIGEST_MAX];
    struct an_err err = {0};

    an_hash_once(AN_SHA256, scenario->stamp_is_foreign ? AN_LIT("something else") : signature, digest);
    an_tsp_request(AN_SHA256, AN_BYTES(digest, 32), AN_NONE, true, &request);
    assert_int_equal(an_tsa_answer(&answers, an_buf_view(&request), when(scenario->stamped_at), &response, &err), AN_OK);
    if (an_tsp_response(an_buf_view(&response), AN_SHA256, AN_BYTES(digest, 32), AN_NONE, ret, &err) != AN_OK)
        fail_msg("%s: %s", an_message_find(err.code)->symbol, err.detail);
    an_buf_free(&request);
    an_buf_free(&response);
}

static void
make_signature(const struct scenario *scenario, struct an_buf *ret)
{
    struct an_cms_plan plan = {.signer = leaf.cert, .scheme = {.kind = AN_SIG_ECDSA, .digest = AN_SHA256},
                               .content = an_bytes_of_str(content), .signing_time = when(DAY(2022, 1, 15)),
                               .signing_certificate_v2 = true};
    struct an_buf attrs = an_buf_new(65536), value = an_buf_new(1024), token = an_buf_new(65536);
    uint8_t digest[AN_DIGEST_MAX], to_sign[AN_DIGEST_MAX];
    struct an_err err = {0};

    an_hash_once(AN_SHA256, plan.content, digest);
    plan.content_digest = AN_BYTES(digest, 32);
    if (an_cms_prepare(&plan, &attrs, &err) != AN_OK)
        fail_msg("%s", err.detail);
    an_hash_once(AN_SHA256, an_buf_view(&attrs), to_sign);
    assert_int_equal(an_privkey_sign(leaf.key, &plan.scheme, AN_BYTES(to_sign, 32), &value, &err), AN_OK);
    if (scenario->stamped_at != NEVER)
        make_stamp(scenario, an_buf_view(&value), &token);
    assert_int_equal(an_cms_finish(&plan, an_buf_view(&attrs), an_buf_view(&value), an_buf_view(&token), ret, &err),
                     AN_OK);
    an_buf_free(&attrs);
    an_buf_free(&value);
    an_buf_free(&token);
}

static void
make_list(const struct scenario *scenario, struct an_crls *ret)
{
    struct an_revocation revoked = {.serial = leaf.cert->serial, .at = when(scenario->revoked_at),
                                    .reason = AN_REASON_KEY_COMPROMISE};
    struct an_buf der = an_buf_new(65536);
    struct an_crl *crl;
    struct an_err err = {0};

    if (scenario->list_from == NEVER)
        return;
    assert_int_equal(an_ca_crl(root.cert, root.signer, &revoked, scenario->revoked_at != NEVER, 1, when(scenario->list_from),
                               when(scenario->list_until), &der, &err), AN_OK);
    assert_int_equal(an_crl_parse(an_buf_view(&der), &crl, &err), AN_OK);
    *an_crls_push(ret) = crl;
    an_buf_free(&der);
}

static void
play(const struct scenario *scenario)
{
    struct an_certs anchors = {0};
    struct an_crls crls = {0};
    struct an_buf signature = an_buf_new(1024 * 1024);
    struct an_verify_options options = {.anchors = &anchors, .crls = &crls, .at = when(scenario->now), .content_fd = -1,
                                        .policy = "noi-bo"};
    struct an_report report = {0};
    struct an_err err = {0};
    struct an_file file = {.fd = -1};

    options.revocation = (scenario->status_optional ? AN_REVOCATION_IF_AVAILABLE : AN_REVOCATION_REQUIRE) + 1;
    issue(&leaf, "ca-nhan", "Nguyễn Văn Mẫu", &root, LEAF_FROM, scenario->leaf_until);
    if (scenario->stamped_at != NEVER)
        issue(&tsa, "tsa", "TSA Mẫu", &root, DAY(2020, 1, 1), scenario->tsa_until);
    issue(&other, "tsa", "TSA lạ", &foreign, DAY(2020, 1, 1), DAY(2025, 1, 1));
    an_certs_add(&anchors, root.cert);
    make_list(scenario, &crls);
    make_signature(scenario, &signature);
    file.bytes = an_buf_view(&signature);
    if (an_verify_file(verifier, &file, &options, &report, &err) != AN_OK)
        fail_msg("%s: %s %s", scenario->name, an_message_find(err.code)->symbol, err.detail);
    if (report.signatures[0].indication != scenario->indication ||
        strcmp(report.signatures[0].sub_indication, scenario->sub) != 0) {
        for (size_t i = 0; i < report.signatures[0].finding_count; i++)
            printf("#   %d %s %s %s\n", (int)report.signatures[0].findings[i].status,
                   report.signatures[0].findings[i].rule,
                   an_message_find(report.signatures[0].findings[i].code)->symbol,
                   report.signatures[0].findings[i].detail);
        fail_msg("%s: got %d %s", scenario->name, (int)report.signatures[0].indication,
                 report.signatures[0].sub_indication);
    }
    assert_int_equal(report.signature_count, 1);
    assert_true(report.signatures[0].word != AN_WORD_BROKEN && report.signatures[0].word != AN_WORD_MODIFIED);
    an_report_done(&report);
    an_buf_free(&signature);
    an_crls_unref(&crls);
    an_certs_done(&anchors);
}

static void
test_scenarios(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(scenarios); i++)
        play(&scenarios[i]);
}

/* Twice the same: the second answer comes from the caches and must not differ. */
static void
test_caches(void **state)
{
    (void)state;
    for (size_t round = 0; round < 3; round++)
        for (size_t i = 0; i < AN_COUNT(scenarios); i += 4)
            play(&scenarios[i]);
}

static void
drop(struct party *party)
{
    an_signer_close(&party->signer);
    an_privkey_free(&party->key);
    an_cert_unref(&party->cert);
    an_buf_free(&party->spki);
}

static int
open_world(void **state)
{
    (void)state;
    assert_int_equal(an_profiles_open(NULL, &profiles, NULL), AN_OK);
    make_party(&root);
    make_party(&leaf);
    make_party(&tsa);
    make_party(&foreign);
    make_party(&other);
    issue(&root, "goc", "Gốc Mẫu", NULL, DAY(2018, 1, 1), DAY(2035, 1, 1));
    issue(&foreign, "goc", "Gốc lạ", NULL, DAY(2018, 1, 1), DAY(2035, 1, 1));
    return an_verifier_new(NULL, &verifier, NULL) == AN_OK ? 0 : -1;
}

static int
close_world(void **state)
{
    (void)state;
    drop(&root);
    drop(&leaf);
    drop(&tsa);
    drop(&foreign);
    drop(&other);
    an_verifier_free(&verifier);
    an_profiles_free(&profiles);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scenarios), cmocka_unit_test(test_caches)};

    return cmocka_run_group_tests(tests, open_world, close_world);
}
