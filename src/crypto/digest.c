#include "crypto/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 * 1024) /* large enough for the disk, small enough for the second-level cache */

static const struct {
    const char *name, *fetched;
    size_t size;
} digests[] = {
    [AN_DIGEST_NONE] = {"", NULL, 0},
    [AN_MD5] = {"MD5", "MD5", 16},
    [AN_SHA1] = {"SHA-1", "SHA1", 20},
    [AN_SHA224] = {"SHA-224", "SHA2-224", 28},
    [AN_SHA256] = {"SHA-256", "SHA2-256", 32},
    [AN_SHA384] = {"SHA-384", "SHA2-384", 48},
    [AN_SHA512] = {"SHA-512", "SHA2-512", 64},
    [AN_SHA512_224] = {"SHA-512/224", "SHA2-512/224", 28},
    [AN_SHA512_256] = {"SHA-512/256", "SHA2-512/256", 32},
    [AN_SHA3_224] = {"SHA3-224", "SHA3-224", 28},
    [AN_SHA3_256] = {"SHA3-256", "SHA3-256", 32},
    [AN_SHA3_384] = {"SHA3-384", "SHA3-384", 48},
    [AN_SHA3_512] = {"SHA3-512", "SHA3-512", 64},
    [AN_RIPEMD160] = {"RIPEMD-160", "RIPEMD160", 20},
    [AN_SHAKE256] = {"SHAKE256", "SHAKE256", 64},
};

size_t
an_digest_size(enum an_digest digest)
{
    return (size_t)digest < AN_COUNT(digests) ? digests[digest].size : 0;
}

const char *
an_digest_name(enum an_digest digest)
{
    return (size_t)digest < AN_COUNT(digests) ? digests[digest].name : "";
}

const EVP_MD *
an_crypto_md(enum an_digest digest)
{
    static EVP_MD *fetched[AN_COUNT(digests)];
    EVP_MD *md, *expected = NULL;

    if ((size_t)digest >= AN_COUNT(digests) || digests[digest].fetched == NULL)
        return NULL;
    md = __atomic_load_n(&fetched[digest], __ATOMIC_ACQUIRE);
    if (md != NULL)
        return md;
    an_crypto_start();
    md = EVP_MD_fetch(NULL, digests[digest].fetched, NULL);
    if (md == NULL)
        return NULL;
    if (!__atomic_compare_exchange_n(&fetched[digest], &expected, md, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        EVP_MD_free(md); /* another thread was faster */
        return expected;
    }
    return md;
}

struct an_hash {
    EVP_MD_CTX *ctx;
    enum an_digest digest;
};

static void
start_hash(EVP_MD_CTX *ctx, enum an_digest digest)
{
    const EVP_MD *md = an_crypto_md(digest);

    if (md == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1)
        an_die_memory();
}

/* SHAKE gives as many bytes as are asked for; libcrypto's own default is half of what CMS wants. */
static bool
finish_hash(EVP_MD_CTX *ctx, enum an_digest digest, uint8_t *out)
{
    if (digest == AN_SHAKE256)
        return EVP_DigestFinalXOF(ctx, out, an_digest_size(digest)) == 1;
    return EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

struct an_hash *
an_hash_new(enum an_digest digest)
{
    struct an_hash *hash = AN_NEW(struct an_hash);

    an_crypto_start();
    hash->digest = digest;
    hash->ctx = EVP_MD_CTX_new();
    if (hash->ctx == NULL)
        an_die_memory();
    start_hash(hash->ctx, digest);
    return hash;
}

struct an_hash *
an_hash_dup(const struct an_hash *hash)
{
    struct an_hash *copy = AN_NEW(struct an_hash);

    copy->digest = hash->digest;
    copy->ctx = EVP_MD_CTX_new();
    if (copy->ctx == NULL || EVP_MD_CTX_copy_ex(copy->ctx, hash->ctx) != 1)
        an_die_memory();
    return copy;
}

void
an_hash_free(struct an_hash **hash)
{
    if (*hash == NULL)
        return;
    EVP_MD_CTX_free((*hash)->ctx);
    free(*hash);
    *hash = NULL;
}

void
an_hash_update(struct an_hash *hash, an_bytes bytes)
{
    if (bytes.len != 0)
        if (EVP_DigestUpdate(hash->ctx, bytes.ptr, bytes.len) != 1)
            an_die_internal("EVP_DigestUpdate");
}

void
an_hash_final(struct an_hash *hash, uint8_t ret_digest[static AN_DIGEST_MAX])
{
    if (!finish_hash(hash->ctx, hash->digest, ret_digest))
        an_die_internal("finish_hash");
    start_hash(hash->ctx, hash->digest);
}

/* ---- one-shot hashing: each thread keeps one context per digest ---- */
struct thread_hashes {
    EVP_MD_CTX *contexts[AN_COUNT(digests)];
};
static pthread_key_t thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;
static _Thread_local struct thread_hashes *own_hashes;

static void
free_thread_hashes(void *memory)
{
    struct thread_hashes *hashes = memory;

    for (size_t i = 0; i < AN_COUNT(digests); i++)
        EVP_MD_CTX_free(hashes->contexts[i]);
    free(hashes);
    own_hashes = NULL;
}

static void
make_thread_key(void)
{
    if (pthread_key_create(&thread_key, free_thread_hashes) != 0)
        an_die_memory();
}

static EVP_MD_CTX *
find_own_context(enum an_digest digest)
{
    if (own_hashes == NULL) {
        pthread_once(&thread_once, make_thread_key);
        own_hashes = AN_NEW(struct thread_hashes);
        pthread_setspecific(thread_key, own_hashes);
    }
    if (own_hashes->contexts[digest] == NULL) {
        own_hashes->contexts[digest] = EVP_MD_CTX_new();
        if (own_hashes->contexts[digest] == NULL)
            an_die_memory();
    }
    return own_hashes->contexts[digest];
}

void
an_hash_once(enum an_digest digest, an_bytes bytes, uint8_t ret_digest[static AN_DIGEST_MAX])
{
    EVP_MD_CTX *ctx;

    AN_ASSERT(an_digest_size(digest) != 0);
    ctx = find_own_context(digest);
    start_hash(ctx, digest);
    if (bytes.len != 0)
        if (EVP_DigestUpdate(ctx, bytes.ptr, bytes.len) != 1)
            an_die_internal("EVP_DigestUpdate");
    if (!finish_hash(ctx, digest, ret_digest))
        an_die_internal("finish_hash");
}

/* ---- files ---- */
static an_code
hash_range(EVP_MD_CTX *ctx, int fd, struct an_range range, uint8_t *buffer, struct an_err *reterr)
{
    uint64_t done = 0;

    if (range.len > (uint64_t)INT64_MAX || range.offset > (uint64_t)INT64_MAX - range.len)
        AN_FAIL(reterr, AN_E_FILE_READ, "offset %llu + %llu", (unsigned long long)range.offset,
                (unsigned long long)range.len);
    (void)posix_fadvise(fd, (off_t)range.offset, (off_t)range.len, POSIX_FADV_SEQUENTIAL);
    while (done < range.len) {
        size_t want = range.len - done < READ_SIZE ? (size_t)(range.len - done) : READ_SIZE;
        ssize_t got = pread(fd, buffer, want, (off_t)(range.offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return an_err_set_errno(reterr, AN_E_FILE_READ, errno, "offset %llu",
                                    (unsigned long long)(range.offset + done));
        if (got == 0)
            AN_FAIL(reterr, AN_E_FILE_READ, "end of file at %llu, %llu wanted",
                    (unsigned long long)(range.offset + done),
                    (unsigned long long)(range.offset + range.len));
        if (EVP_DigestUpdate(ctx, buffer, (size_t)got) != 1)
            an_die_internal("EVP_DigestUpdate");
        done += (uint64_t)got;
    }
    return AN_OK;
}

an_code
an_hash_file_ranges(enum an_digest digest, int fd, const struct an_range *ranges, size_t n,
                    uint8_t ret_digest[static AN_DIGEST_MAX], struct an_err *reterr)
{
    uint8_t result[AN_DIGEST_MAX];
    AN_CLEANUP(an_free_ptr) uint8_t *buffer = NULL;
    EVP_MD_CTX *ctx;

    AN_ASSERT(an_digest_size(digest) != 0);
    buffer = malloc(READ_SIZE); /* not zeroed: only what pread wrote is used */
    if (buffer == NULL)
        an_die_memory();
    ctx = find_own_context(digest);
    start_hash(ctx, digest);
    for (size_t i = 0; i < n; i++)
        AN_TRY(hash_range(ctx, fd, ranges[i], buffer, reterr));
    if (!finish_hash(ctx, digest, result))
        an_die_internal("finish_hash");
    memcpy(ret_digest, result, an_digest_size(digest));
    return AN_OK;
}
