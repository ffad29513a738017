/* Endpoints' configs, inline or in a file: their text with variables expanded, and where each key is written.
 */
#include "catalog/loader.h"

static void add_place(struct loader *loader, struct catalog_places *places, size_t *capacity,
                      const char *pointer, struct value value)
{
    if (places->count == *capacity) {
        struct catalog_inner_place *items;
        *capacity = *capacity ? 2 * *capacity : 16;
        items = arena_alloc(loader->arena, *capacity * sizeof *items);
        if (places->count)
            memcpy(items, places->items, places->count * sizeof *items);
        places->items = items;
    }
    places->items[places->count++] = (struct catalog_inner_place){pointer, loader_place(value)};
}

/* Keys and elements below `value`, each with its pointer, before what is in it. */
static void add_places(struct loader *loader, struct value value, const char *pointer,
                       struct catalog_places *places, size_t *capacity)
{
    const struct json *doc = &value.source->doc.json;
    bool object = value_has_tag(value, JSON_OBJECT);
    size_t index = 0;
    if (!object && !value_has_tag(value, JSON_ARRAY))
        return;
    for (struct value each = value_first(value); value_there(each); each = value_next(value, each), index++) {
        struct buffer path;
        buffer_init(&path, BUFFER_UNLIMITED);
        buffer_str(&path, pointer);
        if (object)
            json_pointer_push(&path, json_string(doc, each.at, &loader->scratch));
        else
            buffer_printf(&path, "/%zu", index);
        const char *below = arena_strndup(loader->arena, path.data, path.size);
        buffer_done(&path);
        add_place(loader, places, capacity, below, each);
        add_places(loader, object ? value_of_key(each) : each, below, places, capacity);
    }
}

void places_build(struct loader *loader, struct value value, struct catalog_places *ret_places)
{
    size_t capacity = 0;
    *ret_places = (struct catalog_places){.whole = loader_place(value)};
    add_places(loader, value, "", ret_places, &capacity);
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
    places_build(loader, value, &endpoint->config_places);
    loader->hides = true;
    bool fine = variables_json(loader, value, &endpoint->config);
    loader->hides = false;
    return fine;
}

const struct catalog_place *catalog_place_of(const struct catalog_places *places, const char *pointer)
{
    const struct catalog_place *found = &places->whole;
    for (size_t i = 0; i < places->count; i++) {
        const char *at = places->items[i].pointer;
        size_t size = strlen(at);
        if (strncmp(pointer, at, size) == 0 && (pointer[size] == '/' || !pointer[size]))
            found = &places->items[i].place; /* what is inside of it comes behind it */
    }
    return found;
}
