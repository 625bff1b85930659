/*
 * B-LT and B-LTA (EN 319 142-1 6.4, 6.5): the evidence a verifier will need later goes into a DSS, and a document
 * time-stamp seals it. Works on the file while it still has its temporary name.
 */
#include "sign/internal.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What goes into the DSS, gathered without duplicates. */
struct evidence {
    struct an_certs certs;
    struct an_crls crls;
    struct an_ocsps ocsps;
};

static void
evidence_done(struct evidence *e)
{
    an_certs_done(&e->certs);
    an_crls_unref(&e->crls);
    an_ocsps_unref(&e->ocsps);
}

static void
add_status(struct evidence *e, const struct an_status_result *status)
{
    if (status->crl != NULL) {
        for (size_t i = 0; i < e->crls.count; i++)
            if (e->crls.items[i] == status->crl || an_bytes_eq(e->crls.items[i]->der, status->crl->der))
                return;
        *an_crls_push(&e->crls) = an_crl_ref(status->crl);
    }
    if (status->ocsp != NULL) {
        *an_ocsps_push(&e->ocsps) = an_ocsp_ref(status->ocsp);
        for (size_t i = 0; i < status->ocsp->certs.count; i++)
            an_certs_add(&e->certs, status->ocsp->certs.items[i]);
    }
}

/* Path and status of one certificate; every status but the anchor's must be known, or the level would be a lie. */
static an_code
add_path(struct an_sign_session *session, struct evidence *e, struct an_cert *leaf, const struct an_certs *more,
         struct an_err *reterr)
{
    const struct an_sign_setup *setup = &session->setup;
    struct an_certs untrusted = {0};
    struct an_path_params params = {.anchors = setup->anchors, .untrusted = &untrusted, .crls = setup->crls,
                                    .ocsps = setup->ocsps,
                                    .at = an_time_now(), .status_at = AN_TIME_NONE, .now = AN_TIME_NONE,
                                    .freshness_max = -1,
                                    .revocation = AN_REVOCATION_REQUIRE, .fetch = setup->fetch};
    struct an_path_result path = {0};
    an_code code = AN_OK;

    for (size_t i = 0; setup->chain != NULL && i < setup->chain->count; i++)
        an_certs_add(&untrusted, setup->chain->items[i]);
    for (size_t i = 0; more != NULL && i < more->count; i++)
        an_certs_add(&untrusted, more->items[i]);
    an_path_validate(leaf, &params, &path);
    if (!path.valid)
        code = an_err_set(reterr, AN_E_SIGN_LTV, "%s%s%s", an_message_find(path.why)->en, path.detail[0] ? ": " : "",
                          path.detail);
    for (size_t i = 0; i < path.chain_count; i++)
        an_certs_add(&e->certs, path.chain[i]);
    for (size_t i = 0; i + 1 < path.chain_count; i++)
        add_status(e, &path.status[i]);
    an_path_result_done(&path);
    an_certs_done(&untrusted);
    return code;
}

static an_code
add_token(struct an_sign_session *session, struct evidence *e, an_bytes token, struct an_err *reterr)
{
    AN_CLEANUP(an_tst_free) struct an_tst *tst = NULL;
    struct an_cert *signer;

    AN_TRY(an_tst_parse(token, &tst, reterr));
    signer = an_cms_signer_cert(tst->cms, &tst->cms->signers[0], session->setup.chain);
    if (signer == NULL)
        AN_FAIL(reterr, AN_E_SIGN_LTV, "%s", "time-stamp without its certificate");
    return add_path(session, e, signer, &tst->cms->certs, reterr);
}

static an_code
add_signature(struct an_sign_session *session, struct evidence *e, an_bytes contents, struct an_err *reterr)
{
    AN_CLEANUP(an_cms_free) struct an_cms *cms = NULL;
    const struct an_cms_attribute *stamp;
    struct an_cert *signer;

    AN_TRY(an_cms_parse(contents, &cms, reterr));
    signer = an_cms_signer_cert(cms, &cms->signers[0], session->setup.chain);
    if (signer == NULL)
        AN_FAIL(reterr, AN_E_SIGN_LTV, "%s", "signer certificate absent");
    AN_TRY(add_path(session, e, signer, &cms->certs, reterr));
    stamp = an_cms_attribute_find(cms->signers[0].unsigned_attributes, cms->signers[0].unsigned_count,
                                  "1.2.840.113549.1.9.16.2.14");
    if (stamp != NULL)
        return add_token(session, e, stamp->values, reterr);
    return AN_OK;
}

/* ---- the growing file ---- */

struct growing {
    int fd;
    void *mapping;
    size_t size;
    struct an_pdf *pdf;
};

static void
growing_close(struct growing *g)
{
    an_pdf_free(&g->pdf);
    if (g->mapping != NULL)
        munmap(g->mapping, g->size);
    g->mapping = NULL;
}

static an_code
growing_open(struct growing *g, int fd, const struct an_secret *password, struct an_err *reterr)
{
    struct an_pdf_open options = {.password = password};
    struct stat st;

    growing_close(g);
    if (fstat(fd, &st) != 0)
        return an_err_set_errno(reterr, AN_E_FILE_WRITE, errno, "%s", "fstat");
    g->fd = fd;
    g->size = (size_t)st.st_size;
    g->mapping = mmap(NULL, g->size, PROT_READ, MAP_SHARED, fd, 0);
    if (g->mapping == MAP_FAILED) {
        g->mapping = NULL;
        return an_err_set_errno(reterr, AN_E_FILE_WRITE, errno, "%s", "mmap");
    }
    return an_pdf_open(AN_BYTES(g->mapping, g->size), &options, &g->pdf, reterr);
}

static an_code
growing_append(struct growing *g, an_bytes tail, struct an_err *reterr)
{
    for (size_t done = 0; done < tail.len;) {
        ssize_t put = pwrite(g->fd, tail.ptr + done, tail.len - done, (off_t)(g->size + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            int why = errno;
            if (ftruncate(g->fd, (off_t)g->size) != 0)
                why = errno;
            return an_err_set_errno(reterr, AN_E_FILE_WRITE, why, "%s", "append");
        }
        done += (size_t)put;
    }
    return AN_OK;
}

static an_bytes *
views_of_certs(const struct an_certs *set)
{
    an_bytes *views = an_new_array(set->count, sizeof(*views));

    for (size_t i = 0; i < set->count; i++)
        views[i] = set->items[i]->der;
    return views;
}

/* Index of the signature whose byte range ends last: ours; SIZE_MAX when none is there. */
static size_t
newest_signature(const struct an_pdf_sigfields *fields)
{
    size_t newest = SIZE_MAX;
    uint64_t end = 0;

    for (size_t i = 0; i < fields->count; i++) {
        const struct an_pdf_sigfield *f = &fields->items[i];
        if (f->has_byte_range && f->contents.len && f->byte_range[2] + f->byte_range[3] > end) {
            end = f->byte_range[2] + f->byte_range[3];
            newest = i;
        }
    }
    return newest;
}

/* Every signature of the file gets its material, so that an earlier signer's does not end with the newest one.
 * Signatures of others are helped when their material is at hand, and do not stop us when it is not. */
static an_code
gather(struct an_sign_session *session, struct an_pdf *pdf, struct evidence *e, uint8_t ret_vri[static 20],
       struct an_err *reterr)
{
    struct an_pdf_sigfields fields = {0};
    uint8_t sha1[AN_DIGEST_MAX];
    an_code code = AN_OK;
    size_t newest;

    AN_TRY(an_pdf_sigfields(pdf, AN_PDF_NOW, &fields, reterr));
    newest = newest_signature(&fields);
    for (size_t i = 0; i < fields.count; i++) {
        struct an_err ignored = {0};
        if (i != newest && fields.items[i].contents.len && add_signature(session, e, fields.items[i].contents,
                &ignored) != AN_OK)
            continue;
    }
    if (newest != SIZE_MAX) {
        an_hash_once(AN_SHA1, fields.items[newest].contents, sha1);
        memcpy(ret_vri, sha1, 20);
        code = add_signature(session, e, fields.items[newest].contents, reterr);
    }
    an_pdf_sigfields_done(&fields);
    return code;
}

static an_code
write_dss(struct an_sign_session *session, struct growing *g, struct an_err *reterr)
{
    AN_CLEANUP(evidence_done) struct evidence e = {0};
    AN_CLEANUP(an_pdf_update_done) struct an_pdf_update update = {0};
    uint8_t vri_key[20] = {0};
    an_bytes *certs, *crls, *ocsps;
    struct an_pdf_vri vri;
    struct an_pdf_dss dss;
    an_code code;

    AN_TRY(gather(session, g->pdf, &e, vri_key, reterr));
    certs = views_of_certs(&e.certs);
    crls = an_new_array(e.crls.count, sizeof(*crls));
    ocsps = an_new_array(e.ocsps.count, sizeof(*ocsps));
    for (size_t i = 0; i < e.crls.count; i++)
        crls[i] = e.crls.items[i]->der;
    for (size_t i = 0; i < e.ocsps.count; i++)
        ocsps[i] = e.ocsps.items[i]->der;
    vri = (struct an_pdf_vri){.key_sha1 = vri_key, .certs = certs, .cert_count = e.certs.count, .crls = crls,
                              .crl_count = e.crls.count,
                              .ocsps = ocsps, .ocsp_count = e.ocsps.count};
    dss = (struct an_pdf_dss){.certs = certs, .cert_count = e.certs.count, .crls = crls, .crl_count = e.crls.count,
                              .ocsps = ocsps,
                              .ocsp_count = e.ocsps.count, .vris = &vri, .vri_count = 1};
    code = an_pdf_dss_prepare(g->pdf, &dss, &update, reterr);
    if (code == AN_OK)
        code = growing_append(g, an_buf_view(&update.tail), reterr);
    free(certs);
    free(crls);
    free(ocsps);
    return code;
}

static an_code
hash_with_gap(struct growing *g, const struct an_pdf_update *update, uint8_t ret_digest[static AN_DIGEST_MAX],
              struct an_err *reterr)
{
    struct an_range whole = {0, update->base};
    size_t gap = (size_t)(update->contents_offset - update->base), after = gap + update->contents_max * 2 + 2;
    AN_CLEANUP(an_hash_free) struct an_hash *hash = an_hash_new(AN_SHA256);

    for (uint64_t at = 0; at < whole.len;) {
        uint8_t chunk[65536];
        uint64_t left = whole.len - at;
        ssize_t got = pread(g->fd, chunk, left < sizeof(chunk) ? (size_t)left : sizeof(chunk), (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            AN_FAIL(reterr, AN_E_SIGN_CHANGED, "%llu", (unsigned long long)at);
        an_hash_update(hash, AN_BYTES(chunk, (size_t)got));
        at += (uint64_t)got;
    }
    an_hash_update(hash, AN_BYTES(update->tail.ptr, gap));
    an_hash_update(hash, AN_BYTES(update->tail.ptr + after, update->tail.len - after));
    an_hash_final(hash, ret_digest);
    return AN_OK;
}

static an_code
write_document_time_stamp(struct an_sign_session *session, struct growing *g, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf token = an_buf_new(AN_LIMIT_TSP_BYTES);
    struct an_pdf_sign what = {.sub_filter = "ETSI.RFC3161", .m_time = AN_TIME_NONE};
    uint8_t digest[AN_DIGEST_MAX];
    an_code code = AN_E_PDF_CONTENTS_SIZE;

    for (unsigned tries = 0; tries < 2 && code == AN_E_PDF_CONTENTS_SIZE; tries++) {
        AN_CLEANUP(an_pdf_update_done) struct an_pdf_update update = {0};
        pthread_mutex_lock(&session->lock);
        what.contents_max = session->token_size + 256;
        pthread_mutex_unlock(&session->lock);
        AN_TRY(an_pdf_sign_prepare(g->pdf, &what, &update, reterr));
        AN_TRY(hash_with_gap(g, &update, digest, reterr));
        an_buf_reset(&token);
        AN_TRY(sign_time_stamp(session, AN_BYTES(digest, 32), &token, reterr));
        code = an_pdf_sign_fill(&update, an_buf_view(&token), reterr);
        if (code == AN_OK)
            code = growing_append(g, an_buf_view(&update.tail), reterr);
    }
    return code;
}

an_code
sign_extend(struct an_sign_session *session, const struct an_secret *password, int fd, enum an_level level,
            struct an_err *reterr)
{
    AN_CLEANUP(growing_close) struct growing g = {.fd = fd};

    AN_TRY(growing_open(&g, fd, password, reterr));
    AN_TRY(write_dss(session, &g, reterr));
    if (level < AN_LEVEL_B_LTA)
        return AN_OK;
    AN_TRY(growing_open(&g, fd, password, reterr));
    return write_document_time_stamp(session, &g, reterr);
}
