/* A file of a web server. */
#ifndef FIRTH_FILES_WEB_H
#define FIRTH_FILES_WEB_H

#include "connectors/files/storage.h"
#include "firth/connector.h"

/* What the file is called in records and messages: its URL without user, password and query. Heap string. */
char *files_web_name(const char *url);
/* A storage that holds this one file, under that name. */
struct files_storage *files_web_new(const char *url, struct firth_host *host, struct error *err);

#endif
