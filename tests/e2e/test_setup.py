"""Set-up, lint's own checks and the test runner: tools that must not lie."""

import importlib.machinery
import importlib.util
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from conftest import until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BASICS = ["bash", "dirname", "mkdir", "flock", "cat", "id", "env", "sh"]


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)


@pytest.fixture
def checkout(tmp_path):
    """An empty checkout with the scripts, under git."""
    shutil.copytree(ROOT / "scripts", tmp_path / "tree" / "scripts")
    tree = tmp_path / "tree"
    run("git", "init", "-q", tree)
    return tree


def write(tree, name, text):
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def tools(folder, names):
    """A PATH of only these programs."""
    folder.mkdir(exist_ok=True)
    for name in names:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return {"PATH": str(folder), "HOME": str(folder)}


def test_nothing_to_do_is_quick_and_silent():
    started = time.monotonic()
    done = run(ROOT / "scripts" / "setup", "build", "test")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" and done.stderr == ""
    assert time.monotonic() - started < 2


def test_demo_looks_where_the_files_are(checkout, tmp_path):
    """FIRTH_LOCAL_ROOT is where Local JSON writes; the demo must show that, not /tmp/airbyte_local."""
    catalog = "examples/faker-local-json/flow.yaml"
    write(checkout, catalog, (ROOT / catalog).read_text())
    folder = tmp_path / "root" / "json_data"
    write(checkout, "build/firth", f"""#!/bin/bash
mkdir -p {folder} && echo '{{"a":1}}' >{folder}/_airbyte_raw_users.jsonl
""")
    (checkout / "build" / "firth").chmod(0o755)
    done = run(checkout / "scripts" / "demo", env={**os.environ, "FIRTH_LOCAL_ROOT": str(tmp_path / "root")})
    assert done.returncode == 0, done
    assert str(folder) in done.stdout and '{"a":1}' in done.stdout and "airbyte_local" not in done.stdout


def test_unknown_part(checkout):
    done = run(checkout / "scripts" / "setup", "everything")
    assert done.returncode == 1
    assert "'everything' is none of build, test" in done.stderr


def test_other_system_gets_a_list(checkout, tmp_path):
    env = tools(tmp_path / "bin", BASICS)
    done = run(checkout / "scripts" / "setup", env=env)
    assert done.returncode == 1
    for system in ("Fedora", "Arch", "macOS"):
        assert system in done.stderr
    assert "missing: cc meson ninja pkg-config" in done.stderr


def test_other_system_with_everything_is_fine(checkout, tmp_path):
    env = tools(tmp_path / "bin", BASICS + ["cc", "meson", "ninja", "pkg-config"])
    done = run(checkout / "scripts" / "setup", env=env)
    assert done.returncode == 0, done.stderr


def test_build_refuses_unknown_folder(checkout):
    done = run(checkout / "scripts" / "build", "build-odd")
    assert done.returncode == 2
    assert "'build-odd' is none of build" in done.stderr


def test_ci_runs_make_test_and_nothing_else():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert len(lines) == 2 and lines[1].startswith("exec make ") and lines[1].endswith(" test")


@pytest.mark.parametrize("name, text, wrong", [
    ("src/base/a.h", '#include "json/json.h"\n', "base may not use json"),
    ("src/store/a.c", '#include "task/task.h"\n', "store may not use task"),
    ("src/schema/a.c", '#include "yaml/yaml.h"\n', "schema may not use yaml"),
    ("connectors/x/a.c", '#include "store/store.h"\n', "connectors may not use store"),
    ("sdk/a.c", '#include "catalog/catalog.h"\n', "sdk may not use catalog"),
    ("src/odd/a.c", "\n", "the room 'odd' is not in"),
    ("src/base/a.c", '#include "b.c"\n', ".c files are not included"),
    ("src/base/a.c", '#include "nowhere.h"\n', "nowhere in the tree"),
    ("src/task/a.c", '#include "store/store.h"\n#include "base/error.h"\n', None),
    ("connectors/x/a.c", '#include "firth/connector.h"\n#include "json/json.h"\n', None),
])
def test_layers(checkout, name, text, wrong):
    write(checkout, name, text)
    done = run(checkout / "scripts" / "check-layers")
    assert (done.returncode == 0) is (wrong is None), done.stdout
    assert wrong is None or wrong in done.stdout


README = "# x\n" + "words\n" * 20


@pytest.mark.parametrize("files, wrong", [
    ({"src/a/README.md": README, "src/a/a.c": "int a;\n"}, None),
    ({"src/a/a.c": "int a;\n"}, "src/a: has no README.md"),
    ({"src/a/README.md": "short\n", "src/a/a.c": "int a;\n"}, "1 lines; 15 to 60 are right"),
    ({"src/a/README.md": README, "src/a/a.c": "/* TO" "DO */\n"}, "does not belong into the tree"),
    ({"src/a/README.md": README, "src/a/a.c": "int a; \n"}, "white space at the end"),
    ({"src/a/README.md": README, "src/a/a.c": "int a;\n" * 801}, "801 lines; past 800"),
    ({"src/a/README.md": README, "src/a/a.h": "pid_t a;\n"}, "does not compile alone"),
    ({"src/a/README.md": README, "src/a/a.c": "int f(void)\n{\n" + ";\n" * 130 + "}\n"}, "f has 130 lines"),
])
def test_tidiness(checkout, files, wrong):
    write(checkout, "scripts/README.md", README)
    for name, text in files.items():
        write(checkout, name, text)
    done = run(checkout / "scripts" / "check-tidy")
    assert (done.returncode == 0) is (wrong is None), done.stdout
    assert wrong is None or wrong in done.stdout


def runner():
    loader = importlib.machinery.SourceFileLoader("test_runner", str(ROOT / "tests" / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("test_runner", loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("text, counts, failures", [
    ('<testsuites><testsuite><testcase/><testcase name="a"><failure message="1 is not 2&#10;more"/></testcase>'
     '<testcase><skipped/></testcase><testcase name="b"><error/></testcase></testsuite></testsuites>',
     (1, 2, 1), ["file: a: 1 is not 2", "file: b: no message"]),
    ("<testsuites/>", (0, 0, 0), []),
    ("<torn", (0, 1, 0), ["file: no results in "]),
    (None, (0, 1, 0), ["file: no results in "]),
])
def test_runner_counts(tmp_path, text, counts, failures):
    path = tmp_path / "junit.xml"
    if text is not None:
        path.write_text(text)
    counted, told = runner().count_junit(path, "file")
    assert counted == counts
    assert len(told) == len(failures) and all(line.startswith(start) for line, start in zip(told, failures, strict=True)), told


@pytest.mark.parametrize("results, code, totals, failures", [
    ((5, 0, 0), 0, (5, 0), []),
    ((5, 0, 0), 1, (5, 1), ["file: exit code 1, though no test failed"]),
    ((5, 2, 0), 1, (5, 2), []),
    ((0, 0, 0), 0, (0, 0), []),
])
def test_runner_does_not_hide_a_failed_stage(results, code, totals, failures):
    sums = runner().Totals()
    sums.add(results, code, [], "file")
    assert (sums.passed, sums.failed) == totals
    assert sums.failures == failures


def test_runner_does_not_wait_for_what_is_left_behind(tmp_path):
    """A test's daemon that nobody stopped holds the output open, and ends with the file that started it."""
    orphan, said = tmp_path / "orphan", tmp_path / "said"
    code, _ = runner().run_to_its_end(["sh", "-c", f"sleep 600 & echo $! > {orphan}; echo done"], said, 60)
    assert (code, said.read_text()) == (0, "done\n")

    def is_over():
        try:
            return pathlib.Path(f"/proc/{int(orphan.read_text())}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
        except (FileNotFoundError, ProcessLookupError):
            return True
    until(is_over, "the end of what was left, which has been sent its signal")


def test_runner_ends_what_hangs(tmp_path):
    said = tmp_path / "said"
    code, _ = runner().run_to_its_end(["sh", "-c", "echo begun; exec sleep 600"], said, 5)
    assert code == -signal.SIGKILL
    assert said.read_text() == "begun\n\ntests/run: not ended after 5 s; killed\n"


def test_runner_refuses_unknown_stage():
    done = run(ROOT / "tests" / "run", "everything")
    assert done.returncode == 1
    assert "'everything' is none of unit, conformance" in done.stderr


def test_makefile_targets():
    for target in ("all", "demo", "test", "test-full", "asan", "lint", "bench", "fuzz", "install", "clean", "format"):
        done = run("make", "-n", "-C", ROOT, target, env={**os.environ, "MAKEFLAGS": ""})
        assert done.returncode == 0, done.stderr
