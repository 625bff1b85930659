/* Reading a Document Security Store (ISO 32000-2, 12.8.4.3). */
#include "pdf/internal.h"

#define ITEMS_MAX 5000 /* comparisons against repeated items stay bounded */

AN_VEC(bytes_vec, an_bytes);

struct reading {
    struct an_pdf *pdf;
    size_t revision;
    struct an_arena *arena;
};

static bool
is_there(const struct bytes_vec *list, an_bytes data)
{
    for (size_t i = 0; i < list->count; i++)
        if (an_bytes_eq(list->items[i], data))
            return true;
    return false;
}

/* Streams of an array; one that cannot be decoded is left out: what is missing shows in the checks that need it. */
static an_code
take_streams(struct reading *reading, const struct an_pdf_obj *array, struct bytes_vec *list, struct an_err *reterr)
{
    if (array->kind != AN_PDF_ARRAY)
        return AN_OK;
    if (array->u.array.count > ITEMS_MAX || list->count > ITEMS_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "/DSS: %zu items", array->u.array.count);
    for (size_t i = 0; i < array->u.array.count; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf data = an_buf_new(AN_LIMIT_CRL_BYTES);
        const struct an_pdf_obj *stream = an_pdf_resolve(reading->pdf, reading->revision, &array->u.array.items[i]);
        an_bytes copy;

        if (stream->kind != AN_PDF_STREAM ||
            an_pdf_stream_data(reading->pdf, stream, AN_LIMIT_CRL_BYTES, &data, NULL) != AN_OK || data.len == 0 ||
            is_there(list, an_buf_view(&data)))
            continue;
        copy = an_arena_dup(reading->arena, an_buf_view(&data));
        if (copy.len == 0)
            AN_FAIL(reterr, AN_E_LIMIT, "/DSS: more than %zu bytes", (size_t)AN_LIMIT_PDF_ARENA);
        *bytes_vec_push(list) = copy;
    }
    return AN_OK;
}

struct lists {
    struct bytes_vec certs, crls, ocsps;
};

static an_code
read_dict(struct reading *reading, const struct an_pdf_obj *dict, const char *const keys[3], struct lists *lists,
          struct an_err *reterr)
{
    AN_TRY(take_streams(reading, an_pdf_at(reading->pdf, reading->revision, dict, keys[0]), &lists->certs, reterr));
    AN_TRY(take_streams(reading, an_pdf_at(reading->pdf, reading->revision, dict, keys[1]), &lists->crls, reterr));
    return take_streams(reading, an_pdf_at(reading->pdf, reading->revision, dict, keys[2]), &lists->ocsps, reterr);
}

/* Material that stands only in /VRI belongs to the store too. */
static an_code
read_store(struct reading *reading, const struct an_pdf_obj *dss, struct lists *lists, struct an_err *reterr)
{
    static const char *const global[3] = {"Certs", "CRLs", "OCSPs"}, *const local[3] = {"Cert", "CRL", "OCSP"};
    const struct an_pdf_obj *vri = an_pdf_at(reading->pdf, reading->revision, dss, "VRI");

    AN_TRY(read_dict(reading, dss, global, lists, reterr));
    for (size_t i = 0; vri->kind == AN_PDF_DICT && i < vri->u.dict.count && i < ITEMS_MAX; i++)
        AN_TRY(read_dict(reading, an_pdf_resolve(reading->pdf, reading->revision, &vri->u.dict.entries[i].value), local,
                         lists, reterr));
    return AN_OK;
}

static an_bytes *
hand_over(struct reading *reading, struct bytes_vec *list)
{
    an_bytes *items = an_arena_alloc(reading->arena, (list->count + 1) * sizeof(*items));

    if (items && list->count)
        memcpy(items, list->items, list->count * sizeof(*items));
    bytes_vec_done(list);
    return items;
}

an_code
an_pdf_dss_read(struct an_pdf *pdf, size_t revision, struct an_pdf_dss_data *ret, struct an_err *reterr)
{
    struct reading reading = {.pdf = pdf, .revision = revision, .arena = an_arena_new(AN_LIMIT_PDF_ARENA)};
    const struct an_pdf_obj *dss = an_pdf_at(pdf, revision, an_pdf_catalog(pdf, revision), "DSS");
    struct lists lists = {0};
    an_code code = read_store(&reading, dss, &lists, reterr);
    struct an_pdf_dss_data data = {
        .cert_count = lists.certs.count,
        .crl_count = lists.crls.count,
        .ocsp_count = lists.ocsps.count,
        .arena = reading.arena,
    };

    data.certs = hand_over(&reading, &lists.certs);
    data.crls = hand_over(&reading, &lists.crls);
    data.ocsps = hand_over(&reading, &lists.ocsps);
    if (code != AN_OK || data.certs == NULL || data.crls == NULL || data.ocsps == NULL) {
        an_pdf_dss_data_done(&data);
        return code != AN_OK ? code : an_err_set(reterr, AN_E_LIMIT, "/DSS");
    }
    *ret = data;
    return AN_OK;
}

/* Objects that stand at one place of the file are one in memory. */
static bool
same_streams(struct an_pdf *pdf, size_t a, size_t b, const struct an_pdf_obj *dict, const char *key)
{
    const struct an_pdf_obj *x = an_pdf_at(pdf, a, dict, key), *y = an_pdf_at(pdf, b, dict, key);

    if (x != y || (x->kind == AN_PDF_ARRAY && x->u.array.count > ITEMS_MAX))
        return false;
    for (size_t i = 0; x->kind == AN_PDF_ARRAY && i < x->u.array.count; i++)
        if (an_pdf_resolve(pdf, a, &x->u.array.items[i]) != an_pdf_resolve(pdf, b, &x->u.array.items[i]))
            return false;
    return true;
}

bool
an_pdf_dss_same(struct an_pdf *pdf, size_t a, size_t b)
{
    const struct an_pdf_obj *x = an_pdf_at(pdf, a, an_pdf_catalog(pdf, a), "DSS"), *vri;
    const struct an_pdf_obj *y = an_pdf_at(pdf, b, an_pdf_catalog(pdf, b), "DSS");

    if (x != y || !same_streams(pdf, a, b, x, "Certs") || !same_streams(pdf, a, b, x, "CRLs") ||
        !same_streams(pdf, a, b, x, "OCSPs"))
        return false;
    vri = an_pdf_at(pdf, a, x, "VRI");
    if (vri != an_pdf_at(pdf, b, x, "VRI"))
        return false;
    for (size_t i = 0; vri->kind == AN_PDF_DICT && i < vri->u.dict.count && i < ITEMS_MAX; i++) {
        const struct an_pdf_obj *one = an_pdf_resolve(pdf, a, &vri->u.dict.entries[i].value);

        if (one != an_pdf_resolve(pdf, b, &vri->u.dict.entries[i].value) || !same_streams(pdf, a, b, one, "Cert") ||
            !same_streams(pdf, a, b, one, "CRL") || !same_streams(pdf, a, b, one, "OCSP"))
            return false;
    }
    return true;
}

void
an_pdf_dss_data_done(struct an_pdf_dss_data *data)
{
    an_arena_free(&data->arena);
    *data = (struct an_pdf_dss_data){0};
}
