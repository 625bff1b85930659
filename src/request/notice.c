#include "request/internal.h"
#include "request/notice.h"

#include "crypto/crypto.h"

#include <stdio.h>

#define LETTER_SECONDS 300           /* how long one who died holds a letter: longer than a server may take */
#define WAIT_SECONDS_MIN 60
#define WAIT_SECONDS_MAX 3600

static const char *const letter_names[][2] = {
    {"chờ gửi", "waiting"}, {"đã gửi", "sent"}, {"máy chủ từ chối", "refused by the server"}, {"để riêng", "set aside"},
};

const char *
an_letter_state_name(int state, bool english)
{
    if (state < 0 || (size_t)state >= AN_COUNT(letter_names))
        return english ? "to be told by hand" : "báo trực tiếp";
    return letter_names[state][english];
}

/* The same notice always has the same Message-ID, whoever sends it and however often. */
static char *
message_id(const struct an_notice *notice, const char *host)
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(64);
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, an_bytes_of_str(notice->key), digest);
    an_buf_hex(&hex, AN_BYTES(digest, 16));
    return an_asprintf("<%.*s@%s>", AN_FMT(an_buf_view(&hex)), host);
}

an_code
an_notice_add(struct an_tx *tx, const struct an_notice *notice, const char *host, int64_t *ret_id,
              struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *name = message_id(notice, host);
    struct an_value values[] = {an_v_text(notice->key), an_v_text(notice->kind), an_v_text(notice->about),
                                an_v_text(notice->to_role),
                                an_v_text(notice->to_name), an_v_text(notice->address), an_v_text(notice->subject),
                                an_v_text(notice->body),
                                an_v_text(notice->citation),
                                notice->document ? AN_V_BLOB(AN_BYTES(notice->document, 32)) : AN_V_NULL,
                                AN_V_INT(notice->at)};

    *ret_id = 0;
    AN_TRY(an_tx_int(tx, AN_SQL_NOTICE_INSERT, values, AN_COUNT(values), ret_id, reterr));
    if (*ret_id == 0 || notice->address[0] == '\0')
        return AN_OK;
    struct an_value letter[] = {AN_V_INT(*ret_id), an_v_text(name), AN_V_INT(notice->at)};
    return an_tx_run(tx, AN_SQL_OUTBOX_INSERT, letter, AN_COUNT(letter), NULL, reterr);
}

struct handing {
    an_notice_fn each;
    void *context;
};

static an_code
hand_line(void *context, const struct an_row *row, struct an_err *reterr)
{
    const struct handing *handing = context;
    struct an_notice_line line = {
        .id = an_row_int(row, 0), .kind = an_row_text(row, 1), .about = an_row_text(row, 2),
        .to_role = an_row_text(row, 3),
        .to_name = an_row_text(row, 4), .address = an_row_text(row, 5), .subject = an_row_text(row, 6),
        .created_at = an_row_int(row, 7),
        .letter = an_row_is_null(row, 8) ? AN_LETTER_NONE : (int)an_row_int(row, 8), .tries = an_row_int(row, 9),
        .next_at = request_time(row, 10), .sent_at = request_time(row, 11), .error = an_row_text(row, 12),
        .body = "", .citation = "", .message_id = "",
    };

    return handing->each(handing->context, &line, reterr);
}

static an_code
hand_whole(void *context, const struct an_row *row, struct an_err *reterr)
{
    const struct handing *handing = context;
    an_bytes document = an_row_blob(row, 9);
    struct an_notice_line line = {
        .id = an_row_int(row, 0), .kind = an_row_text(row, 1), .about = an_row_text(row, 2),
        .to_role = an_row_text(row, 3),
        .to_name = an_row_text(row, 4), .address = an_row_text(row, 5), .subject = an_row_text(row, 6),
        .body = an_row_text(row, 7),
        .citation = an_row_text(row, 8), .created_at = an_row_int(row, 10),
        .letter = an_row_is_null(row, 11) ? AN_LETTER_NONE : (int)an_row_int(row, 11), .tries = an_row_int(row, 12),
        .next_at = request_time(row, 13), .sent_at = request_time(row, 14), .error = an_row_text(row, 15),
        .message_id = an_row_text(row, 16),
        .has_document = document.len == 32,
    };

    if (line.has_document)
        memcpy(line.document, document.ptr, 32);
    return handing->each(handing->context, &line, reterr);
}

an_code
an_notice_each(struct an_tx *tx, const char *about, int64_t before, size_t limit, an_notice_fn each, void *context,
               struct an_err *reterr)
{
    struct handing handing = {each, context};
    struct an_value values[] = {AN_V_INT(before ? before : INT64_MAX), AN_V_INT(limit ? limit : 50), an_v_text(about)};

    return an_tx_each(tx, about ? AN_SQL_NOTICE_LIST_ABOUT : AN_SQL_NOTICE_LIST, values, about ? 3 : 2, hand_line,
                      &handing, reterr);
}

an_code
an_notice_find(struct an_tx *tx, int64_t id, an_notice_fn each, void *context, struct an_err *reterr)
{
    struct handing handing = {each, context};
    struct an_value values[] = {AN_V_INT(id)};
    bool found = false;

    AN_TRY(an_tx_one(tx, AN_SQL_NOTICE_FIND, values, AN_COUNT(values), hand_whole, &handing, &found, reterr));
    if (!found)
        AN_FAIL(reterr, AN_E_NOTICE_UNKNOWN, "%lld", (long long)id);
    return AN_OK;
}

/* ---- the outbox ---- */
struct taking {
    struct an_arena *arena;
    struct an_letter *letter;
};

static an_code
take_letter(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct taking *taking = context;
    struct an_letter *letter = taking->letter;
    an_bytes document = an_row_blob(row, 7);

    *letter = (struct an_letter){.id = an_row_int(row, 0), .tries = an_row_int(row, 2),
                                 .created_at = an_row_int(row, 8), .notice = an_row_int(row, 9)};
    letter->message_id = request_text(taking->arena, row, 1);
    letter->address = request_text(taking->arena, row, 3);
    letter->name = request_text(taking->arena, row, 4);
    letter->subject = request_text(taking->arena, row, 5);
    letter->body = request_text(taking->arena, row, 6);
    letter->has_document = document.len == 32;
    if (letter->has_document)
        memcpy(letter->document, document.ptr, 32);
    if (letter->body == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "letter %lld", (long long)letter->id);
    return AN_OK;
}

an_code
an_outbox_take(struct an_tx *tx, const char *owner, an_time now, struct an_arena *arena, struct an_letter *ret,
               bool *ret_found, struct an_err *reterr)
{
    struct taking taking = {arena, ret};
    struct an_value due[] = {AN_V_INT(now)};
    int64_t changed = 0;

    *ret_found = false;
    AN_TRY(an_tx_one(tx, AN_SQL_OUTBOX_DUE, due, AN_COUNT(due), take_letter, &taking, ret_found, reterr));
    if (!*ret_found)
        return AN_OK;
    struct an_value values[] = {AN_V_INT(ret->id), an_v_text(owner), AN_V_INT(now + LETTER_SECONDS), AN_V_INT(now)};
    AN_TRY(an_tx_run(tx, AN_SQL_OUTBOX_TAKE, values, AN_COUNT(values), &changed, reterr));
    *ret_found = changed == 1;
    return AN_OK;
}

static int64_t
wait_seconds(int64_t tries)
{
    int64_t wait = WAIT_SECONDS_MIN;

    for (int64_t i = 0; i < tries && wait < WAIT_SECONDS_MAX; i++)
        wait *= 2;
    return wait < WAIT_SECONDS_MAX ? wait : WAIT_SECONDS_MAX;
}

an_code
an_outbox_done(struct an_tx *tx, const struct an_letter *letter, const char *owner, an_code code, const char *error,
               an_time now,
               struct an_err *reterr)
{
    bool refused = code == AN_E_MAIL_REFUSED || code == AN_E_MAIL_ADDRESS;
    struct an_value sent[] = {AN_V_INT(letter->id), an_v_text(owner), AN_V_INT(now)};
    struct an_value later[] = {AN_V_INT(letter->id), an_v_text(owner),
                               AN_V_INT(refused ? AN_LETTER_REFUSED : AN_LETTER_WAITING),
                               AN_V_INT(now + wait_seconds(letter->tries)), an_v_text(error)};

    if (code == AN_OK)
        return an_tx_run(tx, AN_SQL_OUTBOX_SENT, sent, AN_COUNT(sent), NULL, reterr);
    return an_tx_run(tx, AN_SQL_OUTBOX_LATER, later, AN_COUNT(later), NULL, reterr);
}

an_code
an_outbox_count(struct an_tx *tx, enum an_letter_state state, int64_t *ret, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(state)};

    return an_tx_int(tx, AN_SQL_OUTBOX_COUNT, values, AN_COUNT(values), ret, reterr);
}

static an_code
change_letter(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count,
              struct an_err *reterr)
{
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, statement, values, count, &changed, reterr));
    if (changed != 1)
        AN_FAIL(reterr, AN_E_NOTICE_LETTER, "notice:%lld", (long long)values[0].number);
    return AN_OK;
}

an_code
an_outbox_again(struct an_tx *tx, int64_t notice, an_time now, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(notice), AN_V_INT(now)};

    return change_letter(tx, AN_SQL_OUTBOX_AGAIN, values, AN_COUNT(values), reterr);
}

an_code
an_outbox_set_aside(struct an_tx *tx, int64_t notice, const char *reason, an_time now, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(notice), AN_V_INT(now), an_v_text(reason)};

    return change_letter(tx, AN_SQL_OUTBOX_ASIDE, values, AN_COUNT(values), reterr);
}

/* ---- works that are done day by day ---- */
static an_code
take_time(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    *(an_time *)context = an_row_int(row, 0);
    return AN_OK;
}

an_code
an_notice_job_find(struct an_tx *tx, const char *name, an_time *ret, struct an_err *reterr)
{
    struct an_value values[] = {an_v_text(name)};

    *ret = AN_TIME_NONE;
    return an_tx_one(tx, AN_SQL_NOTICE_JOB_FIND, values, AN_COUNT(values), take_time, ret, NULL, reterr);
}

an_code
an_notice_job_put(struct an_tx *tx, const char *name, an_time until, an_time now, struct an_err *reterr)
{
    struct an_value values[] = {an_v_text(name), AN_V_INT(until), AN_V_INT(now)};

    return an_tx_run(tx, AN_SQL_NOTICE_JOB_PUT, values, AN_COUNT(values), NULL, reterr);
}
