#include "server/mask.h"

#include "base/map.h"
#include "connector/marks.h"

struct masking {
    struct json_writer *writer;
    const struct json *doc;
    struct arena *arena;
    struct connector_secrets *secrets;
    struct map marked; /* pointers */
    struct buffer pointer;
    bool everything; /* there is no schema */
    bool urls;       /* they alone, of any kind, are secret */
};

static bool shows_secret(struct masking *masking, uint32_t at)
{
    struct buffer masked;
    bool is_string = json_is(masking->doc, at, JSON_STRING);
    if (is_string && masking->everything)
        return true;
    if (!is_string && !json_is_number(masking->doc, at))
        return false;
    struct slice text =
        is_string ? json_string(masking->doc, at, masking->arena) : json_raw(masking->doc, at);
    buffer_init(&masked, BUFFER_UNLIMITED);
    connector_secrets_mask(masking->secrets, text, false, &masked);
    bool shows = !slice_equal(text, (struct slice){masked.data, masked.size});
    buffer_done(&masked);
    return shows;
}

/* What was put where a URL is wanted may be half of one: by its place as well. */
static bool is_url(const struct masking *masking, uint32_t at)
{
    const struct buffer *pointer = &masking->pointer;
    if (!json_is(masking->doc, at, JSON_STRING))
        return false;
    const char *slash = pointer->size ? memrchr(pointer->data, '/', pointer->size) : NULL;
    struct slice text = json_string(masking->doc, at, masking->arena), name = {0};
    if (slash)
        name = (struct slice){slash + 1, (size_t)(pointer->data + pointer->size - slash - 1)};
    return slice_is(name, "webhook") || slice_is(name, "url") || memmem(text.data, text.size, "//", 2);
}

static void write_masked(struct masking *masking, uint32_t at);

static void write_object(struct masking *masking, uint32_t at)
{
    const struct json *doc = masking->doc;
    json_begin_object(masking->writer);
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        size_t size = masking->pointer.size;
        json_pointer_push(&masking->pointer, json_string(doc, key, masking->arena));
        json_put_key_of(masking->writer, doc, key);
        write_masked(masking, json_value(key));
        masking->pointer.size = size;
    }
    json_end_object(masking->writer);
}

static void write_array(struct masking *masking, uint32_t at)
{
    const struct json *doc = masking->doc;
    unsigned number = 0;
    json_begin_array(masking->writer);
    for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each)) {
        size_t size = masking->pointer.size;
        buffer_printf(&masking->pointer, "/%u", number++);
        write_masked(masking, each);
        masking->pointer.size = size;
    }
    json_end_array(masking->writer);
}

static void write_masked(struct masking *masking, uint32_t at)
{
    struct slice pointer = {masking->pointer.data, masking->pointer.size};
    bool null = json_is(masking->doc, at, JSON_NULL);
    if (!null && (masking->urls ? is_url(masking, at)
                                : map_get(&masking->marked, pointer) || shows_secret(masking, at)))
        json_put_string(masking->writer, MASK_TEXT);
    else if (json_is(masking->doc, at, JSON_OBJECT))
        write_object(masking, at);
    else if (json_is(masking->doc, at, JSON_ARRAY))
        write_array(masking, at);
    else
        json_put_value(masking->writer, masking->doc, at);
}

static void find_marks(struct masking *masking, struct slice schema, struct slice config)
{
    struct buffer pointers;
    struct json list;
    struct error err;
    buffer_init(&pointers, BUFFER_UNLIMITED);
    connector_marks_find(schema, config, &pointers);
    if (json_parse_copy(masking->arena, pointers.data, pointers.size, &list, &err) == 0) {
        for (uint32_t at = json_first(&list, 0); at != JSON_NONE; at = json_next(&list, 0, at))
            map_set(&masking->marked, json_string(&list, at, masking->arena), masking);
    }
    buffer_done(&pointers);
}

void mask_config(struct json_writer *writer, struct slice schema, struct slice config)
{
    struct arena arena;
    struct json doc;
    struct error err;
    arena_init(&arena);
    if (!config.size || json_parse_copy(&arena, config.data, config.size, &doc, &err) < 0) {
        json_begin_object(writer);
        json_end_object(writer);
        arena_done(&arena);
        return;
    }
    struct masking masking = {.writer = writer, .doc = &doc, .arena = &arena, .everything = schema.size == 0};
    masking.secrets = connector_secrets_of(config, NULL, schema);
    buffer_init(&masking.pointer, BUFFER_UNLIMITED);
    map_init(&masking.marked);
    if (schema.size)
        find_marks(&masking, schema, config);
    write_masked(&masking, 0);
    map_done(&masking.marked);
    buffer_done(&masking.pointer);
    connector_secrets_free(masking.secrets);
    arena_done(&arena);
}

void mask_notifications(struct json_writer *writer, struct slice notifications)
{
    struct arena arena;
    struct json doc;
    struct error err;
    arena_init(&arena);
    if (json_parse_copy(&arena, notifications.data, notifications.size, &doc, &err) < 0) {
        json_put_null(writer); /* the store lets none in */
    } else {
        struct masking masking = {.writer = writer, .doc = &doc, .arena = &arena, .urls = true};
        buffer_init(&masking.pointer, BUFFER_UNLIMITED);
        write_masked(&masking, 0);
        buffer_done(&masking.pointer);
    }
    arena_done(&arena);
}

bool mask_is_in(struct slice json)
{
    return memmem(json.data, json.size, "\"" MASK_TEXT "\"", sizeof MASK_TEXT + 1);
}

/* --- back --------------------------------------------------------------------------------------------- */

/* Hostile lists end here: what is compared no more is the counterpart of nothing. */
enum { COMPARED_MAX = 1000000 };

struct merging {
    struct json_writer writer;
    const struct json *doc, *before;
    struct arena *arena;
    unsigned compared;
};

static bool is_mask(const struct merging *merging, uint32_t at)
{
    return json_is(merging->doc, at, JSON_STRING) && json_string_is(merging->doc, at, MASK_TEXT);
}

static bool has_mask(const struct merging *merging, uint32_t at)
{
    return mask_is_in(json_raw(merging->doc, at));
}

/* Is it what was there before, as far as it is shown? */
static bool is_unchanged(struct merging *merging, uint32_t at, uint32_t before)
{
    const struct json *doc = merging->doc, *old = merging->before;
    if (before == JSON_NONE || ++merging->compared > COMPARED_MAX)
        return false;
    if (is_mask(merging, at))
        return !json_is(old, before, JSON_NULL);
    if (json_is(doc, at, JSON_OBJECT) && json_is(old, before, JSON_OBJECT)) {
        uint32_t count = 0;
        for (uint32_t key = json_first_key(doc, at); key != JSON_NONE;
             key = json_next_key(doc, at, key), count++) {
            struct slice name = json_string(doc, key, merging->arena);
            if (!is_unchanged(merging, json_value(key), json_get_slice(old, before, name)))
                return false;
        }
        return count == json_count(old, before);
    }
    if (json_is(doc, at, JSON_ARRAY) && json_is(old, before, JSON_ARRAY)) {
        uint32_t was = json_first(old, before);
        if (json_count(doc, at) != json_count(old, before))
            return false;
        for (uint32_t each = json_first(doc, at); each != JSON_NONE;
             each = json_next(doc, at, each), was = json_next(old, before, was)) {
            if (!is_unchanged(merging, each, was))
                return false;
        }
        return true;
    }
    return json_equal(doc, at, old, before);
}

/* The only item of the list `before` that this one, moved or not, still is; JSON_NONE: none, or several. */
static uint32_t find_item(struct merging *merging, uint32_t item, uint32_t before)
{
    uint32_t found = JSON_NONE;
    for (uint32_t each = json_first(merging->before, before); each != JSON_NONE;
         each = json_next(merging->before, before, each)) {
        if (!is_unchanged(merging, item, each))
            continue;
        if (found != JSON_NONE)
            return JSON_NONE;
        found = each;
    }
    return found;
}

static void write_merged(struct merging *merging, uint32_t at, uint32_t before);

/* A secret is given to the item that it was kept with and to no other. In a list that has its length, and in
 * which one item at most is another, each item is where it was; else it is known by what is shown of it. */
static void write_list(struct merging *merging, uint32_t at, uint32_t before)
{
    const struct json *doc = merging->doc, *old = merging->before;
    bool list = json_is(old, before, JSON_ARRAY), in_place = false;
    if (list && json_count(doc, at) == json_count(old, before)) {
        unsigned changed = 0;
        uint32_t was = json_first(old, before);
        for (uint32_t each = json_first(doc, at); each != JSON_NONE && changed < 2;
             each = json_next(doc, at, each), was = json_next(old, before, was)) {
            /* A new text where a secret may have been shows of which item it is as little as its mask does.
             */
            if (!is_unchanged(merging, each, was))
                changed += has_mask(merging, each) && find_item(merging, each, before) == JSON_NONE ? 1 : 2;
        }
        in_place = changed < 2;
    }
    uint32_t was = list ? json_first(old, before) : JSON_NONE;
    json_begin_array(&merging->writer);
    for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each)) {
        uint32_t own = JSON_NONE;
        if (in_place)
            own = was;
        else if (list && has_mask(merging, each))
            own = find_item(merging, each, before);
        write_merged(merging, each, own);
        was = was == JSON_NONE ? JSON_NONE : json_next(old, before, was);
    }
    json_end_array(&merging->writer);
}

static void write_merged(struct merging *merging, uint32_t at, uint32_t before)
{
    const struct json *doc = merging->doc;
    if (before != JSON_NONE && is_mask(merging, at)) {
        json_put_value(&merging->writer, merging->before, before);
    } else if (json_is(doc, at, JSON_OBJECT)) {
        json_begin_object(&merging->writer);
        for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
            json_put_key_of(&merging->writer, doc, key);
            write_merged(merging, json_value(key),
                         json_get_slice(merging->before, before, json_string(doc, key, merging->arena)));
        }
        json_end_object(&merging->writer);
    } else if (json_is(doc, at, JSON_ARRAY)) {
        write_list(merging, at, before);
    } else {
        json_put_value(&merging->writer, doc, at);
    }
}

int mask_merge(struct slice config, struct slice before, struct arena *arena, struct slice *ret_config,
               struct error *err)
{
    struct json doc, old;
    struct buffer text;
    if (json_parse_copy(arena, config.data, config.size, &doc, err) < 0 ||
        json_parse_copy(arena, before.size ? before.data : "{}", before.size ? before.size : 2, &old, err) <
            0)
        return -1;
    struct merging merging = {.doc = &doc, .before = &old, .arena = arena};
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&merging.writer, &text);
    write_merged(&merging, 0, 0);
    *ret_config = (struct slice){arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return 0;
}
