/* Store append beside a plain file on the same disk: 1 MB transactions, each durable before the next.
 *
 * Rounds of three are interleaved: the store (documents of ~500 bytes, one commit for each 1 MB), a peer that
 * writes the same 1 MB pieces to a plain file with fdatasync after each, and dd bs=1M conv=fdatasync, which
 * syncs once at the end. Prints medians, the ratios, and what append and commit cost in CPU time without the
 * disk's. Exit code 1 if the target was missed. */
#include "base/clock.h"
#include "base/file.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 9, PIECES = 64, PIECE = 1 << 20, DOCUMENT = 500 };
#define TARGET 0.70 /* of what dd reaches */

static double now_s(void)
{
    return (double)clock_monotonic_ns(&clock_system) * 1e-9;
}

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void must(int result, const struct error *err)
{
    if (result < 0) {
        fprintf(stderr, "bench_store_append: %s\n", err->message);
        exit(1);
    }
}

static char *make_piece(void)
{
    struct random_state random;
    random_seed(&random, 1);
    char *piece = mem_alloc(PIECE);
    for (size_t i = 0; i < PIECE; i++)
        piece[i] = (char)(' ' + random_below(&random, 90));
    return piece;
}

struct figures {
    double store, store_cpu, peer, peer_cpu, dd; /* MB/s; CPU in ns a byte */
};

static void run_store(const char *folder, const char *piece, struct figures *figures)
{
    struct error err;
    struct slice checkpoint;
    struct store *store = store_open(folder, NULL, &err);
    must(store ? 0 : -1, &err);
    struct store_writer *writer = store_writer_open(store, "bench", &checkpoint, &err);
    must(writer ? 0 : -1, &err);
    uint32_t journal;
    must(store_writer_journal(writer, "documents", NULL, &journal, &err), &err);
    double begun = now_s(), cpu = cpu_s();
    for (int i = 0; i < PIECES; i++) {
        for (size_t at = 0; at + DOCUMENT <= PIECE; at += DOCUMENT)
            must(store_append(writer, journal, (struct slice){piece + at, DOCUMENT}, &err), &err);
        must(store_commit(writer, SLICE_LITERAL("{\"cursor\":1}"), &err), &err);
    }
    figures->store = PIECES * (double)PIECE / 1e6 / (now_s() - begun);
    figures->store_cpu = (cpu_s() - cpu) * 1e9 / PIECES / PIECE;
    store_writer_close(writer);
    store_close(store);
    /* All three leave nothing behind, so that each writes into memory that the page cache had before. */
    must(file_remove_tree(folder, &err), &err);
}

static void run_peer(const char *path, const char *piece, struct figures *figures)
{
    struct error err;
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    double begun = now_s(), cpu = cpu_s();
    for (int i = 0; i < PIECES; i++) {
        must(file_write_all(fd, piece, PIECE, path, &err), &err);
        if (fdatasync(fd) < 0)
            must(error_set(&err, ERROR_IO, "fdatasync failed"), &err);
    }
    figures->peer = PIECES * (double)PIECE / 1e6 / (now_s() - begun);
    figures->peer_cpu = (cpu_s() - cpu) * 1e9 / PIECES / PIECE;
    unlink(path);
}

static void run_dd(const char *path, struct figures *figures)
{
    char to[600], count[32];
    snprintf(to, sizeof to, "of=%s", path);
    snprintf(count, sizeof count, "count=%d", PIECES);
    double begun = now_s();
    pid_t child = fork();
    if (child == 0) {
        execlp("dd", "dd", "if=/dev/zero", to, "bs=1M", count, "conv=fdatasync", "status=none", (char *)NULL);
        _exit(127);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "bench_store_append: dd failed\n");
        exit(1);
    }
    figures->dd = PIECES * (double)PIECE / 1e6 / (now_s() - begun);
    unlink(path);
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(const struct figures *all, size_t offset)
{
    double values[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        memcpy(&values[i], (const char *)&all[i] + offset, sizeof(double));
    qsort(values, ROUNDS, sizeof *values, compare_doubles);
    return values[ROUNDS / 2];
}

#define MEDIAN(all, field) median(all, offsetof(struct figures, field))

int main(int argc, char **argv)
{
    struct error err;
    char folder[512];
    snprintf(folder, sizeof folder, "%s/firth-bench-XXXXXX", argc > 1 ? argv[1] : ".");
    if (!mkdtemp(folder)) {
        fprintf(stderr, "bench_store_append: cannot make a folder in %s\n", argc > 1 ? argv[1] : ".");
        return 1;
    }
    auto_free char *data = mem_printf("%s/data", folder), *file = mem_printf("%s/peer", folder);
    auto_free char *piece = make_piece();
    struct figures figures[ROUNDS], warm_up;
    run_peer(file, piece, &warm_up);
    run_store(data, piece, &warm_up);
    for (int i = 0; i < ROUNDS; i++) {
        run_store(data, piece, &figures[i]);
        run_peer(file, piece, &figures[i]);
        run_dd(file, &figures[i]);
    }
    must(file_remove_tree(folder, &err), &err);
    double store = MEDIAN(figures, store), peer = MEDIAN(figures, peer), dd = MEDIAN(figures, dd);
    printf("store append, 1 MB a transaction:   %7.0f MB/s, CPU %.2f ns a byte\n", store,
           MEDIAN(figures, store_cpu));
    printf("plain file, fdatasync after each:   %7.0f MB/s, CPU %.2f ns a byte, ratio %.2f\n", peer,
           MEDIAN(figures, peer_cpu), store / peer);
    printf("dd bs=1M conv=fdatasync (one sync): %7.0f MB/s, ratio %.2f; target %.2f: %s\n", dd, store / dd,
           TARGET, store / dd >= TARGET ? "reached" : "MISSED");
    return store / dd < TARGET;
}
