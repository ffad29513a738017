#include "ingest/request.h"

#include "base/clock.h"
#include "ingest/members.h"
#include "ingest/signature.h"
#include "json/writer.h"

#include <strings.h>

/* --- may it ------------------------------------------------------------------------------------------- */

/* Headers of which a second one would leave open what the request says. */
struct once {
    const char *names[4 + INGEST_SIGNATURE_HEADERS_MAX];
    unsigned seen;
    size_t count;
    const char *doubled;
};

static void look_once(void *context, const char *name, const char *value)
{
    struct once *once = context;
    (void)value;
    for (size_t i = 0; i < once->count; i++) {
        bool begins = (name[0] | 0x20) == (once->names[i][0] | 0x20); /* mostly not, and that is quick */
        if (!begins || strcasecmp(name, once->names[i]) != 0)
            continue;
        if (once->seen & 1U << i)
            once->doubled = once->names[i];
        once->seen |= 1U << i;
    }
}

/* NULL: none. */
static const char *doubled_header(const struct http_request *http, const struct catalog_ingest *options)
{
    struct once once = {.names = {"Authorization", "Content-Type", "Origin", options->id_header}, .count = 4};
    once.count += ingest_signature_headers(&options->signature, once.names + once.count);
    http_headers(http, look_once, &once);
    return once.doubled;
}

static bool origin_allowed(const char *origin, const struct catalog_ingest *options)
{
    for (size_t i = 0; i < options->origin_count; i++) {
        if (strcmp(options->origins[i], "*") == 0 || strcasecmp(options->origins[i], origin) == 0)
            return true;
    }
    return false;
}

/* From this machine, and through no proxy that has brought it here. */
static bool is_near(const struct http_request *http)
{
    return http->near && !http_header(http, "Forwarded") && !http_header(http, "X-Forwarded-For");
}

/* NULL: none. */
static const char *bearer_of(const struct http_request *http)
{
    static const char BEARER[] = "Bearer ";
    const char *given = http_header(http, "Authorization");
    return given && strncasecmp(given, BEARER, sizeof BEARER - 1) == 0 ? given + sizeof BEARER - 1 : NULL;
}

unsigned ingest_request_allowed(struct http_request *http, const struct catalog_ingest *options,
                                const char *token, bool open, const char **ret_why)
{
    const char *origin = http_header(http, "Origin"), *doubled = doubled_header(http, options);
    if (doubled) {
        *ret_why = arena_printf(&http->arena, "the header %s comes twice: which counts?", doubled);
        return 400;
    }
    /* A web page can send what it wants to a loopback address; its browser says where the page is from. */
    *ret_why = "this origin may not push here ('corsOrigins')";
    if (origin && !options->token && !origin_allowed(origin, options))
        return 403;
    if (options->token) {
        *ret_why = "a token is needed: Authorization: Bearer …";
        if (!token && !(token = bearer_of(http)))
            return 401;
        *ret_why = "the token is wrong";
        return ingest_secret_equal(slice_of(token), slice_of(options->token)) ? 0 : 403;
    }
    *ret_why = "only programs of the listener's own machine may push without a token: set 'authToken' or "
               "'signature', or start with --ingest-open";
    return open || options->signature.provider || is_near(http) ? 0 : 403;
}

bool ingest_request_cors(struct http_request *http, const struct catalog_ingest *options)
{
    const char *origin = http_header(http, "Origin");
    if (!origin)
        return false;
    http_answer_header(http, "Vary", "Origin");
    if (!origin_allowed(origin, options))
        return false;
    http_answer_header(http, "Access-Control-Allow-Origin", arena_strdup(&http->arena, origin));
    return true;
}

/* --- is it signed ------------------------------------------------------------------------------------- */

static const char *header_of(void *context, const char *name)
{
    return http_header(context, name);
}

static const char *url_of(struct http_request *http, const struct catalog_ingest *options,
                          const struct http_server *server)
{
    const char *host = http_header(http, "Host"), *sha = http_query(http, "bodySHA256", 0);
    const char *url = options->signature.url;
    if (!url)
        url = arena_printf(&http->arena, "%s://%s%s",
                           string_starts_with(http_url(server), "https") ? "https" : "http", host ? host : "",
                           http->path);
    /* The digest is signed with the URL, or any body would do for a signature of the URL alone. */
    return sha ? arena_printf(&http->arena, "%s%cbodySHA256=%s", url, strchr(url, '?') ? '&' : '?', sha)
               : url;
}

bool ingest_request_signed(const struct http_request *http, const struct catalog_ingest *options,
                           const struct http_server *server, const char **ret_why)
{
    if (!options->signature.provider)
        return true;
    const struct ingest_signed request = {.context = (void *)http,
                                          .header = header_of,
                                          .body = http->body,
                                          .url = url_of((struct http_request *)http, options, server),
                                          .body_sha256 = http_query(http, "bodySHA256", 0),
                                          .now = clock_wall_ms(&clock_system) / 1000};
    return ingest_signature_right(&options->signature, &request, ret_why);
}

/* --- what is told of it ------------------------------------------------------------------------------- */

struct told {
    struct ingest_members members;
    const struct catalog_ingest *options;
    const struct ingest_capture *capture; /* NULL: the options are a resource's own */
};

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_signature(const char *name, const struct catalog_ingest *options)
{
    const char *names[INGEST_SIGNATURE_HEADERS_MAX];
    return is_one_of(name, names, ingest_signature_headers(&options->signature, names));
}

/* Neither who may, nor what is said of the body. */
static bool is_left_out(const struct told *told, const char *name)
{
    static const char *const names[] = {"authorization",  "cookie",       "proxy-authorization",
                                        "x-api-key",      "x-auth-token", "content-type",
                                        "content-length", "accept",       "host"};
    bool left_out = is_one_of(name, names, sizeof names / sizeof *names) || is_signature(name, told->options);
    for (size_t i = 0; !left_out && told->capture && i < told->capture->binding_count; i++)
        left_out = is_signature(name, &told->capture->bindings[i].options);
    return left_out;
}

static void take_header(void *context, const char *name, const char *value)
{
    struct told *told = context;
    if (!is_left_out(told, name))
        ingest_members_add(&told->members, slice_of(name), slice_of(value));
}

static void take_query(void *context, const char *name, const char *value)
{
    static const char *const secrets[] = {"token", "access_token", "auth_token", "api_key"};
    struct told *told = context;
    if (!is_one_of(name, secrets, sizeof secrets / sizeof *secrets))
        ingest_members_add(&told->members, slice_of(name), slice_of(value));
}

static struct slice gather(struct http_request *http, struct told *told, bool headers)
{
    struct buffer text;
    struct json_writer writer;
    ingest_members_init(&told->members, headers ? INGEST_SEVERAL_JOINED : INGEST_SEVERAL_LISTED,
                        &http->arena);
    if (headers)
        http_headers(http, take_header, told);
    else
        http_query_all(http, take_query, told);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    ingest_members_write(&told->members, &writer);
    ingest_members_done(&told->members);
    struct slice copy = {arena_dup(&http->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

void ingest_request_origin_renew(struct ingest_origin *origin, const struct catalog_ingest *options,
                                 const char *id, struct arena *arena)
{
    char uuid[37], now[32];
    if (options->metadata & CATALOG_INGEST_META_ID) {
        random_uuid(uuid);
        origin->id = id && *id ? id : arena_strdup(arena, uuid);
    }
    if (options->metadata & CATALOG_INGEST_META_RECEIVED) {
        clock_format_rfc3339(clock_wall_ms(&clock_system), now, sizeof now);
        origin->received = arena_strdup(arena, now);
    }
}

void ingest_request_origin(struct http_request *http, const struct catalog_ingest *options,
                           const struct ingest_capture *capture, struct ingest_origin *ret_origin)
{
    struct told told = {.options = options, .capture = capture};
    unsigned wanted = options->metadata;
    *ret_origin = (struct ingest_origin){.path = http->path};
    ingest_request_origin_renew(ret_origin, options, http_header(http, options->id_header), &http->arena);
    if (wanted & CATALOG_INGEST_META_HEADERS)
        ret_origin->headers = gather(http, &told, true);
    if (wanted & CATALOG_INGEST_META_QUERY)
        ret_origin->query = gather(http, &told, false);
}

uint64_t ingest_request_second(void)
{
    return clock_monotonic_ns(&clock_system) / 1000000000;
}
