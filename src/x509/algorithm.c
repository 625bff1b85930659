/* AlgorithmIdentifiers of digests and signatures, both ways: RFC 3279, 4055, 5754, 5758, 8410, 8702. */
#include "x509/internal.h"

#define ROW_OID(octets) {(const uint8_t *)(octets), sizeof(octets) - 1}
#define RSA "\x2A\x86\x48\x86\xF7\x0D\x01\x01"           /* 1.2.840.113549.1.1 */
#define NIST_HASH "\x60\x86\x48\x01\x65\x03\x04\x02"     /* 2.16.840.1.101.3.4.2 */
#define NIST_SIG "\x60\x86\x48\x01\x65\x03\x04\x03"      /* 2.16.840.1.101.3.4.3 */
#define ECDSA_SHA2 "\x2A\x86\x48\xCE\x3D\x04\x03"        /* 1.2.840.10045.4.3 */

static const struct digest_row { enum an_digest digest; an_bytes oid; } digest_table[] = {
    {AN_SHA256, ROW_OID(NIST_HASH "\x01")},
    {AN_SHA384, ROW_OID(NIST_HASH "\x02")},
    {AN_SHA512, ROW_OID(NIST_HASH "\x03")},
    {AN_SHA1, ROW_OID("\x2B\x0E\x03\x02\x1A")},
    {AN_SHA224, ROW_OID(NIST_HASH "\x04")},
    {AN_SHA512_224, ROW_OID(NIST_HASH "\x05")},
    {AN_SHA512_256, ROW_OID(NIST_HASH "\x06")},
    {AN_SHA3_224, ROW_OID(NIST_HASH "\x07")},
    {AN_SHA3_256, ROW_OID(NIST_HASH "\x08")},
    {AN_SHA3_384, ROW_OID(NIST_HASH "\x09")},
    {AN_SHA3_512, ROW_OID(NIST_HASH "\x0A")},
    {AN_MD5, ROW_OID("\x2A\x86\x48\x86\xF7\x0D\x02\x05")},
    {AN_RIPEMD160, ROW_OID("\x2B\x24\x03\x02\x01")},
    {AN_SHAKE256, ROW_OID(NIST_HASH "\x0C")},
};

/* digest AN_DIGEST_NONE: named elsewhere (by CMS, by the parameters) or not used. The first row of a (kind, digest)
 * is the one that is written. */
static const struct scheme_row { enum an_sig_kind kind; enum an_digest digest; an_bytes oid; } scheme_table[] = {
    {AN_SIG_RSA_PKCS1, AN_SHA256, ROW_OID(RSA "\x0B")},
    {AN_SIG_RSA_PKCS1, AN_SHA384, ROW_OID(RSA "\x0C")},
    {AN_SIG_RSA_PKCS1, AN_SHA512, ROW_OID(RSA "\x0D")},
    {AN_SIG_RSA_PKCS1, AN_SHA224, ROW_OID(RSA "\x0E")},
    {AN_SIG_RSA_PKCS1, AN_SHA512_224, ROW_OID(RSA "\x0F")},
    {AN_SIG_RSA_PKCS1, AN_SHA512_256, ROW_OID(RSA "\x10")},
    {AN_SIG_RSA_PKCS1, AN_SHA1, ROW_OID(RSA "\x05")},
    {AN_SIG_RSA_PKCS1, AN_MD5, ROW_OID(RSA "\x04")},
    {AN_SIG_RSA_PKCS1, AN_SHA1, ROW_OID("\x2B\x0E\x03\x02\x1D")},
    {AN_SIG_RSA_PKCS1, AN_RIPEMD160, ROW_OID("\x2B\x24\x03\x03\x01\x02")},
    {AN_SIG_RSA_PKCS1, AN_SHA3_224, ROW_OID(NIST_SIG "\x0D")},
    {AN_SIG_RSA_PKCS1, AN_SHA3_256, ROW_OID(NIST_SIG "\x0E")},
    {AN_SIG_RSA_PKCS1, AN_SHA3_384, ROW_OID(NIST_SIG "\x0F")},
    {AN_SIG_RSA_PKCS1, AN_SHA3_512, ROW_OID(NIST_SIG "\x10")},
    {AN_SIG_RSA_PKCS1, AN_DIGEST_NONE, ROW_OID(RSA "\x01")},
    {AN_SIG_RSA_PSS, AN_DIGEST_NONE, ROW_OID(RSA "\x0A")},
    {AN_SIG_ECDSA, AN_SHA256, ROW_OID(ECDSA_SHA2 "\x02")},
    {AN_SIG_ECDSA, AN_SHA384, ROW_OID(ECDSA_SHA2 "\x03")},
    {AN_SIG_ECDSA, AN_SHA512, ROW_OID(ECDSA_SHA2 "\x04")},
    {AN_SIG_ECDSA, AN_SHA224, ROW_OID(ECDSA_SHA2 "\x01")},
    {AN_SIG_ECDSA, AN_SHA1, ROW_OID("\x2A\x86\x48\xCE\x3D\x04\x01")},
    {AN_SIG_ECDSA, AN_SHA3_224, ROW_OID(NIST_SIG "\x09")},
    {AN_SIG_ECDSA, AN_SHA3_256, ROW_OID(NIST_SIG "\x0A")},
    {AN_SIG_ECDSA, AN_SHA3_384, ROW_OID(NIST_SIG "\x0B")},
    {AN_SIG_ECDSA, AN_SHA3_512, ROW_OID(NIST_SIG "\x0C")},
    {AN_SIG_ECDSA, AN_DIGEST_NONE, ROW_OID("\x2A\x86\x48\xCE\x3D\x02\x01")},
    {AN_SIG_EDDSA, AN_DIGEST_NONE, ROW_OID("\x2B\x65\x70")},
    {AN_SIG_EDDSA, AN_DIGEST_NONE, ROW_OID("\x2B\x65\x71")},
    {AN_SIG_DSA, AN_SHA1, ROW_OID("\x2A\x86\x48\xCE\x38\x04\x03")},
    {AN_SIG_DSA, AN_SHA224, ROW_OID(NIST_SIG "\x01")},
    {AN_SIG_DSA, AN_SHA256, ROW_OID(NIST_SIG "\x02")},
    {AN_SIG_DSA, AN_SHA384, ROW_OID(NIST_SIG "\x03")},
    {AN_SIG_DSA, AN_SHA512, ROW_OID(NIST_SIG "\x04")},
    {AN_SIG_DSA, AN_DIGEST_NONE, ROW_OID("\x2A\x86\x48\xCE\x38\x04\x01")},
};

static const an_bytes mgf1_oid = ROW_OID(RSA "\x08");

/* OID and parameters (whole, AN_NONE when absent) of an AlgorithmIdentifier. */
static bool
split_algorithm(an_bytes algorithm, an_bytes *ret_oid, an_bytes *ret_params)
{
    an_bytes content;

    *ret_params = AN_NONE;
    if (an_der_take(&algorithm, AN_DER_SEQUENCE, &content, NULL) != AN_OK || algorithm.len != 0)
        return false;
    if (an_der_take(&content, AN_DER_OID, ret_oid, NULL) != AN_OK)
        return false;
    if (content.len == 0)
        return true;
    return an_der_any(&content, NULL, ret_params, NULL, NULL) == AN_OK && content.len == 0;
}

static bool
is_null_or_absent(an_bytes params)
{
    return params.len == 0 || an_bytes_eq(params, AN_LIT("\x05\x00"));
}

static an_code
fail_unknown(an_code code, an_bytes algorithm, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(512);
    an_bytes oid, params;

    if (!split_algorithm(algorithm, &oid, &params))
        AN_FAIL(reterr, code, "malformed AlgorithmIdentifier");
    an_oid_text(oid, &text);
    AN_FAIL(reterr, code, "%.*s", AN_FMT(an_buf_view(&text)));
}

an_code
an_digest_parse(an_bytes algorithm, enum an_digest *ret, struct an_err *reterr)
{
    an_bytes oid, params;

    if (split_algorithm(algorithm, &oid, &params) && is_null_or_absent(params))
        for (size_t i = 0; i < AN_COUNT(digest_table); i++)
            if (an_bytes_eq(oid, digest_table[i].oid)) {
                *ret = digest_table[i].digest;
                return AN_OK;
            }
    return fail_unknown(AN_E_DIGEST_UNKNOWN, algorithm, reterr);
}

/* [0] hash, [1] mask generation, each EXPLICIT AlgorithmIdentifier DEFAULT SHA-1 */
static bool
take_pss_algorithms(an_bytes *in, struct an_scheme *scheme)
{
    an_bytes field, oid, params;

    if (an_der_peek(*in) == AN_DER_CONTEXT_CONSTRUCTED(0)) {
        if (an_der_take(in, AN_DER_CONTEXT_CONSTRUCTED(0), &field, NULL) != AN_OK ||
            an_digest_parse(field, &scheme->digest, NULL) != AN_OK)
            return false;
    }
    if (an_der_peek(*in) == AN_DER_CONTEXT_CONSTRUCTED(1)) {
        if (an_der_take(in, AN_DER_CONTEXT_CONSTRUCTED(1), &field, NULL) != AN_OK ||
            !split_algorithm(field, &oid, &params))
            return false;
        if (!an_bytes_eq(oid, mgf1_oid) || an_digest_parse(params, &scheme->mgf_digest, NULL) != AN_OK)
            return false;
    }
    return true;
}

/* RSASSA-PSS-params (RFC 4055 3.1); absent parameters leave everything at its default. */
static bool
read_pss(an_bytes params, struct an_scheme *scheme)
{
    int64_t salt = 20, trailer = 1;
    an_bytes in, field;

    scheme->digest = scheme->mgf_digest = AN_SHA1;
    if (params.len > 0) {
        if (an_der_take(&params, AN_DER_SEQUENCE, &in, NULL) != AN_OK || !take_pss_algorithms(&in, scheme))
            return false;
        if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(2), &field) &&
            (an_der_int64(&field, &salt, NULL) != AN_OK || field.len != 0))
            return false;
        if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(3), &field) &&
            (an_der_int64(&field, &trailer, NULL) != AN_OK || field.len != 0))
            return false;
        if (in.len != 0)
            return false;
    }
    if (salt < 0 || salt > 4096 || trailer != 1)
        return false;
    scheme->salt_len = (int)salt;
    return true;
}

static const struct scheme_row *
find_scheme(an_bytes oid)
{
    for (size_t i = 0; i < AN_COUNT(scheme_table); i++)
        if (an_bytes_eq(oid, scheme_table[i].oid))
            return &scheme_table[i];
    return NULL;
}

an_code
an_scheme_parse(an_bytes algorithm, enum an_digest cms_digest, struct an_scheme *ret, struct an_err *reterr)
{
    const struct scheme_row *row = NULL;
    struct an_scheme scheme = {0};
    an_bytes oid, params;

    if (split_algorithm(algorithm, &oid, &params))
        row = find_scheme(oid);
    if (row == NULL)
        return fail_unknown(AN_E_SCHEME_UNKNOWN, algorithm, reterr);
    scheme.kind = row->kind;
    scheme.digest = row->digest != AN_DIGEST_NONE || row->kind == AN_SIG_EDDSA ? row->digest : cms_digest;
    if (row->kind == AN_SIG_RSA_PSS && !read_pss(params, &scheme))
        AN_FAIL(reterr, AN_E_SCHEME_UNKNOWN, "RSASSA-PSS parameters");
    /* The plain EC and DSA key identifiers may carry the key's domain parameters: they are the key's affair. */
    if (row->kind == AN_SIG_RSA_PKCS1 || row->kind == AN_SIG_EDDSA)
        if (!is_null_or_absent(params))
            AN_FAIL(reterr, AN_E_SCHEME_UNKNOWN, "parameters where none belong");
    if (scheme.digest == AN_DIGEST_NONE && scheme.kind != AN_SIG_EDDSA)
        return fail_unknown(AN_E_SCHEME_UNKNOWN, algorithm, reterr);
    *ret = scheme;
    return AN_OK;
}

static void
write_digest(struct an_der_out *out, enum an_digest digest, bool with_null)
{
    size_t i = 0;

    while (i + 1 < AN_COUNT(digest_table) && digest_table[i].digest != digest)
        i++;
    AN_ASSERT(digest_table[i].digest == digest);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put(out, AN_DER_OID, digest_table[i].oid);
    if (with_null)
        an_der_put_null(out);
    an_der_close(out);
}

/* RFC 5754 2: parameters absent */
void
an_digest_write(struct an_der_out *out, enum an_digest digest)
{
    write_digest(out, digest, false);
}

void
an_digest_write_null(struct an_der_out *out, enum an_digest digest)
{
    write_digest(out, digest, true);
}

static void
write_pss_params(struct an_der_out *out, const struct an_scheme *scheme)
{
    enum an_digest mgf = scheme->mgf_digest != AN_DIGEST_NONE ? scheme->mgf_digest : scheme->digest;
    int64_t salt = scheme->salt_len >= 0 ? scheme->salt_len : (int64_t)an_digest_size(scheme->digest);

    an_der_open(out, AN_DER_SEQUENCE);
    if (scheme->digest != AN_SHA1) {
        an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
        an_digest_write_null(out, scheme->digest);
        an_der_close(out);
    }
    if (mgf != AN_SHA1) {
        an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(1));
        an_der_open(out, AN_DER_SEQUENCE);
        an_der_put(out, AN_DER_OID, mgf1_oid);
        an_digest_write_null(out, mgf);
        an_der_close(out);
        an_der_close(out);
    }
    if (salt != 20) {
        an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(2));
        an_der_put_int(out, salt);
        an_der_close(out);
    }
    an_der_close(out);
}

/* The row to write; NULL when the digest does not go with the kind. */
static const struct scheme_row *
find_row(const struct an_scheme *scheme)
{
    bool digest_elsewhere = scheme->kind == AN_SIG_RSA_PSS || scheme->kind == AN_SIG_EDDSA;

    if (scheme->kind == AN_SIG_UNKNOWN || (scheme->digest == AN_DIGEST_NONE && scheme->kind != AN_SIG_EDDSA))
        return NULL;
    for (size_t i = 0; i < AN_COUNT(scheme_table); i++)
        if (scheme_table[i].kind == scheme->kind && (digest_elsewhere || scheme_table[i].digest == scheme->digest))
            return &scheme_table[i];
    return NULL;
}

static void
write_scheme(struct an_der_out *out, const struct an_scheme *scheme, an_bytes oid)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put(out, AN_DER_OID, oid);
    if (scheme->kind == AN_SIG_RSA_PSS)
        write_pss_params(out, scheme);
    else if (scheme->kind == AN_SIG_RSA_PKCS1)
        an_der_put_null(out);
    an_der_close(out);
}

bool
an_scheme_can_write(const struct an_scheme *scheme)
{
    return find_row(scheme) != NULL;
}

void
an_scheme_write(struct an_der_out *out, const struct an_scheme *scheme)
{
    AN_ASSERT(an_scheme_can_write(scheme));
    write_scheme(out, scheme, find_row(scheme)->oid);
}

void
an_scheme_write_for(struct an_der_out *out, const struct an_scheme *scheme, enum an_key_kind key)
{
    if (scheme->kind == AN_SIG_EDDSA && key == AN_KEY_ED448)
        write_scheme(out, scheme, AN_LIT("\x2B\x65\x71"));
    else
        an_scheme_write(out, scheme);
}
