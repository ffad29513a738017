"""What destination-files and destination-s3 have written, as other programs read it."""

import re

import duckdb

import sql_endpoints


def csv_rows(text):
    """Rows of {column: text}. None: nothing between the commas, which Python's csv does not tell from an empty text in quotes."""
    rows, row = [], []
    for cell in re.finditer(r'(?:"((?:[^"]|"")*)"|([^,\r\n"]*))(,|\r\n)', text):
        quoted, plain, end = cell.groups()
        row.append(plain or None if quoted is None else quoted.replace('""', '"'))
        if end != ",":
            rows.append(row)
            row = []
    return [dict(zip(rows[0], each, strict=True)) for each in rows[1:]]


def parquet_rows(path):
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        types = {name: kind for name, kind, *_ in db.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()}
        texts = [f"hex({name})" if kind == "BLOB" else f"{name}::VARCHAR"
                 for name, kind in ((sql_endpoints.quoted(name), kind) for name, kind in types.items())]
        rows = db.execute(f"SELECT {', '.join(texts)} FROM read_parquet(?)", [str(path)]).fetchall()
    return [{name: None if value is None else sql_endpoints.DuckDB.values.get(kind, str)(value)
             for (name, kind), value in zip(types.items(), row)} for row in rows]
