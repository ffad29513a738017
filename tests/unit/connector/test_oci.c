/* Images without an engine: names, inspections, what engines say when they fail, how a container ended. */
#include "harness.h"

#include "connector/oci.h"
#include "connector/oci_failure.h"
#include "connector/oci_image.h"
#include "connector/oci_options.h"
#include "connector/oci_owner.h"
#include "connector/oci_run.h"

/* --- names ---------------------------------------------------------------------------------------- */

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *given, *full, *registry;
    } cases[] = {
        {"airbyte/source-x:1", "docker.io/airbyte/source-x:1", "docker.io"},
        {"airbyte/source-x", "docker.io/airbyte/source-x:latest", "docker.io"},
        {"plain", "docker.io/library/plain:latest", "docker.io"},
        {"plain:2", "docker.io/library/plain:2", "docker.io"},
        {"ghcr.io/estuary/source-s3:dev", "ghcr.io/estuary/source-s3:dev", "ghcr.io"},
        {"ghcr.io/estuary/source-s3", "ghcr.io/estuary/source-s3:latest", "ghcr.io"},
        {"localhost/x", "localhost/x:latest", "localhost"},
        {"registry:5000/a/b", "registry:5000/a/b:latest", "registry:5000"},
        {"a/b@sha256:01", "docker.io/a/b@sha256:01", "docker.io"},
        {"a/b:1@sha256:01", "docker.io/a/b:1@sha256:01", "docker.io"},
    };
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *full = oci_image_full_name(cases[i].given, &arena);
        assert_string_equal(full, cases[i].full);
        assert_true(slice_is(oci_image_registry(full), cases[i].registry));
    }
    arena_done(&arena);
}

static void test_valid_names(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "a/b:1", "x.y:5000/a_b/c-d:v1.2@sha256:0f", "A"};
    static const char *const bad[] = {"", "-v", "--privileged", "a b", "a\nb", "a;b", "$(x)", "a\x80"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(oci_image_name_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(oci_image_name_valid(bad[i]));
}

/* --- inspections ---------------------------------------------------------------------------------- */

static void test_inspections(void **state)
{
    (void)state;
    static const struct {
        const char *json, *words; /* words NULL: the message is an error's */
        enum connector_protocol protocol;
        const char *message;
    } cases[] = {
        /* podman and docker write the id differently. */
        {"[{\"Id\":\"0a\",\"Config\":{\"Entrypoint\":[\"/a\",\"b c\"],\"Cmd\":[\"x\"]}}]", "/a|b c",
         CONNECTOR_AIRBYTE, NULL},
        {"[{\"Id\":\"sha256:0a\",\"Os\":\"linux\",\"Config\":{\"Entrypoint\":null,\"Cmd\":[\"/x\"]}}]", "/x",
         CONNECTOR_AIRBYTE, NULL},
        {"[{\"Id\":\"0a\",\"Config\":{\"Cmd\":[\"/x\"],\"Env\":[\"A=1\",\"AIRBYTE_ENTRYPOINT= python  "
         "/m.py\"]}}]",
         "python|/m.py", CONNECTOR_AIRBYTE, NULL},
        {"[{\"Id\":\"0a\",\"Config\":{\"Entrypoint\":[\"/a\"],\"Env\":[\"AIRBYTE_ENTRYPOINT=/b\"]}}]", "/a",
         CONNECTOR_AIRBYTE, NULL},
        {"[{\"Id\":\"0a\",\"Config\":{\"Entrypoint\":[\"/"
         "a\"],\"Labels\":{\"FLOW_RUNTIME_PROTOCOL\":\"capture\"}}}]",
         "/a", CONNECTOR_FLOW, NULL},
        {"[{\"Id\":\"0a\",\"Config\":{\"Entrypoint\":[\"/"
         "a\"],\"Labels\":{\"FLOW_RUNTIME_PROTOCOL\":\"materialize\"}}}]",
         "/a", CONNECTOR_FLOW, NULL},
        /* The old label of Flow's says nothing. */
        {"[{\"Id\":\"0a\",\"Config\":{\"Entrypoint\":[\"/"
         "a\"],\"Labels\":{\"CONNECTOR_PROTOCOL\":\"capture\"}}}]",
         "/a", CONNECTOR_AIRBYTE, NULL},
        {"[{\"Id\":\"0a\",\"Config\":{\"Entrypoint\":[\"/a\"],\"Labels\":{\"FLOW_RUNTIME_PROTOCOL\":\"\"}}}]",
         NULL, 0,
         "the image x has the label FLOW_RUNTIME_PROTOCOL=, but it must be capture, materialize or derive"},
        {"[{\"Id\":\"0a\",\"Config\":{}}]", NULL, 0, "the image x has nothing to run"},
        {"[{\"Id\":\"0a\",\"Config\":{\"Entrypoint\":[\"\"],\"Cmd\":[]}}]", NULL, 0,
         "the image x has nothing to run"},
        {"[{\"Id\":\"0a\",\"Config\":{\"Entrypoint\":\"sh -c x\"}}]", NULL, 0,
         "the image x has nothing to run"},
        {"[{\"Id\":\"0a\"}]", NULL, 0, "the image x has nothing to run"},
        {"[{\"Id\":\"0a\",\"Os\":\"windows\",\"Config\":{\"Cmd\":[\"/x\"]}}]", NULL, 0,
         "the image x is for windows"},
        {"[{\"Config\":{\"Cmd\":[\"/x\"]}}]", NULL, 0, "the inspection of the image x has no Id"},
        {"[{\"Id\":\"--rm\",\"Config\":{\"Cmd\":[\"/x\"]}}]", NULL, 0,
         "the inspection of the image x has no Id"},
        {"[{\"Id\":5}]", NULL, 0, "the inspection of the image x has no Id"},
        {"[]", NULL, 0, "the inspection of the image x has no Id"},
        {"\"text\"", NULL, 0, "the inspection of the image x has no Id"},
        {"[{", NULL, 0, "the inspection of the image x: "},
        {"", NULL, 0, "the inspection of the image x: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct error err = {0};
        struct oci_image image;
        struct buffer words;
        arena_init(&arena);
        buffer_init(&words, 1000);
        int result = oci_image_read("x", slice_of(cases[i].json), &arena, &image, &err);
        if (cases[i].words) {
            if (result < 0)
                fail_msg("case %zu: %s", i, err.message);
            for (size_t w = 0; image.words[w]; w++)
                buffer_printf(&words, "%s%s", w ? "|" : "", image.words[w]);
            assert_string_equal(buffer_cstr(&words), cases[i].words);
            assert_int_equal(image.protocol, cases[i].protocol);
            assert_string_equal(image.id, "0a");
        } else {
            assert_int_equal(result, -1);
            if (!string_starts_with(err.message, cases[i].message))
                fail_msg("case %zu: %s", i, err.message);
        }
        buffer_done(&words);
        arena_done(&arena);
    }
}

static void test_too_many_words(void **state)
{
    (void)state;
    struct buffer text;
    struct arena arena;
    struct error err;
    struct oci_image image;
    arena_init(&arena);
    buffer_init(&text, 1 << 20);
    for (int extra = 0; extra <= 1; extra++) {
        buffer_clear(&text);
        buffer_str(&text, "[{\"Id\":\"0a\",\"Config\":{\"Entrypoint\":[\"a\"");
        for (int i = 1; i < OCI_WORDS_MAX + extra; i++)
            buffer_str(&text, ",\"a\"");
        buffer_str(&text, "]}}]");
        int result = oci_image_read("x", (struct slice){text.data, text.size}, &arena, &image, &err);
        assert_int_equal(result, extra ? -1 : 0);
    }
    assert_int_equal(err.code, ERROR_LIMIT);
    buffer_done(&text);
    arena_done(&arena);
}

/* --- failures ------------------------------------------------------------------------------------- */

/* What the engines of several versions really wrote. */
static void test_failures(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        enum oci_failure failure;
        enum error_code code;
        bool retriable;
        const char *part;
    } cases[] = {
        {"Error: inspecting object: nonesuch:1: image not known", OCI_FAILURE_IMAGE_MISSING, ERROR_NOT_FOUND,
         false, "there is no image r.io/x:1"},
        {"Error response from daemon: No such image: x:1", OCI_FAILURE_IMAGE_MISSING, ERROR_NOT_FOUND, false,
         "there is no image"},
        {"Error: initializing source docker://r.io/x:1: reading manifest 1 in r.io/x: manifest unknown",
         OCI_FAILURE_NOT_THERE, ERROR_NOT_FOUND, false, "is its name right, and its tag?"},
        {"Error response from daemon: manifest for x:1 not found: manifest unknown: manifest unknown",
         OCI_FAILURE_NOT_THERE, ERROR_NOT_FOUND, false, "there is no image"},
        {"Error response from daemon: pull access denied for x, repository does not exist or may require "
         "'docker "
         "login': denied: requested access to the resource is denied",
         OCI_FAILURE_DENIED, ERROR_INVALID, false, "`podman login r.io`"},
        {"Error: initializing source docker://ghcr.io/x/y:1: Requesting bear token: invalid status code from "
         "registry "
         "403 (Forbidden)",
         OCI_FAILURE_DENIED, ERROR_INVALID, false, "needs a login"},
        {"Error: ... unauthorized: authentication required", OCI_FAILURE_DENIED, ERROR_INVALID, false,
         "login"},
        {"Error: pinging container registry r.io: Get \"https://r.io/v2/\": dial tcp: lookup r.io on "
         "10.0.0.1:53: no "
         "such host",
         OCI_FAILURE_NETWORK, ERROR_IO, true, "the registry cannot be reached"},
        {"dial tcp 1.2.3.4:443: i/o timeout", OCI_FAILURE_NETWORK, ERROR_IO, true, "i/o timeout"},
        {"permission denied while trying to connect to the Docker daemon socket at "
         "unix:///var/run/docker.sock",
         OCI_FAILURE_NO_RIGHTS, ERROR_INVALID, false, "group `docker`"},
        {"Got permission denied while trying to connect to the Docker daemon socket: dial unix "
         "/var/run/docker.sock: "
         "connect: permission denied",
         OCI_FAILURE_NO_RIGHTS, ERROR_INVALID, false, "this user may not use podman"},
        {"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
         OCI_FAILURE_NO_DAEMON, ERROR_IO, true, "does not answer"},
        {"Error: writing blob: storing blob to file: write /var/tmp/x: no space left on device",
         OCI_FAILURE_DISK, ERROR_IO, true, "the disk is full"},
        {"Error: choosing an image from manifest list: no image found in manifest list for architecture "
         "amd64",
         OCI_FAILURE_ARCHITECTURE, ERROR_UNSUPPORTED, false, "for this machine"},
        {"no matching manifest for linux/amd64 in the manifest list entries", OCI_FAILURE_ARCHITECTURE,
         ERROR_UNSUPPORTED, false, "for this machine"},
        {"first line\nsomething new\n\n", OCI_FAILURE_OTHER, ERROR_IO, true,
         "podman cannot pull the image r.io/x:1: something new"},
        {"", OCI_FAILURE_OTHER, ERROR_IO, true, "it did not say why"},
        {"\x1b[31mred\x1b[0m", OCI_FAILURE_OTHER, ERROR_IO, true, " [31mred [0m"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        enum oci_failure failure = oci_failure_of(slice_of(cases[i].said));
        if (failure != cases[i].failure)
            fail_msg("%s is %d", cases[i].said, failure);
        assert_int_equal(
            oci_failure_set(failure, "/usr/bin/podman", "pull", "r.io/x:1", slice_of(cases[i].said), &err),
            -1);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.retriable, cases[i].retriable);
        if (!strstr(err.message, cases[i].part))
            fail_msg("%s", err.message);
    }
}

/* --- options -------------------------------------------------------------------------------------- */

static void test_engine_options(void **state)
{
    (void)state;
    static const struct {
        struct connector_engine_options options;
        bool good;
    } cases[] = {
        {{0}, true},
        {{.memory = "512m", .cpus = "0.5", .network = "host"}, true},
        {{.memory = "0"}, true},
        {{.memory = "1073741824"}, true},
        {{.memory = "1G", .cpus = "64", .network = "my_net-1.x"}, true},
        {{.memory = ""}, false},
        {{.memory = "g"}, false},
        {{.memory = "1gb"}, false},
        {{.memory = "1 g"}, false},
        {{.memory = "9999999999999999"}, false},
        {{.cpus = "0"}, false},
        {{.cpus = "0.0"}, false},
        {{.cpus = "."}, false},
        {{.cpus = "1.2.3"}, false},
        {{.cpus = "-1"}, false},
        {{.network = ""}, false},
        {{.network = "--privileged"}, false},
        {{.network = "a b"}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        struct connector_engine *engine = connector_engine_new(&cases[i].options, &err);
        if ((engine != NULL) != cases[i].good)
            fail_msg("case %zu: %s", i, err.message);
        assert_int_equal(err.code, cases[i].good ? ERROR_NONE : ERROR_INVALID);
        connector_engine_free(engine);
    }
}

static bool has(const char *const *words, const char *word)
{
    for (; *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static void test_run_options(void **state)
{
    (void)state;
    struct arena arena;
    struct error err;
    const char *const *words;
    arena_init(&arena);
    setenv("https_proxy", "http://user:secret@proxy:1", 1);
    const struct oci_how docker = {
        .image = "a/b:1", .init = true, .memory = "1g", .task = "acmeCo/x", .data_dir = "/d"};
    assert_int_equal(oci_options(&docker, &arena, &words, &err), 0);
    assert_true(has(words, "--log-driver=none"));
    assert_true(has(words, "--init"));
    assert_true(has(words, "--memory=1g"));
    assert_true(has(words, "--security-opt=no-new-privileges"));
    assert_true(has(words, "--label=firth.task=acmeCo/x"));
    assert_true(has(words, "--env=https_proxy")); /* its value is in nobody's command line */
    for (size_t i = 0; words[i]; i++)
        assert_null(strstr(words[i], "--network"));
    const struct oci_how podman = {
        .image = "a/b", .podman = true, .passthrough = true, .network = "none", .cpus = "2"};
    assert_int_equal(oci_options(&podman, &arena, &words, &err), 0);
    assert_true(has(words, "--log-driver=passthrough"));
    assert_true(has(words, "--network=none"));
    assert_true(has(words, "--cpus=2"));
    assert_false(has(words, "--env=https_proxy"));
    assert_false(has(words, "--init"));
    unsetenv("https_proxy");
    arena_done(&arena);
}

/* --- a container's life --------------------------------------------------------------------------- */

static void test_words(void **state)
{
    (void)state;
    static const char *const options[] = {"--interactive", NULL}, *const argv[] = {"python", "/m.py", NULL};
    const struct connector_container container = {
        .engine = "/usr/bin/podman", .options = options, .image = "r.io/a/source-x:1", .id = "0a"};
    const struct connector_program program = {.argv = argv, .container = &container, .label = "x"};
    const char *words[32];
    struct arena arena;
    struct error err;
    arena_init(&arena);
    struct oci_run *run = oci_run_new(&program);
    assert_true(string_starts_with(run->name, "firth-source-x-"));
    int count = oci_run_words(run, &program, "/t/shared", "/t/environment", &arena, words, 32, &err);
    assert_int_equal(count, 11);
    assert_string_equal(words[0], "/usr/bin/podman");
    assert_string_equal(words[1], "run");
    assert_string_equal(words[2], "--interactive");
    assert_true(string_starts_with(words[3], "--name=firth-source-x-"));
    assert_true(string_starts_with(words[4], "--label=firth.owner="));
    assert_string_equal(words[6], "--volume=/t/shared:/run/firth:ro,Z");
    assert_string_equal(words[7], "--env-file=/t/environment");
    assert_string_equal(words[8], "--entrypoint=python");
    assert_string_equal(words[9], "0a");
    assert_string_equal(words[10], "/m.py");
    assert_int_equal(oci_run_words(run, &program, "/t", "/e", &arena, words, 10, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_int_equal(oci_run_words(run, &program, "/t:x", NULL, &arena, words, 32, &err), -1);
    assert_non_null(strstr(err.message, "set TMPDIR"));
    oci_run_free(run);
    arena_done(&arena);
}

static void test_variables(void **state)
{
    (void)state;
    static const char *const good[] = {"A=1", "B=x y", NULL}, *const bad[] = {"KEY=a\nSECRET=b", NULL};
    struct buffer text;
    struct error err;
    buffer_init(&text, 1000);
    assert_int_equal(oci_run_variables(good, &text, &err), 0);
    assert_string_equal(buffer_cstr(&text), "A=1\nB=x y\n");
    assert_int_equal(oci_run_variables(bad, &text, &err), -1);
    assert_non_null(strstr(err.message, "KEY"));
    assert_null(strstr(err.message, "SECRET"));
    buffer_done(&text);
}

static void test_endings(void **state)
{
    (void)state;
    static const struct {
        int status;
        bool ours, out_of_memory;
        const char *other, *logs, *says; /* NULL: nothing of its own */
    } cases[] = {
        {0, false, false, NULL, "", NULL},
        {1, false, false, NULL, "", NULL},
        {7, false, false, "arm64", "", NULL},
        {137, true, false, NULL, "", NULL},
        {137, false, true, NULL, "", "exceeded its memory limit of 1g"},
        {137, true, true, NULL, "", "exceeded its memory limit of 1g"},
        {137, false, false, NULL, "", "was killed (SIGKILL)"},
        {125, false, false, NULL, "", "could not be started by podman"},
        {126, false, false, NULL, "", "its entrypoint /x is no program that can be run"},
        {127, false, false, NULL, "", "its entrypoint /x is not in the image"},
        {1, false, false, NULL, "failed to exec pid1: No such file or directory", "is not in the image"},
        {1, false, false, NULL, "failed to exec pid1: Permission denied", "is no program that can be run"},
        {1, false, false, NULL, "exec /x: exec format error", "is no program that can be run"},
        {1, false, false, "arm64", "exec /x: exec format error", "its image is built for arm64"},
        {126, false, false, "arm64", "", "its image is built for arm64"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char engine[] = "/usr/bin/podman", command[] = "/x", memory[] = "1g", other[16];
        snprintf(other, sizeof other, "%s", cases[i].other ? cases[i].other : "");
        const struct oci_run run = {.engine = engine,
                                    .command = command,
                                    .memory = memory,
                                    .other_architecture = cases[i].other ? other : NULL,
                                    .out_of_memory = cases[i].out_of_memory};
        struct buffer text;
        buffer_init(&text, 1000);
        bool told = oci_run_describe(&run, cases[i].status, cases[i].ours, cases[i].logs, &text);
        if (told != (cases[i].says != NULL) || (told && !strstr(buffer_cstr(&text), cases[i].says)))
            fail_msg("case %zu: %s", i, buffer_cstr(&text));
        bool hopeless = told && (strstr(buffer_cstr(&text), "entrypoint") || cases[i].status == 126) &&
                        !strstr(cases[i].logs, "exec format error");
        assert_int_equal(oci_run_hopeless(cases[i].status, cases[i].logs), hopeless);
        buffer_done(&text);
    }
}

/* --- owners --------------------------------------------------------------------------------------- */

static void test_owners(void **state)
{
    (void)state;
    char own[OCI_OWNER_SIZE], other[OCI_OWNER_SIZE + 16];
    oci_owner_own(own);
    assert_true(*own);
    assert_false(oci_owner_gone(own));
    /* The same pid, started at another time. */
    const char *rest = strchr(strchr(own, '.') + 1, '.');
    snprintf(other, sizeof other, "%d.1%s", (int)getpid(), rest);
    assert_true(oci_owner_gone(other));
    /* Another boot: gone, whoever has its pid now. */
    snprintf(other, sizeof other, "%.*s%c", (int)strlen(own) - 1, own,
             own[strlen(own) - 1] == '0' ? '1' : '0');
    assert_true(oci_owner_gone(other));
    /* Another process namespace of this boot: nobody here can know. */
    snprintf(other, sizeof other, "%d.1.7%s", (int)getpid(), strrchr(own, '.'));
    assert_false(oci_owner_gone(other));
    static const char *const nonsense[] = {"",    "x",     "1",      "1.2",       "1.2.",
                                           "...", "1.2.3", "1.2.3.", "1.2.3.boot"};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        assert_false(oci_owner_gone(nonsense[i]));
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    snprintf(other, sizeof other, "%d.5%s", (int)child, rest);
    assert_true(oci_owner_gone(other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),       cmocka_unit_test(test_valid_names),
        cmocka_unit_test(test_inspections), cmocka_unit_test(test_too_many_words),
        cmocka_unit_test(test_failures),    cmocka_unit_test(test_engine_options),
        cmocka_unit_test(test_run_options), cmocka_unit_test(test_words),
        cmocka_unit_test(test_variables),   cmocka_unit_test(test_endings),
        cmocka_unit_test(test_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
