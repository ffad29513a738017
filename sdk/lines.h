/* Lines from a descriptor, with a limit. */
#ifndef FIRTH_SDK_LINES_H
#define FIRTH_SDK_LINES_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

struct sdk_lines {
    int fd;
    struct buffer bytes;
    size_t start, scanned; /* of the line that is not whole yet; looked through */
    uint64_t number;       /* of the line that was given last, from 1 */
    bool ended;
};

enum sdk_lines_result { SDK_LINES_NONE, SDK_LINES_LINE, SDK_LINES_END };

void sdk_lines_init(struct sdk_lines *lines, int fd, size_t max);
void sdk_lines_done(struct sdk_lines *lines);
/* The next line, without its end; it lives until the next call. NONE: there is none within timeout_ms (0:
 * do not wait), or a signal came. The last line may lack its end. -1: *err is set. */
int sdk_lines_next(struct sdk_lines *lines, int timeout_ms, struct slice *ret_line, struct error *err);
/* Is a whole line there already? */
bool sdk_lines_has_more(const struct sdk_lines *lines);

#endif
