/* The templates of a manifest: those that do not compile, and names that there are not. */
#include "check.h"
#include "source-declarative/template/template.h"

/* Do parents hand fields on (extra_fields)? They are names in templates, whatever they are called. */
static bool has_extra_fields(const struct checking *checking)
{
    const struct json *doc = &checking->manifest->doc;
    return memmem(doc->source, doc->size, "\"extra_fields\"", strlen("\"extra_fields\"")) != NULL;
}

/* Names that no place gives: whatever is read with such a template fails. */
static void check_names(struct checking *checking, uint32_t at, const struct template *template)
{
    static const char *const given[] = {
        "config",
        "parameters",
        "stream_slice",
        "stream_partition",
        "stream_interval",
        "stream_state",
        "response",
        "headers",
        "request_url",
        "next_page_token",
        "record",
        "last_record",
        "last_page_size",
        "page_size",
        "raw_schema",
        "property",
        "session_token",
        "components_values",
        "stream_template_config",
        "json_loads",
        "download_target",
        "query_properties",
        "creation_response",
        "polling_response",
    };
    enum { GIVEN = sizeof given / sizeof *given };
    const struct slice *names;
    size_t count = template_free_names(template, &names);
    for (size_t i = 0; i < count; i++) {
        bool is_given = false;
        for (size_t j = 0; j < GIVEN; j++)
            is_given |= slice_is(names[i], given[j]);
        const char *name = arena_strndup(checking->arena, names[i].data, names[i].size);
        const char *near = is_given ? NULL : string_nearest(name, given, GIVEN);
        if (!is_given && !near)
            near = template_near_function(names[i]);
        if (near)
            check_warning(checking, at, "templates have no `%.60s`; did you mean `%s`?", name, near);
        else if (slice_is(names[i], "stream_state"))
            check_warning(
                checking, at,
                "templates have no `stream_state` any more; `stream_interval` has what it was used for");
        else if (!is_given && !slice_is(names[i], "value") &&
                 !slice_is(names[i], "path") && /* of AddFields */
                 !has_extra_fields(checking))
            check_warning(checking, at, "templates have no `%.60s`: there is no such name", name);
    }
}

/* Is it a template, it must compile: the CDK would find that out at the first record, or never. */
void check_template(struct checking *checking, uint32_t at)
{
    struct slice text = json_string(&checking->manifest->doc, at, checking->arena);
    struct error err;
    if (!memmem(text.data, text.size, "{{", 2) && !memmem(text.data, text.size, "{%", 2))
        return;
    struct arena scratch;
    arena_init(&scratch);
    const struct template *template = template_compile(&scratch, text, &err);
    if (template)
        check_names(checking, at, template);
    else
        check_error(checking, at, "%s", err.message);
    arena_done(&scratch);
}
