/* A manifest: YAML or JSON, its references resolved, types and parameters propagated as the CDK does it, and
 * checked against the table of components. What is in a struct manifest is right as far as can be told
 * without a config: required fields are there, every field has a type that its component takes, enums are
 * known words.
 *
 * Everything lives in the arena and is read-only. */
#ifndef FIRTH_DECLARATIVE_MANIFEST_MANIFEST_H
#define FIRTH_DECLARATIVE_MANIFEST_MANIFEST_H

#include "table.h"
#include "yaml/yaml.h"

enum {
    MANIFEST_SIZE_MAX = 16 << 20,     /* bytes of a file */
    MANIFEST_EXPANDED_MAX = 64 << 20, /* bytes of JSON once references and parameters are written out */
    MANIFEST_NODES_MAX = 4 << 20,
    MANIFEST_DEPTH_MAX = 128,       /* containers in containers, once written out */
    MANIFEST_REFERENCES_MAX = 1000, /* references that lead to references */
    MANIFEST_PROBLEMS_MAX = 1000,   /* told; what comes after is only counted */
};

/* What is wrong, or merely odd. */
enum manifest_severity {
    MANIFEST_ERROR,
    MANIFEST_WARNING, /* it runs all the same: an unknown field, a deprecated one */
};
struct manifest_problem {
    enum manifest_severity severity;
    bool unsupported;        /* right, but nothing that Firth can run: a Custom* component */
    struct yaml_position at; /* line 0: nowhere in particular */
    const char *path;        /* "streams[0].retriever.requester"; "" for the file */
    const char *message;     /* what is wrong and what would be right; no path, no place */
};
typedef void manifest_on_problem(void *context, const struct manifest_problem *problem);

struct manifest {
    struct json doc;                       /* as it is run: references, types and parameters written out */
    const char *file;                      /* for messages */
    const struct yaml_position *positions; /* of each node: where what it was made from stands */
    struct arena *arena;
};

/* A node of a manifest: a component, or any value in one. By value, cheap to pass; JSON_NONE: there is none.
 */
struct component {
    const struct manifest *manifest;
    uint32_t at;
};

/* Each problem is told; -1 if one of them was an error: *err then says how many, or repeats the only one,
 * with its place. on_problem may be NULL. */
int manifest_parse(struct arena *arena, const char *file, enum yaml_syntax syntax, struct slice source,
                   manifest_on_problem *on_problem, void *context, struct manifest **ret_manifest,
                   struct error *err);
int manifest_load(struct arena *arena, const char *path, manifest_on_problem *on_problem, void *context,
                  struct manifest **ret_manifest, struct error *err);

/* The same, where there is nobody to tell: the error says all that is wrong, a line each. `name` is for
 * messages. */
int manifest_load_telling(struct arena *arena, const char *path, struct manifest **ret_manifest,
                          struct error *err);
int manifest_parse_telling(struct arena *arena, const char *name, struct slice json,
                           struct manifest **ret_manifest, struct error *err);

/* As it is written: nothing but YAML is looked at. */
int manifest_read_file(struct arena *arena, const char *path, struct yaml_document *ret_doc,
                       struct error *err);
/* Only written out, not checked: references, types and parameters. With its definitions it is what the CDK
 * makes of it. */
int manifest_expand_file(struct arena *arena, const char *path, struct yaml_document *ret_doc,
                         struct error *err);

/* The two steps by themselves, as JSON text, for dynamic streams and for tests. `identifier` is
 * "ParentType.field", or "". */
int manifest_resolve(struct arena *arena, const struct yaml_document *raw, struct yaml_document *ret_resolved,
                     struct error *err);
int manifest_propagate(struct arena *arena, const struct yaml_document *resolved, const char *identifier,
                       bool parent_parameters_win, struct yaml_document *ret_propagated, struct error *err);
/* A component that was made at run time (a dynamic stream from its template): JSON text, propagated and
 * checked as a component of this type. A number will do for a text. Its places are those of `origin`. */
int manifest_derive(struct arena *arena, struct component origin, struct slice json, const char *type_name,
                    bool parent_parameters_win, struct component *ret_component, struct error *err);

/* What a connector that is this manifest answers to `spec`. */
struct manifest_spec {
    struct slice connection_specification; /* JSON Schema */
    struct slice advanced_auth;            /* JSON, as Airbyte's protocol has it; size 0: none */
    const char *documentation_url;         /* NULL: none */
};
void manifest_spec(const struct manifest *manifest, struct manifest_spec *ret_spec);

/* --- reading ------------------------------------------------------------------------------------------- */

static inline bool component_is_none(struct component component)
{
    return component.at == JSON_NONE;
}
struct component manifest_root(const struct manifest *manifest);
/* A field, none where it is absent or null: the CDK knows no difference. */
struct component component_get(struct component component, const char *field);
/* Its type; NULL if it is no component (a string, a list, a mapping without type). */
const struct component_type *component_type(struct component component);
bool component_is(struct component component, const char *type_name);
/* A list's elements; a single value that may be a list counts as a list of one. Index from 0. */
size_t component_count(struct component list);
struct component component_at(struct component list, size_t index);
/* The component itself as text: a string, or what a scalar is written as; data NULL for none. */
struct slice component_string(struct component component);
/* Values of fields, the table's default where the field is absent. Asking for the wrong type is a bug. Texts
 * are in the manifest's arena, and are templates still where the field is one. */
struct slice component_text(struct component component,
                            const char *field); /* data NULL: absent, no default */
bool component_bool(struct component component, const char *field);
bool component_integer(struct component component, const char *field, int64_t *ret_value);
bool component_number(struct component component, const char *field, double *ret_value);
/* The position in the table's list of words, or -1. */
int component_enum(struct component component, const char *field);
/* What this component's templates see as `parameters`: a mapping, or none. */
struct component component_parameters(struct component component);

/* Does the stream read one of this name as a parent, or does one of its parents? */
bool component_reads(struct component stream, struct slice name);

/* "streams[0].retriever (manifest.yaml:12:5): " before the message. Returns -1. */
int component_error(struct error *err, struct component component);
#ifdef __clang_analyzer__ /* as in base/error.h */
#define component_error(...) (component_error(__VA_ARGS__), -1)
#endif

#endif
