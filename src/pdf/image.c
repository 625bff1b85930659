/*
 * Pixels as PDF image objects (ISO 32000-2, 8.9): grey, a palette or RGB, whichever loses nothing and is smallest;
 * transparency as a soft mask, or as a one-bit mask over colours laid on white where PDF/A-1 forbids soft ones.
 */
#include "pdf/image.h"

#include "base/limits.h"

#define SMALL_RASTER ((size_t)512 * 1024) /* worth zlib's slowest level */

struct palette {
    uint32_t colour[256];
    size_t count;
    bool is_full;      /* more than 256 colours */
    bool is_grey;
    uint16_t slot[1024]; /* open addressing: index + 1 */
};

static size_t
slot_of(const struct palette *palette, uint32_t colour)
{
    size_t at = (colour * 2654435761u) >> 22;

    while (palette->slot[at] && palette->colour[palette->slot[at] - 1] != colour)
        at = (at + 1) % AN_COUNT(palette->slot);
    return at;
}

static uint32_t
colour_at(const struct an_pdf_pixels *pixels, size_t i)
{
    const uint8_t *p = pixels->rgba + 4 * i;

    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static void
add_colour(struct palette *palette, uint32_t colour)
{
    size_t at;

    palette->is_grey = palette->is_grey && colour >> 16 == (colour & 255) && (colour >> 8 & 255) == (colour & 255);
    if (palette->is_full)
        return;
    at = slot_of(palette, colour);
    if (palette->slot[at])
        return;
    if (palette->count == AN_COUNT(palette->colour)) {
        palette->is_full = true;
        return;
    }
    palette->colour[palette->count++] = colour;
    palette->slot[at] = (uint16_t)palette->count;
}

/* Colours nobody sees become the colour before them: nothing to store. */
static void
fill_transparent(struct an_pdf_pixels *pixels)
{
    size_t count = (size_t)pixels->width * pixels->height;
    uint8_t last[3] = {255, 255, 255};
    size_t first = 0;

    while (first < count && pixels->rgba[4 * first + 3] == 0)
        first++;
    if (first < count)
        memcpy(last, pixels->rgba + 4 * first, 3);
    for (size_t i = 0; i < count; i++) {
        uint8_t *p = pixels->rgba + 4 * i;

        if (p[3] == 0)
            memcpy(p, last, 3);
        else
            memcpy(last, p, 3);
    }
}

/* For a mask without half tones: lays the colours on white, keeps what is more than half visible. */
static void
flatten(struct an_pdf_pixels *pixels)
{
    size_t count = (size_t)pixels->width * pixels->height;

    for (size_t i = 0; i < count; i++) {
        uint8_t *p = pixels->rgba + 4 * i;
        unsigned alpha = p[3];

        for (int k = 0; k < 3; k++)
            p[k] = (uint8_t)((p[k] * alpha + 255 * (255 - alpha) + 127) / 255);
        p[3] = alpha < 128 ? 0 : 255;
    }
}

/* ---- rasters: rows of samples, packed ---- */
struct raster {
    uint8_t *rows;
    size_t row_len, height;
    unsigned colours, bits; /* per pixel, per sample */
};

static struct raster
raster_new(const struct an_pdf_pixels *pixels, unsigned colours, unsigned bits)
{
    size_t row_len = ((size_t)pixels->width * colours * bits + 7) / 8;

    return (struct raster){an_new_array(row_len, pixels->height), row_len, pixels->height, colours, bits};
}

static void
put_sample(const struct raster *raster, size_t x, size_t y, unsigned value)
{
    size_t bit = x * raster->bits;

    raster->rows[y * raster->row_len + bit / 8] |=
        (uint8_t)(value << (8 - raster->bits - bit % 8));
}

static struct raster
raster_of_colours(const struct an_pdf_pixels *pixels, const struct palette *palette)
{
    bool indexed = !palette->is_full && !palette->is_grey;
    unsigned bits = !indexed ? 8 : palette->count <= 2 ? 1 : palette->count <= 4 ? 2 : palette->count <= 16 ? 4 : 8;
    struct raster raster = raster_new(pixels, indexed || palette->is_grey ? 1 : 3, bits);

    for (size_t y = 0; y < pixels->height; y++) {
        for (size_t x = 0; x < pixels->width; x++) {
            size_t i = y * pixels->width + x;

            if (indexed)
                put_sample(&raster, x, y, palette->slot[slot_of(palette, colour_at(pixels, i))] - 1u);
            else
                memcpy(raster.rows + y * raster.row_len + x * raster.colours, pixels->rgba + 4 * i, raster.colours);
        }
    }
    return raster;
}

/* hard: one bit, 1 = not painted (stencil). Otherwise the opacity itself, in one bit when it has no half tones. */
static struct raster
raster_of_alpha(const struct an_pdf_pixels *pixels, bool hard)
{
    size_t count = (size_t)pixels->width * pixels->height;
    bool binary = true;
    struct raster raster;

    for (size_t i = 0; i < count && binary; i++)
        binary = pixels->rgba[4 * i + 3] == 0 || pixels->rgba[4 * i + 3] == 255;
    raster = raster_new(pixels, 1, binary ? 1 : 8);
    for (size_t i = 0; i < count; i++) {
        uint8_t alpha = pixels->rgba[4 * i + 3];

        put_sample(&raster, i % pixels->width, i / pixels->width,
                   !binary ? alpha : hard ? alpha == 0 : alpha == 255);
    }
    return raster;
}

/* ---- compression ---- */
static int
paeth(int left, int up, int corner)
{
    int estimate = left + up - corner;
    int a = abs(estimate - left), b = abs(estimate - up), c = abs(estimate - corner);

    return a <= b && a <= c ? left : b <= c ? up : corner;
}

/* One row by one of the five PNG filters; returns the sum of absolute differences, the usual guess at the cost. */
static uint64_t
filter_row(int kind, const uint8_t *row, const uint8_t *above, size_t len, size_t step, uint8_t *out)
{
    uint64_t cost = 0;

    for (size_t i = 0; i < len; i++) {
        int left = i >= step ? row[i - step] : 0, up = above ? above[i] : 0;
        int corner = above && i >= step ? above[i - step] : 0;
        int guess = kind == 0   ? 0
                    : kind == 1 ? left
                    : kind == 2 ? up
                    : kind == 3 ? (left + up) / 2
                                : paeth(left, up, corner);

        out[i] = (uint8_t)(row[i] - guess);
        cost += (uint64_t)abs((int8_t)out[i]);
    }
    return cost;
}

static void
predict(const struct raster *raster, struct an_buf *out)
{
    AN_CLEANUP(an_free_ptr) uint8_t *trial = an_new_array(raster->row_len, 1);

    for (size_t y = 0; y < raster->height; y++) {
        const uint8_t *row = raster->rows + y * raster->row_len;
        uint8_t *best = an_buf_extend(out, raster->row_len + 1);
        uint64_t least = UINT64_MAX;

        AN_ASSERT(best);
        for (int kind = 0; kind < 5; kind++) {
            uint64_t cost =
                filter_row(kind, row, y ? row - raster->row_len : NULL, raster->row_len, raster->colours, trial);

            if (cost >= least)
                continue;
            least = cost;
            best[0] = (uint8_t)kind;
            memcpy(best + 1, trial, raster->row_len);
        }
    }
}

/* Compresses plain and, for 8-bit samples, predicted; keeps the smaller and says how in the dictionary. */
static bool
pack_raster(const struct raster *raster, uint32_t width, struct an_pdf_piece *part)
{
    an_bytes plain = AN_BYTES(raster->rows, raster->row_len * raster->height);
    AN_CLEANUP(an_buf_free)
    struct an_buf filtered = an_buf_new(AN_BUF_UNLIMITED),
                  packed = an_buf_new(AN_BUF_UNLIMITED);
    int level = plain.len <= SMALL_RASTER ? 9 : 6;

    part->is_stream = true;
    part->data = an_buf_new(AN_BUF_UNLIMITED);
    an_buf_str(&part->dict, "/Filter/FlateDecode");
    if (!an_pdf_deflate(&part->data, plain, level))
        return false;
    if (raster->bits != 8)
        return true;
    predict(raster, &filtered);
    if (!an_pdf_deflate(&packed, an_buf_view(&filtered), level))
        return false;
    if (packed.len + 64 >= part->data.len)
        return true;
    an_buf_reset(&part->data);
    an_buf_append(&part->data, an_buf_view(&packed));
    an_buf_printf(&part->dict, "/DecodeParms<</Predictor 15/Colors %u/Columns %u>>", raster->colours, width);
    return true;
}

/* ---- objects ---- */
#define WHITE_POINT "/WhitePoint[0.9505 1 1.089]"

static void
emit_base_space(struct an_buf *out, bool grey, bool calibrated)
{
    if (!calibrated)
        an_buf_str(out, grey ? "/DeviceGray" : "/DeviceRGB");
    else if (grey)
        an_buf_str(out, "[/CalGray<<" WHITE_POINT "/Gamma 2.2>>]");
    else
        an_buf_str(out, "[/CalRGB<<" WHITE_POINT "/Gamma[2.2 2.2 2.2]"
                        "/Matrix[0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505]>>]");
}

/* The palette is an object of its own: a string would have to be encrypted in an encrypted file. */
static void
build_palette(struct an_pdf_bundle *bundle, const struct palette *palette)
{
    struct an_pdf_piece *part = &bundle->parts[bundle->count++];

    part->is_stream = true;
    part->dict = an_buf_new(AN_BUF_UNLIMITED);
    part->data = an_buf_new(AN_BUF_UNLIMITED);
    for (size_t i = 0; i < palette->count; i++) {
        an_buf_byte(&part->data, (uint8_t)(palette->colour[i] >> 16));
        an_buf_byte(&part->data, (uint8_t)(palette->colour[i] >> 8));
        an_buf_byte(&part->data, (uint8_t)palette->colour[i]);
    }
}

static void
emit_part_ref(struct an_buf *out, size_t part)
{
    an_buf_byte(out, 1);
    an_buf_byte(out, (uint8_t)part);
}

static void
emit_shape(struct an_pdf_piece *part, const struct an_pdf_pixels *pixels, unsigned bits)
{
    part->dict = an_buf_new(AN_BUF_UNLIMITED);
    an_buf_printf(&part->dict, "/Type/XObject/Subtype/Image/Width %u/Height %u/BitsPerComponent %u", pixels->width,
                  pixels->height, bits);
}

static bool
build_mask(const struct an_pdf_pixels *pixels, bool hard, struct an_pdf_piece *part)
{
    struct raster raster = raster_of_alpha(pixels, hard);
    bool done;

    emit_shape(part, pixels, raster.bits);
    an_buf_str(&part->dict, hard ? "/ImageMask true" : "/ColorSpace/DeviceGray");
    done = pack_raster(&raster, pixels->width, part);
    free(raster.rows);
    return done;
}

static bool
build_colours(const struct an_pdf_pixels *pixels, struct an_pdf_image_style style, bool masked,
              struct an_pdf_bundle *bundle)
{
    struct palette palette = {.is_grey = true};
    size_t count = (size_t)pixels->width * pixels->height;
    struct an_pdf_piece *part;
    struct raster raster;
    bool done;

    for (size_t i = 0; i < count; i++)
        add_colour(&palette, colour_at(pixels, i));
    raster = raster_of_colours(pixels, &palette);
    if (!palette.is_grey && !palette.is_full)
        build_palette(bundle, &palette);
    part = &bundle->parts[bundle->count++];
    emit_shape(part, pixels, raster.bits);
    an_buf_str(&part->dict, "/ColorSpace");
    if (palette.is_grey || palette.is_full) {
        emit_base_space(&part->dict, palette.is_grey, style.calibrated);
    } else {
        an_buf_str(&part->dict, "[/Indexed");
        emit_base_space(&part->dict, false, style.calibrated);
        an_buf_printf(&part->dict, " %zu ", palette.count - 1);
        emit_part_ref(&part->dict, bundle->count - 2);
        an_buf_byte(&part->dict, ']');
    }
    if (masked) {
        an_buf_str(&part->dict, style.hard_mask ? "/Mask " : "/SMask ");
        emit_part_ref(&part->dict, 0);
    }
    done = pack_raster(&raster, pixels->width, part);
    free(raster.rows);
    return done;
}

static an_code
build_bundle(struct an_pdf_pixels *pixels, struct an_pdf_image_style style, bool masked, struct an_pdf_bundle *bundle,
             struct an_err *reterr)
{
    if (masked && style.hard_mask)
        flatten(pixels);
    if (masked)
        fill_transparent(pixels);
    if (masked && !build_mask(pixels, style.hard_mask, &bundle->parts[bundle->count++]))
        AN_FAIL(reterr, AN_E_INTERNAL, "deflate");
    if (!build_colours(pixels, style, masked, bundle))
        AN_FAIL(reterr, AN_E_INTERNAL, "deflate");
    an_pdf_bundle_seal(bundle);
    return AN_OK;
}

static an_code
make_bundle(struct an_pdf_image *image, struct an_pdf_image_style style, struct an_pdf_bundle *bundle,
            struct an_err *reterr)
{
    struct an_pdf_pixels pixels = image->pixels;
    size_t len = (size_t)image->info.width * image->info.height * 4;
    bool alpha;
    an_code code;

    if (image->pixels.rgba) {
        pixels.rgba = an_new_array(len, 1);
        memcpy(pixels.rgba, image->pixels.rgba, len);
    } else {
        AN_TRY(an_pdf_png_decode(AN_BYTES(image->png, image->png_len), &pixels, &alpha, reterr));
    }
    code = build_bundle(&pixels, style, image->info.has_alpha, bundle, reterr);
    free(pixels.rgba);
    return code;
}

an_code
an_pdf_image_bundle(struct an_pdf_image *image, struct an_pdf_image_style style, const struct an_pdf_bundle **ret,
                    struct an_err *reterr)
{
    struct an_pdf_bundle *bundle = &image->bundles[(style.hard_mask ? 1 : 0) + (style.calibrated ? 2 : 0)];
    an_code code = AN_OK;

    pthread_mutex_lock(&image->lock);
    if (bundle->count == 0)
        code = make_bundle(image, style, bundle, reterr);
    if (code != AN_OK)
        an_pdf_bundle_done(bundle);
    pthread_mutex_unlock(&image->lock);
    if (code == AN_OK)
        *ret = bundle;
    return code;
}
