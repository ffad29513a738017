#include "tree.h"

#include "json/writer.h"

#include <stdarg.h>
#include <stdio.h>

static struct tree *node_new(struct arena *arena, enum tree_kind kind, uint32_t count,
                             struct yaml_position at)
{
    struct tree *node = arena_zalloc(arena, sizeof *node);
    *node = (struct tree){.kind = kind, .count = count, .at = at};
    if (kind == TREE_LIST)
        node->items = arena_zalloc(arena, (count + 1) * sizeof(const struct tree *));
    else if (kind == TREE_MAP)
        node->members = arena_zalloc(arena, (count + 1) * sizeof(struct tree_member));
    return node;
}

struct tree *tree_new(struct tree_work *work, enum tree_kind kind, uint32_t count, struct yaml_position at,
                      struct error *err)
{
    work->made += 1 + count;
    if (work->made <= MANIFEST_NODES_MAX)
        return node_new(work->arena, kind, count, at);
    tree_error(
        work, err, ERROR_LIMIT, at,
        "the manifest is too large with its references and parameters written out: more than %d values",
        MANIFEST_NODES_MAX);
    return NULL;
}

int tree_error(const struct tree_work *work, struct error *err, enum error_code code, struct yaml_position at,
               const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (at.line == 0)
        return error_set(err, code, "%s: %s", work->file, message);
    return error_set(err, code, "%s:%u:%u: %s", work->file, at.line, at.column, message);
}

/* The recursion is as deep as the document, which the parser bounds. */
const struct tree *tree_of(struct tree_work *work, const struct json *doc,
                           const struct yaml_position *positions, uint32_t at)
{
    static const struct yaml_position nowhere;
    struct yaml_position here = positions ? positions[at] : nowhere;
    enum json_tag tag = json_tag(doc, at);
    if (tag == JSON_ARRAY) {
        struct tree *list = node_new(work->arena, TREE_LIST, json_count(doc, at), here);
        uint32_t i = 0;
        for (uint32_t e = json_first(doc, at); e != JSON_NONE; e = json_next(doc, at, e))
            list->items[i++] = tree_of(work, doc, positions, e);
        return list;
    }
    if (tag == JSON_OBJECT) {
        struct tree *map = node_new(work->arena, TREE_MAP, json_count(doc, at), here);
        uint32_t i = 0;
        for (uint32_t k = json_first_key(doc, at); k != JSON_NONE; k = json_next_key(doc, at, k))
            map->members[i++] =
                (struct tree_member){json_string(doc, k, work->arena), positions ? positions[k] : nowhere,
                                     tree_of(work, doc, positions, json_value(k))};
        return map;
    }
    struct tree *scalar = node_new(work->arena, tag == JSON_STRING ? TREE_STRING : TREE_LITERAL, 0, here);
    scalar->text = tag == JSON_STRING ? json_string(doc, at, work->arena) : json_raw(doc, at);
    return scalar;
}

struct tree_member *tree_find(const struct tree *map, struct slice key)
{
    if (map->kind != TREE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->count; i++)
        if (slice_equal(map->members[i].key, key))
            return &map->members[i];
    return NULL;
}

const struct tree *tree_get(const struct tree *map, const char *key)
{
    const struct tree_member *member = tree_find(map, slice_of(key));
    return member ? member->value : NULL;
}

bool tree_is_true(const struct tree *value)
{
    if (value->kind == TREE_STRING)
        return value->text.size > 0;
    if (value->kind != TREE_LITERAL)
        return value->count > 0;
    if (value->text.data[0] == 'n' || value->text.data[0] == 'f')
        return false;
    if (value->text.data[0] == 't')
        return true;
    for (size_t i = 0; i < value->text.size; i++) { /* a number: any digit but 0 before its exponent */
        char byte = value->text.data[i];
        if (byte == 'e' || byte == 'E')
            return false;
        if (byte >= '1' && byte <= '9')
            return true;
    }
    return false;
}

/* --- written ------------------------------------------------------------------------------------------ */

struct writing {
    struct json_writer writer;
    struct yaml_position *positions;
    size_t count, capacity;
};

static void note(struct writing *writing, struct yaml_position at)
{
    writing->positions =
        mem_grow(writing->positions, &writing->capacity, writing->count + 1, sizeof *writing->positions);
    writing->positions[writing->count++] = at;
}

static int write_value(struct tree_work *work, struct writing *writing, const struct tree *value,
                       uint32_t depth, struct error *err)
{
    if (depth > MANIFEST_DEPTH_MAX)
        return tree_error(work, err, ERROR_LIMIT, value->at,
                          "too deep with references written out: more than %d containers in one another",
                          MANIFEST_DEPTH_MAX);
    if (writing->writer.out->overflowed || writing->count > MANIFEST_NODES_MAX)
        return tree_error(
            work, err, ERROR_LIMIT, value->at,
            "the manifest is too large with its references and parameters written out: more than "
            "%d MiB, or %d values",
            MANIFEST_EXPANDED_MAX >> 20, MANIFEST_NODES_MAX);
    note(writing, value->at);
    switch (value->kind) {
    case TREE_LITERAL:
        json_put_raw(&writing->writer, value->text);
        return 0;
    case TREE_STRING:
        json_put_slice(&writing->writer, value->text);
        return 0;
    case TREE_LIST:
        json_begin_array(&writing->writer);
        for (uint32_t i = 0; i < value->count; i++)
            if (write_value(work, writing, value->items[i], depth + 1, err) < 0)
                return -1;
        json_end_array(&writing->writer);
        return 0;
    case TREE_MAP:
        break;
    }
    json_begin_object(&writing->writer);
    for (uint32_t i = 0; i < value->count; i++) {
        note(writing, value->members[i].at);
        json_put_key_slice(&writing->writer, value->members[i].key);
        if (write_value(work, writing, value->members[i].value, depth + 1, err) < 0)
            return -1;
    }
    json_end_object(&writing->writer);
    return 0;
}

int tree_write(struct tree_work *work, const struct tree *root, struct yaml_document *ret_doc,
               struct error *err)
{
    struct buffer text;
    struct writing writing = {.positions = NULL};
    buffer_init(&text, MANIFEST_EXPANDED_MAX);
    json_writer_init(&writing.writer, &text);
    int done = write_value(work, &writing, root, 1, err);
    if (done == 0 && text.overflowed)
        done = tree_error(work, err, ERROR_LIMIT, root->at,
                          "the manifest is larger than %d MiB with its references "
                          "written out",
                          MANIFEST_EXPANDED_MAX >> 20);
    struct json doc;
    if (done == 0)
        done = json_parse_copy(work->arena, text.data, text.size, &doc, err);
    if (done == 0) {
        assert(doc.count == writing.count);
        *ret_doc = (struct yaml_document){
            .json = doc,
            .file = work->file,
            .positions = arena_dup(work->arena, writing.positions, writing.count * sizeof *writing.positions),
        };
    }
    mem_free_cleanup(&writing.positions);
    buffer_done(&text);
    return done;
}
