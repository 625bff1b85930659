/*
 * Appending. A work only encodes its event; place, chain and tree are fixed once for all works of a group, just before
 * their commit: one read and one write of the head for the group, one row an event.
 */
#include "audit/internal.h"
#include "base/limits.h"
#include "base/utf8.h"

an_code
an_audit_append(struct an_tx *tx, const struct an_audit_event *event, struct an_err *reterr)
{
    const char *const texts[EVENT_TEXTS] = {event->action, event->actor,    event->role,  event->object,
                                            event->outcome, event->citation, event->detail};
    AN_CLEANUP(an_buf_free) struct an_buf bytes = an_buf_new(AN_LIMIT_AUDIT_EVENT);
    struct entry entry = {.at = event->at};

    for (size_t i = 0; i < EVENT_TEXTS; i++) {
        entry.texts[i] = an_bytes_of_str(texts[i]);
        if (!an_utf8_is_valid(entry.texts[i]))
            AN_FAIL(reterr, AN_E_AUDIT_EVENT, "text %zu is not UTF-8", i);
        /* the last is JSON, which writes them as escapes */
        if (i + 1 < EVENT_TEXTS && !an_utf8_is_visible(entry.texts[i]))
            AN_FAIL(reterr, AN_E_AUDIT_EVENT, "text %zu has control characters", i);
    }
    if (entry.texts[0].len == 0)
        AN_FAIL(reterr, AN_E_AUDIT_EVENT, "no action");
    entry_write(&entry, &bytes);
    if (!an_buf_ok(&bytes))
        AN_FAIL(reterr, AN_E_LIMIT, "audit event %s", event->action);
    an_tx_keep(tx, an_buf_view(&bytes));
    return AN_OK;
}

an_code
take_head(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct head *head = context;
    an_bytes chain = an_row_blob(row, 1), hashes;

    head->frontier.size = (uint64_t)an_row_int(row, 0);
    if (chain.len != HASH_SIZE)
        AN_FAIL(reterr, AN_E_AUDIT_DAMAGED, "the head of the log");
    memcpy(head->chain, chain.ptr, HASH_SIZE);
    hashes = an_row_blob(row, 2);
    if (hashes.len != HASH_SIZE * (size_t)__builtin_popcountll(head->frontier.size) ||
        hashes.len > sizeof(head->frontier.hashes))
        AN_FAIL(reterr, AN_E_AUDIT_DAMAGED, "the head of the log");
    head->frontier.count = hashes.len / HASH_SIZE;
    memcpy(head->frontier.hashes, hashes.ptr, hashes.len);
    return AN_OK;
}

static an_code
put_node(void *context, unsigned level, uint64_t place, const uint8_t hash[HASH_SIZE], struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(level), AN_V_INT(place), AN_V_BLOB(AN_BYTES(hash, HASH_SIZE))};

    if (level % TILE_LEVELS != 0)
        return AN_OK;
    return an_tx_run(context, AN_SQL_AUDIT_NODE_INSERT, values, AN_COUNT(values), NULL, reterr);
}

static an_code
put_event(struct an_tx *tx, struct head *head, struct an_hash *hash, an_bytes record, struct an_err *reterr)
{
    struct an_value values[3 + EVENT_TEXTS];
    struct entry entry;
    uint8_t leaf[HASH_SIZE];

    AN_ASSERT(entry_read(record, &entry));
    leaf_hash(hash, record, leaf);
    chain_hash(hash, head->chain, leaf, head->chain);
    AN_TRY(frontier_add(&head->frontier, hash, leaf, put_node, tx, reterr));
    values[0] = AN_V_INT(head->frontier.size);
    values[1] = AN_V_INT(entry.at);
    for (size_t i = 0; i < EVENT_TEXTS; i++)
        values[2 + i] = (struct an_value){AN_VALUE_TEXT, 0, entry.texts[i]};
    values[2 + EVENT_TEXTS] = AN_V_BLOB(AN_BYTES(head->chain, HASH_SIZE));
    return an_tx_run(tx, AN_SQL_AUDIT_EVENT_INSERT, values, AN_COUNT(values), NULL, reterr);
}

static an_code
close_events(struct an_tx *tx, const an_bytes *records, size_t count, struct an_err *reterr)
{
    AN_CLEANUP(free_hash) struct an_hash *hash = an_hash_new(AN_SHA256);
    struct head head = {0};
    struct an_value values[3];

    AN_TRY(an_tx_one(tx, AN_SQL_AUDIT_HEAD_FIND, NULL, 0, take_head, &head, NULL, reterr));
    for (size_t i = 0; i < count; i++)
        AN_TRY(put_event(tx, &head, hash, records[i], reterr));
    values[0] = AN_V_INT(head.frontier.size);
    values[1] = AN_V_BLOB(AN_BYTES(head.chain, HASH_SIZE));
    values[2] = AN_V_BLOB(AN_BYTES(head.frontier.hashes, head.frontier.count * HASH_SIZE));
    return an_tx_run(tx, AN_SQL_AUDIT_HEAD_PUT, values, AN_COUNT(values), NULL, reterr);
}

void
an_audit_attach(struct an_store *store)
{
    an_store_set_closer(store, close_events);
}
