"""The built-in connectors' own promises, beyond the connector suite's."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from connector_suite.connectors import read_local_json
from connector_suite.protocol import Runner, configured

NAMES = ["destination-duckdb", "destination-files", "destination-google-sheets", "destination-local-json", "destination-postgres",
         "destination-s3", "destination-sqlite", "source-declarative-manifest", "source-faker", "source-file",
         "source-front", "source-google-sheets", "source-postgres", "source-s3", "source-webflow"]


def runner(firth, name, tmp_path, **env):
    return Runner([firth.path, "connector", name], {"FIRTH_LOCAL_ROOT": str(tmp_path), **env})


# --- the commands -------------------------------------------------------------------------------------------


def test_list(firth):
    table = firth("connectors", expect=0).out.splitlines()
    assert [line.split()[0] for line in table[1:]] == NAMES
    items = firth("connectors", "-o", "json", expect=0).json()
    assert [i["name"] for i in items] == NAMES
    assert [i["kind"] for i in items] == [name.split("-")[0] for name in NAMES]
    assert "airbyte/source-faker" in items[NAMES.index("source-faker")]["images"]
    for item in items:
        assert item["title"] in firth("connector", item["name"], "spec", expect=0).out


@pytest.mark.parametrize("args, code, words", [
    ([], 2, "'firth connector' needs more: firth connector NAME"),
    (["source-fakr"], 3, "there is no built-in connector 'source-fakr'; did you mean source-faker?"),
    (["zzz", "spec"], 3, "there is no built-in connector 'zzz'; 'firth connectors' lists them"),
    (["source-faker"], 2, "source-faker: no verb was given, and no request came"),
    (["destination-local-json"], 2, "destination-local-json: no verb was given, and no request came"),
    (["source-faker", "--config", "x"], 2, "source-faker needs a verb: spec, check, discover or read"),
    (["source-faker", "write", "--config", "x", "--catalog", "y"], 2, "does not know the verb write"),
    (["source-faker", "read", "--config", "x"], 2, "--catalog is missing"),
    (["source-faker", "check", "--confg", "x"], 2, "unknown option '--confg'; did you mean --config?"),
    (["source-faker", "spec", "more"], 2, "'firth connector' does not take 'more'"),
])
def test_wrong_command_lines(firth, args, code, words):
    result = firth("connector", *args)
    assert result.rc == code and words in result.err and not result.out, result


def test_docs_name_every_option(firth, root):
    page = (root / "docs" / "connectors.md").read_text()
    for name in NAMES:
        own = root / "docs" / "connectors" / f"{name}.md"
        section = own.read_text() if own.exists() else page.split(f"## {name}\n")[1].split("\n## ")[0]
        spec = json.loads(firth("connector", name, "spec", expect=0).out)["spec"]["connectionSpecification"]
        for option, schema in spec["properties"].items():
            row = re.search(rf"^\| `{option}` \|.*$", section, re.M)
            assert row, f"docs/connectors.md does not describe {name}'s {option}"
            if "default" in schema:
                assert f"| {json.dumps(schema['default'])} |" in row.group()


def test_a_program_of_its_own(firth, tmp_path):
    """destination-duckdb is found beside `firth`, then on PATH; elsewhere the error says what is missing."""
    alone, here = tmp_path / "alone", pathlib.Path(firth.path).parent
    alone.mkdir()
    shutil.copy(firth.path, alone / "firth")
    argv = [alone / "firth", "connector", "destination-duckdb", "spec"]
    done = subprocess.run(argv, env={"PATH": "/usr/bin"}, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "firth-destination-duckdb, which is neither beside this one nor on PATH" in done.stderr
    for program in (argv, [firth.path, *argv[1:]]):
        done = subprocess.run(program, env={"PATH": str(here)}, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and '"type":"SPEC"' in done.stdout, done


# --- source-faker ------------------------------------------------------------------------------------------------


@pytest.fixture
def faker(firth, tmp_path):
    return runner(firth, "source-faker", tmp_path)


def read(faker, config, names=("products", "users", "purchases"), state=None):
    streams = faker("discover", config=config).one("CATALOG")["catalog"]["streams"]
    catalog = configured([s for s in streams if s["name"] in names])
    session = faker("read", config=config, catalog=catalog, state=state)
    assert session.rc == 0, session
    return session


def data(session, stream=None):
    return [r["data"] for r in session.records(stream)]


def test_faker_is_deterministic(faker):
    config = {"count": 120, "seed": 11}
    first, second = read(faker, config), read(faker, config)
    assert data(first) == data(second) and len(data(first)) == 100 + 120 + 120
    assert data(read(faker, {**config, "seed": 12}), "users") != data(first, "users")
    # Slices, and a larger count, change nothing about a record.
    assert data(read(faker, {**config, "records_per_slice": 7})) == data(first)
    assert data(read(faker, {**config, "count": 500}), "users")[:120] == data(first, "users")
    unseeded = [data(read(faker, {"count": 20}), "users") for _ in range(2)]
    assert unseeded[0] != unseeded[1]


def test_faker_shapes(faker):
    session = read(faker, {"count": 2000, "seed": 3})
    users, purchases, products = data(session, "users"), data(session, "purchases"), data(session, "products")
    assert [u["id"] for u in users] == list(range(1, 2001))
    assert [p["id"] for p in purchases] == list(range(1, 2001))
    assert [p["id"] for p in products] == list(range(1, 101))
    assert len({u["email"] for u in users}) == len(users)
    assert {p["user_id"] for p in purchases} <= {u["id"] for u in users}
    assert {p["product_id"] for p in purchases} == {p["id"] for p in products}
    assert all(sum(p["user_id"] == 10 * k + d for p in purchases) == n
               for k in (0, 7) for d, n in ((6, 1), (7, 0), (9, 2), (10, 1)))
    bought = [p for p in purchases if p["purchased_at"]]
    assert 0.66 < len(bought) / len(purchases) < 0.74
    for p in bought:
        assert p["created_at"] < p["added_to_cart_at"] < p["purchased_at"] < (p["returned_at"] or "3")
    estimates = {m["trace"]["estimate"]["name"]: m["trace"]["estimate"] for m in session.of("TRACE")
                 if m["trace"]["type"] == "ESTIMATE"}
    assert [(e["row_estimate"], e["byte_estimate"] // e["row_estimate"]) for e in
            (estimates[n] for n in ("products", "users", "purchases"))] == [(100, 180), (2000, 450), (2000, 230)]


def test_faker_always_updated(faker):
    config = {"count": 30, "seed": 1, "records_per_slice": 10}
    states = read(faker, config).states()
    final = [s for s in states if s["stream"]["stream_state"]["loop_offset"] == 30]
    assert len(final) == 3
    assert len(data(read(faker, config, state=final))) == 90
    still = {**config, "always_updated": False}
    again = read(faker, still, state=final)
    assert not data(again) and len(again.states()) == 3
    assert all(s[-1] == "COMPLETE" for s in again.statuses().values())
    # More users than before: only the new ones. Another seed: another world, from its start.
    assert len(data(read(faker, {**still, "count": 40}, state=final), "users")) == 10
    assert len(data(read(faker, {**still, "seed": 2}, state=final), "users")) == 30
    # An unseeded run that was interrupted goes on with the seed that it had drawn.
    half = {"count": 30, "records_per_slice": 10}
    session = read(faker, half, ["users"])
    rest = read(faker, half, ["users"], state=session.states()[:1])
    strip = [{k: v for k, v in u.items() if k != "updated_at"} for u in data(session)[10:]]
    assert [{k: v for k, v in u.items() if k != "updated_at"} for u in data(rest)] == strip


def test_faker_takes_the_real_ones_state(faker):
    """What PyPI's source-faker wrote: seed -1, no more than a time."""
    state = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": {
        "seed": -1, "updated_at": "2026-01-01T00:00:00.000000"}}}]
    config = {"count": 5, "always_updated": False}
    assert not data(read(faker, config, ["users"], state=state))
    assert len(data(read(faker, {"count": 5}, ["users"], state=state))) == 5


@pytest.mark.parametrize("value", ['"x"', "-1", "1.5", "[]"])
def test_faker_refuses_a_broken_state(faker, value):
    state = '[{"type":"STREAM","stream":{"stream_descriptor":{"name":"users"},"stream_state":{"loop_offset":%s}}}]'
    config = {"count": 5}
    streams = faker("discover", config=config).one("CATALOG")["catalog"]["streams"]
    session = faker("read", config=config, catalog=configured(streams), state=state % value)
    assert session.rc == 3 and "users" in session.errors()[0]["message"], session
    assert session.errors()[0]["failure_type"] == "config_error"


# --- destination-local-json ----------------------------------------------------------------------------------------

CONFIG = {"destination_path": "/local/out"}
STREAM = {"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}


def lines(numbers):
    text = []
    for n in numbers:
        text.append('{"type":"RECORD","record":{"stream":"users","data":{"id":%d},"emitted_at":1700000000123}}\n' % n)
        text.append('{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"users"},'
                    '"stream_state":{"n":%d}}}}\n' % n)
    return "".join(text).encode()


COMPLETE = (b'{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1,"stream_status":{"stream_descriptor":'
            b'{"name":"users"},"status":"COMPLETE"}}}\n')


def ids(tmp_path):
    return [json.loads(r)["id"] for r in read_local_json(tmp_path).get("users", [])]


def test_local_json_lines(firth, tmp_path):
    write = runner(firth, "destination-local-json", tmp_path)
    assert write("write", stdin=lines(range(500)) + COMPLETE, config=CONFIG, catalog=configured([STREAM])).rc == 0
    path = tmp_path / "out" / "_airbyte_raw_users.jsonl"
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert len({r["_airbyte_ab_id"] for r in rows}) == 500
    for row in rows:
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                            row["_airbyte_ab_id"])
        assert row["_airbyte_emitted_at"] == 1700000000123
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("first, second", [
    ({"name": "a b"}, {"name": "a-b"}),
    ({"name": "users", "namespace": "x"}, {"name": "users", "namespace": "y"}),
])
def test_local_json_collisions(firth, tmp_path, first, second):
    write = runner(firth, "destination-local-json", tmp_path)
    session = write("write", config=CONFIG, catalog=configured([{**STREAM, **first}, {**STREAM, **second}]))
    message = session.errors()[0]
    assert session.rc == 3 and "would both be written to" in message["message"], session
    assert message["failure_type"] == "config_error"


def test_local_json_paths(firth, tmp_path):
    write = runner(firth, "destination-local-json", tmp_path)
    for path in ("/local/a/b", "/a/c", "a/d"):
        session = write("write", stdin=lines([1]) + COMPLETE, config={"destination_path": path},
                        catalog=configured([STREAM]))
        assert session.rc == 0, session
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.jsonl")) == [
        f"a/{d}/_airbyte_raw_users.jsonl" for d in "bcd"]
    (tmp_path / "file").write_text("")
    session = write("check", config={"destination_path": "/local/file/x"})
    assert session.one("CONNECTION_STATUS")["connectionStatus"]["status"] == "FAILED"
    session = write("check", config={"destination_path": "/local/../../etc"})
    assert '".."' in session.one("CONNECTION_STATUS")["connectionStatus"]["message"]


def test_local_json_warns_of_dedup(firth, tmp_path):
    write = runner(firth, "destination-local-json", tmp_path)
    session = write("write", stdin=lines([1]) + COMPLETE, config=CONFIG,
                    catalog=configured([STREAM], destination_sync_mode="append_dedup"))
    assert session.rc == 0
    assert [m["log"]["level"] for m in session.of("LOG")] == ["WARN"]


POINTS = ["local-json.commit.before-sync", "local-json.commit.before-rename", "local-json.commit.done",
          "local-json.publish.before-rename", "local-json.publish.after-rename"]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_local_json_killed_at(firth_dev, tmp_path, point, mode):
    """Killed at each step: the file is the old one or the new one, and nothing that was confirmed is missing."""
    write = runner(firth_dev, "destination-local-json", tmp_path)
    catalog = configured([STREAM], destination_sync_mode=mode, minimum=int(mode == "overwrite"))
    assert write("write", stdin=lines([0]) + COMPLETE, config=CONFIG, catalog=catalog).rc == 0
    dying = runner(firth_dev, "destination-local-json", tmp_path, FIRTH_FAULT_KILL=point)
    session = dying("write", stdin=lines([1, 2]) + COMPLETE, config=CONFIG, catalog=catalog)
    fires = mode == "append" or not point.startswith("local-json.commit.before")
    assert session.rc == (-9 if fires else 0), session
    confirmed = [s["stream"]["stream_state"]["n"] for s in session.states()]
    seen = ids(tmp_path)
    assert seen in ([0], [0, 1, 2]) if mode == "append" else seen in ([0], [1, 2])
    # Killed while recovering too, and then the next sync.
    runner(firth_dev, "destination-local-json", tmp_path, FIRTH_FAULT_KILL="local-json.recover.before-rename")(
        "write", config=CONFIG, catalog=configured([STREAM]))
    assert write("write", stdin=lines([3]) + COMPLETE, config=CONFIG, catalog=configured([STREAM])).rc == 0
    seen = ids(tmp_path)
    assert seen[-1] == 3 and set(confirmed) <= set(seen)
    assert seen[:-1] in ([0], [0, 1, 2]) if mode == "append" else seen[:-1] in ([0], [1, 2])
    if point in ("local-json.commit.done", "local-json.publish.before-rename") and mode == "append":
        assert seen == [0, 1, 2, 3]  # committed is committed
    assert [p.name for p in pathlib.Path(tmp_path, "out").iterdir()] == ["_airbyte_raw_users.jsonl"]


def test_a_planted_early_echo_is_caught(firth_dev, tmp_path):
    """The check above is one that can fail: with states confirmed before the commit, rows go missing."""
    dying = runner(firth_dev, "destination-local-json", tmp_path, FIRTH_FAULT_KILL="local-json.commit.before-sync",
                   FIRTH_FAULT_PLANT="sdk.echo-before-commit")
    session = dying("write", stdin=lines([1, 2]) + COMPLETE, config=CONFIG, catalog=configured([STREAM]))
    confirmed = [s["stream"]["stream_state"]["n"] for s in session.states()]
    write = runner(firth_dev, "destination-local-json", tmp_path)
    assert write("write", stdin=lines([3]) + COMPLETE, config=CONFIG, catalog=configured([STREAM])).rc == 0
    assert confirmed == [1, 2] and not set(confirmed) <= set(ids(tmp_path))


def test_local_json_recovers_streams_that_nobody_syncs_any_more(firth_dev, tmp_path):
    write = runner(firth_dev, "destination-local-json", tmp_path)
    dying = runner(firth_dev, "destination-local-json", tmp_path, FIRTH_FAULT_KILL="local-json.publish.before-rename")
    assert dying("write", stdin=lines([1, 2]) + COMPLETE, config=CONFIG, catalog=configured([STREAM])).rc == -9
    other = {**STREAM, "name": "orders"}
    assert write("write", config=CONFIG, catalog=configured([other])).rc == 0
    assert ids(tmp_path) == [1, 2]


def test_overwrite_after_a_killed_append(firth_dev, tmp_path):
    """The confirmed rows of an append are published before an overwrite begins: if that fails, they are there."""
    write = runner(firth_dev, "destination-local-json", tmp_path)
    dying = runner(firth_dev, "destination-local-json", tmp_path, FIRTH_FAULT_KILL="local-json.publish.before-rename")
    assert dying("write", stdin=lines([1]) + COMPLETE, config=CONFIG, catalog=configured([STREAM])).rc == -9
    overwrite = configured([STREAM], destination_sync_mode="overwrite", minimum=1)
    session = write("write", stdin=lines([9]), config=CONFIG, catalog=overwrite)
    assert not session.states() and ids(tmp_path) == [1]


def test_output_that_cannot_be_written_is_told(firth):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([firth.path, "connector", "source-faker", "spec"], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "cannot write the output: No space left on device" in done.stderr
