#include "run.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 4, 0))) static int fail(struct run *run, enum template_failure failure,
                                                      enum error_code code, const char *format,
                                                      va_list arguments)
{
    char message[512];
    vsnprintf(message, sizeof message, format, arguments);
    run->failure = failure;
    return template_error(run->template, run->at, code, run->err, "%s", message);
}

int(run_type_error)(struct run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(run, TEMPLATE_TYPE_ERROR, ERROR_INVALID, format, arguments);
    va_end(arguments);
    return -1;
}

int(run_fail)(struct run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(run, TEMPLATE_FAILED, ERROR_INVALID, format, arguments);
    va_end(arguments);
    return -1;
}

int(run_limit)(struct run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(run, TEMPLATE_FAILED, ERROR_LIMIT, format, arguments);
    va_end(arguments);
    return -1;
}

int(run_error)(struct run *run, const struct error *err)
{
    run->failure = TEMPLATE_FAILED;
    return template_error(run->template, run->at, err->code, run->err, "%s", err->message);
}

struct slice run_shown(const struct run *run, struct slice name)
{
    enum { SHOWN_MAX = 60 };
    const char *text = run->template->text.data;
    if (name.data < text || name.data > text + run->template->text.size)
        return SLICE_LITERAL("…");
    return (struct slice){name.data, utf8_cut(name.data, name.size, SHOWN_MAX)};
}

int(run_undefined)(struct run *run, const struct tvalue *undefined)
{
    struct slice name = undefined->flags & TVALUE_HINT ? undefined->text : run_shown(run, undefined->text);
    int size = (int)name.size;
    if (undefined->flags & TVALUE_SECRET)
        return run_fail(run, "the attribute '%.*s' is not safe to use", size, name.data);
    if (undefined->flags & TVALUE_HINT)
        run_type_error(run, "%.*s", size, name.data);
    else if (undefined->at) {
        struct tvalue looked_into = {.kind = (uint8_t)(undefined->at - 1)};
        run_type_error(run, "a %s has no '%.*s'",
                       looked_into.kind == TVALUE_OBJECT ? "object" : tvalue_type(&looked_into), size,
                       name.data);
    } else {
        run_type_error(run, "'%.*s' is undefined", size, name.data);
    }
    run->failure = TEMPLATE_UNDEFINED;
    return -1;
}

int(run_bad_operand)(struct run *run, const struct tvalue *value, const char *what)
{
    if (value->kind == TVALUE_UNDEFINED)
        return run_undefined(run, value);
    return run_type_error(run, "%s cannot be done with a value of type %s", what, tvalue_type(value));
}

int run_charge(struct run *run, size_t bytes)
{
    run->memory += bytes;
    if (run->memory > TEMPLATE_MEMORY_MAX)
        return run_limit(run, "it makes more than %d MiB of values", TEMPLATE_MEMORY_MAX >> 20);
    return 0;
}

int run_step(struct run *run)
{
    if (++run->steps > TEMPLATE_STEPS_MAX)
        return run_limit(run, "it takes more than %d steps", TEMPLATE_STEPS_MAX);
    return 0;
}

static unsigned steps_left(const struct run *run)
{
    return run->steps < TEMPLATE_STEPS_MAX ? TEMPLATE_STEPS_MAX - run->steps : 0;
}

static bool weigh_bytes(size_t bytes, unsigned *left)
{
    size_t cost = 1 + bytes / TVALUE_STEP_BYTES;
    *left = cost < *left ? *left - (unsigned)cost : 0;
    return *left > 0;
}

static bool weigh(const struct tvalue *value, unsigned depth, unsigned *left)
{
    bool fits = depth <= TVALUE_DEPTH_MAX;
    switch (value->kind) {
    case TVALUE_STRING:
    case TVALUE_BYTES:
        return weigh_bytes(value->text.size, left);
    case TVALUE_JSON_LIST:
    case TVALUE_JSON_DICT:
        return weigh_bytes(json_raw(value->doc, value->at).size, left);
    case TVALUE_LIST:
    case TVALUE_TUPLE:
    case TVALUE_SET:
        fits = fits && weigh_bytes(0, left);
        for (uint32_t i = 0; fits && i < value->list->count; i++)
            fits = weigh(&value->list->items[i], depth + 1, left);
        return fits;
    case TVALUE_DICT:
        fits = fits && weigh_bytes(0, left);
        for (uint32_t i = 0; fits && i < value->dict->used; i++) {
            const struct tentry *entry = &value->dict->entries[i];
            fits = entry->removed ||
                   (weigh(&entry->key, depth + 1, left) && weigh(&entry->value, depth + 1, left));
        }
        return fits;
    case TVALUE_OBJECT:
        return fits && weigh(&value->object->mapping, depth + 1, left);
    default:
        return weigh_bytes(0, left);
    }
}

int run_weigh(struct run *run, const struct tvalue *value, unsigned *left)
{
    if (weigh(value, 0, left))
        return 0;
    return run_limit(run, "it makes a value of more than %d parts or %d MiB, or one nested more than %d deep",
                     TEMPLATE_STEPS_MAX, TEMPLATE_STEPS_MAX / (1 << 20) * TVALUE_STEP_BYTES,
                     TVALUE_DEPTH_MAX);
}

int run_key(struct run *run, const struct tvalue *key)
{
    if (key->kind != TVALUE_TUPLE)
        return 0;
    unsigned left = steps_left(run);
    if (run_weigh(run, key, &left) < 0)
        return -1;
    run->steps = TEMPLATE_STEPS_MAX - left;
    return 0;
}

int run_equal(struct run *run, const struct tvalue *a, const struct tvalue *b, bool *ret_equal)
{
    unsigned before = steps_left(run) + 1, left = before;
    *ret_equal = tvalue_equal_within(run->arena, a, b, &left);
    run->steps += before - left;
    return left ? 0 : run_step(run);
}

int run_push(struct run *run, struct tlist *list, struct tvalue item)
{
    if (list->count >= TEMPLATE_ITEMS_MAX)
        return run_limit(run, "it makes a list of more than %d items", TEMPLATE_ITEMS_MAX);
    if (run_step(run) < 0 || run_charge(run, 2 * sizeof item) < 0)
        return -1;
    tlist_push(run->arena, list, item);
    return 0;
}

void run_text_init(struct run *run, struct ttext *text)
{
    ttext_init(text, run->arena, TEMPLATE_TEXT_MAX);
}

int run_text(struct run *run, const struct ttext *text, struct tvalue *ret_value)
{
    if (text->overflowed)
        return run_limit(run, "it makes a text of more than %d MiB", TEMPLATE_TEXT_MAX >> 20);
    *ret_value = tvalue_string(ttext_slice_of(text));
    return run_charge(run, 2 * text->size);
}

int64_t run_now(const struct run *run)
{
    return clock_wall_ms(run->scope->clock ? run->scope->clock : &clock_system) * 1000;
}

int run_str_value(struct run *run, const struct tvalue *value, struct tvalue *ret_value)
{
    if (value->kind == TVALUE_STRING) {
        *ret_value = tvalue_string(value->text);
        return 0;
    }
    if (value->kind == TVALUE_UNDEFINED && value->flags & TVALUE_SECRET) {
        *ret_value = tvalue_string(SLICE_LITERAL(""));
        return 0;
    }
    struct ttext text;
    run_text_init(run, &text);
    tvalue_str(&text, value);
    return run_text(run, &text, ret_value);
}

struct slice run_str(struct run *run, const struct tvalue *value)
{
    struct tvalue text;
    return run_str_value(run, value, &text) < 0 ? (struct slice){"", 0} : text.text;
}

int run_iterate(struct run *run, const struct tvalue *value, struct titer *ret_iter)
{
    if (titer_init(ret_iter, run->arena, *value))
        return 0;
    return run_bad_operand(run, value, "going through the items");
}

int run_to_list(struct run *run, const struct tvalue *value, struct tvalue *ret_list)
{
    struct titer iter;
    struct tvalue item;
    if (run_iterate(run, value, &iter) < 0)
        return -1;
    *ret_list = tvalue_list(run->arena);
    while (titer_next(&iter, &item)) {
        if (run_push(run, ret_list->list, item) < 0)
            return -1;
    }
    return 0;
}

int run_index(struct run *run, const struct tvalue *value, int64_t *ret_index)
{
    if (value->kind == TVALUE_INT)
        *ret_index = value->integer;
    else if (value->kind == TVALUE_BOOL)
        *ret_index = value->boolean;
    else if (value->kind == TVALUE_BIG)
        *ret_index = integer_is_negative(value) ? INT64_MIN / 2 : INT64_MAX / 2;
    else
        return run_bad_operand(run, value, "counting");
    return 0;
}

int run_string(struct run *run, const struct tvalue *value, const char *what, struct slice *ret_text)
{
    if (value->kind != TVALUE_STRING)
        return run_type_error(run, "%s must be a str, not %s", what, tvalue_type(value));
    *ret_text = value->text;
    return 0;
}

/* Merge sort: stable, and a comparison that fails ends it. */
static int merge(struct run *run, struct tvalue *keys, struct tvalue *items, struct tvalue *scratch,
                 size_t count, bool reverse)
{
    size_t half = count / 2, left = 0, right = half, at = 0;
    if (count < 2)
        return 0;
    if (merge(run, keys, items, scratch, half, reverse) < 0 ||
        merge(run, keys + half, items + half, scratch, count - half, reverse) < 0)
        return -1;
    while (left < half || right < count) {
        bool take_right = left == half;
        if (left < half && right < count) {
            if (run_step(run) < 0 || (reverse ? run_less(run, &keys[left], &keys[right], &take_right)
                                              : run_less(run, &keys[right], &keys[left], &take_right)) < 0)
                return -1;
        }
        size_t from = take_right ? right++ : left++;
        scratch[2 * at] = keys[from];
        scratch[2 * at++ + 1] = items[from];
    }
    for (at = 0; at < count; at++) {
        keys[at] = scratch[2 * at];
        items[at] = scratch[2 * at + 1];
    }
    return 0;
}

int run_sort(struct run *run, struct tvalue *keys, struct tvalue *items, size_t count, bool reverse)
{
    if (count < 2)
        return 0;
    if (run_charge(run, 4 * count * sizeof *keys) < 0)
        return -1;
    struct tvalue *own_keys = arena_dup(run->arena, keys, count * sizeof *keys);
    return merge(run, own_keys, items, arena_alloc(run->arena, 2 * count * sizeof *keys), count, reverse);
}

int run_bind(struct run *run, const char *what, const char *const *names, size_t count, size_t required,
             const struct call *call, struct tvalue *ret_values)
{
    if (call->count > count)
        return run_type_error(run, "%s takes at most %zu arguments, not %u", what, count, call->count);
    for (size_t i = 0; i < count; i++)
        ret_values[i] = i < call->count ? call->positional[i] : absent();
    for (uint32_t k = 0; k < call->keyword_count; k++) {
        size_t at = 0;
        while (at < count && !slice_is(call->keywords[k].name, names[at]))
            at++;
        if (at == count || !is_absent(&ret_values[at]))
            return run_type_error(run, "%s has no argument '%.*s', or was given it twice", what,
                                  SLICE_ARGS(run_shown(run, call->keywords[k].name)));
        ret_values[at] = call->keywords[k].value;
    }
    for (size_t i = 0; i < required; i++) {
        if (is_absent(&ret_values[i]))
            return run_type_error(run, "%s needs an argument '%s'", what, names[i]);
    }
    return 0;
}

int run_builtin(struct run *run, const struct builtin *builtin, const struct tvalue *self,
                const struct call *call, struct tvalue *ret_value)
{
    if (builtin->any)
        return builtin->any(run, self, call, ret_value);
    struct tvalue values[BIND_MAX];
    size_t count = 0;
    for (size_t i = 0; i < BIND_MAX; i++) /* a function may be shared by names with fewer parameters */
        values[i] = absent();
    while (count < BIND_MAX && builtin->parameters[count])
        count++;
    if (run_bind(run, builtin->name, builtin->parameters, count, builtin->required, call, values) < 0)
        return -1;
    return builtin->function(run, self, values, ret_value);
}
