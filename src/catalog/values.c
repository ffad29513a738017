/* Reading values: mappings by tables of rules, scalars with their checks. Each problem is told where it is.
 */
#include "catalog/loader.h"

#include <strings.h>

enum { WRITTEN_MAX = 100 };

struct value value_first(struct value container)
{
    if (!value_there(container))
        return container;
    const struct json *doc = &container.source->doc.json;
    uint32_t at = json_tag(doc, container.at) == JSON_OBJECT ? json_first_key(doc, container.at)
                                                             : json_first(doc, container.at);
    return (struct value){container.source, at};
}

struct value value_next(struct value container, struct value element)
{
    const struct json *doc = &container.source->doc.json;
    uint32_t at = json_tag(doc, container.at) == JSON_OBJECT ? json_next_key(doc, container.at, element.at)
                                                             : json_next(doc, container.at, element.at);
    return (struct value){container.source, at};
}

/* --- types ----------------------------------------------------------------------------------------- */

static unsigned type_of(struct value value)
{
    static const unsigned types[JSON_TAG_MAX] = {
        [JSON_NULL] = TYPE_NULL,     [JSON_FALSE] = TYPE_BOOL,
        [JSON_TRUE] = TYPE_BOOL,     [JSON_INTEGER] = TYPE_INTEGER | TYPE_NUMBER,
        [JSON_NUMBER] = TYPE_NUMBER, [JSON_STRING] = TYPE_STRING,
        [JSON_ARRAY] = TYPE_LIST,    [JSON_OBJECT] = TYPE_MAPPING,
        [JSON_KEY] = TYPE_STRING,
    };
    return types[json_tag(&value.source->doc.json, value.at)];
}

static const char *found_name(struct value value)
{
    static const char *const names[JSON_TAG_MAX] = {
        [JSON_NULL] = "nothing",
        [JSON_FALSE] = "false",
        [JSON_TRUE] = "true",
        [JSON_INTEGER] = "a number",
        [JSON_NUMBER] = "a number with a fraction",
        [JSON_STRING] = "text",
        [JSON_ARRAY] = "a list",
        [JSON_OBJECT] = "a mapping",
        [JSON_KEY] = "a key",
    };
    return names[json_tag(&value.source->doc.json, value.at)];
}

static const char *expected_names(struct loader *loader, unsigned types)
{
    static const struct {
        unsigned type;
        const char *name;
    } names[] = {
        {TYPE_MAPPING, "a mapping"},
        {TYPE_LIST, "a list"},
        {TYPE_STRING, "text"},
        {TYPE_NUMBER, "a number"},
        {TYPE_INTEGER, "a whole number"},
        {TYPE_BOOL, "true or false"},
    };
    const char *text = "";
    if ((types & TYPE_DURATION) == TYPE_DURATION)
        return "a duration like 30s, 5m, 2h or 1d";
    for (size_t i = 0; i < RULES_COUNT(names); i++) {
        if (types & names[i].type)
            text = arena_printf(&loader->scratch, "%s%s%s", text, *text ? " or " : "", names[i].name);
    }
    return text;
}

/* What YAML 1.1 took for a boolean, for a text where one is wanted. */
static const char *boolean_hint(struct value value)
{
    static const struct {
        const char *word, *hint;
    } words[] = {
        {"yes", "; write true"}, {"on", "; write true"},   {"true", "; write true, without quotes"},
        {"no", "; write false"}, {"off", "; write false"}, {"false", "; write false, without quotes"},
    };
    for (size_t i = 0; i < RULES_COUNT(words); i++) {
        struct slice text = json_inner(&value.source->doc.json, value.at);
        if (text.size == strlen(words[i].word) && strncasecmp(text.data, words[i].word, text.size) == 0)
            return words[i].hint;
    }
    return "";
}

/* For a text where something else is wanted. */
static const char *text_hint(struct loader *loader, struct value value, unsigned types)
{
    const char *tag = types & TYPE_BOOL      ? "!!bool"
                      : types & TYPE_INTEGER ? "!!int"
                      : types & TYPE_NUMBER  ? "!!float"
                                             : NULL;
    const char *hint = types & TYPE_BOOL ? boolean_hint(value) : "", *written = value_written(loader, value);
    if (*hint || !tag || !strstr(written, "${"))
        return hint;
    return arena_printf(&loader->scratch, "; for %s from the environment write %s \"%s\"",
                        types & TYPE_BOOL ? "a boolean" : "a number", tag, written);
}

bool value_is(struct loader *loader, struct value value, unsigned types, const char *what)
{
    if (type_of(value) & types)
        return true;
    const char *hint = "";
    if ((types | TYPE_NULL) == (TYPE_STRING | TYPE_NULL) && (type_of(value) & (TYPE_NUMBER | TYPE_BOOL)))
        hint = "; put it in quotes";
    else if ((types | TYPE_NULL) == (TYPE_LIST | TYPE_NULL))
        hint = "; a list is written [a, b]";
    else if (types == (TYPE_MAPPING | TYPE_STRING) && value_has_tag(value, JSON_NULL))
        hint = "; an empty mapping is written {}";
    else if (value_has_tag(value, JSON_STRING) && !(types & TYPE_STRING))
        hint = text_hint(loader, value, types);
    loader_problem(loader, value, "%s must be %s, but is %s%s", what, expected_names(loader, types),
                   found_name(value), hint);
    return false;
}

/* --- mappings -------------------------------------------------------------------------------------- */

/* The rule that the unknown key was meant for, or `count`. */
static size_t unknown_key(struct loader *loader, struct value key, const char *what,
                          const struct key_rule *rules, size_t count)
{
    const char *written = value_written(loader, key);
    const char **names = arena_alloc(&loader->scratch, (count + 1) * sizeof *names);
    const char *all = "";
    for (size_t i = 0; i < count; i++) {
        names[i] = rules[i].name;
        all = arena_printf(&loader->scratch, "%s%s%s", all, i ? ", " : "", names[i]);
    }
    const char *nearest = string_nearest(written, names, count);
    if (!nearest) {
        loader_problem(loader, key, "unknown key '%s' in %s; it may have: %s", written, what, all);
        return count;
    }
    loader_problem(loader, key, "unknown key '%s' in %s; did you mean '%s'?", written, what, nearest);
    size_t meant = 0;
    while (names[meant] != nearest)
        meant++;
    return meant;
}

static void take_member(struct loader *loader, struct value key, const char *what,
                        const struct key_rule *rules, size_t count, struct value *values, bool *present)
{
    const struct json *doc = &key.source->doc.json;
    for (size_t i = 0; i < count; i++) {
        if (!json_string_is(doc, key.at, rules[i].name))
            continue;
        present[i] = true;
        struct value value = value_of_key(key);
        char name[80];
        snprintf(name, sizeof name, "'%s'", rules[i].name);
        if (variables_tagged(loader, value, &value) && value_is(loader, value, rules[i].types, name) &&
            !value_has_tag(value, JSON_NULL))
            values[i] = value;
        return;
    }
    size_t meant = unknown_key(loader, key, what, rules, count);
    if (meant < count)
        present[meant] = true; /* not missing as well */
}

bool value_members(struct loader *loader, struct value mapping, const char *what,
                   const struct key_rule *rules, size_t count, struct value *values)
{
    enum { RULES_MAX = 32 };
    assert(count <= RULES_MAX);
    bool present[RULES_MAX] = {false};
    for (size_t i = 0; i < count; i++)
        values[i] = (struct value){mapping.source, JSON_NONE};
    if (!value_is(loader, mapping, TYPE_MAPPING, what))
        return false;
    for (struct value key = value_first(mapping); value_there(key); key = value_next(mapping, key))
        take_member(loader, key, what, rules, count, values, present);
    for (size_t i = 0; i < count; i++) {
        if (rules[i].required && !present[i])
            loader_problem(loader, mapping, "%s needs '%s' (%s)", what, rules[i].name,
                           expected_names(loader, rules[i].types));
    }
    return true;
}

/* --- scalars --------------------------------------------------------------------------------------- */

const char *value_written(struct loader *loader, struct value value)
{
    if (!value_has_tag(value, JSON_STRING) && !value_has_tag(value, JSON_KEY))
        return "";
    struct slice text = json_string(&value.source->doc.json, value.at, &loader->scratch);
    size_t cut = utf8_cut(text.data, text.size, WRITTEN_MAX);
    char *written = arena_printf(&loader->scratch, "%.*s%s", (int)cut, text.data, cut < text.size ? "…" : "");
    string_one_line(written);
    return written;
}

const char *value_string(struct loader *loader, struct value value)
{
    struct slice text = json_string(&value.source->doc.json, value.at, &loader->scratch);
    struct buffer out;
    buffer_init(&out, CATALOG_CONFIG_MAX);
    const char *result = NULL;
    if (variables_expand(loader, value, text, &out)) {
        if (out.overflowed)
            loader_problem(loader, value, "more than %d MiB of text, which is the limit here",
                           CATALOG_CONFIG_MAX >> 20);
        else if (out.size && memchr(out.data, 0, out.size))
            loader_problem(loader, value, "a NUL character, which cannot be part of this text");
        else
            result = arena_strndup(loader->arena, out.data ? out.data : "", out.size);
    }
    buffer_done(&out);
    return result;
}

bool value_true(struct value value)
{
    return value_has_tag(value, JSON_TRUE);
}

bool value_u64(struct loader *loader, struct value value, const char *what, uint64_t min, uint64_t max,
               uint64_t *ret_number)
{
    uint64_t number;
    if (json_to_u64(&value.source->doc.json, value.at, &number) && number >= min && number <= max) {
        *ret_number = number;
        return true;
    }
    loader_problem(loader, value, "%s must be a whole number from %llu to %llu", what,
                   (unsigned long long)min, (unsigned long long)max);
    return false;
}

bool value_duration(struct loader *loader, struct value value, const char *what, uint64_t *ret_ms)
{
    const char *text = value_string(loader, value);
    if (!text)
        return false;
    if (string_to_duration_ms(text, ret_ms))
        return true;
    loader_problem(loader, value, "%s must be a duration like 30s, 5m, 2h or 1d, not '%s'", what,
                   value_written(loader, value));
    return false;
}

int value_word(struct loader *loader, struct value value, const char *what, const char *const *words,
               size_t count)
{
    const char *text = value_string(loader, value);
    if (!text)
        return -1;
    const char *all = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0)
            return (int)i;
        all = arena_printf(&loader->scratch, "%s%s%s", all,
                           i == 0          ? ""
                           : i + 1 < count ? ", "
                                           : " or ",
                           words[i]);
    }
    loader_problem(loader, value, "%s must be %s, not '%s'", what, all, value_written(loader, value));
    return -1;
}
