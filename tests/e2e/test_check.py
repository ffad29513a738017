"""`firth check` and local commands: what a connector says of itself is held against the catalog, before anything runs."""

import json

import pytest

from scripted import capture, connection, local, write

SPEC = {"type": "object", "required": ["steps", "account"],
        "properties": {"streams": {"type": "array"}, "steps": {"type": "array"}, "account": {"type": "string"}, "port_number": {"type": "integer"},
                       "secret_password": {"type": "string", "airbyte_secret": True, "minLength": 20},
                       "date": {"type": "string", "pattern": "^[0-9-]{10}$", "pattern_descriptor": "YYYY-MM-DD"},
                       "tunnel": {"type": "object", "properties": {"host": {"type": "string"}}}}}


def answer(spec=None, **more):
    """The environment that makes the scripted source answer `spec` so."""
    return {"SPEC": json.dumps([{"message": {"type": "SPEC", "spec": {"connectionSpecification": spec or SPEC, **more}}}])}


def check(program, path, expect=3):
    result = program("check", str(path), "-o", "json", expect=expect).json()
    return [each["message"] for each in result.get("errors", [])]


def with_env(path, env, *keys):
    """The catalog with an environment for the local endpoint that the keys lead to."""
    catalog = json.loads(path.read_text())
    at = catalog
    for key in keys:
        at = at[key]
    at["local"]["env"] = env
    return write(path, catalog)


CAPTURE = ("captures", "acmeCo/test", "endpoint")
SOURCE, DESTINATION = ("connections", "acmeCo/sync", "source"), ("connections", "acmeCo/sync", "destination")
WRONG = {"account": 7, "port_number": "x", "secret_password": "hunter2222", "date": "today", "tunnel": {"hots": "h"}}
TOLD = ["config /account: expected string, got a number", "config /port_number: expected integer, got a string",
        "config /secret_password: expected at least 20 characters", "config /date: expected YYYY-MM-DD",
        "config: unknown key 'hots'; did you mean 'host'?"]


def test_a_files_name_steers_no_terminal(firth_dev, tmp_path):
    """Machines get the name as it is, people one that is safe to show."""
    path = tmp_path / "a\x1b]0;p.yaml"
    path.write_text("collectoins: {}\n")
    result = firth_dev("check", path, expect=3)
    assert result.err.startswith(f"{tmp_path}/a\\u001b]0;p.yaml:1:1: ") and "\x1b" not in result.err
    (told,) = firth_dev("check", path, "-o", "json", expect=3).json()["errors"]
    assert told["file"] == str(path)
    for args in (["check", "--config", tmp_path / "q\x1b[31m"], ["check", "--c\x1b[31m"]):
        said = firth_dev("connector", "source-faker", *args)
        assert said.rc != 0 and "\x1b" not in said.err, said


@pytest.mark.parametrize("verb", ["check", "deploy"])
def test_a_captures_config(firth_dev, tmp_path, verb):
    path = with_env(capture(tmp_path, [], source=WRONG), answer(), *CAPTURE)
    result = firth_dev(verb, str(path), "-o", "json", expect=3)
    told = json.loads(result.out if verb == "check" else result.err)
    assert sorted(each["message"] for each in told["errors"]) == sorted(TOLD)
    assert "hunter" not in result.out + result.err
    firth_dev(verb, str(path), expect=3)
    assert not (tmp_path / "seen").exists() or "read" not in (tmp_path / "seen").read_text()


@pytest.mark.parametrize("verb", ["check", "deploy"])
def test_a_connections_configs(firth_dev, tmp_path, verb):
    path = with_env(connection(tmp_path, [], source=WRONG, destination={"account": 7}), answer(), *SOURCE)
    path = with_env(path, {"DESTINATION_SPEC": json.dumps(SPEC)}, *DESTINATION)
    result = firth_dev(verb, str(path), "-o", "json", expect=3)
    told = json.loads(result.out if verb == "check" else result.err)
    assert sorted(each["message"] for each in told["errors"]) == sorted(
        [*TOLD, "config /account: expected string, got a number", 'config: missing property "steps"'])


def test_a_config_that_is_right(firth_dev, tmp_path):
    path = with_env(capture(tmp_path, [], source={"account": "u", "date": "2024-01-01"}), answer(), *CAPTURE)
    firth_dev("check", str(path), expect=0)
    assert not (tmp_path / "out").exists()


def test_streams_of_a_local_command(firth_dev, tmp_path):
    """The places are those of the settings, and a wrong config does not hide them."""
    streams = [{"name": "users", "namespace": "public", "modes": ["full_refresh"],
                "schema": {"properties": {"id": {}, "at": {}}}}, {"name": "users", "namespace": "archive"}]
    asked = [{"name": "users", "namespace": "pubilc"}, "users",
             {"name": "users", "namespace": "public", "syncMode": "incremental", "cursorField": "att"},
             {"name": "users", "namespace": "archive", "destinationSyncMode": "append_dedup"},
             {"name": "accounts", "primaryKey": "id"}]
    path = connection(tmp_path, [], source_streams=streams, streams=asked, source={"account": 7})
    path = with_env(path, answer(), *SOURCE)
    told = check(firth_dev, path)
    assert told == [
        "config /account: expected string, got a number",
        "the source has no stream 'users' in the namespace 'pubilc'; did you mean the namespace 'public'?",
        "the source has more than one stream 'users': in the namespace 'public', 'archive'; say which with 'namespace'",
        "the stream 'users' has no syncMode incremental; it has: full_refresh",
        "the stream 'users' has no field 'att'; did you mean 'at'?",
        "append_dedup needs a primary key, and the source has none for the stream 'users'; give it with 'primaryKey'",
        "the source has no stream 'accounts'; it has: users"]


@pytest.mark.parametrize("steps, message", [
    ([{"exit": 3}], "scripted_source exited with status 3"),
    ([{"stderr": "no licence"}, {"exit": 1}], "exited with status 1; its last log lines:   no licence"),
    ([{"text": "Usage: …"}], "exited without having written a SPEC message"),
    ([{"kill": 9}], "signal 9"),
    ([{"message": {"type": "SPEC", "spec": {"connectionSpecification": {"type": "objekt"}}}}],
     "the spec of scripted_source"),
    ([{"message": {"type": "SPEC", "spec": {}}}], "connectionSpecification"),
])
def test_a_spec_that_cannot_be_had(firth_dev, tmp_path, steps, message):
    path = with_env(capture(tmp_path, []), {"SPEC": json.dumps(steps)}, *CAPTURE)
    told = check(firth_dev, path)
    assert len(told) == 1 and message in told[0], told


def test_a_command_that_is_not_there(firth_dev, tmp_path):
    path = capture(tmp_path, [])
    catalog = json.loads(path.read_text())
    for protocol in ("airbyte", "flow"):
        catalog["captures"]["acmeCo/test"]["endpoint"]["local"].update(command=["no-such-program"], protocol=protocol)
        assert check(firth_dev, write(path, catalog)) == [
            "cannot start no-such-program: the command no-such-program is in no folder of PATH"]
    catalog["captures"]["acmeCo/test"]["shards"] = {"disable": True}
    assert check(firth_dev, write(path, catalog), expect=0) == []


def test_a_deploy_leaves_to_the_session_what_may_pass(firth, tmp_path):
    """A connector that does not answer now may do so when the task is tried again: it is no mistake of the catalog."""
    path = with_env(capture(tmp_path, []), {"SPEC": json.dumps([{"exit": 3}])}, *CAPTURE)
    firth("deploy", str(path), "--yes", expect=0)
    firth("run", str(path), "--once", expect=0)


def test_a_run_starts_no_command_beforehand(firth, tmp_path):
    """Some connectors need seconds to start: a run asks for the spec in a task's first session, and never again."""
    verbs = tmp_path / "verbs"
    path = capture(tmp_path, [])
    catalog = json.loads(path.read_text())
    command = catalog["captures"]["acmeCo/test"]["endpoint"]["local"]["command"]
    program = tmp_path / "source.sh"
    program.write_text(f'#!/bin/sh\nfor verb; do case $verb in spec|check|discover|read) echo $verb >> {verbs};; esac; done\n'
                       f'exec {" ".join(command)} "$@"\n')
    program.chmod(0o755)
    catalog["captures"]["acmeCo/test"]["endpoint"]["local"]["command"] = [str(program)]
    write(path, catalog)
    for times in (1, 2):
        firth("run", str(path), "--once", expect=0)
        asked = verbs.read_text().split()
        assert asked.count("spec") == 1 and asked.count("read") == times


def test_a_run_asks_only_its_own_tasks(firth, tmp_path):
    path = capture(tmp_path, [])
    catalog = json.loads(path.read_text())
    catalog["captures"]["acmeCo/other"] = {"endpoint": local("scripted_source", {"streams": ["users"], "steps": []}),
                                           "bindings": [{"resource": {"stream": "users"}, "target": "acmeCo/users"}]}
    catalog["captures"]["acmeCo/test"]["endpoint"] = {
        "connector": {"image": "airbyte/source-faker:dev", "config": {"count": "many"}}}
    write(path, catalog)
    firth("run", str(path), "--once", "--task", "acmeCo/other", expect=0)
    firth("run", str(path), "--once", "--task", "acmeCo/test", expect=3)


def test_flow_and_catalog_mistakes_come_together(firth_dev, tmp_path):
    """A connector's own view is asked although the catalog has mistakes of its own."""
    spec = {"protocol": 3032023, "configSchema": {"properties": {"port": {"type": "integer"}}},
            "resourceConfigSchema": {"properties": {"path": {"maxItems": 1}}}}
    path = write(tmp_path / "flow.json", {
        "collections": {"acmeCo/users": {"key": ["/id"], "schema": {}}},
        "captures": {"acmeCo/test": {
            "endpoint": {"local": {"command": local("scripted_flow.py", {})["local"]["command"],
                                   "config": {"seen": str(tmp_path / "seen"), "steps": [], "spec": spec, "port": "x"}}},
            "bindings": [{"resource": {"path": ["a", "b"]}, "target": "acmeCo/user"}], "intervall": "1m"}}})
    told = check(firth_dev, path)
    assert [message.split(";")[0].split(":")[0] for message in told] == [
        "config /port", "resource /path", "there is no collection 'acmeCo/user'", "unknown key 'intervall' in a capture"], told


def test_keys_of_a_resource(firth_dev, tmp_path):
    path = capture(tmp_path, [], resources={"users": {"extra": 1}})
    assert check(firth_dev, path) == ["unknown key 'extra' in the resource; it may have stream (or name), namespace, "
                                      "syncMode, cursorField and primaryKey"]
    path = capture(tmp_path, [], resources={"users": {"_meta": {"path": ["users"]}}})
    assert check(firth_dev, path, expect=0) == []


@pytest.mark.parametrize("kind, told", [
    ({"type": "integer"}, "integer"),
    ({"type": ["null", "string"]}, "string"),
    ({"type": "array", "items": {"type": "object"}}, "array"),
    ({"type": ["object", "string"]}, None),
    ({}, None),
])
def test_a_key_within_what_is_no_object(firth_dev, tmp_path, kind, told):
    streams = [{"name": "users", "schema": {"type": "object", "properties": {"id": kind}}}]
    path = connection(tmp_path, [], source_streams=streams,
                      streams=[{"name": "users", "destinationSyncMode": "append_dedup", "primaryKey": [["id", "x"]]}])
    assert check(firth_dev, path, expect=3 if told else 0) == (
        [f"the field 'id' of the stream 'users' has the type {told} and no field 'x'"] if told else [])


def test_a_mistake_that_is_used_twice_is_told_once(firth_dev, tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_text("""connections:
  a: &a
    source: {connector: {image: airbyte/source-faker, config: {count: none}}}
    destination: {connector: {image: airbyte/destination-local-json, config: {destination_path: /local/x}}}
    streams: [users]
  b:
    <<: *a
    streams: [products]
""")
    assert check(firth_dev, path) == ["config /count: expected integer, got a string"]


# --- what this version cannot run --------------------------------------------------------------------------


def test_a_kind_of_endpoint_that_cannot_be_run_is_told_at_its_line(firth, tmp_path):
    (tmp_path / "flow.yaml").write_text("""\
collections:
  acmeCo/users: { key: [/id], schema: { type: object, required: [id], properties: { id: { type: integer } } } }
materializations:
  acmeCo/kafka:
    endpoint:
      dekaf: { variant: generic, config: { token: hush-hush } }
    bindings:
      - source: acmeCo/users
        resource: { topic_name: users }
""")
    result = firth("check", "flow.yaml", expect=0)
    assert "flow.yaml:6:7: materializations of dekaf cannot be run by this version" in result.err
    (told,) = firth("check", "flow.yaml", "-o", "json", expect=0).json()["warnings"]
    assert (told["line"], told["column"]) == (6, 7) and "dekaf" in told["message"]
    assert "flow.yaml:6:7: materializations of dekaf cannot be run" in firth("run", "flow.yaml", expect=3).err


# --- built-in connectors in Estuary's spelling ----------------------------------------------------------


def to_postgres(tmp_path, config, image="ghcr.io/estuary/materialize-postgres:v1", **binding):
    return write(tmp_path / "flow.json", {
        "collections": {"acmeCo/orders": {"key": ["/id"], "schema": {
            "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}},
        "materializations": {"acmeCo/orders-in-postgres": {
            "endpoint": {"connector": {"image": image, "config": config}},
            "bindings": [{"source": "acmeCo/orders", "resource": {"table": "orders", "schema": "loaded"}, **binding}]}}})


ESTUARY = {"address": "db.invalid:5432", "user": "firth", "database": "shop",
           "credentials": {"auth_type": "UserPassword", "password": "hunter2222"}}


@pytest.mark.parametrize("config, told", [
    (ESTUARY, []),
    ({"host": "db.invalid", "database": "shop", "username": "firth", "password": "hunter2222"}, []),
    ({**ESTUARY, "address": 7}, ["config /address: expected string, got a number"]),
    ({"user": "firth"}, ['config: missing property "address"']),
    ({"host": 7, "database": "shop", "username": "firth"}, ["config /host: expected string, got a number"]),
])
def test_a_materialization_to_postgres(firth, tmp_path, config, told):
    """As its documentation shows it; no server is needed for that."""
    path = to_postgres(tmp_path, config)
    assert check(firth, path, expect=3 if told else 0) == told
    assert "hunter" not in firth("check", str(path)).err


@pytest.mark.parametrize("image", ["ghcr.io/estuary/materialize-postgres:v1", "airbyte/destination-duckdb"])
def test_the_resources_of_a_materialization_to_a_built_in(firth, tmp_path, image):
    """Read as the run reads them, in our spelling and in Estuary's."""
    config = {"destination_path": "/local/x.db"} if "duckdb" in image else ESTUARY
    for more, told in [
        ({"delta_updates": True}, []),
        ({"deltaUpdates": False, "delta_updates": None, "additional_table_create_sql": ""}, []),
        ({"delta_updates": "yes"}, ["'delta_updates' in the resource must be true or false"]),
        ({"delta_updates": True, "deltaUpdates": False}, ["'deltaUpdates' and 'delta_updates', which do not agree"]),
        ({"delta_update": True}, ["unknown member 'delta_update' in the resource; did you mean 'delta_updates'?"]),
        ({"additional_table_create_sql": "create index i on orders (id)"}, ["SQL of a catalog's own is not run"]),
        ({"table": 7}, ["the resource must name a stream"]),
    ]:
        found = check(firth, to_postgres(tmp_path, config, image, resource={"table": "orders", **more}), expect=3 if told else 0)
        assert len(found) == len(told) and all(part in line for part, line in zip(told, found)), (more, found)


@pytest.mark.parametrize("fields, told", [
    ({"recommended": 1, "require": {"nosuch": {}}, "exclude": ["id", "total"]},
     ["acmeCo/orders to orders: the field 'id' is part of the key, but the catalog excludes it; take it from 'exclude'; "
      "'require' names the field 'nosuch', which acmeCo/orders does not have; "
      "'exclude' names the field 'total', which acmeCo/orders does not have"]),
    ({"recommended": True, "groupBy": ["flow_published_at"]},
     ["acmeCo/orders to orders: 'groupBy' names the field 'flow_published_at', which is the time of a document and no part of a key"]),
    ({"recommended": False, "require": {"flow_published_at": {}}}, []),
    ({"recommended": True, "exclude": ["flow_document"]},
     ["acmeCo/orders to orders: the field 'flow_document' is required by the connector: the document is kept, to be reduced with what comes, "
      "but the catalog excludes it; take it from 'exclude'"]),
])
@pytest.mark.parametrize("image", ["ghcr.io/estuary/materialize-postgres:v1", "airbyte/destination-postgres"])
def test_the_fields_of_a_materialization_to_a_built_in(firth, tmp_path, image, fields, told):
    """The server is not asked, and what it would say is not known; but no connector has a field that there is not."""
    path = to_postgres(tmp_path, ESTUARY, image, fields=fields)
    assert check(firth, path, expect=3 if told else 0) == told
    appended = to_postgres(tmp_path, ESTUARY, image, fields=fields, resource={"table": "orders", "deltaUpdates": True})
    assert check(firth, appended, expect=None) == [line for line in told if "flow_document" not in line]
    disabled = to_postgres(tmp_path, ESTUARY, image, fields=fields, disable=True)
    assert all("acmeCo/orders to orders" not in line for line in check(firth, disabled, expect=None))
