"""The API, when a source has changed its schema: what is different, and the connection's streams with it."""

import copy
import json

import pytest

from api import NOTHING, WORKSPACE, destinations_can, register, serve

PROGRAM = """
import json, sys
if sys.argv[1] == "spec":
    print(json.dumps({"type": "SPEC", "spec": {"connectionSpecification": {"type": "object"}}}))
elif sys.argv[1] == "discover":
    print(json.dumps({"type": "CATALOG", "catalog": {"streams": json.load(open(%r))}}))
"""


def stream(name, more=None, /, **properties):
    found = {"name": name, "json_schema": {"type": "object", "properties": properties}, "supported_sync_modes": ["full_refresh", "incremental"]}
    return {**found, **(more or {})}


INTEGER, TEXT = {"type": "integer"}, {"type": "string"}
PLACE = {"type": "object", "properties": {"town": TEXT, "zip": TEXT}}
BEFORE = [stream("users", id=INTEGER, at=TEXT, name=TEXT, home=PLACE), stream("gone", id=INTEGER), stream("same", {"namespace": "a"}, id=INTEGER)]


class Changing:
    def __init__(self, firth, folder):
        self.firth, self.client = firth, serve(firth).api
        self.streams = folder / "streams.json"
        program = folder / "changing.py"
        program.write_text(PROGRAM % str(self.streams))
        self.offers(BEFORE)
        definition = register(firth, program)
        self.source = self.client.config("sources/create", {"sourceDefinitionId": definition, "workspaceId": WORKSPACE,
                                                            "name": "changing", "connectionConfiguration": {}})["sourceId"]
        found = self.client.config("sources/discover_schema", {"sourceId": self.source})
        for each in found["catalog"]["streams"]:
            if each["stream"]["name"] == "users":
                each["config"].update(syncMode="incremental", destinationSyncMode="append", cursorField=["at"], primaryKey=[["id"]])
        self.connection = self.client.config("connections/create", {
            "sourceId": self.source, "destinationId": self.client.destination(), "status": "active",
            "syncCatalog": found["catalog"], "sourceCatalogId": found["catalogId"]})["connectionId"]

    def offers(self, streams):
        self.streams.write_text(json.dumps(streams))

    def discover(self, **more):
        return self.client.config("sources/discover_schema", {"sourceId": self.source, "connectionId": self.connection,
                                                              "disable_cache": True, **more})


@pytest.fixture
def changing(firth, tmp_path):
    return Changing(firth, tmp_path)


def transforms(found):
    return {each["streamDescriptor"]["name"]: each for each in found["catalogDiff"]["transforms"]}


def test_nothing_has_changed(changing):
    found = changing.discover()
    assert found["catalogDiff"] == {"transforms": []} and found["breakingChange"] is False
    assert found["connectionStatus"] == "active"
    assert "catalogDiff" not in changing.client.config("sources/discover_schema", {"sourceId": changing.source})


def test_what_has_changed_is_told_field_by_field(changing):
    changing.offers([stream("users", id=TEXT, at=TEXT, age=INTEGER, home={"type": "object", "properties": {"town": INTEGER, "street": TEXT}}),
                     stream("same", {"namespace": "a"}, id={**INTEGER}), stream("same", {"namespace": "b"}, id=INTEGER)])
    found = changing.discover()
    assert found["breakingChange"] is False
    told = transforms(found)
    assert told["gone"] == {"transformType": "remove_stream", "streamDescriptor": {"name": "gone"}}
    assert told["same"] == {"transformType": "add_stream", "streamDescriptor": {"name": "same", "namespace": "b"}}
    fields = {(each["transformType"], ".".join(each["fieldName"])): each for each in told["users"]["updateStream"]["fieldTransforms"]}
    assert set(fields) == {("update_field_schema", "id"), ("remove_field", "name"), ("add_field", "age"),
                           ("update_field_schema", "home.town"), ("remove_field", "home.zip"), ("add_field", "home.street")}
    assert fields["update_field_schema", "id"]["updateFieldSchema"] == {"oldSchema": INTEGER, "newSchema": TEXT}
    assert fields["add_field", "age"]["addField"] == {"schema": INTEGER}
    assert fields["remove_field", "name"]["removeField"] == {"schema": TEXT}
    assert len(told) == 3


@pytest.mark.parametrize("lost, breaking", [("at", True), ("id", True), ("name", False)])
def test_a_lost_cursor_or_key_is_breaking(changing, lost, breaking):
    left = {"id": INTEGER, "at": TEXT, "name": TEXT, "home": PLACE}
    del left[lost]
    changing.offers([stream("users", **left), *BEFORE[1:]])
    found = changing.discover()
    change, = transforms(found)["users"]["updateStream"]["fieldTransforms"]
    assert (change["transformType"], change["fieldName"], change["breaking"]) == ("remove_field", [lost], breaking)
    assert found["breakingChange"] is breaking
    shown = changing.client.config("web_backend/connections/get", {"connectionId": changing.connection, "withRefreshedCatalog": True})
    assert shown["schemaChange"] == ("breaking" if breaking else "non_breaking")


@pytest.mark.parametrize("mapper, breaking", [
    ({"type": "hashing", "mapperConfiguration": {"targetField": "name", "method": "SHA-256", "fieldNameSuffix": "_h"}}, True),
    ({"type": "row-filtering", "mapperConfiguration": {"conditions": {"type": "NOT", "conditions": [
        {"type": "EQUAL", "fieldName": "name", "comparisonValue": "x"}]}}}, True),
    ({"type": "hashing", "mapperConfiguration": {"targetField": "at", "method": "SHA-256", "fieldNameSuffix": "_h"}}, False)])
def test_a_lost_column_that_a_mapper_is_for_is_breaking(changing, mapper, breaking):
    """It may have another name now, under which it would pass in the clear."""
    catalog = changing.client.config("connections/get", {"connectionId": changing.connection})["syncCatalog"]
    config, = [each["config"] for each in catalog["streams"] if each["stream"]["name"] == "users"]
    config.update(mappers=[mapper], syncMode="full_refresh", cursorField=[])
    changing.client.config("connections/update", {"connectionId": changing.connection, "syncCatalog": catalog})
    changing.offers([stream("users", id=INTEGER, at=TEXT, title=TEXT, home=PLACE), *BEFORE[1:]])
    found = changing.discover()
    lost, = [each for each in transforms(found)["users"]["updateStream"]["fieldTransforms"] if each["transformType"] == "remove_field"]
    assert (lost["fieldName"], lost["breaking"], found["breakingChange"]) == (["name"], breaking, breaking)
    if breaking:
        # As long as it is so, the file that has it is told of it.
        config["aliasName"] = "people"
        answer = changing.client.config("connections/update", {"connectionId": changing.connection, "syncCatalog": catalog}, 200)
        assert answer["breakingChange"] is True
        told = changing.firth("job", "start", changing.connection)
        assert told.rc != 0 and "does not fit" in told.err


def test_a_source_defined_cursor_is_the_source_s_to_change(changing):
    changing.offers([stream("users", {"source_defined_cursor": True}, id=INTEGER, name=TEXT, home=PLACE), *BEFORE[1:]])
    assert changing.discover()["breakingChange"] is False


def keyed(*keys):
    return [stream("users", {"source_defined_primary_key": [[key] for key in keys]} if keys else {}, id=INTEGER, at=TEXT, name=TEXT, home=PLACE), *BEFORE[1:]]


@pytest.mark.parametrize("mode, chosen, now, breaking", [
    ("append_dedup", ["id"], ["at"], True), ("overwrite_dedup", ["id"], ["at"], True), ("append", ["id"], ["at"], False),
    ("append_dedup", ["at", "id"], ["id", "at"], False),  # what the connection has already, in another order
    ("append_dedup", ["id"], ["id", "at"], True), ("append_dedup", ["id", "at"], ["at"], True),
    ("append_dedup", ["id"], [], False)])  # the source leaves it to the connection
def test_another_key_of_the_source_s_own(changing, mode, chosen, now, breaking):
    destinations_can(changing.firth)
    changing.offers(keyed("id"))
    shown = changing.client.config("web_backend/connections/get", {"connectionId": changing.connection, "withRefreshedCatalog": True})
    change, = transforms(shown)["users"]["updateStream"]["streamAttributeTransforms"]
    assert change == {"transformType": "update_primary_key", "breaking": False, "updatePrimaryKey": {"oldPrimaryKey": [], "newPrimaryKey": [["id"]]}}
    config, = [each["config"] for each in shown["syncCatalog"]["streams"] if each["stream"]["name"] == "users"]
    config.update(destinationSyncMode=mode, primaryKey=[[key] for key in chosen])
    if mode == "overwrite_dedup":
        config.update(syncMode="full_refresh")
    changing.client.config("web_backend/connections/update", {
        "connectionId": changing.connection, "syncCatalog": shown["syncCatalog"], "sourceCatalogId": shown["catalogId"]})
    assert changing.discover()["catalogDiff"] == {"transforms": []}
    changing.offers(keyed(*now))
    found = changing.discover()
    update = transforms(found)["users"]["updateStream"]
    assert update["fieldTransforms"] == [] and update["streamAttributeTransforms"] == [
        {"transformType": "update_primary_key", "breaking": breaking,
         "updatePrimaryKey": {"oldPrimaryKey": [["id"]], "newPrimaryKey": [[key] for key in now]}}]
    assert found["breakingChange"] is breaking


def test_streams_that_were_left_out_are_not_new(changing):
    kept = changing.client.config("connections/get", {"connectionId": changing.connection})["syncCatalog"]
    kept["streams"] = [each for each in kept["streams"] if each["stream"]["name"] == "users"]
    changing.client.config("connections/update", {"connectionId": changing.connection, "syncCatalog": kept})
    assert changing.discover()["catalogDiff"] == {"transforms": []}


def test_a_refreshed_catalog_is_the_source_s_with_the_connection_s_choices(changing):
    body = {"connectionId": changing.connection}
    changing.offers([stream("users", id=INTEGER, at=TEXT, name=TEXT, home=PLACE, age=INTEGER), stream("fresh", id=INTEGER)])
    before = changing.client.config("web_backend/connections/get", body)
    assert before["schemaChange"] == "no_change" and "catalogDiff" not in before
    shown = changing.client.config("web_backend/connections/get", {**body, "withRefreshedCatalog": True})
    streams = {each["stream"]["name"]: each for each in shown["syncCatalog"]["streams"]}
    assert set(streams) == {"users", "fresh"}
    assert "age" in streams["users"]["stream"]["jsonSchema"]["properties"]
    assert (streams["users"]["config"]["cursorField"], streams["users"]["config"]["selected"]) == (["at"], True)
    assert streams["fresh"]["config"]["selected"] is False
    assert {name: each["transformType"] for name, each in transforms(shown).items()} == {
        "users": "update_stream", "gone": "remove_stream", "fresh": "add_stream", "same": "remove_stream"}
    assert shown["catalogId"] != before["catalogId"]
    # It was looked at: nothing is kept until it is sent back.
    assert changing.client.config("web_backend/connections/get", body)["syncCatalog"] == before["syncCatalog"]
    changing.client.config("web_backend/connections/update", {**body, "syncCatalog": shown["syncCatalog"], "sourceCatalogId": shown["catalogId"]})
    assert changing.discover()["catalogDiff"] == {"transforms": []}


def test_a_connection_of_another_source_is_refused(changing):
    other = changing.client.source()
    changing.client.config("sources/discover_schema", {"sourceId": other, "connectionId": changing.connection}, 422)
    changing.client.config("sources/discover_schema", {"sourceId": other, "connectionId": NOTHING}, 404)


# --- what is put is held against what the source was last found to have --------------------------------------------


def made_up(catalog):
    """The same with a cursor that the source never had, in the connection's own schema."""
    catalog = copy.deepcopy(catalog)
    users, = (each for each in catalog["streams"] if each["stream"]["name"] == "users")
    users["stream"]["jsonSchema"]["properties"]["made"] = TEXT
    users["config"]["cursorField"] = ["made"]
    return catalog


@pytest.mark.parametrize("path", ["connections/update", "web_backend/connections/update"])
def test_a_catalog_that_the_source_does_not_have_is_breaking(changing, path):
    read = changing.client.config("connections/get", {"connectionId": changing.connection})
    good, bad = read["syncCatalog"], made_up(read["syncCatalog"])
    update = lambda **more: changing.client.config(path, {"connectionId": changing.connection, **more})["breakingChange"]
    assert update(syncCatalog=bad, breakingChange=False) is True  # as it was read: nothing is taken away
    assert update(syncCatalog=bad) is True
    assert update(name="other") is True
    told = changing.firth("job", "start", changing.connection)
    assert told.rc != 0 and "does not fit" in told.err
    assert update(syncCatalog=good) is False
    assert update(syncCatalog=bad) is True
    assert update(syncCatalog=bad, breakingChange=False) is False  # whatever the source has
    assert update(syncCatalog=bad, prefix="p_") is False  # which was decided
    created = changing.client.config("connections/create", {"sourceId": changing.source, "destinationId": read["destinationId"], "status": "active", "syncCatalog": bad})
    assert created["breakingChange"] is True


def test_a_file_s_catalog_that_the_source_does_not_have(changing, tmp_path):
    tree = changing.firth("export", "-o", "json", expect=0).json()
    path = tmp_path / "all.yaml"

    def told(catalog):
        tree["connections"][0]["catalog"] = catalog
        path.write_text(json.dumps(tree))
        return changing.firth("apply", path).err

    good = tree["connections"][0]["catalog"]
    bad = made_up(good)
    users = next(each["config"] for each in bad["streams"] if each["stream"]["name"] == "users")
    users.update(fieldSelectionEnabled=True, selectedFields=[{"fieldPath": [name]} for name in ("id", "made")])
    assert "does not fit" not in told(good)
    said = told(bad)
    assert "is not synced until it does" in said and "stream 'users' has not the column of its cursor, 'made'" in said
    assert "stream 'users' has not the selected column 'made'" in said
    assert "is not synced until it does" in told(bad)  # as long as it is so
    assert "does not fit" not in told(good)
    wrong = json.loads(json.dumps(good))  # what is refused is told once
    users = next(each for each in wrong["streams"] if each["stream"]["name"] == "users")
    users["config"].update(syncMode="incremental", destinationSyncMode="append", cursorField=["nope"])
    del users["stream"]["jsonSchema"]
    said = told(wrong)
    assert "has no field 'nope'" in said and "does not fit" not in said
    changing.offers([each for each in BEFORE if each["name"] != "users"])
    assert changing.discover()["breakingChange"] is False
    good["streams"][0]["config"]["aliasName"] = "other"
    assert "does not fit what its source was last found to have: stream 'users' is not there" in told(good)


def test_a_mode_that_the_source_does_not_have(changing):
    catalog = changing.client.config("connections/get", {"connectionId": changing.connection})["syncCatalog"]
    changing.offers([{**each, "supported_sync_modes": ["full_refresh"]} for each in BEFORE])
    changing.discover()
    at = [each["stream"]["name"] for each in catalog["streams"]].index("users")
    catalog["streams"][at]["config"]["aliasName"] = "people"
    answer = changing.client.config("connections/update", {"connectionId": changing.connection, "syncCatalog": catalog}, 422)
    assert answer["validationErrors"][0]["propertyPath"] == f"syncCatalog.streams[{at}].config.syncMode"
    assert "cannot read the stream 'users' as incremental" in answer["message"]
