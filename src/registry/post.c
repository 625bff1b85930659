/* Posts over time, and roles: by post or by written delegation. */
#include "base/limits.h"
#include "registry/internal.h"

#define P(kind, member) {kind, offsetof(struct an_post, member)}
static const struct col post_cols[] = {
    P(COL_INT, id), P(COL_INT, person), P(COL_INT, agency), P(COL_TEXT, title), P(COL_TEXT, authority),
    P(COL_FLAG, is_head),
    P(COL_TEXT, document), P(COL_TIME, since), P(COL_TIME, until), P(COL_TEXT, person_name), P(COL_TEXT, person_number),
    P(COL_TEXT, agency_name),
};
#define D(kind, member) {kind, offsetof(struct an_duty, member)}
static const struct col duty_cols[] = {
    D(COL_INT, id), D(COL_INT, person), D(COL_INT, agency), D(COL_TEXT, role), D(COL_TEXT, basis),
    D(COL_TEXT, document),
    D(COL_TIME, since), D(COL_TIME, until), D(COL_TEXT, agency_name),
};

static an_code
check_period(an_time since, an_time until, struct an_err *reterr)
{
    if (since == AN_TIME_NONE || (until != AN_TIME_NONE && until <= since))
        AN_FAIL(reterr, AN_E_REGISTRY_PERIOD, "since, until");
    return AN_OK;
}

an_code
an_post_add(struct an_tx *tx, const struct an_post *post, int64_t *ret_id, struct an_err *reterr)
{
    static const char *const authorities[] = {"", "TM", "KT", "TL", "TUQ", "Q"};
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    const char *title = NULL, *document = NULL, *authority = post->authority ? post->authority : "";
    bool is_known = false;

    for (size_t i = 0; i < AN_COUNT(authorities); i++)
        is_known |= strcmp(authority, authorities[i]) == 0;
    if (!is_known)
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "authority: %.8s", authority);
    AN_TRY(check_period(post->since, post->until, reterr));
    AN_TRY(reg_clean(arena, "title", post->title, &title, reterr));
    AN_TRY(reg_clean(arena, "document", post->document, &document, reterr));
    if (title[0] == '\0')
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "title");
    const struct an_value values[] = {
        AN_V_INT(post->person), AN_V_INT(post->agency), an_v_text(title), an_v_text(authority), AN_V_INT(post->is_head),
        an_v_text(document),
        AN_V_INT(post->since), reg_time(post->until),
    };
    return an_tx_int(tx, AN_SQL_POST_INSERT, values, AN_COUNT(values), ret_id, reterr);
}

static an_code
end_row(struct an_tx *tx, enum an_sql statement, int64_t id, an_time at, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(id), AN_V_INT(at)};
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, statement, values, AN_COUNT(values), &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, AN_E_REGISTRY_PERIOD, "#%lld", (long long)id);
    return AN_OK;
}

an_code
an_post_end(struct an_tx *tx, int64_t id, an_time at, struct an_err *reterr)
{
    return end_row(tx, AN_SQL_POST_END, id, at, reterr);
}

/* ---- rows are gathered first: who is told of one may ask the store again ---- */
AN_VEC(post_vec, struct an_post);
AN_VEC(duty_vec, struct an_duty);
struct gather {
    struct an_arena *arena;
    struct post_vec posts;
    struct duty_vec duties;
};

static void
gather_done(struct gather *gather)
{
    post_vec_done(&gather->posts);
    duty_vec_done(&gather->duties);
    an_arena_free(&gather->arena);
}

static an_code
gather_post(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct gather *gather = context;

    return reg_fill(COLS(post_cols), row, gather->arena, post_vec_push(&gather->posts), reterr);
}

static an_code
gather_duty(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct gather *gather = context;

    return reg_fill(COLS(duty_cols), row, gather->arena, duty_vec_push(&gather->duties), reterr);
}

an_code
an_post_each(struct an_tx *tx, int64_t person, an_post_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(gather_done) struct gather gather = {.arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA)};
    const struct an_value value = AN_V_INT(person);

    AN_TRY(an_tx_each(tx, AN_SQL_POST_LIST, &value, 1, gather_post, &gather, reterr));
    for (size_t i = 0; i < gather.posts.count; i++)
        AN_TRY(each(context, &gather.posts.items[i], reterr));
    return AN_OK;
}

an_code
an_post_at(struct an_tx *tx, int64_t person, int64_t agency, an_time at, struct an_arena *arena, struct an_post *ret,
           struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(person), AN_V_INT(agency), AN_V_INT(at)};

    *ret = (struct an_post){.title = "", .authority = "", .document = "", .person_name = "", .person_number = "",
                            .agency_name = ""};
    return reg_find(tx, AN_SQL_POST_AT, values, AN_COUNT(values), COLS(post_cols), arena, ret, NULL, reterr);
}

an_code
an_agency_head(struct an_tx *tx, int64_t agency, an_time at, struct an_arena *arena, struct an_post *ret,
               struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(agency), AN_V_INT(at)};

    *ret = (struct an_post){.title = "", .authority = "", .document = "", .person_name = "", .person_number = "",
                            .agency_name = ""};
    return reg_find(tx, AN_SQL_POST_HEAD, values, AN_COUNT(values), COLS(post_cols), arena, ret, NULL, reterr);
}

/* ---- roles ---- */
an_code
an_duty_add(struct an_tx *tx, const struct an_duty *duty, int64_t *ret_id, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    const char *document = NULL, *basis = duty->basis ? duty->basis : "";

    AN_TRY(check_period(duty->since, duty->until, reterr));
    AN_TRY(reg_clean(arena, "document", duty->document, &document, reterr));
    if (strcmp(basis, "post") != 0 && strcmp(basis, "delegation") != 0)
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "basis: %.20s", basis);
    if (strcmp(basis, "delegation") == 0 && document[0] == '\0')
        AN_FAIL(reterr, AN_E_DUTY_DOCUMENT, "%.40s", duty->role);
    if (duty->role == NULL || duty->role[0] == '\0' || strspn(duty->role,
                                                              "abcdefghijklmnopqrstuvwxyz-") != strlen(duty->role))
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "role");
    const struct an_value values[] = {
        AN_V_INT(duty->person), AN_V_INT(duty->agency), an_v_text(duty->role), an_v_text(basis), an_v_text(document),
        AN_V_INT(duty->since),
        reg_time(duty->until),
    };
    return an_tx_int(tx, AN_SQL_DUTY_INSERT, values, AN_COUNT(values), ret_id, reterr);
}

an_code
an_duty_end(struct an_tx *tx, int64_t id, an_time at, struct an_err *reterr)
{
    return end_row(tx, AN_SQL_DUTY_END, id, at, reterr);
}

an_code
an_duty_each(struct an_tx *tx, int64_t person, an_duty_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(gather_done) struct gather gather = {.arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA)};
    const struct an_value value = AN_V_INT(person);

    AN_TRY(an_tx_each(tx, AN_SQL_DUTY_LIST, &value, 1, gather_duty, &gather, reterr));
    for (size_t i = 0; i < gather.duties.count; i++)
        AN_TRY(each(context, &gather.duties.items[i], reterr));
    return AN_OK;
}

an_code
an_registry_may(struct an_tx *tx, int64_t person, const char *role, int64_t agency, an_time at, bool *ret,
                int64_t *ret_agency,
                struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(person), an_v_text(role), AN_V_INT(agency), AN_V_INT(at)};
    int64_t where = 0;

    AN_TRY(an_tx_int(tx, agency ? AN_SQL_DUTY_FOR_AGENCY : AN_SQL_DUTY_ANYWHERE, values, AN_COUNT(values), &where,
                     reterr));
    *ret = where != 0;
    if (ret_agency != NULL)
        *ret_agency = where;
    return AN_OK;
}
