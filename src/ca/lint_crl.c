/* Revocation lists: RFC 5280 5. */
#include "ca/lint_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY ((an_time)86400)

struct lint_crl {
    struct lint_run run;
    an_bytes issuer, revoked, serial_number, base_number;
    struct lint_algorithm inner, outer;
    struct lint_time this_update, next_update;
    bool has_next, has_revoked, is_delta;
    struct lint_extensions extensions;
    bool has_usual_now; char usual_now[16]; /* thisUpdate as an UTCTime says it */
};

/* ---- reading ---- */
static bool
read_times(struct lint_crl *c, an_bytes *in)
{
    bool wrong_this = false, wrong_next = false;

    if (!lint_take_time(in, &c->this_update, &wrong_this))
        return false;
    c->has_next = lint_take_time(in, &c->next_update, &wrong_next);
    lint_if(&c->run, wrong_this || wrong_next || !c->this_update.is_sound || (c->has_next && !c->next_update.is_sound),
            LINT_CRL_TIME_TYPE);
    return true;
}

static bool
read_tbs(struct lint_crl *c, an_bytes in)
{
    an_bytes content;
    int64_t version = 0;

    if (an_der_peek(in) == AN_DER_INTEGER && an_der_int64(&in, &version, NULL) != AN_OK)
        return false;
    lint_if(&c->run, version != 1, LINT_CRL_VERSION);
    if (!lint_take_algorithm(&in, &c->inner) || an_der_take_whole(&in, AN_DER_SEQUENCE, &c->issuer, NULL) != AN_OK ||
        !read_times(c, &in))
        return false;
    c->has_revoked = an_der_try(&in, AN_DER_SEQUENCE, &c->revoked);
    if (in.len == 0)
        return true;
    if (an_der_take(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &content, NULL) != AN_OK || in.len != 0 ||
        an_der_take(&content, AN_DER_SEQUENCE, &content, NULL) != AN_OK)
        return false;
    lint_read_extensions(content, &c->extensions);
    return c->extensions.is_sound;
}

static bool
read_list(struct lint_crl *c, an_bytes der)
{
    an_bytes in, tbs, signature;

    return an_der_take(&der, AN_DER_SEQUENCE, &in, NULL) == AN_OK &&
           an_der_take(&in, AN_DER_SEQUENCE, &tbs, NULL) == AN_OK &&
           lint_take_algorithm(&in, &c->outer) && an_der_take(&in, AN_DER_BIT_STRING, &signature, NULL) == AN_OK &&
           in.len == 0 && read_tbs(c, tbs);
}

/* ---- entries ---- */
static void
check_reason(struct lint_crl *c, an_bytes value)
{
    int64_t reason = -1;

    if (an_der_peek(value) != AN_DER_ENUMERATED || an_der_int64(&value, &reason, NULL) != AN_OK)
        reason = -1;
    lint_if(&c->run, reason < 0 || reason == 7 || reason > 10, LINT_CRL_ENTRY_REASON);
    lint_if(&c->run, reason == 0, LINT_CRL_ENTRY_UNSPECIFIED);
    lint_if(&c->run, reason == 8 && !c->is_delta, LINT_CRL_ENTRY_REMOVE);
}

static bool
check_entry_extensions(struct lint_crl *c, an_bytes in)
{
    struct lint_extensions found;

    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK)
        return false;
    lint_read_extensions(in, &found);
    for (size_t i = 0; i < found.count; i++) {
        bool is_reason = an_bytes_eq(found.items[i].oid, AN_OID_REASON_CODE),
             is_issuer = an_bytes_eq(found.items[i].oid, AN_OID_CERTIFICATE_ISSUER);
        if (is_reason)
            check_reason(c, found.items[i].value);
        lint_if(&c->run, found.items[i].critical && !is_issuer, LINT_CRL_ENTRY_CRITICAL);
    }
    return found.is_sound && found.count > 0;
}

static bool
check_entry(struct lint_crl *c, an_bytes in)
{
    struct lint_time when = {0};
    bool wrong_type = false;
    an_bytes serial;

    if (an_der_take(&in, AN_DER_INTEGER, &serial, NULL) != AN_OK || !lint_take_time(&in, &when, &wrong_type))
        return false;
    lint_if(&c->run, wrong_type || !when.is_sound, LINT_CRL_TIME_TYPE);
    lint_if(&c->run, serial.len == 0 || serial.len > 20 || serial.ptr[0] >= 0x80 ||
            (serial.len == 1 && serial.ptr[0] == 0), LINT_CRL_ENTRY_SERIAL);
    lint_if(&c->run, when.is_sound && c->this_update.is_sound && when.when > c->this_update.when,
            LINT_CRL_ENTRY_FUTURE);
    return in.len == 0 || check_entry_extensions(c, in);
}

/* What authorities write, ours too: an entry of this shape has nothing to be found. Anything else is taken apart. */
static bool
is_usual_time(const struct lint_crl *c, const uint8_t *t)
{
    static const struct { unsigned least, most; } ranges[] = {{0, 49}, {1, 12}, {1, 28}, {0, 23}, {0, 59}, {0, 59}};

    if (!c->has_usual_now || t[0] != AN_DER_UTC_TIME || t[1] != 13 || t[14] != 'Z' ||
        memcmp(t + 2, c->usual_now, 12) > 0)
        return false;
    for (size_t i = 0; i < AN_COUNT(ranges); i++) {
        unsigned tens = t[2 + 2 * i] - (unsigned)'0', ones = t[3 + 2 * i] - (unsigned)'0';
        if (tens > 9 || ones > 9 || tens * 10 + ones < ranges[i].least || tens * 10 + ones > ranges[i].most)
            return false;
    }
    return true;
}

static bool
is_usual_entry(const struct lint_crl *c, an_bytes whole)
{
    static const uint8_t reason[] = {0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01};
    const uint8_t *p = whole.ptr;
    size_t serial, rest;

    if (whole.len < 20 || p[1] >= 0x80 || p[2] != AN_DER_INTEGER)
        return false;
    serial = p[3];
    if (serial < 2 || serial > 20 || whole.len < 4 + serial + 15 || p[4] >= 0x80 || (p[4] == 0 && p[5] < 0x80) ||
        !is_usual_time(c, p + 4 + serial))
        return false;
    rest = whole.len - (4 + serial + 15);
    p += 4 + serial + 15;
    return rest == 0 || (rest == sizeof(reason) + 1 && memcmp(p, reason, sizeof(reason)) == 0 && p[rest - 1] >= 1 &&
                         p[rest - 1] <= 10 && p[rest - 1] != 7 && p[rest - 1] != 8);
}

static void
note_now(struct lint_crl *c)
{
    static const an_time year_2000 = 946684800, year_2050 = 2524608000;
    struct an_date date = an_date_of(c->this_update.is_sound ? c->this_update.when : 0, 0);

    c->has_usual_now = c->this_update.is_sound && c->this_update.when >= year_2000 && c->this_update.when < year_2050;
    snprintf(c->usual_now, sizeof(c->usual_now), "%02u%02u%02u%02u%02u%02u", (unsigned)date.year % 100,
             (unsigned)date.month % 100, (unsigned)date.day % 100, (unsigned)date.hour % 100,
             (unsigned)date.minute % 100, (unsigned)date.second % 100);
}

static void
check_entries(struct lint_crl *c, an_bytes in, bool walks_der)
{
    while (in.len > 0) {
        const uint8_t *start = in.ptr;
        an_bytes entry;

        if (an_der_take(&in, AN_DER_SEQUENCE, &entry, NULL) != AN_OK) {
            lint_raise(&c->run, LINT_CRL_ENTRY_STRUCTURE);
            return;
        }
        an_bytes whole = AN_BYTES(start, (size_t)(in.ptr - start));
        if (is_usual_entry(c, whole))
            continue;
        if (walks_der)
            lint_der(&c->run, whole);
        if (!check_entry(c, entry)) {
            lint_raise(&c->run, LINT_CRL_ENTRY_STRUCTURE);
            return;
        }
    }
}

/* ---- extensions ---- */
static bool
read_number(an_bytes value, an_bytes *ret)
{
    return an_der_take(&value, AN_DER_INTEGER, ret, NULL) == AN_OK && value.len == 0 && ret->len != 0;
}

static void
check_number(struct lint_crl *c)
{
    const struct lint_extension *number = lint_find(&c->extensions, AN_OID_CRL_NUMBER),
                                 *delta = lint_find(&c->extensions, AN_OID_DELTA_CRL);
    struct lint_run *run = &c->run;

    lint_if(run, number == NULL, LINT_CRL_NUMBER_NONE);
    if (number != NULL)
        lint_if(run, !read_number(number->value, &c->serial_number) || c->serial_number.len > 20 ||
                c->serial_number.ptr[0] >= 0x80 || number->critical, LINT_CRL_NUMBER_FORM);
    if (delta == NULL)
        return;
    lint_if(run, !delta->critical, LINT_CRL_DELTA_CRITICAL);
    lint_if(run, !read_number(delta->value, &c->base_number) ||
            (c->serial_number.len != 0 && (c->base_number.len > c->serial_number.len ||
            (c->base_number.len == c->serial_number.len && an_bytes_cmp(c->base_number, c->serial_number) >= 0))),
            LINT_CRL_DELTA_NUMBER);
}

static void
check_key(struct lint_crl *c)
{
    const struct lint_extension *e = lint_find(&c->extensions, AN_OID_AKI);
    const struct an_cert *issuer = c->run.plan->issuer;
    an_bytes in, key = AN_NONE;

    lint_if(&c->run, e == NULL, LINT_CRL_AKI_NONE);
    if (e == NULL || issuer == NULL || issuer->ski.len == 0)
        return;
    in = e->value;
    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) == AN_OK)
        (void)an_der_try(&in, AN_DER_CONTEXT(0), &key);
    lint_if(&c->run, !an_bytes_eq(key, issuer->ski), LINT_CRL_AKI_SAME);
}

static void
check_point(struct lint_crl *c)
{
    const struct lint_extension *e = lint_find(&c->extensions, AN_OID_ISSUING_POINT);
    an_bytes in, value;

    if (e == NULL)
        return;
    in = value = e->value;
    lint_if(&c->run, !e->critical, LINT_CRL_IDP_CRITICAL);
    lint_if(&c->run, an_der_take(&in, AN_DER_SEQUENCE, &value, NULL) != AN_OK || in.len != 0 || value.len == 0,
            LINT_CRL_IDP_STRUCTURE);
}

static void
check_extensions(struct lint_crl *c)
{
    const an_bytes known[] = {AN_OID_AKI, AN_OID_CRL_NUMBER, AN_OID_DELTA_CRL, AN_OID_ISSUING_POINT,
                              AN_OID_ISSUER_ALT_NAME, AN_OID_FRESHEST_CRL};

    lint_if(&c->run, c->extensions.has_twice, LINT_CRL_EXTENSION_TWICE);
    for (size_t i = 0; i < c->extensions.count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < AN_COUNT(known); k++)
            is_known = is_known || an_bytes_eq(c->extensions.items[i].oid, known[k]);
        lint_if(&c->run, c->extensions.items[i].critical && !is_known, LINT_CRL_EXTENSION_CRITICAL);
    }
    check_number(c);
    check_key(c);
    check_point(c);
}

/* ---- the frame ---- */
static void
check_frame(struct lint_crl *c)
{
    const struct an_cert *issuer = c->run.plan->issuer;
    struct lint_run *run = &c->run;
    an_time days_max = issuer != NULL && issuer->self_issued ? 366 * DAY : 31 * DAY;

    lint_if(run, !an_bytes_eq(c->inner.whole, c->outer.whole), LINT_CRL_ALGORITHM_SAME);
    lint_if(run, !c->inner.is_known || lint_scheme_is_weak(&c->inner.scheme), LINT_CRL_ALGORITHM_DIGEST);
    lint_if(run, c->issuer.len <= 2, LINT_CRL_ISSUER_EMPTY);
    lint_if(run, issuer != NULL && !an_bytes_eq(c->issuer, issuer->subject), LINT_CRL_ISSUER_SAME);
    lint_if(run, !c->has_next, LINT_CRL_NEXT_NONE);
    if (!c->has_next || !c->this_update.is_sound || !c->next_update.is_sound)
        return;
    lint_if(run, c->next_update.when <= c->this_update.when, LINT_CRL_NEXT_ORDER);
    lint_if(run, c->next_update.when - c->this_update.when > days_max, LINT_CRL_NEXT_FAR);
}

static bool
check_around(struct lint_crl *c, an_bytes der)
{
    lint_der(&c->run, der);
    if (!read_list(c, der)) {
        lint_raise(&c->run, LINT_CRL_STRUCTURE);
        return false;
    }
    c->is_delta = lint_find(&c->extensions, AN_OID_DELTA_CRL) != NULL;
    note_now(c);
    check_frame(c);
    check_extensions(c);
    return true;
}

void
an_lint_crl(an_bytes der, const struct an_lint_plan *plan)
{
    struct lint_crl c = {.run = {.plan = plan}};

    if (check_around(&c, der)) {
        lint_if(&c.run, c.has_revoked && c.revoked.len == 0, LINT_CRL_REVOKED_EMPTY);
        check_entries(&c, c.revoked, false);
    }
    lint_report(&c.run);
}

/* ---- in steps ---- */
struct an_lint_list { struct lint_crl crl; struct an_lint_plan plan; bool is_read; };

struct an_lint_list *
an_lint_list_begin(an_bytes frame, const struct an_lint_plan *plan)
{
    struct an_lint_list *list = AN_NEW(struct an_lint_list);

    list->plan = *plan;
    list->crl.run.plan = &list->plan;
    list->is_read = check_around(&list->crl, frame);
    return list;
}

void
an_lint_list_entries(struct an_lint_list *list, an_bytes entries)
{
    if (list->is_read)
        check_entries(&list->crl, entries, true);
}

void
an_lint_list_end(struct an_lint_list **list)
{
    if (*list != NULL)
        lint_report(&(*list)->crl.run);
    free(*list);
    *list = NULL;
}
