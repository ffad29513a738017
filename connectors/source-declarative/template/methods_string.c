/* Methods of str. */
#include "run.h"
#include "text_tools.h"
#include "unicode.h"

#define METHOD(name)                                                                    \
    static int name(struct run *run, const struct tvalue *self, const struct tvalue *a, \
                    struct tvalue *ret_value)

static int give(const struct tvalue *self, struct slice text, struct tvalue *ret_value)
{
    *ret_value = tvalue_string(text);
    ret_value->flags = self->flags & TVALUE_SAFE;
    return 0;
}

#define CASE_METHOD(name, change)                                     \
    METHOD(name)                                                      \
    {                                                                 \
        (void)a;                                                      \
        if (run_charge(run, 4 * self->text.size) < 0)                 \
            return -1;                                                \
        return give(self, change(run->arena, self->text), ret_value); \
    }
CASE_METHOD(method_upper, unicode_upper)
CASE_METHOD(method_lower, unicode_lower)
CASE_METHOD(method_capitalize, unicode_capitalize)
CASE_METHOD(method_title, unicode_title)
CASE_METHOD(method_swapcase, unicode_swapcase)
CASE_METHOD(method_casefold, unicode_casefold)

static int strip(struct run *run, const struct tvalue *self, const struct tvalue *a, bool left, bool right,
                 struct tvalue *ret_value)
{
    struct slice characters;
    if (!is_unset(&a[0]) && run_string(run, &a[0], "what is stripped", &characters) < 0)
        return -1;
    return give(self, unicode_strip(self->text, is_unset(&a[0]) ? NULL : &characters, left, right),
                ret_value);
}

METHOD(method_strip)
{
    return strip(run, self, a, true, true, ret_value);
}

METHOD(method_lstrip)
{
    return strip(run, self, a, true, false, ret_value);
}

METHOD(method_rstrip)
{
    return strip(run, self, a, false, true, ret_value);
}

static int split(struct run *run, const struct tvalue *self, const struct tvalue *a, bool right,
                 struct tvalue *ret_value)
{
    struct slice separator;
    int64_t count = -1;
    if ((!is_unset(&a[0]) && run_string(run, &a[0], "a separator", &separator) < 0) ||
        (!is_absent(&a[1]) && run_index(run, &a[1], &count) < 0))
        return -1;
    if (text_split(run, self->text, is_unset(&a[0]) ? NULL : &separator, count, right, ret_value) < 0)
        return -1;
    for (uint32_t i = 0; i < ret_value->list->count; i++)
        ret_value->list->items[i].flags = self->flags & TVALUE_SAFE;
    return 0;
}

METHOD(method_split)
{
    return split(run, self, a, false, ret_value);
}

METHOD(method_rsplit)
{
    return split(run, self, a, true, ret_value);
}

METHOD(method_splitlines)
{
    bool ends = !is_absent(&a[0]) && tvalue_true(&a[0]);
    struct tvalue lines = tvalue_list(run->arena);
    struct slice text = self->text;
    for (size_t at = 0, end, next; at < text.size; at = next) {
        text_line(text, at, &end, &next);
        struct slice line = {text.data + at, (ends ? next : end) - at};
        if (run_push(run, lines.list, tvalue_string(line)) < 0)
            return -1;
    }
    *ret_value = lines;
    return 0;
}

static int partition(struct run *run, const struct tvalue *self, const struct tvalue *a, bool right,
                     struct tvalue *ret_value)
{
    struct slice separator, text = self->text;
    if (run_string(run, &a[0], "a separator", &separator) < 0)
        return -1;
    if (!separator.size)
        return run_fail(run, "a text cannot be split at nothing");
    struct tvalue empty = tvalue_string(SLICE_LITERAL("")), parts[] = {*self, empty, empty}, list;
    if (text_split(run, text, &separator, 1, right, &list) < 0)
        return -1;
    if (list.list->count == 2) {
        parts[0] = list.list->items[0];
        parts[1] = tvalue_string(separator);
        parts[2] = list.list->items[1];
    } else if (right) {
        parts[2] = parts[0];
        parts[0] = empty;
    }
    *ret_value = tvalue_tuple(run->arena, parts, 3);
    return 0;
}

METHOD(method_partition)
{
    return partition(run, self, a, false, ret_value);
}

METHOD(method_rpartition)
{
    return partition(run, self, a, true, ret_value);
}

METHOD(method_replace)
{
    struct slice old, with;
    int64_t count = -1;
    struct tvalue escaped;
    if (run_string(run, &a[0], "what is replaced", &old) < 0 ||
        run_string(run, &a[1], "a replacement", &with) < 0 ||
        (!is_absent(&a[2]) && run_index(run, &a[2], &count) < 0))
        return -1;
    if (self->flags & TVALUE_SAFE) {
        if (run_escape(run, &a[1], &escaped) < 0)
            return -1;
        with = escaped.text;
    }
    if (text_replace(run, self->text, old, with, count, ret_value) < 0)
        return -1;
    ret_value->flags = self->flags & TVALUE_SAFE;
    return 0;
}

static int join(struct run *run, const struct tvalue *self, const struct tvalue *a, struct tvalue *ret_value)
{
    struct titer iter;
    struct tvalue item;
    struct ttext out;
    bool first = true;
    if (run_iterate(run, &a[0], &iter) < 0) {
        if (a[0].kind == TVALUE_UNDEFINED)
            run->failure = TEMPLATE_TYPE_ERROR;
        return -1;
    }
    run_text_init(run, &out);
    while (titer_next(&iter, &item)) {
        if (item.kind != TVALUE_STRING)
            return run_type_error(run, "only texts can be joined, not %s", tvalue_type(&item));
        if (self->flags & TVALUE_SAFE && run_escape(run, &item, &item) < 0)
            return -1;
        if (!first)
            ttext_slice(&out, self->text);
        first = false;
        ttext_slice(&out, item.text);
        if (run_step(run) < 0)
            return -1;
    }
    if (run_text(run, &out, ret_value) < 0)
        return -1;
    ret_value->flags = self->flags & TVALUE_SAFE;
    return 0;
}

METHOD(method_join)
{
    return join(run, self, a, ret_value);
}

/* --- searching ----------------------------------------------------------------------------------- */

/* The part of a text that start and end name; false if they are no integers. */
static int part_of(struct run *run, const struct tvalue *self, const struct tvalue *a, struct slice *ret_part,
                   int64_t *ret_start)
{
    int64_t count = (int64_t)unicode_count(self->text), start = 0, end = count;
    if ((!is_unset(&a[1]) && run_index(run, &a[1], &start) < 0) ||
        (!is_unset(&a[2]) && run_index(run, &a[2], &end) < 0))
        return -1;
    if (start < 0)
        start = start + count < 0 ? 0 : start + count;
    if (end < 0)
        end = end + count < 0 ? 0 : end + count;
    if (end > count)
        end = count;
    *ret_start = start;
    if (start > end) {
        *ret_part = (struct slice){NULL, 0};
        return 0;
    }
    size_t from = unicode_offset(self->text, (size_t)start), to = unicode_offset(self->text, (size_t)end);
    *ret_part = (struct slice){self->text.data + from, to - from};
    return 0;
}

static int find(struct run *run, const struct tvalue *self, const struct tvalue *a, bool last,
                int64_t *ret_position)
{
    struct slice wanted, part;
    int64_t start;
    const char *found = NULL;
    if (run_string(run, &a[0], "what is searched for", &wanted) < 0 ||
        part_of(run, self, a, &part, &start) < 0)
        return -1;
    *ret_position = -1;
    if (!part.data || part.size < wanted.size)
        return 0;
    if (!last) {
        found = memmem(part.data, part.size, wanted.data, wanted.size);
    } else {
        for (size_t at = part.size - wanted.size + 1; at-- > 0 && !found;)
            found = memcmp(part.data + at, wanted.data, wanted.size) == 0 ? part.data + at : NULL;
    }
    if (found)
        *ret_position =
            start + (int64_t)unicode_count((struct slice){part.data, (size_t)(found - part.data)});
    return 0;
}

static int give_position(struct run *run, const struct tvalue *self, const struct tvalue *a, bool last,
                         bool must, struct tvalue *ret_value)
{
    int64_t position;
    if (find(run, self, a, last, &position) < 0)
        return -1;
    if (must && position < 0)
        return run_fail(run, "a text does not have what is searched for");
    *ret_value = tvalue_int(position);
    return 0;
}

METHOD(method_find)
{
    return give_position(run, self, a, false, false, ret_value);
}

METHOD(method_rfind)
{
    return give_position(run, self, a, true, false, ret_value);
}

METHOD(method_index)
{
    return give_position(run, self, a, false, true, ret_value);
}

METHOD(method_rindex)
{
    return give_position(run, self, a, true, true, ret_value);
}

METHOD(method_count)
{
    struct slice wanted, part;
    int64_t start, count = 0;
    if (run_string(run, &a[0], "what is counted", &wanted) < 0 || part_of(run, self, a, &part, &start) < 0)
        return -1;
    if (part.data && !wanted.size)
        count = (int64_t)unicode_count(part) + 1;
    while (part.data && wanted.size) {
        const char *found = memmem(part.data, part.size, wanted.data, wanted.size);
        if (!found)
            break;
        size_t behind = (size_t)(found - part.data) + wanted.size;
        part = (struct slice){part.data + behind, part.size - behind};
        count++;
    }
    *ret_value = tvalue_int(count);
    return 0;
}

/* startswith and endswith: one text or a tuple of them. */
static int matches_end(struct run *run, const struct tvalue *self, const struct tvalue *a, bool start,
                       struct tvalue *ret_value)
{
    struct slice part;
    int64_t from;
    const struct tvalue *wanted = &a[0];
    uint32_t count = 1;
    if (a[0].kind == TVALUE_TUPLE) {
        wanted = a[0].list->items;
        count = a[0].list->count;
    }
    if (part_of(run, self, a, &part, &from) < 0)
        return -1;
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        struct slice end;
        if (run_string(run, &wanted[i], "what a text begins or ends with", &end) < 0)
            return -1;
        if (part.data && part.size >= end.size && !found)
            found = memcmp(start ? part.data : part.data + part.size - end.size, end.data, end.size) == 0;
    }
    *ret_value = tvalue_bool(found);
    return 0;
}

METHOD(method_startswith)
{
    return matches_end(run, self, a, true, ret_value);
}

METHOD(method_endswith)
{
    return matches_end(run, self, a, false, ret_value);
}

static int method_format(struct run *run, const struct tvalue *self, const struct call *call,
                         struct tvalue *ret_value)
{
    return run_format_braces(run, self->text, call, ret_value);
}

METHOD(method_format_map)
{
    struct call call = {.count = 0};
    struct titer iter;
    struct tvalue key;
    if (!tvalue_is_mapping(&a[0]))
        return run_type_error(run, "format_map needs a mapping, not %s", tvalue_type(&a[0]));
    call.keywords = arena_alloc(run->arena, (tvalue_count(&a[0]) + 1) * sizeof *call.keywords);
    titer_init(&iter, run->arena, a[0]);
    while (titer_next(&iter, &key)) {
        if (key.kind != TVALUE_STRING)
            continue;
        call.keywords[call.keyword_count].name = key.text;
        call.keywords[call.keyword_count++].value = iter.of_key;
    }
    return run_format_braces(run, self->text, &call, ret_value);
}

const struct builtin methods_string[] = {
    {.name = "upper", .function = method_upper},
    {.name = "lower", .function = method_lower},
    {.name = "capitalize", .function = method_capitalize},
    {.name = "title", .function = method_title},
    {.name = "swapcase", .function = method_swapcase},
    {.name = "casefold", .function = method_casefold},
    {.name = "strip", .function = method_strip, .parameters = {"chars"}},
    {.name = "lstrip", .function = method_lstrip, .parameters = {"chars"}},
    {.name = "rstrip", .function = method_rstrip, .parameters = {"chars"}},
    {.name = "split", .function = method_split, .parameters = {"sep", "maxsplit"}},
    {.name = "rsplit", .function = method_rsplit, .parameters = {"sep", "maxsplit"}},
    {.name = "splitlines", .function = method_splitlines, .parameters = {"keepends"}},
    {.name = "partition", .function = method_partition, .required = 1, .parameters = {"sep"}},
    {.name = "rpartition", .function = method_rpartition, .required = 1, .parameters = {"sep"}},
    {.name = "replace", .function = method_replace, .required = 2, .parameters = {"old", "new", "count"}},
    {.name = "join", .function = method_join, .required = 1, .parameters = {"iterable"}},
    {.name = "find", .function = method_find, .required = 1, .parameters = {"sub", "start", "end"}},
    {.name = "rfind", .function = method_rfind, .required = 1, .parameters = {"sub", "start", "end"}},
    {.name = "index", .function = method_index, .required = 1, .parameters = {"sub", "start", "end"}},
    {.name = "rindex", .function = method_rindex, .required = 1, .parameters = {"sub", "start", "end"}},
    {.name = "count", .function = method_count, .required = 1, .parameters = {"sub", "start", "end"}},
    {.name = "startswith",
     .function = method_startswith,
     .required = 1,
     .parameters = {"prefix", "start", "end"}},
    {.name = "endswith",
     .function = method_endswith,
     .required = 1,
     .parameters = {"suffix", "start", "end"}},
    {.name = "format", .any = method_format},
    {.name = "format_map", .function = method_format_map, .required = 1, .parameters = {"mapping"}},
    {.name = NULL},
};
