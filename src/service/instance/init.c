/* antin init: folders, configuration, store, then the table of steps. */
#include "service/instance/init.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/file.h"
#include "base/utf8.h"
#include "crypto/crypto.h"
#include "service/certification/certification.h"
#include "service/instance/checkpoint.h"
#include "service/instance/config_template.h"
#include "service/certification/enrol.h"

/* What the services need beyond an empty store. A row a step; in this order. */
const struct an_init_step an_init_steps[] = {
    {"authorities", an_authority_bootstrap},
    {"audit", an_checkpoint_init},
    {"enrolment", an_enrol_init},
};
const size_t an_init_step_count = AN_COUNT(an_init_steps);

static const struct { const char *name; bool is_private; } folders[] = {
    {"tokens", true}, {"keys", true}, {"pins", true}, {"run", true}, {"outbox", true}, {"documents", true}, {"public", false}, {"public/crt", false}, {"public/crl", false},
};

/* What an init leaves that was killed before it had a configuration. */
static bool
is_leftover(const char *name)
{
    static const char trial[] = "antin.yaml.new";

    return strncmp(name, trial, sizeof(trial) - 1) == 0;
}

bool
an_instance_folder_is_empty(const char *dir)
{
    DIR *list = opendir(dir);
    const struct dirent *entry;
    bool empty = true;

    while (list != NULL && (entry = readdir(list)) != NULL)
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                          is_leftover(entry->d_name));
    if (list != NULL)
        closedir(list);
    return empty;
}

an_code
an_instance_make_folders(const char *dir, struct an_err *reterr)
{
    for (size_t i = 0; i < AN_COUNT(folders); i++) {
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", dir, folders[i].name);

        AN_TRY(an_dir_make(path, folders[i].is_private, reterr));
    }
    return AN_OK;
}

static const char *
or_default(const char *value, const char *otherwise)
{
    return value ? value : otherwise;
}

/* Values go between quotes on one line. */
static an_code
check_words(const struct an_config_word *words, size_t count, struct an_err *reterr)
{
    for (size_t i = 0; i < count; i++) {
        bool clean = an_utf8_is_valid(an_bytes_of_str(words[i].value)) && words[i].value[0] != 0;

        for (const char *at = words[i].value; *at != 0; at++)
            clean = clean && (uint8_t)*at >= 0x20 && *at != 0x7f;
        if (!clean)
            AN_FAIL(reterr, AN_E_CONFIG_VALUE, "%s", words[i].name);
    }
    return AN_OK;
}

/* Written under another name and checked as a whole before it is the configuration. */
static an_code
put_config(const char *path, const struct an_buf *text, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *trial = an_asprintf("%s.new", path);
    struct an_regulations *regulations = NULL;
    struct an_config config = {0};
    an_code code;

    AN_TRY(an_file_write(trial, an_buf_view(text), 0640, reterr));
    code = an_config_load(trial, &config, reterr);
    if (code == AN_OK)
        code = an_regulations_open(NULL, &regulations, reterr);
    if (code == AN_OK)
        code = an_config_check(&config, regulations, reterr);
    an_regulations_close(&regulations);
    an_config_done(&config);
    if (code == AN_OK && rename(trial, path) == 0)
        return AN_OK;
    unlink(trial);
    return code != AN_OK ? code : an_err_set(reterr, AN_E_FILE_CREATE, "%s", path);
}

static an_code
write_config(const struct an_init_plan *plan, const char *dir, const char *path, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(64 * 1024), identity = an_buf_new(64);
    AN_CLEANUP(an_free_ptr) char *instance = NULL;
    uint8_t random[16];

    AN_TRY(an_random(random, sizeof(random), reterr));
    an_buf_hex(&identity, AN_BYTES(random, sizeof(random)));
    instance = an_buf_take_str(&identity);
    const struct an_config_word words[] = {
        {"instance", instance},
        {"name", or_default(plan->name, strrchr(dir, '/') + 1)},
        {"database", or_default(plan->database, "sqlite:store.db")},
        {"regulation", or_default(plan->regulation, "quoc-gia")},
        {"hierarchy", or_default(plan->hierarchy, "state")},
        {"base_url", or_default(plan->base_url, "http://localhost:8080")},
    };
    AN_TRY(check_words(words, AN_COUNT(words), reterr));
    an_config_write(words, AN_COUNT(words), &text);
    return put_config(path, &text, reterr);
}

/* The store knows whose it is: a configuration that points at another instance's database is refused. */
static an_code
mark_store(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct an_instance *instance = context;
    AN_CLEANUP(an_free_ptr) char *owner = NULL;
    const struct an_audit_event event = {.at = an_time_now(), .action = "instance.create", .actor = "system",
                                         .object = "instance", .outcome = "done"};

    AN_TRY(an_tx_value(tx, "instance", &owner, reterr));
    if (owner != NULL && strcmp(owner, instance->config.instance) == 0)
        return AN_OK;
    if (owner != NULL)
        AN_FAIL(reterr, AN_E_INSTANCE_OTHER, "%s", owner);
    AN_TRY(an_tx_put_value(tx, "instance", instance->config.instance, reterr));
    return an_audit_append(tx, &event, reterr);
}

struct step_note { const char *name; bool done; };

static an_code
read_note(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct step_note *note = context;
    AN_CLEANUP(an_free_ptr) char *value = NULL;

    AN_TRY(an_tx_value(tx, note->name, &value, reterr));
    note->done = value != NULL;
    return AN_OK;
}

static an_code
write_note(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_tx_put_value(tx, ((struct step_note *)context)->name, "done", reterr);
}

static an_code
run_steps(struct an_instance *instance, const struct an_init_plan *plan, an_init_fn tell, void *context,
          size_t *ret_run, struct an_err *reterr)
{
    for (size_t i = 0; i <= an_init_step_count; i++) {
        bool last = i == an_init_step_count;
        AN_CLEANUP(an_free_ptr) char *name = an_asprintf("init.%s", last ? "complete" : an_init_steps[i].name);
        struct step_note note = {.name = name};

        AN_TRY(an_store_read(instance->store, read_note, &note, reterr));
        if (note.done)
            continue;
        if (!last) {
            tell(context, an_init_steps[i].name);
            AN_TRY(an_init_steps[i].run(instance, plan, reterr));
        }
        AN_TRY(an_store_write(instance->store, write_note, &note, reterr));
        ++*ret_run;
    }
    return AN_OK;
}

static an_code
create_store(const char *dir, const char *config_path, struct an_err *reterr)
{
    struct an_config config = {0};
    struct an_store *store = NULL;
    an_code code;

    AN_TRY(an_config_load(config_path, &config, reterr));
    {
        AN_CLEANUP(an_free_ptr) char *url = an_instance_database(dir, config.database);

        code = an_store_open(url, AN_STORE_CREATE, 1, &store, reterr);
    }
    an_store_close(&store);
    an_config_done(&config);
    return code;
}

static an_code
init_in(const char *dir, const struct an_init_plan *plan, an_init_fn tell, void *context, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *config = an_asprintf("%s/antin.yaml", dir);
    struct an_instance *instance = NULL;
    size_t steps = 0;
    an_code code;

    if (access(config, F_OK) != 0) {
        if (!an_instance_folder_is_empty(dir))
            AN_FAIL(reterr, AN_E_INSTANCE_FOLDER, "%s", plan->dir);
        tell(context, "config");
        AN_TRY(write_config(plan, dir, config, reterr));
    }
    tell(context, "folders");
    AN_TRY(an_instance_make_folders(dir, reterr));
    tell(context, "store");
    AN_TRY(create_store(dir, config, reterr));
    AN_TRY(an_instance_open(dir, 0, &instance, reterr));
    code = an_store_write(instance->store, mark_store, instance, reterr);
    if (code == AN_OK)
        code = run_steps(instance, plan, tell, context, &steps, reterr);
    an_instance_close(&instance);
    if (code == AN_OK && steps == 0)
        AN_FAIL(reterr, AN_E_INSTANCE_THERE, "%s", plan->dir);
    return code;
}

an_code
an_instance_init(const struct an_init_plan *plan, an_init_fn tell, void *context, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *dir = NULL;

    AN_TRY(an_dir_make(plan->dir, true, reterr));
    AN_TRY(an_instance_check_folder(plan->dir, reterr)); /* before there is anything in it */
    dir = realpath(plan->dir, NULL);
    if (dir == NULL)
        AN_FAIL(reterr, AN_E_INSTANCE_FOLDER, "%s", plan->dir);
    return init_in(dir, plan, tell, context, reterr);
}
