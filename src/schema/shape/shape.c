/* Shapes as trees: made, copied, freed, and their members found. */
#include "schema/regex.h"
#include "schema/shape/tree.h"

#include <stdlib.h>

struct shape *shape_new_nothing(void)
{
    struct shape *shape = mem_zalloc(sizeof *shape);
    shape->max_length = shape->max_items = UINT32_MAX;
    return shape;
}

struct shape *shape_new_any(void)
{
    struct shape *shape = shape_new_nothing();
    shape->types = SHAPE_ANY;
    return shape;
}

/* --- texts and bounds ------------------------------------------------------------------------------- */

void shape_text_set(char **text, const char *to)
{
    char *copy = to ? mem_strdup(to) : NULL;
    free(*text);
    *text = copy;
}

void shape_bound_clear(struct shape_bound *bound)
{
    free(bound->plan);
    *bound = (struct shape_bound){NULL, NULL};
}

void shape_bound_set(struct shape_bound *bound, struct slice text)
{
    struct number_plan *plan = mem_alloc(sizeof *plan + text.size + 1);
    char *copy = (char *)(plan + 1);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *plan = number_plan_of((struct slice){copy, text.size});
    shape_bound_clear(bound);
    *bound = (struct shape_bound){copy, plan};
}

void shape_bound_copy(struct shape_bound *into, const struct shape_bound *from)
{
    if (from->text)
        shape_bound_set(into, slice_of(from->text));
    else
        shape_bound_clear(into);
}

/* --- freeing and opening ----------------------------------------------------------------------------- */

void shape_open_numbers(struct shape *shape)
{
    shape_bound_clear(&shape->minimum);
    shape_bound_clear(&shape->maximum);
}

void shape_open_strings(struct shape *shape)
{
    shape_format_set(shape, NULL);
    shape_text_set(&shape->content_encoding, NULL);
    shape_text_set(&shape->content_type, NULL);
    shape_bound_clear(&shape->text_minimum);
    shape_bound_clear(&shape->text_maximum);
    shape->min_length = 0;
    shape->max_length = UINT32_MAX;
}

void shape_open_arrays(struct shape *shape)
{
    for (uint32_t i = 0; i < shape->tuple_count; i++)
        shape_free(shape->tuple[i]);
    free(shape->tuple);
    shape_free(shape->items);
    shape->tuple = NULL;
    shape->items = NULL;
    shape->tuple_count = shape->min_items = 0;
    shape->max_items = UINT32_MAX;
}

void shape_open_objects(struct shape *shape)
{
    for (uint32_t i = 0; i < shape->property_count; i++) {
        free(shape->properties[i].name);
        shape_free(shape->properties[i].shape);
    }
    for (uint32_t i = 0; i < shape->pattern_count; i++) {
        free(shape->patterns[i].source);
        regex_free(shape->patterns[i].regex);
        regex_scratch_free(shape->patterns[i].scratch);
        shape_free(shape->patterns[i].shape);
    }
    free(shape->properties);
    free(shape->table);
    free(shape->patterns);
    shape_free(shape->additional);
    shape->properties = NULL;
    shape->patterns = NULL;
    shape->table = NULL;
    shape->additional = NULL;
    shape->property_capacity = 0;
    shape->property_count = shape->required_count = shape->pattern_count = shape->unsorted = 0;
    shape->overflowed = false;
}

/* Recursion is as deep as the tree, which documents, schemas and limits bound. */
void shape_free(struct shape *shape)
{
    if (!shape)
        return;
    shape_open_numbers(shape);
    shape_open_strings(shape);
    shape_open_arrays(shape);
    shape_open_objects(shape);
    shape_values_release(shape->choices);
    shape_values_release(shape->fallback);
    free(shape->title);
    free(shape->description);
    free(shape);
}

void shape_normalise(struct shape *shape)
{
    if (shape->choices)
        shape->types &= (uint8_t)shape_values_types(shape->choices);
    if (!(shape->types & SHAPE_NUMBER))
        shape_open_numbers(shape);
    if (!(shape->types & SHAPE_STRING))
        shape_open_strings(shape);
    if (!(shape->types & SHAPE_ARRAY))
        shape_open_arrays(shape);
    if (!(shape->types & SHAPE_OBJECT))
        shape_open_objects(shape);
    if (shape->types == 0) {
        shape_values_release(shape->choices);
        shape->choices = NULL;
    }
}

/* --- members ---------------------------------------------------------------------------------------- */

struct shape_property *shape_property_add(struct shape *shape, struct slice name, bool required,
                                          struct shape *owned)
{
    shape->properties = mem_grow(shape->properties, &shape->property_capacity, shape->property_count + 1U,
                                 sizeof *shape->properties);
    struct shape_property *property = &shape->properties[shape->property_count++];
    *property = (struct shape_property){.name = mem_strndup(name.data, name.size),
                                        .size = (uint32_t)name.size,
                                        .hash = json_key_hash(name.data, name.size),
                                        .required = required,
                                        .shape = owned};
    shape->required_count += required;
    return property;
}

static int by_name(const void *left, const void *right)
{
    const struct shape_property *a = left, *b = right;
    return slice_compare((struct slice){a->name, a->size}, (struct slice){b->name, b->size});
}

static void put_into_table(struct shape *shape, uint32_t number)
{
    uint32_t slot = shape->properties[number].hash & shape->mask;
    while (shape->table[slot])
        slot = (slot + 1) & shape->mask;
    shape->table[slot] = number + 1;
}

static void fill_table(struct shape *shape)
{
    uint32_t size = 8;
    while (size < 2 * shape->property_count)
        size *= 2;
    if (!shape->table || shape->mask + 1 != size)
        shape->table = mem_realloc(shape->table, size * sizeof *shape->table);
    memset(shape->table, 0, size * sizeof *shape->table);
    shape->mask = size - 1;
    for (uint32_t i = 0; i < shape->property_count; i++)
        put_into_table(shape, i);
}

static void drop_repeated(struct shape *shape)
{
    uint32_t kept = 1;
    for (uint32_t i = 1; i < shape->property_count; i++) {
        struct shape_property *property = &shape->properties[i];
        if (by_name(property, &shape->properties[kept - 1]) != 0) {
            shape->properties[kept++] = *property;
            continue;
        }
        shape->required_count -= property->required;
        free(property->name);
        shape_free(property->shape);
    }
    shape->property_count = kept;
}

void shape_properties_sort(struct shape *shape)
{
    shape->unsorted = 0;
    if (shape->property_count == 0)
        return;
    qsort(shape->properties, shape->property_count, sizeof *shape->properties, by_name);
    drop_repeated(shape);
    fill_table(shape);
}

void shape_properties_grown(struct shape *shape, uint32_t added)
{
    enum { SMALL = 256 };
    shape->unsorted += added;
    if (shape->property_count <= SMALL || shape->unsorted > shape->property_count / 8) {
        shape_properties_sort(shape);
    } else if (2 * shape->property_count > shape->mask + 1) {
        fill_table(shape);
    } else {
        for (uint32_t i = shape->property_count - added; i < shape->property_count; i++)
            put_into_table(shape, i);
    }
}

bool shape_is_beyond(const struct shape *shape, uint32_t count, struct slice name)
{
    if (count == 0)
        return true;
    const struct shape_property *last = &shape->properties[count - 1];
    size_t common = last->size < name.size ? last->size : name.size;
    int order = memcmp(name.data, last->name, common);
    return order > 0 || (order == 0 && name.size > last->size);
}

void shape_property_drop_last(struct shape *shape)
{
    struct shape_property *last = &shape->properties[--shape->property_count];
    uint32_t slot = last->hash & shape->mask;
    while (shape->table[slot] != shape->property_count + 1)
        slot = (slot + 1) & shape->mask;
    shape->required_count -= last->required;
    free(last->name);
    shape_free(last->shape);
    /* Open addressing: what was pushed on past the freed slot is put in anew. */
    shape->table[slot] = 0;
    for (slot = (slot + 1) & shape->mask; shape->table[slot]; slot = (slot + 1) & shape->mask) {
        uint32_t number = shape->table[slot], to = shape->properties[number - 1].hash & shape->mask;
        shape->table[slot] = 0;
        while (shape->table[to])
            to = (to + 1) & shape->mask;
        shape->table[to] = number;
    }
}

uint32_t shape_property_find(const struct shape *shape, const struct json *doc, uint32_t key)
{
    if (!shape->table)
        return JSON_NONE;
    uint32_t hash = json_hash_of_key(doc, key);
    for (uint32_t slot = hash & shape->mask; shape->table[slot]; slot = (slot + 1) & shape->mask) {
        const struct shape_property *property = &shape->properties[shape->table[slot] - 1];
        if (property->hash == hash && json_text_is(doc, key, (struct slice){property->name, property->size}))
            return shape->table[slot] - 1;
    }
    return JSON_NONE;
}

uint32_t shape_property_number(const struct shape *shape, struct slice name)
{
    if (!shape->table)
        return JSON_NONE;
    uint32_t hash = json_key_hash(name.data, name.size);
    for (uint32_t slot = hash & shape->mask; shape->table[slot]; slot = (slot + 1) & shape->mask) {
        const struct shape_property *property = &shape->properties[shape->table[slot] - 1];
        if (property->hash == hash && slice_equal(name, (struct slice){property->name, property->size}))
            return shape->table[slot] - 1;
    }
    return JSON_NONE;
}

const struct shape_property *shape_property(const struct shape *shape, struct slice name)
{
    uint32_t number = shape_property_number(shape, name);
    return number == JSON_NONE ? NULL : &shape->properties[number];
}

/* --- patterns --------------------------------------------------------------------------------------- */

struct shape_pattern *shape_pattern_add(struct shape *shape, const char *source, struct shape *owned)
{
    size_t capacity = shape->pattern_count;
    shape->patterns =
        mem_grow(shape->patterns, &capacity, shape->pattern_count + 1U, sizeof *shape->patterns);
    struct shape_pattern *pattern = &shape->patterns[shape->pattern_count++];
    *pattern = (struct shape_pattern){.source = mem_strdup(source), .shape = owned};
    return pattern;
}

/* Whether a pattern that is wrong or takes too long matches is never known: the schema with it is of no use.
 */
bool shape_pattern_matches(struct shape_pattern *pattern, struct slice name)
{
    struct error err;
    if (pattern->unusable)
        return false;
    if (!pattern->regex)
        pattern->regex = regex_compile(slice_of(pattern->source), &err);
    if (!pattern->regex) {
        pattern->unusable = true;
        return false;
    }
    if (!pattern->scratch)
        pattern->scratch = regex_scratch_new();
    int matches = regex_match(pattern->regex, pattern->scratch, name);
    pattern->unusable = matches < 0;
    return matches == 1;
}

struct shape *shape_of_other(const struct shape *shape, struct slice name)
{
    struct shape *other = NULL;
    for (uint32_t i = 0; i < shape->pattern_count; i++) {
        if (!shape_pattern_matches(&shape->patterns[i], name))
            continue;
        if (other)
            shape_intersect(other, shape->patterns[i].shape);
        else
            other = shape_clone(shape->patterns[i].shape);
    }
    if (other)
        return other;
    return shape->additional ? shape_clone(shape->additional) : shape_new_any();
}

/* --- copies ----------------------------------------------------------------------------------------- */

static void clone_objects(struct shape *copy, const struct shape *shape)
{
    for (uint32_t i = 0; i < shape->property_count; i++) {
        const struct shape_property *property = &shape->properties[i];
        shape_property_add(copy, (struct slice){property->name, property->size}, property->required,
                           shape_clone(property->shape));
    }
    shape_properties_sort(copy);
    for (uint32_t i = 0; i < shape->pattern_count; i++)
        shape_pattern_add(copy, shape->patterns[i].source, shape_clone(shape->patterns[i].shape))->unusable =
            shape->patterns[i].unusable;
    copy->additional = shape->additional ? shape_clone(shape->additional) : NULL;
    copy->overflowed = shape->overflowed;
}

static void clone_arrays(struct shape *copy, const struct shape *shape)
{
    copy->min_items = shape->min_items;
    copy->max_items = shape->max_items;
    copy->items = shape->items ? shape_clone(shape->items) : NULL;
    if (shape->tuple_count == 0)
        return;
    copy->tuple = mem_alloc(shape->tuple_count * sizeof(struct shape *));
    for (uint32_t i = 0; i < shape->tuple_count; i++)
        copy->tuple[copy->tuple_count++] = shape_clone(shape->tuple[i]);
}

struct shape *shape_clone(const struct shape *shape)
{
    struct shape *copy = shape_new_nothing();
    copy->types = shape->types;
    copy->reduce = shape->reduce;
    copy->redact = shape->redact;
    copy->secret = shape->secret;
    copy->vague = shape->vague;
    copy->complexity = shape->complexity;
    copy->choices = shape_values_hold(shape->choices);
    copy->fallback = shape_values_hold(shape->fallback);
    shape_text_set(&copy->title, shape->title);
    shape_text_set(&copy->description, shape->description);
    shape_bound_copy(&copy->minimum, &shape->minimum);
    shape_bound_copy(&copy->maximum, &shape->maximum);
    shape_format_set(copy, shape->format);
    shape_text_set(&copy->content_encoding, shape->content_encoding);
    shape_text_set(&copy->content_type, shape->content_type);
    shape_bound_copy(&copy->text_minimum, &shape->text_minimum);
    shape_bound_copy(&copy->text_maximum, &shape->text_maximum);
    copy->min_length = shape->min_length;
    copy->max_length = shape->max_length;
    clone_arrays(copy, shape);
    clone_objects(copy, shape);
    return copy;
}

/* --- asking ----------------------------------------------------------------------------------------- */

static bool says_something(const struct shape *shape)
{
    return shape->title || shape->description || shape->fallback || shape->secret || shape->reduce ||
           shape->redact || shape->complexity;
}

bool shape_is_any(const struct shape *shape)
{
    return shape->types == SHAPE_ANY && !shape->choices && !shape->minimum.text && !shape->maximum.text &&
           !shape->format && !shape->content_encoding && !shape->content_type && !shape->text_minimum.text &&
           !shape->text_maximum.text && shape->min_length == 0 && shape->max_length == UINT32_MAX &&
           shape->min_items == 0 && shape->max_items == UINT32_MAX && shape->tuple_count == 0 &&
           !shape->items && shape->property_count == 0 && shape->pattern_count == 0 && !shape->additional &&
           !says_something(shape);
}

void shape_types_text(unsigned types, struct buffer *out)
{
    static const struct {
        unsigned types;
        const char *name;
    } names[] = {{SHAPE_NULL, "null"},       {SHAPE_BOOLEAN, "boolean"}, {SHAPE_NUMBER, "number"},
                 {SHAPE_FRACTION, "number"}, {SHAPE_STRING, "string"},   {SHAPE_INTEGER, "integer"},
                 {SHAPE_ARRAY, "array"},     {SHAPE_OBJECT, "object"}};
    if (types == SHAPE_ANY || types == 0)
        buffer_str(out, types ? "anything" : "nothing");
    for (size_t i = 0; types != SHAPE_ANY && i < sizeof names / sizeof *names; i++) {
        if ((types & names[i].types) != names[i].types)
            continue;
        types &= ~names[i].types;
        buffer_printf(out, "%s%s", names[i].name, types ? " or " : "");
    }
}
