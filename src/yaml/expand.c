/* Items to JSON text and positions: aliases and merge keys are expanded here, within bounds on what is
 * written and on what is looked at, so that no few lines become gigabytes. */
#include "yaml/items.h"

#include "base/map.h"
#include "json/writer.h"

struct expansion {
    const struct yaml_reporter *reporter;
    const struct yaml_item *items;
    struct json_writer writer;
    struct yaml_nodes *nodes;
    uint32_t looked_at; /* items visited, those that a merge then drops included */
    uint32_t depth;
};

static int visit(struct expansion *expansion, struct yaml_position at)
{
    if (++expansion->looked_at > YAML_NODES_MAX)
        return yaml_fatal(expansion->reporter, ERROR_LIMIT, at,
                          "aliases and merge keys expand to more than %d values", YAML_NODES_MAX);
    if (expansion->writer.out->overflowed)
        return yaml_fatal(expansion->reporter, ERROR_LIMIT, at,
                          "aliases and merge keys expand to more than %d MiB", YAML_EXPANDED_MAX >> 20);
    return 0;
}

static int add_position(struct expansion *expansion, struct yaml_position at)
{
    if (visit(expansion, at) < 0)
        return -1;
    struct yaml_nodes *nodes = expansion->nodes;
    nodes->positions =
        mem_grow(nodes->positions, &nodes->capacity, nodes->count + 1, sizeof *nodes->positions);
    nodes->positions[nodes->count++] = at;
    return 0;
}

/* The node that was added last has a tag that awaits its variables. */
static void defer(struct yaml_nodes *nodes, enum yaml_tag tag)
{
    nodes->deferred = mem_grow(nodes->deferred, &nodes->deferred_capacity, nodes->deferred_count + 1,
                               sizeof *nodes->deferred);
    nodes->deferred[nodes->deferred_count++] = (struct yaml_deferred){(uint32_t)nodes->count - 1, tag};
}

static int write_value(struct expansion *expansion, uint32_t index, struct yaml_position at);

static int write_member(struct expansion *expansion, const struct yaml_item *key, uint32_t value)
{
    if (add_position(expansion, key->at) < 0)
        return -1;
    json_put_key_slice(&expansion->writer, key->text);
    return write_value(expansion, value, expansion->items[value].at);
}

/* --- merge keys ------------------------------------------------------------------------------------ */

static int merge_from(struct expansion *expansion, uint32_t source, struct map *names, uint32_t depth);

/* The members of a mapping that are not in *names yet (all of them if there is none), its own before those
 * that it merges: an earlier one wins. */
static int write_members(struct expansion *expansion, uint32_t mapping, struct map *names, uint32_t depth)
{
    const struct yaml_item *items = expansion->items;
    uint32_t end = items[mapping].after;
    for (uint32_t key = mapping + 1; key < end; key = items[key + 1].after) {
        if (items[key].kind == YAML_MERGE || items[key].dropped)
            continue;
        if (visit(expansion, items[key].at) < 0)
            return -1;
        if (names) {
            if (map_get(names, items[key].text))
                continue;
            map_set(names, items[key].text, names);
        }
        if (write_member(expansion, &items[key], key + 1) < 0)
            return -1;
    }
    for (uint32_t key = mapping + 1; key < end; key = items[key + 1].after) {
        if (items[key].kind == YAML_MERGE && !items[key].dropped &&
            merge_from(expansion, key + 1, names, depth + 1) < 0)
            return -1;
    }
    return 0;
}

static int merge_from(struct expansion *expansion, uint32_t source, struct map *names, uint32_t depth)
{
    const struct yaml_item *item = &expansion->items[source];
    struct yaml_position at = item->at;
    if (depth > YAML_DEPTH_MAX)
        return yaml_fatal(expansion->reporter, ERROR_LIMIT, at, "more than %d levels of merge keys",
                          YAML_DEPTH_MAX);
    if (visit(expansion, at) < 0)
        return -1;
    if (item->kind == YAML_ALIAS) {
        source = item->target;
        item = &expansion->items[source];
    }
    if (item->kind == YAML_MAPPING)
        return write_members(expansion, source, names, depth);
    if (item->kind != YAML_SEQUENCE)
        return yaml_problem(expansion->reporter, at,
                            "'<<' merges mappings: an alias like *name, or a list of such");
    for (uint32_t element = source + 1; element < item->after; element = expansion->items[element].after) {
        const struct yaml_item *each = &expansion->items[element];
        bool nested_list = each->kind == YAML_SEQUENCE ||
                           (each->kind == YAML_ALIAS && expansion->items[each->target].kind == YAML_SEQUENCE);
        if (nested_list)
            return yaml_problem(expansion->reporter, each->at, "'<<' merges mappings, not lists of lists");
        if (merge_from(expansion, element, names, depth + 1) < 0)
            return -1;
    }
    return 0;
}

static bool merges(const struct expansion *expansion, uint32_t mapping)
{
    const struct yaml_item *items = expansion->items;
    for (uint32_t key = mapping + 1; key < items[mapping].after; key = items[key + 1].after) {
        if (items[key].kind == YAML_MERGE)
            return true;
    }
    return false;
}

/* --- values ---------------------------------------------------------------------------------------- */

static int write_mapping(struct expansion *expansion, uint32_t index)
{
    json_begin_object(&expansion->writer);
    int result;
    if (merges(expansion, index)) {
        struct map names;
        map_init(&names);
        result = write_members(expansion, index, &names, 0);
        map_done(&names);
    } else {
        result = write_members(expansion, index, NULL, 0);
    }
    if (result == 0)
        json_end_object(&expansion->writer);
    return result;
}

static int write_sequence(struct expansion *expansion, uint32_t index)
{
    json_begin_array(&expansion->writer);
    int result = 0;
    uint32_t end = expansion->items[index].after;
    for (uint32_t element = index + 1; result == 0 && element < end;
         element = expansion->items[element].after)
        result = write_value(expansion, element, expansion->items[element].at);
    if (result == 0)
        json_end_array(&expansion->writer);
    return result;
}

/* `at` is where the value is used: an alias, or the item itself. */
static int write_value(struct expansion *expansion, uint32_t index, struct yaml_position at)
{
    const struct yaml_item *item = &expansion->items[index];
    if (item->kind == YAML_ALIAS)
        item = &expansion->items[index = item->target];
    if (add_position(expansion, at) < 0)
        return -1;
    if (item->kind == YAML_LITERAL) {
        json_put_raw(&expansion->writer, item->text);
        return 0;
    }
    if (item->kind == YAML_STRING) {
        if (item->tag)
            defer(expansion->nodes, item->tag);
        json_put_slice(&expansion->writer, item->text);
        return 0;
    }
    if (expansion->depth == YAML_DEPTH_MAX)
        return yaml_fatal(expansion->reporter, ERROR_LIMIT, at,
                          "aliases expand to more than %d levels of nesting", YAML_DEPTH_MAX);
    expansion->depth++;
    int result =
        item->kind == YAML_MAPPING ? write_mapping(expansion, index) : write_sequence(expansion, index);
    expansion->depth--;
    return result;
}

int yaml_expand(const struct yaml_reporter *reporter, const struct yaml_items *items, struct buffer *text,
                struct yaml_nodes *nodes)
{
    struct expansion expansion = {.reporter = reporter, .items = items->items, .nodes = nodes};
    json_writer_init(&expansion.writer, text);
    return write_value(&expansion, 0, items->items[0].at) < 0 || visit(&expansion, items->items[0].at) < 0
               ? -1
               : 0;
}
