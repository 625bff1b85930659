/* Authorities: their rows. */
#include "ca/register.h"

void
an_authorities_done(struct an_authorities *authorities)
{
    for (size_t i = 0; i < authorities->count; i++) {
        struct an_authority *a = &authorities->items[i];
        char *texts[] = {a->name, a->line, a->kind, a->hierarchy, a->profile, a->key, a->ocsp_key, a->base_url};
        for (size_t k = 0; k < AN_COUNT(texts); k++)
            free(texts[k]);
        an_cert_unref(&a->cert);
        an_cert_unref(&a->ocsp_cert);
    }
    free(authorities->items);
    *authorities = (struct an_authorities){0};
}

/* id, name, line, kind, hierarchy, profile, parent, certificate, key, ocsp_certificate, ocsp_key, base_url,
 * crl_partitions, status */
static an_code
read_authority(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct an_authorities *all = context;
    struct an_authority *a;

    if (all->count == all->capacity) {
        all->capacity = all->capacity ? all->capacity * 2 : 8;
        all->items = an_grow(all->items, all->capacity, sizeof(*all->items));
    }
    a = &all->items[all->count++];
    *a = (struct an_authority){.id = an_row_int(row, 0), .parent = an_row_int(row, 6),
        .name = an_strdup(an_row_text(row, 1)), .line = an_strdup(an_row_text(row, 2)),
        .kind = an_strdup(an_row_text(row, 3)), .hierarchy = an_strdup(an_row_text(row, 4)),
        .profile = an_strdup(an_row_text(row, 5)), .key = an_strdup(an_row_text(row, 8)),
        .ocsp_key = an_strdup(an_row_text(row, 10)), .base_url = an_strdup(an_row_text(row, 11)),
        .partitions = an_row_int(row, 12), .is_retired = an_row_int(row, 13) != 0};
    AN_TRY(an_cert_parse(an_row_blob(row, 7), &a->cert, reterr));
    return an_row_is_null(row, 9) ? AN_OK : an_cert_parse(an_row_blob(row, 9), &a->ocsp_cert, reterr);
}

an_code
an_authorities_load(struct an_tx *tx, struct an_authorities *ret, struct an_err *reterr)
{
    an_authorities_done(ret);
    return an_tx_each(tx, AN_SQL_AUTHORITY_LIST, NULL, 0, read_authority, ret, reterr);
}

const struct an_authority *
an_authorities_find(const struct an_authorities *authorities, const char *name)
{
    for (size_t i = 0; i < authorities->count; i++)
        if (strcmp(authorities->items[i].name, name) == 0)
            return &authorities->items[i];
    for (size_t i = 0; i < authorities->count; i++)
        if (strcmp(authorities->items[i].line, name) == 0 && !authorities->items[i].is_retired)
            return &authorities->items[i];
    return NULL;
}

const struct an_authority *
an_authorities_by_id(const struct an_authorities *authorities, int64_t id)
{
    for (size_t i = 0; i < authorities->count; i++)
        if (authorities->items[i].id == id)
            return &authorities->items[i];
    return NULL;
}

struct names { const char *name; bool is_there; };

static an_code
look_for_name(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct names *names = context;

    (void)reterr;
    names->is_there = names->is_there || strcmp(an_row_text(row, 1), names->name) == 0;
    return AN_OK;
}

an_code
an_authority_insert(struct an_tx *tx, const struct an_authority_plan *plan, an_time now, struct an_err *reterr)
{
    const struct an_value line = an_v_text(plan->line);
    const struct an_value values[] = {
        an_v_text(plan->name), line, an_v_text(plan->kind), an_v_text(plan->hierarchy), an_v_text(plan->profile),
        plan->parent ? AN_V_INT(plan->parent) : AN_V_NULL,
        AN_V_BLOB(plan->cert->der), AN_V_BLOB(plan->cert->serial), an_v_text(plan->key), an_v_text(plan->base_url),
        AN_V_INT(plan->partitions),
        AN_V_INT(plan->cert->not_before), AN_V_INT(plan->cert->not_after), AN_V_INT(now),
    };
    struct names names = {.name = plan->name};

    AN_TRY(an_tx_each(tx, AN_SQL_AUTHORITY_LIST, NULL, 0, look_for_name, &names, reterr));
    if (names.is_there)
        return AN_OK;
    AN_TRY(an_tx_run(tx, AN_SQL_AUTHORITY_RETIRE, &line, 1, NULL, reterr));
    return an_tx_run(tx, AN_SQL_AUTHORITY_INSERT, values, AN_COUNT(values), NULL, reterr);
}

an_code
an_authority_set_ocsp(struct an_tx *tx, int64_t id, struct an_cert *cert, const char *key, struct an_err *reterr)
{
    return an_tx_run(tx, AN_SQL_AUTHORITY_SET_OCSP, (const struct an_value[]){AN_V_INT(id), AN_V_BLOB(cert->der),
            an_v_text(key)}, 3, NULL, reterr);
}
