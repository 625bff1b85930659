/* The certifier: profiles, rules, authorities, their keys and templates, made ready once. */
#include "service/certification/certify_internal.h"

/* ---- the world ---- */
static an_code
load_world(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct certify_world *world = context;

    an_authorities_done(&world->authorities);
    AN_TRY(an_quorum_load(tx, &world->quorum, reterr));
    return an_authorities_load(tx, &world->authorities, reterr);
}

struct certify_world *
certify_world_take(struct an_certifier *certifier)
{
    struct certify_world *world;

    pthread_mutex_lock(&certifier->lock);
    world = certifier->world;
    __atomic_add_fetch(&world->refs, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&certifier->lock);
    return world;
}

void
certify_world_give(struct certify_world **world)
{
    struct certify_world *w = *world;

    *world = NULL;
    if (w == NULL || __atomic_sub_fetch(&w->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (size_t i = 0; i < w->templates.count; i++)
        an_template_free(&w->templates.items[i].template);
    for (size_t i = 0; i < w->keys.count; i++)
        an_signer_close(&w->keys.items[i].signer);
    certify_templates_done(&w->templates);
    certify_keys_done(&w->keys);
    an_authorities_done(&w->authorities);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

an_code
an_certifier_reload(struct an_certifier *certifier, struct an_err *reterr)
{
    struct certify_world *world = AN_NEW(struct certify_world), *before;
    an_code code;

    world->refs = 1;
    pthread_mutex_init(&world->lock, NULL);
    code = an_store_read(certifier->setup.store, load_world, world, reterr);
    if (code != AN_OK) {
        certify_world_give(&world);
        return code;
    }
    pthread_mutex_lock(&certifier->lock);
    before = certifier->world;
    certifier->world = world;
    pthread_mutex_unlock(&certifier->lock);
    certify_world_give(&before);
    return AN_OK;
}

/* ---- authorities, keys, templates ---- */
an_code
certify_authority(const struct certify_world *world, const char *name, const struct an_authority **ret,
                  struct an_err *reterr)
{
    const struct an_authority *found = name ? an_authorities_find(&world->authorities, name) : NULL;
    size_t count = found != NULL;

    if (found != NULL && found->is_retired) /* who names an earlier generation means its line */
        for (size_t i = 0; i < world->authorities.count; i++)
            if (strcmp(world->authorities.items[i].line, found->line) == 0 && !world->authorities.items[i].is_retired)
                found = &world->authorities.items[i];
    for (size_t i = 0; name == NULL && i < world->authorities.count; i++) {
        const struct an_authority *a = &world->authorities.items[i];
        if (strcmp(a->kind, "issuing") == 0 && !a->is_retired)
            found = a, count++;
    }
    if (count != 1 || strcmp(found->kind, "issuing") != 0 || found->is_retired)
        AN_FAIL(reterr, AN_E_CERTIFY_AUTHORITY, "%s: %zu", name ? name : "-", count);
    *ret = found;
    return AN_OK;
}

static an_code
key_of(struct an_certifier *certifier, struct certify_world *world, const struct an_authority *authority,
       struct an_signer **ret, struct an_err *reterr)
{
    struct certify_key *key;

    for (size_t i = 0; i < world->keys.count; i++)
        if (world->keys.items[i].authority == authority->id) {
            *ret = world->keys.items[i].signer;
            return AN_OK;
        }
    AN_TRY(certifier->setup.open_key(certifier->setup.key_context, authority->key, ret, reterr));
    key = certify_keys_push(&world->keys);
    *key = (struct certify_key){authority->id, *ret};
    return AN_OK;
}

static an_code
make_template(struct an_certifier *certifier, struct certify_world *world, const struct an_authority *authority,
              const struct an_profile *profile, const struct an_template **ret,
              struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *crl = an_asprintf("%s/crl/%s.crl", authority->base_url, authority->name);
    AN_CLEANUP(an_free_ptr) char *delta = an_asprintf("%s/crl/%s-delta.crl", authority->base_url, authority->name);
    AN_CLEANUP(an_free_ptr) char *crt = an_asprintf("%s/crt/%s.crt", authority->base_url, authority->name);
    AN_CLEANUP(an_free_ptr) char *ocsp = an_asprintf("%s/ocsp", authority->base_url);
    const struct an_places places = {.crl_url = crl, .delta_url = delta, .issuer_url = crt, .ocsp_url = ocsp};
    struct an_template *template = NULL;
    struct an_signer *signer = NULL;

    AN_TRY(key_of(certifier, world, authority, &signer, reterr));
    AN_TRY(an_template_new(certifier->profiles, profile, authority->cert, signer, &places, &template, reterr));
    *certify_templates_push(&world->templates) = (struct certify_template){authority->id, profile, template};
    *ret = template;
    return AN_OK;
}

an_code
certify_template_of(struct an_certifier *certifier, struct certify_world *world, const struct an_authority *authority,
                    const struct an_profile *profile, const struct an_template **ret,
                    struct an_err *reterr)
{
    an_code code = AN_OK;
    bool is_there = false;

    pthread_mutex_lock(&world->lock);
    for (size_t i = 0; i < world->templates.count && !is_there; i++)
        if (world->templates.items[i].authority == authority->id && world->templates.items[i].profile == profile) {
            *ret = world->templates.items[i].template;
            is_there = true;
        }
    if (!is_there)
        code = make_template(certifier, world, authority, profile, ret, reterr);
    pthread_mutex_unlock(&world->lock);
    return code;
}

/* ---- opening ---- */
an_code
an_certifier_open(const struct an_certifier_setup *setup, struct an_certifier **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_certifier_close) struct an_certifier *certifier = AN_NEW(struct an_certifier);

    certifier->setup = *setup;
    if (setup->first_answer != NULL)
        certifier->first_answer = *setup->first_answer;
    pthread_mutex_init(&certifier->lock, NULL);
    AN_TRY(an_profiles_open(setup->profiles_dir, &certifier->profiles, reterr));
    AN_TRY(an_rules_open(certifier->profiles, &certifier->rules, reterr));
    AN_TRY(an_certifier_reload(certifier, reterr));
    *ret = certifier;
    certifier = NULL;
    return AN_OK;
}

void
an_certifier_close(struct an_certifier **certifier)
{
    struct an_certifier *c = *certifier;

    if (c == NULL)
        return;
    certify_world_give(&c->world);
    an_rules_free(&c->rules);
    an_profiles_free(&c->profiles);
    pthread_mutex_destroy(&c->lock);
    free(c);
    *certifier = NULL;
}

const struct an_profiles *
an_certifier_profiles(const struct an_certifier *certifier)
{
    return certifier->profiles;
}

const struct an_rules *
an_certifier_rules(const struct an_certifier *certifier)
{
    return certifier->rules;
}
