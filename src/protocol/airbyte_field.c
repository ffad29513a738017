#include "protocol/airbyte_field.h"

#include "base/buffer.h"

enum { LISTED_MAX = 10 };

struct search {
    const struct json *doc;
    const char *stream;
    struct airbyte_path path;
    struct arena *arena;
};

const char *airbyte_path_text(struct airbyte_path path, struct arena *arena)
{
    const char *text = "";
    for (size_t i = 0; i < path.count; i++)
        text = arena_printf(arena, "%s%s%.*s", text, i ? "." : "", SLICE_ARGS(path.parts[i]));
    return text;
}

bool airbyte_path_equal(struct airbyte_path a, struct airbyte_path b)
{
    bool same = a.count == b.count;
    for (size_t i = 0; same && i < a.count; i++)
        same = slice_equal(a.parts[i], b.parts[i]);
    return same;
}

static const char *say_unknown(const struct search *search, uint32_t properties, size_t step)
{
    const struct json *doc = search->doc;
    struct arena *arena = search->arena;
    const char **names = arena_alloc(arena, ((size_t)json_count(doc, properties) + 1) * sizeof *names);
    const char *all = "", *within = "";
    size_t count = 0;
    for (uint32_t key = json_first_key(doc, properties); key != JSON_NONE;
         key = json_next_key(doc, properties, key)) {
        const char *name = json_cstring(doc, key, arena);
        if (!name)
            continue;
        if (count < LISTED_MAX)
            all = arena_printf(arena, "%s%s%s", all, count ? ", " : "", name);
        names[count++] = name;
    }
    if (step)
        within = arena_printf(arena, " in '%s'",
                              airbyte_path_text((struct airbyte_path){search->path.parts, step}, arena));
    const char *sought = arena_strndup(arena, search->path.parts[step].data, search->path.parts[step].size);
    const char *nearest = string_nearest(sought, names, count);
    const char *hint = nearest ? arena_printf(arena, "; did you mean '%s'?", nearest)
                               : arena_printf(arena, "; it has: %s%s", all, count > LISTED_MAX ? ", …" : "");
    return arena_printf(arena, "the stream '%s' has no field '%s'%s%s", search->stream, sought, within, hint);
}

/* Could this object have members that its `properties` do not name? */
static bool is_open(const struct json *doc, uint32_t at)
{
    static const char *const keywords[] = {"oneOf", "anyOf", "allOf", "$ref", "if", "patternProperties"};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (json_get(doc, at, keywords[i]) != JSON_NONE)
            return true;
    }
    return false;
}

bool airbyte_field_open(const struct json *doc, uint32_t schema)
{
    uint32_t more = json_get(doc, schema, "additionalProperties");
    return json_count(doc, json_get(doc, schema, "properties")) == 0 || is_open(doc, schema) ||
           json_is(doc, more, JSON_TRUE) || json_is(doc, more, JSON_OBJECT);
}

/* The type of what plainly is no object, else NULL. */
static const char *plain_type(const struct search *search, uint32_t at)
{
    const struct json *doc = search->doc;
    uint32_t type = json_get(doc, at, "type");
    const char *found = json_is(doc, type, JSON_STRING) ? json_cstring(doc, type, search->arena) : NULL;
    uint32_t first = json_is(doc, type, JSON_ARRAY) ? json_first(doc, type) : JSON_NONE;
    for (uint32_t each = first; each != JSON_NONE; each = json_next(doc, type, each)) {
        if (!json_is(doc, each, JSON_STRING) || json_string_is(doc, each, "object"))
            return NULL;
        if (!found && !json_string_is(doc, each, "null"))
            found = json_cstring(doc, each, search->arena);
    }
    return found && strcmp(found, "object") != 0 ? found : NULL;
}

const char *airbyte_field_problem(const struct json *doc, uint32_t schema, const char *stream,
                                  struct airbyte_path path, bool through_lists, struct arena *arena)
{
    const struct search search = {doc, stream, path, arena};
    uint32_t at = schema;
    for (size_t i = 0; i < path.count; i++) {
        while (through_lists && i && json_is(doc, json_get(doc, at, "items"), JSON_OBJECT))
            at = json_get(doc, at, "items");
        const char *type = i ? plain_type(&search, at) : NULL;
        if (type && through_lists && strcmp(type, "array") == 0)
            return NULL;
        if (type)
            return arena_printf(arena,
                                "the field '%.*s' of the stream '%s' has the type %s and no field '%.*s'",
                                SLICE_ARGS(path.parts[i - 1]), stream, type, SLICE_ARGS(path.parts[i]));
        uint32_t properties = json_get(doc, at, "properties");
        if (!json_is(doc, properties, JSON_OBJECT) || json_count(doc, properties) == 0 || is_open(doc, at))
            return NULL;
        at = json_get_slice(doc, properties, path.parts[i]);
        if (at == JSON_NONE)
            return say_unknown(&search, properties, i);
    }
    return NULL;
}
