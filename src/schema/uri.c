/* RFC 3986 references. */
#include "schema/uri.h"

struct uri_parts {
    struct slice scheme, authority, path, query;
    bool has_scheme, has_authority, has_query;
};

static size_t find_any(struct slice text, const char *bytes)
{
    size_t at = 0;
    while (at < text.size && !(text.data[at] && strchr(bytes, text.data[at])))
        at++;
    return at;
}

static struct slice slice_from(struct slice text, size_t start)
{
    return (struct slice){text.data + start, text.size - start};
}

struct slice uri_without_fragment(struct slice uri)
{
    return (struct slice){uri.data, find_any(uri, "#")};
}

struct slice uri_fragment(struct slice uri)
{
    size_t at = find_any(uri, "#");
    return at == uri.size ? (struct slice){uri.data + at, 0} : slice_from(uri, at + 1);
}

/* Length of the scheme, 0 if there is none. */
static size_t scheme_size(struct slice uri)
{
    for (size_t i = 0; i < uri.size; i++) {
        unsigned char c = (unsigned char)uri.data[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (c == ':')
            return i;
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
            return 0;
    }
    return 0;
}

bool uri_is_absolute(struct slice uri)
{
    return scheme_size(uri) > 0;
}

static struct uri_parts split(struct slice uri)
{
    struct uri_parts parts = {0};
    uri = uri_without_fragment(uri);
    size_t scheme = scheme_size(uri);
    if (scheme) {
        parts.has_scheme = true;
        parts.scheme = (struct slice){uri.data, scheme};
        uri = slice_from(uri, scheme + 1);
    }
    if (uri.size >= 2 && uri.data[0] == '/' && uri.data[1] == '/') {
        parts.has_authority = true;
        uri = slice_from(uri, 2);
        parts.authority = (struct slice){uri.data, find_any(uri, "/?")};
        uri = slice_from(uri, parts.authority.size);
    }
    parts.path = (struct slice){uri.data, find_any(uri, "?")};
    if (parts.path.size < uri.size) {
        parts.has_query = true;
        parts.query = slice_from(uri, parts.path.size + 1);
    }
    return parts;
}

/* Section 5.2.4, in place: returns the new size. Segments are copied down over what was removed. */
static size_t remove_dots(char *path, size_t size)
{
    size_t in = 0, out = 0;
    while (in < size) {
        size_t start = in + (path[in] == '/'), end = start;
        while (end < size && path[end] != '/')
            end++;
        struct slice segment = {path + start, end - start};
        bool last = end == size;
        if (slice_is(segment, "..")) {
            while (out > 0 && path[--out] != '/')
                ;
            if (last)
                path[out++] = '/';
        } else if (slice_is(segment, ".")) {
            if (last && path[in] == '/')
                path[out++] = '/';
        } else {
            memmove(path + out, path + in, end - in);
            out += end - in;
        }
        in = end;
    }
    return out;
}

static char *put(char *at, struct slice text)
{
    if (text.size)
        memcpy(at, text.data, text.size);
    return at + text.size;
}

/* Sections 5.2.2 and 5.2.3: the path of the reference, merged with the base's unless it is absolute. */
static char *put_path(char *at, const struct uri_parts *base, const struct uri_parts *reference)
{
    char *start = at;
    if (!(reference->path.size && reference->path.data[0] == '/')) {
        size_t keep = base->path.size;
        while (keep > 0 && base->path.data[keep - 1] != '/')
            keep--;
        if (base->has_authority && base->path.size == 0)
            *at++ = '/';
        at = put(at, (struct slice){base->path.data, keep});
    }
    at = put(at, reference->path);
    return start + remove_dots(start, (size_t)(at - start));
}

const char *uri_resolve(struct arena *arena, struct slice base, struct slice reference)
{
    base = uri_without_fragment(base);
    reference = uri_without_fragment(reference);
    if (reference.size == 0)
        return arena_strndup(arena, base.data, base.size);
    struct uri_parts b = split(base), r = split(reference);
    if (r.has_scheme && !r.has_authority && !(r.path.size && r.path.data[0] == '/'))
        return arena_strndup(arena, reference.data, reference.size);
    char *result = arena_alloc(arena, base.size + reference.size + 8), *at = result;
    struct uri_parts *owner = r.has_scheme ? &r : &b;
    if (owner->has_scheme) {
        at = put(at, owner->scheme);
        *at++ = ':';
    }
    if (!r.has_authority && !r.has_scheme)
        r.has_authority = b.has_authority, r.authority = b.authority;
    else
        b.path = (struct slice){NULL, 0}, b.has_authority = false;
    if (r.has_authority) {
        at = put(at, SLICE_LITERAL("//"));
        at = put(at, r.authority);
    }
    at = r.path.size ? put_path(at, &b, &r) : put(at, b.path);
    if (r.has_query) {
        *at++ = '?';
        at = put(at, r.query);
    }
    *at = '\0';
    return result;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct slice uri_decode(struct arena *arena, struct slice text)
{
    if (!text.size || !memchr(text.data, '%', text.size))
        return text;
    char *result = arena_alloc(arena, text.size);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        int high = -1, low = -1;
        if (text.data[i] == '%' && i + 2 < text.size) {
            high = hex_value(text.data[i + 1]);
            low = hex_value(text.data[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            result[size++] = (char)(high << 4 | low);
            i += 2;
        } else {
            result[size++] = text.data[i];
        }
    }
    return (struct slice){result, size};
}

void uri_append_fragment(struct buffer *out, struct slice pointer)
{
    for (size_t i = 0; i < pointer.size; i++) {
        unsigned char c = (unsigned char)pointer.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c && strchr("-._~!$&'()*+,;=:@/?", c));
        if (plain)
            buffer_byte(out, (char)c);
        else
            buffer_printf(out, "%%%02X", c);
    }
}

const char *uri_of_path(struct arena *arena, const char *absolute_path)
{
    struct buffer uri;
    buffer_init(&uri, BUFFER_UNLIMITED);
    buffer_str(&uri, "file://");
    for (const char *at = absolute_path; *at; at++) {
        unsigned char c = (unsigned char)*at;
        bool plain =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._~/", c);
        if (plain)
            buffer_byte(&uri, (char)c);
        else
            buffer_printf(&uri, "%%%02X", c);
    }
    const char *text = arena_strdup(arena, buffer_cstr(&uri));
    buffer_done(&uri);
    return text;
}

const char *uri_to_path(struct arena *arena, const char *uri)
{
    const char *rest = uri;
    if (string_starts_with(uri, "file:///"))
        rest = uri + strlen("file://");
    else if (string_starts_with(uri, "file://localhost/"))
        rest = uri + strlen("file://localhost");
    else
        return NULL;
    struct slice path = uri_decode(arena, uri_without_fragment(slice_of(rest)));
    if (memchr(path.data, '\0', path.size))
        return NULL;
    return arena_strndup(arena, path.data, path.size);
}

/* The pointer that stands in the query of a schema within a file. */
static struct slice query_pointer(struct slice uri)
{
    const char *query = memchr(uri.data, '?', uri.size);
    if (!query || (size_t)(uri.data + uri.size - query) < strlen("?ptr=") || memcmp(query, "?ptr=", 5) != 0)
        return (struct slice){"", 0};
    const char *first = query + strlen("?ptr="), *end = uri.data + uri.size;
    const char *more = memchr(first, '&', (size_t)(end - first));
    return (struct slice){first, (size_t)((more ? more : end) - first)};
}

const char *uri_shown(struct arena *arena, const char *uri)
{
    struct slice bare = uri_without_fragment(slice_of(uri));
    struct slice fragment = uri_decode(arena, uri_fragment(slice_of(uri)));
    if (slice_starts_with(bare, "stream:/"))
        return arena_printf(arena, "#%.*s", SLICE_ARGS(fragment));
    if (!slice_starts_with(bare, "file:///"))
        return uri;
    struct slice pointer = query_pointer(bare);
    const char *query = memchr(bare.data, '?', bare.size);
    struct slice path = {bare.data + strlen("file://"),
                         (size_t)((query ? query : bare.data + bare.size) - bare.data) - strlen("file://")};
    path = uri_decode(arena, path);
    pointer = uri_decode(arena, pointer);
    return arena_printf(arena, "%.*s%s%.*s%.*s", SLICE_ARGS(path), pointer.size + fragment.size ? "#" : "",
                        SLICE_ARGS(pointer), SLICE_ARGS(fragment));
}
