/* What no table of fields says. The CDK finds these when it builds a component; here they are found before.
 */
#include "rules.h"

#include "source-declarative/template/pattern.h"
#include "source-declarative/template/template.h"

uint32_t rule_get(struct checking *checking, uint32_t at, const char *field)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t value = json_get(doc, at, field);
    return value != JSON_NONE && json_is(doc, value, JSON_NULL) ? JSON_NONE : value;
}

bool rule_has(struct checking *checking, uint32_t at, const char *field)
{
    return rule_get(checking, at, field) != JSON_NONE;
}

bool rule_is_empty(struct checking *checking, uint32_t at, const char *field)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t value = rule_get(checking, at, field);
    if (value == JSON_NONE)
        return true;
    if (json_is(doc, value, JSON_STRING))
        return json_inner(doc, value).size == 0;
    return (json_is(doc, value, JSON_OBJECT) || json_is(doc, value, JSON_ARRAY)) &&
           json_count(doc, value) == 0;
}

bool rule_is_true(struct checking *checking, uint32_t at, const char *field)
{
    uint32_t value = rule_get(checking, at, field);
    return value != JSON_NONE && json_is(&checking->manifest->doc, value, JSON_TRUE);
}

bool rule_is_a(struct checking *checking, uint32_t at, const char *field, const char *type)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t component = field ? json_get(doc, at, field) : at, word = json_get(doc, component, "type");
    return word != JSON_NONE && json_string_is(doc, word, type);
}

static bool is_template(struct slice text)
{
    return memmem(text.data, text.size, "{{", 2) || memmem(text.data, text.size, "{%", 2) ||
           memmem(text.data, text.size, "{#", 2);
}

struct slice rule_text(struct checking *checking, uint32_t at, const char *field)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t value = json_get(doc, at, field);
    if (value == JSON_NONE || !json_is(doc, value, JSON_STRING))
        return (struct slice){NULL, 0};
    struct slice text = json_string(doc, value, checking->arena);
    return is_template(text) ? (struct slice){NULL, 0} : text;
}

size_t rule_free_names(struct checking *checking, uint32_t at, const char *field,
                       const struct slice **ret_names)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t value = rule_get(checking, at, field);
    struct error err;
    if (value == JSON_NONE || !json_is(doc, value, JSON_STRING))
        return 0;
    struct slice text = json_string(doc, value, checking->arena);
    struct template *template = is_template(text) ? template_compile(checking->arena, text, &err) : NULL;
    return template ? template_free_names(template, ret_names) : 0;
}

void rule_not_empty(struct checking *checking, uint32_t at, const char *field)
{
    if (rule_has(checking, at, field) && rule_is_empty(checking, at, field))
        check_error(checking, json_get(&checking->manifest->doc, at, field),
                    "`%s` is empty: expected one at least", field);
}

void rule_no_globs(struct checking *checking, uint32_t at, const char *field, const char *globs)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t list = json_get(doc, at, field);
    if (list == JSON_NONE || !json_is(doc, list, JSON_ARRAY))
        return;
    for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each)) {
        if (!json_is(doc, each, JSON_STRING))
            continue;
        struct slice text = json_string(doc, each, checking->arena);
        for (size_t i = 0; i < text.size && !is_template(text); i++) {
            if (!strchr(globs, text.data[i]) || !text.data[i])
                continue;
            check_error(checking, each, "`%s` leads to one place; it takes no %c", field, text.data[i]);
            break;
        }
    }
}

bool rule_duration_of(struct checking *checking, uint32_t at, const char *field,
                      struct duration *ret_duration)
{
    struct slice text = rule_text(checking, at, field);
    struct error err;
    return text.size && duration_parse(text, ret_duration, &err) == 0;
}

void rule_duration(struct checking *checking, uint32_t at, const char *field, bool positive)
{
    struct slice text = rule_text(checking, at, field);
    struct duration duration;
    struct error err;
    if (text.size == 0)
        return;
    uint32_t place = json_get(&checking->manifest->doc, at, field);
    if (duration_parse(text, &duration, &err) != 0)
        check_error(checking, place, "`%s`: %s", field, err.message);
    else if (positive && (duration.is_duration || duration.seconds < 0 ||
                          (duration.seconds == 0 && duration.microseconds < 1000)))
        check_error(checking, place,
                    "`%s` is \"%.*s\": expected one longer than nothing, and without months, such as PT1M",
                    field, (int)utf8_cut(text.data, text.size, 40), text.data);
}

void rule_pattern(struct checking *checking, uint32_t at, const char *field, check_tell *tell)
{
    struct slice text = rule_text(checking, at, field);
    struct error err;
    if (text.size == 0)
        return;
    mem_auto(pattern_free) struct pattern *pattern = pattern_new(text, &err);
    if (!pattern)
        tell(checking, json_get(&checking->manifest->doc, at, field), "`%s`: %s", field, err.message);
}

void check_rules(struct checking *checking, uint32_t at, const struct component_type *type)
{
    const struct rule *const rules[] = {REQUEST_RULES, STREAM_RULES, RETRIEVER_RULES, GROUP_RULES};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        for (const struct rule *rule = rules[i]; rule->type; rule++)
            if (strcmp(rule->type, type->name) == 0)
                rule->check(checking, at);
}
