"""tests/unit/declarative/cdk.jsonl is what airbyte_cdk gives for its cases now: line by line, the generator run anew."""

import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def lines_of(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"kind"')]


def test_the_kept_values_are_the_cdks():
    python = ROOT / ".deps" / "airbyte-cdk" / "bin" / "python"
    program = ROOT / "tests" / "clients" / "programs" / "declarative_cdk.py"
    run = subprocess.run([python, program], capture_output=True, text=True, timeout=300, check=True)
    kept = lines_of((ROOT / "tests" / "unit" / "declarative" / "cdk.jsonl").read_text())
    made = lines_of(run.stdout)
    assert len(made) > 1000
    ours = {json.dumps(line, sort_keys=True) for line in kept}
    assert not [line for line in made if json.dumps(line, sort_keys=True) not in ours][:3]
    assert len(made) == len(kept)
