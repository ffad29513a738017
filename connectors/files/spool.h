/* Bytes that are needed as a file, for a while. */
#ifndef FIRTH_FILES_SPOOL_H
#define FIRTH_FILES_SPOOL_H

#include "connectors/files/input.h"

#define FILES_SPOOL_MAX (INT64_C(64) << 30) /* bytes of disk that one file may take */

/* All that the input gives, in a file of TMPDIR that has no name: it goes when it is closed, whatever
 * happens. A descriptor. */
int files_spool(struct files_input *input, struct error *err);

#endif
