#include "path.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

static const char default_root[] = "/tmp/airbyte_local", mount[] = "/local";

enum { NAME_MAX_KEPT = 150 }; /* with prefix, suffix and the staged file's additions below 255 */

static bool has_parent_step(const char *path)
{
    for (const char *at = path; *at;) {
        size_t part = strcspn(at, "/");
        if (part == 2 && memcmp(at, "..", 2) == 0)
            return true;
        at += part + (at[part] == '/');
    }
    return false;
}

/* /etc/x would be <root>/etc/x: hardly what is meant. Other first steps are names of one's own, as Airbyte's
 * documentation has them ("/json_data"). The pattern in path.h says the same. */
static bool is_of_the_machine(const char *path)
{
    static const char *const folders[] = {"bin",   "boot",  "dev", "etc", "home", "lib",  "lib32",
                                          "lib64", "media", "mnt", "opt", "proc", "root", "run",
                                          "sbin",  "srv",   "sys", "tmp", "usr",  "var"};
    if (*path != '/')
        return false;
    path += strspn(path, "/");
    size_t size = strcspn(path, "/");
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (strlen(folders[i]) == size && memcmp(folders[i], path, size) == 0)
            return true;
    }
    return false;
}

char *local_json_folder(const char *destination_path, const char *root, struct error *err)
{
    if (!*destination_path) {
        error_set(err, ERROR_INVALID,
                  "destination_path is empty; it should be a folder such as /local/output");
        return NULL;
    }
    if (has_parent_step(destination_path)) {
        error_set(err, ERROR_INVALID,
                  "destination_path %.200s must not contain \"..\"; it should be " LOCAL_JSON_PATH_HELP,
                  destination_path);
        return NULL;
    }
    if (is_of_the_machine(destination_path) || string_ends_with(destination_path, "/")) {
        error_set(err, ERROR_INVALID, "destination_path %.200s should be " LOCAL_JSON_PATH_HELP,
                  destination_path);
        return NULL;
    }
    const char *below = destination_path;
    size_t size = sizeof mount - 1;
    if (strncmp(below, mount, size) == 0 && (below[size] == '/' || !below[size]))
        below += size;
    while (*below == '/')
        below++;
    return mem_printf("%s%s%s", root && *root ? root : default_root, *below ? "/" : "", below);
}

char *local_json_file_name(const char *stream)
{
    size_t size = strlen(stream);
    char *name = mem_strndup(stream, size > NAME_MAX_KEPT ? NAME_MAX_KEPT : size);
    for (char *at = name; *at; at++) {
        bool kept = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (!kept)
            *at = '_';
    }
    char *file = size > NAME_MAX_KEPT ? mem_printf("_airbyte_raw_%s_%016llx.jsonl", name,
                                                   (unsigned long long)hash_xxh3(stream, size, 0))
                                      : mem_printf("_airbyte_raw_%s.jsonl", name);
    free(name);
    return file;
}
