/* The register of devices, and what the regulations say about them. */
#include "service/registration/device.h"

#include "regulation/explain.h"

#include <stdio.h>

struct device_act {
    const struct an_device *device;
    const char *number, *state, *reason;
    int64_t id;
};

an_code
an_service_holder_agency(struct an_tx *tx, const struct an_device *device, struct an_arena *arena, int64_t *ret,
                         struct an_err *reterr)
{
    struct an_person person = {0};

    *ret = device->holder;
    if (strcmp(device->holder_kind, "person") != 0)
        return AN_OK;
    AN_TRY(an_person_find(tx, device->holder, arena, &person, reterr));
    *ret = person.agency;
    return AN_OK;
}

static an_code
add_device(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    struct device_act *in = act->context;

    snprintf(act->object, sizeof(act->object), "device:%.64s", in->device->number ? in->device->number : "");
    AN_TRY(an_registry_require(tx, act->desk, "device.add", 0, reterr));
    return an_device_add(tx, in->device, act->desk->number, act->desk->at, &in->id, reterr);
}

static an_code
edit_device(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct device_act *in = act->context;
    struct an_device before = {0};
    int64_t agency = 0;

    AN_TRY(an_device_find(tx, in->device->id, act->arena, &before, reterr));
    snprintf(act->object, sizeof(act->object), "device:%s", before.number);
    AN_TRY(an_service_holder_agency(tx, &before, act->arena, &agency, reterr));
    AN_TRY(an_registry_require(tx, act->desk, "device.edit", agency, reterr));
    return an_device_edit(tx, in->device, reterr);
}

static an_code
change_state(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct device_act *in = act->context;
    struct an_device device = {0};
    int64_t agency = 0;

    snprintf(act->object, sizeof(act->object), "device:%.64s", in->number);
    AN_TRY(an_device_find_number(tx, in->number, act->arena, &device, reterr));
    AN_TRY(an_service_holder_agency(tx, &device, act->arena, &agency, reterr));
    AN_TRY(an_registry_require(tx, act->desk, "device.state", agency, reterr));
    snprintf(act->detail, sizeof(act->detail), "{\"state\":\"%.20s\"}", in->state);
    return an_device_change_state(tx, device.id, in->state, act->desk->number, act->desk->at, in->reason, reterr);
}

an_code
an_service_device_add(const struct an_desk *desk, const struct an_device *device, int64_t *ret_id,
                      struct an_err *reterr)
{
    struct device_act in = {.device = device};

    AN_TRY(an_registry_do(desk, "device.add", add_device, &in, reterr));
    *ret_id = in.id;
    return AN_OK;
}

an_code
an_service_device_edit(const struct an_desk *desk, const struct an_device *device, struct an_err *reterr)
{
    struct device_act in = {.device = device};

    return an_registry_do(desk, "device.edit", edit_device, &in, reterr);
}

an_code
an_service_device_state(const struct an_desk *desk, const char *number, const char *state, const char *reason,
                        struct an_err *reterr)
{
    struct device_act in = {.number = number, .state = state, .reason = reason};

    /* "in use again" after a lock is restoring, which the law gives to few; that-lac and da-thu-hoi need a record */
    if (strcmp(state, "bi-khoa") != 0 && strcmp(state, "hong") != 0)
        AN_FAIL(reterr, AN_E_DEVICE_STATE, "%s: %s", number, state);
    return an_registry_do(desk, "device.state", change_state, &in, reterr);
}

an_code
an_service_device_explain(const struct an_desk *desk, const char *act, const struct an_device *device,
                          const char *subject, const char *regulation,
                          bool to_other, bool permitted, struct an_answer **ret, struct an_err *reterr)
{
    const struct an_fact facts[] = {{"to", to_other ? "other-person" : "own"},
                                    {"written-permission", permitted ? "yes" : "no"}};
    const struct an_question question = {
        .regulation = regulation[0] ? regulation : desk->instance->config.regulation,
        .on_utc = desk->at,
        .act = act,
        .actor = desk->role[0] ? desk->role : NULL,
        .subject = subject != NULL && strcmp(subject, "agency-second") == 0 ? "agency" : subject,
        .device = device->kind,
        .facts = facts,
        .fact_count = AN_COUNT(facts),
    };
    struct an_answer *answer = NULL;
    an_code code;

    AN_TRY(an_regulation_explain(desk->instance->regulations, &question, &answer, reterr));
    code = an_answer_require(answer, true, reterr);
    if (code != AN_OK)
        an_answer_free(&answer);
    *ret = answer;
    return code;
}
