/* The language as data: every component, its fields, what each may be. It is the language of
 * airbyte-cdk 7.39; the differential tests hold it to the CDK's own schema.
 *
 * What a field may be is written as alternatives with "|" between:
 *     string  integer  number  boolean  null  any     as in JSON
 *     object                                          a mapping of anything
 *     'GET'                                           this very text
 *     [X]  {X}                                        a list of X, a mapping of names to X
 *     HttpRequester                                   this component */
#ifndef FIRTH_DECLARATIVE_MANIFEST_TABLE_H
#define FIRTH_DECLARATIVE_MANIFEST_TABLE_H

#include "json/json.h"

struct component_field {
    const char *name; /* NULL ends the table */
    const char *type;
    bool required;
    const char *preset;  /* the default as JSON; NULL: none */
    const char *least;   /* ">=0", ">0": of a number; of a list: how many elements */
    const char *instead; /* deprecated: what to write instead */
    bool plain;          /* a text that is no template, whatever is in it */
};

struct component_type {
    const char *name; /* NULL ends the table */
    const struct component_field *fields;
    const char *word; /* what stands in `type`; NULL: the name */
    bool untyped;     /* `type` may be missing */
    bool closed;      /* fields that are not in the table are errors */
    bool custom;      /* Python, by class_name: refused, but for classes that Firth has itself */
};

/* By kind; each ends with a NULL name. */
extern const struct component_type table_source[], table_stream[], table_request[], table_record[];

const struct component_type *component_type_find(struct slice name);
const struct component_field *component_field_find(const struct component_type *type, struct slice name);
/* Calls for every component, in no order. */
void component_types_walk(void (*on_type)(void *context, const struct component_type *type), void *context);

/* Python classes that Firth has in C, by class_name and the kind of component that it stands for
 * ("CustomRecordExtractor"). */
bool component_class_is_native(const char *custom_type, struct slice class_name);

#endif
