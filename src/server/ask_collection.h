/* Private to this folder. */
#ifndef FIRTH_SERVER_ASK_COLLECTION_H
#define FIRTH_SERVER_ASK_COLLECTION_H

#include "json/json.h"

/* Of the snapshot of a catalog: {name, key, writeSchema, readSchema, inferred, fields} in the arena. The read
 * schema has what was inferred so far. ERROR_NOT_FOUND. */
int ask_collection(struct slice snapshot_text, const char *name, const char *data_dir, struct arena *arena,
                   struct json *ret_payload, struct error *err);

#endif
