"""Webflow's API, as far as it is documented: a server of the test's own that speaks v2 and the old API, each for tokens of its own.

    def test_x(webflow):
        webflow.collection("Blog Posts", [("name", "PlainText"), ("views", "Number")], [{"name": "a", "views": 1}])
        config = webflow.config()"""

import re

import pytest

from rest_api import Refused, RestApi

TOKEN, OLD_TOKEN, SITE = "v2-token-8a1f", "old-token-77c0", "5f2c9d0a"


class Webflow(RestApi):
    def __init__(self):
        super().__init__()
        self.collections = {}  # id: {"name", "fields": [(slug, type)], "items": [{slug: value}]}
        self.tokens, self.old_tokens = {TOKEN}, {OLD_TOKEN}

    def collection(self, name, fields, items):
        with self.lock:
            key = f"col{len(self.collections) + 1}"
            self.collections[key] = {"name": name, "fields": fields, "items": list(items)}
            return self.collections[key]

    def config(self, **more):
        return {"site_id": SITE, "api_key": TOKEN, "api_base": self.base, **more}

    def authorize(self, request):
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in (self.tokens if request.path.startswith("/v2/") else self.old_tokens):
            raise Refused(401, "Request not authorized")
        if not request.path.startswith("/v2/") and request.headers.get("accept-version") != "1.0.0":
            raise Refused(400, "UnsupportedVersion")

    def limit_headers(self, left):
        return {"X-RateLimit-Limit": str(self.limit[0]), "X-RateLimit-Remaining": str(left),
                **({} if left else {"Retry-After": str(self.limit[1])})}

    def refusal(self, status, message):
        return {"code": {401: "not_authorized", 404: "resource_not_found", 429: "too_many_requests"}.get(status, "error"),
                "message": message, "externalReference": None, "details": []}

    def endless(self, request, base):
        if not request.path.endswith("/items"):
            return self.answer(request, base)
        at = int(request.query.get("offset", "0"))
        return {"items": [{"id": f"x{at + n}", "fieldData": {"name": "some words"}} for n in range(100)],
                "pagination": {"limit": 100, "offset": at, "total": 10 ** 9}}

    def answer(self, request, base):
        found = re.fullmatch(r"(/v2)?/sites/(\w+)/collections", request.path)
        if found:
            if found[2] != SITE:
                raise Refused(404, "Requested resource not found: The site cannot be found")
            if found[1]:
                return {"collections": [{"id": key, "displayName": each["name"], "slug": key} for key, each in self.collections.items()]}
            return [{"_id": key, "name": each["name"], "slug": key} for key, each in self.collections.items()]
        found = re.fullmatch(r"(/v2)?/collections/(\w+)(/items)?", request.path)
        if not found or found[2] not in self.collections:
            raise Refused(404, "Requested resource not found")
        collection = self.collections[found[2]]
        if not found[3]:
            return {"id" if found[1] else "_id": found[2], "displayName" if found[1] else "name": collection["name"], "fields": [
                {"id": slug, "slug": slug, "type": kind, "displayName": slug} for slug, kind in collection["fields"]]}
        limit, at = int(request.query.get("limit", "100")), int(request.query.get("offset", "0"))
        if not 1 <= limit <= 100 or set(request.query) - {"limit", "offset"}:
            raise Refused(400, f"Bad query {request.query}")
        items, total = collection["items"][at:at + limit], len(collection["items"])
        if found[1]:
            return {"items": [self.item(found[2], at + n, each) for n, each in enumerate(items)],
                    "pagination": {"limit": limit, "offset": at, "total": total}}
        return {"items": [{"_id": f"{found[2]}-{at + n}", "_cid": found[2], "_archived": False, **each} for n, each in enumerate(items)],
                "count": len(items), "limit": limit, "offset": at, "total": total}

    @staticmethod
    def item(key, n, fields):
        return {"id": f"{key}-{n}", "cmsLocaleId": None, "lastPublished": None, "lastUpdated": "2024-11-15T10:00:00.000Z",
                "createdOn": "2024-11-15T10:00:00.000Z", "isArchived": False, "isDraft": False, "fieldData": fields}


def fill(running):
    running.collection("Blog Posts", [("name", "PlainText"), ("views", "Number"), ("author", "Reference"), ("at", "DateTime"),
                                      ("odd-one", "NewKind"), ("shown", "Switch"), ("pictures", "MultiImage")],
                       ({"name": f"Beitr\u00e4ge {n}", "views": n, "odd-one": {"a": 1}, "shown": True} for n in range(230)))
    running.collection("Authors", [("name", "PlainText")], ({"name": f"a{n}"} for n in range(3)))
    running.collection("Nothing", [("name", "PlainText")], [])


@pytest.fixture
def webflow():
    running = Webflow()
    yield running
    running.close()


@pytest.fixture(scope="session")
def filled_webflow():
    running = Webflow()
    fill(running)
    running.collections["col3"]["items"] = [{"name": "one"}]  # the suite wants records of each stream
    running.collection("More", [("name", "PlainText")], [{"name": "two"}, {"name": "three"}])
    yield running
    running.close()
