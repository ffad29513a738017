"""Chromium on the web UI of a daemon that runs. Whatever the browser complains of, and whatever it asks of others than the
daemon, fails the test that it happened in."""

import contextlib
import shutil

import playwright.sync_api
import pytest

from api import serve
from conftest import Firth, binary

LIMIT_MS = 30_000
playwright.sync_api.expect.set_options(timeout=LIMIT_MS)


@contextlib.contextmanager
def browser():
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "there is no chromium: scripts/setup test installs it"
    with playwright.sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield chromium
        finally:
            chromium.close()


@contextlib.contextmanager
def page_of(chromium, url, width=1280, height=900, theme="light", **more):
    """A page on a context of its own; its errors are the test's."""
    complaints = []
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme, base_url=url, **more)
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.complaints = complaints
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((url, "data:", "blob:")) else complaints.append(asked.url))
    try:
        yield page
        assert not complaints, complaints
    finally:
        context.close()


def refused(page, status=422):
    """The browser complains of each answer like that; this one was meant."""
    assert len(page.complaints) == 1 and str(status) in page.complaints.pop()


def log_in(page, path="/", password="password"):
    page.goto(path)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.locator("#main").wait_for()


def served(firth, *args):
    """A daemon whose pages are asked for under the name localhost, as people do."""
    daemon = serve(firth, *args)
    daemon.url = daemon.api.url.replace("127.0.0.1", "localhost")
    return daemon


# A browser and a daemon for all tests of a file: both cost more than most tests do.

@pytest.fixture(scope="module")
def chromium():
    with browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """Its `firth` is the program, with its data directory; `folder` is for what tests write."""
    folder = tmp_path_factory.mktemp("ui")
    firth = Firth(binary("FIRTH_BIN", "build/firth"), folder / "data", folder)
    daemon = served(firth, "--allow-commands")
    daemon.firth, daemon.folder = firth, folder
    yield daemon
    firth.stop_all()


@pytest.fixture
def page(chromium, daemon):
    with page_of(chromium, daemon.url) as page:
        page.daemon = daemon
        yield page
