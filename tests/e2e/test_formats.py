"""Formats: asserted of a collection's documents, annotations of a connection's records."""

from e2e.scripted import capture, connection, counters, events, failure, run

STATE = {"state": {"stream": "users", "n": 1}}


def user(first, last, **data):
    return {"records": {"stream": "users", "from": first, "to": last, "data": data}}


DATED = {"type": "object", "required": ["id"],
         "properties": {"id": {"type": "integer"}, "at": {"type": "string", "format": "date"}, "x": {"format": "nobody-knows"}}}


def test_formats_are_asserted(firth, tmp_path):
    """A collection's documents have the formats that its schema names, as Flow has it."""
    steps = [user(1, 1, at="2026-11-21", x="?"), STATE, user(2, 2, at="soon")]
    error = failure(run(firth, capture(tmp_path, steps, schema=DATED), expect=1))
    assert error["code"] == "invalid"
    for part in ("document 2", "/at", "date", '"soon"'):
        assert part in error["message"], error["message"]
    lines = run(firth, capture(tmp_path, [user(3, 3, at="soon"), user(4, 4, at="2026-11-22")], schema=DATED,
                               onInvalid={"quarantine": "acmeCo/bad"}))
    assert [document["id"] for document in firth.read("acmeCo/users")] == [1, 4] and counters(lines)["acmeCo/users"]["invalid"] == 1
    assert [bad["violations"][0]["keyword"] for bad in firth.read("acmeCo/bad")] == ["format"]


def test_formats_of_a_connection_are_annotations(firth, tmp_path):
    """An Airbyte source's schema describes; what it calls a date goes through."""
    stream = {"name": "users", "json_schema": DATED}
    lines = run(firth, connection(tmp_path, [user(1, 2, at="soon"), STATE], source_streams=[stream]))
    assert events(lines, "ended")[0]["outcome"] == "completed"
    assert not [log for log in events(lines, "log") if "soon" in log["message"] or "format" in log["message"]]
