/* Lines of a pipe: whatever the pieces in which the bytes come, the lines are the same; the buffer grows and
 * shrinks. */
#include "harness.h"

#include "connector/lines.h"

#include <fcntl.h>

/* Feed text in pieces of `piece` bytes through a pipe; collect the lines, separated by '|'. */
static void collect(const char *text, size_t size, size_t piece, size_t line_max, struct buffer *out,
                    ssize_t *ret_last)
{
    int ends[2];
    struct connector_lines lines;
    struct slice line;
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    connector_lines_init(&lines, line_max);
    buffer_clear(out);
    size_t sent = 0;
    ssize_t count = 1;
    while (count > 0) {
        size_t next = size - sent < piece ? size - sent : piece;
        if (next)
            assert_int_equal(write(ends[1], text + sent, next), next);
        else if (ends[1] >= 0) {
            close(ends[1]);
            ends[1] = -1;
        }
        sent += next;
        while ((count = connector_lines_fill(&lines, ends[0])) > 0) {
            bool ready = connector_lines_ready(&lines);
            assert_int_equal(ready, connector_lines_next(&lines, &line));
            for (; ready; ready = connector_lines_next(&lines, &line)) {
                buffer_append(out, line.data, line.size);
                buffer_byte(out, '|');
            }
        }
        if (count == -1)
            count = 1; /* EAGAIN: the piece is taken */
    }
    while (count == 0 && connector_lines_next(&lines, &line)) {
        buffer_append(out, line.data, line.size);
        buffer_byte(out, '|');
    }
    *ret_last = count;
    connector_lines_done(&lines);
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
}

static void test_pieces(void **state)
{
    (void)state;
    static const char text[] = "one\n\ntwo three\n\n\nfour and a longer one\nx\nlast";
    static const char expected[] = "one||two three|||four and a longer one|x|last|";
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    for (size_t piece = 1; piece < sizeof text; piece++) {
        for (size_t line_max = 21; line_max < 60; line_max++) {
            ssize_t last;
            collect(text, sizeof text - 1, piece, line_max, &out, &last);
            assert_int_equal(last, 0);
            assert_string_equal(buffer_cstr(&out), expected);
        }
        ssize_t last;
        collect(text, sizeof text - 1, piece, 20, &out, &last);
        assert_int_equal(last, -2);
        assert_string_equal(buffer_cstr(&out), "one||two three|||");
    }
    buffer_done(&out);
}

/* A long line makes the buffer grow up to its limit and no further; the next read makes it small again. */
static void test_growth(void **state)
{
    (void)state;
    enum { LONG = 3 << 20, LINE_MAX_HERE = 4 << 20 };
    auto_free char *path = mem_printf("/tmp/firth-test-lines-%d", (int)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    unlink(path);
    auto_free char *content = mem_alloc(LONG + 1);
    memset(content, 'a', LONG);
    content[LONG] = '\n';
    assert_int_equal(write(fd, content, LONG + 1), LONG + 1);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(write(fd, "short line\n", 11), 11);
    lseek(fd, 0, SEEK_SET);
    struct connector_lines lines;
    struct slice line;
    size_t count = 0, largest = 0, after = 0;
    connector_lines_init(&lines, LINE_MAX_HERE);
    while (connector_lines_fill(&lines, fd) > 0) {
        largest = lines.capacity > largest ? lines.capacity : largest;
        if (count > 50000)
            after = lines.capacity;
        for (; connector_lines_next(&lines, &line); count++)
            assert_int_equal(line.size, count == 0 ? LONG : 10);
    }
    assert_int_equal(count, 100001);
    assert_true(largest >= LONG && largest <= LINE_MAX_HERE + 1);
    assert_int_equal(after, CONNECTOR_LINES_CAPACITY);
    connector_lines_done(&lines);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
