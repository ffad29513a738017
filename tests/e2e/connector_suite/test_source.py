"""Sources: discover, read, statuses, states, going on from a state, being stopped."""

import collections
import json
import signal
import subprocess
import tempfile

import jsonschema
import pytest

from connector_suite.protocol import configured, value_at


@pytest.fixture
def run(source, request, tmp_path):
    return source.runner(request, tmp_path)


def property_at(schema, path):
    for part in path:
        assert part in schema.get("properties", {}), f"{path} is not in the schema"
        schema = schema["properties"][part]
    return schema


def test_discover(source, full_read):
    streams = full_read.streams
    assert streams
    assert len({(s.get("namespace"), s["name"]) for s in streams}) == len(streams)
    for stream in streams:
        schema = stream["json_schema"]
        jsonschema.Draft7Validator.check_schema(schema)
        assert schema.get("additionalProperties", True) is not False
        modes = stream["supported_sync_modes"]
        assert modes and set(modes) <= {"full_refresh", "incremental"}
        if stream.get("default_cursor_field"):
            property_at(schema, stream["default_cursor_field"])
        if stream.get("source_defined_cursor") and source.names_cursor:
            assert stream["default_cursor_field"]
        for key in stream.get("source_defined_primary_key") or []:
            kinds = property_at(schema, key)["type"]
            assert not {"object", "array"} & set([kinds] if isinstance(kinds, str) else kinds)
        if stream.get("is_resumable") and "incremental" in modes:
            assert "source_defined_cursor" in stream


def test_read(full_read):
    session, streams = full_read.session, full_read.streams
    assert session.rc == 0 and not session.errors(), session
    assert {m["type"] for m in session.messages} <= {"RECORD", "STATE", "TRACE", "LOG"}
    for stream in streams:
        records = session.records(stream["name"])
        assert records, stream["name"]
        validator = jsonschema.Draft7Validator(stream["json_schema"])
        keys = set()
        for record in records:
            validator.validate(record["data"])
            assert set(record["data"]) & set(stream["json_schema"]["properties"])
            assert 1e12 < record["emitted_at"] < 1e13  # milliseconds, not seconds
            if stream.get("source_defined_primary_key"):
                key = tuple(value_at(record["data"], path) for path in stream["source_defined_primary_key"])
                assert any(part is not None for part in key) and key not in keys
                keys.add(key)
    assert {r["stream"] for r in session.records()} <= {s["name"] for s in streams}


def test_statuses(full_read):
    for stream in full_read.streams:
        statuses = full_read.session.statuses()[stream["name"]]
        assert statuses[0] == "STARTED" and statuses[-1] == "COMPLETE" and len(statuses) >= 3, statuses
        assert set(statuses[1:-1]) == {"RUNNING"}, statuses


def test_states(full_read):
    """STREAM states whose counts add up to the records before them; the last one covers everything."""
    session = full_read.session
    waiting, states = collections.Counter(), collections.Counter()
    completed = set()
    for message in session.messages:
        if message["type"] == "RECORD":
            assert message["record"]["stream"] not in completed
            waiting[message["record"]["stream"]] += 1
        elif message["type"] == "STATE":
            state = message["state"]
            assert state["type"] == "STREAM"
            name = state["stream"]["stream_descriptor"]["name"]
            assert state["stream"]["stream_state"] is not None
            assert state["sourceStats"]["recordCount"] == waiting[name]
            waiting[name], states[name] = 0, states[name] + 1
        elif message["type"] == "TRACE" and message["trace"].get("stream_status", {}).get("status") == "COMPLETE":
            completed.add(message["trace"]["stream_status"]["stream_descriptor"]["name"])
    assert all(states[s["name"]] >= 1 and not waiting[s["name"]] for s in full_read.streams)
    # Counts are numbers with a decimal point: some readers insist.
    assert b'"recordCount":' in session.out
    for piece in session.out.split(b'"recordCount":')[1:]:
        assert b"." in piece[:20].split(b"}")[0].split(b",")[0]


def test_estimates(full_read):
    for message in full_read.session.of("TRACE"):
        if message["trace"]["type"] == "ESTIMATE":
            estimate = message["trace"]["estimate"]
            assert estimate["type"] == "STREAM"
            assert estimate["name"] in {s["name"] for s in full_read.streams}
            assert estimate["row_estimate"] >= 0 and estimate["byte_estimate"] >= 0


@pytest.mark.quick_to_start(or_full=True)
def test_full_refresh_gives_the_same(run, full_read):
    catalog = configured(full_read.streams, "full_refresh")
    again = run("read", config=full_read.config, catalog=catalog)
    assert again.rc == 0, again

    def keys(session, stream):
        return [[value_at(r["data"], path) for path in stream.get("source_defined_primary_key") or []]
                for r in session.records(stream["name"])]

    for stream in full_read.streams:
        assert keys(again, stream) == keys(full_read.session, stream)
    assert all(statuses[-1] == "COMPLETE" for statuses in again.statuses().values())


@pytest.mark.quick_to_start(or_full=True)
def test_one_stream_only(run, full_read):
    stream = full_read.streams[-1]
    session = run("read", config=full_read.config, catalog=configured([stream]))
    assert session.rc == 0 and {r["stream"] for r in session.records()} == {stream["name"]}
    assert list(session.statuses()) == [stream["name"]]


@pytest.mark.quick_to_start(or_full=True)
def test_a_stream_that_is_not_there(run, source, full_read):
    """It is not read, and nothing of the others is lost. Sources of today's CDK end well nevertheless, and do not say why."""
    stream = full_read.streams[-1]
    gone = {**stream, "name": stream["name"] + "_"}
    session = run("read", config=full_read.config, catalog=configured([gone, stream]))
    statuses = session.statuses()
    assert statuses[gone["name"]] == ["INCOMPLETE"] and statuses[stream["name"]][-1] == "COMPLETE"
    assert len(session.records()) == len(full_read.session.records(stream["name"]))
    if not source.name.startswith("pypi:"):
        failure = session.errors()[-1]
        assert session.rc and failure["failure_type"] == "config_error" and gone["name"] in failure["message"]


@pytest.mark.quick_to_start(or_full=True)
def test_resume_from_each_state(run, source, full_read):
    """From every state of every stream: what comes is what came after it."""
    for stream in full_read.streams:
        records, states = [], []
        for message in full_read.session.messages:
            if message["type"] == "RECORD" and message["record"]["stream"] == stream["name"]:
                records.append(message["record"]["data"])
            elif message["type"] == "STATE" and \
                    message["state"]["stream"]["stream_descriptor"]["name"] == stream["name"]:
                states.append((message["state"], len(records)))
        if not source.resumes_exactly:
            states = states[:1]
        for state, count in states:
            # As PyAirbyte writes it: nulls, a key twice, line breaks.
            text = "[\n" + json.dumps(state)[:-1] + ', "global_": null, "data": null, "global_": null}\n]'
            session = run("read", config=full_read.config, catalog=configured([stream]), state=text)
            assert session.rc == 0 and session.statuses()[stream["name"]][-1] == "COMPLETE", session
            assert session.states(), "no state came back"
            if source.resumes_exactly and count < len(records):
                assert [r["data"] for r in session.records()] == records[count:]


@pytest.mark.quick_to_start
@pytest.mark.parametrize("break_it", ["unknown stream", "sync mode", "not JSON", "no streams"])
def test_bad_catalog(run, source, full_read, break_it):
    catalog = json.loads(json.dumps(full_read.catalog))
    if break_it == "unknown stream":
        catalog["streams"][0]["stream"]["name"] += "_of_nobody"
    elif break_it == "sync mode":
        catalog["streams"][0]["sync_mode"] = "INVALID"
    elif break_it == "no streams":
        del catalog["streams"]
    session = run("read", config=full_read.config, catalog="{" if break_it == "not JSON" else catalog)
    if break_it == "unknown stream" and not source.refuses_unknown_streams:
        name = catalog["streams"][0]["stream"]["name"]
        assert not session.records(name) and "COMPLETE" not in session.statuses()[name]
        return
    assert session.rc != 0, session
    assert session.errors() and session.errors()[0]["message"], session


@pytest.mark.quick_to_start
def test_missing_catalog_file(run, full_read):
    command = [*run.command, "read", "--config", "/nonexistent", "--catalog", "/nonexistent"]
    done = subprocess.run(command, capture_output=True, env=run.env, check=False)
    assert done.returncode != 0
    assert b"/nonexistent" in done.stdout + done.stderr


@pytest.mark.quick_to_start(or_full=True)
def test_sigterm(run, source, full_read, tmp_path):
    """Stopped in the middle, it leaves whole lines and never says that it has read everything."""
    config = source.config(tmp_path, **source.endless)
    with tempfile.TemporaryDirectory() as folder:
        process = run.start(folder, "read", config=config, catalog=configured(full_read.streams[-1:]))
        lines = []
        while not any(b'"RECORD"' in line for line in lines):
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert b'"COMPLETE"' not in rest.replace(b'"INCOMPLETE"', b"")
    if source.resumes_exactly:  # ours
        assert process.returncode == -signal.SIGTERM
        assert rest.endswith(b"\n") and all(json.loads(line) for line in rest.splitlines()[-5:])
        assert b'"status":"INCOMPLETE"' in rest
