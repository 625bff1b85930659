/*
 * Enrolment by machines: CMP (RFC 4210, 9480, profile 9483; transfer 9811) and EST (RFC 7030). For certificates of
 * devices, services and software, for which an approval stands in the store; the approval fixes the subject.
 *
 * This room speaks the protocols and keeps their order. What a certificate is, who may have one and where transactions
 * are kept is asked of a host (service/certification/enrol.c): a table of functions, so that both stay apart and
 * each is tested alone.
 */
#pragma once

#include "cms/cms.h"
#include "token/token.h"
#include "x509/csr.h"

/* ---- what the host is asked ---- */
enum an_enrol_act { AN_ENROL_ISSUE = 0, AN_ENROL_RENEW, AN_ENROL_REVOKE };
/* Who stands behind a message, as its protection showed: a reference with its secret, or a certificate with its key. */
struct an_enrol_party {
    an_bytes reference;   /* AN_NONE when a certificate signed */
    struct an_cert *cert; /* NULL when a secret protected; borrowed */
    const char *peer;     /* network address, for the log; "" = not known */
    bool is_proved;       /* secret or signature were right; before that the two say who a stranger claims to be */
};
struct an_enrol_request {
    enum an_enrol_act act;
    const struct an_enrol_party *party;
    an_bytes spki;        /* of the new certificate, its possession proved; AN_NONE when revoking */
    an_bytes subject;     /* Name asked for; AN_NONE or an empty one = as approved */
    const struct an_extension *extensions; /* asked for */
    size_t extension_count;
    an_bytes old_issuer, old_serial; /* renewing, revoking: of which certificate; AN_NONE = the party's own */
    enum an_crl_reason reason;       /* revoking */
    an_time now;
};
enum an_enrol_outcome { AN_ENROL_DONE = 0, AN_ENROL_CHANGED /* done, not all as asked */,
                       AN_ENROL_WAITING /* not yet approved */ };
struct an_enrol_answer {
    enum an_enrol_outcome outcome;
    struct an_cert *cert;    /* the new or revoked one; a reference of the caller's */
    struct an_certs chain;   /* issuers of cert, next first, without the root; owned */
    uint32_t check_after;    /* waiting: seconds until it makes sense to ask again */
};
void an_enrol_answer_done(struct an_enrol_answer *answer);

/* One exchange of messages of CMP, kept between them: a client may reach another node with its next message. */
enum an_enrol_state { AN_ENROL_OPEN = 0, AN_ENROL_POLLING, AN_ENROL_UNCONFIRMED, AN_ENROL_CLOSED };
struct an_enrol_transaction {
    enum an_enrol_state state;
    int body;                /* of the request: 0 ir, 2 cr, 4 p10cr, 7 kur */
    int64_t request_id;      /* certReqId */
    uint8_t server_nonce[16]; /* sent last: the next message repeats it */
    bool implicit;           /* implicit confirmation was granted */
    struct an_buf request;   /* the request's body, kept while it waits; owned */
    struct an_buf cert;      /* DER of what was issued; owned */
    an_time at;
};
void an_enrol_transaction_done(struct an_enrol_transaction *transaction);

struct an_enrol_host {
    void *context;
    /* The secret that belongs to a reference. AN_E_ENROL_REFERENCE when there is none, it has run out or was used for
     * something else. */
    an_code (*find_secret)(void *context, an_bytes reference, an_time now, struct an_secret **ret,
                           struct an_err *reterr);
    /* May this certificate vouch for a message: issued here, in force, of a kind that enrols by itself?
     * AN_E_ENROL_SIGNER, AN_E_ENROL_REVOKED. */
    an_code (*check_cert)(void *context, struct an_cert *cert, an_time now, struct an_err *reterr);
    /* Carries out, authorises, writes the log, all in one transaction; the same request again gives the same answer. */
    an_code (*carry_out)(void *context, const struct an_enrol_request *request, struct an_enrol_answer *ret,
                         struct an_err *reterr);
    /* The client does (or does not) take the certificate: a refused one is revoked. */
    an_code (*confirm)(void *context, const struct an_enrol_party *party, struct an_cert *cert, bool is_taken,
                       an_time now, struct an_err *reterr);
    /* Transactions by a key of 32 octets made from who speaks and the transactionID: another party's message finds
     * none. begin: AN_E_CMP_TRANSACTION when there is one already. save: only while the state is still `from`;
     * AN_E_CMP_TRANSACTION otherwise (two messages raced). */
    an_code (*begin)(void *context, an_bytes key, const struct an_enrol_transaction *transaction,
                     struct an_err *reterr);
    /* AN_E_CMP_TRANSACTION_UNKNOWN */
    an_code (*load)(void *context, an_bytes key, struct an_enrol_transaction *ret, struct an_err *reterr);
    an_code (*save)(void *context, an_bytes key, enum an_enrol_state from,
                    const struct an_enrol_transaction *transaction,
                    struct an_err *reterr);
    /* A message was refused: for the log. What the party claims is text of a stranger until is_proved; but with
     * AN_E_CMP_PROTECTION and AN_E_EST_SECRET the reference is one that there is. */
    void (*refused)(void *context, const struct an_enrol_party *party, const char *what, const struct an_err *err);

    struct an_signer *signer;       /* for answers to messages that a certificate signed; NULL = none */
    struct an_cert *signer_cert;
    const struct an_certs *chain;   /* of signer_cert, without the root */
    const struct an_certs *roots;   /* what a client may trust once a secret protects the answer */
    const struct an_certs *issuers; /* the issuing authorities, then their roots: EST cacerts, CMP caCerts */
    an_bytes (*crl)(void *context); /* the present list of the first issuer; may be NULL; AN_NONE = none */
    uint32_t confirm_wait_s;        /* how long a certificate waits for its confirmation */
    uint32_t clock_skew_s;          /* a message may be older or newer than this; 0 = not checked */
};

/* ---- CMP ---- */
/* Answers one PKIMessage with one PKIMessage: refusals too, with the reason in Vietnamese and English. Fails only when
 * no answer can be made at all (no message could be read, no random numbers). *ret_failed (may be NULL) = the answer is
 * an error or a rejection. */
an_code an_cmp_answer(const struct an_enrol_host *host, an_bytes message, const char *peer, an_time now,
                      struct an_buf *ret,
                      bool *ret_failed, struct an_err *reterr) AN_MUST_USE;

/* ---- EST ---- */
enum an_est_operation { AN_EST_CACERTS = 0, AN_EST_ENROLL, AN_EST_REENROLL, AN_EST_CSRATTRS, AN_EST_KEYGEN,
                       AN_EST_UNKNOWN };
/* By the last part of the path: /.well-known/est[/LABEL]/OPERATION. */
enum an_est_operation an_est_operation_of(const char *path);
struct an_est_request {
    enum an_est_operation operation;
    bool is_post;
    const char *content_type;
    an_bytes body;
    const char *authorization; /* HTTP Basic: reference and secret; "" = none */
    struct an_cert *client;    /* of the TLS connection, as the front server checked it; NULL = none */
    const char *peer;
};
struct an_est_answer {
    unsigned status;          /* 200, 202, 204, 400, 401, 403, 404, 405, 415, 500, 501, 503 */
    const char *content_type; /* static text */
    bool is_base64;           /* Content-Transfer-Encoding: base64 */
    uint32_t retry_after_s;   /* with 202 and 503 */
    struct an_buf body;       /* owned; the caller gives it its maximum */
};
void an_est_answer(const struct an_enrol_host *host, const struct an_est_request *request, an_time now,
                   struct an_est_answer *ret);
/* SignedData with certificates alone (RFC 5652, RFC 8551 3.2.2). */
void an_certs_only(const struct an_certs *certs, struct an_buf *ret);
