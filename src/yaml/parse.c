/*
 * YAML through libyaml's events, as a tree that knows the line of every key. libcyaml, which stands on the same
 * events, maps straight to structs but cannot say on which line a value stood once it is loaded, and a lawyer who
 * edits a file needs that line (docs/decisions/006-yaml-events.md).
 *
 * The subset is strict: one document, maps with unique plain keys, lists, scalars. Anchors, aliases, tags and merge
 * keys are refused: nothing in a law file means more than it shows.
 */
#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "yaml/yaml.h"

struct yaml_reading {
    struct an_yaml_doc *doc;
    struct an_err *reterr;
    yaml_parser_t parser;
    const char *stop_key;
    bool stopped;
    size_t nodes;
};

an_code
an_yaml_fail(const struct an_yaml_doc *doc, const struct an_yaml_node *node, struct an_err *reterr, an_code code,
             const char *fmt, ...)
{
    char what[200];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    an_err_set(reterr, code, "%s:%zu: %s%s%s", doc->name, node ? node->line : 1, node && node->key ? node->key : "",
               node && node->key ? ": " : "", what);
    an_err_name_file(reterr, doc->path);
    return code;
}

static an_code
fail_at(struct yaml_reading *reading, size_t line, an_code code, const char *what)
{
    struct an_yaml_node at = {.line = line};

    return an_yaml_fail(reading->doc, &at, reading->reterr, code, "%s", what);
}

static an_code
next_event(struct yaml_reading *reading, yaml_event_t *ret)
{
    if (yaml_parser_parse(&reading->parser, ret))
        return AN_OK;
    size_t line = reading->parser.problem_mark.line + 1;
    return fail_at(reading, line, AN_E_YAML, reading->parser.problem ? reading->parser.problem : "malformed");
}

static bool
event_is_fancy(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT: return true;
    case YAML_SCALAR_EVENT: return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT: return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT: return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default: return false;
    }
}

static an_code
new_node(struct yaml_reading *reading, size_t line, struct an_yaml_node **ret)
{
    if (++reading->nodes > AN_LIMIT_YAML_NODES)
        return fail_at(reading, line, AN_E_LIMIT, "too many values");
    struct an_yaml_node *node = an_arena_alloc(reading->doc->arena, sizeof(*node));
    if (!node)
        return fail_at(reading, line, AN_E_LIMIT, "too large");
    node->line = line;
    *ret = node;
    return AN_OK;
}

static const char *
dup_scalar(struct yaml_reading *reading, const yaml_event_t *event)
{
    return an_arena_str(reading->doc->arena, AN_BYTES(event->data.scalar.value, event->data.scalar.length));
}

static an_code parse_value(struct yaml_reading *reading, yaml_event_t *event, unsigned depth, struct an_yaml_node *ret);

static void
append_child(struct an_yaml_node *parent, struct an_yaml_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

static an_code
parse_key(struct yaml_reading *reading, const yaml_event_t *event, struct an_yaml_node *map, struct an_yaml_node **ret)
{
    size_t line = event->start_mark.line + 1;

    if (event->type != YAML_SCALAR_EVENT || event_is_fancy(event))
        return fail_at(reading, line, AN_E_YAML, "a key must be plain text");
    if (memchr(event->data.scalar.value, '\0', event->data.scalar.length))
        return fail_at(reading, line, AN_E_YAML, "NUL in a key");
    if (map->count >= AN_LIMIT_YAML_KEYS)
        return fail_at(reading, line, AN_E_LIMIT, "too many keys");
    AN_TRY(new_node(reading, line, ret));
    (*ret)->key = dup_scalar(reading, event);
    if (!(*ret)->key)
        return fail_at(reading, line, AN_E_LIMIT, "too large");
    const struct an_yaml_node *earlier = an_yaml_find(map, (*ret)->key);
    if (earlier)
        return an_yaml_fail(reading->doc, *ret, reading->reterr, AN_E_YAML_DUPLICATE, "stands already on line %zu",
                            earlier->line);
    return AN_OK;
}

static an_code
parse_map(struct yaml_reading *reading, unsigned depth, struct an_yaml_node *map)
{
    for (;;) {
        yaml_event_t event;
        struct an_yaml_node *child = NULL;
        AN_TRY(next_event(reading, &event));
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return AN_OK;
        }
        an_code code = parse_key(reading, &event, map, &child);
        yaml_event_delete(&event);
        AN_TRY(code);
        if (depth == 0 && reading->stop_key && strcmp(child->key, reading->stop_key) == 0) {
            reading->stopped = true;
            return AN_OK;
        }
        AN_TRY(next_event(reading, &event));
        code = parse_value(reading, &event, depth + 1, child);
        yaml_event_delete(&event);
        AN_TRY(code);
        append_child(map, child);
    }
}

static an_code
parse_list(struct yaml_reading *reading, unsigned depth, struct an_yaml_node *list)
{
    for (;;) {
        yaml_event_t event;
        struct an_yaml_node *child = NULL;
        AN_TRY(next_event(reading, &event));
        an_code code = AN_OK;
        bool done = event.type == YAML_SEQUENCE_END_EVENT;
        if (!done)
            code = new_node(reading, event.start_mark.line + 1, &child);
        if (!done && code == AN_OK)
            code = parse_value(reading, &event, depth + 1, child);
        yaml_event_delete(&event);
        AN_TRY(code);
        if (done)
            return AN_OK;
        append_child(list, child);
    }
}

static an_code
parse_scalar(struct yaml_reading *reading, const yaml_event_t *event, struct an_yaml_node *ret)
{
    an_bytes text = AN_BYTES(event->data.scalar.value, event->data.scalar.length);

    if (memchr(text.ptr, '\0', text.len) || !an_utf8_is_valid(text))
        return fail_at(reading, ret->line, AN_E_YAML, "not clean UTF-8 text");
    ret->kind = AN_YAML_TEXT;
    ret->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    ret->text = dup_scalar(reading, event);
    return ret->text ? AN_OK : fail_at(reading, ret->line, AN_E_LIMIT, "too large");
}

/* Does not delete the event: the caller does, on every way out. */
static an_code
parse_value(struct yaml_reading *reading, yaml_event_t *event, unsigned depth, struct an_yaml_node *ret)
{
    size_t line = event->start_mark.line + 1;

    if (event_is_fancy(event))
        return fail_at(reading, line, AN_E_YAML, "anchors, aliases and tags are not used here");
    if (depth > AN_LIMIT_YAML_DEPTH)
        return fail_at(reading, line, AN_E_LIMIT, "nested too deep");
    switch (event->type) {
    case YAML_SCALAR_EVENT: return parse_scalar(reading, event, ret);
    case YAML_SEQUENCE_START_EVENT: ret->kind = AN_YAML_LIST; return parse_list(reading, depth, ret);
    case YAML_MAPPING_START_EVENT: ret->kind = AN_YAML_MAP; return parse_map(reading, depth, ret);
    default: return fail_at(reading, line, AN_E_YAML, "a value is missing");
    }
}

/* The event of this type must come next. */
static an_code
expect_event(struct yaml_reading *reading, yaml_event_type_t type, const char *what)
{
    yaml_event_t event;

    AN_TRY(next_event(reading, &event));
    size_t line = event.start_mark.line + 1;
    bool is_right = event.type == type;
    yaml_event_delete(&event);
    return is_right ? AN_OK : fail_at(reading, line, AN_E_YAML, what);
}

static an_code
parse_document(struct yaml_reading *reading)
{
    yaml_event_t event;

    AN_TRY(expect_event(reading, YAML_STREAM_START_EVENT, "no YAML"));
    AN_TRY(expect_event(reading, YAML_DOCUMENT_START_EVENT, "the file says nothing"));
    AN_TRY(new_node(reading, 1, &reading->doc->root));
    AN_TRY(next_event(reading, &event));
    an_code code = parse_value(reading, &event, 0, reading->doc->root);
    yaml_event_delete(&event);
    AN_TRY(code);
    if (reading->doc->root->kind != AN_YAML_MAP)
        return fail_at(reading, 1, AN_E_YAML, "the file must be a map of keys");
    if (reading->stopped)
        return AN_OK;
    AN_TRY(expect_event(reading, YAML_DOCUMENT_END_EVENT, "text after the end"));
    return expect_event(reading, YAML_STREAM_END_EVENT, "more than one document");
}

an_code
an_yaml_parse(an_bytes text, const char *path, const char *stop_key, struct an_yaml_doc **ret, struct an_err *reterr)
{
    struct an_arena *arena = an_arena_new(AN_LIMIT_YAML_BYTES * 8);
    struct an_yaml_doc *doc = AN_NEW(struct an_yaml_doc);
    struct yaml_reading reading = {.doc = doc, .reterr = reterr, .stop_key = stop_key};
    const char *slash = strrchr(path, '/');

    *doc = (struct an_yaml_doc){.arena = arena, .path = an_strdup(path)};
    doc->name = doc->path + (slash ? slash + 1 - path : 0);
    if (!yaml_parser_initialize(&reading.parser))
        an_die_memory();
    yaml_parser_set_encoding(&reading.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reading.parser, text.ptr ? text.ptr : (const unsigned char *)"", text.len);
    an_code code =
        text.len > AN_LIMIT_YAML_BYTES ? fail_at(&reading, 1, AN_E_LIMIT, "file too large") : parse_document(&reading);
    yaml_parser_delete(&reading.parser);
    if (code != AN_OK) {
        an_yaml_free(&doc);
        return code;
    }
    *ret = doc;
    return AN_OK;
}

an_code
an_yaml_load(const char *path, const char *stop_key, struct an_yaml_doc **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_YAML_BYTES);

    AN_TRY(an_file_read(path, AN_LIMIT_YAML_BYTES, &text, reterr));
    return an_yaml_parse(an_buf_view(&text), path, stop_key, ret, reterr);
}

void
an_yaml_free(struct an_yaml_doc **doc)
{
    if (!*doc)
        return;
    an_arena_free(&(*doc)->arena);
    free((void *)(uintptr_t)(*doc)->path);
    free(*doc);
    *doc = NULL;
}

const struct an_yaml_node *
an_yaml_find(const struct an_yaml_node *map, const char *key)
{
    for (const struct an_yaml_node *child = map ? map->first : NULL; child; child = child->next)
        if (child->key && strcmp(child->key, key) == 0)
            return child;
    return NULL;
}
