"""A catalog of several captures of scripted sources, and a daemon to serve it."""

import json
import pathlib
import sqlite3

import scripted
from conftest import until

USERS = {"key": ["/id"], "schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}


def capture(folder, name, steps, interval="1h", **more):
    """The capture acmeCo/NAME into acmeCo/NAME-users; `seen` tells how often its source ran."""
    source = {"streams": ["users"], "steps": steps, "seen": str(folder / f"{name}.seen"), **more.pop("source", {})}
    return f"acmeCo/{name}", {
        "endpoint": scripted.local("scripted_source", source), "interval": interval,
        "bindings": [{"resource": {"stream": "users"}, "target": f"acmeCo/{name}-users"}], **more}


def write(path, *captures, **sections):
    captures = dict(captures)
    return scripted.write(path, {
        "collections": {f"{name}-users": sections.pop("collection", USERS) for name in captures},
        "captures": captures, **sections})


def records(first, last):
    return [{"records": {"stream": "users", "from": first, "to": last}}, {"state": {"stream": "users", "n": last}}]


def deploy(firth, catalog, *args, expect=0):
    """What `firth deploy --yes -o json` says: {task: action}."""
    result = firth("deploy", str(catalog), "--yes", "-o", "json", *args, expect=expect)
    return {each["task"]: each["action"] for each in result.json()["tasks"]}


def serve(firth, *args, **more):
    """A daemon that is ready."""
    daemon = firth.start("serve", *args, **more)
    daemon.wait_for_line("serving ")
    return daemon


def log(firth, task):
    """The task's log, line by line, all files; a torn line is left out."""
    folder = pathlib.Path(firth.data_dir) / "logs" / task.replace("/", "%2F")
    lines = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().split(b"\n"):
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue
    return lines


def wait_for(firth, task, count=1, **members):
    """The lines of the task's log that have these members, once there are `count`."""
    def matching():
        lines = [line for line in log(firth, task) if all(line.get(k) == v for k, v in members.items())]
        return lines if len(lines) >= count else None
    return until(matching, f"{count} lines with {members} in the log of {task}")


def wait_for_facts(firth, task, condition):
    """The task's row of facts, once it is so: what survives the daemon."""
    def read():
        with sqlite3.connect(f"file:{firth.data_dir}/control.db?mode=ro", uri=True) as db:
            db.row_factory = sqlite3.Row
            row = db.execute("select * from facts where task = ?", (task,)).fetchone()
            return row if row and condition(row) else None
    return until(read, f"facts of {task}")
