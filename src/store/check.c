/* Invariants: statements of every room whose names begin with invariant_; and the whole content to a file and back. */
#include "store/internal.h"

#define PREFIX "invariant_"

struct checking {
    an_store_fault_fn tell;
    void *context;
    const char *invariant;
    size_t faults;
};

static an_code
take_fault(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct checking *checking = context;

    (void)reterr;
    checking->faults++;
    if (checking->tell != NULL)
        checking->tell(checking->context, checking->invariant, an_row_text(row, 0));
    return AN_OK;
}

static an_code
check_all(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct checking *checking = context;

    for (int i = 0; i < AN_SQL_COUNT; i++) {
        if (strncmp(sql_texts[i].name, PREFIX, sizeof(PREFIX) - 1) != 0)
            continue;
        checking->invariant = sql_texts[i].name + sizeof(PREFIX) - 1;
        AN_TRY(an_tx_each(tx, (enum an_sql)i, NULL, 0, take_fault, checking, reterr));
    }
    return AN_OK;
}

an_code
an_store_check(struct an_store *store, an_store_fault_fn tell, void *context, size_t *ret_faults, struct an_err *reterr)
{
    struct checking checking = {tell, context, NULL, 0};

    AN_TRY(an_store_read(store, check_all, &checking, reterr));
    *ret_faults = checking.faults;
    return AN_OK;
}

an_code
an_store_dump(struct an_store *store, const char *path, struct an_err *reterr)
{
    return store->engine->dump(store->url, path, reterr);
}

an_code
an_store_load(const char *url, const char *path, struct an_err *reterr)
{
    const struct engine *engine = find_engine(url);

    if (engine == NULL)
        AN_FAIL(reterr, AN_E_STORE_URL, "sqlite:PATH, postgresql://…");
    return engine->load(url, path, reterr);
}
