/* From a definition to what is run for it. */
#include "supervisor/definitions.h"

#include "base/hash.h"
#include "json/writer.h"

enum { WORDS_MAX = 1024 };

/* Where Airbyte's low-code source looks for its manifest. */
static const char manifest_member[] = "__injected_declarative_manifest";

const char *definitions_label(const struct control_definition *definition, struct arena *arena)
{
    const char *repository = definition->repository ? definition->repository : definition->name;
    const char *tag = definition->tag ? definition->tag : "";
    if (definition->origin != CONTROL_MANIFEST)
        return arena_printf(arena, "%s:%s", repository, tag);
    return arena_printf(
        arena, "%s:%s@%016llx", repository, tag,
        (unsigned long long)hash_xxh3(definition->manifest.data, definition->manifest.size, 0));
}

void definitions_take_documentation(struct control_definition *definition, struct arena *arena)
{
    struct json spec;
    struct error unused;
    if (definition->documentation_url || definition->spec.size == 0 ||
        json_parse_copy(arena, definition->spec.data, definition->spec.size, &spec, &unused) < 0)
        return;
    uint32_t url = json_get(&spec, 0, "documentationUrl");
    if (json_is(&spec, url, JSON_STRING) && json_inner(&spec, url).size)
        definition->documentation_url = json_cstring(&spec, url, arena);
}

static int read_words(const struct control_definition *definition, struct arena *arena,
                      const char *const **ret_words, struct error *err)
{
    struct json list;
    struct error unused;
    size_t count = 0;
    if (definition->command.size == 0 ||
        json_parse_copy(arena, definition->command.data, definition->command.size, &list, &unused) < 0 ||
        !json_is(&list, 0, JSON_ARRAY) || json_count(&list, 0) == 0 || json_count(&list, 0) > WORDS_MAX)
        return error_set(err, ERROR_INVALID, "the definition '%s' has no command", definition->name);
    const char **words = arena_zalloc(arena, ((size_t)json_count(&list, 0) + 1) * sizeof *words);
    for (uint32_t at = json_first(&list, 0); at != JSON_NONE; at = json_next(&list, 0, at)) {
        if (!json_is(&list, at, JSON_STRING))
            return error_set(err, ERROR_INVALID, "a word of the command of the definition '%s' is no text",
                             definition->name);
        words[count++] = json_cstring(&list, at, arena);
    }
    *ret_words = words;
    return 0;
}

static int find_manifest_program(struct control *control, struct arena *arena,
                                 struct connector_spec *ret_program, struct error *err)
{
    const char **words = arena_zalloc(arena, 2 * sizeof *words);
    if (definitions_manifest_program(control, arena, &words[0], err) < 0)
        return -1;
    if (words[0])
        ret_program->command = words;
    else
        ret_program->built_in = DEFINITIONS_MANIFEST_BUILT_IN;
    return 0;
}

int definitions_program(struct control *control, const struct control_definition *definition,
                        struct arena *arena, struct connector_spec *ret_program, struct error *err)
{
    *ret_program = (struct connector_spec){.protocol = CONNECTOR_AIRBYTE};
    switch (definition->origin) {
    case CONTROL_BUILT_IN:
        ret_program->built_in = definition->built_in;
        return 0;
    case CONTROL_IMAGE:
        ret_program->image =
            arena_printf(arena, "%s:%s", definition->repository ? definition->repository : "",
                         definition->tag ? definition->tag : "latest");
        return 0;
    case CONTROL_COMMAND:
        return read_words(definition, arena, &ret_program->command, err);
    case CONTROL_MANIFEST:
        return find_manifest_program(control, arena, ret_program, err);
    case CONTROL_ORIGIN_COUNT:
        break;
    }
    return error_set(err, ERROR_CORRUPT, "the definition '%s' is of no known kind", definition->name);
}

/* --- by name, for catalogs ---------------------------------------------------------------------------- */

/* With its manifest: that is sealed, and only who has the key can read it. */
static int read_whole(const char *data_dir, const char *id, struct arena *arena,
                      struct connector_added *ret_added, struct error *err)
{
    struct control_definition definition;
    mem_auto(control_close) struct control *control = control_open(data_dir, CONTROL_CHANGE, err);
    if (!control || control_definition_get(control, id, false, arena, &definition, err) < 0)
        return -1;
    *ret_added = (struct connector_added){.name = definition.name, .manifest = definition.manifest};
    return definitions_program(control, &definition, arena, &ret_added->program, err);
}

static bool has_role(const struct control_definition *definition, enum connector_role role)
{
    return role == CONNECTOR_ANY_ROLE || (definition->side == CONTROL_SOURCE) == (role == CONNECTOR_SOURCE);
}

/* 1, 0 or -1, as connector_find_added. */
static int choose(const struct control_definition *items, size_t count, const char *name,
                  enum connector_role role, struct arena *arena, const struct control_definition **ret_chosen,
                  struct error *err)
{
    const struct control_definition *other = NULL;
    const char **names = arena_zalloc(arena, (count + 1) * sizeof *names);
    size_t found = 0, named = 0;
    for (size_t i = 0; i < count; i++) {
        bool wanted = strcmp(items[i].name, name) == 0 || strcmp(items[i].id, name) == 0;
        if (has_role(&items[i], role))
            names[named++] = items[i].name;
        if (wanted && has_role(&items[i], role)) {
            *ret_chosen = &items[i];
            found++;
        } else if (wanted) {
            other = &items[i];
        }
    }
    if (found == 1)
        return 1;
    if (found)
        return error_set(err, ERROR_INVALID,
                         "%zu connectors were added as '%.100s': give the id of one "
                         "('firth connectors -o json' tells them)",
                         found, name);
    if (other)
        return error_set(err, ERROR_INVALID, "%s was added as a %s, but here must be a %s", other->name,
                         control_side_name(other->side), role == CONNECTOR_SOURCE ? "source" : "destination");
    const char *near = string_nearest(name, names, named);
    return near ? error_set(err, ERROR_INVALID,
                            "no connector '%.100s' was added; did you mean %s? An image of "
                            "that name is named with its tag",
                            name, near)
                : 0;
}

int definitions_find_added(const char *data_dir, const char *name, enum connector_role role,
                           struct arena *arena, struct connector_added *ret_added, struct error *err)
{
    const struct control_definition_filter filter = {
        .any_side = true, .custom_only = true, .page = {.limit = CONTROL_PAGE_MAX}};
    const struct control_definition *chosen = NULL;
    struct control_definition *items;
    size_t count;
    mem_auto(control_close) struct control *control = control_open(data_dir, CONTROL_LOOK, err);
    if (!control)
        return err->code == ERROR_NOT_FOUND ? 0 : -1;
    if (control_definitions(control, &filter, arena, &items, &count, NULL, err) < 0)
        return -1;
    int found = choose(items, count, name, role, arena, &chosen, err);
    return found <= 0 ? found : read_whole(data_dir, chosen->id, arena, ret_added, err) < 0 ? -1 : 1;
}

int definitions_config(const struct control_definition *definition, struct slice config, struct arena *arena,
                       struct slice *ret_config, struct error *err)
{
    struct json doc;
    struct buffer text;
    struct json_writer writer;
    *ret_config = config;
    if (definition->origin != CONTROL_MANIFEST)
        return 0;
    if (json_parse_copy(arena, config.size ? config.data : "{}", config.size ? config.size : 2, &doc, err) <
        0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    for (uint32_t key = json_first_key(&doc, 0); key != JSON_NONE; key = json_next_key(&doc, 0, key)) {
        if (json_string_is(&doc, key, manifest_member))
            continue; /* ours alone says what runs */
        json_put_key_of(&writer, &doc, key);
        json_put_value(&writer, &doc, json_value(key));
    }
    json_member_raw(&writer, manifest_member, definition->manifest);
    json_end_object(&writer);
    *ret_config = (struct slice){arena_strndup(arena, text.data, text.size), text.size};
    explicit_bzero(text.data, text.size);
    buffer_done(&text);
    return 0;
}
