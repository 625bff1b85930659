/* antin audit: list, verify, export, proof. */
#include "audit/audit.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "cli/report.h"
#include "office/audit_cmd.h"
#include "service/instance/checkpoint.h"
#include "x509/cert.h"

#include <pwd.h>
#include <unistd.h>

/* Who looks: the user of the machine, since no other login stands between him and the store. */
static void
viewer_name(char *ret, size_t size)
{
    const struct passwd *user = getpwuid(getuid());

    snprintf(ret, size, "os:%s", user ? user->pw_name : "?");
}

static an_code
open_instance(const struct audit_args *a, struct an_instance **ret, struct an_err *reterr)
{
    return an_instance_open(a->dir ? a->dir : ".", 0, ret, reterr);
}

/* ---- list ---- */
static an_code
show_entry(void *context, const struct an_audit_entry *entry, struct an_err *reterr)
{
    const struct an_audit_event *e = &entry->event;
    struct cli *cli = context;
    char at[AN_TIME_TEXT_MAX];

    (void)reterr;
    if (cli->json) {
        report_print_json(cli->out, json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "seq",
                                              (json_int_t)entry->seq, "at",
                                              an_time_format_vn(e->at, at), "action", e->action, "actor", e->actor,
                                              "role", e->role, "object", e->object,
                                              "outcome", e->outcome, "citation", e->citation, "detail", e->detail,
                                              "chain", report_hex_json(entry->chain)));
        return AN_OK;
    }
    AN_CLEANUP(an_free_ptr) char *line = an_asprintf("%lld  %s  %s  %s%s%s  %s  %s", (long long)entry->seq,
                                                     an_time_format_vn(e->at, at), e->action, e->actor,
                                                     e->role[0] ? "/" : "", e->role, e->object, e->outcome);
    an_utf8_make_visible(line);
    fprintf(cli->out, "%s", line);
    if (e->citation[0]) {
        AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(1024);

        cli_citation(cli, e->citation, &text);
        fprintf(cli->out, "  (%.*s)", AN_FMT(an_buf_view(&text)));
    }
    fprintf(cli->out, "\n");
    return AN_OK;
}

static an_code
read_moment(const char *text, const char *option, an_time *ret, struct an_err *reterr)
{
    if (text == NULL)
        return AN_OK;
    *ret = an_time_parse(an_bytes_of_str(text));
    if (*ret == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--%s", option);
    return AN_OK;
}

int
cmd_audit_list(struct cli *cli, const void *options, char **args, int count)
{
    const struct audit_args *a = options;
    struct an_audit_search search = {.after = a->after, .object = a->object, .actor = a->actor, .action = a->action,
                                     .limit = a->limit};
    struct an_instance *instance = NULL;
    struct an_err err = {0};
    char viewer[80];
    an_code code = read_moment(a->from, "from", &search.from, &err);

    (void)args;
    (void)count;
    if (code == AN_OK && a->to != NULL)
        code = read_moment(a->to, "to", &search.to, &err);
    else if (a->from != NULL)
        search.to = INT64_MAX;
    viewer_name(viewer, sizeof(viewer));
    if (code == AN_OK)
        code = open_instance(a, &instance, &err);
    if (code == AN_OK)
        code = an_audit_list(instance->store, &search, viewer, show_entry, cli, &err);
    an_instance_close(&instance);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

/* ---- verify ---- */
static const struct { const char *id, *vi, *en; } fault_words[] = {
    [AN_AUDIT_MISSING] = {"missing", "sự kiện bị xóa", "events were removed"},
    [AN_AUDIT_CHANGED] = {"changed", "sự kiện hoặc mã băm của nó bị sửa", "the event or its hash was changed"},
    [AN_AUDIT_NODE] = {"node", "không khớp mã băm đã lưu của cả nhóm", "not those of the stored hash of their group"},
    [AN_AUDIT_HEAD] = {"head", "nhật ký không kết thúc ở nơi đã ghi: bị cắt bỏ hoặc thêm vào",
                       "the log does not end where it says: cut off or put on"},
    [AN_AUDIT_CHECKPOINT] = {"checkpoint", "không phải các sự kiện đã được ký xác nhận",
                             "not the events that the checkpoint signed"},
    [AN_AUDIT_SIGNATURE] = {"signature", "chữ ký xác nhận không hợp lệ", "the checkpoint is not rightly signed"},
    [AN_AUDIT_KEPT] = {"kept",
                       "không phải nhật ký mà máy này đã ghi nhớ (run/audit-head): bị đưa về trạng thái cũ, bị thay hoặc bị làm lại",
                       "not the log whose head this machine kept (run/audit-head): rolled back, exchanged or made anew"},
};

static void
show_finding(struct cli *cli, const struct an_audit_finding *f)
{
    if (f->first == f->last)
        fprintf(cli->out, "%lld: %s\n", (long long)f->first,
                SAY(cli, fault_words[f->fault].vi, fault_words[f->fault].en));
    else
        fprintf(cli->out, "%lld–%lld: %s\n", (long long)f->first, (long long)f->last,
                SAY(cli, fault_words[f->fault].vi, fault_words[f->fault].en));
}

/* Whose signatures counted, and who says so. */
struct trusted { struct an_certs certs; bool is_named; };

static void
show_trusted(struct cli *cli, const struct trusted *trusted)
{
    const char *from = trusted->is_named ? SAY(cli, "do --signer nêu", "named by --signer")
                                         : SAY(cli, "của bản cài đặt này, theo sổ đăng ký", "of this instance, by its register");

    if (trusted->certs.count == 0)
        fprintf(cli->out, "%s\n", SAY(cli, "chưa có chứng thư ký xác nhận nào: không chữ ký nào được tin",
                                      "no signer of checkpoints: no signature is trusted"));
    for (size_t i = 0; i < trusted->certs.count; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(80);
        an_buf_hex(&hex, AN_BYTES(trusted->certs.items[i]->sha256, 32));
        fprintf(cli->out, "%s %s: SHA-256 %.*s\n", SAY(cli, "tin chữ ký của chứng thư", "signatures trusted of the certificate"),
                from, AN_FMT(an_buf_view(&hex)));
    }
}

static void
show_report(struct cli *cli, const struct an_audit_report *r, const struct trusted *trusted)
{
    for (size_t i = 0; i < r->finding_count; i++)
        show_finding(cli, &r->findings[i]);
    show_trusted(cli, trusted);
    fprintf(cli->out, "%lld %s, %zu %s (%zu %s), %s %lld, %zu %s\n", (long long)r->size, SAY(cli, "sự kiện", "events"),
            r->checkpoints,
            SAY(cli, "mốc xác nhận", "checkpoints"), r->stamped, SAY(cli, "có dấu thời gian", "time-stamped"),
            SAY(cli, "mốc hợp lệ cuối:", "last good one:"), (long long)r->signed_size, r->finding_count,
            SAY(cli, "điểm sai", "findings"));
}

static json_t *
trusted_json(const struct trusted *trusted)
{
    json_t *list = json_array();

    for (size_t i = 0; i < trusted->certs.count; i++)
        json_array_append_new(list, report_hex_json(AN_BYTES(trusted->certs.items[i]->sha256, 32)));
    return json_pack("{s:s, s:o}", "from", trusted->is_named ? "option" : "register", "sha256", list);
}

static void
show_report_json(struct cli *cli, const struct an_audit_report *r, const struct trusted *trusted)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->finding_count; i++) {
        const struct an_audit_finding *f = &r->findings[i];

        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:s, s:s}", "fault", fault_words[f->fault].id, "first",
                                              (json_int_t)f->first, "last",
                                              (json_int_t)f->last, "vi", fault_words[f->fault].vi, "en",
                                              fault_words[f->fault].en));
    }
    report_print_json(cli->out, json_pack("{s:I, s:o, s:o, s:I, s:I, s:I, s:o, s:o}", "size", (json_int_t)r->size,
                                          "root", report_hex_json(AN_BYTES(r->root, 32)),
                                          "chain", report_hex_json(AN_BYTES(r->chain, 32)), "checkpoints",
                                          (json_int_t)r->checkpoints, "stamped",
                                          (json_int_t)r->stamped, "signed_size", (json_int_t)r->signed_size, "trusted",
                                          trusted_json(trusted), "findings", list));
}

static an_code
read_signers(const struct opt_list *files, struct an_certs *ret, struct an_err *reterr)
{
    for (size_t i = 0; i < files->count; i++) {
        struct an_file file = AN_FILE_NONE;
        an_code code = an_file_open(files->items[i], AN_LIMIT_CERT_BYTES * 16, &file, reterr);

        if (code == AN_OK)
            code = an_certs_read(ret, file.bytes, reterr);
        an_file_close(&file);
        an_err_name_file(code == AN_OK ? NULL : reterr, files->items[i]);
        if (code != AN_OK)
            return code;
    }
    return AN_OK;
}

static an_code
verify(struct an_instance *instance, const struct audit_args *a, struct trusted *trusted, struct an_audit_report *ret,
       struct an_err *reterr)
{
    trusted->is_named = a->signer.count > 0;
    AN_TRY(trusted->is_named ? read_signers(&a->signer, &trusted->certs, reterr)
                             : an_checkpoint_signers(instance, &trusted->certs, reterr));
    return an_checkpoint_verify(instance, &trusted->certs, ret, reterr);
}

int
cmd_audit_verify(struct cli *cli, const void *options, char **args, int count)
{
    struct trusted trusted = {.is_named = false};
    struct an_instance *instance = NULL;
    struct an_audit_report report = {0};
    struct an_err err = {0};
    an_code code = open_instance(options, &instance, &err);
    bool found;

    (void)args;
    (void)count;
    if (code == AN_OK)
        code = verify(instance, options, &trusted, &report, &err);
    an_instance_close(&instance);
    if (code == AN_OK && cli->json)
        show_report_json(cli, &report, &trusted);
    else if (code == AN_OK)
        show_report(cli, &report, &trusted);
    an_certs_done(&trusted.certs);
    found = report.finding_count > 0;
    an_audit_report_done(&report);
    return code == AN_OK ? found : cli_fail(cli, &err);
}

/* ---- checkpoint, export, proof ---- */
int
cmd_audit_checkpoint(struct cli *cli, const void *options, char **args, int count)
{
    struct an_instance *instance = NULL;
    struct an_err err = {0};
    int64_t size = 0;
    bool stamped = false;
    an_code code = open_instance(options, &instance, &err);

    (void)args;
    (void)count;
    if (code == AN_OK)
        code = an_checkpoint_make(instance, NULL, &size, &stamped, &err);
    an_instance_close(&instance);
    if (code != AN_OK)
        return cli_fail(cli, &err);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I, s:b}", "size", (json_int_t)size, "stamped",
                                              (int)(size && stamped)));
    else if (size == 0)
        fprintf(cli->out, "%s\n", SAY(cli, "không có sự kiện mới", "no new events"));
    else
        fprintf(cli->out, "%lld %s\n", (long long)size, SAY(cli, "sự kiện đã được ký xác nhận", "events signed"));
    return 0;
}

int
cmd_audit_export(struct cli *cli, const void *options, char **args, int count)
{
    struct an_instance *instance = NULL;
    struct an_err err = {0};
    char viewer[80];
    an_code code = open_instance(options, &instance, &err);

    (void)count;
    viewer_name(viewer, sizeof(viewer));
    if (code == AN_OK)
        code = an_audit_export(instance->store, instance->config.instance, viewer, args[0], &err);
    an_instance_close(&instance);
    if (code != AN_OK)
        return cli_fail(cli, &err);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:s}", "file", args[0]));
    else if (!cli->quiet)
        fprintf(cli->out, "%s: %s\n", args[0], SAY(cli, "đã xuất; kiểm tra bằng antin-audit-verify",
                                                   "exported; check it with antin-audit-verify"));
    return 0;
}

static an_code
whole_size(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_tx_int(tx, AN_SQL_AUDIT_EVENT_LAST, NULL, 0, context, reterr);
}

static json_t *
hashes_json(const struct an_buf *path)
{
    json_t *list = json_array();

    for (size_t i = 0; i < path->len; i += 32)
        json_array_append_new(list, report_hex_json(AN_BYTES(path->ptr + i, 32)));
    return list;
}

static an_code
make_proof(struct cli *cli, struct an_store *store, int64_t place, bool continues, int64_t size, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf path = an_buf_new(64 * 1024);
    uint8_t root[32];

    if (size == 0)
        AN_TRY(an_store_read(store, whole_size, &size, reterr));
    AN_TRY(an_audit_root(store, size, root, reterr));
    AN_TRY(continues ? an_audit_consistency(store, place, size, &path, reterr) : an_audit_inclusion(store, place, size,
            &path, reterr));
    report_print_json(cli->out, json_pack("{s:s, s:I, s:I, s:o, s:o}", "proof", continues ? "consistency" : "inclusion",
                                          continues ? "first" : "seq",
                                          (json_int_t)place, "size", (json_int_t)size, "root",
                                          report_hex_json(AN_BYTES(root, 32)), "path", hashes_json(&path)));
    return AN_OK;
}

int
cmd_audit_proof(struct cli *cli, const void *options, char **args, int count)
{
    const struct audit_args *a = options;
    struct an_instance *instance = NULL;
    struct an_err err = {0};
    char *end = NULL;
    int64_t place = strtoll(args[0], &end, 10);
    bool continues = strcmp(end, "..") == 0;
    an_code code = AN_OK;

    (void)count;
    if (end == args[0] || (*end != 0 && !continues))
        code = an_err_set(&err, AN_E_CLI_VALUE, "%s", args[0]);
    if (code == AN_OK)
        code = open_instance(a, &instance, &err);
    if (code == AN_OK)
        code = make_proof(cli, instance->store, place, continues, a->size, &err);
    an_instance_close(&instance);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}
