"""A model as far as it can be read alone: rendered, parsed, its table names resolved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot.tokenizer_core import TokenType

from osiris_sql.compile.columns import Binder
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.parse import Query, parse_query
from osiris_sql.compile.places import Locate, Problem
from osiris_sql.compile.render import Rendered
from osiris_sql.compile.rendered_model import RenderedModel
from osiris_sql.compile.table_name import TableName
from osiris_sql.compile.tokens import tokenize
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.manifest import ModelConfig
from osiris_sql.types.project import Model


@dataclass(frozen=True, slots=True)
class Variant:
    """One rendering of a query: its syntax, its way back to the file, and the nodes that it names."""

    query: Query
    locate: Locate
    nodes: Mapping[TableName, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A model read alone. `first` is None if it can't be read; `increment` is there for incremental models.

    One that `is_wrong` names tables that there are not, or is configured wrongly. `places` says where
    `config()` set each key.
    """

    model: Model
    config: ModelConfig
    first: Variant | None
    increment: Variant | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    places: Mapping[str, Location] = field(default_factory=dict)
    is_wrong: bool = False

    def place(self, key: str) -> Location:
        """Where `config()` set a key, else the model's own place."""
        return self.places.get(key, self.model.location)

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The variants that there are."""
        return tuple(variant for variant in (self.first, self.increment) if variant)

    @property
    def needs(self) -> frozenset[str]:
        """The nodes that the model reads, itself left out."""
        return frozenset(n for v in self.variants for n in v.nodes.values()) - {self.model.node}


def draft_model(rendered: RenderedModel, binder: Binder, names: NodeNames) -> Draft:
    """Return what a rendered model says."""
    model, config = rendered.model, rendered.config
    diagnostics = [*rendered.found]
    read = [read_variant(text, model.path, binder, names, diagnostics) for text in rendered.texts]
    first, increment = read[0], read[1] if len(read) > 1 else None
    if first and model.node in first.nodes.values():
        diagnostics.append(_self_reference(first, model))
    is_wrong = any(diagnostic.severity == "error" for diagnostic in diagnostics)
    if not all(variant and not variant.query.problems for variant in read):
        first = increment = None
    found = tuple(dict.fromkeys(diagnostics))
    return Draft(model, config, first, increment, found, rendered.places, is_wrong)


def read_variant(
    rendered: Rendered, path: str, binder: Binder, names: NodeNames, diagnostics: list[Diagnostic]
) -> Variant | None:
    """Return what a rendered text says, or None; what is wrong with it is added to `diagnostics`."""
    diagnostics += rendered.diagnostics
    if rendered.sql is None:
        return None
    query = parse_query(rendered.sql, binder)
    problems = [*query.problems]
    nodes: dict[TableName, str] = {}
    for table in query.tables:
        node = names.resolve(table)
        if node is not None:
            nodes[table] = node
        elif table.key not in rendered.unresolved:
            problems.append(names.unknown(table))
    problems += _quoted_clock(query.sql)
    diagnostics += [problem.at(rendered.locate, path) for problem in problems]
    return Variant(query, rendered.locate, nodes)


def _quoted_clock(sql: str) -> Iterator[Problem]:
    if "$run_clock" not in sql:
        return
    for token in tokenize(sql) or ():
        if token.token_type == TokenType.STRING and "$run_clock" in token.text:
            yield Problem(
                "quoted-clock",
                "the run clock stands in quotes, so it would be text",
                token.start + sql[token.start : token.end].index("$run_clock"),
                len("$run_clock"),
                fix="leave the quotes out: {{ run_started_at }} is a TIMESTAMPTZ",
            )


def _self_reference(variant: Variant, model: Model) -> Diagnostic:
    table = next(table for table, node in variant.nodes.items() if node == model.node)
    problem = Problem(
        "self-reference",
        f'the model "{model.name}" reads itself before it exists',
        table.start,
        table.end - table.start,
        fix="only an increment may: config(materialized='incremental') and {% if is_incremental() %}",
    )
    return problem.at(variant.locate, model.path)
