"""An `apply` of which nobody knows what came: the tables that it made are the materialization's own all the same."""

import json
import shutil

import pytest

from e2e.materialize import TASK, catalog, flow, messages, put
from e2e.materialize import materialize as run_it
from conftest import until
from e2e.scripted import events, failure

PROGRAM = "creating_materialize.py"


def binding(table, **more):
    return {"source": f"acmeCo/{more.pop('of', table)}", "resource": {"table": table}, **more}


class World:
    """A capture's two collections, and catalogs of materializations of them."""

    def __init__(self, firth, tmp_path):
        self.firth, self.tmp_path = firth, tmp_path
        for name in ("users", "orders"):
            put(firth, tmp_path, {"id": 1, "n": 1}, stream=name, collections=("users", "orders"))
        self.reached = tmp_path / "reached"

    def catalog(self, *bindings, **config):
        config = {"tables": str(self.tmp_path / "tables"), "seen": str(self.tmp_path / "messages"), **config}
        return str(catalog(self.tmp_path, collections=("users", "orders"), bindings=list(bindings),
                           endpoint=flow(PROGRAM, config)))

    def materialize(self, *bindings, expect=0, **config):
        return run_it(self.firth, self.catalog(*bindings, **config), expect=expect)

    def kill_in_apply(self, *bindings):
        path = self.catalog(*bindings, stop_at=str(self.reached))
        running = self.firth.start("run", path, "--once", "--task", TASK)
        until(self.reached.exists, "the tables are made")
        running.kill()
        self.reached.unlink()

    def check(self, *bindings, expect=0):
        return self.firth("check", self.catalog(*bindings), expect=expect)

    def made(self):
        return json.loads((self.tmp_path / "tables").read_text())

    def told(self, verb="apply"):
        """What the last such request was told of what was there: {path: counter}, and its version."""
        last, body = self.last(verb)
        return {b["resourcePath"][0]: b.get("backfill", 0) for b in last.get("bindings", [])}, body.get("lastVersion", "")

    def last(self, verb):
        body = [body for way, name, body in messages(self.tmp_path) if way == ">" and name == verb][-1]
        return body.get("lastMaterialization", {}), body

    def inactive(self, verb="apply"):
        """The same of those that had gone, and of those that the request's own specification says to have gone."""
        last, body = self.last(verb)
        of = [{b["resourcePath"][0]: b.get("backfill", 0) for b in spec.get("inactiveBindings", [])}
              for spec in (last, body.get("materialization", {}))]
        return tuple(of) if verb == "apply" else of[0]


def test_killed_before_the_first_answer(firth, tmp_path):
    world = World(firth, tmp_path)
    world.kill_in_apply(binding("users"))
    lines = world.materialize(binding("users"))
    assert world.made() == {"users": 1}
    told, version = world.told()
    assert told == {"users": 0} and version
    assert events(lines, "progress")[-1]["bindings"][0]["committedDocuments"] == 1
    # From now on it is known, and nothing is asked again.
    (tmp_path / "messages").unlink()
    world.materialize(binding("users"))
    assert messages(tmp_path)[0][1] == "open"


def test_killed_as_a_binding_is_added(firth, tmp_path):
    world = World(firth, tmp_path)
    world.materialize(binding("users"))
    version = [body["version"] for _, verb, body in messages(tmp_path) if verb == "apply"][0]
    world.kill_in_apply(binding("users"), binding("orders"))
    assert world.made() == {"users": 1, "orders": 1}
    lines = world.materialize(binding("users"), binding("orders"))
    assert world.told() == ({"users": 0, "orders": 0}, version)
    assert {b["name"]: b["committedDocuments"] for b in events(lines, "progress")[-1]["bindings"]} == {
        "acmeCo/users": 0, "acmeCo/orders": 1}


def test_killed_as_a_binding_is_added_that_is_taken_back(firth, tmp_path):
    """It is applied again as it was; and the table that was made for the other is known when that comes back."""
    world = World(firth, tmp_path)
    world.materialize(binding("users"))
    world.kill_in_apply(binding("users"), binding("orders"))
    (tmp_path / "messages").unlink()
    world.materialize(binding("users"))
    assert world.told()[0] == {"users": 0, "orders": 0} and world.inactive() == ({}, {"orders": 0})
    (tmp_path / "messages").unlink()
    world.materialize(binding("users"))
    assert messages(tmp_path)[0][1] == "open"
    world.materialize(binding("users"), binding("orders"))
    assert world.told()[0] == {"users": 0} and world.inactive() == ({"orders": 0}, {})
    assert world.made() == {"users": 1, "orders": 1}


@pytest.mark.parametrize("how", ["taken out", "disabled"])
def test_a_binding_that_goes_and_comes_back(firth, tmp_path, how):
    """It is told as inactive meanwhile: its table is no stranger's, and it goes on from its place."""
    world = World(firth, tmp_path)
    world.materialize(binding("users"), binding("orders", backfill=1))
    without = [binding("users")] + ([binding("orders", backfill=1, disable=True)] if how == "disabled" else [])
    world.materialize(*without)
    assert world.told()[0] == {"users": 0, "orders": 1} and world.inactive() == ({}, {"orders": 1})
    opened = [body for way, verb, body in messages(tmp_path) if verb == "open"][-1]
    assert [b["resourcePath"] for b in opened["materialization"]["inactiveBindings"]] == [["orders"]]
    # However often something else changes in between.
    world.materialize(*without[1:], binding("users", backfill=1))
    assert world.told()[0] == {"users": 0} and world.inactive() == ({"orders": 1}, {"orders": 1})
    world.check(binding("users", backfill=1), binding("orders", backfill=1))
    assert world.inactive("validate") == {"orders": 1}
    lines = world.materialize(binding("users", backfill=1), binding("orders", backfill=1))
    assert world.told()[0] == {"users": 1} and world.inactive() == ({"orders": 1}, {})
    assert world.made() == {"users": 2, "orders": 1}
    assert [b["documents"] for b in events(lines, "progress")[-1]["bindings"]] == [0, 0]


def test_killed_as_a_binding_comes_back_with_a_raised_counter(firth, tmp_path):
    """Nobody knows whether its table was emptied: the connector is told the counter of before once more."""
    world = World(firth, tmp_path)
    world.materialize(binding("users"), binding("orders"))
    world.materialize(binding("users"))
    world.kill_in_apply(binding("users"), binding("orders", backfill=1))
    world.materialize(binding("users"), binding("orders", backfill=1))
    assert world.told()[0] == {"users": 0} and world.inactive() == ({"orders": 0}, {})
    assert world.made() == {"users": 1, "orders": 3}


def test_a_counter_that_was_forced_holds_for_a_binding_that_comes_back(firth, tmp_path):
    world = World(firth, tmp_path)
    world.materialize(binding("users"), binding("orders", backfill=1))
    world.kill_in_apply(binding("users"), binding("orders", backfill=2))
    world.materialize(binding("users"), binding("orders", backfill=1))  # taken back: forced to 3
    world.materialize(binding("users"))
    world.materialize(binding("users"), binding("orders", backfill=1))
    assert world.inactive() == ({"orders": 3}, {})
    applied = [body for _, verb, body in messages(tmp_path) if verb == "apply"][-1]["materialization"]["bindings"]
    assert [b["stateKey"] for b in applied] == ["users", "orders.v3"]


def test_an_emptied_data_directory(firth, tmp_path):
    """The connector cannot know why a binding is new to it: what happened, and the ways out, are ours to say."""
    world = World(firth, tmp_path)
    world.materialize(binding("users"))
    shutil.rmtree(firth.data_dir)
    for name in ("users", "orders"):
        put(firth, tmp_path, {"id": 1, "n": 1}, stream=name, collections=("users", "orders"))
    error = failure(world.materialize(binding("users"), expect=1))
    for part in ("table [users] already exists", "Nothing was materialized from this data directory before", "drop",
                 "--data-dir", "'backfill'"):
        assert part in error["message"]
    (tmp_path / "tables").unlink()
    world.materialize(binding("users"))


def test_a_table_of_somebody_elses(firth, tmp_path):
    world = World(firth, tmp_path)
    world.materialize(binding("users"))
    (tmp_path / "tables").write_text(json.dumps({"users": 1, "orders": 7}))
    error = failure(world.materialize(binding("users"), binding("orders"), expect=1))
    assert "already exists" in error["message"] and "This task has not made it" in error["message"]


def test_a_failure_at_the_second_binding_and_a_mended_catalog(firth, tmp_path):
    world = World(firth, tmp_path)
    error = failure(world.materialize(binding("users"), binding("bad", of="orders"), refuse="bad", expect=1))
    assert "cannot create table bad" in error["message"] and world.made() == {"users": 1}
    # The same again fails for the same reason, and for no other.
    error = failure(world.materialize(binding("users"), binding("bad", of="orders"), refuse="bad", expect=1))
    assert "cannot create table bad" in error["message"]
    lines = world.materialize(binding("users"), binding("orders"), refuse="bad")
    assert world.made() == {"users": 1, "orders": 1}
    assert all(b["committedDocuments"] == 1 for b in events(lines, "progress")[-1]["bindings"])


def test_a_backfill_that_was_begun_is_begun_anew(firth, tmp_path):
    """Was the table emptied before the kill? Told the counter that was applied, the connector does it again."""
    world = World(firth, tmp_path)
    world.materialize(binding("users"))
    world.kill_in_apply(binding("users", backfill=1))
    assert world.made() == {"users": 2}
    world.materialize(binding("users", backfill=1))
    assert world.told()[0] == {"users": 0} and world.made() == {"users": 3}


def test_a_backfill_that_was_begun_and_taken_back(firth, tmp_path):
    """The table may be empty: to go on with what was read of it would lose documents."""
    world = World(firth, tmp_path)
    world.materialize(binding("users"))
    world.kill_in_apply(binding("users", backfill=1))
    lines = world.materialize(binding("users"))
    applied = [body for _, verb, body in messages(tmp_path) if verb == "apply"][-1]["materialization"]["bindings"]
    assert [b["stateKey"] for b in applied] == ["users.v2"] and world.made() == {"users": 3}
    assert events(lines, "progress")[-1]["bindings"][0]["committedDocuments"] == 1


def test_a_first_backfill_that_was_begun(firth, tmp_path):
    """Two attempts with rising counters: the oldest is told, and the table is made anew."""
    world = World(firth, tmp_path)
    world.kill_in_apply(binding("users"))
    world.kill_in_apply(binding("users", backfill=1))
    world.materialize(binding("users", backfill=1))
    assert world.told()[0] == {"users": 0} and world.made() == {"users": 3}


# --- firth check ------------------------------------------------------------------------------------------


def test_check_of_what_runs(firth, tmp_path):
    """The connector is told what was applied: a table that is ours is no stranger to it."""
    world = World(firth, tmp_path)
    world.check(binding("users"))
    assert world.told("validate") == ({}, "")
    world.materialize(binding("users", backfill=1))
    world.check(binding("users", backfill=1))
    told, version = world.told("validate")
    assert told == {"users": 1} and version
    # A counter that was taken back is what the run makes of it.
    world.check(binding("users"))
    assert [b.get("backfill", 0) for _, verb, body in messages(tmp_path) if verb == "validate" for b in body["bindings"]][-1] == 2
    world.kill_in_apply(binding("users", backfill=1), binding("orders"))
    world.check(binding("users", backfill=1), binding("orders"))
    assert world.told("validate")[0] == {"users": 1, "orders": 0}


def test_check_elsewhere_points_at_the_binding(firth, tmp_path):
    world = World(firth, tmp_path)
    world.materialize(binding("users"))
    bindings = [binding("orders", of="users"), binding("users")]
    result = world.firth("check", world.catalog(*bindings), "--data-dir", str(tmp_path / "other"), expect=3)
    assert "table [users] already exists" in result.err and not (tmp_path / "other").exists()
    (line,) = [line for line in result.err.splitlines() if "already exists" in line]
    number, column = (int(part) for part in line.split(":")[1:3])
    text = (tmp_path / "flow.json").read_text().splitlines()[number - 1][column - 1:]
    assert json.JSONDecoder().raw_decode(text)[0] == bindings[1]


def test_check_points_at_the_endpoint_if_it_is_of_no_binding(firth, tmp_path):
    world = World(firth, tmp_path)
    say = {"validate": [[{"log": "no such host"}, {"exit": 1}]]}
    result = world.firth("check", world.catalog(binding("users"), binding("orders"), say=say), expect=3)
    (line,) = [line for line in result.err.splitlines() if "no such host" in line]
    number, column = (int(part) for part in line.split(":")[1:3])
    text = (tmp_path / "flow.json").read_text().splitlines()[number - 1][column - 1:]
    assert json.JSONDecoder().raw_decode(text)[0]["say"] == say
