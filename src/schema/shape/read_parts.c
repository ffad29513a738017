/* A schema's own keywords into a shape. What is not as the specification has it is passed over: compiling the
 * schema tells that. */
#include "schema/shape/read.h"

/* --- types and values ------------------------------------------------------------------------------- */

static unsigned type_by_name(const struct json *json, uint32_t name)
{
    static const struct {
        const char *name;
        unsigned types;
    } names[] = {{"null", SHAPE_NULL},     {"boolean", SHAPE_BOOLEAN}, {"integer", SHAPE_INTEGER},
                 {"number", SHAPE_NUMBER}, {"string", SHAPE_STRING},   {"array", SHAPE_ARRAY},
                 {"object", SHAPE_OBJECT}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (json_is(json, name, JSON_STRING) && json_string_is(json, name, names[i].name))
            return names[i].types;
    }
    return SHAPE_ANY;
}

static void read_type(const struct shape_keywords *keywords, struct shape *shape)
{
    const struct json *json = keywords->json;
    uint32_t type = keywords->at[KEYWORD_TYPE];
    unsigned types = 0;
    if (type == JSON_NONE)
        return;
    if (!json_is(json, type, JSON_ARRAY))
        types = type_by_name(json, type);
    for (uint32_t e = json_first(json, type); e != JSON_NONE; e = json_next(json, type, e))
        types |= type_by_name(json, e);
    shape->types &= (uint8_t)types;
}

/* Only those values that the types allow are kept. */
static void limit_choices(struct shape *shape, struct shape_values *choices)
{
    if (!choices) {
        shape->vague = true;
        return;
    }
    struct shape_values *fitting = shape_values_of_types(choices, shape->types);
    if (shape->choices && fitting) {
        struct shape_values *both = shape_values_both(shape->choices, fitting);
        shape_values_release(shape->choices);
        shape_values_release(fitting);
        fitting = both;
    }
    shape->choices = fitting;
    shape->vague |= !fitting;
    shape_values_release(choices);
}

static void read_choices(const struct shape_keywords *keywords, struct shape *shape)
{
    const struct json *json = keywords->json;
    uint32_t list = keywords->at[KEYWORD_ENUM], one = keywords->at[KEYWORD_CONST];
    if (json_is(json, list, JSON_ARRAY) && json_count(json, list) <= SHAPE_CHOICES_MAX) {
        limit_choices(shape, shape_values_of(json, list));
    } else if (json_is(json, list, JSON_ARRAY)) {
        unsigned types = 0;
        for (uint32_t e = json_first(json, list); e != JSON_NONE; e = json_next(json, list, e))
            types |= shape_type_of(json, e);
        shape->types &= (uint8_t)(types & SHAPE_FRACTION ? types | SHAPE_NUMBER : types);
        shape->vague = true;
    }
    if (one != JSON_NONE)
        limit_choices(shape, shape_values_of_one(json, one));
}

static void read_bound(const struct json *json, uint32_t number, int sign, struct shape_bound *bound)
{
    if (!json_is_number(json, number))
        return;
    struct slice text = json_raw(json, number);
    if (!bound->text || number_plan_compare(text, bound->plan) * sign > 0)
        shape_bound_set(bound, text);
}

static uint32_t count_of(const struct json *json, uint32_t number, uint32_t absent)
{
    uint64_t value;
    if (!json_to_u64(json, number, &value))
        return absent;
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

void shape_read_values(const struct shape_keywords *keywords, struct arena *scratch, struct shape *shape)
{
    const struct json *json = keywords->json;
    const uint32_t *at = keywords->at;
    read_type(keywords, shape);
    read_choices(keywords, shape);
    read_bound(json, at[KEYWORD_MINIMUM], 1, &shape->minimum);
    read_bound(json, at[KEYWORD_EXCLUSIVE_MINIMUM], 1, &shape->minimum);
    read_bound(json, at[KEYWORD_MAXIMUM], -1, &shape->maximum);
    read_bound(json, at[KEYWORD_EXCLUSIVE_MAXIMUM], -1, &shape->maximum);
    read_bound(json, json_get(json, keywords->node, "x-str-minimum"), 1, &shape->text_minimum);
    read_bound(json, json_get(json, keywords->node, "x-str-maximum"), -1, &shape->text_maximum);
    shape->min_length = count_of(json, at[KEYWORD_MIN_LENGTH], 0);
    shape->max_length = count_of(json, at[KEYWORD_MAX_LENGTH], UINT32_MAX);
    shape->min_items = count_of(json, at[KEYWORD_MIN_ITEMS], 0);
    shape->max_items = count_of(json, at[KEYWORD_MAX_ITEMS], UINT32_MAX);
    shape_format_set(shape, json_cstring(json, json_get(json, keywords->node, "format"), scratch));
    shape_text_set(&shape->content_encoding,
                   json_cstring(json, json_get(json, keywords->node, "contentEncoding"), scratch));
    shape_text_set(&shape->content_type,
                   json_cstring(json, json_get(json, keywords->node, "contentMediaType"), scratch));
}

/* --- annotations ------------------------------------------------------------------------------------ */

static uint8_t reduce_of(const struct json *json, uint32_t strategy)
{
    for (int i = 0; i < SHAPE_REDUCE_MAX; i++) {
        if (shape_reduce_names[i] && json_is(json, strategy, JSON_STRING) &&
            json_string_is(json, strategy, shape_reduce_names[i]))
            return (uint8_t)i;
    }
    return SHAPE_REDUCE_UNSET;
}

static uint8_t redact_of(const struct json *json, uint32_t strategy)
{
    if (!json_is(json, strategy, JSON_STRING))
        return SHAPE_REDACT_UNSET;
    return json_string_is(json, strategy, "block")    ? SHAPE_REDACT_BLOCK
           : json_string_is(json, strategy, "sha256") ? SHAPE_REDACT_SHA256
                                                      : SHAPE_REDACT_UNSET;
}

void shape_read_annotations(const struct shape_keywords *keywords, struct arena *scratch, struct shape *shape)
{
    const struct json *json = keywords->json;
    uint32_t node = keywords->node, fallback = json_get(json, node, "default");
    shape_text_set(&shape->title, json_cstring(json, json_get(json, node, "title"), scratch));
    shape_text_set(&shape->description, json_cstring(json, json_get(json, node, "description"), scratch));
    if (fallback != JSON_NONE)
        shape->fallback = shape_values_of(json, fallback);
    shape->secret = json_is(json, json_get(json, node, "secret"), JSON_TRUE) ||
                    json_is(json, json_get(json, node, "airbyte_secret"), JSON_TRUE);
    shape->reduce = reduce_of(json, json_get(json, json_get(json, node, "reduce"), "strategy"));
    shape->redact = redact_of(json, json_get(json, json_get(json, node, "redact"), "strategy"));
    shape->complexity = count_of(json, json_get(json, node, "x-complexity-limit"), 0);
}

/* --- arrays ----------------------------------------------------------------------------------------- */

static int read_optional(struct shape_reader *reader, const struct shape_keywords *keywords, uint32_t node,
                         struct shape **ret_shape)
{
    if (node == JSON_NONE)
        return 0;
    struct shape *shape = shape_read(reader, keywords->document, node);
    if (!shape)
        return -1;
    *ret_shape = shape;
    return 0;
}

int shape_read_arrays(struct shape_reader *reader, const struct shape_keywords *keywords, struct shape *shape)
{
    const struct json *json = keywords->json;
    uint32_t prefix = keywords->at[KEYWORD_PREFIX_ITEMS], items = keywords->at[KEYWORD_ITEMS];
    if (json_is(json, items, JSON_ARRAY)) { /* before 2020-12 */
        prefix = items;
        items = keywords->at[KEYWORD_ADDITIONAL_ITEMS];
    }
    uint32_t count = json_is(json, prefix, JSON_ARRAY) ? json_count(json, prefix) : 0;
    if (count > 0)
        shape->tuple = mem_alloc(count * sizeof(struct shape *));
    for (uint32_t e = count ? json_first(json, prefix) : JSON_NONE; e != JSON_NONE;
         e = json_next(json, prefix, e)) {
        struct shape *element = shape_read(reader, keywords->document, e);
        if (!element)
            return -1;
        shape->tuple[shape->tuple_count++] = element;
    }
    return read_optional(reader, keywords, items, &shape->items);
}

/* --- objects ---------------------------------------------------------------------------------------- */

static int read_properties(struct shape_reader *reader, const struct shape_keywords *keywords,
                           struct shape *shape)
{
    const struct json *json = keywords->json;
    uint32_t properties = keywords->at[KEYWORD_PROPERTIES];
    for (uint32_t key = json_first_key(json, properties); key != JSON_NONE;
         key = json_next_key(json, properties, key)) {
        struct shape *value = shape_read(reader, keywords->document, json_value(key));
        if (!value)
            return -1;
        shape_property_add(shape, json_string(json, key, &reader->scratch), false, value);
    }
    shape_properties_sort(shape);
    return 0;
}

static int read_patterns(struct shape_reader *reader, const struct shape_keywords *keywords,
                         struct shape *shape)
{
    const struct json *json = keywords->json;
    uint32_t patterns = keywords->at[KEYWORD_PATTERN_PROPERTIES];
    for (uint32_t key = json_first_key(json, patterns); key != JSON_NONE;
         key = json_next_key(json, patterns, key)) {
        struct slice source = json_string(json, key, &reader->scratch);
        struct shape *value = shape_read(reader, keywords->document, json_value(key));
        if (!value)
            return -1;
        shape_pattern_add(shape, arena_strndup(&reader->scratch, source.data, source.size), value);
    }
    return 0;
}

/* The patterns hold for the properties that they match as well. */
static void apply_patterns(struct shape *shape)
{
    for (uint32_t p = 0; p < shape->pattern_count; p++) {
        for (uint32_t i = 0; i < shape->property_count; i++) {
            const struct shape_property *property = &shape->properties[i];
            if (shape_pattern_matches(&shape->patterns[p], (struct slice){property->name, property->size}))
                shape_intersect(property->shape, shape->patterns[p].shape);
        }
    }
}

static void read_required(struct shape_reader *reader, const struct shape_keywords *keywords,
                          struct shape *shape)
{
    const struct json *json = keywords->json;
    uint32_t list = keywords->at[KEYWORD_REQUIRED];
    bool grown = false;
    for (uint32_t e = json_first(json, list); e != JSON_NONE; e = json_next(json, list, e)) {
        if (!json_is(json, e, JSON_STRING))
            continue;
        struct slice name = json_string(json, e, &reader->scratch);
        uint32_t number = shape_property_number(shape, name);
        if (number == JSON_NONE) {
            shape_property_add(shape, name, true, shape_of_other(shape, name));
            grown = true;
        } else if (!shape->properties[number].required) {
            shape->properties[number].required = true;
            shape->required_count++;
        }
    }
    if (grown)
        shape_properties_sort(shape);
}

int shape_read_objects(struct shape_reader *reader, const struct shape_keywords *keywords,
                       struct shape *shape)
{
    if (read_properties(reader, keywords, shape) < 0 || read_patterns(reader, keywords, shape) < 0 ||
        read_optional(reader, keywords, keywords->at[KEYWORD_ADDITIONAL_PROPERTIES], &shape->additional) < 0)
        return -1;
    if (shape->pattern_count > SHAPE_PATTERNS_MAX) {
        shape_open_objects(shape);
        shape->vague = true;
    }
    apply_patterns(shape);
    read_required(reader, keywords, shape);
    return 0;
}
