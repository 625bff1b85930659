/* Revocation lists of an instance: which are due, and where they go. */
#include "service/certification/status_internal.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* The lists of a folder are made by one process at a time, so that a higher number never gives way to a lower one;
 * several nodes may have the folder in common. */
static an_code
lock_lists(const struct an_status *status, int *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(status->instance, "public/crl/.lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        int failed = errno;
        if (fd >= 0)
            close(fd);
        return an_err_set_errno(reterr, AN_E_FILE_OPEN, failed, "%s", path);
    }
    *ret = fd;
    return AN_OK;
}

static an_code
publish_one(struct an_status *status, const struct status_authority *authority, int64_t partition, bool is_delta,
            an_time now, struct an_crl_made *ret,
            an_status_made_fn made, void *context, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *file = partition ? an_asprintf("%s-%lld.crl", authority->name, (long long)partition)
                                                   : an_asprintf("%s%s.crl", authority->name, is_delta ? "-delta" : "");
    AN_CLEANUP(an_free_ptr) char *part = an_asprintf("public/crl/%s", file);
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(status->instance, part);
    AN_CLEANUP(an_free_ptr) char *point = an_asprintf("%s/crl/%s", authority->base_url, file);
    AN_CLEANUP(an_free_ptr) char *delta = an_asprintf("%s/crl/%s-delta.crl", authority->base_url, authority->name);
    /* A delta list is fresh for as long as full ones are, so that whoever has both is never left without. */
    struct an_crl_plan plan = {.authority = authority->id, .issuer = authority->cert, .key = authority->crl_signer,
                               .path = path, .partition = partition,
                               .point_url = partition ? point : NULL, .delta_url = status->serve.delta_minutes &&
                               partition == 0 ? delta : NULL,
                               .is_delta = is_delta, .this_update = now,
                               .next_update = now + status->serve.crl_hours * 3600};

    AN_TRY(an_crl_publish(status->instance->store, &plan, ret, reterr));
    if (made != NULL)
        made(context, file, ret);
    return AN_OK;
}

/* What was made last stands beside the lists, for those who wait for the lock: sequence, times of the last full list
 * and of the last one, end of the full one. */
static char *
made_path(const struct an_status *status, const struct status_authority *authority)
{
    AN_CLEANUP(an_free_ptr) char *part = an_asprintf("public/crl/.%s.made", authority->name);

    return an_instance_path(status->instance, part);
}

static void
adopt_made(const struct an_status *status, const struct status_authority *authority, struct status_list *list)
{
    AN_CLEANUP(an_free_ptr) char *path = made_path(status, authority);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(256);
    long long sequence, full_at, delta_at, next_update;

    if (access(path, R_OK) != 0 || an_file_read(path, 255, &text, NULL) != AN_OK)
        return;
    an_buf_byte(&text, 0);
    if (sscanf((const char *)text.ptr, "%lld %lld %lld %lld", &sequence, &full_at, &delta_at, &next_update) != 4 ||
        sequence < list->sequence ||
        delta_at < list->delta_at)
        return;
    if (sequence > list->sequence)
        list->noticed_at = 0;
    *list = (struct status_list){list->authority, sequence, full_at, delta_at, next_update, list->noticed_at};
}

static an_code
note_made(const struct an_status *status, const struct status_authority *authority, bool is_delta, an_time now,
          const struct an_crl_made *made, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = made_path(status, authority), *text = NULL;
    struct status_list list = {.authority = authority->id};

    adopt_made(status, authority, &list);
    if (!is_delta) {
        list.full_at = now;
        list.next_update = now + status->serve.crl_hours * 3600;
    }
    text = an_asprintf("%lld %lld %lld %lld\n", (long long)made->sequence, (long long)list.full_at, (long long)now,
                       (long long)list.next_update);
    return an_file_write(path, an_bytes_of_str(text), 0644, reterr);
}

static an_code
publish_all(struct an_status *status, const struct status_authority *authority, bool is_delta, an_time now,
            struct an_crl_made *ret,
            an_status_made_fn made, void *context, struct an_err *reterr)
{
    struct an_crl_made part;

    AN_TRY(publish_one(status, authority, 0, is_delta, now, ret, made, context, reterr));
    for (int64_t i = 1; i <= authority->partitions && !is_delta; i++)
        AN_TRY(publish_one(status, authority, i, false, now, &part, made, context, reterr));
    return note_made(status, authority, is_delta, now, ret, reterr);
}

an_code
an_status_publish(struct an_status *status, const char *name, bool is_delta, an_status_made_fn made, void *context,
                  struct an_err *reterr)
{
    struct status_set *set = status_set_take(status);
    struct an_crl_made last;
    an_code code = AN_OK;
    size_t found = 0;
    int lock = -1;

    code = lock_lists(status, &lock, reterr);
    for (size_t i = 0; i < set->count && code == AN_OK; i++) {
        if (set->items[i].crl_signer == NULL || (name != NULL && strcmp(name, set->items[i].name) != 0))
            continue;
        found++;
        code = publish_all(status, &set->items[i], is_delta, an_time_now(), &last, made, context, reterr);
    }
    if (lock >= 0)
        close(lock);
    status_set_drop(set);
    if (code == AN_OK && found == 0)
        AN_FAIL(reterr, AN_E_STATUS_AUTHORITY, "%s", name ? name : "CRL");
    return code;
}

/* ---- what is due ---- */
struct base { int64_t authority, last; struct status_list *list; };

static an_code
note_base(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct status_list *list = context;

    (void)reterr;
    list->sequence = an_row_int(row, 1);
    list->full_at = list->delta_at = an_row_int(row, 2);
    list->next_update = an_row_int(row, 3);
    return AN_OK;
}

static an_code
note_last(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    *(int64_t *)context = an_row_int(row, 0);
    return AN_OK;
}

static an_code
read_base(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct base *base = context;
    const struct an_value who[] = {AN_V_INT(base->authority)};

    if (base->list->full_at == 0)
        AN_TRY(an_tx_one(tx, AN_SQL_CRL_ISSUED_BASE, who, AN_COUNT(who), note_base, base->list, NULL, reterr));
    base->last = 0;
    return an_tx_one(tx, AN_SQL_REVOCATION_LAST_OF, who, AN_COUNT(who), note_last, &base->last, NULL, reterr);
}

static struct status_list *
find_list(struct an_status *status, int64_t authority)
{
    for (size_t i = 0; i < status->list_count; i++)
        if (status->lists[i].authority == authority)
            return &status->lists[i];
    status->lists = an_grow(status->lists, status->list_count + 1, sizeof(*status->lists));
    status->lists[status->list_count] = (struct status_list){.authority = authority};
    return &status->lists[status->list_count++];
}

static bool
has_file(const struct an_status *status, const struct status_authority *authority)
{
    AN_CLEANUP(an_free_ptr) char *part = an_asprintf("public/crl/%s.crl", authority->name);
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(status->instance, part);

    return access(path, R_OK) == 0;
}

enum due { DUE_NOTHING, DUE_DELTA, DUE_FULL };

/* A list that nobody renews ends long before its nextUpdate: at half of its time at the latest the next one is made. */
static enum due
judge(const struct an_status *status, const struct status_authority *authority, struct status_list *list, int64_t last,
      an_time now)
{
    bool has_news = last > list->sequence;

    if (!has_news)
        list->noticed_at = 0;
    else if (list->noticed_at == 0)
        list->noticed_at = now;
    if (list->full_at == 0 || now - list->full_at >= status->serve.crl_minutes * 60 ||
        now >= list->next_update - status->serve.crl_hours * 1800 ||
        now < list->full_at || !has_file(status, authority))
        return DUE_FULL;
    if (has_news && now - list->noticed_at >= status->serve.revoked_seconds)
        return status->serve.delta_minutes ? DUE_DELTA : DUE_FULL;
    if (status->serve.delta_minutes && now - list->delta_at >= status->serve.delta_minutes * 60)
        return DUE_DELTA;
    return DUE_NOTHING;
}

static void
say_made(void *context, const char *file, const struct an_crl_made *made)
{
    status_say(context, "crl", "%s: number %lld, %lld entries, %llu bytes", file, (long long)made->number,
               (long long)made->entries, (unsigned long long)made->bytes);
}

static void
tend(struct an_status *status, const struct status_authority *authority, an_time now)
{
    struct base base = {.authority = authority->id, .list = find_list(status, authority->id)};
    struct an_crl_made made = {0};
    struct an_err err = {0};
    enum due due;
    int lock = -1;
    an_code code = an_store_read(status->instance->store, read_base, &base, &err);

    due = code == AN_OK ? judge(status, authority, base.list, base.last, now) : DUE_NOTHING;
    if (due != DUE_NOTHING)
        code = lock_lists(status, &lock, &err);
    if (lock >= 0) { /* somebody may have made it while we waited */
        adopt_made(status, authority, base.list);
        due = judge(status, authority, base.list, base.last, now);
    }
    if (due != DUE_NOTHING && code == AN_OK)
        code = publish_all(status, authority, due == DUE_DELTA, now, &made, say_made, status, &err);
    if (lock >= 0)
        close(lock);
    if (code != AN_OK)
        status_say(status, "crl.failed", "%s: %s: %s", authority->name, an_message_find(code)->symbol, err.detail);
    if (code != AN_OK || due == DUE_NOTHING)
        return;
    base.list->sequence = made.sequence > base.list->sequence ? made.sequence : base.list->sequence;
    base.list->delta_at = now;
    base.list->noticed_at = 0;
    if (due == DUE_FULL) {
        base.list->full_at = now;
        base.list->next_update = now + status->serve.crl_hours * 3600;
    }
}

void
status_lists_tick(struct an_status *status, an_time now)
{
    struct status_set *set = status_set_take(status);
    an_time until = AN_TIME_NONE;

    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].crl_signer != NULL)
            tend(status, &set->items[i], now);
    for (size_t i = 0; i < status->list_count; i++)
        if (status->lists[i].full_at != 0 && (until == AN_TIME_NONE || status->lists[i].next_update < until))
            until = status->lists[i].next_update;
    __atomic_store_n(&status->lists_until, until, __ATOMIC_RELEASE);
    status_set_drop(set);
}
