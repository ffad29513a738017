"""What a materialization has read and the store has no more: all bindings that it concerns are named at once."""

import pytest

from e2e.materialize import catalog, materialize, put, rows
from e2e.scripted import failure


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
