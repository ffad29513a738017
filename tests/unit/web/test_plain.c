/* Which requests are plain: all of a POST or PUT that can be understood in one way alone, however it is cut;
 * whatever else comes is another's, and is known as that at its first byte that is not plain. */
#include "web/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define LINE "POST /ingest/a HTTP/1.1\r\n"
#define HOST "Host: x\r\n"
#define LENGTH "Content-Length: 2\r\n"

static const struct {
    const char *text;
    enum plain_found found;
} cases[] = {
    {LINE HOST LENGTH "\r\n{}", PLAIN_WHOLE},
    {"PUT /ingest/a HTTP/1.1\r\n" LENGTH HOST "\r\n{}", PLAIN_WHOLE},
    {LINE "hOST:x\r\ncontent-length:  2\r\nconnection: Keep-Alive\r\nX-Empty:\r\n\r\n{}", PLAIN_WHOLE},
    {LINE HOST "Content-Length: 0\r\n\r\n", PLAIN_WHOLE},
    {LINE HOST LENGTH "\r\n{}POST", PLAIN_WHOLE},
    {"GET /ingest/a HTTP/1.1\r\n", PLAIN_OTHER},
    {"post /ingest/a HTTP/1.1\r\n", PLAIN_OTHER},
    {"POST  /ingest/a", PLAIN_OTHER},
    {"POST ingest", PLAIN_OTHER},
    {"POST http://x/a", PLAIN_OTHER},
    {"POST /ingest/%61", PLAIN_OTHER},
    {"POST /ingest/a?b", PLAIN_OTHER},
    {"POST /ingest/\xc3", PLAIN_OTHER},
    {"POST /ingest/a HTTP/1.0", PLAIN_OTHER},
    {"POST /ingest/a HTTP/1.1\n", PLAIN_OTHER},
    {LINE " Host: x", PLAIN_OTHER},
    {LINE "Host : x", PLAIN_OTHER},
    {LINE ": x", PLAIN_OTHER},
    {LINE "Host: x \r\n", PLAIN_OTHER},
    {LINE "Host: x\n", PLAIN_OTHER},
    {LINE "Host: x\r\r\n", PLAIN_OTHER},
    {LINE "Host: x\r\n y", PLAIN_OTHER},
    {LINE "X: \x01", PLAIN_OTHER},
    {LINE "X:\t1", PLAIN_OTHER},
    {LINE "X: 1\t\r\n", PLAIN_OTHER},
    {LINE HOST "Content-Encoding: gzip\r\n", PLAIN_OTHER},
    {LINE HOST HOST, PLAIN_OTHER},
    {LINE HOST "\r\n", PLAIN_OTHER},
    {LINE LENGTH "\r\n{}", PLAIN_OTHER},
    {LINE HOST LENGTH LENGTH, PLAIN_OTHER},
    {LINE HOST "Content-Length: 2, 2\r\n", PLAIN_OTHER},
    {LINE HOST "Content-Length: +2\r\n", PLAIN_OTHER},
    {LINE HOST "Content-Length:\r\n", PLAIN_OTHER},
    {LINE HOST "Content-Length: 1025\r\n", PLAIN_OTHER},
    {LINE HOST "Content-Length: 99999999999999999999\r\n", PLAIN_OTHER},
    {LINE HOST "Transfer-Encoding: chunked\r\n", PLAIN_OTHER},
    {LINE HOST "Expect: 100-continue\r\n", PLAIN_OTHER},
    {LINE HOST "Connection: close\r\n", PLAIN_OTHER},
    {LINE HOST "Connection: Upgrade\r\n", PLAIN_OTHER},
    {LINE HOST "Upgrade: websocket\r\n", PLAIN_OTHER},
    {LINE HOST "Cookie: a=b\r\n", PLAIN_OTHER},
};

enum { HEAD_MAX = 512, BODY_MAX = 1024 };

static enum plain_found read_it(const char *text, size_t size, struct plain_head *head)
{
    char *exact = malloc(size); /* so that a byte too far is seen */
    memcpy(exact, text, size);
    enum plain_found found = plain_read(exact, size, HEAD_MAX, BODY_MAX, head);
    free(exact);
    return found;
}

static void test_cases(void **state)
{
    struct plain_head head;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].text), cut = 1;
        if (read_it(cases[i].text, size, &head) != cases[i].found)
            fail_msg("not as expected: %s", cases[i].text);
        size_t whole = cases[i].found == PLAIN_WHOLE ? head.head + head.body : size;
        while (cut < whole && read_it(cases[i].text, cut, &head) == PLAIN_MORE)
            cut++;
        /* Of one that is plain nothing is known before its end, of another nothing but that it is one. */
        if (cut < whole &&
            (cases[i].found == PLAIN_WHOLE || read_it(cases[i].text, cut, &head) != PLAIN_OTHER))
            fail_msg("cut after %zu bytes: %s", cut, cases[i].text);
    }
}

static struct slice of(const char *text, struct plain_text part)
{
    return (struct slice){text + part.at, part.size};
}

static void test_parts(void **state)
{
    static const char text[] = "PUT /a/b HTTP/1.1\r\nHost: x:1\r\nContent-Length:3\r\nX-Id:  a b\r\n\r\n{ }";
    struct plain_head head;
    (void)state;
    assert_int_equal(plain_read(text, sizeof text - 1, HEAD_MAX, BODY_MAX, &head), PLAIN_WHOLE);
    assert_true(head.put && slice_is(of(text, head.path), "/a/b"));
    assert_int_equal(head.count, 3);
    assert_true(slice_is(of(text, head.fields[0].name), "Host") &&
                slice_is(of(text, head.fields[0].value), "x:1"));
    assert_true(slice_is(of(text, head.fields[2].name), "X-Id") &&
                slice_is(of(text, head.fields[2].value), "a b"));
    assert_int_equal(head.head, sizeof text - 1 - 3);
    assert_int_equal(head.body, 3);
}

static void test_too_much(void **state)
{
    struct plain_head head;
    char text[4096];
    size_t size = (size_t)snprintf(text, sizeof text, LINE HOST LENGTH "X: ");
    (void)state;
    memset(text + size, 'x', HEAD_MAX);
    memcpy(text + size + HEAD_MAX, "\r\n\r\n{}", 7);
    assert_int_equal(read_it(text, strlen(text), &head), PLAIN_OTHER);
    size = (size_t)snprintf(text, sizeof text, LINE HOST LENGTH);
    for (unsigned i = 0; i <= PLAIN_FIELDS_MAX; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "X: %u\r\n", i);
    assert_int_equal(read_it(text, size, &head), PLAIN_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_parts),
                                       cmocka_unit_test(test_too_much)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
