#include "crypto/internal.h"

#include "base/limits.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define KEY_FILE_MAX ((size_t)64 * 1024)
#define PBKDF2_ROUNDS 600000 /* what OWASP asks of PBKDF2-HMAC-SHA256; about a fifth of a second, once per run */
#define PBKDF2_SALT 16

struct an_privkey {
    EVP_PKEY *pkey;
    enum an_key_kind kind;
    struct an_key_cache cache;
    struct an_buf spki; /* empty when libcrypto read or made the key */
};

/* A key that was read, and what is known of it already. */
struct read_key { EVP_PKEY *pkey; struct an_buf spki; };

static void
free_bio(BIO **bio)
{
    BIO_free(*bio);
}

static void
free_p8info(PKCS8_PRIV_KEY_INFO **info)
{
    PKCS8_PRIV_KEY_INFO_free(*info);
}

static void
free_x509_sig(X509_SIG **sig)
{
    X509_SIG_free(*sig);
}

static an_code
wrap_pkey(EVP_PKEY *pkey, struct an_buf spki, struct an_privkey **ret, struct an_err *reterr)
{
    struct an_privkey *key;

    if (an_pkey_kind(pkey) == AN_KEY_UNKNOWN) {
        EVP_PKEY_free(pkey);
        an_buf_free(&spki);
        AN_FAIL(reterr, AN_E_KEY_KIND, "%s", "PrivateKeyInfo");
    }
    key = AN_NEW(struct an_privkey);
    key->pkey = pkey;
    key->kind = an_pkey_kind(pkey);
    key->spki = spki;
    *ret = key;
    return AN_OK;
}

/* A wrong passphrase shows as bad padding or as nonsense where the key should be; a cipher that the library lacks is
 * another matter and must not be blamed on the person. */
static an_code
fail_decrypt(struct an_err *reterr)
{
    unsigned long first = ERR_peek_error();
    int reason = ERR_GET_LIB(first) == ERR_LIB_EVP ? ERR_GET_REASON(first) : 0;

    if (ERR_GET_REASON(first) == ERR_R_UNSUPPORTED || reason == EVP_R_UNKNOWN_PBE_ALGORITHM ||
        reason == EVP_R_UNSUPPORTED_CIPHER ||
        reason == EVP_R_UNSUPPORTED_PRF || reason == EVP_R_UNSUPPORTED_KEY_DERIVATION_FUNCTION ||
        reason == EVP_R_UNSUPPORTED_ALGORITHM)
        return an_crypto_fail(reterr, AN_E_KEY_PRIVATE, "EncryptedPrivateKeyInfo");
    ERR_clear_error();
    return an_err_set(reterr, AN_E_PIN_WRONG, "EncryptedPrivateKeyInfo");
}

static int64_t
count_pbes2_rounds(const X509_ALGOR *algorithm)
{
    PBE2PARAM *pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
    PBKDF2PARAM *kdf = NULL;
    int64_t rounds = 0;

    if (pbe != NULL && OBJ_obj2nid(pbe->keyfunc->algorithm) == NID_id_pbkdf2)
        kdf = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), pbe->keyfunc->parameter);
    if (kdf != NULL && ASN1_INTEGER_get_int64(&rounds, kdf->iter) != 1)
        rounds = INT64_MAX;
    PBKDF2PARAM_free(kdf);
    PBE2PARAM_free(pbe);
    return rounds;
}

/* How often the file makes us hash; 0 when it does not say (scrypt, which libcrypto bounds by memory). */
static int64_t
count_rounds(const X509_ALGOR *algorithm)
{
    PBEPARAM *pbe;
    int64_t rounds = 0;

    if (OBJ_obj2nid(algorithm->algorithm) == NID_pbes2)
        return count_pbes2_rounds(algorithm);
    pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), algorithm->parameter);
    if (pbe != NULL && ASN1_INTEGER_get_int64(&rounds, pbe->iter) != 1)
        rounds = INT64_MAX;
    PBEPARAM_free(pbe);
    return rounds;
}

static an_code
parse_encrypted(an_bytes der, const struct an_secret *passphrase, EVP_PKEY **ret, struct an_err *reterr)
{
    const unsigned char *at = der.ptr;
    AN_CLEANUP(free_x509_sig) X509_SIG *sig = d2i_X509_SIG(NULL, &at, (long)der.len);
    AN_CLEANUP(free_p8info) PKCS8_PRIV_KEY_INFO *info = NULL;
    const X509_ALGOR *algorithm = NULL;
    an_bytes pass;

    if (sig == NULL)
        return an_crypto_fail(reterr, AN_E_KEY_PRIVATE, "EncryptedPrivateKeyInfo");
    X509_SIG_get0(sig, &algorithm, NULL);
    if (count_rounds(algorithm) > AN_LIMIT_KDF_ROUNDS)
        AN_FAIL(reterr, AN_E_LIMIT, "PBKDF2: > %d", AN_LIMIT_KDF_ROUNDS);
    ERR_clear_error(); /* parameters that did not parse are told again below */
    if (passphrase == NULL)
        AN_FAIL(reterr, AN_E_PIN_NEEDED, "EncryptedPrivateKeyInfo");
    pass = an_secret_bytes(passphrase);
    info = PKCS8_decrypt(sig, (const char *)pass.ptr, (int)pass.len);
    if (info == NULL)
        return fail_decrypt(reterr);
    *ret = EVP_PKCS82PKEY(info);
    return *ret ? AN_OK : an_crypto_fail(reterr, AN_E_KEY_PRIVATE, "PrivateKeyInfo");
}

static an_code
parse_der(an_bytes der, const struct an_secret *passphrase, struct read_key *ret, struct an_err *reterr)
{
    const unsigned char *at = der.ptr;
    AN_CLEANUP(free_p8info) PKCS8_PRIV_KEY_INFO *info = NULL;

    ret->pkey = an_plainkey_parse(der, &ret->spki);
    if (ret->pkey != NULL)
        return AN_OK;
    ERR_clear_error();
    an_buf_reset(&ret->spki);
    info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    if (info != NULL) {
        ret->pkey = EVP_PKCS82PKEY(info);
    } else {
        AN_CLEANUP(free_x509_sig) X509_SIG *sig = NULL;
        at = der.ptr;
        sig = d2i_X509_SIG(NULL, &at, (long)der.len);
        if (sig != NULL)
            return parse_encrypted(der, passphrase, &ret->pkey, reterr);
        at = der.ptr;
        ret->pkey = d2i_AutoPrivateKey(NULL, &at, (long)der.len); /* PKCS#1, SEC1 */
    }
    return ret->pkey ? AN_OK : an_crypto_fail(reterr, AN_E_KEY_PRIVATE, "DER");
}

struct passphrase_use {
    const struct an_secret *passphrase;
    bool was_asked;
};

static int
give_passphrase(char *buf, int size, int is_writing, void *context)
{
    struct passphrase_use *use = context;
    an_bytes pass = use->passphrase ? an_secret_bytes(use->passphrase) : AN_NONE;

    (void)is_writing;
    use->was_asked = true;
    if (use->passphrase == NULL || pass.len > (size_t)size)
        return -1;
    memcpy(buf, pass.ptr, pass.len);
    return (int)pass.len;
}

/* Also the traditional encrypted form ("Proc-Type: 4,ENCRYPTED"), which libcrypto opens while reading. */
static an_code
parse_pem(an_bytes text, const struct an_secret *passphrase, struct read_key *ret, struct an_err *reterr)
{
    AN_CLEANUP(free_bio) BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    struct passphrase_use use = {.passphrase = passphrase};
    unsigned char *der = NULL;
    char *label = NULL;
    long len = 0;
    an_code code;

    if (bio == NULL)
        an_die_memory();
    if (PEM_bytes_read_bio(&der, &len, &label, PEM_STRING_EVP_PKEY, bio, give_passphrase, &use) != 1) {
        ERR_clear_error();
        if (use.was_asked)
            AN_FAIL(reterr, passphrase ? AN_E_PIN_WRONG : AN_E_PIN_NEEDED, "PEM");
        AN_FAIL(reterr, AN_E_KEY_PRIVATE, "PEM");
    }
    code = parse_der(AN_BYTES(der, (size_t)len), passphrase, ret, reterr);
    OPENSSL_clear_free(der, (size_t)len);
    OPENSSL_free(label);
    return code;
}

an_code
an_privkey_parse(an_bytes encoded, const struct an_secret *passphrase, struct an_privkey **ret, struct an_err *reterr)
{
    struct read_key read = {.spki = an_buf_new(KEY_FILE_MAX)};
    an_code code;

    an_crypto_start();
    if (encoded.len == 0 || encoded.len > KEY_FILE_MAX)
        AN_FAIL(reterr, AN_E_KEY_PRIVATE, "%zu byte", encoded.len);
    if (an_bytes_find(encoded, AN_LIT("-----BEGIN"), 0) != SIZE_MAX)
        code = parse_pem(encoded, passphrase, &read, reterr);
    else
        code = parse_der(encoded, passphrase, &read, reterr);
    if (code == AN_OK)
        return wrap_pkey(read.pkey, read.spki, ret, reterr);
    an_buf_free(&read.spki);
    return code;
}

static EVP_PKEY *
generate_pkey(enum an_key_kind kind, int bits)
{
    static const struct { int bits; const char *curve; } curves[] = {{256, "P-256"}, {384, "P-384"}, {521, "P-521"}};

    if (kind == AN_KEY_RSA && bits >= 1024 && bits <= 8192)
        return EVP_RSA_gen((unsigned)bits);
    if (kind == AN_KEY_ED25519)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (kind == AN_KEY_ED448)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    for (size_t i = 0; kind == AN_KEY_EC && i < AN_COUNT(curves); i++)
        if (curves[i].bits == bits)
            return EVP_EC_gen(curves[i].curve);
    return NULL;
}

an_code
an_privkey_generate(enum an_key_kind kind, int bits, struct an_privkey **ret, struct an_err *reterr)
{
    EVP_PKEY *pkey;

    an_crypto_start();
    pkey = generate_pkey(kind, bits);
    if (pkey == NULL)
        return an_crypto_fail(reterr, AN_E_KEY_KIND, "key generation");
    return wrap_pkey(pkey, an_buf_new(KEY_FILE_MAX), ret, reterr);
}

static X509_SIG *
encrypt_info(PKCS8_PRIV_KEY_INFO *info, an_bytes pass)
{
    unsigned char salt[PBKDF2_SALT];
    X509_ALGOR *pbe;
    X509_SIG *sig;

    if (RAND_bytes(salt, sizeof(salt)) != 1)
        return NULL;
    pbe = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ROUNDS, salt, sizeof(salt), NULL, NID_hmacWithSHA256);
    if (pbe == NULL)
        return NULL;
    sig = PKCS8_set0_pbe((const char *)pass.ptr, (int)pass.len, info, pbe);
    if (sig == NULL)
        X509_ALGOR_free(pbe);
    return sig;
}

an_code
an_privkey_encode(const struct an_privkey *key, const struct an_secret *passphrase, struct an_buf *out,
                  struct an_err *reterr)
{
    AN_CLEANUP(free_bio) BIO *bio = BIO_new(BIO_s_secmem());
    AN_CLEANUP(free_p8info) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    AN_CLEANUP(free_x509_sig) X509_SIG *sig = NULL;
    char *text = NULL;
    long len;
    int done;

    if (bio == NULL)
        an_die_memory();
    if (info == NULL)
        return an_crypto_fail(reterr, AN_E_KEY_PRIVATE, "PKCS#8");
    if (passphrase != NULL) {
        sig = encrypt_info(info, an_secret_bytes(passphrase));
        if (sig == NULL)
            return an_crypto_fail(reterr, AN_E_KEY_PRIVATE, "PBES2");
        done = PEM_write_bio_PKCS8(bio, sig);
    } else {
        done = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info);
    }
    len = BIO_get_mem_data(bio, &text);
    if (done != 1 || len <= 0)
        return an_crypto_fail(reterr, AN_E_KEY_PRIVATE, "PEM");
    an_buf_append(out, AN_BYTES(text, (size_t)len));
    if (!an_buf_ok(out))
        AN_FAIL(reterr, AN_E_LIMIT, "PEM: %ld byte", len);
    return AN_OK;
}

void
an_privkey_free(struct an_privkey **key)
{
    if (*key == NULL)
        return;
    an_key_cache_done(&(*key)->cache);
    EVP_PKEY_free((*key)->pkey);
    an_buf_free(&(*key)->spki);
    free(*key);
    *key = NULL;
}

int
an_privkey_bits(const struct an_privkey *key)
{
    return EVP_PKEY_get_bits(key->pkey);
}

an_code
an_privkey_spki(const struct an_privkey *key, struct an_buf *out, struct an_err *reterr)
{
    unsigned char *der = NULL;
    int len;

    if (key->spki.len > 0) {
        an_buf_append(out, an_buf_view(&key->spki));
        return an_buf_ok(out) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "SubjectPublicKeyInfo");
    }
    len = i2d_PUBKEY(key->pkey, &der);
    if (len <= 0)
        return an_crypto_fail(reterr, AN_E_KEY_PUBLIC, "SubjectPublicKeyInfo");
    an_buf_append(out, AN_BYTES(der, (size_t)len));
    OPENSSL_free(der);
    return an_buf_ok(out) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "SubjectPublicKeyInfo");
}

static bool
sign_eddsa(EVP_PKEY *pkey, an_bytes message, uint8_t *to, size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_done = false;

    if (ctx == NULL)
        an_die_memory();
    if (EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) == 1)
        is_done = EVP_DigestSign(ctx, to, len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    return is_done;
}

static bool
sign_digest(struct an_privkey *key, const struct an_scheme *scheme, an_bytes digest, uint8_t *to, size_t *len)
{
    struct an_key_use *use = an_key_use_take(&key->cache, key->pkey, scheme, true);
    bool is_done;

    if (use == NULL)
        return false;
    is_done = EVP_PKEY_sign(use->ctx, to, len, digest.ptr, digest.len) == 1;
    an_key_use_give(&key->cache, use);
    return is_done;
}

an_code
an_privkey_sign(struct an_privkey *key, const struct an_scheme *scheme, an_bytes digest, struct an_buf *out,
                struct an_err *reterr)
{
    size_t before = out->len, len = (size_t)EVP_PKEY_get_size(key->pkey);
    bool is_done;
    uint8_t *to;

    if (!an_key_may(key->kind, scheme->kind))
        AN_FAIL(reterr, AN_E_KEY_KIND, "signature kind %d", (int)scheme->kind);
    if (scheme->kind != AN_SIG_EDDSA && digest.len != an_digest_size(scheme->digest))
        AN_FAIL(reterr, AN_E_SIGN, "digest: %zu byte", digest.len);
    to = an_buf_extend(out, len);
    if (to == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "signature: %zu byte", len);
    is_done = scheme->kind == AN_SIG_EDDSA ? sign_eddsa(key->pkey, digest, to, &len) : sign_digest(key, scheme, digest,
            to, &len);
    out->len = is_done ? before + len : before;
    return is_done ? AN_OK : an_crypto_fail(reterr, AN_E_SIGN, an_digest_name(scheme->digest));
}
