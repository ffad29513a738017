"""firth discover: without a terminal, on one (a real pseudo-terminal), and again on catalogs that people have changed."""

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import termios
import time

import pytest

from conftest import DEADLINE, FULL
from scripted import PROGRAMS

SCRIPTED = PROGRAMS / "discover_source.py"


class Terminal:
    """A firth on a pseudo-terminal: what it said, answers, its end."""

    def __init__(self, firth, *args, env=None, cwd=None):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        full = firth.environment({"TERM": "xterm", "NO_COLOR": "1", **(env or {})})
        self.process = subprocess.Popen([firth.path, *map(str, args)], stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, cwd=cwd or firth.cwd, env=full, start_new_session=True,
                                        preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0))
        self.said = ""
        self.seen = 0

    def _more(self, end):
        if not select.select([self.master], [], [], max(0.0, end - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.said += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)

    def expect(self, text):
        """Wait until it says that, behind what was expected before."""
        end = time.monotonic() + DEADLINE
        while text not in self.said[self.seen:]:
            if not self._more(end):
                pytest.fail(f"it did not say {text!r}; it said:\n{self.said}")
        self.seen = self.said.index(text, self.seen) + len(text)

    def answer(self, label, text=""):
        self.expect(label)
        os.write(self.master, text.encode() + b"\n")

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def end(self):
        """Its exit code. The terminal must be as it was."""
        until = time.monotonic() + DEADLINE
        while self.process.poll() is None and time.monotonic() < until:
            if select.select([self.master], [], [], 0.01)[0]:
                self._more(until)
        assert self.process.poll() is not None, self.said
        while self._more(time.monotonic()):
            pass
        assert termios.tcgetattr(self.slave) == self.before
        os.close(self.master)
        os.close(self.slave)
        return self.process.returncode


def source(tmp_path, streams, spec=None, **more):
    """The arguments that name a scripted source."""
    path = tmp_path / "told.json"
    path.write_text(json.dumps({"spec": spec or {"type": "object", "properties": {}}, "streams": streams, **more}))
    return ["--command", f"{sys.executable} -S -E {SCRIPTED} {path}", "--name", "acmeCo/test"]


def given(tmp_path):
    """The config that the source was given."""
    return json.loads((tmp_path / "told.json.config").read_text())


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()
            if path.is_file() and not path.name.startswith("told")}


# --- without a terminal ---------------------------------------------------------------------------


def test_first_a_stub_then_a_catalog_that_runs(firth_dev, tmp_path):
    first = firth_dev("discover", "--connector", "source-faker", expect=0)
    config = tmp_path / "source-faker.config.yaml"
    assert "run the same command again" in first.out
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert "How many users should be generated" in config.read_text()
    assert not (tmp_path / "flow.yaml").exists()
    second = firth_dev("discover", "--connector", "source-faker", expect=0)
    assert second.out.endswith("firth run flow.yaml\n")
    firth_dev("check", "flow.yaml", expect=0)
    firth_dev("run", "flow.yaml", "--once", expect=0)
    assert len(firth_dev.read("acmeCo/users")) == 1000
    before = files(tmp_path)
    third = firth_dev("discover", "--connector", "source-faker", expect=0)
    assert "nothing new" in third.out
    assert files(tmp_path) == before


def test_json_prints_the_streams_and_writes_nothing(firth, tmp_path):
    lines = firth("discover", "--connector", "source-faker", "-o", "json", expect=0).lines()
    assert [line["stream"] for line in lines] == ["products", "users", "purchases"]
    assert lines[1]["key"] == ["/id"] and lines[1]["schema"]["properties"]["id"] == {"type": "integer"}
    assert files(tmp_path) == {}


# --- on a terminal --------------------------------------------------------------------------------


def test_dialogue_with_defaults(firth_dev, tmp_path):
    terminal = Terminal(firth_dev, "discover", "--connector", "source-faker")
    terminal.answer("Name of the capture [acmeCo/source-faker]:")
    terminal.answer("optional settings")
    terminal.answer("3 of 3 are chosen")
    terminal.answer("read in full each time")
    terminal.answer("names begin with [acmeCo]:", "shop")
    terminal.expect("firth run flow.yaml")
    assert terminal.end() == 0
    firth_dev("check", "flow.yaml", expect=0)
    assert "target: shop/users" in (tmp_path / "flow.yaml").read_text()


SECRET = "pa${ss}w\"ord: # 1"
SPEC = {
    "type": "object", "required": ["host", "port", "password", "auth", "tags"],
    "properties": {
        "host": {"title": "Host", "type": "string", "pattern": "^[a-z.]+$", "order": 0,
                 "description": "Where the server is. \u001b[31mRed", "examples": ["db.example.com"]},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 5432, "order": 1},
        "password": {"type": "string", "airbyte_secret": True, "order": 2, "minLength": 3},
        "auth": {"title": "Authentication", "type": "object", "order": 3, "oneOf": [
            {"title": "Password", "required": ["kind"], "properties": {"kind": {"type": "string", "const": "password"}}},
            {"title": "Key file", "required": ["kind", "key"], "properties": {
                "kind": {"type": "string", "const": "key"},
                "key": {"type": "string", "airbyte_secret": True, "multiline": True}}}]},
        "tags": {"type": "array", "items": {"type": "string", "minLength": 2}, "minItems": 1, "order": 4},
        "level": {"type": "string", "enum": ["low", "high"], "default": "low", "order": 5},
        "rate": {"type": "number", "exclusiveMinimum": 0, "order": 6},
        "fast": {"type": "boolean", "default": False, "order": 7},
        "tunnel": {"title": "Tunnel", "type": "object", "required": ["via"], "order": 8,
                   "properties": {"via": {"type": "string"}, "hops": {"type": "array", "items": {
                       "type": "object", "required": ["to"], "properties": {"to": {"type": "string"}}}}}},
        "start": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "title": "Start", "order": 9},
        "more": {"type": "object", "order": 10},
        "old": {"type": "string", "airbyte_hidden": True},
    }}
USERS = {"name": "users", "supported_sync_modes": ["full_refresh", "incremental"], "source_defined_cursor": True,
         "source_defined_primary_key": [["id"]],
         "json_schema": {"type": "object", "properties": {"id": {"type": ["null", "number"]}, "n": {"type": "string"}}}}


def test_every_kind_of_field(firth_dev, tmp_path):
    (tmp_path / "id_rsa").write_text("-----BEGIN\nkey\n")
    terminal = Terminal(firth_dev, "discover", *source(tmp_path, [USERS], SPEC))
    terminal.expect("db.example.com")
    terminal.answer("host:", "NO")
    terminal.answer("host:", "")
    terminal.answer("! a value is needed", "db.local")
    terminal.answer("port [5432]:", "0")
    terminal.expect("! expected a number of at least 1")
    terminal.answer("port [5432]:", "many")
    terminal.answer("! that is no number", "")
    terminal.expect("password (not shown):")
    assert not terminal.echoes()
    os.write(terminal.master, b"ab\n")
    terminal.answer("password (not shown):", SECRET)
    terminal.expect("2) Key file")
    assert terminal.echoes()
    terminal.answer("1-2 [1]:", "7")
    terminal.answer("choose a number from 1 to 2", "key")
    terminal.answer("key (not shown):", "@id_rsa")
    terminal.answer("tags 1:", "x")
    terminal.answer("tags 1:", "färbe")
    terminal.answer("tags 2:", "two")
    terminal.answer("tags 3:")
    terminal.answer("optional settings", "maybe")
    terminal.answer("optional settings", "y")
    terminal.answer("1-3 [1]:", "2")
    terminal.answer("rate:", "-1")
    terminal.answer("rate:", "1.50")
    terminal.answer("fast y/n [false]:", "Y")
    terminal.answer("set Tunnel?", "y")
    terminal.answer("via:", "${HOME}")
    terminal.answer("1 optional setting (hops): set it?", "y")
    terminal.answer("add hops 1?", "y")
    terminal.answer("to:", "a")
    terminal.answer("add hops 2?", "")
    terminal.answer("start:", "")
    terminal.answer("more:", "[1]")
    terminal.answer("that is no JSON object", '{"x": [1]}')
    terminal.answer("1 of 1 are chosen")
    terminal.answer("in full each time")
    terminal.answer("names begin with")
    terminal.expect("firth run flow.yaml")
    assert terminal.end() == 0
    wanted = {"host": "db.local", "port": 5432, "password": SECRET, "auth": {"kind": "key", "key": "-----BEGIN\nkey\n"},
              "tags": ["färbe", "two"], "level": "high", "rate": 1.5, "fast": True,
              "tunnel": {"via": os.environ["HOME"], "hops": [{"to": "a"}]}, "more": {"x": [1]}}
    assert given(tmp_path) == wanted
    config = tmp_path / "test.config.yaml"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert "via: \"${HOME}\"" in config.read_text()
    assert SECRET not in terminal.said and "BEGIN" not in terminal.said and "\u001b" not in terminal.said
    for name, content in files(tmp_path).items():
        assert name in ("test.config.yaml", "id_rsa") or b"ss}w" not in content
    firth_dev("check", "flow.yaml", expect=0)
    # What was written says the same: the second run reads it.
    (tmp_path / "told.json.config").unlink()
    firth_dev("discover", *source(tmp_path, [USERS], SPEC), expect=0)
    assert given(tmp_path) == wanted


def test_a_check_that_fails_is_corrected(firth, tmp_path):
    spec = {"type": "object", "required": ["host", "password"], "properties": {
        "host": {"type": "string", "order": 0}, "password": {"type": "string", "airbyte_secret": True, "order": 1}}}
    terminal = Terminal(firth, "discover", *source(tmp_path, [USERS], spec, refuse={"host": "wrong"}))
    terminal.answer("host:", "wrong")
    terminal.answer("password (not shown):", "hush-hush")
    terminal.expect("the server does not like host")
    terminal.answer("Correct the configuration? [Y/n]")
    terminal.answer("host [wrong]:", "right")
    terminal.answer("password (not shown) [as it is]:")
    terminal.answer("1 of 1 are chosen")
    terminal.answer("in full each time")
    terminal.answer("names begin with")
    terminal.expect("firth run")
    assert terminal.end() == 0
    assert given(tmp_path) == {"host": "right", "password": "hush-hush"}
    assert "hush" not in terminal.said


QUESTIONS = ["host:", "port [5432]:", "password (not shown):", "1-2 [1]:", "tags 1:", "optional settings",
             "1 of 1 are chosen", "in full each time", "names begin with"]
ANSWERS = ["db", "", "hush-hush", "1", "tag\n", "", "", "", ""]


WAYS = ["interrupt", "end", "terminate"]


@pytest.mark.parametrize("at, how", [pytest.param(at, how, marks=() if at % 3 == way else pytest.mark.full)
                                     for at in range(len(QUESTIONS)) for way, how in enumerate(WAYS)])
def test_stopped_at_each_question(firth_dev, tmp_path, at, how):
    terminal = Terminal(firth_dev, "discover", *source(tmp_path, [USERS], SPEC))
    for question, answer in zip(QUESTIONS[:at], ANSWERS):
        terminal.answer(question, answer)
    terminal.expect(QUESTIONS[at])
    if how == "terminate":
        terminal.process.send_signal(signal.SIGTERM)
    else:
        os.write(terminal.master, b"\x03" if how == "interrupt" else b"\x04")
    assert terminal.end() == 130
    assert files(tmp_path) == {}


def test_choosing_among_many(firth, tmp_path):
    count = 2000 if FULL else 1200
    streams = [{"name": f"table_{n:04}", "source_defined_primary_key": [["id"]]} for n in range(count)]
    terminal = Terminal(firth, "discover", *source(tmp_path, streams))
    terminal.expect(f"and {count - 20} more")
    assert max(map(len, terminal.said.split("\n"))) <= 80
    terminal.answer(f"{count} of {count} are chosen", f"/_{count - 1}")
    terminal.expect(f"{count} * table_{count - 1}")
    terminal.answer(f"{count} of {count} are chosen", "nothing")
    terminal.expect("no stream is named by 'nothing'")
    terminal.answer(f"{count} of {count} are chosen", "2-4, *_000[79] !3")
    terminal.answer(f"4 of {count} are chosen", "!table_0*")
    terminal.answer(f"{count - 1000} of {count} are chosen", "none")
    terminal.answer(f"0 of {count} are chosen", f"1 {count}")
    terminal.answer(f"2 of {count} are chosen")
    terminal.answer("names begin with", "bad name")
    terminal.answer("names begin with", "many")
    terminal.expect("firth run")
    assert terminal.end() == 0
    checked = firth("check", "flow.yaml", "-o", "json", expect=0).json()
    assert checked["collections"] == ["many/table_0000", f"many/table_{count - 1}"]
    # What was not chosen is not new the next time; with --all it is taken, and all fit.
    assert "nothing new" in firth("discover", *source(tmp_path, streams), expect=0).out
    firth("discover", *source(tmp_path, streams), "--all", expect=0)
    assert len(firth("check", "flow.yaml", "-o", "json", expect=0).json()["collections"]) == count


# --- again ----------------------------------------------------------------------------------------

HAND = """\
# My catalog. \u00e4\u00f6\u00fc
import: [more.yaml]   # theirs

captures:
    acmeCo/test:   # ours
        endpoint:
            local: &local
                command: [%(python)s, -S, -E, %(program)s, %(told)s]
                protocol: airbyte
                config: {}
        interval: 1h
        bindings:
            - resource: {stream: "users", syncMode: full_refresh}   # on purpose
              target: acmeCo/people
            - resource: { stream: noise }
              target: acmeCo/noise
              disable: true

            # the last word

collections:
    acmeCo/people: {key: [/id], schema: {type: object, required: [id], properties: {id: {type: integer}}}}
    acmeCo/noise:
        key: [/id]
        schema: { type: object, required: [id], properties: { id: { type: integer } } }
# the end
"""
HAND_AFTER = HAND.replace("""
            # the last word
""", """
            # the last word
            - resource: { stream: orders, namespace: shop, syncMode: incremental }
              target: acmeCo/shop/orders
""").replace("""# the end
""", """    acmeCo/shop/orders:
        key: [/id]
        schema: shop.orders.schema.yaml
# the end
""")


def test_a_catalog_by_hand_stays_as_it_is(firth_dev, tmp_path):
    streams = [USERS, {"name": "noise"}, {**USERS, "name": "orders", "namespace": "shop"}]
    args = source(tmp_path, streams)
    names = {"python": sys.executable, "program": SCRIPTED, "told": tmp_path / "told.json"}
    (tmp_path / "more.yaml").write_text("collections: {}\n")
    (tmp_path / "flow.yaml").write_text(HAND % names)
    firth_dev("check", "flow.yaml", expect=0)
    result = firth_dev("discover", *args, expect=0)
    assert "1 stream added to acmeCo/test" in result.out
    after = (tmp_path / "flow.yaml").read_text()
    # One-line mappings are as short as they can be; all else is byte for byte.
    assert after.replace("acmeCo/shop/orders: { key: [/id], schema: shop.orders.schema.yaml }",
                         "acmeCo/shop/orders:\n        key: [/id]\n        schema: shop.orders.schema.yaml") == HAND_AFTER % names
    before = files(tmp_path)
    assert "nothing new" in firth_dev("discover", *args, expect=0).out
    assert files(tmp_path) == before


def test_what_was_taken_out_stays_out(firth, tmp_path):
    args = source(tmp_path, [USERS, {"name": "logs"}])
    firth("discover", *args, expect=0)
    firth("discover", *args, expect=0)
    catalog = tmp_path / "flow.yaml"
    whole = catalog.read_text()
    without = re.sub(r"      - resource: \{ stream: logs.*\n.*\n", "", whole)
    assert without != whole
    catalog.write_text(without)
    assert "nothing new" in firth("discover", *args, expect=0).out
    assert catalog.read_text() == without
    source(tmp_path, [USERS, {"name": "logs"}, {"name": "fresh"}])
    firth("discover", *args, expect=0)
    assert "stream: fresh" in catalog.read_text() and "stream: logs" not in catalog.read_text()
    firth("discover", *args, "--all", expect=0)
    assert catalog.read_text().count("stream: logs") == 1
    # Its collection was still there: it is taken again, and not twice.
    assert catalog.read_text().count("acmeCo/logs:") == 1
    firth("check", "flow.yaml", expect=0)


def with_field(stream, name):
    schema = json.loads(json.dumps(stream["json_schema"]))
    schema["properties"][name] = {"type": "string"}
    return {**stream, "json_schema": schema}


def test_a_changed_schema(firth_dev, tmp_path):
    args = source(tmp_path, [USERS])
    firth_dev("discover", *args, expect=0)
    firth_dev("discover", *args, expect=0)
    schema = tmp_path / "users.schema.yaml"
    source(tmp_path, [with_field(USERS, "added")])
    firth_dev("discover", *args, expect=0)
    assert "added: { type: string }" in schema.read_text()
    mine = schema.read_text() + "# mine\n"
    schema.write_text(mine)
    source(tmp_path, [with_field(USERS, "another")])
    assert "was changed by hand" in firth_dev("discover", *args, expect=0).err
    assert schema.read_text() == mine
    for answer, replaced in (("n", False), ("y", True)):
        terminal = Terminal(firth_dev, "discover", *args)
        terminal.answer("Use the configuration in")
        terminal.answer("0 of 1 are chosen")
        terminal.expect("+   another: { type: string }")
        terminal.answer("Replace it? [y/N]", answer)
        terminal.expect("firth run")
        assert terminal.end() == 0
        assert ("another" in schema.read_text()) == replaced


def test_json_catalog(firth, tmp_path):
    args = [*source(tmp_path, [USERS]), "flow.json"]
    firth("discover", *args, expect=0)
    firth("discover", *args, expect=0)
    source(tmp_path, [USERS, {**USERS, "name": "orders"}])
    firth("discover", *args, expect=0)
    catalog = json.loads((tmp_path / "flow.json").read_text())
    assert list(catalog["collections"]) == ["acmeCo/users", "acmeCo/orders"]
    assert json.loads((tmp_path / "orders.schema.json").read_text())["required"] == ["id"]
    firth("check", "flow.json", expect=0)


def test_the_stub_of_a_hard_spec(firth_dev, tmp_path):
    args = source(tmp_path, [USERS], SPEC)
    firth_dev("discover", *args, expect=0)
    stub = tmp_path / "test.config.yaml"
    text = stub.read_text()
    assert "\u001b" not in text and "One of: [\"low\", \"high\"]" in text and "2) Key file: kind: \"key\", key" in text
    fields = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert fields == ["host:", "port: 5432", "password:", "auth:", '  kind: "password"', "tags: []"]
    wrong = firth_dev("discover", *args, expect=3).err
    assert "/host" in wrong and "/password" in wrong and "/tags" in wrong
    # Each setting that is a comment can be uncommented as it is.
    text = text.replace("host:", "host: db").replace("password:\n", "password: hush-hush\n").replace("tags: []", "tags: [aa]")
    stub.write_text(re.sub("(?m)^# ((level|fast|more): .*)$", r"\1", text))
    firth_dev("discover", *args, expect=0)
    assert given(tmp_path) == {"host": "db", "port": 5432, "password": "hush-hush", "auth": {"kind": "password"},
                               "tags": ["aa"], "level": "low", "fast": False, "more": {}}


# --- odd sources ----------------------------------------------------------------------------------


def test_names_keys_and_schemas_that_cannot_be_used(firth_dev, tmp_path):
    streams = [
        {"name": "a b/c"}, {"name": "a_b_c"}, {"name": "größe"}, {"name": "ünïcode", "namespace": "schema one"},
        {"name": "no key", "json_schema": {"type": "object", "required": ["at"], "properties": {
            "text": {"type": "object"}, "at": {"type": ["null", "string"]}}}},
        {"name": "broken", "json_schema": {"type": "nonsense"}, "source_defined_primary_key": [["id"]]},
        {"name": "deep", "source_defined_primary_key": [["a", "b/c"]], "json_schema": {
            "type": "object", "properties": {"a": {"type": ["null", "object"], "properties": {
                "b/c": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}}}},
        {"name": "impossible", "json_schema": {"type": "object", "additionalProperties": False,
                                               "properties": {"x": {"type": "array"}}}},
    ]
    args = source(tmp_path, streams)
    firth_dev("discover", *args, expect=0)
    result = firth_dev("discover", *args, expect=0)
    assert "the stream impossible is left out" in result.err
    text = (tmp_path / "flow.yaml").read_text()
    firth_dev("check", "flow.yaml", expect=0)
    for name in ("acmeCo/a_b_c", "acmeCo/a_b_c_2", '"acmeCo/größe"', '"acmeCo/schema_one/ünïcode"', "acmeCo/no_key"):
        assert f"target: {name}\n" in text or f"target: {name} " in text, text
    assert "key: [/a/b~1c]" in text or 'key: ["/a/b~1c"]' in text, text
    assert "# The source has no key here." in text and "# The source's schema cannot be used" in text
    assert "key: [/at]" in text


def test_the_folder_cannot_be_written(firth, tmp_path):
    result = firth("discover", "--connector", "source-faker", "missing/flow.yaml", expect=3)
    assert "missing/source-faker.config.yaml" in result.err
    # The catalog's place is taken by a folder: nothing is written beside it either.
    (tmp_path / "flow.yaml").mkdir()
    assert firth("discover", "--connector", "source-faker").rc in (3, 5)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] in ([], ["source-faker.config.yaml"])


@pytest.mark.parametrize("args, error", [
    ([], "which connector?"),
    (["--connector", "source-fakr"], "did you mean source-faker?"),
    (["--connector", "destination-local-json"], "is a destination"),
    (["--connector", "source-faker", "--name", "a//b"], "--name is 'a//b'"),
    (["--connector", "source-faker", "--command", "x"], "which connector?"),
    (["--command", "'x"], "a quote that is not closed"),
    (["--command", "./not-there"], "not-there"),
])
def test_what_is_wrong_is_told(firth, tmp_path, args, error):
    result = firth("discover", *args)
    assert result.rc in (1, 2, 3) and error in result.err
    assert files(tmp_path) == {}


def test_a_configuration_that_is_wrong(firth, tmp_path):
    config = tmp_path / "source-faker.config.yaml"
    config.write_text("count: many\n")
    result = firth("discover", "--connector", "source-faker", expect=3)
    assert "/count: expected" in result.err and "many" not in result.err
    config.write_text("count: ${FIRTH_TEST_UNSET}\n")
    assert "FIRTH_TEST_UNSET" in firth("discover", "--connector", "source-faker", expect=3).err
    config.write_text("# nothing\n")
    assert "sets nothing" in firth("discover", "--connector", "source-faker", expect=3).err
    assert list(files(tmp_path)) == ["source-faker.config.yaml"]


def test_git_is_told_to_ignore_the_configuration(firth, tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    firth("discover", "--connector", "source-faker", expect=0)
    assert "not ignored" in firth("discover", "--connector", "source-faker", expect=0).err
    (tmp_path / "flow.yaml").unlink()
    terminal = Terminal(firth, "discover", "--connector", "source-faker")
    terminal.answer("Name of the capture")
    terminal.answer("Use the configuration in")
    terminal.answer("are chosen")
    terminal.answer("in full each time", "users")
    terminal.answer("names begin with")
    terminal.answer("Add it to .gitignore? [Y/n]")
    terminal.expect("firth run")
    assert terminal.end() == 0
    assert (tmp_path / ".gitignore").read_text() == "/source-faker.config.yaml\n"
    assert "{ stream: users, syncMode: full_refresh }" in (tmp_path / "flow.yaml").read_text()


# --- Flow's connectors ----------------------------------------------------------------------------


def flow_binding(stream, **more):
    return {"recommendedName": f"public/{stream}", "resourceConfig": {"namespace": "public", "stream": stream, "interval": "5m"},
            "documentSchema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
            "key": ["/id"], **more}


def test_a_connector_of_flows(firth, tmp_path):
    told = tmp_path / "told.json"
    schema = {"type": "object", "required": ["address"], "properties": {
        "address": {"type": "string"}, "token": {"type": "string", "secret": True, "default": "hush-hush"}}}
    bindings = [flow_binding("orders"), flow_binding("log", key=["/id"], isFallbackKey=True), flow_binding("off", disable=True)]
    told.write_text(json.dumps({"configSchema": schema, "bindings": bindings}))
    args = ["discover", "--command", f"{sys.executable} -S -E {PROGRAMS / 'discover_flow.py'} {told}", "--protocol", "flow",
            "--name", "acmeCo/shop/pg"]
    terminal = Terminal(firth, *args)
    terminal.answer("address:", "here")
    terminal.answer("1 optional setting (token): set it?", "y")
    terminal.answer("token (not shown) [default]:")
    terminal.answer("2 of 3 are chosen")
    terminal.answer("names begin with [acmeCo/shop]:")
    terminal.expect("firth run")
    assert terminal.end() == 0
    assert "hush" not in terminal.said
    asked = json.loads((tmp_path / "told.json.asked").read_text())
    assert asked["config"] == {"address": "here", "token": "hush-hush"} and asked["name"] == "acmeCo/shop/pg"
    text = (tmp_path / "flow.yaml").read_text()
    assert "target: acmeCo/shop/public/orders" in text and "interval: \"5m\"" in text
    assert "its connector suggests this one" in text and "off" not in text
    firth("check", "flow.yaml", expect=0)
    before = files(tmp_path)
    assert "nothing new" in firth(*args, expect=0).out
    assert files(tmp_path) == before
    # The binding is known by its path, whatever else its resource says.
    (tmp_path / "flow.yaml").write_text(text.replace("5m", "1h"))
    told.write_text(json.dumps({"configSchema": schema, "bindings": bindings + [flow_binding("fresh")]}))
    assert "1 stream added" in firth(*args, expect=0).out
    lines = firth(*args, "-o", "json", expect=0).lines()
    assert [(line["target"], line["bound"]) for line in lines][:2] == [
        ("acmeCo/shop/public/orders", True), ("acmeCo/shop/public/log", True)]


def flow_source(tmp_path, **more):
    """The arguments that name a scripted connector of Flow's; nobody says which protocol it speaks."""
    told = tmp_path / "told.json"
    schema = {"type": "object", "required": ["address", "token"], "properties": {
        "address": {"type": "string", "order": 0}, "token": {"type": "string", "secret": True, "order": 1},
        "slot": {"type": "string", "default": "main", "order": 2}}}
    told.write_text(json.dumps({"configSchema": schema, "bindings": [flow_binding("orders")], **more}))
    return ["discover", "--command", f"{sys.executable} -S -E {PROGRAMS / 'discover_flow.py'} {told}", "--name", "acmeCo/test"]


@pytest.mark.parametrize("verb", ["discover", "validate"])
def test_a_connector_of_flows_that_refuses_is_answered_again(firth, tmp_path, verb):
    """Its message, at the field that it names too, and what was typed as the default."""
    terminal = Terminal(firth, *flow_source(tmp_path, refuse={verb: {"slot": "main"}}))
    terminal.answer("address:", "here")
    terminal.answer("token (not shown):", "hush-hush")
    terminal.answer("set it? [y/N]", "y")
    terminal.answer("slot [main]:")
    if verb == "validate":
        terminal.answer("1 of 1 are chosen")
        terminal.answer("names begin with [acmeCo]:", "shop")
    terminal.expect("cannot use address or slot")
    terminal.answer("Correct the configuration? [Y/n]")
    terminal.expect("address (string)")
    terminal.expect("! ")
    terminal.answer("address [here]:", "there")
    terminal.answer("token (not shown) [as it is]:")
    terminal.answer("set it? [Y/n]")
    terminal.expect("! ")
    terminal.answer("slot [main]:", "other")
    terminal.answer("1 of 1 are chosen")
    terminal.answer("names begin with [shop]:" if verb == "validate" else "names begin with [acmeCo]:", "shop")
    terminal.expect("firth run")
    assert terminal.end() == 0
    assert "hush" not in terminal.said and "token (string)\n    !" not in terminal.said
    config = (tmp_path / "test.config.yaml").read_text()
    assert "there" in config and "hush-hush" in config and "slot: other" in config
    assert "protocol: flow" in (tmp_path / "flow.yaml").read_text()
    firth("check", "flow.yaml", expect=0)


def test_a_field_has_the_last_line_that_was_logged(firth, tmp_path):
    """All that a connector logged is told once; at a field its last line, if that names it."""
    crash = ["dialing address here", "reading token", "the slot is taken"]
    terminal = Terminal(firth, *flow_source(tmp_path, refuse={"discover": {"slot": "main"}}, crash=crash))
    for label, text in (("address:", "here"), ("token (not shown):", "hush-hush"), ("set it? [y/N]", "y"), ("slot [main]:", "")):
        terminal.answer(label, text)
    terminal.answer("Correct the configuration? [Y/n]")
    terminal.answer("address [here]:")
    terminal.answer("token (not shown) [as it is]:")
    terminal.answer("set it? [Y/n]")
    terminal.expect("! the slot is taken")
    terminal.answer("slot [main]:", "other")
    terminal.answer("1 of 1 are chosen")
    terminal.answer("names begin with [acmeCo]:", "shop")
    terminal.expect("firth run")
    assert terminal.end() == 0
    assert [terminal.said.count(line) for line in crash] == [1, 1, 2]


@pytest.mark.parametrize("verb", ["discover", "validate"])
def test_a_connector_of_flows_that_refuses_is_not_answered(firth, tmp_path, verb):
    args = flow_source(tmp_path, refuse={verb: {"slot": "main"}})
    terminal = Terminal(firth, *args)
    for label, text in (("address:", "here"), ("token (not shown):", "hush-hush"), ("set it? [y/N]", "y"), ("slot [main]:", "")):
        terminal.answer(label, text)
    if verb == "validate":
        terminal.answer("1 of 1 are chosen")
        terminal.answer("names begin with")
    terminal.answer("Correct the configuration? [Y/n]", "n")
    assert terminal.end() != 0 and files(tmp_path) == {}
    # Without a terminal: the stub stays as it was filled in.
    firth(*args, expect=0)
    stub = "address: here\ntoken: hush-hush\nslot: main\n"
    (tmp_path / "test.config.yaml").write_text(stub)
    result = firth(*args)
    assert result.rc != 0 and "cannot use address or slot" in result.err and "hush" not in result.err
    assert list(files(tmp_path)) == ["test.config.yaml"] and (tmp_path / "test.config.yaml").read_text() == stub
    (tmp_path / "test.config.yaml").write_text(stub.replace("main", "other"))
    firth(*args, expect=0)
    assert "protocol: flow" in (tmp_path / "flow.yaml").read_text()
    # The catalog says it from now on.
    assert "nothing new" in firth(*args, expect=0).out


LOOSE = {"type": "object", "properties": {"id": {"type": ["integer", "null"]}, "k": {"type": "number"}}}
TIGHT = {"type": "object", "properties": {"id": {"type": ["integer"]}, "k": {"type": "number"}}, "required": ["id"]}


@pytest.mark.parametrize("key,guessed", [([], True), (["/id"], False)])
def test_a_schema_of_flows_that_does_not_require_the_key(firth, tmp_path, key, guessed):
    """All of it stays, with the key required, the first time and whenever it is run again."""
    binding = flow_binding("orders", key=key, documentSchema=LOOSE)
    args = flow_source(tmp_path, bindings=[binding])
    (tmp_path / "test.config.yaml").write_text("address: here\ntoken: hush-hush\n")
    line, = firth(*args, "-o", "json", expect=0).lines()
    assert (line["key"], line["guessedKey"], line["schema"]) == (["/id"], guessed, TIGHT)
    firth(*args, expect=0)
    assert ("The source has no key here" in (tmp_path / "flow.yaml").read_text()) == guessed
    firth("check", "flow.yaml", expect=0)
    before = files(tmp_path)
    assert "k: { type: number }" in before["public.orders.schema.yaml"].decode()
    for _ in range(2):
        assert "nothing new" in firth(*args, expect=0).out and files(tmp_path) == before
    line, = firth(*args, "-o", "json", expect=0).lines()
    assert (line["key"], line["bound"], line["schema"]) == (["/id"], True, TIGHT)
    # What the source changes later is seen and shown.
    changed = {**LOOSE, "properties": {**LOOSE["properties"], "city": {"type": "string"}}}
    flow_source(tmp_path, bindings=[{**binding, "documentSchema": changed}])
    terminal = Terminal(firth, *args)
    terminal.answer("Use the configuration in")
    terminal.answer("0 of 1 are chosen")
    terminal.expect("+   city: { type: string }")
    terminal.answer("Replace it? [Y/n]")
    terminal.expect("firth run")
    assert terminal.end() == 0
    text = (tmp_path / "public.orders.schema.yaml").read_text()
    assert text.replace("  city: { type: string }\n", "") == before["public.orders.schema.yaml"].decode() != text


@pytest.mark.parametrize("key", [[], ["/id"], ["/meta/id"]])
def test_a_schema_of_flows_that_says_nothing(firth, tmp_path, key):
    args = flow_source(tmp_path, bindings=[flow_binding("orders", key=key, documentSchema={"type": "object"})])
    (tmp_path / "test.config.yaml").write_text("address: here\ntoken: hush-hush\n")
    firth(*args, expect=0)
    before = files(tmp_path)
    assert f"key: [{(key or ['/id'])[0]}]" in before["flow.yaml"].decode()
    assert f"required: [{'meta' if key == ['/meta/id'] else 'id'}]" in before["public.orders.schema.yaml"].decode()
    assert "nothing new" in firth(*args, expect=0).out and files(tmp_path) == before


def test_a_schema_of_flows_that_cannot_have_the_key(firth, tmp_path):
    """The source means the key that it names: its schema gives way, and why is said."""
    closed = {"type": "object", "properties": {"k": {"type": "number"}}, "additionalProperties": False}
    args = flow_source(tmp_path, bindings=[flow_binding("orders", documentSchema=closed)])
    (tmp_path / "test.config.yaml").write_text("address: here\ntoken: hush-hush\n")
    line, = firth(*args, "-o", "json", expect=0).lines()
    assert (line["key"], line["guessedKey"], line["schema"]) == (["/id"], False, {"type": "object", "required": ["id"]})
    firth(*args, expect=0)
    before = files(tmp_path)
    assert "so that this one accepts everything" in before["flow.yaml"].decode().replace("\n    #", "")
    assert "nothing new" in firth(*args, expect=0).out and files(tmp_path) == before


def test_a_command_that_speaks_neither_protocol(firth, tmp_path):
    result = firth("discover", "--command", "sh -c 'echo who are you >&2; exit 3'", "--name", "acmeCo/test")
    assert result.rc != 0 and result.err.count("who are you") == 2 and "By Flow's protocol" in result.err
    said = firth("discover", "--command", "sh -c 'echo who are you >&2; exit 3'", "--protocol", "airbyte")
    assert said.rc != 0 and "By Flow's protocol" not in said.err


def test_streams_that_the_connector_suggests_to_leave_out(firth, tmp_path):
    """They are told of, with the way to have them; by themselves they are not taken."""
    args = flow_source(tmp_path, bindings=[flow_binding("orders"), *(flow_binding(f"off{i}", disable=True) for i in range(7))])
    (tmp_path / "test.config.yaml").write_text("address: here\ntoken: hush-hush\n")
    lines = firth(*args, "-o", "json", expect=0).lines()
    assert [line["advisedOff"] for line in lines] == [False] + 7 * [True]
    first = firth(*args, expect=0).out
    assert "1 stream added" in first
    assert "7 streams left out, as the connector suggests: public/off0, public/off1, public/off2, public/off3, public/off4, …\n  (--all takes them)" in first
    assert "7 streams left out, as before" in firth(*args, expect=0).out
    assert "7 streams added" in firth(*args, "--all", expect=0).out
    assert "left out" not in firth(*args, expect=0).out
    firth("check", "flow.yaml", expect=0)


def test_none_but_streams_that_the_connector_suggests_to_leave_out(firth, tmp_path):
    args = flow_source(tmp_path, bindings=[flow_binding("off", disable=True)])
    (tmp_path / "test.config.yaml").write_text("address: here\ntoken: hush-hush\n")
    assert "are taken with --all" in firth(*args, expect=3).err
    assert "1 stream added" in firth(*args, "--all", expect=0).out


def test_the_record_does_not_follow_the_connectors_order(firth, tmp_path):
    names = ["orders", "Users", "log"]
    args = flow_source(tmp_path, bindings=[flow_binding(name) for name in names])
    (tmp_path / "test.config.yaml").write_text("address: here\ntoken: hush-hush\n")
    firth(*args, expect=0)
    record = (tmp_path / "test.discovered.json").read_text()
    assert [each["id"][-1] for each in json.loads(record)["streams"]] == ["Users", "log", "orders"]
    flow_source(tmp_path, bindings=[flow_binding(name) for name in reversed(names)])
    assert "nothing new" in firth(*args, expect=0).out
    assert (tmp_path / "test.discovered.json").read_text() == record


def test_the_stub_has_what_is_required_within(firth, tmp_path):
    """As source-postgres has it: the default of an object says which branch, and not what else that needs."""
    def branch(kind, *required):
        return {"title": kind, "required": [*required, "kind"],
                "properties": {"kind": {"type": "string", "const": kind, "default": kind},
                               **{name: {"type": "string"} for name in required}}}

    schema = {"type": "object", "required": ["credentials", "tunnel", "free"], "properties": {
        "credentials": {"type": "object", "default": {"kind": "Key"}, "oneOf": [branch("Password", "user", "password"), branch("Key", "key")]},
        "tunnel": {"type": "object", "default": {"port": 22}, "required": ["host", "port"], "properties": {
            "host": {"type": "string"}, "port": {"type": "integer"}, "banner": {"type": "string"}}},
        "free": {"type": "object", "default": {"any": 1}, "properties": {"other": {"type": "string"}}}}}
    args = flow_source(tmp_path, configSchema=schema)
    firth(*args, expect=0)
    text = (tmp_path / "test.config.yaml").read_text()
    fields = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert sorted(fields) == sorted(["credentials:", '  kind: "Key"', "  key:", "tunnel:", "  host:", "  port: 22", 'free: {"any": 1}'])
    assert "number 2 is written out" in text and "  # banner:" in text
    wrong = firth(*args, expect=3).err
    assert "/credentials/key" in wrong and "/tunnel/host" in wrong
    (tmp_path / "test.config.yaml").write_text(text.replace("  key:", "  key: k").replace("  host:", "  host: h"))
    firth(*args, expect=0)


def test_letters_of_any_script_stay(firth_dev, tmp_path):
    streams = [{**USERS, "name": name} for name in ("Käufer", "注文", "a b·c«d", "x.y")]
    lines = firth_dev("discover", *source(tmp_path, streams), "-o", "json", expect=0).lines()
    assert [line["target"] for line in lines] == ["acmeCo/Käufer", "acmeCo/注文", "acmeCo/a_b_c_d", "acmeCo/x_y"]
    firth_dev("discover", *source(tmp_path, streams), expect=0)
    firth_dev("discover", *source(tmp_path, streams), expect=0)
    assert (tmp_path / "Käufer.schema.yaml").exists()
    firth_dev("check", "flow.yaml", expect=0)


def test_a_capture_in_an_imported_file(firth_dev, tmp_path):
    args = source(tmp_path, [USERS])
    firth_dev("discover", *args, expect=0)
    firth_dev("discover", *args, expect=0)
    (tmp_path / "inner").mkdir()
    for name in ("flow.yaml", "users.schema.yaml", "test.config.yaml"):
        (tmp_path / name).rename(tmp_path / "inner" / name)
    (tmp_path / "flow.yaml").write_text("import: [inner/flow.yaml]\n")
    source(tmp_path, [USERS, {**USERS, "name": "fresh"}])
    firth_dev("discover", *args, expect=0)
    assert "stream: fresh" in (tmp_path / "inner" / "flow.yaml").read_text()
    checked = firth_dev("check", "flow.yaml", "-o", "json", expect=0).json()
    assert sorted(checked["collections"]) == ["acmeCo/fresh", "acmeCo/users"]
