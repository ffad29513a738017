"""Two sessions of one materialization at once, of Firth's own destinations for SQL databases: the older one is thought dead
at a point of its transaction, a newer one takes over and commits, then the older one goes on. Nothing of it may count.

Who has written to SQLite's file keeps others out of it until the commit: there nobody takes over behind the loads. Who has a
transaction open in DuckDB's file does so, too; between transactions it closes the file when nothing comes."""

import json

import pytest

from conftest import binary, until
from e2e import sql_endpoints
from test_materialize_faults import REQUESTS, TASK, World, some, write_catalog

BEFORE_WRITES = [("acknowledge", 1), ("load", 5), ("acknowledge", 2)]
BETWEEN = [("acknowledge", 1), ("store", 1)]  # the loads are over, the stores not begun
CASES = [*((sql_endpoints.SQLite, *point) for point in some(BEFORE_WRITES, [1, 2])),
         *((sql_endpoints.DuckDB, *point) for point in BETWEEN),
         *((sql_endpoints.PostgreSQL, *point) for point in some(REQUESTS[1:], [1, 3, 4, 5]))]


class SqlWorld(World):
    def __init__(self, folder, endpoint, path=None):
        super().__init__(folder, path)
        self.endpoint = endpoint
        self.settings = {"program": ["env", *(f"{name}={value}" for name, value in endpoint.env.items()),
                                     *endpoint.command(self.firth.path)], **endpoint.config()}

    def put(self, first, last, seed):
        super().put(first, last, seed, **self.settings)

    def found(self):
        rows = ((row["id"], row["n"], row["name"], row["flow_document"]) for row in self.endpoint.read("users"))
        return [(key, float(n), name, text if isinstance(text, str) else json.dumps(text)) for key, n, name, text in rows]


@pytest.fixture
def start(request, tmp_path):
    def make(kind, path=None):
        endpoint = kind(tmp_path)
        if hasattr(endpoint, "start"):
            endpoint.start(request)
        return SqlWorld(tmp_path, endpoint, path)

    return make


def zombie(world, at, nth, commits=1):
    """One transaction without a fault, then one whose session dies at this point, and its successor, which has committed
    this often before the zombie goes on. What the zombie said."""
    world.put(0, 150, 7)
    world.until_done(1)
    assert world.problems() == []
    (world.folder / "fault.json").write_text(json.dumps({"at": at, "nth": nth, "do": "zombie", "commits": commits}))
    (world.folder / "committed").unlink(missing_ok=True)
    world.put(150, 300, 5)
    errors = world.until_done()
    assert (world.folder / "fired").exists(), "the fault never fired"
    assert len(errors) == 1 and errors[0]["retriable"], errors
    committed = world.folder / "committed"  # not there: the transaction had been committed before the fault
    for first in range(300, 300 + 30 * (commits - (committed.stat().st_size if committed.exists() else 0)), 30):
        world.put(first, first + 30, 3)
        world.until_done(1)
    until(lambda: (world.folder / "zombie").exists(), "the zombie's end")
    return (world.folder / "zombie").read_bytes()


@pytest.mark.parametrize("kind,at,nth", CASES, ids=lambda value: getattr(value, "name", value))
def test_zombie(start, kind, at, nth):
    world = start(kind)
    said = zombie(world, at, nth)
    assert b"startedCommit" not in said
    assert world.problems() == []
    world.put(400, 430, 3)
    world.until_done(1)
    assert world.problems() == []


def test_a_zombie_that_commits_is_found(start):
    """With a connector that does not look who has taken over."""
    world = start(sql_endpoints.PostgreSQL, binary("FIRTH_DEV_BIN", "build-dev/firth"))
    world.settings["program"][1:1] = ["FIRTH_FAULT_PLANT=sql.ignore-fence"]
    said = zombie(world, "startCommit", 1, commits=2)
    assert b"startedCommit" in said and world.problems()
