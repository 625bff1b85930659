/* Certificate status in the store: what may follow what, lists full, delta and partitioned, judged by openssl. */
#include "base/file.h"
#include "ca/crl_publish.h"
#include "ca/revocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define DAY ((an_time)86400)
#define MANY 9000 /* two blocks and some */

static char folder[64];
static struct an_store *store;
static an_time now;
static struct issuer { const char *name; enum an_key_kind kind; int bits; struct an_signer *key; struct an_cert *cert; } issuers[] = {
    {"rsa", AN_KEY_RSA, 2048, NULL, NULL}, {"ec", AN_KEY_EC, 256, NULL, NULL},
};

static void
expect(an_code got, an_code wanted, const struct an_err *err)
{
    if (got != wanted)
        fail_msg("%s (%s), wanted %s", an_message_find(got)->symbol, err->detail, an_message_find(wanted)->symbol);
}

static void
make_issuer(struct issuer *issuer, const struct an_profiles *profiles)
{
    AN_CLEANUP(an_buf_free) struct an_buf pem = an_buf_new(65536);
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s.key", folder, issuer->name);
    AN_CLEANUP(an_free_ptr) char *cert = an_asprintf("%s/%s.crt", folder, issuer->name);
    struct an_name_part subject[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", "Tổ chức Mẫu"}, {"2.5.4.3", "CA Mẫu"}};
    struct an_issue what = {.subject = subject, .subject_count = 3, .not_before = now - DAY, .not_after = now + 1000 * DAY};
    struct an_places places = {0};
    struct an_privkey *key = NULL;
    struct an_err err = {0};

    expect(an_privkey_generate(issuer->kind, issuer->bits, &key, &err), AN_OK, &err);
    expect(an_privkey_encode(key, NULL, &pem, &err), AN_OK, &err);
    an_privkey_free(&key);
    expect(an_file_write(path, an_buf_view(&pem), 0600, &err), AN_OK, &err);
    expect(an_signer_open(path, (struct an_pin_source){0}, &issuer->key, &err), AN_OK, &err);
    what.spki = an_signer_spki(issuer->key);
    expect(an_ca_issue_once(profiles, "goc", NULL, issuer->key, &places, &what, &issuer->cert, &err), AN_OK, &err);
    expect(an_file_write(cert, issuer->cert->der, 0644, &err), AN_OK, &err);
}

/* Serials are made of a number, so that they can be told again. */
static an_bytes
serial_of(int64_t number, uint8_t ret[static 20])
{
    memset(ret, 0x5a, 20);
    for (size_t i = 0; i < 8; i++)
        ret[12 + i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
    return AN_BYTES(ret, 20);
}

struct step { int64_t authority, partition, first, last; enum an_status_kind kind; enum an_crl_reason reason; };

static an_code
record(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct step *step = context;

    for (int64_t i = step->first; i <= step->last; i++) {
        uint8_t serial[20];
        struct an_status_change change = {.authority = step->authority, .partition = step->partition, .serial = serial_of(i, serial), .kind = step->kind,
                                          .reason = step->reason, .at = now - 100, .invalidity_date = AN_TIME_NONE};
        AN_TRY(an_revocation_record(tx, &change, reterr));
    }
    return AN_OK;
}

static an_code
change(struct step step, struct an_err *err)
{
    return an_store_write(store, record, &step, err);
}

/* What openssl reads in a list: its verdict, its text. */
static void
ask_openssl(const char *arguments, struct an_buf *ret)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("cd %s && openssl crl -inform DER %s 2>&1", folder, arguments);
    FILE *pipe = popen(command, "r");
    char line[512];

    an_buf_reset(ret);
    while (pipe != NULL && fgets(line, sizeof(line), pipe) != NULL)
        an_buf_str(ret, line);
    if (pipe != NULL)
        pclose(pipe);
    an_buf_byte(ret, 0);
}

static size_t
count_text(const struct an_buf *text, const char *what)
{
    size_t count = 0, at = 0;

    while ((at = an_bytes_find(an_buf_view(text), an_bytes_of_str(what), at)) != SIZE_MAX) {
        count++;
        at++;
    }
    return count;
}

static struct an_crl_made
publish(const struct issuer *issuer, int64_t authority, const char *name, bool is_delta, int64_t partition)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", folder, name);
    AN_CLEANUP(an_free_ptr) char *point = an_asprintf("http://ca.mau/crl/%s", name);
    AN_CLEANUP(an_free_ptr) char *verify = an_asprintf("-in %s -noout -CAfile %s.pem", name, issuer->name);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_BUF_UNLIMITED);
    struct an_crl_plan plan = {.authority = authority, .issuer = issuer->cert, .key = issuer->key, .path = path, .partition = partition, .is_delta = is_delta,
                               .point_url = partition ? point : NULL, .delta_url = "http://ca.mau/crl/ca-delta.crl", .this_update = now, .next_update = now + DAY};
    AN_CLEANUP(an_free_ptr) char *pem = an_asprintf("cd %s && openssl x509 -inform DER -in %s.crt -out %s.pem", folder, issuer->name, issuer->name);
    struct an_crl_made made = {0};
    struct an_err err = {0};

    expect(an_crl_publish(store, &plan, &made, &err), AN_OK, &err);
    assert_int_equal(system(pem), 0);
    ask_openssl(verify, &text);
    if (strstr((char *)text.ptr, "verify OK") == NULL)
        fail_msg("%s: %s", name, (char *)text.ptr);
    return made;
}

static size_t
entries_of(const char *name, const char *also, size_t *ret_also)
{
    AN_CLEANUP(an_free_ptr) char *arguments = an_asprintf("-in %s -noout -text", name);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_BUF_UNLIMITED);

    ask_openssl(arguments, &text);
    if (ret_also != NULL)
        *ret_also = count_text(&text, also);
    return count_text(&text, "Serial Number:");
}

/* ---- tests ---- */
static void
what_may_follow_what(void **state)
{
    static const struct { enum an_status_kind kind; enum an_crl_reason reason; an_code want; } table[] = {
        {AN_STATUS_RELEASE, AN_REASON_UNSPECIFIED, AN_E_CA_STATUS}, /* of what was never held */
        {AN_STATUS_HOLD, AN_REASON_UNSPECIFIED, AN_OK},
        {AN_STATUS_HOLD, AN_REASON_UNSPECIFIED, AN_E_CA_STATUS},
        {AN_STATUS_RELEASE, AN_REASON_UNSPECIFIED, AN_OK},
        {AN_STATUS_RELEASE, AN_REASON_UNSPECIFIED, AN_E_CA_STATUS},
        {AN_STATUS_HOLD, AN_REASON_UNSPECIFIED, AN_OK},
        {AN_STATUS_REVOKE, AN_REASON_HOLD, AN_E_CA_FIELD},
        {AN_STATUS_REVOKE, AN_REASON_KEY_COMPROMISE, AN_OK},
        {AN_STATUS_REVOKE, AN_REASON_SUPERSEDED, AN_E_CA_STATUS},
        {AN_STATUS_RELEASE, AN_REASON_UNSPECIFIED, AN_E_CA_STATUS}, /* what is revoked stays so */
        {AN_STATUS_HOLD, AN_REASON_UNSPECIFIED, AN_E_CA_STATUS},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_err err = {0};
        expect(change((struct step){.authority = 900, .first = 1, .last = 1, .kind = table[i].kind, .reason = table[i].reason}, &err), table[i].want, &err);
    }
}

static void
lists_tell_what_stands(void **state)
{
    for (size_t i = 0; i < AN_COUNT(issuers); i++) {
        int64_t authority = 1 + (int64_t)i;
        struct an_crl_made made, base;
        struct an_err err = {0};
        size_t found = 0;

        (void)state;
        made = publish(&issuers[i], authority, "empty.crl", false, 0);
        assert_int_equal(made.entries, 0);
        assert_int_equal(entries_of("empty.crl", "X509v3 CRL Number", &found), 0);
        assert_int_equal(found, 1);
        expect(change((struct step){.authority = authority, .first = 1, .last = MANY, .kind = AN_STATUS_REVOKE, .reason = AN_REASON_CESSATION}, &err), AN_OK, &err);
        expect(change((struct step){.authority = authority, .first = MANY + 1, .last = MANY + 20, .kind = AN_STATUS_HOLD}, &err), AN_OK, &err);
        base = publish(&issuers[i], authority, "full.crl", false, 0);
        assert_int_equal(base.entries, MANY + 20);
        assert_true(base.number > made.number);
        assert_int_equal(entries_of("full.crl", "Certificate Hold", &found), MANY + 20);
        assert_int_equal(found, 20);
        /* ten are released, five revoked for good, three are new: the delta says so and the next full list too */
        expect(change((struct step){.authority = authority, .first = MANY + 1, .last = MANY + 10, .kind = AN_STATUS_RELEASE}, &err), AN_OK, &err);
        expect(change((struct step){.authority = authority, .first = MANY + 11, .last = MANY + 15, .kind = AN_STATUS_REVOKE, .reason = AN_REASON_KEY_COMPROMISE}, &err), AN_OK, &err);
        expect(change((struct step){.authority = authority, .first = MANY + 21, .last = MANY + 23, .kind = AN_STATUS_REVOKE, .reason = AN_REASON_UNSPECIFIED}, &err), AN_OK, &err);
        made = publish(&issuers[i], authority, "delta.crl", true, 0);
        assert_int_equal(made.base_number, base.number);
        assert_int_equal(entries_of("delta.crl", "Remove From CRL", &found), 18);
        assert_int_equal(found, 10);
        assert_int_equal(entries_of("delta.crl", "X509v3 Delta CRL Indicator: critical", &found), 18);
        assert_int_equal(found, 1);
        made = publish(&issuers[i], authority, "full.crl", false, 0);
        assert_int_equal(made.entries, MANY + 13);
        assert_int_equal(entries_of("full.crl", "Certificate Hold", &found), MANY + 13);
        assert_int_equal(found, 5);
        made = publish(&issuers[i], authority, "delta.crl", true, 0);
        assert_int_equal(made.entries, 0);
    }
}

/* Held certificates that lie deep in a block are released: the block is made again. */
static void
blocks_are_mended(void **state)
{
    struct an_err err = {0};

    (void)state;
    expect(change((struct step){.authority = 20, .first = 1, .last = MANY, .kind = AN_STATUS_HOLD}, &err), AN_OK, &err);
    assert_int_equal(publish(&issuers[1], 20, "mend.crl", false, 0).entries, MANY);
    expect(change((struct step){.authority = 20, .first = 10, .last = 15, .kind = AN_STATUS_RELEASE}, &err), AN_OK, &err);
    expect(change((struct step){.authority = 20, .first = MANY - 3, .last = MANY, .kind = AN_STATUS_RELEASE}, &err), AN_OK, &err);
    assert_int_equal(publish(&issuers[1], 20, "mend.crl", false, 0).entries, MANY - 10);
    expect(change((struct step){.authority = 20, .first = 16, .last = MANY - 4, .kind = AN_STATUS_RELEASE}, &err), AN_OK, &err);
    assert_int_equal(publish(&issuers[1], 20, "mend.crl", false, 0).entries, 9);
}

static void
partitions_share_the_whole(void **state)
{
    int64_t sum = 0;
    size_t found = 0;
    struct an_err err = {0};

    (void)state;
    for (int64_t p = 1; p <= 4; p++)
        expect(change((struct step){.authority = 30, .partition = p, .first = p * 10000, .last = p * 10000 + 2000 * p, .kind = AN_STATUS_REVOKE, .reason = AN_REASON_SUPERSEDED}, &err), AN_OK, &err);
    for (int64_t p = 1; p <= 4; p++) {
        char name[32];
        snprintf(name, sizeof(name), "part-%d.crl", (int)p);
        int64_t entries = publish(&issuers[0], 30, name, false, p).entries;
        assert_int_equal(entries, 2000 * p + 1);
        assert_int_equal(entries_of(name, "X509v3 Issuing Distribution Point: critical", &found), entries);
        assert_int_equal(found, 1);
        sum += entries;
    }
    assert_int_equal(publish(&issuers[0], 30, "all.crl", false, 0).entries, sum);
}

static void
a_delta_needs_a_base(void **state)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/none.crl", folder);
    struct an_crl_plan plan = {.authority = 40, .issuer = issuers[0].cert, .key = issuers[0].key, .path = path, .is_delta = true, .this_update = now, .next_update = now + DAY};
    struct an_crl_made made;
    struct an_err err = {0};

    (void)state;
    expect(an_crl_publish(store, &plan, &made, &err), AN_E_CA_NO_BASE, &err);
    assert_int_not_equal(access(path, F_OK), 0); /* nothing lies about */
}

/* A list that was damaged, or is not what was meant, is not published. */
static void
damage_is_found(void **state)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/damage.crl", folder);
    AN_CLEANUP(an_buf_free) struct an_buf whole = an_buf_new(10000000);
    struct an_crl_made made;
    struct an_err err = {0};

    (void)state;
    expect(change((struct step){.authority = 50, .first = 1, .last = 50, .kind = AN_STATUS_REVOKE, .reason = AN_REASON_SUPERSEDED}, &err), AN_OK, &err);
    made = publish(&issuers[0], 50, "damage.crl", false, 0);
    expect(an_crl_check_file(path, issuers[0].cert, made.number, 50, &err), AN_OK, &err);
    expect(an_crl_check_file(path, issuers[0].cert, made.number, 51, &err), AN_E_CA_CHECK, &err);
    expect(an_crl_check_file(path, issuers[1].cert, made.number, 50, &err), AN_E_CA_CHECK, &err);
    expect(an_file_read(path, 10000000, &whole, &err), AN_OK, &err);
    for (size_t at = 0; at < whole.len; at += 7) {
        whole.ptr[at] ^= 0x40;
        expect(an_file_write(path, an_buf_view(&whole), 0644, &err), AN_OK, &err);
        if (an_crl_check_file(path, issuers[0].cert, made.number, 50, &err) == AN_OK)
            fail_msg("octet %zu of %zu", at, whole.len);
        whole.ptr[at] ^= 0x40;
    }
}

static void
announcements_are_seen(void **state)
{
    struct an_status_watch *watch = NULL;
    AN_CLEANUP(an_free_ptr) char *run = an_asprintf("%s/run", folder);
    struct an_err err = {0};
    uint64_t before;

    (void)state;
    mkdir(run, 0700);
    expect(an_status_watch_open(folder, &watch, &err), AN_OK, &err);
    before = an_status_watch_count(watch);
    an_status_announce(folder);
    an_status_announce(folder);
    assert_int_equal(an_status_watch_count(watch), before + 2);
    an_status_announce("/nowhere"); /* no harm */
    an_status_watch_close(&watch);
}

/* A monitor's word about the clock: its offset and when it was said. */
static void
clocks_are_judged(void **state)
{
    static const struct { const char *offset; int age; an_code want; } table[] = {
        {"0", 0, AN_OK}, {"500", 10, AN_OK}, {"-500", 59, AN_OK}, {"501", 0, AN_E_TSA_CLOCK}, {"-100000", 0, AN_E_TSA_CLOCK},
        {"0", 100, AN_E_TSA_CLOCK}, {"0", -100, AN_E_TSA_CLOCK}, {"nothing", 0, AN_E_TSA_CLOCK}, {NULL, 0, AN_E_TSA_CLOCK},
    };
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/clock", folder);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_clock *clock = an_clock_new(&(struct an_clock_rules){.check = AN_CLOCK_FILE, .file = path, .offset_ms_max = 500, .file_seconds_max = 60});
        AN_CLEANUP(an_free_ptr) char *text = an_asprintf("%s %lld\n", table[i].offset ? table[i].offset : "", (long long)(an_time_now() - table[i].age));
        struct an_tsa tsa = {.key = issuers[0].key, .cert = issuers[0].cert, .policy_oid = "1.2.3"};
        AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(65536);
        struct an_err err = {0};
        an_time when = 0;
        int ms = -1;
        unlink(path);
        if (table[i].offset != NULL)
            expect(an_file_write(path, an_bytes_of_str(text), 0600, &err), AN_OK, &err);
        if (an_clock_read(clock, &when, &ms, &err) != table[i].want)
            fail_msg("row %zu: %s", i, err.detail);
        if (table[i].want == AN_OK)
            assert_true(when >= now && ms >= 0 && ms < 1000);
        assert_int_equal(an_tsa_answer_by(&tsa, clock, AN_LIT("x"), &answer, &err), AN_E_TSA_SETUP); /* an authority's key stamps nothing */
        an_clock_free(&clock);
    }
}

/* Clocks of ours: the wall's and the one that only runs, and whether the kernel vouches for them. */
struct seam { int64_t wall_ms, monotonic_ms; bool is_disciplined; };

static int64_t
read_seam(void *context, bool is_wall)
{
    const struct seam *seam = context;

    return is_wall ? seam->wall_ms : seam->monotonic_ms;
}

static bool
ask_seam(void *context)
{
    const struct seam *seam = context;

    return seam->is_disciplined;
}

static void
steps_are_noticed(void **state)
{
    /* one after the other; restart: a new process on the same machine */
    static const struct { const char *what; int64_t runs_ms, set_ms; bool is_disciplined, restart; an_code want; const char *says; } table[] = {
        {"first", 0, 0, false, false, AN_OK, ""},
        {"runs on", 60000, 0, false, false, AN_OK, ""},
        {"slewed a little", 60000, 400, false, false, AN_OK, ""},
        {"slewed beyond, in small parts", 60000, 200, false, false, AN_E_TSA_CLOCK, "set by 600 ms"},
        {"back where it was", 60000, -600, false, false, AN_OK, ""},
        {"set forward", 60000, 3600000, false, false, AN_E_TSA_CLOCK, "set by"},
        {"a minute heals nothing", 120000, 0, false, false, AN_E_TSA_CLOCK, "set by"},
        {"the kernel vouches for it", 1000, 0, true, false, AN_OK, ""},
        {"and it stays so", 1000, 0, false, false, AN_OK, ""},
        {"set back", 1000, -7200000, false, false, AN_E_TSA_CLOCK, "set by"},
        {"set back, and started anew", 1000, 0, false, true, AN_E_TSA_CLOCK, "before the last time-stamp"},
        {"the kernel does not undo what was stamped", 1000, 0, true, false, AN_E_TSA_CLOCK, "before the last time-stamp"},
        {"right again, by itself", 1000, 7200000, false, false, AN_OK, ""},
        {"set from where it is trusted now", 1000, 1000, false, false, AN_E_TSA_CLOCK, "set by"},
        {"and back", 1000, -1000, false, false, AN_OK, ""},
        {"and started anew", 1000, 0, false, true, AN_OK, ""},
    };
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/clock-last", folder);
    struct seam seam = {.wall_ms = (int64_t)now * 1000, .monotonic_ms = 5000};
    const struct an_clock_rules rules = {.check = AN_CLOCK_STEPS, .offset_ms_max = 500, .last_file = path, .read_ms = read_seam, .context = &seam, .is_disciplined = ask_seam};
    struct an_clock *clock = an_clock_new(&rules);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_err err = {0};
        an_time when = 0;
        int ms = 0;
        if (table[i].restart) {
            an_clock_free(&clock);
            clock = an_clock_new(&rules);
        }
        seam.monotonic_ms += table[i].runs_ms;
        seam.wall_ms += table[i].runs_ms + table[i].set_ms;
        seam.is_disciplined = table[i].is_disciplined;
        if (an_clock_read(clock, &when, &ms, &err) != table[i].want || strstr(err.detail, table[i].says) == NULL)
            fail_msg("%s: %s", table[i].what, err.detail);
        if (table[i].want == AN_OK)
            assert_true(when == seam.wall_ms / 1000 && ms == seam.wall_ms % 1000);
    }
    an_clock_free(&clock);
    assert_false(an_clock_is_proven(AN_CLOCK_STEPS) || an_clock_is_proven(AN_CLOCK_NONE));
    assert_true(an_clock_is_proven(AN_CLOCK_KERNEL) && an_clock_is_proven(AN_CLOCK_FILE));
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_follow_what),      cmocka_unit_test(lists_tell_what_stands), cmocka_unit_test(blocks_are_mended),
        cmocka_unit_test(partitions_share_the_whole), cmocka_unit_test(a_delta_needs_a_base),   cmocka_unit_test(damage_is_found),
        cmocka_unit_test(announcements_are_seen),    cmocka_unit_test(clocks_are_judged),
        cmocka_unit_test(steps_are_noticed),
    };
    struct an_profiles *profiles = NULL;
    struct an_err err = {0};
    char url[128];
    int failed;

    now = an_time_now();
    snprintf(folder, sizeof(folder), "/tmp/antin-status-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(url, sizeof(url), "sqlite:%s/store.db", folder);
    if (an_profiles_open(NULL, &profiles, &err) != AN_OK || an_store_open(argc > 1 ? argv[1] : url, AN_STORE_CREATE, 0, &store, &err) != AN_OK) {
        print_error("%s %s\n", an_message_find(err.code)->symbol, err.detail);
        return 1;
    }
    for (size_t i = 0; i < AN_COUNT(issuers); i++)
        make_issuer(&issuers[i], profiles);
    failed = cmocka_run_group_tests_name("status", tests, NULL, NULL);
    for (size_t i = 0; i < AN_COUNT(issuers); i++) {
        an_signer_close(&issuers[i].key);
        an_cert_unref(&issuers[i].cert);
    }
    an_store_close(&store);
    an_profiles_free(&profiles);
    snprintf(url, sizeof(url), "rm -rf '%s'", folder);
    return system(url) == 0 ? failed : 1;
}
