/* A report: title, headings, paragraphs, tables, pictures. */
#include "layout/internal.h"

#define NARROW_RIGHT (15 * MM)

static const struct style title_style = {.size = 15, .is_bold = true, .is_upper = true, .align = PANGO_ALIGN_CENTER};
static const struct style subtitle_style = {
    .size = 13, .is_italic = true, .align = PANGO_ALIGN_CENTER, .space_before = 2};
static const struct style text_style = {.size = 13, .is_justified = true, .space_before = 5};
static const struct style heading_styles[] = {
    {.size = 14, .is_bold = true, .space_before = 12},
    {.size = 13, .is_bold = true, .space_before = 8},
    {.size = 13, .is_bold = true, .is_italic = true, .space_before = 6},
};

static an_code
flow_heading(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr)
{
    json_int_t level = json_object_get(block, "level") ? json_integer_value(json_object_get(block, "level")) : 1;
    const char *heading;

    if (level < 1 || level > (json_int_t)AN_COUNT(heading_styles))
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "level: 1 to %zu", AN_COUNT(heading_styles));
    AN_TRY(input_text(arena, block, "heading", true, &heading, reterr));
    if (press_rest(press) < 60)
        AN_TRY(press_break_page(press, reterr));
    return flow_text(press, heading, &heading_styles[level - 1], 0, reterr);
}

static an_code
flow_paragraph(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr)
{
    const char *text;

    AN_TRY(input_text(arena, block, "text", true, &text, reterr));
    return flow_text(press, text, &text_style, 0, reterr);
}

/* The key that a block has says what it is. */
static const struct {
    const char *key;
    an_code (*flow)(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr);
} block_table[] = {
    {"heading", flow_heading}, {"table", flow_table},    {"rows", flow_table},
    {"banner", flow_banner},   {"facts", flow_facts},     {"signer", flow_signer},
    {"checks", flow_checks},   {"small", flow_small},     {"break", flow_break},
    {"picture", flow_picture}, {"text", flow_paragraph},
};

static an_code
flow_block(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr)
{
    for (size_t i = 0; i < AN_COUNT(block_table); i++)
        if (json_object_get(block, block_table[i].key) != NULL)
            return block_table[i].flow(press, arena, block, reterr);
    AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "blocks: an unknown block");
}

an_code
layout_bao_cao(struct an_arena *arena, const json_t *root, struct an_buf *out, struct an_err *reterr)
{
    AN_CLEANUP(press_free) struct press press = {0};
    struct document_facts facts = {.subject = ""};
    const char *subtitle;
    json_t *blocks = NULL;

    AN_TRY(input_text(arena, root, "title", true, &facts.title, reterr));
    AN_TRY(input_text(arena, root, "author", false, &facts.author, reterr));
    AN_TRY(input_text(arena, root, "subtitle", false, &subtitle, reterr));
    AN_TRY(input_list(root, "blocks", &blocks, reterr));
    AN_TRY(press_open(&press, out, &facts, reterr));
    press.right = NARROW_RIGHT; /* NĐ 30/2020 Phụ lục I allows 15 to 20 mm: tables want the width */
    AN_TRY(flow_text(&press, facts.title, &title_style, 0, reterr));
    if (subtitle[0] != '\0')
        AN_TRY(flow_text(&press, subtitle, &subtitle_style, 0, reterr));
    for (size_t i = 0; i < json_array_size(blocks); i++)
        AN_TRY(flow_block(&press, arena, json_array_get(blocks, i), reterr));
    return press_close(&press, reterr);
}
