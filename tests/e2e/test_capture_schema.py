"""What a collection's schema does to what a capture writes: documents reduced by key, redacted, keys with defaults;
and how much a task logs."""

import hashlib
import json
import re
import struct

import pytest

from e2e import scripted
from e2e.scripted import counters, events, failure, run
from e2e.test_flow_capture import catalog, docs, ids, patch, seen

SUM = {"type": "object", "required": ["id"], "reduce": {"strategy": "merge"}, "properties": {
    "id": {"type": "integer"}, "n": {"type": "integer", "reduce": {"strategy": "sum"}, "maximum": 1000}}}


def captured(*documents):
    return [{"captured": {"doc": document}} for document in documents]


def read(firth, collection="acmeCo/users"):
    result = firth("read", collection)
    return [json.loads(line) for line in result.out.splitlines()] if result.rc == 0 else []


# --- reducing ----------------------------------------------------------------------------------------------


def test_documents_of_a_transaction_are_reduced(firth, tmp_path):
    steps = captured({"id": 2, "n": 1}, {"id": 1, "n": 10}, {"id": 2, "n": 5}, {"id": 2, "n": 3})
    lines = run(firth, catalog(tmp_path, [*steps, patch(n=1)], schema=SUM))
    assert read(firth) == [{"id": 1, "n": 10}, {"id": 2, "n": 9}]  # in the order of the key
    # What was captured and what was written are two things.
    assert {name: counters(lines)["acmeCo/users"][name] for name in ("documents", "committedDocuments", "stored")} == {
        "documents": 4, "committedDocuments": 4, "stored": 2}


def test_each_transaction_is_reduced_by_itself(firth, tmp_path):
    first, second = captured({"id": 1, "n": 1}, {"id": 1, "n": 1}), captured({"id": 1, "n": 5}, {"id": 1, "n": 6})
    path = catalog(tmp_path, [*first, patch(n=1)], [*second, patch(n=2)], schema=SUM)
    run(firth, path)
    run(firth, path)
    assert read(firth) == [{"id": 1, "n": 2}, {"id": 1, "n": 11}]


def test_what_no_checkpoint_covers_is_not_reduced_in(firth, tmp_path):
    path = catalog(tmp_path, [*captured({"id": 1, "n": 1}), patch(n=1), *captured({"id": 1, "n": 100}), {"exit": 1}],
                   [*captured({"id": 1, "n": 100}), patch(n=2)], schema=SUM)
    failure(run(firth, path, expect=1))
    assert read(firth) == [{"id": 1, "n": 1}]
    run(firth, path)
    assert read(firth) == [{"id": 1, "n": 1}, {"id": 1, "n": 100}]


def test_nothing_is_reduced_without_an_annotation(firth, tmp_path):
    """Each document that the connector sent is there once, in the order that they came in."""
    steps = captured(*({"id": n % 3, "n": n} for n in range(100)))
    lines = run(firth, catalog(tmp_path, [*steps, patch(n=1)]))
    assert read(firth) == [{"id": n % 3, "n": n} for n in range(100)]
    assert "stored" not in counters(lines)["acmeCo/users"]


def test_bindings_are_reduced_apart(firth, tmp_path):
    steps = [{"captured": {"binding": n % 2, "doc": {"id": n % 4, "n": 1}}} for n in range(40)]
    run(firth, catalog(tmp_path, [*steps, patch(n=1)], schema=SUM, bindings=("users", "orders")))
    assert read(firth) == [{"id": 0, "n": 10}, {"id": 2, "n": 10}]
    assert read(firth, "acmeCo/orders") == [{"id": 1, "n": 10}, {"id": 3, "n": 10}]


def test_large_groups_are_reduced_whole(firth, tmp_path):
    """A group that is larger than what is staged in memory."""
    steps = [docs(1, 2000, data={"x": "y" * 10000}) for _ in range(2)]
    schema = {**SUM, "properties": {"id": {"type": "integer"}, "x": {"reduce": {"strategy": "firstWriteWins"}}}}
    lines = run(firth, catalog(tmp_path, [*steps, patch(n=1)], schema=schema))
    assert ids(firth) == list(range(1, 2001))
    assert counters(lines)["acmeCo/users"]["stored"] == 2000


def test_a_source_of_airbyte_is_reduced_as_well(firth, tmp_path):
    records = [{"message": {"type": "RECORD", "record": {
        "stream": "users", "data": {"id": 1 + n % 2, "n": 1}, "emitted_at": 1}}} for n in range(10)]
    path = scripted.capture(tmp_path, [*records, {"state": {"stream": "users", "n": 10}}], schema=SUM)
    run(firth, path)
    assert read(firth) == [{"id": 1, "n": 5}, {"id": 2, "n": 5}]


@pytest.mark.parametrize("bad,message", [
    ({"id": 1, "n": 10}, "expected a number of at most 1000, got integer 1005"),  # each is valid, their sum is not
    ({"id": 1, "n": "x"}, "violates the schema"),
])
def test_what_cannot_be_reduced_commits_nothing(firth, tmp_path, bad, message):
    steps = captured({"id": 1, "n": 995}, bad)
    path = catalog(tmp_path, [*steps, patch(n=1)], [patch(n=9)], schema=SUM)
    error = failure(run(firth, path, expect=1))
    assert message in error["message"], error
    assert read(firth) == []
    run(firth, path)
    assert seen(tmp_path, "open")[1]["state"] == {}  # the checkpoint was not committed without its documents


# --- redacting ---------------------------------------------------------------------------------------------

SECRET = {"type": "object", "required": ["id"], "properties": {
    "id": {"type": "integer"}, "password": {"type": "string", "redact": {"strategy": "block"}},
    "mail": {"redact": {"strategy": "sha256"}}}}


def nowhere(firth, *words):
    """None of the words is in any file of the data directory."""
    for path in firth.data_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for word in words:
                assert word.encode() not in content, (word, path)


def uncompressed(path):
    catalog_ = json.loads(path.read_text())
    for each in catalog_["collections"].values():
        each["journals"] = {"fragments": {"compressionCodec": "NONE"}}
    path.write_text(json.dumps(catalog_))
    return path


def test_redacted(firth, tmp_path):
    steps = captured({"id": 1, "password": "hunter2", "mail": "ann@example.com"}, {"id": 2, "mail": 7}, {"id": 3, "x": [1.10]})
    run(firth, uncompressed(catalog(tmp_path, [*steps, patch(n=1)], schema=SECRET,
                                    capture={"redactSalt": "c2FsdA=="})))
    digest = lambda value: "sha256:" + hashlib.sha256(b"salt" + value).hexdigest()
    assert read(firth) == [{"id": 1, "mail": digest(b"ann@example.com")},
                           {"id": 2, "mail": digest(struct.pack("<Q", 7))}, {"id": 3, "x": [1.1]}]
    nowhere(firth, "hunter2", "ann@example.com")


def test_a_salt_of_its_own_stays(firth, tmp_path):
    steps = [*captured({"id": 1, "mail": "a"}), patch(n=1)]
    path = catalog(tmp_path, steps, schema=SECRET)
    run(firth, path)
    run(firth, path)
    first, second = (each["mail"] for each in read(firth))
    assert first == second and re.fullmatch("sha256:[0-9a-f]{64}", first)
    assert first != "sha256:" + hashlib.sha256(b"a").hexdigest()


def test_redacted_and_reduced(firth, tmp_path):
    schema = {**SECRET, "reduce": {"strategy": "merge"}}
    steps = captured({"id": 1, "password": "hunter2", "a": 1}, {"id": 1, "password": "hunter3", "b": 2})
    run(firth, uncompressed(catalog(tmp_path, [*steps, patch(n=1)], schema=schema)))
    assert read(firth) == [{"id": 1, "a": 1, "b": 2}]
    nowhere(firth, "hunter")


def test_a_document_in_quarantine_shows_no_value(firth, tmp_path):
    steps = captured({"id": "hunter2", "password": "hunter3"}, {"id": 1})
    run(firth, uncompressed(catalog(tmp_path, [*steps, patch(n=1)], schema=SECRET,
                                    capture={"onInvalid": {"quarantine": "acmeCo/bad"}})))
    [bad] = read(firth, "acmeCo/bad")
    assert "document" not in bad and bad["violations"][0]["keyword"] == "type"
    assert bad["violations"][0]["instance"] == "/id"
    nowhere(firth, "hunter")


def test_an_error_shows_no_value(firth, tmp_path):
    result = firth("run", str(catalog(tmp_path, [*captured({"id": "hunter2"}), patch(n=1)], schema=SECRET)), "--once",
                   expect=1)
    assert "violates the schema" in result.err and "hunter2" not in result.out + result.err


def test_a_key_that_is_blocked(firth, tmp_path):
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"redact": {"strategy": "block"}}}}
    path = catalog(tmp_path, [*captured({"id": 1}), patch(n=1)], schema=schema)
    result = firth("run", str(path), "--once", expect=1)
    assert "redacts a part of its key" in result.err
    assert "requires '/id' and blocks it" in result.err
    assert read(firth) == []


def test_a_salt_that_is_none(firth, tmp_path):
    result = firth("run", str(catalog(tmp_path, [patch(n=1)], schema=SECRET, capture={"redactSalt": "!secret!"})),
                   "--once", expect=None)
    assert result.rc != 0 and "'redactSalt' must be" in result.err and "!secret!" not in result.err


# --- keys --------------------------------------------------------------------------------------------------



def test_defaults_of_a_key(firth, tmp_path):
    # As in Flow a key has to be required, as far as the catalog's checks can see: here they cannot.
    hidden = {"if": {"required": ["zzz"]}, "then": {"required": ["yyy"]}}
    schema = {**SUM, **hidden, "required": [], "properties": {**SUM["properties"], "id": {"type": "integer", "default": 7}}}
    steps = captured({"n": 1}, {"id": 7, "n": 2}, {"id": 1, "n": 4})
    run(firth, catalog(tmp_path, [*steps, patch(n=1)], schema=schema))
    assert read(firth) == [{"id": 1, "n": 4}, {"n": 3, "id": 7}]


def test_a_key_without_a_default_must_be_there(firth, tmp_path):
    schema = {"type": "object"}  # says nothing of members
    path = catalog(tmp_path, [*captured({"n": 1}), patch(n=1)], schema=schema)
    assert "violates the key" in firth("run", str(path), "--once", expect=None).err


# --- logs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level,shown", [
    (None, ["at info", "at warn"]), ("debug", ["at debug", "at info", "at warn"]), ("warn", ["at warn"])])
def test_log_level(firth, tmp_path, level, shown):
    steps = [{"log": json.dumps({"level": each, "msg": f"at {each}"})} for each in ("trace", "debug", "info", "warn")]
    path = catalog(tmp_path, [*steps, patch(n=1)], capture={"shards": {"logLevel": level}} if level else None)
    lines = run(firth, path, "--log-level", "trace")
    assert [each["message"] for each in events(lines, "log") if each["message"].startswith("at ")] == shown
    env = [json.loads(line)["env"]["LOG_LEVEL"] for line in (tmp_path / "seen").read_text().splitlines()]
    assert set(env) == {level or "info"}
