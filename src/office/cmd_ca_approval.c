/* antin ca approval. */
#include "cli/report.h"
#include "office/ca_office.h"
#include "service/certification/quorum.h"

static void
show(struct cli *cli, const struct an_quorum *wanted, const struct an_quorum *now, an_bytes facts)
{
    json_t *acts = json_object();
    uint8_t digest[AN_DIGEST_MAX];
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(128);

    an_hash_once(AN_SHA256, facts, digest);
    an_buf_hex(&hex, AN_BYTES(digest, 32));
    for (enum an_quorum_act i = 0; i < AN_QUORUM_ACTS; i++)
        json_object_set_new(acts, an_quorum_act_name(i), json_pack("{s:I, s:I}", "wanted",
                                                                   (json_int_t)wanted->needed[i], "needed",
                                                                   (json_int_t)now->needed[i]));
    if (cli->json) {
        report_print_json(cli->out, json_pack("{s:o, s:s%}", "acts", acts, "facts", (const char *)hex.ptr, hex.len));
        return;
    }
    json_decref(acts);
    for (enum an_quorum_act i = 0; i < AN_QUORUM_ACTS && !cli->quiet; i++)
        fprintf(cli->out, "%-22s %lld  (antin.yaml: %lld)\n", an_quorum_act_name(i), (long long)now->needed[i],
                (long long)wanted->needed[i]);
    if (!cli->quiet)
        fprintf(cli->out, "facts %.*s\n", AN_FMT(an_buf_view(&hex)));
}

static an_code
follow(struct cli *cli, struct ca_office *o, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf facts = an_buf_new(4096);
    struct an_quorum wanted, now;

    AN_TRY(an_quorum_wanted(o->instance, &wanted, reterr));
    an_quorum_facts(&wanted, &facts);
    AN_TRY(ca_rely(o, "approval.rules", "approval.rules", an_buf_view(&facts), reterr));
    AN_TRY(an_quorum_follow(o->instance, o->reliance, &o->actor, &now, reterr));
    show(cli, &wanted, &now, an_buf_view(&facts));
    return AN_OK;
}

int
cmd_ca_approval(struct cli *cli, const void *options, char **args, int count)
{
    struct ca_office o = {0};
    struct an_err err = {0};
    an_code code = ca_office_look(&o, options, "quan-tri", &err);

    (void)args, (void)count;
    if (code == AN_OK)
        code = follow(cli, &o, &err);
    ca_office_close(&o);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}
