/*
 * The content of a PostgreSQL schema to a file and back: tables in the order of their references, each by COPY in
 * binary form, all in one snapshot.
 *
 * "antin-dump 1\n", then for each table "name(columns)\n" and its COPY data in chunks of 4 bytes length (big-endian)
 * and
 *   bytes, ended by a length of zero; "." ends the file.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "store/postgres.h"

#define TITLE "antin-dump 1\n"

/* Tables, referenced ones first, with their columns in order. References within a table are checked at the end of its
 * COPY. */
static const char tables_query[] =
    "WITH RECURSIVE t AS (SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    "  WHERE n.nspname = current_schema() AND c.relkind = 'r'),"
    " d AS (SELECT oid, 0 AS depth FROM t UNION SELECT k.conrelid, d.depth + 1 FROM pg_constraint k JOIN d ON k.confrelid = d.oid"
    "  WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND d.depth < 50)"
    " SELECT t.relname, (SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_attribute a"
    "  WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')"
    " FROM t JOIN d ON d.oid = t.oid GROUP BY t.oid, t.relname ORDER BY max(d.depth), t.relname";

static void
put_length(struct an_output *out, size_t length, an_code *code, struct an_err *reterr)
{
    const uint8_t bytes[4] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8),
                              (uint8_t)length};

    if (*code == AN_OK)
        *code = an_output_write(out, AN_BYTES(bytes, 4), reterr);
}

static an_code
dump_table(PGconn *db, const char *table, const char *columns, struct an_output *out, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *head = an_asprintf("%s(%s)\n", table, columns);
    AN_CLEANUP(an_free_ptr) char *copy = an_asprintf("COPY \"%s\" (%s) TO STDOUT (FORMAT binary)", table, columns);
    PGresult *result = NULL;
    char *row = NULL;
    an_code code = AN_OK;
    int len;

    AN_TRY(an_output_write(out, an_bytes_of_str(head), reterr));
    AN_TRY(pg_plain(db, copy, &result, reterr));
    PQclear(result);
    while ((len = PQgetCopyData(db, &row, 0)) > 0) {
        put_length(out, (size_t)len, &code, reterr);
        if (code == AN_OK)
            code = an_output_write(out, AN_BYTES(row, (size_t)len), reterr);
        PQfreemem(row);
    }
    put_length(out, 0, &code, reterr);
    while ((result = PQgetResult(db)) != NULL) {
        if (code == AN_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
            code = an_err_set(reterr, AN_E_STORE_ABSENT, "COPY %s", table);
        PQclear(result);
    }
    return len == -2 && code == AN_OK ? an_err_set(reterr, AN_E_STORE_ABSENT, "COPY %s", table) : code;
}

static an_code
dump_tables(PGconn *db, struct an_output *out, struct an_err *reterr)
{
    PGresult *tables = NULL;
    an_code code;

    AN_TRY(pg_plain(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, reterr));
    AN_TRY(an_output_write(out, AN_LIT(TITLE), reterr));
    AN_TRY(pg_plain(db, tables_query, &tables, reterr));
    code = AN_OK;
    for (int i = 0; code == AN_OK && i < PQntuples(tables); i++)
        code = dump_table(db, PQgetvalue(tables, i, 0), PQgetvalue(tables, i, 1), out, reterr);
    PQclear(tables);
    return code == AN_OK ? an_output_write(out, AN_LIT("."), reterr) : code;
}

an_code
pg_dump(const char *url, const char *path, struct an_err *reterr)
{
    struct an_output out = AN_OUTPUT_NONE;
    PGconn *db = NULL;
    an_code code;

    AN_TRY(pg_connect(url, AN_STORE_READ_ONLY, &db, reterr));
    code = an_output_open(path, &out, reterr);
    if (code == AN_OK && fchmod(out.fd, 0600) != 0)
        code = an_err_set(reterr, AN_E_FILE_CREATE, "%s", path);
    if (code == AN_OK)
        code = dump_tables(db, &out, reterr);
    if (code == AN_OK)
        code = an_output_commit(&out, reterr);
    an_output_discard(&out);
    PQfinish(db);
    return code;
}

/* ---- and back ---- */
static an_code
fail_form(struct an_err *reterr)
{
    return an_err_set(reterr, AN_E_STORE_DAMAGED, "the dump is cut off or malformed");
}

/* "name(columns)\n": names as PostgreSQL quotes them; nothing that could end the statement. */
static an_code
take_head(an_bytes *in, char **ret_table, char **ret_columns, struct an_err *reterr)
{
    size_t end = an_bytes_find(*in, AN_LIT("\n"), 0), open = an_bytes_find(*in, AN_LIT("("), 0);

    if (end == SIZE_MAX || open == SIZE_MAX || open == 0 || open + 2 > end || in->ptr[end - 1] != ')')
        return fail_form(reterr);
    for (size_t i = 0; i < end; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_,\"", in->ptr[i]) == NULL && i != open && i != end - 1)
            return fail_form(reterr);
    *ret_table = an_strdup_bytes(AN_BYTES(in->ptr, open));
    *ret_columns = an_strdup_bytes(AN_BYTES(in->ptr + open + 1, end - open - 2));
    *in = AN_BYTES(in->ptr + end + 1, in->len - end - 1);
    return AN_OK;
}

static an_code
send_rows(PGconn *db, an_bytes *in, struct an_err *reterr)
{
    for (;;) {
        size_t len;

        if (in->len < 4)
            return fail_form(reterr);
        len = (size_t)in->ptr[0] << 24 | (size_t)in->ptr[1] << 16 | (size_t)in->ptr[2] << 8 | in->ptr[3];
        *in = AN_BYTES(in->ptr + 4, in->len - 4);
        if (len == 0)
            return AN_OK;
        if (len > in->len || len > INT32_MAX)
            return fail_form(reterr);
        if (PQputCopyData(db, (const char *)in->ptr, (int)len) != 1)
            AN_FAIL(reterr, AN_E_STORE_ABSENT, "COPY");
        *in = AN_BYTES(in->ptr + len, in->len - len);
    }
}

static an_code
load_table(PGconn *db, an_bytes *in, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *table = NULL, *columns = NULL, *prepare = NULL, *copy = NULL;
    PGresult *result = NULL;
    an_code code;

    AN_TRY(take_head(in, &table, &columns, reterr));
    /* what the migrations wrote themselves is in the dump too; triggers judged these rows when they were first
     * written */
    prepare = an_asprintf("ALTER TABLE \"%s\" DISABLE TRIGGER USER; DELETE FROM \"%s\"", table, table);
    copy = an_asprintf("COPY \"%s\" (%s) FROM STDIN (FORMAT binary)", table, columns);
    AN_TRY(pg_plain(db, prepare, NULL, reterr));
    AN_TRY(pg_plain(db, copy, NULL, reterr));
    code = send_rows(db, in, reterr);
    if (PQputCopyEnd(db, code == AN_OK ? NULL : "cut off") != 1 && code == AN_OK)
        code = an_err_set(reterr, AN_E_STORE_ABSENT, "COPY %s", table);
    while ((result = PQgetResult(db)) != NULL) {
        if (code == AN_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
            code = an_err_set(reterr, AN_E_STORE_DAMAGED, "%s: %s", table,
                              PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
        PQclear(result);
    }
    if (code != AN_OK)
        return code;
    free(prepare);
    prepare = an_asprintf("ALTER TABLE \"%s\" ENABLE TRIGGER USER", table);
    return pg_plain(db, prepare, NULL, reterr);
}

/* Numbers that the database gives out go on behind the largest one there is. */
static const char sequences_script[] =
    "DO $$ DECLARE r record; BEGIN FOR r IN SELECT c.relname AS t, a.attname AS c FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND a.attidentity <> '' LOOP"
    " EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, %L), (SELECT COALESCE(MAX(%I), 0) + 1 FROM %I), false)', quote_ident(r.t), r.c, r.c, r.t);"
    " END LOOP; END $$";

static an_code
refuse_rows(PGconn *db, struct an_err *reterr)
{
    PGresult *rows = NULL;
    bool any;

    AN_TRY(pg_plain(db, "SELECT 1 FROM store_value LIMIT 1", &rows, reterr));
    any = PQntuples(rows) > 0;
    PQclear(rows);
    if (any)
        AN_FAIL(reterr, AN_E_STORE_FOREIGN, "there are rows already");
    return AN_OK;
}

static an_code
load_tables(PGconn *db, an_bytes in, struct an_err *reterr)
{
    if (!an_bytes_starts_with(in, AN_LIT(TITLE)))
        return fail_form(reterr);
    in = an_bytes_slice(in, sizeof(TITLE) - 1, SIZE_MAX);
    AN_TRY(pg_plain(db, "BEGIN", NULL, reterr));
    AN_TRY(refuse_rows(db, reterr));
    while (in.len > 0 && in.ptr[0] != '.')
        AN_TRY(load_table(db, &in, reterr));
    if (in.len != 1)
        return fail_form(reterr);
    AN_TRY(pg_plain(db, sequences_script, NULL, reterr));
    return pg_plain(db, "COMMIT", NULL, reterr);
}

an_code
pg_load(const char *url, const char *path, struct an_err *reterr)
{
    struct an_file file = AN_FILE_NONE;
    struct an_store *store = NULL;
    PGconn *db = NULL;
    an_code code;

    AN_TRY(an_store_open(url, AN_STORE_CREATE, 1, &store, reterr));
    an_store_close(&store);
    AN_TRY(an_file_open(path, 0, &file, reterr));
    code = pg_connect(url, 0, &db, reterr);
    if (code == AN_OK)
        code = load_tables(db, file.bytes, reterr);
    PQfinish(db);
    an_file_close(&file);
    if (code != AN_OK)
        return code;
    AN_TRY(an_store_open(url, 0, 1, &store, reterr)); /* the migrations that the dump brought are this program's */
    an_store_close(&store);
    return AN_OK;
}

/* ---- a schema for trying ---- */
#define SCRATCH "antin_scratch_"
#define SEARCH_PATH "options=-csearch_path%3D"

an_code
an_store_scratch_new(const char *url, char **ret_url, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *create = NULL;
    PGconn *db = NULL;
    PGresult *result = NULL;
    an_code code;

    AN_TRY(pg_connect(url, 0, &db, reterr));
    create = an_asprintf("CREATE SCHEMA \"" SCRATCH "%d\"", PQbackendPID(db));
    code = pg_plain(db, create, &result, reterr);
    PQclear(result);
    if (code == AN_OK)
        *ret_url = an_asprintf("%s%s%s" SCRATCH "%d", url, strchr(url, '?') ? "&" : "?", SEARCH_PATH, PQbackendPID(db));
    PQfinish(db);
    return code;
}

void
an_store_scratch_drop(const char *url, const char *scratch_url)
{
    const char *name = scratch_url ? strstr(scratch_url, SCRATCH) : NULL;
    PGconn *db = NULL;

    if (name != NULL && pg_connect(url, 0, &db, NULL) == AN_OK) {
        AN_CLEANUP(an_free_ptr) char *drop = an_asprintf("DROP SCHEMA \"%s\" CASCADE", name);

        (void)!pg_plain(db, drop, NULL, NULL);
    }
    PQfinish(db);
}
