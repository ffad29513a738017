"""The web UI: every page, in both themes, is looked at by axe; and what can be done is done by keyboard alone."""

import pathlib

import pytest
from playwright.sync_api import expect

import test_ui_flow
from conftest import until
from ui import chromium, daemon, log_in, page_of  # noqa: F401 (fixtures)

AXE = pathlib.Path(__file__).resolve().parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ["/connections", "/connections/new", "/sources", "/destinations", "/captures", "/collections", "/materializations", "/deployed",
         "/connectors", "/settings"]
TELEPHONE = 360
# Other colours are there once they were painted, and whatever leads over to them has ended.
SETTLED = """async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await Promise.all(document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished));
}"""


@pytest.fixture(scope="module")
def paths(daemon):
    """Every page; of a connection that has run, for its charts, of one that failed, of a capture and its collection."""
    test_ui_flow.deploy(daemon)
    source, api = daemon.api.source(name="People"), daemon.api
    destination = api.destination(name="Local files")
    id = api.connection(source=source, destination=destination, name="People to files")
    folder = daemon.folder / "files"
    folder.mkdir(exist_ok=True)
    (folder / "file").write_text("no folder")
    failing = api.connection("/local/file", source=source, name="People to nowhere")
    for connection, count in ((id, 2), (failing, 1)):
        for _ in range(count):
            job = api.config("connections/sync", {"connectionId": connection})["job"]["id"]
            until(lambda: api.config("jobs/get_light", {"id": job})["job"]["status"] in ("succeeded", "failed"), "the sync")
    postgres = next(each["sourceDefinitionId"] for each in api.config("source_definitions/list")["sourceDefinitions"] if each["name"] == "PostgreSQL")
    new = "/connections/new?"
    return PAGES + [f"{new}connector={postgres}", f"{new}source={source}", f"{new}source={source}&destination={destination}",
                    f"/connections/{id}", f"/connections/{id}/streams", f"/connections/{id}/settings", f"/connections/{failing}", f"/sources/{source}", "/captures/acmeCo/shop",
                    "/collections/acmeCo/orders"]


def go_dark(page):
    page.emulate_media(color_scheme="dark")
    page.evaluate(SETTLED)


def seen_by_axe(page, options):
    found = page.evaluate("(options) => axe.run(document, {resultTypes: ['violations'], ...options})", options)["violations"]
    return [f"{one['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}" for one in found
            if one["impact"] in ("serious", "critical") for node in one["nodes"]]


def faults_of(page):
    """What axe finds serious, each with where it is; in the dark, where only colours are others, of colours; and what is
    wider than a telephone."""
    page.add_script_tag(path=AXE)
    faults = seen_by_axe(page, {})
    go_dark(page)
    faults += [f"dark: {fault}" for fault in seen_by_axe(page, {"runOnly": ["color-contrast"]})]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": TELEPHONE, "height": 800})
    width = page.evaluate("() => document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    return faults + ([f"it is {width} pixels wide"] if width > TELEPHONE else [])


# For each colour that a connector's name may give its mark, and each way that something is said: what it has on its ground.
CONTRASTS = """() => {
    const kinds = [...['error', 'warning', 'info', 'success'].map((kind) => `notice ${kind}`), ...['good', 'bad', 'active', 'waiting', 'off'].map((tone) => `badge ${tone}`)];
    const wanted = [...Array(360).keys()].map((hue) => ['connector-mark', hue]).concat(kinds.map((kind) => [kind, 0]));
    const bright = (color) => color.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    return Object.fromEntries(wanted.map(([kind, hue]) => {
        const one = document.body.appendChild(document.createElement('span'));
        one.className = kind;
        one.style.setProperty('--hue', hue);
        const { color, backgroundColor } = getComputedStyle(one);
        const [dark, light] = [bright(color), bright(backgroundColor)].sort((a, b) => a - b);
        one.remove();
        return [`${kind} ${hue}`, (light + 0.05) / (dark + 0.05)];
    }));
}"""
AA = 4.5


def test_axe_finds_nothing_serious_and_nothing_is_too_wide(chromium, daemon, paths):
    # axe is put into the page from outside, which the pages' own policy forbids.
    with page_of(chromium, daemon.url, bypass_csp=True, reduced_motion="reduce") as page:
        page.goto("/")
        page.get_by_role("heading", name="Log in to Firth").wait_for()
        faults = [f"log-in: {fault}" for fault in faults_of(page)]
        log_in(page)
        titles = {page.title()}
        for path in paths:
            page.goto(path)
            page.get_by_role("heading", level=1).wait_for()
            expect(page.locator("[aria-busy=true]")).to_have_count(0)
            titles.add(page.title())
            faults += [f"{path}: {fault}" for fault in faults_of(page)]
        # What the test rests upon: the one is seen in the dark, and told by axe.
        go_dark(page)
        page.evaluate("() => { document.querySelector('h1').style.color = '#222'; }")
        assert seen_by_axe(page, {"runOnly": ["color-contrast"]})
        for theme in ("dark", "light"):
            page.emulate_media(color_scheme=theme)
            contrasts = page.evaluate(CONTRASTS)
            assert len(contrasts) == 369 and max(contrasts.values()) < 21
            faults += [f"{theme}: {what} has {contrast:.2f}" for what, contrast in contrasts.items() if contrast < AA]
    assert not faults, "\n".join(faults)
    assert "Collections · Firth" in titles and "acmeCo/orders · Firth" in titles


def tab_to(page, name):
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent") == name:
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


def press(page, name):
    tab_to(page, name)
    page.keyboard.press("Enter")


def test_by_keyboard_alone(chromium, daemon, paths):  # noqa: ARG001
    """From the log-in to a connection that is set up, synced and deleted; on a telephone's width."""
    with page_of(chromium, daemon.url, width=TELEPHONE) as page:
        page.goto("/connections")
        expect(page.get_by_label("Password")).to_be_focused()
        page.keyboard.type("password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Connections", level=1)).to_be_visible()
        press(page, "Set up a connection")
        expect(page.get_by_text("Where does the data come from?")).to_be_visible()
        press(page, "PeopleSample Data")
        expect(page.get_by_text("Where does it go?")).to_be_visible()
        expect(page.locator("#main")).to_be_focused()
        press(page, "Local filesLocal JSON")
        expect(page.get_by_text("3 of 3 selected")).to_be_visible()
        press(page, "Select none")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        expect(page.get_by_text("1 of 3 selected")).to_be_visible()
        press(page, "Set up connection")
        history = page.get_by_role("list", name="Sync history")
        expect(history.get_by_text("Succeeded")).to_have_count(1)
        expect(page.get_by_role("button", name="Sync now")).to_be_enabled()
        press(page, "Sync now")
        expect(history.get_by_role("listitem")).to_have_count(2)
        expect(history.get_by_text("Succeeded")).to_have_count(2)
        press(page, "Settings")
        expect(page.get_by_role("textbox", name="Name", exact=True)).to_be_visible()
        press(page, "Delete connection")
        expect(page.get_by_role("dialog").get_by_role("button", name="Leave it")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        press(page, "Delete connection")
        press(page, "Delete")
        expect(page.get_by_role("link", name="People to files")).to_be_visible()
        expect(page.get_by_role("link", name="People → Local files")).to_have_count(0)
