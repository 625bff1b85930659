/* token/: signing with SoftHSM2 in a temporary folder, and with the same token when it misbehaves (p11_trouble.c). */
#include "base/file.h"
#include "base/time.h"
#include "token/token.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[128], control[160], real_uri[1024], trouble_uri[1024];
static const char *trouble_module;
static bool has_softhsm;

/* ---- helpers ---- */
static struct { const char *pin; int asked; enum an_pin_state state; } person;

static an_code
answer_pin(void *context, const char *what, enum an_pin_state state, struct an_secret **ret, struct an_err *reterr)
{
    (void)context, (void)what;
    person.asked++;
    person.state = state;
    if (person.pin == NULL)
        return an_err_set(reterr, AN_E_PIN_CANCELLED, "test");
    *ret = an_secret_from(an_bytes_of_str(person.pin));
    return AN_OK;
}
static const struct an_pin_source asks = {.ask = answer_pin};

static void
order(const char *orders)
{
    struct an_err err = {0};

    if (an_file_write(control, an_bytes_of_str(*orders ? orders : "nothing 0\n"), 0600, &err) != AN_OK)
        fail_msg("%s", err.detail);
}

static long
seen(const char *name)
{
    char path[256], found[64];
    long value = 0, result = -1;

    snprintf(path, sizeof(path), "%s.seen", control);
    FILE *file = fopen(path, "re");
    while (file != NULL && fscanf(file, "%63s %ld", found, &value) == 2)
        if (strcmp(found, name) == 0)
            result = value;
    if (file != NULL)
        fclose(file);
    return result;
}

static const char *
key_uri(const char *token_uri, const char *label)
{
    static char uri[1200];

    snprintf(uri, sizeof(uri), "%s", token_uri);
    char *query = strchr(uri, '?');
    AN_CLEANUP(an_free_ptr) char *rest = an_strdup(query ? query : "");
    if (query != NULL)
        *query = '\0';
    size_t used = strlen(uri);
    snprintf(uri + used, sizeof(uri) - used, ";object=%s%s", label, rest);
    return uri;
}

static const struct an_scheme rsa = {.kind = AN_SIG_RSA_PKCS1, .digest = AN_SHA256};
static const struct an_scheme pss = {.kind = AN_SIG_RSA_PSS, .digest = AN_SHA256, .mgf_digest = AN_SHA256, .salt_len = -1};
static const struct an_scheme pss384 = {.kind = AN_SIG_RSA_PSS, .digest = AN_SHA384, .mgf_digest = AN_SHA384, .salt_len = 48};
static const struct an_scheme ecdsa = {.kind = AN_SIG_ECDSA, .digest = AN_SHA256};
static const struct an_scheme ecdsa512 = {.kind = AN_SIG_ECDSA, .digest = AN_SHA512};

/* Signs and has libcrypto check it against the token's public key. */
static an_code
sign_and_check(struct an_signer *signer, const struct an_scheme *scheme, struct an_err *err)
{
    AN_CLEANUP(an_buf_free) struct an_buf signature = an_buf_new(4096);
    uint8_t digest[AN_DIGEST_MAX];
    struct an_pubkey *key = NULL;
    an_bytes view;

    an_hash_once(scheme->digest, AN_LIT("văn bản"), digest);
    view = AN_BYTES(digest, an_digest_size(scheme->digest));
    AN_TRY(an_signer_sign(signer, scheme, view, &signature, err));
    AN_TRY(an_pubkey_parse(an_signer_spki(signer), &key, err));
    bool is_right = an_pubkey_verify_digest(key, scheme, view, an_buf_view(&signature));
    an_pubkey_unref(&key);
    if (!is_right || signature.len > an_signer_size_max(signer))
        fail_msg("signature of %zu bytes does not verify", signature.len);
    return AN_OK;
}

static void
expect(an_code got, an_code wanted, const struct an_err *err)
{
    if (got != wanted)
        fail_msg("%s (%s), wanted %s", an_message_find(got)->symbol, err->detail, an_message_find(wanted)->symbol);
}

static an_code
open_trouble(const char *pin, struct an_signer **ret, struct an_err *err)
{
    person.pin = pin;
    person.asked = 0;
    return an_signer_open(key_uri(trouble_uri, "lanh-dao"), asks, ret, err);
}

/* ---- set-up ---- */
static const struct { const char *label; enum an_key_kind kind; int bits; const char *id; } keys[] = {
    {"lanh-dao", AN_KEY_RSA, 2048, "\x01"},
    {"Khóa RSA-3072", AN_KEY_RSA, 3072, "\x02"},
    {"p256", AN_KEY_EC, 256, "\x03"},
    {"p384", AN_KEY_EC, 384, "\x04"},
    {"doi", AN_KEY_EC, 256, "\x05"},
    {"doi", AN_KEY_EC, 256, "\x06"},
};

static int
make_token(void **state)
{
    AN_CLEANUP(an_secret_free) struct an_secret *so = an_secret_from(AN_LIT("12345678"));
    AN_CLEANUP(an_secret_free) struct an_secret *pin = an_secret_from(AN_LIT("123456"));
    struct an_err err = {0};
    char module[300];

    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/antin-token-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    has_softhsm = an_softhsm_module() != NULL;
    if (!has_softhsm) {
        print_message("SoftHSM2 is not installed: the token tests are skipped\n");
        return 0;
    }
    if (an_softhsm_use(folder, &err) != AN_OK)
        return -1;
    snprintf(module, sizeof(module), "pkcs11:?module-path=%s", an_softhsm_module());
    if (an_token_init(module, "Thẻ thử", so, pin, real_uri, &err) != AN_OK) {
        print_error("%s %s\n", an_message_find(err.code)->symbol, err.detail);
        return -1;
    }
    person.pin = "123456";
    for (size_t i = 0; i < AN_COUNT(keys); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(4096);
        if (an_token_generate(real_uri, asks, keys[i].kind, keys[i].bits, keys[i].label, AN_BYTES(keys[i].id, 1), &spki, &err) != AN_OK) {
            print_error("%s %s\n", an_message_find(err.code)->symbol, err.detail);
            return -1;
        }
    }
    snprintf(control, sizeof(control), "%s/control", folder);
    setenv("P11_TROUBLE_CONTROL", control, 1);
    setenv("P11_TROUBLE_MODULE", an_softhsm_module(), 1);
    trouble_module = getenv("P11_TROUBLE");
    snprintf(trouble_uri, sizeof(trouble_uri), "pkcs11:token=Th%%E1%%BA%%BB%%20th%%E1%%BB%%AD?module-path=%s", trouble_module);
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

/* ---- a token that behaves ---- */
static void
every_key_signs(void **state)
{
    static const struct { const char *uri_label; const struct an_scheme *scheme; int bits; } table[] = {
        {"lanh-dao", &rsa, 2048}, {"lanh-dao", &pss, 2048}, {"lanh-dao", &pss384, 2048},
        {"Kh%C3%B3a%20RSA-3072", &rsa, 3072}, {"Kho%CC%81a%20RSA-3072", &rsa, 3072}, /* composed and decomposed */
        {"p256", &ecdsa, 256}, {"p256", &ecdsa512, 256}, {"p384", &ecdsa512, 384}, {"p384", &ecdsa, 384},
    };

    NEED_TOKEN();
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_signer *signer = NULL;
        struct an_err err = {0};
        person.pin = "123456";
        expect(an_signer_open(key_uri(real_uri, table[i].uri_label), asks, &signer, &err), AN_OK, &err);
        assert_int_equal(an_signer_info(signer)->bits, table[i].bits);
        assert_string_equal(an_signer_info(signer)->token, "Thẻ thử");
        expect(sign_and_check(signer, table[i].scheme, &err), AN_OK, &err);
        an_signer_close(&signer);
    }
}

/* P-256 signatures have many lengths in DER: all must come out right. */
static void
ecdsa_of_every_length(void **state)
{
    struct an_signer *signer = NULL;
    struct an_err err = {0};

    NEED_TOKEN();
    person.pin = "123456";
    expect(an_signer_open(key_uri(real_uri, "p256"), asks, &signer, &err), AN_OK, &err);
    for (int i = 0; i < 600; i++)
        expect(sign_and_check(signer, &ecdsa, &err), AN_OK, &err);
    an_signer_close(&signer);
}

static void
wrong_addresses(void **state)
{
    static const struct { const char *uri; an_code want; } table[] = {
        {"pkcs11:object=khong-co", AN_E_KEY_ABSENT},
        {"pkcs11:object=doi", AN_E_KEY_AMBIGUOUS},
        {"pkcs11:object=doi;id=%05", AN_OK},
        {"pkcs11:", AN_E_KEY_AMBIGUOUS},
        {"pkcs11:id=%04", AN_OK},
        {"pkcs11:token=khac;id=%04", AN_E_TOKEN_ABSENT},
        {"pkcs11:serial=000;id=%04", AN_E_TOKEN_ABSENT},
        {"pkcs11:manufacturer=SoftHSM%20project;model=SoftHSM%20v2;id=%04", AN_OK},
        {"pkcs11:manufacturer=khac;id=%04", AN_E_TOKEN_ABSENT},
        {"pkcs11:token=%zz", AN_E_TOKEN_URI},
        {"pkcs11:mau=xanh", AN_E_TOKEN_URI},
    };

    NEED_TOKEN();
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_free_ptr) char *uri = an_asprintf("%s?module-path=%s", table[i].uri, an_softhsm_module());
        struct an_signer *signer = NULL;
        struct an_err err = {0};
        person.pin = "123456";
        an_code code = an_signer_open(uri, asks, &signer, &err);
        if (code != table[i].want)
            fail_msg("%s: %s %s", table[i].uri, an_message_find(code)->symbol, err.detail);
        an_signer_close(&signer);
    }
    struct an_signer *signer = NULL;
    struct an_err err = {0};
    expect(an_signer_open("pkcs11:?pin-value=123456", asks, &signer, &err), AN_E_TOKEN_URI, &err);
    expect(an_signer_open("pkcs11:?module-path=/khong/co.so", asks, &signer, &err), AN_E_TOKEN_MODULE, &err);
    expect(an_signer_open("pkcs11:?module-path=co.so", asks, &signer, &err), AN_E_TOKEN_URI, &err);
}

static void
count_token(void *context, const struct an_token_info *token)
{
    if (strcmp(token->label, "Thẻ thử") == 0 && token->initialised && token->pin == AN_PIN_OK && token->login_required)
        ++*(int *)context;
}

static void
count_object(void *context, const struct an_token_object *object)
{
    int *counts = context;

    if (strcmp(object->class_name, "private-key") == 0 && object->bits != 0)
        counts[0]++;
    if (strcmp(object->class_name, "public-key") == 0)
        counts[1]++;
    if (strcmp(object->class_name, "certificate") == 0 && object->value.len != 0)
        counts[2]++;
    assert_true(strncmp(object->uri, "pkcs11:", 7) == 0);
}

static void
tokens_are_listed(void **state)
{
    struct an_err err = {0};
    int tokens = 0, with[3] = {0}, without[3] = {0};

    NEED_TOKEN();
    expect(an_token_list(real_uri, count_token, &tokens, &err), AN_OK, &err);
    assert_int_equal(tokens, 1);
    person.pin = "123456";
    expect(an_token_objects(real_uri, asks, count_object, with, &err), AN_OK, &err);
    expect(an_token_objects(real_uri, (struct an_pin_source){0}, count_object, without, &err), AN_OK, &err);
    assert_int_equal(with[0], AN_COUNT(keys));
    assert_int_equal(with[1], AN_COUNT(keys));
    assert_int_equal(without[0], 0); /* private keys show after login only */
    assert_int_equal(without[1], AN_COUNT(keys));
}

/* ---- a certificate beside the key, made by openssl ---- */
static void
certificate_is_found(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(65536);
    AN_CLEANUP(an_free_ptr) char *command = NULL, *path = NULL;
    struct an_signer *signer = NULL;
    struct an_err err = {0};

    NEED_TOKEN();
    person.pin = "123456";
    expect(an_signer_open(key_uri(real_uri, "p384"), asks, &signer, &err), AN_OK, &err);
    assert_int_equal(an_signer_info(signer)->certificate.len, 0);
    path = an_asprintf("%s/spki.der", folder);
    expect(an_file_write(path, an_signer_spki(signer), 0600, &err), AN_OK, &err);
    an_signer_close(&signer);
    command = an_asprintf("cd '%s' && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key 2>/dev/null && "
                          "openssl req -x509 -new -key ca.key -subj '/CN=ca' -days 9 -out ca.pem && "
                          "openssl x509 -new -force_pubkey spki.der -CA ca.pem -CAkey ca.key -subj '/CN=chu' -days 9 "
                          "-outform DER -out leaf.der", folder);
    assert_int_equal(system(command), 0);
    free(path);
    path = an_asprintf("%s/leaf.der", folder);
    expect(an_file_read(path, 65536, &der, &err), AN_OK, &err);
    expect(an_token_write_cert(real_uri, asks, an_buf_view(&der), "chứng thư", AN_LIT("\x04"), &err), AN_OK, &err);
    /* By the certificate's label, too. */
    expect(an_signer_open(key_uri(real_uri, "ch%E1%BB%A9ng%20th%C6%B0"), asks, &signer, &err), AN_OK, &err);
    assert_true(an_bytes_eq(an_signer_info(signer)->certificate, an_buf_view(&der)));
    assert_string_equal(an_signer_info(signer)->label, "p384");
    an_signer_close(&signer);
}

static void
key_stays_inside(void **state)
{
    AN_CLEANUP(an_free_ptr) char *command = NULL;

    NEED_TOKEN();
    command = an_asprintf("pkcs11-tool --module %s --token-label 'Thẻ thử' --login --pin 123456 --list-objects --type privkey "
                          "2>/dev/null | grep -c 'never extractable'", an_softhsm_module());
    FILE *pipe = popen(command, "r");
    int count = -1;
    if (pipe == NULL || fscanf(pipe, "%d", &count) != 1)
        count = -1;
    if (pipe != NULL)
        pclose(pipe);
    if (count <= 0) {
        print_message("pkcs11-tool is absent: skipped\n");
        skip();
    }
    assert_int_equal(count, AN_COUNT(keys));
}

/* ---- PINs ---- */
static void
wrong_pin_costs_one_try(void **state)
{
    struct an_signer *signer = NULL;
    struct an_err err = {0};

    NEED_TOKEN();
    order("lock_after 3\n");
    expect(open_trouble("000000", &signer, &err), AN_E_PIN_WRONG, &err);
    assert_int_equal(seen("wrong"), 1);
    expect(open_trouble("12", &signer, &err), AN_E_PIN_LENGTH, &err); /* too short: not offered */
    assert_int_equal(seen("wrong"), 1);
    assert_int_equal(person.state, AN_PIN_COUNT_LOW);
    expect(open_trouble("000000", &signer, &err), AN_E_PIN_WRONG, &err);
    assert_int_equal(seen("wrong"), 2);
    expect(open_trouble("000000", &signer, &err), AN_E_PIN_LOCKED, &err);
    assert_int_equal(person.state, AN_PIN_FINAL_TRY);
    expect(open_trouble("123456", &signer, &err), AN_E_PIN_LOCKED, &err);
    assert_int_equal(person.asked, 0); /* a locked token does not ask */
    assert_true(strstr(err.detail, "000000") == NULL && strstr(err.detail, "123456") == NULL);
}

static void
pin_file_never_spends_the_last_try(void **state)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/pin", folder);
    struct an_signer *signer = NULL;
    struct an_err err = {0};

    NEED_TOKEN();
    expect(an_file_write(path, AN_LIT("123456\n"), 0600, &err), AN_OK, &err);
    order("lock_after 5\nwrong_pins 4\n");
    expect(an_signer_open(key_uri(trouble_uri, "lanh-dao"), an_pin_from_file(path), &signer, &err), AN_E_PIN_FINAL_TRY, &err);
    expect(open_trouble("123456", &signer, &err), AN_OK, &err); /* a person may */
    an_signer_close(&signer);
}

static void
pin_files(void **state)
{
    static const struct { const char *content; unsigned mode; an_code want; } table[] = {
        {"123456\n", 0600, AN_OK}, {"123456", 0400, AN_OK}, {"123456\r\nhai\n", 0600, AN_OK},
        {"123456\n", 0640, AN_E_PIN_FILE_MODE}, {"123456\n", 0604, AN_E_PIN_FILE_MODE},
        {"\n123456\n", 0600, AN_E_PIN_LENGTH},
    };
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/pin2", folder);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_pin_source source = an_pin_from_file(path);
        struct an_secret *pin = NULL;
        struct an_err err = {0};
        expect(an_file_write(path, an_bytes_of_str(table[i].content), table[i].mode, &err), AN_OK, &err);
        an_code code = source.ask(source.context, "thẻ", AN_PIN_OK, &pin, &err);
        expect(code, table[i].want, &err);
        if (code == AN_OK)
            assert_true(an_bytes_eq(an_secret_bytes(pin), AN_LIT("123456")));
        an_secret_free(&pin);
    }
}

static void
pin_source_in_the_uri(void **state)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/pin3", folder), *uri = NULL;
    struct an_signer *signer = NULL;
    struct an_err err = {0};

    NEED_TOKEN();
    expect(an_file_write(path, AN_LIT("123456\n"), 0600, &err), AN_OK, &err);
    uri = an_asprintf("%s&pin-source=file:%s", key_uri(real_uri, "p256"), path);
    expect(an_signer_open(uri, (struct an_pin_source){0}, &signer, &err), AN_OK, &err);
    an_signer_close(&signer);
    free(uri);
    uri = an_asprintf("%s&pin-source=%%7Ccat", key_uri(real_uri, "p256"));
    expect(an_signer_open(uri, (struct an_pin_source){0}, &signer, &err), AN_E_TOKEN_URI, &err);
    expect(an_signer_open(key_uri(real_uri, "p256"), (struct an_pin_source){0}, &signer, &err), AN_E_PIN_NEEDED, &err);
}

/* ---- a token that misbehaves ---- */
static void
pulled_and_returned(void **state)
{
    struct an_signer *signer = NULL;
    struct an_err err = {0};
    uint64_t before;

    NEED_TOKEN();
    expect(open_trouble("123456", &signer, &err), AN_OK, &err);
    expect(sign_and_check(signer, &rsa, &err), AN_OK, &err);
    order("removed 1\n");
    expect(sign_and_check(signer, &rsa, &err), AN_E_TOKEN_REMOVED, &err);
    expect(sign_and_check(signer, &rsa, &err), AN_E_TOKEN_REMOVED, &err);
    order("removed 0\n");
    before = an_time_monotonic_ms();
    expect(sign_and_check(signer, &rsa, &err), AN_OK, &err);
    assert_true(an_time_monotonic_ms() - before < 1000);
    assert_int_equal(person.asked, 1); /* nobody was asked again */
    order("dead_sessions 1\n");
    expect(sign_and_check(signer, &rsa, &err), AN_OK, &err);
    an_signer_close(&signer);
}

/* Pulled out, someone changed the PIN, put back: the old PIN is offered once and never again. */
static void
refused_pin_is_not_offered_again(void **state)
{
    struct an_signer *signer = NULL;
    struct an_err err = {0};
    long wrong;

    NEED_TOKEN();
    expect(open_trouble("123456", &signer, &err), AN_OK, &err);
    order("removed 1\n");
    expect(sign_and_check(signer, &rsa, &err), AN_E_TOKEN_REMOVED, &err);
    order("refuse_pin 1\nlock_after 9\n");
    expect(sign_and_check(signer, &rsa, &err), AN_E_PIN_WRONG, &err);
    wrong = seen("wrong");
    for (int i = 0; i < 3; i++)
        expect(sign_and_check(signer, &rsa, &err), AN_E_PIN_WRONG, &err);
    assert_int_equal(seen("wrong"), wrong);
    an_signer_close(&signer);
}

static void
lies_and_faults(void **state)
{
    static const struct { const char *orders; an_code want; } table[] = {
        {"no_mechanism 1\n", AN_E_TOKEN_MECHANISM},
        {"garbage_len 7\n", AN_E_TOKEN_ANSWER},
        {"garbage_len 0\n", AN_OK},
        {"garbage_len 100000\n", AN_E_TOKEN_ANSWER},
        {"fail_sign_every 2\n", AN_OK},
        {"fail_sign_every 1\n", AN_E_TOKEN_FAILED},
        {"dead_module 1\n", AN_E_TOKEN_FAILED},
        {"", AN_OK},
    };
    struct an_signer *signer = NULL;
    struct an_err err = {0};

    NEED_TOKEN();
    expect(open_trouble("123456", &signer, &err), AN_OK, &err);
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        order(table[i].orders);
        for (int n = 0; n < 4; n++)
            expect(sign_and_check(signer, &rsa, &err), table[i].want, &err);
    }
    an_signer_close(&signer);
    order("dead_module 1\n");
    expect(open_trouble("123456", &signer, &err), AN_E_TOKEN_MODULE, &err);
    order("no_initialize 1\n");
    expect(open_trouble("123456", &signer, &err), AN_E_TOKEN_MODULE, &err);
}

static void
pin_for_every_signature(void **state)
{
    struct an_signer *signer = NULL;
    struct an_err err = {0};
    long before;

    NEED_TOKEN();
    order("always_auth 1\n");
    expect(open_trouble("123456", &signer, &err), AN_OK, &err);
    before = seen("logins");
    for (int i = 0; i < 3; i++)
        expect(sign_and_check(signer, &rsa, &err), AN_OK, &err);
    assert_int_equal(seen("logins") - before, 3);
    an_signer_close(&signer);
}

/* ---- many threads ---- */
struct crowd { struct an_signer *signer; unsigned done, failed; };

static void *
sign_many(void *context)
{
    struct crowd *crowd = context;
    struct an_err err = {0};

    for (int i = 0; i < 10; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf signature = an_buf_new(4096);
        uint8_t digest[AN_DIGEST_MAX];
        an_hash_once(AN_SHA256, AN_LIT("lô"), digest);
        if (an_signer_sign(crowd->signer, &rsa, AN_BYTES(digest, 32), &signature, &err) == AN_OK)
            __atomic_add_fetch(&crowd->done, 1, __ATOMIC_RELAXED);
        else
            __atomic_add_fetch(&crowd->failed, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void
threads_share_sessions(void **state)
{
    static const struct { const char *orders; size_t sessions; } table[] = {
        {"", 64}, {"told_sessions 1\nsessions_max 1\n", 1}, {"told_sessions 16\n", 16},
        {"sessions_max 3\n", 64},                     /* fewer than it says */
        {"sessions_max 4\nfail_sign_every 7\n", 64},
        {"delay_ms 2\ntold_sessions 2\n", 2},
    };

    NEED_TOKEN();
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct crowd crowd = {0};
        struct an_err err = {0};
        pthread_t threads[12];
        order(table[i].orders);
        expect(open_trouble("123456", &crowd.signer, &err), AN_OK, &err);
        assert_int_equal(an_signer_info(crowd.signer)->sessions_max, table[i].sessions);
        for (size_t t = 0; t < AN_COUNT(threads); t++)
            assert_int_equal(pthread_create(&threads[t], NULL, sign_many, &crowd), 0);
        for (size_t t = 0; t < AN_COUNT(threads); t++)
            pthread_join(threads[t], NULL);
        an_signer_close(&crowd.signer);
        if (crowd.done != 120 || crowd.failed != 0)
            fail_msg("row %zu: %u done, %u failed", i, crowd.done, crowd.failed);
    }
}

/* ---- key files ---- */
static void
key_files(void **state)
{
    static const struct { const char *make, *name; unsigned mode; const char *pin; an_code want; } table[] = {
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:mat-khau", "a.pem", 0644, "mat-khau", AN_OK},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:mat-khau", "b.pem", 0600, "sai", AN_E_PIN_WRONG},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:mat-khau", "c.pem", 0600, NULL, AN_E_PIN_CANCELLED},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "d.pem", 0600, NULL, AN_OK},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "e.pem", 0644, NULL, AN_OK},
        {"echo hong", "f.pem", 0600, NULL, AN_E_KEY_PRIVATE},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", folder, table[i].name);
        AN_CLEANUP(an_free_ptr) char *command = an_asprintf("%s > '%s' 2>/dev/null", table[i].make, path);
        AN_CLEANUP(an_free_ptr) char *uri = an_asprintf("%s%s", i % 2 ? "file:" : "", path);
        struct an_signer *signer = NULL;
        struct an_err err = {0};
        assert_int_equal(system(command), 0);
        chmod(path, table[i].mode);
        person.pin = table[i].pin;
        expect(an_signer_open(uri, asks, &signer, &err), table[i].want, &err);
        if (signer != NULL) {
            expect(sign_and_check(signer, &ecdsa, &err), AN_OK, &err);
            assert_int_equal(an_signer_info(signer)->is_exposed, strcmp(table[i].name, "e.pem") == 0);
        }
        an_signer_close(&signer);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_signs), cmocka_unit_test(ecdsa_of_every_length), cmocka_unit_test(wrong_addresses),
        cmocka_unit_test(tokens_are_listed), cmocka_unit_test(certificate_is_found), cmocka_unit_test(key_stays_inside),
        cmocka_unit_test(wrong_pin_costs_one_try), cmocka_unit_test(pin_file_never_spends_the_last_try), cmocka_unit_test(pin_files),
        cmocka_unit_test(pin_source_in_the_uri), cmocka_unit_test(pulled_and_returned),
        cmocka_unit_test(refused_pin_is_not_offered_again), cmocka_unit_test(lies_and_faults),
        cmocka_unit_test(pin_for_every_signature), cmocka_unit_test(threads_share_sessions), cmocka_unit_test(key_files),
    };

    return cmocka_run_group_tests_name("token", tests, make_token, remove_token);
}
