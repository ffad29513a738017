"""What sources and destinations have in common: spec, check, the command line."""

import re

import jsonschema
import pytest


@pytest.fixture
def run(connector, request, tmp_path):
    return connector.runner(request, tmp_path)


_specs = {}


@pytest.fixture
def spec(connector, run):
    """Said once by each."""
    if connector.name not in _specs:
        _specs[connector.name] = run("spec")
    return _specs[connector.name]


def walk(schema, path=()):
    """(path, schema) of every property, through oneOf."""
    for name, child in schema.get("properties", {}).items():
        yield (*path, name), child
        yield from walk(child, (*path, name))
    for choice in schema.get("oneOf", []):
        yield from walk(choice, path)


def test_spec(spec):
    session = spec
    assert session.rc == 0, session
    schema = session.one("SPEC")["spec"]["connectionSpecification"]
    assert {m["type"] for m in session.messages} <= {"SPEC", "LOG"}
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["type"] == "object" and schema.get("additionalProperties", True) is not False
    for path, child in walk(schema):
        assert "$ref" not in child and "allOf" not in child and "not" not in child, path
        if re.search(r"(password|secret|token|api_?key|private_key)$", path[-1]):
            assert child.get("airbyte_secret") is True, path
        if "oneOf" in child:
            assert child["type"] == "object", path
            assert all("const" in str(choice["properties"]) for choice in child["oneOf"]), path


def test_check_good(connector, run, spec, tmp_path):
    config = connector.config(tmp_path)
    session = run("check", config=config)
    assert session.rc == 0 and session.one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED", session
    jsonschema.validate(config, spec.one("SPEC")["spec"]["connectionSpecification"])


@pytest.mark.quick_to_start(or_full=True)
def test_check_bad(connector, run, spec):
    schema = spec.one("SPEC")["spec"]["connectionSpecification"]
    for config in connector.bad:
        session = run("check", config=config)
        statuses = session.of("CONNECTION_STATUS")
        if statuses:
            status = session.one("CONNECTION_STATUS")["connectionStatus"]
            assert status["status"] == "FAILED" and status["message"], session
        else:
            assert session.rc != 0 and session.errors() and session.errors()[0]["message"], session
        if connector.exact_spec:
            assert not jsonschema.Draft7Validator(schema).is_valid(config), config


@pytest.mark.quick_to_start
def test_unreadable_config(connector, run):
    for config in ("{", "", "\0", '{"a":1} trailing'):
        session = run("check", config=config)
        assert session.errors() or session.one("CONNECTION_STATUS")["connectionStatus"]["status"] == "FAILED", session


@pytest.mark.quick_to_start
def test_unknown_verb(run):
    assert run("speck").rc != 0
