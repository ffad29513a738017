#include "source.h"

#include "connectors/files/glob.h"

#include <stdlib.h>
#include <string.h>

/* Which files are a stream's. */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, those that another one covers left out: so their files come once, in the order of names. */
static void set_prefixes(struct files_stream *stream, const char **prefixes, size_t count)
{
    size_t kept = 0;
    qsort(prefixes, count, sizeof *prefixes, by_bytes);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || strncmp(prefixes[i], prefixes[kept - 1], strlen(prefixes[kept - 1])) != 0)
            prefixes[kept++] = prefixes[i];
    }
    stream->prefixes = prefixes;
    stream->prefix_count = kept;
}

int files_stream_set_globs(struct files_stream *stream, const struct firth_strings *globs, const char *prefix,
                           struct arena *arena, struct error *err)
{
    size_t total = 0;
    const char *const **expanded = arena_zalloc(arena, (globs->count + 1) * sizeof *expanded);
    size_t *counts = arena_zalloc(arena, (globs->count + 1) * sizeof *counts);
    for (size_t i = 0; i < globs->count; i++) {
        if (!(expanded[i] = files_glob_expand(globs->items[i], arena, &counts[i], err)))
            return -1;
        total += counts[i];
    }
    const char **patterns = arena_zalloc(arena, (total + 1) * sizeof *patterns);
    const char **prefixes = arena_zalloc(arena, (total + 1) * sizeof *prefixes);
    size_t at = 0;
    for (size_t i = 0; i < globs->count; i++) {
        for (size_t k = 0; k < counts[i]; k++, at++) {
            patterns[at] = expanded[i][k];
            prefixes[at] = arena_printf(arena, "%s%s", prefix, files_glob_prefix(patterns[at], arena));
        }
    }
    stream->globs = patterns;
    stream->glob_count = total;
    if (total == 0)
        prefixes[at++] = arena_strdup(arena, prefix);
    set_prefixes(stream, prefixes, at);
    return 0;
}

int files_search_open(struct files_search *search, const struct files_plan *plan,
                      const struct files_stream *stream, const char *after, struct error *err)
{
    *search = (struct files_search){
        .storage = plan->storage, .stream = stream, .start_ms = plan->start_ms, .after = mem_strdup(after)};
    if (!stream->match || !*stream->match)
        return 0;
    search->match = regex_compile(slice_of(stream->match), err);
    search->scratch = regex_scratch_new();
    if (search->match)
        return 0;
    files_search_done(search);
    return error_wrap(err, "the pattern of names '%.200s'", stream->match);
}

static bool is_wanted(struct files_search *search, const struct files_object *object)
{
    const struct files_stream *stream = search->stream;
    bool found = stream->glob_count == 0;
    size_t size = strlen(object->name);
    if (object->modified_ms < search->start_ms || size == 0 || object->name[size - 1] == '/')
        return false;
    for (size_t i = 0; i < stream->glob_count && !found; i++)
        found = files_glob_matches(stream->globs[i], object->name);
    return found &&
           (!search->match || regex_match(search->match, search->scratch, slice_of(object->name)) > 0);
}

/* Can names that begin with the prefix come behind `after`? */
static bool is_behind(const char *prefix, const char *after)
{
    return strncmp(prefix, after, strlen(prefix)) >= 0;
}

int files_search_next(struct files_search *search, struct files_object *ret_object, struct error *err)
{
    const struct files_stream *stream = search->stream;
    while (search->prefix < stream->prefix_count) {
        const char *prefix = stream->prefixes[search->prefix];
        if (!search->listing && is_behind(prefix, search->after)) {
            search->listing = search->storage->list(search->storage, prefix, search->after, err);
            if (!search->listing)
                return -1;
        }
        int got = search->listing ? search->listing->next(search->listing, ret_object, err) : 0;
        if (got < 0)
            return -1;
        if (got == 0) {
            files_listing_close(search->listing);
            search->listing = NULL;
            search->prefix++;
        } else if (is_wanted(search, ret_object)) {
            return 1;
        }
    }
    return 0;
}

void files_search_done(struct files_search *search)
{
    files_listing_close(search->listing);
    regex_free(search->match);
    regex_scratch_free(search->scratch);
    free(search->after);
    *search = (struct files_search){0};
}
