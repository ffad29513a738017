"""source-postgres's change data capture: the stream of changes, and how it joins what was there before."""

import collections
import json
import os
import signal
import threading

import pytest

from conftest import until
from connector_suite.flow import FlowRunner, capture_binding, open_capture, raw_document, reduce_state
from e2e.postgres_source import (airbyte_config, data, discover, flow_config, last_state, read, runner)
from e2e.test_postgres_source import expected, make_values, members


@pytest.fixture
def flow(firth):
    return FlowRunner(runner(firth))


class Capture:
    """A session in Flow's protocol, and what of it a runtime would have committed."""

    def __init__(self, flow, config, tables=None, history=False):
        self.flow, self.config = flow, config
        found = flow({"discover": {"config": config}}).one("discovered")["bindings"]
        self.discovered = [b for b in found if tables is None or b["resourcePath"][-1] in tables]
        self.bindings = [capture_binding(b) for b in self.discovered]
        self.state, self.documents, self.group, self.talk = {}, [], [], None
        self.schemas, self.checkpoints = [], 0

    def start(self):
        self.talk = self.flow.start(open_capture(self.config, self.bindings, self.state))
        opened = self.talk.next()
        assert opened and opened[0] == "opened", self.talk.end()
        assert opened[1] == {"explicitAcknowledgements": True}
        return self

    def step(self):
        """One message taken; False at the end."""
        got = self.talk.next()
        if not got:
            return False
        verb, body, line = got
        if verb == "captured":
            self.group.append((body.get("binding", 0), body["doc"], line))
        elif verb == "sourcedSchema":
            self.schemas.append(body)
        else:
            assert verb == "checkpoint"
            self.state = reduce_state(self.state, body)
            self.documents += self.group
            self.group = []
            self.checkpoints += 1
            try:
                self.talk.say({"acknowledge": {"checkpoints": 1}})
            except BrokenPipeError:
                pass
        return True

    def until(self, condition):
        """Nothing it can look at changes but by a checkpoint."""
        while not condition(self.documents):
            checkpoints = self.checkpoints
            while checkpoints == self.checkpoints:
                assert self.step(), self.talk.end()
        return self

    def kill(self):
        self.group = []
        self.talk.kill()
        return self

    def docs(self, table=None):
        return [d for _, d, _ in self.documents if table in (None, d["_meta"]["source"]["table"])]


def ids(docs):
    return [(d["_meta"]["op"], d.get("id")) for d in docs]


# --- the stream ------------------------------------------------------------------------------------------------


def test_snapshot_and_changes(flow, database):
    database.run("CREATE TABLE t (id int PRIMARY KEY, x text, n numeric); INSERT INTO t VALUES (1, 'a', 1.50), (2, 'b', NULL)")
    capture = Capture(flow, flow_config(database, "s_" + database.name)).start()
    capture.until(lambda docs: len(docs) == 2)
    first = capture.docs()[0]
    assert first == {"_meta": {"op": "c", "source": {"schema": "public", "table": "t", "snapshot": True, "loc": [-1, 0, 0]}},
                     "id": 1, "x": "a", "n": "1.50"}
    database.run("INSERT INTO t VALUES (3, 'c', 3); UPDATE t SET x = 'bb' WHERE id = 2; DELETE FROM t WHERE id = 1;"
                 "BEGIN; INSERT INTO t VALUES (4); INSERT INTO t VALUES (5); COMMIT; UPDATE t SET id = 6 WHERE id = 5")
    capture.until(lambda docs: len(docs) == 9)
    changes = capture.docs()[2:]
    assert ids(changes) == [("c", 3), ("u", 2), ("d", 1), ("c", 4), ("c", 5), ("d", 5), ("c", 6)]
    assert changes[2]["_meta"]["op"] == "d" and set(changes[2]) == {"_meta", "id"}
    assert changes[1]["x"] == "bb" and changes[1]["n"] is None
    sources = [c["_meta"]["source"] for c in changes]
    assert sources[3]["txid"] == sources[4]["txid"] != sources[2]["txid"]
    assert [s["loc"] for s in sources] == sorted(s["loc"] for s in sources)
    assert all(s["loc"][0] <= s["loc"][1] <= s["loc"][2] and s["ts_ms"] > 1.7e12 for s in sources)
    # What is acknowledged, and nothing else, is confirmed.
    wanted = capture.state["sharedStateV1"]["lsn"]
    until(lambda: database.value("SELECT confirmed_flush_lsn >= '%s' FROM pg_replication_slots WHERE slot_name = 's_%s'" % (
        wanted, database.name)) == "t", "the slot to be confirmed")
    capture.kill()
    database.run("INSERT INTO t VALUES (7)")
    capture.start().until(lambda docs: len(docs) == 10)
    assert ids(capture.docs())[-1] == ("c", 7)
    capture.kill()


def test_nothing_is_confirmed_before_it_is_acknowledged(flow, database):
    slot = "s_" + database.name
    database.run("CREATE TABLE t (id int PRIMARY KEY)")
    capture = Capture(flow, flow_config(database, slot))
    talk = flow.start(open_capture(capture.config, capture.bindings))
    before = None
    while True:
        verb, _, _ = talk.next()
        if verb == "captured":
            break
        if before is None and database.value(f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{slot}' AND active") == "1":
            before = database.value(f"SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '{slot}'")
            database.run("INSERT INTO t VALUES (1)")
    while talk.next()[0] != "checkpoint":
        pass
    query = f"SELECT confirmed_flush_lsn = '{before}' FROM pg_replication_slots WHERE slot_name = '{slot}'"
    sent = f"SELECT count(*) FROM pg_stat_replication WHERE sent_lsn > '{before}'"
    until(lambda: database.value(sent) == "1", "the server to have sent it")
    assert database.value(query) == "t"
    talk.kill()


def test_every_type_in_snapshot_and_stream(flow, database):
    """The snapshot's COPY and the log's tuples give the same bytes."""
    values = make_values(database)
    capture = Capture(flow, flow_config(database, "s_" + database.name), tables=["vals"]).start()
    capture.until(lambda docs: len(docs) == 1)
    columns = ", ".join(f"v{n}" for n in range(len(values)))
    database.run(f"INSERT INTO vals SELECT 2, {columns} FROM vals")
    capture.until(lambda docs: len(docs) == 2)
    capture.kill()
    for _, document, line in capture.documents:
        got = members(raw_document(line))
        for n, value in enumerate(expected(True, values)):
            assert got[f"v{n}"] == value, (document["_meta"], values[n])


def test_discovered_schema_holds(firth, flow, database, tmp_path):
    """`firth validate` takes every document of every type by the schema that discover gives, formats asserted."""
    make_values(database)
    capture = Capture(flow, flow_config(database, "s_" + database.name), tables=["vals"]).start()
    capture.until(lambda docs: len(docs) == 1)
    database.run("DELETE FROM vals")
    capture.until(lambda docs: len(docs) == 2)
    capture.kill()
    (tmp_path / "schema.json").write_text(json.dumps(capture.discovered[0]["documentSchema"]))
    (tmp_path / "docs.jsonl").write_bytes(b"".join(raw_document(line) + b"\n" for _, _, line in capture.documents))
    firth("validate", "--formats", "--schema", str(tmp_path / "schema.json"), str(tmp_path / "docs.jsonl"), expect=0)
    assert capture.schemas[0]["documentSchema"] == {**capture.discovered[0]["documentSchema"]} or capture.schemas
    assert capture.discovered[0]["key"] == ["/id"]


def test_toast(flow, database):
    """A large value that did not change is never written as null."""
    database.run("CREATE TABLE t (id int PRIMARY KEY, big text, n int); ALTER TABLE t ALTER big SET STORAGE EXTERNAL;"
                 "CREATE TABLE f (id int PRIMARY KEY, big text, n int); ALTER TABLE f ALTER big SET STORAGE EXTERNAL;"
                 "ALTER TABLE f REPLICA IDENTITY FULL;"
                 "INSERT INTO t VALUES (1, repeat('x', 10000), 0); INSERT INTO f SELECT * FROM t")
    capture = Capture(flow, flow_config(database, "s_" + database.name)).start()
    capture.until(lambda docs: len(docs) == 2)
    database.run("UPDATE t SET n = 1; UPDATE f SET n = 1; UPDATE t SET id = 2; UPDATE f SET id = 2; DELETE FROM f")
    capture.until(lambda docs: len(docs) == 9)
    capture.kill()
    t, f = capture.docs("t")[1:], capture.docs("f")[1:]
    assert ids(t) == [("u", 1), ("d", 1), ("c", 2)] and ids(f) == [("u", 1), ("d", 1), ("c", 2), ("d", 2)]
    assert "big" not in t[0] and t[0]["_meta"]["source"]["omitted"] == ["big"]  # merged: it stays as it was
    assert t[2]["big"] == "x" * 10000 and "omitted" not in t[2]["_meta"]["source"]  # another key: it was looked up
    assert f[0]["big"] == "x" * 10000 and f[0]["_meta"]["before"] == {"id": 1, "big": "x" * 10000, "n": 0}
    assert f[2]["big"] == "x" * 10000 and f[3]["big"] == "x" * 10000


def large(database, table, columns):
    """A table whose texts are never compressed, so that the log does not have those that an update does not touch."""
    database.run(f"CREATE TABLE {table} ({columns})")
    for (name,) in database.rows(f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0"
                                 " AND atttypid IN ('text'::regtype, 'bpchar'::regtype)"):
        database.run(f"ALTER TABLE {table} ALTER {name} SET STORAGE EXTERNAL")


def test_a_lookup_waits_until_the_change_can_be_seen(flow, postgres):
    """A commit that waits for a synchronous standby is in the log, and its work is not seen: under the new key there is
    still the row that had it before."""
    large(postgres, "t", "id int PRIMARY KEY, big text")
    postgres.run("INSERT INTO t VALUES (1, repeat('x', 9000)), (2, repeat('y', 9000))")
    capture = Capture(flow, flow_config(postgres)).start()
    capture.until(lambda docs: len(docs) == 2)
    asked = "SELECT coalesce(string_agg(query, ';'), '') FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()" \
            " AND query NOT LIKE 'BEGIN%' AND query NOT LIKE 'COMMIT%'"
    before = postgres.value(asked)
    postgres.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'; SELECT pg_reload_conf()")
    stuck = postgres.interactive()
    stuck.stdin.write("BEGIN; DELETE FROM t WHERE id = 2; UPDATE t SET id = 2; COMMIT;\n")
    stuck.stdin.close()
    until(lambda: postgres.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "1", "the commit to wait")
    until(lambda: "FROM" in (now := postgres.value(asked)) and now != before or "pg_current_snapshot()" in now, "the connector to look")
    postgres.run("ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()")
    capture.until(lambda docs: len(docs) == 5)
    capture.kill()
    assert stuck.wait(30) == 0
    assert ids(capture.docs()[2:]) == [("d", 2), ("d", 1), ("c", 2)]
    assert capture.docs()[4]["big"] == "x" * 9000


def test_what_is_looked_up(flow, database):
    """Exactly as it is, under the table's name of now; a column that has gone takes no other with it."""
    large(database, "t", "id int PRIMARY KEY, fixed char(3000), gone text, big text")
    large(database, "old", "id int PRIMARY KEY, big text")
    large(database, "k", "a int, b text, n int, big text, PRIMARY KEY (a, b)")
    long = "".join(chr(97 + i * 7919 % 26) for i in range(2500))
    database.run("INSERT INTO t VALUES (1, 'f', repeat('g', 3000), repeat('b', 3000)); INSERT INTO old VALUES (1, repeat('o', 3000));"
                 f"INSERT INTO k VALUES (1, '{long}', 0, repeat('k', 3000))")
    capture = Capture(flow, flow_config(database, "s_" + database.name)).start()
    capture.until(lambda docs: len(docs) == 3)
    capture.talk.process.send_signal(signal.SIGSTOP)
    database.run("UPDATE t SET id = 2; ALTER TABLE t DROP gone; UPDATE old SET id = 2; ALTER TABLE old RENAME TO new;"
                 "UPDATE k SET n = 1; UPDATE k SET a = 2")
    capture.talk.process.send_signal(signal.SIGCONT)
    capture.until(lambda docs: len(docs) == 10)
    capture.kill()
    t, old, k = capture.docs("t")[1:], capture.docs("old")[1:], capture.docs("k")[1:]
    assert ids(t) == [("d", 1), ("c", 2)] and ids(old) == [("d", 1), ("c", 2)]
    assert t[1]["fixed"] == "f".ljust(3000) and t[1]["big"] == "b" * 3000 and t[1]["_meta"]["source"]["omitted"] == ["gone"]
    assert old[1]["big"] == "o" * 3000
    # A large part of the key is in every document, though the update did not touch it.
    assert [(d["_meta"]["op"], d["a"], d["b"]) for d in k] == [("u", 1, long), ("d", 1, long), ("c", 2, long)]
    assert k[0]["_meta"]["source"]["omitted"] == ["big"] and k[2]["big"] == "k" * 3000


def test_columns_that_come_while_a_capture_begins(flow, database):
    """The table is read with the columns that it has in the snapshot, not those that it had a moment before."""
    database.run("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1)")
    capture = Capture(flow, flow_config(database, "s_" + database.name))
    busy = database.interactive()
    busy.stdin.write("BEGIN; ALTER TABLE t DROP a, ADD b int; INSERT INTO t VALUES (2, 5); SELECT 'in';\n")
    assert busy.stdout.readline() == "in\n"
    capture.talk = flow.start(open_capture(capture.config, capture.bindings, {}))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    until(lambda: database.value(waiting) == "1", "the capture to wait")
    busy.stdin.write("COMMIT;\n")
    busy.stdin.close()
    assert busy.wait(30) == 0 and capture.talk.next()[0] == "opened"
    capture.until(lambda docs: len(docs) == 2)
    database.run("INSERT INTO t VALUES (3, 6)")
    capture.until(lambda docs: len(docs) == 3)
    capture.kill()
    assert [(d["id"], d.get("b"), "a" in d) for d in capture.docs()] == [(1, None, False), (2, 5, False), (3, 6, False)]
    assert set(capture.schemas[-1]["documentSchema"]["$defs"]["Row"]["properties"]) == {"id", "b"}


def test_a_slot_that_is_being_made(flow, database):
    """For a session that was killed: what commits before the server has finished is in no change, and no snapshot may be
    taken that does not see it."""
    slot = "s_" + database.name
    database.run("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int); INSERT INTO t VALUES (1)")
    first, second = database.interactive(), database.interactive()
    first.stdin.write("BEGIN; INSERT INTO other VALUES (1); SELECT 'in';\n")
    assert first.stdout.readline() == "in\n"
    capture = Capture(flow, flow_config(database, slot), tables=["t"])
    talk = flow.start(open_capture(capture.config, capture.bindings))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_create_logical%' AND wait_event_type = 'Lock'" \
            " AND datname = current_database()"
    until(lambda: database.value(waits) == "1", "the server to make the slot")
    talk.kill()
    capture.talk = flow.start(open_capture(capture.config, capture.bindings))
    looks = "SELECT pid, query_start FROM pg_stat_activity WHERE application_name LIKE 'firth%' AND datname = current_database()" \
            " AND query NOT LIKE '%pg_create_logical%'"

    def looked(times):
        started = set()
        until(lambda: started.update(map(tuple, database.rows(looks))) or len(started) >= times, "the capture to wait")

    looked(4)
    second.stdin.write("BEGIN; INSERT INTO t VALUES (2); SELECT 'in';\n")
    assert second.stdout.readline() == "in\n"
    first.stdin.write("COMMIT;\n")
    first.stdin.close()
    assert first.wait(30) == 0
    until(lambda: database.value(waits) == "1", "the server to wait for the other")
    looked(2)
    second.stdin.write("COMMIT;\n")
    second.stdin.close()
    assert second.wait(30) == 0
    assert capture.talk.next()[0] == "opened"
    capture.until(lambda docs: len(docs) >= 1)
    database.run("INSERT INTO t VALUES (3)")
    capture.until(lambda docs: any(d["id"] == 3 for _, d, _ in docs))
    capture.kill()
    assert sorted(d["id"] for d in capture.docs()) == [1, 2, 3]


def test_a_commit_that_is_not_written_yet(flow, postgres):
    """With synchronous_commit off a transaction is seen before its commit is in the log's files: what the snapshot saw of it
    must not come again."""
    postgres.run("CREATE TABLE a (id int); CREATE TABLE b (id int)")
    postgres.run("CREATE PUBLICATION flow_publication FOR TABLE a, b")
    capture = Capture(flow, flow_config(postgres, historyMode=True))
    second, capture.bindings = capture.bindings, capture.bindings[:1]
    capture.start()
    postgres.run("INSERT INTO a VALUES (1)")
    capture.until(lambda docs: len(docs) == 1)
    capture.kill()
    free = "SELECT count(*) FROM pg_replication_slots WHERE active"
    until(lambda: postgres.value(free) == "0", "the slot to be free")
    capture.bindings = second
    writer = int(postgres.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"))
    os.kill(writer, signal.SIGSTOP)
    postgres.run("CREATE TABLE c (); SET synchronous_commit = off; INSERT INTO b SELECT generate_series(1, 10)")
    capture.start().until(lambda docs: len(docs) == 11)
    until(lambda: postgres.value("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1", "the stream to be open")
    postgres.run("INSERT INTO b VALUES (11)")
    capture.until(lambda docs: any(d["id"] == 11 for _, d, _ in docs))
    capture.kill()
    os.kill(writer, signal.SIGCONT)
    assert sorted(d["id"] for d in capture.docs("b")) == list(range(1, 12))


def test_schema_changes(flow, database):
    database.run("CREATE TABLE t (id int PRIMARY KEY, a int)")
    capture = Capture(flow, flow_config(database, "s_" + database.name)).start()
    database.run("INSERT INTO t VALUES (1, 1)")
    capture.until(lambda docs: len(docs) == 1)
    before = len(capture.schemas)
    database.run("CREATE TYPE late AS ENUM ('x'); ALTER TABLE t ADD b numeric DEFAULT 1.50, ADD c late[]; INSERT INTO t VALUES (2, 2, 2.50, '{x}');"
                 "ALTER TABLE t DROP a; ALTER TABLE t RENAME TO t2; INSERT INTO t2 VALUES (3, 3)")
    capture.until(lambda docs: len(docs) == 3)
    capture.kill()
    second, third = capture.docs()[1:]
    assert second["b"] == "2.50" and second["a"] == 2 and second["c"] == ["x"]
    assert third["b"] == "3" and "a" not in third and third["_meta"]["source"]["table"] == "t2"
    told = capture.schemas[before:]
    assert told and set(told[-1]["documentSchema"]["$defs"]["Row"]["properties"]) == {"id", "b", "c"}


def test_tables_without_a_key(flow, database):
    database.run("CREATE TABLE k (a int); INSERT INTO k VALUES (1), (1); ALTER TABLE k REPLICA IDENTITY FULL")
    capture = Capture(flow, flow_config(database, "s_" + database.name))
    assert capture.discovered[0]["key"] == [f"/_meta/source/loc/{n}" for n in range(3)]
    capture.start().until(lambda docs: len(docs) == 2)
    database.run("INSERT INTO k VALUES (2); UPDATE k SET a = 3 WHERE a = 2; DELETE FROM k WHERE a = 3; TRUNCATE k")
    capture.until(lambda docs: len(docs) == 6)
    capture.kill()
    changes = capture.docs()[2:]
    assert [(d["_meta"]["op"], d.get("a")) for d in changes] == [("c", 2), ("u", 3), ("d", 3), ("t", None)]
    assert changes[1]["_meta"]["before"] == {"a": 2}
    locs = [tuple(d["_meta"]["source"]["loc"]) for d in capture.docs()]
    assert len(set(locs)) == len(locs)


def test_partitions_by_their_root(flow, database):
    database.run("CREATE TABLE p (id int, r int, PRIMARY KEY (id, r)) PARTITION BY LIST (r);"
                 "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);"
                 "INSERT INTO p VALUES (1, 1), (2, 2)")
    capture = Capture(flow, flow_config(database, "s_" + database.name)).start()
    capture.until(lambda docs: len(docs) == 2)
    database.run("INSERT INTO p VALUES (3, 1); UPDATE p SET r = 2 WHERE id = 3")
    capture.until(lambda docs: len(docs) == 5)
    capture.kill()
    assert [d["_meta"]["source"]["table"] for d in capture.docs()] == ["p"] * 5
    assert [d["_meta"]["op"] for d in capture.docs()[2:]] == ["c", "d", "c"]
    # A table of rows becomes a partition: nothing tells of them, but for a line.
    database.run("CREATE TABLE p3 (id int, r int, PRIMARY KEY (id, r)); INSERT INTO p3 VALUES (7, 3)")
    database.run("ALTER TABLE p ATTACH PARTITION p3 FOR VALUES IN (3); INSERT INTO p VALUES (8, 3)")
    for wanted, lines in ((8, 1), (9, 0)):
        capture.start().until(lambda docs, last=wanted: docs[-1][1]["id"] == last)
        capture.talk.process.terminate()
        while capture.step():
            pass
        assert capture.talk.end()[2].count("public.p has other partitions than before") == lines
        database.run(f"INSERT INTO p VALUES ({wanted + 1}, 3)")
    assert [d["id"] for d in capture.docs()[5:]] == [8, 9]


def test_a_table_that_comes_later(flow, database):
    """It is added to the publication, and no writer of that moment is lost."""
    database.run("CREATE TABLE t (id int PRIMARY KEY)")
    config = flow_config(database, "s_" + database.name, discoveryFilters={"discover_unpublished_tables": True})
    capture = Capture(flow, config).start()
    database.run("INSERT INTO t VALUES (1)")
    capture.until(lambda docs: len(docs) == 1)
    capture.kill()
    database.run("CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late VALUES (1)")
    slow = database.interactive()
    slow.stdin.write("BEGIN; INSERT INTO late VALUES (2); SELECT 'in';\n")
    assert slow.stdout.readline() == "in\n"
    both = Capture(flow, config)
    assert len(both.bindings) == 2
    both.state = capture.state
    both.talk = flow.start(open_capture(config, both.bindings, both.state))
    published = "SELECT count(*) FROM pg_publication_tables WHERE tablename = 'late'"
    until(lambda: database.value(published) == "1", "the table to be in the publication")
    slow.stdin.write("INSERT INTO late VALUES (3); COMMIT;\n")
    slow.stdin.close()
    assert both.talk.next()[0] == "opened"
    both.until(lambda docs: len(docs) == 3)
    database.run("INSERT INTO late VALUES (4)")
    both.until(lambda docs: len(docs) == 4)
    both.kill()
    assert sorted(d["id"] for d in both.docs("late")) == [1, 2, 3, 4] and slow.wait(30) == 0


def test_a_table_that_somebody_else_adds(flow, database):
    """The user may not change the publication, and the server forgets tables (docs/connectors/source-postgres.md): a warning
    has what somebody must run, and the capture goes on."""
    if int(database.value("SHOW server_version_num")) >= 130000:
        pytest.skip("test_postgres_versions.py runs this with a server that forgets")
    user = "u" + database.name
    database.run(f"CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION flow_publication FOR TABLE t;"
                 f"CREATE ROLE {user} LOGIN REPLICATION PASSWORD 'p'; ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {user};"
                 f"GRANT SELECT ON t TO {user}")
    config = {**flow_config(database, "s_" + database.name), "user": user, "credentials": {"auth_type": "UserPassword", "password": "p"}}
    capture = Capture(flow, config).start()
    database.run("INSERT INTO t VALUES (1)")
    capture.until(lambda docs: len(docs) == 1)
    capture.kill()
    database.run("CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late VALUES (2); ALTER PUBLICATION flow_publication ADD TABLE late")
    both = Capture(flow, config)
    both.state = capture.state
    both.start().until(lambda docs: len(docs) == 1)
    database.run("INSERT INTO late VALUES (3)")
    both.until(lambda docs: len(docs) == 2)
    both.talk.process.terminate()
    while both.step():
        pass
    _, _, err = both.talk.end()
    assert 'ALTER PUBLICATION "flow_publication" DROP TABLE ONLY "public".' in err and "goes on to leave out" in err
    assert [d["id"] for d in both.docs()] == [2, 3]
    database.run(f"DROP OWNED BY {user}; DROP ROLE {user}")


# --- what goes wrong ---------------------------------------------------------------------------------------------


def failure(flow, config, bindings, state):
    session = flow(open_capture(config, bindings, state))
    assert session.rc != 0, session
    return session.error()


def test_a_slot_that_is_gone_or_ahead(flow, database):
    slot = "s_" + database.name
    database.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    capture = Capture(flow, flow_config(database, slot)).start()
    capture.until(lambda docs: len(docs) == 1)
    database.run("INSERT INTO t VALUES (2)")
    capture.until(lambda docs: len(docs) == 2)
    capture.kill()
    free = f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{slot}' AND active"
    until(lambda: database.value(free) == "0", "the slot to be free")
    database.run("INSERT INTO t VALUES (3)")
    database.run(f"SELECT pg_replication_slot_advance('{slot}', pg_current_wal_lsn())")
    said = failure(flow, capture.config, capture.bindings, capture.state)
    assert "but this capture has read only up to" in said and "backfill" in said
    database.run(f"SELECT pg_drop_replication_slot('{slot}')")
    said = failure(flow, capture.config, capture.bindings, capture.state)
    assert f'the replication slot "{slot}" is gone' in said and "backfill" in said
    # A raised backfill is a new start.
    capture.bindings = [capture_binding(b, backfill=1) for b in capture.discovered]
    capture.documents = []
    capture.start().until(lambda docs: len(docs) == 3)
    capture.kill()


def test_a_server_that_is_not_set_up(flow, postgres_server, database):
    plain = postgres_server(wal_level="replica").database()
    plain.run("CREATE TABLE t (id int PRIMARY KEY)")
    database.run("CREATE TABLE t (id int PRIMARY KEY)")
    config = flow_config(database, "s_" + database.name)
    bindings = Capture(flow, config).bindings
    read_only = {**config, "advanced": {**config["advanced"], "read_only_capture": True}}
    for wrong, said in ((flow_config(plain), "ALTER SYSTEM SET wal_level = 'logical'"), (read_only, 'CREATE PUBLICATION "flow_publication"')):
        assert said in failure(flow, wrong, bindings, {})
        assert said in flow({"discover": {"config": wrong}}).error()


def test_check(firth, database):
    """Of changes: what would refuse them is told by the check."""
    run, user, slot = runner(firth), "u" + database.name, "s_" + database.name
    database.run(f"CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE {user} LOGIN PASSWORD 'p'; GRANT SELECT ON t TO {user}")
    config = airbyte_config(database, {"method": "CDC", "replication_slot": slot, "publication": "p"})
    reader = {**config, "username": user, "password": "p"}

    def said(config):
        status = run("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]
        return status.get("message", status["status"])

    assert said(config) == "SUCCEEDED"
    assert f'the user may not read changes: run ALTER USER "{user}" REPLICATION' in said(reader)
    database.run(f"ALTER USER {user} REPLICATION")
    assert 'there is no publication "p", and the user may not make it: as one that may, run CREATE PUBLICATION "p" WITH' in said(reader)
    database.run("CREATE PUBLICATION p WITH (publish = 'insert')")
    assert "does not publish every kind of change" in said(reader)
    database.run("ALTER PUBLICATION p SET (publish = 'insert, update, delete, truncate')")
    assert said(reader) == "SUCCEEDED"
    read_only = flow_config(database, slot, advanced={"read_only_capture": True, "publicationName": "p"})
    assert f"somebody else must run: SELECT lsn FROM pg_create_logical_replication_slot('{slot}', 'pgoutput')" in said(read_only)
    for make, kind in ((f"logical_replication_slot('{slot}', 'test_decoding')", "for the plugin test_decoding and the database"),
                       (f"physical_replication_slot('{slot}')", "a physical one")):
        database.run(f"SELECT pg_create_{make}")
        assert f'the replication slot "{slot}" is there already, {kind}' in said(config)
        database.run(f"SELECT pg_drop_replication_slot('{slot}')")
    database.run(f"DROP OWNED BY {user}; DROP ROLE {user}")


def test_a_server_that_restarts(flow, postgres):
    """The session ends with an error that may pass, and the next goes on."""
    postgres.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    capture = Capture(flow, flow_config(postgres)).start()
    capture.until(lambda docs: len(docs) == 1)
    postgres.run("INSERT INTO t VALUES (2)")
    capture.until(lambda docs: len(docs) == 2)
    # It waits for what it has sent to be confirmed: that is acknowledged here while it does.
    stopping = threading.Thread(target=postgres.server.stop)
    stopping.start()
    while capture.step():
        pass
    stopping.join()
    rc, _, err = capture.talk.end()
    assert rc == 1 and "connection" in err
    postgres.server.start()
    postgres.run("INSERT INTO t VALUES (3)")
    capture.group = []
    capture.start().until(lambda docs: len(docs) == 3)
    capture.kill()
    assert [d["id"] for d in capture.docs()] == [1, 2, 3]


# --- Airbyte's face -------------------------------------------------------------------------------------------------


def test_airbyte(firth, database):
    run = runner(firth)
    database.run("CREATE TABLE t (id int PRIMARY KEY, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL;"
                 "INSERT INTO t VALUES (1, repeat('x', 9000)), (2, 'b'); CREATE VIEW v AS SELECT 1 AS one")
    config = airbyte_config(database, {"method": "CDC", "replication_slot": "s_" + database.name, "publication": "p"})
    found = discover(run, config)
    assert found["t"]["default_cursor_field"] == ["_ab_cdc_lsn"] and found["t"]["source_defined_cursor"]
    assert found["v"]["supported_sync_modes"] == ["full_refresh"]
    first = read(run, config, "t", mode="incremental")
    assert [(r["id"], r["_ab_cdc_deleted_at"]) for r in data(first)] == [(1, None), (2, None)]
    assert last_state(first)["type"] == "GLOBAL" and first.statuses()["t"][-1] == "COMPLETE"
    database.run("UPDATE t SET id = 3 WHERE id = 1; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (4, NULL)")
    second = read(run, config, "t", mode="incremental", state=[last_state(first)])
    rows = data(second)
    assert [(r["id"], bool(r["_ab_cdc_deleted_at"])) for r in rows] == [(1, True), (3, False), (2, True), (4, False)]
    assert rows[1]["big"] == "x" * 9000 and rows[0]["_ab_cdc_lsn"] > data(first)[0]["_ab_cdc_lsn"]
    third = read(run, config, "t", mode="incremental", state=[last_state(second)])
    assert data(third) == [] and third.states()
    # What a sync has read is confirmed by the next one, which has its state.
    again = read(run, config, "t", mode="incremental", state=[last_state(first)] if False else [last_state(third)])
    assert data(again) == []


def test_airbyte_reads_again_if_asked_to(firth, database):
    run = runner(firth)
    slot = "s_" + database.name
    database.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    method = {"method": "CDC", "replication_slot": slot, "publication": "p"}
    config = airbyte_config(database, method)
    first = read(run, config, "t", mode="incremental")
    database.run(f"SELECT pg_drop_replication_slot('{slot}'); INSERT INTO t VALUES (2)")
    from connector_suite.protocol import configured
    catalog = configured([discover(run, config)["t"]])
    lost = run("read", config=config, catalog=catalog, state=[last_state(first)])
    assert lost.rc == 3 and "is gone" in lost.errors()[0]["message"]
    config = airbyte_config(database, {**method, "invalid_cdc_cursor_position_behavior": "Re-sync data"})
    again = read(run, config, "t", mode="incremental", state=[last_state(first)])
    assert [r["id"] for r in data(again)] == [1, 2]


# --- a start that is interrupted ---------------------------------------------------------------------------------------


def bag(database, query):
    return collections.Counter(tuple(row) for row in database.rows(query))


@pytest.mark.parametrize("keyed", [True, False])
def test_a_start_that_is_interrupted(flow, database, keyed):
    """Killed in the middle of the table, with rows that move, go and come before it goes on: with a key the documents
    reduce to the table; without one each row and each change is there once."""
    database.run(f"CREATE TABLE wide (id int {'PRIMARY KEY' if keyed else ''}, n int, pad text, big text);"
                 "ALTER TABLE wide ALTER pad SET STORAGE PLAIN, ALTER big SET STORAGE EXTERNAL;"
                 f"ALTER TABLE wide REPLICA IDENTITY {'DEFAULT' if keyed else 'FULL'};"
                 "INSERT INTO wide SELECT i, 0, repeat('x', 3900), CASE WHEN i BETWEEN 11000 AND 11200 THEN repeat('b', 5000) END"
                 " FROM generate_series(1, 12000) i; ANALYZE wide")
    # One that is open while the first pages are read, and commits afterwards.
    slow = database.interactive()
    capture = Capture(flow, flow_config(database, "s_" + database.name)).start()
    capture.until(lambda docs: len(docs) > 0)
    capture.kill()
    [state] = capture.state["bindingStateV1"].values()
    assert state["phase"] == "pages" and 0 < state["block"] < 6000 and len(capture.documents) < 12000
    database.run("DELETE FROM wide WHERE id <= 400; VACUUM wide")  # room for rows that move to pages that were read
    slow.stdin.write("BEGIN; UPDATE wide SET n = 5 WHERE id = 11500; INSERT INTO wide VALUES (20001, 5, ''); SELECT 'in';\n")
    assert slow.stdout.readline() == "in\n"
    database.run("UPDATE wide SET n = 1 WHERE id BETWEEN 11000 AND 11200;"
                 "DELETE FROM wide WHERE id BETWEEN 10000 AND 10100; INSERT INTO wide SELECT i, 2, '' FROM generate_series(30000, 30050) i")
    capture.start().until(lambda docs: any(d.get("id") == 30050 for _, d, _ in docs))
    slow.stdin.write("COMMIT;\n")
    slow.stdin.close()
    assert slow.wait(30) == 0
    database.run("INSERT INTO wide VALUES (40000, 3, '')")
    capture.until(lambda docs: any(d.get("id") == 40000 for _, d, _ in docs))
    capture.kill()
    rows = collections.Counter()
    reduced, large = {}, {}
    for d in capture.docs():
        large[d["id"]] = d.get("big", large.get(d["id"]))
        meta, row = d["_meta"], (str(d["id"]), str(d.get("n")))
        if meta["op"] == "d":
            reduced.pop(d["id"], None)
            rows[row] -= 1
        else:
            reduced[d["id"]] = d["n"]
            rows[row] += 1
            if meta["op"] == "u" and not keyed:
                rows[(str(meta["before"]["id"]), str(meta["before"]["n"]))] -= 1
    table = bag(database, "SELECT id, n FROM wide")
    if keyed:
        assert {(str(k), str(v)) for k, v in reduced.items()} == set(table)
        # What the log does not have of a row that moved from a page that was not read to one that was.
        assert {large[key] for key in range(11000, 11201)} == {"b" * 5000}
    else:
        # An update or delete of a row that was not read yet takes away what never came: it was left out for that.
        gone = {key: count for key, count in rows.items() if count < 0}
        assert all(count == -1 and (10000 <= int(key[0]) <= 10100 or 11000 <= int(key[0]) <= 11200 or key[0] == "11500")
                   for key, count in gone.items())
        assert collections.Counter({key: count for key, count in rows.items() if count > 0}) == table
        locs = [tuple(d["_meta"]["source"]["loc"]) for d in capture.docs()]
        assert len(set(locs)) == len(locs)


def test_only_changes_and_priority(flow, database):
    database.run("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY);"
                 "INSERT INTO a VALUES (1); INSERT INTO b VALUES (2); INSERT INTO c VALUES (3)")
    capture = Capture(flow, flow_config(database, "s_" + database.name, advanced={"skip_backfills": "public.c"}))
    found = {b["resourcePath"][-1]: b for b in capture.discovered}
    capture.bindings = [capture_binding(found["a"], mode="Only Changes"), capture_binding(found["b"], priority=-1),
                        capture_binding(found["c"])]
    database.run("CREATE TABLE d (id int PRIMARY KEY); INSERT INTO d VALUES (4)")
    more = Capture(flow, flow_config(database, "t_" + database.name, discoveryFilters={"discover_unpublished_tables": True}),
                   tables=["d"])
    capture.bindings.append(capture_binding(more.discovered[0], priority=7))
    capture.start().until(lambda docs: len(docs) == 2)
    database.run("INSERT INTO a VALUES (5); INSERT INTO c VALUES (6)")
    capture.until(lambda docs: len(docs) == 4)
    capture.kill()
    assert [d["id"] for d in capture.docs()] == [4, 2, 5, 6]


def test_positions_move_without_documents(flow, database):
    """Other tables' changes do not hold the log back: what is not captured is confirmed as well."""
    slot = "s_" + database.name
    database.run("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (pad text)")
    capture = Capture(flow, flow_config(database, slot), tables=["t"]).start()
    database.run("INSERT INTO t VALUES (1)")
    capture.until(lambda docs: len(docs) == 1)
    database.run("INSERT INTO other SELECT repeat(md5(i::text), 100) FROM generate_series(1, 20000) i")  # 70 MB of log
    end = database.value("SELECT pg_current_wal_lsn()")
    query = f"SELECT confirmed_flush_lsn > '{end}'::pg_lsn - 16777216 FROM pg_replication_slots WHERE slot_name = '{slot}'"
    while database.value(query) != "t":
        assert capture.step()
    capture.kill()
    assert len(capture.docs()) == 1


def test_a_connection(firth, database, tmp_path):
    """Through the task: a global state is kept, and the next sync goes on from it."""
    database.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    config = airbyte_config(database, {"method": "CDC", "replication_slot": "s_" + database.name, "publication": "p"})
    path = tmp_path / "flow.json"
    path.write_text(json.dumps({"connections": {"acmeCo/pg": {
        "source": {"connector": {"image": "airbyte/source-postgres", "config": config}},
        "destination": {"connector": {"image": "airbyte/destination-local-json", "config": {"destination_path": "/local/out"}}},
        "streams": [{"name": "t", "namespace": "public", "syncMode": "incremental", "destinationSyncMode": "append"}]}}}))

    def sync():
        firth("run", str(path), "--once", env={"FIRTH_LOCAL_ROOT": str(tmp_path)}, expect=0)
        lines = (tmp_path / "out" / "_airbyte_raw_t.jsonl").read_text().splitlines()
        return [(row["id"], bool(row["_ab_cdc_deleted_at"])) for row in (json.loads(line)["_airbyte_data"] for line in lines)]

    assert sync() == [(1, False), (2, False)]
    database.run("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (3)")
    assert sync() == [(1, False), (2, False), (1, True), (3, False)]
    assert len(sync()) == 4


def test_keys_that_no_format_has(firth, database, tmp_path):
    """Dates before the year 1 and after 9999 are no dates of JSON Schema: in a key they stay what they are, in the rows that
    are there and in changes, and the collection's schema refuses them or takes them; two never become one."""
    database.run("CREATE TABLE t (d date PRIMARY KEY, n date);"
                 "INSERT INTO t VALUES ('2024-01-31', 'infinity'), ('infinity', NULL), ('12024-01-01', NULL)")
    config = flow_config(database, "s_" + database.name)
    run = FlowRunner(runner(firth))
    [found] = run({"discover": {"config": config}}).one("discovered")["bindings"]

    def catalog(schema):
        (tmp_path / "flow.json").write_text(json.dumps({
            "collections": {"acmeCo/t": {"schema": schema, "key": found["key"]}},
            "captures": {"acmeCo/in": {
                "endpoint": {"connector": {"image": "ghcr.io/estuary/source-postgres:dev", "config": config}},
                "bindings": [{"resource": found["resourceConfig"], "target": "acmeCo/t"}]}}}))
        return str(tmp_path / "flow.json")

    refused = firth("run", catalog(found["documentSchema"]))
    assert refused.rc == 1 and "infinity" in refused.err and "format" in refused.err, refused.err
    plain = json.loads(json.dumps(found["documentSchema"]).replace('"format": "date"', '"title": "day"'))
    process = firth.start("run", catalog(plain))
    until(lambda: len(firth.read("acmeCo/t")) == 3, "the rows that are there")
    database.run("INSERT INTO t VALUES ('-infinity', '12025-01-01'), ('0044-03-15 BC', NULL)")
    until(lambda: len(firth.read("acmeCo/t")) == 5, "the changes")
    process.signal(signal.SIGTERM)
    assert process.wait() == 130
    documents = firth.read("acmeCo/t")
    assert sorted((d["d"], d["n"]) for d in documents) == [
        ("-infinity", "9999-12-31"), ("0044-03-15 BC", None), ("12024-01-01", None), ("2024-01-31", "9999-12-31"), ("infinity", None)]
