/* Against the profile: what the certificate says is what its kind may say, read back from the bytes. */
#include "ca/lint_internal.h"

#define OID_OCSP_NOCHECK AN_LIT("\x2B\x06\x01\x05\x05\x07\x30\x01\x05")

/* Encryption is left out for keys that cannot encrypt (RFC 8813 3). */
uint32_t
an_profile_usage_for(const struct an_profile *profile, enum an_key_kind kind)
{
    const uint32_t enciphering = AN_KU_KEY_ENCIPHERMENT | AN_KU_DATA_ENCIPHERMENT;

    return kind == AN_KEY_RSA ? profile->key_usage : profile->key_usage & ~enciphering;
}

/* The OIDs at the front of a list of OIDs, or of SEQUENCEs that begin with one, are these, in this order. */
static bool
has_oids(an_bytes list, bool in_sequences, const char *const *oids, size_t count)
{
    uint8_t octets[AN_OID_MAX] = {0};
    an_bytes item, oid;

    for (size_t i = 0; i < count; i++) {
        if (in_sequences ? an_der_take(&list, AN_DER_SEQUENCE, &item, NULL) != AN_OK ||
            an_der_take(&item, AN_DER_OID, &oid, NULL) != AN_OK
                         : an_der_take(&list, AN_DER_OID, &oid, NULL) != AN_OK)
            return false;
        if (!an_bytes_eq(oid, AN_BYTES(octets, an_oid_encode(oids[i], octets))))
            return false;
    }
    return list.len == 0;
}

/* One walk over the parts of the profile and of the subject, as an_profile_check_subject does with texts. */
static bool
has_parts(const struct an_profile *profile, an_bytes name)
{
    uint8_t octets[AN_OID_MAX] = {0};
    an_bytes rdns, rdn, part, oid;
    bool is_ahead = false;

    if (an_der_take(&name, AN_DER_SEQUENCE, &rdns, NULL) != AN_OK)
        return false;
    for (size_t i = 0; i < profile->part_count; i++) {
        an_bytes wanted = AN_BYTES(octets, an_oid_encode(profile->parts[i].oid, octets));
        int64_t found = 0;
        for (;; found++, is_ahead = false) {
            if (!is_ahead && (an_der_take(&rdns, AN_DER_SET, &rdn, NULL) != AN_OK ||
                              an_der_take(&rdn, AN_DER_SEQUENCE, &part, NULL) != AN_OK ||
                              an_der_take(&part, AN_DER_OID, &oid, NULL) != AN_OK))
                break;
            is_ahead = true;
            if (!an_bytes_eq(oid, wanted))
                break;
        }
        if (found < profile->parts[i].least || found > profile->parts[i].most)
            return false;
    }
    return !is_ahead && rdns.len == 0;
}

static bool
has_key(const struct an_profile *profile, const struct lint_cert *c)
{
    for (size_t i = 0; i < profile->key_count; i++)
        if (profile->keys[i].kind == c->key_kind && c->key_bits >= profile->keys[i].bits_min &&
            c->key_bits <= profile->keys[i].bits_max)
            return true;
    return false;
}

void
lint_cert_profile(struct lint_cert *c)
{
    const struct an_profile *profile = c->run.plan->profile;
    struct lint_run *run = &c->run;

    if (profile == NULL)
        return;
    lint_if(run, profile->is_ca != c->is_ca || (profile->is_ca && profile->path_len != c->path_len), LINT_PROFILE_CA);
    lint_if(run, an_profile_usage_for(profile, c->key_kind) != c->ku, LINT_PROFILE_KU);
    lint_if(run, !has_oids(c->eku, false, profile->eku, profile->eku_count), LINT_PROFILE_EKU);
    lint_if(run, !has_oids(c->policies, true, profile->policies, profile->policy_count), LINT_PROFILE_POLICY);
    lint_if(run, !has_key(profile, c), LINT_PROFILE_KEY);
    lint_if(run, c->not_before.is_sound && c->not_after.is_sound &&
            an_profile_check_validity(profile, c->not_before.when, c->not_after.when, false, NULL) == AN_E_CA_VALIDITY,
            LINT_PROFILE_YEARS);
    lint_if(run, !has_parts(profile, c->subject), LINT_PROFILE_NAME);
    lint_if(run, profile->email == AN_EMAIL_REQUIRED && !c->has_email, LINT_PROFILE_EMAIL);
    lint_if(run, profile->no_check != (lint_find(&c->extensions, OID_OCSP_NOCHECK) != NULL), LINT_PROFILE_NOCHECK);
}
