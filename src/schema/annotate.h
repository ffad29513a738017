/* Annotations: what the schemas that a document is valid by say about its values.
 *
 * One pass validates and collects. What counts is what is said by schemas that hold: a branch of anyOf or
 * oneOf that fails, whatever stands under "not", an "if" that fails, contribute nothing.
 *
 * A schema that is compiled with schema_options.annotations has a note for each of these keywords wherever it
 * stands in a schema. A note is the keyword's value; an annotation is a note and an instance. */
#ifndef FIRTH_SCHEMA_ANNOTATE_H
#define FIRTH_SCHEMA_ANNOTATE_H

#include "schema/schema.h"

enum { SCHEMA_NOTE_OTHER = UINT16_MAX }; /* of schema_options.all_annotations */
struct schema_note {
    uint16_t keyword;        /* position in schema_options.annotations, or SCHEMA_NOTE_OTHER */
    uint16_t types;          /* of instances that it is about, 1 << enum json_tag */
    uint32_t resource, node; /* private; see schema_note_value */
    uint32_t schema_node;
};

struct schema_annotation {
    uint32_t instance; /* node of the document: a value (a key: by propertyNames) */
    uint32_t note;     /* position in schema_notes */
    uint32_t hop;      /* private; see schema_annotation_location */
    bool is_chosen;    /* said because the document matched: under anyOf, oneOf, if, dependentSchemas */
};

/* All notes of the schema; they live as long as it. */
const struct schema_note *schema_notes(const struct schema *schema, size_t *ret_count);
/* The keyword's value in its schema's document. Lives as long as the schema. */
const struct json *schema_note_value(const struct schema *schema, const struct schema_note *note,
                                     uint32_t *ret_at);
/* Its name, in the schema's document or in the arena. */
struct slice schema_note_keyword(const struct schema *schema, const struct schema_note *note,
                                 struct arena *arena);
/* "URI#/pointer" of the keyword, in the arena. */
const char *schema_note_absolute(const struct schema *schema, const struct schema_note *note,
                                 struct arena *arena);
/* The same of the schema that it stands in. */
const char *schema_note_location(const struct schema *schema, const struct schema_note *note,
                                 struct arena *arena);

/* As schema_validate; of a valid document also what was said about it: by instance in document order, and of
 * one instance as schemas are entered, so that a schema stands before those that it refers to and combines
 * (of $ref, allOf, anyOf, oneOf, if in this order). Lives until the validator's next use; not set if the
 * answer is not 1. */
int schema_annotate(const struct schema *schema, struct schema_validator *validator, const struct json *doc,
                    uint32_t at, const struct schema_annotation **ret_annotations, size_t *ret_count,
                    struct error *err);

/* From now on schema_annotate also keeps how annotations were come to: 16 bytes for each schema that was
 * entered on the way to one. */
void schema_validator_trace(struct schema_validator *validator);
/* Append the keyword's location as it was evaluated: "/properties/a/$ref/title". Of schema_annotate's last
 * answer, by a validator that traces; the document must still be there. */
void schema_annotation_location(const struct schema_validator *validator,
                                const struct schema_annotation *annotation, struct buffer *out);

#endif
