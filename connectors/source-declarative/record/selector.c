#include "selector.h"

#include "decode.h"
#include "extractor.h"
#include "normalize.h"

struct record_selector {
    const struct engine *engine;
    struct component where;
    struct extractor *extractor;
    struct expression condition; /* of the filter; absent: none */
    struct transformations *transformations;
    const struct record_gate *client_side;
    const char *stream_name;
    bool transform_first, normalize;
};

static int compile_filter(struct record_selector *selector, struct engine *engine, struct component filter,
                          struct error *err)
{
    if (component_is_none(filter))
        return 0;
    if (!component_is(filter, "RecordFilter")) {
        error_set(err, ERROR_UNSUPPORTED, "it is no filter that Firth has");
        return component_error(err, filter);
    }
    return expression_compile(engine, filter, "condition", &selector->condition, err);
}

int record_selector_compile(struct engine *engine, struct component component,
                            const struct selector_settings *settings, struct record_selector **ret_selector,
                            struct error *err)
{
    struct record_selector *selector = arena_zalloc(&engine->arena, sizeof *selector);
    *selector = (struct record_selector){
        .engine = engine,
        .where = component,
        .client_side = settings->client_side,
        .stream_name = settings->stream_name,
    };
    struct component extractor = component_get(component, "extractor");
    struct component first = component_get(component, "transform_before_filtering");
    struct slice normalization = component_text(component, "schema_normalization");
    /* With a client-side filter it is the default: the cursor's field may be made by a transformation. */
    selector->transform_first = component_is_none(first)
                                    ? settings->client_side != NULL
                                    : component_bool(component, "transform_before_filtering");
    selector->normalize = normalization.data && slice_is(normalization, "Default");
    if (extractor_compile(engine, extractor, &selector->extractor, err) != 0 ||
        compile_filter(selector, engine, component_get(component, "record_filter"), err) != 0 ||
        transformations_compile(engine, settings->transformations, &selector->transformations, err) != 0)
        return -1;
    extractor_tell_dropped(selector->extractor);
    *ret_selector = selector;
    return 0;
}

int record_selector_of_extractor(struct engine *engine, struct component where, struct component extractor,
                                 const char *stream_name, struct record_selector **ret_selector,
                                 struct error *err)
{
    struct component none = {where.manifest, JSON_NONE};
    struct record_selector *selector = arena_zalloc(&engine->arena, sizeof *selector);
    *selector = (struct record_selector){.engine = engine, .where = where, .stream_name = stream_name};
    *ret_selector = selector;
    if (extractor_compile(engine, extractor, &selector->extractor, err) != 0)
        return -1;
    extractor_tell_dropped(selector->extractor);
    return transformations_compile(engine, none, &selector->transformations, err);
}

static int takes(const struct record_selector *selector, const struct selection_call *call,
                 struct arena *arena, const struct record *record, bool *ret_takes, struct error *err)
{
    *ret_takes =
        !selector->client_side || selector->client_side->takes(selector->client_side->context, record);
    if (!*ret_takes || expression_is_absent(&selector->condition))
        return 0;
    struct scope scope;
    scope_init(&scope, selector->engine);
    scope_set(&scope, "record", record->data);
    scope_set_slice(&scope, call->stream_slice);
    scope_set(&scope, "next_page_token", call->next_page_token);
    return expression_bool(&selector->condition, &scope, true, arena, ret_takes, err);
}

int record_selector_apply(const struct record_selector *selector, const struct selection_call *call,
                          struct arena *arena, struct record *record, bool *ret_takes, struct error *err)
{
    *ret_takes = true;
    if (!selector->transform_first && takes(selector, call, arena, record, ret_takes, err) != 0)
        return -1;
    if (!*ret_takes)
        return 0;
    if (transformations_run(selector->transformations, call->stream_slice, arena, &record->data, err) != 0)
        return -1;
    if (selector->transform_first && takes(selector, call, arena, record, ret_takes, err) != 0)
        return -1;
    if (*ret_takes && selector->normalize && call->schema)
        normalize_value(arena, &record->data, call->schema, 0);
    return 0;
}

/* One run over a body. A record lives until the one after the next and as long as the decoding, which has two
 * arenas for them, in turn. */
struct run {
    const struct record_selector *selector;
    const struct selection_call *call;
    struct decoding *decoding;
    bool keeps;
    record_sink *on_record;
    void *context;
    size_t extracted;
};

static int on_value(void *context, struct tvalue value, struct error *err)
{
    struct run *run = context;
    struct decoding_records *records = &run->decoding->records;
    struct arena *arena = &records->arenas[records->turn];
    struct record *record = &records->given[records->turn];
    bool wanted;
    run->extracted++;
    if (value.kind == TVALUE_UNDEFINED) /* empty, and skipped */
        return 0;
    if (!tvalue_is_mapping(&value)) {
        error_set(err, ERROR_PROTOCOL, "the response has a %s where a record should be: see field_path",
                  tvalue_type(&value));
        return component_error(err, run->selector->where);
    }
    const struct engine_output *output = &run->selector->engine->output;
    if (output->extracted)
        output->extracted(output->context, run->selector->stream_name, &value);
    arena_clear(arena);
    *record = (struct record){
        .data = value, .stream_slice = run->call->stream_slice, .stream_name = run->selector->stream_name};
    if (record_selector_apply(run->selector, run->call, arena, record, &wanted, err) != 0)
        return -1;
    if (output->selected)
        output->selected(output->context, run->selector->stream_name, wanted ? &record->data : NULL);
    if (!wanted)
        return 0;
    if (!run->keeps)
        record->data = value_copy(arena, &record->data);
    records->turn ^= 1;
    return run->on_record(run->context, record, err);
}

int record_selector_run(const struct record_selector *selector, const struct selection_call *call,
                        struct decoding *decoding, record_sink *on_record, void *context,
                        size_t *ret_extracted, struct error *err)
{
    struct run run = {
        .selector = selector,
        .call = call,
        .decoding = decoding,
        .keeps = decoder_keeps(decoding_decoder(decoding)),
        .on_record = on_record,
        .context = context,
    };
    struct arena *scratch = &decoding->records.scratch;
    struct tvalue document;
    int more, result = 0;
    while (result == 0 && (more = decoding_next(decoding, &document, err)) != 0) {
        if (!run.keeps)
            arena_clear(scratch);
        result = more < 0 ? -1 : extractor_run(selector->extractor, &document, scratch, on_value, &run, err);
    }
    *ret_extracted = run.extracted;
    return result;
}
