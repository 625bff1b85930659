/* Certification requests: made by openssl, read here; broken octet by octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "asn1/oid.h"
#include "base/file.h"
#include "x509/csr.h"

static char folder[128];

static int
make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/antin-csr-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("rm -rf '%s'", folder);

    (void)state;
    return system(command);
}

static void
make_request(const char *arguments, struct an_buf *ret)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("cd '%s' && openssl req -new -nodes -keyout key -outform DER -out csr %s 2>out", folder, arguments);
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/csr", folder);

    assert_int_equal(system(command), 0);
    an_buf_free(ret);
    assert_int_equal(an_file_read(path, 1 << 20, ret, NULL), AN_OK);
}

static void
test_kinds(void **state)
{
    static const struct { const char *arguments; bool has_names; an_code possession; } rows[] = {
        {"-newkey rsa:2048 -sha256 -utf8 -subj '/C=VN/O=Cơ quan mẫu/CN=Máy chủ mẫu'", false, AN_OK},
        {"-newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=mau -addext subjectAltName=DNS:mau.gov.vn", true, AN_OK},
        {"-newkey ed25519 -subj /CN=mau", false, AN_OK},
        {"-newkey rsa:2048 -sha384 -sigopt rsa_padding_mode:pss -subj /CN=mau", false, AN_OK},
        {"-newkey rsa:2048 -sha1 -subj /CN=mau", false, AN_E_CSR_SIGNATURE},
        {"-newkey ec -pkeyopt ec_paramgen_curve:P-384 -subj / ", false, AN_OK},
    };
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(rows); i++) {
        AN_CLEANUP(an_csr_free) struct an_csr *csr = NULL;
        struct an_err err = {0};
        make_request(rows[i].arguments, &der);
        if (an_csr_parse(an_buf_view(&der), &csr, &err) != AN_OK)
            fail_msg("%s: %s", rows[i].arguments, err.detail);
        assert_int_equal(an_csr_find_extension(csr, AN_OID_SUBJECT_ALT_NAME) != NULL, rows[i].has_names);
        assert_int_equal(an_csr_check(csr, &err), rows[i].possession);
    }
}

static void
test_broken(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(1 << 20);
    size_t parsed = 0;

    (void)state;
    make_request("-newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj '/CN=mau/O=x' -addext keyUsage=digitalSignature", &der);
    for (size_t cut = 0; cut < der.len; cut++) {
        struct an_csr *csr = NULL;
        assert_int_not_equal(an_csr_parse(AN_BYTES(der.ptr, cut), &csr, NULL), AN_OK);
        assert_null(csr);
    }
    for (size_t at = 0; at < der.len; at++) { /* a changed octet: malformed, or no proof any more */
        AN_CLEANUP(an_csr_free) struct an_csr *csr = NULL;
        der.ptr[at] ^= 0x01;
        if (an_csr_parse(an_buf_view(&der), &csr, NULL) == AN_OK) {
            parsed++;
            assert_int_not_equal(an_csr_check(csr, NULL), AN_OK);
        }
        der.ptr[at] ^= 0x01;
    }
    assert_true(parsed > 50);
}

static void
test_challenge(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(1 << 20);
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/conf", folder);
    AN_CLEANUP(an_csr_free) struct an_csr *csr = NULL;

    (void)state;
    assert_int_equal(an_file_write(path, AN_LIT("[req]\nprompt=no\ndistinguished_name=n\nattributes=a\n[n]\nCN=mau\n[a]\nchallengePassword=bi-mat\n"), 0600, NULL), AN_OK);
    make_request("-newkey rsa:2048 -config conf", &der);
    assert_int_equal(an_csr_parse(an_buf_view(&der), &csr, NULL), AN_OK);
    assert_true(an_bytes_eq_str(csr->challenge, "bi-mat"));
    assert_int_equal(an_csr_parse(AN_BYTES(der.ptr, AN_LIMIT_CERT_BYTES + 1), &csr, NULL), AN_E_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds), cmocka_unit_test(test_broken), cmocka_unit_test(test_challenge)};

    return cmocka_run_group_tests_name("x509_csr", tests, make_folder, remove_folder);
}
