"""`firth infer`: schemas from documents, widened, limited; locations; errors that name the line."""

import json

import pytest

DOCUMENTS = [
    {"id": 1, "name": "Ada", "at": "2026-01-31T08:30:06Z", "tags": ["a", "b"], "score": 12.5},
    {"id": 2, "name": None, "at": "2026-02-01T08:30:06+01:00", "tags": []},
    {"id": 30, "name": "Grace", "at": "2026-02-02T08:30:06Z", "tags": ["c"], "more": {"x": True}},
]


def lines(documents):
    return "".join(json.dumps(document) + "\n" for document in documents).encode()


def test_schema_of_documents(firth, tmp_path):
    whole = firth("infer", stdin=lines(DOCUMENTS), expect=0)
    schema = json.loads(whole.out)
    assert whole.out.startswith('{\n  "$schema"')
    assert whole.err == "3 documents; the last that changed the schema is number 3\n"
    assert schema["required"] == ["at", "id", "name", "tags"]
    assert schema["properties"]["at"]["format"] == "date-time"
    assert schema["properties"]["name"]["type"] == ["null", "string"]
    assert schema["properties"]["id"] == {"type": "integer", "minimum": 1, "maximum": 100}

    compact = firth("infer", "-o", "json", stdin=lines(reversed(DOCUMENTS)), expect=0).out
    assert compact.count("\n") == 1 and json.loads(compact) == schema
    (tmp_path / "schema.json").write_text(compact)
    assert firth("validate", "--schema", tmp_path / "schema.json", stdin=lines(DOCUMENTS), expect=0).out == ""
    again = firth("infer", "-o", "json", "--base", tmp_path / "schema.json", stdin=lines(DOCUMENTS), expect=0)
    assert again.out == compact and json.loads(again.err) == {"summary": {"documents": 3, "settled": 0}}


def test_files_in_any_division(firth, tmp_path):
    paths = []
    for number, document in enumerate(DOCUMENTS):
        paths.append(tmp_path / f"{number}.jsonl")
        paths[-1].write_bytes(lines([document]))
    together = firth("infer", stdin=lines(DOCUMENTS), expect=0).out
    assert firth("infer", *paths, expect=0).out == together
    assert firth("infer", paths[2], "-", paths[0], stdin=lines(DOCUMENTS[1:2]), expect=0).out == together


def test_no_documents(firth):
    nothing = firth("infer", stdin=b"\n \n", expect=0)
    assert nothing.out == "false\n" and nothing.err == "0 documents; none changes the schema\n"


@pytest.mark.parametrize("option, count, depth", [(("--max-fields", "5"), 5, 2), (("--max-depth", "1"), 8, 1)])
def test_limits(firth, tmp_path, option, count, depth):
    documents = [{f"m{i}": {"a": {"b": i}} for i in range(4)}, {f"m{i}": 1 for i in range(8)}]
    found = firth("infer", "--locations", "-o", "json", *option, stdin=lines(documents), expect=0).lines()
    named = [line["ptr"] for line in found if line["ptr"] and not line["ptr"].endswith("/*")]
    assert len(named) <= count and all(pointer.count("/") <= depth for pointer in named)
    schema = firth("infer", *option, stdin=lines(documents), expect=0).out
    (tmp_path / "schema.json").write_text(schema)
    firth("validate", "--schema", tmp_path / "schema.json", stdin=lines(documents), expect=0)


def test_widens_a_schema_in_another_file(firth, tmp_path):
    (tmp_path / "types.yaml").write_text("$defs: {id: {type: integer, title: Number}}\n")
    (tmp_path / "base.yaml").write_text(
        "user:\n  type: object\n  properties: {id: {$ref: 'types.yaml#/$defs/id'}, far: {$ref: 'http://x.example/f.json'}}\n"
        "  required: [id]\n  additionalProperties: false\n")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "f.json").write_text('{"type": "null"}')
    done = firth("infer", "-o", "json", "--base", f"{tmp_path}/base.yaml#/user",
                 "--resources", f"{tmp_path}/far=http://x.example/", stdin=b'{"id": "x", "new": true}\n', expect=0)
    assert json.loads(done.out) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["id"],
        "properties": {"far": {"type": "null"}, "new": {"type": "boolean"}, "id": {
            "title": "Number", "type": ["integer", "string"], "minLength": 1, "maxLength": 1}},
        "additionalProperties": False}


def test_locations(firth, tmp_path):
    table = firth("infer", "--locations", stdin=lines(DOCUMENTS), expect=0).out.splitlines()
    assert table[0].split() == ["LOCATION", "EXISTS", "TYPES", "FORMAT", "BOUNDS"]
    assert table[1].split() == ["(root)", "must", "object"]
    assert "/more/x" in [row.split()[0] for row in table]
    (tmp_path / "s.json").write_text(json.dumps({
        "type": "object", "properties": {"a/b": {"enum": ["\x1b[31m", 7]}}, "additionalProperties": {"type": "null"}}))
    # A schema alone reads no documents; nothing of it steers the terminal.
    table = firth("infer", "--locations", "--base", tmp_path / "s.json", stdin=b"no document", expect=0)
    assert table.err == "" and "\x1b" not in table.out and "/a~1b" in table.out
    machine = firth("infer", "--locations", "-o", "json", "--base", tmp_path / "s.json", expect=0).lines()
    assert machine == [
        {"ptr": "", "field": "flow_document", "inference": {"types": ["object"], "exists": "MUST"}},
        {"ptr": "/a~1b", "field": "a~1b", "inference": {"types": ["integer", "string"], "exists": "MAY", "string": {},
                                                        "enum": ["\x1b[31m", 7]}},
        {"ptr": "/*", "pattern": True, "inference": {"types": ["null"], "exists": "MAY"}}]


@pytest.mark.parametrize("documents, message", [
    (b'{"a": 1}\n\n{"a": }\n', "line 3: not valid JSON: column 7 "),
    (b"[" * 300 + b"]" * 300, "line 1: not valid JSON: "),
    (b'{}\n"\xff"\n', "line 2: not valid JSON: "),
])
def test_a_bad_line_ends_it(firth, tmp_path, documents, message):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(documents)
    done = firth("infer", path, expect=3)
    assert done.out == "" and done.err.startswith(f"firth: {path}: {message}")


@pytest.mark.parametrize("arguments, code, message", [
    (["/no/such/file"], 3, "cannot read /no/such/file"),
    (["--base", "/no/such/schema.json"], 3, "/no/such/schema.json"),
    (["--max-fields", "0"], 2, "--max-fields"),
    (["--max-depth", "65"], 2, "--max-depth"),
    (["--max-fields", "lots"], 2, "lots"),
    (["--bsae", "x"], 2, "did you mean --base?"),
])
def test_wrong_arguments(firth, arguments, code, message):
    done = firth("infer", *arguments, expect=code)
    assert message in done.err and done.out == ""


def test_a_base_that_is_no_schema(firth, tmp_path):
    (tmp_path / "s.json").write_text('{"type": "objekt"}')
    done = firth("infer", "--base", tmp_path / "s.json", stdin=b"{}", expect=3)
    assert "objekt" in done.err and 'did you mean "object"?' in done.err


def test_locations_of_prefix_items(firth, tmp_path):
    schema = {"type": "array", "minItems": 1, "items": {"type": "boolean"},
              "prefixItems": [{"type": "integer"}, {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}]}
    (tmp_path / "s.json").write_text(json.dumps(schema))
    found = firth("infer", "--locations", "-o", "json", "--base", tmp_path / "s.json", expect=0).lines()
    assert [(one["ptr"], one["inference"]["exists"], one["inference"]["types"]) for one in found] == [
        ("", "MUST", ["array"]), ("/0", "MUST", ["integer"]), ("/1", "MAY", ["object"]), ("/1/a", "MAY", ["string"]),
        ("/-", "MAY", ["boolean"])]
    old = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "array", "items": [{"type": "null"}],
           "additionalItems": {"type": "string"}}
    (tmp_path / "s.json").write_text(json.dumps(old))
    table = firth("infer", "--locations", "--base", tmp_path / "s.json", expect=0).out.splitlines()
    assert [line.split() for line in table[2:]] == [["/0", "may", "null"], ["/-", "may", "string"]]


def test_order_beyond_the_limits(firth, tmp_path):
    """Names that come late but stand first in order push out those that came before."""
    given = [{f"n{i * 7919 % 5000:04}": i, "x": {f"k{i % 40}": [i]}} for i in range(5000)]
    schemas = {firth("infer", "-o", "json", "--max-fields", limit, stdin=lines(documents), expect=0).out
               for limit in ["100", "4999"] for documents in [given, given[::-1], sorted(given, key=str)]}
    assert len(schemas) == 2
