/* One sync a tab: two that count rows at the same time would write over one another. The lock is a name that
 * one process of this machine can have, and loses when it ends, however it ends. */
#include "session.h"

#include "base/hash.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int sheets_lock(struct session *session, struct tab *tab, struct error *err)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX}; /* beginning with a NUL: no file */
    uint64_t hash = hash_xxh3(tab->title, strlen(tab->title), 0);
    int size = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "firth-sheets-%.60s-%016llx",
                        sheets_id(session->sheets), (unsigned long long)hash);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size);
    tab->lock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (tab->lock >= 0 && bind(tab->lock, (struct sockaddr *)&name, length) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return error_errno(err, errno, "tab \"%.200s\" cannot be locked", tab->title);
    return error_set(err, ERROR_BUSY, "another sync is writing to tab \"%.200s\" of the spreadsheet",
                     tab->title);
}

void sheets_unlock(struct tab *tab)
{
    if (tab->lock >= 0)
        close(tab->lock);
}
