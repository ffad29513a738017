"""`firth validate`: schemas on disk, drafts, formats, hostile lines."""

import json

import pytest

SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "address": {"$ref": "address.yaml#/$defs/address"}},
}
ADDRESS = """
$defs:
  address:
    properties:
      zip: {type: string, pattern: "^[0-9]{5}$"}
"""


@pytest.fixture
def schemas(tmp_path):
    folder = tmp_path / "s ä"
    folder.mkdir()
    (folder / "user.json").write_text(json.dumps(SCHEMA))
    (folder / "address.yaml").write_text(ADDRESS)
    return folder


def test_violations_as_text_and_json(firth, schemas):
    lines = b'{"name": "a", "address": {"zip": "1234"}}\n\n{"name": "b"}\nnope\n{"name": 5}'
    text = firth("validate", "--schema", schemas / "user.json", stdin=lines, expect=1)
    assert text.out.splitlines() == [
        "line 1: /address/zip: /properties/address/$ref/properties/zip/pattern: "
        'expected a string that matches ^[0-9]{5}$, got string "1234"',
        text.out.splitlines()[1],
        "line 5: /name: /properties/name/type: expected string, got integer 5",
    ]
    assert text.out.splitlines()[1].startswith("line 4: (root): (root): not valid JSON: column 1 (byte 0): ")
    assert text.out.splitlines()[1].count("line") == 1
    assert text.err == "4 documents, 3 invalid, 3 violations\n"

    machine = firth("validate", "-o", "json", "--schema", schemas / "user.json", stdin=lines, expect=1).lines()
    assert [(line["line"], line["valid"]) for line in machine] == [(1, False), (3, True), (4, False), (5, False)]
    assert machine[1] == {"line": 3, "valid": True, "keywordLocation": "", "instanceLocation": ""}
    error, = machine[0]["errors"]
    assert error["instanceLocation"] == "/address/zip"
    assert error["keywordLocation"] == "/properties/address/$ref/properties/zip/pattern"
    assert error["absoluteKeywordLocation"].endswith(
        "/s%20%C3%A4/address.yaml#/$defs/address/properties/zip/pattern")
    assert error["error"].startswith("expected a string that matches")
    assert machine[2]["errors"][0]["error"].startswith("not valid JSON: column 1")


def test_file_fragment_and_success(firth, schemas):
    documents = schemas / "documents.jsonl"
    documents.write_text('{"zip": "12345"}\r\n{"zip": "54321"}\n')
    done = firth("validate", documents, "--schema", f"{schemas}/address.yaml#/$defs/address", expect=0)
    assert done.out == "" and done.err == "2 documents, 0 invalid, 0 violations\n"


def test_members_of_the_same_name(firth, schemas):
    """The last one counts, as a collection has it; the summary says how many documents had such."""
    schema = schemas / "s.json"
    schema.write_text('{"properties": {"a": {"type": "integer"}}}')
    one = firth("validate", "-s", schema, stdin=b'{"a":"x","a":1,"b":{"c":1,"c":2}}\n{"a":1}\n', expect=0)
    assert one.out == ""
    assert one.err == ("2 documents, 0 invalid, 0 violations\n"
                       "1 document has members of the same name: the last one counts\n")
    two = firth("validate", "-s", schema, "-o", "json", stdin=b'{"a":1,"a":"x"}\n{"a":1,"a":1}\n', expect=1)
    assert json.loads(two.err) == {"summary": {
        "documents": 2, "invalid": 1, "notJudged": 0, "violations": 1, "repeated": 2}}
    two = firth("validate", "-s", schema, stdin=b'{"a":1,"a":"x"}\n{"a":1,"a":1}\n', expect=1)
    assert two.out == 'line 1: /a: /properties/a/type: expected integer, got string "x"\n'
    assert two.err.splitlines()[1] == "2 documents have members of the same name: the last one counts"


def test_depth(firth, tmp_path):
    """The limits that docs/schema.md names."""
    (tmp_path / "s.json").write_text("true")
    firth("validate", "-s", tmp_path / "s.json", stdin=b"[" * 256 + b"]" * 256, expect=0)
    assert "256" in firth("validate", "-s", tmp_path / "s.json", stdin=b"[" * 257 + b"]" * 257, expect=3).out
    for name, most in (("s.json", 256), ("s.yaml", 128)):
        schema = tmp_path / name
        schema.write_text('{"not":' * most + "{}" + "}" * most)
        assert str(most) in firth("validate", "-s", schema, stdin=b"1", expect=3).err
        schema.write_text('{"not":' * (most - 1) + "{}" + "}" * (most - 1))
        firth("validate", "-s", schema, "--draft", "7", stdin=b"", expect=0)


def test_help_shows_what_is_required(firth):
    usage = firth("validate", "--help", expect=0).out.split("Usage: ")[1].split("\n")[0]
    assert usage == ("firth validate [FILE] --schema SCHEMA [--draft 2020-12|2019-09|7|6|4] [--formats] "
                     "[--annotations all|none] [--resources DIR=BASE_URI]…")


@pytest.mark.parametrize("name", ["none.json", "none.yaml"])
def test_missing_schema_is_named_once(firth, tmp_path, name):
    result = firth("validate", "-s", tmp_path / name, expect=3)
    assert result.err == f"firth: cannot open {tmp_path / name}: No such file or directory\n"


def test_wrong_yaml_schema_is_named_with_its_place(firth, tmp_path):
    (tmp_path / "s.yaml").write_text("type: string\nmaxLength: [\n")
    err = firth("validate", "-s", tmp_path / "s.yaml", stdin=b"1", expect=3).err
    assert err.count("s.yaml") == 1 and f"{tmp_path}/s.yaml:" in err


def test_resources_in_two_folders(firth, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}.json").write_text('{"type": "integer"}')
    (tmp_path / "s.json").write_text(json.dumps(
        {"allOf": [{"$ref": f"https://example.com/s/{name}.json"} for name in ("one", "two")]}))
    mapped = [part for name in ("one", "two") for part in ("--resources", f"{tmp_path / name}=https://example.com/s/")]
    assert firth("validate", "-s", tmp_path / "s.json", *mapped, stdin=b"1", expect=0).out == ""
    (tmp_path / "two" / "one.json").write_text("false")  # the first folder that has it counts
    assert firth("validate", "-s", tmp_path / "s.json", *mapped, stdin=b"1", expect=0).out == ""
    (tmp_path / "s.json").write_text('{"$ref": "https://example.com/s/none.json"}')
    assert f"{tmp_path}/one/none.json" in firth("validate", "-s", tmp_path / "s.json", *mapped, stdin=b"1", expect=3).err


def test_resources(firth, schemas, tmp_path):
    schema = tmp_path / "main.json"
    schema.write_text('{"$ref": "https://example.com/s/user.json"}')
    mapped = ("--resources", f"{schemas}=https://example.com/s/")
    assert firth("validate", "--schema", schema, *mapped, stdin=b'{"name": "a"}', expect=0).out == ""
    assert "missing property" in firth("validate", "--schema", schema, *mapped, stdin=b"{}", expect=1).out
    unmapped = firth("validate", "--schema", schema, stdin=b"{}", expect=3)
    assert 'cannot resolve "https://example.com/s/user.json"' in unmapped.err
    (tmp_path / "secret.json").write_text("true")
    for way in ("%2e%2e/secret.json", "x/%2e%2e/%2e%2e/secret.json"):
        schema.write_text(json.dumps({"$ref": f"https://example.com/s/{way}"}))
        assert "cannot resolve" in firth("validate", "--schema", schema, *mapped, stdin=b"{}", expect=3).err


def test_draft(firth, tmp_path):
    schema = tmp_path / "s.json"
    schema.write_text('{"items": [{"type": "null"}]}')
    assert "expected object or boolean" in firth("validate", "--schema", schema, stdin=b"[1]", expect=3).err
    assert "/items/0/type" in firth("validate", "--schema", schema, "--draft", "7", stdin=b"[1]", expect=1).out


def test_every_draft(firth, tmp_path):
    """What tells them apart: `id`, exclusiveMinimum as a flag, if, items as a list, prefixItems."""
    schema = tmp_path / "s.json"
    for text, document, drafts in (
            ('{"minimum": 1, "exclusiveMinimum": true}', b"1", {"4"}),
            ('{"if": true, "then": false}', b"1", {"7", "2019-09", "2020-12"}),
            ('{"const": 2}', b"1", {"6", "7", "2019-09", "2020-12"}),
            ('{"dependentRequired": {"a": ["b"]}}', b'{"a":1}', {"2019-09", "2020-12"}),
            ('{"items": [false]}', b"[1]", {"6", "7", "2019-09"}),
            ('{"prefixItems": [false]}', b"[1]", {"2020-12"}),
            ('{"$recursiveRef": "#/x", "x": false}', b"1", {"2019-09"})):
        schema.write_text(text)
        refused = {draft for draft in ("4", "6", "7", "2019-09", "2020-12")
                   if firth("validate", "-s", schema, "--draft", draft, stdin=document).rc == 1}
        assert refused == drafts, text


def test_formats(firth, tmp_path):
    schema = tmp_path / "s.json"
    schema.write_text('{"properties": {"at": {"format": "date-time"}, "x": {"format": "of my own"}}}')
    documents = b'{"at": "2026-01-31T08:30:06Z", "x": ""}\n{"at": "31.1.2026"}\n{"at": 5}\n'
    assert firth("validate", "-s", schema, stdin=documents, expect=0).out == ""
    assert firth("validate", "-s", schema, "--formats", stdin=documents, expect=1).out == (
        "line 2: /at: /properties/at/format: expected the format date-time, like 2026-01-31T08:30:06Z, "
        'got string "31.1.2026"\n')


@pytest.mark.parametrize("schema, message", [
    ('{"type": "strng"}', 'did you mean "string"?'),
    ('{"$schema": 5}', "$schema is 5"),
    ('{"$ref": "#/$defs/none"}', "has nothing at"),
    ('{"$ref": "#"}', "refers to itself"),
    ("{", "line 1"),
])
def test_wrong_schemas(firth_dev, tmp_path, schema, message):
    path = tmp_path / "s.json"
    path.write_text(schema)
    result = firth_dev("validate", "--schema", path, stdin=b"{}", expect=3)
    assert message in result.err and result.out == ""


def test_all_that_is_wrong_with_a_schema(firth_dev, tmp_path):
    schema = {"required": "id", "properties": {"a": {"type": "strng", "pattern": "["}, "b": {"$ref": "#/$defs/none"},
                                               "c": {"patternProperties": {"(": {}, "[": 5}}}}
    path = tmp_path / "s.json"
    path.write_text(json.dumps(schema))
    lines = firth_dev("validate", "--schema", path, stdin=b"{}", expect=3).err.splitlines()
    assert lines[0] == "firth: the schema has 7 errors:"
    places = ["required", "properties/a/type", "properties/a/pattern", "properties/b/$ref",
              "properties/c/patternProperties/(", "properties/c/patternProperties/[", "properties/c/patternProperties/["]
    assert [line.split(": ")[0] for line in lines[1:]] == [f"  {path}#/{place}" for place in places], lines
    assert f'{path} has nothing at "/$defs/none"' in lines[4]
    path.write_text(json.dumps({"properties": {str(n): {"type": n} for n in range(1000)}}))
    message = firth_dev("validate", "--schema", path, stdin=b"{}", expect=3).err
    assert "the schema has 50 or more errors" in message and message.endswith("  and others\n")


def test_wrong_command_lines(firth, tmp_path):
    assert "--schema is missing" in firth("validate", expect=2).err
    assert "cannot open" in firth("validate", "--schema", tmp_path / "none.json", expect=3).err
    assert "must be a folder, = and a URI" in firth("validate", "--schema", "x", "--resources", "y", expect=3).err
    (tmp_path / "s.json").write_text("true")
    assert "cannot read" in firth("validate", "--schema", tmp_path / "s.json", tmp_path / "none", expect=3).err


def test_lines_of_any_length(firth, tmp_path):
    """A document of 60 MB is judged, one past the limit is not, and the next line is read again."""
    schema = tmp_path / "s.json"
    schema.write_text('{"type": "string", "maxLength": 61000000}')
    documents = tmp_path / "d.jsonl"
    with documents.open("wb") as file:
        file.write(b'"' + b"x" * 60_000_000 + b'"\n')
        file.write(b'"' + b"y" * 150_000_000 + b'"\n')
        file.write(b'"' + b"z" * 62_000_000 + b'"\n')
        file.write(b'"\x1b[31m\n5\n')
    result = firth("validate", documents, "--schema", schema, expect=1)
    lines = result.out.splitlines()
    assert lines[0] == "line 2: not judged: line is longer than 64 MiB"
    assert lines[1].startswith("line 3: (root): /maxLength: expected at most 61000000 characters, got 62000000: string \"zzz")
    assert lines[2].startswith("line 4: (root): (root): not valid JSON")
    assert lines[3] == "line 5: (root): /type: expected string, got integer 5"
    assert "\x1b" not in result.out and len(result.out) < 2000
    assert result.err == "5 documents, 3 invalid, 1 not judged, 3 violations\n"


def test_what_is_not_told_is_said(firth, tmp_path):
    """More violations than are shown, and lines that could not be judged."""
    schema = tmp_path / "schema.json"
    schema.write_text('{"items": {"type": "string"}}')
    given = json.dumps([1] * 100) + "\n" + json.dumps([1] * 101) + "\nx\n"
    result = firth("validate", "--schema", schema, "-o", "json", stdin=given, expect=1)
    exact, more, broken = map(json.loads, result.out.splitlines())
    assert len(exact["errors"]) == len(more["errors"]) == 100
    assert "truncated" not in exact and more["truncated"] is True
    assert "judged" not in more and broken["judged"] is False and broken["valid"] is False
    text = firth("validate", "--schema", schema, stdin=given, expect=1).out.splitlines()
    assert [line for line in text if "and more" in line] == ["line 2: and more: the first 100 are shown"]


# Coming from "ends" the reference in "other" means an integer, from "loops" itself.
LOOP = {"$id": "http://x/r", "properties": {"good": {"$ref": "ends#/$defs/in"}, "bad": {"$ref": "loops"}}, "$defs": {
    "e": {"$id": "ends", "$dynamicAnchor": "t", "type": "integer", "$defs": {"in": {"$ref": "other"}}},
    "o": {"$id": "other", "$dynamicAnchor": "t", "$dynamicRef": "#t"},
    "l": {"$id": "loops", "$dynamicAnchor": "t", "allOf": [{"type": "integer"}, {"minimum": 1, "$ref": "other"}]}}}


@pytest.mark.parametrize("schema, line, words", [
    (LOOP, '{"bad": 1}', "refers to itself, by a dynamic reference"),
    ({"pattern": "^(a|a|(a|aa)+)+$"}, json.dumps("a" * 40 + "b"), "the pattern in schema "),
    ({}, "[" * 300 + "]" * 300, "nested more than 256 deep"),
])
def test_what_cannot_be_judged(firth, tmp_path, schema, line, words):
    """It is an error, not invalid: in the text, the sum and the exit code."""
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(schema))
    alone = firth("validate", "--schema", path, stdin=f"null\n{line}\n", expect=3)
    assert alone.out.startswith("line 2: not judged: ") and words in alone.out and alone.out.count("\n") == 1
    assert alone.err == "2 documents, 0 invalid, 1 not judged, 0 violations\n"
    machine = firth("validate", "--schema", path, "-o", "json", stdin=line, expect=3).lines()
    assert machine[0]["judged"] is False and machine[0]["valid"] is False and words in machine[0]["errors"][0]["error"]
    both = firth("validate", "--schema", path, stdin=f"{line}\nno\n", expect=1)
    assert both.err == "2 documents, 1 invalid, 1 not judged, 1 violation\n"


def test_annotations(firth, tmp_path):
    """What the schema says about valid documents, where and by which way; nothing about others."""
    (tmp_path / "s.json").write_text(json.dumps({
        "$id": "https://example.com/s", "title": "List", "items": {"$ref": "#/$defs/n"},
        "$defs": {"n": {"type": "integer", "x-unit": {"of": ["time", 1.10]}}}}, indent=1))
    given = b"[1,2]\n[1,false]\n[]\n"
    valid, wrong, empty = map(json.loads, firth("validate", "-s", tmp_path / "s.json", "-o", "json", stdin=given,
                                                expect=1).out.splitlines())
    assert valid["annotations"][0] == {
        "valid": True, "keywordLocation": "/title", "absoluteKeywordLocation": "https://example.com/s#/title",
        "instanceLocation": "", "annotation": "List"}
    assert valid["annotations"][1:] == [{
        "valid": True, "keywordLocation": "/items/$ref/x-unit",
        "absoluteKeywordLocation": "https://example.com/s#/$defs/n/x-unit", "instanceLocation": f"/{i}",
        "annotation": {"of": ["time", 1.10]}} for i in range(2)]
    assert "annotations" not in wrong and "errors" in wrong and len(empty["annotations"]) == 1
    none = firth("validate", "-s", tmp_path / "s.json", "-o", "json", "--annotations", "none", stdin=given, expect=1)
    assert "annotation" not in none.out


def test_annotations_are_bounded(firth, tmp_path):
    """In number and in size; finding where they stand costs one walk over the document."""
    (tmp_path / "s.json").write_text('{"items": {"properties": {"b": {"title": "t"}}}}')
    many = "[" + ",".join(['{"a":1}'] * 1_000_000 + ['{"a":{"c":[2]},"b":1}'] * 10_001) + "]"
    out = json.loads(firth("validate", "-s", tmp_path / "s.json", "-o", "json", stdin=many, expect=0).out)
    assert len(out["annotations"]) == 10_000 and out["truncated"] is True
    assert [out["annotations"][i]["instanceLocation"] for i in (0, -1)] == ["/1000000/b", "/1009999/b"]
    (tmp_path / "s.json").write_text(json.dumps({"items": {"examples": ["x" * 1_000_000]}}))
    result = firth("validate", "-s", tmp_path / "s.json", "-o", "json", stdin=json.dumps([1] * 1000), expect=0)
    assert len(result.out) < 18_000_000 and json.loads(result.out)["truncated"] is True


def test_nothing_steers_a_terminal(firth, tmp_path):
    """Names and values of documents and schemas, in lines for people and in errors."""
    evil = "a\u009b31m\u202e\u2066\u2028\u200f\x7f"
    (tmp_path / "s.json").write_text(json.dumps({"additionalProperties": {"const": evil}}, ensure_ascii=False))
    out = firth("validate", "-s", tmp_path / "s.json", stdin=json.dumps({evil: evil + "b"}, ensure_ascii=False), expect=1).out
    assert out.count("a\\u009b31m\\u202e\\u2066\\u2028\\u200f\\u007f") == 4 and not set(evil[1:]) - set("31m") & set(out)
    (tmp_path / "s.json").write_text(json.dumps({"pattern": evil + "("}, ensure_ascii=False))
    err = firth("validate", "-s", tmp_path / "s.json", stdin="1", expect=3).err
    assert "\\u202e" in err and not set(evil[1:]) - set("31m") & set(err)
    (tmp_path / "s.json").write_text('{"additionalProperties": false}')
    out = firth("validate", "-s", tmp_path / "s.json", stdin=json.dumps({"ä" * 10_000: 1}, ensure_ascii=False), expect=1).out
    assert "ä…: /additionalProperties: unexpected property" in out and len(out) < 500


def test_geojson(firth, tmp_path):
    """What a person reads of a wrong feature: the geometry that was meant, told by its type two levels down."""
    def shape(name, coordinates):
        return {"required": ["type", "coordinates"],
                "properties": {"type": {"enum": [name]}, "coordinates": coordinates}}
    position = {"type": "array", "minItems": 2, "items": {"type": "number"}}
    geometries = [shape("Point", position), shape("LineString", {"type": "array", "minItems": 2, "items": position})]
    feature = {"required": ["type", "geometry", "properties"], "properties": {
        "type": {"enum": ["Feature"]}, "geometry": {"oneOf": [{"type": "null"}, *geometries]}}}
    (tmp_path / "s.json").write_text(json.dumps({"oneOf": [*geometries, feature]}))
    given = [{"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[1, 2]]}},
             {"type": "Feature", "properties": {}, "geometry": {"type": "Linestring"}},
             {"type": "point"}]
    lines = firth("validate", "-s", tmp_path / "s.json", stdin="".join(json.dumps(one) + "\n" for one in given),
                  expect=1).out.splitlines()
    at = "/oneOf/2/properties/geometry/oneOf"
    told = 'line {}: (root): /oneOf: matches none of 3 alternatives; the nearest is /oneOf/2, told by string "Feature" at /type'
    assert lines == [
        f"line 1: /geometry/coordinates: {at}/2/properties/coordinates/minItems: expected at least 2 items, got 1",
        f"line 1: /geometry: {at}: matches none of 3 alternatives; the nearest is /oneOf/2, "
        'told by string "LineString" at /type',
        told.format(1),
        f'line 2: /geometry/type: {at}: by this value 3 alternatives are told apart: expected one of "Point", '
        '"LineString", got string "Linestring"; did you mean "LineString"?',
        told.format(2),
        'line 3: /type: /oneOf: by this value 3 alternatives are told apart: expected one of "Point", "LineString", '
        '"Feature", got string "point"; did you mean "Point"?']
