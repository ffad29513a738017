"""What an endpoint has is what the collections reduce to, whatever happens in a transaction. A shim between the runtime
and a connector makes one thing go wrong at one point; the connector can be told to make a mistake, which must be found.
A fault that never fired fails its test."""

import json
import pathlib
import shutil
import signal
import sqlite3
import sys

import pytest

from conftest import FULL, Firth, binary, until
from e2e.materialize import SCHEMA
from e2e.scripted import command, local

HERE = pathlib.Path(__file__).resolve().parent
TASK = "acmeCo/mat"
REQUESTS = [("open", 1), ("acknowledge", 1), ("load", 5), ("flush", 1), ("store", 5), ("startCommit", 1),
            ("acknowledge", 2)]
RESPONSES = [("opened", 1), ("acknowledged", 1), ("loaded", 3), ("flushed", 1), ("startedCommit", 1),
             ("acknowledged", 2)]


def record(number, seed):
    key = (number * seed) % 61
    document = {"id": key, "n": number}
    if number % 3 == 0:
        document["name"] = f"name {number}"
    return {"message": {"type": "RECORD", "record": {"stream": "users", "data": document, "emitted_at": 1}}}


def write_catalog(folder, steps=(), program=tuple(command("sqlite_materialize.py")), **config):
    shimmed = [sys.executable, "-S", "-E", str(HERE / "shim.py"), *program]
    (folder / "flow.json").write_text(json.dumps({
        "collections": {"acmeCo/users": {"schema": SCHEMA, "key": ["/id"]}},
        "captures": {"acmeCo/in": {
            "endpoint": local("scripted_source", {"streams": ["users"], "seen": "seen", "steps": list(steps)}),
            "bindings": [{"resource": {"stream": "users"}, "target": "acmeCo/users"}]}},
        "materializations": {TASK: {
            "endpoint": {"local": {"command": shimmed, "config": {"path": "out.db", **config}}},
            "bindings": [{"source": "acmeCo/users", "resource": {"table": "users"}}]}}}))


class World:
    """A folder with a data directory, a catalog and an endpoint."""

    def __init__(self, folder, path=None):
        self.folder = folder
        self.firth = Firth(path or binary("FIRTH_BIN", "build/firth"), folder / "data", folder)

    def run(self, task, **more):
        return self.firth("run", "flow.json", "--once", "--task", task, "-o", "json", **more)

    def put(self, first, last, seed, **config):
        write_catalog(self.folder, [record(n, seed) for n in range(first, last)], **config)
        result = self.run("acmeCo/in")
        assert result.rc == 0, result

    def expected(self):
        """The collection, reduced."""
        rows = {}
        for document in self.firth.read("acmeCo/users"):
            row = rows.setdefault(document["id"], {"id": document["id"], "n": 0})
            row["n"] += document["n"]
            if "name" in document:
                row["name"] = document["name"]
        return rows

    def found(self):
        """What the endpoint has."""
        with sqlite3.connect(self.folder / "out.db") as db:
            return db.execute("select id, n, name, flow_document from users order by id").fetchall()

    def problems(self):
        """What is wrong at the endpoint, in words."""
        found, rows, wrong = self.found(), self.expected(), []
        ids = [row[0] for row in found]
        wrong += [f"{key} is missing" for key in rows if key not in ids]
        wrong += [f"{key} is there twice" for key in set(ids) if ids.count(key) > 1]
        for key, n, name, document in found:
            want = rows.get(key)
            if want is None:
                wrong.append(f"{key} is not in the collection")
            elif (n, name) != (want["n"], want.get("name")) or json.loads(document) != want:
                wrong.append(f"{key} is {(n, name, document)}, it should be {want}")
        return wrong

    def delta_problems(self):
        """Of a binding with delta updates: the sums."""
        with sqlite3.connect(self.folder / "out.db") as db:
            found = dict(db.execute("select id, sum(n) from users group by id").fetchall())
        return [f"{key}: {found.get(key)} for {row['n']}" for key, row in self.expected().items()
                if found.get(key) != row["n"]]

    def until_done(self, tries=4, **more):
        """Run until it completes; how often it failed, with which errors."""
        errors = []
        for _ in range(tries):
            result = self.run(TASK, **more)
            if result.rc == 0:
                return errors
            errors += [line["error"] for line in result.lines() if line["event"] == "ended"] or [{"message": str(result)}]
        pytest.fail(f"it never completed: {errors}")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Worlds with one transaction done and another to do, by configuration; made once each."""
    made = {}

    def make(**config):
        name = json.dumps(config, sort_keys=True)
        if name not in made:
            world = World(tmp_path_factory.mktemp("base"))
            world.put(0, 150, 7, **config)
            world.until_done(1)
            assert world.problems() == [] if not config.get("delta") else world.delta_problems() == []
            world.put(150, 300, 5, **config)
            made[name] = world.folder
        return made[name]

    return make


@pytest.fixture
def world(base, tmp_path):
    def make(fault=None, path=None, **config):
        shutil.copytree(base(**config), tmp_path / "world")
        if fault:
            (tmp_path / "world" / "fault.json").write_text(json.dumps(fault))
        (tmp_path / "world" / "committed").unlink(missing_ok=True)
        return World(tmp_path / "world", path)

    return make


def scenario(world, at, nth, do, **config):
    it = world({"at": at, "nth": nth, "do": do}, **config)
    errors = it.until_done()
    assert (it.folder / "fired").exists(), "the fault never fired"
    assert it.problems() == []
    # It goes on well.
    it.put(300, 330, 3, **config)
    it.until_done(1)
    assert it.problems() == []
    return errors


def some(points, quick):
    return points if FULL else [points[i] for i in quick]


@pytest.mark.parametrize("at,nth", REQUESTS + RESPONSES)
def test_crash(world, at, nth):
    errors = scenario(world, at, nth, "crash")
    assert len(errors) <= 1 and all(error["retriable"] for error in errors), errors
    # Only with nothing to come is an end nothing to speak of.
    assert errors


@pytest.mark.parametrize("at,nth", some(REQUESTS, [0, 4, 5]))
def test_crash_just_after(world, at, nth):
    scenario(world, at, nth, "crash-after")


@pytest.mark.parametrize("at,nth", some(RESPONSES, [0, 2, 4]))
def test_truncated(world, at, nth):
    errors = scenario(world, at, nth, "truncate")
    assert len(errors) == 1 and errors[0]["retriable"], errors


@pytest.mark.parametrize("at,nth", some(REQUESTS, [1, 3, 4, 5]))
def test_truncated_request(world, at, nth):
    """The connector got half of a request, and then the end of its input."""
    errors = scenario(world, at, nth, "truncate")
    assert len(errors) == 1 and errors[0]["retriable"], errors


@pytest.mark.parametrize("at,nth", some(REQUESTS + RESPONSES, [9, 12]))
def test_delayed(world, at, nth):
    assert scenario(world, at, nth, "delay") == []


@pytest.mark.parametrize("at,nth", some(REQUESTS[1:6], [0, 4]))
def test_fenced_off(world, at, nth):
    """Another session was opened: this one's commit is refused, in the connector's words."""
    errors = scenario(world, at, nth, "fence")
    assert len(errors) == 1 and "this instance was fenced off by another" in errors[0]["message"], errors


def zombie(world, at, nth, **config):
    """A session is thought dead at a point, and goes on there once its successor has committed; what it said then."""
    it = world({"at": at, "nth": nth, "do": "zombie"}, **config)
    errors = it.until_done()
    assert (it.folder / "fired").exists(), "the fault never fired"
    assert len(errors) == 1 and errors[0]["retriable"], errors
    if not (it.folder / "committed").exists():  # the transaction had been committed: another one
        it.put(300, 330, 3, **config)
        it.until_done(1)
    until(lambda: (it.folder / "zombie").exists(), "the zombie's end")
    return it, (it.folder / "zombie").read_bytes()


@pytest.mark.parametrize("at,nth", REQUESTS[1:])
def test_zombie(world, at, nth):
    """It must not count, wherever it comes to life again; a commit is refused."""
    it, said = zombie(world, at, nth)
    assert b"startedCommit" not in said
    assert it.problems() == []


@pytest.mark.parametrize("at,nth", some(REQUESTS[1:], [4, 5]))
def test_zombie_with_our_own_checkpoint(world, at, nth):
    """What was staged is applied once, however late another session acknowledges it too."""
    it, _ = zombie(world, at, nth, authority="runtime")
    assert it.problems() == []


@pytest.mark.parametrize("at,nth", some(REQUESTS + RESPONSES, [5, 6, 11, 12]))
def test_crash_with_our_own_checkpoint(world, at, nth):
    """Rows are staged, and applied once they are acknowledged."""
    scenario(world, at, nth, "crash", authority="runtime")


@pytest.mark.parametrize("point", ["task.commit.before", "task.commit.after", "materialize.acknowledge.before"])
@pytest.mark.parametrize("authority", ["endpoint", "runtime"])
def test_task_killed(world, point, authority):
    it = world(path=binary("FIRTH_DEV_BIN", "build-dev/firth"), authority=authority)
    result = it.run(TASK, env={"FIRTH_FAULT_KILL": point})
    assert result.rc == 1 and [e["outcome"] for e in result.lines() if e["event"] == "ended"] == ["failed"], result
    it.until_done(1)
    assert it.problems() == []
    # What the endpoint has committed is counted, once, even if nobody lived to count it.
    (task,) = [t for t in it.firth("status", "-o", "json").json()["tasks"] if t["task"] == TASK]
    assert [(s["documents"], s["behind"]) for s in task["streams"]] == [(len(it.firth.read("acmeCo/users")), 0)]


# --- mistakes of a connector: the checker must find each ------------------------------------------------


@pytest.mark.parametrize("defect,authority", [("lose-store", "endpoint"), ("forget-loaded", "endpoint"),
                                              ("lose-store", "runtime"), ("forget-loaded", "runtime")])
def test_mistake_is_found(world, base, defect, authority):
    it = world(authority=authority)
    write_catalog(it.folder, authority=authority, defect=defect)
    result = it.run(TASK)
    assert result.rc != 0 or it.problems(), f"{defect} was not found"


def test_double_store_is_found(world):
    it = world(delta=True)
    it.until_done(1)
    assert it.delta_problems() == []
    it.put(300, 330, 3, delta=True, defect="double-store")
    it.until_done(1)
    assert it.delta_problems()


def test_checkpoint_first_is_found(world):
    it = world()
    (it.folder / "crash").touch()
    write_catalog(it.folder, defect="commit-first", crash="crash")
    assert len(it.until_done()) == 1
    assert not (it.folder / "crash").exists(), "the fault never fired"
    assert it.problems()


def test_ignored_fence_is_found(world):
    it = world({"at": "startCommit", "nth": 1, "do": "zombie", "commits": 2}, defect="ignore-fence")
    assert len(it.until_done()) == 1
    it.put(300, 330, 3, defect="ignore-fence")
    it.until_done(1)
    until(lambda: (it.folder / "zombie").exists(), "the zombie's end")
    assert b"startedCommit" in (it.folder / "zombie").read_bytes(), "the zombie did not commit"
    assert it.problems()


def test_lost_staged_rows_are_found(world):
    it = world({"at": "acknowledge", "nth": 2, "do": "crash"}, authority="runtime")
    config = {"authority": "runtime", "defect": "lose-staged"}
    write_catalog(it.folder, **config)
    it.until_done()
    assert it.problems()


@pytest.mark.parametrize("at,nth,do", [("startedCommit", 1, "crash"), ("startedCommit", 1, "truncate"), ("acknowledge", 2, "crash"),
                                       ("acknowledge", 2, "truncate")])
def test_a_checkpoint_left_behind_is_found(world, at, nth, do):
    """Cut off behind its commit, a connector that keeps rows without their checkpoint counts them twice."""
    it = world({"at": at, "nth": nth, "do": do})
    config = {"defect": "stale-checkpoint"}
    write_catalog(it.folder, **config)
    (it.folder / "fired").unlink(missing_ok=True)
    result = it.run(TASK)
    assert (it.folder / "fired").exists(), "the fault never fired"
    for _ in range(3):
        result = it.run(TASK)
        if result.rc == 0:
            break
    assert result.rc != 0 or it.problems()


def test_fencing_that_does_nothing_is_found(world):
    """What test_fenced_off looks for does not come."""
    it = world({"at": "store", "nth": 5, "do": "fence"})
    write_catalog(it.folder, defect="ignore-fence")
    assert it.until_done() == []
    assert (it.folder / "fired").exists(), "the fault never fired"


def test_rows_applied_after_the_loads_are_found(world):
    """Delayed or not: what was committed has to be there for the loads of the next transaction."""
    config = {"authority": "runtime", "defect": "late-apply"}
    it = world({"at": "acknowledge", "nth": 2, "do": "delay"}, authority="runtime")
    write_catalog(it.folder, **config)
    it.until_done(1)
    it.put(300, 330, 3, **config)
    it.run(TASK)
    it.put(330, 360, 3, **config)
    result = it.run(TASK)
    assert (it.folder / "fired").exists(), "the fault never fired"
    assert result.rc != 0 or it.problems()


def test_rows_applied_twice_are_found(world):
    """A session that acknowledges late, what its successor has acknowledged before."""
    config = {"authority": "runtime", "delta": True, "defect": "apply-again"}
    it, _ = zombie(world, "acknowledge", 2, **config)
    assert it.delta_problems()
