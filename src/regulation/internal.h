/*
 * Inside the room: the readers from tree to struct (yaml/yaml.h), and the caches behind struct an_regulations.
 */
#pragma once

#include <pthread.h>

#include "base/map.h"
#include "regulation/policy.h"
#include "regulation/regulation.h"
#include "yaml/yaml.h"

/* ---- act.c ---- */
struct act_list {
    struct an_act *items;
    size_t count;
};
an_code act_read(struct an_yaml_doc *doc, const struct an_yaml_node *map, const char *id, struct an_act *ret,
                 struct an_err *reterr) AN_MUST_USE;

/* ---- one file <id>.yaml: its head (act, looks), and apart from it its articles ---- */
struct law_head {
    struct an_yaml_doc *doc;
    bool has_act;
    struct an_act act;
    const char *inherits; /* NULL = nothing */
    const char *place;    /* whose regulation it is: one in force at a time; NULL = not said */
    struct an_look *looks;
    size_t look_count;
    struct law_head *next;
    char *id;
};
an_code head_load(const char *path, const char *id, struct law_head **ret, struct an_err *reterr) AN_MUST_USE;
an_code head_read(struct an_yaml_doc *doc, const char *id, struct law_head **ret, struct an_err *reterr) AN_MUST_USE;
void head_free(struct law_head **head);
an_code looks_read(struct an_yaml_doc *doc, const struct an_yaml_node *map, const char *regulation,
                   struct law_head *head,
                   struct an_err *reterr) AN_MUST_USE;

struct law_articles {
    struct an_yaml_doc *doc;
    struct an_provision *provisions;
    size_t count;
    struct an_map *by_citation; /* → struct an_provision * */
    struct law_articles *next;
    char *id;
};
an_code articles_load(const char *path, const char *id, struct law_articles **ret, struct an_err *reterr) AN_MUST_USE;
an_code articles_read(struct an_yaml_doc *doc, const char *id, struct law_articles **ret,
                      struct an_err *reterr) AN_MUST_USE;
void articles_free(struct law_articles **articles);

an_code policy_load(const char *path, const char *id, struct an_policy **ret, struct an_err *reterr) AN_MUST_USE;
an_code policy_read(struct an_yaml_doc *doc, const char *id, struct an_policy **ret, struct an_err *reterr) AN_MUST_USE;
void policy_free(struct an_policy **policy);

struct an_calendar;
an_code calendar_read(struct an_yaml_doc *doc, struct an_calendar **ret, struct an_err *reterr) AN_MUST_USE;

/* ---- regulations.c ---- */
struct policy_entry {
    struct an_policy *policy;
    struct policy_entry *next;
};
struct words;
struct law_rules;
struct extra_file {
    char *id, *path;
    struct extra_file *next;
};
struct an_regulations {
    pthread_mutex_t lock; /* over everything below; what is loaded never changes again */
    char *regulations_dir, *policies_dir;
    struct an_yaml_doc *acts_doc;
    struct act_list acts;
    struct law_head *heads;
    struct law_articles *articles;
    struct policy_entry *policies;
    struct words *words;      /* rules.h */
    struct law_rules *rules;
    struct extra_file *extra; /* files of other folders */
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
/* The file of a regulation: <folder>/<id>.yaml or a file added. AN_E_REGULATION_UNKNOWN. */
an_code regs_path(struct an_regulations *regs, const char *id, char **ret, struct an_err *reterr) AN_MUST_USE;
/* *ret NULL when the citation is of an act as a whole; ret may be NULL. */
an_code find_provision(struct an_regulations *regs, const char *citation, const struct an_provision **ret,
                       struct an_err *reterr) AN_MUST_USE;
an_code regs_list(struct an_regulations *regs, struct an_err *reterr) AN_MUST_USE;
void regs_unlock(struct an_regulations **regs); /* for AN_CLEANUP */
struct an_regulations *regs_lock(struct an_regulations *regs);

#define NATIONAL_BASE "quoc-gia"
