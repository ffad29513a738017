#include "source.h"

#include "connectors/files/spool.h"

#include <stdlib.h>
#include <unistd.h>

/* A file that is read, wherever it lies. */

static struct files_input *open_at(void *context, uint64_t offset, struct error *err)
{
    struct files_open_file *file = context;
    return file->storage->open(file->storage, &file->object, offset, err);
}

static int fetch(struct files_open_file *file, struct error *err)
{
    struct files_input *input = open_at(file, 0, err);
    if (!input)
        return -1;
    file->copy = files_spool(input, err);
    files_input_close(input);
    return file->copy < 0 ? -1 : 0;
}

/* Another process opens it by the number of the descriptor, which it is given. */
static const char *local_path(void *context, struct error *err)
{
    struct files_open_file *file = context;
    const char *path = file->storage->path(file->storage, &file->object);
    if (path)
        return path;
    if (file->copy < 0 && fetch(file, err) < 0)
        return NULL;
    free(file->copy_path);
    file->copy_path = mem_printf("/proc/%ld/fd/%d", (long)getpid(), file->copy);
    return file->copy_path;
}

int files_open_file_init(struct files_open_file *file, struct files_storage *storage,
                         const struct files_object *object, const struct files_format *format,
                         struct firth_slice schema, struct files_place place, files_skipped_fn *skipped,
                         void *context, struct error *err)
{
    *file = (struct files_open_file){.storage = storage, .copy = -1};
    files_object_copy(&file->object, object);
    file->opener = (struct files_opener){
        .open = open_at, .local = local_path, .context = file, .name = file->object.name};
    file->reader = files_reader_open(&file->opener, format, schema, place, skipped, context, err);
    if (file->reader)
        return 0;
    files_open_file_done(file);
    return -1;
}

void files_open_file_done(struct files_open_file *file)
{
    files_reader_close(file->reader);
    files_object_done(&file->object);
    free(file->copy_path);
    if (file->copy >= 0)
        close(file->copy);
    *file = (struct files_open_file){.copy = -1};
}
