/* The language as data: every component, its fields, what each may be. Written from the CDK's documentation
 * of the language; the differential tests hold it to the CDK's own schema. */
#ifndef FIRTH_DECLARATIVE_MANIFEST_TABLE_H
#define FIRTH_DECLARATIVE_MANIFEST_TABLE_H

#include "json/json.h"

struct manifest;

/* Where a component is: by value, cheap to pass. */
struct component {
    const struct manifest *manifest;
    uint32_t at;
};

/* What a field may be: an or of these. */
enum field_kind {
    FIELD_STRING = 1,
    FIELD_INTEGER = 2,
    FIELD_NUMBER = 4,
    FIELD_BOOLEAN = 8,
    FIELD_OBJECT = 16,    /* any mapping */
    FIELD_COMPONENT = 32, /* one of `types` */
    FIELD_ANY = 64,
    FIELD_NULL = 128,
    FIELD_STRINGS = 256,        /* a list of strings */
    FIELD_INTEGERS = 512,       /* a list of integers */
    FIELD_COMPONENTS = 1024,    /* a list of `types` */
    FIELD_PATHS = 2048,         /* a list of lists of strings */
    FIELD_OBJECTS = 4096,       /* a list of mappings */
    FIELD_COMPONENT_MAP = 8192, /* a mapping of anything to `types` */
    FIELD_ANYTHINGS = 16384,    /* a list of anything */
};

struct component_field {
    const char *name; /* NULL ends the table */
    unsigned kinds;
    bool required;
    const char *types;   /* FIELD_COMPONENT…: names, blank between */
    const char *words;   /* FIELD_STRING: an enum's, blank between; NULL: any text */
    const char *preset;  /* the default as JSON; NULL: none */
    const char *instead; /* deprecated: what to write instead */
};

struct component_type {
    const char *name;
    const struct component_field *fields;
    bool custom; /* Python, by class_name: refused, but for classes that Firth has itself */
};

/* Sorted by name. */
extern const struct component_type component_types[];
extern const size_t component_type_count;

const struct component_type *component_type_find(struct slice name);
const struct component_field *component_field_find(const struct component_type *type, struct slice name);

/* Python classes that Firth has in C, by the name at the end of class_name and the kind of component that it
 * stands for ("CustomRecordExtractor"). */
bool component_class_is_native(const char *custom_type, struct slice class_name);

#endif
