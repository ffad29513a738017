"""`firth check`: the examples, errors as people and machines see them, exit codes, nothing secret shown."""

import json
import os
import pathlib
import pty
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("**/flow.yaml"))
NEEDED = {
    "PREFIX": "acmeCo", "CAPTURE_NAME": "source-front", "ORG": "acmeCo",
    "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "the-secret-key",
    "WEBFLOW_SITE_ID": "site", "WEBFLOW_API_KEY": "the-api-key",
}


def test_there_are_examples():
    names = {path.parent.name for path in EXAMPLES}
    assert {"faker", "faker-local-json", "front", "imports", "push", "s3-pull", "webflow-local-json"} <= names


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_are_right(firth, firth_dev, path):
    result = firth("check", str(path), expect=0, env=NEEDED)
    assert result.out.startswith("ok: "), result
    assert result.err == ""
    assert "the-secret-key" not in result.out and "the-api-key" not in result.out
    listed = json.loads(firth_dev("-o", "json", "check", str(path), expect=0, env=NEEDED).out)
    assert listed["ok"] is True
    for kind in ("collections", "captures", "connections"):
        for name in listed[kind]:
            assert name in result.out


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_each_example_says_what_it_needs(firth, path):
    """Without the environment each variable that is missing is an error, and the comment at the top names it."""
    result = firth("check", path, env={name: None for name in NEEDED})
    missing = {name for name in NEEDED if f"variable {name} is not set" in result.err}
    assert (result.rc, bool(missing)) in ((0, False), (3, True)), result
    comment = "".join(line for line in path.read_text().splitlines(True) if line.startswith("#"))
    assert all(name in comment for name in missing)


def test_the_lines_of_the_examples_readme_are_right(firth):
    """Every flow.yaml has one line that checks it as written there, or is named as right without."""
    text = (ROOT / "examples" / "README.md").read_text()
    lines = [line.split() for line in text.splitlines() if line.startswith("    ") and " check " in line]
    checked = set()
    for words in lines:
        env = dict.fromkeys(NEEDED) | dict(word.split("=") for word in words if "=" in word)
        assert words[-3:-1] == ["firth", "check"] and set(env) == set(NEEDED)
        firth("check", ROOT / words[-1], env=env, expect=0)
        checked.add(pathlib.Path(words[-1]).parent.name)
    alone = text[text.index("accepts "):text.index("as they stand")]
    for path in EXAMPLES:
        if path.parent.name not in checked or f"`{path.parent.name}`" in alone:
            assert f"`{path.parent.name}`" in alone
            firth("check", path, env=dict.fromkeys(NEEDED), expect=0)


def test_the_local_endpoint_of_the_readme(firth, catalog):
    [local] = [part for part in (ROOT / "README.md").read_text().split("`") if part.startswith("local: {")]
    path = catalog("collections: {a: {key: [/id], schema: {}}}\ncaptures: {c: {endpoint: {" + local +
                   "}, bindings: [{resource: {stream: s}, target: a}]}}\n")
    assert firth("check", path, expect=3).err == (
        f"{path}:2:44: cannot start source-x: the command source-x is in no folder of PATH\n"), "nothing else is wrong"


@pytest.fixture
def catalog(tmp_path):
    def write(text, name="flow.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)
    return write


BROKEN = """\
captures:
  acmeCo/c:
    endpoint: {connector: {image: a/b, config: secret.yaml}}
    bindngs: []
    bindings:
      - {resource: {stream: s}, target: acmeCo/user}
collections:
  acmeCo/users: {key: [/id], schema: {type: objekt}}
"""


def test_errors_for_people(firth_dev, catalog, tmp_path):
    path = catalog(BROKEN)
    (tmp_path / "secret.yaml").write_text("password: hunter2\npassword: hunter3\n")
    result = firth_dev("check", path, expect=3)
    assert result.out == ""
    lines = result.err.splitlines()
    assert lines[0] == f"{path}:4:5: unknown key 'bindngs' in a capture; did you mean 'bindings'?"
    assert lines[1] == f"{path}:6:41: there is no collection 'acmeCo/user'; did you mean 'acmeCo/users'?"
    assert lines[2].startswith(f"{path}:8:45: not a valid schema: ")
    assert lines[3] == (f"{tmp_path}/secret.yaml:2:1: the key 'password' is here twice; "
                        "the first is at line 1, column 1")
    assert lines[4] == "4 errors"


def test_errors_for_machines(firth, catalog, tmp_path):
    path = catalog(BROKEN)
    (tmp_path / "secret.yaml").write_text("{}")
    result = firth("check", path, "-o", "json", expect=3)
    answer = json.loads(result.out)
    assert answer["ok"] is False and answer["omitted"] == 0
    assert [(e["line"], e["column"]) for e in answer["errors"]] == [(4, 5), (6, 41), (8, 45)]
    assert all(e["file"] == path for e in answer["errors"])


def on_a_terminal(program, *args):
    """Standard error as a terminal shows it."""
    ours, theirs = pty.openpty()
    env = dict(os.environ, TERM="xterm")
    env.pop("NO_COLOR", None)
    process = subprocess.Popen([program.path, *args], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return process.wait(), shown.decode().replace("\r\n", "\n")


def test_a_terminal_shows_the_line(firth_dev, catalog, tmp_path):
    path = catalog(BROKEN)
    (tmp_path / "secret.yaml").write_text("password: hunter2\npassword: hunter3\n")
    rc, shown = on_a_terminal(firth_dev, "check", path)
    assert rc == 3
    assert "     4 |     bindngs: []\n       |     ^\n" in shown
    assert "     6 |       - {resource: {stream: s}, target: acmeCo/user}\n       | " + 40 * " " + "^\n" in shown
    assert "hunter" not in shown, "a config's lines are not shown"


def test_a_line_with_a_config_is_not_shown(firth_dev, catalog):
    path = catalog("captures:\n"
                   "  a: {endpoint: {connector: {image: x, config: {password: hunter4, user: '${NOT_SET}'}}}, bindings: []}\n"
                   "  b: {endpoint: {local: {command: [x], config: {}, env: {TOKEN: hunter5, N: 1}}}, bindings: []}\n")
    rc, shown = on_a_terminal(firth_dev, "check", path)
    assert rc == 3
    assert "the environment variable NOT_SET is not set" in shown and "must be text, but is a number" in shown
    assert "hunter" not in shown


def test_excerpts_of_odd_lines(firth_dev, catalog):
    path = catalog("\u00e9\u00e9: {}\ncaptures: {" + "a" * 300 + ": {endpoint: {ingest: {}}, bindings: [], wrong_key_here: 1}}\n"
                   "\tb: 1\n")
    rc, shown = on_a_terminal(firth_dev, "check", path)
    assert rc == 3
    assert max(len(line) for line in shown.splitlines() if " | " in line) < 120


def test_missing_and_odd_files(firth, tmp_path):
    missing = firth("check", str(tmp_path / "none.yaml"), expect=3)
    assert missing.err == f"{tmp_path}/none.yaml: there is no file {tmp_path}/none.yaml\n"
    folder = firth("check", str(tmp_path), expect=3)
    assert "it is a folder" in folder.err
    big = tmp_path / "big.yaml"
    with open(big, "wb") as file:
        file.truncate(100 << 20)
    assert "has more than 64 MiB, which is the limit" in firth("check", str(big), expect=3).err
    assert firth("check", expect=2).err
    assert firth("check", "a", "b", expect=2).err


def test_a_catalog_from_a_pipe(firth):
    read, write = os.pipe()
    os.write(write, b"collections: {a: {key: [/id], schema: {}}}\n")
    os.close(write)
    done = subprocess.run([firth.path, "check", f"/dev/fd/{read}"], pass_fds=[read], capture_output=True, check=False,
                          text=True)
    os.close(read)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ok: 1 collection\n")


def test_many_errors_are_counted(firth, catalog):
    path = catalog("".join(f"wrong{i}: 1\n" for i in range(250)))
    result = firth("check", path, expect=3)
    assert result.err.splitlines()[-1] == "250 errors, of which the first 100 are shown"
    assert json.loads(firth("check", path, "-o", "json", expect=3).out)["omitted"] == 150


def test_the_examples_that_need_nothing_run(firth):
    example = ROOT / "examples"
    firth("run", example / "faker" / "flow.yaml", "--once", expect=0)
    assert [len(firth.read(f"demo/{name}")) for name in ("products", "users", "purchases")] == [100, 1000, 1000]
    firth("run", example / "imports" / "flow.yaml", "--once", expect=0, env=NEEDED)
    users = firth.read("acmeCo/shop/users", "--limit", "3")
    assert [user["id"] for user in users] == [1, 2, 3]


def test_push_captures_are_no_run_once(firth):
    path = ROOT / "examples" / "push" / "flow.yaml"
    result = firth("run", path, "--once")
    assert result.rc == 3, result
    assert f"{path} has no task to run" in result.err and "push captures, which have no end" in result.err


# --- what is asked of built-in connectors --------------------------------------------------------------------------

FAKER, LOCAL_JSON = "airbyte/source-faker", "airbyte/destination-local-json"


def a_capture(image=FAKER, config="{count: 5}", resource="{stream: users}", disable="false"):
    return ("collections: {a: {key: [/id], schema: {}}}\ncaptures:\n  c:\n    endpoint:\n      connector:\n"
            f"        image: {image}\n        config: {config}\n"
            f"    bindings:\n      - {{resource: {resource}, target: a, disable: {disable}}}\n")


def a_connection(source=FAKER, config="{count: 5}", destination=LOCAL_JSON, path="{destination_path: /local/x}",
                 streams="all"):
    return (f"connections:\n  c:\n    source: {{connector: {{image: {source}, config: {config}}}}}\n"
            f"    destination:\n      connector:\n        image: {destination}\n        config: {path}\n"
            f"    streams: {streams}\n")


@pytest.mark.parametrize("text, expected", [
    (a_capture(config="{count: -5}"), ["7:18: config /count: expected a number of at least 1"]),
    (a_capture(config="{count: none}"), ["7:18: config /count: expected integer, got a string"]),
    (a_capture(config="{cuont: 5}"), ["7:18: config: unknown key 'cuont'; did you mean 'count'?"]),
    (a_capture(config="{of_its_own: 5}"), []),
    (a_capture(image="airbyte/source-fakr"),
     ["6:16: no connector for the image 'airbyte/source-fakr' is built in; did you mean 'airbyte/source-faker'? "
      "If the image itself is meant, pull it first"]),
    (a_capture(image="docker.io/airbite/source-faker:1.0"),
     ["6:16: no connector for the image 'docker.io/airbite/source-faker:1.0' is built in; "
      "did you mean 'airbyte/source-faker'? If the image itself is meant, pull it first"]),
    (a_capture(image=LOCAL_JSON), ["6:16: destination-local-json is a destination, but here must be a source"]),
    (a_capture(resource="{stream: userz}"), ["9:21: the source has no stream 'userz'; did you mean 'users'?"]),
    (a_capture(resource="{stream: else}"),
     ["9:21: the source has no stream 'else'; it has: products, users, purchases"]),
    (a_capture(resource="{stream: users, namespace: n}"),
     ["9:36: the source has no stream 'users' in the namespace 'n'; it has it without a namespace: "
      "leave 'namespace' out"]),
    (a_capture(resource="{stream: userz}", disable="true"), []),
    (a_capture(resource="{stream: users, syncMode: incremetal}"),
     ["9:36: 'syncMode' is 'incremetal', but it must be full_refresh or incremental"]),
    (a_capture(image="airbyte/source-oracle-x", resource="{stream: users, syncMode: incremetal}"),
     ["9:36: 'syncMode' is 'incremetal', but it must be full_refresh or incremental"]),
    (a_capture(image="ghcr.io/estuary/source-s3:dev", resource="{stream: users, syncMode: realtime}"), []),
    (a_capture(image="airbyte/source-fauna"), []),
    (a_capture(image="airbyte/source-file"), []),
    (a_connection(), []),
    (a_connection(destination=FAKER), ["6:16: source-faker is a source, but here must be a destination"]),
    (a_connection(path="{}"), ['7:17: config: missing property "destination_path"']),
    (a_connection(path="{destination_pth: /x}"),
     ["7:18: config: unknown key 'destination_pth'; did you mean 'destination_path'?"]),
    (a_connection(streams="[users, userz]"), ["8:22: the source has no stream 'userz'; did you mean 'users'?"]),
    (a_connection(streams="[{name: users, destinationSyncMode: append_dedup}]"),
     ["8:50: destination-local-json has no destinationSyncMode append_dedup; it has: append, overwrite"]),
    # Each at the setting that is wrong.
    (a_connection(streams="[{name: userz, syncMode: incremental}, {syncMode: full_refresh, name: users}]"),
     ["8:22: the source has no stream 'userz'; did you mean 'users'?"]),
    (a_connection(streams="[{name: users, namespace: n}]"),
     ["8:40: the source has no stream 'users' in the namespace 'n'; it has it without a namespace: "
      "leave 'namespace' out"]),
    (a_connection(streams="[{name: users, syncMode: incremental, cursorField: updatd_at}]"),
     ["8:65: the stream 'users' has no field 'updatd_at'; did you mean 'updated_at'?"]),
    (a_connection(streams="[{name: users, cursorField: [created_at]}]"),
     ["8:42: the source has a cursor of its own for the stream 'users', updated_at; leave 'cursorField' out"]),
    (a_connection(streams="[{name: users, cursorField: updated_at, primaryKey: id}]"), []),
    (a_connection(streams="[{name: users, primaryKey: [id, [address, zip]]}]"),
     ["8:41: the stream 'users' has no field 'zip' in 'address'; it has: street_number, street_name, city, state, province, "
      "postal_code, country_code"]),
    (a_capture(resource="{stream: users, cursorField: updatd_at, primaryKey: [[ide]]}"),
     ["9:36: the stream 'users' has no field 'updatd_at'; did you mean 'updated_at'?",
      "9:60: the stream 'users' has no field 'ide'; did you mean 'id'?"]),
    (a_capture(resource="{stream: users, syncMode: 5}"),
     ["9:36: 'syncMode' must be full_refresh or incremental, but is a number"]),
    (a_capture(resource="{stream: userz, syncMode: incremetal}"),
     ["9:21: the source has no stream 'userz'; did you mean 'users'?",
      "9:36: 'syncMode' is 'incremetal', but it must be full_refresh or incremental"]),
    # A config that is wrong, or cannot be had, does not hide what is wrong with the streams.
    (a_capture(config="{count: -5}", resource="{stream: userz}"),
     ["7:18: config /count: expected a number of at least 1",
      "9:21: the source has no stream 'userz'; did you mean 'users'?"]),
    (a_capture(config="{seed: '${NOT_SET_AT_ALL}'}", resource="{stream: userz}"),
     ["7:24: the environment variable NOT_SET_AT_ALL is not set; set it (export NOT_SET_AT_ALL=…), or write "
      "$${NOT_SET_AT_ALL} if the text itself is meant", "9:21: the source has no stream 'userz'; did you mean 'users'?"]),
    (a_capture(config="missing.yaml", resource="{stream: userz}"),
     ["7:17: there is no file FOLDER/missing.yaml", "9:21: the source has no stream 'userz'; did you mean 'users'?"]),
    (a_connection(config="{count: 0}", path="{}", streams="[{name: userz, destinationSyncMode: append_dedup}]"),
     ["3:64: config /count: expected a number of at least 1", '7:17: config: missing property "destination_path"',
      "8:22: the source has no stream 'userz'; did you mean 'users'?",
      "8:50: destination-local-json has no destinationSyncMode append_dedup; it has: append, overwrite"]),
    *[(a_connection(path=f"{{destination_path: {path}}}"),
       ["7:18: config /destination_path: expected a folder below /local, such as /local/output, without \"..\" and "
        "without a slash at the end"])
      for path in ("/etc/../x", "/local/../..", "..", '""', '"/local/a\\0b"', "/local/x/", "/", "/etc/passwd", "/home/me/x",
                   '"/local/x\\n/../y"')],
    *[(a_connection(path=f"{{destination_path: {path}}}"), []) for path in ("/local", "/local/a..b/c", "/json_data", "x")],
    # Everything at once, in the order of the file.
    (a_connection(config="{count: 0}", path="{destination_path: 5}"),
     ["3:64: config /count: expected a number of at least 1", "7:18: config /destination_path: expected string, got a number"]),
])
def test_built_in_connectors_are_asked(firth, catalog, text, expected):
    path = catalog(text)
    expected = [line.replace("FOLDER", str(pathlib.Path(path).parent)) for line in expected]
    result = firth("check", path, expect=3 if expected else 0)
    lines = result.err.splitlines()
    assert [line for line in lines if not line.endswith(" errors")] == [f"{path}:{line}" for line in expected]
    if expected:
        run = firth("run", path, "--once", expect=3)
        assert run.err.splitlines() == lines, "run says the same, and starts nothing"
        assert not pathlib.Path(firth.data_dir).exists()
        told = json.loads(firth("check", path, "-o", "json", expect=3).out)
        assert f"{path}:{expected[0]}" in told["error"]["message"]
        assert [f"{each['line']}:{each['column']}: {each['message']}" for each in told["errors"]] == expected


def test_all_that_is_wrong_is_told_at_once(firth_dev, tmp_path):
    """What the catalog's own rules say and what its connectors say, of everything that could be read."""
    path = tmp_path / "flow.yaml"
    path.write_text("""captures:
  a:
    endpoint: {connector: {image: airbyte/source-faker, config: {count: ten}}}
    bindings: [{resource: {stream: users}, target: nowhere}]
  b:
    endpoint: {connector: {image: airbyte/source-faker, config: {count: 5}}}
    bindngs: []
    bindings: [{resource: {stream: userz}, target: nowhere}, {target: x}]
  c: {endpoint: {connector: {image: airbyte/source-fakr, config: {}}, x: 1}}
  d: 5
  e: {endpoint: {connector: 5}, bindings: [5]}
connections:
  f:
    source: {connector: {image: airbyte/source-faker}}
    destination: {connector: {image: airbyte/destination-local-json, config: {}}}
    streams: [users, 5]
""")
    lines = firth_dev("check", path, expect=3).err.splitlines()
    assert lines.pop() == "16 errors"
    told = [line[len(str(path)) + 1:].split(": ")[0] for line in lines]
    assert told == ["3:66", "4:52", "7:5", "8:28", "8:52", "8:62", "8:71", "9:6", "9:37", "9:71", "10:6", "11:29",
                    "11:44", "14:25", "15:78", "16:22"]


def test_values_of_a_config_are_not_told(firth_dev, catalog, tmp_path):
    (tmp_path / "config.yaml").write_text("seed: 3\ncount: '${PASSWORD}'\n")
    path = catalog(a_capture(config="config.yaml"))
    result = firth_dev("check", path, expect=3, env={"PASSWORD": "hunter2"})
    assert result.err == f"{tmp_path}/config.yaml:2:1: config /count: expected integer, got a string\n"
    path = catalog(a_capture(config="{count: hunter2}"))
    rc, shown = on_a_terminal(firth_dev, "check", path)
    assert rc == 3 and "/count" in shown and "hunter2" not in shown


@pytest.mark.parametrize("words", [["run", "--once"], ["test"], ["combine", "-c", "acmeCo/users"], ["deploy", "--yes"],
                                   ["discover", "--connector", "source-faker", "--yes"]], ids=lambda words: words[0])
def test_each_verb_tells_the_same_list(firth, catalog, words):
    """Whatever loads a catalog tells all that is wrong with it, for people as for machines."""
    path = catalog(BROKEN)
    people = firth("check", path, expect=3).err
    machines = firth("check", path, "-o", "json", expect=3).out
    assert people.count("\n") == 5 and len(json.loads(machines)["errors"]) == 4
    told = firth(*words, path, expect=3)
    assert (told.out, told.err) == ("", people)
    told = firth("-o", "json", *words, path, expect=3)
    assert (told.out, told.err) == ("", machines)


def test_numbers_from_the_environment(firth, catalog):
    """What a variable holds is text, unless one of YAML's tags says otherwise."""
    untagged = catalog(a_capture(config="{count: '${COUNT}'}"))
    assert "config /count: expected integer" in firth("check", untagged, expect=3, env={"COUNT": "7"}).err
    path = catalog(a_capture(config="\n          count: !!int ${COUNT}\n          always_updated: !!bool ${UPDATED}"))
    firth("run", path, "--once", expect=0, env={"COUNT": "7", "UPDATED": "false"})
    assert len(firth.read("a")) == 7
    told = firth("check", path, expect=3, env={"COUNT": "hunter2", "UPDATED": "no"}).err.splitlines()
    assert told == [f"{path}:8:24: the environment variable COUNT does not hold a whole number, which the tag !!int wants",
                    f"{path}:9:34: the environment variable UPDATED does not hold true or false, which the tag !!bool wants",
                    "2 errors"]
    # A JSON catalog has no tags: its configs may be YAML files.
    config = catalog("count: !!int ${COUNT}\n", "config.yaml")
    path = catalog(json.dumps({"collections": {"b": {"key": ["/id"], "schema": {}}}, "captures": {"d": {
        "endpoint": {"connector": {"image": FAKER, "config": config}},
        "bindings": [{"resource": {"stream": "users"}, "target": "b"}]}}}), "flow.json")
    firth("check", path, expect=0, env={"COUNT": "7"})
