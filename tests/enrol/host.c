#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host.h"

#include "base/file.h"

struct test_approval test_approvals[TEST_APPROVALS] = {
    {"ref-mot", "bi-mat-so-mot", "/C=VN/O=Co quan mau/CN=may-chu.mau.gov.vn"},
    {"ref-hai", "bi-mat-so-hai", "/C=VN/O=Co quan mau/CN=thiet-bi-hai"},
    {"ref-cho", "bi-mat-dang-cho", "/C=VN/O=Co quan mau/CN=dang-cho", .is_waiting = true},
    {"ref-est", "bi-mat-est", "/C=VN/O=Co quan mau/CN=est"},
    {"ref-bon", "bi-mat-bon", "/C=VN/O=Co quan mau/CN=bon"},
    {"ref-nam", "bi-mat-nam", "/C=VN/O=Co quan mau/CN=nam"},
    {"ref-sau", "bi-mat-sau", "/C=VN/O=Co quan mau/CN=sau"},
    {"ref-bay", "bi-mat-bay", "/C=VN/O=Co quan mau/CN=bay"},
    {"ref-tam", "bi-mat-tam", "/C=VN/O=Co quan mau/CN=tam"},
};
unsigned test_issued, test_revoked, test_confirmed, test_refused;
char test_last_refusal[400];

static struct an_certs issuers, roots, chain, enrolled, revoked;
static struct { uint8_t key[32]; struct an_enrol_transaction kept; } transactions[200];
static size_t transaction_count;

/* ---- the host ---- */
static struct test_approval *
find_approval(an_bytes reference)
{
    for (size_t i = 0; i < TEST_APPROVALS; i++)
        if (an_bytes_eq_str(reference, test_approvals[i].reference))
            return &test_approvals[i];
    return NULL;
}

static an_code
find_secret(void *context, an_bytes reference, an_time now, struct an_secret **ret, struct an_err *reterr)
{
    struct test_approval *approval = find_approval(reference);

    (void)context, (void)now;
    if (approval == NULL)
        AN_FAIL(reterr, AN_E_ENROL_REFERENCE, "%.*s", AN_FMT(reference));
    *ret = an_secret_from(an_bytes_of_str(approval->secret));
    return AN_OK;
}

static an_code
check_cert(void *context, struct an_cert *cert, an_time now, struct an_err *reterr)
{
    (void)context, (void)now;
    if (an_certs_find_hash(&enrolled, cert->sha256) == NULL)
        AN_FAIL(reterr, AN_E_ENROL_SIGNER, "issuer");
    if (an_certs_find_hash(&revoked, cert->sha256) != NULL)
        AN_FAIL(reterr, AN_E_ENROL_REVOKED, "serial");
    return AN_OK;
}

static struct an_cert *
issue(an_bytes spki, const char *subject)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/spki.der", test_folder);
    struct an_cert *cert;

    assert_int_equal(an_file_write(path, spki, 0600, NULL), AN_OK);
    assert_true(test_run("openssl pkey -pubin -inform DER -in spki.der -out spki.pem && openssl x509 -new -force_pubkey spki.pem -subj '%s' -CA ca.pem -CAkey ca.key "
                         "-set_serial 0x%02x%02x -days 30 -extfile ee.ext -out issued.pem", subject, 0x41, ++test_issued));
    cert = test_cert("issued.pem");
    an_certs_add(&enrolled, cert);
    return cert;
}

static an_code
issue_approved(const struct an_enrol_request *request, struct an_enrol_answer *ret, struct an_err *reterr)
{
    struct test_approval *approval = find_approval(request->party->reference);
    uint8_t key[AN_DIGEST_MAX];

    if (approval == NULL)
        AN_FAIL(reterr, AN_E_ENROL_NOT_ALLOWED, "no approval");
    an_hash_once(AN_SHA256, request->spki, key);
    if (approval->is_waiting) {
        ret->outcome = AN_ENROL_WAITING;
        ret->check_after = 1;
        approval->is_waiting = ++approval->polls < 3;
        return AN_OK;
    }
    if (approval->cert != NULL && memcmp(approval->key, key, 32) != 0)
        AN_FAIL(reterr, AN_E_ENROL_USED, "%s", approval->reference);
    if (approval->cert == NULL) {
        approval->cert = issue(request->spki, approval->subject);
        memcpy(approval->key, key, 32);
    }
    if (request->subject.len > 2 && !an_name_eq(request->subject, approval->cert->subject))
        AN_FAIL(reterr, AN_E_ENROL_SUBJECT, "CN");
    ret->cert = an_cert_ref(approval->cert);
    ret->outcome = request->extension_count > 0 ? AN_ENROL_CHANGED : AN_ENROL_DONE;
    return AN_OK;
}

static an_code
carry_out(void *context, const struct an_enrol_request *request, struct an_enrol_answer *ret, struct an_err *reterr)
{
    an_code code = AN_OK;

    (void)context;
    if (request->act == AN_ENROL_REVOKE) {
        an_certs_add(&revoked, request->party->cert);
        test_revoked++;
        return AN_OK;
    }
    if (request->act == AN_ENROL_RENEW) {
        AN_CLEANUP(an_buf_free) struct an_buf name = an_buf_new(1000);
        AN_CLEANUP(an_free_ptr) char *subject = NULL;
        assert_true(an_name_attribute(request->party->cert->subject, "2.5.4.3", &name));
        subject = an_asprintf("/C=VN/O=Co quan mau/CN=%.*s", AN_FMT(an_buf_view(&name)));
        ret->cert = issue(request->spki, subject);
    } else {
        code = issue_approved(request, ret, reterr);
    }
    if (code == AN_OK && ret->cert != NULL)
        an_certs_add(&ret->chain, issuers.items[0]);
    return code;
}

static an_code
confirm(void *context, const struct an_enrol_party *party, struct an_cert *cert, bool is_taken, an_time now, struct an_err *reterr)
{
    (void)context, (void)party, (void)now, (void)reterr;
    test_confirmed += is_taken;
    if (!is_taken) {
        an_certs_add(&revoked, cert);
        test_revoked++;
    }
    return AN_OK;
}

static void
copy_transaction(struct an_enrol_transaction *to, const struct an_enrol_transaction *from)
{
    struct an_buf request = to->request, cert = to->cert;

    *to = *from;
    to->request = request;
    to->cert = cert;
    an_buf_reset(&to->request);
    an_buf_reset(&to->cert);
    an_buf_append(&to->request, an_buf_view(&from->request));
    an_buf_append(&to->cert, an_buf_view(&from->cert));
}

static struct an_enrol_transaction *
find_transaction(an_bytes key)
{
    for (size_t i = 0; i < transaction_count; i++)
        if (memcmp(transactions[i].key, key.ptr, 32) == 0)
            return &transactions[i].kept;
    return NULL;
}

static an_code
begin(void *context, an_bytes key, const struct an_enrol_transaction *transaction, struct an_err *reterr)
{
    (void)context;
    if (find_transaction(key) != NULL)
        AN_FAIL(reterr, AN_E_CMP_TRANSACTION, "transactionID");
    assert_true(transaction_count < AN_COUNT(transactions));
    memcpy(transactions[transaction_count].key, key.ptr, 32);
    transactions[transaction_count].kept = (struct an_enrol_transaction){.request = an_buf_new(1 << 20), .cert = an_buf_new(1 << 20)};
    copy_transaction(&transactions[transaction_count++].kept, transaction);
    return AN_OK;
}

static an_code
load(void *context, an_bytes key, struct an_enrol_transaction *ret, struct an_err *reterr)
{
    struct an_enrol_transaction *kept = find_transaction(key);

    (void)context;
    if (kept == NULL)
        AN_FAIL(reterr, AN_E_CMP_TRANSACTION_UNKNOWN, "transactionID");
    copy_transaction(ret, kept);
    return AN_OK;
}

static an_code
save(void *context, an_bytes key, enum an_enrol_state from, const struct an_enrol_transaction *transaction, struct an_err *reterr)
{
    struct an_enrol_transaction *kept = find_transaction(key);

    (void)context;
    if (kept == NULL || kept->state != from)
        AN_FAIL(reterr, AN_E_CMP_TRANSACTION, "state");
    copy_transaction(kept, transaction);
    return AN_OK;
}

static void
note_refusal(void *context, const struct an_enrol_party *party, const char *what, const struct an_err *err)
{
    (void)context, (void)party, (void)what;
    test_refused++;
    snprintf(test_last_refusal, sizeof(test_last_refusal), "%s: %s", an_message_find(err->code)->symbol, err->detail);
}

struct an_cert *
test_enrolled(const char *name, const char *subject)
{
    AN_CLEANUP(an_free_ptr) char *file = an_asprintf("%s.pem", name);
    struct an_cert *cert;

    assert_true(test_run("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s.key -subj '%s' -out %s.csr && "
                         "openssl x509 -req -in %s.csr -CA ca.pem -CAkey ca.key -set_serial 0x42%02x -days 30 -extfile ee.ext -out %s.pem",
                         name, subject, name, name, ++test_issued, name));
    cert = test_cert(file);
    an_certs_add(&enrolled, cert);
    return cert;
}

void
test_revoke(const struct an_cert *cert)
{
    struct an_cert *held = an_certs_find_hash(&enrolled, cert->sha256);

    an_certs_add(&revoked, held);
}

void
test_host_open(struct an_enrol_host *host)
{
    AN_CLEANUP(an_free_ptr) char *key = NULL;
    struct an_cert *root, *ca;
    struct an_err err = {0};

    snprintf(test_folder, sizeof(test_folder), "/tmp/antin-enrol-XXXXXX");
    assert_non_null(mkdtemp(test_folder));
    key = an_asprintf("%s/ra.key", test_folder);
    assert_true(test_run(
        "export KEY='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'; printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=critical,keyCertSign,cRLSign\\nsubjectKeyIdentifier=hash\\n' > ca.ext;"
        "printf 'keyUsage=critical,digitalSignature\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n' > ee.ext;"
        "openssl req -new $KEY -keyout root.key -subj '/C=VN/CN=Goc mau' -out root.csr && openssl x509 -req -in root.csr -signkey root.key -days 100 -extfile ca.ext -out root.pem &&"
        "openssl req -new $KEY -keyout ca.key -subj '/C=VN/CN=CA mau' -out ca.csr && openssl x509 -req -in ca.csr -CA root.pem -CAkey root.key -set_serial 2 -days 90 -extfile ca.ext -out ca.pem &&"
        "openssl req -new $KEY -keyout ra.key -subj '/C=VN/CN=Dang ky mau' -out ra.csr && openssl x509 -req -in ra.csr -CA ca.pem -CAkey ca.key -set_serial 3 -days 90 -extfile ee.ext -out ra.pem"));
    *host = (struct an_enrol_host){
        .find_secret = find_secret, .check_cert = check_cert, .carry_out = carry_out, .confirm = confirm, .begin = begin, .load = load,
        .save = save, .refused = note_refusal, .chain = &chain, .roots = &roots, .issuers = &issuers, .confirm_wait_s = 600, .clock_skew_s = 300,
    };
    if (an_signer_open(key, (struct an_pin_source){0}, &host->signer, &err) != AN_OK)
        fail_msg("%s", err.detail);
    host->signer_cert = test_cert("ra.pem");
    ca = test_cert("ca.pem");
    root = test_cert("root.pem");
    an_certs_add(&chain, ca);
    an_certs_add(&roots, root);
    an_certs_add(&issuers, ca);
    an_certs_add(&issuers, root);
    an_cert_unref(&ca);
    an_cert_unref(&root);
}

void
test_host_close(struct an_enrol_host *host)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("rm -rf '%s'", test_folder);
    struct an_certs *const sets[] = {&issuers, &roots, &chain, &enrolled, &revoked};

    an_signer_close(&host->signer);
    an_cert_unref(&host->signer_cert);
    for (size_t i = 0; i < AN_COUNT(sets); i++)
        an_certs_done(sets[i]);
    for (size_t i = 0; i < TEST_APPROVALS; i++)
        an_cert_unref(&test_approvals[i].cert);
    for (size_t i = 0; i < transaction_count; i++)
        an_enrol_transaction_done(&transactions[i].kept);
    assert_int_equal(system(command), 0);
}
