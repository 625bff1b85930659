#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

void *
an_new_array(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);

    if (memory == NULL)
        an_die_memory();
    return memory;
}

void *
an_grow(void *array, size_t count, size_t size)
{
    size_t total;
    void *memory;

    if (__builtin_mul_overflow(count, size, &total))
        an_die_memory();
    memory = realloc(array, total ? total : 1);
    if (memory == NULL)
        an_die_memory();
    return memory;
}

char *
an_strdup_bytes(an_bytes text)
{
    char *copy = an_new_array(text.len + 1, 1);

    if (text.len)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

char *
an_strdup(const char *text)
{
    return an_strdup_bytes(an_bytes_of_str(text));
}

char *
an_asprintf(const char *fmt, ...)
{
    va_list args;
    char *text = NULL;
    int len;

    va_start(args, fmt);
    len = vasprintf(&text, fmt, args);
    va_end(args);
    if (len < 0)
        an_die_memory();
    return text;
}

void
an_free_ptr(void *address_of_pointer)
{
    void **pointer = address_of_pointer;

    free(*pointer);
    *pointer = NULL;
}

/* ---- arena ---- */

#define ARENA_BLOCK ((size_t)16 * 1024)

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(16) uint8_t data[];
};

struct an_arena {
    struct arena_block *blocks; /* newest first */
    size_t total, max;
};

struct an_arena *
an_arena_new(size_t bytes_max)
{
    struct an_arena *arena = AN_NEW(struct an_arena);

    arena->max = bytes_max ? bytes_max : SIZE_MAX;
    return arena;
}

static void
free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void
an_arena_free(struct an_arena **arena)
{
    if (*arena == NULL)
        return;
    free_blocks((*arena)->blocks);
    free(*arena);
    *arena = NULL;
}

void
an_arena_reset(struct an_arena *arena)
{
    if (arena->blocks == NULL)
        return;
    free_blocks(arena->blocks->next);
    arena->blocks->next = NULL;
    memset(arena->blocks->data, 0, arena->blocks->used);
    arena->blocks->used = 0;
    arena->total = 0;
}

static struct arena_block *
add_block(struct an_arena *arena, size_t size)
{
    size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
    struct arena_block *block;

    if (arena->blocks != NULL && arena->blocks->size > ARENA_BLOCK / 2 && room == ARENA_BLOCK)
        room = arena->blocks->size * 2 > ((size_t)1 << 20) ? ((size_t)1 << 20) : arena->blocks->size * 2;
    block = calloc(1, sizeof(*block) + room);
    if (block == NULL)
        return NULL;
    block->size = room;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *
an_arena_alloc(struct an_arena *arena, size_t size)
{
    size_t need = (size + 15u) & ~(size_t)15u;
    struct arena_block *block = arena->blocks;
    void *memory;

    if (need < size || arena->total > arena->max - (need > arena->max ? arena->max : need) || need > arena->max)
        return NULL;
    if (block == NULL || block->size - block->used < need) {
        block = add_block(arena, need);
        if (block == NULL)
            return NULL;
    }
    memory = block->data + block->used;
    block->used += need;
    arena->total += need;
    return memory;
}

an_bytes
an_arena_dup(struct an_arena *arena, an_bytes bytes)
{
    uint8_t *copy = bytes.len ? an_arena_alloc(arena, bytes.len) : NULL;

    if (copy == NULL)
        return AN_NONE;
    memcpy(copy, bytes.ptr, bytes.len);
    return AN_BYTES(copy, bytes.len);
}

char *
an_arena_str(struct an_arena *arena, an_bytes text)
{
    char *copy = an_arena_alloc(arena, text.len + 1);

    if (copy != NULL && text.len)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

/* ---- secrets ---- */

struct an_secret {
    size_t len, capacity, mapped;
    uint8_t *data; /* a mapping of its own, so that locking and "not in core dumps" cover nothing else */
};

struct an_secret *
an_secret_new(size_t capacity)
{
    struct an_secret *secret = AN_NEW(struct an_secret);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    secret->mapped = (capacity + page) / page * page;
    secret->data = mmap(NULL, secret->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (secret->data == MAP_FAILED)
        an_die_memory();
    /* Both are best effort: a locked-down container may forbid mlock, and the secret is wiped in any case. */
    (void)mlock(secret->data, secret->mapped);
    (void)madvise(secret->data, secret->mapped, MADV_DONTDUMP);
    secret->capacity = capacity;
    return secret;
}

struct an_secret *
an_secret_from(an_bytes bytes)
{
    struct an_secret *secret = an_secret_new(bytes.len);

    if (bytes.len)
        memcpy(secret->data, bytes.ptr, bytes.len);
    secret->len = bytes.len;
    return secret;
}

void
an_secret_free(struct an_secret **secret)
{
    if (*secret == NULL)
        return;
    an_wipe((*secret)->data, (*secret)->mapped);
    munmap((*secret)->data, (*secret)->mapped);
    free(*secret);
    *secret = NULL;
}

uint8_t *
an_secret_ptr(struct an_secret *secret)
{
    return secret->data;
}

size_t
an_secret_len(const struct an_secret *secret)
{
    return secret->len;
}

void
an_secret_set_len(struct an_secret *secret, size_t len)
{
    AN_ASSERT(len <= secret->capacity);
    secret->len = len;
}

an_bytes
an_secret_bytes(const struct an_secret *secret)
{
    return AN_BYTES(secret->data, secret->len);
}

void
an_wipe(void *memory, size_t len)
{
    explicit_bzero(memory, len);
}
