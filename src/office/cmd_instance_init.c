/* antin init, config check, upgrade. */
#include "cli/report.h"
#include "office/instance_cmd.h"
#include "service/instance/init.h"
#include "service/certification/quorum.h"

#include <unistd.h>

static const struct { const char *id, *vi, *en; } step_words[] = {
    {"config", "tệp cấu hình antin.yaml", "configuration antin.yaml"},
    {"folders", "các thư mục", "folders"},
    {"store", "cơ sở dữ liệu", "store"},
    {"authorities", "khóa và chứng thư của các CA", "keys and certificates of the authorities"},
    {"audit", "khóa và chứng thư ký xác nhận nhật ký", "key and certificate of the signer of the audit log"},
    {"enrolment", "khóa và chứng thư đăng ký tự động", "key and certificate of automatic enrolment"},
};

static void
tell_step(void *context, const char *step)
{
    struct cli *cli = context;
    const char *words = step;

    if (cli->json || cli->quiet)
        return;
    for (size_t i = 0; i < AN_COUNT(step_words); i++)
        if (strcmp(step_words[i].id, step) == 0)
            words = SAY(cli, step_words[i].vi, step_words[i].en);
    fprintf(cli->out, "· %s\n", words);
    fflush(cli->out);
}

static int
say_done(struct cli *cli, const char *dir, const char *vi, const char *en)
{
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:s, s:b}", "dir", dir, "done", 1));
    else if (!cli->quiet)
        fprintf(cli->out, "%s: %s\n", dir, SAY(cli, vi, en));
    return 0;
}

int
cmd_init(struct cli *cli, const void *options, char **args, int count)
{
    const struct init_args *a = options;
    struct an_init_plan plan = {.dir = args[0], .name = a->name, .database = a->database, .regulation = a->regulation,
                                .hierarchy = a->hierarchy,
                                .base_url = a->base_url, .token = a->token};
    struct an_err err = {0};
    int status;

    (void)count;
    if (a->token != NULL)
        plan.token_pin = a->pin_file ? an_pin_from_file(a->pin_file) : an_pin_from_terminal();
    if (an_instance_init(&plan, tell_step, cli, &err) != AN_OK)
        return cli_fail(cli, &err);
    status = say_done(cli, args[0], "bản cài đặt đã sẵn sàng", "the instance is ready");
    if (!cli->json && !cli->quiet)
        fprintf(cli->out, "%s antin doctor %s; antin serve --dir %s\n", SAY(cli, "tiếp theo:", "next:"), args[0],
                args[0]);
    return status;
}

/* What one person alone can do is said beside the verdict. */
static int
say_sound(struct cli *cli, const char *dir, const char *acts)
{
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:s, s:b, s:s}", "dir", dir, "done", 1, "approval", acts));
    else if (!cli->quiet)
        fprintf(cli->out, "%s: %s\n%s%s\n", dir, SAY(cli, "cấu hình hợp lệ", "the configuration is sound"),
                strcmp(acts, "none") != 0 ? SAY(cli, "phải được phê duyệt khi đã có cán bộ: ",
                                                "need approval once there are officers: ")
                        : SAY(cli, "cảnh báo: không việc nào phải được phê duyệt (approval: acts)",
                              "warning: no act needs approval (approval: acts)"), acts);
    return 0;
}

int
cmd_config_check(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/antin.yaml", args[0]);
    struct an_config config = {0};
    const char *acts = "";
    struct an_err err = {0};
    an_code code;
    int status;

    (void)options;
    (void)count;
    if (access(path, R_OK) != 0) {
        an_err_set(&err, AN_E_INSTANCE, "%s", args[0]);
        return cli_fail(cli, &err);
    }
    code = an_config_load(path, &config, &err);
    if (code == AN_OK && cli_regulations(cli) == NULL)
        code = an_regulations_open(NULL, &cli->regulations, &err);
    if (code == AN_OK)
        code = an_config_check(&config, cli->regulations, &err);
    if (code == AN_OK)
        code = an_config_approval_acts(&config, &acts, &err);
    status = code != AN_OK ? cli_fail(cli, &err) : say_sound(cli, args[0], acts);
    an_config_done(&config);
    return status;
}

/* The role that serves need not own the tables (sql/serving-role.sql): then the owner's address is given. */
static an_code
upgrade_by(const char *database, struct an_err *reterr)
{
    struct an_store *store = NULL;
    an_code code;

    AN_TRY(an_store_open(database, AN_STORE_ANY_VERSION, 0, &store, reterr));
    code = an_store_migrate(store, reterr);
    an_store_close(&store);
    return code;
}

int
cmd_upgrade(struct cli *cli, const void *options, char **args, int count)
{
    const struct upgrade_args *given = options;
    struct an_instance *instance = NULL;
    struct an_err err = {0};
    an_code code = an_instance_open(args[0], AN_INSTANCE_ANY_VERSION, &instance, &err);

    (void)count;
    if (code == AN_OK)
        code = given->database != NULL ? upgrade_by(given->database, &err) : an_store_migrate(instance->store, &err);
    an_instance_close(&instance);
    return code != AN_OK ? cli_fail(cli, &err) : say_done(cli, args[0], "cơ sở dữ liệu đúng phiên bản của chương trình",
                                                          "the database is of the program's version");
}
