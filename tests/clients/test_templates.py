"""Our template language beside the real CDK's: the same templates, the same scopes, values compared with their types.
Both are programs that answer a line with a line (programs/template_eval.c, programs/template_cdk.py)."""

import itertools
import json
import os
import pathlib
import re
import subprocess
import threading

import pytest

from clients import template_cases
from clients.conftest import environment, program
from conftest import FULL, ROOT

SEEDS = range(1, 41) if FULL else range(1, 2)
GENERATED = 3000

# What differs, and why. Each must differ: a difference that is gone is to be taken out here.
ELLIPSIS = "literal_eval makes an Ellipsis of three dots, which nothing can send or write; here they stay text"
DEEP = "Python's parser gives up at this nesting; ours goes further, up to TEMPLATE_NESTING_MAX"
CONSTANT = "Jinja folds constants before it runs, and looks slices up as items there; here it is a TypeError, as at run time"
COMPLEX = "there are no complex numbers here"
KNOWN = {
    "{{ '...' }}": ELLIPSIS,
    "{{ " + "(" * 90 + "1" + ")" * 90 + " }}": DEEP,
    "{{ " + "[" * 90 + "]" * 90 + " }}": DEEP,
    "{{ {'a': 1}[1:2] }}": CONSTANT,
    "{{ 5[1:] }}": CONSTANT,
}


def known(request):
    """The reason why this may differ, or None."""
    text = request["text"]
    if not isinstance(text, str):
        return None
    if request["how"] == "literal" and re.search(r"\.\.\.", text):
        return ELLIPSIS
    if "** 0.5" in text:
        return COMPLEX
    return KNOWN.get(text)


def without_addresses(answer):
    """Objects that print where they are: <built-in method get of dict object at 0x7f…>."""
    text = re.sub(r"<(?:[^<>]|<[^<>]*>)*(?: at 0x[0-9a-f]+| object|TemplateReference None|jinja2\.[\w.]+')>", "<object>",
                  json.dumps(answer))
    return json.loads(text)


def ours():
    """The test build's, with the sanitizers."""
    return pathlib.Path(os.environ.get("FIRTH_DEV_BIN", ROOT / "build-dev" / "firth")).parent / "tests" / "template-eval"


def answers(command, requests, home):
    text = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment(home), timeout=600)
    lines = done.stdout.splitlines()
    assert len(lines) == len(requests), f"stopped at {requests[len(lines)]['text']!r}: {done.stderr[-2000:]}"
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def cdk(tmp_path_factory):
    """Asks the CDK, which takes seconds to start."""
    folder = tmp_path_factory.mktemp("cdk")
    with open(folder / "errors", "w") as errors:
        running = subprocess.Popen([program("airbyte-cdk", "python"), ROOT / "tests" / "clients" / "programs" / "template_cdk.py"], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment(folder))

    def say(requests):
        running.stdin.writelines(json.dumps(request) + "\n" for request in requests)
        running.stdin.flush()

    def ask(requests):
        threading.Thread(target=say, args=(requests,), daemon=True).start()
        lines = list(itertools.islice(running.stdout, len(requests)))
        assert len(lines) == len(requests), f"stopped at {requests[len(lines)]['text']!r}: {(folder / 'errors').read_text()[-2000:]}"
        return [json.loads(line) for line in lines]
    yield ask
    running.stdin.close()
    running.wait(20)
    running.stdout.close()


def compare(requests, cdk, tmp_path):
    """The texts that differ though they should not, the known differences that were met, and what the CDK answered."""
    wrong, met = [], set()
    answered = cdk(requests)
    for request, theirs, mine in zip(requests, answered, answers([ours()], requests, tmp_path)):
        if "error" in theirs and "error" in mine or theirs == mine or without_addresses(theirs) == without_addresses(mine):
            continue
        if known(request):
            met.add(request["text"])
        else:
            wrong.append(f"{request['how']} {request.get('types', 0)} {request['text']!r}\n  CDK  {theirs}\n  ours {mine}")
    return wrong, met, answered


def test_table(cdk, tmp_path):
    requests = list(template_cases.table())
    wrong, met, answered = compare(requests, cdk, tmp_path)
    assert not wrong, f"{len(wrong)} of {len(requests)}:\n" + "\n".join(wrong[:20])
    assert set(KNOWN) == met, f"these no longer differ: {set(KNOWN) - met}"
    assert len(requests) > 11000 and sum("ok" in answer for answer in answered) > 10000


@pytest.mark.parametrize("seed", SEEDS)
def test_generated(seed, cdk, tmp_path):
    requests = list(template_cases.generated(seed, GENERATED))
    wrong, _, answered = compare(requests, cdk, tmp_path)
    assert not wrong, f"{len(wrong)} of {len(requests)}:\n" + "\n".join(wrong[:20])
    assert sum("ok" in answer for answer in answered) > GENERATED * 0.8


def test_names(cdk, tmp_path):
    """Every filter, test and global function that the CDK's Jinja has is here, too."""
    filters, tests, functions = ([name for _, name in answer["ok"][1]] for answer in
                                 cdk([{"how": "names", "text": table} for table in ("filters", "tests", "globals")]))
    assert len(filters) > 50 and len(tests) > 35 and len(functions) > 10
    texts = [f"{{{{ [1]|map('{name}')|list }}}}" for name in filters] + [f"{{{{ [1]|select('{name}', 1)|list }}}}" for name in tests]
    texts += [f"{{{{ 1|{name} }}}}" for name in filters] + [f"{{{{ {name} is defined }}}}" for name in functions]
    requests = [{"how": "eval", "text": text, "scope": template_cases.SCOPE} for text in texts]
    for request, answer in zip(requests, answers([ours()], requests, tmp_path)):
        missing = "there is no" in answer.get("error", "") or "is defined" in request["text"] and answer != {"ok": ["bool", "True"]}
        assert not missing, (request["text"], answer)


def test_hostile(tmp_path):
    """What Python would need gigabytes or hours for is an error at once."""
    requests = [{"how": "eval", "text": text, "scope": template_cases.SCOPE} for text in template_cases.HOSTILE]
    for request, answer in zip(requests, answers([ours()], requests, tmp_path)):
        assert re.search("more than|too often|larger than|too deeply|above", answer.get("error", "")), (request["text"], answer)
