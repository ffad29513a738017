/* `firth logs`: what the daemon keeps of what tasks said. */
#include "cli/columns.h"
#include "cli/data_dir.h"
#include "cli/deployed.h"
#include "cli/output.h"
#include "supervisor/log_reader.h"
#include "json/json.h"
#include "json/writer.h"

#include "base/file.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

struct logs_options {
    bool follow;
    const char *since;
    int level; /* index in `levels` */
};

static const char *const levels[] = {"trace", "debug", "info", "warn", "error", NULL};

enum { WHEN_SIZE = 25, SINCE_MAX_DAYS = 3650 };

/* A task's log, and its line that comes next. */
struct source {
    const char *task;
    struct log_reader *reader;
    bool has_line;
    struct json line;
    char when[WHEN_SIZE]; /* its time, RFC 3339: sorts as text */
    enum log_level level;
    struct json_parser *parser;
};

struct logs {
    const struct cli *cli;
    char *data_dir;
    struct output output;
    struct arena arena; /* the tasks' names */
    struct arena line;  /* of one line */
    struct source *sources;
    size_t count, capacity;
    const char *only; /* a task's name, or NULL: all */
    char since[WHEN_SIZE];
    int64_t since_ms;
    int inotify; /* -1: not following */
};

/* --- sources ------------------------------------------------------------------------------------- */

static void add_source(struct logs *logs, const char *task)
{
    for (size_t i = 0; i < logs->count; i++) {
        if (strcmp(logs->sources[i].task, task) == 0)
            return;
    }
    logs->sources = mem_grow(logs->sources, &logs->capacity, logs->count + 1, sizeof *logs->sources);
    logs->sources[logs->count++] =
        (struct source){.task = arena_strdup(&logs->arena, task),
                        .reader = log_reader_new(logs->data_dir, task, logs->since_ms),
                        .parser = json_parser_new((struct json_limits){.size_max = 1 << 20, .depth_max = 16},
                                                  JSON_DUPLICATES_LAST_WINS)};
}

/* The tasks that are deployed; with one that was named, that alone. */
static int find_sources(struct logs *logs, struct error *err)
{
    struct deployed deployed;
    int result = deployed_load(logs->data_dir, &deployed, err);
    const char **names = mem_zalloc((deployed.count + 1) * sizeof *names);
    bool found = false;
    for (size_t i = 0; i < deployed.count && result == 0; i++) {
        names[i] = deployed.tasks[i].row.name;
        found |= logs->only && strcmp(names[i], logs->only) == 0;
        if (!logs->only)
            add_source(logs, names[i]);
    }
    if (result == 0 && logs->only && found)
        add_source(logs, logs->only);
    else if (result == 0 && logs->only)
        result = deployed_unknown(logs->only, names, deployed.count, logs->data_dir, err);
    free(names);
    deployed_done(&deployed);
    return result;
}

/* --- lines --------------------------------------------------------------------------------------- */

static bool wanted(const struct logs *logs, const struct source *source)
{
    const struct logs_options *options = logs->cli->options;
    return source->level >= (enum log_level)options->level && strcmp(source->when, logs->since) >= 0;
}

/* The next line that is whole and wanted. What is no line of ours, half a one before a crash, is passed over.
 */
static int advance(struct logs *logs, struct source *source, struct error *err)
{
    struct slice text;
    struct error broken;
    int got = 0;
    while (!source->has_line && (got = log_reader_next(source->reader, &text, err)) > 0) {
        arena_clear(&logs->line);
        if (json_parse(source->parser, text.data, text.size, &source->line, &broken) < 0)
            continue;
        const char *when = json_cstring(&source->line, json_get(&source->line, 0, "ts"), &logs->line);
        const char *level = json_cstring(&source->line, json_get(&source->line, 0, "level"), &logs->line);
        if (!when || !level || log_level_parse(level) < 0)
            continue;
        snprintf(source->when, sizeof source->when, "%s", when);
        source->level = (enum log_level)log_level_parse(level);
        source->has_line = wanted(logs, source);
    }
    return got < 0 ? -1 : 0;
}

static const char *member(const struct source *source, const char *name, struct arena *arena)
{
    uint32_t at = json_get(&source->line, 0, name);
    return json_is(&source->line, at, JSON_STRING) ? json_cstring(&source->line, at, arena) : NULL;
}

/* "2026-11-21 15:28:26.106  warn   acmeCo/a  source-x: the message" */
static void print_text(struct logs *logs, const struct source *source)
{
    static const char *const colors[LOG_LEVEL_MAX] = {
        [LOG_TRACE] = "\033[2m", [LOG_DEBUG] = "\033[2m", [LOG_WARN] = "\033[33m", [LOG_ERROR] = "\033[31m"};
    const char *color = logs->cli->terminal && colors[source->level] ? colors[source->level] : "";
    const char *origin = member(source, "origin", &logs->line),
               *message = member(source, "message", &logs->line);
    struct buffer line;
    buffer_init(&line, BUFFER_UNLIMITED);
    buffer_printf(&line, "%.10s %.12s  %s%-5s%s  ", source->when, source->when + 11, color,
                  log_level_name(source->level), *color ? "\033[0m" : "");
    if (!logs->only)
        buffer_printf(&line, "%s  ", source->task);
    if (origin && strcmp(origin, "task") != 0) {
        text_append_printable(&line, origin, strlen(origin));
        buffer_str(&line, ": ");
    }
    if (message)
        text_append_printable_indented(&line, message, strlen(message));
    buffer_byte(&line, '\n');
    output_write(&logs->output, line.data, line.size);
    buffer_done(&line);
}

/* The line as it lies there, with its task. */
static void print_json(struct logs *logs, const struct source *source)
{
    struct slice raw = json_raw(&source->line, 0);
    struct buffer line;
    buffer_init(&line, BUFFER_UNLIMITED);
    buffer_str(&line, "{\"task\":");
    json_escape(&line, slice_of(source->task));
    buffer_byte(&line, ',');
    buffer_append(&line, raw.data + 1, raw.size - 1);
    buffer_byte(&line, '\n');
    output_write(&logs->output, line.data, line.size);
    buffer_done(&line);
}

/* Everything that is there now, by time. */
static int print_all(struct logs *logs, struct error *err)
{
    for (size_t i = 0; i < logs->count; i++) {
        if (advance(logs, &logs->sources[i], err) < 0)
            return -1;
    }
    while (!output_failed(&logs->output)) {
        struct source *first = NULL;
        for (size_t i = 0; i < logs->count; i++) {
            struct source *source = &logs->sources[i];
            if (source->has_line && (!first || strcmp(source->when, first->when) < 0))
                first = source;
        }
        if (!first)
            return 0;
        arena_clear(&logs->line);
        (logs->cli->json ? print_json : print_text)(logs, first);
        first->has_line = false;
        if (advance(logs, first, err) < 0)
            return -1;
    }
    return 0;
}

/* --- following ----------------------------------------------------------------------------------- */

/* Files grow and come in the tasks' folders; folders come with a task's first line. */
static void watch(struct logs *logs)
{
    auto_free char *all = mem_printf("%s/logs", logs->data_dir);
    if (inotify_add_watch(logs->inotify, all, IN_CREATE | IN_MOVED_TO) < 0)
        inotify_add_watch(logs->inotify, logs->data_dir, IN_CREATE | IN_MOVED_TO);
    for (size_t i = 0; i < logs->count; i++) {
        /* One that is watched already is not watched twice. */
        (void)inotify_add_watch(logs->inotify, log_reader_folder(logs->sources[i].reader),
                                IN_MODIFY | IN_CREATE);
    }
}

/* *folders: a folder came, so a task may have. */
static int wait_for_more(struct logs *logs, bool *folders, struct error *err)
{
    char events[16 << 10] __attribute__((aligned(__alignof__(struct inotify_event))));
    struct pollfd fds[] = {{.fd = logs->inotify, .events = POLLIN}, {.fd = logs->output.fd}};
    output_flush(&logs->output);
    if (output_failed(&logs->output))
        return 0;
    while (poll(fds, 2, -1) < 0) {
        if (errno != EINTR)
            return error_errno(err, errno, "cannot wait for lines");
    }
    if (fds[1].revents & POLLERR)
        output_reader_gone();
    ssize_t got;
    while ((got = read(logs->inotify, events, sizeof events)) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const struct inotify_event *)(events + at);
            *folders |= (event->mask & (IN_ISDIR | IN_Q_OVERFLOW | IN_IGNORED)) != 0;
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
    return 0;
}

static int follow(struct logs *logs, struct error *err)
{
    while (!output_failed(&logs->output)) {
        bool folders = false;
        if (print_all(logs, err) < 0 || wait_for_more(logs, &folders, err) < 0)
            return -1;
        if (folders && find_sources(logs, err) < 0)
            return -1;
        if (folders)
            watch(logs);
    }
    return 0;
}

/* --- the whole ----------------------------------------------------------------------------------- */

static int read_since(struct logs *logs, const char *text, struct error *err)
{
    char shown[OPTION_SHOWN_MAX];
    uint64_t ms;
    if (!text)
        return 0;
    if (!string_to_duration_ms(text, &ms) || ms > (uint64_t)SINCE_MAX_DAYS * 86400000)
        return error_set(err, ERROR_INVALID,
                         "--since is '%s', but it must be a duration such as 90s, 15m, 1h or 2d",
                         option_show(text, shown));
    logs->since_ms = clock_wall_ms(&clock_system) - (int64_t)ms;
    clock_format_rfc3339(logs->since_ms, logs->since, sizeof logs->since);
    return 0;
}

static int print_logs(struct logs *logs, struct error *err)
{
    const struct logs_options *options = logs->cli->options;
    if (find_sources(logs, err) < 0)
        return -1;
    if (!options->follow)
        return print_all(logs, err);
    logs->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (logs->inotify < 0)
        return error_errno(err, errno, "cannot watch the logs");
    watch(logs);
    return follow(logs, err);
}

static void logs_done(struct logs *logs)
{
    for (size_t i = 0; i < logs->count; i++) {
        log_reader_free(logs->sources[i].reader);
        json_parser_free(logs->sources[i].parser);
    }
    free(logs->sources);
    free(logs->data_dir);
    if (logs->inotify >= 0)
        close(logs->inotify);
    arena_done(&logs->arena);
    arena_done(&logs->line);
}

static int run(struct cli *cli, int argc, char **argv)
{
    const struct logs_options *options = cli->options;
    struct error err;
    struct logs logs = {.cli = cli, .only = argc > 1 ? argv[1] : NULL, .inotify = -1};
    if (read_since(&logs, options->since, &err) < 0)
        return cli_usage(cli, &err);
    if (data_dir_check(cli, &err) < 0)
        return cli_fail(cli, &err);
    logs.data_dir = file_absolute(cli->data_dir);
    arena_init(&logs.arena);
    arena_init(&logs.line);
    output_init(&logs.output, STDOUT_FILENO);
    int result = print_logs(&logs, &err);
    int code = output_finish(&logs.output, cli, CLI_OK);
    logs_done(&logs);
    return result < 0 ? cli_fail(cli, &err) : code;
}

static const struct option_spec specs[] = {
    {.name = "follow",
     .letter = 'f',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct logs_options, follow),
     .help = "wait for more lines and print them as they come"},
    {.name = "since",
     .kind = OPTION_STRING,
     .offset = offsetof(struct logs_options, since),
     .value = "DURATION",
     .help = "only lines that are not older, such as 90s, 15m, 1h or 2d"},
    {.name = "level",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct logs_options, level),
     .value = "LEVEL",
     .help = "only lines of this level and above",
     .choices = levels},
    {0},
};

const struct command cli_logs = {
    .name = "logs",
    .arguments = "[TASK]",
    .summary = "print what the daemon's tasks said",
    .help =
        "Prints the logs that the daemon keeps, of one task or of all, by time: lines of the tasks and of\n"
        "their connectors, and the beginning and end of each session. With -o json each line is an object.\n"
        "What 'firth run' does is not in them.\n"
        "\n"
        "  firth logs acmeCo/orders --since 1h --level warn\n"
        "  firth logs --follow -o json | jq .message\n",
    .options = specs,
    .options_size = sizeof(struct logs_options),
    .operands_max = 1,
    .run = run,
};
