"""Source tables of which some rows were not read, because nobody needed them then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from osiris_sql.plan.nodes import test_node
from osiris_sql.plan.planned_tests import real_inputs
from osiris_sql.plan.row_filters import holds
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.observed import Observed
from osiris_sql.types.plan import Check, Extract, Materialize, PlannedTest, Preview, Publish, Step
from osiris_sql.types.relation import RowFilter


def refuse_left_out(manifest: Manifest, observed: Observed, steps: Iterable[Step]) -> None:
    """Raise ProjectError that names each source table that a step reads, no step extracts, and that lacks
    rows which the step needs."""
    steps = tuple(steps)
    extracted = {step.node for step in steps if isinstance(step, Extract)}
    held = {source.node: _held(source.node, observed) for source in manifest.sources}
    partial = {node: filters for node, filters in held.items() if filters and node not in extracted}
    if not partial:
        return
    needs = _Needs(manifest)
    lacking: dict[str, str] = {}
    for reader, node, needed in (read for step in steps for read in needs.of(step)):
        if node in partial and not holds(partial[node], needed):
            lacking.setdefault(node, reader)
    if lacking:
        places = {source.node: source.table.location for source in manifest.sources}
        raise ProjectError(*(_lacks(node, reader, places[node]) for node, reader in lacking.items()))


class _Needs:
    """What steps need of each node that they read, as (who, node, filter)."""

    def __init__(self, manifest: Manifest) -> None:
        self._filters = {model.node: model.filters for model in manifest.models}
        self._ephemeral = {m.node for m in manifest.models if m.config.materialized == "ephemeral"}
        self._real = real_inputs(manifest)
        self._tests = {test.name: test for test in manifest.tests}

    def of(self, step: Step) -> Iterator[tuple[str, str, RowFilter]]:
        """Yield what a step needs, and its data tests."""
        if isinstance(step, Materialize) or (isinstance(step, Preview) and step.node in self._ephemeral):
            yield from self._of_model(step.node)
        if isinstance(step, Extract | Materialize | Check | Publish):
            yield from (need for test in step.tests for need in self._of_test(test))

    def _of_test(self, test: PlannedTest) -> Iterator[tuple[str, str, RowFilter]]:
        """A data test sees all rows of what it names; an ephemeral model is seen through."""
        named = self._tests[test.name].reads
        for node in test.reads:
            if node in named:
                yield test_node(self._tests[test.name]), node, ()
        for model in named:
            if model in self._real and model not in test.reads:
                yield from self._of_model(model)

    def _of_model(self, model: str) -> Iterator[tuple[str, str, RowFilter]]:
        yield from ((model, node, self._filters[model].get(node, ())) for node in self._real[model])


def _held(node: str, observed: Observed) -> RowFilter:
    """The filter that the rows of a source table passed; none of one that was never extracted."""
    elsewhere = observed.elsewhere.state if observed.elsewhere else {}
    state = observed.state.get(node) or elsewhere.get(node)
    return state.filters if state else ()


def _lacks(node: str, reader: str, place: Location) -> Diagnostic:
    return Diagnostic(
        rule="rows-left-out",
        message=f"{node.partition(':')[2]} lacks rows that {reader.partition(':')[2]} reads",
        location=place,
        why="nobody read them when it was extracted, so they were left at the source",
        fix=f"extract it again: osiris-sql build -s +{reader.partition(':')[2]}",
    )
