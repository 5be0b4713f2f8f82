"""YAML with places: every value is found where it stands, and no text crashes the reader."""

import math

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from osiris_sql.support.yamlfile import read_yaml


def read(text):
    file, found = read_yaml(text, "f.yml")
    assert not found, found
    return file


def mistakes(text):
    return [f"{d.location} {d.rule}: {d.message}" for d in read_yaml(text, "f.yml")[1]]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", None),
        ("# only a comment", None),
        ("a: 1", {"a": 1}),
        ("a: [1, 2.5, true, null, x, '1']", {"a": [1, 2.5, True, None, "x", "1"]}),
        ("a: 2020-01-01", {"a": "2020-01-01"}),
        ("a: 2020-01-01 10:00:00", {"a": "2020-01-01 10:00:00"}),
        ("a: ${NAME}", {"a": "${NAME}"}),
        ("a: '${PORT:-3306}'", {"a": "${PORT:-3306}"}),
        ("on: 1\n2: b\ntrue: c", {"on": 1, "2": "b", "true": "c"}),
        ("a: yes", {"a": True}),
        ("a: =", {"a": "="}),
        ("a: |\n  select 1\n  -- é\n", {"a": "select 1\n-- é\n"}),
        ("\ufeffa: 1", {"a": 1}),
        ("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}", {"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}}),
        (
            "x: &x {a: 1}\nz: &z {b: 2, a: 9}\ny: {<<: [*x, *z]}",
            {"x": {"a": 1}, "z": {"b": 2, "a": 9}, "y": {"a": 1, "b": 2}},
        ),
        ("x: &x [1]\ny: *x", {"x": [1], "y": [1]}),
    ],
)
def test_values_are_plain_data(text, data):
    assert read(text).data == data


TEXT = """\
version: 1
sources:
  - name: cinema
    tables: [{name: movies, columns: [id, "title"]}]
  - name: "thé"   # a comment
    description: |
      two
      lines
    empty:
"""


@pytest.mark.parametrize(
    ("path", "key", "place", "length"),
    [
        ((), False, "f.yml:1:1", 1),
        (("version",), True, "f.yml:1:1", 7),
        (("version",), False, "f.yml:1:10", 1),
        (("sources",), False, "f.yml:3:3", 1),
        (("sources", 0), False, "f.yml:3:5", 1),
        (("sources", 0, "name"), True, "f.yml:3:5", 4),
        (("sources", 0, "name"), False, "f.yml:3:11", 6),
        (("sources", 0, "tables", 0, "columns", 1), False, "f.yml:4:43", 7),
        (("sources", 1, "name"), False, "f.yml:5:11", 5),
        (("sources", 1, "description"), False, "f.yml:6:18", 1),
        (("sources", 1, "empty"), False, "f.yml:9:5", 5),
        (("sources", 1, "nothing", "below"), True, "f.yml:5:5", 1),
        (("sources", 7), False, "f.yml:3:3", 1),
        (("version", "x"), True, "f.yml:1:10", 1),
    ],
)
def test_a_path_has_a_place(path, key, place, length):
    found = read(TEXT).at(path, key=key)
    assert (str(found), found.length) == (place, length)


def test_a_merged_value_stands_where_it_was_written():
    file = read("x: &x\n  a: 1\ny:\n  <<: *x\n  b: 2")
    assert str(file.at(("y", "a"))) == "f.yml:2:6"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\na: 2", ['f.yml:2:1 duplicate-key: duplicate key "a"']),
        (
            "{b: 1, b: 2, b: 3}",
            ['f.yml:1:8 duplicate-key: duplicate key "b"', 'f.yml:1:14 duplicate-key: duplicate key "b"'],
        ),
        ("a: !foo 1", ["f.yml:1:4 invalid-value: the YAML tag !foo is not supported"]),
        (
            "a: !!python/name:os.system x",
            ["f.yml:1:4 invalid-value: the YAML tag !!python/name:os.system is not supported"],
        ),
        ("a: !!set {b, c}", ["f.yml:1:4 invalid-value: the YAML tag !!set is not supported"]),
        ("a: !!int x", ["f.yml:1:4 invalid-value: this is not a whole number"]),
        ("a: .nan", ["f.yml:1:4 invalid-value: a number must be finite"]),
        ("a: 0b_", ["f.yml:1:4 invalid-value: this is not a whole number"]),
        ("? [a]\n: 1", ["f.yml:1:3 invalid-value: a key must be text"]),
        ("a: &a [*a]", ["f.yml:1:4 invalid-value: this alias stands inside what it names"]),
    ],
)
def test_what_can_not_be_data_is_reported_in_place(text, found):
    assert mistakes(text) == found


@pytest.mark.parametrize(
    ("text", "place", "fix"),
    [
        ("a:\n\t- b", "f.yml:2:1", "indent with spaces, not with tabs"),
        ("a: b: c", "f.yml:1:5", "put a text that holds a colon in quotes"),
        ("a: [1,\n", "f.yml:1:7", ""),
        ("a: 'x", "f.yml:1:4", ""),
        ("a: *nowhere", "f.yml:1:4", ""),
        ("a: 1\n--- \nb: 2", "f.yml:2:1", ""),
        ("a: 1\n<<<<<<< HEAD\nb: 2", "f.yml:2:1", "finish the merge"),
        ("a: 1\nb: é\x07 x", "f.yml:2:5", 'inside double quotes write it as an escape, such as "\\x07"'),
        ("[" * 100_000, "f.yml:1:1", ""),
        ("- " * 100_000, "f.yml:1:1", ""),
        ("\n".join("  " * depth + "a:" for depth in range(800)), "f.yml:1:1", ""),
    ],
)
def test_a_syntax_error_has_a_place_and_no_data(text, place, fix):
    file, [found] = read_yaml(text, "f.yml")
    assert file is None
    assert found.rule == "yaml-syntax"
    assert str(found.location) == place
    assert found.fix == fix


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=6)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | names
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dates().map(str)
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def leaves(data, path=()):
    """Yield the path and value of everything in plain data that holds nothing else."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else None
    if inner is None:
        yield path, data
    else:
        for step, value in inner:
            yield from leaves(value, (*path, step))


def cut(text, place):
    line = text.split("\n")[place.line - 1]
    return line[place.column - 1 :][: place.length]


@given(documents, st.sampled_from([True, False, None]), st.sampled_from([None, "'", '"']))
def test_every_value_and_key_stands_at_its_place(data, flow, quotes):
    text = yaml.safe_dump(
        data, default_flow_style=flow, default_style=quotes, allow_unicode=True, width=math.inf
    )
    file = read(text)
    assert file.data == data
    for path, value in leaves(data):
        place = file.at(path)
        written = cut(text, place)
        # A date is the one thing that safe_load would not give back as the text that was written.
        loaded = yaml.load(written, yaml.BaseLoader) if isinstance(value, str) else yaml.safe_load(written)
        assert loaded == value or (value in ("", None) and len(written) <= 2)
        if path and isinstance(path[-1], str):
            assert yaml.load(cut(text, file.at(path, key=True)), yaml.BaseLoader) == path[-1]


@given(st.text(max_size=40) | st.text("ab: -[]{}&*!<>|?'\"#%\n\t,.0_~=", max_size=40))
@example("a: 9" * 5000)
@example("\x00")
@example("&a [*a]")
@example("? ? ? x")
@example("%YAML 9.9\n---\n")
@example("a: " + "9" * 5000)
def test_no_text_crashes_the_reader(text):
    file, found = read_yaml(text, "f.yml")
    assert file is not None or found
    for diagnostic in found:
        assert diagnostic.location.path == "f.yml"
        assert diagnostic.location.line >= 1
        assert diagnostic.location.column >= 1
    if file and not found:
        assert yaml.safe_dump(file.data)
        for path, _ in leaves(file.data):
            assert file.at(path).line <= len(text.splitlines()) + 1
