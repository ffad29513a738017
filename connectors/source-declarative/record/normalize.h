/* schema_normalization: Default. Values that are not of their schema's type are made so where that is
 * possible; where it is not, they stay as they are. */
#ifndef FIRTH_DECLARATIVE_RECORD_NORMALIZE_H
#define FIRTH_DECLARATIVE_RECORD_NORMALIZE_H

#include "record.h"

void normalize_value(struct arena *arena, struct tvalue *value, const struct json *schema, uint32_t at);

#endif
