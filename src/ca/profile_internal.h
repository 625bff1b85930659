/* Profiles, inside. Not for other rooms. */
#pragma once

#include "ca/profile_words.h"

#define AN_PROFILE_GROUPS_MAX 16

/* Fills ret from a file that was read; its texts are the doc's. */
an_code an_profile_read(struct an_yaml_doc *doc, struct an_profile *ret, struct an_err *reterr) AN_MUST_USE;

struct an_profile_file { struct an_yaml_doc *doc; struct an_profile profile; };
AN_VEC(an_profile_files, struct an_profile_file);
struct an_profiles {
    char *dir;
    struct an_profile_files files;
    struct an_yaml_doc *mail_doc;
    struct an_yaml_texts mail_refused;
};
