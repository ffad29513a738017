/* All that is wrong with a manifest in one error, for those who have nowhere else to tell it. */
#include "manifest.h"

struct telling {
    struct buffer text;
    size_t told;
    bool unsupported;
};

/* Several problems, a line each; one is told by the parser itself. */
static void on_problem(void *context, const struct manifest_problem *problem)
{
    struct telling *telling = context;
    if (problem->severity != MANIFEST_ERROR)
        return;
    telling->told++;
    telling->unsupported |= problem->unsupported;
    buffer_printf(&telling->text, "\n%u:%u: %s%s%s", problem->at.line, problem->at.column, problem->path,
                  *problem->path ? ": " : "", problem->message);
}

static void tell_all(struct telling *telling, const char *file, struct error *err)
{
    enum { SHOWN = ERROR_MESSAGE_MAX - 300 };
    if (telling->told < 2)
        return;
    size_t size = telling->text.size;
    if (size > SHOWN)
        size = utf8_cut(telling->text.data, size, SHOWN);
    error_set(err, telling->unsupported ? ERROR_UNSUPPORTED : ERROR_INVALID, "%.200s has %zu problems:%.*s",
              file, telling->told, (int)size, telling->text.data);
}

int manifest_load_telling(struct arena *arena, const char *path, struct manifest **ret_manifest,
                          struct error *err)
{
    struct telling telling = {0};
    buffer_init(&telling.text, 1 << 20);
    int result = manifest_load(arena, path, on_problem, &telling, ret_manifest, err);
    if (result != 0)
        tell_all(&telling, path, err);
    buffer_done(&telling.text);
    return result;
}

int manifest_parse_telling(struct arena *arena, const char *name, struct slice json,
                           struct manifest **ret_manifest, struct error *err)
{
    struct telling telling = {0};
    buffer_init(&telling.text, 1 << 20);
    int result = manifest_parse(arena, name, YAML_SYNTAX_JSON, json, on_problem, &telling, ret_manifest, err);
    if (result != 0)
        tell_all(&telling, name, err);
    buffer_done(&telling.text);
    return result;
}
