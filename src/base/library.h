/* Shared libraries that few processes need, loaded by those that do.
 *
 * What the program is linked with, every process of it maps: each task and each connector would pay for an
 * HTTP client and an HTTP server, with the TLS, Kerberos and LDAP behind them, some 6 MiB and as many
 * milliseconds. A library's functions stand in a table, `struct x_api { typeof(x_open) *open; … }`, so that
 * calls are checked against the library's own header; see base/curl.h. */
#ifndef FIRTH_BASE_LIBRARY_H
#define FIRTH_BASE_LIBRARY_H

#include "base/error.h"

#include <stddef.h>

struct library_function {
    const char *name;
    size_t offset; /* of its pointer in the table */
};

/* `NAMES` is how the library's file may be called, without a folder, "libcurl.so.4", in order of preference,
 * up to NULL. It stays loaded until the process ends. Fails with ERROR_UNSUPPORTED if it is not installed or
 * lacks a function; `ret_table` is then not to be used. Any number of threads may load it. */
int library_load(const char *const *names, const struct library_function *functions, size_t count,
                 void *ret_table, struct error *err);

#endif
