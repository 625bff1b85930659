/* Small PDF files made by hand for the writing tests, in every style of cross-reference. */
#pragma once

#include "base/buf.h"

enum made_style { MADE_CLASSIC, MADE_STREAM, MADE_OBJECT_STREAM, MADE_HYBRID };

struct made {
    enum made_style style;
    int pages;                 /* 0 = one */
    const char *page_extra;    /* entries of every page: "/Rotate 90" */
    const char *catalog_extra;
    const char *const *objects; /* more objects, from number made_first_extra(pages) on, NULL-ended */
    bool no_final_newline, no_id;
};

static inline uint32_t
made_first_extra(int pages)
{
    return 4 + 2 * (uint32_t)(pages ? pages : 1);
}

static inline void
made_be(struct an_buf *out, uint64_t value, int width)
{
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8)
        an_buf_byte(out, (uint8_t)(value >> shift));
}

/* Object i (from 1) of the file, without head and foot. */
static inline void
made_object(const struct made *made, uint32_t num, struct an_buf *out)
{
    int pages = made->pages ? made->pages : 1;

    if (num == 1) {
        an_buf_printf(out, "<</Type/Catalog/Pages 2 0 R%s>>", made->catalog_extra ? made->catalog_extra : "");
    } else if (num == 2) {
        an_buf_str(out, "<</Type/Pages/Kids[");
        for (int i = 0; i < pages; i++)
            an_buf_printf(out, "%d 0 R ", 4 + 2 * i);
        an_buf_printf(out, "]/Count %d>>", pages);
    } else if (num == 3) {
        an_buf_str(out, "<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>");
    } else if (num >= made_first_extra(pages)) {
        an_buf_str(out, made->objects[num - made_first_extra(pages)]);
    } else if (num % 2 == 0) {
        an_buf_printf(out, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]%s/Resources<</Font<</F 3 0 R>>>>/Contents %u 0 R>>",
                      made->page_extra ? made->page_extra : "", num + 1);
    } else {
        an_buf_str(out, "<</Length 38>>\nstream\nBT /F 24 Tf 72 700 Td (A page.) Tj ET \nendstream");
    }
}

/* In these styles dictionaries other than streams go into object stream `container`. */
static inline bool
made_is_packed(const struct made *made, uint32_t num, const struct an_buf *object)
{
    bool is_stream = an_bytes_find(an_buf_view(object), AN_LIT("endstream"), 0) != SIZE_MAX;

    if (made->style == MADE_HYBRID)
        return num == 3;
    return made->style == MADE_OBJECT_STREAM && !is_stream;
}

static inline void
made_stream_rows(struct an_buf *out, const uint64_t *offsets, const uint32_t *index, uint32_t size, uint32_t container)
{
    struct an_buf rows = an_buf_new(AN_BUF_UNLIMITED);

    for (uint32_t num = 0; num < size; num++) {
        made_be(&rows, num == 0 ? 0 : index[num] ? 2 : 1, 1);
        made_be(&rows, index[num] ? container : offsets[num], 4);
        made_be(&rows, index[num] ? index[num] - 1 : num == 0 ? 65535 : 0, 2);
    }
    an_buf_printf(out, "/Length %zu>>\nstream\n", rows.len);
    an_buf_append(out, an_buf_view(&rows));
    an_buf_str(out, "\nendstream\nendobj\n");
    an_buf_free(&rows);
}

static inline void
made_file(const struct made *made, struct an_buf *out)
{
    static const char id[] = "/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]";
    uint32_t last = made_first_extra(made->pages) - 1, container, xref, size;
    struct an_buf packed = an_buf_new(AN_BUF_UNLIMITED), head = an_buf_new(AN_BUF_UNLIMITED);
    uint32_t packed_count = 0, *index;
    uint64_t *offsets, at, hidden = 0;
    const char *ids = made->no_id ? "" : id;

    for (size_t i = 0; made->objects && made->objects[i]; i++)
        last++;
    container = last + 1;
    xref = last + 2;
    size = last + 3;
    index = an_new_array(size, sizeof *index);
    offsets = an_new_array(size, sizeof *offsets);
    an_buf_str(out, "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n");
    for (uint32_t num = 1; num <= last; num++) {
        struct an_buf object = an_buf_new(AN_BUF_UNLIMITED);

        made_object(made, num, &object);
        if (made_is_packed(made, num, &object)) {
            an_buf_printf(&head, "%u %zu ", num, packed.len);
            an_buf_append(&packed, an_buf_view(&object));
            an_buf_byte(&packed, ' ');
            index[num] = ++packed_count;
        } else {
            offsets[num] = out->len;
            an_buf_printf(out, "%u 0 obj\n", num);
            an_buf_append(out, an_buf_view(&object));
            an_buf_str(out, "\nendobj\n");
        }
        an_buf_free(&object);
    }
    if (packed_count) {
        offsets[container] = out->len;
        an_buf_printf(out, "%u 0 obj\n<</Type/ObjStm/N %u/First %zu/Length %zu>>\nstream\n", container, packed_count,
                      head.len, head.len + packed.len);
        an_buf_append(out, an_buf_view(&head));
        an_buf_append(out, an_buf_view(&packed));
        an_buf_str(out, "\nendstream\nendobj\n");
    } else {
        offsets[container] = out->len;
        an_buf_printf(out, "%u 0 obj\nnull\nendobj\n", container);
    }
    at = out->len;
    if (made->style != MADE_CLASSIC) {
        hidden = offsets[xref] = out->len;
        an_buf_printf(out, "%u 0 obj\n<</Type/XRef/Size %u/W[1 4 2]/Root 1 0 R%s", xref, size, ids);
        made_stream_rows(out, offsets, index, size, container);
    }
    if (made->style == MADE_CLASSIC || made->style == MADE_HYBRID) {
        if (made->style == MADE_CLASSIC)
            size = xref;
        at = out->len;
        an_buf_printf(out, "xref\n0 %u\n0000000000 65535 f \n", size);
        for (uint32_t num = 1; num < size; num++)
            an_buf_printf(out, "%010llu %05d %c \n", (unsigned long long)offsets[num], 0, index[num] ? 'f' : 'n');
        an_buf_printf(out, "trailer\n<</Size %u/Root 1 0 R%s", size, ids);
        if (made->style == MADE_HYBRID)
            an_buf_printf(out, "/XRefStm %llu", (unsigned long long)hidden);
        an_buf_str(out, ">>\n");
    }
    an_buf_printf(out, "startxref\n%llu\n%%%%EOF%s", (unsigned long long)at, made->no_final_newline ? "" : "\n");
    an_buf_free(&packed);
    an_buf_free(&head);
    free(index);
    free(offsets);
}
