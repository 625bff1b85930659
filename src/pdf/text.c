#include "base/utf8.h"
#include "pdf/internal.h"

/* PDFDocEncoding (ISO 32000-2, D.3) where it differs from Latin-1; 0 = not defined. */
static const uint16_t doc_encoding_18[8] = {0x02d8, 0x02c7, 0x02c6, 0x02d9, 0x02dd, 0x02db, 0x02da, 0x02dc};
static const uint16_t doc_encoding_80[33] = {
    0x2022, 0x2020, 0x2021, 0x2026, 0x2014, 0x2013, 0x0192, 0x2044, 0x2039, 0x203a, 0x2212,
    0x2030, 0x201e, 0x201c, 0x201d, 0x2018, 0x2019, 0x201a, 0x2122, 0xfb01, 0xfb02, 0x0141,
    0x0152, 0x0160, 0x0178, 0x017d, 0x0131, 0x0142, 0x0153, 0x0161, 0x017e, 0x0000, 0x20ac,
};

static uint32_t
doc_encoding(uint8_t byte)
{
    if (byte >= 0x18 && byte <= 0x1f)
        return doc_encoding_18[byte - 0x18];
    if (byte >= 0x80 && byte <= 0xa0)
        return doc_encoding_80[byte - 0x80];
    return byte == 0x7f || byte == 0xad ? 0 : byte;
}

static void
append_utf16(struct an_buf *out, an_bytes text, bool is_little)
{
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        uint32_t unit =
            is_little ? (uint32_t)(text.ptr[i] | text.ptr[i + 1] << 8) : (uint32_t)(text.ptr[i] << 8 | text.ptr[i + 1]);

        if (unit == 0x1b) { /* language escape: to the next one */
            for (i += 2; i + 1 < text.len && (text.ptr[i] | text.ptr[i + 1]) != 0x1b; i += 2)
                ;
            continue;
        }
        if (unit >= 0xd800 && unit < 0xdc00 && i + 3 < text.len) {
            uint32_t low = is_little ? (uint32_t)(text.ptr[i + 2] | text.ptr[i + 3] << 8)
                                     : (uint32_t)(text.ptr[i + 2] << 8 | text.ptr[i + 3]);

            if (low >= 0xdc00 && low < 0xe000) {
                unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        an_utf8_append(out, unit >= 0xd800 && unit < 0xe000 ? 0xfffd : unit);
    }
}

bool
an_pdf_text_of(const struct an_pdf_obj *string, struct an_buf *out)
{
    an_bytes text;

    if (string == NULL || string->kind != AN_PDF_STRING)
        return false;
    text = string->u.text;
    if (text.len >= 2 && text.ptr[0] == 0xfe && text.ptr[1] == 0xff) {
        append_utf16(out, an_bytes_slice(text, 2, SIZE_MAX), false);
    } else if (text.len >= 2 && text.ptr[0] == 0xff && text.ptr[1] == 0xfe) {
        append_utf16(out, an_bytes_slice(text, 2, SIZE_MAX), true); /* not in the standard, but written by some */
    } else if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0 &&
               an_utf8_is_valid(an_bytes_slice(text, 3, SIZE_MAX))) {
        an_buf_append(out, an_bytes_slice(text, 3, SIZE_MAX));
    } else {
        for (size_t i = 0; i < text.len; i++) {
            uint32_t code = doc_encoding(text.ptr[i]);

            an_utf8_append(out, code ? code : 0xfffd);
        }
    }
    return an_buf_ok(out);
}
