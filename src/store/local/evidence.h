/* Evidence against a log: FORMAT.md, "Torn, or damaged?". */
#ifndef FIRTH_STORE_LOCAL_EVIDENCE_H
#define FIRTH_STORE_LOCAL_EVIDENCE_H

#include "store/local/layout.h"
#include "store/local/local.h"

/* Blocks of transaction n are written only when n - 1 is committed. So if past the committed end of a journal
 * there are blocks of a transaction after last + 1, the log has lost a commit: ERROR_CORRUPT. And a log is
 * there before any segment is: with last 0 (there is no log) every segment is evidence. */
int evidence_check(const struct local_store *store, const char *collection, const char *task,
                   const struct journal_end *end, uint64_t last, struct error *err);

/* A journal that has a segment, as its log says, has its folder: ERROR_CORRUPT otherwise. */
int evidence_check_folder(const struct local_store *store, const char *collection, const char *task,
                          const struct journal_end *end, struct error *err);

#endif
