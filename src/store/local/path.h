/* Names of collections and tasks as paths, reversibly: FORMAT.md, "Files". */
#ifndef FIRTH_STORE_LOCAL_PATH_H
#define FIRTH_STORE_LOCAL_PATH_H

#include "base/buffer.h"
#include "base/error.h"

enum { PATH_COMPONENT_MAX = 240, PATH_WHOLE_MAX = 4000 };

/* Is it a name the store takes (1 to STORE_NAME_MAX bytes of valid UTF-8)? `what`: "collection" or "task". */
int path_check_name(const char *what, const char *name, struct error *err);
/* Append "/<name as path>". The name is valid. */
void path_append_name(struct buffer *path, const char *name);
/* Append the bytes that one path component stands for. Returns 1 if the name goes on in the next
 * component, 0 if it ends here, -1 if path_append_name writes no such component. */
int path_decode_component(const char *component, struct buffer *name);

#endif
