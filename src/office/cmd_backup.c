/* antin backup, restore. */
#include "cli/report.h"
#include "office/instance_cmd.h"
#include "service/instance/backup.h"

static int
say_report(struct cli *cli, const char *where, const struct an_backup_report *r, const char *vi, const char *en)
{
    if (cli->json) {
        report_print_json(cli->out, json_pack("{s:s, s:I, s:I, s:I, s:o}", "dir", where, "files", (json_int_t)r->files,
                                              "bytes", (json_int_t)r->bytes,
                                              "audit_size", (json_int_t)r->events, "audit_root",
                                              report_hex_json(AN_BYTES(r->root, 32))));
    } else if (!cli->quiet) {
        fprintf(cli->out, "%s: %s; %zu %s, %llu B; %lld %s\n", where, SAY(cli, vi, en), r->files,
                SAY(cli, "tệp", "files"), (unsigned long long)r->bytes,
                (long long)r->events, SAY(cli, "sự kiện nhật ký đã kiểm tra", "audit events verified"));
    }
    return 0;
}

int
cmd_backup(struct cli *cli, const void *options, char **args, int count)
{
    const struct backup_args *a = options;
    struct an_instance *instance = NULL;
    struct an_backup_report report;
    struct an_err err = {0};
    an_code code = an_instance_open(args[0], 0, &instance, &err);

    (void)count;
    if (code == AN_OK)
        code = an_backup_make(instance, args[1], a->with_tokens, &report, &err);
    an_instance_close(&instance);
    return code != AN_OK ? cli_fail(cli, &err) : say_report(cli, args[1], &report, "đã sao lưu và khôi phục thử",
                                                            "backed up, and restored as a trial");
}

int
cmd_restore(struct cli *cli, const void *options, char **args, int count)
{
    const struct backup_args *a = options;
    struct an_backup_report report;
    struct an_err err = {0};

    (void)count;
    if (an_backup_restore(args[0], args[1], a->database, &report, &err) != AN_OK)
        return cli_fail(cli, &err);
    return say_report(cli, args[1], &report, "đã khôi phục; hãy đặt lại khóa và mã PIN",
                      "restored; put keys and PINs back in place");
}
