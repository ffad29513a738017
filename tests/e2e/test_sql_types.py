"""Type by type: edge values through a destination that is a database and back, compared exactly."""

import base64
import datetime
import decimal
import json

import sql_endpoints
from sql_endpoints import changes
from test_sql_destinations import endpoint, sync  # noqa: F401 (fixtures)

CAST, SIZE, BYTES = "DESTINATION_TYPECAST_ERROR", "DESTINATION_FIELD_SIZE_LIMITATION", "DESTINATION_SERIALIZATION_ERROR"
NULLED = object()


def number(value):
    """Whatever a database gives for a number, as an exact decimal."""
    return value if value is None else decimal.Decimal(repr(value) if isinstance(value, float) else str(value))


def moment(value):
    if isinstance(value, str):
        value = value.removesuffix("+00:00").removesuffix("+00")
        return value.removesuffix(".000000")
    if isinstance(value, datetime.datetime) and value.tzinfo:
        value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return value and str(value).removesuffix(".000000")


def clock(value):
    return value and str(value).removesuffix(".000000").replace(".000000+", "+")


def parsed(value):
    return json.loads(value, parse_float=decimal.Decimal) if isinstance(value, str) else value


def octets(value):
    return None if value is None else bytes(value)


def same(value):
    return value


STRING = {"type": "string"}
ZONED = {"type": "string", "format": "date-time", "airbyte_type": "timestamp_with_timezone"}
LOCAL = {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"}

# schema, how to look at what comes back, [(value as JSON, what comes back)]
TYPES = {
    "integer": ({"type": "integer"}, number, [
        ("0", 0), ("-1", -1), ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -2**63), ("1.0", 1), ("1e3", 1000),
        ('"12"', 12), ('"15001.000000000"', 15001), ("1.5", NULLED), ('"x"', NULLED), ("true", NULLED), ('""', NULLED),
        ("[1]", NULLED), ("null", None)]),
    "airbyte_integer": ({"type": "number", "airbyte_type": "integer"}, number, [("7", 7), ("2.5", NULLED)]),
    "number": ({"type": "number"}, number, [
        ("0", 0), ("-0.0", 0), ("0.1", "0.1"), ("1e-7", "1e-7"), ("1.7976931348623157e308", "1.7976931348623157e308"),
        ("5e-324", "5e-324"), ("0.30000000000000004", "0.30000000000000004"), ("123456.78", "123456.78"),
        ('"3.25"', "3.25"), ('"abc"', NULLED), ('"0x10"', NULLED), ('"NaN"', NULLED), ("false", NULLED)]),
    "big_number": ({"type": "number"}, number, [
        ("12345678901234567890.10", "12345678901234567890.10"), ("0.1", "0.1"), ("3", 3),
        ("99999999999999999999999999999999999999.999999999", "99999999999999999999999999999999999999.999999999"),
        ("1E400", "1E400"), ("-1e-400", "-1e-400"), ("123456789012345678", 123456789012345678)]),
    "boolean": ({"type": "boolean"}, lambda v: v if v is None else bool(v), [
        ("true", True), ("false", False), ('"true"', True), ('"yes"', NULLED), ("1", NULLED)]),
    "string": (STRING, same, [
        ('""', ""), ('"plain"', "plain"), ('"tab\\tline\\nback\\\\slash\\r"', "tab\tline\nback\\slash\r"),
        ('"\\\\N"', "\\N"), ('"quote\'s \\"both\\""', "quote's \"both\""), ('"grün 😀 \\ud83d\\ude00"', "grün 😀 😀"),
        ('"\\u0001\\u007f"', "\x01\x7f"), ("12.50", "12.50"), ("true", "true"), ('{"a": 1}', '{"a": 1}'),
        ('"' + "x" * 1_000_000 + '"', "x" * 1_000_000)]),
    "date": ({"type": "string", "format": "date"}, lambda v: v and str(v), [
        ('"2024-02-29"', "2024-02-29"), ('"0001-01-01"', "0001-01-01"), ('"9999-12-31"', "9999-12-31"),
        ('"1970-01-01"', "1970-01-01"), ('"2023-02-29"', NULLED), ('"2024-13-01"', NULLED), ('"today"', NULLED),
        ('"2024-01-01T00:00:00Z"', NULLED), ("20240101", NULLED)]),
    "time": ({"type": "string", "format": "time", "airbyte_type": "time_without_timezone"}, clock, [
        ('"00:00:00"', "00:00:00"), ('"23:59:59.999999"', "23:59:59.999999"), ('"12:34"', "12:34:00"),
        ('"12:34:56Z"', "12:34:56"), ('"12:34:56+02:00"', NULLED), ('"25:00:00"', NULLED), ('"noon"', NULLED)]),
    "zoned_time": ({"type": "string", "format": "time", "airbyte_type": "time_with_timezone"}, clock, [
        ('"12:34:56Z"', "12:34:56+00:00"), ('"12:34:56.5-03:30"', "12:34:56.500000-03:30"), ('"12:34:60+1"', NULLED)]),
    "zoned": (ZONED, moment, [
        ('"2024-01-31T23:30:00Z"', "2024-01-31 23:30:00"), ('"2024-01-31T23:30:00.123456-05:30"', "2024-02-01 05:00:00.123456"),
        ('"2024-01-31 23:30:00"', "2024-01-31 23:30:00"), ('"2024-01-31"', "2024-01-31 00:00:00"),
        ('"1969-12-31T23:59:59.000001Z"', "1969-12-31 23:59:59.000001"), ('"0001-01-01T00:00:00Z"', "0001-01-01 00:00:00"),
        ('"9999-12-31T23:59:59.999999+00"', "9999-12-31 23:59:59.999999"), ('"2016-12-31T23:59:60Z"', "2017-01-01 00:00:00"),
        ('"2024-01-31T24:00:00Z"', "2024-02-01 00:00:00"), ('"2024-01-31T25:00:00Z"', NULLED), ('"soon"', NULLED),
        ("1700000000", NULLED)]),
    "local": (LOCAL, moment, [
        ('"2024-01-31T23:30:00"', "2024-01-31 23:30:00"), ('"2024-01-31T23:30:00.5Z"', "2024-01-31 23:30:00.500000"),
        ('"2024-01-31T23:30:00+01:00"', NULLED)]),
    "bytes": ({"type": "string", "contentEncoding": "base64"}, octets, [
        ('""', b""), (json.dumps(base64.b64encode(bytes(range(256))).decode()), bytes(range(256))), ('"aGk"', b"hi"),
        ('"-_8="', b"\xfb\xff"), ('"no base64!"', NULLED), ('"a"', NULLED)]),
    "object": ({"type": "object"}, parsed, [
        ("{}", {}), ('{"a": {"b": [1, null, "x\\u00e9"]}}', {"a": {"b": [1, None, "xé"]}}), ("[1, 2]", [1, 2]), ('"s"', "s"),
        ('{"n": 12345678901234567890.10}', {"n": decimal.Decimal("12345678901234567890.10")})]),
    "array": ({"type": "array"}, parsed, [("[]", []), ('[[1], {"a": []}]', [[1], {"a": []}])]),
    "union": ({"type": ["string", "integer", "null"]}, parsed, [('"12"', "12"), ("12", 12), ("null", None)]),
    "one_of": ({"oneOf": [{"type": "string"}, {"type": "object"}]}, parsed, [('"a\\"b"', 'a"b'), ('{"a": 1}', {"a": 1})]),
    "anything": ({}, parsed, [("true", True), ("1.5", decimal.Decimal("1.5")), ('"x"', "x")]),
}


def test_types(endpoint, sync):  # noqa: F811
    """A stream of each, in one sync."""
    sync.good({name: [b'{"i": %d, "v": %s}' % (i, value.encode()) for i, (value, _) in enumerate(cases)] for name, (_, _, cases) in TYPES.items()},
              {name: {"i": {"type": "integer"}, "v": schema} for name, (schema, _, _) in TYPES.items()})
    for name, (_, look, cases) in TYPES.items():
        rows = {row["i"]: row for row in endpoint.read(name)}
        assert len(rows) == len(cases), name
        for i, (value, expected) in enumerate(cases):
            back = rows[i]["v"]
            if expected is NULLED:
                assert back is None and changes(rows[i]) == {"v": ("NULLED", CAST)}, (name, value)
                continue
            if look is number and expected is not None:
                expected = number(expected)
            assert look(back) == expected, (name, value)
            assert changes(rows[i]) == {}, (name, value)


def test_beyond_microseconds(endpoint, sync):  # noqa: F811
    """What is finer than the column is cut off, and said."""
    sync.good([{"v": "2024-01-01T00:00:00.123456789Z"}, {"v": "2024-01-01T00:00:00.1234560000000Z"}], {"v": ZONED})
    first, second = endpoint.read("users")
    assert moment(second["v"]) == "2024-01-01 00:00:00.123456" and changes(second) == {}
    if sql_endpoints.keeps_nanoseconds(endpoint):
        assert moment(first["v"]) == "2024-01-01 00:00:00.123456789" and changes(first) == {}
    else:
        assert moment(first["v"]) == "2024-01-01 00:00:00.123456" and changes(first) == {"v": ("TRUNCATED", SIZE)}


def test_keys_beyond_microseconds(endpoint, sync):  # noqa: F811
    """Two keys never become one: they are kept apart, or refused."""
    records = [{"v": f"2024-01-01T00:00:00.12345678{n}Z"} for n in (8, 9)]
    session = sync(records, {"v": ZONED}, mode="append_dedup", key=[["v"]])
    if sql_endpoints.keeps_nanoseconds(endpoint):
        assert session.rc == 0 and len(endpoint.read("users")) == 2
    else:
        assert session.rc == 3 and 'the key\'s field "v" is finer than its column' in session.errors()[0]["message"], session
        sync.good([{"v": "2024-01-01T00:00:00.123456000Z"}] * 2, {"v": ZONED}, mode="append_dedup", key=[["v"]])
        assert len(endpoint.read("users")) == 1


def test_nul_characters(endpoint, sync):  # noqa: F811
    """Held where the database can; otherwise null, and said."""
    sync.good([b'{"i":1,"s":"a\\u0000b","o":{"x":"\\u0000"}}', b'{"i":2,"s":"\\\\u0000","o":{"x":"\\\\u0000"}}'],
              {"i": {"type": "integer"}, "s": STRING, "o": {"type": "object"}})
    first, second = endpoint.read("users")
    assert (second["s"], parsed(second["o"]), changes(second)) == ("\\u0000", {"x": "\\u0000"}, {})
    if sql_endpoints.keeps_nul(endpoint):
        assert (first["s"], parsed(first["o"]), changes(first)) == ("a\0b", {"x": "\0"}, {})
    else:
        assert first["s"] is None and first["o"] is None
        assert changes(first) == {"s": ("NULLED", BYTES), "o": ("NULLED", BYTES)}


def test_infinite_times(endpoint, sync):  # noqa: F811
    properties = {"d": {"type": "string", "format": "date"}, "t": LOCAL, "z": ZONED}
    sync.good([{"d": sign + "infinity", "t": sign + "infinity", "z": sign + "infinity"} for sign in ("", "-")], properties)
    rows = endpoint.read_text("users", "dtz")
    assert [[value.replace("infinity", "inf") for value in row] for row in rows] == [["inf"] * 3, ["-inf"] * 3]


def test_changes_of_the_source(endpoint, sync):  # noqa: F811
    """What a source says of its record is kept, before what the destination adds."""
    theirs = {"field": "big", "change": "TRUNCATED", "reason": "SOURCE_RECORD_SIZE_LIMITATION"}
    line = json.loads(sql_endpoints.encode_record("users", {"i": 1, "big": "x", "v": "no number"}))
    line["record"]["meta"] = {"changes": [theirs]}
    runner, properties = sync.runner, {"i": {"type": "integer"}, "big": STRING, "v": {"type": "number"}}
    plain = sql_endpoints.encode_record("users", {"i": 2})
    catalog = {"streams": [{"stream": {"name": "users", "json_schema": {"type": "object", "properties": properties},
                                       "supported_sync_modes": ["full_refresh"]}, "sync_mode": "full_refresh",
                            "destination_sync_mode": "append"}]}
    session = runner("write", stdin=json.dumps(line).encode() + b"\n" + plain + b"\n", config=endpoint.config(), catalog=catalog)
    assert session.rc == 0, session
    first, second = endpoint.read("users")
    assert sql_endpoints.meta(first)["changes"] == [theirs, {"field": "v", "change": "NULLED", "reason": CAST}]
    assert sql_endpoints.meta(second) == {"changes": []} and second["_airbyte_generation_id"] is None
