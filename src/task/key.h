/* A collection's key in a document: is each location there, with a value that a key can have? */
#ifndef FIRTH_TASK_KEY_H
#define FIRTH_TASK_KEY_H

#include "json/json.h"

struct task_key_step {
    struct slice name; /* ~0 and ~1 resolved */
    uint32_t hash;
    uint32_t position; /* in an array; JSON_NONE: the name is no position */
};

struct task_key_component {
    const char *pointer;
    const struct task_key_step *steps;
    size_t step_count;
};

struct task_key {
    const struct task_key_component *components;
    size_t count;
};

/* `pointers` are valid RFC 6901 pointers and outlive the key, as does the arena. NULL: an empty key. */
struct task_key task_key_compile(const char *const *pointers, struct arena *arena);

/* The value at a component's location in the document at `at`, or JSON_NONE. */
uint32_t task_key_find(const struct task_key_component *component, const struct json *doc, uint32_t at);
/* Can a key have this value: a boolean, an integer or a string? */
bool task_key_value(const struct json *doc, uint32_t value);

/* Does the document have the whole key? */
static inline bool task_key_there(const struct task_key *key, const struct json *doc, uint32_t at)
{
    for (size_t i = 0; i < key->count; i++) {
        if (!task_key_value(doc, task_key_find(&key->components[i], doc, at)))
            return false;
    }
    return true;
}

#endif
