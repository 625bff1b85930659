/* The statement: a form so plain that a person can read it before signing, and that has one spelling only. */
#include "decision/decision.h"

#include "base/utf8.h"

#define STATEMENT_MAX 8192

/* ---- writing ---- */
static an_code
put_line(struct an_buf *out, const char *key, const char *value, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf composed = an_buf_new(STATEMENT_MAX);

    if (value == NULL || *value == '\0' || !an_utf8_nfc(&composed, an_bytes_of_str(value)))
        AN_FAIL(reterr, AN_E_DECISION_FORM, "%s", key);
    for (size_t i = 0; i < composed.len; i++)
        if (composed.ptr[i] < ' ' || composed.ptr[i] == 0x7f)
            AN_FAIL(reterr, AN_E_DECISION_FORM, "%s", key);
    an_buf_printf(out, "%s: ", key);
    an_buf_append(out, an_buf_view(&composed));
    an_buf_byte(out, '\n');
    return AN_OK;
}

an_code
an_decision_statement(const struct an_decision *decision, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf facts = an_buf_new(128);
    char at[AN_TIME_TEXT_MAX];

    an_buf_hex(&facts, AN_BYTES(decision->facts, 32));
    an_buf_byte(&facts, 0);
    AN_TRY(put_line(ret, "act", decision->act, reterr));
    AN_TRY(put_line(ret, "at", an_time_format_utc(decision->at, at), reterr));
    if (decision->decision == NULL || (strcmp(decision->decision, "approve") != 0 &&
                                       strcmp(decision->decision, "refuse") != 0))
        AN_FAIL(reterr, AN_E_DECISION_FORM, "decision");
    AN_TRY(put_line(ret, "decision", decision->decision, reterr));
    AN_TRY(put_line(ret, "facts", (const char *)facts.ptr, reterr));
    AN_TRY(put_line(ret, "instance", decision->instance, reterr));
    AN_TRY(put_line(ret, "object", decision->object, reterr));
    AN_TRY(put_line(ret, "person", decision->person, reterr));
    if (decision->reason != NULL && *decision->reason != '\0')
        AN_TRY(put_line(ret, "reason", decision->reason, reterr));
    AN_TRY(put_line(ret, "role", decision->role, reterr));
    return an_buf_ok(ret) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "statement");
}

/* ---- reading ---- */
/* The next line's value when its key is this one. */
static bool
take_line(an_bytes *in, const char *key, struct an_arena *arena, const char **ret)
{
    size_t key_len = strlen(key), end = an_bytes_find(*in, AN_LIT("\n"), 0);

    if (end == SIZE_MAX || end < key_len + 3 || memcmp(in->ptr, key, key_len) != 0 ||
        memcmp(in->ptr + key_len, ": ", 2) != 0)
        return false;
    *ret = an_arena_str(arena, AN_BYTES(in->ptr + key_len + 2, end - key_len - 2));
    *in = AN_BYTES(in->ptr + end + 1, in->len - end - 1);
    return *ret != NULL;
}

static bool
read_facts(const char *hex, uint8_t ret[32])
{
    AN_CLEANUP(an_buf_free) struct an_buf bytes = an_buf_new(64);

    if (strlen(hex) != 64 || !an_hex_decode(&bytes, an_bytes_of_str(hex)) || bytes.len != 32)
        return false;
    memcpy(ret, bytes.ptr, 32);
    return true;
}

an_code
an_decision_parse(an_bytes statement, struct an_arena *arena, struct an_decision *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf again = an_buf_new(STATEMENT_MAX);
    const char *at = NULL, *facts = NULL;
    struct an_decision d = {.reason = ""};
    an_bytes in = statement;

    if (statement.len > STATEMENT_MAX || !take_line(&in, "act", arena, &d.act) || !take_line(&in, "at", arena, &at) ||
        !take_line(&in, "decision", arena, &d.decision) ||
        !take_line(&in, "facts", arena, &facts) || !take_line(&in, "instance", arena, &d.instance) ||
        !take_line(&in, "object", arena, &d.object) ||
        !take_line(&in, "person", arena, &d.person))
        AN_FAIL(reterr, AN_E_DECISION_FORM, "%zu byte", statement.len);
    (void)take_line(&in, "reason", arena, &d.reason);
    if (!take_line(&in, "role", arena, &d.role) || in.len != 0 || !read_facts(facts, d.facts))
        AN_FAIL(reterr, AN_E_DECISION_FORM, "%zu byte", statement.len);
    d.at = an_time_parse(an_bytes_of_str(at));
    /* One spelling only: what it says, written again, is what was signed. */
    AN_TRY(an_decision_statement(&d, &again, reterr));
    if (d.at == AN_TIME_NONE || !an_bytes_eq(an_buf_view(&again), statement))
        AN_FAIL(reterr, AN_E_DECISION_FORM, "canonical");
    *ret = d;
    return AN_OK;
}
