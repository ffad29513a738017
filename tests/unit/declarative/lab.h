/* An engine around a manifest's pieces, with a clock that moves only when nobody can run. */
#ifndef FIRTH_TESTS_DECLARATIVE_LAB_H
#define FIRTH_TESTS_DECLARATIVE_LAB_H

#include "connectors/source-declarative/engine/expression.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct lab {
    struct arena arena;
    struct clock clock;
    uint64_t now_ms;
    struct buffer log, config; /* lines; the config as it was told last */
    struct buffer waits;       /* "1.0 2.0 ": seconds before each further attempt */
    struct manifest *manifest;
    struct engine *engine;
};

enum { LAB_START_MS = 1700000000 };

static uint64_t lab_now(void *context)
{
    return ((struct lab *)context)->now_ms * 1000000;
}
static int64_t lab_wall(void *context)
{
    return (int64_t)((struct lab *)context)->now_ms;
}
static void lab_pass(void *context, uint64_t ms)
{
    ((struct lab *)context)->now_ms += ms;
}
static void lab_log(void *context, enum engine_level level, const char *message)
{
    struct lab *lab = context;
    (void)level;
    buffer_printf(&lab->log, "%s\n", message);
    const char *attempt = strstr(message, "; attempt ");
    if (attempt)
        buffer_printf(&lab->waits, "%.*s ", (int)strcspn(strstr(attempt, " in ") + 4, " "),
                      strstr(attempt, " in ") + 4);
}
static int lab_config(void *context, struct slice config)
{
    struct lab *lab = context;
    buffer_clear(&lab->config);
    buffer_append(&lab->config, config.data, config.size);
    return 0;
}

/* `retriever`: fields of the SimpleRetriever beside its record selector, as JSON without braces; `more`:
 * fields of the manifest, "" for none. */
__attribute__((unused)) static void lab_open(struct lab *lab, const char *retriever, const char *more,
                                             const char *config)
{
    *lab = (struct lab){.now_ms = LAB_START_MS * 1000ULL};
    arena_init(&lab->arena);
    buffer_init(&lab->log, 1 << 20);
    buffer_init(&lab->config, 1 << 20);
    buffer_init(&lab->waits, 1 << 20);
    lab->clock = (struct clock){lab_wall, lab_now, lab};
    char *source = arena_printf(
        &lab->arena,
        "{\"type\": \"DeclarativeSource\", \"version\": \"6.0.0\", \"check\": {\"type\": \"CheckStream\", "
        "\"stream_names\": [\"s\"]}, %s \"streams\": [{\"type\": \"DeclarativeStream\", \"name\": \"s\", "
        "\"retriever\": {\"type\": \"SimpleRetriever\", \"record_selector\": {\"type\": \"RecordSelector\", "
        "\"extractor\": {\"type\": \"DpathExtractor\", \"field_path\": [\"r\"]}}, %s}}]}",
        more, retriever);
    struct error err;
    if (manifest_parse(&lab->arena, "m.json", YAML_SYNTAX_JSON, slice_of(source), NULL, NULL, &lab->manifest,
                       &err) < 0)
        fail_msg("%s", err.message);
    struct engine_settings settings = {
        .clock = &lab->clock,
        .seed = 7,
        .output = {.log = lab_log, .config_changed = lab_config, .context = lab},
        .pass = lab_pass,
        .pass_context = lab,
    };
    lab->engine = engine_new(&settings, manifest_root(lab->manifest), slice_of(config), &err);
    if (!lab->engine)
        fail_msg("%s", err.message);
}

__attribute__((unused)) static struct component lab_retriever(const struct lab *lab)
{
    struct component streams = component_get(manifest_root(lab->manifest), "streams");
    return component_get(component_at(streams, 0), "retriever");
}

__attribute__((unused)) static void lab_close(struct lab *lab)
{
    engine_free(lab->engine);
    buffer_done(&lab->log);
    buffer_done(&lab->config);
    buffer_done(&lab->waits);
    arena_done(&lab->arena);
}

#endif
