/* A sample authority in the folder of the demonstration: every key in a token of its own, every certificate by its
 * profile. */
#include "demo/demo.h"

#include "base/file.h"
#include "http/http.h"

#include <unistd.h>

#define POLICY_OID "2.16.704.1.1.1.1.1"

char *
demo_path(const struct demo *d, const char *name)
{
    return an_asprintf("%s/%s", d->dir, name);
}

void
demo_say(struct demo *d, const char *vi, const char *en)
{
    if (!d->cli->quiet && !d->cli->json)
        fprintf(d->cli->out, "• %s\n", SAY(d->cli, vi, en));
    fflush(d->cli->out);
}

/* ---- tokens ---- */

static an_code
random_pin(struct an_secret **ret, struct an_err *reterr)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstuvwxyz";
    uint8_t random[12];

    AN_TRY(an_random(random, sizeof(random), reterr));
    for (size_t i = 0; i < sizeof(random); i++)
        random[i] = (uint8_t)digits[random[i] % (sizeof(digits) - 1)];
    *ret = an_secret_from(AN_BYTES(random, sizeof(random)));
    an_wipe(random, sizeof(random));
    return AN_OK;
}

static char *
pin_path(const struct demo *d, const struct demo_party *p, const char *kind)
{
    return an_asprintf("%s/pin/%s.%s", d->dir, p->id, kind);
}

static an_code
save_pin(const char *path, const struct an_secret *pin, struct an_err *reterr)
{
    return an_file_write(path, an_secret_bytes(pin), 0600, reterr);
}

static an_code
make_token(struct demo *d, struct demo_party *p, char ret_uri[static 512], struct an_err *reterr)
{
    AN_CLEANUP(an_secret_free) struct an_secret *pin = NULL;
    AN_CLEANUP(an_secret_free) struct an_secret *so_pin = NULL;
    AN_CLEANUP(an_free_ptr) char *pin_file = pin_path(d, p, "pin");
    AN_CLEANUP(an_free_ptr) char *so_file = pin_path(d, p, "so-pin");
    AN_CLEANUP(an_free_ptr) char *module = an_asprintf("pkcs11:?module-path=%s", an_softhsm_module());

    AN_TRY(random_pin(&pin, reterr));
    AN_TRY(random_pin(&so_pin, reterr));
    AN_TRY(save_pin(pin_file, pin, reterr));
    AN_TRY(save_pin(so_file, so_pin, reterr));
    return an_token_init(module, p->id, so_pin, pin, ret_uri, reterr);
}

static an_code
make_key(struct demo *d, struct demo_party *p, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *pin_file = pin_path(d, p, "pin");
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(8192);
    struct an_pin_source pin = an_pin_from_file(pin_file);
    char uri[512];

    AN_TRY(make_token(d, p, uri, reterr));
    AN_TRY(an_token_generate(uri, pin, p->kind, p->bits, p->name, AN_LIT("\x01"), &spki, reterr));
    return an_signer_open(uri, pin, &p->signer, reterr);
}

/* ---- certificates ---- */

static an_code
save_cert(struct demo *d, const struct demo_party *p, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/ca/%s.crt", d->dir, p->id);

    return an_file_write(path, p->cert->der, 0644, reterr);
}

static size_t
subject_of(const struct demo_party *p, struct an_name_part parts[static 6])
{
    size_t count = 0;

    parts[count++] = (struct an_name_part){"2.5.4.6", "VN"};
    if (p->email != NULL)
        parts[count++] = (struct an_name_part){"2.5.4.7", "Tỉnh Mẫu"};
    parts[count++] = (struct an_name_part){"2.5.4.10", p->parent};
    if (p->unit != NULL)
        parts[count++] = (struct an_name_part){"2.5.4.11", p->unit};
    parts[count++] = (struct an_name_part){"2.5.4.3", p->name};
    return count;
}

static an_code
issue(struct demo *d, struct demo_party *p, struct demo_party *issuer, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *crl = an_asprintf("http://127.0.0.1:%u/crl/%s.crl", d->port, issuer->id);
    AN_CLEANUP(an_free_ptr) char *crt = an_asprintf("http://127.0.0.1:%u/crt/%s.crt", d->port, issuer->id);
    struct an_name_part parts[6];
    an_time now = an_time_now();
    /* The certificates are "issued" a month ago, so that the sample revocation can lie before the sample signature. */
    struct an_issue what = {.subject = parts, .subject_count = subject_of(p, parts), .email = p->email,
                            .spki = an_signer_spki(p->signer),
                            .not_before = now - 30 * 86400};
    struct an_places places = {.crl_url = crl, .issuer_url = crt};
    const struct an_profile *profile;

    AN_TRY(an_profiles_find(d->profiles, p->profile, &profile, reterr));
    what.not_after = an_profile_usual_end(profile, what.not_before, false);
    AN_TRY(an_ca_issue_once(d->profiles, p->profile, p == issuer ? NULL : issuer->cert, issuer->signer, &places, &what,
                            &p->cert, reterr));
    return save_cert(d, p, reterr);
}

static an_code
make_party(struct demo *d, enum demo_who who, enum demo_who issuer, struct an_err *reterr)
{
    AN_TRY(make_key(d, &d->parties[who], reterr));
    return issue(d, &d->parties[who], &d->parties[issuer], reterr);
}

/* ---- revocation lists ---- */

static an_code
make_crl(struct demo *d, enum demo_who issuer, const struct an_revocation *revoked, size_t count, struct an_err *reterr)
{
    struct demo_party *p = &d->parties[issuer];
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CRL_BYTES);
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/ca/%s.crl", d->dir, p->id);
    struct an_crl *crl = NULL;
    an_time now = an_time_now();

    AN_TRY(an_ca_crl(p->cert, p->signer, revoked, count, 1, now - 60, now + 30 * 86400, &der, reterr));
    AN_TRY(an_file_write(path, an_buf_view(&der), 0644, reterr));
    AN_TRY(an_crl_parse(an_buf_view(&der), &crl, reterr));
    *an_crls_push(&d->crls) = crl;
    return AN_OK;
}

static an_code
make_crls(struct demo *d, struct an_err *reterr)
{
    struct an_revocation lost = {.serial = d->parties[DEMO_REVOKED].cert->serial, .at = an_time_now() - 7 * 86400,
                                 .reason = AN_REASON_KEY_COMPROMISE};

    AN_TRY(make_crl(d, DEMO_ROOT, NULL, 0, reterr));
    return make_crl(d, DEMO_ISSUING, &lost, 1, reterr);
}

/* ---- the loopback server: time-stamps, CRLs, certificates ---- */

static void
serve_file(const struct demo *d, const char *name, const char *type, struct an_http_answer *answer)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/ca/%s", d->dir, name);

    if (strchr(name, '/') != NULL || strstr(name, "..") != NULL ||
        an_file_read(path, AN_LIMIT_CRL_BYTES, &answer->body, NULL) != AN_OK) {
        answer->status = 404;
        return;
    }
    answer->status = 200;
    answer->content_type = type;
}

static void
answer_stamp(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    const struct demo *d = context;
    struct an_err err = {0};

    answer->status = an_tsa_answer(&d->tsa, request->body, an_time_now(), &answer->body, &err) == AN_OK ? 200 : 500;
    answer->content_type = "application/timestamp-reply";
}

static void
answer_list(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    serve_file(context, request->path + strlen("/crl/"), "application/pkix-crl", answer);
}

static void
answer_certificate(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    serve_file(context, request->path + strlen("/crt/"), "application/pkix-cert", answer);
}

static const struct an_http_route demo_routes[] = {
    {"/tsa", AN_HTTP_POST, 0, answer_stamp, NULL, NULL},
    {"/crl/", AN_HTTP_GET, 0, answer_list, NULL, NULL},
    {"/crt/", AN_HTTP_GET, 0, answer_certificate, NULL, NULL},
};
static const struct an_http_routes demo_tables[] = {{demo_routes, AN_COUNT(demo_routes)}};

static an_code
start_server(struct demo *d, struct an_err *reterr)
{
    struct an_http_setup setup = {.listen = "127.0.0.1:0", .listen_fd = -1, .log_fd = -1, .tables = demo_tables,
                                  .table_count = AN_COUNT(demo_tables),
                                  .context = d, .loops = 1, .workers = 2};

    AN_TRY(an_http_server_start(&setup, &d->server, &d->port, reterr));
    snprintf(d->tsa_url, sizeof(d->tsa_url), "http://127.0.0.1:%u/tsa", d->port);
    return AN_OK;
}

an_code
demo_make_authority(struct demo *d, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *pins = demo_path(d, "pin");
    AN_CLEANUP(an_free_ptr) char *ca = demo_path(d, "ca");

    demo_say(d, "Tạo thiết bị lưu khóa, cặp khóa, chứng thư của tổ chức mẫu (gốc RSA-4096 trong thiết bị)",
             "Tokens, keys and certificates of a sample authority (root RSA-4096 in its token)");
    AN_TRY(an_dir_make(pins, true, reterr));
    AN_TRY(an_dir_make(ca, false, reterr));
    AN_TRY(an_softhsm_use(d->dir, reterr));
    AN_TRY(an_profiles_open(NULL, &d->profiles, reterr));
    AN_TRY(start_server(d, reterr));
    AN_TRY(make_party(d, DEMO_ROOT, DEMO_ROOT, reterr));
    for (int who = DEMO_ISSUING; who < DEMO_PARTIES; who++)
        AN_TRY(make_party(d, (enum demo_who)who, who == DEMO_ISSUING ? DEMO_ROOT : DEMO_ISSUING, reterr));
    AN_TRY(make_crls(d, reterr));
    an_certs_add(&d->anchors, d->parties[DEMO_ROOT].cert);
    an_certs_add(&d->chain, d->parties[DEMO_ISSUING].cert);
    d->tsa = (struct an_tsa){.key = d->parties[DEMO_TSA].signer, .cert = d->parties[DEMO_TSA].cert, .chain = &d->chain,
                             .policy_oid = POLICY_OID, .accuracy_ms = 1000};
    return AN_OK;
}
