"""What a materialization has read and the store has no more: all bindings that it concerns are named at once."""

import shutil

import pytest

from e2e.materialize import catalog, materialize, put, rows
from e2e.scripted import failure, local, received


@pytest.mark.parametrize("anew", [0, 1, 3])
def test_every_binding_that_lost_its_documents_is_named(firth, tmp_path, anew):
    """At once, and as the catalog has them: each needs its 'backfill' raised. One that read nothing is fine."""
    names = [f"t{i}" for i in range(20)]
    bindings = [{"source": f"acmeCo/{name}", "resource": {"table": f"to_{name}"}} for name in names]
    steps = [{"message": {"type": "RECORD", "record": {"stream": name, "data": {"id": i}, "emitted_at": 1}}}
             for name in names[:18] for i in range(2)]
    path = put(firth, tmp_path, steps=steps, collections=names, bindings=bindings)
    materialize(firth, path)
    firth("drop", "acmeCo/in", "--yes", expect=0)
    for i in range(anew):
        path = put(firth, tmp_path, {"id": i}, stream="t0", collections=names, bindings=bindings)
    message = failure(materialize(firth, path, expect=1))["message"]
    assert "raise the 'backfill' of each of these bindings" in message
    named = [name for name in names if f"the binding 'to_{name}' has read 2 documents that acmeCo/in wrote to acmeCo/{name}," in message]
    assert len(named) == 16 and message.endswith("; and 2 more like these") and not {"t18", "t19"} & set(named)
    # Raised in part: the others are named.
    for binding in bindings[:17]:
        binding["backfill"] = 1
    path = catalog(tmp_path, collections=names, bindings=bindings)
    message = failure(materialize(firth, path, expect=1))["message"]
    assert "the binding 'to_t17' has read 2 documents" in message and "raise the binding's 'backfill'" in message
    bindings[17]["backfill"] = 1
    materialize(firth, catalog(tmp_path, collections=names, bindings=bindings))
    assert len(rows(tmp_path, "to_t0")) == anew


@pytest.mark.parametrize("endpoint", ["endpoint", "runtime", "airbyte"])
@pytest.mark.parametrize("read", ["end", "middle"])
def test_an_older_copy_of_the_data_directory_is_told(firth, tmp_path, data_dir, endpoint, read):
    """Gone on with, it has other documents under the numbers that were read. The same copy, and a newer one whose
    documents are those that were read, are taken."""
    more = {"config": {"authority": "runtime"} if endpoint == "runtime" else {}}
    table = {"table": "users"}
    if endpoint == "airbyte":
        more = {"endpoint": local("scripted_destination", {"out": str(tmp_path / "out")})}
        table = {"stream": "users", "destinationSyncMode": "append"}

    def arrived():
        if endpoint == "airbyte":
            return [m["record"]["data"]["id"] for m in received(tmp_path) if m.get("type") == "RECORD"]
        return [r["id"] for r in rows(tmp_path)]

    def bound(backfill):
        return {"bindings": [{"source": "acmeCo/users", "resource": table, "backfill": backfill}], **more}

    def copy(at, to):
        """Of the capture's part: a checkpoint that is not the endpoint's would be as old as the copy."""
        for folder in ("tasks/acmeCo%2Fin", "collections/acmeCo%2Fusers"):
            shutil.rmtree(to / folder, ignore_errors=True)
            shutil.copytree(at / folder, to / folder)

    older, newer = tmp_path / "older", tmp_path / "newer"
    materialize(firth, put(firth, tmp_path, {"id": 1}, **bound(0)))
    copy(data_dir, older)
    materialize(firth, put(firth, tmp_path, {"id": 2}, **bound(0)))
    copy(data_dir, newer)
    copy(older, data_dir)
    for ids in ([30, 31],) if read == "middle" else ([30], [31]):  # the position is in a transaction, or at its end
        path = put(firth, tmp_path, *({"id": i} for i in ids), **bound(0))
    for _ in range(2):
        message = failure(materialize(firth, path, expect=1))["message"]
        assert "has read 2 documents that acmeCo/in wrote to acmeCo/users, but there are others" in message
        assert "of a newer state of this data directory, which went on from an older copy" in message and "raise the binding's 'backfill'" in message
        assert "of another data directory" not in message
    assert arrived() == [1, 2]
    copy(newer, data_dir)
    materialize(firth, put(firth, tmp_path, {"id": 3}, **bound(0)))
    assert arrived() == [1, 2, 3]
    copy(older, data_dir)
    for i in (30, 31, 32):
        put(firth, tmp_path, {"id": i}, **bound(0))
    assert "older copy" in failure(materialize(firth, path, expect=1))["message"]
    materialize(firth, catalog(tmp_path, **bound(1)))
    assert arrived()[-4:] == [1, 30, 31, 32]
