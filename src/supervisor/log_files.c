#include "supervisor/log_files.h"

#include "base/buffer.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { COMPONENT_MAX = 200 }; /* bytes; what is longer is cut and told apart by a hash */

static const char suffix[] = ".jsonl";

char *log_files_folder(const char *data_dir, const char *task)
{
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    for (const char *at = task; *at; at++) {
        if (*at == '/' || *at == '%' || *at == '~' || (*at == '.' && at == task) || (unsigned char)*at < 0x20)
            buffer_printf(&name, "%%%02X", (unsigned)(unsigned char)*at);
        else
            buffer_byte(&name, *at);
    }
    if (name.size > COMPONENT_MAX) {
        name.size = utf8_cut(name.data, name.size, COMPONENT_MAX);
        buffer_printf(&name, "~%016" PRIx64, hash_xxh3(task, strlen(task), 0));
    }
    char *folder = mem_printf("%s/logs/%s", data_dir, buffer_cstr(&name));
    buffer_done(&name);
    return folder;
}

char *log_files_path(const char *folder, uint64_t number)
{
    return mem_printf("%s/%06" PRIu64 "%s", folder, number, suffix);
}

static int by_number(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

int log_files_list(const char *folder, uint64_t **ret_numbers, size_t *ret_count, struct error *err)
{
    uint64_t *numbers = mem_alloc(sizeof *numbers), number;
    size_t count = 0, capacity = 1;
    DIR *listing = opendir(folder);
    if (!listing && errno != ENOENT) {
        free(numbers);
        return error_errno(err, errno, "cannot list %s", folder);
    }
    const struct dirent *entry;
    while (listing && (entry = readdir(listing))) {
        if (!string_ends_with(entry->d_name, suffix))
            continue;
        auto_free char *digits = mem_strndup(entry->d_name, strlen(entry->d_name) - strlen(suffix));
        if (!string_to_u64(digits, INT64_MAX, &number))
            continue;
        numbers = mem_grow(numbers, &capacity, count + 1, sizeof *numbers);
        numbers[count++] = number;
    }
    if (listing)
        closedir(listing);
    qsort(numbers, count, sizeof *numbers, by_number);
    *ret_numbers = numbers;
    *ret_count = count;
    return 0;
}
