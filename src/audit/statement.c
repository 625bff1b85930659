/* What a checkpoint says, and whether it is signed. */
#include <stdio.h>

#include "audit/internal.h"
#include "cms/cms.h"

#define TITLE "antin-audit-checkpoint 1\n"
#define ID_SIGNATURE_TIME_STAMP "1.2.840.113549.1.9.16.2.14"

void
statement_write(const struct statement *statement, struct an_buf *out)
{
    char at[AN_TIME_TEXT_MAX];

    an_buf_printf(out, TITLE "instance: %s\nsize: %lld\nroot: ", statement->instance, (long long)statement->size);
    an_buf_hex(out, AN_BYTES(statement->root, HASH_SIZE));
    an_buf_str(out, "\nchain: ");
    an_buf_hex(out, AN_BYTES(statement->chain, HASH_SIZE));
    an_buf_printf(out, "\nat: %s\n", an_time_format_utc(statement->at, at));
}

/* The value of the next line, which must be "key: value". */
static bool
take_line(an_bytes *text, const char *key, an_bytes *ret)
{
    size_t end = an_bytes_find(*text, AN_LIT("\n"), 0), len = strlen(key);

    if (end == SIZE_MAX || end < len || memcmp(text->ptr, key, len) != 0)
        return false;
    *ret = AN_BYTES(text->ptr + len, end - len);
    *text = AN_BYTES(text->ptr + end + 1, text->len - end - 1);
    return true;
}

static bool
read_hash(an_bytes hex, uint8_t ret[static HASH_SIZE])
{
    AN_CLEANUP(an_buf_free) struct an_buf bytes = an_buf_new(HASH_SIZE);

    if (hex.len != (size_t)2 * HASH_SIZE || !an_hex_decode(&bytes, hex) || bytes.len != HASH_SIZE)
        return false;
    memcpy(ret, bytes.ptr, HASH_SIZE);
    return true;
}

bool
statement_read(an_bytes text, struct statement *ret)
{
    struct statement statement = {0};
    an_bytes instance, size, root, chain, at;

    if (!an_bytes_starts_with(text, AN_LIT(TITLE)))
        return false;
    text = an_bytes_slice(text, sizeof(TITLE) - 1, SIZE_MAX);
    if (!take_line(&text, "instance: ", &instance) || !take_line(&text, "size: ", &size) ||
        !take_line(&text, "root: ", &root) ||
        !take_line(&text, "chain: ", &chain) || !take_line(&text, "at: ", &at) || text.len != 0)
        return false;
    if (instance.len >= sizeof(statement.instance) || size.len == 0 || size.len > 18)
        return false;
    memcpy(statement.instance, instance.ptr, instance.len);
    for (size_t i = 0; i < size.len; i++) {
        if (size.ptr[i] < '0' || size.ptr[i] > '9')
            return false;
        statement.size = statement.size * 10 + (size.ptr[i] - '0');
    }
    statement.at = an_time_parse(at);
    if (statement.at == AN_TIME_NONE || !read_hash(root, statement.root) || !read_hash(chain, statement.chain))
        return false;
    *ret = statement;
    return true;
}

static bool
is_stamped(const struct an_cms_signer *signer)
{
    const struct an_cms_attribute *attribute = an_cms_attribute_find(signer->unsigned_attributes,
                                                                     signer->unsigned_count, ID_SIGNATURE_TIME_STAMP);
    struct an_tst *tst = NULL;
    uint8_t digest[AN_DIGEST_MAX];
    bool good = false;

    if (attribute == NULL || an_tst_parse(attribute->values, &tst, NULL) != AN_OK)
        return false;
    if (tst->cms->signer_count == 1 && tst->digest != AN_DIGEST_NONE) {
        struct an_cert *cert = an_cms_signer_cert(tst->cms, &tst->cms->signers[0], NULL);

        an_hash_once(tst->digest, signer->signature, digest);
        good = cert != NULL && an_tst_check(tst, cert, AN_BYTES(digest, an_digest_size(tst->digest)), NULL) == AN_OK;
    }
    an_tst_free(&tst);
    return good;
}

bool
statement_is_signed(an_bytes text, an_bytes signature, const struct an_certs *signers, bool *ret_stamped)
{
    struct an_cms *cms = NULL;
    bool good = false;

    *ret_stamped = false;
    if (an_cms_parse(signature, &cms, NULL) != AN_OK)
        return false;
    if (cms->signer_count == 1) {
        const struct an_cms_signer *signer = &cms->signers[0];
        struct an_cert *cert = an_cms_signer_cert(cms, signer, signers);

        good = cert != NULL && (signers == NULL || an_certs_find_hash(signers, cert->sha256) != NULL) &&
               an_cms_check_over(signer, cert, cms->content_type, text, NULL) == AN_OK;
        *ret_stamped = good && is_stamped(signer);
    }
    an_cms_free(&cms);
    return good;
}
