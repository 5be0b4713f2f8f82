"""The verb that follows a column through the project, from the sources to the targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.manifest import ColumnInput, Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPaths:
    """A column and what it is made from and goes into: `up` and `down` map each column on the way to the
    next ones, None where they can't be known."""

    column: ColumnInput
    type: str
    up: Mapping[ColumnInput, tuple[ColumnInput, ...] | None]
    down: Mapping[ColumnInput, tuple[ColumnInput, ...] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """For how many columns of all models the inputs are known, and which are the others."""

    known: int
    columns: int
    unknown: tuple[ColumnInput, ...]


def measure_coverage(manifest: Manifest) -> Coverage:
    """Return how much of the lineage of a project is known."""
    lines = [(model.node, line) for model in manifest.models for line in model.lineage]
    unknown = tuple(ColumnInput(node=node, column=line.column) for node, line in lines if line.inputs is None)
    return Coverage(known=len(lines) - len(unknown), columns=len(lines), unknown=unknown)


def follow_columns(manifest: Manifest, name: str) -> tuple[ColumnPaths, ...]:
    """Return the paths of a column, or of each column of a node; raises ProjectError for another name.

    Names are `model`, `model.column`, `source.table`, `source.table.column`, `target.table` and
    `target.table.column`, with or without the `model:`, `source:` or `target:` of a node.
    """
    columns = _columns(manifest)
    made, used = _edges(manifest, columns)
    found = _find(columns, name)
    return tuple(
        ColumnPaths(column=each, type=columns[each], up=_reach(each, made), down=_reach(each, used))
        for each in found
    )


def _columns(manifest: Manifest) -> dict[ColumnInput, str]:
    """Return the type of every column of the project, publications included."""
    schemas = {source.node: source.schema for source in manifest.sources}
    schemas |= {model.node: model.schema for model in manifest.models}
    schemas |= {p.node: schemas[f"model:{p.model}"] for p in manifest.publications}
    return {
        ColumnInput(node=node, column=column.name): column.type
        for node, schema in schemas.items()
        for column in schema.columns
    }


Edges = dict[ColumnInput, tuple[ColumnInput, ...] | None]


def _edges(manifest: Manifest, columns: Mapping[ColumnInput, str]) -> tuple[Edges, Edges]:
    """Return what each column is made from, and what is made from it."""
    made: Edges = dict.fromkeys(columns, ())
    for model in manifest.models:
        for line in model.lineage:
            made[ColumnInput(node=model.node, column=line.column)] = line.inputs
    models = {publication.node: f"model:{publication.model}" for publication in manifest.publications}
    for column in columns:
        if column.node in models:
            made[column] = (ColumnInput(node=models[column.node], column=column.column),)
    used: dict[ColumnInput, list[ColumnInput]] = {column: [] for column in columns}
    for column, inputs in made.items():
        for each in inputs or ():
            used[each].append(column)
    return made, {column: tuple(users) for column, users in used.items()}


def _reach(start: ColumnInput, edges: Edges) -> Edges:
    reached: Edges = {}
    ahead = [start]
    while ahead:
        here = ahead.pop(0)
        if here not in reached:
            reached[here] = edges[here]
            ahead += edges[here] or ()
    return reached


def _find(columns: Mapping[ColumnInput, str], name: str) -> Sequence[ColumnInput]:
    """Return the columns that a name means."""
    wanted = name.lower()
    whole = [c for c in columns if wanted in _names_of_node(c.node)]
    if whole:
        return whole
    found = [
        c for c in columns if wanted in {f"{node}.{c.column}".lower() for node in _names_of_node(c.node)}
    ]
    if found:
        return found
    every = sorted({spoken(c) for c in columns} | {c.node.partition(":")[2] for c in columns})
    raise ProjectError(
        Diagnostic(
            rule="unknown-column",
            message=f'there is no model, source, target or column "{name}"',
            fix=did_you_mean(name, every, "write it as model.column or source.table.column"),
        )
    )


def _names_of_node(node: str) -> tuple[str, str]:
    return node.lower(), node.partition(":")[2].lower()


def spoken(column: ColumnInput) -> str:
    """Return a column as it is written and read: `stg_movies.title`, `target:app.movies.title`."""
    kind, _, name = column.node.partition(":")
    return f"{'target:' if kind == 'target' else ''}{name}.{column.column}"
