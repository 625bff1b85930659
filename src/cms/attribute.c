/* The attributes that a check needs: RFC 5652 11, ESS (RFC 2634, 5035). */
#include "cms/internal.h"

const struct an_cms_attribute *
an_cms_attribute_find(const struct an_cms_attribute *attributes, size_t count, const char *dotted_oid)
{
    uint8_t octets[AN_OID_MAX];
    an_bytes oid = AN_BYTES(octets, an_oid_encode(dotted_oid, octets));

    for (size_t i = 0; i < count; i++)
        if (an_bytes_eq(attributes[i].oid, oid))
            return &attributes[i];
    return NULL;
}

an_bytes
an_cms_single_value(const struct an_cms_attribute *attribute)
{
    an_bytes in = attribute->values, whole;

    if (an_der_any(&in, NULL, &whole, NULL, NULL) != AN_OK || in.len != 0)
        return AN_NONE;
    return whole;
}

static bool
read_content_type(struct an_cms_signer *signer, an_bytes value)
{
    return an_der_take(&value, AN_DER_OID, &signer->content_type, NULL) == AN_OK;
}

static bool
read_message_digest(struct an_cms_signer *signer, an_bytes value)
{
    return an_der_take(&value, AN_DER_OCTET_STRING, &signer->message_digest, NULL) == AN_OK;
}

/* A claim that decides nothing: when it cannot be read it is as if it were not there. */
static bool
read_signing_time(struct an_cms_signer *signer, an_bytes value)
{
    if (an_der_time(&value, &signer->signing_time, NULL) != AN_OK)
        signer->signing_time = AN_TIME_NONE;
    return true;
}

/* IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber INTEGER } */
static bool
read_issuer_serial(struct an_cms_signer *signer, an_bytes in)
{
    an_bytes names, name;
    int tag;

    if (in.len == 0)
        return true;
    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_SEQUENCE, &names, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_INTEGER, &signer->ess_serial, NULL) != AN_OK || signer->ess_serial.len == 0)
        return false;
    while (names.len > 0) {
        if (an_der_any(&names, &tag, NULL, &name, NULL) != AN_OK)
            return false;
        if (tag == AN_DER_CONTEXT_CONSTRUCTED(4) && signer->ess_issuer.len == 0)
            signer->ess_issuer = name;
    }
    return true;
}

/* The first ESSCertID names the signer's certificate; those after it restrict the path and are not needed. */
static bool
open_ess(an_bytes value, an_bytes *ret_first)
{
    an_bytes in, certs;

    return an_der_take(&value, AN_DER_SEQUENCE, &in, NULL) == AN_OK &&
           an_der_take(&in, AN_DER_SEQUENCE, &certs, NULL) == AN_OK &&
           an_der_take(&certs, AN_DER_SEQUENCE, ret_first, NULL) == AN_OK;
}

static bool
read_signing_cert(struct an_cms_signer *signer, an_bytes value)
{
    an_bytes id;

    if (signer->ess_hash.len > 0) /* version 2 was read before; both must name one certificate (RFC 5035 6) */
        return open_ess(value, &id) && an_der_take(&id, AN_DER_OCTET_STRING, &signer->ess_hash_v1, NULL) == AN_OK;
    if (!open_ess(value, &id) || an_der_take(&id, AN_DER_OCTET_STRING, &signer->ess_hash, NULL) != AN_OK)
        return false;
    signer->ess_digest = AN_SHA1;
    return read_issuer_serial(signer, id);
}

static bool
read_signing_cert_v2(struct an_cms_signer *signer, an_bytes value)
{
    an_bytes id, algorithm;

    signer->ess_serial = signer->ess_issuer = AN_NONE;
    signer->ess_digest = AN_SHA256;
    if (!open_ess(value, &id))
        return false;
    if (an_der_peek(id) == AN_DER_SEQUENCE) {
        if (an_der_take_whole(&id, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK)
            return false;
        if (an_digest_parse(algorithm, &signer->ess_digest, NULL) != AN_OK)
            signer->ess_digest = AN_DIGEST_NONE;
    }
    return an_der_take(&id, AN_DER_OCTET_STRING, &signer->ess_hash, NULL) == AN_OK && read_issuer_serial(signer, id);
}

static const struct known_attribute {
    an_bytes oid;
    bool (*read)(struct an_cms_signer *signer, an_bytes value);
    const char *name;
} known_table[] = {
#define KNOWN(octets, fn, name) {{(const uint8_t *)(octets), sizeof(octets) - 1}, fn, name}
    KNOWN("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x03", read_content_type, "content-type"),
    KNOWN("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x04", read_message_digest, "message-digest"),
    KNOWN("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x05", read_signing_time, "signing-time"),
    KNOWN("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x02\x2F", read_signing_cert_v2, "signing-certificate-v2"),
    KNOWN("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x02\x0C", read_signing_cert, "signing-certificate"),
#undef KNOWN
};

/* Each of them may stand once, with one value. */
an_code
an_cms_read_attributes(struct an_cms_signer *signer, struct an_err *reterr)
{
    for (size_t k = 0; k < AN_COUNT(known_table); k++) {
        const struct an_cms_attribute *found = NULL;
        for (size_t i = 0; i < signer->attribute_count; i++) {
            if (!an_bytes_eq(signer->attributes[i].oid, known_table[k].oid))
                continue;
            signer->duplicate_attributes = signer->duplicate_attributes || found != NULL;
            found = found != NULL ? found : &signer->attributes[i];
        }
        if (found == NULL)
            continue;
        an_bytes value = an_cms_single_value(found);
        if (value.len == 0 && found->values.len > 0) {
            signer->duplicate_attributes = true;
            continue;
        }
        if (value.len == 0 || !known_table[k].read(signer, value))
            AN_FAIL(reterr, AN_E_CMS_ATTRIBUTE, "%s", known_table[k].name);
    }
    return AN_OK;
}
