/* What the files of path validation share. One an_path_validate call is one path_job; nested calls (the signer of a
 * CRL) make a job of their own that shares the pool, the memory of signatures and the budgets. */
#pragma once

#include "x509/path.h"

/* Extensions that we process, RFC 5280 §4.2 and RFC 6960. */
enum path_ext {
    PATH_EXT_SKI, PATH_EXT_KEY_USAGE, PATH_EXT_SAN, PATH_EXT_IAN, PATH_EXT_BASIC_CONSTRAINTS, PATH_EXT_NAME_CONSTRAINTS,
    PATH_EXT_CRL_DP, PATH_EXT_POLICIES, PATH_EXT_MAPPINGS, PATH_EXT_AKI, PATH_EXT_POLICY_CONSTRAINTS, PATH_EXT_EKU,
    PATH_EXT_FRESHEST, PATH_EXT_INHIBIT_ANY, PATH_EXT_AIA, PATH_EXT_SIA, PATH_EXT_NO_CHECK, PATH_EXT_COUNT,
};

/* GeneralName alternatives, by tag number. */
enum path_name_kind {
    PATH_NAME_OTHER = 0,
    PATH_NAME_EMAIL,
    PATH_NAME_DNS,
    PATH_NAME_X400,
    PATH_NAME_DIRECTORY,
    PATH_NAME_EDI,
    PATH_NAME_URI,
    PATH_NAME_IP,
    PATH_NAME_REGISTERED_ID,
    PATH_NAME_KINDS,
};

struct path_node;
struct path_edge {
    struct path_node *issuer;
    int score;
    int8_t signature; /* 0 not tried, 1 right, -1 wrong */
};

struct path_constraint {
    an_bytes base;
    uint8_t kind;
    bool excluded, unsupported;
};
struct path_constraints {
    struct path_constraint *items;
    size_t count;
    uint32_t kinds, permitted_kinds; /* bit per kind that has a subtree, a permitted subtree */
};

/* A certificate of the pool with what this job has learned about it. */
struct path_node {
    struct an_cert *cert;
    const struct an_extension *ext[PATH_EXT_COUNT];
    const struct an_extension *unknown_critical, *duplicate;
    struct path_edge *edges;
    size_t edge_count, edge_capacity;
    size_t pool_seen[2]; /* how much of the pool was searched for issuers: by exact name, by folded name */
    struct path_constraints *constraints;
    bool is_anchor, is_classified, has_constraints, was_reached, was_fetched;
};

/* Why a path is not valid; rank orders candidates, the higher the nearer to valid. */
struct path_verdict {
    an_code why;
    size_t at;
    int rank;
    char detail[200];
};
enum {
    PATH_RANK_NONE = 0,
    PATH_RANK_DEAD_END,
    PATH_RANK_SIGNATURE,
    PATH_RANK_RULES,
    PATH_RANK_STATUS,
    PATH_RANK_VALID
};

struct path_signature_memo {
    const void *signed_object;
    const struct an_cert *signer;
    bool is_right;
};
struct path_status_memo {
    struct an_cert *cert, *issuer;
    bool in_progress;
    struct an_status_result result;
};
struct path_signer_memo {
    struct an_cert *cert, *anchor;
    bool is_valid;
};
/* A DSA key whose parameters stand in its issuer's certificate (RFC 3279 2.3.2). */
struct path_inherited_key {
    struct an_cert *cert, *source;
    struct an_pubkey *key; /* counted; NULL when nothing fits */
    an_bytes parameters;   /* in the arena */
};
AN_VEC(path_inherited_keys, struct path_inherited_key);
AN_VEC(path_nodes, struct path_node *);
AN_VEC(path_signature_memos, struct path_signature_memo);
AN_VEC(path_status_memos, struct path_status_memo);
AN_VEC(path_signer_memos, struct path_signer_memo);

/* Bounds of one call, all nested work included (base/limits.h has the reasons). */
struct path_shared {
    const struct an_path_params *params;
    struct an_arena *arena;
    struct path_nodes pool;
    struct path_signature_memos signatures;
    struct path_status_memos statuses;
    struct path_signer_memos signers;
    struct path_inherited_keys inherited;
    struct an_certs fetched_certs;
    struct an_crls fetched_crls;
    struct an_ocsps fetched_ocsps;
    size_t signatures_left, tries_left, name_checks_left, statuses_left;
    unsigned nesting;
    size_t candidates;
    bool limit_reached;
};

struct path_job {
    struct path_shared *shared;
    const struct an_path_params *params;
    struct an_cert *only_anchor; /* NULL, or the one anchor a nested path must end at */
    bool is_crl_signer;          /* the leaf signs CRLs: no purpose, names or policies are asked */
    struct path_node *chain[AN_LIMIT_PATH_DEPTH];
    size_t chain_count;
    struct path_node *best_chain[AN_LIMIT_PATH_DEPTH];
    size_t best_count;
    struct path_verdict best;
    struct path_policy_result *policies;
};

/* ---- path.c: pool and budgets ---- */
void an_path_shared_init(struct path_shared *shared, const struct an_path_params *params);
void an_path_shared_done(struct path_shared *shared);
struct path_node *an_path_node_add(struct path_shared *shared, struct an_cert *cert, bool is_anchor);
/* Fills node->ext; cheap when done before. */
void an_path_node_classify(struct path_node *node);
an_code an_path_refuse(struct path_verdict *verdict, an_code why, size_t at, const char *fmt, ...) AN_PRINTF(4, 5);
/* Did signer's key sign this? Asked once per pair; false when the budget is spent. */
bool an_path_cert_signed_by(struct path_shared *shared, struct an_cert *cert, struct an_cert *signer);
bool an_path_data_signed_by(struct path_shared *shared, const void *object, const struct an_scheme *scheme,
                            an_bytes tbs, an_bytes signature, struct an_cert *signer);
/* The same name and the same key: the same authority for RFC 5280 6.1. */
bool an_path_same_entity(const struct an_cert *a, const struct an_cert *b);
/* Is this certificate, as the signer of a CRL, at the end of a valid path to anchor? (6.3.3 f) */
bool an_path_signer_is_valid(struct path_shared *shared, struct an_cert *signer, struct an_cert *anchor);
/* What the caller's algorithm policy says of a signature; AN_OK when there is none. */
an_code an_path_algorithm_check(struct path_shared *shared, const struct an_scheme *scheme, struct an_cert *signer);

/* ---- path_dsa.c ---- */
/* The key of a certificate, with inherited parameters when it needs them; borrowed, NULL when there is none. */
struct an_pubkey *an_path_key(struct path_shared *shared, struct an_cert *cert);
/* false when the key of cert was completed from another authority than this issuer. */
bool an_path_key_comes_from(const struct path_shared *shared, const struct an_cert *cert, const struct an_cert *issuer);
void an_path_inherited_keys_free(struct path_shared *shared);

/* ---- path_build.c ---- */
/* Depth-first search from the leaf; true when a valid path stands in job->chain. */
bool an_path_search(struct path_job *job, struct path_node *leaf);

/* ---- path_check.c: RFC 5280 6.1 on job->chain ---- */
an_code an_path_check(struct path_job *job, struct path_verdict *ret);
/* Status of every certificate of job->chain, from the top. */
an_code an_path_check_status(struct path_job *job, struct path_verdict *ret);

/* ---- path_profile.c: RFC 5280 4 (strict) ---- */
enum path_role { PATH_ROLE_LEAF, PATH_ROLE_CA, PATH_ROLE_ANCHOR };
/* What the certificate breaks, NULL when nothing; *ret_why is AN_V_PATH_PROFILE or AN_V_PATH_EXTENSION. */
const char *an_path_profile_breach(struct path_node *node, enum path_role role, an_code *ret_why);
bool an_path_profile_names_issuer(const struct path_node *node);
/* Strict: every certificate names its issuer's key, or an OCSP answer, which does (CertID), vouches for it instead. */
an_code an_path_check_key_identifiers(struct path_job *job, struct path_verdict *ret);

/* ---- path_policy.c ---- */
struct path_policy;
struct path_policy_result {
    an_bytes *oids; /* content octets, in the arena */
    size_t count;
    bool any;
};
struct path_policy *an_path_policy_new(struct path_job *job, size_t chain_count);
an_code an_path_policy_add(struct path_policy *policy, const struct path_node *node, bool is_last,
                           struct path_verdict *ret, size_t at);
/* 6.1.5: AN_V_PATH_POLICY when explicit policy is required and none is left. */
an_code an_path_policy_finish(struct path_policy *policy, struct path_policy_result *ret,
                              struct path_verdict *ret_verdict);

/* ---- path_constraint.c ---- */
/* Parses nameConstraints once; AN_V_PATH_EXTENSION when malformed. */
an_code an_path_constraints_load(struct path_shared *shared, struct path_node *node, bool strict);
/* Are all names of the certificate inside these constraints? AN_OK, AN_V_PATH_NAME_CONSTRAINT, AN_V_PATH_LIMIT, … */
an_code an_path_constraints_check(struct path_shared *shared, const struct path_constraints *const *sets,
                                  size_t set_count, const struct path_node *node, struct path_verdict *ret,
                                  size_t at);

/* ---- path_name.c ---- */
/* The content of a value that is one SEQUENCE and nothing more; in place is fine. */
bool an_path_open(an_bytes value, an_bytes *ret);
/* One GeneralName off the front of *in; value is the content, for a directoryName the whole Name. */
bool an_path_name_next(an_bytes *in, enum path_name_kind *ret_kind, an_bytes *ret_value);
/* Next emailAddress attribute of a Name; *at starts as the Name's content. */
bool an_path_email_next(an_bytes *rdns, an_bytes *atavs, an_bytes *ret_value);
bool an_path_name_content(an_bytes name, an_bytes *ret_rdns);
bool an_path_text_eq_nocase(an_bytes a, an_bytes b);
bool an_path_names_are_readable(an_bytes names); /* GeneralNames content */
/* The UTF8String of an otherName (its content) of this type. */
bool an_path_other_name(an_bytes other, an_bytes type, an_bytes *ret_text);
/* Host of a URI with an authority; false when there is none, or it is an address, or readers may differ about it. */
bool an_path_uri_host(an_bytes uri, an_bytes *ret_host);
bool an_path_is_ia5(an_bytes text);
bool an_path_is_mailbox(an_bytes text); /* local@host; "@" in the local part only when it is quoted */
bool an_path_is_utf8_mailbox(an_bytes text); /* the same with any letters in the local part (RFC 9598) */
bool an_path_is_host_like(an_bytes host); /* labels of letters, digits, "-", "_", "*": what can be compared at all */
/* Letters, digits, hyphens in labels; a "*" label first when allowed. */
bool an_path_is_hostname(an_bytes host, bool wildcard_allowed);

/* ---- path_want.c ---- */
bool an_path_cert_has_name(const struct path_node *node, const struct an_name_want *want);

/* ---- status_check.c ---- */
/* chain: where cert stands, to find CRL signers of the same anchor; anchor may be NULL. */
void an_status_decide(struct path_shared *shared, struct an_cert *cert, struct an_cert *issuer, struct an_cert *anchor,
                      struct an_status_result *ret);
an_code an_status_fresh(const struct an_path_params *params, an_time this_update, an_time next_update);
an_time an_status_clock(const struct an_path_params *params);
void an_status_copy(struct an_status_result *to, const struct an_status_result *from);

/* ---- status_crl.c, status_scope.c ---- */
void an_status_by_crl(struct path_shared *shared, struct an_cert *cert, struct an_cert *issuer, struct an_cert *anchor,
                      struct an_status_result *ret);
/* Is the certificate on any list at hand at all? Cheap; no signature is checked. */
bool an_status_is_listed(struct path_shared *shared, struct an_cert *cert);

#define STATUS_REASONS_ALL 0x1FEu /* bits 1…8 of ReasonFlags */
struct status_dp { /* one DistributionPoint, or the one assumed when there is none */
    an_bytes full_name, relative_name, crl_issuer;
    bool has_name, has_crl_issuer;
    uint32_t reasons;
};
struct status_idp {
    an_bytes full_name, relative_name;
    bool has_name, only_user, only_ca, only_attribute, is_indirect;
    uint32_t reasons;
};
/* One DistributionPoint off the front of a CRLDistributionPoints content. */
bool an_status_dp_next(an_bytes *in, struct status_dp *ret);
bool an_status_idp_parse(an_bytes value, struct status_idp *ret);
/* 6.3.3 (b)(1) and (b)(2)(i) */
bool an_status_issuer_matches(const struct status_dp *dp, const struct an_cert *cert, const struct an_crl *crl,
                              bool is_indirect);
bool an_status_dp_matches(struct path_shared *shared, const struct status_dp *dp, const struct status_idp *idp,
                          const struct an_cert *cert, const struct an_crl *crl);

/* ---- status_ocsp.c ---- */
void an_status_by_ocsp(struct path_shared *shared, struct an_cert *cert, struct an_cert *issuer, struct an_cert *anchor,
                       struct an_status_result *ret);
