/* Officers of the authority. */
#include "decision/decision.h"

an_code
an_officer_add(struct an_tx *tx, const char *person, const char *role, struct an_cert *cert, an_time now,
               struct an_err *reterr)
{
    const struct an_value values[] = {an_v_text(person), an_v_text(role), AN_V_BLOB(cert->der),
                                      AN_V_BLOB(AN_BYTES(cert->sha256, 32)), AN_V_INT(now)};
    int64_t changed = 0;

    return an_tx_run(tx, AN_SQL_OFFICER_INSERT, values, AN_COUNT(values), &changed, reterr);
}

an_code
an_officer_end(struct an_tx *tx, const char *person, an_time now, struct an_err *reterr)
{
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_OFFICER_END, (const struct an_value[]){an_v_text(person), AN_V_INT(now)}, 2, &changed,
                     reterr));
    return changed == 1 ? AN_OK : an_err_set(reterr, AN_E_DECISION_OFFICER, "%s", person);
}

struct giving { an_officer_fn each; void *context; };

static an_code
give_officer(void *context, const struct an_row *row, struct an_err *reterr)
{
    const struct giving *giving = context;

    return giving->each(giving->context, an_row_text(row, 0), an_row_text(row, 1), an_row_blob(row, 2), reterr);
}

an_code
an_officer_each(struct an_tx *tx, an_officer_fn each, void *context, struct an_err *reterr)
{
    struct giving giving = {each, context};

    return an_tx_each(tx, AN_SQL_OFFICER_LIST, NULL, 0, give_officer, &giving, reterr);
}
