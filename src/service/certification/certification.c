/* The certifier of an instance, over its key process; first status answers with the OCSP signer of each authority. */
#include "service/certification/certification.h"

#include "ca/respond.h"
#include "ca/revocation.h"
#include "service/certification/quorum.h"

#include <pthread.h>

#define ANSWER_SECONDS ((an_time)7 * 86400) /* of an answer made beforehand; a change of status takes it away at once */

struct answer_signer { int64_t authority; struct an_signer *signer; };
AN_VEC(answer_signers, struct answer_signer);
struct answers { struct an_keys *keys; pthread_mutex_t lock; struct answer_signers signers; };

static an_code
open_key(void *context, const char *key, struct an_signer **ret, struct an_err *reterr)
{
    const struct an_certification *c = context;

    return an_signer_of_keys(c->keys, key, AN_PURPOSE_CERTIFICATE, ret, reterr);
}

static void
announce(void *context)
{
    const struct an_certification *c = context;

    an_status_announce(c->instance->dir);
}

static an_code
signer_of(struct answers *answers, const struct an_authority *authority, struct an_signer **ret, struct an_err *reterr)
{
    an_code code = AN_OK;
    bool is_there = false;

    pthread_mutex_lock(&answers->lock);
    for (size_t i = 0; i < answers->signers.count && !is_there; i++)
        if (answers->signers.items[i].authority == authority->id) {
            *ret = answers->signers.items[i].signer;
            is_there = true;
        }
    if (!is_there) {
        code = an_signer_of_keys(answers->keys, authority->ocsp_key, AN_PURPOSE_OCSP, ret, reterr);
        if (code == AN_OK)
            *answer_signers_push(&answers->signers) = (struct answer_signer){authority->id, *ret};
    }
    pthread_mutex_unlock(&answers->lock);
    return code;
}

static an_code
make_answer(void *context, const struct an_authority *authority, struct an_cert *cert, an_time now, struct an_buf *ret,
            struct an_err *reterr)
{
    struct an_signer *signer = NULL;

    if (authority->ocsp_cert == NULL)
        return AN_OK;
    AN_TRY(signer_of(context, authority, &signer, reterr));
    return an_ca_ocsp(authority->cert, authority->ocsp_cert, signer, cert, NULL, now,
                      an_respond_until(authority->ocsp_cert, now, ANSWER_SECONDS), AN_NONE, ret, reterr);
}

static an_code
put_answer(void *context, struct an_tx *tx, int64_t certificate, an_bytes answer, an_time now, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(certificate), AN_V_INT(now + ANSWER_SECONDS), AN_V_BLOB(answer)};

    (void)context;
    return an_tx_run(tx, AN_SQL_OCSP_ANSWER_INSERT, values, AN_COUNT(values), NULL, reterr);
}

static void
free_answers(struct answers *answers)
{
    if (answers == NULL)
        return;
    for (size_t i = 0; i < answers->signers.count; i++)
        an_signer_close(&answers->signers.items[i].signer);
    answer_signers_done(&answers->signers);
    pthread_mutex_destroy(&answers->lock);
    free(answers);
}

an_code
an_certification_open(struct an_instance *instance, struct an_certification **ret, struct an_err *reterr)
{
    static const struct an_actor nobody = {"system", "he-thong"};
    AN_CLEANUP(an_certification_close) struct an_certification *c = AN_NEW(struct an_certification);
    struct answers *answers = AN_NEW(struct answers);
    const struct an_first_answer first = {make_answer, put_answer, answers};
    const struct an_certifier_setup setup = {.store = instance->store, .open_key = open_key, .key_context = c,
                                             .first_answer = &first, .announce = announce, .announce_context = c};

    struct an_quorum quorum;

    c->instance = instance;
    c->answers = answers;
    pthread_mutex_init(&answers->lock, NULL);
    AN_TRY(an_keys_open(instance->dir, &c->keys, reterr));
    answers->keys = c->keys;
    AN_TRY(an_quorum_follow(instance, NULL, &nobody, &quorum, reterr));
    AN_TRY(an_certifier_open(&setup, &c->certifier, reterr));
    *ret = c;
    c = NULL;
    return AN_OK;
}

void
an_certification_close(struct an_certification **certification)
{
    struct an_certification *c = *certification;

    if (c == NULL)
        return;
    an_certifier_close(&c->certifier);
    free_answers(c->answers);
    an_keys_close(&c->keys);
    free(c);
    *certification = NULL;
}
