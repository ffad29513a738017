/* Draining: the documents of one key after the other. */
#include "task/combiner_parts.h"

enum { VIOLATION_MAX = 1 };

/* The key that the item at the front has becomes the one that is drained. */
static struct combine_item begin_group(struct combiner *c, const struct combine_item *item)
{
    struct combine_item group = *item;
    buffer_clear(&c->group);
    buffer_append(&c->group, item->key.data, item->key.size);
    if (item->is_inexact)
        buffer_append(&c->group, item->document.data, item->document.size);
    group.key = (struct slice){c->group.data, item->key.size};
    group.document = (struct slice){c->group.data + item->key.size, c->group.size - item->key.size};
    return group;
}

static const struct combine_item *next_of_group(struct combiner *c, const struct combine_item *group)
{
    const struct combine_item *item = merge_peek(&c->merge);
    return item && combine_compare(c, group, item) == 0 ? item : NULL;
}

static void set_result(struct combiner *c, struct slice document)
{
    buffer_clear(&c->result);
    buffer_append(&c->result, document.data, document.size);
}

static void take_scratch(struct combiner *c)
{
    struct buffer swap = c->result;
    c->result = c->scratch;
    c->scratch = swap;
}

static int invalid(struct combiner *c, uint32_t binding, const struct json *doc, struct error *err)
{
    struct schema_violation violation[VIOLATION_MAX];
    struct arena arena;
    size_t count = 0;
    arena_init(&arena);
    if (schema_explain(c->bindings[binding].schema, c->validator, doc, 0, &arena, violation, VIOLATION_MAX,
                       &count, err) == 0)
        error_set(err, ERROR_INVALID, "reduced to a document that is not valid: %s: %s",
                  count && *violation->instance ? violation->instance : "(root)",
                  count ? violation->message : "its schema refuses it");
    arena_done(&arena);
    return combine_wrap(c, binding, doc, err);
}

static int check_result(struct combiner *c, uint32_t binding, struct error *err)
{
    struct json doc = combine_parse(c->left, (struct slice){c->result.data, c->result.size});
    int valid = schema_validate(c->bindings[binding].schema, c->validator, &doc, 0, err);
    if (valid < 0)
        return combine_wrap(c, binding, &doc, err);
    return valid ? 0 : invalid(c, binding, &doc, err);
}

/* Reduce the result so far (if there is one) with the item: the outcome, result and item as they were unless
 * it is done. */
static int reduce_item(struct combiner *c, const struct combine_item *item, bool has_result,
                       struct error *err)
{
    enum reduce_mode mode = c->bindings[item->binding].mode;
    struct json left, right = combine_parse(c->right, item->document);
    if (has_result)
        left = combine_parse(c->left, (struct slice){c->result.data, c->result.size});
    buffer_clear(&c->scratch);
    int outcome =
        reducer_reduce(c->reducers[item->binding], mode, has_result ? &left : NULL, &right, &c->scratch, err);
    if (outcome < 0)
        return combine_wrap(c, item->binding, &right, err);
    if (outcome == REDUCE_INVALID)
        return invalid(c, item->binding, &right, err);
    if (outcome != REDUCE_SEPARATE)
        take_scratch(c);
    return outcome;
}

/* As many documents as can be put together: nothing with one before it that deletes, or the deletion would be
 * forgotten before it reached what is stored. */
static int drain_partial(struct combiner *c, const struct combine_item *item, struct combined *ret_combined,
                         struct error *err)
{
    struct combine_item group = begin_group(c, item);
    bool is_reduced = item->is_reduced, ends = item->ends;
    set_result(c, item->document);
    if (merge_advance(&c->merge, err) < 0)
        return -1;
    while (!ends && (item = next_of_group(c, &group))) {
        ends = item->ends;
        int outcome = reduce_item(c, item, true, err);
        if (outcome < 0)
            return -1;
        if (outcome == REDUCE_SEPARATE)
            break;
        is_reduced = true;
        if (merge_advance(&c->merge, err) < 0)
            return -1;
    }
    if (is_reduced && check_result(c, group.binding, err) < 0)
        return -1;
    *ret_combined = (struct combined){.binding = group.binding, .document = {c->result.data, c->result.size}};
    return 1;
}

/* All documents of the key onto the left one. 0 if there is nothing but that. What comes after a document
 * that deletes begins anew. */
static int drain_full(struct combiner *c, const struct combine_item *item, struct combined *ret_combined,
                      struct error *err)
{
    struct combine_item group = begin_group(c, item);
    struct combined combined = {.binding = group.binding};
    bool has_result = false, any = false, is_reduced = false;
    for (; item; item = next_of_group(c, &group)) {
        if (item->is_left) {
            struct json doc = combine_parse(c->right, item->document);
            if (combined.exists) {
                error_set(err, ERROR_INVALID, "the endpoint's document came twice");
                return combine_wrap(c, item->binding, &doc, err);
            }
            set_result(c, item->document);
            combined.exists = has_result = true;
        } else {
            int outcome = reduce_item(c, item, has_result, err);
            if (outcome < 0)
                return -1;
            is_reduced |= has_result || item->is_reduced;
            combined.is_deleted = outcome == REDUCE_DELETED;
            has_result = !combined.is_deleted;
            any = true;
        }
        if (merge_advance(&c->merge, err) < 0)
            return -1;
    }
    if (any && is_reduced && !combined.is_deleted && check_result(c, group.binding, err) < 0)
        return -1;
    combined.document = (struct slice){c->result.data, c->result.size};
    *ret_combined = combined;
    return any;
}

int combiner_next(struct combiner *c, struct combined *ret_combined, struct error *err)
{
    if (!c->is_draining) {
        if (merge_open(&c->merge, c, MERGE_ALL, err) < 0)
            return -1;
        c->is_draining = true;
    }
    const struct combine_item *item;
    int got = 0;
    while (got == 0 && (item = merge_peek(&c->merge))) {
        bool is_full = c->bindings[item->binding].mode == REDUCE_FULL;
        got = (is_full ? drain_full : drain_partial)(c, item, ret_combined, err);
    }
    return got;
}
