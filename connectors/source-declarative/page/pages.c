#include "pages.h"

#include "list.h"
#include "paginator.h"
#include "properties.h"
#include "reset.h"

struct pages {
    struct engine *engine;
    struct component where;
    struct pages_settings settings;
    struct requester *requester;
    struct decoder *decoder;
    struct record_selector *selector;
    struct paginator *paginator;
    struct query_properties *properties; /* NULL: none */
    struct page_reset reset;
    struct size_reduction reduction;
    struct window_splitting splitting;
    bool slicer_on_first_page_only;
};

/* One slice being read. */
struct reading {
    const struct pages *pages;
    struct tvalue slice;
    const struct json *schema;
    record_sink *on_record;
    void *context;
    struct arena arena;     /* of the slice */
    struct arena tokens[2]; /* of this page's token and the next one's */
    unsigned turn;
    struct tvalue token;
    struct reset_state reset;
    struct reduction_state reduction;
    bool lazy;                       /* the next page is there already, in the slice */
    size_t page_count, record_count; /* of the slice; for limits of the engine */
};

/* One page of it. */
struct page {
    struct reading *reading;
    struct arena arena;
    struct scope scope;
    struct page_result result;
    struct record last;
    struct tvalue names;  /* of the properties that are asked for; none: there are none */
    struct tvalue slice;  /* with them */
    struct tvalue merged; /* records in parts, by their keys; none: all are whole */
    bool again;           /* the same page, with a smaller size */
};

enum { SPLITS_MAX = 64 }; /* windows within windows */

static struct tvalue token_dict(struct arena *arena, struct tvalue token)
{
    if (token.kind == TVALUE_NONE)
        return token;
    struct tvalue dict = tvalue_dict(arena);
    tdict_set_name(arena, dict.dict, "next_page_token", token);
    return dict;
}

/* --- asking ----------------------------------------------------------------------------------------------
 */

static int add_options(struct page *page, struct options *options, struct slice *ret_path, struct error *err)
{
    const struct reading *reading = page->reading;
    const struct pages *pages = reading->pages;
    const struct pages_hooks *hooks = &pages->settings.hooks;
    options_new(options, &page->arena);
    options->who = "the paginator";
    if (paginator_add(pages->paginator, &page->scope, reading->token, reading->reduction.page_size, options,
                      ret_path, err) != 0)
        return component_error(err, pages->where);
    bool paginated = reading->token.kind != TVALUE_NONE;
    if (!hooks->add_options || (paginated && pages->slicer_on_first_page_only))
        return 0;
    options->who = "the partition router or the cursor";
    return hooks->add_options(hooks->context, &page->scope, reading->slice, options, err);
}

static int ask(struct page *page, struct answer **ret_answer, struct error *err)
{
    const struct reading *reading = page->reading;
    struct options options;
    struct request_call call = {
        .stream_slice = page->slice,
        .next_page_token = token_dict(&page->arena, reading->token),
        .options = &options,
        .stream_body = decoder_is_stream(reading->pages->decoder),
    };
    if (add_options(page, &options, &call.path, err) != 0)
        return -1;
    if (page->names.kind != TVALUE_NONE &&
        query_properties_add(reading->pages->properties, page->names, &options, err) != 0)
        return -1;
    return requester_send(reading->pages->requester, &call, ret_answer, err);
}

/* --- records ---------------------------------------------------------------------------------------------
 */

static int give(struct page *page, struct record *record, struct error *err)
{
    struct reading *reading = page->reading;
    const struct record_gate *gate = reading->pages->settings.post_filter;
    size_t limit = reading->pages->engine->limits.records;
    page->result.records++;
    page->last = *record;
    page->result.last = &page->last;
    if (gate && !gate->takes(gate->context, record))
        return 0;
    if (limit && reading->record_count >= limit)
        return 0;
    reading->record_count++;
    reading->reset.records++;
    return reading->on_record(reading->context, record, err);
}

static int on_record(void *context, struct record *record, struct error *err)
{
    struct page *page = context;
    struct tvalue key = tvalue_none(), whole = tvalue_none();
    if (page->merged.kind != TVALUE_NONE)
        key = query_properties_key(page->reading->pages->properties, &page->arena, &record->data);
    if (key.kind == TVALUE_NONE)
        return give(page, record, err);
    if (!tdict_get(page->merged.dict, &key, &whole))
        whole = tvalue_none();
    properties_merge(&page->arena, &whole, &record->data);
    tdict_set(&page->arena, page->merged.dict, key, whole);
    return 0;
}

/* Once all requests of a page have brought their parts. */
static int give_merged(struct page *page, struct error *err)
{
    struct record record = {.stream_slice = page->slice,
                            .stream_name = page->reading->pages->settings.stream_name};
    struct titer iter;
    struct tvalue key;
    if (page->merged.kind == TVALUE_NONE)
        return 0;
    titer_init(&iter, &page->arena, page->merged);
    while (titer_next(&iter, &key)) {
        record.data = iter.of_key;
        if (give(page, &record, err) != 0)
            return -1;
    }
    return 0;
}

static int read_records(struct page *page, struct answer *answer, struct decoding **ret_decoding,
                        struct error *err)
{
    const struct reading *reading = page->reading;
    struct selection_call call = {
        .stream_slice = reading->slice, /* without the properties, as in the CDK */
        .next_page_token = token_dict(&page->arena, reading->token),
        .schema = reading->schema,
    };
    page->result.answer = answer;
    page->result.token = reading->token;
    page->result.page_size = reading->reduction.page_size;
    page->result.body = tvalue_dict(&page->arena);
    if (decoding_begin(reading->pages->decoder, answer, ret_decoding, err) != 0)
        return -1;
    if (record_selector_run(reading->pages->selector, &call, *ret_decoding, on_record, page,
                            &page->result.extracted, err) != 0)
        return -1;
    decoding_first(*ret_decoding, &page->result.body);
    return 0;
}

/* --- going on --------------------------------------------------------------------------------------------
 */

static void set_token(struct reading *reading, struct tvalue token)
{
    struct arena *arena = &reading->tokens[reading->turn ^= 1];
    arena_clear(arena);
    reading->token = value_copy(arena, &token);
}

/* Where the next page is. *ret_more: there is one. */
static int go_on(struct page *page, bool *ret_more, struct error *err)
{
    struct reading *reading = page->reading;
    const struct pages *pages = reading->pages;
    const struct pages_hooks *hooks = &pages->settings.hooks;
    *ret_more = false;
    if (page->result.last && hooks->is_old && hooks->is_old(hooks->context, page->result.last))
        return 0;
    struct tvalue token;
    if (paginator_next(pages->paginator, &page->scope, &page->result, &page->arena, &token, err) != 0)
        return -1;
    size_t limit = pages->engine->limits.pages_per_slice;
    if (token.kind == TVALUE_NONE || (limit && ++reading->page_count >= limit))
        return 0;
    set_token(reading, token);
    reduction_succeeded(&pages->reduction, &reading->reduction);
    *ret_more = true;
    return 0;
}

/* From the first page again, of the same slice or of what is left of it. */
static int start_again(struct reading *reading, struct error *err)
{
    const struct pages *pages = reading->pages;
    if (reset_slice(&pages->reset, &reading->reset, &pages->settings.hooks, &reading->arena, &reading->slice,
                    err) != 0)
        return component_error(err, pages->where);
    set_token(reading, paginator_initial_token(pages->paginator));
    return 0;
}

static int read_slice(const struct reading *like, struct tvalue slice, unsigned splits, struct error *err);

/* Smaller windows in place of this slice. */
static int split(struct reading *reading, unsigned splits, struct error *err)
{
    const struct pages *pages = reading->pages;
    const struct pages_hooks *hooks = &pages->settings.hooks;
    struct tvalue slices = tvalue_none();
    if (hooks->split_slice && splits > 0 &&
        hooks->split_slice(hooks->context, reading->slice, &reading->arena, &slices, err) != 0)
        return -1;
    if (slices.kind == TVALUE_NONE)
        return splitting_failed(&pages->splitting, pages->where, err);
    for (size_t i = 0; i < tvalue_count(&slices); i++) {
        if (read_slice(reading, tvalue_at(&reading->arena, &slices, i), splits - 1, err) != 0)
            return -1;
    }
    return 0;
}

enum step { STEP_FAILED = -1, STEP_END, STEP_MORE, STEP_RESET, STEP_SPLIT };

static void let_go(struct answer **answer, struct decoding **decoding)
{
    decoding_end(*decoding);
    answer_free(*answer);
    *decoding = NULL;
    *answer = NULL;
}

/* The first page of a child, as the parent's record has it. */
static bool is_there(struct page *page, struct answer **ret_answer)
{
    struct reading *reading = page->reading;
    struct tvalue children;
    bool lazy = reading->lazy;
    reading->lazy = false;
    if (!lazy || reading->slice.kind != TVALUE_OBJECT)
        return false;
    for (uint32_t i = 0; i < reading->slice.object->attribute_count; i++) {
        const struct tattribute *attribute = &reading->slice.object->attributes[i];
        if (strcmp(attribute->name, "extra_fields") != 0 ||
            !tvalue_member_name(&page->arena, &attribute->value, SLICE_LITERAL(PAGES_CHILD_RESPONSE),
                                &children))
            continue;
        *ret_answer = answer_of_value(&children);
        return true;
    }
    return false;
}

/* One request of the page. STEP_MORE: what it brought has been read; STEP_END: it is to be ignored. */
static enum step step_of_request(struct page *page, struct answer **answer, struct decoding **decoding,
                                 struct error *err)
{
    struct reading *reading = page->reading;
    const struct pages *pages = reading->pages;
    if (!is_there(page, answer) && ask(page, answer, err) != 0)
        return STEP_FAILED;
    switch ((*answer)->action) {
    case ANSWER_IGNORE:
        return STEP_END;
    case ANSWER_RESET_PAGINATION:
        return STEP_RESET;
    case ANSWER_SPLIT_WINDOW:
        return STEP_SPLIT;
    case ANSWER_REDUCE_PAGE_SIZE:
        page->again = true;
        return reduce_page_size(&pages->reduction, &reading->reduction, pages->engine,
                                paginator_page_size(pages->paginator), pages->where, err) == 0
                   ? STEP_MORE
                   : STEP_FAILED;
    case ANSWER_SUCCESS:
        break;
    }
    return read_records(page, *answer, decoding, err) == 0 ? STEP_MORE : STEP_FAILED;
}

/* The page's requests: one, or one for each chunk of properties. What the last one answered counts. */
static enum step step_of_requests(struct page *page, struct answer **answer, struct decoding **decoding,
                                  struct error *err)
{
    struct query_properties *properties = page->reading->pages->properties;
    enum step step = STEP_END;
    struct tvalue chunks;
    if (!properties)
        return step_of_request(page, answer, decoding, err);
    if (query_properties_chunks(properties, &chunks, err) != 0)
        return STEP_FAILED;
    for (size_t i = 0; i < tvalue_count(&chunks); i++) {
        if (page->result.last) /* the paginator may want it yet */
            page->last.data = value_copy(&page->arena, &page->last.data);
        let_go(answer, decoding);
        page->names = tvalue_at(&page->arena, &chunks, i);
        page->slice = query_properties_slice(&page->arena, page->reading->slice, page->names);
        step = step_of_request(page, answer, decoding, err);
        if (page->again || (step != STEP_MORE && step != STEP_END))
            return step;
    }
    return give_merged(page, err) == 0 ? step : STEP_FAILED;
}

static enum step step_of_page(struct page *page, struct error *err)
{
    struct reading *reading = page->reading;
    mem_auto(answer_free) struct answer *answer = NULL;
    mem_auto(decoding_end) struct decoding *decoding = NULL;
    enum step step = step_of_requests(page, &answer, &decoding, err);
    bool more;
    if (step != STEP_MORE || page->again)
        return step;
    if (reset_is_due(&reading->pages->reset, &reading->reset))
        return STEP_RESET;
    if (go_on(page, &more, err) != 0)
        return STEP_FAILED;
    return more ? STEP_MORE : STEP_END;
}

static enum step read_page(struct reading *reading, struct error *err)
{
    struct page page = {.reading = reading, .names = tvalue_none(), .slice = reading->slice};
    arena_init(&page.arena);
    page.merged =
        query_properties_merge(reading->pages->properties) ? tvalue_dict(&page.arena) : tvalue_none();
    scope_init(&page.scope, reading->pages->engine);
    scope_set_slice(&page.scope, reading->slice);
    enum step step = step_of_page(&page, err);
    arena_done(&page.arena);
    return step;
}

static int read_slice(const struct reading *like, struct tvalue slice, unsigned splits, struct error *err)
{
    struct reading reading = {
        .pages = like->pages,
        .slice = slice,
        .schema = like->schema,
        .on_record = like->on_record,
        .context = like->context,
    };
    arena_init(&reading.arena);
    arena_init(&reading.tokens[0]);
    arena_init(&reading.tokens[1]);
    const struct pages_hooks *hooks = &reading.pages->settings.hooks;
    reading.lazy = hooks->is_lazy && hooks->is_lazy(hooks->context);
    reading.token = reading.lazy ? tvalue_none() : paginator_initial_token(reading.pages->paginator);
    enum step step = STEP_MORE;
    while (step == STEP_MORE) {
        step = read_page(&reading, err);
        if (step == STEP_RESET)
            step = start_again(&reading, err) == 0 ? STEP_MORE : STEP_FAILED;
    }
    if (step == STEP_SPLIT)
        step = split(&reading, splits, err) == 0 ? STEP_END : STEP_FAILED;
    arena_done(&reading.arena);
    arena_done(&reading.tokens[0]);
    arena_done(&reading.tokens[1]);
    return step == STEP_END ? 0 : -1;
}

int pages_read(const struct pages *pages, struct tvalue stream_slice, const struct json *schema,
               record_sink *sink, void *context, struct error *err)
{
    struct reading like = {.pages = pages, .schema = schema, .on_record = sink, .context = context};
    return read_slice(&like, stream_slice, SPLITS_MAX, err);
}

/* --- compiling -------------------------------------------------------------------------------------------
 */

static int compile_parts(struct engine *engine, struct pages *pages, const struct pages_parts *parts,
                         struct error *err)
{
    const char *name = pages->settings.stream_name;
    engine->lists = &page_lists;
    if (requester_compile(engine, parts->requester, name, &pages->requester, err) != 0 ||
        query_properties_compile(engine, parts->requester, pages->requester, name, &pages->properties, err) !=
            0 ||
        decoder_compile(engine, parts->decoder, &pages->decoder, err) != 0)
        return -1;
    return paginator_compile(engine, parts->paginator, parts->decoder, &pages->paginator, err);
}

int pages_compile_parts(struct engine *engine, struct component where, const struct pages_parts *parts,
                        const struct pages_settings *settings, struct pages **ret_pages, struct error *err)
{
    struct pages *pages = arena_zalloc(&engine->arena, sizeof *pages);
    *pages = (struct pages){.engine = engine, .where = where, .settings = *settings};
    *ret_pages = pages;
    if (compile_parts(engine, pages, parts, err) != 0)
        return -1;
    return record_selector_of_extractor(engine, where, parts->extractor, settings->stream_name,
                                        &pages->selector, err);
}

int pages_compile(struct engine *engine, struct component component, const struct pages_settings *settings,
                  struct pages **ret_pages, struct error *err)
{
    if (!component_is(component, "SimpleRetriever")) {
        error_set(err, ERROR_UNSUPPORTED, "this retriever is not one that Firth has");
        return component_error(err, component);
    }
    struct pages *pages = arena_zalloc(&engine->arena, sizeof *pages);
    *pages = (struct pages){.engine = engine, .where = component, .settings = *settings};
    struct selector_settings selecting = {
        .stream_name = settings->stream_name,
        .transformations = settings->transformations,
        .client_side = settings->client_side,
    };
    const struct pages_parts parts = {
        .requester = component_get(component, "requester"),
        .decoder = component_get(component, "decoder"),
        .paginator = component_get(component, "paginator"),
    };
    if (compile_parts(engine, pages, &parts, err) != 0 ||
        record_selector_compile(engine, component_get(component, "record_selector"), &selecting,
                                &pages->selector, err) != 0 ||
        page_reset_compile(component_get(component, "pagination_reset"), &pages->reset, err) != 0 ||
        size_reduction_compile(engine, component_get(component, "page_size_reduction"), &pages->reduction,
                               err) != 0 ||
        window_splitting_compile(engine, component_get(component, "request_window_splitting"),
                                 &pages->splitting, err) != 0)
        return -1;
    pages->slicer_on_first_page_only =
        component_bool(component, "ignore_stream_slicer_parameters_on_paginated_requests");
    *ret_pages = pages;
    return 0;
}
