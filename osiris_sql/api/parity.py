"""The verb that proves that it does not matter where a plan runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from osiris_sql.api.collected import Collected
from osiris_sql.api.planning import make_plan, observe_world
from osiris_sql.protocols import Sink
from osiris_sql.run.card import make_card
from osiris_sql.run.fit import digest_state
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.plan import Extract, Plan
from osiris_sql.types.result import RunResult, fold_events


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A fact that is not the same everywhere: `values` by launcher, None where it is absent."""

    fact: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Parity:
    """What each launcher did with the same plan, and where their facts differ."""

    results: Mapping[str, RunResult]
    differences: tuple[Difference, ...]


def make_parity_plan(
    manifest: Manifest,
    environ: Mapping[str, str],
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    as_of: str | None = None,
) -> Plan:
    """Return the plan that builds what is selected from nothing, and publishes nothing."""
    without_targets = [*exclude, *(["target:*"] if manifest.publications else [])]
    observed = observe_world(manifest, environ, select=select, exclude=without_targets, while_running=True)
    empty = replace(observed, state={}, state_digest=digest_state({}))
    return make_plan(manifest, empty, select=select, exclude=without_targets, as_of=as_of)


def compare_launchers(
    plan: Plan,
    root: Path,
    launchers: Sequence[str],
    environ: Mapping[str, str] | None = None,
    sinks: Sequence[Sink] = (),
) -> Parity:
    """Run a plan for an empty warehouse once with each launcher and compare the facts of their run cards.

    Each runs in a folder of its own with copies of the source files; nothing is left of it.
    """
    results: dict[str, RunResult] = {}
    for name in launchers:
        with tempfile.TemporaryDirectory(prefix="osiris-verify-") as folder:
            _copy_sources(plan, root, Path(folder))
            collected = Collected()
            load_plugin("launchers", name)().launch(
                plan,
                Path(folder),
                f"verify-{name}-{os.urandom(3).hex()}",
                os.environ if environ is None else environ,
                [collected, *sinks],
            )
            results[name] = fold_events(collected.events)
    facts = {name: dict(_flat(make_card(plan, result)["facts"])) for name, result in results.items()}
    names = sorted(set().union(*facts.values()))
    return Parity(
        results=results,
        differences=tuple(
            Difference(fact=fact, values={name: found.get(fact) for name, found in facts.items()})
            for fact in names
            if len({repr(found.get(fact)) for found in facts.values()}) > 1
        ),
    )


def _copy_sources(plan: Plan, root: Path, folder: Path) -> None:
    for step in plan.steps:
        if isinstance(step, Extract):
            for name in step.files:
                if not Path(name).is_absolute():
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(root / name, folder / name)


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{place}/{name}" if place else name)
    else:
        yield place, value
