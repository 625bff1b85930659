/* Subscribers of four kinds, and whose certificate is whose. */
#include "base/limits.h"
#include "registry/internal.h"

#include <stdio.h>

#define S(kind, member) {kind, offsetof(struct an_subscriber, member)}
static const struct col subscriber_cols[] = {
    S(COL_INT, id), S(COL_TEXT, number), S(COL_TEXT, kind), S(COL_INT, agency), S(COL_TEXT, agency_name),
    S(COL_INT, person),
    S(COL_TEXT, person_number), S(COL_TEXT, name), S(COL_TEXT, label), S(COL_TEXT, email), S(COL_INT, manager),
    S(COL_TEXT, state),
    S(COL_TIME, since), S(COL_TIME, until),
};
#define C(kind, member) {kind, offsetof(struct an_subscriber_cert, member)}
static const struct col cert_cols[] = {
    C(COL_TEXT, serial), C(COL_INT, subscriber), C(COL_INT, device), C(COL_TEXT, object_id), C(COL_TIME, since),
};
static const struct reg_pager subscriber_pager = {
    AN_SQL_SUBSCRIBER_PAGE_NAME, AN_SQL_SUBSCRIBER_PAGE_KEY, AN_SQL_SUBSCRIBER_PAGE_AGENCY,
    AN_SQL_SUBSCRIBER_PAGE_AGENCY_KEY, COLS(subscriber_cols), sizeof(struct an_subscriber)};

/* ---- adding, changing ---- */
/* A subscription that began in the days of its person and agency stays theirs. */
static an_code
take_names(struct an_tx *tx, struct an_subscriber *subscriber, struct an_arena *arena, struct an_err *reterr)
{
    struct an_agency agency = {0};
    struct an_person person = {0};

    AN_TRY(an_agency_find(tx, subscriber->agency, arena, &agency, reterr));
    if (strcmp(agency.state, "active") != 0 && subscriber->since >= agency.until)
        AN_FAIL(reterr, AN_E_AGENCY_CLOSED, "%s", agency.name);
    if (strcmp(subscriber->kind, "person") == 0) {
        AN_TRY(an_person_find(tx, subscriber->person, arena, &person, reterr));
        if (strcmp(person.state, "active") != 0 && subscriber->since >= person.until)
            AN_FAIL(reterr, AN_E_SUBSCRIBER_KIND, "%s: %s", person.number, person.state);
        subscriber->name = person.name;
        subscriber->email = person.email;
        subscriber->agency = person.agency;
    } else if (strcmp(subscriber->kind, "device-service-software") != 0) {
        subscriber->name = agency.name;
        if (subscriber->email == NULL || subscriber->email[0] == '\0')
            subscriber->email = agency.email;
    }
    return AN_OK;
}

static an_code
check_kind(const struct an_subscriber *subscriber, struct an_err *reterr)
{
    static const struct { const char *kind; bool person, label; } kinds[] = {
        {"person", true, false}, {"agency", false, false}, {"agency-second", false, true},
        {"device-service-software", false, true}};

    for (size_t i = 0; i < AN_COUNT(kinds); i++) {
        if (strcmp(subscriber->kind ? subscriber->kind : "", kinds[i].kind) != 0)
            continue;
        if (kinds[i].person != (subscriber->person != 0))
            AN_FAIL(reterr, AN_E_SUBSCRIBER_KIND, "%s: person", subscriber->kind);
        if (kinds[i].label && (subscriber->label == NULL || subscriber->label[0] == '\0'))
            AN_FAIL(reterr, AN_E_SUBSCRIBER_KIND, "%s: label", subscriber->kind);
        return AN_OK;
    }
    AN_FAIL(reterr, AN_E_SUBSCRIBER_KIND, "%.40s", subscriber->kind ? subscriber->kind : "");
}

/* ret_id NULL = an update. */
static an_code
write_subscriber(struct an_tx *tx, const struct an_subscriber *subscriber, const char *number, struct an_arena *arena,
                 int64_t *ret_id,
                 struct an_err *reterr)
{
    static const struct reg_tails tails = {AN_SQL_SUBSCRIBER_TAIL_DELETE, AN_SQL_SUBSCRIBER_TAIL_INSERT};
    const char *name = NULL, *folded = NULL, *label = NULL;

    AN_TRY(reg_clean(arena, "name", subscriber->name, &name, reterr));
    AN_TRY(reg_clean(arena, "label", subscriber->label, &label, reterr));
    if (name[0] == '\0')
        AN_FAIL(reterr, AN_E_SUBSCRIBER_KIND, "name");
    AN_TRY(reg_fold(arena, name, &folded, reterr));
    if (subscriber->email != NULL && subscriber->email[0] != '\0')
        AN_TRY(an_email_check(tx, subscriber->email, subscriber->agency, reterr));
    const struct an_value common[] = {AN_V_INT(subscriber->agency), an_v_text(name), an_v_text(folded),
                                      an_v_text(label), reg_text(subscriber->email), reg_id(subscriber->manager)};
    const struct an_value update[] = {common[0], common[1], common[2], common[3], common[4], common[5],
                                      AN_V_INT(subscriber->id)};
    const struct an_value insert[] = {common[0], common[1], common[2], common[3], common[4], common[5],
                                      an_v_text(number),
                                      an_v_text(subscriber->kind), reg_id(subscriber->person),
                                      AN_V_INT(subscriber->since)};
    if (ret_id == NULL)
        AN_TRY(an_tx_run(tx, AN_SQL_SUBSCRIBER_UPDATE, update, AN_COUNT(update), NULL, reterr));
    else
        AN_TRY(an_tx_int(tx, AN_SQL_SUBSCRIBER_INSERT, insert, AN_COUNT(insert), ret_id, reterr));
    return reg_put_tails(tx, &tails, ret_id ? *ret_id : subscriber->id, folded, ret_id != NULL, reterr);
}

an_code
an_subscriber_add(struct an_tx *tx, const struct an_subscriber *given, int64_t *ret_id, char ret_number[static 32],
                  struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_subscriber subscriber = *given;
    int64_t taken = 0;
    bool is_known = false;

    AN_TRY(check_kind(&subscriber, reterr));
    AN_TRY(take_names(tx, &subscriber, arena, reterr));
    const struct an_value values[] = {an_v_text(subscriber.kind), AN_V_INT(subscriber.person),
                                      AN_V_INT(subscriber.agency), reg_text(subscriber.label)};
    AN_TRY(an_tx_int(tx, AN_SQL_SUBSCRIBER_TAKEN, values, AN_COUNT(values), &taken, reterr));
    if (taken != 0)
        AN_FAIL(reterr, AN_E_SUBSCRIBER_TAKEN, "%s", subscriber.name);
    AN_TRY(reg_number(tx, "subscriber", "TB", subscriber.number, AN_E_SUBSCRIBER_KIND, ret_number, reterr));
    if (subscriber.number != NULL && subscriber.number[0] != '\0')
        AN_TRY(an_tx_one(tx, AN_SQL_SUBSCRIBER_FIND_NUMBER, (struct an_value[]){an_v_text(ret_number)}, 1, NULL, NULL,
                         &is_known, reterr));
    if (is_known)
        AN_FAIL(reterr, AN_E_SUBSCRIBER_TAKEN, "%s", ret_number);
    return write_subscriber(tx, &subscriber, ret_number, arena, ret_id, reterr);
}

an_code
an_subscriber_edit(struct an_tx *tx, const struct an_subscriber *subscriber, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);

    AN_TRY(check_kind(subscriber, reterr));
    return write_subscriber(tx, subscriber, "", arena, NULL, reterr);
}

an_code
an_subscriber_end(struct an_tx *tx, int64_t id, an_time at, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(id), AN_V_INT(at)};
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_SUBSCRIBER_END, values, AN_COUNT(values), &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, AN_E_SUBSCRIBER_UNKNOWN, "#%lld", (long long)id);
    return AN_OK;
}

/* ---- finding, listing ---- */
an_code
an_subscriber_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_subscriber *ret,
                   struct an_err *reterr)
{
    const struct an_value value = AN_V_INT(id);
    bool found = false;

    AN_TRY(reg_find(tx, AN_SQL_SUBSCRIBER_FIND, &value, 1, COLS(subscriber_cols), arena, ret, &found, reterr));
    if (!found)
        AN_FAIL(reterr, AN_E_SUBSCRIBER_UNKNOWN, "#%lld", (long long)id);
    return AN_OK;
}

an_code
an_subscriber_find_number(struct an_tx *tx, const char *number, struct an_arena *arena, struct an_subscriber *ret,
                          struct an_err *reterr)
{
    const struct an_value value = an_v_text(number);
    bool found = false;

    AN_TRY(reg_find(tx, AN_SQL_SUBSCRIBER_FIND_NUMBER, &value, 1, COLS(subscriber_cols), arena, ret, &found, reterr));
    if (!found)
        AN_FAIL(reterr, AN_E_SUBSCRIBER_UNKNOWN, "%.40s", number);
    return AN_OK;
}

an_code
an_subscriber_of_person(struct an_tx *tx, int64_t person, struct an_arena *arena, struct an_subscriber *ret,
                        struct an_err *reterr)
{
    const struct an_value value = AN_V_INT(person);

    *ret = (struct an_subscriber){0};
    return reg_find(tx, AN_SQL_SUBSCRIBER_OF_PERSON, &value, 1, COLS(subscriber_cols), arena, ret, NULL, reterr);
}

struct list {
    an_subscriber_fn each;
    void *context;
};

static an_code
list_row(void *context, const void *item, struct an_err *reterr)
{
    struct list *list = context;

    return list->each(list->context, item, reterr);
}

an_code
an_subscriber_list(struct an_tx *tx, const struct an_page *page, struct an_arena *arena, an_subscriber_fn each,
                   void *context,
                   const char **ret_cursor, struct an_err *reterr)
{
    struct list list = {each, context};

    return reg_page(tx, &subscriber_pager, page, arena, list_row, &list, ret_cursor, reterr);
}

/* ---- certificates ---- */
an_code
an_subscriber_link_cert(struct an_tx *tx, const struct an_subscriber_cert *cert, struct an_err *reterr)
{
    const struct an_value values[] = {an_v_text(cert->serial), AN_V_INT(cert->subscriber), reg_id(cert->device),
                                      reg_text(cert->object_id),
                                      AN_V_INT(cert->since)};

    if (cert->serial == NULL || cert->serial[0] == '\0' || strspn(cert->serial,
                                                                  "0123456789abcdef") != strlen(cert->serial))
        AN_FAIL(reterr, AN_E_SUBSCRIBER_KIND, "serial: %.40s", cert->serial ? cert->serial : "");
    return an_tx_run(tx, AN_SQL_SUBSCRIBER_CERT_PUT, values, AN_COUNT(values), NULL, reterr);
}

AN_VEC(cert_vec, struct an_subscriber_cert);
struct gather {
    struct an_arena *arena;
    struct cert_vec certs;
};

static void
gather_done(struct gather *gather)
{
    cert_vec_done(&gather->certs);
    an_arena_free(&gather->arena);
}

static an_code
gather_cert(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct gather *gather = context;

    return reg_fill(COLS(cert_cols), row, gather->arena, cert_vec_push(&gather->certs), reterr);
}

an_code
an_subscriber_certs(struct an_tx *tx, int64_t subscriber, int64_t device, an_subscriber_cert_fn each, void *context,
                    struct an_err *reterr)
{
    AN_CLEANUP(gather_done) struct gather gather = {.arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA)};
    const struct an_value value = AN_V_INT(subscriber ? subscriber : device);

    AN_TRY(an_tx_each(tx, subscriber ? AN_SQL_SUBSCRIBER_CERT_LIST : AN_SQL_SUBSCRIBER_CERT_DEVICE, &value, 1,
                      gather_cert, &gather, reterr));
    for (size_t i = 0; i < gather.certs.count; i++)
        AN_TRY(each(context, &gather.certs.items[i], reterr));
    return AN_OK;
}

an_code
an_subscriber_of_cert(struct an_tx *tx, const char *serial, struct an_arena *arena, struct an_subscriber_cert *ret,
                      struct an_err *reterr)
{
    const struct an_value value = an_v_text(serial);

    *ret = (struct an_subscriber_cert){.serial = "", .object_id = ""};
    return reg_find(tx, AN_SQL_SUBSCRIBER_CERT_FIND, &value, 1, COLS(cert_cols), arena, ret, NULL, reterr);
}
