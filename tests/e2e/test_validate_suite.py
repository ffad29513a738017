"""JSON-Schema-Test-Suite through `firth validate`: what the library says of it, the command says too.

Each group is one run: its schema in a file, its instances as lines. Two runs at a time."""

import json
import pathlib
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRAFTS = {"draft4": "4", "draft6": "6", "draft7": "7", "draft2019-09": "2019-09", "draft2020-12": "2020-12"}
# group/test counts of the suite below which something was not run
AT_LEAST = {"draft4": 900, "draft6": 1200, "draft7": 1700, "draft2019-09": 2100, "draft2020-12": 2200}


def known_failures():
    """The rows of docs/schema.md's table of optional tests that do not pass."""
    rows = re.findall(r"^\| `(draft[^`]*)` \| (.*?) \| (.*?) \|", (ROOT / "docs" / "schema.md").read_text(), re.M)
    return set(rows)


def run_group(firth_path, folder, remotes, draft, formats, number, group):
    """The set of tests' names that came out otherwise than the suite says; all of them if the schema is refused."""
    schema = folder / f"{number}.json"
    schema.write_text(json.dumps(group["schema"]))
    command = [firth_path, "validate", "-o", "json", "--schema", schema, "--draft", draft,
               "--resources", f"{remotes}=http://localhost:1234/"] + (["--formats"] if formats else [])
    lines = "".join(json.dumps(test["data"]) + "\n" for test in group["tests"])
    done = subprocess.run(command, input=lines.encode(), capture_output=True, timeout=60)
    if done.returncode not in (0, 1):
        return {test["description"] for test in group["tests"]}
    valid = [json.loads(line)["valid"] for line in done.stdout.splitlines()]
    assert len(valid) == len(group["tests"]), (group["description"], done)
    return {test["description"] for test, v in zip(group["tests"], valid) if test["valid"] != v}


@pytest.mark.parametrize("name", DRAFTS)
def test_suite(firth, conformance, tmp_path, name):
    suite = conformance / "JSON-Schema-Test-Suite"
    jobs, files, tests = [], [], 0
    with ThreadPoolExecutor(2) as pool:
        for file in sorted((suite / "tests" / name).rglob("*.json")):
            relative = file.relative_to(suite / "tests").as_posix()
            for group in json.loads(file.read_text()):
                tests += len(group["tests"])
                files.append((relative, group["description"]))
                jobs.append(pool.submit(run_group, firth.path, tmp_path, suite / "remotes", DRAFTS[name],
                                        "/format/" in relative, len(jobs), group))
    wrong = {(*where, test) for where, job in zip(files, jobs) for test in job.result()}
    assert wrong == {row for row in known_failures() if row[0].startswith(f"{name}/")}
    assert tests >= AT_LEAST[name]


@pytest.mark.parametrize("name", ["2019-09", "2020-12"])
def test_output(firth, conformance, tmp_path, name):
    """The suite's schemas of the `basic` output."""
    suite = conformance / "JSON-Schema-Test-Suite" / "output-tests" / f"draft{name}"
    base = tmp_path / "json-schema.org"
    (base / "output").mkdir(parents=True)
    (base / "output" / "schema").write_text((suite / "output-schema.json").read_text())
    seen, wrong = 0, []
    for file in sorted((suite / "content").glob("*.json")):
        for group in json.loads(file.read_text()):
            (tmp_path / "s.json").write_text(json.dumps(group["schema"]))
            for test in group["tests"]:
                output = firth("validate", "-o", "json", "-s", tmp_path / "s.json", stdin=json.dumps(test["data"])).out
                (tmp_path / "o.json").write_text(json.dumps(test["output"]["basic"]))
                judged = firth("validate", "-s", tmp_path / "o.json", "--draft", name, "--formats", "--resources",
                               f"{base}=https://json-schema.org/draft/{name}/", stdin=output)
                assert judged.rc in (0, 1), judged
                seen += 1
                if judged.rc == 1:
                    wrong.append((file.name, test["description"]))
    assert seen == 4 and wrong == []
