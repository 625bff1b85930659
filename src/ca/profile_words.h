/* The words that profiles and rules are written in. Not for other rooms. */
#pragma once

#include "ca/profile.h"
#include "yaml/yaml.h"

struct an_word { const char *name, *oid; uint32_t bit; };
extern const struct an_word an_name_words[], an_usage_words[], an_purpose_words[]; /* end with name NULL */
const struct an_word *an_word_find(const struct an_word *words, const char *name); /* NULL when absent */
/* profiles/rules of the folder the profiles came from; "DIR/rules/NAME.yaml", the caller frees. */
char *an_rules_path(const char *dir, const char *name) AN_MUST_USE;
const char *an_profiles_dir(const struct an_profiles *profiles);
