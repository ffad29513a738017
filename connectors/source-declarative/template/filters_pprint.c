/* pprint: a value as Python's pprint.pformat writes it, in lines of 80 characters. */
#include "run.h"
#include "text_tools.h"
#include "unicode.h"

#include <stdlib.h>

enum { WIDTH = 80 };

struct pretty {
    struct run *run;
    struct ttext out;
};

/* --- in order ------------------------------------------------------------------------------------ */

struct member {
    struct tvalue key, value;
};

/* pprint's _safe_key: what cannot be compared goes by the names of the types. */
static int by_key(const void *a, const void *b)
{
    const struct member *one = a, *other = b;
    int order;
    if (tvalue_is_number(&one->key) && tvalue_is_number(&other->key) &&
        tvalue_compare_numbers(&one->key, &other->key, &order))
        return order;
    if (one->key.kind != TVALUE_STRING || other->key.kind != TVALUE_STRING)
        return strcmp(tvalue_type(&one->key), tvalue_type(&other->key));
    return slice_compare(one->key.text, other->key.text);
}

static int sort_deeply(struct pretty *pretty, const struct tvalue *value, struct tvalue *ret_value);

static int sort_members(struct pretty *pretty, const struct tvalue *value, struct tvalue *ret_value)
{
    struct arena *arena = pretty->run->arena;
    size_t count = 0;
    struct member *members = arena_alloc(arena, (tvalue_count(value) + 1) * sizeof *members);
    struct titer iter;
    struct tvalue key;
    titer_init(&iter, arena, *value);
    for (; titer_next(&iter, &key); count++) {
        members[count].key = key;
        if (sort_deeply(pretty, &iter.of_key, &members[count].value) < 0)
            return -1;
    }
    qsort(members, count, sizeof *members, by_key); /* glibc's is stable */
    *ret_value = tvalue_dict(arena);
    for (size_t i = 0; i < count; i++)
        tdict_set(arena, ret_value->dict, members[i].key, members[i].value);
    return 0;
}

/* The same value, with all its dicts in order. */
static int sort_deeply(struct pretty *pretty, const struct tvalue *value, struct tvalue *ret_value)
{
    struct run *run = pretty->run;
    struct titer iter;
    struct tvalue item, list;
    *ret_value = *value;
    if (run_step(run) < 0)
        return -1;
    if (value->kind == TVALUE_DICT || value->kind == TVALUE_JSON_DICT)
        return sort_members(pretty, value, ret_value);
    if (!tvalue_is_list(value) && value->kind != TVALUE_TUPLE)
        return 0;
    list = tvalue_list(run->arena);
    titer_init(&iter, run->arena, *value);
    while (titer_next(&iter, &item))
        if (sort_deeply(pretty, &item, &item) < 0 || run_push(run, list.list, item) < 0)
            return -1;
    *ret_value = tvalue_is_list(value) ? list : tvalue_tuple(run->arena, list.list->items, list.list->count);
    return 0;
}

/* --- lines --------------------------------------------------------------------------------------- */

static void put_line(struct pretty *pretty, long indent)
{
    ttext_byte(&pretty->out, '\n');
    for (long i = 0; i < indent; i++)
        ttext_byte(&pretty->out, ' ');
}

static struct slice repr_of(struct pretty *pretty, const struct tvalue *value, long *ret_width)
{
    struct ttext text;
    run_text_init(pretty->run, &text);
    tvalue_repr(&text, value);
    *ret_width = (long)unicode_count(ttext_slice_of(&text));
    return ttext_slice_of(&text);
}

static struct slice repr_text(struct pretty *pretty, struct slice text, bool bytes, long *ret_width)
{
    struct tvalue value = tvalue_string(text);
    if (bytes)
        value.kind = TVALUE_BYTES;
    return repr_of(pretty, &value, ret_width);
}

static struct slice between(struct slice text, size_t from, size_t to)
{
    return (struct slice){text.data + from, to - from};
}

/* Words up to the first that begins behind blanks. */
static size_t part_end(struct slice text, size_t at)
{
    bool behind = false;
    for (size_t length; at < text.size; at += length) {
        bool space = unicode_is_space(utf8_decode(text.data + at, text.size - at, &length));
        if (behind && !space)
            break;
        behind = space;
    }
    return at;
}

/* A line that is too long, in pieces that are not. */
static int cut_line(struct pretty *pretty, struct slice line, long width, long last_width, bool bytes,
                    struct tlist *chunks)
{
    long wide;
    size_t from = 0, to = 0, step = 4, last = line.size / step * step;
    for (size_t at = 0, next; at < line.size; at = to = next) {
        next = bytes ? at + (line.size - at < step ? line.size - at : step) : part_end(line, at);
        bool ends =
            bytes ? at == last || (last_width < width && next == line.size && at > last) : next == line.size;
        if (run_step(pretty->run) < 0)
            return -1;
        repr_text(pretty, between(line, from, next), bytes, &wide);
        if (wide <= (ends ? last_width : width))
            continue;
        if (to > from && run_push(pretty->run, chunks, tvalue_string(between(line, from, to))) < 0)
            return -1;
        from = at;
    }
    return line.size > from ? run_push(pretty->run, chunks, tvalue_string(between(line, from, line.size)))
                            : 0;
}

static int write_text(struct pretty *pretty, const struct tvalue *value, long indent, long allowance,
                      unsigned level)
{
    bool bytes = value->kind == TVALUE_BYTES;
    struct slice text = value->text;
    struct tvalue chunks = tvalue_list(pretty->run->arena);
    indent += level == 1;
    allowance += level == 1;
    long width = WIDTH - indent, wide;
    for (size_t at = 0, end, next = text.size; at < text.size; at = next) {
        if (!bytes)
            text_line(text, at, &end, &next);
        struct slice line = between(text, at, next);
        long last_width = next == text.size ? width - allowance : width;
        repr_text(pretty, line, bytes, &wide);
        int result = !bytes && wide <= last_width
                         ? run_push(pretty->run, chunks.list, tvalue_string(line))
                         : cut_line(pretty, line, width, last_width, bytes, chunks.list);
        if (result < 0)
            return -1;
    }
    bool parens = level == 1 && (bytes || chunks.list->count > 1);
    if (parens)
        ttext_byte(&pretty->out, '(');
    for (uint32_t i = 0; i < chunks.list->count; i++) {
        if (i)
            put_line(pretty, indent);
        ttext_slice(&pretty->out, repr_text(pretty, chunks.list->items[i].text, bytes, &wide));
    }
    if (parens)
        ttext_byte(&pretty->out, ')');
    return 0;
}

static int write_value(struct pretty *pretty, const struct tvalue *value, long indent, long allowance,
                       unsigned level);

static int write_items(struct pretty *pretty, const struct tvalue *value, long indent, long allowance,
                       unsigned level)
{
    bool members = value->kind == TVALUE_DICT;
    size_t count = tvalue_count(value), i = 0;
    const char *begin = members ? "{" : value->kind == TVALUE_LIST ? "[" : "(";
    const char *end = members ? "}" : value->kind == TVALUE_LIST ? "]" : count == 1 ? ",)" : ")";
    struct titer iter;
    struct tvalue item;
    long wide = 0;
    allowance += (long)strlen(end);
    ttext_cstring(&pretty->out, begin);
    indent++;
    titer_init(&iter, pretty->run->arena, *value);
    for (; titer_next(&iter, &item); i++) {
        if (i) {
            ttext_byte(&pretty->out, ',');
            put_line(pretty, indent);
        }
        if (members) {
            ttext_slice(&pretty->out, repr_of(pretty, &item, &wide));
            ttext_cstring(&pretty->out, ": ");
            item = iter.of_key;
            wide += 2;
        }
        if (write_value(pretty, &item, indent + wide, i + 1 == count ? allowance : 1, level) < 0)
            return -1;
    }
    ttext_cstring(&pretty->out, end);
    return 0;
}

static int write_value(struct pretty *pretty, const struct tvalue *value, long indent, long allowance,
                       unsigned level)
{
    long wide;
    struct slice text = repr_of(pretty, value, &wide);
    bool is_text = (value->kind == TVALUE_STRING && !(value->flags & TVALUE_SAFE) && value->text.size) ||
                   (value->kind == TVALUE_BYTES && value->text.size > 4);
    level++;
    if (run_step(pretty->run) < 0)
        return -1;
    if (wide > WIDTH - indent - allowance) {
        if (is_text)
            return write_text(pretty, value, indent, allowance, level);
        if (value->kind == TVALUE_DICT || value->kind == TVALUE_LIST || value->kind == TVALUE_TUPLE)
            return write_items(pretty, value, indent, allowance, level);
    }
    ttext_slice(&pretty->out, text);
    return 0;
}

static int filter_pprint(struct run *run, const struct tvalue *self, const struct tvalue *a,
                         struct tvalue *ret_value)
{
    (void)a;
    struct pretty pretty = {.run = run};
    struct tvalue sorted;
    unsigned left = TEMPLATE_STEPS_MAX;
    if (run_weigh(run, self, &left) < 0 || sort_deeply(&pretty, self, &sorted) < 0)
        return -1;
    run_text_init(run, &pretty.out);
    return write_value(&pretty, &sorted, 0, 0, 0) < 0 ? -1 : run_text(run, &pretty.out, ret_value);
}

const struct filter filters_pprint[] = {
    {{.name = "pprint", .function = filter_pprint}},
    {{.name = NULL}},
};
