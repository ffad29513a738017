"""What a running job allows and what it does not: changes of the connection, deletes, schedules; each refusal says why."""

import pytest

import api
from conftest import until
from job_driving import apply, ids, received, records, rows, start, stream, wait, write

EVERY_SECOND = {"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "* * * * * ?", "cronTimeZone": "UTC"}}}


class Running:
    """A job in the middle: three records and their state are with the destination, two come once `finish` is called."""

    def __init__(self, firth, tmp_path, **more):
        self.firth, self.tmp_path, self.gate = firth, tmp_path, tmp_path / "gate"
        steps = records(1, 3) + [{"sleep_until": str(self.gate)}] + records(4, 5)
        apply(firth, write(tmp_path, steps, **more))
        self.client = api.serve(firth).api
        (self.connection, self.source, self.destination), = rows(firth, "select id, source, destination from connections")
        self.job = start(firth)
        wait(firth, self.job, "running")
        until(lambda: len(received(tmp_path)) == 4, "the destination to have the first records and their state")

    def finish(self):
        self.gate.touch()
        return wait(self.firth, self.job)

    def jobs(self):
        return rows(self.firth, "select id, status from jobs order by id")


CONNECTION = "job 1 of the connection is not over: cancel it first"


@pytest.mark.parametrize("what, message", [
    ("connection", CONNECTION), ("source", "1 job of the source's connections is not over: cancel it first"),
    ("destination", "1 job of the destination's connections is not over: cancel it first")])
def test_what_runs_is_not_deleted(firth, tmp_path, what, message):
    job = Running(firth, tmp_path)
    body = {f"{what}Id": getattr(job, what)}
    assert job.client.config(f"{what}s/delete", body, 409)["message"] == message
    problem = job.client.public("DELETE", f"{what}s/{getattr(job, what)}", None, 409)
    assert (problem["title"], problem["detail"]) == ("state-conflict", message)
    assert job.finish()["status"] == "succeeded" and ids(tmp_path) == [1, 2, 3, 4, 5]
    job.client.config(f"{what}s/delete", body, 204)


def test_a_connection_that_is_set_aside_or_given_up(firth, tmp_path):
    """`inactive` holds for the next job; `deprecated`, which deletes, waits for this one."""
    job = Running(firth, tmp_path)
    update = {"connectionId": job.connection}
    assert job.client.config("connections/update", {**update, "status": "deprecated"}, 409)["message"] == CONNECTION
    job.client.config("connections/update", {**update, "status": "inactive"})
    assert job.finish()["status"] == "succeeded" and ids(tmp_path) == [1, 2, 3, 4, 5]
    refused = job.client.config("connections/sync", update, 422)
    assert "is inactive: make it active first" in refused["message"]


def test_a_schedule_that_is_set_while_a_job_runs(firth, tmp_path):
    """Times that pass meanwhile are one job, after it; and none follows once it is manual again."""
    job = Running(firth, tmp_path)
    update = {"connectionId": job.connection}
    job.client.config("connections/update", {**update, **EVERY_SECOND})
    refused = job.client.config("connections/sync", update, 409)["message"]
    assert refused == "a sync is already running for this connection: job 1 is not over"
    assert [number for number, _ in job.jobs()] == [1]
    assert job.finish()["status"] == "succeeded"
    until(lambda: len(job.jobs()) >= 2, "a job by the new schedule")
    job.client.config("connections/update", {**update, "scheduleType": "manual"})
    until(lambda: all(status > 2 for _, status in job.jobs()), "the last one to end")
    count = len(job.jobs())
    assert wait(firth, start(firth))["id"] == count + 1  # takes its time, and no other comes between
    scheduled = rows(firth, "select scheduled from jobs order by id")
    assert scheduled == [(0,), *[(1,)] * (count - 1), (0,)]


def test_a_catalog_that_is_put_while_a_job_runs(firth, tmp_path):
    """The job goes on with the one it began with; the next has the new one."""
    job = Running(firth, tmp_path)
    catalog = {"streams": [stream("users"), stream("users2")]}
    job.client.config("connections/update", {"connectionId": job.connection, "prefix": "new_", "syncCatalog": catalog})
    first = job.finish()
    assert [each["name"] for each in first["attemptList"][0]["streams"]] == ["users"]
    later = wait(firth, start(firth))
    assert [each["name"] for each in later["attemptList"][0]["streams"]] == ["users", "users2"]
    names = [line["record"]["stream"] for line in received(tmp_path) if line["type"] == "RECORD"]
    assert names == ["users"] * 5 + ["new_users"] * 5


def test_a_state_is_not_set_under_a_job(firth, tmp_path):
    job = Running(firth, tmp_path)
    state = {"stateType": "stream", "connectionId": job.connection,
             "streamState": [{"streamDescriptor": {"name": "users"}, "streamState": {"n": 9}}]}
    body = {"connectionId": job.connection, "connectionState": state}
    refused = job.client.config("state/create_or_update", body, 409)["message"]
    assert refused == (f"the state of connection {job.connection} cannot be set while a job of it is not over: "
                       "wait for its end, or cancel it")
    assert job.finish()["status"] == "succeeded"
    job.client.config("state/create_or_update", body)
    assert job.client.config("state/get", {"connectionId": job.connection})["streamState"][0]["streamState"] == {"n": 9}


def test_a_job_is_cancelled_once(firth, tmp_path):
    """Again changes nothing; one that is not there is told."""
    job = Running(firth, tmp_path)
    assert job.client.config("jobs/cancel", {"id": 2}, 404)["message"] == "there is no job 2"
    answers = [job.client.config("jobs/cancel", {"id": 1})["job"] for _ in range(2)]
    ended = wait(firth, 1)
    assert ended["status"] == "cancelled" and ended["stats"]["recordsCommitted"] == 3
    answers.append(job.client.config("jobs/cancel", {"id": 1})["job"])
    answers.append(job.client.public("DELETE", "jobs/1"))
    assert {answer["status"] for answer in answers} == {"cancelled"}
    assert len(ended["attemptList"]) == 1 and job.jobs() == [(1, 5)]
