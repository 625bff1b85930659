/* From the tree to a struct, by a table of fields: nothing is guessed from how a value looks, every key is known. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "yaml/yaml.h"

static bool
char_is_id(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c >= 0x80; /* "đ" is a point */
}

/* act[/article[/clause[/point]]]: one to four parts of small letters, digits, "-", "." and "đ". */
bool
an_yaml_is_citation(an_bytes citation)
{
    size_t parts = 1, part_len = 0;

    for (size_t i = 0; i < citation.len; i++) {
        if (citation.ptr[i] != '/') {
            if (!char_is_id(citation.ptr[i]))
                return false;
            part_len++;
            continue;
        }
        if (part_len == 0)
            return false;
        parts++;
        part_len = 0;
    }
    return part_len > 0 && parts <= 4 && citation.len < 128;
}

static const char *const KIND_NAMES[] = {"text",
                                         "true or false",
                                         "a number",
                                         "a whole number",
                                         "one of a list of words",
                                         "a date YYYY-MM-DD",
                                         "a list of texts",
                                         "a citation act/article/clause/point",
                                         "a map",
                                         "a list",
                                         "a value"};

static an_code
fail_type(struct an_yaml_doc *doc, const struct an_yaml_node *node, const struct an_yaml_field *field,
          struct an_err *reterr)
{
    return an_yaml_fail(doc, node, reterr, AN_E_YAML_TYPE, "%s is expected here", KIND_NAMES[field->kind]);
}

static bool
read_flag(const struct an_yaml_node *node, bool *ret)
{
    bool is_true = strcmp(node->text, "true") == 0;

    if (node->quoted || (!is_true && strcmp(node->text, "false") != 0))
        return false;
    *ret = is_true;
    return true;
}

/* Digits, one optional point: no exponents, no "nan", and the same in every locale. */
static bool
read_double(const struct an_yaml_node *node, double *ret)
{
    double value = 0, unit = 1;
    bool fraction = false;
    size_t digits = 0;

    if (node->quoted)
        return false;
    for (const char *at = node->text; *at; at++) {
        if (*at == '.' && !fraction && digits > 0) {
            fraction = true;
            continue;
        }
        if (!isdigit((unsigned char)*at) || ++digits > 12)
            return false;
        value = value * 10 + (*at - '0');
        unit *= fraction ? 10 : 1;
    }
    *ret = value / unit;
    return digits > 0 && *ret <= 100000;
}

static bool
read_int64(const struct an_yaml_node *node, int64_t *ret)
{
    char *end = NULL;

    if (node->quoted || node->text[0] == '\0' || !(isdigit((unsigned char)node->text[0]) || node->text[0] == '-'))
        return false;
    errno = 0;
    long long value = strtoll(node->text, &end, 10);
    *ret = value;
    return errno == 0 && *end == '\0' && value >= -1;
}

static bool
read_date(const struct an_yaml_node *node, an_time *ret)
{
    if (strlen(node->text) != 10)
        return false;
    *ret = an_time_parse(an_bytes_of_str(node->text));
    return *ret != AN_TIME_NONE;
}

static an_code
read_choice(struct an_yaml_doc *doc, const struct an_yaml_node *node, const struct an_yaml_field *field, int *ret,
            struct an_err *reterr)
{
    char list[160] = "";

    for (int i = 0; field->choices[i]; i++) {
        if (strcmp(node->text, field->choices[i]) == 0) {
            *ret = i;
            return AN_OK;
        }
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", field->choices[i]);
    }
    return an_yaml_fail(doc, node, reterr, AN_E_YAML_TYPE, "\"%.40s\" is not one of: %s", node->text, list);
}

an_code
an_yaml_read_texts(struct an_yaml_doc *doc, const struct an_yaml_node *node, struct an_yaml_texts *ret,
                   struct an_err *reterr)
{
    if (node->kind != AN_YAML_LIST)
        return an_yaml_fail(doc, node, reterr, AN_E_YAML_TYPE, "a list of texts is expected here");
    ret->items = an_arena_alloc(doc->arena, sizeof(char *) * (node->count + 1));
    if (!ret->items)
        return an_yaml_fail(doc, node, reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *child = node->first; child; child = child->next) {
        if (child->kind != AN_YAML_TEXT || child->text[0] == '\0')
            return an_yaml_fail(doc, child, reterr, AN_E_YAML_TYPE, "text is expected here");
        ret->items[ret->count++] = child->text;
    }
    return AN_OK;
}

static an_code
read_scalar(struct an_yaml_doc *doc, const struct an_yaml_node *node, const struct an_yaml_field *field, void *at,
            struct an_err *reterr)
{
    bool is_read = false;

    if (node->kind != AN_YAML_TEXT)
        return fail_type(doc, node, field, reterr);
    switch (field->kind) {
    case AN_FIELD_FLAG: is_read = read_flag(node, at); break;
    case AN_FIELD_DOUBLE: is_read = read_double(node, at); break;
    case AN_FIELD_INT64: is_read = read_int64(node, at); break;
    case AN_FIELD_DATE: is_read = read_date(node, at); break;
    case AN_FIELD_CHOICE: return read_choice(doc, node, field, at, reterr);
    case AN_FIELD_CITATION:
        if (!an_yaml_is_citation(an_bytes_of_str(node->text)))
            return an_yaml_fail(doc, node, reterr, AN_E_CITATION_FORM, "%.100s", node->text);
        *(const char **)at = node->text;
        return AN_OK;
    default:
        *(const char **)at = node->text;
        is_read = node->text[0] != '\0';
        break;
    }
    return is_read ? AN_OK : fail_type(doc, node, field, reterr);
}

static an_code
read_field(struct an_yaml_doc *doc, const struct an_yaml_node *node, const struct an_yaml_field *field, void *at,
           struct an_err *reterr)
{
    if (field->kind == AN_FIELD_TEXTS)
        return an_yaml_read_texts(doc, node, at, reterr);
    if (field->kind < AN_FIELD_MAP)
        return read_scalar(doc, node, field, at, reterr);
    bool is_right =
        field->kind == AN_FIELD_NODE || node->kind == (field->kind == AN_FIELD_MAP ? AN_YAML_MAP : AN_YAML_LIST);
    if (!is_right)
        return fail_type(doc, node, field, reterr);
    *(const struct an_yaml_node **)at = node;
    return AN_OK;
}

an_code
an_yaml_read_fields(struct an_yaml_doc *doc, const struct an_yaml_node *map, const struct an_yaml_field *fields,
                    size_t count, void *into, struct an_err *reterr)
{
    if (map->kind != AN_YAML_MAP)
        return an_yaml_fail(doc, map, reterr, AN_E_YAML_TYPE, "a map is expected here");
    for (const struct an_yaml_node *child = map->first; child; child = child->next) {
        size_t i = 0;
        while (i < count && strcmp(child->key, fields[i].key) != 0)
            i++;
        if (i == count)
            return an_yaml_fail(doc, child, reterr, AN_E_YAML_KEY, "this key is not known here");
        AN_TRY(read_field(doc, child, &fields[i], (char *)into + fields[i].offset, reterr));
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && !an_yaml_find(map, fields[i].key))
            return an_yaml_fail(doc, map, reterr, AN_E_YAML_MISSING, "\"%s\" is missing", fields[i].key);
    return AN_OK;
}
