#include "connector/connector.h"
#include "connector/image.h"
#include "connector/oci.h"
#include "protocol/flow.h"

const struct connector_limits connector_limits_default = {
    .line_max = (size_t)65 << 20,
    .memory_max = 0,
    .files_max = 1024,
    .stall_ms = 0,
    .exit_ms = 10000,
    .stop_ms = 10000,
};

enum { LABEL_MAX = 60 };

static const struct connector_built_in *find_name(const struct connector_catalog *built_ins, const char *name)
{
    for (size_t i = 0; i < built_ins->count; i++)
        if (strcmp(built_ins->items[i].name, name) == 0)
            return &built_ins->items[i];
    return NULL;
}

static const struct connector_built_in *find_image(const struct connector_catalog *built_ins,
                                                   const char *image)
{
    struct slice wanted = connector_image_repository(image);
    for (size_t i = 0; i < built_ins->count; i++) {
        const char *const *names = built_ins->items[i].image_names;
        if (slice_equal(wanted, slice_of(built_ins->items[i].name)))
            return &built_ins->items[i]; /* some stand for no image */
        for (; names && *names; names++)
            if (slice_equal(wanted, connector_image_repository(*names)))
                return &built_ins->items[i];
    }
    return NULL;
}

const char *connector_built_in_for(const struct connector_catalog *built_ins, const char *image)
{
    const struct connector_built_in *item = built_ins->force_images ? NULL : find_image(built_ins, image);
    return item ? item->name : NULL;
}

static const char *nearest(const struct connector_catalog *built_ins, const char *name, struct arena *arena)
{
    const char **names = arena_alloc(arena, built_ins->count * sizeof *names);
    for (size_t i = 0; i < built_ins->count; i++)
        names[i] = built_ins->items[i].name;
    return string_nearest(name, names, built_ins->count);
}

static const char *name_list(const struct connector_catalog *built_ins, struct arena *arena)
{
    const char *list = "";
    for (size_t i = 0; i < built_ins->count; i++)
        list = arena_printf(arena, "%s%s%s", list, i ? ", " : "", built_ins->items[i].name);
    return list;
}

static const char *suggestion(const struct connector_catalog *built_ins, const char *name,
                              struct arena *arena)
{
    const char *near = nearest(built_ins, name, arena);
    return near ? arena_printf(arena, "did you mean %s? ", near) : "";
}

static void use_built_in(const struct connector_catalog *built_ins, const struct connector_built_in *item,
                         struct arena *arena, struct connector_program *program)
{
    const char **argv = arena_zalloc(arena, 4 * sizeof *argv);
    argv[0] = built_ins->program;
    argv[1] = "connector";
    argv[2] = item->name;
    program->argv = argv;
    program->built_in = true;
    program->folder = NULL;
    program->label = arena_printf(arena, "%s (built in)", item->name);
}

/* --- a command's label ---------------------------------------------------------------------------- */

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static bool is_interpreter(const char *program)
{
    static const char *const names[] = {"python", "pypy", "node", "ruby", "perl", "php", "bash", "sh"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t size = strlen(names[i]);
        if (strncmp(program, names[i], size) == 0 &&
            program[size + strspn(program + size, "0123456789.")] == '\0')
            return true;
    }
    return false;
}

/* A word of Python's that takes no value: "-u", "-SE". */
static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1] && strspn(word + 1, "BEIOPSbdiqsuvx") == strlen(word + 1);
}

/* What the interpreter is to run: the place of the script's word, or 0. */
static size_t find_script(const char *const *command, bool *ret_module)
{
    bool python = strncmp(file_name(command[0]), "py", 2) == 0;
    size_t at = 1;
    while (python && command[at] && is_flag(command[at]))
        at++;
    *ret_module = python && command[at] && strcmp(command[at], "-m") == 0;
    at += *ret_module;
    return command[at] && command[at][0] != '-' ? at : 0;
}

/* Enough to recognise the command: its program, of an interpreter also what that runs. No other word, since
 * any may be a secret, and labels are in every message. */
static const char *command_label(const char *const *command, struct arena *arena)
{
    const char *program = file_name(command[0]);
    bool module;
    size_t script = is_interpreter(program) ? find_script(command, &module) : 0;
    char *label = script == 0 ? arena_strdup(arena, program)
                              : arena_printf(arena, "%.*s %s%.*s", LABEL_MAX, program, module ? "-m " : "",
                                             LABEL_MAX, file_name(command[script]));
    label[utf8_cut(label, strlen(label), (size_t)2 * LABEL_MAX)] = '\0';
    string_one_line(label);
    return label;
}

/* --- resolving ------------------------------------------------------------------------------------ */

/* Flow's connectors are told to speak JSON, and to log it; what the catalog sets comes later and wins. */
static const char *const *environment(const struct connector_spec *spec, enum connector_protocol protocol,
                                      struct arena *arena)
{
    const char *const flow[] = {
        "FLOW_RUNTIME_CODEC=json", "LOG_FORMAT=json",
        arena_printf(arena, "LOG_LEVEL=%s", spec->log_level ? spec->log_level : "info"),
        FLOW_CONFIG_VARIABLE "=1"};
    size_t flow_count = protocol == CONNECTOR_FLOW ? sizeof flow / sizeof *flow : 0, given = 0, count = 0;
    while (spec->env && spec->env[given])
        given++;
    const char **env = arena_zalloc(arena, (flow_count + given + 1) * sizeof *env);
    for (size_t i = 0; i < flow_count; i++)
        env[count++] = flow[i];
    for (size_t i = 0; i < given; i++)
        env[count++] = spec->env[i];
    return env;
}

static void use_built_in_for(const struct connector_catalog *built_ins, const struct connector_built_in *item,
                             const struct connector_spec *spec, struct arena *arena,
                             struct connector_program *program)
{
    use_built_in(built_ins, item, arena, program);
    program->label = arena_printf(arena, "%s (built in, for %s)", item->name, spec->image);
    if (!built_ins->engine || spec->present_only)
        return; /* nobody is about to run it */
    auto_free char *note =
        mem_printf("the image %s is run by the built-in %s; --connectors image runs the image "
                   "itself",
                   spec->image, item->name);
    connector_engine_note(built_ins->engine, note);
}

/* 1, or 0 if none of that name was added. */
static int resolve_added(const struct connector_catalog *built_ins, const struct connector_spec *spec,
                         struct arena *arena, struct connector_program *program, struct error *err)
{
    struct connector_added added;
    if (!connector_image_is_name(spec->image) || !built_ins->find_added || !built_ins->data_dir)
        return 0;
    int found = built_ins->find_added(built_ins->data_dir, spec->image, spec->role, arena, &added, err);
    if (found <= 0)
        return found;
    struct connector_spec *runs = &added.program;
    runs->task = spec->task;
    runs->log_level = spec->log_level;
    runs->present_only = spec->present_only;
    runs->protocol = runs->built_in ? spec->protocol : CONNECTOR_AIRBYTE;
    if (connector_resolve(built_ins, runs, arena, program, err) < 0)
        return error_wrap(err, "the connector %s", added.name);
    program->manifest = added.manifest;
    program->label =
        arena_printf(arena, "%s (%s)", added.name, added.manifest.size ? "manifest" : program->label);
    return 1;
}

/* An image that cannot be had: what a person may have meant instead. */
static int add_built_ins(const struct connector_catalog *built_ins, const char *image, struct arena *arena,
                         struct error *err)
{
    struct slice repository = connector_image_repository(image);
    const char *slash = memrchr(repository.data, '/', repository.size);
    const char *base = slash ? slash + 1 : repository.data;
    const char *name = arena_strndup(arena, base, (size_t)(repository.data + repository.size - base));
    bool retriable = err->retriable;
    error_set(
        err, err->code, "%s is %s: %s; %sbuilt in: %s%s", image,
        connector_image_is_name(image) ? "neither built in nor added" : "not built in",
        arena_strdup(arena, err->message), suggestion(built_ins, name, arena), name_list(built_ins, arena),
        connector_image_is_name(image) ? "; 'firth connectors' lists what was added to this data directory"
                                       : "");
    err->retriable = retriable;
    return -1;
}

static int resolve_image(const struct connector_catalog *built_ins, const struct connector_spec *spec,
                         struct arena *arena, struct connector_program *program, struct error *err)
{
    const struct connector_built_in *item =
        built_ins->force_images ? NULL : find_image(built_ins, spec->image);
    if (item) {
        use_built_in_for(built_ins, item, spec, arena, program);
        return 0;
    }
    int added = resolve_added(built_ins, spec, arena, program, err);
    if (added)
        return added < 0 ? -1 : 0;
    if (!built_ins->engine)
        error_set(err, ERROR_UNSUPPORTED, "images are not run here");
    else if (connector_engine_resolve(built_ins->engine, spec, arena, program, err) == 0)
        return 0;
    bool none = err->code == ERROR_UNSUPPORTED || err->code == ERROR_NOT_FOUND || err->code == ERROR_IO;
    return none && !built_ins->force_images ? add_built_ins(built_ins, spec->image, arena, err) : -1;
}

int connector_resolve(const struct connector_catalog *built_ins, const struct connector_spec *spec,
                      struct arena *arena, struct connector_program *ret_program, struct error *err)
{
    struct connector_program program = {.protocol = spec->protocol};
    if ((spec->image != NULL) + (spec->built_in != NULL) + (spec->command != NULL) != 1)
        return error_set(err, ERROR_INVALID,
                         "a connector is named by an image, a built-in's name or a command: "
                         "one of the three");
    if (spec->built_in) {
        const struct connector_built_in *item = find_name(built_ins, spec->built_in);
        if (!item)
            return error_set(err, ERROR_NOT_FOUND, "no built-in connector is named %s; %sbuilt in: %s",
                             spec->built_in, suggestion(built_ins, spec->built_in, arena),
                             name_list(built_ins, arena));
        use_built_in(built_ins, item, arena, &program);
    } else if (spec->image) {
        if (resolve_image(built_ins, spec, arena, &program, err) < 0)
            return -1;
    } else {
        if (!spec->command[0] || !*spec->command[0])
            return error_set(err, ERROR_INVALID, "the command of a local connector is empty");
        program.argv = spec->command;
        program.folder = spec->folder;
        program.label = command_label(spec->command, arena);
    }
    program.env = environment(spec, program.protocol, arena);
    *ret_program = program;
    return 0;
}
