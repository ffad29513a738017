#include "protocol/flow_state.h"

#include "base/map.h"
#include "json/writer.h"

/* A value: an opened object, or the bytes of anything (an object not opened among them). */
struct node {
    struct map *members; /* of struct node; NULL: not opened */
    size_t size;
    char raw[];
};

struct flow_state {
    struct node *root;
    struct json_parser *patches, *opened; /* what is taken in, and what is opened meanwhile */
};

/* --- nodes ----------------------------------------------------------------------------------------- */

static struct node *node_of_raw(struct slice raw)
{
    struct node *node = mem_alloc(sizeof *node + raw.size);
    *node = (struct node){.size = raw.size};
    memcpy(node->raw, raw.data, raw.size);
    return node;
}

static struct node *node_of_nothing(void)
{
    struct node *node = mem_zalloc(sizeof *node);
    node->members = mem_alloc(sizeof *node->members);
    map_init(node->members);
    return node;
}

static void node_free(struct node *node)
{
    if (!node)
        return;
    if (node->members) {
        struct map_entry *entry;
        for (size_t at = 0; (entry = map_next(node->members, &at));)
            node_free(entry->value);
        map_done(node->members);
        free(node->members);
    }
    free(node);
}

static bool is_object(const struct node *node)
{
    return node && (node->members || node->raw[0] == '{');
}

static void set_member(struct node *object, struct slice name, struct node *value)
{
    node_free(map_set(object->members, name, value));
}

/* The name of a member is unescaped into memory of its own where it has escapes. */
static struct slice name_of(const struct json *doc, uint32_t key, char **ret_unescaped)
{
    struct slice name = json_inner(doc, key);
    *ret_unescaped = NULL;
    if (!json_escaped(doc, key))
        return name;
    *ret_unescaped = mem_alloc(name.size + 1);
    return (struct slice){*ret_unescaped, json_unescape(name.data, name.size, *ret_unescaped)};
}

/* Open an object that is bytes yet, one level. */
static struct node *open_object(struct flow_state *state, struct node *node)
{
    struct json doc;
    struct error err;
    struct node *object = node_of_nothing();
    int parsed = json_parse(state->opened, node->raw, node->size, &doc, &err);
    assert(parsed == 0); /* it was part of a document that was parsed */
    for (uint32_t key = json_first_key(&doc, 0); key != JSON_NONE; key = json_next_key(&doc, 0, key)) {
        auto_free char *unescaped;
        struct slice name = name_of(&doc, key, &unescaped);
        set_member(object, name, node_of_raw(json_raw(&doc, json_value(key))));
    }
    node_free(node);
    return object;
}

/* --- patches --------------------------------------------------------------------------------------- */

/* Is there a member that is null somewhere in the value? (Inside an array too, where it does not matter.) */
static bool has_null(const struct json *doc, uint32_t at)
{
    uint32_t end = json_after(doc, at);
    for (uint32_t i = at; i + 1 < end; i++) {
        if (json_is(doc, i, JSON_KEY) && json_is(doc, i + 1, JSON_NULL))
            return true;
    }
    return false;
}

/* MergePatch(target, patch) of RFC 7396. Takes the target, gives the result. */
static struct node *merge(struct flow_state *state, struct node *target, const struct json *doc, uint32_t at)
{
    bool object = json_is(doc, at, JSON_OBJECT);
    if (!object || (!is_object(target) && !has_null(doc, at))) {
        node_free(target);
        return node_of_raw(json_raw(doc, at));
    }
    if (!is_object(target)) {
        node_free(target);
        target = node_of_nothing();
    } else if (!target->members) {
        target = open_object(state, target);
    }
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        auto_free char *unescaped;
        struct slice name = name_of(doc, key, &unescaped);
        struct node *member = map_get(target->members, name);
        if (json_is(doc, json_value(key), JSON_NULL))
            node_free(map_remove(target->members, name));
        else
            map_set(target->members, name, merge(state, member, doc, json_value(key)));
    }
    return target;
}

static void write_node(struct json_writer *writer, const struct node *node)
{
    if (!node->members) {
        json_put_raw(writer, (struct slice){node->raw, node->size});
        return;
    }
    struct map_entry *entry;
    json_begin_object(writer);
    for (size_t at = 0; (entry = map_next(node->members, &at));) {
        json_put_key_slice(writer, entry->key);
        write_node(writer, entry->value);
    }
    json_end_object(writer);
}

/* --- the state ------------------------------------------------------------------------------------- */

struct flow_state *flow_state_new(void)
{
    struct flow_state *state = mem_zalloc(sizeof *state);
    const struct json_limits limits = {.size_max = JSON_SIZE_LIMIT, .depth_max = JSON_DEPTH_LIMIT};
    state->root = node_of_raw(SLICE_LITERAL("{}"));
    state->patches = json_parser_new(limits, JSON_DUPLICATES_LAST_WINS);
    state->opened = json_parser_new(limits, JSON_DUPLICATES_LAST_WINS);
    return state;
}

void flow_state_free(struct flow_state *state)
{
    if (!state)
        return;
    node_free(state->root);
    json_parser_free(state->patches);
    json_parser_free(state->opened);
    free(state);
}

static void replace(struct flow_state *state, const struct json *doc, uint32_t at)
{
    node_free(state->root);
    state->root = node_of_raw(json_raw(doc, at));
}

int flow_state_load(struct flow_state *state, const struct json *doc, uint32_t at, struct error *err)
{
    if (!json_is(doc, at, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "a connector's state must be an object");
    replace(state, doc, at);
    return 0;
}

int flow_state_apply(struct flow_state *state, const struct flow_connector_state *update, struct error *err)
{
    struct json doc;
    if (update->raw_updated.size == 0)
        return 0;
    if (json_parse(state->patches, update->raw_updated.data, update->raw_updated.size, &doc, err) < 0)
        return error_wrap(err, "state.updated");
    if (!json_is(&doc, 0, JSON_OBJECT))
        return error_set(err, ERROR_PROTOCOL, "state.updated must be an object, got %.*s",
                         (int)utf8_cut(doc.source, doc.size, 60), doc.source);
    if (update->merge_patch)
        state->root = merge(state, state->root, &doc, 0);
    else
        replace(state, &doc, 0);
    return 0;
}

bool flow_state_is_empty(const struct flow_state *state)
{
    if (state->root->members)
        return state->root->members->count == 0;
    for (size_t i = 1; i + 1 < state->root->size; i++) {
        if (!strchr(" \t\r\n", state->root->raw[i]))
            return false;
    }
    return true;
}

void flow_state_write(const struct flow_state *state, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    write_node(&writer, state->root);
}

int flow_merge_patch(struct slice target, struct slice patch, struct buffer *out, struct error *err)
{
    mem_auto(flow_state_free) struct flow_state *state = flow_state_new();
    struct json doc;
    if (json_parse(state->patches, target.data, target.size, &doc, err) < 0)
        return error_wrap(err, "the target");
    replace(state, &doc, 0);
    if (json_parse(state->patches, patch.data, patch.size, &doc, err) < 0)
        return error_wrap(err, "the patch");
    state->root = merge(state, state->root, &doc, 0);
    flow_state_write(state, out);
    return 0;
}
