"""`firth read` and `firth status` over collections that a capture filled."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

# Ten documents whose bytes must survive: spacing, escapes, numbers past any machine type.
DOCUMENTS = [f'{{"id": {i},"n":12345678901234567890.{i:02d}, "t":"\\u00e9 é \\"x\\"" }}' for i in range(10)]

SOURCE = """
    import json, pathlib, sys
    verb = sys.argv[1]
    if verb == "spec":
        print('{"type":"SPEC","spec":{"connectionSpecification":{"type":"object"}}}')
    elif verb == "check":
        print('{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}')
    elif verb == "discover":
        print(json.dumps({"type": "CATALOG", "catalog": {"streams": [
            {"name": "things", "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]}]}}))
    else:
        for line in pathlib.Path(__file__).with_name("documents").read_text().splitlines():
            print('{"type":"RECORD","record":{"stream":"things","emitted_at":1,"data":' + line + '}}')
"""

CATALOG = """
    collections:
      test/things:
        schema: {type: object, required: [id], properties: {id: {type: integer}}}
        key: [/id]
      test/others:
        schema: {type: object, properties: {id: {type: integer}}, required: [id]}
        key: [/id]
    captures:
      test/source:
        endpoint: {local: {command: [PYTHON, source.py], config: {}, protocol: airbyte}}
        bindings:
          - {resource: {stream: things, syncMode: full_refresh}, target: test/things}
"""


@pytest.fixture
def captured(firth, tmp_path):
    (tmp_path / "source.py").write_text(textwrap.dedent(SOURCE))
    (tmp_path / "flow.yaml").write_text(textwrap.dedent(CATALOG).replace("PYTHON", f"{sys.executable}, -S, -E"))
    capture(firth, tmp_path, DOCUMENTS)
    return firth


def capture(firth, tmp_path, documents):
    (tmp_path / "documents").write_text("".join(line + "\n" for line in documents))
    firth("run", "flow.yaml", "--once", expect=0)


def test_bytes_as_they_came(captured):
    assert captured("read", "test/things", expect=0).out.splitlines() == DOCUMENTS


@pytest.mark.parametrize("args, wanted", [
    (["--limit", "3"], DOCUMENTS[:3]),
    (["--limit", "0"], []),
    (["--limit", "99999999999"], DOCUMENTS),
    (["--from", "7"], DOCUMENTS[7:]),
    (["--from", "10"], []),
    (["--from", "18446744073709551615"], []),
    (["--from=2", "--limit=2"], DOCUMENTS[2:4]),
])
def test_from_and_limit(captured, args, wanted):
    assert captured("read", "test/things", *args, expect=0).out.splitlines() == wanted


@pytest.mark.parametrize("wheres, wanted", [
    (["/id=7"], DOCUMENTS[7:8]),
    (["/id=7.0"], DOCUMENTS[7:8]),
    (["/id=\"7\""], []),
    (["/n=12345678901234567890.03"], DOCUMENTS[3:4]),
    (["/t=é é \"x\""], DOCUMENTS),
    (["/t=\"\\u00e9 é \\\"x\\\"\""], DOCUMENTS),
    (["/id=7", "/n=12345678901234567890.07"], DOCUMENTS[7:8]),
    (["/id=7", "/id=8"], []),
    (["/none=null", "/id=1"], DOCUMENTS[1:2]),
    (["/none="], []),
    (['={"t": "é é \\"x\\"", "n": 12345678901234567890.02, "id": 2}'], DOCUMENTS[2:3]),
])
def test_where(captured, wheres, wanted):
    words = [word for where in wheres for word in ("--where", where)]
    assert captured("read", "test/things", *words, expect=0).out.splitlines() == wanted


def test_where_with_numbers_and_a_limit(captured, tmp_path):
    capture(captured, tmp_path, DOCUMENTS)
    lines = captured("read", "test/things", "--where=/id=4", "-o", "json", expect=0).out.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [4, 14]
    assert captured("read", "test/things", "--where=/id=4", "--limit=1", expect=0).out.splitlines() == DOCUMENTS[4:5]
    assert captured("read", "test/things", "--where=/id=4", "--from=5", "-o", "json", expect=0).out.splitlines() == lines[1:]


@pytest.mark.parametrize("where", ["", "id=7", "/id", "7"])
def test_where_that_is_none(captured, where):
    result = captured("read", "test/things", "--where", where)
    assert result.rc == 2 and "it must be a JSON Pointer" in result.err, result


def test_json_says_where_each_document_lies(captured):
    lines = captured("read", "test/things", "-o", "json", expect=0).out.splitlines()
    assert len(lines) == len(DOCUMENTS)
    for number, (line, document) in enumerate(zip(lines, DOCUMENTS)):
        assert line == (f'{{"collection":"test/things","writer":"test/source","number":{number},'
                        f'"document":{document}}}')
        json.loads(line)


def test_follow_sees_the_next_commit(captured, tmp_path):
    running = captured.start("read", "test/things", "--follow", "--limit", "12")
    running.wait_for_line('"id": 9,')
    capture(captured, tmp_path, ['{"id":100}', '{"id":101}'])
    running.wait_for_line('"id":101')
    assert running.wait() == 0
    assert running.out == DOCUMENTS + ['{"id":100}', '{"id":101}']


def test_follow_ends_when_its_reader_goes(captured):
    read_end, write_end = os.pipe()
    process = subprocess.Popen([captured.path, "read", "test/things", "--follow"], stdout=write_end,
                               stderr=subprocess.PIPE, env=captured.environment())
    os.close(write_end)
    with os.fdopen(read_end) as lines:
        assert lines.readline().rstrip("\n") == DOCUMENTS[0]
    assert process.wait(60) == -13
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_follow_told_to_stop(captured, number):
    running = captured.start("read", "test/things", "--follow")
    running.wait_for_line('"id": 9,')
    running.signal(number)
    assert running.wait() == 130
    assert running.out == DOCUMENTS and running.err == []


def test_ignored_signals_stay_ignored(captured):
    """What `nohup` and a shell's `trap ''` are for."""
    script = f'trap "" INT; exec "{captured.path}" read test/things --follow'
    process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, env=captured.environment())
    assert process.stdout.readline().decode().rstrip("\n") == DOCUMENTS[0]
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    process.stdout.close()


def test_full_disk_behind_read(captured):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([captured.path, "read", "test/things"], stdout=full, stderr=subprocess.PIPE,
                              env=captured.environment(), check=False)
    assert done.returncode == 5
    assert b"cannot write to standard output: No space left on device" in done.stderr


@pytest.mark.parametrize("name, message", [
    ("test/thing", "there is no collection 'test/thing'; did you mean test/things?"),
    ("something-else", "there is no collection 'something-else'; there are: test/things"),
    ("../../etc/passwd", "there is no collection"),
    ("", "the collection has an empty name"),
    ("x" * 5000, "has 5000 bytes; the limit is 512"),
])
def test_unknown_collection(captured, name, message):
    result = captured("read", name)
    assert result.rc == 3, result
    assert message in result.err
    assert len(result.err) < 5000


def test_no_data_directory(firth):
    for command in (["read", "a/b"], ["status"], ["job", "list"], ["job", "start", "a"], ["logs", "a/b"], ["export"],
                    ["drop", "a/b", "--yes"], ["connectors", "remove", "source-a"]):
        result = firth(*command, expect=3)
        assert f"there is no data directory {firth.data_dir}: 'firth run', 'firth serve' and 'firth apply' make one" in result.err
    assert not firth.data_dir.exists()


def test_data_directory_that_cannot_be_looked_at(firth, tmp_path):
    """It may well be there: nobody is told to make one."""
    (tmp_path / "loop").symlink_to("loop")
    for command in (["read", "a/b"], ["status"]):
        result = firth(*command, "--data-dir", str(tmp_path / "loop" / "data"), expect=5)
        assert "cannot look into the data directory" in result.err and "symbolic links" in result.err


def test_newer_data_directory_is_refused(captured, data_dir):
    version = data_dir / "VERSION"
    assert version.is_file(), "the store's format marks its version in VERSION (src/store/FORMAT.md)"
    old = version.read_text()
    captured("deploy", "flow.yaml", "--yes", expect=0)
    version.write_text(old.replace(old.split()[-1], "999"))
    for command in (["read", "test/things"], ["status"], ["run", "flow.yaml", "--once"], ["logs"], ["export"],
                    ["job", "list"], ["job", "start", "x"]):
        result = captured(*command)
        assert result.rc == 3, result
        assert "999" in result.err


def test_data_directory_without_version(captured, data_dir):
    (data_dir / "VERSION").unlink()
    for command in (["read", "test/things"], ["status"], ["run", "flow.yaml", "--once"]):
        result = captured(*command)
        assert result.rc == 5, result
        assert "its VERSION file is missing" in result.err
    assert not (data_dir / "VERSION").exists()


def test_foreign_folder_is_no_data_directory(captured, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("dear")
    codes = set()
    for command in (["read", "test/things"], ["status"], ["run", "flow.yaml", "--once"]):
        result = captured(*command, "--data-dir", str(home))
        codes.add(result.rc)
        assert "not a data directory of firth" in result.err and "letter.txt" in result.err, result
    assert len(codes) == 1 and 0 not in codes
    assert [path.name for path in home.iterdir()] == ["letter.txt"]


def test_status(captured):
    table = captured("status", expect=0).out.splitlines()
    assert table[0].split() == ["TASK", "COLLECTION", "DOCUMENTS", "BYTES", "LAST", "COMMIT", "CHECKPOINT"]
    assert table[1].split()[:3] == ["test/source", "test/things", "10"]
    status = captured("status", "-o", "json", expect=0).json()
    (task,) = status["tasks"]
    assert task["task"] == "test/source"
    (collection,) = task["collections"]
    assert (collection["collection"], collection["documents"], collection["first"], collection["end"]) == (
        "test/things", 10, 0, 10)
    assert collection["bytes"] > 0 and collection["committed_at"].endswith("Z")
    assert task["checkpoint_bytes"] > 0 and task["streams"][0]["stream"] == "things"


def test_status_of_a_connection(firth, root):
    """A task without collections: what its destination confirmed."""
    firth("run", root / "examples" / "faker-local-json" / "flow.yaml", "--once", expect=0)
    table = firth("status", expect=0).out
    assert "demo/faker-to-local-json" in table and "stream users" in table
    (task,) = firth("status", "-o", "json", expect=0).json()["tasks"]
    assert task["task"] == "demo/faker-to-local-json" and task["collections"] == []
    assert {stream["stream"]: stream["documents"] for stream in task["streams"]} == {
        "products": 100, "users": 1000, "purchases": 1000}


def test_second_firth_names_the_first(captured, tmp_path):
    running = captured.start("run", "flow.yaml")
    running.wait_for_line("starts again in")
    result = captured("run", "flow.yaml", "--once")
    assert result.rc == 4, result
    assert str(running.pid) in result.err
    captured("read", "test/things", "--limit", "1", expect=0)
    captured("status", expect=0)
    running.signal(2)
    assert running.wait() == 130
