#include "glob.h"

#include <stdlib.h>
#include <string.h>

/* --- alternatives ----------------------------------------------------------------------------------------
 */

struct list {
    const char **items;
    size_t count;
    struct arena *arena;
};

static int add(struct list *list, const char *pattern, struct error *err)
{
    if (list->count == FILES_GLOB_ALTERNATIVES_MAX)
        return error_set(err, ERROR_LIMIT, "a pattern stands for more than %d", FILES_GLOB_ALTERNATIVES_MAX);
    list->items[list->count++] = pattern;
    return 0;
}

/* The ']' of the class at `at`, NULL: none. Its first character may be a ']', too. */
static const char *class_end(const char *at)
{
    at++;
    at += *at == '!' || *at == '^';
    return *at ? strchr(at + 1, ']') : NULL;
}

/* Within a class no character means anything else: where it ends, otherwise `at`. */
static const char *skip_class(const char *at)
{
    const char *end = *at == '[' ? class_end(at) : NULL;
    return end ? end : at;
}

static const char *find_brace(const char *at)
{
    for (; *at && *at != '{'; at++)
        at = skip_class(at);
    return *at ? at : NULL;
}

/* The brace that closes the one at `at`; NULL: none. */
static const char *closing(const char *at)
{
    int depth = 0;
    for (; *at; at++) {
        at = skip_class(at);
        depth += *at == '{';
        depth -= *at == '}';
        if (depth == 0)
            return at;
    }
    return NULL;
}

static int expand_braces(struct list *list, const char *pattern, struct error *err)
{
    const char *open = find_brace(pattern), *close = open ? closing(open) : NULL;
    if (!close)
        return add(list, pattern, err);
    int depth = 0;
    for (const char *from = open + 1, *at = from; at <= close; at++) {
        at = skip_class(at);
        if ((*at == ',' && depth == 0) || at == close) {
            const char *whole = arena_printf(list->arena, "%.*s%.*s%s", (int)(open - pattern), pattern,
                                             (int)(at - from), from, close + 1);
            if (expand_braces(list, whole, err) < 0)
                return -1;
            from = at + 1;
        }
        depth += *at == '{';
        depth -= *at == '}';
    }
    return 0;
}

int files_glob_check(const char *pattern, struct error *err)
{
    for (const char *at = pattern; *at; at++) {
        size_t left = strcspn(at, "|");
        const char *end = *at == '[' ? class_end(at) : *at == '{' ? closing(at) : at;
        if (!end || end > at + left)
            return error_set(err, ERROR_INVALID,
                             "the pattern '%.200s' has a '%c' without its '%c'; the character itself is [%c]",
                             pattern, *at, *at == '[' ? ']' : '}', *at);
        if (*at == '[')
            at = end;
    }
    return 0;
}

const char *const *files_glob_expand(const char *pattern, struct arena *arena, size_t *ret_count,
                                     struct error *err)
{
    struct list list = {.arena = arena};
    list.items = arena_zalloc(arena, FILES_GLOB_ALTERNATIVES_MAX * sizeof *list.items);
    if (strlen(pattern) > FILES_GLOB_MAX) {
        error_set(err, ERROR_LIMIT, "the pattern '%.40s…' is longer than %d bytes", pattern, FILES_GLOB_MAX);
        return NULL;
    }
    for (const char *from = pattern;;) {
        size_t size = strcspn(from, "|");
        if (expand_braces(&list, arena_strndup(arena, from, size), err) < 0)
            return NULL;
        if (!from[size])
            break;
        from += size + 1;
    }
    *ret_count = list.count;
    return list.items;
}

/* --- matching --------------------------------------------------------------------------------------------
 */

/* "[a-z]" at `at` and one character; *ret_end: behind it. Without its ']' it is a '[' like any other. */
static bool matches_class(const char *at, char c, const char **ret_end)
{
    const char *from = at + 1;
    bool negated = *from == '!' || *from == '^', found = false;
    from += negated;
    const char *end = class_end(at);
    if (!end) {
        *ret_end = at + 1;
        return c == '[';
    }
    for (; from < end; from++) {
        if (from[1] == '-' && from + 2 < end) {
            found |= c >= from[0] && c <= from[2];
            from += 2;
        } else {
            found |= c == *from;
        }
    }
    *ret_end = end + 1;
    return found != negated && c != '/';
}

/* After each piece of the pattern, the set of the path's positions that can be reached. */
bool files_glob_matches(const char *pattern, const char *path)
{
    size_t size = strlen(path);
    bool *now = mem_zalloc(size + 1), *then = mem_zalloc(size + 1);
    now[0] = true;
    while (*pattern) {
        const char *end = pattern + 1;
        memset(then, 0, size + 1);
        if (pattern[0] == '*') {
            bool across = pattern[1] == '*', reached = false;
            bool steps = across && pattern[2] == '/'; /* whole steps, or none */
            for (size_t i = 0; i <= size; i++) {
                reached |= now[i];
                then[i] = steps ? now[i] || (reached && i && path[i - 1] == '/') : reached;
                if (!across && i < size && path[i] == '/')
                    reached = false;
            }
            end = pattern + (steps ? 3 : across ? 2 : 1);
        } else {
            for (size_t i = 0; i < size; i++) {
                bool same = pattern[0] == '?'   ? path[i] != '/'
                            : pattern[0] == '[' ? matches_class(pattern, path[i], &end)
                                                : pattern[0] == path[i];
                then[i + 1] = now[i] && same;
            }
            if (pattern[0] == '[' && size == 0)
                matches_class(pattern, '\0', &end);
        }
        bool *old = now;
        now = then;
        then = old;
        pattern = end;
    }
    bool matches = now[size];
    free(now);
    free(then);
    return matches;
}

const char *files_glob_prefix(const char *pattern, struct arena *arena)
{
    return arena_strndup(arena, pattern, strcspn(pattern, "*?["));
}
