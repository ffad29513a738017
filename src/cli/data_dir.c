#include "cli/data_dir.h"

#include "base/file.h"

struct store *data_dir_open(const struct cli *cli, struct error *err)
{
    const struct store_options read_only = {.read_only = true};
    if (!file_exists(cli->data_dir)) {
        error_set(
            err, ERROR_NOT_FOUND,
            "there is no data directory %s: 'firth run' makes it, --data-dir or FIRTH_DATA_DIR says where",
            cli->data_dir);
        return NULL;
    }
    return store_open(cli->data_dir, &read_only, err);
}
