#include "base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "firth: out of memory (%zu bytes asked for)\n", size);
    abort();
}

void *mem_alloc(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory)
        out_of_memory(size);
    return memory;
}

void *mem_zalloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        out_of_memory(size);
    return memory;
}

void *mem_realloc(void *old, size_t size)
{
    void *memory = realloc(old, size ? size : 1);
    if (!memory)
        out_of_memory(size);
    return memory;
}

void *mem_alloc_aligned(size_t alignment, size_t size)
{
    void *memory = aligned_alloc(alignment, size);
    if (!memory)
        out_of_memory(size);
    return memory;
}

void *mem_dup(const void *bytes, size_t size)
{
    void *memory = mem_alloc(size);
    if (size)
        memcpy(memory, bytes, size);
    return memory;
}

char *mem_strndup(const char *text, size_t length)
{
    char *copy = mem_alloc(length + 1);
    if (length)
        memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

char *mem_printf(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0 || !text)
        out_of_memory(0);
    return text;
}

void *mem_grow(void *items, size_t *capacity, size_t needed, size_t item_size)
{
    if (needed <= *capacity && items)
        return items;
    size_t grown = *capacity < 8 ? 8 : *capacity + *capacity / 2;
    if (grown < needed)
        grown = needed;
    if (grown > SIZE_MAX / item_size)
        out_of_memory(SIZE_MAX);
    items = mem_realloc(items, grown * item_size);
    *capacity = grown;
    return items;
}

void mem_free_cleanup(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

void mem_close_cleanup(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Arenas: blocks in a list, newest first; an allocation larger than a block gets one of its own behind
 * the head, so that the head's remaining room is not lost. */

enum { ARENA_BLOCK_DEFAULT = 8 * 1024, ARENA_BLOCK_MAX = 1024 * 1024, ARENA_ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(ARENA_ALIGN) char data[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

static struct arena_block *block_new(size_t size)
{
    struct arena_block *block = mem_alloc(sizeof *block + size);
    block->size = size;
    block->used = 0;
    block->next = NULL;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        out_of_memory(size);
    size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    struct arena_block *head = arena->head;
    if (head && head->size - head->used >= size) {
        void *memory = head->data + head->used;
        head->used += size;
        return memory;
    }
    size_t next = arena->block_size ? arena->block_size : ARENA_BLOCK_DEFAULT;
    if (head && size > next / 4) {
        struct arena_block *block = block_new(size);
        block->used = size;
        block->next = head->next;
        head->next = block;
        return block->data;
    }
    struct arena_block *block = block_new(size > next ? size : next);
    arena->block_size = next < ARENA_BLOCK_MAX ? next * 2 : next;
    block->used = size;
    block->next = head;
    arena->head = block;
    return block->data;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_dup(struct arena *arena, const void *bytes, size_t size)
{
    void *memory = arena_alloc(arena, size);
    if (size)
        memcpy(memory, bytes, size);
    return memory;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(length >= 0);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

static void blocks_free(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_clear(struct arena *arena)
{
    if (!arena->head)
        return;
    blocks_free(arena->head->next);
    arena->head->next = NULL;
    arena->head->used = 0;
}

void arena_done(struct arena *arena)
{
    blocks_free(arena->head);
    *arena = (struct arena){0};
}

size_t arena_used(const struct arena *arena)
{
    size_t total = 0;
    for (const struct arena_block *block = arena->head; block; block = block->next)
        total += block->size + sizeof *block;
    return total;
}

#ifdef __SANITIZE_ADDRESS__
/* In a test build UBSan's checks trap (scripts/build); ASan, which calls this, says where, and nobody (cmocka
 * would) takes that from it. Here, for every program has this file. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_sigill=2";
}
#endif
