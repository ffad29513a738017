"""The web UI: every page, in both themes, is looked at by axe; and what can be done is done by keyboard alone."""

import pathlib

import pytest
from playwright.sync_api import expect

import test_ui_flow
from conftest import until
from ui import LIMIT_MS, chromium, daemon, log_in  # noqa: F401 (fixtures)

AXE = pathlib.Path(__file__).resolve().parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ["/connections", "/connections/new", "/sources", "/destinations", "/captures", "/collections", "/materializations",
         "/connectors", "/settings"]
TELEPHONE = 360


@pytest.fixture(scope="module")
def paths(daemon):
    """Every page; of a connection that has run, for its charts, of one that failed, of a capture and its collection."""
    test_ui_flow.deploy(daemon)
    source, api = daemon.api.source(name="People"), daemon.api
    id = api.connection(source=source, name="People to files")
    folder = daemon.folder / "files"
    folder.mkdir(exist_ok=True)
    (folder / "file").write_text("no folder")
    failing = api.connection("/local/file", source=source, name="People to nowhere")
    for connection, count in ((id, 2), (failing, 1)):
        for _ in range(count):
            job = api.config("connections/sync", {"connectionId": connection})["job"]["id"]
            until(lambda: api.config("jobs/get_light", {"id": job})["job"]["status"] in ("succeeded", "failed"), "the sync")
    return PAGES + [f"/connections/{id}", f"/connections/{id}/streams", f"/connections/{id}/settings", f"/connections/{failing}", f"/sources/{source}", "/captures/acmeCo/shop",
                    "/collections/acmeCo/orders"]


def faults_of(page):
    """What axe finds serious, each with where it is; and what is wider than a telephone."""
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    faults = [f"{one['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}" for one in found
              if one["impact"] in ("serious", "critical") for node in one["nodes"]]
    page.set_viewport_size({"width": TELEPHONE, "height": 800})
    width = page.evaluate("() => document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    return faults + ([f"it is {width} pixels wide"] if width > TELEPHONE else [])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_is_too_wide(chromium, daemon, paths, theme):
    # axe is put into the page from outside, which the pages' own policy forbids.
    context = chromium.new_context(base_url=daemon.url, color_scheme=theme, bypass_csp=True, reduced_motion="reduce")
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("heading", name="Log in to Firth").wait_for()
    page.add_script_tag(path=AXE)
    faults = [f"log-in: {fault}" for fault in faults_of(page)]
    log_in(page)
    for path in paths:
        page.goto(path)
        page.get_by_role("heading", level=1).wait_for()
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        page.add_script_tag(path=AXE)
        faults += [f"{path}: {fault}" for fault in faults_of(page)]
    context.close()
    assert not faults, "\n".join(faults)


def test_by_keyboard_alone(chromium, daemon, paths):  # noqa: ARG001
    context = chromium.new_context(base_url=daemon.url)
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.goto("/connections")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type("password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Connections", level=1)).to_be_visible()

    def tab_to(name):
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent") == name:
                return
        raise AssertionError(f"{name} cannot be reached by Tab")

    tab_to("People to files")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="People to files")).to_be_visible()
    tab_to("Sync now")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Sync history").get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_role("list", name="Sync history").get_by_text("Succeeded")).to_have_count(3)
    tab_to("Settings")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_be_visible()
    tab_to("Delete connection")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Leave it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    context.close()
