#include "server/pages.h"

#include "server/routes.h"

#include <string.h>

/* No script, style, font or call but our own; styles set by scripts are what charts and forms need. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

static const struct page_file *find(const char *path)
{
    for (size_t i = 0; i < page_file_count; i++) {
        if (strcmp(page_files[i].path, path) == 0)
            return &page_files[i];
    }
    return NULL;
}

/* A path that the UI's own router knows. What looks like a file and is none is a 404: names with dots in them
 * are below some page, files are not. */
static bool is_page(const char *path)
{
    static const char files[] = "/assets/";
    bool file = !strchr(path + 1, '/') && strchr(path, '.');
    return *path == '/' && !file && strncmp(path, files, sizeof files - 1) != 0 &&
           !routes_path_is_api(path) && !strstr(path, "..") && !strstr(path, "//");
}

static bool is_known_already(const struct http_request *http, const struct page_file *file)
{
    const char *tags = http_header(http, "If-None-Match");
    return tags && strstr(tags, file->etag);
}

bool pages_answer(struct http_request *http)
{
    if (http->method != HTTP_GET && http->method != HTTP_HEAD)
        return false;
    const struct page_file *file = find(http->path);
    if (!file && is_page(http->path))
        file = find("/");
    if (!file)
        return false;
    http->status = is_known_already(http, file) ? 304 : 200;
    http->content_type = file->type;
    http->cache_control = file->hashed ? "public, max-age=31536000, immutable" : "no-cache";
    http_answer_header(http, "ETag", file->etag);
    http_answer_header(http, "Content-Security-Policy", policy);
    http_answer_header(http, "Referrer-Policy", "no-referrer");
    if (http->status == 304)
        return true;
    if (file->gzip)
        http_answer_header(http, "Content-Encoding", "gzip");
    buffer_append(&http->answer, file->bytes, file->size);
    return true;
}
