/* Between the functions of the request commands: the instance and the desk a command works at. */
#pragma once

#include "cli/report.h"
#include "office/request_cmd.h"
#include "service/registration/request.h"

struct seat {
    struct cli *cli;
    struct an_instance *instance;
    struct an_desk desk;
    struct an_person_key key;
    struct an_buf image;
};
an_code seat_open(struct cli *cli, const struct request_args *args, struct seat *ret,
                  struct an_err *reterr) AN_MUST_USE;
/* The instance alone: nobody acts. */
an_code seat_open_instance(struct cli *cli, const struct request_args *args, struct seat *ret,
                           struct an_err *reterr) AN_MUST_USE;
void seat_close(struct seat *seat); /* for AN_CLEANUP */
/* The acting person's key, as --key, --cert, --pin-file and --image say. */
an_code seat_open_key(struct seat *seat, const struct request_args *args, struct an_err *reterr) AN_MUST_USE;
/* A positive number; AN_E_CLI_VALUE otherwise. */
an_code seat_number(const char *text, int64_t *ret, struct an_err *reterr) AN_MUST_USE;
json_t *seat_time(an_time at);
/* "điểm … khoản …" of a citation; "" when there is none. The caller frees. */
char *seat_citation(struct cli *cli, const char *citation) AN_MUST_USE;
