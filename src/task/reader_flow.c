#include "task/reader_flow.h"

/* A capture connector that speaks Flow's protocol: its life from set-up to the last acknowledgement.
 *
 * It may stream for ever. A stop therefore does not wait for its end: no more is read, the sink commits what
 * checkpoints cover, the connector is told of that, and then goes (leave). A group that is cut by this, like
 * one that a failure cuts, is captured again. */

static const struct flow_reader *of_const(const struct task_reader *base)
{
    return (const struct flow_reader *)base;
}

/* Its output is taken to the last line, and it is gone. Not kept: whoever takes the last line, which may come
 * only at the end of the output, makes it true, and then nothing wakes the loop. */
static bool gone(const struct flow_reader *reader)
{
    return reader->process && connector_exited(reader->process);
}

/* It says nothing more, and hears that nothing more is said to it: some wait for that. */
static void hang_up(struct flow_reader *reader)
{
    if (connector_output_ended(reader->process))
        connector_finish_input(reader->process);
}

/* Documents come when the source has some; an answer is due only to `open`. */
static const char *due(const struct flow_reader *reader)
{
    return reader->phase == FLOW_PHASE_OPENING ? "the answer to 'open'" : NULL;
}

/* --- beginning ------------------------------------------------------------------------------------- */

static int open_reader(struct task_reader *base, struct error *err)
{
    return flow_setup_open(flow_reader_of(base), err);
}

static bool ready(const struct task_reader *base)
{
    return of_const(base)->phase == FLOW_PHASE_SET_UP;
}

static int start_session(struct flow_reader *reader, struct error *err)
{
    const struct task_spec *spec = reader->base.task->spec;
    const struct connector_files files = {.secrets = reader->base.task->secrets};
    struct buffer line;
    reader->phase = FLOW_PHASE_OPENING;
    reader->process = connector_start(&spec->source.program, NULL, &files, true, &spec->limits,
                                      flow_reader_on_log, reader, err);
    if (!reader->process)
        return -1;
    buffer_init(&line, BUFFER_UNLIMITED);
    flow_setup_write_open(reader, &line);
    connector_send(reader->process, (struct slice){line.data, line.size});
    explicit_bzero(line.data, line.size); /* the config is in it */
    buffer_done(&line);
    return 0;
}

/* What `apply` changed has to be durable before the session opens. */
static int begin(struct task_reader *base, struct error *err)
{
    struct flow_reader *reader = flow_reader_of(base);
    if (reader->applied.version) {
        reader->phase = FLOW_PHASE_APPLIED;
        return 0;
    }
    return start_session(reader, err);
}

static int next(struct task_reader *base, struct task_item *item, struct error *err)
{
    struct flow_reader *reader = flow_reader_of(base);
    if (reader->stopping)
        return 0;
    if (reader->phase == FLOW_PHASE_APPLIED) {
        reader->phase = FLOW_PHASE_COMMIT;
        *item = (struct task_item){.type = TASK_ITEM_CHECKPOINT, .flow = &reader->applied};
        return 1;
    }
    if (!reader->process)
        return 0;
    int got = flow_group_next(reader, item, err);
    hang_up(reader);
    return got;
}

/* --- polling --------------------------------------------------------------------------------------- */

static size_t pollfds(struct task_reader *base, struct pollfd *fds)
{
    struct flow_reader *reader = flow_reader_of(base);
    if (reader->call)
        return connector_flow_call_pollfds(reader->call, fds);
    return reader->process ? connector_pollfds(reader->process, fds) : 0;
}

static int shorter(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int left_ms(uint64_t since_ms, uint64_t limit_ms, uint64_t now_ms)
{
    return now_ms - since_ms < limit_ms ? (int)(limit_ms - (now_ms - since_ms)) : 0;
}

/* With `--once` a session is waited for that may never end: a source that streams changes does not. */
static bool may_have_no_end(const struct flow_reader *reader)
{
    return reader->base.task->spec->once && !reader->told_of_no_end && !reader->stopping &&
           reader->phase == FLOW_PHASE_READING;
}

static int timeout_ms(const struct task_reader *base)
{
    const struct flow_reader *reader = of_const(base);
    uint64_t now = task_report_now_ms(base->task->report);
    if (reader->call)
        return connector_flow_call_timeout_ms(reader->call);
    if (!reader->process || gone(reader))
        return -1;
    int timeout = connector_timeout_ms(reader->process);
    if (reader->input_since_ms)
        timeout = shorter(timeout, left_ms(reader->input_since_ms, FLOW_INPUT_STALL_MS, now));
    if (may_have_no_end(reader) && reader->heard_ms)
        timeout = shorter(timeout, left_ms(reader->heard_ms, FLOW_NO_END_MS, now));
    if (reader->leave_ms && !reader->told_to_go) /* nothing tells when it has read its input */
        timeout = shorter(timeout, FLOW_LEAVE_STEP_MS);
    return timeout;
}

/* A connector that asked for acknowledgements has to read them. */
static int check_input(struct flow_reader *reader, struct error *err)
{
    uint64_t now = task_report_now_ms(reader->base.task->report);
    if (reader->phase != FLOW_PHASE_READING || connector_pending_input(reader->process) == 0)
        reader->input_since_ms = 0;
    else if (reader->input_since_ms == 0)
        reader->input_since_ms = now ? now : 1;
    else if (now - reader->input_since_ms >= FLOW_INPUT_STALL_MS)
        return error_set(err, ERROR_CONNECTOR,
                         "%s asked for acknowledgements, but has not read its input for %d s",
                         reader->base.label, FLOW_INPUT_STALL_MS / 1000);
    return 0;
}

static void tell_of_no_end(struct flow_reader *reader)
{
    uint64_t now = task_report_now_ms(reader->base.task->report);
    if (!may_have_no_end(reader))
        return;
    if (reader->heard_ms == 0)
        reader->heard_ms = now ? now : 1;
    if (now - reader->heard_ms < FLOW_NO_END_MS)
        return;
    reader->told_of_no_end = true;
    task_report_logf(
        reader->base.task->report, LOG_INFO,
        "nothing new for %d s, and %s runs on: a source that streams changes never ends by itself, "
        "and --once waits for its end. Ctrl-C stops it, and what it has committed is kept; run it "
        "without --once, or take other tasks with --task",
        FLOW_NO_END_MS / 1000, reader->base.label);
}

static int service(struct task_reader *base, struct error *err)
{
    struct flow_reader *reader = flow_reader_of(base);
    if (reader->call)
        return flow_setup_service(reader, err);
    if (!reader->process || gone(reader))
        return 0;
    connector_expect(reader->process, due(reader));
    if (connector_service(reader->process, err) < 0)
        return -1;
    hang_up(reader);
    tell_of_no_end(reader);
    return gone(reader) ? 0 : check_input(reader, err);
}

/* --- acknowledgements ------------------------------------------------------------------------------ */

static int acknowledge(struct task_reader *base, uint64_t checkpoints, struct error *err)
{
    struct flow_reader *reader = flow_reader_of(base);
    if (reader->phase == FLOW_PHASE_COMMIT) {
        checkpoints--; /* ours, of what was applied */
        if (!reader->stopping && start_session(reader, err) < 0)
            return -1;
    }
    reader->acknowledged += checkpoints;
    if (checkpoints == 0 || !reader->explicit_acknowledgements || !reader->process ||
        connector_output_ended(reader->process))
        return 0;
    struct buffer line;
    buffer_init(&line, BUFFER_UNLIMITED);
    while (checkpoints) {
        uint32_t count = checkpoints > UINT32_MAX ? UINT32_MAX : (uint32_t)checkpoints;
        const struct flow_capture_request request = {.type = FLOW_CAPTURE_ACKNOWLEDGE,
                                                     .acknowledge = {count}};
        flow_capture_write_request(&line, &request);
        checkpoints -= count;
    }
    connector_send(reader->process, (struct slice){line.data, line.size});
    buffer_done(&line);
    return 0;
}

/* --- the end --------------------------------------------------------------------------------------- */

static bool ended(const struct task_reader *base)
{
    return gone(of_const(base)) || of_const(base)->stopping;
}

static int result(struct task_reader *base, struct error *err)
{
    struct flow_reader *reader = flow_reader_of(base);
    if (reader->stopping)
        return 0;
    if (flow_group_result(reader, err) < 0)
        return -1;
    for (size_t i = 0; i < base->task->binding_count; i++)
        base->task->progress[i].complete = true; /* it has read all that there is */
    return 0;
}

static void stop(struct task_reader *base)
{
    flow_reader_of(base)->stopping = true;
}

/* It reads the last acknowledgement if it does so soon, and is told to go. What it still says is dropped, but
 * for a config that it changes: what that replaces may be used up. */
static bool leave(struct task_reader *base)
{
    struct flow_reader *reader = flow_reader_of(base);
    if (reader->process)
        flow_group_leave(reader);
    if (!reader->process || gone(reader))
        return true;
    uint64_t now = task_report_now_ms(base->task->report);
    reader->phase = FLOW_PHASE_COMMIT; /* its input's pace does not matter any more */
    if (reader->leave_ms == 0)
        reader->leave_ms = now ? now : 1;
    if (connector_unread_input(reader->process) == 0 || now - reader->leave_ms >= FLOW_LEAVE_INPUT_MS) {
        connector_stop(reader->process);
        reader->told_to_go = true;
    }
    return false;
}

static void kill_reader(struct task_reader *base)
{
    struct flow_reader *reader = flow_reader_of(base);
    if (reader->process && !gone(reader))
        connector_kill(reader->process);
}

static void close_reader(struct task_reader *base)
{
    struct flow_reader *reader = flow_reader_of(base);
    connector_flow_call_free(reader->call);
    connector_free(reader->process);
    json_parser_free(reader->parser);
    arena_done(&reader->arena);
    arena_done(&reader->group.arena);
    free(reader);
}

struct task_reader *task_reader_flow_new(struct task *task)
{
    static const struct task_reader_class class = {
        .name = "flow capture",
        .open = open_reader,
        .ready = ready,
        .begin = begin,
        .pollfds = pollfds,
        .timeout_ms = timeout_ms,
        .service = service,
        .next = next,
        .ended = ended,
        .result = result,
        .acknowledge = acknowledge,
        .stop = stop,
        .leave = leave,
        .kill = kill_reader,
        .close = close_reader,
    };
    struct flow_reader *reader = mem_zalloc(sizeof *reader);
    reader->base =
        (struct task_reader){.class = &class, .task = task, .label = task->spec->source.program.label};
    reader->parser = json_parser_new((struct json_limits){.size_max = (uint32_t)task->spec->limits.line_max,
                                                          .depth_max = JSON_LIMITS_DEFAULT.depth_max},
                                     JSON_DUPLICATES_LAST_WINS);
    arena_init(&reader->arena);
    arena_init(&reader->group.arena);
    return &reader->base;
}
