/* What is added to a request: parameters, headers, body; by the requester, its authenticator, the paginator,
 * the partition router and the cursor. Each adds to the same struct; who adds a name that is there with
 * another value is in error. */
#ifndef FIRTH_DECLARATIVE_REQUEST_OPTIONS_H
#define FIRTH_DECLARATIVE_REQUEST_OPTIONS_H

#include "source-declarative/engine/expression.h"

enum option_target { /* in the order of the table's words of RequestOption.inject_into */
                     OPTION_PARAMETER,
                     OPTION_HEADER,
                     OPTION_BODY_DATA,
                     OPTION_BODY_JSON,
                     OPTION_TARGET_COUNT,
};

struct options {
    struct arena *arena;
    const char *who; /* adds at the moment, for messages: "the paginator"; set by whoever hands it on */
    struct tvalue in[OPTION_TARGET_COUNT]; /* dicts; BODY_DATA may be a string */
};
void options_new(struct options *options, struct arena *arena);
/* What the CDK does where several components add to a request: dicts are merged, inner ones too; a name that
 * is there is an error, but in JSON with an equal value; a text stands alone. `who` is for messages: "the
 * paginator". */
int options_merge(struct options *options, const struct options *more, const char *who, struct error *err);
int options_put(struct options *options, enum option_target target, struct tvalue name, struct tvalue value,
                const char *who, struct error *err);
/* Many at once: a dict, a text (of a body), or none. */
int options_put_all(struct options *options, enum option_target target, struct tvalue values, const char *who,
                    struct error *err);

/* A RequestOption: where one value goes. */
struct request_option {
    enum option_target target;
    struct expression name;  /* field_name */
    struct expressions path; /* field_path: for OPTION_BODY_JSON */
    struct component where;
};
/* *ret_option: NULL where the field is absent. */
int request_option_compile(struct engine *engine, struct component component, const char *field,
                           struct request_option **ret_option, struct error *err);
/* The same of the component itself. */
int request_option_compile_at(struct engine *engine, struct component component,
                              struct request_option **ret_option, struct error *err);
int request_option_set(const struct request_option *option, struct scope *scope, struct tvalue value,
                       struct options *options, struct error *err);

#endif
