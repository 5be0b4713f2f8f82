"""Nouns cross the border as canonical JSON, and come back equal."""

import json
import subprocess
import sys
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from osiris_sql.support.wire import (
    dump_canonical,
    dump_lines,
    from_json,
    json_schema,
    to_data,
    to_document,
    to_json,
)
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.event import Event, StepFinished, StepStarted
from osiris_sql.types.plan import Extract, Plan
from osiris_sql.types.relation import Column, RelationRef, TableSchema

texts = st.text(max_size=8)
columns = st.builds(Column, name=texts, type=texts, nullable=st.booleans(), description=texts)
schemas = st.builds(TableSchema, columns=st.tuples(columns, columns), key=st.tuples(texts))
locations = st.builds(
    Location, path=texts, line=st.none() | st.integers(1, 9), column=st.none() | st.integers(1, 9)
)
diagnostics = st.builds(
    Diagnostic,
    rule=texts,
    message=texts,
    severity=st.sampled_from(["error", "warning", "info"]),
    location=st.none() | locations,
)
extracts = st.builds(
    Extract,
    id=texts,
    node=texts,
    decision=st.sampled_from(["run", "reuse"]),
    why=texts,
    relation=st.builds(RelationRef, texts, texts),
    connection=texts,
    identifier=texts,
    columns=st.tuples(columns),
    files=st.dictionaries(texts, texts, max_size=2),
    fingerprint=texts,
    location=locations,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)
events = st.builds(
    Event,
    seq=st.integers(0, 9),
    at=texts,
    body=st.builds(StepStarted, step=texts)
    | st.builds(
        StepFinished, step=texts, status=st.just("success"), facts=st.dictionaries(texts, json_values)
    ),
)


@given(schemas | diagnostics | extracts | events)
def test_a_noun_comes_back_equal(noun):
    text = to_json(noun)
    assert from_json(type(noun), text) == noun
    assert from_json(type(noun), to_document(noun)) == noun
    assert from_json(type(noun), text.encode()) == noun
    assert to_json(from_json(type(noun), text)) == text


@given(schemas | diagnostics | extracts | events)
def test_what_is_written_is_what_pydantic_would_write(noun):
    written = TypeAdapter(type(noun)).dump_python(noun, mode="json")
    assert to_data(noun) == written == json.loads(to_json(noun)) == json.loads(to_document(noun))


def test_a_date_that_a_person_wrote_is_text():
    assert to_json({"begin": date(2026, 1, 31)}) == '{"begin":"2026-01-31"}'
    assert to_data([date(2026, 1, 31)]) == ["2026-01-31"]


@given(st.dictionaries(texts, json_values))
def test_canonical_text_has_one_line_sorted_keys_and_only_ascii(value):
    text = dump_canonical(value)
    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text) == value
    assert dump_canonical(dict(reversed(value.items()))) == text


@pytest.mark.parametrize(
    ("levels", "text"),
    [
        (0, '{"a":[{"b":1}],"c":{}}'),
        (1, '{\n "a": [{"b":1}],\n "c": {}\n}'),
        (2, '{\n "a": [\n  {"b":1}\n ],\n "c": {}\n}'),
        (3, '{\n "a": [\n  {\n   "b": 1\n  }\n ],\n "c": {}\n}'),
    ],
)
def test_a_document_has_a_line_for_each_entry_of_so_many_levels(levels, text):
    assert dump_lines({"c": {}, "a": [{"b": 1}]}, levels) == text


@given(st.dictionaries(texts, json_values), st.integers(0, 4))
def test_lines_change_nothing_but_blanks(value, levels):
    assert dump_canonical(json.loads(dump_lines(value, levels))) == dump_canonical(value)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_json_lacks_are_refused(number):
    with pytest.raises(ValueError):
        dump_canonical({"x": number})


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (Column, '{"name": "a", "type": "INT", "typo": 1}'),
        (Column, '{"name": "a"}'),
        (Column, '{"name": 1, "type": "INT"}'),
        (Column, "[]"),
        (Column, "not json"),
        (Event, '{"seq": 0, "at": "", "body": {"kind": "step_strated", "step": "a"}}'),
    ],
)
def test_what_does_not_fit_is_refused(cls, text):
    with pytest.raises(ValidationError):
        from_json(cls, text)


def test_the_body_of_an_event_is_told_by_its_kind():
    with pytest.raises(ValidationError) as failure:
        from_json(Event, '{"seq": 0, "at": "", "body": {"kind": "step_started"}}')
    assert [error["loc"] for error in failure.value.errors()] == [("body", "step_started", "step")]


def test_plain_data_is_what_json_would_hold():
    assert to_data(RelationRef("main", "a")) == ["main", "a"]
    assert to_data(Location(path="a", line=1)) == {"path": "a", "line": 1, "column": None, "length": 1}


def test_types_have_a_json_schema():
    assert json_schema(Plan)["additionalProperties"] is False


def test_the_same_bytes_under_any_hash_seed():
    program = (
        "from osiris_sql.support.wire import to_json\n"
        "from osiris_sql.types.event import StepFinished\n"
        "names = {'b', 'a', 'c', 'é'}\n"
        "print(to_json(StepFinished(step='s', status='success', facts={n: 1 for n in names})))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "LC_ALL": locale},
            capture_output=True,
            check=True,
        ).stdout
        for seed, locale in [("0", "C"), ("1", "C.UTF-8"), ("2", "C")]
    }
    assert len(runs) == 1
