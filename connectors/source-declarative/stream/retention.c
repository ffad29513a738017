/* StateDelegatingStream: which of its two streams a state is for. */
#include "cursor_parts.h"
#include "stream_parts.h"

bool cursor_reached(struct cursor *cursor, const struct json *state, uint32_t at, int64_t *ret_point)
{
    if (cursor->kind == CURSOR_NONE) {
        *ret_point = clock_wall_ms(cursor->engine->clock) * 1000;
        return json_is(state, at, JSON_OBJECT) &&
               json_get(state, at, "__ab_no_cursor_state_message") != JSON_NONE;
    }
    if (cursor->has_partitions && json_is(state, at, JSON_OBJECT))
        at = json_get(state, at, "state");
    if (cursor->kind != CURSOR_DATETIME || !json_is(state, at, JSON_OBJECT))
        return false;
    struct arena arena = {0};
    struct error ignored;
    struct point point = {0};
    uint32_t value = json_get_slice(state, at, cursor->field);
    struct tvalue reached = tvalue_json(&arena, state, value);
    bool known = value != JSON_NONE && tvalue_true(&reached) &&
                 cursor_parse(cursor, &arena, &reached, &point, &ignored) == 0;
    *ret_point = point.at;
    arena_done(&arena);
    return known;
}

/* Is what the state leads on from gone from the API already? A state that does not say when it is from
 * counts as old: better too much than too little. */
static int is_too_old(struct declared_stream *stream, struct slice state, bool *ret_old, struct error *err)
{
    struct engine *engine = stream->engine;
    struct arena *arena = &engine->arena;
    struct expression expression;
    struct scope scope;
    struct slice text = {NULL, 0};
    struct duration period;
    struct json doc;
    int64_t reached;
    *ret_old = false;
    scope_init(&scope, engine);
    if (expression_compile(engine, stream->where, "api_retention_period", &expression, err) != 0)
        return -1;
    if (!expression_is_absent(&expression) && expression_text(&expression, &scope, arena, &text, err) != 0)
        return -1;
    if (text.size == 0 || slice_is(text, "None"))
        return 0;
    if (duration_parse(text, &period, err) != 0) {
        error_wrap(err, "api_retention_period");
        return component_error(err, stream->where);
    }
    if (json_parse_copy(arena, state.data, state.size, &doc, err) != 0)
        return error_wrap(err, "the state of stream %s", stream->name);
    struct point now = {.at = clock_wall_ms(engine->clock) * 1000};
    int64_t oldest = point_add(now, &period, -1).at;
    bool known = cursor_reached(stream->full->cursor, &doc, 0, &reached) ||
                 cursor_reached(stream->incremental->cursor, &doc, 0, &reached);
    *ret_old = !known || reached < oldest;
    return 0;
}

int stream_delegate(struct declared_stream *stream, struct slice *state, struct error *err)
{
    bool old, none = state->size == 0 || slice_is(*state, "{}") || slice_is(*state, "null");
    stream->active = stream->full;
    if (none) {
        *state = (struct slice){NULL, 0};
        return 0;
    }
    if (is_too_old(stream, *state, &old, err) != 0)
        return -1;
    if (old) {
        engine_log(stream->engine, ENGINE_WARN,
                   "stream %s: its state is older than what the API keeps; it is read from the beginning",
                   stream->name);
        *state = (struct slice){NULL, 0};
        return 0;
    }
    stream->active = stream->incremental;
    return 0;
}
