/* What a machine fetched stands in the register and in the request that it came of, in the commit that closes the
 * approval: who renews, revokes or counts finds it there like a certificate on a token. */
#include "service/certification/enrol_internal.h"

#include "registry/registry.h"
#include "request/request.h"

#include <stdio.h>

static void
lower_hex(an_bytes serial, char ret[static 80])
{
    for (size_t i = 0; i < serial.len && 2 * i + 3 <= 80; i++)
        snprintf(ret + 2 * i, 3, "%02x", serial.ptr[i]);
}

/* An allowance may name a subscriber that is none of this register: it was written by hand. */
static an_code
link_to(struct an_tx *tx, const char *subscriber, const char *serial, an_time now, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA);
    struct an_subscriber_cert link = {.serial = serial, .object_id = "", .since = now};
    struct an_subscriber found = {0};
    struct an_err err = {0};

    if (subscriber[0] == '\0')
        return AN_OK;
    if (an_subscriber_find_number(tx, subscriber, arena, &found, &err) != AN_OK)
        return err.code == AN_E_SUBSCRIBER_UNKNOWN ? AN_OK : an_err_set(reterr, err.code, "%s", err.detail);
    link.subscriber = found.id;
    return an_subscriber_link_cert(tx, &link, reterr);
}

an_code
enrol_enter(struct an_tx *tx, const struct an_approval *approval, an_bytes serial, an_time now, struct an_err *reterr)
{
    long long request = 0, place = 0;
    int end = 0;
    char hex[80] = "";

    lower_hex(serial, hex);
    AN_TRY(link_to(tx, approval->subscriber, hex, now, reterr));
    if (sscanf(approval->item, "request:%lld/item:%lld%n", &request, &place, &end) == 2 && approval->item[end] == '\0')
        return an_request_item_fetched(tx, request, place, hex, reterr);
    return AN_OK;
}

an_code
enrol_enter_next(struct an_tx *tx, an_bytes before, an_bytes serial, an_time now, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA);
    struct an_subscriber_cert old = {0}, link = {.object_id = "", .since = now};
    char hex_before[80] = "", hex[80] = "";

    lower_hex(before, hex_before);
    lower_hex(serial, hex);
    AN_TRY(an_subscriber_of_cert(tx, hex_before, arena, &old, reterr));
    if (old.subscriber == 0)
        return AN_OK;
    link.serial = hex;
    link.subscriber = old.subscriber;
    return an_subscriber_link_cert(tx, &link, reterr);
}
