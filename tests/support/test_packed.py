"""Packed nouns are what they were, whatever they hold."""

import datetime
from collections.abc import Mapping

import pytest

from osiris_sql.support import wire
from osiris_sql.support.packed import pack, recall, unpack
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.manifest import ColumnInput, ColumnLineage, Reason
from osiris_sql.types.noun import Json, noun
from osiris_sql.types.project import FixtureRows, Project
from osiris_sql.types.relation import Column, RelationRef, TableSchema

PLACE = Location(path="a.sql", line=1)


@noun
class Everything:
    """A noun of each shape that nouns have."""

    relation: RelationRef
    schemas: Mapping[str, TableSchema] | None = None
    free: Json = None


NOUNS = [
    PLACE,
    ColumnInput(node="model:é", column='"'),
    ColumnLineage(column="a", inputs=None),
    ColumnLineage(column="a", inputs=(ColumnInput(node="n", column="c"),)),
    Reason(rule="r", verdict="proved", message="m", location=PLACE),
    TableSchema(columns=(Column(name="a", type="INTEGER", nullable=False),), key=("a",)),
    FixtureRows(input="x", rows="select 1", location=PLACE),
    FixtureRows(input="x", rows=({"a": 1, "b": None, "c": [1.5, True, {"d": "x"}]},), location=PLACE),
    Everything(
        relation=RelationRef("main", "x"),
        schemas={"b": TableSchema(columns=()), "a": TableSchema(columns=(Column(name="a", type="T"),))},
        free={"b": 1, "a": [0.5, 10**30]},
    ),
]


@pytest.mark.parametrize(
    "value", [*NOUNS, Everything(relation=RelationRef("main", "x"), free=[float("inf")])]
)
def test_what_was_packed_comes_back(value: object) -> None:
    back = unpack(type(value), pack(value))
    assert (back, repr(back)) == (value, repr(value))


@pytest.mark.parametrize("value", NOUNS)
def test_what_was_written_by_the_wire_comes_back_too(value: object) -> None:
    assert recall(type(value), wire.to_json(value)) == value


def test_a_field_that_was_not_there_then_has_its_default() -> None:
    text = '{"columns": [{"name": "a", "type": "T"}]}'
    assert recall(TableSchema, text) == TableSchema(columns=(Column(name="a", type="T"),))


def test_what_json_can_not_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        pack(Everything(relation=RelationRef("main", "x"), free={"since": datetime.date(2026, 1, 1)}))


def test_nouns_of_the_program_can_be_packed() -> None:
    from compile.films import project

    made = project({"a": "select 1 as id"}, macros={"m": "x"})
    assert repr(unpack(Project, pack(made))) == repr(made)
