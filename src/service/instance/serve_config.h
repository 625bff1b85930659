/* The sections serve and time_stamp of DIR/antin.yaml; what is absent has its usual value. */
#pragma once

#include "ca/clock.h"
#include "service/instance/config.h"

struct an_config_serve {
    const char *listen;           /* "127.0.0.1:8080" */
    const char *proxies;          /* addresses of proxies whose word about the other end is believed, blanks between */
    /* of proxies that check certificates of clients and pass them in X-Client-Cert; NULL = none */
    const char *client_certs_from;
    const char *metrics_from;     /* addresses that may read /metrics */
    bool access_log;
    int64_t workers;              /* 0 = by the machine */
    int64_t ocsp_cache_mb;
    int64_t ocsp_minutes;         /* how long a status answer is fresh */
    int64_t crl_hours;            /* from thisUpdate to nextUpdate of a full list */
    int64_t crl_minutes;          /* a new full list that often */
    int64_t delta_minutes;        /* a new delta list that often; 0 = none */
    int64_t revoked_seconds;      /* a revocation is in the lists after that long at the latest */
    int64_t token_seconds;        /* how long a token may take for one call before it counts as hanging */
    int64_t poll_ms;              /* how often nodes look for changes that others made */
};
an_code an_config_read_serve(const struct an_config *config, struct an_config_serve *ret,
                             struct an_err *reterr) AN_MUST_USE;

struct an_config_stamp {
    const char *policy;           /* OID */
    int64_t accuracy_ms;
    bool ordering;
    int check;                    /* enum an_clock_check */
    const char *clock_file;
    int64_t offset_ms_max, clock_file_seconds;
};
an_code an_config_read_stamp(const struct an_config *config, struct an_config_stamp *ret,
                             struct an_err *reterr) AN_MUST_USE;

/* For an_config_sections. */
an_code an_config_check_serve(const struct an_config *config, const struct an_yaml_node *section,
                              struct an_err *reterr) AN_MUST_USE;
an_code an_config_check_stamp(const struct an_config *config, const struct an_yaml_node *section,
                              struct an_err *reterr) AN_MUST_USE;
