/* value.name, value[key] and value[a:b:c]: Jinja looks into attributes first for the one and into items first
 * for the other. */
#include "run.h"
#include "unicode.h"

static const struct builtin *find_method(const struct builtin *table, struct slice name)
{
    for (; table && table->name; table++) {
        if (slice_is(name, table->name))
            return table;
    }
    return NULL;
}

static const struct builtin *method_of(const struct tvalue *value, struct slice name)
{
    const struct builtin *found = NULL;
    switch (value->kind) {
    case TVALUE_STRING:
        found = find_method(methods_string, name);
        return found ? found : find_method(methods_more_string, name);
    case TVALUE_BYTES:
        return find_method(methods_bytes, name);
    case TVALUE_LIST:
    case TVALUE_JSON_LIST:
        return find_method(methods_list, name);
    case TVALUE_TUPLE:
        return find_method(methods_tuple, name);
    case TVALUE_SET:
        return find_method(methods_set, name);
    case TVALUE_DICT:
    case TVALUE_JSON_DICT:
        return find_method(methods_dict, name);
    case TVALUE_OBJECT:
        return find_method(methods_object, name);
    case TVALUE_DATETIME:
        return find_method(methods_datetime, name);
    case TVALUE_DATE:
        return find_method(methods_date, name);
    case TVALUE_TIME:
        return find_method(methods_time, name);
    case TVALUE_TIMEDELTA:
    case TVALUE_DURATION:
        return find_method(methods_timedelta, name);
    case TVALUE_BOOL:
    case TVALUE_INT:
    case TVALUE_BIG:
        return find_method(methods_integer, name);
    case TVALUE_FLOAT:
        return find_method(methods_float, name);
    case TVALUE_LOOP:
        return find_method(methods_loop, name);
    case TVALUE_CYCLER:
        return find_method(methods_cycler, name);
    default:
        return NULL;
    }
}

static struct tvalue bind_method(struct run *run, const struct tvalue *self, const struct builtin *builtin,
                                 const struct node *block)
{
    struct bound bound = {.self = *self, .builtin = builtin, .block = block};
    return (struct tvalue){.kind = TVALUE_METHOD, .pointer = arena_dup(run->arena, &bound, sizeof bound)};
}

static bool object_attribute(const struct tvalue *value, struct slice name, struct tvalue *ret_value)
{
    for (uint32_t i = 0; i < value->object->attribute_count; i++) {
        if (slice_is(name, value->object->attributes[i].name)) {
            *ret_value = value->object->attributes[i].value;
            return true;
        }
    }
    return false;
}

/* Tuples whose parts have names. */
static bool tuple_attribute(const struct tvalue *value, struct slice name, struct tvalue *ret_value)
{
    static const char *const GROUP[] = {"grouper", "list", NULL}, *const CALENDAR[] = {"year", "week",
                                                                                       "weekday", NULL};
    static const char *const NONE[] = {NULL};
    const char *const *names = value->flags & TVALUE_GROUP      ? GROUP
                               : value->flags & TVALUE_CALENDAR ? CALENDAR
                                                                : NONE;
    for (size_t i = 0; names[i]; i++) {
        if (slice_is(name, names[i])) {
            *ret_value = value->list->items[i];
            return true;
        }
    }
    return false;
}

static bool number_attribute(const struct tvalue *value, struct slice name, struct tvalue *ret_value)
{
    bool real = value->kind == TVALUE_FLOAT;
    struct tvalue zero = tvalue_int(0);
    if (slice_is(name, "imag"))
        *ret_value = real ? tvalue_float(0) : zero;
    else if (!real && slice_is(name, "denominator"))
        *ret_value = tvalue_int(1);
    else if (slice_is(name, "real") || (!real && slice_is(name, "numerator")))
        *ret_value = value->kind == TVALUE_BOOL ? tvalue_int(value->boolean) : *value;
    else
        return false;
    return true;
}

/* Parts that are no methods. */
static bool plain_attribute(struct run *run, const struct tvalue *value, struct slice name,
                            struct tvalue *ret_value)
{
    struct tvalue key = tvalue_string(name);
    switch (value->kind) {
    case TVALUE_OBJECT:
        return object_attribute(value, name, ret_value);
    case TVALUE_DATETIME:
    case TVALUE_DATE:
    case TVALUE_TIME:
    case TVALUE_TIMEDELTA:
    case TVALUE_DURATION:
        return datetime_attribute(run, value, name, ret_value);
    case TVALUE_TUPLE:
        return tuple_attribute(value, name, ret_value);
    case TVALUE_NAMESPACE:
        return tdict_get(value->dict, &key, ret_value);
    case TVALUE_LOOP:
        return loop_attribute(run, value, name, ret_value);
    case TVALUE_CYCLER:
        if (!slice_is(name, "current"))
            return false;
        *ret_value = value->list->items[value->list->capacity];
        return true;
    case TVALUE_BOOL:
    case TVALUE_INT:
    case TVALUE_BIG:
    case TVALUE_FLOAT:
        return number_attribute(value, name, ret_value);
    default:
        return false;
    }
}

/* What every Python object has, which the sandbox hides. */
static bool is_internal(struct slice name)
{
    static const char *const NAMES[] = {"__class__",   "__doc__",          "__init__",         "__new__",
                                        "__repr__",    "__str__",          "__hash__",         "__eq__",
                                        "__ne__",      "__lt__",           "__le__",           "__gt__",
                                        "__ge__",      "__dir__",          "__format__",       "__sizeof__",
                                        "__reduce__",  "__reduce_ex__",    "__getattribute__", "__setattr__",
                                        "__delattr__", "__subclasshook__", "__init_subclass__"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (slice_is(name, NAMES[i]))
            return true;
    }
    return false;
}

bool run_attribute(struct run *run, const struct tvalue *value, struct slice name, struct tvalue *ret_value)
{
    if (name.size > 1 && *name.data == '_' && is_internal(name)) {
        *ret_value = tvalue_undefined(name);
        ret_value->flags = TVALUE_SECRET;
        return true;
    }
    if (plain_attribute(run, value, name, ret_value))
        return true;
    if (value->kind == TVALUE_BLOCKS) {
        for (uint32_t i = 0; i < run->template->blocks.count; i++) {
            const struct node *block = run->template->blocks.items[i];
            if (slice_equal(block->name, name)) {
                *ret_value = bind_method(run, value, NULL, block);
                return true;
            }
        }
    }
    const struct builtin *builtin = method_of(value, name);
    if (!builtin)
        return false;
    *ret_value = bind_method(run, value, builtin, NULL);
    return true;
}

static struct tvalue missing(const struct tvalue *value, struct slice name)
{
    struct tvalue undefined = tvalue_undefined(name);
    undefined.at = value->kind + 1U;
    return undefined;
}

static bool index_sequence(struct run *run, const struct tvalue *value, int64_t index,
                           struct tvalue *ret_value)
{
    int64_t count = (int64_t)tvalue_count(value);
    if (index < 0)
        index += count;
    if (index < 0 || index >= count)
        return false;
    if (value->kind == TVALUE_STRING) {
        size_t start = unicode_offset(value->text, (size_t)index), length;
        utf8_decode(value->text.data + start, value->text.size - start, &length);
        *ret_value = tvalue_string((struct slice){value->text.data + start, length});
        ret_value->flags = value->flags;
    } else if (value->kind == TVALUE_BYTES) {
        *ret_value = tvalue_int((unsigned char)value->text.data[index]);
    } else {
        *ret_value = tvalue_at(run->arena, value, (size_t)index);
    }
    return true;
}

/* value[key], and nothing else; false if that is a TypeError or a LookupError. */
static bool item_of(struct run *run, const struct tvalue *value, const struct tvalue *key,
                    struct tvalue *ret_value)
{
    if (tvalue_is_mapping(value))
        return tvalue_member(run->arena, value, key, ret_value);
    bool indexed = tvalue_is_sequence(value) || value->kind == TVALUE_STRING || value->kind == TVALUE_BYTES;
    if (!indexed || (key->kind != TVALUE_INT && key->kind != TVALUE_BOOL))
        return false;
    return index_sequence(run, value, key->kind == TVALUE_BOOL ? key->boolean : key->integer, ret_value);
}

int run_getattr(struct run *run, const struct tvalue *value, struct slice name, struct tvalue *ret_value)
{
    struct tvalue key = tvalue_string(name);
    bool dunder =
        name.size > 4 && slice_starts_with(name, "__") && memcmp(name.data + name.size - 2, "__", 2) == 0;
    if (value->kind == TVALUE_UNDEFINED && !dunder)
        return run_undefined(run, value);
    if (run_attribute(run, value, name, ret_value) || item_of(run, value, &key, ret_value))
        return 0;
    *ret_value = missing(value, name);
    return 0;
}

int run_getitem(struct run *run, const struct tvalue *value, const struct tvalue *key,
                struct tvalue *ret_value)
{
    if (value->kind == TVALUE_UNDEFINED)
        return run_undefined(run, value);
    if (item_of(run, value, key, ret_value))
        return 0;
    if (key->kind == TVALUE_STRING && run_attribute(run, value, key->text, ret_value))
        return 0;
    *ret_value =
        missing(value, key->kind == TVALUE_STRING ? key->text : SLICE_LITERAL("item of that number"));
    return 0;
}

/* --- slices -------------------------------------------------------------------------------------- */

static int bound_of(struct run *run, const struct tvalue *bound, int64_t otherwise, int64_t *ret_bound)
{
    *ret_bound = otherwise;
    if (bound->kind == TVALUE_NONE)
        return 0;
    if (!tvalue_is_integer(bound) && bound->kind != TVALUE_BOOL)
        return run_type_error(run, "a slice needs integers, not %s", tvalue_type(bound));
    return run_index(run, bound, ret_bound);
}

static int64_t clamp(int64_t at, int64_t count, int64_t step)
{
    if (at < 0)
        at += count;
    int64_t low = step < 0 ? -1 : 0, high = step < 0 ? count - 1 : count;
    return at < low ? low : at > high ? high : at;
}

static int slice_text(struct run *run, const struct tvalue *value, int64_t start, int64_t stop, int64_t step,
                      struct tvalue *ret_value)
{
    struct ttext text;
    struct tvalue item;
    if (step == 1) {
        size_t from =
            value->kind == TVALUE_BYTES ? (size_t)start : unicode_offset(value->text, (size_t)start);
        size_t to = value->kind == TVALUE_BYTES ? (size_t)stop : unicode_offset(value->text, (size_t)stop);
        *ret_value = *value;
        ret_value->text = (struct slice){value->text.data + from, to > from ? to - from : 0};
        return 0;
    }
    struct tvalue list;
    if (run_to_list(run, value, &list) < 0)
        return -1;
    run_text_init(run, &text);
    for (int64_t at = start; step < 0 ? at > stop : at < stop; at += step) {
        item = list.list->items[at];
        if (value->kind == TVALUE_BYTES)
            ttext_byte(&text, (char)item.integer);
        else
            ttext_slice(&text, item.text);
    }
    if (run_text(run, &text, ret_value) < 0)
        return -1;
    ret_value->kind = value->kind;
    ret_value->flags = value->flags;
    return 0;
}

int run_slice(struct run *run, const struct tvalue *value, const struct tvalue bounds[3],
              struct tvalue *ret_value)
{
    int64_t count = (int64_t)tvalue_count(value), start, stop, step;
    if (value->kind == TVALUE_UNDEFINED)
        return run_undefined(run, value);
    bool text = value->kind == TVALUE_STRING || value->kind == TVALUE_BYTES;
    if (!text && !tvalue_is_sequence(value))
        return tvalue_is_mapping(value) ? run_type_error(run, "a slice cannot be a key")
                                        : run_bad_operand(run, value, "a slice");
    if (bound_of(run, &bounds[2], 1, &step) < 0)
        return -1;
    if (step == 0)
        return run_fail(run, "a slice's step is 0");
    if (bound_of(run, &bounds[0], step < 0 ? INT64_MAX / 2 : 0, &start) < 0 ||
        bound_of(run, &bounds[1], step < 0 ? INT64_MIN / 2 : INT64_MAX / 2, &stop) < 0)
        return -1;
    start = clamp(start, count, step);
    stop = clamp(stop, count, step);
    if (text)
        return slice_text(run, value, start, stop, step, ret_value);
    struct tvalue part = tvalue_list(run->arena), whole = *value;
    if (value->kind == TVALUE_JSON_LIST && run_to_list(run, value, &whole) < 0)
        return -1; /* positions in a document are found by counting */
    for (int64_t at = start; step < 0 ? at > stop : at < stop; at += step) {
        if (run_push(run, part.list, tvalue_at(run->arena, &whole, (size_t)at)) < 0)
            return -1;
    }
    part.kind = value->kind == TVALUE_TUPLE ? TVALUE_TUPLE : TVALUE_LIST;
    *ret_value = part;
    return 0;
}
