/* Sets of certificates, and of revocation lists from files. */
#include "x509/status.h"

#include "base/mem.h"

struct an_cert *
an_certs_find_hash(const struct an_certs *set, const uint8_t sha256[static 32])
{
    for (size_t i = 0; i < set->count; i++)
        if (memcmp(set->items[i]->sha256, sha256, 32) == 0)
            return set->items[i];
    return NULL;
}

void
an_certs_add(struct an_certs *set, struct an_cert *cert)
{
    if (an_certs_find_hash(set, cert->sha256) != NULL)
        return;
    if (set->count == set->capacity) {
        set->capacity = set->capacity ? set->capacity * 2 : 8;
        set->items = an_grow(set->items, set->capacity, sizeof(struct an_cert *));
    }
    set->items[set->count++] = an_cert_ref(cert);
}

void
an_certs_done(struct an_certs *set)
{
    for (size_t i = 0; i < set->count; i++)
        an_cert_unref(&set->items[i]);
    free(set->items);
    *set = (struct an_certs){0};
}

static bool
is_certificate_label(const char *label)
{
    return *label == '\0' || strcmp(label, "CERTIFICATE") == 0 || strcmp(label, "X509 CERTIFICATE") == 0;
}

static an_code
add_block(struct an_certs *set, an_bytes der, struct an_err *reterr)
{
    struct an_cert *cert;

    AN_TRY(an_cert_parse(der, &cert, reterr));
    an_certs_add(set, cert);
    an_cert_unref(&cert);
    return AN_OK;
}

an_code
an_certs_read(struct an_certs *set, an_bytes content, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
    size_t at = 0, found = 0;
    char label[64];

    for (; an_pem_next(content, &at, &der, label); an_buf_reset(&der)) {
        if (!is_certificate_label(label))
            continue;
        AN_TRY(add_block(set, an_buf_view(&der), reterr));
        found++;
    }
    if (at < content.len && content.ptr[0] == AN_DER_SEQUENCE && found > 0)
        AN_FAIL(reterr, AN_E_DER_TRAILING, "byte %zu", at);
    if (at < content.len)
        AN_FAIL(reterr, AN_E_PEM, "byte %zu", at);
    if (found == 0)
        AN_FAIL(reterr, AN_E_CERT_NONE, "%zu bytes read", content.len);
    return AN_OK;
}
