/* Schemas from files. */
#include "cli/schema_files.h"

#include "base/file.h"
#include "schema/uri.h"
#include "yaml/yaml.h"

enum { SCHEMA_FILE_MAX = 16 << 20 }; /* bytes; the registry takes no more */

int schema_files_map(struct schema_files *files, const char *mapping, struct error *err)
{
    const char *equals = strchr(mapping, '=');
    struct slice base = equals ? slice_of(equals + 1) : (struct slice){NULL, 0};
    if (!equals || equals == mapping || !uri_is_absolute(base))
        return error_set(
            err, ERROR_INVALID,
            "--resources is '%.200s', but it must be a folder, = and a URI: schemas=https://example.com/",
            mapping);
    if (files->count == OPTION_LIST_MAX)
        return error_set(err, ERROR_LIMIT, "more than %d --resources", OPTION_LIST_MAX);
    files->resources[files->count].folder = arena_strndup(files->arena, mapping, (size_t)(equals - mapping));
    files->resources[files->count].base = arena_strdup(files->arena, equals + 1);
    files->count++;
    return 0;
}

/* A mapped folder is not left: "..", written plainly or percent-encoded, leads nowhere. */
static bool leaves_folder(const char *path)
{
    for (const char *at = path; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
            return true;
    }
    return false;
}

/* The path that a URI stands for by a mapping, in the arena; NULL if for none. */
static const char *path_in(const char *folder, const char *rest, struct arena *arena)
{
    struct slice decoded = uri_decode(arena, slice_of(rest));
    const char *name = arena_strndup(arena, decoded.data, decoded.size);
    if (leaves_folder(name) || strlen(name) != decoded.size)
        return NULL;
    return arena_printf(arena, "%s/%s", folder, name);
}

/* The path that a URI stands for, in the arena; NULL if for none. The base that names most of it decides; of
 * several folders for that, the first one that has the file. */
static const char *path_of(const struct schema_files *files, const char *uri, struct arena *arena)
{
    const char *first = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < files->count; i++) {
        size_t size = strlen(files->resources[i].base);
        if (size > longest && strncmp(uri, files->resources[i].base, size) == 0)
            longest = size;
    }
    if (longest == 0)
        return uri_to_path(arena, uri);
    for (size_t i = 0; i < files->count; i++) {
        const char *base = files->resources[i].base;
        if (strlen(base) != longest || strncmp(uri, base, longest) != 0)
            continue;
        const char *path = path_in(files->resources[i].folder, uri + longest, arena);
        if (path && file_exists(path))
            return path;
        first = first ? first : path;
    }
    return first;
}

static int read_schema(const char *path, struct arena *arena, struct slice *ret_source, struct error *err)
{
    struct buffer content;
    struct yaml_document document;
    buffer_init(&content, SCHEMA_FILE_MAX);
    int result = file_read(path, SCHEMA_FILE_MAX, &content, err);
    struct slice source = {content.data ? content.data : "", content.size};
    if (result == 0 && yaml_syntax_of(path) == YAML_SYNTAX_YAML) {
        result = yaml_parse(arena, path, YAML_SYNTAX_YAML, source, NULL, NULL, &document, err);
        if (result == 0)
            *ret_source = json_raw(&document.json, 0);
    } else if (result == 0) {
        *ret_source = (struct slice){arena_dup(arena, source.data, source.size), source.size};
    }
    buffer_done(&content);
    return result;
}

int schema_files_fetch(void *context, const char *uri, struct arena *arena, struct slice *ret_source,
                       struct error *err)
{
    const char *path = path_of(context, uri, arena);
    if (!path)
        return error_set(err, ERROR_NOT_FOUND,
                         "there is no schema at %.300s; --resources DIR=BASE_URI says where", uri);
    return read_schema(path, arena, ret_source, err);
}

const char *schema_files_uri(struct schema_files *files, const char *text)
{
    const char *hash = strrchr(text, '#');
    if (file_exists(text) || !hash) {
        if (!file_exists(text) && strstr(text, "://"))
            return text;
        auto_free char *path = file_absolute(text);
        return uri_of_path(files->arena, path);
    }
    if (strstr(text, "://"))
        return text;
    auto_free char *bare = mem_strndup(text, (size_t)(hash - text));
    auto_free char *path = file_absolute(bare);
    return arena_printf(files->arena, "%s%s", uri_of_path(files->arena, path), hash);
}
