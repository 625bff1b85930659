/* Whether page content closes what it opens: just enough of the operators' grammar (ISO 32000-2, 7.8.2) for that. */
#include "pdf/append.h"

static bool
is_regular(an_bytes in, size_t at)
{
    return at < in.len && !(an_pdf_class[in.ptr[at]] & (AN_PDF_SPACE | AN_PDF_DELIMITER));
}

/* at stands after '('; returns the place after the ')' that closes it. */
static size_t
skip_literal(an_bytes in, size_t at)
{
    for (unsigned depth = 1; at < in.len && depth > 0; at++) {
        if (in.ptr[at] == '\\')
            at++;
        else if (in.ptr[at] == '(')
            depth++;
        else if (in.ptr[at] == ')')
            depth--;
    }
    return at < in.len ? at : in.len;
}

/* Data of an inline image, up to the "EI" that stands alone. */
static size_t
skip_image(an_bytes in, size_t at)
{
    while ((at = an_bytes_find(in, AN_LIT("EI"), at)) != SIZE_MAX) {
        if (at > 0 && (an_pdf_class[in.ptr[at - 1]] & AN_PDF_SPACE) && !is_regular(in, at + 2))
            return at + 2;
        at += 2;
    }
    return in.len;
}

static void
note_operator(struct an_pdf_balance *balance, an_bytes word)
{
    if (an_bytes_eq(word, AN_LIT("q")))
        balance->open++;
    else if (an_bytes_eq(word, AN_LIT("Q")) && balance->open > 0)
        balance->open--;
    else if (an_bytes_eq(word, AN_LIT("Q")))
        balance->excess++;
    else if (an_bytes_eq(word, AN_LIT("BT")))
        balance->in_text = true;
    else if (an_bytes_eq(word, AN_LIT("ET")))
        balance->in_text = false;
}

/* A run of regular characters at `at`. */
static size_t
read_word(an_bytes in, size_t at, struct an_pdf_balance *balance)
{
    size_t start = at;
    an_bytes word;

    while (is_regular(in, at))
        at++;
    word = AN_BYTES(in.ptr + start, at - start);
    note_operator(balance, word);
    return an_bytes_eq(word, AN_LIT("ID")) ? skip_image(in, at) : at;
}

void
an_pdf_balance_scan(an_bytes content, struct an_pdf_balance *balance)
{
    size_t at = 0;

    while ((at = an_pdf_skip_space(content, at)) < content.len) {
        uint8_t byte = content.ptr[at];

        if (byte == '(') {
            at = skip_literal(content, at + 1);
        } else if (byte == '/') { /* a name may be called q */
            for (at++; is_regular(content, at); at++)
                ;
        } else if (an_pdf_class[byte] & AN_PDF_DELIMITER) {
            at++; /* a hexadecimal string holds no q, and no word of one letter */
        } else {
            at = read_word(content, at, balance);
        }
    }
}
