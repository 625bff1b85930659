/* Fonts: opening, shaping Vietnamese in composed and decomposed form. Home of FreeType and, with subset.c, HarfBuzz. */
#include "pdf/font.h"
#include "pdf/font_ops.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_TRUETYPE_TABLES_H

#include <ctype.h>
#include <math.h>

struct glyph { uint32_t id; int32_t advance, x_offset, y_offset; };
struct shaped_line { struct glyph *glyphs; size_t count; double size_pt; };
struct an_pdf_shaped {
    struct an_pdf_font *font;
    struct an_pdf_subset *subset;
    struct shaped_line *lines;
    size_t count;
};

static void font_free(struct an_pdf_font **font);
static void shaped_free(struct an_pdf_shaped **shaped);

/* ---- opening ---- */
static int
thousandths(const struct an_pdf_font *font, long units)
{
    return (int)lround((double)units * 1000 / font->units);
}

static void
copy_name(struct an_pdf_font *font, const char *name)
{
    size_t n = 0;

    for (; name && *name && n + 1 < sizeof font->name; name++)
        if (isalnum((unsigned char)*name) || *name == '-')
            font->name[n++] = *name;
    if (n == 0)
        memcpy(font->name, "Font", sizeof("Font"));
}

static void
read_metrics(struct an_pdf_font *font, FT_Face face)
{
    const TT_OS2 *os2 = FT_Get_Sfnt_Table(face, FT_SFNT_OS2);
    const TT_Postscript *post = FT_Get_Sfnt_Table(face, FT_SFNT_POST);

    font->units = face->units_per_EM;
    font->glyph_count = (uint32_t)face->num_glyphs;
    font->ascent = thousandths(font, face->ascender);
    font->descent = thousandths(font, face->descender);
    font->cap_height =
        os2 && os2->version >= 2 && os2->version != 0xFFFF ? thousandths(font, os2->sCapHeight) : font->ascent;
    font->box[0] = thousandths(font, face->bbox.xMin);
    font->box[1] = thousandths(font, face->bbox.yMin);
    font->box[2] = thousandths(font, face->bbox.xMax);
    font->box[3] = thousandths(font, face->bbox.yMax);
    font->italic_angle = post ? (double)post->italicAngle / 65536 : 0;
    font->flags = 4 | (face->face_flags & FT_FACE_FLAG_FIXED_WIDTH ? 1 : 0) |
                  (font->italic_angle < 0 || font->italic_angle > 0 ? 64 : 0);
    copy_name(font, FT_Get_Postscript_Name(face));
}

/* What can be embedded as it is: scalable, complete, not forbidden by its maker, no double numbering of glyphs. */
static an_code
check_face(FT_Face face, const char *path, struct an_err *reterr)
{
    FT_UShort rights = FT_Get_FSType_Flags(face);

    if (!FT_IS_SFNT(face) || !FT_IS_SCALABLE(face) || FT_IS_CID_KEYED(face) || face->num_glyphs <= 0 ||
        face->num_glyphs > 65535 || face->units_per_EM == 0)
        AN_FAIL(reterr, AN_E_PDF_FONT, "%s", path);
    if ((rights & 0x000F) == FT_FSTYPE_RESTRICTED_LICENSE_EMBEDDING ||
        (rights & (FT_FSTYPE_NO_SUBSETTING | FT_FSTYPE_BITMAP_EMBEDDING_ONLY)))
        AN_FAIL(reterr, AN_E_PDF_FONT_LICENCE, "%s: fsType 0x%04x", path, rights);
    return AN_OK;
}

static an_code
examine_face(struct an_pdf_font *font, const char *path, struct an_err *reterr)
{
    FT_Library library;
    FT_Face face;
    an_code code = AN_E_PDF_FONT;

    if (FT_Init_FreeType(&library) != 0)
        an_die_memory();
    if (FT_New_Memory_Face(library, font->file.bytes.ptr, (FT_Long)font->file.bytes.len, 0, &face) == 0) {
        code = check_face(face, path, reterr);
        if (code == AN_OK)
            read_metrics(font, face);
        FT_Done_Face(face);
    } else {
        an_err_set(reterr, code, "%s", path);
    }
    FT_Done_FreeType(library);
    return code;
}

static void
open_shaper(struct an_pdf_font *font)
{
    hb_blob_t *blob = hb_blob_create((const char *)font->file.bytes.ptr, (unsigned)font->file.bytes.len,
                                     HB_MEMORY_MODE_READONLY, NULL, NULL), *cff;

    font->face = hb_face_create(blob, 0);
    hb_face_make_immutable(font->face);
    font->font = hb_font_create(font->face);
    hb_font_make_immutable(font->font);
    cff = hb_face_reference_table(font->face, HB_TAG('C', 'F', 'F', ' '));
    font->is_cff = hb_blob_get_length(cff) > 0;
    hb_blob_destroy(cff);
    hb_blob_destroy(blob);
}

static an_code
font_open(const char *path, struct an_pdf_font **ret, struct an_err *reterr)
{
    struct an_pdf_font *font = AN_NEW(struct an_pdf_font);
    an_code code;

    font->file = AN_FILE_NONE;
    pthread_mutex_init(&font->lock, NULL);
    code = an_file_open(path, AN_LIMIT_FONT_BYTES, &font->file, reterr);
    if (code == AN_OK)
        code = examine_face(font, path, reterr);
    if (code != AN_OK) {
        font_free(&font);
        return code;
    }
    open_shaper(font);
    *ret = font;
    return AN_OK;
}

static void
font_free(struct an_pdf_font **font)
{
    if (!font || !*font)
        return;
    for (size_t i = 0; i < AN_PDF_SUBSETS_KEPT; i++)
        if ((*font)->kept[i])
            an_pdf_subset_drop(*font, &(*font)->kept[i]);
    hb_font_destroy((*font)->font);
    hb_face_destroy((*font)->face);
    an_file_close(&(*font)->file);
    pthread_mutex_destroy(&(*font)->lock);
    free(*font);
    *font = NULL;
}

/* ---- shaping ---- */
static void
free_buffer(hb_buffer_t **buffer)
{
    hb_buffer_destroy(*buffer);
}

/* Ligatures and kerning stay off: official documents are set without them, and copied text stays letter for letter. */
static void
shape_text(struct an_pdf_font *font, an_bytes text, hb_buffer_t *buffer)
{
    static const hb_feature_t features[] = {
        {HB_TAG('l', 'i', 'g', 'a'), 0, HB_FEATURE_GLOBAL_START, HB_FEATURE_GLOBAL_END},
        {HB_TAG('c', 'l', 'i', 'g'), 0, HB_FEATURE_GLOBAL_START, HB_FEATURE_GLOBAL_END},
        {HB_TAG('k', 'e', 'r', 'n'), 0, HB_FEATURE_GLOBAL_START, HB_FEATURE_GLOBAL_END},
    };

    hb_buffer_set_cluster_level(buffer, HB_BUFFER_CLUSTER_LEVEL_MONOTONE_CHARACTERS);
    hb_buffer_add_utf8(buffer, (const char *)text.ptr, (int)text.len, 0, (int)text.len);
    hb_buffer_set_direction(buffer, HB_DIRECTION_LTR);
    hb_buffer_set_script(buffer, HB_SCRIPT_LATIN);
    hb_buffer_set_language(buffer, hb_language_from_string("vi", 2));
    hb_shape(font->font, buffer, features, AN_COUNT(features));
}

static double
font_width(struct an_pdf_font *font, an_bytes utf8, double size_pt)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(4 * AN_LIMIT_LOOK_TEXT);
    AN_CLEANUP(free_buffer) hb_buffer_t *buffer = hb_buffer_create();
    hb_glyph_position_t *positions;
    unsigned count = 0;
    int64_t width = 0;

    if (!an_utf8_nfc(&text, utf8))
        return 0;
    shape_text(font, an_buf_view(&text), buffer);
    positions = hb_buffer_get_glyph_positions(buffer, &count);
    for (unsigned i = 0; i < count; i++)
        width += positions[i].x_advance;
    return (double)width * size_pt / font->units;
}

/* The text of glyph i: from its cluster to the next one; nothing for a second glyph of the same cluster. */
static struct an_pdf_glyph_text
text_of_glyph(const hb_glyph_info_t *infos, unsigned count, unsigned i, an_bytes text)
{
    struct an_pdf_glyph_text found = {.glyph = infos[i].codepoint};
    size_t at = infos[i].cluster, end = text.len;

    if (i > 0 && infos[i - 1].cluster == infos[i].cluster)
        return found;
    for (unsigned k = i + 1; k < count; k++) {
        if (infos[k].cluster != infos[i].cluster) {
            end = infos[k].cluster;
            break;
        }
    }
    while (at < end && found.count < AN_COUNT(found.code_points))
        found.code_points[found.count++] = an_utf8_next(text, &at);
    return found;
}

static void
note_glyph(struct an_pdf_glyph_texts *texts, struct an_pdf_glyph_text text)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (texts->items[i].glyph != text.glyph)
            continue;
        if (texts->items[i].count == 0)
            texts->items[i] = text;
        return;
    }
    *an_pdf_glyph_texts_push(texts) = text;
}

static an_code
fail_glyph(an_bytes text, size_t at, struct an_err *reterr)
{
    uint32_t code_point = an_utf8_next(text, &at);

    return an_err_set(reterr, AN_E_PDF_GLYPH, "U+%04X", code_point);
}

static an_code
shape_line(struct an_pdf_font *font, const struct an_pdf_text_line *line, struct shaped_line *ret,
           struct an_pdf_glyph_texts *texts, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(4 * AN_LIMIT_LOOK_TEXT);
    AN_CLEANUP(free_buffer) hb_buffer_t *buffer = hb_buffer_create();
    const hb_glyph_position_t *positions;
    const hb_glyph_info_t *infos;
    unsigned count = 0;

    if (strlen(line->text) > AN_LIMIT_LOOK_TEXT || !an_utf8_nfc(&text, an_bytes_of_str(line->text)))
        AN_FAIL(reterr, AN_E_PDF_TEXT, "%.60s", line->text);
    shape_text(font, an_buf_view(&text), buffer);
    infos = hb_buffer_get_glyph_infos(buffer, &count);
    positions = hb_buffer_get_glyph_positions(buffer, &count);
    ret->glyphs = an_new_array(count + 1, sizeof *ret->glyphs);
    ret->size_pt = line->size_pt;
    for (unsigned i = 0; i < count; i++) {
        if (infos[i].codepoint == 0)
            return fail_glyph(an_buf_view(&text), infos[i].cluster, reterr);
        ret->glyphs[ret->count++] = (struct glyph){infos[i].codepoint, positions[i].x_advance, positions[i].x_offset,
                                                   positions[i].y_offset};
        note_glyph(texts, text_of_glyph(infos, count, i, an_buf_view(&text)));
    }
    return AN_OK;
}

/* Digits and the signs of dates and times are always in, so that the next time stamp finds the same subset. */
static void
note_usual_glyphs(struct an_pdf_font *font, struct an_pdf_glyph_texts *texts)
{
    static const char usual[] = "0123456789 :-+TZ./";

    for (const char *c = usual; *c; c++) {
        hb_codepoint_t glyph;

        if (hb_font_get_nominal_glyph(font->font, (hb_codepoint_t)(unsigned char)*c, &glyph))
            note_glyph(texts, (struct an_pdf_glyph_text){glyph, 1, {(uint32_t)(unsigned char)*c}});
    }
}

static int
compare_glyphs(const void *a, const void *b)
{
    const struct an_pdf_glyph_text *left = a, *right = b;

    return (left->glyph > right->glyph) - (left->glyph < right->glyph);
}

static an_code
font_shape(struct an_pdf_font *font, const struct an_pdf_text_line *lines, size_t count, bool cid_set,
                  struct an_pdf_shaped **ret, struct an_err *reterr)
{
    AN_CLEANUP(shaped_free) struct an_pdf_shaped *shaped = AN_NEW(struct an_pdf_shaped);
    AN_CLEANUP(an_pdf_glyph_texts_done) struct an_pdf_glyph_texts texts = {0};

    shaped->font = font;
    shaped->lines = an_new_array(count, sizeof *shaped->lines);
    note_usual_glyphs(font, &texts);
    for (size_t i = 0; i < count; i++) {
        shaped->count = i + 1; /* a line that fails half-way is freed with the others */
        AN_TRY(shape_line(font, &lines[i], &shaped->lines[i], &texts, reterr));
    }
    qsort(texts.items, texts.count, sizeof texts.items[0], compare_glyphs);
    AN_TRY(an_pdf_subset_take(font, &texts, cid_set, &shaped->subset, reterr));
    *ret = shaped;
    shaped = NULL;
    return AN_OK;
}

static void
shaped_free(struct an_pdf_shaped **shaped)
{
    if (!shaped || !*shaped)
        return;
    if ((*shaped)->subset)
        an_pdf_subset_drop((*shaped)->font, &(*shaped)->subset);
    for (size_t i = 0; i < (*shaped)->count; i++)
        free((*shaped)->lines[i].glyphs);
    free((*shaped)->lines);
    free(*shaped);
    *shaped = NULL;
}

static const struct an_pdf_bundle *
shaped_bundle(const struct an_pdf_shaped *shaped)
{
    return &shaped->subset->bundle;
}

/* ---- showing ---- */
struct pen { struct an_buf *out; bool is_open; double x, rise; }; /* x: thousandths of an em, as the reader counts */

static void
close_run(struct pen *pen)
{
    if (pen->is_open)
        an_buf_str(pen->out, ">]TJ\n");
    pen->is_open = false;
}

static void
raise_to(struct pen *pen, double rise)
{
    if (rise >= pen->rise && rise <= pen->rise)
        return;
    close_run(pen);
    an_pdf_emit_number(pen->out, rise, 3);
    an_buf_str(pen->out, " Ts\n");
    pen->rise = rise;
}

static void
show_glyph(struct pen *pen, const struct an_pdf_subset *subset, uint32_t glyph, double x)
{
    double shift = pen->x - x; /* positive moves left */

    if (!pen->is_open)
        an_buf_str(pen->out, "[<");
    pen->is_open = true;
    if (fabs(shift) >= 1) {
        an_buf_byte(pen->out, '>');
        an_pdf_emit_number(pen->out, shift, 1);
        an_buf_byte(pen->out, '<');
        pen->x = x;
    }
    an_buf_printf(pen->out, "%04x", subset->new_of_old[glyph]);
    pen->x += subset->widths[subset->new_of_old[glyph]];
}

static void
shaped_show(const struct an_pdf_shaped *shaped, size_t at, struct an_buf *out)
{
    const struct shaped_line *line = &shaped->lines[at];
    double em = 1000.0 / shaped->font->units;
    struct pen pen = {.out = out};
    int64_t x = 0;

    for (size_t i = 0; i < line->count; i++) {
        const struct glyph *glyph = &line->glyphs[i];

        raise_to(&pen, (double)glyph->y_offset * line->size_pt / shaped->font->units);
        show_glyph(&pen, shaped->subset, glyph->id, (double)(x + glyph->x_offset) * em);
        x += glyph->advance;
    }
    raise_to(&pen, 0);
    close_run(&pen);
}

const struct an_pdf_font_ops an_pdf_font_ops = {
    .open = font_open, .free = font_free, .width = font_width, .shape = font_shape,
    .shaped_free = shaped_free, .shaped_bundle = shaped_bundle, .shaped_show = shaped_show,
};
