/*
 * DER (X.690) reading and writing. A cursor is an an_bytes that shrinks as values are taken from its front; nothing is
 * copied. Reading accepts definite lengths only, minimal where DER says so; an_ber_to_der normalises BER first.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/time.h"

#define AN_DER_BOOLEAN 0x01
#define AN_DER_INTEGER 0x02
#define AN_DER_BIT_STRING 0x03
#define AN_DER_OCTET_STRING 0x04
#define AN_DER_NULL 0x05
#define AN_DER_OID 0x06
#define AN_DER_ENUMERATED 0x0A
#define AN_DER_UTF8_STRING 0x0C
#define AN_DER_PRINTABLE_STRING 0x13
#define AN_DER_T61_STRING 0x14
#define AN_DER_IA5_STRING 0x16
#define AN_DER_UTC_TIME 0x17
#define AN_DER_GENERALIZED_TIME 0x18
#define AN_DER_UNIVERSAL_STRING 0x1C
#define AN_DER_BMP_STRING 0x1E
#define AN_DER_SEQUENCE 0x30
#define AN_DER_SET 0x31
#define AN_DER_CONTEXT(n) (0x80 | (n))              /* primitive [n] */
#define AN_DER_CONTEXT_CONSTRUCTED(n) (0xA0 | (n))  /* constructed [n] */

/* ---- reading: each takes one value off the front of *in ---- */
/* tag of the next value; -1 when *in is empty. */
int an_der_peek(an_bytes in);
/* The next value, whatever it is: whole = with header, value = content. */
an_code an_der_any(an_bytes *in, int *ret_tag, an_bytes *ret_whole, an_bytes *ret_value,
                   struct an_err *reterr) AN_MUST_USE;
/* The content of a value with this tag. AN_E_DER_TAG when another stands there. */
an_code an_der_take(an_bytes *in, int tag, an_bytes *ret_value, struct an_err *reterr) AN_MUST_USE;
/* As above with the header kept. */
an_code an_der_take_whole(an_bytes *in, int tag, an_bytes *ret_whole, struct an_err *reterr) AN_MUST_USE;
/* True and taken when the next value has the tag; false (and nothing taken) otherwise or when malformed. */
bool an_der_try(an_bytes *in, int tag, an_bytes *ret_value);
an_code an_der_end(an_bytes in, struct an_err *reterr) AN_MUST_USE; /* AN_E_DER_TRAILING when not empty */
an_code an_der_int64(an_bytes *in, int64_t *ret, struct an_err *reterr) AN_MUST_USE;
an_code an_der_integer(an_bytes *in, an_bytes *ret_content, struct an_err *reterr) AN_MUST_USE; /* any size, content */
an_code an_der_bool(an_bytes *in, bool *ret, struct an_err *reterr) AN_MUST_USE;
/* BIT STRING: content without the count of unused bits. */
an_code an_der_bits(an_bytes *in, an_bytes *ret_bits, unsigned *ret_unused, struct an_err *reterr) AN_MUST_USE;
/* UTCTime or GeneralizedTime, as RFC 5280 4.1.2.5 and RFC 3161 write them (fractions accepted, ignored). */
an_code an_der_time(an_bytes *in, an_time *ret, struct an_err *reterr) AN_MUST_USE;
/* Any character string type as UTF-8 appended to out. */
an_code an_der_text(an_bytes *in, struct an_buf *out, struct an_err *reterr) AN_MUST_USE;

/* Indefinite lengths, constructed strings and long lengths of BER become DER; input already DER is copied as is. */
an_code an_ber_to_der(an_bytes ber, struct an_buf *out, struct an_err *reterr) AN_MUST_USE;
/* The same for the first value only; *in moves past it. */
an_code an_ber_take(an_bytes *in, struct an_buf *out, struct an_err *reterr) AN_MUST_USE;
/* Next block from *at of a file that is PEM (any label) or DER values one after the other (label ""); appended to
 * ret_der. False at the end, with *at == text.len, and at a damaged PEM block, with *at at its first dash; behind DER
 * values anything but white space is damage too, with *at at its first octet. */
bool an_pem_next(an_bytes text, size_t *at, struct an_buf *ret_der, char ret_label[static 64]);
/* One block appended to out, in lines of 64 (RFC 7468). */
void an_pem_write(struct an_buf *out, const char *label, an_bytes der);

/* ---- object identifiers: compared by their content octets; asn1/oid.h has the common ones ready ---- */
#define AN_OID_MAX 128 /* content octets of an identifier given as text */
/* Content octets without an allocation; 0 when malformed. */
size_t an_oid_encode(const char *dotted, uint8_t ret[static AN_OID_MAX]);
bool an_oid_eq(an_bytes content, const char *dotted);          /* slow: for tables use an_oid_bytes */
/* Content octets of a dotted OID; false when malformed. */
bool an_oid_bytes(const char *dotted, struct an_buf *out);
void an_oid_text(an_bytes content, struct an_buf *out);        /* "1.2.840…" */

/* ---- writing: nested values are closed in reverse order; lengths are fixed up when closed ---- */
struct an_der_out {
    struct an_buf *buf;
    size_t starts[AN_LIMIT_DER_OUT_DEPTH];
    size_t depth;
};
#define AN_DER_OUT(buffer) ((struct an_der_out){.buf = (buffer)})
/* Size of a value with a one-octet tag and content of this length. */
size_t an_der_size(size_t content_len);
void an_der_put_header(struct an_der_out *out, int tag, size_t content_len); /* when the length is known beforehand */
void an_der_open(struct an_der_out *out, int tag);
void an_der_close(struct an_der_out *out);
void an_der_put(struct an_der_out *out, int tag, an_bytes content);
void an_der_put_raw(struct an_der_out *out, an_bytes whole); /* already encoded */
void an_der_put_oid(struct an_der_out *out, const char *dotted);
void an_der_put_int(struct an_der_out *out, int64_t value);
void an_der_put_unsigned(struct an_der_out *out, an_bytes big_endian); /* strips zeros, adds the sign octet */
void an_der_put_bool(struct an_der_out *out, bool value);
void an_der_put_null(struct an_der_out *out);
void an_der_put_bits(struct an_der_out *out, an_bytes bits, unsigned unused);
void an_der_put_utf8(struct an_der_out *out, const char *text);
void an_der_put_time(struct an_der_out *out, an_time when); /* UTCTime before 2050, else GeneralizedTime */
void an_der_put_generalized(struct an_der_out *out, an_time when);
