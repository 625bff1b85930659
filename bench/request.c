/*
 * The register of requests, measured: "request URL SIZE": fills an empty store with SIZE dossiers, then times a page of the list of
 * all, of an authority's desk, by agency, by name and by subscriber, any dossier shown, and one made
 * and decided durably. Prints JSON, microseconds each (median): they must not grow with SIZE.
 */
#include "audit/audit.h"
#include "bench/register.h"
#include "request/request.h"

#define MANY 2000   /* dossiers in one write while filling */

static struct an_store *store;

struct work { long from, count; int64_t id; struct an_request_query query; };

static an_code
make(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *w = context;

    for (long i = w->from; i < w->from + w->count; i++) {
        char key[40], agency[40], subject[40], name[80];
        struct an_dossier request = {.key = key, .kind = AN_REQUEST_NEW, .regulation = "dong-thap-2025", .agency = agency, .addressee = "cuc",
                                     .subject_kind = "person", .device_kind = "pki-token", .form = "nd-68-2024/mau-01",
                                     .form_citation = "nd-68-2024/mau-01", .number = key, .content = "{\"rows\":[]}"};
        struct an_request_item item = {.subject = subject, .name = name, .email = "mau@mau.gov.vn", .certificate = "", .device = "", .ground = ""};
        struct an_request_deed deed = {.actor = "CB000001", .role = "qltt", .citation = "nd-68-2024/11/1", .at = 1764642605 + i};
        bool is_new;

        snprintf(key, sizeof(key), "k%ld", i);
        snprintf(agency, sizeof(agency), "H20.%ld", i % 200); /* a full page of each at any size */
        snprintf(subject, sizeof(subject), "TB%06ld", i % 1000000);
        snprintf(name, sizeof(name), "Nguyễn Văn %ld", (i * 7919) % 1000003);
        AN_TRY(an_request_create(tx, &request, &item, 1, &deed, &w->id, &is_new, reterr));
    }
    return AN_OK;
}

static an_code
decide(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *w = context;

    return an_request_item_decide(tx, w->id, 1, true, "CB000002", "", 1764642605, reterr);
}

static an_code
see(void *context, const struct an_request_line *line, struct an_err *reterr)
{
    (void)context;
    (void)line;
    (void)reterr;
    return AN_OK;
}

static an_code
list(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *w = context;

    return an_request_each(tx, &w->query, see, NULL, reterr);
}

/* A dossier, its items and what was done with it. */
static an_code
show(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *w = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_dossier request;
    struct an_request_item *items;
    size_t count;

    AN_TRY(an_request_find(tx, w->from, arena, &request, reterr));
    return an_request_items(tx, w->from, arena, &items, &count, reterr);
}

static double
median(bool writes, an_tx_fn fn, struct work *w, long step)
{
    double times[ROUNDS];
    struct an_err err = {0};

    for (size_t i = 0; i < ROUNDS; i++) {
        double start = now();
        must(writes ? an_store_write(store, fn, w, &err) : an_store_read(store, fn, w, &err), &err);
        if (writes)
            must(an_store_write(store, decide, w, &err), &err);
        times[i] = now() - start;
        w->from += step;
    }
    return median_of(times);
}

int
main(int argc, char **argv)
{
    struct an_err err = {0};
    long size = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    double start, filled;

    if (size < MANY)
        return 64;
    must(an_store_open(argv[1], AN_STORE_CREATE, 1, &store, &err), &err);
    an_audit_attach(store);
    start = now();
    for (long at = 0; at < size; at += MANY) {
        struct work w = {.from = at, .count = MANY};
        must(an_store_write(store, make, &w, &err), &err);
    }
    filled = (now() - start) / (double)size;
    struct work all = {.query = {.overdue_at = AN_TIME_NONE}};
    struct work desk = {.query = {.addressee = "cuc", .state = AN_REQUEST_DRAFT, .overdue_at = AN_TIME_NONE}};
    struct work overdue = {.query = {.overdue_at = 1764642605}};
    struct work shown = {.from = 1};
    struct work agency = {.query = {.agency = "H20.77", .overdue_at = AN_TIME_NONE}};
    struct work name = {.query = {.name = "nguyen van 77", .overdue_at = AN_TIME_NONE}};
    struct work subject = {.query = {.subject = "TB000777", .overdue_at = AN_TIME_NONE}};
    struct work one = {.from = size + MANY, .count = 1};
    printf("{\"size\":%ld,\"fill_us\":%.1f,\"list_all_us\":%.1f,\"list_desk_us\":%.1f,\"list_overdue_us\":%.1f,\"list_agency_us\":%.1f,", size, filled,
           median(false, list, &all, 0), median(false, list, &desk, 0), median(false, list, &overdue, 0), median(false, list, &agency, 0));
    printf("\"search_name_us\":%.1f,\"search_subject_us\":%.1f,\"show_us\":%.1f,\"make_and_decide_us\":%.1f}\n", median(false, list, &name, 0),
           median(false, list, &subject, 0), median(false, show, &shown, size / ROUNDS), median(true, make, &one, 1));
    an_store_close(&store);
    return 0;
}
