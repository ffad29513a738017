"""The kinds of stream that PyAirbyte's smoke test sends to a destination, all in one sync under append_dedup as it asks for it,
and every row compared with what was sent."""

import decimal
import json

from sql_endpoints import changes, without_own
from test_sql_destinations import endpoint, sync  # noqa: F401 (fixtures)
from test_sql_types import moment, number, parsed

I, N, S, B = {"type": "integer"}, {"type": ["null", "number"]}, {"type": ["null", "string"]}, {"type": ["null", "boolean"]}
STAMP = {"type": "string", "format": "date-time"}
ZONED = {**STAMP, "airbyte_type": "timestamp_with_timezone"}
LOCAL = {**STAMP, "airbyte_type": "timestamp_without_timezone"}
DATE, OBJECT, ARRAY = {"type": "string", "format": "date"}, {"type": ["null", "object"]}, {"type": ["null", "array"]}
D = decimal.Decimal

# name: (properties beside the key `id`, records)
STREAMS = {
    "basic_types": ({"s": S, "n": N, "b": B}, [{"id": 1, "s": "a", "n": 1.5, "b": True}, {"id": 2, "s": "", "n": -0.25, "b": False}]),
    "timestamp_types": ({"d": DATE, "z": ZONED, "l": LOCAL}, [
        {"id": 1, "d": "2024-01-15", "z": "2024-01-15T10:30:00Z", "l": "2024-01-15T10:30:00"},
        {"id": 2, "d": "1970-01-01", "z": "1970-01-01T00:00:00+00:00", "l": "1970-01-01T00:00:00"},
        {"id": 3, "d": "2099-12-31", "z": "2099-12-31T23:59:59.999999Z", "l": "2099-12-31T23:59:59.999999"}]),
    "time_types": ({"t": {"type": "string", "format": "time", "airbyte_type": "time_without_timezone"}}, [
        {"id": 1, "t": "10:30:00"}, {"id": 2, "t": "23:59:59.999999"}]),
    "large_decimals_and_numbers": ({"n": N, "i": I}, [
        {"id": 1, "n": D("99999999999999999999999999999.999999999"), "i": 2**63 - 1}, {"id": 2, "n": D("0.1"), "i": 10**25}]),
    "special_number_values": ({"n": N}, [
        {"id": 1, "n": 0}, {"id": 2, "n": D("-1E-12")}, {"id": 3, "n": D("1E+308")}, {"id": 4, "n": D("0.30000000000000004")}]),
    "nested_json_objects": ({"o": OBJECT}, [{"id": 1, "o": {"a": {"b": {"c": [1, {"d": None}]}}}}, {"id": 2, "o": {}}]),
    "array_of_primitives": ({"a": ARRAY}, [{"id": 1, "a": [1, 2, 3]}, {"id": 2, "a": ["x", None, True]}, {"id": 3, "a": []}]),
    "union_types": ({"u": {"type": ["string", "integer", "object"]}}, [{"id": 1, "u": "x"}, {"id": 2, "u": 7}, {"id": 3, "u": {"k": 1}}]),
    "null_handling": ({"s": S, "n": N, "o": OBJECT, "a": ARRAY}, [
        {"id": 1, "s": None, "n": None, "o": None, "a": None}, {"id": 2, "s": "null", "n": 0, "o": {}, "a": []}]),
    "sparse_records": ({"a": S, "b": S, "c": N}, [{"id": 1, "a": "x"}, {"id": 2, "b": "y"}, {"id": 3, "c": 1}, {"id": 4}]),
    "column_naming_edge_cases": ({name: S for name in ("CamelCase", "with space", "with-dash", "with.dot", "123start", "select", "ünïcode",
                                                       "$dollar", "trailing_", "_leading", "UPPER")}, [
        {"id": 1, "CamelCase": "a", "with space": "b", "with-dash": "c", "with.dot": "d", "123start": "e", "select": "f", "ünïcode": "g",
         "$dollar": "h", "trailing_": "i", "_leading": "j", "UPPER": "k"}]),
    "table naming-edge.cases ü": ({"s": S}, [{"id": 1, "s": "a"}]),
    "CamelCaseStreamName": ({"s": S}, [{"id": 1, "s": "a"}]),
    "long_column_names": ({"c" * 60: S, "d" * 63: S}, [{"id": 1, "c" * 60: "a", "d" * 63: "b"}]),
    "wide_table_50_columns": ({f"c{n}": S for n in range(50)}, [{"id": i, **{f"c{n}": f"{i}.{n}" for n in range(50)}} for i in (1, 2)]),
    "empty_stream": ({"s": S}, []),
    "single_record_stream": ({"s": S}, [{"id": 1, "s": "only"}]),
    "large_batch_stream": ({"s": S, "n": N}, [{"id": n, "s": f"row {n}", "n": n} for n in range(1000)]),
    "unicode_and_special_strings": ({"s": S}, [
        {"id": n, "s": s} for n, s in enumerate(["日本語", "🎉👩‍👩‍👧", "a\tb\nc\r", "'; DROP TABLE x; --", "\\N", "\"q\"", "\u202e\u0001", "é\u0301"])]),
    "large_string_values": ({"s": S}, [{"id": 1, "s": "x" * 100_000}, {"id": 2, "s": "é" * 50_000}]),
    "schema_with_no_primary_key": ({"s": S}, [{"id": 1, "s": "a"}, {"id": 1, "s": "a"}]),
    "duplicate_primary_keys": ({"s": S}, [{"id": 1, "s": "old"}, {"id": 2, "s": "b"}, {"id": 1, "s": "mid"}, {"id": 1, "s": "new"}]),
}


def encode(value):
    """JSON with every digit of a decimal."""
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {encode(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


def seen(value, schema):
    if value is None:
        return None
    if schema in (I, N):
        return number(value)
    if schema in (ZONED, LOCAL):
        return moment(value)
    if schema is B:
        return bool(value)
    if schema.get("format") in ("date", "time"):
        return str(value).removesuffix(".000000")
    return value if schema is S else parsed(value)


def sent(value, schema):
    if value is None:
        return None
    if schema in (I, N):
        return number(value)
    if schema in (ZONED, LOCAL):
        return value.replace("T", " ").removesuffix("Z").removesuffix("+00:00")
    return value


def test_every_kind(endpoint, sync):  # noqa: F811
    assert len(STREAMS) == 22
    without_key = "schema_with_no_primary_key"
    for attempt in range(2):  # sent again, nothing changes but what has no key
        sync.good({name: [encode(r).encode() for r in records] for name, (_, records) in STREAMS.items()},
                  {name: {"id": I, **properties} for name, (properties, _) in STREAMS.items()}, mode="append_dedup",
                  key={name: [["id"]] if name != without_key else [] for name in STREAMS})
        for name, (properties, records) in STREAMS.items():
            expected = {r["id"]: r for r in records}.values() if name != without_key else records * (attempt + 1)
            rows = endpoint.read(name)
            assert all(not changes(row) for row in rows), name
            found = [{column: seen(value, {"id": I, **properties}[column]) for column, value in row.items()}
                     for row in without_own(rows)]
            wanted = [{column: sent(record.get(column), schema) for column, schema in {"id": I, **properties}.items()}
                      for record in expected]
            assert sorted(found, key=lambda r: r["id"]) == sorted(wanted, key=lambda r: r["id"]), name
