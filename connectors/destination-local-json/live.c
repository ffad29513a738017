#include "live.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/hash.h"
#include "json/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_SIZE = 256 << 10, FILE_MODE = 0644, RECORD_MAX = 64 << 20 };

/* --- the record ------------------------------------------------------------------------------------- */

static int write_record(struct live *live, bool closed, struct error *err)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, RECORD_MAX);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_string(&writer, "task", live->task);
    if (*live->checkpoint)
        json_member_raw(&writer, "checkpoint", slice_of(live->checkpoint));
    json_member_bool(&writer, "closed", closed);
    json_put_key(&writer, "files");
    json_begin_array(&writer);
    for (size_t i = 0; i < live->count; i++) {
        json_begin_object(&writer);
        json_member_string(&writer, "name", live->files[i].name);
        json_member_u64(&writer, "inode", live->files[i].inode);
        json_member_u64(&writer, "size", live->files[i].committed);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
    buffer_byte(&text, '\n');
    int result = text.overflowed
                     ? error_set(err, ERROR_LIMIT, "the checkpoint is larger than %d bytes", RECORD_MAX)
                     : file_replace(live->record, text.data, text.size, FILE_MODE, err);
    buffer_done(&text);
    return result;
}

static int bad_record(const struct live *live, struct error *err)
{
    return error_set(err, ERROR_CORRUPT,
                     "%s is not as this connector writes it; without it, all is written again", live->record);
}

/* Cut a file to what was committed, unless it is another by now. */
static int cut(const struct live *live, const char *name, uint64_t inode, uint64_t size, struct error *err)
{
    struct stat info;
    auto_close int fd = openat(live->folder_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &info) < 0)
        return error_errno(err, errno, "cannot open %s/%s", live->folder, name);
    if ((uint64_t)info.st_ino != inode || (uint64_t)info.st_size == size ||
        fault_planted("local-json.no-cut"))
        return 0;
    if ((uint64_t)info.st_size < size)
        return error_set(
            err, ERROR_CORRUPT,
            "%s/%s has %lld bytes, but %llu were committed: something has cut it; without %s, all "
            "is written again",
            live->folder, name, (long long)info.st_size, (unsigned long long)size, live->record);
    if (ftruncate(fd, (off_t)size) < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "cannot cut %s/%s to what was committed", live->folder, name);
    return 0;
}

static int recover_files(struct live *live, const struct json *doc, struct arena *arena, struct error *err)
{
    uint32_t files = json_get(doc, 0, "files");
    for (uint32_t at = json_first(doc, files); at != JSON_NONE; at = json_next(doc, files, at)) {
        const char *name = json_cstring(doc, json_get(doc, at, "name"), arena);
        uint32_t inode_at = json_get(doc, at, "inode"), size_at = json_get(doc, at, "size");
        uint64_t inode, size;
        if (!name || strchr(name, '/') || inode_at == JSON_NONE || size_at == JSON_NONE ||
            !json_to_u64(doc, inode_at, &inode) || !json_to_u64(doc, size_at, &size))
            return bad_record(live, err);
        if (cut(live, name, inode, size, err) < 0)
            return -1;
    }
    return 0;
}

static int recover(struct live *live, struct error *err)
{
    struct buffer text;
    struct arena arena;
    struct json doc;
    if (!file_exists(live->record))
        return 0;
    buffer_init(&text, RECORD_MAX);
    arena_init(&arena);
    int result = file_read(live->record, RECORD_MAX, &text, err);
    if (result == 0 &&
        (json_parse_copy(&arena, text.data, text.size, &doc, err) < 0 || !json_is(&doc, 0, JSON_OBJECT)))
        result = bad_record(live, err);
    if (result == 0 && !json_is(&doc, json_get(&doc, 0, "closed"), JSON_TRUE))
        result = recover_files(live, &doc, &arena, err);
    uint32_t checkpoint = result == 0 ? json_get(&doc, 0, "checkpoint") : JSON_NONE;
    if (checkpoint != JSON_NONE) {
        free(live->checkpoint);
        live->checkpoint = mem_strndup(json_raw(&doc, checkpoint).data, json_raw(&doc, checkpoint).size);
    }
    arena_done(&arena);
    buffer_done(&text);
    return result;
}

/* --- opening ---------------------------------------------------------------------------------------- */

static int lock_file(struct live *live, size_t index, const char *name, struct error *err)
{
    struct live_file *file = &live->files[index];
    file->name = mem_strdup(name);
    file->lock = staged_open(live->folder, live->folder_fd, name, false, err);
    return file->lock ? 0 : -1;
}

static int open_file(struct live *live, size_t index, struct error *err)
{
    struct live_file *file = &live->files[index];
    struct stat info;
    char last = '\n';
    file->fd = openat(live->folder_fd, file->name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, FILE_MODE);
    if (file->fd < 0 || fstat(file->fd, &info) < 0)
        return error_errno(err, errno, "cannot open %s/%s", live->folder, file->name);
    if (!S_ISREG(info.st_mode))
        return error_set(err, ERROR_INVALID, "%s/%s is there and is not a file", live->folder, file->name);
    file->inode = info.st_ino;
    file->size = file->committed = (uint64_t)info.st_size;
    if (file->size && pread(file->fd, &last, 1, (off_t)file->size - 1) != 1)
        return error_errno(err, errno, "cannot read %s/%s", live->folder, file->name);
    if (last != '\n') /* somebody else's last line shall not become part of ours */
        buffer_byte(&file->out, '\n');
    return 0;
}

struct live *live_open(const char *folder, int folder_fd, const char *task, char *const *names, size_t count,
                       struct error *err)
{
    struct live *live = mem_zalloc(sizeof *live);
    live->folder = mem_strdup(folder);
    live->folder_fd = folder_fd;
    live->task = mem_strdup(task);
    live->record =
        mem_printf("%s/.firth.%016llx.json", folder, (unsigned long long)hash_xxh3(task, strlen(task), 0));
    live->checkpoint = mem_strdup("");
    live->files = mem_zalloc((count + 1) * sizeof *live->files);
    live->count = count;
    for (size_t i = 0; i < count; i++) {
        live->files[i].fd = -1;
        buffer_init(&live->files[i].out, BUFFER_UNLIMITED); /* one write's worth, or one record */
    }
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = lock_file(live, i, names[i], err);
    if (result == 0)
        result = recover(live, err);
    for (size_t i = 0; i < count && result == 0; i++)
        result = open_file(live, i, err);
    if (result == 0)
        result = write_record(live, false, err); /* before the first byte that it does not cover */
    if (result == 0)
        return live;
    live->broken = true;
    live_close(live);
    return NULL;
}

/* --- writing ---------------------------------------------------------------------------------------- */

static int write_out(struct live *live, struct live_file *file, struct error *err)
{
    if (file->out.size && file_write_all(file->fd, file->out.data, file->out.size, file->name, err) < 0)
        return error_wrap(err, "%s", live->folder);
    file->size += file->out.size;
    if (file->out.capacity > 16 * (size_t)WRITE_SIZE)
        buffer_done(&file->out);
    buffer_clear(&file->out);
    return 0;
}

char *live_reserve(struct live *live, size_t index, size_t size, struct error *err)
{
    struct live_file *file = &live->files[index];
    if (file->out.size >= WRITE_SIZE && write_out(live, file, err) < 0)
        return NULL;
    buffer_reserve(&file->out, size > WRITE_SIZE ? size : WRITE_SIZE);
    return file->out.data + file->out.size;
}

int live_commit(struct live *live, struct slice checkpoint, struct error *err)
{
    for (size_t i = 0; i < live->count; i++) {
        struct live_file *file = &live->files[i];
        if (write_out(live, file, err) < 0)
            return -1;
        if (file->size != file->committed && fdatasync(file->fd) < 0)
            return error_errno(err, errno, "cannot sync %s/%s", live->folder, file->name);
    }
    fault_point("local-json.live.before-record");
    for (size_t i = 0; i < live->count; i++)
        live->files[i].committed = live->files[i].size;
    free(live->checkpoint);
    live->checkpoint = mem_strndup(checkpoint.size ? checkpoint.data : "", checkpoint.size);
    if (write_record(live, false, err) < 0) {
        live->broken = true; /* which of the two is on disk, the next session sees */
        return -1;
    }
    fault_point("local-json.live.after-record");
    return 0;
}

/* --- the end ---------------------------------------------------------------------------------------- */

/* What no commit covers is cut off; a failed write may have left some of it. */
static bool settle(struct live_file *file)
{
    struct stat info;
    return file->fd >= 0 && fstat(file->fd, &info) == 0 &&
           ((uint64_t)info.st_size == file->committed || ftruncate(file->fd, (off_t)file->committed) == 0);
}

void live_close(struct live *live)
{
    struct error ignored;
    if (!live)
        return;
    bool whole = !live->broken;
    for (size_t i = 0; i < live->count && whole; i++)
        whole = settle(&live->files[i]);
    if (whole)
        write_record(live, true, &ignored); /* if it cannot be: the next session finds nothing to cut */
    for (size_t i = 0; i < live->count; i++) {
        struct live_file *file = &live->files[i];
        if (file->fd >= 0)
            close(file->fd);
        staged_close(file->lock);
        buffer_done(&file->out);
        free(file->name);
    }
    free(live->files);
    free(live->checkpoint);
    free(live->record);
    free(live->task);
    free(live->folder);
    free(live);
}
