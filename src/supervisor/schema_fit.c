#include "supervisor/schema_fit.h"

#include "control/catalogs.h"
#include "supervisor/schema_change.h"
#include "json/json.h"

/* However it is spelt: clients write anew what they have read. */
static bool same_catalog(struct slice a, struct slice b, struct arena *arena)
{
    struct json x, y;
    struct error unused;
    return slice_equal(a, b) ||
           (json_parse_copy(arena, a.data, a.size, &x, &unused) == 0 &&
            json_parse_copy(arena, b.data, b.size, &y, &unused) == 0 && json_equal(&x, 0, &y, 0));
}

int schema_fit_settle(struct control *control, struct control_connection *connection,
                      const struct control_connection *before, struct arena *arena, const char **ret_misfit,
                      struct error *err)
{
    struct control_catalog found;
    struct schema_change change;
    struct error unused;
    *ret_misfit = NULL;
    if (!connection->breaking_change && before && same_catalog(before->catalog, connection->catalog, arena))
        return 0;
    if (control_catalog_newest(control, connection->source, arena, &found, err) < 0) {
        if (err->code != ERROR_NOT_FOUND)
            return -1;
        connection->breaking_change = false;
        return 0;
    }
    /* A catalog that cannot be read does not fit; that it is none is told where it is put. */
    if (schema_change_find(connection->catalog, found.catalog, connection->changes, 0, arena, &change,
                           &unused) == 0) {
        connection->breaking_change = change.breaking;
        *ret_misfit = change.misfit;
    }
    return 0;
}
