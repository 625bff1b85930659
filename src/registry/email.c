/*
 * Only e-mail addresses issued by bodies of the State and the Party (note on the form NĐ 68/2024 Mẫu 01): domains
 * official everywhere, or the domain that the agency, or the nearest one above it, has registered. A free mail provider
 * is never one.
 */
#include "registry/internal.h"

#include <stdio.h>

#include "regulation/explain.h"

static char official[1024];
static const char *const free_providers[] = {
    "gmail.com", "googlemail.com", "yahoo.com", "yahoo.com.vn", "ymail.com", "hotmail.com", "outlook.com",
    "outlook.com.vn", "live.com",
    "msn.com", "icloud.com", "me.com", "proton.me", "protonmail.com", "zoho.com", "yandex.com", "mail.ru", "aol.com",
    "gmx.com",
};

void
an_email_set_official(const char *domains)
{
    snprintf(official, sizeof(official), "%s", domains);
}

static bool
is_in(const char *domain, const char *parent)
{
    size_t len = strlen(domain), tail = strlen(parent);

    return tail > 0 && len >= tail && strcmp(domain + len - tail, parent) == 0 &&
           (len == tail || domain[len - tail - 1] == '.');
}

static bool
is_plain(const char *email, const char *at)
{
    for (const char *c = email; *c != '\0'; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || strchr("._+-", *c) || c == at))
            return false;
    return at > email && at - email <= 64 && strlen(at + 1) >= 4 && strlen(at + 1) <= 253 &&
           strstr(email, "..") == NULL && email[0] != '.' &&
           at[-1] != '.' && at[1] != '.' && at[1] != '-' && email[strlen(email) - 1] != '.';
}

struct domain_row {
    char domain[256];
};

static an_code
read_domain(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct domain_row *kept = context;
    const char *text = an_row_text(row, 0);

    (void)reterr;
    if (strlen(text) < sizeof(kept->domain))
        memcpy(kept->domain, text, strlen(text) + 1);
    return AN_OK;
}

an_code
an_email_check(struct an_tx *tx, const char *email, int64_t agency, struct an_err *reterr)
{
    const char *at = strchr(email, '@');
    const struct an_value value = AN_V_INT(agency);
    struct domain_row own = {""};

    if (at == NULL || !is_plain(email, at))
        AN_FAIL(reterr, AN_E_PERSON_EMAIL, "%.80s", email);
    for (size_t i = 0; i < AN_COUNT(free_providers); i++)
        if (is_in(at + 1, free_providers[i]))
            AN_FAIL(reterr, AN_E_PERSON_EMAIL, "%.80s", email);
    if (an_mail_is_official(official, email))
        return AN_OK;
    if (agency != 0)
        AN_TRY(an_tx_one(tx, AN_SQL_AGENCY_EMAIL_DOMAIN, &value, 1, read_domain, &own, NULL, reterr));
    if (!is_in(at + 1, own.domain))
        AN_FAIL(reterr, AN_E_PERSON_EMAIL, "%.80s", email);
    return AN_OK;
}
