"""Connections of the control store and their jobs, without HTTP: `firth apply`, `firth job`, and what the database has."""

import json
import sqlite3

import scripted
from conftest import until

OVER = ("succeeded", "failed", "cancelled")


def definition(name, kind, program):
    return {"name": name, "kind": kind, "command": scripted.command(program)}


def stream(name, sync="incremental", destination="append", **config):
    return {"stream": {"name": name, "jsonSchema": {"type": "object", "properties": {"id": {"type": "integer"}, "name": {}}},
                       "supportedSyncModes": ["full_refresh", "incremental"], "sourceDefinedCursor": True,
                       **config.pop("stream", {})},
            "config": {"syncMode": sync, "destinationSyncMode": destination, "selected": True, **config}}


def records(first, last, name="users", **more):
    return [{"records": {"stream": name, "from": first, "to": last, **more}}, {"state": {"stream": name, "n": last}}]


def write(tmp_path, steps, name="test", streams=None, source=None, destination=None, workspaces=None, **connection):
    """A file of one connection between the scripted source and destination."""
    path = tmp_path / f"{name}.yaml"
    path.write_text(json.dumps({
        "workspaces": workspaces or [],
        "definitions": [definition("scripted source", "source", "scripted_source"),
                        definition("scripted destination", "destination", "scripted_destination")],
        "sources": [{"name": f"{name} source", "definition": "scripted source",
                     "config": {"streams": ["users"], "steps": steps, "seen": str(tmp_path / "seen"), **(source or {})}}],
        "destinations": [{"name": f"{name} destination", "definition": "scripted destination",
                          "config": {"out": str(tmp_path / f"{name}.out"), **(destination or {})}}],
        "connections": [{"name": name, "source": f"{name} source", "destination": f"{name} destination",
                         "catalog": {"streams": streams or [stream("users")]}, **connection}]}))
    return path


def settings(firth, **values):
    """Of the runner: attempts_max=2, …; the daemon reads them when something changes."""
    with sqlite3.connect(f"{firth.data_dir}/control.db") as db:
        for name, value in values.items():
            db.execute("insert or replace into settings (name, value) values (?, ?)", (f"jobs.{name}", str(value)))


def apply(firth, path, **values):
    firth("apply", path, expect=0)
    settings(firth, backoff_ms=50, backoff_max_ms=200, **values)


def serve(firth, *args, **more):
    daemon = firth.start("serve", *args, **more)
    daemon.wait_for_line("serving ")
    return daemon


def start(firth, name="test", *args):
    return int(firth("job", "start", name, *args, expect=0).out)


def show(firth, job):
    return firth("job", "show", str(job), expect=0).json()


def wait(firth, job, *statuses):
    """The job, once it has one of these statuses (default: it is over)."""
    def read():
        found = show(firth, job)
        return found if found["status"] in (statuses or OVER) else None
    return until(read, f"job {job} to be {statuses or OVER}")


def received(tmp_path, name="test"):
    """The lines that the destination got."""
    path = tmp_path / f"{name}.out"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def ids(tmp_path, name="test"):
    return [line["record"]["data"]["id"] for line in received(tmp_path, name) if line["type"] == "RECORD"]


def rows(firth, sql, *values):
    with sqlite3.connect(f"file:{firth.data_dir}/control.db?mode=ro", uri=True) as db:
        return db.execute(sql, values).fetchall()


def check(firth):
    """What must hold of jobs and attempts at any moment between two steps."""
    for job, status, attempts, ended in rows(firth, "select id, status, attempts, ended_ms from jobs"):
        kept = rows(firth, "select number, status, ended_ms from attempts where job = ? order by number", job)
        assert [number for number, _, _ in kept] == list(range(attempts)), (job, kept)
        assert (ended > 0) == (status >= 3), (job, status, ended)
        running = [number for number, state, _ in kept if state == 0]
        # An attempt runs, or waits to, in the newest place only, and not once the job is over or waits for its next.
        assert running == ([attempts - 1] if status in (0, 1) else []), (job, status, kept)
        assert (kept[-1][1] == 2) == (status == 4), (job, status, kept)
        assert all((state == 0) == (end == 0) for _, state, end in kept), (job, kept)
