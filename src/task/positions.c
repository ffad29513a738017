#include "task/positions.h"

#include "protocol/flow.h"
#include "json/writer.h"

#include <endian.h>

enum {
    MAX_KEY_SIZE = 64 << 10, /* a larger one is not kept: the checkpoint is in every commit */
    IDENTITY_SIZE = 8,       /* alone, as versions before the marks wrote it, */
    MARKED_SIZE = 16,        /* and with the mark */
    TOTAL_SIZE = 16,
};

void task_positions_init(struct task_positions *positions, const struct task_position_source *sources,
                         size_t source_count)
{
    *positions = (struct task_positions){.sources = sources, .source_count = source_count};
    map_init(&positions->by_name);
    map_init(&positions->others);
    arena_init(&positions->arena);
    positions->max_keys = arena_zalloc(&positions->arena, (source_count + 1) * sizeof *positions->max_keys);
    positions->totals = arena_zalloc(&positions->arena, (source_count + 1) * sizeof *positions->totals);
    for (size_t i = 0; i < source_count; i++)
        buffer_init(&positions->max_keys[i], MAX_KEY_SIZE);
}

void task_positions_done(struct task_positions *positions)
{
    for (size_t i = 0; i < positions->source_count; i++)
        buffer_done(&positions->max_keys[i]);
    map_done(&positions->by_name);
    map_done(&positions->others);
    free(positions->items);
    arena_done(&positions->arena);
    *positions = (struct task_positions){0};
}

static struct task_journal *find(const struct task_positions *positions, size_t binding, const char *writer,
                                 struct buffer *name)
{
    buffer_clear(name);
    buffer_printf(name, "%zu/%s", binding, writer);
    return map_get(&positions->by_name, (struct slice){name->data, name->size});
}

struct task_journal *task_positions_journal(struct task_positions *positions, size_t binding,
                                            const char *writer)
{
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    struct task_journal *journal = find(positions, binding, writer, &name);
    if (!journal) {
        journal = arena_zalloc(&positions->arena, sizeof *journal);
        journal->binding = binding;
        journal->writer = arena_strdup(&positions->arena, writer);
        map_set(&positions->by_name, (struct slice){name.data, name.size}, journal);
        positions->items = mem_grow(positions->items, &positions->capacity, positions->count + 1,
                                    sizeof(struct task_journal *));
        positions->items[positions->count++] = journal;
    }
    buffer_done(&name);
    return journal;
}

/* --- names ----------------------------------------------------------------------------------------- */

static bool stays(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-_+.=", c));
}

static void put_name(const struct task_position_source *source, const char *writer, struct buffer *name)
{
    buffer_clear(name);
    buffer_printf(name, "%s/", source->collection);
    for (const char *c = writer; *c; c++) {
        if (stays(*c))
            buffer_byte(name, *c);
        else
            buffer_printf(name, "%%%02X", (unsigned char)*c);
    }
    buffer_byte(name, ';');
    buffer_append(name, source->suffix.data, source->suffix.size);
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The writer in the name of one of the source's journals, in the arena; NULL if it is another's. */
static const char *writer_in(const struct task_position_source *source, struct slice name,
                             struct arena *arena)
{
    size_t head = strlen(source->collection), tail = source->suffix.size;
    if (name.size < head + tail + 2 || memcmp(name.data, source->collection, head) != 0 ||
        name.data[head] != '/' || name.data[name.size - tail - 1] != ';' ||
        memcmp(name.data + name.size - tail, source->suffix.data, tail) != 0)
        return NULL;
    const char *from = name.data + head + 1, *end = name.data + name.size - tail - 1;
    char *writer = arena_alloc(arena, (size_t)(end - from) + 1), *to = writer;
    for (; from < end; from++) {
        if (*from == '/' || *from == ';')
            return NULL;
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        int high = end - from > 2 ? hex(from[1]) : -1, low = end - from > 2 ? hex(from[2]) : -1;
        if (high < 0 || low < 0)
            return NULL;
        *to++ = (char)(high << 4 | low);
        from += 2;
    }
    *to = '\0';
    return writer;
}

/* A read suffix without its backfill counter. */
static struct slice without_counter(struct slice suffix)
{
    size_t digits = 0;
    while (digits < suffix.size && suffix.data[suffix.size - 1 - digits] >= '0' &&
           suffix.data[suffix.size - 1 - digits] <= '9')
        digits++;
    bool counted = digits > 0 && suffix.size > digits + 2 &&
                   memcmp(suffix.data + suffix.size - digits - 2, ".v", 2) == 0;
    return (struct slice){suffix.data, counted ? suffix.size - digits - 2 : suffix.size};
}

static void keep_other(struct task_positions *positions, struct slice name, uint64_t number,
                       const struct task_journal *log)
{
    const char *end = memchr(name.data, ';', name.size);
    if (!end || number == 0)
        return;
    struct slice suffix = {end + 1, name.size - (size_t)(end + 1 - name.data)};
    for (size_t i = 0; i < positions->source_count; i++) {
        if (slice_equal(without_counter(suffix), without_counter(positions->sources[i].suffix)))
            return;
    }
    struct task_journal *other = arena_zalloc(&positions->arena, sizeof *other);
    other->next = number;
    other->identity = log->identity;
    other->mark = log->mark;
    map_set(&positions->others, name, other);
}

/* --- the checkpoint -------------------------------------------------------------------------------- */

typedef void write_journal(struct slice name, const struct task_journal *journal, void *argument);

/* Every journal that has a position: of all bindings and of others, or of `only` one binding. */
static void for_each(const struct task_positions *positions, const size_t *only, write_journal *write,
                     void *argument)
{
    struct buffer name;
    struct map_entry *other;
    buffer_init(&name, BUFFER_UNLIMITED);
    for (size_t i = 0; i < positions->count; i++) {
        const struct task_journal *journal = positions->items[i];
        if (journal->next == 0 || (only && journal->binding != *only))
            continue;
        put_name(&positions->sources[journal->binding], journal->writer, &name);
        write((struct slice){name.data, name.size}, journal, argument);
    }
    for (size_t at = 0; !only && (other = map_next(&positions->others, &at));)
        write(other->key, other->value, argument);
    buffer_done(&name);
}

static void write_source(struct slice name, const struct task_journal *journal, void *argument)
{
    struct json_writer *writer = argument;
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)journal->next);
    json_put_key_slice(writer, name);
    json_begin_object(writer);
    json_member_string(writer, "readThrough", number);
    json_end_object(writer);
}

static void write_sources(const struct task_positions *positions, const size_t *only,
                          struct json_writer *writer)
{
    json_put_key(writer, "sources");
    json_begin_object(writer);
    for_each(positions, only, write_source, writer);
    json_end_object(writer);
}

/* "ackIntents", which is left out if nothing is in it. */
struct intents {
    struct json_writer *writer;
    bool any;
};

static void write_intent(struct intents *intents, struct slice name, struct slice bytes)
{
    if (!intents->any) {
        json_put_key(intents->writer, "ackIntents");
        json_begin_object(intents->writer);
    }
    intents->any = true;
    json_put_key_slice(intents->writer, name);
    flow_bytes_write(intents->writer, bytes);
}

static void write_identity(struct slice name, const struct task_journal *journal, void *argument)
{
    const uint64_t bytes[] = {htole64(journal->identity), htole64(journal->mark)};
    static_assert(sizeof bytes == MARKED_SIZE, "as it is read");
    if (journal->identity || journal->mark)
        write_intent(argument, name,
                     (struct slice){(const char *)bytes, journal->mark ? MARKED_SIZE : IDENTITY_SIZE});
}

static struct slice total_name(const struct task_position_source *source, struct buffer *name)
{
    struct slice suffix = without_counter(source->suffix);
    buffer_clear(name);
    buffer_printf(name, "%.*s;documents", SLICE_ARGS(suffix));
    return (struct slice){name->data, name->size};
}

static void write_totals(const struct task_positions *positions, struct intents *intents)
{
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    for (size_t i = 0; i < positions->source_count; i++) {
        const struct task_position_total *total = &positions->totals[i];
        uint64_t bytes[2] = {htole64(total->documents), htole64(total->bytes)};
        static_assert(sizeof bytes == TOTAL_SIZE, "as it is read");
        if (total->known)
            write_intent(intents, total_name(&positions->sources[i], &name),
                         (struct slice){(const char *)bytes, TOTAL_SIZE});
    }
    buffer_done(&name);
}

static void write_intents(const struct task_positions *positions, const size_t *only,
                          struct json_writer *writer)
{
    struct intents intents = {writer, false};
    for (size_t i = 0; i < positions->source_count && !only; i++) {
        const struct buffer *key = &positions->max_keys[i];
        if (key->size > 0)
            write_intent(&intents, positions->sources[i].suffix, (struct slice){key->data, key->size});
    }
    for_each(positions, only, write_identity, &intents);
    if (!only)
        write_totals(positions, &intents);
    if (intents.any)
        json_end_object(writer);
}

void task_positions_write(const struct task_positions *positions, struct json_writer *writer)
{
    json_begin_object(writer);
    write_sources(positions, NULL, writer);
    write_intents(positions, NULL, writer);
    json_end_object(writer);
}

void task_positions_write_of(const struct task_positions *positions, size_t binding,
                             struct json_writer *writer)
{
    json_begin_object(writer);
    write_sources(positions, &binding, writer);
    write_intents(positions, &binding, writer);
    json_end_object(writer);
}

static int wrong(struct error *err, const char *what)
{
    return error_set(err, ERROR_PROTOCOL, "the runtime checkpoint is none of this program's: %s", what);
}

static bool read_number(const struct json *doc, uint32_t at, uint64_t *ret_number)
{
    char text[24];
    if (at == JSON_NONE) {
        *ret_number = 0; /* a default, which Flow's connectors leave out */
        return true;
    }
    if (!json_is(doc, at, JSON_STRING))
        return json_to_u64(doc, at, ret_number) && *ret_number <= INT64_MAX;
    struct slice inner = json_inner(doc, at);
    if (inner.size >= sizeof text)
        return false;
    memcpy(text, inner.data, inner.size);
    text[inner.size] = '\0';
    return string_to_u64(text, INT64_MAX, ret_number);
}

/* The log that the journal's position counts in: its identity and the mark, 0 where they are not known. */
static void read_identity(const struct json *doc, uint32_t intents, struct slice name, struct arena *arena,
                          struct task_journal *log)
{
    struct slice bytes;
    uint64_t read[2] = {0};
    if (flow_bytes_read(doc, json_get_slice(doc, intents, name), arena, &bytes) &&
        (bytes.size == IDENTITY_SIZE || bytes.size == MARKED_SIZE))
        memcpy(read, bytes.data, bytes.size);
    log->identity = le64toh(read[0]);
    log->mark = le64toh(read[1]);
}

static void read_totals(struct task_positions *positions, const struct json *doc, uint32_t intents,
                        struct arena *arena)
{
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    for (size_t i = 0; i < positions->source_count; i++) {
        struct slice bytes;
        uint64_t read[2];
        uint32_t at = json_get_slice(doc, intents, total_name(&positions->sources[i], &name));
        if (!flow_bytes_read(doc, at, arena, &bytes) || bytes.size != TOTAL_SIZE)
            continue;
        memcpy(read, bytes.data, TOTAL_SIZE);
        task_positions_set_total(positions, i, le64toh(read[0]), le64toh(read[1]));
    }
    buffer_done(&name);
}

int task_positions_load(struct task_positions *positions, const struct json *doc, uint32_t at,
                        struct error *err)
{
    uint32_t sources = json_get(doc, at, "sources"), intents = json_get(doc, at, "ackIntents");
    if (!json_is(doc, at, JSON_OBJECT) || (sources != JSON_NONE && !json_is(doc, sources, JSON_OBJECT)))
        return wrong(err, "'sources' is to be an object");
    if (json_count(doc, sources) > TASK_POSITIONS_MAX)
        return wrong(err, "it has too many sources");
    struct arena arena;
    int result = 0;
    arena_init(&arena);
    for (uint32_t key = json_first_key(doc, sources); key != JSON_NONE && result == 0;
         key = json_next_key(doc, sources, key)) {
        struct slice name = json_string(doc, key, &arena);
        uint64_t number = 0;
        if (!read_number(doc, json_get(doc, json_value(key), "readThrough"), &number))
            result = wrong(err, "'readThrough' is to be a number in a string");
        struct task_journal log = {0};
        read_identity(doc, intents, name, &arena, &log);
        bool taken = false;
        for (size_t i = 0; i < positions->source_count && result == 0; i++) {
            const char *writer = writer_in(&positions->sources[i], name, &arena);
            if (!writer)
                continue;
            struct task_journal *journal = task_positions_journal(positions, i, writer);
            journal->next = number;
            journal->identity = log.identity;
            journal->mark = log.mark;
            taken = true;
        }
        if (result == 0 && !taken)
            keep_other(positions, name, number, &log);
    }
    for (size_t i = 0; i < positions->source_count && result == 0; i++) {
        struct slice key;
        if (flow_bytes_read(doc, json_get_slice(doc, intents, positions->sources[i].suffix), &arena, &key))
            task_positions_set_max_key(positions, i, key);
    }
    if (result == 0)
        read_totals(positions, doc, intents, &arena);
    arena_done(&arena);
    return result;
}

/* Is the journal read with one of the owner's suffixes? */
static bool is_owned(struct slice name, struct slice owner)
{
    const char *end = memchr(name.data, ';', name.size);
    size_t rest = end ? name.size - (size_t)(end + 1 - name.data) : 0;
    return rest > owner.size && memcmp(end + 1, owner.data, owner.size) == 0;
}

/* A journal of a binding's collection, read with its suffix, that is not named as this program names them. */
static bool is_of_another_runtime(const struct task_positions *positions, struct slice name,
                                  struct arena *arena)
{
    for (size_t i = 0; i < positions->source_count; i++) {
        const struct task_position_source *source = &positions->sources[i];
        size_t head = strlen(source->collection), tail = source->suffix.size;
        if (name.size > head + tail && memcmp(name.data, source->collection, head) == 0 &&
            name.data[head] == '/' && name.data[name.size - tail - 1] == ';' &&
            memcmp(name.data + name.size - tail, source->suffix.data, tail) == 0 &&
            !writer_in(source, name, arena))
            return true;
    }
    return false;
}

static int refuse_source(struct slice name, const char *task, const char *why, struct error *err)
{
    return error_set(
        err, ERROR_INVALID,
        "the runtime checkpoint that the endpoint keeps is not %s's: it has read '%.*s', %s. Give "
        "this materialization a place of its own at the endpoint (another schema, or whatever "
        "keeps the connector's checkpoints apart), or remove that checkpoint there, and it begins "
        "from the first document",
        task, (int)utf8_cut(name.data, name.size, 200), name.data, why);
}

int task_positions_check_owner(const struct task_positions *positions, const char *task,
                               const struct json *doc, uint32_t at, struct error *err)
{
    uint32_t sources = json_get(doc, at, "sources");
    struct arena arena;
    int result = 0;
    if (json_is(doc, at, JSON_OBJECT) && sources == JSON_NONE && json_count(doc, at) > 0 &&
        json_get(doc, at, "ackIntents") == JSON_NONE)
        return error_set(err, ERROR_INVALID,
                         "the runtime checkpoint that the endpoint keeps has no 'sources', so that what was "
                         "read is not known: right would be what 'startCommit' had, or {} before the first");
    if (!json_is(doc, sources, JSON_OBJECT))
        return 0; /* empty, or none at all */
    arena_init(&arena);
    struct slice owner = slice_of(arena_printf(&arena, "materialize/%s/", task));
    for (uint32_t key = json_first_key(doc, sources); key != JSON_NONE && result == 0;
         key = json_next_key(doc, sources, key)) {
        struct slice name = json_string(doc, key, &arena);
        if (!is_owned(name, owner))
            result = refuse_source(
                name, task, "which is of another materialization, or of this one under another name", err);
        else if (is_of_another_runtime(positions, name, &arena))
            result = refuse_source(name, task, "which no task of this program wrote", err);
    }
    arena_done(&arena);
    return result;
}

void task_positions_set_max_key(struct task_positions *positions, size_t binding, struct slice packed)
{
    struct buffer *key = &positions->max_keys[binding];
    buffer_clear(key);
    buffer_append(key, packed.data, packed.size);
}

void task_positions_set_total(struct task_positions *positions, size_t binding, uint64_t documents,
                              uint64_t bytes)
{
    positions->totals[binding] = (struct task_position_total){true, documents, bytes};
}

bool task_positions_zero(const struct task_positions *positions, size_t binding)
{
    for (size_t i = 0; i < positions->count; i++) {
        if (positions->items[i]->binding == binding && positions->items[i]->next > 0)
            return false;
    }
    return true;
}

uint64_t task_positions_read_least(const struct json *checkpoint, const char *collection, const char *writer)
{
    const struct task_position_source source = {.collection = collection};
    uint32_t sources = json_get(checkpoint, 0, "sources");
    uint64_t least = UINT64_MAX, number;
    struct buffer prefix; /* with its ';' */
    struct arena arena;
    buffer_init(&prefix, BUFFER_UNLIMITED);
    arena_init(&arena);
    put_name(&source, writer, &prefix);
    for (uint32_t key = json_first_key(checkpoint, sources); key != JSON_NONE;
         key = json_next_key(checkpoint, sources, key)) {
        struct slice name = json_string(checkpoint, key, &arena);
        if (name.size > prefix.size && memcmp(name.data, prefix.data, prefix.size) == 0 &&
            read_number(checkpoint, json_get(checkpoint, json_value(key), "readThrough"), &number) &&
            number < least)
            least = number;
    }
    arena_done(&arena);
    buffer_done(&prefix);
    return least == UINT64_MAX ? 0 : least;
}
