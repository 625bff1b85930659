/* an_mail_send: the letter arrives whole; what a mail server refuses, delays, or drops is told apart. */
#include "fetch/fetch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static int listener = -1;
static unsigned port;
static char last_letter[8192], last_from[300];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
say(FILE *out, const char *line)
{
    fprintf(out, "%s\r\n", line);
    fflush(out);
}

/* The name before @ says how the server behaves. */
static bool
answer_recipient(FILE *out, const char *line, bool *refuse_data, bool *drop)
{
    *refuse_data = *refuse_data || strstr(line, "<refuse-data@") != NULL;
    *drop = *drop || strstr(line, "<drop@") != NULL;
    say(out, strstr(line, "<unknown@") ? "550 no such mailbox" : strstr(line, "<full@") ? "452 try later" : "250 ok");
    return true;
}

static void
take_letter(FILE *in)
{
    char line[1200];
    size_t len = 0;

    pthread_mutex_lock(&lock);
    last_letter[0] = '\0';
    while (fgets(line, sizeof(line), in) != NULL && strcmp(line, ".\r\n") != 0) {
        size_t part = strlen(line);
        if (len + part < sizeof(last_letter))
            memcpy(last_letter + len, line, part + 1);
        len += part;
    }
    pthread_mutex_unlock(&lock);
}

static void
converse(int fd)
{
    FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
    char line[1200];
    bool refuse_data = false, drop = false;

    say(out, "220 test");
    while (fgets(line, sizeof(line), in) != NULL) {
        if (strncasecmp(line, "EHLO", 4) == 0) {
            say(out, "250-test");
            say(out, "250 8BITMIME");
        } else if (strncasecmp(line, "MAIL", 4) == 0) {
            snprintf(last_from, sizeof(last_from), "%.290s", line);
            say(out, strstr(line, "<banned@") ? "550 no relaying" : strstr(line, "<hurried@") ? "451 not now" : "250 ok");
        } else if (strncasecmp(line, "RCPT", 4) == 0) {
            answer_recipient(out, line, &refuse_data, &drop);
        } else if (strncasecmp(line, "DATA", 4) == 0) {
            say(out, "354 go on");
            take_letter(in);
            if (drop)
                break;
            say(out, refuse_data ? "554 not wanted" : "250 taken");
        } else if (strncasecmp(line, "QUIT", 4) == 0) {
            say(out, "221 bye");
            break;
        } else {
            say(out, "500 what");
        }
    }
    fclose(in);
    fclose(out);
}

static void *
serve(void *unused)
{
    (void)unused;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        converse(fd);
    }
}

static int
start_server(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    pthread_t thread;

    (void)state;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, len) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0)
        return -1;
    port = ntohs(address.sin_port);
    return pthread_create(&thread, NULL, serve, NULL);
}

static struct an_fetcher *
start(bool allow_private)
{
    struct an_fetch_rules rules = {.allow_private = allow_private};
    struct an_fetcher *fetcher = NULL;
    struct an_err err = {0};

    if (an_fetcher_start(&rules, &fetcher, &err) != AN_OK)
        fail_msg("start: %d %s", err.code, err.detail);
    return fetcher;
}

static void
outcomes_are_told_apart(void **state)
{
    static const struct { const char *server, *from, *to; bool plain; an_code want; } table[] = {
        {"smtp://@", "antin@mau.gov.vn", "ok@mau.gov.vn", true, AN_OK},
        {"smtp://@", "antin@mau.gov.vn", "unknown@mau.gov.vn", true, AN_E_MAIL_REFUSED},
        {"smtp://@", "antin@mau.gov.vn", "refuse-data@mau.gov.vn", true, AN_E_MAIL_REFUSED},
        {"smtp://@", "antin@mau.gov.vn", "full@mau.gov.vn", true, AN_E_MAIL_LATER},
        {"smtp://@", "antin@mau.gov.vn", "drop@mau.gov.vn", true, AN_E_FETCH_PROTOCOL},
        {"smtp://@", "banned@mau.gov.vn", "ok@mau.gov.vn", true, AN_E_MAIL_SERVER}, /* nobody's letters, so none is refused for good */
        {"smtp://@", "hurried@mau.gov.vn", "ok@mau.gov.vn", true, AN_E_MAIL_SERVER},
        {"smtp://@", "antin@mau.gov.vn", "ok@mau.gov.vn", false, AN_E_FETCH_TLS},
        {"smtp://@", "antin@mau.gov.vn", "ok@mau.gov.vn>\r\nDATA", true, AN_E_MAIL_ADDRESS},
        {"smtp://@", "antin", "ok@mau.gov.vn", true, AN_E_MAIL_ADDRESS},
        {"smtp://@/path", "antin@mau.gov.vn", "ok@mau.gov.vn", true, AN_E_FETCH_URL},
        {"http://@", "antin@mau.gov.vn", "ok@mau.gov.vn", true, AN_E_FETCH_URL},
        {"smtp://127.0.0.1:1", "antin@mau.gov.vn", "ok@mau.gov.vn", true, AN_E_FETCH_REFUSED},
        {"smtp://@", "antin@mau.gov.vn", "ok@mau.gov.vn", true, AN_OK},
    };
    AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = start(true);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_err err = {0};
        char server[100];
        const char *at = strchr(table[i].server, '@');
        struct an_mail mail = {.server = server, .allow_plain = table[i].plain, .from = table[i].from, .to = &table[i].to, .to_count = 1,
                               .message = AN_LIT("Subject: x\r\n\r\nNoi dung\r\n.\r\n..het\r\n"), .timeout_ms = 20000};
        an_code code;

        if (at != NULL)
            snprintf(server, sizeof(server), "%.*s127.0.0.1:%u%s", (int)(at - table[i].server), table[i].server, port, at + 1);
        else
            snprintf(server, sizeof(server), "%s", table[i].server);
        code = an_mail_send(fetcher, &mail, &err);
        if (code != table[i].want)
            fail_msg("%s %s: %s: %s", table[i].server, table[i].to, an_message_find(code)->symbol, err.detail);
    }
    pthread_mutex_lock(&lock);
    assert_non_null(strstr(last_from, "<antin@mau.gov.vn>"));
    assert_string_equal(last_letter, "Subject: x\r\n\r\nNoi dung\r\n..\r\n...het\r\n"); /* dots doubled on the wire (RFC 5321 4.5.2) */
    pthread_mutex_unlock(&lock);
}

static void
private_servers_need_leave(void **state)
{
    AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = start(false);
    const char *to = "ok@mau.gov.vn";
    char server[100];
    struct an_mail mail = {.server = server, .allow_plain = true, .from = "antin@mau.gov.vn", .to = &to, .to_count = 1,
                           .message = AN_LIT("Subject: x\r\n\r\n"), .timeout_ms = 20000};
    struct an_err err = {0};

    (void)state;
    snprintf(server, sizeof(server), "smtp://127.0.0.1:%u", port);
    assert_int_equal(an_mail_send(fetcher, &mail, &err), AN_E_FETCH_BLOCKED);
}

static void
a_password_never_travels_in_the_clear(void **state)
{
    AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = start(true);
    AN_CLEANUP(an_secret_free) struct an_secret *password = an_secret_from(AN_LIT("mat-khau-mau"));
    const char *to = "ok@mau.gov.vn";
    char server[100];
    struct an_mail mail = {.server = server, .user = "antin", .password = password, .allow_plain = true, .from = "antin@mau.gov.vn",
                           .to = &to, .to_count = 1, .message = AN_LIT("Subject: x\r\n\r\n"), .timeout_ms = 20000};
    struct an_err err = {0};

    (void)state;
    snprintf(server, sizeof(server), "smtp://127.0.0.1:%u", port);
    assert_int_equal(an_mail_send(fetcher, &mail, &err), AN_E_MAIL_LOGIN);
    assert_null(strstr(err.detail, "mat-khau"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_are_told_apart),
        cmocka_unit_test(private_servers_need_leave),
        cmocka_unit_test(a_password_never_travels_in_the_clear),
    };

    return cmocka_run_group_tests(tests, start_server, NULL);
}
