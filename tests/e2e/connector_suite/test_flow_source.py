"""Sources that speak Flow's capture protocol: each message, the same documents as through Airbyte's, going on from every
checkpoint, being killed and being stopped."""

import json
import signal

import jsonschema
import pytest

from connector_suite.flow import (FlowRunner, capture_binding, open_capture, raw_document, reduce_state)


@pytest.fixture
def flow(flow_source, request, tmp_path):
    return FlowRunner(flow_source.runner(request, tmp_path))


@pytest.fixture
def config(flow_source, tmp_path):
    return flow_source.config(tmp_path)


@pytest.fixture
def bindings(flow, config):
    found = flow({"discover": {"name": "acmeCo/test", "connectorType": "LOCAL", "config": config}})
    return found.one("discovered")["bindings"]


def documents(messages, bindings):
    """{path: [raw document, …]}"""
    found = {tuple(b["resourcePath"]): [] for b in bindings}
    for verb, body, line in messages:
        if verb == "captured":
            found[tuple(bindings[body.get("binding", 0)]["resourcePath"])].append(raw_document(line))
    return found


def read(flow, config, bindings, state=None):
    session = flow(open_capture(config, [capture_binding(b) for b in bindings], state))
    assert session.rc == 0 and session.messages[0][0] == "opened", session
    assert {verb for verb, _, _ in session.messages} <= {"opened", "captured", "sourcedSchema", "checkpoint"}
    return session


def test_spec(flow, flow_source, tmp_path):
    config = flow_source.config(tmp_path, flow=bool(flow_source.flow_good))
    spec = flow({"spec": {"connectorType": "LOCAL", "config": {}}}).one("spec")
    assert spec["protocol"] == 3032023 and spec["resourcePathPointers"]
    for schema in (spec["configSchema"], spec["resourceConfigSchema"]):
        jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(config, spec["configSchema"])
    assert "airbyte_secret" not in json.dumps(spec)


def test_discover(flow, config, bindings, flow_source, request, tmp_path):
    schema = flow({"spec": {}}).one("spec")["resourceConfigSchema"]
    airbyte = flow_source.runner(request, tmp_path)("discover", config=config).one("CATALOG")["catalog"]["streams"]
    assert [b["resourcePath"][-1] for b in bindings] == [s["name"] for s in airbyte]
    assert len({b["recommendedName"] for b in bindings}) == len(bindings)
    for binding in bindings:
        jsonschema.validate(binding["resourceConfig"], schema)
        jsonschema.Draft202012Validator.check_schema(binding["documentSchema"])
        assert binding["key"] and all(p.startswith("/") for p in binding["key"])
        if not binding.get("isFallbackKey"):
            assert {p[1:].split("/")[0] for p in binding["key"]} <= set(binding["documentSchema"]["required"])


def test_validate_and_apply(flow, config, bindings):
    asked = [capture_binding(b) for b in bindings]
    validate = {"validate": {"name": "acmeCo/test", "connectorType": "LOCAL", "config": config, "bindings": [
        {"resourceConfig": b["resourceConfig"], "collection": b["collection"]} for b in asked]}}
    assert [b["resourcePath"] for b in flow(validate).one("validated")["bindings"]] == [
        b["resourcePath"] for b in bindings]
    apply = {"apply": {"capture": {"name": "acmeCo/test", "config": config, "bindings": asked}, "version": "1"}}
    flow(apply).one("applied")
    validate["validate"]["bindings"][0]["resourceConfig"] = {"stream": "of_nobody"}
    wrong = flow(validate)
    assert wrong.rc != 0 and "of_nobody" in wrong.error() and not wrong.messages, wrong


def test_bad_config(flow, flow_source):
    for config in flow_source.bad:
        session = flow({"discover": {"name": "acmeCo/test", "config": config}})
        assert session.rc != 0 and session.error() and not session.messages, config


def test_same_documents(flow, config, bindings, flow_source, request, tmp_path):
    """Byte for byte what Airbyte's face gives; or as many of them."""
    from connector_suite.protocol import configured
    run = flow_source.runner(request, tmp_path)
    streams = run("discover", config=config).one("CATALOG")["catalog"]["streams"]
    airbyte = run("read", config=config, catalog=configured(streams))
    session = read(flow, config, bindings)
    found = documents(session.messages, bindings)
    for binding in bindings:
        name = binding["resourcePath"][-1]
        lines = [line for line in airbyte.out.splitlines()
                 if line.startswith(b'{"type":"RECORD"') and b'"stream":"%s"' % name.encode() in line]
        expected = [line[line.index(b'"data":') + len(b'"data":'):-2] for line in lines]
        documents_ = found[tuple(binding["resourcePath"])]
        assert expected and (documents_ == expected if flow_source.same_faces else len(documents_) == len(expected))
    schemas = [body["documentSchema"] for verb, body, _ in session.messages if verb == "sourcedSchema"]
    if flow_source.same_faces:
        assert [s["properties"] for s in schemas] == [s["json_schema"]["properties"] for s in streams]
    assert session.messages[-1][0] == "checkpoint"


def test_resume_from_each_checkpoint(flow, config, bindings):
    session = read(flow, config, bindings)
    state, taken, points = {}, [], []
    for i, (verb, body, _) in enumerate(session.messages):
        if verb == "checkpoint":
            state = reduce_state(state, body)
            points.append((state, i))
    for state, i in points[:-1]:
        rest = documents(session.messages[i:], bindings)
        again = documents(read(flow, config, bindings, state).messages, bindings)
        # A stream that had come to its end may begin again: whether there is more is the source's to say.
        assert all(again[path] == documents_ for path, documents_ in rest.items() if documents_)
        taken.append(i)
    assert taken  # how many there are is a matter of what ends together


def test_kill_and_resume(flow, flow_source, tmp_path):
    """Killed at any moment: from the last whole checkpoint on, nothing is lost and nothing comes twice."""
    if not flow_source.checkpoints:
        pytest.skip("it has no state before the end of a stream")
    config = flow_source.config(tmp_path, **flow_source.endless)
    found = flow({"discover": {"config": config}}).one("discovered")["bindings"][-1:]
    binding = [capture_binding(found[0])]
    state, kept = {}, []
    for attempt in range(5):
        talk = flow.start(open_capture(config, binding, state))
        group, checkpoints = [], 0
        while checkpoints < 2 + attempt:
            verb, body, line = talk.next()
            if verb == "captured":
                group.append(raw_document(line))
            elif verb == "checkpoint":
                state, checkpoints = reduce_state(state, body), checkpoints + 1
                kept, group = kept + group, []
        talk.kill()
    talk = flow.start(open_capture(config, binding))
    whole = []
    while len(whole) < len(kept):
        verb, _, line = talk.next()
        if verb == "captured":
            whole.append(raw_document(line))
    talk.kill()
    assert kept == whole and kept


def test_sigterm(flow, flow_source, tmp_path):
    """Stopped in the middle, it ends with a checkpoint, and with 0."""
    config = flow_source.config(tmp_path, **flow_source.endless)
    found = flow({"discover": {"config": config}}).one("discovered")["bindings"][-1:]
    talk = flow.start(open_capture(config, [capture_binding(found[0])]))
    while talk.next()[0] != "captured":
        pass
    talk.process.send_signal(signal.SIGTERM)
    rc, messages, err = talk.end()
    assert rc == 0 and messages[-1][0] == "checkpoint", err


@pytest.mark.parametrize("requests, words", [
    ([{"acknowledge": {"checkpoints": 1}}], "before 'open'"),
    ([{"nonsense": {}}], "line 1"),
    ([{"spec": {}}, {"load": {}}], "line 2"),
    ([{"open": {}}], "'capture'"),
])
def test_odd_requests(flow, requests, words):
    session = flow(*requests)
    assert session.rc != 0 and words in session.error(), session


def test_codec(flow):
    session = flow({"spec": {}}, env={"FLOW_RUNTIME_CODEC": "proto"})
    assert session.rc != 0 and "json" in session.error().lower() and not session.messages
    session = flow(stdin=b"\x08\x00\x00\x00\x0a\x06\x08\x08\x12\x02{}")
    assert session.rc != 0 and "protobuf" in session.error() and not session.messages
    assert flow({"spec": {"later": {"a": [1]}}}).rc == 0
