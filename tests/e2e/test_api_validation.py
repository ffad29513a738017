"""Connections that could not be synced are refused when they are put, with the field that is wrong and what would be right."""

import copy

import pytest

from api import FAKER, WORKSPACE, basic, destinations_can, register, serve
from conftest import Firth, binary
import job_driving

PROGRAM = """
import json, sys
streams = [
    {"name": "users", "json_schema": {"type": "object", "properties": {
        "id": {"type": "integer"}, "at": {"type": "string"}, "name": {"type": "string"},
        "home": {"type": "object", "properties": {"town": {"type": "string"}}},
        "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}}}},
     "supported_sync_modes": ["full_refresh", "incremental"]},
    {"name": "events", "json_schema": {"type": "object", "properties": {"n": {"type": "integer"}, "when": {"type": "string"}}},
     "supported_sync_modes": ["incremental"], "source_defined_cursor": True, "default_cursor_field": ["when"],
     "source_defined_primary_key": [["n"]]},
    {"name": "plain", "namespace": "shop", "json_schema": {"type": "object", "properties": {"id": {"type": "integer"}}},
     "supported_sync_modes": ["full_refresh"]},
]
if sys.argv[1] == "spec":
    print(json.dumps({"type": "SPEC", "spec": {"connectionSpecification": {"type": "object"}}}))
elif sys.argv[1] == "discover":
    print(json.dumps({"type": "CATALOG", "catalog": {"streams": streams}}))
"""


class Served:
    def __init__(self, firth, folder, modes=("append", "overwrite", "append_dedup", "overwrite_dedup")):
        self.client = serve(firth).api
        program = folder / "offering.py"
        program.write_text(PROGRAM)
        self.source = self.client.config("sources/create", {
            "sourceDefinitionId": register(firth, program), "workspaceId": WORKSPACE, "name": "offering",
            "connectionConfiguration": {}})["sourceId"]
        self.destination = self.client.destination()
        destinations_can(firth, modes)
        self.catalog = self.client.config("sources/discover_schema", {"sourceId": self.source})["catalog"]
        self.ends = {"sourceId": self.source, "destinationId": self.destination}

    def create(self, expect=200, **more):
        return self.client.config("connections/create", {**self.ends, "status": "active", "syncCatalog": self.catalog, **more}, expect)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One daemon for all that only asks it: each connection is one of its own."""
    folder = tmp_path_factory.mktemp("offering")
    firth = Firth(binary("FIRTH_BIN", "build/firth"), folder / "data", folder)
    yield Served(firth, folder)
    firth.stop_all()


def named(answer):
    return [each["propertyPath"] for each in answer["validationErrors"]]


def at(catalog, path, value):
    """The catalog with another value at "0.config.cursorField"; of a dict its members."""
    changed = copy.deepcopy(catalog)
    number, part, *rest = path.split(".", 2)
    target = changed["streams"][int(number)][part]
    if rest:
        target[rest[0]] = value
    else:
        target.update(value)
    return changed


INCREMENTAL = {"syncMode": "incremental", "destinationSyncMode": "append", "cursorField": ["at"]}
CHOOSING = {"fieldSelectionEnabled": True}


def fields(*paths):
    return [{"fieldPath": list(path)} for path in paths]


# stream, what its config gets, the field that is wrong, what is said of it
WRONG = [
    (2, {"syncMode": "incremental", "destinationSyncMode": "append"}, "syncMode", "cannot read the stream 'plain' as incremental; it can full_refresh"),
    (1, {"syncMode": "full_refresh", "destinationSyncMode": "append"}, "syncMode", "cannot read the stream 'events' as full_refresh; it can incremental"),
    (0, {"syncMode": "full_refresh", "destinationSyncMode": "append_dedup", "primaryKey": [["id"]]}, "destinationSyncMode", "goes with incremental"),
    (0, {**INCREMENTAL, "destinationSyncMode": "overwrite"}, "destinationSyncMode", "may be append or append_dedup"),
    (0, {"destinationSyncMode": "update"}, "destinationSyncMode", "it is append, overwrite, append_dedup or overwrite_dedup"),
    (0, {"destinationSyncMode": "soft_delete"}, "destinationSyncMode", "soft_delete"),
    (0, {**INCREMENTAL, "cursorField": []}, "cursorField", "incremental needs a cursor"),
    (0, {**INCREMENTAL, "cursorField": ["att"]}, "cursorField", "has no field 'att'; did you mean 'at'?"),
    (0, {**INCREMENTAL, "cursorField": ["home", "street"]}, "cursorField", "no field 'street' in 'home'; it has: town"),
    (0, {**INCREMENTAL, "cursorField": ["name", "first"]}, "cursorField", "has the type string and no field 'first'"),
    (1, {"cursorField": ["n"]}, "cursorField", "a cursor of its own for the stream 'events', when"),
    (0, {**INCREMENTAL, "destinationSyncMode": "append_dedup"}, "primaryKey", "needs a primary key"),
    (0, {"destinationSyncMode": "overwrite_dedup"}, "primaryKey", "needs a primary key"),
    (0, {**INCREMENTAL, "destinationSyncMode": "append_dedup", "primaryKey": [["at"], ["idd"]]}, "primaryKey[1]", "did you mean 'id'?"),
    (0, {"primaryKey": [[]]}, "primaryKey[0]", "is empty"),
    (0, CHOOSING, "selectedFields", "no field of the stream 'users' is selected"),
    (0, {**CHOOSING, "selectedFields": fields(["id"], ["nam"])}, "selectedFields[1].fieldPath", "did you mean 'name'?"),
    (0, {**CHOOSING, "selectedFields": fields(["items", "price"])}, "selectedFields[0].fieldPath", "it has: sku"),
    (0, {**CHOOSING, "selectedFields": [{}]}, "selectedFields[0].fieldPath", "is empty"),
    (0, {**INCREMENTAL, **CHOOSING, "selectedFields": fields(["id"])}, "selectedFields", "the cursor 'at' of the stream 'users' is not selected"),
    (0, {**CHOOSING, "destinationSyncMode": "overwrite_dedup", "primaryKey": [["id"]], "selectedFields": fields(["at"])}, "selectedFields", "'id' of the primary key"),
    (1, {**CHOOSING, "selectedFields": fields(["n"])}, "selectedFields", "the cursor 'when'"),
    (0, {"mappers": [{"type": "shouting", "mapperConfiguration": {}}]}, "mappers", "shouting"),
    (0, {"mappers": [{"type": "field-filtering", "mapperConfiguration": {"targetField": "gone"}}]}, "mappers", "gone"),
    (0, {"hashedFields": fields(["gone"])}, "hashedFields", "gone"),
    (0, {"includeFiles": True}, "includeFiles", "cannot be synced"),
]


@pytest.mark.parametrize("number, config, field, said", WRONG)
def test_streams_that_cannot_be_synced(served, number, config, field, said):
    catalog = at(served.catalog, f"{number}.config", config)
    answer = served.create(422, syncCatalog=catalog)
    assert named(answer) == [f"syncCatalog.streams[{number}].config.{field}"] and said in answer["message"], answer
    kept = served.create()["connectionId"]
    for path in ("connections/update", "web_backend/connections/update"):
        answer = served.client.config(path, {"connectionId": kept, "syncCatalog": catalog}, 422)
        assert named(answer) == [f"syncCatalog.streams[{number}].config.{field}"] and said in answer["message"], answer
    assert served.client.config("connections/get", {"connectionId": kept})["syncCatalog"] == served.catalog
    # What is not synced is not looked at, but for mappers.
    if field not in ("mappers", "hashedFields"):
        served.create(syncCatalog=at(served.catalog, f"{number}.config", {**config, "selected": False}))


@pytest.mark.parametrize("number, config", [
    (0, INCREMENTAL),
    (0, {**INCREMENTAL, "destinationSyncMode": "append_dedup", "primaryKey": [["id"]]}),
    (0, {"destinationSyncMode": "overwrite_dedup", "primaryKey": [["home", "town"]]}),
    (1, {"cursorField": []}), (1, {"cursorField": ["when"], "destinationSyncMode": "append"}), (1, {"primaryKey": []}),
    (0, {**CHOOSING, "selectedFields": fields(["id"], ["items", "sku"], ["home"])}),
    (1, {**CHOOSING, "selectedFields": fields(["n"], ["when"])}),
    (2, {"destinationSyncMode": "append"})])
def test_streams_that_can(served, number, config):
    catalog = at(served.catalog, f"{number}.config", config)
    assert served.create(syncCatalog=catalog)["syncCatalog"] == catalog


def test_names_of_streams(served):
    stranger = at(served.catalog, "0.stream.name", "userz")
    answer = served.create(422, syncCatalog=stranger)
    assert named(answer) == ["syncCatalog.streams[0].stream.name"] and "did you mean 'users'?" in answer["message"]
    answer = served.create(422, syncCatalog=at(served.catalog, "2.stream.namespace", "store"))
    assert named(answer) == ["syncCatalog.streams[2].stream.namespace"], answer
    doubled = {"streams": [*served.catalog["streams"], served.catalog["streams"][0]]}
    answer = served.create(422, syncCatalog=doubled)
    assert named(answer) == ["syncCatalog.streams[3].stream.name"] and "twice" in answer["message"]
    answer = served.create(422, syncCatalog=at(served.catalog, "0.stream.name", ""))
    assert named(answer) == ["syncCatalog.streams[0].stream.name"], answer


def test_what_a_catalog_leaves_out_is_what_the_source_has(served):
    """Only a name and a config: it is held against what was discovered."""
    bare = {"streams": [{"stream": {"name": "users"}, "config": {"syncMode": "incremental", "destinationSyncMode": "append", "cursorField": ["att"]}}]}
    assert named(served.create(422, syncCatalog=bare)) == ["syncCatalog.streams[0].config.cursorField"]
    bare["streams"][0]["config"]["cursorField"] = ["at"]
    served.create(syncCatalog=bare)


@pytest.mark.parametrize("more, field, said", [
    ({"namespaceDefinition": "customformat"}, "namespaceFormat", "needs a namespaceFormat"),
    ({"namespaceDefinition": "customformat", "namespaceFormat": ""}, "namespaceFormat", "needs a namespaceFormat"),
    ({"namespaceDefinition": "custom"}, "namespaceDefinition", "source"),
    ({"prefix": "a\nb"}, "prefix", "control character"),
    ({"prefix": "p" * 100000}, "prefix", "limit"),
    ({"name": "n" * 100000}, "name", "limit"),
    ({"scheduleType": "cron"}, "scheduleData.cron", "needs scheduleData.cron"),
    ({"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "0 0 25 * * ?", "cronTimeZone": "UTC"}}},
     "scheduleData.cron.cronExpression", "25"),
    ({"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "0 6 * * 1-5", "cronTimeZone": "UTC"}}},
     "scheduleData.cron.cronExpression", "'0 0 6 ? * MON-FRI'"),
    ({"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "@daily", "cronTimeZone": "UTC"}}},
     "scheduleData.cron.cronExpression", "'0 0 0 * * ?'"),
    ({"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "0 6 1 * 1", "cronTimeZone": "UTC"}}},
     "scheduleData.cron.cronExpression", "one of the two must be ?"),
    *(({"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": given, "cronTimeZone": "UTC"}}}, "scheduleData.cron.cronExpression", said)
      for given, said in (("0 0 0 * * *", "one only: '0 0 0 * * ?'"), ("0 0 0 * * MON 2099", "one only: '0 0 0 ? * MON 2099'"),
                          ("0 0 0 ? * ?", "one only: '0 0 0 * * ?'"), ("0 0 0 1 * MON", "one is ?, and one only"))),
    ({"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "0 0 12 30 2 ?", "cronTimeZone": "UTC"}}},
     "scheduleData.cron.cronExpression", "no time that comes"),
    ({"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "0 0 12 * * ?", "cronTimeZone": "Europe/Nowhere"}}},
     "scheduleData.cron.cronTimeZone", "Europe/Nowhere"),
    ({"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "0 0 12 * * ?"}}}, "scheduleData.cron.cronTimeZone", ""),
    ({"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 0}}}, "scheduleData.basicSchedule.units", "1 to"),
    ({"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 10 ** 9}}}, "scheduleData.basicSchedule.units", "1 to"),
    ({"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": "years", "units": 1}}}, "scheduleData.basicSchedule.timeUnit", "years"),
    ({"scheduleType": "basic"}, "scheduleData.basicSchedule", "needs"),
    ({"schedule": {"units": -1, "timeUnit": "hours"}}, "schedule.units", "1 to"),
    ({"scheduleData": {"cron": {"cronExpression": "0 0 12 * * ?", "cronTimeZone": "UTC"}}}, "scheduleType", "basic or cron"),
    ({"status": "locked"}, "status", "active or inactive"),
])
def test_the_rest_of_a_connection(served, more, field, said):
    kept = served.create()["connectionId"]
    for answer in (served.create(422, **more), served.client.config("connections/update", {"connectionId": kept, **more}, 422),
                   served.client.config("web_backend/connections/create", {**served.ends, "status": "active", "syncCatalog": served.catalog, **more}, 422)):
        assert named(answer) == [field] and said in answer["message"], answer


def test_the_destinations_modes_count(firth, tmp_path):
    """Of what its spec names."""
    served = Served(firth, tmp_path, modes=["append", "overwrite"])
    answer = served.create(422, syncCatalog=at(served.catalog, "1.config.destinationSyncMode", "append_dedup"))
    assert named(answer) == ["syncCatalog.streams[1].config.destinationSyncMode"]
    assert "the destination 'files' cannot append_dedup; it can append, overwrite" in answer["message"]
    made = served.create()["connectionId"]
    assert served.catalog["streams"][1]["config"]["destinationSyncMode"] == "append", "what every destination can"
    # For a connection the proposals are what its destination can.
    ask = lambda: [each["config"]["destinationSyncMode"] for each in served.client.config(
        "sources/discover_schema", {"sourceId": served.source, "connectionId": made})["catalog"]["streams"]]
    assert ask() == ["overwrite", "append", "overwrite"]
    destinations_can(firth, ["append", "append_dedup"])
    assert ask() == ["append", "append_dedup", "append"]
    public = served.client.public("POST", "connections", served.ends)["configurations"]["streams"]
    assert [each["syncMode"] for each in public] == ["full_refresh_append", "incremental_deduped_history", "full_refresh_append"]


def test_a_stream_that_is_gone_from_the_source_may_stay(firth, tmp_path):
    """What a client read it writes back, with another name for the connection."""
    served = Served(firth, tmp_path)
    kept = served.create()
    program = tmp_path / "offering.py"
    program.write_text(PROGRAM.replace('"name": "users"', '"name": "people"'))
    served.client.config("sources/discover_schema", {"sourceId": served.source, "disable_cache": True})
    body = {"connectionId": kept["connectionId"], "name": "renamed", "syncCatalog": at(kept["syncCatalog"], "2.config.destinationSyncMode", "append")}
    assert served.client.config("connections/update", body)["name"] == "renamed"
    assert named(served.create(422)) == ["syncCatalog.streams[0].stream.name"]


@pytest.mark.parametrize("configuration, field, said", [
    ({"name": "userz"}, "name", "did you mean 'users'?"),
    ({"name": "plain", "namespace": "store"}, "namespace", "store"),
    ({"name": "users", "syncMode": "incremental_append"}, "cursorField", "needs a cursor"),
    ({"name": "users", "syncMode": "incremental_append", "cursorField": ["att"]}, "cursorField", "did you mean 'at'?"),
    ({"name": "users", "syncMode": "incremental_deduped_history", "cursorField": ["at"]}, "primaryKey", "needs a primary key"),
    ({"name": "users", "syncMode": "full_refresh_overwrite_deduped"}, "primaryKey", "needs a primary key"),
    ({"name": "users", "syncMode": "full_refresh_update"}, "syncMode", "update"),
    ({"name": "plain", "syncMode": "incremental_append"}, "syncMode", "cannot read"),
    ({"name": "events", "syncMode": "incremental_append", "cursorField": ["n"]}, "cursorField", "a cursor of its own"),
    ({"name": "users", "selectedFields": fields(["nam"])}, "selectedFields[0].fieldPath", "did you mean 'name'?"),
    ({"name": "users", "mappers": [{"type": "shouting", "mapperConfiguration": {}}]}, "mappers", "shouting"),
])
def test_streams_of_the_public_api(served, configuration, field, said):
    right = {"name": "events", "syncMode": "incremental_append"} if configuration["name"] != "events" else {"name": "plain"}
    made = served.client.public("POST", "connections", {**served.ends, "configurations": {"streams": [right]}})["connectionId"]
    body = {"configurations": {"streams": [right, configuration]}}
    for method, path, more in (("POST", "connections", served.ends), ("PATCH", f"connections/{made}", {})):
        answer = served.client.public(method, path, {**body, **more}, 422)
        assert answer["data"]["field"] == f"configurations.streams[1].{field}" and said in answer["detail"], answer


@pytest.mark.parametrize("more, field", [
    ({"namespaceDefinition": "custom_format"}, "namespaceFormat"), ({"prefix": "a\tb"}, "prefix"),
    ({"namespaceDefinition": "custom_format", "namespaceFormat": "${SOURCE_NAMESPACE}${BOGUS}"}, "namespaceFormat"),
    ({"schedule": {"scheduleType": "cron"}}, "schedule.cronExpression"),
    ({"schedule": {"scheduleType": "cron", "cronExpression": "0 0 25 * * ?"}}, "schedule.cronExpression"),
    ({"schedule": {"scheduleType": "cron", "cronExpression": "0 0 12 * * ? Europe/Nowhere"}}, "schedule.cronExpression"),
    ({"configurations": {"streams": [{"name": "users"}, {"name": "users"}]}}, "configurations.streams[1].name"),
    ({"configurations": {"streams": [{"name": "users", "syncMode": "sometimes"}]}}, "configurations.streams[0].syncMode"),
])
def test_the_rest_of_the_public_api(served, more, field):
    answer = served.client.public("POST", "connections", {**served.ends, **more}, 422)
    assert answer["data"]["field"] == field, answer


@pytest.mark.parametrize("config, said", [
    ({"cursorField": ["nam"], "stream": {"sourceDefinedCursor": False}}, "catalog.streams[1].config.cursorField: the stream 'users' has no field 'nam'; did you mean 'name'?"),
    ({"stream": {"sourceDefinedCursor": False}}, "catalog.streams[1].config.cursorField: incremental needs a cursor"),
    ({"destination": "append_dedup"}, "catalog.streams[1].config.primaryKey: what is to be without duplicates"),
    ({"destination": "upsert"}, 'catalog.streams[1].config.destinationSyncMode: expected one of "append", "overwrite"'),
    ({"sync": "sometimes"}, 'catalog.streams[1].config.syncMode: expected one of "full_refresh", "incremental"'),
    ({"fieldSelectionEnabled": True, "selectedFields": fields(["idd"])}, "catalog.streams[1].config.selectedFields[0].fieldPath"),
])
def test_files(firth, tmp_path, config, said):
    streams = [job_driving.stream("others"), job_driving.stream("users", **config)]
    result = firth("apply", job_driving.write(tmp_path, [], streams=streams))
    assert result.rc != 0 and said in result.err and "test.yaml:1:" in result.err, result.err
    assert not firth("job", "start", "test").rc == 0


@pytest.mark.parametrize("more, said", [
    ({"namespace": "customformat"}, "a custom namespace needs"), ({"prefix": "a\nb"}, "prefix has a control character"),
    ({"schedule": {"cron": "0 0 25 * * ?"}}, "25"), ({"schedule": {"every": 0}}, "1 to")])
def test_the_rest_of_files(firth, tmp_path, more, said):
    result = firth("apply", job_driving.write(tmp_path, [], **more))
    assert result.rc != 0 and said in result.err and "test.yaml:1:" in result.err, result.err


def test_words_of_the_public_api_are_listed(served):
    answer = served.client.public("POST", "connections", {**served.ends, "configurations": {"streams": [{"name": "users", "syncMode": "x"}]}}, 422)
    assert answer["data"]["field"] == "configurations.streams[0].syncMode"
    assert '"full_refresh_overwrite"' in answer["detail"] and '"incremental_append"' in answer["detail"], answer


def test_configs_are_told_what_they_should_be(served):
    """The type that was got, never the value."""
    answer = served.client.config("sources/create", {"workspaceId": WORKSPACE, "name": "a", "sourceDefinitionId": FAKER,
                                                     "connectionConfiguration": {"count": "s3cret"}}, 422)
    assert answer["validationErrors"][0]["message"].endswith("connectionConfiguration.count: expected integer, got a string"), answer
    answer = served.client.public("POST", "sources", {"workspaceId": WORKSPACE, "name": "a", "definitionId": FAKER, "configuration": {"count": -1}}, 422)
    assert "configuration.count: expected a number of at least" in answer["detail"], answer


def test_streams_that_become_one(served):
    """What would overwrite another at the destination is a 422, as the task would fail it: on the second of them."""
    both = copy.deepcopy(served.catalog)
    both["streams"] = both["streams"][:1] + both["streams"][2:]  # users, shop.plain
    for each in both["streams"]:
        each["config"].update(syncMode="full_refresh", destinationSyncMode="append", cursorField=[])
    served.create(syncCatalog=both, prefix="p_")
    alias = at(both, "1.config.aliasName", "users")
    wrong = {"namespaceDefinition": "destination", "syncCatalog": alias}, {"namespaceDefinition": "customformat", "namespaceFormat": "x", "syncCatalog": alias}
    for more in wrong:
        answer = served.create(422, **more)
        assert named(answer) == ["syncCatalog.streams[1].config.aliasName"], answer
        assert "'users' and 'shop.plain' are both 'users' at the destination" in answer["message"], answer
    fine = served.create(syncCatalog=alias, namespaceDefinition="customformat", namespaceFormat="x${SOURCE_NAMESPACE}")
    # The rule alone is changed.
    answer = served.client.config("connections/update", {"connectionId": fine["connectionId"], "namespaceFormat": "x"}, 422)
    assert named(answer) == ["syncCatalog.streams[1].config.aliasName"], answer
    alias["streams"][1]["config"]["selected"] = False
    served.create(syncCatalog=alias, namespaceDefinition="destination")


@pytest.mark.parametrize("kind", ["stream", "global"])
def test_a_state_is_of_the_connections_streams(served, kind):
    connection = served.create(syncCatalog=served.catalog)["connectionId"]

    def put(expect, *descriptors):
        states = [{"streamDescriptor": each, "streamState": {"n": 1}} for each in descriptors]
        state = {"streamState": states} if kind == "stream" else {"globalState": {"shared_state": {}, "streamStates": states}}
        return served.client.config("state/create_or_update", {"connectionId": connection, "connectionState": {
            "stateType": kind, "connectionId": connection, **state}}, expect)
    put(200, {"name": "users"}, {"name": "plain", "namespace": "shop"})
    before = served.client.config("state/get", {"connectionId": connection})
    member = "streamState" if kind == "stream" else "globalState.streamStates"
    for wrong in ({"name": "nope"}, {"name": "plain"}, {"name": "users", "namespace": "shop"}):
        answer = put(422, {"name": "users"}, wrong)
        assert named(answer) == [f"connectionState.{member}[1].streamDescriptor"] and "has no stream" in answer["message"], answer
    assert served.client.config("state/get", {"connectionId": connection}) == before


def test_a_type_that_is_none_is_named(served):
    answer = served.client.public("POST", "sources", {"workspaceId": WORKSPACE, "name": "a", "configuration": {"sourceType": "fakerr"}}, 422)
    assert answer["data"]["field"] == "configuration.sourceType" and "did you mean faker?" in answer["detail"], answer
    answer = served.client.public("POST", "sources", {"workspaceId": WORKSPACE, "name": "a", "configuration": {}}, 422)
    assert answer["data"]["field"] == "definitionId", answer


def test_a_wrong_password_is_told_from_none(served):
    for header, said in ((None, "are needed"), (basic(password="wrong"), "is wrong"), ("Bearer nope", "is wrong")):
        answer = served.client.ask("GET", "/api/public/v1/workspaces", headers={"Authorization": header})
        assert answer.status == 401 and said in str(answer.json()), answer


def test_a_member_of_a_config_that_is_missing_is_named(served):
    sqlite = "b76be0a6-27dc-4560-95f6-2623da0bd7b6"
    given = {"workspaceId": WORKSPACE, "name": "files", "destinationDefinitionId": sqlite, "connectionConfiguration": {}}
    answer = served.client.config("destinations/create", given, 422)
    assert named(answer) == ["connectionConfiguration.destination_path"] and "destination_path" in answer["message"]
    told = served.client.ask("POST", "/api/public/v1/destinations", {**given, "definitionId": sqlite, "configuration": {}})
    assert told.status == 422 and told.json()["data"]["field"] == "configuration.destination_path", told


@pytest.mark.parametrize("name, said", [("a\u0085b", "control character, U+0085, at byte 1"), ("\u00e9" * 201, "201 characters; the limit is 200"), ("\u00e9" * 200, None)])
def test_names_of_definitions(served, name, said):
    given = {"name": name, "dockerRepository": "a/b", "dockerImageTag": "1", "documentationUrl": "http://a"}
    answer = served.client.config("source_definitions/create_custom", {"workspaceId": WORKSPACE, "sourceDefinition": given}, 422 if said else 200)
    assert named(answer) == ["sourceDefinition.name"] and said in answer["message"] if said else answer["name"] == name, answer


def test_how_a_secret_is_shown_is_none(served):
    """Where there is a secret it stays; where there is none, the mask would be taken for it. Also with a spec that says nothing."""
    shown, definition = "**********", served.client.config("sources/get", {"sourceId": served.source})["sourceDefinitionId"]
    given = {"workspaceId": WORKSPACE, "name": "masked", "sourceDefinitionId": definition}
    told = []

    def refused(path, body, field):
        answer = served.client.config(path, body, 422)
        assert named(answer) == [field], answer
        told.append(answer["message"])
    config = {"host": "h", "a": [{"token": shown}]}
    for path in ("sources/create", "scheduler/sources/check_connection"):
        refused(path, {**given, "connectionConfiguration": config}, "connectionConfiguration.a.0.token")
    sqlite = {"workspaceId": WORKSPACE, "name": "masked", "destinationDefinitionId": "b76be0a6-27dc-4560-95f6-2623da0bd7b6"}
    refused("destinations/create", {**sqlite, "connectionConfiguration": {"destination_path": shown}}, "connectionConfiguration.destination_path")
    made = served.client.config("sources/create", {**given, "connectionConfiguration": {"password": "s3cret"}})
    by_id = {"sourceId": made["sourceId"], "name": "kept"}
    refused("sources/update", {**by_id, "connectionConfiguration": {"password": shown, "token": shown}}, "connectionConfiguration.token")
    refused("sources/clone", {"sourceCloneId": made["sourceId"], "sourceConfiguration": {"connectionConfiguration": {"token": shown}}},
            "sourceConfiguration.connectionConfiguration.token")
    two = [{"name": "a", "token": "tok-a"}, {"name": "b", "token": "tok-b"}]
    listed = served.client.config("sources/create", {**given, "connectionConfiguration": {"l": two}})["sourceId"]
    asked = {"sourceId": listed, "name": "listed"}
    for items in ([{"name": "c", "token": shown}], [{"name": "b", "token": shown, "host": "h"}]):
        refused("sources/update", {**asked, "connectionConfiguration": {"l": items}}, "connectionConfiguration.l.0.token")
    served.client.config("sources/update", {**asked, "connectionConfiguration": {"l": [{"name": "b", "token": shown}]}})
    refused("notifications/try_webhook", {"notificationType": "slack", "trigger": "sync_success", "slackConfiguration": {"webhook": shown}}, "slackConfiguration.webhook")
    answer = served.client.public("POST", "sources", {"workspaceId": WORKSPACE, "name": "masked", "definitionId": definition, "configuration": config}, 422)
    assert answer["data"]["field"] == "configuration.a.0.token", answer
    assert all("this is how a secret is shown; give the secret itself" in each for each in [*told, answer["detail"]]), told
    for path in ("sources/update", "sources/clone"):
        kept = {"connectionConfiguration": {"password": shown, "host": "h"}}
        served.client.config(path, {**by_id, **kept} if path == "sources/update" else {"sourceCloneId": made["sourceId"], "sourceConfiguration": kept})
