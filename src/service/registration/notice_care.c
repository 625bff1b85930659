/* A letter by a person's hand: sent once more, or set aside with the reason. */
#include "service/registration/registry.h"
#include "service/registration/request.h"

#include "request/notice.h"

#include <stdio.h>

struct care {
    int64_t notice;
    const char *reason; /* NULL = once more */
};

static an_code
take_care(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct care *care = act->context;

    snprintf(act->object, sizeof(act->object), "notice:%lld", (long long)care->notice);
    AN_TRY(an_registry_require(tx, act->desk, "notice.send", 0, reterr));
    return care->reason == NULL ? an_outbox_again(tx, care->notice, act->desk->at, reterr)
                                : an_outbox_set_aside(tx, care->notice, care->reason, act->desk->at, reterr);
}

an_code
an_notice_resend(const struct an_desk *desk, int64_t notice, struct an_err *reterr)
{
    struct care care = {.notice = notice};

    return an_registry_do(desk, "notice.resend", take_care, &care, reterr);
}

an_code
an_notice_set_aside(const struct an_desk *desk, int64_t notice, const char *reason, struct an_err *reterr)
{
    struct care care = {.notice = notice, .reason = reason};

    if (reason == NULL || reason[0] == '\0')
        AN_FAIL(reterr, AN_E_REQUEST_REASON, "--reason");
    return an_registry_do(desk, "notice.set-aside", take_care, &care, reterr);
}
