/* firth autodiscover: what `firth discover` remembers (cmd_discover_record.c) stays true of files that this
 * command has changed. */
#include "base/file.h"
#include "cli/cmd_autodiscover.h"
#include "cli/cmd_discover_files.h"

/* The file of a stream's schema, as it will be, if that is the source's: what was known before stays where it
 * is not, as of a binding that is disabled, a schema inside the catalog, or a part of another document. */
static struct recorded record_of(struct autodiscovery *work, struct discovery *discovery, size_t i,
                                 const struct catalog_collection *collection, struct recorded before)
{
    struct recorded recorded = before;
    recorded.there = true;
    struct evolve_schema schema;
    struct slice text;
    struct error unused;
    size_t folder = strlen(discovery->folder);
    if (evolve_find_schema(work->catalog, collection, &work->overlay, &discovery->arena, &schema, &unused) <
            0 ||
        !schema.path || catalog_overlay_read(&work->overlay, schema.path, &text, &unused) < 0)
        return recorded;
    const char *now = discover_hash_json(&discovery->arena, discovery->streams[i].schema);
    const char *said = discover_hash_file(&discovery->arena, schema.path, text);
    if (!said || strcmp(said, now) != 0)
        return recorded;
    auto_free char *absolute = file_absolute(schema.path);
    recorded.path = strncmp(schema.path, discovery->folder, folder) == 0
                        ? schema.path + folder
                        : arena_strdup(&discovery->arena, absolute);
    recorded.schema = now;
    recorded.file = discover_hash(&discovery->arena, text);
    return recorded;
}

int autodiscover_record(struct autodiscovery *work, struct discovery *discovery, struct error *err)
{
    struct record record;
    struct buffer text;
    struct arena *arena = &discovery->arena;
    if (discover_read_record_of(discovery, &work->overlay.files, &record, err) < 0)
        return -1;
    const ptrdiff_t *bindings = discover_bindings(discovery);
    struct recorded *recorded = arena_zalloc(arena, (discovery->stream_count + 1) * sizeof *recorded);
    for (size_t i = 0; i < discovery->stream_count; i++) {
        const struct discover_stream *stream = &discovery->streams[i];
        recorded[i] = discover_recorded(discovery, &record, stream);
        if (bindings[i] < 0)
            continue;
        const struct catalog_collection *target = discovery->capture->bindings[bindings[i]].target;
        recorded[i] = record_of(work, discovery, i, target, recorded[i]);
        if (stream->found_key &&
            discover_same_key((const char *const *)stream->key, stream->key_count, target)) {
            recorded[i].key = (const char *const *)stream->key;
            recorded[i].key_count = stream->key_count;
        }
    }
    buffer_init(&text, BUFFER_UNLIMITED);
    discover_write_record(discovery, recorded, &text);
    catalog_overlay_put(&work->overlay, arena_strdup(&work->arena, record.path),
                        (struct slice){arena_dup(&work->arena, text.data, text.size), text.size});
    buffer_done(&text);
    return 0;
}
