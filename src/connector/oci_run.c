#include "connector/oci_run.h"

#include "base/file.h"
#include "base/hash.h"
#include "connector/oci.h"
#include "connector/oci_command.h"
#include "connector/oci_image.h"
#include "connector/oci_owner.h"

enum {
    SLUG_MAX = 40, /* bytes of the image's name in the container's */
    EXIT_ENGINE = 125,
    EXIT_CANNOT_RUN = 126,
    EXIT_NO_COMMAND = 127,
    EXIT_KILLED = 128 + 9,
};

/* --- names ---------------------------------------------------------------------------------------- */

/* "firth-source-faker-0123456789abcdef": what a person sees in `podman ps`. */
static void make_name(const char *image, char name[OCI_NAME_SIZE])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *slash = strrchr(image, '/'), *base = slash ? slash + 1 : image;
    size_t size = strspn(base, allowed);
    uint64_t random;
    random_bytes(&random, sizeof random);
    snprintf(name, OCI_NAME_SIZE, "firth-%.*s-%016llx", (int)(size < SLUG_MAX ? size : SLUG_MAX), base,
             (unsigned long long)random);
}

static char *copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

struct oci_run *oci_run_new(const struct connector_program *program)
{
    const struct connector_container *container = program->container;
    struct oci_run *run = mem_zalloc(sizeof *run);
    run->engine = mem_strdup(container->engine);
    run->id = mem_strdup(container->id);
    run->image = mem_strdup(container->image);
    run->memory = copy(container->memory);
    run->other_architecture = copy(container->other_architecture);
    run->command = mem_strdup(program->argv[0]);
    make_name(container->image, run->name);
    run->remove[0] = run->engine;
    run->remove[1] = "rm";
    run->remove[2] = "--force";
    run->remove[3] = "--volumes"; /* those that the image declares */
    run->remove[4] = run->name;
    return run;
}

void oci_run_free(struct oci_run *run)
{
    if (!run)
        return;
    free(run->engine);
    free(run->id);
    free(run->image);
    free(run->memory);
    free(run->other_architecture);
    free(run->command);
    free(run);
}

/* --- the command line ----------------------------------------------------------------------------- */

struct words {
    const char **items;
    size_t count, max;
};

/* Past the maximum it only counts. */
static void add(struct words *words, const char *word)
{
    if (words->count < words->max)
        words->items[words->count] = word;
    words->count++;
}

int oci_run_words(const struct oci_run *run, const struct connector_program *program, const char *files,
                  const char *variables, struct arena *arena, const char **items, size_t max,
                  struct error *err)
{
    struct words words = {items, 0, max};
    char owner[OCI_OWNER_SIZE];
    oci_owner_own(owner);
    add(&words, run->engine);
    add(&words, "run");
    for (const char *const *option = program->container->options; *option; option++)
        add(&words, *option);
    add(&words, arena_printf(arena, "--name=%s", run->name));
    add(&words, arena_printf(arena, "--label=" OCI_LABEL_OWNER "=%s", owner));
    add(&words, arena_printf(arena, "--label=" OCI_LABEL_RUN "=%016llx",
                             (unsigned long long)hash_xxh3(owner, strlen(owner), 0)));
    if (files && strchr(files, ':'))
        return error_set(err, ERROR_INVALID,
                         "the folder %s cannot be mounted, because its name has a ':': set TMPDIR to another",
                         files);
    if (files)
        add(&words, arena_printf(arena, "--volume=%s:" OCI_FILES ":ro,Z", files));
    if (variables)
        add(&words, arena_printf(arena, "--env-file=%s", variables));
    /* All of the image's own CMD goes with this: what runs is the program's words and nothing else. */
    add(&words, arena_printf(arena, "--entrypoint=%s", program->argv[0]));
    add(&words, run->id);
    for (const char *const *word = program->argv + 1; *word; word++)
        add(&words, *word);
    if (words.count > max)
        return error_set(err, ERROR_LIMIT, "a connector's command has more than %zu words", max);
    return (int)words.count;
}

int oci_run_variables(const char *const *env, struct buffer *out, struct error *err)
{
    for (; env && *env; env++) {
        if (strchr(*env, '\n'))
            return error_set(
                err, ERROR_UNSUPPORTED,
                "the variable %.*s has a value of several lines, which cannot be given to an image",
                (int)strcspn(*env, "="), *env);
        buffer_printf(out, "%s\n", *env);
    }
    return 0;
}

/* --- the end -------------------------------------------------------------------------------------- */

/* The engine is asked, and conmon's mark is looked for: some versions of it leave a file in the client's
 * working folder where the engine expects it elsewhere. */
static bool ran_out_of_memory(const struct oci_run *run, const char *folder)
{
    const char *argv[] = {run->engine, "container", "inspect", "--format", "{{.State.OOMKilled}}",
                          run->name,   NULL};
    struct oci_answer answer;
    struct error unused;
    auto_free char *mark = folder ? mem_printf("%s/oom", folder) : NULL;
    if (mark && file_exists(mark))
        return true;
    oci_answer_init(&answer, OCI_COMMAND_ERR_MAX);
    bool said = oci_command(argv, OCI_COMMAND_MS, NULL, NULL, &answer, &unused) == 0 && answer.status == 0 &&
                string_starts_with(buffer_cstr(&answer.out), "true");
    oci_answer_done(&answer);
    return said;
}

void oci_run_end(struct oci_run *run, const char *folder, int status)
{
    struct oci_answer answer;
    struct error unused;
    if (run->removed)
        return;
    if (status == EXIT_KILLED && run->memory)
        run->out_of_memory = ran_out_of_memory(run, folder);
    oci_answer_init(&answer, OCI_COMMAND_ERR_MAX);
    (void)oci_command(run->remove, OCI_COMMAND_MS, NULL, NULL, &answer, &unused);
    oci_answer_done(&answer);
    run->removed = true;
}

enum ending { ENDED_OTHERWISE, ENDED_NO_COMMAND, ENDED_CANNOT_RUN, ENDED_ENGINE, ENDED_KILLED };

/* The engines' statuses, and what podman's init says instead of them: it exits with 1. */
static enum ending ending_of(int status, const char *logs)
{
    const char *init = status == 1 ? strstr(logs, "failed to exec pid1: ") : NULL;
    if (init)
        return strstr(init, "No such file") ? ENDED_NO_COMMAND : ENDED_CANNOT_RUN;
    switch (status) {
    case EXIT_NO_COMMAND:
        return ENDED_NO_COMMAND;
    case EXIT_CANNOT_RUN:
        return ENDED_CANNOT_RUN;
    case EXIT_ENGINE:
        return ENDED_ENGINE;
    case EXIT_KILLED:
        return ENDED_KILLED;
    default:
        return ENDED_OTHERWISE;
    }
}

static void describe_other_architecture(const struct oci_run *run, struct buffer *out)
{
    buffer_printf(
        out,
        "could not be started: its image is built for %s, and this machine is %s; right would be an image "
        "for this machine",
        run->other_architecture, oci_machine_architecture());
}

bool oci_run_describe(const struct oci_run *run, int status, bool ours, const char *logs, struct buffer *out)
{
    enum ending ending = ending_of(status, logs);
    const char *slash = strrchr(run->engine, '/'), *engine = slash ? slash + 1 : run->engine;
    if (run->out_of_memory)
        buffer_printf(out, "exceeded its memory limit of %s and was killed; --container-memory sets another",
                      run->memory);
    else if (ours || (ending == ENDED_OTHERWISE && !strstr(logs, "exec format error")))
        return false;
    else if (ending != ENDED_KILLED && run->other_architecture)
        describe_other_architecture(run, out);
    else if (ending == ENDED_KILLED)
        buffer_printf(out, "was killed (SIGKILL), by the machine or somebody else%s%s",
                      run->memory ? "; its memory limit (--container-memory) is " : "",
                      run->memory ? run->memory : "");
    else if (ending == ENDED_NO_COMMAND)
        buffer_printf(out, "could not be started: its entrypoint %.200s is not in the image", run->command);
    else if (ending == ENDED_ENGINE)
        buffer_printf(out, "could not be started by %s", engine);
    else
        buffer_printf(out, "could not be started: its entrypoint %.200s is no program that can be run",
                      run->command);
    return true;
}

bool oci_run_hopeless(int status, const char *logs)
{
    enum ending ending = ending_of(status, logs);
    return ending == ENDED_NO_COMMAND || ending == ENDED_CANNOT_RUN;
}
