"""Running a connector's verbs and reading what it says."""

import collections
import json
import os
import subprocess
import tempfile


class Session:
    """One finished call: rc, every stdout line as a message, stderr."""

    def __init__(self, rc, out, err):
        self.rc, self.out, self.err = rc, out, err
        lines = out.split(b"\n")
        assert lines[-1] == b"", f"the last line has no end: {lines[-1][:200]}"
        self.messages = []
        for line in lines[:-1]:
            message = json.loads(line)
            assert isinstance(message, dict) and isinstance(message.get("type"), str), line[:200]
            self.messages.append(message)

    def of(self, kind):
        return [m for m in self.messages if m["type"] == kind]

    def one(self, kind):
        found = self.of(kind)
        assert len(found) == 1, f"{len(found)} {kind} messages; {self}"
        return found[0]

    def errors(self):
        return [m["trace"]["error"] for m in self.of("TRACE") if m["trace"]["type"] == "ERROR"]

    def statuses(self):
        """{stream: [status, …]} in order."""
        found = collections.defaultdict(list)
        for m in self.of("TRACE"):
            if m["trace"]["type"] == "STREAM_STATUS":
                status = m["trace"]["stream_status"]
                found[status["stream_descriptor"]["name"]].append(status["status"])
        return found

    def records(self, stream=None):
        return [m["record"] for m in self.of("RECORD") if stream in (None, m["record"]["stream"])]

    def states(self):
        return [m["state"] for m in self.of("STATE")]

    def __repr__(self):
        return f"rc={self.rc}\n{self.out[-3000:].decode(errors='replace')}\n--- stderr\n{self.err[-2000:]}"


class Runner:
    """Calls one connector; files as a platform makes them: read-only, gone afterwards."""

    def __init__(self, command, env=None):
        self.command, self.env = command, {**os.environ, **(env or {})}

    def argv(self, folder, verb, files):
        argv = [*self.command, verb]
        for name, content in files.items():
            if content is None:
                continue
            path = os.path.join(folder, f"{name}.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write(content if isinstance(content, str) else json.dumps(content))
            os.chmod(path, 0o444)
            argv += [f"--{name}", path]
        return argv

    def __call__(self, verb, stdin=b"", timeout=120, **files):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(self.argv(folder, verb, files), input=stdin, capture_output=True, env=self.env,
                                  timeout=timeout, check=False)
        return Session(done.returncode, done.stdout, done.stderr)

    def start(self, folder, verb, **files):
        return subprocess.Popen(self.argv(folder, verb, files), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.env)


def configured(streams, sync_mode="incremental", destination_sync_mode="append", generation=1, minimum=0):
    """A ConfiguredAirbyteCatalog of discovered streams. PyAirbyte asks for incremental whatever is offered."""
    ids = {} if generation is None else {
        "generation_id": generation, "minimum_generation_id": minimum, "sync_id": 1}
    return {"streams": [{"stream": s, "sync_mode": sync_mode, "destination_sync_mode": destination_sync_mode,
                         "cursor_field": s.get("default_cursor_field") or [],
                         "primary_key": s.get("source_defined_primary_key") or [], **ids} for s in streams]}


def value_at(data, path):
    for part in path:
        data = data[part]
    return data
