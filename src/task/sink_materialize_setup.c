#include "task/marks.h"
#include "task/sink_materialize.h"

/* Before a session: spec, validate and apply, each a process of its own, asked only if the specification is
 * not the one that was applied last; then the session's connector is started and opened, and says from where
 * it wants to go on. */

void materialize_on_log(void *context, enum log_level level, struct slice line)
{
    struct materialize_sink *sink = context;
    task_report_log(sink->base.task->report, level, sink->base.label, line);
}

static struct slice state_text(struct materialize_sink *sink)
{
    struct task *task = sink->base.task;
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    flow_state_write(task->checkpoint.flow.state, &text);
    struct slice copy = {arena_dup(&task->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

/* --- asking ---------------------------------------------------------------------------------------- */

static struct flow_materialize_request make_question(struct materialize_sink *sink,
                                                     enum materialize_step step)
{
    const struct task_spec *spec = sink->base.task->spec;
    if (step == MATERIALIZE_ASK_SPEC)
        return (struct flow_materialize_request){
            .type = FLOW_MATERIALIZE_SPEC,
            .spec = {spec->destination.image ? FLOW_MATERIALIZE_IMAGE : FLOW_MATERIALIZE_LOCAL,
                     spec->destination.config}};
    if (step == MATERIALIZE_ASK_VALIDATE)
        return materialize_plan_validate(sink);
    return (struct flow_materialize_request){.type = FLOW_MATERIALIZE_APPLY,
                                             .apply = {.materialization = &sink->spec,
                                                       .version = slice_of(sink->version),
                                                       .last_materialization = sink->last.spec,
                                                       .last_version = sink->last.version,
                                                       .raw_state = state_text(sink)}};
}

static int ask(struct materialize_sink *sink, enum materialize_step step, struct error *err)
{
    static const enum flow_materialize_response_type answers[] = {
        [MATERIALIZE_ASK_SPEC] = FLOW_MATERIALIZE_SPEC_RESPONSE,
        [MATERIALIZE_ASK_VALIDATE] = FLOW_MATERIALIZE_VALIDATED,
        [MATERIALIZE_ASK_APPLY] = FLOW_MATERIALIZE_APPLIED,
    };
    const struct task_spec *spec = sink->base.task->spec;
    struct flow_materialize_request request = make_question(sink, step);
    struct buffer line;
    buffer_init(&line, BUFFER_UNLIMITED);
    flow_materialize_write_request(&line, &request);
    const struct connector_flow_question question = {
        .verb = flow_materialize_request_name(request.type),
        .answer = flow_materialize_response_name(answers[step]),
        .request = {line.data, line.size},
        .secrets = step == MATERIALIZE_ASK_SPEC ? sink->base.task->all : sink->base.task->secrets,
    };
    sink->step = step;
    sink->call = connector_flow_call_start(&spec->destination.program, &question, &spec->limits,
                                           materialize_on_log, sink, err);
    explicit_bzero(line.data, line.size); /* the config is in it */
    buffer_done(&line);
    return sink->call ? 0 : -1;
}

/* --- the session's beginning ------------------------------------------------------------------------- */

static void name_sources(struct materialize_sink *sink)
{
    struct task *task = sink->base.task;
    sink->sources = arena_zalloc(&task->arena, (sink->enabled_count + 1) * sizeof *sink->sources);
    for (size_t i = 0; i < sink->enabled_count; i++)
        sink->sources[i] = (struct task_position_source){sink->planned[sink->enabled[i]].spec->collection,
                                                         sink->spec.bindings.items[i].journal_read_suffix};
    task->enabled = sink->enabled;
    task->enabled_count = sink->enabled_count;
}

/* A connector is not opened for nothing. */
static int end_at_once(struct materialize_sink *sink)
{
    task_report_logf(sink->base.task->report, LOG_WARN,
                     "every binding is disabled (onIncompatibleSchemaChange: disableBinding): nothing is "
                     "materialized until the catalog changes");
    sink->finished = true;
    return 0;
}

static int start_session(struct materialize_sink *sink, struct error *err)
{
    if (sink->enabled_count == 0)
        return end_at_once(sink);
    const struct task_spec *spec = sink->base.task->spec;
    const struct connector_files files = {.secrets = sink->base.task->secrets};
    const struct flow_range range = FLOW_RANGE_ALL;
    const struct flow_materialize_request request = {.type = FLOW_MATERIALIZE_OPEN,
                                                     .open = {.materialization = &sink->spec,
                                                              .version = slice_of(sink->version),
                                                              .range = &range,
                                                              .raw_state = state_text(sink)}};
    struct buffer line;
    name_sources(sink);
    sink->step = MATERIALIZE_SESSION;
    sink->process = connector_start(&spec->destination.program, NULL, &files, true, &spec->limits,
                                    materialize_on_log, sink, err);
    if (!sink->process)
        return -1;
    buffer_init(&line, BUFFER_UNLIMITED);
    flow_materialize_write_request(&line, &request);
    connector_send(sink->process, (struct slice){line.data, line.size});
    explicit_bzero(line.data, line.size);
    buffer_done(&line);
    return 0;
}

static int load_positions(struct materialize_sink *sink, struct slice json, struct error *err)
{
    const char *task = sink->base.task->spec->name;
    struct arena arena;
    struct json doc;
    arena_init(&arena);
    task_positions_init(&sink->positions, sink->sources, sink->enabled_count);
    int result = json.size == 0 ? 0 : json_parse_copy(&arena, json.data, json.size, &doc, err);
    if (result == 0 && json.size > 0 && sink->endpoint_authoritative)
        result = task_positions_check_owner(&sink->positions, task, &doc, 0, err);
    if (result == 0 && json.size > 0)
        result = task_positions_load(&sink->positions, &doc, 0, err);
    arena_done(&arena);
    return result;
}

/* An endpoint that keeps the runtime checkpoint in its own transaction knows best what it has: ours is
 * forgotten. */
int materialize_take_opened(struct materialize_sink *sink, const struct flow_materialize_opened *opened,
                            struct error *err)
{
    struct task *task = sink->base.task;
    struct slice saved = slice_of(task->checkpoint.materialize.positions);
    sink->endpoint_authoritative = opened->raw_runtime_checkpoint.size > 0;
    sink->load_optimization = !opened->disable_load_optimization;
    if (load_positions(sink, sink->endpoint_authoritative ? opened->raw_runtime_checkpoint : saved, err) < 0)
        return error_wrap(err, "%s", sink->endpoint_authoritative ? "'opened'" : "the checkpoint");
    if (sink->endpoint_authoritative)
        task_materialize_saved_set(&task->checkpoint.materialize.positions, opened->raw_runtime_checkpoint);
    task->positions = &sink->positions;
    sink->opened = true;
    return 0;
}

/* --- a refusal --------------------------------------------------------------------------------------- */

/* A connector refuses a table that exists, of a binding that is new to it, and cannot know why it is new. */
static int advise(struct materialize_sink *sink, struct error *err)
{
    if (sink->step == MATERIALIZE_ASK_VALIDATE)
        materialize_plan_advise(sink, err);
    if (err->code != ERROR_CONNECTOR || sink->step == MATERIALIZE_ASK_SPEC ||
        !strcasestr(err->message, "already exist"))
        return -1;
    auto_free char *said = mem_strdup(err->message);
    bool retriable = err->retriable;
    error_set(
        err, ERROR_CONNECTOR,
        sink->last.spec
            ? "%s\nThis task has not made it: bind another name, or drop what is there if nobody needs it"
            : "%s\nNothing was materialized from this data directory before, or it was emptied, or the task "
              "dropped, since: what "
              "the endpoint has is unknown here. Run with the data directory that it came from (--data-dir), "
              "or drop what is there and it is materialized anew; with connectors that replace a table for "
              "it, raising 'backfill' does the same",
        said);
    err->retriable = retriable;
    return -1;
}

/* --- answers --------------------------------------------------------------------------------------- */

static int take_spec(struct materialize_sink *sink, const struct flow_spec *spec, struct error *err)
{
    if (flow_protocol_check(spec->protocol, sink->base.label, err) < 0)
        return -1;
    task_marks_take(sink->base.task, TASK_DESTINATION, spec->raw_config_schema);
    if (materialize_plan_name(sink, spec->raw_resource_config_schema, err) < 0 ||
        materialize_plan_check(sink, err) < 0)
        return -1;
    return ask(sink, MATERIALIZE_ASK_VALIDATE, err);
}

static int take_validated(struct materialize_sink *sink, const struct flow_materialize_validated *validated,
                          struct error *err)
{
    int again = materialize_plan_take(sink, validated, err);
    if (again != 0)
        return again < 0 ? -1 : ask(sink, MATERIALIZE_ASK_VALIDATE, err);
    /* What the connector makes of it is known to the next session, whatever becomes of this one. */
    materialize_plan_begin(sink);
    return task_ledger_commit(&sink->ledger, err) < 0 ? -1 : ask(sink, MATERIALIZE_ASK_APPLY, err);
}

/* What was applied, and the state that came with it, is durable before the session opens. */
static int take_applied(struct materialize_sink *sink, const struct flow_applied *applied, struct error *err)
{
    struct task *task = sink->base.task;
    if (applied->action_description.size)
        task_report_log(task->report, LOG_INFO, sink->base.label, applied->action_description);
    const struct task_flow_item item = {.state = applied->state, .version = sink->version, .paths = "[]"};
    if (task_flow_saved_take(&task->checkpoint.flow, &item, err) < 0)
        return error_wrap(err, "%s: 'applied'", sink->base.label);
    materialize_plan_save(sink);
    return task_ledger_commit(&sink->ledger, err) < 0 ? -1 : start_session(sink, err);
}

int materialize_setup_open(struct materialize_sink *sink, struct error *err)
{
    if (materialize_plan_read(sink, err) < 0)
        return -1;
    bool known = task_marks_known(sink->base.task, TASK_DESTINATION);
    return known && materialize_plan_is_applied(sink) ? start_session(sink, err)
                                                      : ask(sink, MATERIALIZE_ASK_SPEC, err);
}

int materialize_setup_service(struct materialize_sink *sink, struct error *err)
{
    struct task *task = sink->base.task;
    int done = connector_flow_call_service(sink->call, err);
    if (done <= 0)
        return done < 0 ? advise(sink, err) : 0;
    struct json *line = arena_alloc(&task->arena, sizeof *line);
    struct flow_materialize_response response;
    if (connector_flow_call_answer(sink->call, &task->arena, line, err) < 0)
        return -1;
    if (flow_materialize_read_response(line, &task->arena, &response, err) < 0)
        return error_wrap(err, "%s", sink->base.label);
    connector_flow_call_free(sink->call);
    sink->call = NULL;
    switch (response.type) {
    case FLOW_MATERIALIZE_SPEC_RESPONSE:
        return take_spec(sink, &response.spec, err);
    case FLOW_MATERIALIZE_VALIDATED:
        return take_validated(sink, &response.validated, err);
    default:
        assert(response.type == FLOW_MATERIALIZE_APPLIED); /* the call has looked for it */
        return take_applied(sink, &response.applied, err);
    }
}
