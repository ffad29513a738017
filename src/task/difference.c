#include "task/difference.h"

struct place {
    const struct json *expected, *actual;
    struct buffer *path;
};

static void compare(struct differences *differences, const struct place *place, uint32_t expected,
                    uint32_t actual);

static struct slice raw(const struct json *doc, uint32_t at)
{
    return at == JSON_NONE ? (struct slice){0} : json_raw(doc, at);
}

static void add(struct differences *differences, const struct place *place, uint32_t expected,
                uint32_t actual)
{
    if (differences->count == DIFFERENCES_MAX) {
        differences->omitted++;
        return;
    }
    differences->items[differences->count++] = (struct difference){
        .pointer = arena_strndup(differences->arena, place->path->data, place->path->size),
        .expected = raw(place->expected, expected),
        .actual = raw(place->actual, actual),
    };
}

static void compare_objects(struct differences *differences, const struct place *place, uint32_t expected,
                            uint32_t actual)
{
    size_t before = place->path->size;
    for (uint32_t key = json_first_key(place->expected, expected); key != JSON_NONE;
         key = json_next_key(place->expected, expected, key)) {
        struct slice name = json_string(place->expected, key, differences->arena);
        json_pointer_push(place->path, name);
        compare(differences, place, json_value(key), json_get_slice(place->actual, actual, name));
        place->path->size = before;
    }
}

static void compare_arrays(struct differences *differences, const struct place *place, uint32_t expected,
                           uint32_t actual)
{
    size_t before = place->path->size;
    uint32_t left = json_first(place->expected, expected), right = json_first(place->actual, actual);
    for (uint32_t i = 0; left != JSON_NONE || right != JSON_NONE; i++) {
        buffer_printf(place->path, "/%u", i);
        compare(differences, place, left, right);
        place->path->size = before;
        left = left == JSON_NONE ? JSON_NONE : json_next(place->expected, expected, left);
        right = right == JSON_NONE ? JSON_NONE : json_next(place->actual, actual, right);
    }
}

static void compare(struct differences *differences, const struct place *place, uint32_t expected,
                    uint32_t actual)
{
    if (expected == JSON_NONE || actual == JSON_NONE)
        add(differences, place, expected, actual);
    else if (json_is(place->expected, expected, JSON_OBJECT) && json_is(place->actual, actual, JSON_OBJECT))
        compare_objects(differences, place, expected, actual);
    else if (json_is(place->expected, expected, JSON_ARRAY) && json_is(place->actual, actual, JSON_ARRAY))
        compare_arrays(differences, place, expected, actual);
    else if (!json_equal(place->expected, expected, place->actual, actual))
        add(differences, place, expected, actual);
}

void difference_find(struct differences *differences, const struct json *expected, const struct json *actual)
{
    struct buffer path;
    buffer_init(&path, BUFFER_UNLIMITED);
    struct place place = {expected, actual, &path};
    compare(differences, &place, 0, 0);
    buffer_done(&path);
}
