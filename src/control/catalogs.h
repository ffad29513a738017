/* Discovered catalogs: what a source said it has, as Airbyte's AirbyteCatalog in JSON ({"streams":[…]} in the
 * protocol's own spelling: json_schema, supported_sync_modes, …). Of each source the newest ones are kept. */
#ifndef FIRTH_CONTROL_CATALOGS_H
#define FIRTH_CONTROL_CATALOGS_H

#include "control/page.h"

enum { CONTROL_CATALOGS_KEPT = 10 /* of one source, those that connections name apart */ };

struct control_catalog {
    const char *id;
    const char *source;
    uint64_t of;          /* hash of what was asked: config, program and version; 0: not known */
    int64_t created_ms;   /* it was said for the first time */
    int64_t confirmed_ms; /* and for the last */
    struct slice catalog; /* JSON */
};

/* Keep it. One that is the same, byte for byte, as the source's last is that one, confirmed: its id. */
int control_catalog_put(struct control *control, const char *source, uint64_t of, struct slice catalog,
                        int64_t now_ms, char ret_id[CONTROL_UUID_SIZE], struct error *err);
int control_catalog_get(struct control *control, const char *id, struct arena *arena,
                        struct control_catalog *ret_catalog, struct error *err);
/* The source's newest; ERROR_NOT_FOUND if it was never asked. */
int control_catalog_newest(struct control *control, const char *source, struct arena *arena,
                           struct control_catalog *ret_catalog, struct error *err);

#endif
