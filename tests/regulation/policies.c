/* Verification policies as shipped: anchors, algorithms over time, the pinned pair. */
#include "data.h"

static void
test_policy_official_duty(void **state)
{
    static const uint8_t ROOT_G1[] = {0xF7, 0xBC, 0x89, 0x05}, SUB_G1[] = {0x75, 0xE9, 0x69, 0xC0};
    const struct an_policy *policy = NULL;

    (void)state;
    assert_int_equal(an_policy_find(regs, "cong-vu", &policy, NULL), AN_OK);
    assert_int_equal(policy->anchor_rule, AN_ANCHORS_PINNED);
    assert_int_equal(policy->anchor_count, 2);
    assert_int_equal(policy->intermediate_count, 3);
    assert_memory_equal(policy->anchors[0].sha256, ROOT_G1, 4);
    assert_memory_equal(policy->intermediates[0].sha256, SUB_G1, 4);
    assert_int_equal(policy->revocation, AN_POLICY_REVOCATION_REQUIRE);
    assert_true(policy->legal_effect && !policy->time_stamp_required);
    /* SHA-1 passes for the pinned pair and for nobody else. */
    const uint8_t *sub = policy->intermediates[0].sha256, *state_g2 = policy->intermediates[1].sha256;
    assert_non_null(an_policy_excepts(policy, sub, AN_POLICY_RSA_PKCS1, "SHA-1", 2048));
    assert_non_null(an_policy_excepts(policy, policy->anchors[0].sha256, AN_POLICY_RSA_PKCS1, "SHA-1", 2048));
    assert_null(an_policy_excepts(policy, sub, AN_POLICY_RSA_PKCS1, "MD5", 2048));
    assert_null(an_policy_excepts(policy, sub, AN_POLICY_RSA_PKCS1, "SHA-1", 1024));
    assert_null(an_policy_excepts(policy, state_g2, AN_POLICY_RSA_PKCS1, "SHA-1", 4096));
}

static void
test_policy_algorithms(void **state)
{
    static const struct {
        const char *policy;
        enum an_policy_sig kind;
        const char *digest;
        int64_t bits;
        const char *when;
        bool allowed, too_late;
    } ROWS[] = {
        {"cong-vu", AN_POLICY_RSA_PKCS1, "SHA-256", 2048, "2026-01-01", true, false},
        {"cong-vu", AN_POLICY_RSA_PSS, "SHA3-512", 3072, "2026-01-01", true, false},
        {"cong-vu", AN_POLICY_RSA_PSS, "SHA-512/224", 2048, "2026-01-01", true, false},
        {"cong-vu", AN_POLICY_ECDSA, "SHA-384", 384, "2026-01-01", true, false},
        {"cong-vu", AN_POLICY_RSA_PKCS1, "SHA-256", 2047, "2026-01-01", false, false},
        {"cong-vu", AN_POLICY_RSA_PKCS1, "SHA-1", 4096, "2010-01-01", false, false},
        {"cong-vu", AN_POLICY_ECDSA, "SHA-256", 224, "2026-01-01", false, false},
        {"cong-vu", AN_POLICY_EDDSA, "", 256, "2026-01-01", false, false},
        {"cong-vu", AN_POLICY_DSA, "SHA-256", 3072, "2026-01-01", false, false},
        {"noi-bo", AN_POLICY_EDDSA, "", 256, "2026-01-01", true, false},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "SHA-256", 2048, "2026-01-01", true, false},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "SHA-256", 2048, "2029-01-01", false, true},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "SHA-256", 3072, "2035-01-01", true, false},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "SHA-1", 2048, "2011-01-01", true, false},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "SHA-1", 2048, "2013-01-01", false, true},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "MD5", 512, "2000-01-01", false, false},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        const struct an_policy *policy = NULL;
        bool too_late = false;
        assert_int_equal(an_policy_find(regs, ROWS[i].policy, &policy, NULL), AN_OK);
        an_time when = an_time_parse(an_bytes_of_str(ROWS[i].when));
        bool allowed = an_policy_allows(policy, ROWS[i].kind, ROWS[i].digest, ROWS[i].bits, when, &too_late) != NULL;
        if (allowed != ROWS[i].allowed || too_late != ROWS[i].too_late)
            fail_msg("row %zu: allowed %d, too late %d", i, allowed, too_late);
    }
}

static void
count_policy(void *context, const struct an_policy *policy)
{
    ++*(size_t *)context;
    assert_true(policy->any_algorithm == (policy->algorithm_count == 0));
}

static void
test_policy_list(void **state)
{
    const struct an_policy *policy = NULL;
    struct an_err err = {0};
    size_t count = 0;

    (void)state;
    assert_int_equal(an_policy_each(regs, count_policy, &count, NULL), AN_OK);
    assert_int_equal(count, 5);
    assert_int_equal(an_policy_find(regs, "rfc5280", &policy, NULL), AN_OK);
    assert_true(policy->any_algorithm);
    assert_int_equal(an_policy_find(regs, "../policies/cong-vu", &policy, &err), AN_E_POLICY_UNKNOWN);
    assert_int_equal(an_policy_find(regs, "la", &policy, &err), AN_E_POLICY_UNKNOWN);
    assert_string_equal(err.detail, "la (cong-cong, cong-vu, etsi-qes, noi-bo, rfc5280)");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_official_duty),
        cmocka_unit_test(test_policy_algorithms),
        cmocka_unit_test(test_policy_list),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
