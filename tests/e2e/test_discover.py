"""firth discover: without a terminal, on one (a real pseudo-terminal), and again on catalogs that people have changed."""

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import termios
import time

import pytest

from conftest import DEADLINE
from scripted import PROGRAMS

SCRIPTED = PROGRAMS / "discover_source.py"


class Terminal:
    """A firth on a pseudo-terminal: what it said, answers, its end."""

    def __init__(self, firth, *args, env=None, cwd=None):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        full = firth.environment({"TERM": "xterm", "NO_COLOR": "1", **(env or {})})
        self.process = subprocess.Popen([firth.path, *map(str, args)], stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, cwd=cwd or firth.cwd, env=full, start_new_session=True,
                                        preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0))
        self.said = ""
        self.seen = 0

    def _more(self, end):
        if not select.select([self.master], [], [], max(0.0, end - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.said += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)

    def expect(self, text):
        """Wait until it says that, behind what was expected before."""
        end = time.monotonic() + DEADLINE
        while text not in self.said[self.seen:]:
            if not self._more(end):
                pytest.fail(f"it did not say {text!r}; it said:\n{self.said}")
        self.seen = self.said.index(text, self.seen) + len(text)

    def answer(self, label, text=""):
        self.expect(label)
        os.write(self.master, text.encode() + b"\n")

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def end(self):
        """Its exit code. The terminal must be as it was."""
        until = time.monotonic() + DEADLINE
        while self.process.poll() is None and time.monotonic() < until:
            if select.select([self.master], [], [], 0.01)[0]:
                self._more(until)
        assert self.process.poll() is not None, self.said
        while self._more(time.monotonic()):
            pass
        assert termios.tcgetattr(self.slave) == self.before
        os.close(self.master)
        os.close(self.slave)
        return self.process.returncode


def source(tmp_path, streams, spec=None, **more):
    """The arguments that name a scripted source."""
    path = tmp_path / "told.json"
    path.write_text(json.dumps({"spec": spec or {"type": "object", "properties": {}}, "streams": streams, **more}))
    return ["--command", f"{sys.executable} {SCRIPTED} {path}", "--name", "acmeCo/test"]


def given(tmp_path):
    """The config that the source was given."""
    return json.loads((tmp_path / "told.json.config").read_text())


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()
            if path.is_file() and not path.name.startswith("told")}


# --- without a terminal ---------------------------------------------------------------------------


def test_first_a_stub_then_a_catalog_that_runs(firth_dev, tmp_path):
    first = firth_dev("discover", "--connector", "source-faker", expect=0)
    config = tmp_path / "source-faker.config.yaml"
    assert "run the same command again" in first.out
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert "How many users should be generated" in config.read_text()
    assert not (tmp_path / "flow.yaml").exists()
    second = firth_dev("discover", "--connector", "source-faker", expect=0)
    assert second.out.endswith("firth run flow.yaml\n")
    firth_dev("check", "flow.yaml", expect=0)
    firth_dev("run", "flow.yaml", "--once", expect=0)
    assert len(firth_dev.read("acmeCo/users")) == 1000
    before = files(tmp_path)
    third = firth_dev("discover", "--connector", "source-faker", expect=0)
    assert "nothing new" in third.out
    assert files(tmp_path) == before


def test_json_prints_the_streams_and_writes_nothing(firth_dev, tmp_path):
    lines = firth_dev("discover", "--connector", "source-faker", "-o", "json", expect=0).lines()
    assert [line["stream"] for line in lines] == ["products", "users", "purchases"]
    assert lines[1]["key"] == ["/id"] and lines[1]["schema"]["properties"]["id"] == {"type": "integer"}
    assert files(tmp_path) == {}


# --- on a terminal --------------------------------------------------------------------------------


def test_dialogue_with_defaults(firth_dev, tmp_path):
    terminal = Terminal(firth_dev, "discover", "--connector", "source-faker")
    terminal.answer("Name of the capture [acmeCo/source-faker]:")
    terminal.answer("optional settings")
    terminal.answer("3 of 3 are chosen")
    terminal.answer("read in full each time")
    terminal.answer("names begin with [acmeCo]:", "shop")
    terminal.expect("firth run flow.yaml")
    assert terminal.end() == 0
    firth_dev("check", "flow.yaml", expect=0)
    assert "target: shop/users" in (tmp_path / "flow.yaml").read_text()
