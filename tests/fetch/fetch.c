/* fetch/: every way in which a server can fail is told apart, and private addresses stay out of reach. */
#include "fetch/internal.h"
#include "proc/proc.h"
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static unsigned port, closed_port;
static char cache_dir[] = "/tmp/antin-fetch-test-XXXXXX";

static struct an_fetcher *
start(bool allow_private, const char *cache, const char *map)
{
    struct an_fetch_rules rules = {.allow_private = allow_private, .cache_dir = cache, .map = map};
    struct an_fetcher *fetcher = NULL;
    struct an_err err = {0};

    if (an_fetcher_start(&rules, &fetcher, &err) != AN_OK)
        fail_msg("start: %d %s", err.code, err.detail);
    return fetcher;
}

/* "@" stands for the server's address. */
static an_code
fetch(struct an_fetcher *fetcher, const char *url, const char *accept, struct an_buf *body, struct an_err *err)
{
    char whole[300];
    const char *at = strchr(url, '@');
    struct an_fetch what = {.url = whole, .accept = accept, .timeout_ms = 700, .bytes_max = 100000, .tries = 1};

    if (at != NULL)
        snprintf(whole, sizeof(whole), "%.*s127.0.0.1:%u%s", (int)(at - url), url, port, at + 1);
    else
        snprintf(whole, sizeof(whole), "%s", url);
    return an_fetch_do(fetcher, &what, body, err);
}

static void
failures_are_told_apart(void **state)
{
    static const struct { const char *url, *accept; an_code want; const char *detail; } table[] = {
        {"http://@/ok", NULL, AN_OK, ""},
        {"http://@/ok", "application/pkix-crl", AN_OK, ""},
        {"http://@/ok", "a/b, application/pkix-crl", AN_OK, ""},
        {"http://@/ok", "application/ocsp-response", AN_E_FETCH_TYPE, "application/pkix-crl"},
        {"http://@/chunked", "a/b", AN_E_FETCH_TYPE, "no content type"},
        {"http://@/hop", NULL, AN_OK, ""},
        {"http://@/nothing", NULL, AN_E_FETCH_EMPTY, ""},
        {"http://@/empty", NULL, AN_E_FETCH_EMPTY, ""},
        {"http://@/garbage", NULL, AN_E_FETCH_PROTOCOL, ""},
        {"http://@/short", NULL, AN_E_FETCH_PROTOCOL, ""},
        {"http://@/missing", NULL, AN_E_FETCH_STATUS, "HTTP 404"},
        {"http://@/broken", NULL, AN_E_FETCH_STATUS, "HTTP 500"},
        {"http://@/rate", NULL, AN_E_FETCH_RATE, "HTTP 429"},
        {"http://@/busy", NULL, AN_E_FETCH_RATE, "HTTP 503"},
        {"http://@/large", NULL, AN_E_FETCH_SIZE, ""},
        {"http://@/endless", NULL, AN_E_FETCH_SIZE, "100000"},
        {"http://@/silent", NULL, AN_E_FETCH_TIMEOUT, ""},
        {"http://@/slow", NULL, AN_E_FETCH_TIMEOUT, ""},
        {"http://@/loop", NULL, AN_E_FETCH_REDIRECT, "5"},
        {"http://@/to-file", NULL, AN_E_FETCH_SCHEME, "file"},
        {"https://@/ok", NULL, AN_E_FETCH_TLS, ""},
        {"http://no-such-host.invalid/", NULL, AN_E_FETCH_DNS, "no-such-host.invalid"},
        {"ftp://@/ok", NULL, AN_E_FETCH_SCHEME, "ftp"},
        {"file:///etc/passwd", NULL, AN_E_FETCH_SCHEME, "file"},
        {"ldap://@/cn=x", NULL, AN_E_FETCH_SCHEME, "ldap"},
        {"no url", NULL, AN_E_FETCH_URL, ""},
        {"http://", NULL, AN_E_FETCH_URL, ""},
        {"http://name:secret@127.0.0.1/ok", NULL, AN_E_FETCH_URL, ""},
        {"http://@/ok", "a/b\r\nX-Evil: 1", AN_E_PROC_REQUEST, ""},
    };
    AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = start(true, NULL, NULL);
    AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(1000000);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_err err = {0};
        an_code code = fetch(fetcher, table[i].url, table[i].accept, &body, &err);
        if (code != table[i].want || strstr(err.detail, table[i].detail) == NULL)
            fail_msg("%s: %s: %s", table[i].url, an_message_find(code)->symbol, err.detail);
        if (strstr(err.detail, "secret") != NULL)
            fail_msg("a password in a message: %s", err.detail);
        if (code == AN_OK)
            assert_true(an_bytes_eq_str(an_buf_view(&body), "hello"));
    }
}

static void
refused_connections_are_named(void **state)
{
    AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = start(true, NULL, NULL);
    AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(1000);
    struct an_err err = {0};
    char url[100];

    (void)state;
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/x?token=secret", closed_port);
    assert_int_equal(fetch(fetcher, url, NULL, &body, &err), AN_E_FETCH_REFUSED);
    assert_null(strstr(err.detail, "secret"));
}

static void
private_addresses_are_blocked(void **state)
{
    static const char *const table[] = {"http://@/ok", "http://localhost:1/ok", "http://[::1]:1/ok", "http://10.0.0.1/",
                                        "http://[::ffff:127.0.0.1]:1/", "http://0x7f000001/", "http://2130706433/"};
    AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = start(false, NULL, NULL);
    AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(1000);
    unsigned before = server_count("/ok");

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_err err = {0};
        an_code code = fetch(fetcher, table[i], NULL, &body, &err);
        if (code != AN_E_FETCH_BLOCKED)
            fail_msg("%s: %s %s", table[i], an_message_find(code)->symbol, err.detail);
    }
    assert_int_equal(server_count("/ok"), before);
}

static void
addresses_are_classed(void **state)
{
    static const struct { const char *text; bool want;
    } table[] = {
        {"8.8.8.8", false},
        {"1.1.1.1", false},
        {"127.0.0.1", true},
        {"10.1.2.3", true},
        {"172.16.0.1", true},
        {"172.31.255.255", true},
        {"172.32.0.1", false},
        {"192.168.1.1", true},
        {"192.169.0.1", false},
        {"169.254.169.254", true},
        {"100.64.0.1", true},
        {"100.128.0.1", false},
        {"0.0.0.0", true},
        {"224.0.0.1", true},
        {"255.255.255.255", true},
        {"203.162.0.181", false},
        {"::1", true},
        {"::", true},
        {"fe80::1", true},
        {"fc00::1", true},
        {"fd12::1", true},
        {"ff02::1", true},
        {"2001:4860:4860::8888", false},
        {"2001:db8::1", true},
        {"::ffff:10.0.0.1", true},
        {"::ffff:8.8.8.8", false},
        {"64:ff9b::7f00:1", true},
        {"64:ff9b::808:808", false},
        {"2002:7f00:1::", true},
        {"2405:4800::1", false},
        {"2001::1", true},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        bool is_private =
            inet_pton(AF_INET, table[i].text, &v4.sin_addr) == 1     ? an_fetch_is_private((struct sockaddr *)&v4)
            : inet_pton(AF_INET6, table[i].text, &v6.sin6_addr) == 1 ? an_fetch_is_private((struct sockaddr *)&v6)
                                                                     : !table[i].want;
        if (is_private != table[i].want)
            fail_msg("%s", table[i].text);
    }
}

/* What a URL says by itself, in every spelling: all there is to judge behind a proxy. */
static void
written_names_are_classed(void **state)
{
    static const char *const inside[] = {
        "127.0.0.1", "127.0.0.1.", "127.1", "0177.0.0.1", "0x7f.1", "0x7f.1.", "2130706433", "017700000001", "0", "10.0.0.1",
        "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[fe80::1%25lo]", "[64:ff9b::a00:1]", "[v1.x]",
        "localhost", "LOCALHOST.", "a.localhost", "a.localhost.", "localhost.localdomain", "ip6-localhost", "may-chu",
        "ca.local", "ca.internal", "ca.home.arpa", "", ".",
    };
    static const char *const outside[] = {"crl.ca.gov.vn", "crl.ca.gov.vn.", "8.8.8.8", "[2001:4860:4860::8888]",
                                          "127.0.0.1.example", "localhost.vn", "local.vn", "notlocalhost.vn"};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(inside); i++)
        if (!an_fetch_names_private(inside[i]))
            fail_msg("%s", inside[i]);
    for (size_t i = 0; i < AN_COUNT(outside); i++)
        if (an_fetch_names_private(outside[i]))
            fail_msg("%s", outside[i]);
}

/* The override itself may be private; where the server then sends us may not. */
static void
overrides_change_the_way(void **state)
{
    AN_CLEANUP(an_free_ptr)
    char *map = an_asprintf(
        "tsa.example.vn=127.0.0.1:%u\nhttp://crl.example.vn/=http://127.0.0.1:%u/\nother.example.vn:81=127.0.0.1:%u\n",
        port, port, port);
    static const struct { const char *url; an_code want; } table[] = {
        {"http://tsa.example.vn/ok", AN_OK}, {"http://TSA.example.vn/hop", AN_OK}, {"http://crl.example.vn/ok", AN_OK},
        {"http://other.example.vn:81/ok", AN_OK}, {"http://tsa.example.vn/to-private", AN_E_FETCH_BLOCKED},
        {"http://@/ok", AN_E_FETCH_BLOCKED},
    };
    AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = start(false, NULL, map);
    AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(1000);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_err err = {0};
        an_code code = fetch(fetcher, table[i].url, NULL, &body, &err);
        if (code != table[i].want)
            fail_msg("%s: %s %s", table[i].url, an_message_find(code)->symbol, err.detail);
    }
    assert_int_equal(fetch(fetcher, "http://tsa.example.vn/ok", NULL, &body, NULL), AN_OK);
    assert_non_null(strstr(server_last_request(), "Host: tsa.example.vn\r\n"));
}

static void
bodies_are_posted(void **state)
{
    AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = start(true, NULL, NULL);
    AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(1000);
    AN_CLEANUP(an_buf_free) struct an_buf sent = an_buf_new(100000);
    char url[100];

    (void)state;
    for (size_t i = 0; i < 800; i++)
        an_buf_byte(&sent, (uint8_t)('a' + i % 26));
    for (size_t i = 0; i < 2; i++) {
        snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, i ? "/keep-post" : "/echo");
        struct an_fetch what = {.url = url, .body = an_buf_view(&sent), .content_type = "application/timestamp-query",
                                .timeout_ms = 2000, .bytes_max = 1000, .tries = 1};
        assert_int_equal(an_fetch_do(fetcher, &what, &body, NULL), AN_OK);
        assert_true(an_bytes_eq(an_buf_view(&body), an_buf_view(&sent)));
        assert_non_null(strstr(server_last_request(), "Content-Type: application/timestamp-query\r\n"));
        assert_int_equal(strncmp(server_last_request(), "POST /echo ", 11), 0);
    }
}

static void
answers_are_kept(void **state)
{
    static const struct { const char *url, *path, *body; unsigned requests;
    } table[] = {
        {"http://@/fresh", "/fresh", "fresh", 1},
        {"http://@/etag", "/etag", "etag", 3},
        {"http://@/no-store", "/no-store", "store", 3},
        {"http://@/ok", "/ok", "hello", 3},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        unsigned before = server_count(table[i].path);
        for (int round = 0; round < 3; round++) { /* each in a process of its own */
            AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = start(true, cache_dir, NULL);
            AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(1000);
            assert_int_equal(fetch(fetcher, table[i].url, NULL, &body, NULL), AN_OK);
            if (!an_bytes_eq_str(an_buf_view(&body), table[i].body))
                fail_msg("%s: %.*s", table[i].url, AN_FMT(an_buf_view(&body)));
        }
        if (server_count(table[i].path) - before != table[i].requests)
            fail_msg("%s: %u requests", table[i].url, server_count(table[i].path) - before);
    }
    assert_non_null(strstr(server_last_request(), "GET /ok"));
}

static void
busy_servers_are_tried_again(void **state)
{
    AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = start(true, NULL, NULL);
    AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(1000);
    unsigned rate = server_count("/rate"), missing = server_count("/missing");
    char url[100];
    struct an_fetch what = {.url = url, .timeout_ms = 2000, .bytes_max = 1000, .tries = 2};

    (void)state;
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/rate", port);
    assert_int_equal(an_fetch_do(fetcher, &what, &body, NULL), AN_E_FETCH_RATE);
    assert_int_equal(server_count("/rate") - rate, 2);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/missing", port);
    assert_int_equal(an_fetch_do(fetcher, &what, &body, NULL), AN_E_FETCH_STATUS);
    assert_int_equal(server_count("/missing") - missing, 1);
}

static void *
fetch_often(void *fetcher)
{
    AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(1000);
    uintptr_t failures = 0;

    for (int i = 0; i < 10; i++)
        failures +=
            fetch(fetcher, "http://@/ok", NULL, &body, NULL) != AN_OK || !an_bytes_eq_str(an_buf_view(&body), "hello");
    return (void *)failures; /* NULL = none */
}

static void
threads_share_one_fetcher(void **state)
{
    AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = start(true, NULL, NULL);
    pthread_t threads[6];
    void *failures;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fetch_often, fetcher), 0);
    for (size_t i = 0; i < AN_COUNT(threads); i++) {
        pthread_join(threads[i], &failures);
        assert_null(failures);
    }
}

/* ---- https: an authority of our own on loopback ---- */
struct tls { pid_t server; FILE *said; unsigned port; char folder[40]; };

static void
run_command(const char *folder, const char *command)
{
    AN_CLEANUP(an_free_ptr) char *line = an_asprintf("cd %s && { %s; } >/dev/null 2>&1", folder, command);

    if (system(line) != 0)
        fail_msg("%s", command);
}

static void
serve_tls(const char *folder, int out)
{
    if (chdir(folder) == 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)
        execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "s.pem", "-key", "s.key", "-HTTP", (char *)NULL);
    _exit(127);
}

/* openssl says on which port it listens: "ACCEPT 127.0.0.1:40001". */
static void
start_tls(struct tls *tls)
{
    char line[200] = "";
    int ends[2];

    strcpy(tls->folder, "/tmp/antin-fetch-tls-XXXXXX");
    assert_non_null(mkdtemp(tls->folder));
    run_command(tls->folder, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj '/CN=CA thu'");
    run_command(tls->folder, "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout s.key -out s.csr -subj /CN=may.thu");
    run_command(tls->folder, "printf 'subjectAltName=DNS:may.thu,IP:127.0.0.1' > ext && openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -out s.pem -days 1 -extfile ext");
    run_command(tls->folder, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -days 2 -subj '/CN=CA khac'");
    run_command(tls->folder, "printf 'HTTP/1.0 200 OK\r\nContent-Type: application/pkix-crl\r\nContent-Length: 5\r\n\r\nhello' > crl");
    assert_int_equal(pipe(ends), 0);
    tls->server = fork();
    if (tls->server == 0)
        serve_tls(tls->folder, ends[1]);
    close(ends[1]);
    tls->said = fdopen(ends[0], "r");
    assert_non_null(tls->said);
    while (tls->port == 0 && fgets(line, sizeof(line), tls->said) != NULL)
        if (strncmp(line, "ACCEPT ", 7) == 0 && strrchr(line, ':') != NULL)
            tls->port = (unsigned)strtoul(strrchr(line, ':') + 1, NULL, 10);
    assert_int_not_equal(tls->port, 0);
}

static void
secure_servers_are_known_by_their_authority(void **state)
{
    static const struct { const char *ca, *host; an_code want; } table[] = {
        {"ca.pem", "127.0.0.1", AN_OK},
        {"ca.pem", "may.thu", AN_OK},                 /* the name is asked for, the address is overridden */
        {"ca.pem", "localhost", AN_E_FETCH_TLS},      /* not in the certificate */
        {"other.pem", "127.0.0.1", AN_E_FETCH_TLS},
        {NULL, "127.0.0.1", AN_E_FETCH_TLS},          /* the system does not know it */
    };
    struct tls tls = {0};

    (void)state;
    start_tls(&tls);
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_free_ptr) char *ca = table[i].ca != NULL ? an_asprintf("%s/%s", tls.folder, table[i].ca) : NULL;
        AN_CLEANUP(an_free_ptr) char *url = an_asprintf("https://%s:%u/crl", table[i].host, tls.port), *map = an_asprintf("may.thu=127.0.0.1:%u", tls.port);
        AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(1000);
        struct an_fetch_rules rules = {.allow_private = true, .ca_file = ca, .map = map};
        struct an_fetch what = {.url = url, .timeout_ms = 20000, .bytes_max = 1000, .tries = 1};
        AN_CLEANUP(an_fetcher_stop) struct an_fetcher *fetcher = NULL;
        struct an_err err = {0};
        an_code code;

        assert_int_equal(an_fetcher_start(&rules, &fetcher, &err), AN_OK);
        code = an_fetch_do(fetcher, &what, &body, &err);
        if (code != table[i].want || (code == AN_OK && !an_bytes_eq_str(an_buf_view(&body), "hello")))
            fail_msg("row %zu: %d %s", i, code, err.detail);
    }
    kill(tls.server, SIGTERM);
    waitpid(tls.server, NULL, 0);
    fclose(tls.said);
    run_command(tls.folder, "rm -rf *.pem *.key *.csr ext crl *.srl");
    rmdir(tls.folder);
}

static int
set_up(void **state)
{
    (void)state;
    an_child_look_in(getenv("ANTIN_HELPERS"));
    port = server_start();
    closed_port = server_closed_port();
    return mkdtemp(cache_dir) == NULL;
}

static int
tear_down(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", cache_dir);
    return system(command);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_told_apart),
        cmocka_unit_test(refused_connections_are_named),
        cmocka_unit_test(private_addresses_are_blocked),
        cmocka_unit_test(addresses_are_classed),
        cmocka_unit_test(written_names_are_classed),
        cmocka_unit_test(overrides_change_the_way),
        cmocka_unit_test(bodies_are_posted),
        cmocka_unit_test(answers_are_kept),
        cmocka_unit_test(busy_servers_are_tried_again),
        cmocka_unit_test(threads_share_one_fetcher),
        cmocka_unit_test(secure_servers_are_known_by_their_authority),
    };

    return cmocka_run_group_tests_name("fetch", tests, set_up, tear_down);
}
