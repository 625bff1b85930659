/* What the files of enrol/ share: PKIMessage and CertReqMsg, read and written. */
#pragma once

#include "asn1/oid.h"
#include "base/mem.h"
#include "enrol/enrol.h"

/* PKIBody, by its tag */
enum {
    CMP_IR = 0, CMP_IP = 1, CMP_CR = 2, CMP_CP = 3, CMP_P10CR = 4, CMP_KUR = 7, CMP_KUP = 8, CMP_RR = 11, CMP_RP = 12,
    CMP_PKICONF = 19,
    CMP_GENM = 21, CMP_GENP = 22, CMP_ERROR = 23, CMP_CERTCONF = 24, CMP_POLLREQ = 25, CMP_POLLREP = 26,
};
/* PKIStatus */
enum { CMP_ACCEPTED = 0, CMP_GRANTED_WITH_MODS = 1, CMP_REJECTION = 2, CMP_WAITING = 3 };

#define CMP_NONCE_SIZE 16

/* ---- cmp_read.c: views into the message ---- */
struct an_cmp_message {
    int64_t version;
    an_bytes sender, recipient;      /* GeneralName, whole */
    an_bytes sender_name;            /* Name, whole, when the sender is a directoryName; AN_NONE otherwise */
    an_time time;                    /* AN_TIME_NONE when absent */
    an_bytes algorithm;              /* of the protection, whole; AN_NONE = not protected */
    an_bytes sender_kid, transaction, sender_nonce, recipient_nonce;
    bool wants_implicit;
    int body;
    an_bytes body_value;             /* inside the explicit tag */
    an_bytes header_whole, body_whole; /* what is protected: SEQUENCE { header, body } */
    an_bytes protection;             /* AN_NONE = absent */
    struct an_certs certs;           /* extraCerts; owned */
};
/* Reads as far as it can; on failure *ret holds what was read (enough to address an answer). an_cmp_message_done in any
 * case. */
an_code an_cmp_read(an_bytes der, struct an_cmp_message *ret, struct an_err *reterr);
void an_cmp_message_done(struct an_cmp_message *message);
/* SEQUENCE { header, body }: what a code or signature stands for. */
void an_cmp_protected_part(an_bytes header, an_bytes body, struct an_buf *ret);

/* certConf: the first CertStatus of the list, of which there must be one only. */
struct an_cmp_confirmation { an_bytes hash; int64_t request_id;
                            enum an_digest digest /* AN_DIGEST_NONE = by the signature */; bool is_rejected; };
an_code an_cmp_read_confirmation(an_bytes body, struct an_cmp_confirmation *ret, struct an_err *reterr);
an_code an_cmp_read_poll(an_bytes body, int64_t *ret_request_id, struct an_err *reterr);
/* rr: the first RevDetails, of which there must be one only. */
struct an_cmp_revocation { an_bytes issuer, serial; enum an_crl_reason reason; };
an_code an_cmp_read_revocation(an_bytes body, struct an_cmp_revocation *ret, struct an_err *reterr);

/* ---- crmf.c (RFC 4211) ---- */
struct an_crmf {
    int64_t id;
    an_bytes request;        /* CertRequest, whole: what the proof of possession signs */
    an_bytes subject, issuer; /* Name, whole; AN_NONE when absent */
    an_bytes old_issuer, old_serial; /* control oldCertID */
    struct an_buf spki;      /* owned; len 0 when absent */
    struct an_extension *extensions; size_t extension_count; /* owned array, views */
};
/* CertReqMessages with one CertReqMsg, its proof of possession checked: AN_E_CMP_PARSE, AN_E_ENROL_POP,
 * AN_E_ENROL_KEY_ELSEWHERE. */
an_code an_crmf_read(an_bytes body, an_bytes sender, struct an_crmf *ret, struct an_err *reterr);
void an_crmf_done(struct an_crmf *crmf);

/* ---- cmp_protect.c ---- */
/* A password-based code: PBM of RFC 4210 5.1.3.1, or PBMAC1 of RFC 8018 (RFC 9481 6.1.2). */
struct an_cmp_mac {
    bool is_pbmac1;
    enum an_digest owf, mac; /* PBMAC1: owf = of PBKDF2 */
    an_bytes salt;
    int64_t rounds;
    size_t key_len;          /* PBMAC1 */
    bool is_old_oid;         /* hmac-SHA1 named as in RFC 4210, repeated in the answer */
};
bool an_cmp_is_mac(an_bytes algorithm);
an_code an_cmp_mac_read(an_bytes algorithm, struct an_cmp_mac *ret, struct an_err *reterr);
void an_cmp_mac_write(struct an_der_out *out, const struct an_cmp_mac *mac);
an_code an_cmp_mac_make(const struct an_cmp_mac *mac, const struct an_secret *secret, an_bytes part,
                        uint8_t ret_code[static AN_DIGEST_MAX],
                        struct an_err *reterr);
/* Who protected the message? Checks the protection; fills party (its cert is a reference: an_cert_unref) and, for a
 * secret, what the answer needs. */
struct an_cmp_guard {
    struct an_enrol_party party;
    struct an_cert *cert;      /* party.cert, owned */
    struct an_secret *secret;  /* owned */
    struct an_cmp_mac mac;
};
an_code an_cmp_check_protection(const struct an_enrol_host *host, const struct an_cmp_message *message, an_time now,
                                struct an_cmp_guard *ret,
                                struct an_err *reterr);
void an_cmp_guard_done(struct an_cmp_guard *guard);

/* ---- cmp_write.c ---- */
struct an_cmp_reply {
    int body;
    an_bytes content;            /* inside the explicit tag */
    bool grants_implicit;
    uint32_t confirm_wait_s;     /* 0 = not said */
    const struct an_certs *certs; /* extraCerts beside the signer's; may be NULL */
    uint8_t nonce[CMP_NONCE_SIZE];
};
/* Protected as the message was: by the same secret, else by the host's key, else not at all. */
an_code an_cmp_write(const struct an_enrol_host *host, const struct an_cmp_message *to,
                     const struct an_cmp_guard *guard,
                     const struct an_cmp_reply *reply, an_time now, struct an_buf *ret, struct an_err *reterr);
/* PKIStatusInfo; err NULL = nothing to say. */
void an_cmp_put_status(struct an_der_out *out, int status, const struct an_err *err);
/* The PKIFailureInfo bit of a code. */
unsigned an_cmp_failure_of(an_code code);
/* Why, in both languages, for people: "vi: detail". */
void an_enrol_words(const struct an_err *err, bool is_english, struct an_buf *ret);

/* ---- cmp_general.c: genm ---- */
an_code an_cmp_general(const struct an_enrol_host *host, an_bytes body, an_time now, struct an_buf *ret,
                       struct an_err *reterr);
