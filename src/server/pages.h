/* The web UI's files: built by ui/, part of the program, served at `/`.
 *
 * They hold nothing of anybody's: whoever reaches the daemon may load them, and logs in from there. */
#ifndef FIRTH_SERVER_PAGES_H
#define FIRTH_SERVER_PAGES_H

#include "web/http.h"

/* A file as it is sent. Whoever asks without saying which codings it takes, takes gzip (RFC 9110, 12.5.3). */
struct page_file {
    const char *path; /* "/assets/index-3f2a.js"; "/" is the document of every page */
    const char *type; /* of its content */
    const char *etag; /* in quotes */
    const unsigned char *bytes;
    size_t size;
    bool gzip;   /* that is how its bytes are coded */
    bool hashed; /* its name tells what is in it: it never changes */
};

/* Generated (ui/pack.mjs); none if the program was built without the pages. */
extern const struct page_file page_files[];
extern const size_t page_file_count;

/* Answer a GET or HEAD of a file, or of a page: any path that has no dot in its last part and belongs to no
 * API is the UI's own to show. False: it is neither. */
bool pages_answer(struct http_request *http);

#endif
