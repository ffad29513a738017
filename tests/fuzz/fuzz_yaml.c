/* Any bytes as YAML and as JSON: what is accepted has a place for each node, and its JSON is JSON. */
#include "yaml/yaml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 forgets a token's text in some of its errors; that is not what is looked for here. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml.so\n";
}

static void ignore(void *context, struct yaml_position at, const char *message)
{
    size_t *problems = context;
    *problems += at.line > 0 && *message;
}

static void check(struct arena *arena, const struct yaml_document *doc)
{
    for (uint32_t i = 0; i < doc->json.count; i++) {
        if (doc->positions[i].line == 0 || doc->positions[i].column == 0)
            abort();
    }
    struct yaml_document again;
    struct error err;
    struct slice json = {doc->json.source, doc->json.size};
    if (yaml_parse(arena, "again", YAML_SYNTAX_JSON, json, NULL, NULL, &again, &err) < 0 ||
        again.json.count != doc->json.count)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice source = {(const char *)data, size};
    for (int syntax = YAML_SYNTAX_YAML; syntax <= YAML_SYNTAX_JSON; syntax++) {
        struct arena arena;
        struct yaml_document doc;
        struct error err;
        size_t problems = 0;
        arena_init(&arena);
        if (yaml_parse(&arena, "fuzz", (enum yaml_syntax)syntax, source, ignore, &problems, &doc, &err) == 0)
            check(&arena, &doc);
        else if (!*err.message)
            abort();
        arena_done(&arena);
    }
    return 0;
}
