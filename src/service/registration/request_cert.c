/* Certificates as dossiers see them. */
#include "service/registration/request_internal.h"

#include <stdio.h>

static an_code
take_cert(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct request_cert *ret = context;

    (void)reterr;
    ret->found = true;
    ret->status = (int)an_row_int(row, 0);
    ret->not_after = an_row_int(row, 1);
    ret->renewals = an_row_int(row, 2);
    snprintf(ret->subscriber, sizeof(ret->subscriber), "%s", an_row_text(row, 3));
    snprintf(ret->device, sizeof(ret->device), "%s", an_row_text(row, 4));
    ret->since = an_row_int(row, 5);
    ret->is_followed = an_row_int(row, 6) != 0;
    return AN_OK;
}

an_code
request_find_cert(struct an_tx *tx, const char *serial, struct request_cert *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf octets = an_buf_new(64);
    struct an_value values[1];

    *ret = (struct request_cert){0};
    if (!an_hex_decode(&octets, an_bytes_of_str(serial)) || octets.len == 0)
        return AN_OK;
    values[0] = AN_V_BLOB(an_buf_view(&octets));
    return an_tx_one(tx, AN_SQL_REQUEST_CERTIFICATE_FIND, values, AN_COUNT(values), take_cert, ret, NULL, reterr);
}

#define SERIALS_MAX 64 /* a subscriber has a handful */

struct serials {
    char items[SERIALS_MAX][80];
    size_t count;
};

static an_code
gather_serial(void *context, const struct an_subscriber_cert *cert, struct an_err *reterr)
{
    struct serials *serials = context;

    (void)reterr;
    if (serials->count < SERIALS_MAX)
        snprintf(serials->items[serials->count++], sizeof(serials->items[0]), "%s", cert->serial);
    return AN_OK;
}

an_code
request_newest_cert(struct an_tx *tx, int64_t subscriber, char ret_serial[static 80], struct an_err *reterr)
{
    struct serials serials = {.count = 0};

    ret_serial[0] = '\0';
    AN_TRY(an_subscriber_certs(tx, subscriber, 0, gather_serial, &serials, reterr));
    for (size_t i = 0; i < serials.count; i++) {
        struct request_cert cert;
        AN_TRY(request_find_cert(tx, serials.items[i], &cert, reterr));
        if (cert.found && (cert.status == 0 || cert.status == 2)) {
            snprintf(ret_serial, 80, "%s", serials.items[i]);
            return AN_OK;
        }
    }
    return AN_OK;
}

an_code
request_may_be_paper(struct an_tx *tx, int64_t agency, an_time at, struct an_arena *arena, bool *ret,
                     struct an_err *reterr)
{
    struct an_post head = {0};
    struct an_subscriber subscriber = {0};
    char serial[80] = "";

    AN_TRY(an_agency_head(tx, agency, at, arena, &head, reterr));
    if (head.id != 0)
        AN_TRY(an_subscriber_of_person(tx, head.person, arena, &subscriber, reterr));
    if (subscriber.id != 0)
        AN_TRY(request_newest_cert(tx, subscriber.id, serial, reterr));
    *ret = serial[0] == '\0';
    return AN_OK;
}
