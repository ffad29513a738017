/* A collection's key in documents: found through objects and arrays, with values that a key can have. */
#include "task_test.h"

#include "task/key.h"

static void test_table(void **state)
{
    static const struct {
        const char *pointers[3];
        const char *document;
        bool there;
    } cases[] = {
        {{"/id"}, "{\"id\":1}", true},
        {{"/id"}, "{\"x\":{\"id\":1},\"id\":\"\"}", true},
        {{"/id"}, "{\"i\\u0064\":false}", true},
        {{"/id"}, "{\"id\":-12345678901234567890123}", true},
        {{"/id"}, "{\"id\":1.0}", true},
        {{"/id"}, "{\"id\":1e2}", true},
        {{"/id"}, "{\"id\":1.5}", false},
        {{"/id"}, "{\"id\":null}", false},
        {{"/id"}, "{\"id\":[]}", false},
        {{"/id"}, "{\"id\":{}}", false},
        {{"/id"}, "{\"ID\":1,\"x\":{\"id\":1}}", false},
        {{"/id"}, "{}", false},
        {{"/id", "/at"}, "{\"at\":\"x\",\"id\":1}", true},
        {{"/id", "/at"}, "{\"id\":1}", false},
        {{"/a/b"}, "{\"a\":{\"b\":1}}", true},
        {{"/a/b"}, "{\"a\":1,\"b\":1}", false},
        {{"/a~1b/~0~01"}, "{\"a/b\":{\"~~1\":1}}", true},
        {{"/a/1"}, "{\"a\":[null,7]}", true},
        {{"/a/2"}, "{\"a\":[null,7]}", false},
        {{"/a/01"}, "{\"a\":[null,7]}", false},
        {{"/a/b"}, "{\"a\":[7]}", false},
        {{"/a/4294967295"}, "{\"a\":[7]}", false},
        {{"/a/1"}, "{\"a\":{\"1\":7}}", true},
        {{"/"}, "{\"\":7}", true},
        {{NULL}, "{}", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        arena_init(&arena);
        struct json doc = must_parse(&arena, cases[i].document);
        struct task_key key = task_key_compile(cases[i].pointers, &arena);
        if (task_key_there(&key, &doc, 0) != cases[i].there)
            fail_msg("%s in %s", cases[i].pointers[0], cases[i].document);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
