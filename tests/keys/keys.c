/* keys/: the list of keys, asking the key process, and a token that goes away while many ask at once. */
#include "base/file.h"
#include "base/time.h"
#include "keys/wire.h"
#include "proc/frame.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[64], control[160];
static bool has_softhsm;
static const struct an_scheme rsa = {.kind = AN_SIG_RSA_PKCS1, .digest = AN_SHA256};
static const struct an_scheme ecdsa = {.kind = AN_SIG_ECDSA, .digest = AN_SHA256};

static void
expect(an_code got, an_code wanted, const struct an_err *err)
{
    if (got != wanted)
        fail_msg("%s (%s), wanted %s", an_message_find(got)->symbol, err->detail, an_message_find(wanted)->symbol);
}

/* ---- the list ---- */
static void
lists_are_checked(void **state)
{
    static const struct { const char *json; an_code want; size_t count; } table[] = {
        {"[]", AN_OK, 0},
        {"[{\"name\":\"ca\",\"uri\":\"keys/ca.pem\",\"purposes\":[\"certificate\",\"crl\"]}]", AN_OK, 1},
        {"[{\"name\":\"ca\",\"uri\":\"pkcs11:token=x\",\"pin\":\"pins/x\",\"purposes\":[\"time-stamp\"]},{\"name\":\"b\",\"uri\":\"k\",\"purposes\":[\"audit\"]}]", AN_OK, 2},
        {"", AN_E_KEYS_LIST, 0},
        {"{}", AN_E_KEYS_LIST, 0},
        {"[1]", AN_E_KEYS_LIST, 0},
        {"[{\"name\":\"ca\",\"uri\":\"k\"}]", AN_E_KEYS_LIST, 0},
        {"[{\"name\":\"ca\",\"uri\":\"k\",\"purposes\":[]}]", AN_E_KEYS_LIST, 0},
        {"[{\"name\":\"ca\",\"uri\":\"k\",\"purposes\":[\"everything\"]}]", AN_E_KEYS_LIST, 0},
        {"[{\"name\":\"ca\",\"uri\":\"k\",\"purposes\":[1]}]", AN_E_KEYS_LIST, 0},
        {"[{\"name\":\"ca\",\"uri\":\"\",\"purposes\":[\"crl\"]}]", AN_E_KEYS_LIST, 0},
        {"[{\"name\":\"../ca\",\"uri\":\"k\",\"purposes\":[\"crl\"]}]", AN_E_KEYS_LIST, 0},
        {"[{\"name\":\"CA\",\"uri\":\"k\",\"purposes\":[\"crl\"]}]", AN_E_KEYS_LIST, 0},
        {"[{\"name\":\"ca\",\"uri\":\"k\",\"purposes\":[\"crl\"],\"pins\":\"1234\"}]", AN_E_KEYS_LIST, 0},
        {"[{\"name\":\"ca\",\"uri\":\"k\",\"purposes\":[\"crl\"]},{\"name\":\"ca\",\"uri\":\"l\",\"purposes\":[\"crl\"]}]", AN_E_KEYS_LIST, 0},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_key_list_done) struct an_key_list list = {0};
        struct an_err err = {0};
        expect(an_key_list_parse(an_bytes_of_str(table[i].json), &list, &err), table[i].want, &err);
        assert_int_equal(list.count, table[i].count);
    }
}

static void
frames_are_checked(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf bytes = an_buf_new(4096);
    struct an_key_question question = {.id = 7, .key = 0x0123456789abcdef, .purpose = AN_PURPOSE_OCSP, .scheme = {.kind = AN_SIG_RSA_PSS, .digest = AN_SHA384, .mgf_digest = AN_SHA256, .salt_len = -1}, .digest = AN_LIT("digest")};
    struct an_key_question read = {0};
    an_bytes in;

    (void)state;
    an_key_put_question(&bytes, &question);
    in = an_buf_view(&bytes);
    assert_true(an_key_take_question(&in, &read));
    assert_int_equal(in.len, 0);
    assert_true(read.id == 7 && read.key == question.key && read.purpose == AN_PURPOSE_OCSP && read.scheme.salt_len == -1 && an_bytes_eq_str(read.digest, "digest"));
    for (size_t len = 0; len < bytes.len; len++) { /* every part alone is refused */
        in = AN_BYTES(bytes.ptr, len);
        assert_false(an_key_take_question(&in, &read));
    }
    for (size_t at = 12; at < 16; at++) { /* numbers that name nothing */
        uint8_t kept = bytes.ptr[at];
        bytes.ptr[at] = 99;
        in = an_buf_view(&bytes);
        assert_false(an_key_take_question(&in, &read));
        bytes.ptr[at] = kept;
    }
}

/* ---- an instance ---- */
static void
write_file(const char *name, const char *text)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", dir, name);
    struct an_err err = {0};

    expect(an_file_write(path, an_bytes_of_str(text), 0600, &err), AN_OK, &err);
}

static void
add_key(const char *name, const char *uri, const char *pin, unsigned purposes)
{
    AN_CLEANUP(an_free_ptr) char *own_name = an_strdup(name);
    AN_CLEANUP(an_free_ptr) char *own_uri = an_strdup(uri);
    AN_CLEANUP(an_free_ptr) char *own_pin = pin ? an_strdup(pin) : NULL;
    struct an_key_entry entry = {.name = own_name, .uri = own_uri, .pin = own_pin, .purposes = purposes};
    struct an_err err = {0};

    expect(an_key_list_add(dir, &entry, &err), AN_OK, &err);
}

static void
add_key_file(const char *name, enum an_key_kind kind, const char *pin, unsigned purposes)
{
    AN_CLEANUP(an_secret_free) struct an_secret *phrase = pin ? an_secret_from(an_bytes_of_str(pin)) : NULL;
    AN_CLEANUP(an_buf_free) struct an_buf pem = an_buf_new(65536);
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("keys/%s.pem", name);
    AN_CLEANUP(an_free_ptr) char *pin_path = an_asprintf("pins/%s", name);
    struct an_privkey *key = NULL;
    struct an_err err = {0};

    expect(an_privkey_generate(kind, kind == AN_KEY_RSA ? 2048 : 256, &key, &err), AN_OK, &err);
    expect(an_privkey_encode(key, phrase, &pem, &err), AN_OK, &err);
    an_privkey_free(&key);
    an_buf_byte(&pem, 0);
    write_file(path, (const char *)pem.ptr);
    if (pin != NULL)
        write_file(pin_path, pin);
    add_key(name, path, pin ? pin_path : NULL, purposes);
}

static void
order(const char *orders)
{
    struct an_err err = {0};

    expect(an_file_write(control, an_bytes_of_str(orders), 0600, &err), AN_OK, &err);
}

static long
seen(const char *name)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s.seen", control);
    FILE *file = fopen(path, "re");
    char found[64];
    long value = 0, result = 0;

    while (file != NULL && fscanf(file, "%63s %ld", found, &value) == 2)
        if (strcmp(found, name) == 0)
            result = value;
    if (file != NULL)
        fclose(file);
    return result;
}

static void
make_token(void)
{
    AN_CLEANUP(an_secret_free) struct an_secret *so = an_secret_from(AN_LIT("12345678"));
    AN_CLEANUP(an_secret_free) struct an_secret *pin = an_secret_from(AN_LIT("123456"));
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(8192);
    AN_CLEANUP(an_free_ptr) char *module = an_asprintf("pkcs11:?module-path=%s", an_softhsm_module());
    AN_CLEANUP(an_free_ptr) char *pin_path = an_asprintf("%s/pins/token", dir);
    AN_CLEANUP(an_free_ptr) char *trouble = an_asprintf("pkcs11:token=khoa;object=tsa?module-path=%s", getenv("P11_TROUBLE"));
    struct an_err err = {0};
    char uri[512];

    write_file("pins/token", "123456");
    expect(an_softhsm_use(dir, &err), AN_OK, &err);
    expect(an_token_init(module, "khoa", so, pin, uri, &err), AN_OK, &err);
    expect(an_token_generate(uri, an_pin_from_file(pin_path), AN_KEY_RSA, 2048, "tsa", AN_LIT("\x01"), &spki, &err), AN_OK, &err);
    snprintf(control, sizeof(control), "%s/tokens/control", dir);
    setenv("P11_TROUBLE_CONTROL", control, 1);
    setenv("P11_TROUBLE_MODULE", an_softhsm_module(), 1);
    order("nothing 0\n");
    add_key("tsa", trouble, "pins/token", 1u << AN_PURPOSE_TIME_STAMP);
}

static int
make_instance(void **state)
{
    static const char *const folders[] = {"", "/keys", "/pins", "/run"};

    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/antin-keys-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    for (size_t i = 0; i < AN_COUNT(folders); i++) {
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s%s", dir, folders[i]);
        mkdir(path, 0700);
    }
    an_child_look_in(getenv("ANTIN_HELPERS"));
    add_key_file("ca", AN_KEY_RSA, NULL, 1u << AN_PURPOSE_CERTIFICATE | 1u << AN_PURPOSE_CRL);
    add_key_file("ocsp", AN_KEY_EC, "mat khau", 1u << AN_PURPOSE_OCSP);
    has_softhsm = an_softhsm_module() != NULL;
    if (has_softhsm)
        make_token();
    return 0;
}

static void
remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        AN_CLEANUP(an_free_ptr) char *name = an_asprintf("%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlink(name) != 0)
            remove_folder(name);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(path);
}

static int
remove_instance(void **state)
{
    (void)state;
    remove_folder(dir);
    return 0;
}

/* Signs and has libcrypto check it. */
static an_code
sign_and_check(struct an_signer *signer, const struct an_scheme *scheme, const char *text, struct an_err *err)
{
    AN_CLEANUP(an_buf_free) struct an_buf signature = an_buf_new(4096);
    uint8_t digest[AN_DIGEST_MAX];
    struct an_pubkey *key = NULL;
    bool is_right;

    an_hash_once(AN_SHA256, an_bytes_of_str(text), digest);
    AN_TRY(an_signer_sign(signer, scheme, AN_BYTES(digest, 32), &signature, err));
    AN_TRY(an_pubkey_parse(an_signer_spki(signer), &key, err));
    is_right = an_pubkey_verify_digest(key, scheme, AN_BYTES(digest, 32), an_buf_view(&signature));
    an_pubkey_unref(&key);
    return is_right ? AN_OK : an_err_set(err, AN_E_SIGN, "wrong signature");
}

static void
purposes_are_kept(void **state)
{
    static const struct { const char *name; enum an_key_purpose purpose; an_code want; const struct an_scheme *scheme; } table[] = {
        {"ca", AN_PURPOSE_CERTIFICATE, AN_OK, &rsa}, {"ca", AN_PURPOSE_CRL, AN_OK, &rsa},
        {"ca", AN_PURPOSE_OCSP, AN_E_KEYS_PURPOSE, &rsa}, {"ca", AN_PURPOSE_TIME_STAMP, AN_E_KEYS_PURPOSE, &rsa},
        {"ocsp", AN_PURPOSE_OCSP, AN_OK, &ecdsa}, {"ocsp", AN_PURPOSE_CERTIFICATE, AN_E_KEYS_PURPOSE, &ecdsa},
        {"nobody", AN_PURPOSE_OCSP, AN_E_KEYS_NAME, &rsa},
    };
    struct an_keys *keys = NULL;
    struct an_err err = {0};

    (void)state;
    expect(an_keys_open(dir, &keys, &err), AN_OK, &err);
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_signer *signer = NULL;
        expect(an_signer_of_keys(keys, table[i].name, table[i].purpose, &signer, &err), table[i].want, &err);
        if (signer != NULL)
            expect(sign_and_check(signer, table[i].scheme, "văn bản", &err), AN_OK, &err);
        an_signer_close(&signer);
    }
    an_keys_close(&keys);
    expect(an_keys_attach(dir, 0, &keys, &err), AN_E_KEYS_LOST, &err); /* none serves */
}

static void
keys_are_made_once(void **state)
{
    static const struct { const char *name, *token; enum an_key_kind kind; int bits; const struct an_scheme *scheme; } table[] = {
        {"nha-nuoc", NULL, AN_KEY_RSA, 2048, &rsa}, {"tra-loi", NULL, AN_KEY_EC, 256, &ecdsa}, {"tep", "file", AN_KEY_EC, 256, &ecdsa},
    };
    char kept[64];

    (void)state;
    if (!has_softhsm)
        skip();
    memcpy(kept, dir, sizeof(kept));
    snprintf(dir, sizeof(dir), "/tmp/antin-make-XXXXXX");
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < 3; i++) {
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", dir, ((const char *const[]){"keys", "pins", "run"})[i]);
        mkdir(path, 0700);
    }
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_key_plan plan = {.name = table[i].name, .purposes = 1u << AN_PURPOSE_OCSP, .kind = table[i].kind, .bits = table[i].bits, .token = table[i].token};
        struct an_signer *first = NULL, *again = NULL, *remote = NULL;
        struct an_keys *keys = NULL;
        struct an_err err = {0};
        expect(an_key_make(dir, &plan, &first, &err), AN_OK, &err);
        expect(an_key_make(dir, &plan, &again, &err), AN_OK, &err);
        assert_true(an_bytes_eq(an_signer_spki(first), an_signer_spki(again)));
        expect(sign_and_check(first, table[i].scheme, "khóa mới", &err), AN_OK, &err);
        an_signer_close(&first);
        an_signer_close(&again);
        expect(an_keys_open(dir, &keys, &err), AN_OK, &err); /* and the key process finds it */
        expect(an_signer_of_keys(keys, table[i].name, AN_PURPOSE_OCSP, &remote, &err), AN_OK, &err);
        expect(sign_and_check(remote, table[i].scheme, "qua tiến trình", &err), AN_OK, &err);
        an_signer_close(&remote);
        an_keys_close(&keys);
    }
    remove_folder(dir);
    memcpy(dir, kept, sizeof(kept));
    if (has_softhsm)
        assert_int_equal(an_softhsm_use(dir, NULL), AN_OK);
}

/* ---- a key process that serves, as the supervisor starts it ---- */
static pid_t server;
static int parent_end = -1, listener = -1;

static void
open_listener(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir, AN_KEYS_SOCKET);
    unlink(address.sun_path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 16), 0);
}

static unsigned call_ms = AN_KEYS_CALL_MS;

/* Twice that time is more than a key process takes to start; under sanitizers the password of a key file alone takes seconds. */
static unsigned
short_call_ms(void)
{
    return getenv("ANTIN_SANITIZED") != NULL ? 8000 : 1500;
}

static const char *left = "";

static void
begin_server(void)
{
    AN_CLEANUP(an_free_ptr) char *setup = an_asprintf("{\"dir\":\"%s\",\"call_ms\":%u,\"left\":[%s]}", dir, call_ms, left);
    AN_CLEANUP(an_free_ptr) char *program = an_asprintf("%s/antin-key", getenv("ANTIN_HELPERS"));
    int pair[2];

    if (listener < 0)
        open_listener();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    server = fork();
    if (server == 0) {
        dup2(pair[1], 3);
        fcntl(3, F_SETFD, 0);
        execl(program, "antin-key", (char *)NULL);
        _exit(127);
    }
    close(pair[1]);
    parent_end = pair[0];
    assert_int_equal(an_frame_send(parent_end, AN_KEYS_SETUP, an_bytes_of_str(setup), listener, 0), AN_FRAME_OK);
}

static void
start_server(void)
{
    struct an_frame answer = {.payload = an_buf_new(AN_KEYS_FRAME_BYTES), .fd = -1};

    begin_server();
    assert_int_equal(an_frame_receive(parent_end, &answer, an_time_monotonic_ms() + 60000), AN_FRAME_OK);
    if (answer.type != AN_KEYS_SETUP)
        fail_msg("%.*s", AN_FMT(an_buf_view(&answer.payload)));
    an_buf_free(&answer.payload);
}

static int
stop_server(int signal_number)
{
    int status = 0;

    if (signal_number != 0)
        kill(server, signal_number);
    close(parent_end);
    waitpid(server, &status, 0);
    return status;
}

/* ---- many ask while things happen ---- */
#define ASKERS 12

struct crowd {
    struct an_signer *signer;
    const struct an_scheme *scheme;
    bool stop;
    unsigned done, wrong;
    uint64_t longest_ms;
    char first[AN_DETAIL_MAX];
};

static void *
ask_again_and_again(void *context)
{
    struct crowd *crowd = context;

    while (!__atomic_load_n(&crowd->stop, __ATOMIC_ACQUIRE)) {
        struct an_err err = {0};
        uint64_t start = an_time_monotonic_ms(), spent;
        an_code code = sign_and_check(crowd->signer, crowd->scheme, "tem thời gian", &err);

        spent = an_time_monotonic_ms() - start;
        if (code != AN_OK && __atomic_fetch_add(&crowd->wrong, 1, __ATOMIC_ACQ_REL) == 0)
            snprintf(crowd->first, sizeof(crowd->first), "%.60s: %.200s", an_message_find(code)->symbol, err.detail);
        __atomic_add_fetch(&crowd->done, 1, __ATOMIC_ACQ_REL);
        if (spent > crowd->longest_ms) /* a race only makes it a little less exact */
            crowd->longest_ms = spent;
    }
    return NULL;
}

static void
wait_for_more(const struct crowd *crowd, unsigned more)
{
    unsigned want = __atomic_load_n(&crowd->done, __ATOMIC_ACQUIRE) + more;
    int status = 0;

    for (int i = 0; i < 3000 && __atomic_load_n(&crowd->done, __ATOMIC_ACQUIRE) < want; i++)
        usleep(10000);
    if (__atomic_load_n(&crowd->done, __ATOMIC_ACQUIRE) < want)
        fail_msg("no more answers: %s; the key process has status %x", crowd->first, waitpid(server, &status, WNOHANG) == server ? (unsigned)status : 0xffffu);
}

static void
kill_and_start(void)
{
    stop_server(SIGKILL);
    usleep(100000);
    start_server();
}

/* The supervisor's way: the new one is there before the old one is told to leave. */
static void
replace(void)
{
    int old_end = parent_end, status = 0;
    pid_t old = server;

    start_server();
    close(old_end);
    assert_int_equal(waitpid(old, &status, WNOHANG), 0); /* it stays for those who are connected */
}

/* ---- a module that does not come back ---- */
static unsigned
next_word(unsigned wait_ms)
{
    struct an_frame frame = {.payload = an_buf_new(AN_KEYS_FRAME_BYTES), .fd = -1};
    enum an_frame_state state = an_frame_receive(parent_end, &frame, an_time_monotonic_ms() + wait_ms);

    an_buf_free(&frame.payload);
    return state == AN_FRAME_OK ? frame.type : 0;
}

static void
come_back(void)
{
    order("nothing 0\n");
}

/* As the supervisor does when it is told. */
static void
follow(void)
{
    int old_end = parent_end, status = 0;
    pid_t old = server;

    order("nothing 0\n");
    start_server();
    close(old_end);
    assert_int_equal(waitpid(old, &status, 0), old);
}

struct hanging { struct an_signer *signer; an_code code; struct an_err err; uint64_t done_ms; };

static void *
ask_hanging(void *context)
{
    struct hanging *ask = context;

    ask->code = sign_and_check(ask->signer, &rsa, "tem thời gian", &ask->err);
    ask->done_ms = an_time_monotonic_ms();
    return NULL;
}

/* Every session is used, then two more ask; another key signs meanwhile as if nothing were. */
static void
hangs_are_left_behind(void **state)
{
    enum { ASKS = 18 };
    static const struct { const char *what, *order; void (*act)(void); an_code want; } table[] = {
        {"comes back", "hang 1\n", come_back, AN_OK},
        {"comes back, one session", "hang 1\nsessions_max 1\n", come_back, AN_OK},
        {"never comes back, followed by another process", "hang 2\n", follow, AN_OK},
        {"never comes back, one session, followed", "hang 2\nsessions_max 1\n", follow, AN_OK},
        {"does not come back in time", "hang 1\n", NULL, AN_E_TOKEN_HANGS},
        {"does not come back in time, one session", "hang 1\nsessions_max 1\n", NULL, AN_E_TOKEN_HANGS},
    };

    (void)state;
    if (!has_softhsm)
        skip();
    call_ms = short_call_ms();
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct hanging asks[ASKS] = {0};
        pthread_t threads[ASKS];
        struct an_signer *hanging = NULL, *other = NULL;
        struct an_keys *keys = NULL;
        struct an_err err = {0};
        uint64_t acted, last = 0, slowest = 0;
        order("nothing 0\n");
        start_server();
        expect(an_keys_attach(dir, 1000, &keys, &err), AN_OK, &err);
        expect(an_signer_of_keys(keys, "tsa", AN_PURPOSE_TIME_STAMP, &hanging, &err), AN_OK, &err);
        expect(an_signer_of_keys(keys, "ca", AN_PURPOSE_CRL, &other, &err), AN_OK, &err);
        order(table[i].order);
        for (size_t j = 0; j < ASKS; j++) {
            asks[j].signer = hanging;
            pthread_create(&threads[j], NULL, ask_hanging, &asks[j]);
        }
        assert_int_equal(next_word(20 * call_ms), AN_KEYS_STUCK);
        for (int j = 0; j < 20; j++) {
            uint64_t start = an_time_monotonic_ms();
            expect(sign_and_check(other, &rsa, "khóa khác", &err), AN_OK, &err);
            slowest = an_time_monotonic_ms() - start > slowest ? an_time_monotonic_ms() - start : slowest;
        }
        acted = an_time_monotonic_ms();
        if (table[i].act != NULL)
            table[i].act();
        for (size_t j = 0; j < ASKS; j++) {
            pthread_join(threads[j], NULL);
            expect(asks[j].code, table[i].want, &asks[j].err);
            last = asks[j].done_ms > last ? asks[j].done_ms : last;
        }
        print_message("%s: all %d answered %llu ms after; another key meanwhile took %llu ms at most\n", table[i].what, ASKS,
                      (unsigned long long)(last > acted ? last - acted : 0), (unsigned long long)slowest);
        order("nothing 0\n");
        expect(sign_and_check(hanging, &rsa, "và sau đó", &err), AN_OK, &err);
        an_signer_close(&hanging);
        an_signer_close(&other);
        an_keys_close(&keys);
        assert_int_equal(stop_server(0), 0);
    }
    call_ms = AN_KEYS_CALL_MS;
}

/* At the start: whoever starts us is told whose token it is, and a process that leaves it alone holds the others. */
static void
hanging_tokens_are_left_alone(void **state)
{
    struct an_frame answer = {.payload = an_buf_new(AN_KEYS_FRAME_BYTES), .fd = -1};
    struct an_signer *other = NULL, *hanging = NULL;
    struct an_keys *keys = NULL;
    struct an_err err = {0};
    int status = 0;

    (void)state;
    if (!has_softhsm)
        skip();
    call_ms = short_call_ms();
    order("hang_login 1\n");
    begin_server();
    assert_int_equal(an_frame_receive(parent_end, &answer, an_time_monotonic_ms() + 60000), AN_FRAME_OK);
    assert_int_equal(answer.type, AN_FRAME_ERROR);
    assert_int_equal(an_frame_read_error(an_buf_view(&answer.payload), &err), AN_E_TOKEN_HANGS);
    assert_string_equal(err.detail, "tsa");
    an_buf_free(&answer.payload);
    close(parent_end);
    assert_int_equal(waitpid(server, &status, 0), server);
    left = "\"tsa\"";
    start_server();
    expect(an_keys_attach(dir, 1000, &keys, &err), AN_OK, &err);
    expect(an_signer_of_keys(keys, "tsa", AN_PURPOSE_TIME_STAMP, &hanging, &err), AN_E_TOKEN_ABSENT, &err);
    expect(an_signer_of_keys(keys, "ca", AN_PURPOSE_CRL, &other, &err), AN_OK, &err);
    expect(sign_and_check(other, &rsa, "khóa khác", &err), AN_OK, &err);
    an_signer_close(&other);
    an_keys_close(&keys);
    assert_int_equal(stop_server(0), 0);
    order("nothing 0\n");
    left = "";
    call_ms = AN_KEYS_CALL_MS;
}

static void
nothing_is_lost(void **state)
{
    static const struct { const char *what, *during, *after; void (*act)(void); unsigned pause_ms; } table[] = {
        {"quiet", "nothing 0\n", "nothing 0\n", NULL, 0},
        {"token pulled out and put back", "removed 1\n", "removed 0\n", NULL, 300},
        {"all sessions dead", "dead_sessions 1\n", "dead_sessions 1\n", NULL, 0},
        {"dead again", "dead_sessions 2\n", "dead_sessions 2\n", NULL, 0},
        {"module restarted", "dead_sessions 2\ndead_module 1\n", "dead_sessions 2\n", NULL, 200},
        {"one session", "dead_sessions 3\nsessions_max 1\n", "dead_sessions 3\n", NULL, 100},
        {"sixteen sessions", "dead_sessions 4\nsessions_max 16\n", "dead_sessions 4\n", NULL, 100},
        {"every third signature fails", "dead_sessions 4\nfail_sign_every 3\n", "dead_sessions 4\n", NULL, 100},
        {"key process killed", "dead_sessions 4\n", "dead_sessions 4\n", kill_and_start, 0},
    };
    struct crowd crowd = {.scheme = &rsa};
    pthread_t threads[ASKERS];
    struct an_keys *keys = NULL;
    struct an_err err = {0};

    (void)state;
    if (!has_softhsm)
        skip();
    order("nothing 0\n");
    start_server();
    expect(an_keys_attach(dir, 1000, &keys, &err), AN_OK, &err);
    expect(an_signer_of_keys(keys, "tsa", AN_PURPOSE_TIME_STAMP, &crowd.signer, &err), AN_OK, &err);
    for (size_t i = 0; i < ASKERS; i++)
        pthread_create(&threads[i], NULL, ask_again_and_again, &crowd);
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        uint64_t start;
        crowd.longest_ms = 0;
        order(table[i].during);
        usleep(table[i].pause_ms * 1000);
        if (table[i].act != NULL)
            table[i].act();
        order(table[i].after);
        start = an_time_monotonic_ms();
        wait_for_more(&crowd, 3 * ASKERS);
        print_message("%s: answers again after %llu ms, longest wait %llu ms\n", table[i].what, (unsigned long long)(an_time_monotonic_ms() - start),
                      (unsigned long long)crowd.longest_ms);
        if (crowd.wrong != 0)
            fail_msg("%s: %s", table[i].what, crowd.first);
    }
    __atomic_store_n(&crowd.stop, true, __ATOMIC_RELEASE);
    for (size_t i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.wrong, 0);
    an_signer_close(&crowd.signer);
    an_keys_close(&keys);
    assert_int_equal(stop_server(0), 0); /* the parent gone, nobody connected: it leaves */
}

static void
a_new_process_takes_over(void **state)
{
    struct crowd crowd = {.scheme = &ecdsa};
    pthread_t threads[ASKERS];
    struct an_keys *keys = NULL;
    struct an_err err = {0};

    (void)state;
    start_server();
    expect(an_keys_attach(dir, 1000, &keys, &err), AN_OK, &err);
    expect(an_signer_of_keys(keys, "ocsp", AN_PURPOSE_OCSP, &crowd.signer, &err), AN_OK, &err);
    for (size_t i = 0; i < ASKERS; i++)
        pthread_create(&threads[i], NULL, ask_again_and_again, &crowd);
    wait_for_more(&crowd, 100);
    replace();
    wait_for_more(&crowd, 100);
    __atomic_store_n(&crowd.stop, true, __ATOMIC_RELEASE);
    for (size_t i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    if (crowd.wrong != 0)
        fail_msg("%s", crowd.first);
    an_signer_close(&crowd.signer);
    an_keys_close(&keys);
    stop_server(0);
    while (waitpid(-1, NULL, 0) > 0) /* the old one leaves too, now that nobody is connected */
        continue;
}

/* A PIN that the token refuses is offered once, however many ask. */
static void
a_refused_pin_is_not_repeated(void **state)
{
    struct an_signer *signer = NULL;
    struct an_keys *keys = NULL;
    struct an_err err = {0};

    (void)state;
    if (!has_softhsm)
        skip();
    order("refuse_pin 1\n");
    start_server();
    expect(an_keys_attach(dir, 1000, &keys, &err), AN_OK, &err);
    for (int i = 0; i < 5; i++) {
        expect(an_signer_of_keys(keys, "tsa", AN_PURPOSE_TIME_STAMP, &signer, &err), AN_E_TOKEN_ABSENT, &err);
        usleep(250000);
    }
    assert_int_equal(seen("wrong"), 1);
    an_keys_close(&keys);
    stop_server(0);
    order("nothing 0\n");
}

/* ---- SoftHSM2 rewrites its files in place ---- */
static char *
find_object(const char *end)
{
    AN_CLEANUP(an_free_ptr) char *tokens = an_asprintf("%s/tokens", dir);
    char *found = NULL;
    DIR *outer = opendir(tokens);
    const struct dirent *token, *file;

    while (outer != NULL && (token = readdir(outer)) != NULL) {
        AN_CLEANUP(an_free_ptr) char *folder = an_asprintf("%s/%s", tokens, token->d_name);
        DIR *inner = token->d_name[0] == '.' ? NULL : opendir(folder);
        while (inner != NULL && (file = readdir(inner)) != NULL) {
            size_t len = strlen(file->d_name), tail = strlen(end);
            bool is_other = strcmp(end, ".object") == 0 && strcmp(file->d_name, "token.object") == 0;
            if (found == NULL && !is_other && len >= tail && strcmp(file->d_name + len - tail, end) == 0)
                found = an_asprintf("%s/%s", folder, file->d_name);
        }
        if (inner != NULL)
            closedir(inner);
    }
    if (outer != NULL)
        closedir(outer);
    assert_non_null(found);
    return found;
}

static void
token_signs(void)
{
    struct an_signer *signer = NULL;
    struct an_keys *keys = NULL;
    struct an_err err = {0};

    start_server();
    expect(an_keys_attach(dir, 1000, &keys, &err), AN_OK, &err);
    expect(an_signer_of_keys(keys, "tsa", AN_PURPOSE_TIME_STAMP, &signer, &err), AN_OK, &err);
    expect(sign_and_check(signer, &rsa, "vẫn ký được", &err), AN_OK, &err);
    an_signer_close(&signer);
    an_keys_close(&keys);
    stop_server(0);
}

static void
spoil(const char *path, int keep_bytes, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, keep_bytes), 0);
    if (text != NULL)
        assert_int_equal(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
    close(fd);
}

static void
spoilt_files_are_restored(void **state)
{
    static const struct { const char *file; int keep_bytes; const char *text; } table[] = {
        {"token.object", 0, NULL}, {"token.object", 5, NULL}, {"token.object", 200, NULL}, {"token.object", 8, NULL}, {"token.object", 0, "this is not an object of SoftHSM2"},
        {"token.object", 300, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
        {".object", 0, NULL}, {".object", 100, NULL}, {"generation", 0, NULL},
    };

    (void)state;
    if (!has_softhsm)
        skip();
    token_signs();
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_free_ptr) char *path = find_object(table[i].file);
        spoil(path, table[i].keep_bytes, table[i].text);
        token_signs();
    }
}

/* The process is killed in the very moment when the file is empty, when that can be seen, and at any moment otherwise. */
static bool
kill_while_starting(const char *path, unsigned delay_us, bool is_aimed)
{
    struct pollfd answered = {.events = POLLIN};
    struct stat info = {.st_size = 1};

    begin_server();
    answered.fd = parent_end;
    if (!is_aimed)
        usleep(delay_us);
    for (unsigned n = 1; is_aimed && info.st_size != 0 && (n % 256 != 0 || poll(&answered, 1, 0) == 0); n++)
        assert_int_equal(stat(path, &info), 0);
    stop_server(SIGKILL);
    assert_int_equal(stat(path, &info), 0);
    return info.st_size == 0;
}

static void
a_kill_loses_no_token(void **state)
{
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    unsigned emptied = 0;

    (void)state;
    if (!has_softhsm)
        skip();
    path = find_object("token.object");
    for (unsigned i = 0; i < 80; i++) {
        emptied += kill_while_starting(path, i * 500, i % 2 == 0);
        if (i % 16 == 15)
            token_signs();
    }
    token_signs();
    print_message("80 kills while the token is opened, %u left its file empty\n", emptied);
}

/* No copy of a key outlives it, and what is whole replaces an older copy. */
static void
copies_follow_the_store(void **state)
{
    AN_CLEANUP(an_free_ptr) char *object = NULL;
    AN_CLEANUP(an_free_ptr) char *kept = NULL;
    AN_CLEANUP(an_free_ptr) char *orphan = NULL;
    AN_CLEANUP(an_free_ptr) char *strange = NULL;
    struct an_err err = {0};
    size_t count = 9;

    (void)state;
    if (!has_softhsm)
        skip();
    object = find_object(".object");
    kept = an_asprintf("%s.kept", object);
    orphan = an_asprintf("%.*sdestroyed.object.kept", (int)(strrchr(object, '/') + 1 - object), object);
    strange = an_asprintf("%.*snew.object", (int)(strrchr(object, '/') + 1 - object), object);
    expect(an_file_write(orphan, AN_LIT("key"), 0600, &err), AN_OK, &err);
    expect(an_file_write(strange, AN_LIT("half"), 0600, &err), AN_OK, &err); /* never was whole: not copied, not touched */
    assert_int_equal(unlink(kept), 0);
    expect(an_softhsm_keep(dir, &err), AN_OK, &err);
    assert_int_equal(access(kept, R_OK), 0);
    assert_int_not_equal(access(orphan, F_OK), 0);
    expect(an_softhsm_mend(dir, &count, &err), AN_OK, &err);
    assert_int_equal(count, 0);
    assert_int_equal(unlink(strange), 0);
    expect(an_softhsm_mend("/nowhere", &count, &err), AN_OK, &err);
}

/* Nonsense costs its sender the connection and nobody else anything. */
static void
nonsense_is_cut_off(void **state)
{
    static const struct { uint32_t type; const char *payload; } table[] = {{AN_KEYS_SIGN, "short"}, {99, ""}, {AN_KEYS_SETUP, "{\"dir\":\"/\"}"}};
    struct an_signer *signer = NULL;
    struct an_keys *keys = NULL;
    struct an_err err = {0};

    (void)state;
    start_server();
    expect(an_keys_attach(dir, 1000, &keys, &err), AN_OK, &err);
    expect(an_signer_of_keys(keys, "ca", AN_PURPOSE_CRL, &signer, &err), AN_OK, &err);
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_frame answer = {.payload = an_buf_new(4096), .fd = -1};
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir, AN_KEYS_SOCKET);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(an_frame_send(fd, table[i].type, an_bytes_of_str(table[i].payload), -1, 0), AN_FRAME_OK);
        assert_int_equal(an_frame_receive(fd, &answer, an_time_monotonic_ms() + 20000), AN_FRAME_CLOSED);
        close(fd);
        an_buf_free(&answer.payload);
    }
    expect(sign_and_check(signer, &rsa, "vẫn còn", &err), AN_OK, &err);
    an_signer_close(&signer);
    an_keys_close(&keys);
    stop_server(0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_checked),
        cmocka_unit_test(frames_are_checked),
        cmocka_unit_test(purposes_are_kept),
        cmocka_unit_test(keys_are_made_once),
        cmocka_unit_test(a_new_process_takes_over),
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(hangs_are_left_behind),
        cmocka_unit_test(hanging_tokens_are_left_alone),
        cmocka_unit_test(a_refused_pin_is_not_repeated),
        cmocka_unit_test(nonsense_is_cut_off),
        cmocka_unit_test(spoilt_files_are_restored),
        cmocka_unit_test(copies_follow_the_store),
        cmocka_unit_test(a_kill_loses_no_token),
    };

    if (make_instance(NULL) != 0)
        return 1;
    return cmocka_run_group_tests_name("keys", tests, NULL, remove_instance);
}
