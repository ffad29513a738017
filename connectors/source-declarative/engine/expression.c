#include "expression.h"

#include <assert.h>

enum { EXPRESSION_TEXT_MAX = TEMPLATE_TEXT_MAX };

void scope_init(struct scope *scope, const struct engine *engine)
{
    scope->engine = engine;
    scope->count = 2;
    scope->names[0] = (struct template_name){SLICE_LITERAL("parameters"), tvalue_none()};
    scope->names[1] = (struct template_name){SLICE_LITERAL("config"), engine->config};
}

void scope_put(struct scope *scope, struct slice name, struct tvalue value)
{
    for (size_t i = 1; i < scope->count; i++) {
        if (slice_equal(scope->names[i].name, name)) {
            scope->names[i].value = value;
            return;
        }
    }
    assert(scope->count < SCOPE_NAMES_MAX);
    scope->names[scope->count++] = (struct template_name){name, value};
}

void scope_set(struct scope *scope, const char *name, struct tvalue value)
{
    scope_put(scope, slice_of(name), value);
}

void scope_set_slice(struct scope *scope, struct tvalue stream_slice)
{
    struct template_name names[INTERPOLATE_SLICE_NAMES];
    size_t count = interpolate_scope_slice(names, stream_slice);
    for (size_t i = 0; i < count; i++)
        scope_put(scope, names[i].name, names[i].value);
}

/* What the template engine wants, with the expression's own parameters. */
static struct template_scope scope_for(struct scope *scope, struct tvalue parameters)
{
    scope->names[0].value = parameters;
    return (struct template_scope){scope->names, scope->count, scope->engine->clock};
}

/* --- compiling -------------------------------------------------------------------------------------------
 */

static struct tvalue parameters_of(struct engine *engine, struct component component)
{
    struct component parameters = component_parameters(component);
    if (component_is_none(parameters))
        return tvalue_dict(&engine->arena);
    return tvalue_json(&engine->arena, &parameters.manifest->doc, parameters.at);
}

static int compile_text(struct engine *engine, struct component component, struct component where,
                        struct slice text, struct expression *ret_expression, struct error *err)
{
    const struct interpolation *code = interpolation_compile(&engine->arena, text, err);
    if (!code)
        return component_error(err, where);
    *ret_expression = (struct expression){code, parameters_of(engine, component), where};
    return 0;
}

int expression_compile_at(struct engine *engine, struct component component, struct component string,
                          struct expression *ret_expression, struct error *err)
{
    if (component_is_none(string)) {
        *ret_expression = (struct expression){.where = string};
        return 0;
    }
    struct tvalue value = tvalue_json(&engine->arena, &string.manifest->doc, string.at);
    if (value.kind == TVALUE_STRING)
        return compile_text(engine, component, string, value.text, ret_expression, err);
    struct ttext text;
    ttext_init(&text, &engine->arena, TEMPLATE_SOURCE_MAX);
    tvalue_str(&text, &value);
    return compile_text(engine, component, string, ttext_slice_of(&text), ret_expression, err);
}

int expression_compile(struct engine *engine, struct component component, const char *field,
                       struct expression *ret_expression, struct error *err)
{
    struct component node = component_get(component, field);
    if (!component_is_none(node))
        return expression_compile_at(engine, component, node, ret_expression, err);
    struct slice preset = component_text(component, field);
    if (preset.data)
        return compile_text(engine, component, component, preset, ret_expression, err);
    *ret_expression = (struct expression){.where = component};
    return 0;
}

int expressions_compile(struct engine *engine, struct component component, const char *field,
                        struct expressions *ret_expressions, struct error *err)
{
    struct component list = component_get(component, field);
    size_t count = component_is_none(list) ? 0 : component_count(list);
    struct expression *items = arena_alloc(&engine->arena, (count ? count : 1) * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        if (expression_compile_at(engine, component, component_at(list, i), &items[i], err) != 0)
            return -1;
    }
    *ret_expressions = (struct expressions){items, count};
    return 0;
}

int mapping_expression_compile(struct engine *engine, struct component component, const char *field,
                               struct mapping_expression *ret_mapping, struct error *err)
{
    struct component node = component_get(component, field);
    *ret_mapping = (struct mapping_expression){.where = node};
    if (component_is_none(node))
        return 0;
    if (!json_is(&node.manifest->doc, node.at, JSON_OBJECT))
        return expression_compile_at(engine, component, node, &ret_mapping->text, err);
    ret_mapping->mapping = interpolated_compile(&engine->arena, &node.manifest->doc, node.at, err);
    if (!ret_mapping->mapping)
        return component_error(err, node);
    ret_mapping->parameters = parameters_of(engine, component);
    return 0;
}

/* --- evaluating ------------------------------------------------------------------------------------------
 */

int expression_value(const struct expression *expression, struct scope *scope, unsigned types,
                     struct arena *arena, struct tvalue *ret_value, struct error *err)
{
    if (expression_is_absent(expression)) {
        *ret_value = tvalue_none();
        return 0;
    }
    struct template_scope names = scope_for(scope, expression->parameters);
    if (interpolation_eval(expression->code, NULL, types, &names, arena, ret_value, err) != 0)
        return component_error(err, expression->where);
    return 0;
}

int expression_string(const struct expression *expression, struct scope *scope, struct arena *arena,
                      struct tvalue *ret_value, struct error *err)
{
    if (expression_is_absent(expression)) {
        *ret_value = tvalue_none();
        return 0;
    }
    struct template_scope names = scope_for(scope, expression->parameters);
    if (interpolation_string(expression->code, INTERPOLATE_ANY, &names, arena, ret_value, err) != 0)
        return component_error(err, expression->where);
    return 0;
}

int expression_text(const struct expression *expression, struct scope *scope, struct arena *arena,
                    struct slice *ret_text, struct error *err)
{
    struct tvalue value;
    if (expression_string(expression, scope, arena, &value, err) != 0)
        return -1;
    struct ttext text;
    ttext_init(&text, arena, EXPRESSION_TEXT_MAX);
    if (expression_is_absent(expression))
        value = tvalue_string((struct slice){"", 0});
    tvalue_str(&text, &value);
    ttext_byte(&text, '\0');
    if (text.overflowed) {
        error_set(err, ERROR_LIMIT, "gives a text of more than %d bytes", EXPRESSION_TEXT_MAX);
        return component_error(err, expression->where);
    }
    *ret_text = (struct slice){text.data, text.size - 1};
    return 0;
}

int expression_bool(const struct expression *expression, struct scope *scope, bool absent,
                    struct arena *arena, bool *ret_value, struct error *err)
{
    if (expression_is_absent(expression)) {
        *ret_value = absent;
        return 0;
    }
    struct template_scope names = scope_for(scope, expression->parameters);
    if (interpolation_boolean(expression->code, &names, arena, ret_value, err) != 0)
        return component_error(err, expression->where);
    return 0;
}

/* Python's float() of a text: blanks around it are cut. */
static bool text_number(struct slice text, double *ret_number)
{
    while (text.size && (text.data[0] == ' ' || text.data[0] == '\n' || text.data[0] == '\t'))
        text.data++, text.size--;
    while (text.size && strchr(" \n\t", text.data[text.size - 1]))
        text.size--;
    struct arena arena = {0};
    char *copy = arena_strndup(&arena, text.data, text.size);
    char *end;
    *ret_number = strtod(copy, &end);
    bool is_number = text.size && end == copy + text.size && !memchr(copy, 'x', text.size) &&
                     !memchr(copy, 'X', text.size) && !memchr(copy, '(', text.size);
    arena_done(&arena);
    return is_number;
}

int expression_number(const struct expression *expression, struct scope *scope, struct arena *arena,
                      double *ret_value, struct error *err)
{
    struct tvalue value;
    if (expression_string(expression, scope, arena, &value, err) != 0)
        return -1;
    if (tvalue_is_number(&value)) {
        *ret_value = tvalue_to_double(&value);
        return 0;
    }
    if (value.kind == TVALUE_STRING && text_number(value.text, ret_value))
        return 0;
    error_set(err, ERROR_INVALID, "gives a %s that is no number", tvalue_type(&value));
    return component_error(err, expression->where);
}

int expression_integer(const struct expression *expression, struct scope *scope, struct arena *arena,
                       int64_t *ret_value, struct error *err)
{
    struct tvalue value;
    if (expression_string(expression, scope, arena, &value, err) != 0)
        return -1;
    double number = NAN;
    if (value.kind == TVALUE_STRING) {
        value = interpolate_literal(arena, value.text, INTERPOLATE_INT);
        if (value.kind == TVALUE_STRING &&
            string_to_i64(arena_strndup(arena, value.text.data, value.text.size), ret_value))
            return 0;
    }
    if (value.kind == TVALUE_INT) {
        *ret_value = value.integer;
        return 0;
    }
    if (tvalue_is_number(&value))
        number = trunc(tvalue_to_double(&value));
    if (number >= -9e18 && number <= 9e18) {
        *ret_value = (int64_t)number;
        return 0;
    }
    error_set(err, ERROR_INVALID, "gives a %s that is no integer in range", tvalue_type(&value));
    return component_error(err, expression->where);
}

int config_text(struct engine *engine, struct component component, const char *field, struct slice *ret_text,
                struct error *err)
{
    struct expression expression;
    struct scope scope;
    scope_init(&scope, engine);
    if (expression_compile(engine, component, field, &expression, err) != 0)
        return -1;
    return expression_text(&expression, &scope, &engine->arena, ret_text, err);
}

int config_integer(struct engine *engine, struct component component, const char *field, int64_t absent,
                   int64_t *ret_value, struct error *err)
{
    struct expression expression;
    struct scope scope;
    scope_init(&scope, engine);
    *ret_value = absent;
    if (expression_compile(engine, component, field, &expression, err) != 0)
        return -1;
    return expression_is_absent(&expression)
               ? 0
               : expression_integer(&expression, &scope, &engine->arena, ret_value, err);
}

/* Members that are none are left out. */
static struct tvalue without_none(struct arena *arena, struct tvalue value)
{
    struct titer iter;
    struct tvalue key, dict = tvalue_dict(arena);
    if (!tvalue_is_mapping(&value) || !titer_init(&iter, arena, value))
        return value;
    while (titer_next(&iter, &key)) {
        if (iter.of_key.kind != TVALUE_NONE)
            tdict_set(arena, dict.dict, key, iter.of_key);
    }
    return dict;
}

static int mapping_text(const struct mapping_expression *mapping, struct scope *scope, struct arena *arena,
                        struct tvalue *ret_value, struct error *err)
{
    if (expression_is_absent(&mapping->text)) {
        *ret_value = tvalue_dict(arena);
        return 0;
    }
    struct tvalue value;
    if (expression_string(&mapping->text, scope, arena, &value, err) != 0)
        return -1;
    *ret_value = value;
    return 0;
}

int mapping_expression_members(const struct mapping_expression *mapping, struct scope *scope,
                               unsigned key_types, unsigned value_types, struct arena *arena,
                               struct tvalue *ret_value, struct error *err)
{
    if (!mapping->mapping)
        return mapping_text(mapping, scope, arena, ret_value, err);
    struct template_scope names = scope_for(scope, mapping->parameters);
    if (interpolated_mapping(mapping->mapping, key_types, value_types, &names, arena, ret_value, err) != 0)
        return component_error(err, mapping->where);
    return 0;
}

int mapping_expression_flat(const struct mapping_expression *mapping, struct scope *scope, unsigned key_types,
                            unsigned value_types, struct arena *arena, struct tvalue *ret_value,
                            struct error *err)
{
    struct tvalue value;
    if (mapping_expression_members(mapping, scope, key_types, value_types, arena, &value, err) != 0)
        return -1;
    *ret_value = without_none(arena, value);
    return 0;
}

int mapping_expression_nested(const struct mapping_expression *mapping, struct scope *scope,
                              struct arena *arena, struct tvalue *ret_value, struct error *err)
{
    if (!mapping->mapping)
        return mapping_text(mapping, scope, arena, ret_value, err);
    struct template_scope names = scope_for(scope, mapping->parameters);
    if (interpolated_nested(mapping->mapping, &names, arena, ret_value, err) != 0)
        return component_error(err, mapping->where);
    return 0;
}
