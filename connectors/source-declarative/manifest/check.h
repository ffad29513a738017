/* Private to this folder: a manifest against the table, every problem at once. */
#ifndef FIRTH_DECLARATIVE_MANIFEST_CHECK_H
#define FIRTH_DECLARATIVE_MANIFEST_CHECK_H

#include "manifest.h"

struct checking {
    const struct manifest *manifest;
    struct arena *arena; /* scratch */
    bool lenient;        /* made at run time: a number will do for a text, as in the CDK */
    bool plain;          /* in a field that is no template */
    bool unfinished;     /* in a stream's template: rules are for what is made of it */
    manifest_on_problem *on_problem;
    void *context;
    struct buffer path;            /* of where we are */
    size_t errors, told;           /* errors of all; problems that were passed on */
    struct manifest_problem first; /* error; copied */
    struct told *seen[1024]; /* each place and message is told once, however often its definition is used */
};

/* As a component of this type; `path` is empty or that of the component. */
void check_component(struct checking *checking, uint32_t at, const struct component_type *type);
/* A text, if it is a template. */
void check_template(struct checking *checking, uint32_t at);
/* What no table of fields says: what belongs together, or may not be together. */
void check_rules(struct checking *checking, uint32_t at, const struct component_type *type);

typedef void check_tell(struct checking *checking, uint32_t at, const char *format, ...);
void check_error(struct checking *checking, uint32_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void check_warning(struct checking *checking, uint32_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void check_unsupported(struct checking *checking, uint32_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
