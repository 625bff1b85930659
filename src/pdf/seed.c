/*
 * What forbids a signature: permission bits, a certification (DocMDP), locks of earlier signatures (FieldMDP), and the
 * seed values of the field itself (ISO 32000-2, 12.7.5.5, 12.8.2).
 */
#include "pdf/append.h"

#include <inttypes.h>

/* Document time-stamps do not count as changes (ISO 32000-2, table 257, /P). */
static bool
is_document_time_stamp(const struct an_pdf_sign *what)
{
    return strcmp(what->sub_filter, "ETSI.RFC3161") == 0;
}

/* ---- certification ---- */
/* /P of a certification signature in the catalog; 0 = not certified. */
static int64_t
certified_level(struct an_pdf *pdf, const struct an_pdf_obj *catalog, uint32_t *ret_num)
{
    const struct an_pdf_obj *signature =
        an_pdf_at(pdf, AN_PDF_NOW, an_pdf_at(pdf, AN_PDF_NOW, catalog, "Perms"), "DocMDP");
    const struct an_pdf_obj *list = an_pdf_at(pdf, AN_PDF_NOW, signature, "Reference");
    int64_t level = 2; /* the default */

    if (signature->kind != AN_PDF_DICT)
        return 0;
    *ret_num = signature->num;
    for (size_t i = 0; list->kind == AN_PDF_ARRAY && i < list->u.array.count && i < 16; i++) {
        const struct an_pdf_obj *reference = an_pdf_resolve(pdf, AN_PDF_NOW, &list->u.array.items[i]);

        if (an_pdf_is_name(an_pdf_at(pdf, AN_PDF_NOW, reference, "TransformMethod"), "DocMDP"))
            an_pdf_int(an_pdf_at(pdf, AN_PDF_NOW, an_pdf_at(pdf, AN_PDF_NOW, reference, "TransformParams"), "P"),
                       &level);
    }
    return level;
}

/* ---- locks ---- */
static bool
is_in_list(struct an_pdf *pdf, const struct an_pdf_obj *list, an_bytes name)
{
    for (size_t i = 0; list->kind == AN_PDF_ARRAY && i < list->u.array.count; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf item = an_buf_new(1 << 16);

        if (!an_pdf_text_of(an_pdf_resolve(pdf, AN_PDF_NOW, &list->u.array.items[i]), &item))
            continue;
        if (an_bytes_eq(an_buf_view(&item), name) ||
            (an_bytes_starts_with(name, an_buf_view(&item)) && item.len > 0 && name.ptr[item.len] == '.'))
            return true; /* a name also stands for everything below it */
    }
    return false;
}

static bool
is_locked_by(struct an_pdf *pdf, const struct an_pdf_obj *lock, an_bytes name)
{
    const struct an_pdf_obj *action = an_pdf_at(pdf, AN_PDF_NOW, lock, "Action");
    const struct an_pdf_obj *list = an_pdf_at(pdf, AN_PDF_NOW, lock, "Fields");

    if (an_pdf_is_name(action, "Include"))
        return is_in_list(pdf, list, name);
    if (an_pdf_is_name(action, "Exclude"))
        return !is_in_list(pdf, list, name);
    return an_pdf_is_name(action, "All");
}

static an_code
check_locks(struct an_pdf *pdf, const struct an_pdf_survey *survey, const char *name, struct an_err *reterr)
{
    for (size_t i = 0; i < survey->locks.count; i++) {
        const struct an_pdf_lock *lock = &survey->locks.items[i];
        int64_t level = 0;

        if (is_locked_by(pdf, lock->dict, an_bytes_of_str(name)))
            AN_FAIL(reterr, AN_E_PDF_FIELDMDP, "%s, /Lock %s", name, lock->owner);
        if (an_pdf_int(an_pdf_at(pdf, AN_PDF_NOW, lock->dict, "P"), &level) && level == 1)
            AN_FAIL(reterr, AN_E_PDF_LOCKED, "/Lock %s /P 1", lock->owner);
    }
    return AN_OK;
}

an_code
an_pdf_check_permission(struct an_pdf *pdf, const struct an_pdf_sign *what, const struct an_pdf_survey *survey,
                        const char *name, struct an_err *reterr)
{
    uint32_t num = 0;
    int64_t level = certified_level(pdf, survey->catalog, &num);

    if (!an_pdf_may_sign(pdf))
        AN_FAIL(reterr, AN_E_PDF_PERMISSION, "/Encrypt /P");
    if (what->docmdp != 0 && (survey->has_signature || level != 0))
        AN_FAIL(reterr, AN_E_PDF_CERTIFY, "/DocMDP /P %d", what->docmdp);
    if (is_document_time_stamp(what))
        return AN_OK;
    if (level == 1)
        AN_FAIL(reterr, AN_E_PDF_DOCMDP, "/Perms /DocMDP, object %u, /P 1", num);
    return check_locks(pdf, survey, name, reterr);
}

/* ---- seed values ---- */
enum { /* /Ff of a seed value dictionary: what is a demand and not a wish */
    SEED_FILTER = 1, SEED_SUB_FILTER = 2, SEED_VERSION = 4, SEED_REASONS = 8, SEED_LEGAL = 16, SEED_REVOCATION = 32,
    SEED_DIGEST = 64, SEED_LOCK = 128, SEED_APPEARANCE = 256,
};

struct seed {
    struct an_pdf *pdf;
    const struct an_pdf_obj *dict;
    int64_t demands;
    const struct an_pdf_sign *what;
    const char *field;
    struct an_err *reterr;
};

static const struct an_pdf_obj *
seed_at(const struct seed *seed, const char *key)
{
    return an_pdf_at(seed->pdf, AN_PDF_NOW, seed->dict, key);
}

static an_code
fail_seed(const struct seed *seed, const char *key)
{
    return an_err_set(seed->reterr, AN_E_PDF_SEED_VALUE, "%s: /SV /%s", seed->field, key);
}

/* Whether an array of names or text strings holds the text. */
static bool
offers(const struct seed *seed, const struct an_pdf_obj *list, const char *text)
{
    for (size_t i = 0; i < list->u.array.count; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf item = an_buf_new(1 << 16);
        const struct an_pdf_obj *obj = an_pdf_resolve(seed->pdf, AN_PDF_NOW, &list->u.array.items[i]);

        if (obj->kind == AN_PDF_NAME ? an_bytes_eq_str(obj->u.text, text)
                                     : an_pdf_text_of(obj, &item) && an_bytes_eq_str(an_buf_view(&item), text))
            return true;
    }
    return false;
}

/* A list that binds: when it is demanded, the text must be in it. */
static an_code
check_list(const struct seed *seed, const char *key, int64_t demand, const char *text)
{
    const struct an_pdf_obj *list = seed_at(seed, key);

    if (!(seed->demands & demand) || list->kind != AN_PDF_ARRAY || list->u.array.count == 0)
        return AN_OK;
    return text && offers(seed, list, text) ? AN_OK : fail_seed(seed, key);
}

/* A single reason "." means that none may be given. */
static an_code
check_reasons(const struct seed *seed)
{
    const struct an_pdf_obj *list = seed_at(seed, "Reasons");

    if (!(seed->demands & SEED_REASONS))
        return AN_OK;
    if (list->kind != AN_PDF_ARRAY || list->u.array.count == 0 || (list->u.array.count == 1 && offers(seed, list, ".")))
        return seed->what->reason ? fail_seed(seed, "Reasons") : AN_OK;
    return seed->what->reason && offers(seed, list, seed->what->reason) ? AN_OK : fail_seed(seed, "Reasons");
}

static an_code
check_certification(const struct seed *seed)
{
    const struct an_pdf_obj *mdp = seed_at(seed, "MDP");
    int64_t level;

    if (an_pdf_int(an_pdf_at(seed->pdf, AN_PDF_NOW, mdp, "P"), &level) && level != seed->what->docmdp)
        return fail_seed(seed, "MDP");
    if ((seed->demands & SEED_LEGAL) && seed->what->docmdp != 0)
        return fail_seed(seed, "LegalAttestation");
    return AN_OK;
}

/* /LockDocument true or auto; what asks for a lock gets it only when the caller asked too. */
static an_code
check_lock(const struct seed *seed)
{
    const struct an_pdf_obj *lock = seed_at(seed, "LockDocument");
    bool locks = seed->what->lock == AN_PDF_LOCK_ALL;

    if (!(seed->demands & SEED_LOCK))
        return AN_OK;
    if ((an_pdf_is_name(lock, "true") && !locks) || (an_pdf_is_name(lock, "false") && locks))
        return fail_seed(seed, "LockDocument");
    return AN_OK;
}

/* Demands on the certificate or on the time-stamp: this room sees neither. The address where a certificate can be
 * had (bit 7) demands nothing. */
static an_code
check_certificate(const struct seed *seed)
{
    const struct an_pdf_obj *cert = seed_at(seed, "Cert"), *stamp = seed_at(seed, "TimeStamp");
    int64_t demands = 0;

    if (an_pdf_int(an_pdf_at(seed->pdf, AN_PDF_NOW, cert, "Ff"), &demands) && (demands & ~INT64_C(64)))
        AN_FAIL(seed->reterr, AN_E_PDF_SEED_VALUE, "%s: /SV /Cert /Ff %" PRId64, seed->field, demands);
    demands = 0;
    if (an_pdf_int(an_pdf_at(seed->pdf, AN_PDF_NOW, stamp, "Ff"), &demands) && (demands & 1) &&
        !seed->what->has_time_stamp)
        return fail_seed(seed, "TimeStamp");
    return AN_OK;
}

static an_code
check_filter(const struct seed *seed)
{
    const struct an_pdf_obj *filter = seed_at(seed, "Filter");
    double version = 0;

    if ((seed->demands & SEED_FILTER) && filter->kind == AN_PDF_NAME && !an_pdf_is_name(filter, "Adobe.PPKLite"))
        return fail_seed(seed, "Filter");
    if ((seed->demands & SEED_VERSION) && an_pdf_number(seed_at(seed, "V"), &version) && version > 3)
        return fail_seed(seed, "V");
    return AN_OK;
}

static an_code
check_extras(const struct seed *seed)
{
    const struct an_pdf_obj *revocation = seed_at(seed, "AddRevInfo");

    if ((seed->demands & SEED_REVOCATION) && revocation->kind == AN_PDF_BOOL && revocation->u.boolean)
        return fail_seed(seed, "AddRevInfo"); /* PAdES keeps it in the document security store */
    if ((seed->demands & SEED_APPEARANCE) && seed->what->visible)
        return fail_seed(seed, "AppearanceFilter");
    return AN_OK;
}

static an_code
check_seed(struct an_pdf *pdf, const struct an_pdf_sign *what, const struct an_pdf_obj *field, const char *name,
           struct an_err *reterr)
{
    struct seed seed = {.pdf = pdf, .dict = an_pdf_at(pdf, AN_PDF_NOW, field, "SV"), .what = what, .field = name,
                        .reterr = reterr};

    if (seed.dict->kind != AN_PDF_DICT)
        return AN_OK;
    an_pdf_int(seed_at(&seed, "Ff"), &seed.demands);
    AN_TRY(check_filter(&seed));
    AN_TRY(check_list(&seed, "SubFilter", SEED_SUB_FILTER, what->sub_filter));
    AN_TRY(check_list(&seed, "DigestMethod", SEED_DIGEST, what->digest_name ? what->digest_name : "SHA256"));
    AN_TRY(check_reasons(&seed));
    AN_TRY(check_certification(&seed));
    AN_TRY(check_lock(&seed));
    AN_TRY(check_extras(&seed));
    return check_certificate(&seed);
}

an_code
an_pdf_check_target(struct an_pdf *pdf, const struct an_pdf_sign *what, const struct an_pdf_survey *survey,
                    const char *name, struct an_err *reterr)
{
    const struct an_pdf_obj *field = survey->target;

    if (!field && survey->ancestor && survey->ancestor_is_terminal)
        AN_FAIL(reterr, AN_E_PDF_FIELD_KIND, "%.*s, object %u", (int)survey->ancestor_len, name, survey->ancestor->num);
    if (!field)
        return AN_OK;
    if (survey->target_is_branch || !survey->target_kind || !an_pdf_is_name(survey->target_kind, "Sig") ||
        field->num == 0)
        AN_FAIL(reterr, AN_E_PDF_FIELD_KIND, "%s, object %u", name, field->num);
    if (an_pdf_at(pdf, AN_PDF_NOW, field, "V")->kind != AN_PDF_NULL)
        AN_FAIL(reterr, AN_E_PDF_FIELD_SIGNED, "%s, object %u", name, field->num);
    if (survey->target_flags & 1)
        AN_FAIL(reterr, AN_E_PDF_LOCKED, "%s, object %u, /Ff 1", name, field->num);
    return check_seed(pdf, what, field, name, reterr);
}
