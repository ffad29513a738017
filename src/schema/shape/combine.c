/* Two shapes made one: what fits either (union), what fits both (intersection).
 *
 * Both are exact where a shape can say it and wider where it cannot: a union never refuses what one of the
 * two took, an intersection never what both took. */
#include "schema/shape/tree.h"

#include <stdlib.h>

static const struct shape any = {.types = SHAPE_ANY, .max_length = UINT32_MAX, .max_items = UINT32_MAX};

static void replace(struct shape *into, const struct shape *by)
{
    struct shape *copy = shape_clone(by), old = *into;
    *into = *copy;
    *copy = old;
    shape_free(copy);
}

static int compare_bounds(const struct shape_bound *a, const struct shape_bound *b)
{
    return number_plan_compare(slice_of(a->text), b->plan);
}

/* The bound that is further in the direction of `sign`; no bound if one of them is none. */
static void loosen(struct shape_bound *into, const struct shape_bound *other, int sign)
{
    if (!other->text)
        shape_bound_clear(into);
    else if (into->text && compare_bounds(other, into) * sign > 0)
        shape_bound_copy(into, other);
}

/* The same, but one that is none gives way. */
static void tighten(struct shape_bound *into, const struct shape_bound *other, int sign)
{
    if (other->text && (!into->text || compare_bounds(other, into) * sign > 0))
        shape_bound_copy(into, other);
}

static bool texts_equal(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* --- union ------------------------------------------------------------------------------------------ */

static void keep_common_text(char **into, const char *other)
{
    if (!texts_equal(*into, other))
        shape_text_set(into, NULL);
}

static void union_annotations(struct shape *into, const struct shape *other)
{
    keep_common_text(&into->title, other->title);
    keep_common_text(&into->description, other->description);
    if (!shape_values_equal(into->fallback, other->fallback)) {
        shape_values_release(into->fallback);
        into->fallback = NULL;
    }
    if (into->reduce != other->reduce)
        into->reduce = SHAPE_REDUCE_MULTIPLE;
    if (into->redact != other->redact)
        into->redact = SHAPE_REDACT_MULTIPLE;
    into->secret |= other->secret;
    into->vague |= other->vague;
    if (into->complexity != other->complexity)
        into->complexity = into->complexity > other->complexity ? into->complexity : other->complexity;
}

static void union_choices(struct shape *into, const struct shape *other)
{
    struct shape_values *choices =
        into->choices && other->choices ? shape_values_union(into->choices, other->choices) : NULL;
    shape_values_release(into->choices);
    into->choices = choices;
}

static void union_numbers(struct shape *into, const struct shape *other)
{
    if (into->types & SHAPE_NUMBER) {
        loosen(&into->minimum, &other->minimum, -1);
        loosen(&into->maximum, &other->maximum, 1);
    } else {
        shape_bound_copy(&into->minimum, &other->minimum);
        shape_bound_copy(&into->maximum, &other->maximum);
    }
}

static void copy_strings(struct shape *into, const struct shape *other)
{
    shape_format_set(into, other->format);
    shape_text_set(&into->content_encoding, other->content_encoding);
    shape_text_set(&into->content_type, other->content_type);
    shape_bound_copy(&into->text_minimum, &other->text_minimum);
    shape_bound_copy(&into->text_maximum, &other->text_maximum);
    into->min_length = other->min_length;
    into->max_length = other->max_length;
}

static void union_strings(struct shape *into, const struct shape *other)
{
    if (!(into->types & SHAPE_STRING)) {
        copy_strings(into, other);
        return;
    }
    bool numbers = shape_text_is_number(into) || shape_text_is_number(other);
    shape_format_set(into, shape_format_join(into->format, other->format));
    keep_common_text(&into->content_encoding, other->content_encoding);
    keep_common_text(&into->content_type, other->content_type);
    loosen(&into->text_minimum, &other->text_minimum, -1);
    loosen(&into->text_maximum, &other->text_maximum, 1);
    if (numbers && !shape_text_is_number(into)) {
        shape_bound_clear(&into->text_minimum);
        shape_bound_clear(&into->text_maximum);
    }
    if (into->min_length > other->min_length)
        into->min_length = other->min_length;
    if (into->max_length < other->max_length)
        into->max_length = other->max_length;
}

/* What holds for the element at a position, or NULL for anything. */
static const struct shape *element(const struct shape *shape, uint32_t position)
{
    return position < shape->tuple_count ? shape->tuple[position] : shape->items;
}

static void longer_tuple(struct shape *into, uint32_t count)
{
    if (count <= into->tuple_count)
        return;
    into->tuple = mem_realloc(into->tuple, count * sizeof(struct shape *));
    while (into->tuple_count < count)
        into->tuple[into->tuple_count++] = into->items ? shape_clone(into->items) : shape_new_any();
}

/* *into is a shape or NULL: anything. */
static void union_optional(struct shape **into, const struct shape *other)
{
    if (*into && other) {
        shape_union(*into, other);
    } else {
        shape_free(*into);
        *into = NULL;
    }
}

static void union_arrays(struct shape *into, const struct shape *other)
{
    if (!(into->types & SHAPE_ARRAY)) {
        into->min_items = other->min_items;
        into->max_items = other->max_items;
        into->items = other->items ? shape_clone(other->items) : NULL;
        longer_tuple(into, other->tuple_count);
        for (uint32_t i = 0; i < other->tuple_count; i++)
            replace(into->tuple[i], other->tuple[i]);
        return;
    }
    longer_tuple(into, other->tuple_count);
    for (uint32_t i = 0; i < into->tuple_count; i++) {
        const struct shape *others = element(other, i);
        if (others)
            shape_union(into->tuple[i], others);
        else
            replace(into->tuple[i], &any);
    }
    union_optional(&into->items, other->items);
    if (into->min_items > other->min_items)
        into->min_items = other->min_items;
    if (into->max_items < other->max_items)
        into->max_items = other->max_items;
}

static struct shape_pattern *pattern_of(const struct shape *shape, const char *source)
{
    for (uint32_t i = 0; i < shape->pattern_count; i++) {
        if (strcmp(shape->patterns[i].source, source) == 0)
            return &shape->patterns[i];
    }
    return NULL;
}

/* Members that the pattern matches are, by the other shape, one of its patterns' or additional: which, is
 * not known, so it is all of them. */
static void union_with_others(struct shape *pattern, const struct shape *other)
{
    for (uint32_t i = 0; i < other->pattern_count; i++)
        shape_union(pattern, other->patterns[i].shape);
    if (other->additional)
        shape_union(pattern, other->additional);
    else
        replace(pattern, &any);
}

static void union_patterns(struct shape *into, const struct shape *other)
{
    uint32_t own = into->pattern_count;
    for (uint32_t i = 0; i < other->pattern_count; i++) {
        const struct shape_pattern *pattern = &other->patterns[i];
        if (pattern_of(into, pattern->source))
            continue;
        struct shape *shape = shape_clone(pattern->shape);
        union_with_others(shape, into);
        shape_pattern_add(into, pattern->source, shape);
    }
    for (uint32_t i = 0; i < own; i++) {
        const struct shape_pattern *same = pattern_of(other, into->patterns[i].source);
        if (same)
            shape_union(into->patterns[i].shape, same->shape);
        else
            union_with_others(into->patterns[i].shape, other);
    }
    /* A schema's patterns hold for its properties as well. */
    for (uint32_t i = 0; i < into->pattern_count; i++) {
        for (uint32_t p = 0; p < into->property_count; p++) {
            const struct shape_property *property = &into->properties[p];
            if (shape_pattern_matches(&into->patterns[i], (struct slice){property->name, property->size}))
                shape_union(into->patterns[i].shape, property->shape);
        }
    }
}

/* A name that a shape has not. One that has overflowed has never seen it, or it is beyond its last. */
static void union_with_absent(struct shape *shape, const struct shape *other, struct slice name)
{
    if (other->overflowed)
        return;
    mem_auto(shape_free) struct shape *others = shape_of_other(other, name);
    shape_union(shape, others);
}

static void union_properties(struct shape *into, const struct shape *other)
{
    uint32_t own = into->property_count, sorted = own - into->unsorted;
    for (uint32_t i = 0; i < own; i++) {
        struct shape_property *property = &into->properties[i];
        struct slice name = {property->name, property->size};
        const struct shape_property *same = shape_property(other, name);
        if (property->required && !(same && same->required)) {
            property->required = false;
            into->required_count--;
        }
        if (same)
            shape_union(property->shape, same->shape);
        else
            union_with_absent(property->shape, other, name);
    }
    for (uint32_t i = 0; i < other->property_count; i++) {
        const struct shape_property *property = &other->properties[i];
        struct slice name = {property->name, property->size};
        if (shape_property(into, name))
            continue;
        if (into->overflowed && shape_is_beyond(into, sorted, name)) {
            shape_union(into->additional, property->shape);
            continue;
        }
        struct shape *shape = shape_clone(property->shape);
        union_with_absent(shape, into, name);
        shape_property_add(into, name, false, shape);
    }
    shape_properties_sort(into);
    while (other->overflowed && into->property_count > 0) {
        const struct shape_property *last = &into->properties[into->property_count - 1];
        if (!shape_is_beyond(other, other->property_count - other->unsorted,
                             (struct slice){last->name, last->size}))
            break;
        shape_property_squash_last(into);
    }
}

static void union_objects(struct shape *into, const struct shape *other)
{
    if (!(into->types & SHAPE_OBJECT)) {
        for (uint32_t i = 0; i < other->property_count; i++) {
            const struct shape_property *property = &other->properties[i];
            shape_property_add(into, (struct slice){property->name, property->size}, property->required,
                               shape_clone(property->shape));
        }
        shape_properties_sort(into);
        for (uint32_t i = 0; i < other->pattern_count; i++)
            shape_pattern_add(into, other->patterns[i].source, shape_clone(other->patterns[i].shape));
        into->additional = other->additional ? shape_clone(other->additional) : NULL;
        into->overflowed = other->overflowed;
        return;
    }
    union_properties(into, other);
    union_patterns(into, other);
    union_optional(&into->additional, other->additional);
    into->overflowed = (into->overflowed || other->overflowed) && into->additional;
}

void shape_union(struct shape *into, const struct shape *other)
{
    if (other->types == 0)
        return;
    if (into->types == 0) {
        replace(into, other);
        return;
    }
    union_annotations(into, other);
    union_choices(into, other);
    if (other->types & SHAPE_NUMBER)
        union_numbers(into, other);
    if (other->types & SHAPE_STRING)
        union_strings(into, other);
    if (other->types & SHAPE_ARRAY)
        union_arrays(into, other);
    if (other->types & SHAPE_OBJECT)
        union_objects(into, other);
    into->types |= other->types;
}

/* --- intersection ----------------------------------------------------------------------------------- */

static void keep_first_text(char **into, const char *other)
{
    if (!*into)
        shape_text_set(into, other);
}

static void intersect_annotations(struct shape *into, const struct shape *other)
{
    keep_first_text(&into->title, other->title);
    keep_first_text(&into->description, other->description);
    if (!into->fallback)
        into->fallback = shape_values_hold(other->fallback);
    if (into->reduce == SHAPE_REDUCE_UNSET)
        into->reduce = other->reduce;
    if (into->redact == SHAPE_REDACT_UNSET)
        into->redact = other->redact;
    into->secret |= other->secret;
    into->vague |= other->vague;
    if (into->complexity == 0)
        into->complexity = other->complexity;
}

static void intersect_choices(struct shape *into, const struct shape *other)
{
    const struct shape_values *either = into->choices ? into->choices : other->choices;
    if (!either)
        return;
    struct shape_values *choices = into->choices && other->choices
                                       ? shape_values_both(into->choices, other->choices)
                                       : shape_values_hold(either);
    struct shape_values *fitting = choices ? shape_values_of_types(choices, into->types) : NULL;
    shape_values_release(choices);
    shape_values_release(into->choices);
    into->choices = fitting;
}

static void intersect_strings(struct shape *into, const struct shape *other)
{
    if (!into->format)
        shape_format_set(into, other->format);
    keep_first_text(&into->content_encoding, other->content_encoding);
    keep_first_text(&into->content_type, other->content_type);
    tighten(&into->text_minimum, &other->text_minimum, 1);
    tighten(&into->text_maximum, &other->text_maximum, -1);
    if (into->min_length < other->min_length)
        into->min_length = other->min_length;
    if (into->max_length > other->max_length)
        into->max_length = other->max_length;
}

static void intersect_optional(struct shape **into, const struct shape *other)
{
    if (*into && other)
        shape_intersect(*into, other);
    else if (other)
        *into = shape_clone(other);
}

static void intersect_arrays(struct shape *into, const struct shape *other)
{
    longer_tuple(into, other->tuple_count);
    for (uint32_t i = 0; i < into->tuple_count; i++) {
        const struct shape *others = element(other, i);
        if (others)
            shape_intersect(into->tuple[i], others);
    }
    intersect_optional(&into->items, other->items);
    if (into->min_items < other->min_items)
        into->min_items = other->min_items;
    if (into->max_items > other->max_items)
        into->max_items = other->max_items;
}

static void intersect_properties(struct shape *into, const struct shape *other)
{
    uint32_t own = into->property_count;
    for (uint32_t i = 0; i < own; i++) {
        struct shape_property *property = &into->properties[i];
        struct slice name = {property->name, property->size};
        const struct shape_property *same = shape_property(other, name);
        if (same && same->required && !property->required) {
            property->required = true;
            into->required_count++;
        }
        mem_auto(shape_free) struct shape *others = same ? NULL : shape_of_other(other, name);
        shape_intersect(property->shape, same ? same->shape : others);
    }
    for (uint32_t i = 0; i < other->property_count; i++) {
        const struct shape_property *property = &other->properties[i];
        struct slice name = {property->name, property->size};
        if (shape_property(into, name))
            continue;
        struct shape *shape = shape_clone(property->shape);
        mem_auto(shape_free) struct shape *others = shape_of_other(into, name);
        shape_intersect(shape, others);
        shape_property_add(into, name, property->required, shape);
    }
    shape_properties_sort(into);
}

static void intersect_objects(struct shape *into, const struct shape *other)
{
    intersect_properties(into, other);
    for (uint32_t i = 0; i < other->pattern_count; i++) {
        const struct shape_pattern *pattern = &other->patterns[i];
        struct shape_pattern *same = pattern_of(into, pattern->source);
        if (same)
            shape_intersect(same->shape, pattern->shape);
        else
            shape_pattern_add(into, pattern->source, shape_clone(pattern->shape));
    }
    intersect_optional(&into->additional, other->additional);
}

void shape_intersect(struct shape *into, const struct shape *other)
{
    intersect_annotations(into, other);
    into->types &= other->types;
    intersect_choices(into, other);
    tighten(&into->minimum, &other->minimum, 1);
    tighten(&into->maximum, &other->maximum, -1);
    intersect_strings(into, other);
    if (into->types & SHAPE_ARRAY)
        intersect_arrays(into, other);
    if (into->types & SHAPE_OBJECT)
        intersect_objects(into, other);
    shape_normalise(into);
}
