/* What was found, as JSON and as a page. */
#include "service/certification/policy_page.h"
#include "service/certification/search.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *
moment(an_time at)
{
    char text[AN_TIME_TEXT_MAX];

    return at == AN_TIME_NONE ? json_null() : json_string(an_time_format_vn(at, text));
}

struct rows { json_t *list; struct an_buf *out; int64_t last; size_t count; };

static void
add_json(void *context, const struct an_found *found)
{
    struct rows *rows = context;

    rows->last = found->id;
    json_array_append_new(rows->list, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:i}", "serial",
                                                found->serial, "subject", found->subject, "profile", found->profile,
                                                "issuer", found->authority, "not_before", moment(found->not_before),
                                                "not_after", moment(found->not_after), "status",
                                                an_public_status_word(found->status, true), "revoked_at",
                                                moment(found->revoked_at), "reason", found->reason));
}

an_code
an_public_search_json(struct an_store *store, const struct an_public_search *search, an_time now, struct an_buf *ret,
                      struct an_err *reterr)
{
    struct rows rows = {.list = json_array()};
    bool has_more = false;
    an_code code = an_public_search_run(store, search, now, add_json, &rows, &has_more, reterr);
    json_t *root;
    char *text;

    if (code != AN_OK) {
        json_decref(rows.list);
        return code;
    }
    root = json_pack("{s:o, s:o}", "certificates", rows.list, "next", has_more ? json_integer(rows.last) : json_null());
    text = json_dumps(root, JSON_COMPACT);
    an_buf_str(ret, text);
    an_buf_byte(ret, '\n');
    free(text);
    json_decref(root);
    return an_buf_ok(ret) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "search");
}

/* ---- the page ---- */
static const char page_open[] =
    "<!doctype html>\n<html lang=\"vi\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
    "<meta name=\"robots\" content=\"noindex\"><title>Tìm kiếm chứng thư chữ ký số</title><style>body{font:16px/1.5 sans-serif;max-width:60em;"
    "margin:2em auto;padding:0 1em}label{display:inline-block;min-width:16em}table{border-collapse:collapse;margin-top:1em}td,th{border:1px solid "
    "#999;padding:.2em .6em;text-align:left;vertical-align:top}.no{color:#a00}</style></head><body>\n<h1>Tìm kiếm chứng thư chữ ký số "
    "<small lang=\"en\">Certificate search</small></h1>\n";
static const struct { const char *name, *label; } inputs[] = {
    {"serial", "Số hiệu chứng thư / Serial number"}, {"subject", "Tên chủ thể / Subject"}, {"agency", "Cơ quan, tổ chức / Agency"},
    {"email", "Thư điện tử công vụ (đầy đủ) / Official e-mail (whole)"}};

static void
put_form(struct an_buf *out)
{
    for (size_t i = 0; i < AN_COUNT(inputs); i++)
        an_buf_printf(out,
                      "<form action=\"/search\"><label for=\"%s\">%s</label> <input id=\"%s\" name=\"%s\" required minlength=\"2\" maxlength=\"256\"> "
                           "<button>Tìm / Search</button></form>\n", inputs[i].name, inputs[i].label, inputs[i].name,
                           inputs[i].name);
}

static void
put_cell(struct an_buf *out, const char *text)
{
    an_buf_str(out, "<td>");
    an_html_text(out, an_bytes_of_str(text));
    an_buf_str(out, "</td>");
}

static void
add_row(void *context, const struct an_found *found)
{
    struct rows *rows = context;
    char text[AN_TIME_TEXT_MAX];

    if (rows->count++ == 0)
        an_buf_str(rows->out,
                   "<table><tr><th>Số hiệu / Serial</th><th>Chủ thể / Subject</th><th>Từ / From</th><th>Đến / To</th><th>Trạng thái / Status</th></tr>\n");
    rows->last = found->id;
    an_buf_printf(rows->out, "<tr><td><a href=\"/search/%s.crt\">%s</a></td>", found->serial, found->serial);
    put_cell(rows->out, found->subject);
    put_cell(rows->out, an_time_format_vn(found->not_before, text));
    put_cell(rows->out, an_time_format_vn(found->not_after, text));
    an_buf_printf(rows->out, "<td%s>%s / %s", found->status != 0 ? " class=\"no\"" : "",
                  an_public_status_word(found->status, false), an_public_status_word(found->status, true));
    if (found->revoked_at != AN_TIME_NONE)
        an_buf_printf(rows->out, "<br>%s", an_time_format_vn(found->revoked_at, text));
    an_buf_str(rows->out, "</td></tr>\n");
}

/* A value of a query, percent-encoded. */
static void
put_query(struct an_buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        if ((*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z'))
            an_buf_byte(out, (uint8_t)*text);
        else
            an_buf_printf(out, "%%%02X", (unsigned)(uint8_t)*text);
}

static void
put_next(struct an_buf *out, const struct an_public_search *search, int64_t last)
{
    const struct { const char *name, *value; } fields[] = {{"subject", search->subject}, {"agency", search->agency},
                                                           {"email", search->email}};

    for (size_t i = 0; i < AN_COUNT(fields); i++)
        if (fields[i].value != NULL) {
            an_buf_printf(out, "<p><a rel=\"next\" href=\"/search?after=%lld&amp;%s=", (long long)last, fields[i].name);
            put_query(out, fields[i].value);
            an_buf_str(out, "\">Trang sau / Next page</a></p>\n");
        }
}

static void
put_refusal(struct an_buf *out, const struct an_err *err)
{
    const struct an_message *message = an_message_find(err->code);

    an_buf_str(out, "<p class=\"no\">");
    an_html_text(out, an_bytes_of_str(message->vi));
    an_buf_str(out, "<br><span lang=\"en\">");
    an_html_text(out, an_bytes_of_str(message->en));
    an_buf_str(out, "</span></p>\n");
}

an_code
an_public_search_page(struct an_store *store, const struct an_public_search *search, an_time now, struct an_buf *ret,
                      struct an_err *reterr)
{
    struct rows rows = {.out = ret};
    struct an_err err = {0};
    bool has_more = false;
    an_code code = AN_OK;

    an_buf_str(ret, page_open);
    put_form(ret);
    if (search != NULL)
        code = an_public_search_run(store, search, now, add_row, &rows, &has_more, &err);
    if (code == AN_E_SEARCH_QUERY) {
        put_refusal(ret, &err);
    } else if (code != AN_OK) {
        if (reterr != NULL)
            *reterr = err;
        return code;
    }
    if (rows.count > 0)
        an_buf_str(ret, "</table>\n");
    else if (search != NULL && code == AN_OK)
        an_buf_str(ret, "<p>Không tìm thấy / Nothing found</p>\n");
    if (has_more)
        put_next(ret, search, rows.last);
    an_buf_str(ret, "</body></html>\n");
    return an_buf_ok(ret) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "search");
}
