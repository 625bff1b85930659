/*
 * The register of subscribers, measured: "registry URL FEW MANY": an empty store is filled with FEW people and subscribers, asked,
 * filled up to MANY and asked again: a page from the start and from the middle, a name by its beginning and by a word within. Prints
 * JSON, microseconds each (median) at both sizes: they must not grow.
 */
#include "audit/audit.h"
#include "bench/register.h"
#include "registry/registry.h"

#define AT_ONCE 2000 /* people in one write while filling */

static struct an_store *store;
static int64_t agency_id;

struct range { long from, to; };

static an_code
add_agency(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct an_agency agency = {.code = "H53.6", .name = "Sở (MẪU)", .hierarchy = "state", .since = AN_TIME_NONE};

    (void)context;
    return an_agency_add(tx, &agency, &agency_id, reterr);
}

static an_code
add_range(void *context, struct an_tx *tx, struct an_err *reterr)
{
    static const char *const family[] = {"Nguyễn", "Trần", "Lê", "Phạm", "Đặng", "Võ"};
    static const char *const given[] = {"An", "Bình", "Cường", "Dũng", "Ưởng", "Yến", "Hà"};
    const struct range *range = context;

    for (long i = range->from; i < range->to; i++) {
        AN_CLEANUP(an_free_ptr) char *name = an_asprintf("%s Thị %ld %s", family[i % 6], i, given[i % 7]);
        const struct an_person person = {.name = name, .agency = agency_id, .born = AN_TIME_NONE,
                                         .identity_issued = AN_TIME_NONE, .since = AN_TIME_NONE, .retires = AN_TIME_NONE};
        struct an_subscriber subscriber = {.kind = "person", .agency = agency_id, .since = 1700000000};
        char number[32];
        int64_t id = 0;

        AN_TRY(an_person_add(tx, &person, &subscriber.person, number, reterr));
        AN_TRY(an_subscriber_add(tx, &subscriber, &id, number, reterr));
    }
    return AN_OK;
}

static void
fill(long from, long to)
{
    struct an_err err = {0};

    for (long at = from; at < to; at += AT_ONCE) {
        struct range range = {at, at + AT_ONCE < to ? at + AT_ONCE : to};
        must(an_store_write(store, add_range, &range, &err), &err);
    }
}

static an_code
see(void *context, const struct an_subscriber *subscriber, struct an_err *reterr)
{
    (void)context, (void)subscriber, (void)reterr;
    return AN_OK;
}

static an_code
ask(void *context, struct an_tx *tx, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    const char *cursor = NULL;

    return an_subscriber_list(tx, context, arena, see, NULL, &cursor, reterr);
}

static double
time_page(const char *text, const char *cursor)
{
    struct an_page page = {.text = text, .cursor = cursor};
    struct an_err err = {0};
    double times[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        double start = now();
        must(an_store_read(store, ask, &page, &err), &err);
        times[i] = now() - start;
    }
    return median_of(times);
}

static void
print_size(const char *name, long size)
{
    printf("\"%s\":{\"size\":%ld,\"list_us\":%.1f,\"middle_us\":%.1f,", name, size, time_page(NULL, NULL),
           time_page(NULL, "n|0|pham"));
    printf("\"begin_us\":%.1f,\"word_us\":%.1f}", time_page("nguyen", NULL), time_page("uong", NULL));
}

int
main(int argc, char **argv)
{
    long few = argc > 3 ? strtol(argv[2], NULL, 10) : 0, many = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    struct an_err err = {0};

    if (few < 1000 || many < few)
        return 64;
    must(an_store_open(argv[1], AN_STORE_CREATE, 1, &store, &err), &err);
    an_audit_attach(store);
    must(an_store_write(store, add_agency, NULL, &err), &err);
    fill(0, few);
    printf("{");
    print_size("few", few);
    fill(few, many);
    printf(",");
    print_size("many", many);
    printf("}\n");
    an_store_close(&store);
    return 0;
}
