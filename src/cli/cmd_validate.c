/* `firth validate`: JSON lines against a schema, a line for each violation. */
#include "cli/lines.h"
#include "cli/schema_files.h"
#include "cli/validate_output.h"

#include <unistd.h>

struct validate_options {
    const char *schema;
    int draft; /* index in drafts */
    bool formats;
    int annotations; /* index in annotation_choices */
    struct option_list resources;
};

static const char *const drafts[] = {"2020-12", "2019-09", "7", "6", "4", NULL};
static const enum schema_draft draft_values[] = {SCHEMA_DRAFT_2020_12, SCHEMA_DRAFT_2019_09, SCHEMA_DRAFT_7,
                                                 SCHEMA_DRAFT_6, SCHEMA_DRAFT_4};

enum { ANNOTATIONS_ALL, ANNOTATIONS_NONE };
static const char *const annotation_choices[] = {
    [ANNOTATIONS_ALL] = "all", [ANNOTATIONS_NONE] = "none", NULL};

static const struct option_spec options[] = {
    {"schema", 's', OPTION_STRING, offsetof(struct validate_options, schema), "SCHEMA",
     "JSON or YAML file with the schema, with an optional #fragment; or a URI", .required = true},
    {"draft", 0, OPTION_CHOICE, offsetof(struct validate_options, draft), "2020-12|2019-09|7|6|4",
     "of schemas that do not say it by $schema (2020-12)", drafts},
    {"formats", 0, OPTION_FLAG, offsetof(struct validate_options, formats), NULL,
     "let \"format\" refuse strings: by itself it refuses none"},
    {"annotations", 0, OPTION_CHOICE, offsetof(struct validate_options, annotations), "all|none",
     "with -o json: what the schema says about valid documents (all)", annotation_choices},
    {"resources", 0, OPTION_LIST, offsetof(struct validate_options, resources), "DIR=BASE_URI",
     "where $ref finds schemas whose URI begins with BASE_URI; may be repeated"},
    {NULL},
};

struct validation {
    struct cli *cli;
    const struct schema *schema;
    struct schema_validator *validator;
    bool annotates; /* the schema was compiled for it */
    struct json_parser *parser;
    struct output out;
    struct arena arena; /* of one line */
    uint64_t line, documents, invalid, not_judged, violations;
    uint64_t repeated; /* documents with members of the same name */
};

static void report(struct validation *v, const struct verdict *verdict)
{
    v->documents++;
    if (verdict->judgement == NOT_JUDGED) {
        v->not_judged++;
    } else {
        v->invalid += verdict->violation_count > 0;
        v->violations += verdict->violation_count;
    }
    (v->cli->json ? validate_print_json : validate_print_text)(&v->out, verdict);
}

/* A line that the schema was not asked about, or gave no answer to. */
static void report_error(struct validation *v, enum judgement judgement, const char *message)
{
    const struct schema_violation violation = {
        .instance = "", .keyword_location = "", .absolute_location = "", .message = message};
    report(v, &(struct verdict){
                  .line = v->line, .judgement = judgement, .violations = &violation, .violation_count = 1});
}

/* The parser was given one line and counts from there; the line's own number stands before it. */
static void report_unparsed(struct validation *v, const struct error *err)
{
    const char *message = err->message;
    static const char only_line[] = "line 1, ";
    if (string_starts_with(message, only_line))
        message += sizeof only_line - 1;
    bool is_limit = err->code == ERROR_LIMIT;
    auto_free char *text = mem_printf("%s%s", is_limit ? "" : "not valid JSON: ", message);
    report_error(v, is_limit ? NOT_JUDGED : NOT_JSON, text);
}

static void explain(struct validation *v, const struct json *doc)
{
    struct schema_violation
        violations[VIOLATIONS_PER_DOCUMENT_MAX + 1]; /* one more, to know that there are more */
    size_t count = 0;
    struct error err;
    if (schema_explain(v->schema, v->validator, doc, 0, &v->arena, violations,
                       VIOLATIONS_PER_DOCUMENT_MAX + 1, &count, &err) < 0) {
        auto_free char *text = mem_printf("not valid; why, could not be found: %s", err.message);
        report_error(v, JUDGED, text);
        return;
    }
    bool cut = count > VIOLATIONS_PER_DOCUMENT_MAX;
    report(v, &(struct verdict){.line = v->line,
                                .judgement = cut ? JUDGED_IN_PART : JUDGED,
                                .violations = violations,
                                .violation_count = cut ? VIOLATIONS_PER_DOCUMENT_MAX : count});
}

/* Annotations are collected in the pass that validates. */
static int judge(struct validation *v, const struct json *doc, struct verdict *verdict, struct error *err)
{
    if (!v->annotates)
        return schema_validate(v->schema, v->validator, doc, 0, err);
    return schema_annotate(v->schema, v->validator, doc, 0, &verdict->annotations, &verdict->annotation_count,
                           err);
}

static void validate_line(struct validation *v, struct slice line)
{
    struct json doc;
    struct error err;
    if (json_parse(v->parser, line.data, line.size, &doc, &err) < 0) {
        report_unparsed(v, &err);
        return;
    }
    v->repeated += doc.duplicates > 0;
    struct verdict verdict = {.line = v->line, .doc = &doc, .schema = v->schema, .validator = v->validator};
    int valid = judge(v, &doc, &verdict, &err);
    if (valid < 0)
        report_error(v, NOT_JUDGED, err.message);
    else if (valid)
        report(v, &verdict);
    else
        explain(v, &doc);
    arena_clear(&v->arena);
}

static int validate_lines(struct validation *v, struct lines *lines, struct error *err)
{
    struct slice line;
    int got;
    while ((got = lines_next(lines, &line, err)) > 0 && !output_failed(&v->out)) {
        v->line = lines->number;
        if (got == LINES_TOO_LONG)
            report_error(v, NOT_JUDGED, "line is longer than 64 MiB");
        else
            validate_line(v, line);
        if (!lines_ready(lines))
            output_flush(&v->out);
    }
    return got < 0 ? -1 : 0;
}

static struct schema *load_schema(struct schema_registry *registry, struct schema_files *files,
                                  const struct validate_options *given, bool annotates, struct error *err)
{
    for (size_t i = 0; i < given->resources.count; i++) {
        if (schema_files_map(files, given->resources.items[i], err) < 0)
            return NULL;
    }
    schema_registry_on_missing(registry, schema_files_fetch, files);
    const struct schema_options wanted = {.assert_formats = given->formats, .all_annotations = annotates};
    const char *uri = schema_files_uri(files, given->schema);
    struct schema *schema = schema_compile_with(registry, uri, &wanted, err);
    if (!schema)
        schema_problems_error(registry, uri, &wanted, err);
    return schema;
}

static void print_summary(const struct validation *v)
{
    char documents[32], invalid[32], not_judged[32], violations[32];
    const struct output_sum sums[] = {{"documents", v->documents},  {"invalid", v->invalid},
                                      {"notJudged", v->not_judged}, {"violations", v->violations},
                                      {"repeated", v->repeated},    {0}};
    if (v->cli->json) {
        output_json_summary(sums);
        return;
    }
    string_human_count(v->documents, documents, sizeof documents);
    string_human_count(v->invalid, invalid, sizeof invalid);
    string_human_count(v->not_judged, not_judged, sizeof not_judged);
    string_human_count(v->violations, violations, sizeof violations);
    fprintf(stderr, "%s %s, %s invalid", documents, v->documents == 1 ? "document" : "documents", invalid);
    if (v->not_judged)
        fprintf(stderr, ", %s not judged", not_judged);
    fprintf(stderr, ", %s %s\n", violations, v->violations == 1 ? "violation" : "violations");
    if (v->repeated) {
        string_human_count(v->repeated, documents, sizeof documents);
        fprintf(stderr, "%s %s members of the same name: the last one counts\n", documents,
                v->repeated == 1 ? "document has" : "documents have");
    }
}

/* What is not valid is told for certain; without it, what could not be judged leaves the answer open. */
static int exit_code(const struct validation *v)
{
    return v->invalid ? CLI_FAILED : v->not_judged ? CLI_INVALID : CLI_OK;
}

static int validate_file(struct cli *cli, const struct schema *schema, bool annotates, const char *path)
{
    struct lines lines;
    struct error err;
    if (lines_open(&lines, path, &err) < 0)
        return cli_fail(cli, &err);
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct validation v = {
        .cli = cli, .schema = schema, .validator = validator, .annotates = annotates, .parser = parser};
    if (annotates)
        schema_validator_trace(validator);
    arena_init(&v.arena);
    output_init(&v.out, STDOUT_FILENO);
    bool is_read = validate_lines(&v, &lines, &err) == 0;
    int code = is_read ? exit_code(&v) : cli_fail(cli, &err);
    arena_done(&v.arena);
    lines_close(&lines);
    code = output_finish(&v.out, cli, code);
    if (is_read && !output_failed(&v.out))
        print_summary(&v);
    return code;
}

static int run(struct cli *cli, int argc, char **argv)
{
    const struct validate_options *given = cli->options;
    struct error err;
    if (!given->schema) {
        error_set(&err, ERROR_INVALID, "--schema is missing: which schema should the documents be valid by?");
        return cli_usage(cli, &err);
    }
    bool annotates = cli->json && given->annotations == ANNOTATIONS_ALL;
    struct arena arena;
    arena_init(&arena);
    struct schema_files files = {.arena = &arena};
    struct schema_registry *registry = schema_registry_new(draft_values[given->draft]);
    struct schema *schema = load_schema(registry, &files, given, annotates, &err);
    int code =
        schema ? validate_file(cli, schema, annotates, argc > 1 ? argv[1] : NULL) : cli_fail(cli, &err);
    schema_free(schema);
    schema_registry_free(registry);
    arena_done(&arena);
    return code;
}

const struct command cli_validate = {
    .name = "validate",
    .arguments = "[FILE]",
    .summary = "check JSON lines against a JSON Schema",
    .help = "Reads one document a line from FILE (or standard input) and prints a line for each violation: "
            "the line's number,\n"
            "where in the document, which keyword of the schema, and what was expected. $ref is resolved "
            "against the schema's\n"
            "own file. With -o json it prints a line for each document: the JSON Schema specification's "
            "\"basic\" output and the\n"
            "number of its line, for a valid document with what the schema says about it. Ends with 1 if any "
            "document is not valid, with 3 if none\n"
            "is, but some could not be judged because a limit was reached.\n"
            "\n"
            "  firth validate --schema user.schema.yaml users.jsonl\n"
            "  firth validate --schema flow.yaml#/collections/acmeCo~1users/schema -o json < users.jsonl\n"
            "  firth validate --schema order.json --resources schemas=https://example.com/schemas/ "
            "orders.jsonl\n",
    .options = options,
    .options_size = sizeof(struct validate_options),
    .operands_max = 1,
    .run = run,
};
