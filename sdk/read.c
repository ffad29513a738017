#include "host.h"

static int describe_failure(const struct firth_host *host, struct firth_error *err)
{
    if (host->failed)
        *err = host->error;
    return -1;
}

/* Read until the source has no more, something fails, or we are asked to stop. */
static int read_all(struct firth_host *host, void *self, struct firth_error *err)
{
    const struct firth_source *source = &host->class_->source;
    for (;;) {
        int more = source->read(self, host, err);
        if (more < 0 || host->failed || firth_stopping(host))
            return -1;
        if (sdk_host_flush_if_due(host) < 0)
            return -1;
        if (more == 0)
            return 0;
    }
}

static int read_session(struct firth_host *host, const void *config, const struct firth_selection *selection,
                        struct firth_error *err)
{
    const struct firth_source *source = &host->class_->source;
    void *self = NULL;
    sdk_host_open_streams(host, selection);
    if (source->open(host, config, selection, &self, err) < 0)
        return describe_failure(host, err);
    int result = read_all(host, self, err);
    if (result == 0)
        result = sdk_host_end_streams(host, true);
    if (result < 0)
        sdk_host_end_streams(host, false);
    source->close(self);
    return result < 0 ? describe_failure(host, err) : 0;
}

int sdk_run_read(struct firth_host *host, const void *config,
                 const struct airbyte_configured_catalog *catalog, struct slice state,
                 struct firth_error *err)
{
    struct arena arena;
    arena_init(&arena);
    struct firth_catalog offered;
    sdk_catalog_init(&offered);
    struct firth_selection selection;
    struct error library_err;
    struct sdk_stream_name *names = arena_zalloc(&arena, (catalog->count + 1) * sizeof *names);
    for (size_t i = 0; i < catalog->count; i++) {
        struct airbyte_stream_name asked = catalog->streams[i].stream.name;
        names[i].name = arena_strndup(&arena, asked.name.data, asked.name.size);
        if (asked.namespace.size)
            names[i].name_space = arena_strndup(&arena, asked.namespace.data, asked.namespace.size);
    }
    int result = sdk_catalog_offer(host, config, names, catalog->count, &offered, err);
    if (result == 0 &&
        sdk_selection_read(host, &offered, catalog, state, &arena, &selection, &library_err) < 0)
        result = sdk_error(err, &library_err);
    if (result == 0 && (selection.count > 0 || !host->missing.message[0]))
        result = read_session(host, config, &selection, err);
    if (result == 0 && host->missing.message[0]) {
        *err = host->missing;
        result = -1;
    }
    sdk_catalog_done(&offered);
    arena_done(&arena);
    return result;
}
