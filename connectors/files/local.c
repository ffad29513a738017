#include "storage.h"

#include "base/hash.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files of this machine. */

enum { DEPTH_MAX = 64 };

static void describe(const struct stat *status, char *path, struct files_object *object)
{
    const int64_t facts[] = {status->st_size, status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
                             (int64_t)status->st_ino};
    *object = (struct files_object){
        .name = path,
        .size = status->st_size,
        .modified_ms = status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / (1000 * 1000),
        .arrived_ms = status->st_ctim.tv_sec * 1000 + status->st_ctim.tv_nsec / (1000 * 1000),
        .tag = hash_xxh3(facts, sizeof facts, 0),
    };
}

/* --- listing ---------------------------------------------------------------------------------------------
 */

struct folder {
    char *path;   /* with a slash at its end */
    char **names; /* sorted; those of folders with a slash at the end, so that paths come in their order */
    size_t count, capacity, at;
};

struct listing {
    struct files_listing listing;
    char *prefix, *after;
    struct folder stack[DEPTH_MAX];
    size_t depth;
    char *path; /* given last */
};

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void pop(struct listing *self)
{
    struct folder *folder = &self->stack[--self->depth];
    for (size_t i = 0; i < folder->count; i++)
        free(folder->names[i]);
    free(folder->names);
    free(folder->path);
}

static bool is_folder(int fd, const struct dirent *entry)
{
    struct stat status;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* Takes `path`. A folder that is not there has no files. */
static int push(struct listing *self, char *path, struct error *err)
{
    if (self->depth == DEPTH_MAX) {
        error_set(err, ERROR_LIMIT, "%s: folders are nested more than %d deep", path, DEPTH_MAX);
        free(path);
        return -1;
    }
    DIR *dir = opendir(path);
    if (!dir && errno != ENOENT && errno != ENOTDIR) {
        error_errno(err, errno, "cannot list %s", path);
        free(path);
        return -1;
    }
    struct folder *folder = &self->stack[self->depth++];
    *folder = (struct folder){.path = path};
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        folder->names = mem_grow(folder->names, &folder->capacity, folder->count + 1, sizeof *folder->names);
        folder->names[folder->count++] =
            mem_printf("%s%s", entry->d_name, is_folder(dirfd(dir), entry) ? "/" : "");
    }
    if (dir)
        closedir(dir);
    if (folder->count)
        qsort(folder->names, folder->count, sizeof *folder->names, by_bytes);
    return 0;
}

/* Can a path that begins like this be one that is wanted? */
static bool is_on_the_way(const struct listing *self, const char *path, bool folder)
{
    size_t size = strlen(path), wanted = strlen(self->prefix);
    if (strncmp(path, self->prefix, size < wanted ? size : wanted) != 0 || (!folder && size < wanted))
        return false;
    return strcmp(path, self->after) > 0 || (folder && strncmp(path, self->after, size) == 0);
}

static int listing_next(struct files_listing *listing, struct files_object *ret_object, struct error *err)
{
    struct listing *self = (struct listing *)listing;
    struct stat status;
    while (self->depth) {
        struct folder *folder = &self->stack[self->depth - 1];
        if (folder->at == folder->count) {
            pop(self);
            continue;
        }
        free(self->path);
        self->path = mem_printf("%s%s", folder->path, folder->names[folder->at++]);
        bool inner = string_ends_with(self->path, "/");
        if (!is_on_the_way(self, self->path, inner))
            continue;
        if (inner) {
            char *path = self->path;
            self->path = NULL;
            if (push(self, path, err) < 0)
                return -1;
        } else if (stat(self->path, &status) == 0 && S_ISREG(status.st_mode)) {
            describe(&status, self->path, ret_object);
            return 1;
        }
    }
    return 0;
}

static void listing_close(struct files_listing *listing)
{
    struct listing *self = (struct listing *)listing;
    while (self->depth)
        pop(self);
    free(self->path);
    free(self->prefix);
    free(self->after);
    free(self);
}

static struct files_listing *local_list(struct files_storage *storage, const char *prefix, const char *after,
                                        struct error *err)
{
    (void)storage;
    struct listing *self = mem_zalloc(sizeof *self);
    const char *slash = strrchr(prefix, '/');
    self->listing = (struct files_listing){listing_next, listing_close};
    self->prefix = mem_strdup(prefix);
    self->after = mem_strdup(after);
    if (push(self, slash ? mem_strndup(prefix, (size_t)(slash - prefix) + 1) : mem_strdup("./"), err) == 0)
        return &self->listing;
    listing_close(&self->listing);
    return NULL;
}

/* --- reading ---------------------------------------------------------------------------------------------
 */

struct local_input {
    struct files_input input;
    const struct files_object *object;
    int fd;
};

static int check_unchanged(const struct local_input *self, struct error *err)
{
    struct stat status;
    struct files_object now;
    if (fstat(self->fd, &status) < 0)
        return error_errno(err, errno, "cannot look at %s", self->object->name);
    describe(&status, self->object->name, &now);
    if (now.tag != self->object->tag)
        return error_set(err, ERROR_BUSY, "%s has changed while it was read", self->object->name);
    return 0;
}

static int64_t input_read(struct files_input *input, char *bytes, size_t size, struct error *err)
{
    struct local_input *self = (struct local_input *)input;
    ssize_t got;
    do
        got = read(self->fd, bytes, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_errno(err, errno, "cannot read %s", self->object->name);
    return got == 0 && check_unchanged(self, err) < 0 ? -1 : got;
}

static void input_close(struct files_input *input)
{
    struct local_input *self = (struct local_input *)input;
    if (self->fd >= 0)
        close(self->fd);
    free(self);
}

static struct files_input *local_open(struct files_storage *storage, const struct files_object *object,
                                      uint64_t offset, struct error *err)
{
    (void)storage;
    struct local_input *self = mem_zalloc(sizeof *self);
    self->input = (struct files_input){input_read, input_close};
    self->object = object;
    self->fd = open(object->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (self->fd < 0)
        error_errno(err, errno, "cannot open %s", object->name);
    else if (check_unchanged(self, err) == 0 && lseek(self->fd, (off_t)offset, SEEK_SET) >= 0)
        return &self->input;
    input_close(&self->input);
    return NULL;
}

static int local_look(struct files_storage *storage, const char *name, struct files_object *ret_object,
                      struct error *err)
{
    (void)storage;
    struct stat status;
    if (stat(name, &status) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : error_errno(err, errno, "cannot look at %s", name);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_INVALID, "%s is no file", name);
    describe(&status, mem_strdup(name), ret_object);
    return 1;
}

static const char *local_path(struct files_storage *storage, const struct files_object *object)
{
    (void)storage;
    return object->name;
}

static void local_close(struct files_storage *storage)
{
    free(storage);
}

struct files_storage *files_local_new(void)
{
    struct files_storage *storage = mem_zalloc(sizeof *storage);
    *storage = (struct files_storage){local_list, local_look, local_open, local_path, local_close};
    return storage;
}
