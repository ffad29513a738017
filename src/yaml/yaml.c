/* The entry points: a file or its bytes to a document with places, by way of items (YAML) or directly (JSON).
 */
#include "yaml/yaml.h"

#include "base/file.h"
#include "yaml/items.h"

#include <stdarg.h>
#include <stdlib.h>

/* --- problems -------------------------------------------------------------------------------------- */

static int report(const struct yaml_reporter *reporter, bool fatal, enum error_code code,
                  struct yaml_position at, char *message)
{
    string_one_line(message);
    if (reporter->on_problem) {
        reporter->on_problem(reporter->context, at, message);
        if (!fatal)
            return 0;
    }
    if (at.line == 0)
        return error_set(reporter->err, code, "%s: %s", reporter->file, message);
    return error_set(reporter->err, code, "%s:%u:%u: %s", reporter->file, at.line, at.column, message);
}

int yaml_problem(const struct yaml_reporter *reporter, struct yaml_position at, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return report(reporter, false, ERROR_INVALID, at, message);
}

int yaml_fatal(const struct yaml_reporter *reporter, enum error_code code, struct yaml_position at,
               const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return report(reporter, true, code, at, message);
}

/* --- JSON ------------------------------------------------------------------------------------------ */

/* The JSON reader's errors begin with "line L, column C (byte B): ". */
static int json_error(const struct yaml_reporter *reporter, const struct error *error)
{
    struct yaml_position at = {0, 0};
    unsigned byte;
    int size = 0;
    if (sscanf(error->message, "line %u, column %u (byte %u): %n", &at.line, &at.column, &byte, &size) < 3)
        size = 0;
    return yaml_fatal(reporter, error->code, at, "not valid JSON: %s", error->message + size);
}

/* Nodes are in the order of their offsets, so one walk over the source finds every place. */
static struct yaml_position *places_of(const struct json *doc, struct arena *arena)
{
    struct yaml_position *positions = arena_alloc(arena, doc->count * sizeof *positions);
    struct yaml_position here = {1, 1};
    uint32_t offset = 0;
    for (uint32_t i = 0; i < doc->count; i++) {
        for (; offset < doc->nodes[i].offset; offset++) {
            unsigned char byte = (unsigned char)doc->source[offset];
            if (byte == '\n')
                here = (struct yaml_position){here.line + 1, 1};
            else
                here.column += (byte & 0xc0) != 0x80;
        }
        positions[i] = here;
    }
    return positions;
}

static int parse_json(struct arena *arena, const struct yaml_reporter *reporter, struct slice source,
                      struct yaml_document *ret_doc)
{
    struct error error;
    struct json doc;
    if (json_parse_copy(arena, source.data ? source.data : "", source.size, &doc, &error) < 0)
        return json_error(reporter, &error);
    if (doc.count > YAML_NODES_MAX)
        return yaml_fatal(reporter, ERROR_LIMIT, (struct yaml_position){0, 0},
                          "more than %d values in one file", YAML_NODES_MAX);
    *ret_doc = (struct yaml_document){.json = doc, .positions = places_of(&doc, arena)};
    return 0;
}

/* --- YAML ------------------------------------------------------------------------------------------ */

static int parse_items(struct arena *arena, const struct yaml_reporter *reporter,
                       const struct yaml_items *items, struct yaml_document *ret_doc)
{
    struct buffer text;
    buffer_init(&text, YAML_EXPANDED_MAX);
    struct yaml_nodes nodes = {0};
    int result = yaml_expand(reporter, items, &text, &nodes);
    if (result == 0) {
        struct error error;
        struct json doc;
        result = json_parse_copy(arena, text.data, text.size, &doc, &error);
        if (result < 0) {
            yaml_fatal(reporter, error.code, (struct yaml_position){0, 0}, "%s", error.message);
        } else {
            assert(doc.count == nodes.count);
            *ret_doc = (struct yaml_document){
                .json = doc,
                .positions = arena_dup(arena, nodes.positions, nodes.count * sizeof *nodes.positions),
                .deferred = nodes.deferred_count ? arena_dup(arena, nodes.deferred,
                                                             nodes.deferred_count * sizeof *nodes.deferred)
                                                 : NULL,
                .deferred_count = nodes.deferred_count,
            };
        }
    }
    free(nodes.positions);
    free(nodes.deferred);
    buffer_done(&text);
    return result;
}

static int parse_yaml(struct arena *arena, const struct yaml_reporter *reporter, struct slice source,
                      struct yaml_document *ret_doc)
{
    struct arena scratch;
    arena_init(&scratch);
    struct yaml_items items = {.arena = &scratch};
    int result = yaml_read_items(reporter, source, &items);
    if (result == 0)
        result = parse_items(arena, reporter, &items, ret_doc);
    free(items.items);
    arena_done(&scratch);
    return result;
}

/* --- entry points ---------------------------------------------------------------------------------- */

enum yaml_syntax yaml_syntax_of(const char *path)
{
    return string_ends_with(path, ".json") ? YAML_SYNTAX_JSON : YAML_SYNTAX_YAML;
}

int yaml_parse(struct arena *arena, const char *file, enum yaml_syntax syntax, struct slice source,
               yaml_on_problem *on_problem, void *context, struct yaml_document *ret_doc, struct error *err)
{
    struct yaml_reporter reporter = {file, on_problem, context, err, syntax};
    struct yaml_document doc;
    if (source.size > YAML_SIZE_MAX)
        return yaml_fatal(&reporter, ERROR_LIMIT, (struct yaml_position){0, 0},
                          "the file has more than %d MiB, which is the limit", YAML_SIZE_MAX >> 20);
    int result = syntax == YAML_SYNTAX_JSON ? parse_json(arena, &reporter, source, &doc)
                                            : parse_yaml(arena, &reporter, source, &doc);
    if (result < 0)
        return -1;
    doc.file = arena_strdup(arena, file);
    *ret_doc = doc;
    return 0;
}

enum yaml_tag yaml_deferred_tag(const struct yaml_document *doc, uint32_t at)
{
    size_t from = 0, to = doc->deferred_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (doc->deferred[middle].at < at)
            from = middle + 1;
        else
            to = middle;
    }
    return from < doc->deferred_count && doc->deferred[from].at == at ? doc->deferred[from].tag
                                                                      : YAML_TAG_NONE;
}

/* The message names the file itself, and so does what is told of it. */
static const char *without_name(const struct error *error, const char *path)
{
    const char *at = *path ? strstr(error->message, path) : NULL;
    const char *reason = at ? at + strlen(path) : "";
    return string_starts_with(reason, ": ") ? reason + 2 : error->message;
}

int yaml_load(struct arena *arena, const char *path, yaml_on_problem *on_problem, void *context,
              struct yaml_document *ret_doc, struct error *err)
{
    struct yaml_reporter reporter = {path, on_problem, context, err};
    struct buffer content;
    buffer_init(&content, YAML_SIZE_MAX + (1 << 20));
    struct error error;
    int result = file_read(path, YAML_SIZE_MAX, &content, &error);
    if (result < 0 && error.code == ERROR_LIMIT)
        yaml_fatal(&reporter, ERROR_LIMIT, (struct yaml_position){0, 0},
                   "the file has more than %d MiB, which is the limit", YAML_SIZE_MAX >> 20);
    else if (result < 0 && error.code == ERROR_NOT_FOUND)
        yaml_fatal(&reporter, error.code, (struct yaml_position){0, 0}, "there is no such file");
    else if (result < 0)
        yaml_fatal(&reporter, error.code, (struct yaml_position){0, 0}, "the file cannot be read: %s",
                   without_name(&error, path));
    else
        result = yaml_parse(arena, path, yaml_syntax_of(path), (struct slice){content.data, content.size},
                            on_problem, context, ret_doc, err);
    buffer_done(&content);
    return result;
}
