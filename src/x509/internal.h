/* What the files of this room share. */
#pragma once

#include "asn1/oid.h"
#include "x509/status.h"

/* ---- names ---- */
/* One step through a Name's content: false at the end or when malformed. */
bool an_x509_next_rdn(an_bytes *rdns, an_bytes *ret_rdn);
bool an_x509_next_ava(an_bytes *rdn, an_bytes *ret_oid, an_bytes *ret_value_whole);
/* SEQUENCE OF (non-empty SET OF (SEQUENCE of OID, value)), nothing else. */
bool an_x509_name_is_sound(an_bytes name);
/* The content of the GeneralName with this tag, the next from *names on; false when there is none left. */
bool an_x509_next_general_name(an_bytes *names, int tag, an_bytes *ret);

/* ---- extensions ---- */
/*
 * Reads the content of Extensions into *items: room for few is given by the caller, more are allocated, and then
 * *ret_items differs from few. AN_OK, or code (malformed) or twice (an extension repeated), with detail set.
 */
struct an_x509_ext_codes { an_code malformed, twice; };
an_code an_x509_read_extensions(an_bytes content, struct an_extension *few, size_t few_max,
                                struct an_extension **ret_items, size_t *ret_count, struct an_x509_ext_codes codes,
                                struct an_err *reterr);
const struct an_extension *an_x509_find_extension(const struct an_extension *items, size_t count, an_bytes oid);
/* Fills has_key_usage … subject_alt_name of a certificate whose extensions are read. */
an_code an_x509_read_cert_extensions(struct an_cert *cert, struct an_err *reterr);

/* ---- signatures and numbers ---- */
/* signatureValue. One that is not whole octets parses, and then fits no key: a damaged signature is a finding. */
bool an_x509_take_signature(an_bytes *in, an_bytes *ret);

/* Serial numbers without the leading zero octets that some issuers leave out or add. */
static inline an_bytes
an_x509_bare_serial(an_bytes serial)
{
    while (serial.len > 1 && serial.ptr[0] == 0)
        serial = AN_BYTES(serial.ptr + 1, serial.len - 1);
    return serial;
}

/* cert->oddities */
enum {
    AN_CERT_ODD_TIME_TYPE = 1 << 0,
};

/* ---- revocation lists ---- */
/* One entry off the front of revokedCertificates: serial number, and what stands behind it. */
bool an_x509_next_crl_entry(an_bytes *revoked, an_bytes *ret_serial, an_bytes *ret_rest);
bool an_x509_next_entry_extension(an_bytes *in, struct an_extension *ret);
an_bytes an_x509_entry_issuer(an_bytes names);
void an_x509_free_crl_index(void *index);

/* ---- OCSP ---- */
bool an_x509_read_cert_id(an_bytes cert_id, enum an_digest *ret_hash, an_bytes *ret_name, an_bytes *ret_key,
                          an_bytes *ret_serial);
/* Looks through Extensions (whole) for the nonce, and for what is critical and not known; false when malformed. */
bool an_x509_read_nonce(an_bytes extensions, an_bytes *ret_nonce, bool *ret_unknown_critical);
