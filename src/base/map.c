#include "base/map.h"

#include "base/buf.h"

#include <sys/random.h>

struct entry {
    uint64_t hash;
    uint8_t *key;
    size_t key_len;
    void *value;
};

AN_VEC(entry_list, struct entry);

struct an_map {
    struct entry_list entries;
    uint32_t *slots; /* index + 1 into entries; 0 = empty */
    size_t slot_count;
    uint64_t seed; /* keys come from input: an attacker must not choose the collisions */
};

static uint64_t
random_seed(void)
{
    static uint64_t seed;

    if (seed == 0 && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
        seed = (uint64_t)(uintptr_t)&seed;
    return seed | 1u;
}

static uint64_t
hash_bytes(uint64_t seed, an_bytes key)
{
    uint64_t h = seed ^ (key.len * 0x9E3779B97F4A7C15u);
    size_t i = 0;

    for (; i + 8 <= key.len; i += 8) {
        uint64_t word;
        memcpy(&word, key.ptr + i, 8);
        h = (h ^ word) * 0xFF51AFD7ED558CCDu;
        h ^= h >> 32;
    }
    for (; i < key.len; i++)
        h = (h ^ key.ptr[i]) * 0x100000001B3u;
    h *= 0xC4CEB9FE1A85EC53u;
    return h ^ h >> 29;
}

struct an_map *
an_map_new(void)
{
    struct an_map *map = AN_NEW(struct an_map);

    map->seed = random_seed();
    map->slot_count = 16;
    map->slots = an_new_array(map->slot_count, sizeof(*map->slots));
    return map;
}

void
an_map_free(struct an_map **map)
{
    if (*map == NULL)
        return;
    for (size_t i = 0; i < (*map)->entries.count; i++)
        free((*map)->entries.items[i].key);
    entry_list_done(&(*map)->entries);
    free((*map)->slots);
    free(*map);
    *map = NULL;
}

static size_t
find_slot(const struct an_map *map, uint64_t hash, an_bytes key)
{
    size_t at = hash & (map->slot_count - 1);

    for (; map->slots[at] != 0; at = (at + 1) & (map->slot_count - 1)) {
        const struct entry *e = &map->entries.items[map->slots[at] - 1];
        if (e->hash == hash && an_bytes_eq(AN_BYTES(e->key, e->key_len), key))
            break;
    }
    return at;
}

static void
grow_slots(struct an_map *map)
{
    free(map->slots);
    map->slot_count *= 2;
    map->slots = an_new_array(map->slot_count, sizeof(*map->slots));
    for (size_t i = 0; i < map->entries.count; i++) {
        size_t at = map->entries.items[i].hash & (map->slot_count - 1);
        while (map->slots[at] != 0)
            at = (at + 1) & (map->slot_count - 1);
        map->slots[at] = (uint32_t)(i + 1);
    }
}

void
an_map_put(struct an_map *map, an_bytes key, void *value)
{
    uint64_t hash = hash_bytes(map->seed, key);
    size_t at = find_slot(map, hash, key);
    struct entry *e;

    if (map->slots[at] != 0) {
        map->entries.items[map->slots[at] - 1].value = value;
        return;
    }
    e = entry_list_push(&map->entries);
    e->hash = hash;
    e->key = an_new_array(key.len, 1);
    if (key.len)
        memcpy(e->key, key.ptr, key.len);
    e->key_len = key.len;
    e->value = value;
    map->slots[at] = (uint32_t)map->entries.count;
    if (map->entries.count * 3 > map->slot_count * 2)
        grow_slots(map);
}

void *
an_map_find(const struct an_map *map, an_bytes key)
{
    size_t at = find_slot(map, hash_bytes(map->seed, key), key);

    return map->slots[at] ? map->entries.items[map->slots[at] - 1].value : NULL;
}

size_t
an_map_count(const struct an_map *map)
{
    return map->entries.count;
}

an_bytes
an_map_key(const struct an_map *map, size_t at)
{
    return AN_BYTES(map->entries.items[at].key, map->entries.items[at].key_len);
}

void *
an_map_value(const struct an_map *map, size_t at)
{
    return map->entries.items[at].value;
}

void
an_map_put_u64(struct an_map *map, uint64_t key, void *value)
{
    an_map_put(map, AN_BYTES(&key, sizeof(key)), value);
}

void *
an_map_find_u64(const struct an_map *map, uint64_t key)
{
    return an_map_find(map, AN_BYTES(&key, sizeof(key)));
}
