/* Other people's programs as judges: run with a file, look at status and output. */
#pragma once

#include "base/file.h"
#include "pdf/pdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char oracle_dir[] = "/tmp/antin-pdf-XXXXXX";

static inline const char *
oracle_path(const char *name)
{
    static char paths[8][128];
    static int turn;
    char *path = paths[turn++ % 8];

    snprintf(path, 128, "%s/%s", oracle_dir, name);
    return path;
}

static inline void
oracle_save(const char *name, an_bytes first, an_bytes second)
{
    FILE *file = fopen(oracle_path(name), "wb");

    assert_non_null(file);
    if (first.len)
        assert_int_equal(fwrite(first.ptr, 1, first.len, file), first.len);
    if (second.len)
        assert_int_equal(fwrite(second.ptr, 1, second.len, file), second.len);
    assert_int_equal(fclose(file), 0);
}

/* Exit status; output (both streams) in ret, binary. */
__attribute__((format(printf, 2, 3))) static inline int
oracle_run(struct an_buf *ret, const char *fmt, ...)
{
    char command[1024];
    va_list args;
    FILE *pipe;
    int c, status;

    va_start(args, fmt);
    vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    while ((c = fgetc(pipe)) != EOF)
        an_buf_byte(ret, (uint8_t)c);
    status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline bool
oracle_has(const char *program)
{
    struct an_buf out = an_buf_new(AN_BUF_UNLIMITED);
    bool has = oracle_run(&out, "command -v %s 2>&1", program) == 0;

    an_buf_free(&out);
    if (!has)
        print_message("%s is not installed: this test ran without it\n", program);
    return has;
}

/* The output of a command holds a text. */
#define oracle_says(text, ...)                                                                                         \
    do {                                                                                                               \
        struct an_buf said_ = an_buf_new(AN_BUF_UNLIMITED);                                                            \
        oracle_run(&said_, __VA_ARGS__);                                                                               \
        if (an_bytes_find(an_buf_view(&said_), an_bytes_of_str(text), 0) == SIZE_MAX)                                  \
            fail_msg("expected \"%s\" in: %.*s", (const char *)(text), AN_FMT(an_buf_view(&said_)));                   \
        an_buf_free(&said_);                                                                                           \
    } while (0)

/* A picture in binary PPM: where strong red stands, in pixels from the left and from below. */
struct oracle_marks { int width, height, left, right, bottom, top; size_t count, upper; };

static inline struct oracle_marks
oracle_find_red(an_bytes ppm)
{
    struct oracle_marks marks = {.left = 1 << 30, .bottom = 1 << 30};
    int start = 0, most = 0, middle;
    char head[64] = {0};

    memcpy(head, ppm.ptr, ppm.len < 63 ? ppm.len : 63);
    if (sscanf(head, "P6 %d %d %d%n", &marks.width, &marks.height, &most, &start) != 3 ||
        ppm.len < (size_t)start + 1 + (size_t)marks.width * (size_t)marks.height * 3)
        fail_msg("not a picture: %.60s", head);
    for (int pass = 0; pass < 2; pass++) {
        middle = (marks.bottom + marks.top) / 2;
        for (int y = 0; y < marks.height; y++) {
            for (int x = 0; x < marks.width; x++) {
                const uint8_t *p = ppm.ptr + start + 1 + 3 * ((size_t)y * (size_t)marks.width + (size_t)x);
                int up = marks.height - 1 - y;

                if (p[0] < 150 || p[1] > 120 || p[2] > 120)
                    continue;
                marks.upper += pass == 1 && up > middle;
                marks.count += pass == 0;
                marks.left = x < marks.left ? x : marks.left;
                marks.right = x > marks.right ? x : marks.right;
                marks.bottom = up < marks.bottom ? up : marks.bottom;
                marks.top = up > marks.top ? up : marks.top;
            }
        }
    }
    return marks;
}

static inline int
oracle_set_up(void **state)
{
    (void)state;
    return mkdtemp(oracle_dir) ? 0 : -1;
}

static inline int
oracle_tear_down(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", oracle_dir);
    return system(command);
}
