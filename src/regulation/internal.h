/*
 * Inside the room: YAML as a tree that remembers its lines, a table-driven reader from tree to struct, and the caches
 * behind struct an_regulations.
 */
#pragma once

#include <pthread.h>

#include "base/map.h"
#include "regulation/policy.h"
#include "regulation/regulation.h"

/* ---- yaml.c: libyaml's events as a tree in an arena. Home of libyaml ---- */
enum yaml_kind { YAML_TEXT = 0, YAML_LIST, YAML_MAP };
struct yaml_node {
    enum yaml_kind kind;
    bool quoted;      /* a quoted scalar is text, never a number or a truth value */
    const char *key;  /* in a map: its key */
    const char *text; /* scalars */
    size_t line;      /* from 1; of the key where there is one */
    size_t count;
    struct yaml_node *first, *last, *next;
};
struct yaml_doc {
    struct an_arena *arena;
    const char *path; /* as opened */
    const char *name; /* its last part, for messages */
    struct yaml_node *root;
};
/* stop_key: reading ends when this key of the root map is reached, so that the cheap head of a long file can be had
 * without its articles; NULL = the whole file. */
an_code yaml_doc_load(const char *path, const char *stop_key, struct yaml_doc **ret, struct an_err *reterr) AN_MUST_USE;
an_code yaml_doc_parse(an_bytes text, const char *path, const char *stop_key, struct yaml_doc **ret,
                       struct an_err *reterr) AN_MUST_USE;
void yaml_doc_free(struct yaml_doc **doc);
const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key);
/* "file.yaml:12: key: what", code set, file named. */
an_code yaml_fail(const struct yaml_doc *doc, const struct yaml_node *node, struct an_err *reterr, an_code code,
                  const char *fmt, ...) AN_PRINTF(5, 6);

/* ---- read.c: one table of fields per struct ---- */
struct text_list {
    const char **items;
    size_t count;
};
enum field_kind {
    FIELD_TEXT = 0, /* const char *, never empty */
    FIELD_FLAG,     /* bool */
    FIELD_DOUBLE,   /* double, 0 ≤ x ≤ 100000 */
    FIELD_INT64,    /* int64_t, ≥ -1 */
    FIELD_CHOICE,   /* int: place in choices */
    FIELD_DATE,     /* an_time, midnight in Vietnam's zone */
    FIELD_TEXTS,    /* struct text_list */
    FIELD_CITATION, /* const char *, well-formed */
    FIELD_MAP,      /* const struct yaml_node * */
    FIELD_LIST,     /* const struct yaml_node * */
};
struct field {
    const char *key;
    enum field_kind kind;
    bool required;
    size_t offset;
    const char *const *choices; /* ends with NULL */
};
an_code read_fields(struct yaml_doc *doc, const struct yaml_node *map, const struct field *fields, size_t count,
                    void *into, struct an_err *reterr) AN_MUST_USE;
bool citation_is_well_formed(an_bytes citation);

/* ---- act.c ---- */
struct act_list {
    struct an_act *items;
    size_t count;
};
an_code act_read(struct yaml_doc *doc, const struct yaml_node *map, const char *id, struct an_act *ret,
                 struct an_err *reterr) AN_MUST_USE;

/* ---- one file <id>.yaml: its head (act, looks), and apart from it its articles ---- */
struct law_head {
    struct yaml_doc *doc;
    bool has_act;
    struct an_act act;
    const char *inherits; /* NULL = nothing */
    struct an_look *looks;
    size_t look_count;
    struct law_head *next;
    char *id;
};
an_code head_load(const char *path, const char *id, struct law_head **ret, struct an_err *reterr) AN_MUST_USE;
an_code head_read(struct yaml_doc *doc, const char *id, struct law_head **ret, struct an_err *reterr) AN_MUST_USE;
void head_free(struct law_head **head);
an_code looks_read(struct yaml_doc *doc, const struct yaml_node *map, const char *regulation, struct law_head *head,
                   struct an_err *reterr) AN_MUST_USE;

struct law_articles {
    struct yaml_doc *doc;
    struct an_provision *provisions;
    size_t count;
    struct an_map *by_citation; /* → struct an_provision * */
    struct law_articles *next;
    char *id;
};
an_code articles_load(const char *path, const char *id, struct law_articles **ret, struct an_err *reterr) AN_MUST_USE;
an_code articles_read(struct yaml_doc *doc, const char *id, struct law_articles **ret,
                      struct an_err *reterr) AN_MUST_USE;
void articles_free(struct law_articles **articles);

an_code policy_load(const char *path, const char *id, struct an_policy **ret, struct an_err *reterr) AN_MUST_USE;
an_code policy_read(struct yaml_doc *doc, const char *id, struct an_policy **ret, struct an_err *reterr) AN_MUST_USE;
void policy_free(struct an_policy **policy);

/* ---- regulations.c ---- */
struct policy_entry {
    struct an_policy *policy;
    struct policy_entry *next;
};
struct an_regulations {
    pthread_mutex_t lock; /* over everything below; what is loaded never changes again */
    char *regulations_dir, *policies_dir;
    struct yaml_doc *acts_doc;
    struct act_list acts;
    struct law_head *heads;
    struct law_articles *articles;
    struct policy_entry *policies;
    char **ids; /* of the files in regulations_dir: the national base first, then by name */
    size_t id_count;
    bool listed;
};
/* The following are called with the lock held. */
an_code regs_act(struct an_regulations *regs, an_bytes id, const struct an_act **ret,
                 struct an_err *reterr) AN_MUST_USE;
an_code regs_head(struct an_regulations *regs, const char *id, struct law_head **ret,
                  struct an_err *reterr) AN_MUST_USE;
an_code regs_articles(struct an_regulations *regs, const char *id, struct law_articles **ret,
                      struct an_err *reterr) AN_MUST_USE;
an_code regs_list(struct an_regulations *regs, struct an_err *reterr) AN_MUST_USE;
void regs_unlock(struct an_regulations **regs); /* for AN_CLEANUP */
struct an_regulations *regs_lock(struct an_regulations *regs);

#define NATIONAL_BASE "quoc-gia"
