#include "supervisor/schema_fit.h"

#include "control/catalogs.h"
#include "supervisor/schema_change.h"

int schema_fit_settle(struct control *control, struct control_connection *connection, struct arena *arena,
                      struct error *err)
{
    struct control_catalog found;
    struct schema_change change;
    struct error unused;
    if (!connection->breaking_change)
        return 0;
    if (control_catalog_newest(control, connection->source, arena, &found, err) < 0) {
        connection->breaking_change = err->code != ERROR_NOT_FOUND;
        return connection->breaking_change ? -1 : 0;
    }
    /* A catalog that cannot be read does not fit; that it is none is told where it is put. */
    if (schema_change_find(connection->catalog, found.catalog, connection->changes, 0, arena, &change,
                           &unused) == 0)
        connection->breaking_change = change.breaking;
    return 0;
}
