/*
 * The floor: libcrypto alone, doing the same work over the same bytes. What our programs are compared with, so nothing of
 * ours is in it. Modes: raw (private key on a digest), sign (CMS, CAdES attributes, detached), verify (the same, path and
 * CRL checked), hash, public-N.
 */
#include "bench/common.h"

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

struct floor {
    unsigned char *bytes;
    size_t len;
    EVP_PKEY *key;
    X509 *cert;
    STACK_OF(X509) *chain;
    X509_STORE *store;
    unsigned char *cms;
    long cms_len;
    unsigned char signature[1024];
    size_t signature_len;
    unsigned operations;
};

static void
fail(const char *what)
{
    fprintf(stderr, "floor: %s\n", what);
    exit(2);
}

static void
hash(void *context, unsigned thread, unsigned index)
{
    struct floor *f = context;
    unsigned char digest[64];

    (void)thread;
    (void)index;
    if (!EVP_Digest(f->bytes, f->len, digest, NULL, EVP_sha256(), NULL))
        fail("digest");
}

static void
raw(void *context, unsigned thread, unsigned index)
{
    struct floor *f = context;
    unsigned char digest[32] = {0}, signature[1024];
    size_t len = sizeof(signature);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(f->key, NULL);

    (void)thread;
    (void)index;
    if (EVP_PKEY_sign_init(ctx) <= 0 || EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) <= 0 || EVP_PKEY_sign(ctx, signature, &len, digest, 32) <= 0)
        fail("raw sign");
    EVP_PKEY_CTX_free(ctx);
}

/* SHA-256 over the file and this many operations with the public key: what a long-term signature cannot do without. */
static void
public_ops(void *context, unsigned thread, unsigned index)
{
    struct floor *f = context;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(f->key, NULL);
    unsigned char digest[32];

    hash(context, thread, index);
    if (!EVP_Digest("", 0, digest, NULL, EVP_sha256(), NULL) || EVP_PKEY_verify_init(ctx) <= 0 ||
        EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) <= 0)
        fail("public");
    for (unsigned i = 0; i < f->operations; i++)
        if (EVP_PKEY_verify(ctx, f->signature, f->signature_len, digest, 32) != 1)
            fail("public");
    EVP_PKEY_CTX_free(ctx);
}

static void
prepare_signature(struct floor *f, const char *operations)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(f->key, NULL);
    unsigned char digest[32];

    f->operations = (unsigned)atoi(operations);
    f->signature_len = sizeof(f->signature);
    if (!EVP_Digest("", 0, digest, NULL, EVP_sha256(), NULL) || EVP_PKEY_sign_init(ctx) <= 0 ||
        EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) <= 0 || EVP_PKEY_sign(ctx, f->signature, &f->signature_len, digest, 32) <= 0)
        fail("prepare");
    EVP_PKEY_CTX_free(ctx);
}

static void
sign(void *context, unsigned thread, unsigned index)
{
    struct floor *f = context;
    BIO *in = BIO_new_mem_buf(f->bytes, (int)f->len);
    unsigned flags = CMS_DETACHED | CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, f->chain, in, flags);
    unsigned char *der = NULL;

    (void)thread;
    (void)index;
    if (cms == NULL || !CMS_add1_signer(cms, f->cert, f->key, EVP_sha256(), flags | CMS_CADES) || !CMS_final(cms, in, NULL, flags) || i2d_CMS_ContentInfo(cms, &der) <= 0)
        fail("sign");
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
}

static void
verify(void *context, unsigned thread, unsigned index)
{
    struct floor *f = context;
    const unsigned char *at = f->cms;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, f->cms_len);
    BIO *in = BIO_new_mem_buf(f->bytes, (int)f->len);

    (void)thread;
    (void)index;
    if (cms == NULL || CMS_verify(cms, NULL, f->store, in, NULL, CMS_BINARY) != 1)
        fail("verify");
    CMS_ContentInfo_free(cms);
    BIO_free(in);
}

static unsigned char *
read_all(const char *path, size_t *ret_len)
{
    FILE *in = fopen(path, "rb");
    unsigned char *bytes;

    if (in == NULL)
        fail(path);
    fseek(in, 0, SEEK_END);
    *ret_len = (size_t)ftell(in);
    rewind(in);
    bytes = malloc(*ret_len + 1);
    if (bytes == NULL || fread(bytes, 1, *ret_len, in) != *ret_len)
        fail(path);
    fclose(in);
    return bytes;
}

static void
load(struct floor *f, const char *folder, const char *name)
{
    char path[4096];
    BIO *in;
    X509 *cert;

    snprintf(path, sizeof(path), "%s/%s.key", folder, name);
    in = BIO_new_file(path, "r");
    f->key = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    snprintf(path, sizeof(path), "%s/%s.crt", folder, name);
    in = BIO_new_file(path, "r");
    f->cert = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    f->chain = sk_X509_new_null();
    snprintf(path, sizeof(path), "%s/sub.crt", folder);
    in = BIO_new_file(path, "r");
    cert = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    sk_X509_push(f->chain, cert);
    BIO_free(in);
    f->store = X509_STORE_new();
    X509_STORE_set_default_paths(f->store);
    snprintf(path, sizeof(path), "%s/root.crt", folder);
    if (f->key == NULL || f->cert == NULL || cert == NULL || !X509_STORE_load_file(f->store, path))
        fail("material");
    snprintf(path, sizeof(path), "%s/all.crl", folder);
    if (!X509_STORE_load_file(f->store, path))
        fail("crl");
    X509_STORE_set_flags(f->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    X509_STORE_set_purpose(f->store, X509_PURPOSE_ANY);
}

static void
prepare_cms(struct floor *f)
{
    BIO *in = BIO_new_mem_buf(f->bytes, (int)f->len);
    unsigned flags = CMS_DETACHED | CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, f->chain, in, flags);

    if (cms == NULL || !CMS_add1_signer(cms, f->cert, f->key, EVP_sha256(), flags | CMS_CADES) || !CMS_final(cms, in, NULL, flags))
        fail("prepare");
    f->cms_len = i2d_CMS_ContentInfo(cms, &f->cms);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
}

int
main(int argc, char **argv)
{
    struct floor f = {0};
    static const struct { const char *mode; bench_fn run; } modes[] = {{"hash", hash}, {"raw", raw}, {"sign", sign}, {"verify", verify}};
    unsigned threads, count;

    if (argc != 7)
        fail("usage: floor MODE FILE FOLDER NAME THREADS COUNT");
    f.bytes = read_all(argv[2], &f.len);
    load(&f, argv[3], argv[4]);
    if (strcmp(argv[1], "verify") == 0)
        prepare_cms(&f);
    if (strncmp(argv[1], "public-", 7) == 0)
        prepare_signature(&f, argv[1] + 7);
    threads = (unsigned)atoi(argv[5]);
    count = (unsigned)atoi(argv[6]);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].mode, argv[1]) == 0)
            bench_report(argv[1], threads, count, modes[i].run, &f);
    if (f.operations)
        bench_report(argv[1], threads, count, public_ops, &f);
    return 0;
}
