/* A small writer: names are ours, texts are strangers' and are escaped; what XML cannot carry becomes U+FFFD. */
#include "report/internal.h"

#include "base/buf.h"
#include "base/utf8.h"

static bool
is_allowed(uint32_t c)
{
    return c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
           (c >= 0x10000 && c <= 0x10FFFF);
}

static void
write_escaped(struct an_buf *out, const char *text)
{
    an_bytes bytes = an_bytes_of_str(text);
    size_t at = 0;

    while (at < bytes.len) {
        uint32_t c = an_utf8_next(bytes, &at);

        switch (c) {
        case '&':
            an_buf_str(out, "&amp;");
            break;
        case '<':
            an_buf_str(out, "&lt;");
            break;
        case '>':
            an_buf_str(out, "&gt;");
            break;
        case '"':
            an_buf_str(out, "&quot;");
            break;
        case '\r':
        case '\n':
        case '\t':
            an_buf_printf(out, "&#%u;", c);
            break;
        default:
            an_utf8_append(out, is_allowed(c) ? c : 0xFFFD);
        }
    }
}

static void
indent(struct xml *xml)
{
    an_buf_byte(xml->out, '\n');
    for (size_t i = 0; i < xml->depth; i++)
        an_buf_str(xml->out, "  ");
}

static void
write_tag(struct xml *xml, const char *name, const char *attribute, const char *value, const char *end)
{
    indent(xml);
    an_buf_printf(xml->out, "<%s", name);
    if (attribute) {
        an_buf_printf(xml->out, " %s=\"", attribute);
        write_escaped(xml->out, value);
        an_buf_byte(xml->out, '"');
    }
    an_buf_str(xml->out, end);
}

void
xml_start(struct xml *xml, struct an_buf *out)
{
    *xml = (struct xml){.out = out};
    an_buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
}

void
xml_open(struct xml *xml, const char *name, const char *attribute, const char *value)
{
    AN_ASSERT(xml->depth < XML_DEPTH_MAX);
    write_tag(xml, name, attribute, value, ">");
    xml->open[xml->depth++] = name;
}

void
xml_close(struct xml *xml)
{
    AN_ASSERT(xml->depth > 0);
    xml->depth--;
    indent(xml);
    an_buf_printf(xml->out, "</%s>", xml->open[xml->depth]);
    if (!xml->depth)
        an_buf_byte(xml->out, '\n');
}

void
xml_empty(struct xml *xml, const char *name, const char *attribute, const char *value)
{
    write_tag(xml, name, attribute, value, "/>");
}

void
xml_text(struct xml *xml, const char *name, const char *text)
{
    write_tag(xml, name, NULL, NULL, ">");
    write_escaped(xml->out, text);
    an_buf_printf(xml->out, "</%s>", name);
}

void
xml_base64(struct xml *xml, const char *name, an_bytes bytes)
{
    write_tag(xml, name, NULL, NULL, ">");
    an_base64_encode(xml->out, bytes);
    an_buf_printf(xml->out, "</%s>", name);
}
