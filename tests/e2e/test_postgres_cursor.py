"""source-postgres by a cursor: rows that share a value, values that nothing follows, types whose casts cut."""

import pytest

from e2e.postgres_source import airbyte_config, data, discover, last_state, read, runner


@pytest.fixture
def run(firth):
    return runner(firth)


class Reader:
    """A stream by its cursor; each call goes on from the state of the one before."""

    def __init__(self, run, database, table, cursor):
        self.run, self.config, self.table, self.cursor = run, airbyte_config(database), table, cursor
        self.found, self.states = discover(run, self.config), None

    def __call__(self):
        self.session = read(self.run, self.config, self.table, mode="incremental", cursor=self.cursor, state=self.states,
                            found=self.found)
        self.states = [last_state(self.session)]
        return sorted(row["id"] for row in data(self.session))

    @property
    def state(self):
        return self.states[0]["stream"]["stream_state"]

    def warnings(self):
        return " ".join(log["log"]["message"] for log in self.session.of("LOG") if log["log"]["level"] == "WARN")


def test_rows_that_share_the_greatest_value(run, database):
    """One leaves and another comes: their number is the same, and the new one is not lost."""
    database.run("CREATE TABLE t (id int PRIMARY KEY, at date, x text);"
                 "INSERT INTO t VALUES (1, '2024-01-01'), (2, '2024-01-02'), (3, '2024-01-02');"
                 "CREATE VIEW v AS SELECT * FROM t")
    table, view = Reader(run, database, "t", "at"), Reader(run, database, "v", "at")
    for reader in (table, view):
        assert reader() == [1, 2, 3] and reader() == []
    database.run("UPDATE t SET at = '2024-01-03' WHERE id = 2; INSERT INTO t VALUES (4, '2024-01-02')")
    for reader in (table, view):
        assert reader() == [2, 3, 4] and reader() == []
    # The greatest value goes, and others take its place; a value may change beside the cursor.
    database.run("DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (5, '2024-01-03')")
    for reader in (table, view):
        assert reader() == [5] and reader() == []
    database.run("UPDATE t SET x = 'y' WHERE id = 5; INSERT INTO t VALUES (6, '2024-01-02')")
    for reader in (table, view):
        assert reader() == [5] and reader() == []
    # All go: nothing comes, and what has that value again does.
    database.run("DELETE FROM t WHERE id = 5")
    assert table() == [] and table() == []
    database.run("INSERT INTO t VALUES (7, '2024-01-03')")
    assert table() == [7] and table() == []
    # A state of before, which has the number alone: those rows are read once more.
    del table.states[0]["stream"]["stream_state"]["cursor_sum"]
    assert table() == [7] and table() == []


def test_values_that_nothing_follows(run, database):
    """A row at infinity is no place to go on from: what comes later is smaller."""
    kinds = {"d": ("date", "infinity", "2024-01-01", "2024-05-01"), "ts": ("timestamptz", "infinity", "2024-01-01", "2024-05-01"),
             "n": ("numeric(20, 3)", "NaN", "1.5", "2.5"), "f": ("float8", "Infinity", "1", "2"), "r": ("real", "NaN", "1", "2")}
    for name, (kind, endless, small, _) in kinds.items():
        database.run(f"CREATE TABLE {name} (id int PRIMARY KEY, c {kind});"
                     f"INSERT INTO {name} VALUES (1, '{small}'), (2, '{endless}'), (3, NULL)")
    for name, (_, endless, _, later) in kinds.items():
        reader = Reader(run, database, name, "c")
        assert reader() == [1, 2, 3]
        assert reader() == [2] and f"whose cursor c is {endless}" in reader.warnings()
        database.run(f"INSERT INTO {name} VALUES (4, '{later}')")
        assert reader() == [2, 4] and reader() == [2]
        database.run(f"DELETE FROM {name} WHERE id = 2")
        assert reader() == [] and "whose cursor" not in reader.warnings()
        reader.state["cursor"] = endless
        assert reader() == [1, 3, 4] and "which nothing follows" in reader.warnings()


def test_types_whose_casts_cut(run, database):
    database.run("CREATE TABLE t (id int PRIMARY KEY, c char(6), b bit(4), a char(3)[]);"
                 "INSERT INTO t SELECT g, lpad(g::text, 3, '0'), g::bit(4), ARRAY[lpad(g::text, 3, '0')] FROM generate_series(1, 9) g")
    for cursor in ("c", "b", "a"):
        reader = Reader(run, database, "t", cursor)
        assert reader() == list(range(1, 10)) and reader() == []
    database.run("INSERT INTO t VALUES (10, '0091', '1010', '{010}')")
    assert reader() == [10]


def test_domains(run, database):
    """A domain's check is for what is stored, not for what values are compared with."""
    database.run("CREATE DOMAIN amount AS numeric(8, 2) CHECK (VALUE > 0 AND VALUE < 1000); CREATE DOMAIN day AS date CHECK (VALUE > '2020-01-01' AND VALUE < '2030-01-01');"
                 "CREATE DOMAIN code AS char(6) CHECK (VALUE LIKE 'A%'); CREATE DOMAIN late AS day CHECK (VALUE > '2021-01-01'); CREATE DOMAIN odd AS int CHECK (VALUE % 2 = 1);"
                 "CREATE TABLE t (id int PRIMARY KEY, a amount, d day, c code, l late, o odd);"
                 "INSERT INTO t SELECT g, g, '2022-01-01'::date + g, 'A' || g, '2022-01-01'::date + g, 2 * g + 1 FROM generate_series(1, 3) g")
    readers = [Reader(run, database, "t", cursor) for cursor in ("a", "d", "c", "l", "o")]
    for reader in readers:
        assert reader() == [1, 2, 3] and reader() == []
    database.run("INSERT INTO t VALUES (4, 4, '2023-01-01', 'A40', '2023-01-01', 99)")
    for reader in readers:
        assert reader() == [4] and reader() == []
