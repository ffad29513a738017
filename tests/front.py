"""Front's API, as far as it is documented: a server of the test's own.

    def test_x(front):
        front.put("contacts", {"id": "crd_1", "updated_at": 1731700000.123})
        config = front.config()                # as Airbyte spells it; front.flow_config() as Estuary does
        front.fault(429, path="/events", headers={"Retry-After": "1"})

Pages have a whole URL for the next one; `q` selects; the search wants times in seconds and includes both; wrong parameters are
refused, as the API does it. `includes`: whether q[after] and its like include that very time, which is nowhere said."""

import re
import time

import pytest

from rest_api import Refused, RestApi

TOKEN = "front-token-5f2c9d"
RESOURCES = ("channels", "contacts", "conversations", "events", "inboxes", "tags", "teammates", "teams")
UNPAGED = ("channels", "inboxes", "teammates", "teams")
SELECTED = {"contacts": "updated_at", "events": "emitted_at"}  # by q, and in this order
SELECTORS = {"contacts": {"q[updated_after]"}, "events": {"q[after]", "q[before]"}}
SORTS = {"contacts": {"created_at", "updated_at"}, "events": {"created_at"}}
PAGE_MAX = 100


class Front(RestApi):
    def __init__(self):
        super().__init__()
        self.data = {name: {} for name in RESOURCES}
        self.active = {}  # conversation: when it had its last message
        self.includes = True
        self.token = TOKEN
        self.forbidden = set()

    def put(self, resource, *records):
        with self.lock:
            for record in records:
                self.data[resource][record["id"]] = record

    def talk(self, at, **conversation):
        """A conversation with its last message `at`."""
        with self.lock:
            self.put("conversations", conversation)
            self.active[conversation["id"]] = at

    def delete(self, resource, record_id):
        with self.lock:
            del self.data[resource][record_id]

    def config(self, **more):
        return {"api_key": TOKEN, "start_date": "2024-11-15T00:00:00Z", "api_base": self.base, **more}

    def flow_config(self, **more):
        return {"credentials": {"access_token": TOKEN}, "start_date": "2024-11-15T00:00:00Z", "api_base": self.base, **more}

    # --- answers --------------------------------------------------------------------------------------------------

    def authorize(self, request):
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise Refused(401, "JSON web token is invalid")

    def limit_headers(self, left):
        return {"X-RateLimit-Limit": str(self.limit[0]), "X-RateLimit-Remaining": str(left),
                "X-RateLimit-Reset": str(int(self.window)), "Retry-After": str(max(1, int(self.window - time.time()) + 1))}

    def refusal(self, status, message):
        return {"_error": {"status": status, "title": "Refused", "message": message}}

    def endless(self, request, base):
        at = int(request.query.get("page_token", "0"))
        records = [{"id": f"x{at + n}", "emitted_at": 1731700000 + at, "updated_at": 1731700000 + at} for n in range(PAGE_MAX)]
        return {"_pagination": {"next": f"{base}{request.path}?page_token={at + PAGE_MAX}"}, "_results": records}

    def answer(self, request, base):
        found = re.fullmatch(r"/(\w+)(?:/search/(.*))?", request.path)
        if not found or found[1] not in RESOURCES or (found[2] is not None) != (found[1] == "conversations"):
            raise Refused(404, f"No such resource: {request.path}")
        resource = found[1]
        if resource in self.forbidden:
            raise Refused(403, "Missing scope")
        known = {"limit", "page_token"} - ({"limit", "page_token"} if resource in UNPAGED else set())
        if resource in SELECTORS:
            known |= {"sort_by", "sort_order"} | SELECTORS[resource]
        wrong = set(request.query) - known
        if wrong:
            raise Refused(400, f"Unknown parameters {sorted(wrong)}")
        records = self.search(found[2]) if found[2] is not None else self.select(resource, request.query)
        size = len(records) + 1 if resource in UNPAGED else int(request.query.get("limit", "50"))
        if not 1 <= size <= PAGE_MAX and resource not in UNPAGED:
            raise Refused(400, f"limit must be between 1 and {PAGE_MAX}")
        # The token is the last record's, so that what changes between two pages moves nothing else.
        token = request.query.get("page_token")
        ids = [record["id"] for record in records]
        at = ids.index(token) + 1 if token in ids else 0
        page = records[at:at + size]
        following = None
        if at + size < len(records):
            kept = {**request.query, "page_token": page[-1]["id"]}
            following = f"{base}{self.quoted(request.path)}?" + "&".join(
                f"{self.quoted(name)}={self.quoted(value)}" for name, value in kept.items())
        return {"_pagination": {"next": following}, "_links": {"self": base + request.path}, "_results": page}

    @staticmethod
    def quoted(text):
        return re.sub(r"[^\w/.\-]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)

    def select(self, resource, query):
        records = list(self.data[resource].values())
        field = SELECTED.get(resource)
        if not field:
            return records
        if query.get("sort_by", "created_at") not in SORTS[resource]:
            raise Refused(400, f"{resource} cannot be sorted so")
        for name, sign in (("q[after]", 1), ("q[updated_after]", 1), ("q[before]", -1)):
            if name not in query:
                continue
            if not re.fullmatch(r"\d+(\.\d{1,3})?", query[name]):
                raise Refused(400, f"{name} must be seconds with at most 3 decimals, not {query[name]}")
            bound = float(query[name])
            records = [each for each in records if each.get(field) is None or (each[field] - bound) * sign > 0
                       or (self.includes and each[field] == bound)]
        return sorted(records, key=lambda each: each.get(field) or 0, reverse=query.get("sort_order", "desc") == "desc")

    def search(self, text):
        found = re.fullmatch(r"after:(\d+) before:(\d+)", text)
        if not found:
            raise Refused(400, f"Invalid search: {text}")
        after, before = int(found[1]), int(found[2])
        return [each for each in self.data["conversations"].values() if after <= int(self.active[each["id"]]) <= before]


@pytest.fixture
def front():
    running = Front()
    yield running
    running.close()


def fill(running):
    """Some of each; more than a page of contacts and events."""
    day = 86400
    start = 1731628800  # 2024-11-15
    for name in ("channels", "inboxes", "teammates", "teams"):
        running.put(name, *({"id": f"{name[:3]}_{n}", "_links": {"self": f"{running.base}/{name}/{n}"}} for n in range(1, 8)))
    running.put("tags", *({"id": f"tag_{n}", "name": f"Tag {n}", "created_at": start + n, "updated_at": start + n * day}
                          for n in range(25)))
    running.put("contacts", *({"id": f"crd_{n}", "name": f"gr\u00fcn {n}", "updated_at": start + n * 3600 + 0.125} for n in range(230)))
    running.put("events", *({"id": f"evt_{n}", "type": "comment", "emitted_at": start + n * 3600 + 0.123} for n in range(230)))
    for n in range(40):
        running.talk(start + n * day, id=f"cnv_{n}", subject=f"Subject {n}", status="archived", created_at=start - n * day)


@pytest.fixture(scope="session")
def filled_front():
    running = Front()
    fill(running)
    yield running
    running.close()
