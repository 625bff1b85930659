/* How authorities are made. */
#include "service/certification/certification.h"

#include <stdio.h>
#include <stdlib.h>

#include "audit/audit.h"
#include "base/file.h"
#include "service/certification/quorum.h"
#include "x509/csr.h"
#include "x509/path.h"

#define BIT(purpose) (1u << (purpose))
#define ISSUES (BIT(AN_PURPOSE_CERTIFICATE) | BIT(AN_PURPOSE_CRL))

static const struct an_authority_order root_order = {"goc", "goc", "root", "root", "goc", NULL, "RootCA", "root_key",
                                                     "rsa-4096", ISSUES};
static const struct { int hierarchy; struct an_authority_order issuing, ocsp; } hierarchy_table[] = {
    {AN_HIERARCHY_STATE, {"nha-nuoc", "nha-nuoc", "issuing", "state", "trung-gian", "goc", "CA phục vụ các cơ quan Nhà nước", "issuing_key", "rsa-3072", ISSUES},
     {"nha-nuoc-ocsp", "", "ocsp", "state", "ocsp", "nha-nuoc", "OCSP phục vụ các cơ quan Nhà nước", "ocsp_key", "ec-256", BIT(AN_PURPOSE_OCSP)}},
    {AN_HIERARCHY_PARTY, {"dang", "dang", "issuing", "party", "trung-gian", "goc", "CA phục vụ các cơ quan Đảng", "issuing_key", "rsa-3072", ISSUES},
     {"dang-ocsp", "", "ocsp", "party", "ocsp", "dang", "OCSP phục vụ các cơ quan Đảng", "ocsp_key", "ec-256", BIT(AN_PURPOSE_OCSP)}},
};
static const struct an_authority_order tsa_order = {"tsa", "tsa", "tsa", "root", "tsa", NULL,
                                                    "Dịch vụ cấp dấu thời gian", "tsa_key", "rsa-2048",
                                                    BIT(AN_PURPOSE_TIME_STAMP)};

/* ---- the section `ca` of the configuration ---- */
struct ca_keys { const char *organisation, *root_key, *issuing_key, *ocsp_key, *tsa_key; int64_t partitions; };
#define KEY(name) {#name, AN_FIELD_TEXT, false, offsetof(struct ca_keys, name), NULL}
static const struct an_yaml_field CA_FIELDS[] = {
    KEY(organisation), KEY(root_key), KEY(issuing_key), KEY(ocsp_key), KEY(tsa_key),
    {"crl_partitions", AN_FIELD_INT64, false, offsetof(struct ca_keys, partitions), NULL},
};

static an_code
parse_key(const char *text, enum an_key_kind *ret_kind, int *ret_bits, struct an_err *reterr)
{
    static const struct { const char *text; enum an_key_kind kind; int bits; } rows[] = {
        {"rsa-2048", AN_KEY_RSA, 2048}, {"rsa-3072", AN_KEY_RSA, 3072}, {"rsa-4096", AN_KEY_RSA, 4096}, {"ec-256", AN_KEY_EC, 256}, {"ec-384", AN_KEY_EC, 384}, {"ec-521", AN_KEY_EC, 521},
    };

    for (size_t i = 0; i < AN_COUNT(rows); i++)
        if (strcmp(rows[i].text, text) == 0) {
            *ret_kind = rows[i].kind;
            *ret_bits = rows[i].bits;
            return AN_OK;
        }
    AN_FAIL(reterr, AN_E_CONFIG_VALUE, "%.40s (rsa-2048 rsa-3072 rsa-4096 ec-256 ec-384 ec-521)", text);
}

static an_code
read_settings(const struct an_config *config, const struct an_yaml_node *section, struct ca_keys *ret,
              struct an_err *reterr)
{
    *ret = (struct ca_keys){.organisation = config->name};
    if (section != NULL)
        AN_TRY(an_yaml_read_fields(config->doc, section, CA_FIELDS, AN_COUNT(CA_FIELDS), ret, reterr));
    if (ret->partitions < 0 || ret->partitions > 65536)
        AN_FAIL(reterr, AN_E_CONFIG_VALUE, "crl_partitions");
    return AN_OK;
}

an_code
an_config_check_ca(const struct an_config *config, const struct an_yaml_node *section, struct an_err *reterr)
{
    struct ca_keys settings;
    enum an_key_kind kind;
    int bits;

    AN_TRY(read_settings(config, section, &settings, reterr));
    const char *const keys[] = {settings.root_key, settings.issuing_key, settings.ocsp_key, settings.tsa_key};
    for (size_t i = 0; i < AN_COUNT(keys); i++)
        if (keys[i] != NULL)
            AN_TRY(parse_key(keys[i], &kind, &bits, reterr));
    return AN_OK;
}

/* ---- one authority ---- */
struct making {
    struct an_instance *instance;
    const struct an_init_plan *plan;
    const struct an_actor *actor;
    struct ca_keys settings;
    struct an_profiles *profiles;
    struct an_authorities authorities;
};

static void
making_done(struct making *m)
{
    an_authorities_done(&m->authorities);
    an_profiles_free(&m->profiles);
}

static an_code
load_authorities(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_authorities_load(tx, context, reterr);
}

static an_code
making_start(struct an_instance *instance, const struct an_init_plan *plan, const struct an_actor *actor,
             struct making *ret, struct an_err *reterr)
{
    *ret = (struct making){.instance = instance, .plan = plan, .actor = actor};
    AN_TRY(read_settings(&instance->config, instance->config.ca, &ret->settings, reterr));
    AN_TRY(an_profiles_open(NULL, &ret->profiles, reterr));
    return an_store_read(instance->store, load_authorities, &ret->authorities, reterr);
}

static const char *
key_setting(const struct making *m, const struct an_authority_order *order)
{
    for (size_t i = 0; i < AN_COUNT(CA_FIELDS); i++)
        if (strcmp(CA_FIELDS[i].key, order->key_setting) == 0) {
            const char *value = *(const char *const *)(const void *)((const char *)&m->settings + CA_FIELDS[i].offset);
            return value ? value : order->key_default;
        }
    return order->key_default;
}

static an_code
make_key(const struct making *m, const struct an_authority_order *order, struct an_signer **ret, struct an_err *reterr)
{
    struct an_key_plan plan = {.name = order->key ? order->key : order->name, .purposes = order->purposes};

    if (m->plan != NULL)
        plan.token = m->plan->token, plan.token_pin = m->plan->token_pin;
    AN_TRY(parse_key(key_setting(m, order), &plan.kind, &plan.bits, reterr));
    return an_key_make(m->instance->dir, &plan, ret, reterr);
}

static char *
address(const struct making *m, const char *what, const char *name, const char *ending)
{
    return an_asprintf("%s/%s%s%s%s", m->instance->config.base_url, what, name ? "/" : "", name ? name : "", ending);
}

static an_code
certify(const struct making *m, const struct an_authority_order *order, const struct an_authority *parent,
        struct an_signer *issuer_key, an_bytes spki, struct an_cert **ret,
        struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *crl = parent ? address(m, "crl", parent->name, ".crl") : NULL;
    AN_CLEANUP(an_free_ptr) char *crt = parent ? address(m, "crt", parent->name, ".crt") : NULL;
    AN_CLEANUP(an_free_ptr) char *ocsp = parent && strcmp(parent->kind, "root") != 0 ? address(m, "ocsp", NULL, "")
            : NULL;
    AN_CLEANUP(an_free_ptr) char *own_name = strcmp(order->kind, "root") == 0 ? an_asprintf("%s %s", order->common_name,
            m->settings.organisation) : an_strdup(order->common_name);
    const struct an_name_part subject[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", m->settings.organisation},
                                           {"2.5.4.3", own_name}};
    const struct an_places places = {.crl_url = crl, .issuer_url = crt, .ocsp_url = ocsp};
    struct an_issue what = {.subject = subject, .subject_count = 3, .spki = spki, .not_before = an_time_now()};
    const struct an_profile *profile;

    AN_TRY(an_profiles_find(m->profiles, order->profile, &profile, reterr));
    if (parent != NULL && what.not_before < parent->cert->not_before)
        what.not_before = parent->cert->not_before;
    what.not_after = an_profile_usual_end(profile, what.not_before, false);
    return an_ca_issue_once(m->profiles, order->profile, parent ? parent->cert : NULL, issuer_key, &places, &what, ret,
                            reterr);
}

struct recording { const struct making *m; const struct an_authority_plan *plan; int64_t ocsp_of; an_time now; };

static an_code
record(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct recording *r = context;
    int64_t version; /* a service that runs sees it go on */
    AN_CLEANUP(an_free_ptr) char *object = an_asprintf("authority:%s", r->plan->name);
    AN_CLEANUP(an_buf_free) struct an_buf detail = an_buf_new(256);

    an_buf_str(&detail, "{\"sha256\":\"");
    an_buf_hex(&detail, AN_BYTES(r->plan->cert->sha256, 32));
    an_buf_str(&detail, "\"}");
    an_buf_byte(&detail, 0);
    const struct an_audit_event event = {.at = r->now, .action = "authority.create", .actor = r->m->actor->id,
                                         .role = r->m->actor->role, .object = object, .outcome = "done",
                                         .citation = "nd-68-2024/6", .detail = (const char *)detail.ptr};
    AN_TRY(an_tx_next(tx, AN_AUTHORITIES_SEQUENCE, &version, reterr));
    if (r->ocsp_of != 0)
        AN_TRY(an_authority_set_ocsp(tx, r->ocsp_of, r->plan->cert, r->plan->key, reterr));
    else
        AN_TRY(an_authority_insert(tx, r->plan, r->now, reterr));
    return an_audit_append(tx, &event, reterr);
}

static an_code
publish(const struct making *m, const char *name, const struct an_cert *cert, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *part = an_asprintf("public/crt/%s.crt", name);
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(m->instance, part);

    return an_file_write(path, cert->der, 0644, reterr);
}

/* By its name, or that of a line: who signs today, not an earlier generation. */
static const struct an_authority *
find_parent(const struct an_authorities *all, const char *name)
{
    const struct an_authority *found = an_authorities_find(all, name);

    for (size_t i = 0; found != NULL && found->is_retired && i < all->count; i++)
        if (!all->items[i].is_retired && strcmp(all->items[i].line, found->line) == 0)
            found = &all->items[i];
    return found;
}

/* The key first, the row last: what was cut off is made again under the same names. */
static an_code
make_authority(struct making *m, const struct an_authority_order *order, struct an_err *reterr)
{
    AN_CLEANUP(an_signer_close) struct an_signer *key = NULL;
    AN_CLEANUP(an_signer_close) struct an_signer *issuer_key = NULL;
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    const struct an_authority *parent = order->parent ? find_parent(&m->authorities, order->parent) : NULL;
    bool is_ocsp = strcmp(order->kind, "ocsp") == 0;

    if (order->parent != NULL && parent == NULL)
        AN_FAIL(reterr, AN_E_CERTIFY_AUTHORITY, "%s", order->parent);
    if (an_authorities_find(&m->authorities, order->name) != NULL || (is_ocsp && parent->ocsp_cert != NULL))
        return AN_OK;
    AN_TRY(make_key(m, order, &key, reterr));
    if (parent != NULL) {
        const struct an_key_plan there = {.name = parent->key};
        AN_TRY(an_key_make(m->instance->dir, &there, &issuer_key, reterr));
    }
    AN_TRY(certify(m, order, parent, parent ? issuer_key : key, an_signer_spki(key), &cert, reterr));
    const struct an_authority_plan plan = {.name = order->name, .line = order->line, .kind = order->kind,
        .hierarchy = order->hierarchy, .profile = order->profile, .key = order->key ? order->key : order->name,
        .base_url = m->instance->config.base_url, .parent = parent ? parent->id : 0,
        .partitions = strcmp(order->kind, "issuing") == 0 ? m->settings.partitions : 0, .cert = cert};
    struct recording recording = {m, &plan, is_ocsp ? parent->id : 0, an_time_now()};
    AN_TRY(publish(m, order->name, cert, reterr));
    AN_TRY(an_store_write(m->instance->store, record, &recording, reterr));
    return an_store_read(m->instance->store, load_authorities, &m->authorities, reterr);
}

an_code
an_authority_bootstrap(struct an_instance *instance, const struct an_init_plan *plan, struct an_err *reterr)
{
    static const struct an_actor setup = {"system", "he-thong"};
    AN_CLEANUP(making_done) struct making m = {0};
    struct an_authority_order tsa = tsa_order;

    AN_TRY(making_start(instance, plan, &setup, &m, reterr));
    AN_TRY(make_authority(&m, &root_order, reterr));
    for (size_t i = 0; i < AN_COUNT(hierarchy_table); i++) {
        if (instance->config.hierarchy != AN_HIERARCHY_BOTH &&
            instance->config.hierarchy != hierarchy_table[i].hierarchy)
            continue;
        AN_TRY(make_authority(&m, &hierarchy_table[i].issuing, reterr));
        AN_TRY(make_authority(&m, &hierarchy_table[i].ocsp, reterr));
        if (tsa.parent == NULL)
            tsa.parent = hierarchy_table[i].issuing.name;
    }
    return make_authority(&m, &tsa, reterr);
}

/* ---- by files ---- */
static const struct an_authority_order *
order_of(const char *name)
{
    for (size_t i = 0; i < AN_COUNT(hierarchy_table); i++)
        if (strcmp(hierarchy_table[i].issuing.name, name) == 0)
            return &hierarchy_table[i].issuing;
    return strcmp(name, root_order.name) == 0 ? &root_order : NULL;
}

an_code
an_authority_request(struct an_instance *instance, const char *name, const char *common_name, struct an_buf *ret_csr,
                     struct an_err *reterr)
{
    static const struct an_actor nobody = {"system", "he-thong"};
    AN_CLEANUP(making_done) struct making m = {0};
    AN_CLEANUP(an_signer_close) struct an_signer *key = NULL;
    const struct an_authority_order *known = order_of(name);
    struct an_authority_order order = known ? *known : hierarchy_table[0].issuing;

    order.name = name;
    AN_TRY(making_start(instance, NULL, &nobody, &m, reterr));
    AN_TRY(make_key(&m, &order, &key, reterr));
    const struct an_name_part subject[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", m.settings.organisation},
                                           {"2.5.4.3", common_name ? common_name : order.common_name}};
    return an_ca_request(subject, AN_COUNT(subject), key, ret_csr, reterr);
}

struct noting { const struct an_audit_event *event; };

static an_code
note(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_audit_append(tx, ((const struct noting *)context)->event, reterr);
}

static an_code
sign_request(struct making *m, const struct an_authority *issuer, const char *profile_id, const struct an_csr *csr,
             struct an_cert **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_signer_close) struct an_signer *key = NULL;
    AN_CLEANUP(an_free_ptr) char *crl = address(m, "crl", issuer->name, ".crl");
    AN_CLEANUP(an_free_ptr) char *crt = address(m, "crt", issuer->name, ".crt");
    const struct an_places places = {.crl_url = crl, .issuer_url = crt};
    const struct an_key_plan there = {.name = issuer->key};
    struct an_issue what = {.spki = csr->spki, .not_before = an_time_now()};
    struct an_name_part parts[32];
    const struct an_profile *profile;

    AN_TRY(an_profiles_find(m->profiles, profile_id, &profile, reterr));
    if (profile->use == AN_USE_SUBSCRIBER || profile->use == AN_USE_ROOT)
        AN_FAIL(reterr, AN_E_CERTIFY_PROFILE, "%s", profile_id);
    AN_TRY(an_name_parts_of(csr->subject, arena, parts, AN_COUNT(parts), &what.subject_count, reterr));
    what.subject = parts;
    what.not_after = an_profile_usual_end(profile, what.not_before, false);
    AN_TRY(an_key_make(m->instance->dir, &there, &key, reterr));
    return an_ca_issue_once(m->profiles, profile_id, issuer->cert, key, &places, &what, ret, reterr);
}

an_code
an_authority_sign(struct an_instance *instance, const char *issuer, const char *profile, an_bytes csr,
                  const struct an_reliance *reliance, const struct an_actor *actor, struct an_cert **ret,
                  struct an_err *reterr)
{
    AN_CLEANUP(making_done) struct making m = {0};
    AN_CLEANUP(an_csr_free) struct an_csr *parsed = NULL;
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf object = an_buf_new(256);
    const struct an_authority *authority;
    struct an_audit_event event = {.at = an_time_now(), .action = "authority.sign", .actor = actor->id,
                                   .role = actor->role, .outcome = "done", .citation = "nd-68-2024/6"};
    struct noting noting = {&event};

    AN_TRY(an_quorum_require_now(instance, "authority.sign", reliance, reterr));
    AN_TRY(making_start(instance, NULL, actor, &m, reterr));
    authority = an_authorities_find(&m.authorities, issuer);
    if (authority == NULL || authority->key[0] == '\0')
        AN_FAIL(reterr, AN_E_CERTIFY_AUTHORITY, "%s", issuer);
    AN_TRY(an_csr_parse(csr, &parsed, reterr));
    AN_TRY(an_csr_check(parsed, reterr));
    AN_TRY(sign_request(&m, authority, profile, parsed, &cert, reterr));
    an_buf_str(&object, "certificate:");
    an_buf_hex(&object, cert->serial);
    an_buf_byte(&object, 0);
    event.object = (const char *)object.ptr;
    AN_TRY(an_store_write(instance->store, note, &noting, reterr)); /* told before it leaves */
    *ret = cert;
    cert = NULL;
    return AN_OK;
}

static an_code
check_path_to(struct an_cert *cert, struct an_cert *root, struct an_err *reterr)
{
    struct an_certs anchors = {0};
    struct an_path_params params = {.anchors = &anchors, .at = an_time_now(), .status_at = AN_TIME_NONE,
                                    .now = AN_TIME_NONE, .freshness_max = -1, .strict = true};
    struct an_path_result result = {0};
    an_code code = AN_OK;

    an_certs_add(&anchors, root);
    an_path_validate(cert, &params, &result);
    if (!result.valid || !cert->is_ca)
        code = an_err_set(reterr, AN_E_CA_ISSUER, "%s %s", an_message_find(result.why)->en, result.detail);
    an_path_result_done(&result);
    an_certs_done(&anchors);
    return code;
}

static an_code
add_root(struct making *m, struct an_cert *root, const struct an_authority **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf name = an_buf_new(64); /* its own, whatever other roots there are */

    an_buf_str(&name, "goc-");
    an_buf_hex(&name, AN_BYTES(root->sha256, 6));
    an_buf_byte(&name, 0);
    const struct an_authority_plan plan = {.name = (const char *)name.ptr, .line = (const char *)name.ptr,
                                           .kind = "root", .hierarchy = "root", .profile = "goc", .key = "",
                                           .base_url = m->instance->config.base_url, .cert = root};
    struct recording recording = {m, &plan, 0, an_time_now()};

    for (size_t i = 0; i < m->authorities.count; i++)
        if (an_bytes_eq(m->authorities.items[i].cert->der, root->der)) {
            *ret = &m->authorities.items[i];
            return AN_OK;
        }
    AN_TRY(publish(m, plan.name, root, reterr));
    AN_TRY(an_store_write(m->instance->store, record, &recording, reterr));
    AN_TRY(an_store_read(m->instance->store, load_authorities, &m->authorities, reterr));
    *ret = an_authorities_find(&m->authorities, plan.name);
    return *ret != NULL ? AN_OK : an_err_set(reterr, AN_E_CERTIFY_AUTHORITY, "%s", plan.name);
}

/* An OCSP signer for an authority whose key is here. */
static an_code
make_ocsp(struct making *m, const struct an_authority *authority, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *name = an_asprintf("%s-ocsp", authority->name);
    struct an_authority_order order = hierarchy_table[0].ocsp;

    order.name = name;
    order.hierarchy = authority->hierarchy;
    order.parent = authority->name;
    order.common_name = name;
    return make_authority(m, &order, reterr);
}

an_code
an_authority_install(struct an_instance *instance, const char *name, const char *hierarchy, struct an_cert *cert,
                     struct an_cert *root, const struct an_actor *actor, struct an_err *reterr)
{
    AN_CLEANUP(making_done) struct making m = {0};
    AN_CLEANUP(an_signer_close) struct an_signer *key = NULL;
    const struct an_key_plan there = {.name = name};
    const struct an_authority *above, *made;

    AN_TRY(making_start(instance, NULL, actor, &m, reterr));
    AN_TRY(check_path_to(cert, root, reterr));
    AN_TRY(an_key_make(instance->dir, &there, &key, reterr));
    if (!an_bytes_eq(an_signer_spki(key), cert->spki))
        AN_FAIL(reterr, AN_E_CA_KEY, "%s", name);
    AN_TRY(add_root(&m, root, &above, reterr));
    const struct an_authority_plan plan = {.name = name, .line = name, .kind = "issuing", .hierarchy = hierarchy,
                                           .profile = "trung-gian", .key = name, .base_url = instance->config.base_url,
                                           .parent = above->id, .partitions = m.settings.partitions, .cert = cert};
    struct recording recording = {&m, &plan, 0, an_time_now()};
    AN_TRY(publish(&m, name, cert, reterr));
    AN_TRY(an_store_write(instance->store, record, &recording, reterr));
    AN_TRY(an_store_read(instance->store, load_authorities, &m.authorities, reterr));
    made = an_authorities_find(&m.authorities, name);
    return made != NULL ? make_ocsp(&m, made, reterr) : an_err_set(reterr, AN_E_CERTIFY_AUTHORITY, "%s", name);
}

/* ---- a new key for a line ---- */
/* One root certified by the other, under the name that both have. */
static an_code
cross(struct making *m, const char *file, const struct an_authority *issuer, const struct an_authority *subject,
      struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_signer_close) struct an_signer *key = NULL;
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    const struct an_key_plan there = {.name = issuer->key};
    const struct an_places places = {0};
    struct an_name_part parts[32];
    struct an_issue what = {.subject = parts, .spki = subject->cert->spki, .not_before = an_time_now(),
                            .not_after = subject->cert->not_after};

    AN_TRY(an_name_parts_of(subject->cert->subject, arena, parts, AN_COUNT(parts), &what.subject_count, reterr));
    AN_TRY(an_key_make(m->instance->dir, &there, &key, reterr));
    AN_TRY(an_ca_issue_once(m->profiles, "goc", issuer->cert, key, &places, &what, &cert, reterr));
    return publish(m, file, cert, reterr);
}

static an_code
cross_both(struct making *m, const char *line, const char *before_name, const char *after_name, struct an_err *reterr)
{
    const struct an_authority *before = an_authorities_find(&m->authorities, before_name),
                               *after = an_authorities_find(&m->authorities, after_name);
    AN_CLEANUP(an_free_ptr) char *new_with_old = an_asprintf("%s-new-with-old", line);
    AN_CLEANUP(an_free_ptr) char *old_with_new = an_asprintf("%s-old-with-new", line);

    if (before == NULL || after == NULL)
        AN_FAIL(reterr, AN_E_CERTIFY_AUTHORITY, "%s", line);
    AN_TRY(cross(m, new_with_old, before, after, reterr));
    return cross(m, old_with_new, after, before, reterr);
}

/* The responder of "NAME-ocsp". */
static const struct an_authority *
find_responder(const struct an_authorities *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++) {
        size_t len = strlen(all->items[i].name);
        if (all->items[i].ocsp_cert != NULL && strncmp(name, all->items[i].name, len) == 0 &&
            strcmp(name + len, "-ocsp") == 0)
            return &all->items[i];
    }
    return NULL;
}

/* ---- a signer of answers or stamps goes on: with its key, or with a new one ---- */
/* key: the one it has, or the name of a new one. What was answered before stands by the certificate that lies in it. */
static an_code
follow_responder(struct making *m, const struct an_authority *authority, const char *name, const char *key_name,
                 struct an_cert **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_signer_close) struct an_signer *key = NULL;
    AN_CLEANUP(an_signer_close) struct an_signer *issuer_key = NULL;
    const struct an_key_plan there = {.name = authority->key};
    struct an_authority_order order = hierarchy_table[0].ocsp;

    order.name = order.common_name = name;
    order.key = key_name;
    AN_TRY(make_key(m, &order, &key, reterr));
    AN_TRY(an_key_make(m->instance->dir, &there, &issuer_key, reterr));
    AN_TRY(certify(m, &order, authority, issuer_key, an_signer_spki(key), ret, reterr));
    const struct an_authority_plan plan = {.name = name, .key = key_name, .cert = *ret};
    struct recording recording = {m, &plan, authority->id, an_time_now()};
    AN_TRY(publish(m, name, *ret, reterr));
    return an_store_write(m->instance->store, record, &recording, reterr);
}

/* "nha-nuoc-ocsp" → "nha-nuoc-ocsp-2" → "nha-nuoc-ocsp-3". */
static char *
next_key(const char *name, const char *key)
{
    size_t len = strlen(name);
    long number = strncmp(key, name, len) == 0 && key[len] == '-' ? strtol(key + len + 1, NULL, 10) : 1;

    return an_asprintf("%s-%ld", name, (number < 1 ? 1 : number) + 1);
}

/* The generation of a line that works, and the name of the next one. */
static const struct an_authority *
working_of(const struct an_authorities *all, const char *line, char ret_next[static 80])
{
    const struct an_authority *found = NULL;
    int generation = 1;

    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->items[i].line, line) == 0) {
            generation++;
            if (found == NULL || !all->items[i].is_retired)
                found = &all->items[i];
        }
    snprintf(ret_next, 80, "%.60s-%d", line, generation);
    return found;
}

/* A row of an authority never changes: the next generation of the line stamps, with this key. */
static an_code
follow_stamper(struct making *m, const char *line, bool is_new_key, char ret_name[static 80], struct an_err *reterr)
{
    struct an_authority_order order = tsa_order;
    const struct an_authority *before = working_of(&m->authorities, line, ret_name), *above;
    AN_CLEANUP(an_free_ptr) char *key = an_strdup(before->key);
    AN_CLEANUP(an_free_ptr) char *parent = NULL;

    above = an_authorities_by_id(&m->authorities, before->parent);
    if (above == NULL)
        AN_FAIL(reterr, AN_E_CERTIFY_AUTHORITY, "%s", line);
    order.parent = parent = an_strdup(above->name);
    order.name = ret_name;
    order.key = is_new_key ? NULL : key;
    return make_authority(m, &order, reterr);
}

static bool
is_stamper(const struct an_authority *authority)
{
    return authority != NULL && strcmp(authority->kind, "tsa") == 0;
}

an_code
an_authority_renew(struct an_instance *instance, const char *name, const struct an_reliance *reliance,
                   const struct an_actor *actor, struct an_cert **ret, struct an_err *reterr)
{
    AN_CLEANUP(making_done) struct making m = {0};
    AN_CLEANUP(an_free_ptr) char *key = NULL;
    const struct an_authority *authority;
    char next[80];

    AN_TRY(an_quorum_require_now(instance, "authority.roll", reliance, reterr));
    AN_TRY(making_start(instance, NULL, actor, &m, reterr));
    authority = an_authorities_find(&m.authorities, name);
    if (is_stamper(authority)) {
        AN_TRY(follow_stamper(&m, authority->line, false, next, reterr));
        *ret = an_cert_ref(an_authorities_find(&m.authorities, next)->cert);
        return AN_OK;
    }
    authority = find_responder(&m.authorities, name);
    if (authority == NULL)
        AN_FAIL(reterr, AN_E_CERTIFY_AUTHORITY, "%s (nhat-ky, dang-ky, tsa, NAME-ocsp)", name);
    key = an_strdup(authority->ocsp_key);
    return follow_responder(&m, authority, name, key, ret, reterr);
}

/* A new key for what signs answers ("NAME-ocsp"); *ret_name is the key's. */
static an_code
roll_responder(struct making *m, const char *name, char ret_name[static 80], struct an_err *reterr)
{
    const struct an_authority *authority = find_responder(&m->authorities, name);
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    AN_CLEANUP(an_free_ptr) char *key = NULL;

    if (authority == NULL)
        AN_FAIL(reterr, AN_E_CERTIFY_AUTHORITY, "%s", name);
    key = next_key(name, authority->ocsp_key);
    snprintf(ret_name, 80, "%s", key);
    return follow_responder(m, authority, name, key, &cert, reterr);
}

static an_code
roll_authority(struct making *m, const char *line, char ret_name[static 80], struct an_err *reterr)
{
    struct an_authority_order order = *order_of(line);
    AN_CLEANUP(an_free_ptr) char *before = an_strdup(working_of(&m->authorities, line, ret_name)->name);

    order.name = ret_name;
    AN_TRY(make_authority(m, &order, reterr));
    if (strcmp(order.kind, "root") == 0)
        return cross_both(m, order.line, before, ret_name, reterr);
    return make_ocsp(m, an_authorities_find(&m->authorities, ret_name), reterr);
}

an_code
an_authority_roll(struct an_instance *instance, const char *line, const struct an_reliance *reliance,
                  const struct an_actor *actor, char ret_name[static 80], struct an_err *reterr)
{
    AN_CLEANUP(making_done) struct making m = {0};
    const struct an_authority *before;

    AN_TRY(an_quorum_require_now(instance, "authority.roll", reliance, reterr));
    AN_TRY(making_start(instance, NULL, actor, &m, reterr));
    before = an_authorities_find(&m.authorities, line);
    if (before == NULL)
        return roll_responder(&m, line, ret_name, reterr);
    if (is_stamper(before))
        return follow_stamper(&m, before->line, true, ret_name, reterr);
    if (order_of(before->line) == NULL)
        AN_FAIL(reterr, AN_E_CERTIFY_AUTHORITY, "%s", line);
    return roll_authority(&m, before->line, ret_name, reterr);
}
