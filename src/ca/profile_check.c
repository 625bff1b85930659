/* May this be certified under that profile? */
#include "ca/profile_internal.h"

#include "base/utf8.h"

#include <strings.h>

#define EMAIL_MAX 254 /* RFC 5321 4.5.3.1.3 with the angle brackets taken off */

/* ---- names ---- */
static size_t
count_characters(const char *text)
{
    an_bytes bytes = an_bytes_of_str(text);
    size_t at = 0, count = 0;

    for (; at < bytes.len; count++)
        (void)an_utf8_next(bytes, &at);
    return count;
}

static an_code
check_text(const struct an_profile_part *part, const char *text, struct an_err *reterr)
{
    size_t len = text ? strlen(text) : 0;

    if (len == 0 || !an_utf8_is_valid(an_bytes_of_str(text)) || text[0] == ' ' || text[len - 1] == ' ')
        AN_FAIL(reterr, AN_E_CA_NAME, "%s: %zu byte", part->name, len);
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            AN_FAIL(reterr, AN_E_CA_NAME, "%s: control character", part->name);
    if (count_characters(text) > (size_t)part->characters_max)
        AN_FAIL(reterr, AN_E_CA_NAME, "%s: > %lld", part->name, (long long)part->characters_max);
    if (part->value != NULL && strcmp(part->value, text) != 0)
        AN_FAIL(reterr, AN_E_CA_NAME, "%s: %s", part->name, part->value);
    return AN_OK;
}

/* The order of the subject is the order of the profile: one walk over both. */
an_code
an_profile_check_subject(const struct an_profile *profile, const struct an_name_part *parts, size_t count,
                         struct an_err *reterr)
{
    size_t at = 0;

    for (size_t i = 0; i < profile->part_count; i++) {
        const struct an_profile_part *part = &profile->parts[i];
        int64_t found = 0;
        for (; at < count && parts[at].oid != NULL && strcmp(parts[at].oid, part->oid) == 0; at++, found++)
            AN_TRY(check_text(part, parts[at].text, reterr));
        if (found < part->least || found > part->most)
            AN_FAIL(reterr, AN_E_CA_NAME, "%s: %s × %lld (%lld–%lld)", profile->id, part->name, (long long)found,
                    (long long)part->least, (long long)part->most);
    }
    if (at < count)
        AN_FAIL(reterr, AN_E_CA_NAME, "%s: %s", profile->id, parts[at].oid ? an_name_part_name(parts[at].oid) : "OID");
    return AN_OK;
}

static bool
knows_part(const struct an_profile *profile, const struct an_name_part *part)
{
    for (size_t i = 0; part->oid != NULL && i < profile->part_count; i++)
        if (strcmp(profile->parts[i].oid, part->oid) == 0)
            return true;
    return false;
}

size_t
an_profile_arrange_subject(const struct an_profile *profile, const struct an_name_part *parts, size_t count,
                           struct an_name_part *ret)
{
    size_t done = 0;

    for (size_t i = 0; i < profile->part_count; i++) {
        const struct an_profile_part *part = &profile->parts[i];
        size_t before = done;
        for (size_t k = 0; k < count; k++)
            if (parts[k].oid != NULL && strcmp(parts[k].oid, part->oid) == 0)
                ret[done++] = parts[k];
        if (done == before && part->least > 0 && part->value != NULL)
            ret[done++] = (struct an_name_part){.oid = part->oid, .text = part->value};
    }
    for (size_t k = 0; k < count; k++)
        if (!knows_part(profile, &parts[k]))
            ret[done++] = parts[k];
    return done;
}

/* ---- e-mail ---- */
static bool
is_address(const char *email)
{
    const char *at = strchr(email, '@');
    size_t len = strlen(email);

    if (at == NULL || at == email || at - email > 64 || strchr(at + 1, '@') != NULL || len > EMAIL_MAX)
        return false;
    for (const char *c = email; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~' || strchr("\"(),:;<>[\\]", *c) != NULL)
            return false;
    return at[1] != '.' && at[1] != '-' && strchr(at + 1, '.') != NULL && email[len - 1] != '.' &&
           strstr(email, "..") == NULL;
}

static bool
is_under(const char *host, const char *domain)
{
    size_t host_len = strlen(host), len = strlen(domain);

    return host_len >= len && strcasecmp(host + host_len - len, domain) == 0 &&
           (host_len == len || host[host_len - len - 1] == '.');
}

an_code
an_profile_check_email(const struct an_profiles *profiles, const struct an_profile *profile, const char *email,
                       struct an_err *reterr)
{
    if (email == NULL || *email == '\0') {
        if (profile->email == AN_EMAIL_REQUIRED)
            AN_FAIL(reterr, AN_E_CA_EMAIL, "%s: -", profile->id);
        return AN_OK;
    }
    if (profile->email == AN_EMAIL_NONE || !is_address(email))
        AN_FAIL(reterr, AN_E_CA_EMAIL, "%s: %.100s", profile->id, email);
    for (size_t i = 0; profile->email_official && i < profiles->mail_refused.count; i++)
        if (is_under(strchr(email, '@') + 1, profiles->mail_refused.items[i]))
            AN_FAIL(reterr, AN_E_CA_EMAIL_PUBLIC, "%.100s", email);
    return AN_OK;
}

/* ---- keys ---- */
an_code
an_profile_check_key(const struct an_profile *profile, an_bytes spki, struct an_err *reterr)
{
    enum an_key_kind kind;
    int bits;

    AN_TRY(an_pubkey_look(spki, &kind, &bits, reterr));
    for (size_t i = 0; i < profile->key_count; i++)
        if (profile->keys[i].kind == kind && bits >= profile->keys[i].bits_min && bits <= profile->keys[i].bits_max)
            return AN_OK;
    AN_FAIL(reterr, AN_E_CA_KEY, "%s: %s %d bit", profile->id, kind == AN_KEY_EC ? "EC" : kind == AN_KEY_RSA ? "RSA"
            : "?", bits);
}

/* ---- years ---- */
static an_time
add_months(an_time from, int64_t months)
{
    struct an_date date = an_date_of(from, 0);
    int64_t month = date.month - 1 + months;
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    date.year += (int)(month / 12);
    date.month = (int)(month % 12) + 1;
    if (date.day > days[date.month - 1])
        date.day = days[date.month - 1];
    return an_time_of_date(&date, 0);
}

an_code
an_profile_check_validity(const struct an_profile *profile, an_time not_before, an_time not_after, bool is_renewed,
                          struct an_err *reterr)
{
    int64_t years = is_renewed ? profile->renewed_years_max : profile->years_max;

    if (not_before == AN_TIME_NONE || not_after == AN_TIME_NONE || not_after <= not_before)
        AN_FAIL(reterr, AN_E_CA_TIME, "notAfter <= notBefore");
    if (not_after > add_months(not_before, 12 * years))
        AN_FAIL(reterr, AN_E_CA_VALIDITY, "%s: > %lld", profile->id, (long long)years);
    return AN_OK;
}

/* notAfter is included in the period (RFC 5280 4.1.2.5): one second less than the whole term. */
an_time
an_profile_usual_end(const struct an_profile *profile, an_time not_before, bool is_renewed)
{
    int64_t months = profile->months_usual;

    if (is_renewed && months > 12 * profile->renewed_years_max)
        months = 12 * profile->renewed_years_max;
    return add_months(not_before, months) - 1;
}
