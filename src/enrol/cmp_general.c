/*
 * General messages (RFC 4210 5.3.19, RFC 9483 4.3): what a client may ask of the authority before it enrols. What is
 * not known is answered by its name alone, as the RFC has it.
 */
#include "enrol/internal.h"

typedef void (*answer_fn)(const struct an_enrol_host *host, struct an_der_out *out);

static void
put_certs(struct an_der_out *out, const struct an_certs *certs, bool is_root)
{
    size_t count = 0;

    for (size_t i = 0; certs != NULL && i < certs->count; i++)
        count += certs->items[i]->self_issued == is_root;
    if (count == 0)
        return;
    an_der_open(out, AN_DER_SEQUENCE);
    for (size_t i = 0; i < certs->count; i++)
        if (certs->items[i]->self_issued == is_root)
            an_der_put_raw(out, certs->items[i]->der);
    an_der_close(out);
}

/* caCerts: intermediate authorities; the root is not something to be taken from a message. */
static void
answer_ca_certs(const struct an_enrol_host *host, struct an_der_out *out)
{
    put_certs(out, host->issuers, false);
}

static void
answer_crl(const struct an_enrol_host *host, struct an_der_out *out)
{
    an_bytes crl = host->crl != NULL ? host->crl(host->context) : AN_NONE;

    if (crl.len > 0 && crl.len < AN_LIMIT_CMP_BYTES / 2)
        an_der_put_raw(out, crl);
}

/* signKeyPairTypes: SEQUENCE OF AlgorithmIdentifier of keys. */
static void
answer_key_types(const struct an_enrol_host *host, struct an_der_out *out)
{
    static const struct { const char *algorithm, *curve; } kinds[] = {
        {"1.2.840.113549.1.1.1", NULL}, {"1.2.840.10045.2.1", "1.2.840.10045.3.1.7"}, {"1.2.840.10045.2.1", "1.3.132.0.34"},
        {"1.2.840.10045.2.1", "1.3.132.0.35"},
    };

    (void)host;
    an_der_open(out, AN_DER_SEQUENCE);
    for (size_t i = 0; i < AN_COUNT(kinds); i++) {
        an_der_open(out, AN_DER_SEQUENCE);
        an_der_put_oid(out, kinds[i].algorithm);
        if (kinds[i].curve != NULL)
            an_der_put_oid(out, kinds[i].curve);
        else
            an_der_put_null(out);
        an_der_close(out);
    }
    an_der_close(out);
}

/* certReqTemplate: CertReqTemplateContent ::= SEQUENCE { certTemplate, keySpec OPTIONAL }. Nothing is asked for but a
 * key: the subject stands in the approval. */
static void
answer_template(const struct an_enrol_host *host, struct an_der_out *out)
{
    (void)host;
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put(out, AN_DER_SEQUENCE, AN_NONE);
    an_der_close(out);
}

static const struct { const char *oid; answer_fn answer; } questions[] = {
    {"1.3.6.1.5.5.7.4.2", answer_key_types},
    {"1.3.6.1.5.5.7.4.6", answer_crl},
    {"1.3.6.1.5.5.7.4.17", answer_ca_certs},
    {"1.3.6.1.5.5.7.4.19", answer_template},
};

an_code
an_cmp_general(const struct an_enrol_host *host, an_bytes body, an_time now, struct an_buf *ret, struct an_err *reterr)
{
    struct an_der_out out = AN_DER_OUT(ret);
    an_bytes list, item, oid;

    (void)now;
    if (an_der_take(&body, AN_DER_SEQUENCE, &list, NULL) != AN_OK || body.len != 0)
        AN_FAIL(reterr, AN_E_CMP_PARSE, "genm");
    an_der_open(&out, AN_DER_SEQUENCE);
    for (size_t n = 0; list.len > 0; n++) {
        if (n >= AN_LIMIT_CMP_QUESTIONS || an_der_take(&list, AN_DER_SEQUENCE, &item, NULL) != AN_OK ||
            an_der_take(&item, AN_DER_OID, &oid, NULL) != AN_OK)
            AN_FAIL(reterr, AN_E_CMP_PARSE, "genm: InfoTypeAndValue");
        an_der_open(&out, AN_DER_SEQUENCE);
        an_der_put(&out, AN_DER_OID, oid);
        for (size_t i = 0; i < AN_COUNT(questions); i++)
            if (an_oid_eq(oid, questions[i].oid))
                questions[i].answer(host, &out);
        an_der_close(&out);
    }
    an_der_close(&out);
    return an_buf_ok(ret) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "genp");
}
