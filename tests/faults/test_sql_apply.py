"""A materialization's first table is made, and the connector is killed: it goes on the next time."""

import json

import pytest

from conftest import binary
from e2e import sql_endpoints
from test_materialize_faults import TASK
from test_sql_zombies import start  # noqa: F401 (a fixture)


def rewrite(world, kill):
    """The catalog with fields that are not all selected, and a connector that is killed there."""
    catalog = json.loads((world.folder / "flow.json").read_text())
    catalog["collections"]["acmeCo/users"]["schema"]["properties"]["_meta"] = {
        "type": "object", "properties": {"op": {"type": "string"}}}
    binding, = catalog["materializations"][TASK]["bindings"]
    binding["fields"] = {"recommended": True, "require": {"_meta/op": {}}}
    command = catalog["materializations"][TASK]["endpoint"]["local"]["command"]
    command[:] = [word for word in command if not word.startswith("FIRTH_FAULT_KILL=")]
    command.insert(command.index("env") + 1, f"FIRTH_FAULT_KILL={kill}")
    (world.folder / "flow.json").write_text(json.dumps(catalog))


@pytest.mark.parametrize("kind", sql_endpoints.ENDPOINTS, ids=lambda kind: kind.name)
def test_killed_when_its_table_was_made(start, kind):  # noqa: F811
    world = start(kind, binary("FIRTH_DEV_BIN", "build-dev/firth"))
    world.put(0, 30, 7)
    rewrite(world, "sql.apply.after")
    result = world.run(TASK)
    assert result.rc != 0 and "users" in world.endpoint.tables(), result
    rewrite(world, "nowhere")
    world.until_done(1)
    assert world.problems() == []
