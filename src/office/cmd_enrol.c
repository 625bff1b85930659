/* antin enrol: allow, list, open, withdraw. */
#include "base/file.h"
#include "base/utf8.h"
#include "cli/report.h"
#include "office/actor.h"
#include "office/enrol_cmd.h"
#include "service/certification/enrol.h"

/* Everything a command on enrolment works with. */
struct desk {
    struct an_instance *instance;
    struct an_profiles *profiles;
    struct an_rules *rules;
    struct an_actor actor;
    struct office_actor who; /* what actor points into */
};

static void
desk_done(struct desk *desk)
{
    an_rules_free(&desk->rules);
    an_profiles_free(&desk->profiles);
    an_instance_close(&desk->instance);
}

static an_code
desk_open(const struct enrol_args *a, struct desk *desk, struct an_err *reterr)
{
    AN_TRY(office_actor_of(a->as, "can-bo-cap-chung-thu", &desk->who, &desk->actor, reterr));
    AN_TRY(an_instance_open(a->dir ? a->dir : ".", 0, &desk->instance, reterr));
    AN_TRY(an_profiles_open(NULL, &desk->profiles, reterr));
    return an_rules_open(desk->profiles, &desk->rules, reterr);
}

struct work {
    const struct desk *desk;
    const struct enrol_args *args;
    const char *name; /* item or reference */
    struct an_approval approval;
};

/* What those who decided signed as facts: as with antin ca issue, without a request. */
static struct an_reliance
rely(const struct work *work)
{
    const struct enrol_args *a = work->args;
    AN_CLEANUP(an_free_ptr) char *facts = an_asprintf("csr: -\nprofile: %s\nsubject: %s\nemail: %s\n",
                                                      a->profile ? a->profile : "-", a->subject ? a->subject : "-",
                                                      a->email ? a->email : "-");
    uint8_t digest[AN_DIGEST_MAX];
    struct an_reliance reliance = {.matter = a->matter, .act = "enrolment.allow", .object = work->name};

    an_hash_once(AN_SHA256, an_bytes_of_str(facts), digest);
    memcpy(reliance.facts, digest, 32);
    return reliance;
}

static an_code
allow_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *work = context;
    const struct enrol_args *a = work->args;
    const struct an_reliance reliance = rely(work);
    const struct an_enrol_allowance what = {
        .item = work->name, .profile = a->profile, .authority = a->authority, .subject = a->subject, .email = a->email,
        .subscriber = a->subscriber,
        .agency = a->agency, .months = a->months, .days = a->days, .is_waiting = a->is_waiting,
        .reliance = a->matter != 0 ? &reliance : NULL, .actor = work->desk->actor};

    return an_enrol_allow(tx, work->desk->profiles, work->desk->rules, &what, &work->approval, reterr);
}

static const char *
state_word(const struct cli *cli, enum an_approval_state state)
{
    static const char *const words[][2] = {{"chờ phê duyệt", "waiting"}, {"chờ lấy", "open"}, {"đã dùng", "used"},
                                           {"đã rút", "withdrawn"}};

    return words[state][cli->english];
}

static an_code
show_allowance(struct cli *cli, const struct enrol_args *a, const struct desk *desk, const struct an_approval *approval,
               struct an_err *reterr)
{
    struct an_secret *secret = NULL;
    char until[AN_TIME_TEXT_MAX];
    an_code code;

    AN_TRY(an_enrol_secret(desk->instance, approval, &secret, reterr));
    code = a->secret_out != NULL ? an_file_write(a->secret_out, an_secret_bytes(secret), 0600, reterr) : AN_OK;
    if (code == AN_OK && cli->json) {
        json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "reference", approval->reference, "item", approval->item,
                                   "subject", approval->subject, "expires_at",
                                   an_time_format_vn(approval->expires_at, until));
        if (a->secret_out == NULL)
            json_object_set_new(object, "secret", json_stringn((const char *)an_secret_ptr(secret),
                                                               an_secret_len(secret)));
        report_print_json(cli->out, object);
    } else if (code == AN_OK) {
        fprintf(cli->out, "%s: %s\n", SAY(cli, "mã tham chiếu", "reference"), approval->reference);
        if (a->secret_out == NULL)
            fprintf(cli->out, "%s: %.*s\n", SAY(cli, "mã bí mật", "secret"), AN_FMT(an_secret_bytes(secret)));
        fprintf(cli->out, "%s: %s\n", SAY(cli, "hết hạn", "runs out"), an_time_format_vn(approval->expires_at, until));
    }
    an_secret_free(&secret);
    return code;
}

/* What the work leaves as an allowance is shown, with its secret. */
static int
hand_over(struct cli *cli, const void *options, const char *name, an_tx_fn work_in)
{
    AN_CLEANUP(desk_done) struct desk desk = {0};
    struct work work = {.desk = &desk, .args = options, .name = name};
    struct an_err err = {0};
    an_code code = desk_open(options, &desk, &err);

    if (code == AN_OK)
        code = an_store_write(desk.instance->store, work_in, &work, &err);
    if (code == AN_OK)
        code = show_allowance(cli, options, &desk, &work.approval, &err);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

int
cmd_enrol_allow(struct cli *cli, const void *options, char **args, int count)
{
    (void)count;
    return hand_over(cli, options, args[0], allow_in);
}

/* ---- show ---- */
static an_code
tell_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *work = context;

    return an_enrol_tell(tx, work->desk->rules, work->name, &work->desk->actor, &work->approval, reterr);
}

int
cmd_enrol_show(struct cli *cli, const void *options, char **args, int count)
{
    (void)count;
    return hand_over(cli, options, args[0], tell_in);
}

/* ---- list ---- */
struct listing { struct cli *cli; int64_t limit; };

static an_code
show_approval(void *context, const struct an_approval *approval, struct an_err *reterr)
{
    struct cli *cli = ((struct listing *)context)->cli;
    char until[AN_TIME_TEXT_MAX];

    (void)reterr;
    if (cli->json) {
        report_print_json(cli->out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "reference", approval->reference,
                                              "item", approval->item, "profile", approval->profile,
                                              "subject", approval->subject, "state",
                                              state_word(&(struct cli){.english = true}, approval->state), "expires_at",
                                              an_time_format_vn(approval->expires_at, until), "serial",
                                              report_hex_json(AN_BYTES(approval->serial, approval->serial_len))));
        return AN_OK;
    }
    {
        AN_CLEANUP(an_free_ptr) char *line = an_asprintf("%s  %s  %s  %s  %s", approval->reference, approval->item,
                                                         state_word(cli, approval->state),
                                                         an_time_format_vn(approval->expires_at, until),
                                                         approval->subject);
        an_utf8_make_visible(line);
        fprintf(cli->out, "%s\n", line);
    }
    return AN_OK;
}

static an_code
list_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_approval_list(tx, 0, ((struct listing *)context)->limit, show_approval, context, reterr);
}

int
cmd_enrol_list(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(desk_done) struct desk desk = {0};
    const struct enrol_args *a = options;
    struct listing listing = {cli, a->limit > 0 ? a->limit : 50};
    struct an_err err = {0};
    an_code code = desk_open(options, &desk, &err);

    (void)args, (void)count;
    if (code == AN_OK)
        code = an_store_read(desk.instance->store, list_in, &listing, &err);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

/* ---- open, withdraw ---- */
static an_code
open_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct work *work = context;

    return an_enrol_open(tx, work->desk->rules, work->name, &work->desk->actor, reterr);
}

static an_code
withdraw_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct work *work = context;

    return an_enrol_withdraw(tx, work->desk->rules, work->name, &work->desk->actor, reterr);
}

static int
run_act(struct cli *cli, const void *options, const char *reference, an_tx_fn act)
{
    AN_CLEANUP(desk_done) struct desk desk = {0};
    struct work work = {.desk = &desk, .args = options, .name = reference};
    struct an_err err = {0};
    an_code code = desk_open(options, &desk, &err);

    if (code == AN_OK)
        code = an_store_write(desk.instance->store, act, &work, &err);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

int
cmd_enrol_open(struct cli *cli, const void *options, char **args, int count)
{
    (void)count;
    return run_act(cli, options, args[0], open_in);
}

int
cmd_enrol_withdraw(struct cli *cli, const void *options, char **args, int count)
{
    (void)count;
    return run_act(cli, options, args[0], withdraw_in);
}
