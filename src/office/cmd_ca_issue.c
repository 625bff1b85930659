/* antin ca issue, renew, change. */
#include "base/file.h"
#include "cli/report.h"
#include "office/ca_office.h"

#include <pthread.h>
#include <stdatomic.h>

#define SUBJECT_PARTS_MAX 32

/* ---- what goes in ---- */
static an_code
read_csr(const char *path, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_CERT_BYTES);
    char label[64];
    size_t at = 0;

    if (path == NULL)
        return AN_OK;
    AN_TRY(an_file_read(path, AN_LIMIT_CERT_BYTES, &text, reterr));
    if (an_pem_next(an_buf_view(&text), &at, ret, label))
        return AN_OK;
    an_err_set(reterr, AN_E_CSR_PARSE, "%s", path);
    return AN_E_CSR_PARSE;
}

static an_code
read_subject(const char *text, struct an_arena *arena, struct an_name_part *parts, size_t *ret_count,
             struct an_err *reterr)
{
    return text ? an_name_parts_parse(text, arena, parts, SUBJECT_PARTS_MAX, ret_count, reterr) : AN_OK;
}

/* The key is made where it will stay; its certificate goes beside it afterwards. */
static an_code
generate(const struct ca_args *a, const char *label, uint8_t id[static 8], struct an_buf *ret_spki,
         struct an_err *reterr)
{
    enum an_key_kind kind = a->key_type && strncmp(a->key_type, "ec-", 3) == 0 ? AN_KEY_EC : AN_KEY_RSA;
    long bits = a->key_type ? strtol(strchr(a->key_type, '-') ? strchr(a->key_type, '-') + 1 : "0", NULL, 10) : 2048;

    if (bits < 256 || bits > 4096)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--key-type %s", a->key_type);
    AN_TRY(an_random(id, 8, reterr));
    return an_token_generate(a->token, ca_pin(a), kind, (int)bits, label, AN_BYTES(id, 8), ret_spki, reterr);
}

/* ---- what comes out ---- */
static an_code
write_cert(const char *path, const struct an_cert *cert, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf pem = an_buf_new(AN_LIMIT_CERT_BYTES * 2);

    if (path == NULL)
        return AN_OK;
    an_pem_write(&pem, "CERTIFICATE", cert->der);
    return an_file_write(path, an_buf_view(&pem), 0644, reterr);
}

static void
show_made(struct cli *cli, const struct an_certified *made)
{
    char until[AN_TIME_TEXT_MAX];
    AN_CLEANUP(an_buf_free) struct an_buf serial = an_buf_new(256);
    AN_CLEANUP(an_buf_free) struct an_buf subject = an_buf_new(AN_LIMIT_CERT_BYTES);

    an_buf_hex(&serial, made->cert->serial);
    an_name_text(made->cert->subject, &subject);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:s%, s:o, s:s, s:b}", "serial", (const char *)serial.ptr, serial.len,
                                              "subject", report_text_json(an_buf_view(&subject)), "not_after",
                                              an_time_format_vn(made->cert->not_after, until), "repeated",
                                              (int)made->is_repeated));
    else if (!cli->quiet)
        fprintf(cli->out, "%.*s  %s  %.*s%s\n", AN_FMT(an_buf_view(&serial)),
                an_time_format_vn(made->cert->not_after, until), AN_FMT(an_buf_view(&subject)),
                made->is_repeated ? SAY(cli, "  (đã cấp trước đó)", "  (was there already)") : "");
}

/* ---- what several persons may have decided on beforehand ---- */
/* The text whose SHA-256 they sign as facts: a line each, LF at the end; csr is the SHA-256 of the request in DER, "-"
 * where the key is made here or kept. */
static void
put_facts(const struct ca_args *a, an_bytes csr, struct an_buf *ret)
{
    uint8_t digest[AN_DIGEST_MAX];

    an_buf_str(ret, "csr: ");
    if (csr.len != 0) {
        an_hash_once(AN_SHA256, csr, digest);
        an_buf_hex(ret, AN_BYTES(digest, 32));
    } else {
        an_buf_str(ret, "-");
    }
    an_buf_printf(ret, "\nprofile: %s\nsubject: %s\nemail: %s\n", a->profile ? a->profile : "-",
                  a->subject ? a->subject : "-", a->email ? a->email : "-");
}

/* ---- issue ---- */
static an_code
check_given(const struct ca_args *a, struct an_err *reterr)
{
    if (a->csr != NULL && a->generate)
        AN_FAIL(reterr, AN_E_CLI_CONFLICT, "--csr, --generate");
    if (a->csr == NULL && !a->generate)
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--csr | --generate");
    AN_TRY(cli_need("profile", a->profile, reterr));
    AN_TRY(cli_need("subject", a->subject, reterr));
    return a->generate ? cli_need("token", a->token, reterr) : AN_OK;
}

static an_code
issue(struct ca_office *o, const struct ca_args *a, struct an_certified *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_CERT_BYTES * 4);
    AN_CLEANUP(an_buf_free) struct an_buf csr = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf facts = an_buf_new(AN_LIMIT_CERT_BYTES);
    struct an_name_part parts[SUBJECT_PARTS_MAX];
    struct an_certify what = {.request_key = o->request_key, .profile = a->profile, .authority = a->authority,
                              .subject = parts, .email = a->email, .not_before = AN_TIME_NONE,
                              .not_after = AN_TIME_NONE, .subscriber = a->subscriber, .device = a->device,
                              .reliance = o->reliance, .actor = o->actor};
    uint8_t id[8];

    AN_TRY(check_given(a, reterr));
    AN_TRY(read_subject(a->subject, arena, parts, &what.subject_count, reterr));
    AN_TRY(ca_moment(a->not_before, "not-before", &what.not_before, reterr));
    AN_TRY(ca_moment(a->not_after, "not-after", &what.not_after, reterr));
    AN_TRY(read_csr(a->csr, &csr, reterr));
    put_facts(a, an_buf_view(&csr), &facts);
    AN_TRY(ca_rely(o, "certificate.issue", o->request_key, an_buf_view(&facts), reterr));
    if (a->generate)
        AN_TRY(generate(a, what.subject_count ? parts[what.subject_count - 1].text : "antin", id, &spki, reterr));
    what.csr = an_buf_view(&csr);
    what.spki = an_buf_view(&spki);
    AN_TRY(an_certify_issue(o->certification->certifier, &what, ret, reterr));
    if (a->generate)
        AN_TRY(an_token_write_cert(a->token, ca_pin(a), ret->cert->der, parts[what.subject_count - 1].text,
                                   AN_BYTES(id, 8), reterr));
    return write_cert(a->output, ret->cert, reterr);
}

int
cmd_ca_issue(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(an_certified_done) struct an_certified made = {0};
    struct ca_office o = {0};
    struct an_err err = {0};
    an_code code = ca_office_open(&o, options, "can-bo-cap-chung-thu", &err);

    (void)args, (void)count;
    if (code == AN_OK)
        code = issue(&o, options, &made, &err);
    if (code == AN_OK)
        show_made(cli, &made);
    ca_office_close(&o);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

/* ---- renew, change ---- */
typedef an_code (*recertify_fn)(struct an_certifier *certifier, const struct an_recertify *what,
                                struct an_certified *ret, struct an_err *reterr);

static an_code
recertify(struct ca_office *o, const struct ca_args *a, const char *serial, recertify_fn act, struct an_certified *ret,
          struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf facts = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_CERT_BYTES * 4);
    AN_CLEANUP(an_buf_free) struct an_buf csr = an_buf_new(AN_LIMIT_CERT_BYTES);
    struct an_name_part parts[SUBJECT_PARTS_MAX];
    struct an_recertify what = {.request_key = o->request_key, .serial = serial, .subject = parts, .email = a->email,
                                .not_after = AN_TIME_NONE, .reliance = o->reliance, .actor = o->actor};

    AN_TRY(read_subject(a->subject, arena, parts, &what.subject_count, reterr));
    AN_TRY(ca_moment(a->not_after, "not-after", &what.not_after, reterr));
    AN_TRY(read_csr(a->csr, &csr, reterr));
    what.csr = an_buf_view(&csr);
    put_facts(a, what.csr, &facts);
    AN_TRY(ca_rely_serial(o, act == an_certify_renew ? "certificate.renew" : "certificate.change", serial, reterr));
    AN_TRY(ca_rely(o, o->relied.act, o->relied.object, an_buf_view(&facts), reterr));
    AN_TRY(act(o->certification->certifier, &what, ret, reterr));
    return write_cert(a->output, ret->cert, reterr);
}

static int
follow_one(struct cli *cli, const struct ca_args *a, const char *serial, recertify_fn act)
{
    AN_CLEANUP(an_certified_done) struct an_certified made = {0};
    struct ca_office o = {0};
    struct an_err err = {0};
    an_code code = ca_office_open(&o, a, "can-bo-cap-chung-thu", &err);

    if (code == AN_OK)
        code = recertify(&o, a, serial, act, &made, &err);
    if (code == AN_OK)
        show_made(cli, &made);
    ca_office_close(&o);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

int
cmd_ca_change(struct cli *cli, const void *options, char **args, int count)
{
    (void)count;
    return follow_one(cli, options, args[0], an_certify_change);
}

/* A list: the request key of each line is made of the list's key and the serial number, so that the same list again
 * does only what is left. */
AN_VEC(serial_list, char *);
struct batch {
    struct cli *cli;
    struct ca_office *office;
    const struct ca_args *args;
    struct serial_list serials;
    pthread_mutex_t lock; /* over output and worst */
    atomic_size_t next, done, failed;
    int worst;
};

static an_code
read_list(const char *path, struct serial_list *ret, uint8_t ret_hash[static 32], struct an_err *reterr)
{
    uint8_t digest[AN_DIGEST_MAX];
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;

    AN_TRY(an_file_open(path, 0, &file, reterr));
    an_hash_once(AN_SHA256, file.bytes, digest);
    memcpy(ret_hash, digest, 32);
    for (size_t at = 0; at < file.bytes.len;) {
        size_t end = an_bytes_find(file.bytes, AN_LIT("\n"), at);
        an_bytes line = an_bytes_slice(file.bytes, at, end == SIZE_MAX ? file.bytes.len : end - at);
        at += line.len + 1;
        while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' '))
            line.len--;
        if (line.len > 0 && line.ptr[0] != '#')
            *serial_list_push(ret) = an_strdup_bytes(line);
    }
    return AN_OK;
}

static void
tell_progress(struct batch *b)
{
    size_t done = atomic_fetch_add(&b->done, 1) + 1;

    if (!b->cli->quiet && !b->cli->json && (done % 1000 == 0 || done == b->serials.count))
        fprintf(stderr, "\r%zu/%zu", done, b->serials.count);
}

static void
renew_line(struct batch *b, const char *serial)
{
    AN_CLEANUP(an_certified_done) struct an_certified made = {0};
    AN_CLEANUP(an_free_ptr) char *key = an_asprintf("%.60s/%.64s", b->office->request_key, serial);
    struct an_recertify what = {.request_key = key, .serial = serial, .not_after = AN_TIME_NONE,
                                .reliance = b->office->reliance, .actor = b->office->actor};
    struct an_err err = {0};
    an_code code = an_certify_renew(b->office->certification->certifier, &what, &made, &err);

    pthread_mutex_lock(&b->lock);
    if (code == AN_OK && b->cli->json)
        show_made(b->cli, &made);
    if (code != AN_OK) {
        an_err_name_file(&err, serial);
        b->worst = cli_fail(b->cli, &err);
        atomic_fetch_add(&b->failed, 1);
    }
    pthread_mutex_unlock(&b->lock);
    tell_progress(b);
}

static void *
renew_some(void *argument)
{
    struct batch *b = argument;

    for (size_t at; (at = atomic_fetch_add(&b->next, 1)) < b->serials.count;)
        renew_line(b, b->serials.items[at]);
    return NULL;
}

static void
renew_all(struct batch *b, long jobs)
{
    size_t count = jobs > 0 && jobs <= 256 ? (size_t)jobs : 64, started = 0;
    pthread_t threads[256];

    while (started < count && started < b->serials.count && pthread_create(&threads[started], NULL, renew_some, b) == 0)
        started++;
    (void)renew_some(b); /* also where no thread could be had */
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static int
renew_list(struct cli *cli, const struct ca_args *a)
{
    struct ca_office o = {0};
    struct batch b = {.cli = cli, .office = &o, .args = a, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct an_err err = {0};
    uint8_t hash[32];
    an_code code = read_list(a->list, &b.serials, hash, &err);

    if (code == AN_OK)
        code = ca_office_open(&o, a, "can-bo-cap-chung-thu", &err);
    if (code == AN_OK) { /* one decision about a whole list: its file is what lies before them */
        memcpy(o.relied.facts, hash, 32);
        code = ca_rely(&o, "certificate.renew", "list", AN_NONE, &err);
    }
    if (code == AN_OK && a->request_key == NULL)
        snprintf(o.request_key, sizeof(o.request_key), "list:%.100s", a->list);
    if (code == AN_OK)
        renew_all(&b, a->jobs);
    if (code == AN_OK && !cli->json)
        fprintf(cli->out, "\n%s %zu, %s %zu\n", SAY(cli, "gia hạn", "renewed"),
                b.serials.count - atomic_load(&b.failed), SAY(cli, "lỗi", "failed"), atomic_load(&b.failed));
    ca_office_close(&o);
    for (size_t i = 0; i < b.serials.count; i++)
        free(b.serials.items[i]);
    serial_list_done(&b.serials);
    return code == AN_OK ? b.worst : cli_fail(cli, &err);
}

int
cmd_ca_renew(struct cli *cli, const void *options, char **args, int count)
{
    const struct ca_args *a = options;
    struct an_err err = {0};

    if (a->list != NULL && count == 0)
        return renew_list(cli, a);
    if (a->list == NULL && count == 1)
        return follow_one(cli, a, args[0], an_certify_renew);
    an_err_set(&err, AN_E_CLI_ARGUMENTS, "SERIAL | --list");
    return cli_fail(cli, &err);
}
