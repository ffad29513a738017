"""Jobs of connections while the daemon, their tasks, sources and destinations die: nothing is lost, what is said of a job is
so, and in the end every job is over. A planted bug of either kind is caught.

In `make test` 15 syncs, with FIRTH_TEST_LEVEL=full 100."""

import json
import os
import random
import sqlite3
import sys
import time

import pytest

from conftest import FULL, until
from faults.checker import check_destination, check_jobs, last_run, said
from faults.test_kills import command, kill, seed
from processes import children

SYNCS, CONNECTIONS = (100, 6) if FULL else (15, 3)
HERE = os.path.dirname(os.path.abspath(__file__))
OPEN = "select count(*) from jobs where status < 3"


class Jobs:
    """Connections between the counting source and Local JSON, a daemon that is started again when it has died, and
    what of it to kill. `cli` asks and orders: a program without sanitizers starts in a sixth of the time."""

    def __init__(self, firth, folder, count=CONNECTIONS, env=None, cli=None):
        self.firth, self.cli, self.folder, self.count = firth, cli or firth, folder, count
        self.env = {"FIRTH_LOCAL_ROOT": str(folder / "local"), **(env or {})}
        self.faults, self.running = {}, None
        self.random = random.Random(seed())
        self.deaths = {"daemon": 0, "task": 0, "source": 0, "destination": 0}
        (folder / "local").mkdir(parents=True)
        for n in range(count):
            (folder / f"log{n}").mkdir()
        self.cli.data_dir = firth.data_dir = folder / "data"
        self.write()
        self.cli("apply", folder / "jobs.yaml", expect=0)
        with self.database() as db:
            for name, value in {"attempts_max": 10**6, "failures_max": 10**6, "partial_max": 10**6, "backoff_ms": 1,
                                "backoff_max_ms": 20}.items():
                db.execute("insert into settings (name, value) values (?, ?)", (f"jobs.{name}", str(value)))

    def database(self):
        return sqlite3.connect(f"{self.firth.data_dir}/control.db", timeout=30)

    def number(self, sql):
        with self.database() as db:
            return db.execute(sql).fetchone()[0]

    def write(self):
        stream = [{"stream": {"name": name, "jsonSchema": {"type": "object"}, "supportedSyncModes": ["full_refresh", "incremental"],
                              "sourceDefinedCursor": True, "defaultCursorField": ["id"]},
                   "config": {"syncMode": "incremental", "destinationSyncMode": "append"}} for name in "ab"]
        config = {"finish": str(self.folder / "never"), "rounds": 40, "pace": 0.002}
        (self.folder / "jobs.yaml").write_text(json.dumps({
            "definitions": [{"name": "counting", "kind": "source",
                             "command": [sys.executable, "-S", "-E", os.path.join(HERE, "counting_source.py")]}],
            "sources": [{"name": f"s{n}", "definition": "counting", "config": {"log": str(self.folder / f"log{n}"), **config}}
                        for n in range(self.count)],
            "destinations": [{"name": f"d{n}", "definition": "destination-local-json",
                              "config": {"destination_path": f"/local/out{n}"}} for n in range(self.count)],
            "connections": [{"name": f"c{n}", "source": f"s{n}", "destination": f"d{n}", "catalog": {"streams": stream}}
                            for n in range(self.count)]}))

    def start(self):
        self.running = self.firth.start("serve", "--commit-every", "20ms", "--log-level", "warn", "--listen", "127.0.0.1:0",
                                        env={**self.env, **self.faults})
        until(lambda: not self.alive() or self.cli("status", "-o", "json").json().get("daemon"), "the daemon to answer")

    def alive(self):
        return self.running is not None and self.running.process.poll() is None

    def strike(self):
        """Kill something; False if it was not there."""
        what = self.random.choices(list(self.deaths), [2, 3, 4, 4])[0]
        pid = self.running.pid
        tasks = children(pid)
        connectors = [each for task in tasks for each in children(task)]
        of = {"daemon": [pid], "task": tasks, "source": [each for each in connectors if b"counting" in command(each)],
              "destination": [each for each in connectors if b"local-json" in command(each)]}[what]
        if not of:
            return False
        kill(self.random.choice(of))
        if what == "daemon":
            self.running.process.wait()
        self.deaths[what] += 1
        return True

    def queue(self):
        """A job for each connection that has none."""
        for n in range(self.count):
            self.cli("job", "start", f"c{n}")  # refused while one is not over

    def torment(self, syncs):
        """Until so many jobs are over, and half as often something has died."""
        end = time.monotonic() + (600 if FULL else 240)
        while self.number("select count(*) from jobs where status >= 3") < syncs or sum(self.deaths.values()) < syncs / 2:
            assert time.monotonic() < end, f"too slow: {self.deaths}"
            if not self.alive():
                self.start()
            self.queue()
            time.sleep(self.random.expovariate(1 / 0.15))  # the random moment itself
            if self.alive():
                self.strike()

    def finish(self):
        """Nothing dies from here on: what is open comes to its end, and one more sync of each is clean."""
        if self.alive():
            self.running.kill()
        self.faults = {}
        self.start()
        until(lambda: self.number(OPEN) == 0, "the jobs to be over", 120)
        self.queue()
        until(lambda: self.number(OPEN) == 0, "the last jobs to be over", 120)

    def shown(self, n):
        with self.database() as db:
            ids = db.execute("select j.id from jobs j join connections c on c.id = j.connection where c.name = ? order by j.id",
                             (f"c{n}",)).fetchall()
        return [self.cli("job", "show", str(number), expect=0).json() for number, in ids]

    def problems(self):
        found = []
        for n in range(self.count):
            log = self.folder / f"log{n}"
            found += [f"c{n}: {problem}" for problem in check_jobs(self.shown(n), log)]
            for name in "ab":
                path = self.folder / "local" / f"out{n}" / f"_airbyte_raw_{name}.jsonl"
                lines = path.read_bytes().splitlines() if path.exists() else []
                rows = [line[line.index(b'"_airbyte_data":') + 16:-1] for line in lines]
                found += [f"c{n}: {problem}" for problem in check_destination(name, rows, log)]
            ended_at = last_run(log)
            self.queue()
            until(lambda: self.number(OPEN) == 0, "one more sync", 120)
            given = said(log)[1][-1]
            if given != ended_at:
                found.append(f"c{n}: the final state is {given}, it should be {ended_at}")
        return found


@pytest.mark.timeout(1800 if FULL else 400)
def test_jobs_survive_kills(firth, tmp_path):
    jobs = Jobs(firth, tmp_path)
    jobs.torment(SYNCS)
    jobs.finish()
    problems = jobs.problems()
    print(jobs.deaths)
    assert not problems, (jobs.deaths, problems)


POINTS = ["job-begun", "job-starting", "job-ending", "job-ended", "task.commit.before", "task.commit.after",
          "store.commit.before-write", "store.commit.after-sync", "store.commit.after-publish"]


@pytest.mark.parametrize("point", POINTS)
def test_jobs_survive_death_at(firth, firth_dev, tmp_path, point):
    jobs = Jobs(firth_dev, tmp_path, count=1, cli=firth)
    jobs.faults = {"FIRTH_FAULT_KILL": f"{point}:2"}
    jobs.start()
    # The daemon dies itself, or a task of it does; a point that is never passed fails the test here.
    failed = "select count(*) from attempts where status = 1"
    while jobs.alive() and not jobs.number(failed):
        jobs.queue()
        until(lambda: not jobs.alive() or jobs.number(failed) or jobs.number(OPEN) == 0, "a death, or the job's end")
        assert jobs.number("select count(*) from jobs") < 5, "it was never passed"
    jobs.finish()
    problems = jobs.problems()
    assert not problems, problems


@pytest.mark.parametrize("plant", [pytest.param("ack-before-echo", marks=pytest.mark.full), "success-before-commit"])
@pytest.mark.timeout(600)
def test_planted_bug_is_caught(firth, firth_dev, tmp_path, plant):
    for attempt, syncs in enumerate([4, 8, 16, 40]):
        jobs = Jobs(firth_dev, tmp_path / str(attempt), env={"FIRTH_FAULT_PLANT": plant}, cli=firth)
        jobs.torment(syncs)
        jobs.finish()
        if jobs.problems():
            return
        firth_dev.stop_all()
    pytest.fail(f"'{plant}' was not caught")
