#include "check.h"
#include "tree.h"

#include "base/file.h"

#include <stdio.h>

/* The manifest says what it is, if only by default. To be run it needs not what only references lead to:
 * definitions are written out where they are used. */
static const struct tree *make_root(struct tree_work *work, const struct tree *root, bool keep_definitions,
                                    struct error *err)
{
    struct tree *map = tree_new(work, TREE_MAP, root->count + 1, root->at, err);
    if (!map)
        return NULL;
    uint32_t count = 0;
    bool typed = false;
    for (uint32_t i = 0; i < root->count; i++) {
        typed |= slice_is(root->members[i].key, "type");
        if (keep_definitions ||
            (!slice_is(root->members[i].key, "definitions") && !slice_is(root->members[i].key, "schemas")))
            map->members[count++] = root->members[i];
    }
    if (!typed) {
        struct tree *type = tree_new(work, TREE_STRING, 0, root->at, err);
        if (!type)
            return NULL;
        type->text = SLICE_LITERAL("DeclarativeSource");
        map->members[count++] = (struct tree_member){SLICE_LITERAL("type"), root->at, type};
    }
    map->count = count;
    return map;
}

static struct tree_work work_of(struct arena *arena, const char *file)
{
    return (struct tree_work){.arena = arena, .file = file};
}

int manifest_resolve(struct arena *arena, const struct yaml_document *raw, struct yaml_document *ret_resolved,
                     struct error *err)
{
    struct tree_work work = work_of(arena, raw->file);
    const struct tree *root =
        manifest_resolve_tree(&work, tree_of(&work, &raw->json, raw->positions, 0), err);
    return root ? tree_write(&work, root, ret_resolved, err) : -1;
}

int manifest_propagate(struct arena *arena, const struct yaml_document *resolved, const char *identifier,
                       bool parent_parameters_win, struct yaml_document *ret_propagated, struct error *err)
{
    struct tree_work work = work_of(arena, resolved->file);
    const struct tree *root = tree_of(&work, &resolved->json, resolved->positions, 0);
    root = manifest_propagate_tree(&work, root, identifier, parent_parameters_win, err);
    return root ? tree_write(&work, root, ret_propagated, err) : -1;
}

/* --- checked ------------------------------------------------------------------------------------------- */

static int check(struct arena *arena, const struct manifest *manifest, const char *type_name, bool lenient,
                 manifest_on_problem *on_problem, void *context, struct error *err)
{
    struct arena scratch;
    arena_init(&scratch);
    struct checking *checking = arena_zalloc(arena, sizeof *checking);
    *checking = (struct checking){.manifest = manifest,
                                  .arena = &scratch,
                                  .lenient = lenient,
                                  .on_problem = on_problem,
                                  .context = context};
    buffer_init(&checking->path, 64 << 10);
    const struct component_type *type = component_type_find(slice_of(type_name));
    assert(type);
    const struct json *doc = &manifest->doc;
    uint32_t word = json_get(doc, 0, "type");
    if (!json_is(doc, word, JSON_STRING) || !json_string_is(doc, word, type->name))
        check_error(checking, word == JSON_NONE ? 0 : word, "expected `type: %s`", type->name);
    else
        check_component(checking, 0, type);
    int done = checking->errors > 0 ? -1 : 0;
    const struct manifest_problem *first = &checking->first;
    if (done < 0 && (!on_problem || checking->errors == 1)) {
        char more[64] = "";
        if (checking->errors > 1)
            snprintf(more, sizeof more, " (and %zu more)", checking->errors - 1);
        error_set(err, first->unsupported ? ERROR_UNSUPPORTED : ERROR_INVALID, "%s:%u:%u: %s%s%s%s",
                  manifest->file, first->at.line, first->at.column, first->path, *first->path ? ": " : "",
                  first->message, more);
    } else if (done < 0) {
        error_set(err, ERROR_INVALID, "%s: %zu errors", manifest->file, checking->errors);
    }
    buffer_done(&checking->path);
    arena_done(&scratch);
    return done;
}

static struct manifest *manifest_of(struct arena *arena, const struct yaml_document *doc)
{
    struct manifest *manifest = arena_zalloc(arena, sizeof *manifest);
    *manifest = (struct manifest){doc->json, doc->file, doc->positions, arena};
    return manifest;
}

/* --- from a file -----------------------------------------------------------------------------------------
 */

struct reading {
    manifest_on_problem *on_problem;
    void *context;
    bool told;
};

static void yaml_problem_found(void *context, struct yaml_position at, const char *message)
{
    struct reading *reading = context;
    struct manifest_problem problem = {MANIFEST_ERROR, false, at, "", message};
    reading->told = true;
    if (reading->on_problem)
        reading->on_problem(reading->context, &problem);
}

static void tell_error(struct reading *reading, const char *file, const struct error *err)
{
    const char *message = err->message;
    size_t size = strlen(file);
    struct manifest_problem problem = {MANIFEST_ERROR, err->code == ERROR_UNSUPPORTED, {0, 0}, "", message};
    /* The place is in the message, as tree_error puts it there. */
    unsigned line, column;
    int place = 0;
    if (strncmp(message, file, size) == 0 &&
        sscanf(message + size, ":%u:%u: %n", &line, &column, &place) == 2 && place > 0) {
        problem.at = (struct yaml_position){line, column};
        problem.message = message + size + place;
    }
    if (reading->on_problem)
        reading->on_problem(reading->context, &problem);
}

static int expand(struct arena *arena, const struct yaml_document *raw, bool keep_definitions,
                  struct yaml_document *ret_doc, struct error *err)
{
    struct tree_work work = work_of(arena, raw->file);
    const struct tree *root = tree_of(&work, &raw->json, raw->positions, 0);
    if (root->kind != TREE_MAP)
        return tree_error(&work, err, ERROR_INVALID, root->at,
                          "a manifest is a mapping, with `type: DeclarativeSource`");
    root = manifest_resolve_tree(&work, root, err);
    if (root && root->kind != TREE_MAP)
        return tree_error(&work, err, ERROR_INVALID, root->at, "a manifest is a mapping");
    root = root ? make_root(&work, root, keep_definitions, err) : NULL;
    root = root ? manifest_propagate_tree(&work, root, "", false, err) : NULL;
    return root ? tree_write(&work, root, ret_doc, err) : -1;
}

int manifest_parse(struct arena *arena, const char *file, enum yaml_syntax syntax, struct slice source,
                   manifest_on_problem *on_problem, void *context, struct manifest **ret_manifest,
                   struct error *err)
{
    struct reading reading = {on_problem, context, false};
    struct yaml_document raw, doc;
    if (source.size > MANIFEST_SIZE_MAX) {
        error_set(err, ERROR_LIMIT, "%s: a manifest of %zu bytes; at most %d are taken", file, source.size,
                  MANIFEST_SIZE_MAX);
        tell_error(&reading, file, err);
        return -1;
    }
    if (yaml_parse(arena, file, syntax, source, on_problem ? yaml_problem_found : NULL, &reading, &raw, err) <
        0)
        return -1;
    if (expand(arena, &raw, false, &doc, err) < 0) {
        tell_error(&reading, file, err);
        return -1;
    }
    struct manifest *manifest = manifest_of(arena, &doc);
    if (check(arena, manifest, "DeclarativeSource", false, on_problem, context, err) < 0)
        return -1;
    if (reading.told)
        return error_set(err, ERROR_INVALID, "%s: it is no right YAML", file);
    *ret_manifest = manifest;
    return 0;
}

static int read_file(const char *path, struct buffer *text, struct error *err)
{
    buffer_init(text, MANIFEST_SIZE_MAX + 1);
    int done = file_read(path, MANIFEST_SIZE_MAX, text, err);
    if (done < 0 && err->code == ERROR_NOT_FOUND)
        error_set(err, ERROR_NOT_FOUND, "%s: there is no such file", path);
    return done;
}

/* Manifests were only ever written for PyYAML. */
static enum yaml_syntax syntax_of(const char *path)
{
    return yaml_syntax_of(path) == YAML_SYNTAX_JSON ? YAML_SYNTAX_JSON : YAML_SYNTAX_YAML_1_1;
}

int manifest_load(struct arena *arena, const char *path, manifest_on_problem *on_problem, void *context,
                  struct manifest **ret_manifest, struct error *err)
{
    struct buffer text;
    int done = read_file(path, &text, err);
    if (done < 0) {
        struct reading reading = {on_problem, context, false};
        tell_error(&reading, path, err);
    } else {
        done = manifest_parse(arena, path, syntax_of(path), (struct slice){text.data, text.size}, on_problem,
                              context, ret_manifest, err);
    }
    buffer_done(&text);
    return done;
}

int manifest_read_file(struct arena *arena, const char *path, struct yaml_document *ret_doc,
                       struct error *err)
{
    struct buffer text;
    int done = read_file(path, &text, err) < 0
                   ? -1
                   : yaml_parse(arena, path, syntax_of(path), (struct slice){text.data, text.size}, NULL,
                                NULL, ret_doc, err);
    buffer_done(&text);
    return done;
}

int manifest_expand_file(struct arena *arena, const char *path, struct yaml_document *ret_doc,
                         struct error *err)
{
    struct yaml_document raw;
    return manifest_read_file(arena, path, &raw, err) < 0 ? -1 : expand(arena, &raw, true, ret_doc, err);
}

/* --- at run time ------------------------------------------------------------------------------------------
 */

int manifest_derive(struct arena *arena, struct component origin, struct slice json, const char *type_name,
                    bool parent_parameters_win, struct component *ret_component, struct error *err)
{
    struct yaml_document doc = {.file = origin.manifest->file};
    if (json_parse_copy(arena, json.data, json.size, &doc.json, err) < 0)
        return -1;
    struct tree_work work = work_of(arena, doc.file);
    /* All of it comes from one place. */
    struct yaml_position *positions = arena_zalloc(arena, doc.json.count * sizeof *positions);
    for (uint32_t i = 0; i < doc.json.count; i++)
        positions[i] = origin.manifest->positions[origin.at];
    const struct tree *root = tree_of(&work, &doc.json, positions, 0);
    root = manifest_propagate_tree(&work, root, "", parent_parameters_win, err);
    if (!root || tree_write(&work, root, &doc, err) < 0)
        return -1;
    struct manifest *manifest = manifest_of(arena, &doc);
    if (check(arena, manifest, type_name, true, NULL, NULL, err) < 0)
        return -1;
    *ret_component = manifest_root(manifest);
    return 0;
}
