#include "protocol/airbyte_catalog.h"

/* Which stream of a catalog a person means, and in words what is there instead of one that is not. */

enum { LISTED_MAX = 10, SHOWN_MAX = 64 };

struct seeking {
    const struct airbyte_catalog *catalog;
    struct airbyte_stream_name wanted;
    struct arena arena;
    struct buffer text; /* of the message */
};

static bool has_name(const struct seeking *seeking, size_t at)
{
    return slice_equal(seeking->catalog->streams[at].name.name, seeking->wanted.name);
}

static bool in_namespace(const struct seeking *seeking, size_t at, struct slice namespace)
{
    return slice_equal(seeking->catalog->streams[at].name.namespace, namespace);
}

static void put_name(struct buffer *text, struct slice name)
{
    size_t cut = utf8_cut(name.data, name.size, SHOWN_MAX);
    buffer_printf(text, "'%.*s%s'", (int)cut, cut ? name.data : "", cut < name.size ? "…" : "");
}

/* "in the namespace 'a', 'b' or without one": where the streams of a name are. */
static void put_namespaces(struct seeking *seeking, struct slice name)
{
    const struct airbyte_catalog *catalog = seeking->catalog;
    struct buffer *text = &seeking->text;
    size_t count = 0;
    bool without = false;
    for (size_t i = 0; i < catalog->count; i++) {
        if (!slice_equal(catalog->streams[i].name.name, name))
            continue;
        without |= catalog->streams[i].name.namespace.size == 0;
        if (catalog->streams[i].name.namespace.size == 0 || count++ >= LISTED_MAX)
            continue;
        buffer_str(text, count == 1 ? "in the namespace " : ", ");
        put_name(text, catalog->streams[i].name.namespace);
    }
    if (count > LISTED_MAX)
        buffer_str(text, ", …");
    if (without)
        buffer_str(text, count ? " or without one" : "without a namespace");
}

/* The names of streams, of one namespace alone if there are any in it. */
static size_t candidates(struct seeking *seeking, bool everywhere, const char **ret_names)
{
    const struct airbyte_catalog *catalog = seeking->catalog;
    size_t count = 0;
    for (size_t i = 0; i < catalog->count; i++) {
        struct slice name = catalog->streams[i].name.name;
        if (everywhere || in_namespace(seeking, i, seeking->wanted.namespace))
            ret_names[count++] = arena_strndup(&seeking->arena, name.data, name.size);
    }
    return count;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* Each name once, though several namespaces may have it. */
static void put_list(struct buffer *text, const char *const *names, size_t count)
{
    const char *listed[LISTED_MAX];
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_among(names[i], listed, done))
            continue;
        if (done == LISTED_MAX) {
            buffer_str(text, ", …");
            break;
        }
        size_t size = strlen(names[i]), cut = utf8_cut(names[i], size, SHOWN_MAX);
        buffer_printf(text, "%s%.*s%s", done ? ", " : "", (int)cut, names[i], cut < size ? "…" : "");
        listed[done++] = names[i];
    }
    if (count == 0)
        buffer_str(text, "none");
}

/* "public.users", where the namespace and the name should be two. */
static bool put_joined(struct seeking *seeking)
{
    const struct airbyte_catalog *catalog = seeking->catalog;
    for (size_t i = 0; i < catalog->count; i++) {
        const struct airbyte_stream_name *name = &catalog->streams[i].name;
        const char *joined =
            arena_printf(&seeking->arena, "%.*s.%.*s", SLICE_ARGS(name->namespace), SLICE_ARGS(name->name));
        if (!name->namespace.size || !slice_is(seeking->wanted.name, joined))
            continue;
        buffer_str(&seeking->text, "; name the stream ");
        put_name(&seeking->text, name->name);
        buffer_str(&seeking->text, " and the namespace ");
        put_name(&seeking->text, name->namespace);
        return true;
    }
    return false;
}

/* No stream has the name. */
static void put_nearest(struct seeking *seeking)
{
    const struct airbyte_catalog *catalog = seeking->catalog;
    struct buffer *text = &seeking->text;
    const char **names = arena_alloc(&seeking->arena, (catalog->count + 1) * sizeof *names);
    const char *wanted = arena_strndup(&seeking->arena, seeking->wanted.name.data, seeking->wanted.name.size);
    bool asked = seeking->wanted.namespace.size;
    size_t count = candidates(seeking, !asked, names);
    const char *nearest = string_nearest(wanted, names, count);
    if (nearest) {
        buffer_str(text, "; did you mean ");
        put_name(text, slice_of(nearest));
        buffer_str(text, "?");
        return;
    }
    if (put_joined(seeking))
        return;
    bool here = asked && count;
    if (asked)
        nearest = string_nearest(wanted, names, candidates(seeking, true, names));
    if (nearest) {
        buffer_str(text, "; did you mean ");
        put_name(text, slice_of(nearest));
        buffer_str(text, " ");
        put_namespaces(seeking, slice_of(nearest));
        buffer_str(text, "?");
        return;
    }
    count = candidates(seeking, !here, names);
    buffer_str(text, here ? "; there it has: " : "; it has: ");
    put_list(text, names, count);
}

/* Streams have the name, but none is the one that is asked for. */
static void put_wrong_namespace(struct seeking *seeking, size_t same_name)
{
    const struct airbyte_catalog *catalog = seeking->catalog;
    struct buffer *text = &seeking->text;
    if (seeking->wanted.namespace.size == 0) {
        buffer_str(text, "has more than one stream ");
        put_name(text, seeking->wanted.name);
        buffer_str(text, ": ");
        put_namespaces(seeking, seeking->wanted.name);
        buffer_str(text, "; say which with 'namespace'");
        return;
    }
    const char **namespaces = arena_alloc(&seeking->arena, (same_name + 1) * sizeof *namespaces);
    size_t count = 0;
    for (size_t i = 0; i < catalog->count; i++) {
        struct slice namespace = catalog->streams[i].name.namespace;
        if (has_name(seeking, i) && namespace.size)
            namespaces[count++] = arena_strndup(&seeking->arena, namespace.data, namespace.size);
    }
    buffer_str(text, "has no stream ");
    put_name(text, seeking->wanted.name);
    buffer_str(text, " in the namespace ");
    put_name(text, seeking->wanted.namespace);
    const char *wanted =
        arena_strndup(&seeking->arena, seeking->wanted.namespace.data, seeking->wanted.namespace.size);
    const char *nearest = string_nearest(wanted, namespaces, count);
    if (nearest) {
        buffer_str(text, "; did you mean the namespace ");
        put_name(text, slice_of(nearest));
        buffer_str(text, "?");
        return;
    }
    buffer_str(text, "; it has it ");
    put_namespaces(seeking, seeking->wanted.name);
    if (count == 0)
        buffer_str(text, ": leave 'namespace' out");
}

static void put_unknown(struct seeking *seeking)
{
    struct buffer *text = &seeking->text;
    buffer_str(text, "has no stream ");
    put_name(text, seeking->wanted.name);
    if (seeking->wanted.namespace.size) {
        buffer_str(text, " in the namespace ");
        put_name(text, seeking->wanted.namespace);
    }
    put_nearest(seeking);
}

long airbyte_catalog_seek(const struct airbyte_catalog *catalog, struct airbyte_stream_name wanted,
                          bool *ret_namespace_wrong, struct error *err)
{
    struct seeking seeking = {.catalog = catalog, .wanted = wanted};
    long found = airbyte_catalog_find(catalog, wanted), last = -1;
    size_t same_name = 0;
    if (found >= 0)
        return found;
    for (size_t i = 0; i < catalog->count; i++) {
        if (has_name(&seeking, i)) {
            same_name++;
            last = (long)i;
        }
    }
    if (same_name == 1 && wanted.namespace.size == 0)
        return last;
    arena_init(&seeking.arena);
    buffer_init(&seeking.text, BUFFER_UNLIMITED);
    *ret_namespace_wrong = same_name > 0;
    if (same_name)
        put_wrong_namespace(&seeking, same_name);
    else
        put_unknown(&seeking);
    error_set(err, ERROR_INVALID, "%s", buffer_cstr(&seeking.text));
    buffer_done(&seeking.text);
    arena_done(&seeking.arena);
    return -1;
}
