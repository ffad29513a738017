"""An API to read from: what it has depends on the path alone, and every request is kept."""

import gzip
import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

ITEMS = [{"id": n, "name": f"item {n}", "price": n * 1.5, "kind": "ab"[n % 2], "nested": {"Deep Name": n}} for n in range(1, 8)]
EVENTS = [{"id": n, "at": f"2024-01-{1 + n * 2:02d}T{n:02d}:00:00Z", "group": n % 3} for n in range(10)]
TIMES = [{"id": 1, "at": "2024-02-03T20:00:00-0500"}, {"id": 2, "at": "2024-02-03T23:00:00+0200"}, {"id": 3, "at": "2024-02-03T22:00:00-0500"},
         {"id": 4, "at": "2024-02-04T02:00:00+0000"}, {"id": 5, "at": "2024-01-30"}]
PARENTS = [{"id": n, "at": f"2024-02-{n:02d}T00:00:00Z"} for n in range(1, 4)]


class Answer(Exception):
    def __init__(self, status, body, **headers):
        self.status, self.body, self.headers = status, body, headers


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        with self.server.lock:
            seen = sum(1 for request in self.server.requests if request["path"] == parts.path)
            self.server.requests.append({
                "method": self.command, "path": parts.path, "query": sorted(parse_qsl(parts.query, keep_blank_values=True)),
                "body": body, "headers": {name.lower(): value for name, value in self.headers.items()
                                          if name.lower() in ("authorization", "content-type", "accept") or name.lower().startswith("x-")}})
        try:
            route = parts.path.strip("/").split("/")
            reply = getattr(self, "get_" + route[0])(route[1:], query, body, seen)
            status, headers = 200, {}
        except Answer as special:
            status, reply, headers = special.status, special.body, special.headers
        except AttributeError:
            status, reply, headers = 404, {"error": "no such thing"}, {}
        text = reply if isinstance(reply, bytes) else reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        for name, value in {"Content_Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *words):
        pass

    def url(self, rest):
        return f"http://127.0.0.1:{self.server.server_port}/{rest}"

    def get_pages(self, route, query, body, seen):
        size, page = int(query.get("size", 3)), int(query.get("page", 0))
        return {"data": ITEMS[page * size:(page + 1) * size]}

    def get_offset(self, route, query, body, seen):
        start, size = int(query.get("offset", 0)), int(query.get("limit", 3))
        return {"data": {"items": ITEMS[start:start + size]}}

    def get_next(self, route, query, body, seen):
        start = int(query.get("after", 0))
        more = {"next": self.url(f"next?after={start + 3}&filter=a%20b")} if start + 3 < len(ITEMS) else {}
        return {"data": ITEMS[start:start + 3], "links": more}

    def get_token(self, route, query, body, seen):
        start = int((query.get("cursor") or "c0")[1:])
        return {"data": ITEMS[start:start + 2], "cursor": f"c{start + 2}" if start + 2 < len(ITEMS) else None}

    def get_link(self, route, query, body, seen):
        start = int(query.get("from", 0))
        if start + 4 < len(ITEMS):
            raise Answer(200, ITEMS[start:start + 4], Link=f'<{self.url(f"link?from={start + 4}")}>; rel="next"')
        return ITEMS[start:start + 4]

    def get_events(self, route, query, body, seen):
        low, high = query.get("from", ""), query.get("to", "9")
        if self.server.hold and self.server.hold(query):
            self.server.go_on.wait(60)
        return [e for e in EVENTS if low <= e["at"] <= high and str(e["group"]) == query.get("group", str(e["group"]))]

    def get_times(self, route, query, body, seen):
        """Of TIMES those that are named, whenever it is asked for."""
        return {"data": [item for item in TIMES if str(item["id"]) in route[0].split(",")]}

    def get_parents(self, route, query, body, seen):
        if not route:
            return {"data": [p for p in PARENTS if p["at"] >= query.get("since", "")]}
        number = int(route[0])
        if len(route) == 2:
            return {"data": [{"id": number * 10 + n, "of": number, "at": f"2024-03-{number + n:02d}T00:00:00Z"} for n in range(3)]}
        return {"data": [{"leaf": int(route[2]) * 10 + n} for n in range(2)]}

    def get_flaky(self, route, query, body, seen):
        if seen == 0:
            raise Answer(int(route[0]), {"error": "not now"}, Retry_After="1")
        return {"data": ITEMS[:2]}

    def get_status(self, route, query, body, seen):
        raise Answer(int(route[0]), {"error": {"message": "this is why", "code": 17}})

    def get_broken(self, route, query, body, seen):
        """broken/False/NAME gives two pages; broken/True/NAME the first, and a window of time (NAME ends with its day) not even that."""
        page = int(query.get("page", 0))
        if route[0] == "True" and (page > 0 or "-2024" in route[1]):
            raise Answer(403, {"error": {"message": "not this one"}})
        return {"data": EVENTS[page * 2:page * 2 + 2] if page < 2 else []}

    def get_filter(self, route, query, body, seen):
        return {"data": [i for i in ITEMS if i["kind"] == query.get("kind")]}

    def get_search(self, route, query, body, seen):
        asked = json.loads(body) if body.startswith("{") else dict(parse_qsl(body))
        start = int(asked.get("start", 0))
        return {"data": ITEMS[start:start + 3]}

    def get_slow(self, route, query, body, seen):
        self.server.go_on.wait(60)
        return {"data": []}

    def get_computing(self, route, query, body, seen):
        return {"data": [{"id": n} for n in range(1000)]}

    def get_data(self, route, query, body, seen):
        """data/NAME: two items a page, to whoever comes; what NAME is says how."""
        name, token, page = route[0], self.headers.get("Authorization", ""), int(query.get("page", 0))
        if (name == "ends" and token != "Bearer ends-2") or name in ("never", "key_ends") and seen < 9:
            raise Answer(401, {"error": "another token"})
        if name == "limited" and token == "token one" and page:
            raise Answer(429, {"error": "too many"}, X_Reset="4070908800")
        data = {"data": ITEMS[page * 2:page * 2 + 2]}
        if name == "rotating" and page == 1:
            raise Answer(200, data, X_Left="0")
        return data

    def get_lists(self, route, query, body, seen):
        """Records with lists in them, beside other things."""
        return {"data": [
            {"id": 1, "name": "one", "in": {"list": [{"id": 11, "of": {"x": 1}}, {"id": 12, "name": "own"}, "bare"], "more": True, "total_count": 9}, "parts": [{"of": [{"a": 1}], "b": 1}, {"of": [2]}]},
            {"id": 2, "in": {"list": [], "more": False}, "parts": [{"of": {"a": 1}}, {"c": 3}]},
            {"id": 3, "in": None, "parts": []}]}

    def get_whole(self, route, query, body, seen):
        """The first list of get_lists, page by page; whole/none has none, whole/endless goes on."""
        start, size = int(query.get("offset", 0)), int(query["limit"])
        if route[0] == "endless":
            return {"data": [{"id": start + n, "text": "x" * (1 << 20)} for n in range(size)]}
        found = [{**item, "parts": [{"n": item["id"]}, "bare"]} for item in ITEMS[:5]] if route[0] == "all" else []
        return {"data": found[start:start + size]}

    NEARLY = {
        "half": '{"data": [{"id": 2, "name": "\\ud83d \\ud83d\\ude00"}]}', "nan": '{"data": [{"id": 2, "x": NaN, "y": [Infinity, -Infinity]}]}',
        "mark": '\ufeff{"data": [{"id": 2}]}', "html": "<html>Back soon</html>", "cut": '{"data": [{"id": 2}', "blank": " \n", "ignored": "<html>none</html>",
        "refused": "<html>Back soon</html>"}

    def get_nearly(self, route, query, body, seen):
        """nearly/NAME: three pages of a record each, the second of which is hardly JSON; lines/NAME: the same as lines."""
        page = int(query.get("page", 0))
        return self.NEARLY[route[0]] if page == 1 else {"data": [{"id": page + 1}] if page < 3 else []}

    MARKED_UP = {
        "entity": b'<!DOCTYPE r [<!ENTITY co "ACME">]><r><i n="&co;"><id>2</id></i></r>', "bytes": b"<r><i><id>2</id><t>\xffx</t></i></r>",
        "names": b"<r><i><id>2</id><" + b"n" * 2000 + b"/></i></r>", "charset": b"<r><i><id>2</id><t>\xe9</t></i></r>", "empty": b"", "ignored": b"none",
        "cut": b"<r><i><id>2</id></i>\n<i><id>3</", "html": b"<html><body>Back soon<br></body></html>", "bare": b"<r><i><id>2</id><t>a & b</t></i></r>",
        "tail": b"<r><i><id>2</id></i></r>x", "deep": b"<r><i><id>2</id>" + b"<d>" * 300 + b"</d>" * 300 + b"</i></r>",
        "bomb": b'<!DOCTYPE r [<!ENTITY a "' + b"x" * 65536 + b'"><!ENTITY b "' + b"&a;" * 65536 + b'">]><r>&b;</r>',
        "japanese": '<?xml version="1.0" encoding="Shift_JIS"?><r><i><id>2</id></i></r>'.encode("shift_jis")}

    def get_marked_up(self, route, query, body, seen):
        """marked_up/NAME: three pages of XML, the second of which is odd or broken."""
        page = int(query.get("page", 0))
        text = self.MARKED_UP[route[0]] if page == 1 else f"<r><i><id>{page + 1}</id></i></r>" if page < 3 else "<r/>"
        raise Answer(200, text, Content_Type="application/xml" + {"charset": "; charset=iso-8859-1", "japanese": ""}.get(route[0], "; charset=utf-8"))

    MEMBER, OTHER = (gzip.compress(f'{{"id": {n}}}\n'.encode()) for n in (1, 2))
    PACKED = {
        "two": MEMBER + OTHER, "padded": MEMBER + bytes(70000) + OTHER + bytes(3), "plain": MEMBER + b'{"id": 2}\n', "byte": MEMBER + OTHER[:1],
        "magic": MEMBER + b"\x1e" + OTHER[1:], "method": MEMBER + OTHER[:2] + b"\x07" + OTHER[3:], "cut": MEMBER + OTHER[:12],
        "checksum": OTHER + MEMBER[:-8] + b"none" + MEMBER[-4:]}

    def get_packed(self, route, query, body, seen):
        return self.PACKED[route[0]]

    def get_lines(self, route, query, body, seen):
        return '{"id": 1}\n\n' + {"half": '{"id": 2, "x": "\\ud83d"}', "nan": '{"id": 2, "x": NaN}', "cut": '{"id": 2'}[route[0]] + '\n{"id": 3}\n'

    def get_texts(self, route, query, body, seen):
        if route[0] == "lines":
            return "a\nb c\n"
        if route[0] == "items":
            return {"before": [1], "rows": [{"id": 1}, {"id": 2, "x": [None]}]}
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", "id;name\n1;gr\u00fcn\n2;-\n".encode("latin-1"))
            archive.writestr("b.csv", "id;name\n3;\n")
        return packed.getvalue()

    def get_echo(self, route, query, body, seen):
        return {"data": [{"id": seen, "body": body}] if seen < 9 and '"from": 1' not in body else []}

    def get_quota(self, route, query, body, seen):
        left = {"token one": 3, "token two": 9}[self.headers["Authorization"]]
        return {"search": {"remaining": 5.5, "reset": "2099-01-01T00:00:00Z", "limit": "30"}, "core": {"remaining": str(left), "reset": 4070908799}}

    def get_oauth(self, route, query, body, seen):
        if route[0] != "token":
            return self.token_for(route[0], seen)
        return {"access_token": f"token-{seen + 1}", "expires_in": 3600, "refresh_token": f"refresh-{seen + 1}"}

    def token_for(self, name, seen):
        made = {"access_token": f"{name}-{seen + 1}", "expires_in": "3600.5"}
        if name == "named":
            return {"pass": "p1", "lasts": 3600, "access_token": "not this one"}
        if name == "nested":
            return {"ok": None, "data": [{"x": 1}, {"access_token": "n1"}], "expires_in": None}
        if name == "dated":
            return {**made, "expires_in": "2099-01-01T00:00:00Z"}
        if name in ("refused", "told"):
            raise Answer(418 if name == "told" else 400, {"why": "gone", "error": "invalid_grant", "error_description": "old"})
        return made

    def get_fields(self, route, query, body, seen):
        return {"data": [{"api": "id", "kind": {"is": "INT"}}, {"api": "Name", "kind": {"is": "string"}}, {"api": "price", "kind": {"is": ["number", "string"]}},
                         {"api": "tags", "kind": {"is": "LIST"}}, {"api": "rows", "kind": {"is": "TABLE"}}, {"api": "secret", "kind": {"is": "string"}},
                         {"api": "day", "kind": {"is": ["DAY", "x"]}}, {"api": "seen", "kind": {"is": "timestamp_without_timezone"}},
                         {"api": "bare"}, {"api": "odd", "kind": {"is": "INT", "text": True}}]}

    def get_wide(self, route, query, body, seen):
        """Only what is asked for, page by page; of the last record there is no id."""
        asked = json.loads(body).get("names", []) if body else query.get("props", "").split(",")
        rows = [{name: {"of": f"r{n}", name: n} if name == "deep" else f"{name}{n}" for name in asked if name not in ("id", "x")}
                | ({"id": f"r{n}", "deep": {"part": {asked[-1]: n}}} if n < 5 else {}) for n in range(6)]
        start = int(query.get("start", 0))
        return {"data": rows[start:start + 4], "more": start + 4 < len(rows)}

    def get_names(self, route, query, body, seen):
        return {"data": [{"n": {"name": name}} for name in ("a", "bb", "ccc", "dddd", "secret")] + [{"n": {}}]}

    def get_jobs(self, route, query, body, seen):
        """make/NAME, status/NAME, targets/NAME, file/NAME/NUMBER, end/NAME; what NAME begins with says how it goes."""
        verb, name = route[0], route[1]
        if verb == "make":
            if name.startswith("refused") and seen == 0:
                raise Answer(405, {"error": "not yet"})
            raise Answer(201, {"id": name, "where": {"status": f"jobs/status/{name}"}}, X_Job=name)
        if verb == "status":
            if name.startswith("void"):
                return {"job": {"state": "nothing"}}
            bad = name.startswith("bad") or (name.startswith("twice") and seen < 2)
            state = "working" if seen == 0 else "broken" if bad else "late" if name.startswith("late") else "done"
            return {"job": {"state": state}, "files": [f"jobs/file/{name}/{n}" for n in (1, 2)] if state == "done" else [], "of": name}
        if verb == "targets":
            return {"urls": [{"at": self.url(f"jobs/file/{name}/{n}")} for n in (1, 2)]}
        if verb == "file":
            number = int(route[2])
            if name.startswith("table"):
                return 'id,"what, then",,id\r\n1,"a ""b""\nc",NA,4\r\n\r\n2,,x\r\n3,null,"",\r\n'
            if name.startswith("fields"):
                return {"fields": [{"of": "id"}, {"of": "name"}]}
            lines = [{"id": number * 10 + n, "at": f"2024-01-{number + 3 * n:02d}T00:00:00Z", "of": name} for n in range(3)]
            if name.startswith("packed"):
                return gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
            if name.startswith("json"):
                start = int(query.get("start", 0))
                return {"rows": lines[start:start + 2]}
            return "id,at,of\n" + "".join(f"{line['id']},{line['at']},{line['of']}\n" for line in lines)
        return {}

    def get_session(self, route, query, body, seen):
        """xml and json log in; valid takes the header X-Session: right."""
        if route[0] == "xml":
            return "<answer><session kind='new'><token>x-token</token></session></answer>"
        if route[0] == "valid" and self.headers.get("X-Session") != "right":
            raise Answer(401, {})
        return {"answer": {"tokens": ["j-token"]}, "made": 12345}

    def get_mixed(self, route, query, body, seen):
        """Page 0: a has empty ones too; page 1: a has nothing but empty ones; page 2: there is only c."""
        page = int(query.get("page", 0))
        return [{"a": [{"id": 1}, None, {}], "b": [{"id": 2}, {"id": 3}]}, {"a": [None, {}, {}], "b": [{"id": 4}]}, {"c": {"id": 5}}][page]

    def get_folders(self, route, query, body, seen):
        """Folders with the first page of what is in them."""
        def page(folder, start):
            items = [{"id": folder * 10 + n, "at": f"2024-01-{n + folder:02d}T00:00:00Z"} for n in range(5)]
            return {"list": items[start:start + 2], "more": start + 2 if start + 2 < len(items) else None}
        if not route:
            return {"data": [{"id": 1, "in": page(1, 0)}, {"id": 2}, {"id": None, "in": page(9, 0)}, {"id": 3, "in": {"list": [], "more": None}}]}
        return page(int(route[0]), int(query.get("after") or 0))

    def get_narrow(self, route, query, body, seen):
        """Windows of at most two days."""
        low, high = query["from"], query["to"]
        if int(high[8:10]) - int(low[8:10]) > 2:
            raise Answer(413, {"error": "too much"})
        return [e for e in EVENTS if low <= e["at"] <= high]

    def get_heavy(self, route, query, body, seen):
        """Pages of two at most."""
        start, size = int(query.get("offset", 0)), int(query["limit"])
        if size > 2:
            raise Answer(413, {"error": "too much"})
        return {"data": ITEMS[start:start + size]}

    def get_collections(self, route, query, body, seen):
        return {"data": [{"id": "c1", "slug": "cats", "path": "pages"}, {"id": "c2", "slug": "dogs", "path": "filter"}]}


class MockApi:
    def __init__(self, handler=Api):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.lock, self.server.requests = threading.Lock(), []
        self.server.go_on, self.server.hold = threading.Event(), None  # hold: is this query of /events to wait for go_on?
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def take(self):
        """The requests since the last time."""
        with self.server.lock:
            taken, self.server.requests = self.server.requests, []
        return taken

    def close(self):
        self.server.go_on.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
