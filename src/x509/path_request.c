/* The options of `antin cert verify` turned into a question for path validation. */
#include "x509/path_internal.h"

#include <ctype.h>
#include <strings.h>

#define REQUEST_NAMES_MAX 32

static const struct { const char *name, *oid;
} purposes[] = {
    {"serverAuth", "1.3.6.1.5.5.7.3.1"},       {"clientAuth", "1.3.6.1.5.5.7.3.2"},
    {"codeSigning", "1.3.6.1.5.5.7.3.3"},      {"emailProtection", "1.3.6.1.5.5.7.3.4"},
    {"timeStamping", "1.3.6.1.5.5.7.3.8"},     {"OCSPSigning", "1.3.6.1.5.5.7.3.9"},
    {"documentSigning", "1.3.6.1.5.5.7.3.36"},
};
static const struct { const char *name, *kind; } name_kinds[] = {
    {"dns", "dns"}, {"ip", "ip"}, {"email", "email"}, {"rfc822", "email"}, {"uri", "uri"}, {"dn", "dn"},
    {"upn", "upn"},
};
static const struct { const char *name; enum an_revocation_mode mode; } modes[] = {
    {"none", AN_REVOCATION_NONE}, {"if-available", AN_REVOCATION_IF_AVAILABLE}, {"require", AN_REVOCATION_REQUIRE},
};

static bool
is_oid(const char *text)
{
    struct an_buf content AN_CLEANUP(an_buf_free) = an_buf_new(256);

    return isdigit((unsigned char)text[0]) && an_oid_bytes(text, &content);
}

const char *
an_purpose_oid(const char *name)
{
    for (size_t i = 0; i < AN_COUNT(purposes); i++)
        if (strcasecmp(name, purposes[i].name) == 0)
            return purposes[i].oid;
    return is_oid(name) ? name : NULL;
}

static an_code
parse_name(const char *text, struct an_name_want *ret, struct an_err *reterr)
{
    const char *colon = strchr(text, ':');

    for (size_t i = 0; colon && colon[1] && i < AN_COUNT(name_kinds); i++)
        if (strlen(name_kinds[i].name) == (size_t)(colon - text) &&
            strncasecmp(text, name_kinds[i].name, (size_t)(colon - text)) == 0) {
            *ret = (struct an_name_want){name_kinds[i].kind, colon + 1};
            return AN_OK;
        }
    AN_FAIL(reterr, AN_E_PATH_OPTION, "name \"%.200s\": TYPE:VALUE with dns, ip, email, uri, dn, upn", text);
}

static an_code
parse_mode(const char *text, enum an_revocation_mode *ret, struct an_err *reterr)
{
    *ret = AN_REVOCATION_IF_AVAILABLE;
    if (!text)
        return AN_OK;
    for (size_t i = 0; i < AN_COUNT(modes); i++)
        if (strcmp(text, modes[i].name) == 0) {
            *ret = modes[i].mode;
            return AN_OK;
        }
    AN_FAIL(reterr, AN_E_PATH_OPTION, "revocation \"%.100s\": require, if-available, none", text);
}

static an_code
parse_purpose(const char *text, const char **ret, struct an_err *reterr)
{
    *ret = text ? an_purpose_oid(text) : NULL;
    if (text && !*ret)
        AN_FAIL(reterr, AN_E_PATH_OPTION, "purpose \"%.100s\"", text);
    return AN_OK;
}

static an_code
check_policies(const struct an_path_request *request, struct an_err *reterr)
{
    for (size_t i = 0; i < request->policy_count; i++)
        if (!is_oid(request->policy_oids[i]))
            AN_FAIL(reterr, AN_E_PATH_OPTION, "policy OID \"%.200s\"", request->policy_oids[i]);
    return AN_OK;
}

an_code
an_path_request_run(const struct an_path_request *request, struct an_path_result *ret, struct an_err *reterr)
{
    struct an_name_want names[REQUEST_NAMES_MAX];
    struct an_path_params params = {
        .anchors = request->anchors, .untrusted = request->untrusted, .crls = request->crls, .ocsps = request->ocsps,
        .at = request->at == AN_TIME_NONE ? an_time_now() : request->at, .status_at = AN_TIME_NONE, .now = AN_TIME_NONE,
        .freshness_max = -1, .policy_oids = request->policy_oids, .policy_count = request->policy_count,
        .explicit_policy = request->explicit_policy, .inhibit_mapping = request->inhibit_mapping,
        .inhibit_any_policy = request->inhibit_any_policy, .names = names, .name_count = request->name_count,
        .algorithms = request->algorithms, .fetch = request->fetch, .strict = !request->lenient,
    };

    if (request->name_count > REQUEST_NAMES_MAX)
        AN_FAIL(reterr, AN_E_PATH_OPTION, "more than %d names", REQUEST_NAMES_MAX);
    for (size_t i = 0; i < request->name_count; i++)
        AN_TRY(parse_name(request->names[i], &names[i], reterr));
    AN_TRY(parse_mode(request->revocation, &params.revocation, reterr));
    AN_TRY(parse_purpose(request->purpose, &params.purpose, reterr));
    AN_TRY(check_policies(request, reterr));
    an_path_validate(request->leaf, &params, ret);
    return AN_OK;
}
