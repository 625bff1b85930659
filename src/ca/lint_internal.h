/* The linter, inside. Readers take an object apart and raise() what they find; nothing stops at the first fault. */
#pragma once

#include "asn1/oid.h"
#include "ca/lint.h"

enum lint_id {
#define LINT(symbol, id, kind, severity, source, vi, en) LINT_##symbol,
#include "ca/lint.def"
#undef LINT
    LINT_COUNT
};

struct lint_run {
    const struct an_lint_plan *plan;
    uint64_t found[(LINT_COUNT + 63) / 64];
};
static inline void
lint_raise(struct lint_run *run, enum lint_id id)
{
    run->found[id / 64] |= UINT64_C(1) << id % 64;
}
static inline void
lint_if(struct lint_run *run, bool is_wrong, enum lint_id id)
{
    if (is_wrong)
        lint_raise(run, id);
}

/* ---- lint.c ---- */
void lint_report(const struct lint_run *run);

/* ---- lint_der.c ---- */
/* Every value in it, whole, keeps to DER. */
void lint_der(struct lint_run *run, an_bytes der);

/* ---- lint_parts.c: what several objects have ---- */
struct lint_time { an_time when; bool is_sound; };
/* RFC 5280 4.1.2.5: takes a time and says whether its form and type are right. False when no time stands there. */
bool lint_take_time(an_bytes *in, struct lint_time *ret, bool *ret_wrong_type);
struct lint_algorithm { an_bytes whole, oid, params; struct an_scheme scheme; bool is_known; };
bool lint_take_algorithm(an_bytes *in, struct lint_algorithm *ret);
bool lint_digest_is_weak(enum an_digest digest);
bool lint_scheme_is_weak(const struct an_scheme *scheme);
struct lint_extension { an_bytes oid, value; bool critical, says_false; };
#define LINT_EXTENSIONS_MAX 64
struct lint_extensions { struct lint_extension items[LINT_EXTENSIONS_MAX]; size_t count; bool is_sound, has_twice; };
/* Content of Extensions. */
void lint_read_extensions(an_bytes content, struct lint_extensions *ret);
const struct lint_extension *lint_find(const struct lint_extensions *extensions, an_bytes oid);
bool lint_is_uri(an_bytes text, bool any_scheme);
bool lint_general_names(an_bytes names); /* content of GeneralNames: at least one, each well formed */

/* ---- lint_name.c ---- */
struct lint_name { size_t parts, countries, common_names, organisations, emails; bool is_sound; };
void lint_name(struct lint_run *run, an_bytes name, struct lint_name *ret);

/* ---- certificates ---- */
struct lint_cert {
    struct lint_run run;
    an_bytes der, tbs, serial, issuer, subject, spki;
    struct lint_algorithm inner, outer;
    an_bytes signature; unsigned signature_unused;
    struct lint_time not_before, not_after;
    struct lint_extensions extensions;
    struct lint_name subject_name;
    /* the key */
    enum an_key_kind key_kind; int key_bits; an_bytes key_octets;
    /* decoded extensions; what is malformed counts as absent */
    bool is_ca, has_ku, is_self_issued;
    int64_t path_len; /* -1 = none */
    uint32_t ku;
    an_bytes eku, policies, ski, emails; /* content; emails: GeneralNames */
    bool is_tsa, is_ocsp, has_email;
};
void lint_cert_key(struct lint_cert *c);        /* lint_key.c */
void lint_cert_extensions(struct lint_cert *c); /* lint_extension.c */
void lint_cert_places(struct lint_cert *c);     /* lint_place.c */
void lint_cert_profile(struct lint_cert *c);    /* lint_profile.c */
