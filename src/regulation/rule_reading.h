/* Inside the room: what the two readers of a rule file share (rule_read.c, rule_parts.c). */
#pragma once

#include "regulation/rules.h"

struct reading {
    struct an_yaml_doc *doc;
    const struct words *words;
    struct an_err *reterr;
};
an_code fail_word(const struct reading *reading, const struct an_yaml_node *node, enum an_word_kind kind,
                  const char *word);
/* The list under this key holds words of the kind; `also`: words that are right here beside the vocabulary's. */
an_code check_words(const struct reading *reading, const struct an_yaml_node *map, const char *key,
                    enum an_word_kind kind, const char *also, const char *also2) AN_MUST_USE;
an_code parameters_read(const struct reading *reading, const struct an_yaml_node *map,
                        struct law_rules *rules) AN_MUST_USE;
an_code doubts_read(const struct reading *reading, const struct an_yaml_node *list,
                    struct law_rules *rules) AN_MUST_USE;
an_code reminders_read(const struct reading *reading, const struct an_yaml_node *list,
                       struct law_rules *rules) AN_MUST_USE;
an_code not_carried_read(const struct reading *reading, const struct an_yaml_node *map,
                         struct law_rules *rules) AN_MUST_USE;
