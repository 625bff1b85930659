/* Approvals: what a person allows a machine to fetch. And the key from which their secrets are made. */
#include "service/certification/enrol.h"

#include <stdio.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/file.h"
#include "decision/decision.h"
#include "service/certification/quorum.h"

#define PROFILE "thiet-bi"
#define DAYS_USUAL 14
#define KEY_SIZE 32u
#define PARTS_MAX 32

/* ---- approvals ---- */
static bool
copy(char *to, size_t size, const char *from)
{
    if (from == NULL)
        from = "";
    return (size_t)snprintf(to, size, "%s", from) < size;
}

static an_code
audit(struct an_tx *tx, const char *action, const struct an_actor *actor, const char *citation,
      const struct an_approval *approval, an_time now,
      struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *object = an_asprintf("enrolment:%s", approval->reference);
    AN_CLEANUP(an_free_ptr) char *detail = an_asprintf("{\"item\":\"%s\",\"profile\":\"%s\"}", approval->item,
                                                       approval->profile);
    const struct an_audit_event event = {.at = now, .action = action, .actor = actor->id, .role = actor->role,
                                         .object = object, .outcome = "done",
                                         .citation = citation, .detail = detail};

    return an_audit_append(tx, &event, reterr);
}

/* Items are keys of ours; what would break the log's JSON is refused. */
static bool
is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((uint8_t)*text <= 0x20 || *text == '"' || *text == '\\' || (uint8_t)*text >= 0x7F)
            return false;
    return true;
}

/* What would be refused when the machine comes is refused now, to the person who allows it. */
static an_code
check_allowance(const struct an_profiles *profiles, const struct an_enrol_allowance *what, const char *profile_id,
                struct an_err *reterr)
{
    struct an_arena *arena = an_arena_new(64 * 1024);
    const struct an_profile *profile = NULL;
    struct an_name_part parts[PARTS_MAX];
    size_t count = 0;
    an_code code = an_profiles_find(profiles, profile_id, &profile, reterr);

    if (code == AN_OK && strcmp(profile_id, PROFILE) != 0)
        code = an_err_set(reterr, AN_E_ENROL_PROFILE, "%s", profile_id);
    if (code == AN_OK && (what->item == NULL || what->subject == NULL || !is_plain(what->item)))
        code = an_err_set(reterr, AN_E_ENROL_APPROVAL, "item, subject");
    if (code == AN_OK)
        code = an_name_parts_parse(what->subject, arena, parts, PARTS_MAX, &count, reterr);
    if (code == AN_OK)
        code = an_profile_check_subject(profile, parts, count, reterr);
    if (code == AN_OK && what->email != NULL)
        code = an_profile_check_email(profiles, profile, what->email, reterr);
    an_arena_free(&arena);
    return code;
}

/* The certificate that comes of it rests on the same matter. */
static an_code
check_reliance(struct an_tx *tx, const struct an_reliance *reliance, struct an_err *reterr)
{
    struct an_quorum quorum;

    AN_TRY(an_quorum_load(tx, &quorum, reterr));
    AN_TRY(an_quorum_require(&quorum, "certificate.issue", reliance, reterr));
    return reliance ? an_matter_require(tx, reliance->matter, reliance->act, reliance->object, reliance->facts, reterr)
            : AN_OK;
}

an_code
an_enrol_allow(struct an_tx *tx, const struct an_profiles *profiles, const struct an_rules *rules,
               const struct an_enrol_allowance *what, struct an_approval *ret,
               struct an_err *reterr)
{
    const char *citation = "";
    const char *profile = what->profile != NULL ? what->profile : PROFILE;
    int64_t days = what->days > 0 ? what->days : DAYS_USUAL;
    struct an_approval approval = {.months = what->months, .state = what->is_waiting ? AN_APPROVAL_WAITING
                                   : AN_APPROVAL_OPEN};
    bool is_new = false;

    AN_TRY(an_rules_require(rules, "enrolment.allow", what->actor.role, &citation, reterr));
    AN_TRY(check_allowance(profiles, what, profile, reterr));
    AN_TRY(check_reliance(tx, what->reliance, reterr));
    approval.matter = what->reliance ? what->reliance->matter : 0;
    approval.created_at = an_time_now();
    approval.expires_at = approval.created_at + (an_time)days * 86400;
    if (!copy(approval.item, sizeof(approval.item), what->item) ||
        !copy(approval.profile, sizeof(approval.profile), profile) ||
        !copy(approval.authority, sizeof(approval.authority), what->authority) ||
        !copy(approval.subject, sizeof(approval.subject), what->subject) ||
        !copy(approval.email, sizeof(approval.email), what->email) ||
        !copy(approval.subscriber, sizeof(approval.subscriber), what->subscriber) ||
        !copy(approval.agency, sizeof(approval.agency), what->agency) ||
        !copy(approval.created_by, sizeof(approval.created_by), what->actor.id) ||
        what->months < 0 || what->months > 60)
        AN_FAIL(reterr, AN_E_ENROL_APPROVAL, "%s", what->item);
    AN_TRY(an_approval_add(tx, &approval, &is_new, reterr));
    *ret = approval;
    return is_new ? audit(tx, "enrolment.allow", &what->actor, citation, &approval, approval.created_at, reterr)
            : AN_OK;
}

an_code
an_enrol_tell(struct an_tx *tx, const struct an_rules *rules, const char *name, const struct an_actor *actor,
              struct an_approval *ret, struct an_err *reterr)
{
    const char *citation = "";
    bool found = false;

    AN_TRY(an_rules_require(rules, "enrolment.tell", actor->role, &citation, reterr));
    AN_TRY(an_approval_of_item(tx, name, ret, &found, reterr));
    if (!found)
        AN_TRY(an_approval_find(tx, an_bytes_of_str(name), ret, reterr));
    return audit(tx, "enrolment.tell", actor, citation, ret, an_time_now(), reterr);
}

an_code
an_enrol_open(struct an_tx *tx, const struct an_rules *rules, const char *reference, const struct an_actor *actor,
              struct an_err *reterr)
{
    const char *citation = "";
    struct an_approval approval;
    an_time now = an_time_now();

    AN_TRY(an_rules_require(rules, "enrolment.open", actor->role, &citation, reterr));
    AN_TRY(an_approval_open(tx, an_bytes_of_str(reference), actor->id, now, reterr));
    AN_TRY(an_approval_find(tx, an_bytes_of_str(reference), &approval, reterr));
    return audit(tx, "enrolment.open", actor, citation, &approval, now, reterr);
}

an_code
an_enrol_withdraw(struct an_tx *tx, const struct an_rules *rules, const char *reference, const struct an_actor *actor,
                  struct an_err *reterr)
{
    const char *citation = "";
    struct an_approval approval;

    AN_TRY(an_rules_require(rules, "enrolment.withdraw", actor->role, &citation, reterr));
    AN_TRY(an_approval_withdraw(tx, an_bytes_of_str(reference), reterr));
    AN_TRY(an_approval_find(tx, an_bytes_of_str(reference), &approval, reterr));
    return audit(tx, "enrolment.withdraw", actor, citation, &approval, an_time_now(), reterr);
}

/* ---- the instance's key ---- */
struct check { char value[65]; bool is_missing; };

static void
make_check(const struct an_secret *key, struct check *ret)
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(65);
    uint8_t code[AN_DIGEST_MAX];

    an_hmac(AN_SHA256, an_secret_bytes(key), AN_LIT("antin enrolment key check 1"), code);
    an_buf_hex(&hex, AN_BYTES(code, 32));
    memcpy(ret->value, hex.ptr, 64);
    ret->value[64] = '\0';
}

/* The first key is noted; another one is refused: it would give other secrets than were handed out. */
static an_code
compare_check(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct check *check = context;
    AN_CLEANUP(an_free_ptr) char *noted = NULL;

    AN_TRY(an_tx_value(tx, "enrol.key", &noted, reterr));
    check->is_missing = noted == NULL;
    if (noted != NULL && strcmp(noted, check->value) != 0)
        AN_FAIL(reterr, AN_E_ENROL_KEY, "keys/enrol.key");
    return AN_OK;
}

static an_code
note_check(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct check *check = context;

    AN_TRY(compare_check(context, tx, reterr));
    return check->is_missing ? an_tx_put_value(tx, "enrol.key", check->value, reterr) : AN_OK;
}

static an_code
make_key(const char *path, struct an_err *reterr)
{
    uint8_t random[KEY_SIZE];
    an_code code;

    AN_TRY(an_random(random, sizeof(random), reterr));
    code = an_file_write(path, AN_BYTES(random, sizeof(random)), 0600, reterr);
    an_wipe(random, sizeof(random));
    return code;
}

static an_code
load_key(struct an_instance *instance, struct an_secret **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(instance, "keys/enrol.key");
    AN_CLEANUP(an_buf_free) struct an_buf bytes = an_buf_new(KEY_SIZE + 1);
    struct check check = {.value = ""};
    bool is_new = access(path, F_OK) != 0;
    an_code code;

    if (is_new) { /* only where none was ever in use */
        if (an_store_read(instance->store, compare_check, &check, reterr) != AN_OK || !check.is_missing)
            AN_FAIL(reterr, AN_E_ENROL_KEY, "keys/enrol.key");
        AN_TRY(make_key(path, reterr));
    }
    AN_TRY(an_file_read(path, KEY_SIZE + 1, &bytes, reterr));
    if (bytes.len != KEY_SIZE)
        AN_FAIL(reterr, AN_E_ENROL_KEY, "keys/enrol.key: %zu byte", bytes.len);
    *ret = an_secret_from(an_buf_view(&bytes));
    an_wipe(bytes.ptr, bytes.len);
    make_check(*ret, &check);
    code = an_store_read(instance->store, compare_check, &check, reterr);
    if (code == AN_OK && check.is_missing)
        code = an_store_write(instance->store, note_check, &check, reterr);
    if (code != AN_OK)
        an_secret_free(ret);
    return code;
}

an_code
an_enrol_secret(struct an_instance *instance, const struct an_approval *approval, struct an_secret **ret,
                struct an_err *reterr)
{
    struct an_secret *key = NULL;

    AN_TRY(load_key(instance, &key, reterr));
    *ret = an_approval_secret(key, approval);
    an_secret_free(&key);
    return AN_OK;
}
