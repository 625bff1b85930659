/* Which object versions mention a number: the index behind the change analysis. Private to the room. */
#pragma once

#include "pdf/internal.h"

/* One version of an object (or a trailer: from = 0, spot.offset = revision) that mentions a number. */
struct an_pdf_mention { uint32_t from; struct an_pdf_spot spot; };
AN_VEC(an_pdf_mention_vec, struct an_pdf_mention);

/* Builds the index once: every mention of a number that revisions after the first list, or that their objects mention.
 * Linear in the number of objects, independent of stream sizes. */
an_code an_pdf_refs_build(struct an_pdf *pdf, struct an_err *reterr) AN_MUST_USE;
void an_pdf_refs_free(struct an_pdf_refs **refs);
/* What is remembered between analyses of one file: paths in the newest state, faults of a revision's layout. */
const char *an_pdf_refs_path(const struct an_pdf *pdf, uint32_t num); /* NULL when not known yet */
void an_pdf_refs_keep_path(struct an_pdf *pdf, uint32_t num, const char *path);
struct an_pdf_layout_fault { an_code why; uint32_t num; uint64_t offset; };
AN_VEC(an_pdf_layout_fault_vec, struct an_pdf_layout_fault);
/* The list of a revision; is_known says whether it has been filled. */
struct an_pdf_layout_fault_vec *an_pdf_refs_layout(struct an_pdf *pdf, size_t revision, bool *ret_known);
/* Mentions of a number in any revision; NULL when none (or the number is not of interest). */
const struct an_pdf_mention_vec *an_pdf_refs_of(const struct an_pdf *pdf, uint32_t num);
/* Whether a mention belongs to the version that is current in a revision. */
bool an_pdf_mention_is_current(struct an_pdf *pdf, const struct an_pdf_mention *mention, size_t revision);

typedef void an_pdf_ref_fn(void *user, uint32_t num);
/* Calls for every reference in an object, at any depth. */
void an_pdf_each_ref(const struct an_pdf_obj *obj, an_pdf_ref_fn *fn, void *user);
bool an_pdf_mentions(const struct an_pdf_obj *obj, uint32_t num);
bool an_pdf_spot_equal(const struct an_pdf_spot *a, const struct an_pdf_spot *b);
