"""The fixture of tests/postgres.py: a server of the test's own."""

import pathlib
import subprocess

from conftest import until


def test_a_server_of_its_own(postgres):
    assert postgres.value("SHOW wal_level") == "logical"
    postgres.run("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (2, NULL)")
    assert postgres.rows("SELECT * FROM t ORDER BY a") == [["1", "x"], ["2", ""]]
    before = postgres.port
    postgres.server.restart()
    assert postgres.port == before and postgres.value("SELECT count(*) FROM t") == "2"
    pid = postgres.server.process.pid
    postgres.server.kill()
    assert not pathlib.Path(f"/proc/{pid}").exists()


def test_a_password_is_asked_for(postgres):
    done = subprocess.run(postgres.psql("-h", postgres.host, "-c", "SELECT 1"), env={"PGPASSWORD": "wrong", "PATH": "/usr/bin"},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "password authentication failed" in done.stderr


def test_databases_are_apart(database, postgres_shared):
    other = postgres_shared.database("postgres")
    database.run("CREATE TABLE only_here ()")
    assert database.value("SELECT count(*) FROM pg_class WHERE relname = 'only_here'") == "1"
    assert other.value("SELECT count(*) FROM pg_class WHERE relname = 'only_here'") == "0"


def test_an_open_transaction(database):
    database.run("CREATE TABLE t (a int)")
    session = database.interactive()
    session.stdin.write("BEGIN; INSERT INTO t VALUES (1); SELECT 'done';\n")
    assert session.stdout.readline() == "done\n"
    assert database.value("SELECT count(*) FROM t") == "0"
    session.stdin.write("COMMIT;\n")
    session.stdin.close()
    assert session.wait(30) == 0
    until(lambda: database.value("SELECT count(*) FROM t") == "1", "the commit")
