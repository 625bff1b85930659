/* Options of each command and the functions that carry them out. The table itself: commands.c. */
#pragma once

#include "cli/cli.h"

struct sign_args {
    const char *output, *out_dir, *look, *regulation, *key, *cert, *image, *number, *copy_kind, *agency, *near_text,
    *rect, *field, *level, *tsa,
        *pin_file, *password_file, *font, *certify, *digest, *format, *secrecy;
    struct opt_list chain, trust, crl, ocsp;
    double seal_diameter_mm;
    long page, jobs, tsa_timeout;
    bool in_place, resume, pss, offline, allow_downgrade, allow_private, attached;
    const char *proxy, *ca_file;
};
struct verify_args {
    struct opt_list content, trust, untrusted, crl, ocsp, policy_oid;
    const char *at, *policy, *password_file, *report, *refusal, *etsi_report, *evidence, *from_evidence, *proxy,
                *ca_file, *revocation;
    long jobs;
    bool online, offline, allow_private, stream, explicit_policy, inhibit_mapping, inhibit_any_policy;
};
struct cert_args { bool pem; };
struct cert_verify_args {
    struct opt_list trust, untrusted, crl, ocsp, policy_oid, name;
    const char *at, *purpose, *policy, *revocation, *proxy, *ca_file;
    bool explicit_policy, inhibit_mapping, inhibit_any_policy, online, offline, allow_private;
};
struct pdf_args { const char *password_file, *out_dir; long page, dpi; };
struct token_args { const char *pin_file, *so_pin_file, *new_pin_file, *label, *serial, *key_type, *id, *cert;
                   long bits; };
struct demo_args { const char *dir, *regulation, *database, *module; };
struct help_args { bool man; const char *completion; };

int cmd_sign(struct cli *cli, const void *options, char **args, int count);
int cmd_verify(struct cli *cli, const void *options, char **args, int count);
int cmd_cert_show(struct cli *cli, const void *options, char **args, int count);
int cmd_cert_verify(struct cli *cli, const void *options, char **args, int count);
int cmd_pdf_info(struct cli *cli, const void *options, char **args, int count);
int cmd_pdf_revisions(struct cli *cli, const void *options, char **args, int count);
int cmd_pdf_find(struct cli *cli, const void *options, char **args, int count);
int cmd_pdf_page(struct cli *cli, const void *options, char **args, int count);
int cmd_token_list(struct cli *cli, const void *options, char **args, int count);
int cmd_token_show(struct cli *cli, const void *options, char **args, int count);
int cmd_token_init(struct cli *cli, const void *options, char **args, int count);
int cmd_token_generate(struct cli *cli, const void *options, char **args, int count);
int cmd_token_unlock(struct cli *cli, const void *options, char **args, int count);
int cmd_token_pin(struct cli *cli, const void *options, char **args, int count);
int cmd_token_wipe(struct cli *cli, const void *options, char **args, int count);
int cmd_token_write(struct cli *cli, const void *options, char **args, int count);
int cmd_look_list(struct cli *cli, const void *options, char **args, int count);
int cmd_demo(struct cli *cli, const void *options, char **args, int count);
int cmd_help(struct cli *cli, const void *options, char **args, int count);
