"""Captures end to end: what a source emits is in its collection, once, in order, byte for byte; and each way
in which a source can go wrong gives one clear error and loses nothing."""

import json
import re
import resource
import signal
import subprocess

import pytest

from conftest import until
from e2e.scripted import ANY, capture, counters, events, failure, ids, records, run, seen, state, state_of
from processes import children


# --- the good way ---------------------------------------------------------------------------------------


def test_documents_and_state(firth, tmp_path):
    catalog = capture(tmp_path, [records(1, 5), state(5)])
    lines = run(firth, catalog)
    assert ids(firth) == [1, 2, 3, 4, 5]
    assert counters(lines)["acmeCo/users"]["committedDocuments"] == 5
    assert events(lines, "ended")[0]["outcome"] == "completed"
    # The next session goes on from the state.
    run(firth, catalog)
    first, second = seen(tmp_path)
    assert state_of(first, "users") is None and state_of(second, "users") == {"n": 5}
    assert ids(firth) == [1, 2, 3, 4, 5] * 2  # the script says the same again: that is its business


def test_documents_keep_their_bytes(firth, tmp_path):
    document = ('{ "id" : 12345678901234567890123 ,"x":1.10,"big":1e400,"tiny":-0.0,"nul":"a\\u0000b",'
                '"e":"\\u00e9é\\ud83d\\ude00", "deep":[[[{}]]],"id2":1E+2 }')
    line = '{"type":"RECORD","record":{"stream":"users","data":%s,"emitted_at":1}}' % document
    run(firth, capture(tmp_path, [{"text": line}], schema=ANY))
    assert firth("read", "acmeCo/users", expect=0).out_bytes == document.encode() + b"\n"


def test_repeated_members_are_told(firth, tmp_path):
    line = '{"type":"RECORD","record":{"stream":"users","data":{"id":1,"a":1,"a":2},"emitted_at":1}}'
    lines = run(firth, capture(tmp_path, [{"text": line}, {"text": line}, records(2, 3)], schema=ANY))
    told = [log for log in events(lines, "log") if "members of the same name" in log["message"]]
    assert [(log["level"], log["message"]) for log in told] == [
        ("warn", "2 documents had members of the same name: the last of them counts")]


def test_config_is_checked_once(firth, tmp_path):
    """Before the first session with a config, and not again as long as it stays and something was committed."""
    def verbs():
        return [json.loads(line)["verb"] for line in (tmp_path / "seen").read_text().splitlines()]
    catalog = capture(tmp_path, [records(1, 2), state(2)])
    run(firth, catalog)
    run(firth, catalog)
    assert verbs() == ["check", "discover", "read", "discover", "read"]
    run(firth, capture(tmp_path, [records(1, 2), state(2)], source={"more": 1}))
    assert verbs()[5:] == ["check", "discover", "read"]


def status(**more):
    return {"message": {"type": "CONNECTION_STATUS", "connectionStatus": more}}


@pytest.mark.parametrize("check, parts", [
    ([status(status="FAILED", message="wrong password for bob")],
     ["cannot work with its config: wrong password for bob"]),
    ([status(status="FAILED", message="no such host"), {"exit": 1}], ["cannot work with its config: no such host"]),
    ([status(status="FAILED")], ["it did not say why"]),
    ([status(status="SUCCEEDED"), {"exit": 3}], ["exited with status 3"]),
    ([{"stderr": "out of paper"}, {"exit": 2}], ["exited with status 2", "out of paper"]),
    ([], ["ended its 'check' without an answer"]),
])
def test_check_goes_wrong(firth, tmp_path, check, parts):
    lines = run(firth, capture(tmp_path, [records(1, 2)], source={"check": check}), expect=1)
    error = events(lines, "ended")[0]["error"]
    assert error["retriable"] and all(part in error["message"] for part in parts), error


BAD = '{"type":"RECORD","record":{"stream":"users","data":{"id":"x","fill":"%s"},"emitted_at":1}}' % ("y" * 300)


@pytest.mark.parametrize("steps, args, parts", [
    ([records(1, 3), {"endless": BAD}], [], ["violates the schema of acmeCo/users", "at '/id'"]),
    ([records(1, 3), {"text": BAD}, {"hex": "7b2274"}, {"hang": True}], [], ["violates the schema of acmeCo/users"]),
    ([records(1, 3), {"stderr": "my last words"}, {"hex": "7b2274"}, {"hang": True}], ["--stall-after", "1s"],
     ["stalls", "my last words"]),
    ([{"stderr": "before it"}, {"text": '{"type":"RECORD",'}, {"hang": True}], [],
     ["wrote a line that is not valid JSON, line 1 of its output", "before it"]),
    ([{"stderr": "before it"}, {"text": '{"type":"RECORD","record":5}'}, {"endless": "{" * 100}], [],
     ["line 1 of its output", "before it"]),
])
def test_it_fails_while_the_source_writes_on(firth, tmp_path, steps, args, parts):
    """The session ends with its error, whatever half a line is left in the pipe."""
    lines = run(firth, capture(tmp_path, steps), *args, expect=1)
    message = events(lines, "ended")[0]["error"]["message"]
    for part in parts:
        assert part in message, message


def test_spaced_and_reordered_envelopes(firth, tmp_path):
    run(firth, capture(tmp_path, [
        {"text": '  {"record": {"namespace": null, "emitted_at": 1.5, "data": {"id": 1}, "stream": "users"}, '
                 '"extra": [], "type": "RECORD"}  '},
        {"text": '{"type":"RECORD","record":{"stream":"us\\u0065rs","data":{"id":2},"emitted_at":1}}'},
        {"message": {"state": {"data": {"cursor": 7}}, "type": "STATE"}}]))
    assert ids(firth) == [1, 2]
    run(firth, capture(tmp_path, []))
    assert seen(tmp_path)[1]["state"] == {"cursor": 7}


def test_no_state_at_all(firth, tmp_path):
    run(firth, capture(tmp_path, [records(1, 3)], streams=[{"name": "users", "modes": ["full_refresh"]}]))
    assert ids(firth) == [1, 2, 3]


def test_interleaved_streams(firth, tmp_path):
    """A stream's state covers that stream: the other's documents behind its own last state are not kept."""
    steps = [records(1, 2, "a"), records(1, 2, "b"), state(2, "a"), records(3, 4, "b"), records(3, 4, "a"),
             state(4, "b"), records(5, 6, "b"), {"exit": 1}]
    catalog = capture(tmp_path, steps, streams=["a", "b"])
    run(firth, catalog, expect=1)
    assert ids(firth, "acmeCo/a") == [1, 2]
    assert ids(firth, "acmeCo/b") == [1, 2, 3, 4]
    run(firth, capture(tmp_path, [], streams=["a", "b"]))
    assert [state_of(seen(tmp_path)[1], name) for name in "ab"] == [{"n": 2}, {"n": 4}]


def test_global_state_covers_all(firth, tmp_path):
    def everything(n):
        return {"message": {"type": "STATE", "state": {"type": "GLOBAL", "global": {
            "shared_state": {"lsn": n}, "stream_states": [
                {"stream_descriptor": {"name": "a"}, "stream_state": {"n": n}}]}}}}
    run(firth, capture(tmp_path, [records(1, 2, "a"), records(1, 3, "b"), everything(3), records(3, 9, "a"),
                                  {"exit": 1}], streams=["a", "b"]), expect=1)
    assert ids(firth, "acmeCo/a") == [1, 2] and ids(firth, "acmeCo/b") == [1, 2, 3]
    run(firth, capture(tmp_path, [], streams=["a", "b"]))
    assert seen(tmp_path)[1]["state"][0]["global"]["shared_state"] == {"lsn": 3}


def test_more_than_the_stage_holds_without_a_state(firth, tmp_path):
    """25 MB before the first state: kept if it comes, dropped if the source dies before."""
    steps = [records(1, 5000, fill=5000), state(5000), records(5001, 8000, fill=5000)]
    run(firth, capture(tmp_path, steps + [{"exit": 3}], schema=ANY), expect=1)
    assert ids(firth) == list(range(1, 5001))
    run(firth, capture(tmp_path, [records(5001, 8000, fill=5000)], schema=ANY))
    assert ids(firth) == list(range(1, 8001))


def test_backfill_counter_starts_the_stream_over(firth, tmp_path):
    run(firth, capture(tmp_path, [records(1, 1), state(1)]))
    run(firth, capture(tmp_path, [], binding={"backfill": 1}))
    run(firth, capture(tmp_path, [state(8)], binding={"backfill": 1}))
    run(firth, capture(tmp_path, [], binding={"backfill": 1}))
    assert [state_of(read, "users") for read in seen(tmp_path)] == [None, None, None, {"n": 8}]


def test_change_of_target_is_told(firth, tmp_path):
    run(firth, capture(tmp_path, [records(1, 2), state(2)]))
    lines = run(firth, capture(tmp_path, [records(3, 3), state(3)], bindings={"users": "acmeCo/people"}))
    told = [log["message"] for log in events(lines, "log") if log["level"] == "warn"]
    assert told == ["the stream 'users' went to acmeCo/users and goes to acmeCo/people now, from where it was: raise its "
                    "binding's 'backfill' to have all of it there"]
    assert state_of(seen(tmp_path)[1], "users") == {"n": 2}
    assert ids(firth) == [1, 2] and ids(firth, "acmeCo/people") == [3]
    lines = run(firth, capture(tmp_path, [], bindings={"users": "acmeCo/people"}))
    assert not [log for log in events(lines, "log") if log["level"] == "warn"]


def test_full_refresh_starts_over_each_time(firth, tmp_path):
    streams = [{"name": "users", "modes": ["full_refresh", "incremental"]}]
    catalog = capture(tmp_path, [records(1, 1), state(1)], streams=streams,
                      resources={"users": {"syncMode": "full_refresh"}})
    run(firth, catalog)
    run(firth, catalog)
    assert [state_of(read, "users") for read in seen(tmp_path)] == [None, None]
    assert seen(tmp_path)[0]["catalog"]["streams"][0]["sync_mode"] == "full_refresh"


def test_full_refresh_is_whole_or_absent(firth, tmp_path):
    """Its states are no commit points: the next session reads all of it again."""
    def catalog(*more):
        return capture(tmp_path, [records(1, 2, "a"), records(1, 2, "b"), state(2, "a"), state(2, "b"), *more],
                       streams=[{"name": "a", "modes": ["full_refresh"]}, "b"])
    run(firth, catalog({"exit": 1}), expect=1)
    assert ids(firth, "acmeCo/a") == [] and ids(firth, "acmeCo/b") == [1, 2]
    run(firth, catalog(records(3, 3, "a")))
    assert ids(firth, "acmeCo/a") == [1, 2, 3]
    assert [state_of(seen(tmp_path)[1], name) for name in "ab"] == [None, {"n": 2}]


def test_large_full_refresh_is_whole_or_absent(firth, tmp_path):
    """The same when it is more than memory may hold."""
    streams = [{"name": "users", "modes": ["full_refresh"]}]
    steps = [records(1, 5000, fill=5000), state(5000), records(5001, 5010)]
    run(firth, capture(tmp_path, steps + [{"exit": 1}], streams=streams, schema=ANY), expect=1)
    assert ids(firth) == []
    run(firth, capture(tmp_path, steps, streams=streams, schema=ANY))
    assert ids(firth) == list(range(1, 5011))


def test_resumable_full_refresh_goes_on(firth, tmp_path):
    streams = [{"name": "users", "modes": ["full_refresh"], "is_resumable": True}]
    run(firth, capture(tmp_path, [records(1, 2), state(2), records(3, 3), {"exit": 1}], streams=streams), expect=1)
    assert ids(firth) == [1, 2]
    run(firth, capture(tmp_path, [records(3, 4), state(4)], streams=streams))
    run(firth, capture(tmp_path, [], streams=streams))
    assert [state_of(read, "users") for read in seen(tmp_path)] == [None, {"n": 2}, None]
    assert ids(firth) == [1, 2, 3, 4]


def test_disabled_binding_is_not_read(firth, tmp_path):
    catalog = capture(tmp_path, [records(1, 1, "a")], streams=["a", "b"])
    text = json.loads(catalog.read_text())
    text["captures"]["acmeCo/test"]["bindings"][1]["disable"] = True
    catalog.write_text(json.dumps(text))
    run(firth, catalog)
    assert [each["stream"]["name"] for each in seen(tmp_path)[0]["catalog"]["streams"]] == ["a"]


def test_plain_text_and_log_messages_are_logs(firth, tmp_path):
    lines = run(firth, capture(tmp_path, [
        {"text": "Loading a JVM near you"}, {"text": '["json", "but no message"]'},
        {"message": {"type": "LOG", "log": {"level": "WARN", "message": "low on fuel"}}},
        {"stderr": "a word on stderr"}, records(1, 1), state(1)]))
    logs = {(line["level"], line["message"]) for line in events(lines, "log")}
    assert ("info", "Loading a JVM near you") in logs and ("warn", "low on fuel") in logs
    assert any("a word on stderr" in message for _, message in logs)
    assert ids(firth) == [1]


RECORD = '{"type":"RECORD","record":{"stream":"users","data":{"id":2},"emitted_at":1}}'


@pytest.mark.parametrize("line", [
    "Progress: 3%" + RECORD, "\ufeff" + RECORD, f"[{RECORD}]", RECORD.replace("RECORD", "record"),
    RECORD.replace("RECORD", "ROW"), RECORD.replace('"type":"RECORD",', ""),
    '\ufeff{"type":"LOG","log":{"level":"INFO","message":"on we go"}}',
    '>{"type":"STATE","state":{"data":{}}}', '[1,{"state":{"data":{}}}]',
])
def test_a_message_hidden_in_a_line_is_no_log(firth, tmp_path, line):
    """Else a document would be lost, and the next state saved as if it were not."""
    error = failure(run(firth, capture(tmp_path, [records(1, 1), state(1), {"text": line}, state(2)]), expect=1))
    assert (error["code"], error["retriable"]) == ("protocol", True)
    for part in ("line 3", "a line for each message", line[4:30]):
        assert part in error["message"], error["message"]
    assert ids(firth) == [1]
    run(firth, capture(tmp_path, []))
    assert state_of(seen(tmp_path)[1], "users") == {"n": 1}


def test_a_message_hidden_in_the_last_line(firth, tmp_path):
    steps = [records(1, 1), state(1), records(3, 3), {"text": "Done." + RECORD}]
    assert failure(run(firth, capture(tmp_path, steps), expect=1))["code"] == "protocol"
    assert ids(firth) == [1]


def test_text_with_braces_is_a_log(firth, tmp_path):
    steps = [{"text": text} for text in ("3 RECORDs in {users}", '{"state":"running","record":7}', '[{"type":"x"}]',
                                         '{"message":"sent {\\"type\\": \\"RECORD\\"}"}')]
    run(firth, capture(tmp_path, [*steps, records(1, 1), state(1)]))
    assert ids(firth) == [1]


def test_estimate_status_and_totals_are_told(firth, tmp_path):
    def trace(**body):
        return {"message": {"type": "TRACE", "trace": {"emitted_at": 1.5, **body}}}
    lines = run(firth, capture(tmp_path, [
        trace(type="ESTIMATE", estimate={"name": "users", "type": "STREAM", "row_estimate": 10, "byte_estimate": 99}),
        records(1, 10), state(10),
        trace(type="STREAM_STATUS", stream_status={"stream_descriptor": {"name": "users"}, "status": "COMPLETE"})]))
    users = counters(lines)["acmeCo/users"]
    assert users["rowEstimate"] == 10 and users["byteEstimate"] == 99 and users["complete"]
    assert users["documents"] == 10 and users["bytes"] == len('{"id": 1}') * 9 + len('{"id": 10}')


def test_runs_again_at_its_interval(firth, tmp_path):
    catalog = capture(tmp_path, [records(1, 1), state(1)], interval="1s")
    running = firth.start("run", str(catalog), "-o", "json")
    until(lambda: (tmp_path / "seen").exists() and len(seen(tmp_path)) >= 3, "the third session")
    running.signal(signal.SIGINT)
    assert running.wait() == 130
    begins = [json.loads(line) for line in running.out if '"waiting"' in line]
    assert all(line["why"] == "interval" and line["delayMs"] <= 1000 for line in begins)


# --- documents that violate the schema --------------------------------------------------------------------

AGE = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "age": {"type": "integer"}}}


def test_violation_stops_the_capture(firth, tmp_path):
    steps = [records(1, 3), state(3), records(4, 4), {"text": ""}, records(5, 5, age="old"), records(6, 6), state(6)]
    error = failure(run(firth, capture(tmp_path, steps, schema=AGE), expect=1))
    assert error["code"] == "invalid" and not error["retriable"]
    for part in ("document 5", "'users'", "acmeCo/users", "/age", "type", '"old"'):
        assert part in error["message"], error["message"]
    assert ids(firth) == [1, 2, 3]


def test_violation_is_quarantined(firth, tmp_path):
    steps = [records(1, 2), records(3, 3, age="old"), records(4, 4), state(4)]
    lines = run(firth, capture(tmp_path, steps, schema=AGE, onInvalid={"quarantine": "acmeCo/bad"}))
    assert ids(firth) == [1, 2, 4]
    [bad] = firth.read("acmeCo/bad")
    assert bad["document"] == {"id": 3, "age": "old"} and bad["stream"] == "users" and bad["number"] == 3
    assert bad["violations"][0]["instance"] == "/age" and bad["violations"][0]["keyword"] == "type"
    assert "old" in bad["violations"][0]["message"]
    users = counters(lines)["acmeCo/users"]
    assert users["invalid"] == 1 and users["documents"] == 3


def test_quarantine_is_in_the_same_transaction(firth, tmp_path):
    steps = [records(1, 1, age="old"), state(1), records(2, 2, age="old"), records(3, 3), {"exit": 1}]
    run(firth, capture(tmp_path, steps, schema=AGE, onInvalid={"quarantine": "acmeCo/bad"}), expect=1)
    assert [bad["document"]["id"] for bad in firth.read("acmeCo/bad")] == [1]


@pytest.mark.parametrize("data, got", [
    ({}, "nothing"), ({"k": None}, "null"), ({"k": {}}, "{}"), ({"k": [1]}, "[1]"), ({"k": 1.5}, "1.5")])
@pytest.mark.parametrize("quarantine", [False, True])
def test_a_document_without_its_key(firth, tmp_path, data, got, quarantine):
    steps = [records(1, 1, **{"k": "a"}), state(1), records(2, 2, **data), records(3, 3, **{"k": False}), state(3)]
    catalog = capture(tmp_path, steps, schema=ANY, **({"onInvalid": {"quarantine": "acmeCo/bad"}} if quarantine else {}))
    text = json.loads(catalog.read_text())
    text["collections"]["acmeCo/users"]["key"] = ["/k"]
    catalog.write_text(json.dumps(text))
    lines = run(firth, catalog, expect=0 if quarantine else 1)
    if quarantine:
        assert ids(firth) == [1, 3]
        [bad] = firth.read("acmeCo/bad")
        assert bad["document"]["id"] == 2
        [violation] = bad["violations"]
        assert (violation["instance"], violation["keyword"]) == ("/k", "key")
    else:
        assert ids(firth) == [1]
        error = failure(lines)
        assert error["code"] == "invalid" and not error["retriable"]
        for part in ("document 2", "'users'", "the key of acmeCo/users", "'/k'", "string, an integer or a boolean", "got " + got):
            assert part in error["message"], error["message"]


# --- what people see ---------------------------------------------------------------------------------------


def test_a_failure_without_a_terminal_is_legible(firth, tmp_path):
    """Its last log lines are lines; what it counts is what there is."""
    steps = [records(1, 1), state(1), records(2, 4), {"stderr": "first\nsecond"}, {"exit": 1}]
    running = firth.start("run", str(capture(tmp_path, steps)), "--retry-after", "1h")
    running.wait_for_line("starts again in")
    running.signal(signal.SIGTERM)
    running.wait()
    shown = "\n".join(running.err)
    assert re.search(r"its last log lines:\n[^\n]*  first\n[^\n]*  second\n", shown), shown
    assert "acmeCo/users 1 document," in shown and "4 documents" not in shown and "?" not in shown, shown


def test_a_failed_session_counts_what_it_committed(firth, tmp_path):
    steps = [records(1, 3), records(9, 9, age="old"), state(3), records(4, 6), records(10, 10, age="old"), {"exit": 1}]
    lines = run(firth, capture(tmp_path, steps, schema=AGE, onInvalid={"quarantine": "acmeCo/bad"}), expect=1)
    users = counters(lines)["acmeCo/users"]
    assert (users["documents"], users["committedDocuments"], users["invalid"]) == (3, 3, 1)
    assert users["bytes"] == users["committedBytes"] == 3 * len('{"id": 1}')


def test_nobody_reads_the_events_any_more(firth, tmp_path):
    """The tasks are stopped in order: what the source's states cover is kept, and the exit code says it."""
    steps = [records(1, 2), state(2), {"touch": str(tmp_path / "said")}, {"sleep_until": str(tmp_path / "closed")},
             records(3, 4), state(4), {"hang": True}]
    command = [firth.path, "run", str(capture(tmp_path, steps)), "-o", "json"]
    with subprocess.Popen(command, env=firth.environment(), cwd=tmp_path, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        until(lambda: (tmp_path / "said").exists(), "the first documents")
        process.stdout.close()
        (tmp_path / "closed").touch()
        process.stdout = None
        _, err = process.communicate(timeout=60)
    assert process.returncode == 5 and b"standard output" in err, (process.returncode, err)
    assert ids(firth) in ([1, 2], [1, 2, 3, 4])  # it was stopped before the second state came, or after


# --- what nobody is to see ---------------------------------------------------------------------------------


def test_no_secret_in_any_message(firth, tmp_path):
    """Neither of the command's words nor of the environment."""
    catalog = capture(tmp_path, [{"stderr": "I was given env-s3cr3t"}, {"text": "and env-s3cr3t once more"},
                                 {"message": {"type": "RECORD", "record": {"stream": "users", "data": "env-s3cr3t"}}}])
    text = json.loads(catalog.read_text())
    local = text["captures"]["acmeCo/test"]["endpoint"]["local"]
    local["command"] += ["--token", "${WORD}"]
    local["env"] = {"API_TOKEN": "env-s3cr3t"}
    catalog.write_text(json.dumps(text))
    for more in ([], ["-o", "json"]):
        result = firth("run", str(catalog), "--once", *more, expect=1, env={"WORD": "word-s3cr3t"})
        assert "s3cr3t" not in result.out + result.err and "scripted_source" in result.out + result.err, result


# --- sources that go wrong --------------------------------------------------------------------------------

BEFORE = [records(1, 2), state(2), records(3, 3)]
FAILURES = {
    "exit status": ([{"stderr": "Traceback: the disk is made of cheese"}, {"exit": 3}],
                    "connector", True, ["status 3", "made of cheese"]),
    "signal": ([{"kill": 11}], "connector", True, ["signal 11"]),
    "trace error": ([{"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": {
        "message": "The service is on holiday", "failure_type": "transient_error",
        "stream_descriptor": {"name": "users"}}}}}, {"exit": 1}],
                    "connector", True, ["The service is on holiday", "users"]),
    "trace error but exit 0": ([{"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": {
        "message": "half of it failed"}}}}], "connector", True, ["half of it failed"]),
    "config error": ([{"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": {
        "message": "The API key is wrong", "failure_type": "config_error"}}}}, {"exit": 1}],
                     "invalid", False, ["The API key is wrong"]),
    "broken JSON": ([{"text": '{"type":"RECORD","record":{"stream":"users",'}, records(9, 9)],
                    "protocol", True, ["not valid JSON", "line 5", '{"type":"RECORD","record"']),
    "broken last line": ([{"hex": b'{"type":"RECO'.hex()}], "protocol", True, ["not valid JSON", "line 5"]),
    "torn by its death": ([{"hex": b'{"type":"RECO'.hex()}, {"kill": 9}], "connector", True, ["signal 9"]),
    "invalid UTF-8": ([{"hex": b'{"type":"RECORD","record":{"stream":"users","data":{"id":"\xff"}}}\n'.hex()}, records(9, 9)],
                      "protocol", True, ["UTF-8", "line 5"]),
    "a record without data": ([{"message": {"type": "RECORD", "record": {"stream": "users"}}}],
                              "protocol", True, ["data", "line 5"]),
    "unknown stream": ([records(1, 1, "user")], "protocol", False, ["'user'", "nobody asked for", "'users'"]),
    "a flood of text": ([{"text": "\n".join(["noise"] * 10001)}], "protocol", True, ["10000 lines", "noise"]),
    "a document past 64 MiB": ([records(4, 4, fill=(64 << 20))], "limit", False, ["64 MiB", "document 4", "users"]),
    "a line past the limit": ([records(4, 4, fill=(66 << 20))], "limit", False,
                              ["65 MiB (a document may have 64 MiB)", "line 5", "of the stream 'users'",
                               "right would be", 'it begins: {"type": "RECORD"']),
    "a line without end": ([{"flood": {"bytes": 70 << 20}}, {"hang": True}], "limit", False, ["line"]),
}


@pytest.mark.parametrize("name", FAILURES)
def test_source_goes_wrong(firth, tmp_path, name):
    steps, code, retriable, parts = FAILURES[name]
    error = failure(run(firth, capture(tmp_path, BEFORE + steps, schema=ANY), expect=1))
    assert (error["code"], error["retriable"]) == (code, retriable), error
    for part in parts:
        assert part in error["message"], error["message"]
    assert len(error["message"]) < 4096
    assert ids(firth) == [1, 2]  # up to the last state


@pytest.mark.parametrize("where", ["read", "discover"])
def test_stall(firth, tmp_path, where):
    hang = [{"stderr": "just a moment"}, {"hang": True}]
    catalog = capture(tmp_path, BEFORE + hang) if where == "read" else capture(tmp_path, [], source={"discover": hang})
    error = failure(run(firth, catalog, "--stall-after", "400ms", expect=1))
    assert error["retriable"] and "400 ms" in error["message"] and "just a moment" in error["message"], error
    if where == "read":
        assert ids(firth) == [1, 2]


def test_stray_messages_are_tolerated(firth, tmp_path):
    run(firth, capture(tmp_path, [
        {"message": {"type": "SPEC", "spec": {"connectionSpecification": {}}}},
        {"message": {"type": "FROM_THE_FUTURE", "future": {}}},
        {"message": {"type": "STATE", "state": {"type": "STREAM", "stream": {
            "stream_descriptor": {"name": "strangers"}, "stream_state": {}}}}},
        {"message": {"type": "CONTROL", "control": {"type": "CONNECTOR_CONFIG", "emitted_at": 1,
                                                    "connectorConfig": {"config": {"token": "s3cret"}}}}},
        records(1, 1), state(1)]))
    assert ids(firth) == [1]


@pytest.mark.parametrize("steps, parts", [
    ([{"stderr": "no network"}, {"exit": 2}], ["discover", "status 2", "no network"]),
    ([{"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": {
        "message": "bad key", "failure_type": "config_error"}}}}, {"exit": 1}], ["discover", "bad key"]),
])
def test_discover_goes_wrong(firth, tmp_path, steps, parts):
    error = failure(run(firth, capture(tmp_path, [], source={"discover": steps}), expect=1))
    for part in parts:
        assert part in error["message"], error["message"]


@pytest.mark.parametrize("bindings, resources, parts", [
    ({"usres": "acmeCo/users"}, {}, ["no stream 'usres'", "did you mean 'users'"]),
    ({"users": "acmeCo/users"}, {"users": {"syncMode": "incremental"}}, ["'incremental'", "it can 'full_refresh'"]),
    ({"users": "acmeCo/users"}, {"users": {"namespace": "elsewhere"}}, ["'elsewhere'"]),
])
def test_bindings_that_the_source_cannot_serve(firth, tmp_path, bindings, resources, parts):
    catalog = capture(tmp_path, [], bindings=bindings, resources=resources,
                      streams=[{"name": "users", "modes": ["full_refresh"]}, {"name": "orders", "modes": ["full_refresh"]}])
    error = failure(run(firth, catalog, expect=1))
    assert error["code"] == "invalid" and not error["retriable"]
    for part in parts:
        assert part in error["message"], error["message"]


def test_resource_errors_name_their_place(firth, tmp_path):
    catalog = capture(tmp_path, [], resources={"users": {"syncmode": "incremental"}})
    result = firth("run", str(catalog), "--once", expect=3)
    assert "flow.json:" in result.err and "did you mean 'syncMode'" in result.err


def test_program_that_is_not_there(firth, tmp_path):
    catalog = capture(tmp_path, [])
    text = json.loads(catalog.read_text())
    text["captures"]["acmeCo/test"]["endpoint"]["local"]["command"] = ["/nowhere/source"]
    catalog.write_text(json.dumps(text))
    result = firth("run", str(catalog), "--once")
    assert result.rc in (1, 3) and "/nowhere/source" in result.err


def test_retries_with_growing_delays_then_goes_on(firth, tmp_path):
    catalog = capture(tmp_path, [records(1, 1), state(1), {"exit": 1}])
    running = firth.start("run", str(catalog), "--retry-after", "20ms", "-o", "json")
    until(lambda: sum('"backoff"' in line for line in list(running.out)) >= 4, "four retries")
    running.signal(signal.SIGTERM)
    assert running.wait() in (1, 130)
    lines = [json.loads(line) for line in running.out]
    delays = [line["delayMs"] for line in events(lines, "waiting") if line["why"] == "backoff"][:4]
    assert all(15 * 2 ** n <= delay <= 25 * 2 ** n for n, delay in enumerate(delays)), delays
    assert [line["attempt"] for line in events(lines, "started")][:4] == [0, 1, 2, 3]
    # Each attempt went on from the last.
    assert [state_of(read, "users") for read in seen(tmp_path)][:3] == [None, {"n": 1}, {"n": 1}]


def test_full_disk(firth, tmp_path):
    """No room for a transaction: nothing of it is seen, the error says so, and with room again it goes on."""
    steps = [records(1, 10, fill=1000), state(10), {"sleep_until": str(tmp_path / "committed")},
             records(11, 6000, fill=1000), state(6000)]

    def uncompressed(what):
        catalog = capture(tmp_path, what, schema=ANY)
        text = json.loads(catalog.read_text())
        text["collections"]["acmeCo/users"]["journals"] = {"fragments": {"compressionCodec": "NONE"}}
        catalog.write_text(json.dumps(text))
        return catalog
    catalog = uncompressed(steps)
    running = firth.start("run", str(catalog), "--once", "-o", "json")
    until(lambda: any('"commits":1' in line for line in list(running.out)), "the first commit")
    [task] = children(running.pid)
    resource.prlimit(task, resource.RLIMIT_FSIZE, (3 << 20, 3 << 20))
    (tmp_path / "committed").touch()
    assert running.wait() == 1
    error = failure([json.loads(line) for line in running.out])
    assert error["code"] == "io" and error["retriable"] and "File too large" in error["message"], error
    assert ids(firth) == list(range(1, 11))
    run(firth, uncompressed([records(11, 6000, fill=1000), state(6000)]))
    assert state_of(seen(tmp_path)[1], "users") == {"n": 10}
    assert ids(firth) == list(range(1, 6001))


# --- the real thing ---------------------------------------------------------------------------------------


def faker_catalog(tmp_path, command, count):
    names = ["products", "users", "purchases"]
    path = tmp_path / "faker.json"
    path.write_text(json.dumps({
        "collections": {f"acmeCo/{name}": {"key": ["/id"], "schema": {
            "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}} for name in names},
        "captures": {"acmeCo/faker": {
            "endpoint": {"local": {"command": command, "protocol": "airbyte", "config": {"count": count, "seed": 42}}},
            "bindings": [{"resource": {"stream": name}, "target": f"acmeCo/{name}"} for name in names]}}}))
    return path


def tee(tmp_path, command):
    """The command behind a shell that keeps what `read` says."""
    script = tmp_path / "tee.sh"
    words = " ".join(f"'{word}'" for word in command)
    script.write_text(f'#!/bin/bash\nset -o pipefail\n[ "$1" = read ] && {words} "$@" | tee -a {tmp_path}/said && exit\n'
                      f'exec {words} "$@"\n')
    script.chmod(0o755)
    return ["/bin/bash", str(script)]


def check_against_what_was_said(firth, tmp_path):
    said = {}
    for line in (tmp_path / "said").read_bytes().splitlines():
        if line.startswith(b"{") and json.loads(line)["type"] == "RECORD":
            record = json.loads(line)["record"]
            said.setdefault(record["stream"], []).append(record["data"])
    assert set(said) == {"products", "users", "purchases"}
    for name, documents in said.items():
        assert firth.read(f"acmeCo/{name}") == documents


def test_real_airbyte_source_faker(firth, tmp_path, airbyte_source_faker):
    catalog = faker_catalog(tmp_path, tee(tmp_path, [airbyte_source_faker]), 500)
    lines = run(firth, catalog)
    assert counters(lines)["acmeCo/users"]["committedDocuments"] == 500
    check_against_what_was_said(firth, tmp_path)


def test_our_source_faker(firth, tmp_path):
    run(firth, faker_catalog(tmp_path, tee(tmp_path, [firth.path, "connector", "source-faker"]), 5000))
    check_against_what_was_said(firth, tmp_path)


# --- the processes ----------------------------------------------------------------------------------------


def test_at_most_so_many_at_once(firth, tmp_path):
    catalog = capture(tmp_path, [records(1, 1), state(1)])
    text = json.loads(catalog.read_text())
    one = text["captures"].pop("acmeCo/test")
    text["captures"] = {f"acmeCo/test{n}": one for n in range(4)}
    catalog.write_text(json.dumps(text))
    for parallel in (1, 2):
        lines = run(firth, catalog, "--parallel", parallel)
        now = most = 0
        for line in lines:
            now += (line["event"] == "started") - (line["event"] == "ended")
            most = max(most, now)
        assert now == 0 and most == parallel
        assert {line["task"] for line in events(lines, "ended")} == set(text["captures"])
        assert any(line["why"] == "slot" for line in events(lines, "waiting"))


def test_only_the_named_tasks(firth, tmp_path):
    catalog = capture(tmp_path, [records(1, 1), state(1)])
    text = json.loads(catalog.read_text())
    text["captures"]["acmeCo/other"] = text["captures"]["acmeCo/test"]
    catalog.write_text(json.dumps(text))
    lines = run(firth, catalog, "--task", "acmeCo/other")
    assert {line["task"] for line in lines} == {"acmeCo/other"}
    result = firth("run", str(catalog), "--task", "acmeCo/tset", expect=3)
    assert "did you mean 'acmeCo/test'?" in result.err


def test_text_output_says_what_was_done(firth, tmp_path):
    result = firth("run", str(capture(tmp_path, [records(1, 3), state(3)])), "--once", expect=0)
    assert "acmeCo/users" in result.out and "3" in result.out
    result = firth("run", str(capture(tmp_path, [{"stderr": "out of cheese"}, {"exit": 3}])), "--once", expect=1)
    assert "out of cheese" in result.err


@pytest.mark.parametrize("spec", [b"", b"{", b"\0" * 100, b'{"version":1}', b'{"version":2}', b"[" * 100000])
def test_task_refuses_what_is_no_specification(firth_dev, spec):
    result = firth_dev("task", "--spec-fd", "0", "--events-fd", "1", stdin=spec, expect=1)
    [ended] = result.lines()
    assert ended["event"] == "ended" and ended["outcome"] == "failed" and ended["error"]["message"]
    assert not ended["error"]["retriable"]


def test_task_is_not_for_people(firth):
    assert "firth run" in firth("task", expect=2).err
    assert "task" not in [line.split()[0] for line in firth("--help", expect=0).out.splitlines() if line.startswith("  ")]


PUSH = {"endpoint": {"ingest": {}}, "bindings": [{"resource": {"name": "hooks"}, "target": "acmeCo/users"}]}
IMAGE = {"endpoint": {"connector": {"image": "airbyte/source-oracle-x", "config": {}}}, "bindings": PUSH["bindings"]}


@pytest.mark.parametrize("what, parts", [(PUSH, ["push captures", "--once"]),
                                         (IMAGE, ["flow.json:1:", "airbyte/source-oracle-x", "source-faker"])])
def test_what_cannot_be_run_is_said_so(firth, tmp_path, what, parts):
    catalog = capture(tmp_path, [])
    text = json.loads(catalog.read_text())
    text["captures"] = {"acmeCo/later": what}
    catalog.write_text(json.dumps(text))
    firth("check", str(catalog), expect=0)
    result = firth("run", str(catalog), "--once", env={"FIRTH_PULL": "never"}, expect=3)
    for part in parts:
        assert part in result.err


def test_incomplete_stream(firth, tmp_path):
    """What a state covers is kept; the session has failed, though the source exits with 0."""
    status = {"message": {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": {
        "stream_descriptor": {"name": "users"}, "status": "INCOMPLETE"}}}}
    error = failure(run(firth, capture(tmp_path, [records(1, 2), state(2), records(3, 3), status]), expect=1))
    assert error["retriable"] and "the stream 'users': INCOMPLETE" in error["message"]
    assert [each["id"] for each in firth.read("acmeCo/users")] == [1, 2]
