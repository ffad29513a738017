#include "task/inferred.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/hash.h"
#include "schema/schema.h"
#include "schema/shape/shape.h"
#include "json/writer.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

enum {
    INFERRED_FILE_MAX = 64 << 20,
    INFERRED_NAME_PART =
        100, /* bytes of a name that are shown in a file's name, before the hash of the whole */
};

struct task_inferred {
    struct task *task;
    const struct task_binding *binding;
    struct shape *shape;
    struct shape *written; /* of the write schema, once a sourced schema has come */
    bool dirty;
};

/* --- files ----------------------------------------------------------------------------------------- */

/* Readable, of bounded length, and its own for each name. */
static void append_name(struct buffer *path, const char *name)
{
    size_t begin = path->size;
    buffer_byte(path, '/');
    for (const char *at = name; *at && path->size - begin < INFERRED_NAME_PART; at++) {
        bool plain = (*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') ||
                     *at == '-' || *at == '_' || (*at == '.' && path->size - begin > 1);
        if (plain)
            buffer_byte(path, *at);
        else
            buffer_printf(path, "%%%02X", (unsigned)(unsigned char)*at);
    }
    buffer_printf(path, "-%016llx", (unsigned long long)hash_xxh3(name, strlen(name), 0));
}

static char *folder_of(const char *data_dir, const char *collection)
{
    struct buffer path;
    buffer_init(&path, BUFFER_UNLIMITED);
    buffer_printf(&path, "%s/inferred", data_dir);
    append_name(&path, collection);
    return buffer_steal(&path);
}

static char *file_of(const struct task_inferred *inferred)
{
    struct buffer path;
    auto_free char *folder = folder_of(inferred->task->spec->data_dir, inferred->binding->spec->collection);
    buffer_init(&path, BUFFER_UNLIMITED);
    buffer_str(&path, folder);
    append_name(&path, inferred->task->spec->name);
    buffer_str(&path, ".json");
    return buffer_steal(&path);
}

/* {"version":1,"collection":…,"task":…,"schema":…}; NULL with ERROR_NOT_FOUND if there is none, and what
 * stands for anything if it is not that. */
static struct shape *read_shape(const char *path, struct error *err)
{
    struct buffer text;
    struct arena arena;
    struct json doc;
    struct shape *shape = NULL;
    buffer_init(&text, INFERRED_FILE_MAX);
    arena_init(&arena);
    if (file_read(path, INFERRED_FILE_MAX, &text, err) < 0) {
        shape = err->code == ERROR_NOT_FOUND ? NULL : shape_new_any();
    } else {
        mem_auto(schema_registry_free) struct schema_registry *registry =
            schema_registry_new(SCHEMA_DRAFT_2020_12);
        uint32_t schema = JSON_NONE;
        if (json_parse_copy(&arena, text.data ? text.data : "", text.size, &doc, err) == 0)
            schema = json_get(&doc, 0, "schema");
        if (schema != JSON_NONE &&
            schema_registry_add(registry, "inferred:schema", json_raw(&doc, schema), err) == 0)
            shape = shape_of_schema(registry, "inferred:schema", err);
        if (!shape)
            shape = shape_new_any();
    }
    arena_done(&arena);
    buffer_done(&text);
    return shape;
}

static int make_folders(const char *folder, struct error *err)
{
    auto_free char *above = mem_strndup(folder, (size_t)(strrchr(folder, '/') - folder));
    const char *const paths[] = {above, folder};
    for (size_t i = 0; i < 2; i++) {
        if (mkdir(paths[i], 0700) < 0 && errno != EEXIST)
            return error_errno(err, errno, "cannot make %s", paths[i]);
    }
    auto_free char *data_dir = mem_strndup(above, (size_t)(strrchr(above, '/') - above));
    return file_sync_folder(above, err) < 0 ? -1 : file_sync_folder(data_dir, err);
}

static int save(struct task_inferred *inferred, struct error *err)
{
    struct buffer text;
    struct json_writer writer;
    auto_free char *path = file_of(inferred);
    auto_free char *folder = folder_of(inferred->task->spec->data_dir, inferred->binding->spec->collection);
    if (make_folders(folder, err) < 0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_u64(&writer, "version", 1);
    json_member_string(&writer, "collection", inferred->binding->spec->collection);
    json_member_string(&writer, "task", inferred->task->spec->name);
    json_put_key(&writer, "schema");
    shape_write(inferred->shape, true, &writer);
    json_end_object(&writer);
    int result = file_replace(path, text.data, text.size, 0600, err);
    buffer_done(&text);
    if (result == 0)
        inferred->dirty = false;
    return result;
}

/* --- the capture's side ---------------------------------------------------------------------------- */

int task_inferred_open(struct task *task, struct task_binding *binding, struct error *err)
{
    if (!binding->spec->inferred)
        return 0;
    struct task_inferred *inferred = mem_zalloc(sizeof *inferred);
    inferred->task = task;
    inferred->binding = binding;
    auto_free char *path = file_of(inferred);
    inferred->shape = read_shape(path, err);
    if (!inferred->shape)
        inferred->shape = shape_new_nothing();
    binding->inferred = inferred;
    return 0;
}

void task_inferred_free(struct task_inferred *inferred)
{
    if (!inferred)
        return;
    shape_free(inferred->shape);
    shape_free(inferred->written);
    free(inferred);
}

void task_inferred_document(struct task_inferred *inferred, const struct json *doc, uint32_t at)
{
    inferred->dirty |= shape_widen(inferred->shape, (struct shape_limits){0}, doc, at);
}

int task_inferred_sourced(struct task_inferred *inferred, struct slice schema, struct error *err)
{
    static const char uri[] = "inferred:sourced";
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    if (schema_registry_add(registry, uri, schema, err) < 0)
        return -1;
    mem_auto(schema_free) struct schema *compiled = schema_compile(registry, uri, err);
    mem_auto(shape_free) struct shape *sourced = compiled ? shape_of_schema(registry, uri, err) : NULL;
    if (!sourced)
        return -1;
    if (!inferred)
        return 0;
    if (!inferred->written)
        inferred->written =
            shape_of_schema(inferred->task->schemas, inferred->binding->spec->schema_uri, err);
    if (!inferred->written)
        return -1;
    shape_intersect(sourced, inferred->written);
    shape_union(inferred->shape, sourced);
    shape_limit(inferred->shape, (struct shape_limits){0});
    inferred->dirty = true;
    return 0;
}

int task_inferred_save(struct task *task, struct error *err)
{
    for (size_t i = 0; i < task->binding_count; i++) {
        struct task_inferred *inferred = task->bindings[i].inferred;
        if (!inferred || !inferred->dirty)
            continue;
        if (fault_planted("infer-late")) /* a bug, for the checker */
            continue;
        if (save(inferred, err) < 0)
            return error_wrap(err, "the inferred schema of %s", task->bindings[i].spec->collection);
        fault_point("task.inferred");
    }
    return 0;
}

/* --- the reader's side ----------------------------------------------------------------------------- */

bool task_inferred_schema(const char *data_dir, const char *collection, struct buffer *out)
{
    struct shape *all = NULL;
    struct dirent *entry;
    struct json_writer writer;
    struct error ignored;
    auto_free char *folder = folder_of(data_dir, collection);
    DIR *list = opendir(folder);
    while (list && (entry = readdir(list))) {
        size_t size = strlen(entry->d_name);
        if (size < 5 || strcmp(entry->d_name + size - 5, ".json") != 0)
            continue;
        auto_free char *path = mem_printf("%s/%s", folder, entry->d_name);
        mem_auto(shape_free) struct shape *one = read_shape(path, &ignored);
        if (one && all) {
            shape_union(all, one);
        } else if (one) {
            all = one;
            one = NULL;
        }
    }
    if (list)
        closedir(list);
    if (!all)
        return false;
    json_writer_init(&writer, out);
    shape_write(all, true, &writer);
    shape_free(all);
    return true;
}

void task_inferred_for_catalog(void *context, const char *collection, struct buffer *out)
{
    static const char nothing_yet[] =
        "{\"properties\":{\"_meta\":{\"properties\":{\"inferredSchemaIsNotAvailable\":{\"const\":true}},"
        "\"required\":[\"inferredSchemaIsNotAvailable\"]}},\"required\":[\"_meta\"]}";
    if (!task_inferred_schema(context, collection, out))
        buffer_str(out, nothing_yet);
}
