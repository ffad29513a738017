"""Manifests as airbyte-cdk understands them: references, types and parameters written out, the table of components, and which
manifests are right at all. The CDK runs in the environment of PyAirbyte."""

import copy
import json
import random
import re

import pytest

from conftest import ROOT

# Each rule and each odd corner of references and parameters; more are made at random below.
CASES = [
    {"a": 1, "b": "#/a"},
    {"a": {"x": 1, "y": {"z": 1}}, "b": {"$ref": "#/a", "y": {"w": 2}, "v": 3}},
    {"a": [1, 2], "b": {"$ref": "#/a", "k": 1}},
    {"a": {"b/c": 1, "b": {"c": 2}}, "r": "#/a/b/c"},
    {"a/b": {"c": 1}, "a": {"b": {"c": 2}}, "r": "#/a/b/c"},
    {"a": [{"x": 1}, {"x": 2}], "r": ["#/a/1/x", "#/a/-1/x"]},
    {"a": "#/b", "b": "#/c", "c": 7},
    {"a": "#/b", "b": {"x": "#/a"}},
    {"a": "#/"},
    {"a": "#/nowhere"},
    {"a": 1, "config_overrides": {"x": "#/a"}},
    {"a": {"$ref": "text", "k": 1}},
    {"a": {"$ref": {"x": 1, "y": 2}, "y": 3}},
    {"a": {"$ref": None}},
    {"a": {"x": {"$ref": "#/b"}}, "b": {"c": 1}, "d": "#/a/x/c"},
    {"a": "#/b/", "b": {"": 5}},
    {"a": ["#/b/1", "#/b/-1", "#/b/-3/0"], "b": "x\u00e9\U0001f600"},
    {"a": "#/b/3", "b": "xyz"},
    {"streams": [{"retriever": {"requester": {}, "paginator": {}, "record_selector": {"extractor": {}}}}]},
    {"streams": [{"retriever": {"class_name": "x.Y"}, "transformations": [{"class_name": "x.T"}], "schema_loader": {}}]},
    {"check": {}, "spec": {}, "dynamic_streams": [{"stream_template": {}, "components_resolver": {}}]},
    {"$parameters": {"p": 1}, "streams": [{"p": 0, "retriever": {"p": "", "requester": {"p": 2}}}]},
    {"streams": [{"$parameters": {"retriever": {"q": 1}, "p": 1}, "retriever": {}}]},
    {"streams": [{"$parameters": {"retriever": 0, "p": 1}, "retriever": {}}]},
    {"streams": [{"$parameters": {"l": [{"type": "B"}], "m": {"type": "C"}, "p": 1}}]},
    {"streams": [{"$parameters": {"p": 1}, "s": {"type": "object", "$parameters": {"q": 1}}, "t": {"type": ["null", "object"]}}]},
    {"streams": [{"$parameters": {"p": 1}, "m": {"x": {"type": "B"}, "y": {"z": {"type": "C"}}, "w": {"type": ""}}}]},
    {"streams": [{"$parameters": {"type": "Z"}, "retriever": {"type": None}}]},
    {"streams": [{"$parameters": 5}]},
    {"streams": [{"$parameters": None}]},
    {"streams": [{"$parameters": {"a": 0, "b": -0.0, "c": 1e-5, "d": [], "e": {}}, "a": False, "b": None, "c": 0.0}]},
    {"definitions": {"s": {"type": "DeclarativeStream", "$parameters": {"p": "#/definitions/v"}}, "v": {"type": "B"}},
     "streams": ["#/definitions/s", {"$ref": "#/definitions/s", "$parameters": {"q": 1}}]},
]

NAMES = ["a", "b", "p", "q", "retriever", "requester", "record_selector", "streams", "request_option", "a/b", "1"]
TYPES = ["DeclarativeStream", "SimpleRetriever", "HttpRequester", "RecordSelector", "ListPartitionRouter", "A", "object", "", None,
         ["null", "object"]]


def invent(dice, depth=0):
    """A tree with everything that resolving and propagating look at."""
    kind = dice.random()
    if depth > 4 or kind < 0.3:
        if dice.random() < 0.04:
            return dice.choice(["#/a", "#/definitions/p", "#/definitions/q", "#/b", "#/streams/0", "#/a/b", "#/definitions/p", "#/definitions/p/q", "#/b/1", "#/b/-2"])
        return dice.choice([0, 1, 2.5, "", "x", None, True, False, [], {}])
    if kind < 0.45:
        return [invent(dice, depth + 1) for _ in range(dice.randrange(4))]
    made = {}
    for _ in range(dice.randrange(5)):
        made[dice.choice(NAMES)] = invent(dice, depth + 1)
    if dice.random() < 0.5:
        made["type"] = dice.choice(TYPES)
    if dice.random() < 0.4:
        made["$parameters"] = {dice.choice(NAMES): invent(dice, depth + 2) for _ in range(dice.randrange(3))}
    if dice.random() < 0.05:
        made["$ref"] = dice.choice(["#/a", "#/definitions/p", "#/definitions/q", {"x": 1}])
    if dice.random() < 0.1:
        made["class_name"] = "x.Y"
    return made


def invent_manifest(dice):
    return {"definitions": {name: invent(dice, 1) for name in NAMES[:4]}, "a": invent(dice, 2), "b": invent(dice, 2),
            "streams": [invent(dice, 1) for _ in range(dice.randrange(4))]}


def expand_with_cdk(manifests):
    from airbyte_cdk.sources.declarative.parsers.manifest_component_transformer import ManifestComponentTransformer
    from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver
    import json

    def expand(manifest):
        try:
            if "type" not in manifest:
                manifest["type"] = "DeclarativeSource"
            resolved = ManifestReferenceResolver().preprocess_manifest(manifest)
            return json.dumps(ManifestComponentTransformer().propagate_types_and_parameters("", resolved, {}))
        except Exception as problem:
            return type(problem).__name__
    return [expand(manifest) for manifest in manifests]


def expand(firth, path, manifest):
    path.write_text(json.dumps(manifest))
    done = firth("manifest", "resolve", path, "-o", "json")
    return done.out if done.rc == 0 else None


def compare(firth, folder, manifests, pyairbyte):
    """Returns how many were right: a comparison of refusals alone shows nothing."""
    right = 0
    for manifest, theirs in zip(manifests, pyairbyte(expand_with_cdk, manifests=manifests)):
        ours = expand(firth, folder / "m.json", manifest)
        if not theirs.startswith("{"):
            assert ours is None, f"the CDK refuses with {theirs}: {json.dumps(manifest)}"
            continue
        assert ours is not None, json.dumps(manifest)
        # Texts are compared, so that the order of members counts.
        assert json.dumps(json.loads(ours)) == theirs, json.dumps(manifest)
        right += 1
    return right


def test_expansion_of_the_table(firth, tmp_path, pyairbyte):
    assert compare(firth, tmp_path, CASES, pyairbyte) >= 20


@pytest.mark.parametrize("seed", range(3))
def test_expansion_at_random(firth, tmp_path, pyairbyte, seed):
    dice = random.Random(seed)
    assert compare(firth, tmp_path, [invent_manifest(dice) for _ in range(60)], pyairbyte) >= 20


# --- the table of components -----------------------------------------------------------------------------------------


def schema_of_cdk():
    import pkgutil
    import yaml
    schema = yaml.safe_load(pkgutil.get_data("airbyte_cdk", "sources/declarative/declarative_component_schema.yaml"))
    import json
    return json.loads(json.dumps(schema, default=str))


# Components that the schema has inside of others, without a name, and what they are called here.
INLINE = {
    "Clamping": ("DatetimeBasedCursor", "clamping"), "FileUploader": ("DeclarativeStream", "file_uploader"),
    "JwtHeaders": ("JwtAuthenticator", "jwt_headers"), "JwtPayload": ("JwtAuthenticator", "jwt_payload"),
    "RefreshTokenUpdater": ("OAuthAuthenticator", "refresh_token_updater"),
    "ConfigNormalizationRules": ("Spec", "config_normalization_rules"),
    "OAuthConnectorInput": ("OAuthConfigSpecification", "oauth_connector_input_specification"),
}
# Fields that Firth has and the CDK ignores (docs/decisions/0070-connectors-as-manifests.md).
OWN_FIELDS = {("DatetimeBasedCursor", "state_is_window_end")}
INLINE_FIELDS = {
    **{place: {name} for name, place in INLINE.items()},
    # Named in the schema, and written out again where they are used.
    ("PropertyChunking", "record_merge_strategy"): {"GroupByKeyMergeStrategy"},
    ("SessionTokenAuthenticator", "request_authentication"):
        {"SessionTokenRequestApiKeyAuthenticator", "SessionTokenRequestBearerAuthenticator"},
}


def alternatives_of_schema(field, definitions):
    """What the schema allows, in the words of our table, as a set."""
    if "$ref" in field:
        name = field["$ref"].split("/")[-1]
        definition = definitions[name]
        if "properties" in definition or definition.get("type") == "object":
            return {"object"} if name == "Schemas" else {name}
        return alternatives_of_schema(definition, definitions)
    if "anyOf" in field or "oneOf" in field:
        return set().union(*(alternatives_of_schema(each, definitions) for each in field.get("anyOf") or field["oneOf"]))
    if "enum" in field:
        return {f"'{word}'" for word in field["enum"]}
    if isinstance(field["type"], list):
        return set().union(*(alternatives_of_schema({**field, "type": each}, definitions) for each in field["type"]))
    if field["type"] == "array":
        return {("[]", frozenset(alternatives_of_schema(field["items"], definitions) if "items" in field else {"any"}))}
    if field["type"] == "object" and isinstance(field.get("additionalProperties"), dict):
        return {("{}", frozenset(alternatives_of_schema(field["additionalProperties"], definitions)))}
    return {field["type"]}


def alternatives_of_table(text):
    parts, depth, start = [], 0, 0
    for at, byte in enumerate(text + "|"):
        depth += (byte in "[{") - (byte in "]}")
        if byte == "|" and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return {(part[0] + part[-1], frozenset(alternatives_of_table(part[1:-1]))) if part[0] in "[{" else part for part in parts}


def least_of_schema(field):
    for key, sign in (("minimum", ">="), ("minItems", ">="), ("exclusiveMinimum", ">")):
        for each in [field, *field.get("anyOf", [])]:
            if key in each:
                return f"{sign}{each[key]}"
    return None


def compare_component(name, ours, schema, definitions):
    properties = {field: value for field, value in schema.get("properties", {}).items() if field not in ("type", "$parameters")}
    assert [field for field in ours["fields"] if (name, field) not in OWN_FIELDS] == list(properties), name
    required = set(schema.get("required", []))
    assert ours["typed"] == ("type" in required), name
    assert ours["closed"] == (schema.get("additionalProperties") is False), name
    for field, value in properties.items():
        row = ours["fields"][field]
        place = (name, field)
        expected = INLINE_FIELDS[place] if place in INLINE_FIELDS else alternatives_of_schema(value, definitions)
        assert alternatives_of_table(row["type"]) == expected, place
        assert row["required"] == (field in required), place
        assert row.get("least") == least_of_schema(value), place
        assert ("instead" in row) == bool(value.get("deprecated")), place
        # An empty default is no default here.
        assert row.get("default") == (value.get("default") or None if value.get("default") is not False else False) or \
            row.get("default") == value.get("default"), place


def test_every_component_and_field(firth, pyairbyte):
    schema = pyairbyte(schema_of_cdk)
    definitions = schema["definitions"]
    ours = json.loads(firth("manifest", "components", "-o", "json", expect=0).out)
    theirs = {name: each for name, each in definitions.items() if "properties" in each or each.get("type") == "object"}
    del theirs["Schemas"]
    theirs["DeclarativeSource"] = schema
    for name, (component, field) in INLINE.items():
        theirs[name] = definitions[component]["properties"][field]
    assert set(ours) == set(theirs)
    for name, each in theirs.items():
        compare_component(name, ours[name], each, definitions)
        word = each.get("properties", {}).get("type", {}).get("enum", [name])[0]
        assert ours[name]["word"] == word, name
        assert ours[name]["python"] == name.startswith("Custom"), name


# --- which manifests are right ------------------------------------------------------------------------------------------

RIGHT = {
    "version": "6.0.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["items"]},
    "definitions": {
        "requester": {
            "type": "HttpRequester", "url_base": "https://api.example.org", "path": "/items", "http_method": "GET",
            "request_parameters": {"limit": "10", "since": "{{ config['since'] }}"},
            "request_headers": {"X-A": "b"},
            "authenticator": {"type": "ApiKeyAuthenticator", "api_token": "{{ config['key'] }}",
                              "inject_into": {"type": "RequestOption", "inject_into": "header", "field_name": "X-Key"}},
            "error_handler": {"type": "CompositeErrorHandler", "error_handlers": [
                {"type": "DefaultErrorHandler", "max_retries": 3,
                 "backoff_strategies": [{"type": "ConstantBackoffStrategy", "backoff_time_in_seconds": 1.5},
                                        {"type": "WaitTimeFromHeader", "header": "Retry-After"}],
                 "response_filters": [{"type": "HttpResponseFilter", "action": "IGNORE", "http_codes": [404]}]}]},
        },
    },
    "streams": [{
        "type": "DeclarativeStream", "name": "items", "primary_key": ["id"],
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
        "incremental_sync": {
            "type": "DatetimeBasedCursor", "cursor_field": "at", "datetime_format": "%Y-%m-%d", "step": "P1D",
            "cursor_granularity": "P1D", "start_datetime": {"type": "MinMaxDatetime", "datetime": "2024-01-01"},
            "end_datetime": "{{ now_utc() }}", "is_data_feed": False,
            "start_time_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "from"}},
        "transformations": [{"type": "AddFields", "fields": [{"type": "AddedFieldDefinition", "path": ["a"], "value": "b"}]},
                            {"type": "RemoveFields", "field_pointers": [["x"], ["y", "z"]]}],
        "retriever": {
            "type": "SimpleRetriever", "requester": "#/definitions/requester",
            "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["items"]},
                                "schema_normalization": "Default"},
            "paginator": {"type": "DefaultPaginator", "page_token_option": {"type": "RequestPath"},
                          "pagination_strategy": {"type": "CursorPagination", "cursor_value": "{{ response.next }}", "page_size": 10}},
            "partition_router": [{"type": "ListPartitionRouter", "cursor_field": "k", "values": ["1", "2"]}]},
    }],
    "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
    "api_budget": {"type": "HTTPAPIBudget", "policies": [
        {"type": "MovingWindowCallRatePolicy", "rates": [{"limit": 10, "interval": "PT1M"}], "matchers": []}]},
}

VALUES = [None, 0, -1, 1.0, 1.5, True, "", "x", "GET", "Default", [], ["x"], [["x"]], [1], {}, {"x": 1}, {"x": "y"}, {"type": "NoAuth"},
          {"type": "HttpRequester"}, {"type": "Nothing"}, {"type": "RequestPath"}, {"type": 5}]


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from places(each, (*path, name))
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from places(each, (*path, index))


def damage(dice, manifest):
    """One or two changes somewhere."""
    damaged = copy.deepcopy(manifest)
    for _ in range(dice.choice([1, 1, 2])):
        path = dice.choice([each for each in places(damaged) if each])
        parent = damaged
        for step in path[:-1]:
            parent = parent[step]
        what = dice.random()
        if what < 0.3:
            del parent[path[-1]]
        elif what < 0.4 and isinstance(parent, dict):
            parent["x" + str(path[-1])] = parent.pop(path[-1])
        elif what < 0.5 and isinstance(parent, dict) and "$parameters" not in parent:
            parent["$parameters"] = {dice.choice(["name", "path", "x", "type"]): dice.choice(VALUES)}
        else:
            parent[path[-1]] = copy.deepcopy(dice.choice(VALUES))
    return damaged


def judge_with_cdk(manifests):
    from airbyte_cdk.sources.declarative.concurrent_declarative_source import get_declarative_component_schema, validate_manifest
    from airbyte_cdk.sources.declarative.parsers.manifest_component_transformer import ManifestComponentTransformer
    from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver
    import jsonschema
    schema = get_declarative_component_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    # The CDK does so again for each manifest that is wrong: it takes ten times as long as the rest.
    jsonschema.Draft7Validator.check_schema = lambda *_, **__: None

    def judge(manifest):
        try:
            resolved = ManifestReferenceResolver().preprocess_manifest(manifest)
            validate_manifest(ManifestComponentTransformer().propagate_types_and_parameters("", resolved, {}), schema)
            return None
        except Exception as problem:
            return f"{type(problem).__name__}: {problem.__cause__ or problem}"[:500]
    return [judge(manifest) for manifest in manifests]


def rules():
    """What the CDK finds only when it builds the component, if at all: the messages of rules*.c."""
    source = "".join(path.read_text() for path in sorted((ROOT / "connectors/source-declarative/manifest").glob("rules*.c")))
    calls = re.findall(r"(?:check_error|tell)\(\s*(checking,.*?)\);\n", source, re.DOTALL)
    literals = [max(re.findall(r'(?:"(?:[^"\\]|\\.)*"\s*)+', call), key=len) for call in calls]
    told = ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literal)).replace('\\"', '"') for literal in literals]
    told = [text for text in told if not text.startswith("there are no streams")]  # which the CDK's schema has, too
    assert len(told) > 50 and all(" " in text for text in told)
    return re.compile("|".join(".*".join(map(re.escape, re.split(r"%(?:\.\*)?[a-z]+", text))) for text in told))


RULES = rules()


@pytest.mark.parametrize("seed", range(3))
def test_right_and_wrong(firth, tmp_path, pyairbyte, seed):
    dice = random.Random(seed)
    manifests = [RIGHT, *(damage(dice, RIGHT) for _ in range(80))]
    for manifest in manifests:
        manifest.setdefault("type", "DeclarativeSource")
    verdicts = pyairbyte(judge_with_cdk, manifests=manifests)
    assert verdicts[0] is None
    wrong = 0
    for manifest, theirs in zip(manifests, verdicts):
        path = tmp_path / "m.json"
        path.write_text(json.dumps(manifest))
        done = firth("manifest", "check", path, "-o", "json")
        told = json.loads(done.out)
        errors = [each for each in told["errors"] if not RULES.fullmatch(each["message"])]
        assert (done.rc == 0) == told["ok"] == (not told["errors"])
        assert bool(errors) == (theirs is not None), f"{json.dumps(manifest)}\ntheirs: {theirs}\nours: {errors}"
        wrong += bool(errors)
    assert 20 < wrong < 75


# --- YAML as PyYAML reads it ------------------------------------------------------------------------------------------------

SCALARS = [
    "yes", "No", "ON", "off", "y", "n", "true", "TRUE", "tRue", "null", "~", "Null", "nULL", "0", "1", "-1", "+1", "08", "010", "-010",
    "0o17", "0x1F", "-0xff", "0b101", "0b12", "1_000", "1__0", "_1", "1_", "1.5", "-1.5", "+1.5", "1.", ".5", "-.5", "._5", ".", "1e5",
    "1.5e5", "1.5e+5", "1.5E-5", "1.e+2", ".5e+1", ".e+1", "01.5", "1_0.2_5", "1:30", "1:30:05", "1:60", "1:5:61", "0:30", "12:30",
    "190:20:30", "-1:30", "00", "0.0", "-0", "'yes'", '"010"', "!!str yes", "!!str 010", "1-2", "x", "'{{ a }}'",
    "12345678901234567890123", "1.10",
]


def load_with_pyyaml(texts):
    import json
    import yaml
    return [json.dumps(yaml.safe_load(text)) for text in texts]


def test_scalars(firth, tmp_path, pyairbyte):
    text = "".join(f"k{i}: {scalar}\n" for i, scalar in enumerate(SCALARS))
    path = tmp_path / "m.yaml"
    path.write_text("type: A\n" + text)
    theirs = pyairbyte(load_with_pyyaml, texts=["type: A\n" + text])[0]
    assert json.dumps(json.loads(firth("manifest", "resolve", path, "-o", "json", expect=0).out)) == theirs


def test_what_is_run_is_read_in_the_same_way(firth, tmp_path):
    """Not only what `resolve` shows."""
    path = tmp_path / "m.yaml"
    path.write_text("{" + json.dumps(RIGHT)[1:-1] + ", type: DeclarativeSource}")
    manifest = path.read_text().replace('"schema": {', '"schema": {"a": yes, "b": 010, "b": 1_0, ', 1)
    assert manifest != path.read_text()
    path.write_text(manifest)
    told = firth("manifest", "check", path, "-o", "json", expect=0).json()
    assert told["ok"], told
    (tmp_path / "c.json").write_text("{}")
    out = firth("connector", "declarative", "--manifest-path", path, "discover", "--config", tmp_path / "c.json").out
    assert '"a":true' in out and '"b":10' in out, out


def test_keys_that_are_there_twice(firth, tmp_path, pyairbyte):
    text = "a: &a {x: 1, y: 2, x: 3}\nb: {<<: *a, y: 5, y: 6}\na2: 1\nc: {z: 1, <<: *a}\na2: [2]\n"
    path = tmp_path / "m.yaml"
    path.write_text(text + "type: A\n")
    theirs = json.loads(pyairbyte(load_with_pyyaml, texts=[text + "type: A\n"])[0])
    assert json.loads(firth("manifest", "resolve", path, "-o", "json", expect=0).out) == theirs
