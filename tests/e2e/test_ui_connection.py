"""The web UI: a connection's page. What runs is told as it happens; what ran can be looked into; what is set up, changed."""

import signal
import socket

import pytest
from playwright.sync_api import expect

from api import serve
from conftest import until
from job_driving import records, write
from ui import chromium, daemon, log_in, page, page_of, refused  # noqa: F401 (fixtures)

FAILURE = {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": {
    "message": "the key was taken back", "internal_message": "HTTP 401 at /v1/items", "failure_type": "config_error"}}}


def history(page):
    return page.get_by_role("list", name="Sync history")


def apply(daemon, name, steps):
    """A connection between the scripted source and destination; its id."""
    folder = daemon.folder / name
    folder.mkdir()
    daemon.firth("apply", write(folder, steps, name=name), expect=0)
    found = daemon.api.ask("GET", "/api/firth/v1/connections").json()["connections"]
    return next(each["connectionId"] for each in found if each["name"] == name)


def show(daemon, id):
    return daemon.api.config("web_backend/connections/get", {"connectionId": id})


def test_what_runs_is_told_and_cancelled(page):
    gate = page.daemon.folder / "gate"
    said = [{"message": {"type": "LOG", "log": {"level": "INFO", "message": f"line {i} of a burst{i % 9 * ' and more'}"}}} for i in range(400)]
    id = apply(page.daemon, "slow", records(1, 3) + [{"sleep_until": str(gate)}] + said + records(4, 5))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    log_in(page, f"/connections/{id}")
    expect(page.get_by_text("Nothing has run yet.")).to_be_visible()
    users = page.get_by_role("row", name="users")

    # Of what is not known nothing is said.
    expect(users.get_by_role("cell").nth(2)).to_have_text("–")
    # A double click is one: the second click neither asks again nor cancels what the first began.
    page.get_by_role("button", name="Sync now").dblclick()
    expect(history(page).get_by_text("Running")).to_be_visible()
    expect(users.get_by_role("cell").nth(2)).to_have_text("3")
    page.get_by_role("button", name="Cancel").dblclick()
    expect(history(page).get_by_text("Cancelled")).to_be_visible()
    expect(page.get_by_role("button", name="Sync now")).to_be_enabled()
    expect(history(page).get_by_role("listitem")).to_have_count(1)

    # So are two presses of Enter, though the button stands for something else by the second. Whoever deletes the connection meanwhile
    # is told, and may cancel first.
    page.get_by_role("button", name="Sync now").press("Enter")
    expect(history(page).get_by_text("Running")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_enabled()
    page.get_by_role("link", name="Settings", exact=True).last.click()
    page.get_by_role("button", name="Delete connection").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("A sync is running just now.")
    dialog.get_by_role("button", name="Cancel the sync first").click()
    expect(dialog).not_to_contain_text("A sync is running just now.")
    dialog.get_by_role("button", name="Leave it").click()
    page.get_by_role("link", name="Overview").click()
    expect(history(page).get_by_text("Cancelled")).to_have_count(2)

    # The log of one that runs is followed to its end, however much comes at once. Who asked for it when somebody else had done so
    # already has what he wanted.
    def second(route):
        page.daemon.api.config("connections/sync", {"connectionId": id})
        route.continue_()

    page.route("**/connections/sync", second)
    page.get_by_role("button", name="Sync now").click()
    expect(history(page).get_by_text("Running")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel", exact=True)).not_to_have_attribute("aria-disabled", "true")
    expect(page.get_by_role("alert")).to_have_count(0)
    refused(page, 409)
    history(page).get_by_role("button").first.click()
    page.get_by_role("button", name="Show the log").click()
    log = page.get_by_role("log")
    expect(log).to_contain_text("attempt 1 of job")
    expect(page.get_by_label("Follow")).to_be_checked()
    gate.touch()
    expect(log).to_contain_text("succeeded")
    expect(log).to_contain_text("more log lines within a second were left out")
    page.wait_for_function("() => { const log = document.querySelector('[role=log]'); return log.scrollHeight - log.scrollTop - log.clientHeight < 2; }")
    expect(users.get_by_role("cell").nth(3)).to_have_text("5")
    assert any(f"/events?topic=connection:{id}" in url for url in asked)


def test_a_sync_that_fails_is_explained(page):
    id = apply(page.daemon, "failing", [{"message": FAILURE}, {"exit": 1}])
    log_in(page, f"/connections/{id}")
    page.get_by_role("button", name="Sync now").click()
    failure = page.get_by_role("alert")
    expect(failure).to_contain_text("The source failed")
    expect(failure).to_contain_text("the key was taken back")
    expect(failure).to_contain_text("Look at the configuration of the source and test it")
    failure.get_by_text("What is behind it").click()
    expect(failure).to_contain_text("HTTP 401 at /v1/items")
    history(page).get_by_role("button").first.click()
    expect(history(page).get_by_role("alert")).to_contain_text("the key was taken back")
    failure.first.get_by_role("link", name="Open the source").click()
    expect(page.get_by_role("heading", name="failing source")).to_be_visible()


@pytest.fixture(scope="module")
def people(daemon):
    """A connection of two streams of three that has run twice."""
    id = daemon.api.connection(source=daemon.api.source(name="People"), name="People to files", streams=("users", "products"))
    for _ in range(2):
        job = daemon.api.config("connections/sync", {"connectionId": id})["job"]["id"]
        until(lambda: daemon.api.config("jobs/get_light", {"id": job})["job"]["status"] == "succeeded", "the sync")
    return id


def test_history(page, people):
    log_in(page, f"/connections/{people}")
    expect(history(page).get_by_role("listitem")).to_have_count(2)
    # Charts can be read as tables.
    volume = page.get_by_role("figure").filter(has_text="Volume")
    expect(volume).to_contain_text("records in the last 2 syncs")
    volume.get_by_text("Volume as a table").click()
    expect(volume.get_by_role("row")).to_have_count(2)
    # They are drawn anew in the system's other colours.
    drawn = volume.locator("canvas")
    light = drawn.evaluate("(canvas) => canvas.toDataURL()")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("(light) => document.querySelector('figure canvas').toDataURL() !== light", arg=light)
    page.emulate_media(color_scheme="light")
    history(page).get_by_role("button").last.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the log").click()
    assert download.value.suggested_filename.endswith("-attempt-0.log")
    page.get_by_role("button", name="Show the log").click()
    expect(page.get_by_role("log")).to_contain_text("succeeded")
    page.get_by_label("Search the log").fill("SUCCEEDED")
    expect(page.get_by_text("1 line", exact=True)).to_be_visible()
    page.get_by_label("Search the log").fill("")
    page.get_by_label("Lines that are shown").select_option("error")
    expect(page.get_by_text("0 lines", exact=True)).to_be_visible()


def test_chosen_streams_are_cleared_and_read_again(page, people):
    folder = page.daemon.folder / "files" / "files"
    before = (folder / "_airbyte_raw_products.jsonl").read_bytes()
    log_in(page, f"/connections/{people}")
    expect(page.get_by_role("button", name="Clear…")).to_be_disabled()
    page.get_by_label("Choose users").check()
    page.get_by_role("button", name="Clear…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The rows of users at the destination are deleted")
    dialog.get_by_role("button", name="Leave it").click()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Clear…").click()
    dialog.get_by_role("button", name="Clear").click()
    expect(history(page).get_by_role("listitem").first).to_contain_text("Clear")
    expect(history(page).get_by_role("listitem").first).to_contain_text("Succeeded")
    users = folder / "_airbyte_raw_users.jsonl"
    assert (not users.exists() or users.read_bytes() == b"") and (folder / "_airbyte_raw_products.jsonl").read_bytes() == before
    # A job says nothing of streams that it did not touch.
    expect(page.get_by_role("row", name="products").get_by_role("cell").nth(2)).to_have_text("–")

    page.get_by_label("Choose users").check()
    page.get_by_role("button", name="Read again…").click()
    expect(dialog).to_contain_text("lost")
    dialog.get_by_label("stay, and what is read").check()
    dialog.get_by_role("button", name="Read again").click()
    expect(history(page).get_by_role("listitem").first).to_contain_text("Refresh")
    expect(history(page).get_by_role("listitem").first).to_contain_text("Succeeded")
    assert len(users.read_bytes().splitlines()) == 10


def test_streams_and_settings_are_changed(page, people):
    log_in(page, f"/connections/{people}")
    page.get_by_role("link", name="Streams", exact=True).click()
    expect(page.get_by_text("2 of 2 selected")).to_be_visible()
    expect(page.get_by_role("button", name="Save streams")).to_be_disabled()
    page.get_by_role("button", name="Look for new streams and fields").click()
    expect(page.get_by_text("2 of 3 selected")).to_be_visible()
    page.get_by_role("switch", name="purchases").click(force=True)
    page.get_by_role("switch", name="products").click(force=True)
    page.get_by_label("How purchases is moved").select_option(label="Everything, replaced")
    page.get_by_role("button", name="Save streams").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    kept = {each["stream"]["name"]: each["config"] for each in show(page.daemon, people)["syncCatalog"]["streams"] if each["config"]["selected"]}
    assert set(kept) == {"users", "purchases"} and kept["purchases"]["destinationSyncMode"] == "overwrite"

    page.get_by_role("link", name="Settings", exact=True).last.click()
    page.get_by_role("textbox", name="Name", exact=True).fill("People, renamed")
    page.get_by_label("Runs").select_option(label="Every so often")
    page.get_by_label("How many").fill("6")
    page.get_by_label("Prefix of stream names").fill("new_")
    expect(page.get_by_text("the next sync begins new tables")).to_be_visible()
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="People, renamed")).to_be_visible()
    expect(page.get_by_text("every 6 hours; next run")).to_be_visible()
    found = show(page.daemon, people)
    assert (found["name"], found["prefix"], found["scheduleData"]["basicSchedule"]) == (
        "People, renamed", "new_", {"timeUnit": "hours", "units": 6})
    # What somebody else changes meanwhile stays as it is then, and what is typed is there after a look elsewhere.
    page.get_by_role("textbox", name="Name", exact=True).fill("People, once more")
    page.daemon.api.config("connections/update", {"connectionId": people, "prefix": "other_"})
    page.get_by_role("link", name="Overview").click()
    expect(history(page)).to_be_visible()
    page.get_by_role("link", name="Settings", exact=True).last.click()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("People, once more")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("heading", name="People, once more")).to_be_visible()
    found = show(page.daemon, people)
    assert (found["name"], found["prefix"]) == ("People, once more", "other_")


def test_rows_are_not_replaced_unasked(page):
    """All streams selected are moved as they were; and one that is to be replaced from now on is asked about."""
    api = page.daemon.api
    id = api.connection(name="Adding", streams=("users", "products"))
    catalog = show(page.daemon, id)["syncCatalog"]
    for choice in catalog["streams"]:
        choice["config"] |= {"syncMode": "full_refresh", "destinationSyncMode": "append", "selected": choice["stream"]["name"] == "users"}
    api.config("web_backend/connections/update", {"connectionId": id, "syncCatalog": catalog})
    log_in(page, f"/connections/{id}/streams")
    users = page.get_by_label("How users is moved")
    page.get_by_role("button", name="Select all").click()
    expect(page.get_by_text("2 of 2 selected")).to_be_visible()
    expect(users.locator("option:checked")).to_have_text("Everything, added")
    users.select_option(label="Everything, replaced")
    # What was chosen is there after a look elsewhere.
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_text("Nothing has run yet.")).to_be_visible()
    page.get_by_role("link", name="Streams", exact=True).click()
    expect(users.locator("option:checked")).to_have_text("Everything, replaced")
    page.get_by_role("button", name="Save streams").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Rows of users were added")
    dialog.get_by_role("button", name="Leave it").click()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Undo the changes").click()
    expect(page.get_by_text("1 of 2 selected")).to_be_visible()
    expect(users.locator("option:checked")).to_have_text("Everything, added")
    expect(page.get_by_role("button", name="Save streams")).to_be_disabled()


def test_streams_that_somebody_else_changes_too(page):
    """Only what was changed here is saved; what both have changed is asked about. Numbers of schemas stay as they are."""
    api, exact = page.daemon.api, 9223372036854775807
    id = api.connection(name="Of two", streams=("users", "products", "purchases"))

    def put(off=(), **modes):
        catalog = show(page.daemon, id)["syncCatalog"]
        for choice in catalog["streams"]:
            choice["stream"]["jsonSchema"]["properties"]["id"]["maximum"] = exact
            choice["config"] |= {"syncMode": "full_refresh", "selected": choice["stream"]["name"] not in off}
            choice["config"]["destinationSyncMode"] = modes.get(choice["stream"]["name"], choice["config"]["destinationSyncMode"])
        api.config("web_backend/connections/update", {"connectionId": id, "syncCatalog": catalog})

    def modes():
        return {each["stream"]["name"]: each["config"]["destinationSyncMode"] for each in show(page.daemon, id)["syncCatalog"]["streams"]}

    put(users="append", products="append", purchases="append")
    log_in(page, f"/connections/{id}/streams")
    page.get_by_label("How users is moved").select_option(label="Everything, replaced")
    put(products="overwrite")
    page.get_by_role("button", name="Save streams").click()
    page.get_by_role("dialog").get_by_role("button", name="Save streams").click()
    expect(page.get_by_text("Saved. The next sync")).to_be_visible()
    assert modes() == {"users": "overwrite", "products": "overwrite", "purchases": "append"}
    assert all(each["stream"]["jsonSchema"]["properties"]["id"]["maximum"] == exact for each in show(page.daemon, id)["syncCatalog"]["streams"])

    page.get_by_label("How users is moved").select_option(label="Everything, added")
    page.get_by_role("switch", name="purchases").click(force=True)
    put(off=("users",), products="append")
    page.get_by_role("button", name="Save streams").click()
    expect(page.get_by_text("Nothing was saved: somebody else")).to_be_visible()
    expect(page.get_by_role("button", name="Save streams")).to_be_disabled()
    expect(page.get_by_role("status").filter(has_text="Somebody else")).to_contain_text("users:")
    assert modes()["users"] == "overwrite"
    page.get_by_role("button", name="Keep mine").click()
    page.get_by_role("button", name="Save streams").click()
    expect(page.get_by_text("Saved. The next sync")).to_be_visible()
    kept = {each["stream"]["name"]: each["config"] for each in show(page.daemon, id)["syncCatalog"]["streams"]}
    assert (kept["users"]["selected"], kept["users"]["destinationSyncMode"], kept["purchases"]["selected"]) == (True, "append", False)
    page.get_by_label("How products is moved").select_option(label="Everything, replaced")
    put(off=("products",))
    page.get_by_role("button", name="Save streams").click()
    page.get_by_role("dialog").get_by_role("button", name="Save streams").click()
    page.get_by_role("button", name="Take theirs").click()
    expect(page.get_by_role("switch", name="products")).not_to_be_checked()
    expect(page.get_by_role("button", name="Undo the changes")).to_have_count(0)
    # Who was slower than that is refused by the daemon itself.
    first = show(page.daemon, id)
    put(products="append")
    refused = api.ask("POST", "/api/v1/web_backend/connections/update", {"connectionId": id, "revision": first["revision"], "name": "Too late"})
    assert refused.status == 409 and "changed by somebody else" in refused.json()["message"]


def test_one_of_many_streams_is_found(page, people):
    def many(route):
        answer = route.fetch()
        body = answer.json()
        one = body["syncCatalog"]["streams"][0]
        body["syncCatalog"]["streams"] = [{"config": {**one["config"], "selected": True}, "stream": {**one["stream"], "name": f"s{i:03}"}} for i in range(120)]
        route.fulfill(response=answer, json=body)

    page.route("**/web_backend/connections/get", many)
    log_in(page, f"/connections/{people}")
    expect(page.get_by_text("The first 50 of 120.")).to_be_visible()
    expect(page.get_by_label("Choose s049")).to_be_visible()
    expect(page.get_by_label("Choose s050")).to_have_count(0)
    page.get_by_role("button", name="Show more").first.click()
    expect(page.get_by_label("Choose s119")).to_be_visible()
    page.get_by_label("Search streams").fill("S11")
    expect(page.get_by_text("10 of 120", exact=True)).to_be_visible()
    expect(page.get_by_label("Choose s109")).to_have_count(0)
    page.get_by_label("Choose every stream").check()
    expect(page.get_by_text("10 of 120 chosen.")).to_be_visible()


def test_an_outage_and_a_session_that_ends_leave_the_page_as_it_is(page, people):
    log_in(page, f"/connections/{people}/settings")
    name = page.get_by_role("textbox", name="Name", exact=True)
    name.fill("Typed before")
    failed = []

    def third(request):
        failed.extend([request] if "web_backend/connections/get" in request.url else [])
        return len(failed) == 3

    page.route("**/api/**", lambda route: route.abort())
    with page.expect_event("requestfailed", third):
        page.get_by_role("button", name="Sync now").click()
    away = page.get_by_text("The daemon cannot be reached", exact=True)
    expect(away).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("is firth serve still running?")
    expect(name).to_have_value("Typed before")
    page.unroute("**/api/**")
    expect(away).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(name).to_have_value("Typed before")

    page.context.clear_cookies()
    page.get_by_role("button", name="Save settings").click()
    again = page.get_by_role("dialog", name="Your session has ended")
    expect(again.get_by_label("Password")).to_be_focused()
    page.keyboard.press("Escape")
    again.get_by_label("Password").fill("password")
    again.get_by_role("button", name="Log in").click()
    expect(again).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(name).to_have_value("Typed before")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("heading", name="Typed before")).to_be_visible()
    page.complaints.clear()


def test_a_daemon_that_is_stopped_and_started_again(chromium, firth):
    """A real one: the page says that it is away and comes back by itself; what was typed stays, and what happens is told again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = {"FIRTH_LISTEN": f"127.0.0.1:{free.getsockname()[1]}"}
    daemon = serve(firth, env=listen)
    id = daemon.api.connection(name="Before")
    with page_of(chromium, daemon.api.url.replace("127.0.0.1", "localhost")) as page:
        log_in(page, f"/connections/{id}/settings")
        name = page.get_by_role("textbox", name="Name", exact=True)
        name.fill("After")
        daemon.signal(signal.SIGTERM)
        assert daemon.wait() == 0
        away = page.get_by_text("The daemon cannot be reached", exact=True)
        expect(away).to_be_visible()
        page.get_by_role("link", name="Overview").click()
        expect(page.get_by_text("Nothing has run yet.")).to_be_visible()
        page.get_by_role("button", name="Sync now").click()
        expect(page.get_by_text("is firth serve still running?")).to_be_visible()

        with page.expect_response(f"**/events?topic=connection:{id}"):
            daemon = serve(firth, env=listen)
        expect(away).to_have_count(0)
        # The browser complains of each question that nobody answered.
        assert all("net::ERR_" in each for each in page.complaints), page.complaints
        page.complaints.clear()
        daemon.api.config("connections/sync", {"connectionId": id})
        expect(history(page).get_by_text("Succeeded")).to_be_visible()
        page.get_by_role("link", name="Settings", exact=True).last.click()
        expect(name).to_have_value("After")
        page.get_by_role("button", name="Save settings").click()
        expect(page.get_by_role("heading", name="After", exact=True)).to_be_visible()


def test_it_is_told_without_events_too(chromium, daemon, people):
    context = chromium.new_context(base_url=daemon.url)
    context.route("**/events?*", lambda route: route.fulfill(status=503, body="{}"))
    page = context.new_page()
    log_in(page, f"/connections/{people}")
    expect(history(page).get_by_role("listitem").first).to_contain_text("Succeeded")
    count = history(page).get_by_role("listitem").count()
    page.get_by_role("button", name="Sync now").click()
    expect(history(page).get_by_role("listitem")).to_have_count(count + 1)
    expect(history(page).get_by_role("listitem").first).to_contain_text("Succeeded")
    context.close()


def test_a_connection_is_deleted(page):
    id = page.daemon.api.connection(folder="/local/gone", name="Not for long")
    log_in(page, f"/connections/{id}/settings")
    page.get_by_role("button", name="Delete connection").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Delete connection").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Connections", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Not for long")).to_have_count(0)
    # By somebody else: what is gone is not shown as if it were there.
    id = page.daemon.api.connection(folder="/local/gone", name="Not for long either")
    page.goto(f"/connections/{id}")
    expect(page.get_by_text("Nothing has run yet.")).to_be_visible()
    page.daemon.api.config("connections/delete", {"connectionId": id}, expect=204)
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("heading", name="This connection cannot be shown")).to_be_visible()
    assert all("404" in each for each in page.complaints), page.complaints
    page.complaints.clear()
