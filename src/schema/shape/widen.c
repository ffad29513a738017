/* Making a shape fit one more document.
 *
 * What fits already, which after some documents is nearly all there is, is walked like a validation: a look
 * into a table for each member, bounds compared, nothing written. */
#include "schema/format/format.h"
#include "schema/shape/tree.h"

struct widening {
    const struct json *doc;
    uint32_t room;  /* locations that may still be added … */
    uint32_t grown; /* … and have been */
};

static bool widen(struct widening *w, struct shape *shape, uint32_t at);

/* --- scalars ---------------------------------------------------------------------------------------- */

static bool widen_number(struct widening *w, struct shape *shape, uint32_t at, bool first)
{
    struct slice text = json_raw(w->doc, at);
    if (first) {
        shape_bound_start(&shape->minimum, &shape->maximum, text, SHAPE_POWER_MAX);
        return true;
    }
    bool lowered = shape_bound_lower(&shape->minimum, text, SHAPE_POWER_MAX);
    return shape_bound_raise(&shape->maximum, text, SHAPE_POWER_MAX) || lowered;
}

static uint32_t code_points(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return (uint32_t)count;
}

/* A number in a string; NaN and infinities have no place between bounds. */
static bool widen_text_number(struct shape *shape, struct slice text, bool first)
{
    size_t sign = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+');
    bool digits =
        text.size > sign && (text.data[sign] == '.' || (text.data[sign] >= '0' && text.data[sign] <= '9'));
    if (!digits) {
        bool bounded = shape->text_minimum.text || shape->text_maximum.text;
        shape_bound_clear(&shape->text_minimum);
        shape_bound_clear(&shape->text_maximum);
        return bounded;
    }
    if (first) {
        shape_bound_start(&shape->text_minimum, &shape->text_maximum, text, SHAPE_TEXT_POWER_MAX);
        return true;
    }
    bool lowered = shape_bound_lower(&shape->text_minimum, text, SHAPE_TEXT_POWER_MAX);
    return shape_bound_raise(&shape->text_maximum, text, SHAPE_TEXT_POWER_MAX) || lowered;
}

static bool widen_format(struct shape *shape, struct slice text)
{
    if (shape->form == FORMAT_NONE || format_check((enum format)shape->form, text))
        return false;
    bool number = shape->form == FORMAT_INTEGER && format_check(FORMAT_NUMBER, text);
    shape_format_set(shape, number ? format_name(FORMAT_NUMBER) : NULL);
    if (!number) {
        shape_bound_clear(&shape->text_minimum);
        shape_bound_clear(&shape->text_maximum);
    }
    return true;
}

static bool widen_length(struct shape *shape, uint32_t length)
{
    bool changed = false;
    if (length < shape->min_length) {
        shape->min_length = shape_power_below(length);
        changed = true;
    }
    if (length > shape->max_length) {
        shape->max_length = shape_power_above(length);
        changed = true;
    }
    return changed;
}

static bool widen_text(struct shape *shape, struct slice text, bool first)
{
    if (first) {
        uint32_t length = code_points(text);
        shape->min_length = shape_power_below(length);
        shape->max_length = shape_power_above(length);
        shape_format_set(shape, shape_format_detect(text));
    }
    bool changed = widen_format(shape, text) || first;
    if (shape_text_is_number(shape))
        changed |= widen_text_number(shape, text, first);
    /* A code point has one to four bytes: mostly these decide without counting. */
    if (text.size > shape->max_length || text.size / 4 < shape->min_length)
        changed |= widen_length(shape, code_points(text));
    return changed;
}

static bool widen_string(struct widening *w, struct shape *shape, uint32_t at, bool first)
{
    char room[512];
    struct slice inner = json_inner(w->doc, at);
    if (!json_escaped(w->doc, at))
        return widen_text(shape, inner, first);
    auto_free char *heap = inner.size > sizeof room ? mem_alloc(inner.size) : NULL;
    char *text = heap ? heap : room;
    return widen_text(shape, (struct slice){text, json_unescape(inner.data, inner.size, text)}, first);
}

/* --- arrays ----------------------------------------------------------------------------------------- */

static bool widen_array(struct widening *w, struct shape *shape, uint32_t at, bool first)
{
    uint32_t count = json_count(w->doc, at), position = 0;
    bool changed = first;
    if (first) {
        shape->items = shape_new_nothing();
        shape->max_items = shape_power_above(count);
        shape->min_items = shape_power_below(count);
    }
    if (count < shape->min_items) {
        shape->min_items = shape_power_below(count);
        changed = true;
    }
    if (count > shape->max_items) {
        shape->max_items = shape_power_above(count);
        changed = true;
    }
    for (uint32_t e = json_first(w->doc, at); e != JSON_NONE; e = json_next(w->doc, at, e)) {
        struct shape *element = position < shape->tuple_count ? shape->tuple[position] : shape->items;
        position++;
        if (element)
            changed |= widen(w, element, e);
    }
    return changed;
}

/* --- objects ---------------------------------------------------------------------------------------- */

/* May the object still get names? It is closed, or overflowed and the name not beyond its `sorted` first. */
static bool may_grow(const struct shape *shape, uint32_t sorted, struct slice name)
{
    if (!shape->additional || (shape->additional->types != 0 && !shape->overflowed))
        return false;
    return !shape->overflowed || !shape_is_beyond(shape, sorted, name);
}

/* A new name becomes a property, as long as there is room. */
static bool grow(struct widening *w, struct shape *shape, struct slice name, uint32_t value, bool required)
{
    if (w->room == 0) {
        shape->overflowed = true;
        return false;
    }
    w->room--;
    w->grown++;
    struct shape *member = shape_new_nothing();
    widen(w, member, value);
    shape_property_add(shape, name, required, member);
    return true;
}

/* A member that is no property: what the patterns that match say of it, or else `additional`. */
static bool widen_other(struct widening *w, struct shape *shape, uint32_t key, uint32_t sorted, bool first,
                        bool *ret_grown)
{
    bool matched = false, changed = false;
    char room[512];
    if (shape->pattern_count > 0 || shape->overflowed ||
        (shape->additional && shape->additional->types == 0)) {
        struct slice name = json_inner(w->doc, key);
        auto_free char *heap = name.size > sizeof room ? mem_alloc(name.size) : NULL;
        if (json_escaped(w->doc, key)) {
            char *text = heap ? heap : room;
            name = (struct slice){text, json_unescape(name.data, name.size, text)};
        }
        for (uint32_t i = 0; i < shape->pattern_count; i++) {
            if (!shape_pattern_matches(&shape->patterns[i], name))
                continue;
            matched = true;
            changed |= widen(w, shape->patterns[i].shape, json_value(key));
        }
        if (!matched && may_grow(shape, sorted, name) && grow(w, shape, name, json_value(key), first)) {
            *ret_grown = true;
            return true;
        }
    }
    if (matched || !shape->additional)
        return changed;
    return widen(w, shape->additional, json_value(key));
}

/* A schema's patterns hold for its properties as well. */
static bool widen_patterns(struct widening *w, struct shape *shape, uint32_t property, uint32_t value)
{
    struct slice name = {shape->properties[property].name, shape->properties[property].size};
    bool changed = false;
    for (uint32_t i = 0; i < shape->pattern_count; i++) {
        if (shape_pattern_matches(&shape->patterns[i], name))
            changed |= widen(w, shape->patterns[i].shape, value);
    }
    return changed;
}

static bool drop_required(struct widening *w, struct shape *shape, uint32_t at)
{
    for (uint32_t i = 0; i < shape->property_count; i++) {
        struct shape_property *property = &shape->properties[i];
        if (!property->required ||
            json_get_slice(w->doc, at, (struct slice){property->name, property->size}) != JSON_NONE)
            continue;
        property->required = false;
        shape->required_count--;
    }
    return true;
}

static bool widen_object(struct widening *w, struct shape *shape, uint32_t at, bool first)
{
    bool changed = first, grown = false;
    uint32_t required = 0, known = shape->required_count, count = shape->property_count,
             sorted = count - shape->unsorted;
    if (first)
        shape->additional = shape_new_nothing();
    for (uint32_t key = json_first_key(w->doc, at); key != JSON_NONE; key = json_next_key(w->doc, at, key)) {
        uint32_t number = shape_property_find(shape, w->doc, key);
        if (number == JSON_NONE) {
            changed |= widen_other(w, shape, key, sorted, first, &grown);
            continue;
        }
        required += shape->properties[number].required;
        changed |= widen(w, shape->properties[number].shape, json_value(key));
        if (shape->pattern_count > 0)
            changed |= widen_patterns(w, shape, number, json_value(key));
    }
    if (required < known)
        changed |= drop_required(w, shape, at);
    if (grown)
        shape_properties_grown(shape, shape->property_count - count);
    return changed;
}

/* --- values ----------------------------------------------------------------------------------------- */

static bool widen(struct widening *w, struct shape *shape, uint32_t at)
{
    unsigned type = shape_type_of(w->doc, at), family = type & SHAPE_NUMBER ? SHAPE_NUMBER : type;
    bool first = !(shape->types & family), changed = !(shape->types & type);
    if (shape->choices && !shape_values_contain(shape->choices, w->doc, at)) {
        shape_values_release(shape->choices);
        shape->choices = NULL;
        changed = true;
    }
    /* No schema says "a fraction": where one is, whole numbers may be. */
    shape->types |= (uint8_t)(type == SHAPE_FRACTION ? SHAPE_NUMBER : type);
    switch (family) {
    case SHAPE_NUMBER:
        return widen_number(w, shape, at, first) || changed;
    case SHAPE_STRING:
        return widen_string(w, shape, at, first) || changed;
    case SHAPE_ARRAY:
        return widen_array(w, shape, at, first) || changed;
    case SHAPE_OBJECT:
        return widen_object(w, shape, at, first) || changed;
    default:
        return changed;
    }
}

bool shape_widen(struct shape *shape, struct shape_limits limits, const struct json *doc, uint32_t at)
{
    uint32_t locations = limits.locations ? limits.locations : shape->complexity;
    locations = locations ? locations : SHAPE_LOCATIONS_DEFAULT;
    struct widening w = {.doc = doc, .room = SHAPE_GROWTH_MAX + locations};
    if (!widen(&w, shape, at))
        return false;
    shape->grown += w.grown;
    if (locations < SHAPE_SLACK_FROM || shape->grown > locations / 8)
        shape_limit(shape, limits);
    return true;
}
