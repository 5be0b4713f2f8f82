"""Compares a source with what sources.lock and the last run know of it, before and after it is read."""

from __future__ import annotations

from collections.abc import Iterator

from osiris_sql.protocols import DiscoveredTable
from osiris_sql.run.steps.running import Running
from osiris_sql.types.diagnostic import Diagnostic, OsirisError, Severity, StepError
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import Extract
from osiris_sql.types.relation import TableSchema

WIDER = {
    "BIGINT": ("DECIMAL", "DOUBLE"),
    "DECIMAL": ("DECIMAL", "DOUBLE"),
    "DATE": ("TIMESTAMP", "VARCHAR"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIME"), ("VARCHAR",)),
}
"""The types in which what looks like one type may stand, if there are other values too."""
FEWER = 0.5
"""The share of its rows that a table read in full may lose from one run to the next without a word."""


def compare_schema(running: Running, step: Extract) -> tuple[Diagnostic, ...]:
    """Return a warning that says how the table differs from sources.lock, if it does.

    Raises StepError for lost columns that are read.
    """
    if step.recorded is None:
        return ()
    live = _live(running, step)
    if live is None:
        return ()  # reading it says what near names there are
    changes = list(_changes(step, step.recorded, live))
    is_whole = live.seen != "first rows"
    wanted = [c.name for c in step.columns if is_whole and live.schema.type_of(c.name) is None]
    if not changes and not wanted:
        return ()
    table = step.node.partition(":")[2]
    if wanted:
        raise StepError(
            _drifted(step, f"{table} has lost columns that are read: {', '.join(wanted)}", changes)
        )
    message = f"{table} is not as sources.lock records it"
    return (_drifted(step, message, changes, severity="warning"),)


def foresee_rows(running: Running, step: Extract, before: StepState | None) -> tuple[Diagnostic, ...]:
    """Return a warning about a table to be read in full that has far fewer rows than last time, where the
    source tells without reading them."""
    last = _rows_before(step, before)
    live = _live(running, step) if last and step.mode == "full" else None
    source = running.connections.source(step.connection)
    if live is None or live.rows is None or live.rows >= last * FEWER or not hasattr(source, "ask"):
        return ()
    # What a server estimates may be half or twice the truth, or of yesterday: now it is cheap to count.
    counted = source.ask({step.node: (step.identifier, "count(*)")})[step.node]
    return () if isinstance(counted, OsirisError) else _vanished(step, last, int(counted[0]))


def compare_rows(step: Extract, before: StepState | None, rows: int) -> tuple[Diagnostic, ...]:
    """Return a warning about a table that was suddenly found empty, or with far fewer rows than last time."""
    return _vanished(step, _rows_before(step, before), rows)


def _rows_before(step: Extract, before: StepState | None) -> int:
    """How many rows the last run read as this one will; 0 if none did."""
    return before.data.rows if before and before.data and before.fingerprint == step.fingerprint else 0


def _vanished(step: Extract, last: int, rows: int) -> tuple[Diagnostic, ...]:
    if not last or rows >= last * FEWER:
        return ()
    table = step.node.partition(":")[2]
    left = "no rows" if not rows else f"{rows} rows"
    return (
        Diagnostic(
            rule="rows-vanished",
            severity="warning",
            message=f"{table} has {left}, where it had {last} at the last run",
            location=step.location,
            fix="if that is right there is nothing to do; a data test on the count would stop the build",
        ),
    )


def _live(running: Running, step: Extract) -> DiscoveredTable | None:
    """The table as it is now; all tables of a connection are asked for at once."""
    if step.connection not in running.discovered:
        names = [
            other.identifier
            for other in running.plan.steps
            if isinstance(other, Extract) and other.connection == step.connection
        ]
        source = running.connections.source(step.connection)
        # To discover files is to read them all, which the extract will do: their heads say enough.
        found = getattr(source, "describe", source.discover)(names)
        running.discovered[step.connection] = {table.identifier: table for table in found}
    return running.discovered[step.connection].get(step.identifier)


def _changes(step: Extract, recorded: TableSchema, table: DiscoveredTable) -> Iterator[str]:
    live = table.schema
    for column in recorded.columns:
        now = live.type_of(column.name)
        if now is None:
            if table.seen != "first rows":  # of a key that only some lines have it is not known
                yield f"{column.name} is gone{_read_by(step, column.name)}"
        elif now not in ("", column.type) and not (table.seen and _may_hold(column.type, now)):
            yield f"{column.name} was {column.type} and is {now}{_read_by(step, column.name)}"
    new = (column for column in live.columns if recorded.type_of(column.name) is None)
    yield from (f"{column.name} {column.type}".rstrip() + " is new" for column in new)
    if recorded.key and live.key != recorded.key:
        yield f"the key was ({', '.join(recorded.key)}) and is ({', '.join(live.key)})"


def _may_hold(recorded: str, seen: str) -> bool:
    """Say whether values that look like one type may be some of a column of another, wider one."""
    return recorded == "JSON" or recorded.partition("(")[0] in WIDER.get(seen.partition("(")[0], ())


def _read_by(step: Extract, column: str) -> str:
    readers = next((who for name, who in step.readers.items() if name.lower() == column.lower()), ())
    return f" (read by {', '.join(reader.partition(':')[2] for reader in readers)})" if readers else ""


def _drifted(step: Extract, message: str, changes: list[str], severity: Severity = "error") -> Diagnostic:
    return Diagnostic(
        rule="source-drifted",
        severity=severity,
        message=message,
        location=step.location,
        why="; ".join(changes),
        fix=f"osiris-sql discover {step.relation.schema}, then compile: it says what no longer fits",
    )
