/* Rules of streams: what is read, and what becomes of it. */
#include "rules.h"

#include "base/map.h"

static void cursor_rules(struct checking *checking, uint32_t at)
{
    bool step = !rule_is_empty(checking, at, "step"),
         granularity = !rule_is_empty(checking, at, "cursor_granularity");
    if (step != granularity)
        check_error(checking, at, "`%s` is missing: `step` and `cursor_granularity` go together",
                    step ? "cursor_granularity" : "step");
    if (rule_has(checking, at, "is_data_feed") && rule_has(checking, at, "is_client_side_incremental")) {
        const struct json *doc = &checking->manifest->doc;
        if (json_is(doc, json_get(doc, at, "is_data_feed"), JSON_TRUE) &&
            json_is(doc, json_get(doc, at, "is_client_side_incremental"), JSON_TRUE))
            check_error(checking, at, "a stream is either `is_data_feed` or `is_client_side_incremental`");
    }
    static const char *const durations[] = {"step", "cursor_granularity", "lookback_window"};
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
        rule_duration(checking, at, durations[i], false);
    struct duration duration;
    if (rule_duration_of(checking, at, "step", &duration) && !duration.is_duration &&
        (duration.seconds < 0 || (duration.seconds == 0 && duration.microseconds == 0)))
        check_error(checking, json_get(&checking->manifest->doc, at, "step"),
                    "`step` is no time: windows would never end");
}

static bool is_one_of(struct slice text, const char *const *words)
{
    for (; *words; words++)
        if (slice_is(text, *words))
            return true;
    return false;
}

static void clamping_rules(struct checking *checking, uint32_t at)
{
    static const char *const targets[] = {"DAY", "WEEK", "MONTH", NULL};
    static const char *const days[] = {"MONDAY", "TUESDAY",  "WEDNESDAY", "THURSDAY",
                                       "FRIDAY", "SATURDAY", "SUNDAY",    NULL};
    const struct json *doc = &checking->manifest->doc;
    struct slice target = rule_text(checking, at, "target");
    uint32_t details = json_get(doc, at, "target_details");
    if (target.size && !is_one_of(target, targets))
        check_error(checking, json_get(doc, at, "target"), "`target`: expected DAY, WEEK or MONTH");
    if (!target.size || !slice_is(target, "WEEK"))
        return;
    struct slice day = rule_text(checking, details, "weekday");
    if (details == JSON_NONE || !rule_has(checking, details, "weekday") ||
        (day.data && !is_one_of(day, days)))
        check_error(checking, at, "clamping to weeks needs `target_details.weekday`: MONDAY to SUNDAY");
}

static void migration_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t list = json_get(doc, at, "state_migrations"), retriever = json_get(doc, at, "retriever");
    if (list == JSON_NONE || !json_is(doc, list, JSON_ARRAY))
        return;
    for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each)) {
        if (!json_is(doc, each, JSON_OBJECT) ||
            !rule_is_a(checking, each, NULL, "LegacyToPerPartitionStateMigration"))
            continue;
        if (!rule_has(checking, at, "incremental_sync"))
            check_error(checking, each, "LegacyToPerPartitionStateMigration needs `incremental_sync`");
        uint32_t router = rule_get(checking, retriever, "partition_router");
        if (router == JSON_NONE || json_is(doc, router, JSON_ARRAY) ||
            rule_is_a(checking, retriever, "partition_router", "ListPartitionRouter") ||
            rule_is_a(checking, retriever, "partition_router", "GroupingPartitionRouter"))
            check_error(
                checking, each,
                "LegacyToPerPartitionStateMigration needs a substream or a union as `partition_router`");
    }
}

static void parent_rules(struct checking *checking, uint32_t at)
{
    rule_no_globs(checking, at, "lazy_read_pointer", "*");
}

static void group_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t size = json_get(doc, at, "group_size");
    double number;
    if (size != JSON_NONE && json_to_double(doc, size, &number) && number < 1)
        check_error(checking, size, "`group_size` must be 1 or more");
}

static void expander_rules(struct checking *checking, uint32_t at)
{
    static const char *const fields[] = {"partition_router", "pagination_reset"};
    uint32_t retriever = rule_get(checking, at, "truncated_list_retriever");
    rule_no_globs(checking, at, "truncation_indicator_path", "*?[");
    if (retriever == JSON_NONE)
        return;
    rule_no_globs(checking, at, "expand_records_from_field", "*?[");
    if (rule_is_empty(checking, at, "truncation_indicator_path"))
        check_error(checking, retriever, "`truncated_list_retriever` needs `truncation_indicator_path`");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!rule_is_empty(checking, retriever, fields[i]))
            check_error(checking, retriever, "a `truncated_list_retriever` has no `%s`", fields[i]);
}

static void parent_field_rules(struct checking *checking, uint32_t at)
{
    static const char *const paths[] = {"parent_path", "record_path"};
    for (size_t i = 0; i < 2; i++) {
        rule_not_empty(checking, at, paths[i]);
        rule_no_globs(checking, at, paths[i], "*?[");
    }
}

static void field_rules(struct checking *checking, uint32_t at)
{
    rule_not_empty(checking, at, "path");
}

static void items_rules(struct checking *checking, uint32_t at)
{
    rule_not_empty(checking, at, "items_path");
}

static void csv_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    if (!rule_has(checking, at, "delimiter") || !json_is(doc, json_get(doc, at, "delimiter"), JSON_STRING))
        return;
    struct slice delimiter = json_string(doc, json_get(doc, at, "delimiter"), checking->arena);
    if (delimiter.size != 1 && !slice_is(delimiter, "\\t"))
        check_error(checking, json_get(doc, at, "delimiter"), "`delimiter` is one character");
}

/* A name is a path of one step. */
static uint32_t option_step(struct checking *checking, uint32_t option, uint32_t number)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t name = rule_get(checking, option, "field_name"), path = rule_get(checking, option, "field_path");
    if (name != JSON_NONE)
        return number == 0 ? name : JSON_NONE;
    return json_is(doc, path, JSON_ARRAY) && number < json_count(doc, path) ? json_at(doc, path, number)
                                                                            : JSON_NONE;
}

/* Both say the same place of the request, or one a place within the other's. */
static bool options_collide(struct checking *checking, uint32_t one, uint32_t other)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t a = option_step(checking, one, 0), b = option_step(checking, other, 0), number = 0;
    if (a == JSON_NONE || b == JSON_NONE || !rule_has(checking, one, "inject_into") ||
        !json_equal(doc, rule_get(checking, one, "inject_into"), doc,
                    rule_get(checking, other, "inject_into")))
        return false;
    while (a != JSON_NONE && b != JSON_NONE && json_equal(doc, a, doc, b)) {
        a = option_step(checking, one, ++number);
        b = option_step(checking, other, number);
    }
    return a == JSON_NONE || b == JSON_NONE;
}

static void paginator_rules(struct checking *checking, uint32_t at)
{
    uint32_t size = rule_get(checking, at, "page_size_option"),
             token = rule_get(checking, at, "page_token_option");
    if (rule_is_a(checking, size, NULL, "RequestOption") &&
        rule_is_a(checking, token, NULL, "RequestOption") && options_collide(checking, size, token))
        check_error(checking, at,
                    "`page_size_option` and `page_token_option` name the same place of the request: one "
                    "would overwrite the other");
    uint32_t strategy = json_get(&checking->manifest->doc, at, "pagination_strategy");
    if (rule_has(checking, at, "page_size_option") && strategy != JSON_NONE &&
        !rule_is_a(checking, strategy, NULL, "CustomPaginationStrategy") &&
        !rule_has(checking, strategy, "page_size"))
        check_error(
            checking, at,
            "`page_size_option` says where the page's size goes, and the strategy has no `page_size`");
}

static void async_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    static const char *const fields[] = {"running", "completed", "failed", "timeout", "skipped"};
    uint32_t mapping = json_get(doc, at, "status_mapping");
    struct map seen;
    if (rule_has(checking, at, "download_target_requester") &&
        !rule_has(checking, at, "download_target_extractor"))
        check_error(checking, at, "`download_target_requester` needs `download_target_extractor`");
    map_init(&seen);
    for (size_t i = 0; mapping != JSON_NONE && i < sizeof fields / sizeof *fields; i++) {
        uint32_t list = json_get(doc, mapping, fields[i]);
        if (list == JSON_NONE || !json_is(doc, list, JSON_ARRAY))
            continue;
        for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each)) {
            struct slice word = json_string(doc, each, checking->arena);
            if (map_get(&seen, word))
                check_error(checking, each, "status \"%.*s\" is there twice; it can mean one thing",
                            (int)utf8_cut(word.data, word.size, 60), word.data);
            map_set(&seen, word, checking);
        }
    }
    map_done(&seen);
}

static void schema_rules(struct checking *checking, uint32_t at)
{
    uint32_t retriever = json_get(&checking->manifest->doc, at, "retriever");
    if (retriever != JSON_NONE && rule_is_a(checking, retriever, NULL, "AsyncRetriever") &&
        rule_has(checking, retriever, "partition_router"))
        check_error(checking, retriever,
                    "a schema is made of the first record alone: a job for it has no `partition_router`");
}

static void complex_rules(struct checking *checking, uint32_t at)
{
    struct slice type = rule_text(checking, at, "field_type");
    if (rule_has(checking, at, "items") && type.data && !slice_is(type, "array"))
        check_error(checking, at, "only an array has `items`");
}

static void splitting_rules(struct checking *checking, uint32_t at)
{
    rule_duration(checking, at, "min_split_window", true);
}

static void delegating_rules(struct checking *checking, uint32_t at)
{
    rule_duration(checking, at, "api_retention_period", false);
}

const struct rule STREAM_RULES[] = {
    {"AddedFieldDefinition", field_rules},
    {"AsyncRetriever", async_rules},
    {"Clamping", clamping_rules},
    {"ComplexFieldType", complex_rules},
    {"CsvDecoder", csv_rules},
    {"DatetimeBasedCursor", cursor_rules},
    {"DeclarativeStream", migration_rules},
    {"DefaultPaginator", paginator_rules},
    {"DynamicSchemaLoader", schema_rules},
    {"GroupingPartitionRouter", group_rules},
    {"JsonItemsDecoder", items_rules},
    {"ParentFieldPath", parent_field_rules},
    {"ParentStreamConfig", parent_rules},
    {"RecordExpander", expander_rules},
    {"RequestWindowSplitting", splitting_rules},
    {"StateDelegatingStream", delegating_rules},
    {.type = NULL},
};
