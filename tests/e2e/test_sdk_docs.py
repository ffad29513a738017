"""docs/sdk.md: its programs are compiled against the installed SDK, as they stand there, and run."""

import json
import pathlib
import signal
import subprocess

import jsonschema
import pytest

from conftest import until
from sdk_programs import sdk, sdk_programs  # noqa: F401 (fixtures)


def run(folder, *words, stdin=None, code=0):
    done = subprocess.run([f"./{words[0]}", *words[1:]], cwd=folder, input=stdin, capture_output=True, text=True,
                          check=False)
    assert done.returncode == code, done
    return [json.loads(line) for line in done.stdout.splitlines()]


def states(messages):
    return [m["state"] for m in messages if m["type"] == "STATE"]


def records(messages):
    return [m["record"]["data"] for m in messages if m["type"] == "RECORD"]


@pytest.fixture
def work(sdk_programs):
    folder, _ = sdk_programs
    (folder / "poem.txt").write_text("one\ntw\to\nthree \"3\"\nhalf")
    (folder / "lines.json").write_text(json.dumps({"path": "poem.txt", "batch": 2}))
    (folder / "tsv.json").write_text(json.dumps({"folder": ".", "fields": ["/number", "/text", "/none"]}))
    (folder / "lines.tsv").unlink(missing_ok=True)
    catalog(folder, "append")
    return folder


def catalog(folder, mode):
    stream = run(folder, "source-lines", "discover", "--config", "lines.json")[0]["catalog"]["streams"][0]
    (folder / "catalog.json").write_text(json.dumps({"streams": [
        {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": mode, "generation_id": 1,
         "minimum_generation_id": 1 if mode == "overwrite" else 0, "sync_id": 1}]}))


def test_spec_and_check(work):
    for name, config in (("source-lines", "lines.json"), ("destination-tsv", "tsv.json")):
        schema = run(work, name, "spec")[0]["spec"]["connectionSpecification"]
        jsonschema.validate(json.loads((work / config).read_text()), schema)
        assert run(work, name, "check", "--config", config)[0]["connectionStatus"]["status"] == "SUCCEEDED"
    (work / "bad.json").write_text('{"batch": 0}')
    status = run(work, "source-lines", "check", "--config", "bad.json")[0]["connectionStatus"]
    assert status == {"status": "FAILED", "message": "path is required; batch must be at least 1, got 0"}
    (work / "bad.json").write_text('{"path": "nowhere.txt"}')
    status = run(work, "source-lines", "check", "--config", "bad.json")[0]["connectionStatus"]
    assert status["status"] == "FAILED" and "nowhere.txt" in status["message"]


def test_source_goes_on(work):
    read = ["source-lines", "read", "--config", "lines.json", "--catalog", "catalog.json"]
    messages = run(work, *read)
    assert records(messages) == [{"number": 1, "text": "one"}, {"number": 2, "text": "tw\to"},
                                 {"number": 3, "text": 'three "3"'}]
    assert [s["stream"]["stream_state"]["number"] for s in states(messages)] == [2, 3]
    with (work / "poem.txt").open("a") as poem:
        poem.write(" no more\nfive\n")
    (work / "state.json").write_text(json.dumps(states(messages)[-1:]))
    assert records(run(work, *read, "--state", "state.json")) == [
        {"number": 4, "text": "half no more"}, {"number": 5, "text": "five"}]


def pipe(work, sdk_programs):
    done = subprocess.run(["sh", "-ec", sdk_programs[1]], cwd=work, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return [json.loads(line) for line in done.stdout.splitlines()]


LINES = "1\tone\t\n2\ttw o\t\n3\tthree \"3\"\t\n"


def test_pipe(work, sdk_programs):
    messages = pipe(work, sdk_programs)
    assert (work / "lines.tsv").read_text() == LINES
    assert [s["stream"]["stream_state"]["number"] for s in states(messages)] == [2, 3]
    pipe(work, sdk_programs)
    assert (work / "lines.tsv").read_text() == LINES * 2
    catalog(work, "overwrite")
    assert len(states(pipe(work, sdk_programs))) == 2
    assert (work / "lines.tsv").read_text() == LINES
    # A source that dies before its end: the old file stays, nothing is confirmed.
    cut = '{"type":"RECORD","record":{"stream":"lines","data":{"number":9},"emitted_at":1}}\n' \
          '{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"lines"}}}}\n'
    messages = run(work, "destination-tsv", "write", "--config", "tsv.json", "--catalog", "catalog.json", stdin=cut)
    assert not states(messages) and (work / "lines.tsv").read_text() == LINES
    assert not (work / "lines.tsv.new").exists()


def test_only_firth_names(sdk):
    """The library takes no name but firth_… from a connector's author."""
    library = next(pathlib.Path(sdk["PKG_CONFIG_SYSROOT_DIR"]).rglob("libfirth-sdk.a"))
    symbols = subprocess.run(["nm", "-g", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    names = [line.split()[-1] for line in symbols.splitlines() if len(line.split()) == 3]
    assert "firth_connector_main" in names and all(name.startswith("firth_") for name in names), names


def test_header_is_cpp_too(root):
    program = ('#include "firth/connector.h"\n'
               'static int load(void *, firth_host *host, size_t, const firth_record *key, firth_error *err)\n'
               '{ firth_slice packed; return firth_record_key(host, key, &packed, err); }\n'
               'int main() { firth_destination made{}; made.load = load; return made.store != nullptr; }\n')
    subprocess.run(["c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", root / "sdk", "-x", "c++", "-"],
                   input=program, text=True, check=True)


# --- Flow's protocols -------------------------------------------------------------------------------------------


@pytest.fixture
def flow_catalog(sdk_programs, tmp_path):
    folder, _ = sdk_programs
    spool, table = tmp_path / "spool", tmp_path / "table.tsv"
    spool.mkdir()
    (tmp_path / "flow.json").write_text(json.dumps({
        "collections": {"acmeCo/messages": {"key": ["/name"], "schema": {
            "type": "object", "required": ["name"], "reduce": {"strategy": "merge"},
            "properties": {"name": {"type": "string"}, "text": {"type": "string"}}}}},
        "captures": {"acmeCo/spool": {
            "endpoint": {"local": {"command": [str(folder / "source-spool")], "config": {"folder": str(spool)}}},
            "bindings": [{"resource": {"stream": "messages"}, "target": "acmeCo/messages"}]}},
        "materializations": {"acmeCo/table": {
            "endpoint": {"local": {"command": [str(folder / "destination-table")], "config": {"path": str(table)}}},
            "bindings": [{"source": "acmeCo/messages", "resource": {"stream": "messages"}}]}}}))
    return tmp_path / "flow.json", spool, table


def put(spool, **messages):
    for name, text in messages.items():
        (spool / f".{name}").write_text(text)
        (spool / f".{name}").rename(spool / name)


def rows(table):
    lines = table.read_text().splitlines()[1:] if table.exists() else []
    return {json.loads(line.split("\t")[2])["name"]: json.loads(line.split("\t")[2])["text"] for line in lines}


def test_stream_and_update(firth, flow_catalog):
    """What is in the spool is removed once it is durable; the table has one row a key, whatever was killed."""
    path, spool, table = flow_catalog
    put(spool, m1="one", m2="t\two")
    running = firth.start("run", path)
    until(lambda: not list(spool.iterdir()), "the spool to be emptied")
    until(lambda: rows(table) == {"m1": "one", "m2": "t\two"}, "the table to have it")
    put(spool, m3="three")
    until(lambda: not list(spool.iterdir()), "the spool to be emptied")
    running.kill()
    put(spool, m4="four")
    running = firth.start("run", path)
    until(lambda: len(rows(table)) == 4, "the table to have all")
    running.signal(signal.SIGINT)
    assert running.wait() == 130
    assert rows(table) == {"m1": "one", "m2": "t\two", "m3": "three", "m4": "four"}
    assert [d["name"] for d in firth.read("acmeCo/messages")] == ["m1", "m2", "m3", "m4"]
    assert not list(spool.iterdir())


def test_spool_under_airbyte(sdk_programs, tmp_path):
    """There nothing says what is durable: nothing is removed, and it ends."""
    folder, _ = sdk_programs
    (tmp_path / "spool").mkdir()
    put(tmp_path / "spool", m1="one")
    (tmp_path / "config.json").write_text(json.dumps({"folder": str(tmp_path / "spool")}))
    stream = run(folder, "source-spool", "discover", "--config", tmp_path / "config.json")[0]["catalog"]["streams"][0]
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [
        {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append"}]}))
    messages = run(folder, "source-spool", "read", "--config", tmp_path / "config.json", "--catalog",
                   tmp_path / "catalog.json")
    assert records(messages) == [{"name": "m1", "text": "one"}] and len(list((tmp_path / "spool").iterdir())) == 1
