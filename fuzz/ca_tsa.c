/* Time-stamp requests from the network: every one gets an answer, and no answer is granted to what is not a request. */
#include "ca/ca.h"

#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct an_tsa tsa = {.policy_oid = "1.2.3.4", .accuracy_ms = 500};

static an_code
make_signer(struct an_signer **ret, struct an_err *err)
{
    AN_CLEANUP(an_buf_free) struct an_buf pem = an_buf_new(4096);
    char path[] = "/tmp/antin-fuzz-XXXXXX";
    struct an_privkey *key = NULL;
    int fd = mkstemp(path);
    an_code code = an_privkey_generate(AN_KEY_EC, 256, &key, err);

    if (code == AN_OK)
        code = an_privkey_encode(key, NULL, &pem, err);
    if (code == AN_OK && write(fd, pem.ptr, pem.len) != (ssize_t)pem.len)
        code = AN_E_INTERNAL;
    if (code == AN_OK)
        code = an_signer_open(path, (struct an_pin_source){0}, ret, err);
    an_privkey_free(&key);
    close(fd);
    unlink(path);
    return code;
}

static void
make_tsa(void)
{
    struct an_name_part name[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", "M\u1EABu"}, {"2.5.4.3", "Root"}};
    struct an_issue what = {.subject = name, .subject_count = 3, .not_before = 0, .not_after = 86400};
    const struct an_places places = {0};
    struct an_profiles *profiles = NULL;
    struct an_signer *root_key = NULL;
    struct an_cert *root = NULL;
    struct an_err err = {0};

    if (make_signer(&root_key, &err) != AN_OK || make_signer(&tsa.key, &err) != AN_OK || an_profiles_open(NULL, &profiles, &err) != AN_OK)
        abort();
    what.spki = an_signer_spki(root_key);
    if (an_ca_issue_once(profiles, "goc", NULL, root_key, &places, &what, &root, &err) != AN_OK)
        abort();
    name[2].text = "TSA";
    what.spki = an_signer_spki(tsa.key);
    if (an_ca_issue_once(profiles, "tsa", root, root_key, &places, &what, &tsa.cert, &err) != AN_OK)
        abort();
    an_cert_unref(&root);
    an_signer_close(&root_key);
    an_profiles_free(&profiles);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(AN_LIMIT_TSP_BYTES);
    struct an_err err = {0};
    struct an_tsp_query query;

    if (tsa.cert == NULL)
        make_tsa();
    if (an_tsa_answer(&tsa, AN_BYTES(data, size), 3600, &answer, &err) != AN_OK)
        abort();
    AN_ASSERT(answer.len > 0);
    AN_ASSERT(answer.len < 400 || an_tsp_request_parse(AN_BYTES(data, size), &query, NULL) == AN_OK);
    return 0;
}
