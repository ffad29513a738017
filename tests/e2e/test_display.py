"""A run's live display on a real terminal (a pty), looked at as a person sees it: through a small terminal emulator."""

import errno
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

DEADLINE = 120


class Screen:
    """As much of a terminal as the display uses; anything else that steers one is a failure."""

    SEQUENCE = re.compile(r"\x1b\[(\d*(?:;\d+)*)([A-Za-z])")

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column = columns, [[]], 0, 0

    def feed(self, text):
        at = 0
        while at < len(text):
            found = self.SEQUENCE.match(text, at)
            if found:
                self.steer(found.group(1), found.group(2))
                at = found.end()
            else:
                self.put(text[at])
                at += 1

    def steer(self, number, letter):
        if letter == "A":
            assert self.row >= int(number or 1), "moved above its own first line"
            self.row -= int(number or 1)
        elif letter == "K":
            del self.lines[self.row][self.column:]
        elif letter == "J":
            del self.lines[self.row][self.column:]
            del self.lines[self.row + 1:]
        else:
            assert letter == "m", f"unexpected sequence {number}{letter}"

    def put(self, character):
        assert character != "\x1b", "an unknown escape sequence"
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row, self.column = self.row + 1, 0
            if self.row == len(self.lines):
                self.lines.append([])
        else:
            line = self.lines[self.row]
            line.extend(" " * (self.column + 1 - len(line)))
            line[self.column] = character
            self.column += 1

    def text(self):
        return ["".join(line).rstrip() for line in self.lines]


def run_on_terminal(firth, args, columns=80, rows=24, env=None):
    """(exit code, everything written) of Firth with a terminal as its standard output and error."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen([firth.path, *map(str, args)], stdin=subprocess.DEVNULL, stdout=side, stderr=side,
                               env=firth.environment({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(env or {})}),
                               cwd=firth.cwd, start_new_session=True)
    os.close(side)
    written, end = b"", time.monotonic() + DEADLINE
    try:
        while time.monotonic() < end:
            if not select.select([main], [], [], 1)[0]:
                continue
            try:
                piece = os.read(main, 65536)
            except OSError as error:  # Linux's way of saying that the other side is closed
                assert error.errno == errno.EIO
                break
            written += piece
        return process.wait(10), written.decode()
    finally:
        process.kill()
        process.wait()
        os.close(main)


@pytest.fixture
def catalog(root, tmp_path):
    """Enough documents for several frames."""
    path = tmp_path / "flow.yaml"
    text = (root / "examples" / "faker" / "flow.yaml").read_text()
    path.write_text(text.replace("count: 1000", "count: 40000"))
    return path


def without_logs(written):
    """What is drawn, without the line that says once which connector runs an image."""
    told = re.compile(r"^[^\n]*is run by the built-in[^\n]*\n", re.M)
    assert len(told.findall(written)) == 1
    return told.sub("", written)


def test_what_a_person_sees(firth, catalog):
    code, written = run_on_terminal(firth, ["run", catalog, "--once"], columns=100)
    written = without_logs(written)
    assert code == 0, written
    screen = Screen(100)
    screen.feed(written)
    lines = screen.text()
    while lines and not lines[-1]:
        lines.pop()
    assert len(lines) == 9, "\n".join(lines)
    assert re.fullmatch(r"✓ capture demo/faker  done after [\d.]+ m?s", lines[0])
    for line, name in zip(lines[1:4], ("products", "users", "purchases")):
        assert re.match(rf"  demo/{name} +━+ +[\d,]+ +[\d.]+ [kM]B +done", line), line
    assert lines[4].split() == ["TASK", "DOCUMENTS", "BYTES", "TIME", "DOCUMENTS/S", "RESULT"]
    assert lines[5].startswith("capture demo/faker") and lines[5].endswith("done")
    assert "\x1b[36m" in written


@pytest.mark.parametrize("columns, rows", [(20, 24), (40, 24), (80, 4), (300, 60)])
def test_every_frame_fits(firth, catalog, columns, rows):
    code, written = run_on_terminal(firth, ["run", catalog, "--once"], columns=columns, rows=rows)
    written = without_logs(written)
    assert code == 0
    frames = written.split("\x1b[J")
    assert len(frames) > 1
    for frame in frames[:-1]:
        lines = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", frame).replace("\r", "").split("\n")
        assert max(map(len, lines)) < columns, frame
        assert len(lines) <= max(rows, 4)


@pytest.mark.parametrize("args, env", [
    (["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"}), (["-o", "json"], {}),
])
def test_plain_where_asked_for(firth, catalog, args, env):
    code, written = run_on_terminal(firth, ["run", catalog, "--once", *args], env=env)
    assert code == 0
    assert "\x1b" not in written
    assert "demo/users" in written


def test_without_utf8_the_display_is_ascii(firth, catalog):
    code, written = run_on_terminal(firth, ["run", catalog, "--once"], env={"LC_ALL": "C"})
    assert code == 0
    assert written.isascii()
    assert "=" in written


def test_a_failure_is_told_once_and_whole(firth, tmp_path):
    """The connector's words cannot steer the terminal, and the error comes after the table."""
    path = tmp_path / "flow.yaml"
    path.write_text("""
collections:
  test/a: {schema: {type: object, properties: {id: {type: integer}}, required: [id]}, key: [/id]}
captures:
  test/broken:
    endpoint: {local: {command: [sh, -c, 'printf "\\\\033[2Jwent wrong\\\\n" >&2; exit 3'], config: {}, protocol: airbyte}}
    bindings: [{resource: {stream: a, syncMode: full_refresh}, target: test/a}]
""")
    code, written = run_on_terminal(firth, ["run", path, "--once"], columns=200)
    assert code == 1, written
    assert "\x1b[2J" not in written
    table, after = written.split("RESULT", 1)
    assert after.count("status 3") == 1
    assert "failed" in table or "failed" in after
