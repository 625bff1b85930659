/* SPDX-License-Identifier: GPL-3.0-or-later */
/* antin-render: one question, one answer, until the socket closes. No network, no files but fonts, limited memory. */
#include "base/limits.h"
#include "proc/json.h"
#include "proc/proc.h"
#include "render/internal.h"

#include <jansson.h>
#include <unistd.h>

#define RENDER_MEMORY_BYTES (UINT64_C(1536) * 1024 * 1024)
#define RENDER_CPU_SECONDS 600 /* of the whole process; its client starts another one */

/* Values of the question, with what stands for a missing one. */
struct question {
    const char *text, *password;
    int page, dpi;
    struct ink_box box;
};

static void
add_hit(void *list, double x0, double y0, double x1, double y1)
{
    json_array_append_new(list, json_pack("{s:f, s:f, s:f, s:f}", "x0", x0, "y0", y0, "x1", x1, "y1", y1));
}

static an_code
find_on_page(PopplerDocument *document, int number, an_bytes needle, json_t *hits, struct an_err *reterr)
{
    AN_CLEANUP(free_page) PopplerPage *page = NULL;
    AN_CLEANUP(glyphs_done) struct glyphs glyphs = {0};
    size_t before = json_array_size(hits);

    AN_TRY(open_page(document, &number, &page, reterr));
    AN_TRY(read_glyphs(page, &glyphs, reterr));
    search_glyphs(&glyphs, needle, RENDER_HITS_MAX - before, add_hit, hits);
    for (size_t i = before; i < json_array_size(hits); i++)
        json_object_set_new(json_array_get(hits, i), "page", json_integer(number));
    return AN_OK;
}

static an_code
answer_text(PopplerDocument *document, const struct question *question, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf needle = an_buf_new(AN_LIMIT_LOOK_TEXT * 4);
    AN_CLEANUP(an_json_free)
    json_t *root = json_pack("{s:i, s:[]}", "pages", poppler_document_get_n_pages(document), "hits");
    json_t *hits = json_object_get(root, "hits");
    int pages = poppler_document_get_n_pages(document);

    fold_needle(&needle, an_bytes_of_str(question->text));
    if (needle.len == 0)
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "no text to find");
    for (int i = 0; i < pages && json_array_size(hits) < RENDER_HITS_MAX; i++)
        AN_TRY(find_on_page(document, i, an_buf_view(&needle), hits, reterr));
    an_json_write(ret, root);
    return AN_OK;
}

static an_code
answer_page(PopplerDocument *document, const struct question *question, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(free_page) PopplerPage *page = NULL;
    int number = question->page;

    AN_TRY(open_page(document, &number, &page, reterr));
    return draw_page(page, question->dpi, ret, reterr);
}

static void
write_lines(PopplerDocument *document, PopplerPage *page, int number, const struct text_lines *lines,
            struct an_buf *ret)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    json_t *list = json_array();
    double width = 0, height = 0;

    poppler_page_get_size(page, &width, &height);
    for (size_t i = 0; i < lines->count; i++) {
        const struct text_line *line = &lines->items[i];
        json_array_append_new(list, json_pack("{s:s, s:f, s:f, s:f, s:f}", "text", line->text, "x0", line->x0, "y0",
                                              line->y0, "x1", line->x1, "y1", line->y1));
    }
    root = json_pack("{s:i, s:i, s:f, s:f, s:o}", "page", number, "pages", poppler_document_get_n_pages(document),
                     "width", width, "height", height, "lines", list);
    an_json_write(ret, root);
}

static an_code
answer_lines(PopplerDocument *document, const struct question *question, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(free_page) PopplerPage *page = NULL;
    AN_CLEANUP(glyphs_done) struct glyphs glyphs = {0};
    AN_CLEANUP(free_lines) struct text_lines lines = {0};
    int number = question->page;

    AN_TRY(open_page(document, &number, &page, reterr));
    AN_TRY(read_glyphs(page, &glyphs, reterr));
    AN_TRY(build_lines(&glyphs, &lines, reterr));
    write_lines(document, page, number, &lines, ret);
    return AN_OK;
}

static an_code
answer_ink(PopplerDocument *document, const struct question *question, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(free_page) PopplerPage *page = NULL;
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    int number = question->page;
    double share = 1;

    AN_TRY(open_page(document, &number, &page, reterr));
    AN_TRY(measure_ink(page, &question->box, &share, reterr));
    root = json_pack("{s:f}", "ink", share);
    an_json_write(ret, root);
    return AN_OK;
}

static const struct {
    uint32_t type;
    an_code (*answer)(PopplerDocument *document, const struct question *question, struct an_buf *ret,
                      struct an_err *reterr);
} answer_table[] = {
    {AN_RENDER_TEXT, answer_text},
    {AN_RENDER_PAGE, answer_page},
    {AN_RENDER_LINES, answer_lines},
    {AN_RENDER_INK, answer_ink},
};

static an_code
answer_question(const struct an_request *request, json_t *root, struct an_buf *ret, struct an_err *reterr)
{
    struct question question = {.text = "", .password = "", .dpi = 100};
    PopplerDocument *document = NULL;

    if (json_unpack(root, "{s?s, s?s, s?i, s?i, s?F, s?F, s?F, s?F}", "text", &question.text, "password",
                    &question.password, "page", &question.page, "dpi", &question.dpi, "x0", &question.box.x0, "y0",
                    &question.box.y0, "x1", &question.box.x1, "y1", &question.box.y1) != 0)
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "question %u", request->type);
    AN_TRY(open_document(request->fd, question.password, &document, reterr));
    for (size_t i = 0; i < AN_COUNT(answer_table); i++)
        if (answer_table[i].type == request->type)
            return answer_table[i].answer(document, &question, ret, reterr);
    AN_FAIL(reterr, AN_E_PROC_REQUEST, "question %u", request->type);
}

static an_code
handle(struct an_request *request, uint32_t *ret_type, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    an_code code = an_json_parse(an_buf_view(&request->payload), &root, reterr);

    (void)ret_type;
    if (code == AN_OK)
        code = answer_question(request, root, ret, reterr);
    if (request->fd >= 0)
        close(request->fd);
    return code;
}

/* What poppler grumbles about a file is no message of ours. */
static GLogWriterOutput
drop_message(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer context)
{
    (void)level, (void)fields, (void)count, (void)context;
    return G_LOG_WRITER_HANDLED;
}

static void
drop_old_message(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer context)
{
    (void)domain, (void)level, (void)text, (void)context;
}

int
main(void)
{
    static const char *const fonts[] = {
        "/usr/share/fonts", "/usr/local/share/fonts", "/etc/fonts", "/usr/share/fontconfig", "/var/cache/fontconfig",
        "/usr/share/poppler", "/usr/share/ghostscript", "/usr/share/X11/fonts", "/usr/share/texmf/fonts",
    };
    const struct an_sandbox sandbox = {.read_paths = fonts, .read_count = AN_COUNT(fonts),
                                       .memory_bytes_max = RENDER_MEMORY_BYTES, .cpu_seconds_max = RENDER_CPU_SECONDS};
    struct an_err err = {0};

    g_log_set_writer_func(drop_message, NULL, NULL);
    g_log_set_default_handler(drop_old_message, NULL);
    warm_up();
    if (an_sandbox_enter(&sandbox, false, &err) != AN_OK) {
        fprintf(stderr, "antin-render: %s: %s\n", an_message_find(err.code)->en, err.detail);
        _exit(AN_KIND_OS);
    }
    dup2(STDOUT_FILENO, STDERR_FILENO); /* /dev/null: what poppler prints about a file is not for people's terminals */
    _exit(an_child_serve(handle));
}
