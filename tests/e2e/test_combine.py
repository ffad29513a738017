"""`firth combine`: keys, reductions, memory, and what is wrong with a line."""

import json
import pathlib
import random
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

CATALOG = """
collections:
  acmeCo/totals:
    key: [/user, /region]
    schema:
      type: object
      required: [user]
      properties:
        user: {type: [string, integer]}
        region: {type: string, default: eu}
        total: {type: integer, reduce: {strategy: sum}}
        seen: {type: array, reduce: {strategy: append}}
        mail: {type: string, format: email}
        op: {type: string}
      reduce: {strategy: merge}
      allOf:
        - if: {properties: {op: {const: d}}, required: [op]}
          then: {reduce: {strategy: merge, delete: true}}
"""


@pytest.fixture
def catalog(tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_text(CATALOG)
    return path


def lines(*documents):
    return "".join(json.dumps(document) + "\n" for document in documents).encode()


def test_by_key_in_order(firth, catalog):
    given = lines({"user": "bo", "total": 2}, {"user": 10, "total": 1}, {"user": "al", "region": "us", "total": 1},
                  {"user": 9, "total": 1}, {"user": "bo", "region": "eu", "total": 3}, {"user": "al", "total": 7})
    done = firth("combine", "--collection", "acmeCo/totals", catalog, stdin=given, expect=0)
    assert done.lines() == [
        {"user": 9, "total": 1}, {"user": 10, "total": 1}, {"user": "al", "total": 7},
        {"user": "al", "region": "us", "total": 1}, {"user": "bo", "total": 5, "region": "eu"},
    ]
    assert done.err == "6 documents combined to 5\n"
    told = firth("combine", "--collection", "acmeCo/totals", catalog, "-o", "json", stdin=given, expect=0)
    assert json.loads(told.err) == {"summary": {"documents": 6, "combined": 5, "deleted": 0}}


def test_bytes_and_blank_lines(firth, catalog, tmp_path):
    given = tmp_path / "in.jsonl"
    given.write_bytes(b'\n{"user":"\\u0061","x":1.50}\r\n  \n{"user": "b",\t"x":12345678901234567890.10}')
    done = firth("combine", catalog, given, "-c", "acmeCo/totals", expect=0)
    assert done.out_bytes == b'{"user":"\\u0061","x":1.50}\n{"user": "b",\t"x":12345678901234567890.10}\n'
    assert firth("combine", catalog, "-c", "acmeCo/totals", stdin=b"", expect=0).out == ""


def test_full_and_deleted(firth, catalog):
    given = lines({"user": "a", "total": 1}, {"user": "a", "op": "d"}, {"user": "b", "op": "d", "total": 5},
                  {"user": "b", "op": "c", "total": 1}, {"user": "c", "total": 1})
    updates = firth("combine", "-c", "acmeCo/totals", catalog, stdin=given, expect=0).lines()
    assert [(document["user"], document.get("op")) for document in updates] == [("a", "d"), ("b", "d"), ("b", "c"), ("c", None)]
    done = firth("combine", "-c", "acmeCo/totals", "--full", catalog, stdin=given, expect=0)
    assert done.lines() == [{"user": "b", "op": "c", "total": 1}, {"user": "c", "total": 1}]
    assert done.err == "5 documents combined to 2, 1 deleted\n"
    machine = firth("combine", "-c", "acmeCo/totals", "--full", "-o", "json", catalog, stdin=given, expect=0).lines()
    assert [(line["document"]["user"], line["deleted"]) for line in machine] == [("a", True), ("b", False), ("c", False)]


def combine(firth, catalog, documents, *args):
    return [json.loads(line) for line in
            firth("combine", "-c", "acmeCo/totals", catalog, *args, stdin=lines(*documents), expect=0).out.splitlines()]


@pytest.mark.parametrize("memory", [[], ["--memory", "1"]])
def test_a_deletion_is_not_forgotten(firth, catalog, memory):
    """However updates are put together before they reach what is stored, the outcome is the same."""
    generator = random.Random(7)
    for _ in range(12):
        documents = [{"user": generator.choice("ab"), "op": generator.choice("ccd"), "total": n,
                      generator.choice("xyz"): n} for n in range(generator.randrange(2, 12))]
        whole = combine(firth, catalog, documents, "--full", *memory)
        cut = generator.randrange(len(documents) + 1)
        stored = combine(firth, catalog, documents[:cut], "--full", *memory) if cut else []
        update = combine(firth, catalog, documents[cut:], *memory) if cut < len(documents) else []
        assert combine(firth, catalog, stored + update, "--full", *memory) == whole, (documents, cut)


@pytest.mark.parametrize("line, message", [
    (b"nope", "not valid JSON: column 1 (byte 0): "),
    (b'{"user":"a","total":"x"}', "/total: expected integer, got string"),
    (b'{"user":"a","mail":"nobody"}', "/mail: "),
    (b'{"total":1}', "(root): "),
    (b'{"user":"b","total":18446744073709551615}',
     "documents with key [\"b\",\"eu\"]: reduction failed at location '/total': sum strategy encountered a numeric overflow"),
    (b'"' + b"x" * (64 << 20) + b'"', "longer than 64 MiB"),
])
def test_a_line_that_is_wrong(firth, catalog, line, message):
    given = lines({"user": "b", "total": 1}) + b"\n" + line + b"\n" + lines({"user": "c"})
    done = firth("combine", "-c", "acmeCo/totals", catalog, stdin=given, expect=1)
    assert done.out == "" and done.err.startswith("firth: line 3: " + message)
    machine = firth("combine", "-c", "acmeCo/totals", "-o", "json", catalog, stdin=given, expect=1)
    assert machine.out == "" and json.loads(machine.err)["error"]["message"].startswith("line 3: " + message)


def test_what_it_was_asked(firth, catalog, tmp_path):
    assert "did you mean 'acmeCo/totals'?" in firth("combine", "-c", "acmeCo/total", catalog, expect=3).err
    assert "--collection is missing" in firth("combine", catalog, expect=2).err
    assert "nowhere.jsonl" in firth("combine", "-c", "acmeCo/totals", catalog, tmp_path / "nowhere.jsonl", expect=3).err
    firth("combine", "-c", "acmeCo/totals", "--memory", "0", catalog, expect=2)


def test_check_finds_reductions_that_are_not_understood(firth, tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_text(CATALOG.replace("strategy: sum", "strategy: summ").replace("strategy: append", "strategy: append, key: [/a]"))
    done = firth("check", path, expect=3)
    assert 'flow.yaml:11:40: not a valid schema: reduction strategy "summ" is not known; did you mean "sum"?' in done.err + done.out


def test_small_memory_makes_no_difference(firth, catalog, tmp_path):
    random.seed(5)
    given = tmp_path / "in.jsonl"
    with given.open("w") as out:
        for number in range(60000):
            user = random.choice([random.randrange(9000), f"user/{random.randrange(9000)}"])
            out.write(json.dumps({"user": user, "total": 1, "seen": [number], "name": "x" * random.randrange(40)}) + "\n")
    large = firth("combine", "-c", "acmeCo/totals", catalog, given, expect=0)
    data = tmp_path / "data"
    small = firth("combine", "-c", "acmeCo/totals", "--memory", "1", "--data-dir", data, catalog, given, expect=0)
    assert small.out_bytes == large.out_bytes and small.err == large.err
    assert list(data.iterdir()) == []  # it was there, and left nothing
    documents = large.lines()
    assert sum(document["total"] for document in documents) == 60000
    keys = [document["user"] for document in documents]
    numbers, names = [key for key in keys if isinstance(key, int)], [key for key in keys if isinstance(key, str)]
    assert keys == sorted(set(numbers)) + sorted(set(names))
    assert all(document["seen"] == sorted(document["seen"]) for document in documents)


def test_far_more_keys_than_memory(firth, catalog, tmp_path):
    """75 MB of documents, each key twice and far apart, in 4 MiB: the process stays small, and every sum is right."""
    count, name = 300_000, "x" * 90
    given = tmp_path / "in.jsonl"
    with given.open("w") as out:
        for number in range(2 * count):
            out.write(f'{{"user":{number * 7919 % count},"total":1,"name":"{name}"}}\n')
    process = subprocess.Popen([firth.path, "combine", "-c", "acmeCo/totals", "--memory", "4", "--data-dir", tmp_path / "data",
                                catalog, given], stdout=subprocess.PIPE)
    for number, line in enumerate(process.stdout):
        assert json.loads(line) == {"user": number, "total": 2, "name": name}
        if number == count - 10_000:  # it waits for the pipe to be read: what it ever took is known
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
    assert process.wait() == 0 and number == count - 1
    assert peak < 32 << 10, peak


def test_no_room_to_spill(firth, catalog, tmp_path):
    given = tmp_path / "in.jsonl"
    given.write_text("".join(json.dumps({"user": number, "name": "x" * 200}) + "\n" for number in range(10000)))
    (tmp_path / "file").write_text("")
    done = firth("combine", "-c", "acmeCo/totals", "--memory", "1", "--data-dir", tmp_path / "file", catalog, given)
    assert done.rc != 0 and done.out == "" and f"{tmp_path}/file is there and is not a folder" in done.err


def test_the_page_shows_what_the_example_has():
    example = [line.strip() for line in (ROOT / "examples/reductions/flow.yaml").read_text().splitlines()]
    blocks = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "docs/reductions.md").read_text(), re.M | re.S)
    assert len(blocks) > 10
    for block in blocks:
        shown = [line.strip() for line in block.splitlines()]
        assert any(example[at:at + len(shown)] == shown for at in range(len(example))), block


def test_document_too_large(firth, catalog):
    """A reduced document has a limit of its own; the error names the key."""
    update = lines({"user": "bo", "region": "eu", "seen": ["x" * (1 << 20)]})
    done = firth("combine", "-c", "acmeCo/totals", catalog, stdin=update * 70, expect=1)
    assert re.fullmatch(r'firth: (up to line [67]\d: )?documents with key \["bo","eu"\]: the reduced document is larger than '
                        r"67108864 bytes\n", done.err), done.err


def test_late_error(firth, catalog):
    """What cannot be reduced onto a large document is found a little later than it came, and the message says so."""
    first = {"user": "bo", "region": "eu", "v": ["x" * 9000], "seen": None}
    given = lines(first, {"user": "bo", "region": "eu", "total": 2**63 - 1}, *[{"user": "bo", "region": "eu", "total": 1}] * 2)
    catalog.write_text(catalog.read_text().replace("seen: {type: array, ", "seen: {"))
    done = firth("combine", "-c", "acmeCo/totals", catalog, stdin=given, expect=0)
    assert done.lines()[0]["total"] == 2**63 + 1
    given = lines(first, {"user": "bo", "region": "eu", "seen": [1]}, {"user": "bo", "region": "eu", "total": 2**64 - 1},
                  *[{"user": "bo", "region": "eu", "total": 1}] * 2, {"user": "bo", "region": "eu", "v": ["x" * 9000]})
    done = firth("combine", "-c", "acmeCo/totals", catalog, stdin=given, expect=1)
    assert done.err == ('firth: up to line 4: documents with key ["bo","eu"]: reduction failed at location \'/total\': '
                        "sum strategy encountered a numeric overflow\n")
