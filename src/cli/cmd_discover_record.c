/* firth discover: what is remembered from one discovery to the next, in a file beside the catalog: which
 * streams were shown, and what their schemas were. So a binding that a person took out stays out, and a
 * schema that a person has changed is told from one that the source has changed. */
#include "base/file.h"
#include "base/hash.h"
#include "cli/cmd_discover_files.h"
#include "json/writer.h"

enum { RECORD_SIZE_MAX = 16 << 20 };

const char *discover_hash(struct arena *arena, struct slice text)
{
    return arena_printf(arena, "%016llx", (unsigned long long)hash_xxh3(text.data, text.size, 0));
}

static uint64_t hash_text(struct slice text, uint64_t seed)
{
    return hash_xxh3(text.data, text.size, seed);
}

/* The order of an object's members says nothing. */
static uint64_t hash_value(struct arena *arena, const struct json *doc, uint32_t at)
{
    uint64_t all[2] = {json_count(doc, at), 0};
    if (json_is(doc, at, JSON_STRING))
        return hash_text(json_string(doc, at, arena), JSON_STRING);
    if (json_is(doc, at, JSON_ARRAY)) {
        for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each)) {
            const uint64_t pair[] = {all[1], hash_value(arena, doc, each)};
            all[1] = hash_xxh3(pair, sizeof pair, JSON_ARRAY);
        }
        return hash_xxh3(all, sizeof all, JSON_ARRAY);
    }
    if (!json_is(doc, at, JSON_OBJECT))
        return hash_text(json_raw(doc, at), JSON_OBJECT + 100U);
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        const uint64_t pair[] = {hash_text(json_string(doc, key, arena), JSON_STRING),
                                 hash_value(arena, doc, json_value(key))};
        all[1] += hash_xxh3(pair, sizeof pair, JSON_OBJECT);
    }
    return hash_xxh3(all, sizeof all, JSON_OBJECT);
}

static const char *hash_values(struct arena *arena, const struct json *doc)
{
    return arena_printf(arena, "%016llx", (unsigned long long)hash_value(arena, doc, 0));
}

const char *discover_hash_json(struct arena *arena, struct slice text)
{
    struct json doc;
    struct error unused;
    return json_parse_copy(arena, text.data, text.size, &doc, &unused) < 0 ? discover_hash(arena, text)
                                                                           : hash_values(arena, &doc);
}

const char *discover_hash_file(struct arena *arena, const char *path, struct slice text)
{
    struct yaml_document doc;
    struct error unused;
    return yaml_parse(arena, path, yaml_syntax_of(path), text, NULL, NULL, &doc, &unused) < 0
               ? NULL
               : hash_values(arena, &doc.json);
}

const char *discover_record_path(struct arena *arena, const char *folder, const char *path)
{
    return *path == '/' ? path : arena_printf(arena, "%s%s", folder, path);
}

static const char *identity_on_disk(void *context, const char *absolute, struct arena *arena)
{
    (void)context;
    return arena_strdup(arena, absolute);
}

static int read_from_disk(void *context, const char *identity, size_t max, struct buffer *content,
                          struct error *err)
{
    (void)context;
    return file_read(identity, max, content, err);
}

int discover_read_record_of(struct discovery *discovery, const struct catalog_files *files,
                            struct record *ret_record, struct error *err)
{
    struct arena *arena = &discovery->arena;
    struct buffer text;
    *ret_record = (struct record){
        .path = arena_printf(arena, "%s%s.discovered.json", discovery->folder, discovery->base)};
    auto_free char *absolute = file_absolute(ret_record->path);
    buffer_init(&text, RECORD_SIZE_MAX);
    int result = files->read(files->context, files->identity(files->context, absolute, arena),
                             RECORD_SIZE_MAX, &text, err);
    bool missing = result < 0 && err->code == ERROR_NOT_FOUND;
    if (result == 0)
        result = json_parse_copy(arena, text.data ? text.data : "", text.size, &ret_record->doc, err);
    buffer_done(&text);
    ret_record->there = result == 0;
    return result < 0 && !missing ? error_wrap(err, "%s", ret_record->path) : 0;
}

int discover_read_record(struct discovery *discovery, struct record *ret_record, struct error *err)
{
    static const struct catalog_files disk = {.identity = identity_on_disk, .read = read_from_disk};
    return discover_read_record_of(discovery, &disk, ret_record, err);
}

void discover_keep_records(const struct catalog *catalog, const char *path, const struct catalog_files *files)
{
    const char *slash = strrchr(path, '/');
    struct discovery discovery = {0};
    arena_init(&discovery.arena);
    discovery.folder = slash ? arena_strndup(&discovery.arena, path, (size_t)(slash - path) + 1) : "";
    for (size_t i = 0; i < catalog->capture_count; i++) {
        const struct catalog_capture *capture = &catalog->captures[i];
        const char *last = strrchr(capture->name, '/');
        struct record unused;
        struct error ignored; /* what cannot be read is told where it is needed */
        discovery.base = last ? last + 1 : capture->name;
        if (capture->auto_discover)
            discover_read_record_of(&discovery, files, &unused, &ignored);
    }
    arena_done(&discovery.arena);
}

static const char *const *key_of(struct discovery *discovery, const struct json *doc, uint32_t at,
                                 size_t *ret_count)
{
    const char **key = arena_zalloc(&discovery->arena, (json_count(doc, at) + 1) * sizeof *key);
    *ret_count = 0;
    if (!json_is(doc, at, JSON_ARRAY))
        return NULL;
    for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each)) {
        const char *pointer = json_cstring(doc, each, &discovery->arena);
        key[(*ret_count)++] = pointer ? pointer : "";
    }
    return key;
}

struct recorded discover_recorded(struct discovery *discovery, const struct record *record,
                                  const struct discover_stream *stream)
{
    struct recorded found = {0};
    struct json id;
    struct error unused;
    if (!record->there ||
        json_parse_copy(&discovery->arena, stream->id.data, stream->id.size, &id, &unused) < 0)
        return found;
    const struct json *doc = &record->doc;
    uint32_t streams = json_get(doc, 0, "streams");
    for (uint32_t each = json_first(doc, streams); each != JSON_NONE; each = json_next(doc, streams, each)) {
        uint32_t other = json_get(doc, each, "id");
        if (other == JSON_NONE || !json_equal(doc, other, &id, 0))
            continue;
        found.there = true;
        found.path = json_cstring(doc, json_get(doc, each, "path"), &discovery->arena);
        found.schema = json_cstring(doc, json_get(doc, each, "schema"), &discovery->arena);
        found.file = json_cstring(doc, json_get(doc, each, "file"), &discovery->arena);
        found.key = key_of(discovery, doc, json_get(doc, each, "key"), &found.key_count);
        break;
    }
    return found;
}

static int by_id(const void *a, const void *b)
{
    const struct discover_stream *const *x = a, *const *y = b;
    return slice_compare((*x)->id, (*y)->id);
}

/* In the order of their names, whatever order the connector tells them in: differences are of what changed.
 */
void discover_write_record(struct discovery *discovery, const struct recorded *recorded, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    writer.indent = 2;
    json_begin_object(&writer);
    json_member_string(
        &writer, "about",
        "What firth discover has shown so far. Keep it with the catalog: without it, streams that were "
        "taken out come back.");
    json_put_key(&writer, "streams");
    json_begin_array(&writer);
    const struct discover_stream **sorted =
        arena_alloc(&discovery->arena, (discovery->stream_count + 1) * sizeof *sorted);
    for (size_t i = 0; i < discovery->stream_count; i++)
        sorted[i] = &discovery->streams[i];
    qsort(sorted, discovery->stream_count, sizeof *sorted, by_id);
    for (size_t at = 0; at < discovery->stream_count; at++) {
        size_t i = (size_t)(sorted[at] - discovery->streams);
        if (!recorded[i].there)
            continue;
        json_begin_object(&writer);
        json_member_raw(&writer, "id", sorted[at]->id);
        if (recorded[i].path) {
            json_member_string(&writer, "path", recorded[i].path);
            json_member_string(&writer, "schema", recorded[i].schema);
            json_member_string(&writer, "file", recorded[i].file);
        }
        if (recorded[i].key) {
            json_put_key(&writer, "key");
            json_begin_array(&writer);
            for (size_t j = 0; j < recorded[i].key_count; j++)
                json_put_string(&writer, recorded[i].key[j]);
            json_end_array(&writer);
        }
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
    buffer_byte(out, '\n');
}
