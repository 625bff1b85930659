/*
 * Evidence records in unsigned attributes of CMS (RFC 4998, appendix A; TS 119 122-3): they cover the ContentInfo as it
 * was before the attribute came, alone (internal) or with the content beside it (external). Which attributes stood
 * there is not written down: the object without any record and the one with the other records are both tried.
 */
#include "verify/record.h"

static const char id_internal[] = "1.2.840.113549.1.9.16.2.49";
static const char id_external[] = "1.2.840.113549.1.9.16.2.50";

#define CUTS_MAX 16 /* attributes with records in one signer */

static bool
is_record(an_bytes oid)
{
    return an_oid_eq(oid, id_internal) || an_oid_eq(oid, id_external);
}

/* ---- the object without some attributes, in the encoding that it has ---- */
struct splice { an_bytes cuts[CUTS_MAX]; size_t count; };

static bool
lies_in(an_bytes part, an_bytes whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

static bool
is_cut(const struct splice *splice, an_bytes element)
{
    for (size_t i = 0; i < splice->count; i++)
        if (lies_in(element, splice->cuts[i]))
            return true;
    return false;
}

static bool
holds_cut(const struct splice *splice, an_bytes element)
{
    for (size_t i = 0; i < splice->count; i++)
        if (lies_in(splice->cuts[i], element))
            return true;
    return false;
}

/* What stands between the header and, when the length was indefinite, the end marker. */
static an_bytes
inside(an_bytes element, bool *ret_indefinite)
{
    size_t header = element.ptr[1] & 0x80 ? 2 + (size_t)(element.ptr[1] & 0x7F) : 2;

    *ret_indefinite = element.ptr[1] == 0x80;
    return an_bytes_slice(element, header, element.len - header - (*ret_indefinite ? 2 : 0));
}

/* Every constructed value around a cut gets its new length; all else is copied as it stands. */
static bool
copy_element(const struct splice *splice, an_bytes element, size_t depth, struct an_buf *out)
{
    struct an_buf kept = an_buf_new(AN_LIMIT_CMS_BYTES);
    struct an_der_out der = AN_DER_OUT(out);
    bool indefinite, ok = true;
    an_bytes rest;

    if (is_cut(splice, element))
        return true;
    if (!holds_cut(splice, element) || depth == AN_LIMIT_DER_DEPTH) {
        an_buf_append(out, element);
        return depth < AN_LIMIT_DER_DEPTH;
    }
    for (rest = inside(element, &indefinite); ok && rest.len;) {
        size_t size = an_ber_size(rest);

        ok = size && copy_element(splice, an_bytes_slice(rest, 0, size), depth + 1, &kept);
        rest = an_bytes_slice(rest, size, rest.len - size);
    }
    if (ok && kept.len && indefinite) {
        an_buf_append(out, AN_BYTES(element.ptr, 2));
        an_buf_append(out, an_buf_view(&kept));
        an_buf_append(out, AN_BYTES("\0\0", 2));
    } else if (ok && kept.len) {
        an_der_put(&der, element.ptr[0], an_buf_view(&kept));
    }
    an_buf_free(&kept);
    return ok && an_buf_ok(out);
}

/* only: the values of the one attribute to leave out; NONE = all records. */
static bool
cut_object(an_bytes object, an_bytes attributes, an_bytes only, struct an_buf *ret)
{
    struct splice splice = {0};
    an_bytes whole, value, oid;
    size_t size, at;
    int tag;

    an_buf_reset(ret);
    while (attributes.len && an_der_any(&attributes, &tag, &whole, &value, NULL) == AN_OK) {
        if (an_der_take(&value, AN_DER_OID, &oid, NULL) != AN_OK || !is_record(oid) ||
            (only.len && an_bytes_find(whole, only, 0) == SIZE_MAX))
            continue;
        at = an_bytes_find(object, whole, 0);
        if (at == SIZE_MAX || splice.count == CUTS_MAX)
            return false;
        splice.cuts[splice.count++] = an_bytes_slice(object, at, whole.len);
    }
    size = an_ber_size(object);
    return splice.count && size && copy_element(&splice, an_bytes_slice(object, 0, size), 0, ret);
}

/* ---- one record ---- */
static struct an_ers_object
content_beside(const struct an_cms_input *input, const struct an_ers_object *content)
{
    if (content)
        return *content;
    if (input->cms->content.ptr)
        return (struct an_ers_object){0};
    return (struct an_ers_object){.bytes = input->content.ptr ? input->content : input->job->options->content};
}

/* Content of [1] unsignedAttrs. */
static an_bytes
attributes_of(const struct an_cms_signer *signer)
{
    an_bytes whole = signer->unsigned_attrs, value = AN_NONE;
    int tag;

    return an_der_any(&whole, &tag, NULL, &value, NULL) == AN_OK ? value : AN_NONE;
}

/* The encoding and the set of attributes under which the record holds the object; without any, the plainest one. */
static void
find_object(const struct an_cms_input *input, const struct an_ers *ers, an_bytes attributes, an_bytes values,
            struct an_ers_object *objects, size_t count, struct an_buf *ret)
{
    const an_bytes encodings[] = {input->cms->der, input->raw}, cuts[] = {AN_NONE, values};

    for (size_t i = 0; i < AN_COUNT(encodings) * AN_COUNT(cuts); i++) {
        if (!encodings[i / 2].len || !cut_object(encodings[i / 2], attributes, cuts[i % 2], ret))
            continue;
        objects[0].bytes = an_buf_view(ret);
        if (an_record_holds(ers, objects, count))
            return;
    }
    if (cut_object(input->cms->der, attributes, AN_NONE, ret))
        objects[0].bytes = an_buf_view(ret);
}

struct sealed { an_bytes values, record; const struct an_ers_object *content; bool is_external; };

static void
seal(const struct an_cms_input *input, const struct an_cms_signer *signer, struct an_case *sig,
     const struct sealed *sealed)
{
    struct an_buf object = an_buf_new(AN_LIMIT_CMS_BYTES);
    struct an_arena *arena = an_arena_new(AN_LIMIT_CMS_BYTES * 2);
    struct an_material covered = {input->cms->certs, input->cms->crls, input->cms->ocsps};
    struct an_ers_object objects[2] = {{.bytes = AN_NONE}, content_beside(input, sealed->content)};
    size_t count = sealed->is_external ? 2 : 1;
    struct an_ers ers;

    if (!an_ers_parse(sealed->record, arena, &ers)) {
        an_finding_add(sig->report, "signature.evidence-record", AN_FINDING_NOTE, AN_V_RECORD_BROKEN, "%s",
                       "EvidenceRecord");
    } else {
        find_object(input, &ers, attributes_of(signer), sealed->values, objects, count, &object);
        /* The content is not here, or the object cannot be put back as it was: what was sealed is not known. */
        if (!objects[0].bytes.ptr || (sealed->is_external && !objects[1].bytes.ptr && !objects[1].digest_count))
            count = 0;
        /* No standard says what a record covers inside a PDF: one that does not match proves nothing, and is no
         * fault. */
        if (sealed->content && !an_record_holds(&ers, objects, count))
            count = 0;
        an_record_seal(sig, &ers, objects, count, &covered);
    }
    an_arena_free(&arena);
    an_buf_free(&object);
}

void
an_record_read_cms(const struct an_cms_input *input, size_t at, struct an_case *sig,
                   const struct an_ers_object *content)
{
    const struct an_cms_signer *signer = &input->cms->signers[at];

    for (size_t i = 0; i < signer->unsigned_count; i++) {
        const struct an_cms_attribute *attribute = &signer->unsigned_attributes[i];
        an_bytes values = attribute->values, whole, value;
        int tag;

        while (is_record(attribute->oid) && values.len && an_der_any(&values, &tag, &whole, &value, NULL) == AN_OK)
            seal(input, signer, sig, &(struct sealed){attribute->values, whole, content,
                                                      an_oid_eq(attribute->oid, id_external)});
    }
}
