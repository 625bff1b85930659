/* Evidence records: for themselves, for containers, and inside signatures. */
#pragma once

#include "proc/xml.h"
#include "verify/cms_reader.h"

/* A data object: its bytes, or its digests when it is no one run of bytes. */
struct an_ers_object { an_bytes bytes; const struct an_xml_digest *digests; size_t digest_count; };

/* RFC 4998 as the same tree that RFC 6283 gives; false when it is malformed. Lives in the arena. */
bool an_ers_parse(an_bytes der, struct an_arena *arena, struct an_ers *ret); /* record_der.c */

/* The data group; none = not given, which proves nothing. digest: of the manifest that names it, AN_DIGEST_NONE = no
 * manifest; the record must begin with the same (EN 319 162-1, A.7). */
struct an_record_data { const an_bytes *objects; size_t count; enum an_digest digest; };
/* A row of the report, a time-stamp in kind. record: DER, or XML with xml set. */
an_code an_record_verify_object(struct an_job *job, an_bytes record, bool xml, const struct an_record_data *data,
                                struct an_err *reterr) AN_MUST_USE;
/* Do the first hash trees hold these objects? For choosing among several ways to encode what was sealed. */
bool an_record_holds(const struct an_ers *ers, const struct an_ers_object *objects, size_t count);
/* A record inside a signature: its time-stamps become archive time-stamps of the signature, and prove what it covers.
 * covered may be NULL. */
void an_record_seal(struct an_case *sig, const struct an_ers *ers, const struct an_ers_object *objects, size_t count,
                    const struct an_material *covered);
/* Those of a CMS signer (RFC 4998, appendix A; TS 119 122-3): record_cms.c. content: what was signed, NULL = as input
 * says. */
void an_record_read_cms(const struct an_cms_input *input, size_t at, struct an_case *sig,
                        const struct an_ers_object *content);
