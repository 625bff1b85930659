/* The quick inverse: what it answers, libcrypto multiplies back to one; at the edges, in the middle, and modulo other numbers. */
#include "crypto/internal.h"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static BN_CTX *ctx;

static void
check_inverse(const BIGNUM *x, const BIGNUM *modulus)
{
    BIGNUM *inverse = BN_new(), *product = BN_new();

    assert_true(an_quick_inverse(x, modulus, inverse));
    assert_true(!BN_is_negative(inverse) && BN_cmp(inverse, modulus) < 0);
    assert_int_equal(BN_mod_mul(product, x, inverse, modulus, ctx), 1);
    if (!BN_is_one(product))
        fail_msg("x %s, modulus %s", BN_bn2hex(x), BN_bn2hex(modulus));
    BN_free(inverse);
    BN_free(product);
}

static void
order_of_p256(void **state)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    const BIGNUM *order = EC_GROUP_get0_order(group);
    BIGNUM *x = BN_new();

    (void)state;
    for (BN_ULONG i = 1; i <= 300; i++) {
        assert_int_equal(BN_set_word(x, i), 1);
        check_inverse(x, order);
        assert_true(BN_copy(x, order) != NULL && BN_sub_word(x, i) == 1);
        check_inverse(x, order);
    }
    for (int bit = 0; bit < 256; bit++) {
        BN_zero(x);
        assert_int_equal(BN_set_bit(x, bit), 1);
        if (BN_cmp(x, order) < 0)
            check_inverse(x, order);
        assert_int_equal(BN_sub_word(x, 1), 1);
        if (!BN_is_zero(x))
            check_inverse(x, order);
    }
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(BN_rand_range(x, order), 1);
        if (!BN_is_zero(x))
            check_inverse(x, order);
    }
    BN_free(x);
    EC_GROUP_free(group);
}

static void
other_moduli(void **state)
{
    BIGNUM *modulus = BN_new(), *x = BN_new(), *divisor = BN_new();
    size_t checked = 0;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(BN_rand(modulus, 2 + i % 255, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
        assert_int_equal(BN_rand_range(x, modulus), 1);
        assert_int_equal(BN_gcd(divisor, x, modulus, ctx), 1);
        if (!BN_is_one(divisor))
            continue;
        check_inverse(x, modulus);
        checked++;
    }
    assert_true(checked > 5000);
    BN_free(modulus);
    BN_free(x);
    BN_free(divisor);
}

static void
what_it_does_not_answer(void **state)
{
    BIGNUM *modulus = BN_new(), *x = BN_new(), *inverse = BN_new();

    (void)state;
    assert_true(BN_set_word(x, 3) == 1 && BN_set_word(modulus, 10) == 1);
    assert_false(an_quick_inverse(x, modulus, inverse)); /* even */
    assert_true(BN_set_word(modulus, 1) == 1 && BN_set_bit(modulus, 256) == 1);
    assert_false(an_quick_inverse(x, modulus, inverse)); /* longer than 256 bits */
    BN_free(modulus);
    BN_free(x);
    BN_free(inverse);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_p256), cmocka_unit_test(other_moduli), cmocka_unit_test(what_it_does_not_answer),
    };
    int failed;

    ctx = BN_CTX_new();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    BN_CTX_free(ctx);
    return failed;
}
