#include "connector/secrets.h"

#include "json/json.h"

#include <ctype.h>

enum { SECRET_SIZE_MIN = 4, NAME_MAX_SIZE = 64 };

/* Parts of names, lower case, '_' and '-' left out. */
static const char *const telling[] = {
    "password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey", "credential",
};

static bool name_is_telling(struct slice name)
{
    char folded[NAME_MAX_SIZE + 1];
    size_t size = 0;
    for (size_t i = 0; i < name.size && size < NAME_MAX_SIZE; i++)
        if (name.data[i] != '_' && name.data[i] != '-')
            folded[size++] = (char)tolower((unsigned char)name.data[i]);
    folded[size] = '\0';
    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
        if (strstr(folded, telling[i]))
            return true;
    return false;
}

/* Longest first, so that a secret which contains another is masked as a whole. */
static void add(struct connector_secrets *secrets, struct slice text)
{
    if (text.size < SECRET_SIZE_MIN || secrets->count == CONNECTOR_SECRETS_MAX)
        return;
    for (size_t i = 0; i < secrets->count; i++)
        if (slice_equal(secrets->items[i], text))
            return;
    size_t at = secrets->count++;
    for (; at > 0 && secrets->items[at - 1].size < text.size; at--)
        secrets->items[at] = secrets->items[at - 1];
    secrets->items[at] = (struct slice){mem_dup(text.data, text.size), text.size};
}

static void add_lines(struct connector_secrets *secrets, struct slice text)
{
    while (text.size) {
        const char *newline = memchr(text.data, '\n', text.size);
        size_t size = newline ? (size_t)(newline - text.data) : text.size;
        add(secrets, (struct slice){text.data, size});
        size_t used = newline ? size + 1 : size;
        text = (struct slice){text.data + used, text.size - used};
    }
}

/* The flat array holds every key of every depth, each before its value. */
static void collect(struct connector_secrets *secrets, const struct json *doc, struct arena *arena)
{
    for (uint32_t at = 0; at + 1 < doc->count; at++) {
        if (!json_is(doc, at, JSON_KEY) || !json_is(doc, json_value(at), JSON_STRING) ||
            !name_is_telling(json_inner(doc, at)))
            continue;
        add_lines(secrets, json_string(doc, json_value(at), arena));
        if (json_escaped(doc, json_value(at)))
            add(secrets, json_inner(doc, json_value(at))); /* as a connector that logs JSON would show it */
    }
}

static void collect_config(struct connector_secrets *secrets, struct slice config)
{
    if (config.size == 0)
        return;
    struct json doc;
    struct error unused;
    struct arena arena;
    arena_init(&arena);
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    if (json_parse(parser, config.data, config.size, &doc, &unused) == 0)
        collect(secrets, &doc, &arena);
    arena_done(&arena);
}

static void collect_environment(struct connector_secrets *secrets, const char *const *env)
{
    for (; env && *env; env++) {
        size_t size = strcspn(*env, "=");
        if ((*env)[size] == '=' && name_is_telling((struct slice){*env, size}))
            add_lines(secrets, slice_of(*env + size + 1));
    }
}

void connector_secrets_init(struct connector_secrets *secrets, struct slice config, const char *const *env)
{
    *secrets = (struct connector_secrets){0};
    collect_config(secrets, config);
    collect_environment(secrets, env);
}

void connector_secrets_done(struct connector_secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++) {
        explicit_bzero((void *)secrets->items[i].data, secrets->items[i].size);
        free((void *)secrets->items[i].data);
    }
    secrets->count = 0;
}

/* The first secret of the line, by place; the longest of those at one place. */
static const char *find_first(const struct connector_secrets *secrets, struct slice line, size_t *ret_size)
{
    const char *first = NULL;
    for (size_t i = 0; i < secrets->count; i++) {
        const char *found = memmem(line.data, line.size, secrets->items[i].data, secrets->items[i].size);
        if (found && (!first || found < first)) {
            first = found;
            *ret_size = secrets->items[i].size;
        }
    }
    return first;
}

void connector_secrets_mask(const struct connector_secrets *secrets, struct slice line, struct buffer *out)
{
    size_t size = 0;
    for (const char *found; line.size && (found = find_first(secrets, line, &size));) {
        buffer_append(out, line.data, (size_t)(found - line.data));
        buffer_str(out, "***");
        line.size -= (size_t)(found + size - line.data);
        line.data = found + size;
    }
    buffer_append(out, line.data, line.size);
}
