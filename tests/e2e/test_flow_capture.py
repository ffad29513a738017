"""Captures whose connector speaks Flow's protocol: checkpoint groups whole or not at all, states patched, commits
acknowledged, and each way in which such a connector goes wrong."""

import json
import pathlib
import re
import shutil
import signal
import sys

import pytest

from conftest import until
from e2e.scripted import counters, events, failure, run, write

PROGRAM = str(pathlib.Path(__file__).resolve().parent / "programs" / "scripted_flow.py")


def catalog(tmp_path, *sessions, bindings=("users",), schema=None, env=None, binding=None, capture=None, **config):
    """A capture, acmeCo/flow, of the scripted connector; each session is a list of its steps."""
    schema = schema or {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    config = {"seen": str(tmp_path / "seen"), "sessions": list(sessions), **config}
    return write(tmp_path / "flow.json", {
        "collections": {f"acmeCo/{name}": {"key": ["/id"], "schema": schema} for name in bindings},
        "captures": {"acmeCo/flow": {
            "endpoint": {"local": {"command": [sys.executable, "-S", "-E", PROGRAM], "config": config, **({"env": env} if env else {})}},
            "bindings": [{"resource": {"path": ["public", name]}, "target": f"acmeCo/{name}", **(binding or {})}
                         for name in bindings],
            **(capture or {})}}})


def seen(tmp_path, verb=None):
    path = tmp_path / "seen"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [line["body"] for line in lines if line["verb"] == verb] if verb else [line["verb"] for line in lines]


def docs(first, last, **more):
    return {"docs": {"from": first, "to": last, **more}}


def patch(**state):
    return {"patch": state}


def ids(firth, collection="acmeCo/users"):
    result = firth("read", collection)
    return [json.loads(line)["id"] for line in result.out.splitlines()] if result.rc == 0 else []


# --- the good way ---------------------------------------------------------------------------------------


def test_a_session(firth, tmp_path):
    path = catalog(tmp_path, [docs(1, 3), patch(n=3, old={"x": 1}), docs(4, 5), patch(n=5, old=None)])
    lines = run(firth, path)
    assert ids(firth) == [1, 2, 3, 4, 5]
    assert counters(lines)["acmeCo/users"]["committedDocuments"] == 5
    assert seen(tmp_path) == ["spec", "validate", "apply", "open"]
    # The next one needs none of the questions, and goes on from the state as it was patched.
    run(firth, path)
    assert seen(tmp_path) == ["spec", "validate", "apply", "open", "open"]
    first, second = seen(tmp_path, "open")
    assert first["state"] == {} and second["state"] == {"n": 5}


def test_what_connectors_demand(firth, tmp_path):
    """Those in Go end with a segmentation fault where one of these is missing, those in Python with KeyError."""
    run(firth, catalog(tmp_path, [patch(n=1)], env={"MINE": "1"}, binding={"backfill": 2}, capture={"interval": "90s"}))
    lines = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    for line in lines:
        assert line["argv"] == []
        assert {name: line["env"].get(name) for name in ("FLOW_RUNTIME_CODEC", "LOG_FORMAT", "LOG_LEVEL", "MINE")} == {
            "FLOW_RUNTIME_CODEC": "json", "LOG_FORMAT": "json", "LOG_LEVEL": "info", "MINE": "1"}
    [opened], [applied], [validated] = (seen(tmp_path, verb) for verb in ("open", "apply", "validate"))
    capture = opened["capture"]
    assert capture["name"] == "acmeCo/flow" and capture["connectorType"] == "LOCAL"
    assert capture["intervalSeconds"] == 90 and opened["version"] and opened["state"] == {}
    assert opened["range"] == {"keyEnd": 4294967295, "rClockEnd": 4294967295}
    for template in (capture["recoveryLogTemplate"], capture["bindings"][0]["collection"]["partitionTemplate"]):
        assert template["name"] and template["replication"] == 1
        assert 1024 <= int(template["fragment"]["length"]) <= 2 ** 34
    assert capture["shardTemplate"]["id"]
    [binding] = capture["bindings"]
    assert binding["stateKey"] == "public%2Fusers.v2" and binding["backfill"] == 2
    assert binding["resourcePath"] == binding["resourceConfig"]["path"] == ["public", "users"]
    collection = binding["collection"]
    assert collection["key"] == ["/id"] and collection["writeSchema"]["required"] == ["id"]
    assert collection["projections"] == [
        {"field": "flow_document", "inference": {"types": ["object"], "exists": "MUST"}},  # its pointer is ""
        {"ptr": "/id", "field": "id", "isPrimaryKey": True, "inference": {"types": ["integer"], "exists": "MUST"}}]
    assert applied["capture"] == capture and applied["version"] == opened["version"]
    assert validated["bindings"] == [{"resourceConfig": {"path": ["public", "users"]}, "collection": collection,
                                      "backfill": 2}]


def test_schemas_are_bundled_and_projections_sorted(firth, tmp_path):
    (tmp_path / "more.json").write_text(json.dumps({"$defs": {"id": {"type": "integer"}}}))
    schema = {"type": "object", "required": ["b", "a"], "properties": {
        "b": {"type": ["string", "boolean"], "format": "uuid"}, "a": {"$ref": "more.json#/$defs/id"}, "t": {"type": "string"}}}
    path = write(tmp_path / "flow.json", {
        "collections": {"acmeCo/users": {"key": ["/b", "/a"], "schema": schema,
                                         "projections": {"tee": "/t", "part": {"location": "/t", "partition": True}}}},
        "captures": {"acmeCo/flow": {
            "endpoint": {"local": {"command": [sys.executable, "-S", "-E", PROGRAM],
                                   "config": {"seen": str(tmp_path / "seen"), "sessions": [[patch(n=1)]]}}},
            "bindings": [{"resource": {"path": ["x"]}, "target": "acmeCo/users"}]}}})
    run(firth, path)
    collection = seen(tmp_path, "open")[0]["capture"]["bindings"][0]["collection"]
    fields = {each["field"]: each for each in collection["projections"]}
    assert list(fields) == sorted(fields) == ["a", "b", "flow_document", "part", "t", "tee"]
    assert [name for name, each in fields.items() if each.get("isPrimaryKey")] == ["a", "b"]
    assert [name for name, each in fields.items() if each.get("explicit")] == ["part", "tee"]
    assert fields["a"]["inference"]["types"] == ["integer"] and fields["t"]["inference"]["exists"] == "MAY"
    assert fields["b"]["inference"] == {"types": ["boolean", "string"], "exists": "MUST",
                                        "string": {"format": "uuid"}}
    assert collection["partitionFields"] == ["part"]
    # One document that stands alone: every reference leads to what is in it, by $id.
    bundle = collection["writeSchema"]
    here = [uri for uri, each in bundle["$defs"].items() if each["$id"] == uri]
    assert len(here) == 2 and bundle["$ref"] in here
    assert any(each.get("$defs") == {"id": {"type": "integer"}} for each in bundle["$defs"].values())


def test_odd_but_legal(firth, tmp_path):
    """Defaults left out, null for absent, unknown members, checkpoints without a state or without documents."""
    path = catalog(tmp_path, [
        {"text": ""}, {"text": '{"captured":{"binding":null,"doc":{"id":1,"x":null},"later":[]},"$internal":"AA=="}'},
        {"checkpoint": {}}, {"checkpoint": {"state": None}}, {"checkpoint": {"state": {"updated": {"a": {"b": None}}}}},
        {"text": '{"captured":{"doc":{"id":2},"binding":"0"}}'}, patch(a={"c": 1}), {"checkpoint": {"state": {}}}])
    run(firth, path)
    run(firth, path)
    assert ids(firth) == [1, 2, 1, 2]
    assert seen(tmp_path, "open")[1]["state"] == {"a": {"b": None, "c": 1}}  # replaced with its null, then patched


def test_documents_keep_their_bytes(firth, tmp_path):
    document = '{ "id" : 12345678901234567890123 ,"x":1.10,"nul":"a\\u0000b","e":"\\u00e9é", "deep":[[{}]]}'
    run(firth, catalog(tmp_path, [{"text": '{"captured": {"doc": %s}}' % document}, patch(n=1)]))
    assert firth("read", "acmeCo/users", expect=0).out_bytes == document.encode() + b"\n"


def test_polling(firth, tmp_path):
    path = catalog(tmp_path, [docs(1, 1), patch(n=1)], [docs(2, 2), patch(n=2)], capture={"interval": "1s"})
    running = firth.start("run", str(path), "-o", "json")
    until(lambda: len(seen(tmp_path, "open")) >= 3, "the third session")
    running.signal(signal.SIGINT)
    assert running.wait() == 130
    assert ids(firth)[:2] == [1, 2]
    assert [each["state"] for each in seen(tmp_path, "open")][:3] == [{}, {"n": 1}, {"n": 2}]


# --- acknowledgements -----------------------------------------------------------------------------------


def acknowledged(tmp_path):
    return [each["checkpoints"] for each in seen(tmp_path, "acknowledge")]


def test_acknowledged_after_the_commit(firth, tmp_path):
    """When the connector hears of it, anybody can read it."""
    heard, go_on = tmp_path / "heard", tmp_path / "go-on"
    path = catalog(tmp_path, [docs(1, 3), patch(n=3), {"acknowledged": 1}, {"touch": str(heard)}, {"wait_file": str(go_on)},
                              docs(4, 5), patch(n=4), docs(6, 6), patch(n=5), patch(n=6), {"acknowledged": 4}],
                   opened={"explicitAcknowledgements": True})
    running = firth.start("run", str(path), "--once")
    until(heard.exists, "the acknowledgement")
    assert ids(firth) == [1, 2, 3]
    go_on.touch()
    assert running.wait() == 0
    assert ids(firth) == [1, 2, 3, 4, 5, 6]
    assert sum(acknowledged(tmp_path)) == 4


def test_checkpoints_of_one_commit_are_acknowledged_together(firth, tmp_path):
    steps = [step for n in range(1, 101) for step in (docs(n, n), patch(n=n))]
    run(firth, catalog(tmp_path, steps + [{"acknowledged": 100}], opened={"explicitAcknowledgements": True}))
    counts = acknowledged(tmp_path)
    assert sum(counts) == 100 and len(counts) < 100


def test_an_acknowledgement_that_comes_too_late(firth, tmp_path):
    """A connector that polls and ends need not wait for the last one."""
    go_on = tmp_path / "go-on"
    path = catalog(tmp_path, [{"close_input": True}, docs(1, 2), patch(n=2), {"wait_file": str(go_on)}],
                   opened={"explicitAcknowledgements": True})
    running = firth.start("run", str(path), "--once", "-o", "json")
    until(lambda: ids(firth) == [1, 2], "the commit")
    go_on.touch()
    assert running.wait() == 0
    assert [each["outcome"] for each in events([json.loads(line) for line in running.out], "ended")] == ["completed"]


def test_acknowledgements_have_to_be_read(firth, tmp_path):
    """Ten seconds of a full pipe are a failure; what was committed is."""
    path = catalog(tmp_path, [{"small_input": True}, {"trickle": 400}, {"for_ever": True}],
                   opened={"explicitAcknowledgements": True})
    error = failure(run(firth, path, "--commit-every", "1ms", expect=1))
    assert "asked for acknowledgements, but has not read its input for 10 s" in error["message"]
    assert ids(firth) == list(range(1, 401))


def test_not_acknowledged_unless_asked(firth, tmp_path):
    path = catalog(tmp_path, [docs(1, 1), patch(n=1), {"for_ever": True}])
    running = firth.start("run", str(path))
    until(lambda: ids(firth) == [1], "the commit")
    running.signal(signal.SIGTERM)
    running.wait()
    assert acknowledged(tmp_path) == []


# --- stopping -------------------------------------------------------------------------------------------


def test_endless_connector_is_stopped(firth, tmp_path):
    """The transaction is finished and acknowledged, the group that no checkpoint ended is not there, and what a
    connector says when it is told to go is no error."""
    ready = tmp_path / "ready"
    path = catalog(tmp_path, [docs(1, 4), patch(n=4), docs(5, 7), {"touch": str(ready)}, {"for_ever": True}],
                   opened={"explicitAcknowledgements": True}, term={"log": "context canceled", "exit": 1})
    running = firth.start("run", str(path), "-o", "json", "--commit-every", "1h")
    until(lambda: any('"documents":7' in line for line in list(running.out)), "the documents to be taken")
    running.signal(signal.SIGINT)
    assert running.wait() == 130
    lines = [json.loads(line) for line in running.out]
    assert [each["outcome"] for each in events(lines, "ended")] == ["stopped"]
    assert any(each["message"] == "context canceled" for each in events(lines, "log"))
    assert not [each for each in events(lines, "log") if each["level"] in ("warn", "error")]
    assert ids(firth) == [1, 2, 3, 4]
    run(firth, catalog(tmp_path, [], [patch(n=9)]))
    assert seen(tmp_path, "open")[1]["state"] == {"n": 4}


def test_the_last_commit_is_acknowledged_before_the_end(firth, tmp_path):
    """A stop commits, and the connector hears of that before it is told to go."""
    ready = tmp_path / "ready"
    path = catalog(tmp_path, [docs(1, 1), patch(n=1), {"touch": str(ready)}, {"input_end": True}],
                   opened={"explicitAcknowledgements": True}, term={"log": "told to go", "exit": 0})
    running = firth.start("run", str(path), "--commit-every", "1h")
    until(ready.exists, "the checkpoint")
    running.signal(signal.SIGTERM)
    running.wait()
    assert ids(firth) == [1]
    assert acknowledged(tmp_path) == [1]


def test_a_config_that_the_connector_changes(firth, tmp_path):
    """By a line of our own, in the middle of a group or after it was stopped: the next session begins with it, and is not checked anew."""
    def path(password):
        return catalog(tmp_path, [docs(1, 1), {"text": '{"configChanged":{"password":"token-1-xyzzy"}}'}, docs(2, 2), patch(n=2), {"input_end": True}],
                       opened={"explicitAcknowledgements": True}, password=password,
                       term={"log": "told to go", "exit": 0, "say": {"configChanged": {"password": "token-2-xyzzy"}}})
    for password in "token-0-xyzzy", "token-0-xyzzy", "another":
        running = firth.start("run", str(path(password)), "-o", "json", "--commit-every", "1h")
        until(lambda: any('"documents":2' in line for line in list(running.out)), "the documents to be taken")
        running.signal(signal.SIGINT)
        assert running.wait() == 130
        log = events([json.loads(line) for line in running.out], "log")
        assert any("changed its config, which is kept" in each["message"] for each in log) and "xyzzy" not in json.dumps(log)
    assert [each["capture"]["config"]["password"] for each in seen(tmp_path, "open")] == ["token-0-xyzzy", "token-2-xyzzy", "another"]
    assert seen(tmp_path)[:5] == ["spec", "validate", "apply", "open", "acknowledge"] and seen(tmp_path).count("validate") == 2
    assert ids(firth) == [1, 2] * 3


def test_a_connector_that_does_not_go_is_ended(firth, tmp_path):
    ready = tmp_path / "ready"
    path = catalog(tmp_path, [docs(1, 1), patch(n=1), {"text": ""}, {"touch": str(ready)}, {"ignore_term": True}])
    running = firth.start("run", str(path), "-o", "json")
    until(lambda: ready.exists() and ids(firth) == [1], "the connector to be in mid-stream")
    running.signal(signal.SIGINT)
    running.wait_for_line('"stopping"')
    running.signal(signal.SIGINT)
    assert running.wait(deadline=8) == 130


# --- groups ---------------------------------------------------------------------------------------------


def test_open_that_is_not_answered(firth, tmp_path):
    """Its stdin is open, but it does not wait for us: its silence counts."""
    path = catalog(tmp_path, [{"for_ever": True}], silent=True)
    error = failure(run(firth, path, "--stall-after", "500ms", expect=1))
    assert "for 500 ms it has neither written nor read anything, where the answer to 'open' was due" in error["message"]
    assert error["retriable"]


@pytest.mark.parametrize("end, message", [
    ([], "exited in the middle of a group: 2 documents are followed by no checkpoint"),
    ([{"exit": 0}], "exited in the middle of a group"),
    ([{"log": "warming up"}, {"log": "the database is gone"}, {"exit": 3}],
     "the database is gone (it exited with status 3)"),
    ([{"die": 9}], "was killed by signal 9"),
    ([{"partial": '{"checkpoint":{"state":{"upda'}, {"log": "out of memory"}, {"exit": 1}],
     "out of memory (it exited with status 1)"),
    ([{"partial": '{"checkpoint":{"state":{"upda'}], "wrote a line that is not valid JSON, line 8 of its output"),
    ([{"partial": '{"checkpoint":{"state":{"upda'}, {"die": 11}], "was killed by signal 11"),
])
def test_a_group_without_its_checkpoint_is_dropped(firth, tmp_path, end, message):
    path = catalog(tmp_path, [docs(1, 2), patch(n=2), {"sourcedSchema": {"documentSchema": {"type": "object"}}},
                              docs(3, 4), *end], [docs(3, 5), patch(n=5)])
    error = failure(run(firth, path, expect=1))
    assert message in error["message"] and error["retriable"]
    assert ids(firth) == [1, 2]
    run(firth, path)
    assert seen(tmp_path, "open")[1]["state"] == {"n": 2}
    assert ids(firth) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("what", ["backfillBegin", "backfillComplete"])
def test_a_backfill_without_its_checkpoint(firth, tmp_path, what):
    path = catalog(tmp_path, [docs(1, 2), patch(n=2), {what: {}}])
    error = failure(run(firth, path, expect=1))
    assert f"exited after '{what}' of acmeCo/users without the checkpoint that belongs to it" in error["message"]
    assert error["retriable"] and ids(firth) == [1, 2]


def warnings(lines):
    return [line["message"] for line in events(lines, "log") if line["level"] == "warn"]


@pytest.mark.parametrize("sourced, message", [
    ({"documentSchema": {"type": 5}}, "'sourcedSchema' of public/users, for acmeCo/users, has a 'documentSchema' that is "
                                      "no JSON schema: "),
    ({"documentSchema": "text"}, "is no JSON schema"),
    ({"documentSchema": None}, "line 2 of its output: 'sourcedSchema' has no 'documentSchema': right would be"),
    ({"binding": 0}, "line 2 of its output: 'sourcedSchema' has no 'documentSchema': right would be"),
])
def test_a_sourced_schema_that_is_none(firth, tmp_path, sourced, message):
    """It describes documents, maybe those that are not there yet: what is none is not passed over."""
    path = catalog(tmp_path, [{"sourcedSchema": sourced}, docs(1, 1), patch(n=1)])
    error = failure(run(firth, path, expect=1))
    assert message in error["message"] and "scripted_flow.py" in error["message"] and error["retriable"]
    assert ids(firth) == []


@pytest.mark.parametrize("line, member", [
    ('{"captured":{"doc":{"id":2},"doc":{"id":3}}}', "doc"),
    ('{"captured":{"doc":{"id":2}},"captured":{"doc":{"id":3}}}', "captured"),
    ('{"checkpoint":{"state":{"updated":{"n":2},"updated":{"n":3}}}}', "updated"),
])
def test_doubled_member_of_a_message(firth, tmp_path, line, member):
    """One of the two would be lost in silence."""
    error = failure(run(firth, catalog(tmp_path, [docs(1, 1), patch(n=1), {"text": line}, patch(n=3)]), expect=1))
    assert f'line 4 of its output: the message has the member "{member}" twice' in error["message"]
    assert ids(firth) == [1]


def test_doubled_member_of_a_document(firth, tmp_path):
    """The connector's own: the last of them counts, as everywhere in documents."""
    run(firth, catalog(tmp_path, [{"text": '{"captured":{"doc":{"id":2,"id":3}}}'}, patch(n=1)]))
    assert ids(firth) == [3]


def test_another_key_is_told(firth, tmp_path):
    nr = {"type": "object", "required": ["id", "nr"], "properties": {"id": {"type": "integer"}, "nr": {"type": "integer"}}}
    run(firth, catalog(tmp_path, [docs(1, 1, data={"nr": 1}), patch(n=1)], schema=nr))
    path = catalog(tmp_path, [], [docs(2, 2, data={"nr": 1}), patch(n=2)], [patch(n=3)], schema=nr)
    path.write_text(path.read_text().replace('"key": ["/id"]', '"key": ["/id", "/nr"]'))
    (told,) = warnings(run(firth, path))
    assert "the key of acmeCo/users is /id, /nr, and was /id when it was captured into last" in told
    assert "new collection" in told and "'backfill'" in told
    assert warnings(run(firth, path)) == []


def test_every_binding_is_disabled(firth, tmp_path):
    """That is no failure: its source has nothing any more, and may have again."""
    path = catalog(tmp_path, [], binding={"disable": True})
    lines = run(firth, path)
    assert [line["outcome"] for line in events(lines, "ended")] == ["completed"]
    assert any("no binding is enabled" in line["message"] for line in events(lines, "log"))
    assert seen(tmp_path) == []


def test_a_group_spans_bindings(firth, tmp_path):
    steps = [docs(1, 3), docs(1, 2, binding=1), patch(n=1), docs(4, 4), docs(3, 9, binding=1), {"exit": 1}]
    failure(run(firth, catalog(tmp_path, steps, bindings=("users", "orders")), expect=1))
    assert ids(firth) == [1, 2, 3] and ids(firth, "acmeCo/orders") == [1, 2]


def test_a_group_larger_than_the_stages(firth, tmp_path):
    """What outgrows memory goes to the store ahead of its checkpoint, and is seen with it or not at all."""
    fill = {"data": {"fill": "x" * 1000}}
    large = [docs(1, 9000, **fill), docs(1, 9000, binding=1, **fill)]
    names = ("users", "orders")
    failure(run(firth, catalog(tmp_path, [docs(0, 0), patch(n=0), *large, {"exit": 1}], bindings=names), expect=1))
    assert ids(firth) == [0] and ids(firth, "acmeCo/orders") == []
    run(firth, catalog(tmp_path, [], [*large, patch(n=9000)], bindings=names))
    assert ids(firth) == list(range(9001)) and ids(firth, "acmeCo/orders") == list(range(1, 9001))


def test_backfills_stand_alone(firth, tmp_path):
    path = catalog(tmp_path, [{"backfillBegin": {}}, patch(n=1), docs(1, 2), patch(n=2),
                              {"backfillComplete": {"binding": 0}}, patch(n=3)])
    lines = run(firth, path)
    assert ids(firth) == [1, 2] and counters(lines)["acmeCo/users"]["complete"]


@pytest.mark.parametrize("steps, message", [
    ([docs(1, 1), {"backfillBegin": {}}], "'backfillBegin' must be alone with its checkpoint"),
    ([{"backfillComplete": {}}, docs(1, 1)], "'captured' must not share a checkpoint with a backfill's begin or end"),
    ([{"backfillBegin": {}}, {"backfillComplete": {}}], "'backfillComplete' must be alone"),
])
def test_backfills_that_do_not(firth, tmp_path, steps, message):
    error = failure(run(firth, catalog(tmp_path, [*steps, patch(n=1)]), expect=1))
    assert message in error["message"]


# --- documents that violate the schema ------------------------------------------------------------------


def test_violation_stops_the_capture(firth, tmp_path):
    steps = [docs(1, 2), patch(n=2), {"captured": {"doc": {"id": "x"}}}, patch(n=3)]
    error = failure(run(firth, catalog(tmp_path, steps), expect=1))
    assert error["code"] == "invalid" and not error["retriable"]
    assert "document 3 of the stream" in error["message"] and "at '/id'" in error["message"]
    assert ids(firth) == [1, 2]


def test_violation_is_quarantined(firth, tmp_path):
    steps = [docs(1, 2), {"captured": {"doc": {"id": "x"}}}, docs(3, 3), patch(n=3)]
    run(firth, catalog(tmp_path, steps, capture={"onInvalid": {"quarantine": "acmeCo/bad"}}))
    assert ids(firth) == [1, 2, 3]
    [bad] = firth.read("acmeCo/bad")
    assert bad["document"] == {"id": "x"} and bad["violations"][0]["instance"] == "/id"


# --- apply ----------------------------------------------------------------------------------------------


def test_state_of_apply_is_durable_before_the_session(firth, tmp_path):
    applied = {"actionDescription": "made a slot", "state": {"updated": {"slot": "a"}, "mergePatch": True}}
    path = catalog(tmp_path, [{"log": "no"}, {"exit": 1}], [docs(1, 1), patch(n=1)], applied=applied)
    lines = run(firth, path, expect=1)
    assert failure(lines)["message"].endswith("no (it exited with status 1)")
    assert any(each["message"] == "made a slot" for each in events(lines, "log"))
    run(firth, path)
    assert [each["state"] for each in seen(tmp_path, "open")] == [{"slot": "a"}, {"slot": "a"}]
    assert len(seen(tmp_path, "apply")) == 1


def test_another_specification_is_applied(firth, tmp_path):
    run(firth, catalog(tmp_path, [patch(n=1)]))
    run(firth, catalog(tmp_path, [patch(n=1)], more="config"))
    run(firth, catalog(tmp_path, [patch(n=1)], more="config", binding={"backfill": 1}))
    run(firth, catalog(tmp_path, [patch(n=1)], more="config", binding={"backfill": 1}))
    first, second, third = seen(tmp_path, "apply")
    assert first["state"] == {} and second["state"] == third["state"] == {"n": 1}
    assert "lastVersion" not in first
    assert second["lastVersion"] == first["version"] and third["lastVersion"] == second["version"]
    keys = [each["capture"]["bindings"][0]["stateKey"] for each in seen(tmp_path, "open")]
    assert keys == ["public%2Fusers", "public%2Fusers", "public%2Fusers.v1", "public%2Fusers.v1"]


def test_one_session_that_never_ends_is_told_of(firth, tmp_path):
    """As a source that streams changes is run with --once: what it waits for, and the ways out."""
    path = catalog(tmp_path, [docs(1, 2), patch(n=2), {"for_ever": True}])
    running = firth.start("run", str(path), "--once")
    until(lambda: any("--once waits for its end" in line for line in running.err), "the hint")
    running.signal(signal.SIGTERM)
    running.wait()
    (told,) = [line for line in running.err if "--once waits for its end" in line]
    assert "without --once" in told and "--task" in told and ids(firth) == [1, 2]


def paths(spec, which="bindings"):
    """The resources of a specification, with their counters."""
    return [(each["resourcePath"][-1], each.get("backfill", 0)) for each in spec.get(which, [])]


def test_what_was_applied_before_is_told(firth, tmp_path):
    """`lastCapture` at validate and apply, with the bindings that went as inactive ones, until they are back."""
    secret = {"password": "geheim-42"}
    run(firth, catalog(tmp_path, [patch(n=1)], bindings=("users", "orders"), **secret))
    run(firth, catalog(tmp_path, [patch(n=1)], bindings=("users",), **secret))
    run(firth, catalog(tmp_path, [patch(n=1)], bindings=("users",), binding={"backfill": 2}, **secret))
    back = catalog(tmp_path, [patch(n=1)], bindings=("users", "orders"), binding={"backfill": 2}, **secret)
    firth("check", back)
    run(firth, back)
    assert all("lastCapture" not in seen(tmp_path, verb)[0] for verb in ("validate", "apply"))
    both, zero = [("users", 0), ("orders", 0)], [("orders", 0)]
    *_, checked, validated = seen(tmp_path, "validate")
    for verb in ("validate", "apply"):
        last = [each["lastCapture"] for each in seen(tmp_path, verb)[1:]]
        if verb == "validate":  # one more: the check's
            assert last.pop() == last[-1] and checked["lastVersion"] == validated["lastVersion"]
        assert [paths(each) for each in last] == [both, [("users", 0)], [("users", 2)]]
        assert [paths(each, "inactiveBindings") for each in last] == [[], zero, zero]
        # What connectors of Estuary's want of it; no secret is kept for that.
        assert all(each["config"] == {"config": {}} and each["shardTemplate"] and each["recoveryLogTemplate"]
                   for each in last)
        users = last[0]["bindings"][0]["collection"]
        assert users["key"] == ["/id"] and [p["ptr"] for p in users["projections"] if p["isPrimaryKey"]] == ["/id"]
    for verb in ("apply", "open"):
        assert [paths(each["capture"], "inactiveBindings") for each in seen(tmp_path, verb)] == [[], zero, zero, []]


def test_inactive_bindings_are_told_to_a_session_that_asks_nothing(firth, tmp_path):
    run(firth, catalog(tmp_path, [patch(n=1)], bindings=("users", "orders")))
    for _ in range(2):
        run(firth, catalog(tmp_path, [patch(n=1)], bindings=("users",)))
    assert seen(tmp_path)[-2:] == ["open", "open"]
    assert [paths(each["capture"], "inactiveBindings") for each in seen(tmp_path, "open")] == [
        [], [("orders", 0)], [("orders", 0)]]


def test_disabled_bindings_are_not_there(firth, tmp_path):
    path = catalog(tmp_path, [docs(1, 1), patch(n=1)], bindings=("orders", "users"))
    content = json.loads(path.read_text())
    content["captures"]["acmeCo/flow"]["bindings"][0]["disable"] = True
    path.write_text(json.dumps(content))
    run(firth, path)
    assert ids(firth) == [1]  # binding 0 is the first that is enabled


# --- connectors that go wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize("config, message, verbs", [
    ({"spec": {"protocol": 3032022}}, "speaks version 3032022 of Flow's protocol, this program speaks 3032023", ["spec"]),
    ({"spec": {"configSchema": {}}}, "does not say which version of Flow's protocol it speaks", ["spec"]),
    ({"spec": None}, "answered 'spec' with 'spec' that is null: right would be an object", ["spec"]),
    ({"opened": None}, "'opened' is null: right would be an object", ["spec", "validate", "apply", "open"]),
    # It has the config with the question what of it is secret: all of it is, so far.
    ({"spec": "no licence"}, "*** (it exited with status 1)", ["spec"]),
    ({"validated": "cannot reach db.example"}, "cannot reach db.example (it exited with status 1)", ["spec", "validate"]),
    ({"validated": {"bindings": []}}, "validated 0 bindings of 1", ["spec", "validate"]),
    ({"validated": {"bindings": [{}]}}, "validated the binding to acmeCo/users without a resourcePath",
     ["spec", "validate"]),
    ({"applied": "no rights"}, "no rights (it exited with status 1)", ["spec", "validate", "apply"]),
    ({"applied": {"state": {"updated": []}}}, "state.updated must be an object", ["spec", "validate", "apply"]),
    ({"opened": "slot is busy"}, "slot is busy (it exited with status 1, where the answer to 'open' was due)", ["spec", "validate", "apply", "open"]),
])
def test_set_up_that_fails(firth, tmp_path, config, message, verbs):
    error = failure(run(firth, catalog(tmp_path, [docs(1, 1), patch(n=1)], **config), expect=1))
    assert message in error["message"], error
    assert seen(tmp_path) == verbs and ids(firth) == []


def test_two_bindings_of_one_resource(firth, tmp_path):
    same = {"bindings": [{"resourcePath": ["a"]}, {"resourcePath": ["a"]}]}
    error = failure(run(firth, catalog(tmp_path, [], bindings=("users", "orders"), validated=same), expect=1))
    assert "takes the resources of the bindings to acmeCo/users and to acmeCo/orders for one and the same" in error["message"]


@pytest.mark.parametrize("step, message", [
    ({"captured": {"binding": 1, "doc": {}}}, "line 4 of its output: 'captured' of binding 1, but there is 1"),
    ({"captured": {"doc": [1]}}, "line 4 of its output: captured.doc must be an object, got [1]"),
    ({"text": "{}"}, "line 4 of its output: this is not a response of Flow's capture protocol"),
    ({"text": '{"opened":{}}'}, "line 4 of its output: 'opened' has no place in a session"),
    ({"text": '{"capture":{}}'}, "did you mean 'captured'?"),
    ({"text": '{"type":"RECORD","record":{}}'}, "say 'protocol: airbyte'"),
    ({"text": "hello"}, "wrote a line that is not valid JSON, line 4 of its output"),
    ({"text": "[" * 300}, "wrote a line that is not valid JSON"),
    ({"bytes": "28000000120361620a0a"}, "what it writes looks like protobuf"),
    ({"checkpoint": {"state": {"updated": 7}}}, "state.updated must be an object, got 7"),
    ({"checkpoint": {"state": {"updated": {}, "mergePatch": "yes"}}}, "state.mergePatch must be true or false"),
])
def test_lines_that_are_wrong(firth, tmp_path, step, message):
    path = catalog(tmp_path, [docs(1, 1), patch(n=1), step, {"text": '{"checkpoint":{}}'}, {"input_end": True}])
    error = failure(run(firth, path, expect=1))
    assert message in error["message"], error
    assert ids(firth) == [1]  # what came before it is kept


def test_documents_before_opened(firth, tmp_path):
    path = catalog(tmp_path, [])
    program = tmp_path / "eager.py"
    for used in ("leaving.py", "lean_json.py"):
        shutil.copy(pathlib.Path(PROGRAM).with_name(used), tmp_path)
    program.write_text(pathlib.Path(PROGRAM).read_text().replace('self.answer("opened", {})', 'say({"captured": {"doc": {}}})'))
    path.write_text(path.read_text().replace(PROGRAM, str(program)))
    error = failure(run(firth, path, expect=1))
    assert "'captured' came before 'opened', with which a session begins" in error["message"]


def test_no_secret_is_told(firth, tmp_path):
    path = catalog(tmp_path, [{"log": "connecting with hunter2222"}, {"text": "password is hunter2222"}, {"text": ""}],
                   password="hunter2222")
    running = firth.start("run", str(path), "--once")
    assert running.wait() == 1
    shown = "\n".join(running.out + running.err)
    assert "connecting with ***" in shown and "hunter2222" not in shown


# --- firth check ----------------------------------------------------------------------------------------


def check(firth, path, expect):
    return firth("check", str(path), "-o", "json", expect=expect).json()


def test_check_asks_the_connector(firth, tmp_path):
    assert check(firth, catalog(tmp_path, [docs(1, 1), patch(n=1)]), 0)["ok"]
    assert seen(tmp_path) == ["spec", "validate"]
    assert seen(tmp_path, "validate")[0]["bindings"][0]["resourceConfig"] == {"path": ["public", "users"]}


def test_check_by_the_connectors_schemas(firth, tmp_path):
    spec = {"protocol": 3032023,
            "configSchema": {"type": "object", "required": ["user"], "properties": {"password": {"type": "integer"}}},
            "resourceConfigSchema": {"properties": {"path": {"maxItems": 1}}}}
    result = check(firth, catalog(tmp_path, [], spec=spec, password="hunter2222"), 3)
    messages = [each["message"] for each in result["errors"]]
    assert any("config" in each and '"user"' in each for each in messages), messages
    assert any("config /password: expected integer" in each for each in messages), messages
    assert any("resource /path: " in each for each in messages), messages
    assert "hunter2222" not in json.dumps(result) and seen(tmp_path) == ["spec"]


@pytest.mark.parametrize("config, message", [
    ({"validated": "cannot reach db.example"}, "cannot reach db.example (it exited with status 1)"),
    ({"validated": {"bindings": []}}, "validated 0 bindings of 1"),
    ({"spec": {"protocol": 1}}, "speaks version 1 of Flow's protocol"),
    ({"spec": "no licence"}, "*** (it exited with status 1)"),
])
def test_check_tells_what_the_connector_says(firth, tmp_path, config, message):
    result = check(firth, catalog(tmp_path, [], **config), 3)
    assert [message in each["message"] for each in result["errors"]] == [True], result
    assert result["errors"][0]["line"] == 1


TABLES = ("users", "orders", "items", "prices", "stores", "staff", "shifts")


@pytest.mark.parametrize("refuse, told, asked", [
    # Its words tell of which binding they are.
    ({"items": 'relation "public"."items" does not exist'}, {"items": "does not exist"}, 1),
    ({"items": "acmeCo/items has no key"}, {"items": "has no key"}, 1),
    ({"users": "one of them has no replica identity"}, {"users": "replica identity"}, 5),
    # One hides another.
    ({"users": "no such table (1)", "shifts": "no such table (2)"}, {"users": "(1)", "shifts": "(2)"}, 9),
    ({"orders": "permission denied", "items": "permission denied"}, {"orders": "denied", "items": "denied"}, 7),
    # Of all alike: the endpoint's, as is what names several alike.
    (dict.fromkeys(TABLES, "cannot reach db.example"), {"seen": "db.example"}, 3),
    (dict.fromkeys(TABLES, "neither public.users nor public.orders is there"), {"seen": "neither"}, 3),
])
def test_check_points_at_the_binding(firth, tmp_path, refuse, told, asked):
    path = catalog(tmp_path, [], bindings=TABLES, refuse=refuse)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))
    lines = path.read_text().splitlines()
    found = {}
    for error in check(firth, path, 3)["errors"]:  # a binding begins with its resource, the config with `seen`
        name = next(word for word in re.findall(r'"(\w+)"', " ".join(lines[error["line"] - 1:])) if word in (*TABLES, "seen"))
        found[name] = error["message"]
    assert {name: told.get(name, "?") in message for name, message in found.items()} == dict.fromkeys(told, True), found
    assert seen(tmp_path).count("validate") == asked


def test_check_says_what_cannot_be_started(firth, tmp_path):
    for command in ("no-such-connector", "./no-such-connector"):
        path = catalog(tmp_path, [])
        content = json.loads(path.read_text())
        content["captures"]["acmeCo/flow"]["endpoint"]["local"]["command"] = [command]
        path.write_text(json.dumps(content))
        [error] = check(firth, path, 3)["errors"]
        assert error["message"].startswith("cannot start no-such-connector: "), error
