#include "cli/run_image.h"

#include "base/file.h"
#include "cli/output.h"
#include "connector/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    FILE_MAX = 64 << 20,     /* of a config, catalog or state */
    INPUT_CHUNK = 64 << 10,  /* read from our stdin at once */
    INPUT_WAITING = 1 << 20, /* not read by the connector yet: then ours is not read either */
};

struct relay {
    struct connector_process *process;
    struct output output;
    int signals;
    bool input_open;
};

/* --- the ends ------------------------------------------------------------------------------------- */

static void on_log(void *context, enum log_level level, struct slice line)
{
    auto_free char *text = mem_printf("%.*s\n", SLICE_ARGS(line));
    struct error unused;
    (void)context, (void)level;
    (void)file_write_all(STDERR_FILENO, text, strlen(text), "standard error", &unused);
}

static void take_input(struct relay *relay)
{
    char bytes[INPUT_CHUNK];
    ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);
    if (size > 0) {
        connector_send(relay->process, (struct slice){bytes, (size_t)size});
    } else if (size == 0 || (errno != EINTR && errno != EAGAIN)) {
        relay->input_open = false;
        connector_finish_input(relay->process);
    }
}

static void take_lines(struct relay *relay)
{
    struct slice line;
    while (connector_next_line(relay->process, &line)) {
        output_write(&relay->output, line.data, line.size);
        output_write(&relay->output, "\n", 1);
    }
    output_flush(&relay->output);
    if (output_failed(&relay->output))
        connector_stop(relay->process);
}

/* --- the loop ------------------------------------------------------------------------------------- */

/* The first signal asks it to stop, the second ends it. */
static void take_signals(struct relay *relay, bool *stopping)
{
    struct signalfd_siginfo info;
    while (read(relay->signals, &info, sizeof info) == sizeof info) {
        if (*stopping)
            connector_kill(relay->process);
        else
            connector_stop(relay->process);
        *stopping = true;
    }
}

static int loop(struct relay *relay, bool *stopping, struct error *err)
{
    while (!connector_exited(relay->process)) {
        struct pollfd fds[6];
        size_t count = connector_pollfds(relay->process, fds);
        fds[count++] = (struct pollfd){relay->signals, POLLIN, 0};
        bool room = relay->input_open && connector_pending_input(relay->process) < INPUT_WAITING;
        if (room)
            fds[count++] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
        poll(fds, count, connector_timeout_ms(relay->process));
        take_signals(relay, stopping);
        if (room && fds[count - 1].revents)
            take_input(relay);
        if (connector_service(relay->process, err) < 0)
            return -1;
        take_lines(relay);
    }
    return 0;
}

static int open_signals(struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? error_errno(err, errno, "cannot open a signalfd") : fd;
}

static int converse(struct cli *cli, const struct connector_program *program, const struct run_image *what,
                    const struct connector_files *files, struct error *err)
{
    bool with_stdin = !what->verb || strcmp(what->verb, "write") == 0, stopping = false;
    auto_close int signals = open_signals(err);
    if (signals < 0)
        return cli_fail(cli, err);
    struct relay relay = {.signals = signals, .input_open = with_stdin};
    relay.process = connector_start(program, what->verb, files, with_stdin, NULL, on_log, NULL, err);
    if (!relay.process)
        return cli_fail(cli, err);
    output_init(&relay.output, STDOUT_FILENO);
    output_mind_reader(&relay.output);
    int result = loop(&relay, &stopping, err);
    if (result == 0)
        result = connector_result(relay.process, err);
    connector_free(relay.process);
    int code = result == 0 ? CLI_OK : stopping ? CLI_INTERRUPTED : cli_fail(cli, err);
    return output_finish(&relay.output, cli, code);
}

/* --- the command ---------------------------------------------------------------------------------- */

static int read_file(const char *path, struct buffer *content, struct slice *ret_text, struct error *err)
{
    if (!path)
        return 0;
    if (file_read(path, FILE_MAX, content, err) < 0)
        return -1;
    *ret_text = (struct slice){content->data ? content->data : "", content->size};
    return 0;
}

static int check_verb(const struct connector_program *program, const struct run_image *what,
                      struct error *err)
{
    bool flow = program->protocol == CONNECTOR_FLOW;
    if (flow && what->verb)
        return error_set(
            err, ERROR_INVALID,
            "%s speaks Flow's protocol, which has no verbs: leave '%.40s' away and write requests to its "
            "standard input",
            what->image, what->verb);
    if (!flow && !what->verb)
        return error_set(err, ERROR_INVALID, "%s needs a verb: spec, check, discover, read or write",
                         what->image);
    return 0;
}

static int run_program(struct cli *cli, const struct connector_program *program, const struct run_image *what)
{
    struct error err;
    struct connector_files files = {0};
    struct buffer config, catalog, state;
    if (check_verb(program, what, &err) < 0)
        return cli_usage(cli, &err);
    buffer_init(&config, FILE_MAX + 1);
    buffer_init(&catalog, FILE_MAX + 1);
    buffer_init(&state, FILE_MAX + 1);
    int code = read_file(what->config, &config, &files.config, &err) < 0 ||
                       read_file(what->catalog, &catalog, &files.catalog, &err) < 0 ||
                       read_file(what->state, &state, &files.state, &err) < 0
                   ? cli_fail(cli, &err)
                   : converse(cli, program, what, &files, &err);
    buffer_done(&config);
    buffer_done(&catalog);
    buffer_done(&state);
    return code;
}

int run_image(struct cli *cli, const struct run_image *what)
{
    struct connector_spec wanted = {.image = what->image, .protocol = CONNECTOR_AIRBYTE};
    struct connector_program program;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    int code = connector_resolve(cli->built_ins, &wanted, &arena, &program, &err) < 0
                   ? cli_fail(cli, &err)
                   : run_program(cli, &program, what);
    arena_done(&arena);
    return code;
}
