/*
 * Path building and validation, RFC 5280 §6 whole, with revocation by CRL (6.3) and OCSP (RFC 6960). Our own rules on
 * top of crypto/: bounded in depth, candidates, policy nodes and name checks, so that no input can make it long.
 * No network here: what may be missing is asked for through an_path_fetch.
 */
#pragma once

#include "x509/status.h"

enum an_revocation_mode { AN_REVOCATION_NONE = 0, AN_REVOCATION_IF_AVAILABLE, AN_REVOCATION_REQUIRE };

struct an_path_params;
/* Asks for more material; adds to the sets and answers true when something new came. May be NULL (offline). */
typedef struct an_path_fetch {
    bool (*issuers)(void *context, struct an_cert *cert, struct an_certs *ret);  /* AIA caIssuers, bundled, … */
    bool (*crls)(void *context, struct an_cert *cert, struct an_crls *ret);      /* distribution points */
    bool (*ocsps)(void *context, struct an_cert *cert, struct an_cert *issuer, struct an_ocsps *ret);
    /* What asking about this certificate failed with so far, with the address in detail; at most max. */
    size_t (*failures)(void *context, struct an_cert *cert, struct an_err *ret, size_t max);
    void *context;
} an_path_fetch;

/* Is this algorithm and key good enough for this use at that moment? AN_OK or the reason. NULL = anything known. */
typedef struct an_algorithm_policy {
    an_code (*check)(void *context, const struct an_scheme *scheme, enum an_key_kind kind, int bits, const char *curve,
                     an_time when, const struct an_cert *signer);
    void *context;
} an_algorithm_policy;

/* A name the leaf must carry: kind "dns", "ip", "email", "uri", "dn" (either way round), "upn". */
struct an_name_want { const char *kind, *value; };

struct an_path_params {
    const struct an_certs *anchors, *untrusted;
    const struct an_crls *crls;
    const struct an_ocsps *ocsps;
    an_time at;               /* the moment the path must be valid */
    an_time status_at;        /* revocations after this moment do not count; AN_TIME_NONE = at */
    an_time now;              /* freshness of status is judged against this; AN_TIME_NONE = at */
    /* seconds a status may outlive its nextUpdate (its age without one); -1 = nextUpdate alone */
    int64_t freshness_max;
    enum an_revocation_mode revocation;
    const char *const *policy_oids; /* user-initial-policy-set, dotted; count 0 = any-policy */
    size_t policy_count;
    bool explicit_policy, inhibit_mapping, inhibit_any_policy;
    const char *purpose; /* EKU dotted OID the leaf must allow, NULL = none; anyExtendedKeyUsage per RFC 5280 */
    const struct an_name_want *names;
    size_t name_count;
    an_algorithm_policy algorithms;
    an_path_fetch fetch;
    bool ignore_validity; /* for past certificate validation: revocation and time slide are judged by verify/ */
    /* Also hold issuers to what RFC 5280 §4 demands of conforming CAs (key identifiers, criticality, well-formed names,
     * self-signed anchors included), and refuse status information that is there but cannot be used even when
     * revocation is only IF_AVAILABLE. For conformance checks; fielded certificates often break such rules. */
    bool strict;
};

/* How one certificate's status was decided. */
struct an_status_result {
    enum { AN_STATUS_NONE = 0, AN_STATUS_GOOD, AN_STATUS_REVOKED, AN_STATUS_UNKNOWN } status;
    an_time revoked_at;
    enum an_crl_reason reason;
    an_time this_update, next_update;
    struct an_crl *crl;   /* what decided: one of the two; counted */
    struct an_ocsp *ocsp;
    an_code why;          /* when UNKNOWN: AN_V_… reason (stale, wrong issuer, bad signature, none) */
};

struct an_path_result {
    bool valid;
    /* AN_OK, or the first reason of the best candidate: AN_V_PATH_*, AN_V_STATUS_* (messages/path.def) */
    an_code why;
    size_t at;            /* index into chain that the reason is about */
    char detail[200];
    struct an_cert **chain; /* leaf first, anchor last; counted; the best candidate even when not valid */
    size_t chain_count;
    struct an_status_result *status; /* chain_count - 1 of them */
    char **policies; size_t policy_count; /* user-constrained policy set, dotted */
    size_t candidates; /* how many paths were tried */
};

/* Builds and validates. Never fails for reasons in the input: those are in ret. ret is filled in any case. */
void an_path_validate(struct an_cert *leaf, const struct an_path_params *params, struct an_path_result *ret);
void an_path_result_done(struct an_path_result *result);
/* Status of one certificate alone, issuer given (sign/ before signing, time-stamp chains). */
void an_status_check(struct an_cert *cert, struct an_cert *issuer, const struct an_path_params *params,
                     struct an_status_result *ret);
void an_status_result_done(struct an_status_result *result);

/* ---- the question of `antin cert verify`, in the words of its options ---- */
struct an_path_request {
    struct an_cert *leaf;
    const struct an_certs *anchors, *untrusted;
    const struct an_crls *crls;
    const struct an_ocsps *ocsps;
    an_time at;                /* --at; AN_TIME_NONE = now */
    const char *revocation;    /* --revocation: "require", "if-available", "none"; NULL = if-available */
    const char *const *policy_oids; /* --policy-oid, dotted; count 0 = any-policy */
    size_t policy_count;
    bool explicit_policy, inhibit_mapping, inhibit_any_policy;
    const char *purpose;       /* --purpose: a name of an_purpose_oid or a dotted OID; NULL = none */
    const char *const *names;  /* --name, "TYPE:VALUE": dns, ip, email (or rfc822), uri, dn, upn; any case */
    size_t name_count;
    an_algorithm_policy algorithms; /* of --policy; empty = no limit, as in the policy "rfc5280" */
    an_path_fetch fetch;            /* empty = --offline */
    bool lenient;                   /* false: strict, see struct an_path_params */
};
/* AN_E_PATH_OPTION when an option cannot be understood; else ret is filled. */
an_code an_path_request_run(const struct an_path_request *request, struct an_path_result *ret,
                            struct an_err *reterr) AN_MUST_USE;
/* "serverAuth", "clientAuth", "codeSigning", "emailProtection", "timeStamping", "OCSPSigning", "documentSigning"; a
 * dotted OID is returned as it is; NULL when it is neither. */
const char *an_purpose_oid(const char *name);
