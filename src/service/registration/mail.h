/* The sections `mail` and `request` of antin.yaml: through which server letters go, and which bodies stand behind the
 * roles. */
#pragma once

#include "service/instance/instance.h"

struct an_config_mail {
    const char *server;     /* "smtp://host:25", "smtps://host:465"; NULL = letters wait */
    const char *from, *from_name;
    const char *user, *password_file; /* file of mode 0600, relative to the folder; NULL = no log-in */
    bool allow_plain;       /* without TLS: loopback or a closed network */
    bool allow_private;     /* a server in the own network */
};
an_code an_config_read_mail(const struct an_config *config, struct an_config_mail *ret,
                            struct an_err *reterr) AN_MUST_USE;
an_code an_config_check_mail(const struct an_config *config, const struct an_yaml_node *section,
                             struct an_err *reterr) AN_MUST_USE;

/* Code of the agency that is this role here ("so-khcn": "H20.36"); "" when none is named. */
const char *an_config_body(const struct an_config *config, const char *role);
an_code an_config_check_request(const struct an_config *config, const struct an_yaml_node *section,
                                struct an_err *reterr) AN_MUST_USE;

/* What one round of the post did. */
struct an_mail_round {
    size_t sent, refused, later;
};
/* Sends what is due, until nothing is. A server that cannot be reached ends the round: the letters wait. */
an_code an_mail_run(struct an_instance *instance, an_time now, struct an_mail_round *ret,
                    struct an_err *reterr) AN_MUST_USE;
