"""SQL for a test's own PostgreSQL, through libpq: psql, which is started anew for each question, costs more than most answers.

Statement by statement, each in its own transaction if no other is open, as psql takes them; not its \\commands."""

import ctypes
import re
import select

TUPLES, FATAL = 2, 7
CONNECTED = 0
FIELDS, ROWS = "\x1f", "\x1e"  # between them
PIECE = re.compile(r"""(?P<no_end>(?<!\w)[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
                     | (?P<dollar>\$(?:[A-Za-z_]\w*)?\$).*?(?P=dollar) | --[^\n]* | /\*.*?\*/)
                     | (?P<bracket>[()]) | (?P<end>;)""", re.DOTALL | re.VERBOSE)


def load():
    library = ctypes.CDLL("libpq.so.5")
    for name, result, *arguments in [
            ("PQconnectdbParams", ctypes.c_void_p, ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_char_p), ctypes.c_int),
            ("PQsetNoticeReceiver", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
            ("PQstatus", ctypes.c_int, ctypes.c_void_p), ("PQerrorMessage", ctypes.c_char_p, ctypes.c_void_p),
            ("PQfinish", None, ctypes.c_void_p), ("PQsendQuery", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p),
            ("PQisBusy", ctypes.c_int, ctypes.c_void_p), ("PQconsumeInput", ctypes.c_int, ctypes.c_void_p),
            ("PQsocket", ctypes.c_int, ctypes.c_void_p), ("PQgetResult", ctypes.c_void_p, ctypes.c_void_p),
            ("PQresultStatus", ctypes.c_int, ctypes.c_void_p), ("PQresultErrorMessage", ctypes.c_char_p, ctypes.c_void_p),
            ("PQntuples", ctypes.c_int, ctypes.c_void_p), ("PQnfields", ctypes.c_int, ctypes.c_void_p),
            ("PQgetvalue", ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int), ("PQclear", None, ctypes.c_void_p)]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


pq = load()
silent = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(lambda _context, _notice: None)


def statements(sql):
    """The statements of a script."""
    begin, depth = 0, 0
    for piece in PIECE.finditer(sql):
        if piece["bracket"]:
            depth += 1 if piece["bracket"] == "(" else -1
        elif piece["end"] and depth <= 0:
            yield sql[begin:piece.start()]
            begin = piece.end()
    yield sql[begin:]


def rows_of(result):
    return ROWS.join(FIELDS.join(pq.PQgetvalue(result, row, field).decode() for field in range(pq.PQnfields(result)))
                     for row in range(pq.PQntuples(result)))


def next_result(connection):
    """Waits in Python, which a test's deadline can end."""
    while pq.PQisBusy(connection):
        select.select([pq.PQsocket(connection)], [], [])
        if not pq.PQconsumeInput(connection):
            break
    return pq.PQgetResult(connection)


def one(connection, statement):
    """A statement's rows, as text; the error is an AssertionError."""
    told, error = "", None
    if not pq.PQsendQuery(connection, statement.encode()):
        error = pq.PQerrorMessage(connection).decode()
    while result := next_result(connection):
        if pq.PQresultStatus(result) == TUPLES:
            told += rows_of(result) + "\n" if pq.PQntuples(result) else ""
        elif pq.PQresultStatus(result) == FATAL:
            error = pq.PQresultErrorMessage(result).decode()
        pq.PQclear(result)
    assert error is None, f"{statement[:2000]}\n{error}"
    return told


def execute(sql, **parameters):
    """In a session of its own: the rows of all statements."""
    names = (ctypes.c_char_p * (len(parameters) + 1))(*(name.encode() for name in parameters), None)
    values = (ctypes.c_char_p * (len(parameters) + 1))(*(str(value).encode() for value in parameters.values()), None)
    connection = pq.PQconnectdbParams(names, values, 0)
    try:
        assert pq.PQstatus(connection) == CONNECTED, f"{sql[:2000]}\n{pq.PQerrorMessage(connection).decode()}"
        pq.PQsetNoticeReceiver(connection, silent, None)
        return "".join(one(connection, statement) for statement in statements(sql) if statement.strip())
    finally:
        pq.PQfinish(connection)
