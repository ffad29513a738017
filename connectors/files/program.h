/* firth-parquet, a program beside this one: started, talked to, and its end. */
#ifndef FIRTH_FILES_PROGRAM_H
#define FIRTH_FILES_PROGRAM_H

#include "base/error.h"
#include "base/text.h"

#include <sys/types.h>

struct files_program {
    pid_t child; /* 0: it has been waited for */
    int in;      /* its standard input, if it was wanted; -1 */
    int out, errors;
};

/* argv[0] is the program's name: beside this one, or on PATH. */
int files_program_start(struct files_program *program, char *const *argv, bool wants_input,
                        struct error *err);
/* It has closed its output: its exit status 0, or what it says, as ERROR_CORRUPT, behind `what`. */
int files_program_end(struct files_program *program, const char *what, struct error *err);
/* Killed if it still runs, and all descriptors closed but `out` where that is -1. */
void files_program_close(struct files_program *program);

#endif
