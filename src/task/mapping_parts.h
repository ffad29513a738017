/* What mapping.c and mapping_schema.c share. Private to this folder. */
#ifndef FIRTH_TASK_MAPPING_PARTS_H
#define FIRTH_TASK_MAPPING_PARTS_H

#include "base/digest.h"
#include "protocol/airbyte_mapper.h"
#include "task/mapping.h"

/* A field that was chosen: all of it, or some of what is in it. */
struct mapping_field {
    struct slice name;
    uint32_t hash; /* json_key_hash */
    bool whole;
    struct mapping_field *fields;
    size_t count;
};

struct task_mapping {
    bool selects;
    struct mapping_field chosen; /* the record itself */
    const struct airbyte_mapper *mappers;
    size_t mapper_count;
    struct digest_api digest; /* if one of them hashes */
};

/* The chosen field that this key names, or NULL. */
const struct mapping_field *mapping_field_of(const struct mapping_field *parent, const struct json *doc,
                                             uint32_t key);

#endif
