#include "cli/apply.h"

#include "server/notation.h"
#include "json/writer.h"

#include <stdlib.h>

int apply_place(const struct apply *apply, uint32_t node, struct error *err)
{
    struct yaml_position at = yaml_position(apply->file, node);
    return error_wrap(err, "%s:%u:%u", apply->file->file, at.line, at.column);
}

uint32_t apply_at(const struct apply *apply, uint32_t node, const char *path)
{
    while (*path) {
        size_t size = strcspn(path, ".[]");
        uint32_t found = path[size] == ']' ? json_at(apply->doc, node, (uint32_t)strtoul(path, NULL, 10))
                                           : json_get_slice(apply->doc, node, (struct slice){path, size});
        if (size > 0 && found == JSON_NONE)
            break;
        node = size > 0 ? found : node;
        path += size;
        path += strspn(path, ".[]");
    }
    return node;
}

const char *apply_text(const struct apply *apply, uint32_t object, const char *name)
{
    return json_cstring(apply->doc, json_get(apply->doc, object, name), apply->arena);
}

const char *apply_text_or(const struct apply *apply, uint32_t object, const char *name, const char *otherwise)
{
    const char *found = apply_text(apply, object, name);
    return found ? found : otherwise;
}

bool apply_true(const struct apply *apply, uint32_t object, const char *name)
{
    return json_is(apply->doc, json_get(apply->doc, object, name), JSON_TRUE);
}

static bool is_of_type(const struct json *doc, uint32_t at, struct slice type)
{
    return slice_is(type, "any") || json_is(doc, at, JSON_NULL) ||
           (slice_is(type, "string")   ? json_is(doc, at, JSON_STRING)
            : slice_is(type, "object") ? json_is(doc, at, JSON_OBJECT)
                                       : json_is(doc, at, JSON_TRUE) || json_is(doc, at, JSON_FALSE));
}

static int say_type(const char *name, struct slice type, struct error *err)
{
    return error_set(err, ERROR_INVALID, "'%s' must be %s", name,
                     slice_is(type, "string")   ? "a text"
                     : slice_is(type, "object") ? "a mapping"
                                                : "true or false");
}

int apply_only(const struct apply *apply, uint32_t object, const char *what, const char *members,
               struct error *err)
{
    enum { MEMBERS_MAX = 32 };
    const struct json *doc = apply->doc;
    const char *names[MEMBERS_MAX];
    struct slice types[MEMBERS_MAX];
    struct notation_member member;
    size_t count = 0;
    for (const char *text = members; notation_next(&text, &member); count++) {
        assert(count < MEMBERS_MAX);
        names[count] = arena_strndup(apply->arena, member.name.data, member.name.size);
        types[count] = member.type;
    }
    if (!json_is(doc, object, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "%s must be a mapping", what), apply_place(apply, object, err);
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE;
         key = json_next_key(doc, object, key)) {
        const char *name = json_cstring(doc, key, apply->arena);
        size_t i = 0;
        while (i < count && strcmp(names[i], name) != 0)
            i++;
        if (i < count && is_of_type(doc, json_value(key), types[i]))
            continue;
        if (i < count)
            return say_type(name, types[i], err), apply_place(apply, json_value(key), err);
        const char *nearest = string_nearest(name, names, count);
        error_set(err, ERROR_INVALID, "%s has no '%.64s'%s%s%s", what, name,
                  nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        return apply_place(apply, key, err);
    }
    return 0;
}

int apply_id(struct apply *apply, uint32_t object, const char *kind, const char *workspace,
             const char **ret_id, struct error *err)
{
    char *id = arena_alloc(apply->arena, CONTROL_UUID_SIZE);
    const char *given = apply_text(apply, object, "id"), *name = apply_text(apply, object, "name");
    if (given) {
        if (!control_uuid_parse(slice_of(given), id))
            return error_set(err, ERROR_INVALID, "the id '%.64s' is no UUID", given),
                   apply_place(apply, json_get(apply->doc, object, "id"), err);
    } else if (!name || !*name) {
        return error_set(err, ERROR_INVALID, "a %s has a name, or an id", kind),
               apply_place(apply, object, err);
    } else {
        control_uuid_of(arena_printf(apply->arena, "%s/%s/%s", kind, workspace, name), id);
    }
    const char *other = map_get(&apply->named, slice_of(id));
    if (other && strcmp(other, kind) == 0)
        return error_set(err, ERROR_INVALID,
                         given ? "the file has two %ss of the id %.64s"
                               : "the file has two %ss named '%.64s'",
                         kind, given ? given : name),
               apply_place(apply, json_get(apply->doc, object, given ? "id" : "name"), err);
    map_set(&apply->named, slice_of(id), (void *)kind);
    *ret_id = id;
    return 0;
}

/* --- values with references ----------------------------------------------------------------------- */

struct expanding {
    struct apply *apply;
    struct json_writer writer;
    bool references;    /* ${NAME} is one; else only what was escaped is taken back */
    struct json before; /* in the store now */
};

/* "$…${NAME}" with one `$` less. */
static bool is_escaped(const char *text)
{
    size_t dollars = strspn(text, "$"), size = strlen(text);
    return dollars >= 2 && text[dollars] == '{' && text[size - 1] == '}';
}

static bool is_reference(const char *text)
{
    size_t size = strlen(text);
    return size >= 4 && strncmp(text, "${", 2) == 0 && text[size - 1] == '}';
}

/* The environment's, or what is there already. */
static int put_reference(struct expanding *expanding, const char *text, uint32_t at, uint32_t before,
                         struct error *err)
{
    struct apply *apply = expanding->apply;
    bool json = strncmp(text, "${json:", 7) == 0;
    const char *name = arena_strndup(apply->arena, text + (json ? 7 : 2), strlen(text) - (json ? 8 : 3));
    const char *found = getenv(name);
    struct json value;
    if (!found && before != JSON_NONE) {
        json_put_value(&expanding->writer, &expanding->before, before);
        return 0;
    }
    if (!found)
        return error_set(err, ERROR_INVALID, "the environment has no %.64s", name),
               apply_place(apply, at, err);
    if (!json) {
        json_put_string(&expanding->writer, found);
        return 0;
    }
    struct error why; /* which would show the value */
    if (json_parse_copy(apply->arena, found, strlen(found), &value, &why) < 0)
        return error_set(err, ERROR_INVALID, "the environment's %.64s is no JSON", name),
               apply_place(apply, at, err);
    json_put_value(&expanding->writer, &value, 0);
    return 0;
}

static int put(struct expanding *expanding, uint32_t at, uint32_t before, struct error *err)
{
    struct apply *apply = expanding->apply;
    const struct json *doc = apply->doc;
    struct json_writer *writer = &expanding->writer;
    if (json_is(doc, at, JSON_OBJECT)) {
        json_begin_object(writer);
        for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
            json_put_key_of(writer, doc, key);
            if (put(expanding, json_value(key),
                    json_get_slice(&expanding->before, before, json_string(doc, key, apply->arena)), err) < 0)
                return -1;
        }
        json_end_object(writer);
        return 0;
    }
    if (json_is(doc, at, JSON_ARRAY)) {
        uint32_t position = 0;
        json_begin_array(writer);
        for (uint32_t item = json_first(doc, at); item != JSON_NONE; item = json_next(doc, at, item))
            if (put(expanding, item, json_at(&expanding->before, before, position++), err) < 0)
                return -1;
        json_end_array(writer);
        return 0;
    }
    const char *text = json_cstring(doc, at, apply->arena);
    if (text && expanding->references && is_reference(text))
        return put_reference(expanding, text, at, before, err);
    if (text && is_escaped(text))
        json_put_string(writer, text + 1);
    else
        json_put_value(writer, doc, at);
    return 0;
}

static int expand(struct apply *apply, uint32_t at, bool references, struct slice before,
                  struct slice *ret_json, struct error *err)
{
    struct expanding expanding = {.apply = apply, .references = references};
    struct buffer out;
    bool known =
        before.size && json_parse_copy(apply->arena, before.data, before.size, &expanding.before, err) == 0;
    buffer_init(&out, BUFFER_UNLIMITED);
    json_writer_init(&expanding.writer, &out);
    int result = put(&expanding, at, known ? 0 : JSON_NONE, err);
    if (result == 0)
        *ret_json = (struct slice){arena_strndup(apply->arena, out.data, out.size), out.size};
    if (out.data)
        explicit_bzero(out.data, out.capacity);
    buffer_done(&out);
    return result;
}

struct slice apply_raw(struct apply *apply, uint32_t object, const char *name)
{
    uint32_t at = json_get(apply->doc, object, name);
    struct slice json = {0};
    struct error unused;
    if (at != JSON_NONE && !json_is(apply->doc, at, JSON_NULL))
        expand(apply, at, false, (struct slice){0}, &json, &unused);
    return json;
}

int apply_expanded(struct apply *apply, uint32_t object, const char *name, struct slice before,
                   struct slice *ret_json, struct error *err)
{
    uint32_t at = json_get(apply->doc, object, name);
    *ret_json = (struct slice){0};
    return at == JSON_NONE || json_is(apply->doc, at, JSON_NULL)
               ? 0
               : expand(apply, at, true, before, ret_json, err);
}

bool apply_same_json(struct slice a, struct slice b)
{
    struct arena arena;
    struct json x, y;
    struct error unused;
    struct slice none = SLICE_LITERAL("{}");
    a = a.size ? a : none;
    b = b.size ? b : none;
    if (slice_equal(a, b))
        return true;
    arena_init(&arena);
    bool same = json_parse_copy(&arena, a.data, a.size, &x, &unused) == 0 &&
                json_parse_copy(&arena, b.data, b.size, &y, &unused) == 0 && json_equal(&x, 0, &y, 0);
    arena_done(&arena);
    return same;
}

void apply_note(struct apply *apply, enum apply_change change, const char *kind, const char *name)
{
    static const char signs[] = {[APPLY_NEW] = '+', [APPLY_CHANGED] = '~', [APPLY_GONE] = '-'};
    apply->counts[change]++;
    if (change == APPLY_SAME)
        return;
    buffer_printf(&apply->plan, "%c %s ", signs[change], kind);
    text_append_printable(&apply->plan, name, strlen(name));
    buffer_byte(&apply->plan, '\n');
}
