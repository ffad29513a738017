/* options: a table reads configs into a struct, says all that is wrong at once, shows no secret, and makes a
 * spec that accepts what the reader accepts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host.h"
#include "schema/schema.h"

struct config {
    const char *name, *password, *region, *path;
    int64_t count;
    double ratio;
    bool fast;
    int mode, login;
    struct firth_strings tables;
    struct firth_slice extra;
    const char *token, *user;
    int64_t depth;
    struct firth_objects parts;
};

struct part {
    const char *name;
    int64_t size;
    int kind;
};

static const char *const modes[] = {"slow", "steady", NULL};
static const struct firth_option token_fields[] = {
    {.name = "token", .type = FIRTH_SECRET, .offset = offsetof(struct config, token), .required = true},
    {0},
};
static const struct firth_option user_fields[] = {
    {.name = "user", .type = FIRTH_STRING, .offset = offsetof(struct config, user), .preset = "nobody"},
    {0},
};
static const struct firth_choice logins[] = {
    {.value = "token", .title = "Token", .fields = token_fields},
    {.value = "user", .title = "User", .fields = user_fields},
    {.value = "none"},
    {0},
};
static const struct firth_option advanced[] = {
    {.name = "depth",
     .type = FIRTH_INTEGER,
     .offset = offsetof(struct config, depth),
     .preset = "3",
     .minimum = "1",
     .maximum = "9"},
    {0},
};
static const struct firth_option part_fields[] = {
    {.name = "name", .type = FIRTH_STRING, .offset = offsetof(struct part, name), .required = true},
    {.name = "size", .type = FIRTH_INTEGER, .offset = offsetof(struct part, size), .preset = "7"},
    {.name = "kind",
     .type = FIRTH_CHOICE,
     .offset = offsetof(struct part, kind),
     .tag = "kind",
     .choices = logins},
    {0},
};
static const struct firth_option options[] = {
    {.name = "name",
     .type = FIRTH_STRING,
     .offset = offsetof(struct config, name),
     .required = true,
     .title = "Name"},
    {.name = "password", .type = FIRTH_SECRET, .offset = offsetof(struct config, password)},
    {.name = "region", .type = FIRTH_STRING, .offset = offsetof(struct config, region), .preset = "north"},
    {.name = "count",
     .type = FIRTH_INTEGER,
     .offset = offsetof(struct config, count),
     .preset = "1000",
     .minimum = "1"},
    {.name = "ratio", .type = FIRTH_NUMBER, .offset = offsetof(struct config, ratio), .maximum = "1.5"},
    {.name = "fast", .type = FIRTH_BOOLEAN, .offset = offsetof(struct config, fast), .preset = "true"},
    {.name = "mode",
     .type = FIRTH_ENUM,
     .offset = offsetof(struct config, mode),
     .values = modes,
     .preset = "steady"},
    {.name = "tables", .type = FIRTH_STRINGS, .offset = offsetof(struct config, tables)},
    {.name = "extra", .type = FIRTH_JSON, .offset = offsetof(struct config, extra)},
    {.name = "login",
     .type = FIRTH_CHOICE,
     .offset = offsetof(struct config, login),
     .tag = "kind",
     .choices = logins},
    {.name = "advanced", .type = FIRTH_OBJECT, .fields = advanced},
    {.name = "parts",
     .type = FIRTH_OBJECTS,
     .offset = offsetof(struct config, parts),
     .item_size = sizeof(struct part),
     .fields = part_fields},
    {0},
};

static int read_config(const char *text, struct config *config, struct arena *arena, struct error *err)
{
    struct json doc;
    assert_int_equal(json_parse_copy(arena, text, strlen(text), &doc, err), 0);
    memset(config, 0, sizeof *config);
    return sdk_options_read(options, &doc, 0, config, arena, err);
}

static void test_values(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct config config;
    struct error err;
    const char *text =
        "{\"name\":\"gr\\u00fcn\",\"password\":\"p\",\"count\":1e3,\"ratio\":0.25,\"fast\":false,"
        "\"mode\":\"slow\",\"tables\":[\"a\",\"b\"],\"extra\":{\"n\":1.10},\"unknown\":[1],"
        "\"login\":{\"kind\":\"token\",\"token\":\"t\"},\"advanced\":{\"depth\":9},"
        "\"parts\":[{\"name\":\"a\"},{\"name\":\"b\",\"size\":1,\"kind\":{\"kind\":\"none\"}}]}";
    assert_int_equal(read_config(text, &config, &arena, &err), 0);
    assert_string_equal(config.name, "gr\xc3\xbcn");
    assert_string_equal(config.password, "p");
    assert_string_equal(config.region, "north");
    assert_int_equal(config.count, 1000);
    assert_true(config.ratio == 0.25);
    assert_false(config.fast);
    assert_int_equal(config.mode, 0);
    assert_int_equal(config.tables.count, 2);
    assert_string_equal(config.tables.items[1], "b");
    assert_null(config.tables.items[2]);
    assert_string_equal(config.extra.data, "{\"n\":1.10}");
    assert_int_equal(config.login, 0);
    const struct part *parts = config.parts.items;
    assert_int_equal(config.parts.count, 2);
    assert_string_equal(parts[0].name, "a");
    assert_true(parts[0].size == 7 && parts[0].kind == -1);
    assert_string_equal(parts[1].name, "b");
    assert_true(parts[1].size == 1 && parts[1].kind == 2);
    assert_string_equal(config.token, "t");
    assert_int_equal(config.depth, 9);

    /* Everything absent or null: the defaults. */
    assert_int_equal(read_config("{\"name\":\"x\",\"count\":null,\"login\":null}", &config, &arena, &err), 0);
    assert_null(config.password);
    assert_int_equal(config.count, 1000);
    assert_true(config.fast);
    assert_int_equal(config.mode, 1);
    assert_int_equal(config.login, -1);
    assert_int_equal(config.depth, 3);
    assert_int_equal(config.extra.size, 0);
    arena_done(&arena);
}

static void test_problems(void **state)
{
    (void)state;
    static const struct {
        const char *config, *message;
    } cases[] = {
        {"[]", "the config must be an object, got an array"},
        {"{}", "name is required"},
        {"{\"nmae\":\"x\"}", "name is required (is \"nmae\" meant to be it?)"},
        {"{\"name\":7}", "name must be a string, got 7"},
        {"{\"name\":\"a\\u0000b\"}", "name must not contain a NUL character"},
        {"{\"name\":\"x\",\"count\":0}", "count must be at least 1, got 0"},
        {"{\"name\":\"x\",\"count\":\"12\"}", "count must be an integer, got \"12\""},
        {"{\"name\":\"x\",\"count\":1.5}", "count must be an integer of at most 64 bits, got 1.5"},
        {"{\"name\":\"x\",\"count\":9223372036854775808}",
         "count must be an integer of at most 64 bits, got 9223372036854775808"},
        {"{\"name\":\"x\",\"ratio\":1.50000000000000000001}",
         "ratio must be at most 1.5, got 1.50000000000000000001"},
        {"{\"name\":\"x\",\"fast\":\"yes\"}", "fast must be true or false, got \"yes\""},
        {"{\"name\":\"x\",\"mode\":\"stedy\"}",
         "mode must be one of slow, steady, got \"stedy\" (did you mean steady?)"},
        {"{\"name\":\"x\",\"tables\":\"a\"}", "tables must be an array of strings, got \"a\""},
        {"{\"name\":\"x\",\"extra\":[]}", "extra must be an object, got an array"},
        {"{\"name\":\"x\",\"parts\":7}", "parts must be an array of objects, got 7"},
        {"{\"name\":\"x\",\"parts\":[{\"name\":\"a\"},7]}", "parts[1] must be an object, got a number"},
        {"{\"name\":\"x\",\"parts\":[{\"size\":1}]}", "parts[0].name is required"},
        {"{\"name\":\"x\",\"login\":{}}", "login.kind is missing; it is one of token, user, none"},
        {"{\"name\":\"x\",\"login\":{\"kind\":\"tokn\"}}",
         "login.kind must be one of token, user, none, got \"tokn\" (did you mean token?)"},
        {"{\"name\":\"x\",\"login\":{\"kind\":\"token\"}}", "login.token is required"},
        {"{\"name\":\"x\",\"advanced\":{\"depth\":10}}", "advanced.depth must be at most 9, got 10"},
        {"{\"count\":0,\"fast\":1}",
         "name is required; count must be at least 1, got 0; fast must be true or false, got 1"},
        /* Secrets are never shown, whatever is wrong with them. */
        {"{\"name\":\"x\",\"password\":12345}", "password must be a string, got a number"},
        {"{\"name\":\"x\",\"login\":{\"kind\":\"token\",\"token\":[\"s3cret\"]}}",
         "login.token must be a string, got an array"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct config config;
        struct error err;
        assert_int_equal(read_config(cases[i].config, &config, &arena, &err), -1);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(err.code, ERROR_INVALID);
        arena_done(&arena);
    }
}

static void test_long_values_are_cut(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct config config;
    struct error err;
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_str(&text, "{\"name\":\"x\",\"count\":\"");
    for (int i = 0; i < 10000; i++)
        buffer_str(&text, "\xc3\xbc");
    buffer_str(&text, "\"}");
    assert_int_equal(read_config(buffer_cstr(&text), &config, &arena, &err), -1);
    assert_true(strlen(err.message) < 200);
    assert_true(utf8_valid(err.message, strlen(err.message)));
    buffer_done(&text);
    arena_done(&arena);
}

/* What the spec says, word for word. */
static void test_spec(void **state)
{
    (void)state;
    static const struct {
        const char *pointer, *wanted;
    } cases[] = {
        {"/connectionSpecification/required", "[\"name\"]"},
        {"/connectionSpecification/additionalProperties", "true"},
        {"/connectionSpecification/properties/password/airbyte_secret", "true"},
        {"/connectionSpecification/properties/count/default", "1000"},
        {"/connectionSpecification/properties/count/minimum", "1"},
        {"/connectionSpecification/properties/region/default", "\"north\""},
        {"/connectionSpecification/properties/mode/enum", "[\"slow\",\"steady\"]"},
        {"/connectionSpecification/properties/login/type", "\"object\""},
        {"/connectionSpecification/properties/login/oneOf/0/required", "[\"kind\",\"token\"]"},
        {"/connectionSpecification/properties/login/oneOf/0/properties/kind/const", "\"token\""},
        {"/connectionSpecification/properties/login/oneOf/0/properties/token/airbyte_secret", "true"},
        {"/connectionSpecification/properties/login/oneOf/2/properties/kind/const", "\"none\""},
        {"/connectionSpecification/properties/advanced/properties/depth/maximum", "9"},
    };
    const struct firth_connector_class class_ = {.name = "source-x", .title = "X", .options = options};
    struct arena arena = {0};
    struct buffer out;
    struct json spec;
    struct error err;
    buffer_init(&out, 1 << 20);
    sdk_spec_write(&out, &class_);
    assert_int_equal(json_parse_copy(&arena, out.data, out.size, &spec, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t at = json_pointer(&spec, 0, slice_of(cases[i].pointer));
        assert_int_not_equal(at, JSON_NONE);
        assert_true(slice_is(json_raw(&spec, at), cases[i].wanted));
    }
    buffer_done(&out);
    arena_done(&arena);
}

/* The spec is a schema that says of a config what the reader says. */
static void test_spec_agrees(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        bool valid;
    } cases[] = {
        {"{\"name\":\"x\"}", true},
        {"{\"name\":\"x\",\"other\":1}", true},
        {"{}", false},
        {"{\"name\":\"x\",\"count\":0}", false},
        {"{\"name\":\"x\",\"mode\":\"slow\",\"tables\":[\"a\"],\"login\":{\"kind\":\"none\"}}", true},
        {"{\"name\":\"x\",\"login\":{\"kind\":\"token\"}}", false},
        {"{\"name\":\"x\",\"login\":{\"kind\":\"token\",\"token\":\"t\"}}", true},
        {"{\"name\":\"x\",\"advanced\":{\"depth\":10}}", false},
    };
    const struct firth_connector_class class_ = {.name = "source-x", .title = "X", .options = options};
    struct arena arena = {0};
    struct buffer out;
    struct json spec;
    struct error err;
    buffer_init(&out, 1 << 20);
    sdk_spec_write(&out, &class_);
    assert_int_equal(json_parse_copy(&arena, out.data, out.size, &spec, &err), 0);
    uint32_t schema_at = json_get(&spec, 0, "connectionSpecification");
    uint32_t password = json_pointer(&spec, schema_at, slice_of("/properties/password/airbyte_secret"));
    uint32_t token =
        json_pointer(&spec, schema_at, slice_of("/properties/login/oneOf/0/properties/token/airbyte_secret"));
    assert_true(json_is(&spec, password, JSON_TRUE));
    assert_true(json_is(&spec, token, JSON_TRUE));

    struct schema_registry *registry = schema_registry_new(SCHEMA_DRAFT_7);
    assert_int_equal(schema_registry_add(registry, "test:spec", json_raw(&spec, schema_at), &err), 0);
    struct schema *schema = schema_compile(registry, "test:spec", &err);
    assert_non_null(schema);
    struct schema_validator *validator = schema_validator_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json doc;
        struct config config;
        const char *text = cases[i].config;
        assert_int_equal(json_parse_copy(&arena, text, strlen(text), &doc, &err), 0);
        assert_int_equal(schema_validate(schema, validator, &doc, 0, &err), cases[i].valid);
        assert_int_equal(read_config(text, &config, &arena, &err), cases[i].valid ? 0 : -1);
    }
    schema_validator_free(validator);
    schema_free(schema);
    schema_registry_free(registry);
    buffer_done(&out);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_spec),
        cmocka_unit_test(test_spec_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
