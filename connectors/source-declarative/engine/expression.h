/* A manifest's string, compiled: what it is depends on where it stands, and so do the names it may use. */
#ifndef FIRTH_DECLARATIVE_ENGINE_EXPRESSION_H
#define FIRTH_DECLARATIVE_ENGINE_EXPRESSION_H

#include "engine.h"
#include "source-declarative/template/interpolate.h"

/* The names of one place, beside `parameters` and `config`. Filled anew for each evaluation or kept through a
 * page: values must live as long. On the stack: small. */
enum { SCOPE_NAMES_MAX = 24 };
struct scope {
    const struct engine *engine;
    struct template_name names[SCOPE_NAMES_MAX]; /* [0]: parameters, of the expression; [1]: config */
    size_t count;
};
void scope_init(struct scope *scope, const struct engine *engine);
/* Later wins over earlier of the same name. `name` is a literal. */
void scope_set(struct scope *scope, const char *name, struct tvalue value);
/* The same; the name lives as long as the scope. */
void scope_put(struct scope *scope, struct slice name, struct tvalue value);
/* stream_slice under its three names. */
void scope_set_slice(struct scope *scope, struct tvalue stream_slice);

/* `where` is the string's own node: for messages; its component's $parameters are `parameters`. */
struct expression {
    const struct interpolation *code; /* NULL: the field is absent */
    struct tvalue parameters;
    struct component where;
};
/* A field that is a string or a number or a boolean (as its text). An absent field gives an absent
 * expression, unless the table has a default. */
int expression_compile(struct engine *engine, struct component component, const char *field,
                       struct expression *ret_expression, struct error *err);
/* A string that is no field of its own: an element of a list. `component` is whose parameters it sees. */
int expression_compile_at(struct engine *engine, struct component component, struct component string,
                          struct expression *ret_expression, struct error *err);
/* A list of strings, or one. */
struct expressions {
    struct expression *items;
    size_t count;
};
int expressions_compile(struct engine *engine, struct component component, const char *field,
                        struct expressions *ret_expressions, struct error *err);
static inline bool expression_is_absent(const struct expression *expression)
{
    return !expression->code;
}

/* JinjaInterpolation.eval without a default: none where the text is empty or undefined. */
int expression_value(const struct expression *expression, struct scope *scope, unsigned types,
                     struct arena *arena, struct tvalue *ret_value, struct error *err);
/* InterpolatedString.eval: any value ("5" is 5). */
int expression_string(const struct expression *expression, struct scope *scope, struct arena *arena,
                      struct tvalue *ret_value, struct error *err);
/* The same as text, as Python's str() has it. NUL-terminated in the arena. */
int expression_text(const struct expression *expression, struct scope *scope, struct arena *arena,
                    struct slice *ret_text, struct error *err);
/* InterpolatedBoolean.eval; absent: `absent`. */
int expression_bool(const struct expression *expression, struct scope *scope, bool absent,
                    struct arena *arena, bool *ret_value, struct error *err);
/* int(), float() of the value: what is no number is the user's error. */
int expression_integer(const struct expression *expression, struct scope *scope, struct arena *arena,
                       int64_t *ret_value, struct error *err);
int expression_number(const struct expression *expression, struct scope *scope, struct arena *arena,
                      double *ret_value, struct error *err);

/* A field that is known once the config is: compiled and evaluated at once. The text is "" where the field is
 * absent, and lives in the engine's arena. */
int config_text(struct engine *engine, struct component component, const char *field, struct slice *ret_text,
                struct error *err);
int config_integer(struct engine *engine, struct component component, const char *field, int64_t absent,
                   int64_t *ret_value, struct error *err);

/* A field that is a mapping (or, for some, a string that gives one). */
struct mapping_expression {
    const struct interpolated *mapping; /* NULL: no mapping */
    struct expression text;             /* of a string */
    struct tvalue parameters;
    struct component where;
};
int mapping_expression_compile(struct engine *engine, struct component component, const char *field,
                               struct mapping_expression *ret_mapping, struct error *err);
/* InterpolatedMapping.eval (one level) and InterpolatedNestedMapping.eval. Absent: an empty dict. A string
 * gives what it gives: whoever needs a dict looks. Members
 * that are none are left out, but those of a string that gives a nested one. */
int mapping_expression_flat(const struct mapping_expression *mapping, struct scope *scope, unsigned key_types,
                            unsigned value_types, struct arena *arena, struct tvalue *ret_value,
                            struct error *err);
/* The flat one with the members that are none. */
int mapping_expression_members(const struct mapping_expression *mapping, struct scope *scope,
                               unsigned key_types, unsigned value_types, struct arena *arena,
                               struct tvalue *ret_value, struct error *err);
int mapping_expression_nested(const struct mapping_expression *mapping, struct scope *scope,
                              struct arena *arena, struct tvalue *ret_value, struct error *err);

#endif
