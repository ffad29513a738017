/* `firth autodiscover`: captures are brought up to what their sources have become. */
#include "cli/cmd_autodiscover.h"

#include "base/fault.h"
#include "base/file.h"
#include "catalog/edit.h"
#include "catalog/snapshot.h"
#include "cli/catalog_file.h"
#include "cli/output.h"
#include "json/writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct autodiscover_options {
    const char *name;
    bool dry_run, snapshot, list;
};

/* --- what is to be looked at ----------------------------------------------------------------------- */

static int unknown(const struct autodiscovery *work, const char *name, struct error *err)
{
    const struct catalog *catalog = work->catalog;
    char shown[OPTION_SHOWN_MAX];
    auto_free const char **names = mem_alloc((catalog->capture_count + 1) * sizeof *names);
    for (size_t i = 0; i < catalog->capture_count; i++)
        names[i] = catalog->captures[i].name;
    const char *nearest = string_nearest(name, names, catalog->capture_count);
    return error_set(err, ERROR_NOT_FOUND, "%s has no capture '%s'%s%s%s", catalog->file,
                     option_show(name, shown), nearest ? "; did you mean '" : "", nearest ? nearest : "",
                     nearest ? "'?" : "");
}

/* Names, since the catalog is read anew after each. */
static const char **wanted(struct autodiscovery *work, const char *name, size_t *ret_count, struct error *err)
{
    const struct catalog *catalog = work->catalog;
    const char **names = arena_alloc(&work->arena, (catalog->capture_count + 1) * sizeof *names);
    *ret_count = 0;
    for (size_t i = 0; i < catalog->capture_count; i++) {
        const struct catalog_capture *capture = &catalog->captures[i];
        if (name ? strcmp(capture->name, name) == 0 : capture->auto_discover && !capture->disable)
            names[(*ret_count)++] = arena_strdup(&work->arena, capture->name);
    }
    if (name && *ret_count == 0)
        return unknown(work, name, err), NULL;
    if (*ret_count == 0)
        return error_set(err, ERROR_INVALID,
                         "%s has no capture that is enabled and has 'autoDiscover'; --name names one without",
                         catalog->file),
               NULL;
    return names;
}

int autodiscover_load(struct autodiscovery *work, struct error *err)
{
    struct catalog_options options = work->options ? *work->options : (struct catalog_options){0};
    struct catalog_errors errors;
    options.files = &work->overlay.files;
    catalog_errors_init(&errors);
    struct catalog *catalog = catalog_load(work->path, &options, &errors, err);
    catalog_errors_done(&errors);
    if (!catalog)
        return error_wrap(err, "nothing was changed, since the catalog would not be right");
    catalog_free(work->catalog);
    work->catalog = catalog;
    return 0;
}

static int discover_all(struct autodiscovery *work, const char *name, struct error *err)
{
    size_t count;
    const char **names = wanted(work, name, &count, err);
    if (!names)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (autodiscover_capture(work, names[i], err) < 0)
            return -1;
    }
    return 0;
}

/* --- what came of it ------------------------------------------------------------------------------- */

static void put_changes(const struct autodiscovery *work, struct json_writer *writer)
{
    json_put_key(writer, "changes");
    json_begin_array(writer);
    for (size_t i = 0; i < work->change_count; i++) {
        const struct autodiscover_change *change = &work->changes[i];
        json_begin_object(writer);
        json_member_string(writer, "capture", change->capture);
        json_member_string(writer, "change", evolve_kind_name(change->kind));
        if (change->stream)
            json_member_string(writer, "stream", change->stream);
        json_member_string(writer, "collection", change->collection);
        if (change->old)
            json_member_string(writer, "instead", change->old);
        json_member_string(writer, "text", change->text);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void print(const struct autodiscovery *work, bool written, struct output *output)
{
    const char *capture = "";
    for (size_t i = 0; i < work->change_count; i++) {
        const struct autodiscover_change *change = &work->changes[i];
        if (strcmp(capture, change->capture) != 0)
            output_printf(output, "%s\n", change->capture);
        capture = change->capture;
        output_printf(output, "  %s\n", change->text);
    }
    size_t count;
    const struct catalog_overlay_file *files = catalog_overlay_changes(&work->overlay, &count);
    for (size_t i = 0; i < count && written; i++)
        output_printf(output, "wrote %s\n", files[i].path);
    if (work->change_count == 0)
        output_printf(output, "nothing new: %s is as it was\n", work->path);
    else if (!written)
        output_str(output, "nothing was written (--dry-run)\n");
}

static int tell(const struct autodiscovery *work, bool written)
{
    struct output output;
    output_init(&output, STDOUT_FILENO);
    if (work->cli->json) {
        struct buffer text;
        struct json_writer writer;
        buffer_init(&text, BUFFER_UNLIMITED);
        json_writer_init(&writer, &text);
        json_begin_object(&writer);
        json_member_string(&writer, "catalog", work->path);
        json_member_bool(&writer, "written", written && work->change_count);
        put_changes(work, &writer);
        json_end_object(&writer);
        buffer_byte(&text, '\n');
        output_write(&output, text.data, text.size);
        buffer_done(&text);
    } else {
        print(work, written, &output);
    }
    return output_finish(&output, work->cli, CLI_OK);
}

/* --- files ----------------------------------------------------------------------------------------- */

/* What others refer to first: whatever a kill leaves is a catalog that loads, and the next call does the
 * rest. Schemas, which no catalog file is, then files of collections, then those of who uses them; last what
 * is remembered of it all. */
enum { RECORD_RANK = 4 };

static int rank(const struct autodiscovery *work, const char *path)
{
    const struct catalog *catalog = work->catalog;
    int found = 0;
    if (string_ends_with(path, ".discovered.json"))
        return RECORD_RANK;
    for (size_t i = 0; i < catalog->collection_count; i++) {
        if (strcmp(catalog->collections[i].place.file, path) == 0)
            found = found > 1 ? found : 1;
    }
    for (size_t i = 0; i < catalog->capture_count; i++) {
        if (strcmp(catalog->captures[i].place.file, path) == 0)
            found = found > 2 ? found : 2;
    }
    for (size_t i = 0; i < catalog->materialization_count; i++) {
        if (strcmp(catalog->materializations[i].place.file, path) == 0)
            found = 3;
    }
    return found;
}

static int write_files(struct autodiscovery *work, struct error *err)
{
    size_t count, out = 0;
    const struct catalog_overlay_file *changed = catalog_overlay_changes(&work->overlay, &count);
    struct edit_file *files = arena_zalloc(&work->arena, (count + 1) * sizeof *files);
    for (int wanted_rank = 0; wanted_rank <= RECORD_RANK; wanted_rank++) {
        for (size_t i = 0; i < count; i++) {
            if (rank(work, changed[i].path) == wanted_rank)
                files[out++] =
                    (struct edit_file){.path = changed[i].path, .content = changed[i].content, .mode = 0644};
        }
    }
    assert(out == count);
    sigset_t all, before; /* a signal in between would leave files beside their places */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    int result = edit_replace_files(files, count, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return result;
}

static int run_files(struct autodiscovery *work, const char *path)
{
    const struct autodiscover_options *options = work->cli->options;
    struct error err;
    work->path = path;
    int code = catalog_file_need(work->cli, path, NULL, &work->catalog);
    if (code != CLI_OK)
        return code;
    catalog_overlay_init(&work->overlay, NULL, &work->arena);
    if (discover_all(work, options->name, &err) < 0)
        return cli_fail(work->cli, &err);
    fault_point("autodiscover.decided");
    if (!options->dry_run && write_files(work, &err) < 0)
        return cli_fail(work->cli, &err);
    fault_point("autodiscover.written");
    return tell(work, !options->dry_run);
}

/* --- the daemon's copy ----------------------------------------------------------------------------- */

static int read_all(int fd, struct buffer *text, struct error *err)
{
    for (;;) {
        if (!buffer_reserve(text, 64 << 10))
            return error_set(err, ERROR_LIMIT, "the snapshot of the catalog is larger than its limit");
        ssize_t got = read(fd, text->data + text->size, text->capacity - text->size);
        if (got < 0)
            return error_errno(err, errno, "cannot read the snapshot of the catalog");
        if (got == 0)
            return 0;
        text->size += (size_t)got;
    }
}

static int answer(struct autodiscovery *work, struct catalog_snapshot *snapshot, struct error *err)
{
    struct buffer text, inner;
    struct json_writer writer;
    struct output output;
    size_t count;
    const struct catalog_overlay_file *changed = catalog_overlay_changes(&work->overlay, &count);
    for (size_t i = 0; i < count; i++)
        catalog_snapshot_put(snapshot, changed[i].path, changed[i].content);
    buffer_init(&inner, CATALOG_SNAPSHOT_MAX + (1 << 20));
    buffer_init(&text, BUFFER_UNLIMITED);
    int result = catalog_snapshot_write(snapshot, work->path, &inner, err);
    if (result == 0) {
        json_writer_init(&writer, &text);
        json_begin_object(&writer);
        put_changes(work, &writer);
        json_member_slice(&writer, "snapshot", (struct slice){inner.data, inner.size});
        json_end_object(&writer);
        output_init(&output, STDOUT_FILENO);
        output_write(&output, text.data, text.size);
        if (output_finish(&output, work->cli, CLI_OK) != CLI_OK)
            result = error_set(err, ERROR_IO, "cannot answer the daemon");
    }
    if (inner.data)
        explicit_bzero(inner.data, inner.capacity);
    if (text.data)
        explicit_bzero(text.data, text.capacity);
    buffer_done(&inner);
    buffer_done(&text);
    return result;
}

static int list(struct autodiscovery *work, const char *name, struct error *err)
{
    struct buffer text;
    struct output output;
    if (!catalog_capture(work->catalog, name))
        return unknown(work, name, err);
    buffer_init(&text, BUFFER_UNLIMITED);
    int result = autodiscover_list(work, name, &text, err);
    if (result == 0) {
        output_init(&output, STDOUT_FILENO);
        output_write(&output, text.data, text.size);
        if (output_finish(&output, work->cli, CLI_OK) != CLI_OK)
            result = error_set(err, ERROR_IO, "cannot answer the daemon");
    }
    buffer_done(&text);
    return result;
}

static int run_with_snapshot(struct autodiscovery *work, struct slice text, struct error *err)
{
    const struct autodiscover_options *options = work->cli->options;
    mem_auto(catalog_snapshot_free) struct catalog_snapshot *snapshot = catalog_snapshot_read(text, err);
    if (!snapshot)
        return -1;
    work->path = catalog_snapshot_path(snapshot);
    work->options = catalog_snapshot_options(snapshot);
    catalog_overlay_init(&work->overlay, work->options->files, &work->arena);
    if (options->list)
        return autodiscover_load(work, err) < 0 ? -1 : list(work, options->name, err);
    return autodiscover_load(work, err) < 0 || discover_all(work, options->name, err) < 0 ||
                   answer(work, snapshot, err) < 0
               ? -1
               : 0;
}

static int run_snapshot(struct autodiscovery *work)
{
    struct buffer text;
    struct error err;
    buffer_init(&text, CATALOG_SNAPSHOT_MAX + (1 << 20));
    int result = read_all(STDIN_FILENO, &text, &err);
    if (result == 0)
        result = run_with_snapshot(work, (struct slice){text.data, text.size}, &err);
    if (text.data)
        explicit_bzero(text.data, text.capacity);
    buffer_done(&text);
    return result < 0 ? cli_fail(work->cli, &err) : CLI_OK;
}

/* --- the command ----------------------------------------------------------------------------------- */

static int run(struct cli *cli, int argc, char **argv)
{
    const struct autodiscover_options *options = cli->options;
    struct autodiscovery work = {.cli = cli};
    if (options->list && !(options->snapshot && options->name)) {
        struct error err;
        error_set(&err, ERROR_INVALID, "--list needs --snapshot and --name");
        return cli_usage(cli, &err);
    }
    arena_init(&work.arena);
    map_init(&work.overlay.changed);
    int code = options->snapshot ? run_snapshot(&work) : run_files(&work, argc > 1 ? argv[1] : "flow.yaml");
    catalog_free(work.catalog);
    free(work.changes);
    catalog_overlay_done(&work.overlay);
    arena_done(&work.arena);
    return code;
}

static const struct option_spec specs[] = {
    {"name", 0, OPTION_STRING, offsetof(struct autodiscover_options, name), "CAPTURE",
     "only this capture, also if it has no 'autoDiscover'"},
    {"dry-run", 0, OPTION_FLAG, offsetof(struct autodiscover_options, dry_run), NULL,
     "tell what would change, write nothing"},
    {"snapshot", 0, OPTION_FLAG, offsetof(struct autodiscover_options, snapshot), NULL,
     "for the daemon: change a deployed copy, which comes by standard input"},
    {"list", 0, OPTION_FLAG, offsetof(struct autodiscover_options, list), NULL,
     "with --snapshot and --name: tell what the connector finds, change nothing"},
    {NULL},
};

const struct command cli_autodiscover = {
    .name = "autodiscover",
    .arguments = "[CATALOG]",
    .summary = "bring captures up to what their sources have become",
    .help =
        "Asks the connector of each capture that has 'autoDiscover' what it finds now, and changes the\n"
        "catalog's files (flow.yaml): new streams get bindings and collections (addNewBindings), bindings "
        "of\n"
        "streams that are gone are disabled, changed schemas replace write schemas. A key that changed is\n"
        "incompatible: with evolveIncompatibleCollections the binding gets a new collection, NAME_v2, and\n"
        "materializations follow; without, nothing is changed and the command fails. 'firth serve' does the\n"
        "same with what is deployed, on its own. All is written or nothing; comments stay.\n"
        "\n"
        "  firth autodiscover flow.yaml --dry-run\n",
    .options = specs,
    .options_size = sizeof(struct autodiscover_options),
    .operands_max = 1,
    .images = true,
    .run = run,
};
