"""What a materialization makes of a key that changed, of one that may be null, of a connector that does not answer, and of a
stop that finds its connector busy."""

import json
import signal
import time

import pytest

from conftest import until
from e2e.materialize import TASK, catalog, flow, materialize, messages, put, rows, verbs
from e2e.scripted import events, failure, run


@pytest.mark.parametrize("on", ["backfill", "disableBinding", "disableTask", "abort"])
def test_another_key_that_the_table_has_no_column_of(firth, tmp_path, on):
    """The connector forbids the field: it is the key that changed all the same, and the setting that decides."""
    old = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    new = {"type": "object", "required": ["id", "region"],
           "properties": {"id": {"type": "integer"}, "region": {"type": "string"}}}
    materialize(firth, put(firth, tmp_path, {"id": 1, "region": "eu"}, {"id": 1, "region": "us"}, schema=old))
    path = catalog(tmp_path, schema=new, key=("/region", "/id"), onIncompatibleSchemaChange=on)
    stops = {"disableTask": "until the catalog changes", "abort": "raise the binding's 'backfill'"}.get(on)
    lines = materialize(firth, path, expect=1 if stops else 0)
    why = "the key is region, id, and what the endpoint has was materialized by id"
    if stops:
        error = failure(lines)
        assert why in error["message"] and stops in error["message"] and not error["retriable"]
    else:
        (told,) = [line["message"] for line in lines if why in line.get("message", "")]
        assert ("materialized anew" if on == "backfill" else "the binding is disabled") in told
    assert [r.get("region") for r in rows(tmp_path)] == (["eu", "us"] if on == "backfill" else [None])
    # What the key has nothing to do with is the connector's to say, as before.
    path = catalog(tmp_path, schema=new, key=("/region", "/id"), config={"constraints": {
        "region": {"type": "FIELD_FORBIDDEN", "reason": "no such words"}}}, onIncompatibleSchemaChange="abort", bindings=[
        {"source": "acmeCo/users", "resource": {"table": "users"}, "backfill": 7}])
    assert "forbids it: no such words" in failure(materialize(firth, path, expect=1))["message"]


def test_a_stop_does_not_wait_for_an_acknowledgement(firth, tmp_path):
    """A connector may take its time for what it does with a commit: the next session acknowledges it again."""
    put(firth, tmp_path, {"id": 1})
    path = catalog(tmp_path, endpoint=flow("scripted_materialize.py", {
        "seen": str(tmp_path / "messages"), "say": {"acknowledge": [None, []]}}))
    running = firth.start("run", str(path), "--task", TASK, "--commit-every", "20ms")
    until(lambda: (tmp_path / "messages").exists() and verbs(tmp_path).endswith("<startedCommit >acknowledge"),
          "the commit that is not acknowledged")
    began = time.monotonic()
    running.signal(signal.SIGTERM)
    running.wait()
    assert time.monotonic() - began < 20  # it was 30 s, and the end by force
    assert any("has not answered 'acknowledge'" in line and "acknowledges again" in line for line in running.err)
    assert any("stopped after" in line for line in running.err) and not any("failed" in line for line in running.err)
    (tmp_path / "messages").unlink()
    path = catalog(tmp_path, endpoint=flow("scripted_materialize.py", {"seen": str(tmp_path / "messages")}))
    lines = materialize(firth, path)
    assert verbs(tmp_path).endswith(">open <opened >acknowledge <acknowledged")
    assert events(lines, "progress")[-1]["bindings"][0]["documents"] == 0


@pytest.mark.parametrize("verb", ["open", "acknowledge", "flush", "startCommit"])
def test_a_connector_that_does_not_answer(firth, tmp_path, verb):
    """Its stdin is open, but it does not wait for us: its silence counts."""
    put(firth, tmp_path, {"id": 1})
    path = catalog(tmp_path, endpoint=flow("scripted_materialize.py", {"seen": str(tmp_path / "messages"), "say": {verb: [[]]}}))
    error = failure(run(firth, path, "--task", TASK, "--stall-after", "500ms", expect=1))
    assert f"for 500 ms it has neither written nor read anything, where the answer to '{verb}' was due" in error["message"]
    assert error["retriable"]


def test_a_binding_without_a_name_is_told_by_its_path(firth, tmp_path):
    """Its resource is of the connector's own shape: what the connector makes of it is its name."""
    config = {"constraints": {"id": {"type": "INCOMPATIBLE", "reason": "it was text"}}}
    path = put(firth, tmp_path, {"id": 1}, program="scripted_materialize.py", config=config,
               bindings=[{"source": "acmeCo/users", "resource": {"worksheet": "people"}}])
    name = "acmeCo/users to {'worksheet': 'people'}: the field 'id' does not fit what the endpoint has of it: it was text"
    assert name in failure(materialize(firth, path, expect=1))["message"]
    assert name in firth("check", str(path)).err


@pytest.mark.parametrize("region,required,advised", [
    ({"type": "string"}, ["id"], True),
    ({"type": ["string", "null"]}, ["id", "region"], True),
    ({"type": ["string", "null"], "default": "eu"}, ["id"], False),
    ({"type": "string"}, ["id", "region"], False)])
def test_a_key_that_may_be_null(firth, tmp_path, region, required, advised):
    """Connectors refuse it by their own words; what to write is said behind them, by check and run."""
    row = {"type": "object", "required": required, "properties": {"id": {"type": "integer"}, "region": region}}
    deleted = {"required": ["op"], "properties": {"op": {"const": "d"}}}  # as source-postgres has it: catalogs cannot be sure of such a key
    schema = {"$defs": {"row": row}, "allOf": [
        {"if": deleted, "then": {"reduce": {"strategy": "merge", "delete": True}}, "else": {"reduce": {"strategy": "merge"}}},
        {"$ref": "#/$defs/row"}]}
    more = {"schema": schema, "key": ("/region", "/id"), "config": {"no_null_keys": True}}
    path = put(firth, tmp_path, {"id": 1, "region": "eu"}, **more)
    checked = firth("check", str(path), expect=3 if advised else 0).err
    lines = materialize(firth, path, expect=1 if advised else 0)
    for said in [checked, failure(lines)["message"]] if advised else []:
        assert "with nullable key field 'region'" in said
        assert "the field 'region' of its key may be null" in said and "'required' in the schema" in said
    if not advised:
        assert [row["region"] for row in rows(tmp_path)] == ["eu"]


def test_a_connector_that_closes_its_output_and_lives_on(firth, tmp_path):
    """What is committed meanwhile is not sent to it, and what it logs before it exits is the error."""
    closed, go = tmp_path / "closed", tmp_path / "go"
    say = {"acknowledge": [[{"acknowledged": {}}, {"close": str(closed)}, {"wait": str(go)}, {"log": "the lease is lost"}, {"exit": 1}]]}
    catalog(tmp_path)
    (tmp_path / "steps.json").write_text(json.dumps([
        {"sleep_until": str(closed)},
        *({"message": {"type": "RECORD", "record": {"stream": "users", "data": {"id": i, "n": 1}, "emitted_at": 1}}}
          for i in range(50)),
        {"state": {"stream": "users", "n": 1}}]))
    path = catalog(tmp_path, program="scripted_materialize.py", config={"say": say})
    running = firth.start("run", str(path), "--commit-every", "1ms")
    until(lambda: closed.exists() and len(firth("read", "acmeCo/users").lines()) == 50, "the documents")
    go.touch()
    running.wait_for_line("the lease is lost")
    assert "load" not in [verb for way, verb, _ in messages(tmp_path)]
    assert not [line for line in running.err + running.out if "signal" in line or "ssertion" in line]
