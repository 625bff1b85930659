#include "service/certification/decide.h"

#include "audit/audit.h"
#include "service/registration/desk.h"

#include <stdio.h>

/* ---- whose signatures count here ---- */
struct trust { struct an_certs pinned, anchors, untrusted; const char *person, *role; bool is_officer_elsewhere; };

static void
trust_done(struct trust *trust)
{
    an_certs_done(&trust->pinned);
    an_certs_done(&trust->anchors);
    an_certs_done(&trust->untrusted);
}

/* An officer's certificate counts for that officer in that role alone. */
static an_code
take_officer(void *context, const char *person, const char *role, an_bytes certificate, struct an_err *reterr)
{
    struct trust *trust = context;
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;

    if (strcmp(person, trust->person) != 0)
        return AN_OK;
    if (strcmp(role, trust->role) != 0) {
        trust->is_officer_elsewhere = true;
        return AN_OK;
    }
    AN_TRY(an_cert_parse(certificate, &cert, reterr));
    an_certs_add(&trust->pinned, cert);
    return AN_OK;
}

static an_code
load_trust(void *context, struct an_tx *tx, struct an_err *reterr)
{
    AN_CLEANUP(an_authorities_done) struct an_authorities all = {0};
    struct trust *trust = context;

    AN_TRY(an_officer_each(tx, take_officer, trust, reterr));
    AN_TRY(an_authorities_load(tx, &all, reterr));
    for (size_t i = 0; i < all.count; i++)
        an_certs_add(strcmp(all.items[i].kind, "root") == 0 ? &trust->anchors : &trust->untrusted, all.items[i].cert);
    return AN_OK;
}

/* A certificate of our own register must be good there, now, and be that of the person who decides, who holds the role
 * today. */
struct standing { struct an_cert *cert; const struct trust *trust; an_time now; bool is_ours, is_good, is_the_persons;
                 };

static an_code
look_person(struct an_tx *tx, struct standing *s, struct an_arena *arena, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *serial = an_desk_serial(s->cert);
    struct an_subscriber_cert link = {0};
    struct an_subscriber subscriber = {0};
    struct an_person person = {0};

    AN_TRY(an_subscriber_of_cert(tx, serial, arena, &link, reterr));
    if (link.subscriber != 0)
        AN_TRY(an_subscriber_find(tx, link.subscriber, arena, &subscriber, reterr));
    if (subscriber.person == 0)
        return AN_OK;
    AN_TRY(an_person_find(tx, subscriber.person, arena, &person, reterr));
    if (strcmp(person.number, s->trust->person) != 0 || strcmp(person.state, "active") != 0)
        return AN_OK;
    return an_registry_may(tx, person.id, s->trust->role, 0, s->now, &s->is_the_persons, NULL, reterr);
}

static an_code
look_standing(void *context, struct an_tx *tx, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_CERT_BYTES * 8);
    struct standing *s = context;
    struct an_certificate found;

    if (an_register_find(tx, s->cert->serial, arena, &found, NULL) != AN_OK || !an_bytes_eq(found.der, s->cert->der))
        return AN_OK;
    s->is_ours = true;
    s->is_good = found.status == AN_CERTIFICATE_GOOD;
    return look_person(tx, s, arena, reterr);
}

static an_code
check_signer(struct an_instance *instance, const struct trust *trust, struct an_cert *signer, an_time now,
             struct an_err *reterr)
{
    struct standing standing = {.cert = signer, .trust = trust, .now = now};
    bool is_pinned = an_certs_find_hash(&trust->pinned, signer->sha256) != NULL;

    AN_TRY(an_store_read(instance->store, look_standing, &standing, reterr));
    if (standing.is_ours && !standing.is_good) /* an officer's too */
        AN_FAIL(reterr, AN_E_DECISION_SIGNER, "%s", "status");
    if (is_pinned)
        return AN_OK;
    if (trust->pinned.count > 0 || trust->is_officer_elsewhere || !standing.is_the_persons)
        AN_FAIL(reterr, AN_E_DECISION_SIGNER, "%s/%s", trust->person, trust->role);
    return AN_OK;
}

/* ---- recording ---- */
struct recording { int64_t matter; struct an_vote vote; struct an_matter_state state;
                  const struct an_decision *decision; an_time now; };

static an_code
record_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct recording *r = context;
    char object[48], detail[128];

    AN_TRY(an_matter_vote(tx, r->matter, &r->vote, r->now, &r->state, reterr));
    snprintf(object, sizeof(object), "matter:%lld", (long long)r->matter);
    snprintf(detail, sizeof(detail), "{\"decision\":\"%.8s\",\"approvals\":%lld,\"needed\":%lld}",
             r->decision->decision, (long long)r->state.approvals, (long long)r->state.needed);
    const struct an_audit_event event = {.at = r->now, .action = "matter.vote", .actor = r->decision->person,
                                         .role = r->decision->role, .object = object, .outcome = "done", .citation = "",
                                         .detail = detail};
    return an_audit_append(tx, &event, reterr);
}

/* About what the authority itself does only its own officers decide; requests have their deciders by the regulation. */
static an_code
check_house(const struct an_decision *decision, struct an_err *reterr)
{
    static const char *const ours[] = {"certificate.", "authority.", "officer.", "approval.", "enrolment."};
    struct an_profiles *profiles = NULL;
    struct an_rules *rules = NULL;
    const char *citation;
    bool is_ours = false;
    an_code code;

    for (size_t i = 0; i < AN_COUNT(ours); i++)
        is_ours = is_ours || strncmp(decision->act, ours[i], strlen(ours[i])) == 0;
    if (!is_ours)
        return AN_OK;
    code = an_profiles_open(NULL, &profiles, reterr);
    if (code == AN_OK)
        code = an_rules_open(profiles, &rules, reterr);
    if (code == AN_OK)
        code = an_rules_require(rules, "approval.vote", decision->role, &citation, reterr);
    an_rules_free(&rules);
    an_profiles_free(&profiles);
    return code;
}

an_code
an_decide_record(struct an_instance *instance, int64_t matter, an_bytes statement, an_bytes cms,
                 struct an_matter_state *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(64 * 1024);
    AN_CLEANUP(trust_done) struct trust trust = {0};
    AN_CLEANUP(an_cert_unref) struct an_cert *signer = NULL;
    struct recording r = {.matter = matter, .now = an_time_now()};
    struct an_decision decision;

    AN_TRY(an_decision_parse(statement, arena, &decision, reterr));
    if (strcmp(decision.instance, instance->config.instance) != 0)
        AN_FAIL(reterr, AN_E_DECISION_MATTER, "instance %s", decision.instance);
    AN_TRY(check_house(&decision, reterr));
    trust.person = decision.person;
    trust.role = decision.role;
    AN_TRY(an_store_read(instance->store, load_trust, &trust, reterr));
    const struct an_decision_trust whose = {.pinned = &trust.pinned, .anchors = &trust.anchors,
                                            .untrusted = &trust.untrusted, .revocation = AN_REVOCATION_NONE};
    AN_TRY(an_decision_check(statement, cms, &whose, r.now, &signer, reterr));
    AN_TRY(check_signer(instance, &trust, signer, r.now, reterr));
    r.vote = (struct an_vote){statement, cms, signer};
    r.decision = &decision;
    AN_TRY(an_store_write(instance->store, record_in, &r, reterr));
    *ret = r.state;
    return AN_OK;
}

/* ---- the matter itself ---- */
struct opening { const struct an_matter *matter; int64_t id; an_time now; };

static an_code
open_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct opening *o = context;
    char object[48];

    AN_TRY(an_matter_open(tx, o->matter, o->now, &o->id, reterr));
    snprintf(object, sizeof(object), "matter:%lld", (long long)o->id);
    const struct an_audit_event event = {.at = o->now, .action = "matter.open", .actor = o->matter->proposer,
                                         .role = "", .object = object, .outcome = "done", .citation = "", .detail = ""};
    return an_audit_append(tx, &event, reterr);
}

an_code
an_decide_open(struct an_instance *instance, const struct an_matter *matter, int64_t *ret_id, struct an_err *reterr)
{
    struct opening opening = {.matter = matter, .now = an_time_now()};

    AN_TRY(an_store_write(instance->store, open_in, &opening, reterr));
    *ret_id = opening.id;
    return AN_OK;
}

struct finding { int64_t id; struct an_matter_state state; struct an_arena *arena; const char *act, *object;
                uint8_t facts[32]; struct an_buf *export; };

static an_code
read_words(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct finding *f = context;
    an_bytes facts = an_row_blob(row, 3);

    (void)reterr;
    f->act = an_arena_str(f->arena, an_bytes_of_str(an_row_text(row, 1)));
    f->object = an_arena_str(f->arena, an_bytes_of_str(an_row_text(row, 2)));
    if (facts.len == 32)
        memcpy(f->facts, facts.ptr, 32);
    return AN_OK;
}

static an_code
find_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct finding *f = context;
    const struct an_value value = AN_V_INT(f->id);

    AN_TRY(an_matter_find(tx, f->id, &f->state, reterr));
    if (f->arena != NULL)
        AN_TRY(an_tx_one(tx, AN_SQL_DECISION_MATTER_FIND, &value, 1, read_words, f, NULL, reterr));
    return f->export ? an_matter_export(tx, f->id, f->export, reterr) : AN_OK;
}

an_code
an_decide_find(struct an_instance *instance, int64_t matter, struct an_matter_state *ret, struct an_err *reterr)
{
    struct finding f = {.id = matter};

    AN_TRY(an_store_read(instance->store, find_in, &f, reterr));
    *ret = f.state;
    return AN_OK;
}

an_code
an_decide_export(struct an_instance *instance, int64_t matter, struct an_buf *ret, struct an_err *reterr)
{
    struct finding f = {.id = matter, .export = ret};

    return an_store_read(instance->store, find_in, &f, reterr);
}

an_code
an_decide_vote(struct an_instance *instance, const struct an_decide_vote *vote, struct an_matter_state *ret,
               struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(64 * 1024);
    AN_CLEANUP(an_buf_free) struct an_buf statement = an_buf_new(64 * 1024);
    AN_CLEANUP(an_buf_free) struct an_buf cms = an_buf_new(64 * 1024);
    struct finding f = {.id = vote->matter, .arena = arena};
    struct an_decision decision = {.decision = vote->refuses ? "refuse" : "approve",
                                   .reason = vote->reason ? vote->reason : "", .person = vote->person,
                                   .role = vote->role,
                                   .instance = instance->config.instance, .at = an_time_now()};

    AN_TRY(an_store_read(instance->store, find_in, &f, reterr));
    decision.act = f.act;
    decision.object = f.object;
    memcpy(decision.facts, f.facts, 32);
    AN_TRY(an_decision_statement(&decision, &statement, reterr));
    AN_TRY(an_decision_sign(an_buf_view(&statement), vote->cert, vote->signer, &cms, reterr));
    return an_decide_record(instance, vote->matter, an_buf_view(&statement), an_buf_view(&cms), ret, reterr);
}
