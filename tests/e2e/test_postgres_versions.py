"""source-postgres with the oldest release of PostgreSQL that it reads and the newest: some of its tests, run against servers of
theirs (scripts/setup test)."""

import os
import pathlib
import subprocess
import sys

import pytest

from conftest import ROOT

HERE = pathlib.Path(__file__).parent
TESTS = ["test_postgres_source.py::test_every_type_airbyte", "test_postgres_source.py::test_by_xmin",
         "test_postgres_cdc.py::test_snapshot_and_changes", "test_postgres_cdc.py::test_every_type_in_snapshot_and_stream",
         "test_postgres_cdc.py::test_a_table_that_comes_later", "test_postgres_tables.py::test_tables_that_are_others_between_syncs",
         "test_postgres_silent.py::test_states_of_another_server"]
MORE = {"10": ["test_postgres_cdc.py::test_a_table_that_somebody_else_adds"], "18": ["test_postgres_failover.py::test_changes_of_a_standby",
                                                                                      "test_postgres_silent.py::test_generated_columns_that_are_published"]}


@pytest.mark.parametrize("release", MORE)
def test_release(release):
    if not (ROOT / ".deps" / "postgres" / release).exists():
        pytest.skip("its server is not there: scripts/setup test fetches it where it can")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "tests" / "pytest.ini"), "--rootdir",
         str(ROOT / "tests"), *(str(HERE / each) for each in TESTS + MORE[release])],
        env={**os.environ, "FIRTH_TEST_POSTGRES": release}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
