/*
 * YAML, read strictly: a file becomes a tree that knows the line of every key, and a table of fields carries a map of
 * the tree into a struct. Regulations, policies, certificate profiles, calendars and the configuration are read with
 * it. Home of libyaml; nothing of it shows here.
 *
 * The subset: one document, its root a map; maps with unique plain keys, lists, scalars. Anchors, aliases, tags and
 * merge keys are refused, so nothing in a file means more than it shows. No value is guessed from how it looks: its
 * field says what it is, and every key is known or is a fault (docs/decisions/006-yaml-events.md).
 *
 *     struct an_yaml_doc *doc = NULL;
 *     static const struct an_yaml_field FIELDS[] = {{"days", AN_FIELD_INT64, true, offsetof(struct plan, days), NULL}};
 *     AN_TRY(an_yaml_load(path, NULL, &doc, reterr));
 *     AN_TRY(an_yaml_read_fields(doc, doc->root, FIELDS, AN_COUNT(FIELDS), &plan, reterr));
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"

enum an_yaml_kind { AN_YAML_TEXT = 0, AN_YAML_LIST, AN_YAML_MAP };
struct an_yaml_node {
    enum an_yaml_kind kind;
    bool quoted;      /* a quoted scalar is text, never a number or a truth value */
    const char *key;  /* in a map: its key */
    const char *text; /* scalars; clean UTF-8 without NUL, may be empty */
    size_t line;      /* from 1; of the key where there is one */
    size_t count;     /* of its children */
    struct an_yaml_node *first, *last, *next;
};
/* Everything in it lives in the arena, and until an_yaml_free. */
struct an_yaml_doc {
    struct an_arena *arena;
    const char *path; /* as opened */
    const char *name; /* its last part, for messages */
    struct an_yaml_node *root;
};
/* stop_key: reading ends when this key of the root map is reached, so that the cheap head of a long file can be had
 * without what stands below; NULL = the whole file. AN_E_YAML (malformed), AN_E_YAML_DUPLICATE, AN_E_LIMIT
 * (AN_LIMIT_YAML_*). */
an_code an_yaml_load(const char *path, const char *stop_key, struct an_yaml_doc **ret,
                     struct an_err *reterr) AN_MUST_USE;
/* path only names the text in messages; nothing is opened. */
an_code an_yaml_parse(an_bytes text, const char *path, const char *stop_key, struct an_yaml_doc **ret,
                      struct an_err *reterr) AN_MUST_USE;
void an_yaml_free(struct an_yaml_doc **doc);
/* The child of this key; NULL when there is none, and of a NULL map. */
const struct an_yaml_node *an_yaml_find(const struct an_yaml_node *map, const char *key);
/* Sets "file.yaml:12: key: what" with this code, names the file, and returns the code. node NULL = the first line. */
an_code an_yaml_fail(const struct an_yaml_doc *doc, const struct an_yaml_node *node, struct an_err *reterr,
                     an_code code, const char *fmt, ...) AN_PRINTF(5, 6);

/* ---- one table of fields per struct ---- */
struct an_yaml_texts {
    const char **items; /* in the doc's arena */
    size_t count;
};
enum an_yaml_field_kind {
    AN_FIELD_TEXT = 0, /* const char *, never empty */
    AN_FIELD_FLAG,     /* bool: true or false, nothing else */
    AN_FIELD_DOUBLE,   /* double, 0 ≤ x ≤ 100000 */
    AN_FIELD_INT64,    /* int64_t, ≥ -1 */
    AN_FIELD_CHOICE,   /* int: place in choices */
    AN_FIELD_DATE,     /* an_time, midnight in Vietnam's zone */
    AN_FIELD_TEXTS,    /* struct an_yaml_texts */
    AN_FIELD_CITATION, /* const char *, well-formed */
    AN_FIELD_MAP,      /* const struct an_yaml_node *, to be read further */
    AN_FIELD_LIST,     /* const struct an_yaml_node * */
    AN_FIELD_NODE,     /* const struct an_yaml_node * of any kind */
};
struct an_yaml_field {
    const char *key;
    enum an_yaml_field_kind kind;
    bool required;
    size_t offset;              /* in the struct that is filled; what is absent leaves its member alone */
    const char *const *choices; /* of AN_FIELD_CHOICE; ends with NULL */
};
/* AN_E_YAML_KEY (unknown), AN_E_YAML_TYPE, AN_E_YAML_MISSING. Texts are borrowed from the doc. */
an_code an_yaml_read_fields(struct an_yaml_doc *doc, const struct an_yaml_node *map, const struct an_yaml_field *fields,
                            size_t count, void *into, struct an_err *reterr) AN_MUST_USE;
/* A list of texts, as AN_FIELD_TEXTS reads it. */
an_code an_yaml_read_texts(struct an_yaml_doc *doc, const struct an_yaml_node *node, struct an_yaml_texts *ret,
                           struct an_err *reterr) AN_MUST_USE;
/* act[/article[/clause[/point]]]: one to four parts of small letters, digits, "-", "." and "đ". */
bool an_yaml_is_citation(an_bytes citation);
