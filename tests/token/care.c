/*
 * token/care.c: a locked token restored, a PIN changed, a token wiped, a certificate replaced: on SoftHSM2 through the
 * module that locks (p11_trouble.c), and looked at with pkcs11-tool.
 */
#include "base/file.h"
#include "token/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[128], control[160], uri[1024], serial[32];
static bool has_softhsm;
static struct { const char *pin; int asked; enum an_pin_state state; } user, officer;

static an_code
answer_pin(void *context, const char *what, enum an_pin_state state, struct an_secret **ret, struct an_err *reterr)
{
    __typeof__(user) *person = context;

    (void)what;
    person->asked++;
    person->state = state;
    if (person->pin == NULL)
        return an_err_set(reterr, AN_E_PIN_CANCELLED, "test");
    *ret = an_secret_from(an_bytes_of_str(person->pin));
    return AN_OK;
}
static const struct an_pin_source user_pin = {answer_pin, &user}, so_pin = {answer_pin, &officer};

static void
order(const char *orders)
{
    struct an_err err = {0};

    if (an_file_write(control, an_bytes_of_str(*orders ? orders : "nothing 0\n"), 0600, &err) != AN_OK)
        fail_msg("%s", err.detail);
}

static void
expect(an_code got, an_code wanted, const struct an_err *err)
{
    if (got != wanted)
        fail_msg("%s (%s), wanted %s", an_message_find(got)->symbol, err->detail, an_message_find(wanted)->symbol);
}

static void
keep_serial(void *context, const struct an_token_info *token)
{
    (void)context;
    snprintf(serial, sizeof(serial), "%s", token->serial);
}

static int
make_token(void **state)
{
    AN_CLEANUP(an_secret_free) struct an_secret *so = an_secret_from(AN_LIT("87654321"));
    AN_CLEANUP(an_secret_free) struct an_secret *pin = an_secret_from(AN_LIT("123456"));
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(8192);
    struct an_err err = {0};
    char module[300], made[512];

    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/antin-care-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    has_softhsm = an_softhsm_module() != NULL;
    if (!has_softhsm)
        return 0;
    snprintf(control, sizeof(control), "%s/control", folder);
    setenv("P11_TROUBLE_CONTROL", control, 1);
    setenv("P11_TROUBLE_MODULE", an_softhsm_module(), 1);
    snprintf(module, sizeof(module), "pkcs11:?module-path=%s", getenv("P11_TROUBLE"));
    snprintf(uri, sizeof(uri), "pkcs11:token=the?module-path=%s", getenv("P11_TROUBLE"));
    if (an_softhsm_use(folder, &err) != AN_OK || an_token_init(module, "the", so, pin, made, &err) != AN_OK) {
        print_error("%s %s\n", an_message_find(err.code)->symbol, err.detail);
        return -1;
    }
    user.pin = "123456";
    officer.pin = "87654321";
    if (an_token_list(uri, keep_serial, NULL, &err) != AN_OK ||
        an_token_generate(uri, user_pin, AN_KEY_RSA, 2048, "khóa", AN_LIT("\x07"), &spki, &err) != AN_OK) {
        print_error("%s %s\n", an_message_find(err.code)->symbol, err.detail);
        return -1;
    }
    return 0;
}

static int
remove_token(void **state)
{
    char command[200];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

#define NEED_TOKEN()                                                                                                   \
    do {                                                                                                               \
        (void)state;                                                                                                   \
        if (!has_softhsm)                                                                                              \
            skip();                                                                                                    \
        order("");                                                                                                     \
    } while (0)

static an_code
try_pin(const char *pin, struct an_err *err)
{
    struct an_signer *signer = NULL;
    an_code code;

    user.pin = pin;
    user.asked = 0;
    code = an_signer_open(uri, user_pin, &signer, err);
    an_signer_close(&signer);
    return code;
}

static an_code
unlock_with(const char *so, const char *new_pin, const struct an_pin_policy *policy, struct an_err *err)
{
    AN_CLEANUP(an_secret_free) struct an_secret *pin = an_secret_from(an_bytes_of_str(new_pin));

    officer.pin = so;
    officer.asked = 0;
    return an_token_unlock(uri, so_pin, pin, policy, err);
}

/* ---- policies of models ---- */
static void
pins_follow_the_model(void **state)
{
    static const struct an_pin_policy plain = {.model = "A", .length_min = 4, .length_max = 16},
        strict = {.model = "B", .length_min = 6, .length_max = 16, .needs_upper = true, .needs_lower = true, .needs_digit = true},
        digits = {.model = "SIM", .length_min = 6, .length_max = 8, .digits_only = true};
    static const struct { const struct an_pin_policy *policy; const char *pin; an_code want; } table[] = {
        {&plain, "123", AN_E_PIN_POLICY}, {&plain, "1234", AN_OK}, {&plain, "1234567890123456", AN_OK},
        {&plain, "12345678901234567", AN_E_PIN_POLICY}, {&plain, "mật khẩu", AN_E_PIN_POLICY}, {&plain, "12 34", AN_OK},
        {&plain, "12\t34", AN_E_PIN_POLICY},
        {&strict, "abcdef", AN_E_PIN_POLICY}, {&strict, "Abcdef", AN_E_PIN_POLICY}, {&strict, "Abcde1", AN_OK},
        {&strict, "ABCDE1", AN_E_PIN_POLICY}, {&strict, "Abc1", AN_E_PIN_POLICY},
        {&digits, "123456", AN_OK}, {&digits, "12345a", AN_E_PIN_POLICY}, {&digits, "123456789", AN_E_PIN_POLICY},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_secret_free) struct an_secret *pin = an_secret_from(an_bytes_of_str(table[i].pin));
        struct an_err err = {0};
        if (an_pin_check(table[i].policy, pin, &err) != table[i].want)
            fail_msg("%s %s: %s", table[i].policy->model, table[i].pin, err.detail);
        assert_null(strstr(err.detail, table[i].pin));
    }
}

/* ---- khôi phục ---- */
static void
locked_token_is_restored(void **state)
{
    static const struct an_pin_policy policy = {.model = "thử", .length_min = 6, .length_max = 16, .needs_digit = true};
    struct an_err err = {0};

    NEED_TOKEN();
    order("lock_after 3\n");
    for (int i = 0; i < 2; i++)
        expect(try_pin("000000", &err), AN_E_PIN_WRONG, &err);
    expect(try_pin("000000", &err), AN_E_PIN_LOCKED, &err);
    expect(try_pin("123456", &err), AN_E_PIN_LOCKED, &err); /* the right one does not help any more */
    expect(unlock_with("87654321", "abcdef", &policy, &err), AN_E_PIN_POLICY, &err);
    assert_int_equal(officer.asked, 0); /* refused before anybody is asked */
    expect(unlock_with("00000000", "654321", &policy, &err), AN_E_SO_PIN_WRONG, &err);
    expect(try_pin("123456", &err), AN_E_PIN_LOCKED, &err); /* still locked */
    expect(unlock_with("87654321", "654321", &policy, &err), AN_OK, &err);
    expect(try_pin("123456", &err), AN_E_PIN_WRONG, &err);
    expect(try_pin("654321", &err), AN_OK, &err); /* and the key is still there: the signer found it */
    expect(unlock_with("87654321", "123456", NULL, &err), AN_OK, &err);
    expect(try_pin("123456", &err), AN_OK, &err);
}

static void
officer_locks_too(void **state)
{
    struct an_err err = {0};

    NEED_TOKEN();
    order("so_lock_after 3\n");
    expect(unlock_with("00000000", "654321", NULL, &err), AN_E_SO_PIN_WRONG, &err);
    assert_int_equal(officer.state, AN_PIN_OK);
    expect(unlock_with("00000000", "654321", NULL, &err), AN_E_SO_PIN_WRONG, &err);
    assert_int_equal(officer.state, AN_PIN_COUNT_LOW);
    expect(unlock_with(NULL, "654321", NULL, &err), AN_E_PIN_CANCELLED, &err); /* thought better of it */
    assert_int_equal(officer.state, AN_PIN_FINAL_TRY);
    expect(unlock_with("00000000", "654321", NULL, &err), AN_E_SO_PIN_LOCKED, &err);
    expect(unlock_with("87654321", "654321", NULL, &err), AN_E_SO_PIN_LOCKED, &err);
    assert_int_equal(officer.asked, 0);
    order(""); /* a module that does not count: the right PIN sets the count back */
    expect(unlock_with("87654321", "123456", NULL, &err), AN_OK, &err);
}

static void
pulled_out_meanwhile(void **state)
{
    struct an_err err = {0};

    NEED_TOKEN();
    order("removed 1\n");
    expect(unlock_with("87654321", "654321", NULL, &err), AN_E_TOKEN_ABSENT, &err);
    order("");
    expect(try_pin("123456", &err), AN_OK, &err);
}

/* ---- đổi mã PIN ---- */
static void
pin_is_changed_by_its_owner(void **state)
{
    static const struct { const char *old, *new; an_code want; } table[] = {
        {"123456", "12", AN_E_PIN_LENGTH}, {"999999", "777777", AN_E_PIN_WRONG}, {NULL, "777777", AN_E_PIN_CANCELLED},
        {"123456", "777777", AN_OK}, {"123456", "888888", AN_E_PIN_WRONG}, {"777777", "123456", AN_OK},
    };
    struct an_err err = {0};

    NEED_TOKEN();
    order("lock_after 9\n");
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_secret_free) struct an_secret *pin = an_secret_from(an_bytes_of_str(table[i].new));
        user.pin = table[i].old;
        expect(an_token_change_pin(uri, user_pin, pin, NULL, &err), table[i].want, &err);
    }
    expect(try_pin("123456", &err), AN_OK, &err);
}

/* ---- chứng thư ---- */
struct found { unsigned keys, certificates; char label[128]; };

static void
note_object(void *context, const struct an_token_object *object)
{
    struct found *found = context;

    found->keys += strcmp(object->class_name, "private-key") == 0;
    if (strcmp(object->class_name, "certificate") == 0) {
        found->certificates++;
        snprintf(found->label, sizeof(found->label), "%s", object->label);
    }
}

static void
certificate_is_replaced(void **state)
{
    AN_CLEANUP(an_free_ptr) char *command = NULL, *path = NULL;
    struct an_signer *signer = NULL;
    struct an_err err = {0};

    NEED_TOKEN();
    user.pin = "123456";
    expect(an_signer_open(uri, user_pin, &signer, &err), AN_OK, &err);
    path = an_asprintf("%s/spki.der", folder);
    expect(an_file_write(path, an_signer_spki(signer), 0600, &err), AN_OK, &err);
    an_signer_close(&signer);
    command = an_asprintf("cd '%s' && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key 2>/dev/null && "
                          "openssl req -x509 -new -key ca.key -subj /CN=ca -days 9 -out ca.pem && for n in 1 2; do openssl x509 -new "
                          "-force_pubkey spki.der -CA ca.pem -CAkey ca.key -subj /CN=chu-$n -days 9 -outform DER -out leaf$n.der; done", folder);
    assert_int_equal(system(command), 0);
    for (int i = 1; i <= 2; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(65536);
        AN_CLEANUP(an_free_ptr) char *leaf = an_asprintf("%s/leaf%d.der", folder, i), *label = an_asprintf("chứng thư %d", i);
        struct found found = {0};
        expect(an_file_read(leaf, 65536, &der, &err), AN_OK, &err);
        for (int again = 0; again < 2; again++) /* whoever was killed afterwards writes it once more */
            expect(an_token_replace_cert(uri, user_pin, an_buf_view(&der), label, AN_LIT("\x07"), &err), AN_OK, &err);
        expect(an_token_objects(uri, user_pin, note_object, &found, &err), AN_OK, &err);
        assert_int_equal(found.certificates, 1);
        assert_string_equal(found.label, label);
        expect(an_signer_open(uri, user_pin, &signer, &err), AN_OK, &err);
        assert_true(an_bytes_eq(an_signer_info(signer)->certificate, an_buf_view(&der)));
        an_signer_close(&signer);
    }
}

/* ---- what a killed process left ---- */
struct pairs { size_t private_keys, public_keys, nameless; };

static void
count_pairs(void *context, const struct an_token_object *object)
{
    struct pairs *pairs = context;

    pairs->nameless += object->id[0] == '\0';
    pairs->private_keys += strcmp(object->id, "09") == 0 && strcmp(object->class_name, "private-key") == 0;
    pairs->public_keys += strcmp(object->id, "09") == 0 && strcmp(object->class_name, "public-key") == 0;
}

static void
expect_pairs(size_t private_keys, size_t public_keys, size_t nameless)
{
    struct pairs pairs = {0};
    struct an_err err = {0};

    expect(an_token_objects(uri, user_pin, count_pairs, &pairs, &err), AN_OK, &err);
    assert_int_equal(pairs.private_keys, private_keys);
    assert_int_equal(pairs.public_keys, public_keys);
    assert_int_equal(pairs.nameless, nameless);
}

static an_code
generate(struct an_err *err)
{
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(8192);

    return an_token_generate(uri, user_pin, AN_KEY_RSA, 2048, "khóa chín", AN_LIT("\x09"), &spki, err);
}

static void
halves_are_swept(void **state)
{
    struct an_signer *signer = NULL;
    struct an_err err = {0};

    NEED_TOKEN();
    user.pin = "123456";
    order("half_key 1\n");
    expect(generate(&err), AN_E_TOKEN_FAILED, &err);
    order("half_key 2\n");
    expect(generate(&err), AN_E_TOKEN_FAILED, &err);
    order("");
    expect_pairs(0, 1, 1);
    expect(an_token_sweep(uri, user_pin, AN_LIT("\x09"), &err), AN_OK, &err);
    expect_pairs(0, 0, 0);
    order("half_key 2\n");
    expect(generate(&err), AN_E_TOKEN_FAILED, &err);
    order("");
    expect(generate(&err), AN_OK, &err); /* a whole pair beside the half */
    expect_pairs(1, 2, 0);
    for (int i = 0; i < 2; i++) {
        expect(an_token_sweep(uri, user_pin, AN_LIT("\x09"), &err), AN_OK, &err);
        expect_pairs(1, 1, 0);
    }
    expect(an_signer_open(uri, user_pin, &signer, &err), AN_E_KEY_AMBIGUOUS, &err); /* the other key stayed too */
}

/* ---- xóa khi thu hồi: comes last ---- */
static void
returned_token_is_wiped(void **state)
{
    static const struct { const char *serial, *label, *so; an_code want; } table[] = {
        {"0000", "the", "87654321", AN_E_TOKEN_SERIAL}, {NULL, "the", "00000000", AN_E_SO_PIN_WRONG},
        {NULL, "", "87654321", AN_E_LIMIT}, {NULL, "nhãn dài hơn ba mươi hai byte thì không", "87654321", AN_E_LIMIT},
    };
    struct found found = {0};
    struct an_err err = {0};

    NEED_TOKEN();
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        officer.pin = table[i].so;
        expect(an_token_wipe(uri, table[i].serial ? table[i].serial : serial, table[i].label, so_pin, &err), table[i].want, &err);
    }
    expect(try_pin("123456", &err), AN_E_KEY_AMBIGUOUS, &err); /* refusals destroyed nothing: both keys are there */
    officer.pin = "87654321";
    expect(an_token_wipe(uri, serial, "the", so_pin, &err), AN_OK, &err);
    expect(try_pin("123456", &err), AN_E_PIN_UNSET, &err);
    expect(unlock_with("87654321", "246810", NULL, &err), AN_OK, &err); /* ready for the next holder */
    user.pin = "246810";
    expect(an_token_objects(uri, user_pin, note_object, &found, &err), AN_OK, &err);
    assert_int_equal(found.keys + found.certificates, 0);
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("command -v pkcs11-tool >/dev/null || exit 0; test $(pkcs11-tool --module %s --token-label "
        "the --login --pin 246810 --list-objects 2>/dev/null | wc -l) = 0", an_softhsm_module());
    assert_int_equal(system(command), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pins_follow_the_model), cmocka_unit_test(locked_token_is_restored), cmocka_unit_test(officer_locks_too),
        cmocka_unit_test(pulled_out_meanwhile), cmocka_unit_test(pin_is_changed_by_its_owner), cmocka_unit_test(certificate_is_replaced),
        cmocka_unit_test(halves_are_swept),
        cmocka_unit_test(returned_token_is_wiped),
    };

    return cmocka_run_group_tests_name("token-care", tests, make_token, remove_token);
}
