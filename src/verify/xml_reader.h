/* Between the readers of XML signatures and of containers: xml.c, xml_stamps.c, hmac.c, asic.c. */
#pragma once

#include "verify/record.h"

struct an_xml_case {
    const struct an_xml_document *document;
    const struct an_xml_signature *signature;
    struct an_case sig;
    struct an_material own;    /* certificates and status that the signature itself carries */
    struct an_cert *key_certs[16]; size_t key_cert_count; /* KeyInfo, borrowed from own */
};
/* All signatures of one document. A container hands in its files; the options' content stands for one that is
 * missing. */
an_code an_xml_verify_object(struct an_job *job, an_bytes xml, const struct an_xml_part *parts, size_t part_count,
                             struct an_err *reterr) AN_MUST_USE;
/* xml_stamps.c */
void an_xml_read_stamps(struct an_xml_case *row);
void an_xml_judge_seals(struct an_xml_case *row); /* evidence records inside the signature; before its time-stamps */
void an_xml_judge_stamps(struct an_xml_case *row);
/* hmac.c: RFC 2104; XML Signature 6.3. bits 0 = not cut. */
bool an_hmac_verify(enum an_digest digest, an_bytes key, an_bytes message, int bits, an_bytes code);
