/* Rules of what reads a stream, whose parts are right by themselves and do not go together. */
#include "rules.h"

#include "source-declarative/template/interpolate.h"

#include <stdlib.h>

static const char REDUCE[] = "REDUCE_PAGE_SIZE", SPLIT[] = "SPLIT_REQUEST_WINDOW";

/* --- what answers ask for --------------------------------------------------------------------------- */

static bool handler_gives(struct checking *checking, uint32_t handler, const char *action)
{
    const struct json *doc = &checking->manifest->doc;
    bool is_composite = rule_is_a(checking, handler, NULL, "CompositeErrorHandler");
    uint32_t list = rule_get(checking, handler, is_composite ? "error_handlers" : "response_filters");
    for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each))
        if (is_composite ? handler_gives(checking, each, action)
                         : json_string_is(doc, rule_get(checking, each, "action"), action))
            return true;
    return false;
}

/* Of a handler that is Python nothing is known. */
static bool requester_gives(struct checking *checking, uint32_t requester, const char *action)
{
    uint32_t handler = rule_get(checking, requester, "error_handler");
    return rule_is_a(checking, requester, NULL, "HttpRequester") &&
           (rule_is_a(checking, handler, NULL, "CompositeErrorHandler") ||
            rule_is_a(checking, handler, NULL, "DefaultErrorHandler")) &&
           handler_gives(checking, handler, action);
}

/* Requests that have neither pages nor windows. */
static void no_page(struct checking *checking, uint32_t at, const char *field)
{
    uint32_t requester = rule_get(checking, at, field);
    const char *const actions[] = {REDUCE, SPLIT};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (requester_gives(checking, requester, actions[i]))
            check_error(checking, requester, "%s is for the requester of a SimpleRetriever alone",
                        actions[i]);
}

static void session_rules(struct checking *checking, uint32_t at)
{
    no_page(checking, at, "login_requester");
}

/* --- decoders ----------------------------------------------------------------------------------------- */

/* A next page is found in the response as a whole. */
static bool decoder_pages(struct checking *checking, uint32_t decoder)
{
    return decoder == JSON_NONE || rule_is_a(checking, decoder, NULL, "JsonDecoder") ||
           rule_is_a(checking, decoder, NULL, "XmlDecoder") ||
           (rule_is_a(checking, decoder, NULL, "GzipDecoder") &&
            rule_is_a(checking, decoder, "decoder", "JsonDecoder"));
}

static void paging_rules(struct checking *checking, uint32_t at, const char *paginator, const char *decoder)
{
    uint32_t pages = rule_get(checking, at, paginator);
    if (rule_is_a(checking, pages, NULL, "DefaultPaginator") &&
        !decoder_pages(checking, rule_get(checking, at, decoder)))
        check_error(checking, pages,
                    "pages go with a JsonDecoder, an XmlDecoder, and a GzipDecoder of a JsonDecoder");
}

/* What is read as it comes can be read once. */
static void combined_rules(struct checking *checking, uint32_t extractor, uint32_t decoder)
{
    static const char *const streaming[] = {"CsvDecoder", "JsonlDecoder", "JsonItemsDecoder", "GzipDecoder",
                                            "IterableDecoder"};
    if (!rule_is_a(checking, extractor, NULL, "CombinedExtractor"))
        return;
    for (size_t i = 0; i < sizeof streaming / sizeof *streaming; i++)
        if (rule_is_a(checking, decoder, NULL, streaming[i]))
            check_error(checking, extractor, "a CombinedExtractor does not go with a %s: it can be read once",
                        streaming[i]);
}

static bool extractor_unites(struct checking *checking, uint32_t extractor)
{
    const struct json *doc = &checking->manifest->doc;
    if (!rule_is_a(checking, extractor, NULL, "CombinedExtractor"))
        return false;
    if (!rule_has(checking, extractor, "mode") ||
        json_string_is(doc, rule_get(checking, extractor, "mode"), "union"))
        return true;
    uint32_t list = rule_get(checking, extractor, "extractors");
    for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each))
        if (extractor_unites(checking, each))
            return true;
    return false;
}

/* --- retrievers --------------------------------------------------------------------------------------- */

static bool reads_lazily(struct checking *checking, uint32_t retriever)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t router = rule_get(checking, retriever, "partition_router");
    uint32_t list = rule_get(checking, router, "parent_stream_configs");
    for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each))
        if (rule_is_a(checking, router, NULL, "SubstreamPartitionRouter") &&
            !rule_is_empty(checking, each, "lazy_read_pointer"))
            return true;
    return false;
}

/* How many of the requester's parameters are QueryProperties. */
static uint32_t count_properties(struct checking *checking, uint32_t requester)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t parameters = rule_get(checking, requester, "request_parameters"), count = 0;
    for (uint32_t key = json_first_key(doc, parameters); key != JSON_NONE;
         key = json_next_key(doc, parameters, key))
        count += rule_is_a(checking, json_value(key), NULL, "QueryProperties");
    return count;
}

static bool has_properties(struct checking *checking, uint32_t retriever)
{
    uint32_t requester = rule_get(checking, retriever, "requester");
    return count_properties(checking, requester) > 0 ||
           rule_has(checking, requester, "fetch_properties_from_endpoint") ||
           rule_has(checking, requester, "query_properties");
}

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return true;
}

/* No more than the least page, as far as it can be told without a config. */
static bool is_least(struct checking *checking, uint32_t strategy, uint32_t reduction)
{
    const struct json *doc = &checking->manifest->doc;
    struct slice text = rule_text(checking, strategy, "page_size");
    double size, least = 1;
    json_to_double(doc, rule_get(checking, reduction, "minimum_page_size"), &least);
    if (text.size)
        return all_digits(text) &&
               strtod(arena_strndup(checking->arena, text.data, text.size), NULL) <= least;
    return json_to_double(doc, rule_get(checking, strategy, "page_size"), &size) && size <= least;
}

static const char *wrong_with_reduction(struct checking *checking, uint32_t retriever, uint32_t reduction)
{
    uint32_t paginator = rule_get(checking, retriever, "paginator");
    uint32_t strategy = rule_get(checking, paginator, "pagination_strategy");
    if (has_properties(checking, retriever))
        return "it does not go with query properties: records of a page would come twice";
    if (!rule_is_a(checking, paginator, NULL, "DefaultPaginator"))
        return "it needs a DefaultPaginator";
    if (!rule_has(checking, paginator, "page_size_option"))
        return "it needs the paginator's `page_size_option`";
    if (rule_is_a(checking, paginator, "page_token_option", "RequestPath"))
        return "it does not go with RequestPath: the next page's URL has the page's size already";
    if (rule_is_a(checking, strategy, NULL, "PageIncrement"))
        return "it does not go with PageIncrement: page 2 of smaller pages is another; expected "
               "OffsetIncrement or CursorPagination";
    if (rule_is_a(checking, strategy, NULL, "CustomPaginationStrategy"))
        return NULL;
    if (!rule_has(checking, strategy, "page_size"))
        return "it needs the strategy's `page_size`";
    return is_least(checking, strategy, reduction)
               ? "it reduces nothing: `page_size` is no more than `minimum_page_size`"
               : NULL;
}

/* Such a condition takes a full page of the reduced size for the last one. */
static void stop_rules(struct checking *checking, uint32_t strategy, uint32_t reduction)
{
    uint32_t condition = rule_get(checking, strategy, "stop_condition");
    struct template_threshold threshold = {SLICE_LITERAL("last_page_size"), SLICE_LITERAL("page_size"), 1};
    double least;
    struct error err;
    struct arena arena;
    if (condition == JSON_NONE || !json_is(&checking->manifest->doc, condition, JSON_STRING))
        return;
    if (json_to_double(&checking->manifest->doc, rule_get(checking, reduction, "minimum_page_size"),
                       &least) &&
        least >= 1 && least < INT32_MAX)
        threshold.least = (int64_t)least;
    arena_init(&arena);
    struct template *template =
        template_compile(&arena, json_string(&checking->manifest->doc, condition, &arena), &err);
    if (template && template_has_threshold(template, &threshold))
        check_error(checking, condition,
                    "`stop_condition` would take a reduced page for the last one; expected "
                    "{{ last_page_size < page_size }} or {{ last_page_size == 0 }}");
    arena_done(&arena);
}

static void lazy_rules(struct checking *checking, uint32_t at)
{
    static const char *const fields[] = {"page_size_reduction", "request_window_splitting"};
    const char *const actions[] = {REDUCE, SPLIT};
    uint32_t requester = rule_get(checking, at, "requester");
    for (size_t i = 0; i < 2; i++)
        if (rule_has(checking, at, fields[i]) || requester_gives(checking, requester, actions[i]))
            check_error(checking, at, "`%s` and %s do not go with `lazy_read_pointer`", fields[i],
                        actions[i]);
    if (rule_has(checking, at, "decoder") && !rule_is_a(checking, at, "decoder", "JsonDecoder"))
        check_error(checking, rule_get(checking, at, "decoder"),
                    "`lazy_read_pointer` goes with a JsonDecoder alone");
}

static void simple_rules(struct checking *checking, uint32_t at)
{
    uint32_t requester = rule_get(checking, at, "requester"),
             selector = rule_get(checking, at, "record_selector");
    uint32_t reset = rule_get(checking, at, "pagination_reset"),
             paginator = rule_get(checking, at, "paginator");
    uint32_t reduction = rule_get(checking, at, "page_size_reduction");
    uint32_t properties = count_properties(checking, requester);
    if (properties > 1)
        check_error(checking, requester, "a requester has QueryProperties once; here are %u", properties);
    else if (properties && rule_has(checking, requester, "fetch_properties_from_endpoint"))
        check_error(
            checking, requester,
            "properties are in `fetch_properties_from_endpoint` and in `request_parameters`: expected "
            "one of them");
    paging_rules(checking, at, "paginator", "decoder");
    combined_rules(checking, rule_get(checking, selector, "extractor"), rule_get(checking, at, "decoder"));
    if (rule_is_a(checking, paginator, "pagination_strategy", "OffsetIncrement") &&
        extractor_unites(checking, rule_get(checking, selector, "extractor")))
        check_error(checking, paginator,
                    "OffsetIncrement does not go with a CombinedExtractor of mode union: it would count more "
                    "than a page");
    if (reads_lazily(checking, at)) {
        lazy_rules(checking, at);
        return;
    }
    if (rule_has(checking, selector, "record_filter") && rule_has(checking, reset, "limits"))
        check_error(checking, reset, "`limits` do not go with a `record_filter`");
    if (requester_gives(checking, requester, REDUCE) && reduction == JSON_NONE)
        check_error(checking, at, "%s needs `page_size_reduction`", REDUCE);
    if (requester_gives(checking, requester, SPLIT) && !rule_has(checking, at, "request_window_splitting"))
        check_error(checking, at, "%s needs `request_window_splitting`", SPLIT);
    const char *wrong = reduction == JSON_NONE ? NULL : wrong_with_reduction(checking, at, reduction);
    uint32_t strategy = rule_get(checking, paginator, "pagination_strategy");
    if (wrong)
        check_error(checking, reduction, "`page_size_reduction`: %s", wrong);
    else if (reduction != JSON_NONE && rule_is_a(checking, strategy, NULL, "CursorPagination"))
        stop_rules(checking, strategy, reduction);
}

static void async_rules(struct checking *checking, uint32_t at)
{
    static const char *const requesters[] = {"creation_requester", "polling_requester",
                                             "download_requester", "download_target_requester",
                                             "abort_requester",    "delete_requester"};
    for (size_t i = 0; i < sizeof requesters / sizeof *requesters; i++)
        no_page(checking, at, requesters[i]);
    uint32_t decoder = rule_get(checking, at, "decoder");
    paging_rules(checking, at, "download_paginator", "download_decoder");
    combined_rules(checking, rule_get(checking, at, "status_extractor"), decoder);
    combined_rules(checking, rule_get(checking, at, "download_target_extractor"), decoder);
    combined_rules(checking, rule_get(checking, at, "download_extractor"),
                   rule_get(checking, at, "download_decoder"));
}

/* --- a retriever and its cursor ------------------------------------------------------------------------- */

/* The finest time that a format can write; false: none that is known. */
static bool finest(struct slice format, double *ret_seconds)
{
    static const struct {
        const char *directive;
        double seconds;
    } directives[] = {
        {"%epoch_microseconds", 1e-6},
        {"%s_as_float", 1e-6},
        {"%f", 1e-6},
        {"%_ms", 1e-3},
        {"%ms", 1e-3},
        {"%S", 1},
        {"%s", 1},
        {"%M", 60},
        {"%H", 3600},
        {"%I", 3600},
        {"%d", 86400},
    };
    for (size_t i = 0; i < sizeof directives / sizeof *directives; i++) {
        const char *directive = directives[i].directive;
        *ret_seconds = directives[i].seconds;
        if (memmem(format.data, format.size, directive, strlen(directive)))
            return true;
    }
    return false;
}

static const char *wrong_with_splitting(struct checking *checking, uint32_t retriever, uint32_t cursor)
{
    struct duration duration;
    double least;
    if (!rule_is_a(checking, cursor, NULL, "DatetimeBasedCursor") ||
        rule_is_empty(checking, cursor, "cursor_granularity"))
        return "it needs a DatetimeBasedCursor with `cursor_granularity`";
    if (rule_is_true(checking, cursor, "is_client_side_incremental"))
        return "it does not go with `is_client_side_incremental`: the server does not see the window";
    if (has_properties(checking, retriever))
        return "it does not go with query properties: records of a window would come twice";
    if (!rule_duration_of(checking, cursor, "cursor_granularity", &duration) || duration.is_duration)
        return NULL;
    double seconds = (double)duration.seconds + duration.microseconds / 1e6;
    if (seconds <= 0)
        return "it needs a `cursor_granularity` longer than nothing";
    struct slice format = rule_text(checking, cursor, "datetime_format");
    return finest(format, &least) && seconds < least
               ? "the `cursor_granularity` is finer than what `datetime_format` writes"
               : NULL;
}

static void stream_rules(struct checking *checking, uint32_t at)
{
    uint32_t retriever = rule_get(checking, at, "retriever"),
             cursor = rule_get(checking, at, "incremental_sync");
    uint32_t splitting = rule_get(checking, retriever, "request_window_splitting");
    if (rule_is_a(checking, cursor, NULL, "IncrementingCountCursor") &&
        !rule_is_empty(checking, retriever, "partition_router"))
        check_error(checking, cursor, "an IncrementingCountCursor does not go with a `partition_router`");
    if (!rule_is_a(checking, retriever, NULL, "SimpleRetriever"))
        return;
    if (!reads_lazily(checking, retriever)) {
        const char *wrong = splitting == JSON_NONE ? NULL : wrong_with_splitting(checking, retriever, cursor);
        if (wrong)
            check_error(checking, splitting, "`request_window_splitting`: %s", wrong);
    } else if (cursor != JSON_NONE && !rule_is_a(checking, cursor, NULL, "DatetimeBasedCursor")) {
        check_error(checking, cursor, "`lazy_read_pointer` goes with a DatetimeBasedCursor alone");
    } else if (!rule_is_empty(checking, cursor, "step") ||
               !rule_is_empty(checking, cursor, "cursor_granularity")) {
        check_error(
            checking, cursor,
            "`lazy_read_pointer` does not go with `step` and `cursor_granularity`: there is one slice "
            "for each parent");
    }
}

static bool is_named(struct checking *checking, uint32_t stream, struct slice name)
{
    uint32_t its = rule_get(checking, stream, "name");
    return its != JSON_NONE && json_text_is(&checking->manifest->doc, its, name);
}

static void delegating_rules(struct checking *checking, uint32_t at)
{
    static const char *const streams[] = {"full_refresh_stream", "incremental_stream"};
    const struct json *doc = &checking->manifest->doc;
    uint32_t word = rule_get(checking, at, "name");
    if (word == JSON_NONE || !json_is(doc, word, JSON_STRING))
        return;
    struct slice name = json_string(doc, word, checking->arena);
    for (size_t i = 0; i < 2; i++) {
        uint32_t stream = rule_get(checking, at, streams[i]);
        if (stream != JSON_NONE && !is_named(checking, stream, name))
            check_error(checking, stream, "`%s` has another name; expected \"%.*s\", too", streams[i],
                        (int)utf8_cut(name.data, name.size, 60), name.data);
        if (rule_text(checking, at, "api_retention_period").size &&
            rule_is_a(checking, stream, "incremental_sync", "IncrementingCountCursor"))
            check_error(
                checking, stream,
                "`api_retention_period` does not go with an IncrementingCountCursor, which has no time");
    }
}

/* --- routers of routers --------------------------------------------------------------------------------- */

static void no_options(struct checking *checking, uint32_t router, const char *of)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t parents = rule_get(checking, router, "parent_stream_configs");
    bool has = rule_is_a(checking, router, NULL, "ListPartitionRouter") &&
               rule_has(checking, router, "request_option");
    for (uint32_t each = json_first(doc, parents); each != JSON_NONE; each = json_next(doc, parents, each))
        has |= rule_is_a(checking, router, NULL, "SubstreamPartitionRouter") &&
               rule_has(checking, each, "request_option");
    if (has)
        check_error(checking, router,
                    "a router in a %s has no `request_option`; the requester may take it from "
                    "`stream_partition`",
                    of);
}

static void grouping_rules(struct checking *checking, uint32_t at)
{
    no_options(checking, rule_get(checking, at, "underlying_partition_router"), "GroupingPartitionRouter");
}

static void same_field(struct checking *checking, uint32_t at, const char *field, struct slice expected)
{
    struct slice text = rule_text(checking, at, field);
    if (text.data && !slice_equal(text, expected))
        check_error(checking, rule_get(checking, at, field),
                    "`%s` is another than the union's `partition_field`; expected \"%.*s\"", field,
                    (int)utf8_cut(expected.data, expected.size, 60), expected.data);
}

static void union_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    struct slice field = rule_text(checking, at, "partition_field");
    uint32_t list = rule_get(checking, at, "partition_routers");
    for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each)) {
        uint32_t parents = rule_get(checking, each, "parent_stream_configs");
        no_options(checking, each, "UnionPartitionRouter");
        if (!field.data)
            continue;
        same_field(checking, each, "cursor_field", field);
        same_field(checking, each, "partition_field", field);
        for (uint32_t parent = json_first(doc, parents); parent != JSON_NONE;
             parent = json_next(doc, parents, parent))
            same_field(checking, parent, "partition_field", field);
    }
}

/* --- pages
 * -------------------------------------------------------------------------------------------------- */

static void check_size(struct checking *checking, uint32_t at, check_tell *tell)
{
    struct slice text = rule_text(checking, at, "page_size");
    struct arena arena;
    if (text.size == 0)
        return;
    arena_init(&arena);
    if (interpolate_literal(&arena, text, INTERPOLATE_INT).kind != TVALUE_INT)
        tell(checking, rule_get(checking, at, "page_size"),
             "`page_size` is \"%.*s\", which is no whole number", (int)utf8_cut(text.data, text.size, 40),
             text.data);
    arena_done(&arena);
}

static void size_rules(struct checking *checking, uint32_t at)
{
    check_size(checking, at, check_error);
}

/* Found at the first page. */
static void offset_rules(struct checking *checking, uint32_t at)
{
    check_size(checking, at, check_warning);
}

/* A name without a value would end the stream at its first page. */
static void token_rules(struct checking *checking, uint32_t at)
{
    static const char *const fields[] = {"cursor_value", "stop_condition"};
    size_rules(checking, at);
    for (size_t i = 0; i < 2 && !rule_has(checking, at, "page_size"); i++) {
        const struct slice *names;
        size_t count = rule_free_names(checking, at, fields[i], &names);
        for (size_t j = 0; j < count; j++)
            if (slice_is(names[j], "page_size"))
                check_error(checking, rule_get(checking, at, fields[i]),
                            "`%s` has `page_size`, and the strategy has none", fields[i]);
    }
}

const struct rule RETRIEVER_RULES[] = {
    {"AsyncRetriever", async_rules},
    {"CursorPagination", token_rules},
    {"DeclarativeStream", stream_rules},
    {"GroupingPartitionRouter", grouping_rules},
    {"OffsetIncrement", offset_rules},
    {"PageIncrement", size_rules},
    {"SessionTokenAuthenticator", session_rules},
    {"SimpleRetriever", simple_rules},
    {"StateDelegatingStream", delegating_rules},
    {"UnionPartitionRouter", union_rules},
    {.type = NULL},
};
