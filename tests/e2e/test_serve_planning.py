"""What the daemon does while it waits for an image: everything else. The engine is a script that plays docker, and hangs
when it is told to pull."""

import json
import os
import pathlib
import platform
import signal
import subprocess

import pytest

import serving
from conftest import until
from processes import gone
from serving import capture, deploy, log, records, serve, wait_for

IMAGE = "registry.invalid/acme/source-slow:1"
ENGINE = r"""#!/bin/sh
# As docker answers; an image is there once $0.present is, and a pull waits until somebody opens $0.go.
case $1 in
--version) echo 'Docker version 24.0.7, build afdd53b' ;;
image)
    [ -e "$0.present" ] || { echo "Error: No such image: $3" >&2; exit 1; }
    echo '[{"Id":"sha256:0123456789ab","Os":"linux","Architecture":"ARCH","Config":{"Entrypoint":["PROGRAM"]}}]' ;;
pull)
    echo $$ >"$0.pulling"
    read answer <"$0.go"
    [ "$answer" = yes ] || { echo 'no such host' >&2; exit 1; }
    : >"$0.present" ;;
run)
    shift
    for word; do
        case $word in
        --volume=*:/run/firth:ro,Z) files=${word#--volume=} files=${files%%:*} ;;
        --entrypoint=*) program=${word#--entrypoint=} ;;
        esac
    done
    while [ "$1" != 0123456789ab ]; do shift; done
    shift
    for word; do
        shift
        case $word in /run/firth/*) word=$files/${word#/run/firth/} ;; esac
        set -- "$@" "$word"
    done
    exec "$program" "$@" ;;
esac
"""


class Engine:
    def __init__(self, folder):
        self.path = folder / "docker"
        architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
        self.path.write_text(ENGINE.replace("ARCH", architecture).replace("PROGRAM", *serving.scripted.command("scripted_source")))
        self.path.chmod(0o755)
        os.mkfifo(self.file("go"))
        self.file("present").touch()
        self.options = ("--container-engine", str(self.path))

    def file(self, what):
        return pathlib.Path(f"{self.path}.{what}")

    def pulling(self):
        """The process that pulls, once there is one."""
        def pid():
            text = self.file("pulling").read_text() if self.file("pulling").exists() else ""
            return int(text) if text.endswith("\n") else None
        return until(pid, "the pull to begin")

    def answer(self, word):
        self.file("go").write_text(word + "\n")


@pytest.fixture
def engine(tmp_path):
    return Engine(tmp_path)


def with_image(tmp_path, *others):
    name, one = capture(tmp_path, "image", records(1, 3))
    one["endpoint"] = {"connector": {"image": IMAGE, "config": one["endpoint"]["local"]["config"]}}
    return serving.write(tmp_path / "flow.json", (name, one), *others)


def states(firth):
    return {task["task"]: task["state"] for task in firth("status", "-o", "json", expect=0).json()["tasks"]}


@pytest.fixture
def hanging(firth, engine, tmp_path):
    """A daemon whose planning waits for an image; the image was there when the catalog was deployed."""
    deploy(firth, with_image(tmp_path, capture(tmp_path, "local", records(1, 2))), *engine.options)
    engine.file("present").unlink()

    def start(*args):
        daemon = serve(firth, *engine.options, *args)
        return daemon, engine.pulling()

    return start


def test_everything_else_goes_on(firth, engine, hanging, tmp_path):
    hanging()
    wait_for(firth, "acmeCo/local", event="ended", outcome="completed", documents=2)
    assert states(firth)["acmeCo/image"] == "preparing"
    # Another catalog is taken over, and its deploy waits for its own tasks alone.
    serving.write(tmp_path / "other.json", capture(tmp_path, "other", records(1, 4)))
    deploy(firth, tmp_path / "other.json")
    wait_for(firth, "acmeCo/other", event="ended", outcome="completed", documents=4)
    engine.answer("yes")
    wait_for(firth, "acmeCo/image", event="ended", outcome="completed", documents=3)
    notes = [line["message"] for line in log(firth, "acmeCo/image") if line.get("origin") == "daemon"]
    assert notes == [f"pulling the image {IMAGE}"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_daemon_ends_and_the_pull_with_it(hanging, number):
    daemon, pull = hanging()
    daemon.signal(number)
    assert daemon.wait() == (0 if number == signal.SIGTERM else -number)
    until(lambda: gone(pull), "the pull to end")


def test_a_pull_that_fails_is_tried_again(firth, engine, hanging):
    hanging()
    engine.answer("no")
    ended = wait_for(firth, "acmeCo/image", event="ended", outcome="failed")[0]
    assert "no such host" in ended["message"] and states(firth)["acmeCo/image"] == "backing off"


def test_a_pull_has_a_deadline(firth, hanging):
    daemon, pull = hanging("--pull-timeout", "300ms")
    ended = wait_for(firth, "acmeCo/image", event="ended", outcome="failed")[0]
    assert ended["retriable"] and f"pulling the image {IMAGE}" in ended["message"], ended
    assert "stalls: for 300 ms" in ended["message"]
    until(lambda: gone(pull), "the pull to end")
    assert states(firth)["acmeCo/image"] == "backing off" and daemon.process.poll() is None


def test_planning_that_dies_is_told(firth, hanging):
    daemon, pull = hanging()
    out = subprocess.run(["ps", "-o", "ppid=", "-p", str(pull)], capture_output=True, text=True, check=True).stdout
    os.kill(int(out), signal.SIGKILL)
    ended = wait_for(firth, "acmeCo/image", event="ended", outcome="failed")[0]
    assert ended["retriable"] and "the process that plans died by signal 9" in ended["message"], ended
    until(lambda: gone(pull), "the pull to end")
    assert daemon.process.poll() is None


def test_a_newer_deploy_overtakes_a_pull(firth, engine, hanging, tmp_path):
    """What was asked for meanwhile does not count any more."""
    hanging()
    serving.write(tmp_path / "flow.json", capture(tmp_path, "image", records(1, 7)), capture(tmp_path, "local", records(1, 2)))
    assert deploy(firth, tmp_path / "flow.json")["acmeCo/image"] == "change"
    wait_for(firth, "acmeCo/image", event="ended", outcome="completed", documents=7)
    engine.answer("yes")
    until(lambda: engine.file("present").exists(), "the pull to end")
    assert [line["documents"] for line in log(firth, "acmeCo/image") if line["event"] == "ended"] == [7]
    assert json.loads((tmp_path / "flow.json").read_text())["captures"]["acmeCo/image"]["endpoint"].get("local")
