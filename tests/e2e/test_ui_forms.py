"""Forms of sources and destinations that are there already, and fields that only some connectors have."""

import json
import re
import sys

import pytest
from playwright.sync_api import expect

from api import WORKSPACE
from conftest import until
from ui import chromium, daemon, log_in, page, refused  # noqa: F401 (fixtures)

# Its check goes well, and leaves what it was asked with in a file.
CONNECTOR = r"""
import json, sys
TEXT = {"type": "string"}
if sys.argv[1] == "spec":
    print(json.dumps({"type": "SPEC", "spec": {"connectionSpecification": {"type": "object", "required": ["start"], "properties": {
        "start": {**TEXT, "title": "Start", "format": "date-time", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"},
        "day": {**TEXT, "title": "Day", "format": "date"},
        "note": {**TEXT, "title": "Note"}, "pin": {**TEXT, "title": "Pin"},
        "list": {"type": "array", "title": "List", "items": {"type": "object", "required": ["name"], "properties": {
            "name": {**TEXT, "title": "Item"}, "key": {**TEXT, "title": "Key", "airbyte_secret": True}}}},
        "levels": {"type": "array", "title": "Levels", "uniqueItems": True, "items": {"type": "string", "enum": ["low", "high"]}},
        "either": {"title": "Either", "anyOf": [{"type": "string", "title": "Text"}, {"type": "integer", "title": "Number"}]},
        "free": {"type": "object", "title": "Free"},
        "way": {"type": "object", "title": "Way", "default": {"kind": "far", "host": "there"}, "oneOf": [
            {"title": "Near", "properties": {"kind": {"const": "near"}}, "required": ["kind"]},
            {"title": "Far", "properties": {"kind": {"const": "far"}, "host": {**TEXT, "title": "Host"}}, "required": ["kind"]}]}}}}}))
else:
    json.dump(json.load(open(sys.argv[3])), open(sys.argv[0] + ".asked", "w"))
    print(json.dumps({"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}))
"""
START = "2024-01-02T03:04:05Z"


@pytest.fixture(scope="module")
def connector(daemon):
    path = daemon.folder / "forms.py"
    path.write_text(CONNECTOR)
    daemon.firth("connectors", "add", "source-forms", "--command", f"{sys.executable} {path}", expect=0)
    found = daemon.api.config("source_definitions/list", {})["sourceDefinitions"]
    definition = next(each["sourceDefinitionId"] for each in found if each["name"] == "source-forms")

    def make(name, config):
        given = {"workspaceId": WORKSPACE, "name": name, "sourceDefinitionId": definition}
        return daemon.api.config("sources/create", {**given, "connectionConfiguration": config})["sourceId"]
    make.asked = lambda: json.loads((daemon.folder / "forms.py.asked").read_text())
    return make


def keep(page):
    page.get_by_role("button", name="Test and keep").click()


def kept(page):
    expect(page.get_by_text("Tested and kept.")).to_be_visible()


def test_an_item_of_a_list_keeps_its_own_secret(page, connector):
    """The first is removed: the second does not get the first one's. What cannot be told is asked for, at its field."""
    source = connector("Listed", {"start": START, "list": [{"name": name, "key": f"key-of-{name}"} for name in "abc"]})
    log_in(page, f"/sources/{source}")
    page.get_by_role("button", name="Remove number 1").click()
    keep(page)
    kept(page)
    assert connector.asked()["list"] == [{"name": "b", "key": "key-of-b"}, {"name": "c", "key": "key-of-c"}]
    page.get_by_role("button", name="Remove number 1").click()
    page.get_by_role("textbox", name="Item").fill("d")
    keep(page)
    expect(page.locator("#root_list_0_key__error")).to_contain_text("Give it again")
    refused(page)
    page.get_by_role("textbox", name="Key").fill("key-of-d")
    keep(page)
    kept(page)
    assert connector.asked()["list"] == [{"name": "d", "key": "key-of-d"}]


def test_a_moment_is_typed_or_picked_in_utc(chromium, daemon, connector, page):
    """Wherever the reader is; and what was typed is there again after another page."""
    source = connector("Timed", {"start": START})
    log_in(page, f"/sources/{source}")
    start = page.get_by_role("textbox", name="Start", exact=True)
    expect(start).to_have_value(START)
    expect(page.get_by_text("In UTC, not in your own time.")).to_be_visible()
    start.fill("2024-02-03")
    start.press("Tab")
    expect(page.locator("#root_start__error")).to_contain_text("This has to look like")
    start.fill("2024-02-03T04:05:06Z")
    expect(page.locator("#root_start__error")).to_have_count(0)
    page.get_by_label("Pick Start, in UTC").fill("2025-03-04T05:06:07")
    expect(start).to_have_value("2025-03-04T05:06:07Z")
    page.get_by_label("Pick Day, in UTC").fill("2025-03-04")
    page.get_by_role("link", name="Destinations").click()
    page.get_by_role("link", name="Sources").first.click()
    page.get_by_role("link", name="Timed").click()
    expect(start).to_have_value("2025-03-04T05:06:07Z")
    keep(page)
    kept(page)
    assert connector.asked() == {"start": "2025-03-04T05:06:07Z", "day": "2025-03-04"}


def test_two_tabs_change_one_source(page, connector):
    """Each what it changed; of the same member somebody has to say whose it is to be."""
    source = connector("Shared", {"start": START, "pin": "1", "note": "n"})
    log_in(page, f"/sources/{source}")
    pin, note = page.get_by_role("textbox", name="Pin"), page.get_by_role("textbox", name="Note")
    note.fill("mine")

    def config():
        return page.daemon.api.config("sources/get", {"sourceId": source})["connectionConfiguration"]

    def elsewhere(**changed):
        page.daemon.api.config("sources/update", {"sourceId": source, "name": "Shared", "connectionConfiguration": {**config(), **changed}})
    elsewhere(pin="2")
    keep(page)
    kept(page)
    assert config() == {"start": START, "pin": "2", "note": "mine"}
    expect(pin).to_have_value("2")
    for ours in (True, False):
        pin.fill(f"3 {ours}")
        elsewhere(pin="4", note=f"theirs {ours}")
        keep(page)
        page.get_by_role("button", name="Keep mine" if ours else "Take theirs").click()
        expect(pin).to_have_value("3 True" if ours else "4")
        keep(page)
        until(lambda wanted={"start": START, "pin": "3 True" if ours else "4", "note": f"theirs {ours}"}: config() == wanted, "what is kept")
        kept(page)


def test_lists_of_choices_free_objects_and_suggested_branches(page, connector):
    """A list's choices have names; what has no fields is typed as JSON; a branch begins as the spec suggests."""
    source = connector("Odd", {"start": START})
    log_in(page, f"/sources/{source}")
    page.get_by_role("listbox", name="Levels").select_option(["high"])
    page.get_by_role("combobox", name="Kind of Either").select_option(index=1)
    page.get_by_role("spinbutton", name="Either").fill("5")
    page.get_by_role("combobox", name="Way").select_option(label="Far")
    expect(page.get_by_role("textbox", name="Host")).to_have_value("there")
    free = page.get_by_role("textbox", name="Free")
    free.press_sequentially('{"a": [9007199254740993')
    expect(page.get_by_text("This is no JSON yet")).to_be_visible()
    keep(page)
    expect(page.locator("#root_free__error")).to_contain_text("This has to be")
    free.press_sequentially("]}")
    expect(page.get_by_text("This is no JSON yet")).to_have_count(0)
    keep(page)
    kept(page)
    assert connector.asked() == {"start": START, "levels": ["high"], "either": 5, "free": {"a": [9007199254740993]},
                                 "way": {"kind": "far", "host": "there"}}
    expect(free).to_have_value(re.compile("9007199254740993"))


# Its spec lies beside it; its check leaves what it was asked with.
SPECIFIED = r"""
import json, sys
if sys.argv[1] == "spec":
    print(json.dumps({"type": "SPEC", "spec": {"connectionSpecification": json.load(open(sys.argv[0] + ".spec"))}}))
else:
    json.dump(json.load(open(sys.argv[3])), open(sys.argv[0] + ".asked", "w"))
    print(json.dumps({"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}))
"""
TEXT = {"type": "string"}
ODD = {"type": "object", "required": ["month"], "definitions": {"tree": {"type": "object", "properties": {"leaf": TEXT, "child": {"$ref": "#/definitions/tree"}}}},
       "properties": {"month": {**TEXT, "pattern": r"^\d{4}\-\d{2}$"}, "mail": {**TEXT, "pattern": r"^.+\@.+$"}, "named": {**TEXT, "pattern": r"^(?P<a>b)\Z"},
                      "tree": {"$ref": "#/definitions/tree"}, "constructor": TEXT, "toString": TEXT, "lost": {"$ref": "#/definitions/lost"}, "nothing": None,
                      "any": {"type": "array", "items": True}, "__errors": TEXT, "*": TEXT,
                      "whole": {"allOf": [{"type": "object", "properties": {"one": TEXT}}, {"required": ["two"], "properties": {"two": TEXT}}]},
                      "titled": {**TEXT, "title": {"not": "a text"}, "description": ["nor", "this"]}}}
KINDS = {"type": "object", "properties": {"both": TEXT}, "oneOf": [
    {"title": "By a", "required": ["a"], "properties": {"a": TEXT}}, {"title": "By b", "required": ["b"], "properties": {"b": TEXT}}]}


def specified(page, name, spec):
    path = page.daemon.folder / f"{name}.py"
    path.write_text(SPECIFIED)
    path.with_suffix(".py.spec").write_text(json.dumps(spec))
    page.daemon.firth("connectors", "add", f"source-{name}", "--command", f"{sys.executable} {path}", expect=0)


def test_specs_that_are_odd_have_forms_all_the_same(page):
    """Patterns that browsers write otherwise, references without end or to nothing, names that every object has, a choice of the whole."""
    for name, spec in (("odd", ODD), ("kinds", KINDS)):
        specified(page, name, spec)

    def asked(name):
        return json.loads((page.daemon.folder / f"{name}.py.asked").read_text())

    def go_on():
        page.get_by_role("button", name="Test and go on").click()
        expect(page.get_by_text("Where does it go?")).to_be_visible()
    log_in(page, "/connections/new")
    page.get_by_role("button", name="source-odd").click()
    month = page.get_by_label("month")
    month.fill("2024-1")
    page.get_by_label("mail").fill("a@b")
    page.get_by_label("mail").press("Tab")
    expect(page.locator("#root_month__error")).to_have_text(r"This has to look like ^\d{4}\-\d{2}$.")
    month.fill("2024-12")
    page.get_by_label("named").fill("b")
    page.get_by_label("leaf").fill("green")
    page.get_by_role("textbox", name="child").fill('{"leaf": "red"}')
    page.get_by_label("two *", exact=True).fill("2")
    go_on()
    config = {"month": "2024-12", "mail": "a@b", "named": "b", "tree": {"leaf": "green", "child": {"leaf": "red"}}, "whole": {"two": "2"}}
    assert asked("odd") == config
    page.goto("/sources/" + page.url.split("source=")[1])
    page.get_by_label("constructor").fill("c")
    keep(page)
    kept(page)
    assert asked("odd") == {**config, "constructor": "c"}

    page.goto("/connections/new")
    page.get_by_role("button", name="source-kinds").click()
    expect(page.get_by_role("combobox", name="Kind").locator("option")).to_have_text(["By a", "By b"])
    page.get_by_role("button", name="Test and go on").click()
    expect(page.locator("#root_a__error")).to_have_text("This is needed.")
    page.get_by_role("combobox", name="Kind").select_option(label="By b")
    page.get_by_label("b *", exact=True).fill("1")
    page.get_by_label("both").fill("2")
    # A test that takes too long is stopped; the focus is where the next one begins.
    page.route("**/check_connection", lambda route: None)
    page.get_by_role("button", name="Test and go on").click()
    page.get_by_role("button", name="Stop the test").press("Enter")
    expect(page.get_by_role("button", name="Test and go on")).to_be_focused()
    page.unroute("**/check_connection")
    go_on()
    assert asked("kinds") == {"b": "1", "both": "2"}


SECRET = {**TEXT, "airbyte_secret": True}
# A group that need not be there, but needs something; a choice whose constants need not be there; six definitions of one another.
GROUPS = {"type": "object", "required": ["a", "way"], "properties": {
    "a": TEXT,
    "trigger": {"type": "object", "required": ["job", "how"], "properties": {
        "job": TEXT, "mode": {**TEXT, "enum": ["skip", "wait"], "default": "skip"},
        "how": {"type": "object", "oneOf": [{"title": "By time", "required": ["every"], "properties": {"every": {**TEXT, "title": "Every"}}}]}}},
    "tunnel": {"type": "object", "additionalProperties": False, "properties": {"ssh": {**TEXT, "pattern": "^ssh://"}}},
    "way": {"type": "object", "title": "Way", "oneOf": [
        {"title": "Password", "required": ["word"], "properties": {"kind": {"const": "word", "default": "word"}, "word": SECRET}},
        {"title": "Role", "required": ["role"], "properties": {"kind": {"const": "role", "default": "role"}, "role": TEXT}}]}}}
ROUND = {"type": "object", "properties": {"a": TEXT, "q": {"$ref": "#/definitions/d0"}}, "definitions": {
    f"d{i}": {"type": "object", "properties": {f"p{j}": {"$ref": f"#/definitions/d{j}"} for j in range(8)}} for i in range(8)}}


def test_groups_that_are_left_out_and_choices_without_their_constant(page):
    """What only the form put into an optional group is neither sent nor checked; a stored choice is the one that its members make."""
    specified(page, "groups", GROUPS)
    specified(page, "round", ROUND)

    def asked():
        return json.loads((page.daemon.folder / "groups.py.asked").read_text())
    log_in(page, "/connections/new")
    page.get_by_role("button", name="source-groups").click()
    page.get_by_label("a *", exact=True).fill("1")
    page.locator("#root_way_word").fill("secret")
    page.get_by_label("mode").select_option("wait")
    page.get_by_label("ssh").fill("bad")
    page.get_by_role("button", name="Test and go on").click()
    expect(page.locator("#root_trigger_job__error")).to_have_text("This is needed.")
    expect(page.locator("#root_tunnel_ssh__error")).to_have_text("This has to look like ^ssh://.")
    expect(page.get_by_text("boolean schema")).to_have_count(0)
    page.get_by_label("mode").select_option("skip")
    page.get_by_label("ssh").fill("")
    page.get_by_role("button", name="Test and go on").click()
    expect(page.get_by_text("Where does it go?")).to_be_visible()
    assert asked() == {"a": "1", "way": {"kind": "word", "word": "secret"}}

    definitions = page.daemon.api.config("source_definitions/list", {})["sourceDefinitions"]
    definition = next(each["sourceDefinitionId"] for each in definitions if each["name"] == "source-groups")
    for way, shown in (({"role": "r"}, "Role"), ({"word": "w"}, "Password")):
        config = {"a": "1", "way": way}
        source = page.daemon.api.config("sources/create", {"workspaceId": WORKSPACE, "name": shown, "sourceDefinitionId": definition,
                                                           "connectionConfiguration": config})["sourceId"]
        page.goto(f"/sources/{source}")
        expect(page.get_by_role("combobox", name="Way").locator("option:checked")).to_have_text(shown)
        page.get_by_label("a *", exact=True).fill("2")
        keep(page)
        kept(page)
        assert asked() == {"a": "2", "way": way}

    # Some hundred fields are drawn, the rest is JSON.
    page.goto("/connections/new")
    page.get_by_role("button", name="source-round").click()
    page.get_by_label("a", exact=True).fill("typed")
    assert 0 < page.locator("form textarea").count() < 1000
