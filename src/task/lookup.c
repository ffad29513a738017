#include "task/lookup.h"

static struct airbyte_stream_name name_of(const struct task_lookup *lookup,
                                          const struct task_binding *binding)
{
    return lookup->side == TASK_LOOKUP_SOURCE ? binding->source : binding->target;
}

static struct slice key_of(struct buffer *key, struct airbyte_stream_name name)
{
    buffer_clear(key);
    buffer_append(key, name.name.data, name.name.size);
    buffer_byte(key, 0);
    buffer_append(key, name.namespace.data, name.namespace.size);
    return (struct slice){key->data, key->size};
}

void task_lookup_init(struct task_lookup *lookup, struct task *task, enum task_lookup_side side)
{
    *lookup = (struct task_lookup){.task = task, .side = side};
    map_init(&lookup->by_name);
    buffer_init(&lookup->key, BUFFER_UNLIMITED);
    for (size_t i = 0; i < task->binding_count; i++)
        map_set(&lookup->by_name, key_of(&lookup->key, name_of(lookup, &task->bindings[i])),
                &task->bindings[i]);
}

void task_lookup_done(struct task_lookup *lookup)
{
    map_done(&lookup->by_name);
    buffer_done(&lookup->key);
}

struct task_binding *task_lookup_find(struct task_lookup *lookup, struct airbyte_stream_name name)
{
    if (lookup->last && airbyte_stream_name_equal(name_of(lookup, lookup->last), name))
        return lookup->last;
    struct task_binding *found = map_get(&lookup->by_name, key_of(&lookup->key, name));
    if (found)
        lookup->last = found;
    return found;
}

int task_lookup_unknown(const struct task_lookup *lookup, struct airbyte_stream_name name, const char *who,
                        uint64_t line_number, struct error *err)
{
    struct arena arena;
    arena_init(&arena);
    size_t count = lookup->task->binding_count;
    const char **names = arena_alloc(&arena, count * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        struct slice text = name_of(lookup, &lookup->task->bindings[i]).name;
        names[i] = arena_strndup(&arena, text.data, text.size);
    }
    const char *text = arena_strndup(&arena, name.name.data, utf8_cut(name.name.data, name.name.size, 200));
    const char *nearest = string_nearest(text, names, count);
    size_t shown = 0;
    while (nearest && shown + 1 < count && strcmp(names[shown], nearest) != 0)
        shown++;
    /* The two may differ in nothing else. */
    struct slice namespace = name_of(lookup, &lookup->task->bindings[shown]).namespace;
    const char *where = namespace.size
                            ? arena_printf(&arena, " of the namespace '%.*s'",
                                           (int)utf8_cut(namespace.data, namespace.size, 200), namespace.data)
                        : name.namespace.size ? " without a namespace"
                                              : "";
    error_set(
        err, ERROR_PROTOCOL,
        "%s wrote to the stream '%s'%s%.*s%s, which nobody asked for (line %llu of its output); %s '%s'%s",
        who, text, name.namespace.size ? " of the namespace '" : "",
        (int)utf8_cut(name.namespace.data, name.namespace.size, 200), name.namespace.data,
        name.namespace.size ? "'" : "", (unsigned long long)line_number,
        nearest      ? "the nearest that was is"
        : count == 1 ? "asked for was"
                     : "asked for was, among others,",
        names[shown], where);
    arena_done(&arena);
    return -1;
}
