/*
 * Protection of CMP messages: a code keyed by a secret that both know (PBM, RFC 4210 5.1.3.1; PBMAC1, RFC 9481 6.1.2),
 * or a signature (5.1.3.3). Iterations are bounded both ways: too few protect nothing, too many are an attack on us.
 */
#include "enrol/internal.h"

#define OID_PBM AN_LIT("\x2A\x86\x48\x86\xF6\x7D\x07\x42\x0D")    /* 1.2.840.113533.7.66.13 */
#define OID_PBMAC1 AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0E") /* 1.2.840.113549.1.5.14 */
#define OID_PBKDF2 AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0C") /* 1.2.840.113549.1.5.12 */

#define ROW_OID(octets) {(const uint8_t *)(octets), sizeof(octets) - 1}
#define HMAC_NEW "\x2A\x86\x48\x86\xF7\x0D\x02" /* 1.2.840.113549.2 */
static const struct mac_row { an_bytes oid; enum an_digest digest; const char *dotted; bool is_old; } mac_table[] = {
    {ROW_OID(HMAC_NEW "\x09"), AN_SHA256, "1.2.840.113549.2.9", false},
    {ROW_OID(HMAC_NEW "\x0A"), AN_SHA384, "1.2.840.113549.2.10", false},
    {ROW_OID(HMAC_NEW "\x0B"), AN_SHA512, "1.2.840.113549.2.11", false},
    {ROW_OID(HMAC_NEW "\x07"), AN_SHA1, "1.2.840.113549.2.7", false},
    {ROW_OID("\x2B\x06\x01\x05\x05\x08\x01\x02"), AN_SHA1, "1.3.6.1.5.5.8.1.2", true},
};

static bool
split(an_bytes algorithm, an_bytes *ret_oid, an_bytes *ret_rest)
{
    an_bytes in;

    if (an_der_take(&algorithm, AN_DER_SEQUENCE, &in, NULL) != AN_OK || algorithm.len != 0 ||
        an_der_take(&in, AN_DER_OID, ret_oid, NULL) != AN_OK)
        return false;
    *ret_rest = in;
    return true;
}

static const struct mac_row *
find_mac(an_bytes algorithm)
{
    an_bytes oid, rest;

    if (split(algorithm, &oid, &rest) && (rest.len == 0 || an_bytes_eq(rest, AN_LIT("\x05\x00"))))
        for (size_t i = 0; i < AN_COUNT(mac_table); i++)
            if (an_bytes_eq(mac_table[i].oid, oid))
                return &mac_table[i];
    return NULL;
}

static const char *
mac_oid(enum an_digest digest, bool is_old)
{
    for (size_t i = 0; i < AN_COUNT(mac_table); i++)
        if (mac_table[i].digest == digest && mac_table[i].is_old == is_old)
            return mac_table[i].dotted;
    return mac_table[0].dotted;
}

bool
an_cmp_is_mac(an_bytes algorithm)
{
    an_bytes oid, rest;

    return split(algorithm, &oid, &rest) && (an_bytes_eq(oid, OID_PBM) || an_bytes_eq(oid, OID_PBMAC1));
}

static an_code
check_bounds(const struct an_cmp_mac *mac, struct an_err *reterr)
{
    if (mac->salt.len < AN_LIMIT_CMP_SALT_MIN || mac->salt.len > AN_LIMIT_CMP_SALT_MAX)
        AN_FAIL(reterr, AN_E_CMP_ALGORITHM, "salt: %zu byte", mac->salt.len);
    if (mac->rounds < AN_LIMIT_CMP_ROUNDS_MIN || mac->rounds > AN_LIMIT_CMP_ROUNDS_MAX)
        AN_FAIL(reterr, AN_E_CMP_ALGORITHM, "iterationCount: %lld", (long long)mac->rounds);
    return AN_OK;
}

/* PBMParameter ::= SEQUENCE { salt, owf, iterationCount, mac }. The one-way function must resist; HMAC-SHA-1 still does
 * as a code, and is what clients send unless told otherwise. */
static an_code
read_pbm(an_bytes rest, struct an_cmp_mac *ret, struct an_err *reterr)
{
    const struct mac_row *row;
    an_bytes in, owf, mac;

    if (an_der_take(&rest, AN_DER_SEQUENCE, &in, NULL) != AN_OK || rest.len != 0 ||
        an_der_take(&in, AN_DER_OCTET_STRING, &ret->salt, NULL) != AN_OK ||
        an_der_take_whole(&in, AN_DER_SEQUENCE, &owf, NULL) != AN_OK ||
        an_der_int64(&in, &ret->rounds, NULL) != AN_OK || an_der_take_whole(&in, AN_DER_SEQUENCE, &mac,
                NULL) != AN_OK || in.len != 0)
        AN_FAIL(reterr, AN_E_CMP_PARSE, "PBMParameter");
    row = find_mac(mac);
    if (row == NULL || an_digest_parse(owf, &ret->owf, NULL) != AN_OK ||
        (ret->owf != AN_SHA256 && ret->owf != AN_SHA384 && ret->owf != AN_SHA512))
        AN_FAIL(reterr, AN_E_CMP_ALGORITHM, "PBMParameter: owf, mac");
    ret->mac = row->digest;
    ret->is_old_oid = row->is_old;
    return check_bounds(ret, reterr);
}

static an_code
read_pbkdf2(an_bytes algorithm, struct an_cmp_mac *ret, struct an_err *reterr)
{
    const struct mac_row *row = NULL;
    an_bytes oid, in, prf;
    int64_t len = 0;

    if (!split(algorithm, &oid, &in) || !an_bytes_eq(oid, OID_PBKDF2) ||
        an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_OCTET_STRING, &ret->salt, NULL) != AN_OK ||
        an_der_int64(&in, &ret->rounds, NULL) != AN_OK)
        AN_FAIL(reterr, AN_E_CMP_PARSE, "PBKDF2-params");
    if (an_der_peek(in) == AN_DER_INTEGER && an_der_int64(&in, &len, NULL) != AN_OK)
        AN_FAIL(reterr, AN_E_CMP_PARSE, "PBKDF2-params: keyLength");
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &prf, NULL) == AN_OK)
        row = find_mac(prf); /* absent: HMAC-SHA-1, not taken */
    if (in.len != 0 || row == NULL || row->digest == AN_SHA1 || len < 16 || len > AN_DIGEST_MAX)
        AN_FAIL(reterr, AN_E_CMP_ALGORITHM, "PBKDF2: prf, keyLength"); /* RFC 9579 4: the length must be said */
    ret->owf = row->digest;
    ret->key_len = (size_t)len;
    return AN_OK;
}

static an_code
read_pbmac1(an_bytes rest, struct an_cmp_mac *ret, struct an_err *reterr)
{
    const struct mac_row *row;
    an_bytes in, kdf, mac;

    if (an_der_take(&rest, AN_DER_SEQUENCE, &in, NULL) != AN_OK || rest.len != 0 ||
        an_der_take_whole(&in, AN_DER_SEQUENCE, &kdf, NULL) != AN_OK ||
        an_der_take_whole(&in, AN_DER_SEQUENCE, &mac, NULL) != AN_OK ||
        in.len != 0)
        AN_FAIL(reterr, AN_E_CMP_PARSE, "PBMAC1-params");
    ret->is_pbmac1 = true;
    AN_TRY(read_pbkdf2(kdf, ret, reterr));
    row = find_mac(mac);
    if (row == NULL || row->digest == AN_SHA1)
        AN_FAIL(reterr, AN_E_CMP_ALGORITHM, "PBMAC1: messageAuthScheme");
    ret->mac = row->digest;
    return check_bounds(ret, reterr);
}

an_code
an_cmp_mac_read(an_bytes algorithm, struct an_cmp_mac *ret, struct an_err *reterr)
{
    an_bytes oid, rest;

    *ret = (struct an_cmp_mac){0};
    if (!split(algorithm, &oid, &rest))
        AN_FAIL(reterr, AN_E_CMP_PARSE, "protectionAlg");
    return an_bytes_eq(oid, OID_PBMAC1) ? read_pbmac1(rest, ret, reterr) : read_pbm(rest, ret, reterr);
}

static void
put_mac_algorithm(struct an_der_out *out, enum an_digest digest, bool is_old)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_oid(out, mac_oid(digest, is_old));
    an_der_put_null(out);
    an_der_close(out);
}

void
an_cmp_mac_write(struct an_der_out *out, const struct an_cmp_mac *mac)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_oid(out, mac->is_pbmac1 ? "1.2.840.113549.1.5.14" : "1.2.840.113533.7.66.13");
    an_der_open(out, AN_DER_SEQUENCE);
    if (mac->is_pbmac1) {
        an_der_open(out, AN_DER_SEQUENCE);
        an_der_put_oid(out, "1.2.840.113549.1.5.12");
        an_der_open(out, AN_DER_SEQUENCE);
        an_der_put(out, AN_DER_OCTET_STRING, mac->salt);
        an_der_put_int(out, mac->rounds);
        an_der_put_int(out, (int64_t)mac->key_len);
        put_mac_algorithm(out, mac->owf, false);
        an_der_close(out);
        an_der_close(out);
    } else {
        an_der_put(out, AN_DER_OCTET_STRING, mac->salt);
        an_digest_write(out, mac->owf);
        an_der_put_int(out, mac->rounds);
    }
    put_mac_algorithm(out, mac->mac, mac->is_old_oid);
    an_der_close(out);
    an_der_close(out);
}

/* BASEKEY: the one-way function applied again and again, first to secret and salt. */
static void
derive_pbm(const struct an_cmp_mac *mac, const struct an_secret *secret, uint8_t key[static AN_DIGEST_MAX])
{
    struct an_hash *hash = an_hash_new(mac->owf);

    an_hash_update(hash, an_secret_bytes(secret));
    an_hash_update(hash, mac->salt);
    an_hash_final(hash, key);
    for (int64_t i = 1; i < mac->rounds; i++) {
        an_hash_update(hash, AN_BYTES(key, an_digest_size(mac->owf)));
        an_hash_final(hash, key);
    }
    an_hash_free(&hash);
}

an_code
an_cmp_mac_make(const struct an_cmp_mac *mac, const struct an_secret *secret, an_bytes part,
                uint8_t ret_code[static AN_DIGEST_MAX],
                struct an_err *reterr)
{
    uint8_t key[AN_DIGEST_MAX];
    size_t len = mac->is_pbmac1 ? mac->key_len : an_digest_size(mac->owf);

    if (mac->is_pbmac1)
        AN_TRY(an_pbkdf2(mac->owf, an_secret_bytes(secret), mac->salt, mac->rounds, key, len, reterr));
    else
        derive_pbm(mac, secret, key);
    an_hmac(mac->mac, AN_BYTES(key, len), part, ret_code);
    an_wipe(key, sizeof(key));
    return AN_OK;
}

/* ---- checking ---- */
/*
 * A reference travels in the clear, and the rounds are the sender's choice: whoever overheard one could have every
 * thread of ours hash for him. So no more rounds are in hand at a time than one message may ask for: codes of usual
 * clients are checked by the hundred meanwhile, and a stranger gets one core at most.
 */
static int64_t rounds_in_hand; /* atomic */

static an_code
check_code(const struct an_cmp_guard *guard, an_bytes part, uint8_t ret_code[static AN_DIGEST_MAX],
           struct an_err *reterr)
{
    an_code code = AN_OK;

    if (__atomic_add_fetch(&rounds_in_hand, guard->mac.rounds, __ATOMIC_ACQ_REL) > AN_LIMIT_CMP_ROUNDS_MAX)
        code = an_err_set(reterr, AN_E_CMP_BUSY, "iterationCount: %lld", (long long)guard->mac.rounds);
    else
        code = an_cmp_mac_make(&guard->mac, guard->secret, part, ret_code, reterr);
    __atomic_sub_fetch(&rounds_in_hand, guard->mac.rounds, __ATOMIC_ACQ_REL);
    return code;
}

static an_code
check_mac(const struct an_enrol_host *host, const struct an_cmp_message *message, an_bytes part, an_time now,
          struct an_cmp_guard *ret,
          struct an_err *reterr)
{
    uint8_t code[AN_DIGEST_MAX];
    an_code checked;

    AN_TRY(an_cmp_mac_read(message->algorithm, &ret->mac, reterr));
    if (message->sender_kid.len == 0 || message->sender_kid.len > AN_LIMIT_ENROL_REFERENCE)
        AN_FAIL(reterr, AN_E_ENROL_REFERENCE, "senderKID");
    ret->party.reference = message->sender_kid;
    AN_TRY(host->find_secret(host->context, message->sender_kid, now, &ret->secret, reterr));
    checked = check_code(ret, part, code, reterr);
    ret->party.is_proved = checked == AN_OK && an_bytes_eq_secret(message->protection,
                                                                  AN_BYTES(code, an_digest_size(ret->mac.mac)));
    if (ret->party.is_proved)
        return AN_OK;
    an_secret_free(&ret->secret); /* an answer protected by it would let strangers try secrets at leisure */
    AN_TRY(checked);
    AN_FAIL(reterr, AN_E_CMP_PROTECTION, "%s", ret->mac.is_pbmac1 ? "PBMAC1" : "PBM");
}

/* The signer's certificate is the first of extraCerts (RFC 4210 5.1.3.3, RFC 9483 3.3); it must fit sender and
 * senderKID. */
static an_code
check_signature(const struct an_enrol_host *host, const struct an_cmp_message *message, an_bytes part, an_time now,
                struct an_cmp_guard *ret, struct an_err *reterr)
{
    struct an_scheme scheme = {0};
    struct an_cert *cert;

    if (message->certs.count == 0)
        AN_FAIL(reterr, AN_E_ENROL_SIGNER, "extraCerts");
    cert = message->certs.items[0];
    if (message->sender_name.len == 0 || !an_name_eq(message->sender_name, cert->subject))
        AN_FAIL(reterr, AN_E_ENROL_SIGNER, "sender");
    if (message->sender_kid.len > 0 && cert->ski.len > 0 && !an_bytes_eq(message->sender_kid, cert->ski))
        AN_FAIL(reterr, AN_E_ENROL_SIGNER, "senderKID");
    if (an_scheme_parse(message->algorithm, AN_DIGEST_NONE, &scheme, NULL) != AN_OK || scheme.digest == AN_SHA1 ||
        scheme.digest == AN_MD5)
        AN_FAIL(reterr, AN_E_CMP_ALGORITHM, "protectionAlg");
    if (an_cert_key(cert) == NULL || !an_pubkey_verify_message(an_cert_key(cert), &scheme, part, message->protection))
        AN_FAIL(reterr, AN_E_CMP_PROTECTION, "signature");
    if (cert->has_key_usage && (cert->key_usage & (AN_KU_DIGITAL_SIGNATURE | AN_KU_NON_REPUDIATION)) == 0)
        AN_FAIL(reterr, AN_E_ENROL_SIGNER, "keyUsage");
    ret->cert = an_cert_ref(cert);
    ret->party.cert = ret->cert;
    AN_TRY(host->check_cert(host->context, cert, now, reterr));
    ret->party.is_proved = true;
    return AN_OK;
}

an_code
an_cmp_check_protection(const struct an_enrol_host *host, const struct an_cmp_message *message, an_time now,
                        struct an_cmp_guard *ret,
                        struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf part = an_buf_new(AN_LIMIT_CMP_BYTES + 16);

    if (message->algorithm.len == 0 || message->protection.len == 0)
        AN_FAIL(reterr, AN_E_CMP_UNPROTECTED, "protection");
    an_cmp_protected_part(message->header_whole, message->body_whole, &part);
    if (an_cmp_is_mac(message->algorithm))
        return check_mac(host, message, an_buf_view(&part), now, ret, reterr);
    return check_signature(host, message, an_buf_view(&part), now, ret, reterr);
}

void
an_cmp_guard_done(struct an_cmp_guard *guard)
{
    an_cert_unref(&guard->cert);
    an_secret_free(&guard->secret);
}
