"""`firth manifest`: what is wrong with a manifest and where, what it is written out, which components there are."""

import json

HEAD = """\
version: 6.0.0
check: {stream_names: [items]}
definitions:
  requester: {url_base: "https://api.example.org", path: items}
"""
STREAM = """\
- name: items
  retriever:
    requester: "#/definitions/requester"
    record_selector: {extractor: {field_path: [items]}}
"""


def write(tmp_path, text, name="m.yaml"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_right(firth, tmp_path):
    path = write(tmp_path, HEAD + "streams:\n" + STREAM + "dynamic_streams: []\n")
    assert firth("manifest", "check", path, expect=0).out == "ok: 1 stream\n"
    told = firth("manifest", "check", path, "-o", "json", expect=0).json()
    assert told == {"ok": True, "errors": [], "warnings": [], "streams": 1, "dynamic_streams": 0}


def test_a_warning_is_no_error(firth, tmp_path):
    path = write(tmp_path, HEAD + "streams:\n" + STREAM + "  shceme: 1\n")
    done = firth("manifest", "check", path, expect=0)
    assert done.out == (f"{path}:10:3: warning: streams[0]: DeclarativeStream has no field `shceme`: it is ignored\n"
                        "ok: 1 stream, 1 warning\n")


def test_what_is_not_followed_is_told(firth, tmp_path):
    requester = "path: items, read_timeout_in_seconds: 3, connect_timeout_in_seconds: 2.5, use_tcp_keepalive: true"
    files = "  file_uploader: {type: FileUploader, requester: {type: HttpRequester, url: 'https://x.org'}, download_target_extractor: {type: DpathExtractor, field_path: [url]}}\n"
    path = write(tmp_path, HEAD.replace("path: items", requester) + "streams:\n" + STREAM + files)
    told = firth("manifest", "check", path, "-o", "json", expect=0).json()
    assert [each["message"].split(" is not followed")[0] for each in told["warnings"]] == ["file_uploader of DeclarativeStream"]


def test_what_a_sync_would_do_and_nobody_meant(firth, tmp_path):
    """As the CDK it is run nevertheless."""
    head = HEAD.replace("[items]", "[items, itmes, seen]") + "api_budget: {type: HTTPAPIBudget, policies: [{type: FixedWindowCallRatePolicy, period: PT1M, call_limit: 0, matchers: []}]}\n"
    within = STREAM.replace("name: items", "type: DeclarativeStream\n  name: seen").replace("\n", "\n  ").rstrip()
    conditional = f"- type: ConditionalStreams\n  condition: '{{{{ config.x }}}}'\n  streams:\n  {within}\n" * 2
    path = write(tmp_path, head + "streams:\n" + STREAM + STREAM + conditional)
    done = firth("manifest", "check", path, expect=0)
    assert done.out.splitlines() == [
        f"{path}:5:106: warning: api_budget.policies[0]: `call_limit` must be 1 or more: no call would be made",
        f'{path}:11:9: warning: there is a stream "items" before: this one is read in its place',
        f'{path}:2:31: warning: there is no stream "itmes": every check would fail',
        "ok: 4 streams, 3 warnings"]
    made = "dynamic_streams: [{type: DynamicDeclarativeStream, stream_template: {retriever: {requester: '#/definitions/requester', record_selector: {extractor: {field_path: []}}}}," \
        " components_resolver: {type: ConfigComponentsResolver, stream_config: {configs_pointer: [x]}, components_mapping: []}}]\n"
    path = write(tmp_path, HEAD.replace("[items]", "[itmes]") + "streams:\n" + STREAM + made)
    assert "warning" not in firth("manifest", "check", path, expect=0).out, "one may be made that has the name"


def test_everything_wrong_at_once(firth, tmp_path):
    path = write(tmp_path, HEAD.replace("path: items", "path: items, http_method: PSOT") + "streams:\n" + STREAM + STREAM.replace("name: items", "name: more")
                 + "- name: others\n  retriever: {type: CustomRetriever, class_name: source_x.components.Reader}\n")
    done = firth("manifest", "check", path, expect=3)
    assert done.out.splitlines() == [
        f'{path}:4:78: streams[0].retriever.requester.http_method: "PSOT": expected one of GET or POST; did you mean POST?',
        f"{path}:15:50: streams[2].retriever: CustomRetriever source_x.components.Reader is Python code, which Firth does not run",
        "2 errors"]
    told = firth("manifest", "check", path, "-o", "json", expect=3).json()
    assert [each["unsupported"] for each in told["errors"]] == [False, True]
    assert told["errors"][0]["path"] == "streams[0].retriever.requester.http_method" and told["errors"][0]["line"] == 4
    assert not told["ok"] and "2 errors" in told["error"]["message"]


def test_no_manifest(firth, tmp_path):
    cases = [("a: [1", "m.yaml:2:1: not valid YAML"), ("[1, 2]", "a manifest is a mapping"), ("", "a manifest is a mapping"),
             ("streams: '#/x'", "leads nowhere"), ("a: '#/a'", "leads back to itself")]
    for text, message in cases:
        path = write(tmp_path, text)
        assert message in firth("manifest", "check", path, expect=3).out, text
        assert firth("manifest", "check", path, "-o", "json", expect=3).json()["errors"], text
        if text:
            assert firth("manifest", "resolve", path, expect=3 if "#" in text or text[0] in "a[" else 0).out == ""
    assert "there is no such file" in firth("manifest", "check", tmp_path / "none.yaml", expect=3).out
    assert "there is no such file" in firth("manifest", "resolve", tmp_path / "none.yaml", expect=3).err


def test_what_would_be_too_large(firth, tmp_path):
    """Ten references to ten references to …: a small file that would be a billion values."""
    lines = ["definitions:", "  d0: x"]
    for level in range(1, 10):
        lines.append(f"  d{level}: [" + ", ".join([f"'#/definitions/d{level - 1}'"] * 10) + "]")
    path = write(tmp_path, HEAD.split("definitions")[0] + "\n".join(lines) + "\nstreams: '#/definitions/d9'\n")
    assert "too large" in firth("manifest", "check", path, expect=3).out
    deep = write(tmp_path, json.dumps({"streams": "#/d0", **{f"d{i}": {"x": f"#/d{i + 1}"} for i in range(2000)}, "d2000": 1}), "m.json")
    assert "deep" in firth("manifest", "check", deep, expect=3).out


def test_resolve(firth, tmp_path):
    path = write(tmp_path, HEAD + "streams:\n" + STREAM + "  $parameters: {p: 12345678901234567890.10}\n")
    done = firth("manifest", "resolve", path, expect=0)
    assert done.out.startswith('{\n  "version": "6.0.0",') and '"p": 12345678901234567890.10' in done.out
    whole = json.loads(done.out)
    assert whole["type"] == "DeclarativeSource" and whole["streams"][0]["retriever"]["type"] == "SimpleRetriever"
    assert whole["streams"][0]["retriever"]["requester"]["$parameters"] == whole["streams"][0]["$parameters"]
    compact = firth("manifest", "resolve", path, "-o", "json", expect=0).out
    assert json.loads(compact) == whole and compact.count("\n") == 1


def test_components(firth):
    names = firth("manifest", "components", expect=0).out.splitlines()
    assert "HttpRequester" in names and "CustomRequester (Python: not run)" in names
    fields = firth("manifest", "components", "ListPartitionRouter", expect=0).out.splitlines()
    assert fields[0].split() == ["FIELD", "NEEDED", "DEFAULT", "WHAT"] and fields[1].split() == ["cursor_field", "yes", "string"]
    one = firth("manifest", "components", "HttpRequester", "-o", "json", expect=0).json()
    assert one["HttpRequester"]["fields"]["http_method"] == {"type": "'GET'|'POST'", "required": False, "default": "GET"}
    assert "did you mean HttpRequester" in firth("manifest", "components", "HttpRequestr", expect=3).err


def test_usage(firth):
    assert "did you mean check?" in firth("manifest", "chekc", "x", expect=2).err
    assert "check MANIFEST" in firth("manifest", "check", expect=2).err


def test_templates_must_compile(firth, tmp_path):
    path = write(tmp_path, HEAD.replace("path: items", "path: \"{{ config['a' }}\"") + "streams:\n" + STREAM)
    told = firth("manifest", "check", path, "-o", "json", expect=3).json()["errors"]
    assert len(told) == 1 and told[0]["path"] == "streams[0].retriever.requester.path" and told[0]["line"] == 4


def test_schemas_in_files(firth, tmp_path):
    """Beside the manifest; a path that begins with the package means the manifest's own folder."""
    folder = tmp_path / "source_shop"
    (folder / "schemas").mkdir(parents=True)
    stream = STREAM + "  $parameters: {name: items}\n  schema_loader: {type: JsonFileSchemaLoader, file_path: %s}\n"
    text = HEAD.replace("check:", "spec: {connection_specification: {type: object}}\ncheck:") + "streams:\n"
    (tmp_path / "c.json").write_text("{}")
    for name, path in (("a", "./source_shop/schemas/{{ parameters['name'] }}.json"), ("b", "schemas/items.json"), ("c", "''")):
        (folder / "schemas" / "items.json").write_text(json.dumps({"type": "object", "title": name}))
        manifest = write(folder, text + stream % (f'"{path}"' if path != "''" else path))
        found = firth("connector", "declarative", "--manifest-path", manifest, "discover", "--config", tmp_path / "c.json", expect=0).json()
        assert found["catalog"]["streams"][0]["json_schema"]["title"] == name
    (folder / "schemas" / "items.json").unlink()
    missing = firth("connector", "declarative", "--manifest-path", manifest, "discover", "--config", tmp_path / "c.json", expect=3)
    assert "schemas/items.json" in missing.err
