"""The web UI: every page, in both themes, is looked at by axe; and what can be done is done by keyboard alone."""

import pathlib

import pytest
from playwright.sync_api import expect

from ui import LIMIT_MS, browser, log_in, served

AXE = pathlib.Path(__file__).resolve().parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ["/connections", "/connections/new", "/sources", "/destinations", "/captures", "/collections", "/materializations",
         "/connectors", "/settings"]


@pytest.fixture(scope="module")
def chromium():
    with browser() as chromium:
        yield chromium


def faults_of(page):
    """What axe finds serious, each with where it is."""
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}" for one in found
            if one["impact"] in ("serious", "critical") for node in one["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(chromium, firth, theme):
    daemon = served(firth)
    id = daemon.api.connection(source=daemon.api.source(name="People"), name="People to files")
    # axe is put into the page from outside, which the pages' own policy forbids.
    context = chromium.new_context(base_url=daemon.url, color_scheme=theme, bypass_csp=True, reduced_motion="reduce")
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("heading", name="Log in to Firth").wait_for()
    page.add_script_tag(path=AXE)
    faults = [f"log-in: {fault}" for fault in faults_of(page)]
    log_in(page)
    source = daemon.api.config("sources/list", {"workspaceId": daemon.api.config("workspaces/list")["workspaces"][0]["workspaceId"]})["sources"][0]
    for path in PAGES + [f"/connections/{id}", f"/sources/{source['sourceId']}"]:
        page.goto(path)
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_load_state("networkidle")
        page.add_script_tag(path=AXE)
        faults += [f"{path}: {fault}" for fault in faults_of(page)]
    context.close()
    assert not faults, "\n".join(faults)


def test_by_keyboard_alone(chromium, firth):
    daemon = served(firth)
    daemon.api.connection(source=daemon.api.source(name="People"), name="People to files")
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
    expect(page.get_by_role("list", name="Sync history").get_by_text("Succeeded")).to_be_visible()
    tab_to("Delete connection")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Leave it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    context.close()
