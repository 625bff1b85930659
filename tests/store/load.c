/*
 * What faults.py disturbs. "load run URL NAME THREADS": each thread writes works without end: one takes the next number of a
 * sequence and tells it in the audit log; once it is acknowledged a line goes to standard output: "ok NAME-thread-n", "lost …"
 * when nobody knows, "fail CODE …". "load check URL": invariants, the whole audit log, and a line "row OBJECT NUMBER" for each. "load
 * read URL":
 * the same of a database that may only be read (a replica).
 */
#include "audit/audit.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct an_store *store;

struct client { pthread_t thread; const char *name; int number; char object[96]; int64_t taken; };

static an_code
take_number(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct client *client = context;
    char detail[40];
    const struct an_audit_event event = {.at = 1764642605, .action = "test.load", .actor = "mau", .object = client->object, .outcome = "done", .detail = detail};

    AN_TRY(an_tx_next(tx, "load", &client->taken, reterr));
    AN_TRY(an_tx_put_value(tx, client->object, "there", reterr));
    snprintf(detail, sizeof(detail), "%lld", (long long)client->taken);
    return an_audit_append(tx, &event, reterr);
}

/* One write(2): a line is there whole or not at all, whenever the process is killed. */
static void
say(const char *word, const char *object)
{
    char line[200];
    int len = snprintf(line, sizeof(line), "%s %s\n", word, object);

    if (write(STDOUT_FILENO, line, (size_t)len) != len)
        _exit(3);
}

static void *
run_client(void *context)
{
    struct client *client = context;

    for (int i = 0;; i++) {
        struct timespec pause = {0, 20000000};
        struct an_err err = {0};
        char word[64];
        an_code code;

        snprintf(client->object, sizeof(client->object), "%s-%d-%d", client->name, client->number, i);
        code = an_store_write(store, take_number, client, &err);
        snprintf(word, sizeof(word), "fail %s", an_message_find(code)->symbol);
        say(code == AN_OK ? "ok" : code == AN_E_STORE_LOST ? "lost" : word, client->object);
        if (code != AN_OK)
            nanosleep(&pause, NULL);
    }
    return NULL;
}

static int
run(const char *name, int threads)
{
    struct client *clients = an_new_array((size_t)threads, sizeof(*clients));

    for (int i = 0; i < threads; i++) {
        clients[i] = (struct client){.name = name, .number = i};
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) != 0)
            return 1;
    }
    for (int i = 0; i < threads; i++)
        pthread_join(clients[i].thread, NULL);
    return 0;
}

static an_code
show_event(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)context;
    (void)reterr;
    if (strcmp(an_row_text(row, 2), "test.load") == 0)
        printf("row %s %s\n", an_row_text(row, 5), an_row_text(row, 8));
    return AN_OK;
}

static an_code
show_events(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_tx_each(tx, AN_SQL_AUDIT_EVENT_RANGE, (struct an_value[]){AN_V_INT(0), AN_V_INT(INT64_MAX)}, 2, show_event, context, reterr);
}

static void
show_fault(void *context, const char *invariant, const char *what)
{
    (void)context;
    printf("fault %s: %s\n", invariant, what);
}

static int
check(struct an_err *err)
{
    struct an_audit_report report = {0};
    size_t faults = 0;

    if (an_store_check(store, show_fault, NULL, &faults, err) != AN_OK || an_audit_verify(store, NULL, &report, err) != AN_OK ||
        an_store_read(store, show_events, NULL, err) != AN_OK)
        return 1;
    for (size_t i = 0; i < report.finding_count; i++)
        printf("fault audit: %d at %lld\n", (int)report.findings[i].fault, (long long)report.findings[i].first);
    printf("size %lld\n", (long long)report.size);
    an_audit_report_done(&report);
    return 0;
}

int
main(int argc, char **argv)
{
    struct an_err err = {0};
    int status = 2;

    signal(SIGXFSZ, SIG_IGN);
    if (argc < 3)
        return status;
    if (an_store_open(argv[2], strcmp(argv[1], "read") == 0 ? AN_STORE_READ_ONLY : AN_STORE_CREATE, 2, &store, &err) == AN_OK) {
        an_audit_attach(store);
        status = strcmp(argv[1], "run") == 0 && argc == 5 ? run(argv[3], (int)strtol(argv[4], NULL, 10)) : check(&err);
    }
    if (err.code != AN_OK)
        fprintf(stderr, "%s: %s\n", an_message_find(err.code)->symbol, err.detail);
    an_store_close(&store);
    return status;
}
