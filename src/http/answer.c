#include "http/internal.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const struct { unsigned status; const char *reason; } reasons[] = {
    {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"},
    {304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
    {406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"}, {411, "Length Required"}, {413, "Content Too Large"},
    {414, "URI Too Long"}, {415, "Unsupported Media Type"}, {422, "Unprocessable Content"}, {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"}, {501, "Not Implemented"}, {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

static const char *
find_reason(unsigned status)
{
    for (size_t i = 0; i < AN_COUNT(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

/* RFC 9110 5.6.7 */
void
http_put_date(struct an_buf *out, const char *name, an_time when)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
                                       "Dec"};
    struct an_date date = an_date_of(when, 0);
    int64_t day = when / 86400 + 4; /* the first of January 1970 was a Thursday */

    an_buf_printf(out, "%s: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", name, days[((day % 7) + 7) % 7], date.day,
                  months[date.month - 1], date.year,
                  date.hour, date.minute, date.second);
}

void
http_set_date(struct loop *loop)
{
    struct an_buf line = an_buf_new(sizeof(loop->date));

    http_put_date(&line, "Date", loop->now);
    memcpy(loop->date, line.ptr, line.len);
    loop->date[line.len] = '\0';
    an_buf_free(&line);
}

void
an_http_answer_header(struct an_http_answer *answer, const char *name, const char *value)
{
    if (strpbrk(value, "\r\n") == NULL) /* a value that would begin another line is left out */
        an_buf_printf(&answer->headers, "%s: %s\r\n", name, value);
}

void
an_http_answer_text(struct an_http_answer *answer, unsigned status, const char *vi, const char *en)
{
    answer->status = status;
    answer->content_type = "text/plain; charset=utf-8";
    an_buf_printf(&answer->body, "%s\n%s\n", vi, en);
}

/* By hand: each answer has its lines, and printf would cost more than all the rest of them. */
static void
put_number(struct an_buf *out, uint64_t number)
{
    char digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    an_buf_append(out, AN_BYTES(digits + at, sizeof(digits) - at));
}

static void
put_length(struct an_buf *out, uint64_t bytes)
{
    an_buf_append(out, AN_LIT("\r\nContent-Length: "));
    put_number(out, bytes);
    an_buf_append(out, AN_LIT("\r\n"));
}

static void
put_freshness(struct an_buf *out, const struct an_http_answer *answer)
{
    if (answer->cache_seconds > 0)
        an_buf_printf(out, "Cache-Control: public, no-transform, must-revalidate, max-age=%u\r\n",
                      answer->cache_seconds);
    else
        an_buf_str(out, "Cache-Control: no-store\r\n");
    if (answer->last_modified != AN_TIME_NONE)
        http_put_date(out, "Last-Modified", answer->last_modified);
    if (answer->expires != AN_TIME_NONE)
        http_put_date(out, "Expires", answer->expires);
    if (answer->etag[0] != '\0')
        an_buf_printf(out, "ETag: \"%s\"\r\n", answer->etag);
}

void
http_put_head(struct an_buf *out, const struct loop *loop, const struct an_http_answer *answer, bool close)
{
    bool has_body = answer->status != 204 && answer->status != 304;
    uint64_t size = answer->fd >= 0 ? answer->file_bytes : answer->body.len;

    an_buf_append(out, AN_LIT("HTTP/1.1 "));
    put_number(out, answer->status);
    an_buf_append(out, AN_LIT(" "));
    an_buf_str(out, find_reason(answer->status));
    an_buf_append(out, AN_LIT("\r\n"));
    an_buf_str(out, loop->date);
    if (has_body) {
        an_buf_append(out, AN_LIT("Content-Type: "));
        an_buf_str(out, answer->content_type ? answer->content_type : "application/octet-stream");
        put_length(out, size);
        an_buf_append(out, AN_LIT("X-Content-Type-Options: nosniff\r\n"));
    }
    put_freshness(out, answer);
    an_buf_append(out, an_buf_view(&answer->headers));
    an_buf_str(out, close ? "Connection: close\r\n\r\n" : "\r\n");
}

void
http_put_quick(struct an_buf *out, const struct an_http_quick_answer *answer)
{
    an_buf_append(out, answer->headers);
    an_buf_append(out, AN_LIT("Content-Type: "));
    an_buf_str(out, answer->content_type);
    put_length(out, answer->body.len);
    an_buf_append(out, AN_LIT("\r\n"));
    an_buf_append(out, answer->body);
}

static void
put_allow(struct an_buf *out, unsigned allow)
{
    static const struct { unsigned bit; const char *name; } methods[] = {{AN_HTTP_GET, "GET, HEAD"},
            {AN_HTTP_POST, "POST"}, {AN_HTTP_PUT, "PUT"}, {AN_HTTP_DELETE, "DELETE"}};
    const char *before = "Allow: ";

    for (size_t i = 0; i < AN_COUNT(methods); i++)
        if (allow & methods[i].bit) {
            an_buf_printf(out, "%s%s", before, methods[i].name);
            before = ", ";
        }
    an_buf_str(out, "\r\n");
}

void
http_put_plain(struct an_buf *out, const struct loop *loop, unsigned status, unsigned allow, bool is_head, bool close)
{
    char body[64];
    int len = snprintf(body, sizeof(body), "%u %s\n", status, find_reason(status));

    an_buf_printf(out,
                  "HTTP/1.1 %u %s\r\n%sContent-Type: text/plain\r\nContent-Length: %d\r\nCache-Control: no-store\r\n",
                  status, find_reason(status),
                  loop->date, len);
    if (status == 405)
        put_allow(out, allow);
    if (status == 503)
        an_buf_str(out, "Retry-After: 1\r\n");
    an_buf_str(out, close ? "Connection: close\r\n\r\n" : "\r\n");
    if (!is_head)
        an_buf_str(out, body);
}

void
http_answer_done(struct an_http_answer *answer)
{
    an_buf_free(&answer->body);
    an_buf_free(&answer->headers);
    if (answer->fd >= 0)
        close(answer->fd);
    answer->fd = -1;
}

/* RFC 9110 13.1: has the client this very answer already? */
bool
http_is_known(const struct http_job *job)
{
    an_bytes match = an_http_head_find(&job->head, "if-none-match"),
             since = an_http_head_find(&job->head, "if-modified-since");
    const struct an_http_answer *answer = &job->answer;
    AN_CLEANUP(an_buf_free) struct an_buf quoted = an_buf_new(128);

    if (answer->status != 200 || an_bytes_eq_str(job->head.method, "POST"))
        return false;
    if (match.ptr != NULL) {
        an_buf_printf(&quoted, "\"%s\"", answer->etag);
        return an_bytes_eq_str(match, "*") || (answer->etag[0] != '\0' &&
                                               an_bytes_find(match, an_buf_view(&quoted), 0) != SIZE_MAX);
    }
    if (since.ptr == NULL || answer->last_modified == AN_TIME_NONE)
        return false;
    http_put_date(&quoted, "x", answer->last_modified);
    return an_bytes_eq(since, an_bytes_slice(an_buf_view(&quoted), 3, quoted.len - 5));
}
