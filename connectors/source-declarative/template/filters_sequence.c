/* Jinja's filters for sequences. What Jinja gives as a generator is one here too: it can be walked once, and
 * has no length; its items are there already. */
#include "run.h"
#include "unicode.h"

static struct tvalue generator_of(struct tvalue list)
{
    list.kind = TVALUE_GENERATOR;
    return list;
}

static struct tvalue hint(const char *text)
{
    struct tvalue undefined = tvalue_undefined(slice_of(text));
    undefined.flags = TVALUE_HINT;
    return undefined;
}

/* --- attributes by path -------------------------------------------------------------------------- */

/* "a.0.b" of an item; digits are positions. `fallback` for what is undefined, or NULL. */
static int follow_path(struct run *run, const struct tvalue *item, struct slice path,
                       const struct tvalue *fallback, struct tvalue *ret_value)
{
    struct tvalue value = *item;
    size_t at = 0;
    do {
        size_t end = at;
        bool digits = true;
        while (end < path.size && path.data[end] != '.') {
            digits = digits && path.data[end] >= '0' && path.data[end] <= '9';
            end++;
        }
        struct slice part = {path.data + at, end - at};
        struct tvalue key = digits && part.size ? integer_of_digits(run->arena, part, false)
                                                : tvalue_string(part),
                      next;
        if (run_getitem(run, &value, &key, &next) < 0)
            return -1;
        value = next.kind == TVALUE_UNDEFINED && fallback ? *fallback : next;
        at = end + 1;
    } while (at <= path.size);
    *ret_value = value;
    return 0;
}

/* An item's attribute, or the item; texts in lower case if case does not count. */
static int key_of(struct run *run, const struct tvalue *item, const struct tvalue *attribute,
                  const struct tvalue *fallback, bool ignore_case, struct tvalue *ret_value)
{
    *ret_value = *item;
    if (attribute && attribute->kind == TVALUE_STRING) {
        if (follow_path(run, item, attribute->text, fallback, ret_value) < 0)
            return -1;
    } else if (attribute && !is_unset(attribute)) {
        if (run_getitem(run, item, attribute, ret_value) < 0)
            return -1;
        if (ret_value->kind == TVALUE_UNDEFINED && fallback)
            *ret_value = *fallback;
    }
    if (ignore_case && ret_value->kind == TVALUE_STRING)
        ret_value->text = unicode_lower(run->arena, ret_value->text);
    return run_step(run);
}

static bool given_true(const struct tvalue *argument)
{
    return !is_absent(argument) && tvalue_true(argument);
}

/* --- one of them --------------------------------------------------------------------------------- */

static int filter_first(struct run *run, const struct tvalue *self, const struct tvalue *a,
                        struct tvalue *ret_value)
{
    (void)a;
    struct titer iter;
    if (run_iterate(run, self, &iter) < 0)
        return -1;
    if (!titer_next(&iter, ret_value))
        *ret_value = hint("there is no first item: the sequence is empty");
    return 0;
}

static int filter_last(struct run *run, const struct tvalue *self, const struct tvalue *a,
                       struct tvalue *ret_value)
{
    (void)a;
    struct titer iter;
    struct tvalue item;
    if (self->kind == TVALUE_GENERATOR || self->kind == TVALUE_SET || self->kind == TVALUE_OBJECT)
        return run_type_error(run, "a value of type %s has no last item", tvalue_type(self));
    if (run_iterate(run, self, &iter) < 0)
        return -1;
    *ret_value = hint("there is no last item: the sequence is empty");
    while (titer_next(&iter, &item)) {
        *ret_value = item;
        if (run_step(run) < 0)
            return -1;
    }
    return 0;
}

static int filter_random(struct run *run, const struct tvalue *self, const struct tvalue *a,
                         struct tvalue *ret_value)
{
    (void)a;
    struct tvalue list;
    uint64_t chance;
    if ((!tvalue_is_sequence(self) && self->kind != TVALUE_STRING && self->kind != TVALUE_UNDEFINED))
        return run_type_error(run, "a value of type %s has no random item", tvalue_type(self));
    if (run_to_list(run, self, &list) < 0)
        return -1;
    *ret_value = hint("there is no random item: the sequence is empty");
    random_bytes(&chance, sizeof chance);
    if (list.list->count)
        *ret_value = list.list->items[chance % list.list->count];
    return 0;
}

static int filter_length(struct run *run, const struct tvalue *self, const struct tvalue *a,
                         struct tvalue *ret_value)
{
    (void)a;
    bool sized = self->kind == TVALUE_UNDEFINED || self->kind == TVALUE_STRING ||
                 self->kind == TVALUE_BYTES || self->kind == TVALUE_SET || self->kind == TVALUE_VIEW ||
                 tvalue_is_sequence(self) || tvalue_is_mapping(self);
    if (self->kind == TVALUE_LOOP)
        return run_getattr(run, self, SLICE_LITERAL("length"), ret_value);
    if (!sized)
        return run_type_error(run, "a value of type %s has no length", tvalue_type(self));
    *ret_value = tvalue_int((int64_t)tvalue_count(self));
    return 0;
}

static int min_or_max(struct run *run, const struct tvalue *self, const struct tvalue *a, bool max,
                      struct tvalue *ret_value)
{
    struct titer iter;
    struct tvalue item, key, best = absent();
    if (run_iterate(run, self, &iter) < 0)
        return -1;
    *ret_value = hint("there is nothing to take one of: the sequence is empty");
    while (titer_next(&iter, &item)) {
        bool better = true;
        if (key_of(run, &item, &a[1], NULL, !given_true(&a[0]), &key) < 0)
            return -1;
        if (!is_absent(&best) &&
            (max ? run_less(run, &best, &key, &better) : run_less(run, &key, &best, &better)) < 0)
            return -1;
        if (better) {
            best = key;
            *ret_value = item;
        }
    }
    return 0;
}

static int filter_min(struct run *run, const struct tvalue *self, const struct tvalue *a,
                      struct tvalue *ret_value)
{
    return min_or_max(run, self, a, false, ret_value);
}

static int filter_max(struct run *run, const struct tvalue *self, const struct tvalue *a,
                      struct tvalue *ret_value)
{
    return min_or_max(run, self, a, true, ret_value);
}

static int filter_sum(struct run *run, const struct tvalue *self, const struct tvalue *a,
                      struct tvalue *ret_value)
{
    struct titer iter;
    struct tvalue item, key, sum = is_absent(&a[1]) ? tvalue_int(0) : a[1];
    if (sum.kind == TVALUE_STRING || sum.kind == TVALUE_BYTES)
        return run_type_error(run, "texts cannot be summed; join them");
    if (run_iterate(run, self, &iter) < 0)
        return -1;
    while (titer_next(&iter, &item)) {
        struct tvalue before = sum;
        if (key_of(run, &item, &a[0], NULL, false, &key) < 0 ||
            run_operate(run, OP_ADD, &before, &key, &sum) < 0)
            return -1;
    }
    *ret_value = sum;
    return 0;
}

static int filter_join(struct run *run, const struct tvalue *self, const struct tvalue *a,
                       struct tvalue *ret_value)
{
    struct titer iter;
    struct tvalue item, key, separator = tvalue_string(SLICE_LITERAL(""));
    struct ttext out;
    bool first = true;
    if (!is_absent(&a[0]) && run_str_value(run, &a[0], &separator) < 0)
        return -1;
    if (run_iterate(run, self, &iter) < 0)
        return -1;
    run_text_init(run, &out);
    while (titer_next(&iter, &item)) {
        if (key_of(run, &item, &a[1], NULL, false, &key) < 0)
            return -1;
        if (!first)
            ttext_slice(&out, separator.text);
        first = false;
        tvalue_str(&out, &key);
        if (out.overflowed)
            break;
    }
    return run_text(run, &out, ret_value);
}

/* --- all of them --------------------------------------------------------------------------------- */

static int filter_list(struct run *run, const struct tvalue *self, const struct tvalue *a,
                       struct tvalue *ret_value)
{
    (void)a;
    return run_to_list(run, self, ret_value);
}

static int filter_reverse(struct run *run, const struct tvalue *self, const struct tvalue *a,
                          struct tvalue *ret_value)
{
    (void)a;
    struct tvalue list, reversed = tvalue_list(run->arena);
    struct ttext out;
    if (!titer_init(&(struct titer){0}, run->arena, *self))
        return run_fail(run, "a value of type %s cannot be reversed", tvalue_type(self));
    if (run_to_list(run, self, &list) < 0)
        return -1;
    if (self->kind == TVALUE_STRING) {
        run_text_init(run, &out);
        for (uint32_t i = list.list->count; i-- > 0;)
            ttext_slice(&out, list.list->items[i].text);
        return run_text(run, &out, ret_value);
    }
    for (uint32_t i = list.list->count; i-- > 0;) {
        if (run_push(run, reversed.list, list.list->items[i]) < 0)
            return -1;
    }
    bool iterator = self->kind != TVALUE_GENERATOR && self->kind != TVALUE_SET && self->kind != TVALUE_OBJECT;
    *ret_value = iterator ? generator_of(reversed) : reversed;
    return 0;
}

/* The keys that items are sorted by: with a text of several attributes a list of them. */
static int sort_keys(struct run *run, const struct tlist *items, const struct tvalue *attribute,
                     bool ignore_case, struct tlist *keys)
{
    for (uint32_t i = 0; i < items->count; i++) {
        struct tvalue list = tvalue_list(run->arena), key;
        struct slice paths = attribute->kind == TVALUE_STRING ? attribute->text : (struct slice){"", 0};
        size_t at = 0;
        do {
            const char *comma =
                attribute->kind == TVALUE_STRING ? memchr(paths.data + at, ',', paths.size - at) : NULL;
            size_t end = comma ? (size_t)(comma - paths.data) : paths.size;
            struct tvalue path = tvalue_string((struct slice){paths.data + at, end - at});
            if (key_of(run, &items->items[i], attribute->kind == TVALUE_STRING ? &path : attribute, NULL,
                       ignore_case, &key) < 0 ||
                run_push(run, list.list, key) < 0)
                return -1;
            at = end + 1;
        } while (at <= paths.size && attribute->kind == TVALUE_STRING);
        if (run_push(run, keys, list) < 0)
            return -1;
    }
    return 0;
}

static int filter_sort(struct run *run, const struct tvalue *self, const struct tvalue *a,
                       struct tvalue *ret_value)
{
    struct tvalue list;
    struct tlist keys = {0};
    if (run_to_list(run, self, &list) < 0 ||
        sort_keys(run, list.list, &a[2], !given_true(&a[1]), &keys) < 0 ||
        run_sort(run, keys.items, list.list->items, list.list->count, given_true(&a[0])) < 0)
        return -1;
    *ret_value = list;
    return 0;
}

static int filter_unique(struct run *run, const struct tvalue *self, const struct tvalue *a,
                         struct tvalue *ret_value)
{
    struct titer iter;
    struct tvalue item, key, ignored, unique = tvalue_list(run->arena);
    struct tdict seen = {0};
    uint64_t hash;
    if (run_iterate(run, self, &iter) < 0)
        return -1;
    while (titer_next(&iter, &item)) {
        if (key_of(run, &item, &a[1], NULL, !given_true(&a[0]), &key) < 0)
            return -1;
        if (run_key(run, &key) < 0)
            return -1;
        if (!tvalue_hash(run->arena, &key, &hash))
            return run_type_error(run, "a value of type %s cannot be unique", tvalue_type(&key));
        if (tdict_get(&seen, &key, &ignored))
            continue;
        tdict_set(run->arena, &seen, key, tvalue_none());
        if (run_push(run, unique.list, item) < 0)
            return -1;
    }
    *ret_value = generator_of(unique);
    return 0;
}

static int filter_dictsort(struct run *run, const struct tvalue *self, const struct tvalue *a,
                           struct tvalue *ret_value)
{
    struct titer iter;
    struct tvalue key, by = tvalue_cstring("key"), items = tvalue_list(run->arena);
    struct tlist keys = {0};
    if (!is_absent(&a[1]))
        by = a[1];
    bool by_value = by.kind == TVALUE_STRING && slice_is(by.text, "value");
    if (!by_value && !(by.kind == TVALUE_STRING && slice_is(by.text, "key")))
        return run_fail(run, "dictsort sorts by 'key' or 'value'");
    if (!tvalue_is_mapping(self))
        return self->kind == TVALUE_UNDEFINED
                   ? run_undefined(run, self)
                   : run_fail(run, "dictsort needs a mapping, not %s", tvalue_type(self));
    titer_init(&iter, run->arena, *self);
    while (titer_next(&iter, &key)) {
        struct tvalue pair[] = {key, iter.of_key}, sorted_by;
        if (key_of(run, &pair[by_value], NULL, NULL, !given_true(&a[0]), &sorted_by) < 0 ||
            run_push(run, &keys, sorted_by) < 0 ||
            run_push(run, items.list, tvalue_tuple(run->arena, pair, 2)) < 0)
            return -1;
    }
    if (run_sort(run, keys.items, items.list->items, items.list->count, given_true(&a[2])) < 0)
        return -1;
    *ret_value = items;
    return 0;
}

static int filter_items(struct run *run, const struct tvalue *self, const struct tvalue *a,
                        struct tvalue *ret_value)
{
    (void)a;
    struct titer iter;
    struct tvalue key, items = tvalue_list(run->arena);
    if (!tvalue_is_mapping(self) && self->kind != TVALUE_UNDEFINED)
        return run_type_error(run, "items needs a mapping, not %s", tvalue_type(self));
    titer_init(&iter, run->arena, *self);
    while (titer_next(&iter, &key)) {
        struct tvalue pair[] = {key, iter.of_key};
        if (run_push(run, items.list, tvalue_tuple(run->arena, pair, 2)) < 0)
            return -1;
    }
    *ret_value = generator_of(items);
    return 0;
}

static int filter_groupby(struct run *run, const struct tvalue *self, const struct tvalue *a,
                          struct tvalue *ret_value)
{
    struct tvalue list, groups = tvalue_list(run->arena), key, group = absent(), last = absent();
    struct tlist keys = {0};
    const struct tvalue *fallback = is_unset(&a[1]) ? NULL : &a[1];
    bool ignore_case = !given_true(&a[2]);
    if (run_to_list(run, self, &list) < 0)
        return -1;
    for (uint32_t i = 0; i < list.list->count; i++) {
        if (key_of(run, &list.list->items[i], &a[0], fallback, ignore_case, &key) < 0 ||
            run_push(run, &keys, key) < 0)
            return -1;
    }
    if (run_sort(run, keys.items, list.list->items, list.list->count, false) < 0)
        return -1;
    for (uint32_t i = 0; i < list.list->count; i++) {
        const struct tvalue *item = &list.list->items[i];
        if (key_of(run, item, &a[0], fallback, ignore_case, &key) < 0)
            return -1;
        bool same = false;
        if (!is_absent(&last) && run_equal(run, &last, &key, &same) < 0)
            return -1;
        if (!same) {
            struct tvalue pair[2];
            group = tvalue_list(run->arena);
            if (key_of(run, item, &a[0], fallback, false, &pair[0]) < 0)
                return -1;
            pair[1] = group;
            struct tvalue tuple = tvalue_tuple(run->arena, pair, 2);
            tuple.flags = TVALUE_GROUP;
            if (run_push(run, groups.list, tuple) < 0)
                return -1;
        }
        last = key;
        if (run_push(run, group.list, *item) < 0)
            return -1;
    }
    *ret_value = groups;
    return 0;
}

/* --- parts --------------------------------------------------------------------------------------- */

static int filter_batch(struct run *run, const struct tvalue *self, const struct tvalue *a,
                        struct tvalue *ret_value)
{
    struct titer iter;
    struct tvalue item, batches = tvalue_list(run->arena), batch = absent();
    int64_t size;
    if (run_index(run, &a[0], &size) < 0 || run_iterate(run, self, &iter) < 0)
        return -1;
    while (titer_next(&iter, &item)) {
        if (is_absent(&batch) || batch.list->count == size) {
            batch = tvalue_list(run->arena);
            if (run_push(run, batches.list, batch) < 0)
                return -1;
        }
        if (run_push(run, batch.list, item) < 0)
            return -1;
    }
    while (!is_absent(&batch) && !is_unset(&a[1]) && batch.list->count < size) {
        if (run_push(run, batch.list, a[1]) < 0)
            return -1;
    }
    *ret_value = generator_of(batches);
    return 0;
}

static int filter_slice(struct run *run, const struct tvalue *self, const struct tvalue *a,
                        struct tvalue *ret_value)
{
    struct tvalue list, slices = tvalue_list(run->arena);
    int64_t count;
    if (run_to_list(run, self, &list) < 0 || run_index(run, &a[0], &count) < 0)
        return -1;
    if (count == 0)
        return run_fail(run, "nothing can be cut into 0 slices");
    int64_t each = count > 0 ? list.list->count / count : 0, extra = count > 0 ? list.list->count % count : 0,
            at = 0;
    for (int64_t i = 0; i < count; i++) {
        struct tvalue slice = tvalue_list(run->arena);
        int64_t end = at + each + (i < extra);
        for (; at < end; at++) {
            if (run_push(run, slice.list, list.list->items[at]) < 0)
                return -1;
        }
        if ((!is_unset(&a[1]) && i >= extra && run_push(run, slice.list, a[1]) < 0) ||
            run_push(run, slices.list, slice) < 0)
            return -1;
    }
    *ret_value = generator_of(slices);
    return 0;
}

/* --- map, select, reject ------------------------------------------------------------------------- */

static int filter_map(struct run *run, const struct tvalue *self, const struct call *call,
                      struct tvalue *ret_value)
{
    static const char *const NAMES[] = {"attribute", "default"};
    struct titer iter;
    struct tvalue item, mapped, list = tvalue_list(run->arena), by[2];
    struct call rest = {.keywords = call->keywords, .keyword_count = call->keyword_count};
    bool by_attribute = call->count == 0;
    *ret_value = generator_of(list);
    if (!tvalue_true(self))
        return 0;
    if (by_attribute) {
        if (run_bind(run, "map", NAMES, 2, 0, call, by) < 0) {
            run->failure = TEMPLATE_FAILED;
            return -1;
        }
        if (is_absent(&by[0]))
            return run_fail(run, "map needs a filter's name, or attribute=");
    } else {
        rest.positional = call->positional + 1;
        rest.count = call->count - 1;
        if (call->positional[0].kind != TVALUE_STRING)
            return run_fail(run, "map needs a filter's name");
    }
    if (run_iterate(run, self, &iter) < 0)
        return -1;
    while (titer_next(&iter, &item)) {
        int done = by_attribute ? key_of(run, &item, &by[0], is_unset(&by[1]) ? NULL : &by[1], false, &mapped)
                                : run_filter_named(run, call->positional[0].text, &item, &rest, &mapped);
        if (done < 0 || run_push(run, list.list, mapped) < 0)
            return -1;
    }
    *ret_value = generator_of(list);
    return 0;
}

static int select_items(struct run *run, const struct tvalue *self, const struct call *call,
                        bool by_attribute, bool keep, struct tvalue *ret_value)
{
    struct titer iter;
    struct tvalue item, tested, list = tvalue_list(run->arena);
    uint32_t used = by_attribute;
    *ret_value = generator_of(list);
    if (!tvalue_true(self))
        return 0;
    if (by_attribute && !call->count)
        return run_fail(run, "an attribute's name is missing");
    struct call rest = {.keywords = call->keywords, .keyword_count = call->keyword_count};
    bool has_test = call->count > used;
    if (has_test) {
        rest.positional = call->positional + used + 1;
        rest.count = call->count - used - 1;
        if (call->positional[used].kind != TVALUE_STRING)
            return run_fail(run, "a test's name is missing");
    }
    if (run_iterate(run, self, &iter) < 0)
        return -1;
    while (titer_next(&iter, &item)) {
        bool truth;
        if (key_of(run, &item, by_attribute ? &call->positional[0] : NULL, NULL, false, &tested) < 0)
            return -1;
        truth = tvalue_true(&tested);
        if (has_test && run_test_named(run, call->positional[used].text, &tested, &rest, &truth) < 0)
            return -1;
        if (truth == keep && run_push(run, list.list, item) < 0)
            return -1;
    }
    *ret_value = generator_of(list);
    return 0;
}

static int filter_select(struct run *run, const struct tvalue *self, const struct call *call,
                         struct tvalue *ret_value)
{
    return select_items(run, self, call, false, true, ret_value);
}

static int filter_reject(struct run *run, const struct tvalue *self, const struct call *call,
                         struct tvalue *ret_value)
{
    return select_items(run, self, call, false, false, ret_value);
}

static int filter_selectattr(struct run *run, const struct tvalue *self, const struct call *call,
                             struct tvalue *ret_value)
{
    return select_items(run, self, call, true, true, ret_value);
}

static int filter_rejectattr(struct run *run, const struct tvalue *self, const struct call *call,
                             struct tvalue *ret_value)
{
    return select_items(run, self, call, true, false, ret_value);
}

/* --- any value ----------------------------------------------------------------------------------- */

static int filter_default(struct run *run, const struct tvalue *self, const struct tvalue *a,
                          struct tvalue *ret_value)
{
    (void)run;
    bool missing = self->kind == TVALUE_UNDEFINED || (given_true(&a[1]) && !tvalue_true(self));
    *ret_value = !missing ? *self : is_absent(&a[0]) ? tvalue_string(SLICE_LITERAL("")) : a[0];
    return 0;
}

static int filter_attr(struct run *run, const struct tvalue *self, const struct tvalue *a,
                       struct tvalue *ret_value)
{
    struct slice name;
    if (run_string(run, &a[0], "an attribute's name", &name) < 0)
        return -1;
    if (self->kind == TVALUE_UNDEFINED)
        return run_undefined(run, self);
    if (!run_attribute(run, self, name, ret_value)) {
        *ret_value = tvalue_undefined(name);
        ret_value->at = self->kind + 1U;
    }
    return 0;
}

const struct filter filters_sequence[] = {
    {{.name = "first", .function = filter_first}},
    {{.name = "last", .function = filter_last}},
    {{.name = "random", .function = filter_random}},
    {{.name = "length", .function = filter_length}},
    {{.name = "count", .function = filter_length}},
    {{.name = "min", .function = filter_min, .parameters = {"case_sensitive", "attribute"}}},
    {{.name = "max", .function = filter_max, .parameters = {"case_sensitive", "attribute"}}},
    {{.name = "sum", .function = filter_sum, .parameters = {"attribute", "start"}}},
    {{.name = "join", .function = filter_join, .parameters = {"d", "attribute"}}},
    {{.name = "list", .function = filter_list}},
    {{.name = "reverse", .function = filter_reverse}},
    {{.name = "sort", .function = filter_sort, .parameters = {"reverse", "case_sensitive", "attribute"}}},
    {{.name = "unique", .function = filter_unique, .parameters = {"case_sensitive", "attribute"}}},
    {{.name = "dictsort", .function = filter_dictsort, .parameters = {"case_sensitive", "by", "reverse"}}},
    {{.name = "items", .function = filter_items}},
    {{.name = "groupby",
      .function = filter_groupby,
      .required = 1,
      .parameters = {"attribute", "default", "case_sensitive"}}},
    {{.name = "batch", .function = filter_batch, .required = 1, .parameters = {"linecount", "fill_with"}}},
    {{.name = "slice", .function = filter_slice, .required = 1, .parameters = {"slices", "fill_with"}}},
    {{.name = "map", .any = filter_map}},
    {{.name = "select", .any = filter_select}},
    {{.name = "reject", .any = filter_reject}},
    {{.name = "selectattr", .any = filter_selectattr}},
    {{.name = "rejectattr", .any = filter_rejectattr}},
    {{.name = "default", .function = filter_default, .parameters = {"default_value", "boolean"}}},
    {{.name = "d", .function = filter_default, .parameters = {"default_value", "boolean"}}},
    {{.name = "attr", .function = filter_attr, .required = 1, .parameters = {"name"}}},
    {{.name = NULL}},
};
