"""Fixtures for every pytest of the tree: the binary, a data directory, the real airbyte-source-faker.

Nothing here sleeps and hopes. A test that must wait does so with `until` (a condition, a deadline) or on a
running Firth's output (Running.wait_for_line)."""

import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time

import pytest

import memory

memory.use()
pytest_plugins = ["postgres", "s3", "sheets", "front", "webflow"]  # their fixtures: postgres, database, postgres_server; s3; sheets; front; webflow

ROOT = pathlib.Path(__file__).resolve().parent.parent
FULL = os.environ.get("FIRTH_TEST_LEVEL") == "full"
DEADLINE = 60.0  # seconds that anything may take before a test calls it hung; generous: machines are slow

# Who started the tests may have told us to ignore these (nohup, a shell's background), and what is ignored stays
# ignored in children: the programs under test are to be interrupted all the same.
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def pytest_collection_modifyitems(config, items):
    """What shows in more cases, for long, what others show in few is left to `make test-full`."""
    named = {argument.partition("::")[2] for argument in config.args}
    left = [] if FULL else [item for item in items if item.get_closest_marker("full") and
                            not named & {item.nodeid.partition("::")[2], item.nodeid.partition("::")[2].partition("[")[0]}]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def until(condition, what, deadline=DEADLINE):
    """Poll `condition` until it is true; its value. Fails, naming `what`, after the deadline. The longer it has waited the rarer
    it looks, so that looking, often a request or a process, takes little from what it waits for."""
    start = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - start
        if waited > deadline:
            pytest.fail(f"waited {deadline} s in vain for {what}")
        time.sleep(min(max(0.005, waited / 10), 0.1))


class Result:
    """What a finished Firth left: rc, out, err (text), and out's JSON lines."""

    def __init__(self, args, rc, out, err):
        self.args, self.rc, self.out_bytes, self.err_bytes = args, rc, out, err
        self.out = out.decode("utf-8", "replace")
        self.err = err.decode("utf-8", "replace")

    def lines(self):
        return [json.loads(line) for line in self.out_bytes.splitlines()]

    def json(self):
        return json.loads(self.out_bytes)

    def __repr__(self):
        return f"{self.args}\nrc={self.rc}\n--- out\n{self.out[-4000:]}\n--- err\n{self.err[-4000:]}"


class Running:
    """A Firth that runs: its output line by line, signals, its end."""

    def __init__(self, args, env, cwd):
        self.args = args
        self.process = subprocess.Popen(args, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, start_new_session=True)
        self.pid = self.process.pid
        self.out, self.err = [], []
        self._lines = queue.Queue()
        self._threads = [threading.Thread(target=self._read, args=(stream, kept), daemon=True)
                         for stream, kept in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for thread in self._threads:
            thread.start()

    def _read(self, stream, kept):
        for line in stream:
            text = line.decode("utf-8", "replace").rstrip("\n")
            kept.append(text)
            self._lines.put(text)
        stream.close()
        self._lines.put(None)

    def wait_for_line(self, wanted, deadline=DEADLINE):
        """The first line of stdout or stderr, not seen yet, that contains `wanted` (or for which it is true)."""
        matches = wanted if callable(wanted) else lambda line: wanted in line
        end, ended = time.monotonic() + deadline, 0
        while ended < 2:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            if line is None:
                ended += 1
            elif matches(line):
                return line
        pytest.fail(f"{wanted!r} did not come from {self.args}; it said:\n" + "\n".join(self.out + self.err))

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, deadline=DEADLINE):
        """Its exit code."""
        try:
            rc = self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"{self.args} did not end; it said:\n" + "\n".join(self.out + self.err))
        self._close(deadline)
        return rc

    def _close(self, deadline):
        self.process.stdin.close()
        for thread in self._threads:
            thread.join(deadline)

    def kill(self):
        """SIGKILL for it and everything in its session that it started."""
        if self.process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()
        self._close(DEADLINE)


def binary(name, default):
    path = pathlib.Path(os.environ.get(name, ROOT / default)).resolve()
    if not path.exists():
        pytest.fail(f"{path} does not exist: run `make test`, or set {name}")
    return str(path)


class Firth:
    """Runs the binary with one data directory: firth("check", "x.yaml") -> Result."""

    def __init__(self, path, data_dir, cwd):
        self.path, self.data_dir, self.cwd = path, data_dir, cwd
        self._running = []

    def environment(self, env=None):
        full = {k: v for k, v in os.environ.items() if not k.startswith("FIRTH_FAULT")}
        full.pop("NO_COLOR", None)
        full["FIRTH_DATA_DIR"] = str(self.data_dir)
        full["FIRTH_LISTEN"] = "127.0.0.1:0"  # many daemons at once
        full.update(env or {})
        return {k: v for k, v in full.items() if v is not None}

    def __call__(self, *args, stdin=b"", env=None, cwd=None, timeout=DEADLINE * 2, expect=None, **popen):
        """Run to the end. `expect`: the exit code that it must have. env values of None are taken out."""
        command = [self.path, *map(str, args)]
        if isinstance(stdin, str):
            stdin = stdin.encode()
        done = subprocess.run(command, input=stdin, env=self.environment(env), cwd=cwd or self.cwd,
                              capture_output=True, timeout=timeout, check=False, **popen)
        result = Result(command, done.returncode, done.stdout, done.stderr)
        if expect is not None:
            assert result.rc == expect, result
        return result

    def start(self, *args, env=None, cwd=None):
        running = Running([self.path, *map(str, args)], self.environment(env), cwd or self.cwd)
        self._running.append(running)
        return running

    def read(self, collection, *args):
        """A collection's documents, parsed."""
        return self("read", collection, *args, expect=0).lines()

    def stop_all(self):
        for running in self._running:
            running.kill()


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def firth(tmp_path, data_dir):
    """The program as people get it."""
    runner = Firth(binary("FIRTH_BIN", "build/firth"), data_dir, tmp_path)
    yield runner
    runner.stop_all()


@pytest.fixture
def firth_dev(tmp_path, data_dir):
    """The same with ASan, UBSan, crash points and planted bugs."""
    runner = Firth(binary("FIRTH_DEV_BIN", "build-dev/firth"), data_dir, tmp_path)
    yield runner
    runner.stop_all()


@pytest.fixture(scope="session")
def airbyte_source_faker():
    """The path of PyPI's airbyte-source-faker. scripts/setup test installs it; without it tests fail, not skip."""
    path = ROOT / ".deps" / "airbyte-source-faker" / "bin" / "source-faker"
    if not path.exists():
        pytest.fail("the real airbyte-source-faker is not installed: run scripts/setup test")
    return str(path)


@pytest.fixture(scope="session")
def conformance():
    """The folder with the public conformance suites."""
    path = pathlib.Path(os.environ.get("FIRTH_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
    if not path.is_dir():
        pytest.fail(f"{path} does not exist: set FIRTH_CONFORMANCE")
    return path


@pytest.fixture(scope="session")
def root():
    return ROOT
