#include "connector/oci_command.h"

#include "connector/process.h"

#include <signal.h>

struct listener {
    struct oci_answer *answer;
    void (*on_line)(void *context, struct slice line);
    void *context;
};

void oci_answer_init(struct oci_answer *answer, size_t out_max)
{
    buffer_init(&answer->out, out_max);
    buffer_init(&answer->err, OCI_COMMAND_ERR_MAX);
    answer->status = -1;
}

void oci_answer_done(struct oci_answer *answer)
{
    buffer_done(&answer->out);
    buffer_done(&answer->err);
}

static void take(struct listener *listener, struct buffer *into, struct slice line)
{
    buffer_append(into, line.data, line.size);
    buffer_byte(into, '\n');
    if (listener->on_line)
        listener->on_line(listener->context, line);
}

static void on_log(void *context, enum log_level level, struct slice line)
{
    struct listener *listener = context;
    (void)level;
    take(listener, &listener->answer->err, line);
}

static int converse(struct connector_process *process, struct listener *listener, struct error *err)
{
    while (!connector_exited(process)) {
        struct pollfd fds[4];
        struct slice line;
        size_t count = connector_pollfds(process, fds);
        poll(fds, count, connector_timeout_ms(process));
        if (connector_service(process, err) < 0)
            return -1;
        while (connector_next_line(process, &line))
            take(listener, &listener->answer->out, line);
    }
    return 0;
}

int oci_command(const char *const *argv, uint64_t silence_ms,
                void (*on_line)(void *context, struct slice line), void *context, struct oci_answer *answer,
                struct error *err)
{
    struct connector_limits limits = connector_limits_default;
    struct listener listener = {answer, on_line, context};
    const struct connector_program program = {.argv = argv, .label = argv[0], .folder = "/", .engine = true};
    limits.stall_ms = silence_ms;
    mem_auto(connector_free) struct connector_process *process =
        connector_start(&program, NULL, NULL, false, &limits, on_log, &listener, err);
    if (!process || converse(process, &listener, err) < 0)
        return -1;
    if (answer->out.overflowed)
        return error_set(err, ERROR_LIMIT, "%s %s wrote more than the limit of %zu bytes", argv[0], argv[1],
                         answer->out.max);
    answer->err.overflowed = false; /* its beginning is enough */
    answer->status = process->exit_code == CLD_EXITED ? process->exit_status : -1;
    return 0;
}
