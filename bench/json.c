/* json-parse: src/json beside simdjson's DOM on the same bytes, CPU time, rounds interleaved.
 *
 * Data sets are generated, the same in every run: records of 300 to 600 bytes, orders full of numbers,
 * changes of a wiki full of text (each parsed document by document, as lines of a stream are), and one large
 * document. */
#include "json/parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void *peer_new(void);
void peer_free(void *parser);
int peer_parse(void *parser, const char *source, size_t size);
const char *peer_name(void);
size_t peer_padding(void);

enum { SET_BYTES = 8 << 20, ROUNDS_DEFAULT = 21, ROUNDS_MAX = 201 };

struct random {
    uint64_t state;
};

static uint32_t below(struct random *random, uint32_t limit)
{
    random->state = random->state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)((random->state >> 33) % limit);
}

static const char *const words[] = {
    "stream",  "river",  "delta",  "harbour", "tide",   "current", "anchor",  "sail",    "north",    "copper",
    "lantern", "market", "window", "paper",   "silver", "garden",  "morning", "village", "mountain", "bridge",
    "été",     "straße", "naïve",  "東京",    "Москва", "ελλάδα",  "über",    "señor",   "smörgås",  "żółw",
};

static const char *word(struct random *random, bool ascii)
{
    return words[below(random, ascii ? 20 : sizeof words / sizeof *words)];
}

static void text(struct buffer *out, struct random *random, uint32_t count, bool ascii)
{
    for (uint32_t i = 0; i < count; i++)
        buffer_printf(out, "%s%s", i ? " " : "", word(random, ascii || below(random, 4)));
}

static void record(struct buffer *out, struct random *random, uint32_t id)
{
    buffer_printf(
        out,
        "{\"id\":%u,\"created_at\":\"2024-%02u-%02uT%02u:%02u:%02u+00:00\",\"name\":\"%s %s\","
        "\"email\":\"%s.%u@example.com\",\"age\":%u,\"height\":\"1.%02u\",\"active\":%s,\"telephone\":null,"
        "\"address\":{\"street\":\"%u %s street\",\"city\":\"%s\",\"postal_code\":\"%05u\","
        "\"country_code\":\"DE\",\"state\":\"%s\"},\"occupation\":\"",
        id, below(random, 12) + 1, below(random, 28) + 1, below(random, 24), below(random, 60),
        below(random, 60), word(random, true), word(random, false), word(random, true), below(random, 10000),
        below(random, 90), below(random, 100), below(random, 2) ? "true" : "false", below(random, 300),
        word(random, true), word(random, false), below(random, 100000), word(random, true));
    text(out, random, 1 + below(random, 4), true);
    buffer_str(out, "\",\"tags\":[");
    for (uint32_t i = 0, count = below(random, 4); i < count; i++)
        buffer_printf(out, "%s\"%s\"", i ? "," : "", word(random, true));
    buffer_printf(out, "],\"balance\":%u.%02u,\"score\":%.12f,\"note\":\"", below(random, 100000),
                  below(random, 100), below(random, 1000000) / 7.0);
    text(out, random, below(random, 12), true);
    buffer_str(out, "\"}");
}

static void order(struct buffer *out, struct random *random, uint32_t id)
{
    buffer_printf(out,
                  "{\"id\":%u,\"customer\":%u,\"ts\":%u,\"total\":%u.%02u,\"currency\":\"EUR\",\"paid\":%s,"
                  "\"location\":[%.7f,%.7f],\"items\":[",
                  id, below(random, 1000000), 1700000000 + below(random, 10000000), below(random, 10000),
                  below(random, 100), below(random, 2) ? "true" : "false", below(random, 1800000) / 1e4 - 90,
                  below(random, 3600000) / 1e4 - 180);
    for (uint32_t i = 0, count = 6 + below(random, 3); i < count; i++)
        buffer_printf(out, "%s{\"sku\":%u,\"qty\":%u,\"price\":%u.%02u,\"weight\":%.4f,\"tax\":%.2f}",
                      i ? "," : "", below(random, 10000000), below(random, 20) + 1, below(random, 500),
                      below(random, 100), below(random, 100000) / 3.0, below(random, 2000) / 100.0);
    buffer_str(out, "],\"metrics\":[");
    for (uint32_t i = 0; i < 12; i++)
        buffer_printf(out, "%s%.15g", i ? "," : "", (below(random, 2000000) - 1e6) / 997.0);
    buffer_printf(out, "],\"discount\":%.2f,\"version\":%u}", below(random, 100) / 100.0, below(random, 9));
}

static void change(struct buffer *out, struct random *random, uint32_t id)
{
    uint32_t page = below(random, 100000000);
    buffer_printf(
        out,
        "{\"$schema\":\"/mediawiki/recentchange/1.0.0\",\"meta\":{\"uri\":\"https://www.wikidata.org/wiki/"
        "Q%u\",\"request_id\":\"%08x-3d4c-4b1e-9f7a-%08x\",\"id\":\"%08x-6f0c-4a57-8a39-%08x\","
        "\"dt\":\"2024-05-0%uT10:%02u:%02uZ\",\"domain\":\"www.wikidata.org\",\"stream\":"
        "\"mediawiki.recentchange\",\"topic\":\"eqiad.mediawiki.recentchange\",\"partition\":0,"
        "\"offset\":%u},\"id\":%u,\"type\":\"edit\",\"namespace\":0,\"title\":\"",
        page, below(random, 1u << 31), below(random, 1u << 31), below(random, 1u << 31),
        below(random, 1u << 31), below(random, 9) + 1, below(random, 60), below(random, 60),
        below(random, 1u << 31), id);
    text(out, random, 3, false);
    buffer_printf(
        out,
        "\",\"title_url\":\"https://www.wikidata.org/wiki/Q%u\",\"comment\":\"/* wbsetclaim-create:2||1 */ "
        "[[Property:P%u]]: ",
        page, below(random, 10000));
    text(out, random, 10 + below(random, 10), false);
    buffer_printf(
        out,
        "\",\"timestamp\":%u,\"user\":\"%s%u\",\"bot\":%s,\"notify_url\":\"https://www.wikidata.org/w/"
        "index.php?diff=%u&oldid=%u&rcid=%u\",\"minor\":false,\"patrolled\":true,\"length\":{\"old\":%u,"
        "\"new\":%u},\"revision\":{\"old\":%u,\"new\":%u},\"server_url\":\"https://www.wikidata.org\","
        "\"server_name\":\"www.wikidata.org\",\"server_script_path\":\"/w\",\"wiki\":\"wikidatawiki\","
        "\"parsedcomment\":\"<span dir=\\\"auto\\\"><span class=\\\"autocomment\\\">Created claim: "
        "</span></span> <a href=\\\"/wiki/Property:P%u\\\" title=\\\"Property\\\">",
        1714550000 + below(random, 1000000), word(random, true), below(random, 1000),
        below(random, 2) ? "true" : "false", below(random, 1u << 31), below(random, 1u << 31), id,
        below(random, 100000), below(random, 100000), below(random, 1u << 31), below(random, 1u << 31),
        below(random, 10000));
    text(out, random, 10 + below(random, 12), false);
    buffer_str(out, "</a>\"}");
}

typedef void generate_document(struct buffer *out, struct random *random, uint32_t id);

struct set {
    const char *name;
    generate_document *generate[3]; /* in turn, NULL from some place on */
    bool whole;                     /* one array of all of them, indented */
    struct buffer bytes;
    size_t *ends;
    size_t count, capacity;
};

static void set_end(struct set *set)
{
    set->ends = mem_grow(set->ends, &set->capacity, set->count + 1, sizeof *set->ends);
    set->ends[set->count++] = set->bytes.size;
}

static void set_make(struct set *set)
{
    struct random random = {.state = 7};
    buffer_init(&set->bytes, BUFFER_UNLIMITED);
    if (set->whole)
        buffer_byte(&set->bytes, '[');
    for (uint32_t id = 1, kinds = set->generate[1] ? 3 : 1; set->bytes.size < SET_BYTES; id++) {
        if (set->whole)
            buffer_str(&set->bytes, id > 1 ? ",\n    " : "\n    ");
        set->generate[id % kinds](&set->bytes, &random, id);
        if (!set->whole) {
            set_end(set);
            buffer_byte(&set->bytes, '\n');
        }
    }
    if (set->whole) {
        buffer_str(&set->bytes, "\n]\n");
        set_end(set);
    }
    buffer_reserve(&set->bytes, peer_padding());
    memset(set->bytes.data + set->bytes.size, 0, peer_padding());
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One pass over the set; MB/s of CPU time. */
static double round_firth(struct json_parser *parser, const struct set *set)
{
    double start = cpu_seconds();
    size_t from = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct json doc;
        struct error err;
        if (json_parse(parser, set->bytes.data + from, set->ends[i] - from, &doc, &err) < 0) {
            fprintf(stderr, "%s: %s\n", set->name, err.message);
            exit(1);
        }
        from = set->ends[i] + 1;
    }
    return (double)set->bytes.size / 1e6 / (cpu_seconds() - start);
}

static double round_peer(void *parser, const struct set *set)
{
    double start = cpu_seconds();
    size_t from = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (peer_parse(parser, set->bytes.data + from, set->ends[i] - from) != 0) {
            fprintf(stderr, "%s: simdjson refuses a document\n", set->name);
            exit(1);
        }
        from = set->ends[i] + 1;
    }
    return (double)set->bytes.size / 1e6 / (cpu_seconds() - start);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The variant of that name instead of the fastest, to see what other machines get. */
static void use(struct json_parser *parser, const char *name)
{
    struct json_variant variants[4];
    size_t count = json_variants(variants);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(variants[i].name, name) == 0) {
            json_parser_use(parser, variants[i]);
            return;
        }
    }
    fprintf(stderr, "this machine has no variant '%s'\n", name);
    exit(2);
}

static void measure(struct set *set, int rounds, const char *variant)
{
    double firth[ROUNDS_MAX], peer[ROUNDS_MAX], ratio[ROUNDS_MAX];
    struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    if (variant)
        use(parser, variant);
    void *peer_parser = peer_new();
    round_firth(parser, set);
    round_peer(peer_parser, set);
    for (int i = 0; i < rounds; i++) {
        firth[i] = round_firth(parser, set);
        peer[i] = round_peer(peer_parser, set);
        ratio[i] = firth[i] / peer[i];
    }
    json_parser_free(parser);
    peer_free(peer_parser);
    qsort(firth, (size_t)rounds, sizeof *firth, by_value);
    qsort(peer, (size_t)rounds, sizeof *peer, by_value);
    qsort(ratio, (size_t)rounds, sizeof *ratio, by_value);
    printf("json-parse %s: firth %.0f MB/s, simdjson %.0f MB/s, ratio %.2f (median of %d, %.2f..%.2f)\n",
           set->name, firth[rounds / 2], peer[rounds / 2], ratio[rounds / 2], rounds, ratio[0],
           ratio[rounds - 1]);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_json [ROUNDS [SET|all [VARIANT]]]   (1 to %d rounds, default %d)\n",
                ROUNDS_MAX, ROUNDS_DEFAULT);
        return 2;
    }
    struct set sets[] = {
        {.name = "records", .generate = {record}},
        {.name = "orders", .generate = {order}},
        {.name = "wiki", .generate = {change}},
        {.name = "large", .generate = {record, order, change}, .whole = true},
    };
    printf("json-parse: %d rounds, %d MB a set, simdjson's implementation: %s\n", rounds, SET_BYTES >> 20,
           peer_name());
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (argc > 2 && strcmp(argv[2], "all") != 0 && strcmp(argv[2], sets[i].name) != 0)
            continue;
        set_make(&sets[i]);
        measure(&sets[i], rounds, argc > 3 ? argv[3] : NULL);
        buffer_done(&sets[i].bytes);
        free(sets[i].ends);
    }
    return 0;
}
