"""Words for steps, rows and times, the same in progress and summary."""

from __future__ import annotations

from dataclasses import dataclass

from osiris_sql.types.diagnostic import Location
from osiris_sql.types.event import StepFinished
from osiris_sql.types.plan import Materialize, Plan, Publish, Step

DONE = {
    "extract": "extracted",
    "check": "checked",
    "publish": "published",
    "preview": "shown",
    "probe": "answered",
}
MARKS = {
    "success": ("✓", "green"),
    "reused": ("=", "dim"),
    "failed": ("✗", "bold red"),
    "skipped": ("-", "yellow"),
    "cancelled": ("-", "yellow"),
}


@dataclass(frozen=True, kw_only=True)
class Label:
    """How a step is called: `what` it is (`table`, `extract`, `upsert`), its name and its place."""

    kind: str
    what: str
    name: str
    location: Location | None = None


def label_steps(plan: Plan) -> dict[str, Label]:
    """Return the label of each step of a plan by the step's id."""
    return {step.id: _label(step) for step in plan.steps}


def _label(step: Step) -> Label:
    what: str = step.kind
    if isinstance(step, Materialize):
        what = step.materialized
    elif isinstance(step, Publish):
        what = step.mode
    elif step.node.startswith("seed:"):
        what = "seed"
    return Label(kind=step.kind, what=what, name=step.node.partition(":")[2], location=step.location)


def status_word(label: Label, status: str) -> str:
    """Return what became of a step in one word: `built`, `extracted`, `reused`, `failed`, …"""
    return DONE.get(label.kind, "built") if status == "success" else status


def rows_text(finished: StepFinished) -> str:
    """Return the rows of a step, `in → out` where both are known and differ."""
    into, out = finished.rows_in, finished.rows_out
    if into is not None and out is not None and into != out:
        return f"{into:,} → {out:,}"
    rows = out if out is not None else into
    return "" if rows is None else f"{rows:,}"


def seconds_text(seconds: float) -> str:
    """Return a duration as people say it: `0.4s`, `1m 05s`, `2h 03m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def bytes_text(size: int) -> str:
    """Return a size as people say it: `812 B`, `4.2 MB`."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def plural(count: int, word: str) -> str:
    """Return a count with its word: `1 row`, `2 rows`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def published_text(finished: StepFinished) -> str:
    """Return what a publication did to its target, in words; empty for any other step."""
    facts = finished.facts
    if facts.get("already_published"):
        return "already published"
    if "inserted" not in facts:
        return ""
    counts = ((facts.get(name, 0), name) for name in ("inserted", "updated", "deleted", "unchanged"))
    said = [f"{count:,} {name}" for count, name in counts if count]
    over = f" over {facts['channel']}" if facts.get("channel") else ""
    return (", ".join(said) or "nothing changed") + over
