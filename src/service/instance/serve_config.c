#include "service/instance/serve_config.h"

#include "asn1/der.h"

#define F(member) offsetof(struct an_config_serve, member)
static const struct an_yaml_field SERVE_FIELDS[] = {
    {"listen", AN_FIELD_TEXT, false, F(listen), NULL},
    {"proxies", AN_FIELD_TEXT, false, F(proxies), NULL},
    {"client_certs_from", AN_FIELD_TEXT, false, F(client_certs_from), NULL},
    {"metrics_from", AN_FIELD_TEXT, false, F(metrics_from), NULL},
    {"access_log", AN_FIELD_FLAG, false, F(access_log), NULL},
    {"workers", AN_FIELD_INT64, false, F(workers), NULL},
    {"ocsp_cache_mb", AN_FIELD_INT64, false, F(ocsp_cache_mb), NULL},
    {"ocsp_minutes", AN_FIELD_INT64, false, F(ocsp_minutes), NULL},
    {"crl_hours", AN_FIELD_INT64, false, F(crl_hours), NULL},
    {"crl_minutes", AN_FIELD_INT64, false, F(crl_minutes), NULL},
    {"delta_minutes", AN_FIELD_INT64, false, F(delta_minutes), NULL},
    {"revoked_seconds", AN_FIELD_INT64, false, F(revoked_seconds), NULL},
    {"token_seconds", AN_FIELD_INT64, false, F(token_seconds), NULL},
    {"poll_ms", AN_FIELD_INT64, false, F(poll_ms), NULL},
};
#undef F

#define F(member) offsetof(struct an_config_stamp, member)
static const char *const CHECKS[] = {"kernel", "file", "none", "steps", NULL};
static const struct an_yaml_field STAMP_FIELDS[] = {
    {"policy", AN_FIELD_TEXT, false, F(policy), NULL},
    {"accuracy_ms", AN_FIELD_INT64, false, F(accuracy_ms), NULL},
    {"ordering", AN_FIELD_FLAG, false, F(ordering), NULL},
    {"clock", AN_FIELD_CHOICE, false, F(check), CHECKS},
    {"clock_file", AN_FIELD_TEXT, false, F(clock_file), NULL},
    {"offset_ms_max", AN_FIELD_INT64, false, F(offset_ms_max), NULL},
    {"clock_file_seconds", AN_FIELD_INT64, false, F(clock_file_seconds), NULL},
};
#undef F

an_code
an_config_read_serve(const struct an_config *config, struct an_config_serve *ret, struct an_err *reterr)
{
    *ret = (struct an_config_serve){.listen = "127.0.0.1:8080", .metrics_from = "127.0.0.1 ::1", .ocsp_cache_mb = 16,
                                    .ocsp_minutes = 60, .crl_hours = 24,
                                    .crl_minutes = 360, .delta_minutes = 60, .revoked_seconds = 5, .token_seconds = 10,
                                    .poll_ms = 250};
    if (config->serve == NULL)
        return AN_OK;
    return an_yaml_read_fields(config->doc, config->serve, SERVE_FIELDS, AN_COUNT(SERVE_FIELDS), ret, reterr);
}

an_code
an_config_read_stamp(const struct an_config *config, struct an_config_stamp *ret, struct an_err *reterr)
{
    *ret = (struct an_config_stamp){.policy = "2.16.704.1.1.1.1.1", .accuracy_ms = 1000, .check = AN_CLOCK_KERNEL,
                                    .offset_ms_max = 1000, .clock_file_seconds = 120};
    if (config->time_stamp == NULL)
        return AN_OK;
    return an_yaml_read_fields(config->doc, config->time_stamp, STAMP_FIELDS, AN_COUNT(STAMP_FIELDS), ret, reterr);
}

an_code
an_config_check_serve(const struct an_config *config, const struct an_yaml_node *section, struct an_err *reterr)
{
    struct an_config_serve serve;

    AN_TRY(an_config_read_serve(config, &serve, reterr));
    const struct { const char *key; int64_t value, least, most; } bounds[] = {
        {"workers", serve.workers, 0, 256}, {"ocsp_cache_mb", serve.ocsp_cache_mb, 1, 65536}, {"ocsp_minutes", serve.ocsp_minutes, 1, 14 * 24 * 60},
        {"crl_hours", serve.crl_hours, 1, 24 * 400}, {"crl_minutes", serve.crl_minutes, 1, serve.crl_hours * 60 / 2},
        {"delta_minutes", serve.delta_minutes, 0, serve.crl_minutes}, {"revoked_seconds", serve.revoked_seconds, 1, 86400}, {"token_seconds", serve.token_seconds, 1, 14}, {"poll_ms", serve.poll_ms, 10, 60000},
    };
    for (size_t i = 0; i < AN_COUNT(bounds); i++)
        if (bounds[i].value < bounds[i].least || bounds[i].value > bounds[i].most)
            return an_yaml_fail(config->doc, an_yaml_find(section, bounds[i].key), reterr, AN_E_CONFIG_VALUE,
                                "%lld … %lld", (long long)bounds[i].least,
                                (long long)bounds[i].most);
    return AN_OK;
}

an_code
an_config_check_stamp(const struct an_config *config, const struct an_yaml_node *section, struct an_err *reterr)
{
    struct an_config_stamp stamp;
    uint8_t oid[AN_OID_MAX];

    AN_TRY(an_config_read_stamp(config, &stamp, reterr));
    if (an_oid_encode(stamp.policy, oid) == 0)
        return an_yaml_fail(config->doc, an_yaml_find(section, "policy"), reterr, AN_E_CONFIG_VALUE, "1.2.3…");
    if (stamp.accuracy_ms < 1 || stamp.accuracy_ms > 1000) /* ETSI EN 319 421 7.7.1: a second or better */
        return an_yaml_fail(config->doc, section, reterr, AN_E_CONFIG_VALUE, "accuracy_ms: 1-1000");
    if (stamp.offset_ms_max < 1 || stamp.clock_file_seconds < 1)
        return an_yaml_fail(config->doc, section, reterr, AN_E_CONFIG_VALUE,
                            "offset_ms_max, clock_file_seconds: 1 or more");
    if (stamp.check == AN_CLOCK_FILE && stamp.clock_file == NULL)
        return an_yaml_fail(config->doc, section, reterr, AN_E_CONFIG_VALUE, "clock: file needs clock_file");
    return AN_OK;
}
