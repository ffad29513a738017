/* What validating costs: `validate SCHEMA INSTANCES.jsonl` prints one line,
 * firth,docs,bytes,compile_ns,cold_total_ns,warm_ns_doc,parse_ns_doc,both_ns_doc,valid: compiling the schema;
 * the first pass over all parsed instances; a warm pass for each document; parsing for each; parsing and
 * validating in one go for each; how many were valid. Figures but the cold one are the best of ROUNDS passes,
 * in CPU time.
 */
#include "base/file.h"
#include "schema/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { ROUNDS = 7, FILE_MAX = 1 << 30 };

struct instances {
    struct buffer file;
    struct slice *lines;
    size_t *numbers;   /* of the lines in the file, from 1 */
    struct json *docs; /* nodes copied: each document has its own */
    size_t count, capacity, number_capacity;
};

static void die(const struct error *err)
{
    fprintf(stderr, "bench/validate: %s\n", err->message);
    exit(1);
}

/* The parser was given one line and counts from there. */
static void die_at(const char *path, size_t line, const struct error *err)
{
    static const char only_line[] = "line 1, ";
    const char *message = err->message;
    if (string_starts_with(message, only_line))
        message += sizeof only_line - 1;
    fprintf(stderr, "bench/validate: %s: line %zu: %s\n", path, line, message);
    exit(1);
}

/* CPU time: other programs on the machine do not count. */
static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void read_file(const char *path, struct buffer *file)
{
    struct error err;
    buffer_init(file, FILE_MAX);
    if (file_read(path, FILE_MAX, file, &err) < 0)
        die(&err);
}

static void load(struct instances *in, const char *path, struct json_parser *parser)
{
    struct error err;
    read_file(path, &in->file);
    for (size_t start = 0, end, number = 1; start < in->file.size; start = end + 1, number++) {
        const char *line = in->file.data + start, *newline = memchr(line, '\n', in->file.size - start);
        end = newline ? (size_t)(newline - in->file.data) : in->file.size;
        if (end == start)
            continue;
        in->lines = mem_grow(in->lines, &in->capacity, in->count + 1, sizeof *in->lines);
        in->numbers = mem_grow(in->numbers, &in->number_capacity, in->count + 1, sizeof *in->numbers);
        in->numbers[in->count] = number;
        in->lines[in->count++] = (struct slice){line, end - start};
    }
    in->docs = mem_alloc((in->count + 1) * sizeof *in->docs);
    for (size_t i = 0; i < in->count; i++) {
        if (json_parse(parser, in->lines[i].data, in->lines[i].size, &in->docs[i], &err) < 0)
            die_at(path, in->numbers[i], &err);
        in->docs[i].nodes = mem_dup(in->docs[i].nodes, in->docs[i].count * sizeof *in->docs[i].nodes);
    }
}

static int validate(const struct schema *schema, struct schema_validator *validator, const struct json *doc)
{
    struct error err;
    int valid = schema_validate(schema, validator, doc, 0, &err);
    if (valid < 0)
        die(&err);
    return valid;
}

static uint64_t pass_validate(const struct instances *in, const struct schema *schema,
                              struct schema_validator *validator, size_t *ret_valid)
{
    uint64_t start = now();
    size_t valid = 0;
    for (size_t i = 0; i < in->count; i++)
        valid += (size_t)validate(schema, validator, &in->docs[i]);
    *ret_valid = valid;
    return now() - start;
}

static uint64_t pass_parse(const struct instances *in, struct json_parser *parser,
                           const struct schema *schema, struct schema_validator *validator)
{
    uint64_t start = now();
    struct json doc;
    struct error err;
    for (size_t i = 0; i < in->count; i++) {
        if (json_parse(parser, in->lines[i].data, in->lines[i].size, &doc, &err) < 0)
            die(&err);
        if (schema)
            validate(schema, validator, &doc);
    }
    return now() - start;
}

static uint64_t compile(const struct buffer *source, struct schema **ret_schema)
{
    struct error err;
    uint64_t start = now();
    struct schema_registry *registry = schema_registry_new(SCHEMA_DRAFT_2020_12);
    if (schema_registry_add(registry, "bench:schema", (struct slice){source->data, source->size}, &err) < 0)
        die(&err);
    *ret_schema = schema_compile(registry, "bench:schema", &err);
    if (!*ret_schema)
        die(&err);
    schema_registry_free(registry);
    return now() - start;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s SCHEMA INSTANCES.jsonl\n", argv[0]);
        return 2;
    }
    struct instances in = {0};
    struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct schema_validator *validator = schema_validator_new();
    struct buffer source;
    struct schema *schema = NULL;
    size_t valid = 0;
    load(&in, argv[2], parser);
    read_file(argv[1], &source);
    uint64_t compiled = UINT64_MAX, warm = UINT64_MAX, parsed = UINT64_MAX, both = UINT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        schema_free(schema);
        compiled = least(compiled, compile(&source, &schema));
    }
    uint64_t cold = pass_validate(&in, schema, validator, &valid);
    for (int i = 0; i < ROUNDS; i++) {
        warm = least(warm, pass_validate(&in, schema, validator, &valid));
        parsed = least(parsed, pass_parse(&in, parser, NULL, NULL));
        both = least(both, pass_parse(&in, parser, schema, validator));
    }
    uint64_t docs = in.count ? in.count : 1;
    printf("firth,%zu,%zu,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%zu\n", in.count,
           in.file.size, compiled, cold, warm / docs, parsed / docs, both / docs, valid);
    for (size_t i = 0; i < in.count; i++)
        free((void *)(uintptr_t)in.docs[i].nodes);
    free(in.docs);
    free(in.lines);
    free(in.numbers);
    buffer_done(&in.file);
    buffer_done(&source);
    schema_free(schema);
    schema_validator_free(validator);
    json_parser_free(parser);
    return 0;
}
