"""What programs/template_eval.c does, with the real CDK: a line of JSON with what to evaluate, a line with the value
and its types. Run in the environment of requirements/airbyte-cdk.txt."""

import datetime
import json
import sys
import types
import warnings

from airbyte_cdk.sources.declarative.datetime.datetime_parser import DatetimeParser
from airbyte_cdk.sources.declarative.interpolation import jinja, macros
from airbyte_cdk.sources.declarative.interpolation.interpolated_boolean import InterpolatedBoolean
from airbyte_cdk.sources.declarative.interpolation.interpolated_mapping import InterpolatedMapping
from airbyte_cdk.sources.declarative.interpolation.interpolated_nested_mapping import InterpolatedNestedMapping
from airbyte_cdk.sources.declarative.interpolation.interpolated_string import InterpolatedString
from airbyte_cdk.sources.types import Record, StreamSlice
from dateutil import parser

TYPES = [str, int, float, bool, list, dict]


class OfDatetime(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, datetime.datetime)


class FixedDatetime(metaclass=OfDatetime):
    """datetime.datetime, with a clock that stands."""
    at = datetime.datetime.now(datetime.timezone.utc)
    strptime = datetime.datetime.strptime

    @classmethod
    def now(cls, tz=None):
        return cls.at.astimezone(tz)


macros.datetime = types.SimpleNamespace(datetime=FixedDatetime, timezone=datetime.timezone, date=datetime.date,
                                        timedelta=datetime.timedelta)


def typed(value):
    kind = type(value)
    if isinstance(value, (list, tuple, set)):
        return [kind.__name__, [typed(item) for item in value]]
    if isinstance(value, (dict, StreamSlice, Record)):
        return ["dict", [[typed(key), typed(item)] for key, item in value.items()]]
    if isinstance(value, str):
        return ["str", str(value)]
    if isinstance(value, (datetime.date, datetime.timedelta)):
        return [f"datetime.{kind.__name__}", repr(value)]
    return [kind.__name__, repr(value)]


def scope_value(value):
    if isinstance(value, dict) and "$slice" in value:
        parts = value["$slice"]
        return StreamSlice(partition=parts.get("partition") or {}, cursor_slice=parts.get("cursor_slice") or {},
                           extra_fields=parts.get("extra_fields"))
    if isinstance(value, dict) and "$record" in value:
        return Record(value["$record"], "stream")
    return value


def evaluate(request):
    how, text, default = request["how"], request["text"], request.get("default")
    if how == "names":
        return sorted(getattr(jinja._ENVIRONMENT, text))
    if how == "format":
        return DatetimeParser().format(parser.isoparse(text), default)
    if how == "parse":
        return DatetimeParser().parse(text, default)
    if "now" in request:
        FixedDatetime.at = datetime.datetime.fromtimestamp(0, datetime.timezone.utc) + datetime.timedelta(
            milliseconds=request["now"])
    valid = tuple(kind for bit, kind in enumerate(TYPES) if request.get("types", 0) & 1 << bit) or None
    if how == "literal":
        return jinja.JinjaInterpolation()._literal_eval(text, valid)
    scope = {name: scope_value(value) for name, value in request.get("scope", {}).items()}
    config, parameters = scope.pop("config", {}), scope.pop("parameters", {})
    if how == "mapping":
        return InterpolatedMapping(text, parameters).eval(config, valid_value_types=valid, **scope)
    if how == "nested":
        return InterpolatedNestedMapping(text, parameters).eval(config, **scope)
    if how == "string":
        return InterpolatedString(text, parameters).eval(config, valid_types=valid, **scope)
    if how == "boolean":
        return InterpolatedBoolean(text, parameters).eval(config, **scope)
    return jinja.JinjaInterpolation().eval(text, config, default, valid, parameters=parameters, **scope)


def main():
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        try:
            answer = {"ok": typed(evaluate(json.loads(line)))}
            out = json.dumps(answer)
        except BaseException as error:
            out = json.dumps({"error": type(error).__name__ + ": " + str(error)[:200]})
        print(out, flush=True)


main()
