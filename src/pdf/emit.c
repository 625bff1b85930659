/* Writing values: numbers, names, strings, whole trees (ISO 32000-2, 7.3). Home of zlib on the writing side. */
#include "pdf/append.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <zlib.h>

static const int64_t power_of_ten[] = {1,      10,      100,      1000,      10000,
                                       100000, 1000000, 10000000, 100000000, 1000000000};

void
an_pdf_emit_number(struct an_buf *out, double value, int decimals)
{
    char digits[24];
    double magnitude = fabs(value);
    int64_t scaled, whole, fraction;

    AN_ASSERT(decimals >= 0 && decimals < (int)AN_COUNT(power_of_ten));
    if (!(magnitude < 9e9)) { /* also not-a-number; nothing on a page is that large */
        an_buf_str(out, value > 0 ? "9000000000" : "-9000000000");
        return;
    }
    scaled = llround(magnitude * (double)power_of_ten[decimals]);
    whole = scaled / power_of_ten[decimals];
    fraction = scaled % power_of_ten[decimals];
    if (value < 0 && scaled != 0)
        an_buf_byte(out, '-');
    if (whole != 0 || fraction == 0)
        an_buf_printf(out, "%lld", (long long)whole);
    if (fraction == 0)
        return;
    snprintf(digits, sizeof digits, "%0*lld", decimals, (long long)fraction);
    for (size_t n = strlen(digits); n > 0 && digits[n - 1] == '0'; n--)
        digits[n - 1] = 0;
    an_buf_byte(out, '.');
    an_buf_str(out, digits);
}

static bool
is_regular(uint8_t c)
{
    return c > 0x20 && c < 0x7F && !strchr("()<>[]{}/%#", c);
}

void
an_pdf_emit_name(struct an_buf *out, an_bytes name)
{
    an_buf_byte(out, '/');
    for (size_t i = 0; i < name.len; i++) {
        if (is_regular(name.ptr[i]))
            an_buf_byte(out, name.ptr[i]);
        else
            an_buf_printf(out, "#%02X", name.ptr[i]);
    }
}

void
an_pdf_emit_ref(struct an_buf *out, uint32_t num, uint16_t gen)
{
    an_buf_printf(out, "%u %u R", num, (unsigned)gen);
}

static void
emit_literal(struct an_buf *out, an_bytes bytes)
{
    an_buf_byte(out, '(');
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.ptr[i];

        if (c == '\r') { /* a reader would make a line feed of it */
            an_buf_str(out, "\\r");
            continue;
        }
        if (c == '(' || c == ')' || c == '\\')
            an_buf_byte(out, '\\');
        an_buf_byte(out, c);
    }
    an_buf_byte(out, ')');
}

static void
emit_hex(struct an_buf *out, an_bytes bytes)
{
    an_buf_byte(out, '<');
    an_buf_hex(out, bytes);
    an_buf_byte(out, '>');
}

/* Literal where that is shorter than hexadecimal and safe in transit, hexadecimal otherwise. */
static void
emit_plain(struct an_buf *out, an_bytes bytes)
{
    size_t odd = 0;

    for (size_t i = 0; i < bytes.len; i++)
        odd += bytes.ptr[i] < 0x20 || bytes.ptr[i] > 0x7E;
    if (odd > 0)
        emit_hex(out, bytes);
    else
        emit_literal(out, bytes);
}

void
an_pdf_emit_string(struct an_pdf_append *append, an_bytes bytes)
{
    AN_CLEANUP(an_buf_free) struct an_buf cipher = an_buf_new(AN_BUF_UNLIMITED);

    if (!append->encrypts || append->quiet) {
        emit_plain(append->out, bytes);
        return;
    }
    if (append->failed == AN_OK)
        append->failed = an_pdf_crypt_string(append->pdf, append->num, append->gen, bytes, &cipher, &append->err);
    emit_hex(append->out, an_buf_view(&cipher));
}

bool
an_pdf_emit_text(struct an_pdf_append *append, an_bytes utf8)
{
    AN_CLEANUP(an_buf_free) struct an_buf wide = an_buf_new(AN_BUF_UNLIMITED);
    bool ascii = true;

    for (size_t i = 0; i < utf8.len; i++)
        ascii = ascii && utf8.ptr[i] < 0x7F && (utf8.ptr[i] >= 0x20 || utf8.ptr[i] == '\n');
    if (ascii) {
        an_pdf_emit_string(append, utf8);
        return true;
    }
    an_buf_append(&wide, AN_LIT("\xFE\xFF"));
    if (!an_utf16be_of_utf8(&wide, utf8))
        return false;
    an_pdf_emit_string(append, an_buf_view(&wide));
    return true;
}

/* Vietnam's zone, as the regulations show time. */
void
an_pdf_emit_date(struct an_pdf_append *append, an_time time)
{
    struct an_date date = an_date_of(time, 420);
    char text[48];

    snprintf(text, sizeof text, "D:%04d%02d%02d%02d%02d%02d+07'00'", date.year, date.month, date.day, date.hour,
             date.minute, date.second);
    an_pdf_emit_string(append, an_bytes_of_str(text));
}

/* A signature's /Contents is never encrypted, not even when its dictionary is copied. */
static bool
is_clear(const struct an_pdf_obj *dict, an_bytes key)
{
    return an_bytes_eq_str(key, "Contents") && an_pdf_dict_find(dict, "ByteRange");
}

static void
emit_entry(struct an_pdf_append *append, const struct an_pdf_obj *dict, const struct an_pdf_entry *entry)
{
    bool quiet = append->quiet;

    an_pdf_emit_name(append->out, entry->key);
    if (entry->value.kind != AN_PDF_NAME && entry->value.kind != AN_PDF_STRING && entry->value.kind != AN_PDF_ARRAY &&
        entry->value.kind != AN_PDF_DICT)
        an_buf_byte(append->out, ' ');
    append->quiet = quiet || is_clear(dict, entry->key);
    an_pdf_emit_value(append, &entry->value);
    append->quiet = quiet;
}

static bool
is_listed(const char *const *list, an_bytes key)
{
    for (; list && *list; list++)
        if (an_bytes_eq_str(key, *list))
            return true;
    return false;
}

void
an_pdf_emit_entries(struct an_pdf_append *append, const struct an_pdf_obj *dict, const char *const *except)
{
    if (!dict || (dict->kind != AN_PDF_DICT && dict->kind != AN_PDF_STREAM))
        return;
    for (size_t i = 0; i < dict->u.dict.count; i++)
        if (!is_listed(except, dict->u.dict.entries[i].key))
            emit_entry(append, dict, &dict->u.dict.entries[i]);
}

void
an_pdf_emit_items(struct an_pdf_append *append, const struct an_pdf_obj *array)
{
    if (!array || array->kind != AN_PDF_ARRAY)
        return;
    for (size_t i = 0; i < array->u.array.count; i++) {
        if (i > 0)
            an_buf_byte(append->out, ' ');
        an_pdf_emit_value(append, &array->u.array.items[i]);
    }
}

void
an_pdf_emit_value(struct an_pdf_append *append, const struct an_pdf_obj *obj)
{
    switch (obj->kind) {
    case AN_PDF_BOOL: an_buf_str(append->out, obj->u.boolean ? "true" : "false"); break;
    case AN_PDF_INT: an_buf_printf(append->out, "%lld", (long long)obj->u.integer); break;
    case AN_PDF_REAL: an_pdf_emit_number(append->out, obj->u.real, 9); break;
    case AN_PDF_NAME: an_pdf_emit_name(append->out, obj->u.text); break;
    case AN_PDF_STRING: an_pdf_emit_string(append, obj->u.text); break;
    case AN_PDF_REF: an_pdf_emit_ref(append->out, obj->u.ref.num, obj->u.ref.gen); break;
    case AN_PDF_ARRAY:
        an_buf_byte(append->out, '[');
        an_pdf_emit_items(append, obj);
        an_buf_byte(append->out, ']');
        break;
    case AN_PDF_DICT:
        an_buf_str(append->out, "<<");
        an_pdf_emit_entries(append, obj, NULL);
        an_buf_str(append->out, ">>");
        break;
    default: an_buf_str(append->out, "null"); break; /* a stream is never a direct value */
    }
}

bool
an_pdf_deflate(struct an_buf *out, an_bytes data, int level)
{
    uLong bound = compressBound((uLong)data.len);
    size_t before = out->len;
    uint8_t *room = an_buf_extend(out, bound);
    uLongf len = bound;

    if (!room || compress2(room, &len, data.ptr, (uLong)data.len, level) != Z_OK)
        return false;
    out->len = before + len;
    return true;
}
