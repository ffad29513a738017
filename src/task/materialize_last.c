#include "task/materialize_last.h"

#include "base/hash.h"

enum { INACTIVE_MAX = 1024 }; /* kept of bindings that went: they are in every commit */

/* A connector may have made its tables and not have come to say so: it was killed, we were, or the next table
 * failed. A binding that it is told nothing of is new to it, and a new binding's table must not exist. So
 * what is sent is kept before it is sent, and is what was there before from then on.
 *
 * Of a resource that is in both, what was applied counts: if its counter was raised, nobody knows whether its
 * table was emptied, and told the old counter the connector does it again; with the counter unchanged, it
 * adds what is missing to what it finds. Of one that several attempts sent, the oldest counts, for the same
 * reason. What was begun and is not in the specification that was applied in the end may have a table all the
 * same: it is one of its inactive bindings, as those are that were applied once and went, for the day the
 * binding comes back. */

/* --- reading --------------------------------------------------------------------------------------- */

static int read_spec(const char *text, const char *member, struct arena *arena,
                     struct flow_materialize_apply *ret_apply, struct error *err)
{
    struct flow_materialize_request request;
    struct json *doc = arena_alloc(arena, sizeof *doc);
    if (json_parse_copy(arena, text, strlen(text), doc, err) < 0 ||
        flow_materialize_read_request(doc, arena, &request, err) < 0 ||
        request.type != FLOW_MATERIALIZE_APPLY || !request.apply.materialization)
        return error_set(err, ERROR_CORRUPT,
                         "the checkpoint: 'materialize.%s' is not as this program writes it", member);
    *ret_apply = request.apply;
    return 0;
}

static const struct flow_materialize_binding *find(const struct flow_materialize_bindings *bindings,
                                                   struct flow_texts path)
{
    for (size_t i = 0; i < bindings->count; i++) {
        struct flow_texts other = bindings->items[i].resource_path;
        bool equal = other.count == path.count;
        for (size_t j = 0; equal && j < path.count; j++)
            equal = slice_equal(other.items[j], path.items[j]);
        if (equal)
            return &bindings->items[i];
    }
    return NULL;
}

static bool has_path(const struct flow_materialize_bindings *bindings, struct flow_texts path)
{
    return find(bindings, path) != NULL;
}

/* `first`, and what only `second` has. */
static struct flow_materialize_bindings join(struct flow_materialize_bindings first,
                                             struct flow_materialize_bindings second, struct arena *arena)
{
    struct flow_materialize_binding *items =
        arena_zalloc(arena, (first.count + second.count + 1) * sizeof *items);
    size_t count = first.count;
    if (first.count)
        memcpy(items, first.items, first.count * sizeof *items);
    for (size_t i = 0; i < second.count; i++) {
        if (!has_path(&first, second.items[i].resource_path))
            items[count++] = second.items[i];
    }
    return (struct flow_materialize_bindings){items, count};
}

/* What of the bindings the others have not. */
static struct flow_materialize_bindings without(struct flow_materialize_bindings bindings,
                                                struct flow_materialize_bindings others, struct arena *arena)
{
    struct flow_materialize_binding *items = arena_zalloc(arena, (bindings.count + 1) * sizeof *items);
    size_t count = 0;
    for (size_t i = 0; i < bindings.count; i++) {
        if (!has_path(&others, bindings.items[i].resource_path))
            items[count++] = bindings.items[i];
    }
    return (struct flow_materialize_bindings){items, count};
}

int task_materialize_last_read(const struct task_checkpoint *checkpoint, struct slice config,
                               struct arena *arena, struct task_materialize_last *ret_last, struct error *err)
{
    const struct task_materialize_saved *saved = &checkpoint->materialize;
    struct flow_materialize_apply applied = {0}, begun = {0};
    *ret_last = (struct task_materialize_last){0};
    if (*saved->spec && read_spec(saved->spec, "spec", arena, &applied, err) < 0)
        return -1;
    if (*saved->applying && read_spec(saved->applying, "applying", arena, &begun, err) < 0)
        return -1;
    const struct flow_materialize_spec *base =
        applied.materialization ? applied.materialization : begun.materialization;
    if (!base)
        return 0;
    struct flow_materialize_spec *spec = arena_dup(arena, base, sizeof *spec);
    if (applied.materialization)
        ret_last->applied = applied.materialization->bindings;
    if (begun.materialization)
        ret_last->begun = begun.materialization->bindings;
    struct flow_materialize_bindings inactive = spec->inactive_bindings;
    if (applied.materialization) /* one that was about to come back is what it was */
        spec->bindings = join(ret_last->applied, without(ret_last->begun, inactive, arena), arena);
    else
        spec->bindings = ret_last->begun;
    spec->inactive_bindings = without(inactive, spec->bindings, arena);
    spec->raw_config = config;
    ret_last->spec = spec;
    ret_last->unfinished = begun.version.size > 0;
    ret_last->version =
        applied.materialization ? slice_of(arena_strdup(arena, checkpoint->flow.version)) : begun.version;
    return 0;
}

const struct flow_materialize_binding *task_materialize_last_find(const struct task_materialize_last *last,
                                                                  struct flow_texts resource_path)
{
    if (!last->spec)
        return NULL;
    const struct flow_materialize_binding *found = find(&last->spec->bindings, resource_path);
    return found ? found : find(&last->spec->inactive_bindings, resource_path);
}

/* --- keeping --------------------------------------------------------------------------------------- */

static struct flow_materialize_bindings without_schemas(struct flow_materialize_bindings bindings,
                                                        struct arena *arena)
{
    struct flow_materialize_binding *items = arena_zalloc(arena, (bindings.count + 1) * sizeof *items);
    for (size_t i = 0; i < bindings.count; i++) {
        items[i] = bindings.items[i];
        struct flow_collection *collection = arena_dup(arena, items[i].collection, sizeof *collection);
        collection->raw_write_schema = SLICE_LITERAL("{}");
        collection->raw_read_schema = (struct slice){0};
        items[i].collection = collection;
    }
    return (struct flow_materialize_bindings){items, bindings.count};
}

/* Without the config, which has secrets, and without schemas, which are long: connectors look at what was
 * selected, and at the paths and counters. */
static void keep(char **text, const struct flow_materialize_spec *whole,
                 struct flow_materialize_bindings bindings, struct slice version, struct arena *arena)
{
    struct flow_materialize_spec spec = *whole;
    spec.bindings = without_schemas(bindings, arena);
    spec.inactive_bindings = without_schemas(whole->inactive_bindings, arena);
    spec.raw_config = SLICE_LITERAL("{}");
    const struct flow_materialize_request request = {.type = FLOW_MATERIALIZE_APPLY,
                                                     .apply = {.materialization = &spec, .version = version}};
    struct buffer line;
    buffer_init(&line, BUFFER_UNLIMITED);
    flow_materialize_write_request(&line, &request);
    task_materialize_saved_set(text, (struct slice){line.data, line.size - 1}); /* without its newline */
    buffer_done(&line);
}

void task_materialize_last_begin(struct task_materialize_saved *saved,
                                 const struct task_materialize_last *last,
                                 const struct flow_materialize_spec *spec, struct slice version,
                                 struct arena *arena)
{
    keep(&saved->applying, spec, join(last->begun, spec->bindings, arena), version, arena);
}

void task_materialize_last_end(struct task_materialize_saved *saved, const struct flow_materialize_spec *spec,
                               struct arena *arena)
{
    keep(&saved->spec, spec, spec->bindings, (struct slice){0}, arena);
    task_materialize_saved_set(&saved->applying, (struct slice){0});
}

struct flow_materialize_bindings task_materialize_last_inactive(const struct task_materialize_last *last,
                                                                struct flow_materialize_bindings next,
                                                                struct arena *arena)
{
    if (!last->spec)
        return (struct flow_materialize_bindings){0};
    struct flow_materialize_bindings all =
        without(join(last->spec->bindings, last->spec->inactive_bindings, arena), next, arena);
    if (all.count > INACTIVE_MAX)
        all.count = INACTIVE_MAX;
    return all;
}

/* --- counters -------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, struct slice part)
{
    uint64_t size = part.size;
    hash = hash_xxh3(&size, sizeof size, hash);
    return hash_xxh3(part.data, part.size, hash);
}

const char *task_materialize_id(const char *collection, struct slice resource, struct arena *arena)
{
    uint64_t hash = mix(mix(3, slice_of(collection)), resource);
    return arena_printf(arena, "%016llx", (unsigned long long)hash);
}

uint32_t task_materialize_counter(const struct json *saved, const char *id, uint32_t catalog)
{
    uint32_t result = catalog;
    for (uint32_t at = json_first(saved, 0); at != JSON_NONE; at = json_next(saved, 0, at)) {
        uint32_t name = json_get(saved, at, "id");
        uint64_t kept = 0, counter = 0;
        if (!json_is(saved, name, JSON_STRING) || !json_string_is(saved, name, id))
            continue;
        uint32_t at_catalog = json_get(saved, at, "catalog"), at_counter = json_get(saved, at, "counter");
        if (at_catalog == JSON_NONE || !json_to_u64(saved, at_catalog, &kept) || at_counter == JSON_NONE ||
            !json_to_u64(saved, at_counter, &counter) || counter >= UINT32_MAX)
            continue;
        if (kept == catalog)
            result = (uint32_t)counter;
        else if (counter >= catalog)
            result = (uint32_t)counter + 1; /* the catalog's change means something all the same */
    }
    return result;
}
