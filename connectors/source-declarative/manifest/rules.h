/* Private to this folder: what rules are written with. */
#ifndef FIRTH_DECLARATIVE_MANIFEST_RULES_H
#define FIRTH_DECLARATIVE_MANIFEST_RULES_H

#include "check.h"
#include "source-declarative/template/datetime.h"

struct rule {
    const char *type;
    void (*check)(struct checking *checking, uint32_t at);
};
/* Of streams and their records; of the source and its requests; of retrievers, whose parts have to fit;
 * of groups. The last has no type. */
extern const struct rule STREAM_RULES[], REQUEST_RULES[], RETRIEVER_RULES[], GROUP_RULES[];

/* What is in a field; none where it is null. */
uint32_t rule_get(struct checking *checking, uint32_t at, const char *field);

/* A field that is there and not null; one that is not, or is empty. */
bool rule_has(struct checking *checking, uint32_t at, const char *field);
bool rule_is_empty(struct checking *checking, uint32_t at, const char *field);
bool rule_is_true(struct checking *checking, uint32_t at, const char *field);
/* The type of the component in a field, or of the one at `at` where field is NULL. */
bool rule_is_a(struct checking *checking, uint32_t at, const char *field, const char *type);
/* A text that is there and no template, or one without data: what it is cannot be told now. */
struct slice rule_text(struct checking *checking, uint32_t at, const char *field);
/* What a template takes from where it stands; those of no template, or of one that is wrong, are none. */
size_t rule_free_names(struct checking *checking, uint32_t at, const char *field,
                       const struct slice **ret_names);
/* A field that may not be there empty. */
void rule_not_empty(struct checking *checking, uint32_t at, const char *field);
/* Of texts: none leads to more than one place. */
void rule_no_globs(struct checking *checking, uint32_t at, const char *field, const char *globs);
/* A text of ISO 8601 that is one, and no template. */
bool rule_duration_of(struct checking *checking, uint32_t at, const char *field,
                      struct duration *ret_duration);
/* The same, told where it is none; `positive`: longer than nothing, and without months, whose length depends.
 */
void rule_duration(struct checking *checking, uint32_t at, const char *field, bool positive);

/* A regular expression: check_error or check_warning where it is wrong. */
void rule_pattern(struct checking *checking, uint32_t at, const char *field, check_tell *tell);

#endif
