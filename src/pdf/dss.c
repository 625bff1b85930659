/*
 * Adding to the Document Security Store (ISO 32000-2, 12.8.4.3; EN 319 142-1, 5.4) without losing or doubling what is
 * there.
 */
#include "pdf/append.h"

#include "base/limits.h"
#include "base/map.h"

#include <stdio.h>

#define DSS_STREAMS_MAX 20000 /* certificates, lists and answers together */

enum dss_kind { DSS_CERTS = 0, DSS_CRLS, DSS_OCSPS, DSS_KINDS };
static const char *const dss_keys[DSS_KINDS] = {"Certs", "CRLs", "OCSPs"};
static const char *const vri_keys[DSS_KINDS] = {"Cert", "CRL", "OCSP"};

static size_t
limit_of(enum dss_kind kind)
{
    return kind == DSS_CERTS ? AN_LIMIT_CERT_BYTES : kind == DSS_CRLS ? AN_LIMIT_PDF_STREAM : AN_LIMIT_OCSP_BYTES;
}

struct stored { uint32_t num; uint16_t gen; };
AN_VEC(stored_vec, struct stored);

struct merge {
    struct an_pdf_append *append;
    const struct an_pdf_obj *catalog, *dss, *vri;
    struct an_map *known[DSS_KINDS]; /* SHA-256 of the content → number, as a pointer */
    struct stored_vec lists[DSS_KINDS];
    bool changed;
};

static void
note_known(struct merge *merge, enum dss_kind kind, an_bytes content, uint32_t num)
{
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, content, digest);
    an_map_put(merge->known[kind], AN_BYTES(digest, 32), (void *)(uintptr_t)num);
}

/* What the store holds already. */
static void
take_known(struct merge *merge, enum dss_kind kind)
{
    struct an_pdf *pdf = merge->append->pdf;
    const struct an_pdf_obj *list = an_pdf_at(pdf, AN_PDF_NOW, merge->dss, dss_keys[kind]);

    for (size_t i = 0; list->kind == AN_PDF_ARRAY && i < list->u.array.count && i < DSS_STREAMS_MAX; i++) {
        const struct an_pdf_obj *item = &list->u.array.items[i], *stream = an_pdf_resolve(pdf, AN_PDF_NOW, item);
        AN_CLEANUP(an_buf_free) struct an_buf data = an_buf_new(limit_of(kind));

        if (item->kind != AN_PDF_REF)
            continue;
        *stored_vec_push(&merge->lists[kind]) = (struct stored){item->u.ref.num, item->u.ref.gen};
        if (stream->kind == AN_PDF_STREAM && an_pdf_stream_data(pdf, stream, limit_of(kind), &data, NULL) == AN_OK)
            note_known(merge, kind, an_buf_view(&data), item->u.ref.num);
    }
}

/* Number of the stream with this content, written now when the store lacks it. */
static uint32_t
store(struct merge *merge, enum dss_kind kind, an_bytes content)
{
    AN_CLEANUP(an_buf_free) struct an_buf packed = an_buf_new(AN_BUF_UNLIMITED);
    uint8_t digest[AN_DIGEST_MAX];
    uint32_t num;
    bool pack;

    an_hash_once(AN_SHA256, content, digest);
    num = (uint32_t)(uintptr_t)an_map_find(merge->known[kind], AN_BYTES(digest, 32));
    if (num != 0)
        return num;
    num = an_pdf_append_new(merge->append);
    pack = an_pdf_deflate(&packed, content, 6) && packed.len + 20 < content.len;
    an_pdf_append_stream(merge->append, num, pack ? AN_LIT("/Filter/FlateDecode") : AN_NONE,
                         pack ? an_buf_view(&packed) : content);
    an_map_put(merge->known[kind], AN_BYTES(digest, 32), (void *)(uintptr_t)num);
    stored_vec_push(&merge->lists[kind])->num = num;
    merge->changed = true;
    return num;
}

static void
store_all(struct merge *merge, enum dss_kind kind, const an_bytes *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        store(merge, kind, items[i]);
}

static void
vri_name(const uint8_t *digest, char ret[static 41])
{
    for (size_t i = 0; i < 20; i++)
        snprintf(ret + 2 * i, 3, "%02X", digest[i]);
}

/* One list of a VRI entry: what it had, then what is new in it. */
static void
emit_vri_list(struct merge *merge, const struct an_pdf_obj *old, enum dss_kind kind, const an_bytes *items,
              size_t count)
{
    const struct an_pdf_obj *list = an_pdf_at(merge->append->pdf, AN_PDF_NOW, old, vri_keys[kind]);
    struct an_buf *out = merge->append->out;
    size_t had = list->kind == AN_PDF_ARRAY ? list->u.array.count : 0;

    if (had == 0 && count == 0)
        return;
    an_buf_printf(out, "/%s[", vri_keys[kind]);
    an_pdf_emit_items(merge->append, list);
    for (size_t i = 0; i < count; i++) {
        uint32_t num = store(merge, kind, items[i]);
        bool is_there = false;

        for (size_t k = 0; k < had && !is_there; k++)
            is_there = list->u.array.items[k].kind == AN_PDF_REF && list->u.array.items[k].u.ref.num == num;
        if (!is_there)
            an_buf_printf(out, had + i ? " %u 0 R" : "%u 0 R", num);
    }
    an_buf_byte(out, ']');
}

static void
emit_vri(struct merge *merge, const struct an_pdf_vri *vri)
{
    static const char *const except[] = {"Cert", "CRL", "OCSP", NULL};
    const struct an_pdf_obj *old;
    char name[41];

    vri_name(vri->key_sha1, name);
    old = an_pdf_at(merge->append->pdf, AN_PDF_NOW, merge->vri, name);
    an_buf_printf(merge->append->out, "/%s<<", name);
    an_pdf_emit_entries(merge->append, old, except);
    emit_vri_list(merge, old, DSS_CERTS, vri->certs, vri->cert_count);
    emit_vri_list(merge, old, DSS_CRLS, vri->crls, vri->crl_count);
    emit_vri_list(merge, old, DSS_OCSPS, vri->ocsps, vri->ocsp_count);
    an_buf_str(merge->append->out, ">>");
}

static void
emit_vris(struct merge *merge, const struct an_pdf_dss *dss)
{
    const char **except = an_new_array(dss->vri_count + 1, sizeof *except);
    char(*names)[41] = an_new_array(dss->vri_count + 1, sizeof *names);

    for (size_t i = 0; i < dss->vri_count; i++) {
        vri_name(dss->vris[i].key_sha1, names[i]);
        except[i] = names[i];
    }
    an_buf_str(merge->append->out, "/VRI<<");
    an_pdf_emit_entries(merge->append, merge->vri, except);
    for (size_t i = 0; i < dss->vri_count; i++)
        emit_vri(merge, &dss->vris[i]);
    an_buf_str(merge->append->out, ">>");
    free(names);
    free(except);
}

static void
emit_lists(struct merge *merge)
{
    for (size_t kind = 0; kind < DSS_KINDS; kind++) {
        const struct stored_vec *list = &merge->lists[kind];

        if (list->count == 0)
            continue;
        an_buf_printf(merge->append->out, "/%s[", dss_keys[kind]);
        for (size_t i = 0; i < list->count; i++) {
            if (i > 0)
                an_buf_byte(merge->append->out, ' ');
            an_pdf_emit_ref(merge->append->out, list->items[i].num, list->items[i].gen);
        }
        an_buf_byte(merge->append->out, ']');
    }
}

/* Whether a VRI entry is there with all that it should list: nothing to write when everything is. */
static bool
vri_is_complete(struct merge *merge, const struct an_pdf_vri *vri)
{
    struct { const an_bytes *items; size_t count; } lists[DSS_KINDS] = {
        {vri->certs, vri->cert_count}, {vri->crls, vri->crl_count}, {vri->ocsps, vri->ocsp_count}};
    const struct an_pdf_obj *entry;
    char name[41];

    vri_name(vri->key_sha1, name);
    entry = an_pdf_at(merge->append->pdf, AN_PDF_NOW, merge->vri, name);
    for (size_t kind = 0; kind < DSS_KINDS; kind++) {
        const struct an_pdf_obj *list = an_pdf_at(merge->append->pdf, AN_PDF_NOW, entry, vri_keys[kind]);

        for (size_t i = 0; i < lists[kind].count; i++) {
            uint32_t num = store(merge, (enum dss_kind)kind, lists[kind].items[i]);
            bool is_there = false;

            for (size_t k = 0; list->kind == AN_PDF_ARRAY && k < list->u.array.count; k++)
                is_there =
                    is_there || (list->u.array.items[k].kind == AN_PDF_REF && list->u.array.items[k].u.ref.num == num);
            if (!is_there)
                return false;
        }
    }
    return entry->kind == AN_PDF_DICT;
}

/* Streams first: an object cannot be written inside another. */
static void
store_everything(struct merge *merge, const struct an_pdf_dss *dss)
{
    store_all(merge, DSS_CERTS, dss->certs, dss->cert_count);
    store_all(merge, DSS_CRLS, dss->crls, dss->crl_count);
    store_all(merge, DSS_OCSPS, dss->ocsps, dss->ocsp_count);
    for (size_t i = 0; i < dss->vri_count; i++) {
        const struct an_pdf_vri *vri = &dss->vris[i];

        store_all(merge, DSS_CERTS, vri->certs, vri->cert_count);
        store_all(merge, DSS_CRLS, vri->crls, vri->crl_count);
        store_all(merge, DSS_OCSPS, vri->ocsps, vri->ocsp_count);
        merge->changed = merge->changed || !vri_is_complete(merge, vri);
    }
}

static void
write_store(struct merge *merge, const struct an_pdf_dss *dss)
{
    static const char *const except_dss[] = {"Type", "Certs", "CRLs", "OCSPs", "VRI", NULL};
    static const char *const except_catalog[] = {"DSS", NULL};
    struct an_pdf_append *append = merge->append;
    bool in_place = merge->dss->kind == AN_PDF_DICT && merge->dss->num != 0;
    uint32_t num = in_place ? merge->dss->num : an_pdf_append_new(append);

    an_pdf_append_open(append, num, in_place ? merge->dss->gen : 0);
    an_buf_str(append->out, "<</Type/DSS");
    an_pdf_emit_entries(append, merge->dss, except_dss);
    emit_lists(merge);
    if (dss->vri_count > 0 || merge->vri->kind == AN_PDF_DICT)
        emit_vris(merge, dss);
    an_buf_str(append->out, ">>");
    an_pdf_append_close(append);
    if (in_place)
        return;
    an_pdf_append_open(append, merge->catalog->num, merge->catalog->gen);
    an_buf_str(append->out, "<<");
    an_pdf_emit_entries(append, merge->catalog, except_catalog);
    an_buf_printf(append->out, "/DSS %u 0 R>>", num);
    an_pdf_append_close(append);
}

static an_code
build_store(struct merge *merge, struct an_pdf *pdf, const struct an_pdf_dss *dss, struct an_pdf_update *update,
            struct an_err *reterr)
{
    AN_TRY(an_pdf_append_begin(merge->append, pdf, &update->tail, reterr));
    update->base = merge->append->base;
    merge->catalog = an_pdf_catalog(pdf, AN_PDF_NOW);
    if (merge->catalog->kind != AN_PDF_DICT || merge->catalog->num == 0)
        AN_FAIL(reterr, AN_E_PDF_APPEND, "/Root");
    merge->dss = an_pdf_at(pdf, AN_PDF_NOW, merge->catalog, "DSS");
    merge->vri = an_pdf_at(pdf, AN_PDF_NOW, merge->dss, "VRI");
    for (size_t kind = 0; kind < DSS_KINDS; kind++) {
        merge->known[kind] = an_map_new();
        take_known(merge, (enum dss_kind)kind);
    }
    store_everything(merge, dss);
    if (!merge->changed && merge->dss->kind == AN_PDF_DICT) {
        an_buf_reset(&update->tail); /* everything is there: nothing to append */
        return AN_OK;
    }
    write_store(merge, dss);
    return an_pdf_append_end(merge->append, reterr);
}

an_code
an_pdf_dss_prepare(struct an_pdf *pdf, const struct an_pdf_dss *dss, struct an_pdf_update *ret, struct an_err *reterr)
{
    struct an_pdf_update update = {.tail = an_buf_new(AN_BUF_UNLIMITED)};
    struct an_pdf_append append = {0};
    struct merge merge = {.append = &append};
    an_code code = build_store(&merge, pdf, dss, &update, reterr);

    for (size_t kind = 0; kind < DSS_KINDS; kind++) {
        an_map_free(&merge.known[kind]);
        stored_vec_done(&merge.lists[kind]);
    }
    an_pdf_append_done(&append);
    if (code != AN_OK) {
        an_pdf_update_done(&update);
        return code;
    }
    *ret = update;
    return AN_OK;
}
