/*
 * Certificate profiles: profiles/ID.yaml, read once. A profile says what a kind of certificate may carry (names and
 * their order, keys, years, usages, policies) and the article that fixes each group of values, or that it is a
 * parameter of ours. Nothing of this stands in C.
 */
#pragma once

#include "x509/cert.h"

#define AN_PROFILE_PARTS_MAX 12
#define AN_PROFILE_EKU_MAX 8
#define AN_PROFILE_KEYS_MAX 6

enum an_profile_use { AN_USE_ROOT = 0, AN_USE_AUTHORITY, AN_USE_SUBSCRIBER, AN_USE_OCSP, AN_USE_TSA,
                     AN_USE_REGISTRATION };
enum an_profile_email { AN_EMAIL_NONE = 0, AN_EMAIL_OPTIONAL, AN_EMAIL_REQUIRED };

struct an_profile_part {
    const char *name, *oid;   /* "O", "2.5.4.10" */
    const char *value;        /* the one value allowed; NULL = any */
    int64_t least, most;      /* how often */
    int64_t characters_max;
};
struct an_profile_key {
    enum an_key_kind kind;
    int64_t bits_min, bits_max; /* RSA modulus, EC field */
};
struct an_profile {
    const char *id, *name_vi, *name_en, *citation;
    enum an_profile_use use;
    bool is_ca;
    int path_len; /* -1 = none */
    struct an_profile_part parts[AN_PROFILE_PARTS_MAX]; size_t part_count; /* in the order they are written */
    struct an_profile_key keys[AN_PROFILE_KEYS_MAX]; size_t key_count;
    enum an_profile_email email;
    bool email_official; /* not of a public mail service: rules/thu-dien-tu.yaml */
    int64_t months_usual, years_max, renewed_years_max;
    const char *validity_citation;
    uint32_t key_usage;
    const char *eku[AN_PROFILE_EKU_MAX]; size_t eku_count; /* dotted */
    bool eku_critical, no_check;
    const char *const *policies; size_t policy_count; /* dotted */
    bool has_urls; /* authority access and distribution point; a root has none */
    int64_t renew_times_max, renew_days_left_min, change_days_left_min;
    const char *renew_citation;
    const char *const *unconfirmed; size_t unconfirmed_count; /* groups that no text fixes */
};

struct an_profiles;
/* dir: a folder of profiles; NULL = profiles/ of the data folder. Every file is read and checked: AN_E_PROFILE and the
 * codes of yaml/ name file and line. Borrowed until free; one object serves all threads. */
an_code an_profiles_open(const char *dir, struct an_profiles **ret, struct an_err *reterr) AN_MUST_USE;
void an_profiles_free(struct an_profiles **profiles);
size_t an_profiles_count(const struct an_profiles *profiles);
const struct an_profile *an_profiles_at(const struct an_profiles *profiles, size_t place);
/* AN_E_PROFILE_UNKNOWN when there is none. */
an_code an_profiles_find(const struct an_profiles *profiles, const char *id, const struct an_profile **ret,
                         struct an_err *reterr) AN_MUST_USE;

/* ---- may this be certified? (profile_check.c) ---- */
/* Parts, their order, number, length and fixed values. AN_E_CA_NAME. */
an_code an_profile_check_subject(const struct an_profile *profile, const struct an_name_part *parts, size_t count,
                                 struct an_err *reterr) AN_MUST_USE;
/* What a person typed, in the order of the profile, with the fixed values that he left out; what the profile does not
 * know comes last, for the check to name. ret: count + part_count places. */
size_t an_profile_arrange_subject(const struct an_profile *profile, const struct an_name_part *parts, size_t count,
                                  struct an_name_part *ret);
/* AN_E_CA_EMAIL when it is missing, malformed or of a public mail service. */
an_code an_profile_check_email(const struct an_profiles *profiles, const struct an_profile *profile, const char *email,
                               struct an_err *reterr) AN_MUST_USE;
/* Kind and size. AN_E_CA_KEY. */
an_code an_profile_check_key(const struct an_profile *profile, an_bytes spki, struct an_err *reterr) AN_MUST_USE;
/* AN_E_CA_TIME, AN_E_CA_VALIDITY (NĐ 68/2024 Điều 9). is_renewed: the shorter term of a renewal. */
an_code an_profile_check_validity(const struct an_profile *profile, an_time not_before, an_time not_after,
                                  bool is_renewed, struct an_err *reterr) AN_MUST_USE;
/* Its keyUsage for a key of this kind. */
uint32_t an_profile_usage_for(const struct an_profile *profile, enum an_key_kind kind);
/* The usual end of a certificate that starts then, within years_max. */
an_time an_profile_usual_end(const struct an_profile *profile, an_time not_before, bool is_renewed);
/* "O" → "2.5.4.10"; a dotted OID as it is; NULL when unknown. And back: the OID itself when it has no short name. */
const char *an_name_part_oid(const char *name);
const char *an_name_part_name(const char *oid);
/* "C=VN, L=Tỉnh Mẫu, O=…, CN=…" ("\," is a comma in a value), the same as "/C=VN/L=…" and in the order of RFC 4514,
 * "CN=…, C=VN", into parts, most general first, whose texts live in the arena. AN_E_CA_NAME. */
an_code an_name_parts_parse(const char *text, struct an_arena *arena, struct an_name_part *ret, size_t max,
                            size_t *ret_count, struct an_err *reterr) AN_MUST_USE;
/* A Name, DER, as such parts, one a step; texts live in the arena. */
an_code an_name_parts_of(an_bytes name, struct an_arena *arena, struct an_name_part *ret, size_t max, size_t *ret_count,
                         struct an_err *reterr) AN_MUST_USE;
