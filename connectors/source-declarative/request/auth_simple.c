/* Authenticators whose secret is in the config: a key, a token, a name and a password; and the choice among
 * several. */
#include "auth.h"

static struct scope scope_of(const struct authenticator *authenticator)
{
    struct scope scope;
    scope_init(&scope, authenticator->engine);
    return scope;
}

/* --- ApiKeyAuthenticator
 * ------------------------------------------------------------------------------------ */

struct api_key {
    struct expression token, header;
    struct request_option *option; /* NULL: `header` */
};

static int api_key_compile(struct authenticator *authenticator, struct error *err)
{
    struct engine *engine = authenticator->engine;
    struct api_key *key = authenticator->state = arena_zalloc(&engine->arena, sizeof *key);
    if (expression_compile(engine, authenticator->where, "api_token", &key->token, err) != 0 ||
        expression_compile(engine, authenticator->where, "header", &key->header, err) != 0 ||
        request_option_compile(engine, authenticator->where, "inject_into", &key->option, err) != 0)
        return -1;
    assert((key->option != NULL) == expression_is_absent(&key->header)); /* a rule of the manifest's */
    return 0;
}

static int api_key_add(struct authenticator *authenticator, struct arena *arena, struct options *options,
                       struct error *err)
{
    const struct api_key *key = authenticator->state;
    struct scope scope = scope_of(authenticator);
    struct slice token, name;
    if (expression_text(&key->token, &scope, arena, &token, err) != 0)
        return -1;
    if (key->option)
        return request_option_set(key->option, &scope, tvalue_string(token), options, err);
    if (expression_text(&key->header, &scope, arena, &name, err) != 0)
        return -1;
    return options_put(options, OPTION_HEADER, tvalue_string(name), tvalue_string(token), "the authenticator",
                       err);
}

const struct authenticator_class authenticator_api_key = {
    .type = "ApiKeyAuthenticator", .compile = api_key_compile, .add = api_key_add};

/* --- BearerAuthenticator
 * ------------------------------------------------------------------------------------ */

static int bearer_compile(struct authenticator *authenticator, struct error *err)
{
    struct expression *token = authenticator->state =
        arena_zalloc(&authenticator->engine->arena, sizeof *token);
    return expression_compile(authenticator->engine, authenticator->where, "api_token", token, err);
}

static int bearer_add(struct authenticator *authenticator, struct arena *arena, struct options *options,
                      struct error *err)
{
    struct scope scope = scope_of(authenticator);
    struct slice token;
    if (expression_text(authenticator->state, &scope, arena, &token, err) != 0)
        return -1;
    return authenticator_put_bearer(options, token, err);
}

const struct authenticator_class authenticator_bearer = {
    .type = "BearerAuthenticator", .compile = bearer_compile, .add = bearer_add};

/* --- BasicHttpAuthenticator
 * ---------------------------------------------------------------------------------- */

struct basic {
    struct expression username, password;
};

static int basic_compile(struct authenticator *authenticator, struct error *err)
{
    struct engine *engine = authenticator->engine;
    struct basic *basic = authenticator->state = arena_zalloc(&engine->arena, sizeof *basic);
    if (expression_compile(engine, authenticator->where, "username", &basic->username, err) != 0)
        return -1;
    return expression_compile(engine, authenticator->where, "password", &basic->password, err);
}

static int basic_add(struct authenticator *authenticator, struct arena *arena, struct options *options,
                     struct error *err)
{
    const struct basic *basic = authenticator->state;
    struct scope scope = scope_of(authenticator);
    struct slice username, password;
    if (expression_text(&basic->username, &scope, arena, &username, err) != 0 ||
        expression_text(&basic->password, &scope, arena, &password, err) != 0)
        return -1;
    struct ttext pair, value;
    ttext_init(&pair, arena, SIZE_MAX);
    ttext_slice(&pair, username);
    ttext_byte(&pair, ':');
    ttext_slice(&pair, password);
    ttext_init(&value, arena, SIZE_MAX);
    ttext_cstring(&value, "Basic ");
    authenticator_base64(&value, ttext_slice_of(&pair));
    return options_put(options, OPTION_HEADER, tvalue_cstring("Authorization"),
                       tvalue_string(ttext_slice_of(&value)), "the authenticator", err);
}

const struct authenticator_class authenticator_basic = {
    .type = "BasicHttpAuthenticator", .compile = basic_compile, .add = basic_add};

void authenticator_base64(struct ttext *out, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *data = (const unsigned char *)bytes.data;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                         (left > 2 ? data[i + 2] : 0);
        ttext_byte(out, digits[group >> 18]);
        ttext_byte(out, digits[group >> 12 & 63]);
        ttext_byte(out, left > 1 ? digits[group >> 6 & 63] : '=');
        ttext_byte(out, left > 2 ? digits[group & 63] : '=');
    }
}

/* --- SelectiveAuthenticator
 * ---------------------------------------------------------------------------------- */

/* The config's value at the path, as text; data NULL: there is none. */
static struct slice selected(const struct authenticator *authenticator, struct component path)
{
    struct arena *arena = &authenticator->engine->arena;
    struct tvalue value = authenticator->engine->config;
    for (size_t i = 0; i < component_count(path); i++) {
        struct component step = component_at(path, i);
        struct slice name = json_string(&step.manifest->doc, step.at, arena);
        if (!tvalue_is_mapping(&value) || !tvalue_member_name(arena, &value, name, &value))
            return (struct slice){NULL, 0};
    }
    struct ttext text;
    ttext_init(&text, arena, 1 << 10);
    tvalue_str(&text, &value);
    return ttext_slice_of(&text);
}

static int selective_compile(struct authenticator *authenticator, struct error *err)
{
    struct component where = authenticator->where;
    struct slice name = selected(authenticator, component_get(where, "authenticator_selection_path"));
    struct component choices = component_get(where, "authenticators");
    if (!name.data) {
        error_set(err, ERROR_INVALID, "the config has nothing at authenticator_selection_path");
        return component_error(err, where);
    }
    const struct json *doc = &choices.manifest->doc;
    struct component chosen = {choices.manifest, json_get_slice(doc, choices.at, name)};
    if (component_is_none(chosen)) {
        error_set(err, ERROR_INVALID,
                  "the config asks for the authenticator \"%.*s\", which is not among these",
                  (int)utf8_cut(name.data, name.size, 100), name.data);
        return component_error(err, where);
    }
    struct authenticator *inner;
    if (authenticator_compile(authenticator->engine, chosen, authenticator->requester, &inner, err) != 0)
        return -1;
    authenticator->state = inner;
    return 0;
}

const struct authenticator_class authenticator_selective = {
    .type = "SelectiveAuthenticator", .compile = selective_compile, .chooses = true};
