#include "http/enrol.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "http/node.h"
#include "service/certification/enrol.h"
#include "service/certification/policy_page.h"
#include "service/certification/search.h"

#define CMP_TYPE "application/pkixcmp"
#define EST_BYTES ((size_t)64 * 1024) /* a PKCS#10 in base64 is under 4 kB */

static void
answer_failure(struct an_http_answer *answer, const struct an_err *err)
{
    const struct an_message *message = an_message_find(err->code);
    bool is_busy = message->kind == AN_KIND_TEMPFAIL || message->kind == AN_KIND_UNAVAILABLE;

    an_buf_reset(&answer->body);
    if (is_busy)
        an_http_answer_header(answer, "Retry-After", "10");
    an_http_answer_text(answer, is_busy ? 503 : 500, message->vi, message->en);
}

static bool
is_ready(const struct an_node *node, struct an_http_answer *answer)
{
    if (an_node_enrol(node) != NULL)
        return true;
    an_http_answer_text(answer, 503, "dịch vụ đăng ký chưa được thiết lập", "enrolment is not set up");
    return false;
}

/* ---- CMP (RFC 9811): an answer of its own for every message that could be read ---- */
static void
answer_cmp(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    const struct an_node *node = context;
    struct an_err err = {0};

    if (!is_ready(node, answer))
        return;
    if (strncasecmp(request->content_type, CMP_TYPE, strlen(CMP_TYPE)) != 0) {
        an_http_answer_text(answer, 415, "kiểu nội dung phải là " CMP_TYPE, "the content type must be " CMP_TYPE);
        return;
    }
    if (an_cmp_answer(an_enrol_service_host(an_node_enrol(node)), request->body, request->peer, an_time_now(),
                      &answer->body, NULL, &err) == AN_OK) {
        answer->status = 200;
        answer->content_type = CMP_TYPE;
        return;
    }
    if (an_message_find(err.code)->kind == AN_KIND_DATA)
        an_http_answer_text(answer, 400, an_message_find(err.code)->vi, an_message_find(err.code)->en);
    else
        answer_failure(answer, &err);
}

/* ---- EST ---- */
/* The front server's word for who is at the other end of its TLS (docs/decisions/064-est-transport.md). */
static struct an_cert *
client_cert(const struct an_http_request *request)
{
    AN_CLEANUP(an_buf_free) struct an_buf field = an_buf_new(EST_BYTES), pem = an_buf_new(EST_BYTES),
                                          der = an_buf_new(AN_LIMIT_CERT_BYTES);
    an_bytes header = an_http_header(request, "x-client-cert");
    struct an_cert *cert = NULL;
    char label[64];
    size_t at = 0;

    if (header.len == 0)
        return NULL;
    an_buf_str(&field, "cert=");
    an_buf_append(&field, header);
    if (!an_buf_ok(&field) || !an_http_field(an_buf_view(&field), "cert", &pem) ||
        !an_pem_next(an_buf_view(&pem), &at, &der, label) ||
        an_cert_parse(an_buf_view(&der), &cert, NULL) != AN_OK)
        return NULL;
    return cert;
}

/* A secret must not cross a network in the clear. */
static bool
is_private(const struct an_http_request *request)
{
    bool is_here = strcmp(request->peer, "127.0.0.1") == 0 || strcmp(request->peer, "::1") == 0;

    return (is_here && !request->is_forwarded) || an_bytes_eq_str(an_http_header(request, "x-forwarded-proto"),
                                                                  "https");
}

static void
finish_est(struct an_est_answer *est, struct an_http_answer *answer)
{
    char seconds[16];

    answer->status = est->status;
    answer->content_type = est->content_type;
    answer->body = est->body;
    if (est->is_base64)
        an_http_answer_header(answer, "Content-Transfer-Encoding", "base64");
    if (est->status == 401)
        an_http_answer_header(answer, "WWW-Authenticate", "Basic realm=\"est\", charset=\"UTF-8\"");
    if (est->retry_after_s > 0) {
        snprintf(seconds, sizeof(seconds), "%u", est->retry_after_s);
        an_http_answer_header(answer, "Retry-After", seconds);
    }
}

static void
answer_est(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    const struct an_node *node = context;
    AN_CLEANUP(an_free_ptr) char *authorization = an_strdup_bytes(an_http_header(request, "authorization"));
    AN_CLEANUP(an_cert_unref) struct an_cert *client = client_cert(request);
    const struct an_est_request what = {.operation = an_est_operation_of(request->path),
                                        .is_post = strcmp(request->method, "POST") == 0,
                                        .content_type = request->content_type, .body = request->body,
                                        .authorization = authorization, .client = client,
                                        .peer = request->peer};
    struct an_est_answer est = {.body = answer->body};

    if (!is_ready(node, answer))
        return;
    if (authorization[0] != '\0' && !is_private(request)) {
        an_http_answer_text(answer, 403, "mã bí mật chỉ được gửi qua TLS", "the secret may be sent over TLS only");
        return;
    }
    an_est_answer(an_enrol_service_host(an_node_enrol(node)), &what, an_time_now(), &est);
    an_wipe(authorization, strlen(authorization));
    finish_est(&est, answer);
}

/* ---- what is published ---- */
static void
answer_trust_list(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    const struct an_node *node = context;
    AN_CLEANUP(an_buf_free) struct an_buf other = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    size_t len = strlen(request->path);
    bool is_signature = len > 4 && strcmp(request->path + len - 4, ".p7s") == 0;
    struct an_err err = {0};

    if (!is_ready(node, answer))
        return;
    if (an_enrol_trust_list(an_node_enrol(node), an_time_now(), is_signature ? &other : &answer->body,
                            is_signature ? &answer->body : &other, &err) != AN_OK) {
        answer_failure(answer, &err);
        return;
    }
    if (answer->body.len == 0) {
        an_http_answer_text(answer, 404, "danh sách chưa được ký", "the list is not signed");
        return;
    }
    answer->status = 200;
    answer->content_type = is_signature ? "application/pkcs7-signature" : "application/json";
    answer->cache_seconds = 300;
}

static void
answer_policy(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    const struct an_node *node = context;
    struct an_policy_page page = {.name = node->instance->config.name, .base_url = node->instance->config.base_url,
                                  .regulations = node->instance->regulations,
                                  .profiles = an_node_enrol(node) != NULL
                                  ? an_enrol_service_profiles(an_node_enrol(node)) : NULL};
    struct an_err err = {0};

    (void)request;
    if (an_policy_page_write(&page, &answer->body, &err) != AN_OK) {
        answer_failure(answer, &err);
        return;
    }
    answer->status = 200;
    answer->content_type = "text/html; charset=utf-8";
    answer->cache_seconds = 3600;
}

/* ---- search ---- */
/* A field of the query; NULL when it is absent or empty. The caller frees. */
static char *
take_field(const struct an_http_request *request, const char *name)
{
    AN_CLEANUP(an_buf_free) struct an_buf value = an_buf_new(2048);

    if (!an_http_field(an_bytes_of_str(request->query), name, &value) || value.len == 0 ||
        memchr(value.ptr, 0, value.len) != NULL)
        return NULL;
    return an_buf_take_str(&value);
}

static int64_t
take_number(const struct an_http_request *request, const char *name)
{
    AN_CLEANUP(an_free_ptr) char *text = take_field(request, name);
    char *end = NULL;
    long long number = text != NULL ? strtoll(text, &end, 10) : 0;

    return text == NULL ? 0 : *end == '\0' && number > 0 ? number : -1;
}

static bool
wants_json(const struct an_http_request *request)
{
    AN_CLEANUP(an_free_ptr) char *format = take_field(request, "format");

    if (format != NULL)
        return strcmp(format, "json") == 0;
    return an_bytes_find(an_http_header(request, "accept"), AN_LIT("application/json"), 0) != SIZE_MAX;
}

static void
answer_search(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    const struct an_node *node = context;
    AN_CLEANUP(an_free_ptr) char *serial = take_field(request, "serial"), *subject = take_field(request, "subject"),
                                  *agency = take_field(request, "agency"),
                                 *email = take_field(request, "email");
    const struct an_public_search search = {.serial = serial, .subject = subject, .agency = agency, .email = email,
                                            .after = take_number(request, "after"),
                                            .limit = take_number(request, "limit")};
    bool is_asked = serial != NULL || subject != NULL || agency != NULL || email != NULL, is_json = wants_json(request);
    struct an_err err = {0};
    an_code code;

    if (is_json)
        code = an_public_search_json(node->instance->replica, &search, an_time_now(), &answer->body, &err);
    else
        code = an_public_search_page(node->instance->replica, is_asked ? &search : NULL, an_time_now(), &answer->body,
                                     &err);
    if (code == AN_E_SEARCH_QUERY) {
        an_http_answer_text(answer, 400, an_message_find(code)->vi, an_message_find(code)->en);
        return;
    }
    if (code != AN_OK) {
        answer_failure(answer, &err);
        return;
    }
    answer->status = 200;
    answer->content_type = is_json ? "application/json" : "text/html; charset=utf-8";
}

/* /search/SERIAL.crt */
static void
answer_certificate(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    const struct an_node *node = context;
    an_bytes path = an_bytes_of_str(request->path);
    AN_CLEANUP(an_free_ptr) char *serial = NULL;
    bool is_found = false;
    struct an_err err = {0};
    an_code code;

    if (path.len < 12 || !an_bytes_eq_str(an_bytes_slice(path, path.len - 4, 4), ".crt"))
        return;
    serial = an_strdup_bytes(an_bytes_slice(path, 8, path.len - 12));
    code = an_public_search_certificate(node->instance->replica, serial, &answer->body, &is_found, &err);
    if (code != AN_OK && code != AN_E_SEARCH_QUERY)
        answer_failure(answer, &err);
    if (code != AN_OK || !is_found)
        return;
    answer->status = 200;
    answer->content_type = "application/pkix-cert";
    answer->cache_seconds = 3600;
}

const struct an_http_route an_enrol_routes[] = {
    {"/cmp", AN_HTTP_POST, AN_LIMIT_CMP_BYTES, answer_cmp, NULL},
    {"/.well-known/cmp", AN_HTTP_POST, AN_LIMIT_CMP_BYTES, answer_cmp, NULL},
    {"/.well-known/cmp/", AN_HTTP_POST, AN_LIMIT_CMP_BYTES, answer_cmp, NULL},
    {"/.well-known/est/", AN_HTTP_GET | AN_HTTP_POST, EST_BYTES, answer_est, NULL},
    {"/trust/gca.ctl", AN_HTTP_GET, 0, answer_trust_list, NULL},
    {"/trust/gca.ctl.p7s", AN_HTTP_GET, 0, answer_trust_list, NULL},
    {"/cp", AN_HTTP_GET, 0, answer_policy, NULL},
    {"/search", AN_HTTP_GET, 0, answer_search, NULL},
    {"/search/", AN_HTTP_GET, 0, answer_certificate, NULL},
};
const size_t an_enrol_route_count = AN_COUNT(an_enrol_routes);
