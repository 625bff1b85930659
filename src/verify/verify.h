/*
 * Verification by ETSI EN 319 102-1: rules are functions of one screen, policies are tables (and files), the verdict is
 * three-valued. A finding names its rule, its status, its words in Vietnamese and English and its article. A failure
 * (an_code) means that the check could not be made at all: unreadable file, not a signed document.
 */
#pragma once

#include "x509/path.h"

enum an_indication { AN_TOTAL_PASSED = 0, AN_INDETERMINATE = 2, AN_TOTAL_FAILED = 1 }; /* = exit status */
enum an_finding_status { AN_FINDING_PASSED = 0, AN_FINDING_INDETERMINATE, AN_FINDING_FAILED, AN_FINDING_NOTE,
                        AN_FINDING_SKIPPED };
/* One word a clerk can act on. */
enum an_clerk_word { AN_WORD_VALID = 0, AN_WORD_VALID_WITH_CHANGES, AN_WORD_MODIFIED, AN_WORD_BROKEN,
                    AN_WORD_NOT_ENOUGH };
enum an_legal_effect { AN_EFFECT_NONE = 0, AN_EFFECT_PERSONAL_ONLY, AN_EFFECT_AGENCY_ONLY, AN_EFFECT_BOTH,
                      AN_EFFECT_INCOMPLETE };

struct an_finding {
    const char *rule;   /* "signature.integrity" */
    enum an_finding_status status;
    an_code code;       /* text and citation: messages/verify.def */
    char *detail;
};
struct an_modification { char *what; uint32_t object; uint64_t offset; size_t revision; bool allowed; an_code why;
                        const char *class_name; };
struct an_time_stamp_report { const char *kind; /* "signature", "document", "archive" */ an_time gen_time; char *tsa;
                             enum an_indication indication; const char *sub_indication;
    uint8_t *token; size_t token_len; /* DER; only with keep_evidence */ };
/* Which certificate of the path is revoked, since when, and what says so; cert NULL = none that is known. */
struct an_revoked_fact { struct an_cert *cert; an_time at; int reason; /* enum an_crl_reason */ struct an_crl *crl;
                        struct an_ocsp *ocsp; };
/* The algorithm that decided: of a certificate in the path when that one is too weak, else (cert NULL) of the
 * signature. */
struct an_crypto_fact { struct an_cert *cert; struct an_scheme scheme; bool is_known, is_secure; an_time good_until;
                       /* INT64_MAX = no end known */ };
struct an_signature_report {
    char *field;                  /* field name, or "#1" */
    enum an_indication indication; const char *sub_indication; /* "" when passed */
    enum an_clerk_word word;
    char *signer; struct an_cert *cert; /* counted; NULL when not found */
    bool is_person, is_agency, is_time_stamp;
    bool is_counter;              /* signs another signature, not the document */
    const char *level;            /* "B-B", "B-T", "B-LT", "B-LTA", "" */
    const char *format;           /* "PAdES", "PKCS7", "CAdES", "XAdES", "XML", … */
    an_time claimed_time, best_time;
    const char *coverage;         /* "whole-file", "revision", "part", "none" */
    struct an_modification *modifications; size_t modification_count;
    struct an_finding *findings; size_t finding_count;
    struct an_cert **chain; size_t chain_count;
    struct an_time_stamp_report *time_stamps; size_t time_stamp_count;
    uint8_t *value; size_t value_len; /* the signature value; only with keep_evidence */
    struct an_revoked_fact revoked;
    struct an_crypto_fact crypto; /* only with keep_evidence */
    uint32_t page_object; /* PDF: object number of the page that shows it; 0 = none */
};
struct an_report {
    struct an_signature_report *signatures; size_t signature_count;
    enum an_indication indication; enum an_clerk_word word;
    enum an_legal_effect legal_effect;
    an_code *notes; size_t note_count; /* about the file */
    /* Everything that was known and could decide, the network's answers included; only with keep_evidence. */
    struct an_certs certs; struct an_crls crls; struct an_ocsps ocsps;
};

struct an_named_content { const char *name; an_bytes bytes; };
struct an_verify_options {
    const struct an_certs *anchors, *untrusted;
    const struct an_crls *crls; const struct an_ocsps *ocsps;
    an_time at;             /* AN_TIME_NONE = now */
    const char *policy;     /* id of a file in policies/; NULL = "cong-vu" unless anchors were given: then "noi-bo" */
    an_path_fetch fetch;    /* empty = offline */
    const struct an_secret *password;
    an_bytes content; int content_fd; /* detached content; fd -1 when none */
    /* XML: several detached files, by the names they are referred to */
    const struct an_named_content *named; size_t named_count;
    an_bytes public_key, hmac_key; /* XML signatures without a certificate: SubjectPublicKeyInfo, or a shared secret */
    /* What RFC 5280 6.1.1 lets the relying party ask for; all zero = any policy. */
    const char *const *policy_oids; size_t policy_count;
    bool explicit_policy, inhibit_mapping, inhibit_any_policy;
    bool keep_evidence;     /* fill what the report says is for it */
    int revocation;         /* 0 = as the policy says, else enum an_revocation_mode + 1 */
};
/* policies, parsed certificates, validated chains: made once, used for thousands of files; thread-safe */
struct an_verifier;
an_code an_verifier_new(const char *data_dir, struct an_verifier **ret, struct an_err *reterr) AN_MUST_USE;
void an_verifier_free(struct an_verifier **verifier);
/* file: mapped by an_file_open. Decides the format by content. AN_E_VERIFY_FORMAT when it is not a signed document at
 * all, AN_E_VERIFY_UNSIGNED when it could be but carries no signature. */
struct an_file;
an_code an_verify_file(struct an_verifier *verifier, const struct an_file *file,
                       const struct an_verify_options *options,
                       struct an_report *ret, struct an_err *reterr) AN_MUST_USE;
void an_report_done(struct an_report *report);
