/* A sample seal: two rings, a star, the agency's name on the circle, the word MẪU. Red on transparent ground. */
#include "layout/internal.h"

#include <math.h>

#define SEAL_LETTERS_MAX 200u

struct seal {
    cairo_t *cr;
    double radius; /* of the outer ring, in pixels */
};

static const double seal_red[3] = {0.85, 0.05, 0.08};

static PangoLayout *
build_letters(const struct seal *seal, const char *words, double size)
{
    PangoLayout *text = pango_cairo_create_layout(seal->cr);
    PangoFontDescription *font = pango_font_description_from_string(LAYOUT_FONT " Bold");

    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(text, font);
    pango_font_description_free(font);
    pango_layout_set_text(text, words, -1);
    return text;
}

static double
letter_width(const struct seal *seal, const char *letter, double size)
{
    AN_CLEANUP(free_text) PangoLayout *text = build_letters(seal, letter, size);

    return text_width(text);
}

/* One letter, its foot towards the centre (upper arc) or away from it (lower arc). */
static void
draw_letter(const struct seal *seal, const char *letter, double size, double angle, double radius, bool is_upper)
{
    AN_CLEANUP(free_text) PangoLayout *text = build_letters(seal, letter, size);
    double width = text_width(text), baseline = pango_layout_get_baseline(text) / (double)PANGO_SCALE;

    cairo_save(seal->cr);
    cairo_rotate(seal->cr, is_upper ? angle : -angle);
    cairo_translate(seal->cr, -width / 2, is_upper ? -radius : radius);
    cairo_translate(seal->cr, 0, is_upper ? -baseline : -baseline + size * 0.7);
    pango_cairo_show_layout(seal->cr, text);
    cairo_restore(seal->cr);
}

/* Takes one letter (with its marks) off the text; "" at the end. */
static void
take_letter(const char **text, char letter[static 16])
{
    const char *next = *text;
    size_t len;

    if (*next != '\0')
        next = g_utf8_find_next_char(next, NULL);
    while (*next != '\0' && g_unichar_ismark(g_utf8_get_char(next)))
        next = g_utf8_find_next_char(next, NULL);
    len = (size_t)(next - *text);
    if (len > 15)
        len = 15;
    memcpy(letter, *text, len);
    letter[len] = '\0';
    *text = next;
}

static double
arc_length(const struct seal *seal, const char *words, double size)
{
    double length = 0;
    char letter[16];

    for (const char *at = words; *at != '\0';) {
        take_letter(&at, letter);
        length += letter_width(seal, letter, size) + size * 0.08;
    }
    return length;
}

static void
draw_arc_text(const struct seal *seal, const char *words, double size, double radius, double arc_max, bool is_upper)
{
    double length = arc_length(seal, words, size), at_angle, middle = radius + (is_upper ? size * 0.35 : -size * 0.35);
    char letter[16];

    if (length > arc_max * middle) { /* a long name: smaller letters */
        size *= arc_max * middle / length;
        length = arc_length(seal, words, size);
    }
    at_angle = -length / 2 / middle;
    for (const char *at = words; *at != '\0';) {
        double width;
        take_letter(&at, letter);
        width = letter_width(seal, letter, size) + size * 0.08;
        draw_letter(seal, letter, size, at_angle + width / 2 / middle, radius, is_upper);
        at_angle += width / middle;
    }
}

static void
draw_star(const struct seal *seal, double x, double y, double radius)
{
    cairo_new_path(seal->cr);
    for (int i = 0; i < 10; i++) {
        double r = i % 2 == 0 ? radius : radius * 0.382, angle = i * G_PI / 5 - G_PI / 2;
        cairo_line_to(seal->cr, x + r * cos(angle), y + r * sin(angle));
    }
    cairo_close_path(seal->cr);
    cairo_fill(seal->cr);
}

static void
draw_ring(const struct seal *seal, double radius, double thickness)
{
    cairo_set_line_width(seal->cr, thickness);
    cairo_arc(seal->cr, 0, 0, radius, 0, 2 * G_PI);
    cairo_stroke(seal->cr);
}

static void
draw_sample_mark(const struct seal *seal)
{
    AN_CLEANUP(free_text) PangoLayout *text = build_letters(seal, "MẪU", seal->radius * 0.2);

    cairo_move_to(seal->cr, -text_width(text) / 2, seal->radius * 0.22);
    pango_cairo_show_layout(seal->cr, text);
}

static void
draw_parts(const struct seal *seal, const char *agency, const char *place)
{
    double radius = seal->radius, text_radius = radius * 0.70;
    g_autofree char *upper_agency = g_utf8_strup(agency, -1), *upper_place = g_utf8_strup(place, -1);

    draw_ring(seal, radius * 0.975, radius * 0.05);
    draw_ring(seal, radius * 0.915, radius * 0.015);
    draw_ring(seal, radius * 0.60, radius * 0.02);
    draw_arc_text(seal, upper_agency, radius * 0.19, text_radius, place[0] ? 3.55 : 5.2, true);
    if (place[0] != '\0')
        draw_arc_text(seal, upper_place, radius * 0.15, radius * 0.70, 1.7, false);
    draw_star(seal, 0, -radius * 0.1, radius * 0.32);
    if (place[0] != '\0') {
        draw_star(seal, -radius * 0.69, radius * 0.33, radius * 0.06);
        draw_star(seal, radius * 0.69, radius * 0.33, radius * 0.06);
    } else {
        draw_star(seal, 0, radius * 0.76, radius * 0.07);
    }
    draw_sample_mark(seal);
}

an_code
draw_seal(struct an_arena *arena, const json_t *root, struct an_buf *out, struct an_err *reterr)
{
    const char *agency, *place;
    double diameter_mm = 36, dpi = 300, pixels;
    cairo_surface_t *surface;
    struct seal seal;
    an_code code;

    AN_TRY(input_text(arena, root, "agency", true, &agency, reterr));
    AN_TRY(input_text(arena, root, "place", false, &place, reterr));
    if (json_unpack((json_t *)(uintptr_t)root, "{s?F, s?F}", "diameter_mm", &diameter_mm, "dpi", &dpi) != 0 ||
        !(diameter_mm >= 10 && diameter_mm <= 60 && dpi >= 72 && dpi <= 1200))
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "diameter_mm: 10 to 60, dpi: 72 to 1200");
    if (g_utf8_strlen(agency, -1) > SEAL_LETTERS_MAX || g_utf8_strlen(place, -1) > SEAL_LETTERS_MAX)
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "agency, place: > %u letters", SEAL_LETTERS_MAX);
    pixels = ceil(diameter_mm / 25.4 * dpi);
    surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)pixels, (int)pixels);
    seal = (struct seal){.cr = cairo_create(surface), .radius = pixels / 2};
    cairo_translate(seal.cr, pixels / 2, pixels / 2);
    cairo_set_source_rgb(seal.cr, seal_red[0], seal_red[1], seal_red[2]);
    draw_parts(&seal, agency, place);
    cairo_destroy(seal.cr);
    code = write_picture(surface, out, reterr);
    cairo_surface_destroy(surface);
    return code;
}
