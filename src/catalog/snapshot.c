#include "catalog/snapshot.h"

#include "base/file.h"
#include "base/map.h"
#include "json/json.h"
#include "json/writer.h"

#include <limits.h>
#include <stdlib.h>

enum { SNAPSHOT_VERSION = 1 };

struct catalog_snapshot {
    struct arena arena;
    struct map files;     /* identity to struct slice: the content */
    struct map names;     /* absolute path to const char *: the identity */
    struct map variables; /* name to const char * */
    const char *path;     /* the catalog's, of one that was read */
    struct catalog_files reader;
    struct catalog_options options;
};

struct catalog_snapshot *catalog_snapshot_new(void)
{
    struct catalog_snapshot *snapshot = mem_zalloc(sizeof *snapshot);
    arena_init(&snapshot->arena);
    map_init(&snapshot->files);
    map_init(&snapshot->names);
    map_init(&snapshot->variables);
    return snapshot;
}

void catalog_snapshot_free(struct catalog_snapshot *snapshot)
{
    if (!snapshot)
        return;
    map_done(&snapshot->files);
    map_done(&snapshot->names);
    map_done(&snapshot->variables);
    arena_done(&snapshot->arena);
    free(snapshot);
}

static void keep_file(struct catalog_snapshot *snapshot, const char *identity, struct slice content)
{
    struct slice copy = {arena_strndup(&snapshot->arena, content.data ? content.data : "", content.size),
                         content.size};
    map_set(&snapshot->files, slice_of(identity), arena_dup(&snapshot->arena, &copy, sizeof copy));
}

/* --- recording ----------------------------------------------------------------------------------- */

static const char *record_identity(void *context, const char *absolute, struct arena *arena)
{
    struct catalog_snapshot *snapshot = context;
    char real[PATH_MAX];
    const char *identity = realpath(absolute, real) ? real : absolute;
    if (!map_get(&snapshot->names, slice_of(absolute)))
        map_set(&snapshot->names, slice_of(absolute), arena_strdup(&snapshot->arena, identity));
    return arena_strdup(arena, identity);
}

static int record_read(void *context, const char *identity, size_t max, struct buffer *content,
                       struct error *err)
{
    size_t before = content->size;
    if (file_read(identity, max, content, err) < 0)
        return -1;
    keep_file(context, identity, (struct slice){content->data + before, content->size - before});
    return 0;
}

static const char *record_variable(void *context, const char *name)
{
    struct catalog_snapshot *snapshot = context;
    const char *value = getenv(name);
    if (value && !map_get(&snapshot->variables, slice_of(name)))
        map_set(&snapshot->variables, slice_of(name), arena_strdup(&snapshot->arena, value));
    return value;
}

const struct catalog_options *catalog_snapshot_recording(struct catalog_snapshot *snapshot)
{
    snapshot->reader = (struct catalog_files){record_identity, record_read, snapshot};
    snapshot->options =
        (struct catalog_options){.lookup = record_variable, .context = snapshot, .files = &snapshot->reader};
    return &snapshot->options;
}

/* --- its text ------------------------------------------------------------------------------------ */

/* {"version":1,"catalog":path,"files":{identity:content},"names":{path:identity},"variables":{name:value}} */
int catalog_snapshot_write(const struct catalog_snapshot *snapshot, const char *path, struct buffer *out,
                           struct error *err)
{
    struct json_writer writer;
    const struct map_entry *entry;
    auto_free char *absolute = file_absolute(path);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_u64(&writer, "version", SNAPSHOT_VERSION);
    json_member_string(&writer, "catalog", absolute);
    json_put_key(&writer, "files");
    json_begin_object(&writer);
    for (size_t at = 0; (entry = map_next(&snapshot->files, &at));) {
        json_put_key_slice(&writer, entry->key);
        json_put_slice(&writer, *(const struct slice *)entry->value);
    }
    json_end_object(&writer);
    json_put_key(&writer, "names");
    json_begin_object(&writer);
    for (size_t at = 0; (entry = map_next(&snapshot->names, &at));) {
        json_put_key_slice(&writer, entry->key);
        json_put_string(&writer, entry->value);
    }
    json_end_object(&writer);
    json_put_key(&writer, "variables");
    json_begin_object(&writer);
    for (size_t at = 0; (entry = map_next(&snapshot->variables, &at));) {
        json_put_key_slice(&writer, entry->key);
        json_put_string(&writer, entry->value);
    }
    json_end_object(&writer);
    json_end_object(&writer);
    if (out->overflowed || out->size > CATALOG_SNAPSHOT_MAX)
        return error_set(err, ERROR_LIMIT, "the files of %s together have more than the limit of %d MiB",
                         path, CATALOG_SNAPSHOT_MAX >> 20);
    return 0;
}

/* --- loading it again ---------------------------------------------------------------------------- */

static const char *kept_identity(void *context, const char *absolute, struct arena *arena)
{
    const struct catalog_snapshot *snapshot = context;
    const char *identity = map_get(&snapshot->names, slice_of(absolute));
    return arena_strdup(arena, identity ? identity : absolute);
}

static int kept_read(void *context, const char *identity, size_t max, struct buffer *content,
                     struct error *err)
{
    const struct catalog_snapshot *snapshot = context;
    const struct slice *kept = map_get(&snapshot->files, slice_of(identity));
    if (!kept)
        return error_set(err, ERROR_NOT_FOUND, "%s is not in the snapshot of the catalog", identity);
    if (kept->size > max)
        return error_set(err, ERROR_LIMIT, "%s has more than %zu bytes", identity, max);
    buffer_append(content, kept->data, kept->size);
    return 0;
}

static const char *kept_variable(void *context, const char *name)
{
    const struct catalog_snapshot *snapshot = context;
    return map_get(&snapshot->variables, slice_of(name));
}

static void take_files(struct catalog_snapshot *snapshot, const struct json *doc)
{
    uint32_t files = json_get(doc, 0, "files");
    for (uint32_t key = json_first_key(doc, files); key != JSON_NONE; key = json_next_key(doc, files, key))
        keep_file(snapshot, json_cstring(doc, key, &snapshot->arena),
                  json_string(doc, json_value(key), &snapshot->arena));
}

static void take_strings(struct catalog_snapshot *snapshot, const struct json *doc, const char *member,
                         struct map *into)
{
    uint32_t object = json_get(doc, 0, member);
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE; key = json_next_key(doc, object, key))
        map_set(into, json_string(doc, key, &snapshot->arena),
                json_cstring(doc, json_value(key), &snapshot->arena));
}

static bool all_strings(const struct json *doc, const char *member)
{
    uint32_t object = json_get(doc, 0, member);
    bool fine = json_is(doc, object, JSON_OBJECT);
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE && fine;
         key = json_next_key(doc, object, key))
        fine = json_is(doc, json_value(key), JSON_STRING);
    return fine;
}

struct catalog_snapshot *catalog_snapshot_read(struct slice text, struct error *err)
{
    mem_auto(catalog_snapshot_free) struct catalog_snapshot *snapshot = catalog_snapshot_new();
    struct json doc;
    uint64_t version;
    if (json_parse_copy(&snapshot->arena, text.data, text.size, &doc, err) < 0) {
        error_wrap(err, "the snapshot of a catalog");
        return NULL;
    }
    if (!json_to_u64(&doc, json_get(&doc, 0, "version"), &version) ||
        !json_is(&doc, json_get(&doc, 0, "catalog"), JSON_STRING) || !all_strings(&doc, "files") ||
        !all_strings(&doc, "names") || !all_strings(&doc, "variables")) {
        error_set(err, ERROR_CORRUPT, "what should be the snapshot of a catalog is none");
        return NULL;
    }
    if (version != SNAPSHOT_VERSION) {
        error_set(err, ERROR_UNSUPPORTED,
                  "the snapshot of a catalog has version %llu, this program knows %d: use a newer firth",
                  (unsigned long long)version, SNAPSHOT_VERSION);
        return NULL;
    }
    take_files(snapshot, &doc);
    take_strings(snapshot, &doc, "names", &snapshot->names);
    take_strings(snapshot, &doc, "variables", &snapshot->variables);
    snapshot->path = json_cstring(&doc, json_get(&doc, 0, "catalog"), &snapshot->arena);
    struct catalog_snapshot *read = snapshot;
    snapshot = NULL;
    return read;
}

const struct catalog_options *catalog_snapshot_options(struct catalog_snapshot *snapshot)
{
    snapshot->reader = (struct catalog_files){kept_identity, kept_read, snapshot};
    snapshot->options =
        (struct catalog_options){.lookup = kept_variable, .context = snapshot, .files = &snapshot->reader};
    return &snapshot->options;
}

const char *catalog_snapshot_path(const struct catalog_snapshot *snapshot)
{
    return snapshot->path;
}

void catalog_snapshot_put(struct catalog_snapshot *snapshot, const char *path, struct slice content)
{
    const char *identity = kept_identity(snapshot, path, &snapshot->arena);
    keep_file(snapshot, identity, content);
    map_set(&snapshot->names, slice_of(path), arena_strdup(&snapshot->arena, identity));
}

struct catalog *catalog_snapshot_load(struct slice text, struct catalog_errors *errors, struct error *err)
{
    mem_auto(catalog_snapshot_free) struct catalog_snapshot *snapshot = catalog_snapshot_read(text, err);
    if (!snapshot)
        return NULL;
    return catalog_load(snapshot->path, catalog_snapshot_options(snapshot), errors, err);
}
