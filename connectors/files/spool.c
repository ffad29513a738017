#include "connectors/files/spool.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int make_nameless(struct error *err)
{
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    auto_free char *path = mem_printf("%s/firth-file-XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "cannot make a temporary file in %s", folder);
    unlink(path);
    return fd;
}

int files_spool(struct files_input *input, struct error *err)
{
    enum { PIECE = 1 << 20 };
    auto_free char *piece = mem_alloc(PIECE);
    int64_t got, total = 0;
    int fd = make_nameless(err), result = fd < 0 ? -1 : 0;
    while (result == 0 && (got = input->read(input, piece, PIECE, err)) != 0) {
        total += got;
        result = got < 0 ? -1 : file_write_all(fd, piece, (size_t)got, "a temporary file", err);
        if (result == 0 && total > FILES_SPOOL_MAX)
            result = error_set(err, ERROR_LIMIT, "it is larger than the %d GiB that may be copied to be read",
                               (int)(FILES_SPOOL_MAX >> 30));
    }
    if (result < 0 && fd >= 0)
        close(fd);
    return result < 0 ? -1 : fd;
}
