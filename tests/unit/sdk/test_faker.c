/* source-faker: records are functions of seed and index, ids have no gaps, times are real dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source-faker/generate.h"
#include "source-faker/words.h"
#include "json/json.h"

#include <stdio.h>

static void test_time(void **state)
{
    (void)state;
    /* Every day of 230 years, against the C library. */
    for (int64_t day = 0; day < 84000; day++) {
        char ours[FAKER_TIME_SIZE + 1] = {0}, theirs[32];
        time_t second = (time_t)(day * 86400 + day * 7919 % 86400);
        struct tm parts;
        gmtime_r(&second, &parts);
        strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%S.", &parts);
        char *end = faker_put_time(ours, (int64_t)second * 1000 + day % 1000);
        assert_int_equal(end - ours, FAKER_TIME_SIZE);
        assert_memory_equal(ours, theirs, 20);
        char rest[16];
        snprintf(rest, sizeof rest, "%03d+00:00", (int)(day % 1000));
        assert_string_equal(ours + 20, rest);
    }
}

static void test_updated_at(void **state)
{
    (void)state;
    struct faker faker;
    char text[FAKER_TIME_SIZE + 1] = {0}, before[FAKER_TIME_SIZE + 1] = {0};
    faker_init(&faker, 1, true);
    for (int64_t id = 1; id < 100000; id += 37) { /* a fixed clock ascends with the id, over seconds too */
        faker_put_updated_at(&faker, text, id);
        assert_true(strcmp(before, text) < 0);
        memcpy(before, text, sizeof text);
    }
    faker_init(&faker, 1, false);
    faker_set_time(&faker, 1700000000123);
    faker_put_updated_at(&faker, text, 5);
    assert_string_equal(text, "2023-11-14T22:13:20.123+00:00");
    faker_set_time(&faker, 1700000000999);
    faker_put_updated_at(&faker, text, 5);
    assert_string_equal(text, "2023-11-14T22:13:20.999+00:00");
}

static void test_purchases(void **state)
{
    (void)state;
    int64_t before = 0;
    for (int64_t user = 0; user < 1000; user++) {
        assert_int_equal(faker_purchases_before(user), before);
        before += faker_purchase_count(user);
        if (user % 10 == 9)
            assert_int_equal(before, user + 1); /* ten users have ten */
    }
    assert_int_equal(faker_purchase_count(6), 0);
    assert_int_equal(faker_purchase_count(18), 2);
}

static void test_records(void **state)
{
    (void)state;
    struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE);
    struct faker faker, again, other;
    faker_init(&faker, 42, true);
    faker_init(&again, 42, true);
    faker_init(&other, 43, true);
    unsigned purchased = 0, returned = 0, purchases = 0;
    static const int64_t far[] = {0, 1, 9, 99, 123456, 999999999999};
    for (int64_t i = 0; i < 3000; i++) {
        char text[FAKER_RECORD_MAX], same[FAKER_RECORD_MAX], differs[FAKER_RECORD_MAX];
        int64_t index = i < 6 ? far[i] : i;
        struct json doc;
        struct error err;
        int64_t id;
        size_t size = faker_user(&faker, index, text);
        assert_true(size < FAKER_RECORD_MAX - WORD_MAX);
        assert_int_equal(json_parse(parser, text, size, &doc, &err), 0);
        assert_int_equal(json_count(&doc, 0), 17);
        assert_true(json_to_i64(&doc, json_get(&doc, 0, "id"), &id));
        assert_int_equal(id, index + 1);
        assert_int_equal(json_count(&doc, json_get(&doc, 0, "address")), 7);
        assert_int_equal(faker_user(&again, index, same), size);
        assert_memory_equal(text, same, size);
        size_t differs_size = faker_user(&other, index, differs);
        assert_false(differs_size == size && memcmp(differs, text, size) == 0);

        for (unsigned k = 0; k < faker_purchase_count(index); k++) {
            size = faker_purchase(&faker, index, k, text);
            assert_int_equal(json_parse(parser, text, size, &doc, &err), 0);
            assert_true(json_to_i64(&doc, json_get(&doc, 0, "id"), &id));
            assert_int_equal(id, faker_purchases_before(index) + k + 1);
            purchases++;
            bool is_purchased = json_is(&doc, json_get(&doc, 0, "purchased_at"), JSON_STRING);
            bool is_returned = json_is(&doc, json_get(&doc, 0, "returned_at"), JSON_STRING);
            assert_true(is_purchased || !is_returned);
            purchased += is_purchased;
            returned += is_returned;
        }
    }
    assert_in_range(purchased * 100 / purchases, 66, 74);
    assert_in_range(returned * 100 / purchased, 12, 18);
    for (int64_t i = 0; i < FAKER_PRODUCTS; i++) {
        char text[FAKER_RECORD_MAX], same[FAKER_RECORD_MAX];
        struct json doc;
        struct error err;
        size_t size = faker_product(&faker, i, text);
        assert_int_equal(json_parse(parser, text, size, &doc, &err), 0);
        assert_int_equal(json_count(&doc, 0), 7);
        assert_int_equal(faker_product(&other, i, same), size); /* the same cars whatever the seed */
        assert_memory_equal(text, same, size);
    }
    json_parser_free(parser);
}

static void test_words(void **state)
{
    (void)state;
    for (int list = 0; list < WORD_LIST_COUNT; list++) {
        assert_true(faker_words[list].count > 0);
        for (uint32_t i = 0; i < faker_words[list].count; i++) {
            const struct word *word = &faker_words[list].items[i];
            assert_int_equal(strnlen(word->text, WORD_MAX), word->size);
            assert_null(strpbrk(word->text, "\"\\")); /* they go into JSON as they are */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time),    cmocka_unit_test(test_updated_at), cmocka_unit_test(test_purchases),
        cmocka_unit_test(test_records), cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
