/*
 * Inside verify/. The way of one file:
 *
 *   format.c      decides what it is (a table) and calls its reader: pdf.c, cms.c, mime.c, …
 *   a reader      fills one struct an_case per signature: what the format says, nothing judged yet
 *   conclude.c    time-stamps → proofs of existence → certificate → the rule table → verdict and words
 *
 * A new format (XML, ASiC) is one row in format.c and one reader that fills cases.
 */
#pragma once

#include <pthread.h>

#include "base/file.h"
#include "base/map.h"
#include "cms/cms.h"
#include "regulation/policy.h"
#include "verify/verify.h"

/* ---- ETSI EN 319 102-1, clause 5.1.3: sub-indications ---- */
enum an_sub {
    AN_SUB_NONE = 0,
    AN_SUB_FORMAT_FAILURE, AN_SUB_HASH_FAILURE, AN_SUB_SIG_CRYPTO_FAILURE, AN_SUB_REVOKED, AN_SUB_EXPIRED,
    AN_SUB_NOT_YET_VALID, AN_SUB_SIG_CONSTRAINTS_FAILURE, AN_SUB_CHAIN_CONSTRAINTS_FAILURE,
    AN_SUB_CERTIFICATE_CHAIN_GENERAL_FAILURE, AN_SUB_CRYPTO_CONSTRAINTS_FAILURE,
    AN_SUB_CRYPTO_CONSTRAINTS_FAILURE_NO_POE, AN_SUB_TIMESTAMP_ORDER_FAILURE, AN_SUB_NO_SIGNING_CERTIFICATE_FOUND,
    AN_SUB_NO_CERTIFICATE_CHAIN_FOUND, AN_SUB_NO_CERTIFICATE_CHAIN_FOUND_NO_POE, AN_SUB_REVOKED_NO_POE,
    AN_SUB_REVOKED_CA_NO_POE, AN_SUB_OUT_OF_BOUNDS_NO_POE, AN_SUB_OUT_OF_BOUNDS_NOT_REVOKED, AN_SUB_NO_POE,
    AN_SUB_TRY_LATER, AN_SUB_SIGNED_DATA_NOT_FOUND, AN_SUB_GENERIC,
};
const char *an_sub_name(enum an_sub sub); /* "HASH_FAILURE"; "" for NONE */

/* ---- policy: regulation/policy.h holds the files, policy.c carries them out ---- */
an_algorithm_policy an_verify_algorithms(const struct an_policy *policy);
/* Is it good enough at that moment? AN_OK, AN_V_ALGORITHM_WEAK (never again), AN_V_ALGORITHM_NO_POE (it was earlier).
 * signer: the certificate whose key signed, for pinned exceptions. */
an_code an_verify_algorithm(const struct an_policy *policy, const struct an_scheme *scheme, enum an_key_kind kind,
                            int bits, an_time when, const struct an_cert *signer);
/* Last moment at which it is good enough: AN_TIME_NONE = never, INT64_MAX = no end known. */
an_time an_verify_good_until(const struct an_policy *policy, const struct an_scheme *scheme, enum an_key_kind kind,
                             int bits, const struct an_cert *signer);
bool an_verify_is_excepted(const struct an_policy *policy, const struct an_scheme *scheme, struct an_cert *signer);
/* The anchors that the policy lets stand: given ones, or those known that it pins. */
void an_verify_anchors(const struct an_policy *policy, const struct an_verify_options *options,
                       const struct an_certs *known, struct an_certs *ret);

/* ---- what is known while one file is verified (material.c) ---- */
struct an_material {
    struct an_certs certs;
    struct an_crls crls;
    struct an_ocsps ocsps;
};
void an_material_add_cert(struct an_material *material, struct an_verifier *verifier, struct an_cert *cert);
void an_material_add_crl(struct an_material *material, struct an_verifier *verifier, struct an_crl *crl);
void an_material_add_ocsp(struct an_material *material, struct an_verifier *verifier, struct an_ocsp *ocsp);
void an_material_add_cms(struct an_material *material, struct an_verifier *verifier, const struct an_cms *cms);
void an_material_add_options(struct an_material *material, const struct an_verify_options *options);
void an_material_done(struct an_material *material);

struct an_job;

/* ---- proofs of existence (poe.c): earliest proven moment of an object, by the SHA-256 of its bytes ---- */
struct an_poe { uint8_t id[32]; an_time time; };
AN_VEC(an_poe_list, struct an_poe);
struct an_poes { struct an_poe_list list; struct an_map *index; };
void an_poe_add(struct an_poes *poes, const uint8_t id[static 32], an_time time);
an_time an_poe_find(const struct an_poes *poes, const uint8_t id[static 32], an_time otherwise);
void an_poe_add_material(struct an_poes *poes, const struct an_material *material, an_time time);
void an_poes_done(struct an_poes *poes);
/* A file of a container whose existence is proven: what is read from it from now on existed then. AN_TIME_NONE = not
 * proven. */
void an_poe_begin_file(struct an_job *job, an_time exists_since);
/* After reading it, before judging: its certificates and lists; own may be NULL. */
void an_poe_take_file(struct an_job *job, const struct an_material *own);
void an_poe_id(an_bytes object, uint8_t ret[static 32]);

/* ---- the verifier and its caches (verifier.c) ---- */
/* A validated path, shared: valid for moments in [from, until]. */
struct an_path_entry {
    unsigned refs;
    struct an_path_result result;
    an_time from, until;
    struct an_crls crls;   /* held so that an address in the key cannot come to mean another list */
    struct an_ocsps ocsps;
};
void an_path_entry_unref(struct an_path_entry **entry);

struct an_cache { struct an_map *map; };
struct an_verifier {
    struct an_regulations *regulations; /* owns the policies */
    pthread_mutex_t lock;    /* over the caches */
    struct an_cache paths;   /* key -> struct an_path_entry * */
    struct an_cache certs, crls, ocsps; /* SHA-256 of DER -> counted object */
    struct an_xml_reader *xml; /* the helper for XML and ZIP, started when first needed */
};
an_code an_verifier_policy(struct an_verifier *verifier, const char *id, const struct an_policy **ret,
                           struct an_err *reterr) AN_MUST_USE;
/* The one object with these bytes that all files share: a new reference. */
struct an_cert *an_verifier_intern_cert(struct an_verifier *verifier, struct an_cert *cert);
struct an_crl *an_verifier_intern_crl(struct an_verifier *verifier, struct an_crl *crl);
struct an_ocsp *an_verifier_intern_ocsp(struct an_verifier *verifier, struct an_ocsp *ocsp);
/* The object with these bytes: known already, or parsed now. NULL when malformed. A new reference. */
struct an_cert *an_verifier_cert(struct an_verifier *verifier, an_bytes der);
struct an_crl *an_verifier_crl(struct an_verifier *verifier, an_bytes der);
struct an_ocsp *an_verifier_ocsp(struct an_verifier *verifier, an_bytes der);
/* Validates, or answers from the cache. Never NULL; counted. */
struct an_path_entry *an_verifier_path(struct an_verifier *verifier, struct an_cert *leaf,
                                       const struct an_path_params *params, an_bytes salt);

/* ---- one file ---- */
struct an_step;
struct an_job {
    struct an_verifier *verifier;
    const struct an_file *file;
    const struct an_verify_options *options;
    const struct an_policy *policy;
    an_time now; /* validation time */
    struct an_report *report;
    size_t report_capacity;
    struct an_certs anchors;
    struct an_material material;
    struct an_poes poes;
    const struct an_step *container; /* what the container says against a signature in it; NULL = nothing */
    bool in_container;               /* whatever is signed must be in the container */
    an_time exists_since;            /* of the file in a container that is judged now; AN_TIME_NONE = not proven */
    struct an_material_mark { size_t certs, crls, ocsps; } mark; /* what was known before that file */
};
void an_report_note(struct an_job *job, an_code note); /* each once */
/* Makes room for count rows; then rows are taken one by one and stay where they are. */
void an_report_reserve(struct an_job *job, size_t count);
struct an_signature_report *an_report_signature(struct an_job *job);
struct an_modification *an_modification_add(struct an_signature_report *report);
void an_report_conclude(struct an_report *report);

/* ---- certificates (certificate.c) ---- */
enum an_cert_class {
    AN_CERT_GOOD = 0,
    AN_CERT_NO_CHAIN,      /* no way to an anchor */
    AN_CERT_GENERAL,       /* a signature in the chain is wrong, malformed */
    AN_CERT_CONSTRAINTS,   /* names, policies, path length, key usage of a CA, … */
    AN_CERT_PURPOSE,       /* the leaf may not do this */
    AN_CERT_EXPIRED, AN_CERT_NOT_YET, AN_CERT_CA_OUT_OF_BOUNDS,
    AN_CERT_REVOKED, AN_CERT_CA_REVOKED,
    AN_CERT_STATUS_UNKNOWN,
    AN_CERT_ALGORITHM,
    AN_CERT_LIMIT,
};
struct an_cert_verdict {
    enum an_cert_class class_;
    an_code why;             /* most exact reason */
    char detail[200];
    enum an_finding_status status;
    enum an_sub sub;
    struct an_path_entry *path; /* counted; NULL when nothing was built */
    an_time revoked_at;      /* AN_TIME_NONE = not revoked */
    struct an_revoked_fact revoked; /* the first revoked one of the path, the signer's own or another's */
    bool status_known;       /* revocation status was found and good (at the time that counts) */
    bool from_past;          /* decided by past certificate validation */
};
/* Judges leaf for something that provably existed at best_time (job->now when nothing is proven).
 * purpose: EKU that it must allow, or NULL for signing documents. */
void an_certificate_judge(struct an_job *job, struct an_cert *leaf, const char *purpose, an_time best_time,
                          struct an_cert_verdict *ret);
void an_cert_verdict_done(struct an_cert_verdict *verdict);
enum an_cert_class an_cert_class_of(an_code why, size_t at); /* codes.c */
void an_cert_verdict_settle(struct an_cert_verdict *verdict);
void an_cert_verdict_set(struct an_cert_verdict *verdict, enum an_cert_class class_, an_code why);
bool an_cert_may_sign(const struct an_cert *cert);

/* ---- facts for the report (facts.c) ---- */
void an_fact_revoked(struct an_cert_verdict *verdict, struct an_cert *cert, const struct an_status_result *status);
void an_fact_revoked_done(struct an_revoked_fact *fact);
struct an_case;
void an_facts_add(struct an_case *sig);

/* ---- time-stamps (timestamp.c) ---- */
enum an_stamp_kind { AN_STAMP_CONTENT = 0, AN_STAMP_SIGNATURE, AN_STAMP_DOCUMENT, AN_STAMP_ARCHIVE };
struct an_stamp {
    enum an_stamp_kind kind;
    struct an_tst *tst;      /* NULL when it could not be read */
    an_code parse;           /* AN_OK or why not */
    bool judged, is_v3;      /* is_v3: CAdES archive time-stamp with a hash index */
    bool is_extended;        /* CAdES-X, XAdES-X: over references to certificates and lists */
    bool is_aside;           /* does not cover the signature: proves nothing about it */
    an_code why; char detail[200];
    enum an_finding_status status;
    enum an_sub sub;
    struct an_cert *cert;    /* counted */
    struct an_cert_verdict verdict;
    uint8_t id[32];          /* of the token: its own proof of existence */
};
AN_VEC(an_stamps, struct an_stamp);
/* Reads a token and checks it over data_digest; the digest algorithm is in the token: an_stamp_digest. */
void an_stamp_read(struct an_job *job, struct an_stamps *stamps, enum an_stamp_kind kind, an_bytes token);
void an_stamp_judge(struct an_job *job, struct an_stamp *stamp, an_bytes data_digest);
void an_stamp_fail(struct an_stamp *stamp, enum an_sub sub, an_code why, const char *detail);
void an_stamps_free(struct an_stamps *stamps);
void an_stamp_report(const struct an_job *job, struct an_signature_report *report, const struct an_stamp *stamp);

/* ---- one signature under validation ---- */
struct an_step { enum an_finding_status status; an_code code; char detail[200]; };
struct an_case {
    struct an_job *job;
    struct an_signature_report *report;
    /* what the reader found */
    struct an_step structure;   /* the container is well formed */
    struct an_step coverage;    /* PDF: byte range and gap; others: passed */
    struct an_step data;        /* the signed data are there */
    struct an_step integrity;   /* digest of the data equals the signed one */
    struct an_step value;       /* the signature value is right */
    struct an_step identified;  /* the signing certificate is there and is the one that was meant */
    struct an_step changes;     /* after signing */
    struct an_step constraints; /* what the format demands beyond that (PAdES/CAdES attributes) */
    struct an_cert *cert;       /* borrowed from the report */
    struct an_scheme scheme;
    enum an_digest digest;      /* of the content; AN_DIGEST_NONE = as the scheme */
    an_bytes signature;         /* value: what a signature time-stamp covers */
    struct an_stamps stamps;
    bool changes_allowed;       /* changes of substance, all allowed */
    bool is_replaced;           /* PDF: the signature dictionary stands outside what the signature covers */
    bool has_ess;
    an_code lack;               /* what the ETSI profile demands and fielded signatures often lack; AN_OK = nothing */
    bool is_lost;               /* in a container: the signed file is not in it */
    /* what conclude.c works out */
    an_time best_time;
    bool has_poe;               /* best_time is proven by a time-stamp */
    struct an_cert_verdict verdict;
};
void an_step_set(struct an_step *step, enum an_finding_status status, an_code code, const char *fmt, ...) AN_PRINTF(4,
        5);
/* The cryptographic part for a CMS signer: fills integrity, value, identified. */
void an_case_check_cms(struct an_case *sig, const struct an_cms *cms, const struct an_cms_signer *signer,
                       an_bytes content_type, an_bytes content_digest);
/* A further SignerInfo beside the one that is reported (some programs write two): it must hold as well. */
void an_case_check_other(struct an_case *sig, const struct an_cms *cms, const struct an_cms_signer *signer,
                         an_bytes content_digest);
/* Signature time-stamps of a CMS signer into sig->stamps, judged. */
void an_case_read_stamps(struct an_case *sig, const struct an_cms_signer *signer);
/* The signing certificate, NULL = not found. */
void an_case_identify(struct an_case *sig, struct an_cert *cert);
/* Everything that is left: certificate, rules, words. */
void an_case_conclude(struct an_case *sig);
void an_case_conclude_stamp(struct an_case *sig);
/* What the network did not give for the certificates of this signature, as notes (network.c). */
void an_network_add_case(const struct an_case *sig);
void an_case_done(struct an_case *sig);
void an_finding_add(struct an_signature_report *report, const char *rule, enum an_finding_status status, an_code code,
                    const char *fmt, ...) AN_PRINTF(5, 6);

/* ---- what decided, kept for a record (evidence.c); nothing is done unless the caller asked ---- */
void an_keep_status(struct an_job *job, const struct an_status_result *status);
void an_keep_path(struct an_job *job, const struct an_path_result *path);
void an_keep_value(struct an_case *sig);
void an_keep_token(const struct an_job *job, struct an_time_stamp_report *row, const struct an_stamp *stamp);
void an_keep_material(struct an_job *job);
void an_keep_done(struct an_report *report);

/* ---- formats ---- */
bool an_pdf_detect(an_bytes head);
bool an_cms_detect(an_bytes head);
bool an_mime_detect(an_bytes head);
bool an_xml_detect(an_bytes head);
bool an_asic_detect(an_bytes head);
bool an_record_detect(an_bytes head);
an_code an_pdf_verify(struct an_job *job, struct an_err *reterr) AN_MUST_USE;
an_code an_cms_verify(struct an_job *job, struct an_err *reterr) AN_MUST_USE;
an_code an_mime_verify(struct an_job *job, struct an_err *reterr) AN_MUST_USE;
an_code an_xml_verify(struct an_job *job, struct an_err *reterr) AN_MUST_USE;
an_code an_asic_verify(struct an_job *job, struct an_err *reterr) AN_MUST_USE;
an_code an_record_verify(struct an_job *job, struct an_err *reterr) AN_MUST_USE;

/* ---- who signed, and what the document is worth (effect.c) ---- */
void an_effect_classify(struct an_signature_report *report);
void an_effect_conclude(struct an_job *job, bool has_empty_fields);
