#include "cli/data_dir.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct store *data_dir_open(const struct cli *cli, struct error *err)
{
    const struct store_options read_only = {.read_only = true};
    struct stat info;
    if (stat(cli->data_dir, &info) < 0) {
        if (errno == ENOENT)
            error_set(err, ERROR_NOT_FOUND,
                      "there is no data directory %s: 'firth run', 'firth serve' and 'firth apply' make one; "
                      "--data-dir or FIRTH_DATA_DIR says where it is",
                      cli->data_dir);
        else
            error_errno(err, errno, "cannot look into the data directory %s", cli->data_dir);
        return NULL;
    }
    return store_open(cli->data_dir, &read_only, err);
}

int data_dir_check(const struct cli *cli, struct error *err)
{
    struct store *store = data_dir_open(cli, err);
    store_close(store);
    return store ? 0 : -1;
}

void data_dir_explain_busy(struct error *err)
{
    if (err->code != ERROR_BUSY)
        return;
    bool served = strstr(err->message, "(firth serve");
    char message[ERROR_MESSAGE_MAX];
    snprintf(message, sizeof message, "%.*s", ERROR_MESSAGE_MAX - 256, err->message);
    error_set(
        err, ERROR_BUSY,
        served ? "%s: give the daemon a catalog to run by 'firth deploy CATALOG', or stop it first, or use "
                 "another --data-dir"
               : "%s: stop it first, or use another --data-dir",
        message);
}
