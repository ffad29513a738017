#include "ingest/ports.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <string.h>
#include <time.h>

enum { FILE_MAX = 16, PORT_MAX = 65535, NAP_MS = 20 };

/* Where the port begins; NULL: this is no address. */
static const char *port_of(const char *address)
{
    const char *colon = strrchr(address, ':');
    return colon ? colon + 1 : NULL;
}

static bool asks_any(const char *address)
{
    uint64_t port;
    const char *text = port_of(address);
    return text && string_to_u64(text, PORT_MAX, &port) && port == 0;
}

/* 0: none is known. A file that says something else is as none. */
static unsigned read_kept(const char *path)
{
    struct buffer text;
    struct error unused;
    uint64_t port = 0;
    buffer_init(&text, FILE_MAX);
    if (file_read(path, FILE_MAX, &text, &unused) < 0 || text.size == 0 || text.data[text.size - 1] != '\n')
        text.size = 0;
    else
        text.data[text.size - 1] = 0;
    if (text.size == 0 || !string_to_u64(text.data, PORT_MAX, &port))
        port = 0;
    buffer_done(&text);
    return (unsigned)port;
}

static void keep(const char *folder, const char *path, const char *url)
{
    struct error unused;
    auto_free char *line = mem_printf("%s\n", port_of(url));
    if (file_make_folders(folder, 0700, &unused) == 0)
        file_replace(path, line, strlen(line), 0600, &unused);
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000L}, NULL);
}

/* NULL: another program has the port, or it cannot be listened on at all. */
static const char *open_patiently(const char *listen, uint64_t wait_ms, ingest_port_open_fn *open,
                                  void *context, struct error *err)
{
    const char *url;
    uint64_t end = clock_monotonic_ns(&clock_system) / 1000000 + wait_ms;
    while (!(url = open(context, listen, err)) && err->code == ERROR_BUSY &&
           clock_monotonic_ns(&clock_system) / 1000000 < end)
        nap();
    return url;
}

/* NULL: it cannot be had; why, whoever opens at `asked` hears. */
static const char *open_kept(const char *asked, unsigned port, uint64_t wait_ms, ingest_port_open_fn *open,
                             void *context)
{
    struct error unused;
    auto_free char *listen = mem_printf("%.*s%u", (int)(port_of(asked) - asked), asked, port);
    return open_patiently(listen, wait_ms, open, context, &unused);
}

const char *ingest_port_open(const char *data_dir, const char *name, const char *asked, uint64_t wait_ms,
                             ingest_port_open_fn *open, void *context, unsigned *ret_lost, struct error *err)
{
    *ret_lost = 0;
    if (!data_dir || !asks_any(asked))
        return open_patiently(asked, wait_ms, open, context, err);
    auto_free char *folder = mem_printf("%s/ports", data_dir), *path = mem_printf("%s/%s", folder, name);
    unsigned port = read_kept(path);
    const char *url = port ? open_kept(asked, port, wait_ms, open, context) : NULL;
    if (url)
        return url;
    url = open(context, asked, err);
    if (!url)
        return NULL;
    *ret_lost = port;
    keep(folder, path, url);
    return url;
}
