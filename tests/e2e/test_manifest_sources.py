"""Manifests in catalogs, run by the built-in as `airbyte/source-declarative-manifest`: captures and connections, checked, discovered,
read, killed and read on."""

import json
import os
import signal
import threading

import pytest
import yaml

from clients.mock_api import ITEMS, Answer, Api, MockApi
from conftest import ROOT, until
from e2e.serving import serve, write

MANIFESTS = ROOT / "tests" / "clients" / "manifests"
IMAGE = "airbyte/source-declarative-manifest:6"


@pytest.fixture
def api():
    running = MockApi()
    yield running
    running.close()


def endpoint(api, name, **config):
    manifest = yaml.safe_load((MANIFESTS / f"{name}.yaml").read_text())
    return {"connector": {"image": IMAGE, "config": {
        "url": api.url, "token": "t-s3cr3t", "start": "2024-01-03T00:00:00Z", **config, "__injected_declarative_manifest": manifest}}}


def capture(tmp_path, source, stream, **more):
    return write_json(tmp_path, {
        "captures": {"acmeCo/shop": {"endpoint": source, "interval": "1h", "bindings": [
            {"resource": {"stream": stream, **more}, "target": "acmeCo/items"}]}},
        "collections": {"acmeCo/items": {"key": ["/id"], "schema": {
            "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}}})


def write_json(tmp_path, catalog):
    path = tmp_path / "flow.json"
    path.write_text(json.dumps(catalog))
    return path


def ids(firth, collection="acmeCo/items"):
    """What the collection has; nothing, while it is not there yet."""
    return [document["id"] for document in firth("read", collection).lines()]


def test_capture(firth, api, tmp_path):
    """Once; again, and it goes on from its state."""
    catalog = capture(tmp_path, endpoint(api, "datetime"), "events")
    assert firth("check", catalog, expect=0)
    firth("run", catalog, "--once", expect=0)
    first = ids(firth)
    assert first == [1, 2, 3, 4, 5, 6]
    asked = len(api.take())
    firth("run", catalog, "--once", expect=0)
    again = [request for request in api.take() if request["path"] == "/events"]
    assert 0 < len(again) < asked
    assert ids(firth) == first + [6], "the CDK asks for the last moment once more"


def test_a_config_that_its_spec_refuses(firth, api, tmp_path):
    result = firth("run", capture(tmp_path, endpoint(api, "datetime", start=7), "events"), "--once")
    assert result.rc != 0 and "/start" in result.out + result.err and "t-s3cr3t" not in result.out + result.err
    assert api.take() == []


def test_connection(firth, api, tmp_path):
    catalog = write_json(tmp_path, {"connections": {"acmeCo/shop": {
        "source": endpoint(api, "pages"), "streams": "all",
        "destination": {"connector": {"image": "airbyte/destination-local-json", "config": {"destination_path": "/local/out"}}}}}})
    firth("run", catalog, "--once", env={"FIRTH_LOCAL_ROOT": str(tmp_path / "local")}, expect=0)
    streams = [stream["name"] for stream in endpoint(api, "pages")["connector"]["config"]["__injected_declarative_manifest"]["streams"]]
    for stream in streams:
        lines = (tmp_path / "local" / "out" / f"_airbyte_raw_{stream}.jsonl").read_text().splitlines()
        assert [json.loads(line)["_airbyte_data"]["id"] for line in lines] == [item["id"] for item in ITEMS], stream


def children(pid):
    """All processes below this one."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            below = open(f"/proc/{pid}/task/{task}/children").read().split()
        except OSError:
            below = []
        for child in map(int, below):
            found += [child, *children(child)]
    return found


def connectors(pid):
    def words(child):
        try:
            return open(f"/proc/{child}/cmdline", "rb").read().split(b"\0")
        except OSError:
            return []
    return [child for child in children(pid) if b"source-declarative-manifest" in words(child)]


@pytest.mark.parametrize("whom", ["connector", "all"])
def test_killed_in_the_middle_it_goes_on(firth, api, tmp_path, whom):
    """The API does not answer for the last window; who was killed meanwhile asks for no window that was read before."""
    catalog = capture(tmp_path, endpoint(api, "datetime"), "events")
    api.server.hold = lambda query: query.get("from", "") >= "2024-01-12"
    running = firth.start("run", str(catalog), "--retry-after", "1s")
    until(lambda: any(api.server.hold(dict(each["query"])) for each in api.server.requests), "the last window")
    until(lambda: len(ids(firth)) == 5, "the first windows in the store")
    api.take()
    api.server.hold = None
    if whom == "all":
        running.kill()
    else:
        for pid in connectors(running.process.pid):
            os.kill(pid, signal.SIGKILL)
    api.server.go_on.set()
    if whom == "all":
        firth("run", catalog, "--once", expect=0)
    until(lambda: 6 in ids(firth), "the last record")
    assert ids(firth)[:5] == [1, 2, 3, 4, 5] and set(ids(firth)) == {1, 2, 3, 4, 5, 6}
    assert min(dict(request["query"])["from"] for request in api.take()) > "2024-01-05", "it went on, and did not begin again"
    if whom == "connector":
        running.signal(signal.SIGTERM)
        running.wait()


@pytest.mark.parametrize("size", [10, 400_000], ids=["held", "written as it is read"])
def test_slices_in_progress_are_not_doubled(firth, tmp_path, size):
    """Four slices at once; one is in its middle when all is killed: what was read of it is not there twice, or missing."""
    held = threading.Event()
    asked = []

    class Grown(Api):
        def get_grown(self, route, query, body, seen):
            group, page = int(route[0]), int(query.get("page", 0))
            asked.append((group, query["from"], page))
            if group == 1 and page == 1 and not held.is_set():
                held.wait(60)
            times = [time for day in (4, 9, 13) for hour in range(6) if query["from"] <= (time := f"2024-01-{day:02d}T{hour:02d}:00:00Z") <= query["to"]]
            return {"data": [{"id": f"{group} {time}", "at": time, "text": "x" * size} for time in times[2 * page:2 * page + 2]]}

    api = MockApi(Grown)
    source = endpoint(api, "datetime")
    manifest = source["connector"]["config"]["__injected_declarative_manifest"]
    manifest["concurrency_level"]["default_concurrency"] = 4
    stream = manifest["streams"][1]
    stream["retriever"]["requester"]["path"] = "/grown/{{ stream_partition.group }}"
    stream["retriever"]["record_selector"] = "#/definitions/selector"
    stream["retriever"]["partition_router"]["values"] = [str(n) for n in range(6)]
    stream["retriever"]["paginator"] = {
        "type": "DefaultPaginator", "pagination_strategy": {"type": "PageIncrement", "page_size": 2},
        "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"}}
    cursor = manifest["definitions"]["cursor"]
    del cursor["lookback_window"]
    cursor["state_is_window_end"] = True
    catalog = capture(tmp_path, source, "events_by_group")
    text = catalog.read_text().replace('{"type": "integer"}}}}}}', '{"type": "string"}}}}}}')
    catalog.write_text(text)
    running = firth.start("run", str(catalog), "--retry-after", "1s")
    until(lambda: (1, 1) in [(group, page) for group, _, page in asked], "the second page")
    if size == 10:
        until(lambda: sum(identity[0] != "1" for identity in ids(firth)) == 5 * 3 * 6, "all other groups in the store")
    else:
        until(lambda: len({group for group, *_ in asked}) > 3, "other groups are read meanwhile")
    running.kill()
    held.set()
    firth("run", catalog, "--once", expect=0)
    found = ids(firth)
    api.close()
    assert sorted(found) == sorted(set(found)) and len(found) == 6 * 3 * 6


@pytest.mark.parametrize("how", ["fails", "killed"])
@pytest.mark.parametrize("together", [False, True], ids=["each", "one cursor for all"])
def test_nothing_is_lost_where_a_slice_is_not_read(firth, tmp_path, how, together):
    """One of three groups is not read to its end, the others are, and are ahead of it: what it has is read the next time."""
    held, asked = threading.Event(), []

    class Stuck(Api):
        def get_stuck(self, route, query, body, seen):
            group, page = int(route[0]), int(query.get("page", 0))
            asked.append((group, page))
            if group == 1 and page == 1 and not held.is_set():
                if how == "fails":
                    raise Answer(403, {"error": "not this time"})
                held.wait(60)
            days = [d for d in ((3, 4, 5, 6) if group == 1 else (10, 11, 12, 13)) if query["from"] <= f"2024-01-{d:02d}T12:00:00Z" <= query["to"]]
            return {"data": [{"id": group * 100 + d, "at": f"2024-01-{d:02d}T12:00:00Z"} for d in days[2 * page:2 * page + 2]]}

    api = MockApi(Stuck)
    source = endpoint(api, "datetime")
    manifest = source["connector"]["config"]["__injected_declarative_manifest"]
    manifest["concurrency_level"]["default_concurrency"] = 3
    stream = manifest["streams"][1]
    stream["retriever"]["requester"]["path"] = "/stuck/{{ stream_partition.group }}"
    stream["retriever"]["record_selector"] = "#/definitions/selector"
    stream["retriever"]["paginator"] = {
        "type": "DefaultPaginator", "pagination_strategy": {"type": "PageIncrement", "page_size": 2},
        "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"}}
    cursor = manifest["definitions"]["cursor"]
    for name in "step", "cursor_granularity", "lookback_window":
        del cursor[name]
    cursor["global_substream_cursor"] = together
    catalog = capture(tmp_path, source, "events_by_group")
    running = firth.start("run", str(catalog), "--once")
    until(lambda: {(0, 2), (1, 1), (2, 2)} <= set(asked), "all that the others have")
    if how == "killed":
        if not together:
            until(lambda: len(ids(firth)) >= 4, "another group in the store")
        running.kill()
    else:
        assert running.wait() != 0
    held.set()
    firth("run", catalog, "--once", expect=0)
    api.close()
    assert set(ids(firth)) == {group * 100 + day for group, days in ((0, range(10, 14)), (1, range(3, 7)), (2, range(10, 14))) for day in days}


def test_served(firth, api, tmp_path):
    catalog = capture(tmp_path, endpoint(api, "datetime"), "events")
    firth("deploy", catalog, "--yes", expect=0)
    daemon = serve(firth)
    until(lambda: ids(firth) == [1, 2, 3, 4, 5, 6], "the events")
    daemon.signal(signal.SIGTERM)
    daemon.wait()


def test_discover(firth, api, tmp_path):
    """A catalog, with its collections and the config that was given."""
    words = ["discover", "--image", IMAGE, "--name", "acmeCo/shop", "--yes"]
    firth(*words, cwd=tmp_path)
    config, = [path for path in tmp_path.rglob("*config*") if path.is_file()]
    config.write_text(json.dumps(endpoint(api, "datetime")["connector"]["config"]))
    firth(*words, cwd=tmp_path, expect=0)
    found = yaml.safe_load((tmp_path / "flow.yaml").read_text())["captures"]["acmeCo/shop"]["bindings"]
    assert [binding["resource"]["stream"] for binding in found] == ["events", "events_by_group", "client_side"]
    firth("run", tmp_path / "flow.yaml", "--once", expect=0)
    assert ids(firth, "acmeCo/client_side")
