"""The web UI: captures, their collections and documents."""

import pytest
from playwright.sync_api import expect

from ui import browser, log_in, page_of, served

CATALOG = """
collections:
  acmeCo/orders:
    schema: {type: object, required: [id], properties: {id: {type: integer}, amount: {type: number}}}
    key: [/id]
captures:
  acmeCo/shop:
    endpoint:
      local:
        command: [/bin/sh, source.sh]
        protocol: airbyte
        config: {}
    bindings:
      - resource: {stream: orders, syncMode: full_refresh}
        target: acmeCo/orders
"""
# Answers discover with its one stream, read with 120 documents; one amount is more than a double holds.
SOURCE = r"""
case "$1" in
spec) echo '{"type":"SPEC","spec":{"connectionSpecification":{"type":"object"}}}' ;;
check) echo '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}' ;;
discover) echo '{"type":"CATALOG","catalog":{"streams":[{"name":"orders","json_schema":{"type":"object"},"supported_sync_modes":["full_refresh"]}]}}' ;;
read)
    n=0
    while [ $n -lt 120 ]; do
        echo '{"type":"RECORD","record":{"stream":"orders","emitted_at":1,"data":{"id":'$n',"amount":12345678901234567890.10}}}'
        n=$((n + 1))
    done ;;
esac
"""


@pytest.fixture(scope="module")
def chromium():
    with browser() as chromium:
        yield chromium


@pytest.fixture
def daemon(firth, tmp_path):
    (tmp_path / "flow.yaml").write_text(CATALOG)
    (tmp_path / "source.sh").write_text(SOURCE)
    firth("deploy", "--yes", tmp_path / "flow.yaml", cwd=tmp_path, expect=0)
    return served(firth)


def test_a_capture_and_its_documents(chromium, daemon):
    with page_of(chromium, daemon.url) as page:
        log_in(page, "/captures")
        row = page.get_by_role("row", name="acmeCo/shop")
        expect(row.get_by_role("cell").nth(2)).to_have_text("120")
        row.get_by_role("link").click()
        expect(page.get_by_role("heading", name="acmeCo/shop")).to_be_visible()
        expect(page.get_by_text("documents a second just now")).to_be_visible()
        page.get_by_role("link", name="acmeCo/orders").click()
        expect(page.get_by_text("120 documents")).to_be_visible()
        documents = page.get_by_role("list", name="Documents").get_by_role("listitem")
        expect(documents).to_have_count(50)
        expect(documents.last).to_contain_text('"id":119,"amount":12345678901234567890.10')
        page.get_by_role("button", name="Earlier").click()
        expect(documents.first).to_contain_text('"id":20')
        page.get_by_label("From document number").fill("118")
        page.get_by_role("button", name="Show").click()
        expect(documents).to_have_count(2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wider_than_a_telephone(chromium, daemon, theme):
    with page_of(chromium, daemon.url, width=360, theme=theme) as page:
        log_in(page)
        for path in ("/captures", "/captures/acmeCo/shop", "/collections", "/collections/acmeCo/orders", "/materializations"):
            page.goto(path)
            page.get_by_role("heading", level=1).wait_for()
            assert page.evaluate("() => document.documentElement.scrollWidth") <= 360, path
