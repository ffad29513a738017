/* `firth infer`: the schema that JSON lines have, or a table of a schema's locations. */
#include "cli/columns.h"
#include "cli/lines.h"
#include "cli/output.h"
#include "cli/schema_files.h"
#include "schema/shape/shape.h"

#include <unistd.h>

struct infer_options {
    const char *base;
    struct option_number max_fields, max_depth;
    bool locations;
    struct option_list resources;
};

static const struct option_spec options[] = {
    {"base", 'b', OPTION_STRING, offsetof(struct infer_options, base), "SCHEMA",
     "start from this schema and widen it: a JSON or YAML file, with an optional #fragment; or a URI"},
    {"max-fields", 0, OPTION_NUMBER, offsetof(struct infer_options, max_fields), "N",
     "at most so many locations with a name (1000)", .min = 1, .max = SHAPE_LOCATIONS_MAX},
    {"max-depth", 0, OPTION_NUMBER, offsetof(struct infer_options, max_depth), "N",
     "names at most so deep (12)", .min = 1, .max = SHAPE_DEPTH_MAX},
    {"locations", 0, OPTION_FLAG, offsetof(struct infer_options, locations), NULL,
     "print a table of the schema's locations instead; with --base and no FILE nothing is read"},
    {"resources", 0, OPTION_LIST, offsetof(struct infer_options, resources), "DIR=BASE_URI",
     "where $ref finds schemas whose URI begins with BASE_URI; may be repeated"},
    {NULL},
};

struct inference {
    struct shape *shape;
    struct shape_limits limits;
    struct json_parser *parser;
    uint64_t documents, settled; /* the last document that changed something */
};

/* --- documents -------------------------------------------------------------------------------------- */

/* The parser was given one line and counts from there; the line's own number stands before it. */
static int not_json(const struct lines *lines, struct error *err)
{
    static const char only_line[] = "line 1, ";
    const char *message = err->message;
    if (string_starts_with(message, only_line))
        message += sizeof only_line - 1;
    auto_free char *text = mem_strdup(message);
    return error_set(err, err->code, "%s: line %llu: not valid JSON: %s", lines->name,
                     (unsigned long long)lines->number, text);
}

static int infer_line(struct inference *inference, const struct lines *lines, struct slice line,
                      struct error *err)
{
    struct json doc;
    if (json_parse(inference->parser, line.data, line.size, &doc, err) < 0)
        return not_json(lines, err);
    inference->documents++;
    if (shape_widen(inference->shape, inference->limits, &doc, 0))
        inference->settled = inference->documents;
    return 0;
}

static int infer_file(struct inference *inference, const char *path, struct error *err)
{
    struct lines lines;
    struct slice line;
    if (lines_open(&lines, path, err) < 0)
        return -1;
    int got;
    do {
        got = lines_next(&lines, &line, err);
        if (got == LINES_TOO_LONG)
            got = error_set(err, ERROR_LIMIT, "%s: line %llu is longer than 64 MiB", lines.name,
                            (unsigned long long)lines.number);
        else if (got == LINES_LINE && infer_line(inference, &lines, line, err) < 0)
            got = -1;
    } while (got > LINES_END);
    lines_close(&lines);
    return got;
}

static int infer_files(struct inference *inference, char **paths, struct error *err)
{
    if (!*paths)
        return infer_file(inference, NULL, err);
    for (; *paths; paths++) {
        if (infer_file(inference, *paths, err) < 0)
            return -1;
    }
    return 0;
}

/* --- the schema to start from ------------------------------------------------------------------------ */

static struct shape *load_base(struct arena *arena, const struct infer_options *given, struct error *err)
{
    struct schema_files files = {.arena = arena};
    for (size_t i = 0; i < given->resources.count; i++) {
        if (schema_files_map(&files, given->resources.items[i], err) < 0)
            return NULL;
    }
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    schema_registry_on_missing(registry, schema_files_fetch, &files);
    const char *uri = schema_files_uri(&files, given->base);
    /* Compiled first: that tells what is wrong with it. */
    mem_auto(schema_free) struct schema *schema = schema_compile(registry, uri, err);
    return schema ? shape_of_schema(registry, uri, err) : NULL;
}

/* --- output ----------------------------------------------------------------------------------------- */

static void print_schema(const struct shape *shape, const struct cli *cli, struct output *out)
{
    struct json_writer writer;
    json_writer_init(&writer, &out->buffer);
    writer.indent = cli->json ? 0 : 2;
    shape_write(shape, true, &writer);
    output_str(out, "\n");
}

static void print_location_json(const struct shape_location *location, struct output *out)
{
    struct json_writer writer;
    json_writer_init(&writer, &out->buffer);
    json_begin_object(&writer);
    json_member_string(&writer, "ptr", location->pointer);
    if (location->is_pattern)
        json_member_bool(&writer, "pattern", true);
    else
        json_member_string(&writer, "field", shape_field(location));
    json_put_key(&writer, "inference");
    shape_write_inference(location, &writer);
    json_end_object(&writer);
    output_str(out, "\n");
}

static void cell_printable(struct table *table, struct slice text)
{
    struct buffer printable;
    buffer_init(&printable, BUFFER_UNLIMITED);
    text_append_printable(&printable, text.data, text.size);
    table_cell(table, buffer_cstr(&printable));
    buffer_done(&printable);
}

/* ">= 1, <= 10", or "" without bounds. */
static void put_bounds(const char *what, const char *minimum, const char *maximum, struct buffer *out)
{
    if (!minimum && !maximum)
        return;
    buffer_printf(out, "%s%s", out->size ? "; " : "", what);
    if (minimum)
        buffer_printf(out, "%s>= %s", *what ? " " : "", minimum);
    if (maximum)
        buffer_printf(out, "%s<= %s", minimum ? ", " : *what ? " " : "", maximum);
}

static void put_counts(const char *what, uint32_t min, uint32_t max, struct buffer *out)
{
    char minimum[16], maximum[16];
    snprintf(minimum, sizeof minimum, "%u", min);
    snprintf(maximum, sizeof maximum, "%u", max);
    put_bounds(what, min ? minimum : NULL, max != UINT32_MAX ? maximum : NULL, out);
}

static void cell_bounds(struct table *table, const struct shape *shape)
{
    enum { CHOICES_SHOWN = 40 };
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    if (shape->choices) {
        struct slice raw = json_raw(shape_values_json(shape->choices), 0);
        size_t cut = utf8_cut(raw.data, raw.size, CHOICES_SHOWN);
        buffer_printf(&out, "one of %.*s%s", (int)cut, raw.data, cut < raw.size ? "…" : "");
    }
    put_bounds("", shape->minimum.text, shape->maximum.text, &out);
    put_bounds("", shape->text_minimum.text, shape->text_maximum.text, &out);
    put_counts("length", shape->min_length, shape->max_length, &out);
    put_counts("items", shape->min_items, shape->max_items, &out);
    cell_printable(table, (struct slice){out.data ? out.data : "", out.size});
    buffer_done(&out);
}

static void print_table(const struct shape_location *locations, size_t count, const struct cli *cli,
                        struct output *out)
{
    static const char *const headings[] = {"LOCATION", "EXISTS", "TYPES", "FORMAT", "BOUNDS", NULL};
    struct table table;
    table_init(&table, headings);
    for (size_t i = 0; i < count; i++) {
        const struct shape *shape = locations[i].shape;
        struct buffer types;
        buffer_init(&types, BUFFER_UNLIMITED);
        shape_types_text(shape->types, &types);
        cell_printable(&table, slice_of(*locations[i].pointer ? locations[i].pointer : "(root)"));
        table_cell(&table, shape_exists_names[locations[i].exists]);
        table_cell(&table, buffer_cstr(&types));
        cell_printable(&table, slice_of(shape->format ? shape->format : ""));
        cell_bounds(&table, shape);
        buffer_done(&types);
    }
    table_finish(&table, cli->terminal, out);
}

static void print_locations(const struct shape *shape, const struct cli *cli, struct output *out)
{
    struct arena arena;
    size_t count;
    arena_init(&arena);
    const struct shape_location *locations = shape_locations(shape, &arena, &count);
    if (!cli->json)
        print_table(locations, count, cli, out);
    for (size_t i = 0; cli->json && i < count; i++)
        print_location_json(&locations[i], out);
    arena_done(&arena);
}

static void print_summary(const struct inference *inference, bool json)
{
    char documents[32], settled[32];
    const struct output_sum sums[] = {
        {"documents", inference->documents}, {"settled", inference->settled}, {0}};
    if (json) {
        output_json_summary(sums);
        return;
    }
    string_human_count(inference->documents, documents, sizeof documents);
    string_human_count(inference->settled, settled, sizeof settled);
    fprintf(stderr, "%s %s; ", documents, inference->documents == 1 ? "document" : "documents");
    if (inference->settled)
        fprintf(stderr, "the last that changed the schema is number %s\n", settled);
    else
        fprintf(stderr, "none changes the schema\n");
}

static int infer(struct cli *cli, const struct infer_options *given, struct inference *inference,
                 char **paths)
{
    struct error err;
    bool reads = *paths || !(given->base && given->locations);
    if (reads && infer_files(inference, paths, &err) < 0)
        return cli_fail(cli, &err);
    if (reads)
        shape_limit(inference->shape, inference->limits);
    struct output out;
    output_init(&out, STDOUT_FILENO);
    if (given->locations)
        print_locations(inference->shape, cli, &out);
    else
        print_schema(inference->shape, cli, &out);
    int code = output_finish(&out, cli, CLI_OK);
    if (code == CLI_OK && reads)
        print_summary(inference, cli->json);
    return code;
}

static int run(struct cli *cli, int argc, char **argv)
{
    const struct infer_options *given = cli->options;
    struct error err;
    struct arena arena;
    arena_init(&arena);
    mem_auto(shape_free) struct shape *shape =
        given->base ? load_base(&arena, given, &err) : shape_new_nothing();
    arena_done(&arena);
    if (!shape)
        return cli_fail(cli, &err);
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct inference inference = {
        .shape = shape,
        .limits = {(uint32_t)given->max_fields.value, (uint32_t)given->max_depth.value},
        .parser = parser,
    };
    return infer(cli, given, &inference, argv + 1);
}

const struct command cli_infer = {
    .name = "infer",
    .arguments = "[FILE…]",
    .summary = "print the JSON Schema that JSON lines have",
    .help =
        "Reads one document a line from the FILEs (or standard input) and prints the narrowest schema of its "
        "kind that all of\n"
        "them fit: types, required properties, formats, and bounds that go by powers, so that the next "
        "documents are likely\n"
        "to fit as well. The same documents give the same schema, in whatever order. Of more names "
        "than --max-fields the\n"
        "deepest and last become additionalProperties.\n"
        "\n"
        "  firth infer users.jsonl > users.schema.json\n"
        "  firth infer --base users.schema.json more.jsonl\n"
        "  firth infer --locations users.jsonl\n"
        "  firth infer --locations --base flow.yaml#/collections/acmeCo~1users/schema\n",
    .options = options,
    .options_size = sizeof(struct infer_options),
    .operands_max = -1,
    .run = run,
};
