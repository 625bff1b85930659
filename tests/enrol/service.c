/*
 * Enrolment on an instance, by real clients: approvals, the rules of renewal and revocation, the log, the trust list, the search.
 * Argument: the URL of an empty PostgreSQL database; none: SQLite.
 */
#include "../ca/office.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "host.h"
#include "keys/keys.h"
#include "service/certification/enrol.h"
#include "service/instance/init.h"
#include "service/certification/policy_page.h"
#include "service/certification/search.h"
#include "service/certification/trust_list.h"

static struct office office;
static const char *database;
static struct an_instance instance;
static struct an_enrol_service *service;
static struct an_signer *signer;
static struct an_keys *keys;
static unsigned port;
static const struct an_actor officer = {"cb-01", "can-bo-cap-chung-thu"};

static void
expect(an_code got, an_code wanted, const struct an_err *err)
{
    if (got != wanted)
        fail_msg("%s (%s), wanted %s", an_message_find(got)->symbol, err->detail, an_message_find(wanted)->symbol);
}

/* ---- approvals ---- */
struct allow_job { struct an_enrol_allowance what; struct an_approval approval; const char *reference; int act; };

static an_code
allow_in(void *context, struct an_tx *tx, struct an_err *err)
{
    struct allow_job *job = context;

    if (job->act == 1)
        return an_enrol_open(tx, an_certifier_rules(office.certifier), job->reference, &officer, err);
    if (job->act == 2)
        return an_enrol_withdraw(tx, an_certifier_rules(office.certifier), job->reference, &officer, err);
    return an_enrol_allow(tx, office.profiles, an_certifier_rules(office.certifier), &job->what, &job->approval, err);
}

/* "-ref REFERENCE -secret file:NAME.secret"; the caller frees. */
static char *
allow(const char *item, const char *name, bool is_waiting, char reference[static 65])
{
    AN_CLEANUP(an_free_ptr) char *subject = an_asprintf("C=VN, O=Cơ quan mẫu, CN=%s", name);
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s.secret", test_folder, name);
    struct allow_job job = {.what = {.item = item, .subject = subject, .is_waiting = is_waiting, .actor = officer}};
    struct an_secret *secret = NULL;
    struct an_err err = {0};

    expect(an_store_write(office.store, allow_in, &job, &err), AN_OK, &err);
    expect(an_enrol_secret(&instance, &job.approval, &secret, &err), AN_OK, &err);
    expect(an_file_write(path, an_secret_bytes(secret), 0600, &err), AN_OK, &err);
    an_secret_free(&secret);
    snprintf(reference, 65, "%s", job.approval.reference);
    return an_asprintf("-ref %s -secret file:%s.secret", job.approval.reference, name);
}

static void
make_key(const char *name)
{
    assert_true(test_run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out %s.key", name));
}

#define CMP "openssl cmp -config '' -batch -server 127.0.0.1:%u -path /cmp -recipient '/C=VN/CN=x' -total_timeout 60 "
#define BY_KEY CMP "-trusted goc.pem -untrusted ca.pem "

/* Approved, fetched: NAME.key and NAME.pem. */
static void
enrol(const char *item, const char *name)
{
    char reference[65];
    AN_CLEANUP(an_free_ptr) char *who = allow(item, name, false, reference);

    make_key(name);
    if (!test_run(CMP "-cmd ir %s -newkey %s.key -certout %s.pem", port, who, name, name)) {
        (void)test_output_has("a certificate");
        fail();
    }
    assert_true(test_run("openssl verify -CAfile goc.pem -untrusted ca.pem %s.pem", name));
}

struct row { const char *name; char status[40], action[300]; int64_t count; };

static an_code
find_in(void *context, struct an_tx *tx, struct an_err *err)
{
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    struct an_arena *arena = an_arena_new(256 * 1024);
    struct row *row = context;
    struct an_certificate certificate = {0};
    char file[100];
    an_code code;

    snprintf(file, sizeof(file), "%s.pem", row->name);
    cert = test_cert(file);
    code = an_register_find(tx, cert->serial, arena, &certificate, err);
    if (code == AN_OK)
        snprintf(row->status, sizeof(row->status), "%s %s", an_certificate_status_name(certificate.status), certificate.ground);
    an_arena_free(&arena);
    return code;
}

static const char *
status_of(const char *name)
{
    static struct row row;
    struct an_err err = {0};

    row = (struct row){.name = name};
    expect(an_store_read(office.store, find_in, &row, &err), AN_OK, &err);
    return row.status;
}

/* ---- tests ---- */
static void
fetched_once(void **state)
{
    char reference[65], same[65];
    AN_CLEANUP(an_free_ptr) char *who = allow("request:1/item:1", "mot", false, reference), *again = allow("request:1/item:1", "mot", false, same);

    (void)state;
    assert_string_equal(who, again);
    make_key("mot");
    make_key("khac");
    assert_false(test_run(CMP "-cmd ir %s -newkey mot.key -subject '/C=VN/CN=nguoi khac' -certout mot.pem", port, who));
    assert_true(test_output_has("badCertTemplate"));
    assert_true(test_run(CMP "-cmd ir %s -newkey mot.key -subject '/C=VN/O=Cơ quan mẫu/CN=mot' -certout mot.pem -cacertsout goc-moi.pem -chainout chain.pem", port, who));
    assert_true(test_run("openssl verify -CAfile goc-moi.pem -untrusted chain.pem mot.pem && openssl x509 -in mot.pem -noout -subject -nameopt utf8"));
    assert_true(test_output_has("O=Cơ quan mẫu"));
    assert_true(test_run(CMP "-cmd ir %s -newkey mot.key -implicit_confirm -certout mot2.pem && cmp mot.pem mot2.pem", port, who));
    assert_false(test_run(CMP "-cmd ir %s -newkey khac.key -certout no.pem", port, who));
    assert_true(test_output_has("notAuthorized"));
    assert_string_equal(status_of("mot"), "good ");
}

static void *
open_later(void *context)
{
    struct allow_job job = {.act = 1, .reference = context};

    sleep(2);
    return an_store_write(office.store, allow_in, &job, NULL) == AN_OK ? context : NULL;
}

static void
waits_for_approval(void **state)
{
    char reference[65];
    AN_CLEANUP(an_free_ptr) char *who = allow("request:2/item:1", "cho", true, reference);
    pthread_t thread;
    void *opened = NULL;

    (void)state;
    make_key("cho");
    assert_int_equal(pthread_create(&thread, NULL, open_later, reference), 0);
    assert_true(test_run(CMP "-cmd ir %s -newkey cho.key -certout cho.pem", port, who));
    pthread_join(thread, &opened);
    assert_ptr_equal(opened, reference);
    assert_true(test_run("openssl verify -CAfile goc.pem -untrusted ca.pem cho.pem"));
}

static void
taken_back(void **state)
{
    char reference[65];
    AN_CLEANUP(an_free_ptr) char *who = allow("request:2/item:2", "rut", false, reference);
    struct allow_job job = {.act = 2, .reference = reference}, person = {.what = {.item = "request:2/item:3", .profile = "ca-nhan", .subject = "C=VN, O=a, CN=b", .actor = officer}};
    struct an_err err = {0};

    (void)state;
    expect(an_store_write(office.store, allow_in, &job, &err), AN_OK, &err);
    make_key("rut");
    assert_false(test_run(CMP "-cmd ir %s -newkey rut.key -certout rut.pem", port, who));
    expect(an_store_write(office.store, allow_in, &person, &err), AN_E_ENROL_PROFILE, &err);
    person.what.profile = NULL;
    person.what.subject = "CN=b, C=VN";
    expect(an_store_write(office.store, allow_in, &person, &err), AN_E_CA_NAME, &err);
    person.what.actor.role = "thu-truong";
    expect(an_store_write(office.store, allow_in, &person, &err), AN_E_CA_ROLE, &err);
}

static void
renewed_and_revoked(void **state)
{
    (void)state;
    enrol("request:3/item:1", "ba");
    make_key("ba2");
    assert_true(test_run(BY_KEY "-cmd kur -cert ba.pem -key ba.key -newkey ba2.key -certout ba2.pem", port));
    assert_true(test_run("openssl verify -CAfile goc.pem -untrusted ca.pem ba2.pem"));
    assert_false(test_run(BY_KEY "-cmd kur -cert ba2.pem -key ba2.key -newkey ba.key -certout no.pem", port)); /* once, by the rules */
    assert_true(test_output_has("notAuthorized"));
    assert_true(test_run(BY_KEY "-cmd rr -cert ba2.pem -key ba2.key -oldcert ba2.pem -revreason 1", port));
    assert_string_equal(status_of("ba2"), "revoked lo-khoa");
    assert_false(test_run(BY_KEY "-cmd rr -cert ba2.pem -key ba2.key -oldcert ba2.pem -revreason 1", port));
    assert_true(test_output_has("certRevoked"));
    assert_false(test_run(BY_KEY "-cmd cr -cert ba.pem -key ba.key -newkey ba2.key -subject /CN=x -certout no.pem", port)); /* another one needs another approval */
    assert_true(test_output_has("notAuthorized"));
    assert_true(test_run("openssl req -x509 -new -key ba.key -subj /CN=la -days 10 -out la.pem"));
    assert_false(test_run(BY_KEY "-cmd kur -cert la.pem -key ba.key -newkey ba2.key -certout no.pem", port));
    assert_true(test_output_has("signerNotTrusted"));
}

static void
not_taken(void **state)
{
    char reference[65];
    AN_CLEANUP(an_free_ptr) char *who = allow("request:4/item:1", "bon", false, reference), *silent = allow("request:4/item:2", "nam", false, reference);
    struct an_err err = {0};

    (void)state;
    make_key("bon");
    make_key("nam");
    assert_true(test_run("openssl req -x509 -new -key bon.key -subj /CN=la -days 10 -out la.pem"));
    assert_false(test_run(CMP "-cmd ir %s -newkey bon.key -certout bon.pem -out_trusted la.pem -rspout bon.der,x.der", port, who));
    assert_true(test_run(CMP "-cmd ir %s -newkey nam.key -certout nam.pem -disable_confirm", port, silent));
    assert_string_equal(status_of("nam"), "good ");
    expect(an_enrol_service_tend(service, an_time_now() + 3500, &err), AN_OK, &err);
    assert_string_equal(status_of("nam"), "good ");
    expect(an_enrol_service_tend(service, an_time_now() + 3700, &err), AN_OK, &err); /* the hour is over */
    assert_string_equal(status_of("nam"), "revoked ngung-hoat-dong");
}

#define EST "curl -sS --max-time 30 -H 'Content-Type: application/pkcs10' "

static void
by_est(void **state)
{
    char reference[65];
    char *who = allow("request:5/item:1", "est", false, reference);

    (void)state;
    free(who); /* the approval counts, not its words */
    make_key("est");
    make_key("est2");
    assert_true(test_run("openssl req -new -utf8 -key est.key -subj '/C=VN/O=Cơ quan mẫu/CN=est' -outform DER | base64 > est.b64; openssl req -new -utf8 -key est2.key "
                         "-subj '/C=VN/O=Cơ quan mẫu/CN=est' -outform DER | base64 > est2.b64"));
    assert_true(test_run(EST "--fail -u %s:$(cat est.secret) --data-binary @est.b64 http://127.0.0.1:%u/.well-known/est/simpleenroll | base64 -d | openssl pkcs7 -inform DER -print_certs -out est.pem",
                         reference, port));
    assert_true(test_run("openssl verify -CAfile goc.pem -untrusted ca.pem est.pem"));
    assert_true(test_run(EST "-w '%%{http_code}' -u %s:$(cat est.secret) --data-binary @est2.b64 http://127.0.0.1:%u/.well-known/est/simpleenroll", reference, port));
    assert_true(test_output_has("403"));
    assert_true(test_run(EST "--fail -H 'X-Client: est' --data-binary @est2.b64 http://127.0.0.1:%u/.well-known/est/simplereenroll | base64 -d | openssl pkcs7 -inform DER -print_certs -out est2.pem", port));
    assert_true(test_run("openssl verify -CAfile goc.pem -untrusted ca.pem est2.pem"));
}

/* ---- who replays and guesses gets nothing, is seen, and fills nothing ---- */
struct seen { size_t rows, counted; char actor[200]; };

static an_code
see_refusal(void *context, const struct an_audit_entry *entry, struct an_err *err)
{
    struct seen *seen = context;
    const char *count = strstr(entry->event.detail, "\"count\":");

    (void)err;
    seen->rows++;
    seen->counted += count != NULL ? strtoul(count + 8, NULL, 10) : 0;
    snprintf(seen->actor, sizeof(seen->actor), "%s", entry->event.actor);
    return AN_OK;
}

static struct seen
refusals_since(int64_t seq)
{
    struct seen seen = {0};
    const struct an_audit_search search = {.after = seq, .action = "enrolment.refuse"};
    struct an_err err = {0};

    expect(an_audit_list(office.store, &search, "test", see_refusal, &seen, &err), AN_OK, &err);
    return seen;
}

static an_code
last_seq(void *context, const struct an_audit_entry *entry, struct an_err *err)
{
    (void)err;
    *(int64_t *)context = entry->seq;
    return AN_OK;
}

static int64_t
log_size(void)
{
    int64_t seq = 0;
    struct an_err err = {0};

    expect(an_audit_list(office.store, &(struct an_audit_search){0}, "test", last_seq, &seq, &err), AN_OK, &err);
    return seq;
}

static an_code
count_row(void *context, const struct an_row *row, struct an_err *err)
{
    (void)row, (void)err;
    ++*(size_t *)context;
    return AN_OK;
}

static an_code
count_certificates(void *context, struct an_tx *tx, struct an_err *err)
{
    const struct an_value values[] = {AN_V_NULL, AN_V_INT(1000)};

    *(size_t *)context = 0;
    return an_tx_each(tx, AN_SQL_CERTIFICATE_LIST, values, 2, count_row, context, err);
}

static void
attempts_are_seen(void **state)
{
    static const struct { const char *what, *ask; int times; const char *actor; } attempts[] = {
        {"an ir replayed", "curl -sS -H 'Content-Type: application/pkixcmp' --data-binary @sau-ir.der http://127.0.0.1:$PORT/cmp -o x.der", 24, "enrolment:"},
        {"a certConf replayed", "curl -sS -H 'Content-Type: application/pkixcmp' --data-binary @sau-conf.der http://127.0.0.1:$PORT/cmp -o x.der", 4, "enrolment:"},
        {"a kur replayed", "curl -sS -H 'Content-Type: application/pkixcmp' --data-binary @sau-kur.der http://127.0.0.1:$PORT/cmp -o x.der", 8, "certificate:"},
        {"an rr of one who is revoked, replayed", "curl -sS -H 'Content-Type: application/pkixcmp' --data-binary @sau-rr.der http://127.0.0.1:$PORT/cmp -o x.der", 8, "certificate:"},
        {"a wrong secret by EST", EST "-u $(cat sau.ref):sai --data-binary @est.b64 http://127.0.0.1:$PORT/.well-known/est/simpleenroll", 8, "enrolment:"},
        {"a wrong secret by CMP", "openssl cmp -config '' -batch -server 127.0.0.1:$PORT -path /cmp -recipient '/C=VN/CN=x' -cmd ir -ref $(cat sau.ref) -secret pass:sai -newkey sau.key -certout no.pem", 3, "enrolment:"},
        {"a reference that there is not", EST "-u 'khong-co\"':sai --data-binary @est.b64 http://127.0.0.1:$PORT/.well-known/est/simpleenroll", 8, "strangers"},
        {"a reference with line ends", EST "-H \"Authorization: Basic $(printf 'a\\nb\\033[2J:sai' | base64)\" --data-binary @est.b64 http://127.0.0.1:$PORT/.well-known/est/simpleenroll", 2, "127.0.0.1"},
        {"a certificate of its own making", "openssl cmp -config '' -batch -server 127.0.0.1:$PORT -path /cmp -recipient '/C=VN/CN=x' -trusted goc.pem -untrusted ca.pem -cmd kur -cert la.pem -key bon.key -newkey ba2.key -certout no.pem", 2, "127.0.0.1"},
    };
    char reference[65];
    AN_CLEANUP(an_free_ptr) char *who = allow("request:6/item:1", "sau", false, reference);
    size_t certificates = 0, after = 0;
    struct an_err err = {0};

    (void)state;
    make_key("sau");
    make_key("sau2");
    assert_true(test_run(CMP "-cmd ir %s -newkey sau.key -certout sau.pem -reqout sau-ir.der,sau-conf.der && echo -n %s > sau.ref", port, who, reference));
    assert_true(test_run(BY_KEY "-cmd kur -cert sau.pem -key sau.key -newkey sau2.key -certout sau2.pem -reqout sau-kur.der,x.der", port));
    assert_true(test_run(BY_KEY "-cmd rr -cert sau2.pem -key sau2.key -oldcert sau2.pem -revreason 1 -reqout sau-rr.der", port));
    an_enrol_service_leave(service, an_time_now()); /* what tests before this one left */
    expect(an_store_read(office.store, count_certificates, &certificates, &err), AN_OK, &err);
    for (size_t i = 0; i < AN_COUNT(attempts); i++) {
        int64_t seq = log_size();
        struct seen seen;
        for (int j = 0; j < attempts[i].times; j++)
            (void)!test_run("export PORT=%u; %s", port, attempts[i].ask);
        seen = refusals_since(seq);
        if (seen.rows > AN_LIMIT_ENROL_TOLD)
            fail_msg("%s: %zu rows", attempts[i].what, seen.rows);
        an_enrol_service_leave(service, an_time_now());
        seen = refusals_since(seq);
        if (seen.counted + seen.rows - (seen.counted != 0) != (size_t)attempts[i].times || strncmp(seen.actor, attempts[i].actor, strlen(attempts[i].actor)) != 0)
            fail_msg("%s: %zu rows, %zu counted, the last by %s", attempts[i].what, seen.rows, seen.counted, seen.actor);
    }
    expect(an_store_read(office.store, count_certificates, &after, &err), AN_OK, &err);
    assert_int_equal(after, certificates);
}

/* Another key than the one that is noted gives other secrets: nothing is served rather than everything refused. */
static void
another_key(void **state)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/keys/enrol.key", office.dir);
    AN_CLEANUP(an_buf_free) struct an_buf kept = an_buf_new(100);
    struct an_approval approval = {.reference = "x"};
    struct an_secret *secret = NULL;
    struct an_err err = {0};

    (void)state;
    expect(an_file_read(path, 100, &kept, &err), AN_OK, &err);
    assert_int_equal(kept.len, 32);
    assert_int_equal(unlink(path), 0);
    expect(an_enrol_secret(&instance, &approval, &secret, &err), AN_E_ENROL_KEY, &err);
    expect(an_file_write(path, AN_LIT("0123456789abcdef0123456789abcdef"), 0600, &err), AN_OK, &err);
    expect(an_enrol_secret(&instance, &approval, &secret, &err), AN_E_ENROL_KEY, &err);
    expect(an_file_write(path, an_buf_view(&kept), 0600, &err), AN_OK, &err);
    expect(an_enrol_secret(&instance, &approval, &secret, &err), AN_OK, &err);
    an_secret_free(&secret);
}

static void
publish(an_time now, const char *name, struct an_trust_list *ret)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", test_folder, name), *beside = an_asprintf("%s.p7s", path);
    AN_CLEANUP(an_buf_free) struct an_buf list = an_buf_new(1 << 20), signature = an_buf_new(1 << 20);
    AN_CLEANUP(an_cert_unref) struct an_cert *who = NULL;
    struct an_err err = {0};

    expect(an_enrol_trust_list(service, now, &list, &signature, &err), AN_OK, &err);
    expect(an_file_write(path, an_buf_view(&list), 0644, &err), AN_OK, &err);
    expect(an_file_write(beside, an_buf_view(&signature), 0644, &err), AN_OK, &err);
    expect(an_trust_list_parse(an_buf_view(&list), ret, &err), AN_OK, &err);
    expect(an_trust_list_check(an_buf_view(&list), an_buf_view(&signature), &who, &err), AN_OK, &err);
    list.ptr[list.len / 2] ^= 1;
    assert_int_not_equal(an_trust_list_check(an_buf_view(&list), an_buf_view(&signature), &who, &err), AN_OK);
}

static void
trust_list(void **state)
{
    an_time now = an_time_now();

    (void)state;
    for (int i = 0; i < 4; i++) { /* the same while two thirds of 30 days have not passed; then the next number */
        static const int days[] = {0, 19, 21, 22};
        AN_CLEANUP(an_trust_list_done) struct an_trust_list list = {0};
        publish(now + days[i] * DAY, "gca.ctl", &list);
        assert_int_equal(list.sequence, i < 2 ? 1 : 2);
        assert_int_equal(list.certs.count, 2);
        assert_memory_equal(list.certs.items[0]->sha256, office.root->sha256, 32);
        assert_int_equal(list.next_update - list.this_update, 30 * DAY);
    }
    assert_true(test_run("openssl cms -verify -binary -inform DER -in gca.ctl.p7s -content gca.ctl -CAfile goc.pem -certfile ca.pem -purpose any -out x 2>&1 && cmp x gca.ctl"));
    assert_true(test_run("python3 -c \"import json,base64,sys; d=json.load(open('gca.ctl')); assert list(d)==['Version','ListIdentifier','SequenceNumber','ThisUpdate','NextUpdate','Cerificates'],list(d); "
                         "assert type(d['SequenceNumber']) is int and d['SequenceNumber']==2; open('first.der','wb').write(base64.b64decode(d['Cerificates'][0]))\" && openssl x509 -inform DER -in first.der -noout -subject -nameopt utf8"));
    assert_true(test_output_has("Gốc MẪU"));
}

static void
trust_list_forms(void **state)
{
    static const struct { const char *json; an_code code; } rows[] = {
        {"\xEF\xBB\xBF{\"Version\":1,\"ListIdentifier\":\"x\",\"SequenceNumber\":7,\"ThisUpdate\":\"\\/Date(1767322800000)\\/\",\"NextUpdate\":\"\\/Date(1767422800000)\\/\",\"Cerificates\":[]}", AN_OK},
        {"{\"Version\":1,\"ListIdentifier\":\"x\",\"SequenceNumber\":7,\"ThisUpdate\":\"2026-01-02T00:00:00Z\",\"NextUpdate\":\"2026-02-02T00:00:00\",\"Certificates\":[]}", AN_E_TRUST_LIST},
        {"{\"Version\":1,\"ListIdentifier\":\"x\",\"SequenceNumber\":7,\"ThisUpdate\":\"2026-01-02T00:00:00Z\",\"NextUpdate\":\"2026-02-02T00:00:00Z\",\"Certificates\":[]}", AN_OK},
        {"{\"Version\":1,\"ListIdentifier\":\"x\",\"SequenceNumber\":7,\"ThisUpdate\":\"2026-02-02T00:00:00Z\",\"NextUpdate\":\"2026-01-02T00:00:00Z\",\"Cerificates\":[]}", AN_E_TRUST_LIST},
        {"{\"Version\":1,\"Version\":1}", AN_E_TRUST_LIST}, {"[]", AN_E_TRUST_LIST}, {"", AN_E_TRUST_LIST}, {"{", AN_E_TRUST_LIST},
        {"{\"Version\":1,\"ListIdentifier\":\"x\",\"SequenceNumber\":7,\"ThisUpdate\":\"2026-01-02T00:00:00Z\",\"NextUpdate\":\"2026-02-02T00:00:00Z\",\"Cerificates\":[\"AAAA\"]}", AN_E_TRUST_LIST},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(rows); i++) {
        struct an_trust_list list = {0};
        struct an_err err = {0};
        expect(an_trust_list_parse(an_bytes_of_str(rows[i].json), &list, &err), rows[i].code, &err);
        an_trust_list_done(&list);
    }
}

static void
policy_page(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf page = an_buf_new(1 << 20);
    struct an_regulations *regulations = NULL;
    struct an_policy_page what = {.name = "Tổ chức <MẪU>", .base_url = "http://ca.mau.vn", .profiles = office.profiles};
    struct an_err err = {0};

    (void)state;
    expect(an_regulations_open(NULL, &regulations, &err), AN_OK, &err);
    what.regulations = regulations;
    expect(an_policy_page_write(&what, &page, &err), AN_OK, &err);
    an_regulations_close(&regulations);
    static const char *const wanted[] = {"Tổ chức &lt;MẪU&gt;", "http://ca.mau.vn/trust/gca.ctl", "Nghị định số 68/2024/NĐ-CP", "<td>thiet-bi</td>", "chưa có văn bản xác nhận", "9. Vấn đề pháp lý khác"};
    for (size_t i = 0; i < AN_COUNT(wanted); i++)
        if (an_bytes_find(an_buf_view(&page), an_bytes_of_str(wanted[i]), 0) == SIZE_MAX)
            fail_msg("not on the page: %s", wanted[i]);
    assert_int_equal(an_bytes_find(an_buf_view(&page), AN_LIT("{name}"), 0), SIZE_MAX);
}

static void
count_found(void *context, const struct an_found *found)
{
    assert_non_null(found->serial);
    ++*(size_t *)context;
}

static void
searched(void **state)
{
    static const struct { struct an_public_search what; an_code code; size_t least; } rows[] = {
        {{.subject = "MỘT"}, AN_OK, 1}, {{.subject = "mot"}, AN_OK, 1}, {{.subject = "khong co ai"}, AN_OK, 0}, {{.agency = "co quan mau"}, AN_OK, 5},
        {{.agency = "CƠ QUAN"}, AN_OK, 5}, {{.subject = "mo"}, AN_E_SEARCH_QUERY, 0}, {{0}, AN_E_SEARCH_QUERY, 0}, {{.email = "khong"}, AN_E_SEARCH_QUERY, 0},
        {{.email = "a@mau.gov.vn"}, AN_OK, 0}, {{.serial = "xyz"}, AN_E_SEARCH_QUERY, 0}, {{.serial = "00"}, AN_OK, 0}, {{.subject = "mot", .agency = "co quan"}, AN_E_SEARCH_QUERY, 0},
        {{.subject = "mot", .limit = 51}, AN_E_SEARCH_QUERY, 0}, {{.subject = "mot", .after = 999999}, AN_E_SEARCH_QUERY, 0}, {{.agency = "%%_"}, AN_OK, 0},
    };
    AN_CLEANUP(an_buf_free) struct an_buf page = an_buf_new(1 << 20), hex = an_buf_new(200), der = an_buf_new(1 << 16);
    AN_CLEANUP(an_free_ptr) char *serial = NULL;
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = test_cert("mot.pem");
    struct an_err err = {0};
    bool has_more = false;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(rows); i++) {
        size_t found = 0;
        expect(an_public_search_run(office.store, &rows[i].what, an_time_now(), count_found, &found, &has_more, &err), rows[i].code, &err);
        if (rows[i].code == AN_OK && (found < rows[i].least || (rows[i].least == 0 && found > 0)))
            fail_msg("%zu: %zu", i, found);
    }
    an_buf_hex(&hex, cert->serial);
    serial = an_buf_take_str(&hex);
    expect(an_public_search_certificate(office.store, serial, &der, &has_more, &err), AN_OK, &err);
    assert_true(has_more && an_bytes_eq(an_buf_view(&der), cert->der));
    expect(an_public_search_json(office.store, &(struct an_public_search){.serial = serial}, an_time_now(), &page, &err), AN_OK, &err);
    assert_true(an_bytes_find(an_buf_view(&page), AN_LIT("\"status\":\"in force\""), 0) != SIZE_MAX);
    assert_true(an_bytes_find(an_buf_view(&page), AN_LIT("TB-"), 0) == SIZE_MAX);
    expect(an_public_search_page(office.store, &(struct an_public_search){.subject = "<script>"}, an_time_now(), &page, &err), AN_OK, &err);
    assert_true(an_bytes_find(an_buf_view(&page), AN_LIT("<script>"), 0) == SIZE_MAX);
}

/* Page by page everything is seen once. */
struct paging { int64_t last; size_t count; };
static void
note_page(void *context, const struct an_found *found)
{
    struct paging *paging = context;

    paging->last = found->id;
    paging->count++;
}

static void
paged(void **state)
{
    struct paging whole = {0}, pages = {0};
    struct an_public_search what = {.agency = "co quan mau", .limit = 50};
    struct an_err err = {0};
    bool has_more = false;

    (void)state;
    expect(an_public_search_run(office.store, &what, an_time_now(), note_page, &whole, &has_more, &err), AN_OK, &err);
    what.limit = 2;
    do {
        what.after = pages.last;
        expect(an_public_search_run(office.store, &what, an_time_now(), note_page, &pages, &has_more, &err), AN_OK, &err);
    } while (has_more);
    assert_true(whole.count >= 5);
    assert_int_equal(pages.count, whole.count);
    assert_int_equal(pages.last, whole.last);
}

/* ---- the world ---- */
static int
open_world(void **state)
{
    AN_CLEANUP(an_free_ptr) char *config = NULL, *root = NULL, *ca = NULL;
    struct an_init_plan plan = {.token = "file"};
    struct an_key_entry entry = {.name = (char[]){"nha-nuoc"}, .uri = (char[]){"nha-nuoc.key"}, .purposes = 1u << AN_PURPOSE_CERTIFICATE};
    struct an_enrol_setup setup = {.instance = &instance};
    struct an_err err = {0};

    (void)state;
    snprintf(office.dir, sizeof(office.dir), "/tmp/antin-enrols-XXXXXX");
    if (mkdtemp(office.dir) == NULL)
        return -1;
    snprintf(test_folder, sizeof(test_folder), "%s", office.dir);
    expect(office_open(&office, database, &err), AN_OK, &err);
    assert_true(test_run("mkdir -m 0700 keys pins run"));
    expect(an_key_list_add(office.dir, &entry, &err), AN_OK, &err);
    config = an_asprintf("%s/antin.yaml", office.dir);
    expect(an_file_write(config, AN_LIT("instance: x\nname: Tổ chức MẪU\ndatabase: 'sqlite:store.db'\nregulation: quoc-gia\nhierarchy: state\nbase_url: 'http://127.0.0.1'\n"
                                        "enrol:\n  poll_seconds: 1\n"), 0600, &err), AN_OK, &err);
    expect(an_config_load(config, &instance.config, &err), AN_OK, &err);
    instance.dir = office.dir;
    instance.store = instance.replica = office.store;
    root = an_asprintf("%s/goc.der", office.dir);
    ca = an_asprintf("%s/ca.der", office.dir);
    expect(an_file_write(root, office.root->der, 0644, &err), AN_OK, &err);
    expect(an_file_write(ca, office.issuing->der, 0644, &err), AN_OK, &err);
    assert_true(test_run("for f in goc ca; do openssl x509 -inform DER -in $f.der -out $f.pem || exit 1; done"));
    expect(an_enrol_init(&instance, &plan, &err), AN_OK, &err);
    expect(an_enrol_init(&instance, &plan, &err), AN_OK, &err); /* once */
    expect(an_keys_open(office.dir, &keys, &err), AN_OK, &err);
    expect(an_signer_of_keys(keys, "dang-ky", AN_PURPOSE_ENROL, &signer, &err), AN_OK, &err);
    setup.certifier = office.certifier;
    setup.signer = signer;
    expect(an_enrol_service_open(&setup, &service, &err), AN_OK, &err);
    port = test_serve(an_enrol_service_host(service));
    return 0;
}

static int
close_world(void **state)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("rm -rf '%s'", office.dir);

    (void)state;
    an_enrol_service_close(&service);
    an_signer_close(&signer);
    an_keys_close(&keys);
    an_config_done(&instance.config);
    office_close(&office);
    return system(command);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetched_once), cmocka_unit_test(waits_for_approval), cmocka_unit_test(taken_back), cmocka_unit_test(renewed_and_revoked),
        cmocka_unit_test(not_taken), cmocka_unit_test(by_est), cmocka_unit_test(attempts_are_seen), cmocka_unit_test(another_key), cmocka_unit_test(trust_list), cmocka_unit_test(trust_list_forms),
        cmocka_unit_test(policy_page), cmocka_unit_test(searched), cmocka_unit_test(paged),
    };

    database = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests_name("enrol_service", tests, open_world, close_world);
}
