#include "layout/internal.h"

#include "base/utf8.h"

#define INPUT_TEXT_BYTES_MAX 100000

static an_code
keep_text(struct an_arena *arena, const json_t *value, const char *key, const char **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf nfc = an_buf_new(INPUT_TEXT_BYTES_MAX);
    const char *text = json_string_value(value), *kept;

    if (text == NULL)
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "%s: not a text", key);
    if (!an_utf8_nfc(&nfc, an_bytes_of_str(text)))
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "%s: > %d byte", key, INPUT_TEXT_BYTES_MAX);
    kept = an_arena_str(arena, an_buf_view(&nfc));
    if (kept == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "%s", key);
    *ret = kept;
    return AN_OK;
}

an_code
input_text(struct an_arena *arena, const json_t *object, const char *key, bool required, const char **ret,
           struct an_err *reterr)
{
    const json_t *value = json_object_get(object, key);

    if (value == NULL && required)
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "%s: missing", key);
    if (value == NULL) {
        *ret = "";
        return AN_OK;
    }
    return keep_text(arena, value, key, ret, reterr);
}

an_code
input_list(const json_t *object, const char *key, json_t **ret, struct an_err *reterr)
{
    json_t *value = json_object_get(object, key);

    if (value != NULL && (!json_is_array(value) || json_array_size(value) > LAYOUT_ITEMS_MAX))
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "%s: not a list of at most %u", key, LAYOUT_ITEMS_MAX);
    *ret = value;
    return AN_OK;
}

an_code
input_item(struct an_arena *arena, const json_t *list, size_t i, const char *key, const char **ret,
           struct an_err *reterr)
{
    return keep_text(arena, json_array_get(list, i), key, ret, reterr);
}
