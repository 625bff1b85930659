/* crypto/: published answers (FIPS 180, 202, RFC 1320, 6979, 8032, 6229, SP 800-38A), and keys and signatures of openssl. */
#include "base/file.h"
#include "crypto/crypto.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[128];

static int
make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/antin-crypto-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
    char command[200];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static bool
run(const char *line)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("cd '%s' && (%s) > out 2>&1", folder, line);

    return system(command) == 0;
}

static struct an_buf
load(const char *name)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", folder, name);
    struct an_buf content = an_buf_new(1 << 20);
    struct an_err err = {0};

    if (an_file_read(path, 1 << 20, &content, &err) != AN_OK)
        fail_msg("%s: %s", name, err.detail);
    return content;
}

static struct an_buf
unhex(const char *text)
{
    struct an_buf out = an_buf_new(1 << 16);

    assert_true(an_hex_decode(&out, an_bytes_of_str(text)));
    return out;
}

static void
expect(an_code got, an_code wanted, const char *what, const struct an_err *err)
{
    if (got != wanted)
        fail_msg("%s: %s (%s), wanted %s", what, an_message_find(got)->symbol, err->detail, an_message_find(wanted)->symbol);
}

/* ---- digests ---- */
static const struct { enum an_digest digest; const char *abc; } digest_table[] = {
    {AN_MD5, "900150983cd24fb0d6963f7d28e17f72"},
    {AN_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {AN_SHA224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
    {AN_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {AN_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {AN_SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {AN_SHA512_224, "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"},
    {AN_SHA512_256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"},
    {AN_SHA3_224, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"},
    {AN_SHA3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    {AN_SHA3_384, "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25"},
    {AN_SHA3_512, "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
                  "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"},
    {AN_RIPEMD160, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
};

static void
digests_are_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(digest_table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf want = unhex(digest_table[i].abc);
        enum an_digest digest = digest_table[i].digest;
        struct an_hash *hash = an_hash_new(digest);
        uint8_t once[AN_DIGEST_MAX], twice[AN_DIGEST_MAX];
        assert_int_equal(want.len, an_digest_size(digest));
        an_hash_once(digest, AN_LIT("abc"), once);
        for (int round = 0; round < 2; round++) { /* starts afresh after final */
            an_hash_update(hash, AN_LIT("a"));
            an_hash_update(hash, AN_NONE);
            an_hash_update(hash, AN_LIT("bc"));
            an_hash_final(hash, twice);
            if (memcmp(once, want.ptr, want.len) != 0 || memcmp(twice, want.ptr, want.len) != 0)
                fail_msg("%s", an_digest_name(digest));
        }
        an_hash_free(&hash);
    }
}

static void
file_ranges_are_hashed(void **state)
{
    enum { SIZE = 3 * 1024 * 1024 + 17 };
    AN_CLEANUP(an_free_ptr) uint8_t *content = an_new_array(SIZE, 1);
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/ranges", folder);
    const struct { struct an_range ranges[3]; size_t count; an_code want; } table[] = {
        {{{0, SIZE}}, 1, AN_OK}, {{{0, 0}}, 1, AN_OK}, {{{0}}, 0, AN_OK},
        {{{0, 100}, {8292, SIZE - 8292}}, 2, AN_OK}, {{{5, 262144}, {1, 262145}, {SIZE - 1, 1}}, 3, AN_OK},
        {{{0, SIZE + 1}}, 1, AN_E_FILE_READ}, {{{SIZE, 1}}, 1, AN_E_FILE_READ}, {{{UINT64_MAX, 2}}, 1, AN_E_FILE_READ},
        {{{1, UINT64_MAX}}, 1, AN_E_FILE_READ},
    };
    struct an_err err = {0};

    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (uint8_t)(i * 31 + (i >> 11));
    expect(an_file_write(path, AN_BYTES(content, SIZE), 0600, &err), AN_OK, "write", &err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        uint8_t got[AN_DIGEST_MAX] = {0}, want[AN_DIGEST_MAX] = {0};
        an_code code = an_hash_file_ranges(AN_SHA256, fd, table[i].ranges, table[i].count, got, &err);
        expect(code, table[i].want, "range", &err);
        struct an_hash *hash = an_hash_new(AN_SHA256);
        for (size_t r = 0; code == AN_OK && r < table[i].count; r++)
            an_hash_update(hash, AN_BYTES(content + table[i].ranges[r].offset, (size_t)table[i].ranges[r].len));
        if (code == AN_OK)
            an_hash_final(hash, want);
        an_hash_free(&hash);
        assert_memory_equal(got, want, 32); /* zero on failure: untouched */
    }
    close(fd);
}

/* ---- published signatures ---- */
static void
published_signatures(void **state)
{
    static const struct { const char *spki, *message, *signature; struct an_scheme scheme; bool is_message_hex; } table[] = {
        /* RFC 8032 7.1 tests 1 and 2 */
        {"302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
         {.kind = AN_SIG_EDDSA}, true},
        {"302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
         {.kind = AN_SIG_EDDSA}, true},
        /* RFC 6979 A.2.5, P-256, SHA-256, "sample" */
        {"3059301306072a8648ce3d020106082a8648ce3d0301070342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
         "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299", "73616d706c65",
         "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
         "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
         {.kind = AN_SIG_ECDSA, .digest = AN_SHA256}, true},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf spki = unhex(table[i].spki), message = unhex(table[i].message),
                                              signature = unhex(table[i].signature);
        struct an_pubkey *key = NULL;
        struct an_err err = {0};
        expect(an_pubkey_parse(an_buf_view(&spki), &key, &err), AN_OK, "key", &err);
        for (int round = 0; round < 3; round++)
            if (!an_pubkey_verify_message(key, &table[i].scheme, an_buf_view(&message), an_buf_view(&signature)))
                fail_msg("row %zu", i);
        for (size_t at = 0; at < signature.len; at++) {
            signature.ptr[at] ^= 1;
            if (an_pubkey_verify_message(key, &table[i].scheme, an_buf_view(&message), an_buf_view(&signature)))
                fail_msg("row %zu: octet %zu changed and still right", i, at);
            signature.ptr[at] ^= 1;
        }
        an_pubkey_unref(&key);
    }
}

/* ---- signatures of openssl ---- */
#define RSA_KEY(bits) "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:" bits " -out k.pem"
#define EC_KEY(curve) "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:" curve " -out k.pem"
#define PSS(salt) " -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:" salt
static const struct signature_row {
    const char *make_key, *sign, *curve;
    enum an_key_kind kind;
    int bits;
    struct an_scheme scheme;
} signature_table[] = {
    {RSA_KEY("512"), "-sha1", "", AN_KEY_RSA, 512, {AN_SIG_RSA_PKCS1, AN_SHA1, 0, 0}},
    {RSA_KEY("1024"), "-md5", "", AN_KEY_RSA, 1024, {AN_SIG_RSA_PKCS1, AN_MD5, 0, 0}},
    {RSA_KEY("1024"), "-ripemd160", "", AN_KEY_RSA, 1024, {AN_SIG_RSA_PKCS1, AN_RIPEMD160, 0, 0}},
    {RSA_KEY("1536"), "-sha512-256", "", AN_KEY_RSA, 1536, {AN_SIG_RSA_PKCS1, AN_SHA512_256, 0, 0}},
    {RSA_KEY("2048"), "-sha256", "", AN_KEY_RSA, 2048, {AN_SIG_RSA_PKCS1, AN_SHA256, 0, 0}},
    {RSA_KEY("2048"), "-sha3-256", "", AN_KEY_RSA, 2048, {AN_SIG_RSA_PKCS1, AN_SHA3_256, 0, 0}},
    {RSA_KEY("2048"), "-sha256" PSS("32"), "", AN_KEY_RSA, 2048, {AN_SIG_RSA_PSS, AN_SHA256, AN_SHA256, 32}},
    {RSA_KEY("2048"), "-sha256" PSS("20"), "", AN_KEY_RSA, 2048, {AN_SIG_RSA_PSS, AN_SHA256, AN_SHA256, -1}},
    {RSA_KEY("2048"), "-sha384" PSS("0"), "", AN_KEY_RSA, 2048, {AN_SIG_RSA_PSS, AN_SHA384, AN_SHA384, 0}},
    {RSA_KEY("2048"), "-sha256" PSS("20") " -sigopt rsa_mgf1_md:sha1", "", AN_KEY_RSA, 2048, {AN_SIG_RSA_PSS, AN_SHA256, AN_SHA1, 20}},
    {"openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 "
     "-pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32 -out k.pem", "-sha256" PSS("32"), "", AN_KEY_RSA_PSS, 2048,
     {AN_SIG_RSA_PSS, AN_SHA256, AN_SHA256, 32}},
    {"openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out k.pem", "-sha512" PSS("64"), "", AN_KEY_RSA_PSS, 2048,
     {AN_SIG_RSA_PSS, AN_SHA512, AN_SHA512, 64}},
    {EC_KEY("P-256"), "-sha256", "P-256", AN_KEY_EC, 256, {AN_SIG_ECDSA, AN_SHA256, 0, 0}},
    {EC_KEY("P-256"), "-sha512", "P-256", AN_KEY_EC, 256, {AN_SIG_ECDSA, AN_SHA512, 0, 0}},
    {EC_KEY("P-384"), "-sha384", "P-384", AN_KEY_EC, 384, {AN_SIG_ECDSA, AN_SHA384, 0, 0}},
    {EC_KEY("P-521"), "-sha3-512", "P-521", AN_KEY_EC, 521, {AN_SIG_ECDSA, AN_SHA3_512, 0, 0}},
    {EC_KEY("secp256k1"), "-sha256", "secp256k1", AN_KEY_EC, 256, {AN_SIG_ECDSA, AN_SHA256, 0, 0}},
    {EC_KEY("brainpoolP256r1"), "-sha1", "brainpoolP256r1", AN_KEY_EC, 256, {AN_SIG_ECDSA, AN_SHA1, 0, 0}},
    {"openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -pkeyopt dsa_paramgen_q_bits:160 -out p.pem && "
     "openssl genpkey -paramfile p.pem -out k.pem", "-sha1", "", AN_KEY_DSA, 1024, {AN_SIG_DSA, AN_SHA1, 0, 0}},
};

/* A signature fits its own scheme only. */
static void
check_wrong_schemes(struct an_pubkey *key, const struct signature_row *row, an_bytes message, an_bytes signature)
{
    struct an_scheme other = row->scheme;

    other.digest = row->scheme.digest == AN_SHA256 ? AN_SHA384 : AN_SHA256;
    assert_false(an_pubkey_verify_message(key, &other, message, signature));
    other = row->scheme;
    other.kind = row->kind == AN_KEY_EC ? AN_SIG_RSA_PKCS1 : AN_SIG_ECDSA;
    assert_false(an_pubkey_verify_message(key, &other, message, signature));
    assert_false(an_pubkey_verify_message(key, &row->scheme, AN_LIT("khac"), signature));
    assert_false(an_pubkey_verify_message(key, &row->scheme, message, AN_NONE));
    assert_false(an_pubkey_verify_message(key, &row->scheme, message, an_bytes_slice(signature, 0, signature.len - 1)));
    assert_false(an_pubkey_verify_digest(key, &row->scheme, AN_LIT("ngan"), signature));
    assert_true(an_pubkey_verify_message(key, &row->scheme, message, signature));
}

static void
openssl_signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(signature_table); i++) {
        const struct signature_row *row = &signature_table[i];
        bool has_key = i > 0 && strcmp(row->make_key, signature_table[i - 1].make_key) == 0;
        AN_CLEANUP(an_free_ptr) char *line = an_asprintf("%s && openssl pkey -in k.pem -pubout -outform DER -out k.der && printf 'noi dung' > m && "
                                                         "openssl dgst %s -sign k.pem -out s m", has_key ? "true" : row->make_key, row->sign);
        struct an_pubkey *key = NULL;
        struct an_err err = {0};
        if (!run(line))
            fail_msg("openssl: %s", line);
        AN_CLEANUP(an_buf_free) struct an_buf spki = load("k.der"), signature = load("s");
        expect(an_pubkey_parse(an_buf_view(&spki), &key, &err), AN_OK, row->make_key, &err);
        assert_int_equal(an_pubkey_kind(key), row->kind);
        assert_int_equal(an_pubkey_bits(key), row->bits);
        assert_string_equal(an_pubkey_curve(key), row->curve);
        if (!an_pubkey_verify_message(key, &row->scheme, AN_LIT("noi dung"), an_buf_view(&signature)))
            fail_msg("%s %s", row->make_key, row->sign);
        check_wrong_schemes(key, row, AN_LIT("noi dung"), an_buf_view(&signature));
        an_pubkey_unref(&key);
    }
}

/* Long enough for the table to be made on the way, by several threads at once. */
struct many { struct an_pubkey *key; an_bytes digest, signature; size_t wrong; };

static void *
check_many(void *context)
{
    static const struct an_scheme scheme = {AN_SIG_ECDSA, AN_SHA256, 0, 0};
    struct many *many = context;
    uint8_t other[32] = {1};

    for (int i = 0; i < 150; i++)
        if (!an_pubkey_verify_digest(many->key, &scheme, many->digest, many->signature) ||
            an_pubkey_verify_digest(many->key, &scheme, AN_BYTES(other, sizeof(other)), many->signature))
            many->wrong++;
    return NULL;
}

static void
many_checks_of_one_key(void **state)
{
    static const struct { const char *make; } table[] = {{EC_KEY("P-256")}, {EC_KEY("secp256k1")}, {EC_KEY("P-384")}};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_free_ptr) char *line = an_asprintf("%s && openssl pkey -in k.pem -pubout -outform DER -out k.der && printf 'noi dung' > m && openssl dgst -sha256 -sign k.pem -out s m", table[i].make);
        struct many many[3] = {{0}};
        pthread_t threads[3];
        uint8_t digest[AN_DIGEST_MAX];
        struct an_err err = {0};
        if (!run(line))
            fail_msg("openssl: %s", line);
        AN_CLEANUP(an_buf_free) struct an_buf spki = load("k.der"), signature = load("s");
        an_hash_once(AN_SHA256, AN_LIT("noi dung"), digest);
        expect(an_pubkey_parse(an_buf_view(&spki), &many[0].key, &err), AN_OK, table[i].make, &err);
        an_pubkey_expect_many(many[0].key);
        for (size_t k = 0; k < AN_COUNT(many); k++) {
            many[k] = (struct many){many[0].key, AN_BYTES(digest, 32), an_buf_view(&signature), 0};
            assert_int_equal(pthread_create(&threads[k], NULL, check_many, &many[k]), 0);
        }
        for (size_t k = 0; k < AN_COUNT(many); k++) {
            pthread_join(threads[k], NULL);
            assert_int_equal(many[k].wrong, 0);
        }
        an_pubkey_unref(&many[0].key);
    }
}

static void
our_signatures(void **state)
{
    static const struct { enum an_key_kind kind; int bits; struct an_scheme scheme; const char *verify; } table[] = {
        {AN_KEY_RSA, 2048, {AN_SIG_RSA_PKCS1, AN_SHA256, 0, 0}, "openssl dgst -sha256 -verify k.pub -signature s m"},
        {AN_KEY_RSA, 2048, {AN_SIG_RSA_PSS, AN_SHA384, AN_SHA384, -1}, "openssl dgst -sha384" PSS("48") " -verify k.pub -signature s m"},
        {AN_KEY_EC, 256, {AN_SIG_ECDSA, AN_SHA256, 0, 0}, "openssl dgst -sha256 -verify k.pub -signature s m"},
        {AN_KEY_EC, 521, {AN_SIG_ECDSA, AN_SHA512, 0, 0}, "openssl dgst -sha512 -verify k.pub -signature s m"},
        {AN_KEY_ED25519, 0, {AN_SIG_EDDSA, 0, 0, 0}, "openssl pkeyutl -verify -rawin -in m -sigfile s -pubin -inkey k.pub"},
        {AN_KEY_ED448, 0, {AN_SIG_EDDSA, 0, 0, 0}, "openssl pkeyutl -verify -rawin -in m -sigfile s -pubin -inkey k.pub"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(8192), signature = an_buf_new(8192);
        AN_CLEANUP(an_free_ptr) char *key_path = an_asprintf("%s/k.der", folder), *path = an_asprintf("%s/s", folder);
        AN_CLEANUP(an_free_ptr) char *line = an_asprintf("printf 'noi dung' > m; openssl pkey -pubin -inform DER -in k.der -out k.pub && %s", table[i].verify);
        struct an_privkey *key = NULL;
        uint8_t digest[AN_DIGEST_MAX];
        an_bytes view = AN_LIT("noi dung");
        struct an_err err = {0};
        expect(an_privkey_generate(table[i].kind, table[i].bits, &key, &err), AN_OK, "generate", &err);
        expect(an_privkey_spki(key, &spki, &err), AN_OK, "spki", &err);
        if (table[i].scheme.kind != AN_SIG_EDDSA) {
            an_hash_once(table[i].scheme.digest, view, digest);
            view = AN_BYTES(digest, an_digest_size(table[i].scheme.digest));
        }
        expect(an_privkey_sign(key, &table[i].scheme, view, &signature, &err), AN_OK, "sign", &err);
        expect(an_file_write(key_path, an_buf_view(&spki), 0600, &err), AN_OK, "write", &err);
        expect(an_file_write(path, an_buf_view(&signature), 0600, &err), AN_OK, "write", &err);
        if (!run(line))
            fail_msg("row %zu: openssl refuses", i);
        an_privkey_free(&key);
    }
}

/* ---- key files ---- */
/* What openssl says is the public half of a.pem; and what the key signs, it verifies. */
static void
check_public_half(struct an_privkey *key, const char *make)
{
    static const struct an_scheme schemes[] = {{AN_SIG_RSA_PKCS1, AN_SHA256, 0, 0}, {AN_SIG_ECDSA, AN_SHA256, 0, 0}};
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(8192), signature = an_buf_new(8192);
    struct an_pubkey *public_key = NULL;
    struct an_err err = {0};
    uint8_t digest[AN_DIGEST_MAX];
    bool is_right = false;

    expect(an_privkey_spki(key, &spki, &err), AN_OK, make, &err);
    if (!run("openssl pkey -in a.pem -pubout -outform DER -out want"))
        fail_msg("%s", make);
    AN_CLEANUP(an_buf_free) struct an_buf want = load("want");
    assert_true(an_bytes_eq(an_buf_view(&spki), an_buf_view(&want)));
    expect(an_pubkey_parse(an_buf_view(&spki), &public_key, &err), AN_OK, make, &err);
    an_hash_once(AN_SHA256, AN_LIT("noi dung"), digest);
    for (size_t i = 0; i < AN_COUNT(schemes) && !is_right; i++)
        is_right = an_privkey_sign(key, &schemes[i], AN_BYTES(digest, 32), &signature, &err) == AN_OK &&
                   an_pubkey_verify_digest(public_key, &schemes[i], AN_BYTES(digest, 32), an_buf_view(&signature));
    if (!is_right)
        fail_msg("%s: the signature is wrong", make);
    an_pubkey_unref(&public_key);
}

static void
key_files(void **state)
{
#define MADE "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out a.pem 2>&1 && "
#define MADE_RSA "openssl genpkey -algorithm RSA -out a.pem 2>&1 && "
    static const struct { const char *make, *pass; an_code want; } table[] = {
        {MADE "cp a.pem k", NULL, AN_OK},
        {MADE "cp a.pem k", "thừa", AN_OK},
        {MADE "openssl pkey -in a.pem -outform DER -out k", NULL, AN_OK},
        {MADE "openssl ec -in a.pem -out k", NULL, AN_OK},                                     /* SEC1 */
        {MADE "openssl ec -in a.pem -outform DER -out k", NULL, AN_OK},
        {MADE_RSA "cp a.pem k", NULL, AN_OK},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out a.pem && cp a.pem k", NULL, AN_OK},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out a.pem && openssl ec -in a.pem -outform DER -out k", NULL, AN_OK},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out a.pem && cp a.pem k", NULL, AN_OK},
        {MADE "openssl ec -in a.pem -no_public -out k", NULL, AN_OK}, /* the point is worked out */
        {MADE_RSA "openssl rsa -in a.pem -traditional -out k", NULL, AN_OK},                   /* PKCS#1 */
        {MADE_RSA "openssl rsa -in a.pem -traditional -outform DER -out k", NULL, AN_OK},
        {MADE "openssl pkcs8 -topk8 -in a.pem -v2 aes-256-cbc -passout pass:mk -out k", "mk", AN_OK},
        {MADE "openssl pkcs8 -topk8 -in a.pem -v2 aes-256-cbc -passout pass:mk -outform DER -out k", "mk", AN_OK},
        {MADE "openssl pkcs8 -topk8 -in a.pem -scrypt -passout pass:mk -out k", "mk", AN_OK},
        {MADE "openssl pkcs8 -topk8 -in a.pem -v2 des3 -passout pass:mk -out k", "mk", AN_OK},
        {MADE "openssl ec -in a.pem -aes128 -passout pass:mk -out k", "mk", AN_OK},            /* Proc-Type: 4,ENCRYPTED */
        {MADE "openssl pkcs8 -topk8 -in a.pem -v2 aes-256-cbc -passout pass:mk -out k", "sai", AN_E_PIN_WRONG},
        {MADE "openssl pkcs8 -topk8 -in a.pem -v2 aes-256-cbc -passout pass:mk -outform DER -out k", "", AN_E_PIN_WRONG},
        {MADE "openssl pkcs8 -topk8 -in a.pem -v2 aes-256-cbc -passout pass:mk -out k", NULL, AN_E_PIN_NEEDED},
        {MADE "openssl pkcs8 -topk8 -in a.pem -v2 aes-256-cbc -passout pass:mk -outform DER -out k", NULL, AN_E_PIN_NEEDED},
        {MADE "openssl ec -in a.pem -aes128 -passout pass:mk -out k", NULL, AN_E_PIN_NEEDED},
        {MADE "openssl ec -in a.pem -aes128 -passout pass:mk -out k", "sai", AN_E_PIN_WRONG},
        /* 1,000,000 rounds (0F4240) overwritten with 8,339,008 */
        {MADE "openssl pkcs8 -topk8 -in a.pem -v2 aes-256-cbc -iter 1000000 -passout pass:mk -outform DER | "
              "LC_ALL=C sed 's/\\x02\\x03\\x0f\\x42\\x40/\\x02\\x03\\x7f\\x42\\x40/' > k", "mk", AN_E_LIMIT},
        {MADE "openssl pkey -in a.pem -pubout -out k", NULL, AN_E_KEY_PRIVATE},
        {MADE "openssl pkey -in a.pem -outform DER | head -c 60 > k", NULL, AN_E_KEY_PRIVATE},
        {"printf 'khong phai khoa' > k", NULL, AN_E_KEY_PRIVATE},
        {"openssl genpkey -algorithm X25519 -out k", NULL, AN_E_KEY_KIND},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_secret_free) struct an_secret *pass = table[i].pass ? an_secret_from(an_bytes_of_str(table[i].pass)) : NULL;
        struct an_privkey *key = NULL;
        struct an_err err = {0};
        if (!run(table[i].make))
            fail_msg("%s", table[i].make);
        AN_CLEANUP(an_buf_free) struct an_buf encoded = load("k");
        expect(an_privkey_parse(an_buf_view(&encoded), pass, &key, &err), table[i].want, table[i].make, &err);
        assert_true(pass == NULL || table[i].pass[0] == '\0' || strstr(err.detail, table[i].pass) == NULL);
        if (key != NULL)
            check_public_half(key, table[i].make);
        an_privkey_free(&key);
    }
}

static void
keys_are_written(void **state)
{
    AN_CLEANUP(an_secret_free) struct an_secret *pass = an_secret_from(AN_LIT("mk"));
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/w.pem", folder);
    struct an_privkey *key = NULL, *back = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf locked = an_buf_new(65536), open_text = an_buf_new(65536);
    struct an_err err = {0};

    (void)state;
    expect(an_privkey_generate(AN_KEY_EC, 384, &key, &err), AN_OK, "generate", &err);
    expect(an_privkey_encode(key, pass, &locked, &err), AN_OK, "encode", &err);
    expect(an_privkey_encode(key, NULL, &open_text, &err), AN_OK, "encode", &err);
    assert_int_not_equal(an_bytes_find(an_buf_view(&locked), AN_LIT("ENCRYPTED PRIVATE KEY"), 0), SIZE_MAX);
    expect(an_privkey_parse(an_buf_view(&locked), pass, &back, &err), AN_OK, "parse", &err);
    assert_int_equal(an_privkey_bits(back), 384);
    expect(an_file_write(path, an_buf_view(&locked), 0600, &err), AN_OK, "write", &err);
    assert_true(run("openssl pkey -in w.pem -passin pass:mk -check -noout"));
    assert_true(run("openssl asn1parse -in w.pem | grep -q PBKDF2 && openssl asn1parse -in w.pem | grep -q hmacWithSHA256 && "
                    "openssl asn1parse -in w.pem | grep -q aes-256-cbc"));
    assert_false(run("openssl pkey -in w.pem -passin pass:sai -noout"));
    expect(an_file_write(path, an_buf_view(&open_text), 0600, &err), AN_OK, "write", &err);
    assert_true(run("openssl pkey -in w.pem -check -noout"));
    an_privkey_free(&key);
    an_privkey_free(&back);
}

static void
foreign_public_keys(void **state)
{
    static const struct { const char *spki; an_code want; } table[] = {
        {"", AN_E_KEY_PUBLIC}, {"3000", AN_E_KEY_PUBLIC}, {"0500", AN_E_KEY_PUBLIC},
        /* trailing octet */
        {"302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a00", AN_E_KEY_PUBLIC},
        /* a point that is not on P-256 */
        {"3059301306072a8648ce3d020106082a8648ce3d0301070342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
         "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462298", AN_E_KEY_PUBLIC},
        /* X25519 cannot sign */
        {"302a300506032b656e032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", AN_E_KEY_KIND},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf spki = unhex(table[i].spki);
        struct an_pubkey *key = NULL;
        struct an_err err = {0};
        expect(an_pubkey_parse(an_buf_view(&spki), &key, &err), table[i].want, table[i].spki, &err);
        assert_null(key);
    }
}

/* ---- threads ---- */
struct crowd { struct an_pubkey *key; an_bytes signature; unsigned wrong; };

static void *
verify_many(void *context)
{
    static const struct an_scheme scheme = {.kind = AN_SIG_RSA_PKCS1, .digest = AN_SHA256};
    static const struct an_scheme other = {.kind = AN_SIG_RSA_PSS, .digest = AN_SHA256, .mgf_digest = AN_SHA256, .salt_len = 32};
    struct crowd *crowd = context;

    for (int i = 0; i < 300; i++)
        if (!an_pubkey_verify_message(crowd->key, &scheme, AN_LIT("noi dung"), crowd->signature) ||
            an_pubkey_verify_message(crowd->key, &other, AN_LIT("noi dung"), crowd->signature))
            __atomic_add_fetch(&crowd->wrong, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void
keys_are_shared_by_threads(void **state)
{
    static const struct an_scheme scheme = {.kind = AN_SIG_RSA_PKCS1, .digest = AN_SHA256};
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(8192), signature = an_buf_new(8192);
    struct an_privkey *key = NULL;
    struct crowd crowd = {0};
    uint8_t digest[AN_DIGEST_MAX];
    pthread_t threads[8];
    struct an_err err = {0};

    (void)state;
    expect(an_privkey_generate(AN_KEY_RSA, 2048, &key, &err), AN_OK, "generate", &err);
    an_hash_once(AN_SHA256, AN_LIT("noi dung"), digest);
    expect(an_privkey_sign(key, &scheme, AN_BYTES(digest, 32), &signature, &err), AN_OK, "sign", &err);
    expect(an_privkey_spki(key, &spki, &err), AN_OK, "spki", &err);
    expect(an_pubkey_parse(an_buf_view(&spki), &crowd.key, &err), AN_OK, "parse", &err);
    crowd.signature = an_buf_view(&signature);
    for (size_t i = 0; i < AN_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_many, &crowd), 0);
    for (size_t i = 0; i < AN_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.wrong, 0);
    an_pubkey_unref(&crowd.key);
    an_privkey_free(&key);
}

/* ---- ciphers ---- */
static void
rc4_is_right(void **state)
{
    static const struct { const char *key, *in, *out; } table[] = {
        {"0102030405", "00000000000000000000000000000000", "b2396305f03dc027ccc3524a0a1118a8"},                       /* RFC 6229 */
        {"0102030405060708090a0b0c0d0e0f10", "00000000000000000000000000000000", "9ac7cc9a609d1ef7b2932899cde41b97"}, /* RFC 6229 */
        {"4b6579", "506c61696e74657874", "bbf316e8d940af0ad3"},
        {"4b6579", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf key = unhex(table[i].key), in = unhex(table[i].in), want = unhex(table[i].out);
        AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(4096);
        an_rc4(an_buf_view(&key), an_buf_view(&in), &out);
        assert_true(an_bytes_eq(an_buf_view(&out), an_buf_view(&want)));
    }
}

static void
aes_is_right(void **state)
{
    static const struct { const char *key, *iv, *in, *out; } table[] = { /* SP 800-38A F.2.1, F.2.5 */
        {"2b7e151628aed2a6abf7158809cf4f3c", "000102030405060708090a0b0c0d0e0f", "6bc1bee22e409f96e93d7e117393172a",
         "7649abac8119b246cee98e9b12e9197d"},
        {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", "000102030405060708090a0b0c0d0e0f",
         "6bc1bee22e409f96e93d7e117393172a", "f58c4c04d6e5f1ba779eabfb5f7bfbd6"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf key = unhex(table[i].key), iv = unhex(table[i].iv), in = unhex(table[i].in),
                                              want = unhex(table[i].out);
        AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(4096), back = an_buf_new(4096);
        struct an_err err = {0};
        expect(an_aes_cbc_raw(an_buf_view(&key), an_buf_view(&iv), an_buf_view(&in), true, &out, &err), AN_OK, "encrypt", &err);
        assert_true(an_bytes_eq(an_buf_view(&out), an_buf_view(&want)));
        expect(an_aes_cbc_raw(an_buf_view(&key), an_buf_view(&iv), an_buf_view(&out), false, &back, &err), AN_OK, "decrypt", &err);
        assert_true(an_bytes_eq(an_buf_view(&back), an_buf_view(&in)));
    }
}

static void
aes_padding(void **state)
{
    static const char key[] = "0123456789abcdef", iv[] = "fedcba9876543210";
    struct an_err err = {0};

    (void)state;
    for (size_t len = 0; len < 50; len++) {
        AN_CLEANUP(an_buf_free) struct an_buf whole = an_buf_new(4096), back = an_buf_new(4096);
        uint8_t in[50];
        memset(in, 'x', sizeof(in));
        an_buf_append(&whole, AN_BYTES(iv, 16));
        expect(an_aes_cbc_encrypt(AN_BYTES(key, 16), AN_BYTES(iv, 16), AN_BYTES(in, len), &whole, &err), AN_OK, "encrypt", &err);
        assert_int_equal(whole.len, 16 + len / 16 * 16 + 16);
        expect(an_aes_cbc_decrypt(AN_BYTES(key, 16), an_buf_view(&whole), &back, &err), AN_OK, "decrypt", &err);
        assert_true(an_bytes_eq(an_buf_view(&back), AN_BYTES(in, len)));
        an_buf_reset(&back);
        whole.ptr[whole.len - 17] ^= 0xff; /* breaks the padding */
        expect(an_aes_cbc_decrypt(AN_BYTES(key, 16), an_buf_view(&whole), &back, &err), AN_E_DECRYPT, "damaged", &err);
        assert_int_equal(back.len, 0);
        expect(an_aes_cbc_decrypt(AN_BYTES(key, 16), an_bytes_slice(an_buf_view(&whole), 0, 17), &back, &err), AN_E_DECRYPT, "short", &err);
        expect(an_aes_cbc_decrypt(AN_BYTES(key, 15), an_buf_view(&whole), &back, &err), AN_E_DECRYPT, "key", &err);
    }
}

/* RFC 4231 cases 1, 2, 6; RFC 6070 and RFC 7914 11. */
static void
codes_from_secrets(void **state)
{
    static const struct { enum an_digest digest; const char *key, *message, *code; } macs[] = {
        {AN_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {AN_SHA256, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {AN_SHA1, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    };
    static const struct { enum an_digest digest; int64_t rounds; const char *password, *salt, *key; } keys[] = {
        {AN_SHA1, 1, "password", "salt", "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
        {AN_SHA1, 4096, "password", "salt", "4b007901b765489abead49d926f721d065a429c1"},
        {AN_SHA256, 1, "passwd", "salt", "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
    };
    uint8_t out[AN_DIGEST_MAX];

    (void)state;
    for (size_t i = 0; i < AN_COUNT(macs); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf key = an_buf_new(100), message = an_buf_new(100), code = an_buf_new(100);
        assert_true(an_hex_decode(&key, an_bytes_of_str(macs[i].key)) && an_hex_decode(&message, an_bytes_of_str(macs[i].message)));
        assert_true(an_hex_decode(&code, an_bytes_of_str(macs[i].code)));
        an_hmac(macs[i].digest, an_buf_view(&key), an_buf_view(&message), out);
        assert_true(an_bytes_eq(an_buf_view(&code), AN_BYTES(out, an_digest_size(macs[i].digest))));
    }
    for (size_t i = 0; i < AN_COUNT(keys); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf key = an_buf_new(100);
        struct an_err err = {0};
        assert_true(an_hex_decode(&key, an_bytes_of_str(keys[i].key)));
        expect(an_pbkdf2(keys[i].digest, an_bytes_of_str(keys[i].password), an_bytes_of_str(keys[i].salt), keys[i].rounds, out, key.len, &err),
               AN_OK, "pbkdf2", &err);
        assert_true(an_bytes_eq(an_buf_view(&key), AN_BYTES(out, key.len)));
        expect(an_pbkdf2(keys[i].digest, AN_NONE, AN_NONE, 0, out, 8, &err), AN_E_LIMIT, "no rounds", &err);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_right), cmocka_unit_test(file_ranges_are_hashed), cmocka_unit_test(published_signatures),
        cmocka_unit_test(openssl_signatures), cmocka_unit_test(many_checks_of_one_key), cmocka_unit_test(our_signatures), cmocka_unit_test(key_files),
        cmocka_unit_test(keys_are_written), cmocka_unit_test(foreign_public_keys), cmocka_unit_test(keys_are_shared_by_threads),
        cmocka_unit_test(rc4_is_right), cmocka_unit_test(aes_is_right), cmocka_unit_test(aes_padding),
        cmocka_unit_test(codes_from_secrets),
    };

    return cmocka_run_group_tests_name("crypto", tests, make_folder, remove_folder);
}
