/* Private to this room: the words that start a connector, and the files that they name. */
#ifndef FIRTH_CONNECTOR_COMMAND_LINE_H
#define FIRTH_CONNECTOR_COMMAND_LINE_H

#include "connector/process.h"

enum { CONNECTOR_WORDS_MAX = 1024 };

struct connector_command_line {
    const char *words[CONNECTOR_WORDS_MAX + 1]; /* NULL-terminated */
    size_t count;
    struct arena arena; /* of words that were made for it */
};

/* The program's words, the verb, the options of the files, which are put into the process's private folder.
 * For an image they stand behind the engine's `run`, with the folder mounted. */
int connector_command_line_init(struct connector_command_line *line, struct connector_process *process,
                                const struct connector_program *program, const char *verb,
                                const struct connector_files *files, struct error *err);
void connector_command_line_done(struct connector_command_line *line);

#endif
