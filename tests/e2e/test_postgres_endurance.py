"""source-postgres under what lasts: Standard and Xmin in Flow's face, wide rows in bounded memory, a reader that rests,
TRUNCATE of tables that have a key."""

import json
import os
import pathlib
import signal
import tempfile

import pytest

from conftest import FULL, until
from connector_suite.flow import FlowRunner, capture_binding, open_capture, reduce_state
from connector_suite.protocol import configured
from e2e.postgres_source import airbyte_config, discover, flow_config, runner

MEMORY_KB = 100 * 1024


@pytest.fixture
def flow(firth):
    return FlowRunner(runner(firth))


# --- ways of reading in Flow's face ------------------------------------------------------------------------------


def pull(flow, config, bindings, state):
    """A session to its end: ([document, …], the state after it)."""
    session = flow(open_capture(config, bindings, state))
    assert session.rc == 0 and session.messages[0][0] == "opened", session
    for checkpoint in session.of("checkpoint"):
        state = reduce_state(state, checkpoint)
    return [body["doc"] for body in session.of("captured")], state


@pytest.mark.parametrize("method", ["Standard", "Xmin"])
def test_ways_in_flows_face(flow, database, method):
    database.run("CREATE TABLE t (id int PRIMARY KEY, n numeric, at int); INSERT INTO t VALUES (1, 1.50, 1), (2, NULL, 2)")
    config = airbyte_config(database, method, schemas=["public"])
    [found] = flow({"discover": {"config": config}}).one("discovered")["bindings"]
    assert found["key"] == ["/id"] and found["resourcePath"][-1] == "t"
    binding = capture_binding(found, **({"syncMode": "incremental", "cursorField": ["at"]} if method == "Standard" else {}))
    first, state = pull(flow, config, [binding], {})
    assert [(d["id"], d["n"]) for d in first] == [(1, "1.50"), (2, None)]
    again, state = pull(flow, config, [binding], state)
    assert again == []
    database.run("INSERT INTO t VALUES (3, 'NaN', 3); UPDATE t SET n = 7 WHERE id = 1")
    second, state = pull(flow, config, [binding], state)
    # A cursor sees what raises it; xmin whatever was written.
    wanted = {3: "NaN"} if method == "Standard" else {1: "7", 3: "NaN"}
    assert {d["id"]: d["n"] for d in second} == wanted
    assert pull(flow, config, [binding], state)[0] == []


# --- TRUNCATE --------------------------------------------------------------------------------------------------------


def test_truncate_of_a_table_with_a_key(flow, database):
    """The log does not say which rows there were: what was captured stays, and a warning says so."""
    database.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    config = flow_config(database, "s_" + database.name)
    [found] = flow({"discover": {"config": config}}).one("discovered")["bindings"]
    talk = flow.start(open_capture(config, [capture_binding(found)]))
    documents = []

    def take(count):
        while len(documents) < count:
            got = talk.next()
            assert got, talk.end()
            if got[0] == "captured":
                documents.append(got[1]["doc"])
            elif got[0] == "checkpoint":
                talk.say({"acknowledge": {"checkpoints": 1}})

    take(2)
    database.run("TRUNCATE t; INSERT INTO t VALUES (3)")
    take(3)
    _, _, err = talk.kill()
    assert [(d["_meta"]["op"], d["id"]) for d in documents] == [("c", 1), ("c", 2), ("c", 3)]
    assert "public.t was truncated" in err and "until the table is read again" in err


# --- memory ----------------------------------------------------------------------------------------------------------


def peak(run, *verb, **files):
    """(how many records, most resident memory in KB, the last state) of a session whose output nobody keeps."""
    count, memory, state = 0, 0, None
    with tempfile.TemporaryDirectory() as folder:
        process = run.start(folder, *verb, **files)
        for number, line in enumerate(iter(process.stdout.readline, b"")):
            count += line.startswith(b'{"type":"RECORD"')
            is_state = line.startswith(b'{"type":"STATE"')
            state = json.loads(line)["state"] if is_state else state
            if number % 20 == 0 or is_state:
                words = pathlib.Path(f"/proc/{process.pid}/status").read_text().split()
                memory = max(memory, int(words[words.index("VmHWM:") + 1]) if "VmHWM:" in words else 0)
        assert process.wait() == 0, process.stderr.read()
    return count, memory, state


@pytest.mark.parametrize("parallelism", [1, 4])
def test_memory_of_wide_rows(firth, database, parallelism):
    """More than the memory it may take in rows of 1 MB, then one transaction that changes them all."""
    run, rows = runner(firth), 300 if FULL else 150
    database.run("CREATE TABLE t (id int PRIMARY KEY, n int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL;"
                 f"ALTER TABLE t REPLICA IDENTITY FULL; INSERT INTO t SELECT i, 0, repeat('x', 1000000) FROM generate_series(1, {rows}) i;"
                 f"CREATE TABLE narrow AS SELECT i FROM generate_series(1, {rows}000) i; ALTER TABLE narrow REPLICA IDENTITY FULL; ANALYZE")
    method = {"method": "CDC", "replication_slot": "s_" + database.name, "publication": "p"}
    config = airbyte_config(database, method, parallelism=parallelism)
    found = discover(run, config)
    catalog = configured([found["t"], found["narrow"]])
    count, memory, state = peak(run, "read", config=config, catalog=catalog)
    assert count == rows * 1001 and 1000 < memory < MEMORY_KB
    if parallelism > 1:
        return
    database.run("UPDATE t SET n = 1")
    count, memory, state = peak(run, "read", config=config, catalog=catalog, state=[state])
    assert count == rows and 1000 < memory < MEMORY_KB and state["type"] == "GLOBAL"


# --- a reader that rests -----------------------------------------------------------------------------------------------


def test_a_reader_that_rests(flow, postgres_server):
    """Longer than the server's wal_sender_timeout, which is for readers that have gone: the same session goes on."""
    database = postgres_server(wal_sender_timeout="1s").database()
    database.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    config = flow_config(database)
    [found] = flow({"discover": {"config": config}}).one("discovered")["bindings"]
    talk = flow.start(open_capture(config, [capture_binding(found)]))

    def take(wanted):
        while True:
            got = talk.next()
            assert got, talk.end()
            if got[0] == "captured" and got[1]["doc"]["id"] == wanted:
                return

    take(1)
    until(lambda: database.value("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1", "the stream")
    walsender = database.value("SELECT pid FROM pg_stat_replication")
    os.kill(talk.process.pid, signal.SIGSTOP)
    started = database.value("SELECT clock_timestamp()")
    until(lambda: database.value(f"SELECT clock_timestamp() - '{started}' > interval '2.5 s'") == "t", "the time to pass")
    database.run("INSERT INTO t VALUES (2)")
    os.kill(talk.process.pid, signal.SIGCONT)
    take(2)
    assert database.value("SELECT pid FROM pg_stat_replication") == walsender
    talk.kill()
