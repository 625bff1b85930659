/* Verification policies: finding one, and asking its table. */
#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "base/limits.h"
#include "regulation/internal.h"

/* ---- finding ---- */

static bool
policy_id_is_clean(const char *id)
{
    size_t len = strlen(id);

    return len > 0 && len < 64 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* Ids of the files, sorted; the caller frees with free_ids. */
struct id_array {
    char **items;
    size_t count;
};

static void
free_ids(struct id_array *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        free(ids->items[i]);
    free(ids->items);
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static an_code
list_policies(const struct an_regulations *regs, struct id_array *ret, struct an_err *reterr)
{
    DIR *dir = opendir(regs->policies_dir);

    if (!dir)
        return an_err_set_errno(reterr, AN_E_REGULATION_DIR, errno, "%.200s", regs->policies_dir);
    for (const struct dirent *entry; (entry = readdir(dir)) && ret->count < AN_LIMIT_REGULATIONS;) {
        size_t len = strlen(entry->d_name);
        if (len < 6 || strcmp(entry->d_name + len - 5, ".yaml") != 0)
            continue;
        ret->items = an_grow(ret->items, ret->count + 1, sizeof(char *));
        ret->items[ret->count++] = an_strdup_bytes(AN_BYTES(entry->d_name, len - 5));
    }
    closedir(dir);
    if (ret->count)
        qsort(ret->items, ret->count, sizeof(char *), compare_texts);
    return AN_OK;
}

static an_code
fail_unknown(const struct an_regulations *regs, const char *id, struct an_err *reterr)
{
    AN_CLEANUP(free_ids) struct id_array ids = {0};
    AN_CLEANUP(an_buf_free) struct an_buf list = an_buf_new(1024);

    AN_TRY(list_policies(regs, &ids, reterr));
    for (size_t i = 0; i < ids.count; i++)
        an_buf_printf(&list, "%s%s", i ? ", " : "", ids.items[i]);
    AN_FAIL(reterr, AN_E_POLICY_UNKNOWN, "%.60s (%.*s)", id, AN_FMT(an_buf_view(&list)));
}

static an_code
find_policy(struct an_regulations *regs, const char *id, const struct an_policy **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%.80s.yaml", regs->policies_dir, id);

    for (struct policy_entry *entry = regs->policies; entry; entry = entry->next) {
        if (strcmp(entry->policy->id, id) == 0) {
            *ret = entry->policy;
            return AN_OK;
        }
    }
    if (!policy_id_is_clean(id) || access(path, F_OK) != 0)
        return fail_unknown(regs, id, reterr);
    struct an_policy *policy = NULL;
    AN_TRY(policy_load(path, id, &policy, reterr));
    struct policy_entry *entry = AN_NEW(struct policy_entry);
    *entry = (struct policy_entry){.policy = policy, .next = regs->policies};
    regs->policies = entry;
    *ret = policy;
    return AN_OK;
}

an_code
an_policy_find(struct an_regulations *regs, const char *id, const struct an_policy **ret, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    return find_policy(locked, id, ret, reterr);
}

char *
an_policy_path(const struct an_regulations *regs, const char *id)
{
    return an_asprintf("%s/%.80s.yaml", regs->policies_dir, id);
}

an_code
an_policy_each(struct an_regulations *regs, an_policy_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(free_ids) struct id_array ids = {0};
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);

    AN_TRY(list_policies(locked, &ids, reterr));
    for (size_t i = 0; i < ids.count; i++) {
        const struct an_policy *policy = NULL;
        AN_TRY(find_policy(locked, ids.items[i], &policy, reterr));
        each(context, policy);
    }
    return AN_OK;
}

/* ---- asking ---- */

static bool
row_takes_digest(const struct an_policy_algorithm *row, const char *digest)
{
    if (row->digest_count == 0)
        return true; /* EdDSA: the digest is part of the scheme */
    for (size_t i = 0; i < row->digest_count; i++)
        if (strcmp(row->digests[i], digest) == 0)
            return true;
    return false;
}

const struct an_policy_algorithm *
an_policy_allows(const struct an_policy *policy, enum an_policy_sig kind, const char *digest, int64_t bits,
                 an_time when, bool *ret_too_late)
{
    if (ret_too_late)
        *ret_too_late = false;
    for (size_t i = 0; i < policy->algorithm_count; i++) {
        const struct an_policy_algorithm *row = &policy->algorithms[i];
        if (row->kind != kind || bits < row->bits_min || !row_takes_digest(row, digest))
            continue;
        if (row->until == AN_TIME_NONE || (when != AN_TIME_NONE && when < row->until))
            return row;
        if (ret_too_late)
            *ret_too_late = true;
    }
    return NULL;
}

const struct an_policy_exception *
an_policy_excepts(const struct an_policy *policy, const uint8_t signer_sha256[32], enum an_policy_sig kind,
                  const char *digest, int64_t bits)
{
    for (size_t i = 0; i < policy->exception_count; i++) {
        const struct an_policy_exception *row = &policy->exceptions[i];
        if (row->kind == kind && bits >= row->bits_min && strcmp(row->digest, digest) == 0 &&
            memcmp(row->signer_sha256, signer_sha256, 32) == 0)
            return row;
    }
    return NULL;
}
