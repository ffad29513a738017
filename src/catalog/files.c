/* Files: each read once, imports followed in order and without circles, and what each defines listed by
 * section. */
#include "catalog/loader.h"

#include "base/file.h"

#include <limits.h>
#include <stdlib.h>

/* --- names of files -------------------------------------------------------------------------------- */

static const char *folder_of(struct arena *arena, const char *absolute)
{
    const char *slash = strrchr(absolute, '/');
    return slash == absolute ? "/" : arena_strndup(arena, absolute, (size_t)(slash - absolute));
}

/* Percent-encode what a URI's path cannot hold. */
static const char *file_uri(struct arena *arena, const char *absolute)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/!$&'()*+,;=:@";
    struct buffer uri;
    buffer_init(&uri, BUFFER_UNLIMITED);
    buffer_str(&uri, "file://");
    for (const char *at = absolute; *at; at++) {
        if (strchr(plain, *at))
            buffer_byte(&uri, *at);
        else
            buffer_printf(&uri, "%%%02X", (unsigned char)*at);
    }
    const char *copy = arena_strdup(arena, buffer_cstr(&uri));
    buffer_done(&uri);
    return copy;
}

/* How a person would name `path` as written in a file shown as `display`. */
static const char *display_beside(struct arena *arena, const char *display, const char *path)
{
    while (string_starts_with(path, "./"))
        path += 2;
    const char *slash = strrchr(display, '/');
    if (*path == '/' || !slash)
        return arena_strdup(arena, path);
    return arena_printf(arena, "%.*s/%s", (int)(slash - display), display, path);
}

/* --- reading --------------------------------------------------------------------------------------- */

struct file_problems {
    struct loader *loader;
    const struct source *source;
};

static void note_problem(void *context, struct yaml_position at, const char *message)
{
    struct file_problems *problems = context;
    loader_problem_at(problems->loader, problems->source, at, "%s", message);
}

/* A file has one name here, whatever links lead to it. */
static const char *identity_of(struct loader *loader, const char *absolute)
{
    const struct catalog_files *files = loader->options ? loader->options->files : NULL;
    if (files)
        return files->identity(files->context, absolute, &loader->scratch);
    char real[PATH_MAX];
    return arena_strdup(&loader->scratch, realpath(absolute, real) ? real : absolute);
}

/* The bytes of a file, or an error for the place that names it. */
static int read_bytes(const struct loader *loader, const char *identity, const char *display,
                      struct buffer *content, struct error *err)
{
    const struct catalog_files *files = loader->options ? loader->options->files : NULL;
    struct error inner;
    if ((files ? files->read(files->context, identity, YAML_SIZE_MAX, content, &inner)
               : file_read(identity, YAML_SIZE_MAX, content, &inner)) == 0)
        return 0;
    if (inner.code == ERROR_LIMIT)
        return error_set(err, ERROR_LIMIT, "the file %s has more than %d MiB, which is the limit", display,
                         YAML_SIZE_MAX >> 20);
    if (inner.code == ERROR_NOT_FOUND)
        return error_set(err, ERROR_NOT_FOUND, "there is no file %s", display);
    const char *reason = strrchr(inner.message, ':');
    return error_set(err, inner.code, "cannot read %s%s", display, reason ? reason : ": it is a folder");
}

static struct source *add_source(struct loader *loader, const char *identity, const char *absolute,
                                 const char *display, bool secret)
{
    struct source *source = arena_zalloc(loader->arena, sizeof *source);
    source->absolute = arena_strdup(loader->arena, absolute);
    source->display = arena_strdup(loader->arena, display);
    source->folder = folder_of(loader->arena, source->absolute);
    source->uri = file_uri(loader->arena, source->absolute);
    source->order = (uint32_t)loader->source_count;
    source->secret = secret;
    loader->sources = mem_grow(loader->sources, &loader->source_capacity, loader->source_count + 1,
                               sizeof(struct source *));
    loader->sources[loader->source_count++] = source;
    map_set(&loader->by_path, slice_of(identity), source);
    return source;
}

struct source *loader_find(struct loader *loader, const char *path)
{
    auto_free char *absolute = file_absolute(path);
    return map_get(&loader->by_path, slice_of(identity_of(loader, absolute)));
}

struct source *loader_open_absolute(struct loader *loader, const char *absolute, const char *display,
                                    bool secret, struct error *err)
{
    const char *identity = identity_of(loader, absolute);
    struct source *source = map_get(&loader->by_path, slice_of(identity));
    if (source) {
        source->secret |= secret;
        return source;
    }
    if (loader->source_count == CATALOG_FILES_MAX) {
        error_set(err, ERROR_LIMIT, "the catalog reads more than %d files, which is the limit",
                  CATALOG_FILES_MAX);
        return NULL;
    }
    struct buffer content;
    buffer_init(&content, YAML_SIZE_MAX + (1 << 20));
    if (read_bytes(loader, identity, display, &content, err) == 0) {
        source = add_source(loader, identity, absolute, display, secret);
        struct file_problems problems = {loader, source};
        struct error told; /* by note_problem */
        source->readable = yaml_parse(loader->arena, source->display, yaml_syntax_of(source->absolute),
                                      (struct slice){content.data, content.size}, note_problem, &problems,
                                      &source->doc, &told) == 0;
    }
    buffer_done(&content);
    return source;
}

/* The path for people: where a variable is in it, as written, since what that holds may be a secret. */
static const char *written_path(struct loader *loader, struct value from, const char *path)
{
    const char *written = json_cstring(&from.source->doc.json, from.at, &loader->scratch);
    if (!written || !strstr(written, "${"))
        return path;
    return arena_strndup(&loader->scratch, written, strcspn(written, "#"));
}

struct source *loader_open(struct loader *loader, struct value from, const char *path, bool secret)
{
    if (string_starts_with(path, "file://"))
        path += strlen("file://");
    if (strstr(path, "://")) {
        loader_problem(loader, from, "'%s' is not a file: a catalog reads local files only",
                       value_written(loader, from));
        return NULL;
    }
    if (!*path) {
        loader_problem(loader, from, "the path of a file is empty");
        return NULL;
    }
    auto_free char *joined = *path == '/' ? mem_strdup(path) : mem_printf("%s/%s", from.source->folder, path);
    auto_free char *absolute = file_absolute(joined);
    const char *display =
        display_beside(loader->arena, from.source->display, written_path(loader, from, path));
    struct error err;
    struct source *source = loader_open_absolute(loader, absolute, display, secret, &err);
    if (!source)
        loader_problem(loader, from, "%s", err.message);
    return source && source->readable ? source : NULL;
}

/* --- sections -------------------------------------------------------------------------------------- */

static const char *const section_what[SECTION_COUNT] = {
    [SECTION_COLLECTIONS] = "a collection",           [SECTION_CAPTURES] = "a capture",
    [SECTION_MATERIALIZATIONS] = "a materialization", [SECTION_TESTS] = "a test",
    [SECTION_CONNECTIONS] = "a connection",
};

struct entry *loader_entry(struct loader *loader, enum section section, const char *name)
{
    return map_get(&loader->sections[section].by_name, slice_of(name));
}

/* A task's checkpoint is kept under its name, so that name belongs to one task, whatever its kind. */
static const struct entry *taken_by(struct loader *loader, enum section section, const char *name)
{
    static const enum section tasks[] = {SECTION_CAPTURES, SECTION_MATERIALIZATIONS, SECTION_CONNECTIONS};
    const struct entry *entry = loader_entry(loader, section, name);
    if (entry || section == SECTION_COLLECTIONS || section == SECTION_TESTS)
        return entry;
    for (size_t i = 0; !entry && i < RULES_COUNT(tasks); i++)
        entry = loader_entry(loader, tasks[i], name);
    return entry;
}

/* A thing whose name is wrong or taken is checked all the same; it is only not found by that name. */
static void add_entry(struct loader *loader, enum section section, struct value key)
{
    const char *written = arena_strdup(loader->arena, value_written(loader, key));
    const char *name = value_string(loader, key);
    bool found_by_name = name && names_check(loader, key, section_what[section], name);
    const struct entry *earlier = found_by_name ? taken_by(loader, section, name) : NULL;
    if (earlier)
        loader_problem(loader, key, "the name '%s' is taken: %s has it at %s:%u:%u", written,
                       section_what[earlier->section], earlier->place->file, earlier->place->line,
                       earlier->place->column);
    struct catalog_place place = loader_place(key);
    struct entry *entry = arena_zalloc(loader->arena, sizeof *entry);
    *entry = (struct entry){
        .section = section,
        .name = name ? name : written,
        .written = written,
        .key = key,
        .value = value_of_key(key),
        .place = arena_dup(loader->arena, &place, sizeof place),
    };
    struct entries *entries = &loader->sections[section];
    entries->items = mem_grow(entries->items, &entries->capacity, entries->count + 1, sizeof(void *));
    entries->items[entries->count++] = entry;
    if (found_by_name && !earlier)
        map_set(&entries->by_name, slice_of(name), entry);
}

static void list_section(struct loader *loader, enum section section, struct value mapping)
{
    for (struct value key = value_first(mapping); value_there(key); key = value_next(mapping, key))
        add_entry(loader, section, key);
}

/* --- imports --------------------------------------------------------------------------------------- */

static void read_document(struct loader *loader, struct source *source);

/* "a.yaml imports b.yaml imports a.yaml" */
static const char *circle(struct loader *loader, const struct source *back)
{
    size_t from = 0;
    while (loader->importing[from] != back)
        from++;
    const char *chain = back->display;
    for (size_t i = from + 1; i < loader->import_depth; i++)
        chain = arena_printf(&loader->scratch, "%s imports %s", chain, loader->importing[i]->display);
    return arena_printf(&loader->scratch, "%s imports %s", chain, back->display);
}

static void import_catalog(struct loader *loader, struct value from, struct source *source)
{
    if (source->state == SOURCE_IMPORTED)
        return;
    if (source->state == SOURCE_IMPORTING) {
        loader_problem(loader, from, "this import closes a circle: %s; remove one of them",
                       circle(loader, source));
        return;
    }
    if (loader->import_depth == CATALOG_IMPORT_DEPTH_MAX) {
        loader_problem(loader, from, "imports more than %d levels deep", CATALOG_IMPORT_DEPTH_MAX);
        return;
    }
    read_document(loader, source);
}

static void import_one(struct loader *loader, struct value item)
{
    enum { URL, CONTENT_TYPE, COUNT };
    static const struct key_rule rules[COUNT] = {
        [URL] = {"url", TYPE_STRING, true},
        [CONTENT_TYPE] = {"contentType", TYPE_STRING, false},
    };
    static const char *const types[] = {"CATALOG", "JSON_SCHEMA"};
    struct value values[COUNT] = {item, {item.source, JSON_NONE}};
    if (!value_is(loader, item, TYPE_STRING | TYPE_MAPPING, "an import"))
        return;
    if (value_has_tag(item, JSON_OBJECT) && !value_members(loader, item, "an import", rules, COUNT, values))
        return;
    int type = value_there(values[CONTENT_TYPE])
                   ? value_word(loader, values[CONTENT_TYPE], "'contentType'", types, RULES_COUNT(types))
                   : 0;
    const char *path = value_there(values[URL]) ? value_string(loader, values[URL]) : NULL;
    struct source *source = path && type >= 0 ? loader_open(loader, values[URL], path, false) : NULL;
    struct error err;
    loader->incomplete |= !source && type == 0;
    if (source && type == 0)
        import_catalog(loader, values[URL], source);
    else if (source && !schemas_add_file(loader, source, &err))
        loader_problem(loader, values[URL], "%s", err.message);
}

/* --- one catalog file ------------------------------------------------------------------------------ */

enum {
    ROOT_SCHEMA,
    ROOT_IMPORT,
    ROOT_COLLECTIONS,
    ROOT_CAPTURES,
    ROOT_MATERIALIZATIONS,
    ROOT_TESTS,
    ROOT_CONNECTIONS,
    ROOT_COUNT
};
static const struct key_rule root_rules[ROOT_COUNT] = {
    [ROOT_SCHEMA] = {"$schema", TYPE_STRING, false},
    [ROOT_IMPORT] = {"import", TYPE_LIST | TYPE_NULL, false},
    [ROOT_COLLECTIONS] = {"collections", TYPE_MAPPING | TYPE_NULL, false},
    [ROOT_CAPTURES] = {"captures", TYPE_MAPPING | TYPE_NULL, false},
    [ROOT_MATERIALIZATIONS] = {"materializations", TYPE_MAPPING | TYPE_NULL, false},
    [ROOT_TESTS] = {"tests", TYPE_MAPPING | TYPE_NULL, false},
    [ROOT_CONNECTIONS] = {"connections", TYPE_MAPPING | TYPE_NULL, false},
};

static void read_document(struct loader *loader, struct source *source)
{
    source->state = SOURCE_IMPORTING;
    loader->importing[loader->import_depth++] = source;
    struct value root = {source, 0};
    struct value values[ROOT_COUNT];
    if (value_has_tag(root, JSON_NULL)) {
        loader_problem(loader, root,
                       "the file is empty; a catalog has captures:, collections:, connections: or import:");
    } else if (value_members(loader, root, "a catalog", root_rules, ROOT_COUNT, values)) {
        struct value imports = values[ROOT_IMPORT];
        for (struct value item = value_first(imports); value_there(item); item = value_next(imports, item))
            import_one(loader, item);
        list_section(loader, SECTION_COLLECTIONS, values[ROOT_COLLECTIONS]);
        list_section(loader, SECTION_CAPTURES, values[ROOT_CAPTURES]);
        list_section(loader, SECTION_MATERIALIZATIONS, values[ROOT_MATERIALIZATIONS]);
        list_section(loader, SECTION_TESTS, values[ROOT_TESTS]);
        list_section(loader, SECTION_CONNECTIONS, values[ROOT_CONNECTIONS]);
    } else {
        loader->incomplete = true; /* it is no mapping */
    }
    loader->import_depth--;
    source->state = SOURCE_IMPORTED;
}

void loader_read_catalog(struct loader *loader, const char *path)
{
    auto_free char *absolute = file_absolute(path);
    struct error err;
    struct source *source = loader_open_absolute(loader, absolute, path, false, &err);
    if (!source)
        loader_problem_at(loader, NULL, (struct yaml_position){0, 0}, "%s", err.message);
    else if (source->readable)
        read_document(loader, source);
}
