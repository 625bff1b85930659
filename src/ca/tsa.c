/* Answering time-stamp requests: RFC 3161 with RFC 5816 (SigningCertificateV2). */
#include "ca/internal.h"

#include <stdio.h>

#define TST_INFO "1.2.840.113549.1.9.16.1.4"
#define SERIAL_SIZE 16
#define NONCE_MAX 64

/* text: as a token says it. */
struct moment { an_time seconds; int ms; char text[64]; size_t len; };
/* What all tokens of a round share. */
struct round {
    const struct an_tsa *tsa;
    struct moment when;
    an_code code; /* of the set-up, or of the random numbers */
    struct an_err err;
    uint8_t serials[AN_SIGNINGS_MAX][SERIAL_SIZE];
};

/* PKIFailureInfo bits */
enum refusal {
    REFUSE_NONE = -1, REFUSE_BAD_ALG = 0, REFUSE_BAD_REQUEST = 2, REFUSE_BAD_FORMAT = 5, REFUSE_TIME = 14,
    REFUSE_POLICY = 15,
    REFUSE_EXTENSION = 16,
};

/* Digests that still resist collisions; a time-stamp over another one proves nothing (ETSI TS 119 312). */
static bool
is_digest_good(enum an_digest digest)
{
    static const enum an_digest good[] = {AN_SHA256, AN_SHA384, AN_SHA512, AN_SHA512_256, AN_SHA3_256, AN_SHA3_384,
                                          AN_SHA3_512};

    for (size_t i = 0; i < AN_COUNT(good); i++)
        if (good[i] == digest)
            return true;
    return false;
}

/* Another version than 1 is a request that we understand and do not serve; anything else is malformed. */
static enum refusal
explain_malformed(an_bytes request)
{
    an_bytes inside;
    int64_t version = 0;

    if (an_der_take(&request, AN_DER_SEQUENCE, &inside, NULL) == AN_OK &&
        an_der_int64(&inside, &version, NULL) == AN_OK &&
        version != 1)
        return REFUSE_BAD_REQUEST;
    return REFUSE_BAD_FORMAT;
}

static enum refusal
judge_query(const struct an_tsa *tsa, const struct an_tsp_query *query, an_time now)
{
    if (!is_digest_good(query->digest))
        return REFUSE_BAD_ALG;
    if (query->imprint.len != an_digest_size(query->digest) || query->nonce.len > NONCE_MAX)
        return REFUSE_BAD_FORMAT;
    if (query->policy.len != 0 && !an_oid_eq(query->policy, tsa->policy_oid))
        return REFUSE_POLICY;
    if (query->has_extensions)
        return REFUSE_EXTENSION;
    if (now == AN_TIME_NONE || now < tsa->cert->not_before || now > tsa->cert->not_after)
        return REFUSE_TIME;
    return REFUSE_NONE;
}

static void
put_refusal(struct an_buf *ret, enum refusal why)
{
    static const struct { enum refusal why; const char *text; } texts[] = {
        {REFUSE_BAD_ALG, "thuật toán băm không được chấp nhận / hash algorithm not accepted"},
        {REFUSE_BAD_REQUEST, "phiên bản yêu cầu không được hỗ trợ / request version not supported"},
        {REFUSE_BAD_FORMAT, "yêu cầu sai định dạng / malformed request"},
        {REFUSE_TIME, "nguồn thời gian không sẵn sàng / time source not available"},
        {REFUSE_POLICY, "chính sách không được hỗ trợ / policy not supported"},
        {REFUSE_EXTENSION, "phần mở rộng không được hỗ trợ / extension not supported"},
    };
    struct an_der_out out = AN_DER_OUT(ret);
    uint8_t bits[3] = {0};
    unsigned bit = (unsigned)why;

    bits[bit / 8] = (uint8_t)(0x80u >> bit % 8);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_int(&out, 2); /* rejection */
    an_der_open(&out, AN_DER_SEQUENCE);
    for (size_t i = 0; i < AN_COUNT(texts); i++)
        if (texts[i].why == why)
            an_der_put_utf8(&out, texts[i].text);
    an_der_close(&out);
    an_der_put_bits(&out, AN_BYTES(bits, bit / 8 + 1), 7 - bit % 8);
    an_der_close(&out);
    an_der_close(&out);
}

static void
put_accuracy(struct an_der_out *out, int64_t accuracy_ms)
{
    int64_t millis = accuracy_ms % 1000;
    const uint8_t octets[] = {(uint8_t)(millis >> 8), (uint8_t)millis};

    if (accuracy_ms <= 0)
        return;
    an_der_open(out, AN_DER_SEQUENCE);
    if (accuracy_ms >= 1000)
        an_der_put_int(out, accuracy_ms / 1000);
    if (millis != 0) /* [0] IMPLICIT INTEGER (1..999): one octet up to 127 */
        an_der_put(out, AN_DER_CONTEXT(0), millis < 128 ? AN_BYTES(octets + 1, 1) : AN_BYTES(octets, 2));
    an_der_close(out);
}

/* RFC 3161 2.4.2: fractions without zeros at their end. */
static void
write_moment(struct moment *when)
{
    struct an_date date = an_date_of(when->seconds, 0);
    int len = snprintf(when->text, sizeof(when->text), "%04d%02d%02d%02d%02d%02d", date.year, date.month, date.day,
                       date.hour, date.minute, date.second);

    if (when->ms > 0) {
        len += snprintf(when->text + len, sizeof(when->text) - (size_t)len, ".%03d", when->ms);
        while (when->text[len - 1] == '0')
            len--;
    }
    when->text[len++] = 'Z';
    when->len = (size_t)len;
}

/* random: SERIAL_SIZE octets. */
static an_code
build_info(const struct an_tsa *tsa, const struct an_tsp_query *query, const struct moment *when,
           const uint8_t *random, struct an_buf *ret, struct an_err *reterr)
{
    struct an_der_out out = AN_DER_OUT(ret);
    uint8_t serial[SERIAL_SIZE];

    memcpy(serial, random, sizeof(serial));
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_int(&out, 1);
    an_der_put_oid(&out, tsa->policy_oid);
    an_der_put_raw(&out, query->imprint_whole);
    an_der_put_unsigned(&out, AN_BYTES(serial, sizeof(serial)));
    an_der_put(&out, AN_DER_GENERALIZED_TIME, AN_BYTES(when->text, when->len));
    put_accuracy(&out, tsa->accuracy_ms);
    if (tsa->ordering) /* DEFAULT FALSE */
        an_der_put_bool(&out, true);
    if (query->nonce.len != 0)
        an_der_put(&out, AN_DER_INTEGER, query->nonce);
    an_der_close(&out);
    return an_buf_ok(ret) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "TSTInfo");
}

/* A token on its way: what it says and the attributes that are signed. */
struct tsa_draft {
    struct an_buf info, attributes, signature;
    struct an_cms_plan plan; /* plan.content is info */
    uint8_t content_digest[AN_DIGEST_MAX], digest[AN_DIGEST_MAX];
    an_bytes to_sign;        /* digest, or the attributes themselves */
    bool is_open;            /* there is something to sign */
};

static void
free_draft(struct tsa_draft *draft)
{
    an_buf_free(&draft->info);
    an_buf_free(&draft->attributes);
    an_buf_free(&draft->signature);
}

static an_code
write_draft(const struct round *round, size_t number, const struct an_tsp_query *query, struct tsa_draft *draft,
            struct an_err *reterr)
{
    const struct an_tsa *tsa = round->tsa;
    struct an_cms_plan *plan = &draft->plan;
    enum an_digest content_digest;

    AN_TRY(build_info(tsa, query, &round->when, round->serials[number], &draft->info, reterr));
    *plan = (struct an_cms_plan){.signer = tsa->cert, .chain = tsa->chain, .omit_certs = !query->want_certs,
                                 .scheme = an_ca_scheme(tsa->key),
                                 .content = an_buf_view(&draft->info), .content_type = TST_INFO,
                                 .signing_time = AN_TIME_NONE, .signing_certificate_v2 = true};
    content_digest = plan->scheme.kind == AN_SIG_EDDSA ? AN_SHA512 : plan->scheme.digest;
    an_hash_once(content_digest, plan->content, draft->content_digest);
    plan->content_digest = AN_BYTES(draft->content_digest, an_digest_size(content_digest));
    AN_TRY(an_cms_prepare(plan, &draft->attributes, reterr));
    draft->to_sign = an_buf_view(&draft->attributes);
    if (plan->scheme.kind != AN_SIG_EDDSA) {
        an_hash_once(plan->scheme.digest, draft->to_sign, draft->digest);
        draft->to_sign = AN_BYTES(draft->digest, an_digest_size(plan->scheme.digest));
    }
    draft->is_open = true;
    return AN_OK;
}

/* The token is written where it stays; what goes before it is put before it. */
static an_code
finish_draft(const struct tsa_draft *draft, struct an_buf *ret, struct an_err *reterr)
{
    static const uint8_t granted[] = {AN_DER_SEQUENCE, 3, AN_DER_INTEGER, 1, 0};
    AN_CLEANUP(an_buf_free) struct an_buf head = an_buf_new(64);
    struct an_der_out out = AN_DER_OUT(&head);
    size_t before = ret->len;
    uint8_t *to;

    AN_TRY(an_cms_finish(&draft->plan, an_buf_view(&draft->attributes), an_buf_view(&draft->signature), AN_NONE, ret,
                         reterr));
    an_der_put_header(&out, AN_DER_SEQUENCE, sizeof(granted) + ret->len - before);
    an_der_put_raw(&out, AN_BYTES(granted, sizeof(granted)));
    to = an_buf_insert(ret, before, head.len);
    if (to != NULL)
        memcpy(to, head.ptr, head.len);
    return an_buf_ok(ret) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "TimeStampResp");
}

/* RFC 3161 2.3: a critical extended key usage that names time-stamping. */
static an_code
check_tsa(const struct an_tsa *tsa, struct an_err *reterr)
{
    const struct an_extension *usage = an_cert_extension(tsa->cert, "2.5.29.37");
    uint8_t oid[AN_OID_MAX];

    if (usage == NULL || !usage->critical || !an_cert_has_eku(tsa->cert, "1.3.6.1.5.5.7.3.8"))
        AN_FAIL(reterr, AN_E_TSA_SETUP, "extKeyUsage");
    if (tsa->policy_oid == NULL || an_oid_encode(tsa->policy_oid, oid) == 0)
        AN_FAIL(reterr, AN_E_TSA_SETUP, "policy");
    return an_ca_check_key(tsa->cert, tsa->key, AN_KU_DIGITAL_SIGNATURE | AN_KU_NON_REPUDIATION, AN_E_TSA_SETUP,
                           reterr);
}

/* Drafts a token, or writes the refusal. */
static an_code
draft_at(const struct round *round, size_t number, const struct an_tsa_turn *turn, struct tsa_draft *draft,
         struct an_err *reterr)
{
    struct an_tsp_query query = {0};
    enum refusal why;

    *draft = (struct tsa_draft){.info = an_buf_new(AN_LIMIT_TSP_BYTES), .attributes = an_buf_new(AN_LIMIT_TSP_BYTES),
                                .signature = an_buf_new(AN_LIMIT_TSP_BYTES)};
    if (round->code != AN_OK) {
        *reterr = round->err;
        return round->code;
    }
    if (an_tsp_request_parse(turn->request, &query, NULL) != AN_OK)
        why = explain_malformed(turn->request);
    else
        why = judge_query(round->tsa, &query, round->when.seconds);
    if (why == REFUSE_NONE)
        return write_draft(round, number, &query, draft, reterr);
    put_refusal(turn->ret, why);
    return an_buf_ok(turn->ret) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "TimeStampResp");
}

/* What went wrong before stays: a refusal has its reason. */
static void
sign_drafts(const struct an_tsa *tsa, struct tsa_draft *drafts, struct an_tsa_turn *turns, size_t count)
{
    struct an_signing signings[AN_SIGNINGS_MAX];
    size_t places[AN_SIGNINGS_MAX], many = 0;
    struct an_scheme scheme = an_ca_scheme(tsa->key);

    for (size_t i = 0; i < count; i++)
        if (drafts[i].is_open) {
            signings[many] = (struct an_signing){.digest = drafts[i].to_sign, .out = &drafts[i].signature,
                                                 .reterr = &turns[i].err};
            places[many++] = i;
        }
    if (many != 0)
        an_signer_sign_many(tsa->key, &scheme, signings, many);
    for (size_t i = 0; i < many; i++) {
        struct an_tsa_turn *turn = &turns[places[i]];
        size_t before = turn->ret->len;
        turn->code = signings[i].code == AN_OK ? finish_draft(&drafts[places[i]], turn->ret, &turn->err)
                : signings[i].code;
        /* the first speaks for those made with it */
        if (turn->code == AN_OK && (i == 0 || turns[places[i - 1]].code != AN_OK))
            turn->code = an_ca_lint_made(an_lint_token, an_bytes_slice(an_buf_view(turn->ret), before, SIZE_MAX), NULL,
                                         &turn->err);
        if (turn->code != AN_OK)
            turn->ret->len = before;
    }
}

/* when: seconds and ms are there. */
static void
begin_round(const struct an_tsa *tsa, struct round *round, size_t count)
{
    round->tsa = tsa;
    round->code = check_tsa(tsa, &round->err);
    if (round->code == AN_OK)
        round->code = an_random(round->serials[0], count * SERIAL_SIZE, &round->err);
    if (round->when.seconds != AN_TIME_NONE)
        write_moment(&round->when);
}

an_code
an_tsa_answer(const struct an_tsa *tsa, an_bytes request, an_time now, struct an_buf *ret, struct an_err *reterr)
{
    struct an_tsa_turn turn = {.request = request, .ret = ret};
    struct round round = {.when.seconds = now};
    struct tsa_draft draft;

    begin_round(tsa, &round, 1);
    turn.code = draft_at(&round, 0, &turn, &draft, &turn.err);
    sign_drafts(tsa, &draft, &turn, 1);
    free_draft(&draft);
    return turn.code == AN_OK ? AN_OK : an_err_set(reterr, turn.code, "%s", turn.err.detail);
}

/* The time is that of the arrival, before anything is computed (Luật GDĐT Điều 31). */
void
an_tsa_answer_many(const struct an_tsa *tsa, struct an_clock *clock, struct an_tsa_turn *turns, size_t count)
{
    struct round round = {.when.seconds = AN_TIME_NONE};
    struct an_err clock_err = {0}, err = {0};
    an_code clock_code = an_clock_read(clock, &round.when.seconds, &round.when.ms, &clock_err), code;
    struct tsa_draft *drafts = an_new_array(count, sizeof(*drafts));

    begin_round(tsa, &round, count);
    for (size_t i = 0; i < count; i++) {
        code = draft_at(&round, i, &turns[i], &drafts[i], &err);
        turns[i].code = code != AN_OK ? code : clock_code; /* the refusal stands in ret; the host should know why */
        if (turns[i].code != AN_OK)
            turns[i].err = code != AN_OK ? err : clock_err;
    }
    sign_drafts(tsa, drafts, turns, count);
    for (size_t i = 0; i < count; i++)
        free_draft(&drafts[i]);
    free(drafts);
}

an_code
an_tsa_answer_by(const struct an_tsa *tsa, struct an_clock *clock, an_bytes request, struct an_buf *ret,
                 struct an_err *reterr)
{
    struct an_tsa_turn turn = {.request = request, .ret = ret};

    an_tsa_answer_many(tsa, clock, &turn, 1);
    return turn.code == AN_OK ? AN_OK : an_err_set(reterr, turn.code, "%s", turn.err.detail);
}
