/* Edge cases of signatures: tests/vectors/crypto, made by make_vectors.py with big numbers and no library. */
#include "base/buf.h"
#include "crypto/internal.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static enum an_digest
digest_named(const char *name)
{
    for (int d = AN_MD5; d <= AN_SHAKE256; d++)
        if (name && strcmp(name, an_digest_name((enum an_digest)d)) == 0)
            return (enum an_digest)d;
    return AN_DIGEST_NONE;
}

static struct an_scheme
read_scheme(const json_t *row)
{
    static const struct { const char *name; enum an_sig_kind kind; } kinds[] = {
        {"rsa-pkcs1", AN_SIG_RSA_PKCS1}, {"rsa-pss", AN_SIG_RSA_PSS}, {"ecdsa", AN_SIG_ECDSA}, {"eddsa", AN_SIG_EDDSA}};
    struct an_scheme scheme = {.digest = digest_named(json_string_value(json_object_get(row, "digest"))),
                               .mgf_digest = digest_named(json_string_value(json_object_get(row, "mgf"))),
                               .salt_len = (int)json_integer_value(json_object_get(row, "salt"))};

    for (size_t i = 0; i < AN_COUNT(kinds); i++)
        if (strcmp(kinds[i].name, json_string_value(json_object_get(row, "scheme"))) == 0)
            scheme.kind = kinds[i].kind;
    return scheme;
}

static void
read_hex(const json_t *row, const char *name, struct an_buf *ret)
{
    const char *text = json_string_value(json_object_get(row, name));
    unsigned value;

    an_buf_reset(ret);
    for (; text && *text && sscanf(text, "%2x", &value) == 1; text += 2)
        an_buf_byte(ret, (uint8_t)value);
}

struct table { json_t *keys; size_t count, wrong; struct an_key_table *quick; char quick_name[16]; };

/* The quick check of P-256 must find by itself what the ordinary one finds: in the product the latter covers for it. */
static bool
find_by_table(struct table *table, json_t *row, an_bytes spki, an_bytes digest, an_bytes signature)
{
    const char *name = json_string_value(json_object_get(row, "key"));

    if (table->quick == NULL || strcmp(name, table->quick_name) != 0) {
        EVP_PKEY *pkey = an_spki_parse(spki);
        an_key_table_free(&table->quick);
        table->quick = an_key_table_new(pkey);
        snprintf(table->quick_name, sizeof(table->quick_name), "%s", name);
        EVP_PKEY_free(pkey);
    }
    assert_non_null(table->quick);
    return an_key_table_verify(table->quick, digest, signature);
}

static void
check_row(struct table *table, json_t *row)
{
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(65536), message = an_buf_new(65536), signature = an_buf_new(65536);
    struct an_scheme scheme = read_scheme(row);
    struct an_pubkey *key = NULL;
    struct an_err err;
    uint8_t digest[AN_DIGEST_MAX];
    bool expected = json_is_true(json_object_get(row, "valid")), found;

    read_hex(json_object_get(table->keys, json_string_value(json_object_get(row, "key"))), "spki", &spki);
    read_hex(row, "message", &message);
    read_hex(row, "signature", &signature);
    assert_int_equal(an_pubkey_parse(an_buf_view(&spki), &key, &err), AN_OK);
    found = an_pubkey_verify_message(key, &scheme, an_buf_view(&message), an_buf_view(&signature));
    if (scheme.kind != AN_SIG_EDDSA) { /* both ways in must agree */
        an_hash_once(scheme.digest, an_buf_view(&message), digest);
        if (an_pubkey_verify_digest(key, &scheme, AN_BYTES(digest, an_digest_size(scheme.digest)), an_buf_view(&signature)) != found)
            found = !expected;
    }
    if (scheme.kind == AN_SIG_ECDSA && strcmp(an_pubkey_curve(key), "P-256") == 0 &&
        find_by_table(table, row, an_buf_view(&spki), AN_BYTES(digest, an_digest_size(scheme.digest)), an_buf_view(&signature)) != expected)
        found = !expected;
    if (found != expected) {
        print_message("%s: %s\n", json_string_value(json_object_get(row, "id")), found ? "accepted" : "refused");
        table->wrong++;
    }
    table->count++;
    an_pubkey_unref(&key);
}

static FILE *
open_table(const char *name)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/tests/vectors/crypto/%s.jsonl", AN_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    return file;
}

static void
check_table(const char *name)
{
    struct table table = {.keys = json_object()};
    FILE *file = open_table(name);
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, file) > 0) {
        json_t *row = json_loads(line, 0, NULL);
        assert_non_null(row);
        if (json_object_get(row, "spki"))
            json_object_set(table.keys, json_string_value(json_object_get(row, "key")), row);
        else
            check_row(&table, row);
        json_decref(row);
    }
    free(line);
    fclose(file);
    json_decref(table.keys);
    an_key_table_free(&table.quick);
    print_message("%s: %zu rows\n", name, table.count);
    assert_true(table.count > 20);
    assert_int_equal(table.wrong, 0);
}

static void
test_rsa(void **state)
{
    (void)state;
    check_table("rsa-pkcs1");
    check_table("rsa-pss");
}

static void
test_ecdsa(void **state)
{
    (void)state;
    check_table("ecdsa-p-256");
    check_table("ecdsa-p-384");
    check_table("ecdsa-p-521");
}

static void
test_eddsa(void **state)
{
    (void)state;
    check_table("ed25519");
    check_table("ed448");
}

/* Keys alone: one that anybody can sign for is refused when it is read. */
static void
test_public_keys(void **state)
{
    FILE *file = open_table("public-keys");
    size_t size = 0, count = 0, wrong = 0;
    char *line = NULL;

    (void)state;
    for (; getline(&line, &size, file) > 0; count++) {
        AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(65536);
        json_t *row = json_loads(line, 0, NULL);
        struct an_pubkey *key = NULL;
        bool accepted;
        read_hex(row, "spki", &spki);
        accepted = an_pubkey_parse(an_buf_view(&spki), &key, NULL) == AN_OK;
        if (accepted != json_is_true(json_object_get(row, "valid"))) {
            print_message("%s: %s\n", json_string_value(json_object_get(row, "id")), accepted ? "accepted" : "refused");
            wrong++;
        }
        if (accepted)
            an_pubkey_unref(&key);
        json_decref(row);
    }
    free(line);
    fclose(file);
    print_message("public-keys: %zu rows\n", count);
    assert_true(count > 60);
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rsa), cmocka_unit_test(test_ecdsa), cmocka_unit_test(test_eddsa),
                                       cmocka_unit_test(test_public_keys)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
