#include "service/certification/quorum.h"

#include "audit/audit.h"
#include "decision/decision.h"

#include <stdio.h>

/* What only takes a certificate out of use is left out unless somebody names it: it must not wait. */
#define ACTS_USUAL "issue renew change release sign roll officer"

static const struct { const char *word, *act; } act_table[AN_QUORUM_ACTS] = {
    [AN_QUORUM_ISSUE] = {"issue", "certificate.issue"}, [AN_QUORUM_RENEW] = {"renew", "certificate.renew"},
    [AN_QUORUM_CHANGE] = {"change", "certificate.change"},
    [AN_QUORUM_REVOKE] = {"revoke", "certificate.revoke"}, [AN_QUORUM_HOLD] = {"hold", "certificate.hold"},
    [AN_QUORUM_RELEASE] = {"release", "certificate.release"},
    [AN_QUORUM_SIGN] = {"sign", "authority.sign"}, [AN_QUORUM_ROLL] = {"roll", "authority.roll"},
    [AN_QUORUM_OFFICER] = {"officer", "officer.change"},
};

const char *
an_quorum_act_name(enum an_quorum_act act)
{
    return act_table[act].act;
}

/* ---- the section approval ---- */
enum since { SINCE_OFFICERS = 0, SINCE_ALWAYS };
struct asked { const char *acts; int since; int64_t needed; };

static const char *const SINCES[] = {"officers", "always", NULL};
static const struct an_yaml_field FIELDS[] = {
    {"acts", AN_FIELD_TEXT, false, offsetof(struct asked, acts), NULL},
    {"since", AN_FIELD_CHOICE, false, offsetof(struct asked, since), SINCES},
    {"needed", AN_FIELD_INT64, false, offsetof(struct asked, needed), NULL},
};

static an_code
read_section(const struct an_config *config, const struct an_yaml_node *section, struct asked *ret,
             struct an_err *reterr)
{
    *ret = (struct asked){.acts = ACTS_USUAL, .needed = 2};
    if (section != NULL)
        AN_TRY(an_yaml_read_fields(config->doc, section, FIELDS, AN_COUNT(FIELDS), ret, reterr));
    if (ret->needed < 1 || ret->needed > 16)
        return an_yaml_fail(config->doc, section, reterr, AN_E_CONFIG_VALUE, "needed: 1–16");
    return AN_OK;
}

/* The words of the list, each an act that there is. */
static an_code
take_acts(const struct asked *asked, struct an_quorum *ret, struct an_err *reterr)
{
    *ret = (struct an_quorum){0};
    if (strcmp(asked->acts, "none") == 0)
        return AN_OK;
    for (const char *at = asked->acts; *(at += strspn(at, " ")) != '\0';) {
        an_bytes word = AN_BYTES(at, strcspn(at, " "));
        size_t i = 0;

        while (i < AN_QUORUM_ACTS && !an_bytes_eq_str(word, act_table[i].word))
            i++;
        if (i == AN_QUORUM_ACTS)
            AN_FAIL(reterr, AN_E_CONFIG_VALUE, "acts: %.*s (none, or: revoke hold " ACTS_USUAL ")", AN_FMT(word));
        ret->needed[i] = asked->needed;
        at += word.len;
    }
    return AN_OK;
}

an_code
an_config_check_approval(const struct an_config *config, const struct an_yaml_node *section, struct an_err *reterr)
{
    struct asked asked;
    struct an_quorum quorum;

    AN_TRY(read_section(config, section, &asked, reterr));
    return take_acts(&asked, &quorum, reterr);
}

an_code
an_config_approval_acts(const struct an_config *config, const char **ret, struct an_err *reterr)
{
    struct asked asked;

    AN_TRY(read_section(config, config->approval, &asked, reterr));
    *ret = asked.acts;
    return AN_OK;
}

/* ---- what is in force ---- */
static an_code
take_rule(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct an_quorum *quorum = context;

    (void)reterr;
    for (size_t i = 0; i < AN_QUORUM_ACTS; i++)
        if (strcmp(act_table[i].act, an_row_text(row, 0)) == 0)
            quorum->needed[i] = an_row_int(row, 1);
    return AN_OK;
}

an_code
an_quorum_load(struct an_tx *tx, struct an_quorum *ret, struct an_err *reterr)
{
    *ret = (struct an_quorum){0};
    return an_tx_each(tx, AN_SQL_APPROVAL_RULE_LIST, NULL, 0, take_rule, ret, reterr);
}

an_code
an_quorum_require(const struct an_quorum *quorum, const char *act, const struct an_reliance *reliance,
                  struct an_err *reterr)
{
    for (size_t i = 0; i < AN_QUORUM_ACTS; i++)
        if (strcmp(act_table[i].act, act) == 0 && quorum->needed[i] > 0 && (reliance == NULL || reliance->matter == 0))
            AN_FAIL(reterr, AN_E_CERTIFY_APPROVAL, "%s: %lld", act, (long long)quorum->needed[i]);
    return AN_OK;
}

struct requiring { const char *act; const struct an_reliance *reliance; };

static an_code
require_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct requiring *r = context;
    struct an_matter_state state;
    struct an_quorum quorum;

    AN_TRY(an_quorum_load(tx, &quorum, reterr));
    AN_TRY(an_quorum_require(&quorum, r->act, r->reliance, reterr));
    if (r->reliance == NULL)
        return AN_OK;
    AN_TRY(an_matter_require(tx, r->reliance->matter, r->reliance->act, r->reliance->object, r->reliance->facts,
                             reterr));
    AN_TRY(an_matter_find(tx, r->reliance->matter, &state, reterr));
    for (size_t i = 0; i < AN_QUORUM_ACTS; i++)
        if (strcmp(act_table[i].act, r->act) == 0 && state.needed < quorum.needed[i])
            AN_FAIL(reterr, AN_E_CERTIFY_APPROVAL, "%s: %lld/%lld", r->act, (long long)state.needed,
                    (long long)quorum.needed[i]);
    return AN_OK;
}

an_code
an_quorum_require_now(struct an_instance *instance, const char *act, const struct an_reliance *reliance,
                      struct an_err *reterr)
{
    struct requiring requiring = {act, reliance};

    return an_store_read(instance->store, require_in, &requiring, reterr);
}

/* ---- what is asked for ---- */
struct counting { const struct an_rules *rules; int64_t officers; };

/* Those of the authority's house: who decides about requests elsewhere has no voice here. */
static an_code
count_officer(void *context, const char *person, const char *role, an_bytes certificate, struct an_err *reterr)
{
    struct counting *counting = context;
    const char *citation;

    (void)person, (void)certificate, (void)reterr;
    counting->officers += an_rules_require(counting->rules, "approval.vote", role, &citation, NULL) == AN_OK;
    return AN_OK;
}

static an_code
count_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    ((struct counting *)context)->officers = 0;
    return an_officer_each(tx, count_officer, context, reterr);
}

an_code
an_quorum_wanted(struct an_instance *instance, struct an_quorum *ret, struct an_err *reterr)
{
    struct an_profiles *profiles = NULL;
    struct an_rules *rules = NULL;
    struct counting counting = {0};
    struct asked asked;
    an_code code;

    AN_TRY(read_section(&instance->config, instance->config.approval, &asked, reterr));
    AN_TRY(take_acts(&asked, ret, reterr));
    if (asked.since == SINCE_ALWAYS)
        return AN_OK;
    code = an_profiles_open(NULL, &profiles, reterr);
    if (code == AN_OK)
        code = an_rules_open(profiles, &rules, reterr);
    counting.rules = rules;
    if (code == AN_OK)
        code = an_store_read(instance->store, count_in, &counting, reterr);
    an_rules_free(&rules);
    an_profiles_free(&profiles);
    if (code == AN_OK && counting.officers < asked.needed) /* nobody there yet who could approve: the first start */
        *ret = (struct an_quorum){0};
    return code;
}

void
an_quorum_facts(const struct an_quorum *quorum, struct an_buf *ret)
{
    for (size_t i = 0; i < AN_QUORUM_ACTS; i++)
        an_buf_printf(ret, "%s: %lld\n", act_table[i].act, (long long)quorum->needed[i]);
}

/* ---- putting it into force ---- */
struct following { const struct an_quorum *wanted; const struct an_reliance *reliance; const struct an_actor *actor;
                  struct an_quorum now; };

static an_code
put_rule(const struct following *f, struct an_tx *tx, size_t i, struct an_err *reterr)
{
    const struct an_value values[] = {an_v_text(act_table[i].act), AN_V_INT(f->wanted->needed[i]),
                                      f->reliance ? AN_V_INT(f->reliance->matter) : AN_V_NULL, AN_V_INT(an_time_now())};
    char detail[96];
    const struct an_audit_event event = {.at = an_time_now(), .action = "approval.rule", .actor = f->actor->id,
                                         .role = f->actor->role, .object = act_table[i].act, .outcome = "done",
                                         .citation = "", .detail = detail};

    snprintf(detail, sizeof(detail), "{\"before\":%lld,\"needed\":%lld}", (long long)f->now.needed[i],
             (long long)f->wanted->needed[i]);
    AN_TRY(an_tx_run(tx, AN_SQL_APPROVAL_RULE_PUT, values, AN_COUNT(values), NULL, reterr));
    return an_audit_append(tx, &event, reterr);
}

static an_code
follow_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct following *f = context;

    AN_TRY(an_quorum_load(tx, &f->now, reterr));
    if (f->reliance != NULL)
        AN_TRY(an_matter_require(tx, f->reliance->matter, f->reliance->act, f->reliance->object, f->reliance->facts,
                                 reterr));
    for (size_t i = 0; i < AN_QUORUM_ACTS; i++)
        if (f->wanted->needed[i] > f->now.needed[i] || (f->reliance != NULL &&
                                                        f->wanted->needed[i] < f->now.needed[i])) {
            AN_TRY(put_rule(f, tx, i, reterr));
            f->now.needed[i] = f->wanted->needed[i];
        }
    return AN_OK;
}

static an_code
load_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_quorum_load(tx, context, reterr);
}

an_code
an_quorum_follow(struct an_instance *instance, const struct an_reliance *reliance, const struct an_actor *actor,
                 struct an_quorum *ret, struct an_err *reterr)
{
    struct an_quorum wanted;
    struct following f = {.wanted = &wanted, .reliance = reliance, .actor = actor};
    bool is_more = reliance != NULL;

    AN_TRY(an_quorum_wanted(instance, &wanted, reterr));
    AN_TRY(an_store_read(instance->store, load_in, ret, reterr));
    for (size_t i = 0; i < AN_QUORUM_ACTS; i++)
        is_more = is_more || wanted.needed[i] > ret->needed[i];
    if (!is_more) /* the usual case writes nothing */
        return AN_OK;
    AN_TRY(an_store_write(instance->store, follow_in, &f, reterr));
    *ret = f.now;
    return AN_OK;
}

/* ---- officers ---- */
struct officer { const char *person, *role; struct an_cert *cert; const struct an_actor *actor; };

static an_code
change_officer(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct officer *o = context;
    AN_CLEANUP(an_free_ptr) char *object = an_asprintf("officer:%s", o->person);
    const struct an_audit_event event = {.at = an_time_now(), .action = o->cert ? "officer.add" : "officer.end",
                                         .actor = o->actor->id, .role = o->actor->role, .object = object,
                                         .outcome = "done", .citation = "", .detail = ""};

    if (o->cert != NULL)
        AN_TRY(an_officer_add(tx, o->person, o->role, o->cert, event.at, reterr));
    else
        AN_TRY(an_officer_end(tx, o->person, event.at, reterr));
    return an_audit_append(tx, &event, reterr);
}

an_code
an_quorum_officer_add(struct an_instance *instance, const char *person, const char *role, struct an_cert *cert,
                      const struct an_reliance *reliance, const struct an_actor *actor, struct an_err *reterr)
{
    struct officer officer = {person, role, cert, actor};
    struct an_quorum quorum;

    AN_TRY(an_quorum_follow(instance, NULL, actor, &quorum, reterr));
    AN_TRY(an_quorum_require_now(instance, "officer.change", reliance, reterr));
    AN_TRY(an_store_write(instance->store, change_officer, &officer, reterr));
    return an_quorum_follow(instance, NULL, actor, &quorum, reterr);
}

an_code
an_quorum_officer_end(struct an_instance *instance, const char *person, const struct an_reliance *reliance,
                      const struct an_actor *actor, struct an_err *reterr)
{
    struct officer officer = {.person = person, .actor = actor};
    struct an_quorum quorum;

    AN_TRY(an_quorum_follow(instance, NULL, actor, &quorum, reterr)); /* before there are fewer */
    AN_TRY(an_quorum_require_now(instance, "officer.change", reliance, reterr));
    return an_store_write(instance->store, change_officer, &officer, reterr);
}
