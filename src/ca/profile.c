/* The seven kinds of certificate, after those in the field (Ban Cơ yếu Chính phủ, generation G2). */
#include "ca/internal.h"

#define CA_USAGE (AN_KU_KEY_CERT_SIGN | AN_KU_CRL_SIGN)
#define SUBSCRIBER_USAGE                                                                                               \
    (AN_KU_DIGITAL_SIGNATURE | AN_KU_NON_REPUDIATION | AN_KU_KEY_ENCIPHERMENT | AN_KU_DATA_ENCIPHERMENT)
#define CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define EMAIL_PROTECTION "1.3.6.1.5.5.7.3.4"
#define TIME_STAMPING "1.3.6.1.5.5.7.3.8"
#define OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
#define SMARTCARD_LOGON "1.3.6.1.4.1.311.20.2.2"

/* Years: NĐ 68/2024 Điều 9: 20 for the certification service itself, at most 5 for a subscriber's new certificate. */
static const struct an_profile profiles[] = {
    [AN_PROFILE_ROOT] = {.name = "root", .is_ca = true, .path_len = -1, .key_usage = CA_USAGE, .years_max = 20},
    [AN_PROFILE_ISSUING] = {.name = "issuing", .is_ca = true, .path_len = 0, .key_usage = CA_USAGE, .years_max = 20},
    [AN_PROFILE_PERSON] = {.name = "person", .is_subscriber = true, .path_len = -1, .key_usage = SUBSCRIBER_USAGE,
                           .eku = {CLIENT_AUTH, EMAIL_PROTECTION, SMARTCARD_LOGON}, .years_max = 5},
    [AN_PROFILE_AGENCY] = {.name = "agency", .is_subscriber = true, .path_len = -1, .key_usage = SUBSCRIBER_USAGE,
                           .eku = {CLIENT_AUTH, EMAIL_PROTECTION, SMARTCARD_LOGON}, .years_max = 5},
    [AN_PROFILE_DEVICE] = {.name = "device", .is_subscriber = true, .path_len = -1, .key_usage = SUBSCRIBER_USAGE,
                           .eku = {CLIENT_AUTH, EMAIL_PROTECTION}, .years_max = 5},
    [AN_PROFILE_OCSP] = {.name = "ocsp", .path_len = -1, .key_usage = AN_KU_DIGITAL_SIGNATURE, .eku = {OCSP_SIGNING},
                         .no_check = true},
    /* RFC 3161 2.3: the one extended usage, and critical. */
    [AN_PROFILE_TSA] = {.name = "tsa", .path_len = -1, .key_usage = AN_KU_DIGITAL_SIGNATURE, .eku = {TIME_STAMPING},
                        .eku_critical = true},
};

const struct an_profile *
an_profile_find(enum an_profile_id id)
{
    return (size_t)id < AN_COUNT(profiles) ? &profiles[id] : NULL;
}
