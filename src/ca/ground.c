#include "ca/ground.h"

#include "ca/profile_words.h"

static const char *const REASONS[] = {"unspecified", "keyCompromise", "cACompromise", "affiliationChanged",
                                      "superseded", "cessationOfOperation",
                                      "certificateHold", "unused", "removeFromCRL", "privilegeWithdrawn",
                                      "aACompromise", NULL};
static const char *const SUBJECTS[] = {"all", "person", "agency", "device", NULL};

struct duty { const char *act, *citation; struct an_yaml_texts roles; };
AN_VEC(ground_list, struct an_ground);
AN_VEC(duty_list, struct duty);
struct an_rules {
    struct an_yaml_doc *ground_doc, *duty_doc;
    struct ground_list grounds;
    struct duty_list duties;
};

const char *
an_reason_name(enum an_crl_reason reason)
{
    return (int)reason >= 0 && reason <= AN_REASON_AA_COMPROMISE ? REASONS[reason] : "?";
}

static an_code
read_ground(struct an_rules *rules, const struct an_yaml_node *node, struct an_err *reterr)
{
    struct ground_keys { struct an_ground ground; int reason, subject; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"id", AN_FIELD_TEXT, true, offsetof(struct ground_keys, ground.id), NULL}, {"vi", AN_FIELD_TEXT, true, offsetof(struct ground_keys, ground.vi), NULL},
        {"en", AN_FIELD_TEXT, true, offsetof(struct ground_keys, ground.en), NULL}, {"cite", AN_FIELD_CITATION, true, offsetof(struct ground_keys, ground.citation), NULL},
        {"who", AN_FIELD_TEXT, true, offsetof(struct ground_keys, ground.who), NULL}, {"for", AN_FIELD_CHOICE, true, offsetof(struct ground_keys, subject), SUBJECTS},
        {"reason", AN_FIELD_CHOICE, true, offsetof(struct ground_keys, reason), REASONS},
    };

    AN_TRY(an_yaml_read_fields(rules->ground_doc, node, FIELDS, AN_COUNT(FIELDS), &keys, reterr));
    if (keys.reason == 7 || keys.reason == AN_REASON_REMOVE_FROM_CRL || keys.reason == AN_REASON_CA_COMPROMISE ||
        keys.reason == AN_REASON_AA_COMPROMISE)
        return an_yaml_fail(rules->ground_doc, node, reterr, AN_E_PROFILE, "reason");
    keys.ground.reason = (enum an_crl_reason)keys.reason;
    keys.ground.subject = SUBJECTS[keys.subject];
    for (size_t i = 0; i < rules->grounds.count; i++)
        if (strcmp(rules->grounds.items[i].id, keys.ground.id) == 0)
            return an_yaml_fail(rules->ground_doc, node, reterr, AN_E_YAML_DUPLICATE, "%s", keys.ground.id);
    *ground_list_push(&rules->grounds) = keys.ground;
    return AN_OK;
}

static an_code
read_grounds(struct an_rules *rules, const char *path, struct an_err *reterr)
{
    struct file_keys { const char *citation; bool unconfirmed; const struct an_yaml_node *grounds; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"cite", AN_FIELD_CITATION, true, offsetof(struct file_keys, citation), NULL}, {"reason-unconfirmed", AN_FIELD_FLAG, false, offsetof(struct file_keys, unconfirmed), NULL},
        {"grounds", AN_FIELD_LIST, true, offsetof(struct file_keys, grounds), NULL},
    };

    AN_TRY(an_yaml_load(path, NULL, &rules->ground_doc, reterr));
    AN_TRY(an_yaml_read_fields(rules->ground_doc, rules->ground_doc->root, FIELDS, AN_COUNT(FIELDS), &keys, reterr));
    for (const struct an_yaml_node *node = keys.grounds->first; node; node = node->next)
        AN_TRY(read_ground(rules, node, reterr));
    return AN_OK;
}

static an_code
read_duties(struct an_rules *rules, const char *path, struct an_err *reterr)
{
    struct file_keys { bool unconfirmed; const struct an_yaml_node *acts; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {{"unconfirmed", AN_FIELD_FLAG, true,
                                                   offsetof(struct file_keys, unconfirmed), NULL},
                                                  {"acts", AN_FIELD_LIST, true, offsetof(struct file_keys, acts),
                                                   NULL}};
    static const struct an_yaml_field ROW[] = {{"act", AN_FIELD_TEXT, true, offsetof(struct duty, act), NULL},
                                               {"roles", AN_FIELD_TEXTS, true, offsetof(struct duty, roles), NULL},
                                               {"cite", AN_FIELD_CITATION, true, offsetof(struct duty, citation),
                                                NULL}};

    AN_TRY(an_yaml_load(path, NULL, &rules->duty_doc, reterr));
    AN_TRY(an_yaml_read_fields(rules->duty_doc, rules->duty_doc->root, FIELDS, AN_COUNT(FIELDS), &keys, reterr));
    for (const struct an_yaml_node *node = keys.acts->first; node; node = node->next)
        AN_TRY(an_yaml_read_fields(rules->duty_doc, node, ROW, AN_COUNT(ROW), duty_list_push(&rules->duties), reterr));
    return AN_OK;
}

an_code
an_rules_open(const struct an_profiles *profiles, struct an_rules **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_rules_free) struct an_rules *rules = AN_NEW(struct an_rules);
    AN_CLEANUP(an_free_ptr) char *grounds = an_rules_path(an_profiles_dir(profiles), "thu-hoi");
    AN_CLEANUP(an_free_ptr) char *duties = an_rules_path(an_profiles_dir(profiles), "vai-tro");

    AN_TRY(read_grounds(rules, grounds, reterr));
    AN_TRY(read_duties(rules, duties, reterr));
    *ret = rules;
    rules = NULL;
    return AN_OK;
}

void
an_rules_free(struct an_rules **rules)
{
    struct an_rules *all = *rules;

    if (all == NULL)
        return;
    an_yaml_free(&all->ground_doc);
    an_yaml_free(&all->duty_doc);
    ground_list_done(&all->grounds);
    duty_list_done(&all->duties);
    free(all);
    *rules = NULL;
}

size_t
an_rules_ground_count(const struct an_rules *rules)
{
    return rules->grounds.count;
}

const struct an_ground *
an_rules_ground_at(const struct an_rules *rules, size_t place)
{
    return place < rules->grounds.count ? &rules->grounds.items[place] : NULL;
}

an_code
an_rules_ground(const struct an_rules *rules, const char *id, const struct an_ground **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf all = an_buf_new(AN_DETAIL_MAX - 64);

    for (size_t i = 0; i < rules->grounds.count; i++) {
        if (strcmp(rules->grounds.items[i].id, id) == 0) {
            *ret = &rules->grounds.items[i];
            return AN_OK;
        }
        an_buf_printf(&all, "%s%s", i ? " " : "", rules->grounds.items[i].id);
    }
    AN_FAIL(reterr, AN_E_CA_GROUND, "%.40s (%.*s)", id, AN_FMT(an_buf_view(&all)));
}

an_code
an_rules_require(const struct an_rules *rules, const char *act, const char *role, const char **ret_citation,
                 struct an_err *reterr)
{
    for (size_t i = 0; i < rules->duties.count; i++) {
        const struct duty *duty = &rules->duties.items[i];
        for (size_t k = 0; strcmp(duty->act, act) == 0 && k < duty->roles.count; k++)
            if (strcmp(duty->roles.items[k], role) == 0) {
                *ret_citation = duty->citation;
                return AN_OK;
            }
    }
    AN_FAIL(reterr, AN_E_CA_ROLE, "%s: %.60s", act, role);
}
