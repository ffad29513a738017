"""Templates to compare with the CDK: a table for every construct and quirk, and generated ones by seed."""

import pathlib
import random

CONFIG = {
    "a": 1, "b": "text", "f": 1.5, "t": True, "n": None, "s": "", "list": [3, 1, 2], "names": ["b", "A", "c", "a"],
    "start_date": "2021-01-31T10:20:30Z", "date": "2021-02-03", "nested": {"x": {"y": [10, 20, {"z": "deep"}]}},
    "num": "42", "float_text": "42.23", "zero": 0, "neg": -7, "big": 123456789012345678901234567890,
    "uni": "Straße ÉÀ Σίσυφος", "quote": "it's \"q\"", "csv": "a, b,c ,,d", "bool_text": "true", "items": "shadow",
    "users": [{"name": "bob", "age": 30, "city": "b"}, {"name": "Al", "age": 25, "city": "a"}, {"name": "cy", "age": 30}],
    "empty_list": [], "empty_dict": {}, "html": "<b>a & b</b>", "url": "https://e.com/p a?q=1&r=ä",
    "multi": "one\ntwo\n\nthree", "spaces": "  x  y ", "tab": "a\tb", "control": "a\u0000b\u001f\u00a0\u200b\U0001f600",
    "small": 1e-7, "large": 1e22, "exp": 123456789.125,
}
SCOPE = {
    "config": CONFIG,
    "parameters": {"name": "stream", "path": "/p"},
    "stream_slice": {"$slice": {"partition": {"parent_id": "p1", "nested": {"k": 1}},
                                "cursor_slice": {"start_time": "2021-01-01", "end_time": "2021-02-01"},
                                "extra_fields": {"x": [1, 2]}}},
    "record": {"id": 7, "name": "Ann", "tags": ["x", "y"], "updated_at": "2021-05-06T07:08:09.123456+02:00", "amount": "1,234.50",
               "nothing": None, "meta": {"items": [1, 2], "keys": "k", "true": True, "a b": "sp", "f": 2.50, "0": "zero"}},
    "response": {"next": "abc", "page": 3, "has_more": False, "data": [{"id": 1}, {"id": 2}], "values": [1], "count": 0},
    "headers": {"link": {"next": {"url": "https://x/y?page=2"}}, "X-Total": "10"},
    "last_record": {"$record": {"id": 99, "data": "inner", "created": 1700000000}},
    "last_page_size": 2,
    "next_page_token": {"next_page_token": "tok"},
}
NOW = 1700000000123

# Expressions: each is printed by itself.
EXPRESSIONS = (pathlib.Path(__file__).parent / "template_expressions.txt").read_text().splitlines()

# Whole templates.
TEMPLATES = [
    "", " ", "plain", "# c, 'x\n5", "#\n", "\\\n5", "5\\\n", "123", "1.0", "True", "true", "None", "null", "[1]", "{'a': 1}", "'x'", "a\nb", "a\n", "a\n\n", "\r\na\rb",
    "x {{ 1 }} y", "{{ 1 }}{{ 2 }}", "{{ 1 }}.{{ 5 }}", "{{1}}", "{{-1}}", "{{ -1 }}", "{{+1}}", "a {{- 1 -}} b", "a\n{{- 1 }}\n b",
    "a {%- if true -%} b {%- endif -%} c", "a {%+ if true +%} b {% endif %} c", "{# c #}", "a{# c #}b", "a {#- c -#} b", "{# {{ 1 }} #}x",
    "{% raw %}{{ 1 }}{% endraw %}", "a {%- raw -%} {{ 1 }} {%- endraw -%} b", "{{ '{{' }}", "{{ '}}' }}", "{{ '%}' }}", "{{ {'a': {'b': 1}} }}",
    "{{ {'a': {}}}}", "{{ [1,2][0]}}", "{ {1} }", "{ % if % }", "{{ 1 }", "{{ }}", "{{ 1 2 }}", "{{ 1 + }}", "{{ ( }}", "{{ ) }}", "{{ (1] }}",
    "{{ 'a }}", "{{ a b }}", "{% if %}", "{% if true %}", "{% endif %}", "{% nope %}", "{% if true %}a{% endfor %}", "{{ ! }}", "{{ 1 | }}",
    "{{ @ }}", "{{ 'x'|upper() }}", "{{ 'x' | upper | lower }}", "{{ 'x'.upper }}", "{{ 007 }}", "{{ 1.}}", "{{ 1.5.real }}", "{{ .5 }}",
    "{{ é }}", "{% set é = 1 %}{{ é }}", "{{ 'a' if }}", "{{ not }}", "{{ 1 is }}", "{{ 1 is not none }}", "{{ 1 is odd is even }}",
    "{{ 1 is odd and 2 is even }}", "{{ 5 is divisibleby 5 or false }}", "{{ 'a' in 'abc' and 1 }}", "{{ not 'a' in 'abc' }}",
    "{% if config.a %}yes{% else %}no{% endif %}", "{% if config.nope %}yes{% elif config.a == 1 %}elif{% else %}no{% endif %}",
    "{% if config.a > 5 %}1{% elif config.a > 3 %}2{% elif config.a > 0 %}3{% endif %}", "{% if config.s %}x{% endif %}",
    "{% for x in config.list %}{{ x }},{% endfor %}", "{% for x in config.list %}{{ loop.index }}:{{ loop.index0 }}:{{ loop.first }}:{{ loop.last }}:{{ loop.length }}:{{ loop.revindex }}:{{ loop.revindex0 }}|{% endfor %}",
    "{% for x in config.list %}{{ loop.previtem }}<{{ x }}<{{ loop.nextitem }} {% endfor %}", "{% for x in [1,1,2] %}{{ loop.changed(x) }} {% endfor %}",
    "{% for x in config.list %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in config.empty_list %}x{% else %}none{% endfor %}",
    "{% for x in config.list if x > 1 %}{{ x }}{{ loop.length }}{% endfor %}", "{% for x in config.list if x > 9 %}{{ x }}{% else %}e{% endfor %}",
    "{% for k, v in config.nested.items() %}{{ k }}={{ v }}{% endfor %}", "{% for k in config.nested %}{{ k }}{% endfor %}",
    "{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }} {% endfor %}", "{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}", "{% for a, b in [1] %}{{ a }}{% endfor %}",
    "{% for c in 'abc' %}{{ c }}-{% endfor %}", "{% for x in config.nope %}{{ x }}{% else %}nothing{% endfor %}", "{% for x in 5 %}{{ x }}{% endfor %}",
    "{% for x in config.n %}{{ x }}{% endfor %}", "{% for x in range(3) %}{{ x }}{% endfor %}", "{% for x in [1,2,3] %}{% for y in [1,2] %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}",
    "{% for x in [1,2] recursive %}{{ x }}{% endfor %}", "{% for x in [1, [2, [3]]] recursive %}{% if x is iterable %}[{{ loop(x) }}]{% else %}{{ x }}@{{ loop.depth }}{% endif %}{% endfor %}",
    "{% for x in [1] %}{{ loop(x) }}{% endfor %}", "{% for x in [1,2] %}{% set y = x %}{% endfor %}{{ y }}", "{% set y = 0 %}{% for x in [1,2] %}{% set y = x %}{% endfor %}{{ y }}",
    "{% set ns = namespace(t=0) %}{% for x in [1,2,3] %}{% set ns.t = ns.t + x %}{% endfor %}{{ ns.t }}", "{% set x.y = 1 %}", "{% set d = {} %}{% set d.x = 1 %}",
    "{% set x = 5 %}{{ x }}", "{% set x = 5 %}{% set x = x + 1 %}{{ x }}", "{% set a, b = 1, 2 %}{{ b }}{{ a }}", "{% set a, b = [1] %}{{ a }}", "{% set x %}block {{ 1 }}{% endset %}{{ x }}",
    "{% set x | upper %}abc{% endset %}{{ x }}", "{% set x = [] %}{% set _ = x.append(1) %}{% set _ = x.append('b') %}{{ x }}", "{% set d = {} %}{% set _ = d.update({'a': 1}) %}{{ d }}",
    "{% set x = [3,1,2] %}{{ x.sort() }}{{ x }}{{ x.pop() }}{{ x.insert(0, 9) }}{{ x }}{{ x.remove(9) }}{{ x.extend([7]) }}{{ x }}{{ x.reverse() }}{{ x }}{{ x.clear() }}{{ x }}",
    "{% set d = {'a': 1} %}{{ d.setdefault('b', 2) }}{{ d.pop('a') }}{{ d.pop('zz', 'q') }}{{ d }}{{ d.popitem() }}{{ d }}", "{% set true = 1 %}",
    "{% if config.a %}{% set x = 1 %}{% endif %}{{ x }}", "{% if config.a %}{% set x = 1 %}{% else %}{% set x = 2 %}{% endif %}{{ x }}", "{% set x = 0 %}{% if config.a %}{% set x = 1 %}{% endif %}{{ x }}",
    "{% set x = 0 %}{% if config.a %}{% set x = 1 %}{% elif config.b %}{% set x = 2 %}{% else %}{% set x = 3 %}{% endif %}{{ x }}",
    "{% for x in [1] %}{% if x %}{% set q = 2 %}{% endif %}{{ q }}{% endfor %}", "{% for x in [1] %}{{ zz }}{% endfor %}", "{{ zz if false }}", "{% if false %}{{ zz }}{% endif %}",
    "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m() }}", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=2) }}", "{% macro m(n) %}{{ n }}{% if n > 0 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}",
    "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}in{% endcall %}", "{% macro m() %}{{ caller(5) }}{% endmacro %}{% call(x) m() %}{{ x }}!{% endcall %}", "{% macro m() %}{{ config.a }}{% endmacro %}{{ m() }}",
    "{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}", "{{ m() }}{% macro m() %}x{% endmacro %}", "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(3) }}", "{% macro m(a=1, b) %}{% endmacro %}",
    "{% filter upper %}abc {{ config.b }}{% endfilter %}", "{% filter replace('a', 'b')|upper %}aXa{% endfilter %}", "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}", "{% with %}{{ config.a }}{% endwith %}",
    "{% with a = 1 %}{% with b = a %}{{ b }}{% endwith %}{% endwith %}", "{% with a = 1 %}{% endwith %}{{ a }}", "{% set a = 5 %}{% with a = 1 %}{{ a }}{% endwith %}{{ a }}", "{% print 1, 2 %}", "{% block x %}b{{ config.a }}{% endblock %}",
    "{% block x %}1{% endblock %}{{ self.x() }}", "{% set q = 7 %}{% block x %}{{ q }}{% endblock %}", "{% include 'x' %}", "{% import 'x' as y %}{{ y }}", "{% extends 'x' %}", "{% if false %}{% include 'x' %}{% endif %}ok",
    "{% do x %}", "{% break %}", "{% for x in [1] %}{% continue %}{% endfor %}", "{% if true %}{{ 1|nope }}{% endif %}", "{% if false %}{{ 1|nope }}{% endif %}x", "{{ 1|nope if false else 2 }}", "{% for x in [] %}{{ x|nope }}{% endfor %}",
    "{% if false %}{% for x in [] %}{{ x|nope }}{% endfor %}{% endif %}", "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}", "{% set j = joiner('|') %}{{ j() }}a{{ j() }}b",
    "{{ dict(a=1).a }}", "{{ config.users|map(attribute='age')|list }}", "{% set g = [1,2]|map('string') %}{{ g|list }}{{ g|list }}", "{{ [1,2]|map('string')|length }}", "{{ [1]|select('odd') and 'truthy' }}", "{% for i in [1,2,3]|batch(2) %}{{ i }}{% endfor %}",
    "{% for g in config.users|groupby('age') %}{{ g.grouper }}:{{ g.list|map(attribute='name')|join(',') }};{% endfor %}", "{% for age, us in config.users|groupby('age') %}{{ age }}{{ us|length }}{% endfor %}",
    "{{ config.a }}{{ config.b }}", "{{ config.a }} ", " {{ config.a }}", "{{ config.list }}{{ config.list }}", "[{{ config.a }}, {{ config.f }}]", "{\"id\": {{ config.a }}, \"x\": \"{{ config.b }}\"}", "{'id': {{ config.a }} }",
    "{\n  'a': {{ config.list }},\n  'b': None\n}", "{{ config.start_date[:10] }}", "{{ stream_state }}", "x stream_state y", "{{ 'a' }}\n", "{{ config.nope }}", "{{ config.nope }}{{ config.nope.x }}", "a{{ config.nope }}b",
    "{{ config['list'] }}", "{{ config.get('list')[0] + 1 }}", "{{ {'a': config.list, 'b': config.nested} }}", "{{ [record, response] }}", "{{ config.users|list|string }}", "{{ {'a': 1}|string }}", "{{ [1, 'a']|string|length }}",
    "{{ '{{ config.a }}' }}", "{{ 1 + 'a' }}", "{{ [] + 1 }}", "{{ {}['a'] }}", "{{ {}[[]] }}", "{{ {[]: 1} }}", "{{ {'a': 1}[1:2] }}", "{{ 5[0] }}", "{{ 5[1:] }}", "{{ none[0] }}", "{{ 'a'['b'] }}", "{{ [1]['a'] }}", "{{ [1][none] }}", "{{ [1]['append'] }}",
    "{{ max(1, foo=2) }}", "{{ max() }}", "{{ now_utc(1) }}", "{{ day_delta() }}", "{{ 'a'.replace('a') }}", "{{ 'a'|replace('a') }}", "{{ 'a'|default(1, 2, 3) }}", "{{ 'a'|upper(1) }}", "{{ config.get() }}", "{{ 'x'.join() }}", "{{ [1,2]|join(foo=1) }}",
    "{{ 'a'.join(none) }}", "{{ 'a'.split(1) }}", "{{ 'abc'.startswith(1) }}", "{{ 'a' * 'b' }}", "{{ [1] - [1] }}", "{{ {} + {} }}", "{{ {'a':1}.items() + 1 }}", "{{ 'a' / 2 }}", "{{ 'a' ** 2 }}", "{{ -[] }}", "{{ +'a' }}", "{{ 1.5 // 0.0 }}", "{{ 2 ** 0.5 }}", "{{ 1e308 * 10 }}", "{{ 10.0 ** 400 }}",
    "{{ config.users|sort }}", "{{ [1, 'a']|sort }}", "{{ [none, 1]|sort }}", "{{ [none, none]|sort }}", "{{ [[2], [1]]|sort }}", "{{ config.a|first }}", "{{ {}|first }}", "{{ {'a': 1}|first }}", "{{ {'a': 1, 'b': 2}|last }}", "{{ [1,2]|random in [1,2] }}", "{{ []|random }}",
    "{{ 'a'|attr('upper') is callable }}", "{{ config|attr('a') }}", "{{ config|attr('get') is callable }}", "{{ [3,1]|sort|first|string }}", "{{ {'b':2,'a':1}|tojson|string }}", "{{ ({'a': 1}|tojson) ~ '' }}", "{{ 'x' if config.a == 1 and config.b != 'text' or config.t else 'y' }}",
    "{{ 'Bearer ' ~ config.b }}", "{{ config.b + ':' + config.num }}", "{{ (config.b ~ ':' ~ config.num)|base64encode }}", "{{ config['start_date'] if config['start_date'] else day_delta(-30, format='%Y-%m-%d') }}", "{{ record.updated_at|string }}",
    "{{ response.data|selectattr('id', 'equalto', 2)|map(attribute='id')|list|first }}", "{{ response.get('paging', {}).get('next') }}", "{{ response.page + 1 if response.page < 5 else None }}", "{{ response.page >= 3 }}", "{{ not response.has_more }}", "{{ response.data|length < last_page_size }}",
    "{{ stream_slice.start_time ~ '/' ~ stream_slice['end_time'] }}", "{{ stream_partition['parent_id'] }}/items", "/{{ stream_partition.parent_id }}/x/{{ config.a }}", "{{ next_page_token['next_page_token'] if next_page_token else '' }}", "{{ headers['link']['next']['url'] if 'next' in headers['link'] else '' }}",
    "{{ headers.get('link', {}).get('prev', {}).get('url', None) }}", "{{ last_record['id'] if last_record else None }}", "{{ record['tags'] | join(',') if record['tags'] is iterable and record['tags'] is not string else record['tags'] }}", "{{ record.get('meta', {}).get('items') }}", "{{ record['missing'] is defined }}", "{{ 'missing' in record }}",
    "{{ " + "(" * 90 + "1" + ")" * 90 + " }}", "{{ " + "[" * 90 + "]" * 90 + " }}", "{{ " + "-" * 50 + "1 }}", "{{ " + "not " * 90 + "1 }}", "{{ " + "1 + " * 90 + "1 }}", "{{ " + "'a' ~ " * 300 + "'b' }}", "{{ 'x'" + "|upper" * 90 + " }}", "{{ config" + ".nested" * 1 + ".x" * 1 + " }}",
    "{% if true %}" * 40 + "x" + "{% endif %}" * 40,
]

# What costs Python gigabytes or hours, or crashes it, is an error here, soon.
HOSTILE = [
    "{{ 'x' * 30000000 }}", "{{ [0] * 30000000 }}", "{{ 9 ** (9 ** 9) }}", "{{ config.big ** config.big }}", "{% for a in 'x' * 3000 %}{% for b in 'x' * 3000 %}{% endfor %}{% endfor %}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ '%9999999999d' % 1 }}", "{{ '{:9999999999}'.format(1) }}", "{{ 'a'.center(99999999) }}",
]

MAPPINGS = [
    {"a": "{{ config.a }}", "b": "{{ config.nope }}", "c": 5, "d": "x", "{{ config.b }}": "k", "5": "{{ config.list }}", "e": "", "f": "{{ config.s }}"},
    {"a": "{{ config.num }}", "n": None, "t": True, "l": ["{{ config.a }}"], "x": "'5'", "y": "None", "z": "{{ config.n }}"},
    {"{{ config.nope }}": 1}, {"{{ config.s }}": "{{ config.b }}"}, {}, {"'q'": "'q'"}, {"a": "{{ 1 + 'a' }}"}, {"a": "{{ nope }}"},
]
NESTED = MAPPINGS + [
    {"a": {"b": ["{{ config.a }}", {"c": "{{ config.nope }}", "d": "{{ config.n }}"}, None, "{{ config.nope }}"], "n": None}, "{{ config.a }}": 1, "x": 1.50, "y": False},
    "{{ config.nested }}", ["{{ config.a }}", "None"], 5, None, True, {"{{ [1] }}": 1}, {"1": "a", "{{ 1 }}": "b"}, {"True": "a", "1": "b", "1.0": "c"},
]

DATES = ["2021-01-31T10:20:30.123456+00:00", "2021-01-31T10:20:30.000001-05:30", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z",
         "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2024-02-29T12:00:00", "2021-06-15", "2262-04-11T23:47:16.854775Z"]
FORMATS = ["%s", "%ms", "%s_as_float", "%epoch_microseconds", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S.%_ms%z", "%Y-%m-%d",
           "%Y%m%d", "modified_since:gte:%Y-%m-%dT%H:%M:%S", "%d/%m/%y %I:%M %p", "%a %b %d %H:%M:%S %Y", "%c", "%x %X", "%j %U %W", "%G-W%V-%u",
           "%Z%z", "%-d.%-m.%Y", "%e|%k|%l", "%", "%Q", "%%Y", "é%Y", "%s.%f", "%H%M%S%f", "", "%B %A", "%^a %_d %010Y"]
PARSED = [
    ("1609459200", "%s"), ("-5", "%s"), ("1609459200.5", "%s"), ("x", "%s"), (" 12 ", "%s"), ("1_0", "%s"), ("1609459200.123456", "%s_as_float"), ("1e3", "%s_as_float"), ("nan", "%s_as_float"),
    ("1609459200123", "%ms"), ("1609459200123456", "%epoch_microseconds"), ("2021-01-31T10:20:30.123Z", "%Y-%m-%dT%H:%M:%S.%_msZ"), ("2021-01-31T10:20:30.123456Z", "%Y-%m-%dT%H:%M:%S.%fZ"),
    ("2021-01-31T10:20:30.1+02:00", "%Y-%m-%dT%H:%M:%S.%f%z"), ("2021-01-31T10:20:30Z", "%Y-%m-%dT%H:%M:%S%z"), ("2021-01-31T10:20:30+0530", "%Y-%m-%dT%H:%M:%S%z"), ("2021-01-31T10:20:30+05:30:15", "%Y-%m-%dT%H:%M:%S%z"),
    ("2021-01-31T10:20:30z", "%Y-%m-%dT%H:%M:%S%z"), ("2021-01-31", "%Y-%m-%d"), ("2021-1-3", "%Y-%m-%d"), ("2021-02-30", "%Y-%m-%d"), ("2021-13-01", "%Y-%m-%d"), ("20210131", "%Y%m%d"), ("2021131", "%Y%m%d"), ("21-01-31", "%y-%m-%d"),
    ("69-01-31", "%y-%m-%d"), ("31 Jan 2021", "%d %b %Y"), ("31 january 2021", "%d %B %Y"), ("Sun Jan 31 10:20:30 2021", "%a %b %d %H:%M:%S %Y"), ("Sun Jan 31 10:20:30 2021", "%c"), ("01/31/21", "%x"), ("10:20 PM", "%I:%M %p"), ("12:20 am", "%I:%M %p"),
    ("2021 31", "%Y %j"), ("2021 366", "%Y %j"), ("2021-W05-3", "%G-W%V-%u"), ("2021 05 3", "%Y %U %w"), ("2021 05 1", "%Y %W %w"), ("2021 5", "%Y %V"), ("10:20:60", "%H:%M:%S"), ("10:20:61", "%H:%M:%S"), ("24:00", "%H:%M"), ("  2021", " %Y"), ("2021", "%Y "),
    ("2021 \t01", "%Y %m"), ("2021x", "%Y"), ("x2021", "%Y"), ("2021", "%Y%Y"), ("2021", "%Q"), ("2021", "%"), ("50%", "%S%%"), ("UTC 2021", "%Z %Y"), ("gmt 2021", "%Z %Y"), ("CET 2021", "%Z %Y"), ("0000-01-01", "%Y-%m-%d"), ("", ""), ("Feb 29", "%b %d"),
    ("may 5 2021", "%B %d %Y"), ("2021-01-31T10:20:30", "%Y-%m-%dt%H:%M:%S"), ("a.b+2021", "a.b+%Y"), ("2021-01-31T1:2:3", "%Y-%m-%dT%H:%M:%S"), ("1 2 2021", "%d %m %Y"), (" 1 2021", "%d %Y"), ("111", "%m%d"), ("2021-01-31T10:20:30+24:00", "%Y-%m-%dT%H:%M:%S%z"),
]


def table():
    for text in EXPRESSIONS:
        yield {"how": "eval", "text": "{{ " + text + " }}", "scope": SCOPE, "now": NOW}
    for text in TEMPLATES + EXPRESSIONS:
        yield {"how": "eval", "text": text, "scope": SCOPE, "now": NOW}
    for text in TEMPLATES + ["{{ " + text + " }}" for text in EXPRESSIONS]:
        yield {"how": "string", "text": text, "scope": SCOPE, "now": NOW}
        yield {"how": "boolean", "text": text, "scope": SCOPE, "now": NOW}
        for types in (1 | 16, 2, 4, 8, 1):
            yield {"how": "eval", "text": text, "types": types, "scope": SCOPE, "now": NOW}
        yield {"how": "eval", "text": text, "default": "{{ config.num }}", "scope": SCOPE, "now": NOW}
    for mapping in MAPPINGS:
        for types in (0, 1 | 16):
            yield {"how": "mapping", "text": mapping, "types": types, "scope": SCOPE}
    for mapping in NESTED:
        yield {"how": "nested", "text": mapping, "scope": SCOPE}
    for date in DATES:
        for format in FORMATS:
            yield {"how": "format", "text": date, "default": format}
    for text, format in PARSED:
        yield {"how": "parse", "text": text, "default": format}


# --- generated ---------------------------------------------------------------------------------------------

ATOMS = ["0", "1", "2", "3", "-1", "1.5", "0.1", "1e3", "10", "'a'", "'b'", "''", "'1'", "'x y'", "'A,b'", "none", "true", "false", "[]", "{}", "()", "[1, 2]", "[3, 'a']",
         "{'a': 1}", "(1, 2)", "config.a", "config.b", "config.f", "config.n", "config.nope", "config.list", "config.names", "config.nested", "config.nested.x.y",
         "config.users", "config.num", "config.s", "config.t", "config.big", "config.uni", "record", "record.id", "record.tags", "record.meta", "stream_slice", "response.data",
         "last_record", "parameters.name", "duration('P1D')", "duration('P1M')", "str_to_datetime('2021-03-31T01:02:03Z')", "now_utc()", "today_utc()", "'2021-01-01'"]
# Slices of constants that cannot be cut are undefined or a TypeError, depending on what Jinja folded before.
SLICED = ["config.a", "config.b", "config.uni", "config.list", "config.nested", "config.nope", "record.tags", "record", "config.n", "'abc'", "[1, 2, 3]"]
BINARY = ["+", "-", "/", "//", "%", "~", "==", "!=", "<", ">", "<=", ">=", "in", "not in", "and", "or"]
FILTERS = ["abs", "int", "float", "round", "string", "upper", "lower", "title", "capitalize", "trim", "length", "first", "last", "list", "join", "join('-')", "sort", "unique|list", "reverse|list",
           "max", "min", "sum", "default('d')", "default('d', true)", "tojson", "escape", "safe", "replace('a', 'b')", "batch(2)|list", "slice(2)|list", "map('string')|list", "select|list", "reject('none')|list",
           "map(attribute='name')|list", "selectattr('id')|list", "items|list", "dictsort", "urlencode", "hash", "base64encode", "wordcount", "center(7)", "indent", "truncate(3, true, '')", "format(1)", "groupby('age')",
           "regex_search('([a-z])')", "regex_replace('[0-9]', '#')", "hmac('k')", "filesizeformat", "striptags", "sort(reverse=true)", "int(5)", "round(1)", "float(0)", "attr('real')", "xmlattr", "count", "e", "forceescape"]
TESTS = ["defined", "undefined", "none", "string", "number", "mapping", "sequence", "iterable", "boolean", "integer", "float", "odd", "even", "lower", "upper", "true", "false", "divisibleby 2", "eq 1", "in [1, 'a', none]", "sameas none", "callable", "escaped", "gt 1"]
POSTFIX = [".a", ".x", "[0]", "[-1]", "['a']", ".get('a')", ".keys()|list", ".values()|list", ".items()|list", ".upper()", ".split(',')", ".strip()", ".replace('a', 'z')", ".startswith('a')", ".join(['x', 'y'])", ".isoformat()",
           ".strftime('%Y/%m')", ".days", ".total_seconds()", ".year", ".id", ".name", ".real", ".count('a')", ".index(1)", ".copy()", ".format(1, 2)", ".0"]


def expression(rng, depth):
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(ATOMS)
    kind = rng.randrange(9)
    inner = lambda: expression(rng, depth - 1)  # noqa: E731
    if kind <= 2 and rng.random() < 0.15:  # what multiplies is small: Python has no limits
        return f"({inner()} {rng.choice(['*', '*', '**'])} {rng.choice(['0', '1', '2', '3', '-1', '0.5', 'config.n', 'config.nope', 'true', '[]'])})"
    if kind <= 2:
        return f"({inner()} {rng.choice(BINARY)} {inner()})"
    if kind == 3:
        return f"({inner()} | {rng.choice(FILTERS)})"
    if kind == 4:
        return f"({inner()} is {rng.choice(['', 'not '])}{rng.choice(TESTS)})"
    if kind == 5:
        return f"{inner()}{rng.choice(POSTFIX)}" if rng.random() < 0.5 else f"({inner()}){rng.choice(POSTFIX)}"
    if kind == 6 and rng.random() < 0.2:
        return f"{rng.choice(SLICED)}{rng.choice(['[1:]', '[::-1]', '[-2:]', '[:1]', '[::2]'])}"
    if kind == 6:
        return f"({inner()} if {inner()} else {inner()})"
    if kind == 7:
        return rng.choice([f"[{inner()}, {inner()}]", f"({inner()},)", f"{{'k': {inner()}}}", f"-{inner()}", f"(not {inner()})"])
    return rng.choice([f"max({inner()}, {inner()})", f"min({inner()})", f"timestamp({inner()})", f"format_datetime({inner()}, '%Y-%m-%d')", f"dict(a={inner()})",
                       f"str_to_datetime({inner()})", f"day_delta({inner()})", f"duration({inner()})"])


def statement(rng, depth):
    value = lambda: expression(rng, rng.randrange(depth + 1))  # noqa: E731
    kind = rng.randrange(8)
    body = "{{ %s }}" % value() if depth == 0 else statement(rng, depth - 1)
    sign = rng.choice(["", "", "-", "+"])
    if kind == 0:
        return "{%% if %s %s%%} %s {%%%s else %%}n{%% endif %%}" % (value(), rng.choice(["", "-"]), body, sign)
    if kind == 1:
        return "{%% for x in %s %%}{{ x }}%s{%% else %%}e{%% endfor %%}" % (value(), body)
    if kind == 2:
        return "{%% set v = %s %%}%s{{ v }}" % (value(), body)
    if kind == 3:
        return "{%% for x in %s if x %%}{{ loop.index }}{{ x }}{%% set y = x %%}{{ y }}{%% endfor %%}%s" % (value(), body)
    if kind == 4:
        return "{%% filter %s %%}%s{%% endfilter %%}" % (rng.choice(["upper", "trim", "lower|title", "replace('a', 'b')"]), body)
    if kind == 5:
        return "{%% with w = %s %%}%s{{ w }}{%% endwith %%}" % (value(), body)
    if kind == 6:
        return "{%% macro m(p, q=1) %%}{{ p }}%s{{ q }}{%% endmacro %%}{{ m(%s) }}" % (body, value())
    return " {{%s %s }} %s" % (rng.choice(["", "-"]), value(), body)


LITERALS = ["1", "-", "+", "'a'", '"', "'", "[", "]", "(", ")", "{", "}", ",", ":", " ", "\n", "True", "None", "x", "0", ".", "e5", "b'", "_", "0x", "#", "\\", "set()", "1.5", "'a': ", "..."]


def generated(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        kind = rng.randrange(10)
        if kind < 6:
            text = "{{ %s }}" % expression(rng, rng.randrange(1, 4))
        elif kind < 8:
            text = statement(rng, rng.randrange(0, 3))
        elif kind < 9:
            text = "".join(rng.choice(LITERALS) for _ in range(rng.randrange(1, 9)))
            yield {"how": "literal", "text": text, "types": rng.choice([0, 0, 17])}
            continue
        else:
            text = rng.choice(["", "a ", " "]) + "{{ %s }}" % expression(rng, 1) + rng.choice(["", " b", "\n", "{{ %s }}" % expression(rng, 1)])
        yield {"how": rng.choice(["eval", "eval", "eval", "string", "boolean"]), "text": text, "types": rng.choice([0, 0, 0, 17, 2]), "scope": SCOPE, "now": NOW}
