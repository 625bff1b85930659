/* People. */
#include "registry/internal.h"

#include <stdio.h>

#define P(kind, member) {kind, offsetof(struct an_person, member)}
static const struct col person_cols[] = {
    P(COL_INT, id), P(COL_TEXT, number), P(COL_TEXT, name), P(COL_TIME, born), P(COL_TEXT, identity),
    P(COL_TIME, identity_issued),
    P(COL_TEXT, identity_place), P(COL_TEXT, email), P(COL_TEXT, phone), P(COL_INT, agency), P(COL_TEXT, agency_name),
    P(COL_TEXT, state),
    P(COL_TIME, since), P(COL_TIME, until), P(COL_TIME, retires),
};
static const struct reg_pager person_pager = {
    AN_SQL_PERSON_PAGE_NAME, AN_SQL_PERSON_PAGE_KEY, AN_SQL_PERSON_PAGE_AGENCY, AN_SQL_PERSON_PAGE_AGENCY_KEY,
    COLS(person_cols), sizeof(struct an_person)};

static const struct reg_tails person_tails = {AN_SQL_PERSON_TAIL_DELETE, AN_SQL_PERSON_TAIL_INSERT};

/* What is written, cleaned. */
struct person_texts {
    const char *name, *folded, *place, *phone;
    char email[256], identity[16];
};

/* Số định danh cá nhân: 12 digits. */
static an_code
clean_identity(const char *identity, char ret[static 16], struct an_err *reterr)
{
    size_t len = 0;

    ret[0] = '\0';
    for (const char *c = identity ? identity : ""; *c != '\0'; c++) {
        if (*c == ' ' || *c == '\'')
            continue;
        if (*c < '0' || *c > '9' || len == 12)
            AN_FAIL(reterr, AN_E_PERSON_IDENTITY, "%zu", len);
        ret[len++] = *c;
    }
    ret[len] = '\0';
    if (len != 0 && len != 12)
        AN_FAIL(reterr, AN_E_PERSON_IDENTITY, "%zu", len);
    return AN_OK;
}

static an_code
clean_phone(const char *phone, struct an_arena *arena, const char **ret, struct an_err *reterr)
{
    size_t digits = 0;

    AN_TRY(reg_clean(arena, "phone", phone, ret, reterr));
    for (const char *c = *ret; *c != '\0'; c++) {
        digits += *c >= '0' && *c <= '9';
        if (!(*c >= '0' && *c <= '9') && strchr(" .-+()", *c) == NULL)
            AN_FAIL(reterr, AN_E_PERSON_FIELD, "phone");
    }
    if ((*ret)[0] != '\0' && (digits < 8 || digits > 15))
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "phone");
    return AN_OK;
}

static an_code
clean_email(struct an_tx *tx, const char *email, int64_t agency, char ret[static 256], struct an_err *reterr)
{
    size_t len = 0;

    for (const char *c = email ? email : ""; *c != '\0'; c++) {
        if (*c == ' ')
            continue;
        if (len == 255)
            AN_FAIL(reterr, AN_E_PERSON_EMAIL, "%.80s", email);
        ret[len++] = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    }
    ret[len] = '\0';
    return len ? an_email_check(tx, ret, agency, reterr) : AN_OK;
}

static an_code
clean_person(struct an_tx *tx, const struct an_person *person, struct an_arena *arena, struct person_texts *ret,
             struct an_err *reterr)
{
    an_time now = an_time_now();

    AN_TRY(reg_clean(arena, "name", person->name, &ret->name, reterr));
    if (ret->name[0] == '\0')
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "name");
    if (person->born != AN_TIME_NONE && (person->born > now || person->born < now - (an_time)120 * 366 * 86400))
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "born");
    if (person->identity_issued != AN_TIME_NONE && person->identity_issued > now)
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "identity_issued");
    AN_TRY(reg_fold(arena, ret->name, &ret->folded, reterr));
    AN_TRY(reg_clean(arena, "identity_place", person->identity_place, &ret->place, reterr));
    AN_TRY(clean_phone(person->phone, arena, &ret->phone, reterr));
    AN_TRY(clean_identity(person->identity, ret->identity, reterr));
    return clean_email(tx, person->email, person->agency, ret->email, reterr);
}

static an_code
check_taken(struct an_tx *tx, const struct an_person *person, const char *number, const struct person_texts *texts,
            struct an_err *reterr)
{
    const struct an_value values[] = {reg_text(number), an_v_text(texts->email), an_v_text(texts->identity),
                                      AN_V_INT(person->id)};
    int64_t which = 0;

    AN_TRY(an_tx_int(tx, AN_SQL_PERSON_TAKEN, values, AN_COUNT(values), &which, reterr));
    if (which != 0) /* never the personal identifier itself */
        AN_FAIL(reterr, AN_E_PERSON_TAKEN, "%s", which == 1 ? number : which == 2 ? texts->email : "identity");
    return AN_OK;
}

static an_code
check_agency(struct an_tx *tx, int64_t agency, struct an_err *reterr)
{
    const struct an_value id = AN_V_INT(agency);
    int64_t found = 0;

    AN_TRY(an_tx_int(tx, AN_SQL_AGENCY_ACTIVE_COUNT, &id, 1, &found, reterr));
    if (found == 0)
        AN_FAIL(reterr, AN_E_AGENCY_CLOSED, "#%lld", (long long)agency);
    return AN_OK;
}

an_code
an_person_add(struct an_tx *tx, const struct an_person *person, int64_t *ret_id, char ret_number[static 32],
              struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct person_texts texts = {0};
    struct an_person fresh = *person;

    fresh.id = 0;
    /* who left long ago may have left what is no more */
    if (person->state == NULL || strcmp(person->state, "active") == 0)
        AN_TRY(check_agency(tx, person->agency, reterr));
    AN_TRY(clean_person(tx, person, arena, &texts, reterr));
    AN_TRY(reg_number(tx, "person", "CB", person->number, AN_E_PERSON_FIELD, ret_number, reterr));
    AN_TRY(check_taken(tx, &fresh, ret_number, &texts, reterr));
    const struct an_value values[] = {
        an_v_text(ret_number), an_v_text(texts.name), an_v_text(texts.folded), reg_time(person->born),
        reg_text_or_null(texts.identity), reg_time(person->identity_issued), an_v_text(texts.place),
        an_v_text(texts.email),
        an_v_text(texts.phone), AN_V_INT(person->agency), reg_time(person->since), reg_time(person->retires),
    };
    AN_TRY(an_tx_int(tx, AN_SQL_PERSON_INSERT, values, AN_COUNT(values), ret_id, reterr));
    return reg_put_tails(tx, &person_tails, *ret_id, texts.folded, true, reterr);
}

an_code
an_person_edit(struct an_tx *tx, const struct an_person *person, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct person_texts texts = {0};
    int64_t changed = 0;

    AN_TRY(clean_person(tx, person, arena, &texts, reterr));
    AN_TRY(check_taken(tx, person, "", &texts, reterr));
    const struct an_value values[] = {
        an_v_text(texts.name), an_v_text(texts.folded), reg_time(person->born), reg_text_or_null(texts.identity),
        reg_time(person->identity_issued), an_v_text(texts.place), an_v_text(texts.email), an_v_text(texts.phone),
        reg_time(person->retires),
        AN_V_INT(person->id),
    };
    AN_TRY(an_tx_run(tx, AN_SQL_PERSON_UPDATE, values, AN_COUNT(values), &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, AN_E_PERSON_UNKNOWN, "#%lld", (long long)person->id);
    return reg_put_tails(tx, &person_tails, person->id, texts.folded, false, reterr);
}

/* ---- finding ---- */
static an_code
find_person(struct an_tx *tx, enum an_sql statement, struct an_value value, const char *what, struct an_arena *arena,
            struct an_person *ret,
            struct an_err *reterr)
{
    bool found = false;

    AN_TRY(reg_find(tx, statement, &value, 1, COLS(person_cols), arena, ret, &found, reterr));
    if (!found)
        AN_FAIL(reterr, AN_E_PERSON_UNKNOWN, "%.80s", what);
    return AN_OK;
}

an_code
an_person_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_person *ret, struct an_err *reterr)
{
    char what[24];

    snprintf(what, sizeof(what), "#%lld", (long long)id);
    return find_person(tx, AN_SQL_PERSON_FIND, AN_V_INT(id), what, arena, ret, reterr);
}

an_code
an_person_find_number(struct an_tx *tx, const char *number, struct an_arena *arena, struct an_person *ret,
                      struct an_err *reterr)
{
    return find_person(tx, AN_SQL_PERSON_FIND_NUMBER, an_v_text(number), number, arena, ret, reterr);
}

an_code
an_person_end(struct an_tx *tx, int64_t id, const char *state, an_time at, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(id), an_v_text(state), AN_V_INT(at)},
                          times[] = {AN_V_INT(id), AN_V_INT(at)};
    int64_t changed = 0;

    if (strcmp(state, "retired") != 0 && strcmp(state, "left") != 0 && strcmp(state, "deceased") != 0)
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "state: %.20s", state);
    AN_TRY(an_tx_run(tx, AN_SQL_PERSON_END, values, AN_COUNT(values), &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, AN_E_PERSON_UNKNOWN, "#%lld", (long long)id);
    AN_TRY(an_tx_run(tx, AN_SQL_POST_END_PERSON, times, AN_COUNT(times), NULL, reterr));
    return an_tx_run(tx, AN_SQL_DUTY_END_PERSON, times, AN_COUNT(times), NULL, reterr);
}

/* ---- listing ---- */
struct list {
    an_person_fn each;
    void *context;
};

static an_code
list_row(void *context, const void *item, struct an_err *reterr)
{
    struct list *list = context;

    return list->each(list->context, item, reterr);
}

an_code
an_person_list(struct an_tx *tx, const struct an_page *page, struct an_arena *arena, an_person_fn each, void *context,
               const char **ret_cursor,
               struct an_err *reterr)
{
    struct list list = {each, context};

    return reg_page(tx, &person_pager, page, arena, list_row, &list, ret_cursor, reterr);
}
