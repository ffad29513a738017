/* A connector's private folder: its config, catalog and state as files that only we may read.
 *
 * The folder lies in TMPDIR (else /tmp), is 0700 and locked (flock) by the process that made it for as long
 * as that lives. Whoever makes a folder first removes those whose lock is free: their process was killed. */
#ifndef FIRTH_CONNECTOR_FOLDER_H
#define FIRTH_CONNECTOR_FOLDER_H

#include "base/error.h"
#include "base/text.h"

#include <sys/types.h>

struct connector_folder {
    char *path;  /* NULL: there is none */
    int lock_fd; /* the folder itself, locked; -1 */
};

#define CONNECTOR_FOLDER_NONE ((struct connector_folder){NULL, -1})

int connector_folder_make(struct connector_folder *folder, struct error *err);
/* A new file, whatever the umask; *ret_path is a heap string. */
int connector_folder_put(const struct connector_folder *folder, const char *name, mode_t mode,
                         struct slice content, char **ret_path, struct error *err);
/* Make the folder CONNECTOR_FOLDER_SHARED in it, which anybody may read who gets at it: to be mounted in a
 * container, whose user is not ours. From outside nobody gets through the private folder around it. */
#define CONNECTOR_FOLDER_SHARED "shared"
int connector_folder_share(const struct connector_folder *folder, char **ret_path, struct error *err);
/* Remove it with all that is in it. Legal on CONNECTOR_FOLDER_NONE. */
void connector_folder_remove(struct connector_folder *folder);

#endif
