/* Requests that a command of this program answers, in a process of ask.h. Private to this folder. */
#ifndef FIRTH_SERVER_OWN_COMMAND_H
#define FIRTH_SERVER_OWN_COMMAND_H

#include "server/call.h"
#include "json/json.h"

struct own_command {
    const char *const *words; /* behind the program's own options, NULL-terminated; ours, never a request's */
    struct slice input;       /* what it reads from its standard input: text, secret; size 0: nothing */
    bool asks_connector;      /* it takes the time and the place of a question to a connector */
    const char *member;       /* of each line that belongs to the answer */
    /* All that it said, if that is no error. */
    enum http_next (*answered)(struct call *call, struct slice text);
};

/* What the command points to is needed only until this returns. */
enum http_next own_command_run(struct call *call, const struct own_command *command);

/* The next line of the text that is an object, as it is and read into the arena; false at the text's end. */
bool own_command_line(struct slice *text, struct arena *arena, struct slice *ret_line, struct json *ret_doc);

#endif
