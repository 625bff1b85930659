/* Matters and votes. What is refused here is refused by the keys and checks of the tables too; here it gets its
 * reason. */
#include "decision/decision.h"

#define DECISION_ARENA ((size_t)64 * 1024)

struct found { int64_t id, needed; bool proposer_same; const char *proposer; };

static an_code
read_matter_id(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct found *found = context;

    (void)reterr;
    found->id = an_row_int(row, 0);
    found->needed = an_row_int(row, 1);
    found->proposer_same = found->proposer == NULL || strcmp(an_row_text(row, 2), found->proposer) == 0;
    return AN_OK;
}

an_code
an_matter_open(struct an_tx *tx, const struct an_matter *matter, an_time now, int64_t *ret_id, struct an_err *reterr)
{
    const struct an_value values[] = {an_v_text(matter->act), an_v_text(matter->object),
                                      AN_V_BLOB(AN_BYTES(matter->facts, 32)), AN_V_INT(matter->needed),
                                      an_v_text(matter->proposer ? matter->proposer : ""), AN_V_INT(now)};
    struct found found = {.proposer = matter->proposer};
    bool is_there = false;

    if (matter->needed < 1 || matter->needed > 16 || (matter->proposer != NULL && *matter->proposer == '\0'))
        AN_FAIL(reterr, AN_E_DECISION_MATTER, "%lld", (long long)matter->needed);
    if (matter->proposer != NULL)
        AN_TRY(an_tx_run(tx, AN_SQL_DECISION_MATTER_INSERT, values, AN_COUNT(values), NULL, reterr));
    AN_TRY(an_tx_one(tx, AN_SQL_DECISION_MATTER_ID, values, 3, read_matter_id, &found, &is_there, reterr));
    if (!is_there || found.needed != matter->needed || !found.proposer_same)
        AN_FAIL(reterr, AN_E_DECISION_MATTER, "%s %s", matter->act, matter->object);
    *ret_id = found.id;
    return AN_OK;
}

/* ---- one matter as it stands ---- */
struct whole { struct an_matter_state state; struct an_arena *arena; const char *act, *object, *proposer;
              uint8_t facts[32]; };

static an_code
read_matter(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct whole *m = context;
    an_bytes facts = an_row_blob(row, 3);

    (void)reterr;
    m->state = (struct an_matter_state){.id = an_row_int(row, 0), .needed = an_row_int(row, 4),
                                        .opened_at = an_row_int(row, 6), .approvals = an_row_int(row, 7),
                                        .refusals = an_row_int(row, 8),
                                        .sealed_at = an_row_is_null(row, 9) ? AN_TIME_NONE : an_row_int(row, 9)};
    m->act = an_arena_str(m->arena, an_bytes_of_str(an_row_text(row, 1)));
    m->object = an_arena_str(m->arena, an_bytes_of_str(an_row_text(row, 2)));
    m->proposer = an_arena_str(m->arena, an_bytes_of_str(an_row_text(row, 5)));
    if (facts.len == 32)
        memcpy(m->facts, facts.ptr, 32);
    return m->act && m->object && m->proposer ? AN_OK : AN_E_LIMIT;
}

static an_code
find_whole(struct an_tx *tx, int64_t id, struct whole *ret, struct an_err *reterr)
{
    const struct an_value value = AN_V_INT(id);
    bool found = false;

    AN_TRY(an_tx_one(tx, AN_SQL_DECISION_MATTER_FIND, &value, 1, read_matter, ret, &found, reterr));
    return found ? AN_OK : an_err_set(reterr, AN_E_DECISION_MATTER, "%lld", (long long)id);
}

an_code
an_matter_find(struct an_tx *tx, int64_t matter, struct an_matter_state *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(DECISION_ARENA);
    struct whole whole = {.arena = arena};

    AN_TRY(find_whole(tx, matter, &whole, reterr));
    *ret = whole.state;
    return AN_OK;
}

an_code
an_matter_require(struct an_tx *tx, int64_t matter, const char *act, const char *object, const uint8_t facts[static 32],
                  struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(DECISION_ARENA);
    struct whole whole = {.arena = arena};

    AN_TRY(find_whole(tx, matter, &whole, reterr));
    if (strcmp(whole.act, act) != 0 || strcmp(whole.object, object) != 0 || memcmp(whole.facts, facts, 32) != 0)
        AN_FAIL(reterr, AN_E_DECISION_MATTER, "%s %s", act, object);
    if (whole.state.sealed_at == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_DECISION_OPEN, "%lld/%lld", (long long)whole.state.approvals,
                (long long)whole.state.needed);
    return AN_OK;
}

/* ---- votes ---- */
struct earlier { bool is_same; const char *verdict, *role; const uint8_t *hash; bool found; };

static an_code
read_earlier(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct earlier *earlier = context;

    (void)reterr;
    earlier->is_same = !earlier->found && strcmp(an_row_text(row, 0), earlier->verdict) == 0 &&
        strcmp(an_row_text(row, 1), earlier->role) == 0 &&
                       an_bytes_eq(an_row_blob(row, 2), AN_BYTES(earlier->hash, 32));
    earlier->found = true;
    return AN_OK;
}

static an_code
check_vote(const struct whole *m, const struct an_decision *d, an_time now, struct an_err *reterr)
{
    if (strcmp(d->act, m->act) != 0 || strcmp(d->object, m->object) != 0 || memcmp(d->facts, m->facts, 32) != 0)
        AN_FAIL(reterr, AN_E_DECISION_MATTER, "%s %s", d->act, d->object);
    if (d->at < m->state.opened_at || d->at > now)
        AN_FAIL(reterr, AN_E_DECISION_MATTER, "at");
    if (strcmp(d->person, m->proposer) == 0)
        AN_FAIL(reterr, AN_E_DECISION_SELF, "%s", d->person);
    return AN_OK;
}

static an_code
insert_vote(struct an_tx *tx, const struct whole *m, const struct an_decision *d, const struct an_vote *vote,
            struct an_err *reterr)
{
    bool approves = strcmp(d->decision, "approve") == 0;
    int64_t seat = m->state.approvals + 1;
    const struct an_value values[] = {
        AN_V_INT(m->state.id), an_v_text(d->person), an_v_text(d->role), an_v_text(d->decision),
        approves ? AN_V_INT(seat) : AN_V_NULL,
        approves && seat > 1 ? AN_V_INT(seat - 1) : AN_V_NULL, AN_V_INT(m->state.needed), an_v_text(m->proposer),
        an_v_text(d->reason), AN_V_INT(d->at),
        AN_V_BLOB(vote->statement), AN_V_BLOB(vote->cms), AN_V_BLOB(vote->signer->der),
        AN_V_BLOB(AN_BYTES(vote->signer->sha256, 32)),
    };

    return an_tx_run(tx, AN_SQL_DECISION_VOTE_INSERT, values, AN_COUNT(values), NULL, reterr);
}

an_code
an_matter_vote(struct an_tx *tx, int64_t matter, const struct an_vote *vote, an_time now, struct an_matter_state *ret,
               struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(DECISION_ARENA);
    struct whole m = {.arena = arena};
    struct an_decision d;
    struct earlier earlier;

    AN_TRY(an_decision_parse(vote->statement, arena, &d, reterr));
    AN_TRY(find_whole(tx, matter, &m, reterr));
    AN_TRY(check_vote(&m, &d, now, reterr));
    earlier = (struct earlier){.verdict = d.decision, .role = d.role, .hash = vote->signer->sha256};
    AN_TRY(an_tx_each(tx, AN_SQL_DECISION_VOTE_OF, (const struct an_value[]){AN_V_INT(matter), an_v_text(d.person),
            AN_V_BLOB(AN_BYTES(vote->signer->sha256, 32))}, 3, read_earlier, &earlier, reterr));
    if (earlier.found && !earlier.is_same)
        AN_FAIL(reterr, AN_E_DECISION_TWICE, "%s", d.person);
    if (!earlier.found) {
        if (m.state.sealed_at != AN_TIME_NONE)
            AN_FAIL(reterr, AN_E_DECISION_CLOSED, "%s", m.object);
        AN_TRY(insert_vote(tx, &m, &d, vote, reterr));
        if (strcmp(d.decision, "approve") == 0 && m.state.approvals + 1 == m.state.needed)
            AN_TRY(an_tx_run(tx, AN_SQL_DECISION_SEAL_INSERT,
                             (const struct an_value[]){AN_V_INT(matter), AN_V_INT(m.state.needed), AN_V_INT(now)}, 3,
                             NULL, reterr));
        AN_TRY(find_whole(tx, matter, &m, reterr));
    }
    *ret = m.state;
    return AN_OK;
}

struct telling { an_voted_fn each; void *context; };

static an_code
tell_vote(void *context, const struct an_row *row, struct an_err *reterr)
{
    const struct telling *telling = context;
    const struct an_voted vote = {.person = an_row_text(row, 0), .role = an_row_text(row, 1),
                                  .approves = strcmp(an_row_text(row, 2), "approve") == 0, .at = an_row_int(row, 4),
                                  .certificate = an_row_blob(row, 7)};

    return telling->each(telling->context, &vote, reterr);
}

an_code
an_matter_votes(struct an_tx *tx, int64_t matter, an_voted_fn each, void *context, struct an_err *reterr)
{
    struct telling telling = {.each = each, .context = context};
    const struct an_value value = AN_V_INT(matter);

    return an_tx_each(tx, AN_SQL_DECISION_VOTE_LIST, &value, 1, tell_vote, &telling, reterr);
}

/* ---- for outsiders ---- */
static an_code
export_vote(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct an_buf *out = context;

    (void)reterr;
    an_buf_str(out, "-----BEGIN STATEMENT-----\n");
    an_buf_append(out, an_row_blob(row, 5));
    an_buf_str(out, "-----END STATEMENT-----\n");
    an_pem_write(out, "CMS", an_row_blob(row, 6));
    an_pem_write(out, "CERTIFICATE", an_row_blob(row, 7));
    return an_buf_ok(out) ? AN_OK : AN_E_LIMIT;
}

an_code
an_matter_export(struct an_tx *tx, int64_t matter, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(DECISION_ARENA);
    struct whole m = {.arena = arena};
    const struct an_value value = AN_V_INT(matter);

    AN_TRY(find_whole(tx, matter, &m, reterr));
    an_buf_printf(ret, "# act: %s\n# object: %s\n# approvals needed: %lld\n# asked for by: %s\n# facts: ", m.act,
                  m.object, (long long)m.state.needed, m.proposer);
    an_buf_hex(ret, AN_BYTES(m.facts, 32));
    an_buf_str(ret,
               "\n# Between BEGIN and END STATEMENT stand the signed bytes. Check each vote, its parts in files of their own:\n"
                    "#   openssl cms -verify -binary -inform PEM -in cms -content statement -certfile certificate -CAfile root -purpose any\n");
    return an_tx_each(tx, AN_SQL_DECISION_VOTE_LIST, &value, 1, export_vote, ret, reterr);
}
