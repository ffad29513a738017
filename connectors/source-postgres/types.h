/* PostgreSQL's types: what form their values have (value.h), and what JSON Schema says of them. */
#ifndef FIRTH_PG_TYPES_H
#define FIRTH_PG_TYPES_H

#include "base/memory.h"
#include "value.h"
#include "json/writer.h"

/* A row of pg_type, as far as it matters. */
struct pg_type_row {
    uint32_t oid, item, base; /* item: of an array's elements; base: what a domain is of; 0: none */
    const char *name;
    char delimiter;
};

/* The types of a database. Types live as long as it does; their addresses stay. */
struct pg_types {
    struct arena arena;
    const struct pg_type **items; /* sorted by oid */
    size_t count, capacity;
};

void pg_types_init(struct pg_types *types);
void pg_types_done(struct pg_types *types);
/* Add a type that is not there yet; base and item must be there, or it is text. */
const struct pg_type *pg_types_add(struct pg_types *types, const struct pg_type_row *row);
/* NULL: not there. */
const struct pg_type *pg_types_find(const struct pg_types *types, uint32_t oid);

/* Append the schema of a column's values, an object. */
void pg_type_put_schema(struct json_writer *writer, const struct pg_type *type, bool nullable,
                        const char *description, struct pg_style style);

#endif
