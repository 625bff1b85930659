/* Profiles from their files: each kind of map has one table of fields, which is its schema. */
#include "ca/profile_internal.h"

#include "base/program.h"
#include "base/file.h"

#include <dirent.h>
#include <stdlib.h>

static const char *const USES[] = {"root", "authority", "subscriber", "ocsp", "tsa", "registration", NULL};
static const char *const EMAILS[] = {"none", "optional", "required", NULL};
static const char *const KEY_KINDS[] = {"rsa", "ec", NULL};
static const enum an_key_kind KEY_KIND_VALUES[] = {AN_KEY_RSA, AN_KEY_EC};
#define CHARACTERS_MAX 255 /* longer than any agency's name; RFC 5280's 64 is too short for ours: lint only notes it */

/* What carries values says where they come from: an article, or nowhere. */
struct origin { const char *citation; bool unconfirmed; };

struct reading {
    struct an_yaml_doc *doc;
    struct an_profile *profile;
    const char **unconfirmed;
    struct an_err *reterr;
};

static an_code
note_origin(struct reading *r, const struct an_yaml_node *group, const struct origin *origin)
{
    if ((origin->citation != NULL) == origin->unconfirmed)
        return an_yaml_fail(r->doc, group, r->reterr, AN_E_PROFILE, "either `cite` or `unconfirmed: true`");
    if (origin->unconfirmed) {
        if (r->profile->unconfirmed_count == AN_PROFILE_GROUPS_MAX)
            return an_yaml_fail(r->doc, group, r->reterr, AN_E_LIMIT, "too many groups");
        r->unconfirmed[r->profile->unconfirmed_count++] = group->key;
    }
    return AN_OK;
}

#define ORIGIN(type)                                                                                                   \
    {"cite", AN_FIELD_CITATION, false, offsetof(struct type, origin.citation), NULL},                                  \
    {"unconfirmed", AN_FIELD_FLAG, false, offsetof(struct type, origin.unconfirmed), NULL}

/* ---- subject ---- */
static an_code
read_part(struct reading *r, const struct an_yaml_node *node)
{
    struct part_keys { const char *part, *value; int64_t least, most, characters; } keys = {.most = 1,
            .characters = CHARACTERS_MAX};
    static const struct an_yaml_field FIELDS[] = {
        {"part", AN_FIELD_TEXT, true, offsetof(struct part_keys, part), NULL}, {"value", AN_FIELD_TEXT, false, offsetof(struct part_keys, value), NULL},
        {"least", AN_FIELD_INT64, false, offsetof(struct part_keys, least), NULL}, {"most", AN_FIELD_INT64, false, offsetof(struct part_keys, most), NULL},
        {"characters-max", AN_FIELD_INT64, false, offsetof(struct part_keys, characters), NULL},
    };
    struct an_profile *profile = r->profile;
    const char *oid;

    AN_TRY(an_yaml_read_fields(r->doc, node, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    oid = an_name_part_oid(keys.part);
    if (oid == NULL || profile->part_count == AN_PROFILE_PARTS_MAX)
        return an_yaml_fail(r->doc, node, r->reterr, AN_E_PROFILE, "%s", keys.part);
    if (keys.value != NULL && keys.least == 0)
        keys.least = 1;
    if (keys.least < 0 || keys.most < 1 || keys.least > keys.most || keys.characters < 1 ||
        keys.characters > CHARACTERS_MAX)
        return an_yaml_fail(r->doc, node, r->reterr, AN_E_PROFILE, "least, most, characters-max");
    profile->parts[profile->part_count++] = (struct an_profile_part){keys.part, oid, keys.value, keys.least, keys.most,
                                                                     keys.characters};
    return AN_OK;
}

static an_code
read_subject(struct reading *r, const struct an_yaml_node *group)
{
    struct subject_keys { struct origin origin; const struct an_yaml_node *parts; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {ORIGIN(subject_keys),
                                                  {"parts", AN_FIELD_LIST, true, offsetof(struct subject_keys, parts),
                                                   NULL}};

    AN_TRY(an_yaml_read_fields(r->doc, group, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    for (const struct an_yaml_node *node = keys.parts->first; node; node = node->next)
        AN_TRY(read_part(r, node));
    return note_origin(r, group, &keys.origin);
}

/* ---- keys ---- */
static an_code
read_key(struct reading *r, const struct an_yaml_node *node)
{
    struct key_keys { int kind; int64_t least, most; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"kind", AN_FIELD_CHOICE, true, offsetof(struct key_keys, kind), KEY_KINDS}, {"bits-min", AN_FIELD_INT64, true, offsetof(struct key_keys, least), NULL},
        {"bits-max", AN_FIELD_INT64, true, offsetof(struct key_keys, most), NULL},
    };
    struct an_profile *profile = r->profile;

    AN_TRY(an_yaml_read_fields(r->doc, node, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    if (profile->key_count == AN_PROFILE_KEYS_MAX || keys.least < 1 || keys.least > keys.most)
        return an_yaml_fail(r->doc, node, r->reterr, AN_E_PROFILE, "bits-min, bits-max");
    profile->keys[profile->key_count++] = (struct an_profile_key){KEY_KIND_VALUES[keys.kind], keys.least, keys.most};
    return AN_OK;
}

static an_code
read_keys(struct reading *r, const struct an_yaml_node *group)
{
    struct keys_keys { struct origin origin; const struct an_yaml_node *accepted; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {ORIGIN(keys_keys),
                                                  {"accepted", AN_FIELD_LIST, true,
                                                   offsetof(struct keys_keys, accepted), NULL}};

    AN_TRY(an_yaml_read_fields(r->doc, group, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    for (const struct an_yaml_node *node = keys.accepted->first; node; node = node->next)
        AN_TRY(read_key(r, node));
    return note_origin(r, group, &keys.origin);
}

/* ---- small groups ---- */
static an_code
read_email(struct reading *r, const struct an_yaml_node *group)
{
    struct email_keys { struct origin origin; int use; bool official; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {ORIGIN(email_keys),
        {"use", AN_FIELD_CHOICE, true, offsetof(struct email_keys, use), EMAILS},
        {"official", AN_FIELD_FLAG, false, offsetof(struct email_keys, official), NULL}};

    AN_TRY(an_yaml_read_fields(r->doc, group, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    r->profile->email = (enum an_profile_email)keys.use;
    r->profile->email_official = keys.official;
    return note_origin(r, group, &keys.origin);
}

static an_code
read_validity(struct reading *r, const struct an_yaml_node *group)
{
    struct validity_keys { struct origin origin; int64_t usual, most, renewed; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {ORIGIN(validity_keys),
        {"months-usual", AN_FIELD_INT64, true, offsetof(struct validity_keys, usual), NULL}, {"years-max", AN_FIELD_INT64, true, offsetof(struct validity_keys, most), NULL},
        {"renewed-years-max", AN_FIELD_INT64, false, offsetof(struct validity_keys, renewed), NULL}};

    AN_TRY(an_yaml_read_fields(r->doc, group, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    if (keys.usual < 1 || keys.most < 1 || keys.most > 100 || keys.usual > 12 * keys.most || keys.renewed < 0 ||
        keys.renewed > keys.most)
        return an_yaml_fail(r->doc, group, r->reterr, AN_E_PROFILE, "months-usual, years-max, renewed-years-max");
    r->profile->months_usual = keys.usual;
    r->profile->years_max = keys.most;
    r->profile->renewed_years_max = keys.renewed ? keys.renewed : keys.most;
    r->profile->validity_citation = keys.origin.citation ? keys.origin.citation : "";
    return note_origin(r, group, &keys.origin);
}

static an_code
read_authority(struct reading *r, const struct an_yaml_node *group)
{
    struct authority_keys { struct origin origin; int64_t length; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {ORIGIN(authority_keys),
                                                  {"path-length", AN_FIELD_INT64, true,
                                                   offsetof(struct authority_keys, length), NULL}};

    AN_TRY(an_yaml_read_fields(r->doc, group, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    if (keys.length > 10)
        return an_yaml_fail(r->doc, group, r->reterr, AN_E_PROFILE, "path-length");
    r->profile->is_ca = true;
    r->profile->path_len = (int)keys.length;
    return note_origin(r, group, &keys.origin);
}

static an_code
read_usage(struct reading *r, const struct an_yaml_node *group)
{
    struct usage_keys { struct origin origin; struct an_yaml_texts key, extended; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {ORIGIN(usage_keys),
        {"key", AN_FIELD_TEXTS, true, offsetof(struct usage_keys, key), NULL},
        {"extended", AN_FIELD_TEXTS, false, offsetof(struct usage_keys, extended), NULL}};
    struct an_profile *profile = r->profile;

    AN_TRY(an_yaml_read_fields(r->doc, group, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    for (size_t i = 0; i < keys.key.count; i++) {
        const struct an_word *word = an_word_find(an_usage_words, keys.key.items[i]);
        if (word == NULL)
            return an_yaml_fail(r->doc, group, r->reterr, AN_E_PROFILE, "%s", keys.key.items[i]);
        profile->key_usage |= word->bit;
    }
    for (size_t i = 0; i < keys.extended.count; i++) {
        const struct an_word *word = an_word_find(an_purpose_words, keys.extended.items[i]);
        uint8_t octets[AN_OID_MAX];
        if (profile->eku_count == AN_PROFILE_EKU_MAX || (word == NULL &&
                                                         an_oid_encode(keys.extended.items[i], octets) == 0))
            return an_yaml_fail(r->doc, group, r->reterr, AN_E_PROFILE, "%s", keys.extended.items[i]);
        profile->eku[profile->eku_count++] = word ? word->oid : keys.extended.items[i];
    }
    return note_origin(r, group, &keys.origin);
}

static an_code
read_policies(struct reading *r, const struct an_yaml_node *group)
{
    struct policies_keys { struct origin origin; struct an_yaml_texts oids; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {ORIGIN(policies_keys),
                                                  {"oids", AN_FIELD_TEXTS, true, offsetof(struct policies_keys, oids),
                                                   NULL}};
    uint8_t octets[AN_OID_MAX];

    AN_TRY(an_yaml_read_fields(r->doc, group, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    for (size_t i = 0; i < keys.oids.count; i++)
        if (an_oid_encode(keys.oids.items[i], octets) == 0)
            return an_yaml_fail(r->doc, group, r->reterr, AN_E_PROFILE, "%s", keys.oids.items[i]);
    r->profile->policies = keys.oids.items;
    r->profile->policy_count = keys.oids.count;
    return note_origin(r, group, &keys.origin);
}

static an_code
read_flag_group(struct reading *r, const struct an_yaml_node *group, const char *key, bool *ret)
{
    struct flag_keys { struct origin origin; bool flag; } keys = {0};
    const struct an_yaml_field fields[] = {ORIGIN(flag_keys),
                                           {key, AN_FIELD_FLAG, true, offsetof(struct flag_keys, flag), NULL}};

    if (group == NULL)
        return AN_OK;
    AN_TRY(an_yaml_read_fields(r->doc, group, fields, AN_COUNT(fields), &keys, r->reterr));
    *ret = keys.flag;
    return note_origin(r, group, &keys.origin);
}

static an_code
read_renewal(struct reading *r, const struct an_yaml_node *group)
{
    struct renewal_keys { struct origin origin; int64_t times, days; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {ORIGIN(renewal_keys),
        {"times-max", AN_FIELD_INT64, true, offsetof(struct renewal_keys, times), NULL},
        {"days-left-min", AN_FIELD_INT64, true, offsetof(struct renewal_keys, days), NULL}};

    AN_TRY(an_yaml_read_fields(r->doc, group, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    r->profile->renew_times_max = keys.times;
    r->profile->renew_days_left_min = keys.days;
    r->profile->renew_citation = keys.origin.citation ? keys.origin.citation : "nd-68-2024/12";
    return note_origin(r, group, &keys.origin);
}

static an_code
read_change(struct reading *r, const struct an_yaml_node *group)
{
    struct change_keys { struct origin origin; int64_t days; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {ORIGIN(change_keys),
                                                  {"days-left-min", AN_FIELD_INT64, true,
                                                   offsetof(struct change_keys, days), NULL}};

    AN_TRY(an_yaml_read_fields(r->doc, group, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    r->profile->change_days_left_min = keys.days;
    return note_origin(r, group, &keys.origin);
}

/* ---- the file ---- */
struct profile_keys {
    const char *id, *citation;
    int use;
    const struct an_yaml_node *name, *subject, *keys, *email, *validity, *authority, *usage, *policies, *places,
                               *status, *extended, *renewal, *change;
};
#define GROUP(key, member, required) {key, AN_FIELD_MAP, required, offsetof(struct profile_keys, member), NULL}
static const struct an_yaml_field PROFILE_FIELDS[] = {
    {"id", AN_FIELD_TEXT, true, offsetof(struct profile_keys, id), NULL},
    {"cite", AN_FIELD_CITATION, true, offsetof(struct profile_keys, citation), NULL},
    {"use", AN_FIELD_CHOICE, true, offsetof(struct profile_keys, use), USES},
    GROUP("name", name, true), GROUP("subject", subject, true), GROUP("keys", keys, true), GROUP("email", email, false),
    GROUP("validity", validity, true),
    GROUP("authority", authority, false), GROUP("usage", usage, true), GROUP("policies", policies, false),
    GROUP("places", places, false),
    GROUP("status", status, false), GROUP("extended", extended, false), GROUP("renewal", renewal, false),
    GROUP("change", change, false),
};

static an_code
read_name(struct reading *r, const struct an_yaml_node *group)
{
    struct name_keys { const char *vi, *en; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {{"vi", AN_FIELD_TEXT, true, offsetof(struct name_keys, vi), NULL},
                                                  {"en", AN_FIELD_TEXT, true, offsetof(struct name_keys, en), NULL}};

    AN_TRY(an_yaml_read_fields(r->doc, group, FIELDS, AN_COUNT(FIELDS), &keys, r->reterr));
    r->profile->name_vi = keys.vi;
    r->profile->name_en = keys.en;
    return AN_OK;
}

static an_code
read_groups(struct reading *r, const struct profile_keys *keys)
{
    static const struct { size_t offset; an_code (*read)(struct reading *r, const struct an_yaml_node *group);
                         } readers[] = {
        {offsetof(struct profile_keys, name), read_name}, {offsetof(struct profile_keys, subject), read_subject},
        {offsetof(struct profile_keys, keys), read_keys}, {offsetof(struct profile_keys, email), read_email},
        {offsetof(struct profile_keys, validity), read_validity}, {offsetof(struct profile_keys, authority), read_authority},
        {offsetof(struct profile_keys, usage), read_usage}, {offsetof(struct profile_keys, policies), read_policies},
        {offsetof(struct profile_keys, renewal), read_renewal}, {offsetof(struct profile_keys, change), read_change},
    };

    for (size_t i = 0; i < AN_COUNT(readers); i++) {
        const struct an_yaml_node *group =
            *(const struct an_yaml_node *const *)(const void *)((const char *)keys + readers[i].offset);
        if (group != NULL)
            AN_TRY(readers[i].read(r, group));
    }
    AN_TRY(read_flag_group(r, keys->places, "published", &r->profile->has_urls));
    AN_TRY(read_flag_group(r, keys->status, "no-check", &r->profile->no_check));
    return read_flag_group(r, keys->extended, "critical", &r->profile->eku_critical);
}

an_code
an_profile_read(struct an_yaml_doc *doc, struct an_profile *ret, struct an_err *reterr)
{
    struct reading r = {.doc = doc, .profile = ret, .reterr = reterr,
                        .unconfirmed = an_arena_alloc(doc->arena, AN_PROFILE_GROUPS_MAX * sizeof(char *))};
    struct profile_keys keys = {0};

    *ret = (struct an_profile){.path_len = -1};
    AN_TRY(an_yaml_read_fields(doc, doc->root, PROFILE_FIELDS, AN_COUNT(PROFILE_FIELDS), &keys, reterr));
    ret->id = keys.id;
    ret->citation = keys.citation;
    ret->use = (enum an_profile_use)keys.use;
    ret->unconfirmed = r.unconfirmed;
    AN_TRY(read_groups(&r, &keys));
    if (ret->is_ca != (ret->use <= AN_USE_AUTHORITY) || ret->key_count == 0 || ret->part_count == 0)
        return an_yaml_fail(doc, doc->root, reterr, AN_E_PROFILE, "use, authority, keys, subject");
    return AN_OK;
}
