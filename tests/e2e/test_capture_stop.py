"""How captures stop, and with what they part: interrupts, processes that live on, what a later session finds."""

import fcntl
import json
import os
import signal
import struct
import subprocess

import pytest

from conftest import until
from e2e.scripted import capture, events, ids, records, run, state
from processes import children, gone


def hanging(tmp_path, *more):
    ready = tmp_path / "ready"
    return capture(tmp_path, [*more, records(1, 2), state(2), records(3, 3), {"touch": str(ready)}, {"hang": True}]), ready


def test_interrupt_finishes_the_transaction(firth, tmp_path):
    catalog, ready = hanging(tmp_path)
    running = firth.start("run", str(catalog), "-o", "json")
    until(ready.exists, "the source to be in mid-stream")
    [task] = children(running.pid)
    below = children(task)
    assert below
    running.signal(signal.SIGINT)
    assert running.wait() == 130
    assert events([json.loads(line) for line in running.out], "ended")[0]["outcome"] == "stopped"
    assert ids(firth) == [1, 2]
    for pid in (task, *below):
        until(lambda pid=pid: gone(pid), f"process {pid} to be gone")


def test_second_interrupt_stops_at_once(firth, tmp_path):
    catalog, ready = hanging(tmp_path, {"ignore_sigterm": True})
    running = firth.start("run", str(catalog), "-o", "json")
    until(ready.exists, "the source to be in mid-stream")
    [task] = children(running.pid)
    running.signal(signal.SIGINT)
    running.wait_for_line('"stopping"')
    running.signal(signal.SIGINT)
    assert running.wait(deadline=8) == 130  # the ten seconds that a source has are not waited for
    until(lambda: gone(task), "the task to be gone")


def test_nobody_survives_the_supervisor(firth, tmp_path):
    catalog, ready = hanging(tmp_path, {"ignore_sigterm": True})
    running = firth.start("run", str(catalog), "-o", "json")
    until(ready.exists, "the source to be in mid-stream")
    [task] = children(running.pid)
    below = children(task)
    assert below
    os.kill(running.pid, signal.SIGKILL)
    for pid in (task, *below):
        until(lambda pid=pid: gone(pid), f"process {pid} to be gone")
    run(firth, capture(tmp_path, [records(3, 3), state(3)]))
    assert ids(firth)[-1] == 3


def test_hangup_stops_it_unless_nohup(firth, tmp_path):
    catalog, ready = hanging(tmp_path)
    running = firth.start("run", str(catalog), "-o", "json")
    until(ready.exists, "the source to be in mid-stream")
    running.signal(signal.SIGHUP)
    assert running.wait() == 130
    ready.unlink()
    command = f"trap '' HUP; exec {firth.path} run {catalog} -o json"
    process = subprocess.Popen(["/bin/sh", "-c", command], env=firth.environment(), stdout=subprocess.PIPE, text=True)
    with process:
        until(ready.exists, "the source to be in mid-stream")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        lines = [json.loads(line) for line in process.stdout]
    assert [line["signals"] for line in events(lines, "stopping")] == [1]


def test_second_firth_is_refused(firth, tmp_path):
    catalog, ready = hanging(tmp_path)
    running = firth.start("run", str(catalog))
    until(ready.exists, "the first to run")
    result = firth("run", str(catalog), "--once", expect=4)
    assert str(running.pid) in result.err and "firth run" in result.err
    running.signal(signal.SIGTERM)
    assert running.wait() == 130


def test_lock_of_the_dead_is_waited_for(firth, tmp_path):
    """As a process leaves it that was killed while it started another, which has its descriptors until its exec."""
    catalog = capture(tmp_path, [records(1, 2), state(2)])
    run(firth, catalog)
    dead = subprocess.Popen(["true"])
    dead.wait()
    path = firth.data_dir / "lock"
    with open(path, "r+", encoding="utf-8") as lock:
        fcntl.fcntl(lock, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        lock.truncate()
        lock.write(f"process {dead.pid} (firth serve), since 2026-01-01T00:00:00Z\n")
        lock.flush()
        running = firth.start("run", str(catalog), "--once")

        def waits():
            folder = f"/proc/{running.pid}/fd"
            return any(os.path.realpath(f"{folder}/{fd}") == str(path) for fd in os.listdir(folder))
        until(waits, "the lock to be met")
    assert running.wait() == 0, running.err


def test_secrets_appear_nowhere(firth, tmp_path):
    secret = "hunter2-very-secret"
    catalog, ready = hanging(tmp_path)
    text = json.loads(catalog.read_text())
    text["captures"]["acmeCo/test"]["endpoint"]["local"]["config"]["password"] = secret
    catalog.write_text(json.dumps(text))
    running = firth.start("run", str(catalog), "-o", "json", "--log-level", "trace")
    until(ready.exists, "the source to be in mid-stream")
    [task] = children(running.pid)
    for pid in (running.pid, task, *children(task)):
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                assert secret.encode() not in file.read()
    running.signal(signal.SIGTERM)
    running.wait()
    assert secret not in "\n".join(running.out + running.err)
    grep = subprocess.run(["grep", "-r", secret, str(firth.data_dir)], capture_output=True, check=False)
    assert grep.returncode == 1


@pytest.mark.parametrize("step", [
    {"message": {"type": "LOG", "log": {"level": "INFO", "message": "logging in with hunter2-very-secret"}}},
    {"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1,
                                "error": {"message": "401 for hunter2-very-secret",
                                          "stack_trace": "hunter2-very-secret"}}}},
    {"message": {"type": "RECORD", "record": {"stream": "hunter2-very-secret"}}},
    {"text": "plain text with hunter2-very-secret"},
    {"text": '{"torn": "hunter2-very-secret'},
], ids=["log", "trace", "broken", "plain", "torn"])
def test_secrets_that_the_connector_tells_are_masked(firth, tmp_path, step):
    # What a torn line says is told only if nothing else says why the connector ended.
    catalog = capture(tmp_path, [step, {"exit": 0 if "torn" in str(step) else 1}])
    text = json.loads(catalog.read_text())
    text["captures"]["acmeCo/test"]["endpoint"]["local"]["config"]["password"] = "hunter2-very-secret"
    catalog.write_text(json.dumps(text))
    result = firth("run", str(catalog), "--once", "-o", "json", "--log-level", "trace", expect=1)
    assert "hunter2" not in result.out + result.err
    assert "***" in result.out + result.err
