#include "fetch/internal.h"

#include "base/limits.h"
#include "proc/json.h"

#include <jansson.h>
#include <stdio.h>

#define MAIL_TIMEOUT_MS 60000

static json_t *
build_recipients(const struct an_mail *mail)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mail->to_count; i++)
        json_array_append_new(list, json_string(mail->to[i]));
    return list;
}

static an_code
build_question(const struct an_mail *mail, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf message = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    AN_CLEANUP(an_json_free) json_t *root = NULL;

    if (mail->to_count < 1 || mail->to_count > AN_LIMIT_MAIL_RECIPIENTS)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu recipients", mail->to_count);
    if (mail->message.len > AN_LIMIT_MAIL_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "letter of %zu byte", mail->message.len);
    an_base64_encode(&message, mail->message);
    root = json_pack("{s:s, s:s*, s:b, s:s, s:o, s:s%, s:I}", "server", mail->server, "user", mail->user, "plain",
                     (int)mail->allow_plain,
                     "from", mail->from, "to", build_recipients(mail), "message", (const char *)message.ptr,
                     message.len, "timeout_ms",
                     (json_int_t)(mail->timeout_ms ? mail->timeout_ms : MAIL_TIMEOUT_MS));
    if (root == NULL || json_array_size(json_object_get(root, "to")) != mail->to_count)
        AN_FAIL(reterr, AN_E_MAIL_ADDRESS, "not UTF-8");
    if (mail->user != NULL && mail->password != NULL) {
        an_bytes secret = an_secret_bytes(mail->password);
        json_object_set_new(root, "password", json_stringn((const char *)secret.ptr, secret.len));
    }
    an_json_write(ret, root);
    if (!an_buf_ok(ret))
        AN_FAIL(reterr, AN_E_LIMIT, "letter of %zu byte", mail->message.len);
    return AN_OK;
}

an_code
an_mail_send(struct an_fetcher *fetcher, const struct an_mail *mail, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf question = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    struct an_fetch_outcome outcome = {0};
    uint64_t timeout_ms = mail->timeout_ms ? mail->timeout_ms : MAIL_TIMEOUT_MS;
    an_code code = build_question(mail, &question, reterr);

    if (code == AN_OK)
        code = an_fetcher_ask(fetcher, AN_FETCH_MAIL, an_buf_view(&question), -1, timeout_ms, &outcome, reterr);
    if (mail->password != NULL && question.ptr != NULL)
        an_wipe(question.ptr, question.capacity);
    return code;
}
