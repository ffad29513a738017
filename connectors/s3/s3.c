#include "s3.h"

#include "base/clock.h"
#include "bridge.h"
#include "connectors/s3/identity.h"
#include "connectors/s3/xml.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct s3 {
    struct http_client *http;
    char *bucket, *region, *origin, *host; /* "https://host:port", "host:port" */
    char *path;                            /* before the key: "/bucket/" or "/" */
    struct s3_identity *identity;
    struct firth_host *firth;
};

/* --- who and where ----------------------------------------------------------------------------------------
 */

static bool is_stopping(void *context)
{
    struct firth_host *host = context;
    return host && firth_stopping(host);
}

static bool given(const char *text)
{
    return text && *text;
}

/* A bucket's name goes into a host's name only where it can be one, and TLS certificates allow it. */
static bool may_be_host(const char *bucket)
{
    size_t size = strlen(bucket);
    return size >= 3 && size <= 63 && strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

static int take_place(struct s3 *s3, const struct s3_settings *settings, struct error *err)
{
    const char *endpoint = settings->endpoint;
    if (!given(endpoint))
        endpoint = getenv("AWS_ENDPOINT_URL_S3");
    if (!given(endpoint))
        endpoint = getenv("AWS_ENDPOINT_URL");
    if (!given(settings->bucket))
        return error_set(err, ERROR_INVALID, "bucket is empty");
    if (strchr(settings->bucket, '/'))
        return error_set(err, ERROR_INVALID,
                         "bucket '%.100s' must be a name alone; what follows it is the prefix",
                         settings->bucket);
    s3->bucket = mem_strdup(settings->bucket);
    s3->region = mem_strdup(given(settings->region) ? settings->region : "us-east-1");
    s3->path = mem_printf("/%s/", settings->bucket);
    if (!given(endpoint)) {
        bool by_host = may_be_host(settings->bucket);
        const char *domain = string_starts_with(s3->region, "cn-") ? "amazonaws.com.cn" : "amazonaws.com";
        s3->host = mem_printf("%s%ss3.%s.%s", by_host ? settings->bucket : "", by_host ? "." : "", s3->region,
                              domain);
        s3->origin = mem_printf("https://%s", s3->host);
        if (by_host)
            s3->path[1] = '\0';
        return 0;
    }
    bool scheme = strstr(endpoint, "://") != NULL;
    if (scheme && strncasecmp(endpoint, "http://", 7) != 0 && strncasecmp(endpoint, "https://", 8) != 0)
        return error_set(err, ERROR_INVALID, "endpoint '%.100s' must begin with https:// or http://",
                         endpoint);
    s3->origin = mem_printf("%s%s", scheme ? "" : "https://", endpoint);
    size_t size = strlen(s3->origin);
    while (size && s3->origin[size - 1] == '/')
        s3->origin[--size] = '\0';
    s3->host = mem_strdup(strstr(s3->origin, "://") + 3);
    if (strchr(s3->host, '/') || strchr(s3->host, '@'))
        return error_set(err, ERROR_INVALID,
                         "endpoint must be scheme, host and port alone, such as https://s3.example.com");
    return 0;
}

struct s3 *s3_new(const struct s3_settings *settings, struct error *err)
{
    struct s3 *s3 = mem_zalloc(sizeof *s3);
    const struct http_settings http = {.is_stopping = is_stopping,
                                       .context = settings->host,
                                       .hurried = settings->host && sdk_is_checking(settings->host)};
    s3->firth = settings->host;
    if (take_place(s3, settings, err) == 0 && (s3->http = http_client_new(&http, err))) {
        s3->identity =
            s3_identity_new(settings, given(settings->role_region) ? settings->role_region : s3->region,
                            given(settings->endpoint) ? s3->origin : NULL);
        return s3;
    }
    s3_free(s3);
    return NULL;
}

void s3_free(struct s3 *s3)
{
    if (!s3)
        return;
    http_client_free(s3->http);
    free(s3->bucket);
    free(s3->region);
    free(s3->origin);
    free(s3->host);
    free(s3->path);
    s3_identity_free(s3->identity);
    free(s3);
}

struct http_client *s3_http(struct s3 *s3)
{
    return s3->http;
}

const char *s3_bucket(const struct s3 *s3)
{
    return s3->bucket;
}

struct firth_host *s3_host(const struct s3 *s3)
{
    return s3->firth;
}

void s3_query(struct buffer *query, const char *name, const char *value)
{
    if (query->size)
        buffer_byte(query, '&');
    http_url_encode(query, slice_of(name), "");
    buffer_byte(query, '=');
    http_url_encode(query, slice_of(value), "");
}

/* --- requests ---------------------------------------------------------------------------------------------
 */

enum { HEADERS_MAX = 10 };

/* A request as it is sent, and all that it is made of. */
struct prepared {
    struct arena arena;
    struct http_header headers[HEADERS_MAX];
    struct http_request http;
};

static void add_header(struct prepared *prepared, const char *name, const char *value)
{
    prepared->headers[prepared->http.header_count++] = (struct http_header){.name = name, .value = value};
}

static const char *steal(struct arena *arena, struct buffer *buffer)
{
    const char *text = arena_strndup(arena, buffer->data ? buffer->data : "", buffer->size);
    buffer_done(buffer);
    return text;
}

static void sign(struct s3 *s3, const struct s3_credentials *credentials, const struct s3_request *request,
                 const char *path, struct prepared *prepared)
{
    char *hash = arena_alloc(&prepared->arena, S3_SHA256_TEXT), *time = arena_alloc(&prepared->arena, 17);
    s3_sha256(request->body, hash);
    s3_time(clock_wall_ms(&clock_system), time);
    add_header(prepared, "x-amz-content-sha256", hash);
    add_header(prepared, "x-amz-date", time);
    if (credentials->token)
        add_header(prepared, "x-amz-security-token", credentials->token);
    struct s3_signed_header headers[] = {{"host", s3->host},
                                         {"x-amz-content-sha256", hash},
                                         {"x-amz-date", time},
                                         {"x-amz-security-token", credentials->token}};
    const struct s3_to_sign to_sign = {.method = request->method,
                                       .path = path,
                                       .query = request->query ? request->query : "",
                                       .headers = headers,
                                       .header_count = credentials->token ? 4 : 3,
                                       .payload_hash = hash,
                                       .region = s3->region,
                                       .service = "s3",
                                       .time = time};
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    s3_authorization(&to_sign, credentials, &text);
    add_header(prepared, "Authorization", steal(&prepared->arena, &text));
}

static void prepare(struct s3 *s3, const struct s3_request *request, struct prepared *prepared)
{
    *prepared = (struct prepared){0};
    arena_init(&prepared->arena);
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_str(&text, s3->path);
    http_url_encode(&text, slice_of(request->key), "/");
    const char *path = steal(&prepared->arena, &text);
    prepared->http = (struct http_request){
        .method = request->method,
        .url = arena_printf(&prepared->arena, "%s%s%s%s", s3->origin, path, request->query ? "?" : "",
                            request->query ? request->query : ""),
        .headers = prepared->headers,
        .body = request->body,
        .sink = request->sink,
        .context = request->context,
        .redirects_max = -1, /* another place needs another signature */
        .as_sent = true,
        .plain_path = true,
    };
    const struct s3_credentials *credentials = s3_identity_credentials(s3->identity);
    if (credentials)
        sign(s3, credentials, request, path, prepared);
    if (request->from > 0)
        add_header(prepared, "Range", arena_printf(&prepared->arena, "bytes=%" PRId64 "-", request->from));
    if (request->if_match)
        add_header(prepared, "If-Match", request->if_match);
    if (request->content_type)
        add_header(prepared, "Content-Type", request->content_type);
}

static void told(void *context, unsigned attempt, uint64_t ms, const char *why)
{
    struct s3 *s3 = context;
    if (s3->firth)
        firth_log(s3->firth, FIRTH_WARN, "bucket %s: attempt %u failed (%s); again in %" PRIu64 " ms",
                  s3->bucket, attempt, why, ms);
}

int s3_do(struct s3 *s3, const struct s3_request *request, struct http_transfer **ret_transfer,
          struct error *err)
{
    struct prepared prepared;
    const struct http_backoff backoff = {.told = told, .context = s3};
    if (s3_ready(s3, err) < 0)
        return -1;
    prepare(s3, request, &prepared);
    int result = http_do_patiently(s3->http, &prepared.http, &backoff, ret_transfer, err);
    arena_done(&prepared.arena);
    return result;
}

int s3_ready(struct s3 *s3, struct error *err)
{
    return s3_identity_ready(s3->identity, s3->http, err);
}

struct http_transfer *s3_start(struct s3 *s3, const struct s3_request *request)
{
    struct prepared prepared;
    prepare(s3, request, &prepared);
    struct http_transfer *transfer = http_start(s3->http, &prepared.http, NULL);
    arena_done(&prepared.arena);
    return transfer;
}

/* --- what went wrong --------------------------------------------------------------------------------------
 */

static char *element(struct slice body, const char *name)
{
    struct slice inside;
    struct buffer text;
    if (!s3_xml_find(body, name, &inside))
        return mem_strdup("");
    buffer_init(&text, 1024);
    s3_xml_text(inside, &text);
    return buffer_steal(&text);
}

/* What a person can do about it; "" if that is not known. */
static const char *advice(int status, const char *code, const char *region)
{
    if (strcmp(code, "NoSuchBucket") == 0)
        return "; is the bucket's name right?";
    if (strcmp(code, "InvalidAccessKeyId") == 0)
        return "; is the access key id right?";
    if (strcmp(code, "SignatureDoesNotMatch") == 0)
        return "; is the secret access key right?";
    if (strcmp(code, "ExpiredToken") == 0)
        return "; the temporary credentials have expired";
    if (strcmp(code, "NoSuchUpload") == 0)
        return "; it was aborted, by another sync or session, a rule of the bucket, or hand";
    if (strcmp(code, "RequestTimeTooSkewed") == 0)
        return "; this machine's clock is wrong";
    if (strcmp(code, "AuthorizationHeaderMalformed") == 0 || strcmp(code, "PermanentRedirect") == 0 ||
        status == 301 || status == 307)
        return region && *region ? "" : "; is the region right?";
    if (status == 403)
        return "; the credentials may not do that (s3:ListBucket, s3:GetObject and s3:PutObject are what is "
               "needed)";
    return "";
}

int s3_check(struct s3 *s3, const struct s3_request *request, const struct http_response *response,
             const char *what, struct error *err)
{
    if (response->status >= 200 && response->status < 300)
        return 0;
    auto_free char *code = element(response->body, "Code"), *message = element(response->body, "Message");
    const char *region = http_response_header(response, "x-amz-bucket-region");
    enum error_code kind = strcmp(code, "NoSuchUpload") == 0 ? ERROR_BUSY
                           : response->status == 404         ? ERROR_NOT_FOUND
                           : response->status == 412         ? ERROR_BUSY
                           : response->status >= 500         ? ERROR_IO
                                                             : ERROR_INVALID;
    error_set(err, kind, "cannot %s s3://%s/%s: %s answers %d%s%s%s%.300s%s", what, s3->bucket, request->key,
              s3->host, response->status, *code ? " " : "", code, *message ? ": " : "", message,
              advice(response->status, code, region));
    if (region && *region && strcmp(region, s3->region) != 0)
        error_set(err, kind, "cannot %s s3://%s/%s: the bucket is in the region %s, not in %s", what,
                  s3->bucket, request->key, region, s3->region);
    err->retriable = http_status_may_pass(response->status);
    string_one_line(err->message);
    return -1;
}
