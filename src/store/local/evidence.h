/* Evidence against a log: FORMAT.md, "Torn, or damaged?". */
#ifndef FIRTH_STORE_LOCAL_EVIDENCE_H
#define FIRTH_STORE_LOCAL_EVIDENCE_H

#include "store/local/layout.h"
#include "store/local/local.h"

/* Blocks of transaction n are written only when n - 1 is committed. So if past the committed end of a journal
 * there are blocks of a transaction after last + 1, the log has lost a commit: ERROR_CORRUPT. */
int evidence_check(const struct local_store *store, const char *collection, const char *task,
                   const struct journal_end *end, uint64_t last, struct error *err);

#endif
