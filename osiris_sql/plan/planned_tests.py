"""Data tests as steps hold them, on the relations that have rows."""

from __future__ import annotations

from collections.abc import Mapping

from osiris_sql.plan.nodes import test_node
from osiris_sql.types.manifest import CompiledTest, Manifest
from osiris_sql.types.plan import PlannedTest


def real_inputs(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Return for each model the nodes with rows that it reads, seen through ephemeral models."""
    ephemeral = {m.node for m in manifest.models if m.config.materialized == "ephemeral"}
    real: dict[str, tuple[str, ...]] = {}
    for model in manifest.models:
        found: dict[str, None] = {}
        for node in model.needs:
            found.update(dict.fromkeys(real[node] if node in ephemeral else (node,)))
        real[model.node] = tuple(sorted(found))
    return real


def tests_by_node(
    manifest: Manifest, chosen: set[str], real: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[PlannedTest, ...]]:
    """Return the chosen data tests by the node that each is attached to; `real` as of `real_inputs`."""
    ephemeral = {m.node for m in manifest.models if m.config.materialized == "ephemeral"}
    grouped: dict[str, list[PlannedTest]] = {}
    for test in manifest.tests:
        if test_node(test) in chosen:
            reads, about = (
                tuple(sorted({n for node in named for n in (real[node] if node in ephemeral else (node,))}))
                for named in (test.reads, test.about)
            )
            grouped.setdefault(test.node, []).append(planned_test(test, reads, about))
    return {node: tuple(tests) for node, tests in grouped.items()}


def planned_test(test: CompiledTest, reads: tuple[str, ...], about: tuple[str, ...] = ()) -> PlannedTest:
    """Return a test as a step holds it; `reads` are the relations with rows that it reads, `about` those that
    it is of."""
    return PlannedTest(
        name=test.name,
        test=test.test or "singular",
        node=test.node,
        column=test.column,
        sql=test.sql,
        reads=reads,
        about=about,
        shape=test.shape,
        measure=test.measure,
        key=test.key,
        parent=test.parent,
        relation=test.relation,
        proof=test.proof,
        severity=test.severity,
        warn_if=test.warn_if,
        error_if=test.error_if,
        limit=test.limit,
        store_failures=test.store_failures,
        fingerprint=test.fingerprint,
        location=test.location,
    )
