#include "request/check.h"

#include "base/buf.h"

#include <stdio.h>

#define K(kind) (1u << AN_REQUEST_##kind)
#define ALL (K(NEW) | K(RENEW) | K(CHANGE) | K(REVOKE) | K(RECOVER))
#define DETAIL_MAX 400

/* What a check is given and what it says. */
struct probe {
    const struct an_check_facts *facts;
    const struct an_check_item *item;  /* NULL = the dossier */
    const struct an_answer *answer;    /* what binds the dossier, or this item */
    const struct an_answer *any_device; /* the same without a word of the device */
    char detail[DETAIL_MAX];
    const char *citation;              /* NULL = that of the message */
};

static void
tell(struct probe *probe, const char *text)
{
    snprintf(probe->detail, sizeof(probe->detail), "%s", text ? text : "");
}

/* The regulation's reason, in its words, with its article. */
static void
tell_reason(struct probe *probe, const struct an_answer *answer)
{
    for (size_t i = 0; i < answer->reason_count; i++)
        if (answer->reasons[i].decides) {
            tell(probe, answer->reasons[i].text);
            probe->citation = answer->reasons[i].citation;
            return;
        }
}

/* ---- of the dossier ---- */
static bool
check_role(struct probe *probe)
{
    if (probe->answer->allowed == AN_ALLOWED_YES)
        return true;
    tell_reason(probe, probe->answer);
    return false;
}

static bool
is_addressee(const struct an_answer *answer, const char *addressee)
{
    return answer->authority == NULL || strcmp(answer->authority, addressee) == 0;
}

/* To another body than decides this service. When only the kind of device makes the difference the next check says
 * so. */
static bool
check_addressee(struct probe *probe)
{
    const char *addressee = probe->facts->addressee;

    if (probe->facts->is_forwarded || is_addressee(probe->answer, addressee) ||
        is_addressee(probe->any_device, addressee))
        return true;
    snprintf(probe->detail, sizeof(probe->detail), "%s ≠ %s", addressee, probe->answer->authority);
    probe->citation = probe->answer->citation_count > 0 ? probe->answer->citations[0] : NULL;
    return false;
}

static bool
check_device_delegated(struct probe *probe)
{
    const char *addressee = probe->facts->addressee;

    if (probe->facts->is_forwarded || is_addressee(probe->answer, addressee) ||
        !is_addressee(probe->any_device, addressee))
        return true;
    snprintf(probe->detail, sizeof(probe->detail), "%s: %s ≠ %s", probe->facts->request->device_kind, addressee,
             probe->answer->authority);
    probe->citation = probe->answer->citation_count > 0 ? probe->answer->citations[0] : NULL;
    return false;
}

static bool
check_fields(struct probe *probe)
{
    tell(probe, probe->facts->missing);
    probe->citation = probe->facts->request->form_citation;
    return probe->facts->missing[0] == '\0';
}

static bool
check_number(struct probe *probe)
{
    return probe->facts->request->number[0] != '\0';
}

static bool
check_paper(struct probe *probe)
{
    return !probe->facts->is_paper || probe->facts->may_be_paper;
}

static bool
check_signature(struct probe *probe)
{
    tell(probe, probe->facts->document_detail);
    return probe->facts->is_paper || probe->facts->document_is_valid;
}

static bool
check_head(struct probe *probe)
{
    tell(probe, probe->facts->document_detail);
    return probe->facts->is_paper || probe->facts->document_is_head;
}

static bool
check_match(struct probe *probe)
{
    return probe->facts->is_paper || probe->facts->document_matches;
}

/* ---- of an item ---- */
static bool
check_managed(struct probe *probe)
{
    tell(probe, probe->item->item->name);
    return probe->item->is_managed;
}

static bool
check_mail(struct probe *probe)
{
    tell(probe, probe->item->item->email);
    return probe->item->is_mail_official;
}

static bool
check_cells(struct probe *probe)
{
    tell(probe, probe->item->missing);
    probe->citation = probe->facts->request->form_citation;
    return probe->item->missing[0] == '\0';
}

static bool
check_certificate(struct probe *probe)
{
    tell(probe, probe->item->item->certificate);
    return probe->item->has_certificate && probe->item->certificate_is_own;
}

static bool
check_in_force(struct probe *probe)
{
    static const char *const words[] = {"đang có hiệu lực", "đã bị thu hồi", "tạm dừng", "đã hết hạn"};
    int status = probe->item->certificate_status;

    snprintf(probe->detail, sizeof(probe->detail), "%s: %s", probe->item->item->certificate, status >= 0 &&
             status < 4 ? words[status] : "?");
    return !probe->item->has_certificate || status == 0;
}

/* A revocation may follow a hold; what is revoked already cannot be revoked. */
static bool
check_not_revoked(struct probe *probe)
{
    tell(probe, probe->item->item->certificate);
    return !probe->item->has_certificate || probe->item->certificate_status != 1;
}

/* Too early, too late, a second time, a private mailbox: what the regulation says of this very item. */
static bool
check_conditions(struct probe *probe)
{
    if (probe->answer->allowed != AN_ALLOWED_NO)
        return true;
    tell_reason(probe, probe->answer);
    return false;
}

static bool
check_change(struct probe *probe)
{
    snprintf(probe->detail, sizeof(probe->detail), "%s", probe->item->change_what);
    return probe->item->change_what[0] != '\0' && probe->item->change_to[0] != '\0';
}

static bool
check_change_case(struct probe *probe)
{
    tell(probe, probe->item->change_what);
    return probe->item->change_is_case;
}

/* The certificate gets the agency that the register has: a move is entered first. */
static bool
check_change_entered(struct probe *probe)
{
    snprintf(probe->detail, sizeof(probe->detail), "%s: %s", probe->item->item->name, probe->item->change_to);
    return probe->item->change_is_entered;
}

static bool
check_ground(struct probe *probe)
{
    tell(probe, probe->item->item->ground);
    if (probe->item->ground_citation[0] != '\0')
        probe->citation = probe->item->ground_citation;
    return probe->item->ground_is_known;
}

/* The article of the regulation that speaks of a lost device, when it has one of its own. */
static const char *
loss_citation(const struct probe *probe)
{
    for (size_t i = 0; i < probe->answer->condition_count; i++)
        if (strstr(probe->answer->conditions[i].text, "thất lạc") != NULL &&
            strstr(probe->answer->conditions[i].text, "biên bản") != NULL)
            return probe->answer->conditions[i].citation;
    for (size_t i = 0; i < probe->answer->citation_count; i++) {
        const struct an_provision *provision = NULL;
        if (an_provision_find(probe->facts->regulations, probe->answer->citations[i], &provision, NULL) == AN_OK &&
            provision->says != NULL &&
            strstr(provision->says, "thất lạc") != NULL)
            return provision->citation;
    }
    return NULL;
}

static bool
check_lost_record(struct probe *probe)
{
    tell(probe, probe->item->item->device);
    probe->citation = loss_citation(probe);
    return !probe->item->ground_needs_record || probe->item->has_record;
}

static bool
check_device(struct probe *probe)
{
    tell(probe, probe->item->item->device);
    return probe->item->has_device && probe->item->device_is_own;
}

static bool
check_device_kind(struct probe *probe)
{
    snprintf(probe->detail, sizeof(probe->detail), "%s: %s", probe->item->item->device, probe->item->device_kind);
    return !probe->item->has_device || strcmp(probe->item->device_kind, probe->facts->request->device_kind) == 0;
}

/* A device that is gone, broken or returned is not restored. */
static bool
check_device_state(struct probe *probe)
{
    const char *state = probe->item->device_state;

    snprintf(probe->detail, sizeof(probe->detail), "%s: %s", probe->item->item->device, state);
    return !probe->item->has_device || strcmp(state, "bi-khoa") == 0 || strcmp(state, "dang-dung") == 0;
}

/* Mẫu 01: blank = no SIM PKI. A certificate on a SIM needs the SIM in the register, with its carrier and number. */
static bool
check_sim(struct probe *probe)
{
    tell(probe, probe->item->item->name);
    return strcmp(probe->facts->request->device_kind, "sim-pki") != 0 || probe->item->sim[0] != '\0';
}

static bool
check_duplicate(struct probe *probe)
{
    snprintf(probe->detail, sizeof(probe->detail), "%s: request:%lld", probe->item->item->name,
             (long long)probe->item->open_request);
    return probe->item->open_request == 0;
}

static const struct {
    const char *rule;
    unsigned kinds;
    enum { OF_DOSSIER, OF_DOCUMENT, OF_ITEM } of;
    an_code code;
    bool (*check)(struct probe *probe);
} check_table[] = {
    {"role.allowed", ALL, OF_DOSSIER, AN_E_CHECK_ROLE, check_role},
    {"addressee.decides", ALL, OF_DOSSIER, AN_E_CHECK_ADDRESSEE, check_addressee},
    {"device.delegated", ALL, OF_DOSSIER, AN_E_CHECK_DEVICE_DELEGATED, check_device_delegated},
    {"form.fields", ALL, OF_DOSSIER, AN_E_CHECK_FIELDS, check_fields},
    {"letter.number", ALL, OF_DOSSIER, AN_E_CHECK_NUMBER, check_number},
    {"document.paper", ALL, OF_DOCUMENT, AN_E_CHECK_PAPER, check_paper},
    {"document.signature", ALL, OF_DOCUMENT, AN_E_CHECK_SIGNATURE, check_signature},
    {"document.head", ALL, OF_DOCUMENT, AN_E_CHECK_HEAD, check_head},
    {"document.data", ALL, OF_DOCUMENT, AN_E_CHECK_DATA, check_match},
    {"subscriber.managed", ALL, OF_ITEM, AN_E_CHECK_MANAGED, check_managed},
    {"email.official", K(NEW) | K(RENEW) | K(CHANGE) | K(RECOVER), OF_ITEM, AN_E_CHECK_EMAIL, check_mail},
    {"form.cells", ALL, OF_ITEM, AN_E_CHECK_CELLS, check_cells},
    {"certificate.own", K(RENEW) | K(CHANGE) | K(REVOKE), OF_ITEM, AN_E_CHECK_CERTIFICATE, check_certificate},
    {"certificate.in-force", K(RENEW) | K(CHANGE) | K(RECOVER), OF_ITEM, AN_E_CHECK_IN_FORCE, check_in_force},
    {"certificate.not-revoked", K(REVOKE), OF_ITEM, AN_E_CHECK_REVOKED, check_not_revoked},
    {"conditions", K(NEW) | K(RENEW) | K(CHANGE) | K(RECOVER), OF_ITEM, AN_E_CHECK_CONDITIONS, check_conditions},
    {"change.said", K(CHANGE), OF_ITEM, AN_E_CHECK_CHANGE, check_change},
    {"change.case", K(CHANGE), OF_ITEM, AN_E_CHECK_CHANGE_CASE, check_change_case},
    {"change.entered", K(CHANGE), OF_ITEM, AN_E_CHECK_CHANGE_ENTERED, check_change_entered},
    {"ground.known", K(REVOKE), OF_ITEM, AN_E_CHECK_GROUND, check_ground},
    {"lost.record", K(REVOKE), OF_ITEM, AN_E_CHECK_LOST_RECORD, check_lost_record},
    {"device.own", K(RECOVER), OF_ITEM, AN_E_CHECK_DEVICE, check_device},
    {"device.kind", K(RENEW) | K(CHANGE) | K(REVOKE) | K(RECOVER), OF_ITEM, AN_E_CHECK_DEVICE_KIND, check_device_kind},
    {"device.state", K(RECOVER), OF_ITEM, AN_E_CHECK_DEVICE_STATE, check_device_state},
    {"sim.known", K(NEW), OF_ITEM, AN_E_CHECK_SIM, check_sim},
    {"request.single", ALL, OF_ITEM, AN_E_CHECK_DUPLICATE, check_duplicate},
};

/* ---- what binds: asked once for the dossier, and for an item with its own facts ---- */
static an_code
ask(const struct an_check_facts *facts, const struct an_check_item *item, const char *actor, const char *device,
    struct an_answer **ret,
    struct an_err *reterr)
{
    struct an_fact said[3];
    char left[24], renewals[24], act[40];
    size_t count = 0;
    struct an_question question = {.regulation = facts->request->regulation, .on_utc = facts->at, .act = act,
                                   .actor = actor,
                                   .subject = facts->request->subject_kind, .device = device, .facts = said};

    snprintf(act, sizeof(act), "request.%s", an_request_kind_id(facts->request->kind));
    if (item != NULL && item->item->email[0] != '\0' && !item->is_mail_official &&
        facts->request->kind != AN_REQUEST_REVOKE)
        said[count++] = (struct an_fact){"email", item->item->email};
    if (item != NULL && item->has_certificate && (facts->request->kind == AN_REQUEST_RENEW ||
                                                  facts->request->kind == AN_REQUEST_CHANGE)) {
        snprintf(left, sizeof(left), "%lld", (long long)item->days_left);
        snprintf(renewals, sizeof(renewals), "%lld", (long long)item->renewals);
        said[count++] = (struct an_fact){"days-left", left};
        if (facts->request->kind == AN_REQUEST_RENEW)
            said[count++] = (struct an_fact){"renewals", renewals};
    }
    question.fact_count = count;
    return an_regulation_explain(facts->regulations, &question, ret, reterr);
}

static void
run_one(size_t row, struct probe *probe, an_check_fn each, void *context, size_t *failed)
{
    struct an_check_finding finding = {.rule = check_table[row].rule, .code = check_table[row].code};

    probe->detail[0] = '\0';
    probe->citation = NULL;
    finding.holds = check_table[row].check(probe);
    finding.citation = probe->citation ? probe->citation : an_message_find(finding.code)->cite;
    finding.detail = probe->detail;
    finding.place = probe->item ? probe->item->item->place : 0;
    *failed += finding.holds ? 0 : 1;
    each(context, &finding);
}

static void
run_checks(struct probe *probe, an_check_fn each, void *context, size_t *failed)
{
    unsigned kind = 1u << (unsigned)probe->facts->request->kind;

    for (size_t row = 0; row < AN_COUNT(check_table); row++) {
        bool concerns = (check_table[row].kinds & kind) != 0;
        concerns = concerns && (check_table[row].of == OF_ITEM) == (probe->item != NULL);
        concerns = concerns && (check_table[row].of != OF_DOCUMENT || probe->facts->has_document);
        if (concerns)
            run_one(row, probe, each, context, failed);
    }
}

an_code
an_request_check(const struct an_check_facts *facts, an_check_fn each, void *context, size_t *ret_failed,
                 struct an_answer **ret_answer,
                 struct an_err *reterr)
{
    AN_CLEANUP(an_answer_free) struct an_answer *whole = NULL, *any_device = NULL;
    const struct an_answer allowed = {.allowed = AN_ALLOWED_YES};
    struct probe probe = {.facts = facts};

    *ret_failed = 0;
    AN_TRY(ask(facts, NULL, facts->role, facts->request->device_kind, &whole, reterr));
    AN_TRY(ask(facts, NULL, facts->role, NULL, &any_device, reterr));
    probe.answer = whole;
    probe.any_device = any_device;
    run_checks(&probe, each, context, ret_failed);
    for (size_t i = 0; i < facts->count; i++) {
        AN_CLEANUP(an_answer_free) struct an_answer *own = NULL;
        AN_TRY(ask(facts, &facts->items[i], facts->role, facts->request->device_kind, &own, reterr));
        probe.item = &facts->items[i];
        /* what stands against the dossier is said once */
        probe.answer = whole->allowed == AN_ALLOWED_NO ? &allowed : own;
        run_checks(&probe, each, context, ret_failed);
    }
    if (ret_answer != NULL) {
        *ret_answer = whole;
        whole = NULL;
    }
    return AN_OK;
}
