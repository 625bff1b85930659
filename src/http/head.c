#include "http/head.h"

#define CHUNK_LINE_MAX 4096 /* of a size line with its extensions, or of all trailers */

/* RFC 9110 5.6.2: letters, digits and these. */
static bool
is_token_char(uint8_t c)
{
    static const bool others[256] = {
        ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true, ['*'] = true, ['+'] = true,
        ['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,
    };

    return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10 || others[c];
}

static bool
is_token(an_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_token_char(text.ptr[i]))
            return false;
    return text.len > 0;
}

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool
equals_folded(an_bytes text, const char *lower_name)
{
    size_t len = strlen(lower_name);

    if (text.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (lower(text.ptr[i]) != (uint8_t)lower_name[i])
            return false;
    return true;
}

an_bytes
an_http_head_find(const struct an_http_head *head, const char *lower_name)
{
    for (size_t i = 0; i < head->header_count; i++)
        if (equals_folded(head->headers[i].name, lower_name))
            return head->headers[i].value;
    return AN_NONE;
}

/* The line up to CR LF, without it; false when none ends here. A bare LF or CR is no end of line. */
static bool
take_line(an_bytes *in, an_bytes *ret)
{
    const uint8_t *end = in->len ? memchr(in->ptr, '\n', in->len) : NULL;

    if (end == NULL || end == in->ptr || end[-1] != '\r')
        return false;
    *ret = AN_BYTES(in->ptr, (size_t)(end - in->ptr) - 1);
    *in = an_bytes_slice(*in, ret->len + 2, SIZE_MAX);
    return true;
}

/* Visible ASCII, eight at a time: a status request is mostly its target. */
static bool
is_target(an_bytes target)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    size_t at = 0;

    for (; target.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, target.ptr + at, sizeof(word));
        if ((((word - ones * 0x21) & ~word) | word | (word + ones)) & highs) /* less than '!', over 0x7f, or 0x7f */
            return false;
    }
    for (; at < target.len; at++)
        if (target.ptr[at] <= ' ' || target.ptr[at] >= 0x7f)
            return false;
    return target.len > 0 && target.ptr[0] == '/';
}

static unsigned
parse_request_line(an_bytes line, struct an_http_head *ret)
{
    const uint8_t *first = line.len ? memchr(line.ptr, ' ', line.len) : NULL;
    const uint8_t *end = first ? memrchr(line.ptr, ' ', line.len) : NULL;
    size_t at, last, question;
    an_bytes version;

    if (first == end) /* none, or one */
        return 400;
    at = (size_t)(first - line.ptr);
    last = (size_t)(end - line.ptr);
    ret->method = AN_BYTES(line.ptr, at);
    ret->target = AN_BYTES(first + 1, last - at - 1);
    version = an_bytes_slice(line, last + 1, SIZE_MAX);
    if (!is_token(ret->method) || ret->method.len > 16 || version.len != 8 || memcmp(version.ptr, "HTTP/", 5) != 0)
        return 400;
    if (ret->target.len > AN_HTTP_TARGET_BYTES)
        return 414;
    if (memcmp(version.ptr, "HTTP/1.", 7) != 0 || (version.ptr[7] != '0' && version.ptr[7] != '1'))
        return 505;
    if (!is_target(ret->target))
        return 400;
    ret->minor = version.ptr[7] - '0';
    question = an_bytes_find(ret->target, AN_LIT("?"), 0);
    ret->path = an_bytes_slice(ret->target, 0, question);
    ret->query = question == SIZE_MAX ? AN_NONE : an_bytes_slice(ret->target, question + 1, SIZE_MAX);
    return 200;
}

static an_bytes
trim(an_bytes text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = an_bytes_slice(text, 1, SIZE_MAX);
    while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static bool
parse_header(an_bytes line, struct an_http_head *ret)
{
    size_t colon = an_bytes_find(line, AN_LIT(":"), 0);
    an_bytes name, value;

    if (colon == SIZE_MAX || ret->header_count == AN_HTTP_HEADERS_MAX)
        return false;
    name = an_bytes_slice(line, 0, colon);
    value = trim(an_bytes_slice(line, colon + 1, SIZE_MAX));
    if (!is_token(name)) /* also a continuation line, also a blank before the colon */
        return false;
    for (size_t i = 0; i < value.len; i++)
        if ((value.ptr[i] < ' ' && value.ptr[i] != '\t') || value.ptr[i] == 0x7f)
            return false;
    ret->headers[ret->header_count].name = name;
    ret->headers[ret->header_count++].value = value;
    return true;
}

static bool
read_length(an_bytes text, uint64_t *ret)
{
    uint64_t value = 0;

    if (text.len == 0 || text.len > 15)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *ret = value;
    return true;
}

/* A word in a comma-separated list. */
static bool
has_word(an_bytes list, const char *lower_word)
{
    while (list.len > 0) {
        size_t comma = an_bytes_find(list, AN_LIT(","), 0);
        if (equals_folded(trim(an_bytes_slice(list, 0, comma)), lower_word))
            return true;
        list = comma == SIZE_MAX ? AN_NONE : an_bytes_slice(list, comma + 1, SIZE_MAX);
    }
    return false;
}

/* How long the body is must be said once and in one way (RFC 9112 6.3): everything else is how requests are
 * smuggled. */
static unsigned
read_framing(struct an_http_head *ret)
{
    bool has_length = false, has_host = false;

    ret->keep_alive = ret->minor == 1;
    for (size_t i = 0; i < ret->header_count; i++) {
        an_bytes name = ret->headers[i].name, value = ret->headers[i].value;
        if (equals_folded(name, "content-length")) {
            if (has_length || !read_length(value, &ret->content_length))
                return 400;
            has_length = true;
        } else if (equals_folded(name, "transfer-encoding")) {
            if (ret->is_chunked || ret->minor == 0 || !equals_folded(value, "chunked"))
                return ret->is_chunked || ret->minor == 0 ? 400 : 501;
            ret->is_chunked = true;
        } else if (equals_folded(name, "connection")) {
            ret->keep_alive = ret->minor == 1 ? !has_word(value, "close") : has_word(value, "keep-alive");
        } else if (equals_folded(name, "expect")) {
            ret->expects_continue = equals_folded(value, "100-continue");
        } else if (equals_folded(name, "host")) {
            if (has_host)
                return 400;
            has_host = true;
        }
    }
    if ((ret->is_chunked && has_length) || (ret->minor == 1 && !has_host))
        return 400;
    ret->has_body = ret->is_chunked || ret->content_length > 0;
    return 200;
}

/* Where the empty line begins that ends the head: its offset less the CR LF before it. SIZE_MAX = not there yet. */
static size_t
find_end(an_bytes in, size_t searched)
{
    const uint8_t *at = in.ptr + (searched > 3 ? searched - 3 : 0), *end = in.ptr + in.len;

    while (end - at >= 4 && (at = memchr(at + 1, '\n', (size_t)(end - at) - 3)) != NULL)
        if (at[-1] == '\r' && at[1] == '\r' && at[2] == '\n')
            return (size_t)(at - 1 - in.ptr);
    return SIZE_MAX;
}

unsigned
an_http_head_parse(an_bytes in, size_t searched, struct an_http_head *ret)
{
    an_bytes rest = an_bytes_slice(in, 0, AN_HTTP_HEAD_BYTES), line;
    size_t end = find_end(rest, searched);
    unsigned status;

    if (end == SIZE_MAX)
        return in.len < AN_HTTP_HEAD_BYTES ? 0 : an_bytes_find(rest, AN_LIT("\r\n"), 0) == SIZE_MAX ? 414 : 431;
    ret->header_count = 0;
    ret->keep_alive = ret->is_chunked = ret->expects_continue = ret->has_body = false;
    ret->content_length = 0;
    ret->len = end + 4;
    rest = an_bytes_slice(rest, 0, end + 2);
    if (!take_line(&rest, &line))
        return 400;
    status = parse_request_line(line, ret);
    if (status != 200)
        return status;
    while (rest.len > 0)
        if (!take_line(&rest, &line) || !parse_header(line, ret))
            return ret->header_count == AN_HTTP_HEADERS_MAX ? 431 : 400;
    return read_framing(ret);
}

static int
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
an_http_decode(an_bytes text, bool plus_is_blank, struct an_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '%') {
            int high = text.len - i > 2 ? hex_digit(text.ptr[i + 1]) : -1,
                low = text.len - i > 2 ? hex_digit(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        if (c == 0)
            return false;
        an_buf_byte(out, c);
    }
    return an_buf_ok(out);
}

/* ---- chunks ---- */
static bool
feed_size(struct an_http_chunks *chunks, uint8_t c)
{
    int digit = hex_digit(c);

    if (++chunks->line > CHUNK_LINE_MAX)
        return false;
    if (chunks->was_cr) {
        if (c != '\n' || !chunks->has_digit)
            return false;
        chunks->state = chunks->left ? AN_CHUNK_DATA : AN_CHUNK_TRAILER;
        chunks->was_cr = chunks->has_digit = chunks->in_blank = chunks->in_extension = false;
        chunks->line = 0;
        return true;
    }
    if (!chunks->in_extension && (c == ' ' || c == '\t')) { /* RFC 9112, 7.1.1: before an extension, and nothing else */
        chunks->in_blank = true;
        return chunks->has_digit;
    }
    if (chunks->in_blank && !chunks->in_extension && c != ';')
        return false; /* "5 6": five for one reader, 86 for another */
    if (c == '\r') {
        chunks->was_cr = true;
        return true;
    }
    if (!chunks->in_extension && digit >= 0) {
        chunks->has_digit = true;
        chunks->left = chunks->left * 16 + (uint64_t)digit;
        return chunks->left < UINT64_C(1) << 40;
    }
    chunks->in_extension = chunks->in_extension || c == ';';
    return chunks->in_extension && c != '\n' && c != 0;
}

/* CR LF behind the data of a chunk. */
static bool
feed_end(struct an_http_chunks *chunks, uint8_t c)
{
    if (c != (chunks->was_cr ? '\n' : '\r'))
        return false;
    if (chunks->was_cr)
        chunks->state = AN_CHUNK_SIZE;
    chunks->was_cr = !chunks->was_cr;
    return true;
}

/* Trailers are read and forgotten; an empty line ends them. line counts the octets of the present one. */
static bool
feed_trailer(struct an_http_chunks *chunks, uint8_t c)
{
    if (chunks->was_cr) {
        if (c != '\n')
            return false;
        chunks->was_cr = false;
        if (chunks->line == 0)
            chunks->state = AN_CHUNK_DONE;
        chunks->line = 0;
        return true;
    }
    chunks->was_cr = c == '\r';
    if (!chunks->was_cr)
        chunks->line++;
    return c != '\n' && chunks->line <= CHUNK_LINE_MAX && ++chunks->left <= CHUNK_LINE_MAX;
}

bool
an_http_chunks_feed(struct an_http_chunks *chunks, an_bytes *in, struct an_buf *out)
{
    while (in->len > 0 && chunks->state != AN_CHUNK_DONE) {
        bool fine = true;
        size_t taken = 1;

        if (chunks->state == AN_CHUNK_DATA) {
            taken = chunks->left < in->len ? (size_t)chunks->left : in->len;
            an_buf_append(out, AN_BYTES(in->ptr, taken));
            chunks->left -= taken;
            if (chunks->left == 0)
                chunks->state = AN_CHUNK_END;
        } else if (chunks->state == AN_CHUNK_SIZE) {
            fine = feed_size(chunks, in->ptr[0]);
        } else if (chunks->state == AN_CHUNK_END) {
            fine = feed_end(chunks, in->ptr[0]);
        } else {
            fine = feed_trailer(chunks, in->ptr[0]);
        }
        if (!fine)
            return false;
        *in = an_bytes_slice(*in, taken, SIZE_MAX);
    }
    return true;
}
