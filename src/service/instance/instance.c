/* Opening and closing an instance. */
#include "service/instance/instance.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit.h"
#include "registry/registry.h"
#include "regulation/explain.h"

char *
an_instance_path(const struct an_instance *instance, const char *part)
{
    return an_asprintf("%s/%s", instance->dir, part);
}

char *
an_instance_database(const char *dir, const char *database)
{
    static const char scheme[] = "sqlite:";

    if (strncmp(database, scheme, sizeof(scheme) - 1) != 0 || database[sizeof(scheme) - 1] == '/')
        return an_strdup(database);
    return an_asprintf("%s%s/%s", scheme, dir, database + sizeof(scheme) - 1);
}

an_code
an_instance_check_folder(const char *dir, struct an_err *reterr)
{
    struct stat info;

    if (stat(dir, &info) != 0)
        return AN_OK; /* what is not there is told by who needs it */
    if ((info.st_mode & 022) != 0 || (info.st_uid != geteuid() && info.st_uid != 0 && geteuid() != 0))
        AN_FAIL(reterr, AN_E_INSTANCE_MODE, "%s: %04o, uid %u", dir, info.st_mode & 07777, info.st_uid);
    return AN_OK;
}

static an_code
find_dir(const char *dir, char **ret, char **ret_config, struct an_err *reterr)
{
    char *full = realpath(dir, NULL), *config;

    if (full == NULL)
        AN_FAIL(reterr, AN_E_INSTANCE, "%s", dir);
    config = an_asprintf("%s/antin.yaml", full);
    if (access(config, F_OK) != 0) {
        free(config);
        free(full);
        AN_FAIL(reterr, AN_E_INSTANCE, "%s: no antin.yaml", dir);
    }
    *ret = full;
    *ret_config = config;
    return AN_OK;
}

static an_code
open_store(struct an_instance *instance, unsigned flags, struct an_err *reterr)
{
    const struct an_config *config = &instance->config;
    AN_CLEANUP(an_free_ptr) char *url = an_instance_database(instance->dir, config->database);
    unsigned store_flags = (flags & AN_INSTANCE_ANY_VERSION ? AN_STORE_ANY_VERSION
                            : 0u) | (flags & AN_INSTANCE_READ_ONLY ? AN_STORE_READ_ONLY : 0u);

    AN_TRY(an_store_open(url, store_flags, (size_t)config->readers, &instance->store, reterr));
    an_audit_attach(instance->store);
    instance->replica = instance->store;
    if (config->database_read == NULL)
        return AN_OK;
    instance->replica = NULL;
    return an_store_open(config->database_read, store_flags | AN_STORE_READ_ONLY, (size_t)config->readers,
                         &instance->replica, reterr);
}

/* What the register takes from the law that binds the instance. */
static void
tell_registry(const struct an_instance *instance)
{
    /* a regulation that inherits nothing need not define it */
    const char *const places[] = {instance->config.regulation, "quoc-gia"};
    struct an_answer_parameter domains = {.text = ""};
    struct an_err ignored = {0};

    for (size_t i = 0; i < AN_COUNT(places) && domains.text[0] == '\0'; i++)
        if (an_regulation_parameter(instance->regulations, places[i], an_time_now(), AN_PARAMETER_MAIL_DOMAINS,
                                    &domains, &ignored) == AN_OK)
            an_email_set_official(domains.text);
}

an_code
an_instance_open(const char *dir, unsigned flags, struct an_instance **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *config = NULL;
    struct an_instance *instance;
    char *full = NULL;
    an_code code;

    AN_TRY(find_dir(dir, &full, &config, reterr));
    code = an_instance_check_folder(full, reterr);
    if (code == AN_OK)
        code = an_instance_check_folder(config, reterr);
    if (code != AN_OK) {
        free(full);
        return code;
    }
    instance = AN_NEW(struct an_instance);
    instance->dir = full;
    code = an_config_load(config, &instance->config, reterr);
    if (code == AN_OK)
        code = an_regulations_open(NULL, &instance->regulations, reterr);
    if (code == AN_OK) {
        tell_registry(instance);
        code = open_store(instance, flags, reterr);
    }
    if (code == AN_OK)
        *ret = instance;
    else
        an_instance_close(&instance);
    return code;
}

void
an_instance_close(struct an_instance **place)
{
    struct an_instance *instance = *place;

    if (instance == NULL)
        return;
    if (instance->replica != instance->store)
        an_store_close(&instance->replica);
    an_store_close(&instance->store);
    an_regulations_close(&instance->regulations);
    an_config_done(&instance->config);
    free(instance->dir);
    free(instance);
    *place = NULL;
}
