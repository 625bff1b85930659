/*
 * XML Signature interoperability: the cases of the xmlsec test suite. Its expectation is about digests, the value and the
 * key it was told to use; the key files, secrets and anchors of `args` are handed over as options here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "cases.h"
#include "proc/proc.h"

#include <cmocka.h>

static struct an_verifier *verifier;
static size_t cases, agreed, excepted, wrong_accepts, wrong_rejects, not_given, unsupported;

/* The word after option in args, "$topfolder" and friends filled in; a path under the vectors. */
static char *
option_path(const char *args, const char *option, const char *group)
{
    const char *found = strstr(args, option), *word;
    char *path;
    size_t len;

    if (!found)
        return NULL;
    word = found + strlen(option);
    word += strcspn(word, " ");
    word += strspn(word, " ");
    if (strncmp(word, "$topfolder/", 11) == 0)
        word += 11, group = "";
    len = strcspn(word, " $");
    path = an_asprintf("%s/xmlsec/tests/%s%s%.*s", vectors_folder(), group, group[0] ? "/" : "", (int)len, word);
    return path;
}

static bool
read_first(char *path, const char *const *endings, struct an_buf *ret)
{
    bool found = false;

    for (size_t i = 0; endings[i] && !found && path; i++) {
        char *name = an_asprintf("%s%s", path, endings[i]);

        found = access(name, R_OK) == 0 && an_file_read(name, 1024 * 1024, ret, NULL) == AN_OK;
        free(name);
    }
    free(path);
    return found;
}

static bool
read_public_key(const char *args, const char *group, struct an_buf *ret)
{
    static const char *const endings[] = {"pem", "der", ".pem", ".der", NULL};
    struct an_buf text = an_buf_new(1024 * 1024);
    char label[64];
    size_t at = 0;
    bool found = read_first(option_path(args, "$pub_key_option", group), endings, &text) &&
                 an_pem_next(an_buf_view(&text), &at, ret, label);

    an_buf_free(&text);
    return found;
}

static void
read_anchors(const char *args, const char *group, struct an_certs *ret)
{
    static const char *const endings[] = {"pem", "der", NULL};
    const char *const options[] = {"--trusted-", "--untrusted-", "--pubkey-cert-"};

    for (size_t i = 0; i < AN_COUNT(options); i++)
        for (const char *at = strstr(args, options[i]); at; at = strstr(at + 1, options[i])) {
            struct an_buf text = an_buf_new(1024 * 1024);

            if (read_first(option_path(at, options[i], group), endings, &text))
                assert_int_equal(an_certs_read(ret, an_buf_view(&text), NULL), AN_OK);
            an_buf_free(&text);
        }
}

static bool
is_right(const struct an_report *report)
{
    bool right = report->signature_count > 0;

    for (size_t i = 0; i < report->signature_count; i++) {
        const struct an_signature_report *row = &report->signatures[i];

        for (size_t j = 0; j < row->finding_count; j++)
            if ((strcmp(row->findings[j].rule, "signature.value") == 0 || strcmp(row->findings[j].rule, "signature.integrity") == 0 ||
                 strcmp(row->findings[j].rule, "format.structure") == 0) &&
                row->findings[j].status != AN_FINDING_PASSED)
                right = false;
    }
    return right;
}

static void
say(const char *what, const json_t *row, an_code code, const struct an_err *err, const struct an_report *report)
{
    printf("# %s: %s (%s)\n", what, text_of(row, "id"), code == AN_OK ? "" : err->detail);
    for (size_t i = 0; i < report->signature_count; i++)
        for (size_t j = 0; j < report->signatures[i].finding_count; j++)
            if (report->signatures[i].findings[j].status == AN_FINDING_FAILED ||
                report->signatures[i].findings[j].status == AN_FINDING_INDETERMINATE)
                printf("#    %s %s %s\n", report->signatures[i].findings[j].rule,
                       an_message_find(report->signatures[i].findings[j].code)->symbol,
                       report->signatures[i].findings[j].detail);
}

static bool
has_finding(const struct an_report *report, an_code code)
{
    for (size_t i = 0; i < report->signature_count; i++)
        for (size_t j = 0; j < report->signatures[i].finding_count; j++)
            if (report->signatures[i].findings[j].code == code)
                return true;
    return false;
}

/* Not shown to be right; is that because the suite's keys and addresses are not among the vectors, or the algorithm is
 * none of ours? Wrong digests and values never are. */
static size_t *
excuse(const struct an_report *report)
{
    if (has_finding(report, AN_V_INTEGRITY_BAD) || has_finding(report, AN_V_VALUE_BAD))
        return NULL;
    if (has_finding(report, AN_V_XML_METHOD) || has_finding(report, AN_V_XML_TRANSFORM))
        return &unsupported;
    return has_finding(report, AN_V_DATA_MISSING) || has_finding(report, AN_V_VALUE_UNKNOWN) ||
                   has_finding(report, AN_V_XML_SECRET)
               ? &not_given
               : NULL;
}

/* An invalid case must not pass as a whole; a valid one must have the right digests and value. */
static void
judge(void *context, const json_t *row)
{
    static const char *const as_named[] = {"", NULL};
    const char *args = text_of(json_object_get(row, "extra"), "args"), *kind = text_of(row, "kind");
    const char *group = strchr(kind, '/') ? strchr(kind, '/') + 1 : "";
    struct an_buf secret = an_buf_new(4096), spki = an_buf_new(65536);
    struct an_certs anchors = {0};
    struct an_verify_options options = {.policy = "rfc5280", .content_fd = -1, .at = AN_TIME_NONE, .anchors = &anchors};
    struct an_report report = {0};
    struct an_file file = AN_FILE_NONE;
    struct an_err err = {0};
    char *path = an_asprintf("%s/%s", vectors_folder(), text_of(row, "file"));
    bool is_valid = strcmp(text_of(json_object_get(row, "expected"), "verdict"), "valid") == 0;
    an_code code;

    (void)context;
    if (read_first(option_path(args, "--hmackey", group), as_named, &secret))
        options.hmac_key = an_buf_view(&secret);
    else if (strstr(args, "--hmackey $topfolder/keys/hmackey.bin"))
        options.hmac_key = AN_LIT("secret"); /* what that file of the suite holds */
    if (read_public_key(args, group, &spki))
        options.public_key = an_buf_view(&spki);
    read_anchors(args, group, &anchors);
    code = an_file_open(path, 0, &file, &err);
    if (code == AN_OK)
        code = an_verify_file(verifier, &file, &options, &report, &err);
    cases++;
    if (is_valid ? code == AN_OK && is_right(&report) : code != AN_OK || report.indication != AN_TOTAL_PASSED) {
        agreed++;
    } else if (is_valid && code == AN_OK && excuse(&report)) {
        *excuse(&report) += 1;
    } else if (exception_of(text_of(row, "id"))) {
        excepted++;
    } else {
        *(is_valid ? &wrong_rejects : &wrong_accepts) += 1;
        say(is_valid ? "wrong reject" : "WRONG ACCEPT", row, code, &err, &report);
    }
    an_file_close(&file);
    an_report_done(&report);
    an_certs_done(&anchors);
    an_buf_free(&secret);
    an_buf_free(&spki);
    free(path);
}

static void
test_xmldsig(void **state)
{
    (void)state;
    if (!vectors_folder()) {
        printf("# xmldsig: the given vectors are not here; skipped\n");
        skip();
    }
    each_case("xmldsig", judge, NULL);
    printf("# xmldsig: %zu cases, %zu agree, %zu excepted, %zu with keys or contents that are not here, %zu with other algorithms, "
           "%zu wrong accepts, %zu wrong rejects\n", cases, agreed, excepted, not_given, unsupported, wrong_accepts, wrong_rejects);
    assert_int_equal(wrong_accepts, 0);
    assert_int_equal(wrong_rejects, 0);
}

static int
open_verifier(void **state)
{
    struct an_err err = {0};

    (void)state;
    return an_verifier_new(NULL, &verifier, &err) == AN_OK ? 0 : -1;
}

static int
close_verifier(void **state)
{
    (void)state;
    an_verifier_free(&verifier);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_xmldsig)};

    setvbuf(stdout, NULL, _IOLBF, 0);
    an_child_look_in(getenv("ANTIN_HELPERS"));
    return cmocka_run_group_tests(tests, open_verifier, close_verifier);
}
