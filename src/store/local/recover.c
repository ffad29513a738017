#include "store/local/recover.h"

#include "base/fault.h"
#include "store/local/carry.h"
#include "store/local/evidence.h"

#include <errno.h>

static int take_lock(struct local_writer *writer, struct error *err)
{
    auto_free char *path = mem_printf("%s/lock", writer->folder);
    auto_free char *what = mem_printf("task %s", writer->task);
    return local_lock(writer->store, path, what, program_invocation_short_name, &writer->lock, err);
}

/* Without `published` the log's last record could be one that was damaged before the last: before anything is
 * done on its word, the journals are asked. */
static int ask_journals(struct local_writer *writer, struct error *err)
{
    struct journal_end end;
    struct slice name;
    for (const char *at = NULL; log_state_journal(&writer->opened, &at, &end, &name);) {
        auto_free char *collection = mem_strndup(name.data, name.size);
        if (evidence_check(writer->store, collection, writer->task, &end, writer->opened.sequence, err) < 0)
            return -1;
    }
    return 0;
}

static int refuse_journal(void *argument, const char *collection, struct error *err)
{
    static const struct journal_end none = {0};
    struct local_writer *writer = argument;
    return evidence_check(writer->store, collection, writer->task, &none, 0, err);
}

/* The log is made before any journal is, and removed after it: a task without one has none. */
static int refuse_without_log(struct local_writer *writer, struct error *err)
{
    auto_free char *collections = mem_printf("%s/collections", writer->store->folder);
    return local_list_names(writer->store, collections, refuse_journal, writer, err);
}

static int refuse_dropped(struct local_writer *writer, struct error *err)
{
    const struct disk *disk = writer->store->disk;
    auto_free char *marker = local_drop_marker(writer->folder);
    uint64_t size;
    if (disk->stat_size(disk->context, marker, &size) < 0)
        return 0;
    return error_set(err, ERROR_CORRUPT,
                     "it was being dropped, and that was interrupted: 'firth drop %s' finishes it",
                     writer->task);
}

/* Read what is committed, and put it into a log of our own before anything is cut. */
static int read_log(struct local_writer *writer, struct error *err)
{
    struct log_view view;
    log_view_init(&view, writer->store->disk, writer->folder, writer->task);
    int result = log_view_refresh(&view, LOG_OWNER, err);
    writer->opened = view.state;
    writer->log.log = view.log;
    writer->log.identity = view.identity;
    writer->log.identified = view.identified;
    bool unmarked = view.unmarked && view.state.sequence > 0;
    if (result < 0 || (unmarked && ask_journals(writer, err) < 0) ||
        (writer->opened.sequence == 0 && refuse_without_log(writer, err) < 0))
        result = -1;
    /* What the log carries has to be in the segments before there is another log. */
    else if (writer->opened.sequence > 0 && !fault_planted("no-replay"))
        result = carry_replay(writer->store, &view, err);
    view.state = (struct log_state){0};
    log_view_done(&view);
    if (result < 0)
        return -1;
    fault_point("store.open.after-replay");
    struct log_state *state = &writer->opened;
    writer->sequence = state->sequence ? state->sequence : 1;
    struct log_record record = {
        .sequence = writer->sequence,
        .committed_ms = state->sequence ? state->committed_ms : clock_wall_ms(writer->store->clock),
        .journals = {state->payload, state->payload_size - state->checkpoint_size},
        .count = state->journals,
        .checkpoint = log_state_checkpoint(state),
    };
    if (log_writer_roll(&writer->log, &record, 0, err) < 0)
        return -1;
    log_writer_publish(&writer->log, writer->sequence);
    fault_point("store.open.after-log");
    return 0;
}

int writer_recover(struct local_writer *writer, struct error *err)
{
    return take_lock(writer, err) < 0 || refuse_dropped(writer, err) < 0 ? -1 : read_log(writer, err);
}
