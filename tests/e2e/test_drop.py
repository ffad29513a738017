"""`firth drop`: what a task has committed goes, and nothing else; also the way out where its files are damaged."""

import json

import pytest

from e2e.materialize import catalog as materialized, materialize, put
from e2e.scripted import capture, run, seen, state_of
from e2e.test_capture import ids, records, state


def other(tmp_path):
    """Another task that writes to the same collection."""
    path = capture(tmp_path, [records(100, 101), state(101)])
    path.write_text(path.read_text().replace("acmeCo/test", "acmeCo/other"))
    return path


def test_task_begins_anew(firth, tmp_path):
    run(firth, capture(tmp_path, [records(1, 5), state(5)]))
    run(firth, other(tmp_path))
    assert sorted(ids(firth)) == [1, 2, 3, 4, 5, 100, 101]
    result = firth("drop", "acmeCo/test", "--yes", expect=0)
    assert "acmeCo/test: its state and 5 documents in 1 collection thrown away" in result.err
    assert ids(firth) == [100, 101]
    run(firth, capture(tmp_path, [records(1, 2), state(2)]))
    assert state_of(seen(tmp_path)[-1], "users") is None
    assert sorted(ids(firth)) == [1, 2, 100, 101]


def test_what_others_make_of_it_is_told(firth, tmp_path):
    put(firth, tmp_path, {"id": 1, "n": 1})
    materialize(firth, materialized(tmp_path))
    assert "begins anew; what it has at its endpoint stays: " in firth("drop", "acmeCo/mat", "--yes", expect=0).err
    assert "begins anew; materializations that have read of its documents stop until" in \
        firth("drop", "acmeCo/in", "--yes", expect=0).err


@pytest.mark.parametrize("what", ["segment", "log", "both"])
def test_damage_is_no_hindrance(firth, tmp_path, data_dir, what):
    catalog = capture(tmp_path, [records(1, 50), state(50)])
    run(firth, catalog)
    files = []
    if what in ("segment", "both"):
        files += (data_dir / "collections").rglob("*.seg")
    if what in ("log", "both"):
        files += (data_dir / "tasks").rglob("commits-*")
    assert files
    for file in files:
        file.write_bytes(b"x" * file.stat().st_size)
    run(firth, catalog, expect=1)
    firth("drop", "acmeCo/test", "--yes", expect=0)
    run(firth, catalog)
    assert ids(firth) == list(range(1, 51))


def test_one_that_was_interrupted(firth, tmp_path, data_dir):
    """Its documents are no more to be had, and who reads to the end hears of it: with the way out, once."""
    run(firth, capture(tmp_path, [records(1, 5), state(5)]))
    run(firth, other(tmp_path))
    (data_dir / "tasks/acmeCo%2Ftest/dropping").touch()
    for args, code, number in ([], 5, None), (["--task", "acmeCo/other"], 0, None), (["--limit", "2"], 0, None):
        result = firth("read", "acmeCo/users", *args, expect=code)
        assert [json.loads(line)["id"] for line in result.out.splitlines()] == [100, 101]
        assert result.err.count("firth drop acmeCo/test") == (1 if code else 0), result
    told = firth("read", "acmeCo/users", "-o", "json", expect=5).lines()[-1]
    assert told["writer"] == "acmeCo/test" and "'firth drop acmeCo/test' finishes it" in told["damage"]["message"]
    for args in ["status"], ["run", capture(tmp_path, []), "--once"]:
        result = firth(*args)
        assert result.rc != 0 and result.err.count("firth drop acmeCo/test") == 1, result
    firth("drop", "acmeCo/test", "--yes", expect=0)
    assert ids(firth) == [100, 101]


def test_it_is_not_done_by_accident(firth, tmp_path):
    run(firth, capture(tmp_path, [records(1, 5), state(5)]))
    assert "--yes does it without asking" in firth("drop", "acmeCo/test", expect=1).err
    error = json.loads(firth("drop", "acmeCo/test", "-o", "json", expect=1).err)["error"]
    assert error["code"] == "invalid" and "nothing was dropped" in error["message"]
    assert "did you mean acmeCo/test?" in firth("drop", "acmeCo/tset", "--yes", expect=3).err
    assert ids(firth) == [1, 2, 3, 4, 5]


def test_nothing_is_made(firth, data_dir):
    firth("drop", "acmeCo/test", "--yes", expect=3)
    assert not data_dir.exists()


def test_not_while_a_task_runs(firth, tmp_path):
    go_on = tmp_path / "go"
    running = firth.start("run", str(capture(tmp_path, [records(1, 5), state(5), {"touch": str(tmp_path / "there")},
                                                        {"sleep_until": str(go_on)}])), "--once")
    from conftest import until
    until((tmp_path / "there").exists, "the source")
    assert "firth run" in firth("drop", "acmeCo/test", "--yes", expect=4).err
    go_on.touch()
    assert running.wait() == 0
    assert ids(firth) == [1, 2, 3, 4, 5]
