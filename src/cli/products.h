/* What a verification leaves behind beside its answer: report, refusal letter, ETSI report, evidence. */
#pragma once

#include "cli/verify_setup.h"
#include "report/report.h"

struct products; /* collects while files are verified (thread-safe: each file has its own place), writes at the end */
/* NULL when none is asked for; count: files. Fixes the validation time, so that everything tells the same one. */
struct products *products_new(struct cli *cli, const struct verify_args *args, struct verify_setup *setup,
                              size_t count);
void products_free(struct products **products);
/* Takes the report over. at, policy: what it was made with; borrowed policy. */
void products_add(struct products *products, size_t index, const char *path, const struct an_file *file, an_time at,
                  const char *policy, struct an_report *report);
an_code products_write(struct products *products, struct an_err *reterr) AN_MUST_USE;
