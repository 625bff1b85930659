/* antin cert verify: RFC 5280 §6 for one certificate or several, with the options of its 6.1.1. */
#include "cli/cert_check.h"
#include "cli/report.h"

#include "fetch/fetch.h"
#include "verify/online.h"

#define STATUS_TIMEOUT_MS 10000

static const char *
text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void
print_message(struct cli *cli, const char *mark, json_t *message)
{
    fprintf(cli->out, "  %s %s", mark, text_of(message, cli->english ? "en" : "vi"));
    if (*text_of(message, "detail"))
        fprintf(cli->out, ": %s", text_of(message, "detail"));
    if (*text_of(message, "citation"))
        fprintf(cli->out, "  [%s]", text_of(message, "citation"));
    fputc('\n', cli->out);
}

static void
print_status(struct cli *cli, json_t *status)
{
    static const struct {
        const char *id, *vi, *en;
    } words[] = {
        {"none", "tình trạng: không có thông tin", "status: no information"},
        {"good", "tình trạng: còn hiệu lực", "status: good"},
        {"revoked", "tình trạng: đã thu hồi", "status: revoked"},
        {"unknown", "tình trạng: không xác định", "status: unknown"},
    };

    for (size_t i = 0; i < AN_COUNT(words); i++)
        if (strcmp(text_of(status, "status"), words[i].id) == 0)
            fprintf(cli->out, "      %s", SAY(cli, words[i].vi, words[i].en));
    if (*text_of(status, "revoked_at"))
        fprintf(cli->out, " %s (%s)", text_of(status, "revoked_at"), text_of(status, "reason"));
    if (*text_of(status, "source"))
        fprintf(cli->out, " · %s %s", text_of(status, "source"), text_of(status, "this_update"));
    fputc('\n', cli->out);
}

/* The same answer for a person. */
static void
print_text(struct cli *cli, enum an_indication indication, json_t *answer)
{
    static const struct {
        const char *vi, *en;
    } words[] = {
        [AN_TOTAL_PASSED] = {"HỢP LỆ", "VALID"},
        [AN_TOTAL_FAILED] = {"KHÔNG HỢP LỆ", "NOT VALID"},
        [AN_INDETERMINATE] = {"CHƯA ĐỦ CĂN CỨ", "NOT ENOUGH EVIDENCE"},
    };
    json_t *item;
    size_t i;

    fprintf(cli->out, "%s: %s (%s%s%s)\n", text_of(answer, "file"),
            SAY(cli, words[indication].vi, words[indication].en), text_of(answer, "indication"),
            *text_of(answer, "subindication") ? ", " : "", text_of(answer, "subindication"));
    if (cli->quiet)
        return;
    if (json_is_object(json_object_get(answer, "why")))
        print_message(cli, indication == AN_TOTAL_FAILED ? "✗" : "?", json_object_get(answer, "why"));
    json_array_foreach (json_object_get(answer, "chain"), i, item) {
        fprintf(cli->out, "  %zu. %s\n      %s → %s\n", i, text_of(item, "subject"), text_of(item, "not_before"),
                text_of(item, "not_after"));
        if (json_array_get(json_object_get(answer, "status"), i))
            print_status(cli, json_array_get(json_object_get(answer, "status"), i));
    }
    json_array_foreach (json_object_get(answer, "policies"), i, item)
        fprintf(cli->out, "  %s: %s\n", SAY(cli, "chính sách chứng thư", "certificate policy"),
                json_string_value(item));
    json_array_foreach (json_object_get(answer, "notes"), i, item)
        print_message(cli, "·", item);
}

static int
check_one(struct cli *cli, const struct cert_checker *checker, const char *file, const struct cert_verify_args *args)
{
    enum an_indication indication = AN_INDETERMINATE;
    json_t *answer = NULL;
    struct an_err err = {0};

    if (cert_check(cli, checker, file, args, &indication, &answer, &err) != AN_OK) {
        an_err_name_file(&err, file);
        return cli_fail(cli, &err);
    }
    if (cli->json)
        report_print_json(cli->out, json_incref(answer));
    else
        print_text(cli, indication, answer);
    json_decref(answer);
    return (int)indication;
}

int
cmd_cert_verify(struct cli *cli, const void *options, char **argv, int count)
{
    const struct cert_verify_args *args = options;
    struct cert_checker checker = {.cache = material_cache_new()};
    struct an_fetcher *fetcher = NULL;
    struct an_online *online = NULL;
    struct an_err err = {0};
    int status = 0;
    an_code code = an_verifier_new(NULL, &checker.verifier, &err);

    if (code == AN_OK && args->online && args->offline)
        code = an_err_set(&err, AN_E_CLI_CONFLICT, "%s", "--online --offline");
    if (code == AN_OK && args->online) {
        struct an_fetch_rules rules = {.allow_private = args->allow_private, .proxy = args->proxy,
                                       .ca_file = args->ca_file};
        code = an_fetcher_start(&rules, &fetcher, &err);
    }
    if (code == AN_OK && fetcher != NULL) {
        online = an_online_new(fetcher, STATUS_TIMEOUT_MS);
        checker.fetch = an_online_path_fetch(online);
    }
    if (code != AN_OK)
        status = cli_fail(cli, &err);
    for (int i = 0; code == AN_OK && i < count; i++)
        status = cli_worse(status, check_one(cli, &checker, argv[i], args));
    an_online_free(&online);
    an_fetcher_stop(&fetcher);
    an_verifier_free(&checker.verifier);
    material_cache_free(&checker.cache);
    return status;
}
