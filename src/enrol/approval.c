#include "enrol/approval.h"

#include "base/mem.h"

#define SALT_SIZE 16
/* Without letters and digits that people mix up when they read them out. */
static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"; /* 32: five bits each */
#define REFERENCE_LEN 12u
#define SECRET_LEN 26u

static struct an_value
blob(an_bytes bytes)
{
    return AN_V_BLOB(bytes);
}

static struct an_value
text(an_bytes bytes)
{
    return (struct an_value){AN_VALUE_TEXT, 0, bytes};
}

static void
spell(const uint8_t *bits, size_t letters, char *ret)
{
    for (size_t i = 0; i < letters; i++) {
        size_t bit = i * 5;
        unsigned pair = (unsigned)bits[bit / 8] << 8 | bits[bit / 8 + 1];
        ret[i] = alphabet[pair >> (11 - bit % 8) & 31u];
    }
    ret[letters] = '\0';
}

struct an_secret *
an_approval_secret(const struct an_secret *instance_key, const struct an_approval *approval)
{
    AN_CLEANUP(an_buf_free) struct an_buf message = an_buf_new(1024);
    uint8_t code[AN_DIGEST_MAX];
    char letters[SECRET_LEN + 1];
    struct an_secret *secret;

    an_buf_str(&message, "antin enrolment secret 1\n");
    an_buf_str(&message, approval->reference);
    an_buf_byte(&message, '\n');
    an_buf_append(&message, AN_BYTES(approval->salt, SALT_SIZE));
    an_hmac(AN_SHA256, an_secret_bytes(instance_key), an_buf_view(&message), code);
    spell(code, SECRET_LEN, letters);
    secret = an_secret_from(AN_BYTES(letters, SECRET_LEN));
    an_wipe(code, sizeof(code));
    an_wipe(letters, sizeof(letters));
    return secret;
}

/* ---- rows ---- */
static void
copy_text(char *to, size_t size, const char *from)
{
    size_t len = strlen(from);

    if (len >= size)
        len = size - 1;
    memcpy(to, from, len);
    to[len] = '\0';
}
#define COPY_TEXT(to, row, column) copy_text((to), sizeof(to), an_row_text((row), (column)))

static void
copy_blob(uint8_t *to, size_t size, an_bytes from)
{
    if (from.len > 0 && from.len <= size)
        memcpy(to, from.ptr, from.len);
}

static void
read_approval(const struct an_row *row, struct an_approval *ret)
{
    *ret = (struct an_approval){.id = an_row_int(row, 0), .months = an_row_int(row, 9),
                                .state = (enum an_approval_state)an_row_int(row, 10),
                                .created_at = an_row_int(row, 11), .expires_at = an_row_int(row, 13),
                                .has_key = !an_row_is_null(row, 14),
                                .used_at = an_row_is_null(row, 15) ? AN_TIME_NONE : an_row_int(row, 15),
                                .failures = an_row_int(row, 17), .matter = an_row_int(row, 19)};
    COPY_TEXT(ret->reference, row, 1);
    copy_blob(ret->salt, sizeof(ret->salt), an_row_blob(row, 2));
    COPY_TEXT(ret->item, row, 3);
    COPY_TEXT(ret->profile, row, 4);
    COPY_TEXT(ret->subject, row, 5);
    COPY_TEXT(ret->email, row, 6);
    COPY_TEXT(ret->subscriber, row, 7);
    COPY_TEXT(ret->agency, row, 8);
    COPY_TEXT(ret->created_by, row, 12);
    COPY_TEXT(ret->authority, row, 18);
    copy_blob(ret->key_digest, sizeof(ret->key_digest), an_row_blob(row, 14));
    copy_blob(ret->serial, sizeof(ret->serial), an_row_blob(row, 16));
    ret->serial_len = an_row_blob(row, 16).len <= sizeof(ret->serial) ? an_row_blob(row, 16).len : 0;
}

static an_code
keep_approval(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    read_approval(row, context);
    return AN_OK;
}

/* ---- adding ---- */
static an_code
check_lengths(const struct an_approval *approval, struct an_err *reterr)
{
    if (approval->item[0] == '\0' || approval->profile[0] == '\0' || approval->subject[0] == '\0')
        AN_FAIL(reterr, AN_E_ENROL_APPROVAL, "item, profile, subject");
    if (approval->expires_at == AN_TIME_NONE || approval->expires_at <= approval->created_at)
        AN_FAIL(reterr, AN_E_ENROL_APPROVAL, "expires");
    if (approval->expires_at - approval->created_at > (an_time)AN_LIMIT_ENROL_DAYS * 86400)
        AN_FAIL(reterr, AN_E_ENROL_APPROVAL, "expires: > %d", AN_LIMIT_ENROL_DAYS);
    return AN_OK;
}

static an_code
insert_approval(struct an_tx *tx, struct an_approval *approval, struct an_err *reterr)
{
    uint8_t random[SALT_SIZE];
    bool is_open = approval->state == AN_APPROVAL_OPEN;

    AN_TRY(an_random(random, sizeof(random), reterr));
    spell(random, REFERENCE_LEN, approval->reference);
    AN_TRY(an_random(approval->salt, SALT_SIZE, reterr));
    {
        const struct an_value values[] = {
            an_v_text(approval->reference), blob(AN_BYTES(approval->salt, SALT_SIZE)), an_v_text(approval->item),
            an_v_text(approval->profile),
            an_v_text(approval->subject), an_v_text(approval->email), an_v_text(approval->subscriber),
            an_v_text(approval->agency),
            AN_V_INT(approval->months), AN_V_INT(approval->state), AN_V_INT(approval->created_at),
            an_v_text(approval->created_by),
            is_open ? AN_V_INT(approval->created_at) : AN_V_NULL, is_open ? an_v_text(approval->created_by) : AN_V_NULL,
            AN_V_INT(approval->expires_at), an_v_text(approval->authority),
            approval->matter ? AN_V_INT(approval->matter) : AN_V_NULL,
        };
        return an_tx_run(tx, AN_SQL_ENROL_APPROVAL_INSERT, values, AN_COUNT(values), NULL, reterr);
    }
}

an_code
an_approval_of_item(struct an_tx *tx, const char *item, struct an_approval *ret, bool *ret_found,
                    struct an_err *reterr)
{
    const struct an_value values[] = {an_v_text(item)};

    return an_tx_one(tx, AN_SQL_ENROL_APPROVAL_BY_ITEM, values, 1, keep_approval, ret, ret_found, reterr);
}

an_code
an_approval_add(struct an_tx *tx, struct an_approval *approval, bool *ret_is_new, struct an_err *reterr)
{
    struct an_approval there;
    bool is_found = false;

    AN_TRY(check_lengths(approval, reterr));
    AN_TRY(an_approval_of_item(tx, approval->item, &there, &is_found, reterr));
    *ret_is_new = !is_found;
    if (is_found) {
        *approval = there;
        return AN_OK;
    }
    AN_TRY(insert_approval(tx, approval, reterr));
    return an_approval_find(tx, an_bytes_of_str(approval->reference), approval, reterr);
}

an_code
an_approval_find(struct an_tx *tx, an_bytes reference, struct an_approval *ret, struct an_err *reterr)
{
    const struct an_value values[] = {text(reference)};
    bool is_found = false;

    AN_TRY(an_tx_one(tx, AN_SQL_ENROL_APPROVAL_FIND, values, 1, keep_approval, ret, &is_found, reterr));
    if (!is_found)
        AN_FAIL(reterr, AN_E_ENROL_REFERENCE, "%.*s", AN_FMT(reference));
    return AN_OK;
}

struct listing { an_approval_fn each; void *context; };

static an_code
list_one(void *context, const struct an_row *row, struct an_err *reterr)
{
    const struct listing *listing = context;
    struct an_approval approval;

    read_approval(row, &approval);
    return listing->each(listing->context, &approval, reterr);
}

an_code
an_approval_list(struct an_tx *tx, int64_t before, int64_t most, an_approval_fn each, void *context,
                 struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(before > 0 ? before : INT64_MAX), AN_V_INT(most)};
    struct listing listing = {each, context};

    return an_tx_each(tx, AN_SQL_ENROL_APPROVAL_LIST, values, AN_COUNT(values), list_one, &listing, reterr);
}

/* ---- moving ---- */
static an_code
change(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count, an_code otherwise,
       struct an_err *reterr)
{
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, statement, values, count, &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, otherwise, "%.*s", AN_FMT(values[0].bytes));
    return AN_OK;
}

an_code
an_approval_open(struct an_tx *tx, an_bytes reference, const char *by, an_time now, struct an_err *reterr)
{
    const struct an_value values[] = {text(reference), AN_V_INT(now), an_v_text(by)};

    return change(tx, AN_SQL_ENROL_APPROVAL_OPEN, values, AN_COUNT(values), AN_E_ENROL_STATE, reterr);
}

an_code
an_approval_withdraw(struct an_tx *tx, an_bytes reference, struct an_err *reterr)
{
    const struct an_value values[] = {text(reference)};

    return change(tx, AN_SQL_ENROL_APPROVAL_WITHDRAW, values, AN_COUNT(values), AN_E_ENROL_STATE, reterr);
}

an_code
an_approval_take(struct an_tx *tx, an_bytes reference, const uint8_t key_digest[static 32], an_time now,
                 struct an_err *reterr)
{
    const struct an_value values[] = {text(reference), blob(AN_BYTES(key_digest, 32)), AN_V_INT(now)};

    return change(tx, AN_SQL_ENROL_APPROVAL_TAKE, values, AN_COUNT(values), AN_E_ENROL_USED, reterr);
}

an_code
an_approval_give(struct an_tx *tx, an_bytes reference, const uint8_t key_digest[static 32], struct an_err *reterr)
{
    const struct an_value values[] = {text(reference), blob(AN_BYTES(key_digest, 32))};

    return an_tx_run(tx, AN_SQL_ENROL_APPROVAL_GIVE, values, AN_COUNT(values), NULL, reterr);
}

an_code
an_approval_done(struct an_tx *tx, an_bytes reference, an_bytes serial, struct an_err *reterr)
{
    const struct an_value values[] = {text(reference), blob(serial)};

    return change(tx, AN_SQL_ENROL_APPROVAL_DONE, values, AN_COUNT(values), AN_E_ENROL_STATE, reterr);
}

an_code
an_approval_failed(struct an_tx *tx, an_bytes reference, bool *ret_counts, struct an_err *reterr)
{
    const struct an_value values[] = {text(reference), AN_V_INT(AN_LIMIT_ENROL_FAILURES)};
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_ENROL_APPROVAL_FAILED, values, AN_COUNT(values), &changed, reterr));
    *ret_counts = changed > 0;
    return AN_OK;
}

/* A used one may still speak: to confirm, to ask again for the answer that was lost. */
an_code
an_approval_check(const struct an_approval *approval, an_time now, struct an_err *reterr)
{
    if (approval->state == AN_APPROVAL_WITHDRAWN || now >= approval->expires_at)
        AN_FAIL(reterr, AN_E_ENROL_REFERENCE, "%s", approval->reference);
    return AN_OK;
}

/* ---- transactions ---- */
an_code
an_enrol_transaction_begin(struct an_tx *tx, an_bytes key, const struct an_enrol_transaction *t, const char *party,
                           struct an_err *reterr)
{
    const struct an_value values[] = {
        blob(key), AN_V_INT(t->state), AN_V_INT(t->body), AN_V_INT(t->request_id),
        blob(AN_BYTES(t->server_nonce, sizeof(t->server_nonce))),
        AN_V_INT(t->implicit), blob(an_buf_view(&t->request)), blob(an_buf_view(&t->cert)), an_v_text(party),
        AN_V_INT(t->at),
    };
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_ENROL_TRANSACTION_INSERT, values, AN_COUNT(values), &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, AN_E_CMP_TRANSACTION, "transactionID");
    return AN_OK;
}

static an_code
keep_transaction(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct an_enrol_transaction *ret = context;

    (void)reterr;
    ret->state = (enum an_enrol_state)an_row_int(row, 0);
    ret->body = (int)an_row_int(row, 1);
    ret->request_id = an_row_int(row, 2);
    copy_blob(ret->server_nonce, sizeof(ret->server_nonce), an_row_blob(row, 3));
    ret->implicit = an_row_int(row, 4) != 0;
    an_buf_reset(&ret->request);
    an_buf_append(&ret->request, an_row_blob(row, 5));
    an_buf_reset(&ret->cert);
    an_buf_append(&ret->cert, an_row_blob(row, 6));
    ret->at = an_row_int(row, 7);
    return AN_OK;
}

an_code
an_enrol_transaction_load(struct an_tx *tx, an_bytes key, struct an_enrol_transaction *ret, struct an_err *reterr)
{
    const struct an_value values[] = {blob(key)};
    bool is_found = false;

    AN_TRY(an_tx_one(tx, AN_SQL_ENROL_TRANSACTION_FIND, values, 1, keep_transaction, ret, &is_found, reterr));
    if (!is_found)
        AN_FAIL(reterr, AN_E_CMP_TRANSACTION_UNKNOWN, "transactionID");
    return AN_OK;
}

an_code
an_enrol_transaction_save(struct an_tx *tx, an_bytes key, enum an_enrol_state from,
                          const struct an_enrol_transaction *t, struct an_err *reterr)
{
    const struct an_value values[] = {
        blob(key), AN_V_INT(from), AN_V_INT(t->state), AN_V_INT(t->request_id),
        blob(AN_BYTES(t->server_nonce, sizeof(t->server_nonce))),
        AN_V_INT(t->implicit), blob(an_buf_view(&t->request)), blob(an_buf_view(&t->cert)),
    };
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_ENROL_TRANSACTION_SAVE, values, AN_COUNT(values), &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, AN_E_CMP_TRANSACTION, "transactionID");
    return AN_OK;
}
