/* How a signature appears and where, from the head of a regulation file: each group of values with its article. */
#include "regulation/internal.h"

static const char *const SIGNERS[] = {"person", "agency", "archive", NULL};
static const char *const USES[] = {"none", "allowed", "required", NULL};
static const char *const COLOURS[] = {"any", "blue", "red", NULL};
static const char *const PLACES[] = {"between-title-and-name", "over-signature-left", "page-top-right", "page-top-left",
                                     "page-top-centre",        "page-bottom-right",   "none",           NULL};
static const char *const PAGES[] = {"first", "last", NULL};

struct look_reading {
    struct an_yaml_doc *doc;
    struct an_look *look;
    const char **unconfirmed;
    struct an_err *reterr;
    bool shows_time;
};

/* What every group ends with: its article, or the admission that no text fixes it. */
struct group {
    const char *cite;
    bool unconfirmed;
};

static an_code
close_group(struct look_reading *reading, const struct an_yaml_node *node, struct group group,
            const char **ret_citation)
{
    if (!group.cite && !group.unconfirmed)
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_UNCITED, "neither cite nor unconfirmed");
    if (group.unconfirmed)
        reading->unconfirmed[reading->look->unconfirmed_count++] = node->key;
    *ret_citation = group.cite;
    return AN_OK;
}

#define GROUP_FIELDS(type)                                                                                  \
    {"cite", AN_FIELD_CITATION, false, offsetof(type, group) + offsetof(struct group, cite), NULL},            \
    {                                                                                                       \
        "unconfirmed", AN_FIELD_FLAG, false, offsetof(type, group) + offsetof(struct group, unconfirmed), NULL \
    }

static an_code
read_image(struct look_reading *reading, const struct an_yaml_node *node)
{
    struct image {
        int use, colour;
        bool transparent, true_size;
        struct group group;
    } image = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"use", AN_FIELD_CHOICE, true, offsetof(struct image, use), USES},
        {"colour", AN_FIELD_CHOICE, false, offsetof(struct image, colour), COLOURS},
        {"png-transparent", AN_FIELD_FLAG, false, offsetof(struct image, transparent), NULL},
        {"true-size", AN_FIELD_FLAG, false, offsetof(struct image, true_size), NULL},
        GROUP_FIELDS(struct image),
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &image, reading->reterr));
    struct an_look *look = reading->look;
    look->image_allowed = image.use > 0;
    look->image_required = image.use == 2;
    look->colour = (enum an_look_colour)image.colour;
    look->image_png_transparent = image.transparent;
    look->true_size = image.true_size;
    return close_group(reading, node, image.group, &look->image_citation);
}

static an_code
read_box(struct look_reading *reading, const struct an_yaml_node *node)
{
    struct box {
        double width, height;
        struct group group;
    } box = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"width-mm", AN_FIELD_DOUBLE, true, offsetof(struct box, width), NULL},
        {"height-mm", AN_FIELD_DOUBLE, true, offsetof(struct box, height), NULL},
        GROUP_FIELDS(struct box),
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &box, reading->reterr));
    reading->look->width_mm = box.width;
    reading->look->height_mm = box.height;
    return close_group(reading, node, box.group, &reading->look->box_citation);
}

static an_code
read_place(struct look_reading *reading, const struct an_yaml_node *node)
{
    struct place {
        int where, page, other;
        bool avoid_text;
        double overlap;
        struct group group;
    } place = {.page = 0, .other = -1};
    static const struct an_yaml_field FIELDS[] = {
        {"where", AN_FIELD_CHOICE, true, offsetof(struct place, where), PLACES},
        {"or-where", AN_FIELD_CHOICE, false, offsetof(struct place, other), PLACES},
        {"page", AN_FIELD_CHOICE, true, offsetof(struct place, page), PAGES},
        {"avoid-text", AN_FIELD_FLAG, false, offsetof(struct place, avoid_text), NULL},
        {"overlap", AN_FIELD_DOUBLE, false, offsetof(struct place, overlap), NULL},
        GROUP_FIELDS(struct place),
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &place, reading->reterr));
    if (place.overlap >= 1)
        return an_yaml_fail(reading->doc, an_yaml_find(node, "overlap"), reading->reterr, AN_E_YAML_TYPE,
                         "less than 1 is expected");
    struct an_look *look = reading->look;
    look->place = (enum an_look_place)place.where;
    look->last_page = place.page == 1;
    look->has_other_place = place.other >= 0;
    look->other_place = place.other >= 0 ? (enum an_look_place)place.other : look->place;
    look->avoid_text = place.avoid_text;
    look->overlap = place.overlap;
    return close_group(reading, node, place.group, &look->place_citation);
}

static an_code
read_margins(struct look_reading *reading, const struct an_yaml_node *node)
{
    struct margins {
        double top, side;
        struct group group;
    } margins = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"top-mm", AN_FIELD_DOUBLE, true, offsetof(struct margins, top), NULL},
        {"side-mm", AN_FIELD_DOUBLE, true, offsetof(struct margins, side), NULL},
        GROUP_FIELDS(struct margins),
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &margins, reading->reterr));
    reading->look->margin_top_mm = margins.top;
    reading->look->margin_side_mm = margins.side;
    return close_group(reading, node, margins.group, &reading->look->margins_citation);
}

/* Every {…} of a template must be one that the signer knows. */
static an_code
check_template(struct look_reading *reading, const struct an_yaml_node *node, const char *template)
{
    static const char *const KNOWN[] = {"{number}", "{copy_kind}", "{agency}",      "{time}",
                                        "{name}",   "{email}",     "{organisation}"};
    struct an_look *look = reading->look;

    for (const char *at = strchr(template, '{'); at; at = strchr(at + 1, '{')) {
        size_t i = 0;
        while (i < AN_COUNT(KNOWN) && strncmp(at, KNOWN[i], strlen(KNOWN[i])) != 0)
            i++;
        if (i == AN_COUNT(KNOWN))
            return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_TYPE, "unknown field in \"%.60s\"",
                             template);
        look->requires_number |= i == 0;
        look->requires_copy_kind |= i == 1;
        look->requires_agency |= i == 2;
        reading->shows_time |= i == 3;
    }
    return AN_OK;
}

static an_code
read_text(struct look_reading *reading, const struct an_yaml_node *node)
{
    struct text {
        struct an_yaml_texts lines;
        struct group group;
    } text = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"lines", AN_FIELD_TEXTS, true, offsetof(struct text, lines), NULL},
        GROUP_FIELDS(struct text),
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &text, reading->reterr));
    for (size_t i = 0; i < text.lines.count; i++)
        AN_TRY(check_template(reading, node, text.lines.items[i]));
    reading->look->lines = text.lines.items;
    reading->look->line_count = text.lines.count;
    return close_group(reading, node, text.group, &reading->look->text_citation);
}

static an_code
read_font(struct look_reading *reading, const struct an_yaml_node *node)
{
    struct font {
        const char *name;
        double size, red, green, blue;
        struct group group;
    } font = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"name", AN_FIELD_TEXT, true, offsetof(struct font, name), NULL},
        {"size-pt", AN_FIELD_DOUBLE, true, offsetof(struct font, size), NULL},
        {"red", AN_FIELD_DOUBLE, false, offsetof(struct font, red), NULL},
        {"green", AN_FIELD_DOUBLE, false, offsetof(struct font, green), NULL},
        {"blue", AN_FIELD_DOUBLE, false, offsetof(struct font, blue), NULL},
        GROUP_FIELDS(struct font),
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &font, reading->reterr));
    if (font.size < 1 || font.size > 200 || font.red > 1 || font.green > 1 || font.blue > 1)
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_TYPE, "size 1 to 200, colours 0 to 1");
    struct an_look *look = reading->look;
    look->font = font.name;
    look->size_pt = font.size;
    look->red = font.red;
    look->green = font.green;
    look->blue = font.blue;
    return close_group(reading, node, font.group, &look->font_citation);
}

/* Groups that are one text with its citation: time.format, footer.line. */
struct one_text {
    const char *text;
    struct group group;
};

static an_code
read_time(struct look_reading *reading, const struct an_yaml_node *node)
{
    struct one_text time = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"format", AN_FIELD_TEXT, true, offsetof(struct one_text, text), NULL},
        GROUP_FIELDS(struct one_text),
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &time, reading->reterr));
    reading->look->time_format = time.text;
    return close_group(reading, node, time.group, &reading->look->time_citation);
}

static an_code
read_footer(struct look_reading *reading, const struct an_yaml_node *node)
{
    struct one_text footer = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"line", AN_FIELD_TEXT, true, offsetof(struct one_text, text), NULL},
        GROUP_FIELDS(struct one_text),
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &footer, reading->reterr));
    AN_TRY(check_template(reading, node, footer.text));
    reading->look->footer = footer.text;
    return close_group(reading, node, footer.group, &reading->look->footer_citation);
}

/* Groups that are one truth value with its citation: order.person-first, same-file.signs. */
struct one_flag {
    bool flag;
    struct group group;
};

static an_code
read_order(struct look_reading *reading, const struct an_yaml_node *node)
{
    struct one_flag order = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"person-first", AN_FIELD_FLAG, true, offsetof(struct one_flag, flag), NULL},
        GROUP_FIELDS(struct one_flag),
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &order, reading->reterr));
    reading->look->requires_person_first = order.flag;
    return close_group(reading, node, order.group, &reading->look->order_citation);
}

static an_code
read_same_file(struct look_reading *reading, const struct an_yaml_node *node)
{
    struct one_flag same_file = {.flag = true};
    static const struct an_yaml_field FIELDS[] = {
        {"separate-signature", AN_FIELD_FLAG, true, offsetof(struct one_flag, flag), NULL},
        GROUP_FIELDS(struct one_flag),
    };
    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &same_file, reading->reterr));
    reading->look->same_file_unsigned = !same_file.flag;
    return close_group(reading, node, same_file.group, &reading->look->same_file_citation);
}

static an_code
read_name(struct look_reading *reading, const struct an_yaml_node *node)
{
    struct an_look *look = reading->look;
    static const struct an_yaml_field FIELDS[] = {
        {"vi", AN_FIELD_TEXT, true, offsetof(struct an_look, name_vi), NULL},
        {"en", AN_FIELD_TEXT, true, offsetof(struct an_look, name_en), NULL},
    };
    return an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), look, reading->reterr);
}

/* The groups of a look, and who reads them. */
static const struct {
    const char *key;
    bool required;
    an_code (*read)(struct look_reading *reading, const struct an_yaml_node *node);
} GROUPS[] = {
    {"name", true, read_name},    {"image", true, read_image},          {"box", false, read_box},
    {"place", true, read_place},  {"margins", false, read_margins},     {"text", false, read_text},
    {"font", false, read_font},   {"time", false, read_time},           {"footer", false, read_footer},
    {"order", false, read_order}, {"same-file", false, read_same_file},
};

static an_code
read_groups(struct look_reading *reading, const struct an_yaml_node *map)
{
    for (size_t i = 0; i < AN_COUNT(GROUPS); i++) {
        const struct an_yaml_node *node = an_yaml_find(map, GROUPS[i].key);
        if (node)
            AN_TRY(GROUPS[i].read(reading, node));
    }
    struct an_look *look = reading->look;
    if ((look->line_count > 0 || look->footer) && !look->font)
        return an_yaml_fail(reading->doc, map, reading->reterr, AN_E_YAML_MISSING, "text needs a \"font\"");
    if (reading->shows_time && !look->time_format)
        return an_yaml_fail(reading->doc, map, reading->reterr, AN_E_YAML_MISSING, "{time} needs \"time\"");
    if (!look->time_format)
        look->time_format = "iso8601";
    bool is_on_page = look->place >= AN_LOOK_PAGE_TOP_RIGHT && look->place <= AN_LOOK_PAGE_BOTTOM_RIGHT;
    if (is_on_page && !an_yaml_find(map, "margins"))
        return an_yaml_fail(reading->doc, map, reading->reterr, AN_E_YAML_MISSING, "this place needs \"margins\"");
    return AN_OK;
}

static an_code
read_look(struct an_yaml_doc *doc, const struct an_yaml_node *map, const char *regulation, struct an_look *look,
          struct an_err *reterr)
{
    struct top {
        const char *cite;
        int signer;
        const struct an_yaml_node *group[AN_COUNT(GROUPS)];
    } top = {0};
    struct an_yaml_field fields[2 + AN_COUNT(GROUPS)] = {
        {"cite", AN_FIELD_CITATION, true, offsetof(struct top, cite), NULL},
        {"signer", AN_FIELD_CHOICE, true, offsetof(struct top, signer), SIGNERS},
    };
    for (size_t i = 0; i < AN_COUNT(GROUPS); i++)
        fields[2 + i] = (struct an_yaml_field){GROUPS[i].key, AN_FIELD_MAP, GROUPS[i].required,
                                       offsetof(struct top, group) + i * sizeof(top.group[0]), NULL};
    AN_TRY(an_yaml_read_fields(doc, map, fields, AN_COUNT(fields), &top, reterr));
    const char **unconfirmed = an_arena_alloc(doc->arena, sizeof(char *) * AN_COUNT(GROUPS));
    if (!unconfirmed)
        return an_yaml_fail(doc, map, reterr, AN_E_LIMIT, "too large");
    *look = (struct an_look){.id = map->key,
                             .citation = top.cite,
                             .regulation = regulation,
                             .signs = true,
                             .signer = (enum an_look_signer)top.signer,
                             .unconfirmed = unconfirmed};
    struct look_reading reading = {doc, look, unconfirmed, reterr, false};
    return read_groups(&reading, map);
}

an_code
looks_read(struct an_yaml_doc *doc, const struct an_yaml_node *map, const char *regulation, struct law_head *head,
           struct an_err *reterr)
{
    head->looks = an_arena_alloc(doc->arena, (map->count + 1) * sizeof(struct an_look));
    if (!head->looks)
        return an_yaml_fail(doc, map, reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *look = map->first; look; look = look->next)
        AN_TRY(read_look(doc, look, regulation, &head->looks[head->look_count++], reterr));
    return AN_OK;
}
