#include "service/certification/status_cache.h"

#include <pthread.h>

#define SHARDS 16
#define BUCKETS 4096

struct entry {
    struct entry *next;      /* in its bucket */
    struct entry *newer, *older;
    struct an_answer_kept kept; /* views into what follows */
    uint8_t bytes[];
};
/* By serial: all answers about one certificate lie in one shard, in one bucket. */
struct shard {
    pthread_mutex_t lock;
    struct entry *buckets[BUCKETS];
    struct entry *newest, *oldest;
    size_t bytes, count;
};
struct an_answers {
    size_t bytes_max;        /* of a shard */
    uint64_t mark;           /* atomic: how often something was dropped */
    struct shard shards[SHARDS];
};

struct an_answers *
an_answers_new(size_t bytes_max)
{
    struct an_answers *answers = AN_NEW(struct an_answers);

    answers->bytes_max = bytes_max / SHARDS;
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&answers->shards[i].lock, NULL);
    return answers;
}

/* Serials are random: ours were drawn so, and answers about others are not kept. Their last octets differ also when
 * somebody counted. */
static uint64_t
spread(an_bytes serial)
{
    uint64_t hash = 0;
    size_t len = serial.len < sizeof(hash) ? serial.len : sizeof(hash);

    if (len != 0)
        memcpy(&hash, serial.ptr + serial.len - len, len);
    hash *= UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

static struct shard *
shard_of(struct an_answers *answers, uint64_t hash)
{
    return &answers->shards[hash % SHARDS];
}

static size_t
size_of(const struct entry *entry)
{
    const struct an_answer_kept *kept = &entry->kept;

    return sizeof(*entry) + kept->serial.len + kept->request.len + kept->answer.len + kept->headers.len;
}

static void
unlink_age(struct shard *shard, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &shard->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &shard->oldest) = entry->newer;
}

static void
link_newest(struct shard *shard, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = shard->newest;
    *(shard->newest ? &shard->newest->newer : &shard->oldest) = entry;
    shard->newest = entry;
}

static void
free_entry(struct shard *shard, struct entry *entry)
{
    struct entry **at = &shard->buckets[spread(entry->kept.serial) / SHARDS % BUCKETS];

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    unlink_age(shard, entry);
    shard->bytes -= size_of(entry);
    shard->count--;
    free(entry);
}

static struct entry *
find_entry(struct shard *shard, uint64_t hash, an_bytes request)
{
    struct entry *entry = shard->buckets[hash / SHARDS % BUCKETS];

    while (entry != NULL && !an_bytes_eq(entry->kept.request, request))
        entry = entry->next;
    return entry;
}

uint64_t
an_answers_mark(const struct an_answers *answers)
{
    return __atomic_load_n(&answers->mark, __ATOMIC_ACQUIRE);
}

static an_bytes
copy_to(uint8_t **at, an_bytes bytes)
{
    an_bytes copy = AN_BYTES(*at, bytes.len);

    if (bytes.len != 0)
        memcpy(*at, bytes.ptr, bytes.len);
    *at += bytes.len;
    return copy;
}

static struct entry *
new_entry(const struct an_answer_kept *kept)
{
    size_t bytes = kept->serial.len + kept->request.len + kept->answer.len + kept->headers.len;
    struct entry *entry = an_new_array(1, sizeof(*entry) + bytes);
    uint8_t *at = entry->bytes;

    entry->kept = *kept;
    entry->kept.serial = copy_to(&at, kept->serial);
    entry->kept.request = copy_to(&at, kept->request);
    entry->kept.answer = copy_to(&at, kept->answer);
    entry->kept.headers = copy_to(&at, kept->headers);
    return entry;
}

void
an_answers_put(struct an_answers *answers, const struct an_answer_kept *kept, uint64_t mark)
{
    uint64_t hash = spread(kept->serial);
    struct shard *shard = shard_of(answers, hash);
    struct entry *entry = new_entry(kept), *before;

    pthread_mutex_lock(&shard->lock);
    if (an_answers_mark(answers) != mark) {
        pthread_mutex_unlock(&shard->lock);
        free(entry);
        return;
    }
    before = find_entry(shard, hash, kept->request);
    if (before != NULL)
        free_entry(shard, before);
    entry->next = shard->buckets[hash / SHARDS % BUCKETS];
    shard->buckets[hash / SHARDS % BUCKETS] = entry;
    link_newest(shard, entry);
    shard->bytes += size_of(entry);
    shard->count++;
    while (shard->bytes > answers->bytes_max && shard->oldest != entry)
        free_entry(shard, shard->oldest);
    pthread_mutex_unlock(&shard->lock);
}

bool
an_answers_find(struct an_answers *answers, an_bytes serial, an_bytes request, an_time now, an_answer_take_fn take,
                void *context)
{
    uint64_t hash = spread(serial);
    struct shard *shard = shard_of(answers, hash);
    struct entry *entry;

    pthread_mutex_lock(&shard->lock);
    entry = find_entry(shard, hash, request);
    if (entry != NULL && entry->kept.next_update <= now) {
        free_entry(shard, entry);
        entry = NULL;
    }
    if (entry != NULL) {
        if (shard->newest != entry && shard->bytes > answers->bytes_max / 2) { /* age matters only when room is short */
            unlink_age(shard, entry);
            link_newest(shard, entry);
        }
        take(context, &entry->kept);
    }
    pthread_mutex_unlock(&shard->lock);
    return entry != NULL;
}

void
an_answers_drop(struct an_answers *answers, int64_t authority, an_bytes serial)
{
    uint64_t hash = spread(serial);
    struct shard *shard = shard_of(answers, hash);

    pthread_mutex_lock(&shard->lock);
    __atomic_add_fetch(&answers->mark, 1, __ATOMIC_ACQ_REL);
    for (struct entry *entry = shard->buckets[hash / SHARDS % BUCKETS], *next; entry != NULL; entry = next) {
        next = entry->next;
        if (entry->kept.authority == authority && an_bytes_eq(entry->kept.serial, serial))
            free_entry(shard, entry);
    }
    pthread_mutex_unlock(&shard->lock);
}

void
an_answers_drop_all(struct an_answers *answers)
{
    __atomic_add_fetch(&answers->mark, 1, __ATOMIC_ACQ_REL);
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&answers->shards[i].lock);
        while (answers->shards[i].oldest != NULL)
            free_entry(&answers->shards[i], answers->shards[i].oldest);
        pthread_mutex_unlock(&answers->shards[i].lock);
    }
}

size_t
an_answers_count(const struct an_answers *answers)
{
    size_t count = 0;

    for (size_t i = 0; i < SHARDS; i++)
        count += __atomic_load_n(&answers->shards[i].count, __ATOMIC_RELAXED);
    return count;
}

void
an_answers_free(struct an_answers **answers)
{
    if (*answers == NULL)
        return;
    an_answers_drop_all(*answers);
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&(*answers)->shards[i].lock);
    free(*answers);
    *answers = NULL;
}
