"""source-postgres's changes, and what becomes of the tables and the publication: made anew, renamed, taken out; and what a
publication must have."""

import pytest

from conftest import until
from connector_suite.flow import FlowRunner, capture_binding
from connector_suite.protocol import configured
from e2e.postgres_source import airbyte_config, data, discover, flow_config, last_state, runner
from e2e.test_postgres_cdc import Capture, failure


@pytest.fixture
def flow(firth):
    return FlowRunner(runner(firth))


class Syncs:
    """Airbyte's syncs, each from the state of the one before."""

    def __init__(self, firth, database, *tables):
        self.run = runner(firth)
        self.config = airbyte_config(database, {"method": "CDC", "replication_slot": "a_" + database.name, "publication": "p"})
        found = discover(self.run, self.config)
        self.catalog, self.state = configured([found[name] for name in tables]), None

    def __call__(self):
        self.session = self.run("read", config=self.config, catalog=self.catalog, state=self.state)
        assert self.session.rc == 0, self.session
        self.state = [last_state(self.session)]
        return {name: sorted((r.get("id"), r["_ab_cdc_deleted_at"] is None) for r in data(self.session, name))
                for name in (s["stream"]["name"] for s in self.catalog["streams"]) if data(self.session, name)}

    def log(self):
        return " ".join(m["log"]["message"] for m in self.session.of("LOG"))


def rows(*ids):
    return [(n, True) for n in ids]


def test_tables_that_are_others_between_syncs(firth, database):
    database.run("".join(f"CREATE TABLE {t} (id int PRIMARY KEY); INSERT INTO {t} VALUES (1), (2);" for t in ("a", "b", "c", "d")))
    syncs = Syncs(firth, database, "a", "b", "c", "d")
    assert syncs() == {t: rows(1, 2) for t in ("a", "b", "c", "d")} and syncs() == {}
    # Dropped and made anew; swapped by rename; out of the publication and in again; nothing.
    database.run("INSERT INTO a VALUES (3); DROP TABLE a; CREATE TABLE a (id int PRIMARY KEY, x text); INSERT INTO a VALUES (4, 'x');"
                 "INSERT INTO b VALUES (3); ALTER TABLE b RENAME TO b_old; CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b VALUES (5); INSERT INTO b_old VALUES (6);"
                 "ALTER PUBLICATION p DROP TABLE c; INSERT INTO c VALUES (3); ALTER PUBLICATION p ADD TABLE c; INSERT INTO c VALUES (4);"
                 "INSERT INTO d VALUES (3)")
    assert syncs() == {"a": rows(4), "b": rows(5), "c": rows(1, 2, 3, 4), "d": rows(3)}
    assert [t for t in "abcd" if f"public.{t} is another table" in syncs.log()] == ["a", "b"]
    assert "public.c was taken out of the publication and put in again: it is read from the start" in syncs.log()
    assert syncs() == {} and "from the start" not in syncs.log()
    database.run("INSERT INTO a VALUES (7); INSERT INTO b VALUES (7); INSERT INTO c VALUES (7)")
    assert syncs() == {"a": rows(7), "b": rows(7), "c": rows(7)}
    # Out of the publication: put in again, and read.
    database.run("ALTER PUBLICATION p DROP TABLE d; INSERT INTO d VALUES (4)")
    assert syncs() == {"d": rows(1, 2, 3, 4)} and "public.d was taken out of the publication: " in syncs.log()
    # A state of an older version does not say which table it was: it goes on.
    for stream in syncs.state[0]["global"]["stream_states"]:
        del stream["stream_state"]["oid"], stream["stream_state"]["member"]
    del syncs.state[0]["global"]["shared_state"]["timeline"]
    database.run("INSERT INTO d VALUES (5)")
    assert syncs() == {"d": rows(5)} and syncs() == {}


def test_tables_that_become_others_while_they_are_followed(flow, database):
    database.run("CREATE TABLE t (id int PRIMARY KEY, x text); CREATE TABLE k (n int); ALTER TABLE k REPLICA IDENTITY FULL;"
                 "INSERT INTO t VALUES (1, 'a'); INSERT INTO k VALUES (10)")
    capture = Capture(flow, flow_config(database, "s_" + database.name)).start()

    def seen(table, column, *values):
        def all_are():
            return set(values) <= {d.get(column) for d in capture.docs(table)}

        while not all_are():
            assert capture.step(), capture.talk.end()

    seen("t", "id", 1)
    seen("k", "n", 10)
    database.run("INSERT INTO t VALUES (2); DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, y int); INSERT INTO t VALUES (3, 3)")
    seen("t", "id", 3)
    database.run("INSERT INTO t VALUES (4, 4)")
    seen("t", "y", 4)
    assert set(capture.schemas[-1]["documentSchema"]["$defs"]["Row"]["properties"]) == {"id", "y"}
    # Swapped: what follows is of the table that has the name. Rows of a table without a key have numbers of their own.
    database.run("BEGIN; ALTER TABLE k RENAME TO k_old; CREATE TABLE k (n int); ALTER TABLE k REPLICA IDENTITY FULL;"
                 "INSERT INTO k VALUES (11); COMMIT; INSERT INTO k VALUES (12); INSERT INTO k_old VALUES (13)")
    seen("k", "n", 11, 12)
    database.run("INSERT INTO k VALUES (14)")
    seen("k", "n", 14)
    assert [d["n"] for d in capture.docs("k")] == [10, 11, 12, 14] and not capture.docs("k_old")
    locs = [tuple(d["_meta"]["source"]["loc"]) for d in capture.docs("k")]
    assert len(set(locs)) == len(locs)
    database.run("ALTER PUBLICATION flow_publication DROP TABLE t; INSERT INTO t VALUES (5)")
    seen("t", "id", 5)
    # One that is gone is said to be, and the others go on, be they read again; it comes back.
    database.run("DROP TABLE k; ALTER PUBLICATION flow_publication DROP TABLE t; INSERT INTO t VALUES (6)")
    seen("t", "id", 6)
    database.run("CREATE TABLE k (n int); ALTER TABLE k REPLICA IDENTITY FULL; INSERT INTO k VALUES (20)")
    seen("k", "n", 20)
    state = capture.state
    capture.kill()
    # And so between two sessions.
    database.run("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (30)")
    capture.state = state
    capture.start()
    seen("t", "id", 30)
    capture.kill()


# --- what a publication must have ----------------------------------------------------------------------------------


def test_what_is_published(flow, database):
    """A publication that has less than the table is refused, with what mends it; and what is told to run does."""
    new = int(database.value("SHOW server_version_num")) >= 150000
    database.run("CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE TABLE u (id int PRIMARY KEY); INSERT INTO t VALUES (1, 1, 1);"
                 "CREATE TABLE p (id int, d int, PRIMARY KEY (id, d)) PARTITION BY RANGE (d); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)")
    config = flow_config(database, "s_" + database.name)
    bindings = Capture(flow, config, tables=["t"]).bindings
    database.run("CREATE PUBLICATION flow_publication FOR TABLE t WITH (publish = 'insert', publish_via_partition_root = true)")

    def refused(*wanted, bindings=bindings, config=config):
        said = failure(flow, config, bindings, {})
        assert all(text in said for text in wanted), said
        # The statements of the message.
        return said[said.index("run ALTER ") + len("run "):].split(" (")[0] if "REPLICA" in said else said[said.index("run ALTER ") + len("run "):]

    database.run(refused("does not publish every kind of change", "SET (publish = 'insert, update, delete, truncate')"))
    if new:
        database.run("ALTER PUBLICATION flow_publication SET TABLE t WHERE (id > 1)")
        database.run(refused("has some rows of public.t only"))
        database.run("ALTER PUBLICATION flow_publication SET TABLE t (id, b)")
        database.run(refused("has some columns of public.t only"))
    # Partitions of their own, where their root's changes are published.
    database.run("ALTER PUBLICATION flow_publication ADD TABLE p")
    parts = flow_config(database, "p_" + database.name, advanced={"capture_as_partitions": True})
    found = Capture(flow, {**parts, "discoveryFilters": {"discover_unpublished_tables": True}}, tables=["p1"]).bindings
    statement = refused("shows a root's changes, not those of its partition public.p1", bindings=found, config=parts)
    database.run(statement)
    capture = Capture(flow, parts, tables=["p1"]).start()
    database.run("INSERT INTO p VALUES (1, 1)")
    capture.until(lambda docs: len(docs) == 1)
    capture.kill()
    database.run(refused("shows partitions, not their root public.p", "(publish_via_partition_root = true)",
                         bindings=Capture(flow, {**config, "discoveryFilters": {"discover_unpublished_tables": True}}, tables=["p"]).bindings))
    # A capture goes on with what it was told to be run, and one that is asked for is put in.
    both = Capture(flow, {**config, "discoveryFilters": {"discover_unpublished_tables": True}}, tables=["t", "u"]).bindings
    capture = Capture(flow, config, tables=["t"])
    capture.bindings = both
    capture.start()
    database.run("INSERT INTO u VALUES (9); UPDATE t SET a = 2")
    capture.until(lambda docs: {(d["id"], d.get("a")) for _, d, _ in docs} >= {(9, None), (1, 2)})
    capture.kill()


def test_tables_that_the_user_may_not_add(flow, database):
    """Who names one that is not published is told what to run."""
    user = "u" + database.name
    database.run(f"CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY); CREATE PUBLICATION flow_publication FOR TABLE t;"
                 f"CREATE ROLE {user} LOGIN REPLICATION PASSWORD 'p'; GRANT SELECT ON t, u TO {user}")
    config = {**flow_config(database, "s_" + database.name), "user": user, "credentials": {"auth_type": "UserPassword", "password": "p"}}
    found = Capture(flow, {**config, "discoveryFilters": {"discover_unpublished_tables": True}}, tables=["u"]).bindings
    said = failure(flow, config, found, {})
    assert 'as a user that may, run: ALTER PUBLICATION "flow_publication" ADD TABLE "public"."u"' in said
    database.run(f"DROP OWNED BY {user}; DROP ROLE {user}")


def test_tables_whose_updates_would_fail(flow, database):
    """In a publication the server refuses an UPDATE of a table without a replica identity: it is not put in."""
    database.run("CREATE TABLE a (n int); CREATE TABLE b (n int NOT NULL, UNIQUE (n)); CREATE TABLE c (n int PRIMARY KEY); ALTER TABLE c REPLICA IDENTITY NOTHING;"
                 "CREATE TABLE d (n int) PARTITION BY LIST (n); CREATE TABLE d1 PARTITION OF d DEFAULT;"
                 "CREATE TABLE e (n int NOT NULL, UNIQUE (n)); ALTER TABLE e REPLICA IDENTITY USING INDEX e_n_key; CREATE TABLE f (n int) INHERITS (e);"
                 "CREATE TABLE g (n int PRIMARY KEY DEFERRABLE);"
                 "INSERT INTO a VALUES (1); INSERT INTO e VALUES (1)")
    config = flow_config(database, "s_" + database.name)
    capture = Capture(flow, config)
    found = {b["resourcePath"][-1]: capture_binding(b) for b in capture.discovered}
    for name in ("a", "b", "c", "g"):
        said = failure(flow, config, [found[name]], {})
        assert f'run ALTER TABLE "public"."{name}" REPLICA IDENTITY FULL' in said
        database.run(f"UPDATE {name} SET n = 1")
        database.run(f"ALTER TABLE {name} REPLICA IDENTITY FULL")
    assert 'partitions of "public"."d" have no replica identity' in failure(flow, config, [found["d"]], {})
    database.run("UPDATE d SET n = 1; ALTER TABLE d1 REPLICA IDENTITY FULL")
    capture.bindings = [found[name] for name in "abcdeg"]
    capture.start().until(lambda docs: len(docs) == 2)
    database.run("".join(f"UPDATE {name} SET n = 2; " for name in "abcdef"))  # f inherits from e, and was not put in
    capture.until(lambda docs: len(docs) == 5)  # e's key is n: a delete and an insert
    capture.kill()
    assert database.rows("SELECT tablename FROM pg_publication_tables ORDER BY 1") == [["a"], ["b"], ["c"], ["d"], ["e"], ["g"]]


# --- what changes have --------------------------------------------------------------------------------------------


def test_what_changes_have_as_the_start_has(firth, flow, database):
    """Columns that the user may not read, values that JSON cannot say, rows of tables that inherit: in changes as in the start."""
    user = "u" + database.name
    database.run(f"CREATE TABLE t (id int PRIMARY KEY, secret text, n numeric, d date); ALTER TABLE t REPLICA IDENTITY FULL; ALTER TABLE t ALTER secret SET STORAGE EXTERNAL;"
                 f"CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (more int) INHERITS (parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 2);"
                 f"INSERT INTO t VALUES (1, repeat('s', 9000), 1, '2024-01-01'); CREATE PUBLICATION flow_publication FOR TABLE t, ONLY parent;"
                 f"CREATE ROLE {user} LOGIN REPLICATION PASSWORD 'p'; GRANT SELECT (id, n, d) ON t TO {user}; GRANT SELECT ON parent TO {user}")
    config = {**flow_config(database, "s_" + database.name), "user": user, "credentials": {"auth_type": "UserPassword", "password": "p"}}
    capture = Capture(flow, config).start()
    capture.until(lambda docs: len(docs) == 2)
    database.run("INSERT INTO t VALUES (2, 's', 'NaN', '20000-01-01'); UPDATE t SET n = 5 WHERE id = 1; DELETE FROM t WHERE id = 2;"
                 "INSERT INTO child VALUES (3); INSERT INTO parent VALUES (4)")
    capture.until(lambda docs: any(d["id"] == 4 for _, d, _ in docs))
    schemas = len(capture.schemas)
    capture.talk.process.terminate()
    while capture.step():
        pass
    assert [d["id"] for d in capture.docs("parent")] == [1, 4]
    documents = capture.docs("t")
    assert [(d["_meta"]["op"], d["id"], d.get("n")) for d in documents] == [("c", 1, "1"), ("c", 2, "NaN"), ("u", 1, "5"), ("d", 2, "NaN")]
    assert documents[2]["_meta"]["before"] == {"id": 1, "n": "1", "d": "2024-01-01"}
    assert not any("secret" in line.decode() for _, _, line in capture.documents) and schemas == 2
    _, _, err = capture.talk.end()
    assert err.count("column d: dates before the year 1 or after 9999") == 1 and "cannot be looked up" not in err
    # In the other protocol NaN has no place.
    run = runner(firth)
    config = airbyte_config(database, {"method": "CDC", "replication_slot": "a_" + database.name, "publication": "flow_publication"})
    catalog = configured([discover(run, config)["t"]])
    first = run("read", config=config, catalog=catalog)
    database.run("INSERT INTO t VALUES (7, 's', 'NaN', 'infinity'), (8, 's', 'NaN', 'infinity')")
    session = run("read", config=config, catalog=catalog, state=[last_state(first)])
    assert [(row["id"], row["n"], row["d"]) for row in data(session)] == [(7, None, "infinity"), (8, None, "infinity")]
    assert [record["meta"]["changes"] for record in session.records()] == [
        [{"field": "n", "change": "NULLED", "reason": "SOURCE_SERIALIZATION_ERROR"}]] * 2
    assert [m["log"]["level"] for m in session.of("LOG") if "column n: NaN and infinities have no JSON number" in m["log"]["message"]] == ["WARN"]
    database.run(f"DROP OWNED BY {user}; DROP ROLE {user}")


def test_a_key_that_is_not_the_replica_identity(flow, database):
    """Of the primary key the user may read a part, so another unique index is the key: of that a delete has nothing."""
    user = "u" + database.name
    database.run("CREATE TABLE t (a int, secret int, x int NOT NULL UNIQUE, PRIMARY KEY (a, secret)); INSERT INTO t VALUES (1, 1, 1); CREATE PUBLICATION flow_publication FOR TABLE t;"
                 f"CREATE ROLE {user} LOGIN REPLICATION PASSWORD 'p'; GRANT SELECT (a, x) ON t TO {user}")
    config = {**flow_config(database, "s_" + database.name), "user": user, "credentials": {"auth_type": "UserPassword", "password": "p"}}
    capture = Capture(flow, config).start()
    assert capture.discovered[0]["key"] == ["/x"]
    capture.until(lambda docs: len(docs) == 1)
    database.run("INSERT INTO t VALUES (1, 2, 2)")
    capture.until(lambda docs: len(docs) == 2)
    database.run("DELETE FROM t WHERE x = 1")
    while capture.step():
        pass
    rc, _, err = capture.talk.end()
    assert rc == 3 and "without the column x of its key" in err
    database.run(f"DROP OWNED BY {user}; DROP ROLE {user}")


def test_a_replica_identity_that_is_not_the_key(flow, database):
    """What is deleted cannot be told: the capture stops, and goes on once the table is read again."""
    database.run("CREATE TABLE t (id int PRIMARY KEY, email text NOT NULL UNIQUE); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    capture = Capture(flow, flow_config(database, "s_" + database.name)).start()
    capture.until(lambda docs: len(docs) == 2)
    database.run("ALTER TABLE t REPLICA IDENTITY USING INDEX t_email_key; INSERT INTO t VALUES (3, 'c')")
    capture.until(lambda docs: len(docs) == 3)
    database.run("DELETE FROM t WHERE id = 1")
    while capture.step():
        pass
    rc, _, err = capture.talk.end()
    assert rc == 3 and "without the column id of its key" in err and 'ALTER TABLE "public"."t" REPLICA IDENTITY FULL' in err
    database.run("ALTER TABLE t REPLICA IDENTITY FULL")
    capture.bindings = [capture_binding(b, backfill=1) for b in capture.discovered]
    capture.documents, capture.group = [], []
    capture.start().until(lambda docs: len(docs) == 2)
    database.run("DELETE FROM t WHERE id = 2")
    capture.until(lambda docs: len(docs) == 3)
    capture.kill()
    assert [(d["_meta"]["op"], d["id"]) for d in capture.docs()][2] == ("d", 2)
