/* `firth manifest`: is a manifest of Airbyte's low-code CDK right, and what is it once written out? */
#include "cli/cmd_manifest.h"
#include "cli/output.h"
#include "source-declarative/manifest/manifest.h"

#include <unistd.h>

/* --- problems --------------------------------------------------------------------------------------------
 */

struct told {
    struct arena arena;
    struct manifest_problem *items;
    size_t count, capacity;
    size_t errors, warnings;
};

static void keep(void *context, const struct manifest_problem *problem)
{
    struct told *told = context;
    told->items = mem_grow(told->items, &told->capacity, told->count + 1, sizeof *told->items);
    told->items[told->count] = *problem;
    told->items[told->count].path = arena_strdup(&told->arena, problem->path);
    told->items[told->count++].message = arena_strdup(&told->arena, problem->message);
    *(problem->severity == MANIFEST_ERROR ? &told->errors : &told->warnings) += 1;
}

static void told_init(struct told *told)
{
    *told = (struct told){.items = NULL};
    arena_init(&told->arena);
}

static void told_done(struct told *told)
{
    mem_free_cleanup(&told->items);
    arena_done(&told->arena);
}

/* --- check -----------------------------------------------------------------------------------------------
 */

static size_t count_streams(const struct manifest *manifest)
{
    struct component streams = component_get(manifest_root(manifest), "streams");
    size_t count = 0;
    for (size_t i = 0; i < component_count(streams); i++) {
        struct component stream = component_at(streams, i);
        count += component_is(stream, "ConditionalStreams")
                     ? component_count(component_get(stream, "streams"))
                     : 1;
    }
    return count;
}

static void print_text(const char *path, const struct told *told, const struct manifest *manifest,
                       struct output *output)
{
    for (size_t i = 0; i < told->count; i++) {
        const struct manifest_problem *problem = &told->items[i];
        output_printable(output, path);
        if (problem->at.line)
            output_printf(output, ":%u:%u", problem->at.line, problem->at.column);
        output_printf(output, ": %s", problem->severity == MANIFEST_WARNING ? "warning: " : "");
        output_printable(output, problem->path);
        output_str(output, *problem->path ? ": " : "");
        output_printable(output, problem->message);
        output_str(output, "\n");
    }
    if (!manifest) {
        if (told->errors > 1)
            output_printf(output, "%zu errors\n", told->errors);
        return;
    }
    size_t streams = count_streams(manifest),
           dynamic = component_count(component_get(manifest_root(manifest), "dynamic_streams"));
    output_printf(output, "ok: %zu stream%s", streams, streams == 1 ? "" : "s");
    if (dynamic > 0)
        output_printf(output, ", %zu dynamic", dynamic);
    if (told->warnings > 0)
        output_printf(output, ", %zu warning%s", told->warnings, told->warnings == 1 ? "" : "s");
    output_str(output, "\n");
}

static void json_problems(const char *path, const struct told *told, enum manifest_severity severity,
                          struct json_writer *writer)
{
    json_begin_array(writer);
    for (size_t i = 0; i < told->count; i++) {
        const struct manifest_problem *problem = &told->items[i];
        if (problem->severity != severity)
            continue;
        json_begin_object(writer);
        json_member_string(writer, "file", path);
        json_member_u64(writer, "line", problem->at.line);
        json_member_u64(writer, "column", problem->at.column);
        json_member_string(writer, "path", problem->path);
        json_member_string(writer, "message", problem->message);
        json_member_bool(writer, "unsupported", problem->unsupported);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void print_json(const char *path, const struct told *told, const struct manifest *manifest,
                       const struct error *err, struct output *output)
{
    struct json_writer writer;
    json_writer_init(&writer, &output->buffer);
    json_begin_object(&writer);
    json_member_bool(&writer, "ok", manifest != NULL);
    if (!manifest) {
        json_put_key(&writer, "error");
        output_json_error(&writer, err);
    }
    json_put_key(&writer, "errors");
    json_problems(path, told, MANIFEST_ERROR, &writer);
    json_put_key(&writer, "warnings");
    json_problems(path, told, MANIFEST_WARNING, &writer);
    if (manifest) {
        json_member_u64(&writer, "streams", count_streams(manifest));
        json_member_u64(&writer, "dynamic_streams",
                        component_count(component_get(manifest_root(manifest), "dynamic_streams")));
    }
    json_end_object(&writer);
    output_str(output, "\n");
}

static int check(struct cli *cli, const char *path)
{
    struct told told;
    struct manifest *manifest = NULL;
    struct error err;
    struct output output;
    told_init(&told);
    int code = CLI_OK;
    if (manifest_load(&told.arena, path, keep, &told, &manifest, &err) < 0)
        code = cli_exit_code(err.code);
    output_init(&output, STDOUT_FILENO);
    if (cli->json)
        print_json(path, &told, manifest, &err, &output);
    else
        print_text(path, &told, manifest, &output);
    told_done(&told);
    return output_finish(&output, cli, code);
}

/* --- resolve ---------------------------------------------------------------------------------------------
 */

static int resolve(struct cli *cli, const char *path)
{
    struct arena arena;
    struct yaml_document expanded;
    struct error err;
    arena_init(&arena);
    if (manifest_expand_file(&arena, path, &expanded, &err) < 0) {
        arena_done(&arena);
        return cli_fail(cli, &err);
    }
    struct output output;
    struct json_writer writer;
    output_init(&output, STDOUT_FILENO);
    json_writer_init(&writer, &output.buffer);
    writer.indent = cli->json ? 0 : 2;
    json_put_value(&writer, &expanded.json, 0);
    output_str(&output, "\n");
    arena_done(&arena);
    return output_finish(&output, cli, CLI_OK);
}

/* --- components ------------------------------------------------------------------------------------------
 */

static void json_field(struct json_writer *writer, const struct component_field *field)
{
    json_put_key(writer, field->name);
    json_begin_object(writer);
    json_member_string(writer, "type", field->type);
    json_member_bool(writer, "required", field->required);
    if (field->preset)
        json_member_raw(writer, "default", slice_of(field->preset));
    if (field->least)
        json_member_string(writer, "least", field->least);
    if (field->instead)
        json_member_string(writer, "instead", field->instead);
    json_end_object(writer);
}

static void json_type(void *context, const struct component_type *type)
{
    struct json_writer *writer = context;
    json_put_key(writer, type->name);
    json_begin_object(writer);
    json_member_string(writer, "word", type->word ? type->word : type->name);
    json_member_bool(writer, "typed", !type->untyped);
    json_member_bool(writer, "closed", type->closed);
    json_member_bool(writer, "python", type->custom);
    json_put_key(writer, "fields");
    json_begin_object(writer);
    for (const struct component_field *field = type->fields; field->name; field++)
        json_field(writer, field);
    json_end_object(writer);
    json_end_object(writer);
}

static void print_name(void *context, const struct component_type *type)
{
    output_printf(context, "%s%s\n", type->name, type->custom ? " (Python: not run)" : "");
}

static void print_fields(const struct component_type *type, bool color, struct output *output)
{
    static const char *const headings[] = {"FIELD", "NEEDED", "DEFAULT", "WHAT", NULL};
    struct table table;
    table_init(&table, headings);
    for (const struct component_field *field = type->fields; field->name; field++) {
        table_cell(&table, field->name);
        table_cell(&table, field->required ? "yes" : "");
        table_cell(&table, field->preset ? field->preset : "");
        if (field->instead)
            table_cellf(&table, "%s; deprecated: %s", field->type, field->instead);
        else
            table_cell(&table, field->type);
    }
    table_finish(&table, color, output);
}

struct names {
    const char *items[512];
    size_t count;
};

static void add_name(void *context, const struct component_type *type)
{
    struct names *names = context;
    if (names->count < sizeof names->items / sizeof *names->items)
        names->items[names->count++] = type->name;
}

static int components(struct cli *cli, const char *name)
{
    const struct component_type *type = name ? component_type_find(slice_of(name)) : NULL;
    if (name && !type) {
        struct names names = {.count = 0};
        struct error err;
        char shown[OPTION_SHOWN_MAX];
        component_types_walk(add_name, &names);
        const char *nearest = string_nearest(name, names.items, names.count);
        error_set(&err, ERROR_NOT_FOUND, "there is no component '%s'%s%s%s", option_show(name, shown),
                  nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
        return cli_fail(cli, &err);
    }
    struct output output;
    output_init(&output, STDOUT_FILENO);
    if (cli->json) {
        struct json_writer writer;
        json_writer_init(&writer, &output.buffer);
        json_begin_object(&writer);
        if (type)
            json_type(&writer, type);
        else
            component_types_walk(json_type, &writer);
        json_end_object(&writer);
        output_str(&output, "\n");
    } else if (type) {
        print_fields(type, cli->terminal, &output);
    } else {
        component_types_walk(print_name, &output);
    }
    return output_finish(&output, cli, CLI_OK);
}

/* --- the command -----------------------------------------------------------------------------------------
 */

static int run(struct cli *cli, int argc, char **argv)
{
    static const char *const words[] = {"check", "resolve", "components", "test"};
    const char *operand = argc > 2 ? argv[2] : NULL;
    char shown[OPTION_SHOWN_MAX];
    struct error err;
    if (strcmp(argv[1], "check") == 0 && operand)
        return check(cli, operand);
    if (strcmp(argv[1], "resolve") == 0 && operand)
        return resolve(cli, operand);
    if (strcmp(argv[1], "components") == 0)
        return components(cli, operand);
    if (strcmp(argv[1], "test") == 0 && operand)
        return manifest_test(cli, operand, cli->options);
    const char *nearest = string_nearest(argv[1], words, sizeof words / sizeof *words);
    bool known = nearest && strcmp(nearest, argv[1]) == 0;
    error_set(&err, ERROR_INVALID,
              "'firth manifest %s': it is check MANIFEST, resolve MANIFEST, components [NAME] or test "
              "MANIFEST%s%s%s",
              option_show(argv[1], shown), nearest && !known ? "; did you mean " : "",
              nearest && !known ? nearest : "", nearest && !known ? "?" : "");
    return cli_usage(cli, &err);
}

static const struct option_spec options[] = {
    {.name = "config",
     .kind = OPTION_STRING,
     .offset = offsetof(struct manifest_options, config),
     .value = "FILE",
     .help = "test: the connector's config, YAML or JSON"},
    {.name = "stream",
     .kind = OPTION_STRING,
     .offset = offsetof(struct manifest_options, stream),
     .value = "NAME",
     .help = "test: the stream to read"},
    {.name = "state",
     .kind = OPTION_STRING,
     .offset = offsetof(struct manifest_options, state),
     .value = "FILE",
     .help = "test: the stream's state, or a list of states as 'read' takes it"},
    {.name = "pages",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct manifest_options, pages),
     .value = "N",
     .help = "test: at most so many pages of a slice (5)",
     .min = 1},
    {.name = "slices",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct manifest_options, slices),
     .value = "N",
     .help = "test: at most so many slices (5)",
     .min = 1},
    {.name = "limit",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct manifest_options, limit),
     .value = "N",
     .help = "test: at most so many records of a slice (100)",
     .min = 1},
    {0},
};

const struct command cli_manifest = {
    .name = "manifest",
    .arguments = "check MANIFEST|resolve MANIFEST|components [NAME]|test MANIFEST",
    .summary = "check and try a manifest of Airbyte's low-code CDK",
    .help =
        "'check' says all that is wrong with the manifest (YAML or JSON) at once: line and column, the\n"
        "component, what would be right. Python classes (Custom… components), which Firth does not run, are\n"
        "errors too. Fields that no component has are warnings. Nothing is connected to.\n"
        "\n"
        "'resolve' prints the manifest as JSON with its references, types and $parameters written out:\n"
        "what each component is in the end.\n"
        "\n"
        "'test' reads the first pages of a stream and shows each slice, request and response, each record\n"
        "before and after its transformations, and each state. Secrets are shown as ****; nothing is "
        "retried.\n"
        "\n"
        "  firth manifest check manifest.yaml\n"
        "  firth manifest resolve manifest.yaml | jq .streams[0]\n"
        "  firth manifest components HttpRequester\n"
        "  firth manifest test manifest.yaml --config config.json --stream items --pages 2\n",
    .options = options,
    .options_size = sizeof(struct manifest_options),
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
