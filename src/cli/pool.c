#include "cli/pool.h"

#include "base/time.h"
#include "base/program.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS_MAX 64
#define PROGRESS_EVERY_MS 500

struct pool {
    size_t count, unit, next, printed;
    FILE *out;
    pool_fn each;
    void *context;
    pthread_mutex_t lock;
    char **texts; /* answers waiting for their turn; NULL = not made yet */
    size_t *lens;
    bool progress;
    uint64_t started_ms, shown_ms;
};

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

bool
pool_interrupted(void)
{
    return interrupted != 0;
}

static void
show_progress(struct pool *p, bool last)
{
    uint64_t now = an_time_monotonic_ms(), spent = now - p->started_ms;
    double rate = spent ? (double)(p->printed * p->unit) * 1000.0 / (double)spent : 0;

    if (!p->progress || (!last && now - p->shown_ms < PROGRESS_EVERY_MS))
        return;
    p->shown_ms = now;
    fprintf(stderr, "\r%zu/%zu · %.0f/s · %.0f s%s", p->printed * p->unit, p->count * p->unit, rate,
            rate > 0 ? (double)((p->count - p->printed) * p->unit) / rate : 0,
            last ? "\n" : "   ");
}

/* Prints what is ready from the front; called with the lock held. */
static void
print_ready(struct pool *p)
{
    while (p->printed < p->count && p->texts[p->printed] != NULL) {
        fwrite(p->texts[p->printed], 1, p->lens[p->printed], p->out);
        free(p->texts[p->printed]);
        p->texts[p->printed++] = NULL;
    }
    show_progress(p, false);
}

static void
run_item(struct pool *p, size_t index)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (out == NULL)
        an_die_memory();
    p->each(p->context, index, out);
    fclose(out);
    pthread_mutex_lock(&p->lock);
    p->texts[index] = text;
    p->lens[index] = len;
    print_ready(p);
    pthread_mutex_unlock(&p->lock);
}

static void *
work(void *context)
{
    struct pool *p = context;

    for (;;) {
        size_t index;
        pthread_mutex_lock(&p->lock);
        index = interrupted ? p->count : p->next;
        if (index < p->count)
            p->next++;
        pthread_mutex_unlock(&p->lock);
        if (index >= p->count)
            return NULL;
        run_item(p, index);
    }
}

static void
run_threads(struct pool *p, long threads)
{
    pthread_t ids[THREADS_MAX];
    size_t started = 0;

    for (long i = 1; i < threads && (size_t)i < p->count; i++)
        if (pthread_create(&ids[started], NULL, work, p) == 0)
            started++;
    work(p);
    for (size_t i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
}

void
pool_run(size_t count, size_t unit, long threads, FILE *out, pool_fn each, void *context)
{
    struct pool p = {.count = count, .unit = unit, .out = out, .each = each, .context = context};
    struct sigaction action = {.sa_handler = on_signal};

    if (count == 1) { /* nothing to arrange */
        each(context, 0, out);
        return;
    }
    if (threads <= 0)
        threads = (long)an_cores();
    if (threads > THREADS_MAX)
        threads = THREADS_MAX;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    p.texts = an_new_array(count, sizeof(*p.texts));
    p.lens = an_new_array(count, sizeof(*p.lens));
    p.progress = count * unit >= 20 && isatty(STDERR_FILENO);
    p.started_ms = an_time_monotonic_ms();
    pthread_mutex_init(&p.lock, NULL);
    run_threads(&p, threads);
    show_progress(&p, true);
    pthread_mutex_destroy(&p.lock);
    free(p.texts);
    free(p.lens);
}

AN_VEC(name_list, char *);

static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void
add_folder(struct name_list *list, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_visible, alphasort);

    for (int i = 0; i < count; i++) {
        char *name = an_asprintf("%s/%s", folder, entries[i]->d_name);
        struct stat st;
        if (stat(name, &st) == 0 && S_ISREG(st.st_mode))
            *name_list_push(list) = name;
        else
            free(name);
        free(entries[i]);
    }
    free(entries);
}

void
pool_expand(char **names, int count, char ***ret, size_t *ret_count)
{
    struct name_list list = {0};
    struct stat st;

    for (int i = 0; i < count; i++)
        if (stat(names[i], &st) == 0 && S_ISDIR(st.st_mode))
            add_folder(&list, names[i]);
        else
            *name_list_push(&list) = an_strdup(names[i]);
    *ret = list.items;
    *ret_count = list.count;
}

void
pool_expand_done(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}
