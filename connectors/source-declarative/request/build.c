/* From a requester and a call to a request: URL, options of everyone who has any, headers, body. */
#include "parts.h"

#include "url.h"

#include <strings.h>

static int own_options(struct requester *requester, struct scope *scope, struct options *options,
                       struct error *err)
{
    struct arena *arena = options->arena;
    enum { TEXTS = INTERPOLATE_STR | INTERPOLATE_LIST };
    struct tvalue values;
    if (mapping_expression_flat(&requester->parameters, scope, INTERPOLATE_STR, TEXTS, arena, &values, err) !=
        0)
        return -1;
    if (tvalue_is_mapping(&values)) { /* a text that is none is left out, as in the CDK */
        if (values.kind == TVALUE_DICT) {
            for (size_t i = 0; i < requester->property_count; i++) {
                struct tvalue name = tvalue_string(requester->properties[i].name), gone;
                tdict_remove(values.dict, &name, &gone);
            }
        }
        options->in[OPTION_PARAMETER] = values;
    }
    if (mapping_expression_flat(&requester->headers, scope, INTERPOLATE_ANY, INTERPOLATE_ANY, arena, &values,
                                err) != 0)
        return -1;
    if (!tvalue_is_mapping(&values)) {
        error_set(err, ERROR_INVALID, "request_headers gives a %s; it must give a dict",
                  tvalue_type(&values));
        return component_error(err, requester->headers.where);
    }
    options->in[OPTION_HEADER] = values;
    if (mapping_expression_flat(&requester->body_data, scope, INTERPOLATE_STR, TEXTS, arena, &values, err) !=
        0)
        return -1;
    if (!expression_is_absent(&requester->body_text) &&
        expression_string(&requester->body_text, scope, arena, &values, err) != 0)
        return -1;
    if (tvalue_is_mapping(&values) || (values.kind == TVALUE_STRING && values.text.size))
        options->in[OPTION_BODY_DATA] = values; /* a number is no body, as in the CDK */
    if (mapping_expression_nested(&requester->body_json, scope, arena, &values, err) != 0)
        return -1;
    if (!tvalue_is_mapping(&values)) {
        error_set(err, ERROR_INVALID, "the JSON body gives a %s; it must give a dict", tvalue_type(&values));
        return component_error(err, requester->body_json.where);
    }
    options->in[OPTION_BODY_JSON] = values;
    return 0;
}

static int build_url(struct requester *requester, const struct request_call *call, struct scope *scope,
                     const struct options *options, struct prepared *prepared, struct error *err)
{
    struct arena *arena = options->arena;
    struct slice base, path = call->path;
    if (expression_text(&requester->url, scope, arena, &base, err) != 0)
        return -1;
    if (!path.size && expression_text(&requester->path, scope, arena, &path, err) != 0)
        return -1;
    struct slice url = url_join_path(arena, base, path);
    struct titer iter;
    struct tvalue name, parameters = options->in[OPTION_PARAMETER];
    if (titer_init(&iter, arena, parameters)) {
        while (titer_next(&iter, &name)) {
            if (!tvalue_is_mapping(&iter.of_key))
                continue;
            error_set(err, ERROR_INVALID, "a parameter is a dict; it must be a text, a number or a list");
            return component_error(err, requester->where);
        }
    }
    parameters = url_without_repeated(arena, url, &parameters);
    if (url_prepare(arena, url, &parameters, &prepared->url, err) != 0)
        return component_error(err, requester->where);
    return 0;
}

static int build_body(const struct options *options, const char **ret_type, struct prepared *prepared,
                      struct error *err)
{
    const struct tvalue *data = &options->in[OPTION_BODY_DATA], *json = &options->in[OPTION_BODY_JSON];
    bool has_data = !tvalue_is_mapping(data) || tvalue_count(data) > 0, has_json = tvalue_count(json) > 0;
    struct ttext body;
    ttext_init(&body, options->arena, REQUEST_BODY_MAX);
    *ret_type = NULL;
    if (has_data && has_json)
        return error_set(err, ERROR_CONNECTOR,
                         "the request has a body of fields and one of JSON; it can have one");
    if (has_json) {
        struct tvalue wrong;
        if (tvalue_json_dumps(&body, json, (struct tvalue_json_style){.indent = -1}, &wrong) != 0)
            return error_set(err, ERROR_INVALID, "the JSON body holds a %s, which JSON has not",
                             tvalue_type(&wrong));
        *ret_type = "application/json";
    } else if (has_data && tvalue_is_mapping(data)) {
        url_encode_form(&body, data);
        *ret_type = "application/x-www-form-urlencoded";
    } else if (has_data) {
        ttext_slice(&body, data->text);
    }
    prepared->body = body.size ? ttext_slice_of(&body) : (struct slice){NULL, 0};
    return 0;
}

/* Python writes headers in Latin-1 where it can, else in UTF-8; UTF-8 always is what servers read today. */
static struct slice header_text(struct arena *arena, const struct tvalue *value)
{
    struct ttext text;
    ttext_init(&text, arena, HTTP_URL_MAX);
    tvalue_str(&text, value);
    ttext_byte(&text, '\0');
    return (struct slice){text.data, text.size - 1};
}

void prepared_set_header(struct prepared *prepared, struct arena *arena, const char *name, const char *value)
{
    size_t at = 0; /* of names that differ in case only, the last one counts */
    while (at < prepared->header_count && strcasecmp(prepared->headers[at].name, name) != 0)
        at++;
    if (at == prepared->header_room) {
        size_t room = prepared->header_room * 2 + 8;
        struct http_header *headers = arena_alloc(arena, room * sizeof *headers);
        if (at)
            memcpy(headers, prepared->headers, at * sizeof *headers);
        prepared->headers = headers;
        prepared->header_room = room;
    }
    /* Any may hold a token: it goes to this origin alone. */
    prepared->headers[at] = (struct http_header){name, value, true};
    prepared->header_count += at == prepared->header_count;
}

void prepared_put_header(struct prepared *prepared, struct arena *arena, const struct tvalue *name,
                         const struct tvalue *value)
{
    prepared_set_header(prepared, arena, header_text(arena, name).data, header_text(arena, value).data);
}

static void build_headers(const struct options *options, const char *content_type, struct prepared *prepared)
{
    struct arena *arena = options->arena;
    const struct tvalue *dict = &options->in[OPTION_HEADER];
    struct titer iter;
    struct tvalue name;
    bool typed = false;
    if (titer_init(&iter, arena, *dict)) {
        while (titer_next(&iter, &name)) {
            prepared_put_header(prepared, arena, &name, &iter.of_key);
            typed |= strcasecmp(header_text(arena, &name).data, "Content-Type") == 0;
        }
    }
    if (content_type && !typed)
        prepared_set_header(prepared, arena, "Content-Type", content_type);
}

enum { NAMES_LEFT = 4 }; /* of a scope, for what expressions add themselves */

/* What comes with the slice is there by its own names, too: query_properties, creation_response, … */
static void add_extra_fields(struct scope *scope, struct arena *arena, struct tvalue slice)
{
    struct tvalue name;
    struct titer iter;
    if (slice.kind != TVALUE_OBJECT)
        return;
    for (uint32_t i = 0; i < slice.object->attribute_count; i++) {
        const struct tattribute *attribute = &slice.object->attributes[i];
        if (strcmp(attribute->name, "extra_fields") != 0 || !titer_init(&iter, arena, attribute->value))
            continue;
        while (titer_next(&iter, &name) && scope->count + NAMES_LEFT < SCOPE_NAMES_MAX) {
            if (name.kind == TVALUE_STRING && !slice_is(name.text, "config"))
                scope_put(scope, name.text, iter.of_key);
        }
    }
}

int request_build(struct requester *requester, const struct request_call *call, struct arena *arena,
                  struct prepared *ret_prepared, struct error *err)
{
    struct scope scope;
    scope_init(&scope, requester->engine);
    scope_set_slice(&scope, call->stream_slice);
    scope_set(&scope, "next_page_token", call->next_page_token);
    add_extra_fields(&scope, arena, call->stream_slice);
    struct options options, auth;
    options_new(&options, arena);
    options_new(&auth, arena);
    auth.who = "the authenticator";
    struct prepared prepared = {.method = requester->method};
    const char *content_type;
    if (own_options(requester, &scope, &options, err) != 0)
        return -1;
    if (authenticator_add(requester->authenticator, arena, &auth, err) != 0)
        return -1;
    if (options_merge(&options, &auth, "the authenticator", err) != 0 ||
        (call->options && options_merge(&options, call->options, "the stream", err) != 0) ||
        build_body(&options, &content_type, &prepared, err) != 0)
        return component_error(err, requester->where);
    if (build_url(requester, call, &scope, &options, &prepared, err) != 0)
        return -1;
    build_headers(&options, content_type, &prepared);
    if (authenticator_sign(requester->authenticator, arena, &prepared, err) != 0)
        return -1;
    *ret_prepared = prepared;
    return 0;
}
