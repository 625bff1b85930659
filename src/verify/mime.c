/*
 * Signed mail, S/MIME (RFC 8551): multipart/signed with a detached signature, application/pkcs7-mime with the content
 * inside. A small reader for exactly that: headers, boundaries, base64; bounded in depth, lines and bytes.
 */
#include "verify/mime.h"

#include <ctype.h>

#include "verify/cms_reader.h"

/* ---- lines ---- */
static an_bytes
take_line(an_bytes *text)
{
    size_t end = an_bytes_find(*text, AN_LIT("\n"), 0);
    size_t next = end == SIZE_MAX ? text->len : end + 1;
    an_bytes line = an_bytes_slice(*text, 0, end == SIZE_MAX ? text->len : end);

    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    *text = AN_BYTES(text->ptr + next, text->len - next);
    return line;
}

static bool
starts_with_word(an_bytes text, const char *word)
{
    size_t len = strlen(word);

    if (text.len < len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (tolower(text.ptr[i]) != tolower((unsigned char)word[i]))
            return false;
    return true;
}

static an_bytes
trim(an_bytes text)
{
    while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = AN_BYTES(text.ptr + 1, text.len - 1);
    while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* ---- headers ---- */
static an_code
take_headers(an_bytes *text, struct an_mime_part *part, struct an_err *reterr)
{
    struct an_buf *into = NULL;

    for (size_t count = 0; text->len; count++) {
        an_bytes line = take_line(text);

        if (count >= AN_LIMIT_MIME_HEADERS)
            AN_FAIL(reterr, AN_E_LIMIT, "more than %d header lines", AN_LIMIT_MIME_HEADERS);
        if (!line.len)
            return AN_OK;
        if (line.ptr[0] == ' ' || line.ptr[0] == '\t') { /* folded */
            if (into && into->len)
                an_buf_byte(into, ' ');
            if (into)
                an_buf_append(into, trim(line));
            continue;
        }
        into = NULL;
        if (starts_with_word(line, "content-type:"))
            into = &part->type;
        else if (starts_with_word(line, "content-transfer-encoding:"))
            into = &part->encoding;
        if (into) {
            an_buf_reset(into);
            an_buf_append(into, trim(an_bytes_slice(line, an_bytes_find(line, AN_LIT(":"), 0) + 1, SIZE_MAX)));
        }
    }
    return AN_OK;
}

/* A parameter of a header value: name=token or name="quoted". */
static an_bytes
find_parameter(an_bytes value, const char *name)
{
    size_t at = 0, len = strlen(name);

    while ((at = an_bytes_find(value, AN_LIT(";"), at)) != SIZE_MAX) {
        an_bytes rest = trim(an_bytes_slice(value, ++at, SIZE_MAX));

        if (!starts_with_word(rest, name))
            continue;
        rest = trim(an_bytes_slice(rest, len, SIZE_MAX));
        if (!rest.len || rest.ptr[0] != '=')
            continue;
        rest = trim(an_bytes_slice(rest, 1, SIZE_MAX));
        if (rest.len && rest.ptr[0] == '"') {
            rest = an_bytes_slice(rest, 1, SIZE_MAX);
            return an_bytes_slice(rest, 0, an_bytes_find(rest, AN_LIT("\""), 0));
        }
        return trim(an_bytes_slice(rest, 0, an_bytes_find(rest, AN_LIT(";"), 0)));
    }
    return AN_NONE;
}

static void
part_done(struct an_mime_part *part)
{
    an_buf_free(&part->type);
    an_buf_free(&part->encoding);
}

/* ---- parts ---- */
/* Where the next delimiter line starts, from `from`; ret_after: behind its line end. */
static size_t
find_delimiter(an_bytes body, an_bytes boundary, size_t from, size_t *ret_after, bool *ret_last)
{
    size_t at = from;

    while ((at = an_bytes_find(body, AN_LIT("--"), at)) != SIZE_MAX) {
        an_bytes rest = an_bytes_slice(body, at + 2, SIZE_MAX);
        an_bytes tail;

        if ((at == 0 || body.ptr[at - 1] == '\n') && an_bytes_starts_with(rest, boundary)) {
            tail = an_bytes_slice(rest, boundary.len, SIZE_MAX);
            *ret_last = an_bytes_starts_with(tail, AN_LIT("--"));
            take_line(&tail);
            *ret_after = body.len - tail.len;
            return at;
        }
        at++;
    }
    return SIZE_MAX;
}

/* The n-th part of a multipart body, without the line end that belongs to the delimiter after it. */
static bool
find_part(an_bytes body, an_bytes boundary, size_t n, an_bytes *ret)
{
    size_t start = 0, after = 0, end;
    bool last = false;

    if (!boundary.len || boundary.len > 70 || find_delimiter(body, boundary, 0, &start, &last) == SIZE_MAX || last)
        return false;
    for (;; n--) {
        end = find_delimiter(body, boundary, start, &after, &last);
        if (end == SIZE_MAX)
            return false;
        if (n == 0)
            break;
        if (last)
            return false;
        start = after;
    }
    if (end > start && body.ptr[end - 1] == '\n')
        end--;
    if (end > start && body.ptr[end - 1] == '\r')
        end--;
    *ret = AN_BYTES(body.ptr + start, end - start);
    return true;
}

/* RFC 8551 3.1.1: lines end with CR LF in what is signed, whatever the transport made of them. */
static void
canonicalise(an_bytes text, struct an_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n' && (i == 0 || text.ptr[i - 1] != '\r'))
            an_buf_byte(out, '\r');
        an_buf_byte(out, text.ptr[i]);
    }
}

static an_code
decode_body(const struct an_mime_part *part, an_bytes body, struct an_buf *out, struct an_err *reterr)
{
    an_bytes encoding = an_buf_view(&part->encoding);

    if (starts_with_word(encoding, "base64")) {
        if (!an_base64_decode(out, body))
            AN_FAIL(reterr, AN_E_VERIFY_MIME, "base64 of the signature");
    } else if (!encoding.len || starts_with_word(encoding, "binary") || starts_with_word(encoding, "8bit") ||
               starts_with_word(encoding, "7bit")) {
        an_buf_append(out, body);
    } else {
        AN_FAIL(reterr, AN_E_VERIFY_MIME, "transfer encoding %.*s", AN_FMT(an_bytes_slice(encoding, 0, 40)));
    }
    if (!an_buf_ok(out))
        AN_FAIL(reterr, AN_E_LIMIT, "signature of the mail");
    return AN_OK;
}

static bool
is_signature(const struct an_mime_part *part)
{
    an_bytes type = an_buf_view(&part->type);

    return starts_with_word(type, "application/pkcs7-signature") ||
           starts_with_word(type, "application/x-pkcs7-signature");
}

static bool
is_enveloping(const struct an_mime_part *part)
{
    an_bytes type = an_buf_view(&part->type);

    return starts_with_word(type, "application/pkcs7-mime") || starts_with_word(type, "application/x-pkcs7-mime");
}

/* multipart/signed: the first part as it stands is the content, the second the signature (RFC 1847). */
static an_code
read_signed(an_bytes body, an_bytes boundary, struct an_buf *content, struct an_buf *cms, struct an_err *reterr)
{
    struct an_mime_part part = AN_MIME_PART_NONE;
    an_bytes signed_part, signature;
    an_code code;

    if (!find_part(body, boundary, 0, &signed_part) || !find_part(body, boundary, 1, &signature))
        AN_FAIL(reterr, AN_E_VERIFY_MIME, "multipart/signed without two parts");
    code = take_headers(&signature, &part, reterr);
    if (code == AN_OK && !is_signature(&part))
        code = an_err_set(reterr, AN_E_VERIFY_MIME, "the second part is not a PKCS #7 signature");
    if (code == AN_OK)
        code = decode_body(&part, signature, cms, reterr);
    part_done(&part);
    AN_TRY(code);
    canonicalise(signed_part, content);
    if (!an_buf_ok(content))
        AN_FAIL(reterr, AN_E_LIMIT, "content of the mail");
    return AN_OK;
}

/* Looks for the signature in one entity and what is inside it. */
static an_code
read_entity(an_bytes text, unsigned depth, struct an_buf *content, struct an_buf *cms, struct an_err *reterr)
{
    struct an_mime_part part = AN_MIME_PART_NONE;
    an_bytes type, boundary, inner;
    an_code code;

    if (depth > AN_LIMIT_MIME_DEPTH)
        AN_FAIL(reterr, AN_E_LIMIT, "mail nested deeper than %d", AN_LIMIT_MIME_DEPTH);
    code = take_headers(&text, &part, reterr);
    if (code != AN_OK) {
        part_done(&part);
        return code;
    }
    type = an_buf_view(&part.type);
    boundary = find_parameter(type, "boundary");
    if (starts_with_word(type, "multipart/signed")) {
        code = read_signed(text, boundary, content, cms, reterr);
    } else if (is_enveloping(&part) || (depth == 0 && is_signature(&part))) {
        code = decode_body(&part, text, cms, reterr);
    } else if (starts_with_word(type, "message/rfc822")) {
        code = read_entity(text, depth + 1, content, cms, reterr);
    } else {
        code = an_err_set(reterr, AN_E_VERIFY_UNSIGNED, "mail without a signature");
        for (size_t n = 0; starts_with_word(type, "multipart/") && code == AN_E_VERIFY_UNSIGNED && n < 64 &&
                           find_part(text, boundary, n, &inner);
             n++)
            code = read_entity(inner, depth + 1, content, cms, reterr);
    }
    part_done(&part);
    return code;
}

an_code
an_mime_read(an_bytes mail, struct an_buf *content, struct an_buf *cms, struct an_err *reterr)
{
    if (mail.len > AN_LIMIT_MIME_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "mail of %zu bytes", mail.len);
    return read_entity(mail, 0, content, cms, reterr);
}

/* Header lines first, and a Content-Type among them. */
bool
an_mime_detect(an_bytes head)
{
    bool has_type = false;
    size_t lines = 0;

    while (head.len && lines++ < AN_LIMIT_MIME_HEADERS) {
        an_bytes line = take_line(&head);
        size_t colon = an_bytes_find(line, AN_LIT(":"), 0);

        if (!line.len)
            return has_type;
        if (line.ptr[0] == ' ' || line.ptr[0] == '\t' || starts_with_word(line, "From "))
            continue;
        if (colon == SIZE_MAX || colon == 0 || an_bytes_find(an_bytes_slice(line, 0, colon), AN_LIT(" "),
                                                             0) != SIZE_MAX)
            return false;
        has_type = has_type || starts_with_word(line, "content-type:");
    }
    return has_type;
}

an_code
an_mime_verify(struct an_job *job, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf content = an_buf_new(2 * AN_LIMIT_MIME_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf cms = an_buf_new(AN_LIMIT_MIME_BYTES);

    AN_TRY(an_mime_read(job->file->bytes, &content, &cms, reterr));
    if (!cms.len)
        AN_FAIL(reterr, AN_E_VERIFY_MIME, "empty signature");
    return an_cms_verify_object(job, an_buf_view(&cms), an_buf_view(&content), "CMS", reterr);
}
