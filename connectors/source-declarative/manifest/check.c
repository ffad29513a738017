#include "check.h"

#include "type_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct told {
    struct yaml_position at;
    const char *message;
    struct told *next;
};

/* --- telling ------------------------------------------------------------------------------------------- */

static bool is_new(struct checking *checking, struct yaml_position at, const char *message)
{
    struct told **slot =
        &checking->seen[(at.line * 31 + at.column + json_key_hash(message, strlen(message))) % 1024];
    for (struct told *told = *slot; told; told = told->next)
        if (told->at.line == at.line && told->at.column == at.column && strcmp(told->message, message) == 0)
            return false;
    struct told *told = arena_zalloc(checking->arena, sizeof *told);
    *told = (struct told){at, arena_strdup(checking->arena, message), *slot};
    *slot = told;
    return true;
}

static void tell(struct checking *checking, uint32_t at, enum manifest_severity severity, bool unsupported,
                 const char *format, va_list args)
{
    char message[1024];
    vsnprintf(message, sizeof message, format, args);
    string_one_line(message);
    struct manifest_problem problem = {severity, unsupported, checking->manifest->positions[at],
                                       buffer_cstr(&checking->path), message};
    if (!is_new(checking, problem.at, message))
        return;
    if (severity == MANIFEST_ERROR && checking->errors++ == 0) {
        checking->first = problem;
        checking->first.path = arena_strdup(checking->arena, problem.path);
        checking->first.message = arena_strdup(checking->arena, message);
    }
    if (checking->told++ < MANIFEST_PROBLEMS_MAX && checking->on_problem)
        checking->on_problem(checking->context, &problem);
}

void check_error(struct checking *checking, uint32_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(checking, at, MANIFEST_ERROR, false, format, args);
    va_end(args);
}

void check_warning(struct checking *checking, uint32_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(checking, at, MANIFEST_WARNING, false, format, args);
    va_end(args);
}

void check_unsupported(struct checking *checking, uint32_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(checking, at, MANIFEST_ERROR, true, format, args);
    va_end(args);
}

/* --- paths --------------------------------------------------------------------------------------------- */

static size_t enter_field(struct checking *checking, struct slice name)
{
    size_t before = checking->path.size;
    buffer_printf(&checking->path, "%s%.*s", before ? "." : "", (int)utf8_cut(name.data, name.size, 100),
                  name.data);
    return before;
}

static size_t enter_element(struct checking *checking, uint32_t index)
{
    size_t before = checking->path.size;
    buffer_printf(&checking->path, "[%u]", index);
    return before;
}

static void leave(struct checking *checking, size_t before)
{
    checking->path.size = before;
}

/* --- values against alternatives -------------------------------------------------------------------------
 */

static const char *expected(struct checking *checking, struct slice type);

static const char *elements(struct checking *checking, struct slice type)
{
    if (slice_is(type, "string"))
        return "strings";
    if (slice_is(type, "integer"))
        return "whole numbers";
    if (slice_is(type, "object"))
        return "mappings";
    return *type.data == '[' ? "lists" : expected(checking, type);
}

/* "a string", "one of GET, POST", "a HttpRequester or a CustomRequester". */
static const char *expected(struct checking *checking, struct slice type)
{
    static const char *const names[] = {
        [ALTERNATIVE_STRING] = "a string",  [ALTERNATIVE_INTEGER] = "a whole number",
        [ALTERNATIVE_NUMBER] = "a number",  [ALTERNATIVE_BOOLEAN] = "true or false",
        [ALTERNATIVE_NULL] = "null",        [ALTERNATIVE_ANY] = "anything",
        [ALTERNATIVE_OBJECT] = "a mapping",
    };
    struct buffer text;
    struct alternative alternative;
    bool words = false;
    buffer_init(&text, 4096);
    for (struct slice rest = type; alternative_next(&rest, &alternative);) {
        buffer_str(&text, text.size == 0 ? "" : rest.size == 0 ? " or " : ", ");
        if (alternative.kind == ALTERNATIVE_WORD) {
            buffer_printf(&text, "%s%.*s", words ? "" : "one of ", SLICE_ARGS(alternative.text));
            words = true;
        } else if (alternative.kind == ALTERNATIVE_COMPONENT) {
            const struct component_type *component = component_type_find(alternative.text);
            assert(component);
            buffer_printf(&text, "%s%s", component->untyped ? "a mapping as " : "",
                          component->word ? component->word : component->name);
        } else if (alternative.kind == ALTERNATIVE_LIST) {
            buffer_printf(&text, "a list of %s", elements(checking, alternative.text));
        } else if (alternative.kind == ALTERNATIVE_MAP) {
            buffer_printf(&text, "a mapping to %s", expected(checking, alternative.text));
        } else {
            buffer_str(&text, names[alternative.kind]);
        }
    }
    char *copy = arena_strdup(checking->arena, buffer_cstr(&text));
    buffer_done(&text);
    return copy;
}

static const char *kind_of(const struct json *doc, uint32_t at)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",        [JSON_FALSE] = "false",      [JSON_TRUE] = "true",
        [JSON_INTEGER] = "a number", [JSON_NUMBER] = "a number",  [JSON_STRING] = "a string",
        [JSON_ARRAY] = "a list",     [JSON_OBJECT] = "a mapping",
    };
    return names[json_tag(doc, at)];
}

static bool scalar_fits(const struct json *doc, uint32_t at, const struct alternative *alternative)
{
    double number;
    switch (alternative->kind) {
    case ALTERNATIVE_STRING:
        return json_is(doc, at, JSON_STRING);
    case ALTERNATIVE_INTEGER: /* of JSON Schema: 1.0 is one */
        return json_is(doc, at, JSON_INTEGER) || (json_to_double(doc, at, &number) && number >= -1e18 &&
                                                  number <= 1e18 && number == (double)(int64_t)number);
    case ALTERNATIVE_NUMBER:
        return json_is_number(doc, at);
    case ALTERNATIVE_BOOLEAN:
        return json_is(doc, at, JSON_TRUE) || json_is(doc, at, JSON_FALSE);
    case ALTERNATIVE_NULL:
        return json_is(doc, at, JSON_NULL);
    case ALTERNATIVE_OBJECT:
        return json_is(doc, at, JSON_OBJECT);
    case ALTERNATIVE_ANY:
        return true;
    case ALTERNATIVE_WORD:
        return json_is(doc, at, JSON_STRING) && json_text_is(doc, at, alternative->text);
    case ALTERNATIVE_LIST:
    case ALTERNATIVE_MAP:
    case ALTERNATIVE_COMPONENT:
        break;
    }
    return false;
}

static void check_value(struct checking *checking, uint32_t at, struct slice type);

static void check_list(struct checking *checking, uint32_t at, struct slice of)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t index = 0;
    for (uint32_t e = json_first(doc, at); e != JSON_NONE; e = json_next(doc, at, e)) {
        size_t before = enter_element(checking, index++);
        check_value(checking, e, of);
        leave(checking, before);
    }
}

static void check_map(struct checking *checking, uint32_t at, struct slice of)
{
    const struct json *doc = &checking->manifest->doc;
    for (uint32_t k = json_first_key(doc, at); k != JSON_NONE; k = json_next_key(doc, at, k)) {
        if (json_string_is(doc, k, "$parameters"))
            continue;
        size_t before = enter_field(checking, json_string(doc, k, checking->arena));
        check_value(checking, json_value(k), of);
        leave(checking, before);
    }
}

static const char *word_of(const struct component_type *type)
{
    return type->word ? type->word : type->name;
}

/* The component of these alternatives that the mapping says it is, or that needs not say what it is. */
static const struct component_type *choose(struct checking *checking, uint32_t at, struct slice type)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t word = json_get(doc, at, "type");
    const struct component_type *untyped = NULL;
    struct alternative alternative;
    for (struct slice rest = type; alternative_next(&rest, &alternative);) {
        if (alternative.kind != ALTERNATIVE_COMPONENT)
            continue;
        const struct component_type *component = component_type_find(alternative.text);
        assert(component);
        if (word != JSON_NONE && json_string_is(doc, word, word_of(component)))
            return component;
        if (component->untyped && word == JSON_NONE)
            untyped = component;
    }
    return untyped;
}

/* A mapping where components are wanted, that is none of them. */
static void wrong_component(struct checking *checking, uint32_t at, struct slice type)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t word = json_get(doc, at, "type");
    if (word == JSON_NONE) {
        check_error(checking, at, "`type` is missing: expected %s", expected(checking, type));
        return;
    }
    if (!json_is(doc, word, JSON_STRING)) {
        check_error(checking, word, "`type` is %s: expected %s", kind_of(doc, word),
                    expected(checking, type));
        return;
    }
    const char *names[64], *name = json_cstring(doc, word, checking->arena);
    size_t count = 0;
    struct alternative alternative;
    for (struct slice rest = type; alternative_next(&rest, &alternative) && count < 64;)
        if (alternative.kind == ALTERNATIVE_COMPONENT)
            names[count++] = word_of(component_type_find(alternative.text));
    bool known = component_type_find(slice_of(name)) != NULL;
    const char *near = known ? NULL : string_nearest(name, names, count);
    check_error(checking, word, "%s%.60s%s: expected %s%s%s%s", known ? "" : "there is no component ", name,
                known ? " cannot stand here" : "", expected(checking, type), near ? "; did you mean " : "",
                near ? near : "", near ? "?" : "");
}

static bool check_object(struct checking *checking, uint32_t at, struct slice type)
{
    const struct component_type *component = choose(checking, at, type);
    if (component) {
        check_component(checking, at, component);
        return true;
    }
    struct alternative alternative;
    bool components = false;
    for (struct slice rest = type; alternative_next(&rest, &alternative);) {
        components |= alternative.kind == ALTERNATIVE_COMPONENT;
        if (alternative.kind == ALTERNATIVE_MAP) {
            check_map(checking, at, alternative.text);
            return true;
        }
        if (scalar_fits(&checking->manifest->doc, at, &alternative))
            return true;
    }
    if (components)
        wrong_component(checking, at, type);
    return components;
}

static bool check_array(struct checking *checking, uint32_t at, struct slice type)
{
    const struct json *doc = &checking->manifest->doc;
    struct alternative alternative, best = {ALTERNATIVE_ANY, {NULL, 0}};
    bool lists_in_it = json_is(doc, json_first(doc, at), JSON_ARRAY);
    for (struct slice rest = type; alternative_next(&rest, &alternative);) {
        if (alternative.kind == ALTERNATIVE_ANY)
            return true;
        if (alternative.kind != ALTERNATIVE_LIST)
            continue;
        if (best.text.data == NULL || (*alternative.text.data == '[') == lists_in_it)
            best = alternative;
    }
    if (best.text.data)
        check_list(checking, at, best.text);
    return best.text.data != NULL;
}

static void wrong_value(struct checking *checking, uint32_t at, struct slice type)
{
    const struct json *doc = &checking->manifest->doc;
    const char *names[64];
    size_t count = 0;
    struct alternative alternative;
    for (struct slice rest = type; alternative_next(&rest, &alternative) && count < 64;)
        if (alternative.kind == ALTERNATIVE_WORD)
            names[count++] = arena_strndup(checking->arena, alternative.text.data, alternative.text.size);
    if (count == 0 || !json_is(doc, at, JSON_STRING)) {
        check_error(checking, at, "%s: expected %s", kind_of(doc, at), expected(checking, type));
        return;
    }
    const char *text = json_cstring(doc, at, checking->arena), *near = string_nearest(text, names, count);
    check_error(checking, at, "\"%.60s\": expected %s%s%s%s", text, expected(checking, type),
                near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static void check_value(struct checking *checking, uint32_t at, struct slice type)
{
    const struct json *doc = &checking->manifest->doc;
    struct alternative alternative;
    bool fits = false;
    if (json_is(doc, at, JSON_OBJECT))
        fits = check_object(checking, at, type);
    else if (json_is(doc, at, JSON_ARRAY))
        fits = check_array(checking, at, type);
    else
        for (struct slice rest = type; !fits && alternative_next(&rest, &alternative);)
            fits = scalar_fits(doc, at, &alternative);
    if (!fits && checking->lenient &&
        (json_is_number(doc, at) || json_is(doc, at, JSON_TRUE) || json_is(doc, at, JSON_FALSE)))
        for (struct slice rest = type; !fits && alternative_next(&rest, &alternative);)
            fits = alternative.kind == ALTERNATIVE_STRING;
    if (!fits)
        wrong_value(checking, at, type);
    else if (json_is(doc, at, JSON_STRING) && !checking->plain)
        check_template(checking, at);
}

/* --- components ------------------------------------------------------------------------------------------
 */

static void check_least(struct checking *checking, uint32_t at, const char *least)
{
    const struct json *doc = &checking->manifest->doc;
    bool or_equal = least[1] == '=';
    double minimum = strtod(least + 1 + or_equal, NULL), number;
    if (json_is(doc, at, JSON_ARRAY)) {
        if (json_count(doc, at) < minimum)
            check_error(checking, at, "%u elements: expected at least %g", json_count(doc, at), minimum);
        return;
    }
    if (json_to_double(doc, at, &number) && (or_equal ? number < minimum : number <= minimum))
        check_error(checking, at, "%g: expected %s %g", number, or_equal ? "at least" : "more than", minimum);
}

static void check_unknown(struct checking *checking, uint32_t at, uint32_t key,
                          const struct component_type *type)
{
    const struct json *doc = &checking->manifest->doc;
    struct slice name = json_string(doc, key, checking->arena);
    if (slice_is(name, "type") ? !type->closed || !type->untyped
                               : slice_is(name, "$parameters") && !type->closed)
        return;
    uint32_t parameters = json_get(doc, at, "$parameters");
    if (!type->closed && (type->custom || json_get_slice(doc, parameters, name) != JSON_NONE))
        return;
    const char *names[128];
    size_t count = 0;
    for (const struct component_field *field = type->fields; field->name && count < 128; field++)
        names[count++] = field->name;
    const char *text = json_cstring(doc, key, checking->arena), *near = string_nearest(text, names, count);
    (type->closed ? check_error : check_warning)(checking, key, "%s has no field `%.60s`%s%s%s", type->name,
                                                 text,
                                                 near           ? "; did you mean `"
                                                 : type->closed ? ""
                                                                : ": it is ignored",
                                                 near ? near : "", near ? "`?" : "");
}

/* A field that has to be there; one of nearly that name may be what was meant. */
static void check_missing(struct checking *checking, uint32_t at, const struct component_type *type,
                          const struct component_field *field)
{
    const struct json *doc = &checking->manifest->doc;
    const char *near = NULL;
    for (uint32_t k = json_first_key(doc, at); k != JSON_NONE && !near; k = json_next_key(doc, at, k)) {
        const char *name = json_cstring(doc, k, checking->arena);
        if (name && !component_field_find(type, slice_of(name)) && string_nearest(name, &field->name, 1))
            near = name;
    }
    check_error(checking, at, "%s needs `%s`: %s%s%.60s%s", type->name, field->name,
                expected(checking, slice_of(field->type)), near ? "; is `" : "", near ? near : "",
                near ? "` meant to be that?" : "");
}

static void check_class(struct checking *checking, uint32_t at, const struct component_type *type)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t name = json_get(doc, at, "class_name");
    if (!json_is(doc, name, JSON_STRING) ||
        component_class_is_native(type->name, json_string(doc, name, checking->arena)))
        return;
    check_unsupported(checking, name, "%s %.200s is Python code, which Firth does not run", type->name,
                      json_cstring(doc, name, checking->arena));
}

/* Right, and read without being followed: whoever wrote it is to know. */
static void check_followed(struct checking *checking, uint32_t key, const struct component_type *type,
                           struct slice field)
{
    static const struct {
        const char *type, *field, *instead;
    } ignored[] = {
        {"DeclarativeStream", "file_uploader", "records are read, and no files"},
    };
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        if (strcmp(type->name, ignored[i].type) == 0 && slice_is(field, ignored[i].field) &&
            !slice_is(json_raw(&checking->manifest->doc, json_value(key)), "false"))
            check_warning(checking, key, "%s of %s is not followed: %s", ignored[i].field, type->name,
                          ignored[i].instead);
    }
}

void check_component(struct checking *checking, uint32_t at, const struct component_type *type)
{
    const struct json *doc = &checking->manifest->doc;
    for (uint32_t k = json_first_key(doc, at); k != JSON_NONE; k = json_next_key(doc, at, k)) {
        struct slice name = json_string(doc, k, checking->arena);
        const struct component_field *field = component_field_find(type, name);
        if (!field) {
            check_unknown(checking, at, k, type);
            continue;
        }
        check_followed(checking, k, type, name);
        size_t before = enter_field(checking, name);
        bool unfinished = checking->unfinished;
        checking->unfinished |= slice_is(name, "stream_template");
        checking->plain = field->plain;
        check_value(checking, json_value(k), slice_of(field->type));
        checking->plain = false;
        checking->unfinished = unfinished;
        if (field->least)
            check_least(checking, json_value(k), field->least);
        leave(checking, before);
    }
    for (const struct component_field *field = type->fields; field->name; field++) {
        if (field->required && json_get(doc, at, field->name) == JSON_NONE)
            check_missing(checking, at, type, field);
    }
    if (type->custom)
        check_class(checking, at, type);
    if (!checking->unfinished)
        check_rules(checking, at, type);
}
