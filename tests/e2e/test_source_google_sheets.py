"""source-google-sheets against a server that keeps the API's rules: streams, names, rows, resuming, refusals, faults."""

import json

import pytest

import sheets as server
from connector_suite.flow import FlowRunner, capture_binding, open_capture
from connector_suite.protocol import Runner, configured


@pytest.fixture
def run(firth):
    return Runner([str(firth.path), "connector", "source-google-sheets"])


@pytest.fixture
def discover(run, sheets):
    def discovered(**config):
        session = run("discover", config=sheets.source_config(**config))
        assert session.rc == 0, session
        return {each["name"]: each for each in session.one("CATALOG")["catalog"]["streams"]}
    return discovered


@pytest.fixture
def read(run, sheets):
    """{stream: [record, …]} of these streams."""
    def records(*names, state="[]", config=None, session=False):
        config = sheets.source_config(**(config or {}))
        streams = [each for each in run("discover", config=config).one("CATALOG")["catalog"]["streams"] if each["name"] in names]
        assert len(streams) == len(names)
        done = run("read", config=config, catalog=configured(streams, "full_refresh"), state=state)
        assert done.rc == 0, done
        return done if session else {name: [each["data"] for each in done.records(name)] for name in names}
    return records


def columns(stream):
    return list(stream["json_schema"]["properties"])


# --- streams and columns --------------------------------------------------------------------------------------


def test_tabs_are_streams(sheets, discover):
    sheets.put("users", [["id", "name"], [1, "a"]])
    sheets.put("it's a/b!c", [["x"]])
    sheets.put("nameless", [["", "x"]])
    sheets.book.tabs.append(server.Tab(90, "chart", kind="OBJECT"))
    found = discover()
    assert list(found) == ["users", "it's a/b!c"], "a tab without a first name, Sheet1, a chart are none"
    assert found["users"]["json_schema"] == {
        "$schema": "https://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": True,
        "properties": {"id": {"type": ["null", "string"]}, "name": {"type": ["null", "string"]}}}
    assert found["users"]["supported_sync_modes"] == ["full_refresh"]


def test_many_tabs(sheets, discover):
    for n in range(130):
        sheets.put(f"tab {n}", [[f"column {n}"]], rows=2, columns=3)
    found = discover()
    assert [columns(found[f"tab {n}"]) for n in range(130)] == [[f"column {n}"] for n in range(130)]
    assert len(sheets.requests) <= 6
    names = [f"{n:02}" + "表" * 98 for n in range(12)]  # a URL has no room for all of these
    for name in names:
        sheets.put(name, [[name]], rows=2, columns=1)
    found = discover()
    assert [columns(found[name]) for name in names] == [[name] for name in names] and len(found) == 142


def test_columns_end_at_the_first_without_a_name(sheets, discover, read):
    sheets.put("t", [["a", " ", "c", "a"], ["1", "2", "3", "4"], ["", "x", "", ""]])
    assert columns(discover()["t"]) == ["a"]
    assert read("t") == {"t": [{"a": "1"}]}
    assert columns(discover(read_empty_header_columns=True)["t"]) == ["a_A1", "column_B", "c", "a_D1"]
    assert read("t", config={"read_empty_header_columns": True}) == {
        "t": [{"a_A1": "1", "column_B": "2", "c": "3", "a_D1": "4"}, {"column_B": "x"}]}


# What Airbyte's connector makes of them, by its description.
NAMES = {
    "MyName": "my_name", "1MyName": "_1_my_name", "50th Percentile? ": "_50_th_percentile_", " a b ": "_a_b_",
    "ÄpfelÖl": "apfel_ol", "HTTPServer": "httpserver", "aB1c": "a_b_1_c", "a__b--c": "a_b_c", "Q3 2023": "q_3_2023",
    "Straße": "strasse", "x-": "x_", "-": None, "a_": "a_", "ABCdef": "abcdef",
}


def test_names(sheets, discover):
    for name, wanted in NAMES.items():
        sheets.put("t", [[name]])
        if wanted is not None:
            assert columns(discover(names_conversion=True)["t"]) == [wanted], name


def test_a_name_of_which_nothing_is_left(sheets, run):
    sheets.put("t", [["a", "--"]])
    session = run("discover", config=sheets.source_config(names_conversion=True))
    assert session.rc == 3 and 'tab "t": the column name "--" has no letter and no digit' in session.errors()[0]["message"]


@pytest.mark.parametrize("option,name,wanted", [
    ("remove_leading_trailing_underscores", "50th Percentile? ", "_50_th_percentile"),
    ("combine_number_word_pairs", "50th Percentile?", "_50th_percentile_"),
    ("remove_special_characters", "Example ID*", "example_id"),
    ("combine_letter_number_pairs", "Q3 2023", "q3_2023"),
    ("allow_leading_numbers", "50th Percentile", "50_th_percentile"),
    ("remove_special_characters", "a.b c", "ab_c"),
    ("combine_letter_number_pairs", " Q3", "_q3"),
])
def test_options_of_names(sheets, discover, option, name, wanted):
    sheets.put("t", [[name]])
    assert columns(discover(names_conversion=True, **{option: True})["t"]) == [wanted]
    assert columns(discover(**{option: True})["t"]) == [name], "only together with names_conversion"


def test_other_names_for_streams(sheets, discover, run):
    sheets.put("a", [["x"]])
    sheets.put("b", [["y"]])
    assert list(discover(stream_name_overrides=[{"source_stream_name": "a", "custom_stream_name": "first"}])) == ["first", "b"]
    session = run("discover", config=sheets.source_config(
        stream_name_overrides=[{"source_stream_name": "a", "custom_stream_name": "b"}]))
    assert session.rc == 3 and 'the tabs "a" and "b" would both be the stream "b"' in session.errors()[0]["message"]


def test_streams_of_several_spreadsheets(sheets, run):
    other = "2hLd9Qqti3UyLXZB2aFfUWDT7BG-arw2xy4HR3D-dwUb"
    sheets.spreadsheets[other] = server.Spreadsheet()
    sheets.put("a", [["x"], [1]])
    sheets.spreadsheets[other].tabs[0].put(0, 0, "y")
    sheets.spreadsheets[other].tabs[0].put(1, 0, "2")
    config = sheets.source_config(streams=[
        {"stream_name": "one", "spreadsheet_id": server.SPREADSHEET, "sheet_name": "a"},
        {"stream_name": "two", "spreadsheet_id": f"https://docs.google.com/spreadsheets/d/{other}/edit?usp=x", "sheet_name": "Sheet1"}])
    del config["spreadsheet_id"]
    streams = run("discover", config=config).one("CATALOG")["catalog"]["streams"]
    assert [each["name"] for each in streams] == ["one", "two"]
    session = run("read", config=config, catalog=configured(streams, "full_refresh"), state="[]")
    assert [each["data"] for each in session.records()] == [{"x": "1"}, {"y": "2"}]
    config["streams"][0]["sheet_name"] = "Shet1"
    session = run("discover", config=config)
    assert session.rc == 3 and 'no tab "Shet1" of cells; did you mean "Sheet1"?' in session.errors()[0]["message"]


# --- rows -----------------------------------------------------------------------------------------------------


def test_values_are_texts(sheets, read):
    sheets.put("t", [["a", "b", "c"], [1, 1.5, True], ["=1+1", "", "grün 😀\n\"q\""], [], [" ", "\u00a0", ""], ["", "", "end"]])
    assert read("t")["t"] == [{"a": "1", "b": "1.5", "c": "TRUE"}, {"a": "=1+1", "c": "grün 😀\n\"q\""}, {"c": "end"}]


@pytest.mark.parametrize("batch", [4, 7, 1000])
def test_batches(sheets, read, batch):
    sheets.put("t", [["n"], *[[n] for n in range(40)]], rows=45)
    assert read("t", config={"batch_size": batch})["t"] == [{"n": f"{n}"} for n in range(40)]
    asked = [request.query["ranges"] for request in sheets.asked("values:batchGet")[1:]]
    assert len(asked) >= 44 // batch


def test_behind_the_data(sheets, read):
    """A tab has a thousand rows, filled or not: they are not asked for one by one, and what comes behind a gap is read."""
    sheets.put("t", [["n"], *[[n] for n in range(3)], *[[]] * 40, *[[n] for n in range(3, 6)]], rows=1000)
    assert read("t", config={"batch_size": 1})["t"] == [{"n": f"{n}"} for n in range(6)]
    assert len(sheets.asked("values:batchGet")) < 30


def test_a_large_tab_is_read_in_pieces(sheets, run):
    """200,000 cells a request, whatever batch_size allows."""
    sheets.put("t", [[f"c{n}" for n in range(100)], *[[row] * 100 for row in range(5000)]], rows=5001, columns=100)
    config = sheets.source_config()
    streams = run("discover", config=config).one("CATALOG")["catalog"]["streams"]
    session = run("read", config=config, catalog=configured(streams, "full_refresh"), state="[]")
    assert len(session.records()) == 5000 and session.records()[4999]["data"]["c99"] == "4999"
    ranges = [request.query["ranges"] for request in sheets.asked("values:batchGet")][-3:]
    assert ranges == [["'t'!A2:CV2001"], ["'t'!A2002:CV4001"], ["'t'!A4002:CV5001"]]


def test_goes_on_from_a_state(sheets, read):
    sheets.put("t", [["n"], *[[n] for n in range(40)]], rows=41)
    session = read("t", config={"batch_size": 10}, session=True)
    states = session.states()
    rest = read("t", config={"batch_size": 10}, state=json.dumps(states[1:2]))["t"]
    assert rest == [{"n": f"{n}"} for n in range(20, 40)]
    assert len(read("t", state=json.dumps(states[-1:]))["t"]) == 40, "after the end, from the beginning"
    sheets.put("t", [["other"]])
    assert len(read("t", config={"batch_size": 10}, state=json.dumps(states[1:2]))["t"]) == 40, "other columns: all of it"


# --- refusals, faults ----------------------------------------------------------------------------------------------


def test_check(sheets, run):
    def status(**config):
        return run("check", config=sheets.source_config(**config)).one("CONNECTION_STATUS")["connectionStatus"]
    assert "no tab whose first row names columns" in status()["message"]
    sheets.put("t", [["a"]])
    assert status()["status"] == "SUCCEEDED"
    assert status(credentials={"auth_type": "Service", "service_account_info": sheets.account()})["status"] == "SUCCEEDED"
    assert "there is no spreadsheet" in status(spreadsheet_id="y" * 44)["message"]
    config = sheets.source_config()
    del config["spreadsheet_id"]
    session = run("check", config=config)
    assert "spreadsheet_id is required, or streams that name theirs" in session.one("CONNECTION_STATUS")["connectionStatus"]["message"]


@pytest.mark.parametrize("kind", ["503", "broken", "cut", "429"])
def test_faults(sheets, read, kind):
    sheets.put("t", [["n"], *[[n] for n in range(30)]], rows=31)
    sheets.fault(kind, after=3, times=2)
    assert read("t", config={"batch_size": 10})["t"] == [{"n": f"{n}"} for n in range(30)]
    assert not sheets.faults[0]["times"]


# --- Flow -------------------------------------------------------------------------------------------------------------


def test_flow(sheets, firth):
    """Rows are told apart by their numbers in the tab."""
    sheets.put("t", [["n"], [7], [], [8]], rows=5)
    flow = FlowRunner(Runner([str(firth.path), "connector", "source-google-sheets"]))
    config = sheets.source_config()
    found = flow({"discover": {"connectorType": "IMAGE", "config": config}}).one("discovered")["bindings"]
    assert [each["recommendedName"] for each in found] == ["t"] and found[0]["key"] == ["/_meta/row_id"]
    talk = flow(open_capture(config, [capture_binding(each) for each in found]))
    assert [each["doc"] for each in talk.of("captured")] == [{"_meta": {"row_id": 2}, "n": "7"}, {"_meta": {"row_id": 4}, "n": "8"}]
