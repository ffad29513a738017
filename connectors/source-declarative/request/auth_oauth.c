/* OAuthAuthenticator: an access token that is fetched when it is needed, by a refresh token, by the client's
 * own credentials or by an assertion; and its variant that writes new tokens into the config. */
#include "oauth.h"

#include "error_text.h"
#include "instant.h"
#include "parts.h"
#include "source-declarative/template/digits.h"

#include <math.h>

enum {
    TOKEN_LIFETIME_MS = 3600 * 1000,   /* where the server says nothing */
    TOKEN_LIFETIME_MAX_S = 2000000000, /* some APIs say of a token that it never ends by a huge number */
    TOKEN_TRY_MS = 300 * 1000,         /* so long is a server asked again that is overloaded or broken */
    TOKEN_DEPTH_MAX = 6,               /* of the answer: no deeper is a token looked for, as in the CDK */
};

/* --- compiling -------------------------------------------------------------------------------------------
 */

static void oauth_leave(void *context)
{
    struct oauth_state *oauth = context;
    arena_done(&oauth->arenas[0]);
    arena_done(&oauth->arenas[1]);
}

static void compile_path(struct arena *arena, struct component updater, const char *field, const char *last,
                         struct config_path *path)
{
    struct component list = component_get(updater, field);
    if (component_is_none(list)) {
        path->names[0] = SLICE_LITERAL("credentials");
        path->names[1] = slice_of(last);
        path->count = 2;
        return;
    }
    for (size_t i = 0; i < component_count(list) && path->count < TOKEN_PATH_MAX; i++) {
        struct component name = component_at(list, i);
        path->names[path->count++] = json_string(&name.manifest->doc, name.at, arena);
    }
}

static bool says_errors(struct component where)
{
    return component_count(component_get(where, "refresh_token_error_status_codes")) ||
           component_count(component_get(where, "refresh_token_error_values")) ||
           component_text(where, "refresh_token_error_key").size;
}

static int compile_updater(struct authenticator *authenticator, struct oauth_state *oauth, struct error *err)
{
    struct component where = authenticator->where, updater = component_get(where, "refresh_token_updater");
    bool has_updater = !component_is_none(updater), here = says_errors(where);
    bool there = has_updater && says_errors(updater);
    if (here && there) {
        error_set(err, ERROR_INVALID,
                  "refresh_token_error_… are in the authenticator and in its "
                  "refresh_token_updater; they can be in one of them");
        return component_error(err, where);
    }
    oauth->errors = here ? where : there ? updater : (struct component){where.manifest, JSON_NONE};
    if (!has_updater)
        return 0;
    struct arena *arena = &authenticator->engine->arena;
    oauth->updates = true;
    struct slice member = component_text(updater, "refresh_token_name");
    oauth->refresh_member = member.size ? member : SLICE_LITERAL("refresh_token");
    compile_path(arena, updater, "access_token_config_path", "access_token", &oauth->access_path);
    compile_path(arena, updater, "refresh_token_config_path", "refresh_token", &oauth->refresh_path);
    compile_path(arena, updater, "token_expiry_date_config_path", "token_expiry_date", &oauth->expiry_path);
    return 0;
}

/* One that keeps tokens in the config has no assertion, whatever it says: as in the CDK. */
static int compile_assertion(struct authenticator *authenticator, struct oauth_state *oauth,
                             struct error *err)
{
    struct component where = authenticator->where, assertion = component_get(where, "profile_assertion");
    if (oauth->updates || !component_bool(where, "use_profile_assertion"))
        return 0;
    return jwt_parts_compile(authenticator->engine, assertion, &oauth->assertion, err);
}

static int oauth_start(struct authenticator *authenticator, struct oauth_state *oauth, struct error *err);

static int oauth_compile(struct authenticator *authenticator, struct error *err)
{
    struct engine *engine = authenticator->engine;
    struct component where = authenticator->where;
    struct oauth_state *oauth = authenticator->state = arena_zalloc(&engine->arena, sizeof *oauth);
    const struct {
        const char *field;
        struct expression *expression;
    } fields[] = {
        {"token_refresh_endpoint", &oauth->endpoint},
        {"client_id_name", &oauth->id_name},
        {"client_id", &oauth->id},
        {"client_secret_name", &oauth->secret_name},
        {"client_secret", &oauth->secret},
        {"refresh_token_name", &oauth->refresh_name},
        {"refresh_token", &oauth->refresh},
        {"access_token_name", &oauth->access_name},
        {"access_token_value", &oauth->access},
        {"expires_in_name", &oauth->expires_name},
        {"grant_type_name", &oauth->grant_name},
        {"grant_type", &oauth->grant},
        {"token_expiry_date", &oauth->expiry},
        {"token_expiry_date_format", &oauth->expiry_format},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (expression_compile(engine, where, fields[i].field, fields[i].expression, err) != 0)
            return -1;
    }
    if (mapping_expression_compile(engine, where, "refresh_request_body", &oauth->body, err) != 0 ||
        mapping_expression_compile(engine, where, "refresh_request_headers", &oauth->headers, err) != 0)
        return -1;
    if (compile_updater(authenticator, oauth, err) != 0 || compile_assertion(authenticator, oauth, err) != 0)
        return -1;
    oauth->in_query = component_bool(where, "send_refresh_request_as_query_params");
    oauth->scopes = component_get(where, "scopes");
    oauth->gate.max = 1;
    engine_on_free(engine, oauth_leave, oauth);
    return oauth_start(authenticator, oauth, err);
}

/* --- what the config has already -------------------------------------------------------------------------
 */

/* A token that is there is used as long as its date says; without a date it counts as expired, as in the CDK.
 */
static struct slice copy_of(struct arena *arena, struct slice text)
{
    return (struct slice){arena_strndup(arena, text.data, text.size), text.size};
}

static int oauth_start(struct authenticator *authenticator, struct oauth_state *oauth, struct error *err)
{
    struct engine *engine = authenticator->engine;
    struct arena *arena = &engine->arena;
    struct scope scope;
    struct slice date = {NULL, 0};
    struct tvalue value;
    scope_init(&scope, engine);
    if (oauth->updates) {
        if (oauth_at_path(arena, engine->config, &oauth->access_path, &value))
            oauth->token = copy_of(arena, tvalue_text(arena, &value)); /* the config may become another */
        if (oauth_at_path(arena, engine->config, &oauth->expiry_path, &value))
            date = tvalue_text(arena, &value);
    } else {
        if (!expression_is_absent(&oauth->access) &&
            expression_text(&oauth->access, &scope, arena, &oauth->token, err) != 0)
            return -1;
        if (!expression_is_absent(&oauth->expiry) &&
            expression_text(&oauth->expiry, &scope, arena, &date, err) != 0)
            return -1;
    }
    if (date.size && !instant_parse(date, clock_wall_ms(engine->clock), &oauth->expires_ms)) {
        error_set(err, ERROR_INVALID,
                  "the config's time at which the token ends is \"%.*s\"; it must be a date "
                  "(2030-01-31T10:00:00Z is one), or seconds since 1970",
                  (int)utf8_cut(date.data, date.size, 60), date.data);
        return component_error(err, authenticator->where);
    }
    if (!oauth->token.size)
        oauth->expires_ms = 0;
    if (expression_is_absent(&oauth->endpoint)) {
        oauth->expires_ms = INT64_MAX;
        if (!oauth->token.size) {
            error_set(err, ERROR_INVALID,
                      "there is no access token, and no token_refresh_endpoint to get one");
            return component_error(err, authenticator->where);
        }
    }
    engine_add_secret(engine, oauth->token);
    return 0;
}

/* --- the answer ------------------------------------------------------------------------------------------
 */

/* A member of the answer, or of what is in it. */
static bool find_member(struct arena *arena, const struct tvalue *body, struct slice name, unsigned depth,
                        struct tvalue *ret_value)
{
    struct titer iter;
    struct tvalue item;
    bool is_mapping = tvalue_is_mapping(body);
    if (depth == 0 || (!is_mapping && body->kind == TVALUE_STRING))
        return false;
    if (is_mapping && tvalue_member_name(arena, body, name, ret_value))
        return ret_value->kind != TVALUE_NONE;
    if (!titer_init(&iter, arena, *body))
        return false;
    while (titer_next(&iter, &item)) {
        struct tvalue inner = is_mapping ? iter.of_key : item;
        if (find_member(arena, &inner, name, depth - 1, ret_value))
            return true;
    }
    return false;
}

static int expiry_of(struct authenticator *authenticator, struct scope *scope, struct arena *arena,
                     const struct tvalue *body, int64_t *ret_ms, struct error *err)
{
    struct oauth_state *oauth = authenticator->state;
    int64_t now = clock_wall_ms(authenticator->engine->clock);
    struct slice name, format;
    struct tvalue value;
    *ret_ms = oauth->expires_ms > now ? oauth->expires_ms : now + TOKEN_LIFETIME_MS;
    if (expression_text(&oauth->expires_name, scope, arena, &name, err) != 0)
        return -1;
    if (!find_member(arena, body, name, TOKEN_DEPTH_MAX, &value))
        return 0;
    if (!expression_is_absent(&oauth->expiry_format)) {
        struct datetime date;
        struct error ignored;
        struct slice text = tvalue_text(arena, &value);
        if (expression_text(&oauth->expiry_format, scope, arena, &format, err) != 0)
            return -1;
        if (datetime_parse(text, format, &date, &ignored) == 0)
            *ret_ms = datetime_utc(&date) / 1000;
        else if (!instant_parse(text, now, ret_ms))
            return error_set(err, ERROR_CONNECTOR, "the token's expiry is no date of the form %.100s",
                             format.data);
        return 0;
    }
    struct slice text = tvalue_text(arena, &value);
    double seconds;
    if (!digits_to_float(text, &seconds) || isnan(seconds))
        return error_set(err, ERROR_CONNECTOR, "the token's lifetime is no number of seconds");
    seconds = fmin(fmax(seconds, -TOKEN_LIFETIME_MAX_S), TOKEN_LIFETIME_MAX_S);
    *ret_ms = now + (int64_t)seconds * 1000;
    return 0;
}

/* New tokens into the config: the platform keeps them, since the old refresh token may be used up. */
static int update_config(struct authenticator *authenticator, struct arena *arena, const struct tvalue *body,
                         struct slice token, int64_t expires_ms, struct error *err)
{
    struct oauth_state *oauth = authenticator->state;
    struct tvalue refresh;
    struct engine_change changes[3];
    size_t count = 0;
    if (find_member(arena, body, oauth->refresh_member, TOKEN_DEPTH_MAX, &refresh) && tvalue_true(&refresh)) {
        changes[count++] =
            (struct engine_change){oauth->refresh_path.names, oauth->refresh_path.count, refresh};
        engine_add_secret(authenticator->engine, tvalue_text(arena, &refresh));
    }
    struct datetime date;
    char text[DATETIME_TEXT_MAX];
    if (datetime_of_timestamp((double)expires_ms / 1000, &date, err) != 0)
        return -1;
    size_t size = datetime_isoformat(&date, 'T', text);
    changes[count++] =
        (struct engine_change){oauth->access_path.names, oauth->access_path.count, tvalue_string(token)};
    changes[count++] = (struct engine_change){oauth->expiry_path.names, oauth->expiry_path.count,
                                              tvalue_string((struct slice){text, size})};
    return engine_update_config(authenticator->engine, changes, count, err);
}

static int take_answer(struct authenticator *authenticator, struct arena *arena,
                       const struct http_response *response, struct error *err)
{
    struct oauth_state *oauth = authenticator->state;
    struct engine *engine = authenticator->engine;
    struct scope scope;
    struct json doc;
    struct slice name;
    struct tvalue value;
    int64_t expires_ms;
    struct error ignored;
    scope_init(&scope, engine);
    if (json_parse_answer(arena, response->body.data, response->body.size, &doc, &ignored) != 0)
        return error_set(err, ERROR_CONNECTOR, "the answer with the token is no JSON");
    struct tvalue body = tvalue_json(arena, &doc, 0);
    if (expression_text(&oauth->access_name, &scope, arena, &name, err) != 0)
        return -1;
    if (!find_member(arena, &body, name, TOKEN_DEPTH_MAX, &value) || !tvalue_true(&value))
        return error_set(err, ERROR_CONNECTOR, "the server's answer has no \"%.100s\"", name.data);
    struct slice token = tvalue_text(arena, &value);
    engine_add_secret(engine, token);
    if (expiry_of(authenticator, &scope, arena, &body, &expires_ms, err) != 0)
        return -1;
    if (oauth->updates && update_config(authenticator, arena, &body, token, expires_ms, err) != 0)
        return -1;
    struct arena *kept = &oauth->arenas[oauth->turn ^= 1];
    arena_clear(kept);
    oauth->token = copy_of(kept, token);
    oauth->expires_ms = expires_ms;
    oauth->fetched++;
    return 0;
}

/* Has the refresh token been refused? By what the manifest says of it, or by what most servers say. */
static bool is_refused(const struct oauth_state *oauth, struct arena *arena,
                       const struct http_response *response, const struct tvalue *body)
{
    struct tvalue value;
    struct component codes = component_get(oauth->errors, "refresh_token_error_status_codes");
    struct component values = component_get(oauth->errors, "refresh_token_error_values");
    struct slice key = component_text(oauth->errors, "refresh_token_error_key");
    if (!tvalue_is_mapping(body) ||
        !tvalue_member_name(arena, body, key.size ? key : SLICE_LITERAL("error"), &value))
        return false;
    struct slice word = tvalue_text(arena, &value);
    if (component_is_none(oauth->errors))
        return response->status == 400 &&
               (slice_is(word, "invalid_grant") || slice_is(word, "invalid_permissions"));
    bool by_code = false;
    for (size_t i = 0; i < component_count(codes); i++) {
        struct component code = component_at(codes, i);
        int64_t status;
        by_code |= json_to_i64(&code.manifest->doc, code.at, &status) && status == response->status;
    }
    for (size_t i = 0; by_code && i < component_count(values); i++) {
        if (slice_equal(component_string(component_at(values, i)), word))
            return true;
    }
    return false;
}

static int refused(struct authenticator *authenticator, struct arena *arena,
                   const struct http_response *response, struct error *err)
{
    struct json doc;
    struct error ignored;
    bool is_json = json_parse_answer(arena, response->body.data, response->body.size, &doc, &ignored) == 0;
    struct tvalue body = is_json ? tvalue_json(arena, &doc, 0) : tvalue_none();
    struct slice words = is_json ? error_text(arena, &body) : (struct slice){NULL, 0};
    int shown = (int)utf8_cut(words.data, words.size, 300);
    if (is_refused(authenticator->state, arena, response, &body))
        error_set(err, ERROR_INVALID,
                  "the refresh token is refused (%.*s): it is wrong, expired or used up; authenticate anew",
                  shown, words.data ? words.data : "");
    else
        error_set(err, ERROR_CONNECTOR, "no token was given: HTTP status %d%s%.*s", response->status,
                  words.size ? ": " : "", shown, words.data ? words.data : "");
    engine_redact_error(authenticator->engine, err);
    return -1;
}

/* --- fetching --------------------------------------------------------------------------------------------
 */

/* Asked again as long as the server is overloaded, broken or away. */
static int fetch(struct authenticator *authenticator, struct arena *arena, struct error *err)
{
    struct engine *engine = authenticator->engine;
    struct http_request request;
    if (oauth_request(authenticator, arena, &request, err) != 0)
        return -1;
    uint64_t start = clock_monotonic_ns(engine->clock) / 1000000;
    for (unsigned attempt = 0;; attempt++) {
        mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
        if (fiber_http(engine->fibers, &request, &transfer, err) != 0)
            return -1;
        bool there = http_transfer_failure(transfer) == HTTP_OK;
        const struct http_response *response = there ? http_transfer_response(transfer) : NULL;
        if (there && response->status < 400)
            return take_answer(authenticator, arena, response, err);
        bool may_pass = !there || response->status == 429 || response->status >= 500;
        uint64_t waited = clock_monotonic_ns(engine->clock) / 1000000 - start;
        if (!may_pass || engine->limits.no_retries || waited >= TOKEN_TRY_MS) {
            if (!there)
                return http_transfer_error(transfer, err);
            refused(authenticator, arena, response, err);
            err->retriable = may_pass;
            return -1;
        }
        uint64_t wait = 1000ULL << (attempt < 8 ? attempt : 8);
        engine_log(engine, ENGINE_INFO, "the token is asked for again in %.1f s", (double)wait / 1000);
        if (fiber_sleep(engine->fibers, wait < TOKEN_TRY_MS - waited ? wait : TOKEN_TRY_MS - waited, err) !=
            0)
            return -1;
    }
}

static bool is_valid(const struct oauth_state *oauth, const struct engine *engine)
{
    return oauth->expires_ms > clock_wall_ms(engine->clock);
}

/* One fetches, others who come meanwhile wait for it. `seen`: how many had been fetched when the caller
 * wanted one anew; UINT64_MAX: whatever is valid will do. */
static int have_token(struct authenticator *authenticator, uint64_t seen, struct error *err)
{
    struct oauth_state *oauth = authenticator->state;
    struct engine *engine = authenticator->engine;
    if (fiber_gate_enter(engine->fibers, &oauth->gate, err) != 0)
        return -1;
    int result = 0;
    bool wanted = seen == UINT64_MAX ? !is_valid(oauth, engine) : oauth->fetched == seen;
    if (wanted && !expression_is_absent(&oauth->endpoint)) {
        struct arena arena = {0};
        result = fetch(authenticator, &arena, err);
        arena_done(&arena);
    }
    fiber_gate_leave(&oauth->gate);
    if (result != 0 && err->code != ERROR_CANCELLED)
        component_error(err, authenticator->where);
    return result;
}

static int oauth_add(struct authenticator *authenticator, struct arena *arena, struct options *options,
                     struct error *err)
{
    struct oauth_state *oauth = authenticator->state;
    if (!is_valid(oauth, authenticator->engine) && have_token(authenticator, UINT64_MAX, err) != 0)
        return -1;
    struct slice token = {arena_strndup(arena, oauth->token.data ? oauth->token.data : "", oauth->token.size),
                          oauth->token.size};
    return authenticator_put_bearer(options, token, err);
}

/* Whoever was refused with an older token than the one that is there has only to take this one. */
static int oauth_refresh(struct authenticator *authenticator, const struct prepared *sent, struct error *err)
{
    struct oauth_state *oauth = authenticator->state;
    static const char bearer[] = "Bearer ";
    for (size_t i = 0; i < sent->header_count; i++) {
        const struct http_header *header = &sent->headers[i];
        if (strcasecmp(header->name, "Authorization") == 0 &&
            strncmp(header->value, bearer, strlen(bearer)) == 0 &&
            !slice_is(oauth->token, header->value + strlen(bearer)))
            return 0;
    }
    return have_token(authenticator, oauth->fetched, err);
}

const struct authenticator_class authenticator_oauth = {
    .type = "OAuthAuthenticator", .compile = oauth_compile, .add = oauth_add, .refresh = oauth_refresh};
