#include "task/reader.h"

#include <stdlib.h>

/* Of a connection that is cleared: its streams, and nothing in them. */

struct reader {
    struct task_reader base;
    bool discovered, begun;
};

static int open_reader(struct task_reader *base, struct error *err)
{
    struct reader *reader = (struct reader *)base;
    struct task *task = base->task;
    struct json *catalog = arena_alloc(&task->arena, sizeof *catalog);
    if (json_parse_copy(&task->arena, task->spec->catalog.data, task->spec->catalog.size, catalog, err) < 0 ||
        airbyte_catalog_read(catalog, 0, &task->arena, &task->discovered, err) < 0)
        return error_wrap(err, "the connection's catalog");
    reader->discovered = true;
    return 0;
}

static bool ready(const struct task_reader *base)
{
    return ((const struct reader *)base)->discovered;
}

static int begin(struct task_reader *base, struct error *err)
{
    (void)err;
    ((struct reader *)base)->begun = true;
    return 0;
}

static size_t pollfds(struct task_reader *base, struct pollfd *fds)
{
    (void)base, (void)fds;
    return 0;
}

static int timeout_ms(const struct task_reader *base)
{
    (void)base;
    return -1;
}

static int service(struct task_reader *base, struct error *err)
{
    (void)base, (void)err;
    return 0;
}

static int next(struct task_reader *base, struct task_item *item, struct error *err)
{
    (void)base, (void)item, (void)err;
    return 0;
}

static bool ended(const struct task_reader *base)
{
    return ((const struct reader *)base)->begun;
}

static int result(struct task_reader *base, struct error *err)
{
    (void)base, (void)err;
    return 0;
}

static void stop(struct task_reader *base)
{
    (void)base;
}

static void close_reader(struct task_reader *base)
{
    free(base);
}

struct task_reader *task_reader_empty_new(struct task *task)
{
    static const struct task_reader_class class = {.name = "nothing",
                                                   .open = open_reader,
                                                   .ready = ready,
                                                   .begin = begin,
                                                   .pollfds = pollfds,
                                                   .timeout_ms = timeout_ms,
                                                   .service = service,
                                                   .next = next,
                                                   .ended = ended,
                                                   .result = result,
                                                   .stop = stop,
                                                   .kill = stop,
                                                   .close = close_reader};
    struct reader *reader = mem_zalloc(sizeof *reader);
    reader->base = (struct task_reader){.class = &class, .task = task, .label = "nothing"};
    return &reader->base;
}
