/* One container around a connector's process: its name, the engine's command line, its end.
 *
 * The process that connector_start forks is the engine's client (`podman run …`). Signals to it reach the
 * program in the container, and its exit status is that program's. But the container itself is the engine's
 * child, not ours: it outlives a client that is killed, so its end is the engine's `rm --force`, by us, by
 * the guard if we are killed, or by the next run (oci_owner.h) if that is killed too. There is no `--rm`:
 * with it nobody could ask a dead container whether it ran out of memory. */
#ifndef FIRTH_CONNECTOR_OCI_RUN_H
#define FIRTH_CONNECTOR_OCI_RUN_H

#include "base/buffer.h"
#include "connector/connector.h"

enum { OCI_NAME_SIZE = 64 };
#define OCI_FILES "/run/firth" /* where the private folder's files are in the container */

struct oci_run {
    char *engine, *id;
    char *image, *memory, *other_architecture; /* of the container; the last two may be NULL */
    char *command;                             /* its first word */
    char name[OCI_NAME_SIZE];
    const char *remove[6]; /* the guard's last act: rm --force --volumes NAME */
    bool out_of_memory;
    bool removed;
};

struct oci_run *oci_run_new(const struct connector_program *program);
void oci_run_free(struct oci_run *run);

/* Append the words before the connector's own: ENGINE run … ID, and those of its entrypoint. `files` is the
 * folder to be mounted, NULL for none; `variables` the file with its environment, NULL for none. Words that
 * were made live in the arena. Returns how many there are, at most `max`, or -1 (ERROR_LIMIT). */
int oci_run_words(const struct oci_run *run, const struct connector_program *program, const char *files,
                  const char *variables, struct arena *arena, const char **words, size_t max,
                  struct error *err);

/* The environment as the text of an --env-file: a line each, so no value may have a newline. */
int oci_run_variables(const char *const *env, struct buffer *out, struct error *err);

/* The client has ended: see what the engine knows of the container, remove it. `folder` was the client's
 * working folder. `killed`: whatever happened, it is to be dead now. Blocks. */
void oci_run_end(struct oci_run *run, const char *folder, int status);

/* How it ended, for an exit status that an image gives a meaning: true, and words after the connector's name
 * with what would be right. `logs`: its last log lines, where the container's init says why it could not
 * start it. */
bool oci_run_describe(const struct oci_run *run, int status, bool ours, const char *logs, struct buffer *out);

/* It could not be started and never will: its program is not there, or not for this machine. */
bool oci_run_hopeless(int status, const char *logs);

#endif
