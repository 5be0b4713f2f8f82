"""Data tests on what arrived in a target: written for DuckDB, asked of PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from sqlglot import Dialect, exp
from sqlglot.errors import SqlglotError

from osiris_sql.compile.columns import Binder
from osiris_sql.compile.data_tests.arguments import given_arguments, unquoted
from osiris_sql.compile.data_tests.built_in import BuiltIn
from osiris_sql.compile.data_tests.generic import find_test, render_generic
from osiris_sql.compile.data_tests.mistakes import TestMistakeError
from osiris_sql.compile.data_tests.scope import TestScope
from osiris_sql.compile.data_tests.settings import compiled_settings, is_enabled
from osiris_sql.compile.data_tests.values import named_columns
from osiris_sql.compile.fingerprint import fingerprint
from osiris_sql.compile.known import Known
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledTest
from osiris_sql.types.project import DataTest, Publication
from osiris_sql.types.relation import RelationRef, TableSchema

PROVEN = frozenset(
    {
        "accepted_range",
        "accepted_values",
        "at_least_one",
        "expression_is_true",
        "mean_between",
        "not_constant",
        "not_empty_string",
        "not_null",
        "relationships",
        "row_count_between",
        "sequential_values",
        "sum_between",
        "unique",
        "unique_combination_of_columns",
    }
)
"""Tests whose outcome on a real PostgreSQL is that of DuckDB, row for row (tests/targets/test_arrived.py)."""

_ORDERED = frozenset({"accepted_range", "sequential_values"})
"""Tests that compare by size, which for text is another order in each database."""

_ADDING = frozenset({"sum_between", "mean_between"})

_COUNTING = frozenset({"at_least_one", "not_null", "row_count_between"})
"""Tests that compare no values."""

_COMPARED_OTHERWISE = re.compile(r"FLOAT|JSON|VARIANT|\[|^(STRUCT|MAP|UNION|TUPLE)\(|^TIME WITH")
"""Types of columns that PostgreSQL compares otherwise: `real` as double precision, `jsonb` by its meaning,
times of a zone by the zone too."""

_SPACES = "".join(map(chr, [0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000]))
"""What DuckDB's `trim` takes away; PostgreSQL's takes a blank alone."""

_NUMBERS = "INT", "DECIMAL", "FLOAT", "DOUBLE"
_SIZES = *_NUMBERS, "DATE", "TIMESTAMP"

_PLAIN = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg, exp.Not, exp.Is),
    *(exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between),
    *(exp.NullSafeEQ, exp.NullSafeNEQ),
)
"""What a person may write in a condition: no function, no cast, no arithmetic."""

_DUCKDB, _POSTGRES = Dialect.get_or_raise("duckdb"), Dialect.get_or_raise("postgres")


class ArrivedTests:
    """Compiles the tests that are declared in targets.yml, for targets that are PostgreSQL."""

    def __init__(self, scope: TestScope) -> None:
        self._scope = scope
        self._ends = {c.name: c for c in scope.project.connections if c.role == "target"}

    def compile(self, test: DataTest) -> CompiledTest | None:
        """Return a test in PostgreSQL's SQL, None for one that is off or whose model is broken.

        Raises TestMistakeError, also for what is not on the proven list.
        """
        publication = self._publications[test.node]
        model = self._scope.known.get(f"model:{publication.model}")
        if model is None or not is_enabled(dict(test.config)):
            return None
        definition = find_test(test, {}, self._scope.project.name)
        found = [*self._refusals(test, definition, publication, model)]
        if found or not isinstance(definition, BuiltIn):
            raise TestMistakeError(*found)
        table = replace(model, node=test.node, relation=self._relation(publication), inlined=None)
        self._binder.create_table(table.relation, table.schema)
        scope = replace(self._scope, binder=self._binder, known={test.node: table})
        rendered, _ = render_generic(self._with_table(test, publication), definition, scope)
        sql = _to_postgres(rendered.sql or "", test)
        config = compiled_settings(dict(test.config))
        outcome = {key: value for key, value in config.items() if key != "tags"}
        return CompiledTest(
            name=test.name,
            node=test.node,
            column=test.column,
            test=definition.name,
            sql=sql,
            reads=(test.node,),
            columns_read={},
            fingerprint=fingerprint(sql, outcome),
            description=test.description,
            location=test.location,
            **config,
        )

    def _relation(self, publication: Publication) -> RelationRef:
        default = self._ends[publication.connection].options.get("schema") or "public"
        return RelationRef(publication.schema or str(default), publication.table)

    @cached_property
    def _binder(self) -> Binder:
        """An own one: a target's schema may have the name of a source."""
        return Binder()

    @cached_property
    def _publications(self) -> dict[str, Publication]:
        return {publication.node: publication for publication in self._scope.project.publications}

    def _refusals(
        self, test: DataTest, definition: object, publication: Publication, model: Known
    ) -> Iterator[Diagnostic]:
        kind = self._ends[publication.connection].type
        name = definition.name if isinstance(definition, BuiltIn) else test.test
        if kind != "supabase":
            yield _refused(test, f'a target of type "{kind}" can\'t be tested: only one in PostgreSQL can')
        elif name not in PROVEN:
            why = f"proven to mean the same in PostgreSQL: {', '.join(sorted(PROVEN))}"
            yield _refused(test, f'the test "{test.test}" can\'t run in a target', why)
        elif name in _ORDERED and not _is_of(_SIZES, test, model):
            why = "PostgreSQL may order text otherwise"
            yield _refused(test, f'the test "{test.test}" compares text by its order', why)
        elif name in _ADDING and not _is_of(_NUMBERS, test, model):
            yield _refused(test, f'the test "{test.test}" adds up what is no number')
        elif compared := _compared_otherwise(test, name, model):
            yield _refused(test, f"it compares {compared}, which PostgreSQL does otherwise")
        if test.config.get("store_failures"):
            yield _refused(test, "store_failures has no place in a target")
        for label, text in self._conditions(test, definition):
            # With a column declared, an expression is what follows its name: "> 0".
            if not (_is_plain(text) or _is_plain(f"x {text}")):
                message = f'"{label}" holds more than comparisons of columns with values: {text}'
                yield _refused(test, message, "nothing else is proven to mean the same in PostgreSQL")

    def _conditions(self, test: DataTest, definition: object) -> Iterator[tuple[str, str]]:
        if test.config.get("where") is not None:
            yield "where", str(test.config["where"])
        arguments = definition.arguments.values() if isinstance(definition, BuiltIn) else ()
        for argument in arguments:
            given = test.arguments.get(argument.name)
            if argument.type == "sql" and isinstance(given, str):
                yield argument.name, given

    def _with_table(self, test: DataTest, publication: Publication) -> DataTest:
        """Return a test with the other table that it names as SQL, if the target has it."""
        if "to" not in given_arguments(test):
            return test
        named = str(test.arguments["to"])
        others = [p for p in self._publications.values() if p.target == publication.target]
        other = next((p for p in others if named in (p.table, f"{p.schema}.{p.table}")), None)
        if other is None:
            known = ", ".join(p.table for p in others)
            message = f'"{named}" is no table of the target {publication.target}'
            raise TestMistakeError(_refused(test, message, f"its tables: {known}"))
        return replace(test, arguments={**test.arguments, "to": self._relation(other).sql})


def _is_of(types: tuple[str, ...], test: DataTest, model: Known) -> bool:
    found = model.schema.type_of(unquoted(test.column)) if test.column else None
    return found is None or any(found.lstrip("U").startswith(name) or name in found for name in types)


def _compared_otherwise(test: DataTest, name: str, model: Known) -> str:
    """Return the columns that a test compares and the two databases do not alike, or nothing."""
    columns = tuple(c for c in model.schema.columns if _COMPARED_OTHERWISE.search(c.type))
    texts = [] if name in _COUNTING else [test.column or "", *map(str, test.arguments.values())]
    named = named_columns(TableSchema(columns=columns), [*texts, str(test.config.get("where") or "")])
    return named if columns and named != "1" else ""


def _is_plain(text: str) -> bool:
    try:
        tree = _DUCKDB.parse(text)[0]
    except SqlglotError:
        return False
    return tree is not None and all(isinstance(node, _PLAIN) for node in tree.walk())


def _to_postgres(sql: str, test: DataTest) -> str:
    try:
        tree = _DUCKDB.parse(sql)[0] or exp.Select()
        for number, query in enumerate(tree.find_all(exp.Subquery)):
            if isinstance(query.parent, exp.From | exp.Join) and not query.alias:
                query.set("alias", exp.TableAlias(this=exp.to_identifier(f"q{number}")))
        for trim in tree.find_all(exp.Trim):
            trim.set("expression", exp.Literal.string(_SPACES))
        return _POSTGRES.generate(tree)
    except SqlglotError as error:
        raise TestMistakeError(_refused(test, "it can't be said in PostgreSQL's SQL", str(error))) from error


def _refused(test: DataTest, message: str, why: str = "") -> Diagnostic:
    model = test.node.partition(":")[2]
    fix = f"declare it on the model that is published as {model}"
    return Diagnostic(rule="untestable-target", message=message, location=test.location, why=why, fix=fix)


def is_arrived(test: DataTest) -> bool:
    """Say whether a test is declared on a target's table."""
    return test.node.startswith("target:")
