"""The web UI: from an empty installation to data at a destination, as the tutorial walks it."""

import json
import sys

import duckdb
import pytest
from playwright.sync_api import expect

from api import WORKSPACE
from conftest import until
from manifests import SHOP
from ui import chromium, daemon, log_in, page, refused  # noqa: F401 (fixtures)


def choose(page, name):
    page.get_by_role("button", name=name).first.click()


def test_from_nothing_to_a_first_sync(page):
    log_in(page)
    expect(page.get_by_text("No connection yet")).to_be_visible()
    page.get_by_role("link", name="Set up a connection").first.click()
    expect(page.get_by_text("Invented products, users and purchases")).to_be_visible()
    choose(page, "Sample Data")
    page.get_by_label("Name").fill("People")
    page.get_by_role("button", name="Test and go on").click()
    expect(page.get_by_text("Where does it go?")).to_be_visible()
    choose(page, "Local JSON")
    page.get_by_label("Destination Path").fill("/local/walk")
    page.get_by_role("button", name="Test and go on").click()
    expect(page.get_by_text("3 of 3 selected")).to_be_visible()
    page.get_by_role("switch", name="purchases").click(force=True)
    expect(page.get_by_text("2 of 3 selected")).to_be_visible()
    page.get_by_role("button", name="Set up connection").click()
    expect(page.get_by_role("heading", name="People → Local JSON")).to_be_visible()
    expect(page.get_by_role("list", name="Sync history").get_by_text("Succeeded")).to_be_visible()
    users = page.get_by_role("row", name="users")
    expect(users.get_by_role("cell").nth(3)).to_have_text("1,000")
    page.get_by_role("list", name="Sync history").get_by_role("button").first.click()
    page.get_by_role("button", name="Show the log").click()
    expect(page.get_by_text("attempt 1 of job 1 succeeded")).to_be_visible()
    page.goto("/connections")
    row = page.get_by_role("row", name="People → Local JSON")
    expect(row.get_by_text("Succeeded")).to_be_visible()
    folder = page.daemon.folder / "files" / "walk"
    assert sorted(path.name for path in folder.iterdir()) == ["_airbyte_raw_products.jsonl", "_airbyte_raw_users.jsonl"]
    connection, = page.daemon.api.config("web_backend/connections/list", {
        "workspaceId": page.daemon.api.config("workspaces/list")["workspaces"][0]["workspaceId"]})["connections"]
    assert connection["name"] == "People → Local JSON" and connection["latestSyncJobStatus"] == "succeeded"


def test_a_check_that_fails_says_why(page):
    log_in(page, "/connections/new")
    choose(page, "PostgreSQL")
    page.get_by_role("button", name="Test and go on").click()
    expect(page.get_by_text("This is needed.").first).to_be_visible()
    expect(page.get_by_label("Host")).to_be_focused()
    page.get_by_label("Host").fill("127.0.0.1")
    page.get_by_label("Port").fill("1")
    page.get_by_label("Database").fill("nothing")
    page.get_by_label("Username").fill("nobody")
    page.get_by_role("button", name="Test and go on").click()
    failure = page.get_by_role("alert")
    expect(failure).to_contain_text("The test failed")
    expect(failure).to_contain_text('"127.0.0.1", port 1 failed')
    expect(page.get_by_label("Database")).to_have_value("nothing")


OWN = """
import json, sys
if sys.argv[1] == "spec":
    print(json.dumps({"type": "SPEC", "spec": {"documentationUrl": "https://example.com/own", "connectionSpecification": {
        "type": "object", "required": ["token"], "groups": [{"id": "place", "title": "Where it is"}, {"id": "who"}], "properties": {
            "token": {"type": "string", "title": "Token", "airbyte_secret": True, "group": "who"},
            "host": {"type": "string", "title": "Host", "group": "place", "default": "example.com"},
            "note": {"type": "string", "title": "Note"}}}}}))
else:
    print(json.dumps({"type": "LOG", "log": {"level": "INFO", "message": "asking with " + json.load(open(sys.argv[3]))["token"]}}))
    print(json.dumps({"type": "CONNECTION_STATUS", "connectionStatus": {"status": "FAILED", "message": "nobody is there"}}))
"""


def test_a_check_that_fails_shows_the_log(page):
    """Of a connector of one's own; its fields come in the groups that its spec has."""
    (page.daemon.folder / "own.py").write_text(OWN)
    page.daemon.firth("connectors", "add", "source-own", "--command", f"{sys.executable} {page.daemon.folder}/own.py", expect=0)
    log_in(page, "/connections/new")
    choose(page, "source-own")
    expect(page.get_by_role("link", name="What its maker says of it")).to_have_attribute("href", "https://example.com/own")
    expect(page.get_by_role("group", name="Where it is").get_by_label("Host")).to_have_value("example.com")
    assert page.locator("form label").all_inner_texts() == ["Note", "Host", "Token *"]
    page.get_by_label("Token").fill("t0ken-of-mine")
    page.get_by_role("button", name="Test and go on").click()
    failure = page.get_by_role("alert")
    expect(failure).to_contain_text("nobody is there")
    expect(failure.get_by_text("info: asking with ***")).to_be_visible()
    page.get_by_role("button", name="Keep it without a test").click()
    expect(page.get_by_text("Where does it go?")).to_be_visible()


def test_a_choice_may_be_left_open_and_its_fields_follow(page):
    log_in(page, "/connections/new")
    choose(page, "PostgreSQL")
    modes = page.get_by_role("combobox", name="SSL Modes")
    expect(modes).to_have_value("-1")
    expect(page.get_by_label("CA Certificate")).to_have_count(0)
    modes.select_option(label="verify-full")
    expect(page.get_by_label("CA Certificate")).to_be_visible()
    modes.select_option(label="Not given")
    expect(page.get_by_label("CA Certificate")).to_have_count(0)


# Its check fails and says what it was asked with.
FORM = r"""
import json, sys
TEXT = {"type": "string"}
def branch(title, const=None, **members):
    needed = list(members) + (["kind"] if const else [])
    return {"title": title, "required": needed, "properties": {**members, **({"kind": {"type": "string", "const": const}} if const else {})}}
if sys.argv[1] == "spec":
    print(json.dumps({"type": "SPEC", "spec": {"connectionSpecification": {
        "type": "object", "required": ["place", "auth", "parts"], "properties": {
            "place": {**TEXT, "title": "Place", "order": 0, "default": "here",
                      "description": "<b>At</b> <host> &amp; <img src=/nowhere onerror=alert(1)><<b>img src=/nowhere onerror=alert(2)>"},
            "many": {"type": "integer", "title": "Many", "order": 1, "default": 7},
            "note": {**TEXT, "title": "Note", "order": 2},
            "tunnel": {"type": "object", "title": "Tunnel", "order": 6, "required": ["host"], "properties": {
                "host": {**TEXT, "title": "Host"}, "through": {"type": "object", "title": "Through", "properties": {"port": {"type": "integer"}}}}},
            "auth": {"type": "object", "title": "Login", "order": 3, "oneOf": [branch("By key", key=TEXT), branch("By token", token=TEXT)]},
            "more": {"type": "object", "title": "Extras", "order": 4, "oneOf": [branch("One", one=TEXT), branch("Two", two=TEXT),
                branch("Three", three={"type": "integer", "default": 9, "maximum": 3, "airbyte_hidden": True})]},
            "parts": {"type": "array", "title": "Parts", "order": 5, "minItems": 1, "items": {
                "type": "object", "required": ["name"], "properties": {"name": {**TEXT, "title": "Part", "order": 0}, "format": {
                    "type": "object", "title": "Format", "oneOf": [branch("CSV", "csv"), branch("Parquet", "parquet", size={"type": "integer"})]}}}}}}}}))
else:
    print(json.dumps({"type": "CONNECTION_STATUS", "connectionStatus": {
        "status": "FAILED", "message": "asked with " + json.dumps(json.load(open(sys.argv[3])), sort_keys=True)}}))
"""


@pytest.fixture(scope="module")
def form_connector(daemon):
    (daemon.folder / "form.py").write_text(FORM)
    daemon.firth("connectors", "add", "source-form", "--command", f"{sys.executable} {daemon.folder}/form.py", expect=0)


@pytest.fixture
def form(page, form_connector):  # noqa: ARG001
    """The page with that connector's form."""
    log_in(page, "/connections/new")
    choose(page, "source-form")
    expect(page.get_by_text("At <host> & <img src=/nowhere onerror=alert(2)>", exact=True)).to_be_visible()
    return page


def empty(field):
    field.press("Control+a")
    field.press("Backspace")


def go_on(page):
    page.get_by_role("button", name="Test and go on").press("Enter")


def asked_with(page, config):
    """What the connector was asked with."""
    go_on(page)
    expect(page.get_by_role("alert")).to_contain_text("asked with " + json.dumps(config, sort_keys=True))


def test_fields_are_emptied(form):
    """By the keyboard, after a field was left."""
    page = form
    place, many, note = (page.get_by_role(role, name=name) for role, name in (("textbox", "Place"), ("spinbutton", "Many"), ("textbox", "Note")))
    note.press_sequentially("x")
    note.press("Tab")
    empty(note)
    expect(note).to_have_value("")
    empty(place)
    expect(place).to_have_value("")
    expect(page.locator("#root_place__error")).to_have_text("This is needed.")
    place.press_sequentially("there")
    expect(page.locator("#root_place__error")).to_have_count(0)
    many.press_sequentially(".5")
    expect(page.get_by_text("This has to be a whole number.")).to_be_visible()
    empty(many)
    expect(many).to_have_value("")
    page.get_by_role("textbox", name="key").press_sequentially("k")
    page.get_by_role("textbox", name="Part").press_sequentially("a")
    asked_with(page, {"place": "there", "auth": {"key": "k"}, "parts": [{"name": "a"}]})


def test_what_nobody_touched_is_not_sent_and_numbers_keep_their_digits(form):
    """Groups that were left empty are no groups; what a double does not hold passes through the pages all the same."""
    page, many = form, 9007199254740993
    page.get_by_role("spinbutton", name="Many").fill(str(many))
    page.get_by_role("textbox", name="key").fill("k")
    page.get_by_role("textbox", name="Part").fill("a")
    config = {"place": "here", "many": many, "auth": {"key": "k"}, "parts": [{"name": "a"}]}
    asked_with(page, config)
    host = page.get_by_role("textbox", name="Host")
    host.fill("h")
    asked_with(page, {**config, "tunnel": {"host": "h"}})
    empty(host)
    asked_with(page, config)
    page.get_by_role("button", name="Keep it without a test").click()
    expect(page.get_by_text("Where does it go?")).to_be_visible()
    id = page.url.split("source=")[1]
    page.goto(f"/sources/{id}")
    expect(page.get_by_role("spinbutton", name="Many")).to_have_value(str(many))
    page.get_by_role("textbox", name="Note").fill("seen")
    page.get_by_role("button", name="Test and keep").click()
    expect(page.get_by_role("alert")).to_contain_text("asked with " + json.dumps({**config, "note": "seen"}, sort_keys=True))
    page.get_by_role("button", name="Keep it without a test").click()
    until(lambda: page.daemon.api.config("sources/get", {"sourceId": id})["connectionConfiguration"] == {**config, "note": "seen"}, "what is kept")
    page.daemon.api.config("sources/delete", {"sourceId": id}, expect=204)


def test_a_choice_is_what_was_picked(form):
    """Though nothing in what is typed says which one it is, and it may be taken back. What is wrong where no field is to be seen
    is said all the same."""
    page = form
    page.get_by_role("textbox", name="Part").press_sequentially("a")
    login, extras = page.get_by_role("combobox", name="Login"), page.get_by_role("combobox", name="Extras")
    login.select_option(label="By token")
    expect(login).to_have_value("1")
    extras.select_option(label="Two")
    expect(extras).to_have_value("1")
    go_on(page)
    expect(page.locator("#root_more_two__error")).to_have_text("This is needed.")
    expect(page.get_by_role("textbox", name="token")).to_be_focused()
    page.get_by_role("textbox", name="token").press_sequentially("t")
    page.get_by_role("textbox", name="two").press_sequentially("2")
    empty(page.get_by_role("textbox", name="token"))
    expect(login).to_have_value("1")
    page.get_by_role("textbox", name="token").press_sequentially("u")
    config = {"place": "here", "many": 7, "auth": {"token": "u"}, "parts": [{"name": "a"}]}
    asked_with(page, {**config, "more": {"two": "2"}})
    extras.select_option(label="Three")
    go_on(page)
    expect(page.get_by_role("alert").filter(has_text="no field here shows")).to_contain_text("more.three: The most is 3.")
    extras.select_option(label="Not given")
    asked_with(page, config)


def test_each_item_of_a_list_has_its_own_choice(form):
    """One has to be, and is there from the beginning. It is removed: those behind it stay what they are."""
    page = form
    page.get_by_role("textbox", name="key").press_sequentially("k")
    for part, kind in (("b", "CSV"), ("c", "Parquet")):
        page.get_by_role("button", name="Add").press("Enter")
        page.get_by_role("textbox", name="Part").last.press_sequentially(part)
        page.get_by_role("combobox", name="Format").last.select_option(label=kind)
    part = page.get_by_role("group", name="Number 3: c", exact=True)
    expect(part).to_be_visible()
    whole = page.get_by_role("group", name="Parts")
    assert part.bounding_box()["width"] > whole.bounding_box()["width"] * 0.75
    page.get_by_role("button", name="Remove number 1").press("Enter")
    go_on(page)
    size = page.get_by_role("spinbutton", name="size")
    expect(size).to_be_focused()
    expect(page.locator("#root_parts_1_format_size__error")).to_have_text("This is needed.")
    size.press_sequentially("5")
    parts = [{"name": "b", "format": {"kind": "csv"}}, {"name": "c", "format": {"kind": "parquet", "size": 5}}]
    asked_with(page, {"place": "here", "many": 7, "auth": {"key": "k"}, "parts": parts})


def test_from_postgresql_to_duckdb(page, database):
    """Streams that the source tells when it is asked; hundreds of them are searched and selected at once."""
    database.run("CREATE TABLE orders (id int PRIMARY KEY, name text); INSERT INTO orders SELECT i, 'o' || i FROM generate_series(1, 120) i;"
                 "DO $$ BEGIN FOR i IN 1..200 LOOP EXECUTE format('CREATE TABLE other_%s (id int PRIMARY KEY)', i); END LOOP; END $$")
    log_in(page, "/connections/new")
    choose(page, "PostgreSQL")
    for label, value in (("Name", "The shop"), ("Host", database.host), ("Port", str(database.port)), ("Database", database.name),
                         ("Username", database.user), ("Password", database.password or "")):
        page.get_by_label(label, exact=True).or_(page.get_by_label(f"{label} *", exact=True)).first.fill(value)
    page.get_by_role("combobox", name="SSL Modes").select_option(label="disable")
    page.get_by_role("button", name="Test and go on").click()
    choose(page, "DuckDB")
    page.get_by_label("Destination Path").fill("/local/shop.duckdb")
    page.get_by_role("button", name="Test and go on").click()
    expect(page.get_by_text("201 of 201 selected")).to_be_visible()
    page.get_by_role("button", name="Select none").click()
    page.get_by_label("Search streams").fill("orders")
    page.get_by_role("button", name="Select these").click()
    expect(page.get_by_text("1 of 201 selected")).to_be_visible()
    page.get_by_label("Prefix of stream names").fill("shop_")
    # The first sync begins at once, whenever the next one is.
    page.get_by_label("Runs").select_option("cron")
    expect(page.get_by_text("Next: ")).to_be_visible()
    page.get_by_role("button", name="Set up connection").click()
    expect(page.get_by_role("list", name="Sync history").get_by_text("Succeeded")).to_be_visible()
    expect(page.get_by_role("row", name="orders").get_by_role("cell").nth(3)).to_have_text("120")
    with duckdb.connect(page.daemon.folder / "files" / "shop.duckdb", read_only=True) as db:
        (schema,), = db.execute("SELECT schema_name FROM duckdb_tables() WHERE table_name = 'shop_orders'").fetchall()
        assert db.execute(f'SELECT count(*), min(name) FROM "{schema}".shop_orders').fetchall() == [(120, "o1")]


def connections(daemon):
    return [each["name"] for each in daemon.api.ask("GET", "/api/firth/v1/connections").json()["connections"]]


# Its streams are the lines of a file, and what it writes can be added.
CHANGING = """
import json, sys
if sys.argv[1] == "spec":
    print(json.dumps({"type": "SPEC", "spec": {"connectionSpecification": {"type": "object"}}}))
elif sys.argv[1] == "check":
    print(json.dumps({"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}))
elif sys.argv[1] == "discover":
    names = open(__file__ + ".streams").read().split()
    print(json.dumps({"type": "CATALOG", "catalog": {"streams": [{"name": name, "json_schema": {"type": "object", "properties": {"id": {"type": "integer"}}},
        "supported_sync_modes": ["full_refresh", "incremental"], "default_cursor_field": ["id"]} for name in names]}}))
"""


def test_what_was_chosen_stays_and_streams_are_asked_for_anew(page):
    """On the way back to a step before, when the source is asked again, when all are selected; one connection is made of it."""
    program, streams = page.daemon.folder / "growing.py", page.daemon.folder / "growing.py.streams"
    program.write_text(CHANGING)
    streams.write_text("one two")
    page.daemon.firth("connectors", "add", "source-growing", "--command", f"{sys.executable} {program}", expect=0)
    page.daemon.api.destination(name="Growing files")
    log_in(page, "/connections/new")
    choose(page, "source-growing")
    page.get_by_label("Name").fill("Growing")
    page.get_by_role("button", name="Test and go on").click()
    choose(page, "Growing files")
    expect(page.get_by_text("2 of 2 selected")).to_be_visible()
    way = page.get_by_label("How one is moved")
    suggested = way.evaluate("(one) => one.selectedOptions[0].text")
    assert suggested != "Everything, added"
    way.select_option(label="Everything, added")
    page.get_by_role("switch", name="two").click(force=True)
    page.get_by_label("Prefix of stream names").fill("my_")
    # A step back, and forth again: the source has another stream by then.
    streams.write_text("one two three")
    page.get_by_role("link", name="Destination", exact=True).click()
    choose(page, "Growing files")
    expect(page.get_by_text("2 of 3 selected")).to_be_visible()
    expect(page.get_by_label("Prefix of stream names")).to_have_value("my_")
    streams.write_text("one two three four")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("3 of 4 selected")).to_be_visible()
    page.get_by_role("button", name="Select all").click()
    expect(page.get_by_text("4 of 4 selected")).to_be_visible()
    assert way.evaluate("(one) => one.selectedOptions[0].text") == "Everything, added"
    assert page.get_by_label("How two is moved").evaluate("(one) => one.selectedOptions[0].text") == suggested
    # What is needed of one of many is asked for where it is, in red; nothing is made before.
    streams.write_text("one two three four " + " ".join(f"other{i}" for i in range(60)))
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("64 of 64 selected")).to_be_visible()
    page.get_by_label("Search streams").fill("other59")
    page.get_by_label("How other59 is moved").select_option(label="Incremental, added")
    page.get_by_label("Cursor").select_option(label="Choose a field")
    page.get_by_label("Search streams").fill("one")
    page.get_by_role("button", name="Set up connection").click()
    expect(page.get_by_role("alert")).to_contain_text("other59: something more is needed")
    asked = page.get_by_text("Choose the field that tells what is new")
    expect(asked).to_be_in_viewport()
    assert asked.evaluate("(one) => getComputedStyle(one).color") == page.get_by_role("alert").evaluate("(one) => getComputedStyle(one).color")
    streams.write_text("")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("Growing has no streams")).to_be_visible()
    streams.write_text("one two three four")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("4 of 4 selected")).to_be_visible()
    # Before it is all lost the browser asks.
    page.once("dialog", lambda dialog: dialog.dismiss())
    with page.expect_event("dialog") as asked:
        page.evaluate("() => void setTimeout(() => window.location.reload())")
    assert asked.value.type == "beforeunload"
    expect(page.get_by_text("4 of 4 selected")).to_be_visible()
    # However often it is pressed, and whatever becomes of the first sync, there is one.
    page.route("**/connections/sync", lambda route: route.abort())
    page.get_by_role("button", name="Set up connection").evaluate("(button) => { for (let i = 0; i < 8; i++) button.click(); }")
    expect(page.get_by_role("heading", name="Growing → Growing files")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("The first sync could not be begun")
    assert connections(page.daemon).count("Growing → Growing files") == 1
    refused(page, "net::ERR_FAILED")


def test_a_page_that_cannot_be_had_says_so(page):
    """As when the daemon has other pages by now. The menu stays."""
    log_in(page)
    page.route("**/assets/**", lambda route: route.abort())
    page.get_by_role("link", name="Settings", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("This page cannot be shown")
    page.unroute("**/assets/**")
    page.complaints.clear()
    page.get_by_role("button", name="Load it anew").click()
    expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()


def test_log_in_and_log_out(chromium, daemon):
    context = chromium.new_context(base_url=daemon.url)
    page = context.new_page()
    page.goto("/connections/new")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("the user or the password is wrong")
    log_in(page)
    other = context.new_page()
    other.goto("/sources")
    expect(other.get_by_role("heading", name="Sources", level=1)).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    for tab in (page, other):
        expect(tab.get_by_role("heading", name="Log in to Firth")).to_be_visible()
    assert not [cookie for cookie in context.cookies() if cookie["value"]]
    context.close()


LONG = "customer_orders_" + "n" * 40


def width_of(page, path):
    page.goto(path)
    page.get_by_role("heading", level=1).wait_for()
    expect(page.get_by_text(LONG).first).to_be_visible()
    return page.evaluate("() => document.documentElement.scrollWidth")


def test_long_names_are_broken_on_a_telephone(page):
    api = page.daemon.api
    source = api.source(name=LONG)
    destination = api.destination(name=LONG)
    connection = api.connection(source=source, destination=destination, name=LONG)
    log_in(page)
    page.set_viewport_size({"width": 360, "height": 800})
    paths = ["/sources", f"/sources/{source}", "/connections", "/connections/new", f"/connections/{connection}", f"/connections/{connection}/settings",
             f"/connections/new?source={source}&destination={destination}"]
    assert {path: width for path in paths if (width := width_of(page, path)) > 360} == {}
    page.get_by_label("Prefix of stream names").fill(LONG)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    api.config("sources/delete", {"sourceId": source}, expect=204)
    api.config("destinations/delete", {"destinationId": destination}, expect=204)


def test_a_number_is_typed(page):
    """Emptied and written anew by the keyboard; what it may not be does not stay."""
    connection = page.daemon.api.connection(name="Numbered")
    log_in(page, f"/connections/{connection}/settings")
    page.get_by_label("Runs").select_option(label="Every so often")
    units = page.get_by_role("spinbutton", name="How many")
    for _ in range(2):
        units.press("End")
        units.press("Backspace")
    expect(units).to_have_value("")
    units.press("6")
    expect(units).to_have_value("6")
    units.press("Backspace")
    units.press("Tab")
    expect(units).to_have_value("6")
    expect(page.get_by_text("This has to be a whole number. It stays 6.")).to_be_visible()
    units.press("End")
    units.press("0")
    page.get_by_role("button", name="Save settings").press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    found = page.daemon.api.config("web_backend/connections/get", {"connectionId": connection})
    assert found["scheduleData"]["basicSchedule"] == {"timeUnit": "hours", "units": 60}


def test_a_source_is_changed(page):
    connection = page.daemon.api.connection(source=page.daemon.api.source(name="Changing"), name="Changing to files")
    log_in(page, "/sources")
    page.get_by_role("link", name="Changing").click()
    page.get_by_label("Count").fill("12")
    page.get_by_role("button", name="Test and keep").click()
    expect(page.get_by_text("Tested and kept.")).to_be_visible()
    source = page.daemon.api.config("web_backend/connections/get", {"connectionId": connection})["source"]
    assert source["connectionConfiguration"]["count"] == 12
    expect(page.get_by_role("link", name="Changing to files")).to_be_visible()
    # Who comes back to what was deleted does not find its form.
    page.get_by_role("button", name="Delete this source").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Sources", level=1)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="This source cannot be shown")).to_be_visible()
    refused(page, 404)


def test_applications_and_notifications(page):
    log_in(page, "/settings")
    page.get_by_label("Name of a new application").fill("airflow")
    page.get_by_role("button", name="Add").click()
    said = page.get_by_role("status").filter(has_text="shown this once")
    expect(said).to_be_visible()
    client_id, secret = said.locator("code").all_inner_texts()
    assert page.daemon.api.public("POST", "applications/token", {"client_id": client_id, "client_secret": secret})["access_token"]
    page.get_by_role("button", name="Delete airflow").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("There is none yet.")).to_be_visible()
    expect(said).to_have_count(0)
    # What had the focus is gone: it is where that was, not nowhere.
    expect(page.locator("section").filter(has=page.get_by_role("heading", name="Applications"))).to_be_focused()
    page.get_by_role("textbox", name="When a sync fails").fill("http://127.0.0.1:1/hook")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Kept.")).to_be_visible()
    workspace = page.daemon.api.config("workspaces/list")["workspaces"][0]
    assert workspace["notificationSettings"]["sendOnFailure"]["notificationType"] == ["slack"]
    page.get_by_role("button", name="Try: When a sync fails").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_connectors_are_added_and_deleted(page):
    log_in(page, "/connectors")
    expect(page.get_by_text("airbyte/source-faker").first).to_be_visible()
    page.get_by_label("Name").fill("Pokemon")
    page.get_by_label("Image *", exact=True).fill("airbyte/source-pokeapi:0.2.0")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("airbyte/source-pokeapi:0.2.0")).to_be_visible()
    page.get_by_label("A manifest of a low-code source").check()
    page.get_by_label("Name").fill("Shop")
    page.get_by_label("Manifest *", exact=True).fill("streams: [")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("manifest:")
    refused(page)
    page.get_by_label("A file with the manifest").set_input_files({"name": "shop.yaml", "mimeType": "text/yaml", "buffer": json.dumps(SHOP).encode()})
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Shop is there.")).to_be_visible()
    # Commands are added where the daemon lets them be, under a password of one's own; a line that is a whole command is made one.
    page.get_by_label("A command of the machine").check()
    command = page.get_by_label("Command *", exact=True)
    command.fill("python3 own.py\n--verbose")
    page.get_by_role("button", name="A line for each word").click()
    expect(command).to_have_value("python3\nown.py\n--verbose")
    expect(page.get_by_role("button", name="A line for each word")).to_have_count(0)
    expect(page.get_by_text("With the password that everybody knows no command is added.")).to_be_visible()
    # What is in use cannot go, and is said before it is tried.
    definitions = page.daemon.api.config("source_definitions/list", {})["sourceDefinitions"]
    definition = next(each["sourceDefinitionId"] for each in definitions if each["name"] == "Shop")
    user = page.daemon.api.config("sources/create", {"workspaceId": WORKSPACE, "name": "Corner shop", "sourceDefinitionId": definition,
                                                     "connectionConfiguration": {"api_key": "k"}})["sourceId"]
    page.get_by_role("button", name="Delete Shop").click()
    expect(page.get_by_role("dialog").get_by_role("link", name="Corner shop")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_role("button", name="Delete")).to_have_count(0)
    page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    page.daemon.api.config("sources/delete", {"sourceId": user}, expect=204)
    for name in ("Pokemon", "Shop"):
        page.get_by_role("button", name=f"Delete {name}").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_role("button", name=f"Delete {name}")).to_have_count(0)


def test_the_password_is_changed(page):
    """The last test of this daemon: it has another password afterwards."""
    log_in(page, "/settings")
    page.get_by_label("Current password").fill("not this one")
    page.get_by_label("New password *", exact=True).fill("a better one")
    page.get_by_label("New password once more").fill("a better two")
    expect(page.get_by_text("This is not the same.")).to_be_visible()
    page.get_by_label("New password once more").fill("a better one")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("the current password is wrong")).to_be_visible()
    refused(page)
    page.get_by_label("Current password").fill("password")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password is changed.")).to_be_visible()
    expect(page.get_by_text("The password is the one that everybody knows")).to_have_count(0)
    page.goto("/connectors")
    page.get_by_label("A command of the machine").check()
    expect(page.get_by_text("With the password that everybody knows")).to_have_count(0)
    page.get_by_label("Name").fill("Own")
    page.get_by_label("Command *", exact=True).fill(f"{sys.executable}\n{page.daemon.folder}/own.py")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Own is there.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    log_in(page, password="a better one")
