/* proc/: helpers answer, crash, hang and lie; and the sandbox really forbids. */
#include "base/file.h"
#include "base/limits.h"
#include "base/time.h"
#include "proc/internal.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* The address sanitizer reserves terabytes: a limit on addresses cannot be set then. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SHADOW_MEMORY 1
#endif
#endif
#ifndef HAS_SHADOW_MEMORY
#define HAS_SHADOW_MEMORY 0
#endif

static struct an_child *
start(void)
{
    struct an_child *child = NULL;
    struct an_err err = {0};

    if (an_child_start("test_proc_child", &child, &err) != AN_OK)
        fail_msg("start: %d %s", err.code, err.detail);
    return child;
}

static an_code
ask(struct an_child *child, uint32_t type, const char *payload, struct an_buf *ret, struct an_err *err)
{
    return an_child_ask(child, type, an_bytes_of_str(payload), -1, 3000, NULL, ret, err);
}

static void
large_messages_travel_whole(void **state)
{
    AN_CLEANUP(an_child_stop) struct an_child *child = start();
    AN_CLEANUP(an_buf_free) struct an_buf question = an_buf_new(AN_BUF_UNLIMITED);
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    uint32_t type = 0;

    (void)state;
    for (size_t size = 0; size <= 5000000; size = size * 7 + 1) {
        an_buf_reset(&question);
        for (size_t i = 0; i < size; i++)
            an_buf_byte(&question, (uint8_t)(i * 31 + size));
        assert_int_equal(an_child_ask(child, 'e', an_buf_view(&question), -1, 5000, &type, &answer, NULL), AN_OK);
        assert_int_equal(type, 'E');
        assert_true(an_bytes_eq(an_buf_view(&question), an_buf_view(&answer)));
    }
}

static void
descriptors_travel(void **state)
{
    AN_CLEANUP(an_child_stop) struct an_child *child = start();
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(100);
    int fd = memfd_create("x", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(write(fd, "nội dung", 10), 10);
    for (int i = 0; i < 300; i++) { /* more often than a process may have descriptors in the sandbox */
        assert_int_equal(an_child_ask(child, 'd', AN_NONE, fd, 3000, NULL, &answer, NULL), AN_OK);
        assert_true(an_bytes_eq_str(an_buf_view(&answer), "nội dung"));
    }
    close(fd);
}

static void
helper_gets_nothing_else(void **state)
{
    AN_CLEANUP(an_child_stop) struct an_child *child = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(1000);
    int leaky = dup(2); /* a descriptor without close-on-exec */

    (void)state;
    child = start();
    assert_int_equal(ask(child, 'n', "", &answer, NULL), AN_OK);
    an_buf_byte(&answer, 0);
    assert_string_equal((char *)answer.ptr, "4 0 /usr/bin:/bin");
    close(leaky);
}

static void
failures_have_names(void **state)
{
    static const struct { uint32_t type; an_code want; bool gone; } table[] = {
        {'f', AN_E_RENDER_PASSWORD, false}, {'z', AN_E_PROC_REQUEST, false}, {'c', AN_E_PROC_CRASHED, true},
        {'q', AN_E_PROC_CRASHED, true},     {'g', AN_E_PROC_PROTOCOL, true}, {'h', AN_E_PROC_TIMEOUT, true},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_child_stop) struct an_child *child = start();
        AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(100);
        struct an_err err = {0};
        an_code again;
        uint64_t timeout = table[i].type == 'h' ? 100 : 3000;
        an_code code = an_child_ask(child, table[i].type, AN_NONE, -1, timeout, NULL, &answer, &err);
        if (code != table[i].want || err.code != code)
            fail_msg("%c: %d %s", (char)table[i].type, code, err.detail);
        if (code == AN_E_RENDER_PASSWORD)
            assert_string_equal(err.detail, "chi tiết “đúng”");
        again = ask(child, 'e', "still there", &answer, NULL);
        assert_int_equal(again, table[i].gone ? AN_E_PROC_CRASHED : AN_OK);
    }
}

static void
answers_larger_than_asked_are_refused(void **state)
{
    AN_CLEANUP(an_child_stop) struct an_child *child = start();
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(10);

    (void)state;
    assert_int_equal(ask(child, 'e', "12345678901", &answer, NULL), AN_E_LIMIT);
    assert_int_equal(ask(child, 'e', "1234567890", &answer, NULL), AN_OK);
}

static void
missing_programs_are_named(void **state)
{
    struct an_child *child = NULL;
    struct an_err err = {0};

    (void)state;
    assert_int_equal(an_child_start("antin-no-such", &child, &err), AN_E_PROC_START);
    assert_non_null(strstr(err.detail, "antin-no-such"));
    assert_int_equal(an_child_start("../../bin/sh", &child, &err), AN_E_PROC_START);
    assert_int_equal(an_child_start("sh", &child, &err), AN_E_PROC_START); /* PATH is not looked at */
}

static void
sandbox_forbids(void **state)
{
    static const struct { const char *what; bool is_allowed; } table[] = {
        {"open", false},     {"open-allowed", true}, {"create", false}, {"socket", false}, {"unix-socket", false},
        {"new-code", false}, {"much-memory", false}, {"kill", false},   {"fork", false},   {"exec", false},
        {"ptrace", false},   {"ioctl", false},       {"unlink", false},
    };
    AN_CLEANUP(an_child_stop) struct an_child *child = start();
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(100);
    struct an_err err = {0};

    (void)state;
    if (ask(child, 's', "", &answer, &err) != AN_OK)
        fail_msg("sandbox: %s", err.detail);
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        if (HAS_SHADOW_MEMORY && strcmp(table[i].what, "much-memory") == 0)
            continue;
        an_code code = ask(child, 't', table[i].what, &answer, &err);
        an_buf_byte(&answer, 0);
        if (code != AN_OK || (strcmp((char *)answer.ptr, "0") == 0) != table[i].is_allowed)
            fail_msg("%s: code %d, errno %s", table[i].what, code, (char *)answer.ptr);
    }
}

/* The same questions without the sandbox: those that cost nothing succeed, so that the test above proves something. */
static void
without_sandbox_it_is_allowed(void **state)
{
    static const char *const allowed[] = {"open", "open-allowed", "socket", "unix-socket", "new-code", "kill"};
    AN_CLEANUP(an_child_stop) struct an_child *child = start();
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(100);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(allowed); i++) {
        assert_int_equal(ask(child, 't', allowed[i], &answer, NULL), AN_OK);
        if (!an_bytes_eq_str(an_buf_view(&answer), "0"))
            fail_msg("%s", allowed[i]);
    }
}

static void
helpers_end_with_their_parent(void **state)
{
    struct an_child *child = start();
    uint64_t began = an_time_monotonic_ms();

    (void)state;
    an_child_stop(&child);
    assert_null(child);
    assert_true(an_time_monotonic_ms() - began < 400);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
    an_child_stop(&child);
}

static void
foreign_frames_are_refused(void **state)
{
    static const struct { const char *bytes; size_t len; enum an_frame_state want; } table[] = {
        {"ANT1\1\0\0\0\3\0\0\0abc", 15, AN_FRAME_OK},          {"ANT2\1\0\0\0\0\0\0\0", 12, AN_FRAME_FOREIGN},
        {"ANT1\1\0\0\0\xff\xff\xff\xff", 12, AN_FRAME_FOREIGN}, {"ANT1\1\0\0\0\3\0\0\0ab", 14, AN_FRAME_CLOSED},
        {"ANT1\1\0\0", 7, AN_FRAME_CLOSED},                    {"", 0, AN_FRAME_CLOSED},
        {"ANT1\1\0\0\0\xe9\x03\0\0", 12, AN_FRAME_FOREIGN}, /* 1001 bytes where 1000 are taken */
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_frame frame = {.payload = an_buf_new(1000), .fd = -1};
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        assert_int_equal(write(pair[0], table[i].bytes, table[i].len), table[i].len);
        close(pair[0]);
        if (an_frame_receive(pair[1], &frame, an_time_monotonic_ms() + 1000) != table[i].want)
            fail_msg("row %zu", i);
        close(pair[1]);
        an_buf_free(&frame.payload);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_messages_travel_whole),
        cmocka_unit_test(descriptors_travel),
        cmocka_unit_test(helper_gets_nothing_else),
        cmocka_unit_test(failures_have_names),
        cmocka_unit_test(answers_larger_than_asked_are_refused),
        cmocka_unit_test(missing_programs_are_named),
        cmocka_unit_test(sandbox_forbids),
        cmocka_unit_test(without_sandbox_it_is_allowed),
        cmocka_unit_test(helpers_end_with_their_parent),
        cmocka_unit_test(foreign_frames_are_refused),
    };

    return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
