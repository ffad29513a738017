/* What has changed between the catalog that a connection was made with and what its source offers now, and
 * the connection's catalog as it is to be from then on. Pure: no I/O. */
#ifndef FIRTH_SUPERVISOR_SCHEMA_CHANGE_H
#define FIRTH_SUPERVISOR_SCHEMA_CHANGE_H

#include "control/connections.h"
#include "control/jobs.h"

struct schema_change {
    bool any;             /* in what the connection selects, or streams that are new */
    bool breaking;        /* a cursor, a key or what a mapper is for is gone */
    const char *summary;  /* for people; NULL unless `any` */
    const char *misfit;   /* of it what the connection has chosen and the source has not; NULL: nothing */
    struct slice catalog; /* the syncCatalog as the preference has it; size 0: it stays as it is */
    const struct control_stream *widened; /* streams of the connection that have columns more */
    size_t widened_count;
};

/* `catalog`: the syncCatalog; `discovered`: {"streams":[…]} in the protocol's spelling. Everything goes to
 * the arena. With propagate_columns streams that are there follow the source; with propagate_fully new ones
 * come, selected, as `destination_modes` (control_destination_modes) allow, and those that are gone go. With
 * a breaking change the catalog stays. */
int schema_change_find(struct slice catalog, struct slice discovered, enum control_changes preference,
                       unsigned destination_modes, struct arena *arena, struct schema_change *ret_change,
                       struct error *err);

#endif
