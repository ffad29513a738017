"""Airflow's own provider, unmodified: the tutorial's call and DAG, in every mode, with every end that a sync can have.

2.10 with the provider 3.9 asks the config API, 2.11 with 5.5 the public one. The DAGs run in one process (dag.test());
what they defer is resumed by a real triggerer beside it.
"""

import json
import os
import signal
import subprocess
import uuid

import pytest

import job_driving as driving
from api import WORKSPACE, Api, serve
from conftest import until
from processes import descendants

MODES = {"operator": {}, "deferrable": {"deferrable": True}, "sensor": {"sensor": True},
         "deferrable sensor": {"sensor": True, "deferrable": True}}
WRONG = {"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1.0, "error": {
    "message": "the table is gone", "failure_type": "config_error"}}}}


def define_connection(**columns):
    """As in Airflow's form, Admin > Connections."""
    from airflow.models import Connection
    from airflow.utils.session import create_session
    with create_session() as session:
        session.query(Connection).filter(Connection.conn_id == "airbyte_conn").delete()
        session.add(Connection(conn_id="airbyte_conn", conn_type="airbyte", **columns))


def run_dag(dag_id, connection, deferrable=False, sensor=False, timeout=120, execution_timeout=None):
    """The states of its tasks."""
    from datetime import datetime, timedelta
    from airflow import DAG
    from airflow.models import TaskInstance
    from airflow.utils.session import create_session
    from airflow.providers.airbyte.operators.airbyte import AirbyteTriggerSyncOperator
    from airflow.providers.airbyte.sensors.airbyte import AirbyteJobSensor
    with DAG(dag_id=dag_id, schedule=None, start_date=datetime(2026, 1, 1), catchup=False) as dag:
        sync = AirbyteTriggerSyncOperator(
            task_id="sync", airbyte_conn_id="airbyte_conn", connection_id=connection, asynchronous=sensor,
            deferrable=deferrable and not sensor, wait_seconds=0.2, timeout=timeout,
            execution_timeout=execution_timeout and timedelta(seconds=execution_timeout))
        if sensor:
            AirbyteJobSensor(task_id="wait", airbyte_conn_id="airbyte_conn", airbyte_job_id=sync.output,
                             deferrable=deferrable, poke_interval=0.2, timeout=timeout)
    killed = None
    try:
        dag.test()
    except BaseException as error:  # nothing else ends the DAG when a task fails
        killed = type(error).__name__
    with create_session() as session:
        tasks = session.query(TaskInstance).filter(TaskInstance.dag_id == dag_id)
        states = {task.task_id: str(task.state) for task in tasks}
    return {**states, "killed": killed} if killed else states


def test_connection():
    from airflow.providers.airbyte.hooks.airbyte import AirbyteHook
    return AirbyteHook(airbyte_conn_id="airbyte_conn").test_connection()


test_connection.__test__ = False  # the name of the button in Airflow's form


class Firth:
    """A daemon, known to Airflow as airbyte_conn, with one connection."""

    def __init__(self, airflow, firth, tmp_path):
        self.airflow, self.firth, self.tmp_path = airflow, firth, tmp_path
        self.daemon, self.running = serve(firth), None
        self.api = self.daemon.api
        self.define()

    def define(self, **other):
        host, port = self.api.address
        if self.airflow.version == "2.10":
            columns = {"host": host, "port": port, "login": "airbyte", "password": "password"}
        else:
            client = self.api.public("POST", "applications", {"name": "airflow"})
            columns = {"host": f"{self.api.url}/api/public/v1", "login": client["clientId"],
                       "password": client["clientSecret"]}
        self.airflow(define_connection, **{**columns, **other})

    def scripted(self, steps):
        """The id of a connection whose source does these steps."""
        driving.apply(self.firth, driving.write(self.tmp_path, steps))
        found = self.api.config("connections/list", {"workspaceId": WORKSPACE})["connections"]
        return found[0]["connectionId"]

    def hanging(self):
        """One whose source says when it has begun, and never ends."""
        return self.scripted(driving.records(1, 2) + [{"touch": str(self.tmp_path / "hangs")}, {"hang": True}])

    def job(self):
        """The newest."""
        jobs = self.api.config("jobs/list", {"configTypes": ["sync"], "pagination": {"pageSize": 1}})["jobs"]
        return jobs and jobs[0]["job"]

    def nothing_runs(self):
        until(lambda: not descendants(self.daemon.pid), "the connectors to be gone")

    def begin(self, connection, **how):
        self.dag, self.logged = f"d{uuid.uuid4().hex}", self.airflow.log.stat().st_size
        self.running = self.airflow.begin(run_dag, dag_id=self.dag, connection=connection, **how)
        return self.running

    def close(self):
        """A test that failed in the middle leaves a task that the next test's would wait for."""
        if self.running and not self.running.over():
            os.kill(self.airflow.pid, signal.SIGTERM)
            self.running.join(30)

    def reaches_waiting(self, task, mode):
        """The job runs, and the task knows it. (That a task runs is not in Airflow's database before it ends.)"""
        until(lambda: self.job() and self.job()["status"] == "running", "the job to run")
        if "deferrable" in mode:
            until(lambda: self.airflow.task_state(self.dag, task) == "deferred", f"{task} to be deferred")
        else:
            said = b"Waiting for job " if task == "wait" else b" was submitted to Airbyte Server"
            until(lambda: said in self.airflow.log.read_bytes()[self.logged:], f"{task} to wait")


@pytest.fixture
def site(airflow, firth, tmp_path):
    running = Firth(airflow, firth, tmp_path)
    yield running
    running.close()


def written(tmp_path, stream):
    lines = (tmp_path / "files" / "out" / f"_airbyte_raw_{stream}.jsonl").read_text().splitlines()
    return [json.loads(line)["_airbyte_data"] for line in lines]


def offered(firth, tmp_path, config, stream):
    """What the source says by itself."""
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [{
        "stream": {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}))
    read = firth("connector", "source-faker", "read", "--config", tmp_path / "config.json", "--catalog",
                 tmp_path / "catalog.json", expect=0)
    return [line["record"]["data"] for line in read.lines() if line["type"] == "RECORD"]


# --- what the tutorial does -----------------------------------------------------------------------------------


def test_the_tutorials_curl(firth, tmp_path):
    """To the letter; on port 8000 if nothing else has it."""
    daemon = firth.start("serve", env={"FIRTH_LISTEN": None, "FIRTH_LOCAL_ROOT": str(tmp_path / "files")})
    line = daemon.wait_for_line(lambda text: "the API at " in text or ":8000" in text)
    if "the API at " not in line:
        daemon = serve(firth)
        line = "the API at " + daemon.api.url
    api = Api(line.split("the API at ")[1].strip())
    connection = api.connection("/local/out")
    command = (f"""curl  -u 'airbyte:password' -X POST "http://localhost:{api.address[1]}/api/v1/connections/sync" \\
 -H "Accept: application/json"\\
 -H "Content-Type: application/json" \\
 -d '{{"connectionId":"{connection}"}}'""")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    job, attempts = answer["job"], answer["attempts"]
    assert job.items() >= {"configType": "sync", "configId": connection, "status": "running"}.items()
    assert isinstance(job["id"], int) and isinstance(job["createdAt"], int) and isinstance(job["updatedAt"], int)
    assert [each["attempt"]["id"] for each in attempts] == [0]
    assert attempts[0]["attempt"]["status"] == "running" and isinstance(attempts[0]["attempt"]["createdAt"], int)
    assert isinstance(attempts[0]["logs"]["logLines"], list)
    until(lambda: api.config("jobs/get", {"id": job["id"]})["job"]["status"] == "succeeded", "the sync's end")


# --- every mode, every end ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["operator", "sensor"])
def test_rows_of_a_real_connection(site, tmp_path, mode):
    config = {"count": 50, "seed": 7}
    connection = site.api.connection("/local/out", source=site.api.source(**config))
    states = site.begin(connection, **MODES[mode]).result()
    assert set(states.values()) == {"success"}
    found = written(tmp_path, "users")
    assert len(found) == 50 and found == offered(site.firth, tmp_path, config, "users")


def waits_for(task):
    """The other task of the DAG, if there is one, only starts the job."""
    return {"sync": "success"} if task == "wait" else {}


@pytest.mark.end(0)
@pytest.mark.parametrize("mode", MODES)
def test_sees_it_succeed(site, tmp_path, mode):
    gate, task = tmp_path / "gate", "wait" if "sensor" in mode else "sync"
    connection = site.scripted(driving.records(1, 2) + [{"sleep_until": str(gate)}] + driving.records(3, 4))
    running = site.begin(connection, **MODES[mode])
    site.reaches_waiting(task, mode)
    gate.touch()
    assert running.result() == {**waits_for(task), task: "success"}
    assert site.job()["status"] == "succeeded"
    assert driving.ids(tmp_path) == [1, 2, 3, 4]


@pytest.mark.end(1)
@pytest.mark.parametrize("mode", MODES)
def test_sees_it_fail(site, tmp_path, mode):
    gate, task = tmp_path / "gate", "wait" if "sensor" in mode else "sync"
    connection = site.scripted(driving.records(1, 2) + [{"sleep_until": str(gate)}, WRONG, {"exit": 1}])
    running = site.begin(connection, **MODES[mode])
    site.reaches_waiting(task, mode)
    gate.touch()
    assert running.result() == {**waits_for(task), task: "failed"}
    assert site.job()["status"] == "failed"
    assert driving.ids(tmp_path) == [1, 2]


@pytest.mark.end(2)
@pytest.mark.parametrize("mode", MODES)
def test_sees_it_cancelled(site, tmp_path, mode):
    """By somebody else. (Most of the providers' deferred tasks succeed then: it is how they are written.)"""
    task = "wait" if "sensor" in mode else "sync"
    connection = site.hanging()
    running = site.begin(connection, **MODES[mode])
    site.reaches_waiting(task, mode)
    assert site.api.config("jobs/cancel", {"id": site.job()["id"]})["job"]["status"] == "cancelled"
    lenient = mode == "deferrable sensor" or (mode == "deferrable" and site.airflow.version == "2.10")
    assert running.result() == {**waits_for(task), task: "success" if lenient else "failed"}
    site.nothing_runs()


@pytest.mark.end(3)
@pytest.mark.parametrize("mode", MODES)
def test_takes_too_long(site, tmp_path, mode):
    """The operator cancels the job; a sensor and what is deferred only give up waiting."""
    task = "wait" if "sensor" in mode else "sync"
    assert site.begin(site.hanging(), timeout=1, **MODES[mode]).result() == {**waits_for(task), task: "failed"}
    if mode == "operator":
        until(lambda: site.job()["status"] == "cancelled", "the job to be cancelled")
        site.nothing_runs()
    else:
        assert site.job()["status"] == "running"


# --- on_kill --------------------------------------------------------------------------------------------------


def test_execution_timeout_cancels_the_job(site):
    states = site.begin(site.hanging(), execution_timeout=2).result()
    assert states == {"sync": "failed", "killed": "AirflowTaskTimeout"}
    until(lambda: site.job()["status"] == "cancelled", "the job to be cancelled")
    site.nothing_runs()


def test_killed_task_cancels_the_job(site):
    """SIGTERM is what Airflow sends a task whose state somebody sets."""
    running = site.begin(site.hanging())
    site.reaches_waiting("sync", "operator")
    os.kill(site.airflow.pid, signal.SIGTERM)
    assert running.result() == {"sync": "failed", "killed": "AirflowTaskTerminated"}
    until(lambda: site.job()["status"] == "cancelled", "the job to be cancelled")
    site.nothing_runs()


# --- refused --------------------------------------------------------------------------------------------------


def test_job_under_way(site):
    connection = site.hanging()
    first = site.api.config("connections/sync", {"connectionId": connection})["job"]["id"]
    assert site.begin(connection).result() == {"sync": "failed"}
    assert site.job() | {"id": first, "status": "running"} == site.job()


def test_form_of_the_connection(site):
    assert site.airflow(test_connection) == [True, "Connection successfully tested"]


def test_wrong_password(site):
    connection = site.api.connection("/local/out")
    site.define(password="wrong", **({} if site.airflow.version == "2.10" else {"login": "airbyte"}))
    assert site.begin(connection).result() == {"sync": "failed"}
    assert site.api.config("jobs/list", {"configTypes": ["sync"]})["jobs"] == []
