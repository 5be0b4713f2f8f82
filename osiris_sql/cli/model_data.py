"""Compiled models and nodes as plain data, for machines."""

from __future__ import annotations

from typing import Any

from osiris_sql.types.diagnostic import Location
from osiris_sql.types.manifest import CompiledModel, Manifest, Reason


def model_data(model: CompiledModel) -> dict[str, Any]:
    """Return a model as `compile --json` prints it; a field may be added, none is ever renamed."""
    return {
        "name": model.name,
        "path": model.path,
        "materialized": model.config.materialized,
        "verdict": model.verdict,
        "reasons": [_reason_data(reason) for reason in model.reasons],
        "columns": [{"name": column.name, "type": column.type} for column in model.schema.columns],
        "needs": list(model.needs),
        "lineage": {
            line.column: None
            if line.inputs is None
            else [{"node": each.node, "column": each.column} for each in line.inputs]
            for line in model.lineage
        },
        "fingerprint": model.fingerprint,
        "sql": model.sql,
        "author_sql": model.author_sql,
        "increment_sql": model.increment_sql,
    }


def _reason_data(reason: Reason) -> dict[str, Any]:
    place = reason.location
    return {
        "rule": reason.rule,
        "verdict": reason.verdict,
        "message": reason.message,
        "location": None if place is None else _location_data(place),
    }


def _location_data(place: Location) -> dict[str, Any]:
    return {"path": place.path, "line": place.line, "column": place.column, "length": place.length}


def nodes_data(manifest: Manifest, chosen: list[str]) -> list[dict[str, Any]]:
    """Return the chosen nodes in build order: `node`, `type`, `name`, `path`, `line` and what it is."""
    what: dict[str, tuple[str, str, int | None]] = {}
    for source in manifest.sources:
        place = source.table.location
        kind = "csv" if source.table.seed else source.table.connection
        what[source.node] = (kind, place.path, place.line)
    for model in manifest.models:
        kind = model.config.materialized if model.sql else "not compiled"
        what[model.node] = (kind, model.path, model.location.line)
    for test in manifest.tests:
        what[f"test:{test.name}"] = (test.test or "singular", test.location.path, test.location.line)
    for publication in manifest.publications:
        place = publication.location
        what[publication.node] = (publication.mode, place.path, place.line)
    return [
        dict(
            zip(
                ("node", "type", "name", "is", "path", "line"),
                (node, *_split(node), *what[node]),
                strict=True,
            )
        )
        for node in chosen
    ]


def _split(node: str) -> tuple[str, str]:
    kind, _, name = node.partition(":")
    return kind, name
