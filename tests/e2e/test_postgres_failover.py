"""source-postgres and what becomes of servers: one that dies, a standby that is read, one that takes over."""

import shutil
import subprocess

import pytest

from conftest import until
from connector_suite.flow import FlowRunner
from e2e.postgres_source import flow_config, runner
from e2e.test_postgres_cdc import Capture, failure
from postgres import PASSWORD, USER, give, psql_environment


@pytest.fixture
def flow(firth):
    return FlowRunner(runner(firth))


def standby_of(primary, make, **settings):
    """A copy of the stopped server's data that follows it from then on."""
    standby = make()
    standby.stop()
    primary.stop()
    shutil.rmtree(standby.data)
    shutil.copytree(primary.data, standby.data, symlinks=True)
    shutil.rmtree(standby.data / "pg_replslot")
    (standby.data / "pg_replslot").mkdir(mode=0o700)
    primary.start()
    (standby.data / "standby.signal").touch()
    escaped = PASSWORD.replace("\\", "\\\\").replace("'", "\\'").replace("'", "''").replace("\\", "\\\\")
    with open(standby.data / "postgresql.conf", "a") as file:
        file.write(f"primary_conninfo = 'host=127.0.0.1 port={primary.port} user={USER} password=''{escaped}'''\n")
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    give(standby.folder, standby.as_user)
    standby.start()
    assert standby.database().value("SELECT pg_is_in_recovery()") == "t"
    return standby


def ids(capture):
    return [d["id"] for d in capture.docs()]


def test_a_server_that_dies(flow, postgres):
    """It recovers from its log: what it had committed comes once, what it had not does not."""
    postgres.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    capture = Capture(flow, flow_config(postgres)).start()
    capture.until(lambda docs: len(docs) == 1)
    for n in (2, 5):
        postgres.run(f"INSERT INTO t VALUES ({n})")
        capture.until(lambda docs: docs[-1][1]["id"] == n)  # noqa: B023
        open_one = postgres.interactive()
        open_one.stdin.write(f"BEGIN; INSERT INTO t VALUES ({n + 100}); SELECT 'in';\n")
        assert open_one.stdout.readline() == "in\n"
        postgres.run(f"INSERT INTO t VALUES ({n + 1})")
        postgres.server.kill()
        while capture.step():
            pass
        rc, _, err = capture.talk.end()
        assert rc == 1 and "connection" in err
        open_one.stdin.close()
        open_one.wait(30)
        postgres.server.start()
        postgres.run(f"INSERT INTO t VALUES ({n + 2})")
        capture.group = []
        capture.start().until(lambda docs: docs[-1][1]["id"] == n + 2)  # noqa: B023
    capture.kill()
    assert ids(capture) == [1, 2, 3, 4, 5, 6, 7]


def test_a_standby_that_takes_over(flow, postgres, postgres_server):
    """It has the tables and not the slot: what it misses cannot be known, and it is said so."""
    postgres.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    standby = standby_of(postgres.server, postgres_server)
    capture = Capture(flow, flow_config(postgres)).start()
    capture.until(lambda docs: len(docs) == 1)
    postgres.run("INSERT INTO t VALUES (2)")
    capture.until(lambda docs: len(docs) == 2)
    capture.kill()
    database = standby.database()
    until(lambda: database.value("SELECT count(*) FROM t") == "2", "the standby to follow")
    postgres.server.kill()
    assert database.value("SELECT pg_promote()") == "t"
    database.run("INSERT INTO t VALUES (3)")
    capture.config = flow_config(database)
    said = failure(flow, capture.config, capture.bindings, capture.state)
    assert 'the replication slot "flow_slot" is gone' in said and "backfill" in said
    again = Capture(flow, capture.config).start()
    again.until(lambda docs: len(docs) == 3)
    database.run("INSERT INTO t VALUES (4)")
    again.until(lambda docs: len(docs) == 4)
    again.kill()
    assert ids(again) == [1, 2, 3, 4]


def test_a_standby_that_lagged_takes_over(flow, postgres, postgres_server):
    """It has a slot of the same name, as failover slots have, and not all that was read of the old primary: what it has in its
    place must not be taken for what followed."""
    postgres.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE other (pad text)")
    pad = "INSERT INTO other SELECT repeat('x', 1000) FROM generate_series(1, {})"  # as many KB of log
    capture = Capture(flow, flow_config(postgres), tables=["t"]).start()
    capture.until(lambda docs: len(docs) == 1)
    capture.kill()
    standby = standby_of(postgres.server, postgres_server)
    database = standby.database()
    database.run("ALTER SYSTEM SET primary_conninfo = ''; SELECT pg_reload_conf()")
    until(lambda: database.value("SELECT count(*) FROM pg_stat_wal_receiver") == "0", "the standby to be cut off")
    early = capture.state
    postgres.run(pad.format(4000) + "; INSERT INTO t VALUES (2)")
    capture.start().until(lambda docs: len(docs) == 2)
    capture.kill()
    postgres.server.kill()
    assert database.value("SELECT pg_promote()") == "t"
    database.run("SELECT pg_create_logical_replication_slot('flow_slot', 'pgoutput')")
    config = flow_config(database)
    end = "its log ends at "
    said = failure(flow, config, capture.bindings, capture.state)
    assert "the server does not have all that was read: " + end in said and "backfill" in said
    database.run(pad.format(8000))  # past where the other was
    said = failure(flow, config, capture.bindings, capture.state)
    assert "it took over at " in said and "(timeline 2 follows 1), and this capture has read up to" in said and "backfill" in said
    # What it had is followed: but for the slot, which was made later.
    assert "but this capture has read only up to" in failure(flow, config, capture.bindings, early)
    capture.state["sharedStateV1"]["timeline"] = 7
    assert "does not follow timeline 7" in failure(flow, config, capture.bindings, capture.state)


def test_changes_of_a_standby(flow, postgres, postgres_server):
    """From 16 on, with the publication of the primary and a slot that somebody made on the standby."""
    if int(postgres.value("SHOW server_version_num")) < 160000:
        pytest.skip("test_postgres_versions.py runs this with a server that can")
    postgres.run("CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t VALUES (1, 'a');"
                 "CREATE PUBLICATION flow_publication FOR TABLE t")
    standby = standby_of(postgres.server, postgres_server, hot_standby_feedback="on")
    database = standby.database()
    making = subprocess.Popen(database.psql("-c", "SELECT pg_create_logical_replication_slot('flow_slot', 'pgoutput')"),
                              env=psql_environment(), stdout=subprocess.DEVNULL)

    def made():
        """The standby waits for the primary to say what runs there."""
        postgres.run("SELECT pg_log_standby_snapshot()")
        return making.poll() is not None

    until(made, "the standby to make its slot")
    assert making.returncode == 0
    capture = Capture(flow, flow_config(database, advanced={"read_only_capture": True})).start()
    capture.until(lambda docs: len(docs) == 1)
    postgres.run("INSERT INTO t VALUES (2, 'b'); UPDATE t SET x = 'c' WHERE id = 1")
    capture.until(lambda docs: len(docs) == 3)
    capture.kill()
    postgres.run("DELETE FROM t WHERE id = 2")
    capture.start().until(lambda docs: len(docs) == 4)
    capture.kill()
    assert [(d["_meta"]["op"], d["id"], d.get("x")) for d in capture.docs()] == [("c", 1, "a"), ("c", 2, "b"), ("u", 1, "c"), ("d", 2, None)]
    # One that has not replayed so far, as after a crash, will have in a while: nothing is read again for that.
    capture.state["sharedStateV1"]["lsn"] = "7FFFFFFF/0"
    assert "the standby is behind: its log ends at " in failure(flow, capture.config, capture.bindings, capture.state)
