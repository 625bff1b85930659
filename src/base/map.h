/* A hash map from bytes or 64-bit numbers to pointers. Keys are copied; values are borrowed. */
#pragma once

#include "base/mem.h"

struct an_map;
struct an_map *an_map_new(void);
void an_map_free(struct an_map **map);
/* Adds or replaces. */
void an_map_put(struct an_map *map, an_bytes key, void *value);
void *an_map_find(const struct an_map *map, an_bytes key); /* NULL when absent */
size_t an_map_count(const struct an_map *map);
/* Entries in the order they were first put; at < count. */
an_bytes an_map_key(const struct an_map *map, size_t at);
void *an_map_value(const struct an_map *map, size_t at);
/* The same with a number as key. */
void an_map_put_u64(struct an_map *map, uint64_t key, void *value);
void *an_map_find_u64(const struct an_map *map, uint64_t key);
