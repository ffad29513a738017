/* Templates as manifests have them: Jinja2 with the CDK's macros and filters (interpolate.h is what the CDK
 * makes of a template's text).
 *
 * A template is compiled once into a tree in an arena and rendered any number of times, by any number of
 * threads, each with an arena of its own. Nothing is allocated but in that arena. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_TEMPLATE_H
#define FIRTH_DECLARATIVE_TEMPLATE_TEMPLATE_H

#include "base/clock.h"
#include "value.h"

enum {
    TEMPLATE_SOURCE_MAX = 1 << 20, /* bytes of a template */
    TEMPLATE_NESTING_MAX = 200,    /* of expressions, statements, macros that call themselves */
    TEMPLATE_STEPS_MAX = 2000000, /* expressions evaluated and items walked in one rendering; and what a value
                                   * holds, as often as it stands in it */
    TEMPLATE_TEXT_MAX = 16 << 20, /* bytes of a text that is made */
    TEMPLATE_MEMORY_MAX = 256 << 20, /* bytes of everything that is made in one rendering */
    TEMPLATE_ITEMS_MAX = 1 << 20,    /* of a list that is made */
    TEMPLATE_DIGITS_MAX = 4300,      /* of an integer, as in Python */
};

/* The names that a template may use where it stands. */
struct template_name {
    struct slice name;
    struct tvalue value;
};
struct template_scope {
    const struct template_name *names; /* the last of two of one name counts */
    size_t count;
    const struct clock *clock; /* NULL: the machine's */
};

/* Why a rendering failed, as far as the CDK tells failures apart. */
enum template_failure {
    TEMPLATE_RENDERED,
    TEMPLATE_UNDEFINED,  /* something was done with what is not there (UndefinedError) */
    TEMPLATE_TYPE_ERROR, /* TypeError */
    TEMPLATE_FAILED,     /* anything else */
};

struct template;

/* The text need not outlive the call. NULL with *err: ERROR_INVALID with line and column, ERROR_LIMIT,
 * ERROR_UNSUPPORTED. */
struct template *template_compile(struct arena *arena, struct slice text, struct error *err);
struct slice template_source(const struct template *template);
/* Has it no expression, statement or comment? */
bool template_is_plain(const struct template *template);
/* The names that it takes from its scope. */
size_t template_free_names(const struct template *template, const struct slice **ret_names);

/* The global function of nearly that name, or NULL. */
const char *template_near_function(struct slice name);

/* Is the template, as a condition, true where `counted` is less than a number that stands for itself? One
 * that `follows` it, or that is as small as `least` (which it never is below), is none. What is not a plain
 * comparison is taken as none, too. */
struct template_threshold {
    struct slice counted, follows; /* names */
    int64_t least;
};
bool template_has_threshold(const struct template *template, const struct template_threshold *threshold);

/* -1 with *err and *ret_failure; a name that is in no scope is TEMPLATE_FAILED. The text may be part of the
 * scope's values. */
int template_render(const struct template *template, const struct template_scope *scope, struct arena *arena,
                    struct slice *ret_text, enum template_failure *ret_failure, struct error *err);
/* The same; a template of one expression and nothing else gives its value instead of the text, with
 * *ret_is_text false. */
int template_evaluate(const struct template *template, const struct template_scope *scope,
                      struct arena *arena, struct tvalue *ret_value, bool *ret_is_text,
                      enum template_failure *ret_failure, struct error *err);

#endif
