/* Unicode text: valid UTF-8 only, NFC at the border, and folding for search. Home of utf8proc. */
#pragma once

#include "base/buf.h"

bool an_utf8_is_valid(an_bytes text);
/* One code point at *at, which moves past it; UINT32_MAX on malformed input (and *at moves by one). */
uint32_t an_utf8_next(an_bytes text, size_t *at);
void an_utf8_append(struct an_buf *out, uint32_t code_point);
/* Does it not show, or move what does: controls, formats, line ends, fillers, what Unicode gives to nobody, the fifth
 * mark on one letter? marks: 0 before the first of a text. */
bool an_utf8_is_hidden(uint32_t code_point, unsigned *marks);
/* Latin letters beside letters that pass for them (Greek, Cyrillic, full width …): a name that reads like another. */
bool an_utf8_is_mixed(an_bytes text);
/* For people's eyes: what is hidden, and malformed octets, become "?". Texts of strangers must not write lines or colours of their own on a terminal. In place. */
void an_utf8_make_visible(char *text);
/* Is all of it as people see it: valid, and nothing that an_utf8_make_visible would change? */
bool an_utf8_is_visible(an_bytes text);
/* NFC of valid UTF-8; false when the input is not valid or out is full. */
bool an_utf8_nfc(struct an_buf *out, an_bytes text);
/* For search: lower case, without diacritics, đ as d, runs of white space as one space, NFC or NFD alike. */
bool an_utf8_fold(struct an_buf *out, an_bytes text);
/* For comparing names (RFC 4518): compatibility forms and case folded, diacritics kept, white space trimmed and runs of
 * it made one space, invisible characters dropped. */
bool an_utf8_fold_name(struct an_buf *out, an_bytes text);
/* UTF-16BE to UTF-8 and back (PDF text strings, BMPString); false on lone surrogates or an odd length. */
bool an_utf8_of_utf16be(struct an_buf *out, an_bytes utf16);
bool an_utf16be_of_utf8(struct an_buf *out, an_bytes text);
