/* Keywords that look at one value: type, const, enum, numbers, strings. */
#include "schema/compile.h"

#include "schema/format/format.h"
#include "schema/text.h"
#include "schema/value.h"
#include "json/number.h"

static const struct {
    const char *name;
    uint16_t types;
} type_names[] = {
    {"null", TYPE_NULL},     {"boolean", TYPE_BOOLEAN}, {"integer", TYPE_INTEGER}, {"number", TYPE_NUMBER},
    {"string", TYPE_STRING}, {"array", TYPE_ARRAY},     {"object", TYPE_OBJECT},
};

static int add_type(struct compiler *c, uint32_t node, uint16_t *types)
{
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
        if (json_string_is(c->json, node, type_names[i].name)) {
            /* Draft 4: an integer is written without fraction and exponent. */
            bool strict = type_names[i].types == TYPE_INTEGER && c->resource->dialect.draft == SCHEMA_DRAFT_4;
            *types |= strict ? 1 << JSON_INTEGER : type_names[i].types;
            return 0;
        }
    }
    struct slice raw = json_raw(c->json, node);
    return compile_error(c, node,
                         "expected null, boolean, integer, number, string, array or object, got %.*s",
                         (int)utf8_cut(raw.data, raw.size, 60), raw.data);
}

static int compile_type(struct compiler *c)
{
    uint32_t node = facet(c, KEYWORD_TYPE);
    uint16_t types = 0;
    if (node == JSON_NONE)
        return 0;
    if (json_is(c->json, node, JSON_ARRAY)) {
        for (uint32_t e = json_first(c->json, node); e != JSON_NONE; e = json_next(c->json, node, e)) {
            if (add_type(c, e, &types) < 0)
                return -1;
        }
    } else if (add_type(c, node, &types) < 0) {
        return -1;
    }
    c->works[c->rule].types &= types;
    compile_emit(c, OP_TYPE, KEYWORD_TYPE, types, 0);
    return 0;
}

static uint16_t types_of_value(enum json_tag tag)
{
    if (tag == JSON_INTEGER || tag == JSON_NUMBER)
        return TYPE_NUMBER;
    return tag == JSON_STRING ? TYPE_STRING : (uint16_t)(1U << tag);
}

static void add_value(struct compiler *c, struct enum_plan *plan, uint32_t node)
{
    enum json_tag tag = json_tag(c->json, node);
    struct enum_value *value = &plan->values[plan->count++];
    *value = (struct enum_value){.node = node, .tag = (uint8_t)tag};
    plan->types |= types_of_value(tag);
    plan->only_strings &= tag == JSON_STRING;
    if (tag == JSON_STRING)
        value->text = compile_name(c, node);
}

/* Slots for an open table of so many values. */
static uint32_t table_size(uint32_t count)
{
    uint32_t size = 16;
    while (size < 2 * count)
        size *= 2;
    return size;
}

/* False if the hashes of too many values fall together: that is no chance. */
static bool put_string(struct enum_plan *plan, struct name text)
{
    text.hash = (uint32_t)text_hash(text.text, text.size);
    uint32_t at = text.hash & plan->string_mask;
    for (uint32_t probes = 0; probes < SCHEMA_PROBES_MAX; probes++, at = (at + 1) & plan->string_mask) {
        const struct name *slot = &plan->strings[at];
        if (!slot->text) {
            plan->strings[at] = text;
            return true;
        }
        if (slot->hash == text.hash && slot->size == text.size && text_same(slot->text, text.text, text.size))
            return true;
    }
    return false;
}

static bool put_value(struct enum_plan *plan, uint32_t number)
{
    struct enum_value *value = &plan->values[number];
    value->hash = json_hash(plan->json, value->node);
    uint32_t at = (uint32_t)value->hash & plan->mask;
    for (uint32_t probes = 0; probes < SCHEMA_PROBES_MAX; probes++, at = (at + 1) & plan->mask) {
        if (plan->table[at] == 0) {
            plan->table[at] = number + 1;
            return true;
        }
        const struct enum_value *other = &plan->values[plan->table[at] - 1];
        if (other->hash == value->hash && json_equal(plan->json, other->node, plan->json, value->node))
            return true;
    }
    return false;
}

/* Long lists are looked up by hash. */
static int make_enum_tables(struct compiler *c, struct enum_plan *plan)
{
    enum { LINEAR_MAX = 6 };
    uint32_t strings = 0;
    for (uint32_t i = 0; i < plan->count; i++)
        strings += plan->values[i].tag == JSON_STRING;
    if (strings > LINEAR_MAX) {
        uint32_t size = table_size(strings);
        plan->string_mask = size - 1;
        plan->strings = arena_zalloc(&c->program->arena, size * sizeof *plan->strings);
    }
    if (plan->count - strings > LINEAR_MAX) {
        uint32_t size = table_size(plan->count - strings);
        plan->mask = size - 1;
        plan->table = arena_zalloc(&c->program->arena, size * sizeof *plan->table);
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        bool is_string = plan->values[i].tag == JSON_STRING, placed = true;
        if (is_string && plan->strings)
            placed = put_string(plan, plan->values[i].text);
        else if (!is_string && plan->table)
            placed = put_value(plan, i);
        if (!placed)
            return compile_limit(c, plan->values[i].node,
                                 "more than %d values have hashes that fall together", SCHEMA_PROBES_MAX);
    }
    return 0;
}

static int compile_values(struct compiler *c, enum keyword keyword, uint32_t node)
{
    uint32_t number = PROGRAM_ADD(c, struct enum_plan, enums, enum_count, enum_capacity);
    struct enum_plan *plan = &c->program->enums[number];
    bool list = keyword == KEYWORD_ENUM;
    uint32_t count = list ? json_count(c->json, node) : 1;
    plan->json = c->json;
    plan->only_strings = true;
    plan->values = arena_alloc(&c->program->arena, (count + 1) * sizeof *plan->values);
    if (!list)
        add_value(c, plan, node);
    for (uint32_t e = list ? json_first(c->json, node) : JSON_NONE; e != JSON_NONE;
         e = json_next(c->json, node, e))
        add_value(c, plan, e);
    if (make_enum_tables(c, plan) < 0)
        return -1;
    c->works[c->rule].types &= plan->types;
    compile_emit(c, list ? OP_ENUM : OP_CONST, keyword, number, 0);
    return 0;
}

static int compile_number(struct compiler *c, enum keyword keyword, enum op_code code)
{
    uint32_t node = facet(c, keyword);
    if (node == JSON_NONE)
        return 0;
    struct slice raw = json_raw(c->json, node);
    bool multiple = keyword == KEYWORD_MULTIPLE_OF;
    if (!json_is_number(c->json, node) || (multiple && number_compare(raw, SLICE_LITERAL("0")) <= 0))
        return compile_error(c, node, "expected a number%s, got %.*s", multiple ? " above 0" : "",
                             (int)utf8_cut(raw.data, raw.size, 60), raw.data);
    uint32_t number = PROGRAM_ADD(c, struct number_plan, numbers, number_count, number_capacity);
    c->program->numbers[number] = number_plan_of(raw);
    compile_emit(c, code, keyword, number, 0);
    return 0;
}

/* Draft 4: "exclusiveMinimum": true makes "minimum" exclusive. */
static int compile_bound(struct compiler *c, enum keyword keyword, enum op_code code)
{
    bool minimum = keyword == KEYWORD_MINIMUM;
    uint32_t flag = facet(c, minimum ? KEYWORD_EXCLUSIVE_MINIMUM : KEYWORD_EXCLUSIVE_MAXIMUM);
    if (c->resource->dialect.draft == SCHEMA_DRAFT_4 && json_is(c->json, flag, JSON_TRUE))
        code = minimum ? OP_EXCLUSIVE_MINIMUM : OP_EXCLUSIVE_MAXIMUM;
    return compile_number(c, keyword, code);
}

static int compile_bounds(struct compiler *c)
{
    if (compile_bound(c, KEYWORD_MINIMUM, OP_MINIMUM) < 0 ||
        compile_bound(c, KEYWORD_MAXIMUM, OP_MAXIMUM) < 0)
        return -1;
    if (c->resource->dialect.draft == SCHEMA_DRAFT_4)
        return 0;
    return compile_number(c, KEYWORD_EXCLUSIVE_MINIMUM, OP_EXCLUSIVE_MINIMUM) < 0 ||
                   compile_number(c, KEYWORD_EXCLUSIVE_MAXIMUM, OP_EXCLUSIVE_MAXIMUM) < 0
               ? -1
               : 0;
}

static int compile_string(struct compiler *c)
{
    uint32_t count, regex, pattern = facet(c, KEYWORD_PATTERN);
    if (compile_go_on(c, compile_count(c, KEYWORD_MIN_LENGTH, 0, &count)) < 0)
        return -1;
    if (count > 0)
        compile_emit(c, OP_MIN_LENGTH, KEYWORD_MIN_LENGTH, count, 0);
    if (compile_go_on(c, compile_count(c, KEYWORD_MAX_LENGTH, UINT32_MAX, &count)) < 0)
        return -1;
    if (count != UINT32_MAX)
        compile_emit(c, OP_MAX_LENGTH, KEYWORD_MAX_LENGTH, count, 0);
    if (pattern == JSON_NONE)
        return 0;
    if (!json_is(c->json, pattern, JSON_STRING))
        return compile_error(c, pattern, "expected a string with a regular expression");
    if (compile_regex(c, pattern, &regex) < 0)
        return -1;
    compile_emit(c, OP_PATTERN, KEYWORD_PATTERN, regex, 0);
    return 0;
}

/* "format" asserts where that is asked for, or where the metaschema's vocabulary says so. */
static int compile_format(struct compiler *c)
{
    uint32_t node = facet(c, KEYWORD_FORMAT);
    bool wanted =
        c->options->assert_formats || c->resource->dialect.vocabularies & VOCABULARY_FORMAT_ASSERTION;
    if (node == JSON_NONE || !wanted)
        return 0;
    if (!json_is(c->json, node, JSON_STRING))
        return compile_error(c, node, "expected a string with the name of a format");
    enum format format = format_find(json_string(c->json, node, &c->scratch));
    if (format != FORMAT_NONE)
        compile_emit(c, OP_FORMAT, KEYWORD_FORMAT, format, 0);
    return 0;
}

int compile_assertions(struct compiler *c)
{
    uint32_t list = facet(c, KEYWORD_ENUM), value = facet(c, KEYWORD_CONST);
    if (compile_go_on(c, compile_type(c)) < 0)
        return -1;
    if (list != JSON_NONE && !json_is(c->json, list, JSON_ARRAY)) {
        if (compile_go_on(c, compile_error(c, list, "expected an array of values")) < 0)
            return -1;
        list = JSON_NONE;
    }
    if ((list != JSON_NONE && compile_values(c, KEYWORD_ENUM, list) < 0) ||
        (value != JSON_NONE && compile_values(c, KEYWORD_CONST, value) < 0))
        return -1;
    return compile_go_on(c, compile_bounds(c)) < 0 ||
                   compile_go_on(c, compile_number(c, KEYWORD_MULTIPLE_OF, OP_MULTIPLE_OF)) < 0 ||
                   compile_go_on(c, compile_string(c)) < 0 || compile_format(c) < 0
               ? -1
               : 0;
}
