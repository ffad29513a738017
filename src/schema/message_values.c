/* What is said where one of certain values is expected: which they are, the nearest first. */
#include "schema/explain.h"

#include "json/writer.h"

enum { VALUES_SHOWN_MAX = 10, CANDIDATES_MAX = 1000, CANDIDATE_SIZE_MAX = 100 };

/* A value that would do. */
struct candidate {
    const struct json *json;
    const struct enum_value *value;
    const char *text; /* of a short string, else NULL */
    uint64_t hash;
    size_t distance, order;
};

struct candidates {
    struct arena arena; /* of texts */
    struct candidate *items;
    size_t count;
    size_t total; /* with those that are not among the items */
};

static void add_candidates(struct candidates *candidates, const struct enum_plan *plan, const char *given)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct enum_value *value = &plan->values[i];
        size_t same = 0;
        if (candidates->count == CANDIDATES_MAX) {
            candidates->total += plan->count - i;
            return;
        }
        struct candidate *one = &candidates->items[candidates->count];
        *one = (struct candidate){plan->json,       value, NULL, json_hash(plan->json, value->node), SIZE_MAX,
                                  candidates->count};
        while (same < candidates->count && candidates->items[same].hash != one->hash)
            same++;
        if (same < candidates->count)
            continue;
        if (value->tag == JSON_STRING && value->text.size <= CANDIDATE_SIZE_MAX)
            one->text = arena_strndup(&candidates->arena, value->text.text, value->text.size);
        if (given && one->text)
            one->distance = string_distance(given, one->text);
        candidates->count++;
        candidates->total++;
    }
}

static int by_distance(const void *first, const void *second)
{
    const struct candidate *a = first, *b = second;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void append_candidates(struct explainer *x, struct candidates *candidates, const char *given,
                              uint16_t types, uint32_t at)
{
    /* A short list keeps the schema's order. */
    if (candidates->total > VALUES_SHOWN_MAX)
        qsort(candidates->items, candidates->count, sizeof *candidates->items, by_distance);
    message_set(x, candidates->total == 1 ? "expected "
                   : candidates->total    ? "expected one of "
                                          : "nothing is allowed, since there is no value in the enum");
    const char *names[CANDIDATES_MAX];
    size_t count = 0, shown = 0;
    for (size_t i = 0; i < candidates->count; i++) {
        const struct candidate *one = &candidates->items[i];
        if (one->text)
            names[count++] = one->text;
        if (shown == VALUES_SHOWN_MAX)
            continue;
        buffer_str(&x->message, shown++ ? ", " : "");
        message_json(x, json_raw(one->json, one->value->node));
    }
    if (candidates->total > shown)
        buffer_printf(&x->message, " and %zu more", candidates->total - shown);
    if (types)
        message_more_types(x, types);
    buffer_str(&x->message, ", got ");
    message_content(x, at);
    if (given)
        message_suggestion(x, given, names, count);
}

void message_values(struct explainer *x, const struct clue *clues, size_t count, uint16_t types, uint32_t at)
{
    if (x->trial)
        return;
    struct candidates candidates = {.items = mem_alloc(CANDIDATES_MAX * sizeof *candidates.items)};
    arena_init(&candidates.arena);
    enum json_tag tag = json_tag(x->m->doc, at);
    const char *given = NULL;
    if ((tag == JSON_STRING || tag == JSON_KEY) && json_raw(x->m->doc, at).size <= CANDIDATE_SIZE_MAX) {
        struct slice text = machine_text(x->m, at);
        given = arena_strndup(&candidates.arena, text.data, text.size);
    }
    for (size_t i = 0; i < count; i++)
        add_candidates(&candidates, clues[i].plan, given);
    append_candidates(x, &candidates, given, types, at);
    arena_done(&candidates.arena);
    free(candidates.items);
}

bool message_differ(const struct clue *clues, size_t count)
{
    const struct enum_plan *plan = clues->plan;
    bool differ = plan->count > 1;
    for (size_t i = 1; i < count && !differ; i++)
        differ = clues[i].plan->count > 1 || !json_equal(plan->json, plan->values[0].node,
                                                         clues[i].plan->json, clues[i].plan->values[0].node);
    return differ;
}
