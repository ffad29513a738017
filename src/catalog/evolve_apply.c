/* Putting what was decided into the files. */
#include "base/fault.h"
#include "catalog/edit.h"
#include "catalog/evolve.h"
#include "schema/shape/shape.h"
#include "json/writer.h"

#include <stdlib.h>

enum { STEM_MAX = 200 };

/* A catalog file at work. */
struct work_file {
    const char *path;
    struct edit edit;
    struct buffer added; /* collections that it gets: members of an object, as JSON */
    struct json_writer writer;
};

struct work {
    const struct catalog *catalog;
    const struct catalog_capture *capture;
    const struct evolve_plan *plan;
    struct catalog_overlay *overlay;
    struct arena *arena;
    struct work_file **files;
    size_t count, capacity;
};

/* --- files ----------------------------------------------------------------------------------------- */

static struct work_file *file_of(struct work *work, const char *path, struct error *err)
{
    struct slice text;
    for (size_t i = 0; i < work->count; i++) {
        if (strcmp(work->files[i]->path, path) == 0)
            return work->files[i];
    }
    struct work_file *file = arena_zalloc(work->arena, sizeof *file);
    file->path = path;
    if (catalog_overlay_read(work->overlay, path, &text, err) < 0 ||
        edit_open(&file->edit, work->arena, path, text, err) < 0)
        return NULL;
    buffer_init(&file->added, BUFFER_UNLIMITED);
    json_writer_init(&file->writer, &file->added);
    json_begin_object(&file->writer);
    work->files = mem_grow(work->files, &work->capacity, work->count + 1, sizeof *work->files);
    work->files[work->count++] = file;
    return file;
}

static void work_done(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        buffer_done(&work->files[i]->added);
        free(work->files[i]->edit.insertions);
    }
    free(work->files);
}

/* The definition of that name in a section of the file. */
static uint32_t definition(const struct work_file *file, const char *section, const char *name)
{
    const struct json *doc = &file->edit.doc.json;
    return json_get(doc, json_get(doc, 0, section), name);
}

static int not_there(const struct work_file *file, const char *name, struct error *err)
{
    return error_set(err, ERROR_UNSUPPORTED, "%s: %s was not found there as it is called", file->path, name);
}

/* --- values ---------------------------------------------------------------------------------------- */

static const struct json *parsed(struct work *work, struct buffer *text)
{
    struct json *doc = arena_alloc(work->arena, sizeof *doc);
    struct error err;
    int result = json_parse_copy(work->arena, text->data, text->size, doc, &err);
    assert(result == 0); /* we wrote it */
    (void)result;
    buffer_done(text);
    return doc;
}

static const struct json *text_value(struct work *work, const char *text)
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    json_escape(&out, slice_of(text));
    return parsed(work, &out);
}

static const struct json *number_value(struct work *work, uint64_t number)
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    buffer_printf(&out, "%llu", (unsigned long long)number);
    return parsed(work, &out);
}

static const struct json *true_value(struct work *work)
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    buffer_str(&out, "true");
    return parsed(work, &out);
}

/* Members that an object is to have: those that are there are replaced, the others added together. */
struct member {
    const char *name;
    const struct json *value; /* NULL: as it is */
};

static int set_members(struct work *work, struct edit *edit, uint32_t object, const struct member *members,
                       size_t count, struct error *err)
{
    struct buffer missing;
    struct json_writer writer;
    bool any = false;
    buffer_init(&missing, BUFFER_UNLIMITED);
    json_writer_init(&writer, &missing);
    json_begin_object(&writer);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        uint32_t at = json_get(&edit->doc.json, object, members[i].name);
        if (members[i].value && at != JSON_NONE) {
            result = edit_set(edit, at, members[i].value, err);
        } else if (members[i].value) {
            json_put_key(&writer, members[i].name);
            json_put_value(&writer, members[i].value, 0);
            any = true;
        }
    }
    json_end_object(&writer);
    const struct json *added = parsed(work, &missing);
    return result == 0 && any ? edit_add(edit, object, added, err) : result;
}

/* --- schemas --------------------------------------------------------------------------------------- */

static struct slice schema_text(struct work *work, const struct evolve_stream *stream, const char *path,
                                const char *collection, struct slice head)
{
    struct json doc;
    struct error err;
    struct buffer text;
    int result = json_parse_copy(work->arena, stream->schema.data, stream->schema.size, &doc, &err);
    assert(result == 0); /* the plan has parsed it */
    (void)result;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (yaml_syntax_of(path) == YAML_SYNTAX_JSON) {
        edit_emit_json(&text, &doc, 0, 0);
        buffer_byte(&text, '\n');
    } else {
        if (head.size)
            buffer_append(&text, head.data, head.size);
        else
            edit_emit_comment(
                &text,
                slice_of(arena_printf(work->arena, "The documents of %s, as their source describes them.",
                                      collection)),
                0);
        edit_emit_yaml(&text, &doc, 0, 0);
    }
    struct slice copy = {arena_strndup(work->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

/* The lines of comment that a file begins with. */
static struct slice head_of(struct slice text)
{
    size_t size = 0;
    while (size < text.size && text.data[size] == '#') {
        const char *end = memchr(text.data + size, '\n', text.size - size);
        size = end ? (size_t)(end - text.data) + 1 : text.size;
    }
    return (struct slice){text.data, size};
}

/* A file of its own for a schema, beside the catalog's. Its name as the catalog has it. */
static const char *new_schema_file(struct work *work, const char *catalog_path, const char *collection,
                                   const struct evolve_stream *stream)
{
    const char *slash = strrchr(catalog_path, '/'), *own = strrchr(work->capture->name, '/');
    size_t prefix = own ? (size_t)(own - work->capture->name) + 1 : 0;
    const char *from =
        strncmp(collection, work->capture->name, prefix) == 0 ? collection + prefix : collection;
    const char *kind = yaml_syntax_of(catalog_path) == YAML_SYNTAX_JSON ? "json" : "yaml";
    char *stem = arena_strndup(work->arena, from, utf8_cut(from, strlen(from), STEM_MAX));
    for (char *at = stem; *at; at++) {
        if (*at == '/')
            *at = '.';
    }
    const char *name = arena_printf(work->arena, "%s.schema.%s", stem, kind), *path;
    for (size_t number = 2;; number++) {
        path = slash ? arena_printf(work->arena, "%.*s/%s", (int)(slash - catalog_path), catalog_path, name)
                     : name;
        if (!catalog_overlay_has(work->overlay, path))
            break;
        name = arena_printf(work->arena, "%s_%zu.schema.%s", stem, number, kind);
    }
    catalog_overlay_put(work->overlay, path, schema_text(work, stream, path, collection, (struct slice){0}));
    return name;
}

static int replace_schema(struct work *work, const struct evolve_change *change, struct error *err)
{
    const struct catalog_collection *collection = change->old;
    struct evolve_schema schema;
    struct slice text;
    if (evolve_find_schema(work->catalog, collection, work->overlay, work->arena, &schema, err) < 0)
        return -1;
    if (schema.path && !schema.shared) {
        if (catalog_overlay_read(work->overlay, schema.path, &text, err) < 0)
            return -1;
        catalog_overlay_put(work->overlay, schema.path,
                            schema_text(work, change->stream, schema.path, collection->name, head_of(text)));
        return 0;
    }
    struct work_file *file = file_of(work, collection->place.file, err);
    if (!file)
        return -1;
    uint32_t at =
        json_get(&file->edit.doc.json, definition(file, "collections", collection->name), schema.member);
    if (at == JSON_NONE)
        return not_there(file, collection->name, err);
    struct json *doc = arena_alloc(work->arena, sizeof *doc);
    if (schema.path)
        return edit_set(&file->edit, at,
                        text_value(work, new_schema_file(work, file->path, collection->name, change->stream)),
                        err);
    if (json_parse_copy(work->arena, change->stream->schema.data, change->stream->schema.size, doc, err) < 0)
        return -1;
    return edit_set(&file->edit, at, doc, err);
}

/* --- collections ----------------------------------------------------------------------------------- */

static void put_key(struct json_writer *writer, const struct evolve_stream *stream)
{
    json_put_key(writer, "key");
    json_begin_array(writer);
    for (size_t i = 0; i < stream->key_count; i++)
        json_put_string(writer, stream->key[i]);
    json_end_array(writer);
}

static int add_collection(struct work *work, const struct evolve_change *change, struct error *err)
{
    struct work_file *file = file_of(work, work->catalog->file, err);
    if (!file)
        return -1;
    json_put_key(&file->writer, change->collection);
    json_begin_object(&file->writer);
    if (change->stream->note)
        json_member_string(&file->writer, EDIT_COMMENT, change->stream->note);
    put_key(&file->writer, change->stream);
    json_member_string(&file->writer, "schema",
                       new_schema_file(work, file->path, change->collection, change->stream));
    json_end_object(&file->writer);
    return 0;
}

/* A partition of which the new documents have no field stays behind. */
static int put_projections(struct work *work, const struct evolve_change *change, const struct json *doc,
                           uint32_t at, struct json_writer *writer, struct error *err)
{
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    if (schema_registry_add(registry, "evolve:stream", change->stream->schema, err) < 0)
        return -1;
    mem_auto(shape_free) struct shape *shape = shape_of_schema(registry, "evolve:stream", err);
    if (!shape)
        return -1;
    json_begin_object(writer);
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        uint32_t value = json_value(key), location = json_get(doc, value, "location");
        const char *pointer = json_cstring(doc, location == JSON_NONE ? value : location, work->arena);
        struct shape_location found = shape_locate(shape, pointer ? pointer : "", work->arena);
        if (json_is(doc, json_get(doc, value, "partition"), JSON_TRUE) &&
            (found.exists == SHAPE_CANNOT || found.exists == SHAPE_IMPLICIT))
            continue;
        json_put_key_of(writer, doc, key);
        json_put_value(writer, doc, value);
    }
    json_end_object(writer);
    return 0;
}

/* What the old collection says, with the new key and schema. */
static int recreate_collection(struct work *work, const struct evolve_change *change, struct error *err)
{
    static const char *const own[] = {"key",    "schema", "writeSchema", "expectPubId",
                                      "delete", "reset",  "derive"};
    struct work_file *file = file_of(work, change->old->place.file, err);
    if (!file)
        return -1;
    const struct json *doc = &file->edit.doc.json;
    uint32_t old = definition(file, "collections", change->old->name);
    if (!json_is(doc, old, JSON_OBJECT))
        return not_there(file, change->old->name, err);
    struct json_writer *writer = &file->writer;
    json_put_key(writer, change->collection);
    json_begin_object(writer);
    json_member_string(writer, EDIT_COMMENT,
                       arena_printf(work->arena, "In the place of %s: %s.", change->old->name, change->why));
    put_key(writer, change->stream);
    json_member_string(writer, json_get(doc, old, "schema") == JSON_NONE ? "writeSchema" : "schema",
                       new_schema_file(work, file->path, change->collection, change->stream));
    for (uint32_t key = json_first_key(doc, old); key != JSON_NONE; key = json_next_key(doc, old, key)) {
        bool replaced = false;
        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
            replaced |= json_string_is(doc, key, own[i]);
        if (replaced)
            continue;
        json_put_key_of(writer, doc, key);
        if (!json_string_is(doc, key, "projections") || !json_is(doc, json_value(key), JSON_OBJECT))
            json_put_value(writer, doc, json_value(key));
        else if (put_projections(work, change, doc, json_value(key), writer, err) < 0)
            return -1;
    }
    json_end_object(writer);
    return 0;
}

/* --- bindings -------------------------------------------------------------------------------------- */

static int edit_bindings(struct work *work, struct error *err)
{
    struct work_file *file = file_of(work, work->capture->place.file, err);
    if (!file)
        return -1;
    const struct json *doc = &file->edit.doc.json;
    uint32_t capture = definition(file, "captures", work->capture->name);
    uint32_t bindings = json_get(doc, capture, "bindings");
    struct buffer added;
    struct json_writer writer;
    size_t count = 0;
    if (bindings == JSON_NONE)
        return not_there(file, work->capture->name, err);
    buffer_init(&added, BUFFER_UNLIMITED);
    json_writer_init(&writer, &added);
    json_begin_array(&writer);
    int result = 0;
    for (size_t i = 0; i < work->plan->count && result == 0; i++) {
        const struct evolve_change *change = &work->plan->changes[i];
        if (change->kind == EVOLVE_ADD) {
            json_begin_object(&writer);
            json_member_raw(&writer, "resource", change->stream->resource);
            json_member_string(&writer, "target", change->collection);
            json_end_object(&writer);
            count++;
            continue;
        }
        if (change->kind == EVOLVE_SCHEMA)
            continue;
        const struct catalog_binding *binding = &work->capture->bindings[change->binding];
        bool disable = change->kind == EVOLVE_DISABLE;
        const struct member members[] = {
            {"target", disable ? NULL : text_value(work, change->collection)},
            {"backfill", disable || fault_planted("evolve-without-backfill")
                             ? NULL
                             : number_value(work, (uint64_t)binding->backfill + 1)},
            {"disable", disable ? true_value(work) : NULL},
        };
        uint32_t at = json_at(doc, bindings, (uint32_t)change->binding);
        result = at == JSON_NONE ? not_there(file, binding->name, err)
                                 : set_members(work, &file->edit, at, members, 3, err);
    }
    json_end_array(&writer);
    const struct json *values = parsed(work, &added);
    return result == 0 && count ? edit_add(&file->edit, bindings, values, err) : result;
}

static int follow(struct work *work, struct work_file *file, uint32_t at,
                  const struct catalog_materialization_binding *binding, const struct evolve_change *change,
                  struct error *err)
{
    const struct json *doc = &file->edit.doc.json;
    uint32_t source = json_get(doc, at, "source");
    bool disable = binding->on_incompatible == CATALOG_INCOMPATIBLE_DISABLE_BINDING;
    uint32_t name = json_is(doc, source, JSON_OBJECT) ? json_get(doc, source, "name") : source;
    const struct member members[] = {
        {"backfill", disable ? NULL : number_value(work, (uint64_t)binding->backfill + 1)},
        {"disable", disable ? true_value(work) : NULL},
    };
    if (name == JSON_NONE)
        return not_there(file, change->old->name, err);
    if (edit_set(&file->edit, name, text_value(work, change->collection), err) < 0)
        return -1;
    return set_members(work, &file->edit, at, members, 2, err);
}

static int disable_task(struct work *work, struct work_file *file, uint32_t task, struct error *err)
{
    uint32_t shards = json_get(&file->edit.doc.json, task, "shards");
    struct buffer text;
    if (json_is(&file->edit.doc.json, shards, JSON_OBJECT))
        return set_members(work, &file->edit, shards, &(struct member){"disable", true_value(work)}, 1, err);
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_str(&text, "{\"disable\":true}");
    return set_members(work, &file->edit, task, &(struct member){"shards", parsed(work, &text)}, 1, err);
}

static const struct evolve_change *recreated(const struct evolve_plan *plan,
                                             const struct catalog_collection *collection)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->changes[i].kind == EVOLVE_RECREATE && plan->changes[i].old == collection)
            return &plan->changes[i];
    }
    return NULL;
}

static int edit_materialization(struct work *work, const struct catalog_materialization *task,
                                struct error *err)
{
    bool disable = false;
    for (size_t i = 0; i < task->binding_count; i++) {
        const struct catalog_materialization_binding *binding = &task->bindings[i];
        const struct evolve_change *change = recreated(work->plan, binding->source.collection);
        if (!change)
            continue;
        struct work_file *file = file_of(work, task->place.file, err);
        if (!file)
            return -1;
        const struct json *doc = &file->edit.doc.json;
        uint32_t own = definition(file, "materializations", task->name);
        uint32_t at = json_at(doc, json_get(doc, own, "bindings"), (uint32_t)i);
        if (!json_is(doc, own, JSON_OBJECT))
            return not_there(file, task->name, err);
        /* One that is not written there is of `source`, and will be of the new collection by itself. */
        if (at != JSON_NONE && follow(work, file, at, binding, change, err) < 0)
            return -1;
        bool wanted = binding->on_incompatible == CATALOG_INCOMPATIBLE_DISABLE_TASK && !binding->disable &&
                      !task->disable && !disable;
        disable |= wanted;
        if (wanted && disable_task(work, file, own, err) < 0)
            return -1;
    }
    return 0;
}

/* --- the whole ------------------------------------------------------------------------------------- */

static int add_collections(struct work *work, struct work_file *file, struct error *err)
{
    uint32_t section = json_get(&file->edit.doc.json, 0, "collections");
    json_end_object(&file->writer);
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (section == JSON_NONE)
        buffer_str(&text, "{\"collections\":");
    buffer_append(&text, file->added.data, file->added.size);
    if (section == JSON_NONE)
        buffer_byte(&text, '}');
    const struct json *values = parsed(work, &text);
    uint32_t inner = section == JSON_NONE ? json_get(values, 0, "collections") : 0;
    if (json_count(values, inner) == 0)
        return 0;
    return edit_add(&file->edit, section == JSON_NONE ? 0 : section, values, err);
}

static int finish(struct work *work, struct error *err)
{
    for (size_t i = 0; i < work->count; i++) {
        struct work_file *file = work->files[i];
        struct buffer text;
        if (add_collections(work, file, err) < 0)
            return -1;
        if (!file->edit.count)
            continue;
        buffer_init(&text, BUFFER_UNLIMITED);
        int result = edit_finish(&file->edit, &text, err);
        struct slice copy = {arena_strndup(work->arena, text.data ? text.data : "", text.size), text.size};
        buffer_done(&text);
        if (result < 0)
            return -1;
        catalog_overlay_put(work->overlay, file->path, copy);
    }
    return 0;
}

static int apply_all(struct work *work, struct error *err)
{
    for (size_t i = 0; i < work->plan->count; i++) {
        const struct evolve_change *change = &work->plan->changes[i];
        int result = 0;
        if (change->kind == EVOLVE_SCHEMA)
            result = replace_schema(work, change, err);
        else if (change->kind == EVOLVE_ADD && !change->declared)
            result = add_collection(work, change, err);
        else if (change->kind == EVOLVE_RECREATE && !change->declared)
            result = recreate_collection(work, change, err);
        if (result < 0)
            return -1;
    }
    if (edit_bindings(work, err) < 0)
        return -1;
    for (size_t i = 0; i < work->catalog->materialization_count; i++) {
        if (edit_materialization(work, &work->catalog->materializations[i], err) < 0)
            return -1;
    }
    return finish(work, err);
}

int evolve_apply(const struct catalog *catalog, const struct catalog_capture *capture,
                 const struct evolve_plan *plan, struct catalog_overlay *overlay, struct arena *arena,
                 struct error *err)
{
    struct work work = {
        .catalog = catalog, .capture = capture, .plan = plan, .overlay = overlay, .arena = arena};
    int result = plan->count ? apply_all(&work, err) : 0;
    work_done(&work);
    return result < 0 ? error_wrap(err, "%s", capture->name) : 0;
}
