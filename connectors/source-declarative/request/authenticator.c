#include "auth.h"

#include "parts.h"

static int add_nothing(struct authenticator *authenticator, struct arena *arena, struct options *options,
                       struct error *err)
{
    (void)authenticator, (void)arena, (void)options, (void)err;
    return 0;
}

static const struct authenticator_class no_auth = {.type = "NoAuth", .add = add_nothing};

static const struct authenticator_class *const classes[] = {
    &no_auth,
    &authenticator_api_key,
    &authenticator_basic,
    &authenticator_bearer,
    &authenticator_jwt,
    &authenticator_oauth,
    &authenticator_rotating,
    &authenticator_selective,
    &authenticator_session,
    &authenticator_legacy_session,
};

/* The same component where nothing tells them apart: what it is, and the parameters that its templates see.
 */
static bool is_same(struct component a, struct component b)
{
    return json_equal(&a.manifest->doc, a.at, &b.manifest->doc, b.at);
}

/* A session is one with the URL that it was begun at. */
static bool is_same_place(const struct authenticator *known, struct component requester)
{
    if (known->class != &authenticator_legacy_session)
        return true;
    struct slice a = component_text(known->requester, "url_base"), b = component_text(requester, "url_base");
    return a.data && b.data && slice_equal(a, b);
}

int authenticator_compile(struct engine *engine, struct component component, struct component requester,
                          struct authenticator **ret_authenticator, struct error *err)
{
    const struct authenticator_class *class = component_is_none(component) ? &no_auth : NULL;
    for (size_t i = 0; !class && i < sizeof classes / sizeof *classes; i++) {
        if (component_is(component, classes[i]->type))
            class = classes[i];
    }
    if (!class) {
        error_set(err, ERROR_UNSUPPORTED, "this authenticator is not one that Firth has");
        return component_error(err, component);
    }
    for (struct authenticator *known = engine->authenticators; known; known = known->next) {
        if (known->class == class &&
            (class == &no_auth || (is_same(known->where, component) && is_same_place(known, requester)))) {
            *ret_authenticator = known;
            return 0;
        }
    }
    struct authenticator *authenticator = arena_zalloc(&engine->arena, sizeof *authenticator);
    authenticator->class = class;
    authenticator->engine = engine;
    authenticator->where = component;
    authenticator->requester = requester;
    if (class->compile && class->compile(authenticator, err) != 0)
        return -1;
    if (class->chooses) {
        *ret_authenticator = authenticator->state;
        return 0;
    }
    authenticator->next = engine->authenticators;
    engine->authenticators = authenticator;
    *ret_authenticator = authenticator;
    return 0;
}

int authenticator_add(struct authenticator *authenticator, struct arena *arena, struct options *options,
                      struct error *err)
{
    return authenticator->class->add(authenticator, arena, options, err);
}

int authenticator_sign(struct authenticator *authenticator, struct arena *arena, struct prepared *prepared,
                       struct error *err)
{
    const struct authenticator_class *class = authenticator->class;
    return class->sign ? class->sign(authenticator, arena, prepared, err) : 0;
}

int authenticator_sign_again(struct authenticator *authenticator, struct arena *arena,
                             struct prepared *prepared, struct error *err)
{
    struct options options;
    struct titer iter;
    struct tvalue name;
    options_new(&options, arena);
    if (authenticator_add(authenticator, arena, &options, err) != 0)
        return -1;
    if (titer_init(&iter, arena, options.in[OPTION_HEADER])) {
        while (titer_next(&iter, &name))
            prepared_put_header(prepared, arena, &name, &iter.of_key);
    }
    return authenticator_sign(authenticator, arena, prepared, err);
}

void authenticator_told(struct authenticator *authenticator, const struct prepared *prepared,
                        const struct http_response *response)
{
    if (authenticator->class->told)
        authenticator->class->told(authenticator, prepared, response);
}

bool authenticator_may_rotate(struct authenticator *authenticator, const struct prepared *prepared)
{
    const struct authenticator_class *class = authenticator->class;
    return class->may_rotate && class->may_rotate(authenticator, prepared);
}

bool authenticator_can_refresh(const struct authenticator *authenticator)
{
    return authenticator->class->refresh;
}

int authenticator_refresh(struct authenticator *authenticator, const struct prepared *sent, struct error *err)
{
    return authenticator->class->refresh(authenticator, sent, err);
}

int authenticator_put_bearer(struct options *options, struct slice token, struct error *err)
{
    char *value = arena_printf(options->arena, "Bearer %.*s", SLICE_ARGS(token));
    return options_put(options, OPTION_HEADER, tvalue_cstring("Authorization"), tvalue_cstring(value),
                       "the authenticator", err);
}
