/* Memory: allocation that does not fail, cleanup attributes, arenas.
 *
 * Every size that comes from outside is checked against a stated limit before anything is allocated
 * for it. What then still cannot be had means that the machine is out of memory: the process says so
 * and aborts, and the crash safety of the store does the rest (docs/decisions/0002-out-of-memory.md). */
#ifndef FIRTH_BASE_MEMORY_H
#define FIRTH_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_zalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_realloc(void *old, size_t size) __attribute__((returns_nonnull));
/* `size` is a multiple of `alignment`, a power of two. */
void *mem_alloc_aligned(size_t alignment, size_t size) __attribute__((malloc, returns_nonnull));
char *mem_strdup(const char *text) __attribute__((returns_nonnull));
char *mem_strndup(const char *text, size_t length) __attribute__((returns_nonnull));
void *mem_dup(const void *bytes, size_t size) __attribute__((returns_nonnull));
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Grow `items` (of `item_size` each) so that it can hold at least `needed`; *capacity is updated. */
void *mem_grow(void *items, size_t *capacity, size_t needed, size_t item_size)
    __attribute__((returns_nonnull));

/* Cleanup: `auto_free char *text = …;`, `auto_close int fd = …;`, and for types
 * MEM_DEFINE_CLEANUP(struct thing *, thing_free) then `mem_auto(thing_free) struct thing *t = …;` */
#define MEM_DEFINE_CLEANUP(type, function)               \
    static inline void function##_cleanup(type *pointer) \
    {                                                    \
        function(*pointer);                              \
    }                                                    \
    struct function##_needs_a_semicolon
#define mem_auto(function) __attribute__((cleanup(function##_cleanup)))
void mem_free_cleanup(void *pointer_to_pointer);
void mem_close_cleanup(int *fd);
#define auto_free __attribute__((cleanup(mem_free_cleanup)))
#define auto_close __attribute__((cleanup(mem_close_cleanup)))

/* An arena: many allocations of one lifetime (process, session, transaction, document), freed at once.
 * Passed as a parameter, never global. */
struct arena {
    struct arena_block *head;
    size_t block_size; /* the next block's size; 0 = default */
};

void arena_init(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull)); /* 16-byte aligned */
void *arena_zalloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
void *arena_dup(struct arena *arena, const void *bytes, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *arena, const char *text) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *arena, const char *text, size_t length) __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));
/* Keep one block for reuse, free the rest: every earlier allocation is invalid afterwards. */
void arena_clear(struct arena *arena);
/* Free everything. Legal on a zeroed or done arena. */
void arena_done(struct arena *arena);
size_t arena_used(const struct arena *arena); /* bytes held from the system */

#endif
