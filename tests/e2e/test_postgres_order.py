"""source-postgres's changes in a destination that keeps the highest `_ab_cdc_lsn` of each key: what is emitted later is higher."""

import json
import sqlite3
import threading

import pytest

from conftest import until
from e2e.postgres_source import airbyte_config


@pytest.fixture
def connection(firth, tmp_path):
    """connection(database, tables, views)() syncs into a database, and has (id, v) of each table."""

    def make(database, tables, views=(), **method):
        config = airbyte_config(database, {"method": "CDC", "replication_slot": "s_" + database.name, "publication": "p", **method})
        streams = [{"name": name, "namespace": "public", "syncMode": "full_refresh", "destinationSyncMode": "overwrite"} for name in views]
        streams += [{"name": name, "namespace": "public", "syncMode": "incremental", "destinationSyncMode": "append_dedup"} for name in tables]
        path = tmp_path / "flow.json"
        path.write_text(json.dumps({"connections": {"acmeCo/pg": {
            "source": {"connector": {"image": "airbyte/source-postgres", "config": config}},
            "destination": {"connector": {"image": "airbyte/destination-sqlite", "config": {"destination_path": "/local/out.db"}}},
            "streams": streams}}}))

        def sync():
            firth("run", str(path), "--once", env={"FIRTH_LOCAL_ROOT": str(tmp_path)}, expect=0)
            out = sqlite3.connect(tmp_path / "out.db")
            names = [name for name, in out.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            found = {}
            for table in tables:
                [name] = [n for n in names if n == table or n.endswith("_" + table)]
                found[table] = out.execute(f'SELECT id, v FROM "{name}" ORDER BY id').fetchall()
            out.close()
            return found

        return sync

    return make


def test_a_transaction_that_is_open_while_a_table_is_read(connection, database):
    """It writes before the read, and commits behind it."""
    database.run("CREATE TABLE b (id int PRIMARY KEY, v text); INSERT INTO b VALUES (1, 'old'), (2, 'old'), (3, 'old');"
                 "CREATE VIEW a AS SELECT 1 AS id WHERE pg_advisory_xact_lock_shared(7) IS NOT NULL")
    holder, writer = database.interactive(), database.interactive()

    def tell(psql, sql):
        psql.stdin.write(sql + "; SELECT 'done';\n")
        while (line := psql.stdout.readline()) != "done\n":
            assert line, "psql has ended"

    tell(holder, "SELECT pg_advisory_lock(7)")
    sync = connection(database, ["b"], ["a"])
    first = []
    thread = threading.Thread(target=lambda: first.append(sync()))
    thread.start()
    try:
        until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()") == "1",
              "the view to be read, for which the slot is made")
        tell(writer, "BEGIN; UPDATE b SET v = 'new' WHERE id = 1; DELETE FROM b WHERE id = 2; UPDATE b SET v = 'a' WHERE id = 3; UPDATE b SET v = 'z' WHERE id = 3")
        database.run("SELECT pg_logical_emit_message(false, 'x', repeat('x', 10000))")
    finally:
        holder.communicate()
        thread.join()
    assert first == [{"b": [(1, "old"), (2, "old"), (3, "old")]}]
    tell(writer, "COMMIT")
    writer.communicate()
    assert sync() == {"b": [(1, "new"), (3, "z")]}
    # The table is read again, from a slot that stands far behind.
    database.run("ALTER TABLE b ALTER v TYPE text USING upper(v), ADD w float DEFAULT random()")
    assert sync() == {"b": [(1, "NEW"), (3, "Z")]}
    database.run("UPDATE b SET v = 'last' WHERE id = 3; UPDATE b SET v = 'x' WHERE id = 1; DELETE FROM b WHERE id = 1")
    assert sync() == {"b": [(3, "last")]}


def test_another_server_whose_log_is_shorter(connection, postgres_server):
    """Everything is read again there, and what is read is later than what was."""
    one, two = postgres_server().database(), postgres_server().database()
    for server in (one, two):
        server.run("CREATE TABLE b (id int PRIMARY KEY, v text); INSERT INTO b VALUES (1, 'old'), (2, 'x')")
    one.run("SELECT pg_switch_wal(); INSERT INTO b VALUES (3, 'y'); DELETE FROM b WHERE id = 3; SELECT pg_switch_wal();"
            "INSERT INTO b VALUES (3, 'y'); DELETE FROM b WHERE id = 3")
    assert connection(one, ["b"])() == {"b": [(1, "old"), (2, "x")]}
    two.run("UPDATE b SET v = 'new' WHERE id = 1")
    end = "SELECT pg_current_wal_lsn()::pg_lsn - '0/0'"
    assert int(two.value(end)) < int(one.value(end))
    sync = connection(two, ["b"], invalid_cdc_cursor_position_behavior="Re-sync data")
    assert sync() == {"b": [(1, "new"), (2, "x")]}
    two.run("UPDATE b SET v = 'newer' WHERE id = 2; UPDATE b SET v = 'newest' WHERE id = 2; DELETE FROM b WHERE id = 1")
    assert sync() == {"b": [(2, "newest")]}
    two.run("INSERT INTO b VALUES (1, 'again')")
    assert sync() == {"b": [(1, "again"), (2, "newest")]}
