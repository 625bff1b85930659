/* What the commands about the register share: an instance, who sits there, dates, output. */
#pragma once

#include "cli/report.h"
#include "office/registry_cmd.h"
#include "service/registration/registry.h"

struct reg_desk {
    struct cli *cli;
    const struct registry_args *args;
    struct an_instance *instance;
    struct an_desk desk;
    struct an_arena *arena;
};
/* dir and as of the options: nobody looks into the registers without saying who he is. */
an_code reg_desk_open(struct cli *cli, const char *dir, const char *as, struct reg_desk *ret,
                      struct an_err *reterr) AN_MUST_USE;
void reg_desk_done(struct reg_desk *d); /* for AN_CLEANUP */
/* "2026-12-02": midnight in Vietnam's zone; NULL = AN_TIME_NONE. AN_E_CLI_VALUE names the option. */
an_code reg_day(const char *option, const char *text, an_time *ret, struct an_err *reterr) AN_MUST_USE;
/* One object: a line of JSON, or "key: value" lines; consumes it. */
void reg_print(struct cli *cli, json_t *object);
/* Exit status of a command that did something: the object says what. */
int reg_done(struct cli *cli, an_code code, const struct an_err *err, json_t *object);
json_t *reg_day_json(an_time at);
json_t *reg_person_json(const struct an_person *person);
json_t *reg_agency_json(const struct an_agency *agency);
json_t *reg_subscriber_json(const struct an_subscriber *subscriber);
/* A code ("H53.6", "#12") to an id in a transaction of its own; NULL and "" = 0. */
an_code reg_agency_id(struct reg_desk *d, const char *code, int64_t *ret, struct an_err *reterr) AN_MUST_USE;
an_code reg_person_id(struct reg_desk *d, const char *number, int64_t *ret, struct an_err *reterr) AN_MUST_USE;

/* A page of a register, masked where it tells of people; where to go on stands behind it. */
struct reg_rows {
    struct reg_desk *d;
    struct an_page page;
    const void *options; /* of the command */
    json_t *rows;
    const char *cursor;  /* NULL = that was the last page */
};
struct reg_list {
    const char *key;
    const char *act; /* of the table in service/registration/registry_may.c; NULL: whoever sits at a desk */
    an_code (*read)(struct reg_rows *rows, struct an_tx *tx, struct an_err *reterr);
    void (*print)(FILE *out, const json_t *row);
};
struct reg_ask {
    const char *dir, *as, *text, *agency, *cursor;
    long limit;
    const void *options;
};
int reg_list(struct cli *cli, const struct reg_list *list, const struct reg_ask *ask);
const char *reg_word(const json_t *row, const char *key); /* "" when it is not there */
