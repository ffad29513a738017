"""Triggers: an HTTP server on loopback is told of a materialization's commits, and nothing that it does holds them up."""

import contextlib
import http.server
import json
import socket
import sqlite3
import threading

import pytest

from conftest import until
from e2e.materialize import TASK, catalog, materialize, put, rows
from e2e.scripted import events

TEMPLATE = """{{! what has happened }}{
  "collections": [{{#each collection_names}}"{{this}}"{{#unless @last}}, {{/unless}}{{/each}}],
  "task": "{{materialization_name}}", "connector": "{{connector_image}}", "run": "{{flow_run_id}}",
  "min": "{{flow_published_at_min}}", "max": "{{flow_published_at_max}}", "auth": "{{headers.Authorization}}"
}"""


class Server:
    """Keeps the requests; answers with the statuses that it was given, then with 200, once it may."""

    def __init__(self):
        self.requests, self.statuses, self.may = [], [], threading.Event()
        self.may.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.command, self.path, dict(self.headers), body.decode()))
                outer.may.wait(60)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asked may be gone
                    self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                    self.end_headers()
                    self.wfile.write(b"hush-hush-answer")

            do_POST = do_PUT = do_PATCH = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self):
        return [json.loads(body) for _, _, _, body in self.requests]


@pytest.fixture
def server():
    server = Server()
    yield server
    server.may.set()
    server.server.shutdown()
    server.server.server_close()


def triggers(host, interval=None, **more):
    one = {"url": f"{host}/hook/hush-hush-path", "payloadTemplate": TEMPLATE, "headers": {"Authorization": "Bearer hush-hush"},
           **more}
    return {"config": [one], **({"interval": interval} if interval else {})}


def told(lines, level):
    return [line["message"] for line in events(lines, "log") if line["level"] == level and "the trigger at" in line["message"]]


def test_a_commit_is_told(firth, tmp_path, server):
    wanted = {"collections": ("users", "orders"), "triggers": triggers(server.url, method="PUT")}
    path = put(firth, tmp_path, {"id": 1, "n": 1}, {"id": 2, "n": 1}, **wanted)
    lines = materialize(firth, path)
    ((method, path_told, headers, body),) = server.requests
    assert (method, path_told) == ("PUT", "/hook/hush-hush-path")
    assert headers["Authorization"] == "Bearer hush-hush" and headers["Content-Type"] == "application/json"
    body = json.loads(body)
    assert (body["collections"], body["task"], body["auth"]) == (["acmeCo/users"], TASK, "Bearer hush-hush")
    assert "sqlite_materialize" in body["connector"] and body["min"] == body["max"] and body["min"].endswith("Z")
    assert told(lines, "info") == [f"the trigger at {server.url}/… was told"]
    assert "hush" not in json.dumps(lines)
    # Nothing new, nothing to tell.
    materialize(firth, path)
    assert len(server.requests) == 1
    put(firth, tmp_path, {"id": 7}, stream="orders", **wanted)
    materialize(firth, path)
    assert [each["collections"] for each in server.bodies()] == [["acmeCo/users"], ["acmeCo/orders"]]
    assert len({each["run"] for each in server.bodies()}) == 2


@pytest.mark.parametrize("statuses, attempts, calls, delivered", [
    ([500, 429], 3, 3, True), ([503, 503], 2, 2, False), ([400, 400], 3, 1, False), ([302, 200], 2, 2, True)])
def test_answers(firth, tmp_path, server, statuses, attempts, calls, delivered):
    """Tried again, a bounded number of times, where that may help; the transaction counts whatever comes of it."""
    server.statuses = list(statuses)
    path = put(firth, tmp_path, {"id": 1, "n": 1}, triggers=triggers(server.url, maxAttempts=attempts))
    lines = materialize(firth, path)
    assert len(server.requests) == calls and [r["id"] for r in rows(tmp_path)] == [1]
    if delivered:
        assert told(lines, "warn") == []
    else:
        tries = "1 try" if calls == 1 else f"{calls} tries"
        assert told(lines, "warn") == [f"the trigger at {server.url}/… was not told, after {tries}: "
                                       f"it answered with status {statuses[0]}"]
    assert "hush" not in json.dumps(lines)
    # It is not told of again.
    materialize(firth, path)
    assert len(server.requests) == calls


def test_nobody_listens(firth, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    path = put(firth, tmp_path, {"id": 1, "n": 1}, triggers=triggers(url, maxAttempts=1))
    (message,) = told(materialize(firth, path), "warn")
    assert "after 1 try: " in message and [r["id"] for r in rows(tmp_path)] == [1]


def test_a_slow_one_holds_up_nothing(firth, tmp_path, server):
    """Commits go on while it is told; those of that time are told of together."""
    def record(n):
        return [{"message": {"type": "RECORD", "record": {"stream": "users", "data": {"id": n}, "emitted_at": 1}}},
                {"state": {"stream": "users", "n": n}}]

    def has(wanted):
        try:
            return [r["id"] for r in rows(tmp_path)] == wanted
        except sqlite3.OperationalError:
            return False

    server.may.clear()
    go, on = tmp_path / "go", tmp_path / "on"
    (tmp_path / "steps.json").write_text(json.dumps(
        [*record(1), {"sleep_until": str(go)}, *record(2), {"sleep_until": str(on)}, *record(3)]))
    running = firth.start("run", str(catalog(tmp_path, triggers=triggers(server.url))), "--commit-every", "20ms")
    until(lambda: len(server.requests) == 1, "the first commit is told of")
    go.touch()
    until(lambda: has([1, 2]), "the second commit")
    on.touch()
    until(lambda: has([1, 2, 3]), "the third commit")
    assert len(server.requests) == 1
    server.may.set()
    until(lambda: len(server.requests) == 2, "the others are told of")
    running.signal(15)
    assert running.wait(deadline=60) == 130


def test_stopped_before_it_was_told(firth, tmp_path, server):
    """A stop waits for a moment; then the next session tells it."""
    server.may.clear()
    path = put(firth, tmp_path, {"id": 1, "n": 1}, triggers=triggers(server.url))
    running = firth.start("run", str(path), "--task", TASK)
    until(lambda: len(server.requests) == 1, "it is told")
    running.signal(15)
    assert running.wait(deadline=60) == 130
    server.may.set()
    materialize(firth, path)
    assert len(server.requests) == 2 and len({each["run"] for each in server.bodies()}) == 1


def test_killed_before_it_was_told(firth, tmp_path, server):
    server.may.clear()
    path = put(firth, tmp_path, {"id": 1, "n": 1}, triggers=triggers(server.url))
    running = firth.start("run", str(path), "--once", "--task", TASK)
    until(lambda: len(server.requests) == 1, "it is told")
    running.kill()
    server.may.set()
    materialize(firth, path)
    assert len(server.requests) == 2 and len({each["run"] for each in server.bodies()}) == 1
    materialize(firth, path)
    assert len(server.requests) == 2


def test_killed_before_our_own_commit(firth_dev, tmp_path, server):
    """The endpoint has it: somebody has to tell of it."""
    path = put(firth_dev, tmp_path, {"id": 1, "n": 1}, triggers=triggers(server.url))
    materialize(firth_dev, path)
    put(firth_dev, tmp_path, {"id": 2, "n": 1}, triggers=triggers(server.url))
    materialize(firth_dev, path, env={"FIRTH_FAULT_KILL": "materialize.commit.before"}, expect=1)
    assert len(server.requests) == 1
    materialize(firth_dev, path)
    assert [each["collections"] for each in server.bodies()] == [["acmeCo/users"]] * 2


def test_an_interval(firth, tmp_path, server):
    """What comes before it has passed is told of together after it; the sessions do not wait for that."""
    wanted = {"collections": ("users", "orders"), "triggers": triggers(server.url, interval="1h")}
    path = put(firth, tmp_path, {"id": 1, "n": 1}, **wanted)
    materialize(firth, path)
    put(firth, tmp_path, {"id": 2, "n": 1}, **wanted)
    materialize(firth, path)
    put(firth, tmp_path, {"id": 3}, stream="orders", **wanted)
    materialize(firth, path)
    assert [each["collections"] for each in server.bodies()] == [["acmeCo/users"]]
    wanted["triggers"] = triggers(server.url)
    materialize(firth, catalog(tmp_path, **wanted))
    assert [sorted(each["collections"]) for each in server.bodies()] == [["acmeCo/users"], ["acmeCo/orders", "acmeCo/users"]]


@pytest.mark.parametrize("more, message", [
    ({"payloadTemplate": "{{nothing}}"}, "'payloadTemplate': there is no variable 'nothing'"),
    ({"payloadTemplate": "{{#each collection_names}}"}, "'payloadTemplate': a block has no end: 'each'"),
    ({"payloadTemplate": "{{headers.Other}}"}, "there is no variable 'headers.Other'"),
    ({"url": "ftp://hush-hush"}, "'url' must begin with http:// or https://"),
    ({"headers": {"a b": "hush-hush"}}, "cannot be a header"),
    ({"maxAttempts": 0}, "'maxAttempts'"),
])
def test_what_check_says(firth, tmp_path, server, more, message):
    path = catalog(tmp_path, triggers=triggers(server.url, **more))
    result = firth("check", str(path), expect=3)
    assert message in result.err and "flow.json:1:" in result.err and "Bearer" not in result.err
