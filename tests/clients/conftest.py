"""The clients' programs, where scripts/setup has put them. One that is missing fails the tests; nothing is skipped."""

import os
import sqlite3
import subprocess

import pytest

from conftest import ROOT, until
from clients.other_python import OtherPython


def program(client, name):
    path = ROOT / ".deps" / client / "bin" / name
    if not path.exists():
        pytest.fail(f"{path} is not there: run scripts/setup test")
    return path


def environment(home, **more):
    """Without what would make a client do other than its defaults, and nothing of it is reported to anyone."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("AIRFLOW", "AIRBYTE", "FIRTH", "PYTHON"))}
    return {**kept, "HOME": str(home), "DO_NOT_TRACK": "1",
            "AIRBYTE_OFFLINE_MODE": "1", **more}


def create_airflow_database():
    from airflow.utils.db import initdb
    initdb()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of an `end` that Airflow sees in every mode, each version sees it in half of them by default, the other in the other half."""
    for item in items:
        end = item.get_closest_marker("end")
        if end and (end.args[0] + VERSIONS.index(item.callspec.params["airflow"]) + item.callspec.indices["mode"]) % 2:
            item.add_marker(pytest.mark.full)


VERSIONS = ["2.10", "2.11"]


class Airflow(OtherPython):
    """An Airflow with a triggerer. Its metadata database is SQLite, in a folder of its own."""

    def __init__(self, version, home):
        self.version, self.home = version, home
        env = environment(home, **{
            "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__DAGS_FOLDER": str(home),
            "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False", "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1", "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO"})
        super().__init__(program(f"airflow-{version}", "python"), env, home)
        self(create_airflow_database)
        self.triggerer = subprocess.Popen(
            [program(f"airflow-{version}", "python"), ROOT / "tests" / "clients" / "programs" / "impatient_triggerer.py"],
            env=env, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(home / "triggerer.log").open("wb"), start_new_session=True)
        until(lambda: self.rows("select 1 from job where job_type = 'TriggererJob' and state = 'running'"), "the triggerer")

    def rows(self, sql, *values):
        with sqlite3.connect(f"file:{self.home}/airflow.db?mode=ro", uri=True, timeout=30) as db:
            return db.execute(sql, values).fetchall()

    def task_state(self, dag, task):
        found = self.rows("select state from task_instance where dag_id = ? and task_id = ?", dag, task)
        return found[0][0] if found else None

    def close(self):
        self.triggerer.terminate()
        super().close()
        try:
            self.triggerer.wait(20)
        except subprocess.TimeoutExpired:
            self.triggerer.kill()
            self.triggerer.wait()


@pytest.fixture(scope="session", params=VERSIONS)
def airflow(request, tmp_path_factory):
    running = Airflow(request.param, tmp_path_factory.mktemp(f"airflow-{request.param}"))
    yield running
    running.close()


@pytest.fixture(scope="session")
def pyairbyte(tmp_path_factory):
    """PyAirbyte, airbyte-api and the CDK, in one environment."""
    home = tmp_path_factory.mktemp("pyairbyte")
    running = OtherPython(program("pyairbyte", "python"), environment(home), home)
    yield running
    running.close()


@pytest.fixture(scope="session")
def newest_airbyte_api(tmp_path_factory):
    home = tmp_path_factory.mktemp("airbyte-api")
    running = OtherPython(program("airbyte-api", "python"), environment(home), home)
    yield running
    running.close()


@pytest.fixture(scope="session")
def dagster(tmp_path_factory):
    home = tmp_path_factory.mktemp("dagster")
    running = OtherPython(program("dagster", "python"), environment(home, DAGSTER_DISABLE_TELEMETRY="1"), home)
    yield running
    running.close()


@pytest.fixture(params=["0.53", "1.0"])
def airbyte_api(request):
    """PyPI's airbyte-api: the generation that PyAirbyte and Airflow's provider 5.5 have, and the next."""
    running = request.getfixturevalue("pyairbyte" if request.param == "0.53" else "newest_airbyte_api")
    running.generation = request.param
    return running
