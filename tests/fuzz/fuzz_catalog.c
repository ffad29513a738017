/* Any bytes as a catalog. What follows a line "+++" is a second file, b.yaml, for imports, configs and
 * schemas. A load gives a catalog or at least one error, and every error has its file. */
#include "base/file.h"
#include "catalog/catalog.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 forgets a token's text in some of its errors; that is not what is looked for here. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml.so\n";
}

static char folder[] = "/tmp/firth-fuzz-catalog-XXXXXX";

static void remove_folder(void)
{
    struct error err;
    file_remove_tree(folder, &err);
}

static const char *lookup(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "SECRET") == 0 ? "tiptop-secret" : *name == 'X' ? NULL : "v";
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    struct error err;
    auto_free char *path = mem_printf("%s/%s", folder, name);
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || file_write_all(fd, bytes, size, path, &err) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct catalog_options options = {.lookup = lookup};
    if (folder[sizeof folder - 2] == 'X') {
        if (!mkdtemp(folder))
            abort();
        atexit(remove_folder);
    }
    const uint8_t *mark = memmem(data, size, "\n+++\n", 5);
    size_t first = mark ? (size_t)(mark - data) + 1 : size;
    write_file("flow.yaml", data, first);
    write_file("b.yaml", mark ? mark + 5 : data, mark ? size - first - 4 : 0);

    struct catalog_errors errors;
    struct error err;
    catalog_errors_init(&errors);
    auto_free char *path = mem_printf("%s/flow.yaml", folder);
    struct catalog *catalog = catalog_load(path, &options, &errors, &err);
    if ((catalog != NULL) != (errors.count == 0) || errors.count > CATALOG_ERRORS_MAX)
        abort();
    for (size_t i = 0; i < errors.count; i++) {
        const struct catalog_error *error = &errors.items[i];
        if (!*error->place.file || !*error->message || strchr(error->message, '\n') ||
            !utf8_valid(error->message, strlen(error->message)))
            abort();
        if (strstr(error->message, "tiptop-secret") && !memmem(data, size, "tiptop-secret", 13))
            abort();
    }
    catalog_free(catalog);
    catalog_errors_done(&errors);
    return 0;
}
