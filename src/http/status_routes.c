/* Routes of the status services: answers, stamps, lists, certificates, health. */
#include "http/node.h"

#include "base/limits.h"
#include "proc/json.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OCSP_BODY_MAX ((size_t)64 * 1024)
#define QUICK_MAX 512          /* a request for one certificate by SHA-512 is under 300 */
#define LIST_CACHE_SECONDS 60  /* a proxy in front gives a list that old at most */
#define CERT_CACHE_SECONDS 86400

/* ---- OCSP ---- */
static int
hex_value(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' &&
           c <= 'f' ? c - 'a' + 10 : -1;
}

/* Of a digit of base64, 64 and its value; 0 of anything else. */
static const uint8_t base64_digits[256] = {
    ['A'] = 64, ['B'] = 65, ['C'] = 66, ['D'] = 67, ['E'] = 68, ['F'] = 69, ['G'] = 70, ['H'] = 71, ['I'] = 72,
    ['J'] = 73, ['K'] = 74, ['L'] = 75, ['M'] = 76, ['N'] = 77, ['O'] = 78, ['P'] = 79, ['Q'] = 80, ['R'] = 81,
    ['S'] = 82, ['T'] = 83, ['U'] = 84, ['V'] = 85, ['W'] = 86, ['X'] = 87, ['Y'] = 88, ['Z'] = 89, ['a'] = 90,
    ['b'] = 91, ['c'] = 92, ['d'] = 93, ['e'] = 94, ['f'] = 95, ['g'] = 96, ['h'] = 97, ['i'] = 98, ['j'] = 99,
    ['k'] = 100, ['l'] = 101, ['m'] = 102, ['n'] = 103, ['o'] = 104, ['p'] = 105, ['q'] = 106, ['r'] = 107,
    ['s'] = 108, ['t'] = 109, ['u'] = 110, ['v'] = 111, ['w'] = 112, ['x'] = 113, ['y'] = 114, ['z'] = 115,
    ['0'] = 116, ['1'] = 117, ['2'] = 118, ['3'] = 119, ['4'] = 120, ['5'] = 121, ['6'] = 122, ['7'] = 123,
    ['8'] = 124, ['9'] = 125, ['+'] = 126, ['/'] = 127,
};

static void
put_three(uint8_t *to, uint32_t bits)
{
    to[0] = (uint8_t)(bits >> 16);
    to[1] = (uint8_t)(bits >> 8);
    to[2] = (uint8_t)bits;
}

/* Whole groups of four digits, which nearly all of a request are; returns how many of its characters that were. */
static size_t
decode_plain(an_bytes text, uint8_t ret[static QUICK_MAX], size_t *len)
{
    size_t at = 0, put = *len;

    for (; text.len - at >= 4 && put + 3 <= QUICK_MAX; at += 4, put += 3) {
        unsigned a = base64_digits[text.ptr[at]], b = base64_digits[text.ptr[at + 1]],
                 c = base64_digits[text.ptr[at + 2]], d = base64_digits[text.ptr[at + 3]];
        if ((a & b & c & d & 64u) == 0)
            break;
        put_three(ret + put, (a & 63u) << 18 | (b & 63u) << 12 | (c & 63u) << 6 | (d & 63u));
    }
    *len = put;
    return at;
}

/* RFC 6960 A.1: base64, percent-encoded. Of both at once, without memory of its own; 0 when it is something else or too
 * long. */
static size_t
decode_get(an_bytes text, uint8_t ret[static QUICK_MAX])
{
    uint32_t bits = 0;
    size_t len = 0, digits = 0, padding = 0;

    for (size_t i = decode_plain(text, ret, &len); i < text.len; i++) {
        uint8_t c = text.ptr[i], digit;
        if (c == '%') {
            int high = text.len - i > 2 ? hex_value(text.ptr[i + 1]) : -1,
                low = text.len - i > 2 ? hex_value(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return 0;
            c = (uint8_t)(high * 16 + low);
            i += 2;
        }
        digit = base64_digits[c];
        if (c == '=' && ++padding <= 2)
            continue;
        if (digit == 0 || padding != 0 || len + 3 > QUICK_MAX)
            return 0;
        bits = bits << 6 | (digit & 63u);
        if (++digits % 4 == 0) {
            put_three(ret + len, bits);
            len += 3;
            i += decode_plain(an_bytes_slice(text, i + 1, SIZE_MAX), ret, &len);
        }
    }
    if (digits % 4 == 2)
        ret[len++] = (uint8_t)(bits >> 4);
    if (digits % 4 == 3) {
        ret[len++] = (uint8_t)(bits >> 10);
        ret[len++] = (uint8_t)(bits >> 2);
    }
    return digits % 4 == 1 ? 0 : len;
}

struct quick_taking { struct an_buf *out; void (*put)(struct an_buf *out, const struct an_http_quick_answer *answer); };

static void
take_answer(void *context, an_bytes headers, an_bytes answer, int64_t fresh_seconds)
{
    const struct quick_taking *taking = context;
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t left = fresh_seconds > 0 ? (uint64_t)fresh_seconds : 0;

    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    an_buf_append(taking->out, AN_LIT("Cache-Control: public, no-transform, must-revalidate, max-age="));
    an_buf_append(taking->out, AN_BYTES(digits + at, sizeof(digits) - at));
    an_buf_append(taking->out, AN_LIT("\r\n"));
    taking->put(taking->out, &(struct an_http_quick_answer){.content_type = "application/ocsp-response",
                                                            .headers = headers, .body = answer});
}

static bool
answer_from_memory(void *context, const struct an_http_quick *quick, an_time now, struct an_buf *out,
                   void (*put)(struct an_buf *out, const struct an_http_quick_answer *answer))
{
    const struct an_node *node = context;
    struct quick_taking taking = {out, put};
    AN_UNZEROED uint8_t decoded[QUICK_MAX];
    an_bytes request = quick->is_post ? quick->body : AN_BYTES(decoded, decode_get(quick->rest, decoded));

    return request.len != 0 && an_status_quick(node->status, request, now, take_answer, &taking);
}

/* What went wrong stands in the answer (RFC 6960 2.3). */
static void
finish_status(const struct an_status_turn *turn, const struct an_http_turn *turn_of_http, an_time now)
{
    struct an_http_answer *answer = turn_of_http->answer;

    answer->status = 200;
    answer->content_type = "application/ocsp-response";
    if (turn->code != AN_OK) {
        fprintf(stderr, "{\"event\":\"ocsp.failed\",\"code\":\"%s\"}\n", an_message_find(turn->code)->symbol);
        return;
    }
    if (!turn->note.may_keep || turn->note.next_update <= now)
        return;
    answer->cache_seconds = (uint32_t)(turn->note.next_update - now);
    answer->last_modified = turn->note.this_update;
    answer->expires = turn->note.next_update;
    if (strcmp(turn_of_http->request->method, "GET") == 0)
        an_status_etag(an_buf_view(&answer->body), answer->etag);
}

/* The request, of the body or of the address; decoded: room for the latter. False when it is neither, and was
 * answered. */
static bool
read_ocsp(const struct an_http_turn *turn, struct an_buf *decoded, an_bytes *ret)
{
    const struct an_http_request *request = turn->request;

    if (strcmp(request->method, "POST") != 0) {
        if (!an_base64_decode(decoded, an_bytes_of_str(request->path + strlen("/ocsp/"))))
            an_buf_reset(decoded); /* malformedRequest */
        *ret = an_buf_view(decoded);
        return true;
    }
    *ret = request->body;
    if (strcmp(request->content_type, "application/ocsp-request") == 0)
        return true;
    an_http_answer_text(turn->answer, 415, "Kiểu nội dung phải là application/ocsp-request",
                        "The content type must be application/ocsp-request");
    return false;
}

static void
answer_ocsp(void *context, const struct an_http_turn *turns, size_t count)
{
    const struct an_node *node = context;
    AN_UNZEROED struct an_status_turn asked[AN_HTTP_TURNS_MAX];
    struct an_buf decoded[AN_HTTP_TURNS_MAX];
    size_t places[AN_HTTP_TURNS_MAX], many = 0;
    an_time now;

    _Static_assert(AN_HTTP_TURNS_MAX <= AN_SIGNINGS_MAX, "what waits together is signed together");
    for (size_t i = 0; i < count; i++) {
        decoded[i] = an_buf_new(OCSP_BODY_MAX);
        asked[many].ret = &turns[i].answer->body;
        if (read_ocsp(&turns[i], &decoded[i], &asked[many].request))
            places[many++] = i;
    }
    an_status_answer_many(node->status, asked, many);
    now = an_time_now();
    for (size_t i = 0; i < many; i++)
        finish_status(&asked[i], &turns[places[i]], now);
    for (size_t i = 0; i < count; i++)
        an_buf_free(&decoded[i]);
}

/* ---- time-stamps ---- */
static void
finish_stamp(const struct an_tsa_turn *turn, struct an_http_answer *answer)
{
    if (turn->code != AN_OK)
        fprintf(stderr, "{\"event\":\"stamp.failed\",\"code\":\"%s\"}\n", an_message_find(turn->code)->symbol);
    if (answer->body.len == 0) {
        an_http_answer_text(answer, 503, "Dịch vụ cấp dấu thời gian chưa sẵn sàng",
                            "The time-stamping service is not available");
        return;
    }
    answer->status = 200;
    answer->content_type = "application/timestamp-reply";
}

static void
answer_stamps(void *context, const struct an_http_turn *turns, size_t count)
{
    const struct an_node *node = context;
    AN_UNZEROED struct an_tsa_turn asked[AN_HTTP_TURNS_MAX];
    struct an_http_answer *answers[AN_HTTP_TURNS_MAX];
    size_t many = 0;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(turns[i].request->content_type, "application/timestamp-query") != 0) {
            an_http_answer_text(turns[i].answer, 415, "Kiểu nội dung phải là application/timestamp-query",
                                "The content type must be application/timestamp-query");
            continue;
        }
        asked[many].request = turns[i].request->body;
        asked[many].ret = &turns[i].answer->body;
        answers[many++] = turns[i].answer;
    }
    if (many != 0)
        an_status_stamp_many(node->status, asked, many);
    for (size_t i = 0; i < many; i++)
        finish_stamp(&asked[i], answers[i]);
}

/* ---- lists and certificates ---- */
/* NAME.ending, NAME of small letters, digits and hyphens: nothing that could lead elsewhere. */
static bool
read_name(const char *file, const char *ending, char ret[static 80])
{
    size_t len = strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (len == 0 || len >= 80 || strcmp(file + len, ending) != 0)
        return false;
    memcpy(ret, file, len);
    ret[len] = '\0';
    return true;
}

static void
get_list(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    const struct an_node *node = context;
    AN_CLEANUP(an_free_ptr) char *part = NULL, *path = NULL;
    struct stat st;
    char name[80];

    if (!read_name(request->path + strlen("/crl/"), ".crl", name))
        return;
    part = an_asprintf("public/crl/%s.crl", name);
    path = an_instance_path(node->instance, part);
    /* NONBLOCK: a FIFO must not hold a worker */
    answer->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (answer->fd < 0 || fstat(answer->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    answer->status = 200;
    answer->content_type = "application/pkix-crl";
    answer->file_bytes = (uint64_t)st.st_size;
    answer->cache_seconds = LIST_CACHE_SECONDS;
    answer->last_modified = st.st_mtim.tv_sec;
    snprintf(answer->etag, sizeof(answer->etag), "%llx-%llx-%lx", (unsigned long long)st.st_ino,
             (unsigned long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static void
get_certificate(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    const struct an_node *node = context;
    char name[80];

    if (!read_name(request->path + strlen("/crt/"), ".crt", name) ||
        !an_status_certificate(node->status, name, &answer->body))
        return;
    answer->status = 200;
    answer->content_type = "application/pkix-cert";
    answer->cache_seconds = CERT_CACHE_SECONDS;
    an_status_etag(an_buf_view(&answer->body), answer->etag);
}

/* ---- how it is ---- */
/* Degraded: something that this instance has does not serve. What the clock is distrusted for is said as it is in the
 * log. */
static void
get_health(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    const struct an_node *node = context;
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    struct an_status_health health;
    an_time now = an_time_now();
    bool lists_late, stamps, is_well;

    (void)request;
    an_status_health(node->status, &health);
    lists_late = health.lists_until != AN_TIME_NONE && health.lists_until <= now;
    stamps = health.has_stamping && health.clock.code == AN_OK;
    is_well = health.without_key == 0 && !health.token_hangs && !lists_late && stamps == health.has_stamping;
    root = json_pack("{s:s, s:I, s:I, s:s, s:b, s:b, s:s, s:b, s:I}", "status", is_well ? "ok" : "degraded", "authorities",
                     (json_int_t)health.authorities,
                     "without_key", (json_int_t)health.without_key, "tokens",
                     health.token_hangs ? an_message_find(AN_E_TOKEN_HANGS)->symbol : "ok", "lists_late", (int)lists_late, "time_stamping",
                     (int)stamps,
                     "clock", health.clock.code == AN_OK ? "trusted" : health.clock.detail, "clock_proven",
                     (int)health.is_clock_proven,
                     "seconds", (json_int_t)(now - node->started));
    answer->status = is_well ? 200 : 503;
    answer->content_type = "application/json";
    an_json_write(&answer->body, root);
    an_buf_byte(&answer->body, '\n');
}

static bool
is_listed(const char *list, const char *address)
{
    size_t len = strlen(address);

    for (const char *at = list; at != NULL && (at = strstr(at, address)) != NULL; at += len)
        if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static void
get_metrics(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    const struct an_node *node = context;

    if ((request->is_forwarded && !request->is_vouched) || !is_listed(an_status_config(node->status)->metrics_from,
                                                                      request->peer)) {
        an_http_answer_text(answer, 403, "Chỉ dành cho máy giám sát", "For monitoring machines only");
        return;
    }
    answer->status = 200;
    answer->content_type = "text/plain; version=0.0.4";
    if (node->server != NULL)
        an_http_server_metrics(node->server, &answer->body);
    an_status_metrics(node->status, &answer->body);
}

const struct an_http_route an_status_routes[] = {
    {"/ocsp", AN_HTTP_POST, OCSP_BODY_MAX, NULL, answer_from_memory, answer_ocsp},
    {"/ocsp/", AN_HTTP_GET | AN_HTTP_POST, OCSP_BODY_MAX, NULL, answer_from_memory, answer_ocsp},
    {"/tsa", AN_HTTP_POST, 16384, NULL, NULL, answer_stamps},
    {"/crl/", AN_HTTP_GET, 0, get_list, NULL, NULL},
    {"/crt/", AN_HTTP_GET, 0, get_certificate, NULL, NULL},
    {"/healthz", AN_HTTP_GET, 0, get_health, NULL, NULL},
    {"/metrics", AN_HTTP_GET, 0, get_metrics, NULL, NULL},
};
const size_t an_status_route_count = AN_COUNT(an_status_routes);
