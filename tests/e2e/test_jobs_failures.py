"""Why an attempt failed: whose fault it was and what kind, as clients are told it; and its log, which does not grow for ever."""

import json
import signal

import pytest

import api
from conftest import until
from job_driving import apply, definition, received, records, serve, show, start, stream, wait, write


def trace(kind, message="no such table"):
    return {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1.0, "error": {"message": message, "failure_type": kind}}}


def source_says(kind):
    return {"steps": [{"message": trace(kind)}, {"exit": 1}]}


def destination_says(kind):
    return {"destination": {"lines": [json.dumps(trace(kind))], "exit": 1}}


REFUSED = {"status": "FAILED", "message": "no such table"}

CASES = {
    "the source exits": ({"steps": records(1, 1) + [{"stderr": "no such table"}, {"exit": 3}]}, "source", "system_error", 2),
    "the source says a system error": (source_says("system_error"), "source", "system_error", 2),
    "the source says a transient error": (source_says("transient_error"), "source", "transient_error", 2),
    "the source says a config error": (source_says("config_error"), "source", "config_error", 1),
    "the source refuses its config": (
        {"source": {"check": [{"message": {"type": "CONNECTION_STATUS", "connectionStatus": REFUSED}}]}}, "source", "config_error", 1),
    "the source refuses its config, and says that this may pass": (
        {"source": {"check": [{"message": {"type": "CONNECTION_STATUS", "connectionStatus": REFUSED}}, {"message": trace("transient_error")}]}},
        "source", "transient_error", 2),
    "the destination exits": ({"destination": {"stderr": "no such table", "exit": 4}}, "destination", "system_error", 2),
    "the destination says a transient error": (destination_says("transient_error"), "destination", "transient_error", 2),
    "the destination says a config error": (destination_says("config_error"), "destination", "config_error", 1),
    "the destination refuses its config": ({"destination": {"check": REFUSED}}, "destination", "config_error", 1),
    "the destination refuses its config, and says that this may pass": (
        {"destination": {"check": REFUSED, "check_lines": [json.dumps(trace("transient_error"))]}}, "destination", "transient_error", 2),
    "the destination does not echo": ({"destination": {"echo": "none"}}, "destination", "system_error", 2),
}


@pytest.mark.parametrize("case", CASES)
def test_whose_fault(firth, tmp_path, case):
    more, origin, kind, attempts = CASES[case]
    steps = more.get("steps", records(1, 2))
    apply(firth, write(tmp_path, steps, **{name: value for name, value in more.items() if name != "steps"}), attempts_max=2,
          partial_max=2)
    serve(firth)
    job = wait(firth, start(firth))
    for attempt in job["attemptList"]:
        failure, = attempt["failures"]
        assert (failure["origin"], failure["type"]) == (origin, kind), failure
    assert (job["status"], job["attempts"]) == ("failed", attempts)
    if case != "the destination does not echo":
        assert "no such table" in json.dumps(job)


def counts(attempt):
    return tuple(attempt["stats"][name] for name in ("recordsEmitted", "recordsCommitted"))


def emits_more_at_once(firth, tmp_path, end):
    """Two records after the last state, and then the end, before the next progress is due: the job's number."""
    gate = tmp_path / "gate"
    gate.unlink(missing_ok=True)
    number = start(firth)
    until(lambda: len(received(tmp_path)) == 4, "the destination to have the first records and their state")
    gate.write_text("")
    end(number)
    return number


def in_two_parts(tmp_path, *end):
    return records(1, 3) + [{"sleep_until": str(tmp_path / "gate")}] + records(4, 5)[:1] + list(end)


@pytest.mark.parametrize("end", [{"exit": 3}, {"kill": 9}, {"text": "{"}])
def test_what_was_emitted_is_counted_when_the_source_fails_at_once(firth, tmp_path, end):
    apply(firth, write(tmp_path, in_two_parts(tmp_path, {"touch": str(tmp_path / "sent")}, end)), attempts_max=1, partial_max=1)
    serve(firth)
    job = wait(firth, emits_more_at_once(firth, tmp_path, lambda number: None))
    attempt, = job["attemptList"]
    assert (job["status"], counts(attempt), counts(attempt["streams"][0])) == ("failed", (5, 3), (5, 3))
    assert attempt["stats"]["bytesEmitted"] > attempt["stats"]["bytesCommitted"] > 0


def test_what_was_emitted_is_counted_when_it_is_cancelled_at_once(firth, tmp_path):
    apply(firth, write(tmp_path, in_two_parts(tmp_path, {"touch": str(tmp_path / "sent")}, {"hang": True})))
    client = api.serve(firth).api

    def cancel(number):
        until((tmp_path / "sent").exists, "the source to have written all")
        client.ask("POST", "/api/v1/jobs/cancel", {"id": number})

    job = wait(firth, emits_more_at_once(firth, tmp_path, cancel))
    assert (job["status"], counts(job["attemptList"][0])) == ("cancelled", (5, 3))


def test_a_commit_is_counted_though_the_task_is_killed_after_it(firth_dev, tmp_path):
    """It comes a tenth of a second after the first progress, and the next would be due after a quarter."""
    apply(firth_dev, write(tmp_path, records(1, 3) + [{"hang": True}]), attempts_max=1, partial_max=1)
    serve(firth_dev, env={"FIRTH_FAULT_KILL": "task.commit.told"})
    job = wait(firth_dev, start(firth_dev))
    attempt, = job["attemptList"]
    assert (job["status"], counts(attempt)) == ("failed", (3, 3)) and "signal 9" in json.dumps(attempt["failures"])


def test_what_was_emitted_is_counted_when_the_destination_fails(firth, tmp_path):
    """It echoes the first state, and ends when it has taken all five records: of the last two it said nothing."""
    steps = records(1, 3) + records(4, 5)
    apply(firth, write(tmp_path, steps, destination={"exit_after": 6, "exit": 3}), attempts_max=1, partial_max=1)
    serve(firth)
    attempt, = wait(firth, start(firth))["attemptList"]
    assert [failure["origin"] for failure in attempt["failures"]] == ["destination"]
    assert counts(attempt) == counts(attempt["streams"][0]) == (5, 3)


def test_what_was_stored_is_there_when_the_daemon_is_killed(firth, tmp_path):
    apply(firth, write(tmp_path, in_two_parts(tmp_path) + records(4, 5)[1:]))
    daemon = serve(firth)
    number = start(firth)
    until(lambda: [counts(attempt) for attempt in show(firth, number)["attemptList"]] == [(3, 3)], "the commit to be stored")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    (tmp_path / "gate").write_text("")
    serve(firth)
    job = wait(firth, number)
    assert [attempt["status"] for attempt in job["attemptList"]] == ["failed", "succeeded"]
    assert [counts(attempt) for attempt in job["attemptList"]] == [(3, 3), (5, 5)]


POSTGRES = {"host": "127.0.0.1", "port": 1, "database": "d", "username": "u"}
BUILT_INS = {
    "a destination's file is none of its own": ("SQLite", {"destination_path": "/local/out.db"}, "destination", "config_error", 1),
    "a destination's folder cannot be made": ("Local JSON", {"destination_path": "/local/out.db"}, "destination", "config_error", 1),
    "a destination is not reached": ("PostgreSQL", POSTGRES, "destination", "transient_error", 2),
    "a source is not reached": ("PostgreSQL", POSTGRES, "source", "transient_error", 2),
}


@pytest.mark.parametrize("case", BUILT_INS)
def test_whose_fault_of_built_ins(firth, tmp_path, case):
    """A config that only a person can mend fails the job at once; what may be there again later is tried again."""
    connector, config, side, kind, attempts = BUILT_INS[case]
    path = write(tmp_path, records(1, 2))
    text = json.loads(path.read_text())
    each, = text[side + "s"]
    each["definition"], each["config"] = connector, config
    if side == "source":
        text["connections"][0]["catalog"]["streams"] = [stream("users", "full_refresh")]
    path.write_text(json.dumps(text))
    root = tmp_path / "files"
    root.mkdir()
    (root / "out.db").write_text("this is a text, and neither a folder nor a database of anybody's")
    serve(firth, env={"FIRTH_LOCAL_ROOT": str(root)})
    apply(firth, path, attempts_max=2)
    job = wait(firth, start(firth))
    for attempt in job["attemptList"]:
        failure, = attempt["failures"]
        assert (failure["origin"], failure["type"]) == (side, kind), failure
        assert failure["message"]
    assert (job["status"], job["attempts"]) == ("failed", attempts)


def test_what_is_configured_wrong_is_nobodys_fault_but_the_configurations(firth, tmp_path):
    """A program that is not there, a stream that the source does not have: not tried again."""
    path = write(tmp_path, [])
    text = json.loads(path.read_text())
    text["definitions"][0] = {**definition("scripted source", "source", "scripted_source"), "command": ["/not/there/source"]}
    path.write_text(json.dumps(text))
    apply(firth, path)
    serve(firth)
    job = wait(firth, start(firth))
    failure, = job["attemptList"][-1]["failures"]
    assert job["status"] == "failed" and job["attempts"] == 1 and "/not/there/source" in failure["message"], failure
    without_schema = stream("userz")
    del without_schema["stream"]["jsonSchema"]  # then the source is asked
    apply(firth, write(tmp_path, [], streams=[without_schema]))
    job = wait(firth, start(firth))
    failure, = job["attemptList"][-1]["failures"]
    assert (job["status"], job["attempts"], failure["type"]) == ("failed", 1, "config_error"), failure
    assert "did you mean 'users'" in failure["message"]


def test_the_log_of_an_attempt_is_bounded(firth, tmp_path):
    lines = [{"stderr": f"line {n} " + "x" * 7900} for n in range(200)]
    apply(firth, write(tmp_path, lines + records(1, 1)))
    client = api.serve(firth, "--log-size", "1").api
    number = start(firth)
    assert wait(firth, number)["status"] == "succeeded"
    files = sorted((firth.data_dir / "jobs" / str(number) / "0").glob("*.jsonl"), key=lambda file: int(file.stem))
    assert len(files) > 1 and int(files[0].stem) > 0  # the oldest part went
    assert sum(file.stat().st_size for file in files) < 1.3 * (1 << 20)
    log = firth("job", "log", str(number), expect=0).out
    assert f"attempt 1 of job {number} succeeded" in log and "line 199 " in log and "line 0 " not in log
    assert show(firth, number)["attempts"] == 1
    # Over HTTP it is there whole, all files in one, from any offset on; and as text.
    path = f"/api/firth/v1/jobs/{number}/attempts/0/log"
    whole = client.ask("GET", path)
    kept = b"".join(file.read_bytes() for file in files)
    end = int(files[0].stem) + len(kept)
    assert whole.body == kept and whole.headers["Content-Type"] == "application/x-ndjson"
    assert int(whole.headers["Firth-Next-Offset"]) == end and f'filename="job-{number}-attempt-0.jsonl"' in whole.headers["Content-Disposition"]
    assert client.ask("GET", f"{path}?from=0").body == kept  # those before have gone
    middle = int(files[-1].stem)
    assert client.ask("GET", f"{path}?from={middle}").body == files[-1].read_bytes()
    rest = client.ask("GET", f"{path}?from={end}")
    assert (rest.status, rest.body, rest.headers["Firth-Next-Offset"]) == (200, b"", str(end))
    text = client.ask("GET", f"{path}?format=text")
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8" and text.body.decode().count("\n") == kept.count(b"\n")
    assert client.ask("GET", f"{path}?format=json").body == kept
    # Of one that is too long for one answer the text is the end, and says so.
    long = [json.dumps({"ts": "2026-01-02T03:04:05Z", "level": "info", "message": f"{i} {'x' * 60_000}"}) + "\n" for i in range(1200)]
    added = files[0].with_name(f"{end:0{len(files[0].stem)}}.jsonl")
    added.write_text("".join(long))
    first, *lines = client.ask("GET", f"{path}?format=text").body.decode().splitlines()
    assert first.startswith(f"The first {len(kept) + len(''.join(long)) - (64 << 20)} bytes of the log are left out")
    assert 1000 < len(lines) < 1200 and lines[-1].endswith(f"INFO 1199 {'x' * 60_000}") and all(line.startswith("2026-01-02 03:04:05") for line in lines)
    added.unlink()
    for wrong, status in ((f"{path}?from=-1", 422), (f"{path}?format=xml", 422), (f"{path}?from=x", 422), (path.replace("/0/", "/7/"), 404),
                          (path.replace(f"/{number}/", "/999/"), 404), (path.replace("/0/", "/x/"), 404), (path.replace("/0/", "/..%2F0/"), 404)):
        assert client.ask("GET", wrong).status == status, wrong
