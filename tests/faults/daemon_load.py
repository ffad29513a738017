"""Many captures under one daemon: what they are, what becomes of them, and what the daemon takes meanwhile."""

import json
import os
import sqlite3
import sys

from faults.checker import check_collection

HERE = os.path.dirname(os.path.abspath(__file__))


class Load:
    """`count` captures of the counting source, each with a log and a file by which it ends."""

    def __init__(self, folder, count, interval="1s"):
        self.folder, self.count, self.interval = folder, count, interval
        self.finish = folder / "finish"
        self.catalog = folder / "load.json"
        for n in range(count):
            (folder / f"log{n}").mkdir(parents=True)

    def endpoint(self, n):
        # Isolated and without site: a hundred of these start again and again.
        return {"local": {"command": [sys.executable, "-S", "-E", os.path.join(HERE, "counting_source.py")],
                          "protocol": "airbyte",
                          "config": {"log": str(self.folder / f"log{n}"), "finish": str(self.finish),
                                     # Every second one streams on, the others come to an end and are due again.
                                     "pace": 0.05, **({"rounds": 20} if n % 2 else {})}}}

    def write(self, **more):
        """The catalog; `more`: settings of every capture."""
        collections, captures = {}, {}
        for n in range(self.count):
            for name in "ab":
                collections[f"load/{n}/{name}"] = {"key": ["/id"], "schema": {
                    "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}
            captures[f"load/{n}/capture"] = {
                "endpoint": self.endpoint(n), "interval": self.interval,
                "bindings": [{"resource": {"stream": name}, "target": f"load/{n}/{name}"} for name in "ab"], **more}
        self.catalog.write_text(json.dumps({"collections": collections, "captures": captures}))
        return self.catalog

    def tasks(self):
        return [f"load/{n}/capture" for n in range(self.count)]

    def problems(self, firth):
        """Nothing lost, nothing doubled, byte for byte."""
        found = []
        for n in range(self.count):
            for name in "ab":
                lines = firth("read", f"load/{n}/{name}", expect=0).out_bytes.splitlines()
                found += [f"{n}: {problem}" for problem in
                          check_collection(name, lines, self.folder / f"log{n}")]
        return found


def facts(firth):
    """{task: row}."""
    with sqlite3.connect(f"file:{firth.data_dir}/control.db?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        return {row["task"]: dict(row) for row in db.execute("select * from facts")}


def usage(pid):
    """Of the process alone: resident kB, open descriptors, CPU seconds."""
    with open(f"/proc/{pid}/status") as status:
        rss = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return {"rss": rss, "fds": len(os.listdir(f"/proc/{pid}/fd")),
            "cpu": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")}
