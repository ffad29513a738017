"""Others that copy a table from PostgreSQL: sling and dlt, as `scripts/setup bench` installs them. Each call writes into a
folder that is its own and gives a function that counts what arrived there."""

import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
SLING = next((ROOT / ".deps" / "sling").glob("lib/python3*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"), None)
DUCKDB = next((ROOT / ".deps" / "sling").glob("lib/python3*/site-packages/duckdb_cli/duckdb"), None)
DLT = ROOT / ".deps" / "dlt" / "bin" / "python"
COUNT = "SELECT count(*) FROM {} WHERE typeof(id) = 'BIGINT' AND typeof(paid) = 'BOOLEAN' AND typeof(ship_date) = 'DATE'"


def fresh(folder, name):
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    return place


def sling(server, user, place, *target, **env):
    done = subprocess.run(
        [SLING, "run", "--src-conn", f"postgres://{user}@127.0.0.1:{server.port}/postgres?sslmode=disable", "--src-stream",
         "public.orders", *target], capture_output=True, check=False,
        env={**os.environ, "HOME": str(place), "SLING_HOME_DIR": str(place), "SLING_DISABLE_TELEMETRY": "true", **env})
    if done.returncode:
        raise RuntimeError(f"sling: {(done.stdout + done.stderr).decode()}")


def sling_to_json(server, user, folder):
    place = fresh(folder, "sling-json")
    path = place / "orders.jsonl"
    sling(server, user, place, "--tgt-object", path.as_uri(), "--tgt-options", "{format: jsonlines, file_max_rows: 0}")

    def count():
        with open(path, "rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))

    return count


def sling_to_duckdb(server, user, folder):
    place = fresh(folder, "sling-duckdb")
    path = place / "orders.duckdb"
    sling(server, user, place, "--tgt-conn", "BENCH", "--tgt-object", "main.orders", "--mode", "full-refresh",
          BENCH=f'{{"type": "duckdb", "instance": "{path}", "copy_method": "csv_files"}}', DUCKDB_PATH=str(PEERS / "sling" / "duckdb"),
          BENCH_DUCKDB_PROGRAM=str(DUCKDB))
    return lambda: int(subprocess.run([DUCKDB, "-csv", "-noheader", path, COUNT.format("main.orders")], check=True,
                                      capture_output=True).stdout)


def dlt_to_duckdb(server, user, folder):
    place = fresh(folder, "dlt-duckdb")
    path = place / "orders.duckdb"
    done = subprocess.run([DLT, PEERS / "dlt" / "orders.py", f"postgresql://{user}@127.0.0.1:{server.port}/postgres", path, place],
                          capture_output=True, check=False,
                          env={**os.environ, "HOME": str(place), "RUNTIME__DLTHUB_TELEMETRY": "false"})
    if done.returncode:
        raise RuntimeError(f"dlt: {(done.stdout + done.stderr).decode()}")
    query = "import duckdb, sys; print(duckdb.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])"
    return lambda: int(subprocess.run([DLT, "-c", query, path, COUNT.format("public.orders")], check=True, capture_output=True).stdout)


# (the way of Firth's that it is beside, its name, how, so many times faster Firth is to be)
ALL = [("Local JSON", "sling to JSON lines", sling_to_json, 5), ("DuckDB, typed", "sling to DuckDB", sling_to_duckdb, 4),
       ("DuckDB, typed", "dlt (connectorx) to DuckDB", dlt_to_duckdb, 2)]


def installed():
    return ALL if SLING and DUCKDB and DLT.exists() else []
