/* Any line through the readers of both of Flow's protocols; what they accept is written, read again, and
 * written the same. A state takes whatever object the line holds, as a patch and as a replacement. */
#include "protocol/flow_capture.h"
#include "protocol/flow_materialize.h"
#include "protocol/flow_state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct json_parser *parser, *second;
    struct arena arena;
    struct buffer out, again;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* One of the four kinds of lines: read and written into `out`; false if it is none of these. */
typedef bool translator(struct fuzz *fuzz, const struct json *line, struct buffer *out);

static bool capture_request(struct fuzz *fuzz, const struct json *line, struct buffer *out)
{
    struct flow_capture_request message;
    struct error err;
    if (flow_capture_read_request(line, &fuzz->arena, &message, &err) < 0)
        return false;
    flow_capture_write_request(out, &message);
    return true;
}

static bool capture_response(struct fuzz *fuzz, const struct json *line, struct buffer *out)
{
    struct flow_capture_response message;
    struct error err;
    if (flow_capture_read_response(line, &fuzz->arena, &message, &err) < 0)
        return false;
    flow_capture_write_response(out, &message);
    return true;
}

static bool materialize_request(struct fuzz *fuzz, const struct json *line, struct buffer *out)
{
    struct flow_materialize_request message;
    struct error err;
    if (flow_materialize_read_request(line, &fuzz->arena, &message, &err) < 0)
        return false;
    flow_materialize_write_request(out, &message);
    return true;
}

static bool materialize_response(struct fuzz *fuzz, const struct json *line, struct buffer *out)
{
    struct flow_materialize_response message;
    struct flow_projection_constraints constraints;
    struct error err;
    if (flow_materialize_read_response(line, &fuzz->arena, &message, &err) < 0)
        return false;
    if (message.type == FLOW_MATERIALIZE_VALIDATED) {
        for (size_t i = 0; i < message.validated.bindings.count; i++)
            flow_validated_constraints(&message.validated.bindings.items[i], &fuzz->arena, &constraints,
                                       &err);
    }
    flow_materialize_write_response(out, &message);
    return true;
}

static void fuzz_line(struct fuzz *fuzz, const struct json *line, translator *translate)
{
    struct json doc;
    struct error err;
    buffer_clear(&fuzz->out);
    buffer_clear(&fuzz->again);
    if (!translate(fuzz, line, &fuzz->out))
        return;
    require(memchr(fuzz->out.data, '\n', fuzz->out.size) == fuzz->out.data + fuzz->out.size - 1);
    require(json_parse(fuzz->second, fuzz->out.data, fuzz->out.size, &doc, &err) == 0);
    require(translate(fuzz, &doc, &fuzz->again));
    require(fuzz->out.size == fuzz->again.size &&
            memcmp(fuzz->out.data, fuzz->again.data, fuzz->out.size) == 0);
}

/* As a patch of nothing and of itself it is an object without nulls that JSON's reader takes. */
static void fuzz_state(struct fuzz *fuzz, struct slice raw)
{
    mem_auto(flow_state_free) struct flow_state *state = flow_state_new();
    const struct flow_connector_state patch = {raw, true}, replacement = {raw, false};
    struct json doc;
    struct error err;
    if (flow_state_apply(state, &patch, &err) < 0)
        return;
    for (int i = 0; i < 3; i++) {
        buffer_clear(&fuzz->out);
        flow_state_write(state, &fuzz->out);
        require(json_parse(fuzz->second, fuzz->out.data, fuzz->out.size, &doc, &err) == 0);
        require(json_is(&doc, 0, JSON_OBJECT));
        require(flow_state_load(state, &doc, 0, &err) == 0);
        require(flow_state_apply(state, i ? &replacement : &patch, &err) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static translator *const kinds[] = {capture_request, capture_response, materialize_request,
                                        materialize_response};
    struct fuzz fuzz = {
        .parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS),
        .second = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS),
    };
    struct json line;
    struct error err;
    arena_init(&fuzz.arena);
    buffer_init(&fuzz.out, BUFFER_UNLIMITED);
    buffer_init(&fuzz.again, BUFFER_UNLIMITED);
    if (json_parse(fuzz.parser, (const char *)data, size, &line, &err) == 0) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            fuzz_line(&fuzz, &line, kinds[i]);
        fuzz_state(&fuzz, json_raw(&line, 0));
    }
    buffer_done(&fuzz.out);
    buffer_done(&fuzz.again);
    arena_done(&fuzz.arena);
    json_parser_free(fuzz.parser);
    json_parser_free(fuzz.second);
    return 0;
}
