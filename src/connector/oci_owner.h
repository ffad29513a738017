/* Whose container it is: the process that started it, named so that no other process ever has that name. */
#ifndef FIRTH_CONNECTOR_OCI_OWNER_H
#define FIRTH_CONNECTOR_OCI_OWNER_H

#include "connector/connector.h"

#define OCI_LABEL_DATA "firth.data"
#define OCI_LABEL_OWNER "firth.owner"
#define OCI_LABEL_TASK "firth.task"
#define OCI_LABEL_RUN "firth.run"

enum { OCI_OWNER_SIZE = 128, OCI_DATA_SIZE = 17 };

/* "PID.START.PIDNAMESPACE.BOOT" of this process. Empty if /proc does not tell. */
void oci_owner_own(char owner[OCI_OWNER_SIZE]);
/* Is that process surely gone? Not if it belongs to another process namespace of this boot: we cannot see it.
 */
bool oci_owner_gone(const char *owner);

/* The data directory as a label: its path's hash, for a path may have any byte. */
void oci_owner_data(const char *data_dir, char label[OCI_DATA_SIZE]);

/* Remove the containers of this data directory whose owner is gone. Returns how many; best effort. */
size_t oci_owner_sweep(const char *engine, const char *data_dir);

#endif
