#include "options.h"

const char *const sql_tables_values[] = {"typed", "raw", NULL};
const char *const sql_deletion_values[] = {"Hard delete", "Soft delete", NULL};
