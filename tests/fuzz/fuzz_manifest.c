/* Any bytes as a manifest: it is refused with a reason, or every component of it can be read. */
#include "connectors/source-declarative/manifest/manifest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 forgets a token's text in some of its errors; that is not what is looked for here. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml.so\n";
}

static void count(void *context, const struct manifest_problem *problem)
{
    if (!*problem->message || !problem->path)
        abort();
    *(size_t *)context += problem->severity == MANIFEST_ERROR;
}

/* What the interpreter will ask: nothing of it may surprise. */
static void read_all(struct component component)
{
    const struct component_type *type = component_type(component);
    const struct json *doc = &component.manifest->doc;
    if (type)
        for (const struct component_field *field = type->fields; field->name; field++) {
            int64_t integer;
            double number;
            component_text(component, field->name);
            component_bool(component, field->name);
            component_integer(component, field->name, &integer);
            component_number(component, field->name, &number);
            if (json_is(doc, component_get(component, field->name).at, JSON_STRING) && *field->type == '\'' &&
                !strstr(field->type, "Custom") && component_enum(component, field->name) < 0)
                abort();
        }
    struct error err;
    error_set(&err, ERROR_INVALID, "it");
    component_error(&err, component);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice source = {(const char *)data, size};
    struct arena arena;
    struct manifest *manifest;
    struct error err;
    size_t errors = 0;
    arena_init(&arena);
    int done = manifest_parse(&arena, "fuzz", YAML_SYNTAX_YAML, source, count, &errors, &manifest, &err);
    if (done < 0 ? !*err.message || errors == 0 : errors > 0)
        abort();
    if (done == 0)
        for (uint32_t at = 0; at < manifest->doc.count && at < 2000; at++)
            if (json_tag(&manifest->doc, at) != JSON_KEY)
                read_all((struct component){manifest, at});
    arena_done(&arena);
    return 0;
}
