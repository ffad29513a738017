"""Random patterns and texts, by seed: `firth validate` and node's RegExp with the u flag must say the same of each.

FIRTH_TEST_LEVEL=full takes ten times as many. Answers that it once gave are compared as well: pattern_answers.json,
written anew by running this file with the number of patterns."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pattern_random
import pytest

SEEDS = 200 if os.environ.get("FIRTH_TEST_LEVEL") == "full" else 20
FIRST = int(os.environ.get("FIRTH_FUZZ_SEED", "0"))
PATTERNS, TEXTS = 150, 80  # of each seed
TABLE = pathlib.Path(__file__).parent / "pattern_answers.json"
NODE = shutil.which("node")
# The texts that each pattern matches, or null for what is no pattern.
PROGRAM = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(({patterns, texts}) => patterns.map(pattern => {
    try { const r = new RegExp(pattern, "u"); return texts.flatMap((text, i) => r.test(text) ? [i] : []); }
    catch (e) { return null; }
}))));
"""


def ask_node(cases):
    """One process for all: a list of indices of texts, for each pattern of each case."""
    done = subprocess.run([NODE, "-e", PROGRAM], input=json.dumps(cases).encode(), capture_output=True, check=True, timeout=600)
    return json.loads(done.stdout)


def ask_firth(path, folder, case):
    """The same of one case, by which schemas speak of a text; or the problem."""
    schema = folder / "patterns.schema.json"
    schema.write_text(json.dumps({"allOf": [{"if": {"pattern": pattern}, "then": {"title": str(number)}}
                                            for number, pattern in enumerate(case["patterns"])]}))
    lines = "".join(json.dumps(text) + "\n" for text in case["texts"])
    done = subprocess.run([path, "validate", "-o", "json", "-s", schema], input=lines.encode(), capture_output=True, timeout=120)
    if done.returncode != 0:
        return (done.stderr + done.stdout)[-2000:].decode(errors="replace")
    answers = [[] for _ in case["patterns"]]
    for index, line in enumerate(done.stdout.splitlines()):
        for note in json.loads(line).get("annotations", ()):
            answers[int(note["annotation"])].append(index)
    return answers


def known(pattern, text):
    """V8 looks for what matches nothing between the halves of a surrogate pair too; ECMA-262 with u does not (22.2.7.2)."""
    return any(c > "\uffff" for c in text) and any(part in pattern for part in ("\\B", "(?!", "(?<!"))


def differences(case, ours, theirs, most=10):
    for pattern, one, other in zip(case["patterns"], ours, theirs):
        for index in [i for i in sorted(set(one) ^ set(other)) if not known(pattern, case["texts"][i])][:1]:
            yield f"{pattern!r} {'matches' if index in one else 'does not match'} {case['texts'][index]!r}"


def check(path, folder, cases, answers):
    wrong, pairs, matched = [], 0, 0
    for case, theirs in zip(cases, answers):
        ours = ask_firth(path, folder, case)
        assert not isinstance(ours, str), ours
        wrong += differences(case, ours, theirs)
        pairs += len(case["patterns"]) * len(case["texts"])
        matched += sum(map(len, theirs))
    assert not wrong, "firth alone says:\n" + "\n".join(wrong[:20])
    assert pairs * 0.1 < matched < pairs * 0.9  # both answers were asked for


def random_case(seed):
    return {"patterns": pattern_random.patterns(seed, PATTERNS), "texts": pattern_random.texts(seed, TEXTS)}


@pytest.mark.timeout(1800)
def test_same_as_node(firth, tmp_path):
    assert NODE, "there is no node to compare with: `scripts/setup test` installs it"
    cases = [random_case(seed) for seed in range(FIRST, FIRST + SEEDS)]
    answers = ask_node(cases)
    no_patterns = [p for case, theirs in zip(cases, answers) for p, found in zip(case["patterns"], theirs) if found is None]
    assert not no_patterns, no_patterns[:5]  # all that is generated is a pattern
    check(firth.path, tmp_path, cases, answers)


def test_same_as_the_table(firth, tmp_path):
    case = json.loads(TABLE.read_text())
    check(firth.path, tmp_path, [case], [case["answers"]])


if __name__ == "__main__":
    written = {"patterns": pattern_random.patterns(-1, int(sys.argv[1])), "texts": pattern_random.texts(-1, 40)}
    TABLE.write_text(json.dumps(written | {"answers": ask_node([written])[0]}, separators=(",", ":")) + "\n")
