/* What written files are called:
 *
 *     <template>firth_<stream>_g<generation>_<milliseconds>_<part>_<random>.<ending>
 *
 * <stream> is a hash of task, namespace and name: so that the files of a stream are known whatever the
 * template is. */
#ifndef FIRTH_FILES_NAMES_H
#define FIRTH_FILES_NAMES_H

#include "base/error.h"
#include "base/memory.h"

struct files_name {
    const char *stream, *name_space; /* NULL: none */
    const char *task;                /* of a stream without an end; "" of others */
    int64_t generation, part, sync;  /* generation and sync: -1 is 0 */
    int64_t time_ms;
    uint64_t random;
    const char *ending; /* ".jsonl.gz" */
};

/* {stream} or ${STREAM_NAME}, {namespace}, {date}, {year}, {month}, {day}, {hour}, {minute}, {second},
 * {epoch}, {generation}, {part_number}, {sync_id}, {uuid}. An unknown one is an error, and a template without
 * {stream}. */
int files_template_check(const char *template, struct error *err);
/* Heap string. */
char *files_template_name(const char *template, const struct files_name *name);
/* What all names of the stream begin with, whenever they were made. Heap string. */
char *files_template_prefix(const char *template, const struct files_name *name);
/* What the last step of each of their names has, and no other stream's. Heap string. */
char *files_name_mark(const struct files_name *name);

#endif
