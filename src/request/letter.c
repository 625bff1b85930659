/* A letter as a mail server wants it: RFC 5322, MIME (RFC 2045, 2047), every line short, every octet ASCII. */
#include "request/notice.h"

#include "base/limits.h"
#include "crypto/crypto.h"

#include <stdio.h>

#define WORD_BYTES 42 /* of text in one encoded word: 56 of base64, under the 75 of RFC 2047 */
#define LINE_BYTES 57 /* of content in one line of base64: 76 */

static bool
is_plain(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c < ' ' || *c >= 0x7F)
            return false;
    return strchr(text, '"') == NULL && strchr(text, '\\') == NULL && strstr(text, "=?") == NULL && strlen(text) < 60;
}

/* Cuts never fall into a character: an encoded word is text by itself. Rather than into a word they fall behind a
 * space, since not every program that reads letters joins the parts without one. */
static size_t
word_length(an_bytes rest)
{
    size_t len = rest.len < WORD_BYTES ? rest.len : WORD_BYTES, space = len;

    if (len == rest.len)
        return len;
    while (len > 1 && (rest.ptr[len] & 0xC0) == 0x80)
        len--;
    while (space > 1 && rest.ptr[space - 1] != ' ')
        space--;
    return space > 1 ? space : len;
}

static void
write_words(struct an_buf *out, const char *text)
{
    an_bytes rest = an_bytes_of_str(text);

    if (is_plain(text)) {
        an_buf_str(out, text);
        return;
    }
    for (bool first = true; rest.len > 0; first = false) {
        size_t len = word_length(rest);
        an_buf_str(out, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        an_base64_encode(out, an_bytes_slice(rest, 0, len));
        an_buf_str(out, "?=");
        rest = an_bytes_slice(rest, len, SIZE_MAX);
    }
}

static void
write_mailbox(struct an_buf *out, const char *field, const char *name, const char *address)
{
    an_buf_printf(out, "%s: ", field);
    if (name != NULL && name[0] != '\0') {
        bool plain = is_plain(name);
        an_buf_str(out, plain ? "\"" : "");
        write_words(out, name);
        an_buf_str(out, plain ? "\"\r\n " : "\r\n ");
    }
    an_buf_printf(out, "<%s>\r\n", address);
}

static void
write_base64(struct an_buf *out, an_bytes content)
{
    for (size_t at = 0; at < content.len; at += LINE_BYTES) {
        an_base64_encode(out, an_bytes_slice(content, at, LINE_BYTES));
        an_buf_str(out, "\r\n");
    }
}

static void
write_date(struct an_buf *out, an_time at)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
                                         "Dec"};
    struct an_date date = an_date_of(at, 7 * 60);
    int64_t day = (at + 7 * 3600) / 86400;

    an_buf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0700\r\n", days[((day % 7) + 7) % 7], date.day,
                  months[date.month - 1], date.year,
                  date.hour, date.minute, date.second);
}

static void
write_text_part(struct an_buf *out, const char *body)
{
    an_buf_str(out, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    write_base64(out, an_bytes_of_str(body));
}

/* Made of the letter's own content, so that the same letter is the same octets at every try. */
static void
make_boundary(const struct an_letter *letter, char ret[static 48])
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(64);
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, an_bytes_of_str(letter->message_id), digest);
    an_buf_hex(&hex, AN_BYTES(digest, 12));
    snprintf(ret, 48, "antin-%.*s", AN_FMT(an_buf_view(&hex)));
}

static void
write_parts(struct an_buf *out, const struct an_letter_form *form)
{
    char boundary[48];

    make_boundary(form->letter, boundary);
    an_buf_printf(out, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n", boundary, boundary);
    write_text_part(out, form->letter->body);
    an_buf_printf(out, "--%s\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
                       "Content-Disposition: attachment; filename=\"%s\"\r\n\r\n", boundary, form->attachment_name);
    write_base64(out, form->attachment);
    an_buf_printf(out, "--%s--\r\n", boundary);
}

/* One mailbox, as RFC 5321 has them without SMTPUTF8: nothing that ends a line, a header's address or a list of
 * them. */
static bool
is_address(const char *text)
{
    const char *at = strchr(text, '@');

    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7F || strchr("<>()[]\\,;:\"", *c) != NULL)
            return false;
    return at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL;
}

an_code
an_letter_write(const struct an_letter_form *form, struct an_buf *ret, struct an_err *reterr)
{
    const struct an_letter *letter = form->letter;

    if (!is_address(letter->address) || !is_address(form->from) || strpbrk(letter->message_id, "\r\n") != NULL)
        AN_FAIL(reterr, AN_E_MAIL_ADDRESS, "%.80s", letter->address);
    an_buf_reset(ret);
    write_date(ret, letter->created_at);
    write_mailbox(ret, "From", form->from_name, form->from);
    write_mailbox(ret, "To", letter->name, letter->address);
    an_buf_str(ret, "Subject: ");
    write_words(ret, letter->subject);
    an_buf_printf(ret, "\r\nMessage-ID: %s\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
                  letter->message_id);
    if (form->attachment.len > 0)
        write_parts(ret, form);
    else
        write_text_part(ret, letter->body);
    if (!an_buf_ok(ret))
        AN_FAIL(reterr, AN_E_LIMIT, "letter %lld", (long long)letter->id);
    return AN_OK;
}
