"""What a connection chose of a stream whose schema its file leaves out: it is known when the sync has asked the source."""

import hashlib
import json
import sqlite3

import api
from job_driving import definition, start, wait

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}, "at": {"type": "integer"}, "email": {"type": "string"},
                                           "name": {"type": "string"}}}
SCHEMAS = {"users": SCHEMA, "open": {**SCHEMA, "additionalProperties": True}, "any": {"type": "object"}}
RECORD = {"id": 1, "at": 2, "email": "a@b", "name": "Ann"}


def mapper(kind, **configuration):
    return {"mappers": [{"type": kind, "mapperConfiguration": configuration}]}


def hashing(column):
    return mapper("hashing", targetField=column, method="SHA-256", fieldNameSuffix="_h")


def selecting(*names):
    return {"fieldSelectionEnabled": True, "selectedFields": [{"fieldPath": [name]} for name in names]}


def filtering(column):
    return mapper("row-filtering", conditions={"type": "EQUAL", "fieldName": column, "comparisonValue": "Ann"})


WRONG = {
    "hash": (hashing("emial"), "a mapper is for the column 'emial', which is not there; did you mean 'email'?"),
    "far": (hashing("xyzzy"), "which is not there; there are: id, at, email, name"),
    "older": ({"hashedFields": [{"fieldPath": ["emial"]}]}, "did you mean 'email'?"),
    "rename": (mapper("field-renaming", originalFieldName="name", newFieldName="email"), "the column 'email' of another, and there is one already"),
    "remove": (mapper("field-filtering", targetField="nmae"), "did you mean 'name'?"),
    "key": (mapper("field-filtering", targetField="id"), "which is in the primary key"),
    "rows": (filtering("nmae"), "did you mean 'name'?"),
    "cursor": ({"cursorField": ["att"]}, "has no field 'att'; did you mean 'at'?"),
    "primary": ({"primaryKey": [["idd"]]}, "has no field 'idd'; did you mean 'id'?"),
    "select": (selecting("id", "nmae"), "has no field 'nmae'; did you mean 'name'?"),
}
RIGHT = {"hashed": (hashing("email"), {"id": 1, "at": 2, "email_h": hashlib.sha256(b"a@b").hexdigest(), "name": "Ann"}),
         "selected": (selecting("name"), {"id": 1, "at": 2, "name": "Ann"}),
         "filtered": (filtering("name"), RECORD)}


def stream(name, **config):
    return {"stream": {"name": name}, "config": {"syncMode": "incremental", "destinationSyncMode": "append_dedup", **config}}


def source(name, schema):
    own = {"source_defined_cursor": False, "default_cursor_field": ["at"], "source_defined_primary_key": [["id"]]}
    return {"name": name, "definition": "scripted source", "config": {
        "streams": [{"name": name, "schema": schema, **own}],
        "steps": [{"message": {"type": "RECORD", "record": {"stream": name, "emitted_at": 1, "data": RECORD}}}]}}


def write(tmp_path, connections):
    path = tmp_path / "choice.yaml"
    path.write_text(json.dumps({
        "definitions": [definition("scripted source", "source", "scripted_source"),
                        definition("scripted destination", "destination", "scripted_destination")],
        "sources": [source(name, schema) for name, schema in SCHEMAS.items()],
        "destinations": [{"name": name, "definition": "scripted destination", "config": {"out": str(tmp_path / name)}}
                         for name in connections],
        "connections": [{"name": name, "source": entry["stream"]["name"], "destination": name, "catalog": {"streams": [entry]}}
                        for name, entry in connections.items()]}))
    return path


def data(tmp_path, name):
    lines = [json.loads(line) for line in (tmp_path / name).read_text().splitlines()]
    return [line["record"]["data"] for line in lines if line["type"] == "RECORD"]


def test_what_the_sources_schema_has_not_fails_the_sync(firth, tmp_path):
    wrong = {name: stream("users", **config) for name, (config, _) in WRONG.items()}
    right = {name: stream("users", **config) for name, (config, _) in RIGHT.items()}
    # Where there may be more than the schema names, a hashing is held to what it names all the same.
    loose = {f"{kind} {name}": stream(kind, **config) for name, config in (("rows", filtering("nmae")), ("hash", hashing("emial")))
             for kind in ("open", "any")}
    firth("apply", write(tmp_path, {**wrong, **right, **loose}), expect=0)
    daemon = api.serve(firth)
    jobs = {name: start(firth, name) for name in (*wrong, *right, *loose)}
    for name, (_, said) in {**WRONG, "open hash": (None, "did you mean 'email'?")}.items():
        job = wait(firth, jobs[name])
        assert job["status"] == "failed" and said in json.dumps(job, ensure_ascii=False), (name, job)
        assert "config_error" in json.dumps(job) and job["attempts"] == 1, (name, job)
        assert not (tmp_path / name).exists() or not data(tmp_path, name), name
    for name, (_, record) in RIGHT.items():
        assert wait(firth, jobs[name])["status"] == "succeeded", name
        assert data(tmp_path, name) == [record], name
    for name in ("open rows", "any rows", "any hash"):
        assert wait(firth, jobs[name])["status"] == "succeeded", name

    # Once the source was asked, it is refused where it is put, in files and by the API.
    client = daemon.api
    connection = next(each for each in client.config("connections/list", {"workspaceId": api.WORKSPACE})["connections"]
                      if each["name"] == "hashed")
    client.config("sources/discover_schema", {"sourceId": connection["sourceId"]})
    for name, (config, said) in WRONG.items():
        refused = firth("apply", write(tmp_path, {"new": stream("users", **config)}))
        assert refused.rc != 0 and said in refused.err, (name, refused)
        answer = client.ask("POST", "/api/v1/connections/update", {"connectionId": connection["connectionId"],
                                                                   "syncCatalog": {"streams": [stream("users", **config)]}})
        assert answer.status == 422 and said in json.dumps(answer.json(), ensure_ascii=False), (name, answer)


def test_what_is_selected_keeps_the_sources_key(firth):
    """Without it no row is another's newer version: they doubled, without their key."""
    (path := firth.data_dir.parent / "keys.yaml").write_text(json.dumps({
        "sources": [{"name": "s", "definition": "source-faker", "config": {"count": 3}}],
        "destinations": [{"name": "d", "definition": "destination-sqlite", "config": {"destination_path": "/local/keys.db"}}],
        "connections": [{"name": "test", "source": "s", "destination": "d",
                         "catalog": {"streams": [stream("users", **selecting("name"))]}}]}))
    firth("apply", path, expect=0)
    api.serve(firth)
    for _ in range(2):
        assert wait(firth, start(firth))["status"] == "succeeded"
    with sqlite3.connect(next(firth.data_dir.parent.rglob("keys.db"))) as db:
        assert db.execute("select id from users order by id").fetchall() == [(1,), (2,), (3,)]
        assert db.execute("select count(*) from users where updated_at is null").fetchall() == [(0,)]
