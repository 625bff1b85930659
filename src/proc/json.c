#include "proc/json.h"

#include <jansson.h>

void
an_json_free(json_t **root)
{
    json_decref(*root);
    *root = NULL;
}

an_code
an_json_parse(an_bytes text, json_t **ret, struct an_err *reterr)
{
    json_error_t where;
    json_t *root = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &where);

    if (root == NULL)
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "JSON line %d column %d: %s", where.line, where.column, where.text);
    *ret = root;
    return AN_OK;
}

static int
append_part(const char *part, size_t len, void *out)
{
    an_buf_append(out, AN_BYTES(part, len));
    return 0;
}

void
an_json_write(struct an_buf *out, const json_t *root)
{
    if (json_dump_callback(root, append_part, out, JSON_COMPACT) != 0)
        an_die_memory();
}
