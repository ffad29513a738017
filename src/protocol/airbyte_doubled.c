#include "protocol/airbyte_doubled.h"

#include <assert.h>

/* The nodes of a parsed line do not hold what was dropped, so this walks the text: it is known to be JSON,
 * and lines with duplicates are few. */

enum {
    DEPTH_MAX = 8, /* of the protocol's objects within each other; it nests 6 */
    NAME_MAX = 64, /* longer ones are none of the protocol's */
};

/* What the protocol names; members of other names mean nothing here, once or twice. */
static const char *const names[] = {"advanced_auth",
                                    "byte_estimate",
                                    "catalog",
                                    "change",
                                    "changes",
                                    "config",
                                    "connectionSpecification",
                                    "connectionStatus",
                                    "connectorConfig",
                                    "control",
                                    "data",
                                    "default_cursor_field",
                                    "destinationStats",
                                    "documentationUrl",
                                    "emitted_at",
                                    "error",
                                    "estimate",
                                    "failure_type",
                                    "field",
                                    "global",
                                    "internal_message",
                                    "is_file_based",
                                    "is_resumable",
                                    "json_schema",
                                    "log",
                                    "message",
                                    "meta",
                                    "name",
                                    "namespace",
                                    "protocol_version",
                                    "reason",
                                    "record",
                                    "recordCount",
                                    "row_estimate",
                                    "shared_state",
                                    "source_defined_cursor",
                                    "source_defined_primary_key",
                                    "sourceStats",
                                    "spec",
                                    "stack_trace",
                                    "state",
                                    "status",
                                    "stream",
                                    "stream_descriptor",
                                    "stream_state",
                                    "stream_states",
                                    "stream_status",
                                    "streams",
                                    "supported_destination_sync_modes",
                                    "supported_sync_modes",
                                    "supportsIncremental",
                                    "trace",
                                    "type"};

static_assert(sizeof names / sizeof *names <= 64, "a set of them is 64 bits");

/* Values of these are objects of the protocol, or arrays of such. */
static const char *const own[] = {"catalog",
                                  "changes",
                                  "connectionStatus",
                                  "connectorConfig",
                                  "control",
                                  "destinationStats",
                                  "error",
                                  "estimate",
                                  "global",
                                  "meta",
                                  "record",
                                  "sourceStats",
                                  "spec",
                                  "state",
                                  "stream",
                                  "stream_descriptor",
                                  "stream_states",
                                  "stream_status",
                                  "streams",
                                  "trace"};

struct walk {
    struct slice text;
    size_t at;
    struct error *err;
};

static size_t find(const char *const *list, size_t count, struct slice name)
{
    size_t i = 0;
    while (i < count && !slice_is(name, list[i]))
        i++;
    return i;
}

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

static int walk_value(struct walk *walk, int depth);

static int walk_members(struct walk *walk, int depth)
{
    uint64_t seen = 0;
    walk->at++; /* '{' */
    for (skip_blanks(walk); peek(walk) == '"'; skip_blanks(walk)) {
        char text[NAME_MAX];
        struct slice name = unescaped(take_string(walk), text);
        size_t number = find(names, sizeof names / sizeof *names, name);
        if (number < sizeof names / sizeof *names) {
            if (seen & (uint64_t)1 << number)
                return error_set(walk->err, ERROR_PROTOCOL,
                                 "the message has the member \"%s\" twice in one object, and which of "
                                 "them is meant is not known",
                                 names[number]);
            seen |= (uint64_t)1 << number;
        }
        skip_blanks(walk);
        walk->at++; /* ':' */
        skip_blanks(walk);
        bool is_own =
            depth < DEPTH_MAX && find(own, sizeof own / sizeof *own, name) < sizeof own / sizeof *own;
        if (is_own && walk_value(walk, depth + 1) < 0)
            return -1;
        if (!is_own)
            skip_value(walk);
        skip_blanks(walk);
        if (peek(walk) == ',')
            walk->at++;
    }
    walk->at++; /* '}' */
    return 0;
}

static int walk_elements(struct walk *walk, int depth)
{
    walk->at++; /* '[' */
    for (skip_blanks(walk); walk->at < walk->text.size && peek(walk) != ']'; skip_blanks(walk)) {
        if (walk_value(walk, depth) < 0)
            return -1;
        skip_blanks(walk);
        if (peek(walk) == ',')
            walk->at++;
    }
    walk->at++; /* ']' */
    return 0;
}

static int walk_value(struct walk *walk, int depth)
{
    if (peek(walk) == '{')
        return walk_members(walk, depth);
    if (peek(walk) == '[' && depth < DEPTH_MAX)
        return walk_elements(walk, depth + 1);
    skip_value(walk);
    return 0;
}

int airbyte_refuse_doubled(struct slice line, struct error *err)
{
    struct walk walk = {.text = line, .err = err};
    skip_blanks(&walk);
    return walk_value(&walk, 0);
}
