/* `firth manifest test`: the first pages of a stream, with every request and what became of its answer. */
#include "cli/cmd_manifest.h"
#include "cli/output.h"
#include "schema/shape/shape.h"
#include "source-declarative/source/trial.h"

#include <unistd.h>

enum { PAGES = 5, SLICES = 5, RECORDS = 100 /* where the options do not say; of a slice */ };

static size_t or (const struct option_number *number, size_t otherwise)
{
    return number->given ? (size_t)number->value : otherwise;
}

/* --- what it is told -------------------------------------------------------------------------------------
 */

static int read_json(const char *path, struct arena *arena, struct slice *ret_text,
                     struct yaml_document *file, struct error *err)
{
    struct json_writer writer;
    struct buffer text;
    if (yaml_load(arena, path, NULL, NULL, file, err) < 0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_put_value(&writer, &file->json, 0);
    *ret_text = (struct slice){arena_dup(arena, text.data, text.size), text.size};
    explicit_bzero(text.data, text.size);
    buffer_done(&text);
    return 0;
}

/* The stream's own state, or a list of STATE messages' states, of which one is the stream's. */
static int read_state(const char *path, const char *stream, struct arena *arena, struct slice *ret_state,
                      struct error *err)
{
    struct yaml_document file;
    if (read_json(path, arena, ret_state, &file, err) < 0)
        return -1;
    const struct json *doc = &file.json;
    if (!json_is(doc, 0, JSON_ARRAY))
        return 0;
    *ret_state = (struct slice){0};
    for (uint32_t at = json_first(doc, 0); at != JSON_NONE; at = json_next(doc, 0, at)) {
        uint32_t part = json_get(doc, at, "stream");
        uint32_t name = json_get(doc, json_get(doc, part, "stream_descriptor"), "name");
        uint32_t state = json_get(doc, part, "stream_state");
        if (json_is(doc, name, JSON_STRING) && json_string_is(doc, name, stream) && state != JSON_NONE)
            *ret_state = json_raw(doc, state);
    }
    return 0;
}

/* --- for people ------------------------------------------------------------------------------------------
 */

static void print_lines(struct output *output, const char *before, struct slice text)
{
    while (text.size > 0) {
        const char *end = memchr(text.data, '\n', text.size);
        size_t size = end ? (size_t)(end - text.data) : text.size;
        auto_free char *line = mem_strndup(text.data, size);
        output_str(output, before);
        output_printable(output, line);
        output_str(output, "\n");
        text.data += size + (end != NULL);
        text.size -= size + (end != NULL);
    }
}

static void print_part(struct output *output, const char *arrow, const struct trial_part *part)
{
    print_lines(output, arrow, part->head);
    print_lines(output, "    ", part->headers);
    print_lines(output, "    ", part->body);
    if (part->body.size < part->size && part->body.size >= TRIAL_BODY_MAX - 4)
        output_printf(output, "    (%zu bytes in all)\n", part->size);
}

static void print_step(struct output *output, const struct trial_step *step, const char *stream)
{
    static const char *const levels[] = {"debug: ", "info: ", "warning: ", "error: "};
    bool of_parent = step->stream && strcmp(step->stream, stream) != 0;
    if (of_parent && step->kind != TRIAL_LOG)
        output_printf(output, "(of the stream %s)\n", step->stream);
    switch (step->kind) {
    case TRIAL_SLICE:
        print_lines(output, "slice ", step->json);
        break;
    case TRIAL_EXCHANGE:
        print_part(output, "> ", &step->request);
        if (step->response.head.size)
            print_part(output, "< ", &step->response);
        else
            print_lines(output, "< no answer: ", step->json);
        break;
    case TRIAL_RECORD:
        if (!slice_equal(step->json, step->after))
            print_lines(output, step->after.size ? "  extracted " : "  left out ", step->json);
        print_lines(output, "  record ", step->after);
        break;
    case TRIAL_STATE:
        print_lines(output, "state ", step->json);
        break;
    case TRIAL_CONFIG:
        print_lines(output, "config ", step->json);
        break;
    case TRIAL_LOG:
        print_lines(output, levels[step->level], step->json);
        break;
    }
}

/* --- for machines ----------------------------------------------------------------------------------------
 */

static void put_text(struct json_writer *writer, const char *name, struct slice text)
{
    json_put_key(writer, name);
    json_put_slice(writer, text.data ? text : SLICE_LITERAL(""));
}

/* A secret that was part of a number leaves no JSON: its text then. */
static void put_json(struct json_writer *writer, const char *name, struct slice json)
{
    struct json doc;
    struct arena arena;
    struct error unused;
    arena_init(&arena);
    if (json_parse_copy(&arena, json.data, json.size, &doc, &unused) == 0)
        json_member_raw(writer, name, json);
    else
        put_text(writer, name, json);
    arena_done(&arena);
}

static void put_part(struct json_writer *writer, const char *name, const struct trial_part *part,
                     bool request)
{
    const char *blank = request ? memchr(part->head.data, ' ', part->head.size) : NULL;
    json_put_key(writer, name);
    json_begin_object(writer);
    if (blank) {
        size_t size = (size_t)(blank - part->head.data);
        put_text(writer, "method", (struct slice){part->head.data, size});
        put_text(writer, "url", (struct slice){blank + 1, part->head.size - size - 1});
    } else {
        json_member_raw(writer, "status", part->head);
    }
    json_put_key(writer, "headers");
    json_begin_array(writer);
    for (struct slice rest = part->headers; rest.size > 0;) {
        const char *end = memchr(rest.data, '\n', rest.size);
        size_t size = end ? (size_t)(end - rest.data) : rest.size;
        json_put_slice(writer, (struct slice){rest.data, size});
        rest.data += size + (end != NULL);
        rest.size -= size + (end != NULL);
    }
    json_end_array(writer);
    put_text(writer, "body", part->body);
    json_member_u64(writer, "size", part->size);
    json_end_object(writer);
}

static void put_step(struct json_writer *writer, const struct trial_step *step)
{
    static const char *const kinds[] = {"slice", "exchange", "record", "state", "config", "log"};
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    json_begin_object(writer);
    json_member_string(writer, "type", kinds[step->kind]);
    if (step->stream)
        json_member_string(writer, "stream", step->stream);
    if (step->kind == TRIAL_EXCHANGE) {
        put_part(writer, "request", &step->request, true);
        if (step->response.head.size)
            put_part(writer, "response", &step->response, false);
        else
            put_text(writer, "error", step->json);
    } else if (step->kind == TRIAL_LOG) {
        json_member_string(writer, "level", levels[step->level]);
        put_text(writer, "message", step->json);
    } else if (step->kind == TRIAL_RECORD) {
        put_json(writer, "extracted", step->json);
        put_json(writer, "record", step->after.size ? step->after : SLICE_LITERAL("null"));
    } else {
        put_json(writer, kinds[step->kind], step->json);
    }
    json_end_object(writer);
}

/* --- all of it -------------------------------------------------------------------------------------------
 */

/* What the records are like that came out. */
static struct shape *infer(const struct trial *trial, const char *stream)
{
    const struct shape_limits limits = {0};
    struct shape *shape = shape_new_nothing();
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < trial->count; i++) {
        const struct trial_step *step = &trial->steps[i];
        struct json doc;
        struct error unused;
        if (step->kind == TRIAL_RECORD && step->after.size && strcmp(step->stream, stream) == 0 &&
            json_parse_copy(&arena, step->after.data, step->after.size, &doc, &unused) == 0)
            shape_widen(shape, limits, &doc, 0);
        arena_clear(&arena);
    }
    arena_done(&arena);
    return shape;
}

static size_t count_records(const struct trial *trial, const char *stream)
{
    size_t count = 0;
    for (size_t i = 0; i < trial->count; i++)
        count += trial->steps[i].kind == TRIAL_RECORD && trial->steps[i].after.size &&
                 strcmp(trial->steps[i].stream, stream) == 0;
    return count;
}

static void print_json(struct output *output, const struct trial *trial, const char *stream,
                       const struct error *err)
{
    struct json_writer writer;
    mem_auto(shape_free) struct shape *shape = infer(trial, stream);
    json_writer_init(&writer, &output->buffer);
    json_begin_object(&writer);
    json_member_bool(&writer, "ok", err == NULL);
    if (err) {
        json_put_key(&writer, "error");
        output_json_error(&writer, err);
    }
    json_member_u64(&writer, "records", count_records(trial, stream));
    json_put_key(&writer, "steps");
    json_begin_array(&writer);
    for (size_t i = 0; i < trial->count; i++)
        put_step(&writer, &trial->steps[i]);
    json_end_array(&writer);
    if (trial->schema.size)
        json_member_raw(&writer, "schema", trial->schema);
    json_put_key(&writer, "inferred_schema");
    shape_write(shape, true, &writer);
    json_end_object(&writer);
    output_str(output, "\n");
}

static void print_text(struct output *output, const struct trial *trial, const char *stream)
{
    struct json_writer writer;
    size_t count = count_records(trial, stream);
    for (size_t i = 0; i < trial->count; i++)
        print_step(output, &trial->steps[i], stream);
    output_printf(output, "%zu record%s\n", count, count == 1 ? "" : "s");
    if (count == 0)
        return;
    mem_auto(shape_free) struct shape *shape = infer(trial, stream);
    output_str(output, "schema of these records ");
    json_writer_init(&writer, &output->buffer);
    shape_write(shape, true, &writer);
    output_str(output, "\n");
}

static int prepare(const char *path, const struct manifest_options *options, struct arena *arena,
                   struct manifest **ret_manifest, struct trial_settings *settings, struct error *err)
{
    struct yaml_document file;
    if (!options->stream)
        return error_set(err, ERROR_INVALID, "which stream? --stream NAME says it");
    *settings = (struct trial_settings){
        .stream = options->stream,
        .config = SLICE_LITERAL("{}"),
        .limits = {.pages_per_slice = or (&options->pages, PAGES),
                   .slices = or (&options->slices, SLICES),
                   .records = or (&options->limit, RECORDS),
                   .no_retries = true,
                   .no_cache = true},
    };
    if (manifest_load_telling(arena, path, ret_manifest, err) < 0 ||
        (options->config && read_json(options->config, arena, &settings->config, &file, err) < 0))
        return -1;
    return options->state ? read_state(options->state, options->stream, arena, &settings->state, err) : 0;
}

int manifest_test(struct cli *cli, const char *path, const struct manifest_options *options)
{
    struct trial_settings settings;
    struct manifest *manifest;
    struct output output;
    struct trial trial;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    int code = CLI_OK;
    if (prepare(path, options, &arena, &manifest, &settings, &err) < 0) {
        code = cli_fail(cli, &err);
        arena_done(&arena);
        return code;
    }
    bool right = manifest_trial_run(manifest, &settings, &arena, &trial, &err) == 0;
    output_init(&output, STDOUT_FILENO);
    if (cli->json)
        print_json(&output, &trial, settings.stream, right ? NULL : &err);
    else
        print_text(&output, &trial, settings.stream);
    if (!right)
        code = cli->json ? cli_exit_code(err.code) : cli_fail(cli, &err);
    manifest_trial_done(&trial);
    arena_done(&arena);
    return output_finish(&output, cli, code);
}
