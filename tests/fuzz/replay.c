/* Runs a fuzz target over every file of the folders named on the command line: the corpus, and every input
 * that once broke something, are ordinary tests. */
#include "base/buffer.h"
#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    size_t ran = 0;
    struct buffer content;
    buffer_init(&content, 64 << 20);
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            fprintf(stderr, "no corpus folder %s\n", argv[i]);
            return 1;
        }
        for (struct dirent *entry; (entry = readdir(folder));) {
            if (entry->d_name[0] == '.')
                continue;
            auto_free char *path = mem_printf("%s/%s", argv[i], entry->d_name);
            struct error err;
            buffer_clear(&content);
            if (file_read(path, 64 << 20, &content, &err) < 0) {
                fprintf(stderr, "%s\n", err.message);
                return 1;
            }
            LLVMFuzzerTestOneInput((const uint8_t *)content.data, content.size);
            ran++;
        }
        closedir(folder);
    }
    buffer_done(&content);
    printf("replayed %zu inputs\n", ran);
    return ran == 0;
}
