/* Methods of lists, tuples, sets, dicts and numbers. */
#include "run.h"

#define METHOD(name)                                                                    \
    static int name(struct run *run, const struct tvalue *self, const struct tvalue *a, \
                    struct tvalue *ret_value)

/* A document's lists and dicts belong to others. */
static int changeable(struct run *run, const struct tvalue *self)
{
    if (self->kind == TVALUE_JSON_LIST || self->kind == TVALUE_JSON_DICT)
        return run_fail(run, "a template cannot change what it was given; dict(x) and x | list make a copy");
    return 0;
}

/* --- dicts --------------------------------------------------------------------------------------- */

METHOD(method_get)
{
    uint64_t hash;
    if (run_key(run, &a[0]) < 0)
        return -1;
    if (!tvalue_hash(run->arena, &a[0], &hash))
        return run_type_error(run, "a value of type %s cannot be a key", tvalue_type(&a[0]));
    if (!tvalue_member(run->arena, self, &a[0], ret_value))
        *ret_value = is_absent(&a[1]) ? tvalue_none() : a[1];
    return 0;
}

static int view_of(struct run *run, const struct tvalue *self, enum tvalue_view view,
                   struct tvalue *ret_value)
{
    *ret_value = (struct tvalue){
        .kind = TVALUE_VIEW, .id = (uint16_t)view, .pointer = arena_dup(run->arena, self, sizeof *self)};
    return 0;
}

METHOD(method_keys)
{
    (void)a;
    return view_of(run, self, TVALUE_VIEW_KEYS, ret_value);
}

METHOD(method_values)
{
    (void)a;
    return view_of(run, self, TVALUE_VIEW_VALUES, ret_value);
}

METHOD(method_items)
{
    (void)a;
    return view_of(run, self, TVALUE_VIEW_ITEMS, ret_value);
}

static int put(struct run *run, struct tdict *dict, struct tvalue key, struct tvalue value)
{
    uint64_t hash;
    if (run_key(run, &key) < 0)
        return -1;
    if (!tvalue_hash(run->arena, &key, &hash))
        return run_type_error(run, "a value of type %s cannot be a key", tvalue_type(&key));
    if (run_step(run) < 0 || run_charge(run, 2 * sizeof(struct tentry)) < 0)
        return -1;
    tdict_set(run->arena, dict, key, value);
    return 0;
}

static int method_update(struct run *run, const struct tvalue *self, const struct call *call,
                         struct tvalue *ret_value)
{
    struct tvalue function, more, key;
    struct titer iter;
    if (changeable(run, self) < 0)
        return -1;
    registry_global(SLICE_LITERAL("dict"), &function);
    if (run_call(run, &function, call, &more) < 0)
        return -1;
    titer_init(&iter, run->arena, more);
    while (titer_next(&iter, &key)) {
        if (put(run, self->dict, key, iter.of_key) < 0)
            return -1;
    }
    *ret_value = tvalue_none();
    return 0;
}

METHOD(method_setdefault)
{
    if (changeable(run, self) < 0)
        return -1;
    if (tvalue_member(run->arena, self, &a[0], ret_value))
        return 0;
    *ret_value = is_absent(&a[1]) ? tvalue_none() : a[1];
    return put(run, self->dict, a[0], *ret_value);
}

METHOD(method_dict_pop)
{
    if (changeable(run, self) < 0)
        return -1;
    if (tdict_remove(self->dict, &a[0], ret_value))
        return 0;
    if (is_absent(&a[1]))
        return run_fail(run, "pop: there is no such key");
    *ret_value = a[1];
    return 0;
}

METHOD(method_popitem)
{
    (void)a;
    if (changeable(run, self) < 0)
        return -1;
    struct tdict *dict = self->dict;
    for (uint32_t i = dict->used; i-- > 0;) {
        if (dict->entries[i].removed)
            continue;
        struct tvalue pair[] = {dict->entries[i].key, dict->entries[i].value};
        *ret_value = tvalue_tuple(run->arena, pair, 2);
        tdict_remove(dict, &pair[0], &pair[1]);
        return 0;
    }
    return run_fail(run, "popitem: the dict is empty");
}

METHOD(method_dict_clear)
{
    (void)a;
    if (changeable(run, self) < 0)
        return -1;
    *self->dict = (struct tdict){0};
    *ret_value = tvalue_none();
    return 0;
}

METHOD(method_dict_copy)
{
    (void)a;
    struct titer iter;
    struct tvalue key;
    *ret_value = tvalue_dict(run->arena);
    titer_init(&iter, run->arena, *self);
    while (titer_next(&iter, &key)) {
        if (put(run, ret_value->dict, key, iter.of_key) < 0)
            return -1;
    }
    return 0;
}

const struct builtin methods_dict[] = {
    {.name = "get", .function = method_get, .required = 1, .parameters = {"key", "default"}},
    {.name = "keys", .function = method_keys},
    {.name = "values", .function = method_values},
    {.name = "items", .function = method_items},
    {.name = "update", .any = method_update},
    {.name = "setdefault", .function = method_setdefault, .required = 1, .parameters = {"key", "default"}},
    {.name = "pop", .function = method_dict_pop, .required = 1, .parameters = {"key", "default"}},
    {.name = "popitem", .function = method_popitem},
    {.name = "clear", .function = method_dict_clear},
    {.name = "copy", .function = method_dict_copy},
    {.name = NULL},
};

const struct builtin methods_object[] = {
    {.name = "get", .function = method_get, .required = 1, .parameters = {"key", "default"}},
    {.name = "keys", .function = method_keys},
    {.name = "values", .function = method_values},
    {.name = "items", .function = method_items},
    {.name = NULL},
};

/* --- lists, tuples ------------------------------------------------------------------------------- */

METHOD(method_append)
{
    *ret_value = tvalue_none();
    return changeable(run, self) < 0 ? -1 : run_push(run, self->list, a[0]);
}

METHOD(method_extend)
{
    struct tvalue more;
    if (changeable(run, self) < 0 || run_to_list(run, &a[0], &more) < 0)
        return -1;
    for (uint32_t i = 0; i < more.list->count; i++) {
        if (run_push(run, self->list, more.list->items[i]) < 0)
            return -1;
    }
    *ret_value = tvalue_none();
    return 0;
}

METHOD(method_insert)
{
    int64_t at;
    if (changeable(run, self) < 0 || run_index(run, &a[0], &at) < 0 || run_push(run, self->list, a[1]) < 0)
        return -1;
    int64_t count = self->list->count - 1;
    at = at < 0 ? at + count : at;
    at = at < 0 ? 0 : at > count ? count : at;
    memmove(self->list->items + at + 1, self->list->items + at,
            (size_t)(count - at) * sizeof *self->list->items);
    self->list->items[at] = a[1];
    *ret_value = tvalue_none();
    return 0;
}

static void remove_at(struct tlist *list, size_t at)
{
    memmove(list->items + at, list->items + at + 1, (list->count - at - 1) * sizeof *list->items);
    list->count--;
}

METHOD(method_list_pop)
{
    int64_t at = -1;
    if (changeable(run, self) < 0 || (!is_absent(&a[0]) && run_index(run, &a[0], &at) < 0))
        return -1;
    at = at < 0 ? at + self->list->count : at;
    if (at < 0 || at >= self->list->count)
        return run_fail(run, "pop: there is no such item");
    *ret_value = self->list->items[at];
    remove_at(self->list, (size_t)at);
    return 0;
}

static int position_of(struct run *run, const struct tvalue *self, const struct tvalue *item,
                       int64_t *ret_position)
{
    struct titer iter;
    struct tvalue element;
    *ret_position = 0;
    titer_init(&iter, run->arena, *self);
    while (titer_next(&iter, &element)) {
        bool same;
        if (run_step(run) < 0 || run_equal(run, &element, item, &same) < 0)
            return -1;
        if (same)
            return 0;
        ++*ret_position;
    }
    return run_fail(run, "a list does not have the value that is looked for");
}

METHOD(method_remove)
{
    int64_t at;
    if (changeable(run, self) < 0 || position_of(run, self, &a[0], &at) < 0)
        return -1;
    remove_at(self->list, (size_t)at);
    *ret_value = tvalue_none();
    return 0;
}

METHOD(method_index)
{
    int64_t at;
    if (position_of(run, self, &a[0], &at) < 0)
        return -1;
    *ret_value = tvalue_int(at);
    return 0;
}

METHOD(method_count)
{
    struct titer iter;
    struct tvalue element;
    int64_t count = 0;
    titer_init(&iter, run->arena, *self);
    while (titer_next(&iter, &element)) {
        bool same;
        if (run_step(run) < 0 || run_equal(run, &element, &a[0], &same) < 0)
            return -1;
        count += same;
    }
    *ret_value = tvalue_int(count);
    return 0;
}

METHOD(method_list_clear)
{
    (void)a;
    if (changeable(run, self) < 0)
        return -1;
    self->list->count = 0;
    *ret_value = tvalue_none();
    return 0;
}

METHOD(method_list_copy)
{
    (void)a;
    return run_to_list(run, self, ret_value);
}

METHOD(method_list_reverse)
{
    (void)a;
    if (changeable(run, self) < 0)
        return -1;
    struct tlist *list = self->list;
    for (uint32_t i = 0; i < list->count / 2; i++) {
        struct tvalue kept = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = kept;
    }
    *ret_value = tvalue_none();
    return 0;
}

METHOD(method_list_sort)
{
    bool reverse = !is_absent(&a[1]) && tvalue_true(&a[1]);
    if (changeable(run, self) < 0)
        return -1;
    if (!is_unset(&a[0]))
        return run_fail(run, "sort with a key is not supported; use the filter sort");
    *ret_value = tvalue_none();
    return run_sort(run, self->list->items, self->list->items, self->list->count, reverse);
}

const struct builtin methods_list[] = {
    {.name = "append", .function = method_append, .required = 1, .parameters = {"object"}},
    {.name = "extend", .function = method_extend, .required = 1, .parameters = {"iterable"}},
    {.name = "insert", .function = method_insert, .required = 2, .parameters = {"index", "object"}},
    {.name = "pop", .function = method_list_pop, .parameters = {"index"}},
    {.name = "remove", .function = method_remove, .required = 1, .parameters = {"value"}},
    {.name = "index", .function = method_index, .required = 1, .parameters = {"value"}},
    {.name = "count", .function = method_count, .required = 1, .parameters = {"value"}},
    {.name = "clear", .function = method_list_clear},
    {.name = "copy", .function = method_list_copy},
    {.name = "reverse", .function = method_list_reverse},
    {.name = "sort", .function = method_list_sort, .parameters = {"key", "reverse"}},
    {.name = NULL},
};

const struct builtin methods_tuple[] = {
    {.name = "index", .function = method_index, .required = 1, .parameters = {"value"}},
    {.name = "count", .function = method_count, .required = 1, .parameters = {"value"}},
    {.name = NULL},
};

const struct builtin methods_set[] = {
    {.name = NULL},
};

/* --- numbers ------------------------------------------------------------------------------------- */

METHOD(method_is_integer)
{
    (void)run, (void)a;
    *ret_value = tvalue_bool(isfinite(self->number) && self->number == trunc(self->number));
    return 0;
}

METHOD(method_bit_length)
{
    (void)a;
    int64_t bits = 0;
    struct tvalue rest = *self, two = tvalue_int(2), bit;
    if (integer_is_negative(&rest))
        rest = integer_negate(run->arena, &rest);
    for (; tvalue_true(&rest); bits++)
        integer_divide(run->arena, &rest, &two, &rest, &bit);
    *ret_value = tvalue_int(bits);
    return run_charge(run, (size_t)bits * integer_digits(self));
}

const struct builtin methods_float[] = {
    {.name = "is_integer", .function = method_is_integer},
    {.name = NULL},
};

const struct builtin methods_integer[] = {
    {.name = "bit_length", .function = method_bit_length},
    {.name = NULL},
};
