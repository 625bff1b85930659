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

/* Several contents go by the last part of their names; one stands for whatever the signature names. */
static an_code
open_contents(const struct verify_args *args, struct verify_setup *ret, struct an_err *reterr)
{
    const struct opt_list *list = &args->content;

    if (list->count == 1)
        return an_file_open(list->items[0], 0, &ret->content, reterr);
    if (list->count > 1 && (args->evidence != NULL || args->from_evidence != NULL))
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--content: %zu, --evidence", list->count);
    ret->contents = an_new_array(list->count + 1, sizeof(*ret->contents));
    ret->named = an_new_array(list->count + 1, sizeof(*ret->named));
    for (size_t i = 0; i < list->count; i++) {
        const char *slash = strrchr(list->items[i], '/');

        ret->contents[i] = AN_FILE_NONE;
        ret->content_count = i + 1;
        AN_TRY(an_file_open(list->items[i], 0, &ret->contents[i], reterr));
        ret->named[i] = (struct an_named_content){slash != NULL ? slash + 1 : list->items[i], ret->contents[i].bytes};
    }
    return AN_OK;
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
    AN_TRY(open_contents(args, ret, reterr));
    o->anchors = ret->material.anchors.count ? &ret->material.anchors : NULL;
    o->untrusted = &ret->material.untrusted;
    o->crls = &ret->material.crls;
    o->ocsps = &ret->material.ocsps;
    o->policy = args->policy ? args->policy : o->anchors ? "noi-bo" : "cong-vu"; /* docs/decisions/004 */
    o->password = ret->password;
    o->content = ret->content.bytes;
    o->content_fd = ret->content.fd;
    o->named = ret->named;
    o->named_count = ret->content_count;
    o->policy_oids = args->policy_oid.items;
    o->policy_count = args->policy_oid.count;
    o->explicit_policy = args->explicit_policy;
    o->inhibit_mapping = args->inhibit_mapping;
    o->inhibit_any_policy = args->inhibit_any_policy;
    o->fetch = fetch;
    return AN_OK;
}

an_code
verify_setup_check_same(const struct verify_setup *setup, struct an_err *reterr)
{
    AN_TRY(an_file_check_same(&setup->content, reterr));
    for (size_t i = 0; i < setup->content_count; i++)
        AN_TRY(an_file_check_same(&setup->contents[i], reterr));
    return AN_OK;
}

void
verify_setup_done(struct verify_setup *setup)
{
    material_done(&setup->material);
    an_secret_free(&setup->password);
    an_file_close(&setup->content);
    for (size_t i = 0; i < setup->content_count; i++)
        an_file_close(&setup->contents[i]);
    free(setup->contents);
    free(setup->named);
}
