"""source-postgres and what a server does not tell by itself: what was not published for a while, values that ALTER TABLE
made anew, keys that changes do not have, rows that a policy hides, numbers that mean something else."""

import subprocess

import pytest

from connector_suite.flow import FlowRunner
from connector_suite.protocol import configured
from e2e.postgres_source import airbyte_config, data, discover, flow_config, last_state, read, runner
from e2e.test_postgres_cdc import Capture, failure
from e2e.test_postgres_tables import Syncs, rows
from postgres import give


@pytest.fixture
def run(firth):
    return runner(firth)


@pytest.fixture
def flow(firth):
    return FlowRunner(runner(firth))


def refused(session):
    assert session.rc == 3, session
    return session.errors()[0]["message"]


# --- publications --------------------------------------------------------------------------------------------------


def test_a_publication_that_was_less_for_a_while(firth, flow, database):
    """Narrowed and widened again, it is as it was, and what changed meanwhile is in no change."""
    database.run("CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c');"
                 "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p DEFAULT; INSERT INTO p VALUES (1)")
    syncs = Syncs(firth, database, "t", "p")
    assert syncs() == {"t": rows(1, 2, 3), "p": rows(1)} and syncs() == {}
    database.run("ALTER PUBLICATION p SET (publish = 'insert'); UPDATE t SET x = 'z' WHERE id = 2; DELETE FROM t WHERE id = 3;"
                 "ALTER PUBLICATION p SET (publish = 'insert, update, delete, truncate'); INSERT INTO t VALUES (4, 'd')")
    assert syncs() == {"t": rows(1, 2, 4), "p": rows(1)} and "the publication was altered" in syncs.log()
    assert syncs() == {} and "from the start" not in syncs.log()
    # Changes of a root came as those of its partitions.
    database.run("ALTER PUBLICATION p SET (publish_via_partition_root = false); INSERT INTO p VALUES (2);"
                 "ALTER PUBLICATION p SET (publish_via_partition_root = true)")
    assert syncs()["p"] == rows(1, 2) and syncs() == {}
    # One table more is no change for the others; a state of an older version does not say how it was.
    database.run("CREATE TABLE u (id int PRIMARY KEY); ALTER PUBLICATION p ADD TABLE u; INSERT INTO t VALUES (5)")
    assert syncs() == {"t": rows(5)}
    for stream in syncs.state[0]["global"]["stream_states"]:
        del stream["stream_state"]["published_as"]
    database.run("ALTER PUBLICATION p SET (publish = 'insert, update, delete, truncate')")
    assert syncs() == {}
    # A session that goes on sees it as well: it stops while there is less, and reads the tables once there is not.
    capture = Capture(flow, flow_config(database, "s_" + database.name, advanced={"publicationName": "p"}), tables=["t"]).start()
    capture.until(lambda docs: len(docs) == 4)
    database.run("ALTER PUBLICATION p SET (publish = 'insert'); UPDATE t SET x = 'y' WHERE id = 1")
    while capture.step():
        pass
    rc, _, err = capture.talk.end()
    assert rc == 3 and 'run ALTER PUBLICATION "p" SET (publish = \'insert, update, delete, truncate\')' in err
    database.run("ALTER PUBLICATION p SET (publish = 'insert, update, delete, truncate')")
    capture.group = []
    capture.start().until(lambda docs: any(d.get("x") == "y" for _, d, _ in docs))
    database.run("ALTER PUBLICATION p SET (publish = 'insert'); UPDATE t SET x = 'w' WHERE id = 1;"
                 "ALTER PUBLICATION p SET (publish = 'insert, update, delete, truncate')")
    capture.until(lambda docs: any(d.get("x") == "w" for _, d, _ in docs))
    capture.kill()


def test_tables_that_leave_their_schema_or_root_for_a_while(firth, flow, database):
    """By which they are published: nothing of them is, meanwhile."""
    if int(database.value("SHOW server_version_num")) < 150000:
        pytest.skip("a schema can be published from 15 on")
    database.run("CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (id int PRIMARY KEY); INSERT INTO a.t VALUES (1); CREATE PUBLICATION p FOR TABLES IN SCHEMA a;"
                 "CREATE TABLE r (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE r1 PARTITION OF r DEFAULT; INSERT INTO r VALUES (1);"
                 "CREATE PUBLICATION flow_publication FOR TABLE r")
    syncs = Syncs(firth, database, "t")
    assert syncs() == {"t": rows(1)} and syncs() == {}
    database.run("ALTER TABLE a.t SET SCHEMA b; INSERT INTO b.t VALUES (2); ALTER TABLE b.t SET SCHEMA a; INSERT INTO a.t VALUES (3)")
    assert syncs() == {"t": rows(1, 2, 3)} and syncs() == {}
    capture = Capture(flow, flow_config(database, "s_" + database.name, advanced={"capture_as_partitions": True}), tables=["r1"]).start()
    capture.until(lambda docs: len(docs) == 1)
    database.run("ALTER TABLE r DETACH PARTITION r1; INSERT INTO r1 VALUES (2); ALTER TABLE r ATTACH PARTITION r1 DEFAULT")
    capture.until(lambda docs: {d["id"] for _, d, _ in docs} == {1, 2})
    capture.kill()


def test_a_binding_that_is_disabled_for_a_while(flow, database):
    """The others move on, and the server forgets what they have passed."""
    database.run("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)")
    capture = Capture(flow, flow_config(database, "s_" + database.name)).start()
    capture.until(lambda docs: len(docs) == 2)
    capture.kill()
    both = capture.bindings
    capture.bindings = [b for b in both if b["resourcePath"][-1] == "a"]
    capture.start()
    database.run("INSERT INTO b VALUES (2); DELETE FROM b WHERE id = 1; INSERT INTO a VALUES (2)")
    capture.until(lambda docs: len(docs) == 3)
    capture.kill()
    capture.bindings = both
    database.run("INSERT INTO a VALUES (3); INSERT INTO b VALUES (3)")
    capture.start().until(lambda docs: len(docs) == 6)
    database.run("INSERT INTO b VALUES (4)")
    capture.until(lambda docs: len(docs) == 7)
    capture.kill()
    assert [d["id"] for d in capture.docs("a")] == [1, 2, 3] and sorted(d["id"] for d in capture.docs("b")) == [1, 2, 3, 4]
    # Nothing is read again where none was away.
    capture.start()
    database.run("INSERT INTO b VALUES (5)")
    capture.until(lambda docs: len(docs) == 8)
    capture.kill()


def test_an_unlogged_table(run, database):
    """Of all tables' publication, in which it is not."""
    database.run("CREATE UNLOGGED TABLE t (id int PRIMARY KEY); CREATE TABLE r (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE UNLOGGED TABLE r1 PARTITION OF r DEFAULT; CREATE PUBLICATION p FOR ALL TABLES WITH (publish_via_partition_root = true)")
    config = airbyte_config(database, {"method": "CDC", "replication_slot": "s_" + database.name, "publication": "p"})
    found = discover(run, config)
    assert 'run ALTER TABLE "public"."t" SET LOGGED' in refused(run("read", config=config, catalog=configured([found["t"]])))
    assert 'partitions of "public"."r" are unlogged' in refused(run("read", config=config, catalog=configured([found["r"]])))
    database.run("ALTER TABLE t SET LOGGED; INSERT INTO t VALUES (1)")
    assert [r["id"] for r in data(read(run, config, "t", mode="incremental"))] == [1]


# --- values that are computed anew ------------------------------------------------------------------------------------


def test_values_that_alter_table_makes(firth, flow, database):
    """A column's rows are written anew without a change: the table is read again, and what went meanwhile goes."""
    database.run("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i, i FROM generate_series(1, 5) i;"
                 "CREATE TABLE p (id int PRIMARY KEY, n int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p DEFAULT; INSERT INTO p VALUES (1, 1);"
                 "CREATE TABLE k (n int); ALTER TABLE k REPLICA IDENTITY FULL; INSERT INTO k VALUES (1)")
    syncs = Syncs(firth, database, "t", "p", "k")
    syncs()
    # The same type, with rows that go before and behind it, one of which comes again.
    database.run("DELETE FROM t WHERE id IN (1, 2); INSERT INTO t VALUES (2, 20); UPDATE t SET id = 6 WHERE id = 5;"
                 "ALTER TABLE t ALTER n TYPE int USING n * 100; DELETE FROM t WHERE id = 3; INSERT INTO t VALUES (7, 7);"
                 "ALTER TABLE p ALTER n TYPE text USING 'x' || n; INSERT INTO k VALUES (2); ALTER TABLE k ALTER n TYPE numeric(5, 1); INSERT INTO k VALUES (3)")
    syncs()
    assert "the rows of public.t other values" in syncs.log() and "the rows of public.p other values" in syncs.log()
    values = {r["id"]: r["n"] for r in data(syncs.session, "t") if r["_ab_cdc_deleted_at"] is None}
    assert values == {2: 2000, 4: 400, 6: 500, 7: 7}
    assert {r["id"] for r in data(syncs.session, "t") if r["_ab_cdc_deleted_at"]} == {1, 3, 5}
    assert [(r["id"], r["n"]) for r in data(syncs.session, "p")] == [(1, "x1")]
    # Without a key rows and changes are records of their own.
    assert sorted(float(r["n"]) for r in data(syncs.session, "k")) == [1, 2, 2, 3, 3]
    assert syncs() == {} and "from the start" not in syncs.log()
    # What does not give other values is no reason to read a table.
    database.run("ALTER TABLE t ALTER n SET NOT NULL, ADD more int; CREATE TABLE p2 PARTITION OF p FOR VALUES IN (77); ALTER TABLE p ADD more int")
    assert syncs() == {}
    database.run("VACUUM FULL t; INSERT INTO t VALUES (8, 8)")
    assert syncs() == {"t": rows(8)}
    # While changes are followed.
    capture = Capture(flow, flow_config(database, "s_" + database.name, advanced={"publicationName": "p"}), tables=["t"]).start()
    capture.until(lambda docs: len(docs) == 5)
    database.run("BEGIN; DELETE FROM t WHERE id = 8; ALTER TABLE t ALTER n TYPE bigint USING n + 1; UPDATE t SET n = 0 WHERE id = 7; COMMIT")
    reduced = {}

    def is_table(docs):
        reduced.clear()
        for _, d, _ in docs:
            reduced.pop(d["id"], None) if d["_meta"]["op"] == "d" else reduced.update({d["id"]: d["n"]})
        return reduced == {2: 2001, 4: 401, 6: 501, 7: 0}

    capture.until(is_table)
    capture.kill()


# --- keys -------------------------------------------------------------------------------------------------------------


def test_keys_of_generated_columns(run, flow, database):
    """Changes do not have them: the key cannot be used, and where it is the replica identity nothing tells what changed."""
    if not 120000 <= int(database.value("SHOW server_version_num")) < 180000:
        pytest.skip("columns are generated from 12 on, and can be published from 18 on")
    database.run("CREATE TABLE t (g text GENERATED ALWAYS AS (lower(x)) STORED PRIMARY KEY, x text);"
                 "CREATE TABLE u (g int GENERATED ALWAYS AS (id * 2) STORED PRIMARY KEY, id int NOT NULL UNIQUE);"
                 "CREATE TABLE i (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) STORED NOT NULL UNIQUE); ALTER TABLE i REPLICA IDENTITY USING INDEX i_g_key;"
                 "CREATE TABLE j (id int, g int GENERATED ALWAYS AS (id * 2) STORED, PRIMARY KEY (id) INCLUDE (g));"
                 "INSERT INTO t VALUES (DEFAULT, 'A'); INSERT INTO u VALUES (DEFAULT, 1)")
    config = airbyte_config(database, {"method": "CDC", "replication_slot": "a_" + database.name, "publication": "p"})
    session = run("discover", config=config)
    found = {s["name"]: s for s in session.one("CATALOG")["catalog"]["streams"]}
    warned = [m["log"]["message"] for m in session.of("LOG") if m["log"]["level"] == "WARN"]
    assert [said.split(":")[0] for said in warned] == [f"the primary key of public.{name} has a generated column, which is in no change" for name in "tu"]
    assert not found["t"].get("source_defined_primary_key")
    assert found["u"]["source_defined_primary_key"] == found["i"]["source_defined_primary_key"] == [["id"]]
    assert discover(run, airbyte_config(database))["t"]["source_defined_primary_key"] == [["g"]]
    for name in "tui":
        said = refused(run("read", config=config, catalog=configured([found[name]])))
        assert f'the replica identity of "public"."{name}" has the generated column g' in said
        assert f'run ALTER TABLE "public"."{name}" REPLICA IDENTITY FULL' in said
    assert data(run("read", config=config, catalog=configured([found["j"]]))) == []
    catalog = configured([found["t"]])
    catalog["streams"][0]["primary_key"] = [["g"]]
    assert "the column g of public.t is in the key that was chosen, but it is generated" in refused(run("read", config=config, catalog=catalog))
    # Put in the publication by somebody else, it is refused as well.
    database.run("ALTER PUBLICATION p SET TABLE t, u, i")
    assert "has the generated column g" in refused(run("read", config=config, catalog=configured([found["t"]])))
    # With all of the old row they are read, by what there is.
    database.run("ALTER TABLE t REPLICA IDENTITY FULL; ALTER TABLE u REPLICA IDENTITY FULL")
    capture = Capture(flow, flow_config(database, "s_" + database.name, advanced={"publicationName": "p"}), tables=["t", "u"])
    assert {b["resourcePath"][-1]: b["key"] for b in capture.discovered} == {"t": [f"/_meta/source/loc/{n}" for n in range(3)], "u": ["/id"]}
    capture.start().until(lambda docs: len(docs) == 2)
    database.run("DELETE FROM t; UPDATE u SET id = 2")
    capture.until(lambda docs: len(docs) == 5)
    capture.kill()
    assert [(d["_meta"]["op"], d.get("x"), d.get("id")) for d in capture.docs()[2:]] == [("d", "A", None), ("d", None, 1), ("c", None, 2)]


def test_generated_columns_that_are_published(flow, database):
    """From 18 on, if they are stored: then they are columns like others. The server refuses updates where it would lack them."""
    if int(database.value("SHOW server_version_num")) < 180000:
        pytest.skip("test_postgres_versions.py runs this with a server that can")
    database.run("CREATE TABLE t (g text GENERATED ALWAYS AS (lower(x)) STORED PRIMARY KEY, x text, v int GENERATED ALWAYS AS (1) VIRTUAL);"
                 "CREATE TABLE f (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) STORED); ALTER TABLE f REPLICA IDENTITY FULL;"
                 "CREATE TABLE v (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) VIRTUAL); ALTER TABLE v REPLICA IDENTITY FULL;"
                 "INSERT INTO t VALUES (DEFAULT, 'A'); INSERT INTO f VALUES (1)")
    config = flow_config(database, "s_" + database.name)
    capture = Capture(flow, config)
    found = {b["resourcePath"][-1]: b for b in capture.bindings}
    assert {b["resourcePath"][-1]: b["key"] for b in capture.discovered} == {"t": ["/g"], "f": ["/id"], "v": ["/id"]}
    capture.bindings = [found["t"], found["f"]]
    capture.start().until(lambda docs: len(docs) == 2)
    database.run("DELETE FROM t; UPDATE f SET id = 2")
    capture.until(lambda docs: len(docs) == 5)
    capture.kill()
    assert [(d["_meta"]["op"], d["g"], "v" in d) for d in capture.docs("t")] == [("c", "a", False), ("d", "a", False)]
    assert [(d["_meta"]["op"], d["g"]) for d in capture.docs("f")] == [("c", 2), ("d", 2), ("c", 4)]
    assert "has the generated column g, which is in no change" in (said := failure(flow, config, [found["v"]], {})) and "REPLICA IDENTITY USING INDEX" in said
    database.run("UPDATE v SET id = 1; ALTER PUBLICATION flow_publication SET (publish_generated_columns = none)")
    for name in "tf":
        said = failure(flow, config, [found[name]], {})
        assert "generated" in said and name in said
    said = failure(flow, config, [found["f"]], {})
    assert 'run ALTER PUBLICATION "flow_publication" SET (publish_generated_columns = stored), or' in said


def test_a_key_column_that_gets_another_name(run, flow, database):
    """Records would lack what they are known by: that is said, between two sessions and in one that goes on."""
    database.run("CREATE TABLE t (id int PRIMARY KEY, at int); INSERT INTO t VALUES (1, 1)")
    standard = airbyte_config(database)
    changes = airbyte_config(database, {"method": "CDC", "replication_slot": "a_" + database.name, "publication": "p"})
    capture = Capture(flow, flow_config(database, "s_" + database.name, advanced={"publicationName": "p"})).start()
    capture.until(lambda docs: len(docs) == 1)
    sessions = []
    for config, cursor in ((standard, "at"), (changes, None)):
        catalog = configured([discover(run, config)["t"]])
        if cursor:
            catalog["streams"][0]["cursor_field"] = [cursor]
        catalog["streams"][0]["primary_key"] = [["id"]]
        first = run("read", config=config, catalog=catalog)
        assert [r["id"] for r in data(first)] == [1]
        sessions.append({"config": config, "catalog": catalog, "state": [last_state(first)]})
    database.run("ALTER TABLE t RENAME id TO key; INSERT INTO t VALUES (2, 2)")
    wanted = "public.t has no column /id, which is in the key that was chosen: it was renamed or dropped"
    for session in sessions:
        assert wanted in refused(run("read", **session))
    while capture.step():
        pass
    rc, _, err = capture.talk.end()
    changed = '"public"."t" were changed while it had no column /id, which is in the key that was chosen'
    assert rc == 3 and changed in err
    assert wanted in failure(flow, capture.config, capture.bindings, capture.state)
    # By its old name again, it is read once more: what came by the other name has no key.
    database.run("ALTER TABLE t RENAME key TO id; ALTER TABLE t RENAME at TO since; INSERT INTO t VALUES (3, 3)")
    assert "the cursor /at of stream t is no column of the table: it was renamed or dropped" in refused(run("read", **sessions[0]))
    assert changed in refused(run("read", **sessions[1]))
    session = run("read", config=changes, catalog=sessions[1]["catalog"])
    assert [r["id"] for r in data(session)] == [1, 2, 3]
    database.run("INSERT INTO t VALUES (4, 4)")
    sessions[1]["state"] = [last_state(session)]
    assert [r["id"] for r in data(run("read", **sessions[1]))] == [4]


# --- rows that are hidden ---------------------------------------------------------------------------------------------


def test_row_level_security(run, database):
    """The user would see some rows, without a word."""
    user = "u" + database.name
    database.run(f"CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id = 1);"
                 f"CREATE TABLE o (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t WHERE id = 1; CREATE ROLE {user} LOGIN REPLICATION PASSWORD 'p'; GRANT SELECT ON t, o, v TO {user};"
                 "CREATE PUBLICATION p FOR TABLE t WITH (publish_via_partition_root = true)")
    login = {"username": user, "password": "p"}
    wanted = f'row-level security shows the user "{user}" only some rows of public.t'
    for method in ("Standard", "Xmin", {"method": "CDC", "replication_slot": "s_" + database.name, "publication": "p"}):
        config = airbyte_config(database, method, **login)
        check = run("check", config=config)
        assert check.one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
        assert [m["log"]["message"] for m in check.of("LOG") if wanted in m["log"]["message"]]
        for mode in ("full_refresh", "incremental"):
            catalog = configured([discover(run, config)["t"]], sync_mode=mode)
            catalog["streams"][0]["cursor_field"] = ["id"]
            said = refused(run("read", config=config, catalog=catalog))
            assert wanted in said and f'run ALTER USER "{user}" BYPASSRLS' in said
    # What its owner may see is shown by a view; others have all.
    assert data(read(run, airbyte_config(database, **login), "v", "o"), "v") == [{"id": 1}]
    assert len(data(read(run, airbyte_config(database), "t"))) == 2
    database.run(f"ALTER USER {user} BYPASSRLS")
    assert len(data(read(run, airbyte_config(database, **login), "t"))) == 2
    database.run(f"DROP OWNED BY {user}; DROP ROLE {user}")


# --- numbers of transactions ------------------------------------------------------------------------------------------


def test_states_of_another_server(run, database):
    """A dump that was restored elsewhere, or a standby that took over: a transaction of a greater number is not a later one there,
    and whether what a cursor passed is all there nobody can tell."""
    database.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    for method in ("Xmin", "Standard"):
        config = airbyte_config(database, method)
        cursor = "id" if method == "Standard" else None
        state = last_state(read(run, config, "t", mode="incremental", cursor=cursor))
        mark = state["stream"]["stream_state"]
        assert mark["system"] == database.value("SELECT system_identifier FROM pg_control_system()") and mark["timeline"] == 1
        for name, value, said in (("system", "1", "from another server (system identifier 1, it is"), ("timeline", 7, "another server took over (timeline 7, it is 1 now)")):
            other = {**state, "stream": {**state["stream"], "stream_state": {**mark, name: value}}}
            session = read(run, config, "t", mode="incremental", cursor=cursor, state=[other])
            assert [r["id"] for r in data(session)] == ([] if cursor else [1, 2])
            [warned] = [m["log"]["message"] for m in session.of("LOG") if m["log"]["level"] == "WARN"]
            assert said in warned and ("it goes on behind its cursor" if cursor else "it is read from the start") in warned
            assert last_state(session)["stream"]["stream_state"] == mark
        # A state of an older version goes on.
        del mark["system"], mark["timeline"]
        session = read(run, config, "t", mode="incremental", cursor=cursor, state=[state])
        assert data(session) == [] and not [m for m in session.of("LOG") if m["log"]["level"] == "WARN"]


def test_what_has_no_xmin(run, database):
    """Views, and tables that others inherit from: they are offered whole, and read so."""
    database.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT * FROM t;"
                 "CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (2)")
    config = airbyte_config(database, "Xmin")
    found = discover(run, config)
    assert found["v"]["supported_sync_modes"] == found["parent"]["supported_sync_modes"] == ["full_refresh"]
    state = None
    for _ in range(2):
        session = read(run, config, "v", "parent", mode="incremental", state=state)
        assert data(session, "v") == [{"id": 1}] and data(session, "parent") == [{"id": 2}]
        assert [m["log"]["message"] for m in session.of("LOG")].count('stream "v" cannot be read incrementally: it is read whole') == 1
        state = session.states()


def leap(server, xid):
    """The next transaction has that number, two billion on at the most: all rows are frozen before."""
    database = server.database("postgres")
    database.run("UPDATE pg_database SET datallowconn = true")
    for (name,) in database.rows("SELECT datname FROM pg_database"):
        server.database(name).run("VACUUM FREEZE")
    database.run("CHECKPOINT")
    server.stop()
    subprocess.run([server.programs / "pg_resetwal", "-D", server.data, "-x", str(xid)], check=True, capture_output=True, **server.as_user)
    segment = server.data / "pg_xact" / f"{xid >> 20:04X}"
    if not segment.exists():
        segment.write_bytes(bytes(1 << 18))
        give(segment.parent, server.as_user)
    server.start()


@pytest.mark.full
def test_numbers_of_transactions_that_begin_anew(run, flow, postgres):
    """They are of 32 bits in the rows, and of 64 in states."""
    postgres.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE k (n int, pad text);"
                 "ALTER TABLE k REPLICA IDENTITY FULL, ALTER pad SET STORAGE PLAIN; INSERT INTO k SELECT i, repeat('x', 3900) FROM generate_series(1, 9000) i")
    config = airbyte_config(postgres, "Xmin")
    states = [last_state(read(run, config, "t", mode="incremental"))]

    def came(since=-1):
        session = read(run, config, "t", mode="incremental", state=[states[since]])
        states.append(last_state(session))
        return [r["id"] for r in data(session)]

    assert came() == []
    leap(postgres.server, 2_000_000_000)
    postgres.run("INSERT INTO t VALUES (2)")
    assert came() == [2] and came() == []
    leap(postgres.server, 4_000_000_000)
    postgres.run("INSERT INTO t VALUES (3)")
    assert came() == [3] and came(0) == [1, 2, 3]
    # Rows without a key, half of which are read: the rest comes once, though it is older than can be counted.
    capture = Capture(flow, flow_config(postgres), tables=["k"]).start()
    capture.until(lambda docs: docs).kill()
    assert len(capture.documents) < 9000
    postgres.run("SELECT txid_current()")
    capture.start().until(lambda docs: len(docs) == 9000).kill()
    postgres.run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots, pg_terminate_backend(active_pid)")
    leap(postgres.server, (1 << 32) - 100)
    postgres.run("INSERT INTO t VALUES (4)")
    assert came() == [4] and int(states[-1]["stream"]["stream_state"]["xmin"]) < 1 << 32
    postgres.run("DO $$ BEGIN FOR i IN 1..200 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$; INSERT INTO t VALUES (5)")
    assert came() == [5] and came() == [] and int(states[-1]["stream"]["stream_state"]["xmin"]) > 1 << 32
    postgres.run("UPDATE t SET id = 6 WHERE id = 1")
    assert came() == [6]
