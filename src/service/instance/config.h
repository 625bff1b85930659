/*
 * DIR/antin.yaml: the one configuration file. Its top is read here; the sections (serve, time_stamp, mail …) are read
 * by whom they concern, with tables of fields of their own, and checked by `antin config check` through
 * an_config_sections.
 */
#pragma once

#include "yaml/yaml.h"

enum an_hierarchy { AN_HIERARCHY_STATE = 0, AN_HIERARCHY_PARTY, AN_HIERARCHY_BOTH };

struct an_config {
    struct an_yaml_doc *doc;   /* everything below is borrowed from it */
    const char *instance;      /* identity, also in the store */
    const char *name;          /* of the organisation that runs it */
    const char *database;      /* "sqlite:store.db" (relative to the folder) or "postgresql://…" */
    const char *database_read; /* a replica for reading, or NULL */
    int64_t readers;           /* connections for reading; 0 = by the machine */
    const char *regulation;    /* "quoc-gia", "tay-ninh-2025" … */
    int hierarchy;             /* enum an_hierarchy */
    const char *base_url;      /* what certificates point at */
    /* sections; NULL when absent */
    const struct an_yaml_node *serve, *time_stamp, *audit, *approval, *ca, *mail, *enrol, *request;
};

/* The section audit; what is absent has its usual value. */
struct an_config_audit {
    int64_t checkpoint_events, checkpoint_minutes;
    const char *tsa;  /* URL; NULL = checkpoints bear no time-stamp */
    bool tsa_private; /* that server may stand on an inner network */
};
an_code an_config_read_audit(const struct an_config *config, struct an_config_audit *ret,
                             struct an_err *reterr) AN_MUST_USE;

an_code an_config_load(const char *path, struct an_config *ret, struct an_err *reterr) AN_MUST_USE;
void an_config_done(struct an_config *config); /* also for AN_CLEANUP */

/* A section and who reads it: check says whether every key in it is known and sound. */
struct an_config_section {
    const char *key;
    an_code (*check)(const struct an_config *config, const struct an_yaml_node *section, struct an_err *reterr);
};
extern const struct an_config_section an_config_sections[];
extern const size_t an_config_section_count;
/* All of it: values, sections, regulation known. */
struct an_regulations;
an_code an_config_check(const struct an_config *config, struct an_regulations *regulations,
                        struct an_err *reterr) AN_MUST_USE;
