/* The folder of profiles. */
#include "ca/profile_internal.h"

#include "base/program.h"

#include <dirent.h>
#include <stdlib.h>

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

AN_VEC(name_list, char *);

static void
free_names(struct name_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    name_list_done(names);
}

static an_code
list_files(const char *dir, struct name_list *ret, struct an_err *reterr)
{
    DIR *folder = opendir(dir);

    if (folder == NULL)
        AN_FAIL(reterr, AN_E_PROFILE_DIR, "%.200s", dir);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        size_t len = strlen(entry->d_name);
        if (len > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 5, ".yaml") == 0)
            *name_list_push(ret) = an_asprintf("%s/%s", dir, entry->d_name);
    }
    closedir(folder);
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof(*ret->items), compare_names);
    return AN_OK;
}

static an_code
read_file(struct an_profiles *profiles, const char *path, struct an_err *reterr)
{
    struct an_profile_file *file = an_profile_files_push(&profiles->files);

    AN_TRY(an_yaml_load(path, NULL, &file->doc, reterr));
    AN_TRY(an_profile_read(file->doc, &file->profile, reterr));
    for (size_t i = 0; i + 1 < profiles->files.count; i++)
        if (strcmp(profiles->files.items[i].profile.id, file->profile.id) == 0)
            return an_yaml_fail(file->doc, an_yaml_find(file->doc->root, "id"), reterr, AN_E_YAML_DUPLICATE, "%s",
                                file->profile.id);
    return AN_OK;
}

char *
an_rules_path(const char *dir, const char *name)
{
    return an_asprintf("%s/rules/%s.yaml", dir, name);
}

const char *
an_profiles_dir(const struct an_profiles *profiles)
{
    return profiles->dir;
}

static an_code
read_mail_rules(struct an_profiles *profiles, struct an_err *reterr)
{
    struct mail_keys { const char *citation; struct an_yaml_texts refused; } keys = {0};
    static const struct an_yaml_field FIELDS[] = {{"cite", AN_FIELD_CITATION, true,
                                                   offsetof(struct mail_keys, citation), NULL},
                                                  {"refused", AN_FIELD_TEXTS, true, offsetof(struct mail_keys, refused),
                                                   NULL}};
    AN_CLEANUP(an_free_ptr) char *path = an_rules_path(profiles->dir, "thu-dien-tu");

    AN_TRY(an_yaml_load(path, NULL, &profiles->mail_doc, reterr));
    AN_TRY(an_yaml_read_fields(profiles->mail_doc, profiles->mail_doc->root, FIELDS, AN_COUNT(FIELDS), &keys, reterr));
    profiles->mail_refused = keys.refused;
    return AN_OK;
}

an_code
an_profiles_open(const char *dir, struct an_profiles **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_profiles_free) struct an_profiles *profiles = AN_NEW(struct an_profiles);
    AN_CLEANUP(free_names) struct name_list names = {0};
    const char *chosen = secure_getenv("ANTIN_DATA_DIR"), *base = chosen && chosen[0] ? chosen : an_program_data();

    profiles->dir = dir ? an_strdup(dir) : an_asprintf("%s/profiles", base);
    AN_TRY(list_files(profiles->dir, &names, reterr));
    for (size_t i = 0; i < names.count; i++)
        AN_TRY(read_file(profiles, names.items[i], reterr));
    AN_TRY(read_mail_rules(profiles, reterr));
    *ret = profiles;
    profiles = NULL;
    return AN_OK;
}

void
an_profiles_free(struct an_profiles **profiles)
{
    struct an_profiles *all = *profiles;

    if (all == NULL)
        return;
    for (size_t i = 0; i < all->files.count; i++)
        an_yaml_free(&all->files.items[i].doc);
    an_profile_files_done(&all->files);
    an_yaml_free(&all->mail_doc);
    free(all->dir);
    free(all);
    *profiles = NULL;
}

size_t
an_profiles_count(const struct an_profiles *profiles)
{
    return profiles->files.count;
}

const struct an_profile *
an_profiles_at(const struct an_profiles *profiles, size_t place)
{
    return place < profiles->files.count ? &profiles->files.items[place].profile : NULL;
}

an_code
an_profiles_find(const struct an_profiles *profiles, const char *id, const struct an_profile **ret,
                 struct an_err *reterr)
{
    for (size_t i = 0; i < profiles->files.count; i++)
        if (strcmp(profiles->files.items[i].profile.id, id) == 0) {
            *ret = &profiles->files.items[i].profile;
            return AN_OK;
        }
    AN_FAIL(reterr, AN_E_PROFILE_UNKNOWN, "%.80s", id);
}
