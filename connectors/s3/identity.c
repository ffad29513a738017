#include "connectors/s3/identity.h"

#include "base/clock.h"
#include "base/file.h"
#include "connectors/s3/s3.h"
#include "connectors/s3/xml.h"
#include "json/json.h"

#include <stdlib.h>

enum {
    EARLY_MS = 5 * 60 * 1000, /* before they expire, credentials are fetched anew */
    AGAIN_MS = 60 * 1000,     /* … but not more often than this */
    TOKEN_MAX = 64 << 10,
};

/* Credentials that are held; fetched ones until they expire. */
struct held {
    char *key_id, *secret, *token;
    int64_t renew_ms; /* INT64_MAX: never */
};

struct s3_identity {
    struct held own, assumed;
    struct s3_credentials credentials;
    char *container; /* a URL that gives our own; NULL: they are given */
    char *role, *external_id, *region, *sts;
};

static bool given(const char *text)
{
    return text && *text;
}

static char *copy(const char *text)
{
    return given(text) ? mem_strdup(text) : NULL;
}

static void drop(struct held *held)
{
    free(held->key_id);
    free(held->secret);
    free(held->token);
    *held = (struct held){.renew_ms = INT64_MIN};
}

/* --- what is given ---------------------------------------------------------------------------------------
 */

static char *container_url(void)
{
    const char *relative = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
               *full = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    return given(relative) ? mem_printf("http://169.254.170.2%s", relative) : copy(full);
}

static void take_own(struct s3_identity *identity, const struct s3_settings *settings)
{
    bool own = given(settings->key_id) && given(settings->secret);
    struct held *held = &identity->own;
    held->key_id = copy(own ? settings->key_id : getenv("AWS_ACCESS_KEY_ID"));
    held->secret = copy(own ? settings->secret : getenv("AWS_SECRET_ACCESS_KEY"));
    held->token = copy(own ? settings->token : getenv("AWS_SESSION_TOKEN"));
    held->renew_ms = INT64_MAX;
    if (held->key_id && held->secret)
        return;
    drop(held);
    identity->container = container_url();
    if (!identity->container)
        held->renew_ms = INT64_MAX;
}

static char *sts_of(const char *region, const char *endpoint)
{
    const char *named = getenv("AWS_ENDPOINT_URL_STS");
    if (!given(named))
        named = given(endpoint) ? endpoint : getenv("AWS_ENDPOINT_URL");
    if (given(named)) {
        char *url = mem_printf("%s%s", strstr(named, "://") ? "" : "https://", named);
        for (size_t size = strlen(url); size && url[size - 1] == '/';)
            url[--size] = '\0';
        return url;
    }
    const char *domain = string_starts_with(region, "cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    return mem_printf("https://sts.%s.%s", region, domain);
}

struct s3_identity *s3_identity_new(const struct s3_settings *settings, const char *region,
                                    const char *endpoint)
{
    struct s3_identity *identity = mem_zalloc(sizeof *identity);
    identity->own.renew_ms = identity->assumed.renew_ms = INT64_MAX;
    if (settings->anonymous)
        return identity;
    take_own(identity, settings);
    if (given(settings->role_arn)) {
        identity->role = mem_strdup(settings->role_arn);
        identity->external_id = copy(given(settings->external_id) ? settings->external_id
                                                                  : getenv("AWS_ASSUME_ROLE_EXTERNAL_ID"));
        identity->region = mem_strdup(region);
        identity->sts = sts_of(region, endpoint);
        identity->assumed.renew_ms = INT64_MIN;
    }
    return identity;
}

void s3_identity_free(struct s3_identity *identity)
{
    if (!identity)
        return;
    drop(&identity->own);
    drop(&identity->assumed);
    free(identity->container);
    free(identity->role);
    free(identity->external_id);
    free(identity->region);
    free(identity->sts);
    free(identity);
}

/* --- what is fetched -------------------------------------------------------------------------------------
 */

static void keep_until(struct held *held, const char *expires)
{
    int64_t at, now = clock_wall_ms(&clock_system);
    held->renew_ms = INT64_MAX;
    if (given(expires) && clock_parse_rfc3339(expires, strlen(expires), &at))
        held->renew_ms = at - EARLY_MS > now + AGAIN_MS ? at - EARLY_MS : now + AGAIN_MS;
}

static int refused(const struct http_response *response, const char *what, const char *why, struct error *err)
{
    error_set(err, response->status >= 500 ? ERROR_IO : ERROR_INVALID,
              "cannot %s: the server answers %d%s%.300s", what, response->status, given(why) ? ": " : "",
              why ? why : "");
    err->retriable = http_status_may_pass(response->status);
    string_one_line(err->message);
    return -1;
}

static int take_container(struct held *held, const struct http_response *response, struct error *err)
{
    struct arena arena;
    struct json doc;
    arena_init(&arena);
    int result = json_parse_copy(&arena, response->body.data, response->body.size, &doc, err);
    if (result == 0) {
        drop(held);
        held->key_id = copy(json_cstring(&doc, json_get(&doc, 0, "AccessKeyId"), &arena));
        held->secret = copy(json_cstring(&doc, json_get(&doc, 0, "SecretAccessKey"), &arena));
        held->token = copy(json_cstring(&doc, json_get(&doc, 0, "Token"), &arena));
        keep_until(held, json_cstring(&doc, json_get(&doc, 0, "Expiration"), &arena));
    }
    arena_done(&arena);
    if (result == 0 && held->key_id && held->secret)
        return 0;
    drop(held);
    return error_set(err, ERROR_PROTOCOL, "the container's credentials are not what AWS gives a container");
}

/* As ECS, EKS and what behaves like them give them to what runs inside. */
static int fetch_container(struct s3_identity *identity, struct http_client *http, struct error *err)
{
    static const char what[] = "fetch the credentials of the container";
    const char *file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *given_token = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    const struct http_backoff backoff = {0};
    struct buffer token;
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    buffer_init(&token, TOKEN_MAX);
    int result = given(file) ? file_read(file, TOKEN_MAX, &token, err) : 0;
    if (!given(file))
        buffer_str(&token, given_token ? given_token : "");
    while (token.size && (token.data[token.size - 1] == '\n' || token.data[token.size - 1] == '\r'))
        token.size--;
    const struct http_header header = {.name = "Authorization", .value = buffer_cstr(&token), .secret = true};
    const struct http_request request = {.url = identity->container,
                                         .headers = &header,
                                         .header_count = token.size ? 1 : 0,
                                         .redirects_max = -1};
    if (result == 0)
        result = http_do_patiently(http, &request, &backoff, &transfer, err);
    if (result < 0)
        error_wrap(err, "%s", what);
    buffer_done(&token);
    const struct http_response *response = result == 0 ? http_transfer_response(transfer) : NULL;
    if (response && response->status != 200)
        return refused(response, what, NULL, err);
    return response ? take_container(&identity->own, response, err) : -1;
}

static char *text_in(struct slice xml, const char *name)
{
    struct slice inside = {0};
    struct buffer text;
    if (!s3_xml_find(xml, name, &inside))
        return NULL;
    buffer_init(&text, TOKEN_MAX);
    s3_xml_text(inside, &text);
    return buffer_steal(&text);
}

static int take_role(struct s3_identity *identity, const struct http_response *response, struct error *err)
{
    auto_free char *what = mem_printf("assume the role %.200s", identity->role);
    auto_free char *why = text_in(response->body, "Message"),
                   *expires = text_in(response->body, "Expiration");
    struct held *held = &identity->assumed;
    if (response->status != 200)
        return refused(response, what, why, err);
    drop(held);
    held->key_id = text_in(response->body, "AccessKeyId");
    held->secret = text_in(response->body, "SecretAccessKey");
    held->token = text_in(response->body, "SessionToken");
    keep_until(held, expires);
    if (given(held->key_id) && given(held->secret) && given(held->token))
        return 0;
    drop(held);
    return error_set(err, ERROR_PROTOCOL, "cannot %s: the answer has no credentials", what);
}

static int assume_role(struct s3_identity *identity, struct http_client *http, struct error *err)
{
    const struct held *own = &identity->own;
    const struct s3_credentials credentials = {own->key_id, own->secret, own->token};
    struct buffer body, authorization;
    char hash[S3_SHA256_TEXT], time[17];
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    if (!own->key_id)
        return error_set(
            err, ERROR_INVALID,
            "a role is assumed by somebody: give an access key, in the config or the environment");
    buffer_init(&body, BUFFER_UNLIMITED);
    buffer_init(&authorization, BUFFER_UNLIMITED);
    s3_query(&body, "Action", "AssumeRole");
    s3_query(&body, "RoleArn", identity->role);
    s3_query(&body, "RoleSessionName", "firth");
    s3_query(&body, "Version", "2011-06-15");
    if (identity->external_id)
        s3_query(&body, "ExternalId", identity->external_id);
    const struct slice bytes = {body.data, body.size};
    s3_sha256(bytes, hash);
    s3_time(clock_wall_ms(&clock_system), time);
    auto_free char *url = mem_printf("%s/", identity->sts);
    const struct s3_signed_header signed_headers[] = {{"host", strstr(identity->sts, "://") + 3},
                                                      {"x-amz-content-sha256", hash},
                                                      {"x-amz-date", time},
                                                      {"x-amz-security-token", own->token}};
    const struct s3_to_sign to_sign = {.method = "POST",
                                       .path = "/",
                                       .query = "",
                                       .headers = signed_headers,
                                       .header_count = own->token ? 4 : 3,
                                       .payload_hash = hash,
                                       .region = identity->region,
                                       .service = "sts",
                                       .time = time};
    s3_authorization(&to_sign, &credentials, &authorization);
    const struct http_header headers[] = {
        {.name = "x-amz-content-sha256", .value = hash},
        {.name = "x-amz-date", .value = time},
        {.name = "Authorization", .value = buffer_cstr(&authorization)},
        {.name = "Content-Type", .value = "application/x-www-form-urlencoded"},
        {.name = "x-amz-security-token", .value = own->token, .secret = true}};
    const struct http_request request = {.method = "POST",
                                         .url = url,
                                         .headers = headers,
                                         .header_count = own->token ? 5 : 4,
                                         .body = bytes,
                                         .redirects_max = -1};
    const struct http_backoff backoff = {0};
    int result = http_do_patiently(http, &request, &backoff, &transfer, err);
    if (result == 0)
        result = take_role(identity, http_transfer_response(transfer), err);
    else
        error_wrap(err, "assume the role %.200s", identity->role);
    buffer_done(&body);
    buffer_done(&authorization);
    return result;
}

int s3_identity_ready(struct s3_identity *identity, struct http_client *http, struct error *err)
{
    int64_t now = clock_wall_ms(&clock_system);
    bool assumes = identity->role && identity->assumed.renew_ms <= now;
    bool is_needed = !identity->role || assumes; /* what we are ourselves */
    if (identity->container && is_needed && identity->own.renew_ms <= now &&
        fetch_container(identity, http, err) < 0)
        return -1;
    if (assumes && assume_role(identity, http, err) < 0)
        return -1;
    const struct held *held = identity->role ? &identity->assumed : &identity->own;
    identity->credentials = (struct s3_credentials){held->key_id, held->secret, held->token};
    return 0;
}

const struct s3_credentials *s3_identity_credentials(const struct s3_identity *identity)
{
    return identity->credentials.key_id ? &identity->credentials : NULL;
}
