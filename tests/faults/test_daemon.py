"""A daemon with many captures while everything that can die dies: it goes on, nothing is lost and nothing doubled,
it takes no more than at its beginning, and idle it does nothing.

In `make test` 12 captures for a quarter of a minute, with FIRTH_TEST_LEVEL=full 100 captures for ten minutes."""

import random
import signal
import time

import pytest

from conftest import FULL, until
from faults.daemon_load import Load, facts, usage
from faults.test_kills import children, kill, reads, seed

COUNT = 100 if FULL else 12
STEADY_SECONDS = 240 if FULL else 6    # the daemon lives, all else dies
KILLING_SECONDS = 300 if FULL else 6  # the daemon dies too
IDLE_SECONDS = 20 if FULL else 3


class Daemon:
    """A `firth serve` that is started again when it has died. `cli` asks and orders: a program without sanitizers starts in a
    sixth of the time."""

    def __init__(self, firth, load, number, env=None, cli=None):
        self.firth, self.cli, self.load, self.env = firth, cli or firth, load, env
        self.cli.data_dir = firth.data_dir
        self.random = random.Random(number)
        self.deaths = {}
        self.start()

    def start(self):
        self.running = self.firth.start("serve", "--retry-after", "10ms", "--commit-every", "50ms", "--parallel",
                                        str(COUNT + 10), "--log-level", "warn", env=self.env)
        until(self.answers, "the daemon to answer")

    def answers(self):
        assert self.running.process.poll() is None, self.running.err
        status = self.cli("status", "-o", "json")  # the data directory may not be there yet
        return status.rc == 0 and status.json()["daemon"]

    @property
    def pid(self):
        return self.running.pid

    def deploy(self, **more):
        result = self.cli("deploy", self.load.write(**more), "--yes", "--prune", "-o", "json", expect=0)
        return result.json()["tasks"]

    def strike(self, daemon_too):
        """Something dies, or something else happens that must disturb nothing."""
        what = self.random.choices(["task", "connector", "hangup", "deploy", "daemon", "restart"],
                                   [10, 10, 1, 1, 4 * daemon_too, 2 * daemon_too])[0]
        self.deaths[what] = self.deaths.get(what, 0) + 1
        tasks = children(self.pid)
        if what == "task" and tasks:
            kill(self.random.choice(tasks))
        elif what == "connector" and tasks:
            for pid in children(self.random.choice(tasks)):
                kill(pid)
        elif what == "hangup":
            self.running.signal(signal.SIGHUP)
        elif what == "deploy":
            self.deploy(interval=f"{self.random.randint(1, 3)}s")
        elif what == "daemon":
            self.running.signal(signal.SIGKILL)
            self.running.process.wait()
            self.start()
        elif what == "restart":
            self.stop()
            self.start()

    def torment(self, seconds, daemon_too):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.running.process.poll() is None, self.running.err
            self.strike(daemon_too)
            time.sleep(self.random.expovariate(1 / 0.1))  # the random moment itself

    def stop(self):
        self.running.signal(signal.SIGTERM)
        assert self.running.wait() == 0, self.running.err

    def settle(self, **more):
        """All tasks are as the catalog says, and run nothing; what the daemon takes then."""
        self.deploy(**more)
        until(lambda: not children(self.pid), "the sessions to end", 300)
        return self.at_rest()

    def at_rest(self):
        """What it takes once it has closed what its last event left: the connection of who asked, a pipe."""
        samples = [usage(self.pid)]
        while len(samples) < 20:
            time.sleep(0.02)  # it has nothing to tell when it is done with that
            samples.append(usage(self.pid))
        return samples[-1]


def all_done(firth, load, interval):
    """Every capture has come to its end since the deploy of this interval."""
    tasks = firth("status", "-o", "json", expect=0).json()["tasks"]
    return len(tasks) == load.count and all(
        task["state"] == "waiting" and task["schedule"] == interval and task["session"]["outcome"] == "completed"
        for task in tasks)


def finish(daemon, load):
    load.finish.touch()
    daemon.deploy(interval="1h")
    until(lambda: all_done(daemon.cli, load, "every 1h"), "all captures to end", 300)


@pytest.mark.timeout(1800 if FULL else 180)
def test_many_captures_under_one_daemon(firth, tmp_path):
    load, number = Load(tmp_path, COUNT), seed()
    daemon = Daemon(firth, load, number)
    empty = daemon.at_rest()
    daemon.deploy()
    until(lambda: all(reads(tmp_path / f"log{n}") for n in range(COUNT)), "all captures to run")

    daemon.torment(STEADY_SECONDS / 2, daemon_too=False)
    first = daemon.settle(shards={"disable": True})
    daemon.deploy()
    daemon.torment(STEADY_SECONDS / 2, daemon_too=False)
    second = daemon.settle(shards={"disable": True})
    how = f"seed {number}, {daemon.deaths}, empty {empty}, then {first}, then {second}"
    print(how)
    assert first["fds"] == second["fds"] == empty["fds"], how
    assert second["rss"] < first["rss"] + 4096, how
    assert second["rss"] < 100 << 10, how

    daemon.deploy()
    daemon.torment(KILLING_SECONDS, daemon_too=True)
    finish(daemon, load)
    before = usage(daemon.pid)
    time.sleep(IDLE_SECONDS)  # what is measured is that nothing happens
    after = usage(daemon.pid)
    print(f"{daemon.deaths}; idle with {COUNT} tasks: {after['cpu'] - before['cpu']:.2f} s of CPU in {IDLE_SECONDS} s, {after}")
    assert after["cpu"] - before["cpu"] <= 0.01 + 0.002 * IDLE_SECONDS, (before, after)
    rows = facts(firth)
    assert sorted(rows) == sorted(load.tasks())
    daemon.stop()
    assert all(row["session"] == "completed" and row["due_ms"] > row["ended_ms"] for row in rows.values()), rows
    problems = load.problems(firth)
    assert not problems, (how, daemon.deaths, problems)


@pytest.mark.parametrize("plant, dies_at", [
    ("checkpoint-ahead", "task.commit.before:2"), pytest.param("no-cut", "store.commit.after-blocks:2", marks=pytest.mark.full)])
def test_planted_bug_is_caught(firth, firth_dev, tmp_path, plant, dies_at):
    """The checker sees through the daemon what it sees without. Each session dies where the bug does harm, and the rest dies as it
    does above."""
    for attempt, seconds in enumerate([3, 5, 20, 60]):
        folder = tmp_path / str(attempt)
        load = Load(folder, 4)
        firth_dev.data_dir = folder / "data"
        daemon = Daemon(firth_dev, load, seed(), env={"FIRTH_FAULT_PLANT": plant, "FIRTH_FAULT_KILL": dies_at}, cli=firth)
        daemon.deploy()
        daemon.torment(seconds, daemon_too=True)
        daemon.stop()
        daemon.env = {"FIRTH_FAULT_PLANT": plant}
        daemon.start()
        finish(daemon, load)
        daemon.stop()
        if load.problems(firth):
            return
    pytest.fail(f"'{plant}' was not caught")


def test_a_descriptor_left_open_is_caught(firth, firth_dev, tmp_path):
    """The same comparison as above, of a daemon that forgets to close its logs."""
    load = Load(tmp_path, 3)
    daemon = Daemon(firth_dev, load, seed(), env={"FIRTH_FAULT_PLANT": "log-left-open"}, cli=firth)
    empty = daemon.at_rest()
    daemon.deploy()
    until(lambda: all(reads(tmp_path / f"log{n}") for n in range(3)), "all captures to run")
    assert daemon.settle(shards={"disable": True})["fds"] > empty["fds"]
