/*
 * Carrying out what was approved: once, and resumed after a crash. The intent is written with the approval; whoever
 * works on it puts his name to it first, and writes each step after it is done. The steps themselves can be done again
 * without doing them twice (a key is found by its identifier, a certificate by its request key), so nothing depends on
 * the name alone: it only keeps two from working at the same time.
 */
#include "request/internal.h"

#include "base/file.h"
#include "crypto/crypto.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#define OWNER_SECONDS 120 /* a key in a slow token takes half a minute; who is of another machine is waited for as long */

/* Field 22 of /proc/PID/stat: ticks since boot at which the process began; a number that is used again has another. */
static unsigned long long
process_start(long pid)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(4096);
    char path[64];
    char *at;

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    if (an_file_read(path, 4000, &text, NULL) != AN_OK)
        return 0;
    an_buf_byte(&text, 0);
    at = strrchr((char *)text.ptr, ')'); /* the name may hold spaces and brackets */
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at != NULL ? strtoull(at + 1, NULL, 10) : 0;
}

/* Where a number of a process means this process: the name of the machine, and what tells apart two of one name (its
 * boot, and the container's own numbering). Cloned machines would otherwise take each other's living for dead. */
static void
this_machine(char ret[static 64])
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(4096);
    struct utsname machine = {0};
    uint8_t digest[AN_DIGEST_MAX];
    char numbering[64] = "";

    uname(&machine);
    if (an_file_read("/proc/sys/kernel/random/boot_id", 100, &text, NULL) != AN_OK)
        an_buf_reset(&text);
    if (readlink("/proc/self/ns/pid", numbering, sizeof(numbering) - 1) > 0)
        an_buf_str(&text, numbering);
    an_hash_once(AN_SHA256, an_buf_view(&text), digest);
    snprintf(ret, 64, "%.40s-%02x%02x%02x%02x", machine.nodename, digest[0], digest[1], digest[2], digest[3]);
}

void
an_execution_owner(char ret[static 80])
{
    char machine[64];

    this_machine(machine);
    snprintf(ret, 80, "%s:%ld:%llu", machine, (long)getpid(), process_start((long)getpid()));
}

/* Of this machine, and no such process. */
static bool
is_dead(const char *owner)
{
    char machine[64];
    const char *end = strrchr(owner, ':'), *at;
    long pid;

    this_machine(machine);
    size_t name = strlen(machine);
    if (end == NULL || strncmp(owner, machine, name) != 0 || owner[name] != ':')
        return false;
    at = owner + name + 1;
    pid = strtol(at, NULL, 10);
    if (pid <= 0)
        return false;
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return true;
    return process_start(pid) != strtoull(end + 1, NULL, 10);
}

an_code
an_execution_plan(struct an_tx *tx, int64_t id, int64_t place, an_time at, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(place), AN_V_INT(at)};

    return an_tx_run(tx, AN_SQL_REQUEST_EXECUTION_INSERT, values, AN_COUNT(values), NULL, reterr);
}

static an_code
take_execution(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct an_execution *ret = context;

    (void)reterr;
    ret->place = an_row_int(row, 0);
    ret->step = an_row_int(row, 1);
    snprintf(ret->owner, sizeof(ret->owner), "%s", an_row_text(row, 2));
    ret->owner_until = an_row_int(row, 3);
    snprintf(ret->device, sizeof(ret->device), "%s", an_row_text(row, 4));
    ret->attempts = an_row_int(row, 5);
    ret->started_at = an_row_int(row, 7);
    ret->finished_at = request_time(row, 8);
    return AN_OK;
}

an_code
an_execution_find(struct an_tx *tx, int64_t id, int64_t place, struct an_execution *ret, bool *ret_found,
                  struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(place)};

    return an_tx_one(tx, AN_SQL_REQUEST_EXECUTION_FIND, values, AN_COUNT(values), take_execution, ret, ret_found,
                     reterr);
}

an_code
an_execution_take(struct an_tx *tx, int64_t id, int64_t place, const char *owner, an_time now, struct an_execution *ret,
                  bool *ret_taken,
                  struct an_err *reterr)
{
    bool found = false;
    int64_t changed = 0;

    *ret_taken = false;
    AN_TRY(an_execution_find(tx, id, place, ret, &found, reterr));
    if (!found || ret->finished_at != AN_TIME_NONE)
        return AN_OK;
    if (ret->owner[0] != '\0' && ret->owner_until > now && !is_dead(ret->owner))
        return AN_OK;
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(place), an_v_text(owner), AN_V_INT(now + OWNER_SECONDS),
                                an_v_text(ret->owner)};
    AN_TRY(an_tx_run(tx, AN_SQL_REQUEST_EXECUTION_TAKE, values, AN_COUNT(values), &changed, reterr));
    *ret_taken = changed == 1;
    return AN_OK;
}

static an_code
run_owned(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count, struct an_err *reterr)
{
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, statement, values, count, &changed, reterr));
    if (changed != 1)
        AN_FAIL(reterr, AN_E_REQUEST_OWNER, "request:%lld/item:%lld", (long long)values[0].number,
                (long long)values[1].number);
    return AN_OK;
}

an_code
an_execution_step(struct an_tx *tx, int64_t id, int64_t place, const char *owner, int64_t step, const char *device,
                  an_time now,
                  struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(place), an_v_text(owner), AN_V_INT(step), an_v_text(device),
                                AN_V_INT(now + OWNER_SECONDS)};

    return run_owned(tx, AN_SQL_REQUEST_EXECUTION_STEP, values, AN_COUNT(values), reterr);
}

an_code
an_execution_give(struct an_tx *tx, int64_t id, int64_t place, const char *owner, const char *error,
                  struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(place), an_v_text(owner), an_v_text(error)};

    return run_owned(tx, AN_SQL_REQUEST_EXECUTION_GIVE, values, AN_COUNT(values), reterr);
}

an_code
an_execution_finish(struct an_tx *tx, int64_t id, int64_t place, const char *owner, int64_t step, const char *device,
                    const char *result,
                    an_time now, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(place), an_v_text(owner), AN_V_INT(now), AN_V_INT(step)};
    struct an_value done[] = {AN_V_INT(id), AN_V_INT(place), an_v_text(result), an_v_text(device)};

    AN_TRY(run_owned(tx, AN_SQL_REQUEST_EXECUTION_FINISH, values, AN_COUNT(values), reterr));
    return run_owned(tx, AN_SQL_REQUEST_ITEM_DONE, done, AN_COUNT(done), reterr);
}
