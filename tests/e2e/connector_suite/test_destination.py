"""Destinations: modes, echoes, order, what is left after a kill, bad input."""

import json
import resource
import signal
import subprocess
import tempfile
import threading

import pytest

from conftest import FULL
from connector_suite.protocol import configured

STREAM = {"name": "users", "json_schema": {"type": "object", "properties": {"id": {"type": "integer"},
                                                                            "pad": {"type": "string"}}},
          "supported_sync_modes": ["full_refresh", "incremental"]}
OTHER = dict(STREAM, name="orders")


@pytest.fixture
def run(destination, request, tmp_path):
    return destination.runner(request, tmp_path)


@pytest.fixture
def config(destination, tmp_path):
    return destination.config(tmp_path)


@pytest.fixture
def rows(destination, tmp_path):
    return lambda stream="users": destination.read_back(tmp_path).get(stream)


def record(data, stream="users"):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return b'{"type":"RECORD","record":{"stream":"%s","data":%s,"emitted_at":1700000000000}}\n' % (
        stream.encode(), data)


def state(number, stream="users"):
    return json.dumps({"type": "STATE", "state": {
        "type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": {"n": number}},
        "sourceStats": {"recordCount": 1.0}, "id": number}}).encode() + b"\n"


def status(word, stream="users"):
    return json.dumps({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1.5, "stream_status": {
        "stream_descriptor": {"name": stream}, "status": word}}}).encode() + b"\n"


def echoed(session):
    return [s["stream"]["stream_state"]["n"] for s in session.states()]


def ids(rows):
    return None if rows is None else [json.loads(row)["id"] for row in rows]


def append(run, config, numbers, complete=True, **catalog):
    text = b"".join(record({"id": n}) + state(n) for n in numbers) + (status("COMPLETE") if complete else b"")
    return run("write", stdin=text, config=config,
               catalog=configured([STREAM], destination_sync_mode="append", **catalog))


def overwrite(run, config, numbers, complete=True, **catalog):
    text = b"".join(record({"id": n}) + state(n) for n in numbers) + (status("COMPLETE") if complete else b"")
    catalog = {"generation": 1, "minimum": 1, **catalog}
    return run("write", stdin=text, config=config,
               catalog=configured([STREAM], destination_sync_mode="overwrite", **catalog))


def test_append(run, config, rows):
    assert append(run, config, [1, 2]).rc == 0
    session = append(run, config, [2, 3])
    assert session.rc == 0 and echoed(session) == [2, 3], session
    assert ids(rows()) == [1, 2, 2, 3]


def test_overwrite(run, config, rows):
    assert append(run, config, [1, 2]).rc == 0
    session = overwrite(run, config, [3])
    assert session.rc == 0 and echoed(session) == [3], session
    assert ids(rows()) == [3]
    assert overwrite(run, config, []).rc == 0
    assert ids(rows()) in ([], None)


def test_overwrite_needs_complete(run, config, rows):
    """The source died: the old rows stay, and no state says that the new ones are there."""
    assert append(run, config, [1, 2]).rc == 0
    session = overwrite(run, config, [3], complete=False)
    assert echoed(session) == [] and ids(rows()) == [1, 2], session
    session = overwrite(run, config, [4])
    assert echoed(session) == [4] and ids(rows()) == [4]


def test_overwrite_on_an_old_platform(run, config, rows):
    """No generation ids, no COMPLETE: the end of the input is the end of the stream."""
    assert append(run, config, [1]).rc == 0
    session = overwrite(run, config, [2], complete=False, generation=None)
    assert echoed(session) == [2] and ids(rows()) == [2], session


def test_append_keeps_what_was_confirmed(run, config, rows):
    session = append(run, config, [1, 2], complete=False)
    assert echoed(session) == [1, 2], session
    assert append(run, config, [3]).rc == 0
    assert ids(rows()) == [1, 2, 3]


def test_pyairbyte_catalog(run, config, rows):
    """append_dedup whatever was advertised, generation 1 and minimum 1 always: what is there stays."""
    catalog = configured([STREAM], destination_sync_mode="append_dedup", generation=1, minimum=1)
    for n in (1, 2):
        nulls = b'{"type":"RECORD","log":null,"spec":null,"state":null,"trace":null,"record":{"namespace":null,' \
                b'"stream":"users","data":{"id":%d},"emitted_at":1700000000,"meta":null}}\n' % n
        text = nulls + b'{"type":"LOG","log":{"level":"INFO","message":"x"}}\n' + state(n) + status("COMPLETE")
        session = run("write", stdin=text, config=config, catalog=catalog)
        assert session.rc == 0 and echoed(session) == [n], session
    assert sorted(set(ids(rows()))) == [1, 2]


def test_data_is_untouched(destination, run, config, rows):
    """Numbers keep their digits, keys their order, strings their escapes, blanks their places."""
    if not destination.verbatim:
        pytest.skip("it takes records apart into columns")
    data = [b'{"id":12345678901234567890.10,"b":1E400,"a":-0.0}', b'{ "id" : 1 , "s":"\\u00e9\\n\\ud83d\\ude00" }',
            '{"id":2,"s":"grün 😀","deep":{"x":[[],{}]}}'.encode(), b'{"id":3,"n":null,"d":1,"d":2}',
            b'{"id":4,"big":"' + b"x" * 3_000_000 + b'"}']
    text = b"".join(record(d) for d in data) + state(1) + status("COMPLETE")
    session = run("write", stdin=text, config=config, catalog=configured([STREAM]))
    assert session.rc == 0, session
    assert rows() == data


def test_echo(run, config):
    """States come back in order, as they were, with the number of records before each."""
    text = (record({"id": 1}) + record({"id": 2}) + state(1) + record({"id": 3}, "orders") + state(2, "orders")
            + state(3) + status("COMPLETE") + status("COMPLETE", "orders"))
    session = run("write", stdin=text, config=config, catalog=configured([STREAM, OTHER]))
    assert session.rc == 0 and echoed(session) == [1, 2, 3], session
    assert [s["destinationStats"]["recordCount"] for s in session.states()] == [2, 1, 0]
    assert [s["id"] for s in session.states()] == [1, 2, 3]
    assert all(s["sourceStats"] == {"recordCount": 1.0} for s in session.states())


def test_global_and_legacy_states(run, config):
    text = (record({"id": 1}) + b'{"type":"STATE","state":{"type":"GLOBAL","global":{"shared_state":{"lsn":5},'
            b'"stream_states":[]}}}\n{"type":"STATE","state":{"data":{"old":1}}}\n' + status("COMPLETE"))
    session = run("write", stdin=text, config=config, catalog=configured([STREAM]))
    assert session.rc == 0, session
    assert [s.get("global", s.get("data")) for s in session.states()] == [
        {"shared_state": {"lsn": 5}, "stream_states": []}, {"old": 1}]


@pytest.mark.parametrize("text,words", [
    (record({"id": 1}, "nobody"), ["line 1", "nobody"]),
    (record({"id": 1}) + b"garbage\n", ["line 2"]),
    (record({"id": 1}) + b'{"type":"RECORD","record":{"stream":"users"}}\n', ["line 2", "data"]),
    (record({"id": 1}) + record(b'{"s":"\xff"}'), ["line 2", "UTF-8"]),
    (record({"id": 1}) + record({"id": 2})[:-20], ["line 2"]),
])
def test_bad_input(run, config, rows, text, words):
    assert append(run, config, [7]).rc == 0
    session = run("write", stdin=text, config=config, catalog=configured([STREAM]))
    assert session.rc == 1, session
    message = session.errors()[0]["message"]
    assert all(word in message for word in words), message
    assert ids(rows())[:1] == [7]
    session = append(run, config, [8])
    assert session.rc == 0 and ids(rows())[-1] == 8, session


def test_states_are_confirmed_while_the_input_goes_on(run, config):
    with tempfile.TemporaryDirectory() as folder:
        process = run.start(folder, "write", config=config, catalog=configured([STREAM]))
        for n in range(3):
            process.stdin.write(record({"id": n}) + state(n))
            process.stdin.flush()
            line = process.stdout.readline()
            while b'"STATE"' not in line:
                assert line, process.stderr.read()
                line = process.stdout.readline()
            assert json.loads(line)["state"]["stream"]["stream_state"]["n"] == n
        process.stdin.write(status("COMPLETE"))
        process.communicate(timeout=60)
        assert process.returncode == 0


class Feeder(threading.Thread):
    """Writes records and states until the pipe breaks, so many ahead of what `more` asks for; the ids ascend over all attempts."""
    AHEAD = 60
    PADDED = record({"id": 0, "pad": "x" * 300}).replace(b'"id": 0', b'"id": %d')

    def __init__(self, process, first):
        super().__init__(daemon=True)
        self.process, self.next = process, first
        self.allowed, self.over = threading.Semaphore(self.AHEAD), False

    def more(self, over=False):
        self.over = over
        self.allowed.release(self.AHEAD)

    def run(self):
        try:
            while self.allowed.acquire() and not self.over:
                text = b"".join(self.PADDED % (self.next + i) for i in range(50))
                self.next += 50
                self.process.stdin.write(text + state(self.next))
        except (BrokenPipeError, ValueError, OSError):
            pass


def test_kills(run, config, rows):
    """Killed again and again in the middle of an append: what it confirmed is never lost, and what it had
    confirmed is what the next attempt goes on from."""
    confirmed, kills = 0, 8 if FULL else 5
    for attempt in range(kills):
        with tempfile.TemporaryDirectory() as folder:
            process = run.start(folder, "write", config=config, catalog=configured([STREAM]))
            feeder = Feeder(process, confirmed)
            feeder.start()
            # Some states, and then at some moment in the middle of the next ones.
            for _ in range(attempt % 4):
                line = process.stdout.readline()
                feeder.more()
                if b'"STATE"' in line:
                    confirmed = json.loads(line)["state"]["stream"]["stream_state"]["n"]
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read()
            process.wait()
            feeder.more(over=True)
            feeder.join(60)
            process.stderr.close()
            process.stdout.close()
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass
        for line in rest.splitlines(keepends=True):
            if line.endswith(b"\n") and b'"STATE"' in line:
                confirmed = json.loads(line)["state"]["stream"]["stream_state"]["n"]
        seen = ids(rows()) or []  # whole lines only, at any time: read_back parses each
        assert seen == sorted(seen) or set(range(max(seen))) <= set(seen)
    assert confirmed > 0
    session = append(run, config, [confirmed])
    assert session.rc == 0, session
    assert set(range(confirmed + 1)) <= set(ids(rows()))


def test_two_syncs_at_once(destination, run, config, rows):
    if not destination.alone:
        pytest.skip("it promises nothing of two syncs at once")
    with tempfile.TemporaryDirectory() as folder:
        process = run.start(folder, "write", config=config, catalog=configured([STREAM]))
        process.stdin.write(record({"id": 1}) + state(1))
        process.stdin.flush()
        while b'"STATE"' not in process.stdout.readline():
            pass
        session = append(run, config, [2])
        assert session.rc == 1 and "another sync" in session.errors()[0]["message"], session
        process.stdin.write(status("COMPLETE"))
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert ids(rows()) == [1]


def test_full_disk(destination, run, config, rows):
    """What does not fit is an error that says so; what was confirmed before is there."""
    if not destination.own_disk:
        pytest.skip("the disk is a server's")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    with tempfile.TemporaryDirectory() as folder:
        argv = run.argv(folder, "write", {"config": config, "catalog": configured([STREAM])})
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=run.env, preexec_fn=limit)
        process.stdin.write(record({"id": 1}) + state(1))
        process.stdin.flush()
        while b'"STATE"' not in process.stdout.readline():
            pass
        try:
            process.stdin.write(record({"id": 2, "pad": "x" * 3_000_000}) + state(2))
        except BrokenPipeError:
            pass
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    messages = [json.loads(line) for line in out.splitlines()]
    assert not [m for m in messages if m["type"] == "STATE"]
    assert any("File too large" in json.dumps(m) for m in messages), out
    assert ids(rows()) == [1]
