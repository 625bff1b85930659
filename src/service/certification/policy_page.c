#include "service/certification/policy_page.h"

#include "base/program.h"
#include "yaml/yaml.h"

void
an_html_text(struct an_buf *out, an_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        switch (text.ptr[i]) {
        case '<': an_buf_str(out, "&lt;"); break;
        case '>': an_buf_str(out, "&gt;"); break;
        case '&': an_buf_str(out, "&amp;"); break;
        case '"': an_buf_str(out, "&quot;"); break;
        case '\'': an_buf_str(out, "&#39;"); break;
        default: an_buf_byte(out, text.ptr[i]);
        }
}

/* ---- the file ---- */
struct both { const char *vi, *en; };
struct chapter { const char *number; const struct an_yaml_node *title, *items; bool has_profiles; };
struct item { const char *number, *vi, *en, *citation; bool is_unconfirmed; };
struct content { const struct an_yaml_node *title, *chapters; const char *policy, *version; };

static const struct an_yaml_field BOTH[] = {
    {"vi", AN_FIELD_TEXT, true, offsetof(struct both, vi), NULL}, {"en", AN_FIELD_TEXT, true, offsetof(struct both, en),
                                                                   NULL}};
static const struct an_yaml_field CHAPTER[] = {
    {"number", AN_FIELD_TEXT, true, offsetof(struct chapter, number), NULL}, {"title", AN_FIELD_MAP, true, offsetof(struct chapter, title), NULL},
    {"items", AN_FIELD_LIST, true, offsetof(struct chapter, items), NULL},
    {"profiles", AN_FIELD_FLAG, false, offsetof(struct chapter, has_profiles), NULL}};
static const struct an_yaml_field ITEM[] = {
    {"number", AN_FIELD_TEXT, true, offsetof(struct item, number), NULL}, {"vi", AN_FIELD_TEXT, true, offsetof(struct item, vi), NULL},
    {"en", AN_FIELD_TEXT, true, offsetof(struct item, en), NULL}, {"cite", AN_FIELD_CITATION, false, offsetof(struct item, citation), NULL},
    {"unconfirmed", AN_FIELD_FLAG, false, offsetof(struct item, is_unconfirmed), NULL}};
static const struct an_yaml_field CONTENT[] = {
    {"title", AN_FIELD_MAP, true, offsetof(struct content, title), NULL}, {"policy", AN_FIELD_TEXT, true, offsetof(struct content, policy), NULL},
    {"version", AN_FIELD_TEXT, true, offsetof(struct content, version), NULL},
    {"chapters", AN_FIELD_LIST, true, offsetof(struct content, chapters), NULL}};

struct writer {
    const struct an_policy_page *page;
    struct an_yaml_doc *doc;
    struct content content;
    struct an_buf *out;
};

static an_code
read_both(const struct writer *w, const struct an_yaml_node *node, struct both *ret, struct an_err *reterr)
{
    return an_yaml_read_fields(w->doc, node, BOTH, AN_COUNT(BOTH), ret, reterr);
}

/* {name}, {base_url}, {policy} */
static void
put_filled(const struct writer *w, const char *text)
{
    const struct { const char *mark, *value; } words[] = {
        {"{name}", w->page->name}, {"{base_url}", w->page->base_url}, {"{policy}", w->content.policy}};

    while (*text != '\0') {
        size_t plain = strcspn(text, "{");
        bool is_filled = false;
        an_html_text(w->out, AN_BYTES(text, plain));
        text += plain;
        for (size_t i = 0; i < AN_COUNT(words) && !is_filled; i++)
            if (strncmp(text, words[i].mark, strlen(words[i].mark)) == 0) {
                an_html_text(w->out, an_bytes_of_str(words[i].value));
                text += strlen(words[i].mark);
                is_filled = true;
            }
        if (!is_filled && *text == '{')
            an_buf_byte(w->out, (uint8_t)*text++);
    }
}

static void
put_citation(const struct writer *w, const char *citation)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(4096);

    if (citation == NULL)
        return;
    if (w->page->regulations != NULL)
        an_citation_text(w->page->regulations, citation, false, &text);
    an_buf_str(w->out, " <cite>");
    an_html_text(w->out, text.len > 0 ? an_buf_view(&text) : an_bytes_of_str(citation));
    an_buf_str(w->out, "</cite>");
}

static an_code
put_item(const struct writer *w, const struct an_yaml_node *node, struct an_err *reterr)
{
    struct item item = {0};

    AN_TRY(an_yaml_read_fields(w->doc, node, ITEM, AN_COUNT(ITEM), &item, reterr));
    if ((item.citation != NULL) == item.is_unconfirmed) /* it is one or the other, and said which */
        return an_yaml_fail(w->doc, node, reterr, AN_E_CP_PAGE, "cite, unconfirmed");
    if (item.citation != NULL && w->page->regulations != NULL)
        AN_TRY(an_citation_check(w->page->regulations, item.citation, reterr));
    an_buf_str(w->out, item.is_unconfirmed ? "<div class=\"item own\" id=\"s" : "<div class=\"item\" id=\"s");
    an_html_text(w->out, an_bytes_of_str(item.number));
    an_buf_str(w->out, "\"><p><b>");
    an_html_text(w->out, an_bytes_of_str(item.number));
    an_buf_str(w->out, "</b> ");
    put_filled(w, item.vi);
    put_citation(w, item.citation);
    if (item.is_unconfirmed)
        an_buf_str(w->out,
                   " <cite>tham số của hệ thống, chưa có văn bản xác nhận / a parameter here, not confirmed by a text</cite>");
    an_buf_str(w->out, "</p><p lang=\"en\">");
    put_filled(w, item.en);
    an_buf_str(w->out, "</p></div>\n");
    return AN_OK;
}

static void
put_profiles(const struct writer *w)
{
    an_buf_str(w->out,
               "<table><tr><th>Mã / Id</th><th>Loại chứng thư / Kind</th><th>Năm, tối đa / Years at most</th><th>Gia hạn / Renewed</th></tr>\n");
    for (size_t i = 0; i < an_profiles_count(w->page->profiles); i++) {
        const struct an_profile *profile = an_profiles_at(w->page->profiles, i);
        an_buf_str(w->out, "<tr><td>");
        an_html_text(w->out, an_bytes_of_str(profile->id));
        an_buf_str(w->out, "</td><td>");
        an_html_text(w->out, an_bytes_of_str(profile->name_vi));
        an_buf_str(w->out, "<br><span lang=\"en\">");
        an_html_text(w->out, an_bytes_of_str(profile->name_en));
        an_buf_printf(w->out, "</span></td><td>%lld</td><td>", (long long)profile->years_max);
        if (profile->renewed_years_max > 0)
            an_buf_printf(w->out, "%lld", (long long)profile->renewed_years_max);
        an_buf_str(w->out, "</td></tr>\n");
    }
    an_buf_str(w->out, "</table>\n");
}

static an_code
put_chapter(const struct writer *w, const struct an_yaml_node *node, struct an_err *reterr)
{
    struct chapter chapter = {0};
    struct both title = {0};

    AN_TRY(an_yaml_read_fields(w->doc, node, CHAPTER, AN_COUNT(CHAPTER), &chapter, reterr));
    AN_TRY(read_both(w, chapter.title, &title, reterr));
    an_buf_str(w->out, "<h2>");
    an_html_text(w->out, an_bytes_of_str(chapter.number));
    an_buf_str(w->out, ". ");
    an_html_text(w->out, an_bytes_of_str(title.vi));
    an_buf_str(w->out, " <span lang=\"en\">");
    an_html_text(w->out, an_bytes_of_str(title.en));
    an_buf_str(w->out, "</span></h2>\n");
    for (const struct an_yaml_node *item = chapter.items->first; item != NULL; item = item->next)
        AN_TRY(put_item(w, item, reterr));
    if (chapter.has_profiles && w->page->profiles != NULL)
        put_profiles(w);
    return AN_OK;
}

static const char head_open[] =
    "<!doctype html>\n<html lang=\"vi\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>";
static const char head_close[] =
    "</title><style>body{font:16px/1.5 serif;max-width:48em;margin:2em auto;padding:0 1em}[lang=en]{color:#555;font-style:italic}"
    "cite{font-size:85%;color:#046}.own{border-left:3px solid #b80;padding-left:.8em}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.2em .6em;text-align:left}</style></head><body>\n";

static an_code
put_page(const struct writer *w, struct an_err *reterr)
{
    struct both title = {0};

    AN_TRY(read_both(w, w->content.title, &title, reterr));
    an_buf_str(w->out, head_open);
    an_html_text(w->out, an_bytes_of_str(title.vi));
    an_buf_str(w->out, head_close);
    an_buf_str(w->out, "<h1>");
    an_html_text(w->out, an_bytes_of_str(title.vi));
    an_buf_str(w->out, "<br><span lang=\"en\">");
    an_html_text(w->out, an_bytes_of_str(title.en));
    an_buf_str(w->out, "</span></h1>\n<p>");
    an_html_text(w->out, an_bytes_of_str(w->page->name));
    an_buf_str(w->out, " · OID ");
    an_html_text(w->out, an_bytes_of_str(w->content.policy));
    an_buf_str(w->out, " · ");
    an_html_text(w->out, an_bytes_of_str(w->content.version));
    an_buf_str(w->out, "</p>\n");
    for (const struct an_yaml_node *chapter = w->content.chapters->first; chapter != NULL; chapter = chapter->next)
        AN_TRY(put_chapter(w, chapter, reterr));
    an_buf_str(w->out, "</body></html>\n");
    return an_buf_ok(w->out) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "cp");
}

an_code
an_policy_page_write(const struct an_policy_page *page, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = page->path != NULL ? an_strdup(page->path)
            : an_asprintf("%s/docs/cp-cps/cp.yaml", an_program_data());
    struct writer writer = {.page = page, .out = ret};
    an_code code = an_yaml_load(path, NULL, &writer.doc, reterr);

    if (code == AN_OK)
        code = an_yaml_read_fields(writer.doc, writer.doc->root, CONTENT, AN_COUNT(CONTENT), &writer.content, reterr);
    if (code == AN_OK)
        code = put_page(&writer, reterr);
    an_yaml_free(&writer.doc);
    return code;
}
