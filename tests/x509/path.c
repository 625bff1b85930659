/*
 * Path validation and status against the published suites: NIST PKITS, x509-limbo, OpenSSL's OCSP set. The manifests
 * are read at run time (ANTIN_VECTORS); without them the test says so and skips. PKITS and OCSP must agree in every
 * case; limbo in every case that limbo-exceptions.tsv does not name with its reason, and a named case that agrees is
 * an error too, so that the list stays true.
 */
#include "base/file.h"
#include "x509/path.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

#define NAMES_MAX 8

static const char *vectors_dir;

struct material {
    struct an_certs anchors, untrusted;
    struct an_crls crls;
    struct an_ocsps ocsps;
};

static void
material_done(struct material *m)
{
    an_certs_done(&m->anchors);
    an_certs_done(&m->untrusted);
    an_crls_unref(&m->crls);
    an_ocsps_unref(&m->ocsps);
}

static struct an_buf
read_vector(const char *path)
{
    struct an_buf content = an_buf_new(AN_LIMIT_CRL_BYTES);
    struct an_err err = {0};
    char *full = an_asprintf("%s/%s", vectors_dir, path);

    if (an_file_read(full, AN_LIMIT_CRL_BYTES, &content, &err) != AN_OK)
        fail_msg("%s: %s", full, err.detail);
    free(full);
    return content;
}

/* false: a file that our parser refuses; the case then stands or falls by that. */
static bool
read_certs(struct an_certs *set, json_t *paths)
{
    size_t i;
    json_t *path;
    bool is_whole = true;

    json_array_foreach(paths, i, path) {
        struct an_buf content = read_vector(json_string_value(path));

        is_whole &= an_certs_read(set, an_buf_view(&content), NULL) == AN_OK;
        an_buf_free(&content);
    }
    return is_whole;
}

static void
read_crls(struct an_crls *set, json_t *paths)
{
    size_t i;
    json_t *path;

    json_array_foreach(paths, i, path) {
        struct an_buf content = read_vector(json_string_value(path)), der = an_buf_new(AN_LIMIT_CRL_BYTES);
        struct an_crl *crl;
        size_t at = 0;
        char label[64];

        if (!an_pem_next(an_buf_view(&content), &at, &der, label))
            an_buf_append(&der, an_buf_view(&content));
        if (an_crl_parse(an_buf_view(&der), &crl, NULL) == AN_OK)
            *an_crls_push(set) = crl;
        an_buf_free(&content);
        an_buf_free(&der);
    }
}

static void
read_ocsps(struct an_ocsps *set, json_t *paths)
{
    size_t i;
    json_t *path;

    json_array_foreach(paths, i, path) {
        struct an_buf content = read_vector(json_string_value(path));
        struct an_ocsp *ocsp;

        if (an_ocsp_parse(an_buf_view(&content), &ocsp, NULL) == AN_OK)
            *an_ocsps_push(set) = ocsp;
        an_buf_free(&content);
    }
}

static bool
is_true(json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static const char *
text(json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

static void
set_policies(json_t *extra, struct an_path_params *params, const char **oids)
{
    json_t *set = json_object_get(extra, "user_initial_policy_set"), *oid;
    size_t i;

    json_array_foreach(set, i, oid) {
        assert_true(i < NAMES_MAX);
        if (strcmp(json_string_value(oid), "any_policy") != 0)
            oids[params->policy_count++] = json_string_value(oid);
    }
    params->policy_oids = oids;
    params->explicit_policy = is_true(extra, "initial_explicit_policy");
    params->inhibit_mapping = is_true(extra, "initial_policy_mapping_inhibit");
    params->inhibit_any_policy = is_true(extra, "initial_any_policy_inhibit");
}

static void
add_name(struct an_path_params *params, struct an_name_want *names, json_t *name)
{
    static const char *const kinds[][2] = {{"DNS", "dns"}, {"IP", "ip"}, {"RFC822", "email"}};

    for (size_t i = 0; json_is_object(name) && i < AN_COUNT(kinds); i++)
        if (strcmp(text(name, "kind"), kinds[i][0]) == 0)
            names[params->name_count++] = (struct an_name_want){kinds[i][1], text(name, "value")};
    params->names = names;
}

static void
set_names(json_t *extra, struct an_path_params *params, struct an_name_want *names)
{
    json_t *more = json_object_get(extra, "peer_names"), *name;
    size_t i;

    add_name(params, names, json_object_get(extra, "peer_name"));
    json_array_foreach(more, i, name) {
        assert_true(params->name_count < NAMES_MAX);
        add_name(params, names, name);
    }
}

static const char *
purpose_of(json_t *extra)
{
    json_t *ekus = json_object_get(extra, "extended_key_usage");
    const char *eku = json_string_value(json_array_get(ekus, 0));

    if (!eku)
        return NULL;
    return strcmp(eku, "serverAuth") == 0   ? "1.3.6.1.5.5.7.3.1"
           : strcmp(eku, "clientAuth") == 0 ? "1.3.6.1.5.5.7.3.2"
                                            : NULL;
}

/* The classes of reason that the PKITS manifest tells apart. */
static const char *
class_of(an_code why)
{
    switch (why) {
    case AN_V_PATH_REVOKED:
    case AN_V_PATH_CA_REVOKED:
    case AN_V_PATH_ON_HOLD:
        return "revoked";
    case AN_V_STATUS_STALE:
        return "stale-revocation-info";
    default:
        return why >= AN_V_STATUS_NONE && why <= AN_V_STATUS_BASE ? "no-revocation-info" : "path";
    }
}

struct outcome {
    bool is_valid;
    an_code why;
    size_t chain_count;
    char detail[200];
};

static void
run_case(json_t *vector, enum an_revocation_mode revocation, struct outcome *ret)
{
    json_t *extra = json_object_get(vector, "extra");
    struct material m AN_CLEANUP(material_done) = {0};
    struct an_certs leaves AN_CLEANUP(an_certs_done) = {0};
    struct an_name_want names[NAMES_MAX];
    const char *oids[NAMES_MAX];
    struct an_path_params params = {
        .status_at = AN_TIME_NONE, .now = AN_TIME_NONE, .freshness_max = -1, .strict = true};
    struct an_path_result result;
    const char *leaf = json_object_get(extra, "cert") ? text(extra, "cert") : text(vector, "file");
    json_t *leaf_list = json_pack("[s]", leaf);
    bool is_whole;

    *ret = (struct outcome){0};
    is_whole = read_certs(&leaves, leaf_list) && read_certs(&m.anchors, json_object_get(vector, "anchor")) &&
               read_certs(&m.untrusted, json_object_get(extra, "intermediates"));
    json_decref(leaf_list);
    read_crls(&m.crls, json_object_get(extra, "crls"));
    read_ocsps(&m.ocsps, json_object_get(extra, "ocsps"));
    if (leaves.count == 0 || !is_whole) {
        ret->why = AN_V_PATH_EXTENSION;
        snprintf(ret->detail, sizeof(ret->detail), "not parsed");
        if (leaves.count == 0)
            return;
    }
    params.anchors = &m.anchors;
    params.untrusted = &m.untrusted;
    params.crls = &m.crls;
    params.ocsps = &m.ocsps;
    params.revocation = revocation;
    params.at = json_is_string(json_object_get(vector, "time")) ? an_time_parse(an_bytes_of_str(text(vector, "time")))
                                                                : an_time_now();
    params.purpose = purpose_of(extra);
    set_policies(extra, &params, oids);
    set_names(extra, &params, names);
    an_path_validate(leaves.items[0], &params, &result);
    ret->is_valid = result.valid;
    ret->why = result.why;
    ret->chain_count = result.chain_count;
    memcpy(ret->detail, result.detail, sizeof(ret->detail));
    an_path_result_done(&result);
}

/* ---- manifests ---- */
static json_t *
load_manifest(const char *name)
{
    char *path, line[64 * 1024];
    json_t *all = json_array();
    FILE *file;

    if (!vectors_dir)
        return all;
    path = an_asprintf("%s/%s", vectors_dir, name);
    file = fopen(path, "r");
    free(path);
    while (file && fgets(line, sizeof(line), file)) {
        json_t *vector = json_loads(line, 0, NULL);

        assert_non_null(vector);
        json_array_append_new(all, vector);
    }
    if (file)
        fclose(file);
    return all;
}

static void
skip_if_empty(json_t *manifest, const char *name)
{
    if (json_array_size(manifest) > 0)
        return;
    print_message("%s: no vectors here (ANTIN_VECTORS), skipped\n", name);
    json_decref(manifest);
    skip();
}

static bool
is_expected(json_t *vector, const struct outcome *outcome, bool with_class)
{
    json_t *expected = json_object_get(vector, "expected");
    bool is_valid = strcmp(text(expected, "verdict"), "valid") == 0;

    if (is_valid != outcome->is_valid)
        return false;
    if (!with_class)
        return true;
    if (is_valid)
        return !json_is_integer(json_object_get(expected, "path_len")) ||
               (size_t)json_integer_value(json_object_get(expected, "path_len")) == outcome->chain_count;
    return strcmp(text(expected, "why"), class_of(outcome->why)) == 0;
}

static void
print_disagreement(json_t *vector, const struct outcome *outcome)
{
    json_t *expected = json_object_get(vector, "expected");

    print_message("  %s: expected %s %s, found %s %s (%s), %zu certificates\n", text(vector, "id"),
                  text(expected, "verdict"), text(expected, "why"), outcome->is_valid ? "valid" : "invalid",
                  outcome->why == AN_OK ? "" : an_message_find(outcome->why)->symbol, outcome->detail,
                  outcome->chain_count);
}

static enum an_revocation_mode
mode_of(json_t *vector)
{
    return strcmp(text(json_object_get(vector, "extra"), "revocation"), "require") == 0 ? AN_REVOCATION_REQUIRE
                                                                                     : AN_REVOCATION_IF_AVAILABLE;
}

static size_t
count_wrong(json_t *manifest, const char *name, bool (*is_in)(json_t *), enum an_revocation_mode (*mode)(json_t *))
{
    size_t i, wrong = 0, count = 0;
    json_t *vector;

    json_array_foreach(manifest, i, vector) {
        struct outcome outcome;

        if (is_in && !is_in(vector))
            continue;
        count++;
        run_case(vector, mode(vector), &outcome);
        if (is_expected(vector, &outcome, strncmp(name, "pkits", 5) == 0))
            continue;
        wrong++;
        print_disagreement(vector, &outcome);
    }
    print_message("%s: %zu of %zu\n", name, count - wrong, count);
    return wrong;
}

static void
test_pkits(void **state)
{
    json_t *manifest = load_manifest("pkits.jsonl");

    (void)state;
    skip_if_empty(manifest, "pkits");
    assert_int_equal(count_wrong(manifest, "pkits", NULL, mode_of), 0);
    json_decref(manifest);
}

static bool
has_certificate(json_t *vector)
{
    return json_object_get(json_object_get(vector, "extra"), "cert") != NULL;
}

static enum an_revocation_mode
require(json_t *vector)
{
    (void)vector;
    return AN_REVOCATION_REQUIRE;
}

static enum an_revocation_mode
if_available(json_t *vector)
{
    (void)vector;
    return AN_REVOCATION_IF_AVAILABLE;
}

static void
test_ocsp(void **state)
{
    json_t *manifest = load_manifest("ocsp.jsonl");

    (void)state;
    skip_if_empty(manifest, "ocsp");
    assert_int_equal(count_wrong(manifest, "ocsp, required", has_certificate, require), 0);
    assert_int_equal(count_wrong(manifest, "ocsp, if available", has_certificate, if_available), 0);
    json_decref(manifest);
}

/* ---- limbo ---- */
static bool
is_exception(const char *exceptions, const char *id)
{
    size_t len = strlen(id);
    const char *line = exceptions;

    for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, id, len) == 0 && line[len] == '\t')
            return true;
    return false;
}

static enum an_revocation_mode
mode_of_limbo(json_t *vector)
{
    return json_array_size(json_object_get(json_object_get(vector, "extra"), "crls")) > 0 ? AN_REVOCATION_REQUIRE
                                                                                        : AN_REVOCATION_NONE;
}

static void
test_limbo(void **state)
{
    json_t *manifest = load_manifest("limbo.jsonl"), *vector;
    struct an_buf content AN_CLEANUP(an_buf_free) = an_buf_new(64 * 1024);
    char *exceptions AN_CLEANUP(an_free_ptr) = NULL;
    size_t i, agreed = 0, surprises = 0;

    (void)state;
    skip_if_empty(manifest, "limbo");
    assert_int_equal(an_file_read(AN_SOURCE_DIR "/tests/x509/limbo-exceptions.tsv", 64 * 1024, &content, NULL), AN_OK);
    exceptions = an_buf_take_str(&content);
    json_array_foreach(manifest, i, vector) {
        struct outcome outcome;
        bool is_right, is_listed = is_exception(exceptions, text(vector, "id"));

        run_case(vector, mode_of_limbo(vector), &outcome);
        is_right = is_expected(vector, &outcome, false);
        agreed += is_right;
        if (!is_right || is_listed)
            print_disagreement(vector, &outcome);
        surprises += is_right == is_listed;
    }
    print_message("limbo: %zu of %zu\n", agreed, json_array_size(manifest));
    json_decref(manifest);
    assert_int_equal(surprises, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pkits),
        cmocka_unit_test(test_ocsp),
        cmocka_unit_test(test_limbo),
    };

    vectors_dir = getenv("ANTIN_VECTORS");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
