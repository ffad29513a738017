/* The commits of a task without an end: which one counts, and whose turn it is to make the next.
 *
 * A commit is one small file with the runtime's checkpoint and the list of what it publishes. Such files are
 * never written twice, and have an order: the session's number, its id, the commit's number in it. The last
 * one counts. A session begins with a file that holds no commit, its claim, behind all that are there:
 * whoever sees one of a later session is fenced off. Why a request of a session that died can come at any
 * time later and change nothing: docs/decisions/0077-commits-in-a-bucket.md. */
#ifndef FIRTH_FILES_COMMITS_H
#define FIRTH_FILES_COMMITS_H

#include "connectors/files/target.h"

struct files_commits;

/* A new session of the task: what the last commit listed is published, whoever made it. `place` is for
 * messages; it and the target are to live as long. ERROR_BUSY: another session came in between. */
struct files_commits *files_commits_open(struct files_target *target, const char *place, const char *task,
                                         struct error *err);
void files_commits_free(struct files_commits *commits);
/* Of the last commit; "" for none. */
const char *files_commits_checkpoint(const struct files_commits *commits);

/* Commit. `list` is a JSON array of what is sealed. Nothing of it is to be published, and nobody to be told,
 * unless this is 0: ERROR_BUSY is that a later session is there. */
int files_commits_write(struct files_commits *commits, struct slice checkpoint, struct slice list,
                        struct error *err);
/* All that the last commit listed is published. */
int files_commits_published(struct files_commits *commits, struct error *err);
/* Is there no later session? For files_target's tidy: `self` is a struct files_commits. */
int files_commits_sure(void *self, struct error *err);

#endif
