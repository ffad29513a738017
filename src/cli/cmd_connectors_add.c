/* firth connectors add, and remove. */
#include "base/file.h"
#include "cli/cmd_connectors.h"
#include "cli/data_dir.h"
#include "cli/output.h"
#include "cli/words.h"
#include "connector/image.h"
#include "store/store.h"
#include "supervisor/definitions.h"
#include "json/writer.h"

#include <unistd.h>

enum { STALL_MS = 60000 /* of a connector that is asked for its spec */ };

struct adding {
    struct cli *cli;
    const struct connectors_options *options;
    struct control *control;
    struct arena arena;
    struct control_definition definition;
};

/* --- what it is --------------------------------------------------------------------------------------- */

/* "source-shop" and "ghcr.io/me/source-shop:1" say it themselves; a manifest is a source. */
static int find_side(struct adding *adding, const struct connectors_options *options, const char *name,
                     struct error *err)
{
    const char *said[] = {name, ""};
    if (options->image) {
        struct slice repository = connector_image_repository(options->image);
        const char *slash = memrchr(repository.data, '/', repository.size);
        const char *last = slash ? slash + 1 : repository.data;
        said[1] = arena_strndup(&adding->arena, last, (size_t)(repository.data + repository.size - last));
    }
    if (options->kind) {
        adding->definition.side = (enum control_side)(options->kind - 1);
        return 0;
    }
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        bool source = string_starts_with(said[i], "source-");
        adding->definition.side = source ? CONTROL_SOURCE : CONTROL_DESTINATION;
        if (source || string_starts_with(said[i], "destination-"))
            return 0;
    }
    adding->definition.side = CONTROL_SOURCE;
    if (options->manifest)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "is it a source or a destination? --kind says it, or a NAME like source-%.40s", name);
}

/* The daemon has another working folder: a path stays what it is here. */
static const char *settle_word(const char *word, bool program, struct arena *arena)
{
    bool path = program ? strchr(word, '/') != NULL : file_exists(word);
    if (!path)
        return word;
    auto_free char *absolute = file_absolute(word);
    return arena_strdup(arena, absolute);
}

static int set_command(struct adding *adding, const char *text, struct error *err)
{
    const char *const *words;
    struct buffer list;
    struct json_writer writer;
    if (words_split("--command", text, &adding->arena, &words, err) < 0)
        return -1;
    buffer_init(&list, BUFFER_UNLIMITED);
    json_writer_init(&writer, &list);
    json_begin_array(&writer);
    for (size_t i = 0; words[i]; i++)
        json_put_string(&writer, settle_word(words[i], i == 0, &adding->arena));
    json_end_array(&writer);
    adding->definition.command = (struct slice){arena_dup(&adding->arena, list.data, list.size), list.size};
    buffer_done(&list);
    return 0;
}

static int ask_spec(struct adding *adding, struct error *err)
{
    const struct connector_limits limits = {.line_max = connector_limits_default.line_max,
                                            .files_max = connector_limits_default.files_max,
                                            .stall_ms = STALL_MS,
                                            .exit_ms = connector_limits_default.exit_ms,
                                            .stop_ms = connector_limits_default.stop_ms};
    struct control_definition *definition = &adding->definition;
    struct connector_spec wanted;
    struct connector_program program;
    struct json spec;
    if (definitions_program(adding->control, definition, &adding->arena, &wanted, err) < 0 ||
        connector_resolve(adding->cli->built_ins, &wanted, &adding->arena, &program, err) < 0)
        return -1;
    if (program.protocol != CONNECTOR_AIRBYTE)
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s speaks Flow's protocol: a catalog names its image itself, and connections do "
                         "not take it",
                         program.label);
    if (connector_airbyte_spec(&program, &limits, &adding->arena, &spec, err) < 0)
        return error_wrap(err, "the spec of %s", program.label);
    definition->spec = json_raw(&spec, 0);
    definition->spec_of = definitions_label(definition, &adding->arena);
    definitions_take_documentation(definition, &adding->arena);
    return 0;
}

/* Two of one name, or of its title: nobody would know which a file means. The store refuses it too, once it
 * has the built-in ones; this is said before a connector is asked. */
static int refuse_built_in(const struct adding *adding, const char *name, struct error *err)
{
    const struct connector_catalog *built_ins = adding->cli->built_ins;
    for (size_t i = 0; i < built_ins->count; i++) {
        const struct connector_built_in *item = &built_ins->items[i];
        bool titled = string_starts_with(item->name, control_side_name(adding->definition.side)) &&
                      control_names_alike(item->title, name);
        if (titled || control_names_alike(item->name, name))
            return error_set(err, ERROR_INVALID,
                             "%s is built in%s%s%s, and needs no adding; give one of your own another name, "
                             "like %s-custom",
                             name, strcmp(item->name, name) == 0 ? "" : " (",
                             strcmp(item->name, name) == 0 ? "" : item->name,
                             strcmp(item->name, name) == 0 ? "" : ")", name);
    }
    return 0;
}

/* Everything but its id and times. A manifest has its spec in it. */
static int describe(struct adding *adding, const char *name, struct error *err)
{
    const struct connectors_options *options = adding->options;
    struct control_definition *definition = &adding->definition;
    const char *part;
    if (!options->image + !options->command + !options->manifest != 2)
        return error_set(err, ERROR_INVALID,
                         "what is it? One of --image, --command and --manifest-path says it");
    definition->name = name;
    if (find_side(adding, options, name, err) < 0 || refuse_built_in(adding, name, err) < 0)
        return -1;
    if (options->manifest) {
        const struct definitions_manifest manifest = {.path = options->manifest};
        return definitions_set_manifest(adding->control, adding->cli->built_ins, &manifest, &adding->arena,
                                        definition, err);
    }
    if (options->command && set_command(adding, options->command, err) < 0)
        return -1;
    definitions_set_program(definition, options->image, &adding->arena);
    if (options->image && definitions_check_image(definition->repository, definition->tag, &part, err) < 0)
        return -1;
    return ask_spec(adding, err);
}

/* --- doing it ----------------------------------------------------------------------------------------- */

/* The store too, if there is none yet. */
static struct control *open_control(struct cli *cli, struct error *err)
{
    mem_auto(store_close) struct store *store = store_open(cli->data_dir, NULL, err);
    return store ? control_open(cli->data_dir, CONTROL_CHANGE, err) : NULL;
}

static int tell(const struct cli *cli, const struct control_definition *definition, const char *what)
{
    struct output output;
    struct buffer text;
    struct json_writer writer;
    output_init(&output, STDOUT_FILENO);
    if (cli->json) {
        buffer_init(&text, BUFFER_UNLIMITED);
        json_writer_init(&writer, &text);
        json_begin_object(&writer);
        connectors_write_custom(&writer, definition);
        json_end_object(&writer);
        buffer_byte(&text, '\n');
        output_write(&output, text.data, text.size);
        buffer_done(&text);
    } else {
        output_printf(&output, "%s %s '%s', id %s\n", what, control_side_name(definition->side),
                      definition->name, definition->id);
    }
    return output_finish(&output, cli, CLI_OK);
}

/* The id of the name that `firth apply` gives it as well. */
static int put(struct adding *adding, const char *name, const char **ret_what, struct error *err)
{
    struct control_definition there;
    char *id = arena_alloc(&adding->arena, CONTROL_UUID_SIZE);
    struct control_definition *definition = &adding->definition;
    control_uuid_of(arena_printf(&adding->arena, "definition//%s", name), id);
    int found = control_definition_get(adding->control, id, false, &adding->arena, &there, err);
    if (found < 0 && err->code != ERROR_NOT_FOUND)
        return -1;
    if (found == 0 && there.side != definition->side)
        return error_set(err, ERROR_INVALID, "'%s' is a %s: remove it first, or take another name", name,
                         control_side_name(there.side));
    if (found == 0) { /* what a file or the API has said of it beside, and this does not */
        definition->icon = there.icon;
        definition->extra = there.extra;
        definition->workspace = there.workspace;
        if (!definition->documentation_url)
            definition->documentation_url = there.documentation_url;
    }
    definition->id = id;
    definition->custom = true;
    definition->updated_ms = clock_wall_ms(&clock_system);
    definition->created_ms = found == 0 ? there.created_ms : definition->updated_ms;
    *ret_what = found == 0 ? "changed" : "added";
    return control_definition_put(adding->control, definition, err);
}

/* `add shop.yaml`: a manifest, by the name of its file, or of its folder if all are called manifest.yaml. */
static const char *name_of_manifest(const char *path, struct arena *arena)
{
    auto_free char *absolute = file_absolute(path);
    const char *end = strrchr(absolute, '.'), *slash = strrchr(absolute, '/');
    if (slice_is((struct slice){slash + 1, (size_t)(end - slash - 1)}, "manifest") && slash > absolute) {
        end = slash;
        slash = memrchr(absolute, '/', (size_t)(slash - absolute));
    }
    return arena_strndup(arena, slash + 1, (size_t)(end - slash - 1));
}

static bool is_manifest(const char *word, const struct connectors_options *options)
{
    return !options->image && !options->command && !options->manifest &&
           (string_ends_with(word, ".yaml") || string_ends_with(word, ".yml") ||
            string_ends_with(word, ".json"));
}

int connectors_add(struct cli *cli, const char *name)
{
    struct connectors_options options = *(const struct connectors_options *)cli->options;
    struct adding adding = {.cli = cli, .options = &options};
    struct error err;
    const char *what = NULL;
    mem_auto(control_close) struct control *control = open_control(cli, &err);
    if (!control)
        return cli_fail(cli, &err);
    adding.control = control;
    arena_init(&adding.arena);
    if (is_manifest(name, &options)) {
        options.manifest = name;
        name = name_of_manifest(name, &adding.arena);
    }
    bool added = describe(&adding, name, &err) == 0 && put(&adding, name, &what, &err) == 0;
    int code = added ? tell(cli, &adding.definition, what) : cli_fail(cli, &err);
    arena_done(&adding.arena);
    return code;
}

/* By its id or its name. */
static int find(const struct cli *cli, struct control *control, const char *name, struct arena *arena,
                struct control_definition *ret_definition, struct error *err)
{
    const struct connectors_options *options = cli->options;
    const struct control_definition_filter filter = {
        .any_side = options->kind == 0,
        .side = options->kind ? (enum control_side)(options->kind - 1) : CONTROL_SOURCE,
        .custom_only = true,
        .page = {.limit = CONTROL_PAGE_MAX}};
    struct control_definition *items;
    size_t count, found = 0;
    if (control_definitions(control, &filter, arena, &items, &count, NULL, err) < 0)
        return -1;
    const char **names = arena_zalloc(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = items[i].name;
        if (strcmp(items[i].name, name) != 0 && strcmp(items[i].id, name) != 0)
            continue;
        *ret_definition = items[i];
        found++;
    }
    if (found > 1)
        return error_set(err, ERROR_INVALID, "%zu custom connectors are named '%.100s': give the id of one",
                         found, name);
    if (found)
        return 0;
    for (size_t i = 0; i < cli->built_ins->count; i++) {
        if (strcmp(cli->built_ins->items[i].name, name) == 0)
            return error_set(err, ERROR_INVALID, "%s is built in and stays", name);
    }
    const char *near = string_nearest(name, names, count);
    return error_set(err, ERROR_NOT_FOUND, "there is no custom connector '%.100s'%s%s%s", name,
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

int connectors_remove(struct cli *cli, const char *name)
{
    struct control_definition definition;
    struct arena arena;
    struct error err;
    if (data_dir_check(cli, &err) < 0)
        return cli_fail(cli, &err);
    mem_auto(control_close) struct control *control = control_open(cli->data_dir, CONTROL_CHANGE, &err);
    if (!control)
        return cli_fail(cli, &err);
    arena_init(&arena);
    bool removed = find(cli, control, name, &arena, &definition, &err) == 0 &&
                   control_definition_delete(control, definition.id, clock_wall_ms(&clock_system), &err) == 0;
    int code = removed ? tell(cli, &definition, "removed") : cli_fail(cli, &err);
    arena_done(&arena);
    return code;
}
