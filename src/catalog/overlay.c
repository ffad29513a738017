#include "catalog/overlay.h"

#include "base/file.h"
#include "yaml/yaml.h"

#include <stdlib.h>

static const char *identity_of(void *context, const char *absolute, struct arena *arena)
{
    const struct catalog_overlay *overlay = context;
    if (overlay->below)
        return overlay->below->identity(overlay->below->context, absolute, arena);
    auto_free char *real = realpath(absolute, NULL);
    return arena_strdup(arena, real ? real : absolute);
}

static int read_file(void *context, const char *identity, size_t max, struct buffer *content,
                     struct error *err)
{
    const struct catalog_overlay *overlay = context;
    const struct catalog_overlay_file *file = map_get(&overlay->changed, slice_of(identity));
    if (!file)
        return overlay->below ? overlay->below->read(overlay->below->context, identity, max, content, err)
                              : file_read(identity, max, content, err);
    if (file->content.size > max)
        return error_set(err, ERROR_LIMIT, "%s has more than %zu bytes", identity, max);
    buffer_append(content, file->content.data, file->content.size);
    return 0;
}

void catalog_overlay_init(struct catalog_overlay *overlay, const struct catalog_files *below,
                          struct arena *arena)
{
    *overlay = (struct catalog_overlay){.below = below, .arena = arena};
    map_init(&overlay->changed);
    overlay->files = (struct catalog_files){identity_of, read_file, overlay};
}

void catalog_overlay_done(struct catalog_overlay *overlay)
{
    map_done(&overlay->changed);
}

static const char *identity(struct catalog_overlay *overlay, const char *path)
{
    auto_free char *absolute = file_absolute(path);
    return identity_of(overlay, absolute, overlay->arena);
}

int catalog_overlay_read(struct catalog_overlay *overlay, const char *path, struct slice *ret_content,
                         struct error *err)
{
    struct buffer content;
    buffer_init(&content, YAML_SIZE_MAX);
    int result = read_file(overlay, identity(overlay, path), YAML_SIZE_MAX, &content, err);
    if (result == 0)
        *ret_content =
            (struct slice){arena_strndup(overlay->arena, buffer_cstr(&content), content.size), content.size};
    buffer_done(&content);
    return result;
}

bool catalog_overlay_has(struct catalog_overlay *overlay, const char *path)
{
    struct slice ignored;
    struct error err;
    return catalog_overlay_read(overlay, path, &ignored, &err) == 0 || err.code != ERROR_NOT_FOUND;
}

void catalog_overlay_put(struct catalog_overlay *overlay, const char *path, struct slice content)
{
    const struct catalog_overlay_file file = {arena_strdup(overlay->arena, path), content};
    map_set(&overlay->changed, slice_of(identity(overlay, path)),
            arena_dup(overlay->arena, &file, sizeof file));
}

static int by_path(const void *a, const void *b)
{
    const struct catalog_overlay_file *left = a, *right = b;
    return strcmp(left->path, right->path);
}

const struct catalog_overlay_file *catalog_overlay_changes(const struct catalog_overlay *overlay,
                                                           size_t *ret_count)
{
    const struct map_entry *entry;
    struct catalog_overlay_file *files =
        arena_alloc(overlay->arena, (overlay->changed.count + 1) * sizeof *files);
    *ret_count = 0;
    for (size_t at = 0; (entry = map_next(&overlay->changed, &at));)
        files[(*ret_count)++] = *(const struct catalog_overlay_file *)entry->value;
    qsort(files, *ret_count, sizeof *files, by_path);
    return files;
}
