#include "service/registration/papers.h"

#include "base/limits.h"
#include "crypto/crypto.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static char *
paper_path(const struct an_instance *instance, const uint8_t hash[static 32])
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(80);

    an_buf_hex(&hex, AN_BYTES(hash, 32));
    return an_asprintf("%s/documents/%.2s/%.*s.pdf", instance->dir, (const char *)hex.ptr, AN_FMT(an_buf_view(&hex)));
}

char *
an_paper_temporary(const struct an_instance *instance, const char *tag)
{
    static atomic_uint next;

    return an_asprintf("%s/documents/.%s-%ld-%u.pdf", instance->dir, tag, (long)getpid(), atomic_fetch_add(&next, 1));
}

an_code
an_paper_open(const struct an_instance *instance, const uint8_t hash[static 32], struct an_file *ret,
              struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = paper_path(instance, hash);
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    uint8_t digest[AN_DIGEST_MAX];

    AN_TRY(an_file_open(path, AN_LIMIT_PAPER_BYTES, &file, reterr));
    an_hash_once(AN_SHA256, file.bytes, digest);
    if (memcmp(digest, hash, 32) != 0)
        AN_FAIL(reterr, AN_E_PAPER_CHANGED, "%s", path);
    *ret = file;
    file = AN_FILE_NONE;
    return AN_OK;
}

an_code
an_paper_put(const struct an_instance *instance, an_bytes content, uint8_t ret_hash[static 32], struct an_err *reterr)
{
    uint8_t digest[AN_DIGEST_MAX];
    AN_CLEANUP(an_file_close) struct an_file there = AN_FILE_NONE;
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    AN_CLEANUP(an_free_ptr) char *folder = NULL;

    an_hash_once(AN_SHA256, content, digest);
    path = paper_path(instance, digest);
    folder = an_asprintf("%.*s", (int)(strrchr(path, '/') - path), path);
    AN_TRY(an_dir_make(folder, true, reterr));
    if (an_paper_open(instance, digest, &there, NULL) != AN_OK) /* not there, or no longer what it was */
        AN_TRY(an_file_write(path, content, 0600, reterr));
    memcpy(ret_hash, digest, 32);
    return AN_OK;
}

an_code
an_paper_put_file(const struct an_instance *instance, const char *path, uint8_t ret_hash[static 32],
                  struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;

    AN_TRY(an_file_open(path, AN_LIMIT_PAPER_BYTES, &file, reterr));
    return an_paper_put(instance, file.bytes, ret_hash, reterr);
}
