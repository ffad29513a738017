/* Two updates in a row as one: when may it stand for both on the right of a reduction?
 *
 * Reductions are associative where the same strategy applies at a place whichever documents it meets there. A
 * schema may make it depend on the document (if, oneOf …). So the strategies of both updates and of what they
 * become are compared place by place; the elements of an array are one place. Hashes of different places that
 * are equal can only make two updates look incompatible. */
#include "schema/reduce/reducer.h"

#include "base/hash.h"

enum { PLACES_MIN = 64, IN_ARRAY = 1 };

static struct place_seen *find_place(const struct reducer *r, uint64_t path)
{
    size_t at = path & (r->place_slots - 1);
    while (r->places[at].path && r->places[at].path != path)
        at = (at + 1) & (r->place_slots - 1);
    return &r->places[at];
}

static void grow_places(struct reducer *r)
{
    struct place_seen *old = r->places;
    size_t slots = r->place_slots;
    r->place_slots = slots ? 2 * slots : PLACES_MIN;
    r->places = mem_zalloc(r->place_slots * sizeof *r->places);
    for (size_t i = 0; i < slots; i++) {
        if (old[i].path)
            *find_place(r, old[i].path) = old[i];
    }
    free(old);
}

/* Is it the strategy that has been seen here, if one has been? */
static bool same_as_seen(struct reducer *r, uint64_t path, uint64_t strategy)
{
    if (2 * (r->place_count + 1) > r->place_slots)
        grow_places(r);
    struct place_seen *seen = find_place(r, path);
    if (seen->path)
        return seen->strategy == strategy;
    *seen = (struct place_seen){path, strategy};
    r->place_count++;
    return true;
}

/* A table that is much larger than these documents need would cost more to clear than they are worth. */
static void forget_places(struct reducer *r, size_t values)
{
    if (r->place_slots > PLACES_MIN + 8 * values) {
        free(r->places);
        r->places = NULL;
        r->place_slots = 0;
    }
    if (r->place_slots)
        memset(r->places, 0, r->place_slots * sizeof *r->places);
    r->place_count = 0;
}

static uint64_t below(uint64_t path, uint64_t step)
{
    uint64_t hash = hash_xxh3(&step, sizeof step, path);
    return hash ? hash : 1;
}

/* As deep as a document may be. */
static bool see_value(struct reducer *r, uint32_t at, uint64_t path)
{
    const struct json *doc = r->right;
    if (!same_as_seen(r, path, reduce_strategy_at(r, at)->identity))
        return false;
    enum json_tag tag = json_tag(doc, at);
    if (tag == JSON_OBJECT) {
        for (uint32_t k = json_first_key(doc, at); k != JSON_NONE; k = json_next_key(doc, at, k)) {
            if (!see_value(r, json_value(k), below(path, (uint64_t)json_hash_of_key(doc, k) << 1)))
                return false;
        }
    } else if (tag == JSON_ARRAY) {
        uint64_t element = below(path, IN_ARRAY);
        for (uint32_t e = json_first(doc, at); e != JSON_NONE; e = json_next(doc, at, e)) {
            if (!see_value(r, e, element))
                return false;
        }
    }
    return true;
}

static bool see(struct reducer *r, const struct json *doc)
{
    struct error err;
    return reduce_prepare(r, REDUCE_PARTIAL, doc, &err) > 0 && see_value(r, 0, 1);
}

/* Which strategies apply to what the two have become? */
static bool see_result(struct reducer *r, const char *text, size_t size)
{
    struct json doc;
    struct error err;
    if (!r->parser) {
        struct json_limits limits = {.size_max = REDUCE_DOCUMENT_MAX, .depth_max = JSON_DEPTH_LIMIT};
        r->parser = json_parser_new(limits, JSON_DUPLICATES_LAST_WINS);
    }
    return json_parse(r->parser, text, size, &doc, &err) == 0 && see(r, &doc);
}

int reducer_regroup(struct reducer *r, const struct json *left, const struct json *right, struct buffer *out)
{
    struct error err;
    size_t before = out->size;
    forget_places(r, (size_t)left->count + right->count);
    if (!see(r, left) || !see(r, right))
        return REDUCE_SEPARATE;
    r->left = left;
    if (reduce_documents(r, out, &err) != REDUCE_DONE)
        return REDUCE_SEPARATE;
    if (see_result(r, out->data + before, out->size - before))
        return REDUCE_DONE;
    out->size = before;
    return REDUCE_SEPARATE;
}
