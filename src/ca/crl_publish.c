#include "ca/crl_publish.h"

#include "base/file.h"
#include "ca/internal.h"

#include <stdio.h>
#include <unistd.h>

#define PART_MAX ((size_t)64 * 1024)    /* what stands before and behind the entries */
#define GATHER_MAX ((size_t)256 * 1024) /* single entries are gathered to this before they are written */
#define SIGN_TRIES 200                  /* ECDSA signatures differ in length; see write_signature */

struct writing {
    const struct an_crl_plan *plan;
    struct an_crl_made made;
    int64_t base_sequence, folded;
    struct an_scheme scheme;
    struct an_output out;
    struct an_hash *hash;
    struct an_buf gathered;
    uint64_t entry_bytes, written; /* as counted beforehand; as it came */
    size_t outer_size;             /* of the outer header, written anew at the end */
};

/* ---- numbers ---- */
static an_code
take_number(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct writing *w = context;
    char name[48];

    snprintf(name, sizeof(name), "crl:%lld", (long long)w->plan->authority);
    return an_tx_next(tx, name, &w->made.number, reterr);
}

static an_code
note_made(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct writing *w = context;
    const struct an_value values[] = {AN_V_INT(w->plan->authority), AN_V_INT(w->made.number),
                                      AN_V_INT(w->plan->partition), AN_V_INT(w->made.base_number),
                                      AN_V_INT(w->made.sequence), AN_V_INT(w->plan->this_update),
                                      AN_V_INT(w->plan->next_update),
                                      AN_V_INT(w->made.entries), AN_V_INT(w->made.bytes)};

    return an_tx_run(tx, AN_SQL_CRL_ISSUED_INSERT, values, AN_COUNT(values), NULL, reterr);
}

/* ---- what stands before and behind the entries ---- */
static void
put_point(struct an_der_out *out, const char *url)
{
    an_ca_open_extension(out, "2.5.29.28", true);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_put(out, AN_DER_CONTEXT(6), an_bytes_of_str(url));
    for (int i = 0; i < 3; i++)
        an_der_close(out);
    an_ca_close_extension(out);
}

static void
put_freshest(struct an_der_out *out, const char *url)
{
    an_ca_open_extension(out, "2.5.29.46", false);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_put(out, AN_DER_CONTEXT(6), an_bytes_of_str(url));
    for (int i = 0; i < 4; i++)
        an_der_close(out);
    an_ca_close_extension(out);
}

static void
put_before(const struct writing *w, struct an_buf *ret)
{
    struct an_der_out out = AN_DER_OUT(ret);

    an_der_put_int(&out, 1); /* v2 */
    an_ca_put_algorithm(&out, w->plan->key);
    an_der_put_raw(&out, w->plan->issuer->subject);
    an_der_put_time(&out, w->plan->this_update);
    an_der_put_time(&out, w->plan->next_update);
    if (w->entry_bytes != 0)
        an_der_put_header(&out, AN_DER_SEQUENCE, w->entry_bytes);
}

static void
put_behind(const struct writing *w, struct an_buf *ret)
{
    struct an_der_out out = AN_DER_OUT(ret);

    an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_open(&out, AN_DER_SEQUENCE);
    an_ca_put_authority_key(&out, w->plan->issuer);
    an_ca_put_list_number(&out, "2.5.29.20", false, (uint64_t)w->made.number);
    if (w->plan->is_delta)
        an_ca_put_list_number(&out, "2.5.29.27", true, (uint64_t)w->made.base_number);
    if (w->plan->point_url != NULL)
        put_point(&out, w->plan->point_url);
    if (w->plan->delta_url != NULL && !w->plan->is_delta)
        put_freshest(&out, w->plan->delta_url);
    an_der_close(&out);
    an_der_close(&out);
}

/* ---- the stream ---- */
static an_code
put_part(struct writing *w, an_bytes part, struct an_err *reterr)
{
    an_hash_update(w->hash, part);
    return an_output_write(&w->out, part, reterr);
}

static an_code
put_block(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct writing *w = context;
    an_bytes block = an_row_blob(row, 0);

    w->written += block.len;
    return put_part(w, block, reterr);
}

static an_code
put_gathered(struct writing *w, struct an_err *reterr)
{
    an_code code = put_part(w, an_buf_view(&w->gathered), reterr);

    w->written += w->gathered.len;
    an_buf_reset(&w->gathered);
    return code;
}

static an_code
gather_entry(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct writing *w = context;
    an_bytes entry = an_row_blob(row, 0);

    if (w->gathered.len + entry.len > GATHER_MAX)
        AN_TRY(put_gathered(w, reterr));
    an_buf_append(&w->gathered, entry);
    return AN_OK;
}

struct sums { int64_t count, bytes, stale; };

static an_code
add_sums(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct sums *sums = context;

    (void)reterr;
    sums->count += an_row_int(row, 0);
    sums->bytes += an_row_int(row, 1);
    return AN_OK;
}

static an_code
add_block_sums(void *context, const struct an_row *row, struct an_err *reterr)
{
    ((struct sums *)context)->stale += an_row_int(row, 2);
    return add_sums(context, row, reterr);
}

static an_code
note_number(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    *(int64_t *)context = an_row_int(row, 0);
    return AN_OK;
}

/* Lengths stand before contents in DER, so that everything is added up first, in the same snapshot. */
static an_code
count_entries(struct writing *w, struct an_tx *tx, struct an_err *reterr)
{
    const struct an_value who[] = {AN_V_INT(w->plan->authority)};
    const struct an_value delta[] = {AN_V_INT(w->plan->authority), AN_V_INT(w->base_sequence)};
    const struct an_value part[] = {AN_V_INT(w->plan->authority), AN_V_INT(w->plan->partition)};
    struct sums sums = {0};

    AN_TRY(an_tx_one(tx, AN_SQL_REVOCATION_LAST_OF, who, AN_COUNT(who), note_number, &w->made.sequence, NULL, reterr));
    if (w->plan->is_delta) {
        AN_TRY(an_tx_one(tx, AN_SQL_CRL_DELTA_SUM, delta, AN_COUNT(delta), add_sums, &sums, NULL, reterr));
    } else {
        AN_TRY(an_tx_one(tx, AN_SQL_CRL_FOLD_FIND, who, AN_COUNT(who), note_number, &w->folded, NULL, reterr));
        AN_TRY(an_tx_one(tx, AN_SQL_CRL_BLOCK_SUM, part, AN_COUNT(part), add_block_sums, &sums, NULL, reterr));
        const struct an_value tail[] = {part[0], part[1], AN_V_INT(w->folded)};
        AN_TRY(an_tx_one(tx, AN_SQL_CRL_TAIL_SUM, tail, AN_COUNT(tail), add_sums, &sums, NULL, reterr));
    }
    if (sums.stale != 0) /* a certificate was released between the mending and this snapshot: once more */
        AN_FAIL(reterr, AN_E_CA_STALE, "%lld", (long long)sums.stale);
    w->made.entries = sums.count;
    w->entry_bytes = (uint64_t)sums.bytes;
    return AN_OK;
}

static an_code
stream_entries(struct writing *w, struct an_tx *tx, struct an_err *reterr)
{
    const struct an_value delta[] = {AN_V_INT(w->plan->authority), AN_V_INT(w->base_sequence)};
    const struct an_value part[] = {AN_V_INT(w->plan->authority), AN_V_INT(w->plan->partition)};
    const struct an_value tail[] = {part[0], part[1], AN_V_INT(w->folded)};

    if (w->plan->is_delta) {
        AN_TRY(an_tx_each(tx, AN_SQL_CRL_DELTA_EACH, delta, AN_COUNT(delta), gather_entry, w, reterr));
    } else {
        AN_TRY(an_tx_each(tx, AN_SQL_CRL_BLOCK_EACH, part, AN_COUNT(part), put_block, w, reterr));
        AN_TRY(an_tx_each(tx, AN_SQL_CRL_TAIL_EACH, tail, AN_COUNT(tail), gather_entry, w, reterr));
    }
    AN_TRY(put_gathered(w, reterr));
    if (w->written != w->entry_bytes)
        AN_FAIL(reterr, AN_E_CA_CHECK, "%llu of %llu byte", (unsigned long long)w->written,
                (unsigned long long)w->entry_bytes);
    return AN_OK;
}

static size_t
header_size(uint64_t len)
{
    return an_der_size((size_t)len) - (size_t)len;
}

static uint64_t
outer_len(const struct writing *w, uint64_t tbs_size, size_t signature_len)
{
    AN_CLEANUP(an_buf_free) struct an_buf algorithm = an_buf_new(PART_MAX);
    struct an_der_out out = AN_DER_OUT(&algorithm);

    an_ca_put_algorithm(&out, w->plan->key);
    return tbs_size + algorithm.len + an_der_size(signature_len + 1);
}

static an_code
write_tbs(struct writing *w, struct an_tx *tx, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf before = an_buf_new(PART_MAX), behind = an_buf_new(PART_MAX),
                                          head = an_buf_new(64);
    struct an_der_out out = AN_DER_OUT(&head);
    uint64_t len;

    put_before(w, &before);
    put_behind(w, &behind);
    if (!an_buf_ok(&before) || !an_buf_ok(&behind))
        AN_FAIL(reterr, AN_E_LIMIT, "TBSCertList");
    len = before.len + w->entry_bytes + behind.len;
    w->made.bytes = header_size(len) + len; /* of the TBSCertList, for now */
    an_der_put_header(&out, AN_DER_SEQUENCE, outer_len(w, w->made.bytes, an_signer_size_max(w->plan->key)));
    w->outer_size = head.len;
    AN_TRY(an_output_write(&w->out, an_buf_view(&head), reterr));
    an_buf_reset(&head);
    an_der_put_header(&out, AN_DER_SEQUENCE, len);
    AN_TRY(put_part(w, an_buf_view(&head), reterr));
    AN_TRY(put_part(w, an_buf_view(&before), reterr));
    AN_TRY(stream_entries(w, tx, reterr));
    return put_part(w, an_buf_view(&behind), reterr);
}

static an_code
note_base(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct writing *w = context;

    (void)reterr;
    w->made.base_number = an_row_int(row, 0);
    w->base_sequence = an_row_int(row, 1);
    return AN_OK;
}

static an_code
write_snapshot(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct writing *w = context;
    const struct an_value who[] = {AN_V_INT(w->plan->authority)};
    bool found = false;

    if (w->plan->is_delta) {
        AN_TRY(an_tx_one(tx, AN_SQL_CRL_ISSUED_BASE, who, AN_COUNT(who), note_base, w, &found, reterr));
        if (!found)
            AN_FAIL(reterr, AN_E_CA_NO_BASE, "%s", w->plan->path);
    }
    AN_TRY(count_entries(w, tx, reterr));
    return write_tbs(w, tx, reterr);
}

/*
 * The outer length stands first in the file and was written for the longest signature. It is written again when the
 * signature is shorter; should its header become shorter by that, which a few octets around 128, 256 or 65,536 can do,
 * another signature is made (ECDSA; those of RSA are all of one length).
 */
static an_code
write_signature(struct writing *w, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf signature = an_buf_new(16384), tail = an_buf_new(PART_MAX),
                                          head = an_buf_new(64);
    struct an_der_out tail_out = AN_DER_OUT(&tail), head_out = AN_DER_OUT(&head);
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_final(w->hash, digest);
    for (int i = 0; i < SIGN_TRIES && head.len != w->outer_size; i++) {
        an_buf_reset(&signature);
        an_buf_reset(&head);
        AN_TRY(an_signer_sign(w->plan->key, &w->scheme, AN_BYTES(digest, an_digest_size(w->scheme.digest)), &signature,
                              reterr));
        an_der_put_header(&head_out, AN_DER_SEQUENCE, outer_len(w, w->made.bytes, signature.len));
    }
    if (head.len != w->outer_size)
        AN_FAIL(reterr, AN_E_CA_CHECK, "CertificateList");
    an_ca_put_algorithm(&tail_out, w->plan->key);
    an_der_put_bits(&tail_out, an_buf_view(&signature), 0);
    AN_TRY(an_output_write(&w->out, an_buf_view(&tail), reterr));
    if (pwrite(w->out.fd, head.ptr, head.len, 0) != (ssize_t)head.len)
        AN_FAIL(reterr, AN_E_FILE_WRITE, "%s", w->plan->path);
    w->made.bytes += head.len + tail.len;
    return AN_OK;
}

static an_code
write_list(struct writing *w, struct an_store *store, struct an_err *reterr)
{
    AN_TRY(an_store_write(store, take_number, w, reterr));
    AN_TRY(an_output_open(w->plan->path, &w->out, reterr));
    AN_TRY(an_store_read(store, write_snapshot, w, reterr));
    AN_TRY(write_signature(w, reterr));
    AN_TRY(an_crl_check_file(w->out.temporary, w->plan->issuer, w->made.number, w->made.entries, reterr));
    AN_TRY(an_output_commit(&w->out, reterr));
    return an_store_write(store, note_made, w, reterr);
}

an_code
an_crl_publish(struct an_store *store, const struct an_crl_plan *plan, struct an_crl_made *ret, struct an_err *reterr)
{
    an_code code = AN_E_CA_STALE;

    if (plan->this_update == AN_TIME_NONE || plan->next_update <= plan->this_update)
        AN_FAIL(reterr, AN_E_CA_FIELD, "nextUpdate <= thisUpdate");
    AN_TRY(an_ca_check_key(plan->issuer, plan->key, AN_KU_CRL_SIGN, AN_E_CA_ISSUER, reterr));
    if (an_ca_scheme(plan->key).digest == AN_DIGEST_NONE)
        AN_FAIL(reterr, AN_E_CA_KEY, "EdDSA: CertificateList");
    for (int i = 0; i < 8 && code == AN_E_CA_STALE; i++) {
        struct writing w = {.plan = plan, .scheme = an_ca_scheme(plan->key), .out = AN_OUTPUT_NONE,
                            .gathered = an_buf_new(GATHER_MAX)};
        if (!plan->is_delta)
            AN_TRY(an_crl_fold(store, plan->authority, reterr));
        w.hash = an_hash_new(w.scheme.digest);
        code = write_list(&w, store, reterr);
        an_hash_free(&w.hash);
        an_buf_free(&w.gathered);
        an_output_discard(&w.out);
        if (code == AN_OK)
            *ret = w.made;
    }
    return code;
}
