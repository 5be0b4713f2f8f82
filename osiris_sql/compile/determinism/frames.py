"""Window frames: which rows around the current one a window sees."""

from __future__ import annotations

from sqlglot import exp


def is_whole(spec: exp.Expr | None) -> bool:
    """Say whether a frame is the whole partition, whatever the order."""
    if spec is None or spec.args.get("exclude"):
        return False
    return all(str(spec.args.get(side) or "").upper() == "UNBOUNDED" for side in ("start", "end"))


def moves_by_rows(spec: exp.Expr | None) -> bool:
    """Say whether a frame counts rows, so that which rows it holds hangs on ties."""
    return kind(spec) == "ROWS" and not is_whole(spec)


def excludes_peers(spec: exp.Expr | None) -> bool:
    """Say whether a frame leaves out the rows that tie with the current one."""
    excluded = spec.args.get("exclude") if spec is not None else None
    return excluded is not None and str(excluded.name).upper() in ("TIES", "GROUP")


def kind(spec: exp.Expr | None) -> str:
    """Return ROWS, RANGE or GROUPS; RANGE is what SQL takes where nothing is said."""
    return "RANGE" if spec is None else str(spec.args.get("kind") or "RANGE").upper()
