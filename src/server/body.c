/* A request on its way to its handler: who asks, is the body what the route's schema says. */
#include "base/map.h"
#include "server/internal.h"
#include "supervisor/config_check.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

enum { BODY_DEPTH_MAX = 256, VIOLATIONS_MAX = 8, FIELD_MAX = 512 };

static bool refuse(struct call *call, unsigned status, const char *message)
{
    call->http->status = status;
    call_write_error(call->http, message, NULL);
    return false;
}

/* --- who asks ----------------------------------------------------------------------------------------- */

/* The host of "127.0.0.1:8000", "[::1]:8000", "localhost". */
static struct slice host_of(const char *text)
{
    const char *end = *text == '[' ? strchr(text, ']') : strchr(text, ':');
    if (*text == '[' && end)
        end++;
    return (struct slice){text, end ? (size_t)(end - text) : strlen(text)};
}

static bool host_is_local(struct slice host)
{
    static const char suffix[] = ".localhost";
    char text[64];
    if (host.size >= sizeof text)
        return false;
    memcpy(text, host.data, host.size);
    text[host.size] = 0;
    return strcasecmp(text, "localhost") == 0 || strncmp(text, "127.", 4) == 0 ||
           strcmp(text, "[::1]") == 0 || string_ends_with(text, suffix);
}

/* A page of some other site may make a browser send requests here, with whatever the browser has remembered.
 * It cannot hide where it comes from; and it may give its own name our address, but then asks for that name.
 */
static bool check_origin(struct call *call)
{
    const char *origin = http_header(call->http, "Origin"), *host = http_header(call->http, "Host");
    if (origin && strcmp(origin, "null") != 0) {
        const char *authority = strstr(origin, "://");
        if (!authority || !host || strcasecmp(authority + 3, host) != 0)
            return refuse(call, 403, "pages of other origins may not ask");
    } else if (origin) {
        return refuse(call, 403, "pages of other origins may not ask");
    }
    return true;
}

/* While the password is the well-known one: only for this machine's programs, by the socket's own addresses,
 * since the client writes the headers; and of those for browsers only under a name of this machine. */
static bool check_near(struct call *call)
{
    const char *host = http_header(call->http, "Host");
    bool by_default = false;
    struct error err;
    if (auth_is_default(call->control, &by_default, &err) < 0) {
        call_error(call, &err);
        return false;
    }
    if (by_default && !call->http->near)
        return refuse(call, 403,
                      "with the password that everybody knows, Firth answers to this machine only: set a "
                      "password there with 'firth password'");
    if (by_default && host && !host_is_local(host_of(host)))
        return refuse(call, 403,
                      "with the password that everybody knows, Firth answers to localhost only: ask for "
                      "http://localhost, or set a password with 'firth password'");
    return true;
}

/* A page's session is a token in a cookie. SameSite keeps it from other sites' pages, and check_origin too.
 */
static const char *credentials(struct call *call)
{
    const char *header = http_header(call->http, "Authorization"),
               *session = http_cookie(call->http, SESSION_COOKIE);
    return header || !session ? header : arena_printf(call->arena, "Bearer %s", session);
}

const char *call_token(const struct call *call)
{
    const char *header = http_header(call->http, "Authorization");
    if (!header)
        return http_cookie(call->http, SESSION_COOKIE);
    if (strncasecmp(header, "bearer ", 7) != 0)
        return NULL;
    return header + 7 + strspn(header + 7, " ");
}

static bool check_user(struct call *call)
{
    const struct auth_client client = call_client(call);
    enum auth_verdict verdict;
    struct error err;
    if (call->route->open)
        return true;
    if (auth_check(call->server->auth, &client, credentials(call), call->arena, &verdict, &call->application,
                   &err) < 0) {
        call_error(call, &err);
        return false;
    }
    if (verdict == AUTH_SLOWER) {
        call_slower(call);
        return false;
    }
    if (verdict == AUTH_NO) {
        /* A browser would show its own form for a password over our page's. */
        if (!http_header(call->http, "Firth-Page"))
            http_answer_header(call->http, "WWW-Authenticate", "Basic realm=\"firth\", charset=\"UTF-8\"");
        return refuse(call, 401,
                      http_header(call->http, "Authorization")
                          ? "the user, the password or the bearer token is wrong"
                          : "a user and a password, or a bearer token, are needed");
    }
    return true;
}

/* curl -d calls JSON a form, and so it may be called here. */
static bool check_type(struct call *call)
{
    const char *type = http_header(call->http, "Content-Type"),
               *encoding = http_header(call->http, "Content-Encoding");
    if (call->route->request && encoding && *encoding && strcasecmp(encoding, "identity") != 0)
        return refuse(call, 415, "the body has to be sent as it is, without a Content-Encoding");
    if (!call->route->request || !type)
        return true;
    size_t size = strcspn(type, "; ");
    if ((size == 16 && strncasecmp(type, "application/json", size) == 0) ||
        (size == 33 && strncasecmp(type, "application/x-www-form-urlencoded", size) == 0))
        return true;
    return refuse(call, 415, "the body has to be JSON (Content-Type: application/json)");
}

bool call_admit(struct call *call)
{
    return check_origin(call) && check_near(call) && check_user(call) && check_type(call);
}

/* --- a form as JSON ----------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static struct slice decode(struct slice text, struct arena *arena)
{
    char *out = arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool escape = text.data[i] == '%' && text.size - i > 2;
        int high = escape ? digit_of(text.data[i + 1]) : -1;
        int low = escape ? digit_of(text.data[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            out[size++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[size++] = text.data[i] == '+' ? ' ' : text.data[i];
        }
    }
    return (struct slice){out, size};
}

/* Of fields that come twice the first counts. */
static struct slice form_to_json(struct slice form, struct arena *arena)
{
    struct buffer text;
    struct json_writer writer;
    struct map seen;
    buffer_init(&text, HTTP_BODY_MAX);
    json_writer_init(&writer, &text);
    map_init(&seen);
    json_begin_object(&writer);
    while (form.size) {
        const char *end = memchr(form.data, '&', form.size);
        struct slice pair = {form.data, end ? (size_t)(end - form.data) : form.size};
        const char *equals = memchr(pair.data, '=', pair.size);
        struct slice name =
            decode((struct slice){pair.data, equals ? (size_t)(equals - pair.data) : pair.size}, arena);
        size_t skip = pair.size + (end != NULL);
        if (equals && name.size && !map_get(&seen, name) && utf8_valid(name.data, name.size)) {
            map_set(&seen, name, &seen);
            json_put_key_slice(&writer, name);
            json_put_slice(
                &writer,
                decode((struct slice){equals + 1, pair.size - (size_t)(equals + 1 - pair.data)}, arena));
        }
        form = (struct slice){form.data + skip, form.size - skip};
    }
    json_end_object(&writer);
    map_done(&seen);
    struct slice json = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return json;
}

static bool is_form(const struct call *call, struct slice body)
{
    const char *type = http_header(call->http, "Content-Type");
    size_t at = 0;
    while (at < body.size && strchr(" \t\r\n", body.data[at]))
        at++;
    return call->route->form && type && strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0 &&
           (at == body.size || body.data[at] != '{');
}

/* --- the body ----------------------------------------------------------------------------------------- */

/* Nothing of a value that may be a secret, or lie beside one. */
static bool is_private(const char *field)
{
    static const char *const names[] = {"connectionConfiguration", "configuration", "client_secret",
                                        "client-secret", "password"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (string_starts_with(field, names[i]) && !isalpha((unsigned char)field[strlen(names[i])]))
            return true;
    }
    return false;
}

static enum http_next explain(struct call *call, const struct schema *schema,
                              struct schema_validator *validator)
{
    struct schema_violation violations[VIOLATIONS_MAX];
    struct error err;
    size_t count = 0;
    if (schema_explain(schema, validator, &call->body, 0, call->arena, violations, VIOLATIONS_MAX, &count,
                       &err) < 0)
        return call_fail(call, 422, "the body cannot be checked: %s", err.message);
    if (count == 0)
        return call_fail(call, 422, "the body is not as it should be");
    const char *field = config_field(violations[0].instance, call->arena);
    bool missing = strcmp(violations[0].keyword, "required") == 0;
    if (is_private(field) && !missing)
        return call_invalid(call, field, "%s: it is not of the type that it should be", field);
    const char *whole = config_field(config_place(&violations[0], call->arena), call->arena);
    return call_invalid(call, *whole ? whole : "body", "%s%s%s", *field ? field : "", *field ? ": " : "",
                        violations[0].message);
}

/* JSON of others, which is kept as it is. */
static bool is_free(const char *field)
{
    static const char *const names[] = {"connectionState", "manifest", "resourceRequirements"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (string_starts_with(field, names[i]))
            return true;
    }
    return is_private(field) || strstr(field, ".jsonSchema");
}

/* A NUL would end a text where its writer did not. False: answered. */
static bool check_texts(struct call *call)
{
    for (uint32_t at = 0; at < call->body.count; at++) {
        if (!json_is(&call->body, at, JSON_STRING) || !json_escaped(&call->body, at))
            continue;
        struct slice text = json_string(&call->body, at, call->arena);
        if (!memchr(text.data, 0, text.size))
            continue;
        struct buffer pointer;
        buffer_init(&pointer, BUFFER_UNLIMITED);
        json_pointer_of(&call->body, at, &pointer);
        const char *field = config_field(buffer_cstr(&pointer), call->arena);
        buffer_done(&pointer);
        if (is_free(field))
            continue;
        call_invalid(call, field, "%s: a text may not hold the character U+0000", field);
        return false;
    }
    return true;
}

static enum http_next check_body(struct call *call)
{
    struct error err;
    const struct schema *schema = call->server->request_schemas[call->route - routes];
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    int valid = schema_validate(schema, validator, &call->body, 0, &err);
    if (valid < 0)
        return call_fail(call, 422, "the body cannot be checked: %s", err.message);
    if (!valid)
        return explain(call, schema, validator);
    return check_texts(call) ? call->route->handle(call) : HTTP_ANSWER;
}

static bool is_blank(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!strchr(" \t\r\n", text.data[i]) || !text.data[i])
            return false;
    }
    return true;
}

enum http_next call_take_body(struct call *call)
{
    struct slice body = call->http->body;
    struct error err;
    if (!call->route->request)
        return call->route->handle(call);
    if (is_form(call, body))
        body = form_to_json(body, call->arena);
    else if (is_blank(body))
        body = SLICE_LITERAL("{}");
    mem_auto(json_parser_free) struct json_parser *parser = json_parser_new(
        (struct json_limits){.size_max = HTTP_BODY_MAX, .depth_max = BODY_DEPTH_MAX}, JSON_DUPLICATES_REFUSE);
    struct json parsed;
    if (json_parse(parser, body.data, body.size, &parsed, &err) < 0)
        return call_fail(call, 400, "the body is no JSON: %s", err.message);
    parsed.nodes = arena_dup(call->arena, parsed.nodes, parsed.count * sizeof *parsed.nodes);
    call->body = parsed;
    return check_body(call);
}
