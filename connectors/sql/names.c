#include "dialect.h"

#include "base/hash.h"

#include <strings.h>

/* What things are called in a database: any text can be a name, quoted; what cannot is hashed. */

void sql_put_name(struct buffer *out, const char *name)
{
    buffer_quoted(out, name, strlen(name), '"');
}

void sql_put_text(struct buffer *out, struct slice text)
{
    buffer_quoted(out, text.data, text.size, '\'');
}

const char *sql_quoted_table(const struct sql_dialect *dialect, const char *schema, const char *table,
                             struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (dialect->has_schemas) {
        sql_put_name(&text, schema);
        buffer_byte(&text, '.');
    }
    sql_put_name(&text, table);
    const char *quoted = arena_strndup(arena, text.data, text.size);
    buffer_done(&text);
    return quoted;
}

static bool same(const struct sql_dialect *dialect, const char *a, const char *b)
{
    return (dialect->folds_case ? strcasecmp(a, b) : strcmp(a, b)) == 0;
}

static bool is_among(const struct sql_dialect *dialect, const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (same(dialect, name, *names))
            return true;
    }
    return false;
}

static bool is_exactly_among(const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

static bool can_be_name(const struct sql_dialect *dialect, bool of_table, const char *name)
{
    if (!*name || (dialect->name_max && strlen(name) > dialect->name_max))
        return false;
    if (of_table)
        return !dialect->reserved_prefix ||
               strncasecmp(name, dialect->reserved_prefix, strlen(dialect->reserved_prefix)) != 0;
    for (const char *const *each = dialect->reserved; each && *each; each++) {
        if (same(dialect, name, *each))
            return false;
    }
    return true;
}

/* Cut so that the digits go behind it; a reserved beginning goes too. */
static const char *hashed_name(const struct sql_dialect *dialect, bool of_table, const char *wanted,
                               uint64_t hash, struct arena *arena)
{
    enum { TAIL = 9, KEPT = 200 };
    size_t kept = dialect->name_max ? dialect->name_max - TAIL : KEPT;
    const char *prefix = dialect->reserved_prefix;
    if (of_table && prefix && strncasecmp(wanted, prefix, strlen(prefix)) == 0)
        wanted += strlen(prefix);
    kept = utf8_cut(wanted, strlen(wanted), kept);
    return arena_printf(arena, "%.*s_%08x", (int)kept, wanted, (unsigned)(hash & 0xffffffff));
}

const char *sql_name_choose(const struct sql_dialect *dialect, bool of_table, const char *wanted,
                            const char *identity, const char *const *existing, const char *const *taken,
                            struct arena *arena)
{
    uint64_t hash = hash_xxh3(identity, strlen(identity), 0);
    const char *hashed = hashed_name(dialect, of_table, wanted, hash, arena);
    bool plain = can_be_name(dialect, of_table, wanted) && !is_among(dialect, wanted, taken);
    if (is_exactly_among(hashed, existing) && !is_among(dialect, hashed, taken))
        return hashed;
    if (plain && (is_exactly_among(wanted, existing) || !is_among(dialect, wanted, existing)))
        return arena_strdup(arena, wanted);
    /* Two hashes of 32 bits that are the same, or a field that is really called so. */
    for (uint64_t more = 1; is_among(dialect, hashed, taken); more++)
        hashed = hashed_name(dialect, of_table, wanted, hash + more, arena);
    return hashed;
}
