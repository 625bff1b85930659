/* An administrative document by NĐ 30/2020/NĐ-CP, Phụ lục I: order of its parts, sizes and faces of their letters. */
#include "layout/internal.h"

#include "base/time.h"

#include <math.h>

#define BODY_SIZE 14
#define INDENT (12.7 * MM)

static const struct style title_style = {
    .size = 14, .is_bold = true, .is_upper = true, .align = PANGO_ALIGN_CENTER, .space_before = 12};
static const struct style subject_style = {.size = 14, .is_bold = true, .align = PANGO_ALIGN_CENTER};
static const struct style centred_style = {
    .size = BODY_SIZE, .is_bold = true, .align = PANGO_ALIGN_CENTER, .space_before = 6, .is_upper = true};
static const struct style heading_style = {
    .size = BODY_SIZE, .is_bold = true, .align = PANGO_ALIGN_CENTER, .space_before = 8};
static const struct style basis_style = {
    .size = BODY_SIZE, .is_italic = true, .is_justified = true, .indent = INDENT, .space_before = 4};
static const struct style body_style = {.size = BODY_SIZE, .is_justified = true, .indent = INDENT, .space_before = 6};
static const struct style lead_style = {.size = BODY_SIZE, .space_before = 3};
static const struct style note_style = {.size = BODY_SIZE, .is_italic = true, .align = PANGO_ALIGN_CENTER};
static const struct style address_style = {.size = BODY_SIZE, .align = PANGO_ALIGN_CENTER, .space_before = 12};

/* A line below the subject, about a third of its length. */
static void
draw_rule_below(struct press *press, double width)
{
    draw_rule(press, press->left + (press_width(press) - width) / 2, press->y + 4, width, 0.75);
    press->y += 10;
}

static an_code
flow_title(struct press *press, struct an_arena *arena, const json_t *root, struct an_err *reterr)
{
    const char *type, *subject;

    AN_TRY(input_text(arena, root, "type", false, &type, reterr));
    AN_TRY(input_text(arena, root, "subject", true, &subject, reterr));
    if (type[0] == '\0')
        return AN_OK; /* an official letter: its subject stands under the number */
    AN_TRY(flow_text(press, type, &title_style, 0, reterr));
    AN_TRY(flow_text(press, subject, &subject_style, 0, reterr));
    draw_rule_below(press, press_width(press) / 4);
    return AN_OK;
}

static an_code
flow_list(struct press *press, struct an_arena *arena, const json_t *root, const char *key, const struct style *style,
          struct an_err *reterr)
{
    json_t *list = NULL;
    const char *text;

    AN_TRY(input_list(root, key, &list, reterr));
    for (size_t i = 0; i < json_array_size(list); i++) {
        AN_TRY(input_item(arena, list, i, key, &text, reterr));
        AN_TRY(flow_text(press, text, style, 0, reterr));
    }
    return AN_OK;
}

static an_code
flow_addressees(struct press *press, struct an_arena *arena, const json_t *root, struct an_err *reterr)
{
    struct style list_style = body_style;
    json_t *list = NULL;
    const char *text;

    AN_TRY(input_list(root, "to", &list, reterr));
    if (json_array_size(list) == 1) {
        AN_TRY(input_item(arena, list, 0, "to", &text, reterr));
        AN_CLEANUP(an_free_ptr) char *line = an_asprintf("Kính gửi: %s", text);
        return flow_text(press, line, &address_style, 0, reterr);
    }
    if (list == NULL)
        return AN_OK;
    list_style.indent = 40 * MM;
    list_style.is_justified = false;
    AN_TRY(flow_text(press, "Kính gửi:", &list_style, 0, reterr));
    list_style.space_before = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        AN_TRY(input_item(arena, list, i, "to", &text, reterr));
        AN_CLEANUP(an_free_ptr) char *line = an_asprintf("%s%s", text[0] == '-' ? "" : "- ", text);
        AN_TRY(flow_text(press, line, &list_style, 0, reterr));
    }
    return AN_OK;
}

/* A heading alone at the foot of a page belongs to the next one. */
static an_code
flow_heading(struct press *press, const char *heading, const char *title, struct an_err *reterr)
{
    struct style title_below = heading_style;

    title_below.space_before = 0;
    title_below.is_upper = true;
    if (press_rest(press) < 5 * heading_style.size * 1.2)
        AN_TRY(press_break_page(press, reterr));
    AN_TRY(flow_text(press, heading, &heading_style, 0, reterr));
    return title[0] ? flow_text(press, title, &title_below, 0, reterr) : AN_OK;
}

/* "Điều 1." is bold, and its title too when it has one; the text follows on the same line when it has none. */
static an_code
flow_article(struct press *press, const char *article, const char *title, const char *text, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *line = an_asprintf("%s %s", article, title[0] ? title : text);

    if (press_rest(press) < 3 * body_style.size * 1.2)
        AN_TRY(press_break_page(press, reterr));
    AN_TRY(flow_text(press, line, &body_style, title[0] ? strlen(line) : strlen(article), reterr));
    return title[0] && text[0] ? flow_text(press, text, &body_style, 0, reterr) : AN_OK;
}

static an_code
flow_body_item(struct press *press, struct an_arena *arena, const json_t *item, struct an_err *reterr)
{
    const char *heading, *article, *title, *text;

    if (json_object_get(item, "table") != NULL || json_object_get(item, "rows") != NULL)
        return flow_table(press, arena, item, reterr);
    if (json_is_string(item)) {
        json_t *list = json_pack("[O]", item);
        an_code code = input_item(arena, list, 0, "body", &text, reterr);
        json_decref(list);
        return code != AN_OK ? code : flow_text(press, text, &body_style, 0, reterr);
    }
    AN_TRY(input_text(arena, item, "lead", false, &text, reterr));
    if (text[0] != '\0')
        return flow_text(press, text, &lead_style, json_is_true(json_object_get(item, "bold")) ? strlen(text) : 0,
                         reterr);
    AN_TRY(input_text(arena, item, "heading", false, &heading, reterr));
    AN_TRY(input_text(arena, item, "article", false, &article, reterr));
    AN_TRY(input_text(arena, item, "title", false, &title, reterr));
    AN_TRY(input_text(arena, item, "text", heading[0] == '\0' && title[0] == '\0', &text, reterr));
    if (heading[0] != '\0')
        return flow_heading(press, heading, title, reterr);
    if (article[0] != '\0')
        return flow_article(press, article, title, text, reterr);
    return flow_text(press, text, &body_style, 0, reterr);
}

/* Its text, when a line without indent that is not bold. */
static const char *
plain_lead(struct an_arena *arena, const json_t *item)
{
    const char *text = "";

    if (!json_is_string(json_object_get(item, "lead")) || json_is_true(json_object_get(item, "bold")) ||
        input_text(arena, item, "lead", false, &text, NULL) != AN_OK)
        return NULL;
    return text;
}

/* On a page that lies on its side two short lines of a list of fields stand side by side. */
static bool
flow_pair(struct press *press, struct an_arena *arena, const json_t *list, size_t i)
{
    const char *left = plain_lead(arena, json_array_get(list, i));
    const char *right = plain_lead(arena, json_array_get(list, i + 1));
    double half = press_width(press) / 2;

    if (press->page_width < press->page_height || left == NULL || right == NULL)
        return false;
    AN_CLEANUP(free_text) PangoLayout *one = build_text(press, left, &lead_style, half * 4, 0);
    AN_CLEANUP(free_text) PangoLayout *two = build_text(press, right, &lead_style, half * 4, 0);
    if (fmax(text_width(one), text_width(two)) > half - 12 || press_rest(press) < 3 * lead_style.size)
        return false;
    press->y += lead_style.space_before;
    draw_text(press, two, &lead_style, press->left + half, press->y);
    press->y += draw_text(press, one, &lead_style, press->left, press->y);
    return true;
}

/* The signature never stands on a page without text: the last paragraph goes with it, when it is not too long. */
static an_code
keep_with_foot(struct press *press, const json_t *item, double height, struct an_err *reterr)
{
    const char *text =
        json_is_string(item) ? json_string_value(item) : json_string_value(json_object_get(item, "text"));
    AN_CLEANUP(free_text) PangoLayout *last = build_text(press, text ? text : "", &body_style, press_width(press), 0);
    double wanted = text_height(last, &body_style) + body_style.space_before + height + BODY_SIZE;

    if (wanted > press_rest(press) && wanted < press->page_height - press->top - press->bottom && press->y > press->top)
        return press_break_page(press, reterr);
    return AN_OK;
}

static an_code
flow_body(struct press *press, struct an_arena *arena, const json_t *root, double foot, struct an_err *reterr)
{
    json_t *list = NULL;

    AN_TRY(input_list(root, "body", &list, reterr));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (foot > 0 && i + 1 == json_array_size(list))
            AN_TRY(keep_with_foot(press, item, foot, reterr));
        if (flow_pair(press, arena, list, i))
            i++;
        else
            AN_TRY(flow_body_item(press, arena, item, reterr));
    }
    return AN_OK;
}

static an_code
flow_appendix(struct press *press, struct an_arena *arena, const json_t *appendix, struct an_err *reterr)
{
    const char *label, *title, *note;

    AN_TRY(input_text(arena, appendix, "label", true, &label, reterr));
    AN_TRY(input_text(arena, appendix, "title", true, &title, reterr));
    AN_TRY(input_text(arena, appendix, "note", false, &note, reterr));
    AN_TRY(press_begin_part(press, reterr));
    AN_TRY(flow_text(press, label, &subject_style, 0, reterr));
    AN_TRY(flow_text(press, title,
                     &(struct style){.size = 14, .is_bold = true, .is_upper = true, .align = PANGO_ALIGN_CENTER}, 0,
                     reterr));
    if (note[0] != '\0')
        AN_TRY(flow_text(press, note, &note_style, 0, reterr));
    draw_rule_below(press, press_width(press) / 4);
    return flow_body(press, arena, appendix, 0, reterr);
}

/* What comes between the title and the numbered text of a decision. */
static an_code
flow_grounds(struct press *press, struct an_arena *arena, const json_t *root, struct an_err *reterr)
{
    const char *authority, *decides;

    AN_TRY(input_text(arena, root, "authority", false, &authority, reterr));
    AN_TRY(input_text(arena, root, "decides", false, &decides, reterr));
    if (authority[0] != '\0')
        AN_TRY(flow_text(press, authority, &centred_style, 0, reterr));
    AN_TRY(flow_list(press, arena, root, "bases", &basis_style, reterr));
    return decides[0] ? flow_text(press, decides, &centred_style, 0, reterr) : AN_OK;
}

static an_code
flow_document(struct press *press, struct an_arena *arena, const json_t *root, struct an_err *reterr)
{
    struct signatures signatures = {0};
    json_t *appendices = NULL;
    bool has_foot = json_object_get(root, "signature") != NULL || json_object_get(root, "signatures") != NULL;

    AN_TRY(draw_head(press, arena, root, reterr));
    AN_TRY(flow_title(press, arena, root, reterr));
    AN_TRY(flow_addressees(press, arena, root, reterr));
    AN_TRY(flow_grounds(press, arena, root, reterr));
    if (has_foot)
        AN_TRY(read_signatures(arena, root, &signatures, reterr));
    AN_TRY(flow_body(press, arena, root, has_foot ? signatures_height(press, arena, &signatures) : 0, reterr));
    if (has_foot)
        AN_TRY(draw_signatures(press, arena, &signatures, reterr));
    AN_TRY(input_list(root, "appendices", &appendices, reterr));
    for (size_t i = 0; i < json_array_size(appendices); i++)
        AN_TRY(flow_appendix(press, arena, json_array_get(appendices, i), reterr));
    return AN_OK;
}

an_code
layout_van_ban(struct an_arena *arena, const json_t *root, struct an_buf *out, struct an_err *reterr)
{
    AN_CLEANUP(press_free) struct press press = {0};
    struct document_facts facts;
    const char *type, *subject;

    AN_TRY(input_text(arena, root, "type", false, &type, reterr));
    AN_TRY(input_text(arena, root, "subject", true, &subject, reterr));
    AN_TRY(input_text(arena, root, "agency", true, &facts.author, reterr));
    AN_TRY(input_text(arena, root, "number", false, &facts.subject, reterr));
    AN_TRY(input_text(arena, root, "keywords", false, &facts.keywords, reterr));
    AN_TRY(input_text(arena, root, "made", false, &facts.made, reterr));
    if (facts.made[0] != '\0' && an_time_parse(an_bytes_of_str(facts.made)) == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "made: \"%.40s\"", facts.made);
    AN_CLEANUP(an_free_ptr) char *title = an_asprintf("%s%s%s", type, type[0] ? " " : "", subject);
    facts.title = title;
    AN_TRY(press_open(&press, out, &facts, reterr));
    if (json_is_true(json_object_get(root, "landscape")))
        press_turn(&press);
    AN_TRY(flow_document(&press, arena, root, reterr));
    return press_close(&press, reterr);
}
