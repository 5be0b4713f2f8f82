"""The batches of a model while they are built: each is committed beside the model's own table, so that a
run that was killed goes on after the last one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import duckdb

from osiris_sql.engines.duckdb.catalog import Place
from osiris_sql.engines.duckdb.run_clock import bind_instants
from osiris_sql.types.batches import Batches
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.relation import RelationRef, quote_identifier

if TYPE_CHECKING:
    from osiris_sql.engines.duckdb.transaction import DuckDBTransaction

SCHEMA = "osiris"
NOTES = "batches done of "


def rows_of(relation: RelationRef) -> RelationRef:
    """Return where the rows of a model's batches are kept meanwhile."""
    return RelationRef(SCHEMA, f"batches of {relation.name}")


def notes_of(relation: RelationRef) -> RelationRef:
    """Return where is noted which batches are done, and what they were made by."""
    return RelationRef(SCHEMA, f"{NOTES}{relation.name}")


def begin_batches(
    transaction: DuckDBTransaction, cursor: duckdb.DuckDBPyConnection, relation: RelationRef, made_by: str
) -> frozenset[str]:
    """Return the beginnings of the batches that are done; those made by anything else are dropped."""
    notes = notes_of(relation)
    if transaction.exists(notes):
        found = cursor.execute(f"SELECT made_by, start FROM {notes.sql}").fetchall()
        if all(name == made_by for name, _ in found):
            return frozenset(start for _, start in found)
        end_batches(transaction, relation)
    transaction.replace_table(notes, "SELECT ''::VARCHAR AS made_by, ''::VARCHAR AS start WHERE false", "")
    return frozenset()


def build_batch(
    transaction: DuckDBTransaction,
    cursor: duckdb.DuckDBPyConnection,
    relation: RelationRef,
    made_by: str,
    sql: str,
    instants: dict[str, str],
    event_time: str,
) -> int:
    """Add the rows of one batch and note that it is done; raises StepError for rows of no time."""
    rows, query = rows_of(relation), bind_instants(sql, instants)
    if transaction.exists(rows):
        [(count,)] = cursor.execute(f"INSERT INTO {rows.sql}\n{query}").fetchall()
    else:
        count = transaction.replace_table(rows, query, instants["run_clock"])
    name = quote_identifier(event_time)
    [(timeless,)] = cursor.execute(f"SELECT count(*) FROM {rows.sql} WHERE {name} IS NULL").fetchall()
    if timeless:
        raise StepError(
            Diagnostic(
                rule="no-event-time",
                message=f"{timeless} row{'' if timeless == 1 else 's'} of a batch have no {event_time}",
                why="a row belongs to the batch that its event_time lies in",
                fix="give each row a time, or leave such rows out in the model's SQL",
            )
        )
    note = f"INSERT INTO {notes_of(relation).sql} VALUES ($1, $2)"
    cursor.execute(note, [made_by, instants["batch_start"]])
    return int(count)


def fold_batches(
    transaction: DuckDBTransaction,
    cursor: duckdb.DuckDBPyConnection,
    relation: RelationRef,
    batches: Batches,
    *,
    anew: bool,
) -> int:
    """Put the rows of all batches into the model's table, those of the same stretch of time going."""
    rows = rows_of(relation)
    if anew:
        added = transaction.replace_table(relation, f"FROM {rows.sql}", "")
    else:
        name = quote_identifier(batches.event_time)
        ends = (f"TIMESTAMPTZ '{instant}'" for instant in (batches.start, batches.end))
        casts = (f"CAST(CAST({end} AS TIMESTAMP) AS {batches.type})" for end in ends)
        start, end = ends if batches.type == "TIMESTAMP WITH TIME ZONE" else casts
        cursor.execute(f"DELETE FROM {relation.sql} WHERE {name} >= {start} AND {name} < {end}").fetchall()
        schema = transaction.schema_of(relation)
        names = ", ".join(map(quote_identifier, schema.names if schema else ()))
        inserted = cursor.execute(f"INSERT INTO {relation.sql} ({names}) SELECT {names} FROM {rows.sql}")
        [(added,)] = inserted.fetchall()
    end_batches(transaction, relation)
    return int(added)


def end_batches(transaction: DuckDBTransaction, relation: RelationRef) -> None:
    """Drop what was kept of batches."""
    transaction.drop(rows_of(relation))
    transaction.drop(notes_of(relation))


def end_other_batches(
    transaction: DuckDBTransaction, there: Iterable[Place], keep: Iterable[RelationRef]
) -> list[str]:
    """Drop what was kept of batches but those of some models; return the names of the others."""
    begun = {name.removeprefix(NOTES) for schema, name in there if schema == SCHEMA and NOTES in name}
    others = sorted(begun - {relation.name.lower() for relation in keep})
    for name in others:
        end_batches(transaction, RelationRef("main", name))
    return others
