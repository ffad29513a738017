"""The documentation is true: its examples run, its links lead somewhere, docs/cli.md knows every command."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
BLOCK = re.compile(r"^```console test\n(.*?)^```$", re.M | re.S)


def blocks():
    for page in PAGES:
        for number, found in enumerate(BLOCK.finditer(page.read_text()), 1):
            yield pytest.param(found.group(1), id=f"{page.relative_to(ROOT)}#{number}")


def steps(block):
    """[(command, expected lines)] of a console block."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return found


def matches(expected, actual):
    """Whether the lines are the same; '…' stands for anything inside a line, alone on one for any lines."""
    pattern = ""
    for line in expected:
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part.rstrip()) for part in line.split("…")) + r"[ ]*\n"
    return re.fullmatch(pattern, actual if actual.endswith("\n") or not actual else actual + "\n") is not None


@pytest.mark.parametrize("expected, actual, same", [
    (["a", "b"], "a\nb\n", True), (["a"], "a\nb\n", False), (["a", "…"], "a\nb\nc\n", True), (["a … c"], "a b c\n", True),
    (["a … c"], "a b d\n", False), ([], "", True), (["…", "c"], "a\nb\nc\n", True), (["x(1)"], "x1\n", False),
])
def test_matches(expected, actual, same):
    assert matches(expected, actual) is same


@pytest.mark.parametrize("block", list(blocks()))
def test_console_blocks(block, firth, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    shutil.copytree(ROOT / "examples", work / "examples")
    (work / "build").mkdir()
    (work / "build" / "firth").symlink_to(firth.path)
    env = firth.environment({"PATH": f"{work / 'build'}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}", "HOME": str(work)})
    assert steps(block), "a block without a command"
    try:
        for command, expected in steps(block):
            done = subprocess.run(["bash", "-c", command], cwd=work, env=env, text=True, timeout=120, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            assert matches(expected, done.stdout), f"$ {command}\n{done.stdout}\n--- expected\n" + "\n".join(expected)
    except BaseException:
        # What the block runs in the background it would have stopped itself, by the number it keeps in this file.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((work / "pid").read_text()), signal.SIGTERM)
        raise


def test_links_lead_somewhere():
    broken = []
    for page in PAGES + sorted(ROOT.glob("*/README.md")) + sorted(ROOT.glob("src/*/README.md")):
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


def test_index_lists_every_page():
    index = (ROOT / "docs" / "README.md").read_text()
    pages = [page.name for page in (ROOT / "docs").glob("*.md") if page.name != "README.md"]
    assert len(pages) > 5 and [page for page in pages if f"| [{page}]({page}) |" not in index] == []


def section(text, name):
    found = re.search(rf"^## [^\n]*\bfirth {name}\b[^\n]*\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found.group(1) if found else None


def test_cli_page_knows_every_command_and_option(firth):
    page = (ROOT / "docs" / "cli.md").read_text()
    overview = firth("--help", expect=0).out
    names = [line.split()[0] for line in overview.split("Commands:\n")[1].split("\n\n")[0].splitlines()]
    everywhere = set(re.findall(r"--[a-z][a-z-]*", overview.split("Options of every command:")[1]))
    assert len(names) > 3 and "--data-dir" in everywhere
    for option in everywhere:
        assert option in page.split("## Exit codes")[0], f"{option} is not under 'Options of every command'"
    for name in names:
        described = section(page, name)
        assert described is not None, f"docs/cli.md has no section 'firth {name}'"
        own, _, of_images = firth(name, "--help", expect=0).out.split("Options of every command:")[0].partition(
            "Options for connectors that are OCI images:")
        for option in set(re.findall(r"--[a-z][a-z-]*", of_images)):
            assert option in page.split("## Options for images")[1].split("\n## ")[0], option
        for option in set(re.findall(r"--[a-z][a-z-]*", own)) - everywhere:
            assert option in described, f"docs/cli.md does not describe {option} of firth {name}"
    for described in re.findall(r"^## firth (\w+)", page, re.M):
        assert described in names, f"docs/cli.md describes firth {described}, which there is not"
