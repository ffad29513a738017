/* LegacySessionTokenAuthenticator: the session token of the config as long as the API takes it, which is
 * asked before each request, as in the CDK; else one that a name and a password give, for a day. */
#include "auth.h"

#include "url.h"

enum {
    LEGACY_ANSWER_MAX = 1 << 20, /* bytes */
    LEGACY_TOKEN_MS = 86400 * 1000,
};

struct legacy_state {
    struct expression url, header, token, key, username, password, login_url, validate_url;
    struct arena arena; /* of the token */
    struct slice made;  /* data NULL: none yet */
    int64_t made_ms;
    struct fiber_gate gate;
};

static void legacy_leave(void *context)
{
    arena_done(&((struct legacy_state *)context)->arena);
}

static int legacy_compile(struct authenticator *authenticator, struct error *err)
{
    struct engine *engine = authenticator->engine;
    struct component where = authenticator->where, requester = authenticator->requester;
    struct legacy_state *legacy = authenticator->state = arena_zalloc(&engine->arena, sizeof *legacy);
    const struct {
        const char *name;
        struct expression *into;
    } fields[] = {
        {"header", &legacy->header},
        {"session_token", &legacy->token},
        {"session_token_response_key", &legacy->key},
        {"username", &legacy->username},
        {"password", &legacy->password},
        {"login_url", &legacy->login_url},
        {"validate_session_url", &legacy->validate_url},
    };
    const char *base = component_is_none(component_get(requester, "url")) ? "url_base" : "url";
    legacy->gate.max = 1;
    engine_on_free(engine, legacy_leave, legacy);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (expression_compile(engine, where, fields[i].name, fields[i].into, err) != 0)
            return -1;
    }
    return expression_compile(engine, requester, base, &legacy->url, err);
}

static int text(struct authenticator *authenticator, const struct expression *expression, struct arena *arena,
                struct slice *ret_text, struct error *err)
{
    struct scope scope;
    scope_init(&scope, authenticator->engine);
    *ret_text = (struct slice){"", 0};
    return expression_is_absent(expression) ? 0 : expression_text(expression, &scope, arena, ret_text, err);
}

/* The requester's URL and this path, one behind the other as they are. */
static int url_of(struct authenticator *authenticator, const struct expression *path, struct arena *arena,
                  const char **ret_url, struct error *err)
{
    struct legacy_state *legacy = authenticator->state;
    struct slice base, rest, whole;
    struct tvalue none = tvalue_dict(arena);
    if (text(authenticator, &legacy->url, arena, &base, err) != 0 ||
        text(authenticator, path, arena, &rest, err) != 0)
        return -1;
    whole = slice_of(arena_printf(arena, "%.*s%.*s", SLICE_ARGS(base), SLICE_ARGS(rest)));
    if (url_prepare(arena, whole, &none, &whole, err) != 0)
        return component_error(err, authenticator->where);
    *ret_url = whole.data;
    return 0;
}

static int send(struct authenticator *authenticator, const struct http_request *request,
                struct http_transfer **ret_transfer, struct error *err)
{
    if (fiber_http(authenticator->engine->fibers, request, ret_transfer, err) != 0)
        return -1;
    if (http_transfer_failure(*ret_transfer) == HTTP_OK)
        return 0;
    http_transfer_error(*ret_transfer, err);
    return error_wrap(err, "the session");
}

static int refused(const struct http_response *response, const char *what, struct error *err)
{
    return error_set(err, ERROR_CONNECTOR, "%s is answered with status %d", what, response->status);
}

static int is_valid(struct authenticator *authenticator, struct slice token, struct arena *arena,
                    bool *ret_valid, struct error *err)
{
    struct legacy_state *legacy = authenticator->state;
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    struct slice name;
    struct http_header header = {.value = token.data, .secret = true};
    struct http_request request = {
        .method = "GET", .headers = &header, .header_count = 1, .response_max = LEGACY_ANSWER_MAX};
    if (text(authenticator, &legacy->header, arena, &name, err) != 0 ||
        url_of(authenticator, &legacy->validate_url, arena, &request.url, err) != 0)
        return -1;
    header.name = name.data;
    if (send(authenticator, &request, &transfer, err) != 0)
        return -1;
    const struct http_response *response = http_transfer_response(transfer);
    *ret_valid = response->status < 400;
    return *ret_valid || response->status == 401 ? 0 : refused(response, "the session's validation", err);
}

static int log_in(struct authenticator *authenticator, struct slice username, struct slice password,
                  struct arena *arena, struct error *err)
{
    struct legacy_state *legacy = authenticator->state;
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    struct http_header header = {"Content-Type", "application/json", false};
    struct tvalue wanted = tvalue_dict(arena), wrong, token;
    struct slice key;
    struct ttext body, made;
    struct json doc;
    ttext_init(&body, arena, LEGACY_ANSWER_MAX);
    tdict_set_name(arena, wanted.dict, "username", tvalue_string(username));
    tdict_set_name(arena, wanted.dict, "password", tvalue_string(password));
    tvalue_json_dumps(&body, &wanted, (struct tvalue_json_style){.indent = -1}, &wrong);
    struct http_request request = {.method = "POST",
                                   .headers = &header,
                                   .header_count = 1,
                                   .body = ttext_slice_of(&body),
                                   .response_max = LEGACY_ANSWER_MAX};
    if (text(authenticator, &legacy->key, arena, &key, err) != 0 ||
        url_of(authenticator, &legacy->login_url, arena, &request.url, err) != 0 ||
        send(authenticator, &request, &transfer, err) != 0)
        return -1;
    const struct http_response *response = http_transfer_response(transfer);
    if (response->status >= 400)
        return refused(response, "the login", err);
    if (json_parse_answer(arena, response->body.data, response->body.size, &doc, err) != 0)
        return error_wrap(err, "the answer to the login");
    struct tvalue answer = tvalue_json(arena, &doc, 0);
    if (!tvalue_is_mapping(&answer) || !tvalue_member_name(arena, &answer, key, &token))
        return error_set(err, ERROR_CONNECTOR, "the answer to the login has no \"%.*s\"", SLICE_ARGS(key));
    arena_clear(&legacy->arena);
    ttext_init(&made, &legacy->arena, LEGACY_ANSWER_MAX);
    tvalue_str(&made, &token);
    legacy->made = ttext_slice_of(&made);
    legacy->made_ms = clock_wall_ms(authenticator->engine->clock);
    engine_add_secret(authenticator->engine, legacy->made);
    return 0;
}

static int find_token(struct authenticator *authenticator, struct arena *arena, struct slice *ret_token,
                      struct error *err)
{
    struct legacy_state *legacy = authenticator->state;
    struct slice username, password;
    bool valid = false;
    if (text(authenticator, &legacy->token, arena, ret_token, err) != 0 ||
        (ret_token->size && is_valid(authenticator, *ret_token, arena, &valid, err) != 0))
        return -1;
    if (valid)
        return 0;
    if (text(authenticator, &legacy->username, arena, &username, err) != 0 ||
        text(authenticator, &legacy->password, arena, &password, err) != 0)
        return -1;
    if (!username.size || !password.size)
        return error_set(
            err, ERROR_INVALID,
            "the session token is not valid, and there is no username and password to get another");
    int64_t age = clock_wall_ms(authenticator->engine->clock) - legacy->made_ms;
    if ((!legacy->made.data || age < 0 || age >= LEGACY_TOKEN_MS) &&
        log_in(authenticator, username, password, arena, err) != 0)
        return -1;
    *ret_token =
        (struct slice){arena_strndup(arena, legacy->made.data, legacy->made.size), legacy->made.size};
    return 0;
}

static int legacy_add(struct authenticator *authenticator, struct arena *arena, struct options *options,
                      struct error *err)
{
    struct legacy_state *legacy = authenticator->state;
    struct slice token, name;
    if (fiber_gate_enter(authenticator->engine->fibers, &legacy->gate, err) != 0)
        return -1;
    int result = find_token(authenticator, arena, &token, err);
    fiber_gate_leave(&legacy->gate);
    if (result != 0)
        return component_error(err, authenticator->where);
    if (text(authenticator, &legacy->header, arena, &name, err) != 0)
        return -1;
    return options_put(options, OPTION_HEADER, tvalue_string(name), tvalue_string(token), "the authenticator",
                       err);
}

const struct authenticator_class authenticator_legacy_session = {
    .type = "LegacySessionTokenAuthenticator", .compile = legacy_compile, .add = legacy_add};
