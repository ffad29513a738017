#include "task/key.h"

#include "json/number.h"

/* An array's position as a pointer has it: no leading zero, and few enough digits for any array. */
static uint32_t position_of(struct slice name)
{
    uint64_t position;
    char digits[12];
    if (name.size == 0 || name.size > 9 || (name.size > 1 && name.data[0] == '0'))
        return JSON_NONE;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9')
            return JSON_NONE;
    }
    memcpy(digits, name.data, name.size);
    digits[name.size] = '\0';
    return string_to_u64(digits, UINT32_MAX - 1, &position) ? (uint32_t)position : JSON_NONE;
}

static struct task_key_step compile_step(const char *from, size_t size, struct arena *arena)
{
    char *name = arena_strndup(arena, from, size);
    size_t out = 0;
    for (size_t i = 0; i < size; i++) {
        bool tilde = name[i] == '~' && i + 1 < size;
        name[out++] = tilde ? (name[++i] == '1' ? '/' : '~') : name[i];
    }
    struct slice whole = {name, out};
    return (struct task_key_step){whole, json_key_hash(name, out), position_of(whole)};
}

static struct task_key_component compile_component(const char *pointer, struct arena *arena)
{
    size_t count = 0;
    for (const char *at = pointer; *at; at++)
        count += *at == '/';
    struct task_key_step *steps = arena_alloc(arena, (count + 1) * sizeof *steps);
    const char *from = pointer;
    for (size_t i = 0; i < count; i++) {
        from = strchr(from, '/') + 1;
        steps[i] = compile_step(from, strcspn(from, "/"), arena);
    }
    return (struct task_key_component){pointer, steps, count};
}

struct task_key task_key_compile(const char *const *pointers, struct arena *arena)
{
    size_t count = 0;
    while (pointers && pointers[count])
        count++;
    struct task_key_component *components = arena_alloc(arena, (count + 1) * sizeof *components);
    for (size_t i = 0; i < count; i++)
        components[i] = compile_component(pointers[i], arena);
    return (struct task_key){components, count};
}

static uint32_t find_member(const struct task_key_step *step, const struct json *doc, uint32_t object)
{
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE;
         key = json_next_key(doc, object, key)) {
        if (json_hash_of_key(doc, key) == step->hash && json_text_is(doc, key, step->name))
            return json_value(key);
    }
    return JSON_NONE;
}

uint32_t task_key_find(const struct task_key_component *component, const struct json *doc, uint32_t at)
{
    for (size_t i = 0; i < component->step_count && at != JSON_NONE; i++) {
        const struct task_key_step *step = &component->steps[i];
        at = json_is(doc, at, JSON_ARRAY) ? json_at(doc, at, step->position) : find_member(step, doc, at);
    }
    return at;
}

bool task_key_value(const struct json *doc, uint32_t value)
{
    if (value == JSON_NONE)
        return false;
    switch (json_tag(doc, value)) {
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_INTEGER:
    case JSON_STRING:
        return true;
    case JSON_NUMBER: /* 1.0 is an integer, as the schema has it */
        return number_is_integer(json_raw(doc, value));
    default:
        return false;
    }
}
