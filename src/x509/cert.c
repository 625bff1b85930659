/* The certificate: parsing, ownership, key. Extensions that the struct shows are read in cert_extensions.c. */
#include "x509/internal.h"

#include "base/mem.h"

#define FEW_EXTENSIONS 16

/* One allocation: the object, room for the usual number of extensions, the DER behind it. */
struct cert_block {
    struct an_cert cert;
    struct an_extension few[FEW_EXTENSIONS];
    uint8_t der[];
};

static an_code
fail_field(const struct an_cert *cert, an_bytes at, an_code code, const char *field, struct an_err *reterr)
{
    size_t offset = at.ptr == NULL ? cert->der.len : (size_t)(at.ptr - cert->der.ptr);

    AN_FAIL(reterr, code, "%s, at or before byte %zu", field, offset);
}

static an_code
parse_version(struct an_cert *cert, an_bytes *in, struct an_err *reterr)
{
    an_bytes field;
    int64_t version = 0;

    if (an_der_peek(*in) == AN_DER_CONTEXT_CONSTRUCTED(0) &&
        (an_der_take(in, AN_DER_CONTEXT_CONSTRUCTED(0), &field, NULL) != AN_OK ||
         an_der_int64(&field, &version, NULL) != AN_OK || field.len != 0))
        return fail_field(cert, *in, AN_E_CERT_VERSION, "version", reterr);
    if (version < 0 || version > 2)
        AN_FAIL(reterr, AN_E_CERT_VERSION, "version %lld", (long long)version);
    cert->version = (int)version + 1;
    return AN_OK;
}

/* RFC 5280 4.1.2.5: no fraction of a second; UTCTime up to 2049. The wrong one of the two types is only noted. */
static bool
take_validity_time(struct an_cert *cert, an_bytes *in, an_time *ret)
{
    bool general = an_der_peek(*in) == AN_DER_GENERALIZED_TIME;
    size_t before = in->len;

    if (an_der_time(in, ret, NULL) != AN_OK || (general && before - in->len != 17))
        return false;
    if (general && *ret < 2524608000 /* 2050-01-01 */)
        cert->oddities |= AN_CERT_ODD_TIME_TYPE;
    return true;
}

static an_code
parse_validity(struct an_cert *cert, an_bytes *in, struct an_err *reterr)
{
    an_bytes validity, at = *in;

    if (an_der_take(in, AN_DER_SEQUENCE, &validity, NULL) != AN_OK)
        return fail_field(cert, at, AN_E_CERT_VALIDITY, "validity", reterr);
    if (!take_validity_time(cert, &validity, &cert->not_before))
        return fail_field(cert, validity, AN_E_CERT_VALIDITY, "notBefore", reterr);
    if (!take_validity_time(cert, &validity, &cert->not_after) || validity.len != 0)
        return fail_field(cert, validity, AN_E_CERT_VALIDITY, "notAfter", reterr);
    return AN_OK;
}

static an_code
parse_name(struct an_cert *cert, an_bytes *in, an_bytes *ret, const char *field, struct an_err *reterr)
{
    an_bytes at = *in;

    if (an_der_take_whole(in, AN_DER_SEQUENCE, ret, NULL) != AN_OK || !an_x509_name_is_sound(*ret))
        return fail_field(cert, at, AN_E_CERT_NAME, field, reterr);
    return AN_OK;
}

static an_code
parse_key(struct an_cert *cert, an_bytes *in, struct an_err *reterr)
{
    an_bytes at = *in, inside, algorithm;
    unsigned unused;

    if (an_der_take_whole(in, AN_DER_SEQUENCE, &cert->spki, NULL) != AN_OK)
        return fail_field(cert, at, AN_E_CERT_KEY, "subjectPublicKeyInfo", reterr);
    at = cert->spki;
    if (an_der_take(&at, AN_DER_SEQUENCE, &inside, NULL) != AN_OK ||
        an_der_take_whole(&inside, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK)
        return fail_field(cert, cert->spki, AN_E_CERT_KEY, "subjectPublicKeyInfo.algorithm", reterr);
    if (an_der_bits(&inside, &cert->key_bits, &unused, NULL) != AN_OK || unused != 0 || inside.len != 0)
        return fail_field(cert, cert->spki, AN_E_CERT_KEY, "subjectPublicKey", reterr);
    return AN_OK;
}

static an_code
parse_serial_and_algorithm(struct an_cert *cert, an_bytes *in, struct an_err *reterr)
{
    an_bytes at = *in, inner;

    if (an_der_integer(in, &cert->serial, NULL) != AN_OK)
        return fail_field(cert, at, AN_E_CERT_SERIAL, "serialNumber", reterr);
    at = *in;
    if (an_der_take_whole(in, AN_DER_SEQUENCE, &inner, NULL) != AN_OK)
        return fail_field(cert, at, AN_E_CERT_STRUCTURE, "signature", reterr);
    if (!an_bytes_eq(inner, cert->signature_algorithm))
        AN_FAIL(reterr, AN_E_CERT_ALGORITHM, "signature and signatureAlgorithm differ");
    return AN_OK;
}

/* issuerUniqueID, subjectUniqueID: read over; nobody may issue them any more (RFC 5280 4.1.2.8). */
static an_code
skip_unique_ids(struct an_cert *cert, an_bytes *in, struct an_err *reterr)
{
    an_bytes ignored;
    bool found = an_der_try(in, AN_DER_CONTEXT(1), &ignored);

    found = an_der_try(in, AN_DER_CONTEXT(2), &ignored) || found;
    if (found && cert->version == 1)
        AN_FAIL(reterr, AN_E_CERT_VERSION, "version 1 with unique identifiers");
    return AN_OK;
}

static an_code
parse_extensions(struct an_cert *cert, an_bytes *in, struct an_extension *few, struct an_err *reterr)
{
    static const struct an_x509_ext_codes codes = {AN_E_CERT_EXTENSION, AN_E_CERT_EXTENSION_TWICE};
    an_bytes field, content;

    if (in->len == 0)
        return AN_OK;
    if (an_der_take(in, AN_DER_CONTEXT_CONSTRUCTED(3), &field, NULL) != AN_OK || in->len != 0)
        return fail_field(cert, *in, AN_E_CERT_STRUCTURE, "extensions", reterr);
    if (an_der_take(&field, AN_DER_SEQUENCE, &content, NULL) != AN_OK || field.len != 0)
        return fail_field(cert, field, AN_E_CERT_STRUCTURE, "extensions", reterr);
    if (cert->version != 3)
        AN_FAIL(reterr, AN_E_CERT_VERSION, "version %d with extensions", cert->version);
    AN_TRY(an_x509_read_extensions(content, few, FEW_EXTENSIONS, &cert->extensions, &cert->extension_count, codes,
                                   reterr));
    return an_x509_read_cert_extensions(cert, reterr);
}

static an_code
parse_tbs(struct an_cert *cert, struct an_extension *few, struct an_err *reterr)
{
    an_bytes whole = cert->tbs, in;

    AN_TRY(an_der_take(&whole, AN_DER_SEQUENCE, &in, reterr));
    AN_TRY(parse_version(cert, &in, reterr));
    AN_TRY(parse_serial_and_algorithm(cert, &in, reterr));
    AN_TRY(parse_name(cert, &in, &cert->issuer, "issuer", reterr));
    AN_TRY(parse_validity(cert, &in, reterr));
    AN_TRY(parse_name(cert, &in, &cert->subject, "subject", reterr));
    AN_TRY(parse_key(cert, &in, reterr));
    AN_TRY(skip_unique_ids(cert, &in, reterr));
    return parse_extensions(cert, &in, few, reterr);
}

bool
an_x509_take_signature(an_bytes *in, an_bytes *ret)
{
    an_bytes content;

    if (an_der_take(in, AN_DER_BIT_STRING, &content, NULL) != AN_OK || content.len == 0)
        return false;
    *ret = content.ptr[0] == 0 ? AN_BYTES(content.ptr + 1, content.len - 1) : AN_NONE;
    return true;
}

static an_code
parse_certificate(struct an_cert *cert, struct an_extension *few, struct an_err *reterr)
{
    an_bytes rest = cert->der, in;

    if (an_der_take(&rest, AN_DER_SEQUENCE, &in, NULL) != AN_OK)
        return fail_field(cert, rest, AN_E_CERT_STRUCTURE, "Certificate", reterr);
    if (rest.len != 0)
        AN_FAIL(reterr, AN_E_DER_TRAILING, "%zu bytes after the certificate", rest.len);
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &cert->tbs, NULL) != AN_OK)
        return fail_field(cert, in, AN_E_CERT_STRUCTURE, "tbsCertificate", reterr);
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &cert->signature_algorithm, NULL) != AN_OK)
        return fail_field(cert, in, AN_E_CERT_STRUCTURE, "signatureAlgorithm", reterr);
    if (!an_x509_take_signature(&in, &cert->signature) || in.len != 0)
        return fail_field(cert, in, AN_E_CERT_STRUCTURE, "signatureValue", reterr);
    if (an_scheme_parse(cert->signature_algorithm, AN_DIGEST_NONE, &cert->scheme, NULL) != AN_OK)
        cert->scheme = (struct an_scheme){0};
    return parse_tbs(cert, few, reterr);
}

static void
free_cert(struct an_cert *cert)
{
    struct cert_block *block = (struct cert_block *)cert;

    if (cert->extensions != block->few)
        free(cert->extensions);
    an_pubkey_unref(&cert->key);
    free(block);
}

an_code
an_cert_parse(an_bytes der, struct an_cert **ret, struct an_err *reterr)
{
    struct cert_block *block;
    struct an_cert *cert;
    an_code outcome;

    if (der.len == 0 || der.len > AN_LIMIT_CERT_BYTES)
        AN_FAIL(reterr, der.len == 0 ? AN_E_DER_TRUNCATED : AN_E_LIMIT, "certificate of %zu bytes", der.len);
    block = an_grow(NULL, 1, sizeof(*block) + der.len); /* not zeroed: the room for extensions is seldom used up */
    cert = &block->cert;
    *cert = (struct an_cert){.der = AN_BYTES(block->der, der.len), .path_len = -1, .refs = 1, .extensions = block->few};
    memcpy(block->der, der.ptr, der.len);
    outcome = parse_certificate(cert, block->few, reterr);
    if (outcome != AN_OK) {
        free_cert(cert);
        return outcome;
    }
    cert->self_issued = an_name_eq(cert->issuer, cert->subject);
    uint8_t digest[AN_DIGEST_MAX];
    an_hash_once(AN_SHA256, cert->der, digest);
    memcpy(cert->sha256, digest, sizeof(cert->sha256));
    *ret = cert;
    return AN_OK;
}

struct an_cert *
an_cert_ref(struct an_cert *cert)
{
    __atomic_add_fetch(&cert->refs, 1, __ATOMIC_RELAXED);
    return cert;
}

void
an_cert_unref(struct an_cert **cert)
{
    if (*cert != NULL && __atomic_sub_fetch(&(*cert)->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free_cert(*cert);
    *cert = NULL;
}

/* Two threads may parse the key at once; one result stays. */
struct an_pubkey *
an_cert_key(struct an_cert *cert)
{
    struct an_pubkey *key = __atomic_load_n(&cert->key, __ATOMIC_ACQUIRE), *mine = NULL;

    if (key != NULL)
        return key;
    if (an_pubkey_parse(cert->spki, &mine, NULL) != AN_OK)
        return NULL;
    if (__atomic_compare_exchange_n(&cert->key, &key, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return mine;
    an_pubkey_unref(&mine);
    return key;
}

bool
an_cert_signed_by(struct an_cert *cert, struct an_cert *issuer)
{
    struct an_pubkey *key = cert->scheme.kind == AN_SIG_UNKNOWN ? NULL : an_cert_key(issuer);

    return key != NULL && an_pubkey_verify_message(key, &cert->scheme, cert->tbs, cert->signature);
}

bool
an_serial_eq(an_bytes a, an_bytes b)
{
    return an_bytes_eq(an_x509_bare_serial(a), an_x509_bare_serial(b));
}
