/* What names, pointers and fields may look like, and finding what a name means. */
#include "catalog/loader.h"

/* A letter or digit of any script would need Unicode's tables: beyond ASCII, every character is allowed but
 * those that are known to be white space or controls. */
static bool name_character(const unsigned char *at, size_t size)
{
    if (size == 1)
        return (*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') ||
               *at == '-' || *at == '_' || *at == '.';
    uint32_t point = size == 2 ? (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f)
                     : size == 3
                         ? (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f)
                         : 0x10000;
    bool control = point < 0xa0;
    bool space = point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x206f) ||
                 point == 0x3000 || point == 0xfeff || (point >= 0xe000 && point <= 0xf8ff) ||
                 point >= 0xfff0;
    return !control && (!space || point == 0x10000);
}

bool catalog_name_valid(struct slice name)
{
    if (name.size == 0 || name.size > CATALOG_NAME_MAX || !utf8_valid(name.data, name.size))
        return false;
    bool part_empty = true;
    size_t part = 0;
    for (size_t i = 0; i < name.size;) {
        const unsigned char *at = (const unsigned char *)name.data + i;
        if (*at == '/') {
            if (part_empty)
                return false;
            part_empty = true;
            part = ++i;
            continue;
        }
        size_t size = *at < 0x80 ? 1 : *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
        if (!name_character(at, size))
            return false;
        part_empty = false;
        i += size;
        /* "." and ".." are no names of folders. */
        bool ends = i == name.size || name.data[i] == '/';
        if (ends && name.data[part] == '.' &&
            (i - part == 1 || (i - part == 2 && name.data[part + 1] == '.')))
            return false;
    }
    return !part_empty;
}

bool names_check(struct loader *loader, struct value value, const char *what, const char *name)
{
    if (catalog_name_valid(slice_of(name)))
        return true;
    if (strlen(name) > CATALOG_NAME_MAX)
        loader_problem(loader, value, "the name of %s may have at most %d bytes", what, CATALOG_NAME_MAX);
    else
        loader_problem(
            loader, value,
            "'%s' cannot be the name of %s: a name is made of letters, digits, '-', '_' and '.', in parts "
            "joined by single '/', like acmeCo/orders",
            value_written(loader, value), what);
    return false;
}

/* Names that the section has, as written, beside those expanded: the nearest is found by the latter and shown
 * as the former. */
static const char *suggest_entry(struct loader *loader, const struct entries *entries, const char *name)
{
    const struct map_entry *item;
    const char **names = arena_alloc(&loader->scratch, (entries->count + 1) * sizeof *names);
    size_t count = 0;
    for (size_t at = 0; (item = map_next(&entries->by_name, &at));)
        names[count++] = item->key.data;
    const char *nearest = string_nearest(name, names, count);
    if (!nearest)
        return "";
    const struct entry *entry = map_get(&entries->by_name, slice_of(nearest));
    return arena_printf(&loader->scratch, "; did you mean '%s'?", entry->written);
}

struct entry *names_collection(struct loader *loader, struct value value)
{
    const char *name = value_string(loader, value);
    if (!name)
        return NULL;
    struct entry *entry = loader_entry(loader, SECTION_COLLECTIONS, name);
    if (entry || loader->incomplete)
        return entry;
    const char *suggestion = suggest_entry(loader, &loader->sections[SECTION_COLLECTIONS], name);
    if (*suggestion)
        loader_problem(loader, value, "there is no collection '%s'%s", value_written(loader, value),
                       suggestion);
    else
        loader_problem(
            loader, value,
            "there is no collection '%s'; define it under collections:, or import the file that does",
            value_written(loader, value));
    return NULL;
}

/* Tokens of RFC 6901 behind each '/', at least one character each. */
static bool tokens_valid(const char *at, const char *end)
{
    size_t length = 0;
    for (; at < end; at++) {
        if (*at == '/') {
            if (length == 0)
                return false;
            length = 0;
            continue;
        }
        if (*at == '~') {
            if (at + 1 == end || (at[1] != '0' && at[1] != '1'))
                return false;
            at++;
        }
        length++;
    }
    return length > 0;
}

bool names_pointer_valid(struct slice pointer)
{
    return pointer.size == 0 ||
           (pointer.data[0] == '/' && tokens_valid(pointer.data + 1, pointer.data + pointer.size));
}

bool names_field_valid(struct slice field)
{
    return tokens_valid(field.data, field.data + field.size);
}
