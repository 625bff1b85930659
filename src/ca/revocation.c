#include "ca/revocation.h"

#include "ca/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SERIAL_MAX 21

static an_code
check_change(const struct an_status_change *change, struct an_err *reterr)
{
    if (change->serial.len == 0 || change->serial.len > SERIAL_MAX || change->at == AN_TIME_NONE ||
        change->partition < 0)
        AN_FAIL(reterr, AN_E_CA_FIELD, "serialNumber, revocationDate, partition");
    if (change->kind == AN_STATUS_REVOKE && (change->reason == AN_REASON_HOLD ||
                                             change->reason == AN_REASON_REMOVE_FROM_CRL))
        AN_FAIL(reterr, AN_E_CA_FIELD, "reason %d", (int)change->reason);
    return AN_OK;
}

static an_code
build_entry(const struct an_status_change *change, struct an_buf *ret, struct an_err *reterr)
{
    static const enum an_crl_reason own[] = {[AN_STATUS_HOLD] = AN_REASON_HOLD,
                                             [AN_STATUS_RELEASE] = AN_REASON_REMOVE_FROM_CRL};
    struct an_der_out out = AN_DER_OUT(ret);

    return an_ca_put_entry(&out, &(struct an_revocation){.serial = change->serial, .at = change->at,
                                                         .reason = change->kind == AN_STATUS_REVOKE ? change->reason
                                                         : own[change->kind]},
                           change->invalidity_date, reterr);
}

struct standing { int64_t sequence, kind, partition; };

static an_code
note_standing(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    *(struct standing *)context = (struct standing){an_row_int(row, 0), an_row_int(row, 1), an_row_int(row, 2)};
    return AN_OK;
}

/* What stood there before: nothing, or a release, may be followed by anything but a release; a hold by all but a
 * hold. */
static bool
may_follow(bool found, int64_t standing, enum an_status_kind next)
{
    if (!found || standing == AN_STATUS_RELEASE)
        return next != AN_STATUS_RELEASE;
    return standing == AN_STATUS_HOLD && next != AN_STATUS_HOLD;
}

static an_code
end_standing(struct an_tx *tx, const struct an_status_change *change, const struct standing *standing,
             struct an_err *reterr)
{
    const struct an_value row[] = {AN_V_INT(standing->sequence)};
    const struct an_value place[] = {AN_V_INT(change->authority), AN_V_INT(standing->partition),
                                     AN_V_INT(standing->sequence)};

    AN_TRY(an_tx_run(tx, AN_SQL_REVOCATION_END, row, AN_COUNT(row), NULL, reterr));
    return an_tx_run(tx, AN_SQL_CRL_BLOCK_SPOIL, place, AN_COUNT(place), NULL, reterr);
}

an_code
an_revocation_record(struct an_tx *tx, const struct an_status_change *change, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf entry = an_buf_new(256);
    const struct an_value who[] = {AN_V_INT(change->authority), AN_V_BLOB(change->serial)};
    struct standing standing = {0};
    bool found = false;

    AN_TRY(check_change(change, reterr));
    AN_TRY(build_entry(change, &entry, reterr));
    AN_TRY(an_tx_one(tx, AN_SQL_REVOCATION_FIND, who, AN_COUNT(who), note_standing, &standing, &found, reterr));
    if (!may_follow(found, standing.kind, change->kind))
        AN_FAIL(reterr, AN_E_CA_STATUS, "%d → %d", found ? (int)standing.kind : -1, (int)change->kind);
    if (found)
        AN_TRY(end_standing(tx, change, &standing, reterr));
    AN_TRY(an_tx_run(tx, AN_SQL_OCSP_ANSWER_DELETE, who, AN_COUNT(who), NULL, reterr));
    const struct an_value row[] = {AN_V_INT(change->authority), AN_V_INT(change->partition), AN_V_BLOB(change->serial),
                                   AN_V_INT(change->kind),
                                   AN_V_INT(change->at), AN_V_BLOB(an_buf_view(&entry))};
    return an_tx_run(tx, AN_SQL_REVOCATION_INSERT, row, AN_COUNT(row), NULL, reterr);
}

/* ---- the counter ---- */
struct an_status_watch { uint64_t *count; };

static an_code
map_counter(const char *dir, uint64_t **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/run/status", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), failed = errno;
    void *at;

    if (fd < 0)
        return an_err_set_errno(reterr, AN_E_FILE_OPEN, failed, "%s", path);
    at = ftruncate(fd, (off_t)sizeof(uint64_t)) == 0 ? mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED,
                                                            fd, 0) : MAP_FAILED;
    failed = errno;
    close(fd);
    if (at == MAP_FAILED)
        return an_err_set_errno(reterr, AN_E_FILE_OPEN, failed, "%s", path);
    *ret = at;
    return AN_OK;
}

void
an_status_announce(const char *instance_dir)
{
    uint64_t *count = NULL;

    if (map_counter(instance_dir, &count, NULL) != AN_OK)
        return;
    __atomic_add_fetch(count, 1, __ATOMIC_ACQ_REL);
    munmap(count, sizeof(*count));
}

an_code
an_status_watch_open(const char *instance_dir, struct an_status_watch **ret, struct an_err *reterr)
{
    uint64_t *count = NULL;

    AN_TRY(map_counter(instance_dir, &count, reterr));
    *ret = AN_NEW(struct an_status_watch);
    (*ret)->count = count;
    return AN_OK;
}

uint64_t
an_status_watch_count(const struct an_status_watch *watch)
{
    return __atomic_load_n(watch->count, __ATOMIC_ACQUIRE);
}

void
an_status_watch_close(struct an_status_watch **watch)
{
    if (*watch == NULL)
        return;
    munmap((*watch)->count, sizeof(*(*watch)->count));
    free(*watch);
    *watch = NULL;
}
