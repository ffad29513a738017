/* SubstreamPartitionRouter: a partition for each record of parent streams. */
#include "router_parts.h"
#include "stream.h"

#include "source-declarative/record/transform.h"

struct parent {
    struct component where;
    struct declared_stream *stream;
    struct path key; /* parent_key; "a/b" leads inside */
    struct slice field;
    struct request_option *option;
    bool incremental;
    size_t extra_count;
    struct expressions *extra_fields;
    struct expressions lazy; /* where in its records the children's first page is; none: it is asked for */
};

struct substream {
    struct engine *engine;
    size_t count;
    struct parent parents[];
};

/* dpath's: slashes before it are none of it. */
static struct path split_key(struct engine *engine, struct slice text)
{
    size_t count = 1;
    while (text.size > 1 && *text.data == '/')
        text = (struct slice){text.data + 1, text.size - 1};
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == '/';
    struct slice *segments = arena_alloc(&engine->arena, count * sizeof *segments);
    for (size_t i = 0; i < count; i++) {
        const char *end = memchr(text.data, '/', text.size);
        size_t size = end ? (size_t)(end - text.data) : text.size;
        segments[i] = (struct slice){text.data, size};
        text = (struct slice){text.data + size + 1, text.size - size - (end ? 1 : 0)};
    }
    return (struct path){segments, count};
}

static int compile_extra_fields(struct engine *engine, struct parent *parent, struct error *err)
{
    struct component list = component_get(parent->where, "extra_fields");
    parent->extra_count = component_is_none(list) ? 0 : component_count(list);
    parent->extra_fields =
        arena_zalloc(&engine->arena, (parent->extra_count + 1) * sizeof *parent->extra_fields);
    for (size_t i = 0; i < parent->extra_count; i++) {
        struct component path = component_at(list, i);
        struct expressions *fields = &parent->extra_fields[i];
        fields->items = arena_zalloc(&engine->arena, (component_count(path) + 1) * sizeof *fields->items);
        for (; fields->count < component_count(path); fields->count++) {
            if (expression_compile_at(engine, parent->where, component_at(path, fields->count),
                                      &fields->items[fields->count], err) != 0)
                return -1;
        }
    }
    return 0;
}

static int compile_parent(struct engine *engine, struct parent *parent, struct error *err)
{
    struct slice key;
    if (router_text(engine, parent->where, "parent_key", &key, err) != 0 ||
        router_text(engine, parent->where, "partition_field", &parent->field, err) != 0 ||
        request_option_compile(engine, parent->where, "request_option", &parent->option, err) != 0 ||
        compile_extra_fields(engine, parent, err) != 0 ||
        expressions_compile(engine, parent->where, "lazy_read_pointer", &parent->lazy, err) != 0)
        return -1;
    for (size_t i = 0; i < parent->lazy.count; i++) {
        struct slice segment = component_string(parent->lazy.items[i].where);
        if (segment.size && memchr(segment.data, '*', segment.size)) {
            error_set(err, ERROR_INVALID, "lazy_read_pointer leads to one place; it takes no \"*\"");
            return component_error(err, parent->where);
        }
    }
    parent->key = split_key(engine, key);
    parent->incremental = component_bool(parent->where, "incremental_dependency");
    return declared_stream_compile(engine, component_get(parent->where, "stream"), &parent->stream, err);
}

static int substream_compile(struct engine *engine, struct component component, void **ret_self,
                             struct error *err)
{
    struct component list = component_get(component, "parent_stream_configs");
    size_t count = component_is_none(list) ? 0 : component_count(list);
    struct substream *self = arena_zalloc(&engine->arena, sizeof *self + count * sizeof(struct parent));
    self->engine = engine;
    *ret_self = self;
    for (size_t i = 0; i < count; i++) {
        self->parents[i].where = component_at(list, i);
        if (compile_parent(engine, &self->parents[i], err) != 0)
            return -1;
        self->count++;
    }
    return 0;
}

/* --- walking ------------------------------------------------------------------------------------- */

struct walking {
    struct substream *self;
    struct parent *parent;
    partition_sink *on_partition;
    void *context;
    struct arena arena; /* of the record's partition */
};

/* The partition that the parent's record came from. */
static struct tvalue parent_partition(const struct record *record)
{
    if (record->stream_slice.kind == TVALUE_OBJECT) {
        const struct tobject *object = record->stream_slice.object;
        for (uint32_t i = 0; i < object->attribute_count; i++) {
            if (strcmp(object->attributes[i].name, "partition") == 0)
                return object->attributes[i].value;
        }
    }
    return tvalue_none();
}

/* {"a.b": value} for each path; none where there is nothing. */
static int extra_of(struct walking *walking, const struct record *record, struct tvalue *ret_extra,
                    struct error *err)
{
    const struct parent *parent = walking->parent;
    struct arena *arena = &walking->arena;
    *ret_extra = tvalue_dict(arena);
    if (parent->lazy.count > 0) {
        struct scope scope;
        struct path path;
        struct tvalue children;
        scope_init(&scope, walking->self->engine);
        if (expressions_path(&parent->lazy, &scope, arena, &path, err) != 0)
            return -1;
        int found = value_get(arena, &record->data, path.segments, path.count, &children, err);
        if (found < 0)
            return error_wrap(err, "lazy_read_pointer"), component_error(err, parent->where);
        if (found == 0)
            children = tvalue_list(arena);
        tdict_set_name(arena, ret_extra->dict, PAGES_CHILD_RESPONSE, children);
    }
    for (size_t i = 0; i < parent->extra_count; i++) {
        struct scope scope;
        struct path path;
        struct ttext name;
        struct tvalue value;
        scope_init(&scope, walking->self->engine);
        if (expressions_path(&parent->extra_fields[i], &scope, arena, &path, err) != 0)
            return -1;
        ttext_init(&name, arena, TEMPLATE_TEXT_MAX);
        for (size_t part = 0; part < path.count; part++) {
            if (part > 0)
                ttext_byte(&name, '.');
            ttext_slice(&name, path.segments[part]);
        }
        int found = value_get(arena, &record->data, path.segments, path.count, &value, err);
        if (found < 0)
            return error_wrap(err, "extra_fields"), component_error(err, parent->where);
        if (found == 0)
            value = tvalue_none();
        tdict_set(arena, ret_extra->dict, tvalue_string(ttext_slice_of(&name)), value);
    }
    return 0;
}

static int on_parent(void *context, struct record *record, struct error *err)
{
    struct walking *walking = context;
    const struct parent *parent = walking->parent;
    struct arena *arena = &walking->arena;
    struct tvalue value, extra;
    arena_clear(arena);
    int found = value_get(arena, &record->data, parent->key.segments, parent->key.count, &value, err);
    if (found < 0)
        return error_wrap(err, "parent_key"), component_error(err, parent->where);
    if (found == 0 || value.kind == TVALUE_NONE)
        return 0; /* a record without the key has no children */
    if (extra_of(walking, record, &extra, err) != 0)
        return -1;
    struct tvalue partition = tvalue_dict(arena), above = parent_partition(record);
    tdict_set(arena, partition.dict, tvalue_string(parent->field), value);
    tdict_set_name(arena, partition.dict, "parent_slice",
                   tvalue_is_mapping(&above) ? above : tvalue_dict(arena));
    struct stream_slice slice = stream_slice_make(arena, partition, tvalue_none(), extra);
    return walking->on_partition(walking->context, &slice, err);
}

static int on_parent_state(void *context, struct tvalue state, struct error *err)
{
    (void)context;
    (void)state;
    (void)err;
    return 0;
}

static int substream_walk(void *context, partition_sink *on_partition, void *sink_context, struct error *err)
{
    struct substream *self = context;
    struct walking walking = {.self = self, .on_partition = on_partition, .context = sink_context};
    struct stream_sink sink = {on_parent, on_parent_state, &walking};
    int result = 0;
    for (size_t i = 0; result == 0 && i < self->count; i++) {
        walking.parent = &self->parents[i];
        result = declared_stream_read_in_order(walking.parent->stream, &sink, err);
    }
    arena_done(&walking.arena);
    return result;
}

static int substream_add(const void *context, struct scope *scope, const struct tvalue *stream_slice,
                         struct options *options, struct error *err)
{
    const struct substream *self = context;
    for (size_t i = 0; i < self->count; i++) {
        const struct parent *parent = &self->parents[i];
        if (router_add_value(parent->option, parent->field, scope, stream_slice, options, err) != 0)
            return -1;
    }
    return 0;
}

/* --- incremental_dependency ---------------------------------------------------------------------- */

/* The only member of a state, if that is a text or a number: a cursor's value, as states were once. */
static uint32_t sole_value(const struct json *state, uint32_t at)
{
    uint32_t found = JSON_NONE, mark = json_get(state, at, "__ab_no_cursor_state_message");
    for (uint32_t key = json_first_key(state, at); key != JSON_NONE; key = json_next_key(state, at, key)) {
        uint32_t value = json_value(key);
        if (value == mark)
            continue;
        if (found != JSON_NONE || !(json_is(state, value, JSON_STRING) || json_is_number(state, value)))
            return JSON_NONE;
        found = value;
    }
    return found;
}

/* The parent's own of parent_state; in a state that is older than that the child's global one, or, where that
 * is a cursor's value alone, this as the parent's cursor. As in the CDK: a child is not older than its
 * parent. */
static int set_parent_state(struct parent *parent, const struct json *state, uint32_t at, struct error *err)
{
    uint32_t found = json_get(state, at, "parent_state");
    if (found != JSON_NONE)
        found = json_get(state, found, declared_stream_name(parent->stream));
    if (found == JSON_NONE)
        found = json_get(state, at, "state");
    if (json_is(state, found, JSON_OBJECT))
        return declared_stream_set_state(parent->stream, json_raw(state, found), err);
    if (found != JSON_NONE)
        return 0;
    found = sole_value(state, at);
    return found == JSON_NONE ? 0 : declared_stream_set_reached(parent->stream, state, found, err);
}

static int substream_set_state(void *context, const struct json *state, uint32_t at, struct error *err)
{
    struct substream *self = context;
    for (size_t i = 0; json_is(state, at, JSON_OBJECT) && i < self->count; i++) {
        if (self->parents[i].incremental && set_parent_state(&self->parents[i], state, at, err) != 0)
            return -1;
    }
    return 0;
}

static int substream_state(void *context, struct arena *arena, struct tvalue *ret_state, struct error *err)
{
    struct substream *self = context;
    struct tvalue now, states = tvalue_dict(arena);
    for (size_t i = 0; i < self->count; i++) {
        struct parent *parent = &self->parents[i];
        if (!parent->incremental)
            continue;
        if (declared_stream_state(parent->stream, arena, &now, err) != 0)
            return -1;
        tdict_set_name(arena, states.dict, declared_stream_name(parent->stream), now);
    }
    *ret_state = states; /* also when it is empty, as in the CDK */
    return 0;
}

const struct router_class router_substream = {
    .type_name = "SubstreamPartitionRouter",
    .compile = substream_compile,
    .walk = substream_walk,
    .add = substream_add,
    .set_state = substream_set_state,
    .state = substream_state,
};
