"""PostgreSQL to JSON lines and to DuckDB, and changes to a collection, beside PostgreSQL's own programs, in the same run.

A server of the bench's own, made by initdb; the table is 1,000,000 rows of ten mixed columns, the same each time."""

import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import statistics
import subprocess
import time

import table_peers

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
USER = "bench"
PYTHON = pathlib.Path(__file__).resolve().parent.parent / ".deps" / "python" / "bin" / "python"

# Deterministic: as long as it stays so, figures of different days are of the same bytes.
COLUMNS = """
    id bigint PRIMARY KEY, qty integer NOT NULL, amount numeric(12,2) NOT NULL, customer text, created_at timestamptz NOT NULL,
    paid boolean NOT NULL, meta jsonb, score double precision, ship_date date, ref uuid NOT NULL
"""
FILL = f"""
SET timezone = 'UTC';
INSERT INTO orders
SELECT i, ((i * 7919) % 1000)::int, (((i * 104729) % 10000000) / 100.0)::numeric(12,2),
    CASE WHEN i % 50 = 0 THEN NULL ELSE 'cust-' || substr(md5(i::text), 1, 15) END,
    timestamptz '2024-01-01 00:00:00+00' + (i::float8 * interval '1.234567 seconds'), (i % 3 = 0),
    jsonb_build_object('k', i % 100, 'tag', 't' || (i % 17), 'ok', i % 2 = 0),
    CASE WHEN i % 41 = 0 THEN NULL ELSE (i % 99991) / 7.0::float8 END,
    date '2024-01-01' + (i % 730)::int, md5('ref' || i::text)::uuid
FROM generate_series(1::bigint, {ROWS}::bigint) AS i;
"""


class Server:
    def __init__(self, folder):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parts[-2]))
        if not found:
            raise RuntimeError("PostgreSQL is not installed: run scripts/setup test")
        self.programs, self.folder = found[-1], folder
        self.user = {}
        if os.geteuid() == 0:  # PostgreSQL refuses root
            entry = pwd.getpwnam("postgres")
            self.user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            for each in (folder, *folder.parents):
                if each.stat().st_mode & 1 == 0:
                    raise RuntimeError(f"{each} is closed to other users, and PostgreSQL cannot run as root")
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        subprocess.run([self.programs / "initdb", "-D", folder / "data", "-U", USER, "--auth=trust", "--encoding=UTF8",
                        "--locale=C.UTF-8"], check=True, capture_output=True, cwd=folder, **self.user)
        settings = ["wal_level=logical", "fsync=on", "max_wal_size=4GB", "shared_buffers=256MB", "listen_addresses=127.0.0.1",
                    "unix_socket_directories="]
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", folder / "data", "-p", str(self.port),
                 *[word for each in settings for word in ("-c", each)]],
                stdout=log, stderr=log, cwd=folder, start_new_session=True, **self.user)
        while subprocess.run([self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                             check=False).returncode:
            if self.process.poll() is not None:
                raise RuntimeError((folder / "log").read_text())
            time.sleep(0.05)

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def psql(self, sql, **more):
        done = subprocess.run([self.programs / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                               str(self.port), "-U", USER, "-d", "postgres", "-f", "-"], input=sql.encode(), check=True,
                              **{"stdout": subprocess.PIPE, **more})
        return done.stdout.decode().strip() if done.stdout else ""


def timed(call, *args):
    started = time.monotonic()
    call(*args)
    return time.monotonic() - started


def lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


# --- whole tables ----------------------------------------------------------------------------------------------------


def sync(firth, server, folder, name, destination):
    """A connection's sync, both connectors and the task between them; the folder that it wrote to."""
    root, data = folder / name, folder / f"{name}-data"
    shutil.rmtree(root, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"connections": {"bench/orders": {
        "source": {"connector": {"image": "airbyte/source-postgres", "config": {
            "host": "127.0.0.1", "port": server.port, "database": "postgres", "username": USER, "ssl_mode": {"mode": "disable"}}}},
        "destination": {"connector": destination},
        "streams": [{"name": "orders", "syncMode": "full_refresh", "destinationSyncMode": "overwrite"}]}}}))
    subprocess.run([firth, "run", path, "--once", "--data-dir", data], check=True, capture_output=True,
                   env={**os.environ, "FIRTH_LOCAL_ROOT": str(root)})
    return root


def to_local_json(firth, server, folder):
    root = sync(firth, server, folder, "local", {"image": "airbyte/destination-local-json",
                                                 "config": {"destination_path": "/local/out"}})
    return lambda: lines(root / "out" / "_airbyte_raw_orders.jsonl")


def to_duckdb(firth, server, folder):
    root = sync(firth, server, folder, "duckdb", {"image": "airbyte/destination-duckdb",
                                                  "config": {"destination_path": "/local/out.duckdb"}})
    query = "import duckdb, sys; print(duckdb.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])"
    sql = "SELECT count(*) FROM public.orders WHERE typeof(id) = 'BIGINT' AND typeof(paid) = 'BOOLEAN' AND typeof(ship_date) = 'DATE'"
    return lambda: int(subprocess.run([PYTHON, "-c", query, root / "out.duckdb", sql], check=True, capture_output=True).stdout)


def bench_table(firth, server, folder, report, rounds):
    ways = {"Local JSON": (to_local_json, []), "DuckDB, typed": (to_duckdb, [])}
    if not (firth.parent / "firth-destination-duckdb").exists():
        del ways["DuckDB, typed"]
    peers = [(*each, []) for each in table_peers.installed() if each[0] in ways]
    copies, rows = [], []
    for _ in range(rounds):
        copies.append(timed(server.psql, "\\copy orders TO '/dev/null'\n"))
        for call, times in ways.values():
            started = time.monotonic()
            count = call(firth, server, folder)
            times.append(time.monotonic() - started)
            if (found := count()) != ROWS:
                raise RuntimeError(f"{found} of {ROWS} rows arrived")
        for _, name, call, _, times in peers:
            started = time.monotonic()
            count = call(server, USER, folder)
            times.append(time.monotonic() - started)
            if (found := count()) != ROWS:
                raise RuntimeError(f"{name}: {found} of {ROWS} rows arrived")
        with open(folder / "rows.jsonl", "wb") as file:
            rows.append(timed(lambda out: server.psql("COPY (SELECT row_to_json(o) FROM orders o) TO STDOUT;", stdout=out), file))
    limit, peer = statistics.median(copies), statistics.median(rows)
    for name, (_, times) in ways.items():
        mine = statistics.median(times)
        report.line(f"PostgreSQL to {name}, {ROWS:,} rows", f"{mine:.2f} s ({ROWS / mine:,.0f} rows/s)",
                    f"\\copy to /dev/null {limit:.2f} s", f"{mine / limit:.2f}", "at most 2.5", mine <= 2.5 * limit)
    for way, name, _, factor, times in peers:
        mine, other = statistics.median(ways[way][1]), statistics.median(times)
        report.line(f"to {way}", f"{mine:.2f} s", f"{name} {other:.2f} s", f"{other / mine:.1f}", f"at least {factor}",
                    other >= factor * mine)
    mine = statistics.median(ways["Local JSON"][1])
    report.line("to Local JSON", f"{mine:.2f} s", f"row_to_json to a file {peer:.2f} s", f"{mine / peer:.2f}", "below 1", mine < peer)


# --- changes ---------------------------------------------------------------------------------------------------------


def documents(firth, data):
    done = subprocess.run([firth, "status", "-o", "json", "--data-dir", data], check=False, capture_output=True)
    tasks = json.loads(done.stdout)["tasks"] if done.returncode == 0 else []
    return sum(c["documents"] for t in tasks for c in t["collections"])


def run_until(firth, path, data, count):
    process = subprocess.Popen([firth, "run", path, "--data-dir", data], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while documents(firth, data) < count:
        if process.poll() is not None:
            raise RuntimeError("the capture ended")
        time.sleep(0.05)
    process.terminate()
    process.wait()


def capture(firth, server, folder, slot):
    config = {"address": f"127.0.0.1:{server.port}", "user": USER, "database": "postgres",
              "advanced": {"slotName": slot, "publicationName": "p", "sslmode": "disable"}}
    request = json.dumps({"discover": {"config": config}}) + "\n"
    done = subprocess.run([firth, "connector", "source-postgres"], input=request, check=True, capture_output=True, text=True,
                          env={**os.environ, "FLOW_RUNTIME_CODEC": "json"})
    binding = next(b for b in json.loads(done.stdout)["discovered"]["bindings"] if b["resourcePath"][-1] == "orders")
    path = folder / "capture.json"
    path.write_text(json.dumps({
        "collections": {"bench/orders": {"schema": binding["documentSchema"], "key": binding["key"]}},
        "captures": {"bench/pg": {"endpoint": {"connector": {"image": "ghcr.io/estuary/source-postgres:dev", "config": config}},
                                  "bindings": [{"resource": binding["resourceConfig"], "target": "bench/orders"}]}}}))
    return path


def bench_changes(firth, server, folder, report, rounds):
    """One transaction of all rows, drained from a slot that was there before it."""
    ours, peers = [], []
    for n in range(rounds):
        server.psql(f"DROP PUBLICATION IF EXISTS p; DROP TABLE orders; CREATE TABLE orders ({COLUMNS});"
                    "CREATE PUBLICATION p FOR TABLE orders")
        data = folder / f"cdc-{n}"
        path = capture(firth, server, folder, f"ours_{n}")
        server.psql(f"INSERT INTO orders SELECT 0, 0, 0, '', now(), true, '{{}}', 0, now()::date, gen_random_uuid()")
        run_until(firth, path, data, 1)
        server.psql(f"SELECT pg_create_logical_replication_slot('peer_{n}', 'pgoutput')", stdout=subprocess.DEVNULL)
        server.psql(FILL)
        end = server.psql("SELECT pg_current_wal_lsn()")
        drain = [server.programs / "pg_recvlogical", "-h", "127.0.0.1", "-p", str(server.port), "-U", USER, "-d", "postgres",
                 "-S", f"peer_{n}", "--start", "-f", folder / "pgoutput", "-o", "proto_version=1", "-o", "publication_names=p",
                 "-E", end]
        peers.append(timed(lambda: subprocess.run(drain, check=True, capture_output=True)))
        ours.append(timed(run_until, firth, path, data, ROWS + 1))
        server.psql(f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active",
                    stdout=subprocess.DEVNULL)
        (folder / "pgoutput").unlink()
    mine, limit = statistics.median(ours), statistics.median(peers)
    report.line(f"changes to a collection, {ROWS:,} inserted rows", f"{mine:.2f} s ({ROWS / mine:,.0f} rows/s)",
                f"pg_recvlogical, pgoutput to a file {limit:.2f} s", f"{mine / limit:.2f}", "at most 1.2", mine <= 1.2 * limit)


def bench(firth, folder, report, rounds):
    place = folder / "postgres"
    place.mkdir()
    server = Server(place)
    try:
        server.psql(f"CREATE TABLE orders ({COLUMNS})")
        server.psql(FILL + "VACUUM ANALYZE orders;")
        bench_table(firth, server, folder, report, rounds)
        bench_changes(firth, server, folder, report, rounds)
    finally:
        server.stop()
