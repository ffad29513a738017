/* Endpoints' configs, inline or in a file: their text with variables expanded, and where each key is written.
 */
#include "catalog/loader.h"

/* Keys and elements below `value`, each with its pointer, parents before what is in them. */
static void add_places(struct loader *loader, struct value value, const char *pointer,
                       struct catalog_endpoint *endpoint, size_t *capacity)
{
    const struct json *doc = &value.source->doc.json;
    bool object = value_has_tag(value, JSON_OBJECT);
    size_t index = 0;
    if (!object && !value_has_tag(value, JSON_ARRAY))
        return;
    for (struct value each = value_first(value); value_there(each); each = value_next(value, each), index++) {
        const char *below;
        if (object) {
            struct buffer path;
            buffer_init(&path, BUFFER_UNLIMITED);
            buffer_str(&path, pointer);
            json_pointer_push(&path, json_string(doc, each.at, &loader->scratch));
            below = arena_strndup(loader->arena, path.data, path.size);
            buffer_done(&path);
        } else {
            below = arena_printf(loader->arena, "%s/%zu", pointer, index);
        }
        struct catalog_config_place *all = endpoint->places;
        if (endpoint->place_count == *capacity) {
            *capacity = *capacity ? 2 * *capacity : 16;
            all = arena_alloc(loader->arena, *capacity * sizeof *all);
            if (endpoint->place_count)
                memcpy(all, endpoint->places, endpoint->place_count * sizeof *all);
            endpoint->places = all;
        }
        all[endpoint->place_count++] = (struct catalog_config_place){below, loader_place(each)};
        add_places(loader, object ? value_of_key(each) : each, below, endpoint, capacity);
    }
}

bool config_build(struct loader *loader, struct value value, struct catalog_endpoint *endpoint)
{
    if (value_has_tag(value, JSON_STRING)) {
        const char *path = value_string(loader, value);
        struct source *source = path ? loader_open(loader, value, path, true) : NULL;
        if (!source)
            return false;
        endpoint->config_path = source->absolute;
        struct value root = {source, 0};
        if (!value_has_tag(root, JSON_OBJECT)) {
            loader_problem(loader, root, "a config must be a mapping");
            return false;
        }
        value = root;
    }
    endpoint->config_place = loader_place(value);
    size_t capacity = 0;
    add_places(loader, value, "", endpoint, &capacity);
    loader->hides = true;
    bool fine = variables_json(loader, value, &endpoint->config);
    loader->hides = false;
    return fine;
}

const struct catalog_place *catalog_config_place(const struct catalog_endpoint *endpoint, const char *pointer)
{
    const struct catalog_place *found = &endpoint->config_place;
    for (size_t i = 0; i < endpoint->place_count; i++) {
        const char *at = endpoint->places[i].pointer;
        size_t size = strlen(at);
        if (strncmp(pointer, at, size) == 0 && (pointer[size] == '/' || !pointer[size]))
            found = &endpoint->places[i].place; /* what is inside of it comes behind it */
    }
    return found;
}
