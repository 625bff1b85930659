/* A sample hand signature: one pen stroke whose turns follow the letters of a name. Blue on transparent ground. */
#include "layout/internal.h"

#include <math.h>

#define POINTS_MAX 64

struct point { double x, y; };

struct stroke {
    struct point points[POINTS_MAX];
    size_t count;
    uint64_t noise;
};

/* The same name always gives the same signature. */
static double
next_noise(struct stroke *stroke) /* -1 to 1 */
{
    stroke->noise = stroke->noise * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(stroke->noise >> 33) / (double)(UINT64_C(1) << 30) - 1;
}

static void
add_point(struct stroke *stroke, double x, double y)
{
    if (stroke->count < POINTS_MAX)
        stroke->points[stroke->count++] = (struct point){x, y};
}

/* In a box of 100 x 45: a tall first letter, waves for the others, a tail that runs back below the word. */
static void
plan_stroke(struct stroke *stroke, const char *name)
{
    glong letters = g_utf8_strlen(name, -1);
    int waves = letters < 5 ? 5 : letters > 20 ? 20 : (int)letters;
    double step = 62.0 / waves;

    for (const char *at = name; *at != '\0'; at++)
        stroke->noise = (stroke->noise ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
    add_point(stroke, 12 + next_noise(stroke) * 2, 33);
    add_point(stroke, 17 + next_noise(stroke) * 2, 6);
    add_point(stroke, 23 + next_noise(stroke) * 3, 5);
    add_point(stroke, 14, 30 + next_noise(stroke) * 3);
    add_point(stroke, 8 + next_noise(stroke) * 2, 24);
    for (int i = 0; i < waves; i++) {
        double fade = 1 - 0.6 * i / waves, tall = next_noise(stroke) > 0.5 ? 11 : 5;
        add_point(stroke, 24 + i * step, 29 + 3 * fade + next_noise(stroke));
        add_point(stroke, 24 + (i + 0.45) * step, 29 - tall * fade + next_noise(stroke) * 2);
    }
    add_point(stroke, 92, 18 + next_noise(stroke) * 3);
    add_point(stroke, 96, 26);
    add_point(stroke, 60, 38 + next_noise(stroke));
    add_point(stroke, 16, 39);
    add_point(stroke, 48, 36 + next_noise(stroke));
}

static struct point
along(const struct stroke *stroke, size_t i, double t)
{
    /* Catmull-Rom: a smooth line through all points. */
    const struct point *p = stroke->points;
    size_t last = stroke->count - 1;
    struct point a = p[i == 0 ? 0 : i - 1], b = p[i], c = p[i + 1], d = p[i + 2 > last ? last : i + 2];
    double t2 = t * t, t3 = t2 * t;

    return (struct point){0.5 * (2 * b.x + (c.x - a.x) * t + (2 * a.x - 5 * b.x + 4 * c.x - d.x) * t2 +
                                 (3 * b.x - a.x - 3 * c.x + d.x) * t3),
                          0.5 * (2 * b.y + (c.y - a.y) * t + (2 * a.y - 5 * b.y + 4 * c.y - d.y) * t2 +
                                 (3 * b.y - a.y - 3 * c.y + d.y) * t3)};
}

/* A pen is thin where it is quick. */
static void
draw_pen(cairo_t *cr, const struct stroke *stroke, double scale)
{
    struct point from = stroke->points[0];
    double width = 0.9;

    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    for (size_t i = 0; i + 1 < stroke->count; i++) {
        for (int part = 1; part <= 24; part++) {
            struct point to = along(stroke, i, part / 24.0);
            double speed = hypot(to.x - from.x, to.y - from.y);
            width += (fmax(0.45, 1.25 - speed * 0.9) - width) * 0.2;
            cairo_set_line_width(cr, width * scale);
            cairo_move_to(cr, from.x * scale, from.y * scale);
            cairo_line_to(cr, to.x * scale, to.y * scale);
            cairo_stroke(cr);
            from = to;
        }
    }
}

static void
draw_mark(cairo_t *cr, double scale)
{
    AN_CLEANUP(free_text) PangoLayout *text = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string(LAYOUT_FONT " Italic");

    pango_font_description_set_absolute_size(font, 4.5 * scale * PANGO_SCALE);
    pango_layout_set_font_description(text, font);
    pango_font_description_free(font);
    pango_layout_set_text(text, "MẪU", -1);
    cairo_move_to(cr, 88 * scale, 38 * scale);
    pango_cairo_show_layout(cr, text);
}

an_code
draw_signature(struct an_arena *arena, const json_t *root, struct an_buf *out, struct an_err *reterr)
{
    struct stroke stroke = {.noise = UINT64_C(0xcbf29ce484222325)};
    double dpi = 300, scale;
    cairo_surface_t *surface;
    const char *name;
    cairo_t *cr;
    an_code code;

    AN_TRY(input_text(arena, root, "name", true, &name, reterr));
    if (json_unpack((json_t *)(uintptr_t)root, "{s?F}", "dpi", &dpi) != 0 || !(dpi >= 72 && dpi <= 1200))
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "dpi: 72 to 1200");
    plan_stroke(&stroke, name);
    scale = 50 / 25.4 * dpi / 100; /* 50 mm wide */
    surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)ceil(100 * scale), (int)ceil(45 * scale));
    cr = cairo_create(surface);
    cairo_set_source_rgb(cr, 0.05, 0.15, 0.65);
    draw_pen(cr, &stroke, scale);
    draw_mark(cr, scale);
    cairo_destroy(cr);
    code = write_picture(surface, out, reterr);
    cairo_surface_destroy(surface);
    return code;
}
