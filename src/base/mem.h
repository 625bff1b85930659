/*
 * Four owners of memory, no more: an arena per job, a scope (AN_CLEANUP), a reference count for shared immutable
 * objects, and an_secret for keys and PINs.
 *
 * Small fixed allocations do not fail: the process ends (an_die_memory). Anything whose size comes from input goes
 * through a bounded call that returns an error.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* Zeroed memory of count*size bytes; never NULL; overflow ends the process. */
void *an_new_array(size_t count, size_t size) AN_MUST_USE;
#define AN_NEW(type) ((type *)an_new_array(1, sizeof(type)))
/* Grows an array, keeping its content; new part is not zeroed. Never NULL. */
void *an_grow(void *array, size_t count, size_t size) AN_MUST_USE;
char *an_strdup(const char *text) AN_MUST_USE;
char *an_strdup_bytes(an_bytes text) AN_MUST_USE; /* adds the NUL */
char *an_asprintf(const char *fmt, ...) AN_PRINTF(1, 2) AN_MUST_USE;
/* free() for AN_CLEANUP on any pointer variable: takes the address of the pointer. */
void an_free_ptr(void *address_of_pointer);

/* ---- arena: everything that lives as long as one job; freed at once ---- */
struct an_arena;
struct an_arena *an_arena_new(size_t bytes_max); /* bytes_max: 0 = unlimited */
void an_arena_free(struct an_arena **arena);
/* Zeroed, 16-byte aligned. NULL when the arena's limit would be passed: turn that into AN_E_LIMIT. */
void *an_arena_alloc(struct an_arena *arena, size_t size);
an_bytes an_arena_dup(struct an_arena *arena, an_bytes bytes); /* len 0 when over the limit */
char *an_arena_str(struct an_arena *arena, an_bytes text);     /* NUL-terminated; NULL when over the limit */
void an_arena_reset(struct an_arena *arena); /* forget everything, keep one block for reuse */

/* ---- secrets: locked pages, wiped when freed, never printed ---- */
struct an_secret;
struct an_secret *an_secret_new(size_t capacity);
struct an_secret *an_secret_from(an_bytes bytes); /* copies; the caller wipes its own copy */
void an_secret_free(struct an_secret **secret);
uint8_t *an_secret_ptr(struct an_secret *secret);
size_t an_secret_len(const struct an_secret *secret);
void an_secret_set_len(struct an_secret *secret, size_t len); /* len <= capacity */
an_bytes an_secret_bytes(const struct an_secret *secret);
void an_wipe(void *memory, size_t len); /* not optimised away */

/* ---- typed growable array: AN_VEC(an_offsets, uint64_t) defines struct an_offsets and its functions ---- */
#define AN_VEC(name, type)                                                                                             \
    struct name {                                                                                                      \
        type *items;                                                                                                   \
        size_t count, capacity;                                                                                        \
    };                                                                                                                 \
    __attribute__((unused)) static inline type *name##_push(struct name *vec)                                                                  \
    {                                                                                                                  \
        if (vec->count == vec->capacity) {                                                                             \
            vec->capacity = vec->capacity ? vec->capacity * 2 : 8;                                                     \
            vec->items = (type *)an_grow(vec->items, vec->capacity, sizeof(type));                                     \
        }                                                                                                              \
        memset(&vec->items[vec->count], 0, sizeof(type));                                                              \
        return &vec->items[vec->count++];                                                                              \
    }                                                                                                                  \
    __attribute__((unused)) static inline void name##_done(struct name *vec)                                                                   \
    {                                                                                                                  \
        free(vec->items);                                                                                              \
        *vec = (struct name){0};                                                                                       \
    }                                                                                                                  \
    struct name /* a semicolon follows */

#include <stdlib.h>
