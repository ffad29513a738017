"""How the web UI says times and numbers: what is rounded is of the unit that it is rounded to."""

import json
import os
import pathlib
import shutil
import subprocess

UI = pathlib.Path(__file__).resolve().parents[2] / "ui"
SAID = """
const { transformSync } = require(process.argv[1] + "/node_modules/esbuild");
const { readFileSync } = require("node:fs");
const code = transformSync(readFileSync(process.argv[1] + "/src/parts/time.ts", "utf8"), { loader: "ts", format: "cjs" }).code;
const made = { exports: {} };
new Function("module", code)(made);
console.log(JSON.stringify(JSON.parse(process.argv[2]).map(([name, ...given]) => made.exports[name](...given))));
"""
WORDS = {
    ("fromNow", -59_400, 0): "59 seconds ago", ("fromNow", -59_600, 0): "1 minute ago", ("fromNow", 3_599_000, 0): "in 1 hour",
    ("duration", 400): "under 1 s", ("duration", 9_960): "10 s", ("duration", 59_700): "1 min 0 s", ("duration", 3_599_600): "1 h 0 min",
    ("bytes", 999): "999 B", ("bytes", 999_949): "999.9 kB", ("bytes", 999_960): "1.0 MB",
    ("about", 0.25): "0.25", ("about", 120): "120", ("about", 12_345): "12.3K",
}


def test_what_is_rounded():
    env = {**os.environ, "LANG": "en_US.UTF-8", "LC_ALL": "en_US.UTF-8"}
    said = subprocess.run([shutil.which("node"), "-e", SAID, str(UI), json.dumps(list(WORDS))], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert dict(zip(WORDS, json.loads(said.stdout), strict=True)) == WORDS
