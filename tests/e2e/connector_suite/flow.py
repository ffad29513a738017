"""Speaking Flow's protocols with a connector: one run per call, or a session message by message."""

import json
import signal
import subprocess


class FlowSession:
    """One finished run: rc, every stdout line as (verb, body, raw bytes), stderr."""

    def __init__(self, rc, out, err):
        self.rc, self.out, self.err = rc, out, err.decode(errors="replace")
        lines = out.split(b"\n")
        assert lines[-1] == b"", f"the last line has no end: {lines[-1][:200]}"
        self.messages = [message(line) for line in lines[:-1]]

    def of(self, verb):
        return [body for name, body, _ in self.messages if name == verb]

    def one(self, verb):
        found = self.of(verb)
        assert self.rc == 0 and len(found) == 1, f"{len(found)} {verb} messages; {self}"
        return found[0]

    def error(self):
        """What is shown to people: the last line that it logged."""
        return self.err.splitlines()[-1] if self.err else ""

    def __repr__(self):
        return f"rc={self.rc}\n{self.out[-3000:].decode(errors='replace')}\n--- stderr\n{self.err[-2000:]}"


def message(line):
    parsed = json.loads(line)
    assert isinstance(parsed, dict) and len(parsed) == 1, line[:200]
    (verb, body), = parsed.items()
    return verb, body, line


def raw_document(line):
    """The bytes of a `captured` line's document."""
    return line[line.index(b'"doc":') + len(b'"doc":'):-2]


class Talk:
    """A session that goes on."""

    def __init__(self, process):
        self.process = process

    def say(self, *requests):
        for request in requests:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def next(self):
        """(verb, body, raw), or None at the end of its output."""
        line = self.process.stdout.readline()
        return message(line[:-1]) if line else None

    def expect(self, verb):
        got = self.next()
        assert got and got[0] == verb, (verb, got, self.end())
        return got[1]

    def end(self):
        """Close its input; (rc, the rest of its messages, stderr)."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        out, err = self.process.stdout.read(), self.process.stderr.read()
        rc = self.process.wait(120)
        lines = out.split(b"\n")  # of one that was killed, the last may be torn
        assert lines[-1] == b"" or rc == -signal.SIGKILL, lines[-1][:200]
        return rc, [message(line) for line in lines[:-1]], err.decode(errors="replace")

    def kill(self):
        self.process.kill()
        return self.end()


class FlowRunner:
    def __init__(self, runner):
        self.command = runner.command
        self.env = {**runner.env, "FLOW_RUNTIME_CODEC": "json"}

    def __call__(self, *requests, stdin=None, env=None):
        text = stdin if stdin is not None else b"".join(json.dumps(r).encode() + b"\n" for r in requests)
        done = subprocess.run(self.command, input=text, capture_output=True, env={**self.env, **(env or {})},
                              timeout=120, check=False)
        return FlowSession(done.returncode, done.stdout, done.stderr)

    def start(self, *requests):
        talk = Talk(subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, env=self.env))
        talk.say(*requests)
        return talk


def merge(state, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    state = dict(state) if isinstance(state, dict) else {}
    for key, value in patch.items():
        if value is None:
            state.pop(key, None)
        else:
            state[key] = merge(state.get(key), value)
    return state


def reduce_state(state, checkpoint):
    update = checkpoint.get("state") or {}
    if "updated" not in update:
        return state
    return merge(state, update["updated"]) if update.get("mergePatch") else update["updated"]


def collection(name, key, fields=(), schema=None):
    """A collection with its projections: the key's, the document, and `fields` {name: types}."""
    projections = [{"field": "flow_document", "inference": {"types": ["object"], "exists": "MUST"}}]
    for pointer in key:
        projections.append({"ptr": pointer, "field": pointer[1:], "isPrimaryKey": True,
                            "inference": {"types": ["integer"], "exists": "MUST"}})
    for field, types in dict(fields).items():
        projections.append({"ptr": f"/{field}", "field": field, "inference": {"types": types, "exists": "MAY"}})
    return {"name": name, "writeSchema": schema or {"type": "object"}, "key": list(key), "uuidPtr": "/_meta/uuid",
            "projections": sorted(projections, key=lambda p: p["field"]),
            "partitionTemplate": {"name": name, "replication": 1}}


def capture_binding(discovered, backfill=0, **resource):
    path = discovered["resourcePath"]
    return {"resourceConfig": {**discovered["resourceConfig"], **resource}, "resourcePath": path, "backfill": backfill,
            "collection": collection("acmeCo/" + discovered["recommendedName"], discovered.get("key") or ["/id"]),
            "stateKey": "%2F".join(path) + (f".v{backfill}" if backfill else "")}


def open_capture(config, bindings, state=None):
    return {"open": {"capture": {"name": "acmeCo/test", "connectorType": "LOCAL", "config": config,
                                 "bindings": bindings, "intervalSeconds": 300},
                     "version": "1", "range": {"keyEnd": 4294967295, "rClockEnd": 4294967295},
                     "state": state or {}}}
