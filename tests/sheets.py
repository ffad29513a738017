"""Google Sheets, as far as it is documented: a server of the test's own that keeps spreadsheets in memory.

    def test_x(sheets):
        config = sheets.config()                    # of the destination; sheets.source_config() of the source
        assert sheets.rows("users") == [["id", "name"], [1, "a"]]
        sheets.fault("lost", path="values:batchUpdate")    # the next such request has its effect, its answer is lost

It is strict: members that the API does not have, places outside a tab's grid, names that are taken are refused in
the API's words. A batchUpdate has its effect as a whole or not at all. Times and limits are the test's: `quota`."""

import base64
import collections
import copy
import functools
import http.server
import json
import pathlib
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

import pytest

CELLS_MAX, CELL_MAX, COLUMNS_MAX, TITLE_MAX = 10_000_000, 50_000, 18_278, 100
URL_MAX = 8_000  # as servers commonly have it; the API's is not documented
SPREADSHEET = "1hLd9Qqti3UyLXZB2aFfUWDT7BG-arw2xy4HR3D-dwUb"
ENDLESS = "0000000000endless-spreadsheet0000000000"
EMAIL = "loader@project.iam.gserviceaccount.com"


class Refused(Exception):
    def __init__(self, message, status=400):
        super().__init__(message)
        self.status = status


@functools.cache
def private_key():
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                          check=True, capture_output=True)
    return made.stdout.decode()


def verifies(token):
    """Is the RS256 signature right? Its claims."""
    head, claims, signature = token.split(".")

    def decode(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert json.loads(decode(head))["alg"] == "RS256"
    with tempfile.TemporaryDirectory() as folder:
        files = {name: pathlib.Path(folder, name) for name in ("key", "text", "signature")}
        public = subprocess.run(["openssl", "pkey", "-pubout"], input=private_key().encode(), check=True,
                                capture_output=True).stdout
        files["key"].write_bytes(public)
        files["text"].write_bytes(f"{head}.{claims}".encode())
        files["signature"].write_bytes(decode(signature))
        subprocess.run(["openssl", "dgst", "-sha256", "-verify", files["key"], "-signature", files["signature"],
                        files["text"]], check=True, capture_output=True)
    return json.loads(decode(claims))


def cell_of(text):
    """What destination-google-sheets writes of a text."""
    mark = "…[TRUNCATED]"
    return text if len(text) <= CELL_MAX else text[:CELL_MAX - len(mark)] + mark


def number_of(letters):
    value = 0
    for letter in letters:
        value = value * 26 + ord(letter) - 64
    return value - 1


def letters_of(number):
    text, number = "", number + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def only(value, *names):
    """Refuse members that the API does not have."""
    for name in value:
        if name not in names:
            raise Refused(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
    return value


class Tab:
    def __init__(self, number, title, rows=1000, columns=26, hidden=False, kind="GRID"):
        self.id, self.title, self.rows, self.columns, self.hidden, self.kind = number, title, rows, columns, hidden, kind
        self.cells = {}  # row -> {column: what was entered: str, int, float, bool}
        self.bold = set()  # cells with a format of the user's

    def properties(self):
        grid = {"gridProperties": {"rowCount": self.rows, "columnCount": self.columns}} if self.kind == "GRID" else {}
        return {"sheetId": self.id, "title": self.title, "sheetType": self.kind, **grid, **({"hidden": True} if self.hidden else {})}

    def end(self):
        return max((row for row, cells in self.cells.items() if cells), default=-1) + 1

    def at(self, row, column):
        return self.cells.get(row, {}).get(column, "")

    def put(self, row, column, value):
        if isinstance(value, (dict, list)):
            raise Refused("Invalid values: struct_value")
        if isinstance(value, str) and len(value) > CELL_MAX // 2 and len(value.encode("utf-16-le")) // 2 > CELL_MAX:
            raise Refused("Your input contains more than the maximum of 50000 characters in a single cell.")
        if value == "":
            self.cells.get(row, {}).pop(column, None)
        else:
            self.cells.setdefault(row, {})[column] = value

    def row(self, row):
        return [self.at(row, column) for column in range(max(self.cells.get(row, {}), default=-1) + 1)]


class Endless(Tab):
    """As many rows as a spreadsheet can have, of one column."""

    def __init__(self, number, title):
        super().__init__(number, title, 4_000_000, 1)

    def end(self):
        return self.rows

    def at(self, row, column):
        return f"row {row}" if row else "text"


def typed(value):
    """What USER_ENTERED makes of a text, roughly: numbers, booleans, an apostrophe's text."""
    if not isinstance(value, str):
        return value
    if value.startswith("'"):
        return value[1:]
    if value.upper() in ("TRUE", "FALSE"):
        return value.upper() == "TRUE"
    if value.startswith("="):
        return Formula(value)
    try:
        return int(value) if re.fullmatch(r"-?\d+", value) else float(value)
    except ValueError:
        return value


class Formula(str):
    pass


class Spreadsheet:
    def __init__(self, title="Test"):
        self.title = title
        self.tabs = [Tab(0, "Sheet1")]

    # --- places ---------------------------------------------------------------------------------------------

    def tab(self, title):
        for tab in self.tabs:
            if tab.title.lower() == title.lower():
                return tab
        raise Refused(f"Unable to parse range: {title}")

    def by_id(self, number):
        for tab in self.tabs:
            if tab.id == number:
                return tab
        raise Refused(f"Invalid requests[0]: No grid with id: {number}")

    def range(self, text):
        """(tab, first row, first column, last row, last column), ends included and inside the grid."""
        found = re.fullmatch(r"(?:'((?:[^']|'')*)'|([^'!]+))(?:!([A-Z]*)(\d*)(?::([A-Z]*)(\d*))?)?", text)
        if not found:
            raise Refused(f"Unable to parse range: {text}")
        quoted, plain, column, row, to_column, to_row = found.groups()
        tab = self.tab(quoted.replace("''", "'") if quoted is not None else plain)
        if tab.kind != "GRID":
            raise Refused(f"Unable to parse range: {text}")
        single = to_column is None and to_row is None and column
        first_row = int(row) - 1 if row else 0
        first_column = number_of(column) if column else 0
        last_row = int(to_row) - 1 if to_row else first_row if single and row else tab.rows - 1
        last_column = number_of(to_column) if to_column else first_column if single else tab.columns - 1
        if first_row >= tab.rows or first_column >= tab.columns or last_row >= tab.rows and to_row and False:
            raise Refused(f"Range ({text}) exceeds grid limits. Max rows: {tab.rows}, max columns: {tab.columns}")
        return tab, first_row, first_column, last_row, last_column

    def check_cells(self):
        total = sum(tab.rows * tab.columns for tab in self.tabs)
        if total > CELLS_MAX:
            raise Refused(f"This action would increase the number of cells in the workbook above the limit of {CELLS_MAX} cells.")

    # --- values ---------------------------------------------------------------------------------------------

    def get(self, text, dimension="ROWS", render="FORMATTED_VALUE"):
        tab, top, left, bottom, right = self.range(text)
        bottom, right = min(bottom, tab.rows - 1), min(right, tab.columns - 1)

        def shown(value):
            if render == "UNFORMATTED_VALUE" or isinstance(value, str):
                return value
            return str(value).upper() if isinstance(value, bool) else str(value)
        if dimension == "ROWS":
            lines = [[shown(tab.at(row, column)) for column in range(left, right + 1)]
                     for row in range(top, min(bottom, tab.end()) + 1)]
        else:
            lines = [[shown(tab.at(row, column)) for row in range(top, min(bottom, tab.end()) + 1)]
                     for column in range(left, right + 1)]
        for line in lines:
            while line and line[-1] == "":
                line.pop()
        while lines and not lines[-1]:
            lines.pop()
        title = tab.title.replace("'", "''")
        answer = {"range": f"'{title}'!{letters_of(left)}{top + 1}:{letters_of(right)}{bottom + 1}",
                  "majorDimension": dimension}
        return {**answer, "values": lines} if lines else answer

    def update(self, option, data):
        only(data, "range", "majorDimension", "values")
        tab, top, left, bottom, right = self.range(data["range"])
        if data.get("majorDimension", "ROWS") != "ROWS" or option not in ("RAW", "USER_ENTERED"):
            raise Refused("Invalid value")
        for row, line in enumerate(data["values"], top):
            if row > bottom:
                raise Refused(f"Requested writing within range [{data['range']}], but tried writing to row [{row + 1}]")
            for column, value in enumerate(line, left):
                if column > right:
                    raise Refused(f"Requested writing within range [{data['range']}], but tried writing to column [{letters_of(column)}]")
                if row >= tab.rows or column >= tab.columns:
                    raise Refused(f"Range ({data['range']}) exceeds grid limits. Max rows: {tab.rows}, max columns: {tab.columns}")
                if value is not None:
                    tab.put(row, column, typed(value) if option == "USER_ENTERED" else value)

    # --- structure ------------------------------------------------------------------------------------------

    def add_sheet(self, request):
        given = only(only(request, "properties")["properties"], "sheetId", "title", "index", "hidden", "gridProperties", "tabColor")
        grid = only(given.get("gridProperties", {}), "rowCount", "columnCount", "frozenRowCount", "frozenColumnCount")
        title, number = given["title"], given.get("sheetId", max(tab.id for tab in self.tabs) + 1)
        if not 0 < len(title) <= TITLE_MAX:
            raise Refused("Invalid requests[0].addSheet: the sheet name must be between 1 and 100 characters")
        if any(tab.id == number for tab in self.tabs):
            raise Refused(f"Invalid requests[0].addSheet: A sheet with ID {number} already exists.")
        if any(tab.title.lower() == title.lower() for tab in self.tabs):
            raise Refused(f'Invalid requests[0].addSheet: A sheet with the name "{title}" already exists. Please enter another name.')
        if grid.get("frozenRowCount", 0) >= grid.get("rowCount", 1000):
            raise Refused("You can't freeze all visible rows on the sheet.")
        tab = Tab(number, title, grid.get("rowCount", 1000), grid.get("columnCount", 26), given.get("hidden", False))
        if tab.columns > COLUMNS_MAX:
            raise Refused("Invalid requests[0].addSheet: too many columns")
        self.tabs.append(tab)
        return {"properties": tab.properties()}

    def delete_sheet(self, request):
        tab = self.by_id(only(request, "sheetId")["sheetId"])
        if not [other for other in self.tabs if other is not tab and not other.hidden]:
            raise Refused("Invalid requests[0].deleteSheet: You can't remove all the visible sheets in a document.")
        self.tabs.remove(tab)

    def append_dimension(self, request):
        tab = self.by_id(only(request, "sheetId", "dimension", "length")["sheetId"])
        if request["dimension"] == "ROWS":
            tab.rows += request["length"]
        else:
            tab.columns += request["length"]
            if tab.columns > COLUMNS_MAX:
                raise Refused("Invalid requests[0].appendDimension: too many columns")

    def update_properties(self, request):
        only(request, "properties", "fields")
        tab = self.by_id(request["properties"]["sheetId"])
        for field in request["fields"].split(","):
            if field == "title":
                title = request["properties"]["title"]
                if any(other is not tab and other.title.lower() == title.lower() for other in self.tabs):
                    raise Refused(f'A sheet with the name "{title}" already exists. Please enter another name.')
                tab.title = title
            elif field == "hidden":
                tab.hidden = request["properties"].get("hidden", False)
            else:
                raise Refused(f"Invalid field mask: {field}")

    def grid(self, given):
        only(given, "sheetId", "startRowIndex", "endRowIndex", "startColumnIndex", "endColumnIndex")
        tab = self.by_id(given["sheetId"])
        rows = given.get("startRowIndex", 0), given.get("endRowIndex", tab.rows)
        columns = given.get("startColumnIndex", 0), given.get("endColumnIndex", tab.columns)
        if rows[1] > tab.rows or columns[1] > tab.columns:
            raise Refused("GridRange is outside of the grid")
        return tab, range(*rows), range(*columns)

    def update_cells(self, request):
        only(request, "range", "fields")  # that is: cleared
        if request["fields"] != "userEnteredValue":
            raise Refused("Invalid field mask")
        tab, rows, columns = self.grid(request["range"])
        for row, cells in tab.cells.items():
            if row in rows:
                tab.cells[row] = {column: value for column, value in cells.items() if column not in columns}

    def copy_paste(self, request):
        only(request, "source", "destination", "pasteType", "pasteOrientation")
        tab, rows, columns = self.grid(request["source"])
        to, to_rows, to_columns = self.grid(request["destination"])
        if request["pasteType"] not in ("PASTE_NORMAL", "PASTE_FORMULA") or len(rows) != len(to_rows) or len(columns) != len(to_columns):
            raise Refused("Invalid copyPaste")
        for row, cells in tab.cells.items():
            for column, value in cells.items():
                if row in rows and column in columns:
                    to.put(row - rows.start + to_rows.start, column - columns.start + to_columns.start, value)
        if request["pasteType"] == "PASTE_NORMAL":
            to.bold -= {(row, column) for row, column in to.bold if row in to_rows and column in to_columns}

    def batch_update(self, body):
        """All or nothing."""
        only(body, "requests", "includeSpreadsheetInResponse")
        if not body["requests"]:
            raise Refused("Must specify at least one request.")
        kinds = {"addSheet": self.add_sheet, "deleteSheet": self.delete_sheet, "appendDimension": self.append_dimension,
                 "updateSheetProperties": self.update_properties, "updateCells": self.update_cells,
                 "copyPaste": self.copy_paste}
        before, replies = copy.deepcopy(self.tabs), []
        try:
            for request in body["requests"]:
                (kind, given), = request.items()
                reply = kinds[kind](given) if kind in kinds else only(request)
                replies.append({kind: reply} if reply else {})
                self.check_cells()
        except Exception:
            self.tabs = before
            raise
        return {"replies": replies}


Request = collections.namedtuple("Request", "method path query body")


class Sheets:
    def __init__(self, certificate=None):
        """`certificate`: a file with the key, too: it speaks TLS."""
        self.lock = threading.RLock()
        self.spreadsheets = {SPREADSHEET: Spreadsheet(), ENDLESS: Spreadsheet()}
        self.spreadsheets[ENDLESS].tabs += [Endless(1, "products"), Endless(2, "notes")]
        self.requests, self.tokens, self.faults = [], 0, []
        self.refresh_tokens = {"refresh": ("client", "secret")}
        self.valid_tokens, self.lifetime = set(), 3600
        self.read_only = False
        self.quotas = {}  # "reads" or "writes" -> [how many a window, seconds, Retry-After or None]
        self.used = collections.defaultdict(list)
        self.before = None  # called with each Request, before it has its effect
        handler = type("Handler", (Handler,), {"sheets": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *args: None  # clients that are killed, or do not trust it
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.base = f"https://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    # --- for tests --------------------------------------------------------------------------------------------

    def config(self, **more):
        return {"spreadsheet_id": SPREADSHEET, "api_base": self.base,
                "credentials": {"auth_type": "oauth2.0", "client_id": "client", "client_secret": "secret",
                                "refresh_token": "refresh"}, **more}

    def source_config(self, **more):
        config = self.config(**more)
        if config["credentials"]["auth_type"] == "oauth2.0":
            config["credentials"] = {**config["credentials"], "auth_type": "Client"}
        return config

    def account(self):
        return json.dumps({"type": "service_account", "client_email": EMAIL, "private_key": private_key(),
                           "private_key_id": "k1", "token_uri": "https://oauth2.googleapis.com/token"})

    @property
    def book(self):
        return self.spreadsheets[SPREADSHEET]

    def titles(self):
        with self.lock:
            return [tab.title for tab in self.book.tabs if not tab.hidden]

    def rows(self, title):
        """What is in a tab, its header first; None: there is none."""
        with self.lock:
            for tab in self.book.tabs:
                if tab.title == title:
                    return [tab.row(row) for row in range(tab.end())]
        return None

    def records(self, title):
        header, *rows = self.rows(title) or [[]]
        return [dict(zip(header, row + [""] * (len(header) - len(row)))) for row in rows if row]

    def put(self, title, lines, **more):
        """A tab with these rows, as a person would have made it."""
        with self.lock:
            tab = next((tab for tab in self.book.tabs if tab.title == title), None)
            if not tab:
                tab = Tab(max(tab.id for tab in self.book.tabs) + 1, title, **more)
                self.book.tabs.append(tab)
            for row, line in enumerate(lines):
                for column, value in enumerate(line):
                    tab.put(row, column, value)
            return tab

    def fault(self, kind, path="", method=None, times=1, after=0):
        """What befalls the requests whose path has `path` in it: a status ("503"), "lost" (it has its effect, the
        connection ends without an answer), "broken" (not even an effect), "cut" (half of the answer)."""
        self.faults.append({"kind": kind, "path": path, "method": method, "times": times, "after": after})

    def asked(self, path, method=None):
        return [request for request in self.requests if path in request.path and (not method or request.method == method)]

    # --- requests -----------------------------------------------------------------------------------------------

    def take_fault(self, method, path):
        for fault in self.faults:
            if fault["path"] in path and fault["method"] in (None, method) and fault["times"]:
                if fault["after"]:
                    fault["after"] -= 1
                    return None
                fault["times"] -= 1
                return fault["kind"]
        return None

    def spend(self, method, path):
        kind = "reads" if method == "GET" or path.endswith("ByDataFilter") else "writes"
        if kind not in self.quotas:
            return None
        limit, window, retry_after = self.quotas[kind]
        now = time.monotonic()
        self.used[kind] = [at for at in self.used[kind] if at > now - window]
        if len(self.used[kind]) >= limit:
            return {"Retry-After": str(retry_after)} if retry_after is not None else {}
        self.used[kind].append(now)
        return None

    def token(self, form):
        grant = form.get("grant_type")
        if grant == "refresh_token":
            if self.refresh_tokens.get(form.get("refresh_token")) != (form.get("client_id"), form.get("client_secret")):
                return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        elif grant == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            claims = verifies(form["assertion"])
            assert claims["aud"] == "https://oauth2.googleapis.com/token" and 0 < claims["exp"] - claims["iat"] <= 3600
            if claims["iss"] != EMAIL or not claims["scope"].startswith("https://www.googleapis.com/auth/spreadsheets"):
                return 400, {"error": "invalid_grant", "error_description": "Invalid grant: account not found"}
        else:
            return 400, {"error": "unsupported_grant_type"}
        self.tokens += 1
        token = f"token-{self.tokens}"
        self.valid_tokens.add(token)
        return 200, {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"}

    def answer(self, method, path, query, body):
        found = re.fullmatch(r"/v4/spreadsheets/([^/:]+)(.*)", path)
        if not found:
            raise Refused("Not Found", 404)
        name, rest = found.groups()
        book = self.spreadsheets.get(name)
        if not book:
            raise Refused("Requested entity was not found.", 404)
        if method == "POST" and self.read_only and not rest.endswith("ByDataFilter"):
            raise Refused("The caller does not have permission", 403)
        if method == "GET" and rest == "":
            return {"spreadsheetId": name, "properties": {"title": book.title},
                    "sheets": [{"properties": tab.properties()} for tab in book.tabs]}
        if method == "GET" and rest == "/values:batchGet":
            ranges = query["ranges"]
            return {"spreadsheetId": name, "valueRanges": [
                book.get(each, query.get("majorDimension", ["ROWS"])[0],
                         query.get("valueRenderOption", ["FORMATTED_VALUE"])[0]) for each in ranges]}
        if method == "GET" and rest.startswith("/values/"):
            return book.get(urllib.parse.unquote(rest[len("/values/"):]), query.get("majorDimension", ["ROWS"])[0],
                            query.get("valueRenderOption", ["FORMATTED_VALUE"])[0])
        if method == "POST" and rest == "/values:batchGetByDataFilter":
            only(body, "dataFilters", "majorDimension", "valueRenderOption")
            return {"spreadsheetId": name, "valueRanges": [
                {"valueRange": book.get(each["a1Range"], "ROWS", body.get("valueRenderOption", "FORMATTED_VALUE")),
                 "dataFilters": [each]} for each in body["dataFilters"]]}
        if method == "POST" and rest == "/values:batchUpdate":
            only(body, "valueInputOption", "includeValuesInResponse", "data")
            before = copy.deepcopy(book.tabs)
            try:
                for each in body["data"]:
                    book.update(body["valueInputOption"], each)
            except Exception:
                book.tabs = before
                raise
            return {"spreadsheetId": name, "totalUpdatedRows": sum(len(each["values"]) for each in body["data"])}
        if method == "POST" and rest == ":batchUpdate":
            return {"spreadsheetId": name, **book.batch_update(body)}
        raise Refused("Not Found", 404)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer is one packet

    def log_message(self, *args):
        pass

    def reply(self, status, value, headers=None, cut=False):
        body = json.dumps(value).encode()
        self.send_response(status)  # kept until the body goes, too
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if cut else body)
        if cut:
            self.hang_up()

    def refuse(self, status, message, headers=None):
        names = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
                 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}
        self.reply(status, {"error": {"code": status, "message": message, "status": names.get(status, "UNKNOWN")}}, headers)

    def hang_up(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def handle_one(self, method):
        sheets = self.sheets
        parsed = urllib.parse.urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(size)
        if parsed.path == "/contents":  # for tests in other processes
            return self.reply(200, {title: sheets.records(title) for title in sheets.titles()})
        if parsed.path == "/token":
            with sheets.lock:
                status, value = sheets.token(dict(urllib.parse.parse_qsl(raw.decode())))
            return self.reply(status, value)
        query = urllib.parse.parse_qs(parsed.query)
        request = Request(method, parsed.path, query, json.loads(raw) if raw else None)
        if sheets.before:
            sheets.before(request)
        with sheets.lock:
            sheets.requests.append(request)
            fault = sheets.take_fault(method, parsed.path)
            if (self.headers.get("Authorization") or "").removeprefix("Bearer ") not in sheets.valid_tokens:
                return self.refuse(401, "Request had invalid authentication credentials.")
            over = sheets.spend(method, parsed.path)
            if over is not None:
                return self.refuse(429, "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per user'", over)
            if fault == "broken":
                return self.hang_up()
            if len(self.path) > URL_MAX:
                return self.refuse(414, "The requested URL is too large to process.")
            if fault and fault.isdigit():
                return self.refuse(int(fault), "The service is currently unavailable.")
            try:
                value = sheets.answer(method, parsed.path, query, request.body)
            except Refused as refused:
                return self.refuse(refused.status, str(refused))
            if fault == "lost":
                return self.hang_up()
        self.reply(200, value, cut=fault == "cut")

    def do_GET(self):
        self.handle_one("GET")

    def do_POST(self):
        self.handle_one("POST")


@pytest.fixture
def sheets():
    server = Sheets()
    yield server
    server.close()


@pytest.fixture(scope="session")
def filled_sheets():
    """One for all tests that only read: two tabs of 25 rows each."""
    server = Sheets()
    server.put("products", [["id", "name", "price"], *[[n, f"gr\u00fcn \"{n}\"\n", n / 2] for n in range(25)]], rows=26)
    server.put("notes", [["text"], *[[f"note {n}"] for n in range(25)]], rows=26)
    yield server
    server.close()
