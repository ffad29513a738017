/* Interpolation: what the CDK makes of a manifest's strings. A string is rendered as a template, and the text
 * is then read as a Python literal: "{{ config.n }}" with 5 is the number 5, "007" stays text, "{'a': 1}" is
 * a dict. A text that is no literal stays as it is.
 *
 * - An empty text, or an UndefinedError, gives the default's value instead.
 * - A TypeError gives the template's own text, as in the CDK.
 * - A name that the scope has not is an error, and so is `stream_state` anywhere.
 * Whoever calls puts `parameters` and `config` into the scope, and stream_slice under its three names
 * (interpolate_scope_slice). */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_INTERPOLATE_H
#define FIRTH_DECLARATIVE_TEMPLATE_INTERPOLATE_H

#include "template.h"

/* Which types a literal may have; another stays text. 0: any. As Python's isinstance: a bool is an int. */
enum interpolate_types {
    INTERPOLATE_ANY = 0,
    INTERPOLATE_STR = 1,
    INTERPOLATE_INT = 2,
    INTERPOLATE_FLOAT = 4,
    INTERPOLATE_BOOL = 8,
    INTERPOLATE_LIST = 16,
    INTERPOLATE_DICT = 32,
};

enum { INTERPOLATE_LITERAL_NESTING_MAX = 199 }; /* brackets in brackets of a literal; deeper stays text */

/* One string of a manifest, compiled. */
struct interpolation;
struct interpolation *interpolation_compile(struct arena *arena, struct slice text, struct error *err);
/* JinjaInterpolation.eval: the default is NULL for none (then the value is none). */
int interpolation_eval(const struct interpolation *interpolation, const struct interpolation *fallback,
                       unsigned types, const struct template_scope *scope, struct arena *arena,
                       struct tvalue *ret_value, struct error *err);
/* InterpolatedString.eval: the default is the string itself. */
int interpolation_string(const struct interpolation *interpolation, unsigned types,
                         const struct template_scope *scope, struct arena *arena, struct tvalue *ret_value,
                         struct error *err);
/* InterpolatedBoolean.eval. */
int interpolation_boolean(const struct interpolation *interpolation, const struct template_scope *scope,
                          struct arena *arena, bool *ret_value, struct error *err);

/* A JSON value whose strings, keys too, are interpolated: InterpolatedMapping and InterpolatedNestedMapping.
 * The document must outlive it. */
struct interpolated;
struct interpolated *interpolated_compile(struct arena *arena, const struct json *doc, uint32_t at,
                                          struct error *err);
/* InterpolatedMapping.eval: only one level; keys of the key types, values of the value types. *ret_value is a
 * dict. */
int interpolated_mapping(const struct interpolated *interpolated, unsigned key_types, unsigned value_types,
                         const struct template_scope *scope, struct arena *arena, struct tvalue *ret_value,
                         struct error *err);
/* InterpolatedNestedMapping.eval: members whose value is none are left out of dicts. */
int interpolated_nested(const struct interpolated *interpolated, const struct template_scope *scope,
                        struct arena *arena, struct tvalue *ret_value, struct error *err);

/* json.loads as a function, for the scopes of the few places that have it. */
struct tvalue interpolate_json_loads(void);

/* Python's ast.literal_eval of a text, or the text itself if it is none or not of the types. */
struct tvalue interpolate_literal(struct arena *arena, struct slice text, unsigned types);

/* The three names of a stream_slice; returns how many were written. */
enum { INTERPOLATE_SLICE_NAMES = 3 };
size_t interpolate_scope_slice(struct template_name *names, struct tvalue stream_slice);

#endif
