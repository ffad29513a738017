/* Which route a path is. */
#include "server/routes.h"

struct prefix {
    const char *text;
    enum route_family family;
};

/* Longer ones first. */
static const struct prefix prefixes[] = {{"/api/public/v1", ROUTE_PUBLIC},
                                         {"/api/firth/v1", ROUTE_FIRTH},
                                         {"/api/v1", ROUTE_CONFIG},
                                         {"/v1", ROUTE_PUBLIC},
                                         {"", ROUTE_OTHER}};

static bool under(const char *path, const char *prefix)
{
    size_t size = strlen(prefix);
    return strncmp(path, prefix, size) == 0 && (path[size] == '/' || path[size] == 0);
}

bool routes_path_is_public(const char *path)
{
    return under(path, "/api/public/v1") || under(path, "/v1");
}

bool routes_path_is_api(const char *path)
{
    return under(path, "/api") || under(path, "/v1") || under(path, "/metrics");
}

static bool match(const char *pattern, struct slice path, struct slice arguments[ROUTE_ARGUMENTS_MAX])
{
    size_t count = 0, at = 0;
    for (; *pattern; pattern++) {
        if (*pattern != '{') {
            if (at == path.size || path.data[at++] != *pattern)
                return false;
            continue;
        }
        size_t begin = at;
        while (at < path.size && path.data[at] != '/')
            at++;
        if (at == begin || count == ROUTE_ARGUMENTS_MAX)
            return false;
        arguments[count++] = (struct slice){path.data + begin, at - begin};
        pattern = strchr(pattern, '}');
    }
    return at == path.size;
}

const struct route *routes_find(const struct http_request *request, struct arena *arena,
                                const char *ret_arguments[ROUTE_ARGUMENTS_MAX], unsigned *ret_allowed)
{
    const struct prefix *prefix = prefixes;
    struct slice arguments[ROUTE_ARGUMENTS_MAX] = {{0}};
    enum http_method method = request->method == HTTP_HEAD ? HTTP_GET : request->method;
    *ret_allowed = 0;
    /* "*", "host:port" and "http://…" are targets as well: of proxies (RFC 9112, 3.2), which this is not. */
    if (*request->path != '/')
        return NULL;
    while (!under(request->path, prefix->text))
        prefix++;
    struct slice path = slice_of(request->path + strlen(prefix->text));
    if (path.size > 1 && path.data[path.size - 1] == '/')
        path.size--;
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].family != prefix->family || !match(routes[i].path, path, arguments))
            continue;
        if (routes[i].method != method) {
            *ret_allowed |= 1U << routes[i].method;
            continue;
        }
        for (size_t k = 0; k < ROUTE_ARGUMENTS_MAX; k++)
            ret_arguments[k] = strchr(routes[i].path, '{') && arguments[k].data
                                   ? arena_strndup(arena, arguments[k].data, arguments[k].size)
                                   : NULL;
        return &routes[i];
    }
    return NULL;
}
