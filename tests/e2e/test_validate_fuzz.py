"""Random schemas and documents, by seed: `firth validate` and PyPI's jsonschema-rs must say the same of each.

FIRTH_TEST_LEVEL=full takes seventy times as many. Where they are known to differ, docs/schema.md says what the specification
decides; KNOWN names these cases. A disagreement is cut down before it is shown."""

import json
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

import jsonschema_rs
import pytest
import schema_random

SEEDS = 20000 if os.environ.get("FIRTH_TEST_LEVEL") == "full" else 300
FIRST = int(os.environ.get("FIRTH_FUZZ_SEED", "0"))
VALIDATORS = {"4": jsonschema_rs.Draft4Validator, "6": jsonschema_rs.Draft6Validator,
              "7": jsonschema_rs.Draft7Validator, "2019-09": jsonschema_rs.Draft201909Validator,
              "2020-12": jsonschema_rs.Draft202012Validator}


def known(draft, schema, ours, theirs):
    """2019-09's "contains" evaluates no items: jsonschema-rs takes it for 2020-12's."""
    text = json.dumps(schema)
    return draft == "2019-09" and '"contains"' in text and '"unevaluatedItems"' in text and (ours, theirs) == (False, True)


def ask_firth(path, file, draft, schema, documents):
    """A list of answers, or None if the schema is refused."""
    file.write_text(json.dumps(schema))
    r = random.Random(len(documents))
    lines = "".join(schema_random.written(r, document, draft) + "\n" for document in documents)
    done = subprocess.run([path, "validate", "-o", "json", "-s", file], input=lines.encode(), capture_output=True,
                          timeout=60)
    if done.returncode == 3:
        return None
    assert b"not valid JSON" not in done.stdout, lines
    answers = [json.loads(line)["valid"] for line in done.stdout.splitlines()]
    assert done.returncode in (0, 1) and len(answers) == len(documents), done
    return answers


def ask_jsonschema_rs(draft, schema, documents):
    try:
        validator = VALIDATORS[draft](schema, validate_formats=False)
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
        return None
    return [validator.is_valid(document) for document in documents]


def smaller(value):
    """Every value that is this one with one part less."""
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
        for key in value:
            for part in smaller(value[key]):
                yield {**value, key: part}
    elif isinstance(value, list):
        for i in range(len(value)):
            yield value[:i] + value[i + 1:]
            for part in smaller(value[i]):
                yield value[:i] + [part] + value[i + 1:]


def cut_down(differs, schema, document, attempts=300):
    found = True
    while found and attempts > 0:
        found = False
        for candidate in ([(s, document) for s in smaller(schema)] + [(schema, d) for d in smaller(document)]):
            attempts -= 1
            if attempts < 0:
                break
            if differs(*candidate):
                schema, document = candidate
                found = True
                break
    return schema, document


def compare(firth_path, folder, seed, oracle):
    """(answers, how many valid, what differs or None) of one seed."""
    draft, schema, documents = schema_random.case(seed)
    file = folder / f"{seed}.json"
    ours, theirs = ask_firth(firth_path, file, draft, schema, documents), oracle(draft, schema, documents)
    if (ours is None) != (theirs is None):
        return 0, 0, f"seed {seed}, draft {draft}: {'firth' if ours is None else 'the other'} alone refuses {schema}"
    if ours is None:
        return 0, 0, None
    for document, a, b in zip(documents, ours, theirs):
        if a == b or known(draft, schema, a, b):
            continue

        def differs(s, d):
            one, other = ask_firth(firth_path, file, draft, s, [d]), oracle(draft, s, [d])
            return one is not None and other is not None and one != other and not known(draft, s, one[0], other[0])

        s, d = cut_down(differs, schema, document)
        return len(ours), sum(ours), f"seed {seed}, draft {draft}, firth says {a}: {json.dumps(s)} of {json.dumps(d)}"
    return len(ours), sum(ours), None


def run(firth_path, folder, seeds, oracle, most=10):
    judged = valid = 0
    wrong = []
    with ThreadPoolExecutor(2) as pool:
        for answers, right, difference in pool.map(lambda seed: compare(firth_path, folder, seed, oracle), seeds):
            judged, valid = judged + answers, valid + right
            if difference and len(wrong) < most:
                wrong.append(difference)
    return judged, valid, wrong


@pytest.mark.timeout(1800)
def test_same_answers(firth, tmp_path):
    judged, valid, wrong = run(firth.path, tmp_path, range(FIRST, FIRST + SEEDS), ask_jsonschema_rs)
    assert not wrong, "\n".join(wrong)
    assert judged > SEEDS * 15 and judged * 0.3 < valid < judged * 0.9  # both answers were asked for


@pytest.mark.parametrize("keyword", ["maxLength", "uniqueItems", "unevaluatedProperties", "dependentRequired", "oneOf"])
def test_finds_what_is_planted(firth, tmp_path, keyword):
    """A validator that does not know a keyword is found out, and the keyword is in what is shown."""

    def without(value):
        if isinstance(value, dict):
            return {k: without(v) for k, v in value.items() if k != keyword}
        return [without(v) for v in value] if isinstance(value, list) else value

    def forgetful(draft, schema, documents):
        return ask_jsonschema_rs(draft, without(schema), documents)

    for start in range(0, 400, 20):
        wrong = run(firth.path, tmp_path, range(start, start + 20), forgetful, most=1)[2]
        if wrong:
            break
    assert wrong and f'"{keyword}"' in wrong[0] and len(wrong[0]) < 500, wrong
