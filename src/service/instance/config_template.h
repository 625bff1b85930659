/* The configuration file as `antin init` writes it: each key documented in Vietnamese and English. A section adds its
 * rows. */
#pragma once

#include "base/buf.h"

struct an_config_key {
    int depth;         /* 0: top; 1: within the section above */
    const char *key;
    const char *value; /* as written; NULL: a section begins */
    const char *vi, *en;
};
extern const struct an_config_key an_config_keys[];
extern const size_t an_config_key_count;
struct an_config_word { const char *name, *value; };
void an_config_write(const struct an_config_word *words, size_t count, struct an_buf *out);
