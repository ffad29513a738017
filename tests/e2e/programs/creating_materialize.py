"""A materialization connector that keeps its tables as a file of names, and does as those in front of databases do: `apply` makes the
tables one after the other, and `validate` refuses a binding that is new to it and whose table exists.

Config: scripted_materialize.py's; `tables`, the file; `refuse`: a table that `apply` fails at; `stop_at`: a file, with which `apply` makes its
tables and then does not answer: it says so there, and waits to be ended.
"""

import lean_json as json
import os
import _signal as signal  # without the enumerations
import sys

from scripted_materialize import Connector as Scripted


def fail(text):
    print(text, file=sys.stderr, flush=True)
    os._exit(1)


class Connector(Scripted):
    def tables(self):
        return json.load(open(self.config["tables"])) if os.path.exists(self.config["tables"]) else {}

    def make(self, table, made):
        tables = {**self.tables(), table: made}
        with open(self.config["tables"], "w") as file:
            json.dump(tables, file)

    def usual(self, verb, body):
        before = body.get("lastMaterialization", {})
        last = {tuple(b["resourcePath"]): b for b in before.get("inactiveBindings", []) + before.get("bindings", [])}
        if verb == "validate":
            for binding in body["bindings"]:
                table = binding["resourceConfig"]["table"]
                before = last.get((table,))
                if before is None and table in self.tables():
                    fail(f'validating binding: table [{table}] already exists for new binding "{binding["collection"]["name"]}"')
                if before and before.get("backfill", 0) > binding.get("backfill", 0):
                    fail(f"backfill count of {table} is less than the one that was applied")
        if verb == "apply":
            for binding in body["materialization"]["bindings"]:
                (table,) = binding["resourcePath"]
                before = last.get((table,))
                if table == self.config.get("refuse"):
                    fail(f"cannot create table {table}")
                if table not in self.tables() or (before or {}).get("backfill", 0) != binding.get("backfill", 0):
                    self.make(table, self.tables().get(table, 0) + 1)
            if "stop_at" in self.config:
                with open(self.config["stop_at"], "w") as file:
                    file.write("made")
                signal.pause()
        return super().usual(verb, body)


if __name__ == "__main__":
    Connector().main()
