/*
 * audit/: what is appended is found whole; every change is found, and where. Argument: the URL of an empty PostgreSQL database;
 * none: SQLite in a temporary folder. "--make OUT KEY CERT": writes an export for outside.py.
 */
#include "audit/audit.h"
#include "base/file.h"
#include "store/internal.h"
#include "token/token.h"
#include "x509/cert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#define EVENTS 700
static char url[300], folder[] = "/tmp/antin-audit-XXXXXX";
static struct an_store *store;

static void
expect(an_code code, const struct an_err *err)
{
    if (code != AN_OK)
        fail_msg("%s: %s", an_message_find(code)->symbol, err->detail);
}

static an_code
append_number(void *context, struct an_tx *tx, struct an_err *reterr)
{
    char object[40];
    int number = *(int *)context;
    const struct an_audit_event event = {.at = 1764642605 + number, .action = number % 3 ? "certificate.issue" : "certificate.revoke", .actor = "mau-01",
                                         .role = number % 2 ? "so-khcn" : "", .object = object, .outcome = "done", .citation = "nd-68-2024/17",
                                         .detail = number % 5 ? "" : "{\"lý do\":\"mẫu\"}"};

    snprintf(object, sizeof(object), "certificate:%d", number);
    AN_TRY(an_audit_append(tx, &event, reterr));
    return number % 7 == 6 ? AN_E_LIMIT : AN_OK; /* undone, and leaves no trace */
}

struct client { pthread_t thread; int from, to; };

static void *
append_some(void *context)
{
    struct client *client = context;

    for (int i = client->from; i < client->to; i++)
        (void)!an_store_write(store, append_number, &i, NULL);
    return NULL;
}

/* Several threads, so that events share commits. */
static void
append_events(int from, int to)
{
    struct client clients[8];

    for (int i = 0; i < 8; i++) {
        clients[i] = (struct client){.from = from + (to - from) * i / 8, .to = from + (to - from) * (i + 1) / 8};
        assert_int_equal(pthread_create(&clients[i].thread, NULL, append_some, &clients[i]), 0);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(clients[i].thread, NULL);
}

static void
open_store(void)
{
    struct an_err err = {0};

    expect(an_store_open(url, AN_STORE_CREATE, 3, &store, &err), &err);
    an_audit_attach(store);
}

static struct an_audit_report
verify(void)
{
    struct an_audit_report report = {0};
    struct an_err err = {0};

    expect(an_audit_verify(store, NULL, &report, &err), &err);
    return report;
}

static void
expect_clean(int64_t size)
{
    struct an_audit_report report = verify();

    if (report.finding_count)
        fail_msg("finding %d at %lld", (int)report.findings[0].fault, (long long)report.findings[0].first);
    if (size >= 0)
        assert_int_equal(report.size, size);
    an_audit_report_done(&report);
}

static void
run_script(const char *text)
{
    struct conn *conn = NULL;
    struct an_err err = {0};

    expect(store->engine->open(url, 0, &conn, &err), &err);
    expect(store->engine->script(conn, text, &err), &err);
    store->engine->close(&conn);
}

/* ---- appending and reading ---- */
static void
events_are_whole(void **state)
{
    (void)state;
    append_events(0, EVENTS);
    expect_clean(EVENTS - EVENTS / 7);
}

static void
bad_events_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        extern an_code append_bad(void *context, struct an_tx *tx, struct an_err *reterr);

        assert_int_equal(an_store_write(store, append_bad, &i, NULL), AN_E_AUDIT_EVENT);
    }
    expect_clean(-1);
}

an_code append_bad(void *context, struct an_tx *tx, struct an_err *reterr);
an_code
append_bad(void *context, struct an_tx *tx, struct an_err *reterr)
{
    static const struct an_audit_event rows[] = {
        {.action = "", .actor = "mau"}, {.action = "x", .actor = "\xff"}, {.action = "x", .actor = "a\nb"}, {.action = "x", .object = "a\033[2J"},
        {.action = "x", .role = "\xE2\x80\xAE"}, {.action = "x", .citation = "\xC2\x9B" "5n"}, {.action = "x\r", .actor = "mau"},
    };
    const struct an_audit_event event = rows[*(int *)context];

    return an_audit_append(tx, &event, reterr);
}

struct seen { int count, views; int64_t last; };

static an_code
count_entry(void *context, const struct an_audit_entry *entry, struct an_err *reterr)
{
    struct seen *seen = context;

    (void)reterr;
    assert_true(entry->seq > seen->last);
    seen->last = entry->seq;
    seen->count++;
    seen->views += strcmp(entry->event.action, "audit.view") == 0;
    return AN_OK;
}

static void
looking_is_logged(void **state)
{
    static const struct { struct an_audit_search search; int count, views; } cases[] = {
        {{.action = "certificate."}, 600, 0},
        {{.action = "certificate.revoke"}, 200, 0},
        {{.object = "certificate:14"}, 2, 1}, /* the event, and that somebody looks for it now */
        {{.limit = 10, .after = 590}, 10, 0},
        {{.actor = "người xem"}, 5, 5},
        {{.from = 1764642605, .to = 1764642615}, 9, 0},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        struct seen seen = {0};
        struct an_err err = {0};

        expect(an_audit_list(store, &cases[i].search, "người xem", count_entry, &seen, &err), &err);
        if (seen.count != cases[i].count || seen.views != cases[i].views)
            fail_msg("case %zu: %d events, %d views", i, seen.count, seen.views);
    }
    expect_clean(-1);
}

/* ---- proofs, by the rules of RFC 9162 2.1 written out here ---- */
static void
hash2(const uint8_t *a, const uint8_t *b, uint8_t ret[32])
{
    uint8_t bytes[65] = {1}, digest[AN_DIGEST_MAX];

    memcpy(bytes + 1, a, 32);
    memcpy(bytes + 33, b, 32);
    an_hash_once(AN_SHA256, AN_BYTES(bytes, 65), digest);
    memcpy(ret, digest, 32);
}

/* 2.1.3.2 */
static bool
inclusion_holds(uint64_t index, uint64_t size, const uint8_t leaf[32], an_bytes path, const uint8_t root[32])
{
    uint64_t fn = index, sn = size - 1;
    uint8_t r[32];

    memcpy(r, leaf, 32);
    for (size_t i = 0; i < path.len; i += 32) {
        if (sn == 0)
            return false;
        if (fn % 2 == 1 || fn == sn) {
            hash2(path.ptr + i, r, r);
            while (fn % 2 == 0 && fn != 0)
                fn >>= 1, sn >>= 1;
        } else {
            hash2(r, path.ptr + i, r);
        }
        fn >>= 1, sn >>= 1;
    }
    return sn == 0 && memcmp(r, root, 32) == 0;
}

/* 2.1.4.2 */
static bool
consistency_holds(uint64_t first, uint64_t second, const uint8_t first_root[32], const uint8_t second_root[32], an_bytes path)
{
    uint64_t fn = first - 1, sn = second - 1;
    uint8_t fr[32], sr[32];
    bool power = (first & (first - 1)) == 0;
    size_t at = 0;

    if (first == second)
        return path.len == 0 && memcmp(first_root, second_root, 32) == 0;
    if (!power && path.len < 32)
        return false;
    memcpy(fr, power ? first_root : path.ptr, 32);
    memcpy(sr, fr, 32);
    at = power ? 0 : 32;
    while (fn % 2 == 1)
        fn >>= 1, sn >>= 1;
    for (; at < path.len; at += 32) {
        const uint8_t *c = path.ptr + at;

        if (sn == 0)
            return false;
        if (fn % 2 == 1 || fn == sn) {
            hash2(c, fr, fr);
            hash2(c, sr, sr);
            while (fn % 2 == 0 && fn != 0)
                fn >>= 1, sn >>= 1;
        } else {
            hash2(sr, c, sr);
        }
        fn >>= 1, sn >>= 1;
    }
    return sn == 0 && memcmp(fr, first_root, 32) == 0 && memcmp(sr, second_root, 32) == 0;
}

struct leaves { uint8_t hashes[2048][32]; size_t count; };

static void
put_be(struct an_buf *out, uint64_t number, int bytes)
{
    while (bytes-- > 0)
        an_buf_byte(out, (uint8_t)(number >> (8 * bytes)));
}

static an_code
take_leaf(void *context, const struct an_audit_entry *entry, struct an_err *reterr)
{
    const struct an_audit_event *e = &entry->event;
    const char *const texts[] = {e->action, e->actor, e->role, e->object, e->outcome, e->citation, e->detail};
    AN_CLEANUP(an_buf_free) struct an_buf bytes = an_buf_new(AN_BUF_UNLIMITED);
    struct leaves *leaves = context;
    uint8_t digest[AN_DIGEST_MAX];

    (void)reterr;
    an_buf_append(&bytes, AN_LIT("\0\1"));
    put_be(&bytes, (uint64_t)e->at, 8);
    for (size_t i = 0; i < AN_COUNT(texts); i++) {
        put_be(&bytes, strlen(texts[i]), 4);
        an_buf_str(&bytes, texts[i]);
    }
    an_hash_once(AN_SHA256, an_buf_view(&bytes), digest);
    memcpy(leaves->hashes[leaves->count++], digest, 32);
    return AN_OK;
}

/* 2.1.1, the definition itself */
static void
tree_hash(const struct leaves *leaves, size_t begin, size_t end, uint8_t ret[32])
{
    uint8_t left[32], right[32];
    size_t k = 1;

    if (end - begin == 1) {
        memcpy(ret, leaves->hashes[begin], 32);
        return;
    }
    while (k * 2 < end - begin)
        k *= 2;
    tree_hash(leaves, begin, begin + k, left);
    tree_hash(leaves, begin + k, end, right);
    hash2(left, right, ret);
}

static void
proofs_hold(void **state)
{
    static const int64_t sizes[] = {1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, 600};
    struct leaves *leaves = an_new_array(1, sizeof(*leaves));
    AN_CLEANUP(an_buf_free) struct an_buf path = an_buf_new(4096);
    struct an_err err = {0};

    (void)state;
    expect(an_audit_list(store, &(struct an_audit_search){0}, "kiểm tra", take_leaf, leaves, &err), &err);
    for (size_t i = 0; i < AN_COUNT(sizes); i++) {
        uint8_t root[32], stored[32], before[32];

        tree_hash(leaves, 0, (size_t)sizes[i], root);
        expect(an_audit_root(store, sizes[i], stored, &err), &err);
        assert_memory_equal(root, stored, 32);
        for (int64_t seq = 1; seq <= sizes[i]; seq += 1 + sizes[i] / 23) {
            expect(an_audit_inclusion(store, seq, sizes[i], &path, &err), &err);
            assert_true(inclusion_holds((uint64_t)seq - 1, (uint64_t)sizes[i], leaves->hashes[seq - 1], an_buf_view(&path), root));
            assert_false(inclusion_holds((uint64_t)seq - 1, (uint64_t)sizes[i], leaves->hashes[seq], an_buf_view(&path), root));
        }
        for (size_t j = 0; j <= i; j++) {
            tree_hash(leaves, 0, (size_t)sizes[j], before);
            expect(an_audit_consistency(store, sizes[j], sizes[i], &path, &err), &err);
            assert_true(consistency_holds((uint64_t)sizes[j], (uint64_t)sizes[i], before, root, an_buf_view(&path)));
            before[5] ^= 1;
            assert_false(consistency_holds((uint64_t)sizes[j], (uint64_t)sizes[i], before, root, an_buf_view(&path)));
        }
    }
    assert_int_equal(an_audit_root(store, 100000, (uint8_t[32]){0}, NULL), AN_E_AUDIT_RANGE);
    assert_int_equal(an_audit_inclusion(store, 0, 10, &path, NULL), AN_E_AUDIT_RANGE);
    free(leaves);
}

/* ---- checkpoints ---- */
static struct an_signer *signer;
static struct an_cert *cert;

static void
open_signer(const char *key, const char *cert_path)
{
    struct an_file file = AN_FILE_NONE;
    struct an_certs certs = {0};
    struct an_err err = {0};

    expect(an_signer_open(key, (struct an_pin_source){0}, &signer, &err), &err);
    expect(an_file_open(cert_path, 1 << 16, &file, &err), &err);
    expect(an_certs_read(&certs, file.bytes, &err), &err);
    cert = an_cert_ref(certs.items[0]);
    an_certs_done(&certs);
    an_file_close(&file);
}

static int64_t
make_checkpoint(void)
{
    const struct an_audit_signing signing = {.instance = "mau", .signer = signer, .cert = cert};
    struct an_err err = {0};
    int64_t size = 0;

    expect(an_audit_checkpoint(store, &signing, &size, &err), &err);
    return size;
}

static void
heads_are_signed(void **state)
{
    struct an_audit_report report;
    int64_t size;

    (void)state;
    size = make_checkpoint();
    assert_true(size > 0);
    assert_int_equal(make_checkpoint(), 0); /* nothing new */
    append_events(EVENTS, EVENTS + 100);
    assert_true(make_checkpoint() > size);
    report = verify();
    assert_int_equal(report.checkpoints, 2);
    assert_int_equal(report.signed_size, report.size);
    assert_int_equal(report.finding_count, 0);
    an_audit_report_done(&report);
}

/* ---- changes ---- */
#define ROW "seq, at_utc, action, actor, role, object, outcome, citation, detail, chain"
static const struct {
    const char *name, *change;
    enum an_audit_fault fault;
    int64_t first, last; /* of the first finding; 0 = not looked at */
} changes[] = {
    {"a text", "UPDATE audit_event SET actor = 'mau-02' WHERE seq = 100", AN_AUDIT_CHANGED, 100, 100},
    {"the moment", "UPDATE audit_event SET at_utc = at_utc + 1 WHERE seq = 1", AN_AUDIT_CHANGED, 1, 1},
    {"a border between texts", "UPDATE audit_event SET role = 's', object = 'o-khcn' || object WHERE seq = 55", AN_AUDIT_CHANGED, 55, 55},
    {"a hash", "UPDATE audit_event SET chain = (SELECT chain FROM audit_event WHERE seq = 9) WHERE seq = 300", AN_AUDIT_CHANGED, 300, 300},
    {"a row gone", "DELETE FROM audit_event WHERE seq = 200", AN_AUDIT_MISSING, 200, 200},
    {"rows gone", "DELETE FROM audit_event WHERE seq BETWEEN 201 AND 209", AN_AUDIT_MISSING, 201, 209},
    {"the first gone", "DELETE FROM audit_event WHERE seq = 1", AN_AUDIT_MISSING, 1, 1},
    {"rows changed places", "UPDATE audit_event SET seq = -1 WHERE seq = 40; UPDATE audit_event SET seq = 40 WHERE seq = 41; UPDATE audit_event SET seq = 41 WHERE seq = -1",
     AN_AUDIT_CHANGED, 40, 40},
    {"the end cut off", "DELETE FROM audit_event WHERE seq > 650", AN_AUDIT_MISSING, 651, 0},
    {"a row put on", "INSERT INTO audit_event (" ROW ") SELECT 5000, at_utc, action, actor, role, object, outcome, citation, detail, chain FROM audit_event WHERE seq = 7",
     AN_AUDIT_HEAD, 0, 5000},
    {"a subtree", "UPDATE audit_node SET hash = (SELECT chain FROM audit_event WHERE seq = 1) WHERE level = 8 AND place = 1", AN_AUDIT_NODE, 257, 512},
    {"a subtree gone", "DELETE FROM audit_node WHERE level = 8 AND place = 0", AN_AUDIT_NODE, 1, 256},
    {"the head's hashes", "UPDATE audit_head SET frontier = substr(frontier, 2)", AN_AUDIT_HEAD, 0, 0},
    {"the head's chain", "UPDATE audit_head SET chain = (SELECT chain FROM audit_event WHERE seq = 9)", AN_AUDIT_HEAD, 0, 0},
    {"the head's size", "UPDATE audit_head SET size = 512", AN_AUDIT_HEAD, 0, 0},
    {"a checkpoint's words", "UPDATE audit_checkpoint SET statement = substr(statement, 1, 60)", AN_AUDIT_SIGNATURE, 0, 0},
    {"checkpoints exchanged", "UPDATE audit_checkpoint SET signature = (SELECT signature FROM audit_checkpoint ORDER BY size LIMIT 1)", AN_AUDIT_SIGNATURE, 0, 0},
};

static void
changes_are_found(void **state)
{
    bool lite = an_store_engine(store) == AN_STORE_SQLITE;

    (void)state;
    run_script(lite ? "DROP TRIGGER audit_event_kept; DROP TRIGGER audit_event_stays; DROP TRIGGER audit_node_kept; DROP TRIGGER audit_node_stays;"
                      "DROP TRIGGER audit_checkpoint_kept; DROP TRIGGER audit_checkpoint_stays"
                    : "DROP TRIGGER audit_event_kept ON audit_event; DROP TRIGGER audit_node_kept ON audit_node; DROP TRIGGER audit_checkpoint_kept ON audit_checkpoint");
    run_script("CREATE TABLE kept_event AS SELECT * FROM audit_event; CREATE TABLE kept_head AS SELECT * FROM audit_head;"
               "CREATE TABLE kept_node AS SELECT * FROM audit_node; CREATE TABLE kept_checkpoint AS SELECT * FROM audit_checkpoint");
    for (size_t i = 0; i < AN_COUNT(changes); i++) {
        struct an_audit_report report;
        const struct an_audit_finding *f;

        run_script(changes[i].change);
        report = verify();
        f = report.findings;
        if (report.finding_count == 0)
            fail_msg("%s: not found", changes[i].name);
        if (f->fault != changes[i].fault || (changes[i].first && f->first != changes[i].first) || (changes[i].last && f->last != changes[i].last))
            fail_msg("%s: found as %d at %lld–%lld", changes[i].name, (int)f->fault, (long long)f->first, (long long)f->last);
        an_audit_report_done(&report);
        run_script("DELETE FROM audit_event; DELETE FROM audit_node; DELETE FROM audit_head; DELETE FROM audit_checkpoint;"
                   "INSERT INTO audit_event SELECT * FROM kept_event; INSERT INTO audit_node SELECT * FROM kept_node;"
                   "INSERT INTO audit_head SELECT * FROM kept_head; INSERT INTO audit_checkpoint SELECT * FROM kept_checkpoint");
        expect_clean(-1);
    }
}

static void
rows_stay(void **state)
{
    static const char *const scripts[] = {"UPDATE audit_event SET actor = 'x' WHERE seq = 1", "DELETE FROM audit_event WHERE seq = 1"};
    struct conn *conn = NULL;
    struct an_err err = {0};

    (void)state;
    expect(store->engine->open(url, 0, &conn, &err), &err);
    for (size_t i = 0; i < AN_COUNT(scripts); i++)
        assert_int_equal(store->engine->script(conn, scripts[i], &err), AN_E_STORE_RULE);
    store->engine->close(&conn);
}

/* ---- the frame ---- */
static int
make_material(void **state)
{
    AN_CLEANUP(an_free_ptr) char *key = an_asprintf("%s/key.pem", folder), *cert_path = an_asprintf("%s/cert.pem", folder);
    AN_CLEANUP(an_free_ptr) char *line = an_asprintf("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s -out %s -days 30 "
                                                     "-subj '/C=VN/CN=Nhat ky mau' >/dev/null 2>&1 && chmod 600 %s", key, cert_path, key);

    (void)state;
    if (system(line) != 0)
        return -1;
    open_store();
    open_signer(key, cert_path);
    return 0;
}

static int
drop_material(void **state)
{
    AN_CLEANUP(an_free_ptr) char *line = an_asprintf("rm -rf '%s'", folder);

    (void)state;
    an_signer_close(&signer);
    an_cert_unref(&cert);
    an_store_close(&store);
    return system(line);
}

static int
make_export(const char *out, const char *key, const char *cert_path)
{
    struct an_err err = {0};

    open_store();
    open_signer(key, cert_path);
    append_events(0, 400);
    make_checkpoint();
    append_events(400, 500);
    make_checkpoint();
    append_events(500, 520);
    expect(an_audit_export(store, "mau", "người xuất", out, &err), &err);
    return drop_material(NULL);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_whole), cmocka_unit_test(bad_events_are_refused), cmocka_unit_test(looking_is_logged),
        cmocka_unit_test(proofs_hold), cmocka_unit_test(heads_are_signed), cmocka_unit_test(rows_stay), cmocka_unit_test(changes_are_found),
    };

    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(url, sizeof(url), argc == 2 ? "%s" : "sqlite:%s/store.db", argc == 2 ? argv[1] : folder);
    if (argc == 5)
        return make_export(argv[2], argv[3], argv[4]);
    return cmocka_run_group_tests(tests, make_material, drop_material);
}
