/* CMP and EST by real clients: openssl cmp, curl, openssl pkcs7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"

static struct an_enrol_host host;
static unsigned port;

static int
open_host(void **state)
{
    (void)state;
    test_host_open(&host);
    port = test_serve(&host);
    return 0;
}

static int
close_host(void **state)
{
    (void)state;
    test_host_close(&host);
    return 0;
}

static void
make_key(const char *name, const char *kind)
{
    assert_true(test_run("openssl genpkey %s -out %s", kind, name));
}

#define EC_KEY "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"
#define BY_SECRET "-config '' -batch -server 127.0.0.1:%u -path /cmp -recipient '/C=VN/CN=CA mau' -total_timeout 60 "

static void
test_ir(void **state)
{
    unsigned confirmed = test_confirmed;

    (void)state;
    make_key("mot.key", EC_KEY);
    assert_true(test_run("openssl cmp -cmd ir " BY_SECRET "-ref ref-mot -secret pass:bi-mat-so-mot -newkey mot.key -subject '/C=VN/O=Co quan mau/CN=may-chu.mau.gov.vn' "
                         "-certout mot.pem -chainout mot-chain.pem -cacertsout mot-ca.pem", port));
    assert_int_equal(test_confirmed, confirmed + 1);
    assert_true(test_run("openssl verify -CAfile mot-ca.pem -untrusted mot-chain.pem mot.pem && openssl x509 -in mot.pem -noout -pubkey > a && openssl pkey -in mot.key -pubout > b && cmp a b"));
    /* the same approval and key once more: the same certificate; another key: refused */
    assert_true(test_run("openssl cmp -cmd ir " BY_SECRET "-ref ref-mot -secret pass:bi-mat-so-mot -newkey mot.key -certout again.pem -implicit_confirm && cmp mot.pem again.pem", port));
    make_key("khac.key", EC_KEY);
    assert_false(test_run("openssl cmp -cmd ir " BY_SECRET "-ref ref-mot -secret pass:bi-mat-so-mot -newkey khac.key -certout no.pem", port));
    assert_true(test_output_has("notAuthorized") && test_output_has("đã được dùng cho khóa khác") && test_output_has("for another key"));
}

static void
test_refusals(void **state)
{
    static const struct { const char *arguments, *refusal, *shown; } rows[] = {
        {"-cmd ir -ref ref-khong -secret pass:x -newkey k.key", "AN_E_ENROL_REFERENCE", ""},
        {"-cmd ir -ref ref-bon -secret pass:sai -newkey k.key", "AN_E_CMP_PROTECTION", ""},
        {"-cmd ir -ref ref-bon -secret pass:bi-mat-bon -newkey k.key -subject /CN=khac", "AN_E_ENROL_SUBJECT", "badCertTemplate"},
        {"-cmd ir -ref ref-bon -secret pass:bi-mat-bon -newkey k.key -popo 0 -subject /CN=bon", "AN_E_ENROL_POP", "badPOP"},
        {"-cmd ir -ref ref-bon -secret pass:bi-mat-bon -newkey k.key -popo -1 -subject /CN=bon", "AN_E_ENROL_POP", "badPOP"},
        {"-cmd ir -ref ref-bon -secret pass:bi-mat-bon -newkey rsa.key -popo 2 -subject /CN=bon", "AN_E_ENROL_KEY_ELSEWHERE", "badCertTemplate"},
        {"-cmd ir -unprotected_requests -newkey k.key -subject /CN=bon", "AN_E_CMP_UNPROTECTED", ""},
        {"-cmd rr -ref ref-bon -secret pass:bi-mat-bon -oldcert ra.pem", "AN_E_ENROL_NOT_ALLOWED", "notAuthorized"},
        {"-cmd kur -ref ref-bon -secret pass:bi-mat-bon -newkey k.key -oldcert ra.pem", "AN_E_ENROL_NOT_ALLOWED", "notAuthorized"},
        {"-cmd ir -cert root.pem -key root.key -newkey k.key -subject /CN=bon -trusted root.pem", "AN_E_ENROL_SIGNER", "signerNotTrusted"},
    };

    (void)state;
    make_key("k.key", EC_KEY);
    make_key("rsa.key", "-algorithm RSA");
    for (size_t i = 0; i < AN_COUNT(rows); i++) {
        unsigned refused = test_refused;
        assert_false(test_run("openssl cmp " BY_SECRET "%s -certout no.pem", port, rows[i].arguments));
        if (test_refused == refused || strncmp(test_last_refusal, rows[i].refusal, strlen(rows[i].refusal)) != 0)
            fail_msg("%s: %s", rows[i].arguments, test_last_refusal);
        if (rows[i].shown[0] != '\0')
            assert_true(test_output_has(rows[i].shown));
    }
}

static void
test_kinds(void **state)
{
    (void)state;
    /* cr with other codes and digests */
    make_key("hai.key", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048");
    assert_true(test_run("openssl cmp -cmd cr " BY_SECRET "-ref ref-hai -secret pass:bi-mat-so-hai -mac hmacWithSHA256 -digest sha384 -newkey hai.key "
                         "-subject '/C=VN/O=Co quan mau/CN=thiet-bi-hai' -sans 10.0.0.1 -certout hai.pem", port));
    assert_true(test_output_has("grantedWithMods"));
    assert_true(test_run("openssl verify -CAfile root.pem -untrusted ca.pem hai.pem"));
    /* PKCS#10 */
    make_key("nam.key", EC_KEY);
    assert_true(test_run("openssl req -new -key nam.key -subj '/C=VN/O=Co quan mau/CN=nam' -out nam.csr"));
    assert_true(test_run("openssl cmp -cmd p10cr " BY_SECRET "-ref ref-nam -secret pass:bi-mat-nam -csr nam.csr -certout nam.pem", port));
    assert_true(test_run("openssl verify -CAfile root.pem -untrusted ca.pem nam.pem"));
    /* general messages */
    assert_true(test_run("openssl cmp -cmd genm " BY_SECRET "-ref ref-hai -secret pass:bi-mat-so-hai -infotype signKeyPairTypes", port));
    assert_true(test_output_has("genp"));
}

static void
test_waiting(void **state)
{
    (void)state;
    make_key("cho.key", EC_KEY);
    assert_true(test_run("openssl cmp -cmd ir " BY_SECRET "-ref ref-cho -secret pass:bi-mat-dang-cho -newkey cho.key -subject '/C=VN/O=Co quan mau/CN=dang-cho' -certout cho.pem", port));
    assert_true(test_approvals[2].polls >= 2);
    assert_true(test_run("openssl verify -CAfile root.pem -untrusted ca.pem cho.pem"));
}

#define BY_KEY "-config '' -batch -server 127.0.0.1:%u -path /cmp -total_timeout 60 -trusted root.pem -untrusted ca.pem "

static void
test_update_and_revoke(void **state)
{
    struct an_cert *cert;
    unsigned revoked;

    (void)state;
    cert = test_enrolled("cu", "/C=VN/O=Co quan mau/CN=cu");
    make_key("moi.key", EC_KEY);
    assert_true(test_run("openssl cmp -cmd kur " BY_KEY "-cert cu.pem -key cu.key -newkey moi.key -certout moi.pem", port));
    assert_true(test_run("openssl verify -CAfile root.pem -untrusted ca.pem moi.pem"));
    revoked = test_revoked;
    assert_false(test_run("openssl cmp -cmd rr " BY_KEY "-cert moi.pem -key moi.key -oldcert cu.pem -revreason 4", port)); /* another's */
    assert_int_equal(test_revoked, revoked);
    assert_true(test_run("openssl cmp -cmd rr " BY_KEY "-cert cu.pem -key cu.key -oldcert cu.pem -revreason 1", port));
    assert_int_equal(test_revoked, revoked + 1);
    assert_false(test_run("openssl cmp -cmd kur " BY_KEY "-cert cu.pem -key cu.key -newkey moi.key -certout no.pem", port));
    assert_true(test_output_has("certRevoked"));
    an_cert_unref(&cert);
}

/* A client that does not trust what it got says so: the certificate is revoked. */
static void
test_not_taken(void **state)
{
    unsigned revoked = test_revoked;

    (void)state;
    make_key("sau.key", EC_KEY);
    assert_false(test_run("openssl cmp -cmd ir " BY_SECRET "-ref ref-sau -secret pass:bi-mat-sau -newkey sau.key -subject '/C=VN/O=Co quan mau/CN=sau' -certout sau.pem -out_trusted ra.pem", port));
    assert_int_equal(test_revoked, revoked + 1);
}

/* What was sent once is not carried out twice. */
static void
test_replay(void **state)
{
    unsigned issued;

    (void)state;
    make_key("bay.key", EC_KEY);
    assert_true(test_run("openssl cmp -cmd ir " BY_SECRET "-ref ref-bay -secret pass:bi-mat-bay -newkey bay.key -subject '/C=VN/O=Co quan mau/CN=bay' -certout bay.pem -reqout r1.der,r2.der", port));
    issued = test_issued;
    for (int i = 1; i <= 2; i++) {
        assert_true(test_run("curl -sS --max-time 20 -H 'Content-Type: application/pkixcmp' --data-binary @r%d.der -o answer.der http://127.0.0.1:%u/cmp", i, port));
        assert_true(test_run("openssl asn1parse -inform DER -in answer.der"));
        assert_true(test_output_has(i == 1 ? "this CMP transaction is in use or was used before" : "repeat the nonce"));
    }
    assert_int_equal(test_issued, issued);
}

static void
test_est(void **state)
{
    struct an_cert *cert;

    (void)state;
    assert_true(test_run("curl -sS --fail http://127.0.0.1:%u/.well-known/est/cacerts | base64 -d | openssl pkcs7 -inform DER -print_certs -out est-ca.pem && grep -c BEGIN est-ca.pem", port));
    assert_true(test_output_has("2"));
    assert_true(test_run("curl -sS --fail http://127.0.0.1:%u/.well-known/est/csrattrs | base64 -d | openssl asn1parse -inform DER", port));
    make_key("est.key", EC_KEY);
    assert_true(test_run("openssl req -new -key est.key -subj '/C=VN/O=Co quan mau/CN=est' -outform DER | base64 > est.b64"));
    assert_true(test_run("curl -sS -w '%%{http_code}' -H 'Content-Type: application/pkcs10' --data-binary @est.b64 http://127.0.0.1:%u/.well-known/est/simpleenroll", port));
    assert_true(test_output_has("401"));
    assert_true(test_run("curl -sS -w '%%{http_code}' -u ref-est:sai -H 'Content-Type: application/pkcs10' --data-binary @est.b64 http://127.0.0.1:%u/.well-known/est/simpleenroll", port));
    assert_true(test_output_has("401"));
    assert_true(test_run("curl -sS --fail -u ref-est:bi-mat-est -H 'Content-Type: application/pkcs10' --data-binary @est.b64 http://127.0.0.1:%u/.well-known/est/simpleenroll | base64 -d | "
                         "openssl pkcs7 -inform DER -print_certs -out est.pem && openssl verify -CAfile root.pem -untrusted ca.pem est.pem", port));
    /* renewal by the certificate of the connection: same subject only */
    cert = test_enrolled("tls", "/C=VN/O=Co quan mau/CN=tls");
    an_cert_unref(&cert);
    make_key("tls2.key", EC_KEY);
    assert_true(test_run("openssl req -new -key tls2.key -subj '/C=VN/O=Co quan mau/CN=tls' -outform DER | base64 > tls.b64"));
    assert_true(test_run("curl -sS --fail -H 'X-Client: tls' -H 'Content-Type: application/pkcs10' --data-binary @tls.b64 http://127.0.0.1:%u/.well-known/est/simplereenroll | base64 -d | openssl pkcs7 -inform DER -print_certs", port));
    assert_true(test_output_has("CN = tls"));
    assert_true(test_run("curl -sS -w '%%{http_code}' -H 'X-Client: tls' -H 'Content-Type: application/pkcs10' --data-binary @est.b64 http://127.0.0.1:%u/.well-known/est/simplereenroll", port));
    assert_true(test_output_has("400"));
}

static void
test_est_refusals(void **state)
{
    static const struct { const char *arguments, *path, *status; } rows[] = {
        {"-d x", "serverkeygen", "501"}, {"-d x", "cacerts", "405"}, {"", "simpleenroll", "405"}, {"", "fullcmc", "404"},
        {"-u ref-est:bi-mat-est -H 'Content-Type: text/plain' -d x", "simpleenroll", "415"},
        {"-u ref-est:bi-mat-est -H 'Content-Type: application/pkcs10' -d '!!!'", "simpleenroll", "400"},
        {"-u ref-est:bi-mat-est -H 'Content-Type: application/pkcs10' -d MAAA", "simpleenroll", "400"},
        {"-H 'Authorization: Basic ?' -H 'Content-Type: application/pkcs10' -d MAAA", "simpleenroll", "401"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(rows); i++) {
        assert_true(test_run("curl -sS -w '%%{http_code}' %s http://127.0.0.1:%u/.well-known/est/%s", rows[i].arguments, port, rows[i].path));
        assert_true(test_output_has(rows[i].status));
    }
    assert_true(test_run("curl -sS -d x http://127.0.0.1:%u/.well-known/est/serverkeygen", port));
    assert_true(test_output_has("không tạo, không lưu khóa thay"));
}

/* Messages written octet by octet, by a second hand. */
static void
test_messages(void **state)
{
    (void)state;
    if (!test_run("python3 '" AN_SOURCE_DIR "/tests/enrol/messages.py' %u .", port)) {
        (void)test_output_has("never said");
        fail();
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ir), cmocka_unit_test(test_refusals), cmocka_unit_test(test_kinds), cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_update_and_revoke), cmocka_unit_test(test_not_taken), cmocka_unit_test(test_replay), cmocka_unit_test(test_est),
        cmocka_unit_test(test_est_refusals), cmocka_unit_test(test_messages),
    };

    return cmocka_run_group_tests_name("enrol", tests, open_host, close_host);
}
