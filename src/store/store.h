/* The store: collections that survive.
 *
 * A collection is a set of journals; a journal is an append-only log of documents with one writer, the
 * task that produces it. Documents of a journal are numbered from 0. A document is visible when, and only
 * when, its transaction has committed; a commit saves the documents of every journal that the
 * transaction touched and the task's checkpoint in one atomic, durable act. Guarantees and layout of the
 * local engine: FORMAT.md beside this file.
 *
 * A store is one data directory. It may be opened by many processes; the exclusive right to run tasks in
 * it is store_lock's, and each task's writer has a lock of its own. */
#ifndef FIRTH_STORE_STORE_H
#define FIRTH_STORE_STORE_H

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdint.h>

struct store;
struct store_lock;
struct store_writer;
struct store_reader;
struct disk; /* store/local/disk.h: the operating system's, or a test's */

struct store_options {
    const struct disk *disk;   /* NULL: the machine's */
    const struct clock *clock; /* NULL: the machine's */
    bool read_only;            /* never create, never write; an absent data directory is ERROR_NOT_FOUND */
    uint32_t log_bytes;        /* a commit log's size, where records fit into that; 0: up to 16 MB */
};

/* Limits of one store. */
enum {
    STORE_NAME_MAX = 512,            /* bytes of a collection's or task's name */
    STORE_DOCUMENT_MAX = 64 << 20,   /* bytes of a document */
    STORE_CHECKPOINT_MAX = 64 << 20, /* bytes of a checkpoint */
    STORE_JOURNALS_MAX = 4096,       /* journals one task may write */
};

/* Open (and unless read_only create) a data directory. A newer format version: ERROR_UNSUPPORTED, naming
 * both. A store that has lost its VERSION file: ERROR_CORRUPT; a folder with other files: ERROR_INVALID. */
struct store *store_open(const char *data_dir, const struct store_options *options, struct error *err);
void store_close(struct store *store);
MEM_DEFINE_CLEANUP(struct store *, store_close);

/* The right to run tasks in this data directory: one process at a time. ERROR_BUSY names who has it
 * (pid, command, since when). Released on close and by the process's death. */
struct store_lock *store_lock_acquire(struct store *store, const char *who, struct error *err);
void store_lock_release(struct store_lock *lock);

/* --- writing ------------------------------------------------------------------------------------- */

enum store_compression { STORE_COMPRESSION_NONE, STORE_COMPRESSION_ZSTD };

/* Settings of a journal, taken when it is opened by its writer. */
struct store_journal_options {
    enum store_compression compression;
    uint64_t segment_bytes; /* seal and start the next past this; 0 = 64 MiB */
    uint32_t
        block_bytes; /* gather documents up to this many bytes before they are written; 0 = 1 MiB, the most */
    uint64_t retain_bytes; /* keep at least the newest so many, drop older sealed segments; 0 = keep all */
    uint64_t retain_ms;    /* drop sealed segments whose newest document is older; 0 = keep all */
};

/* Open the task's writer: takes its lock (ERROR_BUSY otherwise), recovers (cuts whatever lies past the
 * committed ends), gives back the last committed checkpoint (size 0: none yet; valid until close). */
struct store_writer *store_writer_open(struct store *store, const char *task, struct slice *ret_checkpoint,
                                       struct error *err);
/* Closing without commit drops what was appended since the last one. */
void store_writer_close(struct store_writer *writer);
MEM_DEFINE_CLEANUP(struct store_writer *, store_writer_close);

/* Open this task's journal of a collection, creating it. *ret_journal is a small number for append. */
int store_writer_journal(struct store_writer *writer, const char *collection,
                         const struct store_journal_options *options, uint32_t *ret_journal,
                         struct error *err);

/* Append one document (JSON bytes, no newline inside) to the open transaction. */
int store_append(struct store_writer *writer, uint32_t journal, struct slice document, struct error *err);

/* Commit: everything appended since the last commit becomes durable and visible together with the
 * checkpoint, or, if this fails or the process dies, none of it does. After an error the writer refuses
 * further use: close and reopen. A commit without documents still saves the checkpoint. */
int store_commit(struct store_writer *writer, struct slice checkpoint, struct error *err);

/* Bytes appended since the last commit, as they will lie on disk. */
uint64_t store_writer_pending(const struct store_writer *writer);

/* Replace the checkpoint of a task that does not run (ERROR_BUSY if it does); documents stay. */
int store_checkpoint_set(struct store *store, const char *task, struct slice checkpoint, struct error *err);
/* Read a task's committed checkpoint into the arena; ERROR_NOT_FOUND if it never committed. */
int store_checkpoint_get(struct store *store, const char *task, struct arena *arena,
                         struct slice *ret_checkpoint, struct error *err);

/* Empty a collection's journal of this task at its next commit, numbering goes on (a backfill, a refresh). */
int store_truncate(struct store_writer *writer, uint32_t journal, struct error *err);

/* --- reading ------------------------------------------------------------------------------------- */

struct store_document {
    struct slice bytes;   /* valid until the next call on the reader */
    const char *writer;   /* the task whose journal holds it */
    uint64_t number;      /* in that journal */
    int64_t committed_ms; /* wall clock of its block */
    uint64_t identity;    /* of the writer's log: store_journal_info */
    bool identified;      /* the same */
    uint64_t mark;        /* store_mark */
};

/* Read committed documents of a collection, journal by journal in writer order, each in number order.
 * `writer` NULL: all writers, those too whose documents are gone although their commit log names them.
 * `from`: the first number wanted of each journal (numbers that retention has dropped are skipped, and told
 * by store_reader_notice). ERROR_NOT_FOUND if the collection has no journal. */
struct store_reader *store_reader_open(struct store *store, const char *collection, const char *writer,
                                       uint64_t from, struct error *err);
void store_reader_close(struct store_reader *reader);
MEM_DEFINE_CLEANUP(struct store_reader *, store_reader_close);
/* Go on in one writer's journal with this number, instead of where the reader was opened. Before the first
 * store_reader_next; a writer that has no journal in the collection is ERROR_NOT_FOUND. */
int store_reader_seek(struct store_reader *reader, const char *writer, uint64_t number, struct error *err);
/* 1 and a document; 0 when there is none committed that was not read yet (call again later); -1. Whoever
 * takes every -1 for the end has been given a prefix of what is committed; store_reader_left_out says who may
 * go on. */
int store_reader_next(struct store_reader *reader, struct store_document *ret_document, struct error *err);
/* After a -1: the writer whose journal cannot be read from *ret_number on. It is left out from here on (until
 * a reader is opened anew), and the others may be read by calling store_reader_next again. NULL: nothing more
 * can be read. */
const char *store_reader_left_out(const struct store_reader *reader, uint64_t *ret_number);

/* What a reader missed. */
enum store_notice_kind {
    STORE_NOTICE_GONE,    /* retention or a truncation dropped first..end-1 before they were read */
    STORE_NOTICE_DROPPED, /* so did store_drop_task (as far as known); what the task writes anew begins at 0
                           */
};
struct store_notice {
    enum store_notice_kind kind;
    const char *writer; /* valid until the reader is closed */
    uint64_t first, end;
    bool initial; /* they were gone when the reader was opened */
};
/* 1 and the next notice; 0: there is none. To be asked after store_reader_next: what is missing before a
 * document is told with that document. Each is told once. */
int store_reader_notice(struct store_reader *reader, struct store_notice *ret_notice);
/* A descriptor that becomes readable when something may have been committed; for poll. */
int store_reader_fd(struct store_reader *reader);
/* Drain that descriptor before calling store_reader_next again. */
void store_reader_woken(struct store_reader *reader);

/* --- listing ------------------------------------------------------------------------------------- */

struct store_journal_info {
    const char *collection, *writer;
    uint64_t first, end;  /* numbers: first kept, one past the last committed */
    uint64_t bytes;       /* on disk, committed */
    int64_t committed_ms; /* newest commit's wall clock, 0 if none */
    uint64_t identity;    /* of the writer's log: numbers mean the same documents as long as it is the
                             same (a drop makes a new one); 0: not known */
    bool identified;      /* the log has had it from its beginning: a number kept without one is of another
                             log; false: it was begun by a version that had none, or is not known */
    const struct error *damage; /* why it cannot be read, as far as that shows without reading it; the numbers
                                   are then what is known, or 0. NULL: it is sound */
};

struct store_task_info {
    const char *task;
    uint64_t checkpoint_bytes;
    int64_t committed_ms;       /* newest commit's wall clock */
    const struct error *damage; /* why its commit log cannot be read (the numbers are 0); NULL: it can */
};

/* What tells a document of a journal from any other that its writer may ever commit under the same number,
 * as it does once it goes on from an older copy of the data directory: a hash of what the block that holds it
 * says of its transaction. It is the same as long as the document is kept, and never 0. 1; 0: there is no
 * such document (any more); -1. The document itself is not read. */
int store_mark(struct store *store, const char *collection, const char *writer, uint64_t number,
               uint64_t *ret_mark, struct error *err);

/* Throw away what the task has committed: its documents in every collection, its checkpoint. Nothing is read
 * of it, so damage does not matter. Interrupted, it has to be done again. ERROR_NOT_FOUND if it never
 * committed, ERROR_BUSY if its writer is open. */
int store_drop_task(struct store *store, const char *task, struct error *err);

/* All tasks that ever committed, in name order, those that write no journal (connections) among them. One
 * that is damaged is listed as such, and so is one of which there are only documents. */
int store_list_tasks(struct store *store, struct arena *arena, struct store_task_info **ret_infos,
                     size_t *ret_count, struct error *err);

/* All journals of the store (or of one collection), in name order; strings in the arena. One that is damaged
 * is listed as such, and one whose files are gone although its task's commit log names it. */
int store_list(struct store *store, const char *collection, struct arena *arena,
               struct store_journal_info **ret_infos, size_t *ret_count, struct error *err);

#endif
