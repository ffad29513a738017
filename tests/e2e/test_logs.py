"""firth logs and firth status: what the daemon keeps of its tasks, with it and without."""

import contextlib
import json
import signal

import serving
from conftest import until
from serving import capture, deploy, records, serve, wait_for, wait_for_facts

HANG = [{"hang": True}]


def one_that_talks(firth, tmp_path, lines=3):
    """A daemon whose task acmeCo/a has said `lines` lines and completed."""
    steps = [{"stderr": f"line {n}"} for n in range(lines)] + records(1, 5)
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", steps))
    deploy(firth, catalog)
    daemon = serve(firth)
    wait_for(firth, "acmeCo/a", event="ended")
    return daemon


def task_of(firth, name="acmeCo/a", *args):
    found = [task for task in firth("status", "-o", "json", *args, expect=0).json()["tasks"] if task["task"] == name]
    return found[0] if found else None


# --- logs -------------------------------------------------------------------------------------------------


def test_lines(firth, tmp_path):
    one_that_talks(firth, tmp_path)
    said = firth("logs", "acmeCo/a", expect=0).out.splitlines()
    assert [line.split("  ", 2)[2] for line in said[1:4]] == [f"{said[1].split('  ', 2)[2][:-1]}{n}" for n in range(3)]
    assert said[0].endswith("  info   session 1 began") and "session 1 completed: 5 documents" in said[-1]
    lines = firth("logs", "-o", "json", expect=0).lines()
    assert [line["event"] for line in lines] == ["started", "log", "log", "log", "ended"]
    assert all(line["task"] == "acmeCo/a" for line in lines)
    assert [line["message"] for line in lines[1:4]] == ["line 0", "line 1", "line 2"]
    assert lines[-1]["outcome"] == "completed" and lines[-1]["documents"] == 5


def test_since_and_level(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", [{"exit": 3}]))
    deploy(firth, catalog)
    serve(firth, "--retry-after", "1h")
    wait_for(firth, "acmeCo/a", event="waiting")
    assert [line["event"] for line in firth("logs", "--level", "error", "-o", "json", expect=0).lines()] == ["ended"]
    assert len(firth("logs", "--since", "1h", "-o", "json", expect=0).lines()) == 3
    path = next((tmp_path / "data/logs").rglob("*.jsonl"))
    path.write_text(path.read_text().replace('"ts":"2', '"ts":"1'))  # a thousand years ago
    assert firth("logs", "--since", "1h", expect=0).out == ""
    assert len(firth("logs", expect=0).out.splitlines()) == 3
    assert "--since is 'yesterday'" in firth("logs", "--since", "yesterday", expect=2).err


def test_unknown_names(firth, tmp_path):
    one_that_talks(firth, tmp_path)
    for command in ("logs", "status"):
        assert "did you mean 'acmeCo/a'?" in firth(command, "acmeCo/aa", expect=3).err
        assert "'firth status' lists them" in firth(command, "zzzzzzzzzz", expect=3).err


def test_follow(firth, tmp_path):
    one_that_talks(firth, tmp_path)
    following = firth.start("logs", "--follow", "-o", "json")
    following.wait_for_line('"ended"')
    catalog = serving.write(tmp_path / "two.json", capture(tmp_path, "b", [{"stderr": "hello from b"}]))
    deploy(firth, catalog)
    line = following.wait_for_line("hello from b")
    assert json.loads(line)["task"] == "acmeCo/b"
    serving.write(tmp_path / "two.json", capture(tmp_path, "b", [{"stderr": "hello again"}]))
    deploy(firth, catalog)
    following.wait_for_line("hello again")


def test_follow_before_there_is_anything(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", [{"stderr": "the first"}]))
    deploy(firth, catalog)
    following = firth.start("logs", "acmeCo/a", "-f")
    serve(firth)
    following.wait_for_line("the first")


def test_a_torn_line_is_passed_over(firth, tmp_path):
    daemon = one_that_talks(firth, tmp_path)
    daemon.kill()
    path = next((tmp_path / "data/logs").rglob("*.jsonl"))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"ts":"2026-01-01T00:00:00.000Z","level":"info","event":"log","mess')
    serving.write(tmp_path / "flow.json", capture(tmp_path, "a", [{"stderr": "after the crash"}]))
    deploy(firth, tmp_path / "flow.json")
    serve(firth)
    wait_for(firth, "acmeCo/a", message="after the crash")
    wait_for(firth, "acmeCo/a", count=2, event="ended")
    lines = firth("logs", "-o", "json", expect=0).lines()
    assert [line["event"] for line in lines] == ["started", "log", "log", "log", "ended", "started", "log", "ended"]


def size_of(folder):
    """As far as files are there: one may be dropped while they are looked at."""
    total = 0
    for path in folder.glob("*.jsonl"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def test_logs_are_bounded(firth, tmp_path):
    """2,600 lines of 8 kB are 20 MB, of which one is kept."""
    steps = [{"stderr": f"{n} " + "x" * 8000} for n in range(150)] + [{"exit": 1}]
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", steps))
    deploy(firth, catalog)
    daemon = serve(firth, "--log-size", "1", "--retry-after", "1ms")
    folder = tmp_path / "data/logs/acmeCo%2Fa"
    sizes = []

    def rotated():
        if folder.exists():
            sizes.append(size_of(folder))
            numbers = sorted(int(path.stem) for path in folder.glob("*.jsonl"))
            return numbers and numbers[0] >= 4
        return False

    until(rotated, "the log to be rotated often")
    assert max(sizes) <= (1 << 20) + (64 << 10) and len(list(folder.glob("*.jsonl"))) <= 5
    daemon.signal(signal.SIGTERM)
    daemon.wait()
    lines = firth("logs", "-o", "json", expect=0).lines()
    assert [line["ts"] for line in lines] == sorted(line["ts"] for line in lines)
    assert len(lines) > 3 * 20  # three whole files at least: the oldest of five may just have gone, the newest be empty


def test_a_full_disk_stops_nothing(firth, tmp_path):
    """/dev/full stands where the log's file would be: every write to it fails as on a full disk."""
    steps = [{"stderr": f"{n} " + "x" * 500} for n in range(40)] + records(1, 5)
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", steps))
    deploy(firth, catalog)
    folder = tmp_path / "data/logs/acmeCo%2Fa"
    folder.mkdir(parents=True)
    (folder / "000001.jsonl").symlink_to("/dev/full")
    daemon = serve(firth)
    row = wait_for_facts(firth, "acmeCo/a", lambda row: row["session"] == "completed")
    assert row["documents"] == 5
    assert len(firth.read("acmeCo/a-users")) == 5
    (folder / "000001.jsonl").unlink()
    serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 6)))
    deploy(firth, catalog)
    lost = wait_for(firth, "acmeCo/a", event="lost")[0]
    assert lost["lines"] == 42 and "No space left on device" in lost["message"]
    wait_for(firth, "acmeCo/a", event="ended", documents=6)
    assert daemon.process.poll() is None


def test_messages_of_several_lines(firth, tmp_path):
    """As lines, which cannot pass for another message nor steer the terminal: in logs, status and the daemon's log."""
    said = "it broke\n12:00:00 error: acmeCo/b failed\n\x1b[2Jlast\n"
    steps = [{"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": {"message": said}}}},
             {"exit": 1}]
    deploy(firth, serving.write(tmp_path / "flow.json", capture(tmp_path, "a", steps)))
    daemon = serve(firth, "--retry-after", "1h")
    wait_for(firth, "acmeCo/a", event="ended", outcome="failed")
    wait_for_facts(firth, "acmeCo/a", lambda row: row["error"])
    lines = [daemon.wait_for_line("acmeCo/a failed")]
    lines += [daemon.wait_for_line("")] + [daemon.wait_for_line("")]
    for text in ("\n".join(line.rstrip("\n") for line in lines), firth("logs", expect=0).out, firth("status", expect=0).out):
        assert "it broke\n  12:00:00 error: acmeCo/b failed\n  \\u001b[2Jlast" in text, text
        assert "\\u000a" not in text and "\x1b" not in text


# --- status -----------------------------------------------------------------------------------------------


def test_states(firth, tmp_path):
    pages = [{"records": {"stream": "users", "from": 1, "to": 5}}, {"state": {"stream": "users", "n": 5}}]
    catalog = serving.write(
        tmp_path / "flow.json", capture(tmp_path, "runs", pages + HANG), capture(tmp_path, "waits", pages),
        capture(tmp_path, "fails", [{"exit": 3}]), capture(tmp_path, "off", HANG, shards={"disable": True}),
        capture(tmp_path, "broken", [{"records": {"stream": "users", "from": 1, "to": 1, "data": {"id": "x"}}}]))
    deploy(firth, catalog)
    daemon = serve(firth, "--retry-after", "1h")
    for name in ("waits", "fails", "broken"):
        wait_for(firth, f"acmeCo/{name}", event="ended")
    running = until(lambda: (t := task_of(firth, "acmeCo/runs"))["live"] and t["live"]["documents"] == 5 and t, "progress")
    assert running["state"] == "running" and running["next_at"] is None and running["session"]["ended_at"] is None
    assert running["live"]["documents_per_second"] > 0
    status = firth("status", "-o", "json", expect=0).json()
    assert status["daemon"]["pid"] == daemon.pid
    tasks = {task["task"].removeprefix("acmeCo/"): task for task in status["tasks"]}
    assert {name: task["state"] for name, task in tasks.items()} == {
        "runs": "running", "waits": "waiting", "fails": "backing off", "off": "disabled", "broken": "failed"}
    assert tasks["fails"]["failures"] == 1 and "status 3" in tasks["fails"]["error"]["message"]
    assert tasks["fails"]["next_at"] and tasks["waits"]["next_at"] and not tasks["broken"]["next_at"]
    assert tasks["waits"]["session"]["documents"] == 5 and tasks["waits"]["collections"][0]["documents"] == 5
    text = firth("status", expect=0).out
    assert "backing off" in text and "in 5" in text and "status 3" in text and f"process {daemon.pid}" in text
    assert [task["task"] for task in firth("status", "acmeCo/off", "-o", "json", expect=0).json()["tasks"]] == ["acmeCo/off"]
    daemon.signal(signal.SIGTERM)
    daemon.wait()
    status = firth("status", "-o", "json", expect=0).json()
    assert status["daemon"] is None
    assert {task["task"].removeprefix("acmeCo/"): task["state"] for task in status["tasks"]} == {
        "runs": "stopped", "waits": "stopped", "fails": "stopped", "off": "disabled", "broken": "failed"}
    assert "no daemon runs" in firth("status", expect=0).out


def test_queued(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", HANG), capture(tmp_path, "b", HANG))
    deploy(firth, catalog)
    serve(firth, "--parallel", "1")
    until(lambda: task_of(firth, "acmeCo/b")["state"] == "queued", "the second to wait")
    assert task_of(firth, "acmeCo/a")["state"] == "running"


def test_a_socket_that_a_dead_daemon_left(firth, tmp_path):
    daemon = one_that_talks(firth, tmp_path)
    daemon.kill()
    assert (tmp_path / "data/firth.sock").exists()
    assert firth("status", "-o", "json", expect=0).json()["daemon"] is None
    serve(firth)
    assert firth("status", "-o", "json", expect=0).json()["daemon"] is not None


def test_logs_of_what_was_never_served(firth, tmp_path):
    assert "no data directory" in firth("logs", expect=3).err
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", HANG))
    deploy(firth, catalog)
    assert firth("logs", expect=0).out == ""
