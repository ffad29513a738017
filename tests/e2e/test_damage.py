"""One damaged task blinds nobody, and a reader is told what it missed."""

import json
import shutil
import subprocess

import pytest

from conftest import Firth, binary
from e2e.scripted import capture, failure, run, write
from e2e.test_capture import records, state

SMALL = {"fragments": {"compressionCodec": "NONE", "length": 1, "retentionSize": 1}}


def task(tmp_path, name, first, last, collection="acmeCo/users", **more):
    """A catalog of one task that writes these documents to the collection."""
    path = capture(tmp_path, [records(first, last, **more), state(last)], bindings={"users": collection})
    catalog = json.loads(path.read_text())
    catalog["captures"] = {name: catalog["captures"]["acmeCo/test"]}
    catalog["collections"][collection]["journals"] = SMALL
    return write(tmp_path / (name.replace("/", "-") + ".json"), catalog)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A data directory: a, b and c wrote to acmeCo/users, d to acmeCo/alone."""
    folder = tmp_path_factory.mktemp("filled")
    firth = Firth(binary("FIRTH_BIN", "build/firth"), folder / "data", folder)
    run(firth, task(folder, "acmeCo/a", 1, 50))
    run(firth, task(folder, "acmeCo/b", 100, 149))
    run(firth, task(folder, "acmeCo/c", 200, 249))
    run(firth, task(folder, "acmeCo/d", 1, 3, collection="acmeCo/alone"))
    return folder / "data"


@pytest.fixture
def several(firth, filled, data_dir):
    shutil.copytree(filled, data_dir)
    return firth


A, B, C = list(range(1, 51)), list(range(100, 150)), list(range(200, 250))


def files(data_dir, name, pattern, kind="collections"):
    part = name.replace("/", "%2F")
    found = [path for path in (data_dir / kind).rglob(pattern) if part in path.parts]
    assert found
    return found


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def break_log(data_dir, name):
    (log,) = files(data_dir, name, "commits-*", "tasks")
    log.write_bytes(b"x" * log.stat().st_size)


def break_segment(data_dir, name):
    (segment,) = files(data_dir, name, "*.seg")
    flip(segment, 300)


def lose_segment(data_dir, name):
    (segment,) = files(data_dir, name, "*.seg")
    segment.unlink()


def lose_folder(data_dir, name):
    (segment,) = files(data_dir, name, "*.seg")
    shutil.rmtree(segment.parent)


def lose_log(data_dir, name):
    for path in files(data_dir, name, "commits-*", "tasks"):
        path.unlink()
    for path in files(data_dir, name, "published", "tasks"):
        path.unlink()


def lose_task(data_dir, name):
    (log,) = files(data_dir, name, "commits-*", "tasks")
    shutil.rmtree(log.parent)


DAMAGES = {"log": break_log, "segment": break_segment, "lost segment": lose_segment, "lost folder": lose_folder,
           "lost log": lose_log, "lost task": lose_task}


def numbers(text):
    return [json.loads(line)["id"] for line in text.splitlines()]


@pytest.mark.parametrize("damage", DAMAGES)
def test_others_are_read(several, data_dir, damage):
    DAMAGES[damage](data_dir, "acmeCo/b")
    result = several("read", "acmeCo/users")
    assert result.rc == 5, result
    assert numbers(result.out) == A + C
    assert "acmeCo/b: its documents from 0 on cannot be read" in result.err
    assert "'firth drop acmeCo/b'" in result.err and "restore its files" in result.err
    assert "its documents in every collection, and how far its source was read" in result.err
    assert result.err.count("\n") == 1
    assert numbers(several("read", "acmeCo/users", "--task", "acmeCo/a", expect=0).out) == A
    assert several("read", "acmeCo/users", "--task", "acmeCo/b", expect=5).out == ""
    assert numbers(several("read", "acmeCo/alone", expect=0).out) == [1, 2, 3]


@pytest.mark.parametrize("damage", DAMAGES)
def test_others_are_read_by_machines(several, data_dir, damage):
    DAMAGES[damage](data_dir, "acmeCo/b")
    result = several("read", "acmeCo/users", "-o", "json", expect=5)
    lines = result.lines()
    (place,) = [at for at, line in enumerate(lines) if "document" not in line]
    assert place == len(A)
    assert (lines[place]["collection"], lines[place]["writer"]) == ("acmeCo/users", "acmeCo/b")
    assert lines[place]["damage"]["from"] == 0 and lines[place]["damage"]["code"] == "corrupt"
    (error,) = [json.loads(line)["error"] for line in result.err.splitlines()]
    assert error["message"] == lines[place]["damage"]["message"]


@pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "segment"])
def test_status_shows_all(several, data_dir, damage):
    DAMAGES[damage](data_dir, "acmeCo/b")
    result = several("status", expect=5)
    rows = {line.split()[0]: line.split()[1:] for line in result.out.splitlines()[1:]}
    assert rows["acmeCo/a"][:2] == ["acmeCo/users", "50"] and rows["acmeCo/c"][:2] == ["acmeCo/users", "50"]
    assert rows["acmeCo/d"][:2] == ["acmeCo/alone", "3"]
    assert "damaged" in rows["acmeCo/b"]
    assert "'firth drop acmeCo/b'" in result.err and result.err.count("\n") == 1
    machine = several("status", "-o", "json", expect=5)
    tasks = {each["task"]: each for each in machine.json()["tasks"]}
    assert sorted(tasks) == ["acmeCo/a", "acmeCo/b", "acmeCo/c", "acmeCo/d"]
    for name, each in tasks.items():
        reasons = [each["damage"]] + [journal["damage"] for journal in each["collections"]]
        assert any(reasons) == (name == "acmeCo/b"), each
    assert json.loads(machine.err)["error"]["code"] == "corrupt"
    several("status", "acmeCo/a", "acmeCo/d", expect=0)
    several("status", "acmeCo/b", expect=5)


@pytest.mark.parametrize("damage", DAMAGES)
def test_way_out(several, tmp_path, data_dir, damage):
    DAMAGES[damage](data_dir, "acmeCo/b")
    told = failure(run(several, task(tmp_path, "acmeCo/b", 100, 149), expect=1))
    assert "'firth drop acmeCo/b'" in told["message"] and "restore" in told["message"]
    assert "'firth drop acmeCo/b'" in several("run", str(task(tmp_path, "acmeCo/b", 100, 149)), "--once", expect=1).err
    several("drop", "acmeCo/b", "--yes", expect=0)
    several("status", expect=0)
    assert numbers(several("read", "acmeCo/users", expect=0).out) == A + C
    run(several, task(tmp_path, "acmeCo/b", 100, 149))
    assert numbers(several("read", "acmeCo/users", expect=0).out) == A + B + C


def test_only_writer_is_lost(several, data_dir):
    shutil.rmtree(data_dir / "collections" / "acmeCo%2Falone")
    result = several("read", "acmeCo/alone", expect=5)
    assert "is missing" in result.err and "'firth drop acmeCo/d'" in result.err
    assert "acmeCo/alone: damaged" in several("status", expect=5).out


def test_damage_in_the_middle(firth, tmp_path, data_dir):
    """What lies before it is read, and with --from what lies behind it."""
    run(firth, task(tmp_path, "acmeCo/a", 1, 10))
    (segment,) = files(data_dir, "acmeCo/a", "*.seg")
    end = len(segment.read_bytes().rstrip(b"\0"))
    run(firth, task(tmp_path, "acmeCo/a", 11, 20))
    run(firth, task(tmp_path, "acmeCo/b", 1, 3))
    flip(segment, end + 100)
    # The commit log still has the last documents; the next run puts them back, and begins another log.
    assert numbers(firth("read", "acmeCo/users", expect=0).out) == [*range(1, 21), *range(1, 4)]
    run(firth, task(tmp_path, "acmeCo/a", 21, 30))
    assert numbers(firth("read", "acmeCo/users", expect=0).out) == [*range(1, 31), *range(1, 4)]
    flip(segment, end + 100)
    result = firth("read", "acmeCo/users", "-o", "json", expect=5)
    assert [line.get("number", "damage") for line in result.lines()] == [*range(10), "damage", 0, 1, 2]
    assert f"damaged at offset {end}" in result.err and "its documents from 10 on" in result.err
    followed = firth.start("read", "acmeCo/users", "--follow", "--limit", "16")
    followed.wait_for_line('"id": 3')
    run(firth, task(tmp_path, "acmeCo/b", 4, 6))
    assert followed.wait() == 5
    assert numbers("\n".join(followed.out)) == [*range(1, 11), *range(1, 7)]
    assert len(followed.err) == 1


# --- one writer of several --------------------------------------------------------------------------


def test_task_is_chosen(several):
    assert numbers(several("read", "acmeCo/users", expect=0).out) == A + B + C
    assert numbers(several("read", "acmeCo/users", "--task", "acmeCo/b", "--from", "48", expect=0).out) == B[48:]


@pytest.mark.parametrize("args, message", [
    (["acmeCo/users", "--task", "acmeCo/bb"], "task 'acmeCo/bb' has written nothing to acmeCo/users; did you mean acmeCo/"),
    (["acmeCo/users", "--task", "something"],
     "task 'something' has written nothing to acmeCo/users; these have: acmeCo/a, acmeCo/b, acmeCo/c"),
    (["acmeCo/user", "--task", "acmeCo/a"], "there is no collection 'acmeCo/user'; did you mean acmeCo/users?"),
    (["acmeCo/alone", "--task", "acmeCo/a"], "task 'acmeCo/a' has written nothing to acmeCo/alone"),
])
def test_task_is_unknown(several, args, message):
    assert message in several("read", *args, expect=3).err


def test_suggestions_in_spite_of_damage(several, data_dir):
    break_log(data_dir, "acmeCo/b")
    assert "did you mean acmeCo/users?" in several("read", "acmeCo/user", expect=3).err
    assert "did you mean acmeCo/d?" in several("drop", "acmeCo/dd", "--yes", expect=3).err


# --- what retention dropped -------------------------------------------------------------------------


def fill(firth, tmp_path, first, last, name="acmeCo/a"):
    """200 documents are several segments."""
    run(firth, task(tmp_path, name, first, last, fill=10000))


def kept(firth, name="acmeCo/a"):
    (each,) = [each for each in firth("status", "-o", "json", expect=0).json()["tasks"] if each["task"] == name]
    return each["collections"][0]["first"], each["collections"][0]["end"]


def retained(firth, tmp_path):
    for start in range(1, 1000, 200):
        fill(firth, tmp_path, start, start + 199)
    first, end = kept(firth)
    assert 200 < first < end == 1000
    return first


def test_from_below_the_first_kept(firth, tmp_path):
    first = retained(firth, tmp_path)
    result = firth("read", "acmeCo/users", "--from", "100", "-o", "json", expect=1)
    gone, *documents = result.lines()
    assert gone == {"collection": "acmeCo/users", "writer": "acmeCo/a",
                    "gone": {"documents": first - 100, "from": 100, "to": first - 1}}
    assert [line["number"] for line in documents] == list(range(first, 1000))
    result = firth("read", "acmeCo/users", "--from", "100", env={"FIRTH_LOG_LEVEL": "error"}, expect=1)
    assert (f"documents 100 to {first - 1} of task acmeCo/a in collection acmeCo/users ({first - 100}) are gone: "
            "retention dropped them") in result.err
    assert len(result.lines()) == 1000 - first
    result = firth("read", "acmeCo/users", "--from", str(first - 1), "--limit", "1", expect=1)
    assert f"document {first - 1} of task acmeCo/a in collection acmeCo/users (1) is gone" in result.err
    for args in ([], ["--from", str(first)]):
        result = firth("read", "acmeCo/users", *args, expect=0)
        assert result.err == "" and len(result.lines()) == 1000 - first


def test_follower_is_overtaken(firth, tmp_path):
    fill(firth, tmp_path, 1, 10)
    fill(firth, tmp_path, 1, 1, name="acmeCo/b")
    errors = tmp_path / "errors"
    with errors.open("wb") as stderr:
        following = subprocess.Popen([firth.path, "read", "acmeCo/users", "--follow", "-o", "json"],
                                     stdout=subprocess.PIPE, stderr=stderr, env=firth.environment())
    with following, following.stdout as lines:
        assert json.loads(lines.readline())["number"] == 0
        for start in range(11, 2000, 200):  # nobody reads on: the pipe is full
            fill(firth, tmp_path, start, start + 199)
        first, end = kept(firth)
        seen, gone = 0, 0
        while seen < end - 1:
            line = json.loads(lines.readline())
            if line["writer"] != "acmeCo/a":
                continue
            if "gone" in line:
                assert line["gone"]["from"] == seen + 1
                assert line["gone"]["documents"] == line["gone"]["to"] - seen
                seen = line["gone"]["to"]
                gone += line["gone"]["documents"]
            else:
                assert line["number"] == seen + 1
                seen = line["number"]
        following.terminate()
    assert gone > 0
    assert "are gone: retention dropped them" in errors.read_text()


# --- dropped while it is followed -------------------------------------------------------------------


def test_follower_of_a_task_that_is_dropped(firth, tmp_path):
    run(firth, task(tmp_path, "acmeCo/a", 1, 5))
    following = firth.start("read", "acmeCo/users", "--follow", "-o", "json", "--limit", "8")
    following.wait_for_line('"id": 5')
    firth("drop", "acmeCo/a", "--yes", expect=0)
    following.wait_for_line('"dropped":{"documents":0}')
    run(firth, task(tmp_path, "acmeCo/a", 1, 3))
    assert following.wait() == 0
    told = [json.loads(line) for line in following.out]
    assert [line.get("number", "dropped") for line in told] == [0, 1, 2, 3, 4, "dropped", 0, 1, 2]
    assert any("task acmeCo/a was dropped; what it writes anew" in line for line in following.err)


def test_interrupted_drop(several, data_dir, tmp_path):
    (log,) = files(data_dir, "acmeCo/b", "commits-*", "tasks")
    (log.parent / "dropping").touch()
    lose_folder(data_dir, "acmeCo/b")
    assert numbers(several("read", "acmeCo/users", expect=0).out) == A + C
    assert "is being dropped, or that was interrupted" in several("status", expect=5).err
    result = several("run", str(task(tmp_path, "acmeCo/b", 1, 5)), "--once", expect=1)
    assert "'firth drop acmeCo/b' finishes it" in result.err
    several("drop", "acmeCo/b", "--yes", expect=0)
    several("status", expect=0)
