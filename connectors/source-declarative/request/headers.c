#include "headers.h"

#include <ctype.h>
#include <strings.h>

static const char *recase(struct arena *arena, const char *name, bool title)
{
    char *copy = arena_strdup(arena, name);
    bool first = true;
    for (char *at = copy; *at; at++) {
        *at = (char)(title && first ? toupper((unsigned char)*at) : tolower((unsigned char)*at));
        first = *at == '-';
    }
    return copy;
}

/* All headers of the name, joined. */
static struct tvalue joined(struct arena *arena, const struct http_header *headers, size_t count,
                            const char *name)
{
    struct ttext out;
    ttext_init(&out, arena, SIZE_MAX);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(headers[i].name, name) != 0)
            continue;
        if (any)
            ttext_cstring(&out, ", ");
        ttext_cstring(&out, headers[i].value);
        any = true;
    }
    return tvalue_string(ttext_slice_of(&out));
}

struct tvalue headers_value(struct arena *arena, const struct http_header *headers, size_t count,
                            bool any_case)
{
    struct tvalue dict = tvalue_dict(arena);
    for (size_t i = 0; i < count; i++) {
        struct tvalue value = joined(arena, headers, count, headers[i].name);
        tdict_set_name(arena, dict.dict, arena_strdup(arena, headers[i].name), value);
        if (any_case) {
            tdict_set_name(arena, dict.dict, recase(arena, headers[i].name, false), value);
            tdict_set_name(arena, dict.dict, recase(arena, headers[i].name, true), value);
        }
    }
    return dict;
}

/* --- Link ------------------------------------------------------------------------------------------------
 */

static struct slice strip(struct slice text, const char *bytes)
{
    while (text.size && strchr(bytes, text.data[0]))
        text.data++, text.size--;
    while (text.size && strchr(bytes, text.data[text.size - 1]))
        text.size--;
    return text;
}

/* Up to the byte, which is skipped; *rest is what is behind it, data NULL if the byte is not there. */
static struct slice cut(struct slice text, char byte, struct slice *rest)
{
    const char *at = text.size ? memchr(text.data, byte, text.size) : NULL;
    if (!at) {
        *rest = (struct slice){NULL, 0};
        return text;
    }
    *rest = (struct slice){at + 1, text.size - (size_t)(at + 1 - text.data)};
    return (struct slice){text.data, (size_t)(at - text.data)};
}

/* Up to ", *<", which is skipped. */
static struct slice cut_link(struct slice text, struct slice *rest)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != ',')
            continue;
        size_t end = i + 1;
        while (end < text.size && text.data[end] == ' ')
            end++;
        if (end < text.size && text.data[end] == '<') {
            *rest = (struct slice){text.data + end + 1, text.size - end - 1};
            return (struct slice){text.data, i};
        }
    }
    *rest = (struct slice){NULL, 0};
    return text;
}

static struct tvalue parse_link(struct arena *arena, struct slice text)
{
    struct tvalue link = tvalue_dict(arena);
    struct slice parameters, value;
    struct slice url = cut(text, ';', &parameters);
    tdict_set_name(arena, link.dict, "url", tvalue_string(strip(url, "<> '\"")));
    while (parameters.data) {
        struct slice parameter = cut(parameters, ';', &parameters);
        struct slice name = cut(parameter, '=', &value);
        if (!value.data || memchr(value.data, '=', value.size)) /* what is no name=value ends it */
            break;
        tdict_set(arena, link.dict, tvalue_string(strip(name, " '\"")), tvalue_string(strip(value, " '\"")));
    }
    return link;
}

struct tvalue headers_links(struct arena *arena, struct slice link)
{
    struct tvalue links = tvalue_dict(arena);
    link = strip(link, " '\"");
    while (link.size) {
        struct slice rest;
        struct tvalue one = parse_link(arena, cut_link(link, &rest)), key;
        struct tvalue rel = tvalue_cstring("rel"), url = tvalue_cstring("url");
        if (!tdict_get(one.dict, &rel, &key) || !key.text.size)
            tdict_get(one.dict, &url, &key);
        tdict_set(arena, links.dict, key, one);
        link = rest;
    }
    return links;
}
