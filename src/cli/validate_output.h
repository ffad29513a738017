/* What `firth validate` prints of a document: lines for people, or the specification's "basic" output. */
#ifndef FIRTH_CLI_VALIDATE_OUTPUT_H
#define FIRTH_CLI_VALIDATE_OUTPUT_H

#include "cli/output.h"
#include "schema/annotate.h"

enum {
    VIOLATIONS_PER_DOCUMENT_MAX = 100,
    ANNOTATIONS_PER_DOCUMENT_MAX = 10000,
    ANNOTATIONS_SIZE_MAX = 16 << 20, /* bytes of a document's annotations after which no more are printed */
};

enum judgement {
    JUDGED,
    JUDGED_IN_PART, /* there are more violations than are told */
    NOT_JSON,       /* valid by no schema */
    NOT_JUDGED,     /* a limit was hit: whether it is valid is not known */
};

/* What is known of one line. Without violations the document is valid. */
struct verdict {
    uint64_t line;
    enum judgement judgement;
    const struct schema_violation *violations;
    size_t violation_count;
    const struct schema_annotation *annotations; /* in document order; by a validator that traces */
    size_t annotation_count;
    const struct json *doc; /* that the annotations are of */
    const struct schema *schema;
    const struct schema_validator *validator;
};

void validate_print_json(struct output *out, const struct verdict *verdict);
void validate_print_text(struct output *out, const struct verdict *verdict);

#endif
