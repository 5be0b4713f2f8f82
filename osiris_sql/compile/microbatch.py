"""Microbatch models: built a stretch of time after the other, each from the rows of that time alone."""

from collections.abc import Callable, Iterator

from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.manifest import BatchSpec, ModelConfig
from osiris_sql.types.relation import Column, TableSchema, quote_identifier

Place = Callable[[str], Location]


def batch_contradictions(config: ModelConfig, place: Place) -> Iterator[Diagnostic]:
    """Yield what the configuration of a microbatch model lacks."""
    if not config.microbatch:
        return
    fixes = {
        "event_time": "config(event_time='…'), the column whose time puts a row into a batch",
        "batch_size": "config(batch_size='hour'|'day'|'month'|'year')",
        "begin": "config(begin='2024-01-01'), where the first batch begins",
    }
    for key, fix in fixes.items():
        if not getattr(config, key):
            yield Diagnostic(
                rule=f"missing-{key.replace('_', '-')}",
                message=f"a microbatch model needs {key}",
                location=place("incremental_strategy"),
                fix=fix,
            )


def find_event_time(
    name: str | None, schema: TableSchema, what: str, location: Location, found: list[Diagnostic]
) -> Column | None:
    """Return the column that says when a row happened, or None; what is wrong with it joins `found`."""
    if name is None:
        return None
    column = next((c for c in schema.columns if c.name.lower() == name.lower()), None)
    if column is None:
        found.append(
            Diagnostic(
                rule="unknown-column",
                message=f'the event_time of {what} is "{name}", which is no column of it',
                location=location,
                why=f"{what} has: {', '.join(schema.names)}",
                fix=did_you_mean(name, schema.names),
            )
        )
    elif column.type != "DATE" and not column.type.startswith("TIMESTAMP"):
        message = f'the event_time of {what} is "{name}", which is {column.type} and no time'
        found.append(Diagnostic(rule="invalid-event-time", message=message, location=location))
        return None
    return column


def make_batches(
    config: ModelConfig, event_time: Column, place: Place
) -> tuple[BatchSpec | None, list[Diagnostic]]:
    """Return how a model is cut into batches, or what is wrong with it."""
    if event_time.type == "DATE" and config.batch_size == "hour":
        message = f'"{event_time.name}" is a DATE, so a batch can\'t be an hour'
        return None, [Diagnostic(rule="invalid-batch-size", message=message, location=place("batch_size"))]
    spec = BatchSpec(
        event_time=event_time.name,
        type=event_time.type,
        size=config.batch_size or "day",
        begin=config.begin or "",
        lookback=config.lookback,
    )
    return spec, []


def within_batch(event_time: Column | BatchSpec) -> str:
    """Return the SQL condition that a row lies within the batch; a time without zone is one of UTC."""
    name = _name(event_time)
    zoned = event_time.type == "TIMESTAMP WITH TIME ZONE"
    bounds = (
        end if zoned else f"CAST(CAST({end} AS TIMESTAMP) AS {event_time.type})"
        for end in ("$batch_start", "$batch_end")
    )
    return "{0} >= {1} AND {0} < {2}".format(name, *bounds)


def batch_sql(sql: str, spec: BatchSpec) -> str:
    """Return the query of one batch; rows of no time are kept, to be refused."""
    return f"SELECT * FROM (\n{sql}\n) WHERE {_name(spec)} IS NULL OR ({within_batch(spec)})"


def _name(event_time: Column | BatchSpec) -> str:
    return quote_identifier(event_time.name if isinstance(event_time, Column) else event_time.event_time)
