"""`pyab destination-smoke-test` and what it does not do itself: every value sent is compared with what the destination holds.

A program between records what the destination gets. DESTINATIONS says of each destination how it is configured and read back; a
new one is a row there.
"""

import dataclasses
import decimal
import json
import os
import re
import subprocess
import typing


def exact(text):
    """JSON with numbers as their text says: 1 is not 1.0, and no digit is lost."""
    return json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)


def wrapper(path, firth, connector, root, record=None):
    """A program that is one of Firth's connectors: what PyAirbyte calls a local executable."""
    run = f'exec {firth.path} connector {connector} "$@"'
    if record:
        run = f"""case $1 in
write)
    number=$(ls {record} | grep -c messages)
    for word; do [ "$last" = --catalog ] && cp "$word" "{record}/$number.catalog"; last=$word; done
    tee "{record}/$number.messages" | {firth.path} connector {connector} "$@" ;;
*) {run} ;;
esac"""
    path.write_text(f"#!/bin/sh\nexport FIRTH_LOCAL_ROOT={root}\n{run}\n")
    path.chmod(0o755)
    return path


@dataclasses.dataclass
class Sent:
    """A stream as the destination was given it, in one or more writes."""
    configured: dict
    rows: list = dataclasses.field(default_factory=list)

    def expected(self, deduplicates):
        """Its rows in order; with keys, and where the destination heeds them, the last of each key."""
        key = self.configured.get("primary_key") or []
        if not deduplicates or not key or self.configured["destination_sync_mode"] != "append_dedup":
            return self.rows
        last = {}
        for row in self.rows:
            last[json.dumps([row[path[0]] for path in key], default=str)] = row
        return list(last.values())


def sent(record):
    """{(namespace, stream): Sent} of all the recorded writes."""
    streams = {}
    for catalog in sorted(record.glob("*.catalog")):
        for each in json.loads(catalog.read_text())["streams"]:
            streams.setdefault((each["stream"].get("namespace"), each["stream"]["name"]), Sent(each))
        for line in catalog.with_suffix(".messages").read_bytes().splitlines():
            message = exact(line)
            if message["type"] == "RECORD":
                found = message["record"]
                streams[found.get("namespace"), found["stream"]].rows.append(found["data"])
    return streams


@dataclasses.dataclass
class Destination:
    name: str
    config: typing.Callable  # of the folder that is the test's own
    rows: typing.Callable  # (folder, namespace, stream) -> the rows, in the order they have there
    deduplicates: bool
    as_stored: typing.Callable = lambda row, schema: row  # what a sent row must be there


def local_json_rows(folder, _namespace, stream):
    path = folder / "out" / f"_airbyte_raw_{re.sub('[^A-Za-z0-9_]', '_', stream)}.jsonl"
    return [exact(line)["_airbyte_data"] for line in path.read_bytes().splitlines()]


DESTINATIONS = [
    Destination("destination-local-json", lambda folder: {"destination_path": "/local/out"}, local_json_rows, deduplicates=False),
]


def run(destination, firth, folder, pyab, env):
    """The tool's summary, and what it sent."""
    record = folder / "record"
    record.mkdir()
    program = wrapper(folder / destination.name, firth, destination.name, folder, record)
    done = subprocess.run(
        [str(pyab), "destination-smoke-test", f"--destination={program}", f"--config={json.dumps(destination.config(folder))}",
         "--scenarios=all"], cwd=folder, env={**env, "PATH": f"{pyab.parent}{os.pathsep}{env['PATH']}"},
        capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(done.stdout[done.stdout.index("{"):]), sent(record)


def differences(destination, folder, streams):
    """What the destination holds otherwise than it was sent, as text."""
    found = []
    for (namespace, name), stream in streams.items():
        schema = stream.configured["stream"]["json_schema"]
        wanted = [destination.as_stored(row, schema) for row in stream.expected(destination.deduplicates)]
        held = destination.rows(folder, namespace, name)
        if len(wanted) != len(held):
            found.append(f"{name}: {len(held)} rows of {len(wanted)}")
        found += [f"{name}: {row} is {there}" for row, there in zip(wanted, held) if row != there]
    return found
