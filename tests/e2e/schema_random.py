"""Random JSON Schemas of a draft, and documents that may or may not be valid by them. The same seed gives the same."""

import json
import random

DRAFTS = ("4", "6", "7", "2019-09", "2020-12")
URIS = {"4": "http://json-schema.org/draft-04/schema#", "6": "http://json-schema.org/draft-06/schema#",
        "7": "http://json-schema.org/draft-07/schema#", "2019-09": "https://json-schema.org/draft/2019-09/schema",
        "2020-12": "https://json-schema.org/draft/2020-12/schema"}
NAMES = ("a", "b", "c", "ab", "é", "")
STRINGS = ("", "a", "b", "ab", "abc", "é", "aé😀", "1", "12", "A-1", "a\nb", " ")
PATTERNS = ("^a", "b$", "^[a-c]*$", "\\d", "^\\w+$", "a|b", "^.$", "^.{2}$", "(a)(b)?", "^(?!a)", "[^a]", "é", "^$", "\\s",
            "^a{1,2}$", "(?=b)", "^\\S*$", "\\p{L}")
NUMBERS = (0, 1, -1, 2, 3, 4, 10, 0.5, 1.5, -2.5, 1.0, 0.25, 1e2, 2**53, 2**53 + 1, -2**63, 2**64 - 1, 1e300, 12.0)
BOUNDS = (0, 1, -1, 2, 3, 1.5, 0.5, 2**53, 10, -2.5)
MULTIPLES = (1, 2, 3, 0.5, 0.25, 1.5, 7)
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
LAST_DEF = 4


def value(r, depth=3):
    kind = r.random()
    if kind < 0.28:
        return r.choice(STRINGS)
    if kind < 0.5:
        return r.choice(NUMBERS)
    if kind < 0.6 or depth == 0:
        return r.choice((None, True, False))
    if kind < 0.78:
        items = [value(r, depth - 1) for _ in range(r.choice((0, 1, 1, 2, 2, 3, 4)))]
        return items + [r.choice(items)] if items and r.random() < 0.2 else items
    return {r.choice(NAMES): value(r, depth - 1) for _ in range(r.choice((0, 1, 1, 2, 2, 3, 4)))}


class Generator:
    """One schema of one draft."""

    def __init__(self, r, draft):
        self.r, self.draft = r, draft
        self.number = DRAFTS.index(draft)
        self.defs = "definitions" if self.number < 3 else "$defs"
        self.at_def = -1  # the definition at hand: it refers to later ones only, so that no reference is a loop
        self.descended = False  # inside of a member or an element, where "#" is no loop either

    def since(self, draft):
        return self.number >= DRAFTS.index(draft)

    def several(self, make, most=3):
        return [make() for _ in range(self.r.randint(1, most))]

    def within(self, depth):
        """A schema for a member or an element."""
        outer, self.descended = self.descended, True
        result = self.schema(depth)
        self.descended = outer
        return result

    def named(self, make, names=NAMES):
        return {self.r.choice(names): make() for _ in range(self.r.randint(1, 3))}

    def schema(self, depth):
        r = self.r
        if self.since("6") and r.random() < 0.06:
            return r.random() < 0.7
        result = {}
        for _ in range(r.choice((1, 1, 1, 2, 2, 3))):
            r.choice(self.MAKERS if depth > 0 else self.FLAT)(self, result, depth - 1)
        return result

    def make_type(self, out, _depth):
        out["type"] = self.r.choice(TYPES) if self.r.random() < 0.7 else self.r.sample(TYPES, self.r.randint(1, 3))

    def make_values(self, out, _depth):
        if self.since("6") and self.r.random() < 0.5:
            out["const"] = value(self.r, 2)
        else:
            values = []
            for item in self.several(lambda: value(self.r, 2), 4):
                if not any(same(item, other) for other in values):
                    values.append(item)
            out["enum"] = values

    def make_number(self, out, _depth):
        name = self.r.choice(("minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"))
        if name == "multipleOf":
            out[name] = self.r.choice(MULTIPLES)
        elif name.startswith("exclusive") and self.draft == "4":
            out[name] = self.r.random() < 0.7
            out["m" + name[len("exclusiveM"):]] = self.r.choice(BOUNDS)
        else:
            out[name] = self.r.choice(BOUNDS)

    def make_string(self, out, _depth):
        name = self.r.choice(("minLength", "maxLength", "pattern", "pattern"))
        out[name] = self.r.choice(PATTERNS) if name == "pattern" else self.r.randint(0, 3)

    def make_counts(self, out, _depth):
        out[self.r.choice(("minItems", "maxItems", "minProperties", "maxProperties"))] = self.r.randint(0, 3)

    def make_unique(self, out, _depth):
        out["uniqueItems"] = self.r.random() < 0.9

    def make_required(self, out, _depth):
        out["required"] = self.r.sample(NAMES, self.r.randint(1, 2))

    def make_items(self, out, depth):
        if self.r.random() < 0.5:
            out["items"] = self.within(depth)
            return
        listed = self.several(lambda: self.within(depth))
        if self.draft == "2020-12":
            out["prefixItems"] = listed
            if self.r.random() < 0.5:
                out["items"] = self.within(depth)
        else:
            out["items"] = listed
            if self.r.random() < 0.6:
                out["additionalItems"] = self.within(depth)

    def make_contains(self, out, depth):
        if not self.since("6"):
            return self.make_items(out, depth)
        out["contains"] = self.within(depth)
        if self.since("2019-09"):
            for name in ("minContains", "maxContains"):
                if self.r.random() < 0.4:
                    out[name] = self.r.randint(0, 3)

    def make_members(self, out, depth):
        r = self.r
        if r.random() < 0.8:
            out["properties"] = self.named(lambda: self.within(depth))
        if r.random() < 0.3:
            out["patternProperties"] = self.named(lambda: self.within(depth), PATTERNS)
        if r.random() < 0.4:
            out["additionalProperties"] = self.within(depth) if r.random() < 0.6 else False
        if self.since("6") and r.random() < 0.15:
            out["propertyNames"] = self.within(depth)

    def make_dependent(self, out, depth):
        if self.since("2019-09"):
            if self.r.random() < 0.5:
                out["dependentRequired"] = self.named(lambda: self.r.sample(NAMES, self.r.randint(1, 2)))
            else:
                out["dependentSchemas"] = self.named(lambda: self.schema(depth))
        else:
            out["dependencies"] = self.named(
                lambda: self.schema(depth) if self.r.random() < 0.5 else self.r.sample(NAMES, self.r.randint(1, 2)))

    def make_logic(self, out, depth):
        name = self.r.choice(("allOf", "anyOf", "anyOf", "oneOf", "not", "if"))
        if name == "not":
            out[name] = self.schema(depth)
        elif name != "if":
            out[name] = self.several(lambda: self.schema(depth))
        elif self.since("7"):
            for part in ("if", "then", "else"):
                if part == "if" or self.r.random() < 0.7:
                    out[part] = self.schema(depth)

    def make_unevaluated(self, out, depth):
        if not self.since("2019-09"):
            return self.make_members(out, depth)
        out[self.r.choice(("unevaluatedItems", "unevaluatedProperties", "unevaluatedProperties"))] = (
            self.within(depth) if self.r.random() < 0.4 else False)

    def make_reference(self, out, depth):
        later = [number for number in range(LAST_DEF + 1) if number > self.at_def]
        if self.descended and self.r.random() < 0.3:
            if self.draft == "2020-12" and self.r.random() < 0.5:
                out["$dynamicRef"] = "#node"
            elif self.draft == "2019-09" and self.r.random() < 0.5:
                out["$recursiveRef"] = "#"
            else:
                out["$ref"] = "http://example.com/root"
        elif later:
            number = self.r.choice(later)
            self.used.add(number)
            out["$ref"] = (f"http://example.com/d{number}" if number in self.embedded and self.r.random() < 0.7
                           else f"http://example.com/root#/{self.defs}/d{number}")
        else:
            self.make_type(out, depth)

    FLAT = (make_type, make_type, make_values, make_number, make_string, make_string, make_counts, make_unique,
            make_required)
    MAKERS = FLAT + (make_items, make_items, make_contains, make_members, make_members, make_members, make_dependent,
                     make_logic, make_logic, make_logic, make_unevaluated, make_reference, make_reference)

    def whole(self):
        r = self.r
        identifier = "id" if self.draft == "4" else "$id"
        self.used = set()
        self.embedded = {number for number in range(LAST_DEF + 1) if r.random() < 0.3}
        root = self.schema(3)
        while not isinstance(root, dict):
            root = self.schema(3)
        if "$ref" in root and self.number < 3:
            root = {"allOf": [root]}  # beside "$ref" nothing else counts, the definitions' names included
        definitions = {}
        for number in range(LAST_DEF + 1):
            if number not in self.used and r.random() < 0.9:
                continue
            self.at_def = number
            definition = self.schema(2)
            if number in self.embedded:
                if not isinstance(definition, dict) or ("$ref" in definition and self.number < 3):
                    definition = {"allOf": [definition]} if isinstance(definition, dict) else {}
                definition[identifier] = f"http://example.com/d{number}"
                self.mark_dynamic(definition)
            definitions[f"d{number}"] = definition
        if definitions:
            root[self.defs] = definitions
        root[identifier] = "http://example.com/root"
        root["$schema"] = URIS[self.draft]
        if self.draft == "2020-12":
            root["$dynamicAnchor"] = "node"
        elif self.draft == "2019-09" and r.random() < 0.7:
            root["$recursiveAnchor"] = True
        return root

    def mark_dynamic(self, definition):
        if self.r.random() < 0.5:
            return
        if self.draft == "2020-12":
            definition["$dynamicAnchor"] = "node"
        elif self.draft == "2019-09":
            definition["$recursiveAnchor"] = True


def same(a, b):
    """JSON Schema's equality: true is not 1, 1.0 is 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return a == b


def written(r, document, draft):
    """The document as JSON text, its strings escaped here and there and its numbers written in other ways."""
    if isinstance(document, dict):
        members = (f"{written(r, k, draft)}: {written(r, v, draft)}" for k, v in document.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(document, list):
        return "[" + ",".join(written(r, item, draft) for item in document) + "]"
    if isinstance(document, str):
        return json.dumps(document, ensure_ascii=r.random() < 0.5) if r.random() < 0.7 else (
            '"' + "".join(f"\\u{unit:04x}" for unit in utf16(document)) + '"')
    if isinstance(document, (bool, type(None))) or draft == "4":  # which goes by how a number is written
        return json.dumps(document)
    exact = isinstance(document, int) or abs(document) < 2**53
    if document != 0 and exact and document == int(document) and r.random() < 0.5:
        return r.choice(("{}.0", "{}e0", "{}.00E+0", "{}0e-1", "{}000E-3")).format(int(document))
    return json.dumps(document)


def utf16(text):
    data = text.encode("utf-16-be")
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]


def case(seed, documents=16):
    """(draft, schema, documents) of this seed."""
    r = random.Random(seed)
    draft = r.choice(DRAFTS)
    return draft, Generator(r, draft).whole(), [value(r) for _ in range(documents)]
