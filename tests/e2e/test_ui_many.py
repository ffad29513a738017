"""The web UI with a thousand connections and ten thousand jobs: how soon something is seen, and how soon it answers.

A machine that does other things besides makes everything slow now and then, and nothing fast: of several tries the best one
counts."""

import sqlite3
import time

import pytest
from playwright.sync_api import expect

from ui import chromium, daemon, log_in, page  # noqa: F401 (fixtures)

CONNECTIONS, JOBS, OF_ONE = 1000, 10_000, 1000
PAINT_MS, ANSWER_MS = 1000, 100
TRIES = 12
SUCCEEDED, FAILED = 4, 3
MINUTE_MS = 60_000

# Collects how long interactions take, from the input to the next paint.
OBSERVE = """() => {
    window.slowest = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.slowest = Math.max(window.slowest, entry.duration);
    }).observe({ type: "event", durationThreshold: 16 });
}"""
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))))"


def copies(db, table, change):
    """Rows like the first of the table, each with what `change` says of it."""
    cursor = db.execute(f"SELECT * FROM {table} LIMIT 1")
    names, row = [each[0] for each in cursor.description], cursor.fetchone()
    template = dict(zip(names, row, strict=True))
    rows = ([{**template, **each}[name] for name in names] for each in change)
    db.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", rows)


def fill(daemon):
    """The first connection has a thousand jobs, the others share the rest."""
    first = daemon.api.connection(name="Connection 0")
    ids = [first] + [f"00000000-0000-4000-8000-{i:012x}" for i in range(1, CONNECTIONS)]
    now = int(time.time() * 1000)
    with sqlite3.connect(daemon.firth.data_dir / "control.db", timeout=60) as db:
        copies(db, "connections", ({"id": id, "name": f"Connection {i}", "schedule": i % 2, "every": 24, "unit": 1, "created_ms": now - i}
                                   for i, id in enumerate(ids) if i))
        db.execute("INSERT INTO jobs (connection, workspace, type, status, scheduled, merge, streams, created_ms, updated_ms, attempts)"
                   " SELECT id, workspace, 0, 4, 0, 0, '[{\"name\":\"users\"}]', ?, ?, 1 FROM connections WHERE id = ?", (now, now, first))
        owners = [first] * (OF_ONE - 1) + [ids[1 + i % (CONNECTIONS - 1)] for i in range(JOBS - OF_ONE)]
        begun = [now - (len(owners) - i) * MINUTE_MS for i in range(len(owners))]
        copies(db, "jobs", ({"id": i + 2, "connection": owner, "status": FAILED if i % 7 == 0 else SUCCEEDED, "created_ms": begun[i],
                             "updated_ms": begun[i], "started_ms": begun[i], "ended_ms": begun[i] + i % 50_000, "records_committed": i}
                            for i, owner in enumerate(owners)))
        db.execute("INSERT INTO attempts (job, number, status, created_ms, updated_ms, ended_ms)"
                   " SELECT id, 0, 2, created_ms, updated_ms, ended_ms FROM jobs")
        assert db.execute("SELECT (SELECT count(*) FROM connections), (SELECT count(*) FROM jobs)").fetchone() == (CONNECTIONS, JOBS)
    return first


@pytest.fixture(scope="module")
def first(daemon):
    return fill(daemon)


def best(measure, limit):
    """The least of what it gives, as soon as that is within the limit."""
    least = measure()
    for _ in range(TRIES):
        if least < limit:
            break
        least = min(least, measure())
    return least


def answer_ms(page, act):
    page.evaluate("() => void (window.slowest = 0)")
    act()
    page.evaluate(PAINTED)
    return page.evaluate("() => window.slowest")


def first_paint_ms(page, path, wanted):
    page.goto(path)
    expect(wanted).to_be_visible()
    return page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")


def test_a_thousand_connections(page, first):
    log_in(page)
    rows = page.get_by_role("row")
    figures = {"first paint of the list": best(lambda: first_paint_ms(page, "/connections", page.get_by_role("link", name="Connection 0", exact=True)), PAINT_MS),
               "first paint of a connection": best(lambda: first_paint_ms(page, f"/connections/{first}", page.get_by_role("figure").first), PAINT_MS)}
    page.goto("/connections")
    expect(page.get_by_text(f"{CONNECTIONS:,} in all")).to_be_visible()
    assert rows.count() < 60, "only those that are seen are drawn"
    page.evaluate(OBSERVE)
    search = page.get_by_label("Search connections")

    def type_one():
        search.fill("")
        search.press("9")

    figures["typing"] = best(lambda: answer_ms(page, type_one), ANSWER_MS)
    expect(page.get_by_text(f"271 of {CONNECTIONS:,}")).to_be_visible()
    search.fill("")
    figures["sorting"] = best(lambda: answer_ms(page, lambda: page.get_by_role("button", name="Last run").click()), ANSWER_MS)
    page.get_by_role("button", name="Connection", exact=False).first.click()
    page.mouse.wheel(0, 1_000_000)
    expect(page.get_by_role("link", name="Connection 999", exact=True)).to_be_visible()
    expect(page.get_by_role("row").last).to_have_attribute("aria-rowindex", str(CONNECTIONS + 1))
    page.mouse.wheel(0, -1_000_000)

    def open_one():
        page.get_by_role("link", name="Connection 0", exact=True).click()
        expect(page.get_by_role("list", name="Sync history").get_by_role("listitem")).to_have_count(25)
        slowest = page.evaluate("() => window.slowest")
        page.go_back()
        expect(page.get_by_text(f"{CONNECTIONS:,} in all")).to_be_visible()
        page.evaluate("() => void (window.slowest = 0)")
        return slowest

    figures["opening a connection"] = best(open_one, ANSWER_MS)
    page.goto(f"/connections/{first}")
    expect(page.get_by_text("in the last 100 syncs")).to_be_visible()
    page.evaluate(OBSERVE)
    jobs = page.get_by_role("list", name="Sync history").get_by_role("listitem")
    figures["opening a job"] = best(lambda: answer_ms(page, lambda: jobs.first.get_by_role("button").first.click()), ANSWER_MS)
    page.get_by_role("button", name="Show more").click()
    expect(jobs).to_have_count(75)
    expect(page.get_by_text(f"The newest 75 of {OF_ONE:,}.")).to_be_visible()
    print({name: round(figure) for name, figure in figures.items()})
    for name, figure in figures.items():
        assert figure < (PAINT_MS if "paint" in name else ANSWER_MS), (name, figures)
