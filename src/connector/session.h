/* Ending what a connector started and what left its process group (setsid, a daemon): known by a variable of
 * the environment, FIRTH_SESSION, whose value is drawn anew for each connector process and handed down to its
 * descendants. One that empties its environment is out of reach. */
#ifndef FIRTH_CONNECTOR_SESSION_H
#define FIRTH_CONNECTOR_SESSION_H

#include "base/error.h"

enum { CONNECTOR_SESSION_SIZE = 48 }; /* "FIRTH_SESSION=", 32 hexadecimal digits, NUL */

/* "" with an error if there is no randomness. */
int connector_session_init(char ret_variable[CONNECTOR_SESSION_SIZE], struct error *err);
/* SIGKILL for every process that has the variable, until there is none; at most a second for one that does
 * not die. Nothing for "". Allocates nothing and makes only system calls: legal in a child after fork. */
void connector_session_kill(const char *variable);

#endif
