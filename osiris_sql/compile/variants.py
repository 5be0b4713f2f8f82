"""What the variants of a model say together: the first build, and the increment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from osiris_sql.compile.determinism import Judgement
from osiris_sql.compile.known import Readable
from osiris_sql.compile.lineage import Traced, Walked
from osiris_sql.compile.microbatch import batch_sql
from osiris_sql.compile.snapshot import versions_sql
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.manifest import BatchSpec, ColumnLineage, ModelConfig, Reason, SnapshotSpec, Verdict
from osiris_sql.types.project import Model
from osiris_sql.types.relation import RowFilter, TableSchema

_WORST_FIRST: tuple[Verdict, ...] = ("unsafe", "unknown", "declared", "rewritten", "proved")
Clock = Literal["day", "hour", "minute", "instant"]
_FINEST_FIRST: tuple[Clock, ...] = ("instant", "minute", "hour", "day")


@dataclass(frozen=True, slots=True)
class Analysed:
    """One variant of a model, with all that its SQL says; `schema` is that of the relation it builds.

    `walked` is None where the query can't be followed.
    """

    readable: Readable
    schema: TableSchema
    traced: Traced
    judged: Judgement
    walked: Walked | None = None
    snapshot: SnapshotSpec | None = None
    batches: BatchSpec | None = None

    @property
    def sql(self) -> str:
        """The query that builds the relation, as it runs."""
        return self._building(self.judged.sql)

    @property
    def author_sql(self) -> str | None:
        """The same query without rewrites, or None if there are none."""
        text = self.readable.query.sql
        return None if text == self.judged.sql else self._building(text)

    def _building(self, sql: str) -> str:
        if self.snapshot:
            return versions_sql(sql, self.snapshot)
        return batch_sql(sql, self.batches) if self.batches else sql

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reasons of the verdict, at their places in the author's files."""
        return tuple(
            Reason(
                rule=finding.rule,
                verdict=finding.verdict,
                message=finding.message,
                location=self._place(finding.span),
            )
            for finding in self.judged.reasons
        )

    def _place(self, span: tuple[int, int] | None) -> Location | None:
        return self.readable.locate(span[0], span[1] - span[0]) if span else None


def compare_schemas(first: TableSchema, increment: TableSchema, model: Model) -> list[Diagnostic]:
    """Return an error if an increment's columns are not those of the first build."""
    if first == increment:
        return []
    one = [f"{c.name} {c.type}" for c in first.columns]
    two = [f"{c.name} {c.type}" for c in increment.columns]
    differing = next((pair for pair in zip(one, two, strict=False) if pair[0] != pair[1]), None)
    more = f"{len(one)} columns, then {len(two)}"
    why = f"first build: {differing[0]}; increment: {differing[1]}" if differing else more
    return [
        Diagnostic(
            rule="increment-mismatch",
            message=f'an increment of "{model.name}" has other columns than its first build',
            location=model.location,
            why=why,
            fix="give both variants of the SELECT the same columns, in the same order",
        )
    ]


def worst_verdict(variants: Sequence[Analysed]) -> Verdict:
    """Return the verdict of the variants together."""
    return min((variant.judged.verdict for variant in variants), key=_WORST_FIRST.index)


def finest_clock(variants: Sequence[Analysed], config: ModelConfig) -> Clock | None:
    """Return the grain at which the model reads the run clock."""
    grains = [variant.judged.clock for variant in variants if variant.judged.clock]
    if not grains and any("$run_clock" in variant.judged.sql for variant in variants):
        return config.clock or "instant"
    return next((grain for grain in _FINEST_FIRST if grain in grains), None)


def merge_lineage(variants: Sequence[Analysed], node: str) -> tuple[ColumnLineage, ...]:
    """Return the inputs of each column over all variants; what a model reads of itself is left out."""
    merged = []
    for position, column in enumerate(variants[0].schema.columns):
        if position >= len(variants[0].traced.lineage):
            merged.append(ColumnLineage(column=column.name, inputs=()))  # one that a snapshot adds
            continue
        many = [variant.traced.lineage[position].inputs for variant in variants]
        known = [inputs for inputs in many if inputs is not None]
        together = dict.fromkeys(i for inputs in known for i in inputs if i.node != node)
        complete = len(known) == len(many)
        merged.append(ColumnLineage(column=column.name, inputs=tuple(together) if complete else None))
    return tuple(merged)


def merge_reads(variants: Sequence[Analysed], needs: Iterable[str]) -> Mapping[str, tuple[str, ...] | None]:
    """Return the columns read of each node over all variants; None where all must be assumed."""
    merged: dict[str, tuple[str, ...] | None] = {}
    for node in sorted(needs):
        reading = [
            v.traced.reads for v in variants if any(k.node == node for k in v.readable.tables.values())
        ]
        many = [reads.get(node) for reads in reading]
        if not many or any(columns is None for columns in many):
            merged[node] = None
        else:
            merged[node] = tuple(dict.fromkeys(c for columns in many for c in columns or ()))
    return merged


def merge_filters(variants: Sequence[Analysed]) -> Mapping[str, RowFilter]:
    """Return a filter for each source table of which no variant sees other rows than those that pass it."""
    merged: dict[str, RowFilter] = {}
    for node in {node for variant in variants for node in variant.traced.filters}:
        reading = [v.traced for v in variants if any(k.node == node for k in v.readable.tables.values())]
        if all(node in traced.filters for traced in reading):
            merged[node] = tuple(dict.fromkeys(group for one in reading for group in one.filters[node]))
    return dict(sorted(merged.items()))


def describe_columns(schema: TableSchema, model: Model, config: ModelConfig) -> TableSchema:
    """Return a model's columns with the descriptions of its YAML, and the key by which rows are merged."""
    texts = {spec.name.lower(): spec.description for spec in model.columns}
    columns = tuple(replace(c, description=texts.get(c.name.lower(), "")) for c in schema.columns)
    return TableSchema(columns=columns, key=config.unique_key if config.merges else ())
