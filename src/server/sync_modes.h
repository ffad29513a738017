/* The public API's sync modes, and its configurations of streams. Private to this folder. */
#ifndef FIRTH_SERVER_SYNC_MODES_H
#define FIRTH_SERVER_SYNC_MODES_H

#include "server/call.h"

/* "configurations": {"streams": […]} of a syncCatalog (size 0: none). */
void sync_modes_write(struct call *call, struct slice sync_catalog);
/* A syncCatalog from a discovered catalog and the body's "configurations": what these name, else all streams,
 * as the source proposes and the destination can (control_destination_modes). False: answered. */
bool sync_modes_configure(struct call *call, struct slice discovered, const char *destination,
                          struct slice *ret_sync_catalog);
/* The list of all modes that a stream and a destination of ours allow; `stream` is in the API's spelling. */
/* `can`: what the destination can (control_destination_modes); 0: it is not known. */
void sync_modes_write_possible(struct json_writer *out, const struct json *doc, uint32_t stream,
                               unsigned can);

#endif
