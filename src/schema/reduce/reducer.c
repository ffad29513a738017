/* Reducing: which strategy applies where, and what of a document is copied. */
#include "schema/reduce/reducer.h"

const char *const reduce_annotations[] = {"reduce", NULL};

static int parse_strategies(struct reducer *r, struct error *err)
{
    size_t count;
    const struct schema_note *notes = schema_notes(r->schema, &count);
    r->strategies = mem_zalloc((count + 1) * sizeof *r->strategies);
    for (size_t i = 0; i < count; i++) {
        uint32_t at;
        if (notes[i].keyword != 0) /* not "reduce" */
            continue;
        const struct json *json = schema_note_value(r->schema, &notes[i], &at);
        if (strategy_parse(json, at, &r->arena, &r->strategies[i], err) == 0)
            continue;
        return error_wrap(err, "schema %.600s/reduce", schema_note_location(r->schema, &notes[i], &r->arena));
    }
    return 0;
}

struct reducer *reducer_new(const struct schema *schema, struct error *err)
{
    struct reducer *r = mem_zalloc(sizeof *r);
    r->schema = schema;
    r->validator = schema_validator_new();
    arena_init(&r->arena);
    for (int i = 0; i < 2; i++)
        buffer_init(&r->text[i], REDUCE_DOCUMENT_MAX);
    if (parse_strategies(r, err) < 0) {
        reducer_free(r);
        return NULL;
    }
    return r;
}

void reducer_free(struct reducer *r)
{
    if (!r)
        return;
    for (int i = 0; i < 2; i++)
        buffer_done(&r->text[i]);
    schema_validator_free(r->validator);
    json_parser_free(r->parser);
    arena_done(&r->arena);
    free(r->strategies);
    free(r->note_of);
    free(r->stack);
    free(r->places);
    free(r);
}

bool reduce_fail(struct reducer *r, uint32_t right, const char *message)
{
    struct buffer pointer;
    buffer_init(&pointer, 1024);
    json_pointer_of(r->right, right, &pointer);
    r->outcome = REDUCE_DONE;
    error_set(r->err, ERROR_INVALID, "reduction failed at location '%s': %s",
              pointer.overflowed ? "…" : buffer_cstr(&pointer), message);
    buffer_done(&pointer);
    return false;
}

bool reduce_separate(struct reducer *r)
{
    r->outcome = REDUCE_SEPARATE;
    return false;
}

size_t reduce_push(struct reducer *r, size_t count)
{
    size_t offset = r->stack_size;
    r->stack_size += count;
    r->stack = mem_grow(r->stack, &r->stack_capacity, r->stack_size + 1, sizeof *r->stack);
    return offset;
}

/* --- copying -------------------------------------------------------------------------------------- */

/* No member was dropped for a later one of its name, and no line break stands between values. */
static bool is_plain(const struct json *doc)
{
    return doc->duplicates == 0 && !memchr(doc->source, '\n', doc->size) &&
           !memchr(doc->source, '\r', doc->size);
}

void reduce_put_left(struct reducer *r, uint32_t at)
{
    if (r->left_is_plain)
        json_put_raw(&r->writer, json_raw(r->left, at));
    else
        json_put_value(&r->writer, r->left, at);
}

void reduce_put_right(struct reducer *r, uint32_t at)
{
    if (r->right_is_plain)
        json_put_raw(&r->writer, json_raw(r->right, at));
    else
        json_put_value(&r->writer, r->right, at);
}

void reduce_put_left_member(struct reducer *r, uint32_t key)
{
    json_put_key_of(&r->writer, r->left, key);
    reduce_put_left(r, json_value(key));
}

/* --- by strategy ---------------------------------------------------------------------------------- */

const struct strategy *reduce_strategy_at(const struct reducer *r, uint32_t right)
{
    uint32_t note = r->note_of[right];
    return note ? &r->strategies[note - 1] : &strategy_default;
}

bool reduce_is_dropped(const struct reducer *r, uint32_t right)
{
    return r->any_drops && reduce_strategy_at(r, right)->drops;
}

bool reduce_element(struct reducer *r, uint32_t left, uint32_t right)
{
    return reduce_is_dropped(r, right) || reduce_value(r, left, right);
}

bool reduce_member(struct reducer *r, uint32_t left, uint32_t right_key)
{
    uint32_t right = json_value(right_key);
    if (reduce_is_dropped(r, right))
        return true;
    json_put_key_of(&r->writer, r->right, right_key);
    return reduce_value(r, left, right);
}

static bool append(struct reducer *r, uint32_t left, uint32_t right)
{
    bool left_fits =
        left == JSON_NONE || json_is(r->left, left, JSON_ARRAY) || json_is(r->left, left, JSON_NULL);
    if (!json_is(r->right, right, JSON_ARRAY) || !left_fits)
        return reduce_fail(r, right, "append strategy expects arrays");
    if (left != JSON_NONE && json_is(r->left, left, JSON_NULL)) {
        json_put_null(&r->writer);
        return true;
    }
    json_begin_array(&r->writer);
    for (uint32_t e = json_first(r->left, left); e != JSON_NONE; e = json_next(r->left, left, e))
        reduce_put_left(r, e);
    for (uint32_t e = json_first(r->right, right); e != JSON_NONE; e = json_next(r->right, right, e)) {
        if (!reduce_element(r, JSON_NONE, e))
            return false;
    }
    json_end_array(&r->writer);
    return true;
}

/* The larger, or the smaller. Of equal ones the right, but with a key they are different values with
 * something in common, and merged. */
static bool extreme(struct reducer *r, const struct strategy *strategy, uint32_t left, uint32_t right)
{
    static const struct strategy deeply = {.kind = STRATEGY_MERGE};
    bool keyed = strategy->key.count > 0;
    int order = keyed ? key_compare(&strategy->key, r->left, left, r->right, right)
                      : json_compare(r->left, left, r->right, right);
    if (strategy->kind == STRATEGY_MAXIMIZE)
        order = -order;
    if (order < 0) {
        reduce_put_left(r, left);
        return true;
    }
    bool is_container = json_tag(r->left, left) == JSON_ARRAY || json_tag(r->left, left) == JSON_OBJECT ||
                        json_tag(r->right, right) == JSON_ARRAY || json_tag(r->right, right) == JSON_OBJECT;
    if (order == 0 && keyed && is_container)
        return reduce_merge(r, &deeply, left, right);
    reduce_put_right(r, right);
    return true;
}

static bool last(struct reducer *r, const struct strategy *strategy, uint32_t left, uint32_t right)
{
    if (!strategy->associative && !r->is_full && !json_equal(r->left, left, r->right, right))
        return reduce_separate(r);
    reduce_put_right(r, right);
    return true;
}

/* Nothing was there: the value as it is, but for what a full reduction drops. */
static bool first(struct reducer *r, const struct strategy *strategy, uint32_t right)
{
    enum json_tag tag = json_tag(r->right, right);
    bool is_container = tag == JSON_OBJECT || tag == JSON_ARRAY;
    if (r->any_drops && strategy->kind == STRATEGY_SET)
        return reduce_set(r, strategy, JSON_NONE, right);
    if (r->any_drops && strategy->kind == STRATEGY_MERGE && is_container)
        return reduce_merge(r, strategy, JSON_NONE, right);
    if (r->any_drops && strategy->kind == STRATEGY_APPEND && tag == JSON_ARRAY)
        return append(r, JSON_NONE, right);
    reduce_put_right(r, right);
    return true;
}

bool reduce_value(struct reducer *r, uint32_t left, uint32_t right)
{
    const struct strategy *strategy = reduce_strategy_at(r, right);
    if (left == JSON_NONE)
        return first(r, strategy, right);
    switch (strategy->kind) {
    case STRATEGY_APPEND:
        return append(r, left, right);
    case STRATEGY_FIRST_WRITE_WINS:
        reduce_put_left(r, left);
        return true;
    case STRATEGY_LAST_WRITE_WINS:
        return last(r, strategy, left, right);
    case STRATEGY_MAXIMIZE:
    case STRATEGY_MINIMIZE:
        return extreme(r, strategy, left, right);
    case STRATEGY_MERGE:
        return reduce_merge(r, strategy, left, right);
    case STRATEGY_SET:
        return reduce_set(r, strategy, left, right);
    case STRATEGY_SUM:
        return reduce_sum(r, left, right);
    case STRATEGY_JSON_SCHEMA_MERGE:
        return reduce_schemas(r, left, right);
    case STRATEGY_KIND_MAX:
        break;
    }
    return false;
}

/* --- whole documents ------------------------------------------------------------------------------ */

/* Which strategy applies to which value. What is said because the document matched counts before what is said
 * always; of several the first, so a schema's own before those of the schemas it refers to. */
static void spread(struct reducer *r, const struct schema_annotation *annotations, size_t count)
{
    size_t notes;
    const struct schema_note *all = schema_notes(r->schema, &notes);
    if (r->note_capacity < r->right->count)
        r->note_of = mem_grow(r->note_of, &r->note_capacity, r->right->count, sizeof *r->note_of);
    memset(r->note_of, 0, r->right->count * sizeof *r->note_of);
    r->any_drops = false;
    for (int chosen = 1; chosen >= 0; chosen--) {
        for (size_t i = 0; i < count; i++) {
            uint32_t note = annotations[i].note, *note_of = &r->note_of[annotations[i].instance];
            if (annotations[i].is_chosen != chosen || *note_of || all[note].keyword != 0)
                continue;
            *note_of = note + 1;
            r->any_drops |=
                r->is_full && (r->strategies[note].drops || r->strategies[note].kind == STRATEGY_SET);
        }
    }
}

int reduce_documents(struct reducer *r, struct buffer *out, struct error *err)
{
    size_t before = out->size;
    r->err = err;
    r->stack_size = 0;
    r->left_is_plain = r->left && is_plain(r->left);
    r->right_is_plain = is_plain(r->right);
    json_writer_init(&r->writer, out);
    bool done = reduce_value(r, r->left ? 0 : JSON_NONE, 0);
    if (done && !out->overflowed)
        return reduce_is_dropped(r, 0) ? REDUCE_DELETED : REDUCE_DONE;
    out->size = before;
    if (!done)
        return r->outcome == REDUCE_SEPARATE ? REDUCE_SEPARATE : -1;
    out->overflowed = false;
    return error_set(err, ERROR_LIMIT, "the reduced document is larger than %zu bytes", out->max);
}

int reduce_prepare(struct reducer *r, enum reduce_mode mode, const struct json *right, struct error *err)
{
    const struct schema_annotation *annotations = NULL;
    size_t count = 0;
    int valid = schema_annotate(r->schema, r->validator, right, 0, &annotations, &count, err);
    if (valid <= 0)
        return valid;
    r->right = right;
    r->is_full = mode == REDUCE_FULL;
    spread(r, annotations, count);
    return 1;
}

int reducer_reduce(struct reducer *r, enum reduce_mode mode, const struct json *left,
                   const struct json *right, struct buffer *out, struct error *err)
{
    int valid = reduce_prepare(r, mode, right, err);
    if (valid <= 0)
        return valid < 0 ? -1 : REDUCE_INVALID;
    r->left = left;
    return reduce_documents(r, out, err);
}

bool reducer_deletes(const struct reducer *r)
{
    return reduce_strategy_at(r, 0)->drops;
}
