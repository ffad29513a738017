"""destination-google-sheets against a server that keeps the API's rules: modes, values, limits, faults, kills."""

import json
import os
import re
import signal
import subprocess

import pytest

import sheets as server
from connector_suite.flow import FlowRunner, collection
from connector_suite.protocol import Runner
from conftest import until
from sheets import EMAIL, Tab

ID_NAME = {"id": {"type": "integer"}, "name": {"type": ["null", "string"]}}


def stream(name="users", properties=None, mode="append", key=None, cursor=None, generation=1, namespace=None):
    return {"stream": {"name": name, "namespace": namespace, "supported_sync_modes": ["full_refresh"],
                       "json_schema": {"type": "object", "properties": properties or ID_NAME}},
            "sync_mode": "full_refresh", "destination_sync_mode": mode, "primary_key": key or [],
            "cursor_field": cursor or [], "generation_id": generation, "minimum_generation_id": 0, "sync_id": 9}


def record(data, name="users", namespace=None):
    return {"type": "RECORD", "record": {"stream": name, "namespace": namespace, "data": data, "emitted_at": 1}}


def state(number, name="users"):
    return {"type": "STATE", "state": {"type": "STREAM", "stream": {
        "stream_descriptor": {"name": name}, "stream_state": {"n": number}}}}


def complete(name="users", namespace=None):
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": {
        "stream_descriptor": {"name": name, "namespace": namespace}, "status": "COMPLETE"}}}


def lines(messages):
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


class Sync:
    def __init__(self, sheets, firth):
        self.sheets, self.run = sheets, Runner([str(firth), "connector", "destination-google-sheets"])

    def __call__(self, records, properties=None, config=None, ends=True, **more):
        messages = [record(each) for each in records] + [state(1)] + ([complete()] if ends else [])
        return self.run("write", stdin=lines(messages), config=config or self.sheets.config(),
                        catalog={"streams": [stream(properties=properties, **more)]})

    def good(self, *args, **more):
        session = self(*args, **more)
        assert session.rc == 0 and len(session.states()) == 1, session
        return session

    def bad(self, *args, **more):
        session = self(*args, **more)
        assert session.rc != 0 and not session.states(), session
        return session.errors()[0]["message"]


@pytest.fixture
def sync(sheets, firth):
    return Sync(sheets, firth.path)


@pytest.fixture
def dev_sync(sheets, firth_dev):
    return Sync(sheets, firth_dev.path)


# --- modes -----------------------------------------------------------------------------------------------


def test_append(sheets, sync):
    sync.good([{"id": 1, "name": "a"}, {"id": 2}])
    assert sheets.rows("users") == [["id", "name"], [1, "a"], [2]]
    sync.good([{"id": 3, "name": "c"}])
    assert sheets.rows("users")[3:] == [[3, "c"]]
    assert sheets.titles() == ["Sheet1", "users"]


def test_append_goes_below_what_people_added(sheets, sync):
    sync.good([{"id": 1, "name": "a"}])
    tab = sheets.put("users", [])
    tab.put(7, 1, "a note")
    sync.good([{"id": 2, "name": "b"}])
    assert sheets.rows("users")[7:] == [["", "a note"], [2, "b"]]


def test_overwrite_keeps_the_tab(sheets, sync):
    sync.good([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], mode="overwrite")
    tab = sheets.book.tab("users")
    assert sheets.rows("users") == [["id", "name"], [1, "a"], [2, "b"]] and not tab.hidden
    tab.bold.add((0, 0))
    sync.good([{"id": 3, "name": "c"}], mode="overwrite")
    assert sheets.rows("users") == [["id", "name"], [3, "c"]]
    assert sheets.book.tab("users").id == tab.id and sheets.book.tab("users").bold, "links and formats stay"
    assert len(sheets.book.tabs) == 2, "no stage is left"


def test_overwrite_that_does_not_end_changes_nothing(sheets, sync):
    sync.good([{"id": 1, "name": "a"}], mode="overwrite")
    session = sync([{"id": 2, "name": "b"}], mode="overwrite", ends=False)
    assert session.rc == 0 and not session.states()
    assert sheets.rows("users") == [["id", "name"], [1, "a"]] and len(sheets.book.tabs) == 2


def test_overwrite_with_other_columns_and_more_rows(sheets, sync):
    sheets.put("users", [["old", "id"], ["x", 1]], rows=3, columns=2)
    properties = {name: {"type": "integer"} for name in ("id", "a", "b", "c")}
    sync.good([{"id": n, "a": n, "b": n, "c": n} for n in range(2000)], properties, mode="overwrite")
    rows = sheets.rows("users")
    assert rows[0] == ["id", "a", "b", "c"] and rows[2000] == [1999] * 4 and len(rows) == 2001
    sync.good([], properties, mode="overwrite")
    assert sheets.rows("users") == [["id", "a", "b", "c"]]


@pytest.mark.parametrize("mode", ["append_dedup", "overwrite_dedup"])
def test_dedup(sheets, sync, mode):
    rows = [{"id": n, "name": f"{n}"} for n in (1, 2, 1)]
    rows[2]["name"] = "newer"
    sync.good(rows, mode=mode, key=[["id"]])
    assert sheets.rows("users") == [["id", "name"], [1, "newer"], [2, "2"]]
    sync.good([{"id": 2, "name": "two"}, {"id": 3, "name": "three"}], mode=mode, key=[["id"]])
    assert sheets.rows("users") == [["id", "name"], *([[1, "newer"]] if mode == "append_dedup" else []),
                                    [2, "two"], [3, "three"]]


def test_dedup_newest_wins(sheets, sync):
    properties = {**ID_NAME, "at": {"type": "string"}}
    more = {"mode": "append_dedup", "key": [["id"]], "cursor": ["at"]}
    sync.good([{"id": 1, "name": "b", "at": "2024-02"}, {"id": 1, "name": "a", "at": "2024-01"},
               {"id": 2, "name": "x", "at": None}, {"id": 2, "name": "y", "at": None}], properties, **more)
    assert sheets.rows("users")[1:] == [[1, "b", "2024-02"], [2, "y"]]
    sync.good([{"id": 1, "name": "old", "at": "2023-12"}, {"id": 2, "name": "z", "at": "2024-01"}], properties, **more)
    assert sheets.rows("users")[1:] == [[1, "b", "2024-02"], [2, "z", "2024-01"]]


def test_dedup_by_several_and_strange_keys(sheets, sync):
    properties = {"a": {"type": "string"}, "b": {"type": "number"}, "v": {"type": "integer"}}
    keys = [("", 1), ("x,y", 1), ("x", 12345678901234567890), ("x", 0.1), ("\"q\"", -5), ("1", 1), ("true", 1)]
    for value in (1, 2):
        sync.good([{"a": a, "b": b, "v": value} for a, b in keys], properties, mode="append_dedup", key=[["a"], ["b"]])
    found = sheets.records("users")
    # An empty text is an empty cell, which no key has: such rows are only ever added.
    assert [row["v"] for row in found] == [1, 2, 2, 2, 2, 2, 2, 2]
    assert [row["b"] for row in found][2:4] == ["12345678901234567890", 0.1]


def test_dedup_finds_what_was_sorted_in_between(sheets, sync):
    sync.good([{"id": n, "name": f"{n}"} for n in range(5)], mode="append_dedup", key=[["id"]])
    header, *rows = sheets.rows("users")
    sheets.put("users", [header, *reversed(rows)])
    sync.good([{"id": 1, "name": "new"}], mode="append_dedup", key=[["id"]])
    assert sheets.rows("users") == [header, *[[n, "new" if n == 1 else f"{n}"] for n in (4, 3, 2, 1, 0)]]


# --- columns and tabs ---------------------------------------------------------------------------------------


def test_new_columns_go_to_the_end(sheets, sync):
    sheets.put("users", [["name", "mine", "id"]], columns=3)
    sync.good([{"id": 1, "name": "a", "age": 7}], {**ID_NAME, "age": {"type": "integer"}})
    assert sheets.rows("users") == [["name", "mine", "id", "age"], ["a", "", 1, 7]]
    sheets.book.tab("users").put(1, 1, "a note")
    sync.good([{"id": 1, "name": "b"}], mode="append_dedup", key=[["id"]])
    assert sheets.rows("users")[1] == ["b", "a note", 1, 7], "columns of others are left alone"


def test_names_of_tabs(sheets, firth):
    long = "a" + "Заказы" * 9  # of which the 80th byte is half a letter
    names = [("users", None), ("Users", None), ("it's a/b:c*[d]?", None), ("x" * 150, None), ("same", "a"), ("same", "b"),
             (long, None), (long.upper(), None)]
    run = Runner([str(firth.path), "connector", "destination-google-sheets"])
    catalog = {"streams": [stream(name, namespace=space) for name, space in names]}
    for turn in (1, 2):  # the same tabs are found again
        messages = [record({"id": n, "name": name}, name, space) for n, (name, space) in enumerate(names)]
        session = run("write", stdin=lines(messages), config=sheets.config(), catalog=catalog)
        assert session.rc == 0, session
        catalog["streams"].reverse()
    titles = sheets.titles()[1:]
    assert len(titles) == len(names) and all(len(title) <= 100 for title in titles)
    assert {"it's a/b:c*[d]?", "a.same", "b.same"} <= set(titles)
    assert [title[:6].lower() for title in titles[:2]] == ["users_", "users_"]
    assert [title[:40] for title in titles[-2:]] == [long[:40], long.upper()[:40]]
    for title in titles:
        first, second = sheets.records(title)
        assert first == second


def test_many_tabs_are_few_requests(sheets, firth):
    """Google counts them: the tabs, their headers, their ends and their keys are asked for all together."""
    names = [f"tab {n}" for n in range(25)]
    for n, name in enumerate(names):
        sheets.put(name, [["id", "name"], *([k, "a"] for k in range(n))], rows=12_000 if n == 7 else 100)
    sheets.put("tab 7", [[]] * 2000 + [[7, "far below"]])
    run = Runner([str(firth.path), "connector", "destination-google-sheets"])
    messages = [record({"id": k, "name": "b"}, name) for name in names for k in (3, 1000)]
    session = run("write", stdin=lines(messages), config=sheets.config(),
                  catalog={"streams": [stream(name, mode="append_dedup", key=[["id"]]) for name in names]})
    assert session.rc == 0, session
    for n, name in enumerate(names):
        found = {row["id"]: row["name"] for row in sheets.records(name)}
        wants = {**{k: "a" for k in range(n)}, **({7: "far below"} if n == 7 else {}), 3: "b", 1000: "b"}
        assert found == wants and len(sheets.records(name)) == len(wants), name
    assert len([request for request in sheets.requests if request.method == "GET"]) <= 7


def test_many_tabs_with_long_names(sheets, firth):
    """A URL has no room for all of their names."""
    names = [f"{n:02}" + "表" * 98 for n in range(12)]
    for name in names:
        sheets.put(name, [["name", "id"], ["a", 0]])
    run = Runner([str(firth.path), "connector", "destination-google-sheets"])
    session = run("write", stdin=lines([record({"id": n}, name) for n, name in enumerate(names)]), config=sheets.config(),
                  catalog={"streams": [stream(name) for name in names]})
    assert session.rc == 0, session
    assert [sheets.rows(name)[1:] for name in names] == [[["a", 0], ["", n]] for n in range(12)]


def test_a_tab_that_holds_no_cells(sheets, sync):
    sheets.book.tabs.append(Tab(77, "users", kind="OBJECT"))
    assert 'the tab "users" of the spreadsheet holds no cells' in sync.bad([{"id": 1}])


# --- values --------------------------------------------------------------------------------------------------


def test_values(sheets, sync):
    values = ["text", "=1+1", "'quoted", "0012", "TRUE", "2024-01-31", "a\nb\t\"c\"", "grün 😀", True, False, 0, -1, 1.5, 1e300,
              123456789012345, 1234567890123456, 0.1, 3.141592653589793238, 12345678901234567890, [1, {"a": "b"}], {"x": None}]
    sync.good([{"id": n, "v": value} for n, value in enumerate(values)], {"id": {"type": "integer"}, "v": {}})
    found = [row["v"] for row in sheets.records("users")]
    exact = [*values[:15], "1234567890123456", 0.1, "3.141592653589793", "12345678901234567890"]
    assert found[:19] == exact
    assert [type(value) for value in found[:19]] == [type(value) for value in exact]
    assert [json.loads(text) for text in found[19:]] == values[19:]


def test_values_as_if_typed(sheets, sync):
    values = ["=1+1", "12", "TRUE", "text", "12345678901234567890"]
    config = sheets.config(value_input="USER_ENTERED")
    for turn in (1, 2):
        sync.good([{"id": f"00{n}", "v": value, "n": 12345678901234567890} for n, value in enumerate(values)],
                  {"id": {"type": "string"}, "v": {}, "n": {"type": "integer"}}, config=config,
                  mode="append_dedup", key=[["id"]])
    assert [row["v"] for row in sheets.records("users")] == ["=1+1", 12, True, "text", 12345678901234567890]
    assert [row["id"] for row in sheets.records("users")] == ["000", "001", "002", "003", "004"], "keys are texts"
    assert {row["n"] for row in sheets.records("users")} == {"12345678901234567890"}, "a number is kept to the digit"


def test_long_texts_are_cut(sheets, sync):
    texts = ["x" * 50_000, "x" * 50_001, "😀" * 25_000, "😀" * 25_001, "ä" * 60_000]
    session = sync.good([{"id": n, "name": text} for n, text in enumerate(texts)])
    found = [row["name"] for row in sheets.records("users")]
    assert found[0] == texts[0] and found[2] == texts[2]
    assert all(text.endswith("…[TRUNCATED]") and text[0] == source[0] and len(text.encode("utf-16-le")) // 2 > 49_990
               for text, source in zip(found, texts) if text != source)
    warnings = [m["log"]["message"] for m in session.of("LOG") if m["log"]["level"] == "WARN"]
    assert len(warnings) == 1 and "column name has a text of 50001 characters" in warnings[0]


# --- limits ----------------------------------------------------------------------------------------------------


def test_too_many_columns(sheets, sync):
    properties = {f"c{n}": {"type": "integer"} for n in range(18_279)}
    assert "needs 18279 columns; a tab of Google Sheets has at most 18278" in sync.bad([{}], properties)
    assert not sheets.asked("batchUpdate"), "said before anything is written"


def test_too_many_cells(sheets, sync):
    sheets.put("full", [["x"]], rows=99_600, columns=100)
    message = sync.bad([{"id": n} for n in range(20_000)])
    assert "Google Sheets allows 10,000,000" in message and 'tab "users"' in message
    assert sheets.rows("users") == [["id", "name"]], "said before anything is written"


def test_growth_near_the_limit(sheets, sync):
    sheets.put("full", [["x"]], rows=99_600, columns=100)
    sync.good([{"id": n, "name": "a"} for n in range(3000)])
    assert len(sheets.rows("users")) == 3001


def test_requests_are_batched(sheets, sync):
    sync.good([{"id": n, "name": "x" * 1000} for n in range(6000)])
    writes = sheets.asked("values:batchUpdate")
    assert 3 <= len(writes) <= 8 and max(len(json.dumps(w.body)) for w in writes) < 2_300_000
    assert [row["id"] for row in sheets.records("users")] == list(range(6000))


def test_one_record_larger_than_a_request(sheets, sync):
    properties = {f"c{n}": {"type": "string"} for n in range(60)}
    sync.good([{f"c{n}": "y" * 50_000 for n in range(60)}] * 2, properties)
    assert [len(row) for row in sheets.rows("users")] == [60, 60, 60]


# --- what goes wrong -----------------------------------------------------------------------------------------------


KINDS_OF_ALL = ("lost", "cut")


@pytest.mark.parametrize("mode, kind", [
    pytest.param(mode, kind, marks=[] if mode == "append" or kind in KINDS_OF_ALL else [pytest.mark.full])
    for mode in ("append", "overwrite", "append_dedup") for kind in ("lost", "broken", "503", "500", "cut")])
def test_faults_double_nothing(sheets, sync, kind, mode):
    """Each request of a sync once."""
    sync.good([{"id": n, "name": "before"} for n in range(3)], mode=mode, key=[["id"]])
    sheets.requests.clear()
    sync.good([{"id": n, "name": "a"} for n in range(3, 6)], mode=mode, key=[["id"]])
    count = len(sheets.requests)
    for at in range(count):
        sheets.book.tabs[1:] = []
        sync.good([{"id": n, "name": "before"} for n in range(3)], mode=mode, key=[["id"]])
        sheets.faults.clear()
        sheets.fault(kind, after=at)
        sync.good([{"id": n, "name": "a"} for n in range(3, 6)], mode=mode, key=[["id"]])
        assert not sheets.faults[0]["times"], "it happened"
        ids = [row["id"] for row in sheets.records("users")]
        assert ids == ([3, 4, 5] if mode == "overwrite" else [0, 1, 2, 3, 4, 5]), (at, kind)
        assert sheets.titles() == ["Sheet1", "users"] and len(sheets.book.tabs) == 2


def test_first_sync_with_lost_answers(sheets, sync):
    sheets.fault("lost", path=":batchUpdate", times=2)
    sync.good([{"id": 1, "name": "a"}])
    assert sheets.rows("users") == [["id", "name"], [1, "a"]] and sheets.titles() == ["Sheet1", "users"]


def test_quota(sheets, sync):
    sheets.quotas["writes"] = [2, 1.0, 1]
    session = sync.good([{"id": n, "name": "x" * 1000} for n in range(6000)])
    assert len(sheets.rows("users")) == 6001
    assert any("status 429; trying again in" in m["log"]["message"] for m in session.of("LOG"))


def test_token_expires(sheets, sync):
    sheets.before = lambda request: sheets.valid_tokens.clear() if request.path.endswith("values:batchUpdate") and sheets.tokens < 2 else None
    sync.good([{"id": 1, "name": "a"}])
    assert sheets.tokens > 1 and sheets.rows("users")[1:] == [[1, "a"]]


def test_service_account(sheets, sync):
    config = sheets.config(credentials={"auth_type": "service", "service_account_info": sheets.account()})
    sync.good([{"id": 1}], config=config)
    sheets.read_only = True
    message = sync.bad([{"id": 1}], {**ID_NAME, "new": {}}, config=config)
    assert f"share it with {EMAIL} as an editor" in message


@pytest.mark.parametrize("change,words", [
    ({"spreadsheet_id": "x" * 44}, "there is no spreadsheet"),
    ({"spreadsheet_id": "short"}, "is no spreadsheet; expected its URL"),
    ({"credentials": {"auth_type": "oauth2.0", "client_id": "client", "client_secret": "s3cret", "refresh_token": "s3cret"}},
     "invalid_grant: Token has been expired or revoked."),
    ({"credentials": {"auth_type": "service", "service_account_info": "{s3cret"}}, "is no JSON object"),
    ({"credentials": {"auth_type": "service", "service_account_info": '{"client_email":"s3cret"}'}}, 'has no "private_key"'),
    ({"credentials": {"auth_type": "service", "service_account_info": json.dumps({"client_email": "a", "private_key": "s3cret"})}},
     "the private key cannot be read"),
])
def test_what_check_says(sheets, firth, change, words):
    run = Runner([str(firth.path), "connector", "destination-google-sheets"])
    session = run("check", config=sheets.config(**change))
    status = session.one("CONNECTION_STATUS")["connectionStatus"]
    assert status["status"] == "FAILED" and words in status["message"], session
    assert b"s3cret" not in session.out + session.err


def test_check(sheets, firth):
    run = Runner([str(firth.path), "connector", "destination-google-sheets"])
    url = f"https://docs.google.com/spreadsheets/d/{sheets.config()['spreadsheet_id']}/edit#gid=0"
    assert run("check", config=sheets.config(spreadsheet_id=url)).one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
    assert sheets.titles() == ["Sheet1"] and len(sheets.book.tabs) == 1
    sheets.read_only = True
    status = run("check", config=sheets.config()).one("CONNECTION_STATUS")["connectionStatus"]
    assert status["status"] == "FAILED" and "The caller does not have permission" in status["message"]


def test_certificates(firth, tmp_path):
    """An authority is trusted if SSL_CERT_FILE, or CURL_CA_BUNDLE, names it."""
    path = tmp_path / "server.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", path, "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    served = server.Sheets(path)

    def status(**env):
        run = Runner([str(firth.path), "connector", "destination-google-sheets"], {"SSL_CERT_FILE": "", "CURL_CA_BUNDLE": "", **env})
        return run("check", config=served.config()).one("CONNECTION_STATUS")["connectionStatus"]
    assert re.search(r"the server's certificate is not trusted \(.+; SSL_CERT_FILE names other authorities\)", status()["message"])
    (tmp_path / "text").write_text("no certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-keyout", tmp_path / "key", "-out", tmp_path / "other.pem"],
                   check=True, capture_output=True)
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        answer = status(**{name: str(tmp_path / "cert.pem")})
        assert answer["status"] == "SUCCEEDED", answer
        for file, told in (("nowhere", f"{name} names {tmp_path}/nowhere: No such file"), ("text", f"{name} names {tmp_path}/text, which is no file of certificates"),
                           ("other.pem", f"the authorities are those of {tmp_path}/other.pem, which {name} names")):
            answer = status(**{name: str(tmp_path / file)})
            assert told in answer["message"], answer
    served.close()


# --- documents by key -------------------------------------------------------------------------------------------------


def test_documents_by_key(sheets, firth):
    """Loaded and stored by keys that look alike; one that would be an empty cell is refused, since nobody could find it."""
    made = collection("acmeCo/sums", ["/id"], {"n": ["integer"]})
    for projection in made["projections"]:
        if projection.get("ptr") == "/id":
            projection["inference"] = {"types": ["string"], "exists": "MUST"}
    spec = {"name": "acmeCo/mat", "connectorType": "LOCAL", "config": sheets.config(), "bindings": [{
        "resourceConfig": {"stream": "sums"}, "resourcePath": ["sums"], "collection": made,
        "fieldSelection": {"keys": ["id"], "values": ["n"], "document": "flow_document"}}]}
    keys = ["1", "01", "1.0", "true", "TRUE", " ", "'1", "=1", "2024-01-01", "x"]

    def transaction(talk, stores, loads=()):
        talk.say({"acknowledge": {}}, *({"load": {"key": [key]}} for key in loads), {"flush": {}})
        talk.expect("acknowledged")
        found = []
        while (got := talk.next())[0] == "loaded":
            found.append(got[1]["doc"])
        talk.say(*({"store": {"key": [key], "values": [n], "doc": {"id": key, "n": n}, "exists": bool(loads)}} for key, n in stores),
                 {"startCommit": {"runtimeCheckpoint": {"n": 1}}})
        return found

    for turn in range(3):
        talk = FlowRunner(Runner([str(firth.path), "connector", "destination-google-sheets"])).start(
            {"open": {"materialization": spec, "version": "1", "range": {}}})
        talk.expect("opened")
        found = transaction(talk, [(key, turn) for key in keys], keys if turn else [])
        assert found == [{"id": key, "n": turn - 1} for key in keys if turn]
        talk.expect("startedCommit")
        transaction(talk, [("", 1)])
        rc, _, err = talk.end()
        assert rc != 0 and "whose key has an empty part" in err, err
    assert [row["id"] for row in sheets.records("sums")] == keys


# --- kills ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["batchUpdate", "values:batchUpdate"])
def test_kill_while_overwriting(sheets, sync, at, tmp_path):
    sync.good([{"id": 1, "name": "old"}], mode="overwrite")
    process, seen = None, []

    def kill(request):
        if at in request.path and process and request.method == "POST":
            seen.append(request)
            process.send_signal(signal.SIGKILL)
    sheets.before = kill
    process = sync.run.start(tmp_path, "write", config=sheets.config(), catalog={"streams": [stream(mode="overwrite")]})
    try:
        process.communicate(lines([record({"id": 2, "name": "new"}), state(1), complete()]), timeout=60)
    except BrokenPipeError:
        pass
    assert process.wait() == -signal.SIGKILL and seen
    assert sheets.rows("users") == [["id", "name"], [1, "old"]]
    sheets.before = None
    sync.good([{"id": 3, "name": "newer"}], mode="overwrite")
    assert sheets.rows("users") == [["id", "name"], [3, "newer"]] and len(sheets.book.tabs) == 2


def test_states_come_after_the_rows(sheets, sync, tmp_path):
    """No state is heard before the answer to what it covers."""
    heard, process = [], None
    sheets.before = lambda request: heard.append(("asked", request.path))
    messages = [record({"id": 1, "name": "a"}), state(1)]
    session = sync.run("write", stdin=lines(messages), config=sheets.config(), catalog={"streams": [stream()]})
    assert len(session.states()) == 1 and heard[-1][1].endswith("values:batchUpdate")
    sheets.fault("400", path="values:batchUpdate", after=0)
    session = sync.run("write", stdin=lines(messages), config=sheets.config(), catalog={"streams": [stream()]})
    assert session.rc != 0 and not session.states()


# --- with Firth ---------------------------------------------------------------------------------------------------------


def walk(tmp_path, sheets, count, read, write):
    """The seed's: faker's three streams into three tabs."""
    path = tmp_path / "flow.json"
    path.write_text(json.dumps({"connections": {"acmeCo/faker-to-sheets": {
        "source": {"connector": {"image": "airbyte/source-faker:6.2.38", "config": {"count": count, "seed": 7, "records_per_slice": 100}}},
        "destination": {"connector": {"image": "airbyte/destination-google-sheets", "config": sheets.config()}},
        "streams": [{"name": name, "syncMode": read, "destinationSyncMode": write} for name in ("products", "users", "purchases")]}}}))
    return path


def test_the_seeds_walk(sheets, firth, tmp_path):
    for turn in (1, 2):
        firth("run", str(walk(tmp_path, sheets, 1000, "full_refresh", "overwrite")), "--once", "-o", "json", expect=0)
        assert sheets.titles() == ["Sheet1", "products", "users", "purchases"]
        assert [len(sheets.records(name)) for name in ("products", "users", "purchases")] == [100, 1000, 1000]
    assert sorted(row["id"] for row in sheets.records("users")) == list(range(1, 1001))
    address = json.loads(sheets.records("users")[0]["address"])
    assert "city" in address and isinstance(sheets.records("products")[0]["price"], (int, float))


def test_the_walk_killed(sheets, firth, tmp_path):
    """Killed again and again, everything of it; afterwards each row is there once."""
    for after in (3, 6, 9):
        path, seen = walk(tmp_path, sheets, 2000, "incremental", "append_dedup"), []
        process = firth.start("run", str(path), "--once", "-o", "json")

        def kill(request):
            seen.append(request)
            if len(seen) == after:
                os.killpg(process.pid, signal.SIGKILL)
        sheets.before = kill
        until(lambda: process.process.poll() is not None, "the end of Firth")
        sheets.before = None
    firth("run", str(path), "--once", "-o", "json", expect=0)
    assert sorted(row["id"] for row in sheets.records("users")) == list(range(1, 2001))
    assert len(sheets.records("products")) == 100 and len(sheets.records("purchases")) == 2000
