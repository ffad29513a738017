"""Fixtures for those who want the programs of docs/sdk.md: import `sdk` and `sdk_programs`."""

import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import ROOT, binary


def blocks():
    """[(language, name, text)] of the page's fenced blocks that have a name."""
    page = (ROOT / "docs" / "sdk.md").read_text()
    return re.findall(r"^```(\w+) (\S+)\n(.*?)^```$", page, re.M | re.S)


@contextlib.contextmanager
def made_once(name, tmp_path_factory):
    """(a folder that all files of a tests/run share, whether it is still to be filled)."""
    folder = pathlib.Path(os.environ.get("FIRTH_TEST_SHARED") or tmp_path_factory.getbasetemp(), name)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "made"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        yield folder, not done.exists()
        done.touch()


@pytest.fixture(scope="session")
def sdk(tmp_path_factory):
    """The SDK as `make install` puts it, and the environment in which pkg-config finds it."""
    build = pathlib.Path(binary("FIRTH_BIN", "build/firth")).parent
    with made_once("sdk", tmp_path_factory) as (stage, missing):
        if missing:
            subprocess.run(["ninja", "-C", build, "sdk/libfirth-sdk.a"], check=True, capture_output=True)
            subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--tags", "devel"], check=True,
                           capture_output=True, env={**os.environ, "DESTDIR": str(stage)})
    assert list(stage.rglob("firth/connector.h")) and list(stage.rglob("libfirth-sdk.a"))
    config = next(stage.rglob("firth-sdk.pc"))
    return {**os.environ, "PKG_CONFIG_PATH": str(config.parent), "PKG_CONFIG_SYSROOT_DIR": str(stage)}


@pytest.fixture(scope="session")
def sdk_programs(sdk, tmp_path_factory):
    """A folder with the page's programs, built by the page's own command."""
    commands = {name: text for language, name, text in blocks() if language == "sh"}
    # Nothing but -Werror is added: what the reader types must not warn, let alone lean on a flag that is not there.
    assert "-std=c17 -Wall -Wextra" in commands["build"]
    script = commands["build"].replace("cc ", "cc -Werror ")
    with made_once("sdk-programs", tmp_path_factory) as (folder, missing):
        if missing:
            for language, name, text in blocks():
                if language == "c":
                    (folder / name).write_text(text)
            done = subprocess.run(["sh", "-ec", script], cwd=folder, env=sdk, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    return folder, commands["run"]
