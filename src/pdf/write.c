#include "pdf/internal.h"

#include <math.h>
#include <stdio.h>

static void
write_name(struct an_buf *out, an_bytes name)
{
    an_buf_byte(out, '/');
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = name.ptr[i];

        if (byte <= ' ' || byte >= 127 || byte == '#' || (an_pdf_class[byte] & AN_PDF_DELIMITER))
            an_buf_printf(out, "#%02X", byte);
        else
            an_buf_byte(out, byte);
    }
}

static void
write_string(struct an_buf *out, an_bytes text, bool is_hex)
{
    if (is_hex) {
        an_buf_byte(out, '<');
        an_buf_hex(out, text);
        an_buf_byte(out, '>');
        return;
    }
    an_buf_byte(out, '(');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];

        if (byte == '\r')
            an_buf_str(out, "\\r"); /* a bare CR would be read back as a line feed */
        else if (byte == '(' || byte == ')' || byte == '\\')
            an_buf_append(out, AN_BYTES(((uint8_t[]){'\\', byte}), 2));
        else
            an_buf_byte(out, byte);
    }
    an_buf_byte(out, ')');
}

/* Fixed notation (7.3.3 knows no exponents), trailing zeros removed. */
static void
write_real(struct an_buf *out, double value)
{
    char text[400];
    size_t len;

    if (!isfinite(value))
        value = 0;
    snprintf(text, sizeof text, fabs(value) < 1e15 ? "%.10f" : "%.1f", value);
    len = strlen(text);
    while (len > 1 && text[len - 1] == '0')
        len--;
    if (text[len - 1] == '.')
        len--;
    an_buf_append(out, AN_BYTES(text, len));
}

static void write_value(struct an_buf *out, const struct an_pdf_obj *obj);

static void
write_dict(struct an_buf *out, const struct an_pdf_obj *obj)
{
    an_buf_str(out, "<<");
    for (size_t i = 0; i < obj->u.dict.count; i++) {
        const struct an_pdf_entry *entry = &obj->u.dict.entries[i];

        write_name(out, entry->key);
        an_buf_byte(out, ' ');
        write_value(out, &entry->value);
    }
    an_buf_str(out, ">>");
}

static void
write_array(struct an_buf *out, const struct an_pdf_obj *obj)
{
    an_buf_byte(out, '[');
    for (size_t i = 0; i < obj->u.array.count; i++) {
        if (i)
            an_buf_byte(out, ' ');
        write_value(out, &obj->u.array.items[i]);
    }
    an_buf_byte(out, ']');
}

static void
write_value(struct an_buf *out, const struct an_pdf_obj *obj)
{
    switch (obj->kind) {
    case AN_PDF_NULL:
        an_buf_str(out, "null");
        break;
    case AN_PDF_BOOL:
        an_buf_str(out, obj->u.boolean ? "true" : "false");
        break;
    case AN_PDF_INT:
        an_buf_printf(out, "%lld", (long long)obj->u.integer);
        break;
    case AN_PDF_REAL:
        write_real(out, obj->u.real);
        break;
    case AN_PDF_NAME:
        write_name(out, obj->u.text);
        break;
    case AN_PDF_STRING:
        write_string(out, obj->u.text, obj->is_hex);
        break;
    case AN_PDF_ARRAY:
        write_array(out, obj);
        break;
    case AN_PDF_DICT:
    case AN_PDF_STREAM: /* the dictionary; data are the caller's */
        write_dict(out, obj);
        break;
    case AN_PDF_REF:
        an_buf_printf(out, "%u %u R", obj->u.ref.num, obj->u.ref.gen);
        break;
    }
}

void
an_pdf_write(struct an_buf *out, const struct an_pdf_obj *obj)
{
    write_value(out, obj);
}
