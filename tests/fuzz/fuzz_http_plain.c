/* A request's bytes, or their beginning. Whatever they are:
 * - what is plain is so in its every part: places within its bytes, no byte that ends a line or a name early,
 * one Host and one length;
 * - what is known to be no plain request is known with whatever follows, and one that is whole stays what it
 * is. */
#include "web/plain.h"

#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_MAX = 16 << 10, BODY_MAX = 4 << 10 };

static void must(bool truth)
{
    if (!truth)
        abort();
}

static enum plain_found read_exactly(const uint8_t *data, size_t size, struct plain_head *head)
{
    char *exact = mem_dup(data, size);
    enum plain_found found = plain_read(exact, size, HEAD_MAX, BODY_MAX, head);
    free(exact);
    return found;
}

static void check_part(const uint8_t *data, const struct plain_head *head, struct plain_text part,
                       const char *forbidden)
{
    must((uint32_t)part.at + part.size < head->head);
    for (uint16_t i = 0; i < part.size; i++)
        must(data[part.at + i] && !strchr(forbidden, data[part.at + i]));
}

static bool is(const uint8_t *data, struct plain_text part, const char *name)
{
    return part.size == strlen(name) && strncasecmp((const char *)data + part.at, name, part.size) == 0;
}

static void check(const uint8_t *data, size_t size, const struct plain_head *head)
{
    unsigned hosts = 0, lengths = 0;
    must(head->head + head->body <= size && head->head <= HEAD_MAX && head->body <= BODY_MAX);
    must(head->path.size > 0 && data[head->path.at] == '/');
    check_part(data, head, head->path, " %?#\r\n");
    for (unsigned i = 0; i < head->count; i++) {
        must(head->fields[i].name.size > 0);
        check_part(data, head, head->fields[i].name, " \t:\r\n");
        check_part(data, head, head->fields[i].value, "\r\n");
        hosts += is(data, head->fields[i].name, "Host");
        lengths += is(data, head->fields[i].name, "Content-Length");
        must(!is(data, head->fields[i].name, "Transfer-Encoding") &&
             !is(data, head->fields[i].name, "Upgrade"));
    }
    must(hosts == 1 && lengths == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plain_head head, less;
    if (size == 0 || size > PLAIN_MAX)
        return 0;
    enum plain_found found = read_exactly(data, size, &head);
    if (found == PLAIN_WHOLE)
        check(data, size, &head);
    if (size == 1)
        return 0;
    enum plain_found before = read_exactly(data, size - 1, &less);
    must(before == PLAIN_MORE || before == found);
    return 0;
}
