"""Chromium on the web UI of a daemon that runs. Whatever the browser complains of, and whatever it asks of others than the
daemon, fails the test that it happened in."""

import contextlib
import shutil

import playwright.sync_api

from api import serve

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
def page_of(chromium, url, width=1280, height=900, theme="light"):
    """A page on a context of its own; its errors are the test's."""
    complaints = []
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme, base_url=url)
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((url, "data:", "blob:")) else complaints.append(asked.url))
    try:
        yield page
        assert not complaints, complaints
    finally:
        context.close()


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
