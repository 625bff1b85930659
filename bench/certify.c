/*
 * Certification, measured: "certify issue DIR THREADS SECONDS" (each certificate with its audit entry and its first OCSP answer,
 * signed, in one commit), "certify renew DIR THREADS COUNT" (so many are issued, then each is renewed), "certify fill DIR COUNT"
 * (many rows a commit), "certify find DIR SECONDS" (one thread, by serial), "certify lint DIR" (microseconds a certificate). Keys
 * in this process: those that lie in DIR, or P-256. A last argument names another store than that in DIR. Prints JSON.
 */
#include "tests/ca/office.h"

#include <pthread.h>
#include <time.h>

#include "ca/lint.h"

#define TIMES_MAX 400000

static struct office office;
static struct an_signer *ocsp_key;
static struct an_cert *ocsp_cert;
static struct an_buf spki;
static double end_at;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(an_code code, const struct an_err *err)
{
    if (code == AN_OK)
        return;
    fprintf(stderr, "%s: %s\n", an_message_find(code)->symbol, err->detail);
    exit(1);
}

static an_code
make_answer(void *context, const struct an_authority *authority, struct an_cert *cert, an_time when, struct an_buf *ret, struct an_err *err)
{
    (void)context;
    return an_ca_ocsp(authority->cert, ocsp_cert, ocsp_key, cert, NULL, when, when + 7 * DAY, AN_NONE, ret, err);
}

static void
open_office(const char *dir, const char *database)
{
    static const struct an_first_answer answer = {make_answer, office_put_answer, NULL};
    const struct an_places places = {.crl_url = "http://127.0.0.1/crl/nha-nuoc.crl"};
    const struct an_name_part name[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", "Tổ chức MẪU"}, {"2.5.4.3", "OCSP MẪU"}};
    struct an_certifier_setup setup = {.open_key = office_open_key, .key_context = &office, .first_answer = &answer};
    struct an_issue what = {.subject = name, .subject_count = 3, .not_before = an_time_now(), .not_after = an_time_now() + 300 * DAY};
    AN_CLEANUP(an_signer_close) struct an_signer *issuing = NULL;
    struct an_privkey *key = NULL;
    struct an_err err = {0};

    snprintf(office.dir, sizeof(office.dir), "%s", dir);
    must(office_open(&office, database, &err), &err);
    an_certifier_close(&office.certifier);
    must(office_open_key(&office, "nha-nuoc", &issuing, &err), &err);
    must(office_open_key(&office, "ocsp", &ocsp_key, &err), &err);
    what.spki = an_signer_spki(ocsp_key);
    must(an_ca_issue_once(office.profiles, "ocsp", office.issuing, issuing, &places, &what, &ocsp_cert, &err), &err);
    setup.store = office.store;
    must(an_certifier_open(&setup, &office.certifier, &err), &err);
    spki = an_buf_new(4096);
    must(an_privkey_generate(AN_KEY_EC, 256, &key, &err), &err);
    must(an_privkey_spki(key, &spki, &err), &err);
    an_privkey_free(&key);
}

struct client { pthread_t thread; int number; size_t done; float *times; };

static void
issue_one(struct client *client, struct an_certified *made)
{
    char key[64], name[64];
    const struct an_name_part subject[] = {{"2.5.4.6", "VN"}, {"2.5.4.7", "Tỉnh Mẫu"}, {"2.5.4.10", "ỦY BAN NHÂN DÂN TỈNH MẪU"}, {"2.5.4.11", "Sở Mẫu"}, {"2.5.4.3", name}};
    struct an_certify what = {.request_key = key, .profile = "ca-nhan", .subject = subject, .subject_count = 5, .email = "mau@mau.gov.vn", .spki = an_buf_view(&spki),
                              .not_before = AN_TIME_NONE, .not_after = AN_TIME_NONE, .actor = {"cb-01", "can-bo-cap-chung-thu"}};
    struct an_err err = {0};

    snprintf(key, sizeof(key), "request:%d-%d/item:%zu", (int)getpid(), client->number, client->done);
    snprintf(name, sizeof(name), "Nguyễn Văn Mẫu %d %zu", client->number, client->done);
    must(an_certify_issue(office.certifier, &what, made, &err), &err);
}

static void *
run_client(void *context)
{
    struct client *client = context;

    for (double start = now(), t; start < end_at && client->done < TIMES_MAX; start = t, client->done++) {
        struct an_certified made = {0};
        issue_one(client, &made);
        an_certified_done(&made);
        t = now();
        client->times[client->done] = (float)(t - start);
    }
    return NULL;
}

static int
compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static void
issue(int threads, double seconds)
{
    struct client *clients = an_new_array((size_t)threads, sizeof(*clients));
    float *all = an_new_array(TIMES_MAX, sizeof(*all));
    size_t total = 0, kept = 0;
    double start = now();

    end_at = start + seconds;
    for (int i = 0; i < threads; i++) {
        clients[i].number = i;
        clients[i].times = an_new_array(TIMES_MAX / 16, sizeof(float));
        pthread_create(&clients[i].thread, NULL, run_client, &clients[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(clients[i].thread, NULL);
        total += clients[i].done;
        for (size_t k = 0; k < clients[i].done && kept < TIMES_MAX; k++)
            all[kept++] = clients[i].times[k];
        free(clients[i].times);
    }
    qsort(all, kept, sizeof(*all), compare);
    printf("{\"per_second\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f}\n", (double)total / (now() - start), kept ? 1000.0 * (double)all[kept / 2] : 0.0, kept ? 1000.0 * (double)all[kept * 99 / 100] : 0.0);
    free(all);
    free(clients);
}

/* ---- each certificate renewed, its key the same ---- */
struct renewing { pthread_t thread; struct client client; size_t count; char (*serials)[2 * AN_SERIAL_SIZE + 1]; };

static void *
issue_some(void *context)
{
    struct renewing *r = context;

    for (; r->client.done < r->count; r->client.done++) {
        struct an_certified made = {0};
        AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(128);
        issue_one(&r->client, &made);
        an_buf_hex(&hex, made.cert->serial);
        memcpy(r->serials[r->client.done], hex.ptr, hex.len);
        an_certified_done(&made);
    }
    return NULL;
}

static void *
renew_some(void *context)
{
    struct renewing *r = context;

    for (size_t i = 0; i < r->count; i++) {
        struct an_certified made = {0};
        struct an_err err = {0};
        char key[64];
        struct an_recertify what = {.request_key = key, .serial = r->serials[i], .not_after = AN_TIME_NONE, .actor = {"cb-01", "can-bo-cap-chung-thu"}};
        snprintf(key, sizeof(key), "renewal:%d/item:%zu", r->client.number, i);
        must(an_certify_renew(office.certifier, &what, &made, &err), &err);
        an_certified_done(&made);
    }
    return NULL;
}

static double
run_all(struct renewing *all, int threads, void *(*run)(void *))
{
    double start = now();

    for (int i = 0; i < threads; i++)
        pthread_create(&all[i].thread, NULL, run, &all[i]);
    for (int i = 0; i < threads; i++)
        pthread_join(all[i].thread, NULL);
    return now() - start;
}

static void
renew(int threads, size_t count)
{
    struct renewing *all = an_new_array((size_t)threads, sizeof(*all));
    double issuing, renewing;

    for (int i = 0; i < threads; i++) {
        all[i].client.number = i;
        all[i].count = (count + (size_t)threads - 1) / (size_t)threads;
        all[i].serials = an_new_array(all[i].count, sizeof(*all[i].serials));
    }
    issuing = run_all(all, threads, issue_some);
    renewing = run_all(all, threads, renew_some);
    printf("{\"renewed\": %zu, \"issuing_seconds\": %.2f, \"seconds\": %.2f}\n", all[0].count * (size_t)threads, issuing, renewing);
    for (int i = 0; i < threads; i++)
        free(all[i].serials);
    free(all);
}

/* Rows as they are, with numbers of their own: the size of the register counts here, not what its keys signed. */
struct filling { struct an_cert cert; size_t from, many; uint8_t serial[AN_SERIAL_SIZE]; };

static an_code
fill_in(void *context, struct an_tx *tx, struct an_err *err)
{
    struct filling *f = context;

    for (size_t i = 0; i < f->many; i++) {
        AN_CLEANUP(an_register_texts_done) struct an_register_texts texts = {0};
        char key[48], email[64];
        struct an_registration r = {.authority = 2, .cert = &f->cert, .profile = "ca-nhan", .email = email, .request_key = key, .kind = "new"};
        int64_t id = 0;
        snprintf(key, sizeof(key), "fill:%zu", f->from + i);
        AN_TRY(an_serial_random(f->serial, err));
        snprintf(email, sizeof(email), "mau%02x%02x%02x%02x@mau.gov.vn", f->serial[1], f->serial[2], f->serial[3], f->serial[4]);
        f->cert.serial = AN_BYTES(f->serial, sizeof(f->serial));
        an_register_texts_make(&r, &texts);
        AN_TRY(an_register_insert(tx, &r, &texts, an_time_now(), &id, err));
    }
    return AN_OK;
}

static void
fill(size_t count)
{
    struct client client = {.number = 9999};
    struct an_certified made = {0};
    struct filling f = {.many = 5000};
    struct an_err err = {0};
    double start = now();

    issue_one(&client, &made);
    f.cert = *made.cert;
    for (; f.from < count; f.from += f.many)
        must(an_store_write(office.store, fill_in, &f, &err), &err);
    an_certified_done(&made);
    printf("{\"rows\": %zu, \"seconds\": %.2f}\n", f.from, now() - start);
}

static void
find(double seconds)
{
    struct client client = {.number = 9998};
    struct an_certified made = {0};
    struct an_buf hex = an_buf_new(128);
    struct an_err err = {0};
    double start = now();
    size_t found = 0;
    char *serial;

    issue_one(&client, &made);
    an_buf_hex(&hex, made.cert->serial);
    serial = an_buf_take_str(&hex);
    for (; now() < start + seconds; found++) {
        AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
        struct an_certificate certificate;
        must(an_certify_find(office.certifier, serial, arena, &certificate, &err), &err);
    }
    printf("{\"per_second\": %.1f}\n", (double)found / (now() - start));
    an_certified_done(&made);
    free(serial);
}

static void
ignore(void *context, const struct an_lint *lint)
{
    (void)lint;
    (*(size_t *)context)++;
}

static void
lint(void)
{
    struct client client = {.number = 9997};
    struct an_certified made = {0};
    size_t notes = 0;
    struct an_lint_plan plan = {.issuer = office.issuing, .each = ignore, .context = &notes};
    const size_t rounds = 100000;
    struct an_buf answer = an_buf_new(AN_LIMIT_OCSP_BYTES);
    struct an_err err = {0};
    double start;

    issue_one(&client, &made);
    must(an_profiles_find(office.profiles, "ca-nhan", &plan.profile, NULL), &(struct an_err){0});
    start = now();
    for (size_t i = 0; i < rounds; i++)
        an_lint_cert(made.cert->der, &plan);
    printf("{\"microseconds\": %.2f, ", 1e6 * (now() - start) / (double)rounds);
    must(an_ca_ocsp(office.issuing, ocsp_cert, ocsp_key, made.cert, NULL, an_time_now(), an_time_now() + DAY, AN_NONE, &answer, &err), &err);
    start = now();
    for (size_t i = 0; i < rounds; i++)
        an_lint_ocsp(an_buf_view(&answer), &plan);
    printf("\"answer_microseconds\": %.2f, \"checks\": %zu}\n", 1e6 * (now() - start) / (double)rounds, an_lint_count());
    an_buf_free(&answer);
    an_certified_done(&made);
}

int
main(int argc, char **argv)
{
    const char *database = argc > 3 && strstr(argv[argc - 1], "://") ? argv[--argc] : NULL;

    if (argc < 3)
        return 64;
    open_office(argv[2], database);
    if (strcmp(argv[1], "issue") == 0 && argc == 5)
        issue((int)strtol(argv[3], NULL, 10), strtod(argv[4], NULL));
    else if (strcmp(argv[1], "renew") == 0 && argc == 5)
        renew((int)strtol(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
    else if (strcmp(argv[1], "fill") == 0 && argc == 4)
        fill(strtoul(argv[3], NULL, 10));
    else if (strcmp(argv[1], "find") == 0 && argc == 4)
        find(strtod(argv[3], NULL));
    else if (strcmp(argv[1], "lint") == 0)
        lint();
    office_close(&office);
    return 0;
}
