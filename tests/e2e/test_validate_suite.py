"""JSON-Schema-Test-Suite through `firth validate`: what the library says of it, the command says too.

Each group is one run: its schema in a file, its instances as lines. Two runs at a time."""

import json
import pathlib
import re
import subprocess
import urllib.parse
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


# All of them are the library's test (tests/conformance); the command is shown the first, Airbyte's and the newest.
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.full if name in ("draft6", "draft2019-09") else ())
                                  for name in DRAFTS])
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


def is_compatible(conditions, year):
    """"7", "<=2019", "=2020", several of them with commas."""
    for condition in filter(None, conditions.split(",")):
        least, most, only = condition.isdigit(), condition.startswith("<="), condition.startswith("=")
        number = int(condition.lstrip("<="))
        assert least or most or only, conditions
        if least and year < number or most and year > number or only and year != number:
            return False
    return True


def embedded(schema, pointer):
    """The place as an absolute location has it: the name of the innermost schema with an `$id`, and where in that."""
    name, rest = "", []
    for token in [None, *map(urllib.parse.unquote, pointer.split("/")[1:])]:
        if token is not None:
            schema = schema[int(token)] if isinstance(schema, list) else schema[token.replace("~1", "/").replace("~0", "~")]
            rest.append(token)
        if isinstance(schema, dict) and isinstance(schema.get("$id"), str):
            name, rest = schema["$id"].rsplit("/", 1)[-1], []
    return name, "".join("/" + token for token in rest)


def asserted(entries, schema, test):
    """For each of the test's assertions: what is printed at that location by that keyword, and what should be."""
    for assertion in test["assertions"]:
        said = {}
        for entry in entries:
            if (entry["instanceLocation"] == assertion["location"]
                    and entry["keywordLocation"].endswith("/" + assertion["keyword"])):
                uri, _, pointer = entry["absoluteKeywordLocation"].partition("#")
                name = uri.rsplit("/", 1)[-1].replace("s.json", "")
                said[name, urllib.parse.unquote(pointer).removesuffix("/" + assertion["keyword"])] = entry["annotation"]
        yield said, {embedded(schema, place.removeprefix("#")): v for place, v in assertion["expected"].items()}


@pytest.mark.parametrize("name", DRAFTS)
def test_annotations(firth, conformance, tmp_path, name):
    suite = conformance / "JSON-Schema-Test-Suite" / "annotations" / "tests"
    year, wrong, seen = int(re.sub("^draft|-.*", "", name)), [], 0
    for file in sorted(suite.glob("*.json")):
        for group in json.loads(file.read_text())["suite"]:
            if not is_compatible(group.get("compatibility", ""), year):
                continue
            (tmp_path / "s.json").write_text(json.dumps(group["schema"]))
            lines = "".join(json.dumps(test["instance"]) + "\n" for test in group["tests"])
            done = firth("validate", "-o", "json", "-s", tmp_path / "s.json", "--draft", DRAFTS[name], stdin=lines)
            assert done.rc == 0, (group["description"], done)
            verdicts = [json.loads(line) for line in done.out.splitlines()]
            assert len(verdicts) == len(group["tests"])
            for verdict, test in zip(verdicts, group["tests"]):
                for said, expected in asserted(verdict.get("annotations", []), group["schema"], test):
                    seen += 1
                    if said != expected:
                        wrong.append((file.name, group["description"], said, expected))
    assert wrong == []
    assert seen >= {"draft4": 15, "draft6": 20, "draft7": 30}.get(name, 60)
