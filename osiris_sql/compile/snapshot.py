"""Snapshots: a query whose rows are kept as versions, each with the time from and to which it held."""

from collections.abc import Callable, Iterator

from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.manifest import ModelConfig, SnapshotSpec
from osiris_sql.types.relation import TableSchema, quote_identifier

Place = Callable[[str], Location]
ALL = ("all",)
_CLOCK = "$run_clock"
_CLOCK_TYPE = "TIMESTAMP WITH TIME ZONE"


def history_contradictions(config: ModelConfig, place: Place) -> Iterator[Diagnostic]:
    """Yield what the configuration of a snapshot lacks, and what would destroy its history."""
    if config.materialized != "snapshot":
        return
    needs: dict[str, object] = {"unique_key": config.unique_key, "strategy": config.strategy}
    needs |= {"updated_at": config.updated_at} if config.strategy == "timestamp" else {}
    needs |= {"check_cols": config.check_cols} if config.strategy == "check" else {}
    fixes = {
        "unique_key": "config(unique_key='…'), the columns that identify a row",
        "strategy": "config(strategy='timestamp', updated_at='…') or (strategy='check', check_cols='all')",
        "updated_at": "config(updated_at='…'), the column that says when a row last changed",
        "check_cols": "config(check_cols='all'), or a list of columns",
    }
    for key, value in needs.items():
        if not value:
            message = f"a snapshot needs {key}"
            yield Diagnostic(
                rule=f"missing-{key.replace('_', '-')}", message=message, location=place(key), fix=fixes[key]
            )
    rebuilding = {
        "on_schema_change": config.on_schema_change == "rebuild",
        "full_refresh": config.full_refresh,
    }
    for key, asked in rebuilding.items():
        if asked:
            yield Diagnostic(
                rule="history-would-be-lost",
                message="a snapshot can't be built again: its history is nowhere else",
                location=place(key),
                fix=f"leave {key} out; a new history begins after: osiris-sql clean --relation NAME",
            )


def make_snapshot(
    config: ModelConfig, schema: TableSchema, place: Place
) -> tuple[SnapshotSpec | None, list[Diagnostic]]:
    """Return how the versions of rows with these columns are told apart, or what is wrong with it."""
    found = [*_unknown_columns(config, schema, place)]
    instant = _CLOCK_TYPE
    if config.strategy == "timestamp" and (type_ := schema.type_of(config.updated_at or "")):
        instant = type_
        if not (type_ == "DATE" or type_.startswith("TIMESTAMP")):
            message = f'updated_at is "{config.updated_at}", which is {type_} and no time'
            place_ = place("updated_at")
            found.append(Diagnostic(rule="invalid-updated-at", message=message, location=place_))
    names = _own_names(config)
    found += [
        Diagnostic(
            rule="duplicate-column",
            message=f'the query has a column "{name}", which the snapshot adds',
            location=place("snapshot_meta_column_names"),
            fix="rename it in the query, or by snapshot_meta_column_names",
        )
        for name in names.values()
        if schema.type_of(name)
    ]
    if found:
        return None, found
    timestamp = config.strategy == "timestamp"
    every = timestamp or config.check_cols == ALL
    spec = SnapshotSpec(
        strategy=config.strategy or "check",
        key=config.unique_key,
        compare=schema.names if every else config.check_cols,
        hard_deletes=config.hard_deletes,
        instant=instant,
        begins=quote_identifier(config.updated_at) if timestamp and config.updated_at else _CLOCK,
        scd_id=names["dbt_scd_id"],
        version_id=_version_id(config.unique_key, names["dbt_valid_from"]),
        updated_at=names["dbt_updated_at"],
        valid_from=names["dbt_valid_from"],
        valid_to=names["dbt_valid_to"],
        is_deleted=names.get("dbt_is_deleted"),
    )
    return spec, []


def versions_sql(sql: str, spec: SnapshotSpec) -> str:
    """Return the query of the first versions: the rows of `sql`, valid from when they changed on."""
    own = [
        f"{spec.begins} AS {quote_identifier(spec.updated_at)}",
        f"{spec.begins} AS {quote_identifier(spec.valid_from)}",
        f"CAST(NULL AS {spec.instant}) AS {quote_identifier(spec.valid_to)}",
        *([f"false AS {quote_identifier(spec.is_deleted)}"] if spec.is_deleted else []),
    ]
    # A new line, because the text may end in a comment.
    return (
        f"SELECT *, {spec.version_id} AS {quote_identifier(spec.scd_id)}"
        f"\nFROM (SELECT *, {', '.join(own)} FROM (\n{sql}\n))"
    )


def _own_names(config: ModelConfig) -> dict[str, str]:
    names = ["dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"]
    names += ["dbt_is_deleted"] if config.hard_deletes == "new_record" else []
    return {name: config.snapshot_meta_column_names.get(name, name) for name in names}


def _version_id(key: tuple[str, ...], valid_from: str) -> str:
    """A text for each key and time; lengths tell ('a|b', 'c') from ('a', 'b|c')."""
    texts = [f"{quote_identifier(name)}::VARCHAR" for name in (*key, valid_from)]
    return f"md5(concat_ws('|', {', '.join(f'length({text}), {text}' for text in texts)}))"


def _unknown_columns(config: ModelConfig, schema: TableSchema, place: Place) -> Iterator[Diagnostic]:
    named = {"unique_key": config.unique_key}
    named |= {
        "updated_at": (config.updated_at,) if config.strategy == "timestamp" and config.updated_at else ()
    }
    named |= {"check_cols": () if config.check_cols == ALL else config.check_cols}
    for key, columns in named.items():
        for name in columns:
            if schema.type_of(name) is None:
                yield Diagnostic(
                    rule="unknown-column",
                    message=f'{key} names "{name}", which the query does not yield',
                    location=place(key),
                    why=f"it yields: {', '.join(schema.names)}",
                    fix=did_you_mean(name, schema.names),
                )
