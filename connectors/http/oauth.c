#include "connectors/http/oauth.h"

#include "json/json.h"
#include "json/writer.h"

#include <stdlib.h>

struct oauth {
    struct http_client *client;
    struct oauth_settings settings;
    char *token, *refresh_token; /* refresh_token: what the server gave instead */
    int64_t expires_ms;
};

struct oauth *oauth_new(struct http_client *client, const struct oauth_settings *settings)
{
    struct oauth *oauth = mem_zalloc(sizeof *oauth);
    oauth->client = client;
    oauth->settings = *settings;
    if (!oauth->settings.clock)
        oauth->settings.clock = &clock_system;
    return oauth;
}

void oauth_forget(struct oauth *oauth)
{
    free(oauth->token);
    oauth->token = NULL;
}

void oauth_free(struct oauth *oauth)
{
    if (!oauth)
        return;
    oauth_forget(oauth);
    free(oauth->refresh_token);
    free(oauth);
}

const char *oauth_new_refresh_token(const struct oauth *oauth)
{
    return oauth->refresh_token;
}

/* --- what is asked ---------------------------------------------------------------------------------------
 */

static void put_field(struct buffer *form, const char *name, const char *value)
{
    if (!value)
        return;
    if (form->size)
        buffer_byte(form, '&');
    buffer_str(form, name);
    buffer_byte(form, '=');
    http_url_encode(form, slice_of(value), NULL);
}

static void write_claims(const struct oauth_settings *settings, struct buffer *out)
{
    int64_t now = clock_wall_ms(settings->clock) / 1000;
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_string(&writer, "iss", settings->issuer);
    if (settings->subject)
        json_member_string(&writer, "sub", settings->subject);
    if (settings->scope)
        json_member_string(&writer, "scope", settings->scope);
    json_member_string(&writer, "aud", settings->audience ? settings->audience : settings->token_url);
    json_member_i64(&writer, "iat", now);
    json_member_i64(&writer, "exp", now + OAUTH_LIFETIME_MS / 1000);
    json_end_object(&writer);
}

static int put_assertion(const struct oauth_settings *settings, struct buffer *form, struct error *err)
{
    struct buffer header, claims, token;
    struct json_writer writer;
    buffer_init(&header, 16 << 10);
    buffer_init(&claims, 64 << 10);
    buffer_init(&token, 256 << 10);
    json_writer_init(&writer, &header);
    json_begin_object(&writer);
    json_member_string(&writer, "alg", settings->key.algorithm);
    json_member_string(&writer, "typ", "JWT");
    if (settings->key_id)
        json_member_string(&writer, "kid", settings->key_id);
    json_end_object(&writer);
    write_claims(settings, &claims);
    int result = jwt_sign(&settings->key, (struct slice){header.data, header.size},
                          (struct slice){claims.data, claims.size}, &token, err);
    if (result == 0) {
        put_field(form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
        put_field(form, "assertion", buffer_cstr(&token));
    }
    buffer_done(&header);
    buffer_done(&claims);
    buffer_done(&token);
    return result;
}

static int write_form(const struct oauth *oauth, struct buffer *form, struct error *err)
{
    const struct oauth_settings *settings = &oauth->settings;
    if (settings->issuer)
        return put_assertion(settings, form, err);
    put_field(form, "grant_type", "refresh_token");
    put_field(form, "client_id", settings->client_id);
    put_field(form, "client_secret", settings->client_secret);
    put_field(form, "refresh_token", oauth->refresh_token ? oauth->refresh_token : settings->refresh_token);
    put_field(form, "scope", settings->scope);
    return 0;
}

/* --- what is answered --------------------------------------------------------------------------------------
 */

static int refused(const struct http_response *response, const struct json *answer, struct arena *arena,
                   struct error *err)
{
    const char *code = answer ? json_cstring(answer, json_get(answer, 0, "error"), arena) : NULL;
    const char *why = answer ? json_cstring(answer, json_get(answer, 0, "error_description"), arena) : NULL;
    bool may_pass = http_status_may_pass(response->status);
    struct buffer shown;
    buffer_init(&shown, 1 << 10);
    http_url_shown(response->url, &shown);
    error_set(err, may_pass ? ERROR_IO : ERROR_INVALID, "%s gives no access token: status %d%s%.100s%s%.300s",
              buffer_cstr(&shown), response->status, code ? ", " : "", code ? code : "", why ? ": " : "",
              why ? why : "");
    err->retriable = may_pass;
    error_make_printable(err);
    buffer_done(&shown);
    return -1;
}

static char *text_of(const struct json *answer, const char *name, struct arena *arena)
{
    const char *text = json_cstring(answer, json_get(answer, 0, name), arena);
    return text && *text ? mem_strdup(text) : NULL;
}

/* Some servers say the seconds as a text. */
static int64_t lifetime_ms(const struct json *answer, struct arena *arena)
{
    uint32_t at = json_get(answer, 0, "expires_in");
    const char *text = json_cstring(answer, at, arena);
    int64_t seconds = 0;
    bool said = text ? string_to_i64(text, &seconds) : json_to_i64(answer, at, &seconds);
    enum { SECONDS_MAX = 1000 * 24 * 3600 };
    if (!said || seconds < 0)
        return OAUTH_LIFETIME_MS;
    return (seconds < SECONDS_MAX ? seconds : SECONDS_MAX) * 1000;
}

static int take_answer(struct oauth *oauth, const struct http_response *response, struct error *err)
{
    struct arena arena;
    struct json answer;
    struct error broken;
    arena_init(&arena);
    bool is_json = json_parse_answer(&arena, response->body.data, response->body.size, &answer, &broken) == 0;
    int result = 0;
    if (response->status / 100 == 2 && is_json && (oauth->token = text_of(&answer, "access_token", &arena))) {
        char *fresh = text_of(&answer, "refresh_token", &arena);
        if (fresh) {
            free(oauth->refresh_token);
            oauth->refresh_token = fresh;
        }
        oauth->expires_ms = clock_wall_ms(oauth->settings.clock) + lifetime_ms(&answer, &arena);
    } else {
        result = refused(response, is_json ? &answer : NULL, &arena, err);
    }
    arena_done(&arena);
    return result;
}

static int fetch(struct oauth *oauth, struct error *err)
{
    static const struct http_backoff patience;
    const struct http_header headers[] = {{"Content-Type", "application/x-www-form-urlencoded"},
                                          {"Accept", "application/json"}};
    struct buffer form;
    buffer_init(&form, 1 << 20);
    if (write_form(oauth, &form, err) < 0) {
        buffer_done(&form);
        return -1;
    }
    /* A redirect would take the credentials along. */
    struct http_request request = {.method = "POST",
                                   .url = oauth->settings.token_url,
                                   .headers = headers,
                                   .header_count = sizeof headers / sizeof *headers,
                                   .body = {buffer_cstr(&form), form.size},
                                   .response_max = OAUTH_ANSWER_MAX,
                                   .redirects_max = -1};
    struct http_transfer *transfer = NULL;
    int result =
        http_do_patiently(oauth->client, &request,
                          oauth->settings.backoff ? oauth->settings.backoff : &patience, &transfer, err);
    if (result == 0)
        result = take_answer(oauth, http_transfer_response(transfer), err);
    http_transfer_free(transfer);
    explicit_bzero(form.data, form.size);
    buffer_done(&form);
    return result;
}

int oauth_token(struct oauth *oauth, const char **ret_token, struct error *err)
{
    if (oauth->token && clock_wall_ms(oauth->settings.clock) >= oauth->expires_ms - OAUTH_EARLY_MS)
        oauth_forget(oauth);
    if (!oauth->token && fetch(oauth, err) < 0)
        return -1;
    *ret_token = oauth->token;
    return 0;
}
