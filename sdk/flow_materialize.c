#include "flow.h"

#include <assert.h>

/* A destination that speaks Flow's materialize protocol: what comes before a session. */

static struct slice keep(struct arena *arena, struct buffer *text)
{
    struct slice copy = {arena_dup(arena, text->data, text->size), text->size};
    buffer_done(text);
    return copy;
}

static int answer_spec(struct flow *flow)
{
    const char *url = flow->class_->documentation_url;
    struct buffer config, resource;
    buffer_init(&config, BUFFER_UNLIMITED);
    buffer_init(&resource, BUFFER_UNLIMITED);
    sdk_spec_write_flow(&config, flow->class_);
    flow_resource_schema(&resource, flow->class_);
    const struct flow_materialize_response response = {
        .type = FLOW_MATERIALIZE_SPEC_RESPONSE,
        .spec = {.protocol = FLOW_PROTOCOL_VERSION,
                 .raw_config_schema = keep(&flow->arena, &config),
                 .raw_resource_config_schema = keep(&flow->arena, &resource),
                 .documentation_url = slice_of(url ? url : "")}};
    flow_materialize_write_response(&flow->host->out, &response);
    return 0;
}

/* --- validate ------------------------------------------------------------------------------------------ */

static int validate_binding(struct flow *flow, const void *config,
                            const struct flow_materialize_validate_binding *binding,
                            struct flow_validated_binding *ret_validated, struct firth_error *err)
{
    const struct firth_destination *class_ = &flow->class_->destination;
    struct firth_target target;
    struct error library_err;
    if (flow_target_offered(binding, !class_->load, &flow->arena, &target, &library_err) < 0)
        return sdk_error(err, &library_err);
    struct firth_constraint *constraints = flow_target_propose(class_, &target, &flow->arena);
    unsigned proposed = target.sync_mode;
    if (class_->validate && class_->validate(flow->host, config, &target, constraints, err) < 0)
        return -1;
    if (target.sync_mode != proposed && target.sync_mode != FIRTH_APPEND)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM,
                          "%s asks for a sync mode of %s other than to append, which it was not offered",
                          flow->class_->name, target.name);
    *ret_validated = (struct flow_validated_binding){
        .resource_path = flow_target_path(&target, &flow->arena),
        .delta_updates = target.sync_mode == FIRTH_APPEND,
        .case_insensitive_fields = class_->folds_case,
        .projection_constraints = flow_target_constraints(&target, constraints, &flow->arena)};
    return 0;
}

static int answer_validate(struct flow *flow, const struct flow_materialize_validate *request,
                           struct firth_error *err)
{
    size_t count = request->bindings.count;
    struct flow_validated_binding *validated = arena_zalloc(&flow->arena, (count + 1) * sizeof *validated);
    void *config;
    if (flow_read_config(flow, request->raw_config, true, &config, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (validate_binding(flow, config, &request->bindings.items[i], &validated[i], err) < 0)
            return -1;
    }
    const struct flow_materialize_response response = {.type = FLOW_MATERIALIZE_VALIDATED,
                                                       .validated = {{validated, count}}};
    flow_materialize_write_response(&flow->host->out, &response);
    return 0;
}

/* --- apply ---------------------------------------------------------------------------------------------- */

static bool same_path(struct flow_texts a, struct flow_texts b)
{
    bool same = a.count == b.count;
    for (size_t i = 0; i < a.count && same; i++)
        same = slice_equal(a.items[i], b.items[i]);
    return same;
}

static const struct flow_materialize_binding *find_path(const struct flow_materialize_bindings *bindings,
                                                        struct flow_texts path)
{
    for (size_t i = 0; i < bindings->count; i++) {
        if (same_path(bindings->items[i].resource_path, path))
            return &bindings->items[i];
    }
    return NULL;
}

/* Another backfill of what was there before means: from the beginning. So it does of one that was out for a
 * while: its table was left as it was. */
static bool is_anew(const struct flow_materialize_binding *binding, const struct flow_materialize_spec *last)
{
    if (!last)
        return false;
    const struct flow_materialize_binding *was = find_path(&last->bindings, binding->resource_path);
    if (!was)
        was = find_path(&last->inactive_bindings, binding->resource_path);
    return was && was->backfill != binding->backfill;
}

int flow_targets_read(struct flow *flow, const struct flow_materialize_spec *spec,
                      struct firth_target **ret_targets, struct firth_error *err)
{
    struct error library_err;
    struct firth_target *targets = arena_zalloc(&flow->arena, (spec->bindings.count + 1) * sizeof *targets);
    for (size_t i = 0; i < spec->bindings.count; i++) {
        if (flow_target_selected(&spec->bindings.items[i], &flow->arena, &targets[i], &library_err) < 0)
            return sdk_error(err, &library_err);
        if (targets[i].sync_mode != FIRTH_APPEND && !flow->class_->destination.load)
            return firth_fail(err, FIRTH_FAILURE_CONFIG,
                              "%s only takes delta updates, and says so when it validates: %s must have them",
                              flow->class_->name, targets[i].name);
    }
    flow->host->task = arena_strndup(&flow->arena, spec->name.size ? spec->name.data : "", spec->name.size);
    *ret_targets = targets;
    return 0;
}

static int answer_apply(struct flow *flow, const struct flow_materialize_apply *request,
                        struct firth_error *err)
{
    struct firth_target *targets = NULL;
    void *config;
    if (!request->materialization)
        return flow_out_of_place(flow, "apply", "has no 'materialization'", err);
    const struct flow_materialize_bindings *bindings = &request->materialization->bindings;
    if (flow_read_config(flow, request->materialization->raw_config, false, &config, err) < 0 ||
        flow_targets_read(flow, request->materialization, &targets, err) < 0)
        return -1;
    assert(targets);
    for (size_t i = 0; i < bindings->count; i++)
        targets[i].anew = is_anew(&bindings->items[i], request->last_materialization);
    if (sdk_apply(flow->host, config, targets, bindings->count, err) < 0)
        return -1;
    const struct flow_materialize_response response = {
        .type = FLOW_MATERIALIZE_APPLIED,
        .applied = {.action_description = {flow->host->did.data, flow->host->did.size}}};
    flow_materialize_write_response(&flow->host->out, &response);
    return 0;
}

/* --- requests ---------------------------------------------------------------------------------------------
 */

int flow_materialize_answer(struct flow *flow, bool *ret_session, struct firth_error *err)
{
    struct flow_materialize_request request;
    struct error library_err;
    if (flow_materialize_read_request(&flow->line, &flow->arena, &request, &library_err) < 0)
        return flow_bad_line(flow, &library_err, err);
    switch (request.type) {
    case FLOW_MATERIALIZE_SPEC:
        return answer_spec(flow);
    case FLOW_MATERIALIZE_VALIDATE:
        return answer_validate(flow, &request.validate, err);
    case FLOW_MATERIALIZE_APPLY:
        return answer_apply(flow, &request.apply, err);
    case FLOW_MATERIALIZE_OPEN:
        *ret_session = true;
        return flow_materialize_session(flow, &request.open, err);
    default:
        return flow_out_of_place(flow, flow_materialize_request_name(request.type), "came before 'open'",
                                 err);
    }
}
