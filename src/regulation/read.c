/* From the tree to a struct, by a table of fields: nothing is guessed from how a value looks, every key is known. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "regulation/internal.h"

static bool
char_is_id(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c >= 0x80; /* "đ" is a point */
}

/* act[/article[/clause[/point]]]: one to four parts of small letters, digits, "-", "." and "đ". */
bool
citation_is_well_formed(an_bytes citation)
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
                                         "a list"};

static an_code
fail_type(struct yaml_doc *doc, const struct yaml_node *node, const struct field *field, struct an_err *reterr)
{
    return yaml_fail(doc, node, reterr, AN_E_YAML_TYPE, "%s is expected here", KIND_NAMES[field->kind]);
}

static bool
read_flag(const struct yaml_node *node, bool *ret)
{
    bool is_true = strcmp(node->text, "true") == 0;

    if (node->quoted || (!is_true && strcmp(node->text, "false") != 0))
        return false;
    *ret = is_true;
    return true;
}

/* Digits, one optional point: no exponents, no "nan", and the same in every locale. */
static bool
read_double(const struct yaml_node *node, double *ret)
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
read_int64(const struct yaml_node *node, int64_t *ret)
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
read_date(const struct yaml_node *node, an_time *ret)
{
    if (strlen(node->text) != 10)
        return false;
    *ret = an_time_parse(an_bytes_of_str(node->text));
    return *ret != AN_TIME_NONE;
}

static an_code
read_choice(struct yaml_doc *doc, const struct yaml_node *node, const struct field *field, int *ret,
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
    return yaml_fail(doc, node, reterr, AN_E_YAML_TYPE, "\"%.40s\" is not one of: %s", node->text, list);
}

static an_code
read_texts(struct yaml_doc *doc, const struct yaml_node *node, struct text_list *ret, struct an_err *reterr)
{
    if (node->kind != YAML_LIST)
        return yaml_fail(doc, node, reterr, AN_E_YAML_TYPE, "a list of texts is expected here");
    ret->items = an_arena_alloc(doc->arena, sizeof(char *) * (node->count + 1));
    if (!ret->items)
        return yaml_fail(doc, node, reterr, AN_E_LIMIT, "too large");
    for (const struct yaml_node *child = node->first; child; child = child->next) {
        if (child->kind != YAML_TEXT || child->text[0] == '\0')
            return yaml_fail(doc, child, reterr, AN_E_YAML_TYPE, "text is expected here");
        ret->items[ret->count++] = child->text;
    }
    return AN_OK;
}

static an_code
read_scalar(struct yaml_doc *doc, const struct yaml_node *node, const struct field *field, void *at,
            struct an_err *reterr)
{
    bool is_read = false;

    if (node->kind != YAML_TEXT)
        return fail_type(doc, node, field, reterr);
    switch (field->kind) {
    case FIELD_FLAG: is_read = read_flag(node, at); break;
    case FIELD_DOUBLE: is_read = read_double(node, at); break;
    case FIELD_INT64: is_read = read_int64(node, at); break;
    case FIELD_DATE: is_read = read_date(node, at); break;
    case FIELD_CHOICE: return read_choice(doc, node, field, at, reterr);
    case FIELD_CITATION:
        if (!citation_is_well_formed(an_bytes_of_str(node->text)))
            return yaml_fail(doc, node, reterr, AN_E_CITATION_FORM, "%.100s", node->text);
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
read_field(struct yaml_doc *doc, const struct yaml_node *node, const struct field *field, void *at,
           struct an_err *reterr)
{
    if (field->kind == FIELD_TEXTS)
        return read_texts(doc, node, at, reterr);
    if (field->kind != FIELD_MAP && field->kind != FIELD_LIST)
        return read_scalar(doc, node, field, at, reterr);
    if (node->kind != (field->kind == FIELD_MAP ? YAML_MAP : YAML_LIST))
        return fail_type(doc, node, field, reterr);
    *(const struct yaml_node **)at = node;
    return AN_OK;
}

an_code
read_fields(struct yaml_doc *doc, const struct yaml_node *map, const struct field *fields, size_t count, void *into,
            struct an_err *reterr)
{
    if (map->kind != YAML_MAP)
        return yaml_fail(doc, map, reterr, AN_E_YAML_TYPE, "a map is expected here");
    for (const struct yaml_node *child = map->first; child; child = child->next) {
        size_t i = 0;
        while (i < count && strcmp(child->key, fields[i].key) != 0)
            i++;
        if (i == count)
            return yaml_fail(doc, child, reterr, AN_E_YAML_KEY, "this key is not known here");
        AN_TRY(read_field(doc, child, &fields[i], (char *)into + fields[i].offset, reterr));
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && !yaml_find(map, fields[i].key))
            return yaml_fail(doc, map, reterr, AN_E_YAML_MISSING, "\"%s\" is missing", fields[i].key);
    return AN_OK;
}
