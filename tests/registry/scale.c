/*
 * A page of the register costs the same at any size: the same questions at N and at 100 N people, compared with each other, of the
 * whole register and of one small agency in it. By default small; ANTIN_FULL=1: 10,000 and 1,000,000 people and subscribers.
 */
#include "base/time.h"
#include "registry/store_test.h"

#define ROUNDS 200
static int64_t agency_id, small_id;

static an_code
add_agency(struct an_tx *tx, void *context, struct an_err *reterr)
{
    const struct an_agency agency = {.code = "H53.6", .name = "Sở (MẪU)", .hierarchy = "state", .since = AN_TIME_NONE};
    const struct an_agency small = {.code = "H53.7", .name = "Xã (MẪU)", .hierarchy = "state", .since = AN_TIME_NONE};

    (void)context;
    AN_TRY(an_agency_add(tx, &agency, &agency_id, reterr));
    return an_agency_add(tx, &small, &small_id, reterr);
}

struct range { int64_t from, to, agency; };

static an_code
add_range(struct an_tx *tx, void *context, struct an_err *reterr)
{
    static const char *const family[] = {"Nguyễn", "Trần", "Lê", "Phạm", "Đặng", "Võ"}, *const given[] = {"An", "Bình", "Cường", "Dũng", "Ưởng", "Yến", "Hà"};
    const struct range *range = context;

    for (int64_t i = range->from; i < range->to; i++) {
        AN_CLEANUP(an_free_ptr) char *name = an_asprintf("%s Thị %lld %s", family[(i + 42) % 6], (long long)i, given[(i + 42) % 7]);
        const struct an_person person = {.name = name, .agency = range->agency, .born = AN_TIME_NONE, .identity_issued = AN_TIME_NONE, .since = AN_TIME_NONE,
                                         .retires = AN_TIME_NONE};
        struct an_subscriber subscriber = {.kind = "person", .agency = range->agency, .since = 1700000000};
        char number[32];
        AN_TRY(an_person_add(tx, &person, &subscriber.person, number, reterr));
        int64_t id = 0;
        AN_TRY(an_subscriber_add(tx, &subscriber, &id, number, reterr));
    }
    return AN_OK;
}

static an_code
count_one(void *context, const struct an_subscriber *subscriber, struct an_err *reterr)
{
    (void)subscriber, (void)reterr;
    ++*(size_t *)context;
    return AN_OK;
}

static an_code
ask(void *context, struct an_tx *tx, struct an_err *reterr)
{
    static const char *const texts[] = {NULL, "nguyen", "uong", "yen vo", "tran thi 9", "thi 39"};
    size_t *found = context;
    const char *cursor = NULL;

    for (size_t i = 0; i < AN_COUNT(texts); i++) {
        const struct an_page page = {.text = texts[i]}, middle = {.cursor = "n|0|pham"};
        an_arena_reset(arena);
        AN_TRY(an_subscriber_list(tx, &page, arena, count_one, found, &cursor, reterr));
        AN_TRY(an_subscriber_list(tx, &middle, arena, count_one, found, &cursor, reterr));
        const struct an_page own = {.text = texts[i], .agency = small_id};
        AN_TRY(an_subscriber_list(tx, &own, arena, count_one, found, &cursor, reterr));
    }
    return AN_OK;
}

static void
grow(int64_t agency, int64_t from, int64_t to)
{
    struct an_err err = {0};

    for (int64_t at = from; at < to; at += 2000) {
        struct range range = {at, at + 2000 < to ? at + 2000 : to, agency};
        expect(write_with(add_range, &range, &err), AN_OK, &err, "grow");
    }
}

static uint64_t
time_of_asking(void)
{
    uint64_t before = an_time_monotonic_ms();
    struct an_err err = {0};
    size_t found = 0;

    for (int i = 0; i < ROUNDS; i++)
        expect(an_store_read(store, ask, &found, &err), AN_OK, &err, "ask");
    assert_true(found >= ROUNDS * 300);
    return an_time_monotonic_ms() - before;
}

static void
pages_cost_the_same(void **state)
{
    int64_t few = getenv("ANTIN_FULL") ? 10000 : 400, many = few * (getenv("ANTIN_FULL") ? 100 : 20);
    struct an_err err = {0};
    uint64_t small, large;

    (void)state;
    expect(write_with(add_agency, NULL, &err), AN_OK, &err, "agency");
    grow(small_id, -40, 0);
    grow(agency_id, 0, few);
    small = time_of_asking();
    grow(agency_id, few, many);
    large = time_of_asking();
    print_message("%d × 18 pages: %llu ms of %lld subscribers, %llu ms of %lld\n", ROUNDS, (unsigned long long)small, (long long)few,
                  (unsigned long long)large, (long long)many);
    assert_true(large < 6 * (small + 50)); /* the register grew twenty- or a hundredfold */
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pages_cost_the_same)};

    store_url = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests_name("scale", tests, open_store, close_store);
}
