#include "url.h"

#include <ctype.h>

/* A URL's parts; data NULL: absent. */
struct url_parts {
    struct slice scheme, authority, path, query, fragment;
};

static size_t find(struct slice text, const char *bytes)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] && strchr(bytes, text.data[i]))
            return i;
    }
    return text.size;
}

static struct slice from(struct slice text, size_t start)
{
    return (struct slice){text.data + start, text.size - start};
}

static struct slice until(struct slice text, size_t end)
{
    return (struct slice){text.data, end};
}

static bool is_scheme(struct slice text)
{
    if (!text.size || !isalpha((unsigned char)text.data[0]))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (!isalnum((unsigned char)text.data[i]) && !strchr("+-.", text.data[i]))
            return false;
    }
    return true;
}

static struct url_parts split(struct slice url)
{
    struct url_parts parts = {0};
    size_t colon = find(url, ":");
    if (colon < url.size && is_scheme(until(url, colon))) {
        parts.scheme = until(url, colon);
        url = from(url, colon + 1);
    }
    if (url.size >= 2 && memcmp(url.data, "//", 2) == 0) {
        url = from(url, 2);
        size_t end = find(url, "/?#");
        parts.authority = until(url, end);
        url = from(url, end);
    }
    size_t hash = find(url, "#");
    if (hash < url.size)
        parts.fragment = from(url, hash + 1);
    url = until(url, hash);
    size_t mark = find(url, "?");
    if (mark < url.size)
        parts.query = from(url, mark + 1);
    parts.path = until(url, mark);
    return parts;
}

/* Empty queries and fragments are left out, as urlunparse does. */
static struct slice unsplit(struct arena *arena, const struct url_parts *parts)
{
    struct ttext out;
    ttext_init(&out, arena, SIZE_MAX);
    if (parts->scheme.size) {
        ttext_slice(&out, parts->scheme);
        ttext_byte(&out, ':');
    }
    if (parts->authority.data && (parts->authority.size || parts->scheme.size)) {
        ttext_cstring(&out, "//");
        ttext_slice(&out, parts->authority);
        if (parts->path.size && parts->path.data[0] != '/')
            ttext_byte(&out, '/');
    }
    ttext_slice(&out, parts->path);
    if (parts->query.size) {
        ttext_byte(&out, '?');
        ttext_slice(&out, parts->query);
    }
    if (parts->fragment.size) {
        ttext_byte(&out, '#');
        ttext_slice(&out, parts->fragment);
    }
    ttext_byte(&out, '\0');
    return until(ttext_slice_of(&out), out.size - 1);
}

/* --- joining ---------------------------------------------------------------------------------------------
 */

struct segments {
    struct slice *items;
    size_t count;
};

static void add_segments(struct segments *segments, struct slice path)
{
    for (;;) {
        size_t end = find(path, "/");
        segments->items[segments->count++] = until(path, end);
        if (end == path.size)
            return;
        path = from(path, end + 1);
    }
}

/* All that is between the first and the last without the empty ones; "." and ".." resolved. */
static struct slice resolve_segments(struct arena *arena, struct segments *segments)
{
    struct slice *kept = arena_alloc(arena, (segments->count + 1) * sizeof *kept);
    size_t count = 0, last = segments->count - 1;
    for (size_t i = 0; i <= last; i++) {
        struct slice segment = segments->items[i];
        if (segment.size == 0 && i != 0 && i != last)
            continue;
        if (slice_is(segment, "..")) {
            if (count)
                count--;
        } else if (!slice_is(segment, ".")) {
            kept[count++] = segment;
        }
    }
    if (slice_is(segments->items[last], ".") || slice_is(segments->items[last], ".."))
        kept[count++] = SLICE_LITERAL("");
    struct ttext out;
    ttext_init(&out, arena, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        if (i)
            ttext_byte(&out, '/');
        ttext_slice(&out, kept[i]);
    }
    return out.size ? ttext_slice_of(&out) : SLICE_LITERAL("/");
}

static struct slice join_paths(struct arena *arena, struct slice base, struct slice path)
{
    size_t slashes = 2;
    for (size_t i = 0; i < base.size; i++)
        slashes += base.data[i] == '/';
    for (size_t i = 0; i < path.size; i++)
        slashes += path.data[i] == '/';
    struct segments segments = {arena_alloc(arena, (slashes + 2) * sizeof(struct slice)), 0};
    if (path.data[0] != '/') {
        add_segments(&segments, base);
        if (segments.items[segments.count - 1].size)
            segments.count--;
    }
    add_segments(&segments, path);
    return resolve_segments(arena, &segments);
}

static bool is_hierarchical(struct slice scheme)
{
    static const char *const schemes[] = {"http", "https", "ftp", "file", "ws", "wss", ""};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (scheme.size == strlen(schemes[i]) && strncasecmp(scheme.data, schemes[i], scheme.size) == 0)
            return true;
    }
    return false;
}

static struct slice lower(struct arena *arena, struct slice text)
{
    char *copy = arena_alloc(arena, text.size + 1);
    for (size_t i = 0; i < text.size; i++)
        copy[i] = (char)tolower((unsigned char)text.data[i]);
    return (struct slice){copy, text.size};
}

struct slice url_join(struct arena *arena, struct slice base, struct slice url)
{
    if (!base.size)
        return url;
    if (!url.size)
        return base;
    struct url_parts below = split(base), parts = split(url);
    bool same =
        !parts.scheme.size || (parts.scheme.size == below.scheme.size &&
                               strncasecmp(parts.scheme.data, below.scheme.data, below.scheme.size) == 0);
    if (!same || !is_hierarchical(below.scheme.size ? below.scheme : SLICE_LITERAL("")))
        return url;
    parts.scheme = lower(arena, below.scheme);
    if (parts.authority.size)
        return unsplit(arena, &parts);
    parts.authority = below.authority;
    if (!parts.path.size) {
        parts.path = below.path;
        if (!parts.query.size)
            parts.query = below.query;
    } else {
        parts.path = join_paths(arena, below.path, parts.path);
    }
    return unsplit(arena, &parts);
}

struct slice url_join_path(struct arena *arena, struct slice base, struct slice path)
{
    while (path.size && path.data[0] == '/')
        path = from(path, 1);
    if (!path.size)
        return base;
    if (!base.size || base.data[base.size - 1] != '/') {
        char *with_slash = arena_alloc(arena, base.size + 2);
        if (base.size)
            memcpy(with_slash, base.data, base.size);
        memcpy(with_slash + base.size, "/", 2);
        base = (struct slice){with_slash, base.size + 1};
    }
    return url_join(arena, base, path);
}

/* --- parameters ------------------------------------------------------------------------------------------
 */

static bool is_unreserved(unsigned char byte)
{
    return (byte < 0x80 && isalnum(byte)) || (byte && strchr("-._~", byte));
}

static void encode(struct ttext *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte == ' ')
            ttext_byte(out, '+');
        else if (is_unreserved(byte))
            ttext_byte(out, (char)byte);
        else
            ttext_printf(out, "%%%02X", byte);
    }
}

/* Bytes are themselves, not what str() makes of them. */
static struct slice text_of(struct arena *arena, const struct tvalue *value)
{
    return value->kind == TVALUE_BYTES ? value->text : tvalue_text(arena, value);
}

static void encode_pair(struct ttext *out, const struct tvalue *name, const struct tvalue *value)
{
    if (value->kind == TVALUE_NONE)
        return;
    if (out->size)
        ttext_byte(out, '&');
    encode(out, text_of(out->arena, name));
    ttext_byte(out, '=');
    encode(out, text_of(out->arena, value));
}

void url_encode_form(struct ttext *out, const struct tvalue *dict)
{
    struct titer iter, elements;
    struct tvalue name, element;
    if (!titer_init(&iter, out->arena, *dict))
        return;
    while (titer_next(&iter, &name)) {
        struct tvalue value = iter.of_key;
        bool several = tvalue_is_sequence(&value) || tvalue_is_mapping(&value) || value.kind == TVALUE_SET;
        if (!several || !titer_init(&elements, out->arena, value)) {
            encode_pair(out, &name, &value);
            continue;
        }
        while (titer_next(&elements, &element))
            encode_pair(out, &name, &element);
    }
}

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The byte that "%XX" at the beginning stands for, or -1. */
static int escaped_byte(struct slice text)
{
    if (text.size < 3 || text.data[0] != '%')
        return -1;
    int high = hex_digit(text.data[1]), low = hex_digit(text.data[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static struct slice decode(struct arena *arena, struct slice text)
{
    char *out = arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        int byte = escaped_byte(from(text, i));
        if (byte >= 0)
            i += 2;
        out[size++] = byte >= 0 ? (char)byte : text.data[i] == '+' ? ' ' : text.data[i];
    }
    return (struct slice){out, size};
}

struct tvalue url_without_repeated(struct arena *arena, struct slice url, const struct tvalue *parameters)
{
    struct slice query = split(url).query;
    if (!query.size)
        return *parameters;
    struct tvalue own = tvalue_dict(arena), kept = tvalue_dict(arena), name;
    while (query.size) {
        size_t end = find(query, "&");
        struct slice pair = until(query, end);
        size_t equals = find(pair, "=");
        if (equals + 1 < pair.size) { /* an empty value counts as none */
            struct tvalue key = tvalue_string(decode(arena, until(pair, equals))), first;
            if (!tdict_get(own.dict, &key, &first)) /* of several, the first counts */
                tdict_set(arena, own.dict, key, tvalue_string(decode(arena, from(pair, equals + 1))));
        }
        query = end < query.size ? from(query, end + 1) : from(query, end);
    }
    struct titer iter;
    if (!titer_init(&iter, arena, *parameters))
        return *parameters;
    while (titer_next(&iter, &name)) {
        struct tvalue there;
        if (!tdict_get(own.dict, &name, &there) || !slice_equal(there.text, text_of(arena, &iter.of_key)))
            tdict_set(arena, kept.dict, name, iter.of_key);
    }
    return kept;
}

/* --- sending ---------------------------------------------------------------------------------------------
 */

/* "/a/./b/../c" is "/a/c". */
static struct slice without_dots(struct arena *arena, struct slice path)
{
    struct slice *kept = arena_alloc(arena, (path.size + 2) * sizeof *kept);
    size_t count = 0;
    struct slice rest = path, last = SLICE_LITERAL("");
    for (bool more = true; more;) {
        size_t end = find(rest, "/");
        more = end < rest.size;
        last = until(rest, end);
        rest = more ? from(rest, end + 1) : from(rest, end);
        if (slice_is(last, ".."))
            count -= count > 0;
        else if (!slice_is(last, "."))
            kept[count++] = last;
    }
    struct ttext out;
    ttext_init(&out, arena, SIZE_MAX);
    bool rooted = path.size && path.data[0] == '/';
    if (rooted && (count == 0 || kept[0].size))
        ttext_byte(&out, '/');
    for (size_t i = 0; i < count; i++) {
        if (i)
            ttext_byte(&out, '/');
        ttext_slice(&out, kept[i]);
    }
    if ((slice_is(last, ".") || slice_is(last, "..")) && out.size && out.data[out.size - 1] != '/')
        ttext_byte(&out, '/');
    return ttext_slice_of(&out);
}

/* A percent sign counts as one that escapes only where all of the part's do. Escapes of characters that need
 * none are undone. */
static void encode_part(struct ttext *out, struct slice part, const char *also)
{
    bool escaped = true;
    for (size_t i = 0; i < part.size; i++)
        escaped &= part.data[i] != '%' || escaped_byte(from(part, i)) >= 0;
    for (size_t i = 0; i < part.size; i++) {
        unsigned char byte = (unsigned char)part.data[i];
        int meant = escaped && byte == '%' ? escaped_byte(from(part, i)) : -1;
        if (meant >= 0) {
            if (is_unreserved((unsigned char)meant))
                ttext_byte(out, (char)meant);
            else
                ttext_printf(out, "%%%02X", (unsigned)meant);
            i += 2;
        } else if (byte == '%') {
            ttext_cstring(out, "%25");
            if (escaped_byte(from(part, i)) >= 0) {
                ttext_printf(out, "%02X", (unsigned)escaped_byte(from(part, i)));
                i += 2;
            }
        } else if (is_unreserved(byte) || (byte && strchr("!$&'()*+,;=:@/", byte)) ||
                   (byte && strchr(also, byte))) {
            ttext_byte(out, (char)byte);
        } else {
            ttext_printf(out, "%%%02X", byte);
        }
    }
}

int url_prepare(struct arena *arena, struct slice url, const struct tvalue *parameters, struct slice *ret_url,
                struct error *err)
{
    while (url.size && isspace((unsigned char)url.data[0]))
        url = from(url, 1);
    struct url_parts parts = split(url);
    bool is_http = parts.scheme.size >= 4 && strncasecmp(parts.scheme.data, "http", 4) == 0;
    if (!is_http || !parts.authority.size)
        return error_set(err, ERROR_INVALID,
                         "the URL has no %s; it begins with http:// or https:// and a host",
                         is_http ? "host" : "scheme that is HTTP's");
    struct ttext out;
    ttext_init(&out, arena, SIZE_MAX);
    for (size_t i = 0; i < parts.scheme.size; i++)
        ttext_byte(&out, (char)tolower((unsigned char)parts.scheme.data[i]));
    ttext_cstring(&out, "://");
    ttext_slice(&out, parts.authority);
    struct slice path = without_dots(arena, parts.path);
    if (!path.size || path.data[0] != '/')
        ttext_byte(&out, '/');
    encode_part(&out, path, "");
    struct ttext form;
    ttext_init(&form, arena, SIZE_MAX);
    url_encode_form(&form, parameters);
    if (parts.query.size || form.size)
        ttext_byte(&out, '?');
    encode_part(&out, parts.query, "?");
    if (parts.query.size && form.size)
        ttext_byte(&out, '&');
    ttext_slice(&out, ttext_slice_of(&form));
    ttext_byte(&out, '\0');
    *ret_url = (struct slice){out.data, out.size - 1};
    return 0;
}

struct slice url_before_query(struct slice url)
{
    return until(url, find(url, "?#"));
}
