/* JSON lines to validated, committed documents: what the data plane costs in CPU time, and which part of it
 * is what. `bench_ingest FOLDER DOCUMENTS ROUNDS` prints one JSON line a round.
 *
 * The phases are measured by difference, because a clock read around each phase of each document would cost
 * as much as the phase: a round reads the lines and parses them; parses and validates; parses, validates,
 * appends and commits. What the last adds in user time is encoding (record framing, checksums, the commit
 * record), what it adds in system time is writing. */
#include "base/clock.h"
#include "base/file.h"
#include "schema/schema.h"
#include "store/store.h"
#include "json/json.h"
#include "json/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <unistd.h>

enum { READ_SIZE = 128 << 10, TRANSACTION_BYTES = 4 << 20 };

static const char schema_source[] =
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
    "\"required\":[\"id\",\"created_at\",\"customer\",\"status\",\"items\",\"total\"],"
    "\"properties\":{\"id\":{\"type\":\"integer\",\"minimum\":1},"
    "\"created_at\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"updated_at\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"},"
    "\"customer\":{\"type\":\"object\",\"required\":[\"id\",\"email\"],\"properties\":{"
    "\"id\":{\"type\":\"integer\"},\"email\":{\"type\":\"string\",\"maxLength\":254},"
    "\"name\":{\"type\":\"string\"},\"vip\":{\"type\":\"boolean\"},"
    "\"country\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":2}}},"
    "\"status\":{\"enum\":[\"new\",\"paid\",\"shipped\",\"returned\"]},"
    "\"items\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":100,\"items\":{\"type\":\"object\","
    "\"required\":[\"sku\",\"quantity\",\"price\"],\"properties\":{\"sku\":{\"type\":\"string\"},"
    "\"quantity\":{\"type\":\"integer\",\"minimum\":1},\"price\":{\"type\":\"number\",\"minimum\":0}}}},"
    "\"total\":{\"type\":\"number\"},\"currency\":{\"type\":\"string\"},"
    "\"note\":{\"type\":[\"string\",\"null\"]},\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}"
    "}";

static void die(const char *what, const struct error *err)
{
    fprintf(stderr, "bench_ingest: %s: %s\n", what, err->message);
    exit(1);
}

/* --- the records ----------------------------------------------------------------------------------- */

static const char *pick(struct random_state *random, const char *const *words, size_t count)
{
    return words[random_below(random, count)];
}
#define PICK(words) pick(random, words, sizeof words / sizeof *words)

/* An order: 300 to 600 bytes, ids, money with two digits, times, a text now and then. */
static void put_record(struct buffer *out, struct random_state *random, uint64_t id)
{
    static const char *const states[] = {"new", "paid", "shipped", "returned"};
    static const char *const names[] = {"Ada Lovelace", "José Nuñez", "Wei Zhang", "Olga Ivanova",
                                        "John O\\\"Hara"};
    static const char *const countries[] = {"DE", "US", "BR", "JP", "NG", "FR"};
    static const char *const notes[] = {"\"leave at the door\"", "null", "\"gift wrap, please\\nThank you!\"",
                                        "null", "\"ring twice — 2ème étage\""};
    static const char *const tags[] = {"[\"web\",\"promo\"]", "[]", "[\"phone\"]",
                                       "[\"web\",\"b2b\",\"repeat\"]"};
    unsigned day = (unsigned)random_below(random, 28) + 1, second = (unsigned)random_below(random, 60);
    buffer_printf(out, "{\"id\":%" PRIu64 ",\"created_at\":\"2026-03-%02uT10:%02u:%02u.%03uZ\",", id, day,
                  second, 59 - second, (unsigned)random_below(random, 1000));
    buffer_printf(out, "\"updated_at\":\"2026-04-%02uT08:15:%02uZ\",\"customer\":{\"id\":%u,", day, second,
                  (unsigned)random_below(random, 1000000));
    buffer_printf(out, "\"email\":\"user%u@example.com\",\"name\":\"%s\",\"vip\":%s,\"country\":\"%s\"},",
                  (unsigned)random_below(random, 1000000), PICK(names), day % 5 ? "false" : "true",
                  PICK(countries));
    buffer_printf(out, "\"status\":\"%s\",\"items\":[", PICK(states));
    unsigned items = (unsigned)random_below(random, 4) + 1;
    for (unsigned i = 0; i < items; i++)
        buffer_printf(out, "%s{\"sku\":\"SKU-%06u\",\"quantity\":%u,\"price\":%u.%02u}", i ? "," : "",
                      (unsigned)random_below(random, 1000000), (unsigned)random_below(random, 9) + 1,
                      (unsigned)random_below(random, 500), (unsigned)random_below(random, 100));
    buffer_printf(out, "],\"total\":%u.%02u,\"currency\":\"EUR\",\"note\":%s,\"tags\":%s}\n",
                  (unsigned)random_below(random, 5000), (unsigned)random_below(random, 100), PICK(notes),
                  PICK(tags));
}

static uint64_t write_records(const char *path, uint64_t count)
{
    struct random_state random;
    struct buffer out;
    struct error err;
    uint64_t bytes = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path, &(struct error){.message = "cannot create"});
    random_seed(&random, 42);
    buffer_init(&out, 16 << 20);
    for (uint64_t i = 1; i <= count; i++) {
        put_record(&out, &random, i);
        if (out.size < (8 << 20) && i < count)
            continue;
        if (file_write_all(fd, out.data, out.size, path, &err) < 0)
            die(path, &err);
        bytes += out.size;
        buffer_clear(&out);
    }
    buffer_done(&out);
    close(fd);
    return bytes;
}

/* --- one pass over them ---------------------------------------------------------------------------- */

enum depth { PARSE, VALIDATE, COMMIT };

struct pass {
    enum depth depth;
    struct json_parser *parser;
    struct schema *schema;
    struct schema_validator *validator;
    struct store_writer *writer;
    uint32_t journal;
    uint64_t documents, since_commit;
};

static void commit(struct pass *pass)
{
    struct error err;
    char checkpoint[64];
    int size = snprintf(checkpoint, sizeof checkpoint, "{\"read\":%" PRIu64 "}", pass->documents);
    if (store_commit(pass->writer, (struct slice){checkpoint, (size_t)size}, &err) < 0)
        die("commit", &err);
    pass->since_commit = 0;
}

static void take_document(struct pass *pass, struct slice line)
{
    struct json doc;
    struct error err;
    if (json_parse(pass->parser, line.data, line.size, &doc, &err) < 0)
        die("parse", &err);
    pass->documents++;
    if (pass->depth == PARSE)
        return;
    if (schema_validate(pass->schema, pass->validator, &doc, 0, &err) != 1)
        die("validate", &(struct error){.message = "a record violates the schema"});
    if (pass->depth == VALIDATE)
        return;
    if (store_append(pass->writer, pass->journal, line, &err) < 0)
        die("append", &err);
    pass->since_commit += line.size;
    if (pass->since_commit >= TRANSACTION_BYTES)
        commit(pass);
}

static void run_pass(struct pass *pass, const char *path)
{
    size_t held = 0;
    char *buffer = mem_alloc(2 * READ_SIZE);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (;;) {
        ssize_t got = read(fd, buffer + held, READ_SIZE);
        if (got <= 0)
            break;
        const char *line = buffer, *end = buffer + held + got, *newline;
        while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
            take_document(pass, (struct slice){line, (size_t)(newline - line)});
            line = newline + 1;
        }
        held = (size_t)(end - line);
        memmove(buffer, line, held);
    }
    if (pass->depth == COMMIT && pass->since_commit)
        commit(pass);
    close(fd);
    free(buffer);
}

struct cpu {
    double user, system, wall;
};

static struct cpu cpu_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct cpu){(double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6,
                        (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6,
                        (double)clock_monotonic_ns(&clock_system) / 1e9};
}

static struct cpu measure(struct pass *pass, enum depth depth, const char *path)
{
    pass->depth = depth;
    pass->documents = pass->since_commit = 0;
    struct cpu before = cpu_now();
    run_pass(pass, path);
    struct cpu after = cpu_now();
    return (struct cpu){after.user - before.user, after.system - before.system, after.wall - before.wall};
}

static struct schema *compile(void)
{
    struct error err;
    struct schema_registry *registry = schema_registry_new(SCHEMA_DRAFT_2020_12);
    if (schema_registry_add(registry, "file:///orders.json", slice_of(schema_source), &err) < 0)
        die("schema", &err);
    struct schema *schema = schema_compile(registry, "file:///orders.json", &err);
    if (!schema)
        die("schema", &err);
    schema_registry_free(registry);
    return schema;
}

static void run_round(struct pass *pass, const char *folder, const char *input, uint64_t bytes, int round,
                      enum store_compression compression)
{
    struct error err;
    struct slice checkpoint;
    const struct store_journal_options options = {.compression = compression};
    auto_free char *data_dir = mem_printf("%s/data-%d", folder, round);
    struct store *store = store_open(data_dir, &(struct store_options){0}, &err);
    if (!store || !(pass->writer = store_writer_open(store, "bench", &checkpoint, &err)) ||
        store_writer_journal(pass->writer, "bench/orders", &options, &pass->journal, &err) < 0)
        die("store", &err);
    struct cpu parsed = measure(pass, PARSE, input), validated = measure(pass, VALIDATE, input),
               committed = measure(pass, COMMIT, input);
    store_writer_close(pass->writer);
    store_close(store);
    if (file_remove_tree(data_dir, &err) < 0)
        die(data_dir, &err);
    double parse = parsed.user + parsed.system, total = committed.user + committed.system;
    printf("{\"documents\":%" PRIu64 ",\"bytes\":%" PRIu64
           ",\"parse\":%.6f,\"validate\":%.6f,\"encode\":%.6f,"
           "\"write\":%.6f,\"total\":%.6f,\"wall\":%.6f}\n",
           pass->documents, bytes, parse, validated.user + validated.system - parse,
           committed.user - validated.user, committed.system - validated.system, total, committed.wall);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    uint64_t count, rounds;
    if (argc != 5 || !string_to_u64(argv[2], 100000000, &count) || !string_to_u64(argv[3], 1000, &rounds)) {
        fprintf(stderr, "usage: bench_ingest FOLDER DOCUMENTS ROUNDS none|zstd\n");
        return 2;
    }
    auto_free char *input = mem_printf("%s/orders.jsonl", argv[1]);
    uint64_t bytes = write_records(input, count);
    enum store_compression compression =
        strcmp(argv[4], "zstd") == 0 ? STORE_COMPRESSION_ZSTD : STORE_COMPRESSION_NONE;
    struct pass pass = {
        .parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS),
        .schema = compile(),
        .validator = schema_validator_new(),
    };
    for (int round = 0; round < (int)rounds; round++)
        run_round(&pass, argv[1], input, bytes, round, compression);
    unlink(input);
    schema_validator_free(pass.validator);
    schema_free(pass.schema);
    json_parser_free(pass.parser);
    return 0;
}
