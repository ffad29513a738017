"""The API's load: many connections defined, many syncs queued, some of them running; and small syncs for a long time.

Lists are asked for over HTTP by one client, one after the other, while the syncs run. The soak syncs a few connections
again and again and samples what the daemon takes: what grows from the first quarter to the last is a leak."""

import base64
import http.client
import json
import os
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys
import time

CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", "1000"))
QUEUED, RUNNING = 200, 16
ASKED = 100  # of each list
SOAK_SECONDS = int(os.environ.get("BENCH_SOAK", "120"))
WORKSPACE = "5ae6b09b-fdec-41af-aaf7-7d94cfc33ef6"

# As little as a connector can be: what is measured is the daemon.
SOURCE = """#!/bin/sh
case $1 in
spec) echo '{"type":"SPEC","spec":{"connectionSpecification":{"type":"object"}}}' ;;
check) echo '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}' ;;
read) echo '{"type":"RECORD","record":{"stream":"users","emitted_at":1,"data":{"id":1}}}'
      echo '{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"users"},"stream_state":{"n":1}}}}'
      [ "$PACE" = 0 ] || sleep "$PACE" ;;
esac
"""
DESTINATION = """#!/bin/sh
case $1 in
spec) echo '{"type":"SPEC","spec":{"connectionSpecification":{"type":"object"}}}' ;;
check) echo '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}' ;;
write) while read -r line; do case $line in *'"STATE"'*) echo "$line" ;; esac; done ;;
esac
"""
LISTS = {
    "connections/list": {"workspaceId": WORKSPACE},
    "web_backend/connections/list": {"workspaceId": WORKSPACE},
    "jobs/list": {"configTypes": ["sync"], "pagination": {"pageSize": 20, "rowOffset": 0}},
    "sources/list": {"workspaceId": WORKSPACE},
}


class Daemon:
    def __init__(self, firth, folder, connections, pace):
        self.firth, self.data = firth, folder / "data"
        folder.mkdir()
        for name, text in (("source", SOURCE.replace("$PACE", str(pace))), ("destination", DESTINATION)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        columns = {f"column_{n}": {"type": ["null", "string"]} for n in range(20)}
        stream = {"stream": {"name": "users", "jsonSchema": {"type": "object", "properties": columns},
                             "supportedSyncModes": ["full_refresh", "incremental"], "sourceDefinedCursor": True},
                  "config": {"syncMode": "incremental", "destinationSyncMode": "append", "selected": True}}
        file = folder / "connections.yaml"
        file.write_text(json.dumps({
            "definitions": [{"name": kind, "kind": kind, "command": [str(folder / kind)]} for kind in ("source", "destination")],
            "sources": [{"name": f"s{n}", "definition": "source", "config": {"n": n}} for n in range(connections)],
            "destinations": [{"name": f"d{n}", "definition": "destination", "config": {"n": n}} for n in range(connections)],
            "connections": [{"name": f"c{n}", "source": f"s{n}", "destination": f"d{n}", "catalog": {"streams": [stream]}}
                            for n in range(connections)]}))
        self.run("apply", str(file))
        with self.database() as db:
            self.ids = [row for row, in db.execute("select id from connections order by name")]
        # A file, not a pipe that nobody reads: what it says must not make it wait.
        self.log = folder / "daemon.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([firth, "serve", "--data-dir", self.data, "--listen", "127.0.0.1:0", "--jobs", str(RUNNING)],
                                            stdout=log, stderr=log)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port(), timeout=60)

    def run(self, *words):
        return subprocess.run([self.firth, *words, "--data-dir", self.data], check=True, capture_output=True, text=True).stdout

    def database(self):
        return sqlite3.connect(f"file:{self.data}/control.db?mode=ro", uri=True, timeout=30)

    def port(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = re.search(r"the API at http://127\.0\.0\.1:(\d+)", self.log.read_text())
            if found:
                return int(found.group(1))
            time.sleep(0.01)
        raise RuntimeError(f"the daemon does not answer: {self.log.read_text()}")

    def ask(self, path, body):
        """Milliseconds, and the answer."""
        authorization = "Basic " + base64.b64encode(b"airbyte:password").decode()
        started = time.monotonic()
        self.connection.request("POST", f"/api/v1/{path}", json.dumps(body),
                                {"Content-Type": "application/json", "Authorization": authorization})
        answer = self.connection.getresponse()
        text = answer.read()
        took = 1000 * (time.monotonic() - started)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {text[:300]}")
        return took, json.loads(text)

    def counts(self):
        """Jobs that wait, that run, that are over."""
        with self.database() as db:
            by = dict(db.execute("select status, count(*) from jobs group by status"))
        return by.get(0, 0) + by.get(2, 0), by.get(1, 0), sum(by.get(each, 0) for each in (3, 4, 5))

    def usage(self):
        """Resident MiB, descriptors, files in the data directory, rows of jobs and attempts, MiB of the control store."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        with self.database() as db:
            rows = db.execute("select (select count(*) from jobs) + (select count(*) from attempts)").fetchone()[0]
        return {"MiB": int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024,
                "descriptors": len(os.listdir(f"/proc/{self.process.pid}/fd")),
                "files": sum(len(files) for _, _, files in os.walk(self.data)), "rows": rows,
                "control store MiB": sum(each.stat().st_size for each in self.data.glob("control.db*")) / 2**20}

    def stop(self):
        self.process.terminate()
        self.process.wait()


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def bench(firth, folder, report):
    """Lists while 16 of 200 queued syncs run, and what the daemon takes meanwhile."""
    daemon = Daemon(firth, folder / "load", CONNECTIONS, 20)
    try:
        for each in daemon.ids[:QUEUED]:  # over HTTP each would be waited for, a little: a client wants to see it run
            daemon.run("job", "start", each)
        end = time.monotonic() + 120
        while daemon.counts()[1] < RUNNING and time.monotonic() < end:
            time.sleep(0.05)
        waiting, running, _ = daemon.counts()
        took = {path: [] for path in LISTS}
        most = 0
        for _ in range(ASKED):
            for path, body in LISTS.items():
                took[path].append(daemon.ask(path, body)[0])
            most = max(most, daemon.usage()["MiB"])
        setting = f"{CONNECTIONS:,} connections, {running} syncs running, {waiting} queued"
        for path, values in took.items():
            median, late = statistics.median(values), percentile(values, 0.99)
            report.line(f"{path}, {setting}", f"median {median:.1f} ms, 99% {late:.1f} ms", "no peer", "-", "50 ms both", late < 50)
        report.line(f"the daemon, {setting}", f"{most:.0f} MiB", "no peer", "-", "150 MiB", most < 150)
    finally:
        daemon.stop()


def soak(firth, folder, report):
    """Small syncs, one after the other, jobs kept to a few so that rows and files have a bound to keep."""
    daemon = Daemon(firth, folder / "soak", 8, 0)
    try:
        with sqlite3.connect(f"{daemon.data}/control.db", timeout=30) as db:
            db.execute("insert or replace into settings (name, value) values ('jobs.keep', '5')")
        samples, end, due, took = [], time.monotonic() + SOAK_SECONDS, 0, []
        while time.monotonic() < end:
            with daemon.database() as db:
                busy = {row for row, in db.execute("select connection from jobs where status < 3")}
            for each in daemon.ids:
                if each not in busy:
                    daemon.ask("connections/sync", {"connectionId": each})
            took.append(daemon.ask("jobs/list", LISTS["jobs/list"])[0])
            if time.monotonic() >= due:
                samples.append({**daemon.usage(), "jobs/list ms": statistics.median(took)})
                took.clear()
                due = time.monotonic() + max(SOAK_SECONDS / 60, 0.5)
            time.sleep(0.05)
        with daemon.database() as db:
            syncs, failed = db.execute("select max(id), count(*) filter (where status = 3) from jobs").fetchone()
    finally:
        daemon.stop()
    quarter = max(len(samples) // 4, 1)
    # Jobs that are over go when 200 more are: rows and files go up and down by so many.
    for name, room in (("MiB", 4), ("descriptors", 8), ("files", 600), ("rows", 400), ("control store MiB", 2), ("jobs/list ms", 5)):
        first = statistics.median(sample[name] for sample in samples[quarter:2 * quarter])
        last = statistics.median(sample[name] for sample in samples[-quarter:])
        report.line(f"soak, {SOAK_SECONDS} s, {syncs} syncs ({failed} failed), {name}", f"{first:.1f}, then {last:.1f}", "no peer", "-",
                    f"no more than {room} more", last - first <= room and not failed)


if __name__ == "__main__":
    sys.exit("bench/run server")
