/* What `firth status` knows, between reading it (cmd_status.c, which also prints the table) and printing it
 * as JSON (cmd_status_json.c). */
#ifndef FIRTH_CLI_CMD_STATUS_H
#define FIRTH_CLI_CMD_STATUS_H

#include "cli/deployed.h"
#include "cli/output.h"
#include "store/store.h"
#include "task/checkpoint.h"

struct status {
    struct store *store;
    struct arena arena;
    struct store_task_info *tasks; /* by name */
    size_t task_count;
    struct deployed deployed;
    const char **names; /* of all tasks, sorted; those that were asked for */
    size_t name_count;
    struct store_journal_info *journals; /* by task, then collection */
    size_t journal_count;
    struct status_connection *connections; /* of the API, by name; none if tasks were named */
    size_t connection_count;
};

#define STATUS_BEHIND_UNKNOWN UINT64_MAX

/* What the store has of the task; NULL: nothing. */
struct store_task_info *status_stored(const struct status *status, const char *name);
/* The task's journals: *ret_count from the returned place. */
const struct store_journal_info *status_journals(const struct status *status, const char *task,
                                                 size_t *ret_count);
/* What the task has saved; nothing if that cannot be read, and task->damage then says why. */
void status_checkpoint(struct status *status, struct store_task_info *task,
                       struct task_checkpoint *ret_checkpoint);
/* How many committed documents of a materialization's source were not read at its last commit;
 * STATUS_BEHIND_UNKNOWN where a damaged writer's are not known. False for a stream of another task. */
bool status_behind(const struct status *status, const struct task_checkpoint *checkpoint,
                   const struct task_saved_stream *stream, uint64_t *ret_behind);

/* "2026-11-22 06:00:00Z", or "never". */
void status_when(int64_t ms, char *text, size_t size);

/* --- cmd_status_connections.c --- */

struct json_writer;

int status_load_connections(struct status *status, const char *data_dir, struct error *err);
void status_print_connections(struct status *status, const struct cli *cli, struct output *output);
void status_json_connections(struct json_writer *writer, struct status *status); /* its member */

void status_print_json(struct status *status, const struct cli *cli, struct output *output);

#endif
