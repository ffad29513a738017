/* `firth combine`: JSON lines reduced by a collection's key. */
#include "cli/catalog_file.h"
#include "cli/lines.h"
#include "schema/shape/shape.h"
#include "task/combiner.h"
#include "json/writer.h"

#include <unistd.h>

enum { MIB = 1 << 20 };

struct combine_options {
    const char *collection;
    bool full;
    struct option_number memory; /* MiB */
};

static const struct option_spec specs[] = {
    {"collection", 'c', OPTION_STRING, offsetof(struct combine_options, collection), "NAME",
     "whose key and schema to combine by", .required = true},
    {"full", 0, OPTION_FLAG, offsetof(struct combine_options, full), NULL,
     "reduce onto nothing, to whole documents: deletions and removals are carried out"},
    {"memory", 0, OPTION_NUMBER, offsetof(struct combine_options, memory), "MIB",
     "what does not fit is sorted in a file below the data directory (64)", .min = 1, .max = 1 << 20},
    {NULL},
};

struct combination {
    struct cli *cli;
    const struct combine_options *given;
    const struct catalog_collection *collection;
    struct arena arena;
    struct schema *schema;
    struct shape *shape; /* holds the defaults of key locations */
    struct key key;
    struct combiner *combiner;
    struct output out;
    uint64_t added, combined, deleted;
};

/* --- reading -------------------------------------------------------------------------------------- */

static int not_valid(struct combination *c, const struct json *doc, struct error *err)
{
    struct schema_violation violation;
    struct arena arena;
    size_t count = 0;
    arena_init(&arena);
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    if (schema_explain(c->schema, validator, doc, 0, &arena, &violation, 1, &count, err) == 0)
        error_set(err, ERROR_INVALID, "%s: %s", count && *violation.instance ? violation.instance : "(root)",
                  count ? violation.message : "the schema refuses it");
    arena_done(&arena);
    return -1;
}

/* The parser was given one line and counts from there. */
static int not_json(struct error *err)
{
    static const char only_line[] = "line 1, ";
    struct error inner = *err;
    const char *message = inner.message;
    if (string_starts_with(message, only_line))
        message += sizeof only_line - 1;
    return error_set(err, ERROR_INVALID, "not valid JSON: %s", message);
}

static int add_line(struct combination *c, struct json_parser *parser, struct slice line, struct error *err)
{
    struct json doc;
    if (json_parse(parser, line.data, line.size, &doc, err) < 0)
        return not_json(err);
    int result = combiner_add(c->combiner, 0, &doc, err);
    c->added += result == 0;
    return result > 0 ? not_valid(c, &doc, err) : result;
}

static int add_lines(struct combination *c, struct lines *lines, struct error *err)
{
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct slice line;
    int got;
    while ((got = lines_next(lines, &line, err)) > 0) {
        int result = got == LINES_TOO_LONG ? error_set(err, ERROR_LIMIT, "longer than 64 MiB")
                                           : add_line(c, parser, line, err);
        if (result < 0) /* large documents are reduced a little later than they come */
            return error_wrap(err, "%sline %llu", combiner_stats(c->combiner).is_late ? "up to " : "",
                              (unsigned long long)lines->number);
    }
    return got;
}

/* --- printing ------------------------------------------------------------------------------------- */

static void print(struct combination *c, const struct combined *combined)
{
    c->deleted += combined->is_deleted;
    c->combined += !combined->is_deleted;
    if (!c->cli->json && combined->is_deleted)
        return;
    if (c->cli->json)
        output_str(&c->out, "{\"document\":");
    output_write(&c->out, combined->document.data, combined->document.size);
    if (c->cli->json)
        output_str(&c->out, combined->is_deleted ? ",\"deleted\":true}" : ",\"deleted\":false}");
    output_str(&c->out, "\n");
}

static int drain(struct combination *c, struct error *err)
{
    struct combined combined;
    int got;
    while ((got = combiner_next(c->combiner, &combined, err)) > 0 && !output_failed(&c->out))
        print(c, &combined);
    return got < 0 ? -1 : 0;
}

static void print_summary(const struct combination *c)
{
    char added[32], combined[32], deleted[32];
    const struct output_sum sums[] = {
        {"documents", c->added}, {"combined", c->combined}, {"deleted", c->deleted}, {0}};
    if (c->cli->json) {
        output_json_summary(sums);
        return;
    }
    string_human_count(c->added, added, sizeof added);
    string_human_count(c->combined, combined, sizeof combined);
    string_human_count(c->deleted, deleted, sizeof deleted);
    fprintf(stderr, "%s %s combined to %s", added, c->added == 1 ? "document" : "documents", combined);
    if (c->deleted)
        fprintf(stderr, ", %s deleted", deleted);
    fprintf(stderr, "\n");
}

/* --- the collection ------------------------------------------------------------------------------- */

static int find_collection(struct combination *c, const struct catalog *catalog, struct error *err)
{
    c->collection = catalog_collection(catalog, c->given->collection);
    if (c->collection)
        return 0;
    char shown[OPTION_SHOWN_MAX];
    auto_free const char **names = mem_alloc((catalog->collection_count + 1) * sizeof *names);
    for (size_t i = 0; i < catalog->collection_count; i++)
        names[i] = catalog->collections[i].name;
    bool is_long = strlen(c->given->collection) > CATALOG_NAME_MAX;
    const char *nearest =
        is_long ? NULL : string_nearest(c->given->collection, names, catalog->collection_count);
    option_show(c->given->collection, shown);
    return error_set(err, ERROR_NOT_FOUND, "%s has no collection '%s'%s%s%s", catalog->file, shown,
                     nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

/* The key, and what stands for its locations where a document lacks them: the schema's defaults. */
static int make_key(struct combination *c, const struct catalog *catalog, struct error *err)
{
    const char **pointers = arena_alloc(&c->arena, (c->collection->key_count + 1) * sizeof *pointers);
    memcpy(pointers, c->collection->key, c->collection->key_count * sizeof *pointers);
    pointers[c->collection->key_count] = NULL;
    c->key = key_compile(pointers, &c->arena);
    c->shape = shape_of_schema(catalog->schemas, c->collection->read_schema_uri, err);
    if (!c->shape)
        return -1;
    for (size_t i = 0; i < c->key.count; i++) {
        struct shape_location location = shape_locate(c->shape, pointers[i], &c->arena);
        if (location.shape && location.shape->fallback)
            key_set_absent(&c->key, i, (struct key_value){shape_values_json(location.shape->fallback), 0});
    }
    return 0;
}

static int prepare(struct combination *c, const struct catalog *catalog, struct error *err)
{
    static const struct schema_options wanted = {.annotations = reduce_annotations, .assert_formats = true};
    if (find_collection(c, catalog, err) < 0)
        return -1;
    c->schema = schema_compile_with(catalog->schemas, c->collection->read_schema_uri, &wanted, err);
    if (!c->schema || make_key(c, catalog, err) < 0)
        return -1;
    const struct combiner_binding binding = {c->schema, &c->key,
                                             c->given->full ? REDUCE_FULL : REDUCE_PARTIAL};
    const struct combiner_options options = {.memory = (size_t)c->given->memory.value * MIB,
                                             .folder = c->cli->data_dir};
    c->combiner = combiner_new(&binding, 1, &options, err);
    return c->combiner ? 0 : -1;
}

/* What is wrong with a document is an answer, like a violation; the rest is not. */
static int fail(const struct combination *c, const struct error *err)
{
    int code = cli_fail(c->cli, err);
    return err->code == ERROR_INVALID || err->code == ERROR_LIMIT ? CLI_FAILED : code;
}

static int combine(struct combination *c, const char *path)
{
    struct lines lines;
    struct error err;
    if (lines_open(&lines, path, &err) < 0)
        return cli_fail(c->cli, &err);
    output_init(&c->out, STDOUT_FILENO);
    int code = CLI_OK;
    if (add_lines(c, &lines, &err) < 0 || drain(c, &err) < 0)
        code = fail(c, &err);
    lines_close(&lines);
    code = output_finish(&c->out, c->cli, code);
    if (code == CLI_OK)
        print_summary(c);
    return code;
}

static int run_combine(struct cli *cli, int argc, char **argv)
{
    struct combination c = {.cli = cli, .given = cli->options};
    struct error err;
    struct catalog *catalog;
    if (!c.given->collection) {
        error_set(&err, ERROR_INVALID,
                  "--collection is missing: by whose key and schema should the documents be combined?");
        return cli_usage(cli, &err);
    }
    int code = catalog_file_need(cli, argv[1], NULL, &catalog);
    if (code != CLI_OK)
        return code;
    arena_init(&c.arena);
    code = prepare(&c, catalog, &err) == 0 ? combine(&c, argc > 2 ? argv[2] : NULL) : cli_fail(cli, &err);
    combiner_free(c.combiner);
    shape_free(c.shape);
    schema_free(c.schema);
    catalog_free(catalog);
    arena_done(&c.arena);
    return code;
}

const struct command cli_combine = {
    .name = "combine",
    .arguments = "CATALOG [FILE]",
    .summary = "reduce JSON lines by a collection's key",
    .help =
        "Reads one document a line from FILE (or standard input), checks each against the collection's "
        "schema, reduces those of\n"
        "one key as the schema's \"reduce\" annotations say, and prints what they become, in the order of "
        "the key.\n"
        "What it prints are updates, as a materialization would get them; with --full it prints whole "
        "documents, as they would\n"
        "be stored. With -o json a line is {\"document\":…,\"deleted\":…}. Ends with 1 at the first line "
        "that is not valid.\n"
        "\n"
        "  firth combine --collection acmeCo/totals flow.yaml < events.jsonl\n"
        "  firth read acmeCo/events | firth combine -c acmeCo/totals flow.yaml --full\n",
    .options = specs,
    .options_size = sizeof(struct combine_options),
    .operands_min = 1,
    .operands_max = 2,
    .run = run_combine,
};
