/* firth discover: what is written: the catalog, its schemas, the configuration, all together or not at all.
 */
#include "base/file.h"
#include "cli/cmd_discover_files.h"
#include "cli/output.h"
#include "supervisor/plan.h"
#include "json/writer.h"

#include <signal.h>
#include <unistd.h>

struct writing {
    struct discovery *discovery;
    struct record record;
    struct recorded *recorded; /* by stream: what is to be remembered */
    struct edit_file *files;
    size_t file_count;
    const char **targets; /* by stream: its collection */
    const char **paths;   /* by stream: its schema's file, from the catalog's folder; NULL: none is written */
    bool *declared;       /* by stream: the collection is there already */
    size_t added, changed;
};

static struct slice keep(struct discovery *discovery, struct buffer *text)
{
    struct slice slice = {arena_dup(&discovery->arena, text->data ? text->data : "", text->size), text->size};
    if (text->data)
        explicit_bzero(text->data, text->capacity);
    buffer_done(text);
    return slice;
}

static bool is_json(const struct discovery *discovery)
{
    return yaml_syntax_of(discovery->file) == YAML_SYNTAX_JSON;
}

static void add_file(struct writing *writing, const char *path, struct slice content, mode_t mode)
{
    writing->files[writing->file_count++] =
        (struct edit_file){.path = path, .content = content, .mode = mode};
}

/* --- what is there already ------------------------------------------------------------------------- */

void discover_place(struct discovery *discovery)
{
    const char *slash = strrchr(discovery->name, '/');
    discovery->base = slash ? slash + 1 : discovery->name;
    discovery->config_name = arena_printf(&discovery->arena, "%s.config.yaml", discovery->base);
    discovery->config_path =
        arena_printf(&discovery->arena, "%s%s", discovery->folder, discovery->config_name);
    if (discovery->capture && discovery->capture->endpoint.config_path)
        discovery->config_path = discovery->capture->endpoint.config_path;
    else if (discovery->capture)
        discovery->config_is_inline = true;
}

/* What a binding's resource names. */
struct named {
    const char *name, *namespace; /* Airbyte's; NULL: it names no stream */
    struct slice path;            /* Flow's: as discover_stream.id */
};

static struct named *name_bindings(struct discovery *discovery)
{
    const struct catalog_capture *capture = discovery->capture;
    size_t count = capture ? capture->binding_count : 0;
    struct named *named = arena_zalloc(&discovery->arena, (count + 1) * sizeof *named);
    for (size_t i = 0; i < count; i++) {
        struct catalog_stream wanted;
        struct error unused;
        if (discovery->program.protocol == CONNECTOR_FLOW)
            named[i].path = discover_resource_id(discovery, capture->bindings[i].resource);
        else if (plan_resource(capture->bindings[i].resource, &discovery->arena, &wanted, &unused) == 0)
            named[i] = (struct named){.name = wanted.name, .namespace = wanted.namespace};
    }
    return named;
}

/* A binding that says no namespace is of the stream in any. */
static bool is_of(const struct named *named, const struct discover_stream *stream)
{
    if (stream->resource.data)
        return slice_equal(named->path, stream->id);
    return named->name && strcmp(named->name, stream->name) == 0 &&
           (!named->namespace || (stream->namespace && strcmp(named->namespace, stream->namespace) == 0));
}

ptrdiff_t *discover_bindings(struct discovery *discovery)
{
    const struct catalog_capture *capture = discovery->capture;
    const struct named *named = name_bindings(discovery);
    ptrdiff_t *bindings = arena_alloc(&discovery->arena, (discovery->stream_count + 1) * sizeof *bindings);
    for (size_t i = 0; i < discovery->stream_count; i++) {
        bindings[i] = -1;
        for (size_t j = 0; capture && j < capture->binding_count && bindings[i] < 0; j++) {
            if (is_of(&named[j], &discovery->streams[i]))
                bindings[i] = (ptrdiff_t)j;
        }
    }
    return bindings;
}

int discover_match(struct discovery *discovery, struct error *err)
{
    struct record record;
    const struct catalog_capture *capture = discovery->capture;
    if (discover_read_record(discovery, &record, err) < 0)
        return -1;
    const ptrdiff_t *bindings = discover_bindings(discovery);
    for (size_t i = 0; i < discovery->stream_count; i++) {
        struct discover_stream *stream = &discovery->streams[i];
        stream->known = discover_recorded(discovery, &record, stream).there;
        stream->found_key = true;
        if (capture && bindings[i] >= 0) {
            discover_take_key(discovery, stream, capture->bindings[bindings[i]].target);
        }
        if (capture && stream->known && !stream->bound && !discovery->options->all)
            stream->chosen = false;
    }
    return 0;
}

/* --- collections ----------------------------------------------------------------------------------- */

static bool is_target(const struct catalog *catalog, const struct catalog_collection *collection)
{
    for (size_t i = 0; i < catalog->capture_count; i++) {
        for (size_t j = 0; j < catalog->captures[i].binding_count; j++) {
            if (catalog->captures[i].bindings[j].target == collection)
                return true;
        }
    }
    return false;
}

/* A collection that nothing is captured into is taken again; one that has its source is left to it. */
static void find_target(struct writing *writing, size_t i)
{
    struct discovery *discovery = writing->discovery;
    const struct discover_stream *stream = &discovery->streams[i];
    const char *name = arena_printf(&discovery->arena, "%s%s", discovery->prefix, stream->collection);
    for (size_t number = 2;; number++) {
        const struct catalog_collection *there =
            discovery->catalog ? catalog_collection(discovery->catalog, name) : NULL;
        writing->targets[i] = name;
        writing->declared[i] = there != NULL;
        if (!there || !is_target(discovery->catalog, there))
            return;
        name = arena_printf(&discovery->arena, "%s%s_%zu", discovery->prefix, stream->collection, number);
    }
}

static struct slice schema_text(struct discovery *discovery, const struct discover_stream *stream,
                                const char *target)
{
    struct buffer text;
    struct json doc;
    struct error unused;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (json_parse_copy(&discovery->arena, stream->schema.data, stream->schema.size, &doc, &unused) < 0)
        return SLICE_LITERAL("{}\n");
    if (is_json(discovery)) {
        edit_emit_json(&text, &doc, 0, 0);
        buffer_byte(&text, '\n');
    } else {
        const char *about =
            arena_printf(&discovery->arena, "The documents of %s, as their source describes them.", target);
        edit_emit_comment(&text, slice_of(about), 0);
        edit_emit_yaml(&text, &doc, 0, 0);
    }
    return keep(discovery, &text);
}

static struct recorded record_of(struct discovery *discovery, const struct discover_stream *stream,
                                 const char *path, struct slice text)
{
    return (struct recorded){.there = true,
                             .path = path,
                             .schema = discover_hash_json(&discovery->arena, stream->schema),
                             discover_hash(&discovery->arena, text)};
}

/* A file of that name which is not ours is not touched. */
static const char *free_path(struct writing *writing, const char *target)
{
    struct discovery *discovery = writing->discovery;
    const char *from =
        target + (string_starts_with(target, discovery->prefix) ? strlen(discovery->prefix) : 0);
    char *stem = arena_strdup(&discovery->arena, from);
    for (char *at = stem; *at; at++) {
        if (*at == '/')
            *at = '.';
    }
    stem[utf8_cut(stem, strlen(stem), 200)] = 0;
    for (size_t number = 1;; number++) {
        const char *name = number == 1 ? arena_printf(&discovery->arena, "%s.schema.%s", stem,
                                                      is_json(discovery) ? "json" : "yaml")
                                       : arena_printf(&discovery->arena, "%s_%zu.schema.%s", stem, number,
                                                      is_json(discovery) ? "json" : "yaml");
        const char *path = arena_printf(&discovery->arena, "%s%s", discovery->folder, name);
        bool taken = file_exists(path);
        for (size_t i = 0; i < writing->file_count; i++)
            taken |= strcmp(writing->files[i].path, path) == 0;
        if (!taken)
            return name;
    }
}

static void plan_new(struct writing *writing, size_t i)
{
    struct discovery *discovery = writing->discovery;
    const struct discover_stream *stream = &discovery->streams[i];
    find_target(writing, i);
    writing->added++;
    if (writing->declared[i])
        return;
    const char *path = free_path(writing, writing->targets[i]);
    struct slice text = schema_text(discovery, stream, writing->targets[i]);
    writing->paths[i] = path;
    writing->recorded[i] = record_of(discovery, stream, path, text);
    add_file(writing, arena_printf(&discovery->arena, "%s%s", discovery->folder, path), text, 0644);
}

/* A schema that the source has changed since: replaced, unless a person has changed it too. */
static int plan_bound(struct writing *writing, size_t i, struct error *err)
{
    enum { SCHEMA_FILE_MAX = 64 << 20 };
    struct discovery *discovery = writing->discovery;
    const struct discover_stream *stream = &discovery->streams[i];
    struct recorded last = discover_recorded(discovery, &writing->record, stream);
    struct buffer old;
    writing->recorded[i] = last;
    if (!last.path || !last.schema || !last.file)
        return 0;
    const char *now = discover_hash_json(&discovery->arena, stream->schema);
    const char *path = discover_record_path(&discovery->arena, discovery->folder, last.path);
    buffer_init(&old, SCHEMA_FILE_MAX);
    if (!file_exists(path) || file_read(path, SCHEMA_FILE_MAX, &old, err) < 0) {
        buffer_done(&old);
        return 0; /* its schema is elsewhere by now */
    }
    struct slice before = keep(discovery, &old), after = schema_text(discovery, stream, last.path);
    const char *said = discover_hash_file(&discovery->arena, path, before);
    if (said && strcmp(said, now) == 0) { /* it is what the source says, whoever wrote it */
        writing->recorded[i] = record_of(discovery, stream, last.path, before);
        return 0;
    }
    if (strcmp(last.schema, now) == 0)
        return 0;
    size_t line = 0;
    while (line < before.size && before.data[line] == '#') { /* its own first line stays */
        const char *end = memchr(before.data + line, '\n', before.size - line);
        line = end ? (size_t)(end - before.data) + 1 : before.size;
    }
    bool edited = strcmp(last.file, discover_hash(&discovery->arena, before)) != 0;
    int replace = !edited;
    if (!edited && line) {
        const char *own = memchr(after.data, '\n', after.size);
        size_t skip = own ? (size_t)(own - after.data) + 1 : 0;
        struct buffer text;
        buffer_init(&text, BUFFER_UNLIMITED);
        buffer_append(&text, before.data, line);
        buffer_append(&text, after.data + skip, after.size - skip);
        after = keep(discovery, &text);
    }
    if (discovery->asks) {
        discover_show_difference(discovery, last.path, before, after);
        replace = prompt_yes(&discovery->prompt,
                             edited ? "  It was changed by hand, which would be lost. Replace it?"
                                    : "  Replace it?",
                             !edited, err);
        if (replace < 0)
            return -1;
    } else if (edited) {
        log_warn(&discovery->cli->log,
                 "the source has changed the schema of %s, but %s was changed by hand: it stays as it is",
                 stream->label, path);
    }
    if (!replace)
        return 0;
    writing->changed++;
    writing->recorded[i] = record_of(discovery, stream, last.path, after);
    add_file(writing, path, after, 0644);
    return 0;
}

/* --- what goes into the catalog -------------------------------------------------------------------- */

static void put_binding(struct writing *writing, size_t i, struct json_writer *writer)
{
    struct discovery *discovery = writing->discovery;
    const struct discover_stream *stream = &discovery->streams[i];
    json_begin_object(writer);
    json_put_key(writer, "resource");
    if (stream->resource.data) {
        json_put_raw(writer, stream->resource);
    } else {
        json_begin_object(writer);
        json_member_string(writer, "stream", stream->name);
        if (stream->namespace)
            json_member_string(writer, "namespace", stream->namespace);
        json_member_string(writer, "syncMode",
                           stream->incremental && !stream->read_full ? "incremental" : "full_refresh");
        json_end_object(writer);
    }
    json_member_string(writer, "target", writing->targets[i]);
    json_end_object(writer);
}

static bool is_new(const struct discover_stream *stream)
{
    return stream->chosen && !stream->bound && stream->key_count;
}

static void put_bindings(struct writing *writing, struct json_writer *writer)
{
    json_begin_array(writer);
    for (size_t i = 0; i < writing->discovery->stream_count; i++) {
        if (is_new(&writing->discovery->streams[i]))
            put_binding(writing, i, writer);
    }
    json_end_array(writer);
}

static void put_capture(struct writing *writing, struct json_writer *writer)
{
    struct discovery *discovery = writing->discovery;
    json_begin_object(writer);
    json_put_key(writer, "endpoint");
    json_begin_object(writer);
    json_put_key(writer, discovery->image ? "connector" : "local");
    json_begin_object(writer);
    if (discovery->image) {
        json_member_string(writer, "image", discovery->image);
    } else {
        json_put_key(writer, "command");
        json_begin_array(writer);
        for (size_t i = 0; discovery->command[i]; i++)
            json_put_string(writer, discovery->command[i]);
        json_end_array(writer);
        json_member_string(writer, "protocol",
                           discovery->program.protocol == CONNECTOR_FLOW ? "flow" : "airbyte");
    }
    json_member_string(writer, "config", discovery->config_name);
    json_end_object(writer);
    json_end_object(writer);
    json_put_key(writer, "bindings");
    put_bindings(writing, writer);
    json_end_object(writer);
}

static void put_collections(struct writing *writing, struct json_writer *writer)
{
    json_begin_object(writer);
    for (size_t i = 0; i < writing->discovery->stream_count; i++) {
        const struct discover_stream *stream = &writing->discovery->streams[i];
        if (!is_new(stream) || writing->declared[i])
            continue;
        json_put_key(writer, writing->targets[i]);
        json_begin_object(writer);
        if (stream->note)
            json_member_string(writer, EDIT_COMMENT, stream->note);
        json_put_key(writer, "key");
        json_begin_array(writer);
        for (size_t j = 0; j < stream->key_count; j++)
            json_put_string(writer, stream->key[j]);
        json_end_array(writer);
        json_member_string(writer, "schema", writing->paths[i]);
        json_end_object(writer);
    }
    json_end_object(writer);
}

typedef void put_part(struct writing *writing, struct json_writer *writer);

static struct json *part(struct writing *writing, put_part *put, const char *inside)
{
    struct json *doc = arena_alloc(&writing->discovery->arena, sizeof *doc);
    struct json_writer writer;
    struct buffer text;
    struct error err;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    if (inside) {
        json_begin_object(&writer);
        json_put_key(&writer, inside);
    }
    put(writing, &writer);
    if (inside)
        json_end_object(&writer);
    struct slice kept = keep(writing->discovery, &text);
    int result = json_parse_copy(&writing->discovery->arena, kept.data, kept.size, doc, &err);
    assert(result == 0);
    (void)result;
    return doc;
}

static void put_named_capture(struct writing *writing, struct json_writer *writer)
{
    json_begin_object(writer);
    json_put_key(writer, writing->discovery->name);
    put_capture(writing, writer);
    json_end_object(writer);
}

/* --- the edits ------------------------------------------------------------------------------------- */

enum { CATALOG_FILE_MAX = YAML_SIZE_MAX };

static int open_text(struct discovery *discovery, const char *path, struct edit *edit, struct error *err)
{
    struct buffer text;
    buffer_init(&text, CATALOG_FILE_MAX);
    if (!file_exists(path)) {
        buffer_str(&text, is_json(discovery)
                              ? "{}\n"
                              : "# Written by firth discover. Change what you like: run again, it only adds "
                                "what is new.\n");
    } else if (file_read(path, CATALOG_FILE_MAX, &text, err) < 0) {
        buffer_done(&text);
        return -1;
    }
    return edit_open(edit, &discovery->arena, path, keep(discovery, &text), err);
}

static int close_text(struct writing *writing, struct edit *edit, const char *path, struct error *err)
{
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    int result = edit->count ? edit_finish(edit, &text, err) : 0;
    bool changed = edit->count > 0;
    struct slice kept = keep(writing->discovery, &text);
    if (result == 0 && changed)
        add_file(writing, path, kept, 0644);
    return result;
}

/* Members for the root's mapping of that name, which may be missing. */
static int add_section(struct writing *writing, struct edit *edit, const char *section, put_part *put,
                       bool *later, struct error *err)
{
    uint32_t at = json_get(&edit->doc.json, 0, section);
    *later = at == JSON_NONE;
    return *later ? 0 : edit_add(edit, at, part(writing, put, NULL), err);
}

static void put_missing(struct writing *writing, struct json_writer *writer, bool capture, bool collections)
{
    json_begin_object(writer);
    if (capture) {
        json_put_key(writer, "captures");
        put_named_capture(writing, writer);
    }
    if (collections) {
        json_put_key(writer, "collections");
        put_collections(writing, writer);
    }
    json_end_object(writer);
}

static void put_missing_capture(struct writing *writing, struct json_writer *writer)
{
    put_missing(writing, writer, true, false);
}
static void put_missing_collections(struct writing *writing, struct json_writer *writer)
{
    put_missing(writing, writer, false, true);
}
static void put_missing_both(struct writing *writing, struct json_writer *writer)
{
    put_missing(writing, writer, true, true);
}

static int add_bindings(struct writing *writing, struct edit *edit, struct error *err)
{
    struct discovery *discovery = writing->discovery;
    const struct json *doc = &edit->doc.json;
    uint32_t capture = json_get(doc, json_get(doc, 0, "captures"), discovery->name);
    if (!json_is(doc, capture, JSON_OBJECT))
        return error_set(err, ERROR_UNSUPPORTED, "%s: the capture %s was not found there as it is called",
                         edit->doc.file, discovery->name);
    uint32_t bindings = json_get(doc, capture, "bindings");
    if (bindings == JSON_NONE)
        return edit_add(edit, capture, part(writing, put_bindings, "bindings"), err);
    return edit_add(edit, bindings, part(writing, put_bindings, NULL), err);
}

static int edit_catalog(struct writing *writing, struct error *err)
{
    struct discovery *discovery = writing->discovery;
    struct edit root, other;
    bool needs_capture = !discovery->capture, later = false, capture_later = false;
    const char *elsewhere = discovery->capture && strcmp(discovery->capture->place.file, discovery->file) != 0
                                ? discovery->capture->place.file
                                : NULL;
    bool collections = json_count(part(writing, put_collections, NULL), 0) > 0;
    if (open_text(discovery, discovery->file, &root, err) < 0)
        return -1;
    if (needs_capture) {
        if (add_section(writing, &root, "captures", put_named_capture, &capture_later, err) < 0)
            return -1;
    } else if (writing->added && elsewhere) {
        if (open_text(discovery, elsewhere, &other, err) < 0 || add_bindings(writing, &other, err) < 0 ||
            close_text(writing, &other, elsewhere, err) < 0)
            return -1;
    } else if (writing->added && add_bindings(writing, &root, err) < 0) {
        return -1;
    }
    if (collections && add_section(writing, &root, "collections", put_collections, &later, err) < 0)
        return -1;
    put_part *missing = capture_later && later ? put_missing_both
                        : capture_later        ? put_missing_capture
                        : later                ? put_missing_collections
                                               : NULL;
    if (missing && edit_add(&root, 0, part(writing, missing, NULL), err) < 0)
        return -1;
    return close_text(writing, &root, discovery->file, err);
}

/* --- the whole ------------------------------------------------------------------------------------- */

static int plan_streams(struct writing *writing, struct error *err)
{
    struct discovery *discovery = writing->discovery;
    for (size_t i = 0; i < discovery->stream_count; i++) {
        struct discover_stream *stream = &discovery->streams[i];
        if (stream->bound) {
            if (plan_bound(writing, i, err) < 0)
                return -1;
        } else if (is_new(stream)) {
            plan_new(writing, i);
        } else {
            writing->recorded[i] = discover_recorded(discovery, &writing->record, stream);
            if (!stream->key_count)
                log_warn(&discovery->cli->log, "the stream %s is left out: no field of it can be its key",
                         stream->label);
        }
        struct recorded last = discover_recorded(discovery, &writing->record, stream);
        bool given = stream->found_key && (stream->bound || is_new(stream));
        writing->recorded[i].key = given ? (const char *const *)stream->key : last.key;
        writing->recorded[i].key_count = given ? stream->key_count : last.key_count;
    }
    return 0;
}

/* A signal in between would leave files beside their places. */
static int replace_files(struct writing *writing, struct error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    int result = edit_replace_files(writing->files, writing->file_count, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return result;
}

/* What is not in the catalog: as the connector suggests it, or since it was shown before and is not wanted.
 */
static void tell_left_out(struct writing *writing, struct output *output)
{
    enum { NAMED_MAX = 5 };
    struct discovery *discovery = writing->discovery;
    const char *const why[] = {"left out, as the connector suggests", "left out, as before"};
    for (int known = 0; known < 2; known++) {
        const char *names = "";
        size_t count = 0;
        for (size_t i = 0; i < discovery->stream_count; i++) {
            const struct discover_stream *stream = &discovery->streams[i];
            if (stream->bound || is_new(stream) || !stream->key_count || stream->known != known ||
                (!known && !stream->advised_off))
                continue;
            if (count++ < NAMED_MAX)
                names = arena_printf(&discovery->arena, "%s%s%s", names, *names ? ", " : "", stream->label);
        }
        if (count)
            output_printf(output, "%zu stream%s %s: %s%s\n  (--all takes %s)\n", count, count == 1 ? "" : "s",
                          why[known], names, count > NAMED_MAX ? ", …" : "", count == 1 ? "it" : "them");
    }
}

static void tell(struct writing *writing)
{
    struct discovery *discovery = writing->discovery;
    struct output output;
    output_init(&output, STDOUT_FILENO);
    for (size_t i = 0; i < writing->file_count; i++)
        output_printf(&output, "%s %s\n", writing->files[i].present ? "changed" : "wrote  ",
                      writing->files[i].path);
    if (writing->added)
        output_printf(&output, "%zu stream%s added to %s\n", writing->added, writing->added == 1 ? "" : "s",
                      discovery->name);
    tell_left_out(writing, &output);
    if (!writing->added && !writing->changed)
        output_printf(&output, "nothing new: %s is as it was\n", discovery->file);
    output_printf(&output, "\nNext:\n  firth run %s\n", discovery->file);
    output_finish(&output, discovery->cli, CLI_OK);
}

static void add_config(struct writing *writing)
{
    struct discovery *discovery = writing->discovery;
    struct buffer text;
    if (!discovery->config_is_new)
        return;
    buffer_init(&text, BUFFER_UNLIMITED);
    discover_config_file(discovery, &text);
    add_file(writing, discovery->config_path, keep(discovery, &text), 0600);
}

/* Does the record that is there say something else? One that is not there is not made for nothing. */
static bool is_news(const struct writing *writing, struct slice record)
{
    struct buffer text;
    struct error unused;
    bool same = false;
    if (!writing->record.there)
        return false;
    buffer_init(&text, CATALOG_FILE_MAX);
    if (file_read(writing->record.path, CATALOG_FILE_MAX, &text, &unused) == 0)
        same = slice_equal((struct slice){text.data, text.size}, record);
    buffer_done(&text);
    return !same;
}

static bool any_advised_off(const struct discovery *discovery)
{
    bool any = false;
    for (size_t i = 0; i < discovery->stream_count; i++)
        any |= discovery->streams[i].advised_off;
    return any;
}

int discover_write(struct discovery *discovery, struct error *err)
{
    struct arena *arena = &discovery->arena;
    size_t count = discovery->stream_count;
    struct writing writing = {
        .discovery = discovery,
        .recorded = arena_zalloc(arena, (count + 1) * sizeof *writing.recorded),
        .files = arena_zalloc(arena, (count + 5) * sizeof *writing.files),
        .targets = arena_zalloc(arena, (count + 1) * sizeof *writing.targets),
        .paths = arena_zalloc(arena, (count + 1) * sizeof *writing.paths),
        .declared = arena_zalloc(arena, (count + 1) * sizeof *writing.declared),
    };
    struct buffer text;
    if (discover_read_record(discovery, &writing.record, err) < 0 || plan_streams(&writing, err) < 0)
        return -1;
    if (!discovery->capture && writing.added == 0)
        return error_set(err, ERROR_INVALID, "no stream was chosen: nothing was written%s",
                         any_advised_off(discovery)
                             ? "; those that the connector suggests to leave out are taken with --all"
                             : "");
    if (edit_catalog(&writing, err) < 0)
        return -1;
    add_config(&writing);
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = 0; i < count; i++)
        writing.recorded[i].there = true; /* all have been shown */
    discover_write_record(discovery, writing.recorded, &text);
    struct slice record = keep(discovery, &text);
    if (writing.file_count || is_news(&writing, record))
        add_file(&writing, writing.record.path, record, 0644);
    if (discover_try(discovery, writing.files, writing.file_count, err) < 0 ||
        (!discovery->config_is_inline && discover_guard_config(discovery, err) < 0) ||
        (writing.file_count && replace_files(&writing, err) < 0))
        return -1;
    tell(&writing);
    return 0;
}
