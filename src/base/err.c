#include "base/err.h"

#include "base/file.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct an_message message_table[] = {
#define AN_MSG(symbol, number, kind, vi, en, cite) {symbol, AN_KIND_##kind, #symbol, vi, en, cite},
#include "all.def"
#undef AN_MSG
};

static const struct an_message message_ok = {AN_OK, AN_KIND_OK, "AN_OK", "thành công", "success", ""};

const struct an_message *
an_message_table(size_t *ret_count)
{
    *ret_count = AN_COUNT(message_table);
    return message_table;
}

const struct an_message *
an_message_find(an_code code)
{
    if (code == AN_OK)
        return &message_ok;
    for (size_t i = 0; i < AN_COUNT(message_table); i++)
        if (message_table[i].code == code)
            return &message_table[i];
    return an_message_find(AN_E_INTERNAL);
}

/* A truncated detail must still be valid UTF-8: cut before a character that lost its tail. */
static void
trim_broken_tail(char *text)
{
    size_t len = strlen(text), start = len;

    while (start > 0 && len - start < 3 && ((uint8_t)text[start - 1] & 0xC0u) == 0x80u)
        start--;
    if (start == 0 || ((uint8_t)text[start - 1] & 0x80u) == 0)
        return;
    uint8_t lead = (uint8_t)text[start - 1];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (len - (start - 1) < want)
        text[start - 1] = '\0';
}

an_code
an_err_set(struct an_err *reterr, an_code code, const char *fmt, ...)
{
    va_list args;

    if (reterr == NULL)
        return code;
    reterr->code = code;
    va_start(args, fmt);
    vsnprintf(reterr->detail, sizeof(reterr->detail), fmt, args);
    va_end(args);
    trim_broken_tail(reterr->detail);
    an_utf8_make_visible(reterr->detail);
    return code;
}

an_code
an_err_set_errno(struct an_err *reterr, an_code code, int errnum, const char *fmt, ...)
{
    va_list args;
    size_t used;

    if (reterr == NULL)
        return code;
    reterr->code = code;
    va_start(args, fmt);
    vsnprintf(reterr->detail, sizeof(reterr->detail), fmt, args);
    va_end(args);
    used = strlen(reterr->detail);
    snprintf(reterr->detail + used, sizeof(reterr->detail) - used, "%s%s", used ? ": " : "", strerror(errnum));
    trim_broken_tail(reterr->detail);
    an_utf8_make_visible(reterr->detail);
    return code;
}

void
an_err_name_file(struct an_err *reterr, const char *path)
{
    if (reterr == NULL || reterr->file[0] != '\0' || path == NULL)
        return;
    snprintf(reterr->file, sizeof(reterr->file), "%s", path);
    trim_broken_tail(reterr->file);
    an_utf8_make_visible(reterr->file);
}

_Noreturn void
an_die_assert(const char *condition, const char *file, int line)
{
    fprintf(stderr, "antin: internal error: %s (%s:%d)\n", condition, file, line);
    an_file_remove_temporaries();
    abort();
}

_Noreturn void
an_die_internal(const char *what)
{
    fprintf(stderr, "antin: lỗi nội bộ (internal error): %s\n", what);
    an_file_remove_temporaries();
    _exit(AN_KIND_INTERNAL);
}

_Noreturn void
an_die_memory(void)
{
    static const char text[] = "antin: hết bộ nhớ (out of memory)\n";

    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0) {
        /* nothing better can be done */
    }
    an_file_remove_temporaries();
    _exit(AN_KIND_OS);
}
