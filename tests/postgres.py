"""A real PostgreSQL for tests: a server of the test's own, on a free port, in its own directory, ended by it.

    def test_x(postgres):              # a server for this test alone: it may be stopped, killed, filled
        postgres.run("CREATE TABLE t (id int PRIMARY KEY)")
        assert postgres.rows("SELECT 1, 'a'") == [["1", "a"]]

    def test_y(database):              # a database of the session's shared server: quicker
        database.run("…")

Both are `Database`s: host, port, name, user, password, run, rows, value. A `postgres` has `server` too:
stop, start, kill, restart. FIRTH_TEST_POSTGRES=10 takes the server of that release (.deps/postgres/10, from scripts/setup)
instead of the system's. The cluster is made once a run (initdb) and copied. wal_level is logical; passwords are
asked for (scram-sha-256), but of the methods above and psql, which come by a socket in the server's folder: that takes half the time. Servers
run as another user if the tests run as root."""

import fcntl
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid

import pytest

import libpq
from conftest import ROOT, until

USER, PASSWORD = "firth", "not a secret: ☃'\\ "
SETTINGS = """
listen_addresses = '127.0.0.1'
fsync = off
shared_buffers = 32MB
max_connections = 60
wal_level = logical
max_wal_senders = 20
max_replication_slots = 20
max_prepared_transactions = 5
log_line_prefix = '%m %p '
timezone = 'Asia/Kolkata'
"""
# The time zone, like the date style that some tests set, is one that nothing may depend on.


def server_programs():
    """The folder of initdb and postgres."""
    release = os.environ.get("FIRTH_TEST_POSTGRES")
    return ROOT / ".deps" / "postgres" / release / "bin" if release else programs()


def programs():
    """The folder of psql."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    path = found[-1] if found else shutil.which("postgres")
    if not path:
        pytest.fail("PostgreSQL is not installed: run scripts/setup test")
    return pathlib.Path(path).parent


def unprivileged():
    """As whom the server runs: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    pytest.fail("PostgreSQL refuses to run as root, and there is neither a user 'postgres' nor 'nobody'")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def psql_environment():
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**env, "PGPASSWORD": PASSWORD, "PGCONNECT_TIMEOUT": "20"}


class Database:
    """A database and how to reach it."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.host, self.user, self.password = "127.0.0.1", USER, PASSWORD

    @property
    def port(self):
        return self.server.port

    def psql(self, *args, **more):
        """Arguments of psql, for what the methods below do not do."""
        return [str(self.server.programs / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.server.folder),
                "-p", str(self.port), "-U", more.get("user", self.user), "-d", self.name, *args]

    def run(self, sql, user=None):
        """Execute; the rows as texts."""
        return libpq.execute(sql, host=self.server.folder, port=self.port, user=user or self.user, dbname=self.name,
                             connect_timeout=20)

    def rows(self, sql):
        """The rows, each a list of texts; a null is ''."""
        text = self.run(sql).removesuffix("\n")
        return [row.split(libpq.FIELDS) for row in text.split(libpq.ROWS)] if text else []

    def value(self, sql):
        (row,) = self.rows(sql)
        assert len(row) == 1, row
        return row[0]

    def interactive(self):
        """A psql that goes on: for transactions that stay open. Write SQL to stdin, read stdout."""
        return subprocess.Popen(self.psql("-A", "-t"), env=psql_environment(), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)


class Server:
    """A PostgreSQL that runs in `folder`, a copy of the template cluster."""

    def __init__(self, template, folder, **settings):
        self.programs, self.as_user = programs(), unprivileged()
        self.folder, self.log, self.process = pathlib.Path(folder), pathlib.Path(folder, "log"), None
        self.data = self.folder / "data"
        self.port = free_port()
        self.log.touch()
        give(self.folder, self.as_user)
        subprocess.run(["cp", "-a", template, self.data], check=True)  # whose the template is
        text = SETTINGS + "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        with open(self.data / "postgresql.conf", "a") as file:
            file.write(text)

    def start(self):
        for attempt in range(5):
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    [str(server_programs() / "postgres"), "-D", str(self.data), "-p", str(self.port), "-k", str(self.folder)],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self.as_user)
            if until(self._answers, f"PostgreSQL in {self.folder}") != "ended":
                return self
            if "could not bind" not in self.log.read_text(errors="replace") or attempt == 4:
                break
            self.port = free_port()
        pytest.fail("PostgreSQL does not start:\n" + self.log.read_text(errors="replace")[-4000:])

    def _answers(self):
        if self.process.poll() is not None:
            return "ended"
        try:
            told = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        return "yes" if told[:1] == [str(self.process.pid)] and told[7:8] == ["ready   "] else None

    def stop(self, how=signal.SIGINT):
        """SIGINT: fast shutdown; SIGQUIT: at once, with recovery at the next start."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None

    def kill(self):
        self.stop(signal.SIGQUIT)

    def restart(self):
        self.stop()
        return self.start()

    def database(self, name="firth"):
        return Database(self, name)


def give(folder, as_user):
    if not as_user:
        return
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, as_user["user"], as_user["group"], follow_symlinks=False)


@pytest.fixture(scope="session")
def postgres_folder():
    """Not below pytest's own: that is closed to other users, and its path may be long."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="firth-pg-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_folder):
    """A cluster with the user and the database `firth`, made once: by whichever pytest of a tests/run wants one first."""
    name = "template-" + os.environ.get("FIRTH_TEST_POSTGRES", "newest")
    folder = pathlib.Path(os.environ.get("FIRTH_TEST_SHARED") or postgres_folder, name)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            make_template(folder)
            (folder / "made").touch()
    return folder / "data"


def make_template(folder):
    as_user = unprivileged()
    folder.mkdir()
    (folder / "password").write_text(PASSWORD + "\n")
    give(folder, as_user)
    done = subprocess.run(
        [str(server_programs() / "initdb"), "-D", str(folder / "data"), "--no-sync", "-U", USER,
         "--auth-host=scram-sha-256", "--auth-local=trust", f"--pwfile={folder / 'password'}", "--encoding=UTF8", "--locale=C.UTF-8"],
        capture_output=True, text=True, check=False, cwd=folder, **as_user)
    assert done.returncode == 0, done.stderr
    with open(folder / "data" / "pg_hba.conf", "a") as file:
        file.write("host replication all 127.0.0.1/32 scram-sha-256\n")


@pytest.fixture
def postgres_server(postgres_folder, postgres_template):
    """Makes servers of this test's own: postgres_server(max_connections=10) -> Server, started."""
    servers = []

    def make(**settings):
        folder = postgres_folder / uuid.uuid4().hex[:8]
        folder.mkdir()
        servers.append(Server(postgres_template, folder, **settings))
        servers[-1].start().database("postgres").run("CREATE DATABASE firth")
        return servers[-1]

    yield make
    for server in servers:
        server.kill()
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server):
    """A server of this test's own."""
    return postgres_server().database()


@pytest.fixture(scope="session")
def postgres_shared(postgres_folder, postgres_template):
    folder = postgres_folder / "shared"
    folder.mkdir()
    server = Server(postgres_template, folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


def drop(maintenance, name):
    if int(maintenance.value("SHOW server_version_num")) >= 130000:
        maintenance.run(f"DROP DATABASE {name} WITH (FORCE)")
        return
    maintenance.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def dropped():
        done = subprocess.run(maintenance.psql("-c", f"DROP DATABASE {name}"), env=psql_environment(), capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0 or "being accessed by other users" in done.stderr, done.stderr
        return done.returncode == 0

    until(dropped, f"database {name} to be dropped")


@pytest.fixture
def database(postgres_shared):
    """A new database of the server that all tests of the session share."""
    name = "d" + uuid.uuid4().hex[:12]
    maintenance = postgres_shared.database("postgres")
    copied = " STRATEGY file_copy" if int((postgres_shared.data / "PG_VERSION").read_text()) >= 15 else ""  # not by its log
    maintenance.run(f"CREATE DATABASE {name}{copied}")
    yield postgres_shared.database(name)
    # Who reads from a slot may not have noticed yet that its reader was killed.
    until(lambda: not maintenance.rows(
        "SELECT slot_name || CASE WHEN active THEN pg_terminate_backend(active_pid)::text ELSE pg_drop_replication_slot(slot_name)::text END "
        f"FROM pg_replication_slots WHERE database = '{name}'"), f"the slots of {name} to be dropped")
    drop(maintenance, name)
