/* antin-layout: lays out what it is told and returns the bytes. No network, no files but fonts, limited memory. */
#include "layout/internal.h"

#include "base/limits.h"
#include "proc/json.h"
#include "proc/proc.h"

#include <stdio.h>
#include <unistd.h>

#define LAYOUT_MEMORY_BYTES (UINT64_C(1) << 30)

static const struct {
    const char *kind;
    an_code (*layout)(struct an_arena *arena, const json_t *root, struct an_buf *out, struct an_err *reterr);
} kind_table[] = {
    {"van-ban", layout_van_ban},
    {"bao-cao", layout_bao_cao},
};

static an_code
layout_document(struct an_arena *arena, const json_t *root, struct an_buf *out, struct an_err *reterr)
{
    const char *kind;

    AN_TRY(input_text(arena, root, "kind", true, &kind, reterr));
    for (size_t i = 0; i < AN_COUNT(kind_table); i++)
        if (strcmp(kind_table[i].kind, kind) == 0)
            return kind_table[i].layout(arena, root, out, reterr);
    AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "kind: \"%.40s\"", kind);
}

static const struct {
    uint32_t type;
    an_code (*answer)(struct an_arena *arena, const json_t *root, struct an_buf *out, struct an_err *reterr);
} answer_table[] = {
    {AN_LAYOUT_DOCUMENT, layout_document},
    {AN_LAYOUT_SEAL, draw_seal},
    {AN_LAYOUT_SIGNATURE, draw_signature},
};

static an_code
answer_question(struct an_arena *arena, const struct an_request *request, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;

    if (an_json_parse(an_buf_view(&request->payload), &root, reterr) != AN_OK) {
        if (reterr != NULL)
            reterr->code = AN_E_LAYOUT_INPUT; /* the document is the user's, so the mistake is not ours */
        return AN_E_LAYOUT_INPUT;
    }
    for (size_t i = 0; i < AN_COUNT(answer_table); i++)
        if (answer_table[i].type == request->type)
            return answer_table[i].answer(arena, root, ret, reterr);
    AN_FAIL(reterr, AN_E_PROC_REQUEST, "question %u", request->type);
}

static an_code
handle(struct an_request *request, uint32_t *ret_type, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_MESSAGE_BYTES);

    (void)ret_type;
    if (request->fd >= 0)
        close(request->fd);
    return answer_question(arena, request, ret, reterr);
}

/* Draws a little with every face, so that fonts are found before the sandbox closes. */
static void
warm_up(void)
{
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(1024 * 1024);
    AN_CLEANUP(press_free) struct press press = {0};
    const struct document_facts facts = {"", "", "", ""};

    if (press_open(&press, &pdf, &facts, NULL) != AN_OK)
        return; /* the first question will say so */
    for (int face = 0; face < 4; face++) {
        const struct style style = {.size = 13, .is_bold = (face & 1) != 0, .is_italic = (face & 2) != 0};
        draw_words(&press, "Ấn Tín", &style, press.left, press.y, press_width(&press));
    }
    (void)!press_close(&press, NULL);
}

int
main(void)
{
    static const char *const fonts[] = {"/usr/share/fonts", "/usr/local/share/fonts", "/etc/fonts",
                                        "/usr/share/fontconfig", "/var/cache/fontconfig"};
    /* Threads: Pango asks fontconfig in one. */
    const struct an_sandbox sandbox = {.read_paths = fonts, .read_count = AN_COUNT(fonts), .threads = true,
                                       .memory_bytes_max = LAYOUT_MEMORY_BYTES, .cpu_seconds_max = 600};
    struct an_err err = {0};

    warm_up();
    if (an_sandbox_enter(&sandbox, false, &err) != AN_OK) {
        fprintf(stderr, "antin-layout: %s: %s\n", an_message_find(err.code)->en, err.detail);
        _exit(AN_KIND_OS);
    }
    _exit(an_child_serve(handle));
}
