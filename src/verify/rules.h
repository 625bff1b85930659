/* The shape of a rule, for rules.c (the rules), lines.c (Bình Thuận Điều 14) and conclude.c (who runs them). */
#pragma once

#include "verify/internal.h"

struct an_outcome {
    enum an_finding_status status; /* what it means for the verdict */
    enum an_finding_status shown;  /* what the report says, when that is worse; PASSED = the same as status */
    bool is_last;                  /* indeterminate, and nothing that comes later decides instead */
    enum an_sub sub;
    an_code code, why;             /* the rule's words; the exact reason below them, AN_OK = none */
    const char *detail;            /* borrowed; may be NULL */
};
struct an_rule {
    const char *id;
    struct an_outcome (*check)(const struct an_case *sig);
};
extern const struct an_rule an_signature_rules[];
extern const size_t an_signature_rule_count;
extern const struct an_rule an_stamp_rules[];
extern const size_t an_stamp_rule_count;
/* Said at the end, from what the others found; they decide nothing. */
void an_lines_add(const struct an_case *sig);
