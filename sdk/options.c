#include "host.h"

#include "json/number.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* Reading a config by its option table. Every problem is collected, so that a person who corrects a config
 * sees them all at once. Values of secrets are never shown. */

enum { SHOWN_MAX = 60, PROBLEMS_MAX = 2048 };

struct reader {
    const struct json *doc;
    char *config;
    struct arena *arena;
    struct buffer problems; /* joined by "; " */
};

struct place { /* where in the config we are, for messages */
    const struct place *parent;
    const char *name;
};

static void put_place(struct buffer *out, const struct place *place)
{
    if (!place)
        return;
    put_place(out, place->parent);
    buffer_str(out, place->name);
    buffer_byte(out, '.');
}

static void __attribute__((format(printf, 4, 5)))
problem(struct reader *reader, const struct place *place, const char *name, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (reader->problems.size)
        buffer_str(&reader->problems, "; ");
    put_place(&reader->problems, place);
    buffer_printf(&reader->problems, "%s %s", name, text);
}

static const char *kind_of(const struct json *doc, uint32_t at)
{
    static const char *const kinds[JSON_TAG_MAX] = {
        [JSON_NULL] = "null",        [JSON_FALSE] = "false",      [JSON_TRUE] = "true",
        [JSON_INTEGER] = "a number", [JSON_NUMBER] = "a number",  [JSON_STRING] = "a string",
        [JSON_ARRAY] = "an array",   [JSON_OBJECT] = "an object",
    };
    return kinds[json_tag(doc, at)];
}

/* The value cut short, or its kind alone where it may be secret or is large. */
static const char *shown(struct reader *reader, const struct firth_option *option, uint32_t at)
{
    struct slice raw = json_raw(reader->doc, at);
    enum json_tag tag = json_tag(reader->doc, at);
    if (option->type == FIRTH_SECRET || tag == JSON_ARRAY || tag == JSON_OBJECT)
        return kind_of(reader->doc, at);
    size_t cut = utf8_cut(raw.data, raw.size, SHOWN_MAX);
    return arena_printf(reader->arena, "%.*s%s", (int)cut, raw.data, cut < raw.size ? "…" : "");
}

static void wrong_type(struct reader *reader, const struct place *place, const struct firth_option *option,
                       uint32_t at, const char *wanted)
{
    problem(reader, place, option->name, "must be %s, got %s", wanted, shown(reader, option, at));
}

static bool in_range(struct reader *reader, const struct place *place, const struct firth_option *option,
                     uint32_t at)
{
    struct slice value = json_raw(reader->doc, at);
    if (option->minimum && number_compare(value, slice_of(option->minimum)) < 0) {
        problem(reader, place, option->name, "must be at least %s, got %s", option->minimum,
                shown(reader, option, at));
        return false;
    }
    if (option->maximum && number_compare(value, slice_of(option->maximum)) > 0) {
        problem(reader, place, option->name, "must be at most %s, got %s", option->maximum,
                shown(reader, option, at));
        return false;
    }
    return true;
}

static void read_integer(struct reader *reader, const struct place *place, const struct firth_option *option,
                         uint32_t at)
{
    int64_t value;
    if (!json_is_number(reader->doc, at)) {
        wrong_type(reader, place, option, at, "an integer");
    } else if (in_range(reader, place, option, at)) {
        if (json_to_i64(reader->doc, at, &value))
            memcpy(reader->config + option->offset, &value, sizeof value);
        else
            wrong_type(reader, place, option, at, "an integer of at most 64 bits");
    }
}

static void read_number(struct reader *reader, const struct place *place, const struct firth_option *option,
                        uint32_t at)
{
    double value;
    if (!json_is_number(reader->doc, at)) {
        wrong_type(reader, place, option, at, "a number");
    } else if (in_range(reader, place, option, at)) {
        if (json_to_double(reader->doc, at, &value))
            memcpy(reader->config + option->offset, &value, sizeof value);
        else
            wrong_type(reader, place, option, at, "a number within the range of a double");
    }
}

/* NULL, with the problem noted, if it is no string or holds a NUL, which no C string can. */
static const char *text_of(struct reader *reader, const struct place *place,
                           const struct firth_option *option, uint32_t at, const char *wanted)
{
    if (!json_is(reader->doc, at, JSON_STRING)) {
        wrong_type(reader, place, option, at, wanted);
        return NULL;
    }
    struct slice text = json_string(reader->doc, at, reader->arena);
    if (text.size && memchr(text.data, 0, text.size)) {
        problem(reader, place, option->name, "must not contain a NUL character");
        return NULL;
    }
    return arena_strndup(reader->arena, text.data ? text.data : "", text.size);
}

static const char *joined(struct arena *arena, const char *const *names)
{
    const char *text = "";
    for (size_t i = 0; names[i]; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", names[i]);
    return text;
}

static int position_of(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

static void read_name(struct reader *reader, const struct place *place, const struct firth_option *option,
                      const char *member, const char *const *names, uint32_t at, int *ret_position)
{
    const char *text = text_of(reader, place, option, at, "a string");
    if (!text)
        return;
    int position = position_of(names, text);
    if (position >= 0) {
        *ret_position = position;
        return;
    }
    size_t count = 0;
    while (names[count])
        count++;
    const char *near = string_nearest(text, names, count);
    problem(reader, place, member, "must be one of %s, got %s%s%s%s", joined(reader->arena, names),
            shown(reader, option, at), near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

static void read_enum(struct reader *reader, const struct place *place, const struct firth_option *option,
                      uint32_t at)
{
    int position = -1;
    read_name(reader, place, option, option->name, option->values, at, &position);
    memcpy(reader->config + option->offset, &position, sizeof position);
}

static void read_strings(struct reader *reader, const struct place *place, const struct firth_option *option,
                         uint32_t at)
{
    if (!json_is(reader->doc, at, JSON_ARRAY)) {
        wrong_type(reader, place, option, at, "an array of strings");
        return;
    }
    struct firth_strings strings = {.count = json_count(reader->doc, at)};
    const char **items = arena_zalloc(reader->arena, (strings.count + 1) * sizeof *items);
    size_t position = 0;
    for (uint32_t e = json_first(reader->doc, at); e != JSON_NONE; e = json_next(reader->doc, at, e)) {
        const char *text = text_of(reader, place, option, e, "an array of strings");
        items[position++] = text ? text : "";
    }
    strings.items = items;
    memcpy(reader->config + option->offset, &strings, sizeof strings);
}

static void read_table(struct reader *reader, const struct place *place, const struct firth_option *options,
                       uint32_t at, const char *tag);

static void read_choice(struct reader *reader, const struct place *place, const struct firth_option *option,
                        uint32_t at)
{
    if (!json_is(reader->doc, at, JSON_OBJECT)) {
        wrong_type(reader, place, option, at, "an object");
        return;
    }
    size_t count = 0;
    while (option->choices[count].value)
        count++;
    const char **names = arena_zalloc(reader->arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = option->choices[i].value;
    struct place here = {place, option->name};
    uint32_t tag = json_get(reader->doc, at, option->tag);
    if (tag == JSON_NONE) {
        problem(reader, &here, option->tag, "is missing; it is one of %s", joined(reader->arena, names));
        return;
    }
    int position = -1;
    read_name(reader, &here, option, option->tag, names, tag, &position);
    memcpy(reader->config + option->offset, &position, sizeof position);
    if (position >= 0 && option->choices[position].fields)
        read_table(reader, &here, option->choices[position].fields, at, option->tag);
}

/* Each item is a config of its own, named "streams[0]" in messages. */
static void read_objects(struct reader *reader, const struct place *place, const struct firth_option *option,
                         uint32_t at)
{
    if (!json_is(reader->doc, at, JSON_ARRAY)) {
        wrong_type(reader, place, option, at, "an array of objects");
        return;
    }
    char *config = reader->config;
    struct firth_objects objects = {.count = json_count(reader->doc, at)};
    char *item = objects.items = arena_zalloc(reader->arena, (objects.count + 1) * option->item_size);
    size_t position = 0;
    for (uint32_t e = json_first(reader->doc, at); e != JSON_NONE; e = json_next(reader->doc, at, e)) {
        const char *name = arena_printf(reader->arena, "%s[%zu]", option->name, position++);
        reader->config = item;
        if (json_is(reader->doc, e, JSON_OBJECT))
            read_table(reader, &(struct place){place, name}, option->fields, e, NULL);
        else
            problem(reader, place, name, "must be an object, got %s", kind_of(reader->doc, e));
        item += option->item_size;
    }
    reader->config = config;
    memcpy(config + option->offset, &objects, sizeof objects);
}

static void read_value(struct reader *reader, const struct place *place, const struct firth_option *option,
                       uint32_t at)
{
    const char *text;
    switch (option->type) {
    case FIRTH_STRING:
    case FIRTH_SECRET:
        text = text_of(reader, place, option, at, "a string");
        memcpy(reader->config + option->offset, &text, sizeof text);
        return;
    case FIRTH_INTEGER:
        read_integer(reader, place, option, at);
        return;
    case FIRTH_NUMBER:
        read_number(reader, place, option, at);
        return;
    case FIRTH_BOOLEAN:
        if (json_is(reader->doc, at, JSON_TRUE) || json_is(reader->doc, at, JSON_FALSE))
            *(bool *)(reader->config + option->offset) = json_is(reader->doc, at, JSON_TRUE);
        else
            wrong_type(reader, place, option, at, "true or false");
        return;
    case FIRTH_ENUM:
        read_enum(reader, place, option, at);
        return;
    case FIRTH_STRINGS:
        read_strings(reader, place, option, at);
        return;
    case FIRTH_JSON:
        if (json_is(reader->doc, at, JSON_OBJECT)) {
            struct slice raw = json_raw(reader->doc, at);
            struct firth_slice copy = {arena_strndup(reader->arena, raw.data, raw.size), raw.size};
            memcpy(reader->config + option->offset, &copy, sizeof copy);
        } else {
            wrong_type(reader, place, option, at, "an object");
        }
        return;
    case FIRTH_OBJECT:
        if (json_is(reader->doc, at, JSON_OBJECT))
            read_table(reader, &(struct place){place, option->name}, option->fields, at, NULL);
        else
            wrong_type(reader, place, option, at, "an object");
        return;
    case FIRTH_CHOICE:
        read_choice(reader, place, option, at);
        return;
    case FIRTH_OBJECTS:
        read_objects(reader, place, option, at);
        return;
    }
}

/* The default is the class author's text: if it does not parse, that is a bug. */
static void read_preset(struct reader *reader, const struct firth_option *option)
{
    char *field = reader->config + option->offset;
    int none = -1;
    switch (option->type) {
    case FIRTH_STRING:
    case FIRTH_SECRET:
        memcpy(field, &option->preset, sizeof option->preset);
        return;
    case FIRTH_INTEGER:
        if (option->preset) {
            int64_t value = 0;
            bool valid = number_to_i64(slice_of(option->preset), &value);
            assert(valid);
            memcpy(field, &value, sizeof value);
        }
        return;
    case FIRTH_NUMBER:
        if (option->preset) {
            double value = 0;
            bool valid = number_to_double(slice_of(option->preset), &value);
            assert(valid);
            memcpy(field, &value, sizeof value);
        }
        return;
    case FIRTH_BOOLEAN:
        *(bool *)field = option->preset && strcmp(option->preset, "true") == 0;
        return;
    case FIRTH_ENUM:
        none = option->preset ? position_of(option->values, option->preset) : -1;
        assert(!option->preset || none >= 0);
        memcpy(field, &none, sizeof none);
        return;
    case FIRTH_CHOICE:
        memcpy(field, &none, sizeof none);
        return;
    case FIRTH_STRINGS:
    case FIRTH_OBJECTS:
        assert(!option->preset);
        return;
    case FIRTH_JSON:
        if (option->preset) {
            struct firth_slice value = {option->preset, strlen(option->preset)};
            memcpy(field, &value, sizeof value);
        }
        return;
    case FIRTH_OBJECT: /* its members have their own */
        read_table(reader, NULL, option->fields, JSON_NONE, NULL);
        return;
    }
}

/* A member that no option names and that looks like the missing one: for the message. */
static const char *misspelt(struct reader *reader, const struct firth_option *options, uint32_t at,
                            const char *tag, const char *missing)
{
    for (uint32_t k = json_first_key(reader->doc, at); k != JSON_NONE;
         k = json_next_key(reader->doc, at, k)) {
        const char *name = json_cstring(reader->doc, k, reader->arena);
        bool known = tag && strcmp(name, tag) == 0;
        for (const struct firth_option *option = options; option->name && !known; option++)
            known = strcmp(option->name, name) == 0;
        if (!known && string_nearest(name, &missing, 1))
            return name;
    }
    return NULL;
}

/* `at` may be JSON_NONE: then only defaults are set, as for an optional object that is not there. */
static void read_table(struct reader *reader, const struct place *place, const struct firth_option *options,
                       uint32_t at, const char *tag)
{
    for (const struct firth_option *option = options; option->name; option++) {
        read_preset(reader, option);
        if (at == JSON_NONE)
            continue;
        uint32_t value = json_get(reader->doc, at, option->name);
        if (value != JSON_NONE && !json_is(reader->doc, value, JSON_NULL)) {
            read_value(reader, place, option, value);
        } else if (option->required) {
            const char *near = misspelt(reader, options, at, tag, option->name);
            problem(reader, place, option->name, "is required%s%s%s", near ? " (is \"" : "", near ? near : "",
                    near ? "\" meant to be it?)" : "");
        }
    }
}

static bool has_required(const struct firth_option *options, const struct json *doc)
{
    bool some = false;
    for (const struct firth_option *option = options; option->name; option++) {
        if (option->required && json_get(doc, 0, option->name) == JSON_NONE)
            return false;
        some |= option->required;
    }
    return some;
}

const struct firth_option *sdk_options_of(const struct firth_connector_class *class_, const struct json *doc,
                                          bool flow)
{
    const struct firth_option *expected =
        flow && class_->flow_options ? class_->flow_options : class_->options;
    const struct firth_option *others[] = {flow ? class_->options : class_->flow_options,
                                           class_->old_options};
    for (size_t i = 0; i < sizeof others / sizeof *others && !has_required(expected, doc); i++) {
        if (others[i] && others[i] != expected && has_required(others[i], doc))
            return others[i];
    }
    return expected;
}

int sdk_options_read(const struct firth_option *options, const struct json *doc, uint32_t at, void *config,
                     struct arena *arena, struct error *err)
{
    if (!json_is(doc, at, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "the config must be an object, got %s", kind_of(doc, at));
    struct reader reader = {.doc = doc, .config = config, .arena = arena};
    buffer_init(&reader.problems, PROBLEMS_MAX);
    read_table(&reader, NULL, options, at, NULL);
    int result = 0;
    if (reader.problems.size)
        result = error_set(err, ERROR_INVALID, "%s", buffer_cstr(&reader.problems));
    buffer_done(&reader.problems);
    return result;
}
