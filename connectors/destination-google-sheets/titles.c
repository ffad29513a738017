#include "session.h"

#include "base/hash.h"

static size_t units(const char *text, size_t size)
{
    size_t count = 0, length;
    for (size_t at = 0; at < size; at += length)
        count += utf8_decode(text + at, size - at, &length) > 0xffff ? 2 : 1;
    return count;
}

static unsigned hash_of(const struct firth_target *target, const char *name)
{
    uint64_t hash = hash_xxh3(name, strlen(name), 0);
    if (target && target->name_space)
        hash = hash_xxh3(target->name_space, strlen(target->name_space), hash);
    return (unsigned)hash;
}

/* As Sheets takes it: one line, at most 100 long. */
static char *clean(const char *name, unsigned hash, struct arena *arena)
{
    char *title = arena_strdup(arena, *name ? name : "_");
    for (char *at = title; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    size_t size = strlen(title);
    if (units(title, size) <= SHEETS_TITLE_MAX)
        return title;
    while (units(title, size) > SHEETS_TITLE_MAX - 9)
        size = utf8_cut(title, size, size - 1);
    return arena_printf(arena, "%.*s_%08x", (int)size, title, hash);
}

static bool is_taken(const char **titles, size_t count, size_t own)
{
    for (size_t i = 0; i < count; i++)
        if (i != own && sheets_is_same_title(titles[i], titles[own]))
            return true;
    return false;
}

/* Of streams of one name, all that have a namespace are named with it; what is still the same, or differs in
 * case alone, gets a hash. */
const char **sheets_titles(const struct firth_target *targets, size_t count, struct arena *arena)
{
    const char **titles = arena_alloc(arena, (count + 1) * sizeof *titles);
    bool *qualified = arena_zalloc(arena, count + 1), *hashed = arena_zalloc(arena, count + 1);
    for (size_t i = 0; i < count; i++)
        titles[i] = clean(targets[i].name, hash_of(&targets[i], targets[i].name), arena);
    for (size_t i = 0; i < count; i++)
        qualified[i] = targets[i].name_space && is_taken(titles, count, i);
    for (size_t i = 0; i < count; i++)
        if (qualified[i])
            titles[i] = clean(arena_printf(arena, "%s.%s", targets[i].name_space, targets[i].name),
                              hash_of(&targets[i], targets[i].name), arena);
    for (size_t i = 0; i < count; i++)
        hashed[i] = is_taken(titles, count, i);
    for (size_t i = 0; i < count; i++)
        if (hashed[i])
            titles[i] =
                clean(arena_printf(arena, "%.*s_%08x", (int)utf8_cut(titles[i], strlen(titles[i]), 80),
                                   titles[i], hash_of(&targets[i], targets[i].name)),
                      hash_of(&targets[i], targets[i].name), arena);
    return titles;
}

const char *sheets_stage_title(const char *title, struct arena *arena)
{
    return arena_printf(arena, "_firth_stage_%08x", hash_of(NULL, title));
}
