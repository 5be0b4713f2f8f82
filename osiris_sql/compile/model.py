"""One model compiled: bound by DuckDB, traced, judged, fingerprinted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, partial

from osiris_sql.compile.columns import Binder, BinderError
from osiris_sql.compile.contract import check_columns
from osiris_sql.compile.determinism import Judgement
from osiris_sql.compile.draft import Draft, Variant
from osiris_sql.compile.fingerprint import fingerprint, model_fingerprint
from osiris_sql.compile.further import tell_all
from osiris_sql.compile.judged import walk_and_judge
from osiris_sql.compile.keys import Keys, lower_key, order_keys
from osiris_sql.compile.known import Inlined, Known, Readable, make_readable, without_unknown
from osiris_sql.compile.lineage import trace_columns
from osiris_sql.compile.microbatch import find_event_time, make_batches
from osiris_sql.compile.model_checks import check_key, refuse_duplicates, refuse_tuples, unsafe_constructs
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.outcome import Outcome, make_outcome
from osiris_sql.compile.snapshot import make_snapshot, versions_sql
from osiris_sql.compile.variants import (
    Analysed,
    compare_schemas,
    describe_columns,
    finest_clock,
    merge_filters,
    merge_lineage,
    merge_reads,
    worst_verdict,
)
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel, ModelConfig
from osiris_sql.types.relation import Column, RelationRef, TableSchema


class ModelPass:
    """Compiles drafts in build order; `known` are the nodes that were compiled so far."""

    def __init__(self, binder: Binder, names: NodeNames, keys: Mapping[str, Keys]) -> None:
        self.known: dict[str, Known] = {}
        self._binder = binder
        self._names = names
        self._keys = keys
        self._absent: set[str] = set()

    def compile(self, draft: Draft, diagnostics: list[Diagnostic]) -> Outcome | None:
        """Return the model, which is known from now on, or None; what is wrong joins `diagnostics`."""
        found: list[Diagnostic] = []
        self.supply(draft.needs)
        variants = [] if draft.is_wrong else self._analyse_all(draft, found)
        if not variants:
            self._read_further(draft, found)
        diagnostics += dict.fromkeys(found)
        if not variants or any(diagnostic.severity == "error" for diagnostic in found):
            self.known.pop(draft.model.node, None)
            return None
        own = self._assemble(draft, variants)
        compiled, whole = self.complete(own)
        self._remember(draft, variants, compiled.schema, whole)
        diagnostics += unsafe_constructs(compiled)
        untyped = self._binder.has_untyped(variants[0].readable.query.sql, compiled.schema)
        lasting = draft.config.materialized != "ephemeral" and not untyped
        return make_outcome(draft, variants, (own, compiled), found, is_lasting=lasting)

    def miss(self, node: str) -> None:
        """Note that the binder has not seen a node that is known: it may be that nothing here reads it."""
        self._absent.add(node)

    def supply(self, nodes: Iterable[str]) -> None:
        """Put nodes into the binder that it has not seen."""
        for node in sorted(self._absent.intersection(nodes)):
            known = self.known[node]
            self._binder.create_table(known.relation, known.schema)
            self._absent.discard(node)

    def complete(self, own: CompiledModel) -> tuple[CompiledModel, str]:
        """Return a model as it stands among the others, and its identity with all that is above it."""
        whole = self._with_all_above(own)
        if own.config.materialized == "incremental":
            # Its rows remember what was above when they came, so a change there starts it again.
            own = replace(own, fingerprint=whole)
        return own, whole

    def declared_keys(self, node: str) -> Keys:
        """Return the keys that tests and sources.lock promise of a node."""
        return self._keys.get(node, ())

    def _analyse_all(self, draft: Draft, found: list[Diagnostic]) -> list[Analysed]:
        first = self._analyse(draft, draft.first, found) if draft.first else None
        if first is None:
            return []
        model, variants = draft.model, [first]
        if draft.config.materialized == "snapshot":
            variants[0] = first = self._keep_versions(draft, first, found)
        else:
            found += check_key(draft, first.schema)
            if draft.config.materialized != "ephemeral":
                variants[0] = first = replace(first, schema=self._as_relation(draft, first))
        if event_time := self._event_time(draft, first.schema, found):
            variants[0] = first = self._cut(draft, first, event_time, found)
        found += check_columns(model, draft.config, first.schema, self._binder.canonical_type)
        if draft.increment:
            self._remember(draft, variants, first.schema, fingerprint="")
            self.supply({model.node})
            increment = self._analyse(draft, draft.increment, found)
            if increment:
                found += compare_schemas(first.schema, increment.schema, model)
                variants.append(increment)
        return variants

    def _analyse(self, draft: Draft, variant: Variant, found: list[Diagnostic]) -> Analysed | None:
        readable = Readable(variant.query, variant.locate, {}, ())
        try:
            batch = draft.config.microbatch
            readable = make_readable(variant, self.known, self._names, self._binder, batch=batch)
            output = cache(partial(self._binder.bind, readable.query.sql, readable.scope))
            walked, judged = walk_and_judge(draft.config, readable, output, self._try_bind)
            schema = judged.output or output()
            refuse_duplicates(schema, readable.query)
            if draft.config.materialized not in ("view", "ephemeral"):
                refuse_tuples(schema, readable.query)
        except BinderError as error:
            found.append(error.problem.at(readable.locate, draft.model.path))
            return None
        sql, tree, tables = readable.query.sql, readable.query.tree, readable.tables
        inputs = {key: (k.node, k.schema) for key, k in tables.items()}
        traced = trace_columns(sql, tree, inputs, schema, walked)
        return Analysed(readable, schema, traced, judged, walked)

    def _read_further(self, draft: Draft, found: list[Diagnostic]) -> None:
        """Tell what is wrong with the texts of a model that is wrong, by the tables that are known."""
        for variant in draft.variants:
            opened = without_unknown(variant, self.known, self._names, self._binder)
            readable = make_readable(opened, self.known, self._names, self._binder)
            tell_all(readable, draft.model.path, self._binder, found, is_open=opened is not variant)

    def _try_bind(self, sql: str) -> TableSchema | None:
        try:
            return self._binder.bind(sql)
        except BinderError:
            return None

    def _as_relation(self, draft: Draft, first: Analysed) -> TableSchema:
        """Return the columns that the model has as a relation."""
        sql, view = first.readable.query.sql, draft.config.materialized == "view"
        if self._binder.has_untyped(sql, first.schema):
            return self._binder.create_like(RelationRef("main", draft.model.name), sql, view=view)
        self.miss(draft.model.node)
        return first.schema

    def _keep_versions(self, draft: Draft, first: Analysed, found: list[Diagnostic]) -> Analysed:
        """Put a snapshot into the binder, with the columns that it adds."""
        spec, wrong = make_snapshot(draft.config, first.schema, draft.place)
        found += wrong
        if spec is None:
            return first
        relation = RelationRef("main", draft.model.name)
        sql = versions_sql(first.readable.query.sql, spec)
        return replace(first, snapshot=spec, schema=self._binder.create_like(relation, sql, view=False))

    def _event_time(self, draft: Draft, schema: TableSchema, found: list[Diagnostic]) -> Column | None:
        place = draft.place("event_time")
        return find_event_time(draft.config.event_time, schema, draft.model.name, place, found)

    def _cut(self, draft: Draft, first: Analysed, event_time: Column, found: list[Diagnostic]) -> Analysed:
        if not draft.config.microbatch:
            return first
        spec, wrong = make_batches(draft.config, event_time, draft.place)
        found += wrong
        return replace(first, batches=spec)

    def _remember(
        self, draft: Draft, variants: list[Analysed], schema: TableSchema, fingerprint: str
    ) -> None:
        model, config, first = draft.model, draft.config, variants[0]
        declared = dict(first.readable.declared)
        if config.determinism == "declared":
            declared[model.path] = config.reason
        needs = tuple(sorted(draft.needs))
        inlined = Inlined(first.readable.query.sql, first.readable.locate, declared, needs)
        self.known[model.node] = Known(
            node=model.node,
            relation=RelationRef("main", model.name),
            schema=schema,
            keys=self._keys_of(model.node, config, first.judged),
            fingerprint=fingerprint,
            inlined=inlined if config.materialized == "ephemeral" else None,
            event_time=self._event_time(draft, schema, []),
        )

    def _keys_of(self, node: str, config: ModelConfig, judged: Judgement) -> Keys:
        keys = set(self._keys.get(node, ()))
        # What one batch proves does not hold over batches; the merge key does.
        if config.merges:
            keys.add(lower_key(config.unique_key))
        elif config.materialized not in ("incremental", "snapshot"):
            keys |= set(judged.keys)
        return order_keys(keys)

    def _with_all_above(self, compiled: CompiledModel) -> str:
        inputs = {
            node: self.known[node].fingerprint for node in compiled.needs if not self.known[node].inlined
        }
        return fingerprint(compiled.fingerprint, inputs)

    def _assemble(self, draft: Draft, variants: list[Analysed]) -> CompiledModel:
        model, config, schema = draft.model, draft.config, variants[0].schema
        needs = draft.needs | {k.node for v in variants for k in v.readable.tables.values()}
        needs -= {model.node}
        clock = finest_clock(variants, config)
        first, repeated = variants[0], variants[0].snapshot or variants[0].batches
        increment_sql = variants[1].sql if len(variants) > 1 else first.sql if repeated else None
        return CompiledModel(
            name=model.name,
            path=model.path,
            relation=RelationRef("main", model.name),
            config=config,
            sql=first.sql,
            author_sql=first.author_sql,
            increment_sql=increment_sql,
            schema=describe_columns(schema, model, config),
            needs=tuple(sorted(needs)),
            reads=merge_reads(variants, needs),
            filters=merge_filters(variants),
            lineage=merge_lineage(variants, model.node),
            verdict=worst_verdict(variants),
            reasons=tuple(dict.fromkeys(reason for v in variants for reason in v.reasons)),
            clock=clock,
            snapshot=first.snapshot,
            batches=first.batches,
            fingerprint=model_fingerprint(
                sql=first.sql,
                increment_sql=increment_sql,
                config=config,
                schema=schema,
                clock=clock,
                inputs=sorted(node for node in needs if not self.known[node].inlined),
                how=first.snapshot or first.batches,
            ),
            description=model.description,
            location=model.location,
        )
