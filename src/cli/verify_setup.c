#include "cli/verify_setup.h"

static an_code
read_revocation(const char *text, int *ret, struct an_err *reterr)
{
    static const struct {
        const char *name;
        enum an_revocation_mode mode;
    } modes[] = {
        {"none", AN_REVOCATION_NONE}, {"if-available", AN_REVOCATION_IF_AVAILABLE}, {"require", AN_REVOCATION_REQUIRE}};

    if (text == NULL)
        return AN_OK;
    for (size_t i = 0; i < AN_COUNT(modes); i++)
        if (strcmp(text, modes[i].name) == 0) {
            *ret = (int)modes[i].mode + 1;
            return AN_OK;
        }
    AN_FAIL(reterr, AN_E_CLI_VALUE, "--revocation %s", text);
}

an_code
verify_setup_load(const struct verify_args *args, struct material_cache *cache, an_path_fetch fetch,
                  struct verify_setup *ret, struct an_err *reterr)
{
    const struct material_paths paths = {&args->trust, &args->untrusted, &args->crl, &args->ocsp};
    struct an_verify_options *o = &ret->options;

    AN_TRY(material_load(cache, &paths, false, &ret->material, reterr));
    AN_TRY(material_time(args->at, &o->at, reterr));
    AN_TRY(read_revocation(args->revocation, &o->revocation, reterr));
    AN_TRY(material_password(args->password_file, &ret->password, reterr));
    if (args->content != NULL)
        AN_TRY(an_file_open(args->content, 0, &ret->content, reterr));
    o->anchors = ret->material.anchors.count ? &ret->material.anchors : NULL;
    o->untrusted = &ret->material.untrusted;
    o->crls = &ret->material.crls;
    o->ocsps = &ret->material.ocsps;
    o->policy = args->policy ? args->policy : o->anchors ? "noi-bo" : "cong-vu"; /* docs/decisions/004 */
    o->password = ret->password;
    o->content = ret->content.bytes;
    o->content_fd = ret->content.fd;
    o->policy_oids = args->policy_oid.items;
    o->policy_count = args->policy_oid.count;
    o->explicit_policy = args->explicit_policy;
    o->inhibit_mapping = args->inhibit_mapping;
    o->inhibit_any_policy = args->inhibit_any_policy;
    o->fetch = fetch;
    return AN_OK;
}

void
verify_setup_done(struct verify_setup *setup)
{
    material_done(&setup->material);
    an_secret_free(&setup->password);
    an_file_close(&setup->content);
}
