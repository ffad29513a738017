/* JwtAuthenticator: a token that is signed here, anew for each request, as the CDK does. */
#include "auth_jwt.h"

#include "json/writer.h"

struct jwt_parts {
    struct engine *engine;
    struct component where;
    struct expression secret, passphrase, prefix;
    struct jwt_claim {
        const char *name;
        struct expression value;
    } headers[3], claims[3];
    struct mapping_expression more_headers, more_claims;
    const char *algorithm;
    int64_t duration;
    bool base64;
    struct request_option *option;
};

static int compile_claims(struct jwt_parts *parts, const char *field, const char *const *names,
                          struct jwt_claim *claims, struct error *err)
{
    struct component component = component_get(parts->where, field);
    for (size_t i = 0; i < 3; i++) {
        claims[i].name = names[i];
        if (component_is_none(component))
            continue;
        struct component value = component_get(component, names[i]);
        if (component_string(value).size == 0)
            continue; /* an empty one is none, as in the CDK */
        if (expression_compile_at(parts->engine, parts->where, value, &claims[i].value, err) != 0)
            return -1;
    }
    return 0;
}

int jwt_parts_compile(struct engine *engine, struct component component, struct jwt_parts **ret_parts,
                      struct error *err)
{
    static const char *const headers[] = {"kid", "typ", "cty"}, *const claims[] = {"iss", "sub", "aud"};
    struct jwt_parts *parts = arena_zalloc(&engine->arena, sizeof *parts);
    parts->engine = engine;
    parts->where = component;
    struct slice algorithm = component_text(component, "algorithm");
    parts->algorithm = arena_strndup(&engine->arena, algorithm.data, algorithm.size);
    parts->base64 = component_bool(component, "base64_encode_secret_key");
    component_integer(component, "token_duration", &parts->duration);
    if (compile_claims(parts, "jwt_headers", headers, parts->headers, err) != 0 ||
        compile_claims(parts, "jwt_payload", claims, parts->claims, err) != 0 ||
        expression_compile(engine, component, "secret_key", &parts->secret, err) != 0 ||
        expression_compile(engine, component, "passphrase", &parts->passphrase, err) != 0 ||
        expression_compile(engine, component, "header_prefix", &parts->prefix, err) != 0 ||
        mapping_expression_compile(engine, component, "additional_jwt_headers", &parts->more_headers, err) !=
            0 ||
        mapping_expression_compile(engine, component, "additional_jwt_payload", &parts->more_claims, err) !=
            0 ||
        request_option_compile(engine, component, "request_option", &parts->option, err) != 0)
        return -1;
    *ret_parts = parts;
    return 0;
}

/* --- signing ---------------------------------------------------------------------------------------------
 */

static int put_claims(const struct jwt_claim *claims, struct scope *scope, struct arena *arena,
                      struct tdict *into, struct error *err)
{
    for (size_t i = 0; i < 3; i++) {
        struct tvalue value;
        if (expression_is_absent(&claims[i].value))
            continue;
        if (expression_string(&claims[i].value, scope, arena, &value, err) != 0)
            return -1;
        tdict_set_name(arena, into, claims[i].name, value);
    }
    return 0;
}

static int put_more(const struct jwt_parts *parts, const struct mapping_expression *more,
                    const char *const *reserved, struct scope *scope, struct arena *arena, struct tdict *into,
                    struct error *err)
{
    struct tvalue dict, name;
    struct titer iter;
    if (mapping_expression_members(more, scope, INTERPOLATE_ANY, INTERPOLATE_ANY, arena, &dict, err) != 0)
        return -1;
    if (!tvalue_is_mapping(&dict) || !titer_init(&iter, arena, dict))
        return 0;
    while (titer_next(&iter, &name)) {
        for (size_t i = 0; name.kind == TVALUE_STRING && reserved[i]; i++) {
            if (!slice_is(name.text, reserved[i]))
                continue;
            error_set(err, ERROR_INVALID,
                      "\"%s\" has a field of its own, and cannot be among the additional ones", reserved[i]);
            return component_error(err, parts->where);
        }
        tdict_set(arena, into, name, iter.of_key);
    }
    return 0;
}

/* An empty type is none. */
static int check_texts(const struct jwt_parts *parts, const struct tvalue *dict, const char *name,
                       struct error *err)
{
    struct tvalue key = tvalue_cstring("typ"), value;
    if (tdict_get(dict->dict, &key, &value) && !tvalue_true(&value))
        tdict_remove(dict->dict, &key, &value);
    key = tvalue_cstring(name);
    if (!tdict_get(dict->dict, &key, &value) || value.kind == TVALUE_STRING)
        return 0;
    error_set(err, ERROR_INVALID, "%s is a %s; it must be a text", name, tvalue_type(&value));
    return component_error(err, parts->where);
}

/* JSON without blanks, as tokens have it. */
static int compact(struct arena *arena, const struct tvalue *dict, bool sorted, struct slice *ret_json,
                   struct error *err)
{
    struct ttext text;
    struct tvalue wrong;
    struct json doc;
    ttext_init(&text, arena, 1 << 20);
    if (tvalue_json_dumps(&text, dict, (struct tvalue_json_style){-1, sorted}, &wrong) != 0)
        return error_set(err, ERROR_INVALID, "a token cannot hold a %s", tvalue_type(&wrong));
    if (json_parse_copy(arena, text.data, text.size, &doc, err) != 0)
        return error_wrap(err, "the token");
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 2 << 20);
    json_writer_init(&writer, &out);
    json_put_value(&writer, &doc, 0);
    *ret_json = (struct slice){arena_dup(arena, out.data, out.size), out.size};
    buffer_done(&out);
    return 0;
}

/* A PEM whose line ends were written as \n, as they are in JSON that was pasted. */
static struct slice with_breaks(struct arena *arena, struct slice pem)
{
    char *out = arena_alloc(arena, pem.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < pem.size; i++) {
        bool is_break = pem.data[i] == '\\' && i + 1 < pem.size && pem.data[i + 1] == 'n';
        out[size++] = is_break ? '\n' : pem.data[i];
        i += is_break;
    }
    return (struct slice){out, size};
}

/* One in a single line, as it is once it was pasted into a field that has no more: lines of 64 characters
 * anew. */
static struct slice with_lines(struct arena *arena, struct slice given)
{
    static const char BEGIN[] = "-----BEGIN ", DASHES[] = "-----", END[] = "-----END ";
    enum { LINE = 64 };
    struct slice pem = with_breaks(arena, given);
    const char *end = pem.data + pem.size, *at = memmem(pem.data, pem.size, BEGIN, sizeof BEGIN - 1);
    const char *body = at ? at + sizeof BEGIN - 1 : end;
    body = memmem(body, (size_t)(end - body), DASHES, sizeof DASHES - 1);
    body = body ? body + sizeof DASHES - 1 : end;
    const char *close = memmem(body, (size_t)(end - body), END, sizeof END - 1);
    /* What has a ':' has headers, whose blanks count. */
    if (!close || memchr(body, '\n', (size_t)(close - body)) || memchr(body, ':', (size_t)(close - body)))
        return pem;
    struct ttext out;
    size_t column = 0;
    ttext_init(&out, arena, SIZE_MAX);
    ttext_add(&out, at, (size_t)(body - at));
    for (const char *from = body; from < close; from++) {
        if (strchr(" \t\r", *from))
            continue;
        if (column++ % LINE == 0)
            ttext_byte(&out, '\n');
        ttext_byte(&out, *from);
    }
    ttext_byte(&out, '\n');
    ttext_add(&out, close, (size_t)(end - close));
    ttext_byte(&out, '\n');
    return ttext_slice_of(&out);
}

static int key_of(const struct jwt_parts *parts, struct scope *scope, struct arena *arena,
                  struct jwt_key *ret_key, struct error *err)
{
    struct slice secret, passphrase = {NULL, 0};
    if (expression_text(&parts->secret, scope, arena, &secret, err) != 0)
        return -1;
    if (!expression_is_absent(&parts->passphrase) &&
        expression_text(&parts->passphrase, scope, arena, &passphrase, err) != 0)
        return -1;
    if (parts->base64 && !passphrase.size) {
        struct ttext encoded;
        ttext_init(&encoded, arena, SIZE_MAX);
        authenticator_base64(&encoded, secret);
        secret = ttext_slice_of(&encoded);
    } else if (parts->algorithm[0] != 'H') {
        secret = with_lines(arena, secret);
    }
    *ret_key = (struct jwt_key){parts->algorithm, secret, passphrase.size ? passphrase.data : NULL};
    return 0;
}

static int sign(const struct jwt_parts *parts, struct arena *arena, struct slice *ret_token,
                struct error *err)
{
    static const char *const reserved_headers[] = {"kid", "alg", "typ", "cty", NULL};
    static const char *const reserved_claims[] = {"iss", "sub", "aud", "iat", "exp", "nbf", NULL};
    struct scope scope;
    scope_init(&scope, parts->engine);
    scope_set(&scope, "json_loads", interpolate_json_loads());
    struct tvalue headers = tvalue_dict(arena), claims = tvalue_dict(arena);
    tdict_set_name(arena, headers.dict, "alg", tvalue_cstring(parts->algorithm));
    tdict_set_name(arena, headers.dict, "typ", tvalue_cstring("JWT"));
    int64_t now = clock_wall_ms(parts->engine->clock) / 1000;
    struct jwt_key key;
    struct slice header_json, claims_json;
    if (put_more(parts, &parts->more_headers, reserved_headers, &scope, arena, headers.dict, err) != 0 ||
        put_claims(parts->headers, &scope, arena, headers.dict, err) != 0 ||
        put_more(parts, &parts->more_claims, reserved_claims, &scope, arena, claims.dict, err) != 0 ||
        put_claims(parts->claims, &scope, arena, claims.dict, err) != 0 ||
        check_texts(parts, &headers, "kid", err) != 0 || check_texts(parts, &claims, "iss", err) != 0 ||
        key_of(parts, &scope, arena, &key, err) != 0)
        return -1;
    tdict_set_name(arena, claims.dict, "iat", tvalue_int(now));
    tdict_set_name(arena, claims.dict, "exp", tvalue_int(now + parts->duration));
    tdict_set_name(arena, claims.dict, "nbf", tvalue_int(now));
    if (compact(arena, &headers, true, &header_json, err) != 0 ||
        compact(arena, &claims, false, &claims_json, err) != 0)
        return component_error(err, parts->where);
    struct buffer out;
    buffer_init(&out, 4 << 20);
    int result = jwt_sign(&key, header_json, claims_json, &out, err);
    if (result == 0) {
        *ret_token = (struct slice){arena_strndup(arena, out.data, out.size), out.size};
        engine_add_secret(parts->engine, *ret_token);
    }
    buffer_done(&out);
    return result == 0 ? 0 : component_error(err, parts->where);
}

/* --- the authenticator -----------------------------------------------------------------------------------
 */

static int jwt_compile(struct authenticator *authenticator, struct error *err)
{
    struct jwt_parts *parts;
    if (jwt_parts_compile(authenticator->engine, authenticator->where, &parts, err) != 0)
        return -1;
    authenticator->state = parts;
    return 0;
}

int jwt_parts_token(const struct jwt_parts *parts, struct arena *arena, struct slice *ret_token,
                    struct error *err)
{
    struct scope scope;
    struct tvalue prefix = tvalue_none();
    scope_init(&scope, parts->engine);
    scope_set(&scope, "json_loads", interpolate_json_loads());
    if (sign(parts, arena, ret_token, err) != 0 ||
        (!expression_is_absent(&parts->prefix) &&
         expression_string(&parts->prefix, &scope, arena, &prefix, err) != 0))
        return -1;
    if (!tvalue_true(&prefix))
        return 0;
    struct ttext text;
    ttext_init(&text, arena, SIZE_MAX);
    tvalue_str(&text, &prefix);
    ttext_byte(&text, ' ');
    ttext_slice(&text, *ret_token);
    *ret_token = ttext_slice_of(&text);
    return 0;
}

static int jwt_add(struct authenticator *authenticator, struct arena *arena, struct options *options,
                   struct error *err)
{
    const struct jwt_parts *parts = authenticator->state;
    struct scope scope;
    struct slice token;
    scope_init(&scope, authenticator->engine);
    scope_set(&scope, "json_loads", interpolate_json_loads());
    if (jwt_parts_token(parts, arena, &token, err) != 0)
        return -1;
    if (parts->option)
        return request_option_set(parts->option, &scope, tvalue_string(token), options, err);
    return options_put(options, OPTION_HEADER, tvalue_cstring("Authorization"), tvalue_string(token),
                       "the authenticator", err);
}

const struct authenticator_class authenticator_jwt = {
    .type = "JwtAuthenticator", .compile = jwt_compile, .add = jwt_add};
