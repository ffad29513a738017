/* Any line through the decoder; what it accepts goes on through everything that handles such a message, and
 * what that writes must read back. */
#include "protocol/airbyte_catalog.h"
#include "protocol/airbyte_state.h"
#include "protocol/airbyte_write.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct json_parser *parser, *second;
    struct arena arena;
    struct buffer out;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Parse what was written; the document's nodes live until the second parser's next call. */
static struct json written(struct fuzz *fuzz)
{
    struct json doc;
    struct error err;
    require(json_parse(fuzz->second, fuzz->out.data, fuzz->out.size, &doc, &err) == 0);
    return doc;
}

static void fuzz_state(struct fuzz *fuzz, const struct json *line, const struct airbyte_message *message)
{
    struct error err;
    struct airbyte_message again;
    struct airbyte_state_id id = airbyte_state_identity(line, message);
    buffer_clear(&fuzz->out);
    airbyte_write_state_echo(&fuzz->out, line, message, 7);
    struct json doc = written(fuzz);
    require(airbyte_decode(&doc, &fuzz->arena, &again, &err) == 0);
    require(airbyte_state_id_equal(id, airbyte_state_identity(&doc, &again)));

    mem_auto(airbyte_states_free) struct airbyte_states *states = airbyte_states_new();
    mem_auto(airbyte_states_free) struct airbyte_states *loaded = airbyte_states_new();
    require(airbyte_states_apply(states, line, message, &err) == 0);
    buffer_clear(&fuzz->out);
    airbyte_states_write(&fuzz->out, states);
    doc = written(fuzz);
    require(airbyte_states_load(loaded, &doc, 0, &err) == 0);
    require(airbyte_states_empty(states) == airbyte_states_empty(loaded));
    struct buffer again_out;
    buffer_init(&again_out, BUFFER_UNLIMITED);
    airbyte_states_write(&again_out, loaded);
    require(again_out.size == fuzz->out.size && memcmp(again_out.data, fuzz->out.data, again_out.size) == 0);
    buffer_done(&again_out);
    airbyte_states_stream(states, message->state.stream);
    airbyte_states_reset_stream(states, message->state.stream);
    require(airbyte_states_stream(states, message->state.stream).size == 0);
}

static void fuzz_catalogs(struct fuzz *fuzz, const struct json *doc, uint32_t at)
{
    struct error err;
    struct airbyte_catalog catalog, again;
    struct airbyte_configured_catalog configured, configured_again;
    if (airbyte_catalog_read(doc, at, &fuzz->arena, &catalog, &err) == 0) {
        for (size_t i = 0; i < catalog.count; i += 2)
            catalog.streams[i].raw = (struct slice){0};
        buffer_clear(&fuzz->out);
        airbyte_catalog_write(&fuzz->out, &catalog);
        struct json second = written(fuzz);
        require(airbyte_catalog_read(&second, 0, &fuzz->arena, &again, &err) == 0 &&
                again.count == catalog.count);
    }
    if (airbyte_configured_catalog_read(doc, at, &fuzz->arena, &configured, &err) == 0) {
        buffer_clear(&fuzz->out);
        airbyte_configured_catalog_write(&fuzz->out, &configured);
        struct json second = written(fuzz);
        require(airbyte_configured_catalog_read(&second, 0, &fuzz->arena, &configured_again, &err) == 0 &&
                configured_again.count == configured.count);
    }
}

static void fuzz_record(struct fuzz *fuzz, const struct json *line, const struct airbyte_message *message)
{
    struct error err;
    struct airbyte_message again;
    buffer_clear(&fuzz->out);
    airbyte_write_record(&fuzz->out, message->record.stream, 1, json_raw(line, message->record.data));
    struct json doc = written(fuzz);
    require(airbyte_decode(&doc, &fuzz->arena, &again, &err) == 0 && again.type == AIRBYTE_RECORD);
    require(airbyte_stream_name_equal(again.record.stream, message->record.stream));
    require(slice_equal(json_raw(&doc, again.record.data), json_raw(line, message->record.data)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {
        .parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS),
        .second = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS),
    };
    struct json line;
    struct error err;
    struct airbyte_message message;
    arena_init(&fuzz.arena);
    buffer_init(&fuzz.out, BUFFER_UNLIMITED);
    if (json_parse(fuzz.parser, (const char *)data, size, &line, &err) == 0) {
        mem_auto(airbyte_states_free) struct airbyte_states *states = airbyte_states_new();
        airbyte_states_load(states, &line, 0, &err);
        fuzz_catalogs(&fuzz, &line, 0);
        if (airbyte_decode(&line, &fuzz.arena, &message, &err) == 0) {
            if (message.type == AIRBYTE_STATE)
                fuzz_state(&fuzz, &line, &message);
            else if (message.type == AIRBYTE_RECORD)
                fuzz_record(&fuzz, &line, &message);
            else if (message.type == AIRBYTE_CATALOG)
                fuzz_catalogs(&fuzz, &line, message.payload);
        }
    }
    buffer_done(&fuzz.out);
    arena_done(&fuzz.arena);
    json_parser_free(fuzz.parser);
    json_parser_free(fuzz.second);
    return 0;
}
