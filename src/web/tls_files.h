/* The files of --tls-cert and --tls-key: read and examined before the server starts, by the library that will
 * use them, so that what is wrong is told with the file's name. */
#ifndef FIRTH_WEB_TLS_FILES_H
#define FIRTH_WEB_TLS_FILES_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdint.h>

enum { TLS_FILE_MAX = 1 << 20 };

/* What every listener here agrees to, as GnuTLS writes it: TLS 1.2 or later. */
#define TLS_PRIORITY "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"

struct tls_files {
    struct buffer cert, key; /* PEM */
    int64_t begins, ends;    /* of the server's own certificate, Unix seconds */
};

/* An error names the file and says which of these it is: missing or unreadable, no PEM, the other of the two,
 * an encrypted key, a key that is not the certificate's. A certificate that is out of its time is none: the
 * caller tells it (tls_files_warn), for a daemon does more than answer. To be freed whatever the result. */
int tls_files_read(const char *cert, const char *key, struct tls_files *ret_files, struct error *err);
/* What clients will object to at `now` (Unix seconds): a certificate out of its time. "" if nothing. */
void tls_files_warn(const struct tls_files *files, const char *cert, int64_t now, char *ret_text,
                    size_t size);
/* The key's bytes are overwritten. */
void tls_files_done(struct tls_files *files);

#endif
