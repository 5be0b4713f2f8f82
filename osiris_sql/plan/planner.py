"""From a manifest and what was observed to a plan: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from osiris_sql.plan import schema_change, why
from osiris_sql.plan.batches import Backfill
from osiris_sql.plan.connections import planned_connections
from osiris_sql.plan.impact import Readers, describe_impact, find_readers
from osiris_sql.plan.judges import rows_of, wait_for_judges
from osiris_sql.plan.left_out import refuse_left_out
from osiris_sql.plan.leftovers import find_leftovers
from osiris_sql.plan.models import Asked, materialize_step
from osiris_sql.plan.mutual_tests import with_mutual_tests_apart
from osiris_sql.plan.nodes import node_table, test_node
from osiris_sql.plan.planned_tests import real_inputs, tests_by_node
from osiris_sql.plan.publications import publish_step
from osiris_sql.support.dag import sort_nodes
from osiris_sql.support.versions import installed_versions
from osiris_sql.types.diagnostic import ProjectError
from osiris_sql.types.manifest import CompiledSource, Manifest
from osiris_sql.types.observed import Observed
from osiris_sql.types.plan import Check, Extract, Materialize, Plan, PlannedTest, Publish, Step
from osiris_sql.types.relation import Column
from osiris_sql.types.settings import PINNED_SETTINGS


def make_build_plan(
    manifest: Manifest,
    observed: Observed,
    *,
    selected: Iterable[str],
    run_clock: datetime,
    full_refresh: bool = False,
    backfill: Backfill | None = None,
) -> Plan:
    """Return the plan that brings the selected nodes up to date; ephemeral models have no step.

    A data test runs inside the step of the node that it is attached to, before that is committed;
    one whose node is not selected gets a step of its own. What is published is tested also where its model
    is not selected. Raises ProjectError for target tables that can't take what would be published.
    """
    chosen = set(selected)
    _refuse_unfit(manifest, observed, chosen, full_refresh)
    real = real_inputs(manifest)
    steps: dict[str, Step] = {}
    tests = tests_by_node(manifest, chosen | _tests_of_sent(manifest, chosen), real)
    for source in manifest.sources:
        if source.node in chosen:
            steps[source.node] = _extract(source, observed, tests.get(source.node, ()), full_refresh)
    asked = Asked(run_clock=run_clock, full_refresh=full_refresh, backfill=backfill)
    for model in manifest.models:
        if model.node in chosen and model.config.materialized != "ephemeral":
            own, inputs = tests.get(model.node, ()), real[model.node]
            steps[model.node] = materialize_step(model, observed, own, inputs, steps, asked)
    for publication in manifest.publications:
        if publication.node in chosen:
            own = tests.get(publication.node, ())
            steps[publication.node] = publish_step(manifest, publication, observed, steps, own)
    for node, own in tests.items():
        if node not in steps:
            asked_for = any(f"test:{test.name}" in chosen for test in own)
            steps[f"check:{node}"] = _check(manifest, node, own) if asked_for else _guard(manifest, node, own)
    readers, needs = find_readers(manifest), _needs(steps)
    if len(needs) < len(steps):
        steps = with_mutual_tests_apart(steps, partial(_guard, manifest))
        needs = _needs(steps)
    linked = [_linked(steps[node], ids, observed, readers) for node, ids in needs.items()]
    return finish_plan(manifest, observed, "build", linked, run_clock)


def make_check_plan(
    manifest: Manifest, observed: Observed, *, selected: Iterable[str], run_clock: datetime
) -> Plan:
    """Return the plan that runs the selected data tests on what is built."""
    tests = tests_by_node(manifest, set(selected), real_inputs(manifest))
    steps = {node: _check(manifest, node, own) for node, own in tests.items()}
    return finish_plan(manifest, observed, "test", list(steps.values()), run_clock)


def finish_plan(
    manifest: Manifest, observed: Observed, command: str, steps: Sequence[Step], run_clock: datetime
) -> Plan:
    """Return `steps` as a plan, with the settings, versions and connections that they need.

    Raises ProjectError if one reads rows that were left at their source.
    """
    refuse_left_out(manifest, observed, steps)
    settings = {
        **PINNED_SETTINGS,
        **({"threads": str(manifest.settings.threads)} if manifest.settings.threads else {}),
        **({"memory_limit": manifest.settings.memory_limit} if manifest.settings.memory_limit else {}),
    }
    return Plan(
        project=manifest.project,
        env=manifest.env,
        command=command,
        warehouse=manifest.warehouse,
        engine_settings=settings,
        concurrency=manifest.settings.concurrency,
        versions=installed_versions(),
        run_clock=run_clock.isoformat(),
        connections=planned_connections(manifest, steps),
        endpoints=observed.endpoints,
        state=observed.state_digest,
        nodes={node.id: node.fingerprint for node in node_table(manifest).values()},
        leftovers=tuple(each.node for each in find_leftovers(manifest, observed.state)),
        steps=tuple(steps),
    )


def _refuse_unfit(manifest: Manifest, observed: Observed, chosen: set[str], full_refresh: bool) -> None:
    """What a target table lacks, and columns that may not change, are known before anything runs."""
    models = [model for model in manifest.models if model.node in chosen]
    wrong = [
        finding
        for node, target in sorted(observed.targets.items())
        if node in chosen
        for finding in target.diagnostics
        if finding.severity == "error"
    ]
    wrong += schema_change.refusals(models, observed, full_refresh=full_refresh)
    if wrong:
        raise ProjectError(*wrong)


def _extract(
    source: CompiledSource, observed: Observed, tests: tuple[PlannedTest, ...], full_refresh: bool
) -> Extract:
    found = observed.sources.get(source.node)
    decision, reason = why.extract(source, observed, full_refresh=full_refresh)
    table = source.table
    used = {name.lower() for name in source.used}
    columns = tuple(Column(name=c.name, type=c.type) for c in source.schema.columns if c.name.lower() in used)
    return Extract(
        id=f"seed.{table.name}" if table.seed else f"extract.{table.source}.{table.name}",
        node=source.node,
        decision=decision,
        why=reason,
        relation=source.relation,
        connection=table.connection,
        identifier=table.identifier,
        columns=columns or tuple(Column(name=c.name, type=c.type) for c in source.schema.columns[:1]),
        mode="full" if full_refresh else table.extract.mode,
        watermark=table.extract.watermark,
        key=table.extract.key,
        lookback=table.extract.lookback,
        where=table.extract.where,
        filters=source.filters,
        max_rows=table.extract.max_rows,
        scan_deletes=table.extract.deletes == "scan",
        policies=source.policies,
        readers=source.readers,
        recorded=source.recorded,
        change=found.change if found else None,
        reading=found.reading if found else "",
        files=found.files if found else {},
        # Old rows are no reason to keep even older ones: `osiris-sql test` is where they fail.
        tests=tuple(replace(test, severity="warn") if test.test == "freshness" else test for test in tests),
        fingerprint=source.fingerprint,
        location=table.location,
    )


def _check(manifest: Manifest, node: str, tests: tuple[PlannedTest, ...]) -> Check:
    target = next((p.connection for p in manifest.publications if p.node == node), "")
    return Check(
        id=f"check.{node.partition(':')[2]}",
        node=node,
        why="asked for",
        connection=target,
        tests=tests,
        location=tests[0].location,
    )


def _tests_of_sent(manifest: Manifest, chosen: set[str]) -> set[str]:
    """The data tests of models that are published but not built: one that failed before is not forgotten."""
    sent = {f"model:{p.model}" for p in manifest.publications if p.node in chosen} - chosen
    return {test_node(test) for test in manifest.tests if sent & set(test.reads)}


def _guard(manifest: Manifest, node: str, tests: tuple[PlannedTest, ...]) -> Check:
    check = _check(manifest, node, tests)
    return replace(check, decision="run if inputs change", why="must have passed on the rows that are sent")


def _linked(step: Step, needs: tuple[str, ...], observed: Observed, readers: Readers) -> Step:
    if isinstance(step, Materialize):
        impact = describe_impact(step.node, step.schema, observed, readers)
        return replace(step, needs=needs, impact=impact)
    return replace(step, needs=needs)


def _needs(steps: dict[str, Step]) -> dict[str, tuple[str, ...]]:
    """Return the ids of the steps that each needs, by node, in build order."""
    needs: dict[str, set[str]] = {}
    for node, step in steps.items():
        wanted = set(rows_of(step))
        attached = step.tests if isinstance(step, Extract | Materialize | Publish | Check) else ()
        wanted |= {read for test in attached for read in test.reads}
        needs[node] = {n for n in wanted if n in steps and n != node}
    wait_for_judges(needs, steps)
    return {node: tuple(sorted(steps[n].id for n in needs[node])) for node in sort_nodes(needs)}
