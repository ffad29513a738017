"""The web UI: from an empty installation to data at a destination, as the tutorial walks it."""

import pytest
from playwright.sync_api import expect

from ui import browser, log_in, page_of, served


@pytest.fixture(scope="module")
def chromium():
    with browser() as chromium:
        yield chromium


@pytest.fixture
def page(chromium, firth):
    daemon = served(firth)
    with page_of(chromium, daemon.url) as page:
        page.daemon = daemon
        yield page


def choose(page, name):
    page.get_by_role("button", name=name).first.click()


def test_from_nothing_to_a_first_sync(page, firth):
    log_in(page)
    expect(page.get_by_text("No connection yet")).to_be_visible()
    page.get_by_role("link", name="Set up a connection").first.click()
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
    expect(users.get_by_role("cell").nth(2)).to_have_text("1,000")
    page.get_by_role("list", name="Sync history").get_by_role("button").first.click()
    page.get_by_role("button", name="Show the log").click()
    expect(page.get_by_text("attempt 1 of job 1 succeeded")).to_be_visible()
    page.goto("/connections")
    row = page.get_by_role("row", name="People → Local JSON")
    expect(row.get_by_text("Succeeded")).to_be_visible()
    folder = firth.data_dir.parent / "files" / "walk"
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


def test_log_out_and_a_wrong_password(chromium, firth):
    daemon = served(firth)
    context = chromium.new_context(base_url=daemon.url)
    page = context.new_page()
    page.goto("/connections/new")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("the user or the password is wrong")
    log_in(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in to Firth")).to_be_visible()
    assert not [cookie for cookie in context.cookies() if cookie["value"]]
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wider_than_a_telephone(chromium, firth, theme):
    daemon = served(firth)
    with page_of(chromium, daemon.url, width=360, theme=theme) as page:
        log_in(page)
        for path in ("/connections", "/connections/new", "/sources", "/destinations", "/connectors", "/settings"):
            page.goto(path)
            page.get_by_role("heading", level=1).wait_for()
            assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def connected(daemon):
    """A connection of People to Local JSON; its id."""
    return daemon.api.connection(source=daemon.api.source(name="People"), name="People to files")


def test_a_connection_is_run_and_deleted(page):
    id = connected(page.daemon)
    log_in(page, f"/connections/{id}")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("list", name="Sync history").get_by_text("Succeeded")).to_be_visible()
    page.get_by_role("button", name="Delete connection").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Delete connection").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No connection yet")).to_be_visible()


def test_a_source_is_changed(page):
    connected(page.daemon)
    log_in(page, "/sources")
    page.get_by_role("link", name="People").click()
    page.get_by_label("Count").fill("12")
    page.get_by_role("button", name="Test and keep").click()
    expect(page.get_by_text("Tested and kept.")).to_be_visible()
    workspace = page.daemon.api.config("workspaces/list")["workspaces"][0]["workspaceId"]
    source, = page.daemon.api.config("sources/list", {"workspaceId": workspace})["sources"]
    assert source["connectionConfiguration"]["count"] == 12
    expect(page.get_by_role("link", name="People to files")).to_be_visible()


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
    expect(page.get_by_role("button", name="Delete airflow")).to_have_count(0)
    page.get_by_role("textbox", name="When a sync fails").fill("http://127.0.0.1:1/hook")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Kept.")).to_be_visible()
    workspace = page.daemon.api.config("workspaces/list")["workspaces"][0]
    assert workspace["notificationSettings"]["sendOnFailure"]["notificationType"] == ["slack"]
    page.get_by_role("button", name="Try: When a sync fails").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_connector_is_added_and_deleted(page):
    log_in(page, "/connectors")
    expect(page.get_by_text("airbyte/source-faker").first).to_be_visible()
    page.get_by_label("Name").fill("Pokemon")
    page.get_by_label("Image").fill("airbyte/source-pokeapi:0.2.0")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("airbyte/source-pokeapi:0.2.0")).to_be_visible()
    page.get_by_role("button", name="Delete Pokemon").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("airbyte/source-pokeapi:0.2.0")).to_have_count(0)
