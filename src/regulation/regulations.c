/* The data folder, and the caches: what was read once stays until close. */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/program.h"
#include "regulation/rules.h"

static bool
is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* secure_getenv: a set-uid caller's environment does not choose the law. */
static const char *
default_dir(void)
{
    const char *chosen = secure_getenv("ANTIN_DATA_DIR");

    if (chosen && chosen[0])
        return chosen;
    return an_program_data();
}

an_code
an_regulations_open(const char *dir, struct an_regulations **ret, struct an_err *reterr)
{
    const char *base = dir ? dir : default_dir();
    AN_CLEANUP(an_free_ptr) char *inner = an_asprintf("%s/regulations", base);

    if (!is_dir(base))
        AN_FAIL(reterr, AN_E_REGULATION_DIR, "%.200s", base);
    struct an_regulations *regs = AN_NEW(struct an_regulations);
    bool is_base = is_dir(inner);
    regs->regulations_dir = an_strdup(is_base ? inner : base);
    regs->policies_dir = an_asprintf("%s%s/policies", base, is_base ? "" : "/..");
    pthread_mutex_init(&regs->lock, NULL);
    *ret = regs;
    return AN_OK;
}

void
an_regulations_close(struct an_regulations **regs)
{
    struct an_regulations *all = *regs;

    if (!all)
        return;
    while (all->heads) {
        struct law_head *head = all->heads;
        all->heads = head->next;
        head_free(&head);
    }
    while (all->articles) {
        struct law_articles *articles = all->articles;
        all->articles = articles->next;
        articles_free(&articles);
    }
    while (all->policies) {
        struct policy_entry *entry = all->policies;
        all->policies = entry->next;
        policy_free(&entry->policy);
        free(entry);
    }
    while (all->rules) {
        struct law_rules *rules = all->rules;
        all->rules = rules->next;
        rules_free(&rules);
    }
    while (all->extra) {
        struct extra_file *file = all->extra;
        all->extra = file->next;
        free(file->id);
        free(file->path);
        free(file);
    }
    words_free(&all->words);
    for (size_t i = 0; i < all->id_count; i++)
        free(all->ids[i]);
    free(all->ids);
    an_yaml_free(&all->acts_doc);
    free(all->regulations_dir);
    free(all->policies_dir);
    pthread_mutex_destroy(&all->lock);
    free(all);
    *regs = NULL;
}

struct an_regulations *
regs_lock(struct an_regulations *regs)
{
    AN_ASSERT(pthread_mutex_lock(&regs->lock) == 0);
    return regs;
}

void
regs_unlock(struct an_regulations **regs)
{
    if (*regs)
        AN_ASSERT(pthread_mutex_unlock(&(*regs)->lock) == 0);
}

/* An id becomes part of a path: only what an id may hold, so never "/" or "..". */
static bool
id_is_clean(const char *id)
{
    size_t len = strlen(id);

    return len > 0 && len < 64 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

an_code
regs_path(struct an_regulations *regs, const char *id, char **ret, struct an_err *reterr)
{
    for (const struct extra_file *file = regs->extra; file; file = file->next) {
        if (strcmp(file->id, id) == 0) {
            *ret = an_strdup(file->path);
            return AN_OK;
        }
    }
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%.80s.yaml", regs->regulations_dir, id);
    if (!id_is_clean(id) || access(path, F_OK) != 0)
        AN_FAIL(reterr, AN_E_REGULATION_UNKNOWN, "%.80s", id);
    *ret = path;
    path = NULL;
    return AN_OK;
}

/* What else lies in the folder: tables, not regulations. */
static bool
name_is_table(const char *name)
{
    return strcmp(name, "acts.yaml") == 0 || strcmp(name, "words.yaml") == 0;
}

static an_code
load_acts(struct an_regulations *regs, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/acts.yaml", regs->regulations_dir);
    AN_CLEANUP(an_yaml_free) struct an_yaml_doc *doc = NULL;
    const struct an_yaml_node *acts = NULL;
    static const struct an_yaml_field FIELDS[] = {{"acts", AN_FIELD_MAP, true, 0, NULL}};

    AN_TRY(an_yaml_load(path, NULL, &doc, reterr));
    AN_TRY(an_yaml_read_fields(doc, doc->root, FIELDS, 1, &acts, reterr));
    struct an_act *items = an_arena_alloc(doc->arena, (acts->count + 1) * sizeof(*items));
    if (!items)
        return an_yaml_fail(doc, acts, reterr, AN_E_LIMIT, "too large");
    size_t count = 0;
    for (const struct an_yaml_node *act = acts->first; act; act = act->next)
        AN_TRY(act_read(doc, act, act->key, &items[count++], reterr));
    regs->acts = (struct act_list){items, count};
    regs->acts_doc = doc;
    doc = NULL;
    return AN_OK;
}

an_code
regs_head(struct an_regulations *regs, const char *id, struct law_head **ret, struct an_err *reterr)
{
    for (struct law_head *head = regs->heads; head; head = head->next) {
        if (strcmp(head->id, id) == 0) {
            *ret = head;
            return AN_OK;
        }
    }
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    AN_TRY(regs_path(regs, id, &path, reterr));
    AN_TRY(head_load(path, id, ret, reterr));
    (*ret)->next = regs->heads;
    regs->heads = *ret;
    return AN_OK;
}

an_code
regs_articles(struct an_regulations *regs, const char *id, struct law_articles **ret, struct an_err *reterr)
{
    for (struct law_articles *articles = regs->articles; articles; articles = articles->next) {
        if (strcmp(articles->id, id) == 0) {
            *ret = articles;
            return AN_OK;
        }
    }
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    AN_TRY(regs_path(regs, id, &path, reterr));
    AN_TRY(articles_load(path, id, ret, reterr));
    (*ret)->next = regs->articles;
    regs->articles = *ret;
    return AN_OK;
}

/* The short table first; an act that is not in it states itself in its own file, so that a new one is one file. */
an_code
regs_act(struct an_regulations *regs, an_bytes id, const struct an_act **ret, struct an_err *reterr)
{
    char name[64] = "";
    struct law_head *head = NULL;

    if (!regs->acts_doc)
        AN_TRY(load_acts(regs, reterr));
    for (size_t i = 0; i < regs->acts.count; i++) {
        if (an_bytes_eq_str(id, regs->acts.items[i].id)) {
            *ret = &regs->acts.items[i];
            return AN_OK;
        }
    }
    if (id.len == 0 || id.len >= sizeof(name))
        AN_FAIL(reterr, AN_E_REGULATION_UNKNOWN, "%.*s", AN_FMT(an_bytes_slice(id, 0, 80)));
    memcpy(name, id.ptr, id.len);
    AN_TRY(regs_head(regs, name, &head, reterr));
    if (!head->has_act)
        AN_FAIL(reterr, AN_E_REGULATION_UNKNOWN, "%s", name);
    *ret = &head->act;
    return AN_OK;
}

static int
compare_ids(const void *a, const void *b)
{
    const char *left = *(char *const *)a, *right = *(char *const *)b;
    bool left_first = strcmp(left, NATIONAL_BASE) == 0, right_first = strcmp(right, NATIONAL_BASE) == 0;

    return left_first != right_first ? (left_first ? -1 : 1) : strcmp(left, right);
}

an_code
regs_list(struct an_regulations *regs, struct an_err *reterr)
{
    if (regs->listed)
        return AN_OK;
    DIR *dir = opendir(regs->regulations_dir);
    if (!dir)
        return an_err_set_errno(reterr, AN_E_REGULATION_DIR, errno, "%.200s", regs->regulations_dir);
    for (const struct dirent *entry; (entry = readdir(dir)) && regs->id_count < AN_LIMIT_REGULATIONS;) {
        size_t len = strlen(entry->d_name);
        if (len < 6 || strcmp(entry->d_name + len - 5, ".yaml") != 0 || name_is_table(entry->d_name))
            continue;
        char *id = an_strdup_bytes(AN_BYTES(entry->d_name, len - 5));
        if (!id_is_clean(id)) {
            free(id);
            continue;
        }
        regs->ids = an_grow(regs->ids, regs->id_count + 1, sizeof(char *));
        regs->ids[regs->id_count++] = id;
    }
    closedir(dir);
    qsort(regs->ids, regs->id_count, sizeof(char *), compare_ids);
    regs->listed = true;
    return AN_OK;
}

an_code
an_regulations_add_file(struct an_regulations *regs, const char *path, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t len = strlen(name);

    AN_TRY(regs_list(locked, reterr));
    if (len < 6 || strcmp(name + len - 5, ".yaml") != 0)
        AN_FAIL(reterr, AN_E_REGULATION_UNKNOWN, "%.200s", path);
    AN_CLEANUP(an_free_ptr) char *id = an_strdup_bytes(AN_BYTES(name, len - 5));
    if (!id_is_clean(id) || access(path, R_OK) != 0)
        AN_FAIL(reterr, AN_E_REGULATION_UNKNOWN, "%.200s", path);
    for (size_t i = 0; i < locked->id_count; i++)
        if (strcmp(locked->ids[i], id) == 0)
            AN_FAIL(reterr, AN_E_YAML_DUPLICATE, "%.80s", id);
    struct extra_file *file = AN_NEW(struct extra_file);
    *file = (struct extra_file){id, an_strdup(path), locked->extra};
    id = NULL;
    locked->extra = file;
    locked->ids = an_grow(locked->ids, locked->id_count + 1, sizeof(char *));
    locked->ids[locked->id_count++] = an_strdup(file->id);
    return AN_OK;
}
