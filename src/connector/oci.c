#include "connector/oci.h"

#include "connector/environment.h"
#include "connector/oci_command.h"
#include "connector/oci_failure.h"
#include "connector/oci_image.h"
#include "connector/oci_options.h"
#include "connector/oci_owner.h"
#include "connector/process.h"

#include <sys/stat.h>
#include <unistd.h>

enum {
    KNOWN_MS = 60 * 1000,
};

/* What was learnt of one image name, for a while: a daemon lives on, and a tag may move. */
struct known {
    struct known *next;
    struct arena arena; /* of all below */
    const char *name;
    struct oci_image image;
    uint64_t since_ms;
};

struct connector_engine {
    struct connector_engine_options options;
    struct arena arena;
    const char *path; /* of its program; NULL: not looked for yet */
    bool podman;
    bool passthrough; /* containers get our pipes themselves, with nothing in between */
    bool init;        /* it has an init for containers */
    struct known *known;
    struct noted {
        struct noted *next;
        const char *text;
    } * noted;
};

/* --- options -------------------------------------------------------------------------------------- */

/* "512m", "1g", "1.5g": what both engines take; "0" too. */
static bool is_memory(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15)
        return false;
    text += digits;
    return *text == '\0' || (strchr("bkmgBKMG", *text) && text[1] == '\0');
}

static bool is_cpus(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    const char *rest = text + whole;
    size_t fraction = *rest == '.' ? strspn(rest + 1, "0123456789") : 0;
    if (whole == 0 || whole > 6 || fraction > 6 || rest[fraction + (*rest == '.')] != '\0')
        return false;
    return text[strspn(text, "0.")] != '\0';
}

static bool is_network(const char *text)
{
    return oci_image_name_valid(text);
}

static int check_options(const struct connector_engine_options *options, struct error *err)
{
    if (options->memory && !is_memory(options->memory))
        return error_set(
            err, ERROR_INVALID,
            "the memory of a container is '%.40s', but it must be a number with b, k, m or g behind "
            "it, such as 512m or 2g, or 0 for no limit",
            options->memory);
    if (options->cpus && !is_cpus(options->cpus))
        return error_set(
            err, ERROR_INVALID,
            "the CPUs of a container are '%.40s', but it must be a number above 0, such as 2 or 0.5",
            options->cpus);
    if (options->network && !is_network(options->network))
        return error_set(
            err, ERROR_INVALID,
            "the network of a container is '%.40s', but it must be a network's name, host or none",
            options->network);
    return 0;
}

struct connector_engine *connector_engine_new(const struct connector_engine_options *options,
                                              struct error *err)
{
    if (check_options(options, err) < 0)
        return NULL;
    struct connector_engine *engine = mem_zalloc(sizeof *engine);
    engine->options = *options;
    arena_init(&engine->arena);
    return engine;
}

static void forget(struct known **at)
{
    struct known *known = *at;
    *at = known->next;
    arena_done(&known->arena);
    free(known);
}

void connector_engine_free(struct connector_engine *engine)
{
    if (!engine)
        return;
    while (engine->known)
        forget(&engine->known);
    arena_done(&engine->arena);
    free(engine);
}

void connector_engine_note(struct connector_engine *engine, const char *text)
{
    for (const struct noted *noted = engine->noted; noted; noted = noted->next) {
        if (strcmp(noted->text, text) == 0)
            return;
    }
    struct noted *noted = arena_alloc(&engine->arena, sizeof *noted);
    *noted = (struct noted){engine->noted, arena_strdup(&engine->arena, text)};
    engine->noted = noted;
    if (engine->options.on_note)
        engine->options.on_note(engine->options.context, text);
}

void connector_engine_listen(struct connector_engine *engine,
                             void (*on_note)(void *context, const char *text),
                             void (*on_progress)(void *context, const char *text), void *context)
{
    engine->options.on_note = on_note;
    engine->options.on_progress = on_progress;
    engine->options.context = context;
}

/* --- finding the engine --------------------------------------------------------------------------- */

static const char *find_in_path(const char *name, struct arena *arena)
{
    char **environment = connector_environment(NULL, "", CONNECTOR_ENVIRONMENT_ENGINE);
    const char *path = connector_environment_get(environment, "PATH"), *found = NULL;
    while (path && *path && !found) {
        size_t size = strcspn(path, ":");
        struct stat info;
        const char *candidate = arena_printf(arena, "%.*s/%s", (int)size, path, name);
        if (*candidate == '/' && stat(candidate, &info) == 0 && S_ISREG(info.st_mode) &&
            access(candidate, X_OK) == 0)
            found = candidate;
        path += size + (path[size] == ':');
    }
    connector_environment_free(environment);
    return found;
}

static int find_engine(struct connector_engine *engine, struct error *err)
{
    const char *wanted = engine->options.engine, *path = NULL;
    if (wanted && strchr(wanted, '/'))
        path = arena_strdup(&engine->arena, wanted);
    else if (wanted)
        path = find_in_path(wanted, &engine->arena);
    if (wanted && (!path || access(path, X_OK) < 0))
        return error_set(
            err, ERROR_UNSUPPORTED,
            "the container engine '%.200s' %s; right would be podman or docker, or the path of one", wanted,
            strchr(wanted, '/') ? "cannot be run" : "is in no folder of PATH");
    if (!path)
        path = find_in_path("podman", &engine->arena);
    if (!path)
        path = find_in_path("docker", &engine->arena);
    if (!path)
        return error_set(err, ERROR_UNSUPPORTED,
                         "images are run by podman or docker, and neither is installed: install podman "
                         "(apt install podman, dnf install podman) or docker");
    engine->path = path;
    return 0;
}

/* podman's own init, from which containers get theirs; docker brings one along. */
static bool has_init(void)
{
    static const char *const places[] = {
        "/usr/libexec/podman/catatonit",   "/usr/lib/podman/catatonit", "/usr/local/libexec/podman/catatonit",
        "/usr/local/lib/podman/catatonit", "/usr/bin/catatonit",
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (access(places[i], X_OK) == 0)
            return true;
    }
    return false;
}

/* "podman version 4.3.1", "Docker version 24.0.7, build …": an engine is known by what it says, since the
 * name docker may stand for podman. */
static int ask_version(struct connector_engine *engine, struct error *err)
{
    const char *argv[] = {engine->path, "--version", NULL};
    struct oci_answer answer;
    oci_answer_init(&answer, OCI_COMMAND_ERR_MAX);
    int result = oci_command(argv, OCI_COMMAND_MS, NULL, NULL, &answer, err);
    if (result == 0 && answer.status != 0)
        result = oci_failure_set(OCI_FAILURE_OTHER, engine->path, "run", "",
                                 (struct slice){answer.err.data, answer.err.size}, err);
    if (result == 0) {
        int major = 0;
        engine->podman = sscanf(buffer_cstr(&answer.out), "podman version %d", &major) == 1;
        /* A podman that only talks to another machine's cannot hand over pipes. */
        engine->passthrough = engine->podman && major >= 4 && !getenv("CONTAINER_HOST");
        engine->init = !engine->podman || has_init();
    }
    oci_answer_done(&answer);
    return result;
}

static int open_engine(struct connector_engine *engine, struct error *err)
{
    if (engine->path)
        return 0;
    if (find_engine(engine, err) < 0)
        return -1;
    if (ask_version(engine, err) < 0) {
        engine->path = NULL;
        return -1;
    }
    size_t removed = engine->options.data_dir ? oci_owner_sweep(engine->path, engine->options.data_dir) : 0;
    if (removed) {
        auto_free char *text = mem_printf("removed %zu container%s that an earlier run left behind", removed,
                                          removed == 1 ? "" : "s");
        connector_engine_note(engine, text);
    }
    return 0;
}

/* --- having the image ----------------------------------------------------------------------------- */

static struct slice text_of(const struct buffer *buffer)
{
    return (struct slice){buffer->data ? buffer->data : "", buffer->size};
}

/* 1: it is here, and read; 0: it is not here; -1. */
static int inspect(struct connector_engine *engine, const char *image, const char *shown, struct arena *arena,
                   struct oci_image *ret_image, struct error *err)
{
    const char *argv[] = {engine->path, "image", "inspect", image, NULL};
    struct oci_answer answer;
    oci_answer_init(&answer, OCI_INSPECT_MAX);
    int result = oci_command(argv, OCI_COMMAND_MS, NULL, NULL, &answer, err);
    if (result == 0 && answer.status == 0) {
        result = oci_image_read(shown, text_of(&answer.out), arena, ret_image, err) < 0 ? -1 : 1;
    } else if (result == 0) {
        enum oci_failure failure = oci_failure_of(text_of(&answer.err));
        if (failure != OCI_FAILURE_IMAGE_MISSING && failure != OCI_FAILURE_NOT_THERE)
            result = oci_failure_set(failure, engine->path, "inspect", shown, text_of(&answer.err), err);
    }
    oci_answer_done(&answer);
    return result;
}

struct pull {
    struct connector_engine *engine;
    const char *image;
};

static void on_pull_line(void *context, struct slice line)
{
    enum { SHOWN_MAX = 100 };
    const struct pull *pull = context;
    char text[512];
    const struct connector_engine_options *options = &pull->engine->options;
    if (!options->on_progress || line.size == 0)
        return;
    snprintf(text, sizeof text, "%.200s: %.*s", pull->image, (int)utf8_cut(line.data, line.size, SHOWN_MAX),
             line.data);
    string_one_line(text);
    options->on_progress(options->context, text);
}

static int pull(struct connector_engine *engine, const char *full_name, struct error *err)
{
    const char *argv[] = {engine->path, "pull", full_name, NULL};
    struct oci_answer answer;
    auto_free char *note = mem_printf("pulling the image %s", full_name);
    connector_engine_note(engine, note);
    struct pull progress = {engine, full_name};
    oci_answer_init(&answer, 1 << 20);
    uint64_t silence_ms = engine->options.pull_ms ? engine->options.pull_ms : CONNECTOR_PULL_MS_DEFAULT;
    int result = oci_command(argv, silence_ms, on_pull_line, &progress, &answer, err);
    if (result < 0)
        error_wrap(err, "pulling the image %s", full_name);
    else if (answer.status != 0)
        result = oci_failure_set(oci_failure_of(text_of(&answer.err)), engine->path, "pull", full_name,
                                 text_of(&answer.err), err);
    if (engine->options.on_progress)
        engine->options.on_progress(engine->options.context, NULL);
    oci_answer_done(&answer);
    return result;
}

static int not_here(const char *image, bool local, struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "the image %s is not on this machine, and %s", image,
                     local ? "names under localhost/ are of images that were built here"
                           : "it may not be pulled (--pull never)");
}

/* As the person wrote it first, since an image that was built here has no registry; then as it is pulled. */
static int have_image(struct connector_engine *engine, const struct connector_spec *spec, struct arena *arena,
                      struct oci_image *ret_image, struct error *err)
{
    const char *full_name = oci_image_full_name(spec->image, arena);
    bool local = slice_is(oci_image_registry(full_name), "localhost");
    enum connector_pull policy = spec->present_only || local ? CONNECTOR_PULL_NEVER : engine->options.pull;
    if (policy != CONNECTOR_PULL_ALWAYS) {
        int here = inspect(engine, spec->image, spec->image, arena, ret_image, err);
        if (here == 0 && strcmp(full_name, spec->image) != 0)
            here = inspect(engine, full_name, spec->image, arena, ret_image, err);
        if (here != 0)
            return here < 0 ? -1 : 0;
        if (policy == CONNECTOR_PULL_NEVER)
            return not_here(spec->image, local, err);
    }
    if (pull(engine, full_name, err) < 0)
        return -1;
    int here = inspect(engine, full_name, spec->image, arena, ret_image, err);
    return here < 0 ? -1
           : here   ? 0
                    : error_set(err, ERROR_IO, "the image %s was pulled, but is not there now", full_name);
}

static struct known *find_known(struct connector_engine *engine, const char *name)
{
    for (struct known **at = &engine->known; *at;) {
        if (connector_now_ms() - (*at)->since_ms > KNOWN_MS)
            forget(at);
        else if (strcmp((*at)->name, name) == 0)
            return *at;
        else
            at = &(*at)->next;
    }
    return NULL;
}

static const struct oci_image *know(struct connector_engine *engine, const struct connector_spec *spec,
                                    struct error *err)
{
    struct known *known = find_known(engine, spec->image);
    if (known)
        return &known->image;
    known = mem_zalloc(sizeof *known);
    arena_init(&known->arena);
    known->name = arena_strdup(&known->arena, spec->image);
    known->next = engine->known;
    engine->known = known;
    if (have_image(engine, spec, &known->arena, &known->image, err) < 0) {
        forget(&engine->known);
        return NULL;
    }
    known->since_ms = connector_now_ms();
    return &known->image;
}

/* --- resolving ------------------------------------------------------------------------------------ */

static const char *const *copy_words(const char *const *from, struct arena *arena)
{
    size_t count = 0;
    while (from[count])
        count++;
    const char **words = arena_zalloc(arena, (count + 1) * sizeof *words);
    for (size_t i = 0; i < count; i++)
        words[i] = arena_strdup(arena, from[i]);
    return words;
}

static struct connector_container *container_of(struct connector_engine *engine,
                                                const struct connector_spec *spec,
                                                const struct oci_image *image, struct arena *arena,
                                                struct error *err)
{
    const struct connector_engine_options *options = &engine->options;
    const char *memory = options->memory ? options->memory : CONNECTOR_MEMORY_DEFAULT, *machine;
    if (memory[strspn(memory, "0")] == '\0')
        memory = NULL;
    const struct oci_how how = {
        .image = spec->image,
        .podman = engine->podman,
        .passthrough = engine->passthrough,
        .init = engine->init,
        .network = options->network,
        .memory = memory,
        .cpus = options->cpus,
        .data_dir = options->data_dir,
        .task = spec->task,
    };
    struct connector_container *container = arena_zalloc(arena, sizeof *container);
    if (oci_options(&how, arena, &container->options, err) < 0)
        return NULL;
    container->engine = arena_strdup(arena, engine->path);
    container->image = arena_strdup(arena, spec->image);
    container->id = arena_strdup(arena, image->id);
    container->memory = memory ? arena_strdup(arena, memory) : NULL;
    machine = oci_machine_architecture();
    if (image->architecture && *machine && strcmp(image->architecture, machine) != 0)
        container->other_architecture = arena_strdup(arena, image->architecture);
    return container;
}

int connector_engine_resolve(struct connector_engine *engine, const struct connector_spec *spec,
                             struct arena *arena, struct connector_program *ret_program, struct error *err)
{
    if (!oci_image_name_valid(spec->image))
        return error_set(err, ERROR_INVALID,
                         "'%.200s' is no image's name; right would be one like ghcr.io/owner/name:tag",
                         spec->image);
    const struct oci_image *image = open_engine(engine, err) < 0 ? NULL : know(engine, spec, err);
    const struct connector_container *container =
        image ? container_of(engine, spec, image, arena, err) : NULL;
    if (!container)
        return -1;
    *ret_program = (struct connector_program){
        .argv = copy_words(image->words, arena),
        .label = arena_printf(arena, "%s (image)", spec->image),
        .protocol = image->protocol,
        .container = container,
    };
    return 0;
}
