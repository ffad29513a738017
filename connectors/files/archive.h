/* zip archives: their members' records, one member after the other. */
#ifndef FIRTH_FILES_ARCHIVE_H
#define FIRTH_FILES_ARCHIVE_H

#include "connectors/files/reader.h"

enum { FILES_MEMBERS_MAX = 100 * 1000 };

struct files_archive;

/* `opener` gives the archive as a file of the machine. Members are those that match format->members (none:
 * all) and are no folders, nor hidden; each is recognised by itself. */
struct files_archive *files_archive_open(const struct files_opener *opener, const struct files_format *format,
                                         struct firth_slice schema, struct files_place place,
                                         files_skipped_fn *skipped, void *context, struct error *err);
int files_archive_next(struct files_archive *archive, struct files_record *ret_record, struct error *err);
struct files_place files_archive_place(const struct files_archive *archive);
/* Of the member that is read: files_reader_guessed. */
const char *files_archive_guessed(const struct files_archive *archive);
void files_archive_close(struct files_archive *archive); /* NULL is allowed */

#endif
