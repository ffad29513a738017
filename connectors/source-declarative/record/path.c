/* Paths into values, as dpath has them: look up, make, remove, and search with globs. */
#include "record.h"

#include <ctype.h>
#include <stdio.h>

enum { PATH_INDEX_MAX = 1 << 20 }; /* elements that a path may make a list grow to */

/* fnmatch of Python: '*', '?', '[seq]', '[!seq]'; a '[' without its ']' is a character. */
static bool class_match(const char **pattern, const char *end, char byte)
{
    const char *at = *pattern + 1;
    bool negated = at < end && *at == '!';
    at += negated;
    const char *first = at;
    const char *close = at < end ? memchr(at + (*at == ']'), ']', (size_t)(end - at - (*at == ']'))) : NULL;
    if (!close)
        return byte == '[';
    bool found = false;
    for (at = first; at < close; at++) {
        if (at + 2 < close && at[1] == '-') {
            found |= (unsigned char)*at <= (unsigned char)byte && (unsigned char)byte <= (unsigned char)at[2];
            at += 2;
        } else {
            found |= *at == byte;
        }
    }
    *pattern = close;
    return found != negated;
}

static size_t character(const char *text, const char *end)
{
    size_t length = 1;
    if (text < end)
        utf8_decode(text, (size_t)(end - text), &length);
    return length;
}

static bool glob_match(struct slice glob, struct slice text)
{
    const char *pattern = glob.data, *pattern_end = glob.data + glob.size;
    const char *at = text.data, *end = text.data + text.size;
    const char *star = NULL, *star_at = NULL; /* where to go on if what follows the last '*' does not fit */
    while (at < end) {
        if (pattern < pattern_end && *pattern == '*') {
            star = ++pattern;
            star_at = at;
            continue;
        }
        const char *one = pattern;
        bool fits = pattern < pattern_end && (*pattern == '?'   ? true
                                              : *pattern == '[' ? class_match(&one, pattern_end, *at)
                                                                : *pattern == *at);
        if (fits) {
            at += *pattern == '?' ? character(at, end) : 1;
            pattern = one + 1;
        } else if (star) {
            pattern = star;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (pattern < pattern_end && *pattern == '*')
        pattern++;
    return pattern == pattern_end;
}

static bool is_glob(struct slice segment)
{
    for (size_t i = 0; i < segment.size; i++) {
        if (strchr("*?[", segment.data[i]) && segment.data[i])
            return true;
    }
    return false;
}

bool path_has_glob(const struct slice *path, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_glob(path[i]))
            return true;
    }
    return false;
}

/* A position in a list, from its end where it is negative. */
static bool position_of(struct slice segment, size_t count, size_t *ret_position)
{
    bool negative = segment.size > 1 && *segment.data == '-';
    uint64_t number = 0;
    if (segment.size == 0 || segment.size > 10)
        return false;
    for (size_t i = negative; i < segment.size; i++) {
        if (!isdigit((unsigned char)segment.data[i]))
            return false;
        number = number * 10 + (uint64_t)(segment.data[i] - '0');
    }
    if (negative ? number == 0 || number > count : number >= count)
        return false;
    *ret_position = (size_t)(negative ? count - number : number);
    return true;
}

static bool child(struct arena *arena, const struct tvalue *value, struct slice segment,
                  struct tvalue *ret_value)
{
    size_t position;
    if (tvalue_is_mapping(value))
        return tvalue_member_name(arena, value, segment, ret_value);
    if (!tvalue_is_sequence(value) || !position_of(segment, tvalue_count(value), &position))
        return false;
    *ret_value = tvalue_at(arena, value, position);
    return true;
}

bool value_at_path(struct arena *arena, const struct tvalue *value, const struct slice *path, size_t count,
                   struct tvalue *ret_value)
{
    struct tvalue at = *value;
    for (size_t i = 0; i < count; i++) {
        if (!child(arena, &at, path[i], &at))
            return false;
    }
    *ret_value = at;
    return true;
}

/* --- changing ------------------------------------------------------------------------------------ */

void value_own(struct arena *arena, struct tvalue *value)
{
    struct titer iter;
    struct tvalue item;
    if (value->kind == TVALUE_JSON_DICT || value->kind == TVALUE_OBJECT) {
        struct tvalue dict = tvalue_dict(arena);
        titer_init(&iter, arena, *value);
        while (titer_next(&iter, &item))
            tdict_set(arena, dict.dict, item, iter.of_key);
        *value = dict;
    } else if (value->kind == TVALUE_JSON_LIST) {
        struct tvalue list = tvalue_list(arena);
        titer_init(&iter, arena, *value);
        while (titer_next(&iter, &item))
            tlist_push(arena, list.list, item);
        *value = list;
    }
}

static struct tentry *entry_of(struct tdict *dict, struct slice name)
{
    struct tvalue key = tvalue_string(name);
    for (uint32_t i = 0; i < dict->used; i++) {
        struct tentry *entry = &dict->entries[i];
        if (!entry->removed && entry->key.kind == TVALUE_STRING && slice_equal(entry->key.text, key.text))
            return entry;
    }
    return NULL;
}

static bool all_digits(struct slice segment)
{
    for (size_t i = 0; i < segment.size; i++) {
        if (!isdigit((unsigned char)segment.data[i]))
            return false;
    }
    return segment.size > 0;
}

/* The place of the member or element, made where it misses. What is made is a list where the next segment is
 * a number. */
static struct tvalue *place_of(struct arena *arena, struct tvalue *value, struct slice segment,
                               const struct slice *next, struct error *err)
{
    struct tvalue made = !next ? tvalue_none() : all_digits(*next) ? tvalue_list(arena) : tvalue_dict(arena);
    value_own(arena, value);
    if (value->kind == TVALUE_DICT) {
        struct tentry *entry = entry_of(value->dict, segment);
        if (!entry) {
            tdict_set(arena, value->dict, tvalue_string(segment), made);
            entry = entry_of(value->dict, segment);
        }
        return &entry->value;
    }
    if (value->kind != TVALUE_LIST) {
        error_set(err, ERROR_INVALID, "\"%.*s\" cannot be set in a %s", SLICE_ARGS(segment),
                  tvalue_type(value));
        return NULL;
    }
    if (!all_digits(segment)) {
        error_set(err, ERROR_INVALID, "\"%.*s\" is no position in a list", SLICE_ARGS(segment));
        return NULL;
    }
    uint64_t position = 0;
    for (size_t i = 0; i < segment.size && position <= PATH_INDEX_MAX; i++)
        position = position * 10 + (uint64_t)(segment.data[i] - '0');
    if (position > PATH_INDEX_MAX) {
        error_set(err, ERROR_LIMIT, "position %.*s of a list is past %d", SLICE_ARGS(segment),
                  PATH_INDEX_MAX);
        return NULL;
    }
    if (position < value->list->count)
        return &value->list->items[position];
    while (value->list->count < position)
        tlist_push(arena, value->list, tvalue_none());
    tlist_push(arena, value->list, made);
    return &value->list->items[position];
}

int value_set_path(struct arena *arena, struct tvalue *value, const struct slice *path, size_t count,
                   struct tvalue new_value, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        value = place_of(arena, value, path[i], i + 1 < count ? &path[i + 1] : NULL, err);
        if (!value)
            return -1;
    }
    *value = new_value;
    return 0;
}

bool value_remove_path(struct arena *arena, struct tvalue *value, const struct slice *path, size_t count)
{
    struct tvalue old;
    if (count == 0 || !value_at_path(arena, value, path, count, &old))
        return false;
    for (size_t i = 0; i + 1 < count; i++) {
        size_t position;
        value_own(arena, value);
        if (value->kind == TVALUE_DICT) {
            value = &entry_of(value->dict, path[i])->value;
        } else if (value->kind == TVALUE_LIST && position_of(path[i], value->list->count, &position)) {
            value = &value->list->items[position];
        } else {
            return false;
        }
    }
    value_own(arena, value);
    if (value->kind == TVALUE_DICT) {
        struct tvalue key = tvalue_string(path[count - 1]);
        return tdict_remove(value->dict, &key, &old);
    }
    size_t position;
    if (value->kind != TVALUE_LIST || !position_of(path[count - 1], value->list->count, &position))
        return false;
    /* dpath: positions behind it stay what they are. */
    if (position + 1 == value->list->count)
        value->list->count--;
    else
        value->list->items[position] = tvalue_none();
    return true;
}

/* --- globs --------------------------------------------------------------------------------------- */

struct walk {
    struct arena *arena;
    const struct slice *path;
    size_t count;
    bool any_depth; /* has a "**" */
    value_match *on_match;
    void *context;
    struct slice at[RECORD_DEPTH_MAX];
    bool is_position[RECORD_DEPTH_MAX]; /* of an element, not a member */
    size_t length[RECORD_DEPTH_MAX];    /* of the list */
};

static bool segment_matches(const struct walk *walk, struct slice glob, size_t depth)
{
    size_t position;
    if (slice_equal(glob, walk->at[depth]) || glob_match(glob, walk->at[depth]))
        return true;
    if (!walk->is_position[depth] || !position_of(glob, walk->length[depth], &position))
        return false;
    char text[24];
    snprintf(text, sizeof text, "%zu", position);
    return slice_is(walk->at[depth], text);
}

static bool path_matches(const struct walk *walk, size_t from, size_t depth, size_t end)
{
    for (; from < walk->count; from++, depth++) {
        if (slice_is(walk->path[from], "**")) {
            for (size_t skip = depth; skip <= end; skip++) {
                if (path_matches(walk, from + 1, skip, end))
                    return true;
            }
            return false;
        }
        if (depth == end || !segment_matches(walk, walk->path[from], depth))
            return false;
    }
    return depth == end;
}

static struct slice position_text(struct arena *arena, size_t position)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%zu", position);
    return (struct slice){arena_strndup(arena, text, (size_t)size), (size_t)size};
}

/* Step to the next child; false behind the last. */
static bool next_child(struct walk *walk, struct titer *iter, size_t depth, size_t *position,
                       struct tvalue *ret_child)
{
    struct tvalue item;
    bool mapping = tvalue_is_mapping(&iter->over);
    do {
        if (!titer_next(iter, &item))
            return false;
    } while (mapping && item.kind != TVALUE_STRING);
    *ret_child = mapping ? iter->of_key : item;
    walk->at[depth] = mapping ? item.text : position_text(walk->arena, (*position)++);
    walk->is_position[depth] = !mapping;
    walk->length[depth] = tvalue_count(&iter->over);
    return true;
}

/* The children first, each told if it matches; then what is in them. */
static int walk_levels(struct walk *walk, const struct tvalue *value, size_t depth, struct error *err)
{
    struct titer iter;
    struct tvalue at;
    size_t position = 0;
    if (depth == RECORD_DEPTH_MAX || (!tvalue_is_mapping(value) && !tvalue_is_sequence(value)))
        return 0;
    titer_init(&iter, walk->arena, *value);
    while ((walk->any_depth || depth + 1 == walk->count) && next_child(walk, &iter, depth, &position, &at)) {
        if (path_matches(walk, 0, 0, depth + 1) &&
            walk->on_match(walk->context, walk->at, depth + 1, at, err) != 0)
            return -1;
    }
    if (!walk->any_depth && depth + 1 >= walk->count)
        return 0;
    position = 0;
    titer_init(&iter, walk->arena, *value);
    while (next_child(walk, &iter, depth, &position, &at)) {
        if (!walk->any_depth && !segment_matches(walk, walk->path[depth], depth))
            continue;
        if (walk_levels(walk, &at, depth + 1, err) != 0)
            return -1;
    }
    return 0;
}

int value_glob(struct arena *arena, const struct tvalue *value, const struct slice *path, size_t count,
               value_match *on_match, void *context, struct error *err)
{
    struct walk *walk = arena_zalloc(arena, sizeof *walk);
    *walk =
        (struct walk){.arena = arena, .path = path, .count = count, .on_match = on_match, .context = context};
    for (size_t i = 0; i < count; i++)
        walk->any_depth |= slice_is(path[i], "**");
    return count == 0 ? 0 : walk_levels(walk, value, 0, err);
}

struct match {
    size_t count;
    struct tvalue value;
};

static int keep_match(void *context, const struct slice *path, size_t count, struct tvalue value,
                      struct error *err)
{
    struct match *match = context;
    (void)path, (void)count;
    if (match->count++ > 0)
        return error_set(err, ERROR_INVALID, "a pointer leads to more than one value");
    match->value = value;
    return 0;
}

int value_get(struct arena *arena, const struct tvalue *value, const struct slice *path, size_t count,
              struct tvalue *ret_value, struct error *err)
{
    struct match match = {0};
    if (!path_has_glob(path, count))
        return value_at_path(arena, value, path, count, ret_value);
    if (value_glob(arena, value, path, count, keep_match, &match, err) < 0)
        return -1;
    if (match.count > 0)
        *ret_value = match.value;
    return match.count > 0;
}
