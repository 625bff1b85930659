#include "proc/layout.h"

#include "proc/json.h"

#include <jansson.h>

#define LAYOUT_TIMEOUT_MS 60000

static an_code
ask_layout(struct an_child *child, uint32_t type, an_bytes json, struct an_buf *ret, struct an_err *reterr)
{
    return an_child_ask(child, type, json, -1, LAYOUT_TIMEOUT_MS, NULL, ret, reterr);
}

static an_code
ask_with(struct an_child *child, uint32_t type, json_t *question, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = question;
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(64 * 1024);

    if (root == NULL)
        AN_FAIL(reterr, AN_E_UTF8, "name");
    an_json_write(&text, root);
    if (!an_buf_ok(&text))
        AN_FAIL(reterr, AN_E_LIMIT, "name > %zu byte", text.max);
    return ask_layout(child, type, an_buf_view(&text), ret, reterr);
}

an_code
an_layout_document(struct an_child *child, an_bytes json, struct an_buf *ret_pdf, struct an_err *reterr)
{
    return ask_layout(child, AN_LAYOUT_DOCUMENT, json, ret_pdf, reterr);
}

an_code
an_layout_seal(struct an_child *child, const struct an_layout_seal *what, struct an_buf *ret_png, struct an_err *reterr)
{
    json_t *question =
        json_pack("{s:s, s:s*, s:f, s:i}", "agency", what->agency, "place", what->place, "diameter_mm",
                  what->diameter_mm > 0 ? what->diameter_mm : 36.0, "dpi", what->dpi ? (int)what->dpi : 300);

    return ask_with(child, AN_LAYOUT_SEAL, question, ret_png, reterr);
}

an_code
an_layout_signature(struct an_child *child, const char *name, struct an_buf *ret_png, struct an_err *reterr)
{
    return ask_with(child, AN_LAYOUT_SIGNATURE, json_pack("{s:s}", "name", name), ret_png, reterr);
}
