"""The web UI: captures, their collections and documents."""

from playwright.sync_api import expect

from conftest import until
from ui import chromium, daemon, log_in, page  # noqa: F401 (fixtures)

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
# Answers discover with its two streams, read with 120 documents; one amount is more than a double holds.
SOURCE = r"""
case "$1" in
spec) echo '{"type":"SPEC","spec":{"connectionSpecification":{"type":"object"}}}' ;;
check) echo '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}' ;;
discover) echo '{"type":"CATALOG","catalog":{"streams":[{"name":"orders","json_schema":{"type":"object"},"supported_sync_modes":["full_refresh"]},{"name":"returns","json_schema":{"type":"object"},"supported_sync_modes":["full_refresh"]}]}}' ;;
read)
    n=0
    while [ $n -lt 120 ]; do
        echo '{"type":"RECORD","record":{"stream":"orders","emitted_at":1,"data":{"id":'$n',"amount":12345678901234567890.10}}}'
        n=$((n + 1))
    done ;;
esac
"""


def deploy(daemon):
    (daemon.folder / "flow.yaml").write_text(CATALOG)
    (daemon.folder / "source.sh").write_text(SOURCE)
    daemon.firth("deploy", "--yes", daemon.folder / "flow.yaml", cwd=daemon.folder, expect=0)
    until(lambda: sum(part["documents"] or 0 for task in daemon.firth("status", "-o", "json", expect=0).json()["tasks"]
                      for part in task["collections"]) == 120, "what is captured")


def test_a_capture_and_its_documents(page):
    log_in(page, "/captures")
    expect(page.get_by_text("No capture is deployed")).to_be_visible()
    # What is deployed while the page is open is told.
    deploy(page.daemon)
    row = page.get_by_role("row", name="acmeCo/shop")
    expect(row).to_contain_text("Waiting")
    page.reload()
    expect(row.get_by_role("cell").nth(2)).to_have_text("120")
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", name="acmeCo/shop")).to_be_visible()
    # Between its sessions nothing is claimed of its rate.
    expect(page.get_by_text("it does not run just now")).to_be_visible()
    throughput = page.get_by_role("figure").filter(has_text="Throughput")
    throughput.get_by_text("Throughput as a table").click()
    expect(throughput.get_by_role("row").first).to_contain_text("0/s")
    bindings = page.get_by_role("row", name="orders acmeCo/orders")
    expect(bindings.get_by_role("cell").nth(2)).to_have_text("120")
    # What is not the same has not the same name.
    assert page.locator("th").all_inner_texts() == ["What is captured", "Into", "Documents", "Captured", "Invalid", "Collection", "Documents",
                                                                  "On disk", "Last commit"]
    page.get_by_role("button", name="Ask the connector").click()
    found = page.get_by_role("table", name="What the source has")
    expect(found.get_by_role("row", name="orders")).to_contain_text("Captured")
    expect(found.get_by_role("row", name="returns")).to_contain_text("Not captured")
    expect(page.get_by_text("2 in all; 1 not captured")).to_be_visible()
    bindings.get_by_role("link", name="acmeCo/orders").click()
    expect(page.get_by_text("120 documents")).to_be_visible()
    for chart in ("Throughput", "Lag"):
        expect(page.get_by_role("figure").filter(has_text=chart)).to_be_visible()
    documents = page.get_by_role("list", name="Documents").get_by_role("listitem")
    expect(documents).to_have_count(50)
    expect(documents.last).to_contain_text('"id":119,"amount":12345678901234567890.10')
    declared = page.get_by_role("table", name="Declared fields")
    expect(declared.get_by_role("row", name="id key")).to_contain_text("always")
    page.get_by_text("The schema", exact=True).click()
    expect(page.get_by_text('"required": [')).to_be_visible()
    page.get_by_text("What these 50 documents look like").click()
    amount = page.get_by_role("table", name="Shape").get_by_role("row", name="amount")
    expect(amount.get_by_role("cell").nth(1)).to_have_text("number")
    expect(amount.get_by_role("cell").nth(2)).to_have_text("all")
    page.get_by_label("Search these documents").fill('"id":119,')
    expect(documents).to_have_count(1)
    page.get_by_label("Search these documents").fill("")
    page.get_by_role("button", name="Earlier").click()
    expect(documents.first).to_contain_text('"id":20')
    page.get_by_label("From document number").fill("118")
    page.get_by_role("button", name="Show").click()
    expect(documents).to_have_count(2)
    page.get_by_role("button", name="Latest").click()
    expect(documents).to_have_count(50)
    key = page.get_by_label("Key /id")
    key.fill(" 7 ")
    key.press("Enter")
    expect(page.get_by_text("Every version of /id=7 from document 0 on")).to_be_visible()
    expect(documents).to_have_count(1)
    expect(documents.first).to_contain_text('"id":7,')
    key.fill("120")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("There is no such document from there on.")).to_be_visible()
    page.get_by_role("button", name="All keys").click()
    expect(documents).to_have_count(50)
    expect(documents.last).to_contain_text('"id":119,')


def test_a_connection_of_a_catalog_and_its_log(page, root):
    catalog = (root / "examples" / "faker-local-json" / "flow.yaml").read_text()
    (page.daemon.folder / "connection.yaml").write_text(catalog)
    page.daemon.firth("deploy", "--yes", page.daemon.folder / "connection.yaml", cwd=page.daemon.folder, expect=0)
    log_in(page, "/connections")
    page.get_by_role("link", name="connections of catalogs").click()
    page.get_by_role("link", name="demo/faker-to-local-json").click()
    # Under the address of another kind it is found all the same, as what it is.
    page.goto("/captures/demo/faker-to-local-json")
    expect(page.get_by_role("link", name="Connections of catalogs")).to_be_visible()
    users = page.get_by_role("table", name="Bindings").get_by_role("row", name="users")
    expect(users.get_by_role("cell").nth(2)).to_have_text("1,000")
    page.get_by_role("button", name="Show the log").click()
    log = page.get_by_role("log", name="Log of demo/faker-to-local-json")
    expect(log).to_contain_text("session 1 completed")
    page.get_by_label("Search the log").fill("session 1 began")
    expect(page.get_by_text("1 line", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the log").click()
    assert download.value.suggested_filename == "demo-faker-to-local-json.log"


# Goes on and on, a document now and then.
ENDLESS = r"""
case "$1" in
spec) echo '{"type":"SPEC","spec":{"connectionSpecification":{"type":"object"}}}' ;;
check) echo '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}' ;;
discover) echo '{"type":"CATALOG","catalog":{"streams":[{"name":"orders","json_schema":{"type":"object"},"supported_sync_modes":["incremental"],"source_defined_cursor":true}]}}' ;;
read)
    n=1000
    while sleep 0.1; do
        echo '{"type":"RECORD","record":{"stream":"orders","emitted_at":1,"data":{"id":'$n'}}}'
        echo '{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"orders"},"stream_state":{"n":'$n'}}}}'
        n=$((n + 1))
    done ;;
esac
"""


def test_what_moves_is_seen_to_move(page):
    """Events come more often than is asked how much there is; that is asked all the same. Of a collection with a dot in its name."""
    catalog = CATALOG.replace("acmeCo/shop", "acmeCo/endless").replace("acmeCo/orders", "acmeCo/moving.v1").replace("source.sh", "endless.sh").replace("full_refresh", "incremental")
    (page.daemon.folder / "endless.sh").write_text(ENDLESS)
    (page.daemon.folder / "endless.yaml").write_text(catalog)
    page.daemon.firth("deploy", "--yes", page.daemon.folder / "endless.yaml", cwd=page.daemon.folder, expect=0)
    until(lambda: sum(part["documents"] or 0 for task in page.daemon.firth("status", "acmeCo/endless", "-o", "json", expect=0).json()["tasks"]
                      for part in task["collections"]), "the first documents")
    log_in(page, "/collections/acmeCo/moving.v1")
    throughput = page.get_by_role("figure").filter(has_text="Throughput")
    expect(throughput).not_to_contain_text(" 0 documents a second")
    throughput.get_by_text("Throughput as a table").click()
    expect(throughput.get_by_role("row").first).to_contain_text("/s")
