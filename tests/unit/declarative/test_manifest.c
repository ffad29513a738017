#include "connectors/source-declarative/manifest/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct yaml_document parsed(struct arena *arena, const char *yaml)
{
    struct yaml_document doc;
    struct error err;
    if (yaml_parse(arena, "m.yaml", YAML_SYNTAX_YAML, slice_of(yaml), NULL, NULL, &doc, &err) < 0)
        fail_msg("%s", err.message);
    return doc;
}

/* --- references ------------------------------------------------------------------------------------------
 */

static const struct {
    const char *yaml, *expected; /* JSON, or the error's message */
} references[] = {
    {"{a: 1, b: '#/a'}", "{\"a\":1,\"b\":1}"},
    {"{a: {x: 1, y: {z: 1}}, b: {$ref: '#/a', y: {w: 2}, v: 3}}",
     "{\"a\":{\"x\":1,\"y\":{\"z\":1}},\"b\":{\"x\":1,\"y\":{\"w\":2},\"v\":3}}"},
    {"{a: [1, 2], b: {$ref: '#/a', k: 1}}", "{\"a\":[1,2],\"b\":[1,2]}"},
    {"{a: {b/c: 1, b: {c: 2}}, r: '#/a/b/c'}", "{\"a\":{\"b/c\":1,\"b\":{\"c\":2}},\"r\":1}"},
    {"{a/b: {c: 1}, r: '#/a/b/c'}", "m.yaml:1:18: the reference #/a/b/c leads nowhere"},
    {"{a: [{x: 1}, {x: 2}], r: '#/a/1/x', s: '#/a/-1/x'}", "{\"a\":[{\"x\":1},{\"x\":2}],\"r\":2,\"s\":2}"},
    {"{a: '#/b', b: '#/c', c: 7}", "{\"a\":7,\"b\":7,\"c\":7}"},
    {"{a: '#/b', b: {x: '#/a'}}", "m.yaml:1:5: the reference #/b leads back to itself"},
    {"{a: '#/'}", "m.yaml:1:5: the reference #/ leads back to itself"},
    {"{definitions: {base: 1}, r: '#/definitions/bsae'}",
     "m.yaml:1:29: the reference #/definitions/bsae leads nowhere; did you mean \"base\"?"},
    {"{a: 1, config_overrides: {x: '#/a'}}", "{\"a\":1,\"config_overrides\":{\"x\":\"#/a\"}}"},
    {"{a: {$ref: 'text', k: 1}}", "{\"a\":\"text\"}"},
    {"{a: {x: 1}, b: ['#/a', {$ref: '#/a', x: 2}]}", "{\"a\":{\"x\":1},\"b\":[{\"x\":1},{\"x\":2}]}"},
    {"{a: {$ref: {x: 1, y: 2}, y: 3}}", "{\"a\":{\"x\":1,\"y\":3}}"},
};

static void test_references(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        struct arena arena;
        struct error err;
        struct yaml_document resolved;
        arena_init(&arena);
        struct yaml_document raw = parsed(&arena, references[i].yaml);
        if (manifest_resolve(&arena, &raw, &resolved, &err) < 0) {
            assert_string_equal(err.message, references[i].expected);
        } else {
            assert_int_equal(resolved.json.size, strlen(references[i].expected));
            assert_memory_equal(resolved.json.source, references[i].expected, resolved.json.size);
        }
        arena_done(&arena);
    }
}

/* --- types and parameters ---------------------------------------------------------------------------------
 */

static const struct {
    const char *yaml, *expected;
} propagations[] = {
    /* a parameter fills what is absent or falsy, and stays under $parameters */
    {"{type: A, $parameters: {p: 1, q: 2}, q: 0, r: 3}",
     "{\"type\":\"A\",\"q\":2,\"r\":3,\"p\":1,\"$parameters\":{\"p\":1,\"q\":2}}"},
    /* own before inherited; the parameter of the field's own name is put aside, and goes to the end */
    {"{type: A, $parameters: {f: 1, p: 1}, f: {type: B, $parameters: {p: 2}}}",
     "{\"type\":\"A\",\"f\":{\"type\":\"B\",\"p\":2,\"$parameters\":{\"p\":2}},\"p\":1,\"$parameters\":{"
     "\"p\":1,\"f\":1}}"},
    /* a falsy one that was put aside is lost */
    {"{type: A, $parameters: {f: 0, p: 1}, f: {type: B}}",
     "{\"type\":\"A\",\"f\":{\"type\":\"B\",\"p\":1,\"$parameters\":{\"p\":1}},\"p\":1,\"$parameters\":{"
     "\"p\":1}}"},
    /* JSON Schemas are not looked into, and their $parameters go */
    {"{type: A, s: {type: object, x: {type: B}}, t: {type: [null, object], $parameters: {q: 1}}, "
     "$parameters: {p: 1}}",
     "{\"type\":\"A\",\"s\":{\"type\":\"object\",\"x\":{\"type\":\"B\"}},\"t\":{\"type\":[null,\"object\"]},"
     "\"p\":1,"
     "\"$parameters\":{\"p\":1}}"},
    /* without type, only children with one are */
    {"{type: A, m: {x: {type: B}, y: {z: {type: C}}}, $parameters: {p: 1}}",
     "{\"type\":\"A\",\"m\":{\"x\":{\"type\":\"B\",\"p\":1,\"$parameters\":{\"p\":1}},\"y\":{\"z\":{\"type\":"
     "\"C\"}}},"
     "\"p\":1,\"$parameters\":{\"p\":1}}"},
    /* default types */
    {"{type: DeclarativeSource, streams: [{retriever: {requester: {}}}, 1]}",
     "{\"type\":\"DeclarativeSource\",\"streams\":[{\"retriever\":{\"requester\":{\"type\":\"HttpRequester\"}"
     ","
     "\"type\":\"SimpleRetriever\"},\"type\":\"DeclarativeStream\"},1]}"},
    {"{type: DeclarativeStream, retriever: {class_name: a.B}, schema_loader: {}}",
     "{\"type\":\"DeclarativeStream\",\"retriever\":{\"class_name\":\"a.B\",\"type\":\"CustomRetriever\"},"
     "\"schema_loader\":{\"type\":\"JsonFileSchemaLoader\"}}"},
    /* a list that a parameter gave is changed under $parameters, too; a mapping is not */
    {"{type: A, $parameters: {l: [{type: B}], m: {type: C}, p: 1}}",
     "{\"type\":\"A\",\"l\":[{\"type\":\"B\",\"m\":{\"type\":\"C\",\"p\":1,\"$parameters\":{\"p\":1}},\"p\":"
     "1,"
     "\"$parameters\":{\"p\":1,\"m\":{\"type\":\"C\"}}}],\"m\":{\"type\":\"C\",\"p\":1,\"l\":[{\"type\":"
     "\"B\",\"m\":{"
     "\"type\":\"C\",\"p\":1,\"$parameters\":{\"p\":1}},\"p\":1,\"$parameters\":{\"p\":1,\"m\":{\"type\":"
     "\"C\"}}}],"
     "\"$parameters\":{\"p\":1,\"l\":[{\"type\":\"B\",\"m\":{\"type\":\"C\",\"p\":1,\"$parameters\":{\"p\":1}"
     "},\"p\":1,"
     "\"$parameters\":{\"p\":1,\"m\":{\"type\":\"C\"}}}]}},\"p\":1,\"$parameters\":{\"p\":1,\"l\":[{\"type\":"
     "\"B\",\"m\":{"
     "\"type\":\"C\",\"p\":1,\"$parameters\":{\"p\":1}},\"p\":1,\"$parameters\":{\"p\":1,\"m\":{\"type\":"
     "\"C\"}}}],"
     "\"m\":{\"type\":\"C\"}}}"},
    {"{type: A, $parameters: 5}", "m.yaml:1:24: $parameters is no mapping"},
};

static void test_propagation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof propagations / sizeof *propagations; i++) {
        struct arena arena;
        struct error err;
        struct yaml_document done;
        arena_init(&arena);
        struct yaml_document raw = parsed(&arena, propagations[i].yaml);
        if (manifest_propagate(&arena, &raw, "", false, &done, &err) < 0)
            assert_string_equal(err.message, propagations[i].expected);
        else
            assert_string_equal(arena_strndup(&arena, done.json.source, done.json.size),
                                propagations[i].expected);
        arena_done(&arena);
    }
}

static void test_parents_win(void **state)
{
    (void)state;
    struct arena arena;
    struct error err;
    struct yaml_document done;
    arena_init(&arena);
    struct yaml_document raw =
        parsed(&arena, "{type: A, $parameters: {p: 1}, f: {type: B, $parameters: {p: 2, q: 3}}}");
    assert_int_equal(manifest_propagate(&arena, &raw, "", true, &done, &err), 0);
    assert_string_equal(
        arena_strndup(&arena, done.json.source, done.json.size),
        "{\"type\":\"A\",\"f\":{\"type\":\"B\",\"p\":1,\"q\":3,\"$parameters\":{\"p\":1,\"q\":3}},"
        "\"p\":1,\"$parameters\":{\"p\":1}}");
    arena_done(&arena);
}

/* --- what is wrong
 * ------------------------------------------------------------------------------------------ */

#define HEAD "version: 6.0.0\ncheck: {stream_names: [a]}\n"
#define REQUESTER "requester: {url_base: 'https://x.org', path: a}"
#define SELECTOR "record_selector: {extractor: {field_path: []}}"

static const struct {
    const char *yaml, *problems; /* a line each */
} wrong[] = {
    {HEAD "streams:\n- name: a\n  retriever: {" REQUESTER ", " SELECTOR "}\n", ""},
    {HEAD, "1:1 : there are no streams: expected `streams` or `dynamic_streams`\n"},
    {"check: {stream_names: [a]}\nstreams: []\n", "1:1 : DeclarativeSource needs `version`: a string\n"},
    {HEAD "streams:\n- name: a\n  retriever: {type: SimpleRetreiver, " REQUESTER ", " SELECTOR "}\n",
     "5:21 streams[0].retriever: there is no component SimpleRetreiver: expected SimpleRetriever, "
     "AsyncRetriever or "
     "CustomRetriever; did you mean SimpleRetriever?\n"},
    {HEAD "streams:\n- name: a\n  retriever: {type: HttpRequester, " REQUESTER ", " SELECTOR "}\n",
     "5:21 streams[0].retriever: HttpRequester cannot stand here: expected SimpleRetriever, AsyncRetriever "
     "or "
     "CustomRetriever\n"},
    /* many at once; a definition that is used twice is told once */
    {HEAD "definitions:\n  r: {url_base: 'https://x.org', path: a, http_method: PUT}\nstreams:\n"
          "- {name: a, retriever: {requester: '#/definitions/r', " SELECTOR "}}\n"
          "- {name: [], retriever: {requester: '#/definitions/r'}, primary_key: 5}\n",
     "4:56 streams[0].retriever.requester.http_method: \"PUT\": expected one of GET or POST; did you mean "
     "GET?\n"
     "7:10 streams[1].name: a list: expected a string\n"
     "7:25 streams[1].retriever: SimpleRetriever needs `record_selector`: RecordSelector\n"
     "7:70 streams[1].primary_key: a number: expected a string, a list of strings or a list of lists\n"},
    {HEAD "streams:\n- name: a\n  retriever:\n    " REQUESTER "\n    record_selector:\n"
          "      extractor: {class_name: source_x.Thing}\n",
     "8:31 streams[0].retriever.record_selector.extractor: CustomRecordExtractor source_x.Thing is Python "
     "code, which "
     "Firth does not run\n"},
    {HEAD
     "streams:\n- name: a\n  retrieverr: 1\n  retriever: {" REQUESTER ", " SELECTOR
     ", paginator: {type: DefaultPaginator, pagination_strategy: {type: OffsetIncrement, page_size: '5'}, "
     "page_token_option: {inject_into: header, field_name: o}}}\n",
     "5:3 streams[0]: DeclarativeStream has no field `retrieverr`; did you mean `retriever`?\n"
     "6:229 streams[0].retriever.paginator.page_token_option: `type` is missing: expected RequestOption or "
     "RequestPath\n"},
    {HEAD "streams: []\nspec: {connection_specification: 1}\nmetadatta: {}\n",
     "4:34 spec.connection_specification: a number: expected a mapping\n"
     "5:1 : DeclarativeSource has no field `metadatta`; did you mean `metadata`?\n"},
    {"version: 99.0.0\ncheck: {stream_names: [a]}\nmetadatta: {}\nstreams: []\n",
     "3:1 : DeclarativeSource has no field `metadatta`; did you mean `metadata`?\n"
     "1:10 : the manifest is of version 99.0.0, and Firth knows those up to 7: what came later is missing\n"},
    {HEAD "streams:\n- name: a\n  retreiver: {" REQUESTER ", " SELECTOR "}\n",
     "5:3 streams[0]: DeclarativeStream has no field `retreiver`; did you mean `retriever`?\n"
     "4:3 streams[0]: DeclarativeStream needs `retriever`: SimpleRetriever, AsyncRetriever or "
     "CustomRetriever; is `retreiver` meant to be that?\n"},
    {"[1]", "1:1 : a manifest is a mapping, with `type: DeclarativeSource`\n"},
    {"type: Other\n", "1:7 : expected `type: DeclarativeSource`\n"},
    {"streams: '#/nowhere'\n", "1:10 : the reference #/nowhere leads nowhere\n"},
};

/* What the CDK says only when it builds the component, as the value of some field that takes it. */
#define STREAM(retriever, more) "streams:\n- name: a\n  retriever: {" retriever "}\n" more
#define SIMPLE(requester, selector, more)                                        \
    STREAM("requester: {url: 'https://x.org'" requester                          \
           "}, record_selector: {extractor: {field_path: []" selector "}}" more, \
           "")
#define CURSOR(more)                                                                                    \
    STREAM(REQUESTER ", " SELECTOR, "  incremental_sync: {type: DatetimeBasedCursor, cursor_field: c, " \
                                    "start_datetime: '2024-01-01', datetime_format: '%Y', " more "}\n")
#define OPTIONS(size, token)                                                                               \
    SIMPLE(                                                                                                \
        "", "",                                                                                            \
        ", paginator: {type: DefaultPaginator, page_size_option: {type: RequestOption, inject_into: " size \
        "}, page_token_option: {type: RequestOption, inject_into: " token                                  \
        "}, pagination_strategy: {type: PageIncrement, page_size: 5}}")
#define HANDLER(handler) SIMPLE(", error_handler: " handler, "", "")
#define OAUTH(more)                                                                                        \
    SIMPLE(", authenticator: {type: OAuthAuthenticator, token_refresh_endpoint: 'https://x.org'" more "}", \
           "", "")
#define EXPANDER(more) \
    SIMPLE("", ", record_expander: {type: RecordExpander, expand_records_from_field: [x]" more "}", "")
#define POLICY(policy) SIMPLE("", "", "") "api_budget: {type: HTTPAPIBudget, policies: [" policy "]}\n"
#define ROUTED(more) SIMPLE("", "", ", partition_router: " more)
#define RESOLVED(resolver)                                                                                 \
    "dynamic_streams: [{type: DynamicDeclarativeStream, stream_template: {name: a, retriever: {" REQUESTER \
    ", " SELECTOR "}}, "                                                                                   \
    "components_resolver: {components_mapping: [{type: ComponentMappingDefinition, field_path: [name], "   \
    "value: x, condition: '{{ 1 }}'}], " resolver "}}]\n"
#define JOB(more)                                                                                  \
    "{type: AsyncRetriever, " SELECTOR                                                             \
    ", status_extractor: {type: DpathExtractor, field_path: [s]}, status_mapping: {running: [r], " \
    "completed: [c, r], failed: [f], timeout: [t]}, "                                              \
    "creation_requester: {type: HttpRequester, url: 'https://x.org'}, polling_requester: {type: "  \
    "HttpRequester, url: 'https://x.org'}, "                                                       \
    "download_requester: {type: HttpRequester, url: 'https://x.org'}" more "}"

#define PAGED(decoder, strategy, more)                                                                   \
    SIMPLE("", "",                                                                                       \
           decoder                                                                                       \
           ", paginator: {type: DefaultPaginator, page_size_option: {type: RequestOption, inject_into: " \
           "header, field_name: s}, pagination_strategy: {" strategy "}}" more)
#define COMBINED(mode, more)                                                          \
    STREAM(REQUESTER ", record_selector: {extractor: {type: CombinedExtractor" mode   \
                     ", extractors: [{type: DpathExtractor, field_path: []}]}}" more, \
           "")
#define GIVING(action)                                                                              \
    "{type: DefaultErrorHandler, response_filters: [{type: HttpResponseFilter, http_codes: [413], " \
    "action: " action "}]}"
#define REDUCED(more) ", page_size_reduction: {type: PageSizeReduction" more "}"
#define SPLIT(cursor, format)                                                                                \
    STREAM(REQUESTER ", " SELECTOR ", request_window_splitting: {type: RequestWindowSplitting}",             \
           "  incremental_sync: {type: DatetimeBasedCursor, cursor_field: c, start_datetime: '2024-01-01', " \
           "datetime_format: " format ", " cursor "}\n")
#define LAZY(retriever, more)                                                                               \
    STREAM(REQUESTER                                                                                        \
           ", " SELECTOR                                                                                    \
           ", partition_router: {type: SubstreamPartitionRouter, parent_stream_configs: [{type: "           \
           "ParentStreamConfig, parent_key: k, partition_field: k, lazy_read_pointer: [x], stream: {name: " \
           "p, retriever: {" REQUESTER ", " SELECTOR "}}}]}" retriever,                                     \
           more)
#define TRUNCATES "`stop_condition` would take a reduced page for the last one"
#define STOPPING(condition)                                                                             \
    PAGED("", "type: CursorPagination, cursor_value: x, page_size: 9, stop_condition: '" condition "'", \
          REDUCED(", minimum_page_size: 2"))
#define LIST_ROUTER(more) "{type: ListPartitionRouter, cursor_field: c, values: [a]" more "}"

static const struct {
    const char *yaml, *message; /* NULL: nothing is wrong */
    bool warns;
} rules[] = {
    {HANDLER("{type: CompositeErrorHandler, error_handlers: []}"), "`error_handlers` is empty"},
    {HANDLER("{type: CompositeErrorHandler, error_handlers: [{type: DefaultErrorHandler}]}"), NULL},
    {POLICY("{type: MovingWindowCallRatePolicy, rates: [], matchers: []}"), "`rates` is empty"},
    {POLICY("{type: MovingWindowCallRatePolicy, rates: [{limit: 1, interval: PT0S}], matchers: []}"),
     "`interval` is \"PT0S\""},
    {POLICY("{type: FixedWindowCallRatePolicy, period: P1M, call_limit: 1, matchers: []}"), NULL},
    {POLICY("{type: FixedWindowCallRatePolicy, period: P0D, call_limit: 1, matchers: []}"),
     "`period` is \"P0D\""},
    {POLICY("{type: MovingWindowCallRatePolicy, rates: [{limit: 1, interval: P1M}], matchers: []}"),
     "`interval` is \"P1M\""},
    {POLICY("{type: FixedWindowCallRatePolicy, period: 1 hour, call_limit: 1, matchers: []}"), "`period`: "},
    {POLICY("{type: FixedWindowCallRatePolicy, period: '{{ config.p }}', call_limit: 1, matchers: [{type: "
            "HttpRequestRegexMatcher, weight: '{{ 0 }}'}]}"),
     NULL},
    {POLICY("{type: UnlimitedCallRatePolicy, matchers: [{type: HttpRequestRegexMatcher, weight: 0}]}"),
     "`weight` must be 1 or more"},
    {POLICY(
         "{type: MovingWindowCallRatePolicy, rates: [{type: Rate, limit: 0, interval: PT1S}], matchers: []}"),
     "`limit` must be 1 or more"},
    {POLICY("{type: MovingWindowCallRatePolicy, rates: [{type: Rate, limit: '0', interval: PT1S}], matchers: "
            "[]}"),
     "`limit` must be 1 or more"},
    {OAUTH(", refresh_token: r"), "`client_id` and `client_secret` are needed"},
    {OAUTH(", client_id: i, client_secret: s"), "`refresh_token` is needed"},
    {OAUTH(", client_id: i, client_secret: s, grant_type: client_credentials"), NULL},
    {OAUTH(", use_profile_assertion: true"), "`use_profile_assertion` needs `profile_assertion`"},
    {OAUTH(", client_id: i, client_secret: s, refresh_token_error_key: k, refresh_token_updater: "
           "{refresh_token_error_key: k}"),
     "`refresh_token_error_…` are in the authenticator"},
    {EXPANDER(", truncation_indicator_path: [a, 'b*']"),
     "`truncation_indicator_path` leads to one place; it takes no *"},
    {EXPANDER(", parent_fields: [{type: ParentFieldPath, parent_path: [], record_path: [a]}]"),
     "`parent_path` is empty"},
    {EXPANDER(", parent_fields: [{type: ParentFieldPath, parent_path: [a], record_path: ['a[0]']}]"),
     "`record_path` leads to one place; it takes no ["},
    {EXPANDER(", parent_fields: [{type: ParentFieldPath, parent_path: [a], record_path: ['{{ [1][0] }}']}]"),
     NULL},
    {SIMPLE("", "", ", decoder: {type: JsonItemsDecoder, items_path: ''}"), "`items_path` is empty"},
    {SIMPLE("", "", ", decoder: {type: CsvDecoder, delimiter: ';;'}"), "`delimiter` is one character"},
    {SIMPLE("", "", ", decoder: {type: CsvDecoder, delimiter: '\\t'}"), NULL},
    {SIMPLE("", "",
            ", paginator: {type: DefaultPaginator, page_size_option: {type: RequestOption, inject_into: "
            "header, field_name: s}, pagination_strategy: {type: PageIncrement}}"),
     "the strategy has no `page_size`"},
    {OPTIONS("request_parameter, field_name: n", "request_parameter, field_name: n"), "name the same place"},
    {OPTIONS("body_json, field_path: [a, b]", "body_json, field_name: a"), "name the same place"},
    {OPTIONS("body_json, field_path: [a, b]", "body_json, field_path: [a, c]"), NULL},
    {OPTIONS("request_parameter, field_name: n", "header, field_name: n"), NULL},
    {STREAM(REQUESTER ", " SELECTOR,
            "  transformations: [{type: AddFields, fields: [{path: [], value: x}]}]\n"),
     "`path` is empty"},
    {CURSOR("step: 1 day, cursor_granularity: P1D"), "`step`: "},
    {CURSOR("lookback_window: x"), "`lookback_window`: "},
    {CURSOR("lookback_window: '{{ config.back }}'"), NULL},
    {CURSOR("clamping: {target: YEAR}"), "`target`: expected DAY, WEEK or MONTH"},
    {CURSOR("clamping: {target: WEEK}"), "clamping to weeks needs"},
    {CURSOR("clamping: {target: WEEK, target_details: {weekday: FREITAG}}"), "clamping to weeks needs"},
    {CURSOR("clamping: {target: WEEK, target_details: {weekday: FRIDAY}}"), NULL},
    {ROUTED("{type: SubstreamPartitionRouter, parent_stream_configs: [{type: ParentStreamConfig, parent_key: "
            "k, partition_field: k, lazy_read_pointer: ['*'], stream: {name: p, retriever: {" REQUESTER
            ", " SELECTOR "}}}]}"),
     "`lazy_read_pointer` leads to one place; it takes no *"},
    {ROUTED("{type: GroupingPartitionRouter, group_size: 0, underlying_partition_router: {type: "
            "ListPartitionRouter, cursor_field: c, values: [a]}}"),
     "`group_size` must be 1 or more"},
    {STREAM(REQUESTER ", " SELECTOR, "  state_migrations: [{type: LegacyToPerPartitionStateMigration}]\n"),
     "LegacyToPerPartitionStateMigration needs"},
    {STREAM(REQUESTER ", " SELECTOR
                      ", partition_router: {type: ListPartitionRouter, cursor_field: c, values: [a]}",
            "  incremental_sync: {type: IncrementingCountCursor, cursor_field: c}\n"
            "  state_migrations: [{type: LegacyToPerPartitionStateMigration}]\n"),
     "needs a substream or a union"},
    {"streams:\n- name: a\n  retriever: " JOB("") "\n", "status \"r\" is there twice"},
    {"streams:\n- name: a\n  retriever: " JOB(
         ", download_target_requester: {type: HttpRequester, url: 'https://x.org'}") "\n",
     "`download_target_requester` needs"},
    {RESOLVED("type: ParametrizedComponentsResolver, stream_parameters: {type: StreamParametersDefinition, "
              "list_of_parameters_for_stream: []}"),
     "`condition` is for ConfigComponentsResolver alone"},
    {RESOLVED("type: HttpComponentsResolver, retriever: {" REQUESTER ", " SELECTOR "}"),
     "`condition` is for ConfigComponentsResolver alone"},
    {RESOLVED("type: ConfigComponentsResolver, stream_config: {configs_pointer: [x]}"), NULL},
    /* a template need not be whole */
    {"dynamic_streams: [{type: DynamicDeclarativeStream, stream_template: {name: a, retriever: {requester: "
     "{type: "
     "HttpRequester, path: a}, " SELECTOR
     "}}, components_resolver: {type: ConfigComponentsResolver, stream_config: "
     "{configs_pointer: [x]}, components_mapping: [{type: ComponentMappingDefinition, create_or_update: "
     "true, "
     "field_path: [retriever, requester, url], value: 'https://x.org'}]}}]\n",
     NULL},
    {OAUTH(", grant_type: client_credentials, refresh_token_updater: {}"), NULL},
    {SIMPLE(
         ", authenticator: {type: JwtAuthenticator, secret_key: k, algorithm: HS256, additional_jwt_headers: "
         "{typ: x, x: y}, additional_jwt_payload: {'{{ 1 }}': iss}}",
         "", ""),
     "\"typ\" has a field of its own, and cannot be in `additional_jwt_headers`", true},
    {SIMPLE(
         ", authenticator: {type: JwtAuthenticator, secret_key: k, algorithm: HS256, additional_jwt_payload: "
         "{exp: 1}}",
         "", ""),
     "\"exp\" has a field of its own", true},
    {POLICY("{type: UnlimitedCallRatePolicy, matchers: [{type: HttpRequestRegexMatcher, url_path_pattern: "
            "'/a(b'}]}"),
     "`url_path_pattern`: the regular expression is wrong at character"},
    {HANDLER("{type: DefaultErrorHandler, backoff_strategies: [{type: WaitTimeFromHeader, header: h, regex: "
             "'[0-9'}]}"),
     "`regex`: the regular expression is wrong", true},
    {HANDLER(
         "{type: DefaultErrorHandler, backoff_strategies: [{type: WaitUntilTimeFromHeader, header: h, regex: "
         "'[0-9]{2}{{ config.x }}('}]}"),
     NULL},
    {EXPANDER(", truncated_list_retriever: {type: SimpleRetriever, " REQUESTER ", " SELECTOR "}"),
     "`truncated_list_retriever` needs `truncation_indicator_path`"},
    {EXPANDER(", truncation_indicator_path: [m], truncated_list_retriever: {type: SimpleRetriever, " REQUESTER
              ", " SELECTOR ", partition_router: []}"),
     NULL},
    {EXPANDER(", truncation_indicator_path: [m], truncated_list_retriever: {type: SimpleRetriever, " REQUESTER
              ", " SELECTOR ", pagination_reset: {type: PaginationReset, action: RESET}}"),
     "a `truncated_list_retriever` has no `pagination_reset`"},
    {"stream_groups: {g: {action: {type: BlockSimultaneousSyncsAction}, streams: ['#/streams/0', "
     "'#/streams/1']}}\n" LAZY("",
                               "") "- '#/definitions/p'\ndefinitions: {p: {name: p, retriever: {" REQUESTER
                                   ", " SELECTOR "}}}\n",
     "the stream reads \"p\", which is in the same group"},
    {HANDLER("{type: DefaultErrorHandler, backoff_strategies: [{type: WaitTimeFromResponse, "
             "wait_time_in_seconds: "
             "'{{ response.wait or resposne.w }}'}]}"),
     "`wait_time_in_seconds` has `resposne`"},
    {HANDLER("{type: DefaultErrorHandler, backoff_strategies: [{type: WaitTimeFromResponse, "
             "wait_time_in_seconds: "
             "'{% set w = response.wait %}{{ w or headers.w or config.w or parameters.w }}'}]}"),
     NULL},
    {"concurrency_level: {default_concurrency: '{{ config.n }}'}\n" SIMPLE("", "", ""),
     "`default_concurrency` is what the config says, and needs `max_concurrency`"},
    {"concurrency_level: {default_concurrency: '{{ 3 }}'}\n" SIMPLE("", "", ""), NULL},
    {PAGED("", "type: OffsetIncrement, page_size: ten", ""),
     "`page_size` is \"ten\", which is no whole number", true},
    {PAGED("", "type: PageIncrement, page_size: '5.0'", ""),
     "`page_size` is \"5.0\", which is no whole number"},
    {SIMPLE(
         "", "",
         ", paginator: {type: DefaultPaginator, pagination_strategy: {type: CursorPagination, cursor_value: "
         "x, stop_condition: '{{ last_page_size < page_size }}'}}"),
     "`stop_condition` has `page_size`, and the strategy has none"},
    {SIMPLE(", request_parameters: {a: '{{ confg.x }}'}", "", ""), "`confg`; did you mean `config`?", true},
    {SIMPLE(", request_parameters: {a: '{{ nope }}'}", "", ""), "no `nope`: there is no such name", true},
    {SIMPLE(", request_parameters: {a: '{{ day_dleta(1) }}'}", "", ""),
     "no `day_dleta`; did you mean `day_delta`?", true},
    {SIMPLE(", request_parameters: {a: '{{ stream_state.x }}'}", "", ""),
     "no `stream_state` any more; `stream_interval`", true},
    {SIMPLE(
         ", request_parameters: {a: '{% set confg = config %}{{ confg.x or of_the_parent or now_utc() }}'}",
         "", ""),
     NULL},
    {CURSOR("step: PT0S, cursor_granularity: PT1S"), "`step` is no time"},
    /* what does not go together */
    {PAGED(", decoder: {type: CsvDecoder}", "type: PageIncrement", ""), "pages go with a JsonDecoder"},
    {PAGED(", decoder: {type: GzipDecoder, decoder: {type: JsonlDecoder}}", "type: PageIncrement", ""),
     "pages go with a JsonDecoder"},
    {PAGED(", decoder: {type: GzipDecoder, decoder: {type: JsonDecoder}}",
           "type: PageIncrement, page_size: 2", ""),
     NULL},
    {COMBINED("", ", decoder: {type: JsonlDecoder}"), "a CombinedExtractor does not go with a JsonlDecoder"},
    {COMBINED("", ", paginator: {type: DefaultPaginator, pagination_strategy: {type: OffsetIncrement}}"),
     "OffsetIncrement does not go with a CombinedExtractor of mode union"},
    {COMBINED(", mode: first_match", ", paginator: {type: DefaultPaginator, pagination_strategy: {type: "
                                     "OffsetIncrement}}"),
     NULL},
    {SIMPLE(
         ", request_parameters: {a: {type: QueryProperties, property_list: [x]}, b: {type: QueryProperties, "
         "property_list: [x]}}",
         "", ""),
     "a requester has QueryProperties once; here are 2"},
    {SIMPLE(
         "", "}, record_filter: {condition: '{{ 1 }}'",
         ", pagination_reset: {type: PaginationReset, action: RESET, limits: {type: PaginationResetLimits, "
         "number_of_records: 1}}"),
     "`limits` do not go with a `record_filter`"},
    {SIMPLE(", error_handler: " GIVING("REDUCE_PAGE_SIZE"), "", ""),
     "REDUCE_PAGE_SIZE needs `page_size_reduction`"},
    {SIMPLE(", error_handler: {type: CompositeErrorHandler, error_handlers: [" GIVING(
                "SPLIT_REQUEST_WINDOW") "]}",
            "", ""),
     "SPLIT_REQUEST_WINDOW needs `request_window_splitting`"},
    {SIMPLE(", authenticator: {type: SessionTokenAuthenticator, session_token_path: [t], "
            "request_authentication: {type: Bearer}, login_requester: {type: HttpRequester, url: "
            "'https://x.org', error_handler: " GIVING("REDUCE_PAGE_SIZE") "}}",
            "", ""),
     "REDUCE_PAGE_SIZE is for the requester of a SimpleRetriever alone"},
    {PAGED("", "type: OffsetIncrement, page_size: 2", REDUCED("")), NULL},
    {PAGED("", "type: OffsetIncrement, page_size: '{{ config.n }}'", REDUCED(", minimum_page_size: 9")),
     NULL},
    {PAGED("", "type: OffsetIncrement, page_size: '9'", REDUCED(", minimum_page_size: 9")),
     "`page_size_reduction`: it reduces nothing"},
    {PAGED("", "type: OffsetIncrement, page_size: 1", REDUCED("")),
     "`page_size_reduction`: it reduces nothing"},
    {PAGED("", "type: PageIncrement, page_size: 2", REDUCED("")),
     "`page_size_reduction`: it does not go with PageIncrement"},
    {SIMPLE("", "", REDUCED("")), "`page_size_reduction`: it needs a DefaultPaginator"},
    {SIMPLE("", "",
            ", paginator: {type: DefaultPaginator, pagination_strategy: {type: OffsetIncrement, "
            "page_size: 2}}" REDUCED("")),
     "`page_size_reduction`: it needs the paginator's `page_size_option`"},
    {PAGED("",
           "type: CursorPagination, cursor_value: x, page_size: 2}, page_token_option: {type: RequestPath",
           REDUCED("")),
     "`page_size_reduction`: it does not go with RequestPath"},
    {STOPPING("{{ last_page_size < 3 }}"), TRUNCATES},
    {STOPPING("{{ last_page_size < 2 }}"), NULL},
    {STOPPING("{{ last_page_size <= 2 }}"), TRUNCATES},
    {STOPPING("{{ last_page_size <= 1 }}"), NULL},
    {STOPPING("{{ 100 > last_page_size }}"), TRUNCATES},
    {STOPPING("{{ 100 < last_page_size }}"), NULL},
    {STOPPING("{{ last_page_size < config.size }}"), TRUNCATES},
    {STOPPING("{{ last_page_size < page_size }}"), NULL},
    {STOPPING("{{ last_page_size < page_size | int }}"), NULL},
    {STOPPING("{{ last_page_size < [page_size, 9] | max }}"), NULL},
    {STOPPING("{{ last_page_size == 0 }}"), NULL},
    {STOPPING("{{ last_page_size - 9 < 0 }}"), NULL},
    {STOPPING("{{ not last_page_size >= 9 }}"), NULL},
    {STOPPING("{{ response.end or last_page_size | int < 9 }}"), TRUNCATES},
    {STOPPING("{{ 0 < last_page_size < 9 }}"), TRUNCATES},
    {STOPPING("{% if last_page_size < 9 %}true{% endif %}"), TRUNCATES},
    {STOPPING("{% if last_page_size < 9 %}{{ 0 }}{% endif %}"), NULL},
    {STOPPING("{% if last_page_size < 9 %}yes{% else %}no{% endif %}"), NULL},
    {STOPPING("a {{ last_page_size < 9 }}"), NULL},
    {STOPPING("{{ response.data | length < 9 }}"), NULL},
    {STOPPING("{{ last_page_size < page_size + 5 }}"), NULL},
    {STOPPING("{{ (last_page_size < 9) == true }}"), NULL},
    {"check: {stream_names: [a], config_overrides: {__airbyte_x: 1}}\n" SIMPLE("", "", ""),
     "`config_overrides` has no `__airbyte", true},
    {"check: {stream_names: [a], config_overrides: {x: 1}}\n" OAUTH(", refresh_token_updater: {}"),
     "a `refresh_token_updater` writes the config back", true},
    {SPLIT("cursor_granularity: PT1S, step: P1D", "'%Y-%m-%dT%H:%M:%S'"), NULL},
    {SPLIT("lookback_window: P1D", "'%Y'"), "it needs a DatetimeBasedCursor with `cursor_granularity`"},
    {SPLIT("cursor_granularity: PT1S, step: P1D", "'%Y-%m-%d'"), "finer than what `datetime_format` writes"},
    {SPLIT("cursor_granularity: PT0S, step: P1D", "'%Y-%m-%d'"), "longer than nothing"},
    {SPLIT("cursor_granularity: P1D, step: P1D, is_client_side_incremental: true", "'%Y-%m-%d'"),
     "it does not go with `is_client_side_incremental`"},
    {LAZY("", ""), NULL},
    {LAZY(", decoder: {type: XmlDecoder}", ""), "`lazy_read_pointer` goes with a JsonDecoder alone"},
    {LAZY(", request_window_splitting: {type: RequestWindowSplitting}", ""),
     "`request_window_splitting` and SPLIT_REQUEST_WINDOW do not go with `lazy_read_pointer`"},
    {LAZY("",
          "  incremental_sync: {type: DatetimeBasedCursor, cursor_field: c, start_datetime: '2024-01-01', "
          "datetime_format: '%Y', step: P1D, cursor_granularity: P1D}\n"),
     "`lazy_read_pointer` does not go with `step`"},
    {STREAM(REQUESTER ", " SELECTOR ", partition_router: " LIST_ROUTER(""),
            "  incremental_sync: {type: IncrementingCountCursor, cursor_field: c}\n"),
     "an IncrementingCountCursor does not go with a `partition_router`"},
    {ROUTED("{type: GroupingPartitionRouter, group_size: 2, underlying_partition_router: " LIST_ROUTER(
         ", request_option: {type: RequestOption, inject_into: header, field_name: x}") "}"),
     "a router in a GroupingPartitionRouter has no `request_option`"},
    {ROUTED("{type: UnionPartitionRouter, partition_field: c, partition_routers: [" LIST_ROUTER(
         "") ", " LIST_ROUTER(", request_option: {type: RequestOption, inject_into: header, field_name: "
                              "x}") "]}"),
     "a router in a UnionPartitionRouter has no `request_option`"},
    {ROUTED("{type: UnionPartitionRouter, partition_field: '{{ 1 }}', partition_routers: [" LIST_ROUTER(
         "") ", " LIST_ROUTER("") "]}"),
     NULL},
    {ROUTED("{type: UnionPartitionRouter, partition_field: d, partition_routers: [" LIST_ROUTER(
         "") ", " LIST_ROUTER("") "]}"),
     "`cursor_field` is another than the union's `partition_field`; expected \"d\""},
    {"streams:\n- {type: StateDelegatingStream, name: a, full_refresh_stream: {name: a, retriever: "
     "{" REQUESTER ", " SELECTOR "}}, incremental_stream: {name: b, retriever: {" REQUESTER ", " SELECTOR
     "}}}\n",
     "`incremental_stream` has another name; expected \"a\""},
    {"streams:\n- {type: StateDelegatingStream, name: a, api_retention_period: P1D, full_refresh_stream: "
     "{name: a, "
     "retriever: {" REQUESTER ", " SELECTOR "}}, incremental_stream: {name: a, incremental_sync: {type: "
     "IncrementingCountCursor, cursor_field: c}, retriever: {" REQUESTER ", " SELECTOR "}}}\n",
     "`api_retention_period` does not go with an IncrementingCountCursor"},
};

static void note(void *context, const struct manifest_problem *problem)
{
    buffer_printf(context, "%u:%u %s: %s\n", problem->at.line, problem->at.column, problem->path,
                  problem->message);
}

static void test_problems(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct arena arena;
        struct error err;
        struct manifest *manifest;
        struct buffer told;
        arena_init(&arena);
        buffer_init(&told, 1 << 20);
        int done = manifest_parse(&arena, "m.yaml", YAML_SYNTAX_YAML, slice_of(wrong[i].yaml), note, &told,
                                  &manifest, &err);
        assert_string_equal(buffer_cstr(&told), wrong[i].problems);
        assert_int_equal(done, *wrong[i].problems ? -1 : 0);
        /* Without anybody to tell, the first is the error. */
        if (done < 0) {
            assert_int_equal(manifest_parse(&arena, "m.yaml", YAML_SYNTAX_YAML, slice_of(wrong[i].yaml), NULL,
                                            NULL, &manifest, &err),
                             -1);
            assert_true(string_starts_with(err.message, "m.yaml:"));
        }
        buffer_done(&told);
        arena_done(&arena);
    }
}

static void test_rules(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct arena arena;
        struct error err;
        struct manifest *manifest;
        struct buffer told, yaml;
        arena_init(&arena);
        buffer_init(&told, 1 << 20);
        buffer_init(&yaml, 1 << 20);
        bool has_check = strncmp(rules[i].yaml, "check:", 6) == 0;
        buffer_printf(&yaml, "%s%s", has_check ? "version: 6.0.0\n" : HEAD, rules[i].yaml);
        int done = manifest_parse(&arena, "m.yaml", YAML_SYNTAX_YAML, slice_of(buffer_cstr(&yaml)), note,
                                  &told, &manifest, &err);
        if (done != (rules[i].message && !rules[i].warns ? -1 : 0) ||
            (rules[i].message && !strstr(buffer_cstr(&told), rules[i].message))) {
            print_error("%s\nexpected: %s\ngot: %s\n", rules[i].yaml,
                        rules[i].message ? rules[i].message : "", buffer_cstr(&told));
            failed++;
        }
        buffer_done(&yaml);
        buffer_done(&told);
        arena_done(&arena);
    }
    assert_int_equal(failed, 0);
}

/* --- limits
 * -------------------------------------------------------------------------------------------------- */

/* Each level refers to the one before ten times: a small file that would be 10^12 values. */
static void test_expansion(void **state)
{
    (void)state;
    struct arena arena;
    struct error err;
    struct manifest *manifest;
    struct buffer yaml;
    arena_init(&arena);
    buffer_init(&yaml, 1 << 20);
    buffer_str(&yaml, HEAD "definitions:\n  d0: x\n");
    for (int level = 1; level <= 12; level++) {
        buffer_printf(&yaml, "  d%d: [", level);
        for (int i = 0; i < 10; i++)
            buffer_printf(&yaml, "%s'#/definitions/d%d'", i ? ", " : "", level - 1);
        buffer_str(&yaml, "]\n");
    }
    buffer_str(&yaml, "streams: '#/definitions/d12'\n");
    assert_int_equal(manifest_parse(&arena, "m.yaml", YAML_SYNTAX_YAML, (struct slice){yaml.data, yaml.size},
                                    NULL, NULL, &manifest, &err),
                     -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    buffer_done(&yaml);
    arena_done(&arena);
}

static void test_reading(void **state)
{
    (void)state;
    static const char yaml[] =
        HEAD "streams:\n- name: a\n  $parameters: {p: 1}\n  retriever: {" REQUESTER ", " SELECTOR "}\n";
    struct arena arena;
    struct error err;
    struct manifest *manifest;
    arena_init(&arena);
    assert_int_equal(
        manifest_parse(&arena, "m.yaml", YAML_SYNTAX_YAML, slice_of(yaml), NULL, NULL, &manifest, &err), 0);
    struct component stream = component_at(component_get(manifest_root(manifest), "streams"), 0);
    assert_true(component_is(stream, "DeclarativeStream"));
    struct component requester = component_get(component_get(stream, "retriever"), "requester");
    assert_string_equal(component_type(requester)->name, "HttpRequester");
    assert_true(slice_is(component_text(requester, "path"), "a"));
    assert_true(slice_is(component_text(requester, "http_method"), "GET"));
    assert_int_equal(component_enum(requester, "http_method"), 0);
    assert_false(component_bool(requester, "use_cache"));
    assert_null(component_text(requester, "url").data);
    assert_true(component_is_none(component_get(requester, "authenticator")));
    int64_t p;
    assert_true(component_integer(component_parameters(requester), "p", &p));
    assert_int_equal(p, 1);
    assert_true(component_is_none(component_get(manifest_root(manifest), "definitions")));
    error_set(&err, ERROR_INVALID, "it is odd");
    component_error(&err, component_get(requester, "path"));
    assert_string_equal(err.message, "streams[0].retriever.requester.path (m.yaml:6:60): it is odd");
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),  cmocka_unit_test(test_propagation),
        cmocka_unit_test(test_parents_win), cmocka_unit_test(test_problems),
        cmocka_unit_test(test_rules),       cmocka_unit_test(test_expansion),
        cmocka_unit_test(test_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
