#include "keys/keys.h"

#include "base/file.h"
#include "proc/json.h"

#include <jansson.h>
#include <unistd.h>

#define LIST_FILE "keys/keys.json"
#define LIST_BYTES_MAX ((size_t)256 * 1024)
#define NAME_MAX_LEN 64

static const char *const purpose_names[AN_PURPOSES] = {"certificate", "crl", "ocsp", "time-stamp", "audit", "enrol"};

const char *
an_key_purpose_name(enum an_key_purpose purpose)
{
    return (unsigned)purpose < AN_PURPOSES ? purpose_names[purpose] : "?";
}

static void
free_entry(struct an_key_entry *entry)
{
    free(entry->name);
    free(entry->uri);
    free(entry->pin);
}

void
an_key_list_done(struct an_key_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free_entry(&list->entries[i]);
    free(list->entries);
    *list = (struct an_key_list){0};
}

/* Names become parts of file names and of log lines. */
static bool
is_name(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= NAME_MAX_LEN && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static an_code
read_purposes(const json_t *items, const char *name, unsigned *ret, struct an_err *reterr)
{
    const json_t *item;
    size_t at;

    *ret = 0;
    json_array_foreach(items, at, item) {
        unsigned before = *ret;
        for (unsigned i = 0; i < AN_PURPOSES; i++)
            if (json_is_string(item) && strcmp(json_string_value(item), purpose_names[i]) == 0)
                *ret |= 1u << i;
        if (*ret == before)
            AN_FAIL(reterr, AN_E_KEYS_LIST, "%s: purposes: %s", name, json_is_string(item) ? json_string_value(item)
                    : "?");
    }
    if (*ret == 0)
        AN_FAIL(reterr, AN_E_KEYS_LIST, "%s: purposes", name);
    return AN_OK;
}

static bool
has_name(const struct an_key_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->entries[i].name, name) == 0)
            return true;
    return false;
}

static an_code
read_entry(json_t *item, struct an_key_list *list, struct an_err *reterr)
{
    const char *name = NULL, *uri = NULL, *pin = NULL;
    json_t *purposes = NULL;
    unsigned mask = 0;

    if (json_unpack(item, "{s:s, s:s, s?s, s:o !}", "name", &name, "uri", &uri, "pin", &pin, "purposes",
                    &purposes) != 0 ||
        !json_is_array(purposes))
        AN_FAIL(reterr, AN_E_KEYS_LIST, "key %zu: name, uri, pin, purposes", list->count + 1);
    if (!is_name(name) || has_name(list, name) || *uri == '\0')
        AN_FAIL(reterr, AN_E_KEYS_LIST, "key %zu: name \"%.64s\"", list->count + 1, name);
    AN_TRY(read_purposes(purposes, name, &mask, reterr));
    list->entries = an_grow(list->entries, list->count + 1, sizeof(*list->entries));
    list->entries[list->count++] = (struct an_key_entry){.name = an_strdup(name), .uri = an_strdup(uri),
                                                         .pin = pin ? an_strdup(pin) : NULL, .purposes = mask};
    return AN_OK;
}

an_code
an_key_list_parse(an_bytes json, struct an_key_list *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    AN_CLEANUP(an_key_list_done) struct an_key_list list = {0};
    json_t *item;
    size_t at;

    if (an_json_parse(json, &root, reterr) != AN_OK || !json_is_array(root))
        AN_FAIL(reterr, AN_E_KEYS_LIST, "JSON array");
    json_array_foreach(root, at, item)
        AN_TRY(read_entry(item, &list, reterr));
    *ret = list;
    list = (struct an_key_list){0};
    return AN_OK;
}

an_code
an_key_list_read(const char *dir, struct an_key_list *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", dir, LIST_FILE);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(LIST_BYTES_MAX);
    an_code code;

    *ret = (struct an_key_list){0};
    if (access(path, F_OK) != 0)
        return AN_OK;
    AN_TRY(an_file_read(path, LIST_BYTES_MAX, &text, reterr));
    code = an_key_list_parse(an_buf_view(&text), ret, reterr);
    if (code != AN_OK)
        an_err_name_file(reterr, path);
    return code;
}

static json_t *
write_entry(const struct an_key_entry *entry)
{
    json_t *item = json_pack("{s:s, s:s}", "name", entry->name, "uri", entry->uri), *purposes = json_array();

    for (unsigned i = 0; i < AN_PURPOSES; i++)
        if (entry->purposes & 1u << i)
            json_array_append_new(purposes, json_string(purpose_names[i]));
    if (entry->pin != NULL)
        json_object_set_new(item, "pin", json_string(entry->pin));
    json_object_set_new(item, "purposes", purposes);
    return item;
}

an_code
an_key_list_add(const char *dir, const struct an_key_entry *entry, struct an_err *reterr)
{
    AN_CLEANUP(an_key_list_done) struct an_key_list list = {0};
    AN_CLEANUP(an_key_list_done) struct an_key_list checked = {0};
    AN_CLEANUP(an_json_free) json_t *root = json_array();
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(LIST_BYTES_MAX);
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", dir, LIST_FILE);

    AN_TRY(an_key_list_read(dir, &list, reterr));
    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(root, write_entry(&list.entries[i]));
    json_array_append_new(root, write_entry(entry));
    an_json_write(&text, root);
    an_buf_byte(&text, '\n');
    if (!an_buf_ok(&text))
        AN_FAIL(reterr, AN_E_LIMIT, "%s", LIST_FILE);
    AN_TRY(an_key_list_parse(an_buf_view(&text), &checked, reterr)); /* what is written can be read */
    return an_file_write(path, an_buf_view(&text), 0600, reterr);
}
