#include "connectors/files/archive.h"

#include "base/library.h"
#include "connectors/files/glob.h"
#include "connectors/files/spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zip.h>

/* By libzip, which is loaded by who meets such a file. Members are read as streams, so their size does not
 * matter; that they lie in one another (as bombs have it) is refused, and so is an archive in an archive. */

struct zip_api {
    typeof(zip_open) *zip_open;
    typeof(zip_discard) *zip_discard;
    typeof(zip_get_num_entries) *zip_get_num_entries;
    typeof(zip_stat_index) *zip_stat_index;
    typeof(zip_fopen_index) *zip_fopen_index;
    typeof(zip_fread) *zip_fread;
    typeof(zip_fclose) *zip_fclose;
    typeof(zip_strerror) *zip_strerror;
    typeof(zip_file_strerror) *zip_file_strerror;
    typeof(zip_error_init_with_code) *zip_error_init_with_code;
    typeof(zip_error_strerror) *zip_error_strerror;
    typeof(zip_error_fini) *zip_error_fini;
};

#define FUNCTION(name)                        \
    {                                         \
#name, offsetof(struct zip_api, name) \
    }

struct files_archive {
    struct zip_api api;
    zip_t *zip;
    struct files_format format;
    struct firth_slice schema;
    files_skipped_fn *skipped;
    void *context;
    zip_uint64_t *members; /* that are read */
    size_t count, at;
    uint64_t before;             /* records of the members that are done */
    struct files_reader *reader; /* of the member at `at`; NULL: it is not open */
    struct files_opener opener;  /* its */
    int copy;                    /* its bytes, where a program wants a file; -1: none */
    char *copy_path;
};

static int load(struct zip_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libzip.so.5", "libzip.so.4", "libzip.5.dylib", "libzip.so", NULL};
    static const struct library_function FUNCTIONS[] = {FUNCTION(zip_open),
                                                        FUNCTION(zip_discard),
                                                        FUNCTION(zip_get_num_entries),
                                                        FUNCTION(zip_stat_index),
                                                        FUNCTION(zip_fopen_index),
                                                        FUNCTION(zip_fread),
                                                        FUNCTION(zip_fclose),
                                                        FUNCTION(zip_strerror),
                                                        FUNCTION(zip_file_strerror),
                                                        FUNCTION(zip_error_init_with_code),
                                                        FUNCTION(zip_error_strerror),
                                                        FUNCTION(zip_error_fini)};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}

/* --- members ---------------------------------------------------------------------------------------------
 */

static int stat_member(struct files_archive *archive, zip_uint64_t index, zip_stat_t *ret_status,
                       struct error *err)
{
    if (archive->api.zip_stat_index(archive->zip, index, 0, ret_status) == 0 &&
        ret_status->valid & ZIP_STAT_NAME && ret_status->name)
        return 0;
    return error_set(err, ERROR_CORRUPT, "the zip archive is broken: %s",
                     archive->api.zip_strerror(archive->zip));
}

/* No folder, and nothing that a system has put beside the data. */
static bool is_file(const char *name)
{
    const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
    return *last && *last != '.' && !string_starts_with(name, "__MACOSX/");
}

static bool is_wanted(const char *const *globs, const char *name)
{
    for (size_t i = 0; globs && globs[i]; i++) {
        if (files_glob_matches(globs[i], name))
            return true;
    }
    return !globs;
}

static int list_members(struct files_archive *archive, uint64_t size, struct error *err)
{
    zip_int64_t entries = archive->api.zip_get_num_entries(archive->zip, 0);
    uint64_t packed = 0;
    if (entries > FILES_MEMBERS_MAX)
        return error_set(err, ERROR_LIMIT, "the zip archive has more than %d members", FILES_MEMBERS_MAX);
    archive->members = mem_zalloc(((size_t)entries + 1) * sizeof *archive->members);
    for (zip_int64_t i = 0; i < entries; i++) {
        zip_stat_t status;
        if (stat_member(archive, (zip_uint64_t)i, &status, err) < 0)
            return -1;
        if (__builtin_add_overflow(packed, status.comp_size, &packed) || packed > size)
            return error_set(err, ERROR_CORRUPT, "the zip archive is broken: its members lie in one another");
        if (is_file(status.name) && is_wanted(archive->format.members, status.name))
            archive->members[archive->count++] = (zip_uint64_t)i;
    }
    return 0;
}

/* --- one member ------------------------------------------------------------------------------------------
 */

struct member_input {
    struct files_input input;
    struct files_archive *archive;
    zip_file_t *file;
};

static int64_t member_read(struct files_input *input, char *bytes, size_t size, struct error *err)
{
    struct member_input *self = (struct member_input *)input;
    zip_int64_t got = self->archive->api.zip_fread(self->file, bytes, size);
    if (got < 0)
        return error_set(err, ERROR_CORRUPT, "the zip archive is broken: %s",
                         self->archive->api.zip_file_strerror(self->file));
    return got;
}

static void member_close(struct files_input *input)
{
    struct member_input *self = (struct member_input *)input;
    self->archive->api.zip_fclose(self->file);
    free(self);
}

static struct files_input *member_open(void *context, uint64_t offset, struct error *err)
{
    struct files_archive *archive = context;
    zip_file_t *file = archive->api.zip_fopen_index(archive->zip, archive->members[archive->at], 0);
    if (!file) {
        error_set(err, ERROR_UNSUPPORTED, "it cannot be opened: %s", archive->api.zip_strerror(archive->zip));
        return NULL;
    }
    struct member_input *self = mem_zalloc(sizeof *self);
    self->input = (struct files_input){member_read, member_close};
    self->archive = archive;
    self->file = file;
    if (files_input_skip(&self->input, offset, err) == 0)
        return &self->input;
    member_close(&self->input);
    return NULL;
}

static const char *member_local(void *context, struct error *err)
{
    struct files_archive *archive = context;
    struct files_input *input = member_open(archive, 0, err);
    if (!input)
        return NULL;
    archive->copy = files_spool(input, err);
    files_input_close(input);
    if (archive->copy < 0)
        return NULL;
    free(archive->copy_path);
    archive->copy_path = mem_printf("/proc/%ld/fd/%d", (long)getpid(), archive->copy);
    return archive->copy_path;
}

static void close_member(struct files_archive *archive)
{
    files_reader_close(archive->reader);
    archive->reader = NULL;
    if (archive->copy >= 0)
        close(archive->copy);
    archive->copy = -1;
}

static int open_member(struct files_archive *archive, struct files_place place, struct error *err)
{
    zip_stat_t status;
    if (stat_member(archive, archive->members[archive->at], &status, err) < 0)
        return -1;
    if (status.valid & ZIP_STAT_ENCRYPTION_METHOD && status.encryption_method != ZIP_EM_NONE)
        return error_set(err, ERROR_UNSUPPORTED,
                         "member %.300s of the zip archive is encrypted, and cannot be read", status.name);
    archive->opener = (struct files_opener){.open = member_open,
                                            .local = member_local,
                                            .context = archive,
                                            .name = status.name,
                                            .is_member = true};
    archive->reader = files_reader_open(&archive->opener, &archive->format, archive->schema, place,
                                        archive->skipped, archive->context, err);
    return archive->reader ? 0 : error_wrap(err, "member %.300s of the zip archive", status.name);
}

static int wrap(const struct files_archive *archive, struct error *err)
{
    return error_wrap(err, "member %.300s of the zip archive", archive->opener.name);
}

/* --- all of them -----------------------------------------------------------------------------------------
 */

static int open_zip(struct files_archive *archive, const char *path, struct error *err)
{
    zip_error_t why;
    int code = 0;
    archive->zip = archive->api.zip_open(path, ZIP_RDONLY, &code);
    if (archive->zip)
        return 0;
    archive->api.zip_error_init_with_code(&why, code);
    error_set(err, ERROR_CORRUPT, "the zip archive cannot be read: %s",
              archive->api.zip_error_strerror(&why));
    archive->api.zip_error_fini(&why);
    return -1;
}

static int size_of(const char *path, uint64_t *ret_size, struct error *err)
{
    FILE *file = fopen(path, "re");
    off_t size = -1;
    if (file && fseeko(file, 0, SEEK_END) == 0)
        size = ftello(file);
    if (file)
        fclose(file);
    *ret_size = (uint64_t)size;
    return size < 0 ? error_set(err, ERROR_IO, "the zip archive cannot be looked at") : 0;
}

struct files_archive *files_archive_open(const struct files_opener *opener, const struct files_format *format,
                                         struct firth_slice schema, struct files_place place,
                                         files_skipped_fn *skipped, void *context, struct error *err)
{
    struct files_archive *archive = mem_zalloc(sizeof *archive);
    uint64_t size = 0;
    archive->format = *format;
    archive->format.compression = FILES_ANY_COMPRESSION;
    archive->schema = schema;
    archive->skipped = skipped;
    archive->context = context;
    archive->copy = -1;
    const char *path = load(&archive->api, err) == 0 ? opener->local(opener->context, err) : NULL;
    if (path && size_of(path, &size, err) == 0 && open_zip(archive, path, err) == 0 &&
        list_members(archive, size, err) == 0) {
        archive->at = place.member < archive->count ? (size_t)place.member : archive->count;
        archive->before = place.before;
        place.records -= place.before < place.records ? place.before : place.records;
        if (place.records == 0 || archive->at == archive->count || open_member(archive, place, err) == 0)
            return archive;
    }
    files_archive_close(archive);
    return NULL;
}

int files_archive_next(struct files_archive *archive, struct files_record *ret_record, struct error *err)
{
    for (;;) {
        if (!archive->reader && archive->at == archive->count)
            return 0;
        if (!archive->reader && open_member(archive, (struct files_place){0}, err) < 0)
            return -1;
        int got = files_reader_next(archive->reader, ret_record, err);
        if (got < 0)
            return wrap(archive, err);
        if (got > 0) {
            ret_record->number += archive->before;
            return 1;
        }
        archive->before += files_reader_place(archive->reader).records;
        archive->at++;
        close_member(archive);
    }
}

struct files_place files_archive_place(const struct files_archive *archive)
{
    struct files_place place = {0};
    if (archive->reader)
        place = files_reader_place(archive->reader);
    place.member = archive->at;
    place.before = archive->before;
    place.records += archive->before;
    return place;
}

const char *files_archive_guessed(const struct files_archive *archive)
{
    return archive->reader ? files_reader_guessed(archive->reader) : NULL;
}

void files_archive_close(struct files_archive *archive)
{
    if (!archive)
        return;
    close_member(archive);
    if (archive->zip)
        archive->api.zip_discard(archive->zip);
    free(archive->members);
    free(archive->copy_path);
    free(archive);
}
