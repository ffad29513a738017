"""source-front against a server that behaves as the API is documented to: pages, windows, states, limits, faults."""

import pathlib
import time

import pytest

from connector_suite.flow import FlowRunner
from connector_suite.protocol import Runner, configured
from front import RESOURCES, TOKEN, fill

START = 1731628800  # 2024-11-15T00:00:00Z
DAY = 86400


@pytest.fixture
def run(firth):
    return Runner([str(firth.path), "connector", "source-front"])


@pytest.fixture
def patient(firth_dev):
    """The same, whose waits are a hundredth."""
    return Runner([str(firth_dev.path), "connector", "source-front"], {"FIRTH_FAULT_PLANT": "short-waits"})


@pytest.fixture
def read(run, front):
    """A session that read these streams incrementally, where they can be."""
    return reader(run, front)


@pytest.fixture
def read_patiently(patient, front):
    return reader(patient, front)


def reader(run, front):
    def session(*names, state=None, rc=0, **config):
        config = front.config(**config)
        streams = [each for each in run("discover", config=config).one("CATALOG")["catalog"]["streams"] if each["name"] in names]
        assert len(streams) == len(names)
        catalog = {"streams": [{"stream": each, "destination_sync_mode": "append",
                                "sync_mode": each["supported_sync_modes"][-1]} for each in streams]}
        done = run("read", config=config, catalog=catalog, state=state)
        assert done.rc == rc, done
        return done
    return session


def ids(session, stream=None):
    return [each["data"]["id"] for each in session.records(stream)]


def last_states(session):
    """Of each stream."""
    return list({each["stream"]["stream_descriptor"]["name"]: each for each in session.states()}.values())


# --- what there is ---------------------------------------------------------------------------------------------


def test_streams(run, front):
    streams = run("discover", config=front.config()).one("CATALOG")["catalog"]["streams"]
    assert [each["name"] for each in streams] == list(RESOURCES)
    assert not front.requests, "they are known without asking"
    for each in streams:
        assert each["source_defined_primary_key"] == [["id"]] and each["json_schema"]["properties"]["id"]
    assert {each["name"]: each["default_cursor_field"] for each in streams if "incremental" in each["supported_sync_modes"]} == {
        "contacts": ["updated_at"], "conversations": ["created_at"], "events": ["emitted_at"]}


def test_everything_is_read_once(front, read):
    fill(front)
    done = read(*RESOURCES)
    for name in RESOURCES:
        assert sorted(ids(done, name)) == sorted(front.data[name]), name
    assert all(request.status == 200 for request in front.requests)
    assert done.records("contacts")[0]["data"] == front.data["contacts"]["crd_0"], "records are what the API sent"
    assert len(front.asked("/events")) == 3 + 8, "three pages; the other windows of 90 days are empty"


def test_nothing_there(read):
    done = read(*RESOURCES)
    assert not done.records() and all(each[-1] == "COMPLETE" for each in done.statuses().values())


@pytest.mark.parametrize("includes", [True, False])
def test_what_is_before_the_start_is_left_out(front, read, includes):
    """Whatever the API thinks of `after`: who has the very time of the start is in."""
    front.includes = includes
    for n, at in enumerate((START - DAY, START - 0.001, START, START + 0.001)):
        front.put("events", {"id": f"evt_{n}", "emitted_at": at})
        front.put("contacts", {"id": f"crd_{n}", "updated_at": at})
        front.put("tags", {"id": f"tag_{n}", "created_at": START - DAY, "updated_at": at})
        front.talk(at, id=f"cnv_{n}", created_at=START - 9 * DAY)
    front.put("tags", {"id": "tag_old", "created_at": START - DAY}, {"id": "tag_new", "created_at": START}, {"id": "tag_dateless"})
    done = read("contacts", "conversations", "events", "tags")
    assert ids(done, "events") == ["evt_2", "evt_3"] and ids(done, "contacts") == ["crd_2", "crd_3"]
    assert ids(done, "conversations") == ["cnv_2", "cnv_3"]
    assert ids(done, "tags") == ["tag_2", "tag_3", "tag_new", "tag_dateless"]


def test_without_a_start_date(run, front):
    front.put("tags", {"id": "tag_1", "updated_at": 946684800.5}, {"id": "tag_0", "updated_at": 946684799.5})
    config = front.config()
    del config["start_date"]
    streams = [each for each in run("discover", config=config).one("CATALOG")["catalog"]["streams"] if each["name"] == "tags"]
    assert ids(run("read", config=config, catalog=configured(streams, "full_refresh"))) == ["tag_1"], "from 2000 on"


# --- states ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("includes", [True, False])
def test_a_sync_goes_on_after_the_last_one(front, read, includes):
    front.includes = includes
    fill(front)
    first = read("contacts", "conversations", "events")
    latest = last_states(first)
    assert not ids(read("contacts", "conversations", "events", state=latest)), "nothing is new"
    now = START + 100 * DAY
    front.put("contacts", {**front.data["contacts"]["crd_3"], "name": "other", "updated_at": now + 0.25})
    front.put("events", {"id": "evt_new", "emitted_at": now + 0.5})
    second = read("contacts", "conversations", "events", state=latest)
    assert [(each["stream"], each["data"]["id"]) for each in second.records()] == [("contacts", "crd_3"), ("events", "evt_new")]
    third = read("contacts", "events", state=[each for each in last_states(second) if "conversations" not in str(each)])
    assert not third.records()


def test_an_old_conversation_with_a_new_message(front, read):
    front.talk(START + DAY, id="cnv_1", created_at=START + DAY)
    [state] = last_states(read("conversations"))
    reached = int(state["stream"]["stream_state"]["created_at"])
    assert reached > START + 300 * DAY, "it is how far was searched, two minutes ago, not the newest conversation"
    front.talk(reached - 1000, id="cnv_2", created_at=reached - 1000)
    front.talk(reached - 999, id="cnv_1", created_at=START + DAY)
    state["stream"]["stream_state"]["created_at"] = str(reached - 1000)
    assert ids(read("conversations", state=[state])) == ["cnv_1"], "what has the state's second was found before"


def test_a_sync_that_was_cut_off_goes_on_where_it_was(front, read):
    front.put("events", *({"id": f"evt_{n}", "emitted_at": START + n * 40 * DAY} for n in range(8)))
    front.fault(404, path="/events", after=2)
    broken = read("events", rc=1)
    assert ids(broken) == ["evt_0", "evt_1", "evt_2", "evt_3", "evt_4", "evt_7"], "the third of four windows of 90 days failed"
    assert sorted({*ids(broken), *ids(read("events", state=last_states(broken)))}) == [f"evt_{n}" for n in range(8)]


def test_deleted_and_changed_between_syncs(front, read):
    front.put("teams", {"id": "tim_1", "name": "a"}, {"id": "tim_2", "name": "b"})
    assert ids(read("teams")) == ["tim_1", "tim_2"]
    front.delete("teams", "tim_1")
    front.put("teams", {"id": "tim_2", "name": "c"})
    assert [each["data"] for each in read("teams").records()] == [{"id": "tim_2", "name": "c"}]


# --- limits and faults -----------------------------------------------------------------------------------------


def test_the_rate_limit_is_kept(front, read):
    """Six calls in two seconds: who watches what the answers tell is never refused."""
    fill(front)
    front.limit = (6, 2)
    done = read("contacts", "events", "tags", page_limit="50")
    assert len(ids(done)) == 230 + 230 + 25
    assert all(request.status == 200 for request in front.requests)


@pytest.mark.parametrize("header, least", [({"Retry-After": "200"}, 2), ({}, 0)])
def test_too_many_requests(front, read_patiently, header, least):
    front.put("teams", {"id": "tim_1"})
    front.fault(429, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1), **header})
    assert ids(read_patiently("teams")) == ["tim_1"]
    refused, again = front.requests
    assert refused.status == 429 and again.status == 200 and again.at - refused.at >= least


def test_a_short_wait_is_a_short_wait(front, read):
    """The window of the budget is a minute; who says to come again after a second is asked after that."""
    front.put("teams", {"id": "tim_1"})
    front.fault(429, headers={"Retry-After": "1"})
    done = read("teams")
    refused, again = front.requests
    assert ids(done) == ["tim_1"] and again.at - refused.at < 30
    assert [each for each in done.of("LOG") if "attempt 2 in 2.0 s" in each["log"]["message"]]


@pytest.mark.parametrize("kind", [500, 502, 503, "cut", "lost"])
def test_what_passes_is_asked_again(front, read_patiently, kind):
    fill(front)
    front.fault(kind, path="/contacts", after=1)
    assert ids(read_patiently("contacts")) == [f"crd_{n}" for n in range(230)]


def test_a_slow_answer(front, read):
    fill(front)
    front.fault("slow", path="/events")
    assert len(ids(read("events"))) == 230


@pytest.mark.parametrize("verb", ["check", "read"])
def test_a_wrong_token(run, front, read, verb):
    front.token = "another"
    if verb == "check":
        status = run("check", config=front.config()).one("CONNECTION_STATUS")["connectionStatus"]
        assert status["status"] == "FAILED"
        message = status["message"]
    else:
        done = read("teams", rc=3)
        message = done.errors()[-1]["message"]
        assert done.statuses()["teams"][-1] == "INCOMPLETE" and done.errors()[-1]["failure_type"] == "config_error"
    assert "Front does not know the API token: JSON web token is invalid" in message and TOKEN not in message
    assert len(front.requests) == 1, "it is not asked again"


def test_a_scope_that_is_missing(front, read):
    front.put("teams", {"id": "tim_1"})
    front.forbidden = {"tags"}
    done = read("tags", "teams", rc=3)
    assert done.statuses()["tags"][-1] == "INCOMPLETE" and done.statuses()["teams"][-1] == "COMPLETE"
    assert ids(done) == ["tim_1"] and "has not the scope that this resource needs" in done.errors()[-1]["message"]


def test_an_answer_that_is_no_json(front, read_patiently):
    front.put("teams", {"id": "tim_1"})
    front.fault("text", path="/teams")
    assert ids(read_patiently("teams")) == ["tim_1"], "it is asked again"
    front.requests.clear()
    front.fault("text", path="/teams", times=9)
    failed = read_patiently("teams", rc=1)
    assert len(front.asked("/teams")) == 3 and failed.statuses()["teams"][-1] == "INCOMPLETE"
    reason = "This is no answer of Front's API. (it is no JSON: line 1, column 1 (byte 0): expected a value, got '<')"
    assert reason in failed.errors()[-1]["message"] and sum(reason + "; attempt" in each["log"]["message"] for each in failed.of("LOG")) == 2


@pytest.mark.parametrize("body", [
    {"_error": {"status": 500, "title": "Server error"}}, {"_results": [], "_error": {"status": 500}}, {"_results": None, "_pagination": {"next": None}},
    {"_results": {"a": 1}}, {"_results": "none"}, [1]])
def test_an_error_with_a_good_status(front, read_patiently, monkeypatch, body):
    """It is no window in which nothing happened."""
    answer = front.answer
    monkeypatch.setattr(front, "answer", lambda request, base: body if "search" in request.path else answer(request, base))
    start = int(time.time()) - 20 * DAY
    failed = read_patiently("conversations", "teams", rc=1, start_date=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start)))
    assert failed.statuses()["conversations"][-1] == "INCOMPLETE" and failed.statuses()["teams"][-1] == "COMPLETE"
    states = {each["stream"]["stream_descriptor"]["name"]: each["stream"]["stream_state"] for each in last_states(failed)}
    assert int(states["conversations"]["created_at"]) <= start
    assert "This is no answer of Front's API" in failed.errors()[-1]["message"]
    assert len({request.path for request in front.asked("/search")}) * 3 == len(front.asked("/search"))


def test_half_a_character(front, read):
    """As JavaScript cuts texts: the record is read, and those behind it."""
    front.put("teams", {"id": "tim_1", "name": "x\ud83d"}, {"id": "tim_2"})
    assert [each["data"] for each in read("teams").records()] == [{"id": "tim_1", "name": "x\ufffd"}, {"id": "tim_2"}]


@pytest.mark.parametrize("change, words", [
    ({"start_date": "2024-11-15"}, "start_date"), ({"start_date": "yesterday"}, "start_date"), ({"page_limit": "0"}, "page_limit"),
    ({"api_key": ""}, "api_key"), ({"api_base": "ftp://x"}, "api_base")])
def test_wrong_configs(run, front, change, words):
    status = run("check", config=front.config(**change)).one("CONNECTION_STATUS")["connectionStatus"]
    assert status["status"] == "FAILED" and words in status["message"] and TOKEN not in status["message"]
    assert not front.requests


# --- Flow's protocol -------------------------------------------------------------------------------------------


def test_the_resource_of_flow(run, front):
    flow = FlowRunner(run)
    flow.command = run.command
    spec = flow({"spec": {"connectorType": "IMAGE", "config": {}}}).one("spec")
    assert spec["resourcePathPointers"] == ["/namespace", "/name"] and spec["resourceConfigSchema"]["required"] == ["name"]
    assert spec["configSchema"]["required"] == ["credentials"]
    found = flow({"discover": {"config": front.flow_config()}}).one("discovered")["bindings"]
    assert [(each["recommendedName"], each["resourceConfig"]["name"], each["key"]) for each in found] == [
        (name, name, ["/id"]) for name in RESOURCES]
    assert "credentials" in flow({"discover": {"config": {}}}).error(), "in the words of Estuary's config"


def test_the_sample_as_it_stands(firth, front, tmp_path, root, monkeypatch):
    """examples/front/flow.yaml, which is the sample of the connector's documentation: the real URL, by a proxy."""
    fill(front)
    front.token = "<secret>"
    for name, value in {**front.pretend("api2.frontapp.com", tmp_path), "PREFIX": "acmeCo", "CAPTURE_NAME": "source-front"}.items():
        monkeypatch.setenv(name, value)
    example = str(pathlib.Path(root, "examples/front/flow.yaml"))
    firth("run", example, "--once", expect=0)
    for name in RESOURCES:
        documents = firth("read", f"acmeCo/{name}", expect=0).lines()
        assert sorted(each["id"] for each in documents) == sorted(front.data[name]), name
    front.put("events", {"id": "evt_new", "emitted_at": START + 100 * DAY})
    firth("run", example, "--once", expect=0)
    assert [each["id"] for each in firth("read", "acmeCo/events", expect=0).lines()][230:] == ["evt_new"]
