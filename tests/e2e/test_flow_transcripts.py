"""Transcripts of real connectors, played by a peer (programs/transcript_peer.py): Firth says what they were told when they
were recorded, message for message, and copes with what they answer.

Where a message may be otherwise, `differs` says so: names that a runtime chooses (journals, templates), what is read of a
schema, and times. Loads of what cannot be there may be left out."""

import base64
import json
import signal
import sys

import pytest

from conftest import until
from e2e.materialize import PROGRAMS
from e2e.programs.packed_keys import unpack
from e2e.scripted import failure, local, run, write

MATERIALIZATION = "acmeCo/matz"


@pytest.fixture
def transcripts(conformance):
    """Beside the conformance suites."""
    folder = conformance.parent / "reference" / "transcripts"
    if not folder.is_dir():
        pytest.fail(f"{folder} does not exist: it goes with the folder that FIRTH_CONFORMANCE names")
    return folder


def requests(path):
    """What each process of a transcript was sent: [(verb, body)]."""
    found = []
    for line in path.read_text().split("\n"):
        if line.startswith("# exec "):
            found.append([])
        elif found and line.startswith("> "):
            found[-1].append(next(iter(json.loads(line[2:]).items())))
    return found


class Peer:
    def __init__(self, transcripts, folder, name, **env):
        self.path, self.folder = transcripts / f"{name}.transcript", folder / "peer"
        self.folder.mkdir()
        self.endpoint = {"command": [sys.executable, str(PROGRAMS / "transcript_peer.py"), str(self.path), str(self.folder)],
                         "env": env}
        self.sections = requests(self.path)

    def local(self, config, protocol="flow"):
        return {"local": {**self.endpoint, "config": config, "protocol": protocol}}

    def expected(self, verb, nth=0):
        """The body of the nth request of its kind in the transcript."""
        return [body for section in self.sections for name, body in section if name == verb][nth]

    def session(self, number):
        """What the transcript's nth session was sent, its `open` first."""
        return [section for section in self.sections if section and section[0][0] == "open"][number - 1]

    def sent(self, verb=None, session=None):
        lines = [json.loads(line) for line in (self.folder / "sent.jsonl").read_text().splitlines()]
        messages = [(next(iter(line["message"].items())), line["session"]) for line in lines]
        return [(name, body) for (name, body), number in messages
                if verb in (None, name) and session in (None, number)]

    def check(self):
        failed = self.folder / "failed"
        assert not failed.exists(), failed.read_text()


# --- what is the same ------------------------------------------------------------------------------------


def projections_differ(wanted, got):
    """Of each field that the transcript has: where it is, what it is. There may be more of them."""
    got = {p["field"]: p for p in got}
    for each in wanted:
        own = got.get(each["field"], {})
        for name in ("ptr", "isPrimaryKey"):
            if each.get(name) != own.get(name):
                return f"the projection {each['field']}: {name} is {own.get(name)}, not {each.get(name)}"
        if each["inference"]["types"] != own["inference"]["types"] or each["inference"]["exists"] != own["inference"]["exists"]:
            return f"the projection {each['field']}: {own['inference']}, not {each['inference']}"
    names = list(got)
    return None if names == sorted(names) else f"the projections are not in order: {names}"


def template_differs(wanted, got):
    """A name of the runtime's, and whatever connectors demand of it."""
    return None if got.get("name") or got.get("id") else f"the template {got} has no name"


SPECIAL = {"projections": projections_differ, "partitionTemplate": template_differs, "shardTemplate": template_differs,
           "recoveryLogTemplate": template_differs}
OWN = {"connectorType", "version", "lastVersion", "journalReadSuffix", "stateKey"}  # the runtime's
MAY_BE_THERE = {"partitionSelector", "readSchema", "fieldConfig", "createdAt", "intervalSeconds", "state", "uuidPtr",
                "ackTemplate", "lastMaterialization", "lastCapture", "range", "backfill"}


def differs(wanted, got, path=""):
    """None, or what of `got` is not as the transcript has it."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name, value in wanted.items():
            if name in OWN:
                continue
            if name not in got and value in ([], "", 0, False, {}):
                continue  # a default
            if name not in got:
                return f"{path}/{name} is missing; there is {sorted(got)}"
            found = SPECIAL[name](value, got[name]) if name in SPECIAL else differs(value, got[name], f"{path}/{name}")
            if found:
                return found
        more = set(got) - set(wanted) - OWN - MAY_BE_THERE - set(SPECIAL)
        return f"{path} has {sorted(more)} too" if more else None
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        return next((d for i, (w, g) in enumerate(zip(wanted, got)) if (d := differs(w, g, f"{path}/{i}"))), None)
    same = wanted == got and type(wanted) is type(got) or (
        isinstance(wanted, (int, float)) and isinstance(got, (int, float)) and wanted == got)
    return None if same else f"{path} is {json.dumps(got)[:200]}, not {json.dumps(wanted)[:200]}"


def same(wanted, got):
    found = differs(wanted, got)
    assert not found, found


# --- materializations ------------------------------------------------------------------------------------


def steps(*parts):
    """Documents of one stream, in parts: each begins when the file before it is there."""
    out = []
    for n, (wait, documents) in enumerate(parts, 1):
        if wait:
            out.append({"sleep_until": str(wait)})
        out += [{"message": {"type": "RECORD", "record": {"stream": "s", "data": d, "emitted_at": 1}}} for d in documents]
        out.append({"state": {"stream": "s", "n": n}})
    return out


def materialization(tmp_path, peer, parts, binding=None, schema=None, interval="1h"):
    validate = peer.expected("validate")
    asked = validate["bindings"][0]
    collection = asked["collection"]
    return write(tmp_path / "flow.json", {
        "collections": {collection["name"]: {"schema": schema or collection["writeSchema"], "key": collection["key"]}},
        "captures": {"acmeCo/in": {"interval": interval, "endpoint": local("scripted_source", {
            "streams": ["s"], "steps": steps(*parts)}), "bindings": [{"resource": {"stream": "s"}, "target": collection["name"]}]}},
        "materializations": {validate["name"]: {"endpoint": peer.local(validate["config"]), "bindings": [
            {"source": collection["name"], "resource": asked["resourceConfig"], **(binding or {})}]}}})


def follow(firth, peer, catalog, commits):
    """Until the endpoint has committed so often."""
    running = firth.start("run", str(catalog), "--commit-every", "100ms", "-o", "json")
    until(lambda: len(list(peer.folder.glob("startedCommit-*"))) >= commits or (peer.folder / "failed").exists()
          or running.process.poll() is not None, "the commits")
    peer.check()
    assert running.process.poll() is None, running.out + running.err
    running.signal(signal.SIGTERM)
    assert running.wait() == 130
    peer.check()


def rows_of(messages, time_at=None):
    """Stores and loads, with the time of the row left out: (verb, key, values, doc, exists, delete)."""
    out = []
    for verb, body in messages:
        if verb == "load":
            assert unpack(base64.b64decode(body["keyPacked"])) == body["key"]
            out.append((verb, body["key"], body["keyPacked"]))
        elif verb == "store":
            values = list(body.get("values", []))
            packed = unpack(base64.b64decode(body.get("valuesPacked", "")))
            if time_at is not None:
                assert str(values[time_at]).endswith("Z") and values[time_at] == packed[time_at]
                values[time_at] = packed[time_at] = None
            out.append((verb, body["key"], body["keyPacked"], values, packed, body.get("exists", False), body.get("delete", False),
                        body["doc"]))
        else:
            out.append((verb,))
    return out


def needed(peer, number):
    """What a session was sent, without the loads that were not answered: whoever knows that nothing is there may leave
    them out."""
    section = [part for part in peer.path.read_text().split("# exec ")[1:] if '\n> {"open"' in part][number - 1]
    out, asked = [], []
    for line in section.split("\n"):
        if line[:2] not in ("> ", "< "):
            continue
        (verb, body), = json.loads(line[2:]).items()
        if line[0] == "<":
            asked = [each for each in asked if verb != "loaded" or each["key"] != [body["doc"]["id"]]]
            if verb == "flushed":  # what is left was not there
                out = [each for each in out if each[1] not in asked]
                asked = []
            continue
        out.append((verb, body))
        if verb == "load":
            asked.append(body)
    return out


DELETES = {"if": {"properties": {"_meta": {"properties": {"op": {"const": "d"}}, "required": ["op"]}}, "required": ["_meta"]},
           "then": {"reduce": {"strategy": "lastWriteWins", "delete": True}}, "else": {"reduce": {"strategy": "merge"}}}


def test_materialize_postgres(firth, transcripts, tmp_path):
    peer = Peer(transcripts, tmp_path, "materialize-postgres")
    stamp = {"_meta": {"uuid": "9f2952f3-c6a3-11ea-8802-080607050309"}}
    one = [{"id": 1, "name": "Ann", "n": 1.5, **stamp}, {"id": 2, "name": "Bob", "n": 2, **stamp}]
    two = [{"id": 1, "name": "Ann2", "n": 2, **stamp}, {"id": 3, "name": None, "n": 0, **stamp}]
    binding = {"backfill": peer.expected("apply")["materialization"]["bindings"][0].get("backfill", 0)}
    follow(firth, peer, materialization(tmp_path, peer, [(None, one), (peer.folder / "startedCommit-1", two)], binding), 2)

    same(peer.expected("validate"), peer.sent("validate")[0][1])
    apply = peer.sent("apply")[0][1]
    same(peer.expected("apply"), apply)
    assert apply["version"]
    open_ = peer.sent("open")[0][1]
    same(peer.session(1)[0][1], open_)
    assert open_["range"] == {"keyEnd": 4294967295, "rClockEnd": 4294967295} and open_["version"] == apply["version"]
    assert rows_of(peer.sent(session=1)[1:], 0) == rows_of(needed(peer, 1)[1:], 0)


def test_materialize_postgres_restarts(firth, transcripts, tmp_path):
    """The second session of it goes on from the endpoint's checkpoint, and deletes."""
    peer = Peer(transcripts, tmp_path, "materialize-postgres")
    schema = {**peer.expected("validate")["bindings"][0]["collection"]["writeSchema"], **DELETES}
    schema.pop("reduce")
    stamp = {"_meta": {"uuid": "9f2952f3-c6a3-11ea-8802-080607050309"}}
    one = [{"id": 1, "name": "Ann", "n": 1.5, **stamp}, {"id": 2, "name": "Bob", "n": 2, **stamp}]
    two = [{"id": 1, "name": "Ann2", "n": 2, **stamp}, {"id": 3, "name": None, "n": 0, **stamp}]
    follow(firth, peer, materialization(tmp_path, peer, [(None, one), (peer.folder / "startedCommit-1", two)], schema=schema), 2)
    path = materialization(tmp_path, peer, [(None, [{"id": 2, "_meta": {"op": "d"}}])], schema=schema, interval="1s")
    run(firth, path, "--task", "acmeCo/in")
    run(firth, path, "--task", MATERIALIZATION)
    peer.check()
    assert [verb for verb, _ in peer.sent(session=2)] == [verb for verb, _ in peer.session(2)]
    assert rows_of(peer.sent(session=2)[1:], 0) == rows_of(needed(peer, 2)[1:], 0)
    # What was committed first is not read again.
    first, second = (json.loads(line)["message"]["startCommit"]["runtimeCheckpoint"]["sources"]
                     for line in (peer.folder / "sent.jsonl").read_text().splitlines()[-1000:]
                     if '"startCommit"' in line and json.loads(line)["session"] in (1, 2)
                     and '"readThrough": "2"' not in line)
    assert list(first.values()) == [{"readThrough": "4"}] and list(second.values()) == [{"readThrough": "5"}]


def test_materialize_webhook(firth, transcripts, tmp_path):
    """Delta updates, and an endpoint that keeps no checkpoint: `opened` is empty."""
    peer = Peer(transcripts, tmp_path, "materialize-webhook")
    parts = [(None, [{"id": 1, "n": 1}, {"id": 2, "n": 1}]), (peer.folder / "startedCommit-1", [{"id": 1, "n": 2}, {"id": 2, "n": 2}])]
    follow(firth, peer, materialization(tmp_path, peer, parts, {"fields": {"recommended": False}}), 2)
    same(peer.expected("validate"), peer.sent("validate")[0][1])
    same(peer.expected("apply"), peer.sent("apply")[0][1])
    assert rows_of(peer.sent(session=1)[1:]) == rows_of(peer.session(1)[1:])


def fenced_off(folder, transcripts):
    """materialize-negative's session that was fenced off, behind postgres's spec, validate and apply."""
    asked = (transcripts / "materialize-postgres.transcript").read_text().split("# exec ")[1:4]
    _, first, second = (transcripts / "materialize-negative.transcript").read_text().split("# ---- fencing")[1].split("# exec ")
    # While it was open, another was opened; what follows is the first one's again.
    rest = second[second.index('< {"opened"'):].split("\n", 1)[1]
    (folder / "fenced.transcript").write_text("".join("# exec " + part for part in [*asked, first + rest + "\n# exit rc=1\n"]))


def test_fenced_off(firth, transcripts, tmp_path):
    """Another session was opened: the commit is refused, in the connector's words."""
    fenced_off(tmp_path, transcripts)
    peer = Peer(tmp_path, tmp_path, "fenced")
    catalog = materialization(tmp_path, peer, [(None, [{"id": 1, "n": 1}])])
    run(firth, catalog, "--task", "acmeCo/in")
    error = failure(run(firth, catalog, "--task", MATERIALIZATION, expect=1))
    assert "transactor.StartCommit: this instance was fenced off by another" in error["message"] and error["retriable"]
    # Without their packed form keys are refused, as the transcript's other session shows.
    assert all("keyPacked" in body for verb, body in peer.sent() if verb in ("load", "store"))


# --- captures --------------------------------------------------------------------------------------------


def capture(tmp_path, peer, **config):
    validate = peer.expected("validate")
    return write(tmp_path / "flow.json", {
        "collections": {b["collection"]["name"]: {"schema": b["collection"]["writeSchema"], "key": b["collection"]["key"]}
                        for b in validate["bindings"]},
        "captures": {validate["name"]: {"endpoint": peer.local({**validate["config"], **config}), "bindings": [
            {"resource": b["resourceConfig"], "target": b["collection"]["name"]} for b in validate["bindings"]]}}})


def until_idle(firth, peer, catalog, collection, count):
    """Run it until it has said all, and so many documents are there; then stop it as a person would."""
    running = firth.start("run", str(catalog), "--commit-every", "50ms", "-o", "json")
    until(lambda: (peer.folder / "idle").exists() or (peer.folder / "failed").exists() or running.process.poll() is not None,
          "the transcript's end")
    peer.check()
    assert running.process.poll() is None, running.out + running.err
    until(lambda: firth("read", collection).out.count("\n") >= count, "the documents")
    running.signal(signal.SIGTERM)
    assert running.wait() == 130
    peer.check()
    (peer.folder / "idle").unlink()
    return running


def answers(peer, number, verb):
    """The bodies of what the connector said in a session."""
    sessions = [part for part in peer.path.read_text().split("# exec ")[1:] if '\n> {"open"' in part]
    lines = [json.loads(line[2:]) for line in sessions[number - 1].split("\n") if line.startswith("< ")]
    return [line[verb] for line in lines if verb in line]


def patched(value, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    out = dict(value) if isinstance(value, dict) else {}
    for name, each in patch.items():
        if each is None:
            out.pop(name, None)
        else:
            out[name] = patched(out.get(name), each)
    return out


def state_after(peer, sessions):
    state = {}
    for number in range(1, sessions + 1):
        for checkpoint in answers(peer, number, "checkpoint"):
            said = checkpoint.get("state", {})
            state = patched(state, said.get("updated", {})) if said.get("mergePatch") else said.get("updated", {})
    return state


def without_uuid(document):
    document = json.loads(json.dumps(document))
    document.get("_meta", {}).pop("uuid", None)
    return document


@pytest.mark.parametrize("name", ["source-postgres", "hello-world"])
def test_capture(firth, transcripts, tmp_path, name):
    peer = Peer(transcripts, tmp_path, name)
    catalog = capture(tmp_path, peer)
    collection = peer.expected("validate")["bindings"][0]["collection"]["name"]
    captured = [without_uuid(body["doc"]) for body in answers(peer, 1, "captured")]
    running = until_idle(firth, peer, catalog, collection, len(captured))
    same(peer.expected("validate"), peer.sent("validate")[0][1])
    same(peer.expected("apply"), peer.sent("apply")[0][1])
    same(peer.session(1)[0][1], peer.sent("open", session=1)[0][1])
    # Each checkpoint is acknowledged once, and only where the connector asks for it.
    explicit = answers(peer, 1, "opened")[0].get("explicitAcknowledgements", False)
    acknowledged = [body["checkpoints"] for verb, body in peer.sent("acknowledge", session=1)]
    assert all(count >= 1 for count in acknowledged)
    assert sum(acknowledged) == (len(answers(peer, 1, "checkpoint")) if explicit else 0)
    assert [without_uuid(d) for d in firth.read(collection)] == captured
    # No line of the log was an error of ours, however the connector ended when it was told to.
    assert not [line for line in map(json.loads, running.out) if line["event"] == "ended" and line.get("error")]

    # It goes on from what was committed.
    captured += [without_uuid(body["doc"]) for body in answers(peer, 2, "captured")]
    until_idle(firth, peer, catalog, collection, len(captured))
    opened = peer.sent("open", session=2)[0][1]
    same({**peer.session(2)[0][1], "state": opened["state"]}, opened)  # it was stopped elsewhere than it had begun
    assert opened["state"] == state_after(peer, 1)
    assert [without_uuid(d) for d in firth.read(collection)] == captured


def test_the_state_is_what_the_transcript_says(transcripts):
    """How this test merges states, against what was noted when it was recorded."""
    text = (transcripts / "source-postgres.transcript").read_text()
    noted = [json.loads(line.split(": ", 1)[1]) for line in text.split("\n") if line.startswith("# reduced state: ")]
    peer = Peer.__new__(Peer)
    peer.path = transcripts / "source-postgres.transcript"
    assert noted and without_nulls(noted[0]) == without_nulls(state_after(peer, 1))


def without_nulls(value):
    return {k: without_nulls(v) for k, v in value.items() if v is not None} if isinstance(value, dict) else value


def test_a_config_that_the_connector_refuses(firth, transcripts, tmp_path):
    """Its last line on standard error is the error, without a retry."""
    text = (transcripts / "hello-world.transcript").read_text()
    parts = text.split("# exec ")
    (tmp_path / "refused.transcript").write_text("# exec " + parts[1] + "# exec " + parts[-1])
    peer = Peer(tmp_path, tmp_path, "refused")
    error = failure(run(firth, capture(tmp_path, peer), expect=1))
    assert "message rate must be positive (got 0.000000)" in error["message"], error


@pytest.mark.parametrize("note,missing", [("no partitionTemplate", "partitionTemplate"), ("no shardTemplate", "shardTemplate"),
                                          ("no recoveryLogTemplate", "recoveryLogTemplate")])
def test_what_makes_connectors_crash_is_always_sent(firth, transcripts, tmp_path, note, missing):
    """A connector in Go dies of what is missing; its panic is told, and Firth never leaves it out."""
    parts = (transcripts / "minimal-spec.transcript").read_text().split("# exec ")
    panics = [part for part in parts if f"# ---- {note}" in part]
    if not panics:
        pytest.skip(f"the transcript has no session with {note}")
    hello = (transcripts / "hello-world.transcript").read_text().split("# exec ")
    asked = [part for part in hello if part and '\n> {"open"' not in part]
    (tmp_path / "panic.transcript").write_text("".join("# exec " + part for part in [*asked, panics[0]]))
    peer = Peer(tmp_path, tmp_path, "panic")
    error = failure(run(firth, capture(tmp_path, peer), expect=1))
    assert "panic: runtime error" in error["message"] or "status 2" in error["message"], error
    assert missing not in json.dumps(peer.session(1)[0][1])
    sent = peer.sent("open", session=1)[0][1]["capture"]
    assert (sent["bindings"][0]["collection"] if missing == "partitionTemplate" else sent)[missing]


# --- discovering -----------------------------------------------------------------------------------------


def discover(firth, peer, folder, expect):
    """Without a terminal: the first call writes a stub of the config, the second goes on with what was put there."""
    args = ["discover", "--command", " ".join(peer.endpoint["command"]), "--protocol", "flow", "--name", "acmeCo/pg"]
    firth(*args)
    (config,) = folder.glob("*.config.yaml")
    config.write_text(json.dumps(peer.expected("discover")["config"]))
    return firth(*args, expect=expect)


def test_discover(firth, transcripts, tmp_path):
    """What a real discovery becomes: bindings, keys, schemas with their reductions."""
    peer = Peer(transcripts, tmp_path, "source-postgres")
    discover(firth, peer, tmp_path, 0)
    asked = peer.sent("discover")[0][1]
    assert asked["config"] == peer.expected("discover")["config"]
    text = (tmp_path / "flow.yaml").read_text()
    assert "{ namespace: public, stream: customers }" in text and "{ key: [/id], schema: public.customers.schema.yaml }" in text
    # A table without a key gets the one that the connector falls back on.
    assert "key: [/_meta/source/loc/0, /_meta/source/loc/1, /_meta/source/loc/2]" in text
    schema = (tmp_path / "public.customers.schema.yaml").read_text()
    assert "PublicCustomers" in schema and "firstWriteWins" in schema and "delete: true" in schema


def test_discover_nothing(firth, transcripts, tmp_path):
    peer = Peer(transcripts, tmp_path, "source-postgres-nopublication")
    assert "found no streams: a connector lists only what its user may read" in discover(firth, peer, tmp_path, 1).err
    assert not (tmp_path / "flow.yaml").exists()
