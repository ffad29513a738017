#include "connector/command_line.h"

static int add_word(struct connector_command_line *line, const char *word, struct error *err)
{
    if (line->count == CONNECTOR_WORDS_MAX)
        return error_set(err, ERROR_LIMIT, "a connector's command has more than %d words",
                         CONNECTOR_WORDS_MAX);
    line->words[line->count++] = word;
    return 0;
}

static bool has_files(const struct connector_files *files)
{
    return files && files->config.size + files->catalog.size + files->state.size > 0;
}

/* A container's user may be anybody, so there the files are readable by all, in a folder of their own; that
 * folder lies in the private one, which keeps everybody else on this machine out. */
static int add_file(struct connector_command_line *line, struct connector_process *process,
                    const char *option, const char *name, struct slice content, struct error *err)
{
    char *path;
    if (content.size == 0)
        return 0;
    const char *in_folder =
        process->container ? arena_printf(&line->arena, CONNECTOR_FOLDER_SHARED "/%s", name) : name;
    if (connector_folder_put(&process->folder, in_folder, process->container ? 0444 : 0600, content, &path,
                             err) < 0)
        return -1;
    const char *word = process->container ? arena_printf(&line->arena, OCI_FILES "/%s", name)
                                          : arena_strdup(&line->arena, path);
    free(path);
    return add_word(line, option, err) < 0 ? -1 : add_word(line, word, err);
}

static int begin_container(struct connector_command_line *line, struct connector_process *process,
                           const struct connector_program *program, bool with_files, struct error *err)
{
    struct buffer variables;
    char *path = NULL, *shared = NULL;
    buffer_init(&variables, BUFFER_UNLIMITED);
    int result = oci_run_variables(program->env, &variables, err);
    if (result == 0)
        result = connector_folder_put(&process->folder, "environment", 0600,
                                      (struct slice){variables.data ? variables.data : "", variables.size},
                                      &path, err);
    if (result == 0 && with_files)
        result = connector_folder_share(&process->folder, &shared, err);
    if (result == 0)
        result = oci_run_words(process->container, program, shared, path, &line->arena, line->words,
                               CONNECTOR_WORDS_MAX, err);
    if (result >= 0)
        line->count = (size_t)result;
    if (variables.data)
        explicit_bzero(variables.data, variables.size);
    buffer_done(&variables);
    free(path);
    free(shared);
    return result < 0 ? -1 : 0;
}

static int build(struct connector_command_line *line, struct connector_process *process,
                 const struct connector_program *program, const char *verb,
                 const struct connector_files *files, struct error *err)
{
    bool with_files = has_files(files) || program->manifest.size > 0;
    if ((with_files || process->container) && connector_folder_make(&process->folder, err) < 0)
        return -1;
    if (process->container && begin_container(line, process, program, with_files, err) < 0)
        return -1;
    for (size_t i = 0; !process->container && program->argv[i]; i++)
        if (add_word(line, program->argv[i], err) < 0)
            return -1;
    if (verb && add_word(line, verb, err) < 0)
        return -1;
    if (add_file(line, process, "--manifest-path", "manifest.json", program->manifest, err) < 0)
        return -1;
    if (files && (add_file(line, process, "--config", "config.json", files->config, err) < 0 ||
                  add_file(line, process, "--catalog", "catalog.json", files->catalog, err) < 0 ||
                  add_file(line, process, "--state", "state.json", files->state, err) < 0))
        return -1;
    line->words[line->count] = NULL;
    return 0;
}

int connector_command_line_init(struct connector_command_line *line, struct connector_process *process,
                                const struct connector_program *program, const char *verb,
                                const struct connector_files *files, struct error *err)
{
    line->count = 0;
    arena_init(&line->arena);
    return build(line, process, program, verb, files, err);
}

void connector_command_line_done(struct connector_command_line *line)
{
    arena_done(&line->arena);
}
