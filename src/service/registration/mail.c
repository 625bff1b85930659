#include "service/registration/mail.h"

#include "base/file.h"
#include "base/limits.h"
#include "fetch/fetch.h"
#include "request/notice.h"
#include "request/request.h"
#include "service/registration/papers.h"
#include "token/token.h"

#include <stdio.h>

#define F(member) offsetof(struct an_config_mail, member)
static const struct an_yaml_field MAIL_FIELDS[] = {
    {"server", AN_FIELD_TEXT, false, F(server), NULL},
    {"from", AN_FIELD_TEXT, true, F(from), NULL},
    {"from_name", AN_FIELD_TEXT, false, F(from_name), NULL},
    {"user", AN_FIELD_TEXT, false, F(user), NULL},
    {"password_file", AN_FIELD_TEXT, false, F(password_file), NULL},
    {"allow_plain", AN_FIELD_FLAG, false, F(allow_plain), NULL},
    {"allow_private", AN_FIELD_FLAG, false, F(allow_private), NULL},
};

an_code
an_config_read_mail(const struct an_config *config, struct an_config_mail *ret, struct an_err *reterr)
{
    *ret = (struct an_config_mail){.from = "antin@localhost", .from_name = config->name};
    if (config->mail == NULL)
        return AN_OK;
    return an_yaml_read_fields(config->doc, config->mail, MAIL_FIELDS, AN_COUNT(MAIL_FIELDS), ret, reterr);
}

an_code
an_config_check_mail(const struct an_config *config, const struct an_yaml_node *section, struct an_err *reterr)
{
    struct an_config_mail mail;

    AN_TRY(an_config_read_mail(config, &mail, reterr));
    if (strchr(mail.from, '@') == NULL)
        return an_yaml_fail(config->doc, an_yaml_find(section, "from"), reterr, AN_E_CONFIG_VALUE, "an e-mail address");
    if (mail.user != NULL && mail.allow_plain)
        return an_yaml_fail(config->doc, an_yaml_find(section, "allow_plain"), reterr, AN_E_CONFIG_VALUE,
                            "no log-in without TLS");
    return AN_OK;
}

/* ---- request: bodies ---- */
static const char *const BODY_ROLES[] = {"cuc", "so-khcn", "nguoi-quan-ly-thue-bao", "trung-tam", "co-yeu",
                                         "ubnd-tinh"};

const char *
an_config_body(const struct an_config *config, const char *role)
{
    const struct an_yaml_node *body = an_yaml_find(an_yaml_find(config->request, "bodies"), role);

    return body != NULL && body->kind == AN_YAML_TEXT ? body->text : "";
}

an_code
an_config_check_request(const struct an_config *config, const struct an_yaml_node *section, struct an_err *reterr)
{
    const struct an_yaml_node *bodies = NULL;
    const struct an_yaml_field fields[] = {{"bodies", AN_FIELD_MAP, false, 0, NULL}};

    AN_TRY(an_yaml_read_fields(config->doc, section, fields, AN_COUNT(fields), &bodies, reterr));
    for (const struct an_yaml_node *node = bodies ? bodies->first : NULL; node != NULL; node = node->next) {
        bool known = false;
        for (size_t i = 0; i < AN_COUNT(BODY_ROLES); i++)
            known = known || strcmp(BODY_ROLES[i], node->key) == 0;
        if (!known || node->kind != AN_YAML_TEXT)
            return an_yaml_fail(config->doc, node, reterr, AN_E_CONFIG_VALUE,
                                "cuc, so-khcn, nguoi-quan-ly-thue-bao, trung-tam, co-yeu, ubnd-tinh");
    }
    return AN_OK;
}

/* ---- the post ---- */
struct post {
    struct an_instance *instance;
    struct an_config_mail config;
    struct an_fetcher *fetcher;
    struct an_secret *password;
    struct an_arena *arena;
    char owner[80];
    an_time now;
    struct an_letter letter;
    bool found;
    an_code outcome;
    struct an_err why;
};

static void
post_done(struct post *post)
{
    an_fetcher_stop(&post->fetcher);
    an_secret_free(&post->password);
    an_arena_free(&post->arena);
}

static an_code
take_letter(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct post *post = context;

    an_arena_reset(post->arena);
    return an_outbox_take(tx, post->owner, post->now, post->arena, &post->letter, &post->found, reterr);
}

static an_code
note_outcome(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct post *post = context;
    AN_CLEANUP(an_free_ptr) char *why =
        post->outcome == AN_OK ? an_strdup("") : an_asprintf("%s: %s", an_message_find(post->outcome)->symbol,
                                                             post->why.detail);

    return an_outbox_done(tx, &post->letter, post->owner, post->outcome, why, post->now, reterr);
}

static an_code
write_letter(struct post *post, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_letter_form form = {.from = post->config.from, .from_name = post->config.from_name,
                                  .letter = &post->letter, .attachment_name = "van-ban.pdf"};

    if (post->letter.has_document) {
        AN_TRY(an_paper_open(post->instance, post->letter.document, &file, reterr));
        form.attachment = file.bytes;
    }
    return an_letter_write(&form, ret, reterr);
}

static an_code
send_letter(struct post *post, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_MAIL_BYTES);
    struct an_mail mail = {.server = post->config.server, .user = post->config.user, .password = post->password,
                           .allow_plain = post->config.allow_plain,
                           .from = post->config.from, .to = &post->letter.address, .to_count = 1};

    AN_TRY(write_letter(post, &text, reterr));
    mail.message = an_buf_view(&text);
    return an_mail_send(post->fetcher, &mail, reterr);
}

static an_code
open_post(struct an_instance *instance, an_time now, struct post *post, struct an_err *reterr)
{
    *post = (struct post){.instance = instance, .now = now, .arena = an_arena_new(0)};
    an_execution_owner(post->owner);
    AN_TRY(an_config_read_mail(&instance->config, &post->config, reterr));
    if (post->config.server == NULL)
        return AN_OK;
    struct an_fetch_rules rules = {.allow_private = post->config.allow_private};
    AN_TRY(an_fetcher_start(&rules, &post->fetcher, reterr));
    if (post->config.user != NULL && post->config.password_file != NULL) {
        AN_CLEANUP(an_free_ptr) char *path = an_instance_path(instance, post->config.password_file);
        struct an_pin_source source = an_pin_from_file(path);
        AN_TRY(source.ask(source.context, "mail", AN_PIN_OK, &post->password, reterr));
    }
    return AN_OK;
}

/* Is it the server that fails, whatever the letter is? */
static bool
is_servers_fault(an_code outcome)
{
    return outcome != AN_OK && outcome != AN_E_MAIL_REFUSED && outcome != AN_E_MAIL_ADDRESS &&
           outcome != AN_E_MAIL_LATER;
}

an_code
an_mail_run(struct an_instance *instance, an_time now, struct an_mail_round *ret, struct an_err *reterr)
{
    AN_CLEANUP(post_done) struct post post = {0};

    *ret = (struct an_mail_round){0};
    AN_TRY(open_post(instance, now, &post, reterr));
    while (post.config.server != NULL) {
        AN_TRY(an_store_write(instance->store, take_letter, &post, reterr));
        if (!post.found)
            return AN_OK;
        post.why = (struct an_err){0};
        post.outcome = send_letter(&post, &post.why);
        AN_TRY(an_store_write(instance->store, note_outcome, &post, reterr));
        ret->sent += post.outcome == AN_OK;
        ret->refused += post.outcome == AN_E_MAIL_REFUSED || post.outcome == AN_E_MAIL_ADDRESS;
        ret->later += post.outcome == AN_E_MAIL_LATER || is_servers_fault(post.outcome);
        if (is_servers_fault(post.outcome))
            return AN_OK;
    }
    return AN_OK;
}
