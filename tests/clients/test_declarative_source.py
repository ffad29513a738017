"""Firth's low-code source beside airbyte_cdk's: the same manifest, config, state and API give the same requests, records, states
and outcome."""

import base64
import hmac
import itertools
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from clients import generated_manifests
from clients.conftest import environment, program
from clients.mock_api import Api, MockApi
from conftest import FULL, ROOT, until

MANIFESTS = ROOT / "tests" / "clients" / "manifests"

# What a manifest is run with beside the URL: more config, states by stream; any_order: slices are read at the
# same time; again: also from the state that the first sync left.
CASES = {
    "pages": {}, "tokens": {}, "post": {}, "records": {}, "routers": {}, "substreams": {}, "errors": {},
    # Where the path of the refresh token leads to nothing, the CDK sends none; Firth the one that the manifest names.
    "oauth": {"config": {"credentials": {"refresh_token": "refresh-0", "expires": ""}}},
    "dynamic": {"config": {"wanted": [{"name": "one", "kind": "a"}, {"name": "two", "kind": "b"}]}},
    "datetime": {},
    "datetime-state": {"manifest": "datetime", "state": {
        "events": {"at": "2024-01-10T00:00:00Z"},
        "events_by_group": {"use_global_cursor": False, "state": {"at": "2024-01-09T00:00:00Z"}, "lookback_window": 0, "states": [
            {"partition": {"group": "0"}, "cursor": {"at": "2024-01-09T00:00:00Z"}},
            {"partition": {"group": "1"}, "cursor": {"at": "2024-01-05T00:00:00Z"}}]}}},
    "substreams-state": {"manifest": "substreams", "state": {
        "children": {"use_global_cursor": False, "states": [
            {"partition": {"parent": 1, "parent_slice": {}}, "cursor": {"at": "2024-03-02T00:00:00Z"}}],
            "parent_state": {"parents": {"at": "2024-02-02T00:00:00Z"}}}}},
    "resolvers": {"config": {"wanted": {"here": [{"name": "c1", "value": "007"}, {"name": "c2", "value": "no", "number": 5}]}, "kinds": ["a", "b"], "one": {"x": 1}}},
    "rules": {"config": {"old_kind": "a"}},
    "conditional": {"config": {"extra": True}},
    "checks": {}, "no-slices": {},
    "failing": {}, "failing-state": {"manifest": "failing", "state": {
        "windows": {"at": "2024-01-03T00:00:00Z"},
        "groups": {"use_global_cursor": False, "state": {"at": "2024-01-02T00:00:00Z"}, "lookback_window": 0, "states": [
            {"partition": {"group": "1"}, "cursor": {"at": "2024-01-02T00:00:00Z"}}]},
        "groups_together": {"use_global_cursor": True, "state": {"at": "2024-01-02T00:00:00Z"}, "lookback_window": 7},
        "together_in_windows": {"use_global_cursor": False, "states": [], "state": {"at": "2024-01-02T00:00:00Z"}, "lookback_window": 0}}},
    "fields": {}, "schemas": {}, "properties": {}, "combined": {}, "lazy": {}, "windows": {},
    "delegating": {"config": {"end": "2099-01-01T00:00:00Z", "keep": "P30D"}},
    "delegating-state": {"manifest": "delegating", "config": {"end": "2099-01-01T00:00:00Z", "keep": "P30D"}, "state": {
        "old": {"at": "2024-01-09T00:00:00Z"}, "new": {"at": "2098-01-09T00:00:00Z"}, "done": {"__ab_no_cursor_state_message": True}, "unknown": {"x": 1}}},
    "delegating-for-ever": {"manifest": "delegating", "config": {"end": "2099-01-01T00:00:00Z"}, "state": {
        "old": {"at": "2024-01-09T00:00:00Z"}, "new": {"at": "2098-01-09T00:00:00Z"}}},
    # What has been read in full without a cursor is not read so again; beside a cursor its mark says nothing.
    "full-once": {}, "full-once-state": {"manifest": "full-once", "state": {
        "whole": {"__ab_no_cursor_state_message": True}, "events": {"__ab_no_cursor_state_message": True, "at": "2024-01-09T00:00:00Z"}, "groups": {"__ab_no_cursor_state_message": True}}},
    "windows-state": {"manifest": "windows", "cursor": {"free": "changed"}, "state": {
        "free": {"changed": "2024-01-09T00:00:00Z"}, "strict": {"at": "2024-01-20T00:00:00Z"}, "not_strict": {"at": "2024-01-20T00:00:00Z"}}},
    "lazy-state": {"manifest": "lazy", "state": {"items": {"use_global_cursor": False, "states": [
        {"partition": {"folder": 1, "parent_slice": {}}, "cursor": {"at": "2024-01-03T00:00:00Z"}}]}}},
    # The CDK has a session's token made, or validated, twice for each request; Firth once.
    "sessions": {"any_order": True, "config": {"auth": {"kind": "session"}, "user": "me"}},
    "authenticators": {"keys": True, "config": {"client": "me", "refresh": "r 0", "tokens": "one, two,", "passphrase": "pass", "claims": '{"deep": {"a": [1]}, "key": "other"}'}},
    "language": {"config": {"wanted": ["a", "b", "a"]}, "state": {"migrated": {"a1": {"at": "2024-01-09T00:00:00Z"}}}},
    "async": {"any_order": True, "state": {"windows": {"at": "2024-01-05T00:00:00Z"}}},
    "offsets": {"again": True}, "offsets-state": {"manifest": "offsets", "state": {
        name: {"at": "2024-02-03T21:30:00-0500"} for name in ("zoned", "zoned_steps", "zoned_months", "zoned_here", "zoned_feed", "zoned_groups", "dates",
                                                              "dates_steps", "dates_months", "dates_here", "dates_groups", "clocks", "seconds", "millis", "literal", "literal_steps",
                                                              "literal_east", "literal_back")}},
    "counts": {"again": True}, "counts-state": {"manifest": "counts", "state": {
        "counted": {"id": 5.0}, "without_start": {"id": 0},
        **{name: {"at": "2024-02-04T02:00:00+0000"} for name in ("days", "weeks", "short_steps")}, "months": {"at": "2024-02-01T02:00:00+0000"}}},
    "parents": {"again": True}, "parents-state": {"manifest": "parents", "state": {
        "value": {"at": "2024-02-02T00:00:00Z"}, "other_field": {"changed": "2024-02-02T00:00:00Z"},
        "marked": {"__ab_no_cursor_state_message": True, "at": "2024-02-02T00:00:00Z"}, "mark_alone": {"__ab_no_cursor_state_message": True},
        "two_values": {"at": "2024-02-02T00:00:00Z", "x": "2024-02-03T00:00:00Z"},
        "global": {"use_global_cursor": True, "state": {"at": "2024-02-02T00:00:00Z"}},
        "other_parent": {"use_global_cursor": False, "states": [], "state": {"at": "2024-02-02T00:00:00Z"}, "parent_state": {"x": {"at": "2024-02-03T00:00:00Z"}}},
        "own_parent": {"use_global_cursor": False, "states": [], "state": {"at": "2024-02-02T00:00:00Z"}, "parent_state": {"above": {"at": "2024-02-03T00:00:00Z"}}},
        "of_states": {"states": [{"partition": {"parent": 1, "parent_slice": {}}, "cursor": {"at": "2024-03-02T00:00:00Z"}}]},
        "delegated": {"at": "2024-02-02T00:00:00Z"}, "second_fails": {"at": "2024-01-02T00:00:00Z"}, "parents_fail": {"at": "2024-02-02T00:00:00Z"}}},
    "concurrent": {"config": {"workers": 9}, "any_order": True},
    # States as the CDK's cursors write them where they tell all that has been read.
    "datetime-slices": {"manifest": "datetime", "again": True, "state": {
        "events": {"state_type": "date-range", "slices": [
            {"start": "2024-01-12T00:00:00Z", "end": "2024-01-13T00:00:00Z"}, {"start": "2024-01-04T00:00:00Z", "end": "2024-01-05T00:00:00Z"},
            {"start": "2024-01-05T00:00:01Z", "end": "2024-01-06T00:00:00Z", "most_recent_cursor_value": "2024-01-05T02:00:00Z"}]},
        "events_by_group": {"state": {"at": "2024-01-08T00:00:00Z"}, "states": [{"partition": {"group": "1"}, "cursor": {"state_type": "date-range", "slices": [
            {"start": "2024-01-03T00:00:00Z", "end": "2024-01-14T00:00:00Z"}]}}]},
        "client_side": {"state_type": "date-range", "legacy": {"other": 1}, "slices": [{"start": "2024-01-03T00:00:00Z", "end": "2024-01-09T00:00:00Z"}]}}},
    "counts-slices": {"manifest": "counts", "state": {
        "counted": {"state_type": "integer", "slices": [{"start": 3, "end": 6}]}, "without_start": {"id": None},
        **{name: {"state_type": "date-range", "slices": [{"start": start, "end": end} for start, end in (
            ("2024-01-11T10:00:00+0000", "2024-01-31T10:00:00+0000"), ("2024-03-10T10:00:00+0000", "2024-03-11T10:00:00+0000"))]}
           for name in ("days", "weeks", "months", "short_steps")}}},
    "global-state": {"manifest": "datetime", "state": {"events_by_group": {"state": {"at": "2024-01-10T00:00:00Z"}}}},
}


@pytest.fixture(scope="module")
def cdk():
    running = subprocess.Popen([program("airbyte-cdk", "python"), ROOT / "tests/clients/programs/cdk_source.py"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(os.environ.get("HOME", "/")), text=True)

    def run(args, folder):
        request = {"args": args, "out": str(folder / "cdk.out"), "err": str(folder / "cdk.err")}
        running.stdin.write(json.dumps(request) + "\n")
        running.stdin.flush()
        status = int(running.stdout.readline())
        return status, (folder / "cdk.out").read_text(), (folder / "cdk.err").read_text()
    yield run
    running.stdin.close()
    running.wait(20)
    running.stdout.close()


def run_firth(args, folder):
    """With waits that are a hundredth, as those of cdk_source.py."""
    done = subprocess.run([os.environ["FIRTH_DEV_BIN"], "connector", "declarative", *args], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "FIRTH_FAULT_PLANT": "short-waits"})
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def api():
    running = MockApi()
    yield running
    running.close()


def plain_token(found):
    """What a JWT says, but when it was made; and which of the keys it was signed with."""
    parts = found[0].split(".")
    header, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in parts)
    header, claims = json.loads(header), json.loads(claims)
    made_at = claims.pop("iat")
    assert time.time() - 600 < made_at == claims.pop("nbf") <= time.time()
    claims["exp"] = round(claims["exp"] - made_at, -2)  # a second may end in between
    keys = [key for key in SECRETS for made in [hmac.new(key, ".".join(parts[:2]).encode(), "sha" + header["alg"][2:])] if made.digest() == signature] \
        if header["alg"].startswith("HS") else []
    return json.dumps([header, claims, str(keys)], sort_keys=True).replace('"', "'")


SECRETS = [b"s3cr3t-t0ken", base64.b64encode(b"s3cr3t-t0ken"), b"other"]


def private_keys():
    """One of RSA behind a passphrase, one of a curve."""
    made = [subprocess.run(["openssl", "genpkey", "-algorithm", *words], check=True, capture_output=True, text=True).stdout for words in
            (["RSA", "-aes-256-cbc", "-pass", "pass:pass"], ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"])]
    return dict(zip(("rsa", "curve"), made))


class Run:
    """What one of the two said and asked."""

    def __init__(self, runner, args, folder, api):
        self.status, out, self.err = runner(args, folder)
        self.messages = []
        for line in out.splitlines():
            try:
                self.messages.append(json.loads(line))
            except ValueError:
                self.err += line + "\n"
        self.requests = {}
        for request in api.take():
            request = json.loads(re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", plain_token, json.dumps(request)))
            self.requests.setdefault(request.pop("path"), []).append(request)
        self.records = {}
        for message in self.of("RECORD"):
            # The CDK's writer leaves out a record's members that are null; Firth says that they are.
            data = {k: v for k, v in message["record"]["data"].items() if v is not None}
            self.records.setdefault(message["record"]["stream"], []).append(data)

    def of(self, kind):
        return [m for m in self.messages if m["type"] == kind]


    @property
    def states(self):
        """The last of each stream."""
        return {m["state"]["stream"]["stream_descriptor"]["name"]: m["state"]["stream"]["stream_state"] for m in self.of("STATE")}

    @property
    def statuses(self):
        found = {}
        for message in self.of("TRACE"):
            if message["trace"]["type"] == "STREAM_STATUS":
                status = message["trace"]["stream_status"]
                found[status["stream_descriptor"]["name"]] = status["status"]
        return found

    @property
    def controls(self):
        configs = [m["control"]["connectorConfig"]["config"] for m in self.of("CONTROL")]
        for config in configs:
            config.pop("__injected_declarative_manifest", None)
            if "credentials" in config:
                assert config["credentials"].pop("expires") > "2"  # a date, to the second
        return configs


def write(folder, name, value):
    path = folder / name
    path.write_text(json.dumps(value))
    return str(path)


def streams_of(catalog):
    return sorted(catalog["streams"], key=lambda stream: stream["name"])


def plain(stream):
    """Without what the CDK says of every stream."""
    return {k: v for k, v in stream.items() if v not in (None, [], False, {}) and k not in ("is_file_based", "is_resumable", "source_defined_cursor")}


def normal(state):
    """States of partitions are a set; how many seconds a read took is nobody's to say."""
    if isinstance(state, dict):
        made = {key: normal(value) for key, value in state.items()}
        if "lookback_window" in made:
            assert 0 <= made["lookback_window"] < 900
            made["lookback_window"] = "as long as it took"
        if isinstance(made.get("states"), list):
            made["states"] = sorted(made["states"], key=lambda state: json.dumps(state, sort_keys=True))
        return made
    return [normal(item) for item in state] if isinstance(state, list) else state


_offered = {}


@pytest.mark.parametrize("name", CASES)
def test_differential(name, cdk, api, tmp_path):
    case = CASES[name]
    manifest = str(MANIFESTS / f"{case.get('manifest', name)}.yaml")
    config = {"url": api.url, "token": "s3cr3t-t0ken", "start": "2024-01-03T00:00:00Z", **case.get("config", {}), **(private_keys() if "keys" in case else {})}

    def both(verb, **files):
        words = [word for flag, value in files.items() for word in ("--" + flag, value)]
        words = [verb, "--manifest-path", manifest, "--config", write(tmp_path, "config.json", config), *words]
        theirs = Run(cdk, words, tmp_path, api)
        write(tmp_path, "config.json", config)
        ours = Run(run_firth, words, tmp_path, api)
        if case.get("any_order"):
            for found in (theirs.records, ours.records, theirs.requests, ours.requests):
                for items in found.values():
                    items[:] = sorted({json.dumps(item, sort_keys=True) for item in items})  # two may ask before either is answered
        return theirs, ours

    # Neither knows of a state or a cursor: once for each manifest and config.
    key = (manifest, json.dumps(case.get("config")))
    if key not in _offered:
        theirs, ours = both("check")
        answer = theirs.of("CONNECTION_STATUS")[0]["connectionStatus"]["status"]
        assert ours.of("CONNECTION_STATUS")[0]["connectionStatus"]["status"] == answer, (theirs.messages, ours.messages)
        assert ours.requests == theirs.requests

        theirs, ours = both("discover")
        _offered[key] = streams_of(theirs.of("CATALOG")[0]["catalog"])
        assert [plain(s) for s in streams_of(ours.of("CATALOG")[0]["catalog"])] == [plain(s) for s in _offered[key]]
        assert ours.requests == theirs.requests
    offered = _offered[key]

    catalog = {"streams": [{"stream": stream, "sync_mode": stream["supported_sync_modes"][-1], "destination_sync_mode": "append"}
                           for stream in offered]}
    for stream in catalog["streams"]:
        if stream["stream"]["name"] in case.get("cursor", {}):
            stream["cursor_field"] = [case["cursor"][stream["stream"]["name"]]]
    files = {"catalog": write(tmp_path, "catalog.json", catalog)}
    if "state" in case:
        files["state"] = write(tmp_path, "state.json", [
            {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": state}} for stream, state in case["state"].items()])
    for again in (False, True)[:2 if case.get("again") else 1]:
        if again:
            files["state"] = write(tmp_path, "state.json", [
                {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": state}} for stream, state in theirs.states.items()])
        theirs, ours = both("read", **files)
        assert "Traceback" not in ours.err
        assert ours.records == theirs.records
        assert ours.requests == theirs.requests
        assert normal(ours.states) == normal(theirs.states)
        assert ours.statuses == theirs.statuses
        assert ours.controls == theirs.controls
        assert bool(ours.status) == bool(theirs.status), (ours.err, theirs.err)


def test_spec_is_the_manifests(tmp_path):
    status, out, _ = run_firth(["spec", "--manifest-path", str(MANIFESTS / "oauth.yaml")], tmp_path)
    spec = json.loads(out)["spec"]
    written = yaml.safe_load((MANIFESTS / "oauth.yaml").read_text())["spec"]
    assert status == 0
    assert spec["connectionSpecification"] == written["connection_specification"]
    assert spec["documentationUrl"] == written["documentation_url"]
    assert spec["advanced_auth"]["auth_flow_type"] == "oauth2.0" and "type" not in spec["advanced_auth"]


def test_custom_components_are_refused_by_name(tmp_path):
    manifest = yaml.safe_load((MANIFESTS / "pages.yaml").read_text())
    retriever = manifest["streams"][0]["retriever"]
    manifest["definitions"]["selector"]["extractor"] = {"type": "CustomRecordExtractor", "class_name": "source_x.components.Odd"}
    retriever["partition_router"] = {"type": "CustomPartitionRouter", "class_name": "source_x.components.Other"}
    path = write(tmp_path, "manifest.json", manifest)
    status, out, _ = run_firth(["spec", "--manifest-path", path], tmp_path)
    message = json.loads(out.splitlines()[-1])["trace"]["error"]["message"]
    assert status == 3
    assert "source_x.components.Odd" in message and "source_x.components.Other" in message


def test_states_that_no_sync_has_written(api, tmp_path):
    """One that is no date is named, and the other streams are read; a lookback that is longer than time leads to the start, which the CDK does
    not survive."""
    def read(stream, state, *others):
        catalog = {"streams": [{"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["incremental"]}, "sync_mode": "incremental", "destination_sync_mode": "append"}
                               for name in (stream, *others)]}
        return Run(run_firth, ["read", "--manifest-path", str(MANIFESTS / "offsets.yaml"), "--config", write(tmp_path, "c.json", {"url": api.url, "token": "x"}),
                               "--catalog", write(tmp_path, "k.json", catalog), "--state", write(tmp_path, "s.json", [
                                   {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": state}}])], tmp_path, api)

    partition = {"use_global_cursor": False, "states": [], "state": {"at": "Sunday"}}
    for stream, state in (("zoned", {"at": "Sunday"}), ("zoned_groups", partition)):
        ours = read(stream, state, "dates")
        told = json.dumps([message for message in ours.of("TRACE") if message["trace"]["type"] == "ERROR"])
        assert ours.status and f"the state of stream {stream}" in told and "Sunday" in told and len(ours.requests) == 1, told
        assert ours.statuses == {stream: "INCOMPLETE", "dates": "COMPLETE"} and ours.records["dates"]
    ours = read("zoned_groups", {"use_global_cursor": False, "states": [], "state": {"at": "2024-02-03T21:30:00-0500"}, "lookback_window": 1 << 62})
    assert not ours.status, ours.err
    assert [dict(asked[0]["query"])["from"] for asked in ours.requests.values()] == ["2024-01-01T00:00:00+0200"] * 3


def test_states_of_many_partitions_are_few(api, tmp_path):
    """Each tells of all of them: one after each slice would be the square."""
    manifest = yaml.safe_load((MANIFESTS / "datetime.yaml").read_text())
    manifest["streams"] = manifest["streams"][1:2]
    manifest["definitions"]["cursor"].pop("step")
    manifest["definitions"]["cursor"].pop("cursor_granularity")
    manifest["streams"][0]["retriever"]["partition_router"]["values"] = [str(n) for n in range(400)]
    catalog = {"streams": [{"stream": {"name": "events_by_group", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
                            "sync_mode": "incremental", "destination_sync_mode": "append"}]}
    ours = Run(run_firth, ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog),
                           "--config", write(tmp_path, "c.json", {"url": api.url, "token": "t", "start": "2024-01-03T00:00:00Z"})], tmp_path, api)
    assert ours.status == 0 and len(ours.states["events_by_group"]["states"]) == 400
    assert 20 < len(ours.of("STATE")) < 100


@pytest.mark.full
@pytest.mark.timeout(900)
def test_more_partitions_than_are_told(cdk, api, tmp_path):
    """Past 10,000 the state is one for all, in both; of 10,001 it is not yet, in both."""
    count = 10_010
    manifest = yaml.safe_load((MANIFESTS / "datetime.yaml").read_text())
    manifest["streams"] = manifest["streams"][1:2]
    manifest["concurrency_level"]["default_concurrency"] = 4
    for name in "step", "cursor_granularity", "lookback_window":
        manifest["definitions"]["cursor"].pop(name)
    manifest["definitions"]["cursor"].update(cursor_datetime_formats=["%Y-%m-%dT%H:%M:%S%z"], end_datetime="2024-03-01T00:00:00Z")
    retriever = manifest["streams"][0]["retriever"]
    retriever["requester"]["path"] = "/times/1,of-{{ stream_partition.group }}"
    retriever["record_selector"] = "#/definitions/selector"
    retriever["partition_router"]["values"] = [str(n) for n in range(count)]
    catalog = {"streams": [{"stream": {"name": "events_by_group", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
                            "sync_mode": "incremental", "destination_sync_mode": "append"}]}
    words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "t", "start": "2024-01-03T00:00:00Z"})]
    theirs, ours = Run(cdk, words, tmp_path, api), Run(run_firth, words, tmp_path, api)
    assert len(ours.records["events_by_group"]) == len(theirs.records["events_by_group"]) == count and len(ours.requests) == count
    assert normal(ours.states) == normal(theirs.states)
    assert ours.states["events_by_group"]["use_global_cursor"] is True


def test_a_manifest_may_come_with_the_config(api, tmp_path):
    config = {"url": api.url, "token": "t", "__injected_declarative_manifest": yaml.safe_load((MANIFESTS / "pages.yaml").read_text())}
    status, out, _ = run_firth(["check", "--config", write(tmp_path, "config.json", config)], tmp_path)
    assert status == 0
    assert json.loads(out.splitlines()[-1])["connectionStatus"]["status"] == "SUCCEEDED"


def test_flows_protocol(api, tmp_path):
    manifest = str(MANIFESTS / "datetime.yaml")
    config = {"url": api.url, "token": "t", "start": "2024-01-03T00:00:00Z"}

    def ask(*requests):
        done = subprocess.run([os.environ["FIRTH_BIN"], "connector", "declarative", "--manifest-path", manifest], capture_output=True,
                              text=True, timeout=60, input="".join(json.dumps(request) + "\n" for request in requests))
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]
    spec = ask({"spec": {}})[0]["spec"]
    assert spec["configSchema"]["required"] == ["url", "token"]
    found = ask({"discover": {"connectorType": "IMAGE", "config": config}})[0]["discovered"]["bindings"]
    assert [b["resourceConfig"]["stream"] for b in found] == ["events", "events_by_group", "client_side"]
    bindings = [{"resourceConfig": found[0]["resourceConfig"], "resourcePath": ["events"],
                 "collection": {"name": "a/events", "key": ["/id"]}, "stateKey": "events"}]
    opened = ask({"open": {"capture": {"name": "a/capture", "connectorType": "IMAGE", "config": config, "bindings": bindings},
                           "version": "1", "range": {"keyBegin": 0, "rClockBegin": 0}, "state": {}}})
    documents = [m["captured"]["doc"]["id"] for m in opened if "captured" in m]
    assert documents == [1, 2, 3, 4, 5, 6]
    states = [m["checkpoint"]["state"]["updated"]["bindingStateV1"]["events"] for m in opened if "checkpoint" in m and m["checkpoint"]["state"]["updated"]]
    assert [state["at"][:10] for state in states if state] == ["2024-01-07", "2024-01-11", "2024-01-13"]
    assert [m["sourcedSchema"]["documentSchema"]["properties"] for m in opened if "sourcedSchema" in m] == [{"id": {"type": "integer"}}]


def test_a_config_that_the_spec_refuses(api, tmp_path):
    words = ["read", "--manifest-path", str(MANIFESTS / "pages.yaml"), "--catalog", write(tmp_path, "k.json", {"streams": []})]
    status, out, _ = run_firth([*words, "--config", write(tmp_path, "c.json", {"url": 5, "token": "s3cr3t-t0ken"})], tmp_path)
    assert status == 3 and "/url" in out and "s3cr3t" not in out
    status, out, _ = run_firth([*words, "--config", write(tmp_path, "c.json", {"url": api.url})], tmp_path)
    assert status == 3 and "token" in out
    assert api.take() == []


def test_those_who_want_the_same_parents_ask_once(api, tmp_path):
    names = ["parents", "children", "leaves"]
    catalog = {"streams": [{"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                            "sync_mode": "full_refresh", "destination_sync_mode": "append"} for name in names]}
    words = ["read", "--manifest-path", str(MANIFESTS / "concurrent.yaml"), "--catalog", write(tmp_path, "k.json", catalog),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "t", "workers": 5})]
    status, out, err = run_firth(words, tmp_path)
    assert status == 0, err
    asked = [request["path"] for request in api.take()]
    assert asked.count("/parents") == 2, "a parent's own parent keeps no answers, as in the CDK"
    assert len(asked) == len(set(asked)) + 1


def test_streams_of_a_group_are_read_one_at_a_time(cdk, api, tmp_path):
    """Nor is one read at the same time that has one of them as its parent; in the CDK only until it has its partitions."""
    def stream(name, path, **more):
        return {"type": "DeclarativeStream", "name": name, "primary_key": [], "schema_loader": {"type": "InlineSchemaLoader", "schema": {}},
                "retriever": {"type": "SimpleRetriever", "requester": {"type": "HttpRequester", "url_base": "{{ config['url'] }}", "path": path},
                              "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["data"]}},
                              "paginator": {"type": "DefaultPaginator", "pagination_strategy": {"type": "PageIncrement", "page_size": 2},
                                            "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"}}, **more}}
    first = stream("first", "data/first")
    router = {"type": "SubstreamPartitionRouter", "parent_stream_configs": [
        {"type": "ParentStreamConfig", "parent_key": "id", "partition_field": "of", "stream": first}]}
    streams = [first, stream("second", "data/second"), stream("child", "data/child", partition_router=router), stream("free", "data/free")]
    manifest = {"version": "7.0.0", "type": "DeclarativeSource", "streams": streams,
                "spec": {"type": "Spec", "connection_specification": {"type": "object"}}, "check": {"type": "CheckStream", "stream_names": ["free"]},
                "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 5},
                "stream_groups": {"slow": {"type": "StreamGroup", "action": {"type": "BlockSimultaneousSyncsAction"}, "streams": ["#/streams/0", "#/streams/1"]}}}
    catalog = {"streams": [{"stream": {"name": stream["name"], "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                            "sync_mode": "full_refresh", "destination_sync_mode": "append"} for stream in streams]}
    words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "s3cr3t-t0ken"})]
    for runner in (cdk, run_firth):
        status, out, err = runner(words, tmp_path)
        assert status == 0, err
        asked = [request["path"].split("/")[-1] for request in api.take()]
        grouped = ["first", "second"] + ["child"] * (runner is run_firth)
        assert sorted(name for name, _ in itertools.groupby(name for name in asked if name in grouped)) == sorted(grouped)
        assert set(asked) == {"first", "second", "child", "free"}


def test_a_client_that_is_in_the_config_alone(cdk, api, tmp_path):
    """Where tokens are kept in the config, a manifest need not say who asks for them; what is nowhere is empty."""
    manifest = yaml.safe_load((MANIFESTS / "oauth.yaml").read_text())
    authenticator = manifest["streams"][0]["retriever"]["requester"]["authenticator"]
    del authenticator["client_id"], authenticator["client_secret"]
    catalog = {"streams": [{"stream": {"name": "items", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                            "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}
    words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog)]
    for client in ({"client_id": "mine", "client_secret": "kept"}, {"client_id": "mine"}):
        config = {"url": api.url, "token": "s3cr3t-t0ken", "credentials": {"refresh_token": "refresh-0", "expires": "", **client}}
        found = []
        for runner in (cdk, run_firth):
            found.append(Run(runner, [*words, "--config", write(tmp_path, "c.json", config)], tmp_path, api))
        theirs, ours = found
        assert "client_id=mine" in ours.requests["/oauth/token"][0]["body"]
        assert ours.requests == theirs.requests and ours.records == theirs.records and ours.controls == theirs.controls


def test_a_whole_list_that_has_no_end(api, tmp_path):
    manifest = yaml.safe_load((MANIFESTS / "language.yaml").read_text())
    whole = manifest["definitions"]["whole"]["truncated_list_retriever"]
    whole["requester"]["path"], whole["paginator"]["pagination_strategy"]["page_size"] = "whole/endless", 8
    del whole["record_selector"]["record_filter"]
    manifest["streams"] = [manifest["streams"][0]]
    catalog = {"streams": [{"stream": {"name": "whole", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                            "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}
    words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "s3cr3t-t0ken", "wanted": []})]
    ours = Run(run_firth, words, tmp_path, api)
    assert ours.status and ours.statuses == {"whole": "INCOMPLETE"} and "more than 64 MiB for one record" in ours.err + json.dumps(ours.messages[-9:])
    assert len(ours.requests["/whole/endless"]) < 20


def test_children_of_parents_that_fail(cdk, api, tmp_path):
    """The CDK looks one parent ahead, and so leaves out the last one before the failure; Firth reads its children too."""
    manifest = yaml.safe_load((MANIFESTS / "failing.yaml").read_text())
    manifest["streams"] = [manifest["definitions"]["parents_fail"]]
    catalog = {"streams": [{"stream": {"name": "parents_fail", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                            "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}
    words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "s3cr3t-t0ken"})]
    theirs, ours = Run(cdk, words, tmp_path, api), Run(run_firth, words, tmp_path, api)
    assert ours.requests.pop("/broken/False/of-1") and ours.requests == theirs.requests
    assert ours.records["parents_fail"] == theirs.records["parents_fail"] * 2
    assert ours.statuses == theirs.statuses == {"parents_fail": "INCOMPLETE"}
    assert ours.status and theirs.status and normal(ours.states) == normal(theirs.states)


def test_parents_that_fail_hold_the_global_cursor(cdk, api, tmp_path):
    """Children of parents that were not listed have not been read."""
    manifest = yaml.safe_load((MANIFESTS / "failing.yaml").read_text())
    stream = manifest["definitions"]["parents_fail"] | {"incremental_sync": manifest["definitions"]["cursor"] | {"global_substream_cursor": True}}
    manifest["streams"] = [stream]
    catalog = {"streams": [{"stream": {"name": "parents_fail", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
                            "sync_mode": "incremental", "destination_sync_mode": "append"}]}
    before = {"use_global_cursor": True, "state": {"at": "2024-01-01T00:00:00Z"}, "lookback_window": 0}
    state = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "parents_fail"}, "stream_state": before}}]
    words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "s3cr3t-t0ken"}), "--state", write(tmp_path, "s.json", state)]
    theirs, ours = Run(cdk, words, tmp_path, api), Run(run_firth, words, tmp_path, api)
    assert ours.records["parents_fail"] and ours.status and theirs.status
    assert ours.states["parents_fail"]["state"] == theirs.states["parents_fail"]["state"] == before["state"]


# Stream: the ids that the CDK reads, and Firth's; what Firth says of it.
NEARLY = {
    "nearly/half": ([1, 2, 3], [1, 2, 3], "first at byte 29"), "nearly/nan": ([1, 2, 3], [1, 2, 3], "first at byte 25"), "lines/half": ([1, 2, 3], [1, 2, 3], "line 3, byte 16"),
    "lines/nan": ([1, 2, 3], [1, 2, 3], "line 3, byte 15"),
    # No record comes of the page in either; with the CDK, that ends the paging.
    "nearly/blank": ([1], [1], None), "nearly/ignored": ([1], [1], None),
    # The CDK ends here, or goes on without the line, and all is well.
    "nearly/mark": ([1], [1, 2, 3], "first at byte 0"),
    "nearly/html": ([1], [1], "the answer of {url}/nearly/html?…: it is no JSON: line 1, column 1 (byte 0): expected a value, got '<'"),
    "nearly/cut": ([1], [1], "the answer of {url}/nearly/cut?…: it is no JSON: line 1, column 20 (byte 19): expected ',' or ']'"),
    "lines/cut": ([1, 3], [1], "the answer of {url}/lines/cut: its line 3 is no JSON: line 1, column 9 (byte 8)"),
    # Here both fail: a filter says to ask again.
    "nearly/refused": ([1], [1], "This is none (it is no JSON: line 1, column 1 (byte 0)"),
}


def test_answers_that_are_hardly_json(cdk, api, tmp_path):
    """What Python reads beside JSON is read; of what is no JSON nothing is lost in silence."""
    manifest = yaml.safe_load((MANIFESTS / "pages.yaml").read_text())
    pages = manifest["streams"][0]["retriever"]["paginator"] | {"pagination_strategy": {"type": "PageIncrement", "page_size": 1}}
    requester, none = manifest["definitions"]["requester"], {"type": "HttpResponseFilter", "predicate": "{{ 'data' not in response }}", "error_message": "This is none"}
    manifest["streams"] = []
    for name in NEARLY:
        retriever = {"type": "SimpleRetriever", "requester": {**requester, "path": name}, "record_selector": manifest["definitions"]["selector"], "paginator": pages}
        if name.startswith("lines"):
            retriever.pop("paginator")
            retriever |= {"decoder": {"type": "JsonlDecoder"}, "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}}}
        if name in ("nearly/ignored", "nearly/refused"):
            action = {"action": "IGNORE"} if name == "nearly/ignored" else {"action": "RETRY", "failure_type": "transient_error"}
            retriever["requester"]["error_handler"] = {"type": "DefaultErrorHandler", "max_retries": 3, "response_filters": [{**none, **action}]}
        manifest["streams"].append({"type": "DeclarativeStream", "name": name, "retriever": retriever, "schema_loader": manifest["definitions"]["schema"]})
    catalog = {"streams": [{"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}, "sync_mode": "full_refresh",
                            "destination_sync_mode": "append"} for name in NEARLY]}
    words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "s3cr3t-t0ken"})]
    theirs, ours = Run(cdk, words, tmp_path, api), Run(run_firth, words, tmp_path, api)
    said = [m["log"]["message"] for m in ours.of("LOG")] + [m["trace"]["error"]["message"] for m in ours.of("TRACE") if m["trace"]["type"] == "ERROR"]
    for name, (read, own, words) in NEARLY.items():
        assert [r["id"] for r in theirs.records[name]] == read and [r["id"] for r in ours.records[name]] == own, name
        fails = words is not None and len(own) < 3
        assert ours.statuses[name] == ("INCOMPLETE" if fails else "COMPLETE"), name
        assert theirs.statuses[name] == ("INCOMPLETE" if name == "nearly/refused" else "COMPLETE"), name
        if words:
            shown = words.format(url=api.url)
            assert [text for text in said if shown in text], (name, said)
    # Half a pair is half a pair in Python; it can be written as ASCII alone.
    assert (theirs.records["nearly/half"][1]["name"], ours.records["nearly/half"][1]["name"]) == ("\ud83d \U0001f600", "\ufffd \U0001f600")
    assert ours.records["nearly/nan"] == theirs.records["nearly/nan"] == [{"id": 1}, {"id": 2, "y": [None, None]}, {"id": 3}]
    assert len(ours.requests["/nearly/refused"]) == len(theirs.requests["/nearly/refused"]) == 5
    assert sum("which is not JSON" in text or "has what is not JSON" in text for text in said) == 5, "once for a stream"


# Stream: is page 2 read by both, or what Firth says; the CDK ends there, and all is well.
MARKED_UP = {
    "entity": True, "bytes": True, "names": True, "charset": True, "empty": None, "ignored": None,
    "cut": "line 2 (byte 31): a name was expected", "html": "line 1 (byte 25): \"body\" ends, which is not what began last", "bare": "no \";\" follows",
    "tail": "text outside of the root", "deep": "nested more than 256 deep", "bomb": "entities are nested", "japanese": "encoding \"Shift_JIS\" is not known",
}


def test_answers_that_are_hardly_xml(cdk, api, tmp_path):
    """What the CDK reads is read; of what cannot be read nothing is lost in silence."""
    manifest = yaml.safe_load((MANIFESTS / "pages.yaml").read_text())
    pages = manifest["streams"][0]["retriever"]["paginator"] | {"pagination_strategy": {"type": "PageIncrement", "page_size": 1}}
    none = {"type": "HttpResponseFilter", "predicate": "{{ 'xml' in headers['Content-Type'] and not response }}", "action": "IGNORE"}
    manifest["streams"] = []
    for name in MARKED_UP:
        requester = {**manifest["definitions"]["requester"], "path": f"marked_up/{name}"}
        if name == "ignored":
            requester["error_handler"] = {"type": "DefaultErrorHandler", "response_filters": [none]}
        retriever = {"type": "SimpleRetriever", "requester": requester, "paginator": pages, "decoder": {"type": "XmlDecoder"},
                     "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["r", "i"]}}}
        manifest["streams"].append({"type": "DeclarativeStream", "name": name, "retriever": retriever, "schema_loader": manifest["definitions"]["schema"]})
    catalog = {"streams": [{"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}, "sync_mode": "full_refresh",
                            "destination_sync_mode": "append"} for name in MARKED_UP]}
    words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "s3cr3t-t0ken"})]
    theirs, ours = Run(cdk, words, tmp_path, api), Run(run_firth, words, tmp_path, api)
    said = [m["log"]["message"] for m in ours.of("LOG")] + [m["trace"]["error"]["message"] for m in ours.of("TRACE") if m["trace"]["type"] == "ERROR"]
    for name, words in MARKED_UP.items():
        fails = isinstance(words, str)
        assert ours.statuses[name] == ("INCOMPLETE" if fails else "COMPLETE"), (name, ours.err)
        if fails:
            assert [r["id"] for r in ours.records[name]] == ["1"]
            assert [text for text in said if f"/marked_up/{name}?…: it is no XML" in text and words in text], (name, said)
        else:
            assert ours.records[name] == theirs.records[name] and len(ours.records[name]) == (3 if words else 1), name
    assert ours.records["bytes"][1]["t"] == "\ufffdx" and ours.records["charset"][1]["t"] == "\xe9"
    assert ours.records["entity"][1]["@n"] == "ACME"


def test_answers_that_are_hardly_gzip(cdk, api, tmp_path):
    """What follows a member is another one, or zeros."""
    manifest = yaml.safe_load((MANIFESTS / "pages.yaml").read_text())
    retriever = {"type": "SimpleRetriever", "decoder": {"type": "GzipDecoder", "decoder": {"type": "JsonlDecoder"}},
                 "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}}}
    manifest["streams"] = [{
        "type": "DeclarativeStream", "name": name, "schema_loader": manifest["definitions"]["schema"],
        "retriever": {**retriever, "requester": {**manifest["definitions"]["requester"], "path": f"packed/{name}"}}} for name in Api.PACKED]
    catalog = {"streams": [{"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}, "sync_mode": "full_refresh",
                            "destination_sync_mode": "append"} for name in Api.PACKED]}
    words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "s3cr3t-t0ken"})]
    theirs, ours = Run(cdk, words, tmp_path, api), Run(run_firth, words, tmp_path, api)
    assert ours.records == theirs.records and ours.statuses == theirs.statuses
    assert {name for name, status in ours.statuses.items() if status == "COMPLETE"} == {"two", "padded"}
    assert bool(ours.status) == bool(theirs.status)


def test_a_legacy_state_that_is_migrated(cdk, api, tmp_path):
    """It counts for its partitions, whose keys are texts; the CDK leaves out their parent_slice, and reads them from the beginning. Of two
    parents neither takes it."""
    manifest = yaml.safe_load((MANIFESTS / "substreams.yaml").read_text())
    children = manifest["definitions"]["children"]
    children["state_migrations"] = [{"type": "LegacyToPerPartitionStateMigration"}]
    parent = children["retriever"]["partition_router"]["parent_stream_configs"][0]
    parent.update(incremental_dependency=False, parent_key="at")
    children["retriever"]["requester"]["path"] = "/parents/{{ stream_partition.parent[8:10] | int }}/children"
    manifest["streams"] = [children]
    catalog = {"streams": [{"stream": {"name": "children", "json_schema": {}, "supported_sync_modes": ["incremental"]},
                            "sync_mode": "incremental", "destination_sync_mode": "append"}]}
    state = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "children"}, "stream_state": {"2024-02-01T00:00:00Z": {"at": "2024-03-02T00:00:00Z"}}}}]
    files = ["--catalog", write(tmp_path, "k.json", catalog), "--state", write(tmp_path, "s.json", state),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "s3cr3t-t0ken"})]

    def since(found):
        return {path: [value for name, value in asked[0]["query"] if name == "since"][0][:10] for path, asked in found.requests.items() if "children" in path}
    for parents, ours_since in ((1, "2024-03-02"), (2, "2024-01-01")):
        children["retriever"]["partition_router"]["parent_stream_configs"] = [parent] * parents
        words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), *files]
        theirs, ours = Run(cdk, words, tmp_path, api), Run(run_firth, words, tmp_path, api)
        assert ours.records == theirs.records and ours.statuses == theirs.statuses, (theirs.err, ours.err)
        begin = {f"/parents/{n}/children": "2024-01-01" for n in (1, 2, 3)}
        assert since(theirs) == begin
        assert since(ours) == begin | {"/parents/1/children": ours_since}


@pytest.mark.parametrize("path", ["slow", "status/503", "computing"])
def test_it_stops_when_it_is_told_to(api, tmp_path, path):
    """While it waits for an answer, while it waits before it asks again, and while templates compute and let nothing through."""
    manifest = yaml.safe_load((MANIFESTS / "errors.yaml").read_text())
    manifest["streams"] = [{"$ref": "#/definitions/stream", "name": "one", "retriever": {
        "type": "SimpleRetriever", "record_selector": "#/definitions/selector", "requester": {"$ref": "#/definitions/requester", "path": path, "error_handler": {
            "type": "DefaultErrorHandler", "backoff_strategies": [{"type": "ConstantBackoffStrategy", "backoff_time_in_seconds": 3000}]}}}}]
    if path == "computing":
        heavy = "{% for n in 'x' * 300 %}{% for m in 'x' * 300 %}{% if n == 'y' %}1{% endif %}{% endfor %}{% endfor %}"
        manifest["streams"][0]["retriever"]["record_selector"] = {"$ref": "#/definitions/selector", "record_filter": {"type": "RecordFilter", "condition": heavy}}
    catalog = {"streams": [{"stream": {"name": "one", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                            "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}
    words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "t"})]
    running = subprocess.Popen([os.environ["FIRTH_BIN"], "connector", "declarative", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: api.server.requests, "the request")
    if path == "computing":
        until(lambda: sum(map(int, Path(f"/proc/{running.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) > 20, "it computes")
    running.terminate()
    out, err = running.communicate(timeout=10)
    assert running.returncode == -signal.SIGTERM, err
    assert "COMPLETE" not in out.replace("INCOMPLETE", "") and '"STATE"' not in out


def test_records_without_members(cdk, api, tmp_path):
    """To the CDK's queue an empty record is the end: it reads no further, without a state or an error. Firth reads them all."""
    manifest = yaml.safe_load((MANIFESTS / "pages.yaml").read_text())
    manifest["streams"] = [{**manifest["streams"][0], "name": "empty", "transformations": [{"type": "RemoveFields", "field_pointers": [["*"]]}]}]
    catalog = {"streams": [{"stream": {"name": "empty", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                            "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}
    words = ["read", "--manifest-path", write(tmp_path, "m.json", manifest), "--catalog", write(tmp_path, "k.json", catalog),
             "--config", write(tmp_path, "c.json", {"url": api.url, "token": "s3cr3t-t0ken"})]
    theirs, ours = Run(cdk, words, tmp_path, api), Run(run_firth, words, tmp_path, api)
    assert (theirs.status, theirs.records, theirs.statuses, theirs.states) == (0, {}, {"empty": "STARTED"}, {})
    assert (ours.status, ours.records, ours.statuses) == (0, {"empty": [{}] * 7}, {"empty": "COMPLETE"})
    assert ours.states == {"empty": {"__ab_no_cursor_state_message": True}}


# What none of the manifests has, and why: components with all their fields, and fields.
ELSEWHERE = {
    "FileUploader",              # not followed; `manifest check` says so
    "BlockSimultaneousSyncsAction", "StreamGroup",  # test_streams_of_a_group_are_read_one_at_a_time
    "PredicateValidator",        # the CDK fails with whatever has one (test_config_rules.c)
    "JsonFileSchemaLoader",      # of files beside the connector's Python
    "OAuthConnectorInput",       # of the spec alone, which is handed on
}
FIELDS_ELSEWHERE = {
    "DeclarativeSource.stream_groups", "DeclarativeStream.file_uploader",  # as their components, above
    "DeclarativeSource.definitions", "DeclarativeSource.schemas", "DeclarativeSource.metadata",  # not of what is run
    "DatetimeBasedCursor.state_is_window_end",  # Firth's own (decision 0070)
    "OAuthConfigSpecification.complete_oauth_server_input_specification", "OAuthConfigSpecification.complete_oauth_server_output_specification",
    "OAuthConfigSpecification.oauth_connector_input_specification",  # of the spec alone
    "OAuthConfigSpecification.oauth_user_input_from_connector_config_specification",
}


def components_of(value, alternatives, table, found, fields):
    """The components in a value that may be these; `found` gets their names, `fields` those of what they have."""
    if isinstance(value, list):
        for each in value:
            components_of(each, alternatives, table, found, fields)
        return
    if not isinstance(value, dict):
        return
    names = [name for name in re.findall(r"\w+", alternatives) if name in table]
    typed = [name for name in names if table[name]["word"] == value.get("type")] or [name for name in names if not table[name]["typed"] and len(names) == 1]
    known = table[typed[0]]["fields"] if typed else {}
    found.update(typed[:1])
    for name, each in value.items():
        if name in known:
            fields.add(f"{typed[0]}.{name}")
        components_of(each, known[name]["type"] if name in known else alternatives if not typed else "", table, found, fields)


def test_every_component_and_field_has_a_manifest():
    """One that is new in the table needs one here, or a reason why not."""
    def manifest(*words):
        return json.loads(subprocess.run([os.environ["FIRTH_BIN"], "manifest", *words, "-o", "json"], check=True, capture_output=True).stdout)
    table, found, fields = manifest("components"), set(), set()
    for path in MANIFESTS.glob("*.yaml"):
        whole = manifest("resolve", path)
        components_of({name: each for name, each in whole.items() if name != "definitions"}, "DeclarativeSource", table, found, fields)
    ours = {name for name in table if not table[name]["python"]}
    assert ours - found == ELSEWHERE
    assert {f"{name}.{field}" for name in found for field in table[name]["fields"]} - fields == FIELDS_ELSEWHERE


SEEDS = 60 if FULL else 3


@pytest.mark.parametrize("seed", range(SEEDS))
def test_generated(seed, cdk, api, tmp_path):
    made = generated_manifests.manifest(seed)
    path, config = write(tmp_path, "m.json", made), generated_manifests.config(api.url)
    differences = []
    for stream in made["streams"]:
        modes = ["full_refresh", "incremental"] if "incremental_sync" in stream else ["full_refresh"]
        catalog = {"streams": [{"stream": {"name": stream["name"], "json_schema": {}, "supported_sync_modes": modes},
                                "sync_mode": modes[-1], "destination_sync_mode": "append"}]}
        words = ["read", "--manifest-path", path, "--config", write(tmp_path, "c.json", config), "--catalog", write(tmp_path, "k.json", catalog)]
        theirs, ours = Run(cdk, words, tmp_path, api), Run(run_firth, words, tmp_path, api)
        found = [(each.requests, each.records, {k: normal(v) for k, v in each.states.items()}, each.statuses, bool(each.status))
                 for each in (theirs, ours)]
        if found[0] != found[1]:
            what = [name for name, a, b in zip(("requests", "records", "states", "statuses", "outcome"), *found) if a != b]
            differences.append(f"{json.dumps(stream)}\n  {what}\n  theirs {found[0]}\n  ours   {found[1]}\n  {ours.err[-500:]}")
    assert not differences, "\n".join(differences)
