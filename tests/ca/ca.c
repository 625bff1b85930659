/* ca/: what we issue, judged by openssl. */
#include "base/file.h"
#include "ca/ca.h"
#include "ca/lint.h"
#include "ca/respond.h"
#include "x509/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#define DAY ((an_time)86400)
#define YEAR (365 * DAY)

static char folder[128];

struct party {
    const char *file;
    enum an_key_kind kind;
    int bits;
    const char *profile, *name;
    struct an_signer *key;
    struct an_cert *cert;
};
enum { ROOT, ISSUING, PERSON, AGENCY, DEVICE, OCSP, TSA, SECOND, SIM, CENTRAL, PARTIES };
static struct party parties[PARTIES] = {
    [ROOT] = {"root", AN_KEY_RSA, 2048, "goc", "RootCA chuyên dùng Mẫu"},
    [ISSUING] = {"issuing", AN_KEY_EC, 384, "trung-gian", "CA phục vụ các cơ quan Mẫu"},
    [PERSON] = {"person", AN_KEY_RSA, 2048, "ca-nhan", "Nguyễn Thị Ưởng"},
    [AGENCY] = {"agency", AN_KEY_EC, 256, "co-quan", "ỦY BAN NHÂN DÂN TỈNH MẪU"},
    [DEVICE] = {"device", AN_KEY_EC, 256, "thiet-bi", "Hệ thống quản lý văn bản"},
    [OCSP] = {"ocsp", AN_KEY_EC, 256, "ocsp", "OCSP Mẫu"},
    [TSA] = {"tsa", AN_KEY_RSA, 2048, "tsa", "TSA Mẫu"},
    [SECOND] = {"second", AN_KEY_RSA, 3072, "co-quan-thu-hai", "ỦY BAN NHÂN DÂN TỈNH MẪU"},
    [SIM] = {"sim", AN_KEY_EC, 256, "sim-pki", "Trần Văn Mẫu"},
    [CENTRAL] = {"central", AN_KEY_RSA, 2048, "tap-trung", "Lê Thị Mẫu"},
};
static struct an_profiles *profiles;
static an_time now;
static const struct an_places places = {.crl_url = "http://127.0.0.1/ca.crl", .issuer_url = "http://127.0.0.1/ca.crt", .ocsp_url = "http://127.0.0.1/ocsp",
                                        .cps_url = "https://ca.mau.vn/CP"};

/* ---- helpers ---- */
static void
expect(an_code got, an_code wanted, const struct an_err *err)
{
    if (got != wanted)
        fail_msg("%s (%s), wanted %s", an_message_find(got)->symbol, err->detail, an_message_find(wanted)->symbol);
}

static void
save(const char *name, an_bytes content)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", folder, name);
    struct an_err err = {0};

    expect(an_file_write(path, content, 0600, &err), AN_OK, &err);
}

/* Runs a shell line in the folder; its output is found in the file "out". */
static bool
run(const char *line)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("cd '%s' && (%s) > out 2>&1", folder, line);

    return system(command) == 0;
}

static bool
output_has(const char *text)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/out", folder);
    AN_CLEANUP(an_buf_free) struct an_buf content = an_buf_new(1 << 20);

    if (an_file_read(path, 1 << 20, &content, NULL) != AN_OK)
        return false;
    return an_bytes_find(an_buf_view(&content), an_bytes_of_str(text), 0) != SIZE_MAX;
}

static void
must(const char *line, const char *text)
{
    bool is_done = run(line);

    if (is_done && (text == NULL || output_has(text)))
        return;
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/out", folder);
    AN_CLEANUP(an_buf_free) struct an_buf content = an_buf_new(1 << 20);
    (void)!an_file_read(path, 1 << 20, &content, NULL);
    fail_msg("%s: \"%s\" not in: %.*s", line, text ? text : "", AN_FMT(an_buf_view(&content)));
}

static bool
is_authority(const struct party *party)
{
    return strcmp(party->profile, "goc") == 0 || strcmp(party->profile, "trung-gian") == 0;
}

static struct an_issue
request_of(const struct party *party, struct an_name_part parts[static 5])
{
    size_t count = 0;
    bool is_root = strcmp(party->profile, "goc") == 0, is_service = is_authority(party) || strcmp(party->profile, "ocsp") == 0 || strcmp(party->profile, "tsa") == 0;

    parts[count++] = (struct an_name_part){"2.5.4.6", "VN"};
    if (!is_root)
        parts[count++] = (struct an_name_part){"2.5.4.7", "Tỉnh Mẫu"};
    parts[count++] = (struct an_name_part){"2.5.4.10", "Cơ quan mẫu"};
    if (!is_root)
        parts[count++] = (struct an_name_part){"2.5.4.11", "Văn phòng"};
    parts[count++] = (struct an_name_part){"2.5.4.3", party->name};
    return (struct an_issue){.subject = parts, .subject_count = count, .email = is_service ? NULL : "mau@mau.gov.vn",
                             .spki = an_signer_spki(party->key), .not_before = now - DAY, .not_after = now + 4 * YEAR};
}

static struct party *
issuer_of(size_t who)
{
    return who == ROOT ? NULL : who == ISSUING ? &parties[ROOT] : &parties[ISSUING];
}

static int
make_authority(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/antin-ca-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    now = an_time_now();
    expect(an_profiles_open(NULL, &profiles, &(struct an_err){0}), AN_OK, &(struct an_err){0});
    for (size_t i = 0; i < PARTIES; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf pem = an_buf_new(65536);
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s.key", folder, parties[i].file);
        AN_CLEANUP(an_free_ptr) char *name = an_asprintf("%s.der", parties[i].file);
        struct an_privkey *key = NULL;
        struct an_name_part parts[5];
        struct an_err err = {0};
        struct party *issuer = issuer_of(i);
        expect(an_privkey_generate(parties[i].kind, parties[i].bits, &key, &err), AN_OK, &err);
        expect(an_privkey_encode(key, NULL, &pem, &err), AN_OK, &err);
        an_privkey_free(&key);
        expect(an_file_write(path, an_buf_view(&pem), 0600, &err), AN_OK, &err);
        expect(an_signer_open(path, (struct an_pin_source){0}, &parties[i].key, &err), AN_OK, &err);
        struct an_issue what = request_of(&parties[i], parts);
        if (is_authority(&parties[i]))
            what.not_after = now + 19 * YEAR;
        expect(an_ca_issue_once(profiles, parties[i].profile, issuer ? issuer->cert : NULL, issuer ? issuer->key : parties[i].key, &places, &what, &parties[i].cert, &err), AN_OK, &err);
        save(name, parties[i].cert->der);
    }
    must("for f in *.der; do openssl x509 -inform DER -in $f -out ${f%.der}.pem || exit 1; done", NULL);
    return 0;
}

static int
remove_authority(void **state)
{
    char command[200];

    (void)state;
    for (size_t i = 0; i < PARTIES; i++) {
        an_signer_close(&parties[i].key);
        an_cert_unref(&parties[i].cert);
    }
    an_profiles_free(&profiles);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

/* ---- certificates ---- */
static void
openssl_accepts_every_path(void **state)
{
    static const struct { const char *line, *text; } table[] = {
        {"openssl verify -x509_strict -CAfile root.pem root.pem", "root.pem: OK"},
        {"openssl verify -x509_strict -CAfile root.pem issuing.pem", "issuing.pem: OK"},
        {"openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem -purpose smimesign person.pem", "person.pem: OK"},
        {"openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem -purpose smimesign agency.pem", "agency.pem: OK"},
        {"openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem -purpose sslclient device.pem", "device.pem: OK"},
        {"openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem -purpose timestampsign tsa.pem", "tsa.pem: OK"},
        {"openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem -purpose ocsphelper ocsp.pem", "ocsp.pem: OK"},
        {"openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem -purpose smimesign second.pem sim.pem central.pem", "central.pem: OK"},
        {"openssl verify -x509_strict -CAfile root.pem -untrusted issuing.pem -policy 2.16.704.1.1.1.1.1 -explicit_policy person.pem", "person.pem: OK"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++)
        must(table[i].line, table[i].text);
    for (size_t i = PERSON; i < PARTIES; i++) {
        AN_CLEANUP(an_free_ptr) char *line = an_asprintf("cat %s.pem issuing.pem root.pem > chain.pem && certtool --verify --load-ca-certificate root.pem --infile chain.pem", parties[i].file);
        must(line, "Chain verification output: Verified. The certificate is trusted.");
    }
}

static void
our_own_validation_accepts_every_path(void **state)
{
    struct an_certs anchors = {0}, untrusted = {0};

    (void)state;
    an_certs_add(&anchors, parties[ROOT].cert);
    an_certs_add(&untrusted, parties[ISSUING].cert);
    for (size_t i = ISSUING; i < PARTIES; i++) {
        struct an_path_params params = {.anchors = &anchors, .untrusted = &untrusted, .at = now, .status_at = AN_TIME_NONE, .now = AN_TIME_NONE,
                                        .freshness_max = -1, .strict = true};
        struct an_path_result result = {0};
        an_path_validate(parties[i].cert, &params, &result);
        if (!result.valid)
            fail_msg("%s: %s %s", parties[i].file, an_message_find(result.why)->symbol, result.detail);
        an_path_result_done(&result);
    }
    an_certs_done(&anchors);
    an_certs_done(&untrusted);
}

static void
print_finding(void *context, const struct an_lint *lint)
{
    size_t *count = context;

    if (lint->severity == AN_LINT_NOTE)
        return;
    print_message("%s: %s\n", lint->id, lint->en);
    (*count)++;
}

/* No error, and no warning either; and the name check of the linter agrees with that on texts. */
static void
nothing_to_lint(void **state)
{
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < PARTIES; i++) {
        struct an_lint_plan plan = {.issuer = issuer_of(i) ? issuer_of(i)->cert : NULL, .each = print_finding, .context = &count};
        assert_int_equal(an_profiles_find(profiles, parties[i].profile, &plan.profile, NULL), AN_OK);
        an_lint_cert(parties[i].cert->der, &plan);
        assert_int_equal(an_lint_guess(parties[i].cert->der), AN_LINT_CERT);
        if (count != 0)
            fail_msg("%s", parties[i].file);
    }
}

static void
fields_are_as_fielded(void **state)
{
    static const struct { const char *file, *text; } table[] = {
        {"root", "CA:TRUE"}, {"root", "Certificate Sign, CRL Sign"},
        {"issuing", "CA:TRUE, pathlen:0"},
        {"person", "Digital Signature, Non Repudiation, Key Encipherment, Data Encipherment"},
        {"person", "TLS Web Client Authentication, E-mail Protection, Microsoft Smartcard Login"},
        {"person", "Policy: 2.16.704.1.1.1.1.1"}, {"person", "CPS: https://ca.mau.vn/CP"},
        {"person", "CA Issuers - URI:http://127.0.0.1/ca.crt"}, {"person", "OCSP - URI:http://127.0.0.1/ocsp"},
        {"agency", "Digital Signature, Non Repudiation"}, {"second", "Public-Key: (3072 bit)"}, {"person", "URI:http://127.0.0.1/ca.crl"}, {"person", "email:mau@mau.gov.vn"},
        {"person", "X509v3 Authority Key Identifier"}, {"person", "X509v3 Subject Key Identifier"},
        {"person", "Subject: C = VN, L = Tỉnh Mẫu, O = Cơ quan mẫu, OU = Văn phòng, CN = Nguyễn Thị Ưởng"},
        {"ocsp", "OCSP No Check"}, {"ocsp", "OCSP Signing"},
        {"tsa", "X509v3 Extended Key Usage: critical"}, {"tsa", "Time Stamping"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_free_ptr) char *line = an_asprintf("openssl x509 -in %s.pem -noout -text -nameopt utf8,sep_comma_plus_space,space_eq", table[i].file);
        must(line, table[i].text);
    }
    must("openssl asn1parse -in person.pem | grep -A1 countryName", "PRINTABLESTRING   :VN");
    must("openssl asn1parse -in person.pem | grep -A1 commonName", "UTF8STRING");
    for (size_t i = 0; i < PARTIES; i++) {
        assert_int_equal(parties[i].cert->serial.len, 20);
        assert_true((parties[i].cert->serial.ptr[0] & 0x80) == 0);
    }
}

struct change { const char *name; an_code want; };

static void
law_and_sense_are_kept(void **state)
{
    static const struct change changes[] = {
        {"five years", AN_OK}, {"longer than five years", AN_E_CA_VALIDITY}, {"ends before it starts", AN_E_CA_TIME},
        {"starts before the issuer", AN_E_CA_TIME}, {"no common name", AN_E_CA_NAME}, {"name before country", AN_E_CA_NAME}, {"another country", AN_E_CA_NAME},
        {"a part too many", AN_E_CA_NAME}, {"a part the profile does not know", AN_E_CA_NAME}, {"too long", AN_E_CA_NAME}, {"blank at the end", AN_E_CA_NAME},
        {"not UTF-8", AN_E_CA_NAME}, {"hidden character", AN_E_CA_LINT}, {"weak key", AN_E_CA_KEY}, {"foreign key", AN_E_CA_ISSUER}, {"issued by a person", AN_E_CA_ISSUER},
        {"self-signed person", AN_E_CA_ISSUER}, {"authority under pathlen 0", AN_E_CA_ISSUER}, {"bad e-mail", AN_E_CA_EMAIL}, {"no e-mail", AN_E_CA_EMAIL},
        {"public mail service", AN_E_CA_EMAIL_PUBLIC}, {"below a public mail service", AN_E_CA_EMAIL_PUBLIC}, {"a name like one", AN_OK},
        {"renewed for three years", AN_OK}, {"renewed for longer", AN_E_CA_VALIDITY}, {"no such profile", AN_E_PROFILE_UNKNOWN},
        {"bad address", AN_E_CA_FIELD}, {"serial number too long", AN_E_CA_FIELD}, {"no key", AN_E_KEY_PUBLIC},
    };
    AN_CLEANUP(an_buf_free) struct an_buf weak = an_buf_new(4096);
    struct an_privkey *weak_key = NULL;
    struct an_err err = {0};

    (void)state;
    expect(an_privkey_generate(AN_KEY_RSA, 1024, &weak_key, &err), AN_OK, &err);
    expect(an_privkey_spki(weak_key, &weak, &err), AN_OK, &err);
    an_privkey_free(&weak_key);
    for (size_t i = 0; i < AN_COUNT(changes); i++) {
        struct an_name_part parts[5];
        struct an_issue what = request_of(&parties[PERSON], parts);
        struct an_cert *issuer = parties[ISSUING].cert, *cert = NULL;
        struct an_signer *key = parties[ISSUING].key;
        const char *name = changes[i].name, *profile = "ca-nhan";
        struct an_places where = places;
        static char long_name[256 * 3 + 1];
        if (strcmp(name, "five years") == 0)
            what.not_after = what.not_before + 5 * YEAR + DAY;
        else if (strcmp(name, "longer than five years") == 0)
            what.not_after = what.not_before + 5 * YEAR + 3 * DAY;
        else if (strcmp(name, "ends before it starts") == 0)
            what.not_after = what.not_before;
        else if (strcmp(name, "starts before the issuer") == 0)
            what.not_before -= 10 * DAY;
        else if (strcmp(name, "no common name") == 0)
            what.subject_count = 4;
        else if (strcmp(name, "name before country") == 0)
            parts[0].oid = "2.5.4.3";
        else if (strcmp(name, "another country") == 0)
            parts[0].text = "LA";
        else if (strcmp(name, "a part too many") == 0)
            parts[3].oid = "2.5.4.3";
        else if (strcmp(name, "a part the profile does not know") == 0)
            parts[3].oid = "2.5.4.97";
        else if (strcmp(name, "too long") == 0) {
            for (size_t k = 0; k < 256; k++)
                memcpy(long_name + 3 * k, "ệ", 3);
            parts[4].text = long_name;
        } else if (strcmp(name, "blank at the end") == 0)
            parts[4].text = "Nguyễn Văn Mẫu ";
        else if (strcmp(name, "not UTF-8") == 0)
            parts[4].text = "\xff";
        else if (strcmp(name, "hidden character") == 0)
            parts[4].text = "Nguyễn\u200BVăn Mẫu";
        else if (strcmp(name, "weak key") == 0)
            what.spki = an_buf_view(&weak);
        else if (strcmp(name, "foreign key") == 0)
            key = parties[AGENCY].key;
        else if (strcmp(name, "issued by a person") == 0)
            issuer = parties[AGENCY].cert, key = parties[AGENCY].key;
        else if (strcmp(name, "self-signed person") == 0)
            issuer = NULL, key = parties[PERSON].key;
        else if (strcmp(name, "authority under pathlen 0") == 0)
            profile = "trung-gian";
        else if (strcmp(name, "bad e-mail") == 0)
            what.email = "không phải địa chỉ";
        else if (strcmp(name, "no e-mail") == 0)
            what.email = NULL;
        else if (strcmp(name, "public mail service") == 0)
            what.email = "mau@Gmail.com";
        else if (strcmp(name, "below a public mail service") == 0)
            what.email = "mau@thu.yahoo.com.vn";
        else if (strcmp(name, "a name like one") == 0)
            what.email = "mau@notgmail.com";
        else if (strcmp(name, "renewed for three years") == 0)
            what.is_renewed = true, what.not_after = what.not_before + 3 * YEAR;
        else if (strcmp(name, "renewed for longer") == 0)
            what.is_renewed = true, what.not_after = what.not_before + 3 * YEAR + 3 * DAY;
        else if (strcmp(name, "no such profile") == 0)
            profile = "khong-co";
        else if (strcmp(name, "bad address") == 0)
            where.crl_url = "ca.crl";
        else if (strcmp(name, "serial number too long") == 0)
            what.serial = AN_LIT("123456789012345678901");
        else if (strcmp(name, "no key") == 0)
            what.spki = AN_NONE;
        an_code code = an_ca_issue_once(profiles, profile, issuer, key, &where, &what, &cert, &err);
        if (code != changes[i].want)
            fail_msg("%s: %s %s", name, an_message_find(code)->symbol, err.detail);
        if (code != AN_OK)
            assert_null(cert);
        an_cert_unref(&cert);
    }
    assert_string_equal(an_message_find(AN_E_CA_VALIDITY)->cite, "nd-68-2024/9");
}

static void
never_outlives_its_issuer(void **state)
{
    struct an_name_part parts[5];
    struct an_issue what = request_of(&parties[TSA], parts);
    struct an_cert *cert = NULL;
    struct an_err err = {0};

    (void)state;
    what.not_before = parties[ISSUING].cert->not_after - YEAR;
    what.not_after = what.not_before + 10 * YEAR;
    expect(an_ca_issue_once(profiles, "tsa", parties[ISSUING].cert, parties[ISSUING].key, &places, &what, &cert, &err), AN_OK, &err);
    assert_int_equal(cert->not_after, parties[ISSUING].cert->not_after);
    an_cert_unref(&cert);
}

/* ---- lists ---- */
static void
lists_revoke(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CRL_BYTES), empty = an_buf_new(AN_LIMIT_CRL_BYTES);
    struct an_revocation revoked[] = {
        {parties[AGENCY].cert->serial, now - DAY, AN_REASON_KEY_COMPROMISE},
        {AN_LIT("\x05"), now - 2 * DAY, AN_REASON_UNSPECIFIED},
    };
    struct an_err err = {0};

    (void)state;
    expect(an_ca_crl(parties[ISSUING].cert, parties[ISSUING].key, revoked, 2, 7, now - 60, now + DAY, &der, &err), AN_OK, &err);
    expect(an_ca_crl(parties[ROOT].cert, parties[ROOT].key, NULL, 0, 1, now - 60, now + DAY, &empty, &err), AN_OK, &err);
    save("issuing.crl.der", an_buf_view(&der));
    save("root.crl.der", an_buf_view(&empty));
    must("openssl crl -inform DER -in issuing.crl.der -out issuing.crl && openssl crl -inform DER -in root.crl.der -out root.crl", NULL);
    must("openssl crl -in issuing.crl -noout -CAfile issuing.pem", "verify OK");
    must("openssl crl -in root.crl -noout -CAfile root.pem", "verify OK");
    must("openssl crl -in issuing.crl -noout -text", "Key Compromise");
    must("openssl crl -in issuing.crl -noout -text", "Version 2");
    must("openssl crl -in issuing.crl -noout -crlnumber", "0x07");
    must("openssl crl -in issuing.crl -noout -text", "Authority Key Identifier");
    must("openssl verify -crl_check_all -CAfile root.pem -untrusted issuing.pem -CRLfile root.crl -CRLfile issuing.crl person.pem", "person.pem: OK");
    assert_false(run("openssl verify -crl_check_all -CAfile root.pem -untrusted issuing.pem -CRLfile root.crl -CRLfile issuing.crl agency.pem"));
    assert_true(output_has("certificate revoked"));
    revoked[0].reason = AN_REASON_REMOVE_FROM_CRL;
    expect(an_ca_crl(parties[ISSUING].cert, parties[ISSUING].key, revoked, 1, 8, now, now + DAY, &der, &err), AN_E_CA_FIELD, &err);
    expect(an_ca_crl(parties[ISSUING].cert, parties[ISSUING].key, NULL, 0, 8, now, now, &der, &err), AN_E_CA_FIELD, &err);
    expect(an_ca_crl(parties[PERSON].cert, parties[PERSON].key, NULL, 0, 8, now, now + DAY, &der, &err), AN_E_CA_ISSUER, &err);
    expect(an_ca_crl(parties[ISSUING].cert, parties[ROOT].key, NULL, 0, 8, now, now + DAY, &der, &err), AN_E_CA_ISSUER, &err);
}

/* ---- answers ---- */
static void
answers_are_believed(void **state)
{
    static const struct { size_t subject, responder; bool is_revoked; const char *text; } table[] = {
        {PERSON, OCSP, false, "person.pem: good"}, {AGENCY, OCSP, true, "agency.pem: revoked"},
        {DEVICE, ISSUING, false, "device.pem: good"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf request = an_buf_new(65536), der = an_buf_new(65536);
        const struct party *subject = &parties[table[i].subject], *responder = &parties[table[i].responder];
        struct an_revocation revoked = {subject->cert->serial, now - DAY, AN_REASON_SUPERSEDED};
        struct an_ocsp_query query;
        size_t count = 0;
        an_bytes nonce = AN_NONE;
        struct an_err err = {0};
        AN_CLEANUP(an_free_ptr) char *ask = an_asprintf("openssl ocsp -issuer issuing.pem -cert %s.pem -reqout req.der", subject->file);
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/req.der", folder);
        AN_CLEANUP(an_free_ptr) char *status = an_asprintf("openssl ocsp -no_nonce -issuer issuing.pem -cert %s.pem -respin resp.der "
                                                           "-CAfile cas.pem -verify_other issuing.pem", subject->file);
        must(ask, NULL);
        expect(an_file_read(path, 65536, &request, &err), AN_OK, &err);
        expect(an_ocsp_request_parse(an_buf_view(&request), &query, 1, &count, &nonce, &err), AN_OK, &err);
        assert_true(nonce.len > 0);
        expect(an_ca_ocsp(parties[ISSUING].cert, table[i].responder == ISSUING ? NULL : responder->cert, responder->key, subject->cert,
                          table[i].is_revoked ? &revoked : NULL, now - 60, now + DAY, nonce, &der, &err), AN_OK, &err);
        save("resp.der", an_buf_view(&der));
        must("cat root.pem issuing.pem > cas.pem; openssl ocsp -reqin req.der -respin resp.der -CAfile cas.pem -verify_other issuing.pem", "Response verify OK");
        assert_false(output_has("Nonce")); /* it is the one that was asked with */
        must(status, table[i].text);
        must("openssl ocsp -respin resp.der -noverify -text", "OCSP Nonce");
        must("openssl ocsp -respin resp.der -noverify -text", "Responder Id: ");
    }
}

static void
only_responders_answer(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(65536);
    struct an_err err = {0};

    (void)state;
    expect(an_ca_ocsp(parties[ISSUING].cert, parties[DEVICE].cert, parties[DEVICE].key, parties[PERSON].cert, NULL, now, now + DAY, AN_NONE,
                      &der, &err), AN_E_CA_RESPONDER, &err);
    expect(an_ca_ocsp(parties[ISSUING].cert, parties[OCSP].cert, parties[DEVICE].key, parties[PERSON].cert, NULL, now, now + DAY, AN_NONE,
                      &der, &err), AN_E_CA_RESPONDER, &err);
    expect(an_ca_ocsp(parties[ROOT].cert, NULL, parties[ROOT].key, parties[PERSON].cert, NULL, now, now + DAY, AN_NONE, &der, &err),
           AN_E_CA_FIELD, &err);
}

/* ---- time-stamps ---- */
static int64_t accuracy_ms = 1000;

static an_code
stamp(const char *query_line, an_time when, struct an_buf *ret, struct an_err *err)
{
    AN_CLEANUP(an_buf_free) struct an_buf request = an_buf_new(65536);
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/q.tsq", folder);
    struct an_certs chain = {0};
    an_code code;

    must(query_line, NULL);
    expect(an_file_read(path, 65536, &request, err), AN_OK, err);
    an_certs_add(&chain, parties[ISSUING].cert);
    const struct an_tsa tsa = {.key = parties[TSA].key, .cert = parties[TSA].cert, .chain = &chain, .policy_oid = "2.16.704.1.1.1.2",
                               .accuracy_ms = accuracy_ms};
    code = an_tsa_answer(&tsa, an_buf_view(&request), when, ret, err);
    an_certs_done(&chain);
    if (code == AN_OK)
        save("a.tsr", an_buf_view(ret));
    return code;
}

static void
stamps_are_believed(void **state)
{
    static const char *const queries[] = {
        "echo mau > data; openssl ts -query -data data -sha256 -cert -out q.tsq",
        "openssl ts -query -data data -sha512 -cert -no_nonce -out q.tsq",
        "openssl ts -query -data data -sha384 -cert -tspolicy 2.16.704.1.1.1.2 -out q.tsq",
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(queries); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(65536);
        struct an_err err = {0};
        expect(stamp(queries[i], now, &answer, &err), AN_OK, &err);
        must("openssl ts -verify -queryfile q.tsq -in a.tsr -CAfile root.pem -untrusted issuing.pem", "Verification: OK");
        must("openssl ts -verify -data data -in a.tsr -CAfile root.pem -untrusted issuing.pem", "Verification: OK");
        must("openssl ts -reply -in a.tsr -text", "Accuracy: 0x01 seconds, unspecified millis");
        assert_true(output_has("Ordering: no"));
        assert_true(output_has("Policy OID: 2.16.704.1.1.1.2"));
    }
}

/* One digest of 65,536 begins like a SEQUENCE; it is nobody's DER and is stamped like any other. */
static void
digests_may_look_like_der(void **state)
{
    static const char *const digests[] = {
        "301e0100000000000000000000000000000000000000000000000000000000ff", /* a BOOLEAN of no octets, and so on */
        "301e020200010000000000000000000000000000000000000000000000000000", /* an INTEGER with an octet too many */
        "301e308000000000000000000000000000000000000000000000000000000000", /* an indefinite length */
        "301e051c00000000000000000000000000000000000000000000000000000000", /* a NULL that is not empty */
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(digests); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(65536);
        AN_CLEANUP(an_free_ptr) char *query = an_asprintf("openssl ts -query -digest %s -sha256 -cert -out q.tsq", digests[i]);
        struct an_err err = {0};
        expect(stamp(query, now, &answer, &err), AN_OK, &err);
        must("openssl ts -verify -queryfile q.tsq -in a.tsr -CAfile root.pem -untrusted issuing.pem", "Verification: OK");
    }
}

static void
certificates_only_when_asked(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf with = an_buf_new(65536), without = an_buf_new(65536);
    struct an_err err = {0};

    (void)state;
    expect(stamp("echo mau > data; openssl ts -query -data data -sha256 -cert -out q.tsq", now, &with, &err), AN_OK, &err);
    expect(stamp("openssl ts -query -data data -sha256 -out q.tsq", now, &without, &err), AN_OK, &err);
    assert_true(with.len > without.len + parties[TSA].cert->der.len + parties[ISSUING].cert->der.len - 16);
    must("openssl ts -verify -queryfile q.tsq -in a.tsr -CAfile root.pem -untrusted issuing.pem -untrusted tsa.pem; cat issuing.pem tsa.pem > un.pem;"
         "openssl ts -verify -queryfile q.tsq -in a.tsr -CAfile root.pem -untrusted un.pem", "Verification: OK");
}

/* ETSI EN 319 421 7.7.1: what states less than a second's accuracy does not leave. */
static void
what_the_linter_refuses_stays(void **state)
{
    static const struct { int64_t accuracy_ms; an_code want; } table[] = {{1000, AN_OK}, {1001, AN_E_CA_LINT_ANSWER}, {2000, AN_E_CA_LINT_ANSWER}, {1, AN_OK}};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(65536);
        struct an_err err = {0};
        accuracy_ms = table[i].accuracy_ms;
        expect(stamp("echo mau > data; openssl ts -query -data data -sha256 -cert -out q.tsq", now, &answer, &err), table[i].want, &err);
        assert_true((answer.len == 0) == (table[i].want != AN_OK));
        assert_true(table[i].want == AN_OK || strstr(err.detail, "tst.accuracy.coarse") != NULL);
    }
    accuracy_ms = 1000;
}

static an_code
say_good(void *context, int64_t authority, an_bytes serial, struct an_known_status *ret, struct an_err *err)
{
    (void)context, (void)authority, (void)serial, (void)err;
    *ret = (struct an_known_status){.is_issued = true};
    return AN_OK;
}

/* Several requests in one round: each has its own answer; an answer that is over before it begins is not given. */
static void
rounds_are_answered_one_by_one(void **state)
{
    static const struct { int64_t fresh_seconds; an_code want; } table[] = {{3600, AN_OK}, {-3600, AN_E_CA_LINT_ANSWER}};
    static const char *const asked[] = {"person", "agency", "person"};
    struct an_respond_authority authority = {.id = 1, .issuer = parties[ISSUING].cert, .signer = parties[OCSP].cert, .key = parties[OCSP].key};
    const struct an_respond_authority *const all[] = {&authority};
    struct an_buf requests[AN_COUNT(asked)], answers[AN_COUNT(asked)];
    struct an_err err = {0};

    (void)state;
    expect(an_respond_prepare(&authority, &err), AN_OK, &err);
    for (size_t t = 0; t < AN_COUNT(table); t++) {
        const struct an_responder responder = {.authorities = all, .count = 1, .find = say_good, .fresh_seconds = table[t].fresh_seconds};
        struct an_respond_draft drafts[AN_COUNT(asked)] = {{.code = AN_OK}};
        for (size_t i = 0; i < AN_COUNT(asked); i++) {
            AN_CLEANUP(an_free_ptr) char *line = an_asprintf("openssl ocsp -issuer issuing.pem -cert %s.pem %s -reqout q%zu.der", asked[i], i == 1 ? "-no_nonce" : "-nonce", i);
            AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/q%zu.der", folder, i);
            must(line, NULL);
            requests[i] = an_buf_new(65536);
            answers[i] = an_buf_new(65536);
            expect(an_file_read(path, 65536, &requests[i], &err), AN_OK, &err);
            drafts[i].request = an_buf_view(&requests[i]);
            drafts[i].ret = &answers[i];
            expect(an_respond_draft(&responder, now, &drafts[i], &err), AN_OK, &err);
        }
        an_respond_finish(drafts, AN_COUNT(asked));
        for (size_t i = 0; i < AN_COUNT(asked); i++) {
            expect(drafts[i].code, table[t].want, &drafts[i].err);
            if (table[t].want == AN_OK) {
                AN_CLEANUP(an_free_ptr) char *line = an_asprintf("openssl ocsp -no_nonce -reqin q%zu.der -respin a.ocsp -CAfile root.pem -verify_other issuing.pem", i);
                save("a.ocsp", an_buf_view(&answers[i]));
                must(line, "Response verify OK");
                assert_false(output_has("nonce")); /* neither missing nor another one's */
            }
            an_respond_draft_done(&drafts[i]);
            an_buf_free(&requests[i]);
            an_buf_free(&answers[i]);
        }
    }
}

static void
refusals_say_why(void **state)
{
    static const struct { const char *query, *text; bool at_bad_time; } table[] = {
        {"echo mau > data; openssl ts -query -data data -sha1 -out q.tsq", "unrecognized or unsupported algorithm", false},
        {"openssl ts -query -data data -md5 -out q.tsq", "unrecognized or unsupported algorithm", false},
        {"openssl ts -query -data data -sha256 -tspolicy 1.2.3.4 -out q.tsq", "the requested TSA policy is not supported", false},
        {"echo khong-phai-DER > q.tsq", "the data submitted has the wrong format", false},
        {"printf '\\060\\003\\002\\001\\002' > q.tsq", "transaction not permitted or supported", false},
        {"openssl ts -query -data data -sha256 -out q.tsq", "the TSA's time source is not available", true},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(65536);
        struct an_err err = {0};
        expect(stamp(table[i].query, table[i].at_bad_time ? now + 40 * YEAR : now, &answer, &err), AN_OK, &err);
        must("openssl ts -reply -in a.tsr -text", table[i].text);
        assert_true(output_has("Status: Rejected"));
    }
}

static void
only_a_tsa_stamps(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(65536);
    const struct an_tsa person = {.key = parties[PERSON].key, .cert = parties[PERSON].cert, .policy_oid = "1.2.3"};
    const struct an_tsa other_key = {.key = parties[PERSON].key, .cert = parties[TSA].cert, .policy_oid = "1.2.3"};
    struct an_err err = {0};

    (void)state;
    expect(an_tsa_answer(&person, AN_LIT("x"), now, &answer, &err), AN_E_TSA_SETUP, &err);
    expect(an_tsa_answer(&other_key, AN_LIT("x"), now, &answer, &err), AN_E_TSA_SETUP, &err);
    assert_int_equal(answer.len, 0);
}

/* However a person writes a name, the certificate has it in the order of the profile; what is not known there stays, to be refused. */
static void
names_are_arranged(void **state)
{
    static const struct { const char *text, *wanted; } table[] = {
        {"C=VN, O=Mẫu, CN=A", "C=VN|O=Mẫu|CN=A"},
        {"/C=VN/O=Mẫu/CN=A", "C=VN|O=Mẫu|CN=A"},
        {"CN=A,OU=Hẹp,OU=Rộng,O=Mẫu,C=VN", "C=VN|O=Mẫu|OU=Rộng|OU=Hẹp|CN=A"},
        {"O=Mẫu, CN=A", "C=VN|O=Mẫu|CN=A"},
        {"C=VN, O=Mẫu\\, Lẻ, L=Tỉnh Mẫu, CN=A", "C=VN|L=Tỉnh Mẫu|O=Mẫu, Lẻ|CN=A"},
        {"C=US, O=Mẫu, CN=A, UID=1", "C=US|O=Mẫu|CN=A|UID=1"},
    };
    const struct an_profile *profile;

    (void)state;
    assert_int_equal(an_profiles_find(profiles, "ca-nhan", &profile, NULL), AN_OK);
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(4096);
        struct an_name_part typed[8], arranged[8 + AN_PROFILE_PARTS_MAX];
        AN_CLEANUP(an_buf_free) struct an_buf got = an_buf_new(1024);
        size_t count = 0;
        assert_int_equal(an_name_parts_parse(table[i].text, arena, typed, AN_COUNT(typed), &count, NULL), AN_OK);
        count = an_profile_arrange_subject(profile, typed, count, arranged);
        for (size_t k = 0; k < count; k++)
            an_buf_printf(&got, "%s%s=%s", k ? "|" : "", an_name_part_name(arranged[k].oid), arranged[k].text);
        AN_CLEANUP(an_free_ptr) char *text = an_buf_take_str(&got);
        assert_string_equal(text, table[i].wanted);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_accepts_every_path), cmocka_unit_test(our_own_validation_accepts_every_path), cmocka_unit_test(nothing_to_lint), cmocka_unit_test(fields_are_as_fielded), cmocka_unit_test(law_and_sense_are_kept),
        cmocka_unit_test(never_outlives_its_issuer), cmocka_unit_test(lists_revoke), cmocka_unit_test(answers_are_believed),
        cmocka_unit_test(only_responders_answer), cmocka_unit_test(stamps_are_believed), cmocka_unit_test(what_the_linter_refuses_stays), cmocka_unit_test(rounds_are_answered_one_by_one), cmocka_unit_test(digests_may_look_like_der), cmocka_unit_test(certificates_only_when_asked),
        cmocka_unit_test(refusals_say_why), cmocka_unit_test(only_a_tsa_stamps), cmocka_unit_test(names_are_arranged),
    };

    return cmocka_run_group_tests_name("ca", tests, make_authority, remove_authority);
}
