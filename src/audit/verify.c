/*
 * Verifying: every row is hashed again, in blocks of 2^16 by several threads; each block checks its part of the chain
 * and the stored hashes of its subtrees, and hands over its right edge. Joined in order the edges give the root at the
 * end and at every checkpoint.
 *
 * What is found where: a row that was changed breaks the chain at its own place. Whoever makes the chain anew from
 * there on breaks the stored subtrees; whoever makes those anew too breaks the next checkpoint, which is signed and,
 * once exported, in others' hands.
 */
#include <pthread.h>
#include <unistd.h>

#include "audit/internal.h"
#include "base/limits.h"
#include "base/program.h"

#define BLOCK_LEVEL 16
#define BLOCK_ROWS ((int64_t)1 << BLOCK_LEVEL)
#define TILE_ROWS ((int64_t)1 << TILE_LEVELS)
#define TILES (BLOCK_ROWS / TILE_ROWS)
#define WORKERS_MAX 16

struct signed_head { /* a checkpoint as it stands in the store */
    struct statement statement;
    int64_t size;
    bool good, stamped;
    struct frontier edge; /* of its block, at its size */
};
AN_VEC(signed_heads, struct signed_head);
AN_VEC(findings, struct an_audit_finding);

struct check {
    struct an_store *store;
    const struct an_certs *signers;
    struct head head;
    int64_t rows_last;        /* the largest seq there is */
    uint8_t chain_last[HASH_SIZE]; /* of the row at which the head says the log ends */
    struct signed_heads heads;
    struct frontier *edges;   /* of each block */
    int64_t block_count, next_block;
    pthread_mutex_t lock;     /* over findings, next_block, failed */
    struct findings findings;
    an_code failed;
    struct an_err error;
};

static void
note(struct check *check, enum an_audit_fault fault, int64_t first, int64_t last)
{
    pthread_mutex_lock(&check->lock);
    if (check->findings.count < AN_LIMIT_AUDIT_FINDINGS)
        *findings_push(&check->findings) = (struct an_audit_finding){fault, first, last};
    pthread_mutex_unlock(&check->lock);
}

/* ---- one block ---- */
struct block {
    struct check *check;
    struct an_hash *hash;
    struct an_buf entry;
    int64_t number, first, last, seen;        /* rows first…last; seen: the last one handled */
    uint8_t chain[HASH_SIZE];                  /* stored at seen */
    struct frontier edge;
    size_t head;                               /* the next checkpoint that this block passes */
    uint8_t tiles[TILES][HASH_SIZE];           /* level 8, computed */
    bool faulty[TILES];                        /* a row of it is known to be wrong */
    int64_t next_tile;
};

static an_code
take_tile(void *context, unsigned level, uint64_t place, const uint8_t hash[HASH_SIZE], struct an_err *reterr)
{
    struct block *block = context;

    (void)reterr;
    if (level == TILE_LEVELS)
        memcpy(block->tiles[place], hash, HASH_SIZE);
    return AN_OK;
}

static an_code
add_leaf(struct block *block, const uint8_t leaf[HASH_SIZE], struct an_err *reterr)
{
    struct signed_heads *heads = &block->check->heads;

    block->seen++;
    AN_TRY(frontier_add(&block->edge, block->hash, leaf, take_tile, block, reterr));
    for (; block->head < heads->count && heads->items[block->head].size <= block->seen; block->head++)
        if (heads->items[block->head].size == block->seen)
            heads->items[block->head].edge = block->edge;
    return AN_OK;
}

static void
mark_faulty(struct block *block, int64_t seq)
{
    block->faulty[(seq - block->first) / TILE_ROWS] = true;
}

/* Rows that are not there stand as leaves of zeros, so that those behind them keep their places. */
static an_code
skip_to(struct block *block, int64_t seq, struct an_err *reterr)
{
    static const uint8_t nothing[HASH_SIZE];

    if (block->seen + 1 < seq)
        note(block->check, AN_AUDIT_MISSING, block->seen + 1, seq - 1);
    while (block->seen + 1 < seq) {
        mark_faulty(block, block->seen + 1);
        AN_TRY(add_leaf(block, nothing, reterr));
    }
    return AN_OK;
}

static an_code
check_row(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct block *block = context;
    int64_t seq = an_row_int(row, 0);
    bool follows = seq == block->seen + 1;
    an_bytes chain = an_row_blob(row, 9);
    uint8_t leaf[HASH_SIZE], expected[HASH_SIZE];
    struct entry entry;

    AN_TRY(skip_to(block, seq, reterr));
    entry_of_row(row, &entry);
    an_buf_reset(&block->entry);
    entry_write(&entry, &block->entry);
    leaf_hash(block->hash, an_buf_view(&block->entry), leaf);
    chain_hash(block->hash, block->chain, leaf, expected);
    if (follows && (chain.len != HASH_SIZE || memcmp(chain.ptr, expected, HASH_SIZE) != 0)) {
        note(block->check, AN_AUDIT_CHANGED, seq, seq);
        mark_faulty(block, seq);
    }
    if (chain.len == HASH_SIZE)
        memcpy(block->chain, chain.ptr, HASH_SIZE);
    return add_leaf(block, leaf, reterr);
}

static an_code
take_chain(void *context, const struct an_row *row, struct an_err *reterr)
{
    an_bytes chain = an_row_blob(row, 0);

    (void)reterr;
    if (chain.len == HASH_SIZE)
        memcpy(context, chain.ptr, HASH_SIZE);
    return AN_OK;
}

static an_code
check_tile(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct block *block = context;
    int64_t tile = an_row_int(row, 0) - block->number * TILES, first = block->first + tile * TILE_ROWS;
    an_bytes hash = an_row_blob(row, 1);

    (void)reterr;
    for (; block->next_tile < tile; block->next_tile++) /* its hash is gone */
        note(block->check, AN_AUDIT_NODE, block->first + block->next_tile * TILE_ROWS,
             block->first + (block->next_tile + 1) * TILE_ROWS - 1);
    block->next_tile = tile + 1;
    if (!block->faulty[tile] && (hash.len != HASH_SIZE || memcmp(hash.ptr, block->tiles[tile], HASH_SIZE) != 0))
        note(block->check, AN_AUDIT_NODE, first, first + TILE_ROWS - 1);
    return AN_OK;
}

static an_code
check_block(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct block *block = context;
    int64_t tiles = (block->last - block->first + 1) / TILE_ROWS;
    struct an_value range[] = {AN_V_INT(block->first - 1), AN_V_INT(block->last)};
    struct an_value nodes[] = {AN_V_INT(TILE_LEVELS), AN_V_INT(block->number * TILES),
                               AN_V_INT(block->number * TILES + tiles)};

    block->seen = block->first - 1;
    block->edge = (struct frontier){0};
    block->next_tile = 0;
    if (block->first > 1)
        AN_TRY(an_tx_one(tx, AN_SQL_AUDIT_EVENT_CHAIN, range, 1, take_chain, block->chain, NULL, reterr));
    AN_TRY(an_tx_each(tx, AN_SQL_AUDIT_EVENT_RANGE, range, 2, check_row, block, reterr));
    AN_TRY(skip_to(block, block->last + 1, reterr));
    AN_TRY(an_tx_each(tx, AN_SQL_AUDIT_NODE_RANGE, nodes, 3, check_tile, block, reterr));
    for (; block->next_tile < tiles; block->next_tile++)
        note(block->check, AN_AUDIT_NODE, block->first + block->next_tile * TILE_ROWS,
             block->first + (block->next_tile + 1) * TILE_ROWS - 1);
    return AN_OK;
}

static bool
take_block(struct check *check, int64_t *ret)
{
    bool there;

    pthread_mutex_lock(&check->lock);
    there = check->failed == AN_OK && check->next_block < check->block_count;
    if (there)
        *ret = check->next_block++;
    pthread_mutex_unlock(&check->lock);
    return there;
}

static void *
run_worker(void *context)
{
    struct check *check = context;
    struct an_hash *hash = an_hash_new(AN_SHA256);
    struct an_err err = {0};
    int64_t number;

    while (take_block(check, &number)) {
        struct block *block = AN_NEW(struct block);
        int64_t size = (int64_t)check->head.frontier.size;
        an_code code;

        block->check = check;
        block->hash = hash;
        block->entry = an_buf_new(AN_BUF_UNLIMITED);
        block->number = number;
        block->first = number * BLOCK_ROWS + 1;
        block->last = block->first + BLOCK_ROWS - 1 < size ? block->first + BLOCK_ROWS - 1 : size;
        while (block->head < check->heads.count && check->heads.items[block->head].size < block->first)
            block->head++;
        code = an_store_read(check->store, check_block, block, &err);
        check->edges[number] = block->edge;
        an_buf_free(&block->entry);
        free(block);
        if (code == AN_OK)
            continue;
        pthread_mutex_lock(&check->lock);
        check->failed = code;
        check->error = err;
        pthread_mutex_unlock(&check->lock);
    }
    an_hash_free(&hash);
    return NULL;
}

static void
run_workers(struct check *check)
{
    pthread_t threads[WORKERS_MAX];
    int64_t cores = (int64_t)an_cores();
    size_t count = 0;

    for (int64_t i = 1; i < cores && i < check->block_count && count < WORKERS_MAX; i++)
        if (pthread_create(&threads[count], NULL, run_worker, check) == 0)
            count++;
    run_worker(check); /* this one too */
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

/* ---- the whole ---- */
static an_code
take_signed_head(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct check *check = context;
    struct signed_head *head = signed_heads_push(&check->heads);

    (void)reterr;
    head->size = an_row_int(row, 0);
    head->good = statement_read(an_row_blob(row, 2), &head->statement) && head->statement.size == head->size &&
                 statement_is_signed(an_row_blob(row, 2), an_row_blob(row, 3), check->signers, &head->stamped);
    return AN_OK;
}

/* Both readings of the heads end with these. */
static an_code
read_heads_rest(struct check *check, struct an_tx *tx, struct an_err *reterr)
{
    struct an_value at[] = {AN_V_INT(check->head.frontier.size)};

    AN_TRY(an_tx_int(tx, AN_SQL_AUDIT_EVENT_LAST, NULL, 0, &check->rows_last, reterr));
    AN_TRY(an_tx_one(tx, AN_SQL_AUDIT_EVENT_CHAIN, at, 1, take_chain, check->chain_last, NULL, reterr));
    return an_tx_each(tx, AN_SQL_AUDIT_CHECKPOINT_LIST, NULL, 0, take_signed_head, check, reterr);
}

static an_code
read_heads(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct check *check = context;

    AN_TRY(an_tx_one(tx, AN_SQL_AUDIT_HEAD_FIND, NULL, 0, take_head, &check->head, NULL, reterr));
    return read_heads_rest(check, tx, reterr);
}

/* The first row that is known to be wrong: checkpoints from there on differ for that reason and are not told of
 * again. */
static int64_t
first_fault(const struct check *check)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < check->findings.count; i++)
        if (check->findings.items[i].fault <= AN_AUDIT_CHANGED && check->findings.items[i].first < first)
            first = check->findings.items[i].first;
    return first;
}

static void
judge_signed_head(struct check *check, const struct signed_head *head, int64_t before, int64_t fault,
                  const uint8_t root[HASH_SIZE],
                  struct an_audit_report *report)
{
    int64_t size = (int64_t)check->head.frontier.size;

    report->stamped += head->good && head->stamped;
    if (!head->good)
        note(check, AN_AUDIT_SIGNATURE, before + 1, head->size);
    else if (head->size > size)
        note(check, AN_AUDIT_HEAD, size + 1, head->size);
    else if (memcmp(root, head->statement.root, HASH_SIZE) == 0)
        report->signed_size = head->size;
    else if (fault > head->size)
        note(check, AN_AUDIT_CHECKPOINT, before + 1, head->size);
}

/* Joins the edges of the blocks; on the way each checkpoint is compared with what stood in the log at its size. */
static void
join_blocks(struct check *check, struct an_hash *hash, struct frontier *ret_all, struct an_audit_report *report)
{
    int64_t before = 0, fault = first_fault(check);
    size_t at = 0;

    for (int64_t i = 0; i <= check->block_count; i++) {
        for (; at < check->heads.count && (i == check->block_count ||
                                           check->heads.items[at].size <= (i + 1) * BLOCK_ROWS); at++) {
            const struct signed_head *head = &check->heads.items[at];
            struct frontier then = *ret_all;
            uint8_t root[HASH_SIZE];

            if (i < check->block_count)
                frontier_join(&then, hash, &head->edge);
            frontier_root(&then, hash, root);
            judge_signed_head(check, head, before, fault, root, report);
            before = head->size;
        }
        if (i < check->block_count)
            frontier_join(ret_all, hash, &check->edges[i]);
    }
}

static int
compare_findings(const void *a, const void *b)
{
    const struct an_audit_finding *x = a, *y = b;

    return x->first != y->first ? (x->first > y->first) - (x->first < y->first) : (int)x->fault - (int)y->fault;
}

static void
conclude(struct check *check, struct an_audit_report *ret)
{
    AN_CLEANUP(free_hash) struct an_hash *hash = an_hash_new(AN_SHA256);
    struct an_audit_report report = {.size = (int64_t)check->head.frontier.size, .checkpoints = check->heads.count};
    struct frontier all = {0};
    uint8_t stored[HASH_SIZE];
    bool clean;

    join_blocks(check, hash, &all, &report);
    frontier_root(&all, hash, report.root);
    frontier_root(&check->head.frontier, hash, stored);
    memcpy(report.chain, check->head.chain, HASH_SIZE);
    clean = check->findings.count == 0;
    if (check->rows_last > report.size)
        note(check, AN_AUDIT_HEAD, report.size + 1, check->rows_last);
    else if (clean && (memcmp(report.root, stored, HASH_SIZE) != 0 ||
                       memcmp(report.chain, check->chain_last, HASH_SIZE) != 0))
        note(check, AN_AUDIT_HEAD, report.size, report.size);
    if (check->findings.count > 1)
        qsort(check->findings.items, check->findings.count, sizeof(struct an_audit_finding), compare_findings);
    report.findings = check->findings.items;
    report.finding_count = check->findings.count;
    check->findings = (struct findings){0};
    *ret = report;
}

/* A head whose own row was damaged: the rows say how far the log goes, and the head is a finding. */
static void
mend_head(struct check *check)
{
    note(check, AN_AUDIT_HEAD, check->rows_last, check->rows_last);
    check->head = (struct head){.frontier = {.size = (uint64_t)check->rows_last}};
}

static an_code
read_rows_last(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return read_heads_rest(context, tx, reterr);
}

an_code
an_audit_verify(struct an_store *store, const struct an_certs *signers, struct an_audit_report *ret,
                struct an_err *reterr)
{
    struct check check = {.store = store, .signers = signers, .lock = PTHREAD_MUTEX_INITIALIZER};
    an_code code = an_store_read(store, read_heads, &check, reterr);

    if (code == AN_E_AUDIT_DAMAGED) {
        signed_heads_done(&check.heads);
        code = an_store_read(store, read_rows_last, &check, reterr);
        mend_head(&check);
    }
    check.block_count = ((int64_t)check.head.frontier.size + BLOCK_ROWS - 1) / BLOCK_ROWS;
    check.edges = an_new_array((size_t)check.block_count + 1, sizeof(struct frontier));
    if (code == AN_OK)
        run_workers(&check);
    if (code == AN_OK && check.failed != AN_OK) {
        code = check.failed;
        if (reterr != NULL)
            *reterr = check.error;
    }
    if (code == AN_OK)
        conclude(&check, ret);
    free(check.edges);
    signed_heads_done(&check.heads);
    findings_done(&check.findings);
    return code;
}

void
an_audit_report_done(struct an_audit_report *report)
{
    free(report->findings);
    *report = (struct an_audit_report){0};
}
