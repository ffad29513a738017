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
    struct recorded recorded = {.there = true, before.path, before.schema, before.file};
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
    const char *slash = strrchr(work->path, '/'), *last = strrchr(discovery->name, '/');
    if (work->options) /* the daemon's copy: nobody discovers into it by hand */
        return 0;
    discovery->folder = slash ? arena_strndup(arena, work->path, (size_t)(slash - work->path) + 1) : "";
    discovery->base = last ? last + 1 : discovery->name;
    if (discover_read_record(discovery, &record, err) < 0)
        return -1;
    const ptrdiff_t *bindings = discover_bindings(discovery);
    struct recorded *recorded = arena_zalloc(arena, (discovery->stream_count + 1) * sizeof *recorded);
    for (size_t i = 0; i < discovery->stream_count; i++) {
        recorded[i] = discover_recorded(discovery, &record, &discovery->streams[i]);
        if (bindings[i] >= 0)
            recorded[i] =
                record_of(work, discovery, i, discovery->capture->bindings[bindings[i]].target, recorded[i]);
    }
    buffer_init(&text, BUFFER_UNLIMITED);
    discover_write_record(discovery, recorded, &text);
    catalog_overlay_put(&work->overlay, arena_strdup(&work->arena, record.path),
                        (struct slice){arena_dup(&work->arena, text.data, text.size), text.size});
    buffer_done(&text);
    return 0;
}
