#include "protocol/flow_resource.h"

#include "json/writer.h"

enum { DEPTH_MAX = 16, REFERENCES_MAX = 64 };

enum { TABLE, SCHEMA, DELTA, MARKS };
static const char *const marks[MARKS] = {"x-collection-name", "x-schema-name", "x-delta-updates"};

/* A location: the names of the members that lead there. */
struct location {
    struct slice names[DEPTH_MAX];
    size_t depth;
    bool found;
};

struct search {
    const struct json *schema;
    struct arena *arena;
    struct location here, found[MARKS];
    unsigned references; /* followed; a schema may refer to itself */
};

/* --- where ------------------------------------------------------------------------------------------ */

static void search_schema(struct search *search, uint32_t at);

static void search_properties(struct search *search, uint32_t at)
{
    const struct json *schema = search->schema;
    uint32_t properties = json_get(schema, at, "properties");
    if (search->here.depth == DEPTH_MAX)
        return;
    for (uint32_t key = json_first_key(schema, properties); key != JSON_NONE;
         key = json_next_key(schema, properties, key)) {
        search->here.names[search->here.depth++] = json_string(schema, key, search->arena);
        search_schema(search, json_value(key));
        search->here.depth--;
    }
}

static void search_list(struct search *search, uint32_t list)
{
    for (uint32_t each = json_first(search->schema, list); each != JSON_NONE;
         each = json_next(search->schema, list, each))
        search_schema(search, each);
}

static void search_reference(struct search *search, uint32_t at)
{
    uint32_t reference = json_get(search->schema, at, "$ref");
    if (!json_is(search->schema, reference, JSON_STRING) || search->references == REFERENCES_MAX)
        return;
    struct slice text = json_string(search->schema, reference, search->arena);
    if (text.size == 0 || text.data[0] != '#')
        return;
    search->references++;
    search_schema(search, json_pointer(search->schema, 0, (struct slice){text.data + 1, text.size - 1}));
}

/* The first place counts. */
static void search_schema(struct search *search, uint32_t at)
{
    if (!json_is(search->schema, at, JSON_OBJECT))
        return;
    for (size_t i = 0; i < MARKS; i++) {
        uint32_t mark = json_get(search->schema, at, marks[i]);
        if (mark == JSON_NONE || json_is(search->schema, mark, JSON_FALSE) || search->found[i].found)
            continue;
        search->found[i] = search->here;
        search->found[i].found = true;
    }
    search_properties(search, at);
    search_list(search, json_get(search->schema, at, "allOf"));
    search_list(search, json_get(search->schema, at, "anyOf"));
    search_list(search, json_get(search->schema, at, "oneOf"));
    search_reference(search, at);
}

/* --- what ------------------------------------------------------------------------------------------- */

struct wanted {
    const struct location *location;
    struct slice raw; /* JSON */
};

static bool begins_with(const struct location *location, const struct location *outer, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        if (!slice_equal(location->names[i], outer->names[i]))
            return false;
    }
    return location->depth > depth;
}

/* The object at the first `depth` names of `outer`: of those that lie in it, each name once. */
static void write_object(struct json_writer *writer, const struct wanted *wanted, size_t count,
                         const struct location *outer, size_t depth)
{
    json_begin_object(writer);
    for (size_t i = 0; i < count; i++) {
        const struct location *location = wanted[i].location;
        bool again = false;
        if (!begins_with(location, outer, depth))
            continue;
        for (size_t j = 0; j < i && !again; j++)
            again = begins_with(wanted[j].location, location, depth) &&
                    slice_equal(wanted[j].location->names[depth], location->names[depth]);
        if (again)
            continue;
        json_put_key_slice(writer, location->names[depth]);
        if (location->depth == depth + 1)
            json_put_raw(writer, wanted[i].raw);
        else
            write_object(writer, wanted, count, location, depth + 1);
    }
    json_end_object(writer);
}

int flow_resource_make(struct slice raw_schema, struct slice target, struct arena *arena,
                       struct slice *ret_resource, struct error *err)
{
    static const char *const members[MARKS] = {"table", "schema", "deltaUpdates"};
    static const char *const advice[MARKS] = {
        "its collections have to be bound one by one ('bindings')",
        "choose a targetNaming without one, such as noSchema or prefixSchema",
        "leave 'deltaUpdates' away",
    };
    struct json schema, doc;
    struct wanted wanted[MARKS];
    size_t count = 0;
    if (raw_schema.size == 0)
        raw_schema = SLICE_LITERAL("{}");
    if (json_parse_copy(arena, raw_schema.data, raw_schema.size, &schema, err) < 0 ||
        json_parse_copy(arena, target.data, target.size, &doc, err) < 0)
        return error_wrap(err, "a resource of a source capture");
    struct search search = {.schema = &schema, .arena = arena};
    search_schema(&search, 0);
    for (size_t i = 0; i < MARKS; i++) {
        uint32_t at = json_get(&doc, 0, members[i]);
        if (at == JSON_NONE)
            continue;
        if (!search.found[i].found || search.found[i].depth == 0)
            return error_set(
                err, ERROR_INVALID,
                "the connector's resources have no place for a %s (%s), which the materialization's "
                "'source' needs: %s",
                i == TABLE    ? "name"
                : i == SCHEMA ? "schema"
                              : "choice of delta updates",
                marks[i], advice[i]);
        wanted[count++] = (struct wanted){&search.found[i], json_raw(&doc, at)};
    }
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    write_object(&writer, wanted, count, &search.here, 0);
    *ret_resource = (struct slice){arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return 0;
}
