"""orders.py URL FILE FOLDER: dlt's fastest way from PostgreSQL to a table of DuckDB; what it keeps goes to FOLDER."""

import sys

import dlt
from dlt.sources.sql_database import sql_table

url, path, folder = sys.argv[1:]
table = sql_table(credentials=url.replace("postgresql:", "postgresql+psycopg2:"), table="orders", schema="public", backend="connectorx", reflection_level="minimal",
                  backend_kwargs={"conn": url, "return_type": "arrow"})
pipeline = dlt.pipeline("orders", destination=dlt.destinations.duckdb(path), dataset_name="public", pipelines_dir=folder)
pipeline.run(table, write_disposition="replace").raise_on_failed_jobs()
