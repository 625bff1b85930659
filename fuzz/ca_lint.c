/* The linter takes whatever bytes there are as each of the four kinds; and statements of decisions read back as they were. */
#include "ca/lint.h"
#include "decision/decision.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
count(void *context, const struct an_lint *lint)
{
    AN_ASSERT(lint->id != NULL);
    (*(size_t *)context)++;
}

static void
read_statement(an_bytes text)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(1 << 20);
    AN_CLEANUP(an_buf_free) struct an_buf again = an_buf_new(1 << 16);
    struct an_decision decision;

    if (an_decision_parse(text, arena, &decision, NULL) != AN_OK)
        return;
    AN_ASSERT(an_decision_statement(&decision, &again, NULL) == AN_OK);
    AN_ASSERT(an_bytes_eq(an_buf_view(&again), text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t findings = 0;
    const struct an_lint_plan plan = {.each = count, .context = &findings};
    an_bytes bytes = AN_BYTES(data, size);

    an_lint_cert(bytes, &plan);
    an_lint_crl(bytes, &plan);
    an_lint_ocsp(bytes, &plan);
    an_lint_token(bytes, &plan);
    (void)an_lint_guess(bytes);
    read_statement(bytes);
    return 0;
}
