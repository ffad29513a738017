/* firth discover: before anything is replaced: does the catalog load? what would change? who would see the
 * secrets? */
#include "base/file.h"
#include "cli/cmd_discover_files.h"
#include "cli/flow_check.h"
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the catalog as it will be --------------------------------------------------------------------- */

struct overlay {
    const struct edit_file *files;
    const char **names; /* of each, real_name */
    size_t count;
    size_t next; /* files are mostly read in the order that they are written in */
};

static char *real_name(const char *path)
{
    char *found = realpath(path, NULL);
    return found ? found : file_absolute(path);
}

static const char *identity(void *context, const char *absolute, struct arena *arena)
{
    (void)context;
    auto_free char *name = real_name(absolute);
    return arena_strdup(arena, name);
}

static int read_file(void *context, const char *path, size_t max, struct buffer *content, struct error *err)
{
    struct overlay *overlay = context;
    for (size_t tried = 0; tried < overlay->count; tried++) {
        size_t i = (overlay->next + tried) % overlay->count;
        if (strcmp(overlay->names[i], path) != 0)
            continue;
        overlay->next = i + 1;
        if (overlay->files[i].content.size > max)
            return error_set(err, ERROR_LIMIT, "%s is larger than %zu bytes", path, max);
        buffer_append(content, overlay->files[i].content.data, overlay->files[i].content.size);
        return 0;
    }
    return file_read(path, max, content, err);
}

/* Airbyte's connectors have said by `check` what they think of it; Flow's say it by `validate`. */
static int ask_connector(struct discovery *discovery, const struct catalog *catalog, struct error *err)
{
    const struct catalog_capture *capture = catalog_capture(catalog, discovery->name);
    if (discovery->program.protocol != CONNECTOR_FLOW || !capture)
        return 0;
    struct spinner *spinner = discovery->asks ? spinner_start("validating", discovery->color) : NULL;
    int result = flow_check_validate(&discovery->program, catalog, capture, json_raw(&discovery->spec, 0),
                                     discovery->cli->data_dir, err);
    if (spinner)
        spinner_stop(spinner, result == 0);
    discovery->refused = result < 0;
    return result < 0 && !discovery->asks ? error_wrap(err, "nothing was written") : result;
}

int discover_try(struct discovery *discovery, const struct edit_file *files, size_t count, struct error *err)
{
    struct overlay overlay = {.files = files, .count = count};
    overlay.names = arena_zalloc(&discovery->arena, (count + 1) * sizeof *overlay.names);
    for (size_t i = 0; i < count; i++)
        overlay.names[i] = identity(NULL, files[i].path, &discovery->arena);
    const struct catalog_files from = {identity, read_file, &overlay};
    const struct catalog_options options = {.files = &from};
    struct catalog_errors errors;
    catalog_errors_init(&errors);
    struct catalog *catalog = catalog_load(discovery->file, &options, &errors, err);
    catalog_errors_done(&errors);
    if (!catalog)
        return error_wrap(err, "nothing was written, since the catalog would not be right");
    int result = ask_connector(discovery, catalog, err);
    catalog_free(catalog);
    return result;
}

/* --- differences ----------------------------------------------------------------------------------- */

enum { LINES_MAX = 1500, SHOWN_MAX = 40 };

struct lines {
    struct slice items[LINES_MAX];
    size_t count;
};

static bool split(struct slice text, struct lines *lines)
{
    lines->count = 0;
    for (size_t at = 0; at < text.size;) {
        const char *end = memchr(text.data + at, '\n', text.size - at);
        size_t size = end ? (size_t)(end - text.data) - at : text.size - at;
        if (lines->count == LINES_MAX)
            return false;
        lines->items[lines->count++] = (struct slice){text.data + at, size};
        at += size + 1;
    }
    return true;
}

static void show_line(struct discovery *discovery, char sign, struct slice line, size_t *shown)
{
    if ((*shown)++ >= SHOWN_MAX)
        return;
    prompt_print(&discovery->prompt, "%s", !discovery->color ? "" : sign == '+' ? "\033[32m" : "\033[31m");
    auto_free char *text = mem_printf("%c %.*s", sign, SLICE_ARGS(line));
    prompt_paragraph(&discovery->prompt, text, 4);
    prompt_print(&discovery->prompt, "%s", discovery->color ? "\033[0m" : "");
}

void discover_show_difference(struct discovery *discovery, const char *name, struct slice before,
                              struct slice after)
{
    auto_free struct lines *old = mem_alloc(sizeof *old), *new = mem_alloc(sizeof *new);
    auto_free char *title = mem_printf("%s changes:", name);
    prompt_paragraph(&discovery->prompt, title, 2);
    if (!split(before, old) || !split(after, new)) {
        prompt_print(&discovery->prompt, "    (it has more lines than are shown)\n");
        return;
    }
    /* The longest common subsequence of what is left of both. */
    size_t rows = old->count + 1, columns = new->count + 1, shown = 0;
    auto_free uint16_t *length = mem_zalloc(rows * columns * sizeof *length);
    for (size_t i = old->count; i-- > 0;) {
        for (size_t j = new->count; j-- > 0;) {
            uint16_t down = length[(i + 1) * columns + j], right = length[i * columns + j + 1];
            length[i * columns + j] = slice_equal(old->items[i], new->items[j])
                                          ? (uint16_t)(length[(i + 1) * columns + j + 1] + 1)
                                      : down > right ? down
                                                     : right;
        }
    }
    for (size_t i = 0, j = 0; i < old->count || j < new->count;) {
        if (i < old->count && j < new->count &&slice_equal(old->items[i], new->items[j])) {
            i++;
            j++;
        } else if (j == new->count ||
                   (i < old->count && length[(i + 1) * columns + j] >= length[i * columns + j + 1])) {
            show_line(discovery, '-', old->items[i++], &shown);
        } else {
            show_line(discovery, '+', new->items[j++], &shown);
        }
    }
    if (shown > SHOWN_MAX)
        prompt_print(&discovery->prompt, "    … and %zu more line%s\n", shown - SHOWN_MAX,
                     shown == SHOWN_MAX + 1 ? "" : "s");
}

/* --- git ------------------------------------------------------------------------------------------- */

/* git's exit status; -1: there is no git. */
static int ask_git(char *const *words)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    int failed = posix_spawnp(&pid, "git", &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int append_ignore(struct discovery *discovery, struct error *err)
{
    enum { IGNORE_MAX = 1 << 20 };
    auto_free char *path = mem_printf("%s.gitignore", discovery->folder);
    struct buffer text;
    buffer_init(&text, IGNORE_MAX + CATALOG_NAME_MAX);
    int result = file_exists(path) ? file_read(path, IGNORE_MAX, &text, err) : 0;
    if (text.size && text.data[text.size - 1] != '\n')
        buffer_byte(&text, '\n');
    buffer_printf(&text, "/%s\n", discovery->config_name);
    if (result == 0)
        result = file_replace(path, text.data, text.size, 0644, err);
    buffer_done(&text);
    return result;
}

int discover_guard_config(struct discovery *discovery, struct error *err)
{
    char git[] = "git", in[] = "-C", check[] = "check-ignore", quiet[] = "-q", end[] = "--";
    auto_free char *folder = mem_strdup(*discovery->folder ? discovery->folder : ".");
    auto_free char *name = mem_strdup(discovery->config_name);
    char *const words[] = {git, in, folder, check, quiet, end, name, NULL};
    if (ask_git(words) != 1)
        return 0; /* ignored, or no work tree */
    if (!discovery->asks) {
        log_warn(&discovery->cli->log,
                 "%s is in a git work tree and not ignored; it may hold secrets: add it to .gitignore",
                 discovery->config_path);
        return 0;
    }
    auto_free char *question = mem_printf(
        "\n  %s may hold secrets, and git does not ignore it. Add it to .gitignore?", discovery->config_name);
    int wanted = prompt_yes(&discovery->prompt, question, true, err);
    return wanted < 0 ? -1 : wanted ? append_ignore(discovery, err) : 0;
}
