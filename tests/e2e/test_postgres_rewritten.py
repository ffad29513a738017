"""source-postgres's tables that are written anew, or given another's name, while they are read or between two reads."""

import threading

import pytest

from conftest import until
from e2e.postgres_source import airbyte_config, data, discover, last_state, read, runner
from e2e.test_postgres_tables import Syncs


@pytest.fixture
def run(firth):
    return runner(firth)


def while_open(database, sql, work):
    """What `work` returns: it begins when `sql` is done and not committed, which it is once that is waited for, or `work` over."""
    other, got = database.interactive(), []
    other.stdin.write(f"BEGIN; {sql}; SELECT 'done';\n")
    assert other.stdout.readline() == "done\n"
    thread = threading.Thread(target=lambda: got.append(work()))
    thread.start()
    waiting = f"SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = '{database.name}')"
    until(lambda: not thread.is_alive() or database.value(waiting) != "0", "a wait, or the end")
    other.stdin.write("COMMIT;\n")
    other.stdin.close()
    assert other.wait(30) == 0
    thread.join()
    return got[0]


def warnings(session):
    return [m["log"]["message"] for m in session.of("LOG") if m["log"]["level"] == "WARN"]


def test_read_whole_while_it_is_rewritten(run, database):
    """A snapshot that is older than the rewrite would find nothing: ALTER TABLE does not keep what others see."""
    user = "some_" + database.name
    database.run(f"""
        CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1);
        CREATE TABLE part (id int PRIMARY KEY, v int) PARTITION BY LIST (id); CREATE TABLE part1 PARTITION OF part DEFAULT; INSERT INTO part VALUES (1, 1);
        CREATE TABLE parent (id int PRIMARY KEY, v int); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (1, 1);
        CREATE TABLE base (id int PRIMARY KEY, w int, v int); INSERT INTO base VALUES (1, 1, 1);
        CREATE VIEW inner_view AS SELECT id, w AS v FROM base; CREATE VIEW outer_view AS SELECT * FROM inner_view;
        CREATE TABLE half (id int PRIMARY KEY, v int, secret int); INSERT INTO half VALUES (1, 1, 1);
        CREATE ROLE {user} LOGIN PASSWORD 'r'; GRANT SELECT (id, v) ON half TO {user}; GRANT CONNECT ON DATABASE {database.name} TO {user}""")
    config = airbyte_config(database)
    few = airbyte_config(database, username=user, password="r")
    for name, altered, column, login in (("t", "t", "v", config), ("part", "part", "v", config), ("parent", "parent", "v", config),
                                         ("outer_view", "base", "v", config), ("half", "half", "v", few)):
        found = discover(run, login)
        session = while_open(database, f"ALTER TABLE {altered} ALTER {column} TYPE int USING {column} * 100", lambda: read(run, login, name, found=found))
        assert data(session) == [{"id": 1, "v": 1 if altered == "base" else 100}], name
    database.run(f"DROP OWNED BY {user}; DROP ROLE {user}")


def test_another_table_of_that_name(run, database):
    """Its rows may be of older transactions, or have smaller cursors, than what was read last."""
    database.run("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE t_new (id int PRIMARY KEY, v text);"
                 "INSERT INTO t_new VALUES (1, 'new'), (2, 'new'); INSERT INTO t VALUES (1, 'old'), (5, 'old')")
    xmin, cursor = airbyte_config(database, "Xmin"), airbyte_config(database)
    state = last_state(read(run, xmin, "t", mode="incremental"))
    by_cursor = last_state(read(run, cursor, "t", mode="incremental", cursor="id"))
    database.run("BEGIN; ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t; COMMIT")
    session = read(run, xmin, "t", mode="incremental", state=[state])
    assert [r["id"] for r in data(session)] == [1, 2]
    [said] = warnings(session)
    assert "public.t was read when another table had that name" in said and "it is read from the start" in said
    session = read(run, xmin, "t", mode="incremental", state=[last_state(session)])
    assert not data(session) and not warnings(session)
    session = read(run, cursor, "t", mode="incremental", cursor="id", state=[by_cursor])
    [said] = warnings(session)
    assert not data(session) and "public.t was read when another table had that name" in said and "goes on behind its cursor" in said
    # A copy has the same tables.
    database.run("DROP TABLE t_old")
    state = last_state(session := read(run, xmin, "t", mode="incremental"))
    mark = state["stream"]["stream_state"]
    assert mark["database"] == int(database.value("SELECT oid FROM pg_database WHERE datname = current_database()"))
    session = read(run, xmin, "t", mode="incremental", state=[{**state, "stream": {**state["stream"], "stream_state": {**mark, "database": 1}}}])
    assert [r["id"] for r in data(session)] == [1, 2] and "from another database of the server (oid 1, it is" in warnings(session)[0]
    # A state of an older version goes on.
    del mark["oid"], mark["database"]
    session = read(run, xmin, "t", mode="incremental", state=[state])
    assert not data(session) and not warnings(session)


def test_another_table_takes_the_name_during_a_sync(run, database):
    """As large as the one that was there when the sync began it is not."""
    database.run("CREATE TABLE a (id int); CREATE TABLE t (id int); CREATE TABLE t_new (id int); INSERT INTO t_new SELECT generate_series(1, 1000)")
    config = airbyte_config(database)
    found = discover(run, config)
    sql = "LOCK TABLE a; ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t"
    session = while_open(database, sql, lambda: read(run, config, "a", "t", found=found))
    assert len(data(session, "t")) == 1000


def test_rewritten_while_a_sync_looks(firth, database):
    """What a look learns is of one moment: else each half of the rewrite is taken for none."""
    database.run("CREATE TABLE r (id int PRIMARY KEY, v int) PARTITION BY LIST (id); CREATE TABLE r1 PARTITION OF r DEFAULT;"
                 "INSERT INTO r VALUES (1, 1)")
    syncs = Syncs(firth, database, "r")
    assert syncs() == {"r": [(1, True)]} and syncs() == {}
    got = while_open(database, "ALTER TABLE r ALTER v TYPE int USING v * 100", lambda: (syncs(), data(syncs.session)))[1]
    syncs()
    assert [r["v"] for r in got + data(syncs.session)] == [100] and (got or "has given the rows of public.r other values" in syncs.log())


def test_names_of_columns_that_go_to_others(firth, database):
    """What was captured by a name is another column's then, of which no change tells."""
    database.run("CREATE TABLE t (id int PRIMARY KEY, a text, b text, c text); INSERT INTO t VALUES (1, 'a', 'b', 'c'); CREATE TABLE u (id int PRIMARY KEY, a int);"
                 "INSERT INTO u VALUES (1, 1)")
    syncs = Syncs(firth, database, "t", "u")
    assert set(syncs()) == {"t", "u"} and syncs() == {}
    said = "public.t has columns whose names were others'"

    def after(sql):
        database.run(sql)
        syncs()
        assert ("from the start" in syncs.log()) == (said in syncs.log())
        return [{name: r.get(name) for name in ("a", "b", "c")} for r in data(syncs.session)]

    assert after("ALTER TABLE t RENAME a TO x; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME x TO b") == [{"a": "b", "b": "a", "c": "c"}]
    assert said in syncs.log()
    # A new column, one with another name, one that goes: not for these; u too.
    assert after("ALTER TABLE u RENAME a TO b; ALTER TABLE u ADD c int; ALTER TABLE t DROP c; ALTER TABLE t ADD d text") == []
    # The name that one had which is gone, though it was seen to be.
    assert after("ALTER TABLE t ADD c text") == [{"a": "b", "b": "a", "c": None}] and said in syncs.log()
    # A name that its own column gets back.
    assert after("ALTER TABLE u RENAME b TO a") == []
