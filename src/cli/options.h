/* Command line options as data: one table is parsed, printed by `--help`, and checked against docs/cli.md. */
#ifndef FIRTH_CLI_OPTIONS_H
#define FIRTH_CLI_OPTIONS_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,   /* --follow: bool */
    OPTION_STRING, /* --schema FILE: const char *, NULL if not given; points into argv */
    OPTION_NUMBER, /* --limit N: struct option_number */
    OPTION_CHOICE, /* -o json: int, the index in `choices`; 0 if not given */
    OPTION_LIST,   /* --task NAME, as often as wanted: struct option_list */
};

struct option_number {
    bool given;
    uint64_t value;
};

enum { OPTION_LIST_MAX = 256 };
struct option_list {
    size_t count;
    const char *items[OPTION_LIST_MAX];
};

struct option_spec {
    const char *name; /* without the dashes: "follow" */
    char letter;      /* 'o' for -o, 0 if none */
    enum option_kind kind;
    size_t offset;              /* of the field in the command's options struct */
    const char *value;          /* the value's name in help: "N", "FILE"; not for flags */
    const char *help;           /* one line: lower case, no full stop */
    const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
    uint64_t min, max;          /* OPTION_NUMBER; max 0: no limit */
    bool required;              /* the usage line shows it without brackets; the command sees to it */
};

/* One table and the struct that it fills. */
struct option_group {
    const struct option_spec *specs; /* ends with a NULL name; may be NULL */
    void *fields;
};

/* Parse argv[1..argc): options go to the groups' fields (the first group that has the name wins), operands
 * move to argv[1..*ret_argc), followed by NULL. "--" ends the options. If `stop_at_operand`, parsing ends
 * before the first operand and everything from there on is left as it is. The error is for people and
 * names the nearest option. */
int options_parse(int argc, char **argv, const struct option_group *groups, size_t group_count,
                  bool stop_at_operand, int *ret_argc, struct error *err);

/* "  -o, --output json|text   what it does" lines. */
void options_help(const struct option_spec *specs, struct buffer *out);
/* " [--follow] [--from N]": the options of a usage line. */
void options_usage(const struct option_spec *specs, struct buffer *out);

/* The value of a string option that is a duration, 1 ms to a day; not given: *ret_ms stays. */
int option_duration(const char *option, const char *text, uint64_t *ret_ms, struct error *err);

enum { OPTION_SHOWN_MAX = 80 };
/* A word of the command line for a message: cut short, control bytes and broken UTF-8 replaced by '?'. */
const char *option_show(const char *word, char text[OPTION_SHOWN_MAX]);

#endif
