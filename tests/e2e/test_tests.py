"""`firth test`: a catalog's own tests pass when they should, and say what is wrong when not."""

import json
import textwrap

import pytest

COLLECTIONS = """
collections:
  acmeCo/orders:
    key: [/id]
    projections: {region: {location: /region, partition: true}}
    schema:
      type: object
      required: [id]
      properties:
        id: {type: integer}
        n: {type: integer, reduce: {strategy: sum}}
        region: {type: string}
        tags: {type: array, reduce: {strategy: append}}
        gone: {type: boolean}
      if: {required: [gone], properties: {gone: {const: true}}}
      then: {reduce: {strategy: merge, delete: true}}
      else: {reduce: {strategy: merge}}
  acmeCo/last:
    key: [/id, /sub/key]
    schema: {}
  acmeCo/derived:
    key: [/id]
    schema: {}
    derive:
      using: {sqlite: {migrations: []}}
      transforms: [{name: t, source: acmeCo/last, shuffle: any, lambda: select 1}]
"""


@pytest.fixture
def run_steps(firth_dev, tmp_path):
    """Run one test of these steps; its result as with -o json, and its output for people."""
    def run(steps, expect=0):
        path = tmp_path / "flow.yaml"
        path.write_text(COLLECTIONS + "tests:\n  t:\n" + textwrap.indent(textwrap.dedent(steps), "    "))
        result = firth_dev("test", path, expect=expect)
        machine = firth_dev("test", path, "-o", "json", expect=expect)
        return (json.loads(machine.out) if machine.out else None), result
    return run


@pytest.mark.parametrize("steps", [
    # One transaction's documents are combined, and those of several reduced; expected in any order.
    """
    - ingest: {collection: acmeCo/orders, documents: [{id: 1, n: 2}, {id: 2, n: 5}, {id: 1, n: 3}]}
    - ingest: {collection: acmeCo/orders, documents: [{id: 1, tags: [x]}]}
    - verify: {collection: acmeCo/orders, documents: [{id: 2, n: 5}, {id: 1, n: 5, tags: [x]}]}
    """,
    # There may be more than is expected of a document, at any depth; numbers are compared by value.
    """
    - ingest: {collection: acmeCo/last, documents: [{id: 1, sub: {key: a, n: 1}, more: [{x: 1, y: 2}]}]}
    - verify: {collection: acmeCo/last, documents: [{id: 1.0, sub: {key: a}, more: [{y: 2.00}]}]}
    """,
    # A part of the collection.
    """
    - ingest: {collection: acmeCo/orders, documents: [{id: 1, region: eu}, {id: 2, region: us}, {id: 3}]}
    - verify: {collection: {name: acmeCo/orders, partitions: {include: {region: [eu, us]}, exclude: {region: [us]}}},
               documents: [{id: 1}]}
    - verify: {collection: {name: acmeCo/orders, partitions: {include: {region: [null]}}}, documents: [{id: 3}]}
    """,
    # What is deleted is not there any more.
    """
    - ingest: {collection: acmeCo/orders, documents: [{id: 1, n: 1}, {id: 2, n: 1}]}
    - ingest: {collection: acmeCo/orders, documents: [{id: 1, gone: true}]}
    - verify: {collection: acmeCo/orders, documents: [{id: 2}]}
    """,
    # Nothing happened, and nothing is there.
    """
    - verify: {collection: acmeCo/orders, documents: []}
    """,
])
def test_passes(run_steps, steps):
    machine, people = run_steps(steps)
    assert machine == {"test": "t", "ok": True}
    assert people.out == "passed  t\n1 of 1 tests passed\n"


@pytest.mark.parametrize("steps, step, findings, lines", [
    ("""
     - ingest: {collection: acmeCo/orders, documents: [{id: 1, n: 2, tags: [a, b]}, {id: 2}, {id: 5}]}
     - verify: {collection: acmeCo/orders, documents: [{id: 1, n: 3, tags: [a, c, d], x: {y: 1}}, {id: 3}, {id: 5}]}
     """, 2,
     [("different", [1], {"/n": (3, 2), "/tags/1": ("c", "b"), "/tags/2": ("d", None), "/x": ({"y": 1}, None)}),
      ("unexpected", [2], None), ("missing", [3], None)],
     ["the document of the key [1] differs", "/n: expected 3, got 2", '/tags/2: expected "d", got nothing',
      'the document of the key [2] was not expected: got {"id":2}',
      'the document of the key [3] is missing: expected {"id":3}']),
    ("""
     - ingest: {collection: acmeCo/last, documents: [{id: 1, sub: {key: a}}]}
     - verify: {collection: acmeCo/last, documents: []}
     - verify: {collection: acmeCo/last, documents: [{id: 2, sub: {key: a}}]}
     """, 2, [("unexpected", [1, "a"], None)], ['the key [1,"a"] was not expected']),
    ("""
     - ingest: {collection: acmeCo/orders, documents: [{id: 1, n: two}, {n: 1}, {id: 4}, {id: 1.5}]}
     - verify: {collection: acmeCo/orders, documents: []}
     """, 1, [("invalid", None, None)] * 3,
     ["cannot be ingested: at '/n': expected integer, got string \"two\": {\"id\":1,\"n\":\"two\"}"]),
    ("""
     - ingest: {collection: acmeCo/last, documents: [{id: 1}]}
     """, 1, [("invalid", None, None)], ["at '/sub/key': the key's location must be there"]),
])
def test_fails(run_steps, steps, step, findings, lines):
    machine, people = run_steps(steps, expect=1)
    assert (machine["ok"], machine["step"]) == (False, step)
    found = [(f["fault"], f.get("key"), {d["instance"]: (d.get("expected"), d.get("actual"))
                                         for d in f["differences"]} if "differences" in f else None)
             for f in machine["findings"]]
    assert found == findings
    assert people.out.startswith("FAILED  t\n") and people.out.endswith("0 of 1 tests passed\n")
    for line in lines:
        assert line in people.out


@pytest.mark.parametrize("steps, message", [
    ("""
     - verify: {collection: acmeCo/derived, documents: []}
     """, "the collection acmeCo/derived is derived, and derivations are not run"),
    ("""
     - verify: {collection: acmeCo/orders, documents: [{n: 1}]}
     """, "the expected document 1 lacks the key of acmeCo/orders"),
    ("""
     - verify: {collection: acmeCo/orders, documents: [{id: 1}, {id: 1.0}]}
     """, "two expected documents have the key [1.0]"),
])
def test_cannot_be_run(run_steps, steps, message):
    _, people = run_steps(steps, expect=None)
    assert people.rc in (1, 3) and message in people.err


def test_many_findings_are_cut(run_steps):
    documents = ", ".join(f"{{id: {i}}}" for i in range(50))
    machine, people = run_steps(f"- verify: {{collection: acmeCo/orders, documents: [{documents}]}}\n", expect=1)
    assert len(machine["findings"]) == 20 and machine["omitted"] == 30
    assert "and 30 more documents" in people.out


def test_chosen_by_name(firth, tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_text(COLLECTIONS + "tests:\n  good: [{verify: {collection: acmeCo/orders, documents: []}}]\n"
                    "  bad: [{verify: {collection: acmeCo/orders, documents: [{id: 1}]}}]\n")
    assert firth("test", path, "--test", "good", expect=0).out == "passed  good\n1 of 1 tests passed\n"
    assert "1 of 2 tests passed" in firth("test", path, expect=1).out
    assert "there is no" not in (wrong := firth("test", path, "--test", "goood", expect=3)).err
    assert "the catalog has no test 'goood'; did you mean 'good'?" in wrong.err
    path.write_text(COLLECTIONS)
    assert firth("test", path, expect=0).out == "the catalog has no tests\n"
