/* The dossier in the store: made, rewritten, read, moved. */
#include "request/internal.h"

#include "audit/audit.h"
#include "base/utf8.h"
#include "crypto/crypto.h"

#include <stdio.h>

an_time
request_time(const struct an_row *row, size_t column)
{
    return an_row_is_null(row, column) ? AN_TIME_NONE : an_row_int(row, column);
}

const char *
request_text(struct an_arena *arena, const struct an_row *row, size_t column)
{
    return an_arena_str(arena, an_bytes_of_str(an_row_text(row, column)));
}

/* A time that may be unknown. */
struct an_value
request_v_time(an_time at)
{
    return at == AN_TIME_NONE ? AN_V_NULL : AN_V_INT(at);
}

/* ---- reading ---- */
struct reading {
    struct an_arena *arena;
    struct an_dossier *request;
};

static void
take_hash(const struct an_row *row, size_t column, uint8_t ret[static 32])
{
    an_bytes hash = an_row_blob(row, column);

    memset(ret, 0, 32);
    if (hash.len == 32)
        memcpy(ret, hash.ptr, 32);
}

static an_code
take_request(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct reading *reading = context;
    struct an_dossier *r = reading->request;
    const char **texts[] = {&r->regulation, &r->agency, &r->addressee, &r->subject_kind, &r->device_kind, &r->form,
                            &r->form_citation, &r->number};
    an_time *times[] = {&r->sent_at, &r->received_at, &r->valid_at, &r->due_at, &r->escalated_at, &r->closed_at};

    *r = (struct an_dossier){.id = an_row_int(row, 0), .kind = (enum an_request_kind)an_row_int(row, 2)};
    r->key = request_text(reading->arena, row, 1);
    for (size_t i = 0; i < AN_COUNT(texts); i++)
        *texts[i] = request_text(reading->arena, row, 3 + i);
    r->state = (enum an_request_state)an_row_int(row, 11);
    r->round = an_row_int(row, 12);
    r->urgent = an_row_int(row, 13) != 0;
    r->content = request_text(reading->arena, row, 14);
    take_hash(row, 15, r->digest);
    r->has_document = !an_row_is_null(row, 16);
    take_hash(row, 16, r->document);
    r->reason = request_text(reading->arena, row, 17);
    r->created_at = an_row_int(row, 18);
    r->created_by = request_text(reading->arena, row, 19);
    r->signed_at = request_time(row, 20);
    r->signed_by = request_text(reading->arena, row, 21);
    for (size_t i = 0; i < AN_COUNT(times); i++)
        *times[i] = request_time(row, 22 + i);
    if (r->content == NULL || r->signed_by == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "request:%lld", (long long)r->id);
    return AN_OK;
}

an_code
an_request_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_dossier *ret, struct an_err *reterr)
{
    struct reading reading = {arena, ret};
    struct an_value values[] = {AN_V_INT(id)};
    bool found = false;

    AN_TRY(an_tx_one(tx, AN_SQL_REQUEST_FIND, values, AN_COUNT(values), take_request, &reading, &found, reterr));
    if (!found)
        AN_FAIL(reterr, AN_E_REQUEST_UNKNOWN, "request:%lld", (long long)id);
    return AN_OK;
}

struct item_reading {
    struct an_arena *arena;
    struct an_request_items vec;
};

static an_code
take_item(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct item_reading *reading = context;
    struct an_request_item *item = an_request_items_push(&reading->vec);

    item->place = an_row_int(row, 0);
    item->state = (int)an_row_int(row, 1);
    item->subject = request_text(reading->arena, row, 2);
    item->name = request_text(reading->arena, row, 3);
    item->email = request_text(reading->arena, row, 4);
    item->certificate = request_text(reading->arena, row, 5);
    item->device = request_text(reading->arena, row, 6);
    item->ground = request_text(reading->arena, row, 7);
    take_hash(row, 8, item->facts);
    item->matter = an_row_int(row, 9);
    item->decided_at = request_time(row, 10);
    item->decided_by = request_text(reading->arena, row, 11);
    item->reason = request_text(reading->arena, row, 12);
    item->result = request_text(reading->arena, row, 13);
    if (item->result == NULL || item->reason == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "item:%lld", (long long)item->place);
    return AN_OK;
}

an_code
an_request_items(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_request_item **ret, size_t *ret_count,
                 struct an_err *reterr)
{
    struct item_reading reading = {.arena = arena};
    struct an_value values[] = {AN_V_INT(id)};
    an_code code = an_tx_each(tx, AN_SQL_REQUEST_ITEM_LIST, values, AN_COUNT(values), take_item, &reading, reterr);

    if (code == AN_OK) {
        an_bytes all = an_arena_dup(arena, AN_BYTES(reading.vec.items, reading.vec.count * sizeof(*reading.vec.items)));
        if (reading.vec.count > 0 && all.len == 0)
            code = an_err_set(reterr, AN_E_LIMIT, "%zu items", reading.vec.count);
        *ret = (struct an_request_item *)(uintptr_t)all.ptr;
        *ret_count = reading.vec.count;
    }
    an_request_items_done(&reading.vec);
    return code;
}

/* ---- writing ---- */
an_code
request_tell(struct an_tx *tx, int64_t id, const char *action, enum an_request_state from, enum an_request_state to,
             const struct an_request_deed *deed, struct an_err *reterr)
{
    char object[40];
    const char *role = deed->role ? deed->role : "", *citation = deed->citation ? deed->citation : "",
                *detail = deed->detail ? deed->detail : "";
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(deed->at), an_v_text(action), an_v_text(deed->actor),
                                an_v_text(role),
                                AN_V_INT(from), AN_V_INT(to), an_v_text(citation), an_v_text(detail)};
    AN_CLEANUP(an_free_ptr) char *facts = an_asprintf("{\"from\":\"%s\",\"to\":\"%s\"}",
                                                      from ? an_request_state_id(from) : "", an_request_state_id(to));
    struct an_audit_event event = {.at = deed->at, .action = action, .actor = deed->actor, .role = role,
                                   .object = object, .outcome = "done",
                                   .citation = citation, .detail = facts};

    snprintf(object, sizeof(object), "request:%lld", (long long)id);
    AN_TRY(an_tx_run(tx, AN_SQL_REQUEST_EVENT_INSERT, values, AN_COUNT(values), NULL, reterr));
    return an_audit_append(tx, &event, reterr);
}

static an_code
insert_items(struct an_tx *tx, int64_t id, const struct an_request_item *items, size_t count, struct an_err *reterr)
{
    for (size_t i = 0; i < count; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf folded = an_buf_new(4096);
        const struct an_request_item *item = &items[i];

        if (!an_utf8_fold(&folded, an_bytes_of_str(item->name)))
            AN_FAIL(reterr, AN_E_UTF8, "item %zu", i + 1);
        an_buf_byte(&folded, 0);
        struct an_value values[] = {AN_V_INT(id), AN_V_INT((int64_t)i + 1), an_v_text(item->subject),
                                    an_v_text(item->name),
                                    an_v_text((const char *)folded.ptr), an_v_text(item->email),
                                    an_v_text(item->certificate),
                                    an_v_text(item->device), an_v_text(item->ground),
                                    AN_V_BLOB(AN_BYTES(item->facts, 32))};
        AN_TRY(an_tx_run(tx, AN_SQL_REQUEST_ITEM_INSERT, values, AN_COUNT(values), NULL, reterr));
    }
    return AN_OK;
}

static void
digest_content(const struct an_dossier *request, uint8_t ret[static AN_DIGEST_MAX])
{
    an_hash_once(AN_SHA256, an_bytes_of_str(request->content), ret);
}

/* The key is there: the same dossier, or another that takes its key by mistake. */
static an_code
find_same(struct an_tx *tx, const struct an_dossier *request, const uint8_t digest[static 32], int64_t *ret_id,
          struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = NULL;
    struct an_value values[] = {an_v_text(request->key)};
    struct an_dossier there;

    AN_TRY(an_tx_int(tx, AN_SQL_REQUEST_BY_KEY, values, AN_COUNT(values), ret_id, reterr));
    if (*ret_id == 0)
        return AN_OK;
    arena = an_arena_new(AN_LIMIT_REQUEST_ARENA);
    AN_TRY(an_request_find(tx, *ret_id, arena, &there, reterr));
    if (there.kind != request->kind || strcmp(there.agency, request->agency) != 0 ||
        (there.round == 1 && there.state <= AN_REQUEST_SIGNED && memcmp(there.digest, digest, 32) != 0))
        AN_FAIL(reterr, AN_E_REQUEST_KEY, "request:%lld", (long long)*ret_id);
    return AN_OK;
}

an_code
an_request_find_key(struct an_tx *tx, const char *key, int64_t *ret_id, struct an_err *reterr)
{
    const struct an_value value = an_v_text(key);

    return an_tx_int(tx, AN_SQL_REQUEST_BY_KEY, &value, 1, ret_id, reterr);
}

an_code
an_request_create(struct an_tx *tx, const struct an_dossier *request, const struct an_request_item *items, size_t count,
                  const struct an_request_deed *deed, int64_t *ret_id, bool *ret_is_new, struct an_err *reterr)
{
    uint8_t digest[AN_DIGEST_MAX];
    struct an_value values[] = {an_v_text(request->key), AN_V_INT(request->kind), an_v_text(request->regulation),
                                an_v_text(request->agency),
                                an_v_text(request->addressee), an_v_text(request->subject_kind),
                                an_v_text(request->device_kind),
                                an_v_text(request->form), an_v_text(request->form_citation), an_v_text(request->number),
                                AN_V_INT(AN_REQUEST_DRAFT), AN_V_INT(request->urgent), an_v_text(request->content),
                                AN_V_BLOB(AN_BYTES(digest, 32)), AN_V_INT(deed->at), an_v_text(deed->actor)};

    if (count < 1 || count > AN_LIMIT_REQUEST_ITEMS)
        AN_FAIL(reterr, AN_E_REQUEST_EMPTY, "%zu", count);
    digest_content(request, digest);
    AN_TRY(find_same(tx, request, digest, ret_id, reterr));
    *ret_is_new = *ret_id == 0;
    if (!*ret_is_new)
        return AN_OK;
    AN_TRY(an_tx_int(tx, AN_SQL_REQUEST_INSERT, values, AN_COUNT(values), ret_id, reterr));
    AN_TRY(insert_items(tx, *ret_id, items, count, reterr));
    return request_tell(tx, *ret_id, "request.create", (enum an_request_state)0, AN_REQUEST_DRAFT, deed, reterr);
}

/* What a dossier is does not change with what it says: its form, who decides and what is checked follow from that. */
static bool
is_same_request(const struct an_dossier *a, const struct an_dossier *b)
{
    return a->kind == b->kind && strcmp(a->regulation, b->regulation) == 0 && strcmp(a->agency, b->agency) == 0 &&
        strcmp(a->subject_kind, b->subject_kind) == 0 && strcmp(a->device_kind, b->device_kind) == 0 &&
        strcmp(a->form, b->form) == 0;
}

an_code
an_request_rewrite(struct an_tx *tx, int64_t id, const struct an_dossier *request, const struct an_request_item *items,
                   size_t count,
                   const struct an_request_deed *deed, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REQUEST_ARENA);
    uint8_t digest[AN_DIGEST_MAX];
    struct an_dossier there;
    struct an_value values[] = {AN_V_INT(id), an_v_text(request->content), AN_V_BLOB(AN_BYTES(digest, 32)),
                                an_v_text(request->addressee), an_v_text(request->number)};

    if (count < 1 || count > AN_LIMIT_REQUEST_ITEMS)
        AN_FAIL(reterr, AN_E_REQUEST_EMPTY, "%zu", count);
    digest_content(request, digest);
    AN_TRY(an_request_find(tx, id, arena, &there, reterr));
    if (!is_same_request(request, &there))
        AN_FAIL(reterr, AN_E_REQUEST_OTHER, "request:%lld: %s", (long long)id, an_request_kind_name(there.kind, false));
    AN_TRY(an_request_move(tx, &there, AN_REQUEST_ACT_EDIT, deed, reterr));
    AN_TRY(an_tx_run(tx, AN_SQL_REQUEST_SET_CONTENT, values, AN_COUNT(values), NULL, reterr));
    AN_TRY(an_tx_run(tx, AN_SQL_REQUEST_ITEM_DELETE, values, 1, NULL, reterr));
    AN_TRY(an_tx_run(tx, AN_SQL_REQUEST_OPEN_DELETE, values, 1, NULL, reterr));
    return insert_items(tx, id, items, count, reterr);
}

an_code
an_request_move(struct an_tx *tx, const struct an_dossier *request, enum an_request_act act,
                const struct an_request_deed *deed,
                struct an_err *reterr)
{
    const struct an_request_move *move = an_request_move_find(act);
    enum an_request_state to = move->to ? move->to : request->state;
    struct an_value values[] = {AN_V_INT(request->id), AN_V_INT(request->state), AN_V_INT(to)};
    int64_t changed = 0;

    if (!an_request_may_follow(request->state, act))
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s: %s", (long long)request->id,
                an_request_state_name(request->state, false), move->action);
    AN_TRY(an_tx_run(tx, AN_SQL_REQUEST_MOVE, values, AN_COUNT(values), &changed, reterr));
    if (changed != 1)
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)request->id, move->action);
    return request_tell(tx, request->id, move->action, request->state, to, deed, reterr);
}
