#include "catalog/ingest.h"

#include "json/json.h"

#include <assert.h>
#include <strings.h>

/* Read by tables of members: what each may be, and what an error says of the others. */

struct reading {
    struct json doc;
    struct arena *arena;
    const char **ret_pointer;
    struct error *err;
};

static int wrong(struct reading *reading, const char *pointer, const char *message)
{
    *reading->ret_pointer = arena_strdup(reading->arena, pointer);
    return error_set(reading->err, ERROR_INVALID, "%s", message);
}

/* Every member's name is one of these; NULL-terminated. */
static int check_names(struct reading *reading, uint32_t object, const char *pointer, const char *what,
                       const char *const *names)
{
    const char *list = "";
    size_t count = 0;
    for (; names[count]; count++)
        list = arena_printf(reading->arena, "%s%s%s", list, count ? ", " : "", names[count]);
    for (uint32_t key = json_first_key(&reading->doc, object); key != JSON_NONE;
         key = json_next_key(&reading->doc, object, key)) {
        struct slice text = json_string(&reading->doc, key, reading->arena);
        const char *name = arena_strndup(reading->arena, text.data, text.size);
        size_t i = 0;
        while (i < count && !slice_equal(text, slice_of(names[i])))
            i++;
        if (i < count)
            continue;
        const char *nearest = string_nearest(name, names, count);
        return wrong(reading, pointer,
                     nearest ? arena_printf(reading->arena, "unknown key '%.60s' in %s; did you mean '%s'?",
                                            name, what, nearest)
                             : arena_printf(reading->arena, "unknown key '%.60s' in %s; it may have: %s",
                                            name, what, list));
    }
    return 0;
}

/* --- members ------------------------------------------------------------------------------------------ */

/* 1: it is there; null stands for its absence. */
static int there(const struct reading *reading, uint32_t object, const char *name, uint32_t *ret_at)
{
    *ret_at = json_get(&reading->doc, object, name);
    return *ret_at != JSON_NONE && !json_is(&reading->doc, *ret_at, JSON_NULL);
}

static const char *pointer_to(struct reading *reading, const char *pointer, const char *name)
{
    return arena_printf(reading->arena, "%s/%s", pointer, name);
}

static int read_text(struct reading *reading, uint32_t object, const char *pointer, const char *name,
                     const char **value)
{
    uint32_t at;
    if (!there(reading, object, name, &at))
        return 0;
    struct slice text = {0};
    if (json_is(&reading->doc, at, JSON_STRING))
        text = json_string(&reading->doc, at, reading->arena);
    if (text.size == 0 || memchr(text.data, 0, text.size))
        return wrong(reading, pointer_to(reading, pointer, name),
                     arena_printf(reading->arena, "'%s' must be a text that is not empty", name));
    *value = arena_strndup(reading->arena, text.data, text.size);
    return 0;
}

static int read_number(struct reading *reading, uint32_t object, const char *name, uint64_t least,
                       uint64_t most, uint64_t *value)
{
    uint32_t at;
    uint64_t number;
    if (!there(reading, object, name, &at))
        return 0;
    if (!json_to_u64(&reading->doc, at, &number) || number < least || number > most)
        return wrong(reading, pointer_to(reading, "", name),
                     arena_printf(reading->arena, "'%s' must be a whole number from %llu to %llu", name,
                                  (unsigned long long)least, (unsigned long long)most));
    *value = number;
    return 0;
}

/* A member whose text is one of the words: its position into *value. */
static int read_word(struct reading *reading, uint32_t object, const char *pointer, const char *name,
                     const char *const *words, size_t count, int *value)
{
    const char *text = NULL;
    if (read_text(reading, object, pointer, name, &text) < 0)
        return -1;
    if (!text)
        return 0;
    const char *list = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *value = (int)i;
            return 0;
        }
        list = arena_printf(reading->arena, "%s%s'%s'", list, i ? ", " : "", words[i]);
    }
    return wrong(reading, pointer_to(reading, pointer, name),
                 arena_printf(reading->arena, "'%s' must be one of %s, not '%.60s'", name, list, text));
}

/* A header's name, as RFC 9110 has tokens. */
static int read_header(struct reading *reading, uint32_t object, const char *pointer, const char *name,
                       const char **value)
{
    const char *text = NULL;
    if (read_text(reading, object, pointer, name, &text) < 0)
        return -1;
    if (!text)
        return 0;
    if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") !=
        strlen(text))
        return wrong(
            reading, pointer_to(reading, pointer, name),
            arena_printf(reading->arena, "'%s' must be the name of a header, like X-Request-Id", name));
    *value = text;
    return 0;
}

/* --- the parts ---------------------------------------------------------------------------------------- */

static const char *const providers[] = {"none", "hmac", "github", "stripe", "slack", "twilio"};
static const char *const algorithms[] = {"sha256", "sha1", "sha512"};
static const char *const encodings[] = {"hex", "base64"};

static int check_signature(struct reading *reading, const struct catalog_ingest_signature *signature)
{
    if (!signature->secret)
        return wrong(reading, "/signature", "'signature' needs a 'secret'");
    if (signature->provider != CATALOG_SIGNED_HMAC)
        return 0;
    if (!signature->header)
        return wrong(reading, "/signature",
                     "'signature' of the provider 'hmac' needs a 'header', which holds the signature");
    if (!strstr(signature->template, "{body}"))
        return wrong(reading, "/signature/template", "'template' must have {body} in it");
    if (strstr(signature->template, "{timestamp}") && !signature->timestamp_header)
        return wrong(reading, "/signature/template",
                     "'template' has {timestamp} in it, so 'timestampHeader' must say where that is");
    if (signature->timestamp_header && !strstr(signature->template, "{timestamp}"))
        return wrong(reading, "/signature/template",
                     "'template' must have {timestamp} in it: a time that is not signed proves nothing");
    return 0;
}

static int read_signature(struct reading *reading, uint32_t object,
                          struct catalog_ingest_signature *signature)
{
    static const char *const names[] = {"provider", "secret",   "algorithm", "header",
                                        "prefix",   "encoding", "template",  "timestampHeader",
                                        "maxAge",   "url",      NULL};
    static const char at[] = "/signature";
    uint32_t members;
    int provider = CATALOG_SIGNED_NOT, algorithm = 0, encoding = 0;
    if (!there(reading, object, "signature", &members))
        return 0;
    if (!json_is(&reading->doc, members, JSON_OBJECT))
        return wrong(reading, at, "'signature' must be a mapping with 'provider' and 'secret'");
    struct catalog_ingest_signature own = {
        .prefix = "", .template = "{body}", .max_age_s = CATALOG_INGEST_AGE_DEFAULT};
    if (check_names(reading, members, at, "'signature'", names) < 0 ||
        read_word(reading, members, at, "provider", providers, sizeof providers / sizeof *providers,
                  &provider) < 0 ||
        read_word(reading, members, at, "algorithm", algorithms, sizeof algorithms / sizeof *algorithms,
                  &algorithm) < 0 ||
        read_word(reading, members, at, "encoding", encodings, sizeof encodings / sizeof *encodings,
                  &encoding) < 0 ||
        read_text(reading, members, at, "secret", &own.secret) < 0 ||
        read_text(reading, members, at, "prefix", &own.prefix) < 0 ||
        read_text(reading, members, at, "template", &own.template) < 0 ||
        read_text(reading, members, at, "url", &own.url) < 0 ||
        read_header(reading, members, at, "header", &own.header) < 0 ||
        read_header(reading, members, at, "timestampHeader", &own.timestamp_header) < 0)
        return -1;
    uint32_t age = json_get(&reading->doc, members, "maxAge");
    if (age != JSON_NONE && (!json_to_u64(&reading->doc, age, &own.max_age_s) || own.max_age_s == 0 ||
                             own.max_age_s > CATALOG_INGEST_AGE_MAX))
        return wrong(reading, "/signature/maxAge", "'maxAge' must be seconds, from 1 to 86400");
    own.provider = (enum catalog_ingest_provider)provider;
    own.algorithm = algorithms[algorithm];
    own.encoding = (enum catalog_ingest_encoding)encoding;
    *signature = own;
    return provider == CATALOG_SIGNED_NOT ? 0 : check_signature(reading, signature);
}

static int read_origins(struct reading *reading, uint32_t object, struct catalog_ingest *options)
{
    uint32_t list;
    if (!there(reading, object, "corsOrigins", &list))
        return 0;
    if (!json_is(&reading->doc, list, JSON_ARRAY) ||
        json_count(&reading->doc, list) > CATALOG_INGEST_ORIGINS_MAX)
        return wrong(reading, "/corsOrigins", "'corsOrigins' must be a list of at most 64 origins");
    const char **origins =
        arena_zalloc(reading->arena, (json_count(&reading->doc, list) + 1) * sizeof *origins);
    size_t count = 0;
    for (uint32_t at = json_first(&reading->doc, list); at != JSON_NONE;
         at = json_next(&reading->doc, list, at)) {
        const char *text =
            json_is(&reading->doc, at, JSON_STRING) ? json_cstring(&reading->doc, at, reading->arena) : NULL;
        const char *host = text ? strstr(text, "://") : NULL;
        bool right = text && (strcmp(text, "*") == 0 ||
                              (host && host > text && host[3] && !strpbrk(host + 3, "/ ?#\r\n")));
        if (!right)
            return wrong(reading, arena_printf(reading->arena, "/corsOrigins/%zu", count),
                         "an origin is '*' or like https://app.example.com, without a path");
        origins[count++] = text;
    }
    options->origins = origins;
    options->origin_count = count;
    return 0;
}

static int read_metadata(struct reading *reading, uint32_t object, struct catalog_ingest *options)
{
    static const char *const names[] = {"webhookId", "receivedAt", "headers",  "reqPath",
                                        "query",     "key",        "timestamp"};
    uint32_t list;
    if (!there(reading, object, "metadata", &list))
        return 0;
    if (json_is(&reading->doc, list, JSON_TRUE) || json_is(&reading->doc, list, JSON_FALSE)) {
        options->metadata =
            json_is(&reading->doc, list, JSON_TRUE) ? (1U << sizeof names / sizeof *names) - 1 : 0;
        return 0;
    }
    if (!json_is(&reading->doc, list, JSON_ARRAY))
        return wrong(reading, "/metadata", "'metadata' must be true, false or a list");
    options->metadata = 0;
    for (uint32_t at = json_first(&reading->doc, list); at != JSON_NONE;
         at = json_next(&reading->doc, list, at)) {
        size_t i = 0;
        while (i < sizeof names / sizeof *names && !json_string_is(&reading->doc, at, names[i]))
            i++;
        if (i == sizeof names / sizeof *names)
            return wrong(
                reading, "/metadata",
                "'metadata' may have: webhookId, receivedAt, headers, reqPath, query, key, timestamp");
        options->metadata |= 1U << i;
    }
    return 0;
}

/* What no header can bring would be right never. */
static int read_token(struct reading *reading, const char **ret_token)
{
    const char *token = NULL;
    if (read_text(reading, 0, "", "authToken", &token) < 0)
        return -1;
    if (!token)
        return 0;
    size_t size = strlen(token);
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)token[i] < ' ' || token[i] == 0x7f ||
            (token[i] == ' ' && (i == 0 || i + 1 == size)))
            return wrong(
                reading, "/authToken",
                "'authToken' must have no line break, no other control character and no blank at its "
                "ends: a header cannot hold it");
    }
    *ret_token = token;
    return 0;
}

/* These say something else already; what many requests have in common would make them one. */
static int read_id_header(struct reading *reading, const char **ret_header)
{
    static const char *const others[] = {"Authorization",  "Cookie",           "Host",
                                         "Origin",         "Content-Type",     "Connection",
                                         "Content-Length", "Content-Encoding", "Transfer-Encoding"};
    const char *header = *ret_header;
    if (read_header(reading, 0, "", "idFromHeader", &header) < 0)
        return -1;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcasecmp(header, others[i]) == 0)
            return wrong(reading, "/idFromHeader",
                         arena_printf(reading->arena,
                                      "'idFromHeader' must be a header with an id, like X-Request-Id, not %s",
                                      others[i]));
    }
    *ret_header = header;
    return 0;
}

/* What an endpoint and a resource both have. */
static int read_common(struct reading *reading, struct catalog_ingest *options)
{
    return read_token(reading, &options->token) < 0 || read_id_header(reading, &options->id_header) < 0 ||
                   read_signature(reading, 0, &options->signature) < 0 ||
                   read_origins(reading, 0, options) < 0 || read_metadata(reading, 0, options) < 0 ||
                   read_number(reading, 0, "maxBodyBytes", 1, CATALOG_INGEST_BODY_MAX, &options->body_max) <
                       0 ||
                   read_number(reading, 0, "maxRequestsPerSecond", 1, UINT32_MAX, &options->per_second) < 0
               ? -1
               : 0;
}

static int begin(struct reading *reading, struct slice text, const char *what, const char *const *names)
{
    *reading->ret_pointer = "";
    if (json_parse_copy(reading->arena, text.data, text.size, &reading->doc, reading->err) < 0)
        return -1;
    if (!json_is(&reading->doc, 0, JSON_OBJECT))
        return error_set(reading->err, ERROR_INVALID, "%s must be a mapping", what);
    return check_names(reading, 0, "", what, names);
}

static int check_origins(struct reading *reading, const struct catalog_ingest *options)
{
    for (size_t i = 0; i < options->origin_count; i++) {
        if (strcmp(options->origins[i], "*") == 0 && options->token)
            return wrong(reading, "/corsOrigins",
                         "'*' would let every web page use the 'authToken' of who looks at it: name the "
                         "origins");
    }
    return 0;
}

int catalog_ingest_endpoint(struct slice options, struct arena *arena, struct catalog_ingest *ret_options,
                            const char **ret_pointer, struct error *err)
{
    static const char *const names[] = {"authToken", "idFromHeader", "signature", "corsOrigins",
                                        "metadata",  "maxBodyBytes", "idWindow",  "maxRequestsPerSecond",
                                        NULL};
    struct reading reading = {.arena = arena, .ret_pointer = ret_pointer, .err = err};
    struct catalog_ingest read = {.id_header = CATALOG_INGEST_ID_HEADER,
                                  .body_max = CATALOG_INGEST_BODY_DEFAULT,
                                  .id_window = CATALOG_INGEST_ID_WINDOW_DEFAULT};
    if (begin(&reading, options, "'ingest'", names) < 0 || read_common(&reading, &read) < 0 ||
        read_number(&reading, 0, "idWindow", 1, CATALOG_INGEST_ID_WINDOW_MAX, &read.id_window) < 0 ||
        check_origins(&reading, &read) < 0)
        return -1;
    *ret_options = read;
    return 0;
}

/* An absolute path without anything that means more than itself. */
static bool path_right(const char *path)
{
    return path[0] == '/' && path[1] && !strstr(path, "//") && !strstr(path, "/../") &&
           !strstr(path, "/./") && !strpbrk(path, " ?#%\\{}\r\n\t") &&
           strlen(path) <= CATALOG_INGEST_PATH_MAX && strncmp(path, "/ingest/", 8) != 0 &&
           strcmp(path, "/ingest") != 0;
}

int catalog_ingest_resource(const struct catalog_ingest *endpoint, struct slice resource, struct arena *arena,
                            struct catalog_ingest *ret_options, const char **ret_pointer, struct error *err)
{
    static const char *const names[] = {
        "name",      "stream",   "path",        "authToken",    "idFromHeader",
        "signature", "metadata", "corsOrigins", "maxBodyBytes", "maxRequestsPerSecond",
        NULL};
    struct reading reading = {.arena = arena, .ret_pointer = ret_pointer, .err = err};
    struct catalog_ingest read = *endpoint;
    const char *stream = NULL;
    read.name = read.path = NULL;
    if (begin(&reading, resource, "the resource of a push capture", names) < 0 ||
        read_common(&reading, &read) < 0 || read_text(&reading, 0, "", "name", &read.name) < 0 ||
        read_text(&reading, 0, "", "stream", &stream) < 0 ||
        read_text(&reading, 0, "", "path", &read.path) < 0 || check_origins(&reading, &read) < 0)
        return -1;
    if (read.name && stream)
        return wrong(&reading, "/stream", "'stream' and 'name' are the same: one of them is enough");
    if (!read.name)
        read.name = stream;
    if (read.name && (read.name[0] == '/' || strpbrk(read.name, " ?#%\\\r\n\t")))
        return wrong(&reading, "/name", "'name' is a part of the path: it may have no space, ?, #, % or \\");
    if (read.path && !path_right(read.path))
        return wrong(&reading, "/path",
                     "'path' must be like /hooks/github: absolute, without spaces, ?, #, %, { or }, and not "
                     "under /ingest");
    *ret_options = read;
    return 0;
}
