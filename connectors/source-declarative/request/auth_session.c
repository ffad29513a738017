/* SessionTokenAuthenticator: a request that logs in, whose answer has the token of all others. */
#include "auth.h"

#include "requester.h"
/* A login may be answered in XML: here alone this room reads a body as records' decoders do. */
#include "source-declarative/record/decoder.h"
#include "source-declarative/record/transform.h"

enum { SESSION_NEVER = 0 };

struct session_state {
    struct requester *login;
    struct decoder *decoder;
    struct component path;
    struct duration duration;
    bool has_duration;             /* else each request logs in anew, as in the CDK */
    struct request_option *option; /* NULL: a bearer token */
    struct expression token_text;
    struct arena arenas[2];
    unsigned turn;
    struct slice token;
    int64_t expires_ms;
    struct fiber_gate gate;
};

static void session_leave(void *context)
{
    struct session_state *session = context;
    arena_done(&session->arenas[0]);
    arena_done(&session->arenas[1]);
}

static int session_compile(struct authenticator *authenticator, struct error *err)
{
    struct engine *engine = authenticator->engine;
    struct component where = authenticator->where;
    struct session_state *session = authenticator->state = arena_zalloc(&engine->arena, sizeof *session);
    session->gate.max = 1;
    session->path = component_get(where, "session_token_path");
    engine_on_free(engine, session_leave, session);
    if (requester_compile(engine, component_get(where, "login_requester"), "login", &session->login, err) !=
            0 ||
        decoder_compile(engine, component_get(where, "decoder"), &session->decoder, err) != 0)
        return -1;
    struct slice duration = component_text(where, "expiration_duration");
    session->has_duration = duration.size > 0;
    if (session->has_duration && duration_parse(duration, &session->duration, err) != 0)
        return error_wrap(err, "expiration_duration"), component_error(err, where);
    struct component request = component_get(where, "request_authentication");
    if (!slice_is(component_text(request, "type"), "ApiKey"))
        return 0;
    return request_option_compile(engine, request, "inject_into", &session->option, err) == 0
               ? expression_compile(engine, request, "api_token", &session->token_text, err)
               : -1;
}

static int token_of(struct authenticator *authenticator, struct arena *arena, struct answer *answer,
                    struct slice *ret_token, struct error *err)
{
    struct session_state *session = authenticator->state;
    mem_auto(decoding_end) struct decoding *decoding = NULL;
    struct tvalue document, value;
    struct path path = component_path(authenticator->engine, session->path);
    if (decoding_begin(session->decoder, answer, &decoding, err) != 0)
        return error_wrap(err, "the answer to the login");
    int more = decoding_next(decoding, &document, err);
    if (more < 0)
        return error_wrap(err, "the answer to the login");
    int found = more ? value_get(arena, &document, path.segments, path.count, &value, err) : 0;
    if (found < 0)
        return error_wrap(err, "the answer to the login, session_token_path");
    if (found == 0 || value.kind == TVALUE_NONE) {
        struct slice name = path.count ? path.segments[path.count - 1] : SLICE_LITERAL("");
        return error_set(err, ERROR_CONNECTOR, "the answer to the login has no \"%.*s\" (session_token_path)",
                         SLICE_ARGS(name));
    }
    struct ttext text;
    ttext_init(&text, arena, 1 << 20);
    tvalue_str(&text, &value);
    *ret_token = ttext_slice_of(&text);
    return 0;
}

static int log_in(struct authenticator *authenticator, struct error *err)
{
    struct session_state *session = authenticator->state;
    struct engine *engine = authenticator->engine;
    struct request_call call = {.stream_slice = tvalue_none(), .next_page_token = tvalue_none()};
    mem_auto(answer_free) struct answer *answer = NULL;
    if (requester_send(session->login, &call, &answer, err) != 0)
        return error_wrap(err, "logging in");
    struct arena *arena = &session->arenas[session->turn ^= 1];
    arena_clear(arena);
    struct slice token = {0};
    if (token_of(authenticator, arena, answer, &token, err) != 0)
        return component_error(err, authenticator->where);
    session->token = (struct slice){arena_strndup(arena, token.data, token.size), token.size};
    engine_add_secret(engine, session->token);
    session->expires_ms = SESSION_NEVER;
    if (session->has_duration) {
        struct datetime now, end;
        if (datetime_of_timestamp((double)clock_wall_ms(engine->clock) / 1000, &now, err) != 0 ||
            duration_add(&now, &session->duration, 1, &end, err) != 0)
            return component_error(err, authenticator->where);
        session->expires_ms = datetime_utc(&end) / 1000;
    }
    return 0;
}

static bool is_valid(const struct session_state *session, const struct engine *engine)
{
    return session->has_duration && session->token.data && session->expires_ms > clock_wall_ms(engine->clock);
}

static int session_add(struct authenticator *authenticator, struct arena *arena, struct options *options,
                       struct error *err)
{
    struct session_state *session = authenticator->state;
    struct engine *engine = authenticator->engine;
    if (fiber_gate_enter(engine->fibers, &session->gate, err) != 0)
        return -1;
    int result = is_valid(session, engine) ? 0 : log_in(authenticator, err);
    struct slice token = {NULL, 0};
    if (result == 0)
        token = (struct slice){arena_strndup(arena, session->token.data, session->token.size),
                               session->token.size};
    fiber_gate_leave(&session->gate);
    if (result != 0)
        return -1;
    if (!session->option)
        return authenticator_put_bearer(options, token, err);
    struct scope scope;
    scope_init(&scope, engine);
    scope_set(&scope, "session_token", tvalue_string(token));
    if (!expression_is_absent(&session->token_text) &&
        expression_text(&session->token_text, &scope, arena, &token, err) != 0)
        return -1;
    return request_option_set(session->option, &scope, tvalue_string(token), options, err);
}

static int session_refresh(struct authenticator *authenticator, const struct prepared *sent,
                           struct error *err)
{
    (void)sent, (void)err;
    struct session_state *session = authenticator->state;
    session->expires_ms = SESSION_NEVER;
    return 0;
}

const struct authenticator_class authenticator_session = {
    .type = "SessionTokenAuthenticator",
    .compile = session_compile,
    .add = session_add,
    .refresh = session_refresh,
};
