#include "task/lost.h"
#include "task/positions.h"
#include "task/selector.h"
#include "task/sink.h"
#include "task/source_spec.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Collections: what is committed in the store, each binding's source from its positions on.
 *
 * A binding whose priority is higher is read first as long as it has anything; equal ones take turns. The
 * positions (task->positions) say what was handed over: they are the sink's to save. There is no checkpoint
 * item, since every document is a place to go on from. */

enum {
    TURN = 1024,          /* documents of one binding before another of its priority has its turn */
    SKIPPED_MAX = 100000, /* documents not wanted that are passed over before signals are looked at */
    ABSENT_MS = 1000,     /* a collection that nothing was written to is looked for again */
    ENDS_MS = 1000,       /* how old what is known of the journals' ends may be */
    EVENTS = 16,
};

struct follow {
    struct task_binding *binding;
    struct task_source_spec spec;
    struct selector selector;
    struct store_reader *reader;  /* NULL: nothing was written to the collection yet */
    struct task_journal *journal; /* of the last document */
    bool dry;                     /* it has nothing until it is woken */
};

struct reader {
    struct task_reader base;
    struct store *store;
    struct json_parser *parser;
    struct json line;
    struct follow *follows; /* by priority, the highest first */
    size_t count;
    size_t current; /* whose turn it is */
    uint32_t left;  /* documents that it may give */
    int epoll;
    size_t absent;      /* follows without a reader */
    uint64_t looked_ms; /* for absent collections, */
    uint64_t ends_ms;   /* and at the journals' ends */
    size_t waited_for;  /* once: journals with documents to come */
    bool more;          /* it stopped only to let the loop look at signals */
    bool stopped, begun;
};

static struct reader *of(struct task_reader *base)
{
    return (struct reader *)base;
}

static const struct reader *of_const(const struct task_reader *base)
{
    return (const struct reader *)base;
}

static uint64_t now_ms(const struct reader *reader)
{
    return task_report_now_ms(reader->base.task->report);
}

/* --- opening --------------------------------------------------------------------------------------- */

static int open_reader(struct task_reader *base, struct error *err)
{
    return 0;
}

static bool always(const struct task_reader *base)
{
    return true;
}

/* A position counts in one log. A log that does not tell its identity was written by an older version, and
 * gets one when it is written to again; so positions may have been saved without it, but not in a log that
 * has had one from its beginning. */
static bool is_of_another_log(struct task_journal *journal, uint64_t identity, bool identified)
{
    bool other = journal->identity ? identity && journal->identity != identity : identified;
    if (other && journal->next > 0)
        return true;
    if (identity)
        journal->identity = identity;
    return false;
}

static void add_other(struct task_lost *lost, const struct task_journal *journal)
{
    task_lost_add(lost, journal, "others now (it was dropped, and began anew)", false);
}

/* And it counts there only as long as the last document that was read is still the one it was: one that is
 * gone (retention) or that cannot be found (damage, which concerns whoever reads it) is taken for it. */
static int is_of_a_newer_state(struct reader *reader, const char *collection, struct task_journal *journal,
                               struct error *err)
{
    uint64_t mark = 0;
    if (journal->next == 0 || journal->next > journal->end)
        return 0;
    int found = store_mark(reader->store, collection, journal->writer, journal->next - 1, &mark, err);
    if (found < 0 && err->code != ERROR_CORRUPT)
        return error_wrap(err, "%s", collection);
    if (found > 0 && journal->mark && journal->mark != mark)
        return 1;
    if (found > 0)
        journal->mark = mark;
    return 0;
}

/* Whether the position counts in the journal as it is; `lost` gets it if it does not. */
static int look_at_journal(struct reader *reader, const struct store_journal_info *info,
                           struct task_journal *journal, struct task_lost *lost, struct error *err)
{
    int other = 0;
    if (is_of_another_log(journal, info->identity, info->identified))
        add_other(lost, journal);
    else if ((other = is_of_a_newer_state(reader, info->collection, journal, err)) > 0)
        task_lost_add(lost, journal, "others with these numbers now", true);
    else
        return other;
    journal->end = journal->next; /* it is told */
    return 0;
}

/* Where a binding's journals end now; at the beginning also what of them is lost, and what is waited for. */
static int look_at_binding(struct reader *reader, const struct task_binding *binding, struct task_lost *lost,
                           struct arena *arena, struct error *err)
{
    struct task *task = reader->base.task;
    struct store_journal_info *infos;
    size_t count;
    if (store_list(reader->store, binding->spec->collection, arena, &infos, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (infos[i].damage) {
            *err = *infos[i].damage;
            return error_wrap(err, "%s", binding->spec->collection);
        }
        struct task_journal *journal =
            task_positions_journal(task->positions, binding->index, infos[i].writer);
        journal->end = infos[i].end;
        if (!lost)
            continue;
        if (look_at_journal(reader, &infos[i], journal, lost, err) < 0)
            return -1;
        if (task->spec->once && journal->next < journal->end) {
            journal->until = journal->end;
            reader->waited_for++;
        }
    }
    return 0;
}

/* What a position says of a journal must be possible: `lost` gets those of which it is not. */
static void look_at_positions(const struct task *task, struct task_lost *lost)
{
    for (size_t i = 0; i < task->positions->count; i++) {
        const struct task_journal *journal = task->positions->items[i];
        char end[24];
        snprintf(end, sizeof end, "%llu", (unsigned long long)journal->end);
        if (journal->next > journal->end)
            task_lost_add(lost, journal, end, false);
    }
}

static int look_at_ends(struct reader *reader, bool first, struct error *err)
{
    struct task *task = reader->base.task;
    struct task_lost lost;
    struct arena arena;
    int result = 0;
    arena_init(&arena);
    task_lost_init(&lost, task);
    for (size_t i = 0; i < reader->count && result == 0; i++)
        result = look_at_binding(reader, reader->follows[i].binding, first ? &lost : NULL, &arena, err);
    if (result == 0 && first) {
        look_at_positions(task, &lost);
        result = task_lost_judge(&lost, err);
    }
    task_lost_done(&lost);
    arena_done(&arena);
    reader->ends_ms = now_ms(reader);
    return result;
}

static void count_behind(struct task *task)
{
    for (size_t i = 0; i < task->binding_count; i++)
        task->progress[i].behind = 0;
    for (size_t i = 0; i < task->positions->count; i++) {
        const struct task_journal *journal = task->positions->items[i];
        if (journal->end > journal->next)
            task->progress[journal->binding].behind += journal->end - journal->next;
    }
}

/* Begin to read the collection, if anything was ever written to it. */
static int open_follow(struct reader *reader, struct follow *follow, struct error *err)
{
    struct task *task = reader->base.task;
    const char *collection = follow->binding->spec->collection;
    follow->reader = store_reader_open(reader->store, collection, NULL, 0, err);
    if (!follow->reader) {
        follow->dry = true;
        return err->code == ERROR_NOT_FOUND ? 0 : error_wrap(err, "%s", collection);
    }
    reader->absent--;
    follow->dry = false;
    for (size_t i = 0; i < task->positions->count; i++) {
        const struct task_journal *journal = task->positions->items[i];
        if (journal->binding == follow->binding->index && journal->next > 0 &&
            store_reader_seek(follow->reader, journal->writer, journal->next, err) < 0)
            return error_wrap(err, "the checkpoint");
    }
    int fd = store_reader_fd(follow->reader);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = follow};
    if (fd < 0 || epoll_ctl(reader->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return error_errno(err, fd < 0 ? EMFILE : errno, "cannot watch %s for commits", collection);
    return 0;
}

static int open_absent(struct reader *reader, struct error *err)
{
    reader->looked_ms = now_ms(reader);
    for (size_t i = 0; i < reader->count && reader->absent; i++) {
        if (!reader->follows[i].reader && open_follow(reader, &reader->follows[i], err) < 0)
            return -1;
    }
    return 0;
}

static int by_priority(const void *left, const void *right)
{
    const struct follow *a = left, *b = right;
    if (a->spec.priority != b->spec.priority)
        return a->spec.priority > b->spec.priority ? -1 : 1;
    return a->binding->index < b->binding->index ? -1 : 1;
}

static int begin(struct task_reader *base, struct error *err)
{
    struct reader *reader = of(base);
    struct task *task = base->task;
    reader->store = store_open(task->spec->data_dir, NULL, err);
    if (!reader->store)
        return -1;
    reader->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (reader->epoll < 0)
        return error_errno(err, errno, "cannot watch collections");
    reader->follows = arena_zalloc(&task->arena, (task->binding_count + 1) * sizeof *reader->follows);
    reader->count = reader->absent = task->binding_count;
    for (size_t i = 0; i < task->binding_count; i++) {
        struct follow *follow = &reader->follows[i];
        follow->binding = &task->bindings[i];
        if (task_source_spec_read(follow->binding->spec->materialize, &task->arena, &follow->spec, err) < 0 ||
            selector_compile(&follow->spec.source, &task->arena, &follow->selector, err) < 0)
            return error_wrap(err, "the source of %s", task->bindings[i].spec->stream.name);
    }
    qsort(reader->follows, reader->count, sizeof *reader->follows, by_priority);
    if (look_at_ends(reader, true, err) < 0 || open_absent(reader, err) < 0)
        return -1;
    reader->begun = true;
    count_behind(task);
    return 0;
}

/* --- documents ------------------------------------------------------------------------------------- */

/* Whose turn it is: NULL, if all are dry. */
static struct follow *turn(struct reader *reader)
{
    struct follow *follows = reader->follows;
    if (reader->left && !follows[reader->current].dry)
        return &follows[reader->current];
    size_t first = 0, end, after = reader->current + 1;
    while (first < reader->count && follows[first].dry)
        first++;
    if (first == reader->count)
        return NULL;
    end = first;
    while (end < reader->count && follows[end].spec.priority == follows[first].spec.priority)
        end++;
    reader->left = TURN;
    reader->current = first;
    for (size_t i = after; i < end; i++) {
        if (i > first && !follows[i].dry) {
            reader->current = i;
            break;
        }
    }
    return &follows[reader->current];
}

/* Fails if the writer was dropped since the last document, and what comes now is of its next life. */
static int take_position(struct reader *reader, struct follow *follow, const struct store_document *document,
                         struct error *err)
{
    struct task_journal *journal = follow->journal;
    if (!journal || strcmp(journal->writer, document->writer) != 0)
        journal =
            task_positions_journal(reader->base.task->positions, follow->binding->index, document->writer);
    follow->journal = journal;
    if (is_of_another_log(journal, document->identity, document->identified)) {
        struct task_lost lost;
        task_lost_init(&lost, reader->base.task);
        add_other(&lost, journal);
        int result = task_lost_judge(&lost, err);
        task_lost_done(&lost);
        return result;
    }
    journal->next = document->number + 1;
    journal->mark = document->mark;
    if (journal->end < journal->next)
        journal->end = journal->next;
    if (journal->until && journal->next >= journal->until) {
        journal->until = 0;
        reader->waited_for--;
    }
    return 0;
}

/* 1: it is in line; 0: it is not wanted. */
static int look_at(struct reader *reader, const struct follow *follow, const struct store_document *document,
                   struct error *err)
{
    const struct catalog_source *source = &follow->spec.source;
    if (document->committed_ms < source->not_before_ms || document->committed_ms >= source->not_after_ms)
        return 0;
    if (json_parse(reader->parser, document->bytes.data, document->bytes.size, &reader->line, err) < 0) {
        err->code = ERROR_CORRUPT;
        return error_wrap(err, "document %llu that %s wrote to %s", (unsigned long long)document->number,
                          document->writer, follow->binding->spec->collection);
    }
    return selector_takes(&follow->selector, &reader->line, 0);
}

/* A new materialization begins with what is kept; one that goes on has missed what is not. */
static void tell_missed(struct reader *reader, const struct follow *follow)
{
    struct store_notice notice;
    while (store_reader_notice(follow->reader, &notice)) {
        if (notice.kind == STORE_NOTICE_GONE && !(notice.initial && notice.first == 0))
            task_report_logf(reader->base.task->report, LOG_WARN,
                             "documents %llu to %llu that %s wrote to %s are gone before they were read: "
                             "retention dropped them",
                             (unsigned long long)notice.first, (unsigned long long)notice.end - 1,
                             notice.writer, follow->binding->spec->collection);
    }
}

static int next(struct task_reader *base, struct task_item *item, struct error *err)
{
    struct reader *reader = of(base);
    struct store_document document;
    struct follow *follow;
    reader->more = false;
    if (reader->stopped || (base->task->spec->once && reader->waited_for == 0))
        return 0;
    for (int skipped = 0; (follow = turn(reader));) {
        int got = store_reader_next(follow->reader, &document, err);
        if (got < 0)
            return error_wrap(err, "%s", follow->binding->spec->collection);
        tell_missed(reader, follow);
        if (got == 0) {
            follow->dry = true;
            continue;
        }
        reader->left--;
        int wanted = look_at(reader, follow, &document, err);
        if (wanted < 0 || take_position(reader, follow, &document, err) < 0)
            return -1;
        if (wanted) {
            follow->binding->newest_ms = document.committed_ms;
            *item = (struct task_item){.type = TASK_ITEM_DOCUMENT,
                                       .binding = follow->binding,
                                       .raw = document.bytes,
                                       .line = &reader->line,
                                       .number = document.number,
                                       .line_number = document.number};
            return 1;
        }
        if (++skipped == SKIPPED_MAX) {
            reader->more = true;
            break;
        }
    }
    return 0;
}

/* --- waiting --------------------------------------------------------------------------------------- */

static size_t pollfds(struct task_reader *base, struct pollfd *fds)
{
    const struct reader *reader = of(base);
    if (!reader->begun || reader->stopped)
        return 0;
    fds[0] = (struct pollfd){.fd = reader->epoll, .events = POLLIN};
    return 1;
}

static int left_ms(uint64_t since_ms, uint64_t limit_ms, uint64_t now)
{
    return now - since_ms < limit_ms ? (int)(limit_ms - (now - since_ms)) : 0;
}

static int timeout_ms(const struct task_reader *base)
{
    const struct reader *reader = of_const(base);
    if (!reader->begun || reader->stopped || base->task->spec->once)
        return reader->more && base->task->sink->class->ready(base->task->sink) ? 0 : -1;
    if (reader->more && base->task->sink->class->ready(base->task->sink))
        return 0;
    return reader->absent ? left_ms(reader->looked_ms, ABSENT_MS, now_ms(reader)) : -1;
}

static int service(struct task_reader *base, struct error *err)
{
    struct reader *reader = of(base);
    struct epoll_event events[EVENTS];
    if (!reader->begun || reader->stopped)
        return 0;
    int count = epoll_wait(reader->epoll, events, EVENTS, 0);
    for (int i = 0; i < count; i++) {
        struct follow *follow = events[i].data.ptr;
        store_reader_woken(follow->reader);
        if (follow->dry)
            reader->left = 0; /* its priority may be higher */
        follow->dry = false;
    }
    uint64_t now = now_ms(reader);
    if (reader->absent && now - reader->looked_ms >= ABSENT_MS && open_absent(reader, err) < 0)
        return -1;
    if (count > 0 && now - reader->ends_ms >= ENDS_MS && look_at_ends(reader, false, err) < 0)
        return -1;
    count_behind(base->task);
    return 0;
}

/* --- the end --------------------------------------------------------------------------------------- */

static bool ended(const struct task_reader *base)
{
    const struct reader *reader = of_const(base);
    if (reader->stopped)
        return true;
    if (!reader->begun || !base->task->spec->once)
        return false;
    if (reader->waited_for == 0)
        return true;
    for (size_t i = 0; i < reader->count; i++) {
        if (!reader->follows[i].dry)
            return false;
    }
    return true; /* retention dropped what was waited for */
}

static int result(struct task_reader *base, struct error *err)
{
    return 0;
}

static void stop(struct task_reader *base)
{
    of(base)->stopped = true;
}

static void no_kill(struct task_reader *base) {}

static void close_reader(struct task_reader *base)
{
    struct reader *reader = of(base);
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->follows[i].reader)
            store_reader_close(reader->follows[i].reader);
    }
    store_close(reader->store);
    json_parser_free(reader->parser);
    if (reader->epoll >= 0)
        close(reader->epoll);
    free(reader);
}

struct task_reader *task_reader_collections_new(struct task *task)
{
    static const struct task_reader_class class = {
        .name = "collections",
        .open = open_reader,
        .ready = always,
        .begin = begin,
        .pollfds = pollfds,
        .timeout_ms = timeout_ms,
        .service = service,
        .next = next,
        .ended = ended,
        .result = result,
        .stop = stop,
        .kill = no_kill,
        .close = close_reader,
    };
    struct reader *reader = mem_zalloc(sizeof *reader);
    reader->base = (struct task_reader){.class = &class, .task = task, .label = "collections"};
    reader->parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    reader->epoll = -1;
    return &reader->base;
}
