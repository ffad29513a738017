/* The options that every destination of this kind has: a config struct embeds struct sql_options as `sql`,
 * and its option table has SQL_OPTIONS(struct its_config). */
#ifndef FIRTH_CONNECTORS_SQL_OPTIONS_H
#define FIRTH_CONNECTORS_SQL_OPTIONS_H

#include "plan.h"

struct sql_options {
    int tables;       /* position in sql_tables_values */
    int cdc_deletion; /* in sql_deletion_values */
    bool hard_delete;
};

extern const char *const sql_tables_values[], *const sql_deletion_values[];

static inline struct sql_settings sql_settings_of(const struct sql_options *options, const char *schema)
{
    return (struct sql_settings){.schema = schema,
                                 .raw = options->tables == 1,
                                 .keep_cdc_deleted = options->cdc_deletion == 1,
                                 .remove_deleted = options->hard_delete};
}

#define SQL_OPTIONS(config_struct)                                                                          \
    {.name = "tables",                                                                                      \
     .type = FIRTH_ENUM,                                                                                    \
     .offset = offsetof(config_struct, sql.tables),                                                         \
     .values = sql_tables_values,                                                                           \
     .preset = "typed",                                                                                     \
     .title = "Tables",                                                                                     \
     .help = "typed: a column for each field. raw: tables _airbyte_raw_<stream> with the record as one "    \
             "column of JSON, as older connectors of Airbyte write them."},                                 \
        {.name = "cdc_deletion_mode",                                                                       \
         .type = FIRTH_ENUM,                                                                                \
         .offset = offsetof(config_struct, sql.cdc_deletion),                                               \
         .values = sql_deletion_values,                                                                     \
         .preset = "Hard delete",                                                                           \
         .title = "CDC deletion mode",                                                                      \
         .help = "What a record with _ab_cdc_deleted_at does in a stream that is deduplicated: remove the " \
                 "row, or stay as one with that column set."},                                              \
    {                                                                                                       \
        .name = "hardDelete", .type = FIRTH_BOOLEAN, .offset = offsetof(config_struct, sql.hard_delete),    \
        .preset = "false", .title = "Hard delete",                                                          \
        .help =                                                                                             \
            "In a materialization: rows whose document was deleted at its source go. Otherwise they stay, " \
            "and _meta/op of the document says so."                                                         \
    }

#endif
