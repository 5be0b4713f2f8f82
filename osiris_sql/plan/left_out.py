"""Source tables of which some rows were not read, because nobody needed them then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from osiris_sql.plan.nodes import test_node
from osiris_sql.plan.planned_tests import real_inputs
from osiris_sql.plan.row_filters import holds
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.observed import Observed, StepState
from osiris_sql.types.plan import Check, Extract, Materialize, PlannedTest, Preview, Publish, Step
from osiris_sql.types.relation import RowFilter


def refuse_left_out(manifest: Manifest, observed: Observed, steps: Iterable[Step]) -> None:
    """Raise ProjectError that names each source table that a step reads, no step extracts, and that lacks
    rows which the step needs."""
    steps = tuple(steps)
    extracted = {step.node for step in steps if isinstance(step, Extract)}
    places = {source.node: source.table.location for source in manifest.sources}
    needs = _Needs(manifest)
    lacking: dict[str, str] = {}
    for reader, node, needed in (read for step in steps for read in needs.of(step)):
        state = _state(node, observed)
        if node in places and node not in extracted and state and not holds(state.filters, needed):
            lacking.setdefault(node, reader)
    if lacking:
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
        if isinstance(step, Materialize):
            own = self._filters[step.node]
            yield from ((step.node, node, own.get(node, ())) for node in step.inputs)
        if isinstance(step, Preview) and step.node in self._ephemeral:
            own = self._filters[step.node]
            yield from ((step.node, node, own.get(node, ())) for node in self._real[step.node])
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
                for node in self._real[model]:
                    yield model, node, self._filters[model].get(node, ())


def _state(node: str, observed: Observed) -> StepState | None:
    elsewhere = observed.elsewhere.state if observed.elsewhere else {}
    return observed.state.get(node) or elsewhere.get(node)


def _lacks(node: str, reader: str, place: Location) -> Diagnostic:
    return Diagnostic(
        rule="rows-left-out",
        message=f"{node.partition(':')[2]} lacks rows that {reader.partition(':')[2]} reads",
        location=place,
        why="nobody read them when it was extracted, so they were left at the source",
        fix=f"extract it again: osiris-sql build -s +{reader.partition(':')[2]}",
    )
