/* What is asked for a token. */
#include "oauth.h"

#include "url.h"

#include <strings.h>

bool oauth_at_path(struct arena *arena, struct tvalue value, const struct config_path *path,
                   struct tvalue *ret_value)
{
    for (size_t i = 0; i < path->count; i++) {
        if (!tvalue_is_mapping(&value) || !tvalue_member_name(arena, &value, path->names[i], &value))
            return false;
    }
    *ret_value = value;
    return value.kind != TVALUE_NONE;
}

/* One that is none is left out, as in the CDK; an empty one is sent. */
static int put(struct tdict *dict, const struct expression *name, const struct expression *value,
               struct scope *scope, struct arena *arena, struct error *err)
{
    struct slice key;
    struct tvalue text;
    if (expression_is_absent(value))
        return 0;
    if (expression_text(name, scope, arena, &key, err) != 0 ||
        expression_string(value, scope, arena, &text, err) != 0)
        return -1;
    if (text.kind != TVALUE_NONE)
        tdict_set(arena, dict, tvalue_string(key), tvalue_string(tvalue_text(arena, &text)));
    return 0;
}

/* In the config, where the platform may have put what it is; else in the manifest. Where tokens are kept in
 * the config, what is in neither is sent empty, as in the CDK. */
static int put_client(struct authenticator *authenticator, const struct expression *name,
                      const struct expression *value, const char *member, struct scope *scope,
                      struct arena *arena, struct tdict *dict, struct error *err)
{
    struct oauth_state *oauth = authenticator->state;
    const struct config_path path = {{SLICE_LITERAL("credentials"), slice_of(member)}, 2};
    struct slice key;
    struct tvalue there = tvalue_cstring("");
    if (!oauth->updates)
        return put(dict, name, value, scope, arena, err);
    if (!oauth_at_path(arena, authenticator->engine->config, &path, &there) && !expression_is_absent(value) &&
        expression_string(value, scope, arena, &there, err) != 0)
        return -1;
    if (there.kind == TVALUE_NONE)
        there = tvalue_cstring("");
    if (expression_text(name, scope, arena, &key, err) != 0)
        return -1;
    tdict_set(arena, dict, tvalue_string(key), tvalue_string(tvalue_text(arena, &there)));
    return 0;
}

static int put_assertion(struct oauth_state *oauth, struct scope *scope, struct arena *arena,
                         struct tdict *dict, struct error *err)
{
    struct slice token, name;
    if (jwt_parts_token(oauth->assertion, arena, &token, err) != 0 ||
        expression_text(&oauth->grant_name, scope, arena, &name, err) != 0)
        return -1;
    tdict_set(arena, dict, tvalue_string(name),
              tvalue_cstring("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    tdict_set_name(arena, dict, "assertion", tvalue_string(token));
    return 0;
}

/* An API may have clients without a secret; none without a name. Where tokens are kept in the config, the CDK
 * does not look. */
static int check_client(const struct authenticator *authenticator, struct scope *scope, struct arena *arena,
                        struct error *err)
{
    const struct oauth_state *oauth = authenticator->state;
    struct tvalue id;
    if (oauth->updates || expression_is_absent(&oauth->id))
        return 0;
    if (expression_string(&oauth->id, scope, arena, &id, err) != 0)
        return -1;
    if (id.kind != TVALUE_NONE && tvalue_text(arena, &id).size > 0)
        return 0;
    error_set(err, ERROR_INVALID, "client_id gives nothing");
    return component_error(err, authenticator->where);
}

static int put_grant(struct authenticator *authenticator, struct scope *scope, bool with_client,
                     struct arena *arena, struct tdict *dict, struct error *err)
{
    struct oauth_state *oauth = authenticator->state;
    if (put(dict, &oauth->grant_name, &oauth->grant, scope, arena, err) != 0 ||
        (with_client && check_client(authenticator, scope, arena, err) != 0) ||
        (with_client &&
         put_client(authenticator, &oauth->id_name, &oauth->id, "client_id", scope, arena, dict, err) != 0) ||
        (with_client && put_client(authenticator, &oauth->secret_name, &oauth->secret, "client_secret", scope,
                                   arena, dict, err) != 0))
        return -1;
    struct tvalue current = tvalue_cstring("");
    if (oauth->updates &&
        (oauth_at_path(arena, authenticator->engine->config, &oauth->refresh_path, &current) ||
         expression_is_absent(&oauth->refresh))) {
        tdict_set(arena, dict, tvalue_string(oauth->refresh_member), current);
        return 0;
    }
    return put(dict, &oauth->refresh_name, &oauth->refresh, scope, arena, err);
}

static int build_payload(struct authenticator *authenticator, struct scope *scope, bool with_client,
                         struct arena *arena, struct tvalue *ret_payload, struct error *err)
{
    struct oauth_state *oauth = authenticator->state;
    struct tvalue payload = *ret_payload = tvalue_dict(arena), more, name, there;
    struct titer iter;
    if (oauth->assertion)
        return put_assertion(oauth, scope, arena, payload.dict, err);
    if (put_grant(authenticator, scope, with_client, arena, payload.dict, err) != 0)
        return -1;
    if (component_count(oauth->scopes))
        tdict_set_name(arena, payload.dict, "scopes",
                       tvalue_json(arena, &oauth->scopes.manifest->doc, oauth->scopes.at));
    if (mapping_expression_flat(&oauth->body, scope, INTERPOLATE_ANY, INTERPOLATE_ANY, arena, &more, err) !=
        0)
        return -1;
    if (tvalue_is_mapping(&more) && titer_init(&iter, arena, more)) {
        while (titer_next(&iter, &name)) {
            if (!tdict_get(payload.dict, &name, &there)) /* the grant's own names win */
                tdict_set(arena, payload.dict, name, iter.of_key);
        }
    }
    return 0;
}

static int build_headers(const struct oauth_state *oauth, struct scope *scope, struct arena *arena,
                         struct http_request *request, bool *ret_authorized, struct error *err)
{
    struct tvalue dict, name;
    struct titer iter;
    bool typed = false;
    *ret_authorized = false;
    if (mapping_expression_flat(&oauth->headers, scope, INTERPOLATE_ANY, INTERPOLATE_ANY, arena, &dict,
                                err) != 0)
        return -1;
    struct http_header *headers = arena_alloc(arena, (tvalue_count(&dict) + 1) * sizeof *headers);
    request->headers = headers;
    if (tvalue_is_mapping(&dict) && titer_init(&iter, arena, dict)) {
        while (titer_next(&iter, &name)) {
            struct slice key = tvalue_text(arena, &name), value = tvalue_text(arena, &iter.of_key);
            struct http_header *header = &headers[request->header_count++];
            header->name = arena_strndup(arena, key.data, key.size);
            header->value = arena_strndup(arena, value.data, value.size);
            header->secret = true;
            *ret_authorized |= strcmp(header->name, "Authorization") == 0; /* so spelled, as in the CDK */
            typed |= strcasecmp(header->name, "Content-Type") == 0;
        }
    }
    if (!typed && (!oauth->in_query || oauth->assertion))
        headers[request->header_count++] =
            (struct http_header){"Content-Type", "application/x-www-form-urlencoded", false};
    return 0;
}

int oauth_request(struct authenticator *authenticator, struct arena *arena, struct http_request *ret_request,
                  struct error *err)
{
    struct oauth_state *oauth = authenticator->state;
    struct scope scope;
    struct slice url;
    struct tvalue payload, none = tvalue_dict(arena);
    bool authorized, in_query = oauth->in_query && !oauth->assertion;
    *ret_request = (struct http_request){.method = "POST", .response_max = TOKEN_ANSWER_MAX};
    scope_init(&scope, authenticator->engine);
    if (build_headers(oauth, &scope, arena, ret_request, &authorized, err) != 0 ||
        build_payload(authenticator, &scope, !authorized, arena, &payload, err) != 0 ||
        expression_text(&oauth->endpoint, &scope, arena, &url, err) != 0)
        return -1;
    if (url_prepare(arena, url, in_query ? &payload : &none, &url, err) != 0)
        return error_wrap(err, "token_refresh_endpoint"), component_error(err, authenticator->where);
    ret_request->url = url.data;
    if (!in_query) {
        struct ttext form;
        ttext_init(&form, arena, TOKEN_ANSWER_MAX);
        url_encode_form(&form, &payload);
        ret_request->body = ttext_slice_of(&form);
    }
    return 0;
}
