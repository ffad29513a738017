/* References: any string that begins with "#/" stands for what is there in the manifest.
 *
 * {$ref: "#/a", k: v} is what is at a, with k in it replaced or added, one level deep; if a is no mapping,
 * all of it is what is at a. A path is looked up greedily: the whole of what is left as one key, then up to
 * the next slash. Values under config_overrides are the user's config, and left alone. */
#include "tree.h"

struct resolved {
    struct slice reference;
    const struct tree *value; /* NULL: its resolving is under way */
    struct resolved *next;
};

struct resolving {
    struct tree_work *work;
    const struct tree *root;
    struct resolved *table[256];
};

static bool is_reference(const struct tree *value)
{
    return value->kind == TREE_STRING && slice_starts_with(value->text, "#/");
}

/* Python's int() of a step, for lists: "1", "-1", "+1", " 1_0 ". */
static bool step_is_index(struct slice step, int64_t *ret_index)
{
    const char *at = step.data, *end = step.data + step.size;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end || end - at > 18)
        return false;
    int64_t index = 0;
    for (bool digit_before = false; at < end; at++) {
        if (*at == '_' && digit_before && at + 1 < end) {
            digit_before = false;
            continue;
        }
        if (*at < '0' || *at > '9')
            return false;
        index = index * 10 + (*at - '0');
        digit_before = true;
    }
    *ret_index = negative ? -index : index;
    return true;
}

/* A character of a text, which Python takes for a list of them. */
static const struct tree *character(struct arena *arena, const struct tree *value, int64_t index)
{
    int64_t count = 0;
    size_t at = 0, length = 0;
    if (index < 0)
        for (size_t i = 0; i < value->text.size; i += length, index++)
            utf8_decode(value->text.data + i, value->text.size - i, &length);
    for (; index >= 0 && at < value->text.size; at += length, count++) {
        utf8_decode(value->text.data + at, value->text.size - at, &length);
        if (count < index)
            continue;
        struct tree *one = arena_zalloc(arena, sizeof *one);
        *one = (struct tree){.kind = TREE_STRING, .at = value->at, .text = {value->text.data + at, length}};
        return one;
    }
    return NULL;
}

static const struct tree *step_into(struct arena *arena, const struct tree *value, struct slice step)
{
    if (value->kind == TREE_MAP) {
        const struct tree_member *member = tree_find(value, step);
        return member ? member->value : NULL;
    }
    int64_t index;
    if (value->kind == TREE_LITERAL || !step_is_index(step, &index))
        return NULL;
    if (value->kind == TREE_STRING)
        return character(arena, value, index);
    if (index < 0)
        index += value->count;
    return index >= 0 && index < value->count ? value->items[index] : NULL;
}

static const struct tree *look_up(struct arena *arena, const struct tree *root, struct slice path)
{
    const struct tree *value = root;
    while (path.size > 0) {
        const struct tree_member *whole = tree_find(value, path);
        if (whole)
            return whole->value;
        const char *slash = memchr(path.data, '/', path.size);
        size_t size = slash ? (size_t)(slash - path.data) : path.size;
        value = step_into(arena, value, (struct slice){path.data, size});
        if (!value)
            return NULL;
        path = slash ? (struct slice){slash + 1, path.size - size - 1} : (struct slice){path.data + size, 0};
    }
    return value;
}

/* --- undefined ---------------------------------------------------------------------------------------- */

/* The nearest name at the first step that leads nowhere, for a person who mistyped it. */
static const char *suggestion(struct resolving *resolving, struct slice path, struct arena *arena)
{
    const struct tree *value = resolving->root;
    for (;;) {
        const char *slash = memchr(path.data, '/', path.size);
        size_t size = slash ? (size_t)(slash - path.data) : path.size;
        const struct tree *next = step_into(arena, value, (struct slice){path.data, size});
        if (!next || !slash) {
            if (value->kind != TREE_MAP || value->count > 10000)
                return NULL;
            const char **names = arena_zalloc(arena, (value->count + 1) * sizeof *names);
            for (uint32_t i = 0; i < value->count; i++)
                names[i] = arena_strndup(arena, value->members[i].key.data, value->members[i].key.size);
            return string_nearest(arena_strndup(arena, path.data, size), names, value->count);
        }
        value = next;
        path = (struct slice){slash + 1, path.size - size - 1};
    }
}

static const struct tree *undefined(struct resolving *resolving, const struct tree *value, struct slice path,
                                    struct error *err)
{
    const char *near = suggestion(resolving, path, resolving->work->arena);
    tree_error(resolving->work, err, ERROR_INVALID, value->at, "the reference %.*s leads nowhere%s%s%s",
               (int)utf8_cut(value->text.data, value->text.size, 200), value->text.data,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return NULL;
}

/* --- evaluation --------------------------------------------------------------------------------------- */

static const struct tree *evaluate(struct resolving *resolving, const struct tree *value, struct error *err);

/* What a reference stands for is the same wherever it is used: it is resolved once, and shared. */
static const struct tree *evaluate_reference(struct resolving *resolving, const struct tree *value,
                                             struct error *err)
{
    const char *line = memchr(value->text.data, '\n', value->text.size);
    struct slice path = {value->text.data + 2,
                         (line ? (size_t)(line - value->text.data) : value->text.size) - 2};
    struct resolved **slot = &resolving->table[json_key_hash(value->text.data, value->text.size) % 256],
                    *known = *slot;
    while (known && !slice_equal(known->reference, value->text))
        known = known->next;
    if (known && known->value)
        return known->value;
    if (known) {
        tree_error(resolving->work, err, ERROR_INVALID, value->at, "the reference %.*s leads back to itself",
                   (int)utf8_cut(value->text.data, value->text.size, 200), value->text.data);
        return NULL;
    }
    const struct tree *target = look_up(resolving->work->arena, resolving->root, path);
    if (!target)
        return undefined(resolving, value, path, err);
    known = arena_zalloc(resolving->work->arena, sizeof *known);
    *known = (struct resolved){value->text, NULL, *slot};
    *slot = known;
    known->value = evaluate(resolving, target, err);
    return known->value;
}

/* reference | local: the reference's members in their order, with local values, then what else is local. */
static const struct tree *merge(struct resolving *resolving, const struct tree *reference,
                                const struct tree *local, struct error *err)
{
    struct tree *merged =
        tree_new(resolving->work, TREE_MAP, reference->count + local->count, local->at, err);
    if (!merged)
        return NULL;
    uint32_t count = reference->count;
    memcpy(merged->members, reference->members, count * sizeof *merged->members);
    merged->count = count;
    for (uint32_t i = 0; i < local->count; i++) {
        struct tree_member *there = tree_find(merged, local->members[i].key);
        if (there)
            *there = local->members[i];
        else
            merged->members[count++] = local->members[i];
        merged->count = count;
    }
    return merged;
}

static const struct tree *evaluate_map(struct resolving *resolving, const struct tree *map, struct error *err)
{
    const struct tree *reference = tree_get(map, "$ref");
    struct tree *local = tree_new(resolving->work, TREE_MAP, map->count, map->at, err);
    if (!local)
        return NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        struct tree_member member = map->members[i];
        if (member.value == reference)
            continue;
        if (!slice_is(member.key, "config_overrides"))
            member.value = evaluate(resolving, member.value, err);
        if (!member.value)
            return NULL;
        local->members[count++] = member;
    }
    local->count = count;
    if (!reference)
        return local;
    const struct tree *value = evaluate(resolving, reference, err);
    if (!value || value->kind != TREE_MAP)
        return value;
    return merge(resolving, value, local, err);
}

static const struct tree *evaluate_list(struct resolving *resolving, const struct tree *list,
                                        struct error *err)
{
    struct tree *evaluated = tree_new(resolving->work, TREE_LIST, list->count, list->at, err);
    for (uint32_t i = 0; evaluated && i < list->count; i++) {
        evaluated->items[i] = evaluate(resolving, list->items[i], err);
        if (!evaluated->items[i])
            return NULL;
    }
    return evaluated;
}

static const struct tree *evaluate(struct resolving *resolving, const struct tree *value, struct error *err)
{
    struct tree_work *work = resolving->work;
    if (value->kind == TREE_LITERAL || (value->kind == TREE_STRING && !is_reference(value)))
        return value;
    if (++work->depth > TREE_DEPTH_MAX) {
        tree_error(work, err, ERROR_LIMIT, value->at, "references and containers are more than %d deep",
                   TREE_DEPTH_MAX);
        return NULL;
    }
    const struct tree *evaluated = value->kind == TREE_STRING ? evaluate_reference(resolving, value, err)
                                   : value->kind == TREE_LIST ? evaluate_list(resolving, value, err)
                                                              : evaluate_map(resolving, value, err);
    work->depth--;
    return evaluated;
}

const struct tree *manifest_resolve_tree(struct tree_work *work, const struct tree *root, struct error *err)
{
    struct resolving resolving = {.work = work, .root = root};
    return evaluate(&resolving, root, err);
}
