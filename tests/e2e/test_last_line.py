"""The last line of a source without a newline, whole or cut off by its death: the session ends, and the line counts only if it is whole."""

import json

import pytest

from e2e import test_flow_capture as flow
from e2e.scripted import capture, connection, events, failure, ids, received, records, run, seen, state, state_of

# What the connector writes last, how it ends, whether the line is a record that counts.
WHOLE = json.dumps({"type": "RECORD", "record": {"stream": "users", "emitted_at": 1, "data": {"id": 3}}})
STATE = json.dumps(
    {"type": "STATE", "state": {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": {"n": 3}}}})
LARGE = WHOLE.replace('"id": 3', '"id": 3, "x": "' + "y" * 300_000)

FLOW = [flow.docs(1, 2), flow.patch(n=2)]
CAPTURED = '{"captured":{"doc":{"id":3}}}'


def leave(text, **how):
    return {"leave": {"text": text, **how}}


def warned(lines):
    return [line["message"] for line in events(lines, "log") if "the last line, which does not count" in line["message"]]


@pytest.mark.parametrize("make", [capture, connection])
@pytest.mark.parametrize("pause", [False, True])
def test_text(firth, tmp_path, make, pause):
    """It is the log's, as with a newline."""
    steps = [records(1, 2), state(2), *([{"drained": True}] if pause else []), leave("bye")]
    lines = run(firth, make(tmp_path, steps))
    assert "bye" in [line["message"] for line in events(lines, "log")]
    assert [line["outcome"] for line in events(lines, "ended")] == ["completed"]


@pytest.mark.parametrize("make", [capture, connection])
def test_a_state(firth, tmp_path, make):
    run(firth, make(tmp_path, [records(1, 3), leave(STATE)]))
    run(firth, make(tmp_path, []))
    assert state_of(seen(tmp_path)[1], "users") == {"n": 3}


def test_a_record(firth, tmp_path):
    run(firth, connection(tmp_path, [records(1, 2), state(2), leave(WHOLE)]))
    assert [m["record"]["data"]["id"] for m in received(tmp_path) if m["type"] == "RECORD"] == [1, 2, 3]


@pytest.mark.parametrize("text", [WHOLE[:40], LARGE[:300_000]], ids=["small", "large"])
@pytest.mark.parametrize("make", [capture, connection])
def test_killed_within_the_line(firth, tmp_path, make, text):
    """How it died is the failure; that its last line was cut off is said beside it."""
    lines = run(firth, make(tmp_path, [records(1, 2), state(2), leave(text, killed_by=9)]), expect=1)
    error = failure(lines)
    assert "was killed by signal 9" in error["message"] and error["retriable"]
    (said,) = warned(lines)
    assert "line 4 of its output" in said and len(said) < 1000
    run(firth, make(tmp_path, []))
    assert state_of(seen(tmp_path)[1], "users") == {"n": 2}
    if make is capture:
        assert ids(firth) == [1, 2]


def test_killed_behind_a_whole_line(firth, tmp_path):
    """As Airbyte has it, a line that is whole counts though its newline is missing."""
    lines = run(firth, capture(tmp_path, [records(1, 3), leave(STATE, killed_by=9)]), expect=1)
    assert "was killed by signal 9" in failure(lines)["message"] and not warned(lines)
    assert ids(firth) == [1, 2, 3]


def test_cut_off_with_status_0(firth, tmp_path):
    error = failure(run(firth, capture(tmp_path, [records(1, 2), state(2), leave(WHOLE[:40])]), expect=1))
    assert "is not valid JSON, line 4 of its output" in error["message"] and error["code"] == "protocol"
    assert ids(firth) == [1, 2]


# --- when nothing else is under way ---------------------------------------------------------------------


def afterwards(firth, tmp_path, path):
    """The session's end and its warnings; its source writes on once all that came before is committed and told of: nothing but
    the end of the source wakes the session then."""
    def told(line):
        event = json.loads(line) if line.startswith("{") else {}
        return event.get("event") == "progress" and event["commits"] and event["bindings"][0]["documents"] == 2
    running = firth.start("run", str(path), "-o", "json", "--commit-every", "20ms")
    running.wait_for_line(told)
    (tmp_path / "go").touch()
    ended = json.loads(running.wait_for_line('"event":"ended"', deadline=20))
    return ended, warned([json.loads(line) for line in running.out])


@pytest.mark.parametrize("text,how,message,cut", [
    ("bye", {}, None, False),
    (WHOLE[:40], {"killed_by": 9}, "was killed by signal 9", True),
    (LARGE[:300_000], {"killed_by": 9}, "was killed by signal 9", True),
    (STATE, {}, None, False),
], ids=["text", "killed within", "killed within a large one", "state"])
@pytest.mark.parametrize("make", [capture, connection])
def test_afterwards(firth, tmp_path, make, text, how, message, cut):
    path = make(tmp_path, [records(1, 2), state(2), {"sleep_until": str(tmp_path / "go")}, leave(text, **how)])
    ended, said = afterwards(firth, tmp_path, path)
    assert ended["outcome"] == ("failed" if message else "completed") and len(said) == cut
    assert not message or message in ended["error"]["message"]


@pytest.mark.parametrize("text,how,message,cut", [
    (CAPTURED, {"status": 1}, "exited with status 1", False),
    (CAPTURED[:20], {"killed_by": 9}, "was killed by signal 9", True),
    ('{"sourcedSchema":{"documentSchema":{}}}', {}, "exited in the middle of a group", False),
    ("{}", {}, "line 5 of its output", False),
], ids=["captured", "killed within", "schema", "nothing"])
def test_flow_afterwards(firth, tmp_path, text, how, message, cut):
    path = flow.catalog(tmp_path, [*FLOW, {"wait_file": str(tmp_path / "go")}, leave(text, **how)])
    ended, said = afterwards(firth, tmp_path, path)
    assert ended["outcome"] == "failed" and message in ended["error"]["message"] and len(said) == cut


# --- Flow's protocol ------------------------------------------------------------------------------------


def test_flow_checkpoint(firth, tmp_path):
    path = flow.catalog(tmp_path, [*FLOW, flow.docs(3, 3), leave('{"checkpoint":{"state":{"updated":{"n":3}}}}')])
    run(firth, path)
    assert flow.ids(firth) == [1, 2, 3]


def test_flow_checkpoint_and_it_waits_for_the_end_of_its_input(firth, tmp_path):
    """Its output has ended with the line: that it is taken ends the input."""
    path = flow.catalog(tmp_path, [*FLOW, flow.docs(3, 3), {"partial": '{"checkpoint":{}}'}, {"close_output": True},
                                   {"input_end": True}])
    run(firth, path)
    assert flow.ids(firth) == [1, 2, 3]


@pytest.mark.parametrize("text,how,message,cut", [
    (CAPTURED, {}, "exited in the middle of a group: 1 document is followed by no checkpoint and is dropped", False),
    (CAPTURED, {"status": 1}, "exited with status 1", False),
    (CAPTURED, {"killed_by": 9}, "was killed by signal 9", False),
    (CAPTURED[:20], {"killed_by": 9}, "was killed by signal 9", True),
    (CAPTURED[:20] + "y" * 300_000, {"killed_by": 9}, "was killed by signal 9", True),
    (CAPTURED[:20], {}, "is not valid JSON, line 5 of its output", False),
], ids=["ends", "fails", "killed", "killed within", "killed within a large one", "ends within"])
def test_flow_captured(firth, tmp_path, text, how, message, cut):
    path = flow.catalog(tmp_path, [*FLOW, leave(text, **how)], [flow.docs(3, 3), flow.patch(n=3)])
    lines = run(firth, path, expect=1)
    assert message in failure(lines)["message"] and failure(lines)["retriable"]
    assert len(warned(lines)) == cut
    assert flow.ids(firth) == [1, 2]
    run(firth, path)
    assert flow.ids(firth) == [1, 2, 3]
