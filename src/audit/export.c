/* The log for an outsider: JSON lines. The form stands in outside.c, with the program that checks it. */
#include <jansson.h>
#include <sys/stat.h>

#include "audit/internal.h"
#include "base/file.h"

struct export {
    struct an_output out;
    struct an_buf line;
};

static an_code
write_json(struct export *export, json_t *json, struct an_err *reterr)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    an_code code = AN_OK;

    json_decref(json);
    if (text == NULL)
        AN_FAIL(reterr, AN_E_AUDIT_EVENT, "JSON");
    an_buf_str(&export->line, text);
    an_buf_byte(&export->line, '\n');
    free(text);
    if (export->line.len > (size_t)1 << 16) {
        code = an_output_write(&export->out, an_buf_view(&export->line), reterr);
        an_buf_reset(&export->line);
    }
    return code;
}

static json_t *
hex_json(an_bytes bytes)
{
    struct an_buf hex = an_buf_new(AN_BUF_UNLIMITED);
    json_t *json;

    an_buf_hex(&hex, bytes);
    json = json_stringn((const char *)hex.ptr, hex.len);
    an_buf_free(&hex);
    return json;
}

static json_t *
base64_json(an_bytes bytes)
{
    struct an_buf text = an_buf_new(AN_BUF_UNLIMITED);
    json_t *json;

    an_base64_encode(&text, bytes);
    json = json_stringn((const char *)text.ptr, text.len);
    an_buf_free(&text);
    return json;
}

static an_code
write_event(void *context, const struct an_audit_entry *entry, struct an_err *reterr)
{
    const struct an_audit_event *e = &entry->event;

    return write_json(context, json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "seq",
                                         (json_int_t)entry->seq, "at", (json_int_t)e->at,
                                         "action", e->action, "actor", e->actor, "role", e->role, "object", e->object,
                                         "outcome", e->outcome,
                                         "citation", e->citation, "detail", e->detail, "chain", hex_json(entry->chain)),
                                         reterr);
}

static an_code
write_checkpoint(void *context, const struct an_row *row, struct an_err *reterr)
{
    return write_json(context, json_pack("{s:I, s:o, s:o}", "checkpoint", (json_int_t)an_row_int(row, 0), "statement",
                                         base64_json(an_row_blob(row, 2)),
                                         "signature", base64_json(an_row_blob(row, 3))), reterr);
}

static an_code
write_checkpoints(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_tx_each(tx, AN_SQL_AUDIT_CHECKPOINT_LIST, NULL, 0, write_checkpoint, context, reterr);
}

static an_code
read_head(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_tx_one(tx, AN_SQL_AUDIT_HEAD_FIND, NULL, 0, take_head, context, NULL, reterr);
}

static an_code
write_all(struct an_store *store, const char *instance, struct export *export, struct an_err *reterr)
{
    AN_CLEANUP(free_hash) struct an_hash *hash = an_hash_new(AN_SHA256);
    struct head head = {0};
    uint8_t root[HASH_SIZE];

    AN_TRY(an_store_read(store, read_head, &head, reterr));
    frontier_root(&head.frontier, hash, root);
    AN_TRY(write_json(export, json_pack("{s:s, s:s, s:I, s:o, s:o}", "format", "antin-audit-export 1", "instance",
                                        instance, "size",
                                        (json_int_t)head.frontier.size, "root", hex_json(AN_BYTES(root, HASH_SIZE)),
                                        "chain",
                                        hex_json(AN_BYTES(head.chain, HASH_SIZE))), reterr));
    AN_TRY(an_store_read(store, write_checkpoints, export, reterr));
    AN_TRY(audit_each(store, 0, (int64_t)head.frontier.size, write_event, export, reterr));
    return an_output_write(&export->out, an_buf_view(&export->line), reterr);
}

an_code
an_audit_export(struct an_store *store, const char *instance, const char *viewer, const char *path,
                struct an_err *reterr)
{
    struct export export = {.out = AN_OUTPUT_NONE, .line = an_buf_new(AN_BUF_UNLIMITED)};
    an_code code;

    AN_TRY(audit_note_view(store, viewer, "audit.export", NULL, reterr));
    AN_TRY(an_output_open(path, &export.out, reterr));
    (void)fchmod(export.out.fd, 0600); /* whoever it is for is given it */
    code = write_all(store, instance, &export, reterr);
    if (code == AN_OK)
        code = an_output_commit(&export.out, reterr);
    an_output_discard(&export.out);
    an_buf_free(&export.line);
    return code;
}
