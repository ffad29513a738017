/* Names of columns from a tab's first row, as Airbyte's connector makes them. */
#ifndef FIRTH_CONNECTORS_SOURCE_GOOGLE_SHEETS_NAMES_H
#define FIRTH_CONNECTORS_SOURCE_GOOGLE_SHEETS_NAMES_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

struct names_rules {
    bool convert; /* otherwise the others do not count */
    bool trim_underscores, join_number_word, drop_special, join_letter_number, leading_numbers;
    bool empty_too; /* an empty cell has a column too: column_C */
};

struct names_column {
    const char *name;
    size_t position; /* from 0 */
};

/* `cells`: the first row's texts. Up to the first empty one, unless empty_too. Names that are the same get
 * the place of their cell: name_B1. ERROR_INVALID where a conversion leaves nothing of a name. */
int names_of_header(const struct names_rules *rules, const char *const *cells, size_t count,
                    struct arena *arena, struct names_column **ret_columns, size_t *ret_count,
                    struct error *err);

/* Nothing but white space, as Unicode has it? */
bool names_is_blank(struct slice text);

#endif
