/* Rows into blocks: entries that lie one after the other in the list lie so in the store. */
#include "ca/crl_publish.h"

#define BLOCK_ENTRIES 4096
#define ROUND_ROWS 16384 /* as the statement has it; in one transaction: others get their turn */
#define ENTRY_MAX 128
#define BLOCK_BYTES_MAX ((size_t)BLOCK_ENTRIES * ENTRY_MAX)
#define STALE_MAX 64     /* as the statement has it */

struct gathered_row { int64_t sequence, partition; size_t at, len; };
struct fold {
    int64_t authority, from;
    struct gathered_row *rows; size_t count;
    struct an_buf bytes;
    bool goes_on;
};

static an_code
note_number(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    *(int64_t *)context = an_row_int(row, 0);
    return AN_OK;
}

static an_code
gather_row(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct fold *fold = context;
    an_bytes entry = an_row_blob(row, 2);

    if (fold->count == ROUND_ROWS || entry.len > ENTRY_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "revocation %lld: %zu byte", (long long)an_row_int(row, 0), entry.len);
    fold->rows[fold->count++] = (struct gathered_row){an_row_int(row, 0), an_row_int(row, 1), fold->bytes.len,
                                                      entry.len};
    an_buf_append(&fold->bytes, entry);
    return AN_OK;
}

static int
compare_rows(const void *a, const void *b)
{
    const struct gathered_row *x = a, *y = b;

    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

/* The rows [first, last) of one partition. */
static an_code
put_block(struct an_tx *tx, const struct fold *fold, size_t first, size_t last, struct an_buf *content,
          struct an_err *reterr)
{
    an_buf_reset(content);
    for (size_t i = first; i < last; i++)
        an_buf_append(content, AN_BYTES(fold->bytes.ptr + fold->rows[i].at, fold->rows[i].len));
    const struct an_value values[] = {AN_V_INT(fold->authority), AN_V_INT(fold->rows[first].partition),
                                      AN_V_INT(fold->rows[first].sequence),
                                      AN_V_INT(fold->rows[last - 1].sequence), AN_V_INT(last - first),
                                      AN_V_INT(content->len), AN_V_BLOB(an_buf_view(content))};
    return an_tx_run(tx, AN_SQL_CRL_BLOCK_INSERT, values, AN_COUNT(values), NULL, reterr);
}

static an_code
put_blocks(struct an_tx *tx, struct fold *fold, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf content = an_buf_new(BLOCK_BYTES_MAX);
    int64_t last = fold->rows[fold->count - 1].sequence;

    qsort(fold->rows, fold->count, sizeof(*fold->rows), compare_rows);
    for (size_t first = 0, next; first < fold->count; first = next) {
        for (next = first + 1; next < fold->count && next - first < BLOCK_ENTRIES &&
             fold->rows[next].partition == fold->rows[first].partition;)
            next++;
        AN_TRY(put_block(tx, fold, first, next, &content, reterr));
    }
    const struct an_value values[] = {AN_V_INT(fold->authority), AN_V_INT(last)};
    return an_tx_run(tx, AN_SQL_CRL_FOLD_PUT, values, AN_COUNT(values), NULL, reterr);
}

static an_code
fold_round(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct fold *fold = context;
    const struct an_value who[] = {AN_V_INT(fold->authority)};

    fold->count = 0;
    fold->from = 0;
    an_buf_reset(&fold->bytes);
    AN_TRY(an_tx_one(tx, AN_SQL_CRL_FOLD_FIND, who, AN_COUNT(who), note_number, &fold->from, NULL, reterr));
    const struct an_value range[] = {AN_V_INT(fold->authority), AN_V_INT(fold->from)};
    AN_TRY(an_tx_each(tx, AN_SQL_CRL_FOLD_ROWS, range, AN_COUNT(range), gather_row, fold, reterr));
    fold->goes_on = fold->count == ROUND_ROWS;
    return fold->count < BLOCK_ENTRIES ? AN_OK : put_blocks(tx, fold, reterr); /* few are read as they are */
}

/* ---- blocks in which something changed ---- */
struct stale { int64_t partition, first, last; };
struct mend { int64_t authority; struct stale blocks[STALE_MAX]; size_t count; struct fold *fold; };

static an_code
note_stale(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct mend *mend = context;

    (void)reterr;
    if (mend->count < STALE_MAX)
        mend->blocks[mend->count++] = (struct stale){an_row_int(row, 0), an_row_int(row, 1), an_row_int(row, 2)};
    return AN_OK;
}

static an_code
mend_round(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct mend *mend = context;
    const struct an_value who[] = {AN_V_INT(mend->authority)};

    mend->count = 0;
    AN_TRY(an_tx_each(tx, AN_SQL_CRL_BLOCK_STALE, who, AN_COUNT(who), note_stale, mend, reterr));
    for (size_t i = 0; i < mend->count; i++) {
        const struct stale *block = &mend->blocks[i];
        const struct an_value range[] = {AN_V_INT(mend->authority), AN_V_INT(block->partition), AN_V_INT(block->first),
                                         AN_V_INT(block->last)};
        mend->fold->count = 0;
        an_buf_reset(&mend->fold->bytes);
        AN_TRY(an_tx_each(tx, AN_SQL_CRL_BLOCK_ROWS, range, AN_COUNT(range), gather_row, mend->fold, reterr));
        const struct an_value values[] = {AN_V_INT(mend->authority), AN_V_INT(block->partition), AN_V_INT(block->first),
                                          AN_V_INT(mend->fold->count),
                                          AN_V_INT(mend->fold->bytes.len),
                                          AN_V_BLOB(mend->fold->bytes.len ? an_buf_view(&mend->fold->bytes)
                                                    : AN_LIT(""))};
        AN_TRY(an_tx_run(tx, AN_SQL_CRL_BLOCK_PUT, values, AN_COUNT(values), NULL, reterr));
    }
    return AN_OK;
}

an_code
an_crl_fold(struct an_store *store, int64_t authority, struct an_err *reterr)
{
    struct fold fold = {.authority = authority, .rows = an_new_array(ROUND_ROWS, sizeof(*fold.rows)),
                        .bytes = an_buf_new((size_t)ROUND_ROWS * ENTRY_MAX), .goes_on = true};
    struct mend mend = {.authority = authority, .fold = &fold, .count = STALE_MAX};
    an_code code = AN_OK;

    while (code == AN_OK && fold.goes_on)
        code = an_store_write(store, fold_round, &fold, reterr);
    while (code == AN_OK && mend.count == STALE_MAX)
        code = an_store_write(store, mend_round, &mend, reterr);
    an_buf_free(&fold.bytes);
    free(fold.rows);
    return code;
}
