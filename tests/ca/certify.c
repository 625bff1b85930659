/* service/certify: the life of certificates over a store. Argument: the URL of an empty PostgreSQL database; none: SQLite. */
#include "office.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <cmocka.h>

static struct office office;
static const char *database;
static struct an_buf keys[3]; /* public keys of subscribers */
static const struct an_actor officer = {"cb-01", "can-bo-cap-chung-thu"};
static const struct an_actor stranger = {"cb-02", "thu-truong"};
static const struct an_name_part person[] = {{"2.5.4.6", "VN"}, {"2.5.4.7", "Tỉnh Mẫu"}, {"2.5.4.10", "ỦY BAN NHÂN DÂN TỈNH MẪU"}, {"2.5.4.11", "Sở Mẫu"}, {"2.5.4.3", "Nguyễn Thị Ưởng"}};

static void
expect(an_code got, an_code wanted, const struct an_err *err)
{
    if (got != wanted)
        fail_msg("%s (%s), wanted %s", an_message_find(got)->symbol, err->detail, an_message_find(wanted)->symbol);
}

static struct an_certify
request(const char *key)
{
    return (struct an_certify){.request_key = key, .profile = "ca-nhan", .subject = person, .subject_count = 5, .email = "Uong@mau.gov.vn", .spki = an_buf_view(&keys[0]),
                               .not_before = AN_TIME_NONE, .not_after = AN_TIME_NONE, .subscriber = "TB-0001", .actor = officer};
}

static char *
hex_of(an_bytes bytes)
{
    struct an_buf hex = an_buf_new(256);

    an_buf_hex(&hex, bytes);
    return an_buf_take_str(&hex);
}

/* A certificate of its own for a test; the serial number in hex is the caller's. */
static char *
issue(const char *key, an_time from, an_time until)
{
    AN_CLEANUP(an_certified_done) struct an_certified made = {0};
    struct an_certify what = request(key);
    struct an_err err = {0};

    what.not_before = from;
    what.not_after = until;
    expect(an_certify_issue(office.certifier, &what, &made, &err), AN_OK, &err);
    return hex_of(made.cert->serial);
}

static struct an_certificate
find(const char *serial, struct an_arena *arena)
{
    struct an_certificate certificate = {0};
    struct an_err err = {0};

    expect(an_certify_find(office.certifier, serial, arena, &certificate, &err), AN_OK, &err);
    return certificate;
}

struct counting { const char *sql_object; size_t count; };

static an_code
count_all(void *context, const struct an_certificate *certificate, struct an_err *err)
{
    (void)certificate, (void)err;
    (*(size_t *)context)++;
    return AN_OK;
}

/* ---- issuing ---- */
static void
issued_once_for_one_request(void **state)
{
    AN_CLEANUP(an_certified_done) struct an_certified first = {0}, again = {0}, other = {0};
    struct an_certify what = request("request:1/item:1");
    struct an_err err = {0};

    (void)state;
    expect(an_certify_issue(office.certifier, &what, &first, &err), AN_OK, &err);
    assert_false(first.is_repeated);
    assert_int_equal(first.cert->serial.len, 20);
    expect(an_certify_issue(office.certifier, &what, &again, &err), AN_OK, &err);
    assert_true(again.is_repeated);
    assert_true(an_bytes_eq(first.cert->der, again.cert->der));
    what.email = "khac@mau.gov.vn";
    expect(an_certify_issue(office.certifier, &what, &other, &err), AN_E_CA_REQUEST, &err);
    what = request("request:1/item:2");
    expect(an_certify_issue(office.certifier, &what, &other, &err), AN_OK, &err);
    assert_false(an_bytes_eq(first.cert->serial, other.cert->serial));
}

static void
refused_with_its_reason(void **state)
{
    static const struct { const char *name; an_code want; } rows[] = {
        {"no key", AN_E_CA_REQUEST}, {"another role", AN_E_CA_ROLE}, {"no such profile", AN_E_PROFILE_UNKNOWN}, {"not for subscribers", AN_E_CERTIFY_PROFILE},
        {"no such authority", AN_E_CERTIFY_AUTHORITY}, {"the root does not serve subscribers", AN_E_CERTIFY_AUTHORITY}, {"nothing to certify", AN_E_CA_KEY},
        {"not a request", AN_E_CSR_PARSE}, {"public mail service", AN_E_CA_EMAIL_PUBLIC}, {"six years", AN_E_CA_VALIDITY}, {"no matter", AN_E_DECISION_MATTER},
    };
    const struct an_reliance nothing = {.matter = 4711, .act = "request.approve", .object = "request:1/item:1"};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(rows); i++) {
        AN_CLEANUP(an_certified_done) struct an_certified made = {0};
        struct an_certify what = request("refused");
        struct an_err err = {0};
        switch (i) {
        case 0: what.request_key = ""; break;
        case 1: what.actor = stranger; break;
        case 2: what.profile = "khong-co"; break;
        case 3: what.profile = "tsa"; break;
        case 4: what.authority = "khong-co"; break;
        case 5: what.authority = "goc"; break;
        case 6: what.spki = AN_NONE; break;
        case 7: what.csr = AN_LIT("x"); break;
        case 8: what.email = "mau@gmail.com"; break;
        case 9: what.not_before = an_time_now(), what.not_after = an_time_now() + 6 * 366 * DAY; break;
        default: what.reliance = &nothing; break;
        }
        an_code code = an_certify_issue(office.certifier, &what, &made, &err);
        if (code != rows[i].want)
            fail_msg("%s: %s %s", rows[i].name, an_message_find(code)->symbol, err.detail);
    }
}

/* ---- the life of a certificate ---- */
static void
renewed_by_the_rules(void **state)
{
    static const struct { const char *name; int64_t from, until; bool held; an_code want; } rows[] = {
        {"in time", -1000, 100, false, AN_OK}, {"too late", -1000, 20, false, AN_E_CERTIFY_LATE}, {"on hold", -1000, 100, true, AN_E_CERTIFY_STATUS},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(rows); i++) {
        AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
        AN_CLEANUP(an_certified_done) struct an_certified made = {0}, again = {0}, more = {0};
        AN_CLEANUP(an_free_ptr) char *key = an_asprintf("renew:%zu", i), *hold = an_asprintf("hold:%zu", i), *issued = an_asprintf("issue-for-renew:%zu", i);
        an_time now = an_time_now(), from = now - 300 * DAY;
        AN_CLEANUP(an_free_ptr) char *serial = issue(issued, from, now + rows[i].until * DAY), *next = NULL;
        struct an_recertify what = {.request_key = key, .serial = serial, .not_after = AN_TIME_NONE, .actor = officer};
        struct an_withdraw withdraw = {.request_key = hold, .serial = serial, .invalid_since = AN_TIME_NONE, .actor = {"cb-03", "can-bo-thu-hoi"}};
        struct an_err err = {0};
        if (rows[i].held)
            expect(an_certify_hold(office.certifier, &withdraw, &err), AN_OK, &err);
        an_code code = an_certify_renew(office.certifier, &what, &made, &err);
        if (code != rows[i].want)
            fail_msg("%s: %s %s", rows[i].name, an_message_find(code)->symbol, err.detail);
        if (code != AN_OK)
            continue;
        assert_true(made.cert->not_after <= now + (3 * 365 + 1) * DAY);
        assert_true(an_bytes_eq(made.cert->spki, an_buf_view(&keys[0])));
        expect(an_certify_renew(office.certifier, &what, &again, &err), AN_OK, &err);
        assert_true(again.is_repeated && an_bytes_eq(again.cert->der, made.cert->der));
        what.request_key = "renew:another-key";
        expect(an_certify_renew(office.certifier, &what, &more, &err), AN_E_CERTIFY_FOLLOWED, &err);
        next = hex_of(made.cert->serial);
        what.serial = next; /* once only: NĐ 68/2024 Điều 12 */
        expect(an_certify_renew(office.certifier, &what, &more, &err), AN_E_CERTIFY_RENEW, &err);
        assert_int_equal(find(serial, arena).status, AN_CERTIFICATE_GOOD);
        assert_int_equal(find(next, arena).renewals, 1);
        assert_string_equal(find(next, arena).kind, "renewed");
    }
}

static void
changed_with_its_end_kept(void **state)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    AN_CLEANUP(an_certified_done) struct an_certified made = {0}, again = {0};
    an_time now = an_time_now();
    AN_CLEANUP(an_free_ptr) char *serial = issue("issue-for-change", now - 10 * DAY, now + 700 * DAY);
    struct an_recertify what = {.request_key = "change:1", .serial = serial, .email = "moi@mau.gov.vn", .spki = an_buf_view(&keys[1]), .not_after = AN_TIME_NONE, .actor = officer};
    struct an_certificate before;
    struct an_err err = {0};

    (void)state;
    expect(an_certify_change(office.certifier, &what, &made, &err), AN_OK, &err);
    before = find(serial, arena);
    assert_int_equal(before.status, AN_CERTIFICATE_REVOKED);
    assert_int_equal(before.reason, AN_REASON_SUPERSEDED);
    assert_int_equal(made.cert->not_after, before.not_after);
    assert_true(an_bytes_eq(made.cert->spki, an_buf_view(&keys[1])));
    expect(an_certify_change(office.certifier, &what, &again, &err), AN_OK, &err);
    assert_true(again.is_repeated && an_bytes_eq(again.cert->der, made.cert->der));
}

static void
withdrawn_by_the_rules(void **state)
{
    enum { REVOKE, HOLD, RELEASE };
    static const struct { int act; const char *ground, *role; an_code want; enum an_certificate_status status; } rows[] = {
        {RELEASE, NULL, "can-bo-thu-hoi", AN_E_CERTIFY_STATUS, AN_CERTIFICATE_GOOD},
        {REVOKE, "khong-co", "can-bo-thu-hoi", AN_E_CA_GROUND, AN_CERTIFICATE_GOOD},
        {REVOKE, "tam-dung", "can-bo-thu-hoi", AN_E_CA_GROUND, AN_CERTIFICATE_GOOD},
        {REVOKE, "lo-khoa", "thu-truong", AN_E_CA_ROLE, AN_CERTIFICATE_GOOD},
        {HOLD, "lo-khoa", "can-bo-thu-hoi", AN_E_CA_GROUND, AN_CERTIFICATE_GOOD},
        {HOLD, NULL, "can-bo-thu-hoi", AN_OK, AN_CERTIFICATE_HELD},
        {HOLD, NULL, "can-bo-thu-hoi", AN_E_CERTIFY_STATUS, AN_CERTIFICATE_HELD},
        {RELEASE, NULL, "can-bo-thu-hoi", AN_OK, AN_CERTIFICATE_GOOD},
        {REVOKE, "lo-khoa", "can-bo-thu-hoi", AN_OK, AN_CERTIFICATE_REVOKED},
        {REVOKE, "nghi-huu", "can-bo-thu-hoi", AN_E_CERTIFY_STATUS, AN_CERTIFICATE_REVOKED},
        {RELEASE, NULL, "can-bo-thu-hoi", AN_E_CERTIFY_STATUS, AN_CERTIFICATE_REVOKED},
    };
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    an_code (*const acts[])(struct an_certifier *, const struct an_withdraw *, struct an_err *) = {an_certify_revoke, an_certify_hold, an_certify_release};
    AN_CLEANUP(an_free_ptr) char *serial = issue("issue-for-revoke", AN_TIME_NONE, AN_TIME_NONE);
    struct an_err err = {0};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(rows); i++) {
        AN_CLEANUP(an_free_ptr) char *key = an_asprintf("withdraw:%zu", i);
        struct an_withdraw what = {.request_key = key, .serial = serial, .ground = rows[i].ground, .invalid_since = AN_TIME_NONE, .actor = {"cb-03", rows[i].role}};
        an_code code = acts[rows[i].act](office.certifier, &what, &err);
        if (code != rows[i].want)
            fail_msg("row %zu: %s %s", i, an_message_find(code)->symbol, err.detail);
        if (code == AN_OK) /* again under the same key: the same */
            expect(acts[rows[i].act](office.certifier, &what, &err), AN_OK, &err);
        assert_int_equal(find(serial, arena).status, rows[i].status);
    }
    assert_int_equal(find(serial, arena).reason, AN_REASON_KEY_COMPROMISE);
    assert_string_equal(find(serial, arena).ground, "lo-khoa");
}

static void
expires_by_itself(void **state)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    AN_CLEANUP(an_free_ptr) char *serial = issue("issue-for-expiry", an_time_now() - 300 * DAY, an_time_now() - DAY);
    struct an_err err = {0};
    int64_t count = 0;

    (void)state;
    expect(an_certify_expire(office.store, an_time_now(), &count, &err), AN_OK, &err);
    assert_int_equal(count, 1);
    assert_int_equal(find(serial, arena).status, AN_CERTIFICATE_EXPIRED);
    expect(an_certify_expire(office.store, an_time_now(), &count, &err), AN_OK, &err);
    assert_int_equal(count, 0);
}

/* ---- looking ---- */
struct searching { enum an_search by; const char *text; size_t count; };

static an_code
search_in(void *context, struct an_tx *tx, struct an_err *err)
{
    struct searching *s = context;

    s->count = 0;
    return an_register_search(tx, s->by, s->text, 1000, count_all, &s->count, err);
}

static void
found_without_accents(void **state)
{
    static const struct { enum an_search by; const char *text; bool found; } rows[] = {
        {AN_SEARCH_SUBJECT, "nguyen thi uong", true}, {AN_SEARCH_SUBJECT, "NGUYỄN THỊ", true}, {AN_SEARCH_SUBJECT, "nguyen van", false},
        {AN_SEARCH_AGENCY, "uy ban nhan dan tinh mau", true}, {AN_SEARCH_AGENCY, "Ủy ban", true}, {AN_SEARCH_AGENCY, "so mau", false},
        {AN_SEARCH_EMAIL, "uong@mau.gov.vn", true}, {AN_SEARCH_EMAIL, "UONG@", true}, {AN_SEARCH_EMAIL, "khong@", false},
        {AN_SEARCH_SUBSCRIBER, "TB-0001", true}, {AN_SEARCH_SUBSCRIBER, "TB-0002", false},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(rows); i++) {
        struct searching s = {rows[i].by, rows[i].text, 0};
        struct an_err err = {0};
        expect(an_store_read(office.store, search_in, &s, &err), AN_OK, &err);
        if ((s.count > 0) != rows[i].found)
            fail_msg("%s: %zu", rows[i].text, s.count);
    }
}

/* ---- several at once, and killed ---- */
struct racing { const char *key; struct an_certified made; an_code code; };

static void *
race(void *argument)
{
    struct racing *r = argument;
    struct an_certify what = request(r->key);
    struct an_err err = {0};

    r->code = an_certify_issue(office.certifier, &what, &r->made, &err);
    return NULL;
}

static void
one_certificate_for_sixteen_who_ask_at_once(void **state)
{
    struct racing racers[16] = {0};
    pthread_t threads[16];
    size_t first = 0;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(racers); i++) {
        racers[i].key = "race:1";
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < AN_COUNT(racers); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(racers[i].code, AN_OK);
        first += !racers[i].made.is_repeated;
        assert_true(an_bytes_eq(racers[i].made.cert->der, racers[0].made.cert->der));
    }
    for (size_t i = 0; i < AN_COUNT(racers); i++)
        an_certified_done(&racers[i].made);
    assert_int_equal(first, 1);
}

/* A process of its own issues without end and says each that is acknowledged; killed anywhere, each of these is there whole,
 * with its audit entry and first answer, and nothing is there in part. */
static void
issue_until_killed(int out)
{
    struct office own = office;
    struct an_err err = {0};

    own.store = NULL, own.certifier = NULL, own.profiles = NULL, own.root = NULL, own.issuing = NULL;
    office = own;
    if (office_open(&office, NULL, &err) != AN_OK)
        _exit(1);
    for (int i = 0;; i++) {
        struct an_certified made = {0};
        AN_CLEANUP(an_free_ptr) char *key = an_asprintf("kill:%d:%d", (int)getpid(), i);
        struct an_certify what = request(key);
        if (an_certify_issue(office.certifier, &what, &made, &err) != AN_OK || write(out, made.cert->serial.ptr, 20) != 20)
            _exit(2);
        an_certified_done(&made);
    }
}

static an_code
compare_counts(void *context, struct an_tx *tx, struct an_err *err)
{
    int64_t *counts = context;
    size_t certificates = 0;

    AN_TRY(an_register_list(tx, 0, 1000000, count_all, &certificates, err));
    counts[0] = (int64_t)certificates;
    return AN_OK;
}

static void
killed_anywhere(void **state)
{
    struct an_err err = {0};

    (void)state;
    if (database != NULL)
        skip();
    office_close(&office);
    for (int round = 0; round < 8; round++) {
        uint8_t serials[20 * 4096];
        size_t got = 0;
        ssize_t n;
        int pipe_ends[2], status;
        assert_int_equal(pipe(pipe_ends), 0);
        pid_t child = fork();
        if (child == 0)
            issue_until_killed(pipe_ends[1]);
        close(pipe_ends[1]);
        while (got < (size_t)(20 * (round + 2)) && (n = read(pipe_ends[0], serials + got, 20)) > 0)
            got += (size_t)n;
        usleep((useconds_t)(round * 137));
        kill(child, SIGKILL);
        while (got + 20 <= sizeof(serials) && (n = read(pipe_ends[0], serials + got, 20)) > 0)
            got += (size_t)n;
        close(pipe_ends[0]);
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status) && got >= 40);
        expect(office_open(&office, NULL, &err), AN_OK, &err);
        for (size_t at = 0; at + 20 <= got; at += 20) {
            AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
            AN_CLEANUP(an_free_ptr) char *serial = hex_of(AN_BYTES(serials + at, 20));
            assert_int_equal(find(serial, arena).status, AN_CERTIFICATE_GOOD);
        }
        int64_t counts[1] = {0};
        expect(an_store_read(office.store, compare_counts, counts, &err), AN_OK, &err);
        office_close(&office);
    }
    /* Counted by another program: a certificate, an answer and an entry each. */
    AN_CLEANUP(an_free_ptr) char *line = an_asprintf("test \"$(sqlite3 '%s/store.db' \"SELECT NOT EXISTS (SELECT 1 FROM certificate c WHERE request_key LIKE 'kill:%%' AND NOT EXISTS (SELECT 1 FROM ocsp_answer o "
        "WHERE o.certificate = c.id)) AND NOT EXISTS (SELECT 1 FROM ocsp_answer o WHERE NOT EXISTS (SELECT 1 FROM certificate c WHERE c.id = o.certificate)) AND "
        "(SELECT COUNT(*) FROM certificate) = (SELECT COUNT(*) FROM audit_event WHERE action IN ('certificate.issue', 'certificate.renew', 'certificate.change'))\")\" = 1", office.dir);
    if (system("command -v sqlite3 >/dev/null") == 0)
        assert_int_equal(system(line), 0);
    expect(office_open(&office, NULL, &err), AN_OK, &err);
}

static int
open_world(void **state)
{
    struct an_err err = {0};

    (void)state;
    snprintf(office.dir, sizeof(office.dir), "/tmp/antin-certify-XXXXXX");
    if (mkdtemp(office.dir) == NULL)
        return -1;
    for (size_t i = 0; i < AN_COUNT(keys); i++) {
        struct an_privkey *key = NULL;
        keys[i] = an_buf_new(4096);
        if (an_privkey_generate(AN_KEY_EC, 256, &key, &err) != AN_OK || an_privkey_spki(key, &keys[i], &err) != AN_OK)
            return -1;
        an_privkey_free(&key);
    }
    if (office_open(&office, database, &err) != AN_OK) {
        fprintf(stderr, "%s: %s\n", an_message_find(err.code)->symbol, err.detail);
        return -1;
    }
    return 0;
}

static int
close_world(void **state)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("rm -rf '%s'", office.dir);

    (void)state;
    office_close(&office);
    for (size_t i = 0; i < AN_COUNT(keys); i++)
        an_buf_free(&keys[i]);
    return system(command);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issued_once_for_one_request), cmocka_unit_test(refused_with_its_reason), cmocka_unit_test(renewed_by_the_rules),
        cmocka_unit_test(changed_with_its_end_kept), cmocka_unit_test(withdrawn_by_the_rules), cmocka_unit_test(expires_by_itself),
        cmocka_unit_test(found_without_accents), cmocka_unit_test(one_certificate_for_sixteen_who_ask_at_once), cmocka_unit_test(killed_anywhere),
    };

    database = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests_name("certify", tests, open_world, close_world);
}
