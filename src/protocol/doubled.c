#include "protocol/doubled.h"

#include <assert.h>

/* The nodes of a parsed line do not hold what was dropped, so this walks the text: it is known to be JSON,
 * and lines with duplicates are few. */

enum {
    DEPTH_MAX = 12, /* of the protocols' objects and arrays within each other; they nest 9 */
    NAME_MAX = 64,  /* longer ones are none of a protocol's */
};

struct walk {
    struct slice text;
    size_t at;
    doubled_member *member;
    struct error *err;
};

static char peek(const struct walk *walk)
{
    return walk->at < walk->text.size ? walk->text.data[walk->at] : 0;
}

static void skip_blanks(struct walk *walk)
{
    while (walk->at < walk->text.size && strchr(" \t\r\n", peek(walk)))
        walk->at++;
}

/* From quote to quote; the text between them. */
static struct slice take_string(struct walk *walk)
{
    size_t first = ++walk->at;
    while (walk->at < walk->text.size && peek(walk) != '"')
        walk->at += peek(walk) == '\\' ? 2 : 1;
    struct slice inner = {walk->text.data + first, walk->at - first};
    walk->at++;
    return inner;
}

static void skip_value(struct walk *walk)
{
    size_t depth = 0;
    do {
        char c = peek(walk);
        if (c == '"') {
            take_string(walk);
        } else if (c == '{' || c == '[') {
            depth++;
            walk->at++;
        } else if (c == '}' || c == ']') {
            depth--;
            walk->at++;
        } else if (depth == 0) {
            walk->at += strcspn(walk->text.data + walk->at, ",}] \t\r\n");
        } else {
            walk->at++;
        }
    } while (depth > 0 && walk->at < walk->text.size);
}

/* A name as it is meant; what does not fit is longer than any that counts. */
static struct slice unescaped(struct slice inner, char text[NAME_MAX])
{
    if (inner.size >= NAME_MAX || !memchr(inner.data, '\\', inner.size))
        return inner;
    return (struct slice){text, json_unescape(inner.data, inner.size, text)};
}

static int walk_value(struct walk *walk, const void *type, int depth);

static int twice(const struct walk *walk, struct slice name)
{
    return error_set(walk->err, ERROR_PROTOCOL,
                     "the message has the member \"%.*s\" twice in one object, and which of them is meant is "
                     "not known",
                     SLICE_ARGS(name));
}

static int walk_members(struct walk *walk, const void *type, int depth)
{
    uint64_t seen = 0;
    walk->at++; /* '{' */
    for (skip_blanks(walk); peek(walk) == '"'; skip_blanks(walk)) {
        char text[NAME_MAX];
        struct slice name = unescaped(take_string(walk), text);
        const void *inner = NULL;
        int number = walk->member(type, name, &inner);
        assert(number < DOUBLED_MEMBERS_MAX);
        if (number >= 0 && seen & (uint64_t)1 << number)
            return twice(walk, name);
        if (number >= 0)
            seen |= (uint64_t)1 << number;
        skip_blanks(walk);
        walk->at++; /* ':' */
        skip_blanks(walk);
        if (!inner || depth == DEPTH_MAX)
            skip_value(walk);
        else if (walk_value(walk, inner, depth + 1) < 0)
            return -1;
        skip_blanks(walk);
        if (peek(walk) == ',')
            walk->at++;
    }
    walk->at++; /* '}' */
    return 0;
}

static int walk_elements(struct walk *walk, const void *type, int depth)
{
    walk->at++; /* '[' */
    for (skip_blanks(walk); walk->at < walk->text.size && peek(walk) != ']'; skip_blanks(walk)) {
        if (walk_value(walk, type, depth) < 0)
            return -1;
        skip_blanks(walk);
        if (peek(walk) == ',')
            walk->at++;
    }
    walk->at++; /* ']' */
    return 0;
}

static int walk_value(struct walk *walk, const void *type, int depth)
{
    if (peek(walk) == '{')
        return walk_members(walk, type, depth);
    if (peek(walk) == '[' && depth < DEPTH_MAX)
        return walk_elements(walk, type, depth + 1);
    skip_value(walk);
    return 0;
}

int doubled_refuse(struct slice line, doubled_member *member, const void *type, struct error *err)
{
    struct walk walk = {.text = line, .member = member, .err = err};
    skip_blanks(&walk);
    return walk_value(&walk, type, 0);
}
