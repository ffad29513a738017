#include "cli/images.h"

#include "base/file.h"

#include <unistd.h>

const struct option_spec image_option_specs[] = {
    {"connectors", 0, OPTION_STRING, offsetof(struct image_options, connectors), "built-in|image",
     "run images even where a built-in stands for them (FIRTH_CONNECTORS)"},
    {"container-engine", 0, OPTION_STRING, offsetof(struct image_options, engine), "NAME",
     "podman, docker or a path (FIRTH_CONTAINER_ENGINE, else podman, else docker)"},
    {"pull", 0, OPTION_STRING, offsetof(struct image_options, pull), "missing|always|never",
     "when to fetch an image from its registry (FIRTH_PULL, else missing)"},
    {"pull-timeout", 0, OPTION_STRING, offsetof(struct image_options, pull_timeout), "DURATION",
     "a fetch that makes no progress for so long has failed (FIRTH_PULL_TIMEOUT, else 10m)"},
    {"container-network", 0, OPTION_STRING, offsetof(struct image_options, network), "NAME",
     "the network of images: host, none or a network's name (FIRTH_CONTAINER_NETWORK)"},
    {"container-memory", 0, OPTION_STRING, offsetof(struct image_options, memory), "SIZE",
     "the memory of one image's container, 0 for no limit (FIRTH_CONTAINER_MEMORY, else 1g)"},
    {"container-cpus", 0, OPTION_STRING, offsetof(struct image_options, cpus), "N",
     "the CPUs of one image's container (FIRTH_CONTAINER_CPUS, else all)"},
    {NULL},
};

/* What was given; empty variables are none. */
static const char *given(const char *option, const char *variable)
{
    const char *value = option ? option : getenv(variable);
    return value && *value ? value : NULL;
}

/* The place of a word in a NULL-terminated list; 0 if nothing was given; -1. */
static int choose(const char *option, const char *option_name, const char *variable,
                  const char *const *choices, struct error *err)
{
    const char *value = given(option, variable);
    char shown[OPTION_SHOWN_MAX];
    size_t count = 0;
    for (; choices[count]; count++) {
        if (!value || strcmp(value, choices[count]) == 0)
            return (int)count;
    }
    const char *near = string_nearest(value, choices, count);
    error_set(err, ERROR_INVALID, "%s is '%s', but it must be %s%s%s%s%s", option ? option_name : variable,
              option_show(value, shown), choices[0], count > 2 ? ", " : "", count > 2 ? choices[1] : "",
              " or ", choices[count - 1]);
    if (near)
        error_set(err, ERROR_INVALID, "%s is '%s'; did you mean '%s'?", option ? option_name : variable,
                  option_show(value, shown), near);
    return -1;
}

static void on_note(void *context, const char *text)
{
    const struct cli *cli = context;
    log_info(&cli->log, "%s", text);
}

/* One line of a terminal, written over; elsewhere nothing, the note says that a pull has begun. */
static void on_progress(void *context, const char *text)
{
    const struct cli *cli = context;
    if (!cli->color_error || cli->json)
        return;
    auto_free char *line = mem_printf("\r\033[K%s", text ? text : "");
    ssize_t ignored = write(STDERR_FILENO, line, strlen(line));
    (void)ignored;
}

int images_pull_timeout(const struct image_options *options, uint64_t *ret_ms, struct error *err)
{
    const char *name = options->pull_timeout ? "--pull-timeout" : "FIRTH_PULL_TIMEOUT";
    *ret_ms = 0;
    return option_duration(name, given(options->pull_timeout, "FIRTH_PULL_TIMEOUT"), ret_ms, err);
}

const char *const *images_words(const struct image_options *options, struct arena *arena)
{
    size_t total = sizeof image_option_specs / sizeof *image_option_specs, count = 0;
    const char **words = arena_zalloc(arena, 2 * total * sizeof *words);
    for (size_t i = 0; image_option_specs[i].name; i++) {
        const char *value;
        memcpy(&value, (const char *)options + image_option_specs[i].offset, sizeof value);
        if (!value)
            continue;
        words[count++] = arena_printf(arena, "--%s", image_option_specs[i].name);
        words[count++] = value;
    }
    return words;
}

int images_open(struct cli *cli, const struct image_options *options, struct connector_catalog *catalog,
                struct error *err)
{
    static const char *const places[] = {"built-in", "image", NULL}, *const policies[] = {"missing", "always",
                                                                                          "never", NULL};
    int place = choose(options->connectors, "--connectors", "FIRTH_CONNECTORS", places, err);
    int policy = place < 0 ? -1 : choose(options->pull, "--pull", "FIRTH_PULL", policies, err);
    uint64_t pull_ms;
    if (policy < 0 || images_pull_timeout(options, &pull_ms, err) < 0)
        return -1;
    cli->images = options;
    cli->engine_data_dir = file_absolute(cli->data_dir);
    const struct connector_engine_options wanted = {
        .engine = given(options->engine, "FIRTH_CONTAINER_ENGINE"),
        .pull = (enum connector_pull)policy,
        .pull_ms = pull_ms,
        .network = given(options->network, "FIRTH_CONTAINER_NETWORK"),
        .memory = given(options->memory, "FIRTH_CONTAINER_MEMORY"),
        .cpus = given(options->cpus, "FIRTH_CONTAINER_CPUS"),
        .data_dir = cli->engine_data_dir,
        .on_note = on_note,
        .on_progress = on_progress,
        .context = cli,
    };
    catalog->force_images = place == 1;
    catalog->engine = connector_engine_new(&wanted, err);
    return catalog->engine ? 0 : -1;
}

void images_close(struct cli *cli, struct connector_catalog *catalog)
{
    connector_engine_free(catalog->engine);
    catalog->engine = NULL;
    free(cli->engine_data_dir);
    cli->engine_data_dir = NULL;
    cli->images = NULL;
}
