/* The embedded font: a subset with its widths and its map back to text (ISO 32000-2, 9.7, 9.8, 9.10). */
#include "pdf/font.h"

#include <math.h>
#include <stdio.h>

enum { PART_PROGRAM = 0, PART_MAP, PART_DESCRIPTOR, PART_DESCENDANT }; /* CIDSet comes before the descriptor */

/* ---- subsetting ---- */
static hb_subset_input_t *
subset_input(const struct an_pdf_glyph_texts *texts)
{
    static const hb_tag_t dropped[] = {
        HB_TAG('G', 'S', 'U', 'B'), HB_TAG('G', 'P', 'O', 'S'), HB_TAG('G', 'D', 'E', 'F'), HB_TAG('k', 'e', 'r', 'n'),
        HB_TAG('n', 'a', 'm', 'e'), HB_TAG('O', 'S', '/', '2'), HB_TAG('p', 'o', 's', 't'), HB_TAG('c', 'm', 'a', 'p'),
        HB_TAG('g', 'a', 's', 'p'), HB_TAG('F', 'F', 'T', 'M'), HB_TAG('m', 'e', 't', 'a'), HB_TAG('D', 'S', 'I', 'G'),
        HB_TAG('f', 'v', 'a', 'r'), HB_TAG('g', 'v', 'a', 'r'), HB_TAG('a', 'v', 'a', 'r'), HB_TAG('S', 'T', 'A', 'T'),
        HB_TAG('H', 'V', 'A', 'R'), HB_TAG('M', 'V', 'A', 'R'), HB_TAG('v', 'h', 'e', 'a'), HB_TAG('v', 'm', 't', 'x'),
        HB_TAG('h', 'd', 'm', 'x'), HB_TAG('V', 'D', 'M', 'X'), HB_TAG('L', 'T', 'S', 'H'), HB_TAG('P', 'C', 'L', 'T'),
    };
    hb_subset_input_t *input = hb_subset_input_create_or_fail();
    hb_set_t *set;

    if (!input)
        an_die_memory();
    hb_subset_input_set_flags(input, HB_SUBSET_FLAGS_NO_HINTING | HB_SUBSET_FLAGS_DESUBROUTINIZE |
                                         HB_SUBSET_FLAGS_NOTDEF_OUTLINE);
    set = hb_subset_input_set(input, HB_SUBSET_SETS_DROP_TABLE_TAG);
    for (size_t i = 0; i < AN_COUNT(dropped); i++)
        hb_set_add(set, dropped[i]);
    set = hb_subset_input_glyph_set(input);
    for (size_t i = 0; i < texts->count; i++)
        hb_set_add(set, texts->items[i].glyph);
    return input;
}

/* Numbers and advance widths of the glyphs in the new font, parts of composites included. */
static void
map_glyphs(const struct an_pdf_font *font, const hb_subset_plan_t *plan, struct an_pdf_subset *subset)
{
    const hb_map_t *old_of_new = hb_subset_plan_new_to_old_glyph_mapping(plan);

    subset->new_of_old = an_new_array(font->glyph_count, sizeof *subset->new_of_old);
    subset->widths = an_new_array(subset->glyph_count + 1, sizeof *subset->widths);
    for (uint32_t at = 0; at < subset->glyph_count; at++) {
        hb_codepoint_t old = hb_map_get(old_of_new, at);

        if (old >= font->glyph_count)
            continue;
        subset->new_of_old[old] = (uint16_t)at;
        subset->widths[at] = round(hb_font_get_glyph_h_advance(font->font, old) * 10000.0 / font->units) / 10;
    }
}

static void
copy_program(const struct an_pdf_font *font, hb_face_t *face, struct an_buf *out)
{
    hb_blob_t *blob =
        font->is_cff ? hb_face_reference_table(face, HB_TAG('C', 'F', 'F', ' ')) : hb_face_reference_blob(face);
    unsigned len = 0;
    const char *data = hb_blob_get_data(blob, &len);

    an_buf_append(out, AN_BYTES(data, len));
    hb_blob_destroy(blob);
}

static an_code
make_program(const struct an_pdf_font *font, const struct an_pdf_glyph_texts *texts, struct an_pdf_subset *subset,
             struct an_buf *ret_program, struct an_err *reterr)
{
    hb_subset_input_t *input = subset_input(texts);
    hb_subset_plan_t *plan = hb_subset_plan_create_or_fail(font->face, input);
    hb_face_t *face = plan ? hb_subset_plan_execute_or_fail(plan) : NULL;

    if (face) {
        subset->glyph_count = hb_face_get_glyph_count(face);
        map_glyphs(font, plan, subset);
        copy_program(font, face, ret_program);
        hb_face_destroy(face);
    }
    hb_subset_plan_destroy(plan);
    hb_subset_input_destroy(input);
    if (ret_program->len == 0 || subset->glyph_count > 65535)
        AN_FAIL(reterr, AN_E_PDF_FONT, "%s: subset", font->name);
    return AN_OK;
}

/* ---- the map back to text ---- */
static void
emit_utf16(struct an_buf *out, uint32_t code_point)
{
    if (code_point < 0x10000)
        an_buf_printf(out, "%04X", code_point);
    else
        an_buf_printf(out, "%04X%04X", 0xD7C0 + (code_point >> 10), 0xDC00 + (code_point & 0x3FF));
}

static size_t
count_mapped(const struct an_pdf_glyph_texts *texts, size_t from, size_t max)
{
    size_t n = 0;

    for (size_t i = from; i < texts->count && n < max; i++)
        n += texts->items[i].count > 0;
    return n;
}

static void
emit_mappings(const struct an_pdf_subset *subset, const struct an_pdf_glyph_texts *texts, struct an_buf *out)
{
    for (size_t at = 0, block; (block = count_mapped(texts, at, 100)) > 0;) {
        an_buf_printf(out, "%zu beginbfchar\n", block);
        for (; at < texts->count && block > 0; at++) {
            const struct an_pdf_glyph_text *text = &texts->items[at];

            if (text->count == 0)
                continue;
            block--;
            an_buf_printf(out, "<%04X><", subset->new_of_old[text->glyph]);
            for (size_t i = 0; i < text->count; i++)
                emit_utf16(out, text->code_points[i]);
            an_buf_str(out, ">\n");
        }
        an_buf_str(out, "endbfchar\n");
    }
}

static void
make_map(const struct an_pdf_subset *subset, const struct an_pdf_glyph_texts *texts, struct an_buf *out)
{
    an_buf_str(out, "/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n"
                    "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
                    "/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n"
                    "1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n");
    emit_mappings(subset, texts, out);
    an_buf_str(out, "endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n");
}

/* ---- objects ---- */
static bool
add_stream(struct an_pdf_bundle *bundle, an_bytes data, const char *entries)
{
    struct an_pdf_piece *part = &bundle->parts[bundle->count++];

    part->is_stream = true;
    part->dict = an_buf_new(AN_BUF_UNLIMITED);
    part->data = an_buf_new(AN_BUF_UNLIMITED);
    an_buf_str(&part->dict, entries);
    an_buf_str(&part->dict, "/Filter/FlateDecode");
    return an_pdf_deflate(&part->data, data, 9);
}

static struct an_buf *
add_dict(struct an_pdf_bundle *bundle)
{
    struct an_pdf_piece *part = &bundle->parts[bundle->count++];

    part->dict = an_buf_new(AN_BUF_UNLIMITED);
    return &part->dict;
}

static void
emit_part_ref(struct an_buf *out, const char *key, size_t part)
{
    an_buf_str(out, key);
    an_buf_byte(out, ' ');
    an_buf_byte(out, 1);
    an_buf_byte(out, (uint8_t)part);
}

static void
subset_name(const struct an_pdf_font *font, an_bytes program, char ret[static 80])
{
    uint8_t digest[AN_DIGEST_MAX];
    char tag[7];

    an_hash_once(AN_SHA256, program, digest);
    for (size_t i = 0; i < 6; i++)
        tag[i] = (char)('A' + digest[i] % 26);
    tag[6] = 0;
    snprintf(ret, 80, "%s+%s", tag, font->name);
}

static void
describe_font(const struct an_pdf_font *font, struct an_pdf_bundle *bundle, const char *name, bool cid_set)
{
    size_t set_part = bundle->count - 1;
    struct an_buf *out = add_dict(bundle);

    an_buf_printf(out, "/Type/FontDescriptor/FontName/%s/Flags %d/FontBBox[%d %d %d %d]/ItalicAngle ", name,
                  font->flags, font->box[0], font->box[1], font->box[2], font->box[3]);
    an_pdf_emit_number(out, font->italic_angle, 2);
    an_buf_printf(out, "/Ascent %d/Descent %d/CapHeight %d/StemV 80", font->ascent, font->descent, font->cap_height);
    emit_part_ref(out, font->is_cff ? "/FontFile3" : "/FontFile2", PART_PROGRAM);
    if (cid_set)
        emit_part_ref(out, "/CIDSet", set_part);
}

static void
describe_descendant(const struct an_pdf_font *font, const struct an_pdf_subset *subset, struct an_pdf_bundle *bundle,
                    const char *name)
{
    size_t descriptor = bundle->count - 1;
    struct an_buf *out = add_dict(bundle);

    an_buf_printf(out, "/Type/Font/Subtype/CIDFontType%d/BaseFont/%s/CIDSystemInfo<</Registry", font->is_cff ? 0 : 2,
                  name);
    an_buf_append(out, AN_LIT("\x02" "Adobe" "\x02/Ordering\x02" "Identity" "\x02/Supplement 0>>"));
    if (!font->is_cff)
        an_buf_str(out, "/CIDToGIDMap/Identity");
    emit_part_ref(out, "/FontDescriptor", descriptor);
    an_buf_str(out, "/W[0[");
    for (uint32_t i = 0; i < subset->glyph_count; i++) {
        if (i > 0)
            an_buf_byte(out, ' ');
        an_pdf_emit_number(out, subset->widths[i], 1);
    }
    an_buf_str(out, "]]");
}

static void
describe_composite(struct an_pdf_bundle *bundle, const char *name)
{
    size_t descendant = bundle->count - 1;
    struct an_buf *out = add_dict(bundle);

    an_buf_printf(out, "/Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[", name);
    an_buf_byte(out, 1);
    an_buf_byte(out, (uint8_t)descendant);
    an_buf_byte(out, ']');
    emit_part_ref(out, "/ToUnicode", PART_MAP);
}

/* One bit for each glyph: all of them. */
static bool
add_cid_set(const struct an_pdf_subset *subset, struct an_pdf_bundle *bundle)
{
    AN_CLEANUP(an_buf_free) struct an_buf bits = an_buf_new(AN_BUF_UNLIMITED);

    for (uint32_t i = 0; i < subset->glyph_count; i += 8)
        an_buf_byte(&bits, (uint8_t)(subset->glyph_count - i >= 8 ? 0xFFu : 0xFF00u >> (subset->glyph_count - i)));
    return add_stream(bundle, an_buf_view(&bits), "");
}

static an_code
build_subset(struct an_pdf_font *font, const struct an_pdf_glyph_texts *texts, bool cid_set,
             struct an_pdf_subset *subset, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf program = an_buf_new(AN_BUF_UNLIMITED), map = an_buf_new(AN_BUF_UNLIMITED);
    struct an_pdf_bundle *bundle = &subset->bundle;
    char entries[64], name[80];
    bool done;

    AN_TRY(make_program(font, texts, subset, &program, reterr));
    make_map(subset, texts, &map);
    subset_name(font, an_buf_view(&program), name);
    if (font->is_cff)
        memcpy(entries, "/Subtype/CIDFontType0C", sizeof("/Subtype/CIDFontType0C"));
    else
        snprintf(entries, sizeof entries, "/Length1 %zu", program.len);
    done = add_stream(bundle, an_buf_view(&program), entries) && add_stream(bundle, an_buf_view(&map), "") &&
           (!cid_set || add_cid_set(subset, bundle));
    if (!done)
        AN_FAIL(reterr, AN_E_INTERNAL, "deflate");
    describe_font(font, bundle, name, cid_set);
    describe_descendant(font, subset, bundle, name);
    describe_composite(bundle, name);
    an_pdf_bundle_seal(bundle);
    return AN_OK;
}

/* ---- the store ---- */
static void
free_subset(struct an_pdf_subset *subset)
{
    an_buf_free(&subset->key);
    an_pdf_bundle_done(&subset->bundle);
    free(subset->new_of_old);
    free(subset->widths);
    free(subset);
}

void
an_pdf_subset_drop(struct an_pdf_font *font, struct an_pdf_subset **subset)
{
    bool last;

    pthread_mutex_lock(&font->lock);
    last = --(*subset)->refs == 0;
    pthread_mutex_unlock(&font->lock);
    if (last)
        free_subset(*subset);
    *subset = NULL;
}

static struct an_pdf_subset *
find_kept(struct an_pdf_font *font, an_bytes key)
{
    struct an_pdf_subset *found = NULL;

    pthread_mutex_lock(&font->lock);
    for (size_t i = 0; i < AN_PDF_SUBSETS_KEPT && !found; i++)
        if (font->kept[i] && an_bytes_eq(an_buf_view(&font->kept[i]->key), key))
            found = font->kept[i];
    if (found)
        found->refs++;
    pthread_mutex_unlock(&font->lock);
    return found;
}

/* Takes the place of the oldest. */
static void
keep_subset(struct an_pdf_font *font, struct an_pdf_subset *subset)
{
    struct an_pdf_subset *oldest;

    pthread_mutex_lock(&font->lock);
    oldest = font->kept[font->next_kept];
    font->kept[font->next_kept] = subset;
    font->next_kept = (font->next_kept + 1) % AN_PDF_SUBSETS_KEPT;
    subset->refs++;
    pthread_mutex_unlock(&font->lock);
    if (oldest)
        an_pdf_subset_drop(font, &oldest);
}

an_code
an_pdf_subset_take(struct an_pdf_font *font, const struct an_pdf_glyph_texts *texts, bool cid_set,
                   struct an_pdf_subset **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf key = an_buf_new(AN_BUF_UNLIMITED);
    struct an_pdf_subset *subset;
    an_code code;

    an_buf_byte(&key, cid_set);
    for (size_t i = 0; i < texts->count; i++)
        an_buf_append(&key, AN_BYTES(&texts->items[i], sizeof texts->items[i]));
    subset = find_kept(font, an_buf_view(&key));
    if (!subset) {
        subset = AN_NEW(struct an_pdf_subset);
        subset->refs = 1;
        subset->key = key;
        key = an_buf_new(0);
        code = build_subset(font, texts, cid_set, subset, reterr);
        if (code != AN_OK) {
            free_subset(subset);
            return code;
        }
        keep_subset(font, subset);
    }
    *ret = subset;
    return AN_OK;
}
