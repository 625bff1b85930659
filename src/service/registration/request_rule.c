/* What the regulation says about a dossier, and who it lets do what. */
#include "service/registration/request_internal.h"

#include <stdio.h>

void
request_rule_done(struct request_rule *rule)
{
    an_answer_free(&rule->answer);
}

an_code
request_rule_of(const struct an_desk *desk, const struct an_dossier *request, const char *role,
                struct request_rule *ret, struct an_err *reterr)
{
    struct an_answer *answer = NULL;
    char act[40];
    struct an_question question = {.regulation = request->regulation, .on_utc = desk->at, .act = act, .actor = role,
                                   .subject = request->subject_kind, .device = request->device_kind};
    an_code code;

    snprintf(act, sizeof(act), "request.%s", an_request_kind_id(request->kind));
    AN_TRY(an_regulation_explain(desk->instance->regulations, &question, &answer, reterr));
    code = an_answer_require(answer, false, reterr); /* who is not named may not: a request is not a private act */
    if (code != AN_OK) {
        an_answer_free(&answer);
        return code;
    }
    *ret = (struct request_rule){answer, answer->citation_count > 0 ? answer->citations[0] : ""};
    return AN_OK;
}

an_code
request_require_authority(const struct an_desk *desk, const struct an_dossier *request, struct request_rule *ret,
                          struct an_err *reterr)
{
    struct request_rule rule = {0};

    AN_TRY(request_rule_of(desk, request, desk->role, &rule, reterr));
    if (strcmp(desk->role, request->addressee) != 0) {
        an_code code = an_err_set(reterr, AN_E_REQUEST_AUTHORITY, "%s ≠ %s (%s)", desk->role, request->addressee,
                                  rule.citation);
        request_rule_done(&rule);
        return code;
    }
    *ret = rule;
    return AN_OK;
}

int64_t
request_parameter(const struct an_desk *desk, const struct an_dossier *request, const char *name, int64_t fallback)
{
    struct an_answer_parameter parameter = {0};

    if (an_regulation_parameter(desk->instance->regulations, request->regulation, desk->at, name, &parameter,
                                NULL) != AN_OK || !parameter.is_number)
        return fallback;
    return parameter.number;
}

struct an_request_deed
request_deed(const struct an_desk *desk, const char *citation, const char *detail)
{
    return (struct an_request_deed){.actor = desk->number, .role = desk->role, .citation = citation, .detail = detail,
                                    .at = desk->at};
}
