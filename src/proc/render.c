#include "proc/render.h"

#include "base/limits.h"
#include "proc/json.h"

#include <jansson.h>
#include <pthread.h>

struct an_renderer {
    pthread_mutex_t lock;
    struct an_child *child; /* NULL after a crash, until the next question */
    uint64_t timeout_ms, answers; /* answers of this child */
};

an_code
an_renderer_start(uint64_t timeout_ms, struct an_renderer **ret, struct an_err *reterr)
{
    struct an_child *child = NULL;
    struct an_renderer *renderer;

    AN_TRY(an_child_start("antin-render", &child, reterr));
    renderer = AN_NEW(struct an_renderer);
    *renderer = (struct an_renderer){.child = child, .timeout_ms = timeout_ms ? timeout_ms : 60000};
    pthread_mutex_init(&renderer->lock, NULL);
    *ret = renderer;
    return AN_OK;
}

void
an_renderer_stop(struct an_renderer **renderer)
{
    if (*renderer == NULL)
        return;
    an_child_stop(&(*renderer)->child);
    pthread_mutex_destroy(&(*renderer)->lock);
    free(*renderer);
    *renderer = NULL;
}

static an_code
ask_child(struct an_renderer *renderer, uint32_t type, an_bytes question, int fd, struct an_buf *ret,
          struct an_err *reterr)
{
    an_code code;

    if (renderer->child == NULL) {
        AN_TRY(an_child_start("antin-render", &renderer->child, reterr));
        renderer->answers = 0;
    }
    code = an_child_ask(renderer->child, type, question, fd, renderer->timeout_ms, NULL, ret, reterr);
    if (code == AN_E_PROC_CRASHED || code == AN_E_PROC_TIMEOUT || code == AN_E_PROC_PROTOCOL)
        an_child_stop(&renderer->child);
    else
        renderer->answers++;
    return code;
}

/* A helper that has worked for long may reach its processor time or memory: a fresh one gets the question once more. */
static an_code
ask(struct an_renderer *renderer, uint32_t type, json_t *question, int fd, const char *password, struct an_buf *ret,
    struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = question;
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    bool is_worn;
    an_code code;

    if (root == NULL || (password != NULL && json_object_set_new(root, "password", json_string(password)) != 0))
        AN_FAIL(reterr, AN_E_UTF8, "text or password");
    an_json_write(&text, root);
    pthread_mutex_lock(&renderer->lock);
    is_worn = renderer->answers > 0;
    code = ask_child(renderer, type, an_buf_view(&text), fd, ret, reterr);
    if (code == AN_E_PROC_CRASHED && is_worn)
        code = ask_child(renderer, type, an_buf_view(&text), fd, ret, reterr);
    pthread_mutex_unlock(&renderer->lock);
    an_wipe(text.ptr, text.len);
    return code;
}

static an_code
ask_json(struct an_renderer *renderer, uint32_t type, json_t *question, int fd, const char *password, json_t **ret,
         struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(AN_LIMIT_MESSAGE_BYTES);

    AN_TRY(ask(renderer, type, question, fd, password, &answer, reterr));
    if (an_json_parse(an_buf_view(&answer), ret, reterr) != AN_OK)
        return an_err_set(reterr, AN_E_PROC_PROTOCOL, "antin-render");
    return AN_OK;
}

static bool
read_box(json_t *item, struct an_box *ret)
{
    return json_unpack(item, "{s:F, s:F, s:F, s:F}", "x0", &ret->x0, "y0", &ret->y0, "x1", &ret->x1, "y1", &ret->y1) ==
           0;
}

void
an_text_hits_free(struct an_text_hits *hits)
{
    free(hits->items);
    *hits = (struct an_text_hits){0};
}

void
an_text_lines_free(struct an_text_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->items[i].text);
    free(lines->items);
    *lines = (struct an_text_lines){0};
}

static bool
read_hits(json_t *root, struct an_text_hits *hits)
{
    json_t *list = NULL, *item;
    int pages = 0, page = 0;
    size_t i;

    if (json_unpack(root, "{s:i, s:o}", "pages", &pages, "hits", &list) != 0 || pages < 0 || !json_is_array(list))
        return false;
    hits->pages = (uint32_t)pages;
    hits->items = an_new_array(json_array_size(list) + 1, sizeof(*hits->items));
    json_array_foreach(list, i, item) {
        struct an_text_hit *hit = &hits->items[hits->count++];
        if (json_unpack(item, "{s:i}", "page", &page) != 0 || page < 0 || page >= pages || !read_box(item, &hit->box))
            return false;
        hit->page = (uint32_t)page;
    }
    return true;
}

an_code
an_renderer_find_text(struct an_renderer *renderer, int fd, const char *text, const char *password,
                      struct an_text_hits *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    AN_CLEANUP(an_text_hits_free) struct an_text_hits hits = {0};

    AN_TRY(ask_json(renderer, AN_RENDER_TEXT, json_pack("{s:s}", "text", text), fd, password, &root, reterr));
    if (!read_hits(root, &hits))
        AN_FAIL(reterr, AN_E_PROC_PROTOCOL, "antin-render: hits");
    *ret = hits;
    hits = (struct an_text_hits){0};
    return AN_OK;
}

static bool
read_lines(json_t *root, struct an_text_lines *lines)
{
    json_t *list = NULL, *item;
    int pages = 0, page = 0;
    size_t i;

    if (json_unpack(root, "{s:i, s:i, s:F, s:F, s:o}", "page", &page, "pages", &pages, "width", &lines->width, "height",
                    &lines->height, "lines", &list) != 0 || page < 0 || page >= pages || !json_is_array(list))
        return false;
    lines->page = (uint32_t)page;
    lines->pages = (uint32_t)pages;
    lines->items = an_new_array(json_array_size(list) + 1, sizeof(*lines->items));
    json_array_foreach(list, i, item) {
        const char *text = json_string_value(json_object_get(item, "text"));
        if (text == NULL || !read_box(item, &lines->items[lines->count].box))
            return false;
        lines->items[lines->count++].text = an_strdup(text);
    }
    return true;
}

an_code
an_renderer_lines(struct an_renderer *renderer, int fd, int page, const char *password, struct an_text_lines *ret,
                  struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    AN_CLEANUP(an_text_lines_free) struct an_text_lines lines = {0};

    AN_TRY(ask_json(renderer, AN_RENDER_LINES, json_pack("{s:i}", "page", page), fd, password, &root, reterr));
    if (!read_lines(root, &lines))
        AN_FAIL(reterr, AN_E_PROC_PROTOCOL, "antin-render: lines");
    *ret = lines;
    lines = (struct an_text_lines){0};
    return AN_OK;
}

an_code
an_renderer_page_png(struct an_renderer *renderer, int fd, int page, unsigned dpi, const char *password,
                     struct an_buf *ret, struct an_err *reterr)
{
    return ask(renderer, AN_RENDER_PAGE, json_pack("{s:i, s:i}", "page", page, "dpi", (int)dpi), fd, password, ret,
               reterr);
}

an_code
an_renderer_ink(struct an_renderer *renderer, int fd, int page, const struct an_box *box, const char *password,
                double *ret_share, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    json_t *question = json_pack("{s:i, s:f, s:f, s:f, s:f}", "page", page, "x0", box->x0, "y0", box->y0, "x1", box->x1,
                                 "y1", box->y1);
    double share;

    AN_TRY(ask_json(renderer, AN_RENDER_INK, question, fd, password, &root, reterr));
    if (json_unpack(root, "{s:F}", "ink", &share) != 0 || !(share >= 0 && share <= 1))
        AN_FAIL(reterr, AN_E_PROC_PROTOCOL, "antin-render: ink");
    *ret_share = share;
    return AN_OK;
}
