"""Destinations that speak Flow's materialize protocol: each message, transactions, what a kill leaves, who goes on from
where."""

import json

import jsonschema
import pytest

from connector_suite.flow import FlowRunner, collection


@pytest.fixture
def flow(flow_destination, request, tmp_path):
    return FlowRunner(flow_destination.runner(request, tmp_path))


@pytest.fixture
def config(flow_destination, tmp_path):
    return flow_destination.config(tmp_path, flow=True)


COLLECTION = collection("acmeCo/users", ["/id"], {"name": ["string", "null"]})


def validate(flow, config, *resources):
    return flow({"validate": {"name": "acmeCo/mat", "config": config, "bindings": [
        {"resourceConfig": r, "collection": COLLECTION} for r in resources]}})


def wanted(constraint):
    return constraint["constraint"].get("type", "INVALID").endswith(("REQUIRED", "RECOMMENDED"))


@pytest.fixture
def spec(flow, config):
    """A materialization of one binding with the fields that the destination wants."""
    def make(backfill=0, name="users"):
        validated, = validate(flow, config, {"stream": name}).one("validated")["bindings"]
        fields = {c["field"] for c in validated["projectionConstraints"] if wanted(c)}
        return {"name": "acmeCo/mat", "connectorType": "LOCAL", "config": config, "bindings": [{
            "resourceConfig": {"stream": name}, "resourcePath": validated["resourcePath"], "collection": COLLECTION,
            "fieldSelection": {"keys": ["id"], "values": sorted(fields - {"id", "flow_document"}),
                               "document": "flow_document" if "flow_document" in fields else ""},
            "deltaUpdates": validated.get("deltaUpdates", False), "backfill": backfill}]}
    return make


def opened(flow, spec):
    talk = flow.start({"open": {"materialization": spec, "version": "1", "range": {}}})
    return talk, talk.expect("opened")


def store(spec, number, name="a", exists=False, **more):
    binding, = spec["bindings"]
    document = {"id": number, "name": name}
    return {"store": {"key": [number], "values": [document[f] for f in binding["fieldSelection"]["values"]],
                      "doc": document, "exists": exists, **more}}


def checkpoint(number):
    return {"sources": {"acmeCo/users;mat": {"readThrough": str(number)}}}


def transact(talk, requests, number, loads=()):
    """One transaction up to `startedCommit`; the documents that were loaded."""
    talk.say({"acknowledge": {}}, *({"load": {"key": [key]}} for key in loads), {"flush": {}})
    talk.expect("acknowledged")
    found = []
    while (message := talk.next())[0] == "loaded":
        found.append(message[1]["doc"])
    assert message[0] == "flushed", message
    talk.say(*requests, {"startCommit": {"runtimeCheckpoint": checkpoint(number)}})
    talk.expect("startedCommit")
    return found


def ids(flow_destination, tmp_path, name="users"):
    return [json.loads(row)["id"] for row in flow_destination.read_back(tmp_path).get(name) or []]


def test_spec(flow, config):
    spec = flow({"spec": {"connectorType": "LOCAL", "config": {}}}).one("spec")
    for schema in (spec["configSchema"], spec["resourceConfigSchema"]):
        jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(config, spec["configSchema"])
    properties = spec["resourceConfigSchema"]["properties"]
    for annotation in ("x-collection-name", "x-delta-updates"):
        assert any(p.get(annotation) for p in properties.values())


def test_validate(flow, config, flow_destination):
    found = validate(flow, config, {"stream": "a"}, {"stream": "b"}).one("validated")["bindings"]
    assert [b["resourcePath"][-1] for b in found] == ["a", "b"]
    for binding in found:
        constraints = {c["field"]: c["constraint"] for c in binding["projectionConstraints"]}
        assert set(constraints) == {"id", "name", "flow_document"}
        assert constraints["id"]["type"].endswith("REQUIRED")
        assert all(c["reason"] for c in constraints.values())
        if not binding.get("deltaUpdates"):
            assert constraints["flow_document"]["type"].endswith("REQUIRED")
    for bad in flow_destination.bad:
        session = validate(flow, bad, {"stream": "a"})
        assert session.rc != 0 and session.error() and not session.messages, bad


def test_transactions(flow, spec, flow_destination, tmp_path):
    mat = spec()
    flow({"apply": {"materialization": mat, "version": "1"}}).one("applied")
    talk, first = opened(flow, mat)
    transact(talk, [store(mat, n) for n in range(3)], 1)
    assert ids(flow_destination, tmp_path) == [0, 1, 2]  # seen while the session goes on
    loads = not mat["bindings"][0]["deltaUpdates"]
    found = transact(talk, [store(mat, 2, "b", exists=True), store(mat, 3)], 2, loads=[2, 3] if loads else [])
    assert found == ([{"id": 2, "name": "a"}] if loads else [])
    talk.say({"acknowledge": {}})
    talk.expect("acknowledged")
    rc, rest, err = talk.end()
    assert rc == 0 and not rest, err
    assert sorted(ids(flow_destination, tmp_path)) == ([0, 1, 2, 3] if loads else [0, 1, 2, 2, 3])
    talk, again = opened(flow, mat)
    if "runtimeCheckpoint" in first:
        assert first["runtimeCheckpoint"] == {} and again["runtimeCheckpoint"] == checkpoint(2)
    assert talk.end()[0] == 0


@pytest.mark.parametrize("when", ["loading", "storing", "committed"])
def test_kills(flow, spec, flow_destination, tmp_path, when):
    """Whatever moment it is killed at: what its checkpoint says is what is there."""
    mat = spec()
    talk, first = opened(flow, mat)
    transact(talk, [store(mat, n) for n in range(5)], 1)
    talk.say({"acknowledge": {}}, {"flush": {}})
    talk.expect("acknowledged")
    talk.expect("flushed")
    if when != "loading":
        pad = "x" * 1000
        talk.say(*(store(mat, n, pad) for n in range(5, 2005)))
    if when == "committed":
        talk.say({"startCommit": {"runtimeCheckpoint": checkpoint(2)}})
        talk.expect("startedCommit")
    talk.kill()
    talk, again = opened(flow, mat)
    expected = list(range(2005 if when == "committed" else 5))
    if "runtimeCheckpoint" in first:
        assert again["runtimeCheckpoint"] == checkpoint(2 if when == "committed" else 1)
        assert ids(flow_destination, tmp_path) == expected
    transact(talk, [store(mat, 9000)], 3)
    assert talk.end()[0] == 0
    left = ids(flow_destination, tmp_path)
    assert set(expected) <= set(left) and left[-1] == 9000


def test_backfill(flow, spec, flow_destination, tmp_path):
    """Another backfill: what was there goes."""
    old, new = spec(), spec(backfill=1)
    talk, _ = opened(flow, old)
    transact(talk, [store(old, 1), store(old, 2)], 1)
    assert talk.end()[0] == 0
    flow({"apply": {"materialization": old, "version": "1", "lastMaterialization": old}}).one("applied")
    assert ids(flow_destination, tmp_path) == [1, 2]
    if flow_destination.replaces:
        applied = flow({"apply": {"materialization": new, "version": "2", "lastMaterialization": old}}).one("applied")
        assert applied["actionDescription"] and ids(flow_destination, tmp_path) == []
        talk, _ = opened(flow, new)
        transact(talk, [store(new, 3)], 2)
        assert talk.end()[0] == 0 and ids(flow_destination, tmp_path) == [3]


def refuse_first(flow, mat, first):
    """The second session takes over: what the first one writes from then on is not committed."""
    second, _ = opened(flow, mat)
    first.say({"acknowledge": {}}, {"flush": {}})
    first.expect("acknowledged")
    first.expect("flushed")
    first.say(store(mat, 1), {"startCommit": {"runtimeCheckpoint": checkpoint(1)}})
    rc, rest, err = first.end()
    assert rc != 0 and not rest and "fenced off" in err, (rc, rest, err)
    transact(second, [store(mat, 2)], 1)
    assert second.end()[0] == 0


def test_two_sessions_at_once(flow, spec, flow_destination, tmp_path):
    if not flow_destination.fences:
        pytest.skip("it promises nothing of two sessions at once")
    mat = spec()
    talk, _ = opened(flow, mat)
    if flow_destination.fences == "first":
        refuse_first(flow, mat, talk)
        assert ids(flow_destination, tmp_path) == [2]
        return
    second = flow({"open": {"materialization": mat, "version": "1", "range": {}}})
    assert second.rc != 0 and second.error() and not second.messages
    transact(talk, [store(mat, 1)], 1)
    assert talk.end()[0] == 0 and ids(flow_destination, tmp_path) == [1]


@pytest.mark.parametrize("requests, words", [
    (["flush"], "'flush'"),
    (["acknowledge", "acknowledge"], "'acknowledge' came in the middle"),
    (["acknowledge", "startCommit"], "'startCommit' came before 'flush'"),
    (["acknowledge", "store"], "'store' came before 'flush'"),
    (["acknowledge", "flush"], "in the middle of a transaction"),
    (["spec"], "'spec' has no place in a session"),
])
def test_odd_requests(flow, spec, requests, words):
    mat = spec()
    session = flow({"open": {"materialization": mat, "version": "1"}},
                   *({verb: {}} if verb != "store" else store(mat, 1) for verb in requests))
    assert session.rc != 0 and words in session.error(), session
