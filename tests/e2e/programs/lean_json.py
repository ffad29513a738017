"""json's loads, dumps, load and dump, without what `import json` costs: its regular expressions and their enumerations are half of
what a program of this folder takes to start, and the tests start thousands. CPython's own scanner and encoder do the work."""

from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner


class Strictly:
    """What the scanner asks its context for."""
    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float


scan = make_scanner(Strictly)


def loads(text):
    text = (text.decode() if isinstance(text, bytes) else text).strip(" \t\r\n")
    try:
        value, end = scan(text, 0)
    except StopIteration:
        end = -1
    if end != len(text):
        raise ValueError(f"not one JSON value: {text[:200]!r}")
    return value


def refuse(value):
    raise TypeError(f"no JSON can be made of {value!r}")


def dumps(value, separators=(", ", ": "), ensure_ascii=True):
    string = encode_basestring_ascii if ensure_ascii else encode_basestring
    item, key = separators
    return "".join(make_encoder({}, refuse, string, None, key, item, False, False, True)(value, 0))


def load(file):
    return loads(file.read())


def dump(value, file):
    file.write(dumps(value))
