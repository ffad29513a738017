#include "sim_disk.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 512, HANDLES_MAX = 1024, SECTOR = 512 };

/* A change of a file that was not synced: bytes written at `offset`, or (bytes NULL) a new length. */
struct change {
    uint64_t offset, size;
    char *bytes;
};

struct content {
    char *bytes;
    uint64_t size, capacity;
};

struct inode {
    bool folder, used;
    unsigned links; /* entries and handles that lead here: when none is left it is freed */
    struct content cache, disk;
    struct change *changes;
    size_t changes_count, changes_capacity;
};

struct entry {
    char *path; /* NULL: free */
    int inode;
};

/* A change of a folder that was not synced: `path` leads to inode, or (-1) nowhere. */
struct entry_change {
    char *path;
    int inode;
    uint64_t group; /* one operation: rename removes and makes in one act */
};

struct names {
    struct entry entries[FILES_MAX];
};

struct handle {
    int inode; /* -1: free */
    bool write, locked;
};

struct sim_disk {
    struct disk disk;
    struct random_state random;
    struct inode inodes[FILES_MAX];
    struct names cache, durable;
    struct entry_change *changes;
    size_t changes_count, changes_capacity;
    struct handle handles[HANDLES_MAX];
    uint64_t group, operations, cut_after, fail_one_in, room;
    bool out;
};

static bool chance(struct sim_disk *sim, uint64_t one_in)
{
    return random_below(&sim->random, one_in) == 0;
}

/* --- contents ------------------------------------------------------------------------------------ */

static void resize(struct content *content, uint64_t size)
{
    if (size > content->capacity) {
        content->capacity = size * 2;
        content->bytes = mem_realloc(content->bytes, content->capacity);
    }
    if (size > content->size)
        memset(content->bytes + content->size, 0, size - content->size);
    content->size = size;
}

static void put(struct content *content, uint64_t offset, const char *bytes, uint64_t size)
{
    if (offset + size > content->size)
        resize(content, offset + size);
    if (size)
        memcpy(content->bytes + offset, bytes, size);
}

static void apply(struct content *content, const struct change *change)
{
    if (change->bytes)
        put(content, change->offset, change->bytes, change->size);
    else
        resize(content, change->size);
}

/* The change as the power found it: sectors of it, or bytes, are missing. */
static void apply_torn(struct sim_disk *sim, struct content *content, const struct change *change)
{
    if (!change->bytes)
        return;
    if (chance(sim, 2)) { /* a prefix, to the byte */
        put(content, change->offset, change->bytes, random_below(&sim->random, change->size + 1));
        return;
    }
    for (uint64_t at = 0; at < change->size;) {
        uint64_t piece = SECTOR - (change->offset + at) % SECTOR;
        if (piece > change->size - at)
            piece = change->size - at;
        if (chance(sim, 2))
            put(content, change->offset + at, change->bytes + at, piece);
        at += piece;
    }
}

static void note_change(struct inode *inode, uint64_t offset, const struct iovec *parts, int count,
                        uint64_t size)
{
    inode->changes =
        mem_grow(inode->changes, &inode->changes_capacity, inode->changes_count + 1, sizeof *inode->changes);
    struct change *change = &inode->changes[inode->changes_count++];
    *change = (struct change){.offset = offset, .size = size};
    if (!parts)
        return;
    change->bytes = mem_alloc(size);
    for (uint64_t i = 0, at = 0; i < (uint64_t)count && at < size; i++) {
        uint64_t piece = parts[i].iov_len < size - at ? parts[i].iov_len : size - at;
        if (piece)
            memcpy(change->bytes + at, parts[i].iov_base, piece);
        at += piece;
    }
}

static void forget_changes(struct inode *inode)
{
    for (size_t i = 0; i < inode->changes_count; i++)
        free(inode->changes[i].bytes);
    inode->changes_count = 0;
}

/* --- names --------------------------------------------------------------------------------------- */

static struct entry *find(struct names *names, const char *path)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (names->entries[i].path && strcmp(names->entries[i].path, path) == 0)
            return &names->entries[i];
    return NULL;
}

static void set(struct names *names, const char *path, int inode)
{
    struct entry *entry = find(names, path);
    if (inode < 0) {
        if (entry) {
            free(entry->path);
            entry->path = NULL;
        }
        return;
    }
    for (int i = 0; !entry && i < FILES_MAX; i++)
        if (!names->entries[i].path)
            entry = &names->entries[i];
    assert(entry);
    if (!entry->path)
        entry->path = mem_strdup(path);
    entry->inode = inode;
}

static void set_unsynced(struct sim_disk *sim, const char *path, int inode)
{
    set(&sim->cache, path, inode);
    sim->changes =
        mem_grow(sim->changes, &sim->changes_capacity, sim->changes_count + 1, sizeof *sim->changes);
    sim->changes[sim->changes_count++] = (struct entry_change){mem_strdup(path), inode, sim->group};
}

static bool is_in(const char *path, const char *folder)
{
    size_t size = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    return strncmp(path, folder, size) == 0 && path[size] == '/' && !strchr(path + size + 1, '/');
}

static bool parent_is_there(struct sim_disk *sim, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return true;
    auto_free char *parent = mem_strndup(path, (size_t)(slash - path));
    struct entry *entry = find(&sim->cache, parent);
    return entry && sim->inodes[entry->inode].folder;
}

/* Free what nothing leads to any more. */
static void sweep(struct sim_disk *sim)
{
    for (int i = 0; i < FILES_MAX; i++)
        sim->inodes[i].links = 0;
    for (int i = 0; i < FILES_MAX; i++) {
        if (sim->cache.entries[i].path)
            sim->inodes[sim->cache.entries[i].inode].links++;
        if (sim->durable.entries[i].path)
            sim->inodes[sim->durable.entries[i].inode].links++;
    }
    for (int i = 0; i < HANDLES_MAX; i++)
        if (sim->handles[i].inode >= 0)
            sim->inodes[sim->handles[i].inode].links++;
    for (size_t i = 0; i < sim->changes_count; i++)
        if (sim->changes[i].inode >= 0)
            sim->inodes[sim->changes[i].inode].links++;
    for (int i = 0; i < FILES_MAX; i++) {
        struct inode *inode = &sim->inodes[i];
        if (!inode->used || inode->links > 0)
            continue;
        forget_changes(inode);
        free(inode->changes);
        free(inode->cache.bytes);
        free(inode->disk.bytes);
        *inode = (struct inode){0};
    }
}

static int new_inode(struct sim_disk *sim, bool folder)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < FILES_MAX; i++) {
            if (!sim->inodes[i].used) {
                sim->inodes[i] = (struct inode){.used = true, .folder = folder};
                return i;
            }
        }
        sweep(sim);
    }
    abort();
}

/* --- operations ---------------------------------------------------------------------------------- */

/* Before anything that changes: 1 go on, 2 go on and the power fails during it, -EIO it is out. */
static int spend(struct sim_disk *sim)
{
    sim->group++;
    if (sim->out)
        return -EIO;
    if (++sim->operations < sim->cut_after || sim->cut_after == 0)
        return 1;
    sim->out = true;
    return 2;
}

static bool fails(struct sim_disk *sim)
{
    return sim->fail_one_in && chance(sim, sim->fail_one_in);
}

static int sim_open(void *context, const char *path, int flags)
{
    struct sim_disk *sim = context;
    if (sim->out)
        return -EIO;
    struct entry *entry = find(&sim->cache, path);
    if (entry && flags & DISK_EXCLUSIVE)
        return -EEXIST;
    if (!entry) {
        if (!(flags & DISK_CREATE) || !parent_is_there(sim, path))
            return -ENOENT;
        if (spend(sim) < 0)
            return -EIO;
        if (fails(sim))
            return -ENOSPC;
        set_unsynced(sim, path, new_inode(sim, false));
        entry = find(&sim->cache, path);
    }
    struct inode *inode = &sim->inodes[entry->inode];
    if (inode->folder)
        return -EISDIR;
    if (flags & DISK_EMPTY && inode->cache.size > 0) {
        note_change(inode, 0, NULL, 0, 0);
        resize(&inode->cache, 0);
    }
    for (int i = 0; i < HANDLES_MAX; i++) {
        if (sim->handles[i].inode < 0) {
            sim->handles[i] = (struct handle){.inode = entry->inode, .write = flags & DISK_WRITE};
            return i;
        }
    }
    return -EMFILE;
}

static void sim_close(void *context, int file)
{
    struct sim_disk *sim = context;
    sim->handles[file] = (struct handle){.inode = -1};
}

static struct inode *inode_of(struct sim_disk *sim, int file)
{
    assert(file >= 0 && file < HANDLES_MAX && sim->handles[file].inode >= 0);
    return &sim->inodes[sim->handles[file].inode];
}

static ssize_t sim_read(void *context, int file, void *bytes, size_t size, uint64_t offset)
{
    struct sim_disk *sim = context;
    if (sim->out)
        return -EIO;
    struct content *content = &inode_of(sim, file)->cache;
    if (offset >= content->size)
        return 0;
    uint64_t got = content->size - offset < size ? content->size - offset : size;
    if (got)
        memcpy(bytes, content->bytes + offset, got);
    return (ssize_t)got;
}

static int sim_write(void *context, int file, const struct iovec *parts, int count, uint64_t offset)
{
    struct sim_disk *sim = context;
    int go = spend(sim);
    if (go < 0)
        return go;
    assert(sim->handles[file].write);
    struct inode *inode = inode_of(sim, file);
    uint64_t size = 0;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    int result = go == 2 ? -EIO : 0;
    uint64_t done = size;
    if (offset + size > inode->cache.size &&
        sim_disk_used(sim) + offset + size - inode->cache.size > sim->room)
        result = -ENOSPC;
    else if (fails(sim))
        result = chance(sim, 2) ? -ENOSPC : -EIO;
    if (result < 0)
        done = random_below(&sim->random, size + 1);
    note_change(inode, offset, parts, count, done);
    struct change *change = &inode->changes[inode->changes_count - 1];
    apply(&inode->cache, change);
    return result;
}

static void sim_go_around(void *context, int file, bool around) {}

static int sim_size(void *context, int file, uint64_t *ret_size)
{
    struct sim_disk *sim = context;
    if (sim->out)
        return -EIO;
    *ret_size = inode_of(sim, file)->cache.size;
    return 0;
}

static int sim_linked(void *context, int file)
{
    struct sim_disk *sim = context;
    if (sim->out)
        return -EIO;
    for (int i = 0; i < FILES_MAX; i++)
        if (sim->cache.entries[i].path && sim->cache.entries[i].inode == sim->handles[file].inode)
            return 1;
    return 0;
}

static int sim_truncate(void *context, int file, uint64_t size)
{
    struct sim_disk *sim = context;
    int go = spend(sim);
    if (go < 0)
        return go;
    struct inode *inode = inode_of(sim, file);
    note_change(inode, 0, NULL, 0, size);
    resize(&inode->cache, size);
    return go == 2 ? -EIO : 0;
}

static void sim_start_sync(void *context, int file, uint64_t offset, uint64_t size) {}

static int sim_sync(void *context, int file)
{
    struct sim_disk *sim = context;
    int go = spend(sim);
    if (go < 0)
        return go;
    struct inode *inode = inode_of(sim, file);
    bool failed = fails(sim);
    if (go == 2)
        return -EIO;
    for (size_t i = 0; i < inode->changes_count; i++) {
        /* A failed sync wrote some, and the rest is no longer dirty: it will never be written. */
        if (!failed || chance(sim, 2))
            apply(&inode->disk, &inode->changes[i]);
    }
    forget_changes(inode);
    return failed ? -EIO : 0;
}

static int sim_sync_folder(void *context, const char *path)
{
    struct sim_disk *sim = context;
    int go = spend(sim);
    if (go < 0)
        return go;
    if (go == 2 || fails(sim))
        return -EIO;
    size_t kept = 0;
    for (size_t i = 0; i < sim->changes_count; i++) {
        struct entry_change *change = &sim->changes[i];
        if (is_in(change->path, path)) {
            set(&sim->durable, change->path, change->inode);
            free(change->path);
        } else {
            sim->changes[kept++] = *change;
        }
    }
    sim->changes_count = kept;
    return 0;
}

static int sim_make_folder(void *context, const char *path)
{
    struct sim_disk *sim = context;
    if (!sim->out && find(&sim->cache, path))
        return -EEXIST;
    int go = spend(sim);
    if (go < 0)
        return go;
    if (!parent_is_there(sim, path))
        return -ENOENT;
    set_unsynced(sim, path, new_inode(sim, true));
    return go == 2 ? -EIO : 0;
}

static int sim_rename(void *context, const char *from, const char *to)
{
    struct sim_disk *sim = context;
    int go = spend(sim);
    if (go < 0)
        return go;
    struct entry *entry = find(&sim->cache, from);
    if (!entry)
        return -ENOENT;
    if (fails(sim))
        return -EIO;
    int inode = entry->inode;
    set_unsynced(sim, to, inode);
    set_unsynced(sim, from, -1);
    return go == 2 ? -EIO : 0;
}

static int sim_unlink(void *context, const char *path)
{
    struct sim_disk *sim = context;
    int go = spend(sim);
    if (go < 0)
        return go;
    if (!find(&sim->cache, path))
        return -ENOENT;
    set_unsynced(sim, path, -1);
    return go == 2 ? -EIO : 0;
}

static int sim_stat_size(void *context, const char *path, uint64_t *ret_size)
{
    struct sim_disk *sim = context;
    struct entry *entry = sim->out ? NULL : find(&sim->cache, path);
    if (!entry)
        return sim->out ? -EIO : -ENOENT;
    *ret_size = sim->inodes[entry->inode].cache.size;
    return 0;
}

static int sim_list(void *context, const char *path, void (*each)(void *argument, const char *name),
                    void *argument)
{
    struct sim_disk *sim = context;
    if (sim->out)
        return -EIO;
    struct entry *folder = find(&sim->cache, path);
    if (!folder)
        return -ENOENT;
    if (!sim->inodes[folder->inode].folder)
        return -ENOTDIR;
    char *names[FILES_MAX]; /* copied first: `each` may change the folder */
    size_t count = 0;
    for (int i = 0; i < FILES_MAX; i++)
        if (sim->cache.entries[i].path && is_in(sim->cache.entries[i].path, path))
            names[count++] = mem_strdup(strrchr(sim->cache.entries[i].path, '/') + 1);
    for (size_t i = 0; i < count; i++) {
        each(argument, names[i]);
        free(names[i]);
    }
    return 0;
}

static bool locked_by_other(struct sim_disk *sim, int file)
{
    for (int i = 0; i < HANDLES_MAX; i++)
        if (i != file && sim->handles[i].inode == sim->handles[file].inode && sim->handles[i].locked)
            return true;
    return false;
}

static int sim_lock(void *context, int file)
{
    struct sim_disk *sim = context;
    if (sim->out)
        return -EIO;
    if (locked_by_other(sim, file))
        return -EAGAIN;
    sim->handles[file].locked = true;
    return 0;
}

static int sim_locked(void *context, int file)
{
    struct sim_disk *sim = context;
    return sim->out ? -EIO : locked_by_other(sim, file);
}

static int sim_watch_open(void *context)
{
    return -ENOSYS;
}
static int sim_watch_add(void *context, int watch, const char *path)
{
    return -ENOSYS;
}

/* --- power --------------------------------------------------------------------------------------- */

/* What of the unsynced entries survives: everything up to some point of each folder, or any of them. */
static void lose_entries(struct sim_disk *sim)
{
    bool prefix = chance(sim, 2);
    uint64_t kept_to = random_below(&sim->random, sim->changes_count + 1);
    bool keep = false;
    for (size_t i = 0; i < sim->changes_count; i++) {
        struct entry_change *change = &sim->changes[i];
        if (i == 0 || change->group != sim->changes[i - 1].group)
            keep = prefix ? i < kept_to : chance(sim, 2);
        if (keep)
            set(&sim->durable, change->path, change->inode);
        free(change->path);
    }
    sim->changes_count = 0;
}

/* Entries below a folder that is gone are gone. */
static void lose_orphans(struct sim_disk *sim)
{
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < FILES_MAX; i++) {
            struct entry *entry = &sim->cache.entries[i];
            if (entry->path && !parent_is_there(sim, entry->path)) {
                set(&sim->durable, entry->path, -1);
                free(entry->path);
                entry->path = NULL;
                again = true;
            }
        }
    }
}

static void lose_changes(struct sim_disk *sim, struct inode *inode)
{
    /* Order: usually as written; sometimes a later one first. */
    for (size_t i = 0; i + 1 < inode->changes_count; i++) {
        struct change *first = &inode->changes[i], *second = first + 1;
        bool apart =
            first->offset + first->size <= second->offset || second->offset + second->size <= first->offset;
        if (!first->bytes || !second->bytes || !apart || !chance(sim, 4))
            continue;
        struct change swap = inode->changes[i];
        inode->changes[i] = inode->changes[i + 1];
        inode->changes[i + 1] = swap;
    }
    uint64_t mood = random_below(&sim->random, 4);
    for (size_t i = 0; i < inode->changes_count; i++) {
        uint64_t fate = mood == 0 ? 0 : mood == 1 ? 1 : random_below(&sim->random, 3);
        if (fate == 1)
            apply(&inode->disk, &inode->changes[i]);
        else if (fate == 2)
            apply_torn(sim, &inode->disk, &inode->changes[i]);
    }
    forget_changes(inode);
    resize(&inode->cache, 0);
    put(&inode->cache, 0, inode->disk.bytes, inode->disk.size);
}

void sim_disk_restart(struct sim_disk *sim, bool power_was_lost)
{
    for (int i = 0; i < HANDLES_MAX; i++)
        sim->handles[i] = (struct handle){.inode = -1};
    sim->out = false;
    sim->cut_after = 0;
    if (!power_was_lost)
        return;
    lose_entries(sim);
    for (int i = 0; i < FILES_MAX; i++) {
        struct entry *entry = &sim->cache.entries[i];
        free(entry->path);
        entry->path = sim->durable.entries[i].path ? mem_strdup(sim->durable.entries[i].path) : NULL;
        entry->inode = sim->durable.entries[i].inode;
    }
    lose_orphans(sim);
    sweep(sim);
    for (int i = 0; i < FILES_MAX; i++)
        if (sim->inodes[i].used)
            lose_changes(sim, &sim->inodes[i]);
}

void sim_disk_cut_power_after(struct sim_disk *sim, uint64_t operations)
{
    sim->cut_after = operations ? sim->operations + operations : 0;
}

bool sim_disk_power_is_out(const struct sim_disk *sim)
{
    return sim->out;
}
void sim_disk_fail_one_in(struct sim_disk *sim, uint64_t one_in)
{
    sim->fail_one_in = one_in;
}
void sim_disk_set_room(struct sim_disk *sim, uint64_t bytes)
{
    sim->room = bytes;
}
uint64_t sim_disk_operations(const struct sim_disk *sim)
{
    return sim->operations;
}

uint64_t sim_disk_used(const struct sim_disk *sim)
{
    uint64_t used = 0;
    for (int i = 0; i < FILES_MAX; i++)
        used += sim->inodes[i].cache.size;
    return used;
}

const struct disk *sim_disk_disk(struct sim_disk *sim)
{
    return &sim->disk;
}

struct sim_disk *sim_disk_new(uint64_t seed)
{
    struct sim_disk *sim = mem_zalloc(sizeof *sim);
    random_seed(&sim->random, seed);
    sim->room = UINT64_MAX;
    sim->disk = (struct disk){
        .context = sim,
        .open = sim_open,
        .close = sim_close,
        .read = sim_read,
        .write = sim_write,
        .size = sim_size,
        .linked = sim_linked,
        .truncate = sim_truncate,
        .go_around = sim_go_around,
        .start_sync = sim_start_sync,
        .sync = sim_sync,
        .sync_folder = sim_sync_folder,
        .make_folder = sim_make_folder,
        .rename = sim_rename,
        .unlink = sim_unlink,
        .stat_size = sim_stat_size,
        .list = sim_list,
        .lock = sim_lock,
        .locked = sim_locked,
        .watch_open = sim_watch_open,
        .watch_add = sim_watch_add,
    };
    for (int i = 0; i < HANDLES_MAX; i++)
        sim->handles[i].inode = -1;
    return sim;
}

void sim_disk_free(struct sim_disk *sim)
{
    for (int i = 0; i < HANDLES_MAX; i++)
        sim->handles[i].inode = -1;
    for (size_t i = 0; i < sim->changes_count; i++)
        free(sim->changes[i].path);
    sim->changes_count = 0;
    for (int i = 0; i < FILES_MAX; i++) {
        free(sim->cache.entries[i].path);
        free(sim->durable.entries[i].path);
        sim->cache.entries[i].path = sim->durable.entries[i].path = NULL;
    }
    sweep(sim);
    free(sim->changes);
    free(sim);
}
