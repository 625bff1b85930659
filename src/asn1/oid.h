/*
 * Object identifiers as content octets, for comparison by memcmp where a dotted form would have to be converted
 * each time. The dotted form stands behind each row.
 */
#pragma once

#include "asn1/der.h"

/* certificate and CRL extensions (RFC 5280, 2.5.29.n) */
#define AN_OID_SKI AN_LIT("\x55\x1D\x0E")
#define AN_OID_KEY_USAGE AN_LIT("\x55\x1D\x0F")
#define AN_OID_SUBJECT_ALT_NAME AN_LIT("\x55\x1D\x11")
#define AN_OID_ISSUER_ALT_NAME AN_LIT("\x55\x1D\x12")
#define AN_OID_BASIC_CONSTRAINTS AN_LIT("\x55\x1D\x13")
#define AN_OID_CRL_NUMBER AN_LIT("\x55\x1D\x14")
#define AN_OID_REASON_CODE AN_LIT("\x55\x1D\x15")
#define AN_OID_HOLD_INSTRUCTION AN_LIT("\x55\x1D\x17")
#define AN_OID_INVALIDITY_DATE AN_LIT("\x55\x1D\x18")
#define AN_OID_DELTA_CRL AN_LIT("\x55\x1D\x1B")
#define AN_OID_ISSUING_POINT AN_LIT("\x55\x1D\x1C")
#define AN_OID_CERTIFICATE_ISSUER AN_LIT("\x55\x1D\x1D")
#define AN_OID_NAME_CONSTRAINTS AN_LIT("\x55\x1D\x1E")
#define AN_OID_CRL_POINTS AN_LIT("\x55\x1D\x1F")
#define AN_OID_CERTIFICATE_POLICIES AN_LIT("\x55\x1D\x20")
#define AN_OID_POLICY_MAPPINGS AN_LIT("\x55\x1D\x21")
#define AN_OID_AKI AN_LIT("\x55\x1D\x23")
#define AN_OID_POLICY_CONSTRAINTS AN_LIT("\x55\x1D\x24")
#define AN_OID_EXT_KEY_USAGE AN_LIT("\x55\x1D\x25")
#define AN_OID_FRESHEST_CRL AN_LIT("\x55\x1D\x2E")
#define AN_OID_INHIBIT_ANY_POLICY AN_LIT("\x55\x1D\x36")
#define AN_OID_AIA AN_LIT("\x2B\x06\x01\x05\x05\x07\x01\x01")           /* 1.3.6.1.5.5.7.1.1 */
#define AN_OID_NETSCAPE_PREFIX AN_LIT("\x60\x86\x48\x01\x86\xF8\x42\x01") /* 2.16.840.1.113730.1 */

/* names */
#define AN_OID_CN AN_LIT("\x55\x04\x03")
#define AN_OID_COUNTRY AN_LIT("\x55\x04\x06")
#define AN_OID_EMAIL AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x01") /* 1.2.840.113549.1.9.1 */

#define AN_OID_UPN AN_LIT("\x2B\x06\x01\x04\x01\x82\x37\x14\x02\x03")      /* 1.3.6.1.4.1.311.20.2.3 */
#define AN_OID_UTF8_MAILBOX AN_LIT("\x2B\x06\x01\x05\x05\x07\x08\x09")   /* 1.3.6.1.5.5.7.8.9, RFC 9598 */

/* OCSP (RFC 6960, 1.3.6.1.5.5.7.48.1.n) */
#define AN_OID_OCSP_BASIC AN_LIT("\x2B\x06\x01\x05\x05\x07\x30\x01\x01")
#define AN_OID_OCSP_NONCE AN_LIT("\x2B\x06\x01\x05\x05\x07\x30\x01\x02")
#define AN_OID_OCSP_ARCHIVE_CUTOFF AN_LIT("\x2B\x06\x01\x05\x05\x07\x30\x01\x06")

/* CMS and its attributes (1.2.840.113549.1.7.n, .1.9.n, .1.9.16.n.n) */
#define AN_OID_DATA AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01")
#define AN_OID_SIGNED_DATA AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02")
#define AN_OID_CONTENT_TYPE AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x03")
#define AN_OID_MESSAGE_DIGEST AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x04")
#define AN_OID_SIGNING_TIME AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x05")
#define AN_OID_TST_INFO AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x04")
#define AN_OID_SIGNING_CERT AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x02\x0C")
#define AN_OID_SIGNATURE_TIMESTAMP AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x02\x0E")
#define AN_OID_CERT_VALUES AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x02\x17")
#define AN_OID_REVOCATION_VALUES AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x02\x18")
#define AN_OID_SIGNING_CERT_V2 AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x02\x2F")
#define AN_OID_ADBE_REVOCATION AN_LIT("\x2A\x86\x48\x86\xF7\x2F\x01\x01\x08") /* 1.2.840.113583.1.1.8 */
#define AN_OID_RI_OCSP AN_LIT("\x2B\x06\x01\x05\x05\x07\x10\x02")           /* 1.3.6.1.5.5.7.16.2 */
