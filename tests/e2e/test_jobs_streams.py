"""What a connection makes of streams on their way: fields at any depth, mappers, aliases."""

import hashlib
import json
import sqlite3

import pytest

import api
from job_driving import apply, received, rows, serve, show, start, stream, wait, write

SCHEMA = {"type": "object", "required": ["id", "email", "address"], "properties": {
    "id": {"type": "integer"}, "email": {"type": "string"}, "status": {"type": "string"},
    "address": {"type": "object", "properties": {"zip": {"type": "string"}, "street": {"type": "string"}}},
    "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {}, "price": {}}}}}}


def users(**config):
    return stream("users", stream={"jsonSchema": SCHEMA, **config.pop("stream", {})}, **config)


def record(**data):
    return {"message": {"type": "RECORD", "record": {"stream": "users", "emitted_at": 1, "data": data}}}


def state(n, count):
    return {"message": {"type": "STATE", "state": {"sourceStats": {"recordCount": count}, "type": "STREAM", "stream": {
        "stream_descriptor": {"name": "users"}, "stream_state": {"n": n}}}}}


def paths(*fields):
    return {"fieldSelectionEnabled": True, "selectedFields": [{"fieldPath": each.split(".")} for each in fields]}


def mapper(kind, **configuration):
    return {"type": kind, "mapperConfiguration": configuration}


def equal(field, value):
    return {"type": "EQUAL", "fieldName": field, "comparisonValue": value}


def configured(tmp_path):
    catalog = json.loads((tmp_path / "test.out.catalog").read_text())
    return {each["stream"]["name"]: each for each in catalog["streams"]}


def data(tmp_path):
    return [line["record"]["data"] for line in received(tmp_path) if line["type"] == "RECORD"]


def sync(firth, tmp_path, steps, **more):
    apply(firth, write(tmp_path, steps, **more))
    serve(firth)
    job = wait(firth, start(firth))
    assert job["status"] == "succeeded", job
    return job


def test_fields_below_the_top(firth, tmp_path):
    sync(firth, tmp_path, [record(id=1, email="a@b", address={"zip": "1", "street": "x"}, items=[{"sku": 1, "price": 2}])],
         streams=[users(primaryKey=[["id"]], cursorField=["address", "zip"], stream={"sourceDefinedCursor": False}, **paths("email", "address.zip", "items.sku"))])
    assert data(tmp_path) == [{"id": 1, "email": "a@b", "address": {"zip": "1"}, "items": [{"sku": 1}]}]
    schema = configured(tmp_path)["users"]["stream"]["json_schema"]
    assert set(schema["properties"]) == {"id", "email", "address", "items"}
    assert set(schema["properties"]["address"]["properties"]) == {"zip"}
    assert set(schema["properties"]["items"]["items"]["properties"]) == {"sku"}
    assert sorted(schema["required"]) == ["address", "email", "id"]
    read, = [line for line in map(json.loads, (tmp_path / "seen").read_text().splitlines()) if line["verb"] == "read"]
    assert read["catalog"]["streams"][0]["primary_key"] == [["id"]]


def test_mappers(firth, tmp_path):
    mappers = [mapper("hashing", targetField="email", method="SHA-256", fieldNameSuffix="_hashed"),
               mapper("field-renaming", originalFieldName="id", newFieldName="user id"),
               mapper("field-filtering", targetField="address"),
               mapper("row-filtering", conditions={"type": "NOT", "conditions": [equal("status", "left")]})]
    job = sync(firth, tmp_path,
               [record(id=1, email="a@b", address={}, status="here"), record(id=2, email="c@d", status="left"), state(2, 2.0),
                record(id=3, email="e@f", status="left"), record(id=4, email="g@h", status="new"), state(4, 2.0)],
               streams=[users(destination="append_dedup", primaryKey=[["id"]], mappers=mappers)])
    digest = {text: hashlib.sha256(text.encode()).hexdigest() for text in ("a@b", "g@h")}
    assert data(tmp_path) == [{"user id": 1, "email_hashed": digest["a@b"], "status": "here"},
                              {"user id": 4, "email_hashed": digest["g@h"], "status": "new"}]
    # What was kept back is not the destination's to wait for, and is not counted as committed.
    states = [line["state"] for line in received(tmp_path) if line["type"] == "STATE"]
    assert [each["sourceStats"]["recordCount"] for each in states] == [1, 1]
    assert (job["stats"]["recordsEmitted"], job["stats"]["recordsCommitted"]) == (4, 2)
    target = configured(tmp_path)["users"]
    assert target["primary_key"] == [["user id"]]
    assert set(target["stream"]["json_schema"]["properties"]) == {"user id", "email_hashed", "status", "items"}
    assert target["stream"]["json_schema"]["required"] == ["user id", "email_hashed"]
    # The source knows nothing of it.
    read, = [line for line in map(json.loads, (tmp_path / "seen").read_text().splitlines()) if line["verb"] == "read"]
    assert set(read["catalog"]["streams"][0]["stream"]["json_schema"]["properties"]) == set(SCHEMA["properties"])
    assert read["catalog"]["streams"][0]["primary_key"] == [["id"]]


def test_state_goes_on_with_mappers_in_between(firth, tmp_path):
    mappers = [mapper("row-filtering", conditions=equal("status", "here"))]
    sync(firth, tmp_path, [record(id=1, status="left"), state(1, 1.0)], streams=[users(mappers=mappers)])
    assert data(tmp_path) == []
    wait(firth, start(firth))
    reads = [line for line in map(json.loads, (tmp_path / "seen").read_text().splitlines()) if line["verb"] == "read"]
    assert reads[1]["state"][0]["stream"]["stream_state"] == {"n": 1}


def test_older_hashed_fields(firth, tmp_path):
    sync(firth, tmp_path, [record(id=1, email="a@b")], streams=[users(hashedFields=[{"fieldPath": ["email"]}])])
    assert data(tmp_path) == [{"id": 1, "email_hashed": hashlib.sha256(b"a@b").hexdigest()}]


def test_alias(firth, tmp_path):
    sync(firth, tmp_path, [record(id=1), state(1, 1.0)], streams=[users(aliasName="people")], prefix="raw_")
    assert set(configured(tmp_path)) == {"raw_people"}
    assert {line["record"]["stream"] for line in received(tmp_path) if line["type"] == "RECORD"} == {"raw_people"}
    wait(firth, start(firth))
    reads = [line for line in map(json.loads, (tmp_path / "seen").read_text().splitlines()) if line["verb"] == "read"]
    assert reads[1]["state"][0]["stream"]["stream_descriptor"]["name"] == "users"


@pytest.mark.parametrize("config, message", [
    ({"mappers": [mapper("encryption", algorithm="RSA", targetField="email", publicKey="00")]}, "no mapper 'encryption'"),
    ({"mappers": [mapper("hashing", targetField="email", method="MD2")]}, "MD2"),
    ({"mappers": [mapper("field-renaming", originalFieldName="emial", newFieldName="x")]}, "did you mean 'email'"),
    ({"primaryKey": [["id"]], "mappers": [mapper("field-filtering", targetField="id")]}, "in the primary key"),
])
def test_what_cannot_be_done_is_refused_when_it_is_put(firth, tmp_path, config, message):
    refused = firth("apply", write(tmp_path, [], streams=[users(**config)]))
    assert refused.rc != 0 and message in refused.err and "the stream 'users'" in refused.err


def test_the_api_refuses_it_by_name(firth, tmp_path):
    """422 in both APIs, and never ignored."""
    asking = api.serve(firth).api
    source, destination = asking.source(), asking.destination()
    catalog = asking.config("sources/discover_schema", {"sourceId": source})["catalog"]
    encrypt, filter_rows = mapper("encryption", targetField="name"), mapper("row-filtering", conditions=equal("gender", "x"))

    def create(mappers):
        for each in catalog["streams"]:
            each["config"].update(selected=each["stream"]["name"] == "users", mappers=mappers if each["stream"]["name"] == "users" else [])
        return asking.ask("POST", "/api/v1/connections/create", {
            "sourceId": source, "destinationId": destination, "status": "active", "syncCatalog": catalog})

    def create_public(mappers):
        return asking.ask("POST", "/api/public/v1/connections", {"sourceId": source, "destinationId": destination, "configurations": {
            "streams": [{"name": "users", "syncMode": "full_refresh_append", "mappers": mappers}]}})
    for refused in (create([encrypt]), create_public([encrypt])):
        assert refused.status == 422 and b"encryption" in refused.body, refused
    for made in (create([filter_rows]), create_public([filter_rows])):
        assert made.status == 200, made
    wanted = json.loads(rows(firth, "select catalog from connections order by rowid desc")[0][0])["streams"][0]["config"]["mappers"]
    assert wanted == [filter_rows]


def test_two_streams_that_are_one_at_the_destination(firth, tmp_path):
    streams = [stream("users", stream={"namespace": space}) for space in ("a", "b")]
    source = {"streams": [{"name": "users", "namespace": space} for space in ("a", "b")]}
    refused = firth("apply", write(tmp_path, [], streams=streams, namespace="destination", source=source))
    assert refused.rc != 0 and "'a.users' and 'b.users' are both 'users' at the destination" in refused.err
    apply(firth, write(tmp_path, [], streams=streams, source=source))
    with sqlite3.connect(f"{firth.data_dir}/control.db") as db:  # as an older Firth has let in
        db.execute("update connections set namespace_definition = 1")
    serve(firth)
    job = wait(firth, start(firth))
    failure, = show(firth, job["id"])["attemptList"][0]["failures"]
    assert (job["status"], job["attempts"]) == ("failed", 1)
    assert "'a.users' and 'b.users' are both 'users' at the destination" in failure["message"]
