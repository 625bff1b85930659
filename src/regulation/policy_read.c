/* A verification policy from its file. */
#include "regulation/internal.h"

static const char *const DOMAINS[] = {"cong-vu", "cong-cong", "noi-bo", "trung-lap", NULL};
static const char *const ANCHOR_RULES[] = {"pinned", "given", NULL};
static const char *const REVOCATIONS[] = {"none", "if-available", "require", NULL};
static const char *const SIG_KINDS[] = {"rsa-pkcs1", "rsa-pss", "ecdsa", "eddsa", "dsa", NULL};
static const char *const DIGESTS[] = {"MD5",      "SHA-1",       "SHA-224",     "SHA-256",  "SHA-384",
                                      "SHA-512",  "SHA-512/224", "SHA-512/256", "SHA3-224", "SHA3-256",
                                      "SHA3-384", "SHA3-512",    "RIPEMD-160",  NULL};

struct policy_reading {
    struct an_yaml_doc *doc;
    struct an_policy *policy;
    const char **unconfirmed;
    struct an_err *reterr;
};

static void *
alloc_items(struct policy_reading *reading, const struct an_yaml_node *list, size_t size)
{
    return an_arena_alloc(reading->doc->arena, (list->count + 1) * size);
}

static an_code
fail_large(struct policy_reading *reading, const struct an_yaml_node *node)
{
    return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_LIMIT, "too large");
}

static an_code
read_sha256(struct policy_reading *reading, const struct an_yaml_node *map, const char *key, const char *text,
            uint8_t ret[32])
{
    AN_CLEANUP(an_buf_free) struct an_buf bytes = an_buf_new(64);

    if (strlen(text) != 64 || !an_hex_decode(&bytes, an_bytes_of_str(text)) || bytes.len != 32)
        return an_yaml_fail(reading->doc, an_yaml_find(map, key), reading->reterr, AN_E_YAML_TYPE,
                         "64 hexadecimal digits are expected here");
    memcpy(ret, bytes.ptr, 32);
    return AN_OK;
}

static an_code
read_anchors(struct policy_reading *reading, const struct an_yaml_node *list, const struct an_policy_anchor **ret,
             size_t *ret_count)
{
    struct anchor {
        const char *sha256, *name, *note;
    };
    static const struct an_yaml_field FIELDS[] = {
        {"sha256", AN_FIELD_TEXT, true, offsetof(struct anchor, sha256), NULL},
        {"name", AN_FIELD_TEXT, true, offsetof(struct anchor, name), NULL},
        {"note", AN_FIELD_TEXT, false, offsetof(struct anchor, note), NULL},
    };
    struct an_policy_anchor *items = alloc_items(reading, list, sizeof(*items));
    size_t count = 0;

    if (!items)
        return fail_large(reading, list);
    for (const struct an_yaml_node *node = list->first; node; node = node->next) {
        struct anchor anchor = {0};
        AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &anchor, reading->reterr));
        struct an_policy_anchor *item = &items[count];
        *item = (struct an_policy_anchor){.name = anchor.name, .note = anchor.note};
        AN_TRY(read_sha256(reading, node, "sha256", anchor.sha256, item->sha256));
        for (size_t i = 0; i < count; i++)
            if (memcmp(items[i].sha256, item->sha256, 32) == 0)
                return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_DUPLICATE,
                                 "this certificate is named already");
        count++;
    }
    *ret = items;
    *ret_count = count;
    return AN_OK;
}

static bool
digest_is_known(const char *name)
{
    for (size_t i = 0; DIGESTS[i]; i++)
        if (strcmp(DIGESTS[i], name) == 0)
            return true;
    return false;
}

static an_code
read_algorithm(struct policy_reading *reading, const struct an_yaml_node *node, struct an_policy_algorithm *ret)
{
    struct row {
        int kind;
        struct an_yaml_texts digests;
        int64_t bits_min;
        an_time until;
        const char *cite, *note;
        bool unconfirmed;
    } row = {.until = AN_TIME_NONE};
    static const struct an_yaml_field FIELDS[] = {
        {"kind", AN_FIELD_CHOICE, true, offsetof(struct row, kind), SIG_KINDS},
        {"digests", AN_FIELD_TEXTS, false, offsetof(struct row, digests), NULL},
        {"bits-min", AN_FIELD_INT64, true, offsetof(struct row, bits_min), NULL},
        {"until", AN_FIELD_DATE, false, offsetof(struct row, until), NULL},
        {"cite", AN_FIELD_CITATION, false, offsetof(struct row, cite), NULL},
        {"unconfirmed", AN_FIELD_FLAG, false, offsetof(struct row, unconfirmed), NULL},
        {"note", AN_FIELD_TEXT, false, offsetof(struct row, note), NULL},
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &row, reading->reterr));
    if ((row.digests.count == 0) != (row.kind == AN_POLICY_EDDSA))
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_MISSING,
                         "\"digests\": none for eddsa, at least one else");
    for (size_t i = 0; i < row.digests.count; i++)
        if (!digest_is_known(row.digests.items[i]))
            return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_TYPE, "unknown digest \"%.20s\"",
                             row.digests.items[i]);
    if (!row.cite && !row.unconfirmed)
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_UNCITED, "neither cite nor unconfirmed");
    *ret = (struct an_policy_algorithm){.kind = (enum an_policy_sig)row.kind,
                                        .digests = row.digests.items,
                                        .digest_count = row.digests.count,
                                        .bits_min = row.bits_min,
                                        .until = row.until,
                                        .citation = row.cite,
                                        .unconfirmed = row.unconfirmed,
                                        .note = row.note};
    return AN_OK;
}

static an_code
read_exception(struct policy_reading *reading, const struct an_yaml_node *node, struct an_policy_exception *ret)
{
    struct row {
        const char *sha256, *digest, *vi, *en;
        int kind;
        int64_t bits_min;
    } row = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"signer-sha256", AN_FIELD_TEXT, true, offsetof(struct row, sha256), NULL},
        {"kind", AN_FIELD_CHOICE, true, offsetof(struct row, kind), SIG_KINDS},
        {"digest", AN_FIELD_TEXT, true, offsetof(struct row, digest), NULL},
        {"bits-min", AN_FIELD_INT64, true, offsetof(struct row, bits_min), NULL},
        {"note-vi", AN_FIELD_TEXT, true, offsetof(struct row, vi), NULL},
        {"note-en", AN_FIELD_TEXT, true, offsetof(struct row, en), NULL},
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &row, reading->reterr));
    if (!digest_is_known(row.digest))
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_TYPE, "unknown digest \"%.20s\"",
                            row.digest);
    *ret = (struct an_policy_exception){.kind = (enum an_policy_sig)row.kind,
                                        .digest = row.digest,
                                        .bits_min = row.bits_min,
                                        .note_vi = row.vi,
                                        .note_en = row.en};
    return read_sha256(reading, node, "signer-sha256", row.sha256, ret->signer_sha256);
}

static an_code
read_algorithms(struct policy_reading *reading, const struct an_yaml_node *map)
{
    struct algorithms {
        bool any;
        const char *cite;
        const struct an_yaml_node *accepted, *exceptions;
    } all = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"any", AN_FIELD_FLAG, false, offsetof(struct algorithms, any), NULL},
        {"cite", AN_FIELD_CITATION, false, offsetof(struct algorithms, cite), NULL},
        {"accepted", AN_FIELD_LIST, false, offsetof(struct algorithms, accepted), NULL},
        {"exceptions", AN_FIELD_LIST, false, offsetof(struct algorithms, exceptions), NULL},
    };
    struct an_policy *policy = reading->policy;

    AN_TRY(an_yaml_read_fields(reading->doc, map, FIELDS, AN_COUNT(FIELDS), &all, reading->reterr));
    policy->any_algorithm = all.any;
    policy->algorithm_citation = all.cite;
    if (all.any == (all.accepted != NULL))
        return an_yaml_fail(reading->doc, map, reading->reterr, AN_E_YAML_MISSING,
                         "either any: true or a list \"accepted\"");
    if (all.accepted) {
        struct an_policy_algorithm *rows = alloc_items(reading, all.accepted, sizeof(*rows));
        if (!rows)
            return fail_large(reading, all.accepted);
        policy->algorithms = rows;
        for (const struct an_yaml_node *node = all.accepted->first; node; node = node->next)
            AN_TRY(read_algorithm(reading, node, &rows[policy->algorithm_count++]));
    }
    if (all.exceptions) {
        struct an_policy_exception *rows = alloc_items(reading, all.exceptions, sizeof(*rows));
        if (!rows)
            return fail_large(reading, all.exceptions);
        policy->exceptions = rows;
        for (const struct an_yaml_node *node = all.exceptions->first; node; node = node->next)
            AN_TRY(read_exception(reading, node, &rows[policy->exception_count++]));
    }
    return AN_OK;
}

static an_code
note_unconfirmed(struct policy_reading *reading, const struct an_yaml_node *map, const char *cite, bool unconfirmed)
{
    if (!cite && !unconfirmed)
        return an_yaml_fail(reading->doc, map, reading->reterr, AN_E_YAML_UNCITED, "neither cite nor unconfirmed");
    if (unconfirmed)
        reading->unconfirmed[reading->policy->unconfirmed_count++] = map->key;
    return AN_OK;
}

static an_code
read_revocation(struct policy_reading *reading, const struct an_yaml_node *map)
{
    struct revocation {
        int mode;
        int64_t freshness, grace;
        bool online, unconfirmed;
        const char *cite;
    } all = {.freshness = -1};
    static const struct an_yaml_field FIELDS[] = {
        {"mode", AN_FIELD_CHOICE, true, offsetof(struct revocation, mode), REVOCATIONS},
        {"freshness-seconds", AN_FIELD_INT64, true, offsetof(struct revocation, freshness), NULL},
        {"grace-seconds", AN_FIELD_INT64, true, offsetof(struct revocation, grace), NULL},
        {"online", AN_FIELD_FLAG, true, offsetof(struct revocation, online), NULL},
        {"cite", AN_FIELD_CITATION, false, offsetof(struct revocation, cite), NULL},
        {"unconfirmed", AN_FIELD_FLAG, false, offsetof(struct revocation, unconfirmed), NULL},
    };
    AN_TRY(an_yaml_read_fields(reading->doc, map, FIELDS, AN_COUNT(FIELDS), &all, reading->reterr));
    struct an_policy *policy = reading->policy;
    policy->revocation = (enum an_policy_revocation)all.mode;
    policy->freshness_seconds = all.freshness;
    policy->grace_seconds = all.grace < 0 ? 0 : all.grace;
    policy->online = all.online;
    policy->revocation_citation = all.cite;
    return note_unconfirmed(reading, map, all.cite, all.unconfirmed);
}

/* Groups of one truth value: time-stamp.required, legal-effect.classified. */
struct flag_group {
    bool flag, unconfirmed;
    const char *cite;
};

static an_code
read_flag_group(struct policy_reading *reading, const struct an_yaml_node *map, const char *key, bool *ret_flag,
                const char **ret_citation)
{
    struct flag_group group = {0};
    const struct an_yaml_field fields[] = {
        {key, AN_FIELD_FLAG, true, offsetof(struct flag_group, flag), NULL},
        {"cite", AN_FIELD_CITATION, false, offsetof(struct flag_group, cite), NULL},
        {"unconfirmed", AN_FIELD_FLAG, false, offsetof(struct flag_group, unconfirmed), NULL},
    };
    AN_TRY(an_yaml_read_fields(reading->doc, map, fields, AN_COUNT(fields), &group, reading->reterr));
    *ret_flag = group.flag;
    *ret_citation = group.cite;
    return note_unconfirmed(reading, map, group.cite, group.unconfirmed);
}

/* What a signature must carry and what it need not; a policy that says nothing asks for neither. */
static an_code
read_signature(struct policy_reading *reading, const struct an_yaml_node *map)
{
    struct signature_group { bool attributes, trusted; } group = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"attributes-required", AN_FIELD_FLAG, true, offsetof(struct signature_group, attributes), NULL},
        {"trusted-signer-is-enough", AN_FIELD_FLAG, true, offsetof(struct signature_group, trusted), NULL},
    };

    if (!map)
        return AN_OK;
    AN_TRY(an_yaml_read_fields(reading->doc, map, FIELDS, AN_COUNT(FIELDS), &group, reading->reterr));
    reading->policy->attributes_required = group.attributes;
    reading->policy->trusted_signer_enough = group.trusted;
    return AN_OK;
}

struct policy_keys {
    const char *id, *name_vi, *name_en, *cite, *path_cite;
    int domain, anchor_rule;
    const struct an_yaml_node *anchors, *intermediates, *algorithms, *revocation, *time_stamp, *legal_effect,
        *signature;
};
#define KEY(member) offsetof(struct policy_keys, member)
static const struct an_yaml_field POLICY_FIELDS[] = {
    {"id", AN_FIELD_TEXT, true, KEY(id), NULL},
    {"name-vi", AN_FIELD_TEXT, true, KEY(name_vi), NULL},
    {"name-en", AN_FIELD_TEXT, true, KEY(name_en), NULL},
    {"cite", AN_FIELD_CITATION, false, KEY(cite), NULL},
    {"domain", AN_FIELD_CHOICE, true, KEY(domain), DOMAINS},
    {"anchors", AN_FIELD_CHOICE, true, KEY(anchor_rule), ANCHOR_RULES},
    {"pinned", AN_FIELD_LIST, false, KEY(anchors), NULL},
    {"intermediates", AN_FIELD_LIST, false, KEY(intermediates), NULL},
    {"path-cite", AN_FIELD_CITATION, false, KEY(path_cite), NULL},
    {"algorithms", AN_FIELD_MAP, true, KEY(algorithms), NULL},
    {"revocation", AN_FIELD_MAP, true, KEY(revocation), NULL},
    {"time-stamp", AN_FIELD_MAP, true, KEY(time_stamp), NULL},
    {"legal-effect", AN_FIELD_MAP, true, KEY(legal_effect), NULL},
    {"signature", AN_FIELD_MAP, false, KEY(signature), NULL},
};

static an_code
read_policy(struct policy_reading *reading, const struct policy_keys *keys)
{
    struct an_policy *policy = reading->policy;

    policy->name_vi = keys->name_vi;
    policy->name_en = keys->name_en;
    policy->citation = keys->cite;
    policy->path_citation = keys->path_cite;
    policy->domain = DOMAINS[keys->domain];
    policy->anchor_rule = (enum an_policy_anchors)keys->anchor_rule;
    if ((policy->anchor_rule == AN_ANCHORS_PINNED) != (keys->anchors != NULL))
        return an_yaml_fail(reading->doc, an_yaml_find(reading->doc->root, "anchors"), reading->reterr,
                            AN_E_YAML_MISSING,
                         "\"pinned\" belongs to anchors: pinned and to nothing else");
    if (keys->anchors)
        AN_TRY(read_anchors(reading, keys->anchors, &policy->anchors, &policy->anchor_count));
    if (keys->intermediates)
        AN_TRY(read_anchors(reading, keys->intermediates, &policy->intermediates, &policy->intermediate_count));
    AN_TRY(read_algorithms(reading, keys->algorithms));
    AN_TRY(read_revocation(reading, keys->revocation));
    AN_TRY(read_signature(reading, keys->signature));
    AN_TRY(read_flag_group(reading, keys->time_stamp, "required", &policy->time_stamp_required,
                           &policy->time_stamp_citation));
    return read_flag_group(reading, keys->legal_effect, "classified", &policy->legal_effect, &policy->legal_citation);
}

/* A policy and the tree that everything in it points into; the doc is taken over, also on failure. */
struct owned_policy {
    struct an_policy policy; /* first: policy_free finds the rest */
    struct an_yaml_doc *doc;
};

an_code
policy_read(struct an_yaml_doc *doc, const char *id, struct an_policy **ret, struct an_err *reterr)
{
    struct policy_keys keys = {0};
    struct owned_policy *owned = AN_NEW(struct owned_policy);
    struct policy_reading reading = {.doc = doc, .policy = &owned->policy, .reterr = reterr};

    owned->doc = doc;
    reading.unconfirmed = an_arena_alloc(doc->arena, 8 * sizeof(char *));
    an_code code = reading.unconfirmed
                       ? an_yaml_read_fields(doc, doc->root, POLICY_FIELDS, AN_COUNT(POLICY_FIELDS), &keys, reterr)
                       : an_yaml_fail(doc, NULL, reterr, AN_E_LIMIT, "too large");
    if (code == AN_OK && strcmp(keys.id, id) != 0)
        code = an_yaml_fail(doc, an_yaml_find(doc->root, "id"), reterr, AN_E_YAML_TYPE, "the file is named \"%.40s\"",
                            id);
    if (code == AN_OK) {
        owned->policy.id = keys.id;
        owned->policy.unconfirmed = reading.unconfirmed;
        code = read_policy(&reading, &keys);
    }
    struct an_policy *policy = &owned->policy;
    if (code != AN_OK)
        policy_free(&policy);
    else
        *ret = policy;
    return code;
}

an_code
policy_load(const char *path, const char *id, struct an_policy **ret, struct an_err *reterr)
{
    struct an_yaml_doc *doc = NULL;

    AN_TRY(an_yaml_load(path, NULL, &doc, reterr));
    return policy_read(doc, id, ret, reterr);
}

void
policy_free(struct an_policy **policy)
{
    struct owned_policy *owned = (struct owned_policy *)*policy;

    if (!owned)
        return;
    an_yaml_free(&owned->doc);
    free(owned);
    *policy = NULL;
}
