#!/usr/bin/env python3
"""Schemas and documents for `bench/run validate`: the same in every run, nothing copied from anywhere.

    bench/data.py FOLDER         writes NAME.schema.json and NAME.jsonl for each of DATA_SETS

Each data set is a schema as people write them for that kind of data and documents of the sizes that the kind has. One
document in SPOILED has been damaged as data is damaged in life: a member is gone, or new, or of another type."""

import argparse
import json
import pathlib
import random

FILE_BYTES = 1_500_000
SPOILED = 14
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"

WORDS = """account address amount archive autumn balance barrel bridge button cabin canvas carbon castle cedar chapter
cinder clover cobalt copper cotton crystal dealer delta desert dollar domain dragon eagle ember engine falcon fabric
feather field finger flower forest garden ginger glacier granite harbor hazel helmet hollow island jacket journal kernel
kitchen ladder lantern leather lemon letter linen lumber magnet maple marble market meadow mirror mobile needle number
orange orchard oyster paper pebble pepper pillar pocket prairie quarry quartz rabbit ribbon river saddle salmon sample
saturn season shadow signal silver spider spring stable studio summer sunset tablet temple thunder timber tunnel turtle
valley velvet violet wagon walnut water willow window winter wonder yellow zephyr""".split()
NAMES = "Ada Björn Chidi Dolores Émile Fatima Grzegorz Hana Ines João Kenji Leilani Māra Nuno Oksana Priya".split()
COUNTRIES = "AT AU BE BR CA CH CN CZ DE DK EE ES FI FR GB GR HU IE IN IT JP KR LT LV MX NL NO NZ PL PT RO SE SK US".split()


def words(rng, low, high):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(low, high)))


def hexadecimal(rng, digits):
    return f"{rng.getrandbits(4 * digits):0{digits}x}"


def uuid(rng):
    h = hexadecimal(rng, 32)
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def date(rng):
    return f"{rng.randint(2015, 2026)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def timestamp(rng):
    return f"{date(rng)}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}Z"


def domain(rng):
    return f"{rng.choice(WORDS)}-{rng.choice(WORDS)}.{rng.choice(['example', 'test', 'invalid'])}"


def email(rng):
    return f"{rng.choice(WORDS)}.{rng.choice(WORDS)}{rng.randint(1, 99)}@{domain(rng)}"


def sometimes(rng, probability):
    return rng.random() < probability


def record(properties, required=None, **more):
    """An object's schema; required: all of them unless said."""
    return {"type": "object", "properties": properties,
            "required": list(properties) if required is None else required, **more}


STRING, INTEGER, NUMBER, BOOLEAN = ({"type": name} for name in ("string", "integer", "number", "boolean"))
TIMESTAMP = {"type": "string", "format": "date-time"}
COUNT = {"type": "integer", "minimum": 0}
NULLABLE = {"type": ["string", "null"]}


def text(low=1, high=255):
    return {"type": "string", "minLength": low, "maxLength": high}


# --- plain records ---------------------------------------------------------------------------------------------------


def orders_schema():
    address = record({"street": text(), "city": text(), "postcode": {"type": "string", "pattern": "^[0-9]{5}$"},
                      "country": {"type": "string", "pattern": "^[A-Z]{2}$"}})
    line = record({"sku": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"}, "title": text(),
                   "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
                   "price": {"type": "number", "minimum": 0}, "discount": {"type": "number", "minimum": 0, "maximum": 1}},
                  ["sku", "quantity", "price"])
    return {"$schema": DRAFT_2020, **record({
        "id": {"type": "integer", "minimum": 1}, "number": {"type": "string", "pattern": "^O-[0-9]{8}$"},
        "status": {"enum": ["new", "paid", "packed", "shipped", "delivered", "returned", "cancelled"]},
        "customer": record({"id": {"type": "integer", "minimum": 1}, "name": text(), "email": {**text(3), "format": "email"},
                            "vip": BOOLEAN}, ["id", "name"]),
        "shipping": address, "currency": {"type": "string", "minLength": 3, "maxLength": 3},
        "lines": {"type": "array", "items": line, "minItems": 1, "maxItems": 100},
        "total": {"type": "number", "minimum": 0}, "tax": {"type": "number", "minimum": 0},
        "note": NULLABLE, "tags": {"type": "array", "items": text(), "uniqueItems": True},
        "created": TIMESTAMP, "updated": TIMESTAMP},
        ["id", "number", "status", "customer", "lines", "total", "created"], additionalProperties=False)}


def order(rng):
    def line():
        return {"sku": f"{''.join(rng.choice('ABCDEFGH') for _ in range(3))}-{rng.randint(0, 9999):04}",
                "title": words(rng, 2, 4), "quantity": rng.randint(1, 9), "price": round(rng.uniform(1, 500), 2),
                "discount": round(rng.random(), 2)}
    return {"id": rng.randint(1, 10**9), "number": f"O-{rng.randint(0, 10**8 - 1):08}",
            "status": rng.choice(["new", "paid", "packed", "shipped", "delivered"]),
            "customer": {"id": rng.randint(1, 10**6), "name": f"{rng.choice(NAMES)} {words(rng, 1, 1).title()}",
                         "email": email(rng), "vip": sometimes(rng, 0.1)},
            "shipping": {"street": words(rng, 1, 2) + f" {rng.randint(1, 200)}", "city": words(rng, 1, 1).title(),
                         "postcode": f"{rng.randint(0, 99999):05}", "country": rng.choice(COUNTRIES)},
            "currency": "EUR", "lines": [line() for _ in range(rng.randint(1, 5))],
            "total": round(rng.uniform(1, 2000), 2), "tax": round(rng.uniform(0, 200), 2),
            "note": None if sometimes(rng, 0.6) else words(rng, 3, 12),
            "tags": rng.sample(WORDS, rng.randint(0, 3)), "created": timestamp(rng), "updated": timestamp(rng)}


def changes_schema():
    revision = {"type": "object", "properties": {"old": {"type": ["integer", "null"]}, "new": {"type": ["integer", "null"]}}}
    return {"$schema": DRAFT_7, **record({
        "$schema": STRING, "id": {"type": ["integer", "null"]}, "type": {"type": "string", "enum": ["edit", "new", "log",
                                                                                            "categorize", "external"]},
        "title": STRING, "namespace": INTEGER, "comment": STRING, "parsedcomment": STRING, "timestamp": INTEGER,
        "user": STRING, "bot": BOOLEAN, "minor": BOOLEAN, "patrolled": BOOLEAN, "length": revision, "revision": revision,
        "server_url": {"type": "string", "format": "uri"}, "server_name": STRING, "server_script_path": STRING,
        "wiki": {"type": "string", "maxLength": 255}, "notify_url": {"type": "string", "format": "uri"},
        "meta": record({"uri": {"type": "string", "format": "uri-reference", "maxLength": 8192},
                        "request_id": {"type": "string", "maxLength": 1024},
                        "id": {"type": "string", "maxLength": 36,
                               "pattern": "^[a-fA-F0-9]{8}(-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}$"},
                        "dt": {**TIMESTAMP, "maxLength": 128}, "domain": {"type": "string", "minLength": 1},
                        "stream": text(), "topic": STRING, "partition": INTEGER, "offset": INTEGER},
                       ["id", "dt", "stream"])},
        ["$schema", "meta", "type", "title", "wiki"])}


def change(rng):
    site, title = domain(rng), words(rng, 1, 4).capitalize()
    link = f"https://{site}/wiki/{title.replace(' ', '_')}"
    comment = words(rng, 3, 20)
    return {"$schema": "/changes/recent/1.0.0",
            "meta": {"uri": link, "request_id": uuid(rng), "id": uuid(rng), "dt": timestamp(rng), "domain": site,
                     "stream": "changes.recent", "topic": "site.changes.recent", "partition": rng.randint(0, 7),
                     "offset": rng.randint(10**9, 6 * 10**9)},
            "id": rng.randint(1, 2 * 10**9), "type": rng.choice(["edit", "edit", "new", "log", "categorize"]),
            "namespace": rng.randint(0, 15), "title": title, "title_url": link, "comment": comment,
            "timestamp": rng.randint(1_600_000_000, 1_800_000_000), "user": f"{rng.choice(NAMES)} \"{words(rng, 1, 1)}\"",
            "bot": sometimes(rng, 0.3), "minor": sometimes(rng, 0.3), "notify_url": f"{link}?diff={rng.randint(1, 10**9)}",
            "server_url": f"https://{site}", "server_name": site, "server_script_path": "/w", "wiki": rng.choice(WORDS) + "wiki",
            "length": {"old": rng.randint(1, 90000), "new": rng.randint(1, 90000)},
            "revision": {"old": rng.randint(1, 10**9), "new": rng.randint(1, 10**9)},
            "parsedcomment": f"<span class=\"comment\">{comment}</span> <a href=\"{link}\" title=\"{title}\">→\u200e{title}</a>: "
                             + words(rng, 10, 40)}


# --- large anyOf: forty kinds of event --------------------------------------------------------------------------------

EVENT_PARTS = {
    "user_id": ({"type": "integer", "minimum": 1}, lambda r: r.randint(1, 10**6)),
    "session": (text(16, 64), lambda r: hexadecimal(r, 32)),
    "url": ({"type": "string", "pattern": "^https?://"}, lambda r: f"https://{domain(r)}/{r.choice(WORDS)}"),
    "duration_ms": (COUNT, lambda r: r.randint(0, 60000)),
    "amount": ({"type": "number", "exclusiveMinimum": 0}, lambda r: round(r.uniform(1, 900), 2)),
    "currency": ({"enum": ["EUR", "USD", "GBP", "JPY"]}, lambda r: r.choice(["EUR", "USD", "GBP"])),
    "labels": ({"type": "array", "items": text(), "maxItems": 20}, lambda r: r.sample(WORDS, r.randint(0, 5))),
    "position": (record({"x": NUMBER, "y": NUMBER}), lambda r: {"x": round(r.uniform(0, 1920), 1), "y": r.randint(0, 1080)}),
    "success": (BOOLEAN, lambda r: sometimes(r, 0.9)),
    "message": (text(1, 4000), lambda r: words(r, 3, 20)),
    "code": ({"type": "integer", "minimum": 100, "maximum": 599}, lambda r: r.randint(100, 599)),
    "device": (record({"os": {"enum": ["android", "ios", "linux", "macos", "windows"]}, "version": STRING,
                       "memory_mb": COUNT}, ["os"]),
               lambda r: {"os": r.choice(["android", "ios", "linux"]), "version": f"{r.randint(1, 17)}.{r.randint(0, 9)}",
                          "memory_mb": r.randint(1000, 32000)}),
    "items": ({"type": "array", "minItems": 1, "items": record({"sku": text(), "quantity": {"type": "integer", "minimum": 1}})},
              lambda r: [{"sku": hexadecimal(r, 8), "quantity": r.randint(1, 5)} for _ in range(r.randint(1, 4))]),
}


def event_kinds():
    """(type, names of its members): fixed, drawn once."""
    rng = random.Random("kinds of event")
    objects = "page cart order search session video message invite file payment".split()
    return [(f"{thing}.{verb}", sorted(rng.sample(sorted(EVENT_PARTS), rng.randint(3, 7))))
            for thing in objects for verb in ("opened", "changed", "failed", "closed")]


def events_schema():
    def kind(name, members):
        return record({"type": {"const": name}, "id": {"type": "string", "format": "uuid"}, "at": TIMESTAMP,
                       **{member: EVENT_PARTS[member][0] for member in members}}, ["type", "id", "at", *members[:-1]],
                      additionalProperties=False)
    kinds = event_kinds()
    return {"$schema": DRAFT_2020, "anyOf": [{"$ref": f"#/$defs/{name}"} for name, _ in kinds],
            "$defs": {name: kind(name, members) for name, members in kinds}}


def event(rng):
    name, members = rng.choice(event_kinds_once)
    return {"id": uuid(rng), "type": name, "at": timestamp(rng),
            **{member: EVENT_PARTS[member][1](rng) for member in members if member != members[-1] or sometimes(rng, 0.5)}}


event_kinds_once = event_kinds()


# --- deep recursion by $ref: a rich text document ---------------------------------------------------------------------


def articles_schema():
    content = {"type": "array", "items": {"$ref": "#/$defs/node"}}
    def node(kind, attributes=None, **more):
        attrs = {"attrs": record(attributes, additionalProperties=False)} if attributes else {}
        return {"type": "object", "properties": {"type": {"const": kind}, **attrs, **more},
                "required": ["type", *attrs, *more], "additionalProperties": False}
    mark = {"oneOf": [node("bold"), node("italic"), node("code"),
                      node("link", {"href": {"type": "string", "format": "uri"}, "title": NULLABLE})]}
    span = node("text", text={"type": "string", "minLength": 1})
    span["properties"]["marks"] = {"type": "array", "items": {"$ref": "#/$defs/mark"}}
    return {"$schema": DRAFT_2020, **record({"id": {"type": "string", "format": "uuid"}, "title": text(),
                                             "body": {"$ref": "#/$defs/node"}}),
            "$defs": {"mark": mark, "text": span, "node": {"oneOf": [
                node("doc", content=content), node("paragraph", content=content),
                node("heading", {"level": {"type": "integer", "minimum": 1, "maximum": 6}}, content=content),
                node("blockquote", content=content), node("bullet_list", content=content),
                node("ordered_list", {"start": INTEGER}, content=content), node("list_item", content=content),
                node("image", {"src": {"type": "string", "format": "uri"}, "alt": NULLABLE}),
                node("code_block", {"language": NULLABLE}, content=content), node("hard_break"),
                node("horizontal_rule"), {"$ref": "#/$defs/text"}]}}}


def article(rng):
    def span():
        marks = [{"type": kind} for kind in ("bold", "italic", "code") if sometimes(rng, 0.1)]
        if sometimes(rng, 0.1):
            marks.append({"type": "link", "attrs": {"href": f"https://{domain(rng)}/", "title": None}})
        return {"type": "text", "text": words(rng, 3, 15), **({"marks": marks} if marks else {})}

    def block(depth):
        kind = rng.choice(["paragraph"] * 5 + ["heading", "blockquote", "bullet_list", "ordered_list", "image"])
        if depth > 8 or kind == "paragraph":
            return {"type": "paragraph", "content": [span() for _ in range(rng.randint(1, 4))]}
        if kind == "heading":
            return {"type": kind, "attrs": {"level": rng.randint(1, 6)}, "content": [span()]}
        if kind == "image":
            return {"type": kind, "attrs": {"src": f"https://{domain(rng)}/{rng.choice(WORDS)}.png", "alt": words(rng, 1, 4)}}
        children = [block(depth + 1) for _ in range(rng.randint(1, 3))]
        if kind == "blockquote":
            return {"type": kind, "content": children}
        items = [{"type": "list_item", "content": [child]} for child in children]
        return {"type": kind, **({"attrs": {"start": 1}} if kind == "ordered_list" else {}), "content": items}

    return {"id": uuid(rng), "title": words(rng, 2, 6),
            "body": {"type": "doc", "content": [block(1) for _ in range(rng.randint(2, 6))]}}


# --- many formats and patterns ----------------------------------------------------------------------------------------


def contacts_schema():
    def pattern(expression):
        return {"type": "string", "pattern": expression}
    return {"$schema": DRAFT_2020, **record({
        "id": {"type": "string", "format": "uuid", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
        "email": {"type": "string", "format": "email", "pattern": "^[a-z0-9.]+@[a-z0-9.-]+\\.[a-z]{2,}$"},
        "phone": pattern("^\\+[0-9]{1,3}[ -]?[0-9]{6,12}$"), "born": {"type": "string", "format": "date",
                                                                        "pattern": "^\\d{4}-\\d{2}-\\d{2}$"},
        "created": {"type": "string", "format": "date-time",
                    "pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$"},
        "site": {"type": "string", "format": "uri", "pattern": "^https?://[^/]+(/.*)?$"},
        "address": {"type": "string", "format": "ipv4",
                    "pattern": "^((25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})$"},
        "host": {"type": "string", "format": "hostname", "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9-]+)*$"},
        "iban": pattern("^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$"), "postcode": pattern("^[0-9]{5}(-[0-9]{4})?$"),
        "country": pattern("^[A-Z]{2}$"), "language": pattern("^[a-z]{2}(-[A-Z]{2})?$"), "color": pattern("^#[0-9a-fA-F]{6}$"),
        "slug": pattern("^[a-z0-9]+(-[a-z0-9]+)*$"), "version": pattern("^v?\\d+\\.\\d+\\.\\d+(-[a-z0-9.]+)?$"),
        "sha": pattern("^[0-9a-f]{40}$"), "time": {"type": "string", "format": "time", "pattern": "^\\d\\d:\\d\\d(:\\d\\d)?$"},
        "duration": pattern("^P(\\d+Y)?(\\d+M)?(\\d+D)?(T(\\d+H)?(\\d+M)?(\\d+S)?)?$"),
        "handle": pattern("^@\\w{1,30}$"), "name": pattern("\\S"), "notes": {"type": "string", "pattern": "^(?!.*<script)"}},
        ["id", "email", "name", "created"], additionalProperties=False)}


def contact(rng):
    return {"id": uuid(rng), "email": email(rng), "phone": f"+{rng.randint(1, 99)} {rng.randint(10**6, 10**10)}",
            "born": date(rng), "created": timestamp(rng), "site": f"https://{domain(rng)}/{rng.choice(WORDS)}",
            "address": ".".join(str(rng.randint(0, 255)) for _ in range(4)), "host": domain(rng),
            "iban": f"DE{rng.randint(10**19, 10**20 - 1)}", "postcode": f"{rng.randint(0, 99999):05}",
            "country": rng.choice(COUNTRIES), "language": rng.choice(["de", "en-GB", "fr", "pt-BR"]),
            "color": f"#{hexadecimal(rng, 6)}", "slug": words(rng, 2, 5).replace(" ", "-"),
            "version": f"v{rng.randint(0, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}", "sha": hexadecimal(rng, 40),
            "time": f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}", "duration": f"P{rng.randint(1, 9)}DT{rng.randint(1, 20)}H",
            "handle": f"@{rng.choice(WORDS)}_{rng.randint(1, 99)}", "name": f"{rng.choice(NAMES)} {words(rng, 1, 1).title()}",
            "notes": words(rng, 5, 20)}


# --- wide objects ------------------------------------------------------------------------------------------------------

WIDE_TYPES = [({"type": ["number", "null"]}, lambda r: None if sometimes(r, 0.3) else round(r.uniform(-100, 100), 3)),
              ({"type": ["string", "null"], "maxLength": 80}, lambda r: None if sometimes(r, 0.3) else words(r, 1, 3)),
              ({"type": "integer", "minimum": 0}, lambda r: r.randint(0, 10**6)), (BOOLEAN, lambda r: sometimes(r, 0.5)),
              ({"enum": ["low", "medium", "high", None]}, lambda r: r.choice(["low", "medium", "high", None])),
              ({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}, date)]


def wide_columns():
    """120 columns of a warehouse's table: (name, one of WIDE_TYPES)."""
    rng = random.Random("columns")
    return [(f"{rng.choice(WORDS)}_{rng.choice(WORDS)}_{i}", rng.choice(WIDE_TYPES)) for i in range(120)]


wide_columns_once = wide_columns()


def wide_schema():
    return {"$schema": DRAFT_2020, **record({name: kind[0] for name, kind in wide_columns_once},
                                            [name for name, _ in wide_columns_once[::4]], additionalProperties=False)}


def wide(rng):
    return {name: kind[1](rng) for i, (name, kind) in enumerate(wide_columns_once) if i % 4 == 0 or sometimes(rng, 0.8)}


# --- unevaluatedProperties with allOf ---------------------------------------------------------------------------------


def assets_schema():
    def when(kind, properties):
        return {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"properties": properties, "required": list(properties)[:1]}}
    return {"$schema": DRAFT_2020, "type": "object",
            "allOf": [{"$ref": "#/$defs/resource"}, {"$ref": "#/$defs/audited"},
                      when("server", {"cores": {"type": "integer", "minimum": 1}, "memory": COUNT, "os": STRING}),
                      when("disk", {"bytes": COUNT, "mount": {"type": "string", "pattern": "^/"}}),
                      when("network", {"cidr": {"type": "string", "pattern": "^[0-9.]+/[0-9]{1,2}$"}, "routes":
                                       {"type": "array", "items": {"$ref": "#/$defs/route"}}})],
            "anyOf": [{"properties": {"owner": text(), "team": text()}, "required": ["owner", "team"]},
                      {"properties": {"orphaned": {"const": True}, "since": TIMESTAMP}, "required": ["orphaned"]}],
            "unevaluatedProperties": False,
            "$defs": {"resource": record({"id": {"type": "string", "format": "uuid"}, "name": text(),
                                          "kind": {"enum": ["server", "disk", "network"]},
                                          "labels": {"type": "object", "additionalProperties": text(0, 63),
                                                     "propertyNames": {"maxLength": 63}}}, ["id", "name", "kind"]),
                      "audited": record({"created": TIMESTAMP, "updated": TIMESTAMP, "by": {"$ref": "#/$defs/actor"}},
                                        ["created"]),
                      "actor": {"allOf": [{"$ref": "#/$defs/named"}, record({"email": {"type": "string", "format": "email"}})],
                                "unevaluatedProperties": False},
                      "named": record({"name": text(), "role": {"enum": ["admin", "user", "robot"]}}, ["name"]),
                      "route": {"$ref": "#/$defs/named", "properties": {"to": STRING, "metric": COUNT},
                                "required": ["to"], "unevaluatedProperties": False}}}


def asset(rng):
    kind = rng.choice(["server", "disk", "network"])
    more = {"server": lambda: {"cores": rng.randint(1, 64), "memory": rng.randint(1, 512), "os": rng.choice(WORDS)},
            "disk": lambda: {"bytes": rng.randint(10**9, 10**13), "mount": "/" + rng.choice(WORDS)},
            "network": lambda: {"cidr": f"10.{rng.randint(0, 255)}.0.0/{rng.randint(8, 24)}", "routes": [
                {"name": rng.choice(WORDS), "to": f"10.0.{rng.randint(0, 255)}.1", "metric": rng.randint(0, 100)}
                for _ in range(rng.randint(1, 4))]}}[kind]()
    held = ({"owner": email(rng), "team": rng.choice(WORDS)} if sometimes(rng, 0.8) else
            {"orphaned": True, "since": timestamp(rng)})
    return {"id": uuid(rng), "name": words(rng, 1, 3), "kind": kind,
            "labels": {rng.choice(WORDS): rng.choice(WORDS) for _ in range(rng.randint(0, 6))}, "created": timestamp(rng),
            "updated": timestamp(rng), "by": {"name": rng.choice(NAMES), "role": "user", "email": email(rng)}, **more, **held}


# --- big enums ----------------------------------------------------------------------------------------------------------


def code_list(name, count, make):
    rng, seen = random.Random(name), {}
    while len(seen) < count:
        seen[make(rng)] = None
    return list(seen)


CODES = {
    "merchant": code_list("merchant", 2000, lambda r: f"{r.choice(WORDS)}-{r.choice(WORDS)}-{r.randint(1, 9)}"),
    "airport": code_list("airport", 2000, lambda r: "".join(r.choice("ABCDEFGHIJKLMNOPRSTUVWZ") for _ in range(3))),
    "category": code_list("category", 600, lambda r: r.randint(1000, 9999)),
    "currency": code_list("currency", 170, lambda r: "".join(r.choice("ABCDEFGHIJKLMNOPRSTUVWZ") for _ in range(3))),
}


def codes_schema():
    leg = record({"from": {"$ref": "#/$defs/airport"}, "to": {"$ref": "#/$defs/airport"}, "departs": TIMESTAMP})
    return {"$schema": DRAFT_2020, **record({
        "id": {"type": "string", "minLength": 12}, "merchant": {"$ref": "#/$defs/merchant"},
        "category": {"$ref": "#/$defs/category"}, "currency": {"$ref": "#/$defs/currency"},
        "amount": {"type": "number", "exclusiveMinimum": 0}, "settled": {"$ref": "#/$defs/currency"},
        "legs": {"type": "array", "items": leg, "maxItems": 12}, "country": {"enum": COUNTRIES}},
        ["id", "merchant", "category", "currency", "amount"], additionalProperties=False),
        "$defs": {name: {"enum": values} for name, values in CODES.items()}}


def codes(rng):
    legs = [{"from": rng.choice(CODES["airport"]), "to": rng.choice(CODES["airport"]), "departs": timestamp(rng)}
            for _ in range(rng.randint(0, 4))]
    return {"id": hexadecimal(rng, 24), "merchant": rng.choice(CODES["merchant"]), "category": rng.choice(CODES["category"]),
            "currency": rng.choice(CODES["currency"]), "amount": round(rng.uniform(1, 9000), 2),
            "settled": rng.choice(CODES["currency"]), "legs": legs, "country": rng.choice(COUNTRIES)}


# --- long arrays of small objects -----------------------------------------------------------------------------------------


def map_schema():
    position = {"type": "array", "minItems": 2, "maxItems": 3, "items": NUMBER}
    ring = {"type": "array", "minItems": 4, "items": {"$ref": "#/definitions/position"}}
    def geometry(kind, coordinates):
        return record({"type": {"const": kind}, "coordinates": coordinates})
    return {"$schema": DRAFT_7, **record({
        "type": {"const": "FeatureCollection"}, "bbox": {"type": "array", "minItems": 4, "items": NUMBER},
        "features": {"type": "array", "items": record({
            "type": {"const": "Feature"}, "id": {"oneOf": [NUMBER, STRING]},
            "properties": {"oneOf": [{"type": "null"}, {"type": "object"}]},
            "geometry": {"oneOf": [{"type": "null"}, geometry("Point", {"$ref": "#/definitions/position"}),
                                   geometry("MultiPoint", {"type": "array", "items": {"$ref": "#/definitions/position"}}),
                                   geometry("LineString", {"type": "array", "minItems": 2,
                                                           "items": {"$ref": "#/definitions/position"}}),
                                   geometry("Polygon", {"type": "array", "items": ring})]}},
            ["type", "properties", "geometry"])}}, ["type", "features"]), "definitions": {"position": position}}


def map_of(rng):
    def position():
        return [round(rng.uniform(-180, 180), 6), round(rng.uniform(-90, 90), 6)]

    def geometry():
        kind = rng.choice(["Point", "Point", "LineString", "Polygon"])
        if kind == "Point":
            return {"type": kind, "coordinates": position()}
        row = [position() for _ in range(rng.randint(4, 40))]
        return {"type": kind, "coordinates": row if kind == "LineString" else [[*row, row[0]]]}

    return {"type": "FeatureCollection", "features": [
        {"type": "Feature", "id": rng.randint(1, 10**6), "geometry": geometry(),
         "properties": {"name": words(rng, 1, 3), "height": rng.randint(0, 3000)}} for _ in range(rng.randint(10, 60))]}


# --- configuration with oneOf, patternProperties, if -----------------------------------------------------------------------


def workflows_schema():
    def ref(name):
        return {"$ref": f"#/definitions/{name}"}
    environment = {"oneOf": [{"type": "object", "additionalProperties": {"oneOf": [STRING, NUMBER, BOOLEAN]}},
                             {"type": "string", "pattern": "^\\$\\{\\{.+\\}\\}$"}]}
    step = {"type": "object", "additionalProperties": False, "dependencies": {"working-directory": ["run"], "shell": ["run"]},
            "oneOf": [{"required": ["uses"]}, {"required": ["run"]}],
            "properties": {"id": STRING, "name": STRING, "if": {"type": ["boolean", "number", "string"]},
                           "uses": {"type": "string", "pattern": "^[^@]+@.+$"}, "run": STRING, "env": ref("env"),
                           "working-directory": STRING, "shell": {"anyOf": [STRING, {"enum": ["bash", "sh", "pwsh"]}]},
                           "with": ref("env"), "continue-on-error": {"oneOf": [BOOLEAN, ref("expression")]},
                           "timeout-minutes": {"oneOf": [NUMBER, ref("expression")]}}}
    matrix = {"oneOf": [{"type": "object", "minProperties": 1, "patternProperties": {"^(in|ex)clude$": {"type": "array", "items": {
        "type": "object"}}}, "additionalProperties": {"oneOf": [{"type": "array", "minItems": 1, "items": ref("configuration")},
                                                                ref("expression")]}}, ref("expression")]}
    job = {"type": "object", "required": ["runs-on", "steps"], "additionalProperties": False, "properties": {
        "name": STRING, "needs": {"oneOf": [{"type": "array", "minItems": 1, "items": ref("name")}, ref("name")]},
        "runs-on": {"anyOf": [STRING, {"type": "array", "minItems": 1, "items": STRING}, ref("expression")]}, "env": ref("env"),
        "if": {"type": ["boolean", "number", "string"]}, "steps": {"type": "array", "minItems": 1, "items": ref("step")},
        "timeout-minutes": {"oneOf": [NUMBER, ref("expression")]},
        "strategy": record({"matrix": matrix, "fail-fast": {"type": ["boolean", "string"]}, "max-parallel": NUMBER}, ["matrix"],
                           additionalProperties=False)}}
    trigger = {"oneOf": [ref("event"), {"type": "array", "minItems": 1, "items": ref("event")},
                         {"type": "object", "propertyNames": ref("event"), "additionalProperties": {"oneOf": [
                             {"type": "null"}, {"type": "array"}, {"type": "object", "properties": {
                                 name: {"type": "array", "items": STRING} for name in ("branches", "paths", "types", "tags")}}]}}]}
    return {"$schema": DRAFT_7, **record({
        "name": STRING, "on": trigger, "env": ref("env"), "permissions": {"oneOf": [{"enum": ["read-all", "write-all"]}, {
            "type": "object", "additionalProperties": {"enum": ["read", "write", "none"]}}]},
        "jobs": {"type": "object", "minProperties": 1, "patternProperties": {"^[_a-zA-Z][a-zA-Z0-9_-]*$": ref("job")},
                 "additionalProperties": False}}, ["on", "jobs"], additionalProperties=False),
        "definitions": {"env": environment, "step": step, "job": job, "expression": {"type": "string",
                                                                              "pattern": "^\\$\\{\\{(.|[\r\n])*\\}\\}$"},
                        "name": {"type": "string", "pattern": "^[_a-zA-Z][a-zA-Z0-9_-]*$"},
                        "configuration": {"oneOf": [STRING, NUMBER, BOOLEAN, {"type": "object", "additionalProperties":
                            ref("configuration")}, {"type": "array", "items": ref("configuration")}]},
                        "event": {"enum": "push pull_request schedule release issues workflow_dispatch deployment fork watch "
                                          "create delete label milestone page_build public status".split()}}}


def workflow(rng):
    def step(i):
        uses = {"uses": f"{rng.choice(WORDS)}/{rng.choice(WORDS)}@v{rng.randint(1, 4)}",
                "with": {rng.choice(WORDS): rng.choice([3, True, words(rng, 1, 2)]) for _ in range(rng.randint(0, 3))}}
        run = {"run": "\n".join(words(rng, 2, 6) for _ in range(rng.randint(1, 4)))}
        more = {"env": {rng.choice(WORDS).upper(): "${{ secrets.VALUE }}"}} if sometimes(rng, 0.2) else {}
        return {"name": words(rng, 1, 4), **(uses if i == 0 or sometimes(rng, 0.3) else run), **more}

    def job(name):
        strategy = {"strategy": {"matrix": {"os": ["linux", "macos"], "version": [3.9, 3.11, "3.12"]}, "fail-fast": False}}
        return {"name": name, "runs-on": rng.choice(["linux", ["self-hosted", "linux"], "${{ matrix.os }}"]),
                "timeout-minutes": rng.randint(5, 60), **(strategy if sometimes(rng, 0.4) else {}),
                "steps": [step(i) for i in range(rng.randint(2, 8))]}

    trigger = rng.choice(["push", ["push", "pull_request"], {"push": {"branches": ["main"]}, "pull_request": None}])
    return {"name": words(rng, 1, 3), "on": trigger, "env": {"CI": True, "LEVEL": 3}, "permissions": {"contents": "read"},
            "jobs": {f"{rng.choice(WORDS)}-{i}": job(rng.choice(WORDS)) for i in range(rng.randint(1, 4))}}


# --- thousands of definitions ---------------------------------------------------------------------------------------------

API_GROUPS, PARTS = 30, 640  # 2,042 definitions


def manifests_schema():
    """Like a cluster's API: definitions that refer to one another, most with a description."""
    rng = random.Random("definitions")
    definitions = {
        "meta": {"type": "object", "description": words(rng, 8, 16), "required": ["name"], "properties": {
            "name": {"type": "string", "maxLength": 253, "pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"}, "namespace": STRING,
            "labels": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}},
            "annotations": {"type": "object", "additionalProperties": STRING}, "generation": COUNT}},
        "quantity": {"oneOf": [{"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?$"}, NUMBER]}}
    scalars = [STRING, INTEGER, BOOLEAN, COUNT, {"$ref": "#/definitions/quantity"}, {"type": "string", "enum": ["Always", "Never"]}]
    for level in range(3):
        for i in range(PARTS):
            properties = {}
            for _ in range(rng.randint(1, 3)):
                kind = rng.random()
                below = f"#/definitions/part.{level - 1}.{rng.randrange(PARTS)}"
                value = (rng.choice(scalars) if level == 0 or kind < 0.5 else {"$ref": below} if kind < 0.8 else
                         {"type": "array", "items": {"$ref": below}})
                properties[f"{rng.choice(WORDS)}{rng.choice(WORDS).title()}"] = value
            definitions[f"part.{level}.{i}"] = {"type": "object", "description": words(rng, 2, 4), "properties": properties,
                                                "required": sorted(properties)[:1]}
    kinds = []
    for group in range(API_GROUPS):
        for i in range(4):
            name = f"{WORDS[group].title()}{WORDS[40 + i].title()}"
            kinds.append(name)
            definitions[name] = {"type": "object", "description": words(rng, 10, 20), "additionalProperties": False, "properties": {
                "apiVersion": {"type": "string", "enum": [f"{WORDS[group]}.example/v1"]}, "kind": {"type": "string", "enum": [name]},
                "metadata": {"$ref": "#/definitions/meta"}, "spec": {"$ref": f"#/definitions/part.2.{rng.randrange(PARTS)}"},
                "status": {"$ref": f"#/definitions/part.1.{rng.randrange(PARTS)}"}}, "required": ["apiVersion", "kind", "metadata"]}
    return {"$schema": DRAFT_7, "oneOf": [{"$ref": f"#/definitions/{name}"} for name in kinds], "definitions": definitions}


manifests_once = manifests_schema()


def manifest(rng):
    definitions = manifests_once["definitions"]

    def value(schema):
        while "$ref" in schema:
            schema = definitions[schema["$ref"].rsplit("/", 1)[1]]
        if "oneOf" in schema:
            return f"{rng.randint(1, 900)}Mi" if sometimes(rng, 0.5) else rng.randint(1, 64)
        if "enum" in schema:
            return rng.choice(schema["enum"])
        if schema["type"] == "object":
            return {name: value(below) for name, below in schema["properties"].items()
                    if name in schema["required"] or sometimes(rng, 0.9)}
        if schema["type"] == "array":
            return [value(schema["items"]) for _ in range(rng.randint(0, 4))]
        return {"string": words(rng, 1, 4), "integer": rng.randint(0, 9999), "boolean": sometimes(rng, 0.5)}[schema["type"]]

    kind = rng.choice(manifests_once["oneOf"])["$ref"]
    meta = {"name": words(rng, 1, 3).replace(" ", "-"), "namespace": rng.choice(WORDS),
            "labels": {rng.choice(WORDS): rng.choice(WORDS) for _ in range(rng.randint(0, 5))}, "generation": rng.randint(1, 90)}
    top = definitions[kind.rsplit("/", 1)[1]]["properties"]
    return {"apiVersion": top["apiVersion"]["enum"][0], "kind": top["kind"]["enum"][0], "metadata": meta,
            "spec": value(top["spec"]), **({"status": value(top["status"])} if sometimes(rng, 0.5) else {})}


# ---------------------------------------------------------------------------------------------------------------------------

# name: (schema, document, separators)
COMPACT, SPACED = (",", ":"), (", ", ": ")
DATA_SETS = {
    "orders": (orders_schema, order, COMPACT), "changes": (changes_schema, change, COMPACT),
    "events": (events_schema, event, COMPACT), "articles": (articles_schema, article, COMPACT),
    "contacts": (contacts_schema, contact, COMPACT), "wide": (wide_schema, wide, COMPACT),
    "assets": (assets_schema, asset, COMPACT), "codes": (codes_schema, codes, COMPACT), "map": (map_schema, map_of, COMPACT),
    "workflows": (workflows_schema, workflow, SPACED), "manifests": (lambda: manifests_once, manifest, SPACED),
}


# --- documents of any size: what does doubling cost? -------------------------------------------------------------------


def nested(rng, size):
    """Lists in lists, 200 deep at most, `size` of them."""
    root = {"name": "root", "children": []}
    at, depth = root, 1
    for _ in range(size):
        below = {"name": rng.choice(WORDS), "children": []}
        at["children"].append(below)
        at, depth = (root, 1) if depth == 100 else (below, depth + 1)
    return root


def alternatives():
    return [record({"kind": {"const": word}, "value": kind}) for word, kind in zip(WORDS[:20], [INTEGER, STRING] * 10)]


# name: (schema, document of a generator and a size)
SLOPES = {
    "rows": (lambda: {"type": "array", "items": record({"id": INTEGER, "name": text(), "score": {"type": "number", "minimum": 0}})},
             lambda r, n: [{"id": i, "name": words(r, 1, 3), "score": r.random()} for i in range(n)]),
    "members": (lambda: {"type": "object", "patternProperties": {"^a": COUNT}, "unevaluatedProperties": {"type": "integer"},
                         "anyOf": [{"required": ["missing"]}, {"propertyNames": {"maxLength": 40}}]},
                lambda r, n: {f"{r.choice(WORDS)}_{i}": i for i in range(n)}),
    "tree": (lambda: {"$ref": "#/$defs/node", "$defs": {"node": record({"name": text(), "children": {
        "type": "array", "items": {"$ref": "#/$defs/node"}}})}}, nested),
    "unique": (lambda: {"type": "array", "uniqueItems": True, "items": {"type": ["string", "object"]}},
               lambda r, n: [f"{r.choice(WORDS)} {i}" if i % 2 else {"a": i, "b": [i]} for i in range(n)]),
    "unions": (lambda: {"type": "array", "items": {"oneOf": alternatives()}}, lambda r, n: [
        {"kind": WORDS[k], "value": words(r, 1, 2) if k % 2 else k} for k in (r.randrange(20) for _ in range(n))]),
    "text": (lambda: {"type": "object", "additionalProperties": {"type": "string", "pattern": "^([a-z]+ ?)*$", "maxLength": 10**7}},
             lambda r, n: {"text": " ".join(r.choice(WORDS) for _ in range(4 * n))}),
}


def write_slope(folder, name, size):
    schema, make = SLOPES[name]
    (folder / f"slope-{name}.schema.json").write_text(json.dumps({"$schema": DRAFT_2020, **schema()}))
    line = json.dumps(make(random.Random(name), size), separators=COMPACT)
    (folder / f"slope-{name}-{size}.jsonl").write_text(line + "\n")


# ---------------------------------------------------------------------------------------------------------------------------


def containers(value, found):
    if isinstance(value, (dict, list)):
        found.append(value)
        for below in value.values() if isinstance(value, dict) else value:
            containers(below, found)
    return found


def spoil(rng, document):
    """Damage one member somewhere."""
    objects = [c for c in containers(document, []) if isinstance(c, dict) and c]
    place = rng.choice(objects)
    name = rng.choice(sorted(place))
    damage = rng.randrange(3)
    if damage == 0:
        del place[name]
    elif damage == 1:
        place["x_" + name] = "unexpected"
    else:
        place[name] = {"was": 1} if isinstance(place[name], (str, int, float, list)) else "wrong"


def write(folder, name):
    schema, make, separators = DATA_SETS[name]
    rng = random.Random(name)
    (folder / f"{name}.schema.json").write_text(json.dumps(schema(), ensure_ascii=False), encoding="utf-8")
    size = count = 0
    with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as file:
        while size < FILE_BYTES:
            document = make(rng)
            count += 1
            if count % SPOILED == 0:
                spoil(rng, document)
            line = json.dumps(document, ensure_ascii=False, separators=separators) + "\n"
            size += len(line.encode())
            file.write(line)


def write_sound(path, name):
    """A file without damaged documents, a third as long; how many there are."""
    _, make, separators = DATA_SETS[name]
    rng = random.Random(f"sound {name}")
    lines, size = [], 0
    while size < FILE_BYTES / 3:
        lines.append(json.dumps(make(rng), ensure_ascii=False, separators=separators))
        size += len(lines[-1])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


def main():
    parser = argparse.ArgumentParser(description="Write the generated data sets and their schemas.")
    parser.add_argument("folder", type=pathlib.Path, help="where to; made if it is not there")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in DATA_SETS:
        write(folder, name)


if __name__ == "__main__":
    main()
