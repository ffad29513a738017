"""Connections end to end: records and states through to the destination and back, modes and generations, and
each way in which one of the two sides can go wrong."""

import json
import signal

import pytest

from conftest import until
from e2e.scripted import connection, counters, events, failure, received, run, seen, state_of


def records(first, last, stream="users", fill=0):
    return {"records": {"stream": stream, "from": first, "to": last, "fill": fill}}


def state(n, stream="users"):
    return {"state": {"stream": stream, "n": n}}


def of_type(messages, kind):
    return [message for message in messages if message["type"] == kind]


def configured(tmp_path):
    catalog = json.loads((tmp_path / "out.catalog").read_text())
    return {each["stream"]["name"]: each for each in catalog["streams"]}


def incremental(name="users", **more):
    return [{"name": name, "syncMode": "incremental", "destinationSyncMode": "append", **more}]


# --- the good way ---------------------------------------------------------------------------------------


def test_lines_go_through_as_they_are(firth, tmp_path):
    line = ('{"type":"RECORD","record":{"stream":"users","emitted_at":1.25,"meta":{"changes":[]},'
            '"data":{"id":12345678901234567890.10, "e":"\\u00e9"} } ,"extra":1}')
    run(firth, connection(tmp_path, [{"text": line}, state(1)]))
    lines = (tmp_path / "out").read_text().splitlines()
    assert lines[0] == line
    assert [json.loads(each)["type"] for each in lines] == ["RECORD", "STATE", "TRACE"]


def test_complete_is_sent_for_every_stream(firth, tmp_path):
    run(firth, connection(tmp_path, [records(1, 1, "a")], source_streams=["a", "b"]))
    statuses = [message["trace"]["stream_status"] for message in of_type(received(tmp_path), "TRACE")]
    assert [(each["stream_descriptor"]["name"], each["status"]) for each in statuses] == [
        ("a", "COMPLETE"), ("b", "COMPLETE")]


def test_states_are_saved_once_echoed(firth, tmp_path):
    lines = run(firth, connection(tmp_path, [records(1, 2), state(2), records(3, 3), state(3)]))
    assert counters(lines)["users"]["committedDocuments"] == 3
    run(firth, connection(tmp_path, []))
    assert [state_of(read, "users") for read in seen(tmp_path)] == [None, {"n": 3}]


@pytest.mark.parametrize("echo, saved", [("last", {"n": 3}), ("none", None), ("each", {"n": 3})])
def test_how_destinations_echo(firth, tmp_path, echo, saved):
    steps = [records(1, 1), state(1), records(2, 2), state(2), records(3, 3), state(3)]
    lines = run(firth, connection(tmp_path, steps, destination={"echo": echo}), expect=echo == "none")
    if echo == "none":
        error = events(lines, "ended")[0]["error"]
        assert "without echoing 3 STATEs" in error["message"] and error["retriable"]
    run(firth, connection(tmp_path, []))
    assert state_of(seen(tmp_path)[-1], "users") == saved


def test_only_the_last_of_many_states_is_echoed(firth, tmp_path):
    """No state is taken for another, whatever it counts: 7 and 10, 3000 and 10000 once had one identity."""
    counts = [*range(1, 200), *range(1000, 40000, 1000)]
    run(firth, connection(tmp_path, [state(n) for n in counts], destination={"echo": "last"}))
    run(firth, connection(tmp_path, []))
    assert state_of(seen(tmp_path)[-1], "users") == {"n": 39000}


@pytest.mark.parametrize("lines", [20, 3000])
def test_destination_ends_well_too_early(firth, tmp_path, lines):
    """Exit status 0 with input left in the pipe is a failure, whether Firth was done with writing or not."""
    steps = [records(1, lines), state(lines)]
    result = run(firth, connection(tmp_path, steps, destination={"exit_after": 2}), expect=1)
    error = events(result, "ended")[0]["error"]
    assert any(part in error["message"] for part in
               ("of its input unread", "closed its input", "before its input did", "without echoing")), error
    assert error["retriable"]


def test_destination_fails_while_the_source_writes_on(firth, tmp_path):
    line = json.dumps({"type": "RECORD", "record": {"stream": "users", "data": {"id": 1}, "emitted_at": 1}})
    catalog = connection(tmp_path, [{"endless": line}], destination={"exit_after": 50, "exit": 9, "stderr": "no room"})
    message = events(run(firth, catalog, expect=1), "ended")[0]["error"]["message"]
    assert "exited with status 9" in message and "no room" in message


def test_destination_is_checked_once(firth, tmp_path):
    failing = {"check": {"status": "FAILED", "message": "no such bucket"}, "check_exit": 1}
    lines = run(firth, connection(tmp_path, [records(1, 2), state(2)], destination=failing), expect=1)
    assert "cannot work with its config: no such bucket" in events(lines, "ended")[0]["error"]["message"]
    assert not (tmp_path / "out").exists()
    run(firth, connection(tmp_path, [records(1, 2), state(2)]))


def test_streams_may_be_echoed_in_any_order(firth, tmp_path):
    steps = [records(1, 1, "b"), state(1, "b"), records(1, 1, "a"), state(1, "a"), records(2, 2, "b"), state(2, "b")]
    run(firth, connection(tmp_path, steps, source_streams=["a", "b"], destination={"echo": "reordered"}))
    run(firth, connection(tmp_path, [], source_streams=["a", "b"]))
    assert [state_of(seen(tmp_path)[1], name) for name in "ab"] == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("kind", ["GLOBAL", "LEGACY"])
def test_global_and_legacy_states(firth, tmp_path, kind):
    body = {"GLOBAL": {"type": "GLOBAL", "global": {"shared_state": {"lsn": "0/1"}, "stream_states": [
                {"stream_descriptor": {"name": "users", "namespace": None}, "stream_state": {"n": 1}}]}},
            "LEGACY": {"data": {"cursor": 1.50}}}[kind]
    run(firth, connection(tmp_path, [records(1, 1), {"message": {"type": "STATE", "state": body}}]))
    run(firth, connection(tmp_path, []))
    again = seen(tmp_path)[1]["state"]
    assert again == {"cursor": 1.5} if kind == "LEGACY" else again[0]["global"]["shared_state"] == {"lsn": "0/1"}


def test_prefix_and_namespace(firth, tmp_path):
    """The destination sees other names; the state that is saved and given back has the source's own."""
    steps = [records(1, 1), state(1),
             {"text": '{"type":"RECORD","record":{"namespace":"x","stream":"orders","data":{"a": 1.0},"emitted_at":1}}'},
             {"message": {"type": "STATE", "state": {"type": "STREAM", "stream": {
                 "stream_descriptor": {"name": "orders", "namespace": "x"}, "stream_state": {"o": 1}}}}}]
    streams = ["users", {"name": "orders", "namespace": "x"}]
    run(firth, connection(tmp_path, steps, source_streams=streams, prefix="raw_", namespace="lake"))
    got = received(tmp_path)
    assert [(message["record"]["stream"], message["record"]["namespace"]) for message in of_type(got, "RECORD")] == [
        ("raw_users", "lake"), ("raw_orders", "lake")]
    assert '"data":{"a": 1.0}' in (tmp_path / "out").read_text()
    descriptors = [message["state"]["stream"]["stream_descriptor"] for message in of_type(got, "STATE")]
    assert descriptors == [{"name": "raw_users", "namespace": "lake"}, {"name": "raw_orders", "namespace": "lake"}]
    assert set(configured(tmp_path)) == {"raw_users", "raw_orders"}
    run(firth, connection(tmp_path, [], source_streams=streams, prefix="raw_", namespace="lake"))
    states = {each["stream"]["stream_descriptor"]["name"]: each["stream"]["stream_state"]
              for each in seen(tmp_path)[1]["state"]}
    assert states == {"users": {"n": 1}, "orders": {"o": 1}}
    assert [each["stream"]["name"] for each in seen(tmp_path)[1]["catalog"]["streams"]] == ["users", "orders"]


def test_schema_mismatch_is_told_and_forwarded(firth, tmp_path):
    streams = [{"name": "users", "schema": {"type": "object", "properties": {"id": {"type": "string"}}}}]
    lines = run(firth, connection(tmp_path, [records(1, 3), state(3)], source_streams=streams))
    assert len(of_type(received(tmp_path), "RECORD")) == 3
    assert counters(lines)["users"]["invalid"] == 3
    assert counters(lines)["users"]["documents"] == counters(lines)["users"]["committedDocuments"] == 3
    assert sum("/id" in line["message"] and line["level"] == "warn" for line in events(lines, "log")) == 1


# --- modes and generations --------------------------------------------------------------------------------


@pytest.mark.parametrize("stream, modes, expected", [
    ({"modes": ["full_refresh"]}, ["append", "overwrite"], ("full_refresh", "overwrite")),
    ({"modes": ["full_refresh"]}, ["append"], ("full_refresh", "append")),
    ({"modes": ["full_refresh", "incremental"]}, ["append", "overwrite"], ("incremental", "append")),
    ({"source_defined_primary_key": [["id"]]}, ["append", "append_dedup"], ("incremental", "append_dedup")),
    ({"source_defined_primary_key": [["id"]]}, ["append"], ("incremental", "append")),
])
def test_default_modes(firth, tmp_path, stream, modes, expected):
    catalog = connection(tmp_path, [], source_streams=[{"name": "users", **stream}])
    text = json.loads(catalog.read_text())
    text["connections"]["acmeCo/sync"]["destination"]["local"]["env"] = {"DESTINATION_MODES": json.dumps(modes)}
    catalog.write_text(json.dumps(text))
    run(firth, catalog)
    users = configured(tmp_path)["users"]
    assert (users["sync_mode"], users["destination_sync_mode"]) == expected


def test_generations(firth, tmp_path):
    """Overwrite: a new generation each sync, the same for an attempt that goes on with a resumable stream."""
    streams = [{"name": "users", "syncMode": "full_refresh", "destinationSyncMode": "overwrite"}]

    def sync(steps, resumable, expect=0):
        run(firth, connection(tmp_path, steps, streams,
                              source_streams=[{"name": "users", "is_resumable": resumable}]), expect=expect)
        users = configured(tmp_path)["users"]
        return users["generation_id"], users["minimum_generation_id"], users["sync_id"]

    half = [records(1, 1), state(1), {"exit": 1}]
    assert sync([records(1, 1), state(1)], True) == (1, 1, 1)
    assert sync(half, True, expect=1) == (2, 2, 2)
    assert sync([state(2)], True) == (2, 2, 2)
    assert state_of(seen(tmp_path)[2], "users") == {"n": 1}
    assert sync(half, False, expect=1) == (3, 3, 3)
    assert sync([], False) == (4, 4, 3)  # it starts over: what was sent before must go
    assert state_of(seen(tmp_path)[4], "users") is None


def test_append_keeps_its_generation(firth, tmp_path):
    for sync_id in (1, 2):
        run(firth, connection(tmp_path, [records(1, 1), state(1)], incremental()))
        users = configured(tmp_path)["users"]
        assert (users["generation_id"], users["minimum_generation_id"], users["sync_id"]) == (1, 0, sync_id)


def test_cursor_and_primary_key(firth, tmp_path):
    source_streams = [{"name": "users", "source_defined_cursor": False, "default_cursor_field": ["a"]}]
    run(firth, connection(tmp_path, [], [{"name": "users", "syncMode": "incremental", "destinationSyncMode": "append_dedup",
                                          "cursorField": "b", "primaryKey": ["id", ["address", "zip"]]}],
                          source_streams=source_streams))
    users = configured(tmp_path)["users"]
    assert users["cursor_field"] == ["b"] and users["primary_key"] == [["id"], ["address", "zip"]]


# --- what goes wrong --------------------------------------------------------------------------------------


def test_failing_source(firth, tmp_path):
    """What was echoed is saved; COMPLETE is not sent."""
    error = failure(run(firth, connection(tmp_path, [records(1, 2), state(2), records(3, 3), {"stderr": "out of cheese"},
                                                     {"exit": 3}]), expect=1))
    assert error["retriable"] and "status 3" in error["message"] and "out of cheese" in error["message"]
    assert not of_type(received(tmp_path), "TRACE")
    run(firth, connection(tmp_path, []))
    assert state_of(seen(tmp_path)[1], "users") == {"n": 2}


def status(stream, value):
    return {"message": {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": {
        "stream_descriptor": {"name": stream}, "status": value}}}}


def test_incomplete_stream(firth, tmp_path):
    """A source that says that a stream failed has failed, though it exits with 0: what is overwritten stays."""
    steps = [status("a", "STARTED"), records(1, 1, "a"), state(1, "a"), status("a", "COMPLETE"), status("b", "STARTED"),
             records(1, 2, "b"), {"stderr": "lost the connection"}, status("b", "INCOMPLETE")]
    error = failure(run(firth, connection(tmp_path, steps, source_streams=["a", "b"]), expect=1))
    assert error["retriable"] and error["code"] == "connector"
    assert "the stream 'b': INCOMPLETE" in error["message"] and "lost the connection" in error["message"]
    assert not of_type(received(tmp_path), "TRACE")
    run(firth, connection(tmp_path, [], source_streams=["a", "b"]))
    assert state_of(seen(tmp_path)[1], "a") == {"n": 1}


def test_stream_that_was_tried_again(firth, tmp_path):
    steps = [status("users", "INCOMPLETE"), status("users", "STARTED"), records(1, 1), status("users", "COMPLETE")]
    run(firth, connection(tmp_path, steps))
    assert len(of_type(received(tmp_path), "TRACE")) == 1


RECORD = '"record":{"stream":"users","emitted_at":1,"data":{"id":1}%s}'


@pytest.mark.parametrize("member, line", [
    ("record", f'{{"type":"RECORD",{RECORD % ""},{RECORD % ""}}}'),
    ("meta", '{"type":"RECORD",%s}' % (RECORD % ',"meta":{"changes":[]},"meta":{}')),
])
def test_doubled_member_of_a_message(firth, tmp_path, member, line):
    """Of two "record"s one would be lost: neither is taken."""
    lines = run(firth, connection(tmp_path, [{"text": line}, state(1)]), expect=1)
    assert f'line 1 of its output: the message has the member "{member}" twice' in failure(lines)["message"]
    assert not any("same name" in line["message"] for line in events(lines, "log"))


@pytest.mark.parametrize("member, spec", [
    ("connectionSpecification", '"connectionSpecification":{"properties":{"n":{"airbyte_secret":true}}},'
                                '"connectionSpecification":{"type":"object"}'),
    ("spec", '"connectionSpecification":{}},"spec":{"connectionSpecification":{}'),
])
def test_doubled_member_of_a_spec(firth, tmp_path, member, spec):
    """The marks of secrets may be in the one that is lost: it is no spec, and what that means is told."""
    path = connection(tmp_path, [records(1, 1), state(1)])
    catalog = json.loads(path.read_text())
    catalog["connections"]["acmeCo/sync"]["source"]["local"]["env"] = {
        "SPEC": json.dumps([{"text": '{"type":"SPEC","spec":{%s}}' % spec}])}
    path.write_text(json.dumps(catalog))
    said = f'the message has the member "{member}" twice'
    assert said in firth("check", path, expect=3).err
    (told,) = [line["message"] for line in events(run(firth, path), "log") if line["level"] == "warn"]
    assert said in told and "only values whose names look secret are masked" in told


@pytest.mark.parametrize("member, stream", [
    ("name", '{"name":"a","json_schema":{"type":"object"},"supported_sync_modes":["full_refresh"],"name":"users"}'),
    ("json_schema", '{"name":"users","json_schema":{"type":"object"},"json_schema":{},'
                    '"supported_sync_modes":["full_refresh"]}'),
])
def test_doubled_member_of_a_catalog(firth, tmp_path, member, stream):
    line = '{"type":"CATALOG","catalog":{"streams":[%s]}}' % stream
    path = connection(tmp_path, [records(1, 1)], source={"discover": [{"text": line}]}, source_streams=[])
    assert f'the message has the member "{member}" twice' in failure(run(firth, path, expect=1))["message"]


@pytest.mark.parametrize("value", ["incomplete", 7, None])
def test_a_status_that_is_none_is_told(firth, tmp_path, value):
    """What it was meant to say is not known, and the stream passes for complete: once, with what would be right."""
    steps = [records(1, 1), state(1), status("users", value), status("users", value)]
    lines = run(firth, connection(tmp_path, steps))
    (told,) = [line["message"] for line in events(lines, "log") if line["level"] == "warn"]
    assert f"the stream 'users' the status {json.dumps(value)}" in told
    assert "STARTED, RUNNING, COMPLETE or INCOMPLETE" in told


ESCAPES = "bad \x1b]0;title\x07 \x1b[2J \u0085 \u202e rtl"


@pytest.mark.parametrize("source", [
    {"steps": [{"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": {
        "message": ESCAPES, "failure_type": "system_error"}}}}, {"exit": 1}]},
    {"steps": [{"stderr": ESCAPES}, {"exit": 1}]},
    {"steps": [records(1, 1, ESCAPES)]},
    {"steps": [], "source": {"check": [{"message": {"type": "CONNECTION_STATUS", "connectionStatus": {
        "status": "FAILED", "message": ESCAPES}}}]}},
    {"steps": [records(1, 1, ESCAPES)], "source_streams": [ESCAPES]},
])
def test_nothing_of_a_connector_steers_the_terminal(firth, tmp_path, source):
    result = firth("run", str(connection(tmp_path, **source)), "--once", expect=None)
    text = result.err + result.out
    assert "bad" in text
    assert not [c for c in text if c != "\n" and (ord(c) < 32 or 0x7f <= ord(c) < 0xa0 or ord(c) == 0x202e)], text


@pytest.mark.parametrize("destination, parts, saved", [
    ({"exit": 4, "stderr": "the lake is dry"}, ["status 4", "the lake is dry"], {"n": 3}),
    ({"exit": 4, "exit_after": 4, "stderr": "the lake is dry"}, ["status 4", "the lake is dry"], {"n": 2}),
    ({"exit": 0, "exit_after": 4}, ["ended before its input did"], {"n": 2}),
    ({"echo": "wrong"}, ["was not sent"], None),
    ({"echo": "twice"}, ["echoed it twice"], {"n": 2}),
    ({"lines": ['{"type":"STATE","sta', "more"]}, ["not valid JSON", "line 1"], None),
    ({"lines": [json.dumps({"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": {
        "message": "No such bucket", "failure_type": "config_error"}}})], "exit": 1}, ["No such bucket"], {"n": 3}),
])
def test_failing_destination(firth, tmp_path, destination, parts, saved):
    steps = [records(1, 2), state(2), records(3, 3), state(3)]
    # Long enough that a destination which ends early does so before the source has ended.
    steps += [records(4, 4), {"sleep_until": str(tmp_path / "never")}] if "exit_after" in destination else []
    error = failure(run(firth, connection(tmp_path, steps, destination=destination), expect=1))
    for part in parts:
        assert part in error["message"], error["message"]
    run(firth, connection(tmp_path, []))
    assert state_of(seen(tmp_path)[-1], "users") == saved


def test_destination_that_hears_nothing_more_is_not_waited_for_forever(firth, tmp_path):
    """A slow destination holds the source back: memory stays bounded, nothing is lost."""
    steps = [records(1, 3000, fill=10000), state(3000)]
    lines = run(firth, connection(tmp_path, steps))
    assert counters(lines)["users"]["committedDocuments"] == 3000
    assert events(lines, "progress")[-1]["memoryPeak"] < 64 << 20
    assert len(of_type(received(tmp_path), "RECORD")) == 3000


def test_interrupt_saves_what_was_echoed(firth, tmp_path):
    ready = tmp_path / "ready"
    steps = [records(1, 2), state(2), records(3, 3), {"touch": str(ready)}, {"hang": True}]
    running = firth.start("run", str(connection(tmp_path, steps)), "-o", "json")
    until(ready.exists, "the source to be in mid-stream")
    running.signal(signal.SIGINT)
    assert running.wait() == 130
    assert not of_type(received(tmp_path), "TRACE")
    run(firth, connection(tmp_path, []))
    assert state_of(seen(tmp_path)[1], "users") == {"n": 2}


def test_schedule_every(firth, tmp_path):
    running = firth.start("run", str(connection(tmp_path, [records(1, 1), state(1)], schedule={"every": "1s"})), "-o", "json")
    until(lambda: (tmp_path / "seen").exists() and len(seen(tmp_path)) >= 2, "the second sync")
    running.signal(signal.SIGTERM)
    assert running.wait() == 130


def test_manual_connection_runs_once(firth, tmp_path):
    result = firth("run", str(connection(tmp_path, [records(1, 1), state(1)])), "-o", "json", expect=0)
    assert len(events(result.lines(), "ended")) == 1


# --- the real thing ---------------------------------------------------------------------------------------


def test_faker_to_local_json(firth, tmp_path):
    catalog = tmp_path / "sync.json"
    catalog.write_text(json.dumps({"connections": {"acmeCo/first-sync": {
        "source": {"connector": {"image": "airbyte/source-faker:6.2.38", "config": {"count": 1000, "seed": 7}}},
        "destination": {"connector": {"image": "airbyte/destination-local-json:0.2.11",
                                      "config": {"destination_path": "/local/json_data"}}},
        "streams": "all"}}}))
    local = tmp_path / "local"
    local.mkdir()
    result = firth("run", str(catalog), "--once", expect=0, env={"FIRTH_LOCAL_ROOT": str(local)})
    assert "users" in result.out + result.err
    files = sorted((local / "json_data").iterdir()) if (local / "json_data").exists() else []
    assert [file.name for file in files] == [f"_airbyte_raw_{name}.jsonl" for name in ("products", "purchases", "users")]
    assert len(files[2].read_text().splitlines()) == 1000
