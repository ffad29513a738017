"""Manifests made at random from components that mock_api.py can serve: paginator × extractor × filter × transformations × partition
router × cursor × error handler × old and new spelling. The same seed gives the same manifest."""

import random

TIME = "%Y-%m-%dT%H:%M:%SZ"


def option(name, place="request_parameter"):
    return {"type": "RequestOption", "inject_into": place, "field_name": name}


def page_increment(dice):
    strategy = {"type": "PageIncrement", "page_size": dice.choice([1, 2, 3, 7, 10])}
    if dice.random() < 0.5:
        strategy["inject_on_first_request"] = dice.random() < 0.5
    if dice.random() < 0.3:
        strategy["start_from_page"] = dice.choice([0, 1])
    return "pages", ["data"], {"type": "DefaultPaginator", "page_token_option": option("page"), "page_size_option": option("size"),
                               "pagination_strategy": strategy}


def offset_increment(dice):
    strategy = {"type": "OffsetIncrement", "page_size": dice.choice([1, 3, "{{ 2 + 1 }}", 10])}
    if dice.random() < 0.5:
        strategy["inject_on_first_request"] = dice.random() < 0.5
    return "offset", ["data", "items"], {"type": "DefaultPaginator", "page_token_option": option("offset"),
                                         "page_size_option": option("limit"), "pagination_strategy": strategy}


def cursor_token(dice):
    strategy = {"type": "CursorPagination", "cursor_value": "{{ response['cursor'] }}"}
    if dice.random() < 0.5:
        strategy["stop_condition"] = dice.choice(["{{ not response.cursor }}", "{{ response.data | length < 2 }}", "{{ last_record['id'] > 4 }}"])
    return "token", ["data"], {"type": "DefaultPaginator", "page_token_option": option("cursor"), "pagination_strategy": strategy}


def next_link(dice):
    value = dice.choice(["{{ response['links']['next'] }}", "{{ response.get('links', {}).get('next', {}) }}"])
    return "next", ["data"], {"type": "DefaultPaginator", "page_token_option": {"type": "RequestPath"},
                              "pagination_strategy": {"type": "CursorPagination", "cursor_value": value}}


def header_link(dice):
    return "link", [], {"type": "DefaultPaginator", "page_token_option": {"type": "RequestPath"}, "pagination_strategy": {
        "type": "CursorPagination", "cursor_value": "{{ headers['link']['next']['url'] }}",
        "stop_condition": "{{ 'next' not in headers['link'] }}"}}


def no_pages(dice):
    path, field = dice.choice([("filter", ["data"]), ("pages", ["data"]), ("link", []), ("pages", ["data", "*"]), ("status/404", ["data"]), ("status/503", ["data"])])
    return path, field, None


def transformation(dice):
    return dice.choice([
        {"type": "AddFields", "fields": [{"type": "AddedFieldDefinition", "path": ["made", "by"], "value": dice.choice([
            "{{ record['id'] * 2 }}", "{{ record.name }}", "{{ stream_slice }}", "{{ stream_partition.kind }}", "{{ record.price | round }}", "x"])}]},
        {"type": "AddFields", "condition": "{{ record.id > 3 }}", "fields": [
            {"type": "AddedFieldDefinition", "path": ["as"], "value": "{{ record.id }}", "value_type": dice.choice(["string", "number", "integer", "boolean"])}]},
        {"type": "RemoveFields", "field_pointers": dice.choice([[["nested"]], [["nested", "Deep Name"], ["price"]], [["n*"]], [["none"]]])},
        {"type": "KeysToSnakeCase"}, {"type": "KeysToLower"}, {"type": "FlattenFields", "flatten_lists": dice.random() < 0.5},
        {"type": "KeysReplace", "old": "n", "new": dice.choice(["", "N"])},
        {"type": "DpathFlattenFields", "field_path": ["nested"], "delete_origin_value": dice.random() < 0.5},
    ])


def error_handler(dice):
    def one(dice):
        filters = [{"type": "HttpResponseFilter", "action": dice.choice(["IGNORE", "FAIL", "SUCCESS", "RETRY"]), **dice.choice([
            {"http_codes": [404]}, {"http_codes": [503, 404]}, {"predicate": "{{ response.get('error') is mapping }}"},
            {"error_message_contains": "this is why"}])} for _ in range(dice.randrange(3))]
        made = {"type": "DefaultErrorHandler", "max_retries": dice.choice([0, 1, 2]),
                "backoff_strategies": [{"type": "ConstantBackoffStrategy", "backoff_time_in_seconds": 0.01}]}
        return {**made, "response_filters": filters} if filters else made
    if dice.random() < 0.25:
        return {"type": "CompositeErrorHandler", "error_handlers": [one(dice), one(dice)]}
    return one(dice)


def routers(dice):
    one = {"type": "ListPartitionRouter", "cursor_field": "kind", "values": dice.choice([["a", "b"], "{{ ['a', 'b'] }}", ["b"], "{{ config['kinds'] }}"])}
    if dice.random() < 0.8:
        one["request_option"] = option("kind")
    other = {"type": "ListPartitionRouter", "cursor_field": "round", "values": ["1", "2"], "request_option": option("round")}
    return dice.choice([one, [one], [one, other]])


def cursor(dice):
    made = {"type": "DatetimeBasedCursor", "cursor_field": "at", "datetime_format": TIME,
            "start_datetime": dice.choice(["2024-01-03T00:00:00Z", {"type": "MinMaxDatetime", "datetime": "{{ config['start'] }}", "datetime_format": TIME},
                                           {"type": "MinMaxDatetime", "datetime": "2024-01-02", "datetime_format": "%Y-%m-%d",
                                            "min_datetime": "2024-01-04"}]),
            "end_datetime": {"type": "MinMaxDatetime", "datetime": dice.choice(["2024-01-15T00:00:00Z", "2024-01-12T12:30:00Z"]), "datetime_format": TIME},
            "start_time_option": option("from")}
    if dice.random() < 0.7:
        made.update({"step": dice.choice(["P5D", "P1W", "PT60H", "P1M", "{{ 'P3D' }}"]), "cursor_granularity": dice.choice(["PT1S", "P1D"])})
    if dice.random() < 0.7:
        made["end_time_option"] = option("to")
    if dice.random() < 0.4:
        made["lookback_window"] = dice.choice(["P1D", "PT36H", "{{ 'P2D' }}"])
    if dice.random() < 0.3:
        made["cursor_datetime_formats"] = dice.choice([[TIME], ["%Y-%m-%d", TIME]])
    if dice.random() < 0.2:
        made["is_client_side_incremental"] = True
    return made


def stream(dice, name):
    """Streams with a cursor have no pages: the API's events are one list."""
    incremental = cursor(dice) if dice.random() < 0.35 else None
    path, field, paginator = ("events", [], None) if incremental else dice.choice(
        [page_increment, offset_increment, cursor_token, next_link, header_link, no_pages])(dice)
    requester = {"type": "HttpRequester"}
    if dice.random() < 0.5:
        requester.update({"url_base": dice.choice(["{{ config['url'] }}", "{{ config.url }}/"]), "path": dice.choice(["", "/"]) + path})
    else:
        requester["url"] = "{{ config['url'] }}/" + path
    if dice.random() < 0.5:
        requester["http_method"] = "GET"
    if dice.random() < 0.5:
        requester["request_parameters"] = {"q": dice.choice(["a b&c", "{{ config['start'] }}", "{{ stream_slice.get('kind', '') }}", "{{ [1] }}"])}
    if dice.random() < 0.5:
        requester["request_headers"] = {"X-Test": dice.choice(["1", "{{ config['token'] }}", "{{ 1 + 1 }}"])}
    if dice.random() < 0.4:
        requester["authenticator"] = dice.choice([
            {"type": "BearerAuthenticator", "api_token": "{{ config['token'] }}"},
            {"type": "BasicHttpAuthenticator", "username": "{{ config['token'] }}", "password": "p"},
            {"type": "ApiKeyAuthenticator", "api_token": "k", "inject_into": option("api_key")}, {"type": "NoAuth"}])
    if dice.random() < 0.6 or path.startswith("status"):
        requester["error_handler"] = error_handler(dice)
    selector = {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": field}}
    if dice.random() < 0.3:
        selector["record_filter"] = {"type": "RecordFilter", "condition": dice.choice([
            "{{ record['id'] % 2 == 0 }}", "{{ record.kind == 'a' }}", "{{ record.get('nothing') }}", "{{ record.id > 2 and record.id < 6 }}"])}
    if dice.random() < 0.2:
        selector["transform_before_filtering"] = dice.random() < 0.5
    retriever = {"type": "SimpleRetriever", "requester": requester, "record_selector": selector}
    if paginator:
        retriever["paginator"] = paginator
    if dice.random() < 0.35:
        retriever["partition_router"] = routers(dice)
    made = {"type": "DeclarativeStream", "name": name, "primary_key": dice.choice([["id"], "id", [["id"]], []]), "retriever": retriever,
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {"id": {"type": "integer"}}}}}
    if incremental:
        made["incremental_sync"] = incremental
    if dice.random() < 0.5:
        made["transformations"] = [transformation(dice) for _ in range(dice.randrange(1, 3))]
    return made


def manifest(seed, streams=6):
    dice = random.Random(seed)
    made = [stream(dice, f"s{n}") for n in range(streams)]
    return {"version": "6.0.0", "type": "DeclarativeSource", "check": {"type": "CheckStream", "stream_names": ["s0"]}, "streams": made,
            "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
            "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 1}}


def config(url):
    return {"url": url, "token": "s3cr3t-t0ken", "start": "2024-01-03T00:00:00Z", "kinds": ["a"]}
